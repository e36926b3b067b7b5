"""Where the camera should be: good views are left alone, wrong ones named with what they miss."""

import math

import numpy as np
import pytest

from fitmotion_models.fms.anthropometry import UNKNOWN_BODY
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


def test_a_hurdle_step_from_the_side_misses_what_happens_to_the_side():
    assert guidance(Movement.HURDLE_STEP, 0) == ""
    said = guidance(Movement.HURDLE_STEP, 90)
    assert "film from the front" in said and "knee in line" in said and "trunk still" not in said


def test_nothing_is_said_about_a_camera_whose_direction_is_unknown():
    assert view_guidance(MOVEMENTS[Movement.DEEP_SQUAT], UNKNOWN_BODY, FACING, np.full(3, np.nan)) == ""


@pytest.mark.parametrize(("place", "said"), [((1.0, 0.0, 0.1), True), ((0.0, 1.0, 0.1), False)])
def test_the_scorer_says_it_live_from_the_stance_on(place, said):
    scorer = Scorer()
    sentences = [scorer.update(pose).guidance for pose in list(seen_from(make_mover("subject"), place))[:60]]
    assert sentences[0] == "" and bool(sentences[-1]) is said
    several = [scorer.update(pose).guidance for pose in list(make_mover("subject"))[:60]]
    assert set(several) == {""}
