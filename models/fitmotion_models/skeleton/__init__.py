"""The human body: joint sets, conversions, kinematics, the body fit, and the values BodyPose and MotionClip."""

from fitmotion_models.skeleton.body_pose import BodyPose, Source
from fitmotion_models.skeleton.bones import estimate_bone_offsets
from fitmotion_models.skeleton.clip_file import load_clip, save_clip
from fitmotion_models.skeleton.convert import from_smpl_pose, to_smpl22, to_smpl_pose
from fitmotion_models.skeleton.fit import BodyFit, fit_body
from fitmotion_models.skeleton.frames import mirror_clip, mirror_pose, y_up_to_z_up, z_up_to_y_up
from fitmotion_models.skeleton.joint_sets import FEET, JOINT_SET_IDS, JOINT_SETS, SMPL22, JointSet, joint_set
from fitmotion_models.skeleton.kinematics import (
    REST_FEET_OFFSETS,
    REST_OFFSETS,
    feet_from_pose,
    forward_kinematics,
    global_rotations,
)
from fitmotion_models.skeleton.motion_clip import MotionClip, clip_from_poses

__all__ = [
    "FEET",
    "JOINT_SETS",
    "JOINT_SET_IDS",
    "REST_FEET_OFFSETS",
    "REST_OFFSETS",
    "SMPL22",
    "BodyFit",
    "BodyPose",
    "JointSet",
    "MotionClip",
    "Source",
    "clip_from_poses",
    "estimate_bone_offsets",
    "feet_from_pose",
    "fit_body",
    "forward_kinematics",
    "from_smpl_pose",
    "global_rotations",
    "joint_set",
    "load_clip",
    "mirror_clip",
    "mirror_pose",
    "save_clip",
    "to_smpl22",
    "to_smpl_pose",
    "y_up_to_z_up",
    "z_up_to_y_up",
]
