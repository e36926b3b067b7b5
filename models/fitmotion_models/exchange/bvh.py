"""MotionClip to BVH and back.

A file that `write_bvh` makes: the joints of SMPL-22 by their names, each with an OFFSET that is the person's bone; y
up, z forward, x left, as programs that open BVH expect; centimetres unless metres are asked for (the format cannot say
which); rotations in the order Zrotation Xrotation Yrotation. The root's OFFSET is 0, its position is all in its
channels. End sites are the toes' tips, the hands' tips and the top of the head. Heels follow from the bones.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np

from fitmotion_models.exchange.bvh_files import BvhJoint, BvhMotion, bvh_text, read_bvh
from fitmotion_models.skeleton.body_pose import Source
from fitmotion_models.skeleton.frames import (
    rotations_y_up_to_z_up,
    rotations_z_up_to_y_up,
    y_up_to_z_up,
    z_up_to_y_up,
)
from fitmotion_models.skeleton.joint_sets import FEET, SMPL22
from fitmotion_models.skeleton.kinematics import (
    PARENTS,
    REST_OFFSETS,
    REST_STATURE,
    feet_from_pose,
    feet_offsets,
    fill_unseen,
    forward_kinematics,
    rest_height,
)
from fitmotion_models.skeleton.motion_clip import MotionClip
from fitmotion_models.skeleton.rotations import Float64, normalize, slerp, to_matrix

__all__ = ["UNITS", "BvhMotion", "clip_from_bvh", "read_bvh", "write_bvh"]

UNITS: Mapping[str, float] = MappingProxyType({"cm": 0.01, "m": 1.0})
"""Units of length a BVH file can be written in, in metres."""

_ORDER = ("Zrotation", "Xrotation", "Yrotation")
_POSITION = ("Xposition", "Yposition", "Zposition")
# Winter 2009 (Biomechanics and Motor Control of Human Movement, table 4.1): the hand's share of the stature
_HAND_LENGTH = 0.108 * REST_STATURE
# a person's thigh in metres lies between these; in centimetres a hundred times higher
_THIGH_RANGE_M = (0.15, 0.80)
# a frame that is further from its place on an even time axis than this share of a frame makes the clip uneven
_UNEVEN = 0.05
# cosine of x below which z and y are told apart by rounding only
_LOCKED = 1e-7


def write_bvh(path: str | Path, clip: MotionClip, *, unit: str = "cm", overwrite: bool = False) -> Path:
    """Write a clip as BVH; returns the path. Written beside and moved into place: no half file is ever seen.

    unit: "cm" or "m". What BVH cannot hold is left out: confidence, feet that were seen elsewhere than the rotations
    have them, the time of the first frame. Uneven stamps are resampled to the clip's fps, an unseen rotation is none,
    an unseen pelvis is put on the straight line between where it was seen.
    Raises ValueError when the name does not end in .bvh, the unit is another or the clip has no frame with a pelvis,
    FileExistsError when the file is there and overwrite is False, OSError when it cannot be written.
    """
    target = Path(path)
    if target.suffix.lower() != ".bvh":
        raise ValueError(f"BVH file {target} must be named *.bvh")
    if unit not in UNITS:
        raise ValueError(f"unit of a BVH file is {unit!r}; allowed: {', '.join(UNITS)}")
    if target.exists() and not overwrite:
        raise FileExistsError(f"BVH file {target} exists; choose another name or ask to overwrite it")
    content = bvh_text(_motion(clip, UNITS[unit]))
    partial = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        partial.write_text(content, encoding="ascii")
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return target


def clip_from_bvh(
    motion: BvhMotion,
    *,
    unit: str | None = None,
    subject: str = "",
    source: Source = Source.REPLAY,
    labels: tuple[str, ...] = (),
) -> MotionClip:
    """A clip of a BVH file whose joints are those of SMPL-22 by name and tree, y up (as `write_bvh` writes).

    unit: "cm" or "m"; None tells it from the length of the thigh. subject: empty takes the file's name. The world is
    the file's with its axes renamed, stamps start at 0. Raises ValueError for another skeleton (recordings of other
    skeletons have readers in `datasets`), another unit, and bones of no person's length where the unit is not given.
    """
    order = _smpl_order(motion)
    metres = _metres(motion, order, unit)
    translations, rotations = motion.local_pose()
    local = rotations_y_up_to_z_up(rotations[:, order])
    bones = y_up_to_z_up([motion.joints[index].offset for index in order]) * metres
    bones[0] = 0.0
    root = y_up_to_z_up(translations[:, order[0]]) * metres
    positions = forward_kinematics(root, local, bones)
    frames = len(motion)
    return MotionClip(
        fps=motion.fps,
        stamps=np.arange(frames) / motion.fps,
        positions=positions.astype(np.float32),
        rotations=local.astype(np.float32),
        confidence=np.ones((frames, len(SMPL22)), np.float32),
        feet=feet_from_pose(positions, local, bones).astype(np.float32),
        feet_confidence=np.ones((frames, len(FEET)), np.float32),
        bone_offsets=bones.astype(np.float32),
        view_direction=np.full((frames, 3), np.nan, np.float32),
        views=0,
        subject=subject or Path(motion.source).stem,
        source=source,
        labels=labels,
    )


def _motion(clip: MotionClip, metres: float) -> BvhMotion:
    root, rotations = _even(clip)
    order = _depth_first()
    bones = z_up_to_y_up(clip.bone_offsets) / metres
    ends = {joint: z_up_to_y_up(end) / metres for joint, end in _end_sites(clip.bone_offsets).items()}
    joints = tuple(
        BvhJoint(
            SMPL22.joints[joint],
            order.index(PARENTS[joint]) if PARENTS[joint] >= 0 else -1,
            np.zeros(3) if PARENTS[joint] < 0 else bones[joint],
            _ORDER if PARENTS[joint] >= 0 else (*_POSITION, *_ORDER),
            ends.get(joint),
        )
        for joint in order
    )
    angles = np.degrees(euler_zxy(to_matrix(rotations_z_up_to_y_up(rotations))))[:, order]
    table = np.concatenate([z_up_to_y_up(root) / metres, angles.reshape(len(angles), -1)], axis=1)
    return BvhMotion(joints, 1.0 / clip.fps, table)


def _depth_first() -> list[int]:
    """SMPL's joints in the order in which a tree is written."""
    order: list[int] = []

    def add(joint: int) -> None:
        order.append(joint)
        for child, parent in enumerate(PARENTS):
            if parent == joint:
                add(child)

    add(0)
    return order


def _end_sites(bone_offsets: np.ndarray) -> dict[int, Float64]:
    """Joint to the end of its last bone in the joint's frame (3,), metres, z up."""
    bones = np.asarray(bone_offsets, dtype=np.float64)
    scale = rest_height(bones) / rest_height(REST_OFFSETS)
    feet = feet_offsets(bones)
    head, rest = SMPL22.index("head"), REST_OFFSETS
    chain = [head]
    while PARENTS[chain[-1]] > 0:
        chain.append(PARENTS[chain[-1]])
    over_head = REST_STATURE - rest_height(rest) - float(rest[chain, 2].sum())
    ends = {head: np.array([0.0, 0.0, over_head * scale])}
    for side, sign in (("left", 1.0), ("right", -1.0)):
        ends[SMPL22.index(f"{side}_foot")] = feet[FEET.index(f"{side}_toe")]
        ends[SMPL22.index(f"{side}_wrist")] = np.array([0.0, sign * _HAND_LENGTH * scale, 0.0])
    return ends


def _even(clip: MotionClip) -> tuple[Float64, Float64]:
    """Pelvis (N, 3) and local rotations (N, 22, 4) on an even time axis, all of them known."""
    root = clip.positions[:, 0].astype(np.float64)
    known = np.isfinite(root).all(axis=-1)
    if not known.any():
        raise ValueError("a clip without a frame in which the pelvis is seen cannot be written as BVH")
    times = clip.stamps - clip.stamps[0]
    rotations = normalize(fill_unseen(clip.rotations))
    even = np.arange(round(times[-1] * clip.fps) + 1) / clip.fps
    if len(even) == len(times) and np.abs(even - times).max() * clip.fps < _UNEVEN:
        even = times
    root = np.stack([np.interp(even, times[known], root[known, axis]) for axis in range(3)], axis=-1)
    if even is times:
        return root, rotations
    after = np.clip(np.searchsorted(times, even), 1, len(times) - 1)
    share = np.clip((even - times[after - 1]) / (times[after] - times[after - 1]), 0.0, 1.0)
    return root, slerp(rotations[after - 1], rotations[after], share[:, None])


def euler_zxy(matrices: Float64) -> Float64:
    """Angles z, x, y (T, ..., 3), radians, of matrices (T, ..., 3, 3) that are Rz Rx Ry.

    Of all angles that say the same rotation those that go on best from the frame before: programs that interpolate
    angles do not spin. Where x is a quarter turn only the sum of z and y is known; y is then 0.
    """
    m = matrices
    cosine = np.hypot(m[..., 2, 0], m[..., 2, 2])
    locked = cosine < _LOCKED
    x = np.arctan2(m[..., 2, 1], cosine)
    y = np.where(locked, 0.0, np.arctan2(-m[..., 2, 0], m[..., 2, 2]))
    z = np.where(locked, np.arctan2(m[..., 1, 0], m[..., 0, 0]), np.arctan2(-m[..., 0, 1], m[..., 1, 1]))
    first = np.stack([z, x, y], axis=-1)
    second = np.stack([z + np.pi, np.pi - x, y + np.pi], axis=-1)
    result = first.copy()
    for frame in range(1, len(result)):
        near = [_nearest(angles[frame], result[frame - 1]) for angles in (first, second)]
        away = [np.abs(angles - result[frame - 1]).sum(axis=-1) for angles in near]
        result[frame] = np.where((away[0] <= away[1])[..., None], near[0], near[1])
    return result


def _nearest(angles: Float64, before: Float64) -> Float64:
    """The same angles, each moved by whole turns to within half a turn of `before`."""
    result: Float64 = angles - 2.0 * np.pi * np.round((angles - before) / (2.0 * np.pi))
    return result


def _smpl_order(motion: BvhMotion) -> list[int]:
    """For each joint of SMPL-22 its index in the file."""
    missing = [name for name in SMPL22.joints if name not in motion.names]
    if missing:
        raise ValueError(
            f"BVH file {motion.source} has another skeleton: it lacks {', '.join(missing[:4])}"
            f"{' and more' if len(missing) > 4 else ''}; a clip can be made of files with the joints of SMPL-22, "
            "recordings of other skeletons need a reader of their own in datasets"
        )
    order = [motion.names.index(name) for name in SMPL22.joints]
    for joint, parent in enumerate(PARENTS):
        expected = -1 if parent < 0 else order[parent]
        if motion.joints[order[joint]].parent != expected:
            above = "the root" if parent < 0 else f"below {SMPL22.joints[parent]}"
            raise ValueError(f"BVH file {motion.source}: {SMPL22.joints[joint]} is not {above}, as SMPL-22 has it")
    return order


def _metres(motion: BvhMotion, order: list[int], unit: str | None) -> float:
    if unit is not None:
        if unit not in UNITS:
            raise ValueError(f"unit of a BVH file is {unit!r}; allowed: {', '.join(UNITS)}")
        return UNITS[unit]
    thigh = float(np.linalg.norm(motion.joints[order[SMPL22.index("left_knee")]].offset))
    for metres in UNITS.values():
        if _THIGH_RANGE_M[0] <= thigh * metres <= _THIGH_RANGE_M[1]:
            return metres
    raise ValueError(
        f"BVH file {motion.source}: its thigh of {thigh:g} is no person's in {' or '.join(UNITS)}; name the unit"
    )
