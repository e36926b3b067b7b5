"""The active straight leg raise of a parametric body: a clip whose every number is known, and those numbers."""

from dataclasses import dataclass
from math import floor

import numpy as np

from fitmotion_models.mover.body import Float64, about_y
from fitmotion_models.mover.checks import check_fps
from fitmotion_models.mover.clip import clip_from_matrices
from fitmotion_models.mover.floor_body import (
    ANKLE_HEIGHT,
    HIP_HEIGHT,
    SHOULDER_HEIGHT,
    WRIST_HEIGHT,
    FloorBody,
    FloorPosture,
    both_sides,
)
from fitmotion_models.mover.leg_raise_parameters import LegRaiseParameters
from fitmotion_models.mover.limbs import reach
from fitmotion_models.mover.squat_timing import RepetitionTimes, depth_share
from fitmotion_models.skeleton.frames import mirror_clip
from fitmotion_models.skeleton.motion_clip import MotionClip

# nobody lies with locked knees; it also keeps the knees' axes defined
LYING_KNEE_FLEXION = np.radians(2.0)
# the arms lie beside the body, palms up: how far the wrists are from the shoulders, metres of the mean body
_ARM_ASIDE, _ARM_ALONG = 0.12, 0.48
_KNEES_UP = np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True)
class LegRaiseTruth:
    """The numbers at the top of every raise, as in `LegRaiseParameters`; repetitions: seconds."""

    ankle_over: float
    raised_knee_deg: float
    other_knee_deg: float
    other_lift_m: float
    repetitions: tuple[RepetitionTimes, ...]


def leg_raise_clip(parameters: LegRaiseParameters, *, fps: float = 30.0, subject: str = "mover") -> MotionClip:
    """A clip of one leg raised, repeated. A raise of the right leg is the mirror image of one of the left.

    The world's origin is on the floor under the hips, the feet are towards x. confidence 1, no camera. Raises
    ValueError when no body can do what the parameters ask for or when fps is not a positive number.
    """
    check_fps(fps)
    times, length = _times(parameters)
    stamps = np.arange(floor(length * fps + 1e-9) + 1) / fps
    way = np.sum([depth_share(one, stamps) for one in times], axis=0)
    body = FloorBody(parameters.scale)
    root, world = body.matrices(_posture(body, parameters, way))
    clip = clip_from_matrices(
        stamps, root, world, body.bones, fps=fps, subject=subject,
        labels=("active_straight_leg_raise", parameters.side),
    )  # fmt: skip
    return clip if parameters.side == "left" else mirror_clip(clip)


def leg_raise_truth(parameters: LegRaiseParameters) -> LegRaiseTruth:
    """The numbers that a clip of these parameters has at the top of every raise. Raises as `leg_raise_clip`."""
    _posture(FloorBody(parameters.scale), parameters, np.ones(1))
    return LegRaiseTruth(
        ankle_over=parameters.ankle_over,
        raised_knee_deg=parameters.raised_knee_deg,
        other_knee_deg=parameters.other_knee_deg,
        other_lift_m=parameters.other_lift_m,
        repetitions=_times(parameters)[0],
    )


def _times(parameters: LegRaiseParameters) -> tuple[tuple[RepetitionTimes, ...], float]:
    """Times of all repetitions and the whole length, seconds."""
    now = parameters.stance_s
    times = []
    for _ in range(parameters.repetitions):
        top = now + parameters.raise_s
        times.append(RepetitionTimes(now, top, top + parameters.hold_s, top + parameters.hold_s + parameters.lower_s))
        now = times[-1].end + parameters.pause_s
    return tuple(times), times[-1].end + parameters.stance_s


def _posture(body: FloorBody, parameters: LegRaiseParameters, way: Float64) -> FloorPosture:
    """Postures (T,) of a raise of the left leg after shares (T,) of its way."""
    hips = np.array([0.0, 0.0, HIP_HEIGHT * body.scale])
    drop = (SHOULDER_HEIGHT - HIP_HEIGHT) * body.scale
    trunk = body.trunk(np.arcsin(drop / body.trunk_length), prone=False)
    sockets = body.hip_joints(hips, trunk)
    other_ankle = _other_ankle(body, parameters, sockets[1], way)
    raised_ankle = _raised_ankle(body, parameters, sockets, way)
    ankles = np.stack([raised_ankle, other_ankle], axis=-2)
    # a straight leg that is raised bends its knee away from the floor it came from
    elevation = np.arctan2(ankles[..., 2] - sockets[:, 2], ankles[..., 0] - sockets[:, 0])
    poles = np.stack([-np.sin(elevation), np.zeros_like(elevation), np.cos(elevation)], axis=-1)
    thighs, shanks, hinges = body.legs_to(np.broadcast_to(sockets, ankles.shape), ankles, poles)
    shoulders = body.shoulder_joints(hips, trunk)
    wrists = shoulders + both_sides((_ARM_ALONG * body.scale, _ARM_ASIDE * body.scale, 0.0))
    wrists[:, 2] = WRIST_HEIGHT * body.scale
    upper, fore = body.arms_to(shoulders, wrists, both_sides((0.0, 1.0, -0.2)))
    # the raised foot at a right angle to its shank; the other one stays on its heel
    slopes = np.arctan2(shanks[..., 2], shanks[..., 0])
    slopes[:, 1] = np.arcsin((ANKLE_HEIGHT - HIP_HEIGHT) * body.scale / (body.thigh + body.shank))
    feet = about_y(-0.5 * np.pi - slopes)
    frames = len(way)
    return FloorPosture(
        hips=np.tile(hips, (frames, 1)),
        trunk=np.tile(trunk, (frames, 1, 1)),
        head=np.tile(trunk, (frames, 1, 1)),
        upper_arms=np.tile(upper, (frames, 1, 1)),
        forearms=np.tile(fore, (frames, 1, 1)),
        thighs=thighs,
        shanks=shanks,
        hinges=hinges,
        feet=feet,
        toes=feet,
    )


def _other_ankle(body: FloorBody, parameters: LegRaiseParameters, socket: Float64, way: Float64) -> Float64:
    """The ankle (T, 3) of the leg that should lie still."""
    bend = LYING_KNEE_FLEXION + way * (np.radians(parameters.other_knee_deg) - LYING_KNEE_FLEXION)
    height = ANKLE_HEIGHT * body.scale + way * parameters.other_lift_m
    along = np.sqrt(reach(body.thigh, body.shank, bend) ** 2 - (height - socket[2]) ** 2)
    return np.stack([socket[0] + along, np.full_like(way, socket[1]), height], axis=-1)


def _raised_ankle(body: FloorBody, parameters: LegRaiseParameters, sockets: Float64, way: Float64) -> Float64:
    """The raised ankle (T, 3), in the sagittal plane of its hip."""
    lying = reach(body.thigh, body.shank, LYING_KNEE_FLEXION)
    top = reach(body.thigh, body.shank, np.radians(parameters.raised_knee_deg))
    low = np.arcsin((ANKLE_HEIGHT - HIP_HEIGHT) * body.scale / lying)
    ahead = (1.0 - parameters.ankle_over) * _knee_ahead(body, parameters, sockets[1])
    if abs(ahead) >= top:
        raise ValueError(
            f"ankle_over={parameters.ankle_over:g} is out of the leg's reach with raised_knee_deg="
            f"{parameters.raised_knee_deg:g}; ask for a place nearer to the hip (1)"
        )
    angle = low + way * (np.arccos(ahead / top) - low)
    bend = LYING_KNEE_FLEXION + way * (np.radians(parameters.raised_knee_deg) - LYING_KNEE_FLEXION)
    distance = reach(body.thigh, body.shank, bend)
    out = np.stack([distance * np.cos(angle), np.zeros_like(way), distance * np.sin(angle)], axis=-1)
    result: Float64 = sockets[0] + out
    return result


def _knee_ahead(body: FloorBody, parameters: LegRaiseParameters, socket: Float64) -> float:
    """How far the other leg's knee is from its hip at the top, along the floor, metres."""
    ankle = _other_ankle(body, parameters, socket, np.ones(1))
    thighs, _, _ = body.legs_to(socket[None, None], ankle[:, None], _KNEES_UP)
    return float(body.thigh * thighs[0, 0, 0])
