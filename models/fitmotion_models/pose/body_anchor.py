"""Where the root is, whatever a body rests on: its feet, or back, belly, hands and knees when it is on the floor."""

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.pose.foot_anchor import PLANTED_SPEED, FootAnchor
from fitmotion_models.skeleton.joint_sets import FEET, SMPL22

Array = NDArray[np.float64]

# How high a point is over the floor where the body rests on it, metres: half the thickness of trunk, limbs and hand of
# an adult, as drawn and as the parametric bodies lie.
_RESTING = {"pelvis": 0.10, "hip": 0.10, "spine1": 0.11, "spine2": 0.11, "spine3": 0.11, "neck": 0.10, "collar": 0.10,
            "head": 0.10, "shoulder": 0.09, "elbow": 0.05, "wrist": 0.05, "knee": 0.055, "ankle": 0.055, "foot": 0.015,
            "heel": 0.0, "toe": 0.0}  # fmt: skip
_POINTS = (*SMPL22.joints, *FEET)
CLEARANCE: Array = np.array([_RESTING[name.split("_")[-1]] for name in _POINTS])

# A body is down when its pelvis or a wrist of a level trunk is so near to its lowest point, metres; up again above the
# second. A deep squat's pelvis stays above half a metre.
_DOWN_PELVIS, _UP_PELVIS = 0.28, 0.34
_DOWN_WRIST, _UP_WRIST = 0.15, 0.22
_LEVEL_TRUNK = 0.8  # largest |sine| of the trunk's slope of somebody who leans on the hands
# The floor is under the mean of so many points that are lowest; one alone would follow every error.
_LOWEST = 3
# What is within this of the floor and does not move stays where it is, metres.
_NEAR_FLOOR = 0.10

_HIPS, _SHOULDERS, _WRISTS = (
    [SMPL22.index(f"{side}_{name}") for side in ("left", "right")] for name in ("hip", "shoulder", "wrist")
)


def is_down(points: Array, was_down: bool = False) -> bool:
    """Whether a body (26, 3), metres, world axes, lies or leans on its hands; was_down: so in the frame before."""
    heights = points[:, 2] - np.nanmin(points[:, 2])
    trunk = points[_SHOULDERS].mean(axis=0) - points[_HIPS].mean(axis=0)
    level = abs(trunk[2]) < _LEVEL_TRUNK * np.linalg.norm(trunk)
    pelvis, wrist = (_UP_PELVIS, _UP_WRIST) if was_down else (_DOWN_PELVIS, _DOWN_WRIST)
    wrists = heights[_WRISTS]
    leans = np.isfinite(wrists).any() and np.nanmin(wrists) < wrist
    return bool(heights[0] < pelvis or (level and leans))


class BodyAnchor:
    """Keeps what rests on the floor where it is: the feet of a standing body as `FootAnchor`, else all that is low."""

    def __init__(self) -> None:
        self._standing = FootAnchor()
        self._lying = _ContactAnchor(len(_POINTS))
        self.reset()

    def reset(self) -> None:
        """Forget where anything stood; the next body is at the origin."""
        self._standing.reset()
        self._lying.reset()
        self.down = False

    def update(
        self, points: Array, speeds: Array, soles: tuple[Array, Array], stamp: float, travel: Array | None
    ) -> Array:
        """The root's translation (3,).

        points: (26, 3) joints and feet about the root, world axes; NaN where unseen. speeds: (26,) across the image,
        m/s. soles: what stands, (4, 3) and (4,), as `FootAnchor` takes it. travel: (3,) the body's position by
        perspective, world axes, or None.
        """
        down = is_down(points, self.down)
        anchor, other = (self._lying, self._standing) if down else (self._standing, self._lying)
        if down is not self.down:
            anchor.take_over(other)
        self.down = down
        if down:
            return self._lying.update(points, speeds, stamp, travel)
        return self._standing.update(*soles, stamp, travel)


class _ContactAnchor(FootAnchor):
    """As `FootAnchor` for any points of a body: those near the floor hold it, the lowest carry the height."""

    def _first_translation(self, feet: Array, seen: NDArray[np.bool_]) -> Array:
        if not seen.any():
            return np.zeros(3)
        low = seen & (self._over_floor(feet) < _NEAR_FLOOR)
        centre = feet[low].mean(0)
        return np.array([-centre[0], -centre[1], -_floor(feet)])

    def _holds(self, feet: Array, seen: NDArray[np.bool_], speeds: Array) -> NDArray[np.bool_]:
        return np.asarray(seen & (speeds < PLANTED_SPEED) & (self._over_floor(feet) < _NEAR_FLOOR))

    def _height(self, feet: Array, planted: NDArray[np.bool_]) -> float | None:
        return -_floor(feet) if np.isfinite(feet).any() else None

    @staticmethod
    def _over_floor(points: Array) -> Array:
        return np.asarray(points[:, 2] - CLEARANCE - _floor(points))


def _floor(points: Array) -> float:
    """Where the floor is under a body (26, 3), metres: what rests on it is as high as it is thick."""
    below = points[:, 2] - CLEARANCE
    return float(np.sort(below[np.isfinite(below)])[:_LOWEST].mean())
