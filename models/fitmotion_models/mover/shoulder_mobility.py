"""The reach of both fists to the back of a parametric body: a clip whose every number is known, and those numbers."""

from dataclasses import dataclass
from functools import lru_cache
from math import floor

import numpy as np

from fitmotion_models.mover.body import Float64, joint
from fitmotion_models.mover.checks import check_fps
from fitmotion_models.mover.clip import clip_from_matrices
from fitmotion_models.mover.shoulder_parameters import ShoulderMobilityParameters
from fitmotion_models.mover.squat_timing import RepetitionTimes, depth_share
from fitmotion_models.mover.standing import BALANCE_AHEAD, balanced_hips
from fitmotion_models.mover.step_body import Hold, StepBody, StepPosture
from fitmotion_models.skeleton.frames import mirror_clip
from fitmotion_models.skeleton.kinematics import REST_STATURE
from fitmotion_models.skeleton.motion_clip import MotionClip

# wrist crease to the tip of the middle finger over stature (Drillis & Contini 1966)
HAND_LENGTH = 0.108 * REST_STATURE
# a fist reaches from the wrist as far as the palm does: palm over hand length, men and women (Gordon et al. 1989,
# ANSUR: 10.5 cm of 18.7)
FIST_OF_HAND = 0.56

# Wrists in the frame of spine3, metres on the mean body: hanging and on the way, out to the side and over the head for
# the left arm, out and back for the right one. Chosen for the looks of it, as all places here.
_WAY = np.array(
    [
        [(0.02, 0.235, -0.330), (0.02, -0.235, -0.330)],
        [(0.15, 0.80, 0.30), (-0.08, -0.36, -0.30)],
        [(-0.10, 0.25, 0.90), (-0.32, -0.33, -0.24)],
    ]
)
# how far the wrists lie behind the spine's joints, on the back
_BEHIND = -0.135
# The upper wrist's height while the fists touch, and the share of a longer distance by which it stays higher: a stiff
# shoulder gets neither hand as far.
_UPPER_HEIGHT = 0.115
_UPPER_SHARE = 0.40
# each wrist on its own arm's side of the spine
_WRIST_ASIDE = 0.02
# Elbows: hanging behind the arms; on the way the upper one below, then beside the hand; at last up, the lower one out
# and back.
_POLES = np.array(
    [
        [(-1.0, 0.25, 0.0), (-1.0, -0.25, 0.0)],
        [(-0.8, 0.3, -0.8), (-1.0, -0.6, 0.0)],
        [(0.1, 1.2, 0.0), (-0.6, -0.9, 0.0)],
        [(0.2, 0.45, 1.0), (-0.4, -1.0, -0.1)],
    ]
)
_COLLAR_LIFT = np.radians((28.0, 0.0))


@dataclass(frozen=True)
class ShoulderMobilityTruth:
    """The numbers while the fists are held; metres, hand lengths and degrees as in `ShoulderMobilityParameters`."""

    fists_apart: float
    wrist_distance_m: float
    hand_length_m: float
    trunk_change_deg: float
    repetitions: tuple[RepetitionTimes, ...]


def shoulder_mobility_clip(
    parameters: ShoulderMobilityParameters, *, fps: float = 30.0, subject: str = "mover"
) -> MotionClip:
    """A clip of one reach, repeated. With the right arm on top it is the mirror image of one with the left.

    The world's origin is on the floor between the ankles, x the way the body faces. confidence 1, no camera. Raises
    ValueError when the arms do not reach as asked or when fps is not a positive number.
    """
    check_fps(fps)
    times, length = _times(parameters)
    stamps = np.arange(floor(length * fps + 1e-9) + 1) / fps
    share = np.asarray(sum(depth_share(one, stamps) for one in times))
    body = StepBody(parameters.scale, _hold(parameters, share))
    hips = _hips(parameters)
    _check_reach(parameters, hips)
    root, world = body.matrices(_posture(parameters, hips, share))
    labels = ("shoulder_mobility", parameters.side)
    clip = clip_from_matrices(stamps, root, world, body.bones, fps=fps, subject=subject, labels=labels)
    return clip if parameters.side == "left" else mirror_clip(clip)


def shoulder_mobility_truth(parameters: ShoulderMobilityParameters) -> ShoulderMobilityTruth:
    """The numbers that a clip of these parameters has while the fists are held."""
    lean, side = np.tan(np.radians((parameters.trunk_lean_deg, parameters.trunk_side_deg)))
    return ShoulderMobilityTruth(
        fists_apart=parameters.fists_apart,
        wrist_distance_m=_wrist_distance(parameters),
        hand_length_m=HAND_LENGTH * parameters.scale,
        trunk_change_deg=float(np.degrees(np.arctan(np.hypot(lean, side)))),
        repetitions=_times(parameters)[0],
    )


def _wrist_distance(parameters: ShoulderMobilityParameters) -> float:
    return (parameters.fists_apart + 2.0 * FIST_OF_HAND) * HAND_LENGTH * parameters.scale


def _times(parameters: ShoulderMobilityParameters) -> tuple[tuple[RepetitionTimes, ...], float]:
    """Times of all repetitions and the whole length, seconds."""
    now = parameters.stance_s
    times = []
    for _ in range(parameters.repetitions):
        there, leave = now + parameters.reach_s, now + parameters.reach_s + parameters.hold_s
        times.append(RepetitionTimes(now, there, leave, leave + parameters.return_s))
        now = times[-1].end + parameters.pause_s
    return tuple(times), times[-1].end + parameters.stance_s


def _hold(parameters: ShoulderMobilityParameters, share: Float64) -> Hold:
    """Where the hands are after a share (...) of the way to the back, on a curve that leads around head and trunk."""
    scale = parameters.scale
    distance = _wrist_distance(parameters) / scale
    up = np.sqrt(distance**2 - (2.0 * _WRIST_ASIDE) ** 2)
    top = _UPPER_HEIGHT + _UPPER_SHARE * (up - 2.0 * FIST_OF_HAND * HAND_LENGTH)
    aside = parameters.fists_aside_m / scale
    held = np.array([(_BEHIND, aside + _WRIST_ASIDE, top), (_BEHIND, aside - _WRIST_ASIDE, top - up)])
    return Hold(
        joints=("spine3", "spine3"),
        places=scale * _curve(np.concatenate([_WAY, held[None]]), share),
        poles=_curve(_POLES, share),
        collar_lift=share[..., None] * _COLLAR_LIFT,
    )


def _curve(points: Float64, share: Float64) -> Float64:
    """Bezier's cubic curve (..., 2, 3) from the first to the last of points (4, 2, 3)."""
    t = share[..., None, None]
    result: Float64 = (
        (1.0 - t) ** 3 * points[0]
        + 3.0 * (1.0 - t) ** 2 * t * points[1]
        + 3.0 * (1.0 - t) * t**2 * points[2]
        + t**3 * points[3]
    )
    return result


def _posture(parameters: ShoulderMobilityParameters, hips: Float64, share: Float64) -> StepPosture:
    zero = 0.0 * share
    half = 0.5 * parameters.stance_width_m
    lean, side = np.radians((parameters.trunk_lean_deg, parameters.trunk_side_deg))
    feet = np.stack([np.stack([zero, zero + half, zero], -1), np.stack([zero, zero - half, zero], -1)], axis=-2)
    return StepPosture(
        hips=hips + zero[..., None],
        trunk_lean=share * lean,
        trunk_side=share * side,
        shoulder_tilt=-share * side,
        soles=feet,
        foot_pitch=np.zeros((*share.shape, 2)),
        swivel=np.zeros((*share.shape, 2)),
    )


def _check_reach(parameters: ShoulderMobilityParameters, hips: Float64) -> None:
    """Raise ValueError where the arms are too short to hold the fists so."""
    held = np.array(1.0)
    there = StepBody(parameters.scale, _hold(parameters, held)).positions(_posture(parameters, hips, held))
    distance = float(np.linalg.norm(there[joint("left_wrist")] - there[joint("right_wrist")]))
    if abs(distance - _wrist_distance(parameters)) > 1e-6:
        raise ValueError(
            f"no arms hold the fists fists_apart={parameters.fists_apart:g} hand lengths from each other at "
            f"fists_aside_m={parameters.fists_aside_m:g}; bring them nearer to each other or to the spine"
        )


@lru_cache(maxsize=64)
def _hips(parameters: ShoulderMobilityParameters) -> Float64:
    """Where the middle of the hip joints is, (3,) metres: over the feet, arms hanging."""
    standing = np.array(0.0)
    return balanced_hips(
        StepBody(parameters.scale, _hold(parameters, standing)),
        parameters.stance_width_m,
        lambda hips: _posture(parameters, hips, standing),
        np.array([BALANCE_AHEAD * parameters.scale, 0.0]),
        right_leg_only=False,
    )
