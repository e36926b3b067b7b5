"""One body at one instant: the value that every other part of FitMotion consumes."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]


class Source(IntEnum):
    """Where a pose comes from; the numbers are those of `BodyPose.msg`."""

    UNKNOWN = 0
    CAMERA = 1
    CAMERAS = 2
    REPLAY = 3
    MOVER = 4
    GENERATED = 5


# name -> shape of every array of a pose; a clip has the same with a leading time axis (bone_offsets excepted)
ARRAY_SHAPES: dict[str, tuple[int, ...]] = {
    "positions": (22, 3),
    "rotations": (22, 4),
    "confidence": (22,),
    "feet": (4, 3),
    "feet_confidence": (4,),
    "bone_offsets": (22, 3),
    "view_direction": (3,),
}


@dataclass(frozen=True, eq=False)
class BodyPose:
    """A body on SMPL's first 22 joints plus four foot landmarks.

    Frame `world` (REP-103): x forward, y left, z up.

    stamp: acquisition time of the image behind it (generated: intended display time), seconds.
    positions: (22, 3) joint positions, metres. NaN where unseen.
    rotations: (22, 4) unit quaternions xyzw, local to the parent; the root's in the world. NaN where unseen.
    confidence: (22,) in [0, 1]; 0 is unseen.
    feet: (4, 3) left heel, left toe, right heel, right toe, metres. NaN where unseen.
    feet_confidence: (4,) in [0, 1].
    bone_offsets: (22, 3) the person's joint positions in the parent's frame in the rest pose, metres; the root's is 0.
    view_direction: (3,) unit vector from the body to the camera, world frame; NaN when there is no camera or several.
    views: how many cameras are behind the pose; 0: none (mover, replay of mocap, generated).

    All arrays are float32, as in the message, so that a pose that travelled and one that did not are equal.
    """

    stamp: float
    subject: str
    source: Source
    positions: Float32
    rotations: Float32
    confidence: Float32
    feet: Float32
    feet_confidence: Float32
    bone_offsets: Float32
    view_direction: Float32
    views: int

    def __post_init__(self) -> None:
        for name, shape in ARRAY_SHAPES.items():
            array = np.asarray(getattr(self, name), dtype=np.float32)
            if array.shape != shape:
                raise ValueError(f"BodyPose.{name} has shape {array.shape}; expected {shape}")
            object.__setattr__(self, name, array)
