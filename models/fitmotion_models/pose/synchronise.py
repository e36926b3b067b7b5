"""What several cameras saw at one instant, put together by stamp: every instant of a recording, or the newest live."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from fitmotion_models.pose.keypoints import Keypoints

View = TypeVar("View")

# Free-running cameras at 30 Hz see an instant up to half a frame apart.
TOLERANCE_S = 0.02
# Live, a camera that is farther behind the newest one is not waited for.
PATIENCE_S = 0.1
# Between two images of a camera that are no farther apart than this its landmarks are interpolated: a squat takes
# seconds, and the knee of a person who rises quickly is 3 mm off the straight way in the middle (0.15 s, 1 m/s^2).
LARGEST_GAP_S = 0.15
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
    """The newest instant that all cameras have reached; what comes late is dropped.

    tolerance: seconds by which views of one instant differ at most. patience: seconds that a camera may be behind the
    newest one; it is done without beyond. between: a view between two of a camera, at a share of the way: cameras
    whose detectors are too slow for every frame pick different ones. dropped: for each camera how many of its views
    were of no use.
    """

    def __init__(
        self,
        cameras: int,
        tolerance: float = TOLERANCE_S,
        patience: float = PATIENCE_S,
        between: Callable[[View | None, View | None, float], View | None] | None = None,
    ) -> None:
        self._tolerance, self._patience, self._between = tolerance, patience, between
        self._seen: list[deque[_Seen[View]]] = [deque() for _ in range(cameras)]
        self.dropped = [0] * cameras
        self.reset()

    def reset(self) -> None:
        """Forget what waits: time went back."""
        for seen in self._seen:
            seen.clear()
        self._last = self._first = float("-inf")

    def add(self, camera: int, stamp: float, view: View | None) -> Instant[View] | None:
        """A camera's view; returns the instant that all have reached with it, if it is a new one."""
        if self._first == float("-inf"):
            self._first = stamp
        late = stamp <= self._last  # of use only to go on from
        self.dropped[camera] += late
        self._seen[camera].append(_Seen(stamp, view, used=late))
        if len(self._seen[camera]) > _MOST_WAITING:
            self._forget(camera, 1)
        reached = self._reached()
        if reached <= self._last + self._tolerance:
            return None
        chosen = [self._at(queue, reached) for queue in self._seen]
        if sum(one is not None for one in chosen) < 2:
            return None
        self._last = reached
        for number, queue in enumerate(self._seen):  # the last one before is kept, to go on from
            self._forget(number, max(sum(one.stamp <= reached for one in queue) - 1, 0))
        return Instant(reached, tuple(None if one is None else one[0] for one in chosen))

    def _reached(self) -> float:
        """The time that the slowest camera has come to, but for those too far behind, and two of them at least."""
        newest = [queue[-1].stamp if queue else float("-inf") for queue in self._seen]
        ahead = max(newest)
        waited_for = [
            stamp for stamp in newest if ahead - (stamp if stamp > float("-inf") else self._first) <= self._patience
        ]
        return min([*waited_for, sorted(newest)[-2]])

    def _at(self, queue: "deque[_Seen[View]]", stamp: float) -> tuple[View | None] | None:
        """What a camera saw at a time, in a tuple; None where it has nothing near."""
        near = min(queue, key=lambda one: abs(one.stamp - stamp), default=None)
        if near is not None and abs(near.stamp - stamp) <= self._tolerance + 1e-6:
            near.used = True
            return (near.view,)
        before = next((one for one in reversed(queue) if one.stamp < stamp), None)
        after = next((one for one in queue if one.stamp > stamp), None)
        if self._between is None or before is None or after is None or after.stamp - before.stamp > LARGEST_GAP_S:
            return None
        before.used = after.used = True
        return (self._between(before.view, after.view, (stamp - before.stamp) / (after.stamp - before.stamp)),)

    def _forget(self, camera: int, count: int) -> None:
        for _ in range(count):
            self.dropped[camera] += not self._seen[camera].popleft().used


@dataclass(eq=False)
class _Seen(Generic[View]):
    """A view that waits. used: it was part of an instant."""

    stamp: float
    view: View | None
    used: bool = False


def keypoints_between(one: Keypoints | None, two: Keypoints | None, share: float) -> Keypoints | None:
    """Landmarks at a share of the way from one image to another; None where nobody is seen in one of them."""
    if one is None or two is None or one.joint_set != two.joint_set:
        return None
    pixels = (1.0 - share) * one.pixels + share * two.pixels
    return Keypoints(one.joint_set, pixels.astype(np.float32), np.minimum(one.confidence, two.confidence), None)
