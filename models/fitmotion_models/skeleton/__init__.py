"""The human body: joint sets, conversions, kinematics, the body fit, and the values BodyPose and MotionClip."""

from fitmotion_models.skeleton.body_pose import BodyPose, Source
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
    "BodyPose",
    "JointSet",
    "MotionClip",
    "Source",
    "clip_from_poses",
    "feet_from_pose",
    "forward_kinematics",
    "global_rotations",
    "joint_set",
]
