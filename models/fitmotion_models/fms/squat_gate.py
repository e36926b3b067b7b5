"""Tells a deep squat from sitting down, for whoever does not know which of them is asked for.

Both lower the pelvis over planted feet with both knees bent alike. A deep squat has the arms overhead from the start
and keeps them there, its weight over the feet where a chair takes it behind the heels, its shins forward, and it turns
at the bottom where a person who sits stays. A logistic of these five, each of one repetition and the stance before it.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib import resources

import numpy as np

from fitmotion_models.fms.moment import ANKLES, HEELS, KNEES, NECK, PELVIS, WRISTS, Array, Body, forward_lean, mean_body
from fitmotion_models.fms.repetitions import Repetition
from fitmotion_models.fms.squat_checks import centre_of_mass

# Lengths in leg lengths of the stance, angles in degrees, times in seconds.
FEATURES = (
    "centre_of_mass_ahead",  # of the heels, at the lowest point
    "seconds_near_lowest",  # within a tenth of the drop
    "hands_above_neck",  # at the lowest point
    "hands_above_neck_before",  # in the stance
    "shin_lean",  # forward, at the lowest point, mean of both
)
WEIGHTS_FILE = "deep_squat_gate.json"

_NEAR_SHARE = 0.1
_AVERAGING = 0.1  # s before and after the lowest point
# Strength of the pull of all coefficients to 0, per repetition: keeps a separable fit finite.
_RIDGE = 0.01


def squat_features(repetition: Repetition) -> Array:
    """(5,) the `FEATURES` of a repetition, NaN where unseen."""
    stance = repetition.stance
    lowest = repetition.frames[repetition.lowest].stamp
    body = mean_body([one for one in repetition.frames if abs(one.stamp - lowest) <= _AVERAGING])
    along = body.points @ stance.facing
    heels = np.nanmean(
        [*along[list(HEELS)], *(along[list(ANKLES)] if not np.isfinite(along[list(HEELS)]).any() else ())]
    )
    centre = float(centre_of_mass(body) @ stance.facing)
    shins = forward_lean(body.points[list(KNEES)] - body.points[list(ANKLES)], stance.facing)
    length = stance.leg_length
    return np.array(
        [
            (centre - float(heels)) / length,
            _seconds_near_lowest(repetition),
            _hands_above_neck(body) / length,
            _hands_above_neck(stance.body) / length,
            float(np.nanmean(shins)) if np.isfinite(shins).any() else math.nan,
        ]
    )


def _seconds_near_lowest(repetition: Repetition) -> float:
    heights = np.array([one.points[PELVIS, 2] for one in repetition.frames])
    stamps = np.array([one.stamp for one in repetition.frames])
    lowest = float(np.nanmin(heights))
    drop = float(repetition.stance.body.points[PELVIS, 2]) - lowest
    near = heights[:-1] - lowest < _NEAR_SHARE * drop
    return float(np.diff(stamps)[near].sum())


def _hands_above_neck(body: Body) -> float:
    hands = body.points[list(WRISTS), 2]
    return float(np.nanmean(hands) - body.points[NECK, 2]) if np.isfinite(hands).any() else math.nan


@dataclass(frozen=True)
class SquatGate:
    """How likely a repetition is a deep squat: a logistic over `FEATURES`, each less its mean over its spread.

    persons: whose repetitions it was fitted on.
    """

    means: tuple[float, ...]
    spreads: tuple[float, ...]
    weights: tuple[float, ...]
    bias: float
    persons: tuple[str, ...] = ()

    def probability(self, repetition: Repetition) -> float:
        """0 to 1 that a repetition is a deep squat; what is unseen says nothing."""
        return float(self.probabilities(squat_features(repetition)[None])[0])

    def probabilities(self, features: Array) -> Array:
        """(N,) of features (N, 5)."""
        scaled = np.nan_to_num((features - np.array(self.means)) / np.array(self.spreads), nan=0.0)
        logits = scaled @ np.array(self.weights) + self.bias
        return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logits, -40.0, 40.0))))


def fit_squat_gate(features: Array, squats: Sequence[bool], persons: Sequence[str] = ()) -> SquatGate:
    """The gate that fits best: features (N, 5), which of them are deep squats, whose they are.

    Raises ValueError without both kinds.
    """
    labels = np.asarray(squats, dtype=np.float64)
    if not 0.0 < labels.mean() < 1.0:
        raise ValueError("the gate needs deep squats and other repetitions to be fitted")
    means, spreads = np.nanmean(features, axis=0), np.nanstd(features, axis=0)
    scaled = np.column_stack([np.nan_to_num((features - means) / spreads), np.ones(len(features))])
    ridge = _RIDGE * len(features) * np.append(np.ones(len(means)), 0.0)
    weights = np.zeros(scaled.shape[1])
    # Newton's method; a convex function of six numbers
    for _ in range(50):
        chances = 1.0 / (1.0 + np.exp(-scaled @ weights))
        gradient = scaled.T @ (chances - labels) + ridge * weights
        curvature = (scaled.T * (chances * (1.0 - chances))) @ scaled + np.diag(ridge) + 1e-9 * np.eye(len(weights))
        step = np.linalg.solve(curvature, gradient)
        weights = weights - step
        if np.abs(step).max() < 1e-9:
            break
    numbers = [tuple(float(one) for one in array) for array in (means, spreads, weights[:-1])]
    return SquatGate(numbers[0], numbers[1], numbers[2], float(weights[-1]), tuple(sorted(set(persons))))


def gate_as_json(gate: SquatGate) -> str:
    """The gate as its weights file has it."""
    return json.dumps({"features": FEATURES, **asdict(gate)}, indent=2) + "\n"


@lru_cache(maxsize=1)
def default_squat_gate() -> SquatGate:
    """The gate that ships; its card lies beside it."""
    text = resources.files("fitmotion_models.weights").joinpath(WEIGHTS_FILE).read_text(encoding="utf-8")
    values = json.loads(text)
    numbers = [tuple(values[name]) for name in ("means", "spreads", "weights")]
    return SquatGate(numbers[0], numbers[1], numbers[2], values["bias"], tuple(values["persons"]))
