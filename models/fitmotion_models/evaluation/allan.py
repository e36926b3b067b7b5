"""What a sensor at rest tells of its noise: the Allan deviation and the figures that are read from it.

IEEE Std 952-1997, appendix C: white noise falls with the root of the averaging time, bias instability is flat, the
random walk of the bias rises with the root.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fitmotion_models.imu.sensor_noise import Triad
from fitmotion_models.imu.sensor_spec import TriadSpec
from fitmotion_models.skeleton.rotations import Float64

_PER_OCTAVE = 2  # averaging times
_SHORTEST_S = 0.25  # below, a sensor's low-pass bends the curve
_FEWEST_AVERAGES = 9  # of the longest averaging time within the recording


@dataclass(frozen=True, eq=False)
class NoiseFigures:
    """The noise of still sensors, in data sheets' terms; each (...) as the axes that they were found for.

    noise_density: one-sided, per square root of Hz. bias_instability: the flat part of the Allan deviation.
    random_walk: per square root of a second.
    """

    noise_density: Float64
    bias_instability: Float64
    random_walk: Float64


def allan_deviation(
    values: ArrayLike, rate_hz: float, taus: Sequence[float] | None = None
) -> tuple[NDArray[np.float64], Float64]:
    """The overlapping Allan deviation of readings (N, ...) at rest: averaging times (K,) s and deviations (K, ...).

    taus: wanted averaging times, seconds, rounded to whole samples; without them two an octave, up to a ninth of the
    recording. Raises ValueError for readings with holes, and for averaging times that do not fit in twice.
    """
    readings = np.asarray(values, dtype=np.float64)
    count = len(readings)
    if count < 3 or not np.isfinite(readings).all():
        raise ValueError("the Allan deviation needs 3 readings or more without holes; cut out a part without any")
    steps = _steps(count, rate_hz) if taus is None else [round(tau * rate_hz) for tau in taus]
    if min(steps) < 1 or 2 * max(steps) > count:
        raise ValueError(
            f"averaging times of {min(steps) / rate_hz:g} to {max(steps) / rate_hz:g} s do not fit; allowed with "
            f"{count} readings at {rate_hz:g} Hz: {1.0 / rate_hz:g} to {0.5 * count / rate_hz:g} s"
        )
    # without the mean, so that the sums keep their digits
    sums = np.concatenate([np.zeros((1, *readings.shape[1:])), np.cumsum(readings - readings.mean(axis=0), axis=0)])
    variances = [
        np.mean((sums[2 * step :] - 2.0 * sums[step:-step] + sums[: -2 * step]) ** 2, axis=0) / (2.0 * step**2)
        for step in steps
    ]
    return np.array(steps) / rate_hz, np.sqrt(np.stack(variances))


def noise_figures(taus: NDArray[np.float64], deviations: Float64, seconds: float) -> NoiseFigures:
    """The figures whose noises together have these deviations (K, ...) at averaging times taus (K,), s.

    Least squares of variances, each weighed by how well a recording of so many seconds determines it: an average over
    tau is seen seconds / tau times. Raises ValueError for fewer than three averaging times of 0.25 s or longer.
    """
    from scipy.optimize import nnls

    used = taus >= _SHORTEST_S
    if used.sum() < 3:
        raise ValueError(f"three averaging times from {_SHORTEST_S} s on are needed; the recording is too short")
    times = taus[used]
    shapes = np.stack([0.5 / times, np.ones_like(times), times / 3.0], axis=-1)
    variances = deviations[used].reshape(len(times), -1) ** 2
    found = np.zeros((3, variances.shape[1]))
    for index, variance in enumerate(variances.T):
        if variance.any():
            weights = np.sqrt(seconds / times) / variance
            # of about one size, which the solver's tolerance is made for
            sizes = np.linalg.norm(shapes * weights[:, None], axis=0)
            found[:, index] = nnls(shapes * weights[:, None] / sizes, variance * weights)[0] / sizes
    return NoiseFigures(*np.sqrt(found).reshape(3, *deviations.shape[1:]))


def at_rest(spec: TriadSpec, rate_hz: float, seconds: float, *, units: int = 1, seed: int = 0) -> Float64:
    """(N, units, 3) what triads of this kind read when there is nothing to sense, at a constant temperature."""
    triad = Triad(spec, [f"unit_{number}" for number in range(units)], rate_hz, [seed])
    count, block = round(seconds * rate_hz), 8192
    parts = [min(block, count - start) for start in range(0, count, block)]
    return np.concatenate([triad.apply(np.zeros((part, units, 3)), np.zeros(part)) for part in parts])


def pooled(deviations: Float64) -> Float64:
    """(K,) the root mean square of the deviations (K, ...) of sensors of one kind."""
    result: Float64 = np.sqrt(np.mean(deviations.reshape(len(deviations), -1) ** 2, axis=1))
    return result


def angle_random_walk(noise_density: float) -> float:
    """What one sums up per root of a second of a noise of this one-sided density: a root of 2 less."""
    return noise_density / math.sqrt(2.0)


def _steps(count: int, rate_hz: float) -> list[int]:
    octaves = math.log2(max(1.0, count / _FEWEST_AVERAGES))
    steps = 2.0 ** np.arange(0.0, octaves + 1e-9, 1.0 / _PER_OCTAVE)
    return sorted({round(step) for step in steps})
