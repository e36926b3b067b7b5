"""A person as a robot description: URDF text made of their bones, and the joint angles that put it into a pose.

URDF has no ball joints. Each of the 21 joints below the pelvis is three `continuous` ones at one place, called
`<joint>_<axis>`, whose frames in between are called the same; the frame behind the third is the joint's own, `<joint>`.
The pelvis is the root link and where it is comes from TF. There are no masses and no limits: it is for looking at.
"""

import math
from typing import NamedTuple
from xml.etree import ElementTree

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fitmotion_models.skeleton.joint_sets import FEET, SMPL22
from fitmotion_models.skeleton.kinematics import FEET_PARENTS, PARENTS, feet_offsets, fill_unseen, global_matrices
from fitmotion_models.skeleton.rotations import Float64, from_matrix, to_matrix

# First to last axis of the three turns of a joint. Legs and trunk: bending (y), sideways (x), twist (z), the order of
# Grood & Suntay (1983). Arms, which point sideways in the rest pose: raising (x), twist (y), bending (z). So the middle
# angle, which must stay within 90 degrees of 0 to be unique, is the one that a body turns least.
_ARM_PARTS = ("collar", "shoulder", "elbow", "wrist")
AXES: tuple[str, ...] = tuple("xyz" if joint.endswith(_ARM_PARTS) else "yxz" for joint in SMPL22.joints)
JOINT_NAMES: tuple[str, ...] = tuple(
    f"{joint}_{axis}" for joint, axes in zip(SMPL22.joints[1:], AXES[1:], strict=True) for axis in axes
)
"""Names of the 63 joints, three for each of SMPL's joints 1 to 21, in the order in which they turn."""

FRAMES_BETWEEN: tuple[str, ...] = tuple(name for index, name in enumerate(JOINT_NAMES) if index % 3 != 2)
"""Names of the 42 frames behind the first and the second turn of each joint."""

_UNIT = {"x": (1, 0, 0), "y": (0, 1, 0), "z": (0, 0, 1)}
_IN_ARMS = np.array([axes == "xyz" for axes in AXES])
_SINGULAR = 1e-9

# radius of the limb that ends in a joint, metres: about those of SMPL's mean body
_RADII = {"hip": 0.085, "knee": 0.075, "ankle": 0.05, "foot": 0.04, "spine1": 0.12, "spine2": 0.125, "spine3": 0.13}
_RADII |= {"neck": 0.06, "head": 0.055, "collar": 0.075, "shoulder": 0.06, "elbow": 0.048, "wrist": 0.036}
_COLOURS = {
    "skin": "0.88 0.67 0.56 1",
    "shirt": "0.27 0.51 0.66 1",
    "trousers": "0.17 0.20 0.27 1",
    "shoe": "0.9 0.9 0.9 1",
}
_CLOTHES = {"knee": "trousers", "ankle": "trousers", "hip": "trousers", "foot": "shoe", "head": "skin", "wrist": "skin"}
_HEAD_RADIUS, _HEAD_CENTRE = 0.105, (0.025, 0.0, 0.075)
_HAND_LENGTH, _HAND_RADIUS = 0.15, 0.032


def human_urdf(bone_offsets: ArrayLike, *, name: str = "human", link_prefix: str = "") -> str:
    """The URDF of a person.

    bone_offsets: (22, 3) joints in their parents' frames in the rest pose, metres. link_prefix: put before the name of
    every link, such as `person/`, so that links are called as the frames on TF. Joint names have none.
    Raises ValueError for offsets that are not finite or of another shape.
    """
    offsets = np.asarray(bone_offsets, dtype=np.float64)
    if offsets.shape != (len(SMPL22), 3) or not np.isfinite(offsets).all():
        raise ValueError(f"a person's URDF needs finite bone offsets (22, 3); got shape {offsets.shape}")
    robot = ElementTree.Element("robot", name=name)
    for material, colour in _COLOURS.items():
        ElementTree.SubElement(ElementTree.SubElement(robot, "material", name=material), "color", rgba=colour)
    for joint, joint_name in enumerate(SMPL22.joints):
        if joint > 0:
            _three_joints(robot, joint, offsets[joint], link_prefix)
        link = ElementTree.SubElement(robot, "link", name=link_prefix + joint_name)
        _add_shape(link, joint, offsets)
    ElementTree.indent(robot)
    return '<?xml version="1.0"?>\n' + ElementTree.tostring(robot, encoding="unicode") + "\n"


class HumanJoints(NamedTuple):
    """names and angles (radians) of the joints of the description that are known, in the order of `JOINT_NAMES`."""

    names: list[str]
    angles: list[float]


def joint_state(rotations: ArrayLike, seen: ArrayLike) -> HumanJoints:
    """The joint angles of a pose.

    rotations: (22, 4) quaternions xyzw local to the parents, NaN where unseen. seen: (22,) whether a joint's place is
    known. A joint whose rotation is unseen is straight where something seen hangs on it, as the body fit has it, and
    left out where nothing does.
    """
    quaternions = np.asarray(rotations, dtype=np.float64)
    known = np.isfinite(quaternions).all(axis=-1) | (_ANCESTORS.T @ np.asarray(seen, dtype=bool))
    angles = euler_angles(quaternions)[1:]
    chosen = np.repeat(known[1:], 3)
    names = [name for name, wanted in zip(JOINT_NAMES, chosen, strict=True) if wanted]
    return HumanJoints(names, angles[known[1:]].ravel().tolist())


def euler_angles(rotations: ArrayLike) -> Float64:
    """The three turns (22, 3) of every joint, radians, in the order of `AXES`, from local quaternions (22, 4).

    The first and last are within pi, the middle one within pi / 2. Unseen rotations are none.
    """
    matrix = to_matrix(fill_unseen(rotations))
    angles = np.where(_IN_ARMS[:, None], _xyz(matrix), _yxz(matrix))
    result: Float64 = angles
    return result


def _xyz(m: Float64) -> Float64:
    """Angles of R = Rx Ry Rz. At the singularity the last is 0 and the first has the whole turn."""
    middle = np.arcsin(np.clip(m[..., 0, 2], -1.0, 1.0))
    singular = np.hypot(m[..., 0, 0], m[..., 0, 1]) < _SINGULAR
    first = np.where(singular, np.arctan2(m[..., 2, 1], m[..., 1, 1]), np.arctan2(-m[..., 1, 2], m[..., 2, 2]))
    last = np.where(singular, 0.0, np.arctan2(-m[..., 0, 1], m[..., 0, 0]))
    return np.stack([first, middle, last], axis=-1)


def _yxz(m: Float64) -> Float64:
    """Angles of R = Ry Rx Rz, as `_xyz`."""
    middle = np.arcsin(np.clip(-m[..., 1, 2], -1.0, 1.0))
    singular = np.hypot(m[..., 1, 0], m[..., 1, 1]) < _SINGULAR
    first = np.where(singular, np.arctan2(-m[..., 2, 0], m[..., 0, 0]), np.arctan2(m[..., 0, 2], m[..., 2, 2]))
    last = np.where(singular, 0.0, np.arctan2(m[..., 1, 0], m[..., 1, 1]))
    return np.stack([first, middle, last], axis=-1)


def frames_between(rotations: ArrayLike) -> Float64:
    """World quaternions (42, 4) of the frames `FRAMES_BETWEEN`; each is where its joint is.

    rotations: (22, 4) local quaternions, NaN where unseen. What shows a description by TF alone, as RViz does, needs
    these frames too.
    """
    filled = fill_unseen(rotations)
    world = global_matrices(filled)[list(PARENTS[1:])]
    angles = euler_angles(filled)[1:]
    first = world @ _turns(angles[:, 0], 0)
    second = first @ _turns(angles[:, 1], 1)
    return from_matrix(np.stack([first, second], axis=1)).reshape(-1, 4)


def _turns(angles: Float64, place: int) -> Float64:
    """Matrices (21, 3, 3) of the turns at one place of the order, about the axes that stand there."""
    half = 0.5 * angles[:, None]
    return to_matrix(np.concatenate([np.sin(half) * _AXIS_VECTORS[:, place], np.cos(half)], axis=-1))


_AXIS_VECTORS: NDArray[np.float64] = np.array([[_UNIT[axis] for axis in axes] for axes in AXES[1:]], dtype=np.float64)


def _ancestor_table() -> NDArray[np.bool_]:
    """[descendant, ancestor], a joint itself not among its ancestors."""
    table = np.zeros((len(PARENTS), len(PARENTS)), dtype=bool)
    for joint, parent in enumerate(PARENTS):
        if parent >= 0:
            table[joint] = table[parent]
            table[joint, parent] = True
    return table


_ANCESTORS = _ancestor_table()


# ---- the text --------------------------------------------------------------------------------------------------------


def _three_joints(robot: ElementTree.Element, joint: int, offset: Float64, prefix: str) -> None:
    name, parent = SMPL22.joints[joint], SMPL22.joints[PARENTS[joint]]
    place = _numbers(offset)
    for number, axis in enumerate(AXES[joint]):
        child = name if number == 2 else f"{name}_{axis}"
        if number < 2:
            ElementTree.SubElement(robot, "link", name=prefix + child)
        element = ElementTree.SubElement(robot, "joint", name=f"{name}_{axis}", type="continuous")
        ElementTree.SubElement(element, "origin", xyz=place, rpy="0 0 0")
        ElementTree.SubElement(element, "parent", link=prefix + parent)
        ElementTree.SubElement(element, "child", link=prefix + child)
        ElementTree.SubElement(element, "axis", xyz=_numbers(_UNIT[axis]))
        place, parent = "0 0 0", child


def _add_shape(link: ElementTree.Element, joint: int, offsets: Float64) -> None:
    """The limbs from a joint to the joints below it, rounded at the ends; head, hands and feet at the tips."""
    name = SMPL22.joints[joint]
    part = name.rpartition("_")[2]
    if name == "head":
        _sphere(link, _HEAD_CENTRE, _HEAD_RADIUS, "skin")
    if part == "wrist":
        reach = offsets[joint] / max(np.linalg.norm(offsets[joint]), 1e-6) * _HAND_LENGTH
        _limb(link, np.zeros(3), reach, _HAND_RADIUS, "skin")
    feet = feet_offsets(offsets)
    for landmark, foot in enumerate(FEET):
        if FEET_PARENTS[landmark] == joint:
            _limb(link, np.zeros(3), feet[landmark], _RADII["foot"] * (0.9 if foot.endswith("heel") else 0.8), "shoe")
    for child, parent in enumerate(PARENTS):
        if parent == joint:
            ending = SMPL22.joints[child].rpartition("_")[2]
            _limb(link, np.zeros(3), offsets[child], _RADII[ending], _CLOTHES.get(ending, "shirt"))


def _limb(link: ElementTree.Element, start: Float64, end: Float64, radius: float, material: str) -> None:
    along = end - start
    length = float(np.linalg.norm(along))
    _sphere(link, end, radius, material)
    if length < 1e-6:
        return
    # a cylinder lies along z: turn z by the pitch, then by the yaw
    pitch, yaw = math.acos(max(-1.0, min(1.0, along[2] / length))), math.atan2(along[1], along[0])
    geometry = _visual(link, 0.5 * (start + end), (0.0, pitch, yaw), material)
    ElementTree.SubElement(geometry, "cylinder", radius=f"{radius:.4f}", length=f"{length:.4f}")


def _sphere(link: ElementTree.Element, centre: ArrayLike, radius: float, material: str) -> None:
    geometry = _visual(link, centre, (0.0, 0.0, 0.0), material)
    ElementTree.SubElement(geometry, "sphere", radius=f"{radius:.4f}")


def _visual(link: ElementTree.Element, centre: ArrayLike, rpy: ArrayLike, material: str) -> ElementTree.Element:
    visual = ElementTree.SubElement(link, "visual")
    ElementTree.SubElement(visual, "origin", xyz=_numbers(centre), rpy=_numbers(rpy))
    geometry = ElementTree.SubElement(visual, "geometry")
    ElementTree.SubElement(visual, "material", name=material)
    return geometry


def _numbers(values: ArrayLike) -> str:
    """Metres or radians to a tenth of a micron, without -0."""
    return " ".join(f"{number + 0.0:.9g}" for number in np.round(np.asarray(values, dtype=np.float64), 7).tolist())
