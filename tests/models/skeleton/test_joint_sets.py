"""The joint tables against the definitions that their makers published."""

import re
from pathlib import Path

import pytest

from fitmotion_models.skeleton import FEET, JOINT_SET_IDS, JOINT_SETS, SMPL22, joint_set

# the `keypoints` field of the person category in COCO's annotation files
COCO = (
    "nose,left_eye,right_eye,left_ear,right_ear,left_shoulder,right_shoulder,left_elbow,right_elbow,left_wrist,"
    "right_wrist,left_hip,right_hip,left_knee,right_knee,left_ankle,right_ankle"
)
# Halpe-FullBody's README, "26 body keypoints"
HALPE_FROM_17 = "Head,Neck,Hip,LBigToe,RBigToe,LSmallToe,RSmallToe,LHeel,RHeel"
# k4abttypes.h of the Azure Kinect Body Tracking SDK, without the prefix K4ABT_JOINT_
AZURE_KINECT = (
    "PELVIS,SPINE_NAVEL,SPINE_CHEST,NECK,CLAVICLE_LEFT,SHOULDER_LEFT,ELBOW_LEFT,WRIST_LEFT,HAND_LEFT,HANDTIP_LEFT,"
    "THUMB_LEFT,CLAVICLE_RIGHT,SHOULDER_RIGHT,ELBOW_RIGHT,WRIST_RIGHT,HAND_RIGHT,HANDTIP_RIGHT,THUMB_RIGHT,HIP_LEFT,"
    "KNEE_LEFT,ANKLE_LEFT,FOOT_LEFT,HIP_RIGHT,KNEE_RIGHT,ANKLE_RIGHT,FOOT_RIGHT,HEAD,NOSE,EYE_LEFT,EAR_LEFT,EYE_RIGHT,"
    "EAR_RIGHT"
)
# joint hierarchy of the same SDK's documentation
AZURE_KINECT_PARENTS = (
    -1, 0, 1, 2, 2, 4, 5, 6, 7, 8, 7, 2, 11, 12, 13, 14, 15, 14, 0, 18, 19, 20, 0, 22, 23, 24, 3, 26, 26, 26, 26, 26,
)  # fmt: skip
# kintree_table of SMPL's model files, joints 0 to 21
SMPL_PARENTS = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19)
UIPRMD_PARENTS = (-1, 0, 1, 2, 3, 4, 2, 6, 7, 8, 2, 10, 11, 12, 0, 14, 15, 16, 0, 18, 19, 20)
UIPRMD = (
    "Waist,Spine,Chest,Neck,Head,HeadTip,LCollar,LUpperArm,LForearm,LHand,RCollar,RUpperArm,RForearm,RHand,LUpLeg,"
    "LLowLeg,LFoot,LToes,RUpLeg,RLowLeg,RFoot,RToes"
)


def test_smpl_order_and_tree() -> None:
    assert SMPL22.parents == SMPL_PARENTS
    assert SMPL22.joints[:4] == ("pelvis", "left_hip", "right_hip", "spine1")
    assert SMPL22.joints[9:16] == ("spine3", "left_foot", "right_foot", "neck", "left_collar", "right_collar", "head")
    assert JOINT_SETS["humanml3d22"].joints == SMPL22.joints


def test_coco_and_halpe_order() -> None:
    coco = tuple(COCO.split(","))
    assert JOINT_SETS["coco17"].joints == coco
    halpe = JOINT_SETS["halpe26"].joints
    assert halpe[:17] == coco
    for index, published in enumerate(HALPE_FROM_17.split(","), start=17):
        ours = halpe[index].replace("left_", "L").replace("right_", "R").replace("_", "")
        assert ours.lower() == published.lower()


def test_blazepose_order_is_mediapipes() -> None:
    landmarks = pytest.importorskip("mediapipe.python.solutions.pose").PoseLandmark
    assert JOINT_SETS["blazepose33"].joints == tuple(landmark.name.lower() for landmark in landmarks)


def test_azure_kinect_order_and_tree() -> None:
    azure = JOINT_SETS["azure_kinect32"]
    assert azure.joints == tuple(AZURE_KINECT.lower().split(","))
    assert azure.parents == AZURE_KINECT_PARENTS


def test_uiprmd_order_and_tree() -> None:
    uiprmd = JOINT_SETS["uiprmd22"]
    assert uiprmd.parents == UIPRMD_PARENTS
    for ours, published in zip(uiprmd.joints, UIPRMD.split(","), strict=True):
        words = re.sub(r"^L(?=[A-Z])", "Left", re.sub(r"^R(?=[A-Z])", "Right", published)).replace("UpLeg", "UpperLeg")
        assert ours.replace("_", "") == words.replace("LowLeg", "LowerLeg").lower()


@pytest.mark.parametrize("name", JOINT_SETS)
def test_trees_are_trees_and_sides_pair_up(name: str) -> None:
    joints = JOINT_SETS[name]
    for start in range(len(joints)):
        joint, steps = start, 0
        while joint >= 0:
            joint, steps = joints.parents[joint], steps + 1
            assert steps <= len(joints), "a circle"
    mirror = joints.mirror
    assert [mirror[mirror[joint]] for joint in range(len(joints))] == list(range(len(joints)))
    for index, joint in enumerate(joints.joints):
        assert (mirror[index] == index) == ("left" not in joint and "right" not in joint)
    # the other side hangs on the other side; a tree for drawing may hang everything on the left
    assert all(joints.parents[mirror[i]] in (mirror[p], p) for i, p in enumerate(joints.parents) if p >= 0)


def test_numbers_are_those_of_the_message() -> None:
    message = Path(__file__).parents[3] / "msgs" / "msg" / "Skeleton2D.msg"
    constants = dict(re.findall(r"^uint8 (\w+)\s*=\s*(\d+)", message.read_text(), flags=re.MULTILINE))
    # a Kinect's first skeleton is read from recordings only, and is in no message
    assert set(JOINT_SET_IDS) == set(JOINT_SETS) - {"kinect20"}
    for name, number in JOINT_SET_IDS.items():
        matching = [int(value) for constant, value in constants.items() if constant.endswith(name.upper())]
        assert matching == [number]


def test_names_that_are_unknown_are_answered_with_the_known() -> None:
    with pytest.raises(ValueError, match=r"'coco18' is unknown; known: .*coco17"):
        joint_set("coco18")
    with pytest.raises(ValueError, match=r"'left_tail' is not in joint set 'smpl22'; it has: pelvis"):
        SMPL22.index("left_tail")
    assert FEET == ("left_heel", "left_toe", "right_heel", "right_toe")
