"""Every node killed again and again at random moments: each comes back, nothing recorded is lost, nothing stays."""

import os
import re
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from fitmotion_models.exchange.mcap_files import read_messages

from .conftest import LONG, Command, write_video

pytestmark = pytest.mark.one_distribution
KILLS = {"camera": 20 if LONG else 9, "mover": 20 if LONG else 5}  # of every node: fifty in all, at length 160
# Some kills hit a node that has not yet started up, some a settled graph; who ran longer than the last is waited for
# a shorter time again (see supervisor.Backoff).
SHORT_S, LONG_S, EVERY = 1.2, 5.5, 5
MOVER = ("--mover", "subject", "--loop", "--imu", "pelvis,left_wrist,right_thigh", "--record", "--visualize")
IDLE = ("dashboard", "fms")  # nobody looks at the page, nobody is in the grey picture: they say that they are there
GRAPHS = {
    "camera": ((), ("camera", "pose", "fms")),
    "mover": (
        (*MOVER, "--dashboard", "--param", "dashboard.port=0", "--param", "recorder.min_free_mb=0"),
        ("replay", "recorder", "virtual_imu", "visualizer", "dashboard"),
    ),
}


@dataclass
class Victim:
    """A node: how often it was killed, the last process of it, and when the present one shall go."""

    name: str
    lives: int
    kills: int = 0
    killed: int = 0
    due: float | None = None

    def hunt(self, pid: int, random: np.random.Generator) -> bool:
        """Kill the process when its time has come; whether it was."""
        if self.kills == self.lives or pid == self.killed:
            return False
        if self.due is None:
            pause = LONG_S if self.kills % EVERY == EVERY - 1 else random.uniform(0.0, SHORT_S)
            self.due = time.monotonic() + pause
        if time.monotonic() < self.due:
            return False
        os.kill(pid, signal.SIGKILL)
        self.kills, self.killed, self.due = self.kills + 1, pid, None
        return True


@dataclass
class Recordings:
    """What was on the disk right before each kill of the recorder: messages of the newest file."""

    run: Command
    held: dict[str, int] = field(default_factory=dict)

    def note(self) -> None:
        files = list(self.run.run_folder.glob("recording*.mcap"))
        if files and (newest := max(files, key=lambda path: path.stat().st_mtime_ns)).stat().st_size:
            self.held[newest.name] = sum(1 for _ in read_messages(newest))


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("nothing_left_in_shared_memory")
@pytest.mark.parametrize("kind", GRAPHS)
def test_many_kills_of_each(fitmotion: Callable[..., Command], tmp_path: Path, kind: str) -> None:
    arguments, names = GRAPHS[kind]
    if kind == "camera":
        arguments = ("--source", str(write_video(tmp_path / "grey.avi", 90)), "--loop")
    random = np.random.default_rng(20)
    run = fitmotion("up", *arguments)
    run.until(lambda command: command.children().keys() >= set(names))
    recordings, victims = Recordings(run), [Victim(name, KILLS[kind]) for name in names]
    kills = KILLS[kind] * len(names)
    began = time.monotonic()

    def all_killed(command: Command) -> bool:
        time.sleep(0.05)  # looking through all processes is work too
        children = command.children()
        for victim in victims:
            if victim.name in children:
                if victim.name == "recorder" and victim.due is not None and time.monotonic() >= victim.due:
                    recordings.note()
                victim.hunt(children[victim.name], random)
        return all(victim.kills == victim.lives for victim in victims)

    run.until(all_killed, 200.0)
    print(f"\n{kind}: {kills} kills in {time.monotonic() - began:.0f} s")
    run.until(lambda command: command.stdout.count("was killed by SIGKILL") == kills)
    run.until(lambda command: command.children().keys() >= set(names))
    seen = len(status_lines(run))
    # all work again, and say so
    run.until(lambda command: any(is_at_work(line, names) for line in status_lines(command)[seen:]))
    assert run.interrupt() < 3.0
    assert run.process.returncode == 0
    assert "Traceback" not in run.stdout + run.stderr
    check_recordings(run, recordings.held)


def status_lines(run: Command) -> list[str]:
    return [line for line in run.stdout.splitlines() if re.match(r"(camera|replay) [\d.]+ Hz", line)]


def is_at_work(line: str, names: tuple[str, ...]) -> bool:
    rates = {name: float(rate) for name, rate in re.findall(r"(\w+) ([\d.]+) Hz", line)}
    return rates.keys() >= set(names) and all(rates[name] > 0.0 for name in names if name not in IDLE)


def check_recordings(run: Command, held: dict[str, int]) -> None:
    """Other programs' readers find in every file at least what was in it before its recorder was killed."""
    from mcap.reader import make_reader
    from rosbags.highlevel import AnyReader

    files = sorted(run.run_folder.glob("recording*.mcap"))
    assert bool(files) == bool(held) and {path.name for path in files} >= held.keys()
    for path in files:
        with path.open("rb") as stream:
            summary = make_reader(stream).get_summary()
        assert summary is not None and summary.statistics is not None
        assert summary.statistics.message_count >= held.get(path.name, 0), path.name
        with AnyReader([path]) as bag:
            assert sum(1 for _ in bag.messages()) == summary.statistics.message_count
