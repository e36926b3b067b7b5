"""`./fitmotion bench live`: the real graph, three processes in real time, measured from outside.

What is measured, after the warm-up: every image's way from its stamp (capture) to the arrival of the scorer's state in
this process, one more process than a robot or a display would have to be; the pose model's own time as the pose node
reports it over its last ten seconds (the mean of the reports that are ten seconds apart); processor time from
/proc/<pid>/stat; memory as PSS, which counts shared pages once, from /proc/<pid>/smaps_rollup at the end.
"""

import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from fitmotion_nodes.domain_lock import DomainLock
from fitmotion_nodes.graph import GraphOptions, build_graph
from fitmotion_nodes.monitor import GraphMonitor
from fitmotion_nodes.places import config_dir
from fitmotion_nodes.shared_memory import remove_dead_ports, remove_dead_segments
from fitmotion_nodes.supervisor import Supervisor

WARM_UP_S = 5.0
WIDTH, HEIGHT, FPS = 640, 480, 30.0
MAX_FRAMES = 90  # of each video: what is played is looped, and preparing it should not take long
_POSE_WINDOW_S = 10.0  # what the pose node's percentiles look back on
_SETTLE_S = 0.5  # for the last images' states to arrive


@dataclass(frozen=True)
class Usage:
    """What a process has used so far. cpu_s: processor time, seconds. memory_mb: PSS, 10^6 bytes."""

    cpu_s: float
    memory_mb: float


@dataclass
class FrameRecords:
    """When each image's messages arrived here; stamp -> seconds on the system clock."""

    captured: dict[float, float] = field(default_factory=dict)
    posed: dict[float, float] = field(default_factory=dict)
    scored: dict[float, float] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def hear(self, kind: str, stamp: float, now: float) -> None:
        """A message of this kind about the image of this stamp."""
        with self.lock:
            getattr(self, kind).setdefault(stamp, now)

    def between(self, start: float, end: float) -> "FrameRecords":
        """Only the images captured in a span of time, seconds on the system clock."""
        with self.lock:
            parts = {
                kind: {stamp: at for stamp, at in getattr(self, kind).items() if start <= stamp < end}
                for kind in ("captured", "posed", "scored")
            }
        return FrameRecords(parts["captured"], parts["posed"], parts["scored"])


class BenchError(RuntimeError):
    """The measurement cannot be made; the text is one sentence."""


def bench_live(videos: list[Path], *, seconds: float, domain: int) -> dict[str, Any]:
    """Run camera, pose and fms for so many seconds after the warm-up and return what was measured, ready for JSON.

    videos: with a person in them; they are brought to 640x480 first, as a webcam would give them, and looped. With none
    a mannequin squats, which costs the pose model as much as a person.
    Raises BenchError when nothing was scored or a process ended, and what `up` raises for a domain that is taken.
    """
    os.environ["ROS_DOMAIN_ID"] = str(domain)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # so that the nodes are taken down
    with DomainLock(domain), tempfile.TemporaryDirectory(prefix="fitmotion-bench-") as folder:
        source = prepare_video(videos or [draw_mannequin(Path(folder) / "mannequin.mp4")], Path(folder) / "video.avi")
        options = GraphOptions(source=str(source), loop=True, parameters={"camera": {"compressed": False}})
        graph = build_graph(options, config_dir())
        os.environ.update(graph.environment)
        played = ", ".join(video.name for video in videos) or "mannequin"
        return _measure(graph, Path(folder), seconds) | {"source": played}


def _measure(graph: Any, folder: Path, seconds: float) -> dict[str, Any]:
    began = time.time()
    records, lines = FrameRecords(), []
    supervisor = Supervisor(
        graph, work_dir=folder, on_line=lambda name, line: lines.append(f"{name}: {line}"), on_event=lines.append
    )
    monitor = GraphMonitor(graph, lossless=False, on_frame=records.hear)
    try:
        supervisor.start()
        _wait_for_first_state(supervisor, records, lines)
        _keep_running(supervisor, WARM_UP_S, lines)
        pids = {status.name: status.pid or 0 for status in supervisor.statuses()} | {"monitor": os.getpid()}
        start, before = time.time(), {name: usage(pid) for name, pid in pids.items()}
        pose_calls = list(_pose_calls(supervisor, monitor, seconds, lines))
        end, after = time.time(), {name: usage(pid) for name, pid in pids.items()}
        time.sleep(_SETTLE_S)
    finally:
        supervisor.stop()
        monitor.close()
        remove_dead_segments(began, time.time() + 1.0)
        remove_dead_ports(began, time.time() + 1.0)
    cpu = {name: (after[name].cpu_s - before[name].cpu_s) / (end - start) for name in pids}
    memory = {name: after[name].memory_mb for name in pids}
    return summary(records.between(start, end), pose_calls) | {
        "cpu_cores": _with_total(cpu, digits=3),
        "memory_mb": _with_total(memory, digits=1),
        "seconds": round(end - start, 1),
        "image": f"{WIDTH}x{HEIGHT}",
    }


def _wait_for_first_state(
    supervisor: Supervisor, records: FrameRecords, lines: list[str], limit_s: float = 60.0
) -> None:
    end = time.monotonic() + limit_s
    while not records.scored:
        _keep_running(supervisor, 0.1, lines)
        if time.monotonic() > end:
            raise BenchError(
                f"no image was scored in {limit_s:.0f} s; last: {lines[-1] if lines else 'nothing was said'}"
            )


def _keep_running(supervisor: Supervisor, seconds: float, lines: list[str]) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        outcome = supervisor.poll()
        if outcome is not None or any(status.restarts for status in supervisor.statuses()):
            raise BenchError(f"a node has ended: {outcome.text if outcome else lines[-1]}")
        time.sleep(0.05)


def _pose_calls(
    supervisor: Supervisor, monitor: GraphMonitor, seconds: float, lines: list[str]
) -> Iterator[tuple[float, float]]:
    """(p50, p95) of the pose model's time, milliseconds, once every window of the pose node's."""
    left = seconds
    while left > 0:
        _keep_running(supervisor, min(left, _POSE_WINDOW_S), lines)
        left -= _POSE_WINDOW_S
        with monitor.observations.lock:
            values = monitor.observations.reports["pose"].values
        yield float(values["pose_call_p50_ms"]), float(values["pose_call_p95_ms"])


def summary(records: FrameRecords, pose_calls: list[tuple[float, float]]) -> dict[str, Any]:
    """Counts and percentiles. An image is lost when the pose node never answered it; a person unseen is no loss.

    stages_ms: medians from the stamp to the arrival of camera_info, skeleton_2d and fms/state.
    """
    latencies = [(at - stamp) * 1e3 for stamp, at in records.scored.items()]
    if not latencies:
        raise BenchError("no image was scored after the warm-up; is there a person in the video?")
    lost = len(set(records.captured) - set(records.posed))
    p50, p95 = np.percentile(latencies, [50, 95])
    call = np.mean(pose_calls, axis=0)
    return {
        "frames_in": len(records.captured),
        "frames_scored": len(records.scored),
        "frames_lost": lost,
        "latency_ms": {"p50": round(float(p50), 2), "p95": round(float(p95), 2)},
        "stages_ms": {kind: _median_ms(getattr(records, kind)) for kind in ("captured", "posed", "scored")},
        "pose_call_ms": {"p50": round(float(call[0]), 2), "p95": round(float(call[1]), 2)},
    }


def _median_ms(arrivals: dict[float, float]) -> float:
    """Median time from the image's stamp to the arrival of a message about it, milliseconds."""
    return round(float(np.median([(at - stamp) * 1e3 for stamp, at in arrivals.items()] or [np.nan])), 2)


def _with_total(values: dict[str, float], digits: int) -> dict[str, float]:
    """The total is that of the three nodes; the monitor, which is this process, is listed beside them."""
    total = sum(value for name, value in values.items() if name != "monitor")
    return {name: round(value, digits) for name, value in {"total": total, **values}.items()}


def usage(pid: int) -> Usage:
    """Processor time and memory of a process. Raises BenchError when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError as error:
        raise BenchError(f"process {pid} cannot be measured: {error.strerror}") from None
    user, system = int(fields[11]), int(fields[12])  # utime and stime, proc(5), counted after the name
    kilobytes = next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    return Usage((user + system) / os.sysconf("SC_CLK_TCK"), kilobytes * 1024 / 1e6)


def default_videos() -> list[Path]:
    """The real squats of the test data; empty where they are not."""
    root = Path(__file__).resolve().parents[3] / "shared" / "data"
    return sorted((Path(os.environ.get("FITMOTION_DATA", root)) / "media").glob("overhead_squat_*.mov"))


def draw_mannequin(path: Path) -> Path:
    """A video of a squatting mannequin, for machines without one of a person."""
    from fitmotion_models.mover import make_mover
    from fitmotion_models.viewer.mannequin import write_clip_video

    write_clip_video(path, make_mover("squat", fps=FPS))
    return path


def prepare_video(videos: list[Path], path: Path) -> Path:
    """Join videos into one of 640x480 at 30 Hz, light to decode: whole pictures, black beside them.

    Raises BenchError when there is no frame or it cannot be written, SourceError for a video that cannot be read.
    """
    import cv2

    from fitmotion_models.pose.image_source import open_source

    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), FPS, (WIDTH, HEIGHT))
    if not writer.isOpened():
        raise BenchError(f"cannot write {path}; is the disk full?")
    count = 0
    try:
        for video in videos:
            source = open_source(str(video))
            for _ in range(MAX_FRAMES):
                frame = source.read()
                if frame is None:
                    break
                writer.write(letterbox(frame.image_bgr))
                count += 1
            source.close()
    finally:
        writer.release()
    if not count:
        raise BenchError("the videos have no frame")
    return path


def letterbox(image: Any) -> Any:
    """The whole image (H, W, 3) in 480x640, centred, black beside it; uint8."""
    import cv2

    scale = min(WIDTH / image.shape[1], HEIGHT / image.shape[0])
    size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    framed = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    left, top = (WIDTH - size[0]) // 2, (HEIGHT - size[1]) // 2
    framed[top : top + size[1], left : left + size[0]] = small
    return framed
