"""How true virtual sensors are on motion whose readings are known: a pendulum, a wheel, a squat, a body at rest.

Offline (`virtual_imu`) and live (`LiveImu`, fed pose by pose), each as RMS error in percent of the largest range that
any axis has in the truth, and the live one's lag.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import ellipj, ellipk

from fitmotion_models.imu import ImuRecording, LiveImu, Site, select_sites, site_motion, virtual_imu
from fitmotion_models.imu.offline import sample_times
from fitmotion_models.imu.specific_force import STANDARD_GRAVITY, specific_force
from fitmotion_models.mover import SquatParameters, squat_clip
from fitmotion_models.skeleton.body_pose import Source
from fitmotion_models.skeleton.kinematics import REST_OFFSETS, feet_from_pose, forward_kinematics
from fitmotion_models.skeleton.motion_clip import MotionClip
from fitmotion_models.skeleton.rotations import Float64, conjugate, from_axis_angle, multiply, to_rotvec

Truth = tuple[Float64, Float64]  # specific force (N, S, 3) m/s2 and angular velocity (N, S, 3) rad/s, sensors' frames

PIVOT: Float64 = np.array([0.3, -0.2, 2.5])
PENDULUM_LENGTH_M = 1.0
PENDULUM_RELEASE_RAD = np.radians(60.0)
WHEEL_RADIUS_M = 0.6
# a wheel that turns on and swings: angle = rate t + swing sin(2 pi frequency t)
WHEEL_RATE, WHEEL_SWING, WHEEL_FREQUENCY_HZ = 2.0, 0.4, 0.8
SQUAT = SquatParameters(repetitions=2)
_SQUAT_TRUTH_FPS = 1000
_SQUAT_TRUTH_STEP = 10  # frames of the truth's clip: 10 ms, over which the rounding of its float32 is 0.004 m/s2


@dataclass(frozen=True)
class KnownMotion:
    """A motion with known readings. clip: of a frame rate. truth: at times (N,), seconds within the clip."""

    name: str
    sites: tuple[Site, ...]
    clip: Callable[[float], MotionClip]
    truth: Callable[[Float64], Truth]


@dataclass(frozen=True)
class Accuracy:
    """RMS error of specific force and angular velocity, m/s2 and rad/s, and the same in percent of the range.

    Of the sensor that is worst. samples: how many were compared; lost: how many instants of the clip had no sample.
    """

    force_rms: float
    rate_rms: float
    force_percent: float
    rate_percent: float
    samples: int
    lost: int


def pendulum(times: Float64) -> tuple[Float64, Float64, Float64]:
    """Angle (N,), its rate and its acceleration of a free pendulum let go at rest, in Jacobi's elliptic functions."""
    modulus = np.sin(0.5 * PENDULUM_RELEASE_RAD)
    frequency = np.sqrt(STANDARD_GRAVITY / PENDULUM_LENGTH_M)
    period = 4.0 * ellipk(modulus**2) / frequency
    sn, cn, dn, _ = ellipj(frequency * np.mod(times, period), modulus**2)
    angle = 2.0 * np.arcsin(modulus * cn / dn)
    rate = -2.0 * modulus * frequency * np.sqrt(1.0 - modulus**2) * sn / dn
    return angle, rate, -(frequency**2) * np.sin(angle)


def wheel(times: Float64) -> tuple[Float64, Float64, Float64]:
    """Angle (N,) of the swinging wheel, its rate and its acceleration."""
    turning = 2.0 * np.pi * WHEEL_FREQUENCY_HZ
    angle = WHEEL_RATE * times + WHEEL_SWING * np.sin(turning * times)
    rate = WHEEL_RATE + WHEEL_SWING * turning * np.cos(turning * times)
    return angle, rate, -WHEEL_SWING * turning**2 * np.sin(turning * times)


def rigid_clip(times: Float64, root: Float64, turns: Float64, fps: float, subject: str) -> MotionClip:
    """A body in its rest pose, moved as one piece: the pelvis at `root` (T, 3), turned by `turns` (T, 4)."""
    rotations = np.tile((0.0, 0.0, 0.0, 1.0), (len(times), 22, 1))
    rotations[:, 0] = turns
    positions = forward_kinematics(root, rotations, REST_OFFSETS)
    return MotionClip(
        fps=fps,
        stamps=times,
        positions=positions.astype(np.float32),
        rotations=rotations.astype(np.float32),
        confidence=np.ones((len(times), 22), np.float32),
        feet=feet_from_pose(positions, rotations, REST_OFFSETS).astype(np.float32),
        feet_confidence=np.ones((len(times), 4), np.float32),
        bone_offsets=REST_OFFSETS.astype(np.float32),
        view_direction=np.full((len(times), 3), np.nan, np.float32),
        views=0,
        subject=subject,
        source=Source.MOVER,
    )


def _turning(name: str, angle_of: Callable[[Float64], tuple[Float64, Float64, Float64]], radius: float) -> KnownMotion:
    """A sensor that turns about the y axis through the pivot, its z axis towards the pivot."""
    centre = Site("centre", "pelvis")

    def clip(fps: float) -> MotionClip:
        times = np.arange(round(6.0 * fps) + 1) / fps
        angle = angle_of(times)[0]
        down = np.stack([-np.sin(angle), np.zeros_like(angle), -np.cos(angle)], axis=-1)
        return rigid_clip(times, PIVOT + radius * down, from_axis_angle((0.0, 1.0, 0.0), angle), fps, name)

    def truth(times: Float64) -> Truth:
        angle, rate, acceleration = angle_of(times)
        zero = np.zeros_like(angle)
        along = -radius * acceleration - STANDARD_GRAVITY * np.sin(angle)
        inward = radius * rate**2 + STANDARD_GRAVITY * np.cos(angle)
        return np.stack([along, zero, inward], -1)[:, None], np.stack([zero, rate, zero], -1)[:, None]

    return KnownMotion(name, (centre,), clip, truth)


def _pendulum_about_y(times: Float64) -> tuple[Float64, Float64, Float64]:
    # swinging towards +x is a negative turn about y
    angle, rate, acceleration = pendulum(times)
    return -angle, -rate, -acceleration


def _squat_truth(sites: tuple[Site, ...]) -> Callable[[Float64], Truth]:
    """Central differences of the squat's own positions and rotations at a high frame rate."""
    step = _SQUAT_TRUTH_STEP / _SQUAT_TRUTH_FPS

    def truth(times: Float64) -> Truth:
        motion = site_motion(squat_clip(SQUAT, fps=_SQUAT_TRUTH_FPS), sites)
        middle = np.rint(times * _SQUAT_TRUTH_FPS).astype(int)
        # the squat begins and ends standing still: there the motion goes on as it is
        before = np.maximum(middle - _SQUAT_TRUTH_STEP, 0)
        after = np.minimum(middle + _SQUAT_TRUTH_STEP, len(motion.stamps) - 1)
        places, turns = motion.positions, motion.rotations
        acceleration = (places[after] - 2.0 * places[middle] + places[before]) / step**2
        rate = to_rotvec(multiply(conjugate(turns[before]), turns[after])) / (2.0 * step)
        return specific_force(turns[middle], acceleration), rate

    return truth


def _at_rest(times: Float64) -> Truth:
    up = np.broadcast_to((0.0, 0.0, STANDARD_GRAVITY), (len(times), 1, 3))
    return up, np.zeros((len(times), 1, 3))


def _resting_clip(fps: float) -> MotionClip:
    times = np.arange(round(2.0 * fps) + 1) / fps
    turns = np.broadcast_to((0.0, 0.0, 0.0, 1.0), (len(times), 4))
    return rigid_clip(times, np.zeros((len(times), 3)), turns, fps, "rest")


def known_motions() -> tuple[KnownMotion, ...]:
    """The motions that sensors are measured on."""
    moving = tuple(site for site in select_sites(["all"]) if not site.name.endswith("_foot"))  # feet stand still
    return (
        _turning("pendulum", _pendulum_about_y, PENDULUM_LENGTH_M),
        _turning("wheel", wheel, WHEEL_RADIUS_M),
        KnownMotion("squat", moving, lambda fps: squat_clip(SQUAT, fps=fps), _squat_truth(moving)),
        KnownMotion("rest", (select_sites(["pelvis"])[0],), _resting_clip, _at_rest),
    )


def play_live(clip: MotionClip, imu: LiveImu) -> ImuRecording:
    """What live sensors give when a clip's poses come one after the other."""
    parts = [imu.update(pose) for pose in clip]
    return ImuRecording(
        sites=tuple(site.name for site in imu.sites),
        rate_hz=imu.rate_hz,
        stamps=np.concatenate([part.stamps for part in parts]),
        specific_force=np.concatenate([part.specific_force for part in parts]),
        angular_velocity=np.concatenate([part.angular_velocity for part in parts]),
        rotations=np.concatenate([part.rotations for part in parts]),
    )


def accuracy(recording: ImuRecording, motion: KnownMotion, clip: MotionClip) -> Accuracy:
    """How far readings are from the truth of a motion."""
    found = np.isfinite(recording.specific_force).all(axis=(1, 2))
    force, rate = motion.truth(recording.stamps[found])
    instants = len(sample_times(clip.stamps, recording.rate_hz))
    errors, shares = [], []
    for got, true in ((recording.specific_force[found], force), (recording.angular_velocity[found], rate)):
        rms = np.sqrt(np.mean((got - true) ** 2, axis=(0, 2)))
        span = np.ptp(true, axis=0).max(axis=-1)
        errors.append(float(rms.max()))
        # what does not move has no range: then in percent of 1 m/s2 or 1 rad/s
        shares.append(float((100.0 * rms / np.where(span > 1e-9, span, 1.0)).max()))
    return Accuracy(errors[0], errors[1], shares[0], shares[1], int(found.sum()), instants - int(found.sum()))


def evaluate(
    frame_rates: tuple[float, ...] = (100.0, 30.0), lags_s: tuple[float, ...] = (0.0, 0.05, 0.1, 0.2)
) -> dict[str, dict[str, Accuracy]]:
    """Accuracy of every motion: "<motion> at <fps> Hz" -> "offline" or "live, <lag> ms behind" -> figures."""
    results: dict[str, dict[str, Accuracy]] = {}
    for motion in known_motions():
        for fps in frame_rates:
            clip = motion.clip(fps)
            row = {"offline": accuracy(virtual_imu(clip, motion.sites), motion, clip)}
            for lag in lags_s:
                recording = play_live(clip, LiveImu(motion.sites, lag_s=lag))
                row[f"live, {1e3 * lag:g} ms behind"] = accuracy(recording, motion, clip)
            results[f"{motion.name} at {fps:g} Hz"] = row
    return results
