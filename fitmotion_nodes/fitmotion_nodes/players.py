"""How images are played: a file in real time, a live camera with its newest frame. Knows nothing of ROS."""

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from fitmotion_models.pose.image_source import Frame, ImageSource, SourceError, SourceLostError
from fitmotion_nodes.flow import TURN_S, Pacer

MAX_SKIPS = 5  # frames left out in a row; a decoder that is still behind then is too slow, and the video plays slower
MAX_BACK_OFF_S = 30.0
_CAPTURE_PATIENCE_S = 1.0  # less than a worker's, so that it hears how this ended

Picture = TypeVar("Picture")


class RealTimePlayer(Generic[Picture]):
    """Plays a file or folder at its own rate. When the machine is too slow frames are left out: the newest wins.

    prepare (resize, convert) is done ahead of the frame's time, emit at it.
    """

    def __init__(
        self, source: ImageSource, prepare: Callable[[Frame], Picture], emit: Callable[[Picture], None], *, loop: bool
    ) -> None:
        self.skipped = 0
        self.slow = False  # the decoder does not keep up even when frames are left out
        self._source, self._prepare, self._emit, self._loop = source, prepare, emit, loop

    def run(self, stop: threading.Event) -> None:
        """Play to the end, or until told to stop."""
        pacer = Pacer(stop)
        period = 1.0 / self._source.fps
        position = 0
        while not stop.is_set():
            position += self._skip_late(pacer, position, period)
            frame = self._source.read()
            if frame is None:
                if not self._loop:
                    return
                self._source.rewind()  # takes a moment: the schedule waits for it
                pacer.postpone(pacer.late(position * period))
                continue
            picture = self._prepare(frame)
            if not pacer.wait(position * period):
                return
            self._emit(picture)
            position += 1

    def _skip_late(self, pacer: Pacer, position: int, period: float) -> int:
        skips = 0
        while pacer.late((position + skips) * period) > period and skips < MAX_SKIPS and self._source.skip():
            skips += 1
        self.skipped += skips
        self.slow = skips == MAX_SKIPS
        if self.slow:
            pacer.postpone(pacer.late((position + skips) * period))
        return skips


class LivePlayer:
    """Passes on a live camera's newest frame. A thread of its own empties the camera, so that nothing queues there.

    report: hears what happens to the camera, a sentence and whether it is there. reconnect_s: seconds before the first
    attempt to bring a lost camera back; every further one waits twice as long.
    """

    def __init__(
        self,
        source: ImageSource,
        emit: Callable[[Frame], None],
        report: Callable[[str, bool], None],
        reconnect_s: Callable[[], float],
    ) -> None:
        self.dropped = self.reconnects = 0
        self.stuck = False  # after run: the driver has not come back yet, and closing the source under it would crash
        self._reconnect_s = reconnect_s
        self._source, self._emit, self._report = source, emit, report
        self._changed = threading.Condition()
        self._newest: deque[Frame] = deque(maxlen=1)
        self._failure: Exception | None = None

    def run(self, stop: threading.Event) -> None:
        """Pass frames on until told to stop; raises what broke the capture thread (a lost camera does not)."""
        capture = threading.Thread(target=self._capture, args=(stop,), name="capture", daemon=True)
        capture.start()
        while not stop.is_set():
            if self._failure is not None:
                raise self._failure
            with self._changed:
                self._changed.wait_for(lambda: self._newest, timeout=TURN_S)
                frame = self._newest.popleft() if self._newest else None
            if frame is not None and not stop.is_set():
                self._emit(frame)
        capture.join(timeout=_CAPTURE_PATIENCE_S)
        self.stuck = capture.is_alive()

    def _capture(self, stop: threading.Event) -> None:
        try:
            while not stop.is_set():
                self._take(stop)
        except Exception as error:  # raised in the thread that waits for frames
            self._failure = error

    def _take(self, stop: threading.Event) -> None:
        try:
            frame = self._source.read()
        except SourceLostError as error:
            self._report(f"{error}; trying to reconnect", False)
            self._reconnect(stop)
            return
        if frame is not None:
            with self._changed:
                self.dropped += len(self._newest)
                self._newest.append(frame)
                self._changed.notify_all()

    def _reconnect(self, stop: threading.Event) -> None:
        pause = self._reconnect_s()
        while not stop.wait(pause):
            try:
                self._source.reopen()
            except SourceError:
                pause = min(2 * pause, max(MAX_BACK_OFF_S, self._reconnect_s()))
                continue
            self.reconnects += 1
            self._report(f"{self._source.spec}: connected again", True)
            return
