"""Finds in-line lunges in a stream of bodies, and with which leg in front. Causal.

A lunge starts from a stable stance, one foot before the other or side by side, lowers the pelvis with one foot at least
where it was, both knees bending and the feet apart front to back, and comes back up. Squats and side lunges have the
feet side by side; walking never stands still.
"""

from collections.abc import Sequence

import numpy as np

from fitmotion_models.fms.boundaries import comes_back
from fitmotion_models.fms.inline_lunge import LUNGE_FEET_APART
from fitmotion_models.fms.moment import (
    ANKLES,
    KNEES,
    NECK,
    PELVIS,
    Array,
    Body,
    Stance,
    facing_of,
    forward_lean,
    knee_flexion,
    mean_body,
)
from fitmotion_models.fms.reading import Reading, leg_length
from fitmotion_models.fms.repetitions import Repetition, RepetitionParameters, SquatRepetitions
from fitmotion_models.fms.sides import SidedRepetition
from fitmotion_models.fms.stance import (
    ONE_CAMERA_FACTOR,
    PLANTED_LIFT,
    PLANTED_SIDEWAYS,
    STABLE_SECONDS,
    STANCE_SECONDS,
    STANDING_LEAN,
    STILL_ANKLES,
    STILL_HEIGHT,
    FoundStance,
    stable_window,
)
from fitmotion_models.fms.values import Side

# Limits in degrees. The legs of a stance with one foot far before the other are bent by 10 to 30; one camera adds 20.
STANDING_FLEXION = 60.0
LEAST_FRONT_FLEXION = 45.0
LEAST_REAR_FLEXION = 40.0
# Of both knees together since the stance: a body that only leans or shifts its weight bends them less.
LEAST_BENDING = 30.0
LARGEST_LEAN = 75.0
SHORTEST = 0.6  # s
# From feet side by side the rear knee is at least so much lower than the front one, share of the leg length: less is a
# long step.
KNEES_APART = 0.10
# Feet that stand so far one before the other stand ready for a lunge, share of the leg length.
STAGGERED = 0.30
# Hips that are turned aside make the feet look side by side. So deep a rear knee, with feet so far apart and both knees
# bent so far, is a lunge all the same: a side lunge has one straight leg.
KNEES_FAR_APART = 0.30
FEET_FAR_APART = 0.60
BOTH_FLEXION = 75.0
# A lunge that fails in depth is still one, from feet that stand as they will: with no camera's noise the pelvis comes
# down by so much at least, shares of the leg length. From feet side by side it has to be as deep as a squat.
START_DROP = 0.03
LEAST_DROP = 0.05
LEAST_DROP_SEEN = 0.12
# Share of the way up at which a body that stands still has ended a lunge: knees stay bent as they were not before.
LEAST_COMPLETE = 0.5


class LungeRepetitions(SquatRepetitions):
    """Follows one body, frame by frame; a finished repetition is a `SidedRepetition` with the front leg's side."""

    def __init__(self, parameters: RepetitionParameters | None = None) -> None:
        super().__init__(parameters or RepetitionParameters(least_complete=LEAST_COMPLETE))

    def _find_stance(self, readings: Sequence[Reading], seconds: float = STABLE_SECONDS) -> FoundStance | None:
        return find_lunge_stance(readings, seconds)

    def _is_planted(self, reading: Reading, stance: Stance) -> bool:
        return _one_foot_stays(reading, stance)

    def _side(self, reading: Reading) -> Side:
        """The front leg, as soon as the feet are as far apart as in a lunge."""
        if self._stance is None:
            return Side.BOTH
        apart = float((reading.ankles[0] - reading.ankles[1]) @ self._stance.facing)
        if not abs(apart) > LUNGE_FEET_APART * self._stance.leg_length:
            return Side.BOTH
        return Side.LEFT if apart > 0.0 else Side.RIGHT

    def _start_drop(self) -> float:
        assert self._stance is not None
        return (START_DROP if self._stance.body.views == 0 else self._parameters.start_drop) * self._stance.leg_length

    def _least_drop(self) -> float:
        assert self._stance is not None
        stance = self._stance
        if not _is_staggered(stance):
            return super()._least_drop()
        return (LEAST_DROP if stance.body.views == 0 else LEAST_DROP_SEEN) * stance.leg_length

    def _repetition(self, repetition: Repetition, frames: list[Reading]) -> Repetition | None:
        lowest = repetition.frames[repetition.lowest].stamp
        body = mean_body([one for one in repetition.frames if abs(one.stamp - lowest) <= 0.1])
        side = lunge_side(body, repetition.stance)
        too_short = frames[-1].body.stamp - frames[0].body.stamp < SHORTEST
        if side is None or too_short or not comes_back(frames):
            return None
        return SidedRepetition(repetition.stance, repetition.frames, repetition.lowest, side)


def lunge_side(body: Body, stance: Stance) -> Side | None:
    """The side of the front leg where a body is at the bottom of a lunge; None where it is in none."""
    flexion, knees = knee_flexion(body), body.points[list(KNEES), 2] / stance.leg_length
    front = _front_leg(body, stance, flexion, knees)
    if front is None:
        return None
    bending = float((flexion - knee_flexion(stance.body)).sum())
    # numbers that are not finite fail the comparisons
    if not (flexion[front] > LEAST_FRONT_FLEXION and bending > LEAST_BENDING):
        return None
    stepped_forward = flexion[1 - front] > LEAST_REAR_FLEXION and knees[front] - knees[1 - front] > KNEES_APART
    if not (stepped_forward or _is_staggered(stance)):
        return None
    if abs(float(forward_lean(body.points[NECK] - body.points[PELVIS], stance.facing))) > LARGEST_LEAN:
        return None
    return Side.LEFT if front == 0 else Side.RIGHT


def _is_staggered(stance: Stance) -> bool:
    """Whether one foot is before the other already: such a stance is a lunge's and nothing else's."""
    along = stance.body.points[list(ANKLES)] @ stance.facing
    return bool(abs(along[0] - along[1]) > STAGGERED * stance.leg_length)


def _front_leg(body: Body, stance: Stance, flexion: Array, knees: Array) -> int | None:
    """0 or 1, the leg in front; None where neither is. knees: (2,) heights, shares of the leg length."""
    between = (body.points[ANKLES[0]] - body.points[ANKLES[1]]) / stance.leg_length
    ahead = float(between @ stance.facing)
    if abs(ahead) > LUNGE_FEET_APART:
        return 0 if ahead > 0.0 else 1
    turned = abs(knees[0] - knees[1]) > KNEES_FAR_APART and np.linalg.norm(between[:2]) > FEET_FAR_APART
    if not (turned and flexion.min() > BOTH_FLEXION):
        return None
    return 0 if knees[0] > knees[1] else 1


def find_lunge_stance(readings: Sequence[Reading], seconds: float = STABLE_SECONDS) -> FoundStance | None:
    """The stance at the end of some frames, still and upright for `seconds`, the feet anywhere; otherwise None."""
    window = stable_window(readings, seconds, _is_still)
    if window is None:
        return None
    longest = [reading for reading in readings if reading.body.stamp >= readings[-1].body.stamp - STANCE_SECONDS]
    longest = longest if len(longest) > len(window) and _is_still(longest) else window
    body = mean_body([reading.body for reading in longest])
    facing = facing_of(body)
    flexion = np.nanmean(np.stack([reading.flexion for reading in longest]))
    if facing is None or not flexion < STANDING_FLEXION:
        return None
    if not abs(float(forward_lean(body.points[NECK] - body.points[PELVIS], facing))) < STANDING_LEAN:
        return None
    height = float(np.mean([reading.height for reading in longest]))
    return FoundStance(Stance(body, facing, leg_length(body)), height)


def _is_still(window: Sequence[Reading]) -> bool:
    length = leg_length(window[-1].body)
    if np.ptp([reading.height for reading in window]) > STILL_HEIGHT * length:
        return False
    ankles = np.stack([reading.ankles for reading in window])
    if not np.isfinite(ankles).all():
        return False
    return bool((np.ptp(ankles, axis=0) < STILL_ANKLES * length * _factor(window[-1])).all())


def _one_foot_stays(reading: Reading, stance: Stance) -> bool:
    """One foot at least is where it was in the stance: the other may step forward into the lunge."""
    moved: Array = reading.ankles - stance.body.points[list(ANKLES)]
    limit = stance.leg_length * _factor(reading)
    # the rear heel comes up by half a foot's length, and its ankle with it
    near = (np.linalg.norm(moved[:, :2], axis=1) < PLANTED_SIDEWAYS * limit) & (moved[:, 2] < PLANTED_LIFT * limit)
    return bool(near.any() or not np.isfinite(moved).all())


def _factor(reading: Reading) -> float:
    return ONE_CAMERA_FACTOR if reading.body.views == 1 else 1.0
