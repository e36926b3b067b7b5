"""HumanML3D folders: small ones of the set's published form, with motions whose truth is known."""

import numpy as np
import pytest

from fitmotion_models.datasets.humanml3d import PUBLISHED_FRAMES, read_humanml3d
from fitmotion_models.motion.humanml3d import joints_from_humanml3d
from fitmotion_models.skeleton.frames import z_up_to_y_up
from fitmotion_models.skeleton.joint_sets import SMPL22
from fitmotion_models.skeleton.kinematics import REST_OFFSETS, forward_kinematics

STANDING = z_up_to_y_up(forward_kinematics(np.zeros(3), np.tile((0.0, 0.0, 0.0, 1.0), (22, 1)), REST_OFFSETS))
STANDING -= (0.0, STANDING[:, 1].min(), 0.0)


def features_of_walk(frames, step):
    """Features of a rigid body in the rest pose that goes `step` metres a frame ahead, written from the definition."""
    values = np.zeros((frames, 263), np.float32)
    values[:, 2] = step
    values[:, 3] = STANDING[0, 1]
    around = STANDING.copy()
    around[:, [0, 2]] -= around[0, [0, 2]]
    values[:, 4:67] = around[1:].ravel()
    values[:, 67:193] = np.tile((1.0, 0.0, 0.0, 0.0, 1.0, 0.0), 21)
    values[:, 193:259] = np.tile((0.0, 0.0, step), 22)
    return values


@pytest.fixture
def folder(tmp_path):
    """Three motions, one mirrored, one without a file, one with a caption of a part and one that is not finite."""
    for name in ("new_joint_vecs", "new_joints", "texts"):
        (tmp_path / name).mkdir()
    np.save(tmp_path / "new_joint_vecs" / "000001.npy", features_of_walk(60, 0.06))
    np.save(tmp_path / "new_joint_vecs" / "M000001.npy", features_of_walk(60, 0.06))
    np.save(tmp_path / "new_joint_vecs" / "000004.npy", np.full((60, 263), np.nan, np.float32))
    np.save(tmp_path / "new_joints" / "000002.npy", np.tile(STANDING, (25, 1, 1)).astype(np.float32))
    texts = {
        "000001": "a person walks with the left foot first.#a/DET person/NOUN walk/VERB left/ADJ foot/NOUN#0.0#0.0\n"
        "someone starts to walk#someone/PRON start/VERB to/PART walk/VERB#0.5#2.0\n",
        "M000001": "a person walks with the right foot first.#a/DET person/NOUN walk/VERB#0.0#0.0\n",
        "000002": "stands, as in pose #3#stand/VERB pose/NOUN#nan#nan\n\n",
        "000004": "broken#broken/ADJ#0.0#0.0\n",
    }
    for name, text in texts.items():
        (tmp_path / "texts" / f"{name}.txt").write_text(text, encoding="utf-8")
    (tmp_path / "train.txt").write_text("000001\nM000001\n000003\n000004\n")
    (tmp_path / "val.txt").write_text("000002\n")
    (tmp_path / "test.txt").write_text("000003\n")
    return tmp_path


def test_motions_and_captions(folder):
    motions = list(read_humanml3d(folder))
    assert [(motion.name, len(motion), motion.start) for motion in motions] == [
        ("000001", 60, 0.0),
        ("000001", 30, 0.5),
        ("M000001", 60, 0.0),
    ]
    whole, part, mirrored = motions
    assert whole.texts == ("a person walks with the left foot first.",)
    assert whole.captions[0].tokens[3:] == (("left", "ADJ"), ("foot", "NOUN"))
    assert part.texts == ("someone starts to walk",) and (part.captions[0].start, part.captions[0].end) == (0.5, 2.0)
    assert (mirrored.mirrored, mirrored.made_from, whole.made_from) == (True, "000001", None)


def test_only_what_is_asked_for(folder):
    assert [motion.name for motion in read_humanml3d(folder, mirrored=False)] == ["000001", "000001"]
    assert [len(motion) for motion in read_humanml3d(folder, frames=PUBLISHED_FRAMES)] == [60, 60]


def test_a_walk_is_a_clip_in_our_world(folder):
    """.06 m a frame is 1.2 m/s along x; soles on the floor; the canonical bones come back."""
    clip = next(read_humanml3d(folder)).clip()
    assert clip.fps == 20.0 and len(clip) == 60
    way = clip.positions[-1, 0] - clip.positions[0, 0]
    assert way == pytest.approx((59 * 0.06, 0.0, 0.0), abs=1e-4)
    assert clip.feet[..., 2] == pytest.approx(0.0, abs=1e-3)
    assert clip.bone_offsets == pytest.approx(REST_OFFSETS, abs=1e-6)
    assert clip.positions[0, SMPL22.index("left_wrist"), 1] > 0.5
    assert clip.labels == ("000001", "a person walks with the left foot first.")


def test_joints_stand_in_for_features(folder):
    (motion,) = read_humanml3d(folder, "val")
    assert motion.values.shape == (25, 22, 3) and motion.texts == ("stands, as in pose #3",)
    assert motion.clip().positions[3, 0, :2] == pytest.approx((0.0, 0.0), abs=1e-5)


def test_the_written_features_are_the_definition(folder):
    """The test's own features give the joints from which they were written."""
    joints = joints_from_humanml3d(next(read_humanml3d(folder)).values)
    assert joints[7] == pytest.approx(STANDING - STANDING[0] * (1.0, 0.0, 1.0) + (0.0, 0.0, 7 * 0.06), abs=1e-5)


@pytest.mark.parametrize(
    ("split", "damage", "message"),
    [
        ("dev", None, "no split 'dev'; it has: train, val"),
        ("all", None, r"all\.txt can't be read \(No such file"),
        ("test", None, "holds no motion of its split 'test'"),
        ("train", ("new_joint_vecs/000001.npy", np.zeros((60, 251))), r"shape \(60, 251\); expected \(T, 263\)"),
        ("train", ("new_joint_vecs/000001.npy", b"no array"), "000001.npy is no NumPy array"),
        ("train", ("texts/000001.txt", b"a person walks\n"), "line 1: expected caption#word/TAG"),
        ("train", ("texts/000001.txt", b"walks#walk/VERB#3.0#1.0\n"), "from 3 to 1 s is none"),
        ("val", ("val.txt", b"\n"), "names no motion"),
    ],
)
def test_bad_folders_say_what_is_wrong(folder, split, damage, message):
    if damage is not None:
        path, content = damage
        (folder / path).write_bytes(content) if isinstance(content, bytes) else np.save(folder / path, content)
    with pytest.raises(ValueError, match=message):
        list(read_humanml3d(folder, split))
