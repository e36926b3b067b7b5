"""The few numbers of a body by which squats are found."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from fitmotion_models.fms.criteria import MIN_JOINT_CONFIDENCE
from fitmotion_models.fms.moment import ANKLES, HIPS, KNEES, PELVIS, Array, Body, knee_flexion


@dataclass(frozen=True, eq=False)
class Reading:
    """One frame.

    height: of the pelvis above the lower ankle, metres. ankles: (2, 3) metres, NaN where that leg is unseen.
    flexion: (2,) knee flexion in degrees, NaN where unseen. leg_length: metres. At least one leg is seen.
    """

    body: Body
    height: float
    ankles: Array
    flexion: Array
    leg_length: float


# several tests may follow one stream: a body is read once
@lru_cache(maxsize=4)
def read_body(body: Body) -> Reading | None:
    """The reading of a body, or None where the pelvis or both legs are unseen."""
    confidence = body.confidence
    legs = np.array([confidence[[HIPS[s], KNEES[s], ANKLES[s]]].min() for s in (0, 1)]) >= MIN_JOINT_CONFIDENCE
    if confidence[PELVIS] < MIN_JOINT_CONFIDENCE or not legs.any():
        return None
    ankles = np.where(legs[:, None], body.points[list(ANKLES)], np.nan)
    flexion = np.where(legs, knee_flexion(body), np.nan)
    height = float(body.points[PELVIS, 2] - ankles[legs, 2].min())
    return Reading(body, height, ankles, flexion, leg_length(body))


def leg_length(body: Body) -> float:
    """Thigh and shank together, mean of the seen legs, metres."""
    points = body.points
    legs = [
        math.dist(points[hip], points[knee]) + math.dist(points[knee], points[ankle])
        for hip, knee, ankle in zip(HIPS, KNEES, ANKLES, strict=True)
    ]
    seen = [length for length in legs if math.isfinite(length)]
    return sum(seen) / len(seen) if seen else math.nan
