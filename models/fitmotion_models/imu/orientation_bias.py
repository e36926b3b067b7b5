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
        self._ready = False

    def take(self, values: Float64) -> Float64:
        """The smoothed values (S, ...)."""
        ready = self._ready or bool((self._count >= self._enough).all())
        filtered = self._b0 * values + self._first
        first = (2.0 * self._b0) * values - self._a1 * filtered + self._second
        second = self._b0 * values - self._a2 * filtered
        if not ready:
            wide = (..., *[None] * (values.ndim - 1))
            new = (self._count < self._enough)[wide]
            self._count += 1
            total = self._first + values
            mean = total / self._count[wide]
            starts = (self._count >= self._enough)[wide]
            filtered = np.where(new, mean, filtered)
            first = np.where(new, np.where(starts, mean * (1.0 - self._b0), total), first)
            second = np.where(new, np.where(starts, mean * (self._b0 - self._a2), 0.0), second)
        self._ready = ready
        self.value, self._first, self._second = filtered, first, second
        return filtered

    def forget(self, sites: NDArray[np.bool_]) -> None:
        """Start again for some."""
        self._ready = False
        self._count[sites] = 0
        self._first[sites] = self._second[sites] = self.value[sites] = 0.0


class BiasEstimate:
    """The biases (S, 3) of gyroscopes, rad/s, and how well they are known: a Kalman filter for each sensor."""

    def __init__(self, sites: int, rate_hz: float, tau_s: float) -> None:
        self._step_s = 1.0 / rate_hz
        self._growth = _FORGOTTEN**2 * self._step_s / _FORGETTING_S
        motion, rest = (self._noise(sigma) for sigma in (_SIGMA_MOTION, _SIGMA_REST))
        self._motion: Float64 = np.diag([motion, motion, motion / _VERTICAL_SHARE])
        self._rest: Float64 = rest * np.eye(3)
        self.value: Float64 = np.zeros((sites, 3))
        self._covariance = np.tile(_SIGMA_START**2 * np.eye(3), (sites, 1, 1))
        self._at_rest = FirstAveraged(_REST_FILTER_S, rate_hz, (sites, 2, 3))  # angular velocity and force
        self._gravity = FirstAveraged(tau_s, rate_hz, (sites, 3, 4))  # sensor to world, and the bias in the world
        self._rest_s = np.zeros(sites)

    def _noise(self, sigma: float) -> float:
        """The measurement's variance at which the filter settles at sigma."""
        variance = sigma**2
        return variance**2 / self._growth + variance

    @property
    def variance(self) -> Float64:
        """(S,) of one axis, (rad/s)2."""
        result: Float64 = np.einsum("sii->s", self._covariance) / 3.0
        return result

    def forget(self, sites: NDArray[np.bool_]) -> None:
        """Start again for some; what is known of their biases stays."""
        self._at_rest.forget(sites)
        self._gravity.forget(sites)
        self._rest_s[sites] = 0.0

    def take(self, force: Float64, rate: Float64, up: Float64, matrix: Float64) -> None:
        """Take what has been read and what gravity has just corrected.

        force and rate: (S, 3). up: (S, 3) where the force pointed before the correction. matrix: (S, 3, 3) sensor to
        world.
        """
        resting, mean_rate = self._rests(force, rate)
        world = np.concatenate([matrix, matrix @ self.value[:, :, None]], axis=-1)
        smooth = self._gravity.take(world)
        wrong = smooth[:, :, 3] - (smooth[:, :, :3] @ self.value[:, :, None])[:, :, 0]
        wrong[:, 2] -= smooth[:, 2, 3]  # gravity does not tell about the vertical: what is not to turn is assumed still
        wrong[:, 0] -= up[:, 1] / self._step_s
        wrong[:, 1] += up[:, 0] / self._step_s
        observed, noise = smooth[:, :, :3], self._motion
        if resting.any():
            wrong = np.where(resting[:, None], mean_rate - self.value, wrong)
            observed = np.where(resting[:, None, None], np.eye(3), observed)
            noise = np.where(resting[:, None, None], self._rest, noise)
        self._correct(np.clip(wrong, -_MOST, _MOST), observed, noise)

    def _rests(self, force: Float64, rate: Float64) -> tuple[NDArray[np.bool_], Float64]:
        """(S,) which sensors are at rest, and (S, 3) their mean angular velocity."""
        readings = np.stack([rate, force], axis=1)
        smooth = self._at_rest.take(readings)
        stray = readings - smooth
        squares = np.einsum("ski,ski->sk", stray, stray)
        turning = (squares[:, 0] >= _REST_RATE**2) | (np.abs(smooth[:, 0]) > _MOST).any(axis=-1)
        self._rest_s = np.where(turning, 0.0, self._rest_s) + self._step_s
        self._rest_s[squares[:, 1] >= _REST_FORCE**2] = 0.0
        return self._rest_s >= _REST_S, smooth[:, 0]

    def _correct(self, wrong: Float64, observed: Float64, noise: Float64) -> None:
        grown = self._covariance
        diagonal = grown[:, _DIAGONAL, _DIAGONAL]
        grown[:, _DIAGONAL, _DIAGONAL] = np.where(diagonal < _SIGMA_START**2, diagonal + self._growth, diagonal)
        across = grown @ np.swapaxes(observed, -1, -2)
        gain = across @ np.linalg.inv(observed @ across + noise)
        self.value = np.clip(self.value + (gain @ wrong[:, :, None])[:, :, 0], -_MOST, _MOST)
        self._covariance = grown - gain @ observed @ grown


_DIAGONAL = [0, 1, 2]
