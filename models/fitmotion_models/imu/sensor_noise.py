"""What one kind of sensor adds to what it senses, block after block: its errors, noise, low-pass and steps.

The noise is that of IEEE Std 952-1997, appendix C: white noise, bias instability and rate random walk.
"""

import math
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.imu.sensor_spec import TriadSpec
from fitmotion_models.skeleton.rotations import Float64, from_rotvec, to_matrix

# The bias wanders slowly: it is moved so often, and stands in between.
SLOW_HZ = 10.0
# Flicker noise as a sum of Gauss-Markov processes whose time constants are a factor of 4 apart: then its Allan
# deviation is flat at the standard deviation of each of them (ln 4 = 2 ln 2), from about the shortest time constant to
# the longest.
_SHORTEST_S, _APART, _PROCESSES = 1.0, 4.0, 8
_LOOPED = 32  # up to so many samples are filtered one by one, without SciPy
NEAR_NYQUIST = 0.95  # a low-pass above this share of half the output rate is none


class Triad:
    """The accelerometers, gyroscopes or magnetometers of S units, with a memory of what has been before.

    spec: what they are like. sites: names of the units; a name's fixed errors depend on it and the seed only.
    rate_hz: of the output. seed: non-negative numbers.
    """

    def __init__(self, spec: TriadSpec, sites: Sequence[str], rate_hz: float, seed: Sequence[int]) -> None:
        self.spec, self._rate_hz = spec, rate_hz
        self._draw_fixed(sites, seed)
        self._white = np.random.default_rng([*seed, 1])
        self._white_sd = spec.noise_density * math.sqrt(0.5 * rate_hz)
        self._bias = _Bias(spec, len(sites), rate_hz, [*seed, 2])
        bandwidth = spec.bandwidth(rate_hz)
        self._filter = LowPass(bandwidth, rate_hz, len(sites)) if bandwidth < NEAR_NYQUIST * 0.5 * rate_hz else None

    def _draw_fixed(self, sites: Sequence[str], seed: Sequence[int]) -> None:
        """Draw every unit's own errors."""
        spec, count = self.spec, len(sites)
        draws = np.stack([np.random.default_rng([*seed, 0, zlib.crc32(s.encode())]).normal(size=30) for s in sites])
        self.offset = spec.bias * draws[:, :3]
        self._offset_drift = spec.bias_drift * draws[:, 3:6]
        self._scale_drift = spec.scale_drift * draws[:, 6:9]
        gain = spec.cross_axis * draws[:, 9:18].reshape(count, 3, 3)
        gain[:, np.arange(3), np.arange(3)] = 1.0 + spec.scale * draws[:, 18:21][:, :]
        self.matrix: Float64 = gain @ to_matrix(from_rotvec(spec.misalignment * draws[:, 21:24]))
        self._force_matrix = spec.force_sensitivity * np.stack(
            [draws[:, 24:27], draws[:, 27:30], draws[:, :3]], axis=-1
        )

    def apply(self, values: Float64, warmth: NDArray[np.float64], force: Float64 | None = None) -> Float64:
        """What is read out (M, S, 3) of true values (M, S, 3); NaN stays NaN.

        warmth: (M,) kelvin above where the biases are the data sheet's. force: (M, S, 3) the specific force that
        gyroscopes feel too.
        """
        spec = self.spec
        read = np.einsum("sij,msj->msi", self.matrix, values) + self.offset
        if warmth.any():
            degrees = warmth[:, None, None]
            read += degrees * (self._offset_drift + self._scale_drift * values)
        if force is not None and spec.force_sensitivity:
            # a force that is not known is taken as none: the angular velocity is known all the same
            read += np.einsum("sij,msj->msi", self._force_matrix, np.nan_to_num(force))
        read += self._bias.next(len(values))
        if self._white_sd:
            read += self._white_sd * self._white.standard_normal(read.shape)
        if self._filter is not None:
            read = self._filter.apply(read)
        if spec.resolution:
            read = spec.resolution * np.round(read / spec.resolution)
        if math.isfinite(spec.full_scale):
            np.clip(read, -spec.full_scale, spec.full_scale, out=read)
        result: Float64 = read
        return result

    def rest(self) -> None:
        """What was before is forgotten; the biases stay as they are."""
        if self._filter is not None:
            self._filter.forget()

    def variance(self, values: Float64, warmth: NDArray[np.float64]) -> Float64:
        """(M, S, 3) of the errors of readings over parts of this kind, about true values (M, S, 3)."""
        spec = self.spec
        nyquist = 0.5 * self._rate_hz
        band = min(nyquist, BUTTERWORTH_NOISE_BAND * spec.bandwidth(self._rate_hz)) if self._filter else nyquist
        squares = values * values
        others = squares.sum(axis=-1, keepdims=True) - squares
        degrees = (warmth * warmth)[:, None, None]
        result: Float64 = (
            spec.noise_density**2 * band
            + spec.resolution**2 / 12.0
            + spec.bias**2
            + _PROCESSES * spec.bias_instability**2
            + degrees * (spec.bias_drift**2 + spec.scale_drift**2 * squares)
            + spec.scale**2 * squares
            + (spec.cross_axis**2 + spec.misalignment**2) * others
        )
        return result


# the equivalent noise band of a Butterworth low-pass of order 2, in units of its cut-off: (pi / 4) / sin(pi / 4)
BUTTERWORTH_NOISE_BAND = (math.pi / 4.0) / math.sin(math.pi / 4.0)


class _Bias:
    """How the zero offsets (S, 3) wander: bias instability and random walk."""

    def __init__(self, spec: TriadSpec, sites: int, rate_hz: float, seed: Sequence[int]) -> None:
        self._every = max(1, round(rate_hz / SLOW_HZ))
        step_s = self._every / rate_hz
        self._random = np.random.default_rng(seed)
        self._keep = np.exp(-step_s / (_SHORTEST_S * _APART ** np.arange(_PROCESSES)))[:, None, None]
        self._push = spec.bias_instability * np.sqrt(1.0 - self._keep**2)
        self._walk_push = spec.random_walk * math.sqrt(step_s)
        self._moves = spec.bias_instability > 0.0 or spec.random_walk > 0.0
        self._states = spec.bias_instability * self._random.standard_normal((_PROCESSES, sites, 3))
        self._walked = np.zeros((sites, 3))
        self._count = 0

    def next(self, count: int) -> Float64:
        """(count, S, 3) of the next samples, or what broadcasts to it."""
        if not self._moves or not count:
            return np.zeros((1, 1, 1))
        numbers = (self._count + np.arange(count)) // self._every
        first = (self._count - 1) // self._every if self._count else 0
        steps = int(numbers[-1]) - first
        levels = np.empty((steps + 1, *self._walked.shape))
        levels[0] = self._states.sum(axis=0) + self._walked
        for step in range(steps):
            draws = self._random.standard_normal((_PROCESSES + 1, *self._walked.shape))
            self._states = self._keep * self._states + self._push * draws[1:]
            self._walked = self._walked + self._walk_push * draws[0]
            levels[step + 1] = self._states.sum(axis=0) + self._walked
        self._count += count
        return levels[numbers - first]


class LowPass:
    """A causal Butterworth low-pass of order 2 over (M, S, 3) samples that come block after block.

    A unit that has not been seen starts at its first value, at rest.
    """

    def __init__(self, cutoff_hz: float, rate_hz: float, sites: int) -> None:
        warped = math.tan(math.pi * cutoff_hz / rate_hz)
        norm = 1.0 + math.sqrt(2.0) * warped + warped**2
        self._b0 = warped**2 / norm
        self._a1, self._a2 = 2.0 * (warped**2 - 1.0) / norm, (1.0 - math.sqrt(2.0) * warped + warped**2) / norm
        # the memory of an input of 1 that has always been
        second = self._b0 - self._a2
        self._at_rest = np.array([2.0 * self._b0 - self._a1 + second, second])
        self._memory = np.full((2, sites, 3), np.nan)

    def apply(self, values: Float64) -> Float64:
        """The filtered samples."""
        if len(values) <= _LOOPED:
            return np.stack([self._step(value) for value in values]) if len(values) else values
        seen: NDArray[np.bool_] = np.asarray(np.isfinite(values).all(axis=-1))
        result = np.full_like(values, np.nan)
        for site in range(values.shape[1]):
            edges = np.flatnonzero(np.diff(np.concatenate([[False], seen[:, site], [False]])))
            for start, end in zip(edges[::2], edges[1::2], strict=True):
                result[start:end, site] = self._run(values[start:end, site], site, start == 0)
            if not seen[-1, site]:
                self._memory[:, site] = np.nan
        return result

    def forget(self) -> None:
        """Start at the next values, at rest."""
        self._memory.fill(np.nan)

    def _run(self, values: Float64, site: int, goes_on: bool) -> Float64:
        from scipy.signal import lfilter

        memory = self._memory[:, site]
        if not goes_on or np.isnan(memory).any():
            memory = self._at_rest[:, None] * values[0]
        numerator = self._b0 * np.array([1.0, 2.0, 1.0])
        filtered, self._memory[:, site] = lfilter(numerator, (1.0, self._a1, self._a2), values, axis=0, zi=memory)
        return filtered

    def _step(self, value: Float64) -> Float64:
        first, second = self._memory
        fresh = np.isnan(first)
        first = np.where(fresh, self._at_rest[0] * value, first)
        second = np.where(fresh, self._at_rest[1] * value, second)
        filtered = self._b0 * value + first
        self._memory = np.stack(
            [2.0 * self._b0 * value - self._a1 * filtered + second, self._b0 * value - self._a2 * filtered]
        )
        return filtered
