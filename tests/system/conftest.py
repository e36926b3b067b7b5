"""Whole graphs of real processes: `up` as a person starts it, on a ROS domain of its own."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from fitmotion_nodes.graph import PROFILE_VARIABLES

REPOSITORY = Path(__file__).resolve().parents[2]
MEDIA = Path(os.environ.get("FITMOTION_DATA", REPOSITORY.parent / "shared" / "data")) / "media"
SHARED_MEMORY = Path("/dev/shm")
_OF_FAST_DDS = re.compile(r"/dev/shm/(fast(?:rtps|dds)_\w+)")
# `./fitmotion test --long`: as many faults as were ever promised, instead of as many as one waits for every time
LONG = os.environ.get("FITMOTION_TEST_LONG") == "1"
# what need not run again on the second distribution, but may
once_unless_long = pytest.mark.slow if LONG else pytest.mark.one_distribution
_DOMAINS = iter(range(1, 100))
_FIRST_DOMAIN = os.getpid() % 90  # two test runs at once do not hear each other


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole graphs of processes are slow tests: they want the machine for themselves."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.slow)


def free_domain() -> int:
    """A ROS domain that no other test of this run has."""
    return 1 + (_FIRST_DOMAIN + 7 * next(_DOMAINS)) % 100


class Command:
    """A running `fitmotion` command; what it says goes to files, so that no pipe can fill up."""

    def __init__(self, folder: Path, arguments: tuple[str, ...], environment: dict[str, str]) -> None:
        self.folder, self.domain = folder, int(environment["ROS_DOMAIN_ID"])
        folder.mkdir(parents=True, exist_ok=True)
        self._stdout, self._stderr = folder / "stdout", folder / "stderr"
        with self._stdout.open("wb") as out, self._stderr.open("wb") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "fitmotion_nodes.cli", *arguments],
                stdout=out,
                stderr=err,
                stdin=subprocess.DEVNULL,
                env=environment,
                cwd=folder,
            )

    @property
    def stdout(self) -> str:
        return self._stdout.read_text(errors="replace")

    @property
    def stderr(self) -> str:
        return self._stderr.read_text(errors="replace")

    def wait(self, seconds: float = 120.0) -> int:
        """The exit code; a command that hangs is killed and fails the test."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(f"did not end in {seconds} s:\n{self.stdout}\n{self.stderr}") from None

    def until(self, condition: Callable[["Command"], Any], seconds: float = 60.0) -> None:
        """Wait until the condition holds; fails when the command ends before."""
        end = time.monotonic() + seconds
        while not condition(self):
            ended = self.process.poll()
            assert ended is None, f"ended with {ended}:\n{self.stdout}\n{self.stderr}\n{self.logs()}"
            assert time.monotonic() < end, f"waited in vain:\n{self.stdout}\n{self.stderr}\n{self.logs()}"
            time.sleep(0.02)

    def says(self, pattern: str) -> None:
        """Wait until its output has the pattern."""
        self.until(lambda command: re.search(pattern, command.stdout))

    def children(self) -> dict[str, int]:
        """Node name -> process id, of the nodes that this `up` has started."""
        found = {}
        for folder in Path("/proc").iterdir():
            if not folder.name.isdecimal():
                continue
            try:
                status = (folder / "stat").read_text().rpartition(")")[2].split()
                words = (folder / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            names = [word.partition(b":=")[2].decode() for word in words if word.startswith(b"__node:=")]
            if names and int(status[1]) == self.process.pid and status[0] != "Z":
                found[names[0]] = int(folder.name)
        return found

    def child(self, name: str, *, but_not: int = 0) -> int:
        """The process of a node, once it is there; but_not: the one that was killed.

        A process that just executes another program has no command line for a moment.
        """
        found: list[int] = []

        def is_there(command: "Command") -> bool:
            pid = command.children().get(name, but_not)
            found.extend([pid] if pid != but_not else [])
            return bool(found)

        self.until(is_there)
        return found[-1]

    def interrupt(self) -> float:
        """Ctrl-C; the seconds until it had ended."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        self.wait(30)
        return time.monotonic() - began

    @property
    def run_folder(self) -> Path:
        """The folder of its run."""
        return max((self.folder / "runs").iterdir())

    def assessment(self) -> dict[str, Any]:
        """What it has written."""
        content: dict[str, Any] = json.loads((self.run_folder / "assessment.json").read_text())
        return content

    def report(self) -> str:
        """The page that it has written."""
        return (self.run_folder / "report.html").read_text()

    def logs(self) -> str:
        """All that the nodes said."""
        return "\n".join(path.read_text() for path in sorted(self.folder.glob("runs/*/log/*.log")))


def environment_for(folder: Path, domain: int) -> dict[str, str]:
    """Of a command that shares nothing with another test's; folder: its own, in one that its test has."""
    own = {
        "ROS_DOMAIN_ID": str(domain),
        "FITMOTION_ROOT": str(folder),
        "XDG_RUNTIME_DIR": str(folder.parent),
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
    }
    # profiles that other tests have set are for their own processes
    return {name: value for name, value in os.environ.items() if name not in PROFILE_VARIABLES} | own


@pytest.fixture
def fitmotion(tmp_path: Path) -> Iterator[Callable[..., Command]]:
    """Start a command: `run = fitmotion("up", "--mover", "squat")`, on a domain of this test's own."""
    domain = free_domain()
    started: list[Command] = []

    def start(*arguments: str, **variables: str) -> Command:
        folder = tmp_path / str(len(started))
        made = Command(folder, arguments, environment_for(folder, domain) | variables)
        started.append(made)
        return made

    yield start
    for command in started:
        if command.process.poll() is None:
            command.process.kill()
            command.process.wait()


class SharedMemoryWatch(threading.Thread):
    """Notes which files of Fast DDS this test's processes ever had open; other users of the machine come and go too."""

    def __init__(self, mark: str) -> None:
        super().__init__(daemon=True)
        self._mark = mark.encode()  # part of the environment of every process of this test
        self._done = threading.Event()
        self.names: set[str] = set()

    def run(self) -> None:
        while not self._done.wait(0.1):
            for process in Path("/proc").iterdir():
                if process.name.isdecimal():
                    with suppress(OSError):
                        if self._mark in (process / "environ").read_bytes():
                            self.names |= set(
                                re.findall(r"/dev/shm/(fast(?:rtps|dds)_\w+)", (process / "maps").read_text())
                            )

    def stop(self) -> None:
        self._done.set()
        self.join()


@pytest.fixture
def nothing_left_in_shared_memory(tmp_path: Path) -> Iterator[None]:
    """Fails when a file that this test's processes made is still there and no living process has it open."""
    from fitmotion_nodes.shared_memory import open_files

    before = {path.name for path in SHARED_MEMORY.iterdir()}  # somebody else left these, and ours used them too
    watch = SharedMemoryWatch(str(tmp_path))
    watch.start()
    yield
    watch.stop()
    assert watch.names
    # low port numbers are shared by all domains: somebody else's may be free for a moment, ours would stay free
    end = time.monotonic() + 3.0
    while left := (watch.names - before) & {path.name for path in SHARED_MEMORY.iterdir()} - open_files():
        assert time.monotonic() < end, left
        time.sleep(0.1)


def write_video(path: Path, frames: int, shade: int = 0, size: tuple[int, int] = (320, 240)) -> Path:
    """A video of one grey."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 30.0, size)
    for _ in range(frames):
        writer.write(np.full((size[1], size[0], 3), shade, np.uint8))
    writer.release()
    return path
