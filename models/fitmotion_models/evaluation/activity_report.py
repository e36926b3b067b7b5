"""What virtual recordings are worth: activities recognised after learning from real, virtual, or both recordings.

UTD-MHAD (Chen et al. 2015): 27 actions, one real sensor. A few persons are learned from and all others tested; what
is learned gets the training persons' recordings only, and says whose they were. Differences are paired by test person.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from os import PathLike
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.datasets.utd_mhad import UtdTrial, read_utd_mhad
from fitmotion_models.evaluation.activity_metrics import (
    METRICS,
    Labels,
    mean_with_interval,
    paired_difference,
    scores_of,
)
from fitmotion_models.evaluation.activity_similarity import similarity

Progress = Callable[[int, int | None], None] | None

REAL, VIRTUAL, BOTH, SHUFFLED = "real", "virtual", "real+virtual", "real+shuffled"
ARMS = (REAL, VIRTUAL, BOTH)
"""What is learned from. SHUFFLED is the control: as BOTH, but the virtual recordings' labels are shuffled."""
_FEWEST_PERSONS = 3
_ALL_SUBSETS = 2  # up to so many training persons every subset is taken, of more as many as there are persons

Sum = dict[str, list[float]]  # test person -> values of all trainings


class ActivityRecogniser(Protocol):
    """What was learned. persons: whose recordings it was learned from. settings: what was chosen among them."""

    @property
    def persons(self) -> frozenset[str]:
        """Whose recordings it was learned from, real and virtual ones."""

    @property
    def settings(self) -> str:
        """What was chosen inside the training persons."""

    def __call__(self, trials: Sequence[UtdTrial]) -> Labels:
        """The actions' numbers (N,)."""


class ActivityLearner(Protocol):
    """What learns; `training.activity_learner` has ours."""

    @property
    def terms(self) -> Mapping[str, Any]:
        """What is the same in all arms, for the report."""

    def learn(self, arm: str, trials: Sequence[UtdTrial], seed: int) -> ActivityRecogniser:
        """Learn from these repetitions and from nothing else."""

    def windows(self, arm: str, trials: Sequence[UtdTrial], seed: int) -> NDArray[np.float32]:
        """(N, C, T) of REAL or VIRTUAL: one window of each repetition."""


@dataclass(frozen=True)
class ActivitySizes:
    """How much is done. persons: how many to learn from. seeds: how often everything random is drawn."""

    persons: tuple[int, ...] = (1, 2, 4)
    seeds: int = 3
    people: int | None = None


QUICK = ActivitySizes(persons=(1, 2), seeds=1, people=3)
"""To see that it runs: the first three persons of the set, one seed."""


def activity_figures(
    source: str | PathLike[str] | Sequence[UtdTrial],
    learner: ActivityLearner,
    *,
    quick: bool = False,
    sizes: ActivitySizes | None = None,
    progress: Progress = None,
) -> dict[str, Any]:
    """All figures, for JSON: by number of training persons the arms and their differences; likeness of the windows.

    source: UTD-MHAD's folder or archive, or its repetitions. Raises ValueError as `read_utd_mhad`, for too few
    persons, and where something was learned from a person who is tested.
    """
    sizes = sizes or (QUICK if quick else ActivitySizes())
    trials = list(source) if isinstance(source, Sequence) and not isinstance(source, str) else read_utd_mhad(source)
    persons = sorted({trial.person for trial in trials})[: sizes.people]
    if len(persons) < _FEWEST_PERSONS:
        raise ValueError(
            f"recordings of {len(persons)} persons; at least {_FEWEST_PERSONS} are needed to learn and test"
        )
    trials = [trial for trial in trials if trial.person in persons]
    counts = [count for count in sizes.persons if count < len(persons)]
    total = sizes.seeds * sum(len(training_sets(persons, count)) for count in counts) + 1
    tick = _counter(progress, total)
    found = {str(count): _trained_on(count, trials, persons, learner, sizes.seeds, tick) for count in counts}
    whose = np.array([trial.person for trial in trials])
    alike = similarity(learner.windows(REAL, trials, 0), learner.windows(VIRTUAL, trials, 0), whose)
    tick()
    return {
        "set": "UTD-MHAD",
        "test_persons": persons,
        "sizes": asdict(sizes),
        "terms": dict(learner.terms),
        "interval": "95 %, bootstrap over test persons, differences paired by test person",
        "training_persons": found,
        "windows": alike,
    }


def _counter(progress: Progress, total: int) -> Callable[[], None]:
    done = iter(range(1, total + 1))
    return lambda: None if progress is None else progress(next(done), total)


def training_sets(persons: Sequence[str], count: int) -> list[tuple[str, ...]]:
    """Who is learned from: every subset of one and of two; of more, neighbours in a circle, each person as often."""
    if count <= _ALL_SUBSETS:
        return list(combinations(persons, count))
    return [tuple(persons[(first + i) % len(persons)] for i in range(count)) for first in range(len(persons))]


def _trained_on(
    count: int,
    trials: Sequence[UtdTrial],
    persons: Sequence[str],
    learner: ActivityLearner,
    seeds: int,
    tick: Callable[[], None],
) -> dict[str, Any]:
    arms = (*ARMS, SHUFFLED) if count == 1 else ARMS
    scores: dict[str, dict[str, Sum]] = {arm: {metric: {} for metric in METRICS} for arm in arms}
    chosen: dict[str, Counter[str]] = {arm: Counter() for arm in ARMS}
    for training in training_sets(persons, count):
        for seed in range(seeds):
            for arm in arms:
                recogniser, tested = _tested(arm, training, trials, learner, seed)
                for person, values in tested:
                    for metric, value in values.items():
                        scores[arm][metric].setdefault(person, []).append(value)
                if arm in chosen and seed == 0:
                    chosen[arm][recogniser.settings] += 1
            tick()
    means = {
        arm: {
            metric: {who: float(np.mean(values)) for who, values in sorted(of.items())} for metric, of in rows.items()
        }
        for arm, rows in scores.items()
    }
    differences = [(BOTH, REAL), (VIRTUAL, REAL), *([(SHUFFLED, REAL)] if SHUFFLED in arms else [])]
    return {
        "subsets": len(training_sets(persons, count)),
        "arms": {arm: {metric: mean_with_interval(rows[metric]) for metric in METRICS} for arm, rows in means.items()},
        "differences": {
            f"({of}) - {less}": {
                metric: paired_difference(means[of][metric], means[less][metric]) for metric in METRICS
            }
            for of, less in differences
        },
        "chosen": {arm: dict(counter.most_common()) for arm, counter in chosen.items()},
    }


def _tested(
    arm: str, training: Sequence[str], trials: Sequence[UtdTrial], learner: ActivityLearner, seed: int
) -> tuple[ActivityRecogniser, list[tuple[str, dict[str, float]]]]:
    recogniser = learner.learn(arm, [trial for trial in trials if trial.person in training], seed)
    held = [trial for trial in trials if trial.person not in training]
    leaked = sorted(recogniser.persons & {trial.person for trial in held})
    if leaked:
        raise ValueError(
            f"what learned from {arm} recordings knows {', '.join(leaked)}, who is tested; leave that person out of "
            "its recordings, calibration and normalisation"
        )
    found = recogniser(held)
    return recogniser, [(person, scores_of(true, said)) for person, true, said in _by_person(held, found)]


def _by_person(held: Sequence[UtdTrial], found: Labels) -> Iterator[tuple[str, Labels, Labels]]:
    whose = np.array([trial.person for trial in held])
    true = np.array([trial.action for trial in held], dtype=np.int64)
    for person in np.unique(whose):
        rows = whose == person
        yield str(person), true[rows], found[rows]
