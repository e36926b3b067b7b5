"""Virtual sensors on bodies that were never there: recorded motion, varied before it is made into readings.

What no recording of a sensor can be given afterwards: other bodies, other ways to hold the arm or to bend the trunk,
more or less of the movement, another pace of its parts, a forearm turned otherwise, the sensor elsewhere on the limb,
the other side of the body. Gravity, centripetal and tangential parts of the readings then change as they must.
"""

from dataclasses import dataclass, fields, replace

import numpy as np

from fitmotion_models.imu.offline import imu_from_motion
from fitmotion_models.imu.site_motion import SiteMotion
from fitmotion_models.imu.sites import Site
from fitmotion_models.imu.specific_force import continuous_quaternions, specific_force
from fitmotion_models.imu.values import Cutoffs, ImuRecording
from fitmotion_models.skeleton.joint_sets import SMPL22
from fitmotion_models.skeleton.kinematics import PARENTS, fill_unseen
from fitmotion_models.skeleton.motion_clip import MotionClip
from fitmotion_models.skeleton.rotations import (
    Float64,
    conjugate,
    from_rotvec,
    multiply,
    normalize,
    rotate,
    to_rotvec,
)
from fitmotion_models.training.activity_windows import warps

RATE_HZ = 50.0


@dataclass(frozen=True)
class Variations:
    """Standard deviations of what is drawn for every variation; 0 everywhere leaves the motion as it was recorded.

    pace: logarithm of the speed. warp: of time, as a share of the whole. amplitude: logarithm of how far joints turn
    about their mean rotation. posture_deg: a joint held otherwise throughout. sway_deg: the same, slowly changing, as
    a camera's errors are. twist_deg: the limb turned about its length, which a camera does not see. size: logarithm of
    the bones' lengths. along: share of the bone that the sensor is further up. lever_m: the sensor aside. mount_deg:
    the sensor turned on the limb.
    """

    pace: float = 0.2
    warp: float = 0.08
    amplitude: float = 0.15
    posture_deg: float = 12.0
    sway_deg: float = 6.0
    twist_deg: float = 25.0
    size: float = 0.1
    along: float = 0.1
    lever_m: float = 0.02
    mount_deg: float = 15.0

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if not 0.0 <= value < np.inf:
                raise ValueError(f"variations: {each.name}={value} must be 0 or more")

    def times(self, strength: float) -> "Variations":
        """All of them so many times as strong."""
        return replace(self, **{each.name: strength * getattr(self, each.name) for each in fields(self)})


@dataclass(frozen=True, eq=False)
class Varied:
    """Readings of V variations in the limb's frame, `sites` v0, v1, ..., and how each sensor is turned on the limb.

    mounts: (V, 4) quaternions xyzw that turn the sensor's frame into the one a plain sensor has.
    """

    recording: ImuRecording
    mounts: Float64


def varied_imu(
    clip: MotionClip, site: Site, count: int, variations: Variations, cutoffs: Cutoffs, random: np.random.Generator
) -> Varied:
    """What a sensor at a site reads in `count` variations of a clip; the clip's stamps, at 50 Hz."""
    chain = _chain(site)
    root, local = _warped(clip, chain, count, variations, random)
    local = _turned(local, variations, random)
    reach = np.exp(variations.amplitude * random.standard_normal((count, 1, 1)))
    root = root[:, :1] + reach * (root - root[:, :1])
    bones = _other_bodies(np.asarray(clip.bone_offsets, dtype=np.float64), count, variations.size, random)
    joint, limb = _end_of_chain(root, local, bones[:, chain])
    towards = bones[:, SMPL22.index(site.towards)]
    limb = multiply(limb, _twists(normalize(towards), limb.shape[1], np.radians(variations.twist_deg), random))
    along = np.clip(site.along - variations.along * np.abs(random.standard_normal((count, 1))), 0.0, 1.0)
    lever = np.array(site.lever_arm) + variations.lever_m * random.standard_normal((count, 3))
    places = joint + rotate(limb, (lever + along * towards)[:, None])
    motion = SiteMotion(clip.stamps, places.swapaxes(0, 1), multiply(limb, site.mount_rotation).swapaxes(0, 1))
    recording = imu_from_motion(motion, tuple(f"v{i}" for i in range(count)), rate_hz=RATE_HZ, cutoffs=cutoffs)
    mounts = from_rotvec(_per_axis(variations.mount_deg) * random.standard_normal((count, 3)))
    pace = np.exp(variations.pace * random.standard_normal((1, count, 1)))
    return Varied(_at_pace(recording, pace), mounts)


def _per_axis(degrees: float) -> float:
    """Standard deviation of each part, rad, of a rotation vector whose length has this root mean square."""
    return float(np.radians(degrees) / np.sqrt(3.0))


def _chain(site: Site) -> list[int]:
    """The joints that move a sensor, from the root to its own."""
    if not site.towards:
        raise ValueError(f"site {site.name} is on no limb; variations need one with towards")
    joint, found = site.joint, [site.joint]
    while PARENTS[joint] >= 0:
        joint = PARENTS[joint]
        found.append(joint)
    return found[::-1]


def _end_of_chain(root: Float64, local: Float64, bones: Float64) -> tuple[Float64, Float64]:
    """Positions (V, T, 3) and world rotations (V, T, 4) of the last joint of a chain.

    root: (V, T, 3). local: (V, T, J, 4). bones: (V, J, 3), to each joint from the one before it.
    """
    position, world = root, local[:, :, 0]
    for number in range(1, local.shape[2]):
        position = position + rotate(world, bones[:, None, number])
        world = multiply(world, local[:, :, number])
    return position, world


def _warped(
    clip: MotionClip, chain: list[int], count: int, variations: Variations, random: np.random.Generator
) -> tuple[Float64, Float64]:
    """Roots (V, T, 3) and local rotations (V, T, J, 4) of a chain with other paces of the motion's parts."""
    frames = len(clip)
    local = continuous_quaternions(fill_unseen(clip.rotations[:, chain]))
    place = warps(count, frames, variations.warp, random) * (frames - 1)
    before = np.minimum(place.astype(int), frames - 2)
    share = (place - before)[..., None]
    roots = np.asarray(clip.positions[:, 0], dtype=np.float64)
    root = roots[before] * (1.0 - share) + roots[before + 1] * share
    return root, normalize(local[before] * (1.0 - share[..., None]) + local[before + 1] * share[..., None])


def _turned(local: Float64, variations: Variations, random: np.random.Generator) -> Float64:
    """Rotations (V, T, J, 4) of joints that turn more or less about their mean, which is another one."""
    count, frames, joints, _ = local.shape
    mean = normalize(local.mean(axis=1, keepdims=True))
    together, each = random.standard_normal((count, 1, 1, 1)), random.standard_normal((count, 1, joints, 1))
    gain = np.exp(variations.amplitude * (together + 0.5 * each))
    held = _per_axis(variations.posture_deg) * random.standard_normal((count, 1, joints, 3))
    sway = _per_axis(variations.sway_deg) * random.standard_normal((count, 1, joints, 3))
    held = held + sway * _slow_waves((count, 1, joints, 3), frames, random)
    swings = gain * to_rotvec(multiply(conjugate(mean), local))
    return multiply(multiply(mean, from_rotvec(held)), from_rotvec(swings))


def _slow_waves(shape: tuple[int, ...], frames: int, random: np.random.Generator) -> Float64:
    """Sines of half a period to one and a half over the (second axis of) frames, with their own phases."""
    time = np.linspace(0.0, 1.0, frames).reshape(1, frames, *(1,) * (len(shape) - 2))
    periods, phases = random.uniform(0.5, 1.5, shape), random.uniform(0.0, 2.0 * np.pi, shape)
    result: Float64 = np.sin(2.0 * np.pi * periods * time + phases)
    return result


def _twists(axes: Float64, frames: int, spread: float, random: np.random.Generator) -> Float64:
    """(V, T, 4): turns about axes (V, 3), partly constant, partly slow."""
    count = len(axes)
    constant, slow = random.standard_normal((2, count, 1))
    angles = spread * (constant + 0.5 * slow * _slow_waves((count, 1), frames, random))
    return from_rotvec(angles[..., None] * axes[:, None])


def _other_bodies(bones: Float64, count: int, size: float, random: np.random.Generator) -> Float64:
    """(V, 22, 3): all bones longer or shorter, and each a little by itself."""
    whole, each = random.standard_normal((count, 1, 1)), random.standard_normal((count, len(bones), 1))
    result: Float64 = bones * np.exp(size * np.sqrt(0.5) * (whole + each))
    return result


def _at_pace(recording: ImuRecording, pace: Float64) -> ImuRecording:
    """The readings of the same motion so many times as fast, (1, V, 1), at the stamps of the instants it came from.

    With time t / pace, rates go with pace and accelerations with its square; gravity stays.
    """
    gravity = specific_force(recording.rotations, np.zeros(3))
    return replace(
        recording,
        specific_force=gravity + pace**2 * (recording.specific_force - gravity),
        angular_velocity=pace * recording.angular_velocity,
    )
