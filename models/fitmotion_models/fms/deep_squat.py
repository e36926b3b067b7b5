"""The deep squat: its criteria as a table, and how each is measured.

The criteria are the official ones (Cook 2006): trunk parallel to the tibia or more upright, femur below horizontal,
knees over the feet, dowel over the feet and overhead, heels down. No cut-offs in degrees or centimetres are published;
the thresholds here are this project's, to be fitted when graded recordings are at hand.
"""

import math

import numpy as np

from fitmotion_models.fms.anthropometry import UNKNOWN_BODY, Anthropometry
from fitmotion_models.fms.criteria import UNMEASURED, CriterionRule, Measured, Uncertainty, weighted_mean
from fitmotion_models.fms.moment import (
    ANKLES,
    BALLS,
    HEELS,
    HIPS,
    KNEES,
    NECK,
    PELVIS,
    TOES,
    UP,
    WRISTS,
    Array,
    Body,
    Moment,
    forward_lean,
)
from fitmotion_models.fms.scoring import Form, VariationRule
from fitmotion_models.fms.values import Side, Variation

# A foot whose length and direction cannot be told apart from noise gives no plane; a real foot is 15 to 30 cm.
MIN_FOOT_LENGTH = 0.08

# Heel rise is averaged over this many seconds before its maximum is taken, so that no single frame decides.
HEEL_RISE_AVERAGING = 0.2


def trunk_against_tibia(moment: Moment) -> Measured:
    """Forward lean of the trunk (pelvis to neck) less that of the tibiae (ankle to knee), degrees."""
    points, confidence = moment.body.points, moment.body.confidence
    facing = moment.stance.facing
    tibia = weighted_mean(
        forward_lean(points[list(KNEES)] - points[list(ANKLES)], facing),
        np.minimum(confidence[list(KNEES)], confidence[list(ANKLES)]),
    )
    trunk = float(forward_lean(points[NECK] - points[PELVIS], facing))
    return Measured(trunk - tibia.value, min(tibia.confidence, float(confidence[[NECK, PELVIS]].min())))


def hip_above_knee(moment: Moment) -> Measured:
    """Height of the hips above the knees, metres; negative when the femurs are below horizontal."""
    points, confidence = moment.body.points, moment.body.confidence
    return weighted_mean(
        points[list(HIPS), 2] - points[list(KNEES), 2],
        np.minimum(confidence[list(HIPS)], confidence[list(KNEES)]),
    )


def left_knee_inside_foot(moment: Moment) -> Measured:
    """Distance of the left knee from the vertical plane through ankle and toe, metres; positive towards the right."""
    return _knee_inside_foot(moment, side=0)


def right_knee_inside_foot(moment: Moment) -> Measured:
    """Distance of the right knee from the vertical plane through ankle and toe, metres; positive towards the left."""
    return _knee_inside_foot(moment, side=1)


def _knee_inside_foot(moment: Moment, side: int) -> Measured:
    """The feet stand still, so the plane is that of the whole repetition; only the knee is of the lowest point."""
    ankle, toe = moment.feet.points[ANKLES[side]], moment.feet.points[TOES[side]]
    along = (toe - ankle) * (1.0, 1.0, 0.0)
    length = float(np.linalg.norm(along))
    if not length > MIN_FOOT_LENGTH:
        return UNMEASURED
    leftwards = np.cross(UP, along / length)
    inwards = -leftwards if side == 0 else leftwards
    confidence = moment.body.confidence[[KNEES[side], ANKLES[side], TOES[side]]]
    return Measured(float((moment.body.points[KNEES[side]] - ankle) @ inwards), float(confidence.min()))


def dowel_outside_feet(moment: Moment) -> Measured:
    """How far the middle of the wrists is in front of the toes or behind the heels, metres; negative over the feet."""
    facing = moment.stance.facing
    wrists = _mean_along(moment.body, WRISTS, facing)
    heels = _mean_along(moment.feet, HEELS, facing)
    toes = _mean_along(moment.feet, TOES, facing)
    outside = max(wrists.value - toes.value, heels.value - wrists.value)
    return Measured(outside, min(wrists.confidence, heels.confidence, toes.confidence))


def dowel_below_neck(moment: Moment) -> Measured:
    """How far the middle of the wrists is below the neck, metres; negative when the dowel is held overhead."""
    wrists = _mean_along(moment.body, WRISTS, UP)
    neck = moment.body.points[NECK, 2]
    return Measured(float(neck) - wrists.value, min(wrists.confidence, float(moment.body.confidence[NECK])))


def heel_rise(moment: Moment) -> Measured:
    """The most that a heel rose off the floor, seen from the stance and against the toes of its foot, metres.

    Against the toes, so that a drift of the whole body (one camera knows its height only by the feet) is no rise.
    Where the landmarks of a foot are not seen, ankle and ball of the foot stand for heel and toes.
    """
    values = [_heel_rise_of_foot(moment, side) for side in (0, 1)]
    seen = [value for value in values if math.isfinite(value.value)]
    # The worse foot counts; with one foot hidden the other speaks for both, as seen from the side.
    return max(seen, key=lambda value: value.value) if seen else UNMEASURED


def _heel_rise_of_foot(moment: Moment, side: int) -> Measured:
    for heel, toe in ((HEELS[side], TOES[side]), (ANKLES[side], BALLS[side])):
        stance = moment.stance.body
        stamps = np.array([body.stamp for body in moment.frames])
        rises = np.array([body.points[heel, 2] - body.points[toe, 2] for body in moment.frames])
        rises -= stance.points[heel, 2] - stance.points[toe, 2]
        confidence = np.array([body.confidence[[heel, toe]].min() for body in moment.frames])
        seen = np.isfinite(rises) & (confidence > 0.0)
        if seen.mean() < 0.5:
            continue
        return Measured(_highest_mean(stamps[seen], rises[seen]), float(confidence[seen].mean()))
    return UNMEASURED


def _highest_mean(stamps: Array, values: Array) -> float:
    """The maximum over time of the mean within `HEEL_RISE_AVERAGING` seconds around each sample."""
    sums = np.concatenate(([0.0], np.cumsum(values)))
    first = np.searchsorted(stamps, stamps - HEEL_RISE_AVERAGING / 2 - 1e-9)
    last = np.searchsorted(stamps, stamps + HEEL_RISE_AVERAGING / 2 + 1e-9, side="right")
    return float(((sums[last] - sums[first]) / (last - first)).max())


def _mean_along(body: Body, joints: tuple[int, int], direction: Array) -> Measured:
    """Mean of two points' coordinates along a direction."""
    return weighted_mean(body.points[list(joints)] @ direction, body.confidence[list(joints)])


# The official scores: 3 on the floor; 2 with the heels on a two-inch board; 1 when even that fails.
FORMS = {
    Variation.DEEP_SQUAT_FLOOR: Form(VariationRule(3, 1, "Repeat with the heels on the board: clean there is a 2.")),
    Variation.DEEP_SQUAT_BOARD: Form(VariationRule(2, 1)),
}

# How to film it, for people.
VIEWS = "from the side for trunk, depth, dowel and heels; from the front for the knees"

FROM_THE_SIDE = "film from the side, with the whole body and the hands in the picture"
FROM_THE_FRONT = "film from the front, with the feet in the picture"

# Least |sine| of the view angle for what is measured front to back: 0.5 is 30 degrees off the frontal view.
SAGITTAL_VIEW_SINE = 0.5

# Standard deviations. In the plane of the picture, and of several cameras: of the measured value under 12 and 5 degrees
# of joint angle error, which is what an athlete seen by four calibrated cameras was measured with
# (`evaluation/squat_rules.py` measures them again). Along the line of sight: errors of the same recording, root mean
# square over its four views: neck against pelvis 0.11 m, knee against ankle 0.10 m, wrists against feet 0.19 m.
# `fitmotion evaluate cameras` sets all beside that recording; trunk and dowel of several cameras are as measured there.
RULES: tuple[CriterionRule, ...] = (
    CriterionRule(
        name="trunk_parallel_to_tibia",
        threshold=10.0,
        unit="deg",
        measure=trunk_against_tibia,
        joints=(PELVIS, NECK, *KNEES, *ANKLES),
        uncertainty=Uncertainty(side=11.0, front=16.0, several=6.0),
        best_view=FROM_THE_SIDE,
        fault="the trunk leaned further forward than the shins",
        advice="Keep the chest up; work on ankle and upper back mobility and on the strength of the trunk.",
        min_view_sine=SAGITTAL_VIEW_SINE,
    ),
    CriterionRule(
        name="femur_below_horizontal",
        threshold=0.02,
        unit="m",
        measure=hip_above_knee,
        joints=(*HIPS, *KNEES),
        uncertainty=Uncertainty(side=0.045, front=0.05, several=0.018),
        best_view=FROM_THE_SIDE,
        fault="the hips stayed above the knees",
        advice="Sit deeper until the hips are below the knees; work on hip and ankle mobility.",
    ),
    CriterionRule(
        name="left_knee_over_foot",
        threshold=0.03,
        unit="m",
        measure=left_knee_inside_foot,
        joints=(KNEES[0], ANKLES[0], TOES[0]),
        uncertainty=Uncertainty(side=0.12, front=0.067, several=0.029),
        best_view=FROM_THE_FRONT,
        fault="the left knee fell inside the foot",
        advice="Press the left knee out over the toes; strengthen the outer hip muscles.",
    ),
    CriterionRule(
        name="right_knee_over_foot",
        threshold=0.03,
        unit="m",
        measure=right_knee_inside_foot,
        joints=(KNEES[1], ANKLES[1], TOES[1]),
        uncertainty=Uncertainty(side=0.12, front=0.067, several=0.029),
        best_view=FROM_THE_FRONT,
        fault="the right knee fell inside the foot",
        advice="Press the right knee out over the toes; strengthen the outer hip muscles.",
    ),
    CriterionRule(
        name="dowel_over_feet",
        threshold=0.05,
        unit="m",
        measure=dowel_outside_feet,
        joints=(*WRISTS, HEELS[0], TOES[0], HEELS[1], TOES[1]),
        uncertainty=Uncertainty(side=0.085, front=0.19, several=0.036),
        best_view=FROM_THE_SIDE,
        fault="the arms fell forward, so that the dowel left the feet",
        advice="Keep the dowel overhead and above the feet; work on shoulder and upper back mobility.",
        min_view_sine=SAGITTAL_VIEW_SINE,
    ),
    CriterionRule(
        name="dowel_overhead",
        threshold=0.0,
        unit="m",
        measure=dowel_below_neck,
        joints=(*WRISTS, NECK),
        uncertainty=Uncertainty(side=0.08, front=0.08, several=0.04),
        best_view=FROM_THE_SIDE,
        fault="the hands came down from overhead",
        advice="Hold the dowel overhead with straight elbows from the first to the last moment.",
    ),
    CriterionRule(
        name="heels_down",
        threshold=0.03,
        unit="m",
        measure=heel_rise,
        joints=(HEELS[0], TOES[0], HEELS[1], TOES[1]),
        uncertainty=Uncertainty(side=0.05, front=0.08, several=0.016, bias_one=0.06, bias_several=0.022),
        best_view=FROM_THE_SIDE,
        fault="the heels came off the floor",
        advice="Keep the heels down; work on ankle mobility and calf flexibility.",
    ),
)


def rules(side: Side = Side.BOTH, person: Anthropometry = UNKNOWN_BODY) -> tuple[CriterionRule, ...]:
    """The criteria of a squat; it has no side, and depends on no entered measure."""
    return RULES
