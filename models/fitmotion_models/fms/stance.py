"""The stance that a repetition starts from: standing still and upright on two feet side by side."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from fitmotion_models.fms.moment import ANKLES, NECK, PELVIS, Array, Stance, facing_of, forward_lean, mean_body
from fitmotion_models.fms.reading import Reading, leg_length

# How long a body must be still to stand. Real recordings start within a quarter of a second of the first descent.
STABLE_SECONDS = 0.15
# A stance is averaged over at most this long, so that it is the stance just before the repetition.
STANCE_SECONDS = 0.5
MIN_STABLE_FRAMES = 3

# Limits of a stance, as shares of the leg length.
STILL_HEIGHT = 0.05
STILL_ANKLES = 0.08
FEET_LEVEL = 0.30  # the feet may be this far apart front to back
PELVIS_OVER_FEET = 0.25
# Limits in degrees. Legs that look straight read up to 40 degrees in HDM05's optical recordings (how its skeleton puts
# hip and knee), and 20 degrees from one camera (12 degrees of error).
STANDING_FLEXION = 45.0
STANDING_LEAN = 40.0

# How far an ankle may be from its place in the stance and still be planted, shares of the leg length.
PLANTED_SIDEWAYS = 0.15
PLANTED_LIFT = 0.15  # heels that come off the floor lift the ankles by up to a tenth
# One camera's 12 degrees at each joint put an ankle off by a tenth of the leg length in each direction.
ONE_CAMERA_FACTOR = 2.4


@dataclass(frozen=True, eq=False)
class FoundStance:
    """A stance and the mean height of its pelvis above the lower ankle, metres."""

    stance: Stance
    height: float


def find_stance(readings: Sequence[Reading], seconds: float = STABLE_SECONDS) -> FoundStance | None:
    """The stance at the end of some frames, when they are still for `seconds`; otherwise None."""
    return _find_stance(latest(readings, max(seconds, STANCE_SECONDS)), seconds)


def latest(readings: Sequence[Reading], seconds: float) -> tuple[Reading, ...]:
    """The last `seconds` of some frames and one frame more, but at least so many as make a stance."""
    since = readings[-1].body.stamp - seconds - 1e-6
    found = []
    for reading in reversed(readings):
        found.append(reading)
        if reading.body.stamp < since and len(found) >= MIN_STABLE_FRAMES:
            break
    return tuple(reversed(found))


# several tests that follow one stream ask for the same stance
@lru_cache(maxsize=8)
def _find_stance(readings: tuple[Reading, ...], seconds: float) -> FoundStance | None:
    window = stable_window(readings, seconds, _is_still)
    if window is None:
        return None
    longest = [reading for reading in readings if reading.body.stamp >= readings[-1].body.stamp - STANCE_SECONDS]
    longest = longest if len(longest) > len(window) else window
    # Go as far back as the body was as still as it is now.
    while len(longest) > len(window) and not _is_still(longest):
        longest = longest[len(longest) // 4 + 1 :] if len(longest) - len(window) > 4 else window
    body = mean_body([reading.body for reading in longest])
    facing = facing_of(body)
    length = leg_length(body)
    if facing is None or not _is_upright(body.points, facing, length, longest):
        return None
    return FoundStance(Stance(body, facing, length), float(np.mean([reading.height for reading in longest])))


def stable_window(
    readings: Sequence[Reading], seconds: float, is_still: Callable[[Sequence[Reading]], bool]
) -> list[Reading] | None:
    """The last `seconds` of some frames when they are still; None when they are not, or not so many yet."""
    newest = readings[-1].body.stamp
    if newest - readings[0].body.stamp < seconds - 1e-6:
        return None
    # Slow cameras: at least so many frames, however long they take. The small number only covers rounding.
    count = sum(reading.body.stamp >= newest - seconds - 1e-6 for reading in readings)
    window = list(readings)[-max(count, MIN_STABLE_FRAMES) :]
    return window if len(window) >= MIN_STABLE_FRAMES and is_still(window) else None


def _is_still(window: Sequence[Reading]) -> bool:
    length = window[-1].leg_length
    heights = [reading.height for reading in window]
    if max(heights) - min(heights) > STILL_HEIGHT * length:
        return False
    ankles = np.array([reading.ankles for reading in window])
    moved = np.ptp(ankles[:, np.isfinite(ankles).all(axis=(0, 2))], axis=0)
    return bool(moved.size > 0 and (moved < STILL_ANKLES * length * _view_factor(window[-1])).all())


def _is_upright(points: Array, facing: Array, length: float, window: Sequence[Reading]) -> bool:
    flexion = np.nanmean(np.stack([reading.flexion for reading in window]))
    if not flexion < STANDING_FLEXION:
        return False
    trunk = points[NECK] - points[PELVIS]
    if np.isfinite(trunk).all() and abs(forward_lean(trunk, facing)) > STANDING_LEAN:
        return False
    along = points[list(ANKLES)] @ facing
    if np.isfinite(along).all() and abs(along[0] - along[1]) > FEET_LEVEL * length:
        return False
    return bool(abs(points[PELVIS] @ facing - np.nanmean(along)) < PELVIS_OVER_FEET * length)


def is_near_stance(reading: Reading, stance: Stance) -> bool:
    """True where every seen foot is where it was in the stance: planted."""
    moved = np.nan_to_num(reading.ankles - stance.body.points[list(ANKLES)])
    factor = stance.leg_length * _view_factor(reading)
    sideways = np.linalg.norm(moved[:, :2], axis=1)
    return bool((sideways < PLANTED_SIDEWAYS * factor).all() and (moved[:, 2] < PLANTED_LIFT * factor).all())


def has_stepped(before: Stance, after: Stance) -> bool:
    """Whether a foot has another place in a stance than in the one before."""
    moved = (after.body.points - before.body.points)[list(ANKLES), :2]
    factor = ONE_CAMERA_FACTOR if after.body.views == 1 else 1.0
    return bool((np.linalg.norm(moved, axis=1) > STILL_ANKLES * before.leg_length * factor).any())


def _view_factor(reading: Reading) -> float:
    return ONE_CAMERA_FACTOR if reading.body.views == 1 else 1.0
