"""Finds push-ups in a stream of bodies. Causal.

A push-up starts lying still on the belly, hands at the shoulders or further up, legs straight. The shoulders rise over
the hands and come down again. Kneeling up, rolling over or lifting only the head are none.
"""

import numpy as np

from fitmotion_models.fms.floor import (
    are_seen,
    arm_length,
    face_up,
    horizontal_unit,
    leg_slopes_deg,
    middle,
    paired,
    stance_of,
    trunk_slope_deg,
)
from fitmotion_models.fms.floor_repetitions import FloorParameters, FloorRepetitions
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
    mean_body,
)
from fitmotion_models.fms.repetitions import Repetition

# How far the shoulders rise over the hands, shares of the arm's length: a whole push-up is .7 to .8. The least is half
# of the way, so that one which fails half way is a repetition.
PARAMETERS = FloorParameters(start=0.15, home=0.12, least=0.28, full=0.75, noise=(0.12, 0.05))

# Limits in degrees of lying on the belly, one camera's errors of 12 degrees included.
LYING_TRUNK, LYING_LEG, LYING_KNEE = 30.0, 30.0, 45.0
RAISED_TRUNK, RAISED_KNEE = 65.0, 70.0
LOW_SHOULDERS = 0.45  # share of the arm's length that lying shoulders are over the hands, at most
HANDS_BACK = 0.5  # share of the arm's length that the hands may lie towards the feet from the shoulders
SEEN = (*HIPS, *KNEES, *ANKLES, *SHOULDERS, *ELBOWS, *WRISTS)


class PushUpRepetitions(FloorRepetitions):
    """A finished repetition is furthest where shoulders and hips are highest."""

    def __init__(self, parameters: FloorParameters = PARAMETERS) -> None:
        super().__init__(parameters)

    def _is_seen(self, body: Body) -> bool:
        return are_seen(body, SEEN)

    def _start_posture(self, body: Body) -> Stance | None:
        points = body.points
        lies = abs(trunk_slope_deg(points)) < LYING_TRUNK and bool((abs(leg_slopes_deg(points)) < LYING_LEG).all())
        if not lies or float(np.mean(knee_flexion(body))) > LYING_KNEE or not face_up(points) < 0.0:
            return None
        heading = horizontal_unit(middle(points, SHOULDERS) - middle(points, ANKLES))
        if heading is None or self._over_hands(body) > LOW_SHOULDERS:
            return None
        back = float((middle(points, SHOULDERS) - middle(points, WRISTS)) @ heading)
        return stance_of(body, heading) if back < HANDS_BACK * arm_length(points) else None

    def _excursion(self, body: Body, stance: Stance) -> float:
        return self._over_hands(body) - self._over_hands(stance.body)

    @staticmethod
    def _over_hands(body: Body) -> float:
        """Height of the shoulders over the hands, shares of the arm's length."""
        over = middle(body.points, SHOULDERS) - middle(body.points, WRISTS)
        return float(over[2]) / arm_length(body.points)

    def _goes_on(self, body: Body, stance: Stance) -> bool:
        return abs(trunk_slope_deg(body.points)) < RAISED_TRUNK

    def _at_top(self, frames: tuple[Body, ...], excursions: Array) -> Array:
        hips = np.array([middle(body.points, HIPS)[2] - middle(body.points, WRISTS)[2] for body in frames])
        return excursions * arm_length(frames[0].points) + hips

    def _finished(self, stance: Stance, frames: tuple[Body, ...], top: int) -> Repetition | None:
        at_top = [body for body in frames if abs(body.stamp - frames[top].stamp) <= 0.1]
        near = paired(mean_body(at_top), trusted=False)
        if float(np.mean(knee_flexion(near))) > RAISED_KNEE:  # on the knees, not on the toes
            return None
        return Repetition(stance, frames, top)
