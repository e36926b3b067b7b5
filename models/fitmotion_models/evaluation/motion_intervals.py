"""95 % intervals of measures: over repetitions, as the field publishes them, and from a bootstrap over whole groups."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fitmotion_models.skeleton.rotations import Float64

NORMAL_95 = 1.96
PERCENTILES_95 = (2.5, 97.5)


def over_repetitions(values: ArrayLike) -> dict[str, Any]:
    """{"value", "ci95"} of repetitions (R,): the mean, and mean +- 1.96 SD / sqrt(R)."""
    array = np.asarray(values, dtype=np.float64)
    mean, half = array.mean(), NORMAL_95 * array.std() / np.sqrt(len(array))
    return {"value": mean, "ci95": [mean - half, mean + half]}


def group_weights(groups: NDArray[np.int64], draws: int, rng: np.random.Generator) -> Iterator[Float64]:
    """`draws` times how often each of N clips counts when as many groups as there are are drawn with replacement.

    groups: (N,) numbers.
    """
    names, index = np.unique(groups, return_inverse=True)
    for _ in range(draws):
        counts = np.bincount(rng.integers(len(names), size=len(names)), minlength=len(names))
        yield counts[index].astype(np.float64)


def mean_interval(
    per_clip: ArrayLike,
    groups: NDArray[np.int64],
    draws: int,
    rng: np.random.Generator,
    counts: ArrayLike | None = None,
) -> list[float]:
    """Percentiles of a mean over clips (N,), groups drawn with replacement; clips with NaN have no say.

    counts: (N,) how often each clip is in the mean; None: once.
    """
    values = np.asarray(per_clip, dtype=np.float64)
    known = np.isfinite(values)
    often = np.where(known, 1.0 if counts is None else np.asarray(counts, dtype=np.float64), 0.0)
    means = [
        np.average(values[known], weights=(weights * often)[known])
        for weights in group_weights(groups, draws, rng)
        if (weights * often).any()
    ]
    return [float(one) for one in np.percentile(means, PERCENTILES_95)] if means else [np.nan, np.nan]


def around(value: float, draws: ArrayLike) -> list[float]:
    """Percentiles of a bootstrap's draws, moved so that their median is the value.

    For distances between sets: drawing leaves fewer different clips in a set, so that the draws' distances are larger
    than the set's own, all by about the same.
    """
    array = np.asarray(draws, dtype=np.float64)
    array = array[np.isfinite(array)]
    if not len(array) or not np.isfinite(value):
        return [np.nan, np.nan]
    low, middle, high = np.percentile(array, (PERCENTILES_95[0], 50.0, PERCENTILES_95[1]))
    return [float(value + low - middle), float(value + high - middle)]
