"""BVH written and read: against SciPy's rotations, the bvhio library and, where it is installed, Blender."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from fitmotion_models.exchange.bvh import clip_from_bvh, euler_zxy, read_bvh, write_bvh
from fitmotion_models.mover import SquatParameters, squat_clip
from fitmotion_models.skeleton.joint_sets import FEET, SMPL22
from fitmotion_models.skeleton.kinematics import REST_OFFSETS, feet_from_pose, forward_kinematics
from fitmotion_models.skeleton.motion_clip import MotionClip

# what a BVH file in centimetres and y up has of a point in metres and z up
CENTIMETRES = 100.0
BLENDER = """
import json, sys
import bpy
bpy.ops.wm.read_factory_settings(use_empty=True)
bpy.ops.import_anim.bvh(filepath=sys.argv[1], global_scale=0.01, axis_forward="-Z", axis_up="Y", update_scene_fps=True)
body, scene = bpy.context.object, bpy.context.scene
found = {bone.name: [] for bone in body.pose.bones}
for frame in range(1, int(sys.argv[3]) + 1):
    scene.frame_set(frame)
    for bone in body.pose.bones:
        found[bone.name].append(list(body.matrix_world @ bone.head))
json.dump({"fps": scene.render.fps / scene.render.fps_base, "joints": found}, open(sys.argv[2], "w"))
"""


@pytest.fixture(scope="module")
def tumble() -> MotionClip:
    """A body whose joints turn at random, through quarter and half turns, and which wanders; 24 frames at 20 fps."""
    rng = np.random.default_rng(5)
    frames = 24
    start, axes = Rotation.random(22, random_state=5), rng.normal(size=(22, 3))
    angles = np.linspace(0.0, 2.0 * np.pi, frames)[:, None, None] * axes
    local = np.stack([(start * Rotation.from_rotvec(frame)).as_quat() for frame in angles])
    # where an angle about x is a quarter turn, z and y cannot be told apart
    local[:, 4] = Rotation.from_euler("YXZ", [(30.0, 90.0, 15.0)], degrees=True).as_quat()
    bones = REST_OFFSETS * rng.uniform(0.9, 1.1, (22, 1))
    root = np.cumsum(rng.normal(0.0, 0.05, (frames, 3)), axis=0) + (0.4, -0.2, 0.9)
    still = squat_clip(SquatParameters(repetitions=1), fps=20.0)
    positions = forward_kinematics(root, local, bones)
    arrays = {name: getattr(still, name)[:frames] for name in ("confidence", "feet_confidence", "view_direction")}
    return replace(
        still,
        stamps=np.arange(frames) / 20.0,
        positions=positions,
        rotations=local,
        feet=feet_from_pose(positions, local, bones),
        bone_offsets=bones,
        **arrays,
    )


def in_the_files_axes(points: np.ndarray) -> np.ndarray:
    """x left, y up, z forward."""
    return np.stack([points[..., 1], points[..., 2], points[..., 0]], axis=-1)


@pytest.mark.parametrize("unit", ["cm", "m"])
def test_round_trip(tmp_path: Path, tumble: MotionClip, unit: str) -> None:
    path = write_bvh(tmp_path / "tumble.bvh", tumble, unit=unit)
    clip = clip_from_bvh(read_bvh(path))
    np.testing.assert_allclose(clip.positions, tumble.positions, atol=1e-5)
    np.testing.assert_allclose(clip.feet, tumble.feet, atol=1e-5)
    np.testing.assert_allclose(clip.bone_offsets, tumble.bone_offsets, atol=1e-6)
    between = Rotation.from_quat(clip.rotations.reshape(-1, 4)).inv() * Rotation.from_quat(
        tumble.rotations.reshape(-1, 4)
    )
    assert between.magnitude().max() < 1e-5
    assert (clip.fps, clip.subject, len(clip)) == (20.0, "tumble", 24)
    np.testing.assert_allclose(clip.stamps, tumble.stamps, atol=1e-9)
    # and what was read is written alike
    again = write_bvh(tmp_path / "again.bvh", clip, unit=unit)
    np.testing.assert_allclose(read_bvh(again).kinematics().positions, read_bvh(path).kinematics().positions, atol=1e-3)


def test_the_files_own_rules_by_scipy(tmp_path: Path, tumble: MotionClip) -> None:
    """The file's text, taken apart here: Rz Rx Ry a joint, offsets in its parent's frame, y up."""
    words = write_bvh(tmp_path / "a.bvh", tumble).read_text().split("MOTION")
    table = np.array([line.split() for line in words[1].splitlines()[3:]], dtype=float)
    stack: list[str] = []
    places: dict[str, tuple[np.ndarray, Rotation]] = {}
    column, offset = 0, np.zeros(3)
    name = ""
    ends: dict[str, np.ndarray] = {}
    for line in words[0].splitlines():
        key, *rest = line.split()
        if key in ("ROOT", "JOINT", "End"):
            name = rest[0]
        elif key == "{":
            stack.append(name)
        elif key == "}":
            stack.pop()
        elif key == "OFFSET":
            offset = np.array(rest, float)
            if name == "Site":
                point, turn = places[stack[-2]]
                ends[stack[-2]] = point + turn.apply(offset)
        elif key == "CHANNELS":
            assert rest[-3:] == ["Zrotation", "Xrotation", "Yrotation"]
            if len(stack) == 1:
                place, above = table[:, :3], Rotation.identity(len(table))
                assert rest[1:4] == ["Xposition", "Yposition", "Zposition"] and not offset.any()
                column += 3
            else:
                point, above = places[stack[-2]]
                place = point + above.apply(offset)
            own = Rotation.from_euler("ZXY", table[:, column : column + 3], degrees=True)
            places[name] = (place, above * own)
            column += 3
    assert set(places) == set(SMPL22.joints) and column == table.shape[1] == 69
    for index, joint in enumerate(SMPL22.joints):
        expected = in_the_files_axes(tumble.positions[:, index]) * CENTIMETRES
        np.testing.assert_allclose(places[joint][0], expected, atol=1e-3)
    for joint, landmark in (("left_foot", "left_toe"), ("right_foot", "right_toe")):
        expected = in_the_files_axes(tumble.feet[:, FEET.index(landmark)]) * CENTIMETRES
        np.testing.assert_allclose(ends[joint], expected, atol=1e-3)
    assert {"head", "left_wrist", "right_wrist"} <= set(ends)


def test_another_library_reads_the_same(tmp_path: Path, tumble: MotionClip) -> None:
    bvhio = pytest.importorskip("bvhio", reason="the bvhio library is the second hand here")
    path = write_bvh(tmp_path / "a.bvh", tumble)
    root = bvhio.readAsHierarchy(str(path))
    assert [joint.Name for joint, _, _ in root.layout()] == list(read_bvh(path).names)
    for frame in (0, 7, 23):
        root.loadPose(frame)
        for joint, _, _ in root.layout():
            expected = in_the_files_axes(tumble.positions[frame, SMPL22.index(joint.Name)]) * CENTIMETRES
            np.testing.assert_allclose(np.array(joint.PositionWorld), expected, atol=1e-2)


@pytest.mark.slow
def test_blender_reads_the_same(tmp_path: Path, tumble: MotionClip) -> None:
    python = os.environ.get("FITMOTION_BLENDER_PYTHON", sys.executable)
    if subprocess.run([python, "-c", "import bpy"], capture_output=True, check=False).returncode:
        pytest.skip("no Blender as a module (bpy) in this Python, nor in the one FITMOTION_BLENDER_PYTHON names")
    path, found = write_bvh(tmp_path / "a.bvh", tumble), tmp_path / "found.json"
    (tmp_path / "read.py").write_text(BLENDER)
    subprocess.run([python, tmp_path / "read.py", path, found, str(len(tumble))], check=True, capture_output=True)
    result = json.loads(found.read_text())
    assert result["fps"] == pytest.approx(20.0)
    for index, joint in enumerate(SMPL22.joints):
        # Blender's importer turns the file's y up, z forward into z up, -y forward
        points = in_the_files_axes(tumble.positions[:, index])
        expected = np.stack([points[:, 0], -points[:, 2], points[:, 1]], axis=-1)
        np.testing.assert_allclose(np.array(result["joints"][joint]), expected, atol=1e-4)


def test_angles_go_on_without_jumps() -> None:
    # a full turn about each axis: no angle jumps by half a turn between frames of 10 degrees
    turns = np.radians(np.arange(0.0, 361.0, 10.0))
    for axis in "zy":
        angles = euler_zxy(Rotation.from_euler(axis, turns[:, None]).as_matrix()[:, None])[:, 0]
        assert np.abs(np.diff(angles, axis=0)).max() < np.radians(10.1)
        assert np.ptp(angles[:, "zxy".index(axis)]) > np.radians(359.0)


def test_a_camera_clips_gaps_are_filled(tmp_path: Path) -> None:
    clip = squat_clip(SquatParameters(repetitions=1), fps=30.0)
    keep = np.setdiff1d(np.arange(60), [20, 21, 40])
    rotations, positions = clip.rotations[keep].copy(), clip.positions[keep].copy()
    rotations[:, SMPL22.index("left_wrist")] = np.nan
    positions[5, 0] = np.nan
    names = ("confidence", "feet", "feet_confidence", "view_direction")
    holed = replace(
        clip,
        stamps=clip.stamps[keep] + 100.0,
        rotations=rotations,
        positions=positions,
        **{name: getattr(clip, name)[keep] for name in names},
    )
    back = clip_from_bvh(read_bvh(write_bvh(tmp_path / "holed.bvh", holed)))
    assert len(back) == 60 and back.stamps[0] == 0.0
    # straight lines over a tenth of a second of a squat
    np.testing.assert_allclose(back.positions[:, :18], clip.positions[:60, :18], atol=0.01)
    positions[:, 0] = np.nan
    with pytest.raises(ValueError, match="without a frame in which the pelvis is seen"):
        write_bvh(tmp_path / "none.bvh", replace(holed, positions=positions))


def test_writing_is_refused_in_a_sentence(tmp_path: Path, tumble: MotionClip) -> None:
    path = write_bvh(tmp_path / "a.bvh", tumble)
    before = path.read_text()
    with pytest.raises(FileExistsError, match="a.bvh exists; choose another name"):
        write_bvh(path, tumble)
    with pytest.raises(ValueError, match="must be named \\*.bvh"):
        write_bvh(tmp_path / "a.txt", tumble)
    with pytest.raises(ValueError, match="unit of a BVH file is 'inch'; allowed: cm, m"):
        write_bvh(path, tumble, unit="inch", overwrite=True)
    assert path.read_text() == before
    write_bvh(path, replace(tumble, positions=tumble.positions + 1.0), overwrite=True)
    assert path.read_text() != before
    assert [file.name for file in tmp_path.iterdir()] == ["a.bvh"]


SMALL = """HIERARCHY
ROOT Hips {
  OFFSET 0 1 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT Left Leg
  {
    OFFSET 0.1 -0.4 0
    CHANNELS 3 Yrotation Xrotation Zrotation
    End Site { OFFSET 0 -0.4 0 }
  }
}
MOTION
Frames: 2
Frame Time: .0333333
0 1.5 0 0 0 0 0 0 0
0 1.5 0 90 0 0 0 90 0
"""


def test_what_others_write_is_read(tmp_path: Path) -> None:
    """Braces on the line, a name with a space, another order of rotations, a position beside the offset."""
    path = tmp_path / "small.bvh"
    path.write_text(SMALL)
    motion = read_bvh(path)
    assert motion.names == ("Hips", "Left_Leg") and motion.fps == 30.0
    positions, rotations = motion.kinematics()
    np.testing.assert_allclose(positions[0], [(0.0, 1.5, 0.0), (0.1, 1.1, 0.0)], atol=1e-12)
    # a quarter turn about z takes the leg from down to the left
    np.testing.assert_allclose(positions[1, 1], (0.4, 1.6, 0.0), atol=1e-12)
    expected = Rotation.from_euler("Z", 90, degrees=True) * Rotation.from_euler("X", 90, degrees=True)
    assert (Rotation.from_quat(rotations[1, 1]).inv() * expected).magnitude() < 1e-12
    with pytest.raises(ValueError, match="small.bvh has another skeleton: it lacks pelvis, .* and more; .*datasets"):
        clip_from_bvh(motion)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("HIERARCHY", "HIRARCHY"), "has no HIERARCHY or no MOTION"),
        (("OFFSET 0.1 -0.4 0\n", "OFFSET 0.1 x 0\n"), "line 7: '0.1 x 0'; expected 3 finite numbers"),
        (("Yrotation Xrotation Zrotation", "Yrotation Xrotation Wrotation"), "line 8: channels .*Wrotation; allowed"),
        (("  }\n}", "  }"), "ends inside a joint"),
        (("JOINT Left Leg", "ROOT Left Leg"), "line 5: ROOT here; expected one ROOT"),
        (("Frames: 2", "Frames: 3"), "2 frames where 3 are announced"),
        (("Frames: 2", "Frames: 0"), "expected Frames: and Frame Time:, both above 0"),
        (("90 0 0 0 90 0", "90 0 0 0 90"), "frame 2: 8 numbers for 9 channels"),
        (("0 1.5 0 90", "0 nan 0 90"), "not finite"),
        (("0 1.5 0 90", "0 a 0 90"), "expected numbers in every frame"),
    ],
)
def test_damaged_files_are_named(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    path = tmp_path / "damaged.bvh"
    path.write_text(SMALL.replace(*change, 1))
    with pytest.raises(ValueError, match=message):
        read_bvh(path)


def test_a_missing_file_and_another_tree(tmp_path: Path, tumble: MotionClip) -> None:
    with pytest.raises(ValueError, match="BVH file .*none.bvh can't be read"):
        read_bvh(tmp_path / "none.bvh")
    text = write_bvh(tmp_path / "a.bvh", tumble).read_text()
    text = text.replace("left_knee", "x").replace("left_ankle", "left_knee").replace(" x\n", " left_ankle\n")
    (tmp_path / "b.bvh").write_text(text)
    with pytest.raises(ValueError, match="left_knee is not below left_hip"):
        clip_from_bvh(read_bvh(tmp_path / "b.bvh"))
    with pytest.raises(ValueError, match="unit of a BVH file is 'ft'"):
        clip_from_bvh(read_bvh(tmp_path / "a.bvh"), unit="ft")
    with pytest.raises(ValueError, match="its thigh of .* is no person's in cm or m; name the unit"):
        large = replace(tumble, bone_offsets=tumble.bone_offsets * 40.0)
        clip_from_bvh(read_bvh(write_bvh(tmp_path / "c.bvh", large)))
