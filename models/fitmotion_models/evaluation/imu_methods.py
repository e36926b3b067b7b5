"""Ways to make inertial readings of positions and rotations: ours and those of others, by one interface.

Each takes how S sensors moved and the times at which the force and the angular velocity are wanted, (N,) seconds and
rising, and gives specific force (N, S, 3) m/s2 and angular velocity (N, S, 3) rad/s in the sensors' frames.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.imu import Cutoffs, SiteMotion
from fitmotion_models.imu.offline import smooth_derivatives
from fitmotion_models.imu.specific_force import angular_velocity, continuous_quaternions, specific_force
from fitmotion_models.skeleton.rotations import Float64, conjugate, multiply, normalize, to_rotvec

Times = NDArray[np.float64]
Readings = tuple[Float64, Float64]
Method = Callable[[SiteMotion, Times, Times], Readings]

OURS = "fitmotion"


def ours(cutoffs: Cutoffs) -> Method:
    """`virtual_imu`'s way, with these cut-offs."""

    def method(motion: SiteMotion, force_times: Times, rate_times: Times) -> Readings:
        stamps, places = motion.stamps, motion.positions
        smooth_turns = partial(
            smooth_derivatives,
            stamps,
            motion.rotations,
            cutoff_hz=cutoffs.rotation_hz,
            filter_order=cutoffs.rotation_order,
            quaternions=True,
        )
        (acceleration,) = smooth_derivatives(
            stamps, places, force_times, cutoffs.position_hz, filter_order=cutoffs.position_order, orders=(2,)
        )
        (turns,) = smooth_turns(samples=force_times, orders=(0,))
        q, rates = smooth_turns(samples=rate_times, orders=(0, 1))
        return specific_force(normalize(turns), acceleration), angular_velocity(q, rates)

    return method


def second_differences(motion: SiteMotion, force_times: Times, rate_times: Times) -> Readings:
    """The naive way: differences of neighbours, straight lines between them."""
    return _differences(motion, force_times, rate_times, 1)


def four_frame_differences(motion: SiteMotion, force_times: Times, rate_times: Times) -> Readings:
    """As TransPose (Yi et al. 2021) and MobilePoser (Xu et al. 2024) make training data: over four frames each way."""
    return _differences(motion, force_times, rate_times, 4)


def _differences(motion: SiteMotion, force_times: Times, rate_times: Times, frames: int) -> Readings:
    """Central differences of positions over some frames each way; turns from frame to frame over as many."""
    n, stamps, turns = frames, motion.stamps, motion.rotations
    step = float(np.median(np.diff(stamps)))
    places = motion.positions
    acceleration = (places[2 * n :] - 2.0 * places[n:-n] + places[: -2 * n]) / (n * step) ** 2
    force = specific_force(turns[n:-n], acceleration)
    rate = to_rotvec(multiply(conjugate(turns[:-n]), turns[n:])) / (n * step)
    return (
        _between(stamps[n:-n], force, force_times),
        _between(stamps[:-n] + 0.5 * n * step, rate, rate_times),
    )


def double_gradient(motion: SiteMotion, force_times: Times, rate_times: Times) -> Readings:
    """As POSE2IMU (H-IAAC 2025): the gradient of the gradient of positions, the turns from frame to frame."""
    stamps, turns = motion.stamps, motion.rotations
    acceleration = np.gradient(np.gradient(motion.positions, stamps, axis=0), stamps, axis=0)
    between = to_rotvec(multiply(conjugate(turns[:-1]), turns[1:])) / np.diff(stamps)[:, None, None]
    middles = 0.5 * (stamps[1:] + stamps[:-1])
    return (
        _between(stamps, specific_force(turns, acceleration), force_times),
        _between(middles, between, rate_times),
    )


def quintic_smoothing_spline(motion: SiteMotion, force_times: Times, rate_times: Times) -> Readings:
    """As IMUSim (Young et al. 2011): FITPACK's quintic smoothing spline, told the noise of the samples."""
    shape = motion.positions.shape[1]
    force, rate = np.full((len(force_times), shape, 3), np.nan), np.full((len(rate_times), shape, 3), np.nan)
    for site in range(shape):
        known = np.isfinite(motion.positions[:, site]).all(axis=1) & np.isfinite(motion.rotations[:, site]).all(axis=1)
        stamps, turns = motion.stamps[known], continuous_quaternions(motion.rotations[known, site])
        (acceleration,) = _splines(stamps, motion.positions[known, site], [(force_times, 2)])
        turned, q, rates = _splines(stamps, turns, [(force_times, 0), (rate_times, 0), (rate_times, 1)])
        force[:, site] = specific_force(normalize(turned), acceleration)
        rate[:, site] = angular_velocity(q, rates)
    return force, rate


def _splines(stamps: Times, values: Float64, wanted: list[tuple[Times, int]]) -> list[Float64]:
    """Derivatives of the splines of values (T, D) at times, clipped to the stamps."""
    from scipy.interpolate import splev, splrep

    # the sum of squared residuals that IMUSim leaves to FITPACK's default, less than the noise's by its own spread
    allowed = (len(stamps) - np.sqrt(2.0 * len(stamps))) * noise_variance(stamps, values)
    fits = [splrep(stamps, column, k=5, s=s) for column, s in zip(values.T, allowed, strict=True)]
    return [
        np.stack([splev(np.clip(times, stamps[0], stamps[-1]), fit, der=order) for fit in fits], axis=-1)
        for times, order in wanted
    ]


def noise_variance(stamps: Times, values: Float64) -> Float64:
    """(D,) variance of white noise in values (T, D): the lesser of two estimates, so that no spline is told too much.

    One is what a parabola through four neighbours leaves, differences of order 3, whose squared weights sum to 20; the
    other the spectrum in the uppermost part of its band, where there is the least motion.
    """
    from scipy.signal import periodogram

    third = np.mean(np.diff(values, 3, axis=0) ** 2, axis=0) / 20.0
    step = float(np.median(np.diff(stamps)))
    frequencies, spectra = periodogram(values, fs=1.0 / step, window="hann", axis=0)
    top = frequencies > 0.85 * 0.5 / step
    # the density of white noise is its variance over half the rate
    return np.minimum(third, spectra[top].mean(axis=0) * 0.5 / step)


def _between(stamps: Times, values: Float64, wanted: Times) -> Float64:
    """Values (T, S, 3) at wanted times, on straight lines between the known ones; held at the ends."""
    result = np.full((len(wanted), *values.shape[1:]), np.nan)
    for site in range(values.shape[1]):
        known = np.isfinite(values[:, site]).all(axis=-1)
        if known.any():
            columns = values[known, site].T
            result[:, site] = np.stack([np.interp(wanted, stamps[known], column) for column in columns], axis=-1)
    return result


OTHERS: dict[str, Method] = {
    "second differences": second_differences,
    "quintic smoothing spline": quintic_smoothing_spline,
    "4-frame differences": four_frame_differences,
}
"""The methods of others that ours is measured beside, by the names they have in tables."""
