"""A quintic smoothing spline over a short window of uneven samples, as weights on the samples.

The spline minimises the sum of squared residuals plus `smoothness` times the integral of the squared third derivative
(Schoenberg 1964; Wahba, Spline Models for Observational Data, 1990). On even samples its response is
1 / (1 + (f / cutoff)^6), that of a Butterworth filter of order 3 run forward and backward. Its values and derivatives
at any time are weighted sums of the samples, so that the samples' noise propagates exactly.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.skeleton.rotations import Float64

FEWEST = 4  # samples: the spline's parabola and one more
_MEMORY = 10.0  # the spline forgets as exp(-frequency * age / 2): what is this far off over the frequency counts 1 %
_DERIVATIVES = 3  # value, first and second


@dataclass(frozen=True, eq=False)
class WindowWeights:
    """What a window's samples count.

    samples: (3, M, N) weights of the N samples in the value, first and second derivative at M times; units 1, 1/s and
    1/s2. residuals: (N, N): the samples' residuals from the spline are `residuals @ values`. freedom: how many degrees
    of freedom the residuals have: their squares' sum over it is the variance of the noise.
    """

    samples: Float64
    residuals: Float64
    freedom: float

    def noise_gain(self) -> Float64:
        """(3, M) variances of value and derivatives by noise of variance 1 that is new in every sample."""
        gain: Float64 = np.sum(self.samples * self.samples, axis=-1)
        return gain

    def slow_noise_gain(self, stamps: NDArray[np.float64], correlation_s: float) -> Float64:
        """(3, M) variances by noise of variance 1 that stays for a while, with the Matern-3/2 correlation.

        stamps: (N,) of the samples, seconds. The correlation is (1 + t / c) exp(-t / c), c = correlation_s.
        """
        apart = np.abs(stamps[:, None] - stamps) * (1.0 / correlation_s)
        gain: Float64 = np.sum((self.samples @ ((1.0 + apart) * np.exp(-apart))) * self.samples, axis=-1)
        return gain


def memory_s(cutoff_hz: float) -> float:
    """How far from a time samples matter to the spline there, seconds."""
    return _MEMORY / (2.0 * np.pi * cutoff_hz)


def window_weights(stamps: NDArray[np.float64], times: NDArray[np.float64], cutoff_hz: float) -> WindowWeights:
    """The weights of samples at `stamps` (N,), at least `FEWEST` and rising, in the spline at `times` (M,), seconds."""
    frequency = 2.0 * np.pi * cutoff_hz
    origin = 0.5 * (stamps[0] + stamps[-1])
    # in units of the cut-off's period over 2 pi all numbers are of the order of 1
    knots, wanted = (stamps - origin) * frequency, (times - origin) * frequency
    count = len(knots)
    # the noise of a sample is as that of the mean over its step, so that the cut-off does not hang on the frame rate
    smoothness = 1.0 / float(np.sort(np.diff(knots))[(count - 1) // 2])  # the median step
    system = np.zeros((count + 3, count + 3))
    system[:count, :count] = _kernel(knots[:, None] - knots)[0]
    system[range(count), range(count)] += smoothness
    system[:count, count:] = _parabola(knots)[0]
    system[count:, :count] = system[:count, count:].T
    inverse = np.linalg.inv(system)
    right = np.concatenate([_kernel(wanted[:, None] - knots), _parabola(wanted)], axis=-1)
    solved = right @ inverse  # the inverse is symmetric
    scale = frequency ** np.arange(_DERIVATIVES)
    residuals = np.asarray(smoothness * inverse[:count, :count], dtype=np.float64)
    return WindowWeights(
        samples=scale[:, None, None] * solved[..., :count],
        residuals=residuals,
        freedom=float(np.trace(residuals)),
    )


def _kernel(difference: Float64) -> Float64:
    """(3, ...) the spline's radial function -|d|^5 / 240 and its derivatives."""
    size = np.abs(difference)
    cube = size**3
    return np.stack([-(cube * size * size) / 240.0, -(cube * difference) / 48.0, -cube / 12.0])


def _parabola(times: Float64) -> Float64:
    """(3, M, 3) constant, line and parabola, which the spline does not smooth, and their derivatives."""
    result = np.zeros((_DERIVATIVES, len(times), 3))
    result[0, :, 0] = result[1, :, 1] = result[2, :, 2] = 1.0
    result[0, :, 1] = result[1, :, 2] = times
    result[0, :, 2] = 0.5 * times * times
    return result
