"""Nested cross-validation over persons: every scorer on the same folds, all choices inside the training persons."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.datasets.motion_grades import grade
from fitmotion_models.training.scorer_baselines import linear_baseline, tree_baseline
from fitmotion_models.training.scorer_best import fit_best
from fitmotion_models.training.scorer_data import TESTS, ScorerTable, Table
from fitmotion_models.training.scorer_lstm import LstmScorer
from fitmotion_models.training.scorer_reference import REFERENCE, with_reference

SCORERS = ("rules", "lstm", "best", "baseline_trees", "baseline_linear", "with_baseline")
LEAST_PERSONS = 3


@dataclass(frozen=True, eq=False)
class Fold:
    """What every scorer said of one person's repetitions: scorer -> test -> (rows, probability of correct).

    severity_bins: test -> the probability that best splits our rubric's grades 2 and 1 of the training persons.
    settings: that were chosen for `best`.
    """

    person: str
    meets: dict[str, dict[str, tuple[NDArray[np.intp], Table]]]
    settings: dict[str, str]


def run_fold(table: ScorerTable, person: str, seed: int, scorers: Sequence[str] = SCORERS) -> Fold:
    """Train everything on the other persons and ask it for this one's repetitions."""
    training = np.flatnonzero(table.person != person)
    meets: dict[str, dict[str, tuple[NDArray[np.intp], Table]]] = {name: {} for name in scorers}
    settings: dict[str, str] = {}
    if "best" in scorers:
        best = fit_best(table, training, tuple(TESTS), seed)
        settings = {family: repr(one) for family, one in best.settings.items()}
    for test in TESTS:
        own = np.flatnonzero((table.person == person) & (table.movement == test))
        others = training[table.movement[training] == test]
        if "rules" in scorers and np.isfinite(table.rules_meet[own]).all():
            meets["rules"][test] = own, table.rules_meet[own]
        if "best" in scorers:
            meets["best"][test] = own, best.tests[test].meets(table, own)
        for name, values, make in (
            ("baseline_trees", table.positions, tree_baseline),
            ("baseline_linear", table.angles, linear_baseline),
        ):
            if name in scorers:
                model = make(seed).fit(values[others], table.correct[others])
                meets[name][test] = own, model.predict_proba(values[own])[:, 1]
        if "lstm" in scorers:
            meets["lstm"][test] = own, _lstm(table, others, own, seed)
        if "with_baseline" in scorers:
            kept = own[[table.names[row].repetition not in REFERENCE for row in own]]
            meets["with_baseline"][test] = kept, with_reference(table, training, own, kept, test, seed)
    return Fold(person, meets, settings)


def _lstm(table: ScorerTable, others: NDArray[np.intp], own: NDArray[np.intp], seed: int) -> Table:
    # a movement without rules has no severity: what is incorrect is a 2
    severity = np.nan_to_num(table.severity[others])
    incorrect = ~table.correct[others]
    grades = grade(table.correct[others], severity, float(np.median(severity[incorrect])))
    return LstmScorer(seed=seed).fit(table.frames[others], grades).meets(table.frames[own])


def cross_validate(
    table: ScorerTable,
    seed: int = 0,
    *,
    scorers: Sequence[str] = SCORERS,
    workers: int | None = None,
    progress: Callable[[int, int | None], None] | None = None,
) -> list[Fold]:
    """A fold a person. workers: processes, a core each; None: as many as there are cores.

    Raises ValueError for fewer than three persons.
    """
    persons = table.persons
    if len(persons) < LEAST_PERSONS:
        raise ValueError(
            f"{len(persons)} persons ({', '.join(persons)}); leaving one out of training persons that are left out in "
            f"turn needs at least {LEAST_PERSONS}"
        )
    folds = {}
    # a library's own threads would fight over the cores
    limits = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    before = {name: os.environ.get(name) for name in limits}
    os.environ.update(limits)
    try:
        count = workers or len(os.sched_getaffinity(0))
        with ProcessPoolExecutor(count, mp_context=get_context("spawn")) as pool:
            running = [pool.submit(run_fold, table, person, seed, scorers) for person in persons]
            for number, done in enumerate(as_completed(running), start=1):
                fold = done.result()
                folds[fold.person] = fold
                if progress is not None:
                    progress(number, len(persons))
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value
    return [folds[person] for person in persons]
