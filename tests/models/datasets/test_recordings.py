"""What becomes of real recordings in a motion set: actions, sides, scores."""

from itertools import product

import numpy as np
import pytest

from fitmotion_models.datasets import uiprmd_sides
from fitmotion_models.datasets.impaired_gait import Impairment
from fitmotion_models.datasets.motion_sources import SOURCES, default_sources
from fitmotion_models.datasets.recordings import cmu_recordings, hdm05_recordings
from fitmotion_models.datasets.uiprmd import read_uiprmd
from fitmotion_models.fms.values import Side


def test_a_walk_is_told_and_its_impaired_forms_are_made_from_it(cmu):
    takes = {take.id: take for one in cmu_recordings(cmu) for take in one.convert(*one.arguments)}
    walk = takes["cmu_02_01"]
    assert (walk.action, walk.style, walk.score, walk.person) == ("walk", None, None, "cmu:02")
    assert "a person walks" in walk.texts.train
    assert takes["cmu_02_03"].action == "run"
    impaired = [take for take in takes.values() if take.made_from == "cmu_02_01"]
    # steps that are too uneven for a mild impairment to show are refused, so not every severity has to be there
    assert {(take.style, take.side) for take in impaired} == set(product(tuple(Impairment), ("left", "right")))
    assert {(take.severity, take.score) for take in impaired} == {(0.5, 2), (1.0, 1)}
    assert not any(take.made_from == "cmu_02_03" for take in takes.values())
    for take in impaired:
        assert np.isfinite(take.clip.rotations).all()
        assert take.clip.feet[..., 2].min() > -0.02
        if take.style != "short_step":
            assert all(take.side in text for text in take.texts.train if "left" in text or "right" in text)


def test_cuts_of_hdm05_are_told_by_their_names(hdm05):
    (take,) = (take for one in hdm05_recordings(hdm05) for take in one.convert(*one.arguments))
    assert (take.id, take.action, take.side) == ("hdm05_bd_squat1Reps_002", "squat", None)


@pytest.mark.slow
def test_sides_of_one_person_are_the_same_in_every_repetition(uiprmd_archive):
    # seen in the recordings: this person does everything on one leg, with one arm, on the left, all others on the right
    movements = ("m02", "m04", "m08")
    for name, clip in read_uiprmd(uiprmd_archive, movements=movements, persons=["s06", "s07"], correct=True):
        assert uiprmd_sides.tested_side(name.movement, clip) is (Side.LEFT if name.person == "s07" else Side.RIGHT), (
            str(name)
        )


def test_sets_are_found_by_their_names_unless_they_have_to_be_asked_for(tmp_path):
    for name in ("uiprmd-s01.tar.xz", "cmu-01-03.tar.xz", "bandai-namco.tar.xz", "utd-mhad.tar.xz"):
        (tmp_path / name).touch()
    found = default_sources(tmp_path)
    assert found == {"uiprmd": tmp_path / "uiprmd-s01.tar.xz", "cmu": tmp_path / "cmu-01-03.tar.xz"}
    assert not any(SOURCES[name].non_commercial for name in found)
    assert all(SOURCES[name].non_commercial for name in ("bandai", "humanml3d", "amass"))
