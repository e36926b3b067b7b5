"""Feet that stand, held where they stand: for recordings whose skeleton slides and bobs (depth cameras).

For movements in which at least one foot is always on the floor. The body is moved as a whole by what the standing feet
seem to move, and each standing leg is bent, in the plane in which it was seen, until its ankle is where it stands.
Bones keep their lengths; hips, trunk and arms keep their posture. A foot that is well above the other one is in the air
and stays as it was seen; its toes may then be seen a few centimetres under the floor.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.skeleton.joint_sets import FEET, SMPL22
from fitmotion_models.skeleton.kinematics import feet_offsets
from fitmotion_models.skeleton.rotations import Float64, cross, normalize

_Flags = NDArray[np.bool_]

_SIDES = ("left", "right")
_HIPS, _KNEES, _ANKLES, _BALLS = (
    [SMPL22.index(f"{side}_{joint}") for side in _SIDES] for joint in ("hip", "knee", "ankle", "foot")
)
_HEELS, _TOES = ([FEET.index(f"{side}_{point}") for side in _SIDES] for point in ("heel", "toe"))


@dataclass(frozen=True)
class PlantedFeetParameters:
    """When a foot stands. The heights are this project's choice, from UI-PRMD: see `tests/models/datasets`.

    lift_m: how far an ankle is above the other one when its foot is in the air; above what a depth camera errs by in a
    squat, below the lowest step over a hurdle. least_lift_m: of a movement on one leg, where no foot gets as high as
    `lift_m`: how far one ankle has then risen against the other since the start; infinite: feet may stay down.
    shortest_s: a shorter stand or flight is an error. blend_s: how long a foot takes from where it was seen to where it
    stands. smoothing_s: of the whole body's shift (Gaussian, one SD). reach: the largest share of the leg's length
    between hip and ankle; a leg at 1 has no plane to bend in.
    """

    lift_m: float = 0.12
    least_lift_m: float = np.inf
    shortest_s: float = 0.3
    blend_s: float = 0.2
    smoothing_s: float = 0.07
    reach: float = 0.998


class PlantedBody(NamedTuple):
    """positions (T, 22, 3), feet (T, 4, 3), metres, floor at 0; standing (T, 2): 1 where left and right foot stand."""

    positions: Float64
    feet: Float64
    standing: Float64


def gaussian_smooth(values: Float64, sd_frames: float) -> Float64:
    """Values (T, ...) smoothed along the first axis by a Gaussian; the ends are continued by their own value."""
    if sd_frames <= 0.0:
        return values
    reach = max(1, int(np.ceil(3.0 * sd_frames)))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sd_frames) ** 2)
    return _filtered(values, kernel / kernel.sum())


def _filtered(values: Float64, kernel: Float64) -> Float64:
    reach = len(kernel) // 2
    padded = np.concatenate([np.repeat(values[:1], reach, 0), values, np.repeat(values[-1:], reach, 0)])
    result: Float64 = np.zeros_like(values)
    for index, weight in enumerate(kernel):
        result += weight * padded[index : index + len(values)]
    return result


def plant_feet(
    positions: Float64,
    feet: Float64,
    bone_offsets: Float64,
    fps: float,
    parameters: PlantedFeetParameters | None = None,
) -> PlantedBody:
    """Hold the standing feet of a body.

    positions: (T, 22, 3), feet: (T, 4, 3) of a body with constant bones `bone_offsets` (22, 3), metres, z up; all
    finite. fps: frames a second. The result's bones have the same lengths up to what a body fit then rounds off.
    """
    chosen = parameters or PlantedFeetParameters()
    ankle_height = -float(feet_offsets(bone_offsets)[_HEELS, 2].mean())
    standing = _standing(positions[:, _ANKLES, 2], chosen, fps)
    targets = _targets(positions[:, _ANKLES], standing, ankle_height)
    shift = _shift(targets - positions[:, _ANKLES], standing, chosen.smoothing_s * fps)
    joints, landmarks = positions + shift[:, None], feet + shift[:, None]
    box = np.full(max(1, round(chosen.blend_s * fps)) | 1, 1.0)
    share = _filtered(standing.astype(np.float64), box / len(box))[..., None]
    ankles = joints[:, _ANKLES] + share * (targets - joints[:, _ANKLES])
    legs = np.linalg.norm(bone_offsets[_KNEES], axis=-1), np.linalg.norm(bone_offsets[_ANKLES], axis=-1)
    down = lowering(joints[:, _HIPS], ankles, chosen.reach * (legs[0] + legs[1]), chosen.smoothing_s * fps)
    joints[..., 2] -= down[:, None]
    joints, landmarks = _with_feet(joints, landmarks, ankles, share, bone_offsets)
    joints[:, _KNEES] = _knees(joints[:, _HIPS], joints[:, _KNEES], ankles, *legs)
    return PlantedBody(joints, landmarks, standing.astype(np.float64))


def _standing(heights: Float64, parameters: PlantedFeetParameters, fps: float) -> _Flags:
    """Which feet (T, 2) stand, from the ankles' heights (T, 2)."""
    # each foot's own floor: a camera that is tilted, or sees one ankle badly, puts one higher than the other
    own_floor = heights - np.percentile(heights, _FLOOR_PERCENTILE, axis=0)
    standing = _not_lifted(own_floor, parameters.lift_m, parameters, fps)
    if standing.all() and np.isfinite(parameters.least_lift_m):
        # an ankle that sinks while it stands has its floor lowest then, which hides half of the other one's lift
        start = max(1, round(_START_SECONDS * fps))
        since_start = heights - np.median(heights[:start], axis=0)
        standing = _not_lifted(since_start, parameters.least_lift_m, parameters, fps)
    return standing


def _not_lifted(heights: Float64, lift: float, parameters: PlantedFeetParameters, fps: float) -> _Flags:
    """Which feet (T, 2) are less than `lift` above the other one for long enough, from heights (T, 2) over a floor."""
    standing = heights - heights.min(axis=1, keepdims=True) < lift
    shortest = max(1, round(parameters.shortest_s * fps))
    for foot in (0, 1):
        # what is short is an error: first short flights, then short stands
        for value in (False, True):
            for start, end in _runs(standing[:, foot]):
                if standing[start, foot] == value and end - start < shortest:
                    standing[start:end, foot] = not value
    # someone always stands: the lower one does
    nobody = ~standing.any(axis=1)
    standing[nobody, heights[nobody].argmin(axis=1)] = True
    return standing


def _runs(flags: _Flags) -> list[tuple[int, int]]:
    """Start and end of every stretch of equal flags."""
    edges = np.flatnonzero(np.diff(flags)) + 1
    starts, ends = [0, *edges.tolist()], [*edges.tolist(), len(flags)]
    return list(zip(starts, ends, strict=True))


def _targets(ankles: Float64, standing: _Flags, height: float) -> Float64:
    """Where the standing ankles (T, 2, 3) are held: the middle of where they were seen; NaN-free, seen where in air."""
    targets = ankles.copy()
    for foot in (0, 1):
        for start, end in _runs(standing[:, foot]):
            if standing[start, foot]:
                targets[start:end, foot, :2] = np.median(ankles[start:end, foot, :2], axis=0)
                targets[start:end, foot, 2] = height
            else:
                # at the ends of a flight the target is where the foot stood, so that the blend goes there
                middle = (start + end) // 2
                before, after = max(start - 1, 0), min(end, len(ankles) - 1)
                for part, neighbour in ((slice(start, middle), before), (slice(middle, end), after)):
                    if standing[neighbour, foot]:
                        base = ankles[slice(*_run_of(standing[:, foot], neighbour)), foot, :2]
                        targets[part, foot, :2] = np.median(base, axis=0)
                        targets[part, foot, 2] = height
    return targets


def _run_of(flags: _Flags, index: int) -> tuple[int, int]:
    return next((start, end) for start, end in _runs(flags) if start <= index < end)


def _shift(residuals: Float64, standing: _Flags, sd_frames: float) -> Float64:
    """The body's shift (T, 3): the mean of what the standing feet are off by, smooth."""
    weights = gaussian_smooth(standing.astype(np.float64), sd_frames)[..., None]
    mean: Float64 = (weights * residuals).sum(axis=1) / weights.sum(axis=1)
    return gaussian_smooth(mean, sd_frames)


def lowering(hips: Float64, ankles: Float64, longest: Float64, sd_frames: float) -> Float64:
    """How far down (T,), metres, the body comes, smoothly, so that both legs reach their ankles in every frame."""
    level = np.linalg.norm((hips - ankles)[..., :2], axis=-1)
    highest = ankles[..., 2] + np.sqrt(np.maximum(longest**2 - level**2, 0.0))
    least = np.maximum(hips[..., 2] - highest, 0.0).max(axis=1)
    # the largest within the kernel's reach, smoothed by the kernel, is nowhere below what is needed
    reach = max(1, int(np.ceil(3.0 * sd_frames)))
    padded = np.concatenate([np.repeat(least[:1], reach), least, np.repeat(least[-1:], reach)])
    largest = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1).max(axis=-1)
    return gaussian_smooth(largest, sd_frames)


def _with_feet(
    joints: Float64, landmarks: Float64, ankles: Float64, share: Float64, bone_offsets: Float64
) -> tuple[Float64, Float64]:
    """Joints and landmarks with feet under the new ankles: flat where they stand, headed the way they mostly were."""
    rest = feet_offsets(bone_offsets)
    joints, landmarks = joints.copy(), landmarks.copy()
    for foot in (0, 1):
        old = joints[:, _ANKLES[foot]].copy()
        ball = bone_offsets[_BALLS[foot]]
        seen = normalize((joints[:, _BALLS[foot]] - old)[:, :2])
        weight = share[:, foot] if share[:, foot].sum() > 0.0 else np.ones_like(share[:, foot])
        heading = normalize((weight * seen).sum(axis=0))
        straight = normalize(ball[:2])
        cosine = float(straight @ heading)
        sine = float(straight[0] * heading[1] - straight[1] * heading[0])
        yaw = np.array([(cosine, -sine, 0.0), (sine, cosine, 0.0), (0.0, 0.0, 1.0)])
        part = share[:, foot]
        for array, index, offset in (
            (joints, _BALLS[foot], ball),
            (landmarks, _HEELS[foot], rest[_HEELS[foot]]),
            (landmarks, _TOES[foot], ball + rest[_TOES[foot]]),
        ):
            array[:, index] = ankles[:, foot] + (1.0 - part) * (array[:, index] - old) + part * (yaw @ offset)
        joints[:, _ANKLES[foot]] = ankles[:, foot]
    return joints, landmarks


def _knees(hips: Float64, knees: Float64, ankles: Float64, thigh: Float64, shank: Float64) -> Float64:
    """Knees (T, 2, 3) between hips and ankles, in the half-plane in which they were seen."""
    line = ankles - hips
    distance = np.linalg.norm(line, axis=-1, keepdims=True)
    axis = line / distance
    seen = knees - hips
    bend = seen - (seen * axis).sum(axis=-1, keepdims=True) * axis
    # a straight leg's plane is noise: where it bends little it bends forward, across the hips' line
    left = hips[:, :1] - hips[:, 1:]
    ahead = normalize(cross(np.broadcast_to(left, axis.shape), -axis))
    bend = bend + _FORWARD_BIAS * ahead
    across = normalize(bend - (bend * axis).sum(axis=-1, keepdims=True) * axis)
    reach = np.minimum(distance[..., 0], thigh + shank)
    along = (thigh**2 - shank**2 + reach**2) / (2.0 * reach)
    out = np.sqrt(np.maximum(thigh**2 - along**2, 0.0))
    result: Float64 = hips + along[..., None] * axis + out[..., None] * across
    return result


# each foot is on the floor in more than this percentage of a recording's frames
_FLOOR_PERCENTILE = 10.0
# a recording begins with so much of standing on both feet, s
_START_SECONDS = 0.3
# metres that the knee's own bend is joined by; far below that of a bent knee (0.3 m in a squat)
_FORWARD_BIAS = 0.02
