"""A cut-off that suits the noise of a recording: no higher than where the motion sinks into it (Wiener 1949)."""

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.imu.site_motion import SiteMotion
from fitmotion_models.imu.values import Cutoffs
from fitmotion_models.skeleton.rotations import Float64

WINDOW_S = 4.0  # of the spectra that are averaged
LOWEST_HZ = 1.0
# the noise is white and alone in this part of the band below half the frame rate
_NOISE_BAND = 0.85


def cutoffs_from_noise(motion: SiteMotion, usual: Cutoffs) -> Cutoffs:
    """The usual cut-offs, the positions' lowered to where the motion is as strong as the noise.

    A filter that halves the amplitude there is the best one by Wiener's criterion. Positions need it at low frame
    rates, where little of the band is noise alone and their second derivative makes most of it; rotations, derived
    once, do not. A recording shorter than two windows of `WINDOW_S` seconds keeps the usual cut-offs.
    """
    chosen = noise_cutoff(motion.stamps, motion.positions.reshape(len(motion.stamps), -1))
    return replace(usual, position_hz=min(usual.position_hz, chosen))


def noise_cutoff(stamps: NDArray[np.float64], values: Float64) -> float:
    """The frequency in Hz, at least `LOWEST_HZ`, from which on values (T, D) are more noise than motion.

    Rows with NaN are bridged by straight lines. Infinite for too short a recording.
    """
    from scipy.signal import welch

    seen = np.isfinite(values).all(axis=1)
    if seen.sum() < 2 or np.ptp(stamps[seen]) < 2.0 * WINDOW_S:
        return math.inf
    step = float(np.median(np.diff(stamps)))
    even = np.arange(stamps[seen][0], stamps[seen][-1], step)
    filled = np.stack([np.interp(even, stamps[seen], column[seen]) for column in values.T], axis=-1)
    frequencies, spectra = welch(filled, fs=1.0 / step, nperseg=round(WINDOW_S / step), axis=0)
    spectrum = spectra.sum(axis=-1)
    noise = float(np.median(spectrum[frequencies > _NOISE_BAND * 0.5 / step]))
    above = frequencies[spectrum > 2.0 * noise]
    return max(LOWEST_HZ, float(above[-1])) if len(above) else LOWEST_HZ
