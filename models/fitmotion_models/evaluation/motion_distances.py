"""How far generated motion is from that of persons who were never seen, against how far real training persons are."""

from collections.abc import Callable
from typing import Any

import numpy as np

from fitmotion_models.evaluation.motion_intervals import around, group_weights, over_repetitions
from fitmotion_models.evaluation.motion_metrics import FID_DIMENSIONS, KidKernels, fid, principal_axes
from fitmotion_models.evaluation.motion_samples import EmbeddedSamples
from fitmotion_models.skeleton.rotations import Float64

HALVES = 10
"""Ways in which persons are halved where there are no training persons to stand for real data."""

Weighted = Callable[[Float64, Float64], float]
"""A distance of two sets whose clips count as often as weights (N,) and (M,) say."""

Distance = Callable[[Float64, Float64], Weighted]


def fidelity(
    ours: EmbeddedSamples,
    theirs: EmbeddedSamples,
    training: EmbeddedSamples | None,
    still: EmbeddedSamples,
    bootstraps: int,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """FID in at most 64 dimensions and KID of generated clips (`ours`) against `theirs`, of held-out persons.

    Real data's own is that of the training persons' clips against `theirs`, and "ratio" the generated's over it; where
    there are none, that of one half of the held-out persons against the other, without a ratio. The bootstrap draws
    held-out and training persons; generated clips stay as they are. Chance: real clips held in their first frame. Sizes
    and dimensions are stated: FID of few clips is too large.
    """
    distances: dict[str, Distance] = {
        "fid": _FidDistance(principal_axes(theirs.motions, _dimensions(theirs))),
        "kid": _kid_distance,
    }
    return {
        name: _distance_figures(distance, ours, theirs, training, still, bootstraps, rng)
        | ({"dimensions": _dimensions(theirs)} if name == "fid" else {})
        for name, distance in distances.items()
    }


class _FidDistance:
    """FID in given directions (D, K)."""

    def __init__(self, axes: Float64) -> None:
        self._axes = axes

    def __call__(self, first: Float64, second: Float64) -> Weighted:
        a, b = first @ self._axes, second @ self._axes
        return lambda weights, others: fid(a, b, weights, others)


def _kid_distance(first: Float64, second: Float64) -> Weighted:
    return KidKernels(first, second).kid


def _dimensions(theirs: EmbeddedSamples) -> int:
    return min(FID_DIMENSIONS, len(theirs) - 1, theirs.motions.shape[1])


def _distance_figures(
    distance: Distance,
    ours: EmbeddedSamples,
    theirs: EmbeddedSamples,
    training: EmbeddedSamples | None,
    still: EmbeddedSamples,
    bootstraps: int,
    rng: np.random.Generator,
) -> dict[str, Any]:
    generated = distance(ours.motions, theirs.motions)
    value = _whole(generated, ours, theirs)
    runs = [ours.motions[ours.runs == run] for run in np.unique(ours.runs)]
    drawn = list(group_weights(theirs.groups, bootstraps, rng))
    everyone = np.ones(len(theirs))
    draws = np.array([generated(np.ones(len(ours)), weights) for weights in drawn])
    figures = {
        **over_repetitions([distance(run, theirs.motions)(np.ones(len(run)), everyone) for run in runs]),
        "ci95_bootstrap": around(value, draws),
        "chance": _whole(distance(still.motions, theirs.motions), still, theirs),
        "chance_is": "real clips held in their first frame",
    }
    if training is None:
        halves = _halves(distance, theirs, rng)
        return {**figures, "real": halves, "real_is": "one half of the held-out persons against the other"}
    return {**figures, **_against_training(distance, training, theirs, (value, draws), drawn, rng)}


def _against_training(
    distance: Distance,
    training: EmbeddedSamples,
    theirs: EmbeddedSamples,
    generated: tuple[float, Float64],
    drawn: list[Float64],
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Real data's own distance, and the generated clips' (its value and draws under `drawn`) over it."""
    value, draws = generated
    real = distance(training.motions, theirs.motions)
    real_value = _whole(real, training, theirs)
    pairs = zip(group_weights(training.groups, len(drawn), rng), drawn, strict=True)
    real_draws = np.array([real(*pair) for pair in pairs])
    # moved as in `around`, one by one: a ratio of two distances that are both too large is not their ratio
    moved, real_moved = draws + value - np.median(draws), real_draws + real_value - np.median(real_draws)
    ratios = np.divide(moved, real_moved, out=np.full(len(moved), np.nan), where=real_moved > 0.0)
    ratio = value / real_value if real_value > 0.0 else np.nan
    return {
        "real": {"value": real_value, "ci95_bootstrap": around(real_value, real_draws)},
        "real_is": "training persons against held-out persons",
        "ratio": {"value": ratio, "ci95_bootstrap": around(ratio, ratios)},
    }


def _whole(distance: Weighted, first: EmbeddedSamples, second: EmbeddedSamples) -> float:
    return distance(np.ones(len(first)), np.ones(len(second)))


def _halves(distance: Distance, theirs: EmbeddedSamples, rng: np.random.Generator) -> dict[str, Any]:
    """Persons halved at random, several times; NaN where there is one person."""
    persons = np.unique(theirs.groups)
    values = []
    for _ in range(HALVES if len(persons) > 1 else 0):
        half = np.isin(theirs.groups, rng.permutation(persons)[: len(persons) // 2])
        first, second = theirs.motions[half], theirs.motions[~half]
        if min(len(first), len(second)) > 1:
            values.append(distance(first, second)(np.ones(len(first)), np.ones(len(second))))
    return over_repetitions(values or [np.nan])
