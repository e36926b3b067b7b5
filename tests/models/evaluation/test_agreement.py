"""Agreement between raters, against the worked examples of those who published the statistics."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitmotion_models.evaluation.agreement import (
    agreement_share,
    bland_altman,
    count_table,
    disagreement_weights,
    kappa_of_table,
    reliability,
    weighted_kappa,
)

# Shrout & Fleiss 1979, table 2: six targets, four judges
SHROUT_FLEISS = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
# Bland & Altman 1986, table 1: peak expiratory flow by two meters, l/min
LARGE_METER = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
MINI_METER = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]
# Agresti 1990, p. 367: answers of husbands (rows) and wives
ANSWERS = [[7, 7, 2, 3], [2, 8, 3, 7], [1, 5, 4, 9], [2, 8, 9, 14]]

scores = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=40)


def test_icc_of_shrout_and_fleiss():
    found = reliability(SHROUT_FLEISS)
    assert (found.cases, found.raters) == (6, 4)
    assert found.icc_2_1.value == pytest.approx(0.29, abs=0.005)
    assert found.icc_3_1.value == pytest.approx(0.71, abs=0.005)
    # as R's psych::ICC prints them for this table
    assert (found.icc_2_1.low, found.icc_2_1.high) == pytest.approx((0.019, 0.76), abs=0.005)
    assert (found.icc_3_1.low, found.icc_3_1.high) == pytest.approx((0.342, 0.95), abs=0.005)
    # their mean squares: between judges 32.49, rest 1.02
    assert found.sem_consistency == pytest.approx(np.sqrt(1.02), abs=0.002)
    assert found.sem == pytest.approx(np.sqrt((32.49 - 1.02) / 6 + 1.02), abs=0.003)
    assert found.mdc == pytest.approx(1.96 * np.sqrt(2) * found.sem, rel=1e-4)


def test_kappa_of_cohen():
    # Cohen 1968: kappa .492, weighted .348
    shares = [[0.44, 0.07, 0.09], [0.05, 0.20, 0.05], [0.01, 0.03, 0.06]]
    assert kappa_of_table(shares, disagreement_weights(3, "unweighted")) == pytest.approx(0.492, abs=0.0006)
    assert kappa_of_table(shares, [[0, 1, 3], [1, 0, 6], [3, 6, 0]]) == pytest.approx(0.348, abs=0.0006)


def test_linear_kappa_of_agresti():
    # R's vcd::Kappa(SexualFun): unweighted 0.1293, weighted 0.2374
    assert kappa_of_table(ANSWERS, disagreement_weights(4, "unweighted")) == pytest.approx(0.1293, abs=5e-5)
    assert kappa_of_table(ANSWERS, disagreement_weights(4, "linear")) == pytest.approx(0.2374, abs=5e-5)


def test_limits_of_bland_and_altman():
    found = bland_altman(LARGE_METER, MINI_METER)
    assert found.bias.value == pytest.approx(-2.1, abs=0.05) and found.sd == pytest.approx(38.8, abs=0.05)
    assert (found.bias.low, found.bias.high) == pytest.approx((-22.0, 17.8), abs=0.1)
    # they take 2 SD and round on the way: -79.7 (-114.3 to -45.1) and 75.5 (40.9 to 110.1)
    for limit, published in ((found.lower_limit, (-79.7, -114.3, -45.1)), (found.upper_limit, (75.5, 40.9, 110.1))):
        assert (limit.value, limit.low, limit.high) == pytest.approx(published, abs=2.0)


@given(scores)
def test_quadratic_kappa_is_the_concordance_of_moments(pairs):
    one, two = np.array(pairs, float).T
    below = one.var() + two.var() + (one.mean() - two.mean()) ** 2
    found = kappa_of_table(count_table(one, two, 4), disagreement_weights(4, "quadratic"))
    if below == 0:
        assert np.isnan(found)
    else:
        assert found == pytest.approx(2 * np.mean((one - one.mean()) * (two - two.mean())) / below, abs=1e-9)


@given(scores, st.integers(-5, 5))
def test_consistency_ignores_a_strict_rater_and_agreement_does_not(pairs, shift):
    table = np.array(pairs, float)
    before, after = reliability(table), reliability(table + [0, shift])
    assert after.icc_3_1.value == pytest.approx(before.icc_3_1.value, abs=1e-9, nan_ok=True)
    assert after.sem_consistency == pytest.approx(before.sem_consistency, abs=1e-6)
    if shift and np.ptp(table[:, 0] - table[:, 1]) == 0 and np.ptp(table[:, 0]):
        same = table[:, [0, 0]]
        assert reliability(same).icc_2_1.value == 1 and reliability(same + [0, shift]).icc_2_1.value < 1


def test_raters_that_always_agree():
    found = reliability([[1, 1], [2, 2], [3, 3]])
    assert found.icc_2_1 == found.icc_3_1 and found.icc_2_1.value == found.icc_2_1.low == 1
    assert found.sem == found.mdc == 0
    nothing = reliability([[2, 2], [2, 2]])
    assert np.isnan(nothing.icc_2_1.value) and np.isnan(nothing.icc_3_1.low)


def test_the_interval_of_icc_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(3)
    truth, inside = 0.5, 0
    for _ in range(400):  # variances: persons 2, raters 1, rest 1
        made = rng.normal(0, 2**0.5, (20, 1)) + rng.normal(0, 1, (1, 6)) + rng.normal(0, 1, (20, 6))
        inside += reliability(made).icc_2_1.low <= truth <= reliability(made).icc_2_1.high
    assert 0.92 <= inside / 400 <= 0.98


def test_the_interval_of_kappa_draws_persons_not_cases():
    rng = np.random.default_rng(1)
    one = rng.integers(0, 4, 60)
    two = np.where(rng.random(60) < 0.6, one, rng.integers(0, 4, 60))
    alone = weighted_kappa(one, two, [str(n) for n in range(60)], kind="linear")
    assert alone.low < alone.value < alone.high
    # the same cases three times over tell nothing new: drawn by person the interval stays as wide
    again = weighted_kappa(np.tile(one, 3), np.tile(two, 3), [str(n) for n in range(60)] * 3, kind="linear")
    assert again == alone
    apart = weighted_kappa(np.tile(one, 3), np.tile(two, 3), [str(n) for n in range(180)], kind="linear")
    assert apart.high - apart.low < 0.7 * (alone.high - alone.low)
    assert np.isnan(weighted_kappa([1, 2], [1, 2], ["a", "a"], kind="linear").low)


def test_shares():
    assert agreement_share([0, 1, 2, 3], [0, 1, 3, 1]) == 0.5
    assert agreement_share([0, 1, 2, 3], [0, 1, 3, 1], within=1) == 0.75


def test_bad_scores_are_said():
    for call, said in itertools.chain(
        [(lambda: reliability([[1, 2]]), "at least 2"), (lambda: reliability([[1, np.nan], [1, 2]]), "missing")],
        [(lambda: count_table([4], [0], 4), "outside 0 to 3"), (lambda: bland_altman([1], [1]), "at least 2")],
        [(lambda: weighted_kappa([1, 2], [1, 2], ["a"], kind="linear"), "whose every score")],
        [(lambda: disagreement_weights(4, "cubic"), "known: unweighted, linear")],
    ):
        with pytest.raises(ValueError, match=said):
            call()
