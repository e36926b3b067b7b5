"""How sensor sites move: from bodies to positions and rotations of sensors in the world."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fitmotion_models.imu.sites import Site
from fitmotion_models.skeleton.joint_sets import SMPL22
from fitmotion_models.skeleton.kinematics import LEVELS, PARENTS, fill_unseen
from fitmotion_models.skeleton.motion_clip import MotionClip
from fitmotion_models.skeleton.rotations import Float64, canonical, multiply, normalize, rotate

_SHORTEST_BONE_M = 1e-3


@dataclass(frozen=True, eq=False)
class SiteMotion:
    """Positions and rotations of S sensors over T instants.

    stamps: (T,) seconds, strictly increasing. positions: (T, S, 3) metres, world; NaN where unseen.
    rotations: (T, S, 4) unit quaternions xyzw that turn the sensor's frame into the world's; NaN where unseen.

    Raises ValueError, naming the array, when shapes or stamps do not fit.
    """

    stamps: NDArray[np.float64]
    positions: Float64
    rotations: Float64

    def __post_init__(self) -> None:
        for name in ("stamps", "positions", "rotations"):
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=np.float64))
        if self.stamps.ndim != 1 or not np.isfinite(self.stamps).all():
            raise ValueError("SiteMotion.stamps must be one axis of finite seconds")
        steps = np.diff(self.stamps)
        if (steps <= 0.0).any():
            where = int(np.argmax(steps <= 0.0)) + 1
            raise ValueError(
                f"SiteMotion.stamps must increase: number {where} is {self.stamps[where]} s after "
                f"{self.stamps[where - 1]} s; sort the frames and drop repeated ones"
            )
        for name, width in (("positions", 3), ("rotations", 4)):
            shape = getattr(self, name).shape
            if len(shape) != 3 or shape[0] != len(self.stamps) or shape[2] != width:
                raise ValueError(f"SiteMotion.{name} has shape {shape}; expected ({len(self.stamps)}, sites, {width})")
        if self.positions.shape[1] != self.rotations.shape[1]:
            raise ValueError(
                f"SiteMotion has {self.positions.shape[1]} sites in positions, {self.rotations.shape[1]} in rotations"
            )


def site_motion(clip: MotionClip, sites: Sequence[Site]) -> SiteMotion:
    """How sensors at these sites move in a clip."""
    frames = SiteFrames(sites)
    return SiteMotion(clip.stamps, *frames(clip.positions, clip.rotations, clip.confidence, clip.bone_offsets))


def check_bones(clip: MotionClip, sites: Sequence[Site], source: str) -> None:
    """Raises ValueError naming source, site and bone where a sensor sits part of the way along a bone of no length."""
    for site in sites:
        if site.towards and site.along > 0.0:
            length = float(np.linalg.norm(clip.bone_offsets[SMPL22.index(site.towards)]))
            if not length > _SHORTEST_BONE_M:
                raise ValueError(
                    f"{source}: the bone from {site.bone} to {site.towards} is {length:g} m long, so that site "
                    f"{site.name} has no place on it; give the clip's bone_offsets, or another site"
                )


class SiteFrames:
    """Positions (..., S, 3) and rotations xyzw (..., S, 4) in the world of S sensors on bodies; NaN where unseen.

    Called with the arrays of a BodyPose, with any leading axes. A sensor is seen where its bone's joint has confidence
    above 0 and its bone a rotation; unseen joints between it and the root are taken as not bent, as the body fit takes
    them.
    """

    def __init__(self, sites: Sequence[Site]) -> None:
        self._joints = [site.joint for site in sites]
        # the root's offset is 0, and so is the share of it
        self._towards = [SMPL22.index(site.towards) if site.towards else 0 for site in sites]
        self._along = np.array([[site.along] for site in sites])
        self._lever_arms = np.array([site.lever_arm for site in sites])
        self._mounts = np.stack([site.mount_rotation for site in sites])
        self._chain = _Chain(self._joints)

    def offsets(self, bone_offsets: ArrayLike) -> Float64:
        """The sensors in the frames of their bones (..., S, 3), metres, on a body with bone_offsets (..., 22, 3)."""
        bones = np.asarray(bone_offsets, dtype=np.float64)[..., self._towards, :]
        result: Float64 = self._lever_arms + self._along * bones
        return result

    def __call__(
        self, positions: ArrayLike, rotations: ArrayLike, confidence: ArrayLike, bone_offsets: ArrayLike
    ) -> tuple[Float64, Float64]:
        """Where the sensors are and how they are turned."""
        local = np.asarray(rotations, dtype=np.float64)
        seen = (np.asarray(confidence)[..., self._joints] > 0.0)[..., None]
        turned = np.isfinite(local[..., self._joints, :]).all(axis=-1, keepdims=True)
        bones = self._chain(local)
        joints = np.asarray(positions, dtype=np.float64)[..., self._joints, :]
        places = joints + rotate(bones, self.offsets(bone_offsets))
        turns = multiply(bones, self._mounts)
        return np.where(seen & turned, places, np.nan), np.where(turned, turns, np.nan)


class _Chain:
    """World rotations (..., S, 4), w not negative, of some joints, from local ones (..., 22, 4): theirs and above."""

    def __init__(self, joints: Sequence[int]) -> None:
        above = set(joints)
        for joint in sorted(above, reverse=True):
            while (joint := PARENTS[joint]) >= 0:
                above.add(joint)
        self._needed = sorted(above)
        place = {joint: index for index, joint in enumerate(self._needed)}
        self._joints = [place[joint] for joint in joints]
        pairs = [[(place[j], place[p]) for j, p in zip(*level, strict=True) if j in place] for level in LEVELS]
        self._levels = [tuple(map(list, zip(*level, strict=True))) for level in pairs if level]

    def __call__(self, local: Float64) -> Float64:
        # joints first: what is multiplied lies together in memory
        turns = np.moveaxis(fill_unseen(local[..., self._needed, :]), -2, 0).copy()
        for joints, parents in self._levels:
            turns[joints] = multiply(turns[parents], turns[joints])
        return canonical(normalize(np.moveaxis(turns[self._joints], 0, -2)))
