"""The hurdle step of a parametric body: a clip whose every number is known, and those numbers."""

from dataclasses import dataclass, replace
from functools import lru_cache
from math import floor

import numpy as np

from fitmotion_models.mover.body import Float64, center_of_mass
from fitmotion_models.mover.checks import check_fps
from fitmotion_models.mover.clip import clip_from_matrices
from fitmotion_models.mover.hurdle_parameters import HurdleStepParameters
from fitmotion_models.mover.legs import SIDE_SIGN
from fitmotion_models.mover.squat_timing import minimum_jerk
from fitmotion_models.mover.step_body import Hold, StepBody, StepPosture
from fitmotion_models.skeleton.frames import mirror_clip
from fitmotion_models.skeleton.motion_clip import MotionClip

# the dowel lies behind the neck across the shoulders, held outside them; elbows down
HOLD = Hold(
    joints=("spine3", "spine3"),
    places=np.array([(-0.10, 0.42, 0.17), (-0.10, -0.42, 0.17)]),
    poles=np.array([(-0.3, 0.2, -1.0), (-0.3, -0.2, -1.0)]),
)
# where the heel touches beyond the hurdle, from heel to heel, and how far the pelvis goes with it, shares of the leg
TOUCH_AHEAD = 0.36
PELVIS_AHEAD = 0.10
TOES_UP_AT_TOUCH = np.radians(-15.0)
# Winter 1995: the centre of mass is about 5 cm ahead of the ankles
BALANCE_AHEAD = 0.05
_BALANCE_STEPS = 25
_BALANCE_PRECISION = 1e-5  # metres


@dataclass(frozen=True)
class HurdleStepTimes:
    """Seconds from the clip's start: weight goes over, foot leaves, heel is down beyond, leaves, foot is back, end."""

    start: float
    lift: float
    touch_start: float
    touch_end: float
    down: float
    end: float


@dataclass(frozen=True)
class HurdleStepTruth:
    """The numbers at the top of a step; metres and degrees, as in `HurdleStepParameters`.

    toe_height_m, knee_height_m: of the stepping foot's toe over the floor and of the standing leg's knee in stance.
    trunk_change_deg: between the lines from pelvis to neck at the top and in stance.
    """

    toe_height_m: float
    knee_height_m: float
    knee_out_m: float
    ankle_out_m: float
    trunk_change_deg: float
    shoulder_tilt_deg: float
    stance_slip_m: float
    repetitions: tuple[HurdleStepTimes, ...]


@dataclass(frozen=True, eq=False)
class _Solution:
    """Built for a step of the left leg. Hips (3,) metres in stance, on one leg and with the heel beyond."""

    body: StepBody
    stance_hips: Float64
    single_hips: Float64
    touch_hips: Float64
    knee_height: float
    top_swivel: float


def hurdle_step_clip(parameters: HurdleStepParameters, *, fps: float = 30.0, subject: str = "mover") -> MotionClip:
    """A clip of one hurdle step, repeated. A step of the right leg is the mirror image of one of the left.

    The world's origin is on the floor between the ankles, x the way the body faces. confidence 1, no camera. Raises
    ValueError when no body can do what the parameters ask for or when fps is not a positive number.
    """
    check_fps(fps)
    solution = _solve(parameters)
    times, length = _times(parameters)
    stamps = np.arange(floor(length * fps + 1e-9) + 1) / fps
    weight, way = _shares(times, stamps)
    posture = _posture(solution, parameters, weight, way)
    if solution.body.overreach(posture) > 1e-7:
        raise ValueError(f"no hurdle step has these parameters: the legs do not reach; lower toe_height or {_FAULTS}")
    root, world = solution.body.matrices(posture)
    clip = clip_from_matrices(
        stamps, root, world, solution.body.bones, fps=fps, subject=subject, labels=("hurdle_step", parameters.side)
    )
    return clip if parameters.side == "left" else mirror_clip(clip)


def hurdle_step_truth(parameters: HurdleStepParameters) -> HurdleStepTruth:
    """The numbers that a clip of these parameters has at the top of every step. Raises as `hurdle_step_clip`."""
    solution = _solve(parameters)
    lean, side = np.radians((parameters.trunk_lean_deg, parameters.trunk_side_deg))
    change = np.arctan(np.hypot(np.tan(lean), np.tan(side)))
    return HurdleStepTruth(
        toe_height_m=parameters.toe_height * solution.knee_height,
        knee_height_m=solution.knee_height,
        knee_out_m=parameters.knee_out_m,
        ankle_out_m=parameters.ankle_out_m,
        trunk_change_deg=float(np.degrees(change)),
        shoulder_tilt_deg=parameters.shoulder_tilt_deg,
        stance_slip_m=parameters.stance_slip_m,
        repetitions=_times(parameters)[0],
    )


_FAULTS = "make knee_out_m, ankle_out_m, trunk_lean_deg or stance_slip_m smaller"


def _times(parameters: HurdleStepParameters) -> tuple[tuple[HurdleStepTimes, ...], float]:
    """Times of all repetitions and the whole length, seconds."""
    now = parameters.stance_s
    times = []
    for _ in range(parameters.repetitions):
        lift = now + parameters.shift_s
        touch = lift + parameters.step_s
        leave = touch + parameters.touch_s
        down = leave + parameters.step_s
        times.append(HurdleStepTimes(now, lift, touch, leave, down, down + parameters.shift_s))
        now = times[-1].end + parameters.pause_s
    return tuple(times), times[-1].end + parameters.stance_s


def _shares(times: tuple[HurdleStepTimes, ...], stamps: Float64) -> tuple[Float64, Float64]:
    """Share of the weight that has gone over (T,) and of the way over the hurdle (T,), 0 to 1 and back."""

    def there_and_back(start: float, there: float, leave: float, back: float) -> Float64:
        return minimum_jerk((stamps - start) / (there - start)) - minimum_jerk((stamps - leave) / (back - leave))

    weight = sum(there_and_back(one.start, one.lift, one.down, one.end) for one in times)
    way = sum(there_and_back(one.lift, one.touch_start, one.touch_end, one.down) for one in times)
    return np.asarray(weight), np.asarray(way)


def _posture(solution: _Solution, parameters: HurdleStepParameters, weight: Float64, way: Float64) -> StepPosture:
    """The postures (T,) of a step of the left leg after shares of the weight's and of the foot's way."""
    top = 4.0 * way * (1.0 - way)  # 0 on the floor on both sides, 1 at the top
    ahead = minimum_jerk(way)
    body = solution.body
    hips = (
        solution.stance_hips
        + weight[..., None] * (solution.single_hips - solution.stance_hips)
        + ahead[..., None] * (solution.touch_hips - solution.single_hips)
    )
    home = 0.5 * parameters.stance_width_m
    line = solution.single_hips[1] + body.half_hips + parameters.ankle_out_m
    stepping = np.stack(
        [
            ahead * TOUCH_AHEAD * body.reach,
            home + minimum_jerk(2.0 * way) * (line - home),
            top * parameters.toe_height * solution.knee_height,
        ],
        axis=-1,
    )
    standing = np.stack([way * parameters.stance_slip_m, 0.0 * way - home, 0.0 * way], axis=-1)
    pitch = np.stack([TOES_UP_AT_TOUCH * minimum_jerk(2.0 * way - 1.0), 0.0 * way], axis=-1)
    lean, side, tilt = np.radians((parameters.trunk_lean_deg, -parameters.trunk_side_deg, parameters.shoulder_tilt_deg))
    return StepPosture(
        hips=hips,
        trunk_lean=top * lean,
        trunk_side=top * side,
        shoulder_tilt=top * tilt,
        soles=np.stack([stepping, standing], axis=-2),
        foot_pitch=pitch,
        swivel=np.stack([top * solution.top_swivel, 0.0 * top], axis=-1),
    )


@lru_cache(maxsize=64)
def _solve(parameters: HurdleStepParameters) -> _Solution:
    body = StepBody(parameters.scale, HOLD)
    first_guess = np.array([0.0, 0.0, 0.9 * body.reach])
    upright = _Solution(body, first_guess, first_guess, first_guess, knee_height=0.0, top_swivel=0.0)
    stance = _balanced(upright, parameters, weight=0.0, way=0.0)
    both_feet = _posture(
        replace(upright, stance_hips=stance, single_hips=stance, touch_hips=stance),
        parameters,
        np.array(0.0),
        np.array(0.0),
    )
    knee_height = float(_knees(body, both_feet)[1, 2])
    standing = replace(upright, stance_hips=stance, knee_height=knee_height)
    single = _balanced(standing, parameters, weight=1.0, way=0.5)
    touch = single + np.array([PELVIS_AHEAD * body.reach, 0.0, 0.0])
    ready = replace(standing, single_hips=single, touch_hips=touch)
    # both legs have to reach with the foot just leaving the floor and with the heel beyond
    single = _within_reach(ready, parameters, "single_hips", 0.0)
    ready = replace(ready, single_hips=single, touch_hips=np.array([touch[0], touch[1], single[2]]))
    ready = replace(ready, touch_hips=_within_reach(ready, parameters, "touch_hips", 1.0))
    at_top = _posture(ready, parameters, np.array(1.0), np.array(0.5))
    inward = np.array([parameters.ankle_out_m - parameters.knee_out_m, np.nan])
    # the ankle is out from the hip as it is on one leg; the hips at the top may be somewhat further on, not aside
    return replace(ready, top_swivel=float(body.swivel_for(at_top, inward)[0]))


def _knees(body: StepBody, posture: StepPosture) -> Float64:
    """Knees (2, 3), metres."""
    result: Float64 = body.positions(posture)[[4, 5]]
    return result


def _balanced(solution: _Solution, parameters: HurdleStepParameters, *, weight: float, way: float) -> Float64:
    """Hips (3,), metres, that put the centre of mass over the feet (weight 0) or over the standing foot (1)."""
    name = "single_hips" if weight else "stance_hips"
    target = np.array([BALANCE_AHEAD * parameters.scale, -0.5 * weight * parameters.stance_width_m])
    hips = solution.stance_hips.copy()
    for _ in range(_BALANCE_STEPS):
        hips[2] = _height(solution.body, parameters, hips, standing_only=bool(weight))
        # on one leg the pelvis is where it is for the whole step: the way's half has it there too
        trial = replace(solution, **{name: hips, "touch_hips": hips})  # type: ignore[arg-type]
        posture = _posture(trial, parameters, np.array(weight), np.array(way))
        missing = target - center_of_mass(solution.body.positions(posture))[:2]
        hips[:2] += missing
        if np.abs(missing).max() < _BALANCE_PRECISION:
            break
    hips[2] = _height(solution.body, parameters, hips, standing_only=bool(weight))
    return hips


def _height(body: StepBody, parameters: HurdleStepParameters, hips: Float64, *, standing_only: bool) -> float:
    """How high the hips are over feet at home, knees as in stance, metres."""
    aside = hips[1] + SIDE_SIGN * (body.half_hips - 0.5 * parameters.stance_width_m)
    heights = np.sqrt(body.reach**2 - hips[0] ** 2 - aside**2) + body.ankle_height
    return float(heights[1] if standing_only else heights.min())


def _within_reach(solution: _Solution, parameters: HurdleStepParameters, name: str, way: float) -> Float64:
    """The hips (3,) named so, lowered until both legs reach the floor after a share of the way."""
    posture = _posture(solution, parameters, np.array(1.0), np.array(way))
    ankles, _ = solution.body.ankles(posture)
    joints = solution.body.hip_joints(posture)
    level = np.sum((ankles - joints)[:, :2] ** 2, axis=-1)
    if np.any(level >= solution.body.reach**2):
        raise ValueError(f"no hurdle step has these parameters: the legs do not reach the floor; {_FAULTS}")
    highest = float((ankles[:, 2] + np.sqrt(solution.body.reach**2 - level)).min())
    hips: Float64 = getattr(solution, name).copy()
    hips[2] = min(hips[2], highest)
    return hips
