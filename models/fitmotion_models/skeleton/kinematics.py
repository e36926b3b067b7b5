"""The rest pose and forward kinematics of the 22 joints and four foot landmarks."""

import numpy as np
from numpy.typing import ArrayLike

from fitmotion_models.skeleton.joint_sets import FEET, SMPL22
from fitmotion_models.skeleton.rotations import Float64, from_matrix, to_matrix

PARENTS: tuple[int, ...] = SMPL22.parents

# SMPL's own mean body (neutral model, betas 0; Loper et al. 2015): joint positions in the parent's frame, metres, in
# SMPL's axes (x left, y up, z forward), as published in the `SMPL_BODY_BONES` table of TokenHMR and HybrIK users and in
# the smpl_humanoid.xml of PHC and SMPLSim. The first row is the pelvis in the model's own origin.
SMPL_MEAN_OFFSETS: Float64 = np.array(
    [
        (-0.0018, -0.2233, 0.0282),  # pelvis
        (0.0695, -0.0914, -0.0068),  # left_hip
        (-0.0677, -0.0905, -0.0043),  # right_hip
        (-0.0025, 0.1090, -0.0267),  # spine1
        (0.0343, -0.3752, -0.0045),  # left_knee
        (-0.0383, -0.3826, -0.0089),  # right_knee
        (0.0055, 0.1352, 0.0011),  # spine2
        (-0.0136, -0.3980, -0.0437),  # left_ankle
        (0.0158, -0.3984, -0.0423),  # right_ankle
        (0.0015, 0.0529, 0.0254),  # spine3
        (0.0264, -0.0558, 0.1193),  # left_foot
        (-0.0254, -0.0481, 0.1233),  # right_foot
        (-0.0028, 0.2139, -0.0429),  # neck
        (0.0788, 0.1217, -0.0341),  # left_collar
        (-0.0818, 0.1188, -0.0386),  # right_collar
        (0.0052, 0.0650, 0.0513),  # head
        (0.0910, 0.0305, -0.0089),  # left_shoulder
        (-0.0960, 0.0326, -0.0091),  # right_shoulder
        (0.2596, -0.0128, -0.0275),  # left_elbow
        (-0.2537, -0.0133, -0.0214),  # right_elbow
        (0.2492, 0.0090, -0.0012),  # left_wrist
        (-0.2553, 0.0078, -0.0056),  # right_wrist
    ]
)

# SMPL's axes to ours (x forward, y left, z up): a turn of the three axes into each other
SMPL_TO_WORLD: Float64 = np.array([(0.0, 0.0, 1.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)])

# Stature of SMPL's mean body, metres; with it Winter 2009 (Biomechanics and Motor Control of Human Movement, table 4.1)
# gives the height of the ankle over the sole (0.039 of stature) and the length of the foot (0.152 of stature)
REST_STATURE = 1.72
ANKLE_HEIGHT = 0.039 * REST_STATURE
FOOT_LENGTH = 0.152 * REST_STATURE
# how far the heel lies behind the ankle: the calcaneus' origin in the talus in OpenSim's full-body model (Rajagopal et
# al. 2016, 0.0488 m at a stature of 1.70 m; Lai-Uhlrich 2022 keeps it)
HEEL_BEHIND_ANKLE = 0.0488 * REST_STATURE / 1.70


def _symmetric_rest_offsets() -> Float64:
    """SMPL's mean body in our axes, its two halves averaged, so that a symmetric posture is a symmetric body."""
    offsets = SMPL_MEAN_OFFSETS @ SMPL_TO_WORLD.T
    offsets[0] = 0.0
    mirrored = offsets[list(SMPL22.mirror)] * (1.0, -1.0, 1.0)
    # adding a and b gives the same bits as b and a: both halves are equal to the last bit
    result: Float64 = 0.5 * (offsets + mirrored)
    return result


def _rest_feet_offsets(rest: Float64) -> Float64:
    """Heel in the ankle's frame and toe tip in the foot's, both on one flat sole, along the line ankle to foot."""
    rows = []
    for side in ("left", "right"):
        foot = rest[SMPL22.index(f"{side}_foot")]
        ahead = float(np.hypot(foot[0], foot[1]))
        forward = np.array([foot[0], foot[1], 0.0]) / ahead
        sole = np.array([0.0, 0.0, -ANKLE_HEIGHT])
        rows.append(sole - HEEL_BEHIND_ANKLE * forward)
        rows.append(sole + (FOOT_LENGTH - HEEL_BEHIND_ANKLE) * forward - foot)
    return np.array(rows)


REST_OFFSETS: Float64 = _symmetric_rest_offsets()
"""(22, 3) metres: joints in their parents' frames in the rest pose (T-pose facing +x, +y left, +z up); root 0."""

REST_FEET_OFFSETS: Float64 = _rest_feet_offsets(REST_OFFSETS)
"""(4, 3) metres: heels in the ankles' frames, toe tips in the foot joints' frames, order `FEET`."""

FEET_PARENTS: tuple[int, ...] = tuple(
    SMPL22.index(name.replace("heel", "ankle").replace("toe", "foot")) for name in FEET
)
"""The joint in whose frame each foot landmark is given."""

for _table in (SMPL_MEAN_OFFSETS, SMPL_TO_WORLD, REST_OFFSETS, REST_FEET_OFFSETS):
    _table.flags.writeable = False


def _levels() -> tuple[tuple[list[int], list[int]], ...]:
    """(joints, their parents) by depth in the tree, so that a whole level is computed at once."""
    depth = [0] * len(PARENTS)
    for joint, parent in enumerate(PARENTS):
        depth[joint] = 0 if parent < 0 else depth[parent] + 1
    levels = []
    for level in range(1, max(depth) + 1):
        joints = [joint for joint in range(len(PARENTS)) if depth[joint] == level]
        levels.append((joints, [PARENTS[joint] for joint in joints]))
    return tuple(levels)


LEVELS = _levels()


def global_matrices(rotations: ArrayLike) -> Float64:
    """Rotation matrices (..., 22, 3, 3) of the joints in the world, from local quaternions (..., 22, 4)."""
    return world_matrices(to_matrix(rotations))


def world_matrices(local: Float64) -> Float64:
    """Rotation matrices (..., 22, 3, 3) of the joints in the world, from those local to the parents; given away."""
    for joints, parents in LEVELS:
        local[..., joints, :, :] = local[..., parents, :, :] @ local[..., joints, :, :]
    return local


def global_rotations(rotations: ArrayLike) -> Float64:
    """Quaternions xyzw (..., 22, 4) of the joints in the world, from those local to the parents (..., 22, 4)."""
    return from_matrix(global_matrices(rotations))


def positions_from_matrices(root_position: ArrayLike, matrices: Float64, bone_offsets: ArrayLike) -> Float64:
    """Joint positions (..., 22, 3) from the root's (..., 3), world matrices (..., 22, 3, 3) and bones (..., 22, 3)."""
    offsets = np.asarray(bone_offsets, dtype=np.float64)
    bones = (matrices[..., list(PARENTS), :, :] @ offsets[..., None])[..., 0]
    bones[..., 0, :] = root_position
    for joints, parents in LEVELS:
        bones[..., joints, :] += bones[..., parents, :]
    return bones


def forward_kinematics(root_position: ArrayLike, rotations: ArrayLike, bone_offsets: ArrayLike) -> Float64:
    """Joint positions (..., 22, 3), metres, world.

    root_position: (..., 3) metres. rotations: (..., 22, 4) unit quaternions xyzw local to the parents, the root's in
    the world. bone_offsets: (22, 3) or (..., 22, 3) metres. A NaN rotation makes the joints below it NaN; see
    `fill_unseen`.
    """
    return positions_from_matrices(root_position, global_matrices(rotations), bone_offsets)


def fill_unseen(rotations: ArrayLike) -> Float64:
    """Rotations with NaN ones replaced by none, as the body fit takes them: what lies below an unseen joint is kept."""
    array = np.array(rotations, dtype=np.float64)
    array[np.isnan(array).any(axis=-1)] = (0.0, 0.0, 0.0, 1.0)
    return array


def feet_offsets(bone_offsets: ArrayLike) -> Float64:
    """Heels and toes (..., 4, 3) of a person: the rest table scaled by the length of the person's feet, metres."""
    offsets = np.asarray(bone_offsets, dtype=np.float64)
    foot = [SMPL22.index("left_foot")] * 2 + [SMPL22.index("right_foot")] * 2
    length = np.linalg.norm(offsets[..., foot, :], axis=-1, keepdims=True)
    result: Float64 = REST_FEET_OFFSETS * (length / np.linalg.norm(REST_OFFSETS[foot], axis=-1, keepdims=True))
    return result


def feet_from_matrices(positions: ArrayLike, matrices: Float64, bone_offsets: ArrayLike) -> Float64:
    """Foot landmarks (..., 4, 3) from positions (..., 22, 3) and world matrices (..., 22, 3, 3)."""
    anchors = np.asarray(positions, dtype=np.float64)[..., list(FEET_PARENTS), :]
    turned = matrices[..., list(FEET_PARENTS), :, :] @ feet_offsets(bone_offsets)[..., None]
    result: Float64 = anchors + turned[..., 0]
    return result


def feet_from_pose(positions: ArrayLike, rotations: ArrayLike, bone_offsets: ArrayLike) -> Float64:
    """Left heel, left toe, right heel, right toe (..., 4, 3), metres, world, of a body with these bones.

    positions: (..., 22, 3) metres. rotations: (..., 22, 4) local quaternions. bone_offsets: (22, 3) or (..., 22, 3).
    """
    return feet_from_matrices(positions, global_matrices(rotations), bone_offsets)


def rest_height(bone_offsets: ArrayLike = REST_OFFSETS) -> float:
    """How high the pelvis of a body with these bones (22, 3) is over its soles in the rest pose, metres."""
    upright = np.tile((0.0, 0.0, 0.0, 1.0), (len(PARENTS), 1))
    positions = forward_kinematics(np.zeros(3), upright, bone_offsets)
    return -float(feet_from_pose(positions, upright, bone_offsets)[:, 2].min())
