"""What is around a graph under test: a network camera that can be unplugged, and an ear that measures from outside."""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import cv2

from .conftest import REPOSITORY

SUBJECT = "person"  # whom the pose node finds in front of the camera


def squat_pictures(fps: float = 30.0) -> list[bytes]:
    """A mannequin squatting, 640x480, as JPEG."""
    from fitmotion_models.mover import make_mover
    from fitmotion_models.pose.camera_model import CameraModel
    from fitmotion_models.viewer.mannequin import render_clip

    images = render_clip(make_mover("squat", fps=fps), CameraModel.guess(640, 480))
    return [cv2.imencode(".jpg", image)[1].tobytes() for image in images]


class NetworkCamera:
    """Sends pictures over HTTP in real time, over and over, to everybody who asks. Begins unplugged."""

    def __init__(self, pictures: list[bytes], fps: float = 30.0) -> None:
        self._pictures, self._fps = pictures, fps
        self._server: ThreadingHTTPServer | None = None
        self.frozen = False  # the line stays open and nothing comes
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self.address = f"http://127.0.0.1:{self._port}/stream.mjpg"

    def plug(self) -> None:
        camera = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
                self.end_headers()
                with suppress(OSError):
                    for picture in camera._in_real_time(self.server):
                        self.wfile.write(b"--frame\r\nContent-Type: image/jpeg\r\n")
                        self.wfile.write(b"Content-Length: %d\r\n\r\n%s\r\n" % (len(picture), picture))

            def log_message(self, format: str, *args: Any) -> None:
                return

        class Server(ThreadingHTTPServer):
            daemon_threads, allow_reuse_address, plugged = True, True, True

        self._server = Server(("127.0.0.1", self._port), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def unplug(self) -> None:
        """Lines are cut, and nobody answers any more."""
        if self._server is not None:
            self._server.plugged = False  # type: ignore[attr-defined]
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def _in_real_time(self, server: Any) -> Iterator[bytes]:
        began, count = time.monotonic(), 0
        while server.plugged:
            time.sleep(max(began + count / self._fps - time.monotonic(), 0.0))
            if not self.frozen and server.plugged:
                yield self._pictures[count % len(self._pictures)]
            count += 1


@dataclass
class Ear:
    """Hears the scores and the diagnostics of a run, in a thread of its own."""

    domain: int
    states: list[tuple[float, float]] = field(default_factory=list)  # arrival (time.time()), latency in ms
    reports: dict[str, dict[str, str]] = field(default_factory=dict)  # node -> its last values
    sentences: dict[str, list[str]] = field(default_factory=dict)  # node -> its messages, each change once

    def __post_init__(self) -> None:
        os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
        for name in ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE"):
            os.environ[name] = str(REPOSITORY / "launch/config/quick_discovery.xml")
        import rclpy
        from diagnostic_msgs.msg import DiagnosticArray
        from rclpy.executors import SingleThreadedExecutor
        from rclpy.signals import SignalHandlerOptions

        from fitmotion_msgs.msg import AssessmentState
        from fitmotion_nodes.parameters import StreamParameters, frame_qos

        self._context = rclpy.Context()
        rclpy.init(
            context=self._context,
            args=["--ros-args", "--disable-external-lib-logs", "--log-level", "error"],
            domain_id=self.domain,
            signal_handler_options=SignalHandlerOptions.NO,
        )
        self._node = rclpy.create_node("ear", context=self._context, use_global_arguments=False)
        self._node.create_subscription(AssessmentState, "fms/state", self._on_state, frame_qos(StreamParameters()))
        self._node.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, 50)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._context.try_shutdown()
        self._thread.join(5.0)
        self._node.destroy_node()

    def _spin(self) -> None:
        from rclpy.executors import ExternalShutdownException

        with suppress(ExternalShutdownException):
            self._executor.spin()

    def _on_state(self, msg: Any, info: dict[str, int]) -> None:
        stamp = msg.header.stamp.sec + msg.header.stamp.nanosec / 1e9
        arrival = info["received_timestamp"] / 1e9
        if msg.subject == SUBJECT and abs(arrival - stamp) < 100.0:  # others are garbage
            self.states.append((arrival, (arrival - stamp) * 1e3))

    def _on_diagnostics(self, msg: Any) -> None:
        for status in msg.status:
            if status.hardware_id == GARBAGE:
                continue
            self.reports[status.name] = {item.key: item.value for item in status.values}
            said = self.sentences.setdefault(status.name, [])
            if not said or said[-1] != status.message:
                said.append(status.message)

    def flow(self, since: float, until: float | None = None) -> "Flow":
        """How the scores came between two moments, time.time()."""
        until = until or time.time()
        latencies = sorted(latency for arrival, latency in self.states if since <= arrival < until)
        return Flow(len(latencies) / max(until - since, 1e-3), latencies)


GARBAGE = "garbage"  # hardware_id of reports that no node has sent


@dataclass(frozen=True)
class Flow:
    """Scores a second, and how late they were (ms, rising)."""

    rate: float
    latencies: list[float]

    def percentile(self, level: float) -> float:
        if not self.latencies:
            return float("inf")
        return self.latencies[min(len(self.latencies) - 1, int(len(self.latencies) * level / 100))]

    def __str__(self) -> str:
        return f"{self.rate:5.1f} Hz, p50 {self.percentile(50):6.1f} ms, p95 {self.percentile(95):6.1f} ms"


def memory_mb(pid: int) -> float:
    """What a process has to itself, megabytes; buffers that it shares with others are not counted."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) / 1e3
    raise AssertionError(f"no memory of {pid}")


def wait_until(condition: Callable[[], Any], seconds: float, what: str) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.05)
