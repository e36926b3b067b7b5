"""The pose node: one answer for every image, bodies where there are any, and no image that can bring it down."""

import os
from pathlib import Path

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from fitmotion_models.mover import make_mover
from fitmotion_models.pose.backends import make_backend
from fitmotion_models.pose.body_estimator import BodyEstimator
from fitmotion_models.pose.camera_model import CameraModel
from fitmotion_models.pose.image_source import open_source
from fitmotion_models.pose.keypoints import Keypoints
from fitmotion_models.skeleton.joint_sets import JOINT_SETS, SMPL22
from fitmotion_msgs.msg import BodyPose, Skeleton2D
from fitmotion_nodes import pose as pose_module
from fitmotion_nodes.conversions import body_pose_from_msg, header_to_msg, keypoints_from_msg, stamp_from_msg
from fitmotion_nodes.image_conversions import camera_info_to_msg, image_to_msg
from fitmotion_nodes.parameters import StreamParameters, frame_qos, image_qos
from fitmotion_nodes.pose import PoseNode
from fitmotion_nodes.spin import CannotRunError

MEDIA = Path(os.environ.get("FITMOTION_DATA", Path(__file__).parents[3] / "shared" / "data")) / "media"
LOSSLESS = StreamParameters(lossless=True)
LIVE = StreamParameters()
WIDTH, HEIGHT = 64, 48
BLACK = np.zeros((HEIGHT, WIDTH, 3), np.uint8)


class SquattingBackend:
    """Sees a squatting body in every image that is not black: image after image the next pose, from 3 m in front."""

    name, joint_set = "squatting 1.0", "blazepose33"

    def __init__(self) -> None:
        self.clip = make_mover("squat")
        self.calls = 0
        self.closed = False

    def __call__(self, image: np.ndarray, stamp: float) -> Keypoints | None:
        if not image.any():
            return None
        body = self.clip.frame(self.calls)
        self.calls += 1
        points = np.concatenate([body.positions, body.feet]).astype(np.float64)
        # world (x towards the camera, y left, z up) to optical axes (x right, y down, z away): seen from the front
        optical = np.stack([points[:, 1], 1.0 - points[:, 2], 3.0 - points[:, 0]], axis=1)
        landmarks = optical[[self._joint(name) for name in JOINT_SETS["blazepose33"].joints]]
        camera = CameraModel.guess(WIDTH, HEIGHT)
        pixels = landmarks[:, :2] / landmarks[:, 2:] * camera.fx + (camera.cx, camera.cy)
        hips = optical[[SMPL22.index("left_hip"), SMPL22.index("right_hip")]].mean(0)
        confidence = np.full(33, 0.9, np.float32)
        return Keypoints("blazepose33", pixels.astype(np.float32), confidence, (landmarks - hips).astype(np.float32))

    def close(self) -> None:
        self.closed = True

    @staticmethod
    def _joint(name: str) -> int:
        feet = {"left_heel": 22, "left_foot_index": 23, "right_heel": 24, "right_foot_index": 25}
        side = "left" if "left" in name else "right"
        if name in feet:
            return feet[name]
        if any(part in name for part in ("pinky", "index", "thumb")):
            return SMPL22.index(f"{side}_wrist")
        return SMPL22.index(name if name in SMPL22.joints else "head")


@pytest.fixture
def backend(monkeypatch) -> SquattingBackend:
    made = SquattingBackend()
    monkeypatch.setattr(pose_module, "make_backend", lambda name, **options: made)
    return made


def image(index: int, *, empty: bool = False) -> Image:
    pixels = BLACK if empty else BLACK + 100
    return image_to_msg(pixels, header_to_msg(index / 30, "camera_optical_frame"))


def test_every_image_is_answered_and_bodies_follow(ros, backend) -> None:
    graph = ros(lossless=True, subject="anna")
    skeletons = graph.hear(Skeleton2D, "skeleton_2d", frame_qos(LOSSLESS))
    bodies = graph.hear(BodyPose, "body_pose", frame_qos(LOSSLESS))
    graph.add(PoseNode())
    images = graph.talk(Image, "image_raw", image_qos(LOSSLESS))
    sent = [image(index, empty=index in (0, 1)) for index in range(40)]
    for index, msg in enumerate(sent):
        images.publish(msg)
        graph.until(lambda index=index: len(skeletons) == index + 1)
    assert [msg.header for msg in skeletons] == [msg.header for msg in sent]
    assert [msg.subject for msg in skeletons] == ["", "", *["anna"] * 38]
    assert keypoints_from_msg(skeletons[1]) is None
    assert (skeletons[5].width, skeletons[5].height) == (WIDTH, HEIGHT)

    # the node adds nothing of its own: the estimator alone gives the same bodies
    alone, again = BodyEstimator(CameraModel.guess(WIDTH, HEIGHT), subject="anna"), SquattingBackend()
    estimates = [
        alone.update(again(BLACK + 100, k / 30) if k > 1 else None, stamp_from_msg(sent[k].header.stamp))
        for k in range(40)
    ]
    expected = [estimate.pose for estimate in estimates if estimate.pose is not None]
    assert len(expected) > 30
    graph.until(lambda: len(bodies) == len(expected))
    for msg, pose in zip(bodies, expected, strict=True):
        got = body_pose_from_msg(msg)
        assert (got.stamp, got.subject) == (pose.stamp, "anna")
        np.testing.assert_array_equal(got.positions, pose.positions)
        np.testing.assert_array_equal(got.rotations, pose.rotations)
    # and they are the mover's: its knees are where they were put, in the person's own frame
    truth, last = backend.clip.frame(37), body_pose_from_msg(bodies[-1])
    for side in ("left", "right"):
        thigh = [SMPL22.index(f"{side}_{name}") for name in ("hip", "knee")]
        length = np.linalg.norm(np.diff(truth.positions[thigh], axis=0))
        assert np.linalg.norm(np.diff(last.positions[thigh], axis=0)) == pytest.approx(length, abs=0.02)


class TwoBodies:
    """Sees two people, the second one only in the images of even numbers; a backend for several."""

    name, joint_set = "two 1.0", "blazepose33"

    def __init__(self) -> None:
        self.one, self.calls = SquattingBackend(), 0

    def __call__(self, image: np.ndarray, stamp: float) -> Keypoints | None:
        raise AssertionError("everybody is asked for")

    def find_all(self, image: np.ndarray, stamp: float) -> list[Keypoints]:
        first = self.one(image, stamp)
        self.calls += 1
        if first is None:
            return []
        smaller = first.pixels * np.float32(0.6) + np.float32((20.0, 5.0))
        other = Keypoints(first.joint_set, smaller, first.confidence, first.world)
        return [first] if self.calls % 2 else [first, other]

    def close(self) -> None:
        return


def test_several_people_are_told_apart_and_every_image_ends_once(ros, monkeypatch) -> None:
    monkeypatch.setattr(pose_module, "make_backend", lambda name, **options: TwoBodies())
    graph = ros(lossless=True)
    skeletons = graph.hear(Skeleton2D, "skeleton_2d", frame_qos(LOSSLESS))
    bodies = graph.hear(BodyPose, "body_pose", frame_qos(LOSSLESS))
    reports = graph.hear(DiagnosticArray, "/diagnostics")
    graph.add(PoseNode())
    images = graph.talk(Image, "image_raw", image_qos(LOSSLESS))
    sent = [image(index, empty=index == 30) for index in range(32)]
    for index, msg in enumerate(sent):
        images.publish(msg)
        graph.until(lambda index=index: sum(not one.following for one in skeletons) == index + 1)
    for msg in sent:
        of_it = [one for one in skeletons if one.header.stamp == msg.header.stamp]
        # one end, and it is the last: the first person's, or nobody's
        assert [one.following for one in of_it] == list(range(len(of_it) - 1, -1, -1))
        assert of_it[-1].subject in ("", "person")
        assert all(one.subject == "person_2" for one in of_it[:-1])
    assert skeletons[-2].subject == "" or skeletons[-3].subject == ""  # of the empty image
    assert sum(one.subject == "person_2" for one in skeletons) > 8
    assert {msg.subject for msg in bodies} == {"person", "person_2"}
    graph.until(lambda: graph.values("pose", reports).get("frames_out") == "32")
    assert "guidance" in graph.values("pose", reports)
    # what comes twice is answered with the same
    before = [one for one in skeletons if one.header.stamp == sent[-1].header.stamp]
    images.publish(sent[-1])
    graph.until(lambda: len([one for one in skeletons if one.header.stamp == sent[-1].header.stamp]) == 2 * len(before))


def test_a_view_that_is_wrong_is_said_in_the_diagnostics(ros, backend) -> None:
    graph = ros(lossless=True)
    skeletons = graph.hear(Skeleton2D, "skeleton_2d", frame_qos(LOSSLESS))
    reports = graph.hear(DiagnosticArray, "/diagnostics")
    graph.add(PoseNode())
    images = graph.talk(Image, "image_raw", image_qos(LOSSLESS))
    for index in range(40):
        msg = image_to_msg(BLACK + 9, header_to_msg(index / 30, "camera_optical_frame"))
        images.publish(msg)
        graph.until(lambda index=index: len(skeletons) == index + 1)
    graph.until(lambda: "too dark" in graph.values("pose", reports).get("guidance", ""))
    assert "too far" in graph.values("pose", reports)["guidance"]  # 48 pixels high


def test_networks_that_do_not_fit_the_backend_are_said(ros, tmp_path) -> None:
    ros(backend="mediapipe", detector=str(tmp_path / "rtmdet.onnx"))
    with pytest.raises(CannotRunError, match="'mediapipe' brings its own networks"):
        PoseNode()


def test_bad_images_are_answered_counted_and_survived(ros, backend) -> None:
    graph = ros(lossless=True)
    skeletons = graph.hear(Skeleton2D, "skeleton_2d", frame_qos(LOSSLESS))
    reports = graph.hear(DiagnosticArray, "/diagnostics")
    graph.add(PoseNode())
    images = graph.talk(Image, "image_raw", image_qos(LOSSLESS))
    depth, short, tiny = image(1), image(2), image_to_msg(np.zeros((2, 2, 3), np.uint8), header_to_msg(0.1, "c"))
    depth.encoding = "32FC1"
    short.data = short.data[:100]
    nothing = Image(header=header_to_msg(0.2, "c"))
    for index, msg in enumerate((depth, short, tiny, nothing, image(9))):
        images.publish(msg)
        graph.until(lambda index=index: len(skeletons) == index + 1)  # in lossless mode the camera waits for each
    assert [msg.subject for msg in skeletons] == ["", "", "", "", "person"]
    graph.until(lambda: graph.values("pose", reports).get("bad_messages") == "4")
    values = graph.values("pose", reports)
    assert (values["frames_in"], values["frames_out"], values["dropped"]) == ("5", "5", "0")
    assert values["engine"] == "squatting 1.0"
    assert float(values["pose_call_p95_ms"]) >= float(values["pose_call_p50_ms"]) > 0


def test_an_image_that_comes_twice_is_answered_twice_and_worked_on_once(ros, backend) -> None:
    graph = ros(lossless=True)
    skeletons = graph.hear(Skeleton2D, "skeleton_2d", frame_qos(LOSSLESS))
    graph.add(PoseNode())
    images = graph.talk(Image, "image_raw", image_qos(LOSSLESS))
    for index, number in enumerate((0, 1, 0, 1, 2)):
        images.publish(image(number))
        graph.until(lambda index=index: len(skeletons) == index + 1)
    assert backend.calls == 3
    assert skeletons[0] == skeletons[2] and skeletons[1] == skeletons[3]


def test_live_the_newest_image_wins_and_the_rest_is_counted(ros, backend) -> None:
    graph = ros()
    skeletons = graph.hear(Skeleton2D, "skeleton_2d", frame_qos(LIVE))
    reports = graph.hear(DiagnosticArray, "/diagnostics")
    graph.add(PoseNode())
    images = graph.talk(Image, "image_raw", image_qos(LIVE))
    images.publish(image(0))
    graph.until(lambda: len(skeletons) == 1)
    for index in range(1, 21):  # the node is not spun meanwhile: as if it worked on the first
        images.publish(image(index))
    graph.until(lambda: stamp_from_msg(skeletons[-1].header.stamp) == pytest.approx(20 / 30))
    graph.until(lambda: graph.values("pose", reports).get("dropped") == "19")
    assert len(skeletons) == 2


def test_intrinsics_are_the_announced_ones(ros, backend) -> None:
    graph = ros(lossless=True)
    skeletons = graph.hear(Skeleton2D, "skeleton_2d", frame_qos(LOSSLESS))
    node = graph.add(PoseNode())
    info = graph.talk(CameraInfo, "camera_info", frame_qos(LOSSLESS))
    images = graph.talk(Image, "image_raw", image_qos(LOSSLESS))
    announced = CameraModel(2 * WIDTH, 2 * HEIGHT, 200.0, 210.0, 64.0, 48.0, (0.1, 0.0, 0.0, 0.0, 0.0))
    info.publish(camera_info_to_msg(announced, Header()))
    images.publish(image(0))
    graph.until(lambda: skeletons)
    camera = node._people.camera
    assert (camera.width, camera.fx, camera.fy, camera.is_guess) == (WIDTH, 100.0, 105.0, False)


def test_a_recording_that_starts_again_finds_the_person_anew(ros, backend) -> None:
    graph = ros(lossless=True)
    skeletons = graph.hear(Skeleton2D, "skeleton_2d", frame_qos(LOSSLESS))
    node = graph.add(PoseNode())
    images = graph.talk(Image, "image_raw", image_qos(LOSSLESS))
    for index, number in enumerate((100, 101, 102, 103, 104, 0, 1)):
        images.publish(image(number))
        graph.until(lambda index=index: len(skeletons) == index + 1)
        if number == 104:
            before = node._people
    assert node._people is not before
    assert [msg.subject for msg in skeletons] == ["person"] * 7


def test_an_image_from_the_past_is_answered_and_not_worked_on(ros, backend) -> None:
    graph = ros(lossless=True)
    skeletons = graph.hear(Skeleton2D, "skeleton_2d", frame_qos(LOSSLESS))
    reports = graph.hear(DiagnosticArray, "/diagnostics")
    graph.add(PoseNode())
    images = graph.talk(Image, "image_raw", image_qos(LOSSLESS))
    for index, number in enumerate((10, 20, 15, 21)):
        images.publish(image(number))
        graph.until(lambda index=index: len(skeletons) == index + 1)
    assert [msg.subject for msg in skeletons] == ["person", "person", "", "person"]
    graph.until(lambda: "second camera" in graph.values("pose", reports).get("last_bad_message", ""))
    assert backend.calls == 3


def test_the_model_is_freed_at_the_end(ros, backend) -> None:
    graph = ros()
    node = graph.add(PoseNode())
    assert not backend.closed
    node.trigger_deactivate()
    node.trigger_cleanup()
    assert backend.closed


def test_an_unknown_backend_is_said_with_the_known_ones(ros) -> None:
    ros(backend="openpose")
    with pytest.raises(CannotRunError, match="backend 'openpose' unknown; known: .*mediapipe"):
        PoseNode()


def test_real_images_give_what_the_engine_alone_gives(ros) -> None:
    video = MEDIA / "pose2sim_cam03.mp4"
    if not video.is_file():
        pytest.skip(f"{video} is missing; set FITMOTION_DATA")
    source, engine = open_source(str(video)), make_backend("mediapipe")
    frames = [source.read() for _ in range(4)]
    expected = [engine(np.ascontiguousarray(frame.image_bgr[..., ::-1]), frame.stamp) for frame in frames]
    engine.close()
    graph = ros(lossless=True)
    skeletons = graph.hear(Skeleton2D, "skeleton_2d", frame_qos(LOSSLESS))
    graph.add(PoseNode())
    images = graph.talk(Image, "image_raw", image_qos(LOSSLESS))
    for index, frame in enumerate(frames):
        images.publish(image_to_msg(frame.image_bgr, header_to_msg(frame.stamp, "camera"), "bgr8"))
        graph.until(lambda index=index: len(skeletons) == index + 1)
    assert any(keypoints is not None for keypoints in expected)
    for msg, keypoints in zip(skeletons, expected, strict=True):
        got = keypoints_from_msg(msg)
        assert (got is None) == (keypoints is None)
        if keypoints is not None:
            np.testing.assert_allclose(got.pixels, keypoints.pixels, atol=1e-3)
            np.testing.assert_allclose(got.confidence, keypoints.confidence, atol=1e-5)
