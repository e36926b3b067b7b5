"""Limbs of two bones: where the joint between is, and how a bone is laid along a direction."""

import numpy as np

from fitmotion_models.mover.body import Float64
from fitmotion_models.skeleton.rotations import between_vectors, cross, normalize, to_matrix


def middle_joints(starts: Float64, ends: Float64, first: Float64, second: Float64, poles: Float64) -> Float64:
    """Elbows or knees (..., 2, 3), metres, between the limbs' starts and ends (..., 2, 3), on the poles' side.

    first, second: (2,) lengths of the two bones, metres. poles: (..., 2, 3). A limb that is too short is stretched.
    """
    line = ends - starts
    distance = np.linalg.norm(line, axis=-1)
    axis = line / distance[..., None]
    along = (first**2 - second**2 + distance**2) / (2.0 * distance)
    radius = np.sqrt(np.maximum(first**2 - along**2, 0.0))
    across = normalize(cross(cross(axis, np.broadcast_to(poles, axis.shape)), axis))
    result: Float64 = starts + along[..., None] * axis + radius[..., None] * across
    return result


def swing(parents: Float64, rest: Float64, direction: Float64) -> Float64:
    """The parents' matrices (..., 3, 3) turned by the shortest way that lays `rest` (..., 3) along `direction`."""
    own = (np.swapaxes(parents, -1, -2) @ direction[..., None])[..., 0]
    result: Float64 = parents @ to_matrix(between_vectors(np.broadcast_to(rest, own.shape), own))
    return result


def reach(first: float, second: float, flexion: Float64 | float) -> Float64:
    """From the limb's start to its end, metres, when the joint between is bent by `flexion` radians; 0 is straight."""
    result: Float64 = np.sqrt(first**2 + second**2 + 2.0 * first * second * np.cos(flexion))
    return result
