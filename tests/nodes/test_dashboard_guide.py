"""A guided screen without a browser: what other programs ask the dashboard for, and what it asks the scorer for."""

import numpy as np
import pytest
from std_srvs.srv import Trigger

from fitmotion_models.fms.values import Movement, Side, Variation
from fitmotion_msgs.msg import AssessmentState, Screen
from fitmotion_msgs.srv import ReportPain, StartTest
from fitmotion_nodes import dashboard, dashboard_guide
from fitmotion_nodes.dashboard import DashboardNode
from fitmotion_nodes.parameters import result_qos

from .test_dashboard import FakePage


@pytest.fixture
def guided(ros, monkeypatch: pytest.MonkeyPatch):
    """A graph with a guided dashboard, a scorer that only listens, and a screen that was begun."""
    monkeypatch.setattr(dashboard, "Page", FakePage)
    graph = ros(guided=True, person="anna", sex="male")
    graph.started, graph.pain = [], []

    def note(heard):
        def answer(request, response):
            heard.append(request)
            response.success = True
            return response

        return answer

    graph.node.create_service(StartTest, "fms/start_test", note(graph.started))
    graph.node.create_service(ReportPain, "fms/report_pain", note(graph.pain))
    node = graph.add(DashboardNode())
    screens = graph.talk(Screen, "fms/screen", result_qos(latched=True, depth=5))
    nothing = np.full(7, -1, np.int8)
    screens.publish(
        Screen(
            subject="mover", person="anna", session=1, open=True, left=nothing, right=nothing, final=nothing, total=-1
        )
    )
    graph.until(lambda: "mover" in node._watch.people)
    graph.until(lambda: node._services_called.is_ready(dashboard.StartTest))
    assert node._page.settings["form"].person == "anna"
    return graph


def ask(graph, name: str) -> tuple[bool, str]:
    answer = graph.call(Trigger, f"screen/{name}", Trigger.Request())
    return answer.success, answer.message


def test_a_script_is_led_by_services_and_the_scorer_is_asked(guided) -> None:
    assert ask(guided, "step")[1].startswith("Deep squat (0 of 3 attempts): Stand with the feet shoulder-wide")
    assert ask(guided, "next")[1].startswith("Hurdle step, left")
    guided.until(lambda: guided.started)
    request = guided.started[0]
    assert (request.subject, request.movement, request.variation, request.side, request.trial) == (
        "mover", Movement.HURDLE_STEP, Variation.HURDLE_STEP_LEFT, Side.LEFT, 1,
    )  # fmt: skip
    ask(guided, "pain")
    guided.until(lambda: guided.pain)
    assert (guided.pain[0].movement, guided.pain[0].side, guided.pain[0].pain) == (2, 1, True)
    assert ask(guided, "back")[1].startswith("Deep squat")
    for _ in range(7):
        _, told = ask(guided, "next")
    assert told.startswith("Clearing test: shoulder impingement: Put the palm")
    ask(guided, "no_pain")
    guided.until(lambda: len(guided.pain) == 2)
    assert (guided.pain[1].clearing, guided.pain[1].pain) == (ReportPain.Request.CLEARING_SHOULDER_IMPINGEMENT, False)


def test_a_scorer_that_is_at_another_test_is_asked_for_the_step_shown(guided, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dashboard_guide, "ELSEWHERE_S", 0.3)
    states = guided.talk(AssessmentState, "fms/state", 5)
    lost = AssessmentState(subject="mover", movement=Movement.DEEP_SQUAT)
    states.publish(lost)
    guided.spin_for(0.7)
    assert not guided.started
    ask(guided, "next")
    guided.until(lambda: len(guided.started) == 1)
    guided.until(lambda: len(guided.started) >= 2)  # the answer was lost: it still says deep squat
    assert guided.started[-1].movement == Movement.HURDLE_STEP


def test_without_a_screen_services_say_what_is_missing(ros, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dashboard, "Page", FakePage)
    graph = ros(guided=True)
    graph.add(DashboardNode())
    assert ask(graph, "step") == (False, "no screen is under way; begin one with fms/start_screen")
    assert ask(graph, "next") == (False, "nobody has been seen yet; let the person step into view")
