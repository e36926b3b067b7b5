"""The trunk stability push-up of a parametric body: a clip whose every number is known, and those numbers."""

from dataclasses import dataclass
from functools import lru_cache
from math import floor

import numpy as np

from fitmotion_models.mover.body import SIDES, Float64, about_y, joint
from fitmotion_models.mover.checks import check_fps
from fitmotion_models.mover.clip import clip_from_matrices
from fitmotion_models.mover.floor_body import (
    HIP_HEIGHT,
    SHOULDER_HEIGHT,
    WRIST_HEIGHT,
    FloorBody,
    FloorPosture,
    both_sides,
)
from fitmotion_models.mover.legs import SIDE_SIGN
from fitmotion_models.mover.limbs import reach
from fitmotion_models.mover.push_up_parameters import PushUpParameters
from fitmotion_models.mover.squat_timing import RepetitionTimes, depth_share
from fitmotion_models.skeleton.kinematics import feet_offsets
from fitmotion_models.skeleton.motion_clip import MotionClip

# toes tucked under: the foot stands nearly upright on its ball, the toes lie on the floor
FOOT_PITCH = np.radians(72.0)
# the hands are somewhat wider than the shoulders, metres of the mean body, and the elbows point aside and to the feet
_HANDS_ASIDE = 0.06
_ELBOW_POLES = both_sides((-0.5, 1.0, 0.25))
_CHECKED_EVERY_S = 0.01
_KNEES_DOWN = np.array([0.0, 0.0, -1.0])


@dataclass(frozen=True)
class PushUpTruth:
    """The numbers of every push-up, as in `PushUpParameters`; repetitions: seconds, their bottom is the top.

    hips_rise: how far the hips rise, shares of the shoulders' rise.
    """

    hands_ahead_m: float
    elbow_deg: float
    sag_deg: float
    hips_lag_s: float
    hips_rise: float
    repetitions: tuple[RepetitionTimes, ...]


@dataclass(frozen=True, eq=False)
class _Heights:
    """Hips and shoulders over the floor, metres, lying and at the top; the ankles' middle (3,)."""

    hips: tuple[float, float]
    shoulders: tuple[float, float]
    ankles: Float64


def push_up_clip(parameters: PushUpParameters, *, fps: float = 30.0, subject: str = "mover") -> MotionClip:
    """A clip of one push-up, repeated.

    The world's origin is on the floor under the hips of the lying body, its head is towards x. confidence 1, no camera.
    Raises ValueError when no body can do what the parameters ask for or when fps is not a positive number.
    """
    check_fps(fps)
    _check_possible(parameters)
    times, length = _times(parameters)
    stamps = np.arange(floor(length * fps + 1e-9) + 1) / fps
    body = FloorBody(parameters.scale)
    root, world = body.matrices(_posture(body, parameters, *_shares(parameters, times, stamps)))
    return clip_from_matrices(
        stamps, root, world, body.bones, fps=fps, subject=subject, labels=("trunk_stability_push_up",)
    )


def push_up_truth(parameters: PushUpParameters) -> PushUpTruth:
    """The numbers that a clip of these parameters has. Raises as `push_up_clip`."""
    _check_possible(parameters)
    body = FloorBody(parameters.scale)
    heights = _heights(body, parameters, _feet(body)[2], _wrists(body, parameters))
    return PushUpTruth(
        hands_ahead_m=parameters.hands_ahead_m,
        elbow_deg=parameters.elbow_deg,
        sag_deg=parameters.sag_deg,
        hips_lag_s=parameters.hips_lag_s,
        hips_rise=float(np.ptp(heights.hips) / np.ptp(heights.shoulders)),
        repetitions=_times(parameters)[0],
    )


def _times(parameters: PushUpParameters) -> tuple[tuple[RepetitionTimes, ...], float]:
    """Times of all repetitions and the whole length, seconds."""
    now = parameters.stance_s
    times = []
    for _ in range(parameters.repetitions):
        top = now + parameters.rise_s
        times.append(RepetitionTimes(now, top, top + parameters.hold_s, top + parameters.hold_s + parameters.lower_s))
        now = times[-1].end + parameters.pause_s
    return tuple(times), times[-1].end + parameters.stance_s


@lru_cache(maxsize=64)
def _check_possible(parameters: PushUpParameters) -> None:
    """Raise ValueError when the body can't do some instant of it: arms that reach at the top may not on the way."""
    times, _ = _times(parameters)
    stamps = np.arange(times[0].start, times[0].end, _CHECKED_EVERY_S)
    _posture(FloorBody(parameters.scale), parameters, *_shares(parameters, times[:1], stamps))


def _shares(
    parameters: PushUpParameters, times: tuple[RepetitionTimes, ...], stamps: Float64
) -> tuple[Float64, Float64]:
    """Shares (T,) of the ways of hips and shoulders at some stamps (T,)."""
    hips = np.sum([depth_share(_late(one, parameters), stamps) for one in times], axis=0)
    return hips, np.sum([depth_share(one, stamps) for one in times], axis=0)


def _late(one: RepetitionTimes, parameters: PushUpParameters) -> RepetitionTimes:
    """When the hips go up: later; they come down with the shoulders."""
    lag = parameters.hips_lag_s
    return RepetitionTimes(one.start + lag, one.bottom_start + lag, one.bottom_end, one.end)


def _posture(body: FloorBody, parameters: PushUpParameters, hips_way: Float64, shoulders_way: Float64) -> FloorPosture:
    """Postures (T,) after shares (T,) of the ways of hips and shoulders."""
    feet, toes, ankles = _feet(body)
    wrists = _wrists(body, parameters)
    heights = _heights(body, parameters, ankles, wrists)
    hip = heights.hips[0] + hips_way * (heights.hips[1] - heights.hips[0])
    shoulder = heights.shoulders[0] + shoulders_way * (heights.shoulders[1] - heights.shoulders[0])
    hips, trunk = _trunk(body, heights.ankles, hip, shoulder)
    sockets = body.hip_joints(hips, trunk)
    there = np.broadcast_to(ankles, sockets.shape)
    thighs, shanks, hinges = body.legs_to(sockets, there, _KNEES_DOWN)
    shoulders = body.shoulder_joints(hips, trunk)
    upper, fore = body.arms_to(shoulders, np.broadcast_to(wrists, shoulders.shape), _ELBOW_POLES)
    frames = len(hip)
    return FloorPosture(
        hips=hips,
        trunk=trunk,
        head=trunk,
        upper_arms=upper,
        forearms=fore,
        thighs=thighs,
        shanks=shanks,
        hinges=hinges,
        feet=np.tile(feet, (frames, 2, 1, 1)),
        toes=np.tile(toes, (frames, 2, 1, 1)),
    )


def _leg(body: FloorBody) -> float:
    """From the hips' to the ankles' middle, metres: the knees straight but for what keeps their axis defined."""
    return float(reach(body.thigh, body.shank, np.radians(2.0)))


def _feet(body: FloorBody) -> tuple[Float64, Float64, Float64]:
    """World matrices (3, 3) of feet and toes, and the ankles (2, 3), the lying hips over the origin."""
    feet, toes = about_y(np.array(FOOT_PITCH)), np.eye(3)
    balls = body.bones[[joint(f"{side}_foot") for side in SIDES]]
    tips = feet_offsets(body.bones)[[1, 3]]
    height = -tips[0, 2] - (feet @ balls[0])[2]
    drop = HIP_HEIGHT * body.scale - height
    behind = -np.sqrt(_leg(body) ** 2 - drop**2)
    aside = SIDE_SIGN * body.hip_joints(np.zeros(3), np.eye(3))[0, 1]
    return feet, toes, np.stack([np.full(2, behind), aside, np.full(2, height)], axis=-1)


def _wrists(body: FloorBody, parameters: PushUpParameters) -> Float64:
    """Wrists (2, 3) on the floor, metres."""
    hips = np.array([0.0, 0.0, HIP_HEIGHT * body.scale])
    trunk = body.trunk(_lying_elevation(body), prone=True)
    shoulders = body.shoulder_joints(hips, trunk)
    wrists = shoulders + both_sides((parameters.hands_ahead_m, _HANDS_ASIDE * body.scale, 0.0))
    wrists[:, 2] = WRIST_HEIGHT * body.scale
    return wrists


def _lying_elevation(body: FloorBody) -> float:
    return float(np.arcsin((SHOULDER_HEIGHT - HIP_HEIGHT) * body.scale / body.trunk_length))


def _trunk(body: FloorBody, ankles: Float64, hip: Float64, shoulder: Float64) -> tuple[Float64, Float64]:
    """The hips' middle (T, 3) and the trunk's matrices (T, 3, 3) for heights (T,) of hips and shoulders, metres."""
    along = np.sqrt(_leg(body) ** 2 - (hip - ankles[2]) ** 2)
    hips = np.stack([ankles[0] + along, np.zeros_like(hip), hip], axis=-1)
    return hips, body.trunk(np.arcsin((shoulder - hip) / body.trunk_length), prone=True)


def _heights(body: FloorBody, parameters: PushUpParameters, ankles: Float64, wrists: Float64) -> _Heights:
    """Solve the top: the legs' elevation at which the arms have the wanted flexion, the trunk bent by the sag."""
    middle = ankles.mean(axis=0)
    arm = float(reach(body.upper_arm, body.forearm, np.radians(parameters.elbow_deg)))
    sag = np.radians(parameters.sag_deg)

    def heights(elevation: Float64) -> tuple[Float64, Float64]:
        hip = middle[2] + _leg(body) * np.sin(elevation)
        return hip, hip + body.trunk_length * np.sin(elevation + sag)

    tries = np.linspace(-0.5, 0.9, 281)
    for _ in range(6):  # each time between the two tries on both sides of the arm's length, 70 times finer
        hips, trunk = _trunk(body, middle, *heights(tries))
        gap = np.linalg.norm((body.shoulder_joints(hips, trunk) - wrists)[..., 0, :], axis=-1) - arm
        above = np.flatnonzero((gap[:-1] <= 0.0) & (gap[1:] > 0.0))
        if not len(above):
            raise ValueError(
                f"no push-up has these parameters: the arms do not reach with elbow_deg={parameters.elbow_deg:g}, "
                f"sag_deg={parameters.sag_deg:g}, hands_ahead_m={parameters.hands_ahead_m:g}; "
                "ask for less of one"
            )
        tries = np.linspace(tries[above[-1]], tries[above[-1] + 1], 71)
    hip, shoulder = heights(tries[35])
    lowest = 0.75 * HIP_HEIGHT * body.scale
    if hip < lowest:
        raise ValueError(
            f"sag_deg={parameters.sag_deg:g} would bring the hips to {float(hip):.2f} m over the floor; they are "
            f"{lowest:.2f} m thick; ask for less, or for elbows that are straighter"
        )
    scale = body.scale
    return _Heights((HIP_HEIGHT * scale, float(hip)), (SHOULDER_HEIGHT * scale, float(shoulder)), middle)
