"""The One Euro filter (Casiez, Roussel, Vogel 2012), for arrays, with real stamps and missing values."""

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class OneEuroFilter:
    """Low-pass filter whose cut-off rises with speed: still landmarks rest, fast ones hardly lag.

    minimum_cutoff_hz: cut-off at rest. speed_coefficient: Hz a unit of speed (for metres: Hz per m/s).
    derivative_cutoff_hz: cut-off of the speed estimate.
    """

    def __init__(self, minimum_cutoff_hz: float, speed_coefficient: float, derivative_cutoff_hz: float = 1.0) -> None:
        if minimum_cutoff_hz <= 0 or derivative_cutoff_hz <= 0 or speed_coefficient < 0:
            raise ValueError(
                f"One Euro filter needs positive cut-offs and a speed coefficient >= 0; got {minimum_cutoff_hz}, "
                f"{derivative_cutoff_hz}, {speed_coefficient}"
            )
        self._minimum = minimum_cutoff_hz
        self._coefficient = speed_coefficient
        self._derivative_cutoff = derivative_cutoff_hz
        self.reset()

    def reset(self) -> None:
        """Forget the past."""
        self._stamp: float | None = None
        self._value: Array | None = None
        self._speed: Array | None = None

    def __call__(self, value: Array, stamp: float) -> Array:
        """Filter one sample (..., D); speed is the norm over the last axis. A row with NaN starts anew when seen."""
        value = np.asarray(value, dtype=np.float64)
        if self._value is None or self._speed is None or self._stamp is None or stamp <= self._stamp:
            self._stamp, self._value, self._speed = stamp, value.copy(), np.zeros_like(value)
            return value
        interval = stamp - self._stamp
        known = np.isfinite(self._value).all(-1, keepdims=True)
        speed = np.where(known, (value - self._value) / interval, 0.0)
        blend = _smoothing(self._derivative_cutoff, interval)
        self._speed = np.where(np.isfinite(speed), blend * speed + (1 - blend) * self._speed, 0.0)
        cutoff = self._minimum + self._coefficient * np.linalg.norm(self._speed, axis=-1, keepdims=True)
        factor = np.where(known, _smoothing(cutoff, interval), 1.0)
        previous = np.where(known, self._value, 0.0)
        self._value = factor * value + (1 - factor) * previous
        self._stamp = stamp
        return self._value


def _smoothing(cutoff_hz: float | Array, interval_s: float) -> float | Array:
    """The share of the new sample in an exponential filter of that cut-off."""
    ratio = 2.0 * math.pi * cutoff_hz * interval_s
    return ratio / (ratio + 1.0)
