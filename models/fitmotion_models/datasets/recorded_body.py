"""From a recording's own rotations, carried over to SMPL-22, to a clip that stands on the floor of the world."""

from dataclasses import replace

import numpy as np

from fitmotion_models.mover.clip import clip_from_matrices
from fitmotion_models.skeleton.body_pose import Source
from fitmotion_models.skeleton.joint_sets import SMPL22
from fitmotion_models.skeleton.kinematics import feet_from_matrices, positions_from_matrices
from fitmotion_models.skeleton.motion_clip import MotionClip
from fitmotion_models.skeleton.rotations import Float64, from_matrix, slerp, to_matrix

# the floor is under the lower foot (the mean of heel and toe) in this percentage of frames: steps and jumps do not lift
# it, single frames do not sink it
_FLOOR_PERCENTILE = 5.0


def recorded_clip(
    root: Float64,
    world: Float64,
    bones: Float64,
    *,
    fps: float,
    target_fps: float | None = None,
    subject: str,
    labels: tuple[str, ...],
) -> MotionClip:
    """The clip of pelvis positions (T, 3), metres, z up, world matrices (T, 22, 3, 3) and bones (22, 3).

    fps: of the recording. target_fps: of the clip, no higher; None keeps the recording's. The origin is on the floor
    between the ankles of the first frame, x the way that the hips face there. Raises ValueError as
    `check_rates`.
    """
    check_rates(fps, target_fps)
    stamps, root, world = _resampled(root, world, fps, target_fps)
    root, world = _placed(root, world, bones)
    clip = clip_from_matrices(stamps, root, world, bones, fps=target_fps or fps, subject=subject, labels=labels)
    return replace(clip, source=Source.REPLAY)


def check_rates(fps: float, target_fps: float | None) -> None:
    """Raises ValueError for rates that are not positive and for a clip's that is above the recording's."""
    for name, rate in (("fps", fps), ("target_fps", fps if target_fps is None else target_fps)):
        if not (np.isfinite(rate) and rate > 0.0):
            raise ValueError(f"{name}={rate} must be a positive number of frames a second")
    if target_fps is not None and target_fps > fps * (1.0 + 1e-9):
        raise ValueError(f"target_fps={target_fps:g} is above the recording's fps={fps:g}; ask for at most that")


def _resampled(root: Float64, world: Float64, fps: float, target_fps: float | None) -> tuple[Float64, Float64, Float64]:
    """Stamps (N,), roots (N, 3) and world matrices (N, 22, 3, 3) at the wanted rate."""
    rate = target_fps or fps
    count = int(np.floor((len(root) - 1) * rate / fps + 1e-9)) + 1
    stamps = np.arange(count) / rate
    place = stamps * fps
    before = np.minimum(np.floor(place + 1e-6).astype(int), len(root) - 1)
    share = np.clip(place - before, 0.0, 1.0)
    share[share < 1e-6] = 0.0
    if not share.any():
        return stamps, root[before], world[before]
    after = np.minimum(before + 1, len(root) - 1)
    between = root[before] + share[:, None] * (root[after] - root[before])
    turned = slerp(from_matrix(world[before]), from_matrix(world[after]), share[:, None])
    return stamps, between, to_matrix(turned)


def _placed(root: Float64, world: Float64, bones: Float64) -> tuple[Float64, Float64]:
    """Roots and world matrices moved to the origin, the floor and the heading that the first frame gives."""
    first = positions_from_matrices(root[0], world[0], bones)
    left = first[SMPL22.index("left_hip")] - first[SMPL22.index("right_hip")]
    heading = np.arctan2(-left[0], left[1])
    cosine, sine = np.cos(heading), np.sin(heading)
    back = np.array([(cosine, sine, 0.0), (-sine, cosine, 0.0), (0.0, 0.0, 1.0)])
    ankles = first[[SMPL22.index("left_ankle"), SMPL22.index("right_ankle")]].mean(axis=0)
    feet = feet_from_matrices(positions_from_matrices(root, world, bones), world, bones)
    lower_foot = np.minimum(feet[:, :2, 2].mean(axis=-1), feet[:, 2:, 2].mean(axis=-1))
    floor = float(np.percentile(lower_foot, _FLOOR_PERCENTILE))
    return (root - (ankles[0], ankles[1], floor)) @ back.T, back @ world
