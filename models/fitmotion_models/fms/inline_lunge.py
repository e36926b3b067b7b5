"""The in-line lunge: its criteria as a table for each side (the leg in front), and how each is measured.

The criteria are the official ones (Cook 2006). 3: the dowel stays vertical and in contact, the trunk does not move,
the feet stay in line, the rear knee touches behind the front heel. 2: any of these is lost. 1: the balance is lost. No
cut-offs in degrees or centimetres are published; the thresholds here are this project's. The dowel lies along the
spine, so that the line from pelvis to neck stands for it; whether it touches head and back is not seen.
"""

from functools import lru_cache, partial

import numpy as np

from fitmotion_models.fms.anthropometry import UNKNOWN_BODY, Anthropometry
from fitmotion_models.fms.criteria import CriterionRule, Measured, Uncertainty
from fitmotion_models.fms.deep_squat import FROM_THE_FRONT, FROM_THE_SIDE, SAGITTAL_VIEW_SINE
from fitmotion_models.fms.moment import ANKLES, HEELS, KNEES, NECK, PELVIS, TOES, Body, Moment
from fitmotion_models.fms.sides import (
    Grades,
    furthest,
    index_of,
    leftward,
    trunk_angles,
    trunk_confidence,
)
from fitmotion_models.fms.values import Side

# Feet so far apart front to back are those of a lunge, share of the leg length.
LUNGE_FEET_APART = 0.35

# A front foot that leaves its place is a loss of balance, which is a 1.
GRADES = Grades(breaking=("front_foot_still",))

# How to film it, for people.
VIEWS = "from the side for trunk, rear knee and heel; from the front for the feet's line and the trunk's lean"


def trunk_forward(moment: Moment) -> Measured:
    """How much the line from pelvis to neck has moved in the sagittal plane since the stance, degrees."""
    return _trunk_moved(moment, 0)


def trunk_sideways(moment: Moment) -> Measured:
    """How much the line from pelvis to neck has moved in the frontal plane since the stance, degrees."""
    return _trunk_moved(moment, 1)


def _trunk_moved(moment: Moment, plane: int) -> Measured:
    now, before = trunk_angles(moment.body, moment), trunk_angles(moment.stance.body, moment)
    return Measured(abs(now[plane] - before[plane]), trunk_confidence(moment))


def rear_knee_height(moment: Moment, side: int) -> Measured:
    """Height of the rear knee over the floor, on which the toes of both feet are, metres."""
    knee = KNEES[1 - side]
    floor = float(np.mean(moment.body.points[list(TOES), 2]))
    confidence = moment.body.confidence[[knee, *TOES]]
    return Measured(float(moment.body.points[knee, 2]) - floor, float(confidence.min()))


def feet_beside_line(moment: Moment) -> Measured:
    """How far the feet are beside each other, ankle from ankle across the way that the person faces, metres."""
    ankles = moment.body.points[list(ANKLES)]
    return Measured(
        abs(float((ankles[0] - ankles[1]) @ leftward(moment))), float(moment.body.confidence[list(ANKLES)].min())
    )


def front_heel_rise(moment: Moment, side: int) -> Measured:
    """How much further the front heel is over its toe than it was in the stance, metres."""
    heel, toe = HEELS[side], TOES[side]
    rises = [float(body.points[heel, 2] - body.points[toe, 2]) for body in (moment.body, moment.stance.body)]
    confidence = min(float(body.confidence[[heel, toe]].min()) for body in (moment.body, moment.stance.body))
    return Measured(rises[0] - rises[1], confidence)


def front_foot_slip(moment: Moment, side: int) -> Measured:
    """The most that the front ankle left its place, horizontally, metres.

    Its place is that of the stance; for whoever stepped forward into the lunge it is where the ankle was at the lowest
    point, and only the lower half of the way down and up counts.
    """
    ankle = ANKLES[side]
    if feet_apart(moment.stance.body, moment) > LUNGE_FEET_APART * moment.stance.leg_length:
        return furthest(moment.frames, ankle, moment.stance.body.points[ankle])
    half = 0.5 * (moment.body.points[PELVIS, 2] + moment.stance.body.points[PELVIS, 2])
    low = [body for body in moment.frames if body.points[PELVIS, 2] <= half]
    return furthest(low or [moment.body], ankle, moment.body.points[ankle])


def feet_apart(body: Body, moment: Moment) -> float:
    """Distance of the ankles front to back, metres."""
    ankles = body.points[list(ANKLES)]
    return abs(float((ankles[0] - ankles[1]) @ moment.stance.facing))


# Standard deviations, and what noise adds to a maximum or a length: of the measured value on parametric bodies under 12
# degrees (one camera, in the plane of the picture) and 5 degrees (several) of joint angle error. Along the line of
# sight as in `deep_squat`: 0.10 to 0.12 m between the joints of one person, 16 degrees for a trunk. Sizes without a
# sign are up to twice as uncertain as they spread: what noise makes of nothing looks like a fault, to either side.
@lru_cache
def rules(side: Side, person: Anthropometry = UNKNOWN_BODY) -> tuple[CriterionRule, ...]:
    """The criteria of a lunge with the leg of `side` in front. Raises ValueError for a side that is neither."""
    index = index_of(side)
    other = 1 - index
    return (
        CriterionRule(
            name="trunk_upright",
            threshold=10.0,
            unit="deg",
            measure=trunk_forward,
            joints=(PELVIS, NECK),
            uncertainty=Uncertainty(side=13.5, front=16.0, several=4.6),
            best_view=FROM_THE_SIDE,
            fault="the trunk leaned out of the vertical",
            advice="Keep the dowel vertical on the way down; work on hip and ankle mobility.",
            min_view_sine=SAGITTAL_VIEW_SINE,
        ),
        CriterionRule(
            name="trunk_centred",
            threshold=8.0,
            unit="deg",
            measure=trunk_sideways,
            joints=(PELVIS, NECK),
            uncertainty=Uncertainty(side=16.0, front=14.0, several=4.2),
            best_view=FROM_THE_FRONT,
            fault="the trunk leaned to the side",
            advice="Keep the trunk over the line; work on the side of the trunk and on the outer hip muscles.",
        ),
        CriterionRule(
            name="rear_knee_down",
            threshold=0.10,
            unit="m",
            measure=partial(rear_knee_height, side=index),
            joints=(KNEES[other], *TOES),
            uncertainty=Uncertainty(side=0.062, front=0.07, several=0.021),
            best_view=FROM_THE_SIDE,
            fault="the rear knee did not come down to the floor",
            advice="Go down until the rear knee touches behind the front heel; work on hip and ankle mobility.",
        ),
        CriterionRule(
            name="feet_in_line",
            threshold=0.08,
            unit="m",
            measure=feet_beside_line,
            joints=ANKLES,
            uncertainty=Uncertainty(side=0.19, front=0.17, several=0.051),
            best_view=FROM_THE_FRONT,
            fault="the feet were not on one line",
            advice="Keep both feet on the line; work on balance and on hip mobility.",
        ),
        CriterionRule(
            name="front_heel_down",
            threshold=0.03,
            unit="m",
            measure=partial(front_heel_rise, side=index),
            joints=(HEELS[index], TOES[index]),
            uncertainty=Uncertainty(side=0.058, front=0.08, several=0.024),
            best_view=FROM_THE_SIDE,
            fault="the front heel came off the floor",
            advice="Keep the front heel down; work on ankle mobility and calf flexibility.",
        ),
        CriterionRule(
            name="front_foot_still",
            threshold=0.05,
            unit="m",
            measure=partial(front_foot_slip, side=index),
            joints=(ANKLES[index],),
            uncertainty=Uncertainty(side=0.080, front=0.080, several=0.028, bias_one=0.11, bias_several=0.03),
            best_view=FROM_THE_SIDE,
            fault="the front foot left its place",
            advice="Keep the front foot where it is; work on balance and on the strength of the trunk.",
        ),
    )
