"""How true virtual sensors are on motion whose readings are known: a pendulum, a wheel, a squat, a body at rest.

Offline (`virtual_imu`) and live (`LiveImu`, fed pose by pose), each as RMS error in percent of the largest range that
any axis has in the truth, and the live one's lag.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ellipj, ellipk

from fitmotion_models.imu import (
    DEFAULT_RATE_HZ,
    ImuRecording,
    ImuSamples,
    LiveImu,
    Site,
    select_sites,
    site_motion,
    virtual_imu,
)
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
AT_REST = "rest"
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
    up: mean reading of the sensor's z axis, m/s2, which at rest is that of gravity.
    """

    force_rms: float
    rate_rms: float
    force_percent: float
    rate_percent: float
    samples: int
    lost: int
    up: float


@dataclass(frozen=True)
class LiveAccuracy:
    """What a live sensor gives up for giving readings at once.

    lag_s: what was asked for. waited_s: from a sample's time to that of the pose that let it go, median and greatest:
    the lag and the rest of the step to the next pose. shift_s: by how much the readings come later in their own time
    than those of the recording, where they fit it best; 0: none of the lag is in the stamps.
    """

    lag_s: float
    waited_s: tuple[float, float]
    shift_s: float
    accuracy: Accuracy


@dataclass(frozen=True)
class Row:
    """One motion at one frame rate: offline, and live at several lags."""

    motion: str
    fps: float
    offline: Accuracy
    live: tuple[LiveAccuracy, ...]


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
        KnownMotion(AT_REST, (select_sites(["pelvis"])[0],), _resting_clip, _at_rest),
    )


def play_live(clip: MotionClip, imu: LiveImu) -> ImuRecording:
    """What live sensors give when a clip's poses come one after the other and then no more."""
    return _recording(imu, [*(imu.update(pose) for pose in clip), imu.flush()])


def _recording(imu: LiveImu, parts: Sequence[ImuSamples]) -> ImuRecording:
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
    up = float(recording.specific_force[found, :, 2].mean())
    return Accuracy(errors[0], errors[1], shares[0], shares[1], int(found.sum()), instants - int(found.sum()), up)


def live_accuracy(motion: KnownMotion, clip: MotionClip, recorded: ImuRecording, lag_s: float) -> LiveAccuracy:
    """A live sensor beside the truth, and beside the recording for what its stamps are late."""
    imu = LiveImu(motion.sites, lag_s=lag_s)
    parts = [imu.update(pose) for pose in clip]
    waits = np.concatenate([pose.stamp - part.stamps for pose, part in zip(clip, parts, strict=True)])
    live = _recording(imu, [*parts, imu.flush()])
    shift = time_shift(live, recorded) if np.ptp(recorded.angular_velocity) > 1e-3 else 0.0  # what rests has no time
    waited = (float(np.median(waits)), float(waits.max()))
    return LiveAccuracy(lag_s, waited, shift, accuracy(live, motion, clip))


def time_shift(late: ImuRecording, early: ImuRecording) -> float:
    """By how many seconds angular velocities must be moved forward in time to fit others best, to first order."""
    shared = np.isin(np.rint(early.stamps * early.rate_hz), np.rint(late.stamps * late.rate_hz))
    rate = early.angular_velocity[shared]
    slope = np.gradient(rate, early.stamps[shared], axis=0)
    # late(t) = early(t - shift), to first order early(t) - shift slope(t)
    return float(np.sum((rate - late.angular_velocity) * slope) / np.sum(slope * slope))


def evaluate(
    frame_rates: Sequence[float] = (100.0, 30.0), lags_s: Sequence[float] = (0.0, 0.05, 0.1, 0.2)
) -> tuple[Row, ...]:
    """Every known motion at these frame rates, sampled at 100 Hz: offline and at these lags."""
    rows = []
    for motion in known_motions():
        for fps in frame_rates:
            clip = motion.clip(fps)
            recorded = virtual_imu(clip, motion.sites)
            live = tuple(live_accuracy(motion, clip, recorded, lag) for lag in lags_s)
            rows.append(Row(motion.name, fps, accuracy(recorded, motion, clip), live))
    return tuple(rows)


def as_dict(rows: Sequence[Row]) -> dict[str, Any]:
    """Motion -> frame rate -> offline and live figures, for JSON."""
    result: dict[str, Any] = {}
    for row in rows:
        live = [
            {
                "lag_ms": _round(1e3 * item.lag_s),
                "waited_p50_ms": _round(1e3 * item.waited_s[0]),
                "waited_max_ms": _round(1e3 * item.waited_s[1]),
                "shift_ms": _round(1e3 * item.shift_s),
                **_figures(item.accuracy),
            }
            for item in row.live
        ]
        result.setdefault(row.motion, {})[f"{row.fps:g}"] = {"offline": _figures(row.offline), "live": live}
    return {"rate_hz": DEFAULT_RATE_HZ, "motions": result}


def _figures(found: Accuracy) -> dict[str, float]:
    return {
        "acc_rmse_m_s2": _round(found.force_rms),
        "acc_percent_of_range": _round(found.force_percent),
        "gyro_rmse_rad_s": _round(found.rate_rms),
        "gyro_percent_of_range": _round(found.rate_percent),
        "up_axis_mean_m_s2": round(found.up, 5),
        "samples": found.samples,
        "lost": found.lost,
    }


def as_table(rows: Sequence[Row]) -> str:
    """The figures for people."""
    lines = [
        f"RMS error at {DEFAULT_RATE_HZ:g} Hz, and in percent of the range of the motion",
        f"{'motion':9} {'poses':>6}  {'':18} {'acceleration':>22}  {'angular velocity':>22}  {'z at rest':>10}  lost",
    ]
    for row in rows:
        name = f"{row.motion:9} {row.fps:3g} Hz"
        ways = [("offline", row.offline), *((_how_late(item), item.accuracy) for item in row.live)]
        for way, found in ways:
            up = f"{found.up:.3f} m/s2" if row.motion == AT_REST else ""
            lines.append(f"{name:16}  {way:18} {_errors(found)}  {up:>10}  {found.lost:4}")
            name = ""
    return "\n".join(lines)


def _how_late(item: LiveAccuracy) -> str:
    return f"live, {1e3 * item.lag_s:3.0f} ms ({1e3 * item.waited_s[0]:.0f})"


def _errors(found: Accuracy) -> str:
    force = f"{found.force_rms:.4f} m/s2 {found.force_percent:7.3f} %"
    rate = f"{found.rate_rms:.5f} rad/s {found.rate_percent:6.3f} %"
    return f"{force:>22}  {rate:>22}"


def _round(value: float) -> float:
    return float(f"{value:.3g}") + 0.0
