"""The learned scorer of a test: how likely a repetition is one that a clinician calls correct. It warns, rules explain.

Its weights are trained on UI-PRMD, whose labels are "correct" and "incorrect"; the grades 1 and 2 that it gives to what
is not correct are bins of this project's own rubric: "graded by our rubric".
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import numpy as np

from fitmotion_models import weights
from fitmotion_models.fms.learned_features import RepetitionFeatures, repetition_features
from fitmotion_models.fms.repetitions import Repetition
from fitmotion_models.fms.values import NOT_SCORABLE, Movement, Side
from fitmotion_models.runtime.session import Model, load_model

# a repetition of which a smaller share of the features is seen is not scored
LEAST_SEEN = 0.8


@dataclass(frozen=True)
class LearnedScore:
    """meets: the probability that the repetition is correct, NaN where too little of it was seen.

    score: 3 where that is at least a half, else 2 or 1, graded by our rubric; -1 where too little was seen.
    """

    meets: float
    score: int


UNSCORED = LearnedScore(math.nan, NOT_SCORABLE)


class LearnedScorer:
    """The network of one test. movement: which one. model: what it gave to the runtime."""

    def __init__(self, movement: Movement, path: str | Path) -> None:
        """Load a network. Raises ValueError for a file that is none, or of other features than this code's."""
        self.movement = movement
        self.model: Model = load_model(path, providers="cpu")
        self._names = tuple(self.model.metadata["features"].split())
        self._grade_2_from = float(self.model.metadata["grade_2_from"])

    def score(self, repetition: Repetition, side: Side) -> LearnedScore:
        """Score a repetition as it was found; it depends on the repetition and its stance alone.

        side: that it was done on, BOTH where the test has none.
        """
        try:
            found = repetition_features(repetition, side)
        except ValueError:  # the stance does not show the legs
            return UNSCORED
        return self.score_features(found)

    def score_features(self, found: RepetitionFeatures) -> LearnedScore:
        """Score the features of one repetition."""
        if (*found.names, *found.sided_names) != self._names:
            name = self.model.path.name
            raise ValueError(f"{name} was trained on other features than this code makes; train it again")
        if np.isfinite(found.values).mean() < LEAST_SEEN:
            return UNSCORED
        out = self.model.run({"features": found.values[None], "sided_features": found.sided})
        meets = float(out["meets"][0, 0])
        return LearnedScore(meets, 3 if meets >= 0.5 else 2 if meets >= self._grade_2_from else 1)


@lru_cache
def learned_scorer(movement: Movement) -> LearnedScorer | None:
    """The shipped scorer of a test; None where there is none: only four tests have data. Loaded once."""
    path = files(weights) / f"{weights_name(movement)}.onnx"
    return LearnedScorer(movement, str(path)) if path.is_file() else None


def weights_name(movement: Movement) -> str:
    """Name of a test's network and of its card, without their endings."""
    return f"fms_scorer_{movement.name.lower()}"
