"""Changes of frame: y-up data to the world frame and back, and the mirror image of a body."""

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fitmotion_models.skeleton.body_pose import BodyPose, Float32
from fitmotion_models.skeleton.joint_sets import FEET_MIRROR, SMPL22
from fitmotion_models.skeleton.motion_clip import MotionClip

# y-up data (SMPL, AMASS bodies, HumanML3D, BVH) has x left, y up, z forward; ours x forward, y left, z up. Both are
# right-handed and one is the other with its axes renamed, so the change is a reordering and loses no bit.
_Z_UP_FROM_Y_UP = [2, 0, 1]
_Y_UP_FROM_Z_UP = [1, 2, 0]

_JOINTS = list(SMPL22.mirror)
_FEET = list(FEET_MIRROR)
# the reflection y -> -y: of vectors, and of rotations (an axis of rotation is a pseudovector: what lies across flips)
_VECTOR_SIGNS: Float32 = np.array([1.0, -1.0, 1.0], dtype=np.float32)
_QUATERNION_SIGNS: Float32 = np.array([-1.0, 1.0, -1.0, 1.0], dtype=np.float32)


def y_up_to_z_up(vectors: ArrayLike) -> NDArray[np.float64]:
    """Vectors (..., 3) from axes x left, y up, z forward to x forward, y left, z up."""
    return np.asarray(vectors, dtype=np.float64)[..., _Z_UP_FROM_Y_UP]


def z_up_to_y_up(vectors: ArrayLike) -> NDArray[np.float64]:
    """Vectors (..., 3) from axes x forward, y left, z up to x left, y up, z forward."""
    return np.asarray(vectors, dtype=np.float64)[..., _Y_UP_FROM_Z_UP]


def rotations_y_up_to_z_up(quaternions: ArrayLike) -> NDArray[np.float64]:
    """The same rotations (..., 4) xyzw, said in our axes instead of y-up ones: valid for local and world rotations."""
    return np.asarray(quaternions, dtype=np.float64)[..., [*_Z_UP_FROM_Y_UP, 3]]


def rotations_z_up_to_y_up(quaternions: ArrayLike) -> NDArray[np.float64]:
    """The inverse of `rotations_y_up_to_z_up`."""
    return np.asarray(quaternions, dtype=np.float64)[..., [*_Y_UP_FROM_Z_UP, 3]]


def _mirrored(body: BodyPose | MotionClip) -> dict[str, Float32]:
    return {
        "positions": body.positions[..., _JOINTS, :] * _VECTOR_SIGNS,
        "rotations": body.rotations[..., _JOINTS, :] * _QUATERNION_SIGNS,
        "confidence": body.confidence[..., _JOINTS],
        "feet": body.feet[..., _FEET, :] * _VECTOR_SIGNS,
        "feet_confidence": body.feet_confidence[..., _FEET],
        "bone_offsets": body.bone_offsets[..., _JOINTS, :] * _VECTOR_SIGNS,
        "view_direction": body.view_direction * _VECTOR_SIGNS,
    }


def mirror_pose(pose: BodyPose) -> BodyPose:
    """The mirror image in the world's x-z plane: sides exchanged, y negated. Twice is the identity, bit for bit."""
    return replace(pose, **_mirrored(pose))  # type: ignore[arg-type]


def mirror_clip(clip: MotionClip) -> MotionClip:
    """As `mirror_pose`, for every frame; labels are kept as they are, also where they name a side."""
    return replace(clip, **_mirrored(clip))  # type: ignore[arg-type]
