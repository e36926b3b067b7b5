"""The standing leg raise for the evaluation of rules: on both sides of every threshold, and what is true of it."""

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from fitmotion_models.evaluation.rules import FROM_THE_FRONT, FROM_THE_LEFT, Case, RuleTest, swept
from fitmotion_models.evaluation.step_rules import SIDES, either_way
from fitmotion_models.fms.values import Movement
from fitmotion_models.mover.standing_raise import standing_leg_raise_clip, standing_leg_raise_truth
from fitmotion_models.mover.standing_raise_parameters import StandingLegRaiseParameters


def true_values(parameters: StandingLegRaiseParameters) -> dict[str, float]:
    """Every criterion's true value at the top, from the mover's parameters alone."""
    truth = standing_leg_raise_truth(parameters)
    return {
        "leg_raised": 90.0 - truth.leg_deg,
        "raised_knee_straight": truth.knee_deg,
        "standing_knee_straight": truth.standing_knee_deg,
        "trunk_still": truth.trunk_change_deg,
        "pelvis_level": abs(truth.pelvis_tilt_deg),
        "standing_foot_still": truth.stance_slip_m,
    }


def _case(rng: np.random.Generator, **fault: Any) -> Case:
    """A clean raise of an ordinary body but for one fault."""
    parameters = StandingLegRaiseParameters(
        side=str(rng.choice(["left", "right"])),
        shift_s=rng.uniform(0.4, 0.7),
        raise_s=rng.uniform(0.8, 1.4),
        hold_s=rng.uniform(0.2, 0.5),
        stance_s=1.0,
        leg_deg=rng.uniform(80.0, 95.0),
        stance_width_m=rng.uniform(0.14, 0.2),
        scale=rng.uniform(0.9, 1.1),
    )
    parameters = replace(parameters, **fault)
    make = partial(standing_leg_raise_clip, parameters)
    make(fps=5.0)
    return Case(make, true_values(parameters), parameters.repetitions, SIDES[parameters.side])


def _leg(rng: np.random.Generator, place: float) -> Case:
    return _case(rng, leg_deg=71.0 - 24.0 * place)


def _knee(rng: np.random.Generator, place: float) -> Case:
    return _case(rng, knee_deg=27.0 + 22.0 * place)


def _standing_knee(rng: np.random.Generator, place: float) -> Case:
    return _case(rng, standing_knee_deg=27.0 + 22.0 * place)


def _trunk(rng: np.random.Generator, place: float) -> Case:
    return _case(rng, trunk_lean_deg=either_way(rng, 12.0 + 12.0 * place))


def _pelvis(rng: np.random.Generator, place: float) -> Case:
    return _case(rng, pelvis_tilt_deg=either_way(rng, 11.5 + 11.5 * place))


def _foot(rng: np.random.Generator, place: float) -> Case:
    return _case(rng, stance_slip_m=0.055 + 0.055 * place)


STANDING_LEG_RAISE = RuleTest(
    movement=Movement.STANDING_LEG_RAISE,
    cases=partial(swept, (_leg, _knee, _standing_knee, _trunk, _pelvis, _foot)),
    views={
        "leg_raised": FROM_THE_LEFT,
        "raised_knee_straight": FROM_THE_LEFT,
        "standing_knee_straight": FROM_THE_LEFT,
        "trunk_still": FROM_THE_LEFT,
        "pelvis_level": FROM_THE_FRONT,
        "standing_foot_still": FROM_THE_LEFT,
    },
    # over the averaged 0.13 s around the top the leg moves by a fraction of a degree
    tolerance={
        "leg_raised": 0.3,
        "raised_knee_straight": 0.3,
        "standing_knee_straight": 0.3,
        "trunk_still": 0.3,
        "pelvis_level": 0.3,
    },
)
