"""The frames between a network that predicts chunks and a clock that plays frames: a queue that knows its latency."""

import math
import threading
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from fitmotion_models.skeleton.rotations import Float64

Join = Callable[[Float64, Float64], Float64]
"""(what was played before, the rows that follow) -> the rows that follow, without a jump."""


class LatencyTracker:
    """How long chunks took lately, seconds, over a window of the last `window` of them."""

    def __init__(self, window: int = 100) -> None:
        self._seconds: deque[float] = deque(maxlen=window)
        self._p95: float | None = None

    def add(self, seconds: float) -> None:
        """One chunk's time from the request until it was merged."""
        self._seconds.append(seconds)
        # asked for at every frame, and changed by a chunk only
        self._p95 = self.percentile(95.0)

    def percentile(self, percent: float) -> float | None:
        """The percentile in seconds; None before the first chunk."""
        seconds = sorted(self._seconds)
        if not seconds:
            return None
        # as numpy.percentile has it, in a tenth of the time
        place = percent / 100.0 * (len(seconds) - 1)
        below = math.floor(place)
        above = min(below + 1, len(seconds) - 1)
        return seconds[below] + (place - below) * (seconds[above] - seconds[below])

    @property
    def p50(self) -> float | None:
        """The median, seconds; None before the first chunk."""
        return self.percentile(50.0)

    @property
    def p95(self) -> float | None:
        """The 95th percentile, seconds; None before the first chunk."""
        return self._p95

    def delay_frames(self, frame_s: float) -> int:
        """Frames of `frame_s` seconds that are played while a chunk is made: the 95th percentile, rounded up."""
        seconds = self.p95
        return 0 if seconds is None else math.ceil(seconds / frame_s)


class Plan(NamedTuple):
    """What a chunk continues. history: (H, W) rows before it. first: the number of its first frame since the start."""

    history: Float64
    first: int


class Merged(NamedTuple):
    """What became of a chunk: frames `kept`, and `late` ones left out because their time had passed."""

    kept: int
    late: int


class PoseChunkQueue:
    """Frames to be played, one row of numbers each; safe to use from several threads under one lock.

    A chunk is planned to follow a frame that is still to be played by the time the chunk arrives. When it arrives it
    replaces whatever was to follow that frame. If it comes later than planned, its frames whose time has passed are
    left out: the past is never played again.
    """

    def __init__(self, start: Float64, *, keep: int = 20) -> None:
        """start: (N, W) rows that count as already played, N at least 1. keep: played rows that are remembered."""
        rows = np.array(start, dtype=np.float64)
        if rows.ndim != 2 or len(rows) < 1:
            raise ValueError(f"a queue starts with rows (N, W), N at least 1; got an array of shape {rows.shape}")
        self._lock = threading.Lock()
        self._width = rows.shape[1]
        self._played: deque[Float64] = deque(rows, maxlen=max(keep, 2))
        self._waiting: deque[Float64] = deque()
        self._popped = 0

    def __len__(self) -> int:
        """How many frames wait."""
        with self._lock:
            return len(self._waiting)

    @property
    def popped(self) -> int:
        """How many frames were played since the start."""
        with self._lock:
            return self._popped

    def plan(self, delay_frames: int) -> Plan:
        """What a chunk asked for now continues, if `delay_frames` more frames are played until it arrives.

        Where fewer frames wait, it continues the last of them.
        """
        with self._lock:
            ahead = min(max(delay_frames, 0), len(self._waiting))
            rows = [*self._played, *(self._waiting[index] for index in range(ahead))]
            return Plan(np.stack(rows[-(self._played.maxlen or 1) :]), self._popped + ahead)

    def plan_from(self, first: int) -> Plan:
        """What a chunk continues that is to begin with frame `first`, or as near to it as waiting frames allow."""
        return self.plan(first - self.popped)

    def merge(self, chunk: Float64, first: int, join: Join | None = None) -> Merged:
        """Let `chunk` (N, W) follow frame `first - 1`; waiting frames from `first` on are replaced.

        join: makes the rest of a chunk that came too late follow the last two frames played without a jump.
        Raises ValueError for rows of another width or a chunk that would leave a gap.
        """
        rows = np.asarray(chunk, dtype=np.float64)
        if rows.ndim != 2 or rows.shape[1] != self._width:
            raise ValueError(f"a chunk for this queue has shape (N, {self._width}); got {rows.shape}")
        with self._lock:
            ahead = first - self._popped
            if ahead > len(self._waiting):
                raise ValueError(f"a chunk for frame {first} leaves a gap: frames are there until {self._end() - 1}")
            late = max(-ahead, 0)
            if late >= len(rows):
                return Merged(0, len(rows))
            rows = rows[late:]
            if late and join is not None:
                rows = join(np.stack(list(self._played)[-2:]), rows)
            while len(self._waiting) > max(ahead, 0):
                self._waiting.pop()
            self._waiting.extend(rows)
            return Merged(len(rows), late)

    def pop(self) -> Float64 | None:
        """The next frame's row (W,), which then counts as played; None when no frame waits."""
        with self._lock:
            if not self._waiting:
                return None
            row = self._waiting.popleft()
            self._played.append(row)
            self._popped += 1
            return row.copy()

    def end(self) -> int:
        """The number of the frame after the last one that waits."""
        with self._lock:
            return self._end()

    def _end(self) -> int:
        return self._popped + len(self._waiting)
