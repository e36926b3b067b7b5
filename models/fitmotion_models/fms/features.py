"""What a learned scorer sees of a repetition: curves and their summary, free of body size, heading, place and side.

Lengths are in leg lengths of the stance, angles in radians, directions those of the person in the stance. Everything
depends on the repetition and the stance before it, on nothing else: no person's or data set's mean is in it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.fms.moment import (
    ANKLES,
    HEAD,
    HEELS,
    HIPS,
    KNEES,
    NECK,
    PELVIS,
    SHOULDERS,
    TOES,
    UP,
    WRISTS,
    Array,
    Body,
    body_from_pose,
    facing_of,
    mean_body,
)
from fitmotion_models.fms.reading import leg_length
from fitmotion_models.fms.repetitions import Repetition
from fitmotion_models.fms.values import Side
from fitmotion_models.skeleton.joint_sets import FEET_MIRROR, SMPL22
from fitmotion_models.skeleton.motion_clip import MotionClip

# one number a frame and leg (or arm); lengths in leg lengths
SIDED_CURVES = (
    "hip_flexion",  # between thigh and trunk, rad
    "knee_flexion",  # rad
    "shin_lean",  # knee - ankle against the vertical, rad
    "hip_above_knee",
    "knee_inward",  # of the knee from the vertical plane through ankle and toe; towards the other leg is positive
    "ankle_height",
    "ankle_ahead",  # of the middle of the stance's ankles
    "elevation",  # of the wrist over the neck
    "wrist_ahead",  # of the middle of the stance's ankles
    "elbow_flexion",  # rad
    "arm_raise",  # between upper arm and trunk, rad
    "hip_abduction",  # of the thigh out of the plane across the line of the hips, rad
    "knee_aside",  # of the hip, away from the other leg
    "knee_over_ankle",  # how far the knee is ahead of the ankle
)
# one number a frame; what lies across changes sign in the mirror image: its size is taken where no side is given
MIDDLE_CURVES = (
    "pelvis_height",
    "pelvis_ahead",
    "trunk_lean",
    "head_lean",
    "spine_bend",  # of the upper trunk's lean over the lower one's, rad
    "knees_apart",
    "wrists_apart",
)
ACROSS_CURVES = ("pelvis_aside", "trunk_aside", "shoulders_tilt", "pelvis_tilt", "trunk_twist")

SUMMARIES = ("lowest", "mean", "change", "slope", "log_range", "log_speed", "log_residual", "log_asymmetry")

# what is less than these is noise to the logarithms: leg lengths or radians, and a second
_LEAST_RANGE, _LEAST_SPEED, _LEAST_DIFFERENCE = 0.01, 0.01, 0.005
# frames around the lowest pelvis, on either side, and at the start, over which a curve's value is averaged
_NEAR_LOWEST, _AT_START = 2, 5
# of a curve's values over a repetition
KEPT_PERCENTILES = (8.0, 92.0)
# a curve and itself run backwards are compared at so many instants
_INSTANTS = 101

# how long the stance at the start of a clip is taken to be, seconds
STANCE_SECONDS = 0.17

ELBOWS = (SMPL22.index("left_elbow"), SMPL22.index("right_elbow"))
CHEST = SMPL22.index("spine2")
LEFT_AND_RIGHT = np.array([1.0, -1.0])

_MIRROR = [*SMPL22.mirror, *(len(SMPL22) + index for index in FEET_MIRROR)]


@dataclass(frozen=True, eq=False)
class FeatureCurves:
    """names: of the C curves. stamps: (T,) s from the first. values: (T, C), NaN where unseen. lowest: a frame.

    mirrored: (C,) curves that change sign in the mirror image, because no side is given.
    """

    names: tuple[str, ...]
    stamps: Array
    values: Array
    lowest: int
    mirrored: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Features:
    """names: "curve:summary". values: (N,) float32, NaN where nothing of a curve is seen."""

    names: tuple[str, ...]
    values: NDArray[np.float32]


def clip_curves(clip: MotionClip, first: Side = Side.BOTH) -> FeatureCurves:
    """Curves of a clip that is one repetition and starts with its stance; see `curves`."""
    bodies = [body_from_pose(pose) for pose in clip]
    if not bodies:
        raise ValueError("the features of a clip need at least one frame")
    stance = mean_body([body for body in bodies if body.stamp - bodies[0].stamp <= STANCE_SECONDS])
    return curves(bodies, stance, first)


def repetition_curves(repetition: Repetition, first: Side = Side.BOTH) -> FeatureCurves:
    """Curves of a repetition as it was found in a stream; see `curves`."""
    return curves(repetition.frames, repetition.stance.body, first)


def curves(bodies: Sequence[Body], stance: Body, first: Side = Side.BOTH) -> FeatureCurves:
    """The curves of some frames after a stance.

    first: LEFT or RIGHT names the leg that does the test; its curves come first ("first_", "second_") and the mirror
    image with the other side gives the same. BOTH is for tests without a side: then each pair is a mean and half the
    difference ("mean_", "difference_"); in the mirror image differences and what lies across change their sign.
    Raises ValueError when the stance does not show hips, knees and ankles.
    """
    points = np.stack([body.points for body in bodies])
    points, stance_points = _own_frame(points, stance)
    if first is Side.RIGHT:
        points, stance_points = (array[..., _MIRROR, :] * (1.0, -1.0, 1.0) for array in (points, stance_points))
    sided = _sided(points, stance_points)
    across = _across(points)
    if first is Side.BOTH:
        pairs = ("mean", "difference")
        sided = np.stack([sided.mean(axis=1), 0.5 * (sided[:, 0] - sided[:, 1])], axis=1)
    else:
        pairs = ("first", "second")
    middle = _middle(points)
    names = (*(f"{pair}_{name}" for pair in pairs for name in SIDED_CURVES), *MIDDLE_CURVES, *ACROSS_CURVES)
    values = np.concatenate([sided.reshape(len(points), -1), middle, across], axis=1)
    heights = np.where(np.isfinite(middle[:, 0]), middle[:, 0], np.inf)
    stamps = np.array([body.stamp for body in bodies])
    changing = [first is Side.BOTH and (name.startswith("difference_") or name in ACROSS_CURVES) for name in names]
    return FeatureCurves(names, stamps - stamps[0], values, int(heights.argmin()), np.array(changing))


def summarise(found: FeatureCurves) -> Features:
    """Each curve in a few numbers: see `SUMMARIES`. The same for the mirror image.

    lowest: around the lowest pelvis. change: that against the start. slope: how much of the curve goes with the pelvis'
    way down. Logarithms, as these differ by factors: range; speed (RMS); residual (SD of what does not go with the
    pelvis' way); asymmetry (mean difference of the curve from itself run backwards).
    """
    # a frame in which a limb is lost must not make the range: what is further out than these counts as far as they
    seen = np.where(np.isfinite(found.values).any(axis=0), found.values, 0.0)
    low, high = np.nanpercentile(seen, KEPT_PERCENTILES, axis=0)
    values = np.clip(found.values, low, high)
    down = -values[:, found.names.index("pelvis_height")]
    columns = [_summary(found.stamps, curve, down, found.lowest) for curve in values.T]
    table = np.array(columns).T
    # what turns round in the mirror image counts by its size
    signed = SUMMARIES.index("log_range")
    table[:signed] = np.where(found.mirrored, np.abs(table[:signed]), table[:signed])
    names = tuple(f"{curve}:{summary}" for summary in SUMMARIES for curve in found.names)
    return Features(names, table.ravel().astype(np.float32))


def _summary(stamps: Array, curve: Array, down: Array, lowest: int) -> list[float]:
    """`SUMMARIES` of one curve (T,); NaN where nothing of it is seen."""
    near, start = curve[max(lowest - _NEAR_LOWEST, 0) : lowest + _NEAR_LOWEST + 1], curve[:_AT_START]
    seen = np.isfinite(curve) & np.isfinite(down)
    if seen.sum() < 2:
        return [np.nan] * len(SUMMARIES)
    stamps, curve, down = stamps[seen], curve[seen], down[seen] - down[seen].mean()
    slope = float(down @ curve) / max(float(down @ down), 1e-6)
    residual = curve - curve.mean() - slope * down
    speed = np.gradient(curve, stamps)
    even = np.interp(np.linspace(stamps[0], stamps[-1], _INSTANTS), stamps, curve)
    at_lowest, at_start = _seen_mean(near), _seen_mean(start)
    return [
        at_lowest,
        float(curve.mean()),
        at_lowest - at_start,
        slope,
        math.log(float(np.ptp(curve)) + _LEAST_RANGE),
        math.log(math.sqrt(float(speed @ speed) / len(speed)) + _LEAST_SPEED),
        math.log(float(residual.std()) + _LEAST_DIFFERENCE),
        math.log(float(np.abs(even - even[::-1]).mean()) + _LEAST_DIFFERENCE),
    ]


def _seen_mean(values: Array) -> float:
    values = values[np.isfinite(values)]
    return float(values.mean()) if values.size else math.nan


def _own_frame(points: Array, stance: Body) -> tuple[Array, Array]:
    """Points (T, 26, 3) and the stance's (26, 3) about the middle of its ankles, x as it faces, in leg lengths."""
    facing = facing_of(stance)
    length = leg_length(stance)
    middle = stance.points[list(ANKLES)].mean(axis=0)
    if facing is None or not np.isfinite(length) or not np.isfinite(middle).all() or length <= 0.0:
        raise ValueError("the features of a repetition need a stance in which hips, knees and ankles are seen")
    axes = np.stack([facing, np.cross(UP, facing), UP], axis=1)
    return (points - middle) @ axes / length, (stance.points - middle) @ axes / length


def _sided(points: Array, stance: Array) -> Array:
    """(T, 2, curves) of left and right."""
    hips, knees, ankles, wrists = (points[:, list(pair)] for pair in (HIPS, KNEES, ANKLES, WRISTS))
    shoulders, elbows = points[:, list(SHOULDERS)], points[:, list(ELBOWS)]
    trunk = (points[:, NECK] - points[:, PELVIS])[:, None]
    thigh, shin = knees - hips, knees - ankles
    outward = hips[:, :1] - hips[:, 1:]
    outward = outward / np.linalg.norm(outward, axis=-1, keepdims=True) * LEFT_AND_RIGHT[:, None]
    # where each foot points in the stance: a foot that is lifted turns
    feet = stance[list(TOES)] - stance[list(HEELS)]
    feet = feet * (1.0, 1.0, 0.0) / np.linalg.norm(feet[:, :2], axis=-1, keepdims=True)
    inward = np.cross(feet, UP) * np.array([[1.0], [-1.0]])
    columns = (
        np.pi - _angle(thigh, trunk),
        np.pi - _angle(thigh, shin),
        np.arctan2(np.linalg.norm(shin[..., :2], axis=-1), shin[..., 2]),
        (hips - knees)[..., 2],
        (shin * inward).sum(axis=-1),
        ankles[..., 2],
        ankles[..., 0],
        wrists[..., 2] - points[:, NECK, 2][:, None],
        wrists[..., 0],
        np.pi - _angle(shoulders - elbows, wrists - elbows),
        _angle(elbows - shoulders, trunk),
        np.arcsin(np.clip((thigh * outward).sum(axis=-1) / np.linalg.norm(thigh, axis=-1), -1.0, 1.0)),
        thigh[..., 1] * LEFT_AND_RIGHT,
        shin[..., 0],
    )
    return np.stack(columns, axis=-1)


def _middle(points: Array) -> Array:
    trunk = points[:, NECK] - points[:, PELVIS]
    head, upper, lower = (points[:, a] - points[:, b] for a, b in ((HEAD, NECK), (NECK, CHEST), (CHEST, PELVIS)))
    leans = [np.arctan2(line[:, 0], line[:, 2]) for line in (trunk, head, upper, lower)]
    apart = [np.linalg.norm(points[:, left] - points[:, right], axis=-1) for left, right in (KNEES, WRISTS)]
    columns = (points[:, PELVIS, 2], points[:, PELVIS, 0], leans[0], leans[1], leans[2] - leans[3], *apart)
    return np.stack(columns, axis=-1)


def _across(points: Array) -> Array:
    """(T, curves): positive to the left, left side up, turned to the left."""
    trunk = points[:, NECK] - points[:, PELVIS]
    shoulders = points[:, SHOULDERS[0]] - points[:, SHOULDERS[1]]
    hips = points[:, HIPS[0]] - points[:, HIPS[1]]
    twist = _turn(shoulders) - _turn(hips)
    columns = (
        points[:, PELVIS, 1],
        np.arctan2(trunk[:, 1], trunk[:, 2]),
        _tilt(shoulders),
        _tilt(hips),
        (twist + np.pi) % (2.0 * np.pi) - np.pi,
    )
    return np.stack(columns, axis=-1)


def _tilt(across: Array) -> Array:
    return np.asarray(np.arctan2(across[:, 2], np.linalg.norm(across[:, :2], axis=-1)))


def _turn(across: Array) -> Array:
    """How far a line from right to left is turned to the left, rad."""
    return np.asarray(np.arctan2(-across[:, 0], across[:, 1]))


def _angle(a: Array, b: Array) -> Array:
    norms = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.arccos(np.clip((a * b).sum(axis=-1) / norms, -1.0, 1.0)))
