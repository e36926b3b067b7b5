"""The tests on the floor as data for the evaluation of rules: movers through every threshold, and their true values."""

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from fitmotion_models.evaluation.rules import FROM_THE_FRONT, FROM_THE_LEFT, Case, RuleTest, swept
from fitmotion_models.fms.anthropometry import Anthropometry, Sex
from fitmotion_models.fms.rotary_stability_repetitions import VARIATIONS
from fitmotion_models.fms.trunk_stability_push_up import HANDS, LEAST_HIP_RISE
from fitmotion_models.fms.values import Movement, Side
from fitmotion_models.mover.leg_raise import leg_raise_clip, leg_raise_truth
from fitmotion_models.mover.leg_raise_parameters import LegRaiseParameters
from fitmotion_models.mover.push_up import push_up_clip, push_up_truth
from fitmotion_models.mover.push_up_parameters import HANDS_AT, PushUpParameters
from fitmotion_models.mover.rotary_parameters import RotaryStabilityParameters
from fitmotion_models.mover.rotary_stability import rotary_stability_clip, rotary_stability_truth
from fitmotion_models.skeleton.kinematics import REST_STATURE

SIDES = {"left": Side.LEFT, "right": Side.RIGHT}


def leg_raise_values(parameters: LegRaiseParameters) -> dict[str, float]:
    """Every criterion's true value at the top, from the mover's parameters alone."""
    truth = leg_raise_truth(parameters)
    place = 100.0 * (1.0 - truth.ankle_over)
    return {
        "ankle_over_mid_thigh": place,
        "ankle_over_knee": place,
        "raised_knee_straight": truth.raised_knee_deg,
        "other_knee_straight": truth.other_knee_deg,
        "other_leg_still": truth.other_lift_m,
    }


def _leg_raise(rng: np.random.Generator, **given: Any) -> Case:
    """A clean raise of an ordinary body but for what is given."""
    parameters = LegRaiseParameters(
        side=str(rng.choice(["left", "right"])),
        raise_s=rng.uniform(1.2, 2.2),
        hold_s=rng.uniform(0.4, 1.0),
        lower_s=rng.uniform(1.2, 2.2),
        stance_s=1.0,
        ankle_over=rng.uniform(0.75, 1.1),
        raised_knee_deg=rng.uniform(0.0, 4.0),
        other_knee_deg=rng.uniform(0.0, 4.0),
        scale=rng.uniform(0.9, 1.1),
    )
    parameters = replace(parameters, **given)
    make = partial(leg_raise_clip, parameters)
    return Case(make, leg_raise_values(parameters), side=SIDES[parameters.side])


def _place(rng: np.random.Generator, place: float) -> Case:
    """Over the whole way from the hip to the shank: through both thresholds."""
    return _leg_raise(rng, ankle_over=0.25 - 0.8 * place)


def _raised_knee(rng: np.random.Generator, place: float) -> Case:
    return _leg_raise(rng, raised_knee_deg=max(0.0, 10.0 + 32.0 * place))


def _other_knee(rng: np.random.Generator, place: float) -> Case:
    return _leg_raise(rng, other_knee_deg=max(0.0, 10.0 + 32.0 * place))


def _other_lift(rng: np.random.Generator, place: float) -> Case:
    return _leg_raise(rng, other_lift_m=max(0.0, 0.05 + 0.25 * place))


ACTIVE_STRAIGHT_LEG_RAISE = RuleTest(
    movement=Movement.ACTIVE_STRAIGHT_LEG_RAISE,
    cases=partial(swept, (_place, _raised_knee, _other_knee, _other_lift)),
    views=dict.fromkeys(leg_raise_values(LegRaiseParameters()), FROM_THE_LEFT),
    tolerance={"ankle_over_mid_thigh": 0.5, "ankle_over_knee": 0.5, "raised_knee_straight": 0.3,
               "other_knee_straight": 0.3, "other_leg_still": 2e-3},
)  # fmt: skip


def push_up_values(parameters: PushUpParameters, sex: Sex) -> dict[str, float]:
    """Every criterion's true value from the mover's parameters alone, for a person of this sex.

    Raises ValueError for hips that hardly rise: they have no delay.
    """
    truth = push_up_truth(parameters)
    stature = REST_STATURE * parameters.scale
    high, low = (HANDS_AT[landmark] * stature - truth.hands_ahead_m for landmark in HANDS[sex])
    if truth.hips_rise < 1.1 * LEAST_HIP_RISE:
        raise ValueError(f"the hips rise by {truth.hips_rise:.2f} of the shoulders' rise: there is no delay to measure")
    return {
        "hands_high": high,
        "hands_not_too_low": low,
        "arms_straight": truth.elbow_deg,
        "body_straight": abs(truth.sag_deg),
        "hips_with_shoulders": truth.hips_lag_s,
    }


def _push_up(rng: np.random.Generator, **given: Any) -> Case:
    """A clean push-up of an ordinary body, sex and stature entered, but for what is given."""
    sex = Sex.MALE if rng.uniform() < 0.5 else Sex.FEMALE
    scale = rng.uniform(0.9, 1.1)
    stature = REST_STATURE * scale
    ahead = given.pop("hands_below_m", rng.uniform(-0.04, -0.01))
    parameters = PushUpParameters(
        rise_s=rng.uniform(0.9, 1.8),
        hold_s=rng.uniform(0.6, 1.0),
        lower_s=rng.uniform(0.9, 1.6),
        stance_s=1.0,
        hands_ahead_m=HANDS_AT[HANDS[sex][0]] * stature - ahead,
        elbow_deg=rng.uniform(8.0, 18.0),
        scale=scale,
    )
    parameters = replace(parameters, **given)
    make = partial(push_up_clip, parameters)
    return Case(make, push_up_values(parameters, sex), person=Anthropometry(stature, sex=sex))


def _hands(rng: np.random.Generator, place: float) -> Case:
    """From above the higher landmark to below the lower one."""
    return _push_up(rng, hands_below_m=0.08 + 0.16 * place)


def _elbows(rng: np.random.Generator, place: float) -> Case:
    return _push_up(rng, elbow_deg=40.0 + 34.0 * place)


def _sag(rng: np.random.Generator, place: float) -> Case:
    """Sagging; or, as often, the hips too high."""
    sign = 1.0 if rng.uniform() < 0.5 else -1.0
    return _push_up(rng, sag_deg=sign * max(0.0, 15.0 + 20.0 * place), elbow_deg=25.0)


def _lag(rng: np.random.Generator, place: float) -> Case:
    return _push_up(rng, hips_lag_s=0.25 + 0.45 * place, elbow_deg=28.0, hold_s=1.2)


TRUNK_STABILITY_PUSH_UP = RuleTest(
    movement=Movement.TRUNK_STABILITY_PUSH_UP,
    cases=partial(swept, (_hands, _elbows, _sag, _lag)),
    views=dict.fromkeys(push_up_values(PushUpParameters(), Sex.MALE), FROM_THE_LEFT),
    tolerance={"hands_high": 3e-3, "hands_not_too_low": 3e-3, "arms_straight": 1.0, "body_straight": 0.6,
               "hips_with_shoulders": 0.03},
)  # fmt: skip


def rotary_values(parameters: RotaryStabilityParameters) -> dict[str, float]:
    """Every criterion's true value from the mover's parameters alone."""
    truth = rotary_stability_truth(parameters)
    return {
        "elbow_to_knee": truth.elbow_to_knee_m,
        "trunk_level": abs(truth.trunk_roll_deg),
        "little_sway": truth.sway_m,
    }


def _rotary(rng: np.random.Generator, **given: Any) -> Case:
    """A clean repetition of an ordinary body, on the same side or the diagonal, but for what is given."""
    parameters = RotaryStabilityParameters(
        side=str(rng.choice(["left", "right"])),
        diagonal=bool(rng.uniform() < 0.5),
        extend_s=rng.uniform(0.9, 1.5),
        flex_s=rng.uniform(0.9, 1.5),
        hold_s=rng.uniform(0.4, 0.8),
        stance_s=1.0,
        elbow_to_knee_m=rng.uniform(0.03, 0.08),
        trunk_roll_deg=rng.uniform(-4.0, 4.0),
        sway_m=rng.uniform(0.0, 0.04),
        scale=rng.uniform(0.95, 1.1),
    )
    parameters = replace(parameters, **given)
    make = partial(rotary_stability_clip, parameters)
    side = SIDES[parameters.side]
    variation = VARIATIONS[side, not parameters.diagonal]
    return Case(make, rotary_values(parameters), side=side, variation=variation)


def _touch(rng: np.random.Generator, place: float) -> Case:
    return _rotary(rng, elbow_to_knee_m=max(0.025, 0.12 + 0.28 * place))


def _roll(rng: np.random.Generator, place: float) -> Case:
    """Rolling to either side."""
    sign = 1.0 if rng.uniform() < 0.5 else -1.0
    return _rotary(rng, trunk_roll_deg=sign * max(0.0, 15.0 + 20.0 * place))


def _sway(rng: np.random.Generator, place: float) -> Case:
    return _rotary(rng, sway_m=max(0.0, 0.10 + 0.12 * place))


ROTARY_STABILITY = RuleTest(
    movement=Movement.ROTARY_STABILITY,
    cases=partial(swept, (_touch, _roll, _sway)),
    views={"elbow_to_knee": FROM_THE_LEFT, "trunk_level": FROM_THE_FRONT, "little_sway": FROM_THE_FRONT},
    tolerance={"elbow_to_knee": 5e-3, "trunk_level": 0.5, "little_sway": 3e-3},
)
