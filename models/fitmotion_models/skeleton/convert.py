"""Other joint sets to SMPL-22, and SMPL's own pose parameters to ours and back.

Every target joint is a weighted sum of source joints plus, on the trunk, a step forward. The weights are computed from
the rest pose: a body at rest converts to exactly the rest pose, whatever its scale, and conversion commutes with moving
and turning the body.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from fitmotion_models.skeleton.frames import rotations_y_up_to_z_up, rotations_z_up_to_y_up, y_up_to_z_up, z_up_to_y_up
from fitmotion_models.skeleton.joint_sets import FEET, SMPL22, JointSet
from fitmotion_models.skeleton.joint_sets import joint_set as find_joint_set
from fitmotion_models.skeleton.kinematics import (
    PARENTS,
    REST_FEET_OFFSETS,
    REST_OFFSETS,
    SMPL_MEAN_OFFSETS,
    SMPL_TO_WORLD,
    feet_from_pose,
    forward_kinematics,
)
from fitmotion_models.skeleton.rotations import Float64, cross, from_matrix, from_rotvec, multiply, normalize, to_rotvec

Weights = dict[str, float]

_TARGETS = (*SMPL22.joints, *FEET)
_SIDES = ("left", "right")

# our joint -> the set's joint that is the same; what is absent here comes from the trunk or the foot, or is unseen
_LIMBS: dict[str, str] = {
    f"{side}_{joint}": f"{side}_{joint}"
    for side in _SIDES
    for joint in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")
}
_SAME_JOINTS: dict[str, dict[str, str]] = {
    "coco17": _LIMBS,
    "halpe26": _LIMBS
    | {f"{side}_heel": f"{side}_heel" for side in _SIDES}
    # the big toe's tip is what the other sets and a sole's outline call the toe
    | {f"{side}_toe": f"{side}_big_toe" for side in _SIDES},
    "blazepose33": _LIMBS
    | {f"{side}_heel": f"{side}_heel" for side in _SIDES}
    | {f"{side}_toe": f"{side}_foot_index" for side in _SIDES},
    "azure_kinect32": {
        f"{side}_{joint}": f"{joint}_{side}"
        for side in _SIDES
        for joint in ("hip", "knee", "ankle", "foot", "shoulder", "elbow", "wrist")
    }
    | {"head": "head"},
    "uiprmd22": {
        f"{side}_{ours}": f"{side}_{theirs}"
        for side in _SIDES
        for ours, theirs in {
            "hip": "upper_leg",
            "knee": "lower_leg",
            "ankle": "foot",
            "foot": "toes",
            "shoulder": "upper_arm",
            "elbow": "forearm",
            "wrist": "hand",
        }.items()
    },
    "kinect20": _LIMBS | {f"{side}_foot": f"{side}_foot" for side in _SIDES},
}

# Trunk joints of a set that bend the line from the middle of the hips to the middle of the shoulders, and how far
# along that line they lie in the set's mean skeleton: UI-PRMD, mean over its deep squats; Azure Kinect, mean skeleton
# of the body tracking SDK; Kinect for Windows, mean over UTD-MHAD. Xing et al. 2022 put the Azure Kinect's navel and
# chest on a straight chain spine1-spine2-spine3 by mean distances; here the chain keeps the bend at navel and chest,
# and pelvis, neck and collars follow hips and shoulders as in every other set, so that scores do not depend on the
# camera's make.
_TRUNK_BENDS: dict[str, dict[str, float]] = {
    "azure_kinect32": {"spine_navel": 0.36, "spine_chest": 0.66},
    "uiprmd22": {"spine": 0.58},
    "kinect20": {"spine": 0.37},
}

# For sets whose head is not SMPL's (where skull and neck meet): its part in the set's own joints, the rest is the neck.
# With these parts the head's bone of people who walk is as long against SMPL's as their other bones are.
_HEAD: dict[str, Weights] = {
    "coco17": {"left_ear": 0.3, "right_ear": 0.3},
    "halpe26": {"left_ear": 0.3, "right_ear": 0.3},
    "blazepose33": {"left_ear": 0.3, "right_ear": 0.3},
    "uiprmd22": {"head_tip": 0.5},
    "kinect20": {"head": 0.3},
}


class _Table(NamedTuple):
    """weights (26, J), forward (26,) in trunk lengths, uses (26, J), trunk: left, right hip, left, right shoulder."""

    weights: Float64
    forward: Float64
    uses: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
    trunk: tuple[int, int, int, int]


class Converted(NamedTuple):
    """A body on SMPL-22: positions (..., 22, 3), confidence (..., 22), feet (..., 4, 3), feet_confidence (..., 4)."""

    positions: Float64
    confidence: Float64
    feet: Float64
    feet_confidence: Float64


def to_smpl22(positions: ArrayLike, confidence: ArrayLike, joint_set: str) -> Converted:
    """Landmarks of a known joint set as SMPL-22 joints and foot landmarks.

    positions: (..., J, 3) metres, any right-handed frame. confidence: (..., J) in [0, 1]. joint_set: in JOINT_SETS.
    A joint made of several has the confidence of the least seen of them; what cannot be made is NaN with confidence 0.
    Raises ValueError when the set is unknown or the shapes do not fit it.
    """
    source = find_joint_set(joint_set)
    points, scores = _checked(positions, confidence, source)
    if source.joints == SMPL22.joints:
        nothing = np.zeros((*scores.shape[:-1], len(FEET)))
        return Converted(points, scores, np.full((*nothing.shape, 3), np.nan), nothing)
    table = _table(joint_set)
    filled = np.where(scores[..., None] > 0.0, points, 0.0)
    result = table.weights @ filled + table.forward[:, None] * _forward_of_trunk(filled, table.trunk)[..., None, :]
    seen = np.where(table.uses, scores[..., None, :], np.inf).min(axis=-1)
    seen[np.isinf(seen)] = 0.0
    result[seen == 0.0] = np.nan
    joints = len(SMPL22)
    return Converted(result[..., :joints, :], seen[..., :joints], result[..., joints:, :], seen[..., joints:])


def _checked(positions: ArrayLike, confidence: ArrayLike, source: JointSet) -> tuple[Float64, Float64]:
    """Float64 copies in which unseen is NaN and 0, both ways."""
    points = np.array(positions, dtype=np.float64)
    scores = np.array(confidence, dtype=np.float64)
    if points.shape[-2:] != (len(source), 3) or scores.shape != points.shape[:-1]:
        raise ValueError(
            f"joint set {source.name!r} needs positions (..., {len(source)}, 3) and confidence (..., {len(source)}); "
            f"got {points.shape} and {scores.shape}"
        )
    unseen = ~(scores > 0.0) | ~np.isfinite(points).all(axis=-1)
    points[unseen] = np.nan
    scores[unseen] = 0.0
    return points, scores


def _forward_of_trunk(points: Float64, trunk: tuple[int, int, int, int]) -> Float64:
    """The way the trunk faces (..., 3), as long as the trunk; zero where the trunk has no extent."""
    left_hip, right_hip, left_shoulder, right_shoulder = (points[..., joint, :] for joint in trunk)
    up = 0.5 * (left_shoulder + right_shoulder - left_hip - right_hip)
    left = left_hip - right_hip + left_shoulder - right_shoulder
    length = np.sqrt(np.sum(up * up, axis=-1, keepdims=True))
    result: Float64 = np.nan_to_num(normalize(cross(left, up))) * length
    return result


@cache
def _table(name: str) -> _Table:
    source = find_joint_set(name)
    rows: dict[str, Weights] = {ours: {theirs: 1.0} for ours, theirs in _SAME_JOINTS[name].items()}
    forward: Weights = {}
    _add_trunk(rows, forward, _TRUNK_BENDS.get(name, {}))
    if "head" not in rows:
        above = _HEAD[name]
        share = 1.0 - sum(above.values())
        rows["head"] = above | {joint: share * weight for joint, weight in rows["neck"].items()}
        forward["head"] = share * forward["neck"]
    for side in _SIDES:
        if f"{side}_toe" in rows and f"{side}_foot" not in rows:
            rows[f"{side}_foot"] = {
                rows_joint: share
                for landmark, share in _foot_weights(side).items()
                for rows_joint in rows[f"{side}_{landmark}"]
            }
    weights = np.zeros((len(_TARGETS), len(source)))
    for target, row in rows.items():
        for joint, share in row.items():
            weights[_TARGETS.index(target), source.index(joint)] = share
    steps = np.array([forward.get(target, 0.0) for target in _TARGETS])
    trunk = tuple(
        source.index(_SAME_JOINTS[name][f"{side}_{joint}"]) for joint in ("hip", "shoulder") for side in _SIDES
    )
    uses = weights != 0.0
    # a step forward needs to know all four corners of the trunk
    uses[np.ix_(steps != 0.0, trunk)] = True
    return _Table(weights, steps, uses, (trunk[0], trunk[1], trunk[2], trunk[3]))


def _rest_positions() -> Float64:
    return forward_kinematics(np.zeros(3), np.tile((0.0, 0.0, 0.0, 1.0), (len(SMPL22), 1)), REST_OFFSETS)


def _add_trunk(rows: dict[str, Weights], forward: Weights, bends: Weights) -> None:
    """Add pelvis, spine, neck and collars to a set's rows: where the rest pose has them between hips and shoulders."""
    rest = {joint: position for joint, position in zip(SMPL22.joints, _rest_positions(), strict=True)}
    hips = 0.5 * (rest["left_hip"] + rest["right_hip"])
    up = 0.5 * (rest["left_shoulder"] + rest["right_shoulder"]) - hips
    length = float(np.linalg.norm(up))
    ahead = np.cross((0.0, 1.0, 0.0), up / length)
    half_width = float(rest["left_shoulder"][1])
    hip_middle = {joint: 0.5 for side in _SIDES for joint in rows[f"{side}_hip"]}
    shoulder_middle = {joint: 0.5 for side in _SIDES for joint in rows[f"{side}_shoulder"]}
    nodes = [(0.0, hip_middle), *((place, {joint: 1.0}) for joint, place in bends.items()), (1.0, shoulder_middle)]
    for target in ("pelvis", "spine1", "spine2", "spine3", "neck", "left_collar", "right_collar"):
        offset = rest[target] - hips
        along = float(offset @ up) / length**2
        # only the spine follows the bends: pelvis, neck and collars belong to hips and shoulders
        row = _between(along, nodes if target.startswith("spine") else [nodes[0], nodes[-1]])
        side = float(offset[1]) / half_width
        for corner, sign in (("left_shoulder", 0.5 * side), ("right_shoulder", -0.5 * side)):
            for joint in rows[corner]:
                row[joint] = row.get(joint, 0.0) + sign
        rows[target] = row
        forward[target] = float(offset @ ahead) / length


def _between(place: float, nodes: list[tuple[float, Weights]]) -> Weights:
    """The weights of the point at `place` on the line through the nodes; beyond the ends the line goes on."""
    index = min(max(sum(node <= place for node, _ in nodes), 1), len(nodes) - 1)
    (start, low), (end, high) = nodes[index - 1], nodes[index]
    share = (place - start) / (end - start)
    result = {joint: (1.0 - share) * weight for joint, weight in low.items()}
    for joint, weight in high.items():
        result[joint] = result.get(joint, 0.0) + share * weight
    return result


def _foot_weights(side: str) -> Weights:
    """The foot joint (ball of the foot) as a weighted mean of ankle, heel and toe, exact in the rest pose."""
    rest = _rest_positions()
    ankle, foot = rest[SMPL22.index(f"{side}_ankle")], rest[SMPL22.index(f"{side}_foot")]
    heel = ankle + REST_FEET_OFFSETS[FEET.index(f"{side}_heel")]
    toe = foot + REST_FEET_OFFSETS[FEET.index(f"{side}_toe")]
    system = np.vstack([np.stack([ankle, heel, toe], axis=1), np.ones(3)])
    shares = np.linalg.lstsq(system, np.append(foot, 1.0), rcond=None)[0]
    return dict(zip(("ankle", "heel", "toe"), shares.tolist(), strict=True))


class SmplBody(NamedTuple):
    """SMPL's pose in our terms: positions (..., 22, 3), rotations (..., 22, 4), feet (..., 4, 3), bone_offsets."""

    positions: Float64
    rotations: Float64
    feet: Float64
    bone_offsets: Float64


def from_smpl_pose(
    global_orient: ArrayLike,
    body_pose: ArrayLike,
    translation: ArrayLike,
    *,
    rest_joints: ArrayLike | None = None,
    up: str = "y",
) -> SmplBody:
    """SMPL or AMASS parameters as a body in the `world` frame.

    global_orient: (..., 3) and body_pose: (..., 21 or more, 3) or flat, rotation vectors in radians; hands are left
    out. translation: (..., 3) metres, SMPL's `transl`. rest_joints: (22 or more, 3) metres, the shape's joints in its
    own axes (x left, y up, z forward); None: the mean body. up: the axis that is up in the data's world, "y" (SMPL,
    HumanML3D) or "z" (AMASS, whose bodies are y-up ones stood up by global_orient). Raises ValueError on other shapes
    or axes.
    """
    rest = _mean_rest_joints() if rest_joints is None else np.asarray(rest_joints, dtype=np.float64)[: len(SMPL22)]
    pose = np.asarray(body_pose, dtype=np.float64)
    root = np.asarray(global_orient, dtype=np.float64)
    if pose.shape[-1] != 3:
        pose = pose.reshape(*pose.shape[:-1], -1, 3)
    if rest.shape != (len(SMPL22), 3) or root.shape[-1:] != (3,) or pose.shape[-2] < len(SMPL22) - 1:
        raise ValueError(
            "an SMPL pose needs global_orient (..., 3), body_pose (..., 63) or more and rest_joints (22, 3) or more; "
            f"got {root.shape}, {np.shape(body_pose)} and {rest.shape}"
        )
    vectors = np.concatenate([root[..., None, :], pose[..., : len(SMPL22) - 1, :]], axis=-2)
    rotations = rotations_y_up_to_z_up(from_rotvec(vectors))
    pelvis = np.asarray(translation, dtype=np.float64) + rest[0]
    if _check_up(up) == "y":
        pelvis = y_up_to_z_up(pelvis)
    else:
        # the world stays, only the body's own axes are renamed: undo the renaming on the world's side
        rotations[..., 0, :] = multiply(_WORLD_TO_SMPL, rotations[..., 0, :])
    parents = np.array(PARENTS)
    offsets = y_up_to_z_up(rest - np.where(parents[:, None] >= 0, rest[parents], rest))
    positions = forward_kinematics(pelvis, rotations, offsets)
    return SmplBody(positions, rotations, feet_from_pose(positions, rotations, offsets), offsets)


class SmplPose(NamedTuple):
    """global_orient (..., 3) and body_pose (..., 21, 3), rotation vectors in radians; translation (..., 3) metres."""

    global_orient: Float64
    body_pose: Float64
    translation: Float64


def to_smpl_pose(
    root_position: ArrayLike, rotations: ArrayLike, *, rest_joints: ArrayLike | None = None, up: str = "y"
) -> SmplPose:
    """The inverse of `from_smpl_pose`. root_position: (..., 3) metres, rotations: (..., 22, 4) local quaternions."""
    rest = _mean_rest_joints() if rest_joints is None else np.asarray(rest_joints, dtype=np.float64)
    local = np.array(rotations, dtype=np.float64)
    pelvis = np.asarray(root_position, dtype=np.float64)
    if _check_up(up) == "y":
        pelvis = z_up_to_y_up(pelvis)
    else:
        local[..., 0, :] = multiply(_SMPL_TO_WORLD, local[..., 0, :])
    vectors = to_rotvec(rotations_z_up_to_y_up(local))
    return SmplPose(vectors[..., 0, :], vectors[..., 1:, :], pelvis - rest[0])


_SMPL_TO_WORLD = from_matrix(SMPL_TO_WORLD)
_WORLD_TO_SMPL = from_matrix(SMPL_TO_WORLD.T)


def _check_up(up: str) -> str:
    if up not in ("y", "z"):
        raise ValueError(f"up is {up!r}; allowed: 'y' (SMPL, HumanML3D) or 'z' (AMASS)")
    return up


def _mean_rest_joints() -> Float64:
    joints = np.array(SMPL_MEAN_OFFSETS)
    for joint, parent in enumerate(PARENTS):
        if parent >= 0:
            joints[joint] += joints[parent]
    return joints
