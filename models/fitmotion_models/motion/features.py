"""What the motion model sees of a frame: named slices of 204 numbers, and the exact way back to a MotionClip.

The body is the canonical one (bones `REST_OFFSETS`) at 20 frames a second. A frame holds the root in full, the true
local rotations (6D, Zhou et al. 2019: the first two columns of the matrix) and, for the losses and for keyframes, what
follows from them: the joints around the pelvis and which heels and toes stand. Features of a window are anchored: the
way over the floor and the heading count from one of its frames, so that where and whither a person walks is no part of
what is learned.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fitmotion_models.skeleton.body_pose import Float32, Source
from fitmotion_models.skeleton.joint_sets import FEET, FEET_MIRROR, SMPL22
from fitmotion_models.skeleton.kinematics import (
    REST_OFFSETS,
    feet_from_matrices,
    positions_from_matrices,
    world_matrices,
)
from fitmotion_models.skeleton.motion_clip import MotionClip
from fitmotion_models.skeleton.rotations import Float64, from_matrix, normalize, to_matrix

FPS = 20.0
"""Frames a second, HumanML3D's."""

_JOINTS = len(SMPL22.joints)
_BONES_TOLERANCE_M = 1e-4


class FeatureLayout:
    """Ordered names with the shapes of what they hold; `layout["contacts"]` is the slice of that name."""

    def __init__(self, **shapes: tuple[int, ...]) -> None:
        self.shapes = shapes
        self._slices: dict[str, slice] = {}
        start = 0
        for name, shape in shapes.items():
            stop = start + int(np.prod(shape))
            self._slices[name] = slice(start, stop)
            start = stop
        self.size = start

    def __getitem__(self, name: str) -> slice:
        if name not in self._slices:
            raise KeyError(f"feature {name!r} unknown; known: {', '.join(self._slices)}")
        return self._slices[name]


LAYOUT = FeatureLayout(
    root_position=(3,), heading=(2,), rotations=(_JOINTS, 6), positions=(_JOINTS - 1, 3), contacts=(len(FEET),)
)
"""One frame: pelvis in metres (z over the floor); cos and sin of the heading; local rotations, the root's in the
heading's frame; joints but the pelvis, from the pelvis, in the heading's frame, metres; left heel, left toe, right
heel, right toe: 1 where it stands on the floor."""


@dataclass(frozen=True)
class ContactRule:
    """When a heel or toe stands: its landmark this low over the floor (metres) and this slow (metres a second).

    This project's choice: a toe that skates by the field's measure (lower than .05 m, faster than .5 m/s) is in no
    contact, nor is a foot that is about to leave the floor or has yet to come to rest.
    """

    height: float = 0.04
    speed: float = 0.35


class Anchor(NamedTuple):
    """Where a window counts from: metres over the floor, cos and sin of the heading."""

    x: float
    y: float
    cosine: float
    sine: float


def heading_of(root_matrices: ArrayLike) -> Float64:
    """Heading (..., 2), cos and sin, of pelvis rotations (..., 3, 3) in the world.

    Read from the axis that points left, which stays level however far a person bends; where it points straight up or
    down (lying on a side) the heading is that of the world's x.
    """
    left = np.asarray(root_matrices, dtype=np.float64)[..., :2, 1]
    with np.errstate(invalid="ignore", divide="ignore"):
        unit = left / np.linalg.norm(left, axis=-1, keepdims=True)
    heading = np.stack([unit[..., 1], -unit[..., 0]], axis=-1)
    return np.where(np.isfinite(heading), heading, (1.0, 0.0))


def _heading_matrices(heading: Float64) -> Float64:
    matrices = np.zeros((*heading.shape[:-1], 3, 3))
    cosine, sine = heading[..., 0], heading[..., 1]
    matrices[..., 0, 0] = matrices[..., 1, 1] = cosine
    matrices[..., 1, 0], matrices[..., 0, 1] = sine, -sine
    matrices[..., 2, 2] = 1.0
    return matrices


def rotation_6d(matrices: ArrayLike) -> Float64:
    """(..., 6) of rotation matrices (..., 3, 3): the first column, then the second."""
    array = np.asarray(matrices, dtype=np.float64)
    return np.concatenate([array[..., 0], array[..., 1]], axis=-1)


def rotation_from_6d(values: ArrayLike) -> Float64:
    """Rotation matrices (..., 3, 3) of any two columns (..., 6) that are not parallel (Gram-Schmidt)."""
    array = np.asarray(values, dtype=np.float64)
    first = normalize(array[..., :3])
    second = array[..., 3:]
    second = normalize(second - np.sum(first * second, axis=-1, keepdims=True) * first)
    third = np.cross(first, second)
    return np.stack([first, second, third], axis=-1)


def contacts_of(feet: ArrayLike, fps: float = FPS, rule: ContactRule | None = None) -> NDArray[np.float32]:
    """(T, 4) 1 where a heel or toe stands; feet: (T, 4, 3) metres, floor at 0."""
    chosen = rule or ContactRule()
    points = np.asarray(feet, dtype=np.float64)
    if len(points) < 2:
        return (points[..., 2] < chosen.height).astype(np.float32)
    speed = np.linalg.norm(np.gradient(points, 1.0 / fps, axis=0), axis=-1)
    return ((points[..., 2] < chosen.height) & (speed < chosen.speed)).astype(np.float32)


def features_of(clip: MotionClip) -> Float32:
    """Features (T, 204) of a clip, in the world, not anchored.

    Raises ValueError for a clip that is not at 20 frames a second, not on the canonical bones or not wholly seen:
    `datasets.to_canonical` makes one of any clip.
    """
    if abs(clip.fps - FPS) > 1e-3:
        raise ValueError(f"the clip has {clip.fps:g} frames a second, the motion model {FPS:g}; resample it first")
    if np.abs(clip.bone_offsets - REST_OFFSETS).max() > _BONES_TOLERANCE_M:
        raise ValueError("the clip's bones are a person's own; the motion model needs the canonical ones")
    if not (np.isfinite(clip.positions).all() and np.isfinite(clip.rotations).all()):
        raise ValueError("the clip has unseen joints; the motion model needs all of them")
    matrices = to_matrix(normalize(clip.rotations))
    heading = heading_of(matrices[:, 0])
    back = np.swapaxes(_heading_matrices(heading), -1, -2)
    matrices[:, 0] = back @ matrices[:, 0]
    around = np.asarray(clip.positions, dtype=np.float64)
    around = (around[:, 1:] - around[:, :1]) @ np.swapaxes(back, -1, -2)
    features = np.empty((len(clip), LAYOUT.size), dtype=np.float32)
    features[:, LAYOUT["root_position"]] = clip.positions[:, 0]
    features[:, LAYOUT["heading"]] = heading
    features[:, LAYOUT["rotations"]] = rotation_6d(matrices).reshape(len(clip), -1)
    features[:, LAYOUT["positions"]] = around.reshape(len(clip), -1)
    features[:, LAYOUT["contacts"]] = contacts_of(clip.feet)
    return features


class Body(NamedTuple):
    """positions (T, 22, 3) metres, world; rotations (T, 22, 4) xyzw, local; feet (T, 4, 3) metres."""

    positions: Float64
    rotations: Float64
    feet: Float64


def body_of(features: ArrayLike) -> Body:
    """The bodies of features (T, 204): root and rotations on the canonical bones; the other slices are not read."""
    values = np.asarray(features, dtype=np.float64)
    matrices = rotation_from_6d(values[..., LAYOUT["rotations"]].reshape(*values.shape[:-1], _JOINTS, 6))
    matrices[..., 0, :, :] = _heading_matrices(normalize(values[..., LAYOUT["heading"]])) @ matrices[..., 0, :, :]
    rotations = from_matrix(matrices)
    in_world = world_matrices(matrices)
    positions = positions_from_matrices(values[..., LAYOUT["root_position"]], in_world, REST_OFFSETS)
    return Body(positions, rotations, feet_from_matrices(positions, in_world, REST_OFFSETS))


def clip_of(
    features: ArrayLike,
    *,
    start: float = 0.0,
    subject: str = "generated",
    source: Source = Source.GENERATED,
    labels: tuple[str, ...] = (),
) -> MotionClip:
    """The clip of features (T, 204) in the world; its first frame is at `start`, seconds. T is at least 1."""
    body = body_of(features)
    frames = len(body.positions)
    return MotionClip(
        fps=FPS,
        stamps=start + np.arange(frames) / FPS,
        positions=body.positions.astype(np.float32),
        rotations=body.rotations.astype(np.float32),
        confidence=np.ones((frames, _JOINTS), np.float32),
        feet=body.feet.astype(np.float32),
        feet_confidence=np.ones((frames, len(FEET)), np.float32),
        bone_offsets=REST_OFFSETS.astype(np.float32),
        view_direction=np.full((frames, 3), np.nan, np.float32),
        views=0,
        subject=subject,
        source=source,
        labels=labels,
    )


def mirrored_features(features: ArrayLike) -> NDArray[Any]:
    """Features (..., 204) of the mirror image in the x-z plane, of the world or, where they are anchored, the anchor's.

    Exact, and its own inverse; the type stays.
    """
    return np.asarray(features)[..., _MIRROR_ORDER] * _MIRROR_SIGNS


def _mirror() -> tuple[NDArray[np.int64], Float32]:
    """Where each number of a mirrored frame comes from, and with which sign."""
    order, signs = np.arange(LAYOUT.size), np.ones(LAYOUT.size, np.float32)
    joints = np.array(SMPL22.mirror)
    parts = {
        "root_position": (np.zeros(1, np.int64), (1, -1, 1)),
        "heading": (np.zeros(1, np.int64), (1, -1)),
        # a rotation R becomes M R M with M = diag(1, -1, 1): of its columns x and y these numbers change sign
        "rotations": (joints, (1, -1, 1, -1, 1, -1)),
        "positions": (joints[1:] - 1, (1, -1, 1)),
        "contacts": (np.array(FEET_MIRROR), (1,)),
    }
    for name, (places, change) in parts.items():
        part = LAYOUT[name]
        order[part] = order[part].reshape(len(places), -1)[places].ravel()
        signs[part] = np.tile(change, len(places))
    return order, signs


_MIRROR_ORDER, _MIRROR_SIGNS = _mirror()


def anchor_of(frame: ArrayLike) -> Anchor:
    """The anchor that a frame's features (204,) give."""
    values = np.asarray(frame, dtype=np.float64)
    x, y = values[LAYOUT["root_position"]][:2]
    cosine, sine = normalize(values[LAYOUT["heading"]])
    return Anchor(float(x), float(y), float(cosine), float(sine))


def anchored(features: ArrayLike, anchor: Anchor) -> Float32:
    """Features (T, 204) in the world, counted from the anchor."""
    values = np.array(features, dtype=np.float64)
    root, heading = values[..., LAYOUT["root_position"]], values[..., LAYOUT["heading"]]
    dx, dy = root[..., 0] - anchor.x, root[..., 1] - anchor.y
    root[..., 0], root[..., 1] = anchor.cosine * dx + anchor.sine * dy, anchor.cosine * dy - anchor.sine * dx
    cosine, sine = heading[..., 0].copy(), heading[..., 1].copy()
    heading[..., 0] = anchor.cosine * cosine + anchor.sine * sine
    heading[..., 1] = anchor.cosine * sine - anchor.sine * cosine
    return values.astype(np.float32)


def placed(features: ArrayLike, anchor: Anchor) -> Float64:
    """Anchored features (T, 204) back in the world, in double precision: the way may be long."""
    values = np.array(features, dtype=np.float64)
    root, heading = values[..., LAYOUT["root_position"]], values[..., LAYOUT["heading"]]
    dx, dy = root[..., 0].copy(), root[..., 1].copy()
    root[..., 0] = anchor.x + anchor.cosine * dx - anchor.sine * dy
    root[..., 1] = anchor.y + anchor.sine * dx + anchor.cosine * dy
    cosine, sine = heading[..., 0].copy(), heading[..., 1].copy()
    heading[..., 0] = anchor.cosine * cosine - anchor.sine * sine
    heading[..., 1] = anchor.sine * cosine + anchor.cosine * sine
    return values
