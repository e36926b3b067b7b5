"""What orientation filters need beside: a low-pass that starts with averages, and the gyroscopes' bias.

The bias is estimated as in Laidig and Seel 2023, sections 3.3 and 3.4: at rest it is what is read; in motion it is what
gravity has to correct again and again.
"""

import math

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.skeleton.rotations import Float64

_DEGREE = math.pi / 180.0
# the paper's table 2; the bias in rad/s
_SIGMA_START = 0.5 * _DEGREE
_SIGMA_MOTION = 0.1 * _DEGREE
_SIGMA_REST = 0.03 * _DEGREE
_FORGETTING_S = 100.0
_VERTICAL_SHARE = 1e-4
_MOST = 2.0 * _DEGREE
_REST_S, _REST_FILTER_S = 1.5, 0.5
_REST_RATE, _REST_FORCE = 2.0 * _DEGREE, 0.5  # rad/s, m/s2
_FORGOTTEN = 0.1 * _DEGREE  # what the standard deviation grows to in the forgetting time


class FirstAveraged:
    """A Butterworth low-pass of order 2 for arrays of one shape (S, ...), whose first tau seconds are averages."""

    def __init__(self, tau_s: float, rate_hz: float, shape: tuple[int, ...]) -> None:
        warped = math.tan(min(0.49 * math.pi, math.sqrt(2.0) / (2.0 * tau_s * rate_hz)))
        norm = 1.0 + math.sqrt(2.0) * warped + warped**2
        self._b0 = warped**2 / norm
        self._a1, self._a2 = 2.0 * (warped**2 - 1.0) / norm, (1.0 - math.sqrt(2.0) * warped + warped**2) / norm
        self._enough = max(1, math.ceil(tau_s * rate_hz - 1e-9))
        self._count = np.zeros(shape[0], dtype=np.int64)
        self._first, self._second = np.zeros(shape), np.zeros(shape)  # the sum at first, then the filter's memory
        self.value: Float64 = np.zeros(shape)

    def take(self, values: Float64, seen: NDArray[np.bool_]) -> Float64:
        """The smoothed values (S, ...); those not seen (S,) stay as they are."""
        wide = (..., *[None] * (values.ndim - 1))
        ready = self._count >= self._enough
        filtered = self._b0 * values + self._first
        first = 2.0 * self._b0 * values - self._a1 * filtered + self._second
        second = self._b0 * values - self._a2 * filtered
        if not ready.all():
            count = self._count + 1
            total = self._first + values
            mean = total / count[wide]
            starts = (count >= self._enough)[wide]
            new = ~ready[wide]
            filtered = np.where(new, mean, filtered)
            first = np.where(new, np.where(starts, mean * (1.0 - self._b0), total), first)
            second = np.where(new, np.where(starts, mean * (self._b0 - self._a2), 0.0), second)
        if seen.all():
            self.value, self._first, self._second = filtered, first, second
        else:
            mask = seen[wide]
            self.value = np.where(mask, filtered, self.value)
            self._first, self._second = np.where(mask, first, self._first), np.where(mask, second, self._second)
        self._count += seen
        return self.value

    def forget(self, sites: NDArray[np.bool_]) -> None:
        """Start again for some."""
        self._count[sites] = 0
        self._first[sites] = self._second[sites] = self.value[sites] = 0.0


class BiasEstimate:
    """The biases (S, 3) of gyroscopes, rad/s, and how well they are known: a Kalman filter for each sensor."""

    def __init__(self, sites: int, rate_hz: float, tau_s: float) -> None:
        self._step_s = 1.0 / rate_hz
        self._growth = _FORGOTTEN**2 * self._step_s / _FORGETTING_S
        motion, rest = (self._noise(sigma) for sigma in (_SIGMA_MOTION, _SIGMA_REST))
        self._motion = np.array([motion, motion, motion / _VERTICAL_SHARE])
        self._rest = np.full(3, rest)
        self.value: Float64 = np.zeros((sites, 3))
        self._covariance = np.tile(_SIGMA_START**2 * np.eye(3), (sites, 1, 1))
        self._rest_rate = FirstAveraged(_REST_FILTER_S, rate_hz, (sites, 3))
        self._rest_force = FirstAveraged(_REST_FILTER_S, rate_hz, (sites, 3))
        self._matrix = FirstAveraged(tau_s, rate_hz, (sites, 3, 3))
        self._level_bias = FirstAveraged(tau_s, rate_hz, (sites, 2))
        self._rest_s = np.zeros(sites)

    def _noise(self, sigma: float) -> float:
        """The measurement's variance at which the filter settles at sigma."""
        variance = sigma**2
        return variance**2 / self._growth + variance

    @property
    def variance(self) -> Float64:
        """(S,) of one axis, (rad/s)2."""
        result: Float64 = np.trace(self._covariance, axis1=-2, axis2=-1) / 3.0
        return result

    @property
    def resting(self) -> NDArray[np.bool_]:
        """(S,) which sensors are at rest."""
        return self._rest_s >= _REST_S

    def forget(self, sites: NDArray[np.bool_]) -> None:
        """Start again for some; what is known of their biases stays."""
        for each in (self._rest_rate, self._rest_force, self._matrix, self._level_bias):
            each.forget(sites)
        self._rest_s[sites] = 0.0

    def take_rate(self, rate: Float64, seen: NDArray[np.bool_]) -> None:
        """Look at angular velocities (S, 3) for rest."""
        smooth = self._rest_rate.take(rate, seen)
        stray = rate - smooth
        moving = (np.sum(stray * stray, axis=-1) >= _REST_RATE**2) | (np.abs(smooth) > _MOST).any(axis=-1)
        self._rest_s = np.where(moving & seen, 0.0, self._rest_s)

    def take_force(self, force: Float64, up: Float64, matrix: Float64, seen: NDArray[np.bool_]) -> None:
        """Take what gravity has just corrected.

        force: (S, 3) as read. up: (S, 3) where it pointed before the correction. matrix: (S, 3, 3) sensor to world.
        """
        smooth = self._rest_force.take(force, seen)
        stray = force - smooth
        moving = np.sum(stray * stray, axis=-1) >= _REST_FORCE**2
        self._rest_s = np.where(seen, np.where(moving, 0.0, self._rest_s + self._step_s), self._rest_s)
        average = self._matrix.take(matrix, seen)
        level = self._level_bias.take((matrix @ self.value[..., None])[..., :2, 0], seen)
        seen_bias = (average @ self.value[..., None])[..., 0]
        wrong = np.stack(
            [
                level[:, 0] - seen_bias[:, 0] - up[:, 1] / self._step_s,
                level[:, 1] - seen_bias[:, 1] + up[:, 0] / self._step_s,
                -seen_bias[:, 2],
            ],
            axis=-1,
        )
        resting = self.resting
        wrong = np.where(resting[:, None], self._rest_rate.value - self.value, wrong)
        observed = np.where(resting[:, None, None], np.eye(3), average)
        noise = np.where(resting[:, None], self._rest, self._motion)
        self._correct(np.clip(wrong, -_MOST, _MOST), observed, noise, seen)

    def _correct(self, wrong: Float64, observed: Float64, noise: Float64, seen: NDArray[np.bool_]) -> None:
        covariance = self._covariance
        diagonal = covariance[:, [0, 1, 2], [0, 1, 2]]
        grown = covariance + (np.where(diagonal < _SIGMA_START**2, self._growth, 0.0))[..., None] * np.eye(3)
        across = grown @ np.swapaxes(observed, -1, -2)
        gain = across @ np.linalg.inv(observed @ across + noise[..., None] * np.eye(3))
        value = np.clip(self.value + (gain @ wrong[..., None])[..., 0], -_MOST, _MOST)
        self.value = np.where(seen[:, None], value, self.value)
        self._covariance = np.where(seen[:, None, None], grown - gain @ observed @ grown, covariance)
