"""Ratings files and the command that says how far raters agree."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from fitmotion_models.cli import app
from fitmotion_models.evaluation.agreement import reliability
from fitmotion_models.evaluation.ratings import agreement_of, as_text, read_ratings
from fitmotion_models.fms.screen import TESTS, sides_to_do

HEADING = "person,movement,side,rater,score\n"


def written(path, text):
    path.write_text(text)
    return path


def whole_screens(path, persons=6, strict=0.3):
    rng = np.random.default_rng(2)
    lines = []
    for person in range(persons):
        for test in TESTS:
            for side in sides_to_do(test):
                given = int(rng.integers(1, 4))
                other = max(0, given - int(rng.random() < strict))
                for rater, score in (("anna", given), ("ours", other)):
                    lines.append(f"p{person},{test.name.lower()},{side.name.lower()},{rater},{score}")
    return written(path, HEADING + "\n".join(lines) + "\n")


def test_a_small_file_by_hand(tmp_path):
    text = "P1,deep squat,,anna,3\nP1,deep_squat,both,ben,3\nP2,deep_squat,,anna,1\nP2,deep_squat,,ben,2\n"
    text += "P3,hurdle_step,LEFT,anna,2\nP3,hurdle_step,left,ben,\n"
    scores = read_ratings(written(tmp_path / "r.csv", HEADING + text))
    found = agreement_of(scores)
    everything = found.pairs[0]
    assert (found.raters, found.persons, found.scores) == (("anna", "ben"), 3, 5)
    assert (everything.tests, everything.cases, everything.exact, everything.within_one) == ("all", 2, 0.5, 1.0)
    assert everything.differences.bias.value == -0.5
    assert [pair.tests for pair in found.pairs] == ["all", "deep_squat"]
    # observed disagreement 1/2; expected (0 + 1 + 2 + 1) / 4
    assert everything.kappa["linear"].value == pytest.approx(1 - 0.5 / 1.0)
    assert found.total is None and "fewer than 2" in as_text(found)


def test_totals_count_the_lower_side_of_those_who_did_all_tests(tmp_path):
    lines = []
    for person, left in (("P1", {"anna": 1, "ben": 2}), ("P2", {"anna": 3, "ben": 3}), ("P3", {"anna": 2, "ben": 1})):
        for test in TESTS:
            for side in sides_to_do(test):
                for rater, lower in left.items():
                    if (person, test.name) != ("P3", "ROTARY_STABILITY"):
                        score = lower if side.name == "LEFT" else 3
                        lines.append(f"{person},{test.name.lower()},{side.name.lower()},{rater},{score}")
    found = agreement_of(read_ratings(written(tmp_path / "r.csv", HEADING + "\n".join(lines))))
    # two tests without sides at 3, five with the left side's score: 11 and 21 by anna, 16 and 21 by ben
    assert found.total == reliability([[11, 16], [21, 21]])


def test_columns_in_another_order_and_semicolons(tmp_path):
    text = "\ufeffRater;Score;Side;Movement;Person\nanna;3;;deep_squat;P1\nben;2;;deep_squat;P1\n"
    scores = read_ratings(written(tmp_path / "r.csv", text))
    assert {rater: list(cases.values()) for rater, cases in scores.items()} == {"anna": [3], "ben": [2]}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no column person"),
        ("person,movement,rater,score\n", "no column side"),
        (HEADING, "0 raters"),
        (HEADING + "P1,deep_squat,,anna,3\n", "1 rater;"),
        (HEADING + "P1,cartwheel,,anna,3\n", "line 2: movement 'cartwheel' is unknown; known: deep_squat"),
        (HEADING + "P1,hurdle_step,,anna,3\n", "line 2: side '' does not belong to hurdle_step; write left or right"),
        (HEADING + "P1,deep_squat,up,anna,3\n", "write both"),
        (HEADING + "P1,deep_squat,,anna,2.5\n", "score '2.5' is none"),
        (HEADING + "P1,deep_squat,,,2\n", "line 2: rater is empty"),
        (HEADING + "P1,deep_squat,,anna,2\nP1,deep_squat,,anna,2\n", "line 3: anna has already scored P1's deep_squat"),
        (HEADING + "P1,deep_squat\n", "line 2: rater is empty"),
        (HEADING + "P1,deep_squat,,anna,2\nP2,deep_squat,,ben,2\n", "no two of the raters"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path, text, said):
    result = CliRunner().invoke(app, ["agreement", "--ratings", str(written(tmp_path / "r.csv", text))])
    assert result.exit_code == 2 and said in result.stderr and result.stderr.count("\n") == 1
    assert result.stdout == ""


def test_the_command_prints_words_json_and_a_picture(tmp_path):
    path, picture = whole_screens(tmp_path / "r.csv"), tmp_path / "agreement.png"
    words = CliRunner().invoke(app, ["agreement", "--ratings", str(path), "--plot", str(picture)])
    assert words.exit_code == 0, words.stderr
    assert "ICC(2,1)" in words.stdout and "anna and ours" in words.stdout and "totals out of 21: 6" in words.stdout
    assert picture.read_bytes().startswith(b"\x89PNG")
    found = json.loads(CliRunner().invoke(app, ["agreement", "--ratings", str(path), "--json"]).stdout)
    kappa = found["pairs"][0]["kappa"]["quadratic"]
    assert kappa["low"] < kappa["value"] < kappa["high"] <= 1
    assert found["total"]["icc_3_1"]["value"] > found["total"]["icc_2_1"]["value"]
    again = CliRunner().invoke(app, ["agreement", "--ratings", str(path), "--plot", str(picture)])
    assert again.exit_code == 2 and "exists already" in again.stderr
