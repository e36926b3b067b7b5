"""Any body's motion on the one body that motion is learned and generated on: bones `REST_OFFSETS`, 20 frames a second.

Trunk, arms and feet keep their rotations. The hips' middle goes where it went, times the ratio of the leg lengths, and
so does each foot that is not in the air: by its heel while that is lower, by its toes while those are. Thighs and
shanks keep the plane they bend in, and bend as far as that takes; so a foot that stood still does so on the other
bones. A foot that stands is put on the floor.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from fitmotion_models.datasets.planted_feet import gaussian_smooth, lowering
from fitmotion_models.motion.features import FPS, heading_of
from fitmotion_models.skeleton.joint_sets import FEET, SMPL22
from fitmotion_models.skeleton.kinematics import (
    PARENTS,
    REST_FEET_OFFSETS,
    REST_OFFSETS,
    feet_from_matrices,
    feet_offsets,
    global_matrices,
    positions_from_matrices,
)
from fitmotion_models.skeleton.motion_clip import MotionClip
from fitmotion_models.skeleton.rotations import (
    Float64,
    between_vectors,
    cross,
    from_matrix,
    normalize,
    rotate,
    slerp,
    to_matrix,
)

_SIDES = ("left", "right")
_HIPS, _KNEES, _ANKLES, _BALLS = (
    [SMPL22.index(f"{side}_{joint}") for side in _SIDES] for joint in ("hip", "knee", "ankle", "foot")
)
_HEELS, _TOES = ([FEET.index(f"{side}_{point}") for side in _SIDES] for point in ("heel", "toe"))

# so far apart in height, metres, a foot goes wholly by the lower one of heel and toe
_HEEL_TO_TOE_M = 0.02
# A knee bent by less than the first sine (5 degrees) bends about the body's own left, by more than the second (20)
# about the axis that it is seen to bend about; between, one goes over into the other.
_STRAIGHT_KNEE = (0.09, 0.34)
# the largest share of thigh and shank together between hip and ankle; a leg at 1 has no plane to bend in
_REACH = 0.9985
# a leg whose sole is lower, metres, goes by its foot; one whose sole is higher keeps its bend; between, some of both
_IN_THE_AIR_M = (0.03, 0.12)
# SD of how smoothly the body comes down where a leg is too short for where it stands, seconds
_LOWERING_S = 0.1
# The floor is where the lowest heel or toe is, in the median of the frames in which that is slow (metres a second) and
# no higher (metres) than it is in this percentage of all frames: jumps, steps and climbing do not lift the floor.
_FLOOR_PERCENTILE = 5.0
_STANDING_SPEED = 0.35
_FLOOR_RANGE_M = 0.08
# a slow foot stands where it is no further over or under the floor, metres; how softly it comes there, seconds
_STANDING_RANGE_M = 0.05
_CONTACT_BLEND_S = 0.05


class Resampled(NamedTuple):
    """Pelvis (N, 3) metres and local rotations (N, 22, 4) at an even rate from the clip's first frame on."""

    root: Float64
    rotations: Float64


def resampled(clip: MotionClip, fps: float, *, speed: float = 1.0) -> Resampled:
    """A clip's pelvis, along straight lines, and rotations, along the shortest turns, at `fps` frames a second.

    speed: how much faster it goes. Raises ValueError for fewer than two frames and for joints without rotation.
    """
    if len(clip) < 2:
        raise ValueError(f"a clip of {len(clip)} frames is no motion; give at least two")
    if not (np.isfinite(clip.rotations).all() and np.isfinite(clip.positions[:, 0]).all()):
        raise ValueError("the clip has unseen joints; only a body that is seen throughout can change its bones")
    times = (clip.stamps - clip.stamps[0]) / speed
    wanted = np.arange(int(np.floor(times[-1] * fps + 1e-6)) + 1) / fps
    after = np.clip(np.searchsorted(times, wanted, side="right"), 1, len(times) - 1)
    before = after - 1
    share = np.clip((wanted - times[before]) / (times[after] - times[before]), 0.0, 1.0)
    root = clip.positions[:, 0].astype(np.float64)
    rotations = normalize(clip.rotations)
    return Resampled(
        root[before] + share[:, None] * (root[after] - root[before]),
        normalize(slerp(rotations[before], rotations[after], share[:, None])),
    )


def to_canonical(clip: MotionClip, fps: float = FPS) -> MotionClip:
    """The clip on the canonical bones at `fps`, stamps from 0, floor at 0, first at the origin and facing x.

    clip: constant bones, world frame (z up), metres, wholly seen. Positions are those of the rotations, as forward
    kinematics gives them. Raises ValueError as `resampled`, and for legs without length.
    """
    root, rotations = resampled(clip, fps)
    bones = clip.bone_offsets.astype(np.float64)
    world = global_matrices(rotations)
    source = positions_from_matrices(root, world, bones)
    source_feet = feet_from_matrices(source, world, bones)
    scale = _scale(bones)
    ankles, soles = _ankles(source_feet, world, bones, scale)
    hips = _hips(source, world, bones, scale)
    floor = _floor(soles, fps)
    up, whole = _on_floor(soles, floor, fps)
    ankles[..., 2] += up - floor
    hips[..., 2] += (whole - floor)[:, None]
    air = _smooth_step(soles[..., 2].min(axis=-1) - floor, *_IN_THE_AIR_M)[..., None]
    hips[..., 2] -= _lowering(hips, ankles + air * (_same_bend(source, hips) - ankles), fps)[:, None]
    ankles += air * (_same_bend(source, hips) - ankles)
    world = _bent_legs(source, world, hips, ankles)
    middle = REST_OFFSETS[_HIPS].mean(axis=0)
    root = hips.mean(axis=1) - world[:, 0] @ middle
    return placed(_clip(clip, root, world, fps))


def placed(clip: MotionClip, start: int = 0, end: int | None = None) -> MotionClip:
    """Frames `start` to `end` of a clip with stamps from 0, its first pelvis over the origin and facing x."""
    part = slice(start, end)
    first = to_matrix(clip.rotations[start, 0])
    cosine, sine = heading_of(first)
    back = np.array([(cosine, sine, 0.0), (-sine, cosine, 0.0), (0.0, 0.0, 1.0)])
    origin = np.array([*clip.positions[start, 0, :2], 0.0])
    rotations = clip.rotations[part].astype(np.float64)
    rotations[:, 0] = from_matrix(back @ to_matrix(rotations[:, 0]))
    return replace(
        clip,
        stamps=clip.stamps[part] - clip.stamps[start],
        positions=(clip.positions[part] - origin) @ back.T,
        feet=(clip.feet[part] - origin) @ back.T,
        rotations=rotations.astype(np.float32),
        confidence=clip.confidence[part],
        feet_confidence=clip.feet_confidence[part],
        view_direction=clip.view_direction[part] @ back.T,
    )


def _smooth_step(values: Float64, low: float, high: float) -> Float64:
    """0 up to low, 1 from high, smooth between."""
    t = np.clip((values - low) / (high - low), 0.0, 1.0)
    result: Float64 = t * t * (3.0 - 2.0 * t)
    return result


def _leg_length(bones: Float64) -> float:
    return float(sum(np.linalg.norm(bones[joints], axis=-1).mean() for joints in (_KNEES, _ANKLES)))


def _scale(bones: Float64) -> float:
    """The canonical leg's length over the person's."""
    own = _leg_length(bones)
    if not own > 0.0:
        raise ValueError("the clip's legs have no length; its bone_offsets should be the person's, in metres")
    return _leg_length(REST_OFFSETS) / own


def _ankles(source_feet: Float64, world: Float64, bones: Float64, scale: float) -> tuple[Float64, Float64]:
    """Where the canonical ankles (N, 2, 3) are when heels or toes, the lower ones, are where the person's, scaled, are.

    And the soles (N, 2, 2, 3) under them: heels, toes.

    What a foot is too short or too long is added at both ends, so that it does not slide as it rolls over its sole.
    """
    ankle_turns, ball_turns = world[:, _ANKLES], world[:, _BALLS]
    heel = (ankle_turns @ REST_FEET_OFFSETS[_HEELS][..., None])[..., 0]
    ball = (ankle_turns @ REST_OFFSETS[_BALLS][..., None])[..., 0]
    toe = ball + (ball_turns @ REST_FEET_OFFSETS[_TOES][..., None])[..., 0]
    longer = 0.5 * (_soles(REST_OFFSETS) - scale * _soles(bones))
    heading = np.zeros((*ankle_turns.shape[:2], 3))
    heading[..., :2] = heading_of(ankle_turns)
    across = np.stack([-heading[..., 1], heading[..., 0], np.zeros(heading.shape[:2])], axis=-1)
    longer = longer[:, :1] * heading + longer[:, 1:2] * across
    heels, toes = scale * source_feet[:, _HEELS] - longer, scale * source_feet[:, _TOES] + longer
    lower = heels[..., 2] - toes[..., 2]
    share = _smooth_step(lower, -_HEEL_TO_TOE_M, _HEEL_TO_TOE_M)[..., None]
    ankles: Float64 = (1.0 - share) * (heels - heel) + share * (toes - toe)
    return ankles, np.stack([ankles + heel, ankles + toe], axis=-2)


def _soles(bones: Float64) -> Float64:
    """From heels to toes (2, 3) of feet that stand flat and face x."""
    landmarks = feet_offsets(bones)
    result: Float64 = bones[_BALLS] + landmarks[_TOES] - landmarks[_HEELS]
    return result


def _hips(source: Float64, world: Float64, bones: Float64, scale: float) -> Float64:
    """Hips (N, 2, 3) of the canonical pelvis, their middle where it was, scaled, over ankles of canonical height."""
    apart = REST_OFFSETS[_HIPS] - REST_OFFSETS[_HIPS].mean(axis=0)
    middle = scale * source[:, _HIPS].mean(axis=1)
    middle[:, 2] += scale * feet_offsets(bones)[_HEELS, 2].mean() - REST_FEET_OFFSETS[_HEELS, 2].mean()
    result: Float64 = middle[:, None] + (world[:, :1] @ apart[..., None])[..., 0]
    return result


def _lowering(hips: Float64, ankles: Float64, fps: float) -> Float64:
    """How far down (N,), metres, the body comes so that both legs reach their ankles, without a jerk."""
    return lowering(hips, ankles, np.full(2, _REACH * _leg_length(REST_OFFSETS)), _LOWERING_S * fps)


def _same_bend(source: Float64, hips: Float64) -> Float64:
    """Ankles (N, 2, 3) under these hips with thighs and shanks as the person's are."""
    thigh, shank = (np.linalg.norm(REST_OFFSETS[joints], axis=-1)[:, None] for joints in (_KNEES, _ANKLES))
    along, below = normalize(source[:, _KNEES] - source[:, _HIPS]), normalize(source[:, _ANKLES] - source[:, _KNEES])
    result: Float64 = hips + thigh * along + shank * below
    return result


def _bent_legs(source: Float64, world: Float64, hips: Float64, ankles: Float64) -> Float64:
    """World matrices with hips and knees turned so that the ankles (N, 2, 3) are reached from the hips (N, 2, 3)."""
    thigh, shank = (np.linalg.norm(REST_OFFSETS[joints], axis=-1) for joints in (_KNEES, _ANKLES))
    along = normalize(source[:, _KNEES] - source[:, _HIPS])
    below = normalize(source[:, _ANKLES] - source[:, _KNEES])
    left = normalize(source[:, _HIPS[:1]] - source[:, _HIPS[1:]])
    # a knee takes the shank back: about the body's left by the right-hand rule
    bent = cross(along, below)
    sine = np.linalg.norm(bent, axis=-1, keepdims=True)
    sure = _smooth_step(sine, *_STRAIGHT_KNEE)
    axis = sure * bent / np.maximum(sine, 1e-9) + (1.0 - sure) * left
    axis = normalize(axis - (axis * along).sum(axis=-1, keepdims=True) * along)
    reach = ankles - hips
    distance = np.clip(np.linalg.norm(reach, axis=-1), np.abs(thigh - shank) + 1e-6, _REACH * (thigh + shank))
    cosine = (distance**2 - thigh**2 - shank**2) / (2.0 * thigh * shank)
    bend = np.arccos(np.clip(cosine, -1.0, 1.0))[..., None]
    below = np.cos(bend) * along + np.sin(bend) * cross(axis, along)
    turn = between_vectors(thigh[:, None] * along + shank[:, None] * below, reach)
    return _aimed(world, rotate(turn, along), rotate(turn, below))


def _aimed(world: Float64, thighs: Float64, shanks: Float64) -> Float64:
    """World matrices whose hips and knees are turned the shortest way to where thighs and shanks (N, 2, 3) point."""
    result = world.copy()
    for joints, bones, directions in ((_HIPS, _KNEES, thighs), (_KNEES, _ANKLES, shanks)):
        seen = (world[:, joints] @ REST_OFFSETS[bones][..., None])[..., 0]
        result[:, joints] = to_matrix(between_vectors(seen, directions)) @ world[:, joints]
    return result


def _speeds(points: Float64, fps: float) -> Float64:
    result: Float64 = np.linalg.norm(np.gradient(points, 1.0 / fps, axis=0), axis=-1)
    return result


def _floor(soles: Float64, fps: float) -> float:
    """The height of the floor under soles (N, 2, 2, 3)."""
    points = soles.reshape(len(soles), 4, 3)
    frames, lowest = np.arange(len(points)), points[..., 2].argmin(axis=1)
    height = points[frames, lowest, 2]
    base = float(np.percentile(height, _FLOOR_PERCENTILE))
    standing = (_speeds(points, fps)[frames, lowest] < _STANDING_SPEED) & (height < base + _FLOOR_RANGE_M)
    return float(np.median(height[standing])) if standing.any() else base


def _on_floor(soles: Float64, floor: float, fps: float) -> tuple[Float64, Float64]:
    """How far up (N, 2), metres, each foot has to go to stand on the floor where it stands, and nowhere to be under it.

    And the whole body (N,): by the mean of the feet that stand, smoothly. Markers on shoes, skin that moves and toes
    without joints put a foot that stands centimetres under or over the floor.
    """
    heights = soles[..., 2] - floor
    lowest = heights.argmin(axis=-1)[..., None]
    off = np.take_along_axis(heights, lowest, axis=-1)[..., 0]
    speeds = np.take_along_axis(_speeds(soles, fps), lowest, axis=-1)[..., 0]
    stands = (np.abs(off) < _STANDING_RANGE_M) & (speeds < _STANDING_SPEED)
    near = np.abs(off) < 2.0 * _STANDING_RANGE_M
    share = gaussian_smooth(stands.astype(np.float64), _CONTACT_BLEND_S * fps)
    up = np.where(near, -np.maximum(share, stands) * off, 0.0)
    up = np.where(off < 0.0, np.maximum(up, -off), up)
    whole = (share * up).sum(axis=1) / np.maximum(share.sum(axis=1), 1.0)
    return up, gaussian_smooth(whole, _LOWERING_S * fps)


def _clip(clip: MotionClip, root: Float64, world: Float64, fps: float) -> MotionClip:
    """The clip of these pelvises and world matrices on the canonical bones."""
    positions = positions_from_matrices(root, world, REST_OFFSETS)
    feet = feet_from_matrices(positions, world, REST_OFFSETS)
    local = np.swapaxes(world[:, list(PARENTS)], -1, -2) @ world
    local[:, 0] = world[:, 0]
    frames = len(root)
    return replace(
        clip,
        fps=fps,
        stamps=np.arange(frames) / fps,
        positions=positions.astype(np.float32),
        rotations=from_matrix(local).astype(np.float32),
        confidence=np.ones((frames, len(PARENTS)), np.float32),
        feet=feet.astype(np.float32),
        feet_confidence=np.ones((frames, len(FEET)), np.float32),
        bone_offsets=REST_OFFSETS.astype(np.float32),
        view_direction=np.full((frames, 3), np.nan, np.float32),
        views=0,
    )
