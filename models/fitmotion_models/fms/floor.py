"""A body on the floor, lying or on all fours: where it points, which way up it is, how steep its parts are."""

import math
from dataclasses import replace

import numpy as np

from fitmotion_models.fms.criteria import MIN_JOINT_CONFIDENCE, Measured
from fitmotion_models.fms.moment import (
    ANKLES,
    BALLS,
    ELBOWS,
    HEELS,
    HIPS,
    KNEES,
    SHOULDERS,
    TOES,
    WRISTS,
    Array,
    Body,
    Moment,
    Stance,
)
from fitmotion_models.fms.reading import leg_length

HEELS_AND_TOES = ((22, 23), (24, 25))

# One camera looking down more steeply than this sees too little of what is up: all measures here are in the upright
# plane along the body. This project's choice.
HIGHEST_CAMERA_DEG = 50.0
# Least |sine| of the angle between the body's axis and the camera for what is measured in that plane: 37 degrees.
SAGITTAL_VIEW_SINE = 0.6
_PAIRS = np.array([HIPS, KNEES, ANKLES, BALLS, SHOULDERS, ELBOWS, WRISTS, HEELS, TOES])

FROM_THE_SIDE = "film from the side of the body, the camera near the floor"
FROM_THE_HEAD = "film along the body, from the head or the feet, the camera near the floor"


def middle(points: Array, pair: tuple[int, int]) -> Array:
    """The middle (3,) of a left and a right point of (26, 3)."""
    return np.asarray(0.5 * (points[pair[0]] + points[pair[1]]))


def slope_deg(line: Array) -> float:
    """How steeply a line (3,) rises, degrees: 90 is straight up."""
    return math.degrees(math.atan2(float(line[2]), float(np.hypot(line[0], line[1]))))


def slope_in_plane_deg(line: Array, heading: Array) -> float:
    """How steeply a line (3,) rises in the upright plane along `heading` (3,), degrees, -180 to 180."""
    return math.degrees(math.atan2(float(line[2]), float(line @ heading)))


def horizontal_unit(line: Array) -> Array | None:
    """The direction (3,) of a line (3,) along the floor, or None where it has none."""
    flat = np.array([line[0], line[1], 0.0])
    length = float(np.linalg.norm(flat))
    return flat / length if math.isfinite(length) and length > 1e-6 else None


def are_seen(body: Body, points: tuple[int, ...]) -> bool:
    """Whether of all these points, in pairs of left and right, at least one is seen."""
    seen = (body.confidence[list(points)] >= MIN_JOINT_CONFIDENCE).reshape(-1, 2)
    return bool(seen.any(axis=1).all())


def paired(body: Body, *, trusted: bool) -> Body:
    """The body with what is hidden of a left and a right put where the other is: from the side one hides the other.

    trusted: with the seen one's confidence too, where both sides do the same; else the confidence stays that of a
    hidden point, which only finds repetitions.
    """
    hidden = ~(body.confidence[_PAIRS] >= MIN_JOINT_CONFIDENCE)
    lost = hidden & ~hidden[:, ::-1]
    if not lost.any():
        return body
    points, confidence = body.points.copy(), body.confidence.copy()
    points[_PAIRS[lost]] = body.points[_PAIRS[:, ::-1][lost]]
    if trusted:
        confidence[_PAIRS[lost]] = body.confidence[_PAIRS[:, ::-1][lost]]
    return replace(body, points=points, confidence=confidence)


def trunk_slope_deg(points: Array) -> float:
    """Of the line from the hips' to the shoulders' middle, degrees."""
    return slope_deg(middle(points, SHOULDERS) - middle(points, HIPS))


def leg_slopes_deg(points: Array) -> Array:
    """(2,) of the lines from hip to ankle, degrees; a lying leg is about 0, one straight up 90."""
    return np.array([slope_deg(points[ANKLES[side]] - points[HIPS[side]]) for side in (0, 1)])


def face_up(points: Array) -> float:
    """How far a lying body faces up: about 1 on the back, -1 on the belly, by chest and toes together.

    Of one camera's two cues each is badly seen from somewhere: the chest from the side, the feet along the body.
    """
    trunk = middle(points, SHOULDERS) - middle(points, HIPS)
    across = points[SHOULDERS[0]] - points[SHOULDERS[1]] + points[HIPS[0]] - points[HIPS[1]]
    # a chest of which one half is hidden has no front, and a foot of which an end is hidden no direction
    cues = [np.cross(across, trunk), *(points[toe] - points[heel] for heel, toe in HEELS_AND_TOES)]
    seen = [cue for cue in cues if float(np.linalg.norm(cue)) > 1e-6]
    return float(np.mean([cue[2] / np.linalg.norm(cue) for cue in seen])) if seen else math.nan


def arm_length(points: Array) -> float:
    """Upper arm and forearm together, mean of the two, metres."""
    elbows = points[list(ELBOWS)]
    upper = np.linalg.norm(points[list(SHOULDERS)] - elbows, axis=1)
    fore = np.linalg.norm(points[list(WRISTS)] - elbows, axis=1)
    return float(np.nanmean(upper + fore))


def thigh_length(points: Array) -> float:
    """Mean of the two, metres."""
    return float(np.nanmean(np.linalg.norm(points[list(HIPS)] - points[list(KNEES)], axis=1)))


def stance_of(body: Body, heading: Array | None) -> Stance | None:
    """The stance of a mean body that points to `heading`, both sides alike; None without one."""
    return None if heading is None else Stance(body, heading, leg_length(body))


def from_above(moment: Moment) -> Measured | None:
    """What is measured when the one camera looks down too steeply: nothing, and why; None where it does not."""
    direction = moment.feet.view_direction
    if moment.views != 1 or not np.isfinite(direction).all():
        return None
    if abs(slope_deg(direction)) <= HIGHEST_CAMERA_DEG:
        return None
    return Measured(math.nan, 0.0, ("the camera looks down too steeply", "put the camera near the floor"))


def tilt_deg(line: Array) -> float:
    """Of a line (3,) across the body against the horizontal, degrees, 0 to 90."""
    return abs(slope_deg(line))
