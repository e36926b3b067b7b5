"""How like real windows virtual ones are: their spectra, and how well a classifier tells them apart."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.skeleton.rotations import Float64

_BANDS = 8  # of a spectrum, for the classifier
_FLOOR = 1e-6  # of a spectrum: quieter is nothing
_DECAY = 0.1


def similarity(real: NDArray[np.float32], virtual: NDArray[np.float32], persons: NDArray[np.str_]) -> dict[str, float]:
    """Figures of windows (N, C, T), real ones and virtual ones of the same repetitions, persons (N,).

    psd_distance_db: root mean square, over channels and frequencies, of the difference of mean logarithmic spectra.
    discriminative_accuracy: how often a linear classifier, on persons it never saw, knows which is which; .5 is
    chance. discriminative_score: how far from chance that is (Yoon et al. 2019).
    """
    levels = [10.0 * np.log10(_spectra(one)).mean(axis=0) for one in (real, virtual)]
    accuracy = _told_apart(_described(real), _described(virtual), persons)
    return {
        "psd_distance_db": round(float(np.sqrt(np.mean((levels[0] - levels[1]) ** 2))), 3),
        "discriminative_accuracy": round(accuracy, 4),
        "discriminative_score": round(abs(accuracy - 0.5), 4),
    }


def _spectra(windows: NDArray[Any]) -> Float64:
    """(N, C, F) power by frequency, without the mean."""
    centred = windows - windows.mean(axis=-1, keepdims=True)
    taper = np.hanning(windows.shape[-1])
    result: Float64 = np.abs(np.fft.rfft(centred * taper, axis=-1)[..., 1:]) ** 2 / np.sum(taper**2) + _FLOOR
    return result


def _described(windows: NDArray[Any]) -> Float64:
    """(N, D): means, and logarithms of the power in bands."""
    spectra = _spectra(windows)
    edges = np.unique(np.geomspace(1, spectra.shape[-1], _BANDS + 1).astype(int)) - 1
    bands = np.log(np.add.reduceat(spectra, edges[:-1], axis=-1))
    return np.concatenate([windows.mean(axis=-1), bands.reshape(len(windows), -1)], axis=1)


def _told_apart(real: Float64, virtual: Float64, persons: NDArray[np.str_]) -> float:
    """Accuracy of least squares with weight decay, each person judged by what was learned of the others."""
    features, whose = np.concatenate([real, virtual]), np.concatenate([persons, persons])
    targets = np.repeat([1.0, -1.0], len(real))
    right = np.zeros(len(targets), dtype=bool)
    for person in np.unique(persons):
        held = whose == person
        centre, scale = features[~held].mean(axis=0), features[~held].std(axis=0) + 1e-9
        given, asked = (features[~held] - centre) / scale, (features[held] - centre) / scale
        products = given.T @ given / len(given) + _DECAY * np.eye(given.shape[1])
        weights = np.linalg.solve(products, given.T @ targets[~held] / len(given))
        right[held] = np.sign(asked @ weights) == targets[held]
    return float(right.mean())
