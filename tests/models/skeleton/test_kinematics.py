"""Rest pose and forward kinematics against an independent recursion and published proportions."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from fitmotion_models.skeleton import (
    REST_FEET_OFFSETS,
    REST_OFFSETS,
    SMPL22,
    feet_from_pose,
    forward_kinematics,
    global_rotations,
)
from fitmotion_models.skeleton.kinematics import REST_STATURE, feet_offsets, fill_unseen, rest_height
from fitmotion_models.skeleton.rotations import angle_between

Array = NDArray[np.float64]
UPRIGHT = np.tile((0.0, 0.0, 0.0, 1.0), (22, 1))
J = {name: index for index, name in enumerate(SMPL22.joints)}
seeds = st.integers(0, 2**32 - 1)


def walk_the_tree(root: Array, rotations: Array, offsets: Array) -> tuple[Array, list[Rotation]]:
    """Joint by joint with SciPy, one frame."""
    positions, turned = np.zeros((22, 3)), [Rotation.identity()] * 22
    for joint, parent in enumerate(SMPL22.parents):
        local = Rotation.from_quat(rotations[joint])
        turned[joint] = local if parent < 0 else turned[parent] * local
        positions[joint] = root if parent < 0 else positions[parent] + turned[parent].apply(offsets[joint])
    return positions, turned


@settings(max_examples=30)
@given(seeds)
def test_forward_kinematics_equals_a_walk_down_the_tree(seed: int) -> None:
    rng = np.random.default_rng(seed)
    root, rotations = rng.normal(size=(3, 3)), Rotation.random(66, rng=rng).as_quat().reshape(3, 22, 4)
    offsets = REST_OFFSETS * rng.uniform(0.8, 1.2, size=(22, 1))
    positions = forward_kinematics(root, rotations, offsets)
    feet = feet_from_pose(positions, rotations, offsets)
    for frame in range(3):
        expected, turned = walk_the_tree(root[frame], rotations[frame], offsets)
        np.testing.assert_allclose(positions[frame], expected, atol=1e-12)
        world = np.stack([r.as_quat() for r in turned])
        np.testing.assert_allclose(angle_between(global_rotations(rotations[frame]), world), 0.0, atol=1e-6)
        heel, toe = feet_offsets(offsets)[2:]
        np.testing.assert_allclose(feet[frame, 2], expected[J["right_ankle"]] + turned[J["right_ankle"]].apply(heel))
        np.testing.assert_allclose(feet[frame, 3], expected[J["right_foot"]] + turned[J["right_foot"]].apply(toe))


def test_rest_pose_is_a_t_pose_that_faces_x() -> None:
    rest = forward_kinematics(np.zeros(3), UPRIGHT, REST_OFFSETS)
    heel, toe = feet_from_pose(rest, UPRIGHT, REST_OFFSETS)[:2]
    np.testing.assert_array_equal(REST_OFFSETS[list(SMPL22.mirror)] * (1, -1, 1), REST_OFFSETS)
    np.testing.assert_array_equal(REST_FEET_OFFSETS[[2, 3, 0, 1]] * (1, -1, 1), REST_FEET_OFFSETS)
    assert rest[J["left_wrist"], 1] > 0.6  # +y is left, the arms are out
    assert abs(rest[J["left_wrist"], 2] - rest[J["left_shoulder"], 2]) < 0.02
    assert rest[J["head"], 2] > rest[J["neck"], 2] > rest[J["pelvis"], 2] > rest[J["left_knee"], 2] > heel[2]
    assert toe[0] - heel[0] > 0.2  # toes ahead
    np.testing.assert_allclose(heel[2], toe[2])  # on one floor


def test_rest_pose_has_published_proportions() -> None:
    """Winter 2009, figure 4.1: shares of stature; SMPL's joints lie a little lower than the marked landmarks."""
    rest = forward_kinematics((0.0, 0.0, rest_height()), UPRIGHT, REST_OFFSETS)
    shares = {"left_knee": 0.285, "left_hip": 0.530, "left_shoulder": 0.818}
    for joint, share in shares.items():
        np.testing.assert_allclose(rest[J[joint], 2], share * REST_STATURE, rtol=0.08)
    heel, toe = feet_from_pose(rest, UPRIGHT, REST_OFFSETS)[:2]
    np.testing.assert_allclose(np.linalg.norm(toe - heel), 0.152 * REST_STATURE)
    np.testing.assert_allclose(rest[J["left_ankle"], 2], 0.039 * REST_STATURE)
    np.testing.assert_allclose(heel[2], 0.0, atol=1e-12)


def test_unseen_rotations_can_be_filled() -> None:
    rotations = UPRIGHT.copy()
    rotations[J["left_knee"]] = np.nan
    positions = forward_kinematics(np.zeros(3), rotations, REST_OFFSETS)
    below = [J["left_ankle"], J["left_foot"]]
    assert np.isnan(positions[below]).all()
    assert np.isfinite(np.delete(positions, below, axis=0)).all()
    filled = forward_kinematics(np.zeros(3), fill_unseen(rotations), REST_OFFSETS)
    np.testing.assert_array_equal(filled, forward_kinematics(np.zeros(3), UPRIGHT, REST_OFFSETS))
