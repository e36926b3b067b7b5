"""The supervisor on small programs of its own: no ROS, so every way to die can be had at will."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from fitmotion_nodes.child_process import NotBuiltError
from fitmotion_nodes.graph import Graph, NodeSpec
from fitmotion_nodes.parameters import FmsParameters
from fitmotion_nodes.supervisor import Backoff, Outcome, Result, Supervisor

QUICK = Backoff(first=0.05, longest=0.2, stable=5.0, attempts=3)
PROGRAMS = {
    "steady": "import signal\nprint('ready', flush=True)\nsignal.pause()",
    "polite": """
        import signal, sys
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        print('ready', flush=True)
        signal.pause()""",
    "deaf": """
        import signal, time
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        print('ready', flush=True)
        while True:
            time.sleep(1)""",
    "finished": "print('the last frame')",
    "mistaken": "import sys\nprint('starting')\nprint('tilt=9 is too much', file=sys.stderr)\nsys.exit(2)",
    "broken": "raise RuntimeError('no model')",
    "arguments": "import os, sys\nprint(sys.argv[1:])\nprint(os.environ['OWN'], os.environ['SHARED'], flush=True)",
}


class Run:
    """A supervisor over some of the programs, and all that it said."""

    def __init__(self, folder: Path, *names: str, ends_run: str = "", together: bool = False, **spec: object) -> None:
        self.lines: list[tuple[str, str]] = []
        self.events: list[str] = []
        self.restarts_of_all = 0
        install(folder)
        specs = tuple(
            NodeSpec(
                executable=name, name=name, package="programs", kind=FmsParameters, ends_run=name == ends_run, **spec
            )  # type: ignore[arg-type]
            for name in names
        )
        self.supervisor = Supervisor(
            Graph(nodes=specs, environment={"SHARED": "ours"}, log_level="info", restart_together=together),
            work_dir=folder,
            on_line=lambda name, line: self.lines.append((name, line)),
            on_event=self.events.append,
            on_restart=self._restarted,
            backoff=QUICK,
            environment={**os.environ, "AMENT_PREFIX_PATH": str(folder)},
        )

    def _restarted(self) -> None:
        self.restarts_of_all += 1

    def until(self, condition: Callable[[], object], seconds: float = 10.0) -> Outcome | None:
        """Poll until the condition holds or the run is over."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            outcome = self.supervisor.poll()
            if outcome or condition():
                return outcome
            time.sleep(0.005)
        raise AssertionError(f"nothing happened in {seconds} s; events {self.events}, lines {self.lines}")

    def ready(self) -> int:
        return sum(line == "ready" for _, line in self.lines)

    def pid(self, name: str) -> int:
        return next(status.pid for status in self.supervisor.statuses() if status.name == name) or 0


def install(folder: Path) -> None:
    programs = folder / "lib" / "programs"
    programs.mkdir(parents=True, exist_ok=True)
    for name, text in PROGRAMS.items():
        path = programs / name
        path.write_text(f"#!{sys.executable}\n{textwrap.dedent(text)}\n")
        path.chmod(0o755)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., Run]]:
    started: list[Run] = []

    def make(*names: str, **options: object) -> Run:
        made = Run(tmp_path, *names, **options)  # type: ignore[arg-type]
        started.append(made)
        made.supervisor.start()
        return made

    yield make
    for made in started:
        made.supervisor.stop()


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_killed_node_is_started_again_and_the_others_go_on(run: Callable[..., Run]) -> None:
    made = run("steady", "polite")
    made.until(lambda: made.ready() == 2)
    killed, other = made.pid("steady"), made.pid("polite")
    os.kill(killed, signal.SIGKILL)
    assert made.until(lambda: made.ready() == 3) is None
    assert made.pid("steady") not in (0, killed)
    assert made.pid("polite") == other
    assert made.events == ["steady was killed by SIGKILL; it starts again in 0.05 s"]
    assert [status.restarts for status in made.supervisor.statuses()] == [1, 0]


def test_waits_double_up_to_the_longest() -> None:
    assert [QUICK.delay(crashes) for crashes in (1, 2, 3, 4, 40)] == pytest.approx([0.05, 0.1, 0.2, 0.2, 0.2])


def test_a_node_that_fails_at_every_start_ends_the_run_with_its_last_words(run: Callable[..., Run]) -> None:
    made = run("broken", "steady")
    outcome = made.until(lambda: False)
    assert outcome == Outcome(Result.FAILED, "broken", "broken failed 3 times in a row, last: RuntimeError: no model")
    assert len(made.events) == 2


def test_kills_from_outside_are_never_a_reason_to_give_up(run: Callable[..., Run]) -> None:
    made = run("steady")
    for count in range(1, 6):
        made.until(lambda count=count: made.ready() == count)  # type: ignore[misc]
        os.kill(made.pid("steady"), signal.SIGKILL)
    assert made.until(lambda: made.ready() == 6) is None


def test_what_only_shows_is_given_up_by_itself(run: Callable[..., Run]) -> None:
    made = run("broken", "steady", essential=False)
    assert made.until(lambda: any("goes on without it" in event for event in made.events)) is None
    assert made.events[-1].startswith("broken failed 3 times in a row") and made.pid("broken") == 0
    assert alive(made.pid("steady"))


def test_wrong_parameters_end_the_run_with_the_nodes_line(run: Callable[..., Run]) -> None:
    made = run("mistaken", "steady")
    assert made.until(lambda: False) == Outcome(Result.REFUSED, "mistaken", "mistaken: tilt=9 is too much")
    assert not made.events


def test_the_end_of_the_source_completes_the_run(run: Callable[..., Run]) -> None:
    made = run("finished", "steady", ends_run="finished")
    outcome = made.until(lambda: False)
    assert outcome is not None
    assert (outcome.result, outcome.node) == (Result.COMPLETE, "finished")
    assert ("finished", "the last frame") in made.lines


def test_another_node_may_end_without_being_started_again(run: Callable[..., Run]) -> None:
    made = run("finished", "steady")
    assert made.until(lambda: made.events) is None
    assert made.events == ["finished has ended by itself"]
    assert [status.state for status in made.supervisor.statuses()] == ["ended", "running"]


def test_a_lossless_run_starts_over_as_a_whole(run: Callable[..., Run]) -> None:
    made = run("steady", "polite", together=True)
    made.until(lambda: made.ready() == 2)
    before = made.pid("steady"), made.pid("polite")
    os.kill(before[0], signal.SIGKILL)
    made.until(lambda: made.ready() == 4)
    assert made.restarts_of_all == 1
    assert not {made.pid("steady"), made.pid("polite")} & set(before)
    assert not any(alive(pid) for pid in before)


@pytest.mark.parametrize("names", [("steady", "polite"), ("deaf", "polite")])
def test_all_are_down_within_three_seconds(run: Callable[..., Run], names: tuple[str, ...]) -> None:
    made = run(*names)
    made.until(lambda: made.ready() == len(names))
    pids = [made.pid(name) for name in names]
    began = time.monotonic()
    made.supervisor.stop()
    assert time.monotonic() - began < 3.0
    assert not any(alive(pid) for pid in pids)


def test_a_node_gets_its_arguments_parameters_and_environment(run: Callable[..., Run], tmp_path: Path) -> None:
    made = run(
        "arguments",
        namespace="/rig_1",
        parameters={"tilt": float("nan"), "source": "0", "fps": 30.0},
        remappings=(("image_raw", "left/image_raw"),),
        environment={"OWN": "mine"},
    )
    made.until(lambda: len(made.lines) >= 2)
    arguments = made.lines[0][1]
    for expected in (
        "__node:=arguments",
        "__ns:=/rig_1",
        "image_raw:=left/image_raw",
        str(tmp_path / "arguments.yaml"),
    ):
        assert expected in arguments
    assert made.lines[1][1] == "mine ours"
    section = yaml.safe_load((tmp_path / "arguments.yaml").read_text())["/rig_1/arguments"]["ros__parameters"]
    assert section["source"] == "0"
    assert section["tilt"] != section["tilt"]


def test_what_is_not_built_is_said_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(NotBuiltError, match="executable nowhere of programs is not built"):
        Run(tmp_path, "nowhere")


def test_children_die_when_their_supervisor_is_killed(tmp_path: Path) -> None:
    """The program below supervises two nodes and is killed without a chance to say anything."""
    program = f"""
        import sys, time
        sys.path[:0] = {sys.path!r}
        from importlib.util import module_from_spec, spec_from_file_location
        spec = spec_from_file_location("programs_test", {__file__!r})
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        from pathlib import Path
        made = module.Run(Path({str(tmp_path)!r}), "steady", "polite")
        made.supervisor.start()
        made.until(lambda: made.ready() == 2)
        print(made.pid("steady"), made.pid("polite"), flush=True)
        time.sleep(60)"""
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout:
        pids = [int(word) for word in process.stdout.readline().split()]
    assert len(pids) == 2
    assert all(alive(pid) for pid in pids)
    process.kill()
    process.wait()
    end = time.monotonic() + 5.0
    while any(alive(pid) for pid in pids) and time.monotonic() < end:
        time.sleep(0.01)
    assert not any(alive(pid) for pid in pids)
