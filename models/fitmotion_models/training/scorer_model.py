"""The learned scorer: a few small models of different kinds that learn from all movements of the legs at once.

What tells a correct repetition from an incorrect one is much alike in all of them (it is steady, even, goes with the
pelvis), and seven persons a test are few: each model is trained on the repetitions of six movements, every movement
centred and scaled by its own training repetitions, those of the wanted test counting more. Directions in which persons
differ from each other are damped before a linear model is fitted, as the next person will differ there too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.training.scorer_data import ScorerTable, Table

FEATURE_LIMIT = 5.0  # standard deviations; further out is as far
SHARE_LIMIT = 0.02  # of a forest, on either side
# what spreads less than this in a movement (planted feet stand still) says nothing of it, and is left out
_LEAST_SPREAD, _LEFT_OUT = 0.005, 1e6

MOVING = ("log_range", "log_residual", "log_asymmetry", "log_speed", "change", "slope")
EXTENT = ("log_range", "change", "slope")
ALL = (*MOVING, "lowest", "mean")


@dataclass(frozen=True)
class MemberSettings:
    """One model of the ensemble.

    kind: "linear" or "trees". summaries: which of each curve it takes. sided: the curves by side. own_weight: of the
    test's own repetitions against those of the other movements. Of linear ones, damping: of directions in which persons
    differ; strength: of the fit (the inverse of the penalty). Of trees, trees and least_leaf.
    """

    kind: str
    summaries: tuple[str, ...]
    sided: bool = False
    own_weight: float = 3.0
    damping: float = 0.0
    strength: float = 0.01
    trees: int = 150
    least_leaf: int = 3


FAMILIES: dict[str, tuple[MemberSettings, ...]] = {
    "moving": tuple(
        MemberSettings("linear", MOVING, damping=d, strength=c) for d in (1.0, 3.0, 10.0) for c in (0.01, 0.03)
    ),
    "whole": tuple(MemberSettings("linear", ALL, damping=d, strength=c) for d in (0.0, 1.0) for c in (0.003, 0.01)),
    "sided": tuple(
        MemberSettings("linear", ALL, sided=True, damping=d, strength=c) for d in (1.0, 3.0) for c in (0.01, 0.03)
    ),
    "trees": (MemberSettings("trees", EXTENT),),
}
"""The families and, of each, the settings that are chosen from by the training persons alone."""


@dataclass(frozen=True, eq=False)
class LinearPart:
    """Log odds = features @ weights + bias, after clipping (features - centre) / scale to +-5."""

    columns: NDArray[np.intp]
    centre: Table
    scale: Table
    weights: Table
    bias: float


@dataclass(frozen=True, eq=False)
class TreesPart:
    """A forest on the same clipped features; its share of votes becomes log odds."""

    columns: NDArray[np.intp]
    centre: Table
    scale: Table
    forest: Any


@dataclass(frozen=True, eq=False)
class Member:
    """A fitted model of one test. sided: whether it takes the sided features (both rows, averaged)."""

    part: LinearPart | TreesPart
    sided: bool

    def log_odds(self, table: ScorerTable, rows: NDArray[np.intp]) -> Table:
        """(N,) of correct, for some rows of a table."""
        if not self.sided:
            return part_log_odds(self.part, table.whole[rows])
        both = [part_log_odds(self.part, table.sided[rows, one]) for one in (0, 1)]
        return np.asarray(0.5 * (both[0] + both[1]))


def part_log_odds(part: LinearPart | TreesPart, features: Table) -> Table:
    """(N,) for features (N, F); what is unseen counts as the mean."""
    clipped = _clipped(features[:, part.columns], part.centre, part.scale)
    if isinstance(part, LinearPart):
        return np.asarray(clipped @ part.weights + part.bias)
    share = np.clip(part.forest.predict_proba(clipped.astype(np.float32))[:, 1], SHARE_LIMIT, 1.0 - SHARE_LIMIT)
    return np.asarray(np.log(share / (1.0 - share)))


def _clipped(features: Table, centre: Table, scale: Table) -> Table:
    return np.nan_to_num(np.clip((features - centre) / scale, -FEATURE_LIMIT, FEATURE_LIMIT), nan=0.0)


class MemberFitter:
    """Fits members on the repetitions of some persons; what several of them share is computed once.

    table: all repetitions. rows: those to train on.
    """

    def __init__(self, table: ScorerTable, rows: NDArray[np.intp], seed: int) -> None:
        self._table, self._rows, self._seed = table, rows, seed
        self._prepared: dict[tuple[tuple[str, ...], bool], _Prepared] = {}
        self._damped: dict[tuple[tuple[str, ...], bool, float], Table] = {}

    def fit(self, settings: MemberSettings, movement: str) -> Member:
        """The model of one test."""
        prepared = self._prepare(settings.summaries, settings.sided)
        own = prepared.movement == movement
        weight = np.where(own, settings.own_weight, 1.0) * prepared.weight
        centre, scale = prepared.centres[movement], prepared.scales[movement]
        if settings.kind == "trees":
            from sklearn.ensemble import ExtraTreesClassifier

            forest = ExtraTreesClassifier(
                n_estimators=settings.trees, min_samples_leaf=settings.least_leaf, random_state=self._seed
            )
            forest.fit(prepared.features.astype(np.float32), prepared.correct, sample_weight=weight)
            return Member(TreesPart(prepared.columns, centre, scale, forest), settings.sided)
        from sklearn.linear_model import LogisticRegression

        turn = self._damping(settings)
        model = LogisticRegression(C=settings.strength, max_iter=2000)
        model.fit(prepared.features @ turn, prepared.correct, sample_weight=weight)
        return Member(
            LinearPart(prepared.columns, centre, scale, turn @ model.coef_[0], float(model.intercept_[0])),
            settings.sided,
        )

    def _prepare(self, summaries: tuple[str, ...], sided: bool) -> "_Prepared":
        key = (summaries, sided)
        if key not in self._prepared:
            self._prepared[key] = _prepare(self._table, self._rows, summaries, sided)
        return self._prepared[key]

    def _damping(self, settings: MemberSettings) -> Table:
        key = (settings.summaries, settings.sided, settings.damping)
        if key not in self._damped:
            self._damped[key] = _person_damping(self._prepare(settings.summaries, settings.sided), settings.damping)
        return self._damped[key]


@dataclass(frozen=True, eq=False)
class _Prepared:
    """Training features (N, F), clipped; what they are of; centre and scale of every movement."""

    columns: NDArray[np.intp]
    features: Table
    movement: NDArray[np.str_]
    person: NDArray[np.str_]
    correct: NDArray[np.bool_]
    weight: Table
    centres: dict[str, Table]
    scales: dict[str, Table]


def columns_of(names: Sequence[str], summaries: Sequence[str]) -> NDArray[np.intp]:
    """Which features are one of these summaries."""
    return np.array([index for index, name in enumerate(names) if name.split(":")[1] in summaries])


def _prepare(table: ScorerTable, rows: NDArray[np.intp], summaries: tuple[str, ...], sided: bool) -> _Prepared:
    columns = columns_of(table.sided_names if sided else table.whole_names, summaries)
    if sided:
        rows = np.repeat(rows, 2)
        raw = table.sided[rows, np.arange(len(rows)) % 2][:, columns]
    else:
        raw = table.whole[rows][:, columns]
    movement = table.movement[rows]
    features, centres, scales = np.empty_like(raw), {}, {}
    for one in np.unique(movement):
        part = raw[movement == one]
        spread = np.nanstd(part, axis=0)
        centres[str(one)], scales[str(one)] = (
            np.nanmean(part, axis=0),
            np.where(spread < _LEAST_SPREAD, _LEFT_OUT, spread),
        )
        features[movement == one] = _clipped(part, centres[str(one)], scales[str(one)])
    weight = np.full(len(rows), 0.5 if sided else 1.0)
    return _Prepared(columns, features, movement, table.person[rows], table.correct[rows], weight, centres, scales)


def _person_damping(prepared: _Prepared, damping: float) -> Table:
    """(F, F): (1 + damping * C)^-1/2, C the covariance of persons' means about those of their movement and label."""
    size = prepared.features.shape[1]
    if damping == 0.0:
        return np.eye(size)
    offsets = []
    persons = np.unique(prepared.person)
    for movement in np.unique(prepared.movement):
        for correct in (False, True):
            chosen = (prepared.movement == movement) & (prepared.correct == correct)
            means = np.array(
                [prepared.features[chosen & (prepared.person == person)].mean(axis=0) for person in persons]
            )
            offsets.append(means - means.mean(axis=0))
    spread = np.concatenate(offsets)
    values, vectors = np.linalg.eigh(np.eye(size) + damping * spread.T @ spread / len(spread))
    return np.asarray(vectors / np.sqrt(values) @ vectors.T)
