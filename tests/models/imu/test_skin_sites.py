"""Sensors on skin: beside sensors on bones, the closed form of a blend, and smplx itself where it is installed."""

import pickle

import numpy as np
import pytest

from fitmotion_models.imu import Cutoffs, Site, imu_from_motion, site_motion, virtual_imu
from fitmotion_models.imu.skin_sites import SMPL_VERTICES, SkinModel, load_skin_model, named_vertices, skin_motion
from fitmotion_models.mover import SquatParameters, squat_clip
from fitmotion_models.skeleton.joint_sets import SMPL22
from fitmotion_models.skeleton.kinematics import PARENTS, REST_OFFSETS, SMPL_TO_WORLD, forward_kinematics
from fitmotion_models.skeleton.rotations import rotate, to_rotvec

CLIP = squat_clip(SquatParameters(repetitions=1), fps=30.0)
IDENTITY = np.tile((0.0, 0.0, 0.0, 1.0), (22, 1))
JOINTS = forward_kinematics(np.zeros(3), IDENTITY, REST_OFFSETS)
LEVER = np.array([0.02, 0.08, -0.05])


def a_model(weights: np.ndarray, vertex: np.ndarray, pose_shapes: float = 0.0) -> SkinModel:
    """A vertex on a flat patch of skin that faces forward (three more vertices), all moved alike."""
    patch = vertex + np.array([(0.0, 0.0, 0.0), (0.0, 0.01, 0.0), (0.0, 0.0, 0.01), (0.0, -0.01, -0.01)])
    shapes = pose_shapes * np.random.default_rng(0).normal(size=(1, 3, 189))
    return SkinModel(
        patch, JOINTS, np.tile(weights, (4, 1)), np.tile(shapes, (4, 1, 1)), np.array([(0, 1, 2), (0, 2, 3), (0, 3, 1)])
    )


def test_skin_that_one_bone_moves_is_a_sensor_on_that_bone() -> None:
    hip = SMPL22.index("left_hip")
    model = a_model(np.eye(22)[hip], JOINTS[hip] + LEVER)
    on_skin = skin_motion(CLIP, model, {"thigh": 0})
    # the patch faces forward: z is the bone's x, x its z
    on_bone = site_motion(CLIP, [Site("thigh", "left_hip", lever_arm=tuple(LEVER))])
    offset = on_bone.positions - CLIP.positions[:, :1]
    np.testing.assert_allclose(on_skin.positions - CLIP.positions[:, :1], offset, atol=2e-3)
    axes = [rotate(on_skin.rotations, axis) for axis in np.eye(3)]
    np.testing.assert_allclose(axes[2], rotate(on_bone.rotations, (1.0, 0.0, 0.0)), atol=1e-6)
    np.testing.assert_allclose(axes[0], rotate(on_bone.rotations, (0.0, 0.0, 1.0)), atol=1e-6)
    readings = imu_from_motion(on_skin, ("thigh",), cutoffs=Cutoffs(12.0, 15.0))
    bone = virtual_imu(CLIP, [Site("thigh", "left_hip", lever_arm=tuple(LEVER))])
    np.testing.assert_allclose(readings.specific_force[..., 2], bone.specific_force[..., 0], atol=0.1)


def test_skin_over_a_joint_is_between_what_both_bones_do() -> None:
    hip, knee = SMPL22.index("left_hip"), SMPL22.index("left_knee")
    place = JOINTS[knee] + (0.05, 0.0, 0.0)
    thigh, shank = (skin_motion(CLIP, a_model(np.eye(22)[joint], place), {"x": 0}) for joint in (hip, knee))
    both = skin_motion(CLIP, a_model(0.5 * (np.eye(22)[hip] + np.eye(22)[knee]), place), {"x": 0})
    np.testing.assert_allclose(both.positions, 0.5 * (thigh.positions + shank.positions), atol=1e-9)
    half, whole = (
        np.linalg.norm(to_rotvec(_between(thigh.rotations, other.rotations)), axis=-1) for other in (both, shank)
    )
    np.testing.assert_allclose(half, 0.5 * whole, atol=1e-6)
    assert whole.max() > 1.0


def _between(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    from fitmotion_models.skeleton.rotations import conjugate, multiply

    return multiply(conjugate(first), second)


def test_an_unseen_leg_has_no_sensor(without) -> None:
    knee = SMPL22.index("left_knee")
    clip = without(CLIP, slice(10, 20), knee)
    motion = skin_motion(clip, a_model(np.eye(22)[knee], JOINTS[knee]), {"x": 0})
    gone = np.isnan(motion.positions).any(axis=(1, 2))
    np.testing.assert_array_equal(np.flatnonzero(gone), np.arange(10, 20))


def test_vertices_are_named_on_smpls_mesh_only() -> None:
    model = a_model(np.eye(22)[0], JOINTS[0])
    assert named_vertices(model, {"belly": 3}) == {"belly": 3}
    with pytest.raises(ValueError, match="site head needs the number of its vertex; only SMPL's mesh has named ones"):
        named_vertices(model, {"head": None})
    with pytest.raises(ValueError, match="site belly: vertex 4 is not on the mesh; allowed: 0 to 3"):
        named_vertices(model, {"belly": 4})
    with pytest.raises(ValueError, match="no vertex is given"):
        skin_motion(CLIP, model, {})
    with pytest.raises(ValueError, match=r"SkinModel.weights has shape \(4, 3\); expected \(4, 22\)"):
        SkinModel(model.vertices, model.joints, np.ones((4, 3)), model.pose_shapes, model.faces)


def smpl_file(path) -> None:
    """A file of SMPL's form, with random contents of a body's size."""
    rng, count = np.random.default_rng(1), 6890
    joints = np.vstack([JOINTS, JOINTS[20] + (0.0, 0.1, 0.0), JOINTS[21] - (0.0, 0.1, 0.0)]) @ SMPL_TO_WORLD
    regressor = np.zeros((24, count))
    regressor[np.arange(24), np.arange(24)] = 1.0  # the first vertices are the joints
    vertices = rng.normal(scale=0.3, size=(count, 3))
    vertices[:24] = joints
    weights = rng.random((count, 24)) ** 8
    content = {
        "v_template": vertices,
        "shapedirs": 0.01 * rng.normal(size=(count, 3, 10)),
        "posedirs": 0.002 * rng.normal(size=(count, 3, 207)).astype(np.float32),
        "J_regressor": regressor,
        "weights": weights / weights.sum(axis=1, keepdims=True),
        "kintree_table": np.array([[2**32 - 1, *PARENTS[1:], 20, 21], np.arange(24)], dtype=np.int64),
        "f": rng.integers(0, count, (13776, 3)),
    }
    path.write_bytes(pickle.dumps(content))


def test_vertices_are_where_smplx_has_them(tmp_path) -> None:
    smplx = pytest.importorskip("smplx", reason="smplx is not installed, which reads SMPL's files")
    import torch

    path = tmp_path / "SMPL_NEUTRAL.pkl"
    smpl_file(path)
    betas = np.array([0.5, -1.0, 2.0])
    model = load_skin_model(path, betas=betas)
    rows = slice(40, 80, 10)
    local = SMPL_TO_WORLD.T @ np.stack(to_rotvec(CLIP.rotations[rows]))[..., None]
    pose = torch.tensor(local[..., 0], dtype=torch.float32)
    body = smplx.create(str(path))
    many = {
        "global_orient": pose[:, 0],
        "body_pose": torch.cat([pose[:, 1:].flatten(1), torch.zeros(len(pose), 6)], dim=1),
        "betas": torch.tensor(np.tile([*betas, *np.zeros(7)], (len(pose), 1)), dtype=torch.float32),
        "transl": torch.zeros(len(pose), 3),
    }
    out = body(**many)
    vertices, root = out.vertices.detach().numpy(), out.joints.detach().numpy()[:, :1]
    motion = skin_motion(CLIP, model, named_vertices(model, dict.fromkeys(SMPL_VERTICES)))
    expected = (vertices[:, list(SMPL_VERTICES.values())] - root) @ SMPL_TO_WORLD.T
    np.testing.assert_allclose(motion.positions[rows] - CLIP.positions[rows, :1], expected, atol=2e-5)


def test_a_file_that_is_none_is_refused(tmp_path) -> None:
    (tmp_path / "SMPL_NEUTRAL.pkl").write_text("no")
    with pytest.raises(ValueError, match="SMPL_NEUTRAL.pkl"):
        load_skin_model(tmp_path / "SMPL_NEUTRAL.pkl")
