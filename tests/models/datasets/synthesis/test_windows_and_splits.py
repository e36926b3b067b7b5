"""Windows and their labels, and splits in which nobody is twice."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitmotion_models.datasets.synthesis.manifest import SetRow, row_from_json, row_to_json
from fitmotion_models.datasets.synthesis.sources import LabelSpan
from fitmotion_models.datasets.synthesis.subject_splits import SPLITS, SplitSettings, split_subjects
from fitmotion_models.datasets.synthesis.windows import (
    WindowSettings,
    labels_of_samples,
    window_from_json,
    window_to_json,
    windows_of,
)
from fitmotion_models.imu import ImuRecording


def recording(seconds: float, rate_hz: float = 50.0, start: float = 2.0) -> ImuRecording:
    count = round(seconds * rate_hz)
    vectors = np.zeros((count, 2, 3))
    stamps = start + np.arange(count) / rate_hz
    return ImuRecording(("pelvis", "head"), rate_hz, stamps, vectors, vectors.copy(), np.zeros((count, 2, 4)))


def row(*labels: LabelSpan, **more) -> SetRow:
    content = {"id": "r", "kind": "synthetic", "medium": "clip", "origin": "o", "subject": "s", "trial": "t"}
    rest = {"licence": "", "seed": 1, "seconds": 1.0, "samples": 1, "rate_hz": 50.0, "sites": (), "stages": ()}
    return SetRow(**{**content, **rest, "labels": labels, **more})


def test_windows_of_half_overlap_bear_the_label_of_most_samples():
    squat, walk = LabelSpan("squat", 0.0, 4.0), LabelSpan("walk", 4.0)
    found = list(windows_of(row(squat, walk), recording(10.0), WindowSettings(2.0, 0.5)))
    # starts at 0, 1, ..., 8 s; the one from 3 to 5 s is half squat, half walk
    assert [one.first for one in found] == [50 * number for number in range(9)]
    assert [one.label for one in found] == ["squat"] * 4 + ["walk"] * 5
    assert [one.label_share for one in found] == [1.0, 1.0, 1.0, 0.5, 1.0, 1.0, 1.0, 1.0, 1.0]
    assert found[2].start_s == 4.0 and found[2].end_s == 6.0 and found[2].samples == 100
    assert all(window_from_json(window_to_json(one)) == one for one in found)


def test_what_is_unlabelled_for_the_most_part_is_no_window():
    found = list(windows_of(row(LabelSpan("squat", 1.5, 3.0)), recording(6.0), WindowSettings(2.0, 0.0)))
    # 0 to 2 s has half a second of it, 2 to 4 s one of two
    assert [(one.label, one.start_s) for one in found] == []
    found = list(windows_of(row(LabelSpan("squat", 1.5, 3.5)), recording(6.0), WindowSettings(2.0, 0.0)))
    assert [(one.label, one.start_s, one.label_share) for one in found] == [("squat", 4.0, 0.75)]


def test_a_sensor_that_lost_too_much_is_not_in_the_window():
    read = recording(4.0)
    read.specific_force[10:50, 1] = np.nan  # 40 of 100 samples of the first window
    read.angular_velocity[100:120, 0] = np.nan  # 20 of the second: as much as may be
    first, second = windows_of(row(LabelSpan("a")), read, WindowSettings(2.0, 0.0))
    assert (first.sites, first.missing) == (("pelvis",), 0.0)
    assert (second.sites, second.missing) == (("pelvis", "head"), 0.2)
    read.specific_force[:] = np.nan
    assert not list(windows_of(row(LabelSpan("a")), read, WindowSettings(2.0, 0.0)))


def test_a_recording_that_is_shorter_than_a_window_has_none():
    assert not list(windows_of(row(LabelSpan("a")), recording(1.98), WindowSettings(2.0)))
    assert len(list(windows_of(row(LabelSpan("a")), recording(2.0), WindowSettings(2.0)))) == 1


def test_later_spans_lie_over_earlier_ones():
    names, borne = labels_of_samples((LabelSpan("a"), LabelSpan("b", 0.5, 1.0)), np.arange(4) / 2.0 + 7.0)
    assert [names[index] for index in borne] == ["a", "b", "a", "a"]


@given(st.floats(0.1, 5.0), st.floats(0.0, 0.95), st.floats(0.0, 20.0), st.sampled_from([20.0, 50.0, 52.0, 100.0]))
def test_windows_have_one_length_and_lie_inside(length_s, overlap, seconds, rate_hz):
    settings = WindowSettings(length_s, overlap)
    try:
        length, step = settings.samples(rate_hz)
    except ValueError:
        assert length_s * rate_hz < 2.5
        return
    read = recording(seconds, rate_hz)
    found = list(windows_of(row(LabelSpan("a")), read, settings))
    assert len(found) == max(0, (len(read) - length) // step + 1)
    assert all(one.samples == length and one.first + length <= len(read) for one in found)
    assert len({one.id for one in found}) == len(found)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: WindowSettings(0.0), "window of 0 s; allowed"),
        (lambda: WindowSettings(math.nan), "window of nan s"),
        (lambda: WindowSettings(1.0, 1.0), "overlap 1; allowed: 0 to 0.95"),
        (lambda: WindowSettings(0.01).samples(50.0), "has 0 samples at 50 a second"),
        (lambda: SplitSettings((0.5, 0.5, 0.5)), "make 1.5; they have to make 1"),
        (lambda: SplitSettings((1.5, -0.5, 0.0)), "give three from 0 to 1"),
        (lambda: SplitSettings(named={"a": "exam"}), "split 'exam' unknown; known: train, validation, test"),
    ],
)
def test_what_makes_no_sense_is_said(make, said):
    with pytest.raises(ValueError, match=said):
        make()


PEOPLE = st.sets(st.sampled_from([f"p{number}" for number in range(40)]), min_size=1)


@given(PEOPLE, st.integers(0, 1000))
def test_everybody_is_in_one_split_and_shares_are_kept_to_a_person(people, seed):
    found = split_subjects(people, SplitSettings(seed=seed))
    assert set(found) == people and set(found.values()) <= set(SPLITS)
    for share, split in zip((0.7, 0.15, 0.15), SPLITS, strict=True):
        assert abs(list(found.values()).count(split) - share * len(people)) <= 1.0 + 1e-9
    assert found == split_subjects(sorted(people, reverse=True), SplitSettings(seed=seed))


@given(PEOPLE, PEOPLE)
def test_a_data_set_that_grows_moves_nobody(people, more):
    before = split_subjects(people, SplitSettings())
    after = split_subjects(people | more, SplitSettings(), before=before)
    assert {name: after[name] for name in people} == before


def test_persons_of_a_calibration_train_and_are_not_judged_unless_forced():
    people = [f"p{number}" for number in range(10)]
    found = split_subjects(people, SplitSettings((0.0, 0.0, 1.0)), fitted=["p1", "p2", "elsewhere"])
    assert {name for name, split in found.items() if split == "train"} == {"p1", "p2"}
    named = SplitSettings(named={"p1": "test", "p3": "test"})
    with pytest.raises(ValueError, match="p1: the calibration was fitted on them.*--force"):
        split_subjects(people, named, fitted=["p1"])
    assert split_subjects(people, named, fitted=["p1"], force=True)["p1"] == "test"


def test_a_row_is_read_as_it_was_written():
    written = row(LabelSpan("a", 0.5, 2.0), LabelSpan("b"))
    assert row_from_json(row_to_json(written)) == written
    assert json.loads(row_to_json(written))["labels"][1]["end_s"] is None
    for line in ("{}", "[]", "null", row_to_json(written).replace('"trial"', '"trail"')):
        with pytest.raises(ValueError, match="no row of a data set"):
            row_from_json(line)
