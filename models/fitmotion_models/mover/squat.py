"""The squat of a parametric body: a clip whose every number is known, and those numbers."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from math import floor, isfinite

import numpy as np

from fitmotion_models.mover.body import SIDES, Float64, joint
from fitmotion_models.mover.clip import clip_from_matrices
from fitmotion_models.mover.legs import leg_lengths
from fitmotion_models.mover.squat_parameters import Sides, SquatParameters
from fitmotion_models.mover.squat_posture import Posture
from fitmotion_models.mover.squat_solve import SquatSolution, depth, shin_lean, solve_squat
from fitmotion_models.mover.squat_timing import RepetitionTimes, depth_share, repetition_times
from fitmotion_models.skeleton.motion_clip import MotionClip

# what has to be the same in all squats of one clip: the person and where the feet stand
_FOOTING = ("scale", "stance_width_m", "toe_out_deg", "grip_width_m")


@dataclass(frozen=True)
class SquatTruth:
    """What a squat's parameters come to at the bottom, both sides as (left, right); metres and degrees.

    Beside the parameters themselves: shin_lean_deg, knee - ankle against the vertical. ankle_rise_m: of the ankle joint
    over its place in stance. dowel_x_m, heel_x_m, toe_x_m: places along x of the wrists' middle and of the middle of
    the heels and toes. hip_height_m: middle of the hip joints over the floor, and the same in stance.
    """

    depth_m: Sides
    trunk_lean_deg: float
    shin_lean_deg: Sides
    knee_valgus_m: Sides
    heel_rise_m: Sides
    ankle_rise_m: Sides
    arm_drop_deg: float
    dowel_x_m: float
    heel_x_m: float
    toe_x_m: float
    hip_height_m: float
    stance_hip_height_m: float
    repetitions: tuple[RepetitionTimes, ...]


def squat_clip(parameters: SquatParameters, *, fps: float = 30.0, subject: str = "mover") -> MotionClip:
    """A clip of one squat, repeated.

    The world's origin is on the floor between the ankles, x the way the body faces. confidence 1, no camera. Raises
    ValueError when the parameters can't hold together (it names one that can be changed and its possible range) or
    when fps is not a positive number.
    """
    return squat_series([parameters], fps=fps, subject=subject)


def squat_series(squats: Sequence[SquatParameters], *, fps: float = 30.0, subject: str = "mover") -> MotionClip:
    """A clip of several different squats of one person, one after the other; see `squat_clip`.

    Raises ValueError also when there is no squat or when the squats differ in scale, stance, toe-out or grip.
    """
    if not (isfinite(fps) and fps > 0.0):
        raise ValueError(f"fps={fps!r} must be a positive number of frames a second")
    sequence = tuple(squats)
    _check_footing(sequence)
    solutions = [solve_squat(squat) for squat in sequence]
    times, length = repetition_times(sequence)
    stamps = np.arange(floor(length * fps + 1e-9) + 1) / fps
    posture = _move(sequence, solutions, times, stamps)
    root, world = solutions[0].footing.matrices(posture)
    bones = solutions[0].footing.bones
    return clip_from_matrices(stamps, root, world, bones, fps=fps, subject=subject, labels=("squat",))


def squat_truth(parameters: SquatParameters) -> SquatTruth:
    """The numbers that a clip of these parameters has at the bottom of every repetition. Raises as `squat_clip`."""
    solution = solve_squat(parameters)
    footing, bottom = solution.footing, solution.bottom
    positions, standing = footing.positions(bottom), footing.positions(solution.stance)
    ankles = [joint(f"{side}_ankle") for side in SIDES]
    ankle_rise = positions[ankles, 2] - standing[ankles, 2]
    toe_x = footing.toe_x
    return SquatTruth(
        depth_m=_sides(depth(positions)),
        trunk_lean_deg=parameters.trunk_lean_deg,
        shin_lean_deg=_sides(np.degrees(shin_lean(positions))),
        knee_valgus_m=parameters.knee_valgus_sides,
        heel_rise_m=parameters.heel_rise_sides,
        ankle_rise_m=_sides(ankle_rise),
        arm_drop_deg=parameters.arm_drop_deg,
        dowel_x_m=float(positions[[joint(f"{side}_wrist") for side in SIDES], 0].mean()),
        heel_x_m=toe_x - footing.feet.length * float(np.cos(footing.feet.toe_out)),
        toe_x_m=toe_x,
        hip_height_m=float(bottom.hip_z),
        stance_hip_height_m=float(solution.stance.hip_z),
        repetitions=repetition_times((parameters,))[0],
    )


def _sides(values: Float64) -> Sides:
    return float(values[0]), float(values[1])


def _check_footing(sequence: tuple[SquatParameters, ...]) -> None:
    if not sequence:
        raise ValueError("a series of squats needs at least one SquatParameters")
    for name in _FOOTING:
        values = {getattr(squat, name) for squat in sequence}
        if len(values) > 1:
            raise ValueError(
                f"the squats of one clip differ in {name} ({', '.join(f'{value:g}' for value in sorted(values))}); "
                "one person stands in one place: give all the same value, or make two clips"
            )


def _move(
    sequence: tuple[SquatParameters, ...],
    solutions: Sequence[SquatSolution],
    times: tuple[RepetitionTimes, ...],
    stamps: Float64,
) -> Posture:
    """The posture at each stamp (T,): the stance, and on top of it each repetition's way to its bottom and back."""
    moves = [
        _repetition(squat, solution, repetition, stamps)
        for (squat, solution), repetition in zip(
            (pair for pair in zip(sequence, solutions, strict=True) for _ in range(pair[0].repetitions)),
            times,
            strict=True,
        )
    ]
    stance = solutions[0].stance

    def total(name: str) -> Float64:
        standing: Float64 = getattr(stance, name)
        result: Float64 = standing + sum(getattr(move, name) - standing for move in moves)
        return result

    return Posture(**{field.name: total(field.name) for field in fields(Posture)})


def _repetition(
    squat: SquatParameters, solution: SquatSolution, repetition: RepetitionTimes, stamps: Float64
) -> Posture:
    """The posture at each stamp (T,) were this the only repetition."""
    stance, bottom = solution.stance, solution.bottom
    lead = 0.5 * squat.left_lead_s * np.array([1.0, -1.0])
    sides = depth_share(repetition, stamps[:, None] + lead)
    both = sides.mean(axis=-1)
    x, z = _hip_path(solution, sides)
    half_width = solution.footing.bones[joint("left_hip"), 1]
    raised = both * np.sin(bottom.roll) + 0.5 * (z[:, 0] - z[:, 1]) / half_width

    def between(name: str) -> Float64:
        start, end = getattr(stance, name), getattr(bottom, name)
        result: Float64 = start + both * (end - start)
        return result

    return Posture(
        hip_x=x.mean(axis=-1),
        hip_y=between("hip_y"),
        hip_z=z.mean(axis=-1),
        roll=np.arcsin(np.clip(raised, -1.0, 1.0)),
        trunk_lean=between("trunk_lean"),
        arm_drop=between("arm_drop"),
        swivel=sides * bottom.swivel,
        heel_rise=sides * bottom.heel_rise,
    )


def _hip_path(solution: SquatSolution, share: Float64) -> tuple[Float64, Float64]:
    """Places x and z (...), metres, of the middle of the hips after a share (...) of the way down.

    Shin and knee of one leg in the sagittal plane turn at the same pace from what they are in stance to what they are
    at the bottom: hips go back and then down, as they do in people.
    """
    thigh, shank = (float(lengths.mean()) for lengths in leg_lengths(solution.footing.bones))
    ankle_z = float(solution.footing.feet.pose(np.zeros(2))[0][:, 2].mean())
    ends = [_leg_angles(posture, thigh, shank, ankle_z) for posture in (solution.stance, solution.bottom)]
    shin, thigh_angle = (start + share * (end - start) for start, end in zip(*ends, strict=True))
    x = shank * np.sin(shin) - thigh * np.sin(thigh_angle)
    z = ankle_z + shank * np.cos(shin) + thigh * np.cos(thigh_angle)
    return x, z


def _leg_angles(posture: Posture, thigh: float, shank: float, ankle_z: float) -> tuple[float, float]:
    """Forward lean of the shin and backward lean of the thigh, radians, of a leg from (0, ankle_z) to the hips."""
    x, z = float(posture.hip_x), float(posture.hip_z) - ankle_z
    distance = min(float(np.hypot(x, z)), thigh + shank)
    flexion = np.arccos(np.clip((distance**2 - thigh**2 - shank**2) / (2.0 * thigh * shank), -1.0, 1.0))
    at_ankle = np.arccos(np.clip((distance**2 + shank**2 - thigh**2) / (2.0 * distance * shank), -1.0, 1.0))
    shin = np.arctan2(x, z) + at_ankle
    return float(shin), float(flexion - shin)
