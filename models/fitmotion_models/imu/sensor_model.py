"""From what perfect sensors would read to what real ones do: recordings at once, live samples as they come."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.imu.live import ImuSamples
from fitmotion_models.imu.sensor_clock import Losses, shifted
from fitmotion_models.imu.sensor_noise import Triad
from fitmotion_models.imu.sensor_spec import SensorSpec
from fitmotion_models.imu.values import ImuRecording
from fitmotion_models.skeleton.rotations import Float64

_BLOCK = 8192  # samples that are worked on at once: an hour's needs no more memory than a minute's
# the places of the streams of random numbers; new ones go to the end, so that a seed keeps its sensors
_FORCE, _RATE, _FIELD, _CLOCK, _LOSS = range(5)


def measured(recording: ImuRecording, spec: SensorSpec, *, seed: int = 0) -> ImuRecording:
    """What units of this kind would have recorded; the same seed gives the same units and the same noise.

    Every site wears its own unit with its own clock: samples stay where they are stamped, and their values are those
    of the instants at which that clock struck. Lost samples are NaN. `rotations` stays the truth.
    Raises ValueError for a negative seed.
    """
    _check_seed(seed)
    recording = shifted(recording, spec, [seed, _CLOCK])
    units = _Units(spec, recording.sites, recording.rate_hz, seed)
    force, rate = np.empty_like(recording.specific_force), np.empty_like(recording.angular_velocity)
    field = getattr(recording, "magnetic_field", None)
    if spec.magnetometer is None:
        field = None
    magnetic = None if field is None else np.empty_like(field)
    for start in range(0, len(recording), _BLOCK):
        rows = slice(start, start + _BLOCK)
        true = recording.specific_force[rows], recording.angular_velocity[rows], None if field is None else field[rows]
        force[rows], rate[rows], read = units.read(*true)
        if magnetic is not None:
            magnetic[rows] = read
    changed: dict[str, Any] = {"specific_force": force, "angular_velocity": rate}
    if hasattr(recording, "magnetic_field"):
        changed["magnetic_field"] = magnetic
    return replace(recording, **changed)


class LiveSensor:
    """The same units for samples that come a few at a time, as `LiveImu` gives them.

    Sizes of blocks do not matter: with a seed, all samples together are those of one call. What a clock's drift would
    do is left out, as a live sample is stamped by who receives it; its jitter stays.

    Raises ValueError: no site, a rate that is not positive, a negative seed.
    """

    def __init__(self, spec: SensorSpec, sites: Sequence[str], rate_hz: float, seed: int = 0) -> None:
        _check_seed(seed)
        if not sites:
            raise ValueError("no site is given; see select_sites")
        if not (math.isfinite(rate_hz) and rate_hz > 0.0):
            raise ValueError(f"rate_hz={rate_hz} must be a positive number of samples a second")
        self.spec, self.sites, self.rate_hz = spec, tuple(sites), rate_hz
        self._units = _Units(spec, self.sites, rate_hz, seed)
        self._jitter = np.random.default_rng([seed, _CLOCK, 1])
        self._before = np.full((3, len(self.sites), 3), np.nan)  # the last true samples

    def apply(self, samples: ImuSamples) -> ImuSamples:
        """What the units read out; covariances with those of the units' errors added.

        A magnetic field is read where the unit has a magnetometer, and else is gone.
        """
        if not len(samples):
            return samples
        field = None if self.spec.magnetometer is None else samples.magnetic_field
        true = self._jittered((samples.specific_force, samples.angular_velocity, *(() if field is None else (field,))))
        warmth = self._units.warmth(len(samples))
        errors = [
            self._units.triads[place].variance(values, warmth)[..., None] * np.eye(3)
            for place, values in enumerate(true)
        ]
        force, rate, field = self._units.read(*true)
        if samples.field_covariance is not None and field is not None:
            errors[_FIELD] = samples.field_covariance + errors[_FIELD]
        return replace(
            samples,
            specific_force=force,
            angular_velocity=rate,
            magnetic_field=field,
            force_covariance=samples.force_covariance + errors[_FORCE],
            rate_covariance=samples.rate_covariance + errors[_RATE],
            field_covariance=None if field is None else errors[_FIELD],
        )

    def skip(self, count: int) -> None:
        """Go over samples that nobody reads: the units grow warm, and their low-passes begin anew after it."""
        if count:
            self._units.skip(count)
            self._before.fill(np.nan)

    def _jittered(self, true: Sequence[Float64]) -> list[Float64]:
        """The true values a little before or after the samples' instants, by their slope."""
        if not self.spec.clock_jitter:
            return list(true)
        late = self.spec.clock_jitter * self._jitter.standard_normal((*true[0].shape[:2], 1))
        results = []
        for index, values in enumerate(true):
            slopes = np.diff(values, axis=0, prepend=self._before[index][None]) * self.rate_hz
            results.append(values + np.where(np.isfinite(slopes), late * slopes, 0.0))
            self._before[index] = values[-1]
        return results


class _Units:
    """Units at S sites, each with its triads and its radio."""

    def __init__(self, spec: SensorSpec, sites: tuple[str, ...], rate_hz: float, seed: int) -> None:
        self._spec, self._rate_hz, self._count = spec, rate_hz, 0
        kinds = {_FORCE: spec.accelerometer, _RATE: spec.gyroscope}
        if spec.magnetometer is not None:
            kinds[_FIELD] = spec.magnetometer
        self.triads = {place: Triad(kind, sites, rate_hz, [seed, place]) for place, kind in kinds.items()}
        self._losses = Losses(spec.packet_loss, spec.packet_burst, len(sites), [seed, _LOSS])

    def warmth(self, count: int) -> NDArray[np.float64]:
        """(count,) kelvin of the next samples above where they began."""
        if not self._spec.warm_up:
            return np.zeros(count)
        times = (self._count + np.arange(count)) / self._rate_hz
        result: NDArray[np.float64] = -self._spec.warm_up * np.expm1(-times / self._spec.warm_up_s)
        return result

    def read(
        self, force: Float64, rate: Float64, field: Float64 | None = None
    ) -> tuple[Float64, Float64, Float64 | None]:
        """What is read out of the next true values (M, S, 3)."""
        warmth = self.warmth(len(force))
        read_force = self.triads[_FORCE].apply(force, warmth)
        read_rate = self.triads[_RATE].apply(rate, warmth, force)
        read_field = None if field is None else self.triads[_FIELD].apply(field, warmth)
        lost = self._losses.next(len(force))
        if lost is not None:
            for values in (read_force, read_rate, read_field):
                if values is not None:
                    values[lost] = np.nan
        self._count += len(force)
        return read_force, read_rate, read_field

    def skip(self, count: int) -> None:
        """Go over samples that are not read."""
        self._count += count
        for triad in self.triads.values():
            triad.rest()


def _check_seed(seed: int) -> None:
    if seed < 0:
        raise ValueError(f"seed={seed} must be 0 or more")
