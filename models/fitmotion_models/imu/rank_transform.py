"""The rank (percentile) transform: a signal gets the distribution of another one and keeps its own order.

As IMUTube (Kwon et al. 2020) and POSE2IMU calibrate virtual readings: a value becomes that real one which as many of
the real values are below.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from fitmotion_models.skeleton.rotations import Float64

LEVELS = 201
"""How many quantiles are kept, evenly from the least value to the greatest."""


@dataclass(frozen=True, eq=False)
class RankTransform:
    """Quantiles of D channels: virtual (L, D) and real (L, D), at the same levels, rising."""

    virtual: Float64
    real: Float64

    def __call__(self, values: ArrayLike) -> Float64:
        """Values (..., D) with the real distribution; NaN stays. Beyond the ends they keep the ends' shift."""
        given = np.asarray(values, dtype=np.float64)
        result = np.empty_like(given)
        for channel in range(given.shape[-1]):
            low, high = self.virtual[:, channel], self.real[:, channel]
            column = given[..., channel]
            # equal quantiles are one point, whose value is the middle of theirs
            points, place = np.unique(low, return_inverse=True)
            targets = np.bincount(place, high) / np.bincount(place)
            inside = np.interp(column, points, targets)
            beyond = np.minimum(column - points[0], 0.0) + np.maximum(column - points[-1], 0.0)
            result[..., channel] = inside + beyond
        return result


def fit_rank_transform(virtual: ArrayLike, real: ArrayLike, levels: int = LEVELS) -> RankTransform:
    """The transform from samples virtual (N, D) to samples real (M, D); rows with NaN are left out."""
    at = np.linspace(0.0, 1.0, levels)
    sides = []
    for values in (virtual, real):
        array = np.asarray(values, dtype=np.float64)
        sides.append(np.quantile(array[np.isfinite(array).all(axis=-1)], at, axis=0))
    return RankTransform(*sides)
