"""ROS for tests: checked message fields, this machine only, a domain of our own, nodes spun in the test's thread."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

os.environ["ROS_PYTHON_CHECK_FIELDS"] = "1"  # read when messages are imported, so before anything else here
os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
os.environ["FASTRTPS_DEFAULT_PROFILES_FILE"] = str(Path(__file__).parents[2] / "launch/config/quick_discovery.xml")
os.environ["FASTDDS_DEFAULT_PROFILES_FILE"] = os.environ["FASTRTPS_DEFAULT_PROFILES_FILE"]

import cv2
import numpy as np
import pytest

DOMAIN = 100 + os.getpid() % 100  # two test runs at once do not hear each other; 232 is the greatest there is


class Graph:
    """The nodes of one test and an ear for what they publish; spun together by `until`."""

    def __init__(self) -> None:
        import rclpy
        from rclpy.executors import SingleThreadedExecutor

        self.node = rclpy.create_node("listener", use_global_arguments=False)
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self.node)
        self._nodes: list[Any] = []

    def add(self, node: Any) -> Any:
        """Spin this node too, and destroy it at the end."""
        self._nodes.append(node)
        self._executor.add_node(node)
        return node

    def hear(self, kind: type, topic: str, qos: Any = 100, react: Callable[[Any], None] | None = None) -> list[Any]:
        """The list that every message on a topic will be appended to."""
        heard: list[Any] = []

        def take(msg: Any) -> None:
            heard.append(msg)
            if react is not None:
                react(msg)

        self.node.create_subscription(kind, topic, take, qos)
        return heard

    def talk(self, kind: type, topic: str, qos: Any = 100) -> Any:
        """A publisher, once somebody listens to it."""
        publisher = self.node.create_publisher(kind, topic, qos)
        self.until(lambda: publisher.get_subscription_count() > 0)
        return publisher

    def call(self, kind: type, name: str, request: Any) -> Any:
        """The answer of a service."""
        client = self.node.create_client(kind, name)
        self.until(client.service_is_ready)
        future = client.call_async(request)
        self.until(future.done)
        return future.result()

    def until(self, condition: Callable[[], Any], patience: float = 45.0) -> None:
        """Spin until the condition holds; a test that waits in vain fails here."""
        end = time.monotonic() + patience
        while not condition():
            if time.monotonic() > end:
                raise AssertionError("waited in vain")
            self._executor.spin_once(timeout_sec=0.02)

    def spin_for(self, seconds: float) -> None:
        """Spin for a while, to see that something does not happen."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._executor.spin_once(timeout_sec=0.02)

    def values(self, name: str, reports: Sequence[Any]) -> dict[str, str]:
        """The last diagnostics of a node as a dictionary."""
        statuses = [status for report in reports for status in report.status if status.name == name]
        return {item.key: item.value for item in statuses[-1].values} if statuses else {}

    def close(self) -> None:
        for node in [*self._nodes, self.node]:
            self._executor.remove_node(node)
            node.destroy_node()
        self._executor.shutdown()


def _ros_arguments(parameters: dict[str, Any]) -> list[str]:
    arguments = ["--ros-args"]
    for name, value in parameters.items():
        arguments += ["-p", f"{name}:={json.dumps(value)}"]  # JSON is YAML
    return arguments


@pytest.fixture
def ros() -> Iterator[Callable[..., Graph]]:
    """Start ROS with parameters for the nodes of this test: `graph = ros(lossless=True, source="...")`."""
    import rclpy

    graphs: list[Graph] = []

    def start(**parameters: Any) -> Graph:
        rclpy.init(args=[*_ros_arguments(parameters), "--log-level", "warn"], domain_id=DOMAIN)
        graphs.append(Graph())
        return graphs[-1]

    yield start
    for graph in graphs:
        graph.close()
    rclpy.try_shutdown()


class Ramp:
    """A video whose every frame is one grey, frame k the grey `shade(k)`."""

    width, height, count, fps = 96, 64, 12, 25.0

    def __init__(self, folder: Path) -> None:
        self.path = folder / "ramp.avi"
        writer = cv2.VideoWriter(str(self.path), cv2.VideoWriter.fourcc(*"MJPG"), self.fps, (self.width, self.height))
        for index in range(self.count):
            image = np.full((self.height, self.width, 3), self.shade(index), np.uint8)
            image[:, :, 2] += 12  # a little redder, so that the order of the channels shows
            writer.write(image)
        writer.release()

    @staticmethod
    def shade(index: int) -> int:
        return 10 + 20 * index


@pytest.fixture
def ramp(tmp_path: Path) -> Ramp:
    return Ramp(tmp_path)


@pytest.fixture
def run_main(capfd: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Run a node's main here as it would run in a process of its own: `status, errors = run_main(main, clip="...")`."""

    def run(main: Callable[[Sequence[str]], int], **parameters: Any) -> tuple[int, str]:
        status = main([main.__module__, *_ros_arguments(parameters)])
        return status, capfd.readouterr().err

    return run


@pytest.fixture
def run_node_process() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start a node as a process of this test's domain: `process = run_node_process("camera", source="...")`."""
    processes: list[subprocess.Popen[str]] = []

    def start(module: str, **parameters: Any) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", f"fitmotion_nodes.{module}", *_ros_arguments(parameters)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"ROS_DOMAIN_ID": str(DOMAIN)},
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        if process.poll() is None:
            process.terminate()
    for process in processes:
        try:
            process.communicate(timeout=5.0)
        except subprocess.TimeoutExpired:
            process.kill()  # it leaves its shared memory behind, so only when asking did not help
            process.communicate()
