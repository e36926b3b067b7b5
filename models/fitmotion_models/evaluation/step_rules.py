"""Hurdle step and in-line lunge for the evaluation of rules: on both sides of every threshold, and what is true."""

import math
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from fitmotion_models.evaluation.rules import FROM_THE_FRONT, FROM_THE_LEFT, Case, RuleTest, swept
from fitmotion_models.fms.hurdle_step import HURDLE_SHARE
from fitmotion_models.fms.values import Movement, Side
from fitmotion_models.mover.body import bone_offsets
from fitmotion_models.mover.hurdle_parameters import HurdleStepParameters
from fitmotion_models.mover.hurdle_step import hurdle_step_clip, hurdle_step_truth
from fitmotion_models.mover.inline_lunge import inline_lunge_clip
from fitmotion_models.mover.legs import Feet
from fitmotion_models.mover.lunge_parameters import InlineLungeParameters

SIDES = {"left": Side.LEFT, "right": Side.RIGHT}


def hurdle_values(parameters: HurdleStepParameters) -> dict[str, float]:
    """Every criterion's true value at the top of a step, from the mover's parameters alone."""
    truth = hurdle_step_truth(parameters)
    return {
        "knee_in_line": abs(truth.knee_out_m),
        "ankle_in_line": abs(truth.ankle_out_m),
        "trunk_still": truth.trunk_change_deg,
        "dowel_level": abs(truth.shoulder_tilt_deg),
        "foot_over_hurdle": HURDLE_SHARE * truth.knee_height_m - truth.toe_height_m,
        "standing_foot_still": truth.stance_slip_m,
    }


def _hurdle(rng: np.random.Generator, **fault: Any) -> Case:
    """A clean step of an ordinary body but for one fault."""
    parameters = HurdleStepParameters(
        side=str(rng.choice(["left", "right"])),
        shift_s=rng.uniform(0.5, 0.8),
        step_s=rng.uniform(1.2, 1.8),
        touch_s=rng.uniform(0.2, 0.5),
        stance_s=1.0,
        toe_height=rng.uniform(1.05, 1.25),
        stance_width_m=rng.uniform(0.14, 0.2),
        scale=rng.uniform(0.9, 1.1),
    )
    parameters = replace(parameters, **fault)
    hurdle_step_clip(parameters, fps=5.0)
    make = partial(hurdle_step_clip, parameters)
    return Case(make, hurdle_values(parameters), parameters.repetitions, SIDES[parameters.side])


def either_way(rng: np.random.Generator, size: float) -> float:
    """A fault of that size to either side."""
    return float(size * rng.choice([-1.0, 1.0]))


def _knee(rng: np.random.Generator, place: float) -> Case:
    return _hurdle(rng, knee_out_m=either_way(rng, 0.065 + 0.065 * place))


def _ankle(rng: np.random.Generator, place: float) -> Case:
    return _hurdle(rng, ankle_out_m=either_way(rng, 0.07 + 0.07 * place))


def _trunk(rng: np.random.Generator, place: float) -> Case:
    return _hurdle(rng, trunk_lean_deg=12.0 + 12.0 * place)


def _dowel(rng: np.random.Generator, place: float) -> Case:
    return _hurdle(rng, shoulder_tilt_deg=either_way(rng, 12.0 + 12.0 * place))


def _foot(rng: np.random.Generator, place: float) -> Case:
    return _hurdle(rng, toe_height=0.93 - 0.32 * place)


def _standing_foot(rng: np.random.Generator, place: float) -> Case:
    return _hurdle(rng, stance_slip_m=0.05 + 0.05 * place)


HURDLE_STEP = RuleTest(
    movement=Movement.HURDLE_STEP,
    cases=partial(swept, (_knee, _ankle, _trunk, _dowel, _foot, _standing_foot)),
    views={
        "knee_in_line": FROM_THE_FRONT,
        "ankle_in_line": FROM_THE_FRONT,
        "trunk_still": FROM_THE_LEFT,
        "dowel_level": FROM_THE_FRONT,
        "foot_over_hurdle": FROM_THE_LEFT,
        "standing_foot_still": FROM_THE_LEFT,
    },
    # knee, ankle, trunk and shoulders come back by up to 4 % within the averaged 0.13 s around the top of a step
    tolerance={
        "knee_in_line": 0.008,
        "ankle_in_line": 0.008,
        "trunk_still": 1.2,
        "dowel_level": 1.0,
        "foot_over_hurdle": 0.016,
        "standing_foot_still": 0.002,
    },
)


def lunge_values(parameters: InlineLungeParameters) -> dict[str, float]:
    """Every criterion's true value at the bottom of a lunge, from the mover's parameters alone."""
    feet = Feet(bone_offsets(parameters.scale), toe_out=0.0, width=0.0)
    # the front foot turns about its toe: with its heel the ankle goes up and ahead
    pitch = math.asin(parameters.front_heel_rise_m / feet.length)
    toe = feet.toes[0]
    ahead = math.hypot(toe[0], toe[1]) * (1.0 - math.cos(pitch)) - toe[2] * math.sin(pitch)
    return {
        "trunk_upright": abs(parameters.trunk_lean_deg),
        "trunk_centred": abs(parameters.trunk_side_deg),
        "rear_knee_down": parameters.rear_knee_height_m,
        "feet_in_line": abs(parameters.feet_offset_m),
        "front_heel_down": parameters.front_heel_rise_m,
        "front_foot_still": abs(parameters.front_slip_m + ahead),
    }


def _lunge(rng: np.random.Generator, **fault: Any) -> Case:
    """A clean lunge of an ordinary body but for one fault."""
    parameters = InlineLungeParameters(
        side=str(rng.choice(["left", "right"])),
        descent_s=rng.uniform(1.1, 1.8),
        hold_s=rng.uniform(0.2, 0.6),
        ascent_s=rng.uniform(1.0, 1.6),
        stance_s=1.0,
        rear_knee_height_m=rng.uniform(0.05, 0.07),
        feet_apart=rng.uniform(0.95, 1.05),
        scale=rng.uniform(0.9, 1.1),
    )
    parameters = replace(parameters, **fault)
    inline_lunge_clip(parameters, fps=5.0)
    make = partial(inline_lunge_clip, parameters)
    return Case(make, lunge_values(parameters), parameters.repetitions, SIDES[parameters.side])


def _lean(rng: np.random.Generator, place: float) -> Case:
    return _lunge(rng, trunk_lean_deg=either_way(rng, 14.0 + 14.0 * place))


def _side_lean(rng: np.random.Generator, place: float) -> Case:
    return _lunge(rng, trunk_side_deg=either_way(rng, 9.5 + 9.5 * place))


def _rear_knee(rng: np.random.Generator, place: float) -> Case:
    return _lunge(rng, rear_knee_height_m=0.11 + 0.07 * place)


def _offset(rng: np.random.Generator, place: float) -> Case:
    return _lunge(rng, feet_offset_m=0.125 + 0.125 * place)


def _front_heel(rng: np.random.Generator, place: float) -> Case:
    return _lunge(rng, front_heel_rise_m=0.05 + 0.05 * place)


def _front_foot(rng: np.random.Generator, place: float) -> Case:
    return _lunge(rng, front_slip_m=either_way(rng, 0.055 + 0.055 * place))


INLINE_LUNGE = RuleTest(
    movement=Movement.INLINE_LUNGE,
    cases=partial(swept, (_lean, _side_lean, _rear_knee, _offset, _front_heel, _front_foot)),
    views={
        "trunk_upright": FROM_THE_LEFT,
        "trunk_centred": FROM_THE_FRONT,
        "rear_knee_down": FROM_THE_LEFT,
        "feet_in_line": FROM_THE_FRONT,
        "front_heel_down": FROM_THE_LEFT,
        "front_foot_still": FROM_THE_LEFT,
    },
    # angles up to a tenth of a degree
    tolerance={"trunk_upright": 0.1, "trunk_centred": 0.1, "front_foot_still": 0.002},
)
