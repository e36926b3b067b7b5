"""A repetition as a sequence for the LSTM: 360 numbers a frame, free of size, heading and place.

The published scorer takes 360 numbers a frame; which ones is not stated. Ours: of each of 22 joints position, rotation
(6D), velocity and angular velocity; of four foot landmarks position and velocity; six angles and heights.
"""

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.fms.features import STANCE_SECONDS, clip_curves
from fitmotion_models.fms.moment import ANKLES, UP, body_from_pose, facing_of, mean_body
from fitmotion_models.fms.reading import leg_length
from fitmotion_models.fms.values import Side
from fitmotion_models.skeleton.motion_clip import MotionClip
from fitmotion_models.skeleton.rotations import to_matrix

FRAMES = 60  # two seconds at 30 Hz; a repetition is resampled to them
INPUTS = 360
_EXTRA = ("first_hip_flexion", "second_hip_flexion", "first_knee_flexion", "second_knee_flexion")


def frame_sequence(clip: MotionClip) -> NDArray[np.float32]:
    """(60, 360): lengths in leg lengths, times in seconds, directions those of the person in the stance."""
    bodies = [body_from_pose(pose) for pose in clip]
    stance = mean_body([body for body in bodies if body.stamp - bodies[0].stamp <= STANCE_SECONDS])
    facing = facing_of(stance)
    if facing is None:
        raise ValueError(f"{clip.labels[0]}: its first frames show no hips")
    axes = np.stack([facing, np.cross(UP, facing), UP], axis=1)
    points = np.stack([body.points for body in bodies])
    points = (points - stance.points[list(ANKLES)].mean(axis=0)) @ axes / leg_length(stance)
    matrices = to_matrix(clip.rotations.astype(np.float64))
    matrices[:, 0] = axes.T @ matrices[:, 0]
    sixes = matrices[..., :2].reshape(len(points), -1)
    found = clip_curves(clip, Side.LEFT)
    extra = found.values[:, [found.names.index(name) for name in (*_EXTRA, "trunk_lean", "pelvis_height")]]
    step = float(np.median(np.diff(clip.stamps)))
    moving = np.gradient(points.reshape(len(points), -1), step, axis=0)
    turning = _angular_velocity(matrices, step)
    columns = np.concatenate([points.reshape(len(points), -1), sixes, moving, turning, extra], axis=1)
    instants = np.linspace(0.0, len(columns) - 1.0, FRAMES)
    resampled = np.stack([np.interp(instants, np.arange(len(columns)), column) for column in columns.T], axis=1)
    return resampled.astype(np.float32)


def _angular_velocity(matrices: NDArray[np.float64], step: float) -> NDArray[np.float64]:
    """(T, 66) rad/s, each joint's in its parent's frame; the last one twice."""
    between = matrices[1:] @ np.swapaxes(matrices[:-1], -1, -2)
    skew = 0.5 * (between - np.swapaxes(between, -1, -2))
    vectors = np.stack([skew[..., 2, 1], skew[..., 0, 2], skew[..., 1, 0]], axis=-1).reshape(len(between), -1) / step
    return np.concatenate([vectors, vectors[-1:]])
