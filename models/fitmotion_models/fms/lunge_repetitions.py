"""Finds in-line lunges in a stream of bodies, and with which leg in front. Causal.

A lunge starts from a stable stance, one foot before the other or side by side, lowers the pelvis with one foot at least
where it was, both knees bending and the feet apart front to back, and comes back up. Squats and side lunges have the
feet side by side; walking never stands still.
"""

from collections.abc import Sequence

import numpy as np

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
from fitmotion_models.fms.repetitions import Repetition, SquatRepetitions
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
LEAST_FRONT_FLEXION = 50.0
LEAST_REAR_FLEXION = 40.0
LARGEST_LEAN = 75.0
SHORTEST = 0.6  # s
# The rear knee is at least so much lower than the front one, share of the leg length: less is a long step.
KNEES_APART = 0.10


class LungeRepetitions(SquatRepetitions):
    """Follows one body, frame by frame; a finished repetition is a `SidedRepetition` with the front leg's side."""

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

    def _repetition(self, repetition: Repetition, frames: list[Reading]) -> Repetition | None:
        lowest = repetition.frames[repetition.lowest].stamp
        body = mean_body([one for one in repetition.frames if abs(one.stamp - lowest) <= 0.1])
        side = lunge_side(body, repetition.stance)
        if side is None or frames[-1].body.stamp - frames[0].body.stamp < SHORTEST:
            return None
        return SidedRepetition(repetition.stance, repetition.frames, repetition.lowest, side)


def lunge_side(body: Body, stance: Stance) -> Side | None:
    """The side of the front leg where a body is at the bottom of a lunge; None where it is in none."""
    length = stance.leg_length
    along = body.points[list(ANKLES)] @ stance.facing
    # numbers that are not finite fail the comparison
    if not abs(along[0] - along[1]) > LUNGE_FEET_APART * length:
        return None
    front = 0 if along[0] > along[1] else 1
    flexion, knees = knee_flexion(body), body.points[list(KNEES), 2]
    bent = flexion[front] > LEAST_FRONT_FLEXION and flexion[1 - front] > LEAST_REAR_FLEXION
    if not (bent and knees[front] - knees[1 - front] > KNEES_APART * length):
        return None
    if abs(float(forward_lean(body.points[NECK] - body.points[PELVIS], stance.facing))) > LARGEST_LEAN:
        return None
    return Side.LEFT if front == 0 else Side.RIGHT


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
