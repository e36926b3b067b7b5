"""The planted-foot constraint on squats whose true joints are known, and on steps made by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fitmotion_models.datasets.planted_feet import PlantedFeetParameters, gaussian_smooth, plant_feet
from fitmotion_models.mover import SquatParameters, squat_clip
from fitmotion_models.skeleton.joint_sets import SMPL22
from fitmotion_models.skeleton.kinematics import PARENTS

ANKLES = [SMPL22.index("left_ankle"), SMPL22.index("right_ankle")]
KNEES = [SMPL22.index("left_knee"), SMPL22.index("right_knee")]
HIPS = [SMPL22.index("left_hip"), SMPL22.index("right_hip")]


@pytest.fixture(scope="module")
def squat():
    return squat_clip(SquatParameters(repetitions=1))


def body(clip):
    return clip.positions.astype(float), clip.feet.astype(float), clip.bone_offsets.astype(float)


def knee_flexion(positions: np.ndarray) -> np.ndarray:
    thigh, shank = positions[:, HIPS] - positions[:, KNEES], positions[:, ANKLES] - positions[:, KNEES]
    cosine = (thigh * shank).sum(-1) / np.linalg.norm(thigh, axis=-1) / np.linalg.norm(shank, axis=-1)
    return 180.0 - np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))


def test_a_body_that_stands_is_left_alone(squat) -> None:
    positions, feet, bones = body(squat)
    planted = plant_feet(positions, feet, bones, squat.fps)
    assert planted.standing.all()
    np.testing.assert_allclose(planted.positions, positions, atol=0.01)
    np.testing.assert_allclose(planted.feet, feet, atol=1e-6)


@settings(max_examples=10, deadline=None)
@given(
    st.tuples(*[st.floats(-0.1, 0.1)] * 3),
    st.floats(0.1, 0.4),
    st.floats(-np.pi, np.pi),
)
def test_a_slide_of_the_whole_body_is_taken_back(squat, way, rate, heading) -> None:
    positions, feet, bones = body(squat)
    wave = (1.0 - np.cos(2.0 * np.pi * rate * squat.stamps))[:, None, None] * np.array(way)
    back = np.array([(np.cos(heading), -np.sin(heading), 0.0), (np.sin(heading), np.cos(heading), 0.0), (0, 0, 1.0)])
    planted = plant_feet((positions + wave) @ back.T, (feet + wave) @ back.T, bones, squat.fps)
    moved, true = planted.positions @ back, positions
    # where in the room the body stands is not known; all else is
    assert np.ptp(moved[:, ANKLES], axis=0).max() < 1e-6
    offset = (moved - true)[:, ANKLES].mean(axis=(0, 1))
    assert abs(offset[2]) < 1e-6
    errors = np.linalg.norm(moved - offset - true, axis=-1)
    # a nearly straight knee moves by several times what the hip above it does
    assert errors[:, KNEES].max() < 0.04 and np.delete(errors, KNEES, axis=1).max() < 0.015
    # and bends much: from 6 to 15 degrees is 5.5 mm of a leg of .8 m (law of cosines)
    assert np.abs(knee_flexion(moved) - knee_flexion(true)).max() < 12.0


def test_bones_keep_their_lengths_where_one_ankle_is_lost(squat) -> None:
    positions, feet, bones = body(squat)
    lost = slice(40, 60)
    positions[lost, ANKLES[0]] += (0.1, 0.05, 0.08)
    planted = plant_feet(positions, feet, bones, squat.fps)
    legs = [*KNEES, *ANKLES]
    for joint in legs:
        length = np.linalg.norm(planted.positions[:, joint] - planted.positions[:, PARENTS[joint]], axis=-1)
        np.testing.assert_allclose(length, np.linalg.norm(bones[joint]), rtol=5e-3)
    assert np.ptp(planted.positions[:, ANKLES], axis=0).max() < 1e-6


def test_a_step_is_a_step(squat) -> None:
    """The right foot is lifted by 0.3 m and put down 0.4 m ahead while the body bobs: both places are kept."""
    frames, fps = 120, 30.0
    standing = squat.positions[0].astype(float), squat.feet[0].astype(float)
    positions, feet = np.repeat(standing[0][None], frames, 0), np.repeat(standing[1][None], frames, 0)
    t = np.clip((np.arange(frames) - 40) / 40.0, 0.0, 1.0)
    step = np.stack([0.4 * t, 0.0 * t, 0.3 * np.sin(np.pi * t)], axis=-1)
    for joint in (KNEES[1], ANKLES[1], ANKLES[1] + 3):
        positions[:, joint] += step
    feet[:, 2:] += step[:, None]
    bob = 0.04 * np.sin(np.arange(frames) / 9.0)[:, None, None] * (1.0, 1.0, 1.0)
    planted = plant_feet(positions + bob, feet + bob, squat.bone_offsets.astype(float), fps)
    assert planted.standing[:, 0].all()
    flight = np.flatnonzero(planted.standing[:, 1] == 0.0)
    assert 42 <= flight[0] <= 50 and 70 <= flight[-1] <= 78
    ankles = planted.positions[:, ANKLES]
    assert np.ptp(ankles[:, 0], axis=0).max() < 1e-6
    assert np.ptp(ankles[:35, 1], axis=0).max() < 1e-6 and np.ptp(ankles[85:, 1], axis=0).max() < 1e-6
    assert 0.3 < ankles[85, 1, 0] - ankles[35, 1, 0] < 0.42
    assert ankles[60, 1, 2] > 0.25


def test_smoothing_keeps_lines_and_means() -> None:
    line = np.linspace(0.0, 3.0, 50)
    np.testing.assert_allclose(gaussian_smooth(line, 2.0)[8:-8], line[8:-8], atol=1e-12)
    np.testing.assert_allclose(gaussian_smooth(np.full((9, 2), 4.0), 3.0), 4.0)
    np.testing.assert_array_equal(gaussian_smooth(line, 0.0), line)
    # a Gaussian's gain at frequency f is exp(-(2 pi f s)^2 / 2)
    wave = np.sin(2.0 * np.pi * 0.05 * np.arange(400))
    gain = np.ptp(gaussian_smooth(wave, 3.0)[100:300]) / np.ptp(wave)
    assert gain == pytest.approx(np.exp(-0.5 * (2.0 * np.pi * 0.05 * 3.0) ** 2), rel=0.02)


def test_a_low_step_is_kept_where_the_movement_is_on_one_leg(squat) -> None:
    """A depth camera lets the standing ankle sink while the other one rises."""
    still = squat_clip(SquatParameters(repetitions=1)).positions[:1].astype(float)
    feet, bones = squat.feet[:1].astype(float), squat.bone_offsets.astype(float)
    frames = 90
    wave = np.clip(np.sin(np.pi * (np.arange(frames) - 25) / 40.0), 0.0, None) ** 0.5
    wave[65:] = 0.0
    positions, feet = np.repeat(still, frames, 0), np.repeat(feet, frames, 0)
    left, right = ANKLES
    positions[:, left, 2] += 0.05 * wave
    positions[:, right, 2] -= 0.06 * wave
    usual = plant_feet(positions, feet, bones, 30.0)
    assert usual.standing.all()
    low = plant_feet(positions, feet, bones, 30.0, PlantedFeetParameters(least_lift_m=0.07))
    up = np.flatnonzero(low.standing[:, 0] == 0.0)
    np.testing.assert_array_equal(up, np.flatnonzero(0.11 * wave >= 0.07))
    assert low.standing[:, 1].all()
    lift = low.positions[:, left, 2] - low.positions[:, right, 2]
    assert lift.max() > 0.09
    assert np.ptp(low.positions[:, right, 2]) < 0.01
