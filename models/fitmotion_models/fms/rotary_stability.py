"""Rotary stability: its criteria as a table for each side (the moving arm), and how each is measured.

The criteria are the official ones (Cook 2006). On all fours an arm and a leg are stretched out, then elbow and knee
are brought together over the board between hands and knees, the trunk level. 3: arm and leg of the same side. 2: of
opposite sides, on the diagonal. 1: not even so. No cut-offs in degrees or centimetres are published; the thresholds
here are this project's.
"""

import math
from functools import lru_cache, partial

import numpy as np

from fitmotion_models.fms.anthropometry import UNKNOWN_BODY, Anthropometry
from fitmotion_models.fms.criteria import UNMEASURED, CriterionRule, Measured, Uncertainty
from fitmotion_models.fms.floor import FROM_THE_HEAD, FROM_THE_SIDE, SAGITTAL_VIEW_SINE, from_above, middle, tilt_deg
from fitmotion_models.fms.floor_repetitions import centred_mean
from fitmotion_models.fms.moment import ELBOWS, HIPS, KNEES, SHOULDERS, Moment
from fitmotion_models.fms.scoring import Form, VariationRule
from fitmotion_models.fms.sides import PLACE_AVERAGING, index_of, leftward
from fitmotion_models.fms.values import Side, Variation

# The official scores: 3 with arm and leg of one side, 2 on the diagonal, 1 when even that fails.
_SAME_SIDE = VariationRule(3, 1, "Repeat on the diagonal: clean there is a 2.")
_DIAGONAL = VariationRule(2, 1)
FORMS: dict[Variation, Form] = {
    Variation.ROTARY_STABILITY_LEFT: Form(_SAME_SIDE, Side.LEFT),
    Variation.ROTARY_STABILITY_RIGHT: Form(_SAME_SIDE, Side.RIGHT),
    Variation.ROTARY_STABILITY_DIAGONAL_LEFT: Form(_DIAGONAL, Side.LEFT),
    Variation.ROTARY_STABILITY_DIAGONAL_RIGHT: Form(_DIAGONAL, Side.RIGHT),
}

# How to film it, for people.
VIEWS = "from the side, near the floor, for elbow and knee; from the head or the feet for the trunk's roll and sway"


def moving_knee(moment: Moment) -> int:
    """0 or 1: the knee that is further from its place in the stance, seen from the hips."""
    moved = [(one.points[list(KNEES)] - middle(one.points, HIPS)) for one in (moment.body, moment.stance.body)]
    return int(np.linalg.norm(moved[0] - moved[1], axis=1).argmax())


def elbow_from_knee(moment: Moment, side: int) -> Measured:
    """Distance of the moving elbow and knee in the upright plane along the body, metres."""
    points, knee = moment.body.points, KNEES[moving_knee(moment)]
    line = points[ELBOWS[side]] - points[knee]
    distance = math.hypot(float(line @ moment.stance.facing), float(line[2]))
    return from_above(moment) or Measured(distance, float(moment.body.confidence[[ELBOWS[side], knee]].min()))


def trunk_roll(moment: Moment) -> Measured:
    """Tilt of shoulders and hips together against the horizontal, degrees."""
    points = moment.body.points
    across = points[SHOULDERS[0]] - points[SHOULDERS[1]] + points[HIPS[0]] - points[HIPS[1]]
    return from_above(moment) or Measured(tilt_deg(across), float(moment.body.confidence[[*SHOULDERS, *HIPS]].min()))


def sway(moment: Moment) -> Measured:
    """The most that the middle of the hips went aside from its place in the stance, metres; of short averages."""
    across, before = leftward(moment), middle(moment.stance.body.points, HIPS)
    stamps = np.array([body.stamp for body in moment.frames])
    aside = np.array([float((middle(body.points, HIPS) - before) @ across) for body in moment.frames])
    confidence = np.array([body.confidence[list(HIPS)].min() for body in moment.frames])
    seen = np.isfinite(aside) & (confidence > 0.0)
    if seen.mean() < 0.5:
        return UNMEASURED
    means = centred_mean(stamps[seen], aside[seen], PLACE_AVERAGING)
    return from_above(moment) or Measured(float(np.abs(means).max()), float(confidence[seen].mean()))


# Standard deviations, and what noise adds to a distance or a maximum: of the measured value on parametric bodies under
# 12 degrees (one camera, in the plane of the picture) and 5 degrees (several) of joint angle error. Along the line of
# sight as in `deep_squat`: 16 degrees for a trunk, 0.12 m for its place.
@lru_cache
def rules(side: Side, person: Anthropometry = UNKNOWN_BODY) -> tuple[CriterionRule, ...]:
    """The criteria with the arm of `side`; no entered measure counts. Raises ValueError for a side that is neither."""
    index = index_of(side)
    return (
        CriterionRule(
            name="elbow_to_knee",
            threshold=0.12,
            unit="m",
            measure=partial(elbow_from_knee, side=index),
            joints=(ELBOWS[index], *KNEES),
            uncertainty=Uncertainty(side=0.10, front=0.17, several=0.04),
            best_view=FROM_THE_SIDE,
            fault="elbow and knee did not meet",
            advice="Round the back a little and bring elbow and knee together; work on the stability of the trunk.",
            min_view_sine=SAGITTAL_VIEW_SINE,
        ),
        CriterionRule(
            name="trunk_level",
            threshold=15.0,
            unit="deg",
            measure=trunk_roll,
            joints=(*SHOULDERS, *HIPS),
            uncertainty=Uncertainty(side=16.0, front=8.5, several=3.5),
            best_view=FROM_THE_HEAD,
            fault="the trunk rolled",
            advice="Keep shoulders and hips level over the board; work on the stability of trunk and shoulder.",
        ),
        CriterionRule(
            name="little_sway",
            threshold=0.10,
            unit="m",
            measure=sway,
            joints=HIPS,
            uncertainty=Uncertainty(side=0.12, front=0.085, several=0.024, bias_one=0.05, bias_several=0.017),
            best_view=FROM_THE_HEAD,
            fault="the hips swayed aside",
            advice="Keep the hips over the board; work on the stability of the hip that stands.",
        ),
    )
