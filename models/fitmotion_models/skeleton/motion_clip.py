"""A stretch of motion of one body: `BodyPose` with a time axis."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.skeleton.body_pose import ARRAY_SHAPES, BodyPose, Float32, Source


@dataclass(frozen=True, eq=False)
class MotionClip:
    """Motion of one body on SMPL-22 in the `world` frame; fields, units and frames as in `BodyPose`.

    fps: nominal frame rate, Hz. stamps: (T,) seconds, strictly increasing.
    positions (T, 22, 3), rotations (T, 22, 4), confidence (T, 22), feet (T, 4, 3), feet_confidence (T, 4),
    bone_offsets (22, 3), view_direction (T, 3). labels: free words about the clip (action, style, ...).
    """

    fps: float
    stamps: NDArray[np.float64]
    positions: Float32
    rotations: Float32
    confidence: Float32
    feet: Float32
    feet_confidence: Float32
    bone_offsets: Float32
    view_direction: Float32
    views: int
    subject: str
    source: Source
    labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        stamps = np.asarray(self.stamps, dtype=np.float64)
        if stamps.ndim != 1 or np.any(np.diff(stamps) <= 0):
            raise ValueError("MotionClip.stamps must be one increasing axis of seconds")
        object.__setattr__(self, "stamps", stamps)
        for name, shape in ARRAY_SHAPES.items():
            expected = shape if name == "bone_offsets" else (len(stamps), *shape)
            array = np.asarray(getattr(self, name), dtype=np.float32)
            if array.shape != expected:
                raise ValueError(f"MotionClip.{name} has shape {array.shape}; expected {expected}")
            object.__setattr__(self, name, array)

    def __len__(self) -> int:
        return len(self.stamps)

    def frame(self, index: int) -> BodyPose:
        """The body at one frame."""
        arrays = {
            name: self.bone_offsets if name == "bone_offsets" else getattr(self, name)[index] for name in ARRAY_SHAPES
        }
        return BodyPose(
            stamp=float(self.stamps[index]), subject=self.subject, source=self.source, views=self.views, **arrays
        )

    def __iter__(self) -> Iterator[BodyPose]:
        return (self.frame(index) for index in range(len(self)))


def clip_from_poses(poses: Iterable[BodyPose], fps: float, labels: tuple[str, ...] = ()) -> MotionClip:
    """Stack poses of one subject into a clip; the last pose's bone offsets stand for all.

    Raises ValueError when there is no pose.
    """
    frames = list(poses)
    if not frames:
        raise ValueError("a clip needs at least one pose")
    last = frames[-1]
    arrays = {
        name: last.bone_offsets if name == "bone_offsets" else np.stack([getattr(pose, name) for pose in frames])
        for name in ARRAY_SHAPES
    }
    return MotionClip(
        fps=fps,
        stamps=np.array([pose.stamp for pose in frames]),
        views=last.views,
        subject=last.subject,
        source=last.source,
        labels=labels,
        **arrays,
    )
