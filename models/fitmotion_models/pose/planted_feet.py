"""Feet that stand: flat in the stance, kept while the toes stay, their heels raised by as much as the image shows.

A single-view network sees the depth of a foot badly: the heel of a standing foot seems to rise by 10 cm when the body
above it squats. What the image shows well is where heel and toe are in it, and a foot has a known length.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.pose.foot_anchor import PLANTED_SPEED
from fitmotion_models.skeleton.body_pose import Float32
from fitmotion_models.skeleton.joint_sets import FEET, SMPL22
from fitmotion_models.skeleton.kinematics import REST_OFFSETS, feet_offsets

Array = NDArray[np.float64]

# The stance is remembered as a running mean with this time constant, seconds.
STANCE_MEMORY_SECONDS = 0.5
# The heel's height is smoothed with this time constant, seconds: landmarks jitter by some 2 cm a frame.
HEEL_SMOOTHING_SECONDS = 0.07
# A heel can't rise over its toes by more than this share of the foot's length (60 degrees).
HIGHEST_HEEL = 0.87

_HEELS = [FEET.index("left_heel"), FEET.index("right_heel")]
_TOES = [FEET.index("left_toe"), FEET.index("right_toe")]
_ANKLES = [SMPL22.index("left_ankle"), SMPL22.index("right_ankle")]
_BALLS = [SMPL22.index("left_foot"), SMPL22.index("right_foot")]
_KNEES = [SMPL22.index("left_knee"), SMPL22.index("right_knee")]


def with_proportional_feet(bone_offsets: Float32) -> Float32:
    """Bones (22, 3) with the feet in the rest body's proportion to the shanks: one camera can't measure feet."""
    shanks = (
        np.linalg.norm(bone_offsets[_ANKLES], axis=-1).mean() / np.linalg.norm(REST_OFFSETS[_ANKLES], axis=-1).mean()
    )
    result = bone_offsets.copy()
    result[_BALLS] = REST_OFFSETS[_BALLS] * shanks
    return result


@dataclass(frozen=True, eq=False)
class FootView:
    """What one frame shows of the feet.

    rays: (4, 2) normalised image coordinates of the feet landmarks. depth: of the feet along the optical axis, metres.
    speeds: (4,) across the image, m/s. rotation: (3, 3) optical to world axes. forward: (3,) where the person faces.
    standing: whether this frame belongs to a stance.
    """

    rays: Array
    depth: float
    speeds: Array
    rotation: Array
    forward: Array
    standing: bool


@dataclass(eq=False)
class _Foot:
    """A foot's stance: direction heel to toe (world, horizontal), heel less toe in the image (rays), depth (m)."""

    direction: Array
    image: Array
    depth: float
    height: float = 0.0


class PlantedFeet:
    """Replaces the seen ball, heel and toe of a foot that stands by those of a rigid foot on the floor."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the stance."""
        self._feet: list[_Foot | None] = [None, None]
        self._stamp: float | None = None

    def update(
        self, joints: Array, feet: Array, bone_offsets: Float32, view: FootView, stamp: float
    ) -> tuple[Array, Array]:
        """Joints (22, 3) and feet (4, 3) in world axes about the root, and the person's bones; the same, corrected."""
        interval = 0.0 if self._stamp is None else max(0.0, stamp - self._stamp)
        self._stamp = stamp
        joints, feet = joints.copy(), feet.copy()
        landmarks = feet_offsets(bone_offsets)
        for side in (0, 1):
            heel, toe, ball = landmarks[_HEELS[side]], landmarks[_TOES[side]], bone_offsets[_BALLS[side]]
            sole = ball + toe - heel
            self._learn(side, float(np.linalg.norm(sole)), view, interval)
            foot = self._feet[side]
            if foot is None or not np.isfinite(joints[_ANKLES[side]]).all():
                continue
            self._raise_heel(foot, side, float(np.linalg.norm(sole)), view, interval)
            turn = _foot_rotation(sole, foot)
            ankle = joints[_ANKLES[side]]
            joints[_BALLS[side]] = ankle + turn @ ball
            feet[_HEELS[side]] = ankle + turn @ heel
            feet[_TOES[side]] = ankle + turn @ (ball + toe)
        return joints, feet

    def _learn(self, side: int, length: float, view: FootView, interval: float) -> None:
        heel, toe = view.rays[_HEELS[side]], view.rays[_TOES[side]]
        seen = np.isfinite(heel).all() and np.isfinite(toe).all() and math.isfinite(view.depth)
        foot = self._feet[side]
        if foot is not None and view.speeds[_TOES[side]] > PLANTED_SPEED:
            self._feet[side] = foot = None
        if not (seen and view.standing and view.speeds[_TOES[side]] < PLANTED_SPEED):
            return
        direction = _heading(heel, toe, length, view)
        if foot is None:
            self._feet[side] = _Foot(direction, heel - toe, view.depth)
            return
        share = interval / (interval + STANCE_MEMORY_SECONDS)
        foot.direction = _unit(foot.direction + share * (direction - foot.direction))
        foot.image = foot.image + share * (heel - toe - foot.image)
        foot.depth += share * (view.depth - foot.depth)

    @staticmethod
    def _raise_heel(foot: _Foot, side: int, length: float, view: FootView, interval: float) -> None:
        """The heel's height over the toe: what it moved up in the image since the stance, at the stance's scale."""
        moved = (view.rays[_HEELS[side]] - view.rays[_TOES[side]] - foot.image) * foot.depth
        if not np.isfinite(moved).all():
            return
        up = view.rotation[2, :2]
        height = float(np.clip(moved @ up / (up @ up), 0.0, HIGHEST_HEEL * length)) if up @ up > 0.25 else 0.0
        foot.height += interval / (interval + HEEL_SMOOTHING_SECONDS) * (height - foot.height)


def _heading(heel: Array, toe: Array, length: float, view: FootView) -> Array:
    """Where a flat foot of known length points (world, horizontal, unit): its image tells but the sign of its depth.

    The toe lies on its ray, `length` from the heel; of two such points it is the one that the person faces.
    """
    start = np.append(heel, 1.0) * view.depth
    ray = _unit(np.append(toe, 1.0))
    along = float(ray @ start)
    apart = length**2 - (float(start @ start) - along**2)
    half = math.sqrt(max(apart, 0.0))
    ways = [view.rotation @ (ray * (along + sign * half) - start) for sign in (-1.0, 1.0)]
    flat = [_unit(way * (1.0, 1.0, 0.0)) for way in ways]
    return max(flat, key=lambda way: float(way @ view.forward))


def _foot_rotation(sole: Array, foot: _Foot) -> Array:
    """World rotation (3, 3) of a foot whose rest heel-to-toe vector is `sole`: turned to its heading, heel raised."""
    rest = math.atan2(sole[1], sole[0])
    yaw = math.atan2(foot.direction[1], foot.direction[0]) - rest
    pitch = math.asin(min(foot.height / float(np.linalg.norm(sole)), HIGHEST_HEEL))
    turn = np.array([[math.cos(yaw), -math.sin(yaw), 0.0], [math.sin(yaw), math.cos(yaw), 0.0], [0.0, 0.0, 1.0]])
    # the axis across the foot, left of where it points: heel up is a positive turn about it (Rodrigues' formula)
    x, y = -foot.direction[1], foot.direction[0]
    sine, rest_share = math.sin(pitch), 1.0 - math.cos(pitch)
    raised = np.array(
        [
            [1.0 - rest_share * y * y, rest_share * x * y, sine * y],
            [rest_share * x * y, 1.0 - rest_share * x * x, -sine * x],
            [-sine * y, sine * x, 1.0 - rest_share],
        ]
    )
    return np.asarray(raised @ turn, dtype=np.float64)


def _unit(vector: Array) -> Array:
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float64)
