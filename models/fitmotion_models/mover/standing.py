"""A body that stands: where its hips are over feet that carry it."""

from collections.abc import Callable

import numpy as np

from fitmotion_models.mover.body import Float64, center_of_mass
from fitmotion_models.mover.legs import SIDE_SIGN
from fitmotion_models.mover.step_body import StepBody, StepPosture

# Winter 1995: the centre of mass is about 5 cm ahead of the ankles
BALANCE_AHEAD = 0.05
_STEPS = 25
_PRECISION = 1e-5  # metres


def balanced_hips(
    body: StepBody, width: float, posture_at: Callable[[Float64], StepPosture], target: Float64, *, right_leg_only: bool
) -> Float64:
    """Hips (3,), metres, that put the centre of mass over `target` (2,), the knees as in stance.

    posture_at: the posture with the hips there. width: between the ankles, which are at x = 0. right_leg_only: the left
    foot may be anywhere.
    """
    hips = np.array([0.0, target[1], 0.0])
    for _ in range(_STEPS):
        hips[2] = _height(body, width, hips, right_leg_only=right_leg_only)
        missing = target - center_of_mass(body.positions(posture_at(hips)))[:2]
        hips[:2] += missing
        if np.abs(missing).max() < _PRECISION:
            break
    hips[2] = _height(body, width, hips, right_leg_only=right_leg_only)
    return hips


def _height(body: StepBody, width: float, hips: Float64, *, right_leg_only: bool) -> float:
    aside = hips[1] + SIDE_SIGN * (body.half_hips - 0.5 * width)
    heights = np.sqrt(body.reach**2 - hips[0] ** 2 - aside**2) + body.ankle_height
    return float(heights[1] if right_leg_only else heights.min())
