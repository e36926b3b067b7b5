"""Start a graph's nodes as processes, keep them running, and take them down together.

The one who supervises calls `start`, then `poll` many times a second until it returns an outcome, then `stop`, all from
one thread. Nodes that crash are started again, later and later while they keep crashing; a node that ends with status 0
is done, one that ends with status 2 was given wrong parameters, which ends the run.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from fitmotion_nodes.child_process import (
    ChildProcess,
    LineListener,
    find_executable,
    ros_arguments,
    write_parameters,
)
from fitmotion_nodes.graph import Graph, NodeSpec
from fitmotion_nodes.parameters import PARAMETERS_EXIT_CODE
from fitmotion_nodes.shared_memory import remove_dead_segments

# Nodes are asked with SIGTERM, on which rclpy shuts down; SIGINT would show a traceback in those that still import.
_FORCE, _GIVE_UP = 2.0, 2.5  # seconds after that at which the others are killed, and at which nobody waits any longer


class Result(Enum):
    """How a run ended by itself."""

    COMPLETE = "complete"  # the source is exhausted
    REFUSED = "refused"  # a node was given parameters it cannot use
    FAILED = "failed"  # a node fails at every start


@dataclass(frozen=True)
class Outcome:
    """How a run ended by itself; node: whose doing it was; text: one sentence for a person."""

    result: Result
    node: str
    text: str


@dataclass(frozen=True)
class Backoff:
    """How long to wait before a crashed node is started again, seconds.

    The first wait doubles with every crash in a row, up to the longest. Who ran for `stable` seconds has recovered.
    A node that ends by itself `attempts` times in a row without ever having been stable is given up, and with it the
    run, unless the node is not essential to it.
    """

    first: float = 0.25
    longest: float = 5.0
    stable: float = 5.0
    attempts: int = 6

    def delay(self, crashes_in_a_row: int) -> float:
        """The wait after this many crashes in a row (1: the first), seconds."""
        return float(min(self.first * 2.0 ** (crashes_in_a_row - 1), self.longest))


@dataclass
class _Record:
    """What is known of one node over its restarts."""

    child: ChildProcess
    restarts: int = 0
    crashes_in_a_row: int = 0
    own_failures_in_a_row: int = 0
    start_at: float | None = None  # time.monotonic() at which to start it (again)
    ended: bool = False


@dataclass(frozen=True)
class NodeStatus:
    """A node as a person wants to see it. state: "running", "waiting" (to be started again), or "ended"."""

    name: str
    state: str
    pid: int | None
    restarts: int


class Supervisor:
    """Runs one graph.

    work_dir: folder for the nodes' parameter files. on_line: hears every line a node says, from a thread of its own.
    on_event: hears what a person should know (a crash, a restart), one sentence each.
    on_restart: called when all nodes start over, see Graph.restart_together.
    Raises NotBuiltError where an executable is missing.
    """

    def __init__(
        self,
        graph: Graph,
        *,
        work_dir: Path,
        on_line: LineListener,
        on_event: Callable[[str], None],
        on_restart: Callable[[], None] = lambda: None,
        backoff: Backoff | None = None,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self._graph = graph
        self._on_event = on_event
        self._on_restart = on_restart
        self._backoff = backoff or Backoff()
        self._began = time.time()
        self._sweep_at: list[float] = []
        base = {**environment, **graph.environment, "PYTHONUNBUFFERED": "1"}
        self._records = {
            spec.name: _Record(
                ChildProcess(spec, _command(spec, graph, work_dir, base), {**base, **spec.environment}, on_line)
            )
            for spec in graph.nodes
        }

    def start(self) -> None:
        """Start every node."""
        for record in self._records.values():
            record.child.start()

    def statuses(self) -> list[NodeStatus]:
        """How the nodes are now."""
        return [
            NodeStatus(name, _state(record), record.child.pid, record.restarts)
            for name, record in self._records.items()
        ]

    def poll(self) -> Outcome | None:
        """See who ended and start again who has waited long enough; returns the outcome when the run is over."""
        now = time.monotonic()
        for record in self._records.values():
            if record.ended or record.start_at is not None:
                continue
            code = record.child.poll()
            if code is not None and (outcome := self._on_exit(record, code, now)):
                return outcome
        for record in self._records.values():
            if record.start_at is not None and record.start_at <= now:
                record.start_at = None
                record.child.start()
        self._sweep(now)
        if all(record.ended for record in self._records.values()):
            return Outcome(Result.COMPLETE, "", "every node has ended")
        return None

    def stop(self) -> None:
        """Take all nodes down within three seconds (SIGTERM, then SIGKILL) and clean up after them."""
        self._take_down()
        remove_dead_segments(self._began, time.time() + 1.0)  # nobody of ours is left who could still be starting

    def _take_down(self) -> None:
        for record in self._records.values():
            record.start_at = None
        began = time.monotonic()
        steps = [(0.0, signal.SIGTERM), (_FORCE, signal.SIGKILL)]
        while (elapsed := time.monotonic() - began) < _GIVE_UP:
            while steps and elapsed >= steps[0][0]:
                _, number = steps.pop(0)
                for child in self._living():
                    child.signal(number)
            if not any(self._living()):
                return
            time.sleep(0.01)

    def _living(self) -> Iterator[ChildProcess]:
        for record in self._records.values():
            if record.child.pid is not None and record.child.poll() is None:
                yield record.child

    def _on_exit(self, record: _Record, code: int, now: float) -> Outcome | None:
        spec = record.child.spec
        last_line = record.child.last_lines[-1] if record.child.last_lines else "it said nothing"
        if code == 0:
            record.ended = True
            if spec.ends_run:
                return Outcome(Result.COMPLETE, spec.name, f"{spec.name} has reached the end of its source")
            self._on_event(f"{spec.name} has ended by itself")
            return None
        # after a restart the same parameters were good before: then something else is wrong, and may pass
        if code == PARAMETERS_EXIT_CODE and not record.restarts:
            said = last_line.removeprefix(f"{spec.name}: ")
            return Outcome(Result.REFUSED, spec.name, f"{spec.name}: {said}")
        return self._on_crash(record, code, now, last_line)

    def _on_crash(self, record: _Record, code: int, now: float, last_line: str) -> Outcome | None:
        name = record.child.spec.name
        stable = now - record.child.started_at >= self._backoff.stable
        record.crashes_in_a_row = 1 if stable else record.crashes_in_a_row + 1
        # a signal came from outside (a person, the kernel); only failing by itself is a reason to give up
        failed_by_itself = code > 0 and not stable
        record.own_failures_in_a_row = record.own_failures_in_a_row + 1 if failed_by_itself else 0
        how = f"was killed by {_signal_name(-code)}" if code < 0 else f"crashed (status {code}: {last_line})"
        if record.own_failures_in_a_row >= self._backoff.attempts:
            text = f"{name} failed {self._backoff.attempts} times in a row, last: {last_line}"
            if record.child.spec.essential:
                return Outcome(Result.FAILED, name, text)
            record.ended = True
            self._on_event(f"{text}; the run goes on without it")
            return None
        delay = self._backoff.delay(record.crashes_in_a_row)
        self._sweep_at += [now, now + 1.0]
        if self._graph.restart_together:
            self._on_event(f"{name} {how}; frames are lost, so the run starts over in {delay:.2g} s")
            self._restart_all(delay)
        else:
            self._on_event(f"{name} {how}; it starts again in {delay:.2g} s")
            record.start_at = now + delay
        record.restarts += 1
        return None

    def _restart_all(self, delay: float) -> None:
        self._take_down()
        start_at = time.monotonic() + delay
        for record in self._records.values():
            record.ended = False
            record.start_at = start_at
        self._on_restart()

    def _sweep(self, now: float) -> None:
        """Remove the dead nodes' shared memory: at once, and what was too young for that a second later."""
        if any(due <= now for due in self._sweep_at):
            self._sweep_at = [due for due in self._sweep_at if due > now]
            remove_dead_segments(self._began, time.time())


def _command(spec: NodeSpec, graph: Graph, work_dir: Path, environment: Mapping[str, str]) -> list[str]:
    executable = find_executable(spec.package, spec.executable, environment)
    return [*executable, *ros_arguments(spec, write_parameters(spec, work_dir), graph.log_level)]


def _state(record: _Record) -> str:
    if record.ended:
        return "ended"
    return "waiting" if record.child.pid is None else "running"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
