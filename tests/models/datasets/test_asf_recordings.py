"""CMU and HDM05 recordings against a second forward kinematics, on SciPy's rotations."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from fitmotion_models.datasets import read_asf, read_asf_amc
from fitmotion_models.skeleton.body_pose import Source
from fitmotion_models.skeleton.joint_sets import SMPL22
from fitmotion_models.skeleton.kinematics import feet_from_pose, forward_kinematics

METRES = 0.0254 / 0.45
# joint of ours -> bone of the file that ends there; only joints that the file itself defines
ENDS = {"spine1": "root", "spine2": "lowerback", "spine3": "upperback", "left_collar": "thorax"}
TURNS = {"pelvis": "root", "spine3": "thorax"}
for side in ("left", "right"):
    initial = side[0]
    ENDS |= {
        f"{side}_{name}": initial + bone
        for name, bone in {
            "hip": "hipjoint",
            "knee": "femur",
            "ankle": "tibia",
            "foot": "foot",
            "shoulder": "clavicle",
            "elbow": "humerus",
            "wrist": "wrist",
        }.items()
    }
    TURNS |= {f"{side}_hip": f"{initial}femur", f"{side}_knee": f"{initial}tibia", f"{side}_wrist": f"{initial}hand"}


def parse(folder: Path, asf: str, amc: str):
    """Bones as fields by name, parents and frames, with no check at all."""
    head, tree = (folder / asf).read_text("latin-1").split(":hierarchy")
    bones = {}
    for block in head.split(":bonedata")[1].split("begin")[1:]:
        fields = {line.split()[0]: line.split()[1:] for line in block.splitlines() if line.split()}
        bones[fields["name"][0]] = fields
    parents = {child: line.split()[0] for line in tree.splitlines() for child in line.split()[1:]}
    frames: list[dict[str, list[float]]] = []
    for line in (folder / amc).read_text("latin-1").splitlines():
        words = line.split()
        if len(words) == 1 and words[0].isdigit():
            frames.append({})
        elif frames:
            frames[-1][words[0]] = [float(word) for word in words[1:]]
    return bones, parents, frames


def kinematics(folder: Path, asf: str, amc: str, step: int):
    """Ends (T, 3) in metres and rotations by bone, y up."""
    bones, parents, frames = parse(folder, asf, amc)
    frames = frames[::step]
    root = np.array([frame["root"] for frame in frames])
    ends = {"root": root[:, :3] * METRES}
    turns = {"root": Rotation.from_euler("xyz", root[:, 3:], degrees=True)}
    for name, fields in bones.items():
        axis = Rotation.from_euler("xyz", [float(word) for word in fields["axis"][:3]], degrees=True)
        angles = np.zeros((len(frames), 3))
        for index, channel in enumerate(fields.get("dof", [])):
            angles[:, "xyz".index(channel[1])] = [frame[name][index] for frame in frames]
        own = axis * Rotation.from_euler("xyz", angles, degrees=True) * axis.inv()
        turns[name] = turns[parents[name]] * own
        vector = np.array([float(word) for word in fields["direction"]]) * float(fields["length"][0]) * METRES
        ends[name] = ends[parents[name]] + turns[name].apply(vector)
    return ends, turns


def distances(points: np.ndarray) -> np.ndarray:
    """Between all pairs of points (T, J, 3): what does not depend on where the world's origin is."""
    return np.linalg.norm(points[:, :, None] - points[:, None], axis=-1)


@pytest.fixture(params=["cmu_walk", "cmu_run", "hdm05_squat"])
def recording(request):
    name = request.param
    if name == "hdm05_squat":
        return request.getfixturevalue("hdm05"), "HDM_bd.asf", "HDM_bd_squat1Reps_002_120.amc"
    return request.getfixturevalue("cmu"), "02.asf", {"cmu_walk": "02_01.amc", "cmu_run": "02_03.amc"}[name]


def test_joints_are_where_the_recording_has_them(recording):
    folder, asf, amc = recording
    clip = read_asf_amc(folder / asf, folder / amc)
    ends, _ = kinematics(folder, asf, amc, step=4)
    ours = clip.positions[:, [SMPL22.index(name) for name in ENDS]].astype(float)
    theirs = np.stack([ends[bone] for bone in ENDS.values()], axis=1)
    # a millimetre: HDM05 lets some forearms turn a little off their own length
    np.testing.assert_allclose(distances(ours), distances(theirs), atol=1e-3)
    # not mirrored: left is left of right when seen along the way up
    up = ours[:, list(ENDS).index("spine3")] - ours[:, list(ENDS).index("spine1")]
    left = ours[:, list(ENDS).index("left_hip")] - ours[:, list(ENDS).index("right_hip")]
    forward = np.cross(left, up)
    toes = clip.feet[:, [1, 3]].mean(axis=1) - clip.feet[:, [0, 2]].mean(axis=1)
    assert np.mean(np.sum(forward * toes, axis=-1) > 0.0) > 0.95


def test_neck_and_head_stay_near_the_recording(recording):
    folder, asf, amc = recording
    clip = read_asf_amc(folder / asf, folder / amc)
    ends, _ = kinematics(folder, asf, amc, step=4)
    for joint, bone in {"neck": "lowerneck", "head": "upperneck"}.items():
        ours = np.linalg.norm(
            clip.positions[:, SMPL22.index(joint)] - clip.positions[:, SMPL22.index("spine1")], axis=-1
        )
        theirs = np.linalg.norm(ends[bone] - ends["root"], axis=-1)
        np.testing.assert_allclose(ours, theirs, atol=0.03)


def test_rotations_are_the_recordings_own(recording):
    folder, asf, amc = recording
    clip = read_asf_amc(folder / asf, folder / amc)
    _, turns = kinematics(folder, asf, amc, step=4)
    world = {}
    for index, name in enumerate(SMPL22.joints):
        local = Rotation.from_quat(clip.rotations[:, index])
        parent = SMPL22.parents[index]
        world[name] = local if parent < 0 else world[SMPL22.joints[parent]] * local
    for name, bone in TURNS.items():
        ours = (world[name][0].inv() * world[name]).magnitude()
        theirs = (turns[bone][0].inv() * turns[bone]).magnitude()
        np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_rotations_are_kept_about_every_axis(recording):
    """Twist of thigh, shank and hand, which joints' positions alone do not tell, is in the clip as in the recording."""
    folder, asf, amc = recording
    clip = read_asf_amc(folder / asf, folder / amc)
    ends, turns = kinematics(folder, asf, amc, step=4)
    ours = clip.positions[:, [SMPL22.index(name) for name in ENDS]].astype(float)
    theirs = np.stack([ends[bone] for bone in ENDS.values()], axis=1)
    a, b = (points - points.mean(axis=(0, 1)) for points in (ours, theirs))
    # from the file's world to the clip's: one turn for all joints and frames
    change, _ = Rotation.align_vectors(a.reshape(-1, 3), b.reshape(-1, 3))
    world = {}
    for index, (name, parent) in enumerate(zip(SMPL22.joints, SMPL22.parents, strict=True)):
        local = Rotation.from_quat(clip.rotations[:, index])
        world[name] = local if parent < 0 else world[SMPL22.joints[parent]] * local
    for name, bone in TURNS.items():
        moved = change * turns[bone] * turns[bone][0].inv() * change.inv()
        difference = moved.inv() * world[name] * world[name][0].inv()
        assert np.degrees(difference.magnitude()).max() < 0.05, name


def test_the_clip_is_one_body_in_our_world(recording):
    folder, asf, amc = recording
    clip = read_asf_amc(folder / asf, folder / amc, subject="actor", labels=("x",))
    assert (clip.subject, clip.labels, clip.source, clip.views, clip.fps) == ("actor", ("x",), Source.REPLAY, 0, 30.0)
    again = forward_kinematics(clip.positions[:, 0], clip.rotations, clip.bone_offsets)
    np.testing.assert_allclose(again, clip.positions, atol=1e-5)
    np.testing.assert_allclose(feet_from_pose(again, clip.rotations, clip.bone_offsets), clip.feet, atol=1e-5)
    left = clip.positions[0, 1] - clip.positions[0, 2]
    assert left[0] == pytest.approx(0.0, abs=1e-5)
    assert left[1] > 0.1
    ankles = clip.positions[0, [7, 8]].mean(axis=0)
    np.testing.assert_allclose(ankles[:2], 0.0, atol=1e-5)
    # somebody's foot is on the floor most of the time, and the head is up
    lower = np.minimum(clip.feet[:, :2, 2].mean(axis=-1), clip.feet[:, 2:, 2].mean(axis=-1))
    assert np.percentile(lower, 5) == pytest.approx(0.0, abs=1e-5)
    assert np.median(np.abs(lower)) < 0.08
    assert 1.3 < clip.positions[0, SMPL22.index("head"), 2] < 1.8
    # pelvis and neck lie where SMPL's mean body has them, give or take
    assert 0.06 < -clip.bone_offsets[1, 2] + 0.03 < 0.12
    assert 0.35 < np.linalg.norm(clip.positions[0, 12] - clip.positions[0, 0]) < 0.6


def test_bone_lengths_are_those_of_the_file(cmu):
    bones, _, _ = parse(cmu, "02.asf", "02_01.amc")
    clip = read_asf_amc(cmu / "02.asf", cmu / "02_01.amc")
    for joint, way in {"left_knee": ["lfemur"], "right_ankle": ["rtibia"], "left_wrist": ["lradius", "lwrist"]}.items():
        length = sum(float(bones[bone]["length"][0]) for bone in way) * METRES
        assert np.linalg.norm(clip.bone_offsets[SMPL22.index(joint)]) == pytest.approx(length, abs=1e-4)
    skeleton = read_asf(cmu / "02.asf")
    assert skeleton.metres == pytest.approx(0.0564444, abs=1e-7)
    assert 0.38 < np.linalg.norm(skeleton.bones["lfemur"].vector) < 0.46


def test_a_walk_walks_forward_and_a_squat_goes_down(cmu, hdm05):
    walk = read_asf_amc(cmu / "02.asf", cmu / "02_01.amc")
    travelled = walk.positions[-1, 0] - walk.positions[0, 0]
    assert travelled[0] > 1.0
    assert abs(travelled[1]) < 0.3 * travelled[0]
    # walking speed of adults: Bohannon 1997, 0.9 to 1.8 m/s
    assert 0.9 < travelled[0] / walk.stamps[-1] < 1.8
    squat = read_asf_amc(hdm05 / "HDM_bd.asf", hdm05 / "HDM_bd_squat1Reps_002_120.amc")
    assert np.ptp(squat.positions[:, 0, 2]) > 0.25
    assert np.linalg.norm(np.ptp(squat.feet[:, [1, 3], :2], axis=0), axis=-1).max() < 0.1


def test_other_rates(cmu):
    full = read_asf_amc(cmu / "02.asf", cmu / "02_03.amc", target_fps=None)
    assert full.fps == 120.0
    assert len(full) == 173
    fourth = read_asf_amc(cmu / "02.asf", cmu / "02_03.amc")
    hips, all_hips = (clip.positions[:, 1:3] - clip.positions[:, :1] for clip in (fourth, full))
    np.testing.assert_allclose(hips, all_hips[::4], atol=1e-6)
    between = read_asf_amc(cmu / "02.asf", cmu / "02_03.amc", target_fps=50.0)
    assert between.stamps[-1] <= full.stamps[-1]
    for joint in (4, 7, 20):
        straight = np.stack(
            [np.interp(between.stamps, full.stamps, full.positions[:, joint, axis]) for axis in range(3)], axis=-1
        )
        # a run at 120 Hz: straight lines between frames cut corners by less than 3 mm
        np.testing.assert_allclose(between.positions[:, joint], straight, atol=3e-3)
    for a, b in pairwise(between.stamps):
        assert b - a == pytest.approx(0.02)


def test_open_files_do_as_well_as_paths(cmu):
    from_paths = read_asf_amc(str(cmu / "02.asf"), str(cmu / "02_03.amc"))
    with (cmu / "02.asf").open("rb") as asf, (cmu / "02_03.amc").open(encoding="latin-1") as amc:
        from_files = read_asf_amc(asf, amc)
    np.testing.assert_array_equal(from_files.positions, from_paths.positions)
    assert from_files.subject == from_paths.subject == "02"
