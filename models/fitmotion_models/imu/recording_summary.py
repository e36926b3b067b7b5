"""A recording in a few figures for each of its sensors."""

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.imu.sensor_spec import SensorSpec
from fitmotion_models.imu.values import ImuRecording
from fitmotion_models.skeleton.rotations import Float64


def site_summary(recording: ImuRecording, site: int, spec: SensorSpec) -> dict[str, float | None]:
    """The figures of the sensor of this number.

    largest_force (m/s2) and largest_rate (rad/s): lengths; None where nothing was read. missing: share of samples
    without a reading. saturated: share of samples that stand at the end of the sensor's scale on some axis.
    """
    force, rate = recording.specific_force[:, site], recording.angular_velocity[:, site]
    seen: NDArray[np.bool_] = np.asarray(np.isfinite(force).all(axis=-1) & np.isfinite(rate).all(axis=-1))
    ended = np.concatenate(
        [np.abs(force) >= spec.accelerometer.full_scale, np.abs(rate) >= spec.gyroscope.full_scale], axis=-1
    )
    return {
        "largest_force": _largest(force[seen]),
        "largest_rate": _largest(rate[seen]),
        "missing": float(1.0 - seen.mean()) if len(seen) else 1.0,
        "saturated": float(np.mean(ended.any(axis=-1))) if len(ended) else 0.0,
    }


def _largest(vectors: Float64) -> float | None:
    return float(np.sqrt((vectors**2).sum(axis=-1).max())) if len(vectors) else None
