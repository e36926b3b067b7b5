"""Where a chunk begins: what it jumps by dies away over its first frames (inertialisation, Bollo 2018)."""

import numpy as np

from fitmotion_models.motion.body_frames import ROW, BodyFrames, decode, rows_of
from fitmotion_models.motion.easing import to_rest
from fitmotion_models.skeleton.joint_sets import SMPL22
from fitmotion_models.skeleton.rotations import (
    Float64,
    conjugate,
    from_matrix,
    from_rotvec,
    multiply,
    to_matrix,
    to_rotvec,
)

_JOINTS = len(SMPL22)
# how far a joint's way may turn off within one frame of 1/20 s: what people do within a chunk reaches 6 m/s2 at the
# pelvis and 40 rad/s2 at a joint (95 % of the frames of HDM05's and CMU's recordings)
_PELVIS_M = 0.015
_JOINT_RAD = 0.10
_FRAMES = 8


def joined(frames: BodyFrames, last: Float64) -> None:
    """Let frames follow the two rows (2, ROW.size) played before them, in place.

    Expected is that pelvis and joints go on as they moved; what the first frame misses that by, beyond what people do
    from frame to frame, is added to it and dies away over the next ones.
    """
    root = last[:, ROW["positions"]][:, :3]
    missing = (2.0 * root[1] - root[0]) - frames.positions[0, 0]
    turns = last[:, ROW["rotations"]].reshape(2, _JOINTS, 4)
    expected = multiply(turns[1], multiply(conjugate(turns[0]), turns[1]))
    turned = to_rotvec(multiply(conjugate(from_matrix(frames.local[0])), expected))
    missing, turned = _beyond(missing, _PELVIS_M), _beyond(turned, _JOINT_RAD)
    count = min(_FRAMES, len(frames))
    share = np.concatenate([[1.0], to_rest(_FRAMES).place])[:count]
    jumps = turned.any(axis=-1)
    if jumps.any():
        way = to_matrix(from_rotvec(share[:, None, None] * turned[jumps]))
        frames.local[:count, jumps] = frames.local[:count, jumps] @ way
    if jumps.any() or missing.any():
        frames.positions[:count, 0] += share[:, None] * missing
        frames.follow()


def follow_on(last: Float64, rows: Float64) -> Float64:
    """Rows (N, ROW.size) changed to follow the two rows played before them: what a late chunk needs."""
    frames = decode(rows[:, ROW["features"]])
    joined(frames, last)
    return rows_of(frames)


def _beyond(vectors: Float64, allowed: float) -> Float64:
    """What of vectors (..., 3) is longer than allowed."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    result: Float64 = vectors * np.where(length > allowed, 1.0 - allowed / np.maximum(length, allowed), 0.0)
    return result
