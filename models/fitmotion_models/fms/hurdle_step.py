"""The hurdle step: its criteria as a table for each side, and how each is measured.

The criteria are the official ones (Cook 2006). 3: hip, knee and ankle stay in the sagittal plane, no movement of the
lumbar spine, the dowel stays level. 2: any of these is lost. 1: the foot touches the hurdle or the balance is lost. No
cut-offs in degrees or centimetres are published; the thresholds here are this project's. The hurdle itself is not seen:
its string is at the height of the tibial tuberosity, for which a share of the knee's height stands.
"""

import math
from functools import lru_cache, partial

import numpy as np

from fitmotion_models.fms.anthropometry import UNKNOWN_BODY, Anthropometry
from fitmotion_models.fms.criteria import CriterionRule, Measured, Uncertainty
from fitmotion_models.fms.deep_squat import FROM_THE_FRONT, FROM_THE_SIDE
from fitmotion_models.fms.moment import ANKLES, HEELS, HIPS, KNEES, NECK, PELVIS, SHOULDERS, TOES, Moment
from fitmotion_models.fms.sides import (
    Grades,
    furthest,
    index_of,
    leftward,
    trunk_angles,
    trunk_confidence,
)
from fitmotion_models.fms.values import Side

# The tibial tuberosity against the joint line of the knee, share of the knee's height over the floor.
HURDLE_SHARE = 0.9

# The foot at or under the string, or a standing foot that leaves its place, is a 1.
GRADES = Grades(breaking=("foot_over_hurdle", "standing_foot_still"))

# How to film it, for people.
VIEWS = "from the front for knee, ankle and dowel; from the side for trunk, foot and hurdle"


def beside_hip(moment: Moment, side: int, joints: tuple[int, int]) -> Measured:
    """Distance of the stepping knee or ankle from the sagittal plane through its hip, metres."""
    joint, hip = joints[side], HIPS[side]
    offset = float((moment.body.points[joint] - moment.body.points[hip]) @ leftward(moment))
    return Measured(abs(offset), float(moment.body.confidence[[joint, hip]].min()))


def trunk_change(moment: Moment) -> Measured:
    """How much the line from pelvis to neck has moved since the stance, degrees, in both planes together."""
    now, before = trunk_angles(moment.body, moment), trunk_angles(moment.stance.body, moment)
    return Measured(math.hypot(now[0] - before[0], now[1] - before[1]), trunk_confidence(moment))


def shoulder_tilt(moment: Moment) -> Measured:
    """Tilt of the shoulders' line, on which the dowel lies, against the horizontal, degrees."""
    line = moment.body.points[SHOULDERS[0]] - moment.body.points[SHOULDERS[1]]
    level = float(np.linalg.norm(line[:2]))
    return Measured(
        abs(math.degrees(math.atan2(float(line[2]), level))), float(moment.body.confidence[list(SHOULDERS)].min())
    )


def foot_under_hurdle(moment: Moment, side: int) -> Measured:
    """How far the lower end of the stepping foot is under the hurdle's string, metres; negative where it clears it.

    The floor is where the toes were in the stance, the knee that of the standing leg in the stance.
    """
    other = 1 - side
    stance, body = moment.stance.body, moment.body
    floor = float(np.mean(stance.points[list(TOES), 2]))
    string = HURDLE_SHARE * (float(stance.points[KNEES[other], 2]) - floor)
    # against the standing foot: one camera knows the body's height only by the feet
    standing = float(body.points[TOES[other], 2])
    foot = float(min(body.points[TOES[side], 2], body.points[HEELS[side], 2])) - standing
    confidence = [
        float(body.confidence[[TOES[side], HEELS[side], TOES[other]]].min()),
        float(stance.confidence[[KNEES[other], *TOES]].min()),
    ]
    return Measured(string - foot, min(confidence))


def standing_foot_slip(moment: Moment, side: int) -> Measured:
    """The most that the standing ankle left its place in the stance, horizontally, metres."""
    standing = ANKLES[1 - side]
    return furthest(moment.frames, standing, moment.stance.body.points[standing])


# Standard deviations, and what noise adds to a maximum or a length: of the measured value on parametric bodies under 12
# degrees (one camera, in the plane of the picture) and 5 degrees (several) of joint angle error. Along the line of
# sight as in `deep_squat`: 0.10 to 0.12 m between the joints of one person, 16 degrees for a trunk. Sizes without a
# sign are up to twice as uncertain as they spread: what noise makes of nothing looks like a fault, to either side.
@lru_cache
def rules(side: Side, person: Anthropometry = UNKNOWN_BODY) -> tuple[CriterionRule, ...]:
    """The criteria of a step with the leg of `side`. Raises ValueError for a side that is neither."""
    index = index_of(side)
    other = 1 - index
    return (
        CriterionRule(
            name="knee_in_line",
            threshold=0.05,
            unit="m",
            measure=partial(beside_hip, side=index, joints=KNEES),
            joints=(HIPS[index], KNEES[index]),
            uncertainty=Uncertainty(side=0.12, front=0.115, several=0.030),
            best_view=FROM_THE_FRONT,
            fault="the stepping knee left the line with its hip",
            advice="Lift the knee straight ahead; work on hip mobility and on the outer hip muscles.",
        ),
        CriterionRule(
            name="ankle_in_line",
            threshold=0.05,
            unit="m",
            measure=partial(beside_hip, side=index, joints=ANKLES),
            joints=(HIPS[index], ANKLES[index]),
            uncertainty=Uncertainty(side=0.13, front=0.130, several=0.036),
            best_view=FROM_THE_FRONT,
            fault="the stepping ankle left the line with its hip",
            advice="Bring the foot straight over the hurdle, under the knee; work on hip rotation.",
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
            advice="Stand tall and keep the lower back still; work on hip mobility and on the strength of the trunk.",
        ),
        CriterionRule(
            name="dowel_level",
            threshold=10.0,
            unit="deg",
            measure=shoulder_tilt,
            joints=SHOULDERS,
            uncertainty=Uncertainty(side=16.0, front=9.5, several=3.3),
            best_view=FROM_THE_FRONT,
            fault="the dowel tilted",
            advice="Keep the dowel level; work on balance on one leg and on the side of the trunk.",
        ),
        CriterionRule(
            name="foot_over_hurdle",
            threshold=0.0,
            unit="m",
            measure=partial(foot_under_hurdle, side=index),
            joints=(TOES[index], HEELS[index], KNEES[other]),
            uncertainty=Uncertainty(side=0.09, front=0.09, several=0.034),
            best_view=FROM_THE_SIDE,
            fault="the foot was not lifted over the hurdle",
            advice="Lift the knee higher and pull the toes up; work on hip and ankle mobility.",
        ),
        CriterionRule(
            name="standing_foot_still",
            threshold=0.05,
            unit="m",
            measure=partial(standing_foot_slip, side=index),
            joints=(ANKLES[other],),
            uncertainty=Uncertainty(side=0.085, front=0.085, several=0.030, bias_one=0.10, bias_several=0.03),
            best_view=FROM_THE_SIDE,
            fault="the standing foot left its place",
            advice="Keep the standing foot where it is; work on balance on one leg.",
        ),
    )
