"""The network of the activity benchmark: random convolutions, as ROCKET has them, and a trained linear readout.

Dempster et al. 2020, "ROCKET: exceptionally fast and accurate time series classification using random convolutional
kernels": the convolutions are drawn and not trained, so that a few dozen recordings are enough. Here a kernel's output
is read as the share of the time that it is above a threshold, over the whole window and over each half, and as its
maximum. The readout is the least-squares one with weight decay, found in one step.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.skeleton.rotations import Float64
from fitmotion_models.training.activity_windows import CHANNELS, Windows

KERNELS = 200
_LENGTH = 7
_DILATIONS = (1, 2, 4, 8)  # of the window's 96 samples: patterns of a fourteenth to half of a repetition
_MOST_CHANNELS = 3  # that a kernel reads
_CENTRED = 0.6  # this share of the kernels does not see a constant, such as gravity
_PARTS = (1, 2)
_BLOCK = 64  # windows that are convolved at once: their products fit a cache
_LEAST_SPREAD = 0.02  # of a feature; below that it says nothing


class RandomConvolutions:
    """Windows (N, 6, 96) to features (N, 800); torch is imported when it is made, the seed draws the kernels."""

    def __init__(self, seed: int, kernels: int = KERNELS) -> None:
        import torch

        torch.set_num_threads(1)  # blocks this small only wait for each other
        random = np.random.default_rng([seed, 0])
        self._banks: list[tuple[int, Any, Any]] = []
        for dilation in _DILATIONS:
            weights = random.standard_normal((kernels // len(_DILATIONS), CHANNELS, _LENGTH))
            read = random.permuted(np.tile(np.arange(CHANNELS), (len(weights), 1)), axis=1)
            read = read < random.integers(1, _MOST_CHANNELS + 1, size=(len(weights), 1))
            centred = random.random(len(weights)) < _CENTRED
            weights -= np.where(centred[:, None, None], weights.mean(axis=-1, keepdims=True), 0.0)
            weights *= read[..., None]
            weights /= np.linalg.norm(weights, axis=(1, 2), keepdims=True)
            thresholds = random.uniform(-1.0, 1.0, len(weights)) * np.where(centred, 0.5, 1.0)
            matrix = np.ascontiguousarray(weights.reshape(len(weights), -1).T, dtype=np.float32)
            self._banks.append((dilation, torch.from_numpy(matrix), torch.from_numpy(thresholds.astype(np.float32))))

    def __call__(self, windows: Windows) -> NDArray[np.float32]:
        """Features of windows (N, 6, 96)."""
        return np.concatenate([self._block(windows[i : i + _BLOCK]) for i in range(0, len(windows), _BLOCK)])

    def _block(self, windows: Windows) -> NDArray[np.float32]:
        import torch

        given = torch.from_numpy(np.ascontiguousarray(windows, dtype=np.float32))
        count, _, samples = given.shape
        found = []
        for dilation, weights, thresholds in self._banks:
            edge = dilation * (_LENGTH - 1) // 2
            padded = torch.nn.functional.pad(given, (edge, edge), mode="replicate")
            # one product of matrices is several times as fast as the dilated convolutions of the library
            steps = (padded.stride(0), 1, padded.stride(1), dilation)
            patches = padded.as_strided((count, samples, CHANNELS, _LENGTH), steps).reshape(count * samples, -1)
            outputs = (patches @ weights).view(count, samples, -1)
            above = (outputs > thresholds).float()
            for parts in _PARTS:
                found.append(above.view(count, parts, samples // parts, -1).mean(dim=2).flatten(1))
            found.append(outputs.amax(dim=1))
        return np.asarray(torch.cat(found, dim=1).numpy())


class Readout:
    """A linear layer on standardised features: what the features' mean and spread are, and the layer's weights."""

    def __init__(self, centre: Float64, scale: Float64, weights: Float64, bias: Float64, labels: NDArray[np.int64]):
        self._centre, self._scale = centre.astype(np.float32), scale.astype(np.float32)
        self._weights, self._bias, self._labels = weights.astype(np.float32), bias.astype(np.float32), labels

    def __call__(self, features: NDArray[np.float32]) -> NDArray[np.int64]:
        """The label (N,) of features (N, F)."""
        outputs = ((features - self._centre) / self._scale) @ self._weights + self._bias
        return np.asarray(self._labels[outputs.argmax(axis=1)], dtype=np.int64)


def train_readouts(
    features: NDArray[np.float32], labels: NDArray[np.int64], weights: Float64, decays: tuple[float, ...]
) -> list[Readout]:
    """One readout for each weight decay, from features (N, F), labels (N,) and how much each window counts (N,).

    Nothing but these windows sets the features' centre and scale. Raises ValueError for fewer than two labels.
    """
    known = np.unique(labels)
    if len(known) < 2:
        raise ValueError(f"activities of {len(known)} kind can't be told apart; give recordings of at least two")
    shares = weights / weights.sum()
    centre = shares @ features
    scale = np.sqrt(shares @ (features - centre) ** 2) + _LEAST_SPREAD
    given = ((features - centre) / scale).astype(np.float32)
    targets = np.where(labels[:, None] == known, 1.0, -1.0)
    bias = shares @ targets
    rooted = given * np.sqrt(shares)[:, None].astype(np.float32)
    solved = _least_squares(rooted, np.sqrt(shares)[:, None] * (targets - bias), decays)
    return [Readout(centre, scale, weights, bias, known) for weights in solved]


def _least_squares(given: NDArray[np.float32], wanted: Float64, decays: tuple[float, ...]) -> list[Float64]:
    """Weights (F, L) from given (N, F) to wanted (N, L), for each weight decay; by whichever of N and F is less."""
    from scipy.linalg import solve

    aim = wanted.astype(np.float32)
    dual = len(given) < given.shape[1]
    products = given @ given.T if dual else given.T @ given
    right = aim if dual else given.T @ aim
    found = []
    for decay in decays:
        solved = solve(products + np.float32(decay) * np.eye(len(products), dtype=np.float32), right, assume_a="pos")
        found.append(np.asarray(given.T @ solved if dual else solved, dtype=np.float64))
    return found
