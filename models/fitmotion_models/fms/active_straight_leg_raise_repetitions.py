"""Finds active straight leg raises in a stream of bodies, and with which leg. Causal.

A raise starts lying still on the back with both legs down, brings one leg up while the other stays, and ends with both
down. Sitting up, rolling over, raising both legs or cycling are none.
"""

import numpy as np

from fitmotion_models.fms.floor import (
    are_seen,
    face_up,
    horizontal_unit,
    leg_slopes_deg,
    middle,
    paired,
    stance_of,
    trunk_slope_deg,
)
from fitmotion_models.fms.floor_repetitions import FloorParameters, FloorRepetitions
from fitmotion_models.fms.moment import ANKLES, HIPS, KNEES, SHOULDERS, Array, Body, Stance, knee_flexion, mean_body
from fitmotion_models.fms.repetitions import Repetition
from fitmotion_models.fms.sides import SidedRepetition
from fitmotion_models.fms.values import Side

# How far a leg is raised, degrees: 60 brings the ankle over the other knee, so that half of that is a failed raise.
PARAMETERS = FloorParameters(start=15.0, home=10.0, least=30.0, full=85.0, noise=(10.0, 4.0))

# Limits in degrees of lying on the back and of a raise, one camera's errors of 12 degrees included.
LYING_TRUNK, LYING_LEG, LYING_KNEE = 30.0, 30.0, 45.0
OTHER_LEG = 35.0  # how far the other leg may be raised
LARGEST_KNEE = 75.0  # of the raised leg at the top; further bent is no straight leg raise
SEEN = (*HIPS, *KNEES, *ANKLES, *SHOULDERS)


class LegRaiseRepetitions(FloorRepetitions):
    """A finished repetition is a `SidedRepetition` with the raised leg's side, furthest where that leg is highest."""

    def __init__(self, parameters: FloorParameters = PARAMETERS) -> None:
        super().__init__(parameters)

    def _is_seen(self, body: Body) -> bool:
        return are_seen(body, SEEN)

    def _start_posture(self, body: Body) -> Stance | None:
        points = body.points
        lies = abs(trunk_slope_deg(points)) < LYING_TRUNK and bool((abs(leg_slopes_deg(points)) < LYING_LEG).all())
        if not lies or float(np.mean(knee_flexion(body))) > LYING_KNEE or not face_up(points) > 0.0:
            return None
        return stance_of(body, horizontal_unit(middle(points, ANKLES) - middle(points, SHOULDERS)))

    def _excursion(self, body: Body, stance: Stance) -> float:
        return float(self._raised(body, stance).max())

    @staticmethod
    def _raised(body: Body, stance: Stance) -> Array:
        """(2,) how much further up each leg points than in the stance, degrees; over the head is beyond 90."""
        legs = []
        for one in (body, stance.body):
            lines = one.points[list(ANKLES)] - one.points[list(HIPS)]
            legs.append(np.degrees(np.arctan2(lines[:, 2], lines @ stance.facing)))
        return legs[0] - legs[1]

    def _goes_on(self, body: Body, stance: Stance) -> bool:
        return abs(trunk_slope_deg(body.points)) < 1.5 * LYING_TRUNK

    def _side(self) -> Side:
        if self._stance is None or not self._frames:
            return Side.BOTH
        raised = self._raised(self._frames[-1], self._stance)
        return Side.LEFT if raised[0] > raised[1] else Side.RIGHT

    def _finished(self, stance: Stance, frames: tuple[Body, ...], top: int) -> Repetition | None:
        at_top = [body for body in frames if abs(body.stamp - frames[top].stamp) <= 0.1]
        near = paired(mean_body(at_top), trusted=False)
        raised = self._raised(near, stance)
        leg = int(raised.argmax())
        if raised[1 - leg] > min(OTHER_LEG, 0.6 * raised[leg]) or knee_flexion(near)[leg] > LARGEST_KNEE:
            return None
        return SidedRepetition(stance, frames, top, (Side.LEFT, Side.RIGHT)[leg])
