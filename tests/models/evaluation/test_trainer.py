"""A trainer's marks beside ours: the table, what corresponds, what counts as agreeing; the real videos."""

import json
import math
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fitmotion_models.cli import app
from fitmotion_models.evaluation.trainer import (
    ARMS_FELL,
    COLUMNS,
    TABLE,
    Agreement,
    Person,
    Seen,
    TrainerScore,
    counts_of,
    items_of,
    orders_of,
    read_trainer_scores,
)
from fitmotion_models.fms.assess import AssessmentReport
from fitmotion_models.fms.values import Criterion, Verdict

LONG = os.environ.get("FITMOTION_TEST_LONG") == "1"
DATA = Path(os.environ.get("FITMOTION_DATA", Path(__file__).parents[4] / "shared" / "data"))
LINE = "side.mov,front.mov,80,70,50,100,Arms fall forward."


def seen(measured=None, **verdicts):
    criteria = {name: Criterion(name, 0.1, 0.05, "m", verdict, (), "") for name, verdict in verdicts.items()}
    return Seen(AssessmentReport((), "person", 30.0, 0, 0), criteria, measured or {})


def scored(knees=80.0, core=80.0, asymmetry=80.0, note=""):
    marks = {"squat_score_0_100": 80.0, "knee_stability": knees, "core_strength": core, "asymmetry": asymmetry}
    return TrainerScore("side.mov", "front.mov", marks, note)


def agreements(line, side, front):
    return {item.name: item.agreement for item in items_of(line, side, front)}


def written(folder, *lines):
    (folder / TABLE).write_text("\n".join((",".join(COLUMNS), *lines)) + "\n")
    return folder / TABLE


def test_the_table_is_read(tmp_path):
    (one,) = read_trainer_scores(written(tmp_path, LINE))
    assert (one.side_video, one.front_video, one.note) == ("side.mov", "front.mov", "Arms fall forward.")
    assert one.marks["knee_stability"] == 70.0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("side_video,front_video\na,b\n", "lacks asymmetry, core_strength"),
        (f"{','.join(COLUMNS)}\nside.mov,front.mov,80,good,50,100,\n", "line 2: knee_stability is 'good'"),
        (
            f"{','.join(COLUMNS)}\nside.mov,front.mov,80,70,150,100,\n",
            "core_strength is 150; a mark is a number from 0",
        ),
    ],
)
def test_bad_tables_are_named(tmp_path, content, said):
    (tmp_path / TABLE).write_text(content)
    with pytest.raises(ValueError, match=said):
        read_trainer_scores(tmp_path / TABLE)
    with pytest.raises(ValueError, match="can't be read"):
        read_trainer_scores(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("note", "fell"),
    [
        ("Arms fall (side view)", True),
        ("right arm drops more than left", True),
        ("trunk falls forward; arms stay up", False),
        ("arms good / knees fall in", False),
        ("", False),
    ],
)
def test_what_a_note_says_of_the_arms(note, fell):
    assert (ARMS_FELL.search(note) is not None) is fell


def test_faults_on_both_sides_agree_and_doubt_is_no_verdict():
    side = seen(dowel_over_feet=Verdict.NOT_MET, trunk_parallel_to_tibia=Verdict.MET)
    front = seen(left_knee_over_foot=Verdict.MET, right_knee_over_foot=Verdict.NOT_SEEN)
    found = agreements(scored(core=50.0, note="arms fall"), side, front)
    assert found["arms"] is Agreement.AGREE
    assert found["core strength"] is Agreement.DIFFER
    # one knee is good and the other one not known: neither "fault" nor "no fault"
    assert found["knee stability"] is Agreement.NO_VERDICT
    assert found["asymmetry"] is found["whole squat"] is Agreement.NO_COUNTERPART
    worse = seen(left_knee_over_foot=Verdict.NOT_MET, right_knee_over_foot=Verdict.NOT_SEEN)
    assert agreements(scored(knees=0.0), side, worse)["knee stability"] is Agreement.AGREE
    assert agreements(scored(knees=80.0), side, worse)["knee stability"] is Agreement.DIFFER
    assert agreements(scored(), seen(), seen())["arms"] is Agreement.NO_VERDICT


def person(knees, sway):
    front = seen({"left knee sway": (sway, "m"), "right knee sway": (sway, "m")})
    return Person(scored(knees=knees), seen(), front, items_of(scored(knees=knees), seen(), front))


def test_order_counts_pairs_of_people():
    people = [person(80.0, 0.02), person(0.0, 0.05), person(40.0, 0.06), person(40.0, 0.01)]
    knees = orders_of(people)["knee_stability"]
    # of six pairs one has equal marks; 80 against 40 with 0.01 and 0 against 40 with 0.06 are turned
    assert (knees["pairs"], knees["same_order"]) == (5, 3)
    assert orders_of(people)["asymmetry"]["pairs"] == 0
    assert counts_of(people)["not called"] == 12


def data_of_the_last(folder):
    """A data folder with the last line of the trainer's table and its two videos."""
    media = folder / "media"
    media.mkdir()
    titles, *_, line = (DATA / "media" / TABLE).read_text().splitlines()
    written(media, line)
    assert titles == ",".join(COLUMNS)
    for video in line.split(",")[:2]:
        (media / video).symlink_to((DATA / "media" / video).resolve())
    return folder


@pytest.mark.slow
def test_the_trainer_scored_squats(tmp_path):
    """The one with most faults; at full length everybody."""
    if not (DATA / "media" / TABLE).is_file():
        pytest.skip(f"no {TABLE} in {DATA / 'media'}; set FITMOTION_DATA to the folder that holds media/")
    data, knees = (DATA, [80.0, 0.0]) if LONG else (data_of_the_last(tmp_path), [0.0])
    result = CliRunner().invoke(app, ["evaluate", "trainer", "--data", str(data), "--json"])
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    print("\n", found["agreement"], found["order"])
    assert [one["trainer"]["knee_stability"] for one in found["persons"]] == knees
    for one in found["persons"]:
        arms = one["items"][0]
        # what the trainer's note says of both, and a view from the side shows best
        assert (arms["item"], arms["trainer_fault"], arms["verdicts"]) == ("arms", True, ["not_met"])
        assert len(one["side"]["assessments"]) == len(one["front"]["assessments"]) == 1
    assert found["agreement"]["differ"] == 0
    assert all(math.isfinite(value) for one in found["order"].values() for value in one["values"])


def test_a_folder_without_the_table_is_said(tmp_path):
    result = CliRunner().invoke(app, ["evaluate", "trainer", "--data", str(tmp_path)])
    assert result.exit_code == 2
    assert TABLE in result.stderr
