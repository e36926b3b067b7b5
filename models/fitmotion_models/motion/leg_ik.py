"""Legs bent until their ankles are where they shall be: two bones each, feet and knees facing as they did."""

import numpy as np

from fitmotion_models.motion.body_frames import BodyFrames
from fitmotion_models.skeleton.joint_sets import FEET, SMPL22
from fitmotion_models.skeleton.kinematics import REST_FEET_OFFSETS, REST_OFFSETS
from fitmotion_models.skeleton.rotations import Float64, cross

_SIDES = ("left", "right")
HIPS, KNEES, ANKLES, BALLS = (
    [SMPL22.index(f"{side}_{joint}") for side in _SIDES] for joint in ("hip", "knee", "ankle", "foot")
)
HEELS, TOES = ([FEET.index(f"{side}_{point}") for side in _SIDES] for point in ("heel", "toe"))

_THIGH = np.linalg.norm(REST_OFFSETS[KNEES], axis=-1)
_SHANK = np.linalg.norm(REST_OFFSETS[ANKLES], axis=-1)
# a leg is never stretched wholly: its knee would snap
_STRAIGHTEST = 0.999
_SHORTEST = 0.15  # metres from hip to ankle: a heel at the buttock
LEG_REACH: Float64 = _STRAIGHTEST * (_THIGH + _SHANK)
"""(2,) the longest way from a hip to its ankle, metres."""
# a knee that hardly bends points where its thigh does; metres, far below a bent knee's 0.3
_FORWARD_BIAS = 0.02
_OPPOSITE = 1e-9


def reach_ankles(frames: BodyFrames, ankles: Float64, feet: Float64 | None = None) -> None:
    """Bend both legs of all frames so that the ankles are at `ankles` (T, 2, 3), metres, world; in place.

    feet: (T, 2, 3, 3) the feet's rotations in the world; None: as they are. An ankle that is out of reach comes as near
    as the leg is long.
    """
    hips, old_knees, old_ankles = (frames.positions[:, part] for part in (HIPS, KNEES, ANKLES))
    thighs, shanks = frames.world[:, HIPS], frames.world[:, KNEES]
    soles = frames.world[:, ANKLES] if feet is None else feet
    line = ankles - hips
    wanted = _length(line)
    distance = np.clip(wanted, _SHORTEST, LEG_REACH)
    axis = line / wanted[..., None]
    # what was across the old line is across the new one, turned by the shortest way
    old_line = old_ankles - hips
    bend = (old_knees - hips) + _FORWARD_BIAS * thighs[..., 0]
    bend = (_turns(old_line, line) @ bend[..., None])[..., 0]
    across = bend - (bend * axis).sum(-1, keepdims=True) * axis
    across /= _length(across)[..., None]
    along = (_THIGH**2 - _SHANK**2 + distance**2) / (2.0 * distance)
    out = np.sqrt(np.maximum(_THIGH**2 - along**2, 0.0))
    knees = hips + along[..., None] * axis + out[..., None] * across
    ends = hips + distance[..., None] * axis
    before = np.stack([old_knees - hips, old_ankles - old_knees])
    thighs, shanks = _turns(before, np.stack([knees - hips, ends - knees])) @ np.stack([thighs, shanks])
    _set_legs(frames, thighs, shanks, soles, knees, ends)


def _turns(before: Float64, after: Float64) -> Float64:
    """Matrices (..., 3, 3) of the shortest turns from vectors (..., 3) to others; none of them to its opposite.

    What `between_vectors` gives, written out for speed: I + [w] + [w][w] / (1 + c) with w = u x v and c = u . v.
    """
    u, v = before / _length(before)[..., None], after / _length(after)[..., None]
    w = cross(u, v)
    share = 1.0 / np.maximum(1.0 + (u * v).sum(-1), _OPPOSITE)[..., None]
    scaled = share * w
    matrix = scaled[..., :, None] * w[..., None, :]
    diagonal = 1.0 - (scaled * w).sum(-1)
    matrix[..., (0, 1, 2), (0, 1, 2)] += diagonal[..., None]
    matrix[..., (2, 0, 1), (1, 2, 0)] += w
    matrix[..., (1, 2, 0), (2, 0, 1)] -= w
    return matrix


def _length(vectors: Float64) -> Float64:
    result: Float64 = np.sqrt((vectors * vectors).sum(-1))
    return result


def _set_legs(
    frames: BodyFrames, thighs: Float64, shanks: Float64, soles: Float64, knees: Float64, ankles: Float64
) -> None:
    balls = _swapped(frames.world[:, ANKLES]) @ frames.world[:, BALLS]
    frames.local[:, HIPS] = _swapped(frames.world[:, [0, 0]]) @ thighs
    frames.local[:, KNEES] = _swapped(thighs) @ shanks
    frames.local[:, ANKLES] = _swapped(shanks) @ soles
    frames.world[:, HIPS], frames.world[:, KNEES], frames.world[:, ANKLES] = thighs, shanks, soles
    frames.world[:, BALLS] = soles @ balls
    frames.positions[:, KNEES], frames.positions[:, ANKLES] = knees, ankles
    frames.positions[:, BALLS] = ankles + (soles @ REST_OFFSETS[BALLS][..., None])[..., 0]
    frames.feet[:, HEELS] = ankles + (soles @ REST_FEET_OFFSETS[HEELS][..., None])[..., 0]
    toes = frames.world[:, BALLS] @ REST_FEET_OFFSETS[TOES][..., None]
    frames.feet[:, TOES] = frames.positions[:, BALLS] + toes[..., 0]


def _swapped(matrices: Float64) -> Float64:
    return np.swapaxes(matrices, -1, -2)
