"""A squatting body from a handful of numbers: hips, knees on their circles, trunk and arms."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fitmotion_models.mover.body import SIDES, Float64, joint
from fitmotion_models.mover.legs import SIDE_SIGN, Feet, KneeCircle, bone_matrices, knee_circle
from fitmotion_models.mover.upper_body import (
    SPINE,
    arm_matrices,
    collar_matrices,
    head_matrices,
    trunk_matrices,
)
from fitmotion_models.skeleton.kinematics import positions_from_matrices

# Standing: the centre of mass is about 5 cm ahead of the ankles (Winter 1995, Human balance and posture control), which
# is 40 % of the foot's length from the heel; at the bottom it is kept there as well.
BALANCE_SHARE_OF_FOOT = 0.40

_HIPS = [joint(f"{side}_hip") for side in SIDES]
_KNEES = [joint(f"{side}_knee") for side in SIDES]
_ANKLES = [joint(f"{side}_ankle") for side in SIDES]
_FEET = [joint(f"{side}_foot") for side in SIDES]
_SHOULDERS = [joint(f"{side}_shoulder") for side in SIDES]


@dataclass(frozen=True, eq=False)
class Posture:
    """A squatting body over planted feet; every array has the same leading axes (...), times a side axis where said.

    hip_x, hip_y, hip_z: (...) metres, the middle of the hip joints. roll: (...) of the pelvis, left side up positive.
    trunk_lean, arm_drop: (...) as in `SquatParameters`. swivel: (..., 2) of the knees, see `KneeCircle`. All radians.
    heel_rise: (..., 2) metres.
    """

    hip_x: Float64
    hip_y: Float64
    hip_z: Float64
    roll: Float64
    trunk_lean: Float64
    arm_drop: Float64
    swivel: Float64
    heel_rise: Float64


@dataclass(frozen=True, eq=False)
class Footing:
    """What does not change during a squat: the feet on the floor, the bones, the width of the grip (metres)."""

    feet: Feet
    grip: float

    @property
    def bones(self) -> Float64:
        """(22, 3) metres."""
        return self.feet.bones

    @cached_property
    def toe_x(self) -> float:
        """Where the toe tips are, metres ahead of the ankles (mean of both)."""
        ankles, matrices = self.feet.pose(np.zeros(2))
        return float((ankles + (matrices @ self.feet.toes[..., None])[..., 0])[:, 0].mean())

    @cached_property
    def balance_x(self) -> float:
        """Where the centre of mass is wanted, metres ahead of the ankles."""
        return self.toe_x - (1.0 - BALANCE_SHARE_OF_FOOT) * self.feet.length * float(np.cos(self.feet.toe_out))

    def hips(self, posture: Posture) -> Float64:
        """Hip joints (..., 2, 3), metres."""
        half_width = SIDE_SIGN * self.bones[_HIPS[0], 1]
        roll = posture.roll[..., None]
        x = np.broadcast_to(posture.hip_x[..., None], (*posture.hip_x.shape, 2))
        return np.stack(
            [
                x,
                posture.hip_y[..., None] + half_width * np.cos(roll),
                posture.hip_z[..., None] + half_width * np.sin(roll),
            ],
            axis=-1,
        )

    def circles(self, posture: Posture) -> tuple[KneeCircle, Float64, Float64]:
        """The knees' circles, the ankles (..., 2, 3) and the feet's world matrices (..., 2, 3, 3)."""
        ankles, foot_matrices = self.feet.pose(posture.heel_rise)
        return knee_circle(self.feet, self.hips(posture), ankles), ankles, foot_matrices

    def matrices(self, posture: Posture) -> tuple[Float64, Float64]:
        """Root positions (..., 3), metres, and world matrices of all joints (..., 22, 3, 3)."""
        world = np.zeros((*posture.hip_x.shape, 22, 3, 3))
        trunk = trunk_matrices(self.bones, posture.trunk_lean, posture.roll)
        world[..., [0, *(joint(name) for name in SPINE[:3])], :, :] = trunk
        world[..., [joint("neck"), joint("head")], :, :] = head_matrices(trunk)
        root = self.hips(posture).mean(axis=-2) - (trunk[..., 0, :, :] @ self.bones[_HIPS].mean(axis=0))
        self._place_legs(posture, world)
        self._place_arms(posture, root, world)
        return root, world

    def _place_legs(self, posture: Posture, world: Float64) -> None:
        circle, ankles, foot_matrices = self.circles(posture)
        knees, hinge = circle.knee(posture.swivel), circle.hinge(posture.swivel)
        world[..., _HIPS, :, :] = bone_matrices(self.bones[_KNEES], knees - self.hips(posture), hinge)
        world[..., _KNEES, :, :] = bone_matrices(self.bones[_ANKLES], ankles - knees, hinge)
        world[..., _ANKLES, :, :] = foot_matrices
        world[..., _FEET, :, :] = foot_matrices

    def _place_arms(self, posture: Posture, root: Float64, world: Float64) -> None:
        collars = collar_matrices(world[..., [0, *(joint(name) for name in SPINE[:3])], :, :])
        world[..., [joint(f"{side}_collar") for side in SIDES], :, :] = collars
        shoulders = positions_from_matrices(root, world, self.bones)[..., _SHOULDERS, :]
        upper, fore = arm_matrices(self.bones, collars, shoulders, posture.arm_drop, self.grip)
        world[..., _SHOULDERS, :, :] = upper
        world[..., [joint(f"{side}_elbow") for side in SIDES], :, :] = fore
        world[..., [joint(f"{side}_wrist") for side in SIDES], :, :] = fore

    def positions(self, posture: Posture) -> Float64:
        """Joint positions (..., 22, 3), metres, world."""
        root, world = self.matrices(posture)
        return positions_from_matrices(root, world, self.bones)
