"""The mover's body: bones of a wanted size and where its mass is."""

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.skeleton.joint_sets import SMPL22
from fitmotion_models.skeleton.kinematics import REST_OFFSETS

Float64 = NDArray[np.float64]
SIDES = ("left", "right")

# Winter 2009, Biomechanics and Motor Control of Human Movement, table 4.1: segment, from, to, share of the body's mass,
# place of its centre as a share of the way. "mid" is the middle of the left and the right joint.
SEGMENT_MASSES: tuple[tuple[str, str, float, float], ...] = (
    ("mid_hip", "mid_shoulder", 0.578, 0.66),  # trunk, head and neck
    ("shoulder", "elbow", 0.028, 0.436),
    ("elbow", "wrist", 0.022, 0.682),  # forearm and hand
    ("hip", "knee", 0.100, 0.433),
    ("knee", "ankle", 0.0465, 0.433),
    ("ankle", "foot", 0.0145, 0.500),
)


def bone_offsets(scale: float) -> Float64:
    """(22, 3) metres: the mean body's bones times `scale`."""
    return REST_OFFSETS * scale


def joint(name: str) -> int:
    """Index of a joint of SMPL-22."""
    return SMPL22.index(name)


def center_of_mass(positions: Float64) -> Float64:
    """Centre of mass (..., 3), metres, of joint positions (..., 22, 3); segments and masses after Winter."""
    total = np.zeros((*positions.shape[:-2], 3))
    for start, end, mass, place in SEGMENT_MASSES:
        if start.startswith("mid_"):
            total += mass * _along(_middle(positions, start), _middle(positions, end), place)
        else:
            for side in SIDES:
                first, second = (positions[..., joint(f"{side}_{name}"), :] for name in (start, end))
                total += mass * _along(first, second, place)
    return total


def _middle(positions: Float64, name: str) -> Float64:
    pair = [joint(name.replace("mid", side)) for side in SIDES]
    result: Float64 = positions[..., pair, :].mean(axis=-2)
    return result


def _along(start: Float64, end: Float64, share: float) -> Float64:
    return start + share * (end - start)


def about_x(angle: Float64) -> Float64:
    """Rotation matrices (..., 3, 3) about the forward axis by angles (...) in radians."""
    return _about(angle, 1, 2)


def about_y(angle: Float64) -> Float64:
    """Rotation matrices (..., 3, 3) about the left axis by angles (...) in radians; positive leans forward."""
    return _about(angle, 2, 0)


def about_z(angle: Float64) -> Float64:
    """Rotation matrices (..., 3, 3) about the vertical by angles (...) in radians; positive turns left."""
    return _about(angle, 0, 1)


def _about(angle: Float64, first: int, second: int) -> Float64:
    """A turn that takes the axis `first` towards the axis `second`."""
    angles = np.asarray(angle, dtype=np.float64)
    matrix = np.zeros((*angles.shape, 3, 3))
    third = 3 - first - second
    matrix[..., third, third] = 1.0
    matrix[..., first, first] = matrix[..., second, second] = np.cos(angles)
    matrix[..., second, first] = np.sin(angles)
    matrix[..., first, second] = -np.sin(angles)
    return matrix
