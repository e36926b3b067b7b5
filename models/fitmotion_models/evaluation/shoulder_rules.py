"""Shoulder mobility for the evaluation of rules: fists on both sides of both thresholds, and what is true of them."""

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from fitmotion_models.evaluation.rules import FROM_BEHIND, Case, RuleTest, swept
from fitmotion_models.fms.anthropometry import Anthropometry
from fitmotion_models.fms.values import Movement, Side
from fitmotion_models.mover.shoulder_mobility import shoulder_mobility_clip, shoulder_mobility_truth
from fitmotion_models.mover.shoulder_parameters import ShoulderMobilityParameters
from fitmotion_models.skeleton.kinematics import REST_STATURE

SIDES = {"left": Side.LEFT, "right": Side.RIGHT}


def true_values(parameters: ShoulderMobilityParameters) -> dict[str, float]:
    """Every criterion's true value while the fists are held, from the mover's parameters alone."""
    truth = shoulder_mobility_truth(parameters)
    return {
        "fists_within_one_hand": truth.fists_apart,
        "fists_within_one_and_a_half_hands": truth.fists_apart,
        "trunk_upright": truth.trunk_change_deg,
    }


def _case(rng: np.random.Generator, **given: Any) -> Case:
    """A reach of an ordinary upright body, stature and hand length entered, but for what is given."""
    parameters = ShoulderMobilityParameters(
        side=str(rng.choice(["left", "right"])),
        reach_s=rng.uniform(1.1, 1.8),
        hold_s=rng.uniform(0.6, 1.5),
        return_s=rng.uniform(1.0, 1.6),
        stance_s=1.0,
        fists_apart=rng.uniform(0.1, 0.8),
        fists_aside_m=rng.uniform(-0.03, 0.03),
        scale=rng.uniform(0.9, 1.1),
    )
    parameters = replace(parameters, **given)
    person = Anthropometry(REST_STATURE * parameters.scale, shoulder_mobility_truth(parameters).hand_length_m)
    make = partial(shoulder_mobility_clip, parameters)
    make(fps=5.0)
    return Case(make, true_values(parameters), parameters.repetitions, SIDES[parameters.side], person=person)


def _fists(rng: np.random.Generator, place: float) -> Case:
    """Through both thresholds."""
    return _case(rng, fists_apart=1.0 + place)


def _arched_back(rng: np.random.Generator, place: float) -> Case:
    return _case(rng, trunk_lean_deg=-14.0 - 14.0 * place)


SHOULDER_MOBILITY = RuleTest(
    movement=Movement.SHOULDER_MOBILITY,
    cases=partial(swept, (_fists, _arched_back, _fists)),
    views={
        "fists_within_one_hand": FROM_BEHIND,
        "fists_within_one_and_a_half_hands": FROM_BEHIND,
        "trunk_upright": FROM_BEHIND,
    },
    tolerance={"fists_within_one_hand": 0.005, "fists_within_one_and_a_half_hands": 0.005, "trunk_upright": 0.1},
)
