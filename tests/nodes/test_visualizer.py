"""The visualizer node over DDS: what RViz gets of a body, its score and the camera's picture."""

import signal
import time
from dataclasses import replace

import cv2
import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.serialization import deserialize_message, serialize_message
from rosgraph_msgs.msg import Clock
from scipy.spatial.transform import Rotation
from sensor_msgs.msg import CompressedImage, Image, JointState
from std_msgs.msg import String
from tf2_msgs.msg import TFMessage
from visualization_msgs.msg import Marker, MarkerArray

from fitmotion_models.fms import score_clip
from fitmotion_models.mover import make_mover
from fitmotion_models.pose.keypoints import Keypoints
from fitmotion_models.skeleton.joint_sets import JOINT_SETS, SMPL22
from fitmotion_models.skeleton.kinematics import PARENTS
from fitmotion_models.viewer import palette
from fitmotion_models.viewer.human_urdf import FRAMES_BETWEEN, human_urdf, joint_state
from fitmotion_msgs.msg import Assessment, AssessmentState, BodyPose, Skeleton2D
from fitmotion_nodes.conversions import (
    assessment_to_msg,
    body_pose_to_msg,
    header_to_msg,
    keypoints_to_msg,
    stamp_from_msg,
    stamp_to_msg,
    state_to_msg,
)
from fitmotion_nodes.image_conversions import image_to_msg
from fitmotion_nodes.parameters import ParameterError, StreamParameters, frame_qos
from fitmotion_nodes.visualizer import VisualizerNode
from fitmotion_nodes.visualizer_messages import BodyFrames
from fitmotion_nodes.visualizer_parameters import VisualizerParameters

LOSSLESS = frame_qos(StreamParameters(lossless=True))
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
SECOND = 1_000_000_000


@pytest.fixture
def shown(ros):
    """A graph with the node and a way to show it poses; what it says is heard when it is asked for."""

    class Shown:
        def __init__(self, **parameters) -> None:
            self.graph = ros(**parameters)
            self.frames = self.graph.hear(TFMessage, "/tf")
            self.reports = self.graph.hear(DiagnosticArray, "/diagnostics")
            self.node = self.graph.add(VisualizerNode())
            self.poses = None if parameters.get("lossless") else self.graph.talk(BodyPose, "body_pose")
            self.graph.until(lambda: self.node._tf_publisher.get_subscription_count() > 0)

        def hear_markers(self):
            markers = self.graph.hear(MarkerArray, "markers")
            self.graph.until(lambda: self.node._marker_publisher.get_subscription_count() > 0)
            return markers

        def show(self, pose, frame_id: str = "world") -> None:
            """Send a pose and wait until its frames have come."""
            before = len(self.frames)
            self.poses.publish(body_pose_to_msg(pose, frame_id))
            self.graph.until(lambda: len(self.frames) > before)

        def values(self):
            return self.graph.values("visualizer", self.reports)

    return Shown


@pytest.fixture(scope="module")
def clip():
    return make_mover("squat_shallow")


def pose_of(transform) -> tuple[np.ndarray, Rotation]:
    at, turn = transform.transform.translation, transform.transform.rotation
    return np.array([at.x, at.y, at.z]), Rotation.from_quat([turn.x, turn.y, turn.z, turn.w])


def by_name(message: TFMessage):
    return {transform.child_frame_id: pose_of(transform) for transform in message.transforms}


def markers_after(heard) -> dict[tuple[str, int], Marker]:
    """What a viewer has after these messages, as RViz treats them."""
    current: dict[tuple[str, int], Marker] = {}
    for array in heard:
        keys = [(marker.ns, marker.id) for marker in array.markers]
        assert len(keys) == len(set(keys))  # RViz reports duplicates as an error
        for marker in array.markers:
            if marker.action == Marker.DELETEALL:
                current.clear()
            elif marker.action == Marker.DELETE:
                current.pop((marker.ns, marker.id), None)
            else:
                current[marker.ns, marker.id] = marker
    return current


# ---- frames ----


def test_every_pose_is_one_message_of_all_its_frames(shown, clip) -> None:
    visualizer = shown()
    for index in range(0, 60, 6):
        visualizer.show(clip.frame(index))
    assert len(visualizer.frames) == 10
    for index, message in zip(range(0, 60, 6), visualizer.frames, strict=True):
        pose = clip.frame(index)
        assert {transform.header.frame_id for transform in message.transforms} == {"world"}
        (stamp,) = {stamp_from_msg(transform.header.stamp) for transform in message.transforms}
        assert stamp == pytest.approx(pose.stamp, abs=1e-9)
        frames = by_name(message)
        assert list(frames) == [f"mover/{name}" for name in SMPL22.joints]
        for joint, name in enumerate(SMPL22.joints):
            place, turn = frames[f"mover/{name}"]
            np.testing.assert_array_equal(place, pose.positions[joint])
            if joint:
                parent_place, parent_turn = frames[f"mover/{SMPL22.joints[PARENTS[joint]]}"]
                np.testing.assert_allclose(parent_place + parent_turn.apply(pose.bone_offsets[joint]), place, atol=1e-5)
                local = Rotation.from_quat(pose.rotations[joint])
                assert (turn.inv() * parent_turn * local).magnitude() < 1e-5


@pytest.mark.parametrize("frame_id", ["world", "a", "rig_1/floor"])  # lengths that need other gaps
@pytest.mark.parametrize("between", [False, True])
def test_frames_written_as_bytes_are_what_the_middleware_would_have_written(clip, frame_id, between) -> None:
    pose = clip.frame(40)
    header = header_to_msg(pose.stamp, frame_id)
    data = BodyFrames("lab_1/anna/").message(pose, header, between=between)
    message = deserialize_message(data, TFMessage)
    assert len(message.transforms) == (22 + 2 * 21 if between else 22)
    assert {transform.header.frame_id for transform in message.transforms} == {frame_id}
    assert all(transform.header.stamp == header.stamp for transform in message.transforms)
    assert message.transforms[4].child_frame_id == f"lab_1/anna/{SMPL22.joints[4]}"
    np.testing.assert_array_equal(pose_of(message.transforms[4])[0], pose.positions[4])
    assert len(serialize_message(message)) == len(data)  # but for what lies in the gaps they are the same bytes


def test_what_is_unseen_has_no_frame(shown, clip) -> None:
    pose = clip.frame(0)
    arrays = {name: getattr(pose, name).copy() for name in ("positions", "rotations", "confidence")}
    hidden = [SMPL22.index(f"left_{joint}") for joint in ("shoulder", "elbow", "wrist")]
    arrays["positions"][hidden] = arrays["rotations"][hidden] = np.nan
    arrays["confidence"][hidden] = 0.0
    visualizer = shown(subject_prefix="lab_")
    visualizer.show(replace(pose, **arrays))
    names = set(by_name(visualizer.frames[0]))
    assert names == {f"lab_mover/{name}" for index, name in enumerate(SMPL22.joints) if index not in hidden}
    quaternions = [turn.as_quat() for _, turn in by_name(visualizer.frames[0]).values()]
    assert np.isfinite(quaternions).all()


def test_the_description_and_the_joint_states_are_the_body(shown, clip) -> None:
    visualizer = shown()
    states = visualizer.graph.hear(JointState, "joint_states")
    visualizer.graph.until(lambda: visualizer.node._joint_publisher.get_subscription_count() > 0)
    visualizer.show(clip.frame(0))
    late = visualizer.graph.hear(String, "robot_description", LATCHED)
    visualizer.graph.until(lambda: late)
    visualizer.show(clip.frame(70))
    visualizer.graph.until(lambda: len(states) == 2)
    pose = clip.frame(70)
    assert late[0].data == human_urdf(pose.bone_offsets, name="mover", link_prefix="mover/")
    assert len(late) == 1  # the bones have not changed
    expected = joint_state(pose.rotations, pose.confidence > 0)
    assert (list(states[1].name), list(states[1].position)) == (expected.names, expected.angles)
    assert stamp_from_msg(states[1].header.stamp) == pytest.approx(pose.stamp, abs=1e-9)
    # with somebody looking at the description, TF has every one of its links
    links = {line.split('"')[1] for line in late[0].data.splitlines() if "<link name" in line}
    assert set(by_name(visualizer.frames[1])) == links
    assert len(visualizer.frames[0].transforms) == 22 and len(links) == 22 + len(FRAMES_BETWEEN)


def test_bones_that_change_are_described_again_but_not_with_every_pose(shown, clip) -> None:
    visualizer = shown()
    described = visualizer.graph.hear(String, "robot_description", LATCHED)
    pose = clip.frame(0)
    for index in range(45):
        longer = pose.bone_offsets * np.float32(1 + 0.001 * index)
        visualizer.show(replace(pose, bone_offsets=longer, stamp=index / 30))
    visualizer.graph.until(lambda: len(described) == 2)
    assert described[1].data == human_urdf(pose.bone_offsets * np.float32(1.03), name="mover", link_prefix="mover/")


# ---- markers ----


def test_a_viewer_has_the_body_where_it_is_and_only_changes_are_sent(shown, clip) -> None:
    visualizer = shown()
    heard = visualizer.hear_markers()
    pose = clip.frame(0)
    for index in range(5):  # a body that stands like a stone
        visualizer.show(replace(pose, stamp=index / 30))
    visualizer.graph.spin_for(0.1)
    assert len(heard) == 1
    current = markers_after(heard)
    joints = current["mover/body", 1]
    assert (joints.type, joints.header.frame_id) == (Marker.SPHERE_LIST, "world")
    points = np.array([(point.x, point.y, point.z) for point in joints.points])
    np.testing.assert_array_equal(points, np.concatenate([pose.positions, pose.feet]))
    assert len(joints.colors) == len(joints.points)
    assert current["mover/score", 1].text.startswith("Deep squat") or current["mover/score", 1].text.startswith("Move")
    moved = pose.positions + np.float32([0.01, 0, 0])
    visualizer.show(replace(pose, positions=moved, stamp=6 / 30))
    visualizer.graph.until(lambda: len(heard) == 2)
    sent = {(marker.ns, marker.id) for marker in heard[1].markers}
    assert ("mover/body", 1) in sent and ("mover/score", 1) not in sent
    visualizer.show(replace(pose, positions=moved, stamp=3.0))
    visualizer.graph.until(lambda: len(heard) == 3)
    assert {(marker.ns, marker.id) for marker in heard[2].markers} == set(markers_after(heard))


def test_who_is_lost_is_taken_away_and_comes_back(shown, clip) -> None:
    visualizer = shown(subject_timeout_s=0.3, use_sim_time=True)
    clock = visualizer.graph.talk(Clock, "/clock")
    heard = visualizer.hear_markers()
    anna, bert = (replace(clip.frame(0), subject=name) for name in ("anna", "bert"))

    def at(seconds: float) -> None:
        """The node's time is the test's, so that a busy machine loses nobody."""
        clock.publish(Clock(clock=stamp_to_msg(seconds)))
        visualizer.graph.until(lambda: visualizer.node.get_clock().now().nanoseconds == round(seconds * SECOND))

    def in_view(*names: str) -> None:
        visualizer.graph.until(lambda: {ns.split("/")[0] for ns, _ in markers_after(heard)} == set(names))

    at(1.0)
    visualizer.show(replace(anna, stamp=1.0))
    visualizer.show(replace(bert, stamp=1.0))
    in_view("anna", "bert")
    before = len(visualizer.frames)
    for seconds in (1.2, 1.25, 1.45):
        at(seconds)
        visualizer.show(replace(bert, stamp=seconds))
    in_view("bert")
    deleted = [marker for array in heard for marker in array.markers if marker.action == Marker.DELETE]
    assert {marker.ns.split("/")[0] for marker in deleted} == {"anna"}
    frames = {name.split("/")[0] for message in visualizer.frames[before:] for name in by_name(message)}
    assert frames == {"bert"}
    at(2.0)
    in_view()
    visualizer.show(replace(anna, stamp=2.0))
    in_view("anna")


def test_a_second_viewer_gets_everything(shown, clip) -> None:
    visualizer = shown()
    first = visualizer.hear_markers()
    visualizer.show(replace(clip.frame(0), subject="anna"))
    visualizer.show(replace(clip.frame(0), subject="bert"))
    visualizer.graph.until(lambda: len(first) == 2)
    second = visualizer.graph.hear(MarkerArray, "markers")
    visualizer.graph.until(lambda: visualizer.node._marker_publisher.get_subscription_count() == 2)
    visualizer.show(replace(clip.frame(2), subject="anna"))  # markers go with every second pose
    visualizer.graph.until(lambda: second)
    assert second[0].markers[0].action == Marker.DELETEALL
    assert set(markers_after(second)) == set(markers_after(first))
    assert {ns.split("/")[0] for ns, _ in markers_after(second)} == {"anna", "bert"}


def test_without_a_viewer_no_markers_are_made(shown, clip) -> None:
    visualizer = shown()
    visualizer.show(clip.frame(0))
    assert len(visualizer.node._people["mover"].board) == 0


def test_angles_can_be_switched_off_while_it_runs(shown, clip) -> None:
    from rclpy.parameter import Parameter

    visualizer = shown()
    heard = visualizer.hear_markers()
    visualizer.show(clip.frame(70))
    visualizer.graph.until(lambda: any(ns == "mover/angles" for ns, _ in markers_after(heard)))
    (answer,) = visualizer.node.set_parameters([Parameter("angles", value=False)])
    assert answer.successful, answer.reason
    visualizer.show(clip.frame(71))
    visualizer.graph.until(lambda: not any(ns == "mover/angles" for ns, _ in markers_after(heard)))


@pytest.mark.slow
def test_a_run_shows_what_fails_in_red_and_the_score(shown, run_node_process, clip) -> None:
    """A mover's poses through our scorer, a process of its own; lossless, so that every pose counts."""
    visualizer = shown(lossless=True)
    graph, heard = visualizer.graph, visualizer.hear_markers()
    states = graph.hear(AssessmentState, "fms/state", LOSSLESS)
    fms = run_node_process("fms", lossless=True)
    poses = graph.node.create_publisher(BodyPose, "body_pose", LOSSLESS)
    graph.until(lambda: poses.get_subscription_count() == 2, patience=60)
    graph.until(lambda: visualizer.node.count_publishers("fms/assessment") == 1, patience=60)
    moments = list(clip)[:180]  # a repetition, and down again
    for index, pose in enumerate(moments):
        graph.until(lambda index=index: index - len(states) < 2 and index - len(visualizer.frames) < 2)
        poses.publish(body_pose_to_msg(pose))
    graph.until(lambda: len(visualizer.frames) == len(moments))
    stamps = [stamp_from_msg(message.transforms[0].header.stamp) for message in visualizer.frames]
    np.testing.assert_allclose(stamps, clip.stamps[: len(moments)], atol=1e-9)
    (result, *_) = score_clip(clip)
    graph.until(lambda: "Deep squat: 1 repetition, descending" in said(heard))
    assert result.repetition == 1 and f"score {result.score}" in said(heard)
    red = [marker for array in heard for marker in array.markers if marker.ns == "mover/criteria"]
    added = [marker for marker in red if marker.action == Marker.ADD]
    assert {marker.id for marker in added} == {3, 4, 5}  # the second of the table: the depth
    assert {round(marker.color.r, 2) for marker in added} == {palette.FAULT[0]}
    assert any(marker.action == Marker.DELETE for marker in red)  # gone while the next one goes down
    thighs = next(marker for marker in added if marker.id == 3)
    stamp = stamp_from_msg(thighs.header.stamp)
    pose = clip.frame(int(np.abs(clip.stamps - stamp).argmin()))
    ends = [(point.x, point.y, point.z) for point in thighs.points]
    joints = [SMPL22.index(f"{side}_{joint}") for side in ("left", "right") for joint in ("hip", "knee")]
    np.testing.assert_allclose(ends, pose.positions[joints], atol=1e-6)
    fms.send_signal(signal.SIGINT)  # a process that is killed leaves its shared memory to those who come after it
    fms.communicate(timeout=60)


def said(heard) -> list[str]:
    return [marker.text for array in heard for marker in array.markers if marker.type == Marker.TEXT_VIEW_FACING]


# ---- overlay ----

JOINTS = JOINT_SETS["coco17"].joints


def camera_frame(stamp: float, size: tuple[int, int] = (640, 480)):
    """A grey image and a skeleton in its middle, of one instant."""
    header = header_to_msg(stamp, "camera_optical_frame")
    image = np.full((size[1], size[0], 3), 120, np.uint8)
    image[:, :, 0] = 160  # RGB: a reddish grey, so that swapped channels show
    pixels = np.zeros((len(JOINTS), 2), np.float32)
    for index, name in enumerate(JOINTS):
        side = -1 if name.startswith("right") else 1 if name.startswith("left") else 0
        height = {"hip": 0.55, "knee": 0.7, "ankle": 0.85, "shoulder": 0.3, "elbow": 0.4, "wrist": 0.5}
        row = height.get(name.rpartition("_")[2], 0.22)
        pixels[index] = size[0] * (0.5 + 0.08 * side), size[1] * row
    keypoints = Keypoints("coco17", pixels, np.full(len(JOINTS), 0.9, np.float32), None)
    skeleton = keypoints_to_msg(keypoints, header, width=size[0], height=size[1], joint_set="coco17", subject="anna")
    return image_to_msg(image, header), skeleton, pixels


def picture(msg: CompressedImage) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(msg.data, np.uint8), cv2.IMREAD_COLOR)


def is_plain(image: np.ndarray) -> bool:
    """Whether this is the camera's grey and nothing else, as far as JPEG keeps it; BGR."""
    return bool((np.abs(image.astype(int) - (120, 120, 160)) < 12).all())


@pytest.fixture
def watched(shown):
    """The node with somebody who looks at the overlay, a camera and a pose node."""

    def watch(**parameters):
        visualizer = shown(**parameters)
        visualizer.pictures = visualizer.graph.hear(CompressedImage, "overlay/compressed")
        visualizer.images = visualizer.graph.talk(Image, "image_raw")
        visualizer.skeletons = visualizer.graph.talk(Skeleton2D, "skeleton_2d")
        return visualizer

    return watch


def test_the_picture_has_the_skeleton_of_its_own_instant(watched) -> None:
    visualizer = watched()
    first, second = camera_frame(10.0), camera_frame(10.2)
    for image, skeleton, _ in (first, second):
        visualizer.images.publish(image)
        visualizer.graph.spin_for(0.1)
        assert not [msg for msg in visualizer.pictures if msg.header.stamp == image.header.stamp]
        visualizer.skeletons.publish(skeleton)
        at = image.header.stamp
        visualizer.graph.until(lambda at=at: [msg for msg in visualizer.pictures if msg.header.stamp == at])
    assert visualizer.pictures[0].format == "bgr8; jpeg compressed bgr8"
    image, pixels = picture(visualizer.pictures[0]), first[2]
    assert image.shape == (480, 640, 3)
    thigh = pixels[[JOINTS.index("left_hip"), JOINTS.index("left_knee")]].mean(0).astype(int)
    blue, _, red = image[thigh[1], thigh[0]].astype(int)
    assert blue > red + 60  # the person's left is blue
    assert is_plain(image[400:, :200])  # where nothing is drawn


def test_a_pose_that_is_behind_the_camera_still_gets_its_own_picture(watched) -> None:
    """The newest image is kept until its skeleton comes; those between are not shown."""
    visualizer = watched()
    frames = [camera_frame(10.0 + index / 10) for index in range(6)]
    for (image, _, _), (_, late, _) in zip(frames[2:], frames, strict=False):
        visualizer.images.publish(image)
        visualizer.graph.spin_for(0.05)
        visualizer.skeletons.publish(late)
        visualizer.graph.spin_for(0.05)
    (shown,) = visualizer.pictures
    assert stamp_from_msg(shown.header.stamp) == pytest.approx(10.2)


def test_the_picture_tells_the_score_and_what_fails(watched, clip) -> None:
    visualizer = watched()
    (assessment, *_) = score_clip(clip)
    states = visualizer.graph.talk(AssessmentState, "fms/state")
    results = visualizer.graph.talk(Assessment, "fms/assessment")
    image, skeleton, pixels = camera_frame(10.0)
    visualizer.images.publish(image)
    visualizer.skeletons.publish(skeleton)
    visualizer.graph.until(lambda: len(visualizer.pictures) == 1)
    told = replace(assessment, subject="anna")
    state = AssessmentState(movement=int(told.movement), subject="anna", phase=AssessmentState.PHASE_STANDING)
    state.header = header_to_msg(10.0, "world")
    states.publish(state)
    results.publish(assessment_to_msg(told))
    visualizer.graph.until(lambda: "anna" in visualizer.node._tests and visualizer.node._tests["anna"].score == 1)
    image, skeleton, pixels = camera_frame(10.2)
    visualizer.images.publish(image)
    visualizer.skeletons.publish(skeleton)
    visualizer.graph.until(lambda: len(visualizer.pictures) == 2)
    before, after = (picture(msg).astype(int) for msg in visualizer.pictures)
    knee = pixels[JOINTS.index("left_knee")].astype(int)
    assert after[knee[1], knee[0], 2] > after[knee[1], knee[0], 0] + 100  # red, the depth failed
    assert before[knee[1], knee[0], 0] > 180  # it was a white dot
    badge = after[20:72, 20:70].reshape(-1, 3)
    assert ((badge[:, 2] > 200) & (badge[:, 0] < 100)).sum() > 500


def test_who_is_not_assessed_is_grey_and_the_view_is_spoken_of(watched) -> None:
    visualizer = watched()
    states = visualizer.graph.talk(AssessmentState, "fms/state")
    reports = visualizer.graph.talk(DiagnosticArray, "/diagnostics")
    visualizer.graph.until(lambda: visualizer.node.count_subscribers("/diagnostics") > 0)
    image, first, pixels = camera_frame(10.0)
    other = pixels * np.float32(0.6) + np.float32((380.0, 150.0))
    keypoints = Keypoints("coco17", other, np.full(len(JOINTS), 0.9, np.float32), None)
    about = {"width": 640, "height": 480, "joint_set": "coco17", "subject": "person_2", "following": 1}
    second = keypoints_to_msg(keypoints, image.header, **about)
    state = AssessmentState(subject="person_2", header=header_to_msg(10.0, "world"))  # unknown movement and phase
    states.publish(state)
    status = DiagnosticStatus(name="pose", values=[KeyValue(key="guidance", value="The picture is too dark: x; y")])
    reports.publish(DiagnosticArray(status=[status]))
    visualizer.graph.until(lambda: visualizer.node._painter._guidance if visualizer.node._painter else False)
    visualizer.images.publish(image)
    visualizer.graph.spin_for(0.1)
    visualizer.skeletons.publish(second)
    visualizer.graph.spin_for(0.2)
    assert not visualizer.pictures  # the first person's skeleton follows
    visualizer.skeletons.publish(first)
    visualizer.graph.until(lambda: visualizer.pictures)
    shown = picture(visualizer.pictures[0]).astype(int)
    thigh = [JOINTS.index("left_hip"), JOINTS.index("left_knee")]
    for places, coloured in ((pixels, True), (other, False)):
        x, y = places[thigh].mean(0).astype(int)
        blue, _, red = shown[y - 1 : y + 2, x - 1 : x + 2].mean((0, 1))
        assert bool(blue > red + 60) is coloured
    assert not is_plain(shown[88:112, 12:200]) and is_plain(shown[200:380, 12:120])  # the sentence, under the header


def test_images_are_taken_only_while_somebody_looks(shown) -> None:
    visualizer = shown()
    visualizer.graph.spin_for(0.3)
    assert visualizer.node.count_subscribers("image_raw") == 0
    looking = visualizer.graph.node.create_subscription(CompressedImage, "overlay/compressed", lambda msg: None, 10)
    visualizer.graph.until(lambda: visualizer.node.count_subscribers("image_raw") == 1)
    visualizer.graph.node.destroy_subscription(looking)
    visualizer.graph.until(lambda: visualizer.node.count_subscribers("image_raw") == 0)
    pictures = visualizer.graph.hear(CompressedImage, "overlay/compressed")
    images = visualizer.graph.talk(Image, "image_raw")
    skeletons = visualizer.graph.talk(Skeleton2D, "skeleton_2d")
    image, skeleton, _ = camera_frame(1.0)
    images.publish(image)
    visualizer.graph.spin_for(0.1)
    skeletons.publish(skeleton)
    visualizer.graph.until(lambda: pictures)


def test_pictures_keep_to_their_rate_and_size(watched) -> None:
    visualizer = watched(overlay_fps=5.0, overlay_side=320)
    began = time.monotonic()
    for index in range(40):
        image, skeleton, _ = camera_frame(5.0 + index / 30)
        visualizer.images.publish(image)
        visualizer.graph.spin_for(0.02)
        visualizer.skeletons.publish(skeleton)
        visualizer.graph.spin_for(0.02)
    assert 3 <= len(visualizer.pictures) <= 5.0 * (time.monotonic() - began) + 1
    assert picture(visualizer.pictures[0]).shape == (240, 320, 3)


def test_without_a_pose_node_the_picture_is_the_cameras(watched) -> None:
    visualizer = watched()
    for index in range(10):
        image, _, _ = camera_frame(1.0 + index / 10)
        visualizer.images.publish(image)
        visualizer.graph.spin_for(0.03)
    visualizer.graph.until(lambda: visualizer.pictures)
    assert is_plain(picture(visualizer.pictures[0]))


def test_nobody_in_the_picture_is_said(watched) -> None:
    visualizer = watched()
    image, _, _ = camera_frame(1.0)
    nobody = keypoints_to_msg(None, image.header, width=640, height=480, joint_set="coco17", subject="anna")
    visualizer.images.publish(image)
    visualizer.graph.spin_for(0.1)
    visualizer.skeletons.publish(nobody)
    visualizer.graph.until(lambda: visualizer.pictures)
    shown = picture(visualizer.pictures[0])
    assert is_plain(shown[200:380])
    assert (shown[430:] > 230).all(-1).sum() > 100  # words


# ---- what goes wrong ----


def test_bad_messages_are_counted_and_the_node_lives(watched, clip) -> None:
    visualizer = watched()
    pose = body_pose_to_msg(clip.frame(0))
    broken = body_pose_to_msg(clip.frame(0))
    broken.positions = np.full(66, np.nan, np.float32)
    elsewhere = body_pose_to_msg(clip.frame(0), frame_id="camera_optical_frame")
    for message in (broken, elsewhere, BodyPose(), pose):
        visualizer.poses.publish(message)
    states = visualizer.graph.talk(AssessmentState, "fms/state")
    states.publish(AssessmentState(subject="anna", phase=77))
    image, skeleton, _ = camera_frame(1.0)
    image.encoding = "yuv9"
    visualizer.images.publish(image)
    visualizer.graph.spin_for(0.1)
    visualizer.skeletons.publish(skeleton)
    visualizer.graph.until(lambda: visualizer.values().get("bad_messages") == "5")
    assert len(visualizer.frames) == 1
    assert (visualizer.values()["frames_in"], visualizer.values()["frames_out"]) == ("4", "1")
    visualizer.show(clip.frame(1))


def test_a_recording_that_starts_over_is_shown_again(shown, clip) -> None:
    visualizer = shown()
    heard = visualizer.hear_markers()
    scored = visualizer.graph.talk(AssessmentState, "fms/state")
    for stamp in (100.0, 1.0):
        scored.publish(state_to_msg(state_at(stamp), header_to_msg(stamp, "world")))
        visualizer.show(replace(clip.frame(0), stamp=stamp))
    visualizer.graph.until(lambda: len(heard) == 2)
    assert markers_after(heard)["mover/body", 0].header.stamp.sec == 1


def state_at(stamp: float):
    from fitmotion_models.fms.values import AssessmentState as State
    from fitmotion_models.fms.values import Movement, Phase, Side

    return State(stamp, "mover", Movement.DEEP_SQUAT, Side.BOTH, Phase.STANDING, 0.0, ())


def test_it_reports_itself(shown, clip) -> None:
    visualizer = shown()
    now = visualizer.node.get_clock().now().nanoseconds / SECOND
    visualizer.show(replace(clip.frame(0), stamp=now))
    visualizer.graph.until(lambda: "latency_p50_ms" in visualizer.values())
    assert 0.0 < float(visualizer.values()["latency_p50_ms"]) < 5000.0
    assert any("showing mover" in status.message for report in visualizer.reports for status in report.status)


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"subject_prefix": "/lab_"}, "cannot begin the name of a TF frame"),
        ({"subject_prefix": "my lab"}, "cannot begin the name of a TF frame"),
        ({"model_subject": "anna b"}, "cannot name a person"),
        ({"overlay_fps": 0.0}, "overlay_fps=0.0 is out of range"),
        ({"subject_timeout_s": -1.0}, "subject_timeout_s=-1.0 is out of range"),
        ({"jpeg_quality": 101}, "jpeg_quality=101 is out of range"),
    ],
)
def test_wrong_parameters_are_refused_in_a_sentence(parameters, sentence) -> None:
    with pytest.raises(ParameterError, match=sentence):
        VisualizerParameters(**parameters)


@pytest.mark.parametrize("prefix", ["", "lab_", "rig_1/", "a/b_"])
def test_prefixes_that_are_good(prefix) -> None:
    assert VisualizerParameters(subject_prefix=prefix).subject_prefix == prefix


def test_wrong_parameters_end_the_process_with_one_line_and_status_2(run_node_process) -> None:
    process = run_node_process("visualizer", subject_prefix="/lab")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "subject_prefix='/lab'" in errors and len(errors.strip().splitlines()) == 1, errors


def test_ctrl_c_ends_the_process_cleanly(run_node_process, ros) -> None:
    graph = ros()
    process = run_node_process("visualizer")
    graph.until(lambda: graph.node.count_publishers("/tf") > 0, patience=60)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "Traceback" not in errors
