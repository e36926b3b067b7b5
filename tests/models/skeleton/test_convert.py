"""Conversion to SMPL-22: exact at rest, moves with the body, says what is unseen."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from fitmotion_models.skeleton import (
    FEET,
    JOINT_SETS,
    REST_OFFSETS,
    SMPL22,
    feet_from_pose,
    forward_kinematics,
    to_smpl22,
    y_up_to_z_up,
)

Array = NDArray[np.float64]
seeds = st.integers(0, 2**32 - 1)
UPRIGHT = np.tile((0.0, 0.0, 0.0, 1.0), (22, 1))
J = {name: index for index, name in enumerate(SMPL22.joints)}
LIMBS = [f"{s}_{joint}" for s in ("left", "right") for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")]
CAMERA_SETS = ("coco17", "halpe26", "blazepose33")
OTHERS = (*CAMERA_SETS, "azure_kinect32", "uiprmd22", "kinect20")

# where a body's joints are in each set, by the set's published numbering
NUMBERS: dict[str, dict[str, int]] = {
    "coco17": dict(zip(LIMBS, (5, 7, 9, 11, 13, 15, 6, 8, 10, 12, 14, 16), strict=True)),
    "blazepose33": dict(zip(LIMBS, (11, 13, 15, 23, 25, 27, 12, 14, 16, 24, 26, 28), strict=True))
    | {"left_heel": 29, "right_heel": 30, "left_toe": 31, "right_toe": 32},
    "azure_kinect32": dict(zip(LIMBS, (5, 6, 7, 18, 19, 20, 12, 13, 14, 22, 23, 24), strict=True))
    | {"head": 26, "left_foot": 21, "right_foot": 25},
    "uiprmd22": dict(zip(LIMBS, (7, 8, 9, 14, 15, 16, 11, 12, 13, 18, 19, 20), strict=True))
    | {"left_foot": 17, "right_foot": 21},
    "kinect20": dict(zip(LIMBS, (4, 5, 6, 12, 13, 14, 8, 9, 10, 16, 17, 18), strict=True))
    | {"left_foot": 15, "right_foot": 19},
}
NUMBERS["halpe26"] = NUMBERS["coco17"] | {"left_heel": 24, "right_heel": 25, "left_toe": 20, "right_toe": 21}


def body_landmarks(rotations: Array, offsets: Array = REST_OFFSETS) -> dict[str, Array]:
    """Name -> position of the 22 joints and 4 foot landmarks."""
    positions = forward_kinematics(np.zeros(3), rotations, offsets)
    feet = feet_from_pose(positions, rotations, offsets)
    return dict(zip((*SMPL22.joints, *FEET), np.concatenate([positions, feet]), strict=True))


def seen_as(name: str, landmarks: dict[str, Array]) -> tuple[Array, Array]:
    """The landmarks as that set numbers them; joints of the set that have no counterpart lie anywhere."""
    points = np.random.default_rng(0).normal(size=(len(JOINT_SETS[name]), 3))
    for joint, number in NUMBERS[name].items():
        points[number] = landmarks[joint]
    return points, np.ones(len(points))


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("scale", [1.0, 1.15])
def test_a_body_at_rest_converts_to_the_rest_pose(name: str, scale: float) -> None:
    truth = body_landmarks(UPRIGHT, REST_OFFSETS * scale)
    converted = to_smpl22(*seen_as(name, truth), name)
    bent = {"spine1", "spine2", "spine3"} if name in ("azure_kinect32", "uiprmd22", "kinect20") else set()
    free = bent | ({"head"} if "head" not in NUMBERS[name] else set())  # these follow joints placed anywhere
    exact = [joint for joint in SMPL22.joints if joint not in free and (name != "coco17" or "foot" not in joint)]
    for joint in exact:
        np.testing.assert_allclose(converted.positions[J[joint]], truth[joint], atol=1e-9, err_msg=joint)
    for index, landmark in enumerate(FEET):
        if landmark in NUMBERS[name]:
            np.testing.assert_allclose(converted.feet[index], truth[landmark], atol=1e-9)
        else:
            assert np.isnan(converted.feet[index]).all()
            assert converted.feet_confidence[index] == 0.0


@pytest.mark.parametrize("name", ["azure_kinect32", "uiprmd22", "kinect20"])
def test_spine_joints_of_a_straight_trunk_lie_near_the_rest_spine(name: str) -> None:
    truth = body_landmarks(UPRIGHT)
    points, confidence = seen_as(name, truth)
    hips = 0.5 * (truth["left_hip"] + truth["right_hip"])
    shoulders = 0.5 * (truth["left_shoulder"] + truth["right_shoulder"])
    places = {"azure_kinect32": {1: 0.36, 2: 0.66}, "uiprmd22": {1: 0.58}, "kinect20": {2: 0.37}}[name]
    for number, place in places.items():
        points[number] = hips + place * (shoulders - hips)
    converted = to_smpl22(points, confidence, name)
    for joint in ("spine1", "spine2", "spine3"):
        np.testing.assert_allclose(converted.positions[J[joint]], truth[joint], atol=1e-9)


@pytest.mark.parametrize("name", OTHERS)
@settings(max_examples=30)
@given(seed=seeds)
def test_conversion_moves_turns_and_grows_with_the_body(name: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    points, confidence = seen_as(name, body_landmarks(Rotation.random(22, rng=rng).as_quat()))
    turn, shift, scale = Rotation.random(rng=rng), rng.normal(size=3), rng.uniform(0.5, 2.0)
    before = to_smpl22(points, confidence, name)
    after = to_smpl22(scale * turn.apply(points) + shift, confidence, name)
    seen = before.confidence > 0
    np.testing.assert_allclose(after.positions[seen], scale * turn.apply(before.positions[seen]) + shift, atol=1e-9)


@pytest.mark.parametrize("name", CAMERA_SETS)
def test_made_joints_are_as_seen_as_the_least_seen_parent(name: str) -> None:
    points, confidence = seen_as(name, body_landmarks(UPRIGHT))
    confidence = np.linspace(0.3, 0.9, len(points))
    confidence[NUMBERS[name]["right_hip"]] = 0.2
    converted = to_smpl22(points, confidence, name)
    for joint in ("pelvis", "spine1", "spine2", "spine3", "neck", "left_collar", "right_collar"):
        assert converted.confidence[J[joint]] == 0.2
    assert converted.confidence[J["left_knee"]] == confidence[NUMBERS[name]["left_knee"]]
    if "left_heel" in NUMBERS[name]:
        parents = [confidence[NUMBERS[name][f"left_{part}"]] for part in ("ankle", "heel", "toe")]
        assert converted.confidence[J["left_foot"]] == min(parents)


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("how", ["no confidence", "not a number"])
def test_unseen_is_nan_and_concerns_only_what_needs_it(name: str, how: str) -> None:
    points, confidence = seen_as(name, body_landmarks(UPRIGHT))
    whole = to_smpl22(points, confidence, name)
    for joint in ("left_wrist", "right_shoulder"):
        if how == "no confidence":
            confidence[NUMBERS[name][joint]] = 0.0
        else:
            points[NUMBERS[name][joint]] = np.nan
    part = to_smpl22(points, confidence, name)
    lost = {"left_wrist", "right_shoulder"}
    lost |= {"pelvis", "spine1", "spine2", "spine3", "neck", "left_collar", "right_collar"}
    lost |= {"head"} if "head" not in NUMBERS[name] else set()
    for joint in SMPL22.joints:
        if joint in lost:
            assert np.isnan(part.positions[J[joint]]).all(), joint
            assert part.confidence[J[joint]] == 0.0
        else:
            np.testing.assert_array_equal(part.positions[J[joint]], whole.positions[J[joint]])


def test_smpl_orders_pass_through() -> None:
    points = np.random.default_rng(1).normal(size=(5, 22, 3))
    confidence = np.random.default_rng(2).uniform(0.1, 1, size=(5, 22))
    for name in ("smpl22", "humanml3d22"):
        converted = to_smpl22(points, confidence, name)
        np.testing.assert_array_equal(converted.positions, points)
        np.testing.assert_array_equal(converted.confidence, confidence)
        assert np.isnan(converted.feet).all()


@pytest.mark.parametrize("name", OTHERS)
def test_many_frames_are_as_many_single_ones(name: str) -> None:
    rng = np.random.default_rng(4)
    shape = (2, 3, len(JOINT_SETS[name]))
    points, confidence = rng.normal(size=(*shape, 3)), rng.uniform(size=shape) * (rng.uniform(size=shape) > 0.1)
    together = to_smpl22(points, confidence, name)
    for index in np.ndindex(2, 3):
        alone = to_smpl22(points[index], confidence[index], name)
        for many, one in zip(together, alone, strict=True):
            np.testing.assert_allclose(many[index], one, atol=1e-12)


def test_head_and_trunk_of_a_real_recording_are_where_a_kinect_saw_them(uiprmd: dict[str, Array]) -> None:
    """The set's own neck and skull are not used for ours, so they are a second opinion."""
    names = JOINT_SETS["uiprmd22"]
    for positions in uiprmd.values():
        world = y_up_to_z_up(positions)
        converted = to_smpl22(world, np.ones(world.shape[:2]), "uiprmd22")
        head_bone = world[:, names.index("head")]  # the lower end of the Kinect's head
        neck = np.linalg.norm(converted.positions[:, J["neck"]] - head_bone, axis=-1)
        assert np.median(neck) < 0.08
        waist = np.linalg.norm(converted.positions[:, J["pelvis"]] - world[:, names.index("waist")], axis=-1)
        assert 0.03 < np.median(waist) < 0.15  # SMPL's pelvis lies some 9 cm over the hips, the Kinect's between them


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'coco17' needs positions \(\.\.\., 17, 3\) .* got \(33, 3\) and \(33,\)"):
        to_smpl22(np.zeros((33, 3)), np.zeros(33), "coco17")
    with pytest.raises(ValueError, match="joint set 'openpose' is unknown; known: smpl22"):
        to_smpl22(np.zeros((25, 3)), np.zeros(25), "openpose")
