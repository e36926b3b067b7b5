"""When units take their samples, and which of them arrive."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.imu.sensor_spec import SensorSpec
from fitmotion_models.imu.values import ImuRecording
from fitmotion_models.skeleton.rotations import Float64


def shifted(recording: ImuRecording, spec: SensorSpec, seed: Sequence[int]) -> ImuRecording:
    """The recording at the instants at which the clocks of its units strike, all units having started together.

    A clock that runs slow by a share d strikes for sample k of a rate r at k (1 + d) / r.
    """
    count, sites = len(recording), len(recording.sites)
    if count < 2 or not (spec.clock_drift or spec.clock_jitter):
        return recording
    random = np.random.default_rng(seed)
    drifts = spec.clock_drift * random.standard_normal(sites)
    jitter = np.random.default_rng([*seed, 1])
    elapsed = recording.stamps - recording.stamps[0]
    changed: dict[str, Any] = {
        name: np.array(values)
        for name in ("specific_force", "angular_velocity", "magnetic_field")
        if (values := getattr(recording, name, None)) is not None
    }
    for site in range(sites):
        late = drifts[site] * elapsed + spec.clock_jitter * jitter.standard_normal(count)
        for values in changed.values():
            values[:, site] = between_samples(values[:, site], elapsed, late)
    return replace(recording, **changed)


def between_samples(values: Float64, times: NDArray[np.float64], late: NDArray[np.float64]) -> Float64:
    """Values (N, D), sampled at even times (N,), at times + late: the cubic through the four samples around.

    Before the first and after the last sample, the nearest one; NaN where one of the four is.
    """
    count = len(values)
    step = (times[-1] - times[0]) / (count - 1)
    place = np.clip((times - times[0] + late) / step, 0.0, count - 1.0)
    left = np.clip(np.floor(place).astype(np.int64), 0, count - 2)
    s = place - left
    s2, s3 = s * s, s * s * s
    # Catmull and Rom 1974
    weights = (2.0 * s2 - s - s3, 2.0 - 5.0 * s2 + 3.0 * s3, s + 4.0 * s2 - 3.0 * s3, s3 - s2)
    result = np.zeros_like(values)
    for shift, weight in zip((-1, 0, 1, 2), weights, strict=True):
        result += 0.5 * weight[:, None] * values[np.clip(left + shift, 0, count - 1)]
    return result


class Losses:
    """Which samples of S units never arrive: two states, good and bad (Gilbert 1960)."""

    def __init__(self, share: float, burst: float, sites: int, seed: Sequence[int]) -> None:
        self._share = share
        if share:
            # samples that are lost independently come in bursts of 1 / (1 - share)
            mean = max(burst, 1.0 / (1.0 - share))
            self._stay, self._enter = 1.0 - 1.0 / mean, share / ((1.0 - share) * mean)
        self._random = np.random.default_rng(seed)
        self._lost = self._random.random(sites) < share

    def next(self, count: int) -> NDArray[np.bool_] | None:
        """(count, S) whether the next samples are lost; None where none ever is."""
        if not self._share or not count:
            return None
        draws = self._random.random((count, len(self._lost)))
        # below `enter` a sample is lost whatever was before, from `stay` on it arrives; between, all stays as it was
        decided = (draws < self._enter) | (draws >= self._stay)
        rows = np.where(decided, np.arange(count)[:, None], -1)
        latest = np.maximum.accumulate(rows, axis=0)
        at_latest = np.take_along_axis(draws, np.maximum(latest, 0), axis=0) < self._enter
        result: NDArray[np.bool_] = np.where(latest < 0, self._lost, at_latest)
        self._lost = result[-1]
        return result
