"""What the monitor gathers, and how it is shown; without ROS."""

import io
import math
import re
import time

import pytest
from rich.console import Console

from fitmotion_models.fms.values import (
    Assessment,
    AssessmentState,
    Criterion,
    Movement,
    Phase,
    Side,
    Variation,
    Verdict,
)
from fitmotion_nodes.live_view import LineView, TableView, assessment_line, make_view, node_line, render
from fitmotion_nodes.monitor import NodeReport, Observations
from fitmotion_nodes.supervisor import NodeStatus
from fitmotion_nodes.virtual_imu_parameters import DONE_WITH

HEELS = Criterion("heels_down", 0.04, 0.03, "m", Verdict.NOT_MET, (7,), "keep the heels down")
KNEES = Criterion("left_knee_over_foot", math.nan, 0.03, "m", Verdict.NOT_SEEN, (4,), "film from the front")


def assessment(start: float = 1.0, score: int = 1, reason: str = "") -> Assessment:
    return Assessment(
        stamp=start + 2,
        subject="anna",
        movement=Movement.DEEP_SQUAT,
        variation=Variation.DEEP_SQUAT_FLOOR,
        side=Side.BOTH,
        trial=1,
        repetition=1,
        score=score,
        reason=reason,
        confidence=0.8,
        scorer="rules",
        criteria=(HEELS, KNEES),
        start=start,
        end=start + 2,
    )


def state(stamp: float, subject: str = "anna") -> AssessmentState:
    return AssessmentState(stamp, subject, Movement.DEEP_SQUAT, Side.BOTH, Phase.DESCENDING, 0.4, (HEELS,))


def test_an_image_that_was_sent_again_counts_once() -> None:
    heard = Observations()
    for stamp in (0.0, 0.1, 0.1, 0.0, 0.2):
        heard.hear_frame(stamp)
    assert heard.frames == 3
    assert heard.measured_fps() == pytest.approx(10.0)


def test_a_run_of_which_nothing_was_heard_is_not_answered_yet() -> None:
    heard = Observations()
    assert not heard.is_answered()
    heard.hear_frame(0.0)
    heard.heard_at -= 1.0
    assert heard.is_answered()  # an image with nobody in it
    heard.hear_pose("anna", 0.1)
    heard.heard_at -= 1.0
    assert not heard.is_answered()
    heard.hear_state(state(0.1), None)
    heard.heard_at -= 1.0
    assert heard.is_answered()


def test_sensors_are_done_when_they_say_so_of_all_poses() -> None:
    heard = Observations()
    for stamp in (0.0, 0.1, 0.2):
        heard.hear_pose("anna", stamp)
    assert not heard.is_done("virtual_imu")
    for values, done in (({"frames_in": "3"}, False), ({DONE_WITH: "2"}, False), ({DONE_WITH: "3"}, True)):
        heard.hear_report("virtual_imu", NodeReport(values, "", "", time.monotonic()))
        assert heard.is_done("virtual_imu") is done


def test_an_operators_score_takes_the_place_of_ours() -> None:
    heard = Observations()
    assert heard.hear_assessment(assessment(1.0))
    assert heard.hear_assessment(assessment(5.0))
    assert not heard.hear_assessment(assessment(1.0, score=2))
    assert [item.score for item in heard.assessments.values()] == [2, 1]


def test_a_run_that_starts_over_forgets() -> None:
    heard = Observations()
    heard.hear_frame(1.0)
    heard.hear_pose("anna", 1.0)
    heard.hear_assessment(assessment())
    heard.clear()
    assert (heard.frames, heard.poses, heard.assessments, heard.pose_stamps) == (0, 0, {}, {})


def test_a_line_says_the_score_and_what_was_wrong() -> None:
    text = assessment_line(assessment()).plain
    assert "anna, deep squat, repetition 1: score 1" in text
    assert "not met: heels down; not seen: left knee over foot" in text
    refused = assessment_line(assessment(score=-1, reason="film from the side")).plain
    assert "not scorable" in refused
    assert refused.endswith("film from the side")


def statuses() -> list[NodeStatus]:
    return [NodeStatus("camera", "running", 12, 0), NodeStatus("pose", "waiting", None, 3)]


def test_the_table_shows_nodes_people_scores_and_events() -> None:
    heard = Observations()
    values = {"rate_hz": "29.97", "latency_p50_ms": "18.25", "latency_p95_ms": "21.5", "dropped": "2"}
    heard.hear_report("camera", NodeReport(values, "lost the camera", "lost the camera", time.monotonic()))
    heard.hear_state(state(1.0), 20.0)
    heard.hear_assessment(assessment())
    console = Console(file=io.StringIO(), width=140)
    console.print(render("title", statuses(), heard, ["pose was killed"]))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    for words in (
        "30.0 Hz",
        "18.2 ms",
        "lost the camera",
        "waiting",
        "anna: deep squat",
        "descending",
        "heels down",
        "score 1",
        "pose was killed",
        "image to score 20 ms",
    ):
        assert words in text, text


def test_what_is_wrong_is_red_and_a_node_that_stops_reporting_is_silent() -> None:
    heard = Observations()
    heard.hear_report("camera", NodeReport({"dropped": "7", "lag_ms": "60"}, "gone", "gone", time.monotonic()))
    heard.hear_report("pose", NodeReport({"dropped": "0", "lag_ms": "60"}, "fine", "", time.monotonic() - 10.0))
    running = [NodeStatus(name, "running", 12, 0) for name in ("camera", "pose", "fms")]
    console = Console(file=io.StringIO(), width=140, force_terminal=True, color_system="standard")
    console.print(render("title", running, heard, []))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert re.search(r"\x1b\[31m *7 *\x1b", text) and re.search(r"\x1b\[1;31mgone *\x1b", text)
    assert re.search(r"\x1b\[1;31msilent", text) and "fine, lag 60 ms" in text and "starting" in text


def test_a_line_of_a_node_has_rate_latency_drops_and_trouble() -> None:
    values = {"rate_hz": "29.97", "latency_p50_ms": "18.25", "latency_p95_ms": "21.5", "dropped": "2"}
    assert node_line("pose", NodeReport(values, "", "", 0.0)) == "pose 30.0 Hz 18/22 ms 2 dropped"
    assert node_line("pose", NodeReport({}, "x", "lost", 0.0)) == "pose (lost)"
    assert node_line("pose", None) == "pose"


def test_strangers_do_not_fill_the_memory() -> None:
    heard = Observations()
    for number in range(1000):
        heard.hear_pose(f"stranger_{number}", 1.0)
        heard.hear_state(state(1.0, f"stranger_{number}"), None)
    heard.hear_pose("anna", 2.0)
    assert len(heard.pose_stamps) == len(heard.states) == 20 and heard.pose_stamps["anna"] == 2.0


@pytest.mark.parametrize("wrong", ["", "fast", "nan", "inf"])
def test_figures_that_are_none_are_not_shown(wrong: str) -> None:
    """Anybody on the network may speak in a node's name."""
    report = NodeReport({"rate_hz": wrong, "latency_p50_ms": wrong, "latency_p95_ms": "3"}, "", "", time.monotonic())
    assert node_line("fms", report) == "fms"


def test_a_terminal_gets_a_table_and_a_file_gets_lines() -> None:
    heard = Observations()
    assert isinstance(make_view("t", statuses, heard, Console(file=io.StringIO(), force_terminal=True)), TableView)
    console = Console(file=io.StringIO())
    view = make_view("title", statuses, heard, console)
    assert isinstance(view, LineView)
    with view:
        view.say("[bold]pose[/bold] was killed")
        view.assessed(assessment(), False)
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert lines[:2] == ["title", "[bold]pose[/bold] was killed"]
    assert lines[2].startswith("changed: anna")
