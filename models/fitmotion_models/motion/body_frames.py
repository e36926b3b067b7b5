"""A chunk of frames as a body in the world: decoded from features, mended, and encoded again as what was played.

What is played is what the next chunk continues: so the features that go back to the network are those of the played
body, with rotations that are rotations, joints that follow from them and a heading of unit length, in double precision.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from fitmotion_models.motion.features import LAYOUT, FeatureLayout, heading_of, rotation_6d, rotation_from_6d
from fitmotion_models.skeleton.body_pose import BodyPose, Source
from fitmotion_models.skeleton.joint_sets import FEET, SMPL22
from fitmotion_models.skeleton.kinematics import (
    FEET_PARENTS,
    REST_FEET_OFFSETS,
    REST_OFFSETS,
    positions_from_matrices,
    world_matrices,
)
from fitmotion_models.skeleton.rotations import Float64, from_matrix, normalize, to_matrix

_JOINTS = len(SMPL22)
_FEET_PARENTS = list(FEET_PARENTS)
_SOLES = REST_FEET_OFFSETS[..., None]

ROW = FeatureLayout(features=(LAYOUT.size,), positions=(_JOINTS, 3), rotations=(_JOINTS, 4), feet=(len(FEET), 3))
"""One played frame: its features in the world, joints (metres), local rotations (xyzw), heels and toes (metres)."""


@dataclass(eq=False)
class BodyFrames:
    """T frames of the canonical body; arrays in double precision, free to be changed in place.

    local: (T, 22, 3, 3) rotations in the parent's frame, the root's in the world. world: (T, 22, 3, 3). positions:
    (T, 22, 3) and feet: (T, 4, 3) metres, world. contacts: (T, 4) how surely each heel and toe stands, 0 to 1.
    """

    local: Float64
    world: Float64
    positions: Float64
    feet: Float64
    contacts: Float64

    def __len__(self) -> int:
        return len(self.local)

    def follow(self) -> None:
        """Joints and feet from `local` and the root's position, after either was changed."""
        self.world = world_matrices(self.local.copy())
        self.positions = positions_from_matrices(self.positions[:, 0], self.world, REST_OFFSETS)
        self.feet = _feet(self.positions, self.world)

    def moved(self, offset: Float64) -> None:
        """Move everything by (T, 3) metres."""
        self.positions += offset[:, None]
        self.feet += offset[:, None]


def _feet(positions: Float64, world: Float64) -> Float64:
    """Heels and toes (..., 4, 3) of the canonical body."""
    result: Float64 = positions[..., _FEET_PARENTS, :] + (world[..., _FEET_PARENTS, :, :] @ _SOLES)[..., 0]
    return result


def _about_up(heading: Float64) -> Float64:
    turn = np.zeros((*heading.shape[:-1], 3, 3))
    turn[..., 0, 0] = turn[..., 1, 1] = heading[..., 0]
    turn[..., 1, 0], turn[..., 0, 1] = heading[..., 1], -heading[..., 1]
    turn[..., 2, 2] = 1.0
    return turn


def decode(features: ArrayLike) -> BodyFrames:
    """The bodies of features (T, 204) in the world: root and rotations tell all; the slice of joints is not read."""
    values = np.asarray(features, dtype=np.float64)
    local = rotation_from_6d(values[:, LAYOUT["rotations"]].reshape(len(values), _JOINTS, 6))
    local[:, 0] = _about_up(normalize(values[:, LAYOUT["heading"]])) @ local[:, 0]
    positions = np.zeros((len(values), _JOINTS, 3))
    positions[:, 0] = values[:, LAYOUT["root_position"]]
    contacts = np.clip(values[:, LAYOUT["contacts"]], 0.0, 1.0)
    frames = BodyFrames(local, local, positions, np.zeros((len(values), len(FEET), 3)), contacts)
    frames.follow()
    return frames


def encode(frames: BodyFrames) -> Float64:
    """Features (T, 204) in the world, double precision, as `features_of` gives them."""
    count = len(frames)
    heading = heading_of(frames.local[:, 0])
    back = np.swapaxes(_about_up(heading), -1, -2)
    matrices = frames.local.copy()
    matrices[:, 0] = back @ matrices[:, 0]
    root = frames.positions[:, :1]
    features = np.empty((count, LAYOUT.size))
    features[:, LAYOUT["root_position"]] = root[:, 0]
    features[:, LAYOUT["heading"]] = heading
    features[:, LAYOUT["rotations"]] = rotation_6d(matrices).reshape(count, -1)
    around = (frames.positions[:, 1:] - root) @ np.swapaxes(back, -1, -2)
    features[:, LAYOUT["positions"]] = around.reshape(count, -1)
    features[:, LAYOUT["contacts"]] = frames.contacts
    return features


def rows_of(frames: BodyFrames) -> Float64:
    """Rows (T, ROW.size) to be played."""
    count = len(frames)
    rows = np.empty((count, ROW.size))
    rows[:, ROW["features"]] = encode(frames)
    rows[:, ROW["positions"]] = frames.positions.reshape(count, -1)
    rows[:, ROW["rotations"]] = from_matrix(frames.local).reshape(count, -1)
    rows[:, ROW["feet"]] = frames.feet.reshape(count, -1)
    return rows


def pose_of(row: Float64, stamp: float, subject: str) -> BodyPose:
    """The body of one row (ROW.size,), to be shown at `stamp`, seconds."""
    return _pose(
        row[ROW["positions"]].reshape(_JOINTS, 3),
        row[ROW["rotations"]].reshape(_JOINTS, 4),
        row[ROW["feet"]].reshape(len(FEET), 3),
        stamp,
        subject,
    )


def _pose(positions: Float64, rotations: Float64, feet: Float64, stamp: float, subject: str) -> BodyPose:
    return BodyPose(
        stamp=stamp,
        subject=subject,
        source=Source.GENERATED,
        positions=positions.astype(np.float32),
        rotations=rotations.astype(np.float32),
        confidence=_SEEN,
        feet=feet.astype(np.float32),
        feet_confidence=_SEEN[: len(FEET)],
        bone_offsets=_BONES,
        view_direction=_NO_CAMERA,
        views=0,
    )


def pose_between(rows: Float64, share: float, stamp: float, subject: str) -> BodyPose:
    """The body between the second and the third of four rows (4, ROW.size) that follow each other.

    share: 0 (the second) to 1 (the third). Root and rotations take the cubic way whose velocity goes on from frame to
    frame (Catmull and Rom 1974), joints follow by forward kinematics: bones keep their lengths.
    """
    weights = 0.5 * np.array(
        [
            -share + 2.0 * share**2 - share**3,
            2.0 - 5.0 * share**2 + 3.0 * share**3,
            share + 4.0 * share**2 - 3.0 * share**3,
            share**3 - share**2,
        ]
    )
    turns = rows[:, ROW["rotations"]].reshape(4, _JOINTS, 4)
    # q and -q are one rotation: take those on the second frame's side
    turns = turns * np.where((turns * turns[1]).sum(-1, keepdims=True) < 0.0, -1.0, 1.0)
    rotations = normalize(np.tensordot(weights, turns, 1))
    rotations *= np.where(rotations[:, 3:] < 0.0, -1.0, 1.0)
    root = weights @ rows[:, ROW["positions"]][:, :3]
    world = world_matrices(to_matrix(rotations))
    positions = positions_from_matrices(root, world, REST_OFFSETS)
    return _pose(positions, rotations, _feet(positions, world), stamp, subject)


_SEEN = np.ones(_JOINTS, np.float32)
_NO_CAMERA = np.full(3, np.nan, np.float32)
_BONES = REST_OFFSETS.astype(np.float32)
for _constant in (_SEEN, _NO_CAMERA, _BONES):
    _constant.flags.writeable = False
