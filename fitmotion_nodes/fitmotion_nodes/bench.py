"""`./fitmotion bench live`: the real graph in real time, measured from outside.

Every test of the screen is armed: whichever is done is recognised and scored. Two graphs, one after the other on the
same video: camera, pose and fms alone; then all nodes, with three inertial
sensors, everything recorded, the overlay drawn and somebody looking at the dashboard (who takes all that a browser
takes, and draws nothing: see viewer/page_client.py).

What is measured, after the warm-up: every image's way from its stamp (capture) to the arrival of the scorer's state in
this process, one more process than a robot or a display would have to be; the pose model's own time as the pose node
reports it over its last ten seconds (the mean of the reports that are ten seconds apart); processor time from
/proc/<pid>/stat; memory as PSS, which counts shared pages once, from /proc/<pid>/smaps_rollup at the end.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from fitmotion_nodes.bench_records import BenchError, FrameRecords, summary, usage, with_total
from fitmotion_nodes.bench_videos import HEIGHT, WIDTH, draw_mannequin, prepare_video
from fitmotion_nodes.domain_lock import DomainLock
from fitmotion_nodes.graph import Graph, GraphOptions, build_graph
from fitmotion_nodes.monitor import MONITOR, GraphMonitor
from fitmotion_nodes.places import config_dir
from fitmotion_nodes.shared_memory import remove_dead_ports, remove_dead_segments
from fitmotion_nodes.supervisor import Supervisor

WARM_UP_S = 5.0
ANY_TEST = "auto"  # as `up --movement auto`
SENSORS = "pelvis,left_wrist,right_thigh"
CLIENT = "client"  # whoever looks at the dashboard
_POSE_WINDOW_S = 10.0  # what the pose node's percentiles look back on
_SETTLE_S = 0.5  # for the last images' states to arrive


def bench_live(videos: list[Path], *, seconds: float, domain: int, three_only: bool = False) -> dict[str, Any]:
    """Run the graph for so many seconds after the warm-up and return what was measured, ready for JSON.

    videos: with a person in them; they are brought to 640x480 first, as a webcam would give them, and looped, a
    squatting mannequin before them. three_only: leave out the graph of all nodes.
    Returns the figures of all nodes, and under "three_nodes" those of camera, pose and fms alone.
    Raises BenchError when nothing was scored or a process ended, and what `up` raises for a domain that is taken.
    """
    os.environ["ROS_DOMAIN_ID"] = str(domain)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # so that the nodes are taken down
    with DomainLock(domain), tempfile.TemporaryDirectory(prefix="fitmotion-bench-") as folder:
        played = [draw_mannequin(Path(folder) / "mannequin.mp4"), *videos]
        source, port = prepare_video(played, Path(folder) / "video.avi"), _free_port()
        whole = _all_nodes(source, Path(folder), port)
        alone = GraphOptions(source=str(source), loop=True, movement=ANY_TEST, parameters=_NO_JPEG)
        three = build_graph(alone, config_dir())
        os.environ.update(three.environment)
        names = {"source": ", ".join(video.name for video in played)}
        result = _measure(three, Path(folder), seconds) | names
        if three_only:
            return result
        recording = Path(folder) / "recording.mcap"
        everything = _measure(whole, Path(folder), seconds, page=f"http://127.0.0.1:{port}")
        return everything | {"recorded_mb": round(recording.stat().st_size / 1e6, 1)} | names | {"three_nodes": result}


# whoever looks gets the overlay's picture, not the camera's plain one
_NO_JPEG = {"camera": {"compressed": False}}


def _all_nodes(source: Path, folder: Path, port: int) -> Graph:
    options = GraphOptions(
        source=str(source),
        loop=True,
        movement=ANY_TEST,
        record=str(folder / "recording.mcap"),
        imu=SENSORS,
        visualize=True,
        dashboard=True,
        parameters=_NO_JPEG | {"dashboard": {"port": port}},
    )
    return build_graph(options, config_dir())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _measure(graph: Graph, folder: Path, seconds: float, *, page: str = "") -> dict[str, Any]:
    """Start a graph, let it warm up, measure it, take it down. page: address of the dashboard that is looked at."""
    began = time.time()
    records, lines = FrameRecords(), []
    supervisor = Supervisor(
        graph, work_dir=folder, on_line=lambda name, line: lines.append(f"{name}: {line}"), on_event=lines.append
    )
    monitor = GraphMonitor(graph, lossless=False, on_frame=records.hear)
    client: subprocess.Popen[str] | None = None
    try:
        supervisor.start()
        if page:
            client = _look_at(page)
        _wait_for_first_state(supervisor, records, lines)
        _keep_running(supervisor, WARM_UP_S, lines)
        pids = {status.name: status.pid or 0 for status in supervisor.statuses()} | {MONITOR: os.getpid()}
        pids |= {CLIENT: client.pid} if client else {}
        start, before = time.time(), {name: usage(pid) for name, pid in pids.items()}
        pose_calls = list(_pose_calls(supervisor, monitor, seconds, lines))
        end, after = time.time(), {name: usage(pid) for name, pid in pids.items()}
        time.sleep(_SETTLE_S)
    finally:
        seen = _look_away(client) if client else ""
        supervisor.stop()
        monitor.close()
        remove_dead_segments(began, time.time() + 1.0)
        remove_dead_ports(began, time.time() + 1.0)
    cpu = {name: (after[name].cpu_s - before[name].cpu_s) / (end - start) for name in pids}
    memory = {name: after[name].memory_mb for name in pids}
    return summary(records.between(start, end), pose_calls) | {
        "cpu_cores": with_total(cpu, but_not=(MONITOR, CLIENT), digits=3),
        "memory_mb": with_total(memory, but_not=(MONITOR, CLIENT), digits=1),
        "seconds": round(end - start, 1),
        "image": f"{WIDTH}x{HEIGHT}",
        **({"dashboard_client": seen} if page else {}),
    }


def _look_at(page: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-P", "-m", "fitmotion_models.viewer.page_client", page]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def _look_away(client: subprocess.Popen[str]) -> str:
    """End the client; what it says that it got."""
    client.terminate()
    with suppress(subprocess.TimeoutExpired):
        return client.communicate(timeout=5.0)[0].strip()
    client.kill()
    return ""


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
