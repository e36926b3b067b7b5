"""Virtual sensors on recorded motion: zero-phase low-pass, then a quintic spline and its own derivatives.

At the ends of what was seen, where a filter lacks half of what it needs, a smoothing spline of the same response.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.imu.site_motion import SiteMotion, site_motion
from fitmotion_models.imu.sites import Site
from fitmotion_models.imu.smoothing_spline import FEWEST, memory_s, window_weights
from fitmotion_models.imu.specific_force import angular_velocity, continuous_quaternions, specific_force
from fitmotion_models.imu.values import DEFAULT_RATE_HZ, MAX_GAP_S, Cutoffs, ImuRecording, cutoffs_for
from fitmotion_models.skeleton.motion_clip import MotionClip
from fitmotion_models.skeleton.rotations import Float64, normalize

if TYPE_CHECKING:
    from scipy.interpolate import BSpline

# of the Butterworth filter, which is run forward and backward: its response 1 / (1 + (f / cutoff)^6) is that of the
# live smoothing spline, and against real sensors it is as good as order 2 or better
ORDER = 3
EVEN = 0.02  # steps that differ less from their median than this share are even: a camera's rounding of its stamps
_END_MEMORIES = 2.0  # of the filter: how far its guess of what is beyond an end reaches into what was seen
NEAR_NYQUIST = 0.95  # a cut-off above this share of half the frame rate is no filter


def virtual_imu(
    clip: MotionClip, sites: Sequence[Site], *, rate_hz: float = DEFAULT_RATE_HZ, cutoffs: Cutoffs | None = None
) -> ImuRecording:
    """What sensors at these sites would have read during a clip.

    cutoffs: of the low-pass; without it those that suit the number of cameras behind the clip. Samples are at whole
    multiples of 1 / rate_hz seconds within the clip. Raises ValueError: no site, a rate that is not positive.
    """
    if not sites:
        raise ValueError("no site is given; see select_sites")
    names = tuple(site.name for site in sites)
    return imu_from_motion(site_motion(clip, sites), names, rate_hz=rate_hz, cutoffs=cutoffs or cutoffs_for(clip.views))


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
    samples = sample_times(motion.stamps, rate_hz)
    _, _, acceleration = smooth_derivatives(
        motion.stamps, motion.positions, samples, cutoffs.position_hz, max_gap_s=max_gap_s
    )
    quaternions, rates, _ = smooth_derivatives(
        motion.stamps, motion.rotations, samples, cutoffs.rotation_hz, max_gap_s=max_gap_s, quaternions=True
    )
    rotations = normalize(quaternions)
    return ImuRecording(
        sites=names,
        rate_hz=rate_hz,
        stamps=samples,
        specific_force=specific_force(rotations, acceleration),
        angular_velocity=angular_velocity(quaternions, rates),
        rotations=rotations,
    )


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
    max_gap_s: float = MAX_GAP_S,
    quaternions: bool = False,
) -> tuple[Float64, Float64, Float64]:
    """Values (T, S, D) smoothed, and their first and second derivatives, at the samples: three arrays (N, S, D).

    Rows with NaN are unseen. quaternions: values are unit quaternions, of which q and -q are one; what is returned is
    then of about length 1.
    """
    results = np.full((3, len(samples), *values.shape[1:]), np.nan)
    seen = np.isfinite(values).all(axis=-1)
    patterns, group = np.unique(seen, axis=1, return_inverse=True)
    for index in range(patterns.shape[1]):
        sites = np.flatnonzero(group == index)
        for rows in _runs(stamps, patterns[:, index], max_gap_s):
            times, run = stamps[rows], values[np.ix_(rows, sites)]
            inside = np.flatnonzero((samples >= times[0]) & (samples <= times[-1]))
            if quaternions:
                run = continuous_quaternions(run)
            results[np.ix_(np.arange(3), inside, sites)] = _run_derivatives(times, run, samples[inside], cutoff_hz)
    return results[0], results[1], results[2]


def _runs(stamps: NDArray[np.float64], seen: NDArray[np.bool_], max_gap_s: float) -> list[NDArray[np.intp]]:
    """Indices of the seen frames, split where the next is more than max_gap_s away; short runs left out."""
    rows = np.flatnonzero(seen)
    if not len(rows):
        return []
    breaks = np.flatnonzero(np.diff(stamps[rows]) > max_gap_s) + 1
    return [run for run in np.split(rows, breaks) if len(run) >= FEWEST]


def _run_derivatives(
    times: NDArray[np.float64], values: Float64, samples: NDArray[np.float64], cutoff_hz: float
) -> Float64:
    """(3, N, S, D): the smoothed values (T, S, D) of one run and two derivatives at samples (N,) within it."""
    result = np.empty((3, len(samples), *values.shape[1:]))
    end = _END_MEMORIES * memory_s(cutoff_hz)
    since, until = samples - times[0], times[-1] - samples
    middle = (since >= end) & (until >= end)
    if middle.any():
        spline = _smooth_spline(times, values, cutoff_hz)
        for order in range(3):
            result[order, middle] = spline(samples[middle], nu=order)
    for side, distance in (
        (~middle & (since <= until), times - times[0]),
        (~middle & (since > until), times[-1] - times),
    ):
        if side.any():
            rows = distance <= max(end + memory_s(cutoff_hz), np.partition(distance, FEWEST - 1)[FEWEST - 1])
            weights = window_weights(times[rows], samples[side], cutoff_hz).samples
            found = weights @ values[rows].reshape(int(rows.sum()), -1)
            result[:, side] = found.reshape(3, -1, *values.shape[1:])
    return result


def _smooth_spline(times: NDArray[np.float64], values: Float64, cutoff_hz: float) -> "BSpline":
    """The spline through the smoothed values (T, S, D); quintic, so that its second derivative is smooth."""
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
        sections = butter(ORDER, cutoff_hz, fs=1.0 / step, output="sos")
        # the filter swings in over about a period of its cut-off
        padding = min(len(times) - 1, max(9, round(2.0 / (cutoff_hz * step))))
        values = sosfiltfilt(sections, values, axis=0, padlen=padding)
    return make_interp_spline(times, values, k=5 if len(times) > 5 else 3)
