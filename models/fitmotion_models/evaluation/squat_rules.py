"""The deep squat for the evaluation of rules: squats on both sides of every threshold and what is true of them."""

from dataclasses import replace
from functools import partial

import numpy as np

from fitmotion_models.evaluation.rules import FROM_THE_FRONT, FROM_THE_LEFT, Case, RuleTest, swept
from fitmotion_models.fms.values import Movement
from fitmotion_models.mover import SquatParameters, squat_clip, squat_truth


def true_values(parameters: SquatParameters) -> dict[str, float]:
    """Every criterion's true value at the bottom, from the mover's parameters alone.

    The dowel's height is that of an arm hanging on the shoulders, so `dowel_overhead` has no truth here: the neck is
    another joint. It is left out.
    """
    truth = squat_truth(parameters)
    return {
        "trunk_parallel_to_tibia": truth.trunk_lean_deg - float(np.mean(truth.shin_lean_deg)),
        "femur_below_horizontal": float(np.mean(truth.depth_m)),
        "left_knee_over_foot": truth.knee_valgus_m[0],
        "right_knee_over_foot": truth.knee_valgus_m[1],
        "dowel_over_feet": max(truth.dowel_x_m - truth.toe_x_m, truth.heel_x_m - truth.dowel_x_m),
        "heels_down": max(truth.heel_rise_m),
    }


def _case(parameters: SquatParameters) -> Case:
    return Case(partial(squat_clip, parameters), true_values(parameters), parameters.repetitions)


def _base(rng: np.random.Generator) -> SquatParameters:
    """A clean squat of an ordinary body."""
    return SquatParameters(
        repetitions=1,
        descent_s=rng.uniform(0.9, 1.8),
        hold_s=rng.uniform(0.2, 0.6),
        ascent_s=rng.uniform(0.9, 1.6),
        stance_s=1.0,
        depth_m=rng.uniform(-0.08, -0.02),
        trunk_lean_deg=rng.uniform(25.0, 35.0),
        shin_lean_deg=rng.uniform(27.0, 33.0),
        arm_drop_deg=rng.uniform(-8.0, 8.0),
        toe_out_deg=rng.uniform(5.0, 20.0),
        stance_width_m=rng.uniform(0.30, 0.42),
        scale=rng.uniform(0.9, 1.1),
    )


def _trunk(rng: np.random.Generator, place: float) -> Case:
    base = _base(rng)
    return _case(replace(base, trunk_lean_deg=(base.shin_lean_deg or 30.0) + 10.0 + 25.0 * place))


def _depth(rng: np.random.Generator, place: float) -> Case:
    return _case(replace(_base(rng), depth_m=0.02 + 0.12 * place))


def _left_knee(rng: np.random.Generator, place: float) -> Case:
    return _case(replace(_base(rng), knee_valgus_m=(0.03 + 0.12 * place, 0.0)))


def _right_knee(rng: np.random.Generator, place: float) -> Case:
    return _case(replace(_base(rng), knee_valgus_m=(0.0, 0.03 + 0.12 * place)))


def _arms(rng: np.random.Generator, place: float) -> Case:
    return _case(replace(_base(rng), arm_drop_deg=20.0 + 45.0 * place))


def _heels(rng: np.random.Generator, place: float) -> Case:
    return _case(replace(_base(rng), heel_rise_m=max(0.0, 0.05 + 0.055 * place)))


DEEP_SQUAT = RuleTest(
    movement=Movement.DEEP_SQUAT,
    cases=partial(swept, (_trunk, _depth, _left_knee, _right_knee, _arms, _heels)),
    views={
        "trunk_parallel_to_tibia": FROM_THE_LEFT,
        "femur_below_horizontal": FROM_THE_LEFT,
        "left_knee_over_foot": FROM_THE_FRONT,
        "right_knee_over_foot": FROM_THE_FRONT,
        "dowel_over_feet": FROM_THE_LEFT,
        "heels_down": FROM_THE_LEFT,
    },
    # measured over the lowest frames and not at the lowest instant: right up to a millimetre and a tenth of a degree;
    # the heels, which bound the dowel's place, move forward by millimetres when they rise
    tolerance={"trunk_parallel_to_tibia": 0.1, "dowel_over_feet": 0.005},
)
