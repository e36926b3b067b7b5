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
# frames over which a jump dies away: a small one soon, one of so many radians or metres and more over a whole chunk
_FRAMES = (8, 20)
_LARGE_RAD, _LARGE_M = 1.5, 0.5


def joined(frames: BodyFrames, last: Float64) -> None:
    """Let frames follow the two rows (2, ROW.size) played before them, in place.

    Expected is that pelvis and joints go on as they moved. Where the first frames miss that by more than people turn
    off from frame to frame, what they miss in place and speed is added to them and dies away.
    """
    count = len(frames)
    root = last[:, ROW["positions"]][:, :3]
    turns = last[:, ROW["rotations"]].reshape(2, _JOINTS, 4)
    step = multiply(conjugate(turns[0]), turns[1])
    ours = from_matrix(frames.local[: min(2, count)])
    missing = (2.0 * root[1] - root[0]) - frames.positions[0, 0]
    turned = to_rotvec(multiply(conjugate(ours[0]), multiply(turns[1], step)))
    slower = root[1] - root[0] - (frames.positions[1, 0] - frames.positions[0, 0]) if count > 1 else 0.0 * missing
    slower_turn = to_rotvec(step) - to_rotvec(multiply(conjugate(ours[0]), ours[-1]))
    moved, rotated = _share(missing, slower, _PELVIS_M), _share(turned, slower_turn, _JOINT_RAD)
    if not (moved.any() or rotated.any()):
        return
    length = _frames(float(np.linalg.norm(missing)), float(np.linalg.norm(turned, axis=-1).max()))
    place, speed = (
        np.concatenate([[first], part])[:count] for first, part in zip((1.0, 0.0), to_rest(length), strict=True)
    )
    count = len(place)
    jumps = rotated[:, 0] > 0.0
    way = place[:, None, None] * (rotated * turned)[jumps] + speed[:, None, None] * (rotated * slower_turn)[jumps]
    frames.local[:count, jumps] = frames.local[:count, jumps] @ to_matrix(from_rotvec(way))
    frames.positions[:count, 0] += place[:, None] * moved * missing + speed[:, None] * moved * slower
    frames.follow()


def _frames(metres: float, radians: float) -> int:
    size = min(max(metres / _LARGE_M, radians / _LARGE_RAD), 1.0)
    return round(_FRAMES[0] + size * (_FRAMES[1] - _FRAMES[0]))


def _share(missing: Float64, slower: Float64, allowed: float) -> Float64:
    """(..., 1) 0 where place and speed (..., 3) are off by no more than allowed, 1 where one is by twice as much."""
    length = np.maximum(np.linalg.norm(missing, axis=-1), np.linalg.norm(slower, axis=-1))[..., None]
    result: Float64 = np.clip(length / allowed - 1.0, 0.0, 1.0)
    return result


def follow_on(last: Float64, rows: Float64) -> Float64:
    """Rows (N, ROW.size) changed to follow the two rows played before them: what a late chunk needs."""
    frames = decode(rows[:, ROW["features"]])
    joined(frames, last)
    return rows_of(frames)
