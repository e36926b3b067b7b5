"""Standing: a stance that carries the body, and the way to it from wherever a body may be."""

import numpy as np
import pytest

from fitmotion_models.motion.body_frames import ROW, decode, rows_of
from fitmotion_models.motion.features import LAYOUT, features_of
from fitmotion_models.motion.standing import fade_rows, standing_rows
from fitmotion_models.mover.body import center_of_mass
from fitmotion_models.mover.movers import make_mover
from fitmotion_models.skeleton.joint_sets import SMPL22

KNEES, ANKLES, WRISTS = (
    [SMPL22.index(f"{side}_{joint}") for side in ("left", "right")] for joint in ("knee", "ankle", "wrist")
)


def joints_of(rows):
    return rows[:, ROW["positions"]].reshape(-1, 22, 3)


def feet_of(rows):
    return rows[:, ROW["feet"]].reshape(-1, 4, 3)


def played(mover, until):
    """The rows of a mover's first `until` frames."""
    return rows_of(decode(features_of(make_mover(mover, fps=20.0))[:until]))


def test_who_stands_stands_over_their_feet_on_the_floor():
    row = standing_rows(1)
    joints, feet = joints_of(row)[0], feet_of(row)[0]
    np.testing.assert_allclose(feet[:, 2], 0.0, atol=1e-9)
    # Winter 1995: the centre of mass is about 5 cm ahead of the ankles, well within the soles
    mass = center_of_mass(joints)
    ahead = mass[0] - joints[ANKLES, 0].mean()
    assert 0.0 < ahead < 0.09
    assert mass[1] == pytest.approx(0.0, abs=1e-9)
    # arms hang: wrists as high as the hips, beside the body
    assert np.abs(joints[WRISTS, 2] - joints[0, 2]).max() < 0.12
    assert 0.2 < joints[WRISTS[0], 1] < 0.4
    # knees nearly straight
    thigh, shank = joints[KNEES[0]] - joints[1], joints[ANKLES[0]] - joints[KNEES[0]]
    bend = np.degrees(np.arccos(thigh @ shank / np.linalg.norm(thigh) / np.linalg.norm(shank)))
    assert 2.0 < bend < 15.0


def test_a_standing_body_is_turned_and_moved_as_a_whole():
    turned = standing_rows(1, x=2.0, y=-1.0, heading=0.7)
    turn = np.array([(np.cos(0.7), -np.sin(0.7), 0.0), (np.sin(0.7), np.cos(0.7), 0.0), (0.0, 0.0, 1.0)])
    np.testing.assert_allclose(joints_of(turned)[0], joints_of(standing_rows(1))[0] @ turn.T + (2.0, -1.0, 0.0))
    np.testing.assert_allclose(turned[0, ROW["features"]][LAYOUT["heading"]], (np.cos(0.7), np.sin(0.7)))


@pytest.mark.parametrize(
    ("mover", "frame", "most"),
    [("squat", 52, 15.0), ("squat_heels_up", 38, 15.0), ("push_up", 60, 20.0), ("leg_raise", 61, 25.0)],
)
def test_the_way_to_standing_goes_on_as_the_body_moved_and_ends_still(mover, frame, most):
    before = played(mover, frame)
    fade = fade_rows(before)
    joints = joints_of(np.concatenate([before[-3:], fade]))
    acceleration = np.linalg.norm(np.diff(joints, 2, axis=0), axis=-1).max(axis=1) * 400.0
    assert 20 <= len(fade) <= 40
    # a jump of 10 cm from one frame to the next would be 40 m/s2
    assert acceleration.max() < most
    assert np.abs(joints[-1] - joints[-2]).max() < 0.01
    assert feet_of(fade)[..., 2].min() > -1e-6
    np.testing.assert_allclose(feet_of(fade)[-1, :, 2], 0.0, atol=1e-6)
    stance = joints_of(standing_rows(1))[0]
    assert joints[-1, 0, 2] == pytest.approx(stance[0, 2], abs=0.01)


def test_feet_that_stand_well_stay_where_they_are():
    before = played("squat", 52)
    fade = fade_rows(before)
    assert np.abs(feet_of(fade)[..., :2] - feet_of(before)[-1, :, :2]).max() < 0.05
    assert (fade[-1, ROW["features"]][LAYOUT["contacts"]] == 1.0).all()


def test_who_stands_already_only_settles():
    fade = fade_rows(standing_rows(4, x=3.0, heading=2.0))
    np.testing.assert_allclose(joints_of(fade)[-1], joints_of(standing_rows(1, x=3.0, heading=2.0))[0], atol=1e-2)
