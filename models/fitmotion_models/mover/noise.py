"""Noise as a pose estimator makes it: a body of constant bones whose joint angles are off."""

from dataclasses import replace
from math import isfinite

import numpy as np
from numpy.typing import ArrayLike

from fitmotion_models.mover.body import SIDES, Float64, joint
from fitmotion_models.mover.clip import local_rotations, seen_from
from fitmotion_models.skeleton.kinematics import (
    feet_from_matrices,
    fill_unseen,
    global_matrices,
    positions_from_matrices,
)
from fitmotion_models.skeleton.motion_clip import MotionClip
from fitmotion_models.skeleton.rotations import from_rotvec, to_matrix

# Median error over joint angles, measured on an athlete before four calibrated cameras: one camera's world landmarks
# of MediaPipe 0.10.14 12.2 degrees, the same detections triangulated over four views 4.8.
ONE_CAMERA_SD_DEG = 12.0
FOUR_CAMERAS_SD_DEG = 5.0
# Most of a camera's error hangs on the posture and on what is hidden, so that it changes as these do; the time is a
# choice, the shortest in which a squat changes its posture.
CORRELATION_S = 0.5
# Share of the variance that is new in every frame. Measured as what a local cubic over 9 frames leaves of the joint
# angles of four real squats at 30 fps: 0.7 to 2.2 degrees, median 1.5, which is 1.5 % of the variance of 12.2 degrees.
WHITE_SHARE = 0.02

# joints whose bones a camera sees as one piece
SEGMENTS: tuple[tuple[str, ...], ...] = (
    ("pelvis", "spine1", "spine2", "spine3", "left_collar", "right_collar"),
    ("neck", "head"),
    *((f"{side}_{name}",) for name in ("hip", "knee", "shoulder") for side in SIDES),
    *((f"{side}_ankle", f"{side}_foot") for side in SIDES),
    *((f"{side}_elbow", f"{side}_wrist") for side in SIDES),
)
_SEGMENT_OF_JOINT = [
    next(index for index, names in enumerate(SEGMENTS) if number in map(joint, names)) for number in range(22)
]

_WRISTS = [joint(f"{side}_wrist") for side in SIDES]
# Heights over the lowest point, metres, between which a body comes to lie and a hand to lean on the floor: a squat's
# pelvis and a lunge's hands stay above. A point so near to the floor counts by 1 / e.
_LYING_PELVIS, _HAND_DOWN, _NEAR_FLOOR = (0.20, 0.26), (0.10, 0.16), 0.10


def add_camera_noise(
    clip: MotionClip,
    joint_angle_sd_deg: float,
    view_direction: ArrayLike | None = None,
    seed: int = 0,
    *,
    views: int = 4,
    correlation_s: float = CORRELATION_S,
    white_share: float = WHITE_SHARE,
) -> MotionClip:
    """The clip as cameras would see it whose joint angles err by `joint_angle_sd_deg` (one standard deviation).

    Each body segment (trunk, head, upper arms, forearms, thighs, shanks, feet) is turned in the world by a random
    rotation vector, normal in all three axes with a standard deviation of joint_angle_sd_deg / sqrt(2): the angle at
    a joint between two segments then errs by joint_angle_sd_deg, wherever it is in the tree, as directions of bones in
    an image do not add up along a limb. In time the noise is smooth, a Gaussian process with the Matern-3/2 correlation
    (1 + t/c) exp(-t/c), c = `correlation_s` in seconds, that carries 1 - `white_share` of the variance, plus white
    noise with the rest. Bones keep their lengths; the feet follow from the noisy ankles; the body is put back as the
    floor anchors it: the middle of its foot landmarks stays where it was, or, of a body that lies or kneels on its
    hands, the middle of what rests on the floor. What is unseen stays so.

    view_direction: (3,) from the body to the one camera, world frame; None: `views` cameras (2 or more). The error is
    the same about the line of sight and across it, which is kind to no view. The same seed gives the same noise.
    Raises ValueError for a negative or non-finite number, a white_share outside 0 to 1 or fewer than 2 views.
    """
    _check(joint_angle_sd_deg, correlation_s, white_share, None if view_direction is not None else views)
    sd = np.radians(joint_angle_sd_deg) / np.sqrt(2.0)
    rng = np.random.default_rng(seed)
    shape = (len(clip), len(SEGMENTS), 3)
    slow = _smooth(rng.standard_normal((2, *shape)), clip.stamps, correlation_s)
    errors = sd * (np.sqrt(1.0 - white_share) * slow + np.sqrt(white_share) * rng.standard_normal(shape))
    turned = to_matrix(from_rotvec(errors))[:, _SEGMENT_OF_JOINT] @ global_matrices(fill_unseen(clip.rotations))
    noisy = _rebuilt(clip, turned)
    if view_direction is not None:
        return seen_from(noisy, view_direction)
    return replace(noisy, view_direction=np.full((len(clip), 3), np.nan, np.float32), views=views)


def _smooth(draws: Float64, stamps: Float64, correlation_s: float) -> Float64:
    """A stationary Matern-3/2 process of unit variance at stamps (T,) from independent draws (2, T, ...)."""
    result: Float64 = draws[0].copy()
    if correlation_s == 0.0:
        return result
    # the process and its slope (times correlation_s) as a linear system, discretised exactly
    gap = np.diff(stamps) / correlation_s
    steps = np.exp(-gap) * np.array([(1.0 + gap, gap), (-gap, 1.0 - gap)])
    steps = np.moveaxis(steps, -1, 0)
    # the tiny addition keeps a matrix of nearly equal frames positive
    spreads = np.linalg.cholesky((1.0 + 1e-15) * np.eye(2) - steps @ np.swapaxes(steps, -1, -2))
    state = draws[:, 0]
    for index, (step, spread) in enumerate(zip(steps, spreads, strict=True), start=1):
        state = np.tensordot(step, state, 1) + np.tensordot(spread, draws[:, index], 1)
        result[index] = state[0]
    return result


def _rebuilt(clip: MotionClip, world: Float64) -> MotionClip:
    """The clip's body with other world matrices (T, 22, 3, 3), what it rests on where it was."""
    bones = clip.bone_offsets.astype(np.float64)
    true_world = global_matrices(fill_unseen(clip.rotations))
    old_positions = positions_from_matrices(clip.positions[:, 0], true_world, bones)
    old_feet = feet_from_matrices(old_positions, true_world, bones)
    positions = positions_from_matrices(clip.positions[:, 0], world, bones)
    feet = feet_from_matrices(positions, world, bones)
    old = np.concatenate([old_positions, old_feet], axis=1)
    moved = old - np.concatenate([positions, feet], axis=1)
    weights = _rests(old)
    shift = (weights[..., None] * moved).sum(axis=1, keepdims=True) / weights.sum(axis=1)[:, None, None]
    return replace(
        clip,
        positions=np.where(np.isnan(clip.positions), np.nan, positions + shift),
        rotations=np.where(np.isnan(clip.rotations), np.nan, local_rotations(world)),
        feet=np.where(np.isnan(clip.feet), np.nan, feet + shift),
    )


def _rests(points: Float64) -> Float64:
    """How much each of 26 points (T, 26, 3) holds its body (T, 26): the foot landmarks of a standing one alike.

    Of a body that lies (the pelvis low) or leans on a hand all points count, the nearer to the floor the more.
    """
    heights = points[..., 2] - points[..., 2].min(axis=1, keepdims=True)
    lies = np.clip((_LYING_PELVIS[1] - heights[:, 0]) / np.ptp(_LYING_PELVIS), 0.0, 1.0)
    leans = np.clip((_HAND_DOWN[1] - heights[:, _WRISTS].min(axis=1)) / np.ptp(_HAND_DOWN), 0.0, 1.0)
    down = np.maximum(lies, leans)[:, None]
    standing = np.arange(points.shape[1]) >= len(_SEGMENT_OF_JOINT)
    return (1.0 - down) * standing + down * np.exp(-((heights / _NEAR_FLOOR) ** 2))


def _check(joint_angle_sd_deg: float, correlation_s: float, white_share: float, views: int | None) -> None:
    for name, value in (("joint_angle_sd_deg", joint_angle_sd_deg), ("correlation_s", correlation_s)):
        if not (isfinite(value) and value >= 0.0):
            raise ValueError(f"{name}={value} must be a finite number, 0 or more")
    if not 0.0 <= white_share <= 1.0:
        raise ValueError(f"white_share={white_share} must be a share of the variance, 0 to 1")
    if views is not None and views < 2:
        raise ValueError(f"views={views} and no view_direction; give the one camera's direction, or 2 or more views")
