"""Where the camera should be: good views are left alone, wrong ones named with what they miss."""

import math
from dataclasses import replace

import numpy as np
import pytest

from fitmotion_models.fms.anthropometry import UNKNOWN_BODY
from fitmotion_models.fms.criteria import UNMEASURED, CriterionRule, Uncertainty
from fitmotion_models.fms.movements import MOVEMENTS
from fitmotion_models.fms.scorer import Scorer
from fitmotion_models.fms.values import Movement
from fitmotion_models.fms.view_guidance import view_guidance
from fitmotion_models.mover import make_mover, seen_from

FACING = np.array([1.0, 0.0, 0.0])


def guidance(movement, degrees):
    """The guidance for a camera so many degrees round from the person's front."""
    angle = math.radians(degrees)
    return view_guidance(MOVEMENTS[movement], UNKNOWN_BODY, FACING, np.array([math.cos(angle), math.sin(angle), 0.2]))


@pytest.mark.parametrize("degrees", [90, -90, 60, 120, 45])
def test_a_squat_is_filmed_from_the_side_or_obliquely(degrees):
    assert guidance(Movement.DEEP_SQUAT, degrees) == ""


def test_a_squat_from_the_front_misses_what_happens_front_to_back():
    said = guidance(Movement.DEEP_SQUAT, 5)
    assert said.startswith("Deep squat: film from the side; from here ")
    assert "trunk parallel to tibia" in said and "dowel over feet" in said and "left knee" not in said


def made_of(*uncertainties):
    """A test whose criteria are as exact from the side and from the front as given; infinite: not to be seen."""
    rules = tuple(
        CriterionRule(
            name=f"rule_{number}",
            threshold=1.0,
            unit="m",
            measure=lambda moment: UNMEASURED,
            joints=(),
            uncertainty=Uncertainty(side=side, front=front, several=0.1),
            best_view="",
            fault="",
            advice="",
        )
        for number, (side, front) in enumerate(uncertainties)
    )
    squat = MOVEMENTS[Movement.DEEP_SQUAT]
    return replace(squat, rules=lambda side, person: rules)


@pytest.mark.parametrize(
    ("uncertainties", "degrees", "said"),
    [
        (((2.0, 1.0), (1.0, 1.0)), 90, "Deep squat: film from the front; from here rule 0 cannot be judged well"),
        (((2.0, 1.0), (1.0, 1.0)), 0, ""),
        (((2.0, 1.0), (1.0, 2.0)), 0, ""),  # one sees what the other does not: no place is better by a quarter
        (((2.0, 1.0), (1.0, 2.0)), 90, ""),
        (((1.0, math.inf), (1.0, 1.0)), 0, "Deep squat: film from the side; from here rule 0 cannot be judged well"),
        (((1.2, 1.0),), 90, ""),
    ],
)
def test_another_place_is_advised_where_it_is_worth_a_quarter(uncertainties, degrees, said):
    angle = math.radians(degrees)
    direction = np.array([math.cos(angle), math.sin(angle), 0.2])
    assert view_guidance(made_of(*uncertainties), UNKNOWN_BODY, FACING, direction) == said


def test_shoulder_mobility_is_filmed_from_behind():
    assert guidance(Movement.SHOULDER_MOBILITY, 180) == guidance(Movement.SHOULDER_MOBILITY, 160) == ""
    assert "film from behind; from here fists within one hand" in guidance(Movement.SHOULDER_MOBILITY, 0)


def test_nothing_is_said_about_a_camera_whose_direction_is_unknown():
    assert view_guidance(MOVEMENTS[Movement.DEEP_SQUAT], UNKNOWN_BODY, FACING, np.full(3, np.nan)) == ""


@pytest.mark.parametrize(("place", "said"), [((1.0, 0.0, 0.1), True), ((0.0, 1.0, 0.1), False)])
def test_the_scorer_says_it_live_from_the_stance_on(place, said):
    scorer = Scorer()
    sentences = [scorer.update(pose).guidance for pose in list(seen_from(make_mover("subject"), place))[:60]]
    assert sentences[0] == "" and bool(sentences[-1]) is said
    several = [scorer.update(pose).guidance for pose in list(make_mover("subject"))[:60]]
    assert set(several) == {""}
