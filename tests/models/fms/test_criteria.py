"""Deciding: bands of uncertainty, views, confidence, biases."""

import math

import numpy as np
import pytest

from fitmotion_models.fms.criteria import UNDECIDED_SD, CriterionRule, Measured, Uncertainty, judge, weighted_mean
from fitmotion_models.fms.deep_squat import RULES
from fitmotion_models.fms.moment import Body, Moment, Stance
from fitmotion_models.fms.values import Verdict


def moment(views=0, view_sine=0.0):
    body = Body(0.0, np.zeros((26, 3)), np.ones(26), views, np.zeros(3))
    return Moment(body, Stance(body, np.array([1.0, 0.0, 0.0]), 0.8), (body,), body, views, view_sine)


def rule(value, confidence=1.0, **changes):
    defaults = {
        "name": "lean",
        "threshold": 10.0,
        "unit": "deg",
        "measure": lambda _: Measured(value, confidence),
        "joints": (0,),
        "uncertainty": Uncertainty(side=4.0, front=12.0, several=2.0),
        "best_view": "film from the side",
        "fault": "it leaned",
        "advice": "lean less",
    }
    return CriterionRule(**{**defaults, **changes})


def test_without_a_camera_the_threshold_itself_is_met():
    assert judge(rule(10.0), moment()).criterion.verdict is Verdict.MET
    assert judge(rule(10.0001), moment()).criterion.verdict is Verdict.NOT_MET
    assert judge(rule(10.0), moment()).probability == 1.0


@pytest.mark.parametrize(
    ("views", "view_sine", "sd"),
    [
        (1, 1.0, 4.0),
        (1, 0.0, 12.0),
        (1, math.sin(math.pi / 4), math.sqrt((16 + 144) / 2)),
        (2, 0.0, 2.0),
        (4, 1.0, 2.0),
    ],
)
def test_the_band_is_that_of_the_view(views, view_sine, sd):
    inside, outside = 10.0 + 0.99 * UNDECIDED_SD * sd, 10.0 + 1.01 * UNDECIDED_SD * sd
    assert judge(rule(inside), moment(views, view_sine)).criterion.verdict is Verdict.NOT_SEEN
    decided = judge(rule(outside), moment(views, view_sine))
    assert decided.criterion.verdict is Verdict.NOT_MET
    # the probability of the normal distribution's integral
    z = 1.01 * UNDECIDED_SD
    assert decided.probability == pytest.approx(0.5 + 0.5 * math.erf(z / math.sqrt(2)), abs=1e-9)


def test_less_seen_joints_widen_the_band():
    assert judge(rule(4.0), moment(1, 1.0)).criterion.verdict is Verdict.MET
    assert judge(rule(4.0, confidence=0.76), moment(1, 1.0)).criterion.verdict is Verdict.MET
    assert judge(rule(4.0, confidence=0.45), moment(1, 1.0)).criterion.verdict is Verdict.NOT_SEEN


@pytest.mark.parametrize(("value", "confidence"), [(math.nan, 1.0), (0.0, 0.29), (math.inf, 1.0)])
def test_what_is_not_measured_is_not_seen_and_has_no_value(value, confidence):
    judged = judge(rule(value, confidence), moment())
    assert judged.criterion.verdict is Verdict.NOT_SEEN
    assert math.isnan(judged.criterion.value)
    assert "keep the whole body" in judged.unseen_reason


def test_a_view_that_shows_nothing():
    front_only = rule(30.0, min_view_sine=0.5)
    assert judge(front_only, moment(1, 0.49)).criterion.verdict is Verdict.NOT_SEEN
    assert judge(front_only, moment(1, 0.51)).criterion.verdict is Verdict.NOT_MET
    assert judge(front_only, moment(0, 0.0)).criterion.verdict is Verdict.NOT_MET
    assert judge(front_only, moment(3, 0.0)).criterion.verdict is Verdict.NOT_MET
    infinite = rule(30.0, uncertainty=Uncertainty(side=1.0, front=math.inf, several=1.0))
    assert judge(infinite, moment(1, 1.0)).criterion.verdict is Verdict.NOT_MET
    assert judge(infinite, moment(1, 0.5)).criterion.verdict is Verdict.NOT_SEEN


def test_bias_of_a_maximum_is_taken_off_where_there_is_noise():
    biased = Uncertainty(side=1.0, front=1.0, several=1.0, bias_one=6.0, bias_several=3.0)
    assert judge(rule(12.0, uncertainty=biased), moment(0)).criterion.value == 12.0
    assert judge(rule(12.0, uncertainty=biased), moment(1, 1.0)).criterion.value == 6.0
    assert judge(rule(12.0, uncertainty=biased), moment(2)).criterion.value == 9.0
    assert judge(rule(4.0, uncertainty=biased), moment(1, 1.0)).criterion.value == 0.0
    assert judge(rule(-1.0, uncertainty=biased), moment(1, 1.0)).criterion.value == -1.0


def test_advice_is_to_move_the_camera_only_where_that_helps():
    assert "from the side" in judge(rule(10.0), moment(1, 0.0)).unseen_reason
    assert "several cameras" in judge(rule(10.0), moment(1, 1.0)).unseen_reason


def test_weighted_mean_leaves_the_hidden_side_out():
    values = np.array([1.0, 5.0])
    assert weighted_mean(values, np.array([0.9, 0.1])) == Measured(1.0, 0.9)
    assert weighted_mean(values, np.array([0.5, 0.5])).value == 3.0
    assert math.isnan(weighted_mean(values, np.zeros(2)).value)
    assert weighted_mean(np.array([math.nan, 5.0]), np.ones(2)).value == 5.0


def test_the_table_is_complete():
    assert len({row.name for row in RULES}) == len(RULES)
    for row in RULES:
        assert all(0 <= joint < 26 for joint in row.joints)
        assert row.advice.endswith(".")
        assert min(row.uncertainty.side, row.uncertainty.front) >= row.uncertainty.several > 0.0
