"""The in-line lunge of a parametric body: a clip whose every number is known, and those numbers."""

from dataclasses import dataclass, replace
from functools import lru_cache
from math import floor

import numpy as np

from fitmotion_models.mover.body import Float64
from fitmotion_models.mover.checks import check_fps
from fitmotion_models.mover.clip import clip_from_matrices
from fitmotion_models.mover.lunge_parameters import InlineLungeParameters
from fitmotion_models.mover.squat_timing import RepetitionTimes, depth_share
from fitmotion_models.mover.step_body import Hold, StepBody, StepPosture
from fitmotion_models.skeleton.frames import mirror_clip
from fitmotion_models.skeleton.motion_clip import MotionClip

# The dowel lies along the spine; the hand of the front leg's side (here the left) holds it behind the small of the
# back, the other behind the neck (Cook 2006).
HOLD = Hold(
    joints=("pelvis", "neck"),
    places=np.array([(-0.14, 0.0, 0.12), (-0.09, 0.0, 0.02)]),
    poles=np.array([(-0.6, 1.0, -0.3), (-0.2, -1.0, -0.4)]),
)
# how high the rear heel is in stance and at the bottom, shares of the foot's length; the rear foot stands on its ball
REAR_HEEL = (0.10, 0.80)
# where the middle of the hips is between the rear toe (0) and the front heel (1), in stance and at the bottom
HIPS_PLACE = (0.60, 0.55)
_HALVINGS = 30


@dataclass(frozen=True)
class InlineLungeTruth:
    """The numbers at the bottom of a lunge; metres and degrees, as in `InlineLungeParameters`."""

    rear_knee_height_m: float
    trunk_lean_deg: float
    trunk_side_deg: float
    feet_offset_m: float
    front_heel_rise_m: float
    front_slip_m: float
    repetitions: tuple[RepetitionTimes, ...]


@dataclass(frozen=True, eq=False)
class _Solution:
    """Built for a lunge with the left leg in front. Hips (3,), metres, in stance and at the bottom."""

    body: StepBody
    stance_hips: Float64
    bottom_hips: Float64


def inline_lunge_clip(parameters: InlineLungeParameters, *, fps: float = 30.0, subject: str = "mover") -> MotionClip:
    """A clip of one lunge, repeated, from the stance with one foot before the other.

    A lunge with the right leg in front is the mirror image of one with the left. The world's origin is on the floor on
    the rear foot's line, half-way between the feet, x the way the body faces. confidence 1, no camera. Raises
    ValueError when no body can do what the parameters ask for or when fps is not a positive number.
    """
    check_fps(fps)
    solution = _solve(parameters)
    times, length = _times(parameters)
    stamps = np.arange(floor(length * fps + 1e-9) + 1) / fps
    posture = _posture(solution, parameters, np.asarray(sum(depth_share(one, stamps) for one in times)))
    if solution.body.overreach(posture) > 1e-7:
        raise ValueError(f"no lunge has these parameters: {_TOO_FAR}")
    root, world = solution.body.matrices(posture)
    clip = clip_from_matrices(
        stamps, root, world, solution.body.bones, fps=fps, subject=subject, labels=("inline_lunge", parameters.side)
    )
    return clip if parameters.side == "left" else mirror_clip(clip)


def inline_lunge_truth(parameters: InlineLungeParameters) -> InlineLungeTruth:
    """The numbers that a clip of these parameters has at the bottom of every lunge. Raises as `inline_lunge_clip`."""
    _solve(parameters)
    return InlineLungeTruth(
        rear_knee_height_m=parameters.rear_knee_height_m,
        trunk_lean_deg=parameters.trunk_lean_deg,
        trunk_side_deg=parameters.trunk_side_deg,
        feet_offset_m=parameters.feet_offset_m,
        front_heel_rise_m=parameters.front_heel_rise_m,
        front_slip_m=parameters.front_slip_m,
        repetitions=_times(parameters)[0],
    )


_TOO_FAR = "the legs do not reach; make feet_apart, feet_offset_m or front_slip_m smaller or rear_knee_height_m larger"


def _times(parameters: InlineLungeParameters) -> tuple[tuple[RepetitionTimes, ...], float]:
    """Times of all repetitions and the whole length, seconds."""
    now = parameters.stance_s
    times = []
    for _ in range(parameters.repetitions):
        bottom, leave = now + parameters.descent_s, now + parameters.descent_s + parameters.hold_s
        times.append(RepetitionTimes(now, bottom, leave, leave + parameters.ascent_s))
        now = times[-1].end + parameters.pause_s
    return tuple(times), times[-1].end + parameters.stance_s


def _posture(solution: _Solution, parameters: InlineLungeParameters, share: Float64) -> StepPosture:
    """The postures (...) with the left leg in front after a share (...) of the way down."""
    body = solution.body
    zero = 0.0 * share
    rear, front = _soles(body, parameters)
    soles = np.stack(
        [
            np.stack([front + share * parameters.front_slip_m, zero + parameters.feet_offset_m, zero], axis=-1),
            np.stack([zero + rear, zero, zero], axis=-1),
        ],
        axis=-2,
    )
    rear_heel = REAR_HEEL[0] + share * (REAR_HEEL[1] - REAR_HEEL[0])
    front_heel = share * parameters.front_heel_rise_m / body.feet.length
    lean, side = np.radians((parameters.trunk_lean_deg, parameters.trunk_side_deg))
    return StepPosture(
        hips=solution.stance_hips + share[..., None] * (solution.bottom_hips - solution.stance_hips),
        trunk_lean=share * lean,
        trunk_side=share * side,
        shoulder_tilt=-share * side,
        soles=soles,
        foot_pitch=np.arcsin(np.stack([front_heel, rear_heel], axis=-1)),
        swivel=np.zeros((*share.shape, 2)),
    )


def _soles(body: StepBody, parameters: InlineLungeParameters) -> tuple[float, float]:
    """Where the rear and the front foot's soles are under their ankles, metres along x."""
    between = body.toe_ahead + parameters.feet_apart * body.shank + body.heel_behind
    return -0.5 * between, 0.5 * between


@lru_cache(maxsize=64)
def _solve(parameters: InlineLungeParameters) -> _Solution:
    body = StepBody(parameters.scale, HOLD)
    rear, front = _soles(body, parameters)
    toe, heel = rear + body.toe_ahead, front - body.heel_behind
    level = [np.array([toe + place * (heel - toe), 0.5 * parameters.feet_offset_m, 0.0]) for place in HIPS_PLACE]
    flat = _Solution(body, level[0], level[1])
    stance = level[0] + np.array([0.0, 0.0, _highest(flat, parameters, level[0], share=0.0)])
    bottom = level[1] + np.array([0.0, 0.0, _bottom_height(flat, parameters, level[1])])
    return _Solution(body, stance, bottom)


def _highest(solution: _Solution, parameters: InlineLungeParameters, hips: Float64, *, share: float) -> float:
    """How high the hips can be after a share of the way down, metres. Raises ValueError where the feet are too far."""
    at = replace(solution, stance_hips=hips, bottom_hips=hips)
    posture = _posture(at, parameters, np.array(share))
    ankles, _ = solution.body.ankles(posture)
    level = np.sum((ankles - solution.body.hip_joints(posture))[:, :2] ** 2, axis=-1)
    if np.any(level >= solution.body.reach**2):
        raise ValueError(f"no lunge has these parameters: {_TOO_FAR}")
    return float((ankles[:, 2] + np.sqrt(solution.body.reach**2 - level)).min())


def _bottom_height(solution: _Solution, parameters: InlineLungeParameters, level: Float64) -> float:
    """How high the hips (x and y as `level`) are with the rear knee where it is wanted, metres: by bisection."""
    high = _highest(solution, parameters, level, share=1.0)
    low = 0.35 * high

    def knee_height(height: float) -> float:
        at = replace(solution, bottom_hips=level + np.array([0.0, 0.0, height]))
        return float(solution.body.positions(_posture(at, parameters, np.array(1.0)))[5, 2])

    wanted = parameters.rear_knee_height_m
    lowest, highest = knee_height(low), knee_height(high)
    if not lowest <= wanted <= highest:
        raise ValueError(
            f"no lunge has these parameters: with the feet there the rear knee is {lowest:.3f} to {highest:.3f} m up "
            f"and rear_knee_height_m is {wanted:g}; set it between, or change feet_apart"
        )
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if knee_height(middle) < wanted else (low, middle)
    return 0.5 * (low + high)
