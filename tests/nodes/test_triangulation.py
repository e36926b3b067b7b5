"""The triangulation node: several cameras' landmarks in, one body out; live and lossless."""

import time

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from std_msgs.msg import Header
from tests.models.pose.rigs import blazepose_points, ring, see

from fitmotion_models.mover import make_mover
from fitmotion_models.pose.keypoints import Keypoints
from fitmotion_models.pose.rig_estimator import RigEstimator
from fitmotion_models.pose.rig_files import write_rig
from fitmotion_msgs.msg import BodyPose, Skeleton2D
from fitmotion_nodes.conversions import body_pose_from_msg, keypoints_to_msg, stamp_to_msg
from fitmotion_nodes.parameters import ParameterError, StreamParameters, frame_qos
from fitmotion_nodes.triangulation import TriangulationNode, main
from fitmotion_nodes.triangulation_parameters import TriangulationParameters

RIG = ring(3)
CLIP = make_mover("squat")
LOSSLESS, LIVE = frame_qos(StreamParameters(lossless=True)), frame_qos(StreamParameters())


def landmarks(index, camera):
    """What a camera sees of the squat's frame."""
    pixels = see(RIG, blazepose_points(CLIP.frame(index)))[camera]
    return Keypoints("blazepose33", pixels.astype(np.float32), np.full(33, 0.9, np.float32), None)


def message(index, camera, stamp, *, nobody=False, subject="person", size=(1080, 1920)):
    seen = None if nobody else landmarks(index, camera)
    header = Header(stamp=stamp_to_msg(stamp), frame_id=f"cam{camera + 1}_optical_frame")
    return keypoints_to_msg(seen, header, width=size[0], height=size[1], joint_set="blazepose33", subject=subject)


@pytest.fixture
def rig(ros, tmp_path):
    """A graph with the node, ears for what it says, and a way to send it what cameras see."""
    path = tmp_path / "rig.toml"
    write_rig(path, RIG)

    class Rigged:
        def __init__(self, **parameters) -> None:
            self.graph = ros(calibration_file=str(path), **parameters)
            qos = LOSSLESS if parameters.get("lossless") else LIVE
            self.bodies = self.graph.hear(BodyPose, "body_pose", qos)
            self.answers = self.graph.hear(Skeleton2D, "skeleton_2d", qos)
            self.reports = self.graph.hear(DiagnosticArray, "/diagnostics")
            self.node = self.graph.add(TriangulationNode())
            self._talk = [self.graph.talk(Skeleton2D, f"cam{n + 1}/skeleton_2d", qos) for n in range(3)]

        def send(self, camera, msg) -> None:
            self._talk[camera].publish(msg)

        def values(self):
            return self.graph.values("triangulation", self.reports)

    return Rigged


def test_lossless_every_frame_of_the_first_camera_gives_the_librarys_body(rig) -> None:
    node = rig(lossless=True)
    for camera in (2, 0, 1):  # whatever the order in which cameras are heard
        for index in range(6):
            node.send(camera, message(index, camera, index / 30, nobody=(camera, index) == (1, 3)))
    node.graph.until(lambda: len(node.answers) == 6 and len(node.bodies) == 6)
    estimator = RigEstimator(RIG)
    for index, msg in enumerate(node.bodies):
        views = [None if (camera, index) == (1, 3) else landmarks(index, camera) for camera in range(3)]
        expected = estimator.update(views, index / 30).pose
        found = body_pose_from_msg(msg)
        np.testing.assert_allclose(found.positions, expected.positions, atol=1e-6)
        assert found.views == expected.views == (2 if index == 3 else 3)
    assert [answer.header.frame_id for answer in node.answers] == ["cam1_optical_frame"] * 6
    node.send(0, message(5, 0, 5 / 30))  # sent again, as its camera heard no answer
    node.graph.until(lambda: len(node.answers) == 7)
    assert len(node.bodies) == 6


def test_lossless_a_camera_that_has_ended_is_not_waited_for(rig) -> None:
    node = rig(lossless=True)
    for camera, count in ((0, 4), (1, 4), (2, 2)):
        for index in range(count):
            node.send(camera, message(index, camera, index / 30))
    node.graph.until(lambda: len(node.bodies) == 4)
    assert [msg.views for msg in node.bodies] == [3, 3, 2, 2]


def test_live_the_others_go_on_without_a_camera_that_is_late_and_what_comes_late_is_counted(rig) -> None:
    node, now = rig(patience_s=0.05), time.time()
    node.send(0, message(0, 0, now))
    node.send(1, message(0, 1, now + 0.005))
    node.graph.spin_for(0.2)
    assert not node.bodies
    node.send(0, message(1, 0, now + 0.08))
    node.graph.until(lambda: len(node.bodies) == 1)
    node.send(2, message(0, 2, now))
    node.graph.until(lambda: node.values().get("dropped_cam03") == "1")
    assert body_pose_from_msg(node.bodies[0]).views == 2 and node.values()["dropped"] == "1"


def test_landmarks_that_cannot_be_are_refused_and_somebody_elses_left_alone(rig) -> None:
    node, now = rig(), time.time()
    node.send(0, message(0, 0, now, size=(1920, 1080)))
    node.graph.until(lambda: node.values().get("bad_messages") == "1")
    assert "another shape" in node.values()["last_bad_message"]
    for camera in range(3):
        node.send(camera, message(0, camera, now, subject="person_2"))
    node.graph.spin_for(0.2)
    assert not node.bodies


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "no such file"),
        ({"calibration_file": __file__, "subject": "a b"}, "cannot name a person"),
        ({"calibration_file": __file__, "cameras": "a,b", "topics": "x"}, "give one each for the same two or more"),
        ({"calibration_file": __file__, "offsets": "0,0.1"}, "live cameras share the clock"),
        ({"calibration_file": __file__, "offsets": "0,x", "lossless": True}, "give seconds"),
    ],
)
def test_parameters_that_cannot_be_are_said(given, said) -> None:
    with pytest.raises(ParameterError, match=said):
        TriangulationParameters(**given)


def test_a_calibration_without_the_camera_ends_the_process_with_a_sentence(run_main, tmp_path) -> None:
    write_rig(tmp_path / "rig.toml", RIG)
    status, errors = run_main(main, calibration_file=str(tmp_path / "rig.toml"), cameras="cam01,cam09")
    assert status == 2 and "has no camera 'cam09'; it has: cam01, cam02, cam03" in errors
