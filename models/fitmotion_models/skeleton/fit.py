"""The body fit: joint positions, as seen, to local rotations of a body with constant bone lengths.

Rigid parts of which three points are seen (pelvis with hips and spine, upper spine with neck and collars, feet with
heels) are turned by the least-squares rotation (Kabsch 1976). Every other bone is swung by the shortest way, in its
parent's frame, to where it was seen. Its twist is not told by its own two ends; a bent elbow or knee, being a hinge,
tells that of the upper arm or the thigh. Elsewhere the twist is zero.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fitmotion_models.skeleton.bones import estimate_bone_offsets
from fitmotion_models.skeleton.joint_limits import limited
from fitmotion_models.skeleton.joint_sets import FEET, SMPL22
from fitmotion_models.skeleton.kinematics import (
    FEET_PARENTS,
    PARENTS,
    feet_from_matrices,
    feet_offsets,
    positions_from_matrices,
)
from fitmotion_models.skeleton.rotations import Float64, cross, from_matrix

__all__ = ["BodyFit", "estimate_bone_offsets", "fit_body"]

_Bool = NDArray[np.bool_]

_JOINTS = len(SMPL22)
_LANDMARKS = {name: index for index, name in enumerate((*SMPL22.joints, *FEET))}


def _indices(*names: str) -> list[int]:
    return [_LANDMARKS[name] for name in names]


# rigid parts: the joint that turns them, and the four landmarks (the joint first) that show how; a foot has only three
_RIGID = np.array(
    [
        _indices("pelvis", "left_hip", "right_hip", "spine1"),
        _indices("spine3", "neck", "left_collar", "right_collar"),
        _indices("left_ankle", "left_foot", "left_heel", "left_heel"),
        _indices("right_ankle", "right_foot", "right_heel", "right_heel"),
    ]
)
_RIGID_WEIGHTS = np.array([(1, 1, 1, 1), (1, 1, 1, 1), (1, 1, 1, 0), (1, 1, 1, 0)], dtype=np.float64)

# swings, from the root outward; all of one step at once: joints and the landmarks their bones end at
_SWINGS = {
    "lower": (_indices("spine1", "left_hip", "right_hip"), _indices("spine2", "left_knee", "right_knee")),
    "middle": (_indices("spine2", "left_knee", "right_knee"), _indices("spine3", "left_ankle", "right_ankle")),
    "outer": (
        _indices("neck", "left_collar", "right_collar", "left_foot", "right_foot"),
        _indices("head", "left_shoulder", "right_shoulder", "left_toe", "right_toe"),
    ),
    "arms": (_indices("left_shoulder", "right_shoulder"), _indices("left_elbow", "right_elbow")),
    "forearms": (_indices("left_elbow", "right_elbow"), _indices("left_wrist", "right_wrist")),
}

# A hinge bent by less than 15 degrees says nothing of the twist, one bent by more than 30 all of it (one camera errs by
# some 12 degrees a joint, so below that the direction of bending is noise); between, it fades in.
_BEND_SINES = (float(np.sin(np.deg2rad(15.0))), float(np.sin(np.deg2rad(30.0))))
# The smallest share of the second axis at which points count as spread over a plane and not along a line
_FLAT = 1e-3
_SHORTEST_BONE = 1e-6

_LEVI_CIVITA = np.zeros((3, 9))
for _i, _j, _k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
    # row i holds the matrix that turns v into e_i x v
    _LEVI_CIVITA[_i, 3 * _k + _j] = 1.0
    _LEVI_CIVITA[_i, 3 * _j + _k] = -1.0


# the joint that each landmark hangs on; the root on itself
_LANDMARK_PARENTS = (0, *PARENTS[1:], *FEET_PARENTS)


class _Hinges(NamedTuple):
    """A left and a right limb: joints that twist, their hinges, the ends of the lower bones.

    axes: which way the hinges flex, in the rest frame, by the right-hand rule. limits: a twist (radians) is believed up
    to the first, not at all from the second: more than a joint can make is a false bend, say a knee seen bent forward.
    """

    joints: list[int]
    hinges: list[int]
    ends: list[int]
    axes: Float64
    limits: tuple[float, float]


# hips rotate by some 45 degrees either way, shoulders by 90 (AAOS 1965, Joint Motion); the limits leave room for noise
_LEGS = _Hinges(
    _indices("left_hip", "right_hip"),
    _indices("left_knee", "right_knee"),
    _indices("left_ankle", "right_ankle"),
    np.array([(0.0, 1.0, 0.0), (0.0, 1.0, 0.0)]),  # knees take the shank back
    (float(np.deg2rad(75.0)), float(np.deg2rad(110.0))),
)
_ARMS = _Hinges(
    _indices("left_shoulder", "right_shoulder"),
    _indices("left_elbow", "right_elbow"),
    _indices("left_wrist", "right_wrist"),
    np.array([(0.0, 0.0, -1.0), (0.0, 0.0, 1.0)]),  # elbows take the forearm forward
    (float(np.deg2rad(130.0)), float(np.deg2rad(170.0))),
)


class BodyFit(NamedTuple):
    """A fitted body.

    positions: (..., 22, 3) metres. rotations: (..., 22, 4) quaternions xyzw local to the parents, the root's in the
    world. confidence: (..., 22). feet: (..., 4, 3) metres. NaN where unseen (confidence 0).
    """

    positions: Float64
    rotations: Float64
    confidence: Float64
    feet: Float64


def fit_body(
    positions: ArrayLike,
    confidence: ArrayLike,
    feet: ArrayLike,
    feet_confidence: ArrayLike,
    bone_offsets: ArrayLike,
    *,
    joint_limits: bool = False,
) -> BodyFit:
    """Fit a body with these bones to what was seen of it; every frame by itself.

    positions: (..., 22, 3) metres, z up. confidence: (..., 22) in [0, 1]. feet: (..., 4, 3), feet_confidence: (..., 4).
    bone_offsets: (22, 3) or (..., 22, 3) metres. NaN or confidence 0 is unseen, stays NaN, and moves nothing else: the
    joints below it are turned as if it had no rotation of its own (`kinematics.fill_unseen`) and are placed where they
    were seen. A joint whose bone's far end is unseen, and a wrist or head, has no rotation. The whole is moved to where
    the confidence-weighted mean of all landmarks' residuals is zero. joint_limits: joints are held in their ranges
    (`skeleton.joint_limits`), no knee bends backwards. Raises ValueError on shapes that do not fit.
    """
    points, weights = _landmarks(positions, confidence, feet, feet_confidence)
    offsets = np.asarray(bone_offsets, dtype=np.float64)
    if offsets.shape[-2:] != (_JOINTS, 3):
        raise ValueError(f"bone_offsets has shape {offsets.shape}; expected (22, 3) or (..., 22, 3)")
    turned = _Solver(points, weights, offsets).solve()
    if joint_limits:
        turned, _ = limited(turned)
    fitted = positions_from_matrices(np.zeros(3), turned, offsets)
    landmarks = np.concatenate([fitted, feet_from_matrices(fitted, turned, offsets)], axis=-2)
    landmarks = _anchored(landmarks, points, weights)
    local = turned.copy()
    local[..., 1:, :, :] = np.swapaxes(turned[..., list(PARENTS[1:]), :, :], -1, -2) @ turned[..., 1:, :, :]
    rotations = from_matrix(local)
    landmarks[weights == 0.0] = np.nan
    rotations[weights[..., :_JOINTS] == 0.0] = np.nan
    return BodyFit(landmarks[..., :_JOINTS, :], rotations, weights[..., :_JOINTS], landmarks[..., _JOINTS:, :])


def _landmarks(
    positions: ArrayLike, confidence: ArrayLike, feet: ArrayLike, feet_confidence: ArrayLike
) -> tuple[Float64, Float64]:
    """Joints and foot landmarks as one (..., 26, 3), and weights (..., 26) in [0, 1]; unseen is 0 in both."""
    arrays = [np.asarray(array, dtype=np.float64) for array in (positions, confidence, feet, feet_confidence)]
    leading = arrays[0].shape[:-2]
    expected = [(*leading, _JOINTS, 3), (*leading, _JOINTS), (*leading, len(FEET), 3), (*leading, len(FEET))]
    for name, array, shape in zip(
        ("positions", "confidence", "feet", "feet_confidence"), arrays, expected, strict=True
    ):
        if array.shape != shape:
            raise ValueError(f"body fit: {name} has shape {array.shape}; expected {shape} to go with positions")
    points = np.concatenate([arrays[0], arrays[2]], axis=-2)
    weights = np.concatenate([arrays[1], arrays[3]], axis=-1)
    seen = (weights > 0.0) & np.isfinite(points).all(axis=-1)
    return np.where(seen[..., None], points, 0.0), np.where(seen, np.minimum(weights, 1.0), 0.0)


class _Solver:
    """The world rotations of one call's joints, filled from the root outward."""

    def __init__(self, points: Float64, weights: Float64, offsets: Float64) -> None:
        self.points, self.weights = points, weights
        self.rest = np.concatenate([offsets, feet_offsets(offsets)], axis=-2)
        self.turned = np.empty((*points.shape[:-2], _JOINTS, 3, 3))
        # unit directions (..., 26, 3) of the bones that end at each landmark, at rest and as seen
        self.rest_direction, _ = _directions(self.rest)
        seen, parents = weights > 0.0, list(_LANDMARK_PARENTS)
        self.direction, long_enough = _directions(points - points[..., parents, :])
        self.known = long_enough & seen & seen[..., parents]
        self.covariance = self._rigid_covariance()
        self.svd = np.linalg.svd(self.covariance)

    def solve(self) -> Float64:
        """World rotation matrices (..., 22, 3, 3)."""
        turned = self.turned
        self._turn_rigid(slice(0, 1), np.eye(3))
        self._swing("lower")
        self._hinge(_LEGS)
        self._swing("middle")
        self._turn_rigid(slice(1, 4), turned[..., _indices("spine2", "left_knee", "right_knee"), :, :])
        self._swing("outer")
        self._swing("arms")
        self._hinge(_ARMS)
        self._swing("forearms")
        ends = _indices("head", "left_wrist", "right_wrist")
        turned[..., ends, :, :] = turned[..., _indices("neck", "left_elbow", "right_elbow"), :, :]
        return turned

    def _rigid_covariance(self) -> Float64:
        """Covariances (..., 4, 3, 3) of where the rigid parts' points are seen and where they are at rest."""
        seen = self.points[..., _RIGID, :]
        rest = self.rest[..., _RIGID, :].copy()
        rest[..., 0, :] = 0.0
        weights = (self.weights[..., _RIGID] * _RIGID_WEIGHTS)[..., None]
        total = np.maximum(weights.sum(axis=-2, keepdims=True), 1e-12)
        seen = seen - (weights * seen).sum(axis=-2, keepdims=True) / total
        rest = rest - (weights * rest).sum(axis=-2, keepdims=True) / total
        result: Float64 = np.swapaxes(weights * seen, -1, -2) @ rest
        return result

    def _turn_rigid(self, parts: slice, parents: Float64) -> None:
        """The least-squares rotation; where the points lie on one line, the shortest way from the parent's to it."""
        u, s, vt = (factor[..., parts, :, :] for factor in (self.svd.U, self.svd.S[..., None], self.svd.Vh))
        best = u @ vt
        # a reflection fits no better than the rotation that flips the least important axis
        flipped = np.linalg.det(best) < 0.0
        if flipped.any():
            best = np.where(flipped[..., None, None], best - 2.0 * u[..., :, 2:] @ vt[..., 2:, :], best)
        line = s[..., 1, 0] <= _FLAT * s[..., 0, 0]
        if line.any():
            axis = vt[..., 0, :, None]
            start = (parents @ axis)[..., 0]
            end, known = _directions((self.covariance[..., parts, :, :] @ axis)[..., 0])
            end = np.where(known[..., None], end, start)
            best = np.where(line[..., None, None], _shortest_turn(start, end) @ parents, best)
        self.turned[..., _RIGID[parts, 0], :, :] = best

    def _swing(self, step: str) -> None:
        """Turn joints the shortest way from their parents' rotation so that their bones point where they were seen."""
        joints, ends = _SWINGS[step]
        parents = self.turned[..., [PARENTS[joint] for joint in joints], :, :]
        start = (parents @ self.rest_direction[..., ends, :, None])[..., 0]
        end = np.where(self.known[..., ends, None], self.direction[..., ends, :], start)
        self.turned[..., joints, :, :] = _shortest_turn(start, end) @ parents

    def _hinge(self, limbs: _Hinges) -> None:
        """Twist joints (hips, shoulders) about their bones so that the next joint (knee, elbow) bends as a hinge.

        With a the upper bone and h the hinge's axis at rest, the lower bone b keeps its angle to h whatever the
        flexion, and its angle to a whatever the twist: of the two directions that have both angles, the one on the side
        of flexion is where b would be without twist; the twist leads from there to where b was seen.
        """
        joints, hinges, ends, axes, limits = limbs
        a = self.rest_direction[..., hinges, :]
        b = self.rest_direction[..., ends, :]
        base = self.turned[..., joints, :, :]
        u = (np.swapaxes(base, -1, -2) @ self.direction[..., ends, :, None])[..., 0]
        along, across, tilt = _dot(u, a), _dot(b, axes), _dot(a, axes)
        beta = (across - tilt * along) / (1.0 - tilt**2)
        alpha = along - beta * tilt
        rest_square = 1.0 - alpha**2 - beta**2 - 2.0 * alpha * beta * tilt
        gamma = -np.sqrt(np.maximum(rest_square, 0.0) / (1.0 - tilt**2))
        untwisted = alpha[..., None] * a + beta[..., None] * axes + gamma[..., None] * cross(a, axes)
        # both have the same part along a, so the angle between them about a is that of their cross and dot products
        twist = np.arctan2(_dot(a, cross(untwisted, u)), _dot(untwisted, u) - _dot(untwisted, a) * along)
        sine = np.sqrt(np.maximum(1.0 - along**2, 0.0))
        known = self.known[..., hinges] & self.known[..., ends]
        belief = _smooth_step(sine, *_BEND_SINES) * (1.0 - _smooth_step(np.abs(twist), *limits))
        twist = np.where(known, belief * twist, 0.0)
        self.turned[..., joints, :, :] = base @ _turn_about(a, twist)


def _dot(a: Float64, b: Float64) -> Float64:
    result: Float64 = (a * b).sum(axis=-1)
    return result


def _directions(bones: Float64) -> tuple[Float64, _Bool]:
    """Bones (..., 3) scaled to length 1, and which (...) are long enough for that; the others stay as short."""
    length = np.sqrt(_dot(bones, bones))
    known = length > _SHORTEST_BONE
    return bones / np.where(known, length, 1.0)[..., None], known


def _smooth_step(values: Float64, low: float, high: float) -> Float64:
    """0 up to low, 1 from high, smooth between."""
    t = np.clip((values - low) / (high - low), 0.0, 1.0)
    result: Float64 = t * t * (3.0 - 2.0 * t)
    return result


def _cross_matrix(vectors: Float64) -> Float64:
    """The matrices (..., 3, 3) that take v to `vectors` x v."""
    return (vectors @ _LEVI_CIVITA).reshape(*vectors.shape, 3)


def _shortest_turn(start: Float64, end: Float64) -> Float64:
    """Matrices (..., 3, 3) of the shortest rotation of unit vectors to others; half a turn if they are opposite."""
    c = _dot(start, end)[..., None, None]
    axis = cross(start, end)
    outer = axis[..., :, None] * axis[..., None, :]
    turn: Float64 = c * np.eye(3) + _cross_matrix(axis) + outer / np.maximum(1.0 + c, 1e-12)
    opposite = c < -1.0 + 1e-12
    if opposite.any():
        across = cross(start, np.eye(3)[np.argmin(np.abs(start), axis=-1)])
        across = across / np.sqrt(_dot(across, across))[..., None]
        half_turn = 2.0 * across[..., :, None] * across[..., None, :] - np.eye(3)
        turn = np.where(opposite, half_turn, turn)
    return turn


def _turn_about(axis: Float64, angle: Float64) -> Float64:
    """Matrices (..., 3, 3) that turn by an angle (...) about unit axes (..., 3) (Rodrigues)."""
    sine, cosine = np.sin(angle)[..., None, None], np.cos(angle)[..., None, None]
    outer = axis[..., :, None] * axis[..., None, :]
    result: Float64 = cosine * np.eye(3) + sine * _cross_matrix(axis) + (1.0 - cosine) * outer
    return result


def _anchored(landmarks: Float64, points: Float64, weights: Float64) -> Float64:
    """Landmarks (..., 26, 3) moved to where they were seen: all by the same, or each connected part by its own."""
    residual = (points - landmarks) * weights[..., None]
    seen = weights > 0.0
    cut = seen & ~seen[..., list(_LANDMARK_PARENTS)]
    if not cut.any():
        total = np.maximum(weights.sum(axis=-1), 1e-12)[..., None]
        moved: Float64 = landmarks + (residual.sum(axis=-2) / total)[..., None, :]
        return moved
    # a seen joint below an unseen one starts a part of its own: how the two hang together is not known
    part = np.broadcast_to(np.arange(len(_LANDMARKS)), seen.shape).copy()
    for child, parent in enumerate(_LANDMARK_PARENTS):
        together = seen[..., child] & seen[..., parent]
        part[..., child] = np.where(together, part[..., parent], child)
    member = part[..., :, None] == np.arange(len(_LANDMARKS))
    shares = np.swapaxes(member, -1, -2).astype(np.float64)
    total = np.maximum((shares @ weights[..., None]), 1e-12)
    shift = (shares @ residual) / total
    result: Float64 = landmarks + member.astype(np.float64) @ shift
    return result
