"""The person's URDF: read by parsers that we did not write, and put by its joint angles where the body is."""

import io
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from fitmotion_models.mover import make_mover
from fitmotion_models.skeleton.joint_sets import SMPL22
from fitmotion_models.skeleton.kinematics import REST_OFFSETS, forward_kinematics
from fitmotion_models.viewer.human_urdf import (
    AXES,
    FRAMES_BETWEEN,
    JOINT_NAMES,
    euler_angles,
    frames_between,
    human_urdf,
    joint_state,
)

EVERYTHING = np.ones(22, bool)
seeds = st.integers(0, 2**32 - 1)


def random_body(seed: int, spread: float = 3.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Root position, local quaternions and bones of somebody who is neither human nor symmetric."""
    random = np.random.default_rng(seed)
    rotations = Rotation.from_rotvec(random.uniform(-spread, spread, (22, 3)) / np.sqrt(3)).as_quat()
    return random.normal(size=3), rotations, REST_OFFSETS * random.uniform(0.7, 1.3, (22, 1))


def urdf_frames(text: str, angles: dict[str, float]) -> dict[str, np.ndarray]:
    """Every link's 4x4 pose in the root link, by the URDF specification: origin, then the turn about the axis."""
    robot = ElementTree.fromstring(text)
    joints = robot.findall("joint")
    children = {joint.find("child").get("link") for joint in joints}
    (root,) = [link.get("name") for link in robot.findall("link") if link.get("name") not in children]
    frames = {root: np.eye(4)}
    while len(frames) < len(robot.findall("link")):
        for joint in joints:
            parent, child = joint.find("parent").get("link"), joint.find("child").get("link")
            if parent in frames and child not in frames:
                step, turn = np.eye(4), np.eye(4)
                origin = joint.find("origin")
                step[:3, 3] = [float(number) for number in origin.get("xyz").split()]
                step[:3, :3] = Rotation.from_euler("xyz", [float(x) for x in origin.get("rpy").split()]).as_matrix()
                axis = np.array([float(number) for number in joint.find("axis").get("xyz").split()])
                turn[:3, :3] = Rotation.from_rotvec(angles.get(joint.get("name"), 0.0) * axis).as_matrix()
                frames[child] = frames[parent] @ step @ turn
    return frames


def world_pose(position: np.ndarray, quaternion: np.ndarray) -> np.ndarray:
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = Rotation.from_quat(quaternion).as_matrix(), position
    return pose


@given(seed=seeds)
@settings(max_examples=25, deadline=None)
def test_the_joint_states_put_the_description_where_the_body_is(seed) -> None:
    root, rotations, bones = random_body(seed)
    state = joint_state(rotations, EVERYTHING)
    assert state.names == list(JOINT_NAMES)
    frames = urdf_frames(human_urdf(bones), dict(zip(state.names, state.angles, strict=True)))
    positions = forward_kinematics(root, rotations, bones)
    pelvis = world_pose(root, rotations[0])
    for joint, name in enumerate(SMPL22.joints):
        np.testing.assert_allclose((pelvis @ frames[name])[:3, 3], positions[joint], atol=2e-6)


def test_published_poses_of_a_whole_clip_are_those_of_the_description() -> None:
    clip = make_mover("squat_arms_fall")
    text = human_urdf(clip.bone_offsets)
    for index in range(0, len(clip), 15):
        pose = clip.frame(index)
        state = joint_state(pose.rotations, pose.confidence > 0)
        frames = urdf_frames(text, dict(zip(state.names, state.angles, strict=True)))
        pelvis = world_pose(pose.positions[0], pose.rotations[0])
        places = [(pelvis @ frames[name])[:3, 3] for name in SMPL22.joints]
        np.testing.assert_allclose(places, pose.positions, atol=1e-5)


@given(seed=seeds)
@settings(max_examples=25, deadline=None)
def test_the_frames_between_are_those_of_the_description(seed) -> None:
    _, rotations, bones = random_body(seed)
    state = joint_state(rotations, EVERYTHING)
    frames = urdf_frames(human_urdf(bones), dict(zip(state.names, state.angles, strict=True)))
    for name, quaternion in zip(FRAMES_BETWEEN, frames_between(rotations), strict=True):
        expected = Rotation.from_quat(rotations[0]) * Rotation.from_matrix(frames[name][:3, :3])
        assert (expected.inv() * Rotation.from_quat(quaternion)).magnitude() < 1e-6


@given(seed=seeds)
@settings(max_examples=50, deadline=None)
def test_angles_are_those_of_scipy(seed) -> None:
    _, rotations, _ = random_body(seed, spread=1.4)
    angles = euler_angles(rotations)
    for joint, axes in enumerate(AXES):
        expected = Rotation.from_quat(rotations[joint]).as_euler(axes.upper())  # capitals: about the turned axes
        np.testing.assert_allclose(angles[joint], expected, atol=1e-9)


@pytest.mark.parametrize("middle", [90.0, -90.0])
@pytest.mark.parametrize("first", [0.0, 40.0, -170.0])
def test_at_the_singularity_the_pose_still_holds(middle, first) -> None:
    rotations = np.stack([Rotation.from_euler(a.upper(), [first, middle, 25.0], degrees=True).as_quat() for a in AXES])
    for joint, axes in enumerate(AXES):
        back = Rotation.from_euler(axes.upper(), euler_angles(rotations)[joint])
        assert (back.inv() * Rotation.from_quat(rotations[joint])).magnitude() < 1e-6


def test_a_bent_knee_is_one_angle() -> None:
    rotations = np.tile((0.0, 0.0, 0.0, 1.0), (22, 1))
    rotations[SMPL22.index("left_knee")] = Rotation.from_euler("y", 120, degrees=True).as_quat()
    state = joint_state(rotations, EVERYTHING)
    bent = {name: np.rad2deg(angle) for name, angle in zip(state.names, state.angles, strict=True) if abs(angle) > 1e-9}
    assert bent == {"left_knee_y": pytest.approx(120.0)}


def test_a_parser_of_others_reads_it_and_agrees() -> None:
    yourdfpy = pytest.importorskip("yourdfpy")
    pose = make_mover("squat_knees_in").frame(80)
    text = human_urdf(pose.bone_offsets, name="anna", link_prefix="anna/")
    robot = yourdfpy.URDF.load(io.BytesIO(text.encode()), load_meshes=False)
    assert robot.validate(), robot.errors
    assert (robot.robot.name, robot.base_link) == ("anna", "anna/pelvis")
    assert sorted(robot.actuated_joint_names) == sorted(JOINT_NAMES)
    state = joint_state(pose.rotations, EVERYTHING)
    robot.update_cfg(dict(zip(state.names, state.angles, strict=True)))
    pelvis = world_pose(pose.positions[0], pose.rotations[0])
    for joint, name in enumerate(SMPL22.joints):
        place = (pelvis @ robot.get_transform(f"anna/{name}", "anna/pelvis"))[:3, 3]
        np.testing.assert_allclose(place, pose.positions[joint], atol=1e-5)


def test_it_is_well_formed_and_every_joint_has_flesh() -> None:
    robot = ElementTree.fromstring(human_urdf(REST_OFFSETS, link_prefix="lab_anna/"))
    links = [link.get("name") for link in robot.findall("link")]
    assert len(links) == len(set(links)) == 22 + len(FRAMES_BETWEEN)
    assert {f"lab_anna/{name}" for name in (*SMPL22.joints, *FRAMES_BETWEEN)} == set(links)
    assert [joint.get("name") for joint in robot.findall("joint")] == list(JOINT_NAMES)
    materials = {material.get("name") for material in robot.findall("material")}
    visuals = robot.findall("link/visual")
    assert {visual.find("material").get("name") for visual in visuals} <= materials
    with_flesh = {link.get("name") for link in robot.findall("link") if link.findall("visual")}
    assert with_flesh == {f"lab_anna/{name}" for name in SMPL22.joints}
    shapes = [item for item in robot.iter() if item.tag in ("sphere", "cylinder")]
    assert min(float(value) for shape in shapes for value in shape.attrib.values()) > 0.0


def test_a_visual_limb_reaches_from_joint_to_joint() -> None:
    robot = ElementTree.fromstring(human_urdf(REST_OFFSETS))
    (thigh,) = [link for link in robot.findall("link") if link.get("name") == "left_hip"]
    (visual,) = [one for one in thigh.findall("visual") if one.find("geometry/cylinder") is not None]
    origin, length = visual.find("origin"), float(visual.find("geometry/cylinder").get("length"))
    centre = np.array([float(number) for number in origin.get("xyz").split()])
    # URDF: roll, pitch, yaw about the fixed axes; a cylinder lies along its z
    axis = Rotation.from_euler("xyz", [float(x) for x in origin.get("rpy").split()]).apply([0.0, 0.0, 1.0])
    np.testing.assert_allclose(centre + 0.5 * length * axis, REST_OFFSETS[SMPL22.index("left_knee")], atol=1e-4)
    np.testing.assert_allclose(centre - 0.5 * length * axis, 0.0, atol=1e-4)


def test_unseen_limbs_are_left_out_and_what_carries_a_seen_one_is_straight() -> None:
    pose = make_mover("squat").frame(60)
    rotations, seen = pose.rotations.copy(), np.ones(22, bool)
    for name in ("left_shoulder", "left_elbow", "left_wrist"):
        rotations[SMPL22.index(name)], seen[SMPL22.index(name)] = np.nan, False
    rotations[SMPL22.index("right_knee")] = np.nan  # its ankle and foot are seen
    state = joint_state(rotations, seen)
    missing = {name.rpartition("_")[0] for name in set(JOINT_NAMES) - set(state.names)}
    assert missing == {"left_shoulder", "left_elbow", "left_wrist"}
    angles = dict(zip(state.names, state.angles, strict=True))
    assert all(angles[f"right_knee_{axis}"] == 0.0 for axis in "xyz")
    assert np.isfinite(state.angles).all()


@pytest.mark.parametrize("offsets", [np.full((22, 3), np.nan), np.zeros((21, 3))])
def test_bones_that_are_none_are_refused(offsets) -> None:
    with pytest.raises(ValueError, match=r"finite bone offsets \(22, 3\)"):
        human_urdf(offsets)


def test_names_with_signs_of_xml_stay_names() -> None:
    robot = ElementTree.fromstring(human_urdf(REST_OFFSETS, name='<a&"b">'))
    assert robot.get("name") == '<a&"b">'
