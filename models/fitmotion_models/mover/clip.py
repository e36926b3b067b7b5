"""From the mover's world matrices to a MotionClip, and a clip as a camera would report it."""

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from fitmotion_models.mover.body import Float64
from fitmotion_models.skeleton.body_pose import Source
from fitmotion_models.skeleton.kinematics import PARENTS, feet_from_matrices, positions_from_matrices
from fitmotion_models.skeleton.motion_clip import MotionClip
from fitmotion_models.skeleton.rotations import from_matrix


def clip_from_matrices(
    stamps: Float64,
    root: Float64,
    world: Float64,
    bones: Float64,
    *,
    fps: float,
    subject: str,
    labels: tuple[str, ...],
) -> MotionClip:
    """A clip, confidence 1 and no camera, of root positions (T, 3), metres, and world matrices (T, 22, 3, 3)."""
    positions = positions_from_matrices(root, world, bones)
    frames = len(stamps)
    return MotionClip(
        fps=fps,
        stamps=stamps,
        positions=positions.astype(np.float32),
        rotations=local_rotations(world).astype(np.float32),
        confidence=np.ones((frames, len(PARENTS)), np.float32),
        feet=feet_from_matrices(positions, world, bones).astype(np.float32),
        feet_confidence=np.ones((frames, 4), np.float32),
        bone_offsets=bones.astype(np.float32),
        view_direction=np.full((frames, 3), np.nan, np.float32),
        views=0,
        subject=subject,
        source=Source.MOVER,
        labels=labels,
    )


def local_rotations(world: Float64) -> Float64:
    """Local unit quaternions xyzw (..., 22, 4) of world matrices (..., 22, 3, 3)."""
    local = np.swapaxes(world[..., list(PARENTS), :, :], -1, -2) @ world
    local[..., 0, :, :] = world[..., 0, :, :]
    return from_matrix(local)


def seen_from(clip: MotionClip, view_direction: ArrayLike) -> MotionClip:
    """The same clip as if one camera had seen it.

    view_direction: (3,) from the body to the camera, world frame, of any length: (1, 0, 0) from the front, (0, 1, 0)
    from the body's left. Raises ValueError when it has no direction.
    """
    direction = np.asarray(view_direction, dtype=np.float64)
    length = float(np.linalg.norm(direction)) if direction.shape == (3,) else np.nan
    if not (np.isfinite(length) and length > 0.0):
        raise ValueError(f"view_direction={view_direction!r} must be three finite numbers (x, y, z), not all 0")
    towards = np.tile((direction / length).astype(np.float32), (len(clip), 1))
    return replace(clip, view_direction=towards, views=1)
