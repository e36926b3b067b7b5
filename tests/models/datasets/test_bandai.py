"""Bandai Namco's sets: files of their form with a known posture, and real recordings against SciPy's kinematics."""

import os
import tarfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from fitmotion_models.datasets.bandai import JOINTS, BandaiName, bandai_clip, read_bandai
from fitmotion_models.exchange.bvh_files import BvhJoint, BvhMotion, bvh_text, read_bvh
from fitmotion_models.skeleton.joint_sets import SMPL22
from fitmotion_models.skeleton.kinematics import PARENTS
from fitmotion_models.skeleton.motion_clip import MotionClip
from fitmotion_models.skeleton.rotations import swing_twist

# a quarter turn about the middle axis: SciPy then says that it chose one of many angles
pytestmark = pytest.mark.filterwarnings("ignore:Gimbal lock")

WAYS = {
    "left": (1, 0, 0),
    "right": (-1, 0, 0),
    "up": (0, 1, 0),
    "down": (0, -1, 0),
    "ahead": (0, 0, 1),
    "back": (0, 0, -1),
}
# The set's skeleton as its files have it: joint, parent, offset in centimetres, and where the joint's axes point in a
# body that stands with arms out, as the recordings show it. Limbs: x along the bone, on the right against it.
SKELETON = """
    joint_Root -          0 0 0               left up ahead
    Hips       joint_Root 0.847 93.984 -452.2 up right ahead
    Spine      Hips       15.7357 0 0         up ahead left
    Chest      Spine      8.98455 -0.4062 0   up ahead left
    Neck       Chest      16.3773 0 0         up ahead left
    Head       Neck       6.45672 0 0         up ahead left
    Shoulder_L Chest      12.9942 -0.2427 4.98039   left up ahead
    UpperArm_L Shoulder_L 5.34809 0 0         left up ahead
    LowerArm_L UpperArm_L 24.3286 0 0         left up ahead
    Hand_L     LowerArm_L 22.2916 0 0         left up ahead
    Shoulder_R Chest      12.9945 -0.2427 -4.98039  left down back
    UpperArm_R Shoulder_R -5.34813 0 0        left down back
    LowerArm_R UpperArm_R -24.3289 0 0        left down back
    Hand_R     LowerArm_R -22.2915 0 0        left down back
    UpperLeg_L Hips       -2.19248 -6.46944 0 down left ahead
    LowerLeg_L UpperLeg_L 39.0811 0 0         down left ahead
    Foot_L     LowerLeg_L 40.9854 0 0         ahead left up
    Toes_L     Foot_L     11.7543 0 0         ahead left up
    UpperLeg_R Hips       -2.19251 6.46944 0  up left back
    LowerLeg_R UpperLeg_R -39.0811 0 0        up left back
    Foot_R     LowerLeg_R -40.9854 0 0        back left down
    Toes_R     Foot_R     -11.7543 0 0        back left down
"""
# so far the feet's axes point below level in somebody who stands, degrees; and they point out by so much
SLOPES = {"Foot_L": 39.6, "Foot_R": 39.6, "Toes_L": 23.0, "Toes_R": 20.2}
TOES_OUT = 12.0
NAME = BandaiName(2, "raise-up-left-hand", "exhausted", "001")
ORDER = ("Zrotation", "Xrotation", "Yrotation")
EXACT = [joint for joint in SMPL22.joints if joint not in ("pelvis", "spine3", "left_foot", "right_foot")]
# our axes (x forward, y left, z up) in the set's (x left, y up, z forward)
OURS = np.array([(0, 1, 0), (0, 0, 1), (1, 0, 0)])


def standing() -> tuple[list[BvhJoint], dict[str, np.ndarray]]:
    """The set's joints, and the axes of each, as columns, in somebody who stands with arms out."""
    names: list[str] = []
    joints, axes = [], {}
    for line in SKELETON.strip().splitlines():
        name, parent, *words = line.split()
        channels = ("Xposition", "Yposition", "Zposition", *ORDER)
        joints.append(BvhJoint(name, names.index(parent) if names else -1, np.array(words[:3], float), channels))
        names.append(name)
        frame = np.array([WAYS[word] for word in words[3:]], float).T
        if name in SLOPES:
            out = TOES_OUT if name.endswith("L") else -TOES_OUT
            frame = Rotation.from_euler("YX", (out, SLOPES[name]), degrees=True).as_matrix() @ frame
        axes[name] = frame
    return joints, axes


def recording(turns: dict[str, list[Rotation]], frames: int) -> BvhMotion:
    """Somebody whose joints have turned so, in the world, from standing with arms out; 30 Hz."""
    joints, axes = standing()
    table, world = [], {}
    for joint in joints:
        moved = turns.get(joint.name)
        above = joints[joint.parent].name if joint.parent >= 0 else None
        carried = world[above][1] if above else [Rotation.identity()] * frames
        own = moved or carried
        now = [turn * Rotation.from_matrix(axes[joint.name]) for turn in own]
        local = now if above is None else [world[above][0][k].inv() * now[k] for k in range(frames)]
        world[joint.name] = (now, own)
        place = np.array([0.3, 93.0, 12.0]) if joint.name == "Hips" else joint.offset
        table.append(np.tile(place, (frames, 1)))
        table.append(np.array([turn.as_euler("ZXY", degrees=True) for turn in local]))
    return BvhMotion(tuple(joints), 1.0 / 30.0, np.concatenate(table, axis=1), "made")


def clip_of(motion: BvhMotion) -> MotionClip:
    return bandai_clip(read_bvh(BytesIO(bvh_text(motion).encode())), NAME)


def test_standing_with_arms_out_is_the_rest_pose() -> None:
    clip = clip_of(recording({}, 2))
    angles = np.degrees(Rotation.from_quat(clip.rotations.reshape(-1, 4)).magnitude()).reshape(2, 22)
    # of the feet the test knows the slope to a tenth and the way out to a degree
    feet = [SMPL22.index(f"{side}_{joint}") for side in ("left", "right") for joint in ("ankle", "foot")]
    assert np.delete(angles, feet, axis=1).max() < 1e-3 and angles[:, feet].max() < 1.0
    assert clip.positions[0, SMPL22.index("left_wrist"), 1] > 0.5 > -0.5 > clip.positions[0, 21, 1]
    np.testing.assert_allclose(clip.positions[0, [20, 21], 2], clip.positions[0, [16, 17], 2], atol=1e-4)
    assert np.abs(clip.feet[..., 2]).max() < 0.005
    # the set's bones: the thigh 39.08, the forearm 22.29 cm
    lengths = np.linalg.norm(clip.bone_offsets, axis=-1)
    assert lengths[SMPL22.index("left_knee")] == pytest.approx(0.390811, abs=1e-5)
    assert lengths[SMPL22.index("right_wrist")] == pytest.approx(0.222915, abs=1e-5)
    # pelvis between hips and spine as SMPL's mean body has it, hips 12.9 cm apart
    assert clip.bone_offsets[1, 2] == pytest.approx(-0.082, abs=2e-3) and lengths[3] == pytest.approx(0.098, abs=2e-3)
    assert clip.bone_offsets[1, 1] - clip.bone_offsets[2, 1] == pytest.approx(0.1294, abs=1e-4)


def test_known_turns_come_back() -> None:
    """The left arm bent and its forearm turned, the right knee bent, the head turned left, all while turning round."""
    ways = {"LowerArm_L": (0, 80, 0), "Hand_L": (40, 0, 0), "Head": (0, 30, 0)}
    heading = [Rotation.from_euler("Y", angle, degrees=True) for angle in (0.0, 25.0, 100.0)]
    turns: dict[str, list[Rotation]] = {name: heading for name in ("joint_Root", "Hips")}
    # turns in the body's own axes, x left, y up, z forward: each carries what comes below it
    arm = Rotation.from_euler("Y", -ways["LowerArm_L"][1], degrees=True)
    hand = arm * Rotation.from_euler("X", ways["Hand_L"][0], degrees=True)
    knee = Rotation.from_euler("X", 60.0, degrees=True)
    head = Rotation.from_euler("Y", ways["Head"][1], degrees=True)
    for name, turn in (("LowerArm_L", arm), ("Hand_L", hand), ("LowerLeg_R", knee), ("Foot_R", knee), ("Head", head)):
        turns[name] = [round_ * turn for round_ in heading]
    clip = clip_of(recording(turns, 3))
    local = {joint: Rotation.from_quat(clip.rotations[:, index]) for index, joint in enumerate(SMPL22.joints)}
    expected = {
        "left_elbow": Rotation.from_euler("Z", -80.0, degrees=True),  # forward, about the vertical
        "left_wrist": Rotation.from_euler("Y", 40.0, degrees=True),  # twist about the forearm's length
        "right_knee": Rotation.from_euler("Y", 60.0, degrees=True),  # the shank goes back
        "head": Rotation.from_euler("Z", 30.0, degrees=True),
    }
    for joint, turn in expected.items():
        assert np.degrees((local[joint] * turn.inv()).magnitude()).max() < 1e-3, joint
    feet = {f"{side}_{joint}" for side in ("left", "right") for joint in ("ankle", "foot")}
    still = set(SMPL22.joints) - set(expected) - feet - {"pelvis"}
    assert max(np.degrees(local[joint].magnitude()).max() for joint in still) < 1e-3
    np.testing.assert_allclose(local["pelvis"].as_euler("ZYX", degrees=True)[:, 0], (0.0, 25.0, 100.0), atol=1e-3)


def test_names_labels_and_archives(tmp_path: Path) -> None:
    content = bvh_text(recording({}, 3))
    names = ("dataset-2_walk-turn-left_elderly_012", "dataset-2_walk_normal_001", "dataset-1_bow_tired_001")
    for name in names:
        (tmp_path / f"{name}.bvh").write_text(content)
    (tmp_path / "notes.bvh").write_text("no recording")
    with tarfile.open(tmp_path / "set.tar.xz", "w:xz") as tar:
        tar.add(tmp_path / f"{names[0]}.bvh", f"bandai/{names[0]}.bvh")
    ((name, clip),) = read_bandai(tmp_path / "set.tar.xz")
    assert name == BandaiName(2, "walk-turn-left", "elderly", "012") and str(name) == names[0]
    assert clip.labels == (names[0], "walk-turn-left", "elderly") and clip.subject == "dataset-2"
    assert (clip.fps, len(clip)) == (30.0, 3)
    choices = ({"styles": ("normal",)}, {"actions": ("bow", "walk")}, {"persons": ("dataset-1",)})
    assert [len(list(read_bandai(tmp_path, **choice))) for choice in choices] == [1, 2, 1]


def test_damaged_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no recording of Bandai Namco's sets; expected names like"):
        list(read_bandai(tmp_path))
    motion = recording({}, 2)
    joints = tuple(replace(joint, name=joint.name.replace("Hand", "Fist")) for joint in motion.joints)
    file = tmp_path / "dataset-1_bow_tired_001.bvh"
    file.write_text(bvh_text(replace(motion, joints=joints)))
    with pytest.raises(ValueError, match="dataset-1_bow_tired_001.bvh lacks Hand_L, Hand_R; it is none of"):
        list(read_bandai(tmp_path))
    file.write_text(bvh_text(motion)[:-20])
    with pytest.raises(ValueError, match="dataset-1_bow_tired_001.bvh, frame 2: .* the file is cut off"):
        list(read_bandai(tmp_path))


@pytest.fixture(scope="module")
def real(bandai_archive: Path) -> dict[str, bytes]:
    """Four recordings of the first set, which lie at the archive's start."""
    wanted = {f"dataset-1_{name}_001.bvh" for name in ("bow_normal", "dash_normal", "kick_normal", "walk_normal")}
    found: dict[str, bytes] = {}
    with tarfile.open(bandai_archive) as tar:
        for member in tar:
            name = Path(member.name).name
            if name in wanted and (file := tar.extractfile(member)) is not None:
                found[name] = file.read()
                if wanted <= set(found):
                    break
    return found


def scipy_kinematics(content: bytes) -> tuple[dict[str, np.ndarray], dict[str, Rotation]]:
    """Joints (T, 3), metres, and their rotations in the file's axes: each line of the hierarchy in turn."""
    head, table = content.decode().split("MOTION")
    rows = np.array([line.split() for line in table.splitlines()[3:] if line.strip()], float)
    places: dict[str, np.ndarray] = {}
    turns: dict[str, Rotation] = {}
    stack: list[str] = []
    for line in head.splitlines():
        words = line.split()
        if words[:1] in (["ROOT"], ["JOINT"], ["End"]):
            stack.append(words[1])
        elif words[:1] == ["}"]:
            stack.pop()
        elif words[:1] == ["CHANNELS"]:
            channels = rows[:, 6 * len(turns) : 6 * len(turns) + 6]
            place, own = channels[:, :3] / 100.0, Rotation.from_euler("ZXY", channels[:, 3:], degrees=True)
            if len(stack) > 1:
                above = stack[-2]
                place, own = places[above] + turns[above].apply(place), turns[above] * own
            places[stack[-1]], turns[stack[-1]] = place, own
    return places, turns


@pytest.mark.slow
def test_real_recordings_keep_joints_and_rotations(real: dict[str, bytes]) -> None:
    for file, content in real.items():
        clip = bandai_clip(read_bvh(BytesIO(content)), NAME)
        places, turns = scipy_kinematics(content)
        ours = clip.positions[:, [SMPL22.index(joint) for joint in EXACT]].astype(float)
        theirs = np.stack([places[JOINTS[joint]] for joint in EXACT], axis=1)[:, :, [2, 0, 1]]
        # the clip's world is the file's, turned about the vertical and shifted
        a, b = ours - ours.mean(axis=(0, 1)), theirs - theirs.mean(axis=(0, 1))
        turn, _ = Rotation.align_vectors(b.reshape(-1, 3), a.reshape(-1, 3))
        error = np.linalg.norm(turn.apply(a.reshape(-1, 3)) - b.reshape(-1, 3), axis=-1)
        assert error.max() < 1e-4, file
        foot = SMPL22.index("left_foot")
        toes = turn.apply(clip.positions[:, foot] - ours.mean(axis=(0, 1))) + theirs.mean(axis=(0, 1))
        apart = np.linalg.norm(toes - places["Toes_L"][:, [2, 0, 1]], axis=-1)
        print(f"{file}: joints {1e6 * error.max():.1f} um, foot {1000 * apart.max():.1f} mm")
        assert apart.max() < 0.036
        world: list[Rotation] = []
        for index, parent in enumerate(PARENTS):
            own = Rotation.from_quat(clip.rotations[:, index])
            world.append(own if parent < 0 else world[parent] * own)
            source = turns[JOINTS[SMPL22.joints[index]]]
            moved = Rotation.from_matrix(OURS.T @ (source * source[0].inv()).as_matrix() @ OURS)
            # how a joint has turned since the first frame, twist and all
            difference = (turn * world[index] * world[index][0].inv() * turn.inv()).inv() * moved
            assert difference.magnitude().max() < 1e-4, (file, SMPL22.joints[index])


@pytest.mark.slow
def test_real_recordings_move_as_people_do(real: dict[str, bytes]) -> None:
    clips = {file.split("_")[1]: bandai_clip(read_bvh(BytesIO(content)), NAME) for file, content in real.items()}
    for action, clip in clips.items():
        for side in ("left", "right"):
            bent = Rotation.from_quat(clip.rotations[:, SMPL22.index(f"{side}_knee")]).as_rotvec(degrees=True)
            # knees bend one way, about the axis that lies across
            assert bent[:, 1].min() > -3.0 and np.abs(bent[:, [0, 2]]).max() < 5.0, action
            elbow = Rotation.from_quat(clip.rotations[:, SMPL22.index(f"{side}_elbow")]).as_rotvec(degrees=True)
            flexed = -elbow[:, 2] if side == "left" else elbow[:, 2]
            assert np.percentile(flexed, 1) > -10.0, action
    assert clips["walk"].positions[-1, 0, 0] > 5.0 and clips["dash"].positions[-1, 0, 0] > 2.0
    # the set's character is small: 1.36 m to where the skull sits on the neck
    assert clips["bow"].positions[0, SMPL22.index("head"), 2] == pytest.approx(1.34, abs=0.03)
    feet = clips["bow"].feet[..., 2]
    assert np.abs(feet).max() < 0.02
    # hands are turned by the forearm: twist that joints' positions cannot show
    _, twist = swing_twist(clips["kick"].rotations[:, SMPL22.index("left_elbow")], (0.0, 1.0, 0.0))
    assert np.ptp(np.degrees(2.0 * np.arctan2(twist[:, 1], twist[:, 3]))) > 15.0


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("FITMOTION_TEST_LONG"), reason="half a minute; set FITMOTION_TEST_LONG=1")
def test_left_is_left(bandai_archive: Path) -> None:
    head = SMPL22.index("head")
    actions = ("raise-up-left-hand", "raise-up-right-hand")
    for name, clip in read_bandai(bandai_archive, actions=actions, styles=("normal",)):
        over = (clip.positions[:, [20, 21], 2] - clip.positions[:, [head], 2]).max(axis=0)
        raised = 0 if "left" in name.action else 1
        assert over[raised] > 0.0 > -0.3 > over[1 - raised], str(name)
