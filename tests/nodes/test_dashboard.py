"""The dashboard node without a browser: what it hears and when, and what its buttons ask for."""

import socket
import time
from types import SimpleNamespace

import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from sensor_msgs.msg import CompressedImage, Imu

from fitmotion_models.fms.scorer import Scorer
from fitmotion_models.fms.screen import ClearingTest
from fitmotion_models.fms.values import Movement, Side, Variation
from fitmotion_models.mover import SquatParameters, squat_clip
from fitmotion_models.viewer.page_controls import (
    ChoosePerson,
    ChooseSensor,
    ReportPain,
    ResetScreen,
    SetGrade,
    StartTest,
)
from fitmotion_msgs.msg import Assessment, AssessmentState, BodyPose
from fitmotion_msgs.srv import ReportPain as ReportPainSrv
from fitmotion_msgs.srv import ResetScreen as ResetScreenSrv
from fitmotion_msgs.srv import SetScore as SetScoreSrv
from fitmotion_msgs.srv import StartTest as StartTestSrv
from fitmotion_nodes import dashboard, dashboard_services
from fitmotion_nodes.conversions import assessment_to_msg, body_pose_to_msg, state_to_msg
from fitmotion_nodes.dashboard import DashboardNode
from fitmotion_nodes.parameters import ParameterError, result_qos

CLIP = squat_clip(SquatParameters(repetitions=1), fps=20.0)


class FakePage:
    """A page whose browsers are a number and whose buttons are pressed by the test."""

    address = "http://nowhere"

    def __init__(self, host, port, on_command, on_clients, **settings) -> None:
        self.settings = settings
        self.press, self._on_clients = on_command, on_clients
        self.clients, self.updates, self.answers, self.sensors = 0, 0, [], ()
        self.closed = False

    def look(self, clients: int) -> None:
        self.clients = clients
        self._on_clients()

    def update(self, watch) -> None:
        self.updates += 1

    def answer(self, text: str, *, good: bool) -> None:
        self.answers.append((text, good))

    def show_sensors(self, topics) -> None:
        self.sensors = topics

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def board(ros, monkeypatch: pytest.MonkeyPatch):
    """A graph with the node and its page: `board(rate_hz=20.0)`."""
    monkeypatch.setattr(dashboard, "Page", FakePage)

    def start(**parameters) -> SimpleNamespace:
        graph = ros(**parameters)
        node = graph.add(DashboardNode())
        return SimpleNamespace(graph=graph, node=node, page=node._page)

    return start


def subscribers(graph, topic: str) -> int:
    return graph.node.count_subscribers(topic)


def test_nothing_is_heard_or_drawn_while_nobody_looks(board) -> None:
    it = board(rate_hz=30.0)
    reports = it.graph.hear(DiagnosticArray, "/diagnostics")
    before = it.page.updates
    it.graph.until(lambda: it.graph.values("dashboard", reports))
    assert it.page.updates == before
    live = ("body_pose", "fms/state", "image_raw/compressed")
    assert not any(subscribers(it.graph, topic) for topic in live)
    it.page.look(1)
    it.graph.until(lambda: all(subscribers(it.graph, topic) for topic in live) and it.page.updates > before + 5)
    it.page.look(0)
    it.graph.until(lambda: not any(subscribers(it.graph, topic) for topic in live))
    before = it.page.updates
    it.graph.spin_for(0.3)
    assert it.page.updates == before


def test_a_test_reaches_the_page(board) -> None:
    it = board()
    it.page.look(1)
    poses, states = it.graph.talk(BodyPose, "body_pose"), it.graph.talk(AssessmentState, "fms/state")
    results = it.graph.talk(Assessment, "fms/assessment", result_qos())
    scorer = Scorer()
    for pose in CLIP:
        update, msg = scorer.update(pose), body_pose_to_msg(pose)
        poses.publish(msg)
        states.publish(state_to_msg(update.state, msg.header))
        if update.assessment is not None:
            results.publish(assessment_to_msg(update.assessment))
        it.graph.spin_for(0.005)
    it.graph.until(lambda: it.node._watch.shown == "mover")
    person = it.node._watch.people["mover"]
    it.graph.until(lambda: person.test.score == 3 and person.timeline.last is not None)
    assert person.test.repetitions == 1 and person.pose is not None
    it.page.look(0)
    it.graph.until(lambda: person.pose is None)  # who comes next does not see them stand there
    assert person.test.score == 3  # results stay


def test_a_bad_message_is_counted_and_the_page_goes_on(board) -> None:
    it = board()
    reports = it.graph.hear(DiagnosticArray, "/diagnostics")
    it.page.look(1)
    poses = it.graph.talk(BodyPose, "body_pose")
    poses.publish(BodyPose())
    it.graph.until(lambda: it.graph.values("dashboard", reports).get("bad_messages") == "1")
    poses.publish(body_pose_to_msg(CLIP.frame(0)))
    it.graph.until(lambda: "mover" in it.node._watch.people)


def test_the_overlay_is_preferred_to_the_plain_picture(board) -> None:
    it = board(picture_fps=60.0)
    plain = it.graph.node.create_publisher(CompressedImage, "image_raw/compressed", 1)
    it.page.look(1)
    it.graph.until(lambda: plain.get_subscription_count() == 1)
    plain.publish(CompressedImage(format="bgr8; jpeg compressed bgr8", data=b"\xff\xd8plain"))
    it.graph.until(lambda: it.node._watch.picture == (b"\xff\xd8plain", "jpeg"))
    overlay = it.graph.node.create_publisher(CompressedImage, "overlay/compressed", 1)
    it.graph.until(lambda: overlay.get_subscription_count() == 1 and plain.get_subscription_count() == 0)
    overlay.publish(CompressedImage(format="png", data=b"\x89PNG\r\n\x1a\noverlay"))
    it.graph.until(lambda: it.node._watch.picture == (b"\x89PNG\r\n\x1a\noverlay", "png"))


def test_pictures_come_at_their_rate_at_most(board) -> None:
    it = board(picture_fps=4.0)
    it.page.look(1)
    camera = it.graph.talk(CompressedImage, "image_raw/compressed", 1)
    start = time.monotonic()
    for _ in range(40):
        camera.publish(CompressedImage(format="jpeg", data=b"\xff\xd8x"))
        it.graph.spin_for(0.025)
    most = 1 + (time.monotonic() - start) * 4.0 / 0.9
    assert 2 <= it.node._watch.pictures <= most


def test_one_sensor_is_heard_the_one_that_was_chosen(board) -> None:
    it = board()
    topics = ("/imu_chest/data_raw", "/imu_pelvis/data_raw")
    chest, pelvis = (it.graph.node.create_publisher(Imu, topic, 10) for topic in topics)
    it.page.look(1)
    it.graph.until(lambda: it.page.sensors == topics)
    assert chest.get_subscription_count() == 0  # samples are many: only on request
    it.page.press(ChooseSensor(topics[0]))
    it.graph.until(lambda: chest.get_subscription_count() == 1)
    sample = Imu()
    sample.header.stamp.sec, sample.linear_acceleration.z = 5, 9.81
    chest.publish(sample)
    it.graph.until(lambda: len(it.node._watch.sensor.samples))
    assert it.node._watch.sensor.newest(5.0).tolist() == [[0.0, 0.0, 0.0, 9.81, 0.0, 0.0, 0.0]]
    it.page.press(ChooseSensor(topics[1]))
    it.graph.until(lambda: pelvis.get_subscription_count() == 1 and chest.get_subscription_count() == 0)
    assert not it.node._watch.sensor.samples
    it.page.press(ChooseSensor(""))
    it.graph.until(lambda: pelvis.get_subscription_count() == 0)


def test_nodes_of_our_graph_are_listed(board) -> None:
    it = board()
    it.graph.until(lambda: it.node._watch.nodes)
    line = it.node._watch.nodes[0]
    assert (line.name, line.message, line.warning) == ("dashboard", "viser", "") and line.age < 2.0


BUTTONS = [
    (
        StartTest(Movement.DEEP_SQUAT, Variation.DEEP_SQUAT_BOARD, Side.BOTH),
        (StartTestSrv, "fms/start_test"),
        {"subject": "mover", "movement": 1, "variation": 2, "side": 0, "trial": 0},
    ),
    (
        ReportPain(ClearingTest.ROCKING_FLEXION, True, "back"),
        (ReportPainSrv, "fms/report_pain"),
        {"subject": "mover", "movement": 0, "clearing": 3, "pain": True, "note": "back"},
    ),
    (ReportPain(None, False, ""), (ReportPainSrv, "fms/report_pain"), {"clearing": 0, "pain": False}),
    (
        SetGrade(2, "seen live"),
        (SetScoreSrv, "fms/set_score"),
        {"subject": "mover", "movement": 1, "side": 0, "score": 2, "reason": "seen live"},
    ),
    (ResetScreen(), (ResetScreenSrv, "fms/reset_screen"), {"subject": "mover"}),
]


@pytest.mark.parametrize(("command", "service", "fields"), BUTTONS, ids=lambda value: type(value).__name__)
def test_a_button_asks_the_fms_node(board, command, service, fields) -> None:
    it, heard = board(), []

    def answer(request, response):
        heard.append(request)
        response.success, response.message = len(heard) == 1, f"answer {len(heard)}"
        return response

    it.graph.node.create_service(*service, answer)
    person = it.node._watch.person("mover")
    person.test.update(Scorer().update(CLIP.frame(0)).state)
    it.graph.until(lambda: it.node._services_called.is_ready(type(command)))
    it.page.press(command)
    it.page.press(command)
    it.graph.until(lambda: len(it.page.answers) == 2)
    assert it.page.answers == [("answer 1", True), ("answer 2", False)]
    assert {name: getattr(heard[0], name) for name in fields} == fields


def test_a_button_without_an_fms_node_says_so(board) -> None:
    it = board()
    it.page.press(ReportPain(None, True, ""))
    it.graph.until(lambda: it.page.answers)
    text, good = it.page.answers[0]
    assert "fms node does not run" in text and not good


def test_a_grade_needs_a_test(board) -> None:
    it = board()
    it.graph.node.create_service(SetScoreSrv, "fms/set_score", lambda request, response: response)
    it.graph.until(lambda: it.node._services_called.is_ready(SetGrade))
    it.page.press(SetGrade(3, "x"))
    it.graph.until(lambda: it.page.answers)
    assert it.page.answers == [("no test is under way that could be graded; start one first", False)]


def test_nobody_waits_for_an_fms_node_that_does_not_answer(board, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dashboard_services, "ANSWER_PATIENCE_S", 0.3)
    it = board(rate_hz=30.0)
    it.page.look(1)
    silent = rclpy.create_node("silent", use_global_arguments=False)  # not spun, like a process that hangs
    silent.create_service(ResetScreenSrv, "fms/reset_screen", lambda request, response: response)
    it.graph.until(lambda: it.node._services_called.is_ready(ResetScreen))
    before = it.page.updates
    it.page.press(ResetScreen())
    it.graph.until(lambda: it.page.answers)
    assert it.page.answers == [("fms/reset_screen has not answered", False)]
    assert it.page.updates > before + 3
    silent.destroy_node()


def test_the_chosen_person_is_meant(board) -> None:
    it, heard = board(), []

    def answer(request, response):
        heard.append(request.subject)
        response.success = True
        return response

    it.graph.node.create_service(ResetScreenSrv, "fms/reset_screen", answer)
    it.graph.until(lambda: it.node._services_called.is_ready(ResetScreen))
    for name in ("anna", "bert"):
        it.node._watch.person(name)
    for choice in ("bert", "anna", ""):
        it.page.press(ChoosePerson(choice))
        it.page.press(ResetScreen())
    it.graph.until(lambda: len(heard) == 3)
    assert heard == ["bert", "anna", "anna"]


def test_a_taken_port_is_one_line(run_main) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        status, errors = run_main(dashboard.main, port=port)
    assert status == 2
    sentence = f"port={port} on 127.0.0.1 is taken by another program; give another port, or 0 for any free one"
    assert errors == f"dashboard: {sentence}\n"


@pytest.mark.parametrize("host", ["no.such.host.invalid", "203.0.113.7"])
def test_a_host_that_is_not_ours_is_one_line(run_main, host: str) -> None:
    status, errors = run_main(dashboard.main, host=host, port=0)
    assert status == 2 and errors.startswith(f"dashboard: host={host} is no address of this machine; use 127.0.0.1")
    assert errors.count("\n") == 1


def test_parameters_that_make_no_sense() -> None:
    from fitmotion_nodes.dashboard_parameters import DashboardParameters

    assert DashboardParameters().host == "127.0.0.1"
    for wrong in ({"host": ""}, {"port": 70000}, {"rate_hz": 0.0}, {"picture_fps": float("nan")}):
        with pytest.raises(ParameterError):
            DashboardParameters(**wrong)
