"""The standing leg raise: its criteria as a table for each side (the raised leg), and how each is measured.

It is none of the seven tests and does not count among the 21 points: it is the sixth movement of UI-PRMD (Vakanski
2018), whose recordings are the ones that there are. The criteria are this project's, after the movement's description:
a straight leg is raised ahead while the body stands upright on the other, straight one. 3: all of them; 2: one is lost;
1: the leg stays low or the standing foot leaves its place. The thresholds are this project's too.
"""

import math
from functools import lru_cache, partial

import numpy as np

from fitmotion_models.fms.anthropometry import UNKNOWN_BODY, Anthropometry
from fitmotion_models.fms.criteria import CriterionRule, Measured, Uncertainty
from fitmotion_models.fms.deep_squat import FROM_THE_FRONT, FROM_THE_SIDE, SAGITTAL_VIEW_SINE
from fitmotion_models.fms.hurdle_step import standing_foot_slip, trunk_change
from fitmotion_models.fms.moment import ANKLES, HIPS, KNEES, NECK, PELVIS, Body, Moment, knee_flexion
from fitmotion_models.fms.sides import Grades, index_of, leftward
from fitmotion_models.fms.values import Side

VIEWS = "from the side for leg, knees and trunk; from the front for the pelvis"

# A leg that is hardly raised, or a standing foot that leaves its place, is a 1.
GRADES = Grades(breaking=("leg_raised", "standing_foot_still"))


def leg_below_level(moment: Moment, side: int) -> Measured:
    """How far the raised leg, hip to ankle, stays below the horizontal, degrees; negative above it."""
    leg = moment.body.points[ANKLES[side]] - moment.body.points[HIPS[side]]
    angle = math.degrees(math.atan2(float(np.linalg.norm(leg[:2])), -float(leg[2])))
    return Measured(90.0 - angle, float(moment.body.confidence[[HIPS[side], ANKLES[side]]].min()))


def knee_bend(moment: Moment, side: int) -> Measured:
    """Flexion of a knee, degrees."""
    confidence = moment.body.confidence[[HIPS[side], KNEES[side], ANKLES[side]]]
    return Measured(float(knee_flexion(moment.body)[side]), float(confidence.min()))


def pelvis_tilt(moment: Moment) -> Measured:
    """How much the line between the hips has tilted since the stance, degrees."""
    now, before = (_tilt(body, moment) for body in (moment.body, moment.stance.body))
    confidence = min(float(body.confidence[list(HIPS)].min()) for body in (moment.body, moment.stance.body))
    return Measured(abs(now - before), confidence)


def _tilt(body: Body, moment: Moment) -> float:
    """Of the hips' line in the frontal plane, left side up, degrees."""
    line = body.points[HIPS[0]] - body.points[HIPS[1]]
    return math.degrees(math.atan2(float(line[2]), float(line @ leftward(moment))))


# Standard deviations, and what noise adds to a maximum or a length: as in `hurdle_step`.
@lru_cache
def rules(side: Side, person: Anthropometry = UNKNOWN_BODY) -> tuple[CriterionRule, ...]:
    """The criteria of a raise of the leg of `side`. Raises ValueError for a side that is neither."""
    index = index_of(side)
    other = 1 - index
    return (
        CriterionRule(
            name="leg_raised",
            threshold=20.0,
            unit="deg",
            measure=partial(leg_below_level, side=index),
            joints=(HIPS[index], ANKLES[index]),
            uncertainty=Uncertainty(side=7.5, front=12.0, several=3.5),
            best_view=FROM_THE_SIDE,
            fault="the leg was not raised high enough",
            advice="Raise the leg to the level of the hip; work on hamstring flexibility and on the hip flexors.",
        ),
        CriterionRule(
            name="raised_knee_straight",
            threshold=30.0,
            unit="deg",
            measure=partial(knee_bend, side=index),
            joints=(HIPS[index], KNEES[index], ANKLES[index]),
            uncertainty=Uncertainty(side=13.0, front=16.0, several=5.5, bias_one=1.5, bias_several=0.3),
            best_view=FROM_THE_SIDE,
            fault="the raised knee bent",
            advice="Keep the raised knee straight and the toes pulled up; work on hamstring flexibility.",
            min_view_sine=SAGITTAL_VIEW_SINE,
        ),
        CriterionRule(
            name="standing_knee_straight",
            threshold=30.0,
            unit="deg",
            measure=partial(knee_bend, side=other),
            joints=(HIPS[other], KNEES[other], ANKLES[other]),
            uncertainty=Uncertainty(side=13.0, front=16.0, several=5.5, bias_one=1.5, bias_several=0.3),
            best_view=FROM_THE_SIDE,
            fault="the standing knee bent",
            advice="Stand on a straight leg; work on hip mobility and on balance on one leg.",
            min_view_sine=SAGITTAL_VIEW_SINE,
        ),
        CriterionRule(
            name="trunk_still",
            threshold=10.0,
            unit="deg",
            measure=trunk_change,
            joints=(PELVIS, NECK),
            uncertainty=Uncertainty(side=14.0, front=14.0, several=4.5, bias_one=2.5, bias_several=0.4),
            best_view=FROM_THE_SIDE,
            fault="the trunk moved",
            advice="Stand tall while the leg goes up; work on hamstring flexibility and on the strength of the trunk.",
        ),
        CriterionRule(
            name="pelvis_level",
            threshold=10.0,
            unit="deg",
            measure=pelvis_tilt,
            joints=HIPS,
            uncertainty=Uncertainty(side=30.0, front=12.0, several=4.6),
            best_view=FROM_THE_FRONT,
            fault="the pelvis tilted",
            advice="Keep both hips level; strengthen the outer muscles of the standing hip.",
        ),
        CriterionRule(
            name="standing_foot_still",
            threshold=0.05,
            unit="m",
            measure=partial(standing_foot_slip, side=index),
            joints=(ANKLES[other],),
            uncertainty=Uncertainty(side=0.085, front=0.085, several=0.027, bias_one=0.10, bias_several=0.03),
            best_view=FROM_THE_SIDE,
            fault="the standing foot left its place",
            advice="Keep the standing foot where it is; work on balance on one leg.",
        ),
    )
