"""Whether a motion could have happened: feet that skate, sink or float, shaking, seams, and whether paths are kept.

Definitions: skating ratio as in Karunratanakul et al. 2023 (Guided Motion Diffusion); penetration and floating as in
Yuan et al. 2023 (PhysDiff), with its tolerance, the body being its joints, heels and toes; jerk as in Barquero et al.
2024 (FlowMDM). World frame, z up, floor at 0. All are zero or absent for a body that stands still.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.ndimage import uniform_filter1d

from fitmotion_models.evaluation.motion_metrics import Metric
from fitmotion_models.motion.features import contacts_of
from fitmotion_models.skeleton.joint_sets import SMPL22
from fitmotion_models.skeleton.motion_clip import MotionClip
from fitmotion_models.skeleton.rotations import Float64

_BALLS = [SMPL22.index("left_foot"), SMPL22.index("right_foot")]


@dataclass(frozen=True)
class PhysicalLimits:
    """As published.

    A foot skates lower than `skating_height` (metres) and faster than `skating_speed` (metres a second), in a frame and
    in the mean of `skating_window` frames. floor_tolerance: so far over or under the floor (metres) is on it.
    """

    skating_height: float = 0.05
    skating_speed: float = 0.5
    skating_window: int = 5
    floor_tolerance: float = 0.005


PUBLISHED = PhysicalLimits()


def skating_ratio(positions: ArrayLike, fps: float, limits: PhysicalLimits = PUBLISHED) -> float:
    """The share of steps from frame to frame in which the ball of a foot slides over the floor.

    positions: (T, 22, 3). Sliding: low in both frames and fast along the floor. Fewer than two frames: 0.
    """
    balls = np.asarray(positions, dtype=np.float64)[:, _BALLS]
    if len(balls) < 2:
        return 0.0
    speed = np.linalg.norm(np.diff(balls[..., :2], axis=0), axis=-1) * fps
    mean = uniform_filter1d(speed, size=limits.skating_window, axis=0, mode="constant")
    low = balls[..., 2] < limits.skating_height
    slides = low[:-1] & low[1:] & (speed > limits.skating_speed) & (mean > limits.skating_speed)
    return float(slides.any(axis=1).mean())


def penetration(positions: ArrayLike, feet: ArrayLike, limits: PhysicalLimits = PUBLISHED) -> float:
    """Metres that the body's lowest point is under the floor, mean over frames; (T, 22, 3) and (T, 4, 3)."""
    depth = -_lowest(positions, feet)
    return float(np.where(depth > limits.floor_tolerance, depth, 0.0).mean())


def floating(positions: ArrayLike, feet: ArrayLike, limits: PhysicalLimits = PUBLISHED) -> float:
    """Metres that the body's lowest point is over the floor, mean over frames; (T, 22, 3) and (T, 4, 3).

    A jump floats too: read it beside the real motion's.
    """
    height = _lowest(positions, feet)
    return float(np.where(height > limits.floor_tolerance, height, 0.0).mean())


def jerks(positions: ArrayLike, fps: float) -> Float64:
    """The third differences' magnitude (T - 3, 22), m/s^3; positions: (T, 22, 3). Fewer than four frames: empty."""
    return np.linalg.norm(np.diff(np.asarray(positions, np.float64), n=3, axis=0), axis=-1) * fps**3


def path_errors(positions: ArrayLike, path: ArrayLike) -> Float64:
    """How far (T,) the pelvis is from where it was to be, metres over the floor.

    positions: (T, 22, 3); path: (T, 2 or more) x, y a frame, NaN where it is free (left out of the result).
    """
    wanted = np.asarray(path, dtype=np.float64)[:, :2]
    distances = np.linalg.norm(np.asarray(positions, np.float64)[:, 0, :2] - wanted, axis=-1)
    return distances[np.isfinite(distances)]


def seam_accelerations(positions: ArrayLike, fps: float, seams: Sequence[int]) -> tuple[float, float]:
    """Mean acceleration of the joints at the seams and everywhere else, m/s^2; NaN where there is none.

    positions: (T, 22, 3). seams: first frames of chunks; the two second differences that reach over the cut count.
    """
    acceleration = (
        np.linalg.norm(np.diff(np.asarray(positions, np.float64), n=2, axis=0), axis=-1).mean(axis=1) * fps**2
    )
    at_seam = np.zeros(len(acceleration), dtype=bool)
    for seam in seams:
        at_seam[max(seam - 2, 0) : max(seam, 0)] = True
    return _mean(acceleration[at_seam]), _mean(acceleration[~at_seam])


def contact_accuracy(contacts: ArrayLike, feet: ArrayLike, fps: float) -> float:
    """The share of heels, toes and frames (T, 4) whose stated contact is what the feet (T, 4, 3) do."""
    stated = np.asarray(contacts, dtype=np.float64) > 0.5
    return float((stated == (contacts_of(feet, fps) > 0.5)).mean())


def physical_measures(
    clip: MotionClip,
    *,
    path: ArrayLike | None = None,
    seams: Sequence[int] = (),
    contacts: ArrayLike | None = None,
) -> dict[str, float]:
    """All measures of one wholly seen clip; those of path, seams and contacts only where these are given.

    path: (T, 2) metres, NaN where free. seams: first frames of chunks. contacts: (T, 4) as the model stated them.
    Raises ValueError for a clip with unseen joints.
    """
    if not (np.isfinite(clip.positions).all() and np.isfinite(clip.feet).all()):
        raise ValueError(f"the clip of {clip.subject!r} has unseen joints or feet; measures need all of them")
    jerk = jerks(clip.positions, clip.fps)
    measures = {
        "skating_ratio": skating_ratio(clip.positions, clip.fps),
        "penetration_m": penetration(clip.positions, clip.feet),
        "floating_m": floating(clip.positions, clip.feet),
        "jerk_m_s3": _mean(jerk),
        "peak_jerk_m_s3": float(jerk.max(initial=0.0)),
    }
    if path is not None:
        measures["path_error_m"] = _mean(path_errors(clip.positions, path))
    if len(seams):
        at_seam, elsewhere = seam_accelerations(clip.positions, clip.fps, seams)
        measures["seam_acceleration_m_s2"] = at_seam
        measures["seam_acceleration_ratio"] = at_seam / elsewhere if elsewhere > 0.0 else np.nan
    if contacts is not None:
        measures["contact_accuracy"] = contact_accuracy(contacts, clip.feet, clip.fps)
    return measures


class Physical(Metric):
    """Clips one by one: `physical_measures` of each, and their means over the clips that have them."""

    def _compute(self, *batch: Any, **given: Any) -> dict[str, ArrayLike]:
        (clip,) = batch
        return {name: [value] for name, value in physical_measures(clip, **given).items()}


def _lowest(positions: ArrayLike, feet: ArrayLike) -> Float64:
    heights = [np.asarray(points, np.float64)[..., 2] for points in (positions, feet)]
    return np.concatenate(heights, axis=1).min(axis=1)


def _mean(values: Float64) -> float:
    return float(values.mean()) if values.size else float("nan")
