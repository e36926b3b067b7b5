"""The body fit on what sensors deliver: a Kinect's recordings, and landmarks as noisy as a single camera's."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from fitmotion_models.skeleton import (
    JOINT_SETS,
    REST_OFFSETS,
    SMPL22,
    estimate_bone_offsets,
    feet_from_pose,
    fit_body,
    forward_kinematics,
    to_smpl22,
    y_up_to_z_up,
)
from fitmotion_models.skeleton.kinematics import PARENTS, rest_height

Array = NDArray[np.float64]
J = {name: index for index, name in enumerate(SMPL22.joints)}


def bone_lengths(positions: Array) -> Array:
    return np.linalg.norm(positions[:, 1:] - positions[:, list(PARENTS[1:])], axis=-1)


def knee_flexion(positions: Array, side: str) -> Array:
    """Degrees from straight, by the law of cosines over the three distances."""
    hip, knee, ankle = (positions[:, J[f"{side}_{joint}"]] for joint in ("hip", "knee", "ankle"))
    a, b, c = (np.linalg.norm(d, axis=-1) for d in (hip - knee, ankle - knee, hip - ankle))
    return 180.0 - np.rad2deg(np.arccos((a**2 + b**2 - c**2) / (2 * a * b)))


def test_kinect_recordings(uiprmd: dict[str, Array]) -> None:
    for name, recording in uiprmd.items():
        world = y_up_to_z_up(recording)
        seen = to_smpl22(world, np.ones(world.shape[:2]), "uiprmd22")
        offsets = estimate_bone_offsets(seen.positions, seen.confidence)
        fitted = fit_body(*seen, offsets)
        lengths = bone_lengths(fitted.positions)
        np.testing.assert_allclose(lengths, np.tile(lengths[:1], (len(lengths), 1)), atol=1e-9, err_msg=name)
        residual = np.linalg.norm(fitted.positions - seen.positions, axis=-1)
        # the Kinect's own bones breathe by centimetres, most where a foot hides behind a knee
        assert np.median(residual) < 0.03, name
        assert np.quantile(residual, 0.9) < 0.08, name
        assert 0.75 < rest_height(offsets) < 1.1
        for side in ("left", "right"):  # joint angles are what was seen, not changed by the fit
            np.testing.assert_allclose(
                knee_flexion(fitted.positions, side), knee_flexion(seen.positions, side), atol=1e-4
            )


def _camera_landmarks(rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """A person of 1.1 times the rest bones who squats: true joints and BlazePose-33 landmarks with noise and gaps."""
    depth = 0.5 - 0.5 * np.cos(np.linspace(0, 2 * np.pi, 90))
    local = np.tile((0.0, 0.0, 0.0, 1.0), (90, 22, 1))
    for joint, degrees in {"pelvis": 30.0, "hip": -100.0, "knee": 110.0, "ankle": -30.0}.items():
        pitch = Rotation.from_rotvec(np.outer(np.deg2rad(degrees) * depth, (0, 1, 0))).as_quat()
        for name in [joint] if joint in J else [f"left_{joint}", f"right_{joint}"]:
            local[:, J[name]] = pitch
    truth = forward_kinematics(np.zeros((90, 3)), local, 1.1 * REST_OFFSETS)
    feet = feet_from_pose(truth, local, 1.1 * REST_OFFSETS)
    names = JOINT_SETS["blazepose33"]
    points = np.zeros((90, 33, 3))
    for name, index in J.items():
        if name in names.joints:
            points[:, names.index(name)] = truth[:, index]
    for index, name in enumerate(("left_heel", "left_foot_index", "right_heel", "right_foot_index")):
        points[:, names.index(name)] = feet[:, index]
    for side, out in (("left", 0.07), ("right", -0.07)):
        points[:, names.index(f"{side}_ear")] = 2 * truth[:, J["head"]] - truth[:, J["neck"]] + (0.0, out, 0.0)
    points += rng.normal(scale=0.02, size=points.shape)
    confidence = rng.uniform(0.5, 1.0, size=(90, 33))
    confidence[rng.random((90, 33)) < 0.03] = 0.0
    return truth, points, confidence


def test_camera_like_landmarks() -> None:
    truth, points, confidence = _camera_landmarks(np.random.default_rng(12))
    seen = to_smpl22(points, confidence, "blazepose33")
    offsets = estimate_bone_offsets(seen.positions, seen.confidence)
    fitted = fit_body(*seen, offsets)
    for joint in ("left_knee", "left_ankle", "left_elbow", "left_wrist"):
        expected = 1.1 * np.linalg.norm(REST_OFFSETS[J[joint]])
        np.testing.assert_allclose(np.linalg.norm(offsets[J[joint]]), expected, rtol=0.03)
    lengths = bone_lengths(fitted.positions)
    spread = np.nanmax(lengths, axis=0) - np.nanmin(lengths, axis=0)
    np.testing.assert_allclose(spread, 0.0, atol=1e-9)  # also beside joints that are unseen in some frames
    error = np.linalg.norm(fitted.positions - truth, axis=-1)
    raw = np.linalg.norm(seen.positions - truth, axis=-1)
    assert np.nanmean(error) < 1.15 * np.nanmean(raw)  # constant bones cost no accuracy
    assert np.nanmean(error) < 0.045
    assert (np.isnan(fitted.positions) == np.isnan(seen.positions)).all()
