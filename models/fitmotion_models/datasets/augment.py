"""More motion from what was recorded: mirror images, and the same a little faster or slower."""

from dataclasses import replace

import numpy as np

from fitmotion_models.datasets.canonical import resampled
from fitmotion_models.motion.sides import swap_sides
from fitmotion_models.skeleton.frames import mirror_clip
from fitmotion_models.skeleton.kinematics import feet_from_matrices, global_matrices, positions_from_matrices
from fitmotion_models.skeleton.motion_clip import MotionClip


def mirrored(clip: MotionClip) -> MotionClip:
    """The mirror image; sides in its labels change places too."""
    return replace(mirror_clip(clip), labels=tuple(swap_sides(label) for label in clip.labels))


def at_speed(clip: MotionClip, speed: float) -> MotionClip:
    """The same motion `speed` times as fast, at the clip's frame rate.

    clip: constant bones, wholly seen. Raises ValueError for a speed that is not positive, and as `resampled`.
    """
    if not (np.isfinite(speed) and speed > 0.0):
        raise ValueError(f"speed is {speed}; allowed: numbers above 0, 1 leaves it as it is")
    root, rotations = resampled(clip, clip.fps, speed=speed)
    world = global_matrices(rotations)
    positions = positions_from_matrices(root, world, clip.bone_offsets)
    frames = len(root)
    return replace(
        clip,
        stamps=np.arange(frames) / clip.fps,
        positions=positions.astype(np.float32),
        rotations=rotations.astype(np.float32),
        confidence=np.ones((frames, positions.shape[1]), np.float32),
        feet=feet_from_matrices(positions, world, clip.bone_offsets).astype(np.float32),
        feet_confidence=np.ones((frames, clip.feet.shape[1]), np.float32),
        view_direction=np.full((frames, 3), np.nan, np.float32),
    )
