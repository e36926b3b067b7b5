"""A motion set from recordings to rows: written, read back, graded, split, interrupted, and refused where damaged."""

import json
import shutil
from dataclasses import replace
from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest

from fitmotion_models.datasets import prepare as preparing
from fitmotion_models.datasets.canonical import to_canonical
from fitmotion_models.datasets.motion_grades import score_of, severity_medians
from fitmotion_models.datasets.motion_set import MANIFEST, read_motion_set
from fitmotion_models.datasets.motion_texts import texts_of
from fitmotion_models.datasets.prepare import PrepareParameters, prepare
from fitmotion_models.datasets.splits import role_of, rows_for
from fitmotion_models.datasets.takes import MotionSource, Recording, takes_of
from fitmotion_models.mover.inline_lunge import inline_lunge_clip
from fitmotion_models.mover.lunge_parameters import InlineLungeParameters
from fitmotion_models.skeleton.kinematics import REST_OFFSETS

ONE = PrepareParameters(jobs=1)


@cache
def lunge():
    """A lunge to the left, on the canonical bones."""
    return to_canonical(inline_lunge_clip(InlineLungeParameters(side="left", stance_s=0.3), fps=20.0))


def lunge_takes(person, number, correct):
    """A lunge to the left; what is incorrect leans the more, the higher its number."""
    if number == 99:
        raise ValueError("the sensor never saw anybody")
    side = "left"
    return takes_of(
        f"test_{person}_{number}_{correct}",
        lunge(),
        person=f"uiprmd:{person}",
        action="inline_lunge",
        side=side,
        texts=texts_of("inline_lunge", side=side),
        correct=correct,
        severity=0.0 if correct else float(number),
    )


def recordings_of(persons, numbers=(1, 2, 3)):
    for person in persons:
        for number in numbers:
            for correct in (True, False):
                yield Recording(f"test_{person}_{number}_{correct}", lunge_takes, (person, number, correct))


SOURCE = MotionSource("test", lambda path: recordings_of(("s01", "s06")), "", "CC0")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A set of lunges of a person who generates and one who judges; to be left as it is."""
    folder = tmp_path_factory.mktemp("motion_set")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(preparing.SOURCES, "test", SOURCE)
        prepare(folder, {"test": folder}, ONE)
    return folder


@pytest.fixture
def motion_set(prepared, tmp_path):
    """A copy of it."""
    return shutil.copytree(prepared, tmp_path / "copy")


@pytest.fixture
def source(monkeypatch):
    """The set by its name; gives what changes how it is read."""
    monkeypatch.setitem(preparing.SOURCES, "test", SOURCE)
    return lambda read: monkeypatch.setitem(preparing.SOURCES, "test", replace(SOURCE, read=read))


def test_rows_are_read_as_they_were_written(prepared):
    rows = read_motion_set(prepared)
    assert len(rows) == 12 * 6
    assert len({row.id for row in rows}) == len(rows)
    assert len(list((prepared / "clips").iterdir())) == 12
    for row in rows:
        clip = row.load()
        assert clip.fps == 20.0
        assert len(clip) == row.frames
        assert row.seconds == pytest.approx(row.frames / 20.0)
        np.testing.assert_array_equal(clip.bone_offsets, REST_OFFSETS.astype(np.float32))


def test_a_mirrored_row_is_of_the_other_side_in_words_and_motion(prepared):
    rows = {row.id: row for row in read_motion_set(prepared)}
    row, image = rows["test_s01_1_True"], rows["test_s01_1_True_mirrored"]
    assert (row.side, image.side) == ("left", "right")
    assert image.made_from == row.id
    assert image.score == row.score
    assert all("left" in text or "right" in text or text in row.texts for text in image.texts)
    assert image.texts == texts_of("inline_lunge", side="right").train
    np.testing.assert_allclose(image.load().positions[:, 0, 1], -row.load().positions[:, 0, 1])


def test_grades_part_at_the_median_of_those_who_generate(prepared):
    rows = [row for row in read_motion_set(prepared) if row.made_from is None]
    # severities 1, 2, 3 of either person: the median is 2, only above it is a 1
    expected = {(True, 0.0): 3, (False, 1.0): 2, (False, 2.0): 2, (False, 3.0): 1}
    assert all(row.score == expected[row.correct, row.severity] for row in rows)
    judges = [replace(row, severity=100.0) if row.person == "uiprmd:s06" else row for row in rows]
    assert severity_medians(judges, ["uiprmd:s01"]) == {"inline_lunge": 2.0}


def test_what_no_rule_orders_has_no_grade():
    medians = {"deep_squat": 2.0, "standing_leg_raise": 2.0}
    raised = SimpleNamespace(action="standing_leg_raise", person="uiprmd:s01", correct=False, severity=9.0)
    assert score_of(raised, medians) is None
    unlabelled = SimpleNamespace(action="deep_squat", person="uiprmd:s01", correct=None, severity=9.0)
    assert score_of(unlabelled, medians) is None


def test_nobody_generates_and_judges(prepared):
    rows = read_motion_set(prepared)
    for fold in ("first", "swapped"):
        generate, judge = ({row.person for row in rows_for(rows, role, fold)} for role in ("generator", "judge"))
        assert len(generate) == len(judge) == 1
        assert not generate & judge
    assert role_of("uiprmd:s05") == role_of("uiprmd:s06", "swapped") == "generator"
    assert role_of("cmu:02") == role_of("hdm05:bk") == role_of("humanml3d:train") == "generator"
    assert role_of("cmu:03") == role_of("hdm05:tr") == role_of("humanml3d:test") == "judge"
    # sets without a table are split by a hash: always the same, and both halves swap
    assert {role_of(f"xing:s{number:02}") for number in range(1, 46)} == {"generator", "judge"}
    assert all(role_of(f"xing:s{n:02}") != role_of(f"xing:s{n:02}", "swapped") for n in range(1, 46))


def test_an_interrupted_run_goes_on(source, tmp_path):
    converted = []

    def stop_after_five(path):
        for number, recording in enumerate(recordings_of(("s01", "s06"))):
            yield recording._replace(convert=counted(stopping if number == 5 else recording.convert))

    def counted(convert):
        def run(*arguments):
            converted.append(arguments)
            return convert(*arguments)

        return run

    def stopping(*_):
        raise KeyboardInterrupt

    source(stop_after_five)
    with pytest.raises(KeyboardInterrupt):
        prepare(tmp_path, {"test": tmp_path}, ONE)
    with pytest.raises(ValueError, match="has no manifest.jsonl; make a motion set"):
        read_motion_set(tmp_path)
    # somebody's half-written line is no row
    with next(tmp_path.glob(".*.jsonl")).open("a") as journal:
        journal.write('{"id": "test_s01_3_Fal')
    converted.clear()
    source(lambda path: (one._replace(convert=counted(one.convert)) for one in SOURCE.read(path)))
    prepare(tmp_path, {"test": tmp_path}, ONE)
    assert len(converted) == 7
    assert len(read_motion_set(tmp_path)) == 72
    assert {path.name for path in tmp_path.iterdir()} == {"clips", MANIFEST}


def test_what_can_not_be_converted_is_left_out_and_said(source, tmp_path):
    source(lambda path: recordings_of(("s01",), (1, 99)))
    rows, left_out = prepare(tmp_path, {"test": tmp_path}, replace(ONE, mirror=False, speeds=()))
    assert len(rows) == 2
    assert left_out[0] == "test_s01_99_True: the sensor never saw anybody"


def test_clips_that_no_row_names_any_more_go(motion_set, source):
    source(lambda path: recordings_of(("s01",), (1,)))
    prepare(motion_set, {"test": motion_set}, ONE)
    assert len(list((motion_set / "clips").iterdir())) == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"score": 7}, "line 1: score 7"),
        ({"texts": []}, "line 1: a motion has texts"),
        ({"speed": None}, "line 1"),
        (None, "line 1"),
    ],
)
def test_a_damaged_manifest_is_refused(motion_set, change, message):
    manifest = motion_set / MANIFEST
    lines = manifest.read_text().splitlines()
    lines[0] = lines[0][:50] if change is None else json.dumps(json.loads(lines[0]) | change)
    manifest.write_text("\n".join(lines))
    with pytest.raises(ValueError, match=message):
        read_motion_set(motion_set)


def test_unknown_sets_and_parameters_are_refused(tmp_path):
    with pytest.raises(ValueError, match="no motion set nothing; known: uiprmd, hdm05, cmu"):
        prepare(tmp_path, {"nothing": tmp_path})
    with pytest.raises(ValueError, match="jobs is 0"):
        PrepareParameters(jobs=0)
    with pytest.raises(ValueError, match="0.5 to 2"):
        PrepareParameters(speeds=(9.0,))
