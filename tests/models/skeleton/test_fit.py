"""The body fit: inverse of the kinematics where it can be, harmless where it cannot."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from fitmotion_models.skeleton import (
    REST_OFFSETS,
    SMPL22,
    feet_from_pose,
    fit_body,
    forward_kinematics,
    global_rotations,
)
from fitmotion_models.skeleton.fit import BodyFit
from fitmotion_models.skeleton.kinematics import PARENTS, fill_unseen
from fitmotion_models.skeleton.rotations import angle_between

Array = NDArray[np.float64]
seeds = st.integers(0, 2**32 - 1)
J = {name: index for index, name in enumerate(SMPL22.joints)}
# the bone that tells a joint's swing ends here; feet end at landmarks and are left at rest below
BONE_END = {
    "spine1": "spine2", "spine2": "spine3", "neck": "head",
    **{f"{s}_{a}": f"{s}_{b}" for s in ("left", "right") for a, b in
       (("hip", "knee"), ("knee", "ankle"), ("collar", "shoulder"), ("shoulder", "elbow"), ("elbow", "wrist"))},
}  # fmt: skip
# which way knees and elbows flex: written here from anatomy, in the frame of the T-pose (x forward, y left, z up)
FLEXION = {"left_knee": (0, 1, 0), "right_knee": (0, 1, 0), "left_elbow": (0, 0, -1), "right_elbow": (0, 0, 1)}


def shortest(start: Array, end: Array) -> Rotation:
    """SciPy's own answer to which rotation takes one direction to another by the shortest way."""
    axis = np.cross(start, end)
    length = np.linalg.norm(axis)
    if length < 1e-12:
        return Rotation.identity()
    return Rotation.from_rotvec(axis / length * np.arctan2(length, start @ end))


def twist_free_pose(rng: np.random.Generator, offsets: Array) -> Array:
    """Local rotations (22, 4) with no twist that positions cannot tell, knees and elbows bent as hinges."""
    rotations = [Rotation.identity()] * 22
    for name in ("pelvis", "spine3", "left_ankle", "right_ankle"):  # rigid parts: any rotation
        rotations[J[name]] = Rotation.random(rng=rng)
    for name, end in BONE_END.items():
        bone = offsets[J[end]].copy()  # SciPy takes no read-only arrays
        if name in FLEXION:
            turn = Rotation.from_rotvec(np.array(FLEXION[name]) * rng.uniform(0.0, np.deg2rad(140)))
        else:
            turn = Rotation.from_rotvec(rng.normal(size=3) * 0.6)
        rotations[J[name]] = shortest(bone, turn.apply(bone))
    return np.stack([rotation.as_quat() for rotation in rotations])


def body(rotations: Array, offsets: Array = REST_OFFSETS, root: Array | None = None) -> tuple[Array, Array]:
    positions = forward_kinematics(np.zeros(3) if root is None else root, rotations, offsets)
    return positions, feet_from_pose(positions, rotations, offsets)


def fit(positions: Array, feet: Array, offsets: Array = REST_OFFSETS) -> BodyFit:
    """Fit with full confidence in all that is a number."""
    seen, feet_seen = (np.isfinite(array).all(axis=-1).astype(float) for array in (positions, feet))
    return fit_body(positions, seen, feet, feet_seen, offsets)


@settings(max_examples=30)
@given(seeds)
def test_any_pose_comes_back_in_its_positions(seed: int) -> None:
    rng = np.random.default_rng(seed)
    offsets = REST_OFFSETS * rng.uniform(0.8, 1.2, size=(22, 1))
    rotations = Rotation.random(66, rng=rng).as_quat().reshape(3, 22, 4)
    positions, feet = body(rotations, offsets, rng.normal(size=(3, 3)))
    fitted = fit(positions, feet, offsets)
    np.testing.assert_allclose(fitted.positions, positions, atol=1e-9)
    # the foot joint's twist is not told, and it turns the toe off the bone's line only by rounding
    np.testing.assert_allclose(fitted.feet, feet, atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(fitted.rotations, axis=-1), 1.0, atol=1e-12)
    # what positions do tell is told: the rigid parts
    for name in ("pelvis", "spine3", "left_ankle", "right_ankle"):
        ours, truth = (global_rotations(r)[:, J[name]] for r in (fitted.rotations, rotations))
        np.testing.assert_allclose(angle_between(ours, truth), 0.0, atol=1e-6)


@settings(max_examples=30)
@given(seeds)
def test_a_twist_free_pose_comes_back_exactly(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rotations = twist_free_pose(rng, REST_OFFSETS)
    fitted = fit(*body(rotations, root=rng.normal(size=3)))
    np.testing.assert_allclose(angle_between(fitted.rotations, rotations), 0.0, atol=1e-5)


@settings(max_examples=30)
@given(seeds)
def test_a_bent_hinge_tells_the_twist_of_the_bone_above(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rotations = Rotation.from_quat(np.tile((0.0, 0.0, 0.0, 1.0), (22, 1)))
    local = rotations.as_quat()
    twists = {"hip": ("knee", 45.0), "shoulder": ("elbow", 80.0)}
    for side in ("left", "right"):
        for joint, (hinge, largest) in twists.items():
            bone = REST_OFFSETS[J[f"{side}_{hinge}"]].copy()
            twist = Rotation.from_rotvec(bone / np.linalg.norm(bone) * np.deg2rad(rng.uniform(-largest, largest)))
            end = Rotation.from_rotvec(rng.normal(size=3) * 0.5).apply(bone)
            local[J[f"{side}_{joint}"]] = (shortest(bone, end) * twist).as_quat()
            flexion = np.array(FLEXION[f"{side}_{hinge}"]) * np.deg2rad(rng.uniform(45, 140))
            local[J[f"{side}_{hinge}"]] = Rotation.from_rotvec(flexion).as_quat()
    fitted = fit(*body(local))
    for name in ("left_hip", "right_hip", "left_shoulder", "right_shoulder"):
        assert angle_between(fitted.rotations[J[name]], local[J[name]]) < 1e-5


def test_the_twist_fades_in_smoothly_as_a_knee_bends() -> None:
    thigh = REST_OFFSETS[J["left_knee"]]
    flexion = np.deg2rad(np.linspace(0, 120, 1201))
    local = np.tile((0.0, 0.0, 0.0, 1.0), (len(flexion), 22, 1))
    truth = Rotation.from_rotvec(thigh / np.linalg.norm(thigh) * np.deg2rad(30)).as_quat()
    local[:, J["left_hip"]] = truth
    local[:, J["left_knee"]] = Rotation.from_rotvec(np.outer(flexion, (0, 1, 0))).as_quat()
    fitted = fit(*body(local)).rotations[:, J["left_hip"]]
    twist = np.rad2deg(angle_between(fitted, np.array([0.0, 0.0, 0.0, 1.0])))
    assert twist[0] < 1e-6  # straight: nothing known, none
    np.testing.assert_allclose(twist[-600:], 30.0, atol=1e-4)
    assert np.abs(np.diff(twist)).max() < 0.5  # a tenth of a degree of flexion never moves it by more


def test_a_knee_seen_bent_forward_does_not_twist_the_thigh() -> None:
    local = np.tile((0.0, 0.0, 0.0, 1.0), (22, 1))
    local[J["left_knee"]] = Rotation.from_euler("y", -50, degrees=True).as_quat()
    positions, feet = body(local)
    fitted = fit(positions, feet)
    np.testing.assert_allclose(angle_between(fitted.rotations[J["left_hip"]], np.array([0, 0, 0, 1.0])), 0.0, atol=1e-6)
    np.testing.assert_allclose(fitted.positions, positions, atol=1e-9)


@settings(max_examples=30)
@given(seeds)
def test_unseen_stays_nan_and_moves_nothing_else(seed: int) -> None:
    rng = np.random.default_rng(seed)
    positions, feet = body(Rotation.random(22, rng=rng).as_quat(), root=rng.normal(size=3))
    hidden, feet_hidden = rng.random(22) < 0.25, rng.random(4) < 0.25
    shown, feet_shown = positions.copy(), feet.copy()
    shown[hidden], feet_shown[feet_hidden] = np.nan, np.nan
    fitted = fit(shown, feet_shown)
    assert np.isnan(fitted.positions[hidden]).all()
    assert np.isnan(fitted.rotations[hidden]).all()
    assert (fitted.confidence[hidden] == 0).all()
    assert np.isnan(fitted.feet[feet_hidden]).all()
    np.testing.assert_allclose(fitted.positions[~hidden], positions[~hidden], atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(fitted.rotations[~hidden], axis=-1), 1.0, atol=1e-12)
    # confidence 0 says the same as NaN
    same = fit_body(
        np.where(hidden[:, None], 99.0, positions), np.where(hidden, 0.0, 1.0),
        np.where(feet_hidden[:, None], 99.0, feet), np.where(feet_hidden, 0.0, 1.0), REST_OFFSETS,
    )  # fmt: skip
    for ours, theirs in zip(same, fitted, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_hidden_elbow_leaves_the_rest_of_the_body_as_it_was() -> None:
    rng = np.random.default_rng(3)
    positions, feet = body(twist_free_pose(rng, REST_OFFSETS))
    whole = fit(positions, feet)
    positions[J["left_elbow"]] = np.nan
    part = fit(positions, feet)
    others = [joint for name, joint in J.items() if name not in ("left_shoulder", "left_elbow", "left_wrist")]
    np.testing.assert_allclose(part.rotations[others], whole.rotations[others], atol=1e-9)
    assert np.isfinite(part.rotations[J["left_wrist"]]).all()


@pytest.mark.parametrize("hidden", ["left_wrist", "right_ankle"])
def test_a_hinge_that_is_not_seen_tells_no_twist(hidden: str) -> None:
    """The upper bone is then swung by the shortest way, whatever stands where the hidden joint should be."""
    rng = np.random.default_rng(14)
    positions, feet = body(Rotation.random(22, rng=rng).as_quat())
    side, joint = hidden.split("_")
    upper, hinge = {"wrist": ("shoulder", "elbow"), "ankle": ("hip", "knee")}[joint]
    confidence = np.ones(22)
    confidence[J[hidden]] = 0.0
    fitted = fit_body(positions, confidence, feet, np.ones(4), REST_OFFSETS)
    parent = Rotation.from_quat(global_rotations(fill_unseen(fitted.rotations))[PARENTS[J[f"{side}_{upper}"]]])
    bone = positions[J[f"{side}_{hinge}"]] - positions[J[f"{side}_{upper}"]]
    rest = REST_OFFSETS[J[f"{side}_{hinge}"]]
    expected = shortest(rest / np.linalg.norm(rest), parent.inv().apply(bone / np.linalg.norm(bone)))
    np.testing.assert_allclose(
        angle_between(fitted.rotations[J[f"{side}_{upper}"]], expected.as_quat()), 0.0, atol=1e-6
    )


@settings(max_examples=30)
@given(seeds)
def test_a_foot_without_heel_is_swung_by_the_shortest_way(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rotations = twist_free_pose(rng, REST_OFFSETS)
    for side in ("left", "right"):
        bone = REST_OFFSETS[J[f"{side}_foot"]].copy()
        end = Rotation.from_rotvec(rng.normal(size=3) * 0.5).apply(bone)
        rotations[J[f"{side}_ankle"]] = shortest(bone, end).as_quat()
    positions, feet = body(rotations)
    feet[[0, 2]] = np.nan
    np.testing.assert_allclose(angle_between(fit(positions, feet).rotations, rotations), 0.0, atol=1e-5)


def test_bones_that_point_exactly_the_other_way_are_turned_round() -> None:
    positions, feet = body(np.tile((0.0, 0.0, 0.0, 1.0), (22, 1)))
    for joint, end, below in (("left_shoulder", "left_elbow", "left_wrist"), ("right_hip", "right_knee", None)):
        turned = positions[J[joint]] - REST_OFFSETS[J[end]]
        if below:
            positions[J[below]] += turned - positions[J[end]]
        positions[J[end]] = turned
    fitted = fit(positions, feet)
    shoulder, elbow = fitted.positions[J["left_shoulder"]], fitted.positions[J["left_elbow"]]
    np.testing.assert_allclose(elbow - shoulder, -REST_OFFSETS[J["left_elbow"]], atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(fitted.rotations, axis=-1), 1.0, atol=1e-12)
    again = forward_kinematics(fitted.positions[0], fitted.rotations, REST_OFFSETS)
    np.testing.assert_allclose(again, fitted.positions, atol=1e-9)


@pytest.mark.parametrize("worthless", [0.0, -1.0, np.nan])
def test_worthless_confidence_is_unseen(worthless: float) -> None:
    positions, feet = body(np.tile((0.0, 0.0, 0.0, 1.0), (22, 1)))
    confidence = np.ones(22)
    confidence[J["right_knee"]] = worthless
    positions[J["right_knee"]] = 99.0
    fitted = fit_body(positions, confidence, feet, np.ones(4), REST_OFFSETS)
    assert np.isnan(fitted.positions[J["right_knee"]]).all()
    assert fitted.confidence[J["right_knee"]] == 0.0
    np.testing.assert_allclose(
        np.delete(fitted.positions, J["right_knee"], 0), np.delete(positions, J["right_knee"], 0), atol=1e-12
    )


def test_nothing_seen_is_all_nan() -> None:
    fitted = fit(np.full((22, 3), np.nan), np.full((4, 3), np.nan))
    for array in (fitted.positions, fitted.rotations, fitted.feet):
        assert np.isnan(array).all()
    assert (fitted.confidence == 0).all()


@pytest.mark.filterwarnings("error")
@settings(max_examples=30)
@given(seeds)
def test_moving_and_turning_the_body_moves_and_turns_the_fit(seed: int) -> None:
    rng = np.random.default_rng(seed)
    positions, feet = body(twist_free_pose(rng, REST_OFFSETS))
    positions, feet = positions + rng.normal(scale=0.02, size=(22, 3)), feet + rng.normal(scale=0.02, size=(4, 3))
    turn, shift = Rotation.random(rng=rng), rng.normal(size=3)
    before = fit(positions, feet)
    after = fit(turn.apply(positions) + shift, turn.apply(feet) + shift)
    np.testing.assert_allclose(after.positions, turn.apply(before.positions) + shift, atol=1e-7)
    np.testing.assert_allclose(angle_between(after.rotations[1:], before.rotations[1:]), 0.0, atol=1e-5)
    turned_root = (turn * Rotation.from_quat(before.rotations[0])).as_quat()
    np.testing.assert_allclose(angle_between(after.rotations[0], turned_root), 0.0, atol=1e-6)


@settings(max_examples=30)
@given(seeds)
def test_noise_is_spread_over_the_body(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth, truth_feet = body(twist_free_pose(rng, REST_OFFSETS))
    positions, feet = truth + rng.normal(scale=0.02, size=(22, 3)), truth_feet + rng.normal(scale=0.02, size=(4, 3))
    confidence, feet_confidence = rng.uniform(0.2, 1, 22), rng.uniform(0.2, 1, 4)
    fitted = fit_body(positions, confidence, feet, feet_confidence, REST_OFFSETS)
    bones = np.linalg.norm(np.diff(fitted.positions[[list(PARENTS[1:]), list(range(1, 22))]], axis=0)[0], axis=-1)
    np.testing.assert_allclose(bones, np.linalg.norm(REST_OFFSETS[1:], axis=-1), atol=1e-9)
    residual = np.concatenate([positions - fitted.positions, feet - fitted.feet])
    mean = np.average(residual, axis=0, weights=np.concatenate([confidence, feet_confidence]))
    np.testing.assert_allclose(mean, 0.0, atol=1e-12)
    # positions are those of the rotations
    again = forward_kinematics(fitted.positions[0], fitted.rotations, REST_OFFSETS)
    np.testing.assert_allclose(again, fitted.positions, atol=1e-9)


def test_rotation_of_rigid_parts_is_the_least_squares_one() -> None:
    """SciPy's align_vectors solves the same problem (Wahba's) for the pelvis."""
    rng = np.random.default_rng(6)
    positions, feet = body(twist_free_pose(rng, REST_OFFSETS))
    positions = positions + rng.normal(scale=0.02, size=(22, 3))
    part = [0, J["left_hip"], J["right_hip"], J["spine1"]]
    rest = np.concatenate([np.zeros((1, 3)), REST_OFFSETS[part[1:]]])
    confidence = np.ones(22)
    confidence[part] = (0.9, 0.3, 0.8, 0.6)
    centre = [np.average(array, axis=0, weights=confidence[part]) for array in (positions[part], rest)]
    expected, _ = Rotation.align_vectors(positions[part] - centre[0], rest - centre[1], weights=confidence[part])
    fitted = fit_body(positions, confidence, feet, np.ones(4), REST_OFFSETS)
    np.testing.assert_allclose(angle_between(fitted.rotations[0], expected.as_quat()), 0.0, atol=1e-6)


def test_many_frames_are_as_many_single_ones() -> None:
    rng = np.random.default_rng(9)
    rotations = Rotation.random(6 * 22, rng=rng).as_quat().reshape(2, 3, 22, 4)
    positions, feet = body(rotations, root=rng.normal(size=(2, 3, 3)))
    positions += rng.normal(scale=0.02, size=positions.shape)
    positions[rng.random((2, 3, 22)) < 0.15] = np.nan
    offsets = REST_OFFSETS * rng.uniform(0.9, 1.1, size=(2, 3, 22, 1))
    together = fit(positions, feet, offsets)
    for index in np.ndindex(2, 3):
        alone = fit(positions[index], feet[index], offsets[index])
        for many, one in zip(together, alone, strict=True):
            np.testing.assert_allclose(many[index], one, atol=1e-9)


def test_points_that_coincide_or_lie_on_a_line_do_not_break_it() -> None:
    for positions, feet in (
        (np.zeros((22, 3)), np.zeros((4, 3))),
        (np.outer(np.arange(22.0), (0.1, 0.0, 0.0)), np.outer(np.arange(4.0), (0.1, 0.0, 0.0))),
    ):
        fitted = fit(positions, feet)
        assert np.isfinite(fitted.positions).all()
        np.testing.assert_allclose(np.linalg.norm(fitted.rotations, axis=-1), 1.0, atol=1e-12)


@settings(max_examples=30)
@given(seeds)
def test_a_lone_line_is_followed_the_shortest_way(seed: int) -> None:
    direction = np.random.default_rng(seed).normal(size=3)
    direction /= np.linalg.norm(direction)
    positions = np.full((22, 3), np.nan)
    positions[J["left_hip"]], positions[J["right_hip"]] = 0.07 * direction, -0.07 * direction
    fitted = fit(positions, np.full((4, 3), np.nan))
    # the pelvis is unseen and tells its rotation to nobody; a thigh that hangs as it stands does
    expected = shortest(np.array([0.0, 1.0, 0.0]), direction).as_quat()
    width = fitted.positions[J["left_hip"]] - fitted.positions[J["right_hip"]]
    np.testing.assert_allclose(width / np.linalg.norm(width), direction, atol=1e-9)
    thigh = fit(_with_thigh(positions, expected), np.full((4, 3), np.nan)).rotations[J["left_hip"]]
    np.testing.assert_allclose(angle_between(thigh, np.array([0.0, 0.0, 0.0, 1.0])), 0.0, atol=1e-5)


def _with_thigh(positions: Array, pelvis: Array) -> Array:
    """The left knee added where it is when the thigh is turned as the pelvis is."""
    result = positions.copy()
    result[J["left_knee"]] = result[J["left_hip"]] + Rotation.from_quat(pelvis).apply(
        REST_OFFSETS[J["left_knee"]].copy()
    )
    return result


def test_hips_alone_tell_which_way_the_pelvis_faces() -> None:
    turn = Rotation.from_euler("z", 40, degrees=True)
    positions = np.full((22, 3), np.nan)
    seen = [J["left_hip"], J["right_hip"], J["left_knee"], J["right_knee"]]
    upright, _ = body(np.tile((0.0, 0.0, 0.0, 1.0), (22, 1)))
    positions[seen] = turn.apply(upright[seen])
    fitted = fit(positions, np.full((4, 3), np.nan))
    np.testing.assert_allclose(fitted.positions[seen], positions[seen], atol=1e-9)
    thighs = fill_unseen(fitted.rotations)[[J["left_hip"], J["right_hip"]]]
    np.testing.assert_allclose(angle_between(thighs, np.array([0.0, 0.0, 0.0, 1.0])), 0.0, atol=1e-6)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match=r"confidence has shape \(21,\); expected \(22,\)"):
        fit_body(np.zeros((22, 3)), np.ones(21), np.zeros((4, 3)), np.ones(4), REST_OFFSETS)
    with pytest.raises(ValueError, match=r"bone_offsets has shape \(21, 3\)"):
        fit_body(np.zeros((22, 3)), np.ones(22), np.zeros((4, 3)), np.ones(4), REST_OFFSETS[1:])
