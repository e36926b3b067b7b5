"""Depth for landmarks that have none, from one camera: bones of constant length, most of them in the picture's plane.

One picture of a body in two dimensions leaves its depth open. What it does show is angles in its own plane: those are
kept exactly. Where a bone is seen much shorter than it is, it points towards the camera or away by what is missing
(Taylor 2000); which of the two is decided by how a body moves (knees go forward, toes point forward) and by where it
faces, which hips, shoulders and feet show. So a squat filmed from the side is measured as well as landmarks are, and
what lies across the picture's plane is a guess: its joints are given less confidence.
"""

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.pose.keypoints import Keypoints
from fitmotion_models.skeleton.joint_sets import FEET, SMPL22, JointSet
from fitmotion_models.skeleton.joint_sets import joint_set as find_joint_set
from fitmotion_models.skeleton.kinematics import REST_FEET_OFFSETS, REST_OFFSETS, forward_kinematics

Array = NDArray[np.float64]

# A bone that is seen at least this long, as a share of its length, is taken to lie in the picture's plane: at 0.9 it is
# 26 degrees out of it, and a shorter share would turn the landmarks' jitter into depth.
IN_PLANE = 0.9
# Confidence of a joint at the end of a bone that points straight at the camera, as a share of the landmark's own.
GUESSED = 0.5
# |Sine| of the angle between the way a person faces and the camera from which on they are seen from the side.
SIDE_VIEW = 0.5
# Scale and facing are smoothed with these time constants, seconds.
SCALE_S, FACING_S = 0.5, 0.3
# Below this share of the body's extent a cue of facing is jitter.
_LEAST_CUE = 0.15

_LEFT, _RIGHT = ("left", "right")
# bones as (parent, child, which way the child goes): 1 forward, -1 backward, 0 by the side it belongs to
_BONES = (
    ("hip", "knee", 1), ("knee", "ankle", -1), ("shoulder", "elbow", 1), ("elbow", "wrist", 1),
)  # fmt: skip


def _rest() -> dict[str, Array]:
    """The mean body's joints and feet, metres."""
    upright = np.tile((0.0, 0.0, 0.0, 1.0), (len(SMPL22), 1))
    positions = forward_kinematics(np.zeros(3), upright, REST_OFFSETS)
    joints = dict(zip(SMPL22.joints, positions, strict=True))
    for name, offset in zip(FEET, REST_FEET_OFFSETS, strict=True):
        side, _, part = name.partition("_")
        joints[name] = joints[f"{side}_{'ankle' if part == 'heel' else 'foot'}"] + offset
    return joints


_REST = _rest()
_HIP_WIDTH = float(np.linalg.norm(_REST["left_hip"] - _REST["right_hip"]))
_SHOULDER_WIDTH = float(np.linalg.norm(_REST["left_shoulder"] - _REST["right_shoulder"]))
_TRUNK = float(
    np.linalg.norm(0.5 * (_REST["left_shoulder"] + _REST["right_shoulder"] - _REST["left_hip"] - _REST["right_hip"]))
)
_FOOT = float(np.linalg.norm(_REST["left_toe"] - _REST["left_heel"]))
_NOSE_BEFORE_EARS = 0.11  # metres; head breadth and length of adults, Gordon et al. 2014


class PlanarLift:
    """Gives landmarks in the picture their `world`; remembers the person's scale and facing.

    The person is taken to be as tall as the mean body: one camera cannot tell a tall person from a near one.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the person."""
        self._scale = np.nan  # metres a pixel, at the person
        self._facing = np.zeros(2)  # sine and cosine of the turn: (0, 1) faces the camera, (1, 0) the picture's right
        self._stamp = 0.0
        self._set: JointSet | None = None

    def __call__(self, keypoints: Keypoints, stamp: float) -> Keypoints:
        """The same landmarks with `world` and a confidence that knows what was guessed. stamp: seconds."""
        if self._set is None or self._set.name != keypoints.joint_set:
            self._set = find_joint_set(keypoints.joint_set)
        seen = (keypoints.confidence > 0.0) & np.isfinite(keypoints.pixels).all(-1)
        flat = np.where(seen[:, None], keypoints.pixels, np.nan).astype(np.float64)
        interval = max(stamp - self._stamp, 0.0)
        self._stamp = stamp
        self._follow_scale(flat, interval)
        self._follow_facing(flat, interval)
        world = np.full((len(flat), 3), np.nan)
        middle = self._middle(flat, "hip")
        world[:, :2] = (flat - middle) * self._scale
        world[:, 2] = 0.0
        depth, guessed = self._depths(world)
        world[:, 2] = depth
        confidence = keypoints.confidence * (1.0 - (1.0 - GUESSED) * guessed)
        return Keypoints(keypoints.joint_set, keypoints.pixels, confidence.astype(np.float32), world.astype(np.float32))

    # ---- what is remembered ----

    def _follow_scale(self, flat: Array, interval: float) -> None:
        """Metres a pixel: of all bones the one that is seen longest lies in the picture's plane."""
        ratios = [
            length / apart
            for first, second, length in self._lengths()
            if (apart := float(np.linalg.norm(self._at(flat, first) - self._at(flat, second)))) > 1.0
        ]
        trunk = float(np.linalg.norm(self._middle(flat, "shoulder") - self._middle(flat, "hip")))
        if trunk > 1.0:
            ratios.append(_TRUNK / trunk)
        finite = sorted(ratio for ratio in ratios if np.isfinite(ratio))
        if not finite:
            return
        # the second smallest: one landmark that is off must not set the scale
        found = finite[min(1, len(finite) - 1)]
        share = 1.0 if np.isnan(self._scale) else interval / (interval + SCALE_S)
        self._scale = found if np.isnan(self._scale) else self._scale + share * (found - self._scale)

    def _follow_facing(self, flat: Array, interval: float) -> None:
        """Which way the person is turned, from hips and shoulders (left to right) and feet and face (back to front)."""
        cues = np.array([self._forward_cue(flat), self._sideways_cue(flat)])
        if not np.isfinite(cues).any():
            return
        cues = np.nan_to_num(cues)
        length = float(np.linalg.norm(cues))
        if length < _LEAST_CUE:
            return
        share = 1.0 if not self._facing.any() else interval / (interval + FACING_S)
        self._facing = self._facing + share * (cues / length - self._facing)

    def _sideways_cue(self, flat: Array) -> float:
        widths = [
            float(self._at(flat, f"left_{name}")[0] - self._at(flat, f"right_{name}")[0]) * self._scale / width
            for name, width in (("hip", _HIP_WIDTH), ("shoulder", _SHOULDER_WIDTH))
        ]
        return _mean(widths)

    def _forward_cue(self, flat: Array) -> float:
        cues = []
        for side in (_LEFT, _RIGHT):
            foot = self._at(flat, f"{side}_big_toe") - self._at(flat, f"{side}_heel")
            cues.append(float(foot[0]) * self._scale / _FOOT)
        if np.isfinite(cues).any():
            return _mean(cues)
        ears = _mean([float(self._at(flat, f"{side}_ear")[0]) for side in (_LEFT, _RIGHT)])
        return (float(self._at(flat, "nose")[0]) - ears) * self._scale / _NOSE_BEFORE_EARS

    # ---- depth ----

    def _depths(self, world: Array) -> tuple[Array, Array]:
        """Depth (J,) about the hips, metres, and how much of it is a guess (J,), 0 to 1."""
        assert self._set is not None
        length = float(np.linalg.norm(self._facing))
        sine, cosine = self._facing / length if length else (0.0, 1.0)
        depth, guessed = np.zeros(len(world)), np.zeros(len(world))
        turn = float(sine), float(cosine)
        lean, unsure = self._step(self._middle(world, "shoulder") - self._middle(world, "hip"), _TRUNK, 1, turn, "")
        for side, sign in ((_LEFT, 1.0), (_RIGHT, -1.0)):
            self._put(depth, guessed, f"{side}_hip", 0.5 * sign * _HIP_WIDTH * sine, 0.0)
            self._put(depth, guessed, f"{side}_shoulder", 0.5 * sign * _SHOULDER_WIDTH * sine + lean, unsure)
            for parent, child, way in _BONES:
                first, second = f"{side}_{parent}", f"{side}_{child}"
                bone = self._at(world, second)[:2] - self._at(world, first)[:2]
                step, guess = self._step(bone, _length(first, second), way, turn, side)
                self._put(depth, guessed, second, self._of(depth, first) + step, max(guess, self._of(guessed, first)))
            self._foot(depth, guessed, side, float(cosine))
        for name in ("nose", "left_eye", "right_eye", "left_ear", "right_ear", "head", "neck"):
            self._put(depth, guessed, name, lean, unsure)
        return depth, guessed

    def _foot(self, depth: Array, guessed: Array, side: str, cosine: float) -> None:
        """Heel and toes lie along the way the person faces."""
        ankle, sure = self._of(depth, f"{side}_ankle"), self._of(guessed, f"{side}_ankle")
        for name, share in (("heel", -0.25), ("big_toe", 0.75), ("small_toe", 0.6)):
            self._put(depth, guessed, f"{side}_{name}", ankle - share * _FOOT * cosine, sure)

    @staticmethod
    def _step(seen: Array, length: float, way: int, turn: tuple[float, float], side: str) -> tuple[float, float]:
        """How much deeper a bone ends than it starts, metres, and how much of that is a guess, 0 to 1.

        A body that is seen from the side moves in the plane that goes forward and up, one that is seen from the front
        in the plane that goes sideways and up: there the picture tells the depth. What a bone is seen too short for
        that is missing across the plane.
        """
        sine, cosine = turn
        from_side = abs(sine) >= SIDE_VIEW
        depth = float(seen[0]) * (-cosine / sine if from_side else sine / cosine)
        share = float(np.hypot(np.linalg.norm(seen), depth)) / length
        if not np.isfinite(share) or share >= IN_PLANE:
            return (depth if np.isfinite(depth) else 0.0), 0.0
        missing = float(np.sqrt(1.0 - (share / IN_PLANE) ** 2))
        if from_side and side:  # outwards
            sign = float(np.sign(sine)) * (1.0 if side == _LEFT else -1.0)
        else:
            sign = -float(way) * float(np.sign(cosine) or 1.0)
        return depth + sign * missing * length, missing

    # ---- joints by name ----

    def _lengths(self) -> list[tuple[str, str, float]]:
        pairs = [(f"{side}_{a}", f"{side}_{b}") for side in (_LEFT, _RIGHT) for a, b, _ in _BONES[:2]]
        return [(first, second, _length(first, second)) for first, second in pairs]

    def _at(self, points: Array, name: str) -> Array:
        assert self._set is not None
        if name not in self._set.joints:
            return np.full(points.shape[1], np.nan)
        row: Array = points[self._set.joints.index(name)]
        return row

    def _middle(self, points: Array, name: str) -> Array:
        both: Array = 0.5 * (self._at(points, f"left_{name}") + self._at(points, f"right_{name}"))
        return both[:2]

    def _of(self, values: Array, name: str) -> float:
        assert self._set is not None
        return float(values[self._set.joints.index(name)])

    def _put(self, depth: Array, guessed: Array, name: str, value: float, guess: float) -> None:
        assert self._set is not None
        if name in self._set.joints:
            index = self._set.joints.index(name)
            depth[index], guessed[index] = value, guess


def _length(first: str, second: str) -> float:
    return float(np.linalg.norm(_REST[first] - _REST[second]))


def _mean(values: list[float]) -> float:
    finite = [value for value in values if np.isfinite(value)]
    return float(sum(finite) / len(finite)) if finite else float("nan")
