"""The motion generator's controls in a real browser: what is clicked goes out, what is generated is shown."""

import socket
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from std_srvs.srv import Trigger

from fitmotion_models.mover import make_mover
from fitmotion_models.skeleton.body_pose import Source
from fitmotion_msgs.msg import BodyPose, MotionCommand
from fitmotion_nodes.conversions import body_pose_to_msg
from fitmotion_nodes.generation_status import told_of_body
from fitmotion_nodes.motion_prompts import prompts_to_pick
from fitmotion_nodes.parameters import result_qos

from .chromium import CHROMIUM, Browser, wait_for_server
from .test_dashboard_page import count_like

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here; on Debian: apt-get install chromium"),
]
POSE = replace(make_mover("squat", fps=5.0).frame(0), subject="generated", source=Source.GENERATED)


@pytest.fixture
def browser(tmp_path: Path):
    browser = Browser(tmp_path / "chromium")
    yield browser
    browser.close()


def test_words_and_scores_go_out_and_the_body_and_what_it_does_are_shown(browser, ros, run_node_process) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    graph = ros()
    commands = graph.hear(MotionCommand, "motion/command", result_qos(depth=10))
    stops: list[object] = []

    def stop(request, response):
        stops.append(request)
        response.success, response.message = True, "it holds and comes to a stand"
        return response

    graph.node.create_service(Trigger, "motion/stop", stop)
    reports = graph.node.create_publisher(DiagnosticArray, "/diagnostics", 10)
    bodies = graph.node.create_publisher(BodyPose, "generated/body_pose", 10)
    run_node_process("dashboard", port=port, motion="alone")
    wait_for_server(f"http://127.0.0.1:{port}")
    browser.open(f"http://127.0.0.1:{port}")
    browser.until(lambda: "has not reported yet" in browser.text("body"))

    browser.click("Generate")
    graph.until(lambda: commands)
    assert (commands[0].prompt, commands[0].fms_score) == (prompts_to_pick()[0], MotionCommand.ANY_SCORE)
    assert commands[0].random_seed and commands[0].guidance == commands[0].score_guidance == 0.0
    browser.click("3")
    graph.until(lambda: len(commands) == 2)
    assert (commands[1].prompt, commands[1].fms_score) == (prompts_to_pick()[0], 3)

    values = told_of_body("generated", commands[1].prompt, "3") | {"engine": "a network"}
    status = DiagnosticStatus(name="motion_generator", values=[KeyValue(key=k, value=v) for k, v in values.items()])
    seen = threading.Event()

    def generate() -> None:  # also while a picture is taken, which is seconds where the processor draws it
        while not seen.wait(0.1):
            reports.publish(DiagnosticArray(status=[status]))
            bodies.publish(body_pose_to_msg(POSE))

    def shown() -> bool:
        # left is blue, right orange
        return min(count_like(browser.picture(), hue) for hue in ((90, 115), (10, 28))) > 300

    generator = threading.Thread(target=generate)
    generator.start()
    try:
        browser.until(lambda: browser.value("document.querySelector('.fm-generated')?.dataset.score") == "3")
        browser.until(shown)
    finally:
        seen.set()
        generator.join()
    assert commands[1].prompt in browser.text(".fm-generated")
    browser.click("Stop")
    graph.until(lambda: stops)
    browser.until(lambda: "comes to a stand" in browser.text("#fm-answer"))
