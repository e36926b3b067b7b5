"""Pacing and acknowledgements without ROS: threads, clocks and sources that are made here."""

import threading
import time
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from fitmotion_models.pose.image_source import Frame, SourceError, SourceLostError
from fitmotion_nodes.diagnostics import Percentiles, SequenceGaps
from fitmotion_nodes.flow import Pacer, Window, Worker
from fitmotion_nodes.players import LivePlayer, RealTimePlayer


def eventually(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.002)


class CountedSource:
    """A file of `count` frames; `decode_s` is how long one takes to read, `skip_s` to pass over."""

    live = False
    spec = "counted"

    def __init__(self, count: int, fps: float, decode_s: float = 0.0, skip_s: float = 0.0) -> None:
        self.fps, self.count, self.decode_s, self.skip_s = fps, count, decode_s, skip_s
        self.index = 0
        self.rounds = 1

    def read(self) -> Frame | None:
        time.sleep(self.decode_s)
        if self.index == self.count:
            return None
        self.index += 1
        return Frame(self.index - 1, 0.0, np.zeros((1, 1, 3), np.uint8))

    def skip(self) -> bool:
        time.sleep(self.skip_s)
        if self.index == self.count:
            return False
        self.index += 1
        return True

    def rewind(self) -> None:
        self.index = 0
        self.rounds += 1


def test_a_window_lets_two_frames_out_and_one_more_for_every_acknowledgement() -> None:
    window, stop, sent = Window(patience_s=60.0), threading.Event(), []

    def produce() -> None:
        for key in range(5):
            window.send(key, lambda key=key: sent.append(key), stop)
        window.drain(stop)
        sent.append("end")

    thread = threading.Thread(target=produce, daemon=True)
    thread.start()
    eventually(lambda: len(sent) == 2)
    time.sleep(0.05)
    assert sent == [0, 1]
    window.acknowledge(0)
    eventually(lambda: sent == [0, 1, 2])
    window.acknowledge(0)  # again: no room is made by it
    window.acknowledge("unknown")
    time.sleep(0.05)
    assert sent == [0, 1, 2]
    window.acknowledge(1)
    window.acknowledge(2)
    eventually(lambda: sent == [0, 1, 2, 3, 4])
    window.acknowledge(3)
    time.sleep(0.05)
    assert sent[-1] == 4  # the end waits for the last acknowledgement
    window.acknowledge(4)
    thread.join()
    assert sent[-1] == "end" and window.resent == 0


def test_what_nobody_acknowledges_is_sent_again() -> None:
    window, stop, sent = Window(patience_s=0.02), threading.Event(), []
    window.send("a", lambda: sent.append("a"), stop)
    window.send("b", lambda: sent.append("b"), stop)
    thread = threading.Thread(target=window.drain, args=(stop,))
    thread.start()
    eventually(lambda: sent[:6] == ["a", "b", "a", "b", "a", "b"])
    window.acknowledge("a")
    window.acknowledge("b")
    thread.join()
    assert window.resent == len(sent) - 2


def test_a_waiting_window_stops_when_told_to() -> None:
    window, stop = Window(patience_s=0.02), threading.Event()
    assert window.send("a", lambda: None, stop)
    threading.Timer(0.05, stop.set).start()
    assert not window.drain(stop)
    assert not window.send("b", lambda: None, stop)


def test_pacing_does_not_drift() -> None:
    pacer, stop = Pacer(threading.Event()), threading.Event()
    assert pacer.late(-5.0) == 0.0  # nothing is late before the start
    start = time.monotonic()
    for index in range(50):
        pacer.wait(index * 0.004)
        time.sleep(0.002)  # work between the waits must not add up
    assert time.monotonic() - start >= 49 * 0.004
    assert pacer.late(0.1) - pacer.late(0.2) == pytest.approx(0.1, abs=0.01)
    stop.set()
    assert not Pacer(stop).wait(0.0)


def test_a_file_in_real_time_shows_every_frame_at_its_time() -> None:
    shown: list[tuple[float, int]] = []
    source = CountedSource(count=20, fps=100.0)
    player = RealTimePlayer(
        source, lambda frame: frame.index, lambda index: shown.append((time.monotonic(), index)), loop=False
    )
    player.run(threading.Event())
    assert [index for _, index in shown] == sorted({index for _, index in shown})
    assert len(shown) + player.skipped == 20
    # a frame is never early: a busy machine can only make it late
    assert all(at - shown[0][0] >= (index - shown[0][1]) / 100.0 - 0.002 for at, index in shown)


def test_a_slow_decoder_leaves_frames_out_but_never_stops_showing() -> None:
    shown: list[int] = []
    source = CountedSource(count=60, fps=200.0, decode_s=0.02, skip_s=0.0)
    RealTimePlayer(source, lambda frame: frame.index, shown.append, loop=False).run(threading.Event())
    assert 5 <= len(shown) < 30  # 20 ms a frame against 5 ms: about every fourth
    assert shown == sorted(shown)
    crawling = CountedSource(count=60, fps=1000.0, decode_s=0.005, skip_s=0.005)
    slow: list[bool] = []
    player = RealTimePlayer(crawling, lambda frame: frame.index, lambda index: slow.append(player.slow), loop=False)
    player.run(threading.Event())
    assert len(slow) >= 8 and any(slow)  # even skipping is too slow: at least every sixth is shown


def test_a_loop_starts_again_without_a_gap_in_what_is_shown() -> None:
    stop, shown = threading.Event(), []
    source = CountedSource(count=5, fps=200.0)

    def show(index: int) -> None:
        shown.append(index)
        if len(shown) == 23:
            stop.set()

    RealTimePlayer(source, lambda frame: frame.index, show, loop=True).run(stop)
    assert source.rounds >= 5
    assert all(second in ((first + 1) % 5, *range(5)) for first, second in pairwise(shown))


class FlakyCamera:
    """A camera that gives three frames, then is gone for two attempts, then gives frames again."""

    live, spec = True, "flaky"

    def __init__(self) -> None:
        self.given = 0
        self.attempts: list[float] = []

    def read(self) -> Frame:
        if self.given == 3 and len(self.attempts) < 3:
            raise SourceLostError("flaky: gives no more frames")
        time.sleep(0.001)
        self.given += 1
        return Frame(self.given - 1, float(self.given), np.zeros((1, 1, 3), np.uint8))

    def reopen(self) -> None:
        self.attempts.append(time.monotonic())
        if len(self.attempts) < 3:
            raise SourceError("flaky: not there")


def test_a_lost_camera_is_tried_again_ever_more_slowly_and_told_of() -> None:
    camera, stop, shown, told = FlakyCamera(), threading.Event(), [], []
    player = LivePlayer(camera, shown.append, lambda *event: told.append(event), lambda: 0.02)
    thread = threading.Thread(target=player.run, args=(stop,))
    thread.start()
    eventually(lambda: shown and shown[-1].index > 5)
    stop.set()
    thread.join()
    assert [connected for _, connected in told] == [False, True]
    assert "gives no more frames" in told[0][0]
    waits = np.diff(camera.attempts)
    assert waits[0] >= 0.04 and waits[1] >= 0.08  # doubled every time
    assert player.reconnects == 1


def test_what_breaks_in_the_capture_thread_is_not_lost() -> None:
    class Broken(FlakyCamera):
        def read(self) -> Frame:
            raise RuntimeError("the driver crashed")

    player = LivePlayer(Broken(), lambda frame: None, lambda *event: None, lambda: 1.0)
    with pytest.raises(RuntimeError, match="the driver crashed"):
        player.run(threading.Event())


def test_a_slow_consumer_of_a_camera_gets_the_newest_frame() -> None:
    class Steady(FlakyCamera):
        def read(self) -> Frame:
            time.sleep(0.002)
            self.given += 1
            return Frame(self.given - 1, 0.0, np.zeros((1, 1, 3), np.uint8))

    camera, stop, lags = Steady(), threading.Event(), []

    def consume(frame: Frame) -> None:
        lags.append(camera.given - 1 - frame.index)
        time.sleep(0.03)
        if len(lags) == 10:
            stop.set()

    player = LivePlayer(camera, consume, lambda *event: None, lambda: 1.0)
    player.run(stop)
    assert lags[-1] < 50  # nothing queues, however slow the consumer: ten frames of a queue would be 150 behind
    assert player.dropped > 20


def test_a_driver_that_does_not_come_back_is_left_alone() -> None:
    release, stop = threading.Event(), threading.Event()

    class Hanging(FlakyCamera):
        def read(self) -> Frame:
            stop.set()
            release.wait()
            raise SourceLostError("at last")

    player = LivePlayer(Hanging(), lambda frame: None, lambda *event: None, lambda: 0.01)
    player.run(stop)
    assert player.stuck
    release.set()


def test_a_worker_hands_on_what_stopped_it() -> None:
    ends: list[Exception | None] = []
    Worker(lambda stop: None, ends.append)
    eventually(lambda: ends == [None])

    def fail(stop: threading.Event) -> None:
        raise SourceError("gone")

    Worker(fail, ends.append)
    eventually(lambda: len(ends) == 2)
    assert str(ends[1]) == "gone"
    worker = Worker(lambda stop: stop.wait(), ends.append)
    worker.stop()
    assert len(ends) == 2  # told to stop: that is no end


def test_percentiles_are_numpys() -> None:
    durations = Percentiles()
    assert durations.values("call") == {}
    samples = np.random.default_rng(5).permutation(np.arange(1.0, 201.0))
    for value in samples:
        durations.add(float(value))
    values = durations.values("call")
    assert float(values["call_p50_ms"]) == pytest.approx(np.percentile(samples, 50, method="higher"))
    assert float(values["call_p95_ms"]) == pytest.approx(np.percentile(samples, 95, method="higher"))


def test_gaps_in_the_sequence_are_lost_messages() -> None:
    gaps = SequenceGaps()
    assert [gaps.missed(number) for number in (7, 8, 11, 12, 1, 2, 4)] == [0, 0, 2, 0, 0, 0, 1]
