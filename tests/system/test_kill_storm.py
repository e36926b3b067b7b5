"""Fifty nodes killed at random moments: every one comes back, nothing is left behind, `up` ends cleanly."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from .conftest import Command, write_video

KILLS = 50
LONGEST_PAUSE_S = 1.2  # between two kills: some hit a node that has not yet started up, some a settled graph


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("nothing_left_in_shared_memory")
def test_fifty_kills(fitmotion: Callable[..., Command], tmp_path: Path) -> None:
    random = np.random.default_rng(20)
    run = fitmotion("up", "--source", str(write_video(tmp_path / "grey.avi", 90)), "--loop")
    run.until(lambda command: len(command.children()) == 3)
    names = ("camera", "pose", "fms")
    for count in range(KILLS):
        time.sleep(random.uniform(0.0, LONGEST_PAUSE_S))
        name = names[random.integers(len(names))]
        killed = run.child(name)
        os.kill(killed, signal.SIGKILL)
        run.child(name, but_not=killed)
        run.until(lambda command, count=count: command.stdout.count("was killed by SIGKILL") == count + 1)
    run.until(lambda command: len(command.children()) == 3)
    seen = run.stdout.count(" Hz, pose ")
    run.until(lambda command: command.stdout.count(" Hz, pose ") >= seen + 3)  # it works again, and says so
    assert "camera " in run.stdout.splitlines()[-1]
    assert run.interrupt() < 3.0
    assert run.process.returncode == 0
    assert "Traceback" not in run.stdout + run.stderr
