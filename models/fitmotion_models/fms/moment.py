"""The arrays that criteria and repetitions are measured on: a body as 26 points, a stance, a moment of a repetition."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.skeleton.body_pose import BodyPose

Array = NDArray[np.float64]

# Indices into a body's 26 points: SMPL-22, then the foot landmarks, as in `Criterion.joints`.
PELVIS, NECK, HEAD = 0, 12, 15
HIPS = (1, 2)
KNEES = (4, 5)
ANKLES = (7, 8)
SHOULDERS = (16, 17)
ELBOWS = (18, 19)
WRISTS = (20, 21)
HEELS = (22, 24)
TOES = (23, 25)
BALLS = (10, 11)

UP = np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True, eq=False)
class Body:
    """A body at one instant, or averaged over a few.

    points: (26, 3) metres, world; confidence: (26,). views and view_direction (3,) as in `BodyPose`.
    """

    stamp: float
    points: Array
    confidence: Array
    views: int
    view_direction: Array


def body_from_pose(pose: BodyPose) -> Body:
    """The 26 points of a pose. A point that is not finite has confidence 0, whatever the pose says."""
    points = np.concatenate((pose.positions, pose.feet)).astype(np.float64)
    confidence = np.concatenate((pose.confidence, pose.feet_confidence)).astype(np.float64)
    finite = np.isfinite(points).all(axis=1) & np.isfinite(confidence)
    points[~finite] = np.nan
    confidence = np.where(finite, np.clip(np.nan_to_num(confidence), 0.0, 1.0), 0.0)
    return Body(pose.stamp, points, confidence, pose.views, pose.view_direction.astype(np.float64))


def mean_body(bodies: Sequence[Body]) -> Body:
    """The mean of some bodies, point by point, over the frames in which a point is seen; stamp of the middle one."""
    middle = bodies[len(bodies) // 2]
    points = np.stack([body.points for body in bodies])
    confidence = np.stack([body.confidence for body in bodies])
    weights = confidence[..., None]
    total = weights.sum(axis=0)
    # sums of what is seen; a plain sum, several times faster, where everything is
    summed = np.sum if np.isfinite(points).all() else np.nansum
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = summed(points * weights, axis=0) / total
    directions = np.stack([body.view_direction for body in bodies])
    seen = np.isfinite(directions).all(axis=1)
    direction = directions[seen].mean(axis=0) if seen.any() else np.full(3, np.nan)
    return Body(middle.stamp, mean, confidence.mean(axis=0), min(body.views for body in bodies), direction)


@dataclass(frozen=True, eq=False)
class Stance:
    """The stance before a repetition. body: mean over it. facing: (3,) horizontal unit vector. leg_length: metres."""

    body: Body
    facing: Array
    leg_length: float


@dataclass(frozen=True, eq=False)
class Moment:
    """What a criterion sees: the body (at the lowest point, averaged over a few frames), the stance before, all frames.

    frames: the repetition from the stance to its end (live: the newest frame only).
    feet: (26, 3) the mean of the planted feet over the frames; only ankles, feet and foot landmarks are of use.
    views: number of cameras, 0 for none. view_sine: |sine| of the horizontal angle between facing and camera,
    1: from the side, 0: from the front or from behind; 0 with one camera whose direction is unknown.
    """

    body: Body
    stance: Stance
    frames: tuple[Body, ...]
    feet: Body
    views: int
    view_sine: float


def facing_of(body: Body) -> Array | None:
    """The horizontal unit vector (3,) that a body faces, from the hips' axis and the feet, or None where unseen.

    The hips' axis runs left to right across the body: left x up = forward. The feet, where both are seen, count
    as much: from one camera each of the two is badly seen from some direction.
    """
    points = body.points
    across = points[HIPS[0]] - points[HIPS[1]]
    hips = np.array([across[1], -across[0], 0.0])  # across x up
    if not np.isfinite(hips).all() or np.linalg.norm(hips) < 1e-6:
        return None
    hips /= np.linalg.norm(hips)
    feet = _horizontal(points[list(TOES)] - points[list(HEELS)])
    lengths = np.linalg.norm(feet, axis=1)
    if np.isfinite(feet).all() and (lengths > 1e-6).all():
        bisector = (feet / lengths[:, None]).sum(axis=0)
        norm = np.linalg.norm(bisector)
        # A bisector that points backwards comes from feet swapped or crossed: the hips decide alone.
        if norm > 1e-6 and bisector @ hips > 0.0:
            combined = hips + bisector / norm
            return np.asarray(combined / np.linalg.norm(combined))
    return np.asarray(hips)


def knee_flexion(body: Body) -> Array:
    """Knee flexion (2,) left and right, degrees: 0 is a straight leg. NaN where unseen."""
    points = body.points
    thigh = points[list(HIPS)] - points[list(KNEES)]
    shank = points[list(ANKLES)] - points[list(KNEES)]
    norms = np.linalg.norm(thigh, axis=1) * np.linalg.norm(shank, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        cosine = np.einsum("ij,ij->i", thigh, shank) / norms
    return np.asarray(180.0 - np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))


def forward_lean(vectors: Array, facing: Array) -> Array:
    """Angle of vectors (..., 3) from the vertical, degrees, 0 to 180; negative where they lean away from `facing`.

    The whole angle, not its part in the sagittal plane: a tibia leans in the direction of its foot, which points out.
    """
    sideways = np.linalg.norm(vectors[..., :2], axis=-1)
    return np.asarray(np.degrees(np.arctan2(sideways, vectors[..., 2])) * np.where(vectors @ facing < 0.0, -1.0, 1.0))


def view_sine(facing: Array, view_direction: Array) -> float:
    """|sine| of the horizontal angle between facing and camera, 1 from the side; 0 where there is no direction."""
    horizontal = _horizontal(np.asarray(view_direction, dtype=np.float64))
    length = float(np.linalg.norm(horizontal))
    if not np.isfinite(length) or length < 1e-6:
        return 0.0
    return float(abs(facing[0] * horizontal[1] - facing[1] * horizontal[0]) / length)


def view_cosine(facing: Array, view_direction: Array) -> float:
    """Cosine of the horizontal angle between facing and camera: 1 from the front, -1 from behind; 0 where unknown."""
    horizontal = _horizontal(np.asarray(view_direction, dtype=np.float64))
    length = float(np.linalg.norm(horizontal))
    if not np.isfinite(length) or length < 1e-6:
        return 0.0
    return float(facing @ horizontal) / length


def _horizontal(vectors: Array) -> Array:
    """Vectors (..., 3) without their vertical part."""
    return np.asarray(vectors * np.array([1.0, 1.0, 0.0]))
