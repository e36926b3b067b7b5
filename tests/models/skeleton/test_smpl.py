"""SMPL's pose parameters against SMPL's own forward pass, written here as its authors define it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fitmotion_models.skeleton import SMPL22, from_smpl_pose, to_smpl_pose
from fitmotion_models.skeleton.kinematics import SMPL_MEAN_OFFSETS

Array = NDArray[np.float64]
seeds = st.integers(0, 2**32 - 1)
J = {name: index for index, name in enumerate(SMPL22.joints)}
# kintree_table of SMPL's model files
PARENTS = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19)


def rodrigues(vector: Array) -> Array:
    """Loper et al. 2015, equation 1."""
    angle = np.linalg.norm(vector)
    if angle == 0.0:
        return np.eye(3)
    x, y, z = vector / angle
    skew = np.array([(0, -z, y), (z, 0, -x), (-y, x, 0)])
    return np.eye(3) + np.sin(angle) * skew + (1 - np.cos(angle)) * skew @ skew


def smpl_joints(pose: Array, translation: Array, rest: Array) -> Array:
    """Loper et al. 2015, equations 3 and 4: homogeneous transforms down the tree, in SMPL's axes."""
    world: list[Array] = []
    for joint, parent in enumerate(PARENTS):
        local = np.eye(4)
        local[:3, :3] = rodrigues(pose[joint])
        local[:3, 3] = rest[joint] - (rest[parent] if parent >= 0 else 0.0)
        world.append(local if parent < 0 else world[parent] @ local)
    return np.stack([transform[:3, 3] for transform in world]) + translation


def mean_rest_joints() -> Array:
    joints = np.array(SMPL_MEAN_OFFSETS)
    for joint, parent in enumerate(PARENTS):
        joints[joint] += joints[parent] if parent >= 0 else 0.0
    return joints


@settings(max_examples=30)
@given(seeds)
def test_a_pose_in_a_y_up_world_converts_exactly(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pose, translation = rng.normal(size=(22, 3)), rng.normal(size=3)
    rest = mean_rest_joints() + 0.03 * rng.normal(size=(22, 3))
    body = from_smpl_pose(pose[0], pose[1:], translation, rest_joints=rest)
    x, y, z = smpl_joints(pose, translation, rest).T
    np.testing.assert_allclose(body.positions, np.stack([z, x, y], axis=1), atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(body.rotations, axis=-1), 1.0)


@settings(max_examples=30)
@given(seeds)
def test_a_pose_in_a_z_up_world_converts_exactly(seed: int) -> None:
    """AMASS: the body's axes are SMPL's, the world has z up already."""
    rng = np.random.default_rng(seed)
    pose, translation = rng.normal(size=(22, 3)), rng.normal(size=3)
    body = from_smpl_pose(pose[0], pose[1:].ravel(), translation, up="z")
    np.testing.assert_allclose(body.positions, smpl_joints(pose, translation, mean_rest_joints()), atol=1e-12)


@pytest.mark.parametrize("up", ["y", "z"])
@settings(max_examples=30)
@given(seed=seeds)
def test_there_and_back(up: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    pose = rng.uniform(-1.2, 1.2, size=(5, 22, 3))
    translation = rng.normal(size=(5, 3))
    body = from_smpl_pose(pose[:, 0], pose[:, 1:], translation, up=up)
    again = to_smpl_pose(body.positions[:, 0], body.rotations, up=up)
    np.testing.assert_allclose(again.global_orient, pose[:, 0], atol=1e-9)
    np.testing.assert_allclose(again.body_pose, pose[:, 1:], atol=1e-9)
    np.testing.assert_allclose(again.translation, translation, atol=1e-12)


def test_no_rotation_is_the_t_pose_facing_x() -> None:
    body = from_smpl_pose(np.zeros(3), np.zeros((21, 3)), np.zeros(3))
    np.testing.assert_array_equal(body.rotations, np.tile((0.0, 0.0, 0.0, 1.0), (22, 1)))
    assert body.positions[J["left_wrist"], 1] > 0.6
    assert body.positions[J["head"], 2] > 0.3
    assert body.feet[1, 0] - body.feet[0, 0] > 0.2


def test_amass_bodies_are_stood_up_by_their_root() -> None:
    """AMASS' usual root for a standing body is a quarter turn about x: head up along z, facing -y."""
    body = from_smpl_pose((np.pi / 2, 0.0, 0.0), np.zeros(63), (0.0, 0.0, 1.0), up="z")
    head_over_pelvis = body.positions[J["head"]] - body.positions[J["pelvis"]]
    assert head_over_pelvis[2] > 0.5
    np.testing.assert_array_less(body.feet[[1, 3], 1], body.feet[[0, 2], 1] - 0.2)


def test_a_known_pose_bends_where_it_says() -> None:
    """A knee at +90 degrees about SMPL's x: the shank points back, the knee stays where it was."""
    pose = np.zeros((21, 3))
    pose[J["left_knee"] - 1] = (np.pi / 2, 0.0, 0.0)
    bent, straight = (from_smpl_pose(np.zeros(3), p, np.zeros(3)).positions for p in (pose, np.zeros((21, 3))))
    shank = bent[J["left_ankle"]] - bent[J["left_knee"]]
    x, y, z = SMPL_MEAN_OFFSETS[J["left_ankle"]]
    np.testing.assert_allclose(shank, (y, x, -z), atol=1e-12)
    np.testing.assert_allclose(bent[J["left_knee"]], straight[J["left_knee"]])


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match=r"body_pose \(\.\.\., 63\) or more .* got \(3,\), \(60,\)"):
        from_smpl_pose(np.zeros(3), np.zeros(60), np.zeros(3))
    with pytest.raises(ValueError, match="up is 'x'; allowed: 'y'"):
        from_smpl_pose(np.zeros(3), np.zeros(63), np.zeros(3), up="x")
