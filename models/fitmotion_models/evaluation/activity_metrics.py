"""How well activities are recognised, and by how much better than otherwise: by test person, with intervals."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.evaluation.motion_intervals import mean_interval

Labels = NDArray[np.int64]

METRICS = ("macro_f1", "accuracy")
DRAWS = 10_000


def macro_f1(true: Labels, found: Labels) -> float:
    """The mean over the true labels' F1 scores; labels (N,). A label that is never found has 0."""
    scores = []
    for label in np.unique(true):
        hits = np.sum((true == label) & (found == label))
        scores.append(2.0 * hits / (np.sum(true == label) + np.sum(found == label)))
    return float(np.mean(scores))


def scores_of(true: Labels, found: Labels) -> dict[str, float]:
    """The METRICS of labels (N,)."""
    return {"macro_f1": macro_f1(true, found), "accuracy": float(np.mean(true == found))}


def mean_with_interval(by_person: Mapping[str, float], seed: int = 0) -> dict[str, Any]:
    """{"value", "ci95", "per_person"}: the mean over test persons, who are drawn with replacement for the interval."""
    values = np.array(list(by_person.values()))
    interval = mean_interval(values, np.arange(len(values)), DRAWS, np.random.default_rng(seed))
    return {
        "value": round(float(values.mean()), 4),
        "ci95": [round(end, 4) for end in interval],
        "per_person": {person: round(float(value), 4) for person, value in by_person.items()},
    }


def paired_difference(of: Mapping[str, float], less: Mapping[str, float], seed: int = 0) -> dict[str, Any]:
    """The same of differences, person by person. Raises ValueError where the persons are not the same."""
    if set(of) != set(less):
        odd = sorted(set(of) ^ set(less))
        raise ValueError(f"differences are of the same test persons, but {', '.join(odd)} is on one side only")
    return mean_with_interval({person: value - less[person] for person, value in of.items()}, seed)
