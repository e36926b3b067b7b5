"""A body on feet that may each be anywhere: what steps and lunges are made of. Legs and arms by inverse kinematics."""

from dataclasses import dataclass, field

import numpy as np

from fitmotion_models.mover.body import SIDES, Float64, about_x, about_y, about_z, bone_offsets, joint
from fitmotion_models.mover.legs import SIDE_SIGN, Feet, bone_matrices, knee_circle, leg_lengths
from fitmotion_models.mover.limbs import middle_joints, swing
from fitmotion_models.mover.upper_body import SPINE, TURN_SHARES, head_matrices
from fitmotion_models.skeleton.kinematics import positions_from_matrices

# nobody stands with locked knees; it also keeps the knee's axis defined
STANCE_KNEE_FLEXION = np.radians(8.0)
# steps of the spine's search; the error falls at least threefold a step
_STEPS = 40
_PRECISION = 1e-7

_HIPS = [joint(f"{side}_hip") for side in SIDES]
_KNEES = [joint(f"{side}_knee") for side in SIDES]
_ANKLES = [joint(f"{side}_ankle") for side in SIDES]
_FEET = [joint(f"{side}_foot") for side in SIDES]
_COLLARS = [joint(f"{side}_collar") for side in SIDES]
_SHOULDERS = [joint(f"{side}_shoulder") for side in SIDES]
_ELBOWS = [joint(f"{side}_elbow") for side in SIDES]
_WRISTS = [joint(f"{side}_wrist") for side in SIDES]
_TRUNK = [0, *(joint(name) for name in SPINE[:3])]


@dataclass(frozen=True, eq=False)
class Hold:
    """Where the hands are held. (left, right) each: a joint's name and the wrist's place (..., 2, 3) in its frame, m.

    poles: (..., 2, 3) where the elbows point, in the frame of spine3. collar_lift: (..., 2) radians that the
    collarbones are raised. Leading axes are those of the postures, or none for hands that stay where they are.
    """

    joints: tuple[str, str]
    places: Float64
    poles: Float64
    collar_lift: Float64 = field(default_factory=lambda: np.zeros(2))


@dataclass(frozen=True, eq=False)
class StepPosture:
    """A body that faces x; every array has the same leading axes (...), a side axis (left, right) where said.

    hips: (..., 3) metres, the middle of the hip joints. trunk_lean, trunk_side: (...) neck against pelvis in the
    sagittal and the frontal plane, forward and to the left positive. shoulder_tilt, pelvis_tilt: (...) left side up
    positive. soles: (..., 2, 3) metres, the point of a flat foot under its ankle. foot_pitch: (..., 2), the foot
    turned about its toe tip (positive, heel up) or its heel (negative, toe up). swivel: (..., 2) of the knees, see
    `KneeCircle`. All angles radians.
    """

    hips: Float64
    trunk_lean: Float64
    trunk_side: Float64
    shoulder_tilt: Float64
    soles: Float64
    foot_pitch: Float64
    swivel: Float64
    pelvis_tilt: Float64 = field(default_factory=lambda: np.zeros(()))


class StepBody:
    """Bones of a size, hands where they are held."""

    def __init__(self, scale: float, hold: Hold) -> None:
        self.bones = bone_offsets(scale)
        self.feet = Feet(self.bones, 0.0, 0.0)
        self._hold = hold
        thigh, shank = (float(lengths.mean()) for lengths in leg_lengths(self.bones))
        self.thigh, self.shank = thigh, shank
        self.reach = float(np.sqrt(thigh**2 + shank**2 + 2.0 * thigh * shank * np.cos(STANCE_KNEE_FLEXION)))
        self.half_hips = float(self.bones[_HIPS[0], 1])
        self.ankle_height = -float(self.feet.toes[0, 2])
        # the flat foot points straight ahead: toe tip and heel on the line through the ankle
        self.toe_ahead = float(np.hypot(*self.feet.toes[0, :2]))
        self.heel_behind = self.feet.length - self.toe_ahead

    def ankles(self, posture: StepPosture) -> tuple[Float64, Float64]:
        """Ankles (..., 2, 3), metres, and the feet's world matrices (..., 2, 3, 3)."""
        pitch = about_y(posture.foot_pitch)
        own_yaw = np.arctan2(self.feet.toes[:, 1], self.feet.toes[:, 0])
        ahead = np.where(posture.foot_pitch > 0.0, self.toe_ahead, -self.heel_behind)
        pivot = np.stack([ahead, np.zeros_like(ahead), np.zeros_like(ahead)], axis=-1)
        to_ankle = np.array([0.0, 0.0, self.ankle_height]) - pivot
        return posture.soles + pivot + (pitch @ to_ankle[..., None])[..., 0], pitch @ about_z(-own_yaw)

    def hip_joints(self, posture: StepPosture) -> Float64:
        """Hip joints (..., 2, 3), metres."""
        sideways = np.zeros((2, 3))
        sideways[:, 1] = SIDE_SIGN * self.half_hips
        tilted = (about_x(posture.pelvis_tilt)[..., None, :, :] @ sideways[..., None])[..., 0]
        result: Float64 = posture.hips[..., None, :] + tilted
        return result

    def swivel_for(self, posture: StepPosture, inward: Float64) -> Float64:
        """Swivels (2,) that put the knees `inward` (2,) metres further in than their ankles; 0 where that is NaN.

        posture: without leading axes. Raises ValueError where a knee does not reach as far.
        """
        ankles, _ = self.ankles(posture)
        circle = knee_circle(self.feet, self.hip_joints(posture), ankles)
        swivel, least, largest = circle.swivel_for_valgus(self.feet, ankles, inward)
        swivel = np.where(np.isnan(inward), 0.0, swivel)
        for side, wanted, low, high in zip(SIDES, inward, least, largest, strict=True):
            if not np.isnan(wanted) and not low <= wanted <= high:
                raise ValueError(
                    f"the {side} knee can't be {wanted:.3f} m further in than its ankle; it reaches {low:.3f} to "
                    f"{high:.3f} m; ask for less of it"
                )
        return swivel

    def overreach(self, posture: StepPosture) -> float:
        """The most by which a hip and its ankle are too far apart for the leg, metres; 0 where the legs close."""
        ankles, _ = self.ankles(posture)
        return float(np.abs(knee_circle(self.feet, self.hip_joints(posture), ankles).overreach).max())

    def matrices(self, posture: StepPosture) -> tuple[Float64, Float64]:
        """Root positions (..., 3), metres, and world matrices of all joints (..., 22, 3, 3)."""
        world = np.zeros((*posture.trunk_lean.shape, 22, 3, 3))
        trunk = _trunk_matrices(
            self.bones, posture.trunk_lean, posture.trunk_side, posture.shoulder_tilt, posture.pelvis_tilt
        )
        world[..., _TRUNK, :, :] = trunk
        world[..., [joint("neck"), joint("head")], :, :] = head_matrices(trunk)
        world[..., _COLLARS, :, :] = trunk[..., 3:4, :, :] @ about_x(SIDE_SIGN * self._hold.collar_lift)
        root = posture.hips - trunk[..., 0, :, :] @ self.bones[_HIPS].mean(axis=0)
        self._place_legs(posture, root, world)
        self._place_arms(root, world)
        return root, world

    def positions(self, posture: StepPosture) -> Float64:
        """Joint positions (..., 22, 3), metres, world."""
        root, world = self.matrices(posture)
        return positions_from_matrices(root, world, self.bones)

    def _place_legs(self, posture: StepPosture, root: Float64, world: Float64) -> None:
        ankles, foot_matrices = self.ankles(posture)
        hips = root[..., None, :] + (world[..., :1, :, :] @ self.bones[_HIPS][..., None])[..., 0]
        circle = knee_circle(self.feet, hips, ankles)
        knees, hinge = circle.knee(posture.swivel), circle.hinge(posture.swivel)
        world[..., _HIPS, :, :] = bone_matrices(self.bones[_KNEES], knees - hips, hinge)
        world[..., _KNEES, :, :] = bone_matrices(self.bones[_ANKLES], ankles - knees, hinge)
        world[..., _ANKLES, :, :] = world[..., _FEET, :, :] = foot_matrices

    def _place_arms(self, root: Float64, world: Float64) -> None:
        # positions of the trunk and the shoulders do not hang on the arms' matrices, which are still zero here
        there = positions_from_matrices(root, world, self.bones)
        holds = [joint(name) for name in self._hold.joints]
        wrists = there[..., holds, :] + (world[..., holds, :, :] @ self._hold.places[..., None])[..., 0]
        poles = (world[..., _TRUNK[3:], :, :] @ self._hold.poles[..., None])[..., 0]
        shoulders = there[..., _SHOULDERS, :]
        upper, fore = self.bones[_ELBOWS], self.bones[_WRISTS]
        elbows = middle_joints(shoulders, wrists, np.linalg.norm(upper, axis=-1), np.linalg.norm(fore, axis=-1), poles)
        world[..., _SHOULDERS, :, :] = swing(world[..., _COLLARS, :, :], upper, elbows - shoulders)
        world[..., _ELBOWS, :, :] = swing(world[..., _SHOULDERS, :, :], fore, wrists - elbows)
        world[..., _WRISTS, :, :] = world[..., _ELBOWS, :, :]


def _trunk_matrices(bones: Float64, lean: Float64, side: Float64, tilt: Float64, pelvis: Float64) -> Float64:
    """World matrices (..., 4, 3, 3) of pelvis, spine1, spine2, spine3; the left of spine3 is up by `tilt` (...).

    pelvis: (...) the same of the pelvis, radians.

    The hips bend forward and the lower spine sideways by as much as brings the line from pelvis to neck to `lean` and
    `side` (...), radians.
    """
    offsets = bones[[joint(name) for name in SPINE]]
    level = pelvis + 0.0 * lean
    heights = offsets[:, 2] / offsets[:, 2].sum()
    forward, sideways = float(heights @ TURN_SHARES), float(heights[1:3].sum())
    turn, sway = np.zeros_like(lean), np.zeros_like(lean)
    for _ in range(_STEPS):
        matrices = _bent(turn, sway, tilt, level)
        line = (matrices @ offsets[..., None])[..., 0].sum(axis=-2)
        missing = lean - np.arctan2(line[..., 0], line[..., 2])
        aside = side - np.arctan2(line[..., 1], line[..., 2])
        if max(np.abs(missing).max(), np.abs(aside).max()) < _PRECISION:
            break
        # somewhat less than Newton's whole step: the spine's turns act on each other
        turn = turn + 0.95 * missing / forward
        sway = sway - 0.95 * aside / sideways
    return _bent(turn, sway, tilt, level)


def _bent(turn: Float64, sway: Float64, tilt: Float64, pelvis: Float64) -> Float64:
    pitched = about_y(turn[..., None] * np.array(TURN_SHARES))
    result: Float64 = about_x(np.stack([pelvis, sway, sway, tilt], axis=-1)) @ pitched
    return result
