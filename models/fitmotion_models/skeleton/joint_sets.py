"""The joint sets that poses come in, as data: names in the set's own order and a tree."""

from dataclasses import dataclass
from types import MappingProxyType

_SIDES = {"left": "right", "right": "left"}


@dataclass(frozen=True)
class JointSet:
    """A named list of joints with a tree.

    joints: names in the set's published order. parents: index of each joint's parent, -1 for the root. Sets without a
    published tree (COCO-17, Halpe-26, BlazePose-33) carry the tree that their drawings use.
    """

    name: str
    joints: tuple[str, ...]
    parents: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.joints) != len(self.parents):
            raise ValueError(f"joint set {self.name!r}: {len(self.joints)} joints but {len(self.parents)} parents")

    def __len__(self) -> int:
        return len(self.joints)

    def index(self, name: str) -> int:
        """Position of a joint in the set. Raises ValueError, naming the joints there are, when it is none of them."""
        try:
            return self.joints.index(name)
        except ValueError:
            raise ValueError(
                f"joint {name!r} is not in joint set {self.name!r}; it has: {', '.join(self.joints)}"
            ) from None

    @property
    def edges(self) -> tuple[tuple[int, int], ...]:
        """(parent, child) index pairs, for drawing."""
        return tuple((parent, child) for child, parent in enumerate(self.parents) if parent >= 0)

    @property
    def mirror(self) -> tuple[int, ...]:
        """For each joint the index of the same joint on the other side; its own index on the midline."""
        return tuple(self.index(_other_side(name)) for name in self.joints)


def _other_side(name: str) -> str:
    return "_".join(_SIDES.get(word, word) for word in name.split("_"))


def _joint_set(name: str, tree: str) -> JointSet:
    """Build a set from `joint<parent` words; a word without `<` is a root."""
    pairs = [word.partition("<") for word in tree.split()]
    joints = tuple(joint for joint, _, _ in pairs)
    return JointSet(name, joints, tuple(joints.index(parent) if parent else -1 for _, _, parent in pairs))


# Loper et al. 2015, the first 22 of SMPL's 24 joints (the two hands are left out), in SMPL's order
_SMPL_TREE = """
    pelvis left_hip<pelvis right_hip<pelvis spine1<pelvis left_knee<left_hip right_knee<right_hip spine2<spine1
    left_ankle<left_knee right_ankle<right_knee spine3<spine2 left_foot<left_ankle right_foot<right_ankle neck<spine3
    left_collar<spine3 right_collar<spine3 head<neck left_shoulder<left_collar right_shoulder<right_collar
    left_elbow<left_shoulder right_elbow<right_shoulder left_wrist<left_elbow right_wrist<right_elbow
"""

# https://cocodataset.org/#keypoints-2020, person keypoints
_COCO_TREE = """
    nose left_eye<nose right_eye<nose left_ear<left_eye right_ear<right_eye left_shoulder<left_ear
    right_shoulder<right_ear left_elbow<left_shoulder right_elbow<right_shoulder left_wrist<left_elbow
    right_wrist<right_elbow left_hip<left_shoulder right_hip<right_shoulder left_knee<left_hip right_knee<right_hip
    left_ankle<left_knee right_ankle<right_knee
"""

# Halpe-FullBody, 26 body keypoints: COCO's 17, then head (its top), neck, hip (middle), toes and heels
_HALPE_TREE = """
    nose<head left_eye<nose right_eye<nose left_ear<left_eye right_ear<right_eye left_shoulder<neck
    right_shoulder<neck left_elbow<left_shoulder right_elbow<right_shoulder left_wrist<left_elbow
    right_wrist<right_elbow left_hip<hip right_hip<hip left_knee<left_hip right_knee<right_hip
    left_ankle<left_knee right_ankle<right_knee head<neck neck<hip hip left_big_toe<left_heel right_big_toe<right_heel
    left_small_toe<left_heel right_small_toe<right_heel left_heel<left_ankle right_heel<right_ankle
"""

# Bazarevsky et al. 2020 and MediaPipe's PoseLandmark enumeration
_BLAZEPOSE_TREE = """
    nose left_eye_inner<nose left_eye<left_eye_inner left_eye_outer<left_eye right_eye_inner<nose
    right_eye<right_eye_inner right_eye_outer<right_eye left_ear<left_eye_outer right_ear<right_eye_outer
    mouth_left<nose mouth_right<nose left_shoulder<left_ear right_shoulder<right_ear left_elbow<left_shoulder
    right_elbow<right_shoulder left_wrist<left_elbow right_wrist<right_elbow left_pinky<left_wrist
    right_pinky<right_wrist left_index<left_wrist right_index<right_wrist left_thumb<left_wrist
    right_thumb<right_wrist left_hip<left_shoulder right_hip<right_shoulder left_knee<left_hip right_knee<right_hip
    left_ankle<left_knee right_ankle<right_knee left_heel<left_ankle right_heel<right_ankle
    left_foot_index<left_heel right_foot_index<right_heel
"""

# Azure Kinect Body Tracking SDK, k4abt_joint_id_t and its joint hierarchy
_AZURE_KINECT_TREE = """
    pelvis spine_navel<pelvis spine_chest<spine_navel neck<spine_chest clavicle_left<spine_chest
    shoulder_left<clavicle_left elbow_left<shoulder_left wrist_left<elbow_left hand_left<wrist_left
    handtip_left<hand_left thumb_left<wrist_left clavicle_right<spine_chest shoulder_right<clavicle_right
    elbow_right<shoulder_right wrist_right<elbow_right hand_right<wrist_right handtip_right<hand_right
    thumb_right<wrist_right hip_left<pelvis knee_left<hip_left ankle_left<knee_left foot_left<ankle_left
    hip_right<pelvis knee_right<hip_right ankle_right<knee_right foot_right<ankle_right head<neck nose<head
    eye_left<head ear_left<head eye_right<head ear_right<head
"""

# Vakanski et al. 2018 (UI-PRMD), the Kinect skeleton
_UIPRMD_TREE = """
    waist spine<waist chest<spine neck<chest head<neck head_tip<head left_collar<chest left_upper_arm<left_collar
    left_forearm<left_upper_arm left_hand<left_forearm right_collar<chest right_upper_arm<right_collar
    right_forearm<right_upper_arm right_hand<right_forearm left_upper_leg<waist left_lower_leg<left_upper_leg
    left_foot<left_lower_leg left_toes<left_foot right_upper_leg<waist right_lower_leg<right_upper_leg
    right_foot<right_lower_leg right_toes<right_foot
"""

# Microsoft Kinect for Windows SDK 1.x, NUI_SKELETON_POSITION_INDEX in the order of Chen et al. 2015 (UTD-MHAD), whose
# table starts at the head
_KINECT20_TREE = """
    head<shoulder_center shoulder_center<spine spine<hip_center hip_center left_shoulder<shoulder_center
    left_elbow<left_shoulder left_wrist<left_elbow left_hand<left_wrist right_shoulder<shoulder_center
    right_elbow<right_shoulder right_wrist<right_elbow right_hand<right_wrist left_hip<hip_center left_knee<left_hip
    left_ankle<left_knee left_foot<left_ankle right_hip<hip_center right_knee<right_hip right_ankle<right_knee
    right_foot<right_ankle
"""


SMPL22 = _joint_set("smpl22", _SMPL_TREE)

JOINT_SETS: MappingProxyType[str, JointSet] = MappingProxyType(
    {
        joint_set.name: joint_set
        for joint_set in (
            SMPL22,
            _joint_set("coco17", _COCO_TREE),
            _joint_set("halpe26", _HALPE_TREE),
            _joint_set("blazepose33", _BLAZEPOSE_TREE),
            _joint_set("azure_kinect32", _AZURE_KINECT_TREE),
            _joint_set("uiprmd22", _UIPRMD_TREE),
            _joint_set("kinect20", _KINECT20_TREE),
            # Guo et al. 2022: HumanML3D keeps SMPL's first 22 joints in their order (with y up)
            JointSet("humanml3d22", SMPL22.joints, SMPL22.parents),
        )
    }
)

# the numbers are those of the constants in Skeleton2D.msg; 0 is an unknown set. Sets of recordings only have none.
JOINT_SET_IDS: MappingProxyType[str, int] = MappingProxyType(
    {
        "smpl22": 1,
        "coco17": 2,
        "halpe26": 3,
        "blazepose33": 4,
        "azure_kinect32": 5,
        "uiprmd22": 6,
        "humanml3d22": 7,
    }
)

# foot landmarks that a body carries beside the 22 joints; numbered 22 to 25 where joints and landmarks share an index
FEET = ("left_heel", "left_toe", "right_heel", "right_toe")
FEET_MIRROR = (2, 3, 0, 1)


def joint_set(name: str) -> JointSet:
    """The joint set of that name. Raises ValueError, naming the known ones, when there is none."""
    try:
        return JOINT_SETS[name]
    except KeyError:
        raise ValueError(
            f"joint set {name!r} is unknown; known: {', '.join(JOINT_SETS)}. Add it in skeleton/joint_sets.py"
        ) from None
