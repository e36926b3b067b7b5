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
from fitmotion_models.skeleton.rotations import Float64, from_rotvec, multiply, normalize, rotate, to_matrix

# the paper's time constants (table 2): how fast gravity corrects the inclination, and the magnetic field the heading
TAU_FORCE_S = 3.0
TAU_FIELD_S = 9.0
# of the gyroscopes' white noise, one-sided, (rad/s) / sqrt(Hz): that of common parts, 0.007 degrees per second
USUAL_RATE_NOISE = 1.2e-4
_SPREAD_MEMORY_S = 10.0  # of how far force and field stray from what they should be


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
        self._turned = np.tile((0.0, 0.0, 0.0, 1.0), (sites, 1))  # by the gyroscopes alone
        self._inclined = self._turned.copy()  # what gravity corrects
        self._heading = np.zeros(sites)
        self._started = np.zeros(sites, dtype=bool)
        self._away_s = np.zeros(sites)  # since the last reading
        self._rate = np.zeros((sites, 3))
        self._first_field = np.ones(sites)
        self._spreads = np.zeros((3, sites))  # variances: of the force, of the heading; and the sd of a drifted heading
        self._walked = np.zeros(sites)

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
            seen = np.isfinite(force[index]).all(axis=-1) & np.isfinite(rate[index]).all(axis=-1)
            self._restart(seen)
            beginning = seen & ~self._started
            turned = self._take(force[index], rate[index], seen)
            if beginning.any():
                if start is not None:
                    self._align(beginning, turned, start[index])
                self._started |= beginning
            if field is not None:
                self._take_field(field[index], turned, seen)
            rotations[index] = np.where(seen[:, None], self._output(turned), np.nan)
            spread = np.where(seen[:, None], self._variances(field is not None), np.nan)
            covariance[index][:, [0, 1, 2], [0, 1, 2]] = spread
        return Orientations(rotations, covariance)

    # ---- steps ----

    def _restart(self, seen: NDArray[np.bool_]) -> None:
        """Forget what sensors knew that have been away for long."""
        self._away_s = np.where(seen, 0.0, self._away_s + self._step_s)
        lost = self._started & (self._away_s > MAX_GAP_S)
        if lost.any():
            self._turned[lost] = self._inclined[lost] = (0.0, 0.0, 0.0, 1.0)
            self._heading[lost], self._rate[lost], self._walked[lost] = 0.0, 0.0, 0.0
            self._spreads[:, lost], self._first_field[lost] = 0.0, 1.0
            self._force.forget(lost)
            self._bias.forget(lost)
            self._started[lost] = False

    def _take(self, force: Float64, rate: Float64, seen: NDArray[np.bool_]) -> Float64:
        """(S, 4) by gyroscopes and gravity, heading as it was at the start."""
        here = seen[:, None]
        self._rate = np.where(here, rate, self._rate)
        self._bias.take_rate(self._rate, seen)
        steps = from_rotvec((self._rate - self._bias.value) * self._step_s)
        self._turned = normalize(multiply(self._turned, steps))
        smooth = self._force.take(rotate(self._turned, np.where(here, force, 0.0)), seen)
        up = normalize(rotate(self._inclined, smooth))
        up = np.where(here & np.isfinite(up), up, (0.0, 0.0, 1.0))
        self._inclined = normalize(multiply(_upright(up), self._inclined))
        turned = multiply(self._inclined, self._turned)
        self._bias.take_force(force, up, to_matrix(turned), seen)
        length = np.sqrt(np.sum(smooth * smooth, axis=-1)) / STANDARD_GRAVITY - 1.0
        self._spreads[0] += np.where(seen, self._spread_gain * (length * length - self._spreads[0]), 0.0)
        return turned

    def _take_field(self, field: Float64, turned: Float64, seen: NDArray[np.bool_]) -> None:
        """Correct the heading: at first by averages, then with the time constant."""
        if self._north is None:
            raise ValueError("a magnetic field is given, and no direction of it in the world; give north")
        seen = seen & np.isfinite(field).all(axis=-1)
        level = rotate(turned, np.where(seen[:, None], field, 1.0))
        error = self._north - np.arctan2(level[:, 1], level[:, 0]) - self._heading
        error = (error + math.pi) % (2.0 * math.pi) - math.pi
        gain = np.maximum(self._field_gain, self._first_field)
        self._first_field = np.where(seen, self._first_field / (self._first_field + 1.0), self._first_field)
        self._heading += np.where(seen, gain * error, 0.0)
        self._spreads[1] += np.where(seen, self._spread_gain * (error * error - self._spreads[1]), 0.0)

    def _align(self, sites: NDArray[np.bool_], turned: Float64, start: Float64) -> None:
        """Set the headings of some sensors to those of rotations (S, 4)."""
        # the part about the vertical of the turn from one to the other
        between = multiply(start, turned * (-1.0, -1.0, -1.0, 1.0))
        heading = 2.0 * np.arctan2(between[:, 2], between[:, 3])
        self._heading = np.where(sites & np.isfinite(heading), heading, self._heading)

    # ---- results ----

    def _output(self, turned: Float64) -> Float64:
        half = 0.5 * self._heading
        zero = np.zeros_like(half)
        return multiply(np.stack([zero, zero, np.sin(half), np.cos(half)], axis=-1), turned)

    def _variances(self, with_field: bool) -> Float64:
        """(S, 3) about the world's axes, rad2."""
        bias = self._bias.variance
        inclination = bias * TAU_FORCE_S**2 + self._walk * 0.5 * TAU_FORCE_S + self._spreads[0]
        if with_field:
            heading = bias * TAU_FIELD_S**2 + self._walk * 0.5 * TAU_FIELD_S + self._spreads[1]
        else:
            self._spreads[2] += np.sqrt(bias) * self._step_s
            self._walked += self._walk * self._step_s
            heading = inclination + self._spreads[2] ** 2 + self._walked
        return np.stack([inclination, inclination, heading], axis=-1)


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
    w = np.sqrt(np.maximum(0.0, 0.5 * (up[:, 2] + 1.0)))
    safe = np.where(w > 1e-6, w, 1.0)
    upside_down = np.array([1.0, 0.0, 0.0, 0.0])
    turn = np.stack([0.5 * up[:, 1] / safe, -0.5 * up[:, 0] / safe, np.zeros_like(w), w], axis=-1)
    return np.where((w > 1e-6)[:, None], turn, upside_down)
