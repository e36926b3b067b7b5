"""What a drawn body consists of: its points, the bones between them, the angles that are shown, as tables.

Points are numbered as in `Criterion.joints`: 0 to 21 SMPL's joints, 22 to 25 left heel, left toe, right heel and
right toe.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fitmotion_models.skeleton.body_pose import BodyPose
from fitmotion_models.skeleton.joint_sets import FEET, SMPL22
from fitmotion_models.viewer.palette import LEFT, MIDDLE, RIGHT, Rgb

Array = NDArray[np.float64]

POINTS = (*SMPL22.joints, *FEET)
_INDEX = {name: index for index, name in enumerate(POINTS)}


def _pairs(words: str) -> tuple[tuple[int, int], ...]:
    """`from-to` words as pairs of indices; one with a `*` stands for both sides."""
    both = [word.replace("*", side) for word in words.split() for side in (("left", "right") if "*" in word else ("",))]
    return tuple((_INDEX[start], _INDEX[end]) for start, _, end in (word.partition("-") for word in both))


# The bones as they are drawn: the tree, closed at hips and feet.
BONES = _pairs(
    "pelvis-spine1 spine1-spine2 spine2-spine3 spine3-neck neck-head pelvis-*_hip *_hip-*_knee *_knee-*_ankle "
    "*_ankle-*_heel *_ankle-*_toe *_heel-*_toe neck-*_shoulder *_shoulder-*_elbow *_elbow-*_wrist"
)

# What turns red: the lines whose two ends a failing criterion names. The trunk, the soles and the dowel between the
# hands are lines that criteria measure although they are no bones of the tree.
MEASURED_LINES = _pairs(
    "pelvis-neck *_hip-*_knee *_knee-*_ankle *_ankle-*_toe *_heel-*_toe left_wrist-right_wrist *_shoulder-*_elbow "
    "*_elbow-*_wrist"
)


@dataclass(frozen=True)
class ShownAngle:
    """An angle at a joint, from one direction to another; a direction is a pair of points, None is straight up."""

    name: str
    at: int
    start: tuple[int, int] | None
    end: tuple[int, int]


def _angle(name: str, at: str, start: str, end: str) -> tuple[ShownAngle, ...]:
    sides = ("left", "right") if "*" in at else ("",)
    rows = []
    for side in sides:
        first, second = (_pairs(pair.replace("*", side)) if pair else ((-1, -1),) for pair in (start, end))
        rows.append(
            ShownAngle(
                name.replace("*", side),
                _INDEX[at.replace("*", side)],
                first[0] if start else None,
                second[0],
            )
        )
    return tuple(rows)


# Bending, 0 for a straight limb and a body that stands upright. Trunk and shins lean against the vertical, because the
# squat compares their lean; hips, knees and elbows bend against the straight continuation of the bone above.
ANGLES: tuple[ShownAngle, ...] = (
    *_angle("trunk", "pelvis", "", "pelvis-neck"),
    *_angle("*_shin", "*_ankle", "", "*_ankle-*_knee"),
    *_angle("*_hip", "*_hip", "neck-pelvis", "*_hip-*_knee"),
    *_angle("*_knee", "*_knee", "*_hip-*_knee", "*_knee-*_ankle"),
    *_angle("*_elbow", "*_elbow", "*_shoulder-*_elbow", "*_elbow-*_wrist"),
)


def point_index(name: str) -> int:
    """The number of a joint or foot landmark."""
    return _INDEX[name]


def bone_colour(bone: tuple[int, int]) -> Rgb:
    """Blue for the person's left, orange for the right, white between."""
    side = POINTS[bone[1]].partition("_")[0]
    return {"left": LEFT, "right": RIGHT}.get(side, MIDDLE)


def body_points(pose: BodyPose) -> tuple[Array, Array]:
    """All points of a pose: positions (26, 3), metres, NaN where unseen, and confidence (26,)."""
    points = np.concatenate([pose.positions, pose.feet]).astype(np.float64)
    confidence = np.concatenate([pose.confidence, pose.feet_confidence]).astype(np.float64)
    points[~(confidence > 0.0)] = np.nan
    return points, confidence


def angle_directions(shown: ShownAngle, points: ArrayLike) -> tuple[Array, Array, float] | None:
    """The two unit directions (3,) of an angle and its size in radians; None where an end is unseen.

    points: (26, 3) metres, NaN where unseen.
    """
    places = np.asarray(points, dtype=np.float64)
    start = np.array([0.0, 0.0, 1.0]) if shown.start is None else places[shown.start[1]] - places[shown.start[0]]
    end = places[shown.end[1]] - places[shown.end[0]]
    lengths = float(np.linalg.norm(start)), float(np.linalg.norm(end))
    if not (min(lengths) > 1e-6 and np.isfinite(places[shown.at]).all()):
        return None
    start, end = start / lengths[0], end / lengths[1]
    return start, end, float(np.arctan2(np.linalg.norm(np.cross(start, end)), start @ end))


def measured_lines(joints: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    """The lines between those points that a criterion names."""
    named = set(joints)
    return tuple(line for line in MEASURED_LINES if named.issuperset(line))
