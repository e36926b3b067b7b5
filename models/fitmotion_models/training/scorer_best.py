"""`best`: the ensemble, its settings chosen and its probabilities calibrated on persons that it was not trained on."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.training.scorer_data import ScorerTable, Table
from fitmotion_models.training.scorer_model import FAMILIES, Member, MemberFitter, MemberSettings

MEMBER_LIMIT = 4.0  # log odds that one member may give: none overrules all others


@dataclass(frozen=True, eq=False)
class OneTestScorer:
    """The scorer of one test. Log odds: slope * mean of the members' + offset."""

    members: tuple[Member, ...]
    slope: float
    offset: float

    def meets(self, table: ScorerTable, rows: NDArray[np.intp]) -> Table:
        """Calibrated probability of correct (N,), for some rows of a table."""
        return _sigmoid(self.slope * _mean([member.log_odds(table, rows) for member in self.members]) + self.offset)


@dataclass(frozen=True, eq=False)
class BestScorer:
    """One scorer a test, and the settings that were chosen. out_of_fold: test -> (rows, meets) of training persons."""

    tests: dict[str, OneTestScorer]
    settings: dict[str, MemberSettings]
    out_of_fold: dict[str, tuple[NDArray[np.intp], Table]]


def fit_best(table: ScorerTable, rows: NDArray[np.intp], tests: tuple[str, ...], seed: int) -> BestScorer:
    """Choose settings, calibrate and fit on the given rows alone.

    Every training person is left out in turn; of each family the settings with the smallest log loss on the persons
    left out, over all tests, are taken, and slope and offset of the ensemble are fitted on the same predictions.
    """
    left_out = _left_out(table, rows, tests, seed)
    correct = {test: table.correct[rows[table.movement[rows] == test]] for test in tests}
    settings = {family: _choose(found, correct) for family, found in left_out.items()}
    scorers, out_of_fold = {}, {}
    fitter = MemberFitter(table, rows, seed)
    for test in tests:
        own = rows[table.movement[rows] == test]
        mean = _mean([left_out[family][settings[family], test] for family in FAMILIES])
        slope, offset = calibrate(mean, correct[test])
        members = tuple(fitter.fit(settings[family], test) for family in FAMILIES)
        scorers[test] = OneTestScorer(members, slope, offset)
        out_of_fold[test] = own, _sigmoid(slope * mean + offset)
    return BestScorer(scorers, settings, out_of_fold)


_LeftOut = dict[tuple[MemberSettings, str], Table]


def _left_out(table: ScorerTable, rows: NDArray[np.intp], tests: tuple[str, ...], seed: int) -> dict[str, _LeftOut]:
    """Family -> (settings, test) -> log odds of that test's rows, each person's from a model without the person."""
    own = {test: rows[table.movement[rows] == test] for test in tests}
    found: dict[str, _LeftOut] = {
        family: {(one, test): np.zeros(len(own[test])) for one in options for test in tests}
        for family, options in FAMILIES.items()
    }
    for person in np.unique(table.person[rows]):
        fitter = MemberFitter(table, rows[table.person[rows] != person], seed)
        for family, options in FAMILIES.items():
            for one in options:
                for test in tests:
                    held = table.person[own[test]] == person
                    member = fitter.fit(one, test)
                    found[family][one, test][held] = member.log_odds(table, own[test][held])
    return found


def _choose(left_out: _LeftOut, correct: Mapping[str, NDArray[np.bool_]]) -> MemberSettings:
    """The settings with the smallest log loss, mean over the tests."""

    def loss(settings: MemberSettings) -> float:
        signed = [left_out[settings, test] * np.where(truth, 1.0, -1.0) for test, truth in correct.items()]
        return float(np.mean([np.logaddexp(0.0, -margins).mean() for margins in signed]))

    options = list(dict.fromkeys(settings for settings, _ in left_out))
    return min(options, key=loss)


def calibrate(log_odds: Table, correct: NDArray[np.bool_]) -> tuple[float, float]:
    """Slope and offset that make log odds (N,) probabilities (Platt 1999); the offset is held back by its own size."""
    from scipy.optimize import minimize

    sign = np.where(correct, 1.0, -1.0)

    def loss(parameters: Table) -> float:
        slope, offset = np.exp(parameters[0]), parameters[1]
        return float(np.logaddexp(0.0, -sign * (slope * log_odds + offset)).mean() + 0.02 * offset**2)

    found = minimize(loss, np.zeros(2))
    return float(np.exp(found.x[0])), float(found.x[1])


def _mean(members: list[Table]) -> Table:
    return np.asarray(np.mean(np.clip(members, -MEMBER_LIMIT, MEMBER_LIMIT), axis=0))


def _sigmoid(log_odds: Table) -> Table:
    return np.asarray(1.0 / (1.0 + np.exp(-log_odds)))
