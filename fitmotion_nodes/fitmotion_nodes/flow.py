"""How a source feeds the graph: in real time, or losslessly against acknowledgements. Knows nothing of ROS."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable

# a frame that nobody acknowledged is sent again after this long: its listener was started anew
PATIENCE_S = 2.0
TURN_S = 0.1  # how often a waiting thread looks whether it shall stop
UNDER_WAY = 2  # frames: one being worked on, one waiting, so that the consumer never idles


class Window:
    """Lets at most a few frames be under way between a source and the consumer that acknowledges them."""

    def __init__(self, size: int = UNDER_WAY, patience_s: float = PATIENCE_S) -> None:
        self._size, self._patience = size, patience_s
        self._changed = threading.Condition()
        self._waiting: OrderedDict[Hashable, Callable[[], None]] = OrderedDict()
        self.resent = 0

    def send(self, key: Hashable, publish: Callable[[], None], stop: threading.Event) -> bool:
        """Wait for room, then publish; key: what the acknowledgement will name. False when told to stop."""
        if not self._wait(self._size - 1, stop):
            return False
        with self._changed:
            self._waiting[key] = publish
        publish()
        return True

    def drain(self, stop: threading.Event) -> bool:
        """Wait until everything is acknowledged. False when told to stop."""
        return self._wait(0, stop)

    def acknowledge(self, key: Hashable) -> None:
        """The consumer is done with a frame; unknown keys (second acknowledgements) are ignored."""
        with self._changed:
            self._waiting.pop(key, None)
            self._changed.notify_all()

    def _wait(self, at_most: int, stop: threading.Event) -> bool:
        overdue = time.monotonic() + self._patience
        while not stop.is_set():
            with self._changed:
                # in short turns, as nobody wakes this side when it shall stop
                if self._changed.wait_for(lambda: len(self._waiting) <= at_most, timeout=min(self._patience, TURN_S)):
                    return True
                again = list(self._waiting.values()) if time.monotonic() >= overdue else []
            for publish in again:
                self.resent += 1
                publish()
            if again:
                overdue = time.monotonic() + self._patience
        return False


class Pacer:
    """Keeps a schedule on the steady clock: waits are to absolute times, so that they never add up to a drift."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._start: float | None = None

    def late(self, offset: float) -> float:
        """By how many seconds a time of the schedule has passed, negative while it is ahead; 0 before the start."""
        return 0.0 if self._start is None else time.monotonic() - self._start - offset

    def wait(self, offset: float) -> bool:
        """Sleep until a time of the schedule, seconds since its first wait. False when told to stop."""
        if self._start is None:
            self._start = time.monotonic() - offset
        remaining = -self.late(offset)
        return not (self._stop.wait(remaining) if remaining > 0 else self._stop.is_set())

    def postpone(self, seconds: float) -> None:
        """Move the rest of the schedule back."""
        if self._start is not None:
            self._start += max(seconds, 0.0)


class Worker:
    """A thread that does one piece of work and says how it ended: None, or the exception that stopped it."""

    def __init__(self, work: Callable[[threading.Event], None], ended: Callable[[Exception | None], None]) -> None:
        self._stop = threading.Event()
        self._work, self._ended = work, ended
        self._thread = threading.Thread(target=self._run, name="source", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Tell the work to stop and wait a moment for it."""
        self._stop.set()
        if self._thread is not threading.current_thread():
            self._thread.join(timeout=PATIENCE_S)

    def _run(self) -> None:
        error: Exception | None = None
        try:
            self._work(self._stop)
        except Exception as caught:  # handed on, not swallowed: the node decides in its own thread
            error = caught
        if not self._stop.is_set():
            self._ended(error)
