"""Ways and keyframes as what the network is given: values that frames of a chunk must take, and where they bind."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.motion.condition import Keyframe, MotionCondition, RootPath
from fitmotion_models.motion.easing import to_rest
from fitmotion_models.motion.features import FPS, LAYOUT, Anchor, anchored, features_of
from fitmotion_models.skeleton.body_pose import Float32
from fitmotion_models.skeleton.joint_sets import SMPL22
from fitmotion_models.skeleton.kinematics import REST_OFFSETS, feet_from_pose, forward_kinematics
from fitmotion_models.skeleton.motion_clip import MotionClip, clip_from_poses
from fitmotion_models.skeleton.rotations import Float64

CHUNK_FRAMES = 20
# metres a second that a body is brought nearer to a path which begins elsewhere; a stroll
_APPROACH_SPEED = 0.5
_SHORTEST_APPROACH_S = 1.0
_FRAME_S = 1.0 / FPS
_FACING_M = 0.05  # a step of the path so long tells which way it goes
_LEGS = [SMPL22.index(f"{side}_{joint}") for side in ("left", "right") for joint in ("knee", "ankle")]


class Targets(NamedTuple):
    """target: (20, 204) values, anchored, 0 where free. mask: (20, 204) 1 where a frame must take them."""

    target: Float32
    mask: Float32


def no_targets() -> Targets:
    """A chunk that is free."""
    return Targets(np.zeros((CHUNK_FRAMES, LAYOUT.size), np.float32), np.zeros((CHUNK_FRAMES, LAYOUT.size), np.float32))


def end_of(condition: MotionCondition) -> float | None:
    """Seconds after which the last point of path or keyframes is passed; None where there are none."""
    ends = [frame.stamp for frame in condition.keyframes]
    if condition.path is not None:
        ends.append(float(condition.path.stamps[-1]))
    return max(ends) if ends else None


def path_start(condition: MotionCondition) -> Anchor:
    """Where a motion that nothing comes before begins, facing along its path.

    That is on the path's first point, if that is for the motion's beginning, else over the origin.
    """
    path = condition.path
    if path is None:
        return Anchor(0.0, 0.0, 1.0, 0.0)
    start = path.positions[0, :2] if path.stamps[0] < _FRAME_S else np.zeros(2)
    way = path.positions[:, :2] - start
    far = np.flatnonzero(np.linalg.norm(way, axis=-1) > _FACING_M)
    along = way[far[0]] / np.linalg.norm(way[far[0]]) if len(far) else (1.0, 0.0)
    return Anchor(float(start[0]), float(start[1]), float(along[0]), float(along[1]))


class RootTargets:
    """What a condition's path and keyframes ask of every chunk of its motion.

    A path whose first point is for later begins where the body is. A body that is elsewhere, or moves otherwise, when
    its path begins is led to it: what lies between them dies away over a second, or longer where it is far.
    """

    def __init__(self, condition: MotionCondition, place: Float64, speed: Float64 | None = None) -> None:
        """place: (2,) metres where the body is the frame before the motion. speed: (2,) m/s that it moves at.

        speed None: nothing was before, and the motion begins as its path does.
        """
        self._path = None if condition.path is None else _from_here(condition.path, place)
        self._keyframes = [(round(frame.stamp * FPS), *_bound(frame)) for frame in condition.keyframes]
        self._offset = np.zeros((0, 2))
        if self._path is not None and speed is not None:
            self._offset = _approach(self._path, place, speed)

    def chunk(self, first: int, anchor: Anchor) -> Targets:
        """What is asked of 20 frames; `first` is the number of the first one since the motion's start."""
        if self._path is None and not self._keyframes:
            return no_targets()
        values = np.zeros((CHUNK_FRAMES, LAYOUT.size))
        mask = np.zeros((CHUNK_FRAMES, LAYOUT.size), np.float32)
        if self._path is not None:
            self._bind_path(values, mask, first)
        for number, frame, bound in self._keyframes:
            if 0 <= number - first < CHUNK_FRAMES:
                values[number - first, bound] = frame[bound]
                mask[number - first, bound] = 1.0
        target = anchored(values, anchor) * mask
        return Targets(target, mask)

    def _bind_path(self, values: Float64, mask: Float32, first: int) -> None:
        assert self._path is not None
        frames = first + np.arange(CHUNK_FRAMES)
        way = self._path.at(frames / FPS)
        given = np.isfinite(way).all(axis=-1)
        led = given & (frames < len(self._offset))
        way[led, :2] += self._offset[frames[led]]
        columns = slice(LAYOUT["root_position"].start, LAYOUT["root_position"].start + way.shape[1])
        values[given, columns] = way[given]
        mask[given, columns] = 1.0


def _from_here(path: RootPath, place: Float64) -> RootPath:
    if path.stamps[0] < _FRAME_S:
        return path
    first = np.array(path.positions[:1])
    first[0, :2] = place
    return RootPath(np.concatenate([[0.0], path.stamps]), np.concatenate([first, path.positions]))


def _approach(path: RootPath, place: Float64, speed: Float64) -> Float64:
    """(N, 2) metres from the path to where the body shall be, by frame."""
    here, later = path.positions[[0, min(1, len(path.stamps) - 1)], :2]
    velocity = (later - here) / (path.stamps[1] - path.stamps[0]) if len(path.stamps) > 1 else np.zeros(2)
    away = np.asarray(place) - (here - velocity / FPS)
    seconds = max(_SHORTEST_APPROACH_S, float(np.linalg.norm(away)) / _APPROACH_SPEED)
    rest = to_rest(round(seconds * FPS))
    result: Float64 = rest.place[:, None] * away + rest.speed[:, None] * (np.asarray(speed) - velocity) / FPS
    return result


def _bound(keyframe: Keyframe) -> tuple[Float32, NDArray[np.bool_]]:
    """The features (204,) of a keyframe's body on the canonical bones, and which of them bind."""
    assert keyframe.joint_mask is not None
    joints = keyframe.joint_mask
    frame = features_of(_canonical(keyframe))[0]
    bound = np.zeros(LAYOUT.size, bool)
    bound[LAYOUT["rotations"]] = np.repeat(joints, 6)
    bound[LAYOUT["positions"]] = np.repeat(joints[1:], 3)
    bound[LAYOUT["root_position"]] = bound[LAYOUT["heading"]] = joints[0]
    return frame, bound


def _canonical(keyframe: Keyframe) -> MotionClip:
    """The keyframe's posture on the canonical bones, its pelvis as high as these legs are long."""
    pose = keyframe.pose
    rotations = np.where(np.isfinite(pose.rotations), pose.rotations, (0.0, 0.0, 0.0, 1.0))
    root = np.where(np.isfinite(pose.positions[0]), pose.positions[0], 0.0).astype(np.float64)
    own, ours = (np.linalg.norm(bones[_LEGS], axis=-1).sum() for bones in (pose.bone_offsets, REST_OFFSETS))
    root[2] *= ours / own
    positions = forward_kinematics(root, rotations, REST_OFFSETS)
    body = replace(
        pose,
        positions=positions.astype(np.float32),
        rotations=rotations.astype(np.float32),
        feet=feet_from_pose(positions, rotations, REST_OFFSETS).astype(np.float32),
        bone_offsets=REST_OFFSETS.astype(np.float32),
    )
    return clip_from_poses([body], FPS)
