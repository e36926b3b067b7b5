"""Orientation from what inertial sensors read: the filter of Laidig and Seel 2023 (VQF), for many sensors at once.

D. Laidig, T. Seel, "VQF: Highly accurate IMU orientation estimation with bias estimation and magnetic disturbance
rejection", Information Fusion 91, 2023. Here without their rejection of magnetic disturbances.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.imu.orientation_bias import BiasEstimate, FirstAveraged
from fitmotion_models.imu.specific_force import STANDARD_GRAVITY
from fitmotion_models.imu.values import MAX_GAP_S, ImuRecording
from fitmotion_models.skeleton.rotations import Float64, conjugate, from_rotvec, multiply

# the paper's time constants (table 2): how fast gravity corrects the inclination, and the magnetic field the heading
TAU_FORCE_S = 3.0
TAU_FIELD_S = 9.0
# of the gyroscopes' white noise, one-sided, (rad/s) / sqrt(Hz): that of common parts, 0.007 degrees per second
USUAL_RATE_NOISE = 1.2e-4
_SPREAD_MEMORY_S = 10.0  # of how far force and field stray from what they should be
# what wearers push sensors by in walking, g, counted as half a second of readings; and for how long into one direction
_USUAL_PUSH, _USUAL_S, _PUSHED_S = 0.3, 0.5, 0.2


@dataclass(frozen=True, eq=False)
class Orientations:
    """How S sensors are turned at M instants, as they know it themselves; NaN where they have not read anything.

    rotations: (M, S, 4) unit quaternions xyzw, sensor to world. covariance: (M, S, 3, 3) rad2, of small turns about the
    world's axes: what is known of the gyroscopes' noise and bias, and of how far force and field stray.
    """

    rotations: Float64
    covariance: Float64


class OrientationFilter:
    """Orientations of S sensors from their own readings, block after block; every sample costs the same.

    Inclination is from gravity. Heading is what a magnetometer says, or without one what it was at the start: then it
    drifts. A sensor that has read nothing for `MAX_GAP_S` seconds starts again; shorter holes are gone over with the
    last angular velocity.

    sites: how many sensors. rate_hz: of the readings. north: horizontal direction of the magnetic field in the world,
    (2,); needed where a field is given. rate_noise_density: of the gyroscopes, one-sided.
    Raises ValueError: a rate that is not positive, or so low that the filter has no time.
    """

    def __init__(
        self,
        sites: int,
        rate_hz: float,
        *,
        north: tuple[float, float] | None = None,
        rate_noise_density: float = USUAL_RATE_NOISE,
    ) -> None:
        if not (math.isfinite(rate_hz) and rate_hz >= 2.0 / TAU_FORCE_S):
            raise ValueError(f"rate_hz={rate_hz} is too low for an orientation; give {2.0 / TAU_FORCE_S:.1f} or more")
        self._step_s, self._sites = 1.0 / rate_hz, sites
        self._north = None if north is None else math.atan2(north[1], north[0])
        self._walk = 0.5 * rate_noise_density**2  # rad2/s of the angle that one sums up
        self._field_gain = -math.expm1(-self._step_s / TAU_FIELD_S)
        self._spread_gain = -math.expm1(-self._step_s / _SPREAD_MEMORY_S)
        self._bias = BiasEstimate(sites, rate_hz, TAU_FORCE_S)
        self._force = FirstAveraged(TAU_FORCE_S, rate_hz, (sites, 3))
        self._turned = np.empty((sites, 4))  # by the gyroscopes alone
        self._inclined = np.empty((sites, 4))  # what gravity corrects
        self._heading = np.empty(sites)
        self._first_field = np.empty(sites)
        # variances: of the smooth force and, last, of the force as read (g2), of the heading; between them the standard
        # deviation and variance of a heading that drifts
        self._spreads = np.empty((5, sites))
        self._elapsed = np.empty(sites)  # seconds since a sensor started
        self._latest = np.empty((2, sites, 3))  # force and angular velocity, which stand in for those that are lost
        self._started = np.zeros(sites, dtype=bool)
        self._away_s = np.full(sites, math.inf)  # since the last reading
        self._forget(~self._started)

    def update(
        self, force: Float64, rate: Float64, field: Float64 | None = None, start: Float64 | None = None
    ) -> Orientations:
        """Take the next readings.

        force: (M, S, 3) m/s2, rate: (M, S, 3) rad/s, field: (M, S, 3) tesla or of any unit, in the sensors' frames.
        start: (M, S, 4) rotations whose headings sensors begin with; without it, 0 is where they first point.
        """
        count = len(force)
        rotations = np.empty((count, self._sites, 4))
        covariance = np.zeros((count, self._sites, 3, 3))
        for index in range(count):
            seen = self._hold(force[index], rate[index])
            beginning = seen & ~self._started
            if beginning.any():
                self._forget(beginning)
            turned = self._take()
            if beginning.any():
                self._started |= beginning
                if start is not None:
                    self._align(beginning, turned, start[index])
            if field is not None:
                self._take_field(field[index], turned, seen)
            rotations[index] = self._output(turned)
            covariance[index, :, _DIAGONAL, _DIAGONAL] = self._variances(field is not None)
            if not seen.all():
                rotations[index, ~seen] = covariance[index, ~seen] = np.nan
        return Orientations(rotations, covariance)

    # ---- steps ----

    def _hold(self, force: Float64, rate: Float64) -> NDArray[np.bool_]:
        """Keep what has been read; which sensors (S,) have read something."""
        seen: NDArray[np.bool_] = np.asarray(np.isfinite(force + rate).all(axis=-1))
        if seen.all():
            self._latest[0], self._latest[1] = force, rate
            self._away_s.fill(0.0)
            return seen
        self._latest[0, seen], self._latest[1, seen] = force[seen], rate[seen]
        self._away_s = np.where(seen, 0.0, self._away_s + self._step_s)
        self._started[self._away_s > MAX_GAP_S] = False
        return seen

    def _forget(self, sites: NDArray[np.bool_]) -> None:
        """Start again for some sensors."""
        self._turned[sites] = self._inclined[sites] = (0.0, 0.0, 0.0, 1.0)
        self._heading[sites], self._first_field[sites], self._elapsed[sites] = 0.0, 1.0, 0.0
        self._spreads[:, sites], self._spreads[4, sites] = 0.0, _USUAL_PUSH**2
        self._latest[:, sites & (self._away_s > 0.0)] = ((0.0, 0.0, STANDARD_GRAVITY),), ((0.0, 0.0, 0.0),)
        self._force.forget(sites)
        self._bias.forget(sites)

    def _take(self) -> Float64:
        """(S, 4) by gyroscopes and gravity, heading as it was at the start."""
        force, rate = self._latest
        self._turned = _unit(_multiply(self._turned, from_rotvec((rate - self._bias.value) * self._step_s)))
        smooth = self._force.take(_times(_matrices(self._turned), force))
        up = _times(_matrices(self._inclined), smooth)
        length = np.sqrt(np.einsum("si,si->s", up, up))
        up /= length[:, None] + _TINY
        self._inclined = _unit(_multiply(_upright(up), self._inclined))
        turned = _multiply(self._inclined, self._turned)
        self._bias.take(force, rate, up, _matrices(turned))
        stray = length / STANDARD_GRAVITY - 1.0
        push = np.sqrt(np.einsum("si,si->s", force, force)) / STANDARD_GRAVITY - 1.0
        self._elapsed += self._step_s
        gain = np.maximum(self._spread_gain, self._step_s / (self._elapsed + _USUAL_S))
        self._spreads[0] += self._spread_gain * (stray * stray - self._spreads[0])
        self._spreads[4] += gain * (push * push - self._spreads[4])
        return turned

    def _take_field(self, field: Float64, turned: Float64, seen: NDArray[np.bool_]) -> None:
        """Correct the heading: at first by averages, then with the time constant."""
        if self._north is None:
            raise ValueError("a magnetic field is given, and no direction of it in the world; give north")
        seen = seen & np.isfinite(field).all(axis=-1)
        level = _times(_matrices(turned), np.where(seen[:, None], field, 1.0))
        error = self._north - np.arctan2(level[:, 1], level[:, 0]) - self._heading
        error = (error + math.pi) % (2.0 * math.pi) - math.pi
        gain = np.maximum(self._field_gain, self._first_field)
        self._first_field = np.where(seen, self._first_field / (self._first_field + 1.0), self._first_field)
        self._heading += np.where(seen, gain * error, 0.0)
        self._spreads[1] += np.where(seen, self._spread_gain * (error * error - self._spreads[1]), 0.0)

    def _align(self, sites: NDArray[np.bool_], turned: Float64, start: Float64) -> None:
        """Set the headings of some sensors to those of rotations (S, 4)."""
        # the part about the vertical of the turn from one to the other
        between = multiply(start, conjugate(turned))
        heading = 2.0 * np.arctan2(between[:, 2], between[:, 3])
        self._heading = np.where(sites & np.isfinite(heading), heading, self._heading)

    # ---- results ----

    def _output(self, turned: Float64) -> Float64:
        heading = np.zeros((self._sites, 4))
        np.sin(0.5 * self._heading, out=heading[:, 2])
        np.cos(0.5 * self._heading, out=heading[:, 3])
        return _multiply(heading, turned)

    def _variances(self, with_field: bool) -> Float64:
        """(3, S) about the world's axes, rad2."""
        bias = self._bias.variance
        # what is averaged over has pushed the sensor this way and that way
        averaged = _PUSHED_S / (_PUSHED_S + np.minimum(self._elapsed, TAU_FORCE_S))
        inclination = bias * TAU_FORCE_S**2 + self._walk * 0.5 * TAU_FORCE_S
        inclination += self._spreads[0] + averaged * self._spreads[4]
        if with_field:
            heading = bias * TAU_FIELD_S**2 + self._walk * 0.5 * TAU_FIELD_S + self._spreads[1]
        else:
            self._spreads[2] += np.sqrt(bias) * self._step_s
            self._spreads[3] += self._walk * self._step_s
            heading = inclination + self._spreads[2] ** 2 + self._spreads[3]
        return np.stack([inclination, inclination, heading])


def orientations(
    recording: ImuRecording, *, north: tuple[float, float] | None = None, rate_noise_density: float = USUAL_RATE_NOISE
) -> Orientations:
    """What the sensors of a recording know of their orientation; they start with the true heading.

    north: use the recording's magnetic field, whose horizontal direction in the world this is.
    """
    filters = OrientationFilter(
        len(recording.sites), recording.rate_hz, north=north, rate_noise_density=rate_noise_density
    )
    field = None if north is None else recording.magnetic_field
    return filters.update(recording.specific_force, recording.angular_velocity, field, start=recording.rotations)


def _upright(up: Float64) -> Float64:
    """(S, 4) the shortest turns that take unit vectors (S, 3) to the vertical."""
    turn = np.zeros((len(up), 4))
    turn[:, 0], turn[:, 1], turn[:, 3] = up[:, 1], -up[:, 0], 1.0 + up[:, 2]
    turn[turn[:, 3] < _TINY, 0] = 1.0  # upside down: any horizontal axis will do
    return _unit(turn)


# ---- quaternions: what skeleton.rotations does, in a few calls for arrays that are small ----

_DIAGONAL = [0, 1, 2]
_TINY = 1e-12
# (16, 4) and (16, 9): the entries of a product and of a rotation matrix are sums of products of two components
_ONES = np.eye(4)
_PRODUCT: Float64 = multiply(_ONES[:, None], _ONES).reshape(16, 4)
# column k of a rotation matrix is the vector part of q k q*
_TO_MATRIX: Float64 = np.swapaxes(
    multiply(multiply(_ONES[:, None, None], _ONES[:3]), conjugate(_ONES)[:, None])[..., :3], -1, -2
).reshape(16, 9)


def _multiply(a: Float64, b: Float64) -> Float64:
    result: Float64 = (a[:, :, None] * b[:, None, :]).reshape(-1, 16) @ _PRODUCT
    return result


def _matrices(q: Float64) -> Float64:
    result: Float64 = ((q[:, :, None] * q[:, None, :]).reshape(-1, 16) @ _TO_MATRIX).reshape(-1, 3, 3)
    return result


def _times(matrices: Float64, vectors: Float64) -> Float64:
    result: Float64 = (matrices @ vectors[:, :, None])[:, :, 0]
    return result


def _unit(q: Float64) -> Float64:
    result: Float64 = q / np.sqrt(np.einsum("si,si->s", q, q))[:, None]
    return result
