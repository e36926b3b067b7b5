"""Virtual sensors on recorded motion: zero-phase low-pass, then a quintic spline and its own derivatives.

At the ends of what was seen, where a filter lacks half of what it needs, a smoothing spline of the same response.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fitmotion_models.imu.magnetic_field import with_magnetic_field
from fitmotion_models.imu.site_motion import SiteMotion, site_motion
from fitmotion_models.imu.sites import Site
from fitmotion_models.imu.smoothing_spline import FEWEST, memory_s, window_weights
from fitmotion_models.imu.specific_force import angular_velocity, continuous_quaternions, specific_force
from fitmotion_models.imu.values import DEFAULT_RATE_HZ, MAX_GAP_S, ORDER, Cutoffs, ImuRecording, cutoffs_for
from fitmotion_models.skeleton.motion_clip import MotionClip
from fitmotion_models.skeleton.rotations import Float64, normalize

if TYPE_CHECKING:
    from scipy.interpolate import BSpline

EVEN = 0.02  # steps that differ less from their median than this share are even: a camera's rounding of its stamps
_END_MEMORIES = 2.0  # of the filter: how far its guess of what is beyond an end reaches into what was seen
NEAR_NYQUIST = 0.95  # a cut-off above this share of half the frame rate is no filter
_AT_ONCE = 500  # samples: what is computed of them stays in a processor's cache


def virtual_imu(
    clip: MotionClip,
    sites: Sequence[Site],
    *,
    rate_hz: float = DEFAULT_RATE_HZ,
    cutoffs: Cutoffs | None = None,
    world_field: ArrayLike | None = None,
) -> ImuRecording:
    """What sensors at these sites would have read during a clip.

    cutoffs: of the low-pass; without it those that suit the number of cameras behind the clip. world_field: (3,) tesla,
    the magnetic field in the world, see `magnetic_field.world_field`; without it none is read. Samples are at whole
    multiples of 1 / rate_hz seconds within the clip. Raises ValueError: no site, a rate that is not positive.
    """
    if not sites:
        raise ValueError("no site is given; see select_sites")
    names = tuple(site.name for site in sites)
    motion = site_motion(clip, sites)
    recording = imu_from_motion(motion, names, rate_hz=rate_hz, cutoffs=cutoffs or cutoffs_for(clip.views))
    return recording if world_field is None else with_magnetic_field(recording, world_field)


def imu_from_motion(
    motion: SiteMotion,
    names: tuple[str, ...],
    *,
    rate_hz: float = DEFAULT_RATE_HZ,
    cutoffs: Cutoffs,
    max_gap_s: float = MAX_GAP_S,
) -> ImuRecording:
    """What sensors that move like this read.

    Holes of at most max_gap_s seconds are bridged; in longer ones, and where fewer than `FEWEST` poses stand
    together, samples are NaN. The rotation's holes do not touch the angular velocity of other sensors.
    """
    if not (math.isfinite(rate_hz) and rate_hz > 0.0):
        raise ValueError(f"rate_hz={rate_hz} must be a positive number of samples a second")
    return readings_at(motion, names, sample_times(motion.stamps, rate_hz), rate_hz, cutoffs, max_gap_s)


def readings_at(
    motion: SiteMotion,
    names: tuple[str, ...],
    samples: NDArray[np.float64],
    rate_hz: float,
    cutoffs: Cutoffs,
    max_gap_s: float = MAX_GAP_S,
) -> ImuRecording:
    """What sensors that move like this read at samples (N,), seconds, rising; see `imu_from_motion`."""
    (acceleration,) = smooth_derivatives(
        motion.stamps,
        motion.positions,
        samples,
        cutoffs.position_hz,
        filter_order=cutoffs.position_order,
        max_gap_s=max_gap_s,
        orders=(2,),
    )
    quaternions, rates = smooth_derivatives(
        motion.stamps,
        motion.rotations,
        samples,
        cutoffs.rotation_hz,
        filter_order=cutoffs.rotation_order,
        max_gap_s=max_gap_s,
        quaternions=True,
        orders=(0, 1),
    )
    rotations = np.empty_like(quaternions)
    force, rate = np.empty_like(acceleration), np.empty_like(acceleration)
    for start in range(0, len(samples), _AT_ONCE):
        rows = slice(start, start + _AT_ONCE)
        rotations[rows] = normalize(quaternions[rows])
        force[rows] = specific_force(rotations[rows], acceleration[rows])
        rate[rows] = angular_velocity(quaternions[rows], rates[rows])
    return ImuRecording(names, rate_hz, samples, specific_force=force, angular_velocity=rate, rotations=rotations)


def sample_times(stamps: NDArray[np.float64], rate_hz: float) -> NDArray[np.float64]:
    """The whole multiples of 1 / rate_hz within the first and last stamp, seconds."""
    if len(stamps) == 0:
        return np.empty(0)
    # a stamp that misses its multiple by rounding only is at it
    first, last = math.ceil(stamps[0] * rate_hz - 1e-6), math.floor(stamps[-1] * rate_hz + 1e-6)
    return np.clip(np.arange(first, last + 1) / rate_hz, stamps[0], stamps[-1])


def smooth_derivatives(
    stamps: NDArray[np.float64],
    values: Float64,
    samples: NDArray[np.float64],
    cutoff_hz: float,
    *,
    filter_order: int = ORDER,
    max_gap_s: float = MAX_GAP_S,
    quaternions: bool = False,
    orders: Sequence[int] = (0, 1, 2),
) -> tuple[Float64, ...]:
    """Values (T, S, D) smoothed, and their derivatives of these orders, at the samples (N,): one array (N, S, D) each.

    Rows with NaN are unseen. samples: rising. filter_order: of the low-pass, see `Cutoffs`. quaternions: values are
    unit quaternions, of which q and -q are one; what is returned is then of about length 1. orders: of 0, 1 and 2.
    """
    results = np.full((len(orders), len(samples), *values.shape[1:]), np.nan)
    for sites, seen in _seen_alike(values):
        for rows in _runs(stamps, seen, max_gap_s):
            times, run = stamps[rows], values[rows[0] : rows[-1] + 1]
            if len(run) > len(rows):
                run = values[rows]
            run = run[:, sites] if len(sites) < values.shape[1] else run
            first, end = np.searchsorted(samples, times[0]), np.searchsorted(samples, times[-1], side="right")
            inside = slice(first, end)
            if first == end:
                continue
            run = continuous_quaternions(run) if quaternions else run
            # seconds of today lose the spline's last digits
            since = samples[inside] - times[0]
            found = _run_derivatives(times - times[0], run, since, cutoff_hz, filter_order, orders)
            if len(sites) == values.shape[1]:
                results[:, inside] = found
            else:
                results[:, inside, sites] = found
    return tuple(results)


def _seen_alike(values: Float64) -> list[tuple[NDArray[np.intp], NDArray[np.bool_]]]:
    """Sites that were seen at the same times: their indices, and (T,) those times; of values (T, S, D)."""
    seen = np.asarray(np.isfinite(values).all(axis=-1))
    if seen.all():
        return [(np.arange(seen.shape[1]), np.ones(len(seen), dtype=bool))]
    patterns, group = np.unique(seen, axis=1, return_inverse=True)
    return [(np.flatnonzero(group == index), patterns[:, index]) for index in range(patterns.shape[1])]


def _runs(stamps: NDArray[np.float64], seen: NDArray[np.bool_], max_gap_s: float) -> list[NDArray[np.intp]]:
    """Indices of the seen frames, split where the next is more than max_gap_s away; short runs left out."""
    rows = np.flatnonzero(seen)
    if not len(rows):
        return []
    breaks = np.flatnonzero(np.diff(stamps[rows]) > max_gap_s) + 1
    return [run for run in np.split(rows, breaks) if len(run) >= FEWEST]


def _run_derivatives(
    times: NDArray[np.float64],
    values: Float64,
    samples: NDArray[np.float64],
    cutoff_hz: float,
    filter_order: int,
    orders: Sequence[int],
) -> Float64:
    """(O, N, S, D): derivatives of the smoothed values (T, S, D) of one run at samples (N,) within it, rising."""
    flat = values.reshape(len(values), -1)
    result = np.empty((len(orders), len(samples), flat.shape[1]))
    end = end_s(cutoff_hz)
    since, until = samples - times[0], times[-1] - samples
    middle = slice(*np.searchsorted(samples, (times[0] + end, times[-1] - end)))
    if middle.start < middle.stop:
        spline = _smooth_spline(times, flat, cutoff_hz, filter_order)
        for place, order in enumerate(orders):
            result[place, middle] = spline(samples[middle], nu=order)
    else:
        middle = slice(len(samples), len(samples))
    outside = np.ones(len(samples), dtype=bool)
    outside[middle] = False
    for side, distance in (
        (outside & (since <= until), times - times[0]),
        (outside & (since > until), times[-1] - times),
    ):
        if side.any():
            rows = distance <= max(end + memory_s(cutoff_hz), np.partition(distance, FEWEST - 1)[FEWEST - 1])
            weights = window_weights(times[rows], samples[side], cutoff_hz).samples
            result[:, side] = weights[list(orders)] @ flat[rows]
    return result.reshape(len(orders), len(samples), *values.shape[1:])


def end_s(cutoff_hz: float) -> float:
    """How far from an end of what was seen the filter lacks some of what it needs, seconds."""
    return _END_MEMORIES * memory_s(cutoff_hz)


def _smooth_spline(times: NDArray[np.float64], values: Float64, cutoff_hz: float, order: int) -> "BSpline":
    """The spline through the smoothed values (T, C); quintic, so that its second derivative is smooth."""
    # here, as live sensors share this package and do without SciPy's memory
    from scipy.interpolate import make_interp_spline
    from scipy.signal import butter, sosfiltfilt

    steps = np.diff(times)
    step = float(np.median(steps))
    if (np.abs(steps - step) > EVEN * step).any():
        # a filter needs even steps: a spline through what there is gives them
        count = max(FEWEST, round((times[-1] - times[0]) / step) + 1)
        even = np.linspace(times[0], times[-1], count)
        values = make_interp_spline(times, values, k=3)(even)
        times, step = even, float(even[1] - even[0])
    if cutoff_hz < NEAR_NYQUIST * 0.5 / step:
        sections = butter(order, cutoff_hz, fs=1.0 / step, output="sos")
        # the filter swings in over about a period of its cut-off
        padding = min(len(times) - 1, max(9, round(2.0 / (cutoff_hz * step))))
        values = sosfiltfilt(sections, values, axis=0, padlen=padding)
    return make_interp_spline(times, values, k=5 if len(times) > 5 else 3)
