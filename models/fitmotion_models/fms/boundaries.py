"""Where a repetition begins and ends: where the whole body is still, not where its pelvis or foot has gone some way.

A pelvis has to have come down by centimetres before anybody can call it a squat; by then trunk and knees have moved for
a third of a second. The beginning is looked for backwards from there, the end is waited for.
"""

from collections.abc import Sequence

import numpy as np

from fitmotion_models.fms.moment import ANKLES, KNEES, NECK, PELVIS
from fitmotion_models.fms.reading import Reading
from fitmotion_models.fms.stance import ONE_CAMERA_FACTOR

# The points whose speed is looked at: what the legs and the trunk do. Arms move while a person stands.
_POINTS = [PELVIS, NECK, *KNEES, *ANKLES]

# A body is still when none of its points is faster, leg lengths a second; by what sees it. No camera: recordings and
# movers. Noise of 5 degrees at each joint (four cameras) is as fast as the start of a slow squat, that of 12 degrees
# (one camera) faster: there the lowering itself has to say it.
STILL_SPEED = {0: 0.1, 1: 1.2}
STILL_SPEED_SEVERAL = 0.6
# s over which a speed is taken
SPEED_SECONDS = 0.1
# Recordings cut by hand leave so much of standing before and after (UI-PRMD, persons 1 to 5: median 0.2), s.
MARGIN = 0.2
# A slow squat takes 10 s for half a leg; whoever stands neither sinks nor rises by so much in so long, leg lengths, s.
STANDING_RISE = 0.01
STANDING_SECONDS = 0.3
# Share of the leg length; UI-PRMD's repetitions end within 0.15 of where they began, throws and walks do not.
PLACE_KEPT = 0.2
# A body that goes on moving has ended its repetition so long after it was back, s.
LONGEST_SETTLING = 0.8


def is_still(readings: Sequence[Reading], index: int) -> bool:
    """Whether the body hardly moved over the `SPEED_SECONDS` before readings[index]; False where that is not known."""
    earlier = _earlier(readings, index, SPEED_SECONDS)
    if earlier is None:
        return False
    newest, oldest = readings[index], readings[earlier]
    elapsed = newest.body.stamp - oldest.body.stamp
    moved = newest.body.points[_POINTS] - oldest.body.points[_POINTS]
    distances = np.sqrt((moved * moved).sum(axis=1))
    limit = STILL_SPEED.get(newest.body.views, STILL_SPEED_SEVERAL) * newest.leg_length * elapsed
    # an unseen point is no movement
    return not bool((distances > limit).any())


def first_frame(readings: Sequence[Reading], moving: int) -> int:
    """The index of a repetition's first frame: `MARGIN` before the body that moves at index `moving` was last still."""
    start = moving
    while start > 0 and not is_still(readings, start):
        start -= 1
    since = readings[start].body.stamp - MARGIN - 1e-6
    while start > 0 and readings[start - 1].body.stamp >= since:
        start -= 1
    return start


def comes_back(frames: Sequence[Reading]) -> bool:
    """Whether the pelvis ends over the place where it began: what does not is on its way somewhere."""
    first, last = frames[0], frames[-1]
    limit = PLACE_KEPT * first.leg_length * (ONE_CAMERA_FACTOR if first.body.views == 1 else 1.0)
    return float(np.linalg.norm((last.body.points[PELVIS] - first.body.points[PELVIS])[:2])) <= limit


def last_standing(readings: Sequence[Reading], moving: int) -> int | None:
    """The index of the last frame before `moving` at which the body stood: still, and not sinking slowly either."""
    for index in range(moving, 0, -1):
        earlier = _earlier(readings, index, STANDING_SECONDS)
        if earlier is None:
            return None
        sunk = abs(readings[index].height - readings[earlier].height)
        if sunk <= STANDING_RISE * readings[index].leg_length and is_still(readings, index):
            return index
    return None


def _earlier(readings: Sequence[Reading], index: int, seconds: float) -> int | None:
    """The last index whose frame is at least `seconds` older than that at `index`."""
    since = readings[index].body.stamp - seconds + 1e-6
    for earlier in range(index - 1, -1, -1):
        if readings[earlier].body.stamp <= since:
            return earlier
    return None


class Settling:
    """Waits for the end of a repetition while the body comes back to where it started."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Not back yet."""
        self._back: float | None = None
        self._still: float | None = None

    def is_over(self, readings: Sequence[Reading], back: bool = True) -> bool:
        """Whether, with the newest frame, the body has been still for `MARGIN`, or has had its time since it was back.

        back: whether it is as near to where it started as it has to be; a body that is not may be still, too.
        """
        stamp = readings[-1].body.stamp
        if not back:
            self._back = None
        elif self._back is None:
            self._back = stamp
        if not is_still(readings, len(readings) - 1):
            self._still = None
        elif self._still is None:
            # still over the time that a speed is taken over, too
            self._still = stamp - SPEED_SECONDS
        if self._still is not None and stamp - self._still >= (MARGIN if back else 2.0 * MARGIN) - 1e-6:
            return True
        return self._back is not None and stamp - self._back >= LONGEST_SETTLING
