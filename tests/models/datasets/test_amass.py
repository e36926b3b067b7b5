"""AMASS files made from a mover's body with known rotations, and read back: against SciPy's own kinematics."""

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from fitmotion_models.datasets.amass import AmassName, amass_clip, read_amass
from fitmotion_models.skeleton.joint_sets import SMPL22
from fitmotion_models.skeleton.kinematics import PARENTS, SMPL_MEAN_OFFSETS
from fitmotion_models.skeleton.rotations import swing_twist

NAME = AmassName("KIT", "KIT/3", "walk_01")
FRAMES = 48
# AMASS's body is y up in its own axes; its world is z up: the root stands the body up
STAND = Rotation.from_euler("x", 90, degrees=True)
# SMPL's axes (x left, y up, z forward) renamed to ours
OURS = Rotation.from_matrix([(0, 0, 1), (1, 0, 0), (0, 1, 0)])


@pytest.fixture(scope="module")
def motion() -> dict[str, np.ndarray]:
    """Rotation vectors (T, 22, 3) and translations of somebody who walks with swinging limbs and turns his forearms."""
    time = np.arange(FRAMES) / 120.0
    vectors = np.zeros((FRAMES, 22, 3))
    rng = np.random.default_rng(2)
    phase = rng.uniform(0.0, 6.0, (22, 3))
    vectors[:, 1:] = 0.2 * np.sin(9.0 * time[:, None, None] + phase[1:])
    # the forearm's length is SMPL's x axis: this is twist alone, which positions of joints do not show
    vectors[:, SMPL22.index("left_wrist")] = np.stack([1.1 * np.sin(5.0 * time), 0 * time, 0 * time], axis=-1)
    heading = Rotation.from_rotvec(np.stack([0 * time, 0 * time, 0.7 + 0.4 * time], axis=-1))
    vectors[:, 0] = (heading * STAND).as_rotvec()
    trans = np.stack([1.0 + 1.2 * time, -2.0 + 0.3 * time, 0.95 + 0.02 * np.sin(9.0 * time)], axis=-1)
    return {"vectors": vectors, "trans": trans}


def packed(motion: dict[str, np.ndarray], **fields: object) -> bytes:
    """A file as SMPL-H is published: 52 joints, 120 Hz."""
    poses = np.concatenate([motion["vectors"].reshape(FRAMES, 66), np.full((FRAMES, 90), 0.1)], axis=1)
    content = {"poses": poses, "trans": motion["trans"], "betas": np.zeros(16), "gender": np.array("male")}
    stream = io.BytesIO()
    np.savez(stream, **(content | {"mocap_framerate": np.array(120.0), "dmpls": np.zeros((FRAMES, 8))} | fields))
    return stream.getvalue()


def kinematics(motion: dict[str, np.ndarray], offsets: np.ndarray) -> tuple[np.ndarray, list[Rotation]]:
    """SMPL's own: joints (T, 22, 3) in AMASS's world and their rotations there."""
    bones = np.array(offsets)
    places, turns = np.zeros((FRAMES, 22, 3)), []
    for joint, parent in enumerate(PARENTS):
        own = Rotation.from_rotvec(motion["vectors"][:, joint])
        turns.append(own if parent < 0 else turns[parent] * own)
        start = motion["trans"] + bones[0] if parent < 0 else places[:, parent] + turns[parent].apply(bones[joint])
        places[:, joint] = start
    return places, turns


def aligned(points: np.ndarray) -> np.ndarray:
    """Distances between all joints: what does not depend on the origin."""
    return np.linalg.norm(points[:, :, None] - points[:, None], axis=-1)


def test_joints_and_rotations_are_smpls(motion) -> None:
    clip = amass_clip(packed(motion), NAME, target_fps=None)
    assert clip is not None and clip.fps == 120.0 and len(clip) == FRAMES
    places, turns = kinematics(motion, SMPL_MEAN_OFFSETS)
    np.testing.assert_allclose(aligned(clip.positions.astype(float)), aligned(places), atol=2e-6)
    world: list[Rotation] = []
    for joint, parent in enumerate(PARENTS):
        own = Rotation.from_quat(clip.rotations[:, joint])
        world.append(own if parent < 0 else world[parent] * own)
    # our world is theirs turned about the vertical; our bodies' axes are theirs renamed
    back = world[0][0] * OURS * turns[0][0].inv()
    assert np.abs(back.as_rotvec()[:2]).max() < 1e-6
    for ours, theirs in zip(world, turns, strict=True):
        assert ((back * theirs * OURS.inv()).inv() * ours).magnitude().max() < 1e-5
    shift = clip.positions[:, 0] - back.apply(places[:, 0])
    np.testing.assert_allclose(shift, np.tile(shift[0], (FRAMES, 1)), atol=2e-6)


def test_twist_is_kept(motion) -> None:
    clip = amass_clip(packed(motion), NAME, target_fps=None)
    assert clip is not None
    _, twist = swing_twist(clip.rotations[:, SMPL22.index("left_wrist")], (0.0, 1.0, 0.0))
    angle = 2.0 * np.arctan2(twist[:, 1], twist[:, 3])
    np.testing.assert_allclose(angle, motion["vectors"][:, SMPL22.index("left_wrist"), 0], atol=1e-5)
    assert np.ptp(angle) > 1.0


def test_on_the_floor_facing_x_at_30_frames(motion) -> None:
    clip = amass_clip(packed(motion), NAME)
    assert clip is not None and (clip.fps, len(clip), clip.subject) == (30.0, 12, "KIT/3")
    assert clip.labels == ("KIT/3/walk_01", "walk_01")
    left = clip.positions[0, 1] - clip.positions[0, 2]
    assert left[0] == pytest.approx(0.0, abs=1e-5) and left[1] > 0.1
    np.testing.assert_allclose(clip.positions[0, [7, 8], :2].mean(axis=0), 0.0, atol=1e-5)
    assert abs(clip.feet[..., 2].min()) < 0.05 and clip.positions[0, SMPL22.index("head"), 2] > 1.4


def test_smplx_files_and_y_up(motion) -> None:
    """SMPL-X: parts by name, `mocap_frame_rate`; y up: the same body before AMASS stood it up."""
    plain = amass_clip(packed(motion), NAME)
    vectors = motion["vectors"].reshape(FRAMES, 66)
    stream = io.BytesIO()
    parts = {"root_orient": vectors[:, :3], "pose_body": vectors[:, 3:], "trans": motion["trans"]}
    np.savez(stream, **parts, mocap_frame_rate=np.array(120.0), surface_model_type=np.array("smplx"))
    by_parts = amass_clip(stream.getvalue(), NAME)
    lying = dict(motion) | {"vectors": motion["vectors"].copy()}
    lying["vectors"][:, 0] = (STAND.inv() * Rotation.from_rotvec(motion["vectors"][:, 0])).as_rotvec()
    # SMPL turns about the pelvis, which is not where `trans` is
    pelvis = motion["trans"] + SMPL_MEAN_OFFSETS[0]
    lying["trans"] = STAND.inv().apply(pelvis) - SMPL_MEAN_OFFSETS[0]
    y_up = amass_clip(packed(lying), NAME, up="y")
    assert plain is not None and by_parts is not None and y_up is not None
    np.testing.assert_array_equal(by_parts.positions, plain.positions)
    np.testing.assert_allclose(y_up.positions, plain.positions, atol=1e-5)
    assert (np.abs((y_up.rotations * plain.rotations).sum(axis=-1)) > 1.0 - 1e-6).all()


def test_a_shape_gives_the_bones(motion) -> None:
    asked = []

    def rest_joints(betas: np.ndarray, gender: str) -> np.ndarray:
        asked.append((betas.shape, gender))
        rest = np.array(SMPL_MEAN_OFFSETS)
        for joint, parent in enumerate(PARENTS):
            rest[joint] = 1.1 * rest[joint] + (rest[parent] if parent >= 0 else 0.0)
        return rest

    clip = amass_clip(packed(motion), NAME, target_fps=None, rest_joints=rest_joints)
    assert clip is not None and asked == [((16,), "male")]
    places, _ = kinematics(motion, 1.1 * SMPL_MEAN_OFFSETS)
    np.testing.assert_allclose(aligned(clip.positions.astype(float)), aligned(places), atol=2e-6)


def test_folders_and_archives(tmp_path: Path, motion) -> None:
    folder = tmp_path / "amass"
    for person, file in (("3", "walk_01_poses.npz"), ("3", "shape.npz"), ("9", "kick_stageii.npz")):
        (folder / "KIT" / person).mkdir(parents=True, exist_ok=True)
        shape = io.BytesIO()
        np.savez(shape, betas=np.zeros(10))
        content = shape.getvalue() if file == "shape.npz" else packed(motion)
        (folder / "KIT" / person / file).write_bytes(content)
    with tarfile.open(tmp_path / "KIT.tar.bz2", "w:bz2") as tar:
        tar.add(folder / "KIT", "KIT")
    for source in (folder, tmp_path / "KIT.tar.bz2"):
        assert sorted(str(name) for name, _ in read_amass(source)) == ["KIT/3/walk_01", "KIT/9/kick"]
        assert [name for name, _ in read_amass(source, persons=("KIT/9",))] == [AmassName("KIT", "KIT/9", "kick")]


def test_damaged_files_are_named(tmp_path: Path, motion) -> None:
    with pytest.raises(ValueError, match="holds no motion of AMASS; expected SET/PERSON"):
        list(read_amass(tmp_path))
    trans = motion["trans"]
    for content, message in (
        (b"PK", "KIT/3/walk_01 is no npz"),
        (packed(motion)[:-400], "KIT/3/walk_01 is no npz"),
        (packed(motion, mocap_framerate=np.array(0.0)), "no frame rate; expected one of mocap_framerate"),
        (
            packed(motion, poses=np.zeros((FRAMES, 60))),
            r"poses of the shape \(48, 60\); expected \(frames, 66 or more\)",
        ),
        (packed(motion, trans=trans[:-1]), r"48 poses but trans has the shape \(47, 3\)"),
        (packed(motion, trans=np.where(trans > 1.2, np.nan, trans)), "not finite"),
        (packed(motion, poses=np.zeros((0, 156)), trans=np.zeros((0, 3))), "has no frame"),
    ):
        with pytest.raises(ValueError, match=message):
            amass_clip(content, NAME)
    with pytest.raises(ValueError, match="up is 'x'"):
        amass_clip(packed(motion), NAME, up="x")
