"""Trunk and arms of a body that holds a dowel overhead."""

import numpy as np

from fitmotion_models.mover.body import SIDES, Float64, about_x, about_y, joint
from fitmotion_models.mover.legs import SIDE_SIGN
from fitmotion_models.skeleton.rotations import between_vectors, to_matrix

SPINE = ("spine1", "spine2", "spine3", "neck")
# share of the trunk's turn that each joint has made. Chosen, not measured: a squat with a straight back, the hips make
# nine tenths of it. What is measured, neck - pelvis, does not depend on it: the turn is solved for the wanted lean.
TURN_SHARES = (0.90, 0.94, 0.98, 1.0)
# the head keeps looking ahead: share of the trunk's turn that neck and head keep
NECK_SHARES = (0.7, 0.3)
# how far the shoulders rise towards the ears with the arms overhead, radians; chosen for the looks of it
COLLAR_ELEVATION = np.radians(20.0)


def trunk_matrices(bones: Float64, lean: Float64, roll: Float64) -> Float64:
    """World matrices (..., 4, 3, 3) of pelvis, spine1, spine2, spine3.

    lean: (...) radians, the wanted angle of neck - pelvis against the vertical, forward positive. roll: (...) radians
    of the pelvis about the forward axis, left side up positive; the spine bends to bring the neck over the pelvis.
    """
    heights = bones[[joint(name) for name in SPINE], 2]
    slope = float(heights @ TURN_SHARES / heights.sum())
    turn = np.zeros_like(lean)
    for _ in range(5):  # Newton's steps with a derivative that hardly changes: the error falls a hundredfold a step
        turn = turn + (lean - _lean_after(bones, turn, roll)) / slope
    return _trunk(bones, turn, roll)[0]


def trunk_turn(matrices: Float64) -> Float64:
    """How far the thorax (..., 4, 3, 3) has turned forward from the rest pose, radians."""
    result: Float64 = np.arctan2(matrices[..., 3, 0, 2], np.hypot(matrices[..., 3, 1, 2], matrices[..., 3, 2, 2]))
    return result


def _lean_after(bones: Float64, turn: Float64, roll: Float64) -> Float64:
    line = _trunk(bones, turn, roll)[1]
    result: Float64 = np.arctan2(line[..., 0], line[..., 2])
    return result


def _trunk(bones: Float64, turn: Float64, roll: Float64) -> tuple[Float64, Float64]:
    """Matrices (..., 4, 3, 3) and the line from pelvis to neck (..., 3) after a turn and a roll (...)."""
    offsets = bones[[joint(name) for name in SPINE]]
    pitched = about_y(turn[..., None] * np.array(TURN_SHARES))
    lines = (pitched @ offsets[..., None])[..., 0]
    # sideways the pelvis' own stretch leans by -roll; the spine above it leans back by as much as brings the neck over
    above = lines[..., 1:, 2].sum(axis=-1)
    back = np.arcsin(np.clip(np.sin(roll) * lines[..., 0, 2] / above, -1.0, 1.0))
    sideways = np.stack([roll, -back, -back, -back], axis=-1)
    tilt = about_x(sideways)
    return tilt @ pitched, (tilt @ lines[..., None])[..., 0].sum(axis=-2)


def head_matrices(trunk: Float64) -> Float64:
    """World matrices (..., 2, 3, 3) of neck and head over a trunk (..., 4, 3, 3)."""
    return about_y(trunk_turn(trunk)[..., None] * np.array(NECK_SHARES))


def collar_matrices(trunk: Float64) -> Float64:
    """World matrices (..., 2, 3, 3) of the (left, right) collarbones, raised for arms overhead."""
    result: Float64 = trunk[..., 3:4, :, :] @ about_x(SIDE_SIGN * COLLAR_ELEVATION)
    return result


def arm_matrices(
    bones: Float64, collars: Float64, shoulders: Float64, drop: Float64, grip: float
) -> tuple[Float64, Float64]:
    """World matrices (..., 2, 3, 3) of (left, right) upper arms and forearms, elbows straight.

    collars: (..., 2, 3, 3). shoulders: (..., 2, 3) metres. drop: (...) radians, shoulders' middle to wrists' middle
    against the vertical, forward positive. grip: metres between the wrists. The turn about an arm is none of its own
    (the swing from the collarbone's frame): positions do not tell it. Raises ValueError when the arms are too short.
    """
    upper = bones[[joint(f"{side}_elbow") for side in SIDES]]
    fore = bones[[joint(f"{side}_wrist") for side in SIDES]]
    length = np.linalg.norm(upper, axis=-1) + np.linalg.norm(fore, axis=-1)
    middle = shoulders.mean(axis=-2, keepdims=True)
    sideways = (middle[..., 1] + SIDE_SIGN * 0.5 * grip - shoulders[..., 1]) / length
    if np.any(np.abs(sideways) > 0.95):
        raise ValueError(
            f"grip_width_m={grip:g} is too wide for arms of {length[0]:.2f} m; the shoulders are "
            f"{float(np.ptp(shoulders[..., 1], axis=-1).max()):.2f} m apart"
        )
    up = np.sqrt(1.0 - sideways**2)
    angle = np.asarray(drop)[..., None]
    direction = np.stack([up * np.sin(angle), sideways, up * np.cos(angle)], axis=-1)
    upper_matrices = _swing(collars, upper, direction)
    return upper_matrices, _swing(upper_matrices, fore, direction)


def _swing(parents: Float64, rest: Float64, direction: Float64) -> Float64:
    """The parents' matrices (..., 3, 3) turned by the shortest way that lays `rest` (..., 3) along `direction`."""
    own = (np.swapaxes(parents, -1, -2) @ direction[..., None])[..., 0]
    result: Float64 = parents @ to_matrix(between_vectors(rest, own))
    return result
