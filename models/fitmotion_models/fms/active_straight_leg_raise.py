"""The active straight leg raise: its criteria as a table for each side (the raised leg), and how each is measured.

The criteria are the official ones (Cook 2006): a plumb line through the ankle of the raised straight leg, the other leg
still on the floor. 3: it meets the other thigh between its middle and the hip. 2: between the middle and the knee.
1: below the knee. Only the place is published; how straight and how still a leg must be is this project's threshold.
All is measured in the upright plane along the body, which one camera sees from the side.
"""

import math
from functools import lru_cache, partial

import numpy as np

from fitmotion_models.fms.anthropometry import UNKNOWN_BODY, Anthropometry
from fitmotion_models.fms.criteria import UNMEASURED, CriterionRule, Measured, Uncertainty
from fitmotion_models.fms.floor import FROM_THE_SIDE, SAGITTAL_VIEW_SINE, from_above, slope_in_plane_deg
from fitmotion_models.fms.moment import ANKLES, HIPS, KNEES, Moment
from fitmotion_models.fms.sides import Grades, index_of
from fitmotion_models.fms.values import Side

# Below the knee is a 1, whatever else was done well; a bent knee or a restless leg is a compensation, a 2.
GRADES = Grades(breaking=("ankle_over_knee",))

# How to film it, for people.
VIEWS = "from the side, the camera near the floor, the whole body in the picture"

# A thigh that reaches less far along the floor than this share of its length is not lying: nothing falls onto it.
LYING_THIGH = 0.6


def ankle_place(moment: Moment, side: int) -> Measured:
    """Where the plumb line of the raised ankle meets the other thigh, % of it from hip (0) to knee (100)."""
    points, other = moment.body.points, 1 - side
    heading = moment.stance.facing
    thigh = points[KNEES[other]] - points[HIPS[other]]
    along = float(thigh @ heading)
    if not along > LYING_THIGH * float(np.linalg.norm(thigh)):
        return from_above(moment) or UNMEASURED
    place = float((points[ANKLES[side]] - points[HIPS[other]]) @ heading) / along
    confidence = moment.body.confidence[[ANKLES[side], HIPS[other], KNEES[other]]]
    return from_above(moment) or Measured(100.0 * place, float(confidence.min()))


def knee_bend(moment: Moment, leg: int) -> Measured:
    """Flexion of a leg's knee in the upright plane along the body, degrees; negative where it is overstretched."""
    points, heading = moment.body.points, moment.stance.facing
    hip, knee, ankle = HIPS[leg], KNEES[leg], ANKLES[leg]
    thigh = slope_in_plane_deg(points[knee] - points[hip], heading)
    shank = slope_in_plane_deg(points[ankle] - points[knee], heading)
    flexion = math.remainder(thigh - shank, 360.0)
    return from_above(moment) or Measured(flexion, float(moment.body.confidence[[hip, knee, ankle]].min()))


def other_leg_lift(moment: Moment, side: int) -> Measured:
    """How much higher over its hip the other leg's ankle is than in the stance, metres."""
    hip, ankle = HIPS[1 - side], ANKLES[1 - side]
    now, before = (float((one.points[ankle] - one.points[hip])[2]) for one in (moment.body, moment.stance.body))
    confidence = min(float(one.confidence[[hip, ankle]].min()) for one in (moment.body, moment.stance.body))
    return from_above(moment) or Measured(now - before, confidence)


# Standard deviations: of the measured value on parametric bodies under 12 degrees (one camera, in the plane of the
# picture) and 5 degrees (several) of joint angle error. Along the line of sight twice that.
@lru_cache
def rules(side: Side, person: Anthropometry = UNKNOWN_BODY) -> tuple[CriterionRule, ...]:
    """The criteria of a raise of the leg of `side`; no entered measure counts. Raises ValueError for no one side."""
    index = index_of(side)
    other = 1 - index
    place = partial(ankle_place, side=index)
    place_joints = (ANKLES[index], HIPS[other], KNEES[other])
    return (
        CriterionRule(
            name="ankle_over_mid_thigh",
            threshold=50.0,
            unit="%",
            measure=place,
            joints=place_joints,
            uncertainty=Uncertainty(side=24.0, front=45.0, several=10.5),
            best_view=FROM_THE_SIDE,
            fault="the ankle did not come over the upper half of the other thigh",
            advice="Raise the straight leg further; work on the mobility of hamstrings and hips.",
            min_view_sine=SAGITTAL_VIEW_SINE,
        ),
        CriterionRule(
            name="ankle_over_knee",
            threshold=100.0,
            unit="%",
            measure=place,
            joints=place_joints,
            uncertainty=Uncertainty(side=24.0, front=45.0, several=10.5),
            best_view=FROM_THE_SIDE,
            fault="the ankle did not come over the other knee",
            advice="Work on the mobility of hamstrings and hips, first lying with the other leg bent.",
            min_view_sine=SAGITTAL_VIEW_SINE,
        ),
        CriterionRule(
            name="raised_knee_straight",
            threshold=10.0,
            unit="deg",
            measure=partial(knee_bend, leg=index),
            joints=(HIPS[index], KNEES[index], ANKLES[index]),
            uncertainty=Uncertainty(side=12.5, front=24.0, several=5.2),
            best_view=FROM_THE_SIDE,
            fault="the raised knee was bent",
            advice="Keep the raised knee straight and the toes pulled up, and raise the leg only so far.",
            min_view_sine=SAGITTAL_VIEW_SINE,
        ),
        CriterionRule(
            name="other_knee_straight",
            threshold=10.0,
            unit="deg",
            measure=partial(knee_bend, leg=other),
            joints=(HIPS[other], KNEES[other], ANKLES[other]),
            uncertainty=Uncertainty(side=12.5, front=24.0, several=5.2),
            best_view=FROM_THE_SIDE,
            fault="the other knee was bent",
            advice="Press the back of the other knee to the floor; work on the mobility of the hip's front.",
            min_view_sine=SAGITTAL_VIEW_SINE,
        ),
        CriterionRule(
            name="other_leg_still",
            threshold=0.05,
            unit="m",
            measure=partial(other_leg_lift, side=index),
            joints=(HIPS[other], ANKLES[other]),
            uncertainty=Uncertainty(side=0.11, front=0.22, several=0.045),
            best_view=FROM_THE_SIDE,
            fault="the other leg came off the floor",
            advice="Keep the other leg flat on the floor, its toes up; work on the trunk's stability.",
            min_view_sine=SAGITTAL_VIEW_SINE,
        ),
    )
