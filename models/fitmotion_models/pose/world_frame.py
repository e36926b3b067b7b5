"""From the camera's axes to the world: gravity and facing from the standing person, or from a given camera tilt."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.skeleton.joint_sets import SMPL22

Array = NDArray[np.float64]

# A standing body, loosely: knees nearly straight, trunk over the legs, upright in the picture.
UPRIGHT_KNEE_DEG = 140.0
UPRIGHT_TRUNK_TO_LEGS_DEG = 35.0
UPRIGHT_TO_IMAGE_DEG = 50.0
# Still: hips and ankles move slower than this across the image, m/s. A slow walk moves the hips at 0.5 m/s and more.
STILL_SPEED = 0.3
# Standing this long fixes the frame; until then it is the running mean.
STANCE_SECONDS = 0.5
# Nobody stands (sitting, lying): after this long the camera is taken as level, and the status says so.
LEVEL_AFTER_SECONDS = 2.0
# Nobody will stand who lies: so long after the first frame.
LYING_SECONDS = 0.2
# A trunk no steeper than this lies, or is that of somebody on all fours.
LYING_TRUNK_DEG = 40.0
# Out of the stance for this long, the frame is kept as it is.
SETTLE_SECONDS = 0.2

_PELVIS, _NECK = SMPL22.index("pelvis"), SMPL22.index("neck")
_HIPS = [SMPL22.index("left_hip"), SMPL22.index("right_hip")]
_KNEES = [SMPL22.index("left_knee"), SMPL22.index("right_knee")]
_ANKLES = [SMPL22.index("left_ankle"), SMPL22.index("right_ankle")]
_SHOULDERS = [SMPL22.index("left_shoulder"), SMPL22.index("right_shoulder")]
_HEELS, _TOES = [0, 2], [1, 3]


@dataclass(frozen=True, eq=False)
class WorldFrame:
    """rotation: (3, 3) optical to world axes (REP-103, x the way the person faced). measured: False for a guess."""

    rotation: Array
    measured: bool


def up_from_tilt(tilt: float) -> Array:
    """The upward direction in optical axes of a camera that looks down by `tilt` radians, without roll."""
    return np.array([0.0, -math.cos(tilt), -math.sin(tilt)])


def is_upright(joints: Array) -> bool:
    """Whether a body (22, 3) in optical axes stands: straight knees, trunk over the legs, upright in the picture."""
    trunk = joints[_NECK] - joints[_PELVIS]
    legs = joints[_PELVIS] - joints[_ANKLES].mean(0)
    thigh, shank = joints[_HIPS] - joints[_KNEES], joints[_ANKLES] - joints[_KNEES]
    knees = [_angle_deg(thigh[side], shank[side]) for side in (0, 1)]
    return (
        max(knees) > UPRIGHT_KNEE_DEG
        and _angle_deg(trunk, legs) < UPRIGHT_TRUNK_TO_LEGS_DEG
        and _angle_deg(trunk + legs, np.array([0.0, -1.0, 0.0])) < UPRIGHT_TO_IMAGE_DEG
    )


def stands(joints: Array, speed: float) -> bool:
    """Whether a body (22, 3) in optical axes stands upright and still; speed: of hips and ankles in the image, m/s."""
    return speed < STILL_SPEED and is_upright(joints)


def lies(joints: Array) -> bool:
    """Whether a body (22, 3) in optical axes lies or is on all fours: trunk and whole body level in the picture."""
    shoulders = joints[_SHOULDERS].mean(0)
    level = math.sin(math.radians(LYING_TRUNK_DEG))
    lines = shoulders - joints[_HIPS].mean(0), shoulders - joints[_ANKLES].mean(0)
    return all(abs(float(line[1])) < level * float(np.linalg.norm(line)) for line in lines)


def standing_up_direction(joints: Array) -> Array:
    """The vertical of a standing body, a unit vector in optical axes.

    In quiet stance the line of gravity runs from the neck to 4 to 5 cm before the ankles (Woodhull et al. 1985), half
    way from the ankle to the ball of the foot.
    """
    feet = [SMPL22.index("left_foot"), SMPL22.index("right_foot")]
    support = (joints[_ANKLES].mean(0) + joints[feet].mean(0)) / 2.0
    if not np.isfinite(support).all():  # landmarks without feet: 2 degrees off
        support = joints[_ANKLES].mean(0)
    return _unit(joints[_NECK] - support)


def facing(joints: Array, feet: Array, up: Array) -> Array:
    """Where the body faces, a unit vector across `up`, from hips, shoulders and feet.

    Each cue counts by how far it lies in the picture: a single camera sees directions in its image plane well and depth
    badly, so a frontal view is read off the hips and a side view off the feet. NaN when nothing is seen. Who lies on
    the back faces where the feet are, on the belly or on all fours where the head is: as if just lain down.
    """
    trunk = joints[_SHOULDERS].mean(0) - joints[_HIPS].mean(0)
    if abs(trunk @ up) < math.sin(math.radians(LYING_TRUNK_DEG)) * np.linalg.norm(trunk):
        return _unit(-_up_side(joints, feet, up) * (trunk - (trunk @ up) * up))
    across = joints[[_HIPS[0], _SHOULDERS[0]]] - joints[[_HIPS[1], _SHOULDERS[1]]]
    forward = np.cross(across, up)
    cues = np.vstack([forward, feet[_TOES] - feet[_HEELS]])
    cues -= np.outer(cues @ up, up)
    cues /= np.linalg.norm(cues, axis=1, keepdims=True)
    in_image = np.abs(np.vstack([across / np.linalg.norm(across, axis=1, keepdims=True), cues[2:]])[:, 0])
    known = np.isfinite(cues).all(1) & np.isfinite(in_image)
    return _unit((cues[known] * in_image[known, None]).sum(0)) if known.any() else np.full(3, np.nan)


def _up_side(joints: Array, feet: Array, up: Array) -> float:
    """1 for a body that lies on its back, -1 on its belly, by chest and toes."""
    trunk = joints[_SHOULDERS].mean(0) - joints[_HIPS].mean(0)
    front = np.cross((joints[_HIPS[0]] - joints[_HIPS[1]]) + (joints[_SHOULDERS[0]] - joints[_SHOULDERS[1]]), trunk)
    cues = [front @ up / np.linalg.norm(front)]
    cues += [foot @ up / np.linalg.norm(foot) for foot in feet[_TOES] - feet[_HEELS]]
    return 1.0 if np.nansum(cues) > 0.0 else -1.0


class StanceCalibration:
    """Learns the world frame from the first stable stance.

    The frame is the running mean over upright, still frames; it is fixed after `STANCE_SECONDS` of them, or when the
    person leaves the stance. With a given camera tilt (radians, positive looking down) gravity is known from the start.
    """

    def __init__(self, tilt: float | None = None) -> None:
        self._tilt = tilt
        self.reset()

    def reset(self) -> None:
        """Forget the stance."""
        self.frame: WorldFrame | None = None
        self.settled = False
        self._ups: list[Array] = []
        self._facings: list[Array] = []
        self._stood_s = 0.0
        self._stamp: float | None = None
        self._first: float | None = None
        self._last_upright: float | None = None

    @property
    def stood(self) -> bool:
        """Whether somebody has been seen standing."""
        return self._last_upright is not None

    def update(self, joints: Array, feet: Array, speed: float, stamp: float) -> WorldFrame | None:
        """Take one frame; returns the world frame so far, or None while no stance was seen.

        joints (22, 3) and feet (4, 3) in optical axes; speed: of hips and ankles across the image, m/s.
        """
        interval = 0.0 if self._stamp is None else stamp - self._stamp
        self._stamp = stamp
        self._first = stamp if self._first is None else self._first
        if self.settled:
            return self.frame
        if stands(joints, speed):
            self._take(joints, feet, stamp, interval)
        elif self._last_upright is not None and stamp - self._last_upright > SETTLE_SECONDS:
            self.settled = True
        elif self.frame is None and self._tilt is not None:
            self.frame = self._build(up_from_tilt(self._tilt), facing(joints, feet, up_from_tilt(self._tilt)), True)
        elif self.frame is None and stamp - self._first > (LYING_SECONDS if lies(joints) else LEVEL_AFTER_SECONDS):
            self.frame = self._build(up_from_tilt(0.0), facing(joints, feet, up_from_tilt(0.0)), False)
        return self.frame

    def _take(self, joints: Array, feet: Array, stamp: float, interval: float) -> None:
        up = standing_up_direction(joints) if self._tilt is None else up_from_tilt(self._tilt)
        if not np.isfinite(up).all():
            return
        self._ups.append(up)
        mean_up = _unit(np.mean(self._ups, axis=0))
        direction = facing(joints, feet, mean_up)
        if np.isfinite(direction).all():
            self._facings.append(direction)
        if not self._facings:
            return
        self._last_upright = stamp
        self._stood_s += interval
        self.frame = self._build(mean_up, np.mean(self._facings, axis=0), True)
        self.settled = self._stood_s >= STANCE_SECONDS

    @staticmethod
    def _build(up: Array, forward: Array, measured: bool) -> WorldFrame | None:
        if not np.isfinite(forward).all():
            return None
        forward = _unit(forward - (forward @ up) * up)
        return WorldFrame(np.stack([forward, np.cross(up, forward), up]), measured)


def _unit(vector: Array) -> Array:
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float64)


def _angle_deg(first: Array, second: Array) -> float:
    cosine = first @ second / (np.linalg.norm(first) * np.linalg.norm(second))
    return math.degrees(math.acos(float(np.clip(cosine, -1.0, 1.0)))) if np.isfinite(cosine) else math.nan
