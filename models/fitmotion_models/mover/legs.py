"""Legs by inverse kinematics: a foot on the floor, the hip where it has to be, the knee on the circle that is left."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fitmotion_models.mover.body import SIDES, Float64, about_y, about_z, joint
from fitmotion_models.skeleton.kinematics import feet_offsets
from fitmotion_models.skeleton.rotations import cross, normalize

# index 0 is left, 1 is right on every axis of length 2; sign of the side's own lateral direction on the y axis
SIDE_SIGN: Float64 = np.array([1.0, -1.0])
_HINGE: Float64 = np.array([0.0, 1.0, 0.0])


@dataclass(frozen=True, eq=False)
class Feet:
    """Two feet planted on the floor.

    bones: (22, 3) metres. toe_out: radians, of the heel-to-toe line. width: between the ankles, metres. The ankles of
    the flat feet are over x = 0.
    """

    bones: Float64
    toe_out: float
    width: float

    @cached_property
    def yaw(self) -> Float64:
        """(2,) heading of the heel-to-toe lines, radians."""
        return SIDE_SIGN * self.toe_out

    @cached_property
    def forward(self) -> Float64:
        """(2, 3) horizontal unit vectors from heel to toe."""
        return np.stack([np.cos(self.yaw), np.sin(self.yaw), np.zeros(2)], axis=-1)

    @cached_property
    def medial(self) -> Float64:
        """(2, 3) horizontal unit vectors across the feet, towards the other foot."""
        ahead = self.forward
        return SIDE_SIGN[:, None] * np.stack([ahead[:, 1], -ahead[:, 0], np.zeros(2)], axis=-1)

    @cached_property
    def length(self) -> float:
        """From heel to toe, metres."""
        return float(np.linalg.norm(self.toes[0] - feet_offsets(self.bones)[0]))

    @cached_property
    def toes(self) -> Float64:
        """(2, 3) toe tips in the ankles' frames."""
        foot_joints = self.bones[[joint(f"{side}_foot") for side in SIDES]]
        result: Float64 = foot_joints + feet_offsets(self.bones)[[1, 3]]
        return result

    def pose(self, heel_rise: Float64) -> tuple[Float64, Float64]:
        """Ankles (..., 2, 3) and the feet's world matrices (..., 2, 3, 3) for heels raised by (..., 2) metres.

        A foot turns as a whole about its toe tip, which stays where it is.
        """
        toes = self.toes
        own_yaw = np.arctan2(toes[:, 1], toes[:, 0])  # the rest pose's feet point a little outwards
        flat = about_z(self.yaw - own_yaw)
        height = -toes[:, 2]
        ankles = np.stack([np.zeros(2), SIDE_SIGN * 0.5 * self.width, height], axis=-1)
        planted = ankles + (flat @ toes[..., None])[..., 0]
        pitch = np.arcsin(np.clip(np.asarray(heel_rise) / self.length, -1.0, 1.0))
        matrices = about_z(self.yaw) @ about_y(pitch) @ about_z(-own_yaw)
        return planted - (matrices @ toes[..., None])[..., 0], matrices


@dataclass(frozen=True, eq=False)
class KneeCircle:
    """Where the knees can be between given hips and ankles: a circle about the line from hip to ankle, per leg.

    center (..., 2, 3), radius (..., 2): metres. ahead, medial: (..., 2, 3) unit vectors of the circle's plane, `ahead`
    as near to the foot's direction as it can be. axis: (..., 2, 3) unit, hip to ankle. overreach: (..., 2) metres by
    which hip and ankle are too far apart (or, negative, too near) for the leg; 0 where it closes.
    """

    center: Float64
    radius: Float64
    ahead: Float64
    medial: Float64
    axis: Float64
    overreach: Float64

    def knee(self, swivel: Float64) -> Float64:
        """Knees (..., 2, 3) at angles (..., 2): 0 straight over the foot's direction, positive inwards, radians."""
        return self.center + self.radius[..., None] * self._direction(swivel)

    def hinge(self, swivel: Float64) -> Float64:
        """Unit axes (..., 2, 3) about which the knees bend, pointing left."""
        return cross(self._direction(swivel), self.axis)

    def swivel_for_valgus(self, feet: Feet, ankles: Float64, valgus: Float64) -> tuple[Float64, Float64, Float64]:
        """Angles (..., 2) that put the knees `valgus` (..., 2) metres inside the ankle-toe planes.

        Also the least and the largest valgus (..., 2) that the circle allows; beyond them the angle is that of the end.
        """
        across = feet.medial
        middle = np.sum((self.center - ankles) * across, axis=-1)
        a = self.radius * np.sum(self.ahead * across, axis=-1)
        b = self.radius * np.sum(self.medial * across, axis=-1)
        reach = np.hypot(a, b)
        ratio = np.clip((valgus - middle) / np.maximum(reach, 1e-12), -1.0, 1.0)
        # a cos(x) + b sin(x) = reach sin(x + offset); b > 0 under a hip above its ankle, so that of the two solutions
        # this is the one with the knee in front
        return np.arcsin(ratio) - np.arctan2(a, b), middle - reach, middle + reach

    def _direction(self, swivel: Float64) -> Float64:
        return np.cos(swivel)[..., None] * self.ahead + np.sin(swivel)[..., None] * self.medial


def knee_circle(feet: Feet, hips: Float64, ankles: Float64) -> KneeCircle:
    """The knees' circles for hips and ankles (..., 2, 3), metres."""
    thigh, shank = leg_lengths(feet.bones)
    line = ankles - hips
    distance = np.linalg.norm(line, axis=-1)
    axis = line / distance[..., None]
    nearest = np.abs(thigh - shank) + 1e-6
    closed = np.clip(distance, nearest, thigh + shank - 1e-9)
    along = (thigh**2 - shank**2 + closed**2) / (2.0 * closed)
    radius = np.sqrt(np.maximum(thigh**2 - along**2, 0.0))
    forward = np.broadcast_to(feet.forward, axis.shape)
    ahead = normalize(forward - np.sum(forward * axis, axis=-1, keepdims=True) * axis)
    medial = SIDE_SIGN[:, None] * cross(axis, ahead)
    return KneeCircle(hips + along[..., None] * axis, radius, ahead, medial, axis, distance - closed)


def leg_lengths(bones: Float64) -> tuple[Float64, Float64]:
    """Lengths (2,) of (left, right) thigh and of (left, right) shank, metres."""
    thighs = bones[[joint(f"{side}_knee") for side in SIDES]]
    shanks = bones[[joint(f"{side}_ankle") for side in SIDES]]
    return np.linalg.norm(thighs, axis=-1), np.linalg.norm(shanks, axis=-1)


def bone_matrices(rest: Float64, bone: Float64, hinge: Float64) -> Float64:
    """World matrices (..., 3, 3) that lay a bone with rest vector `rest` (..., 3) along `bone` (..., 3).

    The turn about the bone is the one that brings the joint's left axis to `hinge`, a unit vector across the bone.
    """
    direction = normalize(bone)
    own = normalize(rest)
    own_hinge = normalize(_HINGE - np.sum(_HINGE * own, axis=-1, keepdims=True) * own)
    there = np.stack([direction, hinge, cross(direction, hinge)], axis=-1)
    here = np.stack([own, own_hinge, cross(own, own_hinge)], axis=-1)
    result: Float64 = there @ np.swapaxes(here, -1, -2)
    return result
