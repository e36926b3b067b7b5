"""The standing leg raise of a parametric body: a clip whose every number is known, and those numbers."""

from dataclasses import dataclass
from functools import lru_cache
from math import floor

import numpy as np

from fitmotion_models.mover.body import Float64, about_y, about_z, center_of_mass, joint
from fitmotion_models.mover.checks import check_fps
from fitmotion_models.mover.clip import clip_from_matrices
from fitmotion_models.mover.legs import bone_matrices
from fitmotion_models.mover.limbs import reach
from fitmotion_models.mover.squat_timing import minimum_jerk
from fitmotion_models.mover.standing import BALANCE_AHEAD, balanced_hips
from fitmotion_models.mover.standing_raise_parameters import StandingLegRaiseParameters
from fitmotion_models.mover.step_body import STANCE_KNEE_FLEXION, Hold, StepBody, StepPosture
from fitmotion_models.skeleton.frames import mirror_clip
from fitmotion_models.skeleton.kinematics import positions_from_matrices
from fitmotion_models.skeleton.motion_clip import MotionClip
from fitmotion_models.skeleton.rotations import normalize

# hands beside the hips
HOLD = Hold(
    joints=("spine3", "spine3"),
    places=np.array([(0.02, 0.27, -0.32), (0.02, -0.27, -0.32)]),
    poles=np.array([(-1.0, 0.3, 0.0), (-1.0, -0.3, 0.0)]),
)
# the knee gives a little while the foot leaves the floor, or the heel would scrape it; at this share of the way up
_CLEARING = np.radians(26.0)
_CLEARING_AT = 0.16
_STEPS = 40
_PRECISION = 1e-6  # metres

_LEG = [joint("left_hip"), joint("left_knee"), joint("left_ankle"), joint("left_foot")]
_LEFT = np.array([0.0, 1.0, 0.0])


@dataclass(frozen=True)
class LegRaiseTimes:
    """Seconds from the clip's start: weight goes over, foot leaves, leg is up, leaves the top, foot is down, end."""

    start: float
    lift: float
    top_start: float
    top_end: float
    down: float
    end: float


@dataclass(frozen=True)
class StandingLegRaiseTruth:
    """The numbers at the top; metres and degrees, as in `StandingLegRaiseParameters`."""

    leg_deg: float
    knee_deg: float
    standing_knee_deg: float
    trunk_change_deg: float
    pelvis_tilt_deg: float
    stance_slip_m: float
    repetitions: tuple[LegRaiseTimes, ...]


@dataclass(frozen=True, eq=False)
class _Solution:
    """Built for a raise of the left leg. Hips (3,), metres, in stance, on one leg and (height apart) at the top."""

    body: StepBody
    stance_hips: Float64
    single_hips: Float64
    top_hips: Float64


def standing_leg_raise_clip(
    parameters: StandingLegRaiseParameters, *, fps: float = 30.0, subject: str = "mover"
) -> MotionClip:
    """A clip of one raise, repeated. A raise of the right leg is the mirror image of one of the left.

    The world's origin is on the floor between the ankles, x the way the body faces. confidence 1, no camera. Raises
    ValueError when no body can do what the parameters ask for or when fps is not a positive number.
    """
    check_fps(fps)
    solution = _solve(parameters)
    times, length = _times(parameters)
    stamps = np.arange(floor(length * fps + 1e-9) + 1) / fps
    root, world = _matrices(solution, parameters, *_shares(times, stamps))
    labels = ("standing_leg_raise", parameters.side)
    clip = clip_from_matrices(stamps, root, world, solution.body.bones, fps=fps, subject=subject, labels=labels)
    return clip if parameters.side == "left" else mirror_clip(clip)


def standing_leg_raise_truth(parameters: StandingLegRaiseParameters) -> StandingLegRaiseTruth:
    """The numbers that a clip of these parameters has at the top of every raise."""
    lean, side = np.tan(np.radians((parameters.trunk_lean_deg, parameters.trunk_side_deg)))
    return StandingLegRaiseTruth(
        leg_deg=parameters.leg_deg,
        knee_deg=parameters.knee_deg,
        standing_knee_deg=parameters.standing_knee_deg,
        trunk_change_deg=float(np.degrees(np.arctan(np.hypot(lean, side)))),
        pelvis_tilt_deg=parameters.pelvis_tilt_deg,
        stance_slip_m=parameters.stance_slip_m,
        repetitions=_times(parameters)[0],
    )


def _times(parameters: StandingLegRaiseParameters) -> tuple[tuple[LegRaiseTimes, ...], float]:
    """Times of all repetitions and the whole length, seconds."""
    now = parameters.stance_s
    times = []
    for _ in range(parameters.repetitions):
        lift = now + parameters.shift_s
        top = lift + parameters.raise_s
        leave = top + parameters.hold_s
        down = leave + parameters.raise_s
        times.append(LegRaiseTimes(now, lift, top, leave, down, down + parameters.shift_s))
        now = times[-1].end + parameters.pause_s
    return tuple(times), times[-1].end + parameters.stance_s


def _shares(times: tuple[LegRaiseTimes, ...], stamps: Float64) -> tuple[Float64, Float64]:
    """Share of the weight that has gone over (T,) and of the way up (T,), 0 to 1 and back."""

    def there_and_back(start: float, there: float, leave: float, back: float) -> Float64:
        return minimum_jerk((stamps - start) / (there - start)) - minimum_jerk((stamps - leave) / (back - leave))

    weight = sum(there_and_back(one.start, one.lift, one.down, one.end) for one in times)
    way = sum(there_and_back(one.lift, one.top_start, one.top_end, one.down) for one in times)
    return np.asarray(weight), np.asarray(way)


def _matrices(
    solution: _Solution, parameters: StandingLegRaiseParameters, weight: Float64, way: Float64
) -> tuple[Float64, Float64]:
    """Root positions (..., 3) and world matrices (..., 22, 3, 3) after shares of the weight and of the way up (...)."""
    body = solution.body
    root, world = body.matrices(_posture(solution, parameters, weight, way))
    grounded = _standing_leg_directions(solution, parameters)
    thigh, shank = _raised_leg(body, parameters, grounded, way)
    lifted = np.broadcast_to((way > 0.0)[..., None, None, None], (*way.shape, 4, 3, 3))
    hinge = np.broadcast_to(_LEFT, thigh.shape)
    own_yaw = np.arctan2(body.feet.toes[0, 1], body.feet.toes[0, 0])
    # the foot leaves the floor level and is at the top as it stood against its shank
    turned = np.arctan2(shank[..., 0], -shank[..., 2]) - np.arctan2(grounded[1][0], -grounded[1][2])
    turned = turned * minimum_jerk(2.0 * way)
    foot = about_y(-turned) @ about_z(-own_yaw + np.zeros_like(turned))
    raised = np.stack(
        [
            bone_matrices(body.bones[_LEG[1]], thigh, _across(hinge, thigh)),
            bone_matrices(body.bones[_LEG[2]], shank, _across(hinge, shank)),
            foot,
            foot,
        ],
        axis=-3,
    )
    world[..., _LEG, :, :] = np.where(lifted, raised, world[..., _LEG, :, :])
    return root, world


def _across(hinge: Float64, bone: Float64) -> Float64:
    """The hinge (..., 3) made perpendicular to a bone (..., 3)."""
    direction = normalize(bone)
    return normalize(hinge - np.sum(hinge * direction, axis=-1, keepdims=True) * direction)


def _raised_leg(
    body: StepBody, parameters: StandingLegRaiseParameters, grounded: Float64, way: Float64
) -> tuple[Float64, Float64]:
    """Directions (..., 3) of the raised thigh and shank after a share (...) of the way up.

    grounded: (2, 3) the same with the foot on the floor. The angles against straight down go evenly; what lies across
    the sagittal plane goes away.
    """
    flexion, leg = np.radians((parameters.knee_deg, parameters.leg_deg))
    length = float(reach(body.thigh, body.shank, flexion))
    # by the sines in the triangle of thigh, shank and leg
    at_hip = np.arcsin(body.shank * np.sin(flexion) / length)
    top = np.array([leg + at_hip, leg + at_hip - flexion])
    start = np.arctan2(grounded[:, 0], -grounded[:, 2])
    clearing = _CLEARING * 4.0 * _bump(way)
    angles = start + way[..., None] * (top - start) + np.stack([0.5 * clearing, -0.5 * clearing], axis=-1)
    aside = (1.0 - way)[..., None] * grounded[:, 1]
    level = np.sqrt(1.0 - aside**2)
    both = np.stack([level * np.sin(angles), aside, -level * np.cos(angles)], axis=-1)
    return both[..., 0, :], both[..., 1, :]


def _bump(way: Float64) -> Float64:
    """0 on the floor and at the top, 1/4 at `_CLEARING_AT` of the way, smooth."""
    power = np.log(0.5) / np.log(_CLEARING_AT)
    eased = np.clip(way, 0.0, 1.0) ** power
    result: Float64 = eased * (1.0 - eased)
    return result


def _posture(solution: _Solution, parameters: StandingLegRaiseParameters, weight: Float64, way: Float64) -> StepPosture:
    """The postures (...) of a raise of the left leg, that leg still on the floor."""
    body, half = solution.body, 0.5 * parameters.stance_width_m
    zero = 0.0 * way
    lean, side, tilt = np.radians((parameters.trunk_lean_deg, -parameters.trunk_side_deg, parameters.pelvis_tilt_deg))
    slip = way * parameters.stance_slip_m
    hips = (
        solution.stance_hips
        + weight[..., None] * (solution.single_hips - solution.stance_hips)
        + way[..., None] * (solution.top_hips - solution.single_hips)
    )
    # the standing knee bends by so much: that is how high the hips are
    flexion = STANCE_KNEE_FLEXION + way * (np.radians(parameters.standing_knee_deg) - STANCE_KNEE_FLEXION)
    level = np.hypot(hips[..., 0] - slip, hips[..., 1] - body.half_hips * np.cos(way * tilt) + half)
    height = np.sqrt(reach(body.thigh, body.shank, flexion) ** 2 - level**2) + body.ankle_height
    raised = height + body.half_hips * np.sin(way * tilt)
    hips[..., 2] = np.where(way > 0.0, raised, hips[..., 2])
    soles = np.stack([np.stack([zero, zero + half, zero], -1), np.stack([slip, zero - half, zero], -1)], axis=-2)
    return StepPosture(
        hips=hips,
        trunk_lean=way * lean,
        trunk_side=way * side,
        shoulder_tilt=-way * side,
        soles=soles,
        foot_pitch=np.zeros((*way.shape, 2)),
        swivel=np.zeros((*way.shape, 2)),
        pelvis_tilt=way * tilt,
    )


def _standing_leg_directions(solution: _Solution, parameters: StandingLegRaiseParameters) -> Float64:
    """Unit vectors (2, 3) along thigh and shank of the leg that will be raised, its foot still on the floor."""
    there = solution.body.positions(_posture(solution, parameters, np.array(1.0), np.array(0.0)))
    hip, knee, ankle = there[_LEG[:3]]
    return normalize(np.stack([knee - hip, ankle - knee]))


@lru_cache(maxsize=64)
def _solve(parameters: StandingLegRaiseParameters) -> _Solution:
    body = StepBody(parameters.scale, HOLD)
    width = parameters.stance_width_m
    ahead = BALANCE_AHEAD * parameters.scale
    nowhere = np.zeros(3)

    def stance_at(hips: Float64) -> StepPosture:
        return _posture(_Solution(body, hips, hips, nowhere), parameters, np.array(0.0), np.array(0.0))

    stance = balanced_hips(body, width, stance_at, np.array([ahead, 0.0]), right_leg_only=False)
    over_foot = np.array([ahead, -0.5 * width])
    single = balanced_hips(body, width, stance_at, over_foot, right_leg_only=True)
    # both feet are on the floor when the weight has gone over
    single[2] = min(single[2], _highest(body, width, single))
    top = single.copy()
    for _ in range(_STEPS):
        solution = _Solution(body, stance, single, top)
        root, world = _matrices(solution, parameters, np.array(1.0), np.array(1.0))
        mass = center_of_mass(positions_from_matrices(root, world, body.bones))
        missing = over_foot + (parameters.stance_slip_m, 0.0) - mass[:2]
        top = top + np.array([*missing, 0.0])
        if np.abs(missing).max() < _PRECISION:
            return _Solution(body, stance, single, top)
    raise ValueError(
        f"no body balances on one leg with leg_deg={parameters.leg_deg:g} and "
        f"trunk_lean_deg={parameters.trunk_lean_deg:g}; make one of them or trunk_side_deg smaller"
    )


def _highest(body: StepBody, width: float, hips: Float64) -> float:
    """How high the hips (3,) can be with both feet on the floor, knees as in stance, metres."""
    aside = hips[1] + np.array([1.0, -1.0]) * (body.half_hips - 0.5 * width)
    return float((np.sqrt(body.reach**2 - hips[0] ** 2 - aside**2) + body.ankle_height).min())
