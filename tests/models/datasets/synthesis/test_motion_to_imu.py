"""Sensors of motion that cameras and networks made: no filter sees both sides of a jump, jitter is not the body's."""

from dataclasses import replace

import numpy as np
import pytest

from fitmotion_models.datasets.synthesis.motion_to_imu import GENERATED, clip_cutoffs, imu_of_clip
from fitmotion_models.imu import Cutoffs, select_sites, virtual_imu
from fitmotion_models.imu.values import ONE_CAMERA
from fitmotion_models.skeleton.body_pose import Source

from .conftest import SITES, lunge

PLACED = select_sites(SITES)


def shifted(clip, first: int, metres: float):
    """The camera takes the person for another one, so far away, from a frame on."""
    offset = np.zeros((len(clip), 1, 3), np.float32)
    offset[first:, 0, 1] = metres
    return replace(clip, positions=clip.positions + offset, feet=clip.feet + offset)


def test_a_jump_is_no_acceleration():
    clip = lunge("left")
    whole = virtual_imu(clip, PLACED)
    found = imu_of_clip(shifted(clip, 40, 3.0), PLACED, 100.0)
    assert np.linalg.norm(virtual_imu(shifted(clip, 40, 3.0), PLACED).specific_force, axis=-1).max() > 200.0
    assert len(found) == len(whole) and np.nanmax(np.linalg.norm(found.specific_force, axis=-1)) < 30.0
    # between the two frames nothing is known; away from them all is as it was
    missing = np.isnan(found.specific_force).any(axis=(1, 2))
    np.testing.assert_array_equal(missing, (found.stamps > 39 / 20 + 1e-9) & (found.stamps < 40 / 20 - 1e-9))
    far = np.abs(found.stamps - 2.0) > 1.0
    np.testing.assert_allclose(found.specific_force[far], whole.specific_force[far], atol=0.05)


def test_a_person_who_moves_as_people_do_is_left_alone():
    clip = lunge("left")
    np.testing.assert_array_equal(
        imu_of_clip(clip, PLACED, 100.0).specific_force, virtual_imu(clip, PLACED).specific_force
    )


def test_cut_offs_suit_the_source_or_are_given():
    clip = replace(lunge("left"), source=Source.GENERATED)
    assert clip_cutoffs(clip, PLACED, "usual") == GENERATED
    assert clip_cutoffs(replace(clip, source=Source.CAMERA, views=1), PLACED, "usual") == ONE_CAMERA
    assert clip_cutoffs(clip, PLACED, "4") == Cutoffs(4.0, 4.0)
    assert clip_cutoffs(clip, PLACED, "4,5") == Cutoffs(4.0, 5.0)
    for wrong in ("low", "", "4,5,6", "-1", "nan"):
        with pytest.raises(ValueError, match="cut-off"):
            clip_cutoffs(clip, PLACED, wrong)


def test_the_noise_of_a_long_clip_lowers_its_cut_off():
    clip = lunge("left")
    rows = np.arange(len(clip) * 6) % len(clip)
    names = ("positions", "rotations", "confidence", "feet", "feet_confidence", "view_direction")
    long = replace(clip, stamps=np.arange(len(rows)) / 20.0, **{name: getattr(clip, name)[rows] for name in names})
    noise = np.random.default_rng(1).normal(0.0, 0.02, (len(rows), 1, 3)).astype(np.float32)
    noisy = replace(long, positions=long.positions + noise)
    clean = clip_cutoffs(long, PLACED, "noise")
    assert clip_cutoffs(noisy, PLACED, "noise").position_hz < 0.8 * clean.position_hz
