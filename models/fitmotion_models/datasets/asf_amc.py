"""Mocap in ASF/AMC files (CMU, HDM05) as clips on SMPL-22 with the recording's own rotations.

A joint of SMPL-22 is put where an ASF bone ends and turns as another ASF bone does (`JOINTS`). Three joints have no
counterpart that is rigid with its SMPL parent, and are rigid by definition here, so that bones keep their lengths:
the pelvis (half-way from the ASF root, which is the lowest lumbar joint, to the middle of the hips), the neck (where
the lower neck ends when it is straight over the thorax) and the head above it. The rest is where the ASF puts it,
wrists to a few millimetres (some forearms turn a little off their own length).
The rest pose is the ASF's with its spread legs brought together; feet lie in it as those of the mean body do.
"""

import numpy as np

from fitmotion_models.datasets.asf_files import (
    AmcMotion,
    AsfSkeleton,
    Float64,
    read_amc,
    read_asf,
    solve_bones,
)
from fitmotion_models.datasets.recorded_body import check_rates, recorded_clip
from fitmotion_models.exchange.text_files import TextSource
from fitmotion_models.skeleton.joint_sets import SMPL22
from fitmotion_models.skeleton.kinematics import PARENTS, REST_OFFSETS, SMPL_TO_WORLD
from fitmotion_models.skeleton.motion_clip import MotionClip
from fitmotion_models.skeleton.rotations import between_vectors, to_matrix

__all__ = ["AmcMotion", "AsfSkeleton", "read_amc", "read_asf", "read_asf_amc"]

# SMPL-22 joint -> (ASF bones along which it lies from its SMPL parent, ASF bone with which it turns). An empty way: the
# joint is placed by `_rest_places`.
JOINTS: dict[str, tuple[tuple[str, ...], str]] = {
    "pelvis": ((), "root"),
    "left_hip": ((), "lfemur"),
    "right_hip": ((), "rfemur"),
    "spine1": ((), "lowerback"),
    "left_knee": (("lfemur",), "ltibia"),
    "right_knee": (("rfemur",), "rtibia"),
    "spine2": (("lowerback",), "upperback"),
    "left_ankle": (("ltibia",), "lfoot"),
    "right_ankle": (("rtibia",), "rfoot"),
    "spine3": (("upperback",), "thorax"),
    "left_foot": (("lfoot",), "ltoes"),
    "right_foot": (("rfoot",), "rtoes"),
    "neck": (("thorax", "lowerneck"), "upperneck"),
    "left_collar": (("thorax",), "lclavicle"),
    "right_collar": (("thorax",), "rclavicle"),
    "head": (("upperneck",), "head"),
    "left_shoulder": (("lclavicle",), "lhumerus"),
    "right_shoulder": (("rclavicle",), "rhumerus"),
    "left_elbow": (("lhumerus",), "lradius"),
    "right_elbow": (("rhumerus",), "rradius"),
    # CMU's "wrist" bone is the lower half of the forearm, which it lets turn about its own length
    "left_wrist": (("lradius", "lwrist"), "lhand"),
    "right_wrist": (("rradius", "rwrist"), "rhand"),
}

# share of the way from the middle of the hips to the ASF root at which the pelvis is put
_PELVIS_SHARE = 0.5


def read_asf_amc(
    asf: TextSource | AsfSkeleton,
    amc: TextSource,
    fps: float = 120.0,
    target_fps: float | None = 30.0,
    *,
    subject: str = "",
    labels: tuple[str, ...] = (),
) -> MotionClip:
    """Read a recording into a clip in the `world` frame: metres, z up.

    asf: the skeleton, as a path, an open file or what `read_asf` gave. amc: the motion, as a path or an open file (of a
    tar's member, say). fps: the recording's rate, which the files do not tell: 120 for CMU and HDM05. target_fps: rate
    of the clip, no higher than fps; None keeps the recording's. subject: empty takes the skeleton file's name.
    The origin is on the floor between the ankles of the first frame, x the way that the hips face there.
    Raises ValueError naming the file, the line and what is wrong.
    """
    skeleton = asf if isinstance(asf, AsfSkeleton) else read_asf(asf)
    check_rates(fps, target_fps)
    _check_bones(skeleton)
    motion = read_amc(amc, skeleton)
    ends, turns = solve_bones(skeleton, motion)
    bones = _bone_offsets(skeleton)
    world = _world_matrices(skeleton, turns)
    # the joint that lies at the ASF root is spine1; the pelvis is where its bone then starts
    root = ends["root"] @ SMPL_TO_WORLD.T - world[:, 0] @ bones[SMPL22.index("spine1")]
    name = subject or skeleton.source.replace("\\", "/").split("/")[-1].rsplit(".", 1)[0]
    return recorded_clip(root, world, bones, fps=fps, target_fps=target_fps, subject=name, labels=labels)


def _check_bones(skeleton: AsfSkeleton) -> None:
    needed = {bone for way, turned in JOINTS.values() for bone in (*way, turned)} - {"root"}
    missing = sorted((needed | {"lhipjoint", "rhipjoint"}) - set(skeleton.bones))
    if missing:
        raise ValueError(
            f"ASF file {skeleton.source} lacks the bones {', '.join(missing)}; this reader knows the skeleton of CMU "
            "and HDM05. For another one add a table like datasets.asf_amc.JOINTS"
        )


def _rest_turns(skeleton: AsfSkeleton) -> Float64:
    """(22, 3, 3): how our rest pose has to be turned, joint by joint, to lie in the ASF's rest pose."""
    turns = np.tile(np.eye(3), (22, 1, 1))
    for side in ("left", "right"):
        thigh = SMPL_TO_WORLD @ skeleton.bones[f"{side[0]}femur"].vector
        spread = to_matrix(between_vectors((0.0, 0.0, -1.0), thigh))
        hip, knee, ankle, foot = (SMPL22.index(f"{side}_{name}") for name in ("hip", "knee", "ankle", "foot"))
        turns[[hip, knee, foot]] = spread
        # the ASF's foot bones slope less than the mean body's, but not in people who stand: take the mean body's slope
        own = spread.T @ (SMPL_TO_WORLD @ skeleton.bones[f"{side[0]}foot"].vector)
        turns[ankle] = spread @ _slope_turn(REST_OFFSETS[foot], own)
    return turns


def _slope_turn(rest: Float64, own: Float64) -> Float64:
    """The turn about the left axis that takes the slope of `rest` to that of `own`, both (3,) pointing forward."""
    angle = np.arctan2(own[2], np.hypot(own[0], own[1])) - np.arctan2(rest[2], np.hypot(rest[0], rest[1]))
    cosine, sine = np.cos(-angle), np.sin(-angle)
    return np.array([(cosine, 0.0, sine), (0.0, 1.0, 0.0), (-sine, 0.0, cosine)])


def _bone_offsets(skeleton: AsfSkeleton) -> Float64:
    """(22, 3) metres: each joint in its parent's frame in the rest pose."""
    rest = _rest_turns(skeleton)
    offsets = np.zeros((22, 3))
    for name, (way, _) in JOINTS.items():
        joint = SMPL22.index(name)
        if way:
            vector = SMPL_TO_WORLD @ sum(skeleton.bones[bone].vector for bone in way)
            offsets[joint] = rest[PARENTS[joint]].T @ vector
    hips = {side: SMPL_TO_WORLD @ skeleton.bones[f"{side[0]}hipjoint"].vector for side in ("left", "right")}
    pelvis = (1.0 - _PELVIS_SHARE) * 0.5 * (hips["left"] + hips["right"])
    offsets[SMPL22.index("spine1")] = -pelvis
    for side, hip in hips.items():
        offsets[SMPL22.index(f"{side}_hip")] = hip - pelvis
    return offsets


def _world_matrices(skeleton: AsfSkeleton, turns: dict[str, Float64]) -> Float64:
    """World matrices (T, 22, 3, 3) of SMPL's joints, z up."""
    rest = _rest_turns(skeleton)
    stacked = np.stack([turns[JOINTS[name][1]] for name in SMPL22.joints], axis=1)
    result: Float64 = SMPL_TO_WORLD @ stacked @ SMPL_TO_WORLD.T @ rest
    return result
