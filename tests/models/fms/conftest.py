"""Hand-made squats: every joint placed by plane trigonometry from angles, independent of the mover."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from fitmotion_models.skeleton.body_pose import BodyPose, Source
from fitmotion_models.skeleton.motion_clip import MotionClip, clip_from_poses

SHANK = THIGH = 0.42
TRUNK, HEAD = 0.50, 0.20
ARM = 0.55
ANKLE_HEIGHT, HEEL_BACK, TOE_FRONT = 0.08, 0.05, 0.18
HALF_STANCE, HALF_SHOULDERS = 0.15, 0.20


@dataclass(frozen=True)
class Shape:
    """Angles of the lowest point, degrees from the vertical (forward positive), and offsets in metres."""

    tibia: float = 35.0
    femur: float = 95.0  # from the vertical, backwards; 90 is horizontal
    trunk: float = 30.0
    arms: float = 0.0  # dowel against the vertical above the neck
    left_valgus: float = 0.0  # left knee moved inwards
    right_valgus: float = 0.0
    heel_rise: float = 0.0


def squat_points(shape: Shape, share: float) -> np.ndarray:
    """(26, 3) points of the squat with every angle at `share` of its lowest value, faced along +x."""
    tibia, femur, trunk, arms = (math.radians(share * a) for a in (shape.tibia, shape.femur, shape.trunk, shape.arms))
    points = np.zeros((26, 3))
    # lifting the heel turns the foot about the toe: the ankle rises by its share of the foot's length
    rise = share * shape.heel_rise
    ankle = np.array([0.0, 0.0, ANKLE_HEIGHT + rise * TOE_FRONT / (TOE_FRONT + HEEL_BACK)])
    knee = ankle + SHANK * np.array([math.sin(tibia), 0.0, math.cos(tibia)])
    hip = knee + THIGH * np.array([-math.sin(femur), 0.0, math.cos(femur)])
    neck = hip + TRUNK * np.array([math.sin(trunk), 0.0, math.cos(trunk)])
    wrist = neck + ARM * np.array([math.sin(arms), 0.0, math.cos(arms)])
    sides = (("left", 1.0, shape.left_valgus), ("right", -1.0, shape.right_valgus))
    for index, (_, sign, valgus) in enumerate(sides):
        out = np.array([0.0, sign * HALF_STANCE, 0.0])
        points[1 + index] = hip + out
        points[4 + index] = knee + out * (1.0 - share * valgus / HALF_STANCE)
        points[7 + index] = ankle + out
        points[10 + index] = np.array([0.12, 0.0, 0.02]) + out
        points[13 + index] = neck + np.array([0.0, sign * 0.05, -0.03])
        points[16 + index] = neck + np.array([0.0, sign * HALF_SHOULDERS, 0.0])
        points[18 + index] = (neck + wrist) / 2 + np.array([0.0, sign * 0.4, 0.0])
        points[20 + index] = wrist + np.array([0.0, sign * 0.4, 0.0])
        points[22 + 2 * index] = np.array([-HEEL_BACK, 0.0, rise]) + out
        points[23 + 2 * index] = np.array([TOE_FRONT, 0.0, 0.0]) + out
    for index, along in ((3, 0.25), (6, 0.5), (9, 0.75), (12, 1.0)):
        points[index] = hip + along * (neck - hip)
    points[0] = hip
    points[15] = neck + np.array([0.0, 0.0, HEAD])
    return points


def pose_of(
    points: np.ndarray,
    stamp: float,
    *,
    views: int = 0,
    view_direction: Sequence[float] = (math.nan, math.nan, math.nan),
    confidence: float = 1.0,
) -> BodyPose:
    """A pose of 26 points; rotations are of no interest to the scorer."""
    return BodyPose(
        stamp=stamp,
        subject="hand_made",
        source=Source.CAMERA if views else Source.REPLAY,
        positions=points[:22],
        rotations=np.tile([0.0, 0.0, 0.0, 1.0], (22, 1)),
        confidence=np.full(22, confidence),
        feet=points[22:],
        feet_confidence=np.full(4, confidence),
        bone_offsets=np.zeros((22, 3)),
        view_direction=np.asarray(view_direction),
        views=views,
    )


def squat_shares(repetitions: int, fps: float, *, seconds: float, stand: float, bottom: float) -> np.ndarray:
    """Share of the lowest angles over time: stand, and per repetition down, wait, up, stand."""
    down = 0.5 - 0.5 * np.cos(np.pi * np.arange(1, round(seconds / 2 * fps) + 1) / round(seconds / 2 * fps))
    standing, waiting = np.zeros(round(stand * fps)), np.ones(round(bottom * fps))
    one = np.concatenate((down, waiting, down[::-1], standing))
    return np.concatenate((np.zeros(max(round(stand * fps), round(0.5 * fps))), np.tile(one, repetitions)))


@pytest.fixture
def squat() -> Callable[..., MotionClip]:
    """A function that makes a clip of a hand-made squat."""

    def make(
        shape: Shape | None = None,
        *,
        repetitions: int = 1,
        fps: float = 30.0,
        seconds: float = 2.0,
        stand: float = 1.0,
        bottom: float = 0.2,
        depth: float = 1.0,
        **pose_options: object,
    ) -> MotionClip:
        shares = depth * squat_shares(repetitions, fps, seconds=seconds, stand=stand, bottom=bottom)
        poses = [
            pose_of(squat_points(shape or Shape(), share), index / fps, **pose_options)  # type: ignore[arg-type]
            for index, share in enumerate(shares)
        ]
        return clip_from_poses(poses, fps)

    return make


@pytest.fixture
def shape() -> type[Shape]:
    """The shape of a hand-made squat's lowest point."""
    return Shape


@pytest.fixture
def points_of() -> Callable[[Shape, float], np.ndarray]:
    """A function (shape, share) -> (26, 3) points of a hand-made squat on its way down."""
    return squat_points


@pytest.fixture
def clip_of() -> Callable[..., MotionClip]:
    """A function that makes a clip of frames of 26 points."""

    def make(frames: Sequence[np.ndarray], fps: float = 30.0, **pose_options: object) -> MotionClip:
        return clip_from_poses(
            [pose_of(points, index / fps, **pose_options) for index, points in enumerate(frames)],  # type: ignore[arg-type]
            fps,
        )

    return make
