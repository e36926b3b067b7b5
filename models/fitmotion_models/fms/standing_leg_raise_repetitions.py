"""Finds standing leg raises in a stream of bodies, and with which leg. Causal.

A leg raise starts from a stable stance on both feet, lifts one foot ahead with the knee nearly straight, while the
other foot stays where it is, and brings it down to where it was. A hurdle step bends the knee, a kick is faster, a walk
goes on.
"""

from typing import TYPE_CHECKING

import numpy as np

from fitmotion_models.fms.hurdle_repetitions import HurdleParameters, HurdleRepetitions
from fitmotion_models.fms.moment import NECK, PELVIS, Array, Stance, forward_lean, knee_flexion, mean_body
from fitmotion_models.fms.values import Phase

if TYPE_CHECKING:
    from fitmotion_models.fms.hurdle_repetitions import _Step

# Shares of the leg: a straight leg is 37 degrees up where its foot is 0.2 higher and 0.6 ahead.
LEAST_LIFT = 0.2
LEAST_AHEAD = 0.3
# Degrees, at the top. Raised knees of UI-PRMD bend by up to 46, a few bad ones further; a hurdle step's by 70 and more.
LARGEST_FLEXION = 60.0
LARGEST_STANDING_FLEXION = 60.0
LARGEST_LEAN = 50.0
# Leg lengths a second, of the foot over 0.1 s: UI-PRMD's fastest raise has 4.4; kicks of HDM05 have 7 and more.
FASTEST = 9.5
SPEED_SECONDS = 0.1


class StandingLegRaiseRepetitions(HurdleRepetitions):
    """Follows one body, frame by frame; a finished repetition is a `SidedRepetition` with the raised leg's side.

    Phases: DESCENDING while the leg goes up, BOTTOM at the top, ASCENDING on the way down: out and back, as in the
    tests that go down.
    """

    def __init__(self, parameters: HurdleParameters | None = None) -> None:
        super().__init__(parameters or HurdleParameters(shortest=0.9))

    def _is_hurdle_step(self, stance: Stance, frames: "list[_Step]", highest: int) -> bool:
        limits = self._parameters
        stamps = np.array([one.reading.body.stamp for one in frames])
        place = np.array([(one.lift, one.ahead) for one in frames])
        if stamps[-1] - stamps[0] < limits.shortest:
            return False
        if place[highest, 0] < LEAST_LIFT or place[highest, 1] < LEAST_AHEAD:
            return False
        # nobody comes down ahead: that is a step
        if _speed(stamps, place) > FASTEST or place[-1, 1] > limits.touch_ahead:
            return False
        planted = [self._standing_foot_moved(one.reading) < limits.standing_foot for one in frames]
        if np.mean(planted) < limits.planted:
            return False
        body = mean_body([one.reading.body for one in frames if abs(one.reading.body.stamp - stamps[highest]) <= 0.1])
        flexion = knee_flexion(body)
        if not (flexion[self._stepping] < LARGEST_FLEXION and flexion[1 - self._stepping] < LARGEST_STANDING_FLEXION):
            return False
        lean = float(forward_lean(body.points[NECK] - body.points[PELVIS], stance.facing))
        return abs(lean) < LARGEST_LEAN

    def _name_phase(self) -> None:
        lifts = [one.lift for one in self._steps]
        highest, newest = max(lifts), lifts[-1]
        high = highest > LEAST_LIFT
        if high and newest > 0.9 * highest:
            self._phase, self._progress = Phase.BOTTOM, 1.0
        elif high:
            self._phase, self._progress = Phase.ASCENDING, float(np.clip(1.0 - newest / highest, 0.0, 1.0))
        else:
            self._phase, self._progress = Phase.DESCENDING, float(np.clip(newest / (2.0 * LEAST_LIFT), 0.0, 1.0))


def _speed(stamps: Array, places: Array) -> float:
    """The fastest (T, 2) places change over `SPEED_SECONDS`, a second."""
    later = np.searchsorted(stamps, stamps + SPEED_SECONDS - 1e-9)
    known = later < len(stamps)
    if not known.any():
        return 0.0
    moved = np.linalg.norm(places[later[known]] - places[known], axis=1)
    return float((moved / (stamps[later[known]] - stamps[known])).max())
