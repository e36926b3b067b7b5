"""Ctrl-C: the first asks a run to end, one during the report leaves the report out, and nothing else is ever broken."""

import os
import signal
from collections.abc import Iterator

import pytest

from fitmotion_nodes.up import SkippedError, StopSignal


@pytest.fixture
def stop() -> Iterator[StopSignal]:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    yield StopSignal()
    for number, handler in before.items():
        signal.signal(number, handler)


def test_asking_twice_is_asking_once(stop: StopSignal) -> None:
    assert not stop.asked
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(os.getpid(), number)
    assert stop.asked


def test_what_is_skippable_ends_at_once(stop: StopSignal) -> None:
    done = []
    with pytest.raises(SkippedError), stop.skippable():
        done.append("before")
        os.kill(os.getpid(), signal.SIGINT)
        done.append("after")
    assert done == ["before"]


def test_after_it_ctrl_c_interrupts_nothing(stop: StopSignal) -> None:
    os.kill(os.getpid(), signal.SIGINT)  # before: the run was ended so
    with stop.skippable():
        pass
    os.kill(os.getpid(), signal.SIGINT)
