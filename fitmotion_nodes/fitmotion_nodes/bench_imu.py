"""`./fitmotion bench imu`: what live virtual sensors cost, how late they are, and what they read beside a recording.

The replay node plays a body in real time and the virtual_imu node puts sensors on it, as processes over DDS. First the
body is played over and over, and the node's processor time is taken from /proc/<pid>/stat: while nobody listens, then
with one subscriber, with one at every sensor, with two at every sensor. The subscribers are participants of their own
in this process, as two programs would be. Then the body is played once and all is heard, twice: in real time, where
poses come late or not at all on a busy machine, and losslessly.
The same poses are given to the offline sensors.
"""

import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from fitmotion_models.evaluation.imu_live import live_difference, recorded_from
from fitmotion_models.imu import ImuRecording, Site, select_sites
from fitmotion_models.imu.live import DEFAULT_LAG_S
from fitmotion_nodes.bench_records import BenchError, usage
from fitmotion_nodes.bench_subscribers import Reading, Subscribers
from fitmotion_nodes.domain_lock import DomainLock
from fitmotion_nodes.graph import Graph, GraphOptions, build_graph
from fitmotion_nodes.places import config_dir
from fitmotion_nodes.shared_memory import remove_dead_ports, remove_dead_segments
from fitmotion_nodes.supervisor import Supervisor

LISTENER = "bench_imu"
_BODY = "squat"
_SETTLE_S = 2.0  # for subscribers to be found and for what was started to calm down
_START_S = 60.0
_LOOK_S = 0.1
_QUEUE = 5000  # messages of one sensor that may wait here


@dataclass(frozen=True)
class BenchImuOptions:
    """What is measured. replay: a clip or recording, empty: a squatting body. preset: whose errors the sensors have.

    seconds: how long each number of subscribers is measured. sites: names of sensors, ("all",) for every known one.
    """

    replay: str = ""
    sites: tuple[str, ...] = ("all",)
    rate_hz: float = 200.0
    preset: str = "bmi270"
    seconds: float = 10.0


def bench_imu(options: BenchImuOptions, *, domain: int, on_step: Callable[[str], None]) -> dict[str, Any]:
    """Measure and return the figures, ready for JSON. on_step: hears what is being done.

    Raises ValueError for sites, presets and clips that cannot be used, BenchError when a process ended or nothing came,
    and what `up` raises for a domain that is taken.
    """
    os.environ["ROS_DOMAIN_ID"] = str(domain)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # so that the nodes are taken down
    sites = select_sites(list(options.sites))
    ideal, real = _graph(options, preset=""), _graph(options, preset=options.preset)
    os.environ.update(ideal.environment)
    with DomainLock(domain):
        result: dict[str, Any] = {
            "body": Path(options.replay).name or f"{_BODY} (built in)",
            "sites": len(sites),
            "rate_hz": options.rate_hz,
        }
        result["cpu_percent"] = _cost(ideal, sites, options.seconds, on_step)
        if options.preset:
            on_step(f"with the errors of {options.preset}")
            result[f"cpu_percent_{options.preset}"] = _cost(real, sites, options.seconds, on_step)
        on_step("live against offline, in real time")
        played, lag = _readings(_graph(options, preset="", once="in real time"), sites, options.rate_hz)
        on_step("live against offline, lossless")
        exact, _ = _readings(_graph(options, preset="", once="lossless"), sites, options.rate_hz)
        readings: dict[str, Any] = {
            "lag_ms": lag,
            "live_against_offline": exact,
            "live_against_offline_in_real_time": played,
        }
        return result | readings


def _graph(options: BenchImuOptions, *, preset: str, once: str = "") -> Graph:
    """The body and its sensors. once: "in real time" or "lossless", else over and over; lossless needs the scorer."""
    lossless = once == "lossless"
    parameters: dict[str, dict[str, Any]] = {"virtual_imu": {"rate_hz": options.rate_hz, "lag_s": DEFAULT_LAG_S}}
    if once:
        parameters["replay"] = {"wait_for": f"{'fms,' if lossless else ''}virtual_imu,{LISTENER}"}
    graph = build_graph(
        GraphOptions(
            replay=options.replay,
            mover="" if options.replay else _BODY,
            loop=not once,
            lossless=lossless,
            imu=",".join(options.sites),
            imu_preset=preset,
            parameters=parameters,
        ),
        config_dir(),
    )
    return graph if lossless else replace(graph, nodes=tuple(spec for spec in graph.nodes if spec.name != "fms"))


# ---- cost ----


def _cost(graph: Graph, sites: tuple[Site, ...], seconds: float, on_step: Callable[[str], None]) -> dict[str, float]:
    """Percent of a core that virtual_imu takes, by subscribers."""
    with _running(graph) as supervisor, Subscribers("first") as first, Subscribers("second") as second:
        _wait_for_poses(supervisor, first)
        on_step("nobody listens")
        alone = _measured(supervisor, (), seconds)
        on_step("one subscriber")
        first.hear(sites[:1])
        one = _measured(supervisor, (first,), seconds)
        on_step("one subscriber at every sensor")
        first.hear(sites[1:])
        each = _measured(supervisor, (first,), seconds)
        on_step("two subscribers at every sensor")
        second.hear(sites)
        two = _measured(supervisor, (first, second), seconds)
    found = {"no_subscriber": alone, "one_subscriber": one, "one_each": each, "two_each": two}
    found["first_adds"] = one - alone
    if len(sites) > 1:
        found["each_further_adds"] = (each - one) / (len(sites) - 1)
    found["each_second_adds"] = (two - each) / len(sites)
    return {name: round(value, 2) for name, value in found.items()}


def _measured(supervisor: Supervisor, listeners: tuple[Subscribers, ...], seconds: float) -> float:
    """Percent of a core, once things have calmed down. Raises BenchError where a subscriber hears nothing."""
    pid = next(status.pid for status in supervisor.statuses() if status.name == "virtual_imu") or 0
    _keep_running(supervisor, _SETTLE_S, listeners)
    start, before = time.monotonic(), usage(pid).cpu_s
    heard = _keep_running(supervisor, seconds, listeners)
    spent, took = usage(pid).cpu_s - before, time.monotonic() - start
    if listeners and not heard:
        raise BenchError("the subscribers heard nothing; is virtual_imu of another ROS domain?")
    return 100.0 * spent / took


def _keep_running(supervisor: Supervisor, seconds: float, listeners: tuple[Subscribers, ...] = ()) -> int:
    """Let the nodes run and take what comes; returns how much that was. Raises BenchError when a node has ended."""
    heard, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        outcome = supervisor.poll()
        if outcome is not None or any(status.restarts for status in supervisor.statuses()):
            raise BenchError(f"a node has ended: {outcome.text if outcome else 'it was started again'}")
        heard += sum(listener.drop() for listener in listeners)
        time.sleep(_LOOK_S)
    return heard


def _wait_for_poses(supervisor: Supervisor, listeners: Subscribers) -> None:
    end = time.monotonic() + _START_S
    while not float(listeners.said().get("rate_hz", 0.0)):
        _keep_running(supervisor, _LOOK_S)
        if time.monotonic() > end:
            raise BenchError(f"no sensor read anything in {_START_S:.0f} s; is there a person in the clip?")


@contextmanager
def _running(graph: Graph) -> Iterator[Supervisor]:
    """The graph's processes, taken down at the end."""
    began = time.time()
    with tempfile.TemporaryDirectory(prefix="fitmotion-bench-") as folder:
        supervisor = Supervisor(
            graph, work_dir=Path(folder), on_line=lambda name, line: None, on_event=lambda text: None
        )
        try:
            supervisor.start()
            yield supervisor
        finally:
            supervisor.stop()
            remove_dead_segments(began, time.time() + 1.0)
            remove_dead_ports(began, time.time() + 1.0)


# ---- readings ----


def _readings(graph: Graph, sites: tuple[Site, ...], rate_hz: float) -> tuple[dict[str, Any], dict[str, float]]:
    """What was read of one pass, beside a recording of the same poses, and how late it was, milliseconds."""
    with Subscribers(LISTENER, lossless=graph.restart_together) as listeners, _running(graph) as supervisor:
        listeners.hear(sites)
        end = time.monotonic() + _START_S
        while not listeners.sensors_are_there() and time.monotonic() < end:
            _keep_running(supervisor, _LOOK_S)
        _keep_running(supervisor, 1.0)  # for the sensors to find their subscribers too
        listeners.hear_bodies()  # which is what the body waits for
        said: dict[str, str] = {}
        while supervisor.poll() is None:
            listeners.keep()
            said = listeners.said() or said
            time.sleep(_LOOK_S)
            if not listeners.bodies and time.monotonic() > end:
                raise BenchError(f"no body was heard in {_START_S:.0f} s; is there a person in the clip?")
        listeners.keep()
    if not listeners.bodies or not all(listeners.kept.values()):
        raise BenchError("no sensor read anything; is there a person in the clip?")
    live = _as_recording(listeners.kept, sites, rate_hz)
    ages = [1e3 * (at - stamp) for heard in listeners.kept.values() for stamp, _, _, at in heard]
    p50, p95 = np.percentile(ages, [50, 95])
    difference = live_difference(recorded_from(listeners.bodies, sites, rate_hz), live)
    return _rounded({"poses": len(listeners.bodies), **difference}), {
        "configured": float(said["lag_ms"]),
        "behind_newest_pose_p50": float(said["measured_lag_p50_ms"]),
        "behind_newest_pose_p95": float(said["measured_lag_p95_ms"]),
        "until_heard_p50": round(float(p50), 2),
        "until_heard_p95": round(float(p95), 2),
    }


def _as_recording(kept: dict[str, list[Reading]], sites: tuple[Site, ...], rate_hz: float) -> ImuRecording:
    """What came, every sample in its place; NaN where none did."""
    places = {name: [round(rate_hz * stamp) for stamp, *_ in heard] for name, heard in kept.items()}
    first, last = min(map(min, places.values())), max(map(max, places.values()))
    force, rate = (np.full((last - first + 1, len(sites), 3), np.nan) for _ in range(2))
    for index, site in enumerate(sites):
        rows = np.array(places[site.name]) - first
        force[rows, index] = [reading[1] for reading in kept[site.name]]
        rate[rows, index] = [reading[2] for reading in kept[site.name]]
    return ImuRecording(
        sites=tuple(site.name for site in sites),
        rate_hz=rate_hz,
        stamps=np.arange(first, last + 1) / rate_hz,
        specific_force=force,
        angular_velocity=rate,
        rotations=np.full((*force.shape[:2], 4), np.nan),
    )


def _rounded(figures: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _rounded(value) if isinstance(value, dict) else round(value, 5) if isinstance(value, float) else value
        for name, value in figures.items()
    }
