"""Our graph beside nodes that somebody else wrote: a camera driver, and a player of recordings with a clock."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fitmotion_models.mover import make_mover
from fitmotion_models.viewer.mannequin import write_clip_video
from fitmotion_nodes.graph import GraphOptions, build_graph
from fitmotion_nodes.monitor import GraphMonitor
from fitmotion_nodes.places import config_dir
from fitmotion_nodes.supervisor import Supervisor

from .conftest import Command, free_domain, once_unless_long

pytestmark = once_unless_long

HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def domain_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROS_DOMAIN_ID", str(free_domain()))
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")


class Running:
    """A graph that runs until the end of the test."""

    def __init__(self, options: GraphOptions, folder: Path) -> None:
        graph = build_graph(options, config_dir())
        self.lines: list[str] = []
        environment = os.environ | graph.environment
        self.supervisor = Supervisor(
            graph,
            work_dir=folder,
            on_line=lambda name, line: self.lines.append(f"{name}: {line}"),
            on_event=self.lines.append,
            environment=environment,
        )
        self.monitor = GraphMonitor(graph, lossless=False)
        self.heard = self.monitor.observations
        self.supervisor.start()
        # from here on nothing that the scorer says is missed
        self.until(lambda: self.report("fms", "rate_hz"))

    def until(self, condition: Callable[[], object], seconds: float = 60.0) -> None:
        end = time.monotonic() + seconds
        while not condition():
            outcome = self.supervisor.poll()
            assert outcome is None, outcome
            assert time.monotonic() < end, "\n".join(self.lines)
            time.sleep(0.05)

    def report(self, node: str, key: str) -> str:
        with self.heard.lock:
            return self.heard.reports[node].values.get(key, "") if node in self.heard.reports else ""

    def close(self) -> None:
        self.supervisor.stop()
        self.monitor.close()


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[[GraphOptions], Running]]:
    started: list[Running] = []

    def start(options: GraphOptions) -> Running:
        started.append(Running(options, tmp_path))
        return started[-1]

    yield start
    for running in started:
        running.close()


@contextmanager
def foreign(script: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-P", str(HERE / script), *arguments], stdout=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=10)


def test_another_drivers_images_are_scored(run: Callable[[GraphOptions], Running], tmp_path: Path) -> None:
    video, topic = tmp_path / "squat.mp4", "/camera/color/image_raw"
    write_clip_video(video, make_mover("squat", fps=30.0))
    running = run(GraphOptions(image_topic=topic, namespace="lab", visualize=True))
    heard = running.heard
    with foreign("foreign_camera.py", str(video), topic, "bgr8", "reliable"):
        running.until(lambda: heard.assessments)
        assert running.report("pose", "bad_messages") == "0"
    for encoding, reliability in (("yuyv", "best_effort"), ("mono8", "best_effort"), ("rgb8", "reliable")):
        poses = heard.poses
        with foreign("foreign_camera.py", str(video), topic, encoding, reliability):
            running.until(lambda before=poses: heard.poses > before + 15)
    with foreign("foreign_camera.py", str(video), topic, "16UC1", "reliable"):
        running.until(lambda: int(running.report("pose", "bad_messages") or 0) > 5)
    assert "encoding '16UC1' is unknown; allowed: rgb8" in running.report("pose", "last_bad_message")
    assert any("message dropped" in line and "16UC1" in line for line in running.lines)


def test_a_recording_that_somebody_else_plays_scores_as_it_did(
    fitmotion: Callable[..., Command], run: Callable[[GraphOptions], Running]
) -> None:
    recorded = fitmotion("up", "--mover", "squat_heels_up", "--lossless", "--record")
    assert recorded.wait() == 0, recorded.stderr
    everything = {"fms": {"qos_reliability": "reliable", "qos_depth": 1000}}
    topic = "/bag/body_pose"
    running = run(GraphOptions(body_pose_topic=topic, use_sim_time=True, parameters=everything))
    heard = running.heard
    path = str(recorded.run_folder / "recording.mcap")
    with foreign("foreign_player.py", path, "/body_pose", topic, "2.0") as player:
        running.until(lambda: player.poll() is not None)
        assert player.returncode == 0
    before = recorded.assessment()["assessments"]
    running.until(lambda: len(heard.assessments) == len(before) > 0)
    for old, new in zip(before, sorted(heard.assessments.values(), key=lambda item: item.end), strict=True):
        assert (new.score, new.repetition) == (old["score"], old["repetition"])
        assert new.start == pytest.approx(old["start_s"], abs=1e-6)
        values = {criterion.name: criterion.value for criterion in new.criteria}
        for criterion in old["criteria"]:
            expected = float("nan") if criterion["value"] is None else criterion["value"]
            assert values[criterion["name"]] == pytest.approx(expected, abs=1e-3, nan_ok=True)
    assert running.report("fms", "bad_messages") == "0"
