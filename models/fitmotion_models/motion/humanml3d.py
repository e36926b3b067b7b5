"""The 263 features a frame of HumanML3D, both ways; for its metrics and data, never for generation.

Guo et al. 2022, "Generating Diverse and Natural 3D Human Motions from Text"; the definition is the code published with
the set (github.com/EricGuo5513/HumanML3D, motion_representation.ipynb), followed here in what it does, not only in what
it means: its facing direction pulls hips against shoulders, is smoothed over a second, and its two arms count their
rotations from the root. Two things differ. A turn past backwards keeps its sign in the frame in which the published
code loses it, and a bone exactly opposite to its rest direction has a rotation instead of NaN.
Axes are the set's own: y up, z ahead, x to the left, metres; rates are a frame's, at 20 frames a second.
"""

from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fitmotion_models.motion.features import FPS, FeatureLayout
from fitmotion_models.skeleton.body_pose import Float32, Source
from fitmotion_models.skeleton.fit import estimate_bone_offsets, fit_body
from fitmotion_models.skeleton.frames import y_up_to_z_up, z_up_to_y_up
from fitmotion_models.skeleton.joint_sets import FEET, SMPL22
from fitmotion_models.skeleton.kinematics import PARENTS, REST_OFFSETS, feet_from_pose, feet_offsets
from fitmotion_models.skeleton.motion_clip import MotionClip
from fitmotion_models.skeleton.rotations import Float64, conjugate, cross, multiply, rotate, to_matrix

_JOINTS = len(SMPL22)

HUMANML3D = FeatureLayout(
    yaw_velocity=(1,),
    root_velocity=(2,),
    root_height=(1,),
    positions=(_JOINTS - 1, 3),
    rotations=(_JOINTS - 1, 6),
    velocities=(_JOINTS, 3),
    contacts=(4,),
)
"""One frame: half of the turn about y to the next frame, radians; the root's step in x and z, metres, turned by the
next frame's heading; the root's height; the other joints from the root's place on the floor, heading removed; their
rotations by the set's inverse kinematics (6D: first two columns); every joint's step, turned by this frame's heading;
left ankle, left foot, right ankle, right foot: 1 where the squared step is below .002."""

HUMANML3D_FEATURES = HUMANML3D.size

CONTACT_SQUARED_STEP = 0.002
"""Square metres a frame; `feet_thre` of the published code."""

_CONTACT_JOINTS = [SMPL22.index(name) for name in ("left_ankle", "left_foot", "right_ankle", "right_foot")]
_LEFT_HIP, _RIGHT_HIP, _LEFT_SHOULDER, _RIGHT_SHOULDER = (
    SMPL22.index(name) for name in ("left_hip", "right_hip", "left_shoulder", "right_shoulder")
)

# `t2m_raw_offsets`: the way each joint's bone points at zero rotation
_REST_DIRECTIONS: Float64 = np.array(
    [(0, 0, 0), (1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, -1, 0), (0, 1, 0), (0, -1, 0), (0, -1, 0)]
    + [(0, 1, 0), (0, 0, 1), (0, 0, 1), (0, 1, 0), (1, 0, 0), (-1, 0, 0), (0, 0, 1)]
    + [(0, -1, 0)] * 6,
    dtype=np.float64,
)
# `t2m_kinematic_chain`: the first joint of every chain, the arms' too, counts its rotation from the root
_FIRST_OF_CHAIN = [SMPL22.index(name) for name in ("left_hip", "right_hip", "spine1", "left_collar", "right_collar")]

# standard deviation in frames and reach in standard deviations of the Gaussian over the facing direction
_FACING_SMOOTHING = (20.0, 4.0)

CANONICAL_BONE_LENGTHS: Float64 = np.linalg.norm(REST_OFFSETS, axis=-1)
"""(22,) metres of the canonical body."""

_PUBLISHED_LENGTHS: MappingProxyType[str, float] = MappingProxyType(
    {"left_hip": 0.1031, "right_hip": 0.1099, "spine1": 0.1316, "left_knee": 0.3936, "right_knee": 0.3902}
    | {"spine2": 0.1432, "left_ankle": 0.4324, "right_ankle": 0.4256, "spine3": 0.0574, "left_foot": 0.1434}
    | {"right_foot": 0.1494, "neck": 0.2194, "left_collar": 0.1375, "right_collar": 0.1434, "head": 0.1030}
    | {"left_shoulder": 0.1316, "right_shoulder": 0.1230, "left_elbow": 0.2568, "right_elbow": 0.2631}
    | {"left_wrist": 0.2660, "right_wrist": 0.2699}
)
HUMANML3D_BONE_LENGTHS: Float64 = np.array([_PUBLISHED_LENGTHS.get(name, 0.0) for name in SMPL22.joints])
"""(22,) metres of the body that every motion of the published set is put on, measured on its sample 012314: for figures
to be held against those of the set's own evaluator."""

# bones as near as this to the canonical ones are those, metres
_SAME_BONES_M = 1e-3


def to_humanml3d(clip: MotionClip, *, bone_lengths: ArrayLike = CANONICAL_BONE_LENGTHS) -> Float32:
    """Features (T - 1, 263) of a clip of T frames.

    bone_lengths: (22,) metres, the body on which the motion is put first, root scaled by the length of the legs, as the
    set does; the canonical body, or `HUMANML3D_BONE_LENGTHS`. The motion is moved to where its lowest joint is at
    height 0 and its first frame at the origin faces z. Raises ValueError for a clip that is not at 20 frames a second,
    is shorter than 2 frames or has unseen joints.
    """
    if abs(clip.fps - FPS) > 1e-3:
        raise ValueError(f"the clip has {clip.fps:g} frames a second, HumanML3D {FPS:g}; resample it first")
    if len(clip) < 2:
        raise ValueError(f"HumanML3D's features need 2 frames or more; the clip has {len(clip)}")
    if not np.isfinite(clip.positions).all():
        raise ValueError("the clip has unseen joints; HumanML3D's features need all of them")
    joints = _on_lengths(z_up_to_y_up(clip.positions), np.asarray(bone_lengths, dtype=np.float64))
    return _features(_placed(joints)).astype(np.float32)


def joints_from_humanml3d(features: ArrayLike) -> Float64:
    """Joints (T, 22, 3), metres, y up, of features (T, 263), from root and joint positions (`recover_from_ric`).

    The first frame is at the origin and faces z. Raises ValueError on another shape.
    """
    values = _checked(features)
    heading, root = _roots(values)
    around = values[:, HUMANML3D["positions"]].reshape(len(values), _JOINTS - 1, 3)
    others = rotate(conjugate(heading)[:, None], around)
    others[..., 0] += root[:, None, 0]
    others[..., 2] += root[:, None, 2]
    return np.concatenate([root[:, None], others], axis=1)


def from_humanml3d(
    features: ArrayLike, *, subject: str = "humanml3d", source: Source = Source.REPLAY, labels: tuple[str, ...] = ()
) -> MotionClip:
    """The clip of features (T, 263): joints as published, everything else as `clip_from_joints` has it.

    The set's own rotations are no joint's true ones and are not read. Raises ValueError on another shape and on values
    that are not finite.
    """
    return clip_from_joints(joints_from_humanml3d(features), subject=subject, source=source, labels=labels)


def clip_from_joints(
    joints: ArrayLike, *, subject: str = "humanml3d", source: Source = Source.REPLAY, labels: tuple[str, ...] = ()
) -> MotionClip:
    """The clip of the set's joints (T, 22, 3), metres, y up: rotations by the body fit, bones as they are measured.

    The set's floor is under the lowest joint, ours under the soles: the body is lifted by how high the ball of a flat
    foot is. Raises ValueError on another shape and on values that are not finite.
    """
    points = np.asarray(joints, dtype=np.float64)
    if points.ndim != 3 or points.shape[1:] != (_JOINTS, 3) or not len(points):
        raise ValueError(f"HumanML3D's joints have shape (T, {_JOINTS}, 3), T >= 1; got {points.shape}")
    if not np.isfinite(points).all():
        raise ValueError("HumanML3D's joints hold values that are not finite; some of the set's files do: skip it")
    points = y_up_to_z_up(points)
    frames = len(points)
    seen = np.ones((frames, _JOINTS))
    bones = estimate_bone_offsets(points, seen)
    if np.abs(bones - REST_OFFSETS).max() < _SAME_BONES_M:
        bones = np.array(REST_OFFSETS)
    points[..., 2] += _ball_height(bones)
    # heels and toes are no part of the set: the feet are turned by ankle and ball alone
    body = fit_body(points, seen, np.full((frames, len(FEET), 3), np.nan), np.zeros((frames, len(FEET))), bones)
    return MotionClip(
        fps=FPS,
        stamps=np.arange(frames) / FPS,
        positions=body.positions.astype(np.float32),
        rotations=body.rotations.astype(np.float32),
        confidence=seen.astype(np.float32),
        feet=feet_from_pose(body.positions, body.rotations, bones).astype(np.float32),
        feet_confidence=np.ones((frames, len(FEET)), np.float32),
        bone_offsets=bones.astype(np.float32),
        view_direction=np.full((frames, 3), np.nan, np.float32),
        views=0,
        subject=subject,
        source=source,
        labels=labels,
    )


def _checked(features: ArrayLike) -> Float64:
    values = np.asarray(features, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] != HUMANML3D.size or not len(values):
        raise ValueError(f"HumanML3D's features have shape (T, {HUMANML3D.size}), T >= 1; got {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError("HumanML3D's features hold values that are not finite; some of the set's files do: skip it")
    return values


def _ball_height(bones: Float64) -> float:
    """How high the foot joints of a body with these bones are over flat soles, metres."""
    toes = [FEET.index(f"{side}_toe") for side in ("left", "right")]
    return -float(feet_offsets(bones)[toes, 2].mean())


def _on_lengths(joints: Float64, lengths: Float64) -> Float64:
    """Joints (T, 22, 3) with every bone's direction kept and its length (22,) replaced; the root's way scaled.

    What the set's inverse and forward kinematics do together. The scale is that of thigh and shank, the longer side.
    """
    parents = list(PARENTS)
    bones = joints - joints[:, parents]
    bones[:, 0] = 0.0
    own = np.linalg.norm(bones, axis=-1)
    knees, ankles = ([SMPL22.index(f"{side}_{joint}") for side in ("left", "right")] for joint in ("knee", "ankle"))
    # the set measures the clip's legs in its first frame, on the right side
    scale = (lengths[knees[1]] + lengths[ankles[1]]) / (own[0, knees[1]] + own[0, ankles[1]])
    result = np.empty_like(joints)
    result[:, 0] = scale * joints[:, 0]
    for joint in range(1, _JOINTS):
        ratio = lengths[joint] / own[:, joint, None]
        result[:, joint] = result[:, parents[joint]] + ratio * bones[:, joint]
    return result


def _placed(joints: Float64) -> Float64:
    """Moved and turned: lowest joint at height 0, first root over the origin, first frame facing z."""
    joints = joints - np.array([joints[0, 0, 0], joints[..., 1].min(), joints[0, 0, 2]])
    first = joints[0]
    across = first[_RIGHT_HIP] - first[_LEFT_HIP] + first[_RIGHT_SHOULDER] - first[_LEFT_SHOULDER]
    return rotate(_turn_to_ahead(across[None]), joints)


def _turn_to_ahead(across: Float64) -> Float64:
    """Quaternions (T, 4) about y that turn who has these ways to the right (T, 3) to face z."""
    return _quaternion_between(_facing(across), np.broadcast_to((0.0, 0.0, 1.0), across.shape))


def _facing(across: Float64, smoothing: tuple[float, float] | None = None) -> Float64:
    """Level directions (T, 3) in which people face whose right is at `across`; unit before they are smoothed."""
    ahead = np.stack([across[:, 2], np.zeros(len(across)), -across[:, 0]], axis=-1)
    ahead /= np.maximum(np.linalg.norm(across, axis=-1, keepdims=True), 1e-12)
    if smoothing is not None:
        ahead = _gaussian(ahead, *smoothing)
    length = np.linalg.norm(ahead, axis=-1, keepdims=True)
    # whose right points straight up or down faces nowhere: as at rest
    return np.where(length > 1e-9, ahead / np.maximum(length, 1e-12), (0.0, 0.0, 1.0))


def _gaussian(values: Float64, sd_frames: float, reach: float) -> Float64:
    """(T, N) smoothed along the first axis; the ends are continued by their own value."""
    radius = int(reach * sd_frames + 0.5)
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sd_frames) ** 2)
    padded = np.pad(values, ((radius, radius), (0, 0)), mode="edge")
    columns = [np.convolve(padded[:, column], kernel / kernel.sum(), mode="valid") for column in range(values.shape[1])]
    return np.stack(columns, axis=-1)


def _quaternion_between(start: Float64, end: Float64) -> Float64:
    """The shortest turns (..., 4) xyzw from unit vectors to unit vectors (..., 3)."""
    vector = cross(start, end)
    scalar = 1.0 + np.sum(start * end, axis=-1, keepdims=True)
    # half a turn has no shortest way: about y where that is across, else about x
    about = np.where(np.abs(start[..., 1:2]) < 0.5, (0.0, 1.0, 0.0), (1.0, 0.0, 0.0))
    quaternion = np.concatenate([np.where(scalar < 1e-12, about, vector), np.where(scalar < 1e-12, 0.0, scalar)], -1)
    result: Float64 = quaternion / np.linalg.norm(quaternion, axis=-1, keepdims=True)
    return result


def _features(joints: Float64) -> Float64:
    """Features (T - 1, 263) of placed joints (T, 22, 3)."""
    # the published inverse kinematics takes right from left in its hips, left from right in its shoulders
    across = joints[:, _LEFT_HIP] - joints[:, _RIGHT_HIP] + joints[:, _RIGHT_SHOULDER] - joints[:, _LEFT_SHOULDER]
    ahead = _facing(across, _FACING_SMOOTHING)
    heading = _quaternion_between(ahead, np.broadcast_to((0.0, 0.0, 1.0), ahead.shape))
    heading[0] = (0.0, 0.0, 0.0, 1.0)
    steps = joints[1:] - joints[:-1]
    turned = multiply(heading[1:], conjugate(heading[:-1]))
    around = joints - joints[:, :1] * (1.0, 0.0, 1.0)
    values = np.empty((len(steps), HUMANML3D.size))
    values[:, HUMANML3D["yaw_velocity"]] = np.arcsin(np.where(turned[:, 3:] < 0.0, -1.0, 1.0) * turned[:, 1:2])
    values[:, HUMANML3D["root_velocity"]] = rotate(heading[1:], steps[:, 0])[:, [0, 2]]
    values[:, HUMANML3D["root_height"]] = joints[:-1, 0, 1:2]
    values[:, HUMANML3D["positions"]] = _flat(rotate(heading[:-1, None], around[:-1, 1:]))
    values[:, HUMANML3D["rotations"]] = _flat(_rotations(joints[:-1], heading[:-1]))
    values[:, HUMANML3D["velocities"]] = _flat(rotate(heading[:-1, None], steps))
    values[:, HUMANML3D["contacts"]] = _contacts(steps)
    return values


def _flat(array: Float64) -> Float64:
    return array.reshape(len(array), -1)


def _contacts(steps: Float64) -> NDArray[np.bool_]:
    moved: NDArray[np.float64] = (steps[:, _CONTACT_JOINTS] ** 2).sum(axis=-1)
    return moved < CONTACT_SQUARED_STEP


def _rotations(joints: Float64, heading: Float64) -> Float64:
    """(T, 21, 6): by the shortest turn from each bone's rest direction, counted from the joint before in its chain."""
    bones = (joints - joints[:, list(PARENTS)])[:, 1:]
    bones /= np.maximum(np.linalg.norm(bones, axis=-1, keepdims=True), 1e-12)
    in_world = np.empty((*joints.shape[:-1], 3, 3))
    in_world[:, 0] = to_matrix(heading)
    in_world[:, 1:] = to_matrix(_quaternion_between(np.broadcast_to(_REST_DIRECTIONS[1:], bones.shape), bones))
    before = [0 if joint in _FIRST_OF_CHAIN else PARENTS[joint] for joint in range(1, _JOINTS)]
    local = np.swapaxes(in_world[:, before], -1, -2) @ in_world[:, 1:]
    return np.concatenate([local[..., 0], local[..., 1]], axis=-1)


def _roots(values: Float64) -> tuple[Float64, Float64]:
    """Heading quaternions (T, 4), world to body, and root positions (T, 3), by adding up the rates."""
    halves = np.zeros(len(values))
    halves[1:] = np.cumsum(values[:-1, HUMANML3D["yaw_velocity"]][:, 0])
    heading = np.zeros((len(values), 4))
    heading[:, 1], heading[:, 3] = np.sin(halves), np.cos(halves)
    steps = np.zeros((len(values), 3))
    steps[1:, [0, 2]] = values[:-1, HUMANML3D["root_velocity"]]
    root = np.cumsum(rotate(conjugate(heading), steps), axis=0)
    root[:, 1] = values[:, HUMANML3D["root_height"]][:, 0]
    return heading, root
