"""The activity benchmark's measures against scikit-learn and closed forms, and its protocol with learners made here."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fitmotion_models.evaluation.activity_metrics import macro_f1, mean_with_interval, paired_difference
from fitmotion_models.evaluation.activity_report import (
    BOTH,
    REAL,
    SHUFFLED,
    VIRTUAL,
    ActivitySizes,
    activity_figures,
    training_sets,
)
from fitmotion_models.evaluation.activity_similarity import similarity

PERSONS = [f"utd:s{number}" for number in range(1, 8)]


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 6)), min_size=1, max_size=40))
def test_macro_f1_is_that_of_scikit_learn(pairs):
    sklearn = pytest.importorskip("sklearn.metrics")
    true, found = np.array(pairs).T
    expected = sklearn.f1_score(true, found, labels=np.unique(true), average="macro", zero_division=0)
    assert macro_f1(true, found) == pytest.approx(expected)


def test_interval_is_that_of_the_mean_over_persons():
    values = dict(zip(PERSONS, [0.1, 0.3, 0.2, 0.25, 0.15, 0.05, 0.35], strict=True))
    found = mean_with_interval(values)
    # the bootstrap's distribution of a mean is nearly normal, with the standard deviation of the population over root N
    spread = np.std(list(values.values())) / np.sqrt(len(values))
    assert found["value"] == pytest.approx(0.2)
    assert found["ci95"] == pytest.approx([0.2 - 1.96 * spread, 0.2 + 1.96 * spread], abs=0.006)


def test_differences_are_paired():
    of = {person: 0.5 + 0.1 * number for number, person in enumerate(PERSONS)}
    found = paired_difference(of, {person: value - 0.02 for person, value in of.items()})
    assert found["ci95"] == [0.02, 0.02], "persons differ by .1, but every one gains the same"
    with pytest.raises(ValueError, match="utd:s1 is on one side only"):
        paired_difference(of, {person: 0.0 for person in PERSONS[1:]})


def test_every_person_teaches_as_often():
    for count, subsets in ((1, 7), (2, 21), (4, 7)):
        sets = training_sets(PERSONS, count)
        assert len({frozenset(one) for one in sets}) == subsets
        assert set(Counter(person for one in sets for person in one).values()) == {subsets * count // 7}


def test_likeness_of_windows():
    random = np.random.default_rng(0)
    persons = np.repeat(PERSONS, 40)
    windows = random.standard_normal((2, len(persons), 6, 96)).astype(np.float32)
    same = similarity(windows[0], windows[0], persons)
    assert same["psd_distance_db"] == 0.0
    assert similarity(*windows, persons)["discriminative_score"] < 0.1, "both are the same noise"
    twice = similarity(windows[0], 2.0 * windows[0], persons)
    assert twice["psd_distance_db"] == pytest.approx(20.0 * np.log10(2.0), abs=0.01)
    assert twice["discriminative_accuracy"] > 0.95


@dataclass(frozen=True)
class Trial:
    """What the protocol needs to know of a repetition."""

    person: str
    action: int


@dataclass
class Recogniser:
    persons: frozenset
    right: float
    seed: int
    settings: str = "made here"

    def __call__(self, trials):
        """Right about this share, the same trials in every arm."""
        random = np.random.default_rng(self.seed)
        sure = random.permuted(np.linspace(0.0, 1.0, len(trials)))
        return np.array(
            [trial.action if chance < self.right else 99 for trial, chance in zip(trials, sure, strict=True)]
        )


class Learner:
    """Arms of known worth; leaking: whose recordings get in without being asked for."""

    terms = {"network": "none"}
    worth = {REAL: 0.5, VIRTUAL: 0.3, BOTH: 0.6, SHUFFLED: 0.5}

    def __init__(self, leaking=()):
        self.leaking, self.asked = frozenset(leaking), []

    def learn(self, arm, trials, seed):
        persons = frozenset(trial.person for trial in trials)
        self.asked.append((arm, persons, seed))
        return Recogniser(persons | self.leaking, self.worth[arm], seed)

    def windows(self, arm, trials, seed):
        return np.random.default_rng(seed).standard_normal((len(trials), 6, 96)).astype(np.float32)


TRIALS = [Trial(person, action) for person in PERSONS for action in range(1, 11)]


@pytest.mark.slow
def test_protocol():
    learner = Learner()
    found = activity_figures(TRIALS, learner, sizes=ActivitySizes(persons=(1, 2, 4), seeds=2))
    assert list(found["training_persons"]) == ["1", "2", "4"]
    for count, subsets in ((1, 7), (2, 21), (4, 7)):
        assert found["training_persons"][str(count)]["subsets"] == subsets
        asked = [(arm, who, seed) for arm, who, seed in learner.asked if len(who) == count and arm != SHUFFLED]
        assert len(set(asked)) == len(asked) == subsets * 3 * 2, (
            "every arm learns of the same persons, by each seed once"
        )
    gain = found["training_persons"]["1"]["differences"][f"({BOTH}) - {REAL}"]["accuracy"]
    assert gain["value"] == pytest.approx(0.1, abs=0.02) and gain["ci95"][0] > 0.0
    assert set(gain["per_person"]) == set(PERSONS)
    nothing = found["training_persons"]["1"]["differences"][f"({SHUFFLED}) - {REAL}"]["accuracy"]
    assert nothing["ci95"] == [0.0, 0.0]


def test_what_knows_a_tested_person_is_refused():
    with pytest.raises(ValueError, match="knows utd:s3, who is tested"):
        activity_figures(TRIALS, Learner(leaking=["utd:s3"]), sizes=ActivitySizes(persons=(1,), seeds=1))


def test_too_few_persons_are_refused():
    with pytest.raises(ValueError, match="at least 3"):
        activity_figures([trial for trial in TRIALS if trial.person in PERSONS[:2]], Learner())
