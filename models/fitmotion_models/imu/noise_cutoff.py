"""Low-passes that suit the noise of a recording, found in the recording itself.

Generalized cross-validation (Craven and Wahba 1979): of all the low-passes that `virtual_imu` has, the one that would
predict a left-out frame best. It needs no figure of the noise and no band in which noise is alone, so that it works at
frame rates at which motion reaches up to half the rate.
"""

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.imu.site_motion import SiteMotion
from fitmotion_models.imu.specific_force import continuous_quaternions
from fitmotion_models.imu.values import Cutoffs
from fitmotion_models.skeleton.rotations import Float64

WINDOW_S = 4.0  # of the spectra that are averaged; in shorter recordings half of them
SHORTEST_S = 2.0
LOWEST_HZ = 1.0
# Two figures were settled on the trials 02, 14 and 16 of BROAD beside the real sensor, at 57 and 29 frames a second
# together. Cross-validation must know the noise's colour: that of optical capture falls as a first-order low-pass of
# this corner. And it asks for the least error of the poses; of their derivatives, which have more of the noise, the
# least is at these shares of its cut-off, by the order of the low-pass.
NOISE_CORNER_HZ = 12.0
SHARES = {2: 0.85, 3: 0.9, 4: 0.95}
_FOLDS = 6  # how often the noise above half the frame rate is folded back
_CHOICES = 400
_NOTHING = 1e-7  # metres or radians: the rounding of poses, so that what moves less does not move


def cutoffs_from_noise(motion: SiteMotion, usual: Cutoffs, *, highest: Cutoffs | None = None) -> Cutoffs:
    """The low-passes that suit the noise of this motion: of all its sensors' positions and of their rotations.

    usual: what a recording gets that is shorter than `SHORTEST_S` seconds, or does not move. highest: what
    is never exceeded; poses of cameras need it, whose errors change as slowly as motion does and do not look like
    noise.
    """
    frames = len(motion.stamps)
    rotations = motion.rotations.copy()
    for site in range(rotations.shape[1]):
        seen = np.isfinite(rotations[:, site]).all(axis=-1)
        rotations[seen, site] = continuous_quaternions(rotations[seen, site])
    position = noise_cutoff(motion.stamps, motion.positions.reshape(frames, -1))
    rotation = noise_cutoff(motion.stamps, rotations.reshape(frames, -1))
    position_hz, position_order = position or (usual.position_hz, usual.position_order)
    rotation_hz, rotation_order = rotation or (usual.rotation_hz, usual.rotation_order)
    if highest is not None:
        position_hz, rotation_hz = min(position_hz, highest.position_hz), min(rotation_hz, highest.rotation_hz)
    return Cutoffs(position_hz, rotation_hz, position_order, rotation_order)


def noise_cutoff(stamps: NDArray[np.float64], values: Float64) -> tuple[float, int] | None:
    """The cut-off in Hz, at least `LOWEST_HZ`, and the order of the low-pass that suits values (T, D).

    Holes (NaN) are bridged by straight lines; columns that are seen for less than `SHORTEST_S`, and such that do not
    move, are left out. None where no column is left.
    """
    if len(stamps) < 2:
        return None
    step = float(np.median(np.diff(stamps)))
    spectrum = _spectrum(stamps, values, step)
    if spectrum is None:
        return None
    found = [(*_cross_validated(*spectrum, 1.0 / step, order), order) for order in SHARES]
    _, cutoff, order = min(found)
    return max(LOWEST_HZ, SHARES[order] * cutoff), order


def _spectrum(stamps: NDArray[np.float64], values: Float64, step: float) -> tuple[Float64, Float64] | None:
    """Frequencies (F,) above 0 and the columns' spectra there, summed."""
    from scipy.signal import welch

    total, frequencies = None, np.empty(0)
    window = round(min(WINDOW_S, 0.5 * (stamps[-1] - stamps[0])) / step)
    for column in values.T:
        seen = np.isfinite(column)
        if seen.sum() <= max(SHORTEST_S / step, window) or np.std(column[seen]) < _NOTHING:
            continue
        even = np.arange(stamps[seen][0], stamps[seen][-1], step)
        filled = np.interp(even, stamps[seen], column[seen])
        frequencies, found = welch(filled, fs=1.0 / step, nperseg=window)
        total = found if total is None else total + found
    return None if total is None else (frequencies[1:], total[1:])


def _cross_validated(frequencies: Float64, spectrum: Float64, rate_hz: float, order: int) -> tuple[float, float]:
    """The least generalized cross-validation score, residuals over the squared freedom left, and its cut-off."""
    choices = np.geomspace(LOWEST_HZ, 1.5 * rate_hz, _CHOICES)
    removed = 1.0 - 1.0 / (1.0 + (frequencies / choices[:, None]) ** (2 * order))
    whitened = spectrum / _noise_shape(frequencies, rate_hz)
    scores = (whitened * removed**2).mean(axis=1) / removed.mean(axis=1) ** 2
    best = int(np.argmin(scores))
    return float(scores[best]), float(choices[best])


def _noise_shape(frequencies: Float64, rate_hz: float) -> Float64:
    """The noise's spectrum but for its size, with what sampling folds back."""
    folds = rate_hz * np.arange(_FOLDS)[:, None]
    both = np.concatenate([folds + frequencies, folds + rate_hz - frequencies])
    result: Float64 = np.sum(1.0 / (1.0 + (both / NOISE_CORNER_HZ) ** 2), axis=0)
    return result
