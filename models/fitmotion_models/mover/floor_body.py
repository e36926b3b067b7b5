"""A body on the floor, lying, kneeling on all fours or in a push-up: bones laid along directions from the hips on."""

from dataclasses import dataclass

import numpy as np

from fitmotion_models.mover.body import SIDES, Float64, about_y, bone_offsets, joint
from fitmotion_models.mover.legs import SIDE_SIGN, bone_matrices, leg_lengths
from fitmotion_models.mover.limbs import middle_joints, swing
from fitmotion_models.skeleton.kinematics import positions_from_matrices
from fitmotion_models.skeleton.rotations import cross, normalize

# How high joints are over the floor where the body rests on them, metres of the mean body: chosen half thicknesses of
# trunk, limbs and a flat hand's wrist, as a lying body is drawn; what is measured does not depend on them.
HIP_HEIGHT = 0.10
SHOULDER_HEIGHT = 0.09
KNEE_HEIGHT = 0.055
ANKLE_HEIGHT = 0.055
WRIST_HEIGHT = 0.05

_HIPS = [joint(f"{side}_hip") for side in SIDES]
_KNEES = [joint(f"{side}_knee") for side in SIDES]
_ANKLES = [joint(f"{side}_ankle") for side in SIDES]
_FEET = [joint(f"{side}_foot") for side in SIDES]
_COLLARS = [joint(f"{side}_collar") for side in SIDES]
_SHOULDERS = [joint(f"{side}_shoulder") for side in SIDES]
_ELBOWS = [joint(f"{side}_elbow") for side in SIDES]
_WRISTS = [joint(f"{side}_wrist") for side in SIDES]
_TRUNK = [0, *(joint(name) for name in ("spine1", "spine2", "spine3"))]
_HEAD = [joint("neck"), joint("head")]


@dataclass(frozen=True, eq=False)
class FloorPosture:
    """A body on the floor; every array has the same leading axes (...), a side axis (left, right) where said.

    hips: (..., 3) metres, the middle of the hip joints. trunk: (..., 3, 3) world matrix of pelvis, spine and shoulder
    girdle, which move as one. head: (..., 3, 3) of neck and head. upper_arms, forearms, thighs, shanks: (..., 2, 3)
    unit directions from the body outward. hinges: (..., 2, 3) about which the knees bend, left across the legs, of any
    length; what lies along a bone does not count. feet, toes: (..., 2, 3, 3) world matrices of the ankles and of the
    balls of the feet.
    """

    hips: Float64
    trunk: Float64
    head: Float64
    upper_arms: Float64
    forearms: Float64
    thighs: Float64
    shanks: Float64
    hinges: Float64
    feet: Float64
    toes: Float64


class FloorBody:
    """Bones of a size, and where the limbs start."""

    def __init__(self, scale: float) -> None:
        self.scale = scale
        self.bones = bone_offsets(scale)
        self.upper_arm, self.forearm = (
            float(np.linalg.norm(self.bones[ends], axis=-1).mean()) for ends in (_ELBOWS, _WRISTS)
        )
        self.thigh, self.shank = (float(lengths.mean()) for lengths in leg_lengths(self.bones))
        identity = np.broadcast_to(np.eye(3), (22, 3, 3))
        rest = positions_from_matrices(np.zeros(3), identity.copy(), self.bones)
        self._root = -self.bones[_HIPS].mean(axis=0)
        # from the middle of the hip joints to the shoulders and to their middle, upright
        self._shoulders = rest[_SHOULDERS] - rest[_HIPS].mean(axis=0)
        middle = self._shoulders.mean(axis=0)
        self.trunk_length = float(np.linalg.norm(middle))
        self._trunk_lean = float(np.arctan2(middle[0], middle[2]))

    def trunk(self, elevation: Float64 | float, *, prone: bool) -> Float64:
        """World matrices (..., 3, 3) of a trunk that faces the floor (prone) or the ceiling.

        elevation: (...) radians of the line from the hips' to the shoulders' middle over the horizontal. A prone body's
        head is towards x, a supine one's feet are: both have lain down from standing with the face to x.
        """
        turn = 0.5 * np.pi - np.asarray(elevation)
        return about_y((turn if prone else -turn) - self._trunk_lean)

    def hip_joints(self, hips: Float64, trunk: Float64) -> Float64:
        """Hip joints (..., 2, 3), metres."""
        sideways = self.bones[_HIPS] - self.bones[_HIPS].mean(axis=0)
        result: Float64 = hips[..., None, :] + (trunk[..., None, :, :] @ sideways[..., None])[..., 0]
        return result

    def shoulder_joints(self, hips: Float64, trunk: Float64) -> Float64:
        """Shoulder joints (..., 2, 3), metres."""
        result: Float64 = hips[..., None, :] + (trunk[..., None, :, :] @ self._shoulders[..., None])[..., 0]
        return result

    def arms_to(self, shoulders: Float64, wrists: Float64, poles: Float64) -> tuple[Float64, Float64]:
        """Directions (..., 2, 3) of upper arms and forearms that reach the wrists, elbows on the poles' side.

        Raises ValueError when the arms are too short.
        """
        _check_reach("arms", shoulders, wrists, self.upper_arm + self.forearm)
        upper, fore = np.full(2, self.upper_arm), np.full(2, self.forearm)
        elbows = middle_joints(shoulders, wrists, upper, fore, poles)
        return normalize(elbows - shoulders), normalize(wrists - elbows)

    def legs_to(self, hips: Float64, ankles: Float64, poles: Float64) -> tuple[Float64, Float64, Float64]:
        """Directions (..., 2, 3) of thighs and shanks that reach the ankles, and the knees' hinges.

        Raises ValueError when the legs are too short.
        """
        _check_reach("legs", hips, ankles, self.thigh + self.shank)
        thigh, shank = np.full(2, self.thigh), np.full(2, self.shank)
        knees = middle_joints(hips, ankles, thigh, shank, poles)
        hinges = cross(np.broadcast_to(poles, knees.shape), normalize(ankles - hips))
        return normalize(knees - hips), normalize(ankles - knees), hinges

    def matrices(self, posture: FloorPosture) -> tuple[Float64, Float64]:
        """Root positions (..., 3), metres, and world matrices of all joints (..., 22, 3, 3)."""
        world = np.zeros((*posture.hips.shape[:-1], 22, 3, 3))
        world[..., [*_TRUNK, *_COLLARS], :, :] = posture.trunk[..., None, :, :]
        world[..., _HEAD, :, :] = posture.head[..., None, :, :]
        for joints, ends, bones in ((_HIPS, _KNEES, posture.thighs), (_KNEES, _ANKLES, posture.shanks)):
            world[..., joints, :, :] = bone_matrices(self.bones[ends], bones, _across(posture.hinges, bones))
        world[..., _ANKLES, :, :], world[..., _FEET, :, :] = posture.feet, posture.toes
        arms = swing(world[..., _COLLARS, :, :], self.bones[_ELBOWS], posture.upper_arms)
        forearms = swing(arms, self.bones[_WRISTS], posture.forearms)
        world[..., _SHOULDERS, :, :] = arms
        world[..., _ELBOWS, :, :] = world[..., _WRISTS, :, :] = forearms
        return posture.hips + (posture.trunk @ self._root), world


def _across(axes: Float64, bones: Float64) -> Float64:
    """Unit vectors (..., 3): the parts of `axes` across `bones` (..., 3)."""
    return normalize(axes - np.sum(axes * bones, axis=-1, keepdims=True) * bones)


def both_sides(left: tuple[float, float, float]) -> Float64:
    """(2, 3): a vector of the left side and its mirror image."""
    result = np.array([left, left])
    result[:, 1] *= SIDE_SIGN
    return result


def _check_reach(limbs: str, starts: Float64, ends: Float64, length: float) -> None:
    furthest = float(np.linalg.norm(ends - starts, axis=-1).max())
    if furthest > length + 1e-4:
        raise ValueError(
            f"no body can do this: the {limbs} of {length:.2f} m would have to reach {furthest:.3f} m; "
            "ask for smaller faults or another scale"
        )
