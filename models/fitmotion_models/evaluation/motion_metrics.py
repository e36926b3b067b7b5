"""How good generated motion is, by the field's measures on embeddings: functions, and a `Metric` each that accumulates.

Embeddings come from an evaluator (`evaluation.motion_evaluator`) that puts motions and texts into one space.
Definitions: R-precision, MM-distance, FID, diversity and multimodality as in Guo et al. 2022 (HumanML3D); KID as in
Binkowski et al. 2018, on the whole sets instead of subsets of 1,000, since sets here are small.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fitmotion_models.skeleton.rotations import Float64

TOP = 3
"""R-precision is given for the nearest 1 to TOP motions."""
BATCH = 32
"""Texts and motions among which R-precision searches."""
DIVERSITY_PAIRS = 300
MULTIMODALITY_PAIRS = 10
"""Pairs drawn from a text's motions (the published code's; of 30 motions for each of 100 texts)."""
FID_DIMENSIONS = 64
"""A covariance of more dimensions than there are clips says little: FID is given in at most so many."""
KID_DEGREE, KID_OFFSET = 3, 1.0


def pairwise_distances(first: ArrayLike, second: ArrayLike) -> Float64:
    """Euclidean distances (N, M) of embeddings (N, D) and (M, D)."""
    a, b = _embeddings(first), _embeddings(second)
    squared = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1) - 2.0 * a @ b.T
    return np.sqrt(np.maximum(squared, 0.0))


def retrieved(texts: ArrayLike, motions: ArrayLike, top: int = TOP) -> Float64:
    """(N, top): 1 where text i's own motion is among the nearest 1 to `top` of the N motions, else 0; (N, D) both.

    Where others are equally near it is the chance of being drawn among them, so that an evaluator that maps everything
    to one point gets what chance gets (the published code sorts, and takes whichever comes first).
    """
    distances = pairwise_distances(texts, motions)
    own = np.diagonal(distances)[:, None]
    equal = np.isclose(distances, own, rtol=1e-9, atol=1e-12)
    nearer = ((distances < own) & ~equal).sum(axis=1, keepdims=True)
    places = np.arange(1, top + 1) - nearer
    return np.clip(places / equal.sum(axis=1, keepdims=True), 0.0, 1.0)


def matching_distances(texts: ArrayLike, motions: ArrayLike) -> Float64:
    """MM-distance (N,): from each text's embedding (N, D) to its own motion's (N, D)."""
    return np.linalg.norm(_embeddings(texts) - _embeddings(motions), axis=1)


def frechet_distance(
    mean: ArrayLike, covariance: ArrayLike, other_mean: ArrayLike, other_covariance: ArrayLike
) -> float:
    """The squared Frechet distance of two Gaussians: |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)).

    The trace of the root is taken from C1^(1/2) C2 C1^(1/2), which is symmetric, so that nothing complex appears where
    covariances are singular.
    """
    first, second = np.atleast_2d(np.asarray(covariance, float)), np.atleast_2d(np.asarray(other_covariance, float))
    difference = np.atleast_1d(np.asarray(mean, float)) - np.atleast_1d(np.asarray(other_mean, float))
    values, vectors = np.linalg.eigh(first)
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    shared = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ second @ root), 0.0)).sum()
    return float(max(difference @ difference + np.trace(first) + np.trace(second) - 2.0 * shared, 0.0))


def fid(
    generated: ArrayLike, real: ArrayLike, weights: ArrayLike | None = None, real_weights: ArrayLike | None = None
) -> float:
    """FID of embeddings (N, D) and (M, D), as they are; weights (N,), (M,): how often each counts (bootstrap)."""
    return frechet_distance(*_moments(generated, weights), *_moments(real, real_weights))


def principal_axes(real: ArrayLike, dimensions: int = FID_DIMENSIONS) -> Float64:
    """(D, K) directions in which the real embeddings (M, D) vary most, K at most `dimensions` and M - 1."""
    values = _embeddings(real)
    centred = values - values.mean(axis=0)
    count = min(dimensions, len(values) - 1, values.shape[1])
    return np.linalg.svd(centred, full_matrices=False)[2][:count].T


def kid(generated: ArrayLike, real: ArrayLike) -> float:
    """KID of embeddings (N, D) and (M, D): the unbiased squared MMD with the kernel (x y / D + 1)^3.

    May be below 0, by chance, where both are of one distribution. Raises ValueError for a set of one clip.
    """
    return KidKernels(generated, real).kid()


class KidKernels:
    """The kernels of two sets, computed once, for KID under many weightings (bootstrap)."""

    def __init__(self, generated: ArrayLike, real: ArrayLike) -> None:
        first, second = _embeddings(generated), _embeddings(real)
        if min(len(first), len(second)) < 2:
            raise ValueError(f"KID of {len(first)} and {len(second)} clips is not defined; give at least two of each")
        self._generated, self._real = _kernel(first, first), _kernel(second, second)
        self._across = _kernel(first, second)
        for kernel in (self._generated, self._real):
            np.fill_diagonal(kernel, 0.0)

    def kid(self, weights: ArrayLike | None = None, real_weights: ArrayLike | None = None) -> float:
        """KID where clips count as often as weights (N,) and (M,) say.

        A clip is never paired with itself, however often it counts: its kernel with itself would make every bootstrap
        too large.
        """
        first = np.ones(len(self._generated)) if weights is None else np.asarray(weights, np.float64)
        second = np.ones(len(self._real)) if real_weights is None else np.asarray(real_weights, np.float64)
        across = first @ self._across @ second / (first.sum() * second.sum())
        return float(_mean_pair(self._generated, first) + _mean_pair(self._real, second) - 2.0 * across)


def _kernel(a: Float64, b: Float64) -> Float64:
    return np.asarray((a @ b.T / a.shape[1] + KID_OFFSET) ** KID_DEGREE, dtype=np.float64)


def _mean_pair(kernel: Float64, weights: Float64) -> float:
    """The mean over pairs of different clips of a kernel whose diagonal is 0."""
    return float(weights @ kernel @ weights / (weights.sum() ** 2 - (weights**2).sum()))


def diversity(embeddings: ArrayLike, rng: np.random.Generator, pairs: int = DIVERSITY_PAIRS) -> float:
    """The mean distance of pairs drawn at random from embeddings (N, D); with N or fewer clips, N - 1 pairs."""
    values = _embeddings(embeddings)
    pairs = diversity_pairs(len(values), pairs)
    first, second = (values[rng.choice(len(values), pairs, replace=False)] for _ in range(2))
    return float(np.linalg.norm(first - second, axis=1).mean())


def diversity_pairs(clips: int, pairs: int = DIVERSITY_PAIRS) -> int:
    """How many pairs `diversity` draws from so many clips. Raises ValueError for fewer than two clips."""
    if clips < 2:
        raise ValueError(f"diversity of {clips} clip is not defined; give at least two")
    return min(pairs, clips - 1)


def multimodality(groups: Sequence[ArrayLike], rng: np.random.Generator, pairs: int = MULTIMODALITY_PAIRS) -> float:
    """The mean distance of pairs of motions of one text; groups: for every text (R, D), R of at least 2."""
    return float(np.mean([diversity(group, rng, pairs) for group in groups]))


def _moments(embeddings: ArrayLike, weights: ArrayLike | None) -> tuple[Float64, Float64]:
    values = _embeddings(embeddings)
    counts = np.ones(len(values)) if weights is None else np.asarray(weights, float)
    mean = counts @ values / counts.sum()
    centred = values - mean
    return mean, (centred * counts[:, None]).T @ centred / max(counts.sum() - 1.0, 1.0)


def _embeddings(values: ArrayLike) -> Float64:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 2 or not len(array):
        raise ValueError(f"embeddings have shape {array.shape}; expected (clips, dimensions), with at least one clip")
    return array


class Metric(ABC):
    """`compute` measures one batch and keeps it, `aggregate` says what all batches so far come to, `reset` forgets."""

    def __init__(self) -> None:
        self._kept: list[dict[str, Float64]] = []

    def compute(self, *batch: Any, **given: Any) -> dict[str, Float64]:
        """Figures of a batch, each (B,), one a clip; kept for `aggregate`."""
        values = {name: np.asarray(value, np.float64) for name, value in self._compute(*batch, **given).items()}
        self._kept.append(values)
        return values

    def aggregate(self) -> dict[str, float]:
        """Figures of everything since the last `reset`. Raises ValueError where nothing was computed."""
        if not self._kept:
            raise ValueError(f"{type(self).__name__} has seen no batch; call compute first")
        names = dict.fromkeys(name for kept in self._kept for name in kept)
        return self._aggregate({name: np.concatenate([k[name] for k in self._kept if name in k]) for name in names})

    def reset(self) -> None:
        """Forget all batches."""
        self._kept.clear()

    @abstractmethod
    def _compute(self, *batch: Any, **given: Any) -> dict[str, ArrayLike]: ...

    def _aggregate(self, values: dict[str, Float64]) -> dict[str, float]:
        return {name: float(np.nanmean(one)) if np.isfinite(one).any() else np.nan for name, one in values.items()}


class RPrecision(Metric):
    """Batches of texts (B, D) and their motions (B, D): the share of texts whose motion is among the nearest 1 to 3."""

    def _compute(self, *batch: Any, **given: Any) -> dict[str, ArrayLike]:
        hits = retrieved(*batch)
        return {f"top_{k + 1}": hits[:, k] for k in range(hits.shape[1])}


class MatchingDistance(Metric):
    """Batches of texts (B, D) and their motions (B, D): the mean distance between them."""

    def _compute(self, *batch: Any, **given: Any) -> dict[str, ArrayLike]:
        return {"mm_distance": matching_distances(*batch)}


class _OfSets(Metric):
    """Batches of generated embeddings (B, D), measured as a whole against `real` (M, D)."""

    def __init__(self, real: ArrayLike) -> None:
        super().__init__()
        self._real = _embeddings(real)

    def _compute(self, *batch: Any, **given: Any) -> dict[str, ArrayLike]:
        (generated,) = batch
        return {"embeddings": _embeddings(generated)}


class Fid(_OfSets):
    """FID in at most 64 dimensions, those in which the real embeddings vary most, and in all there are."""

    def __init__(self, real: ArrayLike, dimensions: int = FID_DIMENSIONS) -> None:
        super().__init__(real)
        self.axes = principal_axes(self._real, dimensions)

    def _aggregate(self, values: dict[str, Float64]) -> dict[str, float]:
        generated = values["embeddings"]
        return {"fid": fid(generated @ self.axes, self._real @ self.axes), "fid_all": fid(generated, self._real)}


class Kid(_OfSets):
    """KID against the real set."""

    def _aggregate(self, values: dict[str, Float64]) -> dict[str, float]:
        return {"kid": kid(values["embeddings"], self._real)}


class Diversity(Metric):
    """Batches of embeddings (B, D): the mean distance of random pairs of all."""

    def __init__(self, rng: np.random.Generator, pairs: int = DIVERSITY_PAIRS) -> None:
        super().__init__()
        self._rng, self._pairs = rng, pairs

    def _compute(self, *batch: Any, **given: Any) -> dict[str, ArrayLike]:
        (embeddings,) = batch
        return {"embeddings": _embeddings(embeddings)}

    def _aggregate(self, values: dict[str, Float64]) -> dict[str, float]:
        return {"diversity": diversity(values["embeddings"], self._rng, self._pairs)}


class Multimodality(Metric):
    """Batches that are each one text's motions (R, D): the mean distance of random pairs of one text's."""

    def __init__(self, rng: np.random.Generator, pairs: int = MULTIMODALITY_PAIRS) -> None:
        super().__init__()
        self._rng, self._pairs = rng, pairs

    def _compute(self, *batch: Any, **given: Any) -> dict[str, ArrayLike]:
        (motions,) = batch
        return {"multimodality": [diversity(motions, self._rng, self._pairs)]}
