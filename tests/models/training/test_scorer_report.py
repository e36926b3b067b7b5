"""Figures of scorers against scikit-learn's and closed forms."""

import numpy as np
import pytest

from fitmotion_models.training.scorer_report import area_under_curve, expected_calibration_error, f1_score


def test_a_coin_that_says_so_is_calibrated_and_a_boaster_is_not() -> None:
    rng = np.random.default_rng(0)
    meets = rng.uniform(size=20_000)
    honest = rng.uniform(size=20_000) < meets
    assert expected_calibration_error(honest, meets) < 0.01
    # certain, and right in 80 % of cases: off by 0.2
    correct = np.arange(100) % 5 != 0
    assert expected_calibration_error(correct, np.ones(100)) == pytest.approx(0.2)


def test_order_and_counts() -> None:
    correct = np.array([True, True, False, False])
    assert area_under_curve(correct, np.array([0.9, 0.6, 0.6, 0.1])) == pytest.approx(3.5 / 4)
    assert f1_score(correct, np.array([0.9, 0.4, 0.6, 0.1])) == pytest.approx(0.5)


def test_the_same_as_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn comes with the first training")
    rng = np.random.default_rng(1)
    correct, meets = rng.uniform(size=200) < 0.4, np.round(rng.uniform(size=200), 2)
    assert area_under_curve(correct, meets) == pytest.approx(metrics.roc_auc_score(correct, meets))
    assert f1_score(correct, meets) == pytest.approx(metrics.f1_score(correct, meets >= 0.5))
