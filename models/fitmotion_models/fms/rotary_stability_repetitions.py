"""Finds repetitions of rotary stability in a stream of bodies, with which arm and which knee. Causal.

A repetition starts still on all fours, lifts one hand and one knee, which come back to where they were while the other
hand and knee stay. Crawling, sitting back and lifting an arm or a leg alone are none.
"""

import numpy as np

from fitmotion_models.fms.floor import (
    are_seen,
    arm_length,
    horizontal_unit,
    middle,
    stance_of,
    thigh_length,
    trunk_slope_deg,
)
from fitmotion_models.fms.floor_repetitions import FloorParameters, FloorRepetitions, centred_mean, middle_of_plateau
from fitmotion_models.fms.moment import (
    ANKLES,
    ELBOWS,
    HIPS,
    KNEES,
    SHOULDERS,
    WRISTS,
    Array,
    Body,
    Stance,
    knee_flexion,
)
from fitmotion_models.fms.repetitions import Repetition
from fitmotion_models.fms.sides import SidedRepetition
from fitmotion_models.fms.values import Side, Variation

# How far a hand is from its place, seen from the trunk, shares of the arm's length; stretched out it is 1.4.
PARAMETERS = FloorParameters(start=0.25, home=0.20, least=0.6, full=1.3, noise=(0.18, 0.08))

# Limits of all fours: degrees, and shares of arm and thigh that shoulders and hips are over hands and knees.
LEVEL_TRUNK = 40.0
LEAST_KNEE, LARGEST_KNEE = 50.0, 135.0
OVER_HANDS, OVER_KNEES = 0.65, 0.65
# A knee that is moved leaves its place by a share of the thigh; hand and knee that stay leave theirs by less.
LEAST_KNEE_WAY = 0.5
STANDING_SHARE = 0.7  # of what the moving one does
SEEN = (*HIPS, *KNEES, *ANKLES, *SHOULDERS, *ELBOWS, *WRISTS)

VARIATIONS = {
    (Side.LEFT, True): Variation.ROTARY_STABILITY_LEFT,
    (Side.RIGHT, True): Variation.ROTARY_STABILITY_RIGHT,
    (Side.LEFT, False): Variation.ROTARY_STABILITY_DIAGONAL_LEFT,
    (Side.RIGHT, False): Variation.ROTARY_STABILITY_DIAGONAL_RIGHT,
}


class RotaryRepetitions(FloorRepetitions):
    """A finished repetition is a `SidedRepetition` with the moving arm's side and its form; furthest at the touch."""

    def __init__(self, parameters: FloorParameters = PARAMETERS) -> None:
        super().__init__(parameters)

    def _is_seen(self, body: Body) -> bool:
        return are_seen(body, SEEN)

    def _start_posture(self, body: Body) -> Stance | None:
        points = body.points
        knees = knee_flexion(body)
        if abs(trunk_slope_deg(points)) > LEVEL_TRUNK or knees.min() < LEAST_KNEE or knees.max() > LARGEST_KNEE:
            return None
        over_hands = (points[list(SHOULDERS)] - points[list(WRISTS)])[:, 2] / arm_length(points)
        over_knees = (points[list(HIPS)] - points[list(KNEES)])[:, 2] / thigh_length(points)
        if over_hands.min() < OVER_HANDS or over_knees.min() < OVER_KNEES:
            return None
        return stance_of(body, horizontal_unit(middle(points, SHOULDERS) - middle(points, HIPS)))

    def _excursion(self, body: Body, stance: Stance) -> float:
        return float(_ways(body, stance, WRISTS).max()) / arm_length(stance.body.points)

    def _goes_on(self, body: Body, stance: Stance) -> bool:
        return abs(trunk_slope_deg(body.points)) < 1.5 * LEVEL_TRUNK

    def _side(self) -> Side:
        if self._stance is None or not self._frames:
            return Side.BOTH
        return _moving_side(_ways(self._frames[-1], self._stance, WRISTS))

    def _finished(self, stance: Stance, frames: tuple[Body, ...], top: int) -> Repetition | None:
        hands, knees = (
            np.quantile([_ways(body, stance, pair) for body in frames], 0.8, axis=0) for pair in (WRISTS, KNEES)
        )
        hand, knee = int(hands.argmax()), int(knees.argmax())
        if knees[knee] < LEAST_KNEE_WAY * thigh_length(stance.body.points):
            return None
        if hands[1 - hand] > STANDING_SHARE * hands[hand] or knees[1 - knee] > STANDING_SHARE * knees[knee]:
            return None
        side = _moving_side(hands)
        touch = _nearest(frames, ELBOWS[hand], KNEES[knee], stance)
        return SidedRepetition(stance, frames, touch, side, variation=VARIATIONS[side, hand == knee])


def _ways(body: Body, stance: Stance, pair: tuple[int, int]) -> Array:
    """(2,) how far the left and the right of a pair are from their places, seen from the trunk's middle, metres."""
    there = [
        one.points[list(pair)] - 0.5 * (middle(one.points, SHOULDERS) + middle(one.points, HIPS))
        for one in (body, stance.body)
    ]
    return np.asarray(np.linalg.norm(there[0] - there[1], axis=1))


def _moving_side(ways: Array) -> Side:
    return Side.LEFT if ways[0] > ways[1] else Side.RIGHT


def _nearest(frames: tuple[Body, ...], elbow: int, knee: int, stance: Stance) -> int:
    """The frame in the middle of those in which elbow and knee are nearest, in the upright plane along the body."""
    lines = np.array([body.points[elbow] - body.points[knee] for body in frames])
    apart = np.hypot(lines @ stance.facing, lines[:, 2])
    limits = PARAMETERS
    smooth = centred_mean(np.array([body.stamp for body in frames]), apart, limits.smoothing)
    return middle_of_plateau(-smooth, limits.plateau)
