"""When the feet of a walking body stand, and what that says of its steps, side by side.

A foot stands while its heel or its toe rests on the floor. Terms are those of gait analysis (Perry and Burnfield 2010,
Gait Analysis): the left step's time and length are those from the right foot's contact to the left one's.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.skeleton.joint_sets import FEET, SMPL22
from fitmotion_models.skeleton.motion_clip import MotionClip
from fitmotion_models.skeleton.rotations import Float64

SIDES = ("left", "right")
_LANDMARKS = {side: [FEET.index(f"{side}_heel"), FEET.index(f"{side}_toe")] for side in SIDES}
_BALLS = {side: SMPL22.index(f"{side}_foot") for side in SIDES}


@dataclass(frozen=True)
class StanceRule:
    """When a heel or toe rests: slower than this (metres a second) and this near to the lowest that it gets (metres).

    This project's choice: in recorded walks a landmark that rests moves at less than .3 m/s, one that swings at 1 to 5;
    the heights leave room for a floor that tilts by a few centimetres in a walk's length. shortest_s: a shorter stance,
    or a shorter time in the air, is an error.
    """

    speed: float = 0.6
    height: float = 0.09
    shortest_s: float = 0.12


@dataclass(frozen=True)
class Stance:
    """A foot on the floor. start and end: first frame and the one after the last; place: (3,) of its ball, metres.

    whole: whether contact and lift are both inside the clip.
    """

    side: str
    start: int
    end: int
    place: Float64
    whole: bool


@dataclass(frozen=True)
class SideGait:
    """One side's medians over a clip: seconds and metres; NaN where no whole one is in it.

    step: from the other foot's contact to this one's. stance: contact to lift. swing: lift to contact.
    """

    step_s: float
    step_m: float
    stance_s: float
    swing_s: float


def stances_of(clip: MotionClip, rule: StanceRule | None = None) -> tuple[Stance, ...]:
    """The stances of both feet, by their starts. The clip's feet have to be seen throughout."""
    chosen = rule or StanceRule()
    stances = []
    for side in SIDES:
        feet = clip.feet[:, _LANDMARKS[side]].astype(np.float64)
        if len(clip) < 2 or not np.isfinite(feet).all():
            raise ValueError("the clip's feet have to be seen in two frames or more, to tell when they stand")
        ball = clip.positions[:, _BALLS[side]].astype(np.float64)
        for start, end in _runs(_resting(feet, clip.fps, chosen), max(1, round(chosen.shortest_s * clip.fps))):
            middle = slice(start + (end - start) // 4, max(end - (end - start) // 4, start + 1))
            place = np.median(ball[middle], axis=0)
            stances.append(Stance(side, start, end, place, start > 0 and end < len(clip)))
    return tuple(sorted(stances, key=lambda stance: (stance.start, stance.end)))


def _resting(feet: Float64, fps: float, rule: StanceRule) -> NDArray[np.bool_]:
    """(T,) whether heel or toe (T, 2, 3) rests."""
    speed = np.linalg.norm(np.gradient(feet, 1.0 / fps, axis=0), axis=-1)
    low = feet[..., 2] < feet[..., 2].min(axis=0) + rule.height
    return ((speed < rule.speed) & low).any(axis=1)


def _runs(flags: NDArray[np.bool_], shortest: int) -> list[tuple[int, int]]:
    """Start and end of every stretch of True, short gaps closed first, then short stretches left out."""
    flags = flags.copy()
    for value in (False, True):
        edges = [0, *(np.flatnonzero(np.diff(flags)) + 1).tolist(), len(flags)]
        for start, end in zip(edges[:-1], edges[1:], strict=True):
            # what the clip's ends cut may be long
            if flags[start] == value and end - start < shortest and start > 0 and end < len(flags):
                flags[start:end] = not value
    edges = [0, *(np.flatnonzero(np.diff(flags)) + 1).tolist(), len(flags)]
    return [(start, end) for start, end in zip(edges[:-1], edges[1:], strict=True) if flags[start]]


def gait_of(clip: MotionClip, rule: StanceRule | None = None) -> dict[str, SideGait]:
    """Step time and length, stance and swing time of each side, by medians over the clip's whole ones."""
    stances = stances_of(clip, rule)
    result = {}
    for side in SIDES:
        own = [stance for stance in stances if stance.side == side]
        swings = [after.start - before.end for before, after in zip(own[:-1], own[1:], strict=True)]
        steps = _steps(stances, side)
        result[side] = SideGait(
            step_s=_median([(landed.start - other.start) / clip.fps for other, landed in steps]),
            step_m=_median([_advance(clip, other, landed) for other, landed in steps]),
            stance_s=_median([(stance.end - stance.start) / clip.fps for stance in own if stance.whole]),
            swing_s=_median([frames / clip.fps for frames in swings]),
        )
    return result


def _steps(stances: tuple[Stance, ...], side: str) -> list[tuple[Stance, Stance]]:
    """Pairs of the other foot's stance and this one's that follow each other, both contacts inside the clip."""
    pairs = zip(stances[:-1], stances[1:], strict=True)
    return [(other, landed) for other, landed in pairs if landed.side == side != other.side and other.start > 0]


def _advance(clip: MotionClip, other: Stance, landed: Stance) -> float:
    """How far ahead of the other foot a foot lands, along the way of the pelvis, metres."""
    way = clip.positions[min(landed.end, len(clip)) - 1, 0, :2] - clip.positions[other.start, 0, :2]
    length = float(np.linalg.norm(way))
    return float((landed.place - other.place)[:2] @ way) / length if length > 0.0 else float("nan")


def _median(values: list[float]) -> float:
    return float(np.median(values)) if values else float("nan")
