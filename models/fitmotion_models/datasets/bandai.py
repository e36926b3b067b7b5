"""Bandai Namco Research's motion sets 1 and 2 (BVH): clips on SMPL-22 with the recordings' own rotations.

The set: github.com/BandaiNamcoResearchInc/Bandai-Namco-Research-Motiondataset, 30 Hz, three professional actors a set,
all put on one skeleton; the files do not say which actor moves. A joint of SMPL-22 turns as the set's joint in `JOINTS`
does, and lies where that one lies, but for three: the pelvis is rigid with the set's Hips, between the hips and the
first joint of the spine where the mean body has it; spine3 is rigid with the Chest, on its way to the Neck; the feet
of the set's character stand with the toes' joints 4 cm over the floor, and are laid on it as those of the mean body,
which moves that joint (SMPL's foot) down and ahead by 3.4 cm.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from os import PathLike

import numpy as np

from fitmotion_models.datasets.recorded_body import recorded_clip
from fitmotion_models.datasets.set_files import set_files
from fitmotion_models.exchange.bvh_files import BvhMotion, read_bvh
from fitmotion_models.skeleton.joint_sets import SMPL22
from fitmotion_models.skeleton.kinematics import REST_OFFSETS, SMPL_TO_WORLD
from fitmotion_models.skeleton.motion_clip import MotionClip
from fitmotion_models.skeleton.rotations import Float64, to_matrix

LICENCE = "CC BY-NC 4.0"
"""Of the set; what is trained on it is marked non-commercial."""

_METRES = 0.01
_SIDES = {"left": "L", "right": "R"}

# SMPL-22 joint -> the set's joint with which it turns
JOINTS: dict[str, str] = {
    "pelvis": "Hips",
    "spine1": "Spine",
    "spine2": "Chest",
    "spine3": "Chest",
    "neck": "Neck",
    "head": "Head",
} | {
    f"{side}_{ours}": f"{theirs}_{letter}"
    for side, letter in _SIDES.items()
    for ours, theirs in {
        "hip": "UpperLeg",
        "knee": "LowerLeg",
        "ankle": "Foot",
        "foot": "Toes",
        "collar": "Shoulder",
        "shoulder": "UpperArm",
        "elbow": "LowerArm",
        "wrist": "Hand",
    }.items()
}

# Degrees below level at which the axes of feet and toes point when the character stands: medians over set 2's raised
# hands, in which nobody steps (they vary by less than 0.2).
_STANDING_SLOPE = {"Foot_L": 39.59, "Foot_R": 39.56, "Toes_L": 23.01, "Toes_R": 20.20}

# a body's directions in the set's axes (x left, y up, z forward)
_LEFT, _UP, _AHEAD = np.eye(3)

_NAME = re.compile(r"dataset-([12])_([a-z-]+)_([a-z]+)_(\d+)\.bvh")


@dataclass(frozen=True, order=True)
class BandaiName:
    """What a file's name says. dataset: 1 or 2; action "raise-up-left-hand", style "exhausted", number "012"."""

    dataset: int
    action: str
    style: str
    number: str

    def __str__(self) -> str:
        return f"dataset-{self.dataset}_{self.action}_{self.style}_{self.number}"

    @property
    def person(self) -> str:
        """Which of the two sets: no file says which of a set's three actors moves."""
        return f"dataset-{self.dataset}"


def read_bandai(
    source: str | PathLike[str],
    *,
    persons: Iterable[str] | None = None,
    actions: Iterable[str] | None = None,
    styles: Iterable[str] | None = None,
) -> Iterator[tuple[BandaiName, MotionClip]]:
    """The clips of a folder or archive of the sets, 30 frames a second, as they lie in it.

    persons ("dataset-1"), actions ("walk"), styles ("elderly"): only these; None is all. Labels of a clip: the file's
    name, action, style. Raises ValueError naming the file and what is wrong: no such source, nothing of the sets in it,
    a damaged file or one of another skeleton.
    """
    chosen = [None if words is None else set(words) for words in (persons, actions, styles)]
    found = False
    for path, content in set_files(source, (".bvh",), "Bandai Namco's set"):
        match = _NAME.fullmatch(path.name)
        if match is None:
            continue
        found = True
        name = BandaiName(int(match[1]), match[2], match[3], match[4])
        if all(words is None or word in words for words, word in zip(chosen, _words(name), strict=True)):
            yield name, bandai_clip(read_bvh(_named(content(), path.name)), name)
    if not found:
        raise ValueError(
            f"{source} holds no recording of Bandai Namco's sets; expected names like dataset-2_walk_normal_001.bvh"
        )


def _words(name: BandaiName) -> tuple[str, str, str]:
    return name.person, name.action, name.style


def _named(content: bytes, name: str) -> BytesIO:
    file = BytesIO(content)
    file.name = name
    return file


def bandai_clip(motion: BvhMotion, name: BandaiName) -> MotionClip:
    """A recording as a clip: floor at 0, origin between the ankles at the start, x as the hips face then.

    Raises ValueError for another skeleton.
    """
    missing = sorted(set(JOINTS.values()) - set(motion.names))
    if missing:
        raise ValueError(f"BVH file {motion.source} lacks {', '.join(missing)}; it is none of Bandai Namco's sets")
    positions, rotations = motion.kinematics()
    index = [motion.names.index(JOINTS[joint]) for joint in SMPL22.joints]
    turned = to_matrix(rotations[:, index])
    rest = np.stack([_rest_frame(JOINTS[joint]) for joint in SMPL22.joints])
    world = SMPL_TO_WORLD @ (turned @ np.swapaxes(rest, -1, -2)) @ SMPL_TO_WORLD.T
    pelvis, bones = _bone_offsets(motion)
    hips = positions[:, motion.names.index("Hips")] * _METRES @ SMPL_TO_WORLD.T
    labels = (str(name), name.action, name.style)
    return recorded_clip(hips + world[:, 0] @ pelvis, world, bones, fps=motion.fps, subject=name.person, labels=labels)


def _rest_frame(joint: str) -> Float64:
    """(3, 3): the axes of a joint of the set, as columns, where its character stands in the rest pose.

    Left limbs have x along the bone; right ones have it against the bone, and z too.
    """
    kind, _, side = joint.partition("_")
    if kind == "Hips":
        axes = (_UP, -_LEFT, _AHEAD)
    elif kind in ("Spine", "Chest", "Neck", "Head"):
        axes = (_UP, _AHEAD, _LEFT)
    elif kind in ("Shoulder", "UpperArm", "LowerArm", "Hand"):
        axes = (_LEFT, _UP, _AHEAD) if side == "L" else (_LEFT, -_UP, -_AHEAD)
    else:
        slope = np.radians(_STANDING_SLOPE.get(joint, 90.0))
        ahead, left = _toes_out(side) if joint in _STANDING_SLOPE else (_AHEAD, _LEFT)
        along, across = np.cos(slope) * ahead - np.sin(slope) * _UP, np.sin(slope) * ahead + np.cos(slope) * _UP
        axes = (along, left, across) if side == "L" else (-along, left, -across)
    return np.stack(axes, axis=1)


def _toes_out(side: str) -> tuple[Float64, Float64]:
    """Where a foot of the mean body points in the rest pose, and its left, both level (3,)."""
    foot = REST_OFFSETS[SMPL22.index("left_foot" if side == "L" else "right_foot")]
    cosine, sine = foot[:2] / np.hypot(foot[0], foot[1])
    return cosine * _AHEAD + sine * _LEFT, cosine * _LEFT - sine * _AHEAD


def _bone_offsets(motion: BvhMotion) -> tuple[Float64, Float64]:
    """The pelvis in the frame of the set's Hips (3,) and our bones (22, 3), metres, in the rest pose, z up."""
    offset = {joint.name: joint.offset * _METRES for joint in motion.joints}
    above = {joint.name: motion.joints[joint.parent].name for joint in motion.joints if joint.parent >= 0}
    # every joint of the set in its parent's frame, as the rest pose has it
    bone = {
        joint: SMPL_TO_WORLD @ _rest_frame(above[joint]) @ offset[joint] for joint in set(JOINTS.values()) - {"Hips"}
    }
    bones = np.zeros((22, 3))
    for name, joint in JOINTS.items():
        if name != "pelvis":
            bones[SMPL22.index(name)] = bone[joint]
    rest = {name: REST_OFFSETS[SMPL22.index(name)] for name in SMPL22.joints}
    hips = 0.5 * (bone["UpperLeg_L"] + bone["UpperLeg_R"])
    share = -rest["left_hip"][2] / (rest["spine1"][2] - rest["left_hip"][2])
    pelvis = (1.0 - share) * hips + share * bone["Spine"]
    for name in ("left_hip", "right_hip", "spine1"):
        bones[SMPL22.index(name)] -= pelvis
    lengths = [float(np.linalg.norm(rest[name])) for name in ("spine3", "neck")]
    spine3 = bone["Neck"] * lengths[0] / sum(lengths)
    bones[SMPL22.index("spine3")] = spine3
    for name in ("neck", "left_collar", "right_collar"):
        bones[SMPL22.index(name)] -= spine3
    for side in _SIDES:
        foot = SMPL22.index(f"{side}_foot")
        bones[foot] = REST_OFFSETS[foot] * np.linalg.norm(bones[foot]) / np.linalg.norm(REST_OFFSETS[foot])
    return pelvis, bones
