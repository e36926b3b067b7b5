"""What several cameras saw at one instant, put together by stamp: every instant of a recording, or the newest live."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

View = TypeVar("View")

# Free-running cameras at 30 Hz see an instant up to half a frame apart.
TOLERANCE_S = 0.02
# Live, an instant is not waited for longer than this: the others go on without the camera that is late.
PATIENCE_S = 0.1
# Views of one camera that wait live for the others; more are of another time.
_MOST_WAITING = 8


@dataclass(frozen=True)
class Instant(Generic[View]):
    """views: one a camera, None where a camera has none of this time. stamp: seconds, of the first that has one."""

    stamp: float
    views: tuple[View | None, ...]


class RecordedInstants(Generic[View]):
    """Every frame of the first camera, each with the nearest frame of every other one; nothing is dropped.

    tolerance: seconds by which a frame may be off; offsets: seconds, one a camera, added to the first camera's stamps
    to find the frames of that camera (the first one's is 0).
    """

    def __init__(self, cameras: int, tolerance: float = TOLERANCE_S, offsets: Sequence[float] = ()) -> None:
        self._tolerance = tolerance
        self._offsets = tuple(offsets) or (0.0,) * cameras
        if len(self._offsets) != cameras:
            raise ValueError(f"{len(self._offsets)} offsets for {cameras} cameras; give one a camera, 0 for the first")
        self._waiting: list[deque[tuple[float, View | None]]] = [deque() for _ in range(cameras)]
        self._ended = [False] * cameras

    def add(self, camera: int, stamp: float, view: View | None) -> list[Instant[View]]:
        """A camera's next frame; returns the instants that are complete with it, in order."""
        self._waiting[camera].append((stamp - self._offsets[camera], view))
        return self._complete()

    def end(self, camera: int) -> list[Instant[View]]:
        """A camera has no more frames; returns what waited for it."""
        self._ended[camera] = True
        return self._complete()

    @property
    def waits_for(self) -> tuple[int, ...]:
        """The cameras without whose next frame nothing goes on; none while no frame of the first one waits."""
        if not self._waiting[0]:
            return ()
        stamp = self._waiting[0][0][0]
        return tuple(camera for camera in range(1, len(self._waiting)) if not self._has_passed(camera, stamp))

    def _complete(self) -> list[Instant[View]]:
        found = []
        while self._waiting[0] and not self.waits_for:
            stamp, view = self._waiting[0].popleft()
            others = (self._nearest(camera, stamp) for camera in range(1, len(self._waiting)))
            found.append(Instant(stamp + self._offsets[0], (view, *others)))
        return found

    def _has_passed(self, camera: int, stamp: float) -> bool:
        waiting = self._waiting[camera]
        return self._ended[camera] or (bool(waiting) and waiting[-1][0] >= stamp)

    def _nearest(self, camera: int, stamp: float) -> View | None:
        waiting = self._waiting[camera]
        while len(waiting) > 1 and abs(waiting[1][0] - stamp) <= abs(waiting[0][0] - stamp):
            waiting.popleft()
        # a hair more than the tolerance: stamps of two rates differ by rounding
        near = bool(waiting) and abs(waiting[0][0] - stamp) <= self._tolerance + 1e-6
        return waiting[0][1] if near else None


class LiveInstants(Generic[View]):
    """The newest instant that the cameras agree on; what comes late is dropped.

    tolerance: seconds by which views of one instant differ at most. patience: seconds an instant waits for a camera.
    dropped: for each camera how many of its views were of no use.
    """

    def __init__(self, cameras: int, tolerance: float = TOLERANCE_S, patience: float = PATIENCE_S) -> None:
        self._tolerance, self._patience = tolerance, patience
        self._waiting: list[deque[tuple[float, View | None]]] = [deque() for _ in range(cameras)]
        self.dropped = [0] * cameras
        self.reset()

    def reset(self) -> None:
        """Forget what waits: time went back."""
        for waiting in self._waiting:
            waiting.clear()
        self._last = float("-inf")

    def add(self, camera: int, stamp: float, view: View | None) -> Instant[View] | None:
        """A camera's view; returns the instant that it completes, or the newest that has waited long enough."""
        waiting = self._waiting[camera]
        if stamp <= self._last + self._tolerance and stamp - self._last < self._tolerance:
            self.dropped[camera] += 1
            return None
        waiting.append((stamp, view))
        if len(waiting) > _MOST_WAITING:
            waiting.popleft()
            self.dropped[camera] += 1
        members = self._members(stamp)
        if all(member is not None for member in members):
            return self._take(members)
        overdue = [s for queue in self._waiting for s, _ in queue if stamp - s > self._patience]
        for late in sorted(overdue, reverse=True):
            members = self._members(late)
            if sum(member is not None for member in members) >= 2:
                return self._take(members)
        self._forget(stamp - self._patience)
        return None

    def _members(self, stamp: float) -> list[tuple[float, View | None] | None]:
        """Of each camera the view nearest to a stamp, None where it is too far."""
        nearest = [min(queue, key=lambda one: abs(one[0] - stamp), default=None) for queue in self._waiting]
        return [one if one is not None and abs(one[0] - stamp) <= self._tolerance else None for one in nearest]

    def _take(self, members: list[tuple[float, View | None] | None]) -> Instant[View]:
        stamps = [member[0] for member in members if member is not None]
        for queue, member in zip(self._waiting, members, strict=True):
            if member is not None:
                queue.remove(member)
        self._last = max(stamps)
        self._forget(self._last)
        return Instant(stamps[0], tuple(None if member is None else member[1] for member in members))

    def _forget(self, until: float) -> None:
        """Drop and count what is not newer than a stamp."""
        for camera, queue in enumerate(self._waiting):
            while queue and queue[0][0] <= until:
                queue.popleft()
                self.dropped[camera] += 1
