"""The rotary stability test of a parametric body: a clip whose every number is known, and those numbers."""

from dataclasses import dataclass
from math import floor

import numpy as np

from fitmotion_models.mover.body import Float64, about_x, about_y, joint
from fitmotion_models.mover.checks import check_fps
from fitmotion_models.mover.clip import clip_from_matrices
from fitmotion_models.mover.floor_body import ANKLE_HEIGHT, KNEE_HEIGHT, WRIST_HEIGHT, FloorBody, FloorPosture
from fitmotion_models.mover.limbs import reach
from fitmotion_models.mover.rotary_parameters import RotaryStabilityParameters
from fitmotion_models.mover.squat_timing import RepetitionTimes, minimum_jerk
from fitmotion_models.skeleton.frames import mirror_clip
from fitmotion_models.skeleton.kinematics import feet_offsets
from fitmotion_models.skeleton.motion_clip import MotionClip
from fitmotion_models.skeleton.rotations import normalize

# elbows of the hand that stands are not locked
ELBOW_FLEXION = np.radians(8.0)
# where elbow and knee meet under the trunk, beside its middle, metres of the mean body: same side, diagonal
_MEET_ASIDE = (0.12, 0.02)
# stretched out: arm and thigh, somewhat up; where the shank is at the touch
_ARM_OUT = np.array([1.0, 0.1, 0.05])
_LEG_OUT = np.array([-1.0, 0.05, -0.05])
_SHANK_AT_TOUCH = np.array([-1.0, 0.0, 0.1])
_FOREARM_AT_TOUCH = np.array([0.9, 0.0, 0.35])
_SHANK_LIFT = np.array([0.0, 0.0, 0.35])
_ELBOWS_BACK = np.array([-1.0, 0.0, 0.0])
# the nearest that elbow and knee can be, metres of the mean body: they are thick
_CLOSEST = 0.02


@dataclass(frozen=True)
class RotaryStabilityTruth:
    """The numbers of every repetition, as in `RotaryStabilityParameters`; repetitions: seconds, bottom is the touch."""

    elbow_to_knee_m: float
    trunk_roll_deg: float
    sway_m: float
    repetitions: tuple[RepetitionTimes, ...]


@dataclass(frozen=True, eq=False)
class _Limbs:
    """Directions of the moving limbs, (3,) each: upper arm, forearm, thigh, shank."""

    upper_arm: Float64
    forearm: Float64
    thigh: Float64
    shank: Float64


def rotary_stability_clip(
    parameters: RotaryStabilityParameters, *, fps: float = 30.0, subject: str = "mover"
) -> MotionClip:
    """A clip of one repetition, repeated; with the right arm it is the mirror image of one with the left.

    The world's origin is on the floor under the hips, the head is towards x. confidence 1, no camera. Raises ValueError
    when no body can do what the parameters ask for or when fps is not a positive number.
    """
    check_fps(fps)
    times, length = _times(parameters)
    stamps = np.arange(floor(length * fps + 1e-9) + 1) / fps
    body = FloorBody(parameters.scale)
    out, touch = _shares(parameters, times, stamps)
    root, world = body.matrices(_posture(body, parameters, out, touch))
    kind = "diagonal" if parameters.diagonal else "same_side"
    clip = clip_from_matrices(
        stamps, root, world, body.bones, fps=fps, subject=subject,
        labels=("rotary_stability", kind, parameters.side),
    )  # fmt: skip
    return clip if parameters.side == "left" else mirror_clip(clip)


def rotary_stability_truth(parameters: RotaryStabilityParameters) -> RotaryStabilityTruth:
    """The numbers that a clip of these parameters has. Raises as `rotary_stability_clip`."""
    _posture(FloorBody(parameters.scale), parameters, np.ones(1), np.ones(1))
    return RotaryStabilityTruth(
        elbow_to_knee_m=parameters.elbow_to_knee_m,
        trunk_roll_deg=parameters.trunk_roll_deg,
        sway_m=parameters.sway_m,
        repetitions=_times(parameters)[0],
    )


def _times(parameters: RotaryStabilityParameters) -> tuple[tuple[RepetitionTimes, ...], float]:
    """Times of all repetitions and the whole length, seconds."""
    now = parameters.stance_s
    times = []
    one_way = parameters.extend_s + parameters.flex_s
    for _ in range(parameters.repetitions):
        touch = now + one_way
        leave = touch + parameters.hold_s
        times.append(RepetitionTimes(now, touch, leave, leave + one_way))
        now = times[-1].end + parameters.pause_s
    return tuple(times), times[-1].end + parameters.stance_s


def _shares(
    parameters: RotaryStabilityParameters, times: tuple[RepetitionTimes, ...], stamps: Float64
) -> tuple[Float64, Float64]:
    """Shares (T,) of the way from the floor to stretched out, and of that on to the touch, there and back."""
    out, touch = np.zeros_like(stamps), np.zeros_like(stamps)
    extend, flex = parameters.extend_s, parameters.flex_s
    for one in times:
        out += minimum_jerk((stamps - one.start) / extend) - minimum_jerk((stamps - (one.end - extend)) / extend)
        touch += minimum_jerk((stamps - (one.bottom_start - flex)) / flex)
        touch -= minimum_jerk((stamps - one.bottom_end) / flex)
    return out, touch


def _posture(body: FloorBody, parameters: RotaryStabilityParameters, out: Float64, touch: Float64) -> FloorPosture:
    """Postures (T,) of a repetition with the left arm; out, touch: (T,) shares of the two ways."""
    leg = 1 if parameters.diagonal else 0
    place = _Place(body, 1 - leg)
    hips, trunk = place.trunk(-parameters.sway_m * out, np.radians(parameters.trunk_roll_deg) * touch)
    upper, fore, thighs, shanks = place.limbs(hips, trunk)
    met = _at_touch(body, parameters, place, leg)
    still = place.limbs(*place.trunk(np.zeros(1), np.zeros(1)))
    side = np.array([1.0, 1.0 if leg == 0 else -1.0, 1.0])
    upper[:, 0] = _moved(still[0][:, 0], _ARM_OUT, met.upper_arm, out, touch)
    fore[:, 0] = _moved(still[1][:, 0], _ARM_OUT, met.forearm, out, touch)
    thighs[:, leg] = _moved(still[2][:, leg], _LEG_OUT * side, met.thigh, out, touch)
    # the shank is lifted while the knee passes under the hip: the foot would touch the floor
    passing = (4.0 * touch * (1.0 - touch))[..., None] * _SHANK_LIFT
    shanks[:, leg] = normalize(_moved(still[3][:, leg], _LEG_OUT * side, met.shank, out, touch) + passing)
    feet = _pointed_feet(body, shanks)
    return FloorPosture(
        hips=hips,
        trunk=trunk,
        head=trunk,
        upper_arms=upper,
        forearms=fore,
        thighs=thighs,
        shanks=shanks,
        hinges=np.broadcast_to(np.array([0.0, 1.0, 0.0]), thighs.shape),
        feet=feet,
        toes=feet,
    )


class _Place:
    """Where a body on all fours stands on the floor: knees under the hips, hands under the shoulders.

    standing_leg: 0 or 1, the leg that stays when the left hand is lifted.
    """

    def __init__(self, body: FloorBody, standing_leg: int) -> None:
        self._body, self._leg = body, standing_leg
        self._arm = float(reach(body.upper_arm, body.forearm, ELBOW_FLEXION))
        hips = np.array([0.0, 0.0, KNEE_HEIGHT * body.scale + body.thigh])
        shoulder = WRIST_HEIGHT * body.scale + self._arm
        self._elevation = float(np.arcsin((shoulder - hips[2]) / body.trunk_length))
        trunk = body.trunk(self._elevation, prone=True)
        self.knees = body.hip_joints(hips, trunk) * (1.0, 1.0, 0.0) + (0.0, 0.0, KNEE_HEIGHT * body.scale)
        self.ankles = self.knees - (body.shank, 0.0, (KNEE_HEIGHT - ANKLE_HEIGHT) * body.scale)
        self.wrists = body.shoulder_joints(hips, trunk) * (1.0, 1.0, 0.0) + (0.0, 0.0, WRIST_HEIGHT * body.scale)

    def trunk(self, aside: Float64, roll: Float64) -> tuple[Float64, Float64]:
        """The hips' middle (T, 3) and the trunk (T, 3, 3), `aside` (T,) metres to the left, rolled by (T,) radians.

        Thigh and arm of the standing side keep their lengths: the body sinks as it sways.
        """
        body, leg = self._body, self._leg
        hips = np.stack([np.zeros_like(aside), aside, np.zeros_like(aside)], axis=-1)
        socket = body.hip_joints(hips, about_x(roll) @ body.trunk(self._elevation, prone=True))[:, leg]
        level = np.sum((socket - self.knees[leg])[:, :2] ** 2, axis=-1)
        hips[:, 2] = self.knees[leg, 2] + np.sqrt(body.thigh**2 - level) - socket[:, 2]
        elevation = np.full_like(aside, self._elevation)
        for _ in range(12):  # Newton's steps: the arm is nearly upright, so that its length follows the trunk's end
            trunk = about_x(roll) @ body.trunk(elevation, prone=True)
            distance = np.linalg.norm(body.shoulder_joints(hips, trunk)[:, 1] - self.wrists[1], axis=-1)
            elevation = elevation - (distance - self._arm) / body.trunk_length
        return hips, about_x(roll) @ body.trunk(elevation, prone=True)

    def limbs(self, hips: Float64, trunk: Float64) -> tuple[Float64, Float64, Float64, Float64]:
        """Directions (T, 2, 3) of upper arms, forearms, thighs and shanks; those that stand are on the floor.

        The others only hang where they may: they are moved.
        """
        body = self._body
        sockets, shoulders = body.hip_joints(hips, trunk), body.shoulder_joints(hips, trunk)
        # the left hand is the one that moves
        wrists = np.stack([shoulders[:, 0] - (0.0, 0.0, self._arm), np.tile(self.wrists[1], (len(hips), 1))], axis=1)
        upper, fore = body.arms_to(shoulders, wrists, _ELBOWS_BACK)
        thighs = normalize(self.knees - sockets)
        shanks = np.broadcast_to(normalize(self.ankles - self.knees), thighs.shape).copy()
        return upper, fore, thighs, shanks


def _at_touch(body: FloorBody, parameters: RotaryStabilityParameters, place: _Place, leg: int) -> _Limbs:
    """The moving limbs when elbow and knee are as near as asked, both in one upright plane along the body."""
    roll = np.array([np.radians(parameters.trunk_roll_deg)])
    hips, trunk = place.trunk(np.array([-parameters.sway_m]), roll)
    hip, shoulder = body.hip_joints(hips, trunk)[0, leg], body.shoulder_joints(hips, trunk)[0, 0]
    plane = float(hips[0, 1]) + _MEET_ASIDE[int(parameters.diagonal)] * body.scale
    thigh, arm = (
        float(np.sqrt(max(bone**2 - (joint_at[1] - plane) ** 2, 1e-6)))
        for bone, joint_at in ((body.thigh, hip), (body.upper_arm, shoulder))
    )
    line = (shoulder - hip) * (1.0, 0.0, 1.0)
    apart = float(np.linalg.norm(line))
    along = line / apart
    down = np.array([along[2], 0.0, -along[0]])
    if thigh + arm < apart - _CLOSEST * body.scale:
        raise ValueError(
            f"no rotary stability test has these parameters: elbow and knee do not meet with trunk_roll_deg="
            f"{parameters.trunk_roll_deg:g} and sway_m={parameters.sway_m:g}; ask for less"
        )
    # as near as they can be: both as far under the line from hip to shoulder; then the knee stays behind
    low, high = 0.0, min(thigh, arm)
    for _ in range(60):
        middle = 0.5 * (low + high)
        gap = apart - np.sqrt(thigh**2 - middle**2) - np.sqrt(arm**2 - middle**2)
        low, high = (middle, high) if gap < _CLOSEST * body.scale else (low, middle)
    elbow = shoulder - np.sqrt(arm**2 - low**2) * along + low * down
    elbow[1] = plane
    knee = _lower_crossing(np.array([hip[0], plane, hip[2]]), thigh, elbow, parameters.elbow_to_knee_m)
    return _Limbs(normalize(elbow - shoulder), _FOREARM_AT_TOUCH, normalize(knee - hip), _SHANK_AT_TOUCH)


def _lower_crossing(center: Float64, radius: float, other: Float64, distance: float) -> Float64:
    """The lower point (3,) of an upright plane along x that is `radius` from one point and `distance` from another."""
    line = other - center
    apart = float(np.linalg.norm(line))
    along = (radius**2 - distance**2 + apart**2) / (2.0 * apart)
    if abs(along) > radius:
        raise ValueError(
            f"elbow_to_knee_m={distance:g} is out of the knee's reach; allowed here: {abs(apart - radius):.2f} to "
            f"{apart + radius:.2f} m"
        )
    axis = line / apart
    result: Float64 = center + along * axis + np.sqrt(radius**2 - along**2) * np.array([axis[2], 0.0, -axis[0]])
    return result


def _moved(still: Float64, out: Float64, met: Float64, out_share: Float64, touch_share: Float64) -> Float64:
    """Unit directions (T, 3) on the way from `still` (1, 3) over `out` (3,) to `met` (3,), the shortest way round."""
    return _turned(_turned(still, normalize(out), out_share), normalize(met), touch_share)


def _turned(start: Float64, end: Float64, share: Float64) -> Float64:
    angle = np.arccos(np.clip(np.sum(start * end, axis=-1, keepdims=True), -1.0, 1.0))
    sine = np.maximum(np.sin(angle), 1e-9)
    part = share[:, None] * angle
    result: Float64 = (np.sin(angle - part) * start + np.sin(part) * end) / sine
    return normalize(result)


def _pointed_feet(body: FloorBody, shanks: Float64) -> Float64:
    """World matrices (T, 2, 3, 3) of feet whose toes lie on the floor when the shank does."""
    tip = body.bones[joint("left_foot")] + feet_offsets(body.bones)[1]
    pitches = np.radians(np.linspace(90.0, 180.0, 901))
    heights = ANKLE_HEIGHT * body.scale + (about_y(pitches) @ tip)[:, 2]
    pitch = pitches[int(np.abs(heights).argmin())]
    return about_y(np.arctan2(-shanks[..., 0], -shanks[..., 2]) - 0.5 * np.pi + pitch)
