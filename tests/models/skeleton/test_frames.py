"""Changes of frame and the mirror."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from fitmotion_models.skeleton import (
    REST_OFFSETS,
    SMPL22,
    BodyPose,
    MotionClip,
    Source,
    clip_from_poses,
    feet_from_pose,
    forward_kinematics,
    mirror_clip,
    mirror_pose,
    y_up_to_z_up,
    z_up_to_y_up,
)
from fitmotion_models.skeleton.body_pose import ARRAY_SHAPES
from fitmotion_models.skeleton.frames import rotations_y_up_to_z_up, rotations_z_up_to_y_up

Array = NDArray[np.float64]
seeds = st.integers(0, 2**32 - 1)


def random_pose(seed: int, *, stamp: float = 0.0, unseen: bool = True) -> BodyPose:
    """A body with uneven bones and some joints unseen."""
    rng = np.random.default_rng(seed)
    offsets = (REST_OFFSETS * rng.uniform(0.9, 1.1, size=(22, 1))).astype(np.float32)
    rotations = Rotation.random(22, rng=rng).as_quat()
    positions = forward_kinematics(rng.normal(size=3), rotations, offsets)
    feet = feet_from_pose(positions, rotations, offsets)
    confidence, feet_confidence = rng.uniform(0.1, 1.0, 22), rng.uniform(0.1, 1.0, 4)
    if unseen:
        hidden = rng.random(22) < 0.2
        positions[hidden], rotations[hidden], confidence[hidden] = np.nan, np.nan, 0.0
    view = rng.normal(size=3)
    return BodyPose(
        stamp, "person", Source.CAMERA, positions, rotations, confidence, feet, feet_confidence, offsets,
        view / np.linalg.norm(view), 1,
    )  # fmt: skip


def assert_same_bits(a: BodyPose | MotionClip, b: BodyPose | MotionClip) -> None:
    for name in ARRAY_SHAPES:
        assert getattr(a, name).tobytes() == getattr(b, name).tobytes(), name


@settings(max_examples=30)
@given(seeds)
def test_mirror_twice_is_the_identity_bit_for_bit(seed: int) -> None:
    pose = random_pose(seed)
    assert_same_bits(mirror_pose(mirror_pose(pose)), pose)
    clip = clip_from_poses([pose, random_pose(seed + 1, stamp=0.1)], fps=10.0)
    assert_same_bits(mirror_clip(mirror_clip(clip)), clip)
    assert_same_bits(mirror_clip(clip).frame(0), mirror_pose(replace(pose, bone_offsets=clip.bone_offsets)))


@settings(max_examples=30)
@given(seeds)
def test_mirror_of_the_kinematics_is_the_kinematics_of_the_mirror(seed: int) -> None:
    mirrored = mirror_pose(random_pose(seed, unseen=False))
    positions = forward_kinematics(mirrored.positions[0], mirrored.rotations, mirrored.bone_offsets)
    np.testing.assert_allclose(positions, mirrored.positions, atol=1e-5)
    feet = feet_from_pose(positions, mirrored.rotations, mirrored.bone_offsets)
    np.testing.assert_allclose(feet, mirrored.feet, atol=1e-5)


def test_mirror_exchanges_sides_and_keeps_the_rest() -> None:
    pose = random_pose(3, unseen=False)
    mirrored = mirror_pose(pose)
    left, right = SMPL22.index("left_wrist"), SMPL22.index("right_wrist")
    np.testing.assert_array_equal(mirrored.positions[left], pose.positions[right] * np.float32([1, -1, 1]))
    np.testing.assert_array_equal(mirrored.feet[0], pose.feet[2] * np.float32([1, -1, 1]))
    assert mirrored.confidence[left] == pose.confidence[right]
    np.testing.assert_array_equal(mirrored.view_direction, pose.view_direction * np.float32([1, -1, 1]))
    assert (mirrored.stamp, mirrored.subject, mirrored.source, mirrored.views) == (0.0, "person", Source.CAMERA, 1)
    # a turn to the left mirrors to the same turn to the right
    turn = Rotation.from_euler("z", 30, degrees=True).as_quat()
    turned = replace(pose, rotations=np.tile(turn, (22, 1)).astype(np.float32))
    expected = Rotation.from_euler("z", -30, degrees=True).as_quat().astype(np.float32)
    np.testing.assert_allclose(mirror_pose(turned).rotations[0], expected, atol=1e-7)


@settings(max_examples=30)
@given(seeds)
def test_y_up_and_z_up_are_each_others_inverse_bit_for_bit(seed: int) -> None:
    rng = np.random.default_rng(seed)
    vectors, q = rng.normal(size=(5, 3)), Rotation.random(5, rng=rng)
    assert z_up_to_y_up(y_up_to_z_up(vectors)).tobytes() == vectors.tobytes()
    assert rotations_z_up_to_y_up(rotations_y_up_to_z_up(q.as_quat())).tobytes() == q.as_quat().tobytes()
    # turning, then renaming the axes, is renaming the axes, then turning
    turned = Rotation.from_quat(rotations_y_up_to_z_up(q.as_quat())).apply(y_up_to_z_up(vectors))
    np.testing.assert_allclose(turned, y_up_to_z_up(q.apply(vectors)), atol=1e-12)


def test_y_up_axes_become_ours() -> None:
    left, up, forward = np.eye(3)
    np.testing.assert_array_equal(y_up_to_z_up([forward, left, up]), np.eye(3))
    assert np.linalg.det(y_up_to_z_up(np.eye(3))) == 1.0
