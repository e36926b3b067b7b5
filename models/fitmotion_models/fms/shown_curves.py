"""What a report shows of a repetition: two curves a test, and the moment that its criteria are about.

Curves are for people: angles and distances that need no facing direction, from the 26 points of a body (SMPL-22, then
left heel, left toe, right heel, right toe). Each is of one side; a test without sides shows both.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from fitmotion_models.fms.moment import ANKLES, HIPS, KNEES, NECK, PELVIS, SHOULDERS, WRISTS, Array
from fitmotion_models.fms.values import Movement
from fitmotion_models.skeleton.joint_sets import SMPL22
from fitmotion_models.skeleton.motion_clip import MotionClip

ELBOWS = (SMPL22.index("left_elbow"), SMPL22.index("right_elbow"))

Measure = Callable[[Array, int], Array]
"""Points (T, 26, 3) in metres and a side (0 left, 1 right) to a number a frame (T,), NaN where unseen."""


@dataclass(frozen=True)
class ShownCurve:
    """A curve of a test. name: unique in its test. unit: "deg" or "m". sided: whether left and right have their own."""

    name: str
    title: str
    unit: str
    measure: Measure
    sided: bool = True


@dataclass(frozen=True)
class ShownTest:
    """The curves of a test in two drawings, and what is largest at the moment that its criteria are about.

    panels: the curves of each drawing, all in one unit. moment: the name of that moment.
    """

    panels: tuple[tuple[ShownCurve, ...], tuple[ShownCurve, ...]]
    extent: Measure
    moment: str

    @property
    def curves(self) -> tuple[ShownCurve, ...]:
        """All curves of the test."""
        return tuple(curve for panel in self.panels for curve in panel)


def _angle(first: Array, second: Array) -> Array:
    """Angles (T,) between directions (T, 3), degrees."""
    across = np.linalg.norm(np.cross(first, second), axis=-1)
    return np.asarray(np.degrees(np.arctan2(across, np.einsum("ti,ti->t", first, second))))


def _trunk(points: Array) -> Array:
    return points[:, NECK] - points[:, PELVIS]


def _thigh(points: Array, side: int) -> Array:
    return points[:, KNEES[side]] - points[:, HIPS[side]]


def _from_upright(direction: Array) -> Array:
    return _angle(direction, np.broadcast_to([0.0, 0.0, 1.0], direction.shape))


def knee_bend(points: Array, side: int) -> Array:
    """Knee flexion, degrees: 0 for a straight leg."""
    return _angle(_thigh(points, side), points[:, ANKLES[side]] - points[:, KNEES[side]])


def hip_bend(points: Array, side: int) -> Array:
    """Hip flexion, degrees, between the thigh and the line of the trunk going on: 0 for an upright stance."""
    return _angle(-_trunk(points), _thigh(points, side))


def trunk_lean(points: Array, side: int) -> Array:
    """Lean of pelvis to neck from the vertical, degrees; the same for both sides."""
    return _from_upright(_trunk(points))


def shin_lean(points: Array, side: int) -> Array:
    """Lean of ankle to knee from the vertical, degrees."""
    return _from_upright(points[:, KNEES[side]] - points[:, ANKLES[side]])


def leg_raise(points: Array, side: int) -> Array:
    """Angle between the line from hip to ankle and the trunk going on, degrees: 0 for a leg in line with the body."""
    return _angle(-_trunk(points), points[:, ANKLES[side]] - points[:, HIPS[side]])


def hands_apart(points: Array, side: int) -> Array:
    """Distance between the wrists, metres; the same for both sides."""
    return np.asarray(np.linalg.norm(points[:, WRISTS[0]] - points[:, WRISTS[1]], axis=-1))


def upper_arm_raise(points: Array, side: int) -> Array:
    """Angle between upper arm and the trunk downwards, degrees: 0 for a hanging arm."""
    return _angle(-_trunk(points), points[:, ELBOWS[side]] - points[:, SHOULDERS[side]])


def body_bend(points: Array, side: int) -> Array:
    """How far shoulder, hip and ankle are from one line, degrees: 0 for a straight body."""
    hips = points[:, HIPS[side]]
    return _angle(hips - points[:, SHOULDERS[side]], points[:, ANKLES[side]] - hips)


def elbow_bend(points: Array, side: int) -> Array:
    """Elbow flexion, degrees: 0 for a straight arm."""
    elbow = points[:, ELBOWS[side]]
    return _angle(elbow - points[:, SHOULDERS[side]], points[:, WRISTS[side]] - elbow)


def elbow_to_nearest_knee(points: Array, side: int) -> Array:
    """Distance from the elbow of a side to the nearer knee, metres: the pair that moves is the near one."""
    apart = points[:, ELBOWS[side], None] - points[:, list(KNEES)]
    return np.asarray(np.linalg.norm(apart, axis=-1).min(axis=-1))


def _height(joints: tuple[int, int], points: Array, side: int) -> Array:
    return points[:, joints[side], 2]


def _low_pelvis(points: Array, side: int) -> Array:
    return -points[:, PELVIS, 2]


def _negative(measure: Measure, points: Array, side: int) -> Array:
    return -measure(points, side)


_KNEE = ShownCurve("knee_bend", "knee bend", "deg", knee_bend)
_HIP = ShownCurve("hip_bend", "hip bend", "deg", hip_bend)
_TRUNK = ShownCurve("trunk_lean", "trunk lean", "deg", trunk_lean, sided=False)

_SHIN = ShownCurve("shin_lean", "shin lean", "deg", shin_lean)
_LEG = ShownCurve("leg_raise", "leg raised", "deg", leg_raise)
_HANDS = ShownCurve("hands_apart", "distance between the wrists", "m", hands_apart, sided=False)
_UPPER_ARM = ShownCurve("upper_arm_raise", "upper arm raised", "deg", upper_arm_raise)
_BODY = ShownCurve("body_bend", "bend at the hips", "deg", body_bend)
_ELBOW = ShownCurve("elbow_bend", "elbow bend", "deg", elbow_bend)
_NEAR = ShownCurve("elbow_to_knee", "elbow to knee", "m", elbow_to_nearest_knee)

SHOWN: dict[Movement, ShownTest] = {
    Movement.DEEP_SQUAT: ShownTest(((_KNEE, _HIP), (_TRUNK, _SHIN)), _low_pelvis, "lowest point"),
    Movement.HURDLE_STEP: ShownTest(((_HIP, _KNEE), (_TRUNK,)), partial(_height, ANKLES), "foot highest"),
    Movement.INLINE_LUNGE: ShownTest(((_KNEE, _HIP), (_TRUNK,)), _low_pelvis, "lowest point"),
    Movement.SHOULDER_MOBILITY: ShownTest(((_HANDS,), (_UPPER_ARM,)), partial(_negative, hands_apart), "hands nearest"),
    Movement.ACTIVE_STRAIGHT_LEG_RAISE: ShownTest(((_LEG,), (_KNEE,)), partial(_height, ANKLES), "leg highest"),
    Movement.TRUNK_STABILITY_PUSH_UP: ShownTest(((_BODY,), (_ELBOW,)), partial(_height, SHOULDERS), "body highest"),
    Movement.ROTARY_STABILITY: ShownTest(
        ((_NEAR,), (_TRUNK,)), partial(_negative, elbow_to_nearest_knee), "elbow and knee nearest"
    ),
    Movement.STANDING_LEG_RAISE: ShownTest(((_LEG, _KNEE), (_TRUNK,)), partial(_height, ANKLES), "leg highest"),
}


def clip_points(clip: MotionClip) -> Array:
    """The 26 points of every frame of a clip (T, 26, 3), metres, NaN where unseen."""
    points = np.concatenate((clip.positions, clip.feet), axis=1).astype(np.float64)
    confidence = np.concatenate((clip.confidence, clip.feet_confidence), axis=1)
    points[~(confidence > 0.0)] = np.nan
    return points


def decisive_frame(clip: MotionClip, movement: Movement, side: int, start: float, end: float) -> int | None:
    """The frame (index) between two stamps that shows what a test's criteria are about; None where that is unseen.

    side: 0 left, 1 right; for a test without sides either. start, end: seconds.
    """
    inside = np.flatnonzero((clip.stamps >= start) & (clip.stamps <= end))
    if movement not in SHOWN or not len(inside):
        return None
    extent = SHOWN[movement].extent(clip_points(clip)[inside], side)
    return int(inside[np.nanargmax(extent)]) if np.isfinite(extent).any() else None
