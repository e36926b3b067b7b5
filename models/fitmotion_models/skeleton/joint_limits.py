"""How far joints turn: a fitted body whose knee would bend backwards is put back to where a knee can be.

A joint's local rotation is parted into a swing of its bone and a twist about it; the swing as a rotation vector across
the bone has one part that flexes and one that goes aside (Baerlocher and Boulic 2001). Each part is held in its range.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.skeleton.joint_sets import SMPL22
from fitmotion_models.skeleton.kinematics import PARENTS, REST_OFFSETS
from fitmotion_models.skeleton.rotations import Float64, cross, from_matrix, from_rotvec, to_matrix, to_rotvec

Range = tuple[float, float]

# Beyond the usual range of motion there are supple people and noise; degrees on either side of every range.
ROOM_DEG = 10.0
_ALL_AROUND: Range = (-180.0, 180.0)


@dataclass(frozen=True)
class JointLimit:
    """One joint. child: the joint at its bone's far end. axis: flexion, by the right-hand rule, in the rest frame.

    flexion, aside, twist: degrees from the rest pose (T-pose), least and most; aside is about bone x axis.
    """

    joint: str
    child: str
    axis: tuple[float, float, float]
    flexion: Range
    aside: Range = _ALL_AROUND
    twist: Range = _ALL_AROUND


_BACK, _TO_FRONT_LEFT, _TO_FRONT_RIGHT = (0.0, 1.0, 0.0), (0.0, 0.0, -1.0), (0.0, 0.0, 1.0)
# AAOS 1965, Joint Motion: Method of Measuring and Recording. Hip: 120 flexion, 30 extension, 45 abduction, 30
# adduction, 45 rotation either way; a bent one spreads further, to 70 of these coordinates in a deep squat. Knee: 135
# flexion, 10 hyperextension. Ankle: 20 dorsiflexion, 50 plantar flexion, 35 inversion, 20 eversion; loaded and with a
# bent knee the shank comes to 45 degrees over the foot (Bennell et al. 1998, weight-bearing lunge). Elbow: 150 flexion,
# 10 hyperextension. Neck: 45 either way. Spine: 80 flexion, 30 extension, 35 to the side in all, of which one of its
# three joints may here do 60 percent. Shoulders reach nearly everywhere and are left free.
LIMITS: tuple[JointLimit, ...] = (
    JointLimit("left_hip", "left_knee", _BACK, (-120.0, 30.0), (-30.0, 70.0), (-65.0, 65.0)),
    JointLimit("right_hip", "right_knee", _BACK, (-120.0, 30.0), (-70.0, 30.0), (-65.0, 65.0)),
    JointLimit("left_knee", "left_ankle", _BACK, (0.0, 150.0), (-5.0, 5.0), (-35.0, 35.0)),
    JointLimit("right_knee", "right_ankle", _BACK, (0.0, 150.0), (-5.0, 5.0), (-35.0, 35.0)),
    JointLimit("left_ankle", "left_foot", _BACK, (-45.0, 50.0), (-35.0, 35.0), (-35.0, 35.0)),
    JointLimit("right_ankle", "right_foot", _BACK, (-45.0, 50.0), (-35.0, 35.0), (-35.0, 35.0)),
    JointLimit("left_elbow", "left_wrist", _TO_FRONT_LEFT, (0.0, 150.0), (-5.0, 5.0)),
    JointLimit("right_elbow", "right_wrist", _TO_FRONT_RIGHT, (0.0, 150.0), (-5.0, 5.0)),
    JointLimit("neck", "head", _BACK, (-45.0, 60.0), (-45.0, 45.0)),
    *(
        JointLimit(f"spine{number}", child, _BACK, (-20.0, 48.0), (-25.0, 25.0))
        for number, child in ((1, "spine2"), (2, "spine3"), (3, "neck"))
    ),
)


@dataclass(frozen=True, eq=False)
class _Row:
    joint: int
    bone: Float64
    flex: Float64
    across: Float64
    low: Float64
    high: Float64


def _row(limit: JointLimit) -> _Row:
    """A limit as arrays: unit vectors along the bone, about which it flexes, and about which it goes aside; radians."""
    bone = REST_OFFSETS[SMPL22.index(limit.child)] / np.linalg.norm(REST_OFFSETS[SMPL22.index(limit.child)])
    axis = np.array(limit.axis)
    flex = axis - (axis @ bone) * bone
    flex /= np.linalg.norm(flex)
    ranges = np.radians([limit.flexion, limit.aside, limit.twist])
    room = np.radians(ROOM_DEG)
    return _Row(SMPL22.index(limit.joint), bone, flex, np.cross(bone, flex), ranges[:, 0] - room, ranges[:, 1] + room)


_ROWS = {row.joint: row for row in map(_row, LIMITS)}


def limited(world: Float64) -> tuple[Float64, NDArray[np.bool_]]:
    """World rotation matrices (..., 22, 3, 3) of a body whose joints are held in their ranges.

    From the root outward: a joint below one that was put back keeps its rotation in the world as far as it can. Returns
    them and which joints (..., 22) were put back.
    """
    result, held = world.copy(), np.zeros(world.shape[:-2], dtype=bool)
    for joint, row in sorted(_ROWS.items()):
        parent = result[..., PARENTS[joint], :, :]
        local = np.swapaxes(parent, -1, -2) @ result[..., joint, :, :]
        inside, back = _held(local, row)
        if back.any():
            held[..., joint] = back
            result[..., joint, :, :] = np.where(back[..., None, None], parent @ inside, result[..., joint, :, :])
    return result, held


def _held(local: Float64, row: _Row) -> tuple[Float64, NDArray[np.bool_]]:
    """A joint's rotations (..., 3, 3) within its ranges, and which (...) had to be changed."""
    direction = local @ row.bone
    axis = cross(np.broadcast_to(row.bone, direction.shape), direction)
    sine, cosine = np.linalg.norm(axis, axis=-1), direction @ row.bone
    angle = np.arctan2(sine, cosine)
    swing = axis * (angle / np.where(sine > 1e-9, sine, 1.0))[..., None]
    twist = to_rotvec(from_matrix(np.swapaxes(to_matrix(from_rotvec(swing)), -1, -2) @ local)) @ row.bone
    parts = np.stack([swing @ row.flex, swing @ row.across, twist], axis=-1)
    inside = np.clip(parts, row.low, row.high)
    back = (np.abs(inside - parts) > 1e-9).any(-1)
    swing = inside[..., :1] * row.flex + inside[..., 1:2] * row.across
    turned: Float64 = to_matrix(from_rotvec(swing)) @ to_matrix(from_rotvec(inside[..., 2:] * row.bone))
    return turned, back
