"""The trunk stability push-up: its criteria as a table, and how each is measured.

The criteria are the official ones (Cook 2006). Lying on the belly, toes tucked, the body is pushed up as one, without a
lag in the lower back. 3: with the thumbs level with the top of the forehead (men) or the chin (women). 2: with the
chin (men) or the clavicle (women). 1: not even so. The sex has to be entered: nothing that is seen tells it. No
cut-offs in degrees, seconds or centimetres are published; the thresholds here are this project's.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial

import numpy as np

from fitmotion_models.fms.anthropometry import HAND_LENGTH_OF_STATURE, UNKNOWN_BODY, Anthropometry, Sex
from fitmotion_models.fms.criteria import UNMEASURED, CriterionRule, Judged, Measured, Uncertainty, weighted_mean
from fitmotion_models.fms.floor import FROM_THE_SIDE, SAGITTAL_VIEW_SINE, from_above, middle, paired, slope_in_plane_deg
from fitmotion_models.fms.floor_repetitions import centred_mean
from fitmotion_models.fms.moment import ANKLES, ELBOWS, HIPS, KNEES, NECK, PELVIS, SHOULDERS, WRISTS, Array, Moment
from fitmotion_models.fms.scoring import Score
from fitmotion_models.fms.sides import Grades
from fitmotion_models.fms.values import Side

# Heights over the floor of somebody who stands, shares of the stature (Drillis & Contini 1966, in Winter 2009, figure
# 4.1): the shoulder, which is level with the clavicle, and the chin. From the chin to the hairline 0.106 (Farkas 1994).
SHOULDER, CHIN = 0.818, 0.870
LANDMARKS: dict[str, float] = {"forehead": CHIN + 0.106 - SHOULDER, "chin": CHIN - SHOULDER, "clavicle": 0.0}
# What is seen is the wrist; the thumb is about half a hand ahead of it.
THUMB_AHEAD = 0.5 * HAND_LENGTH_OF_STATURE
# Thigh and shank against the stature, where no stature was entered (Drillis & Contini 1966: 0.245 and 0.246, less what
# the joints' centres lie inside of them on the mean body of `skeleton.REST_OFFSETS`).
LEG_OF_STATURE = 0.454

# How far below its landmark a thumb may lie, metres: half of what chin and clavicle are apart; this project's choice.
HANDS_TOLERANCE = 0.045

# Where the thumbs have to be: sex -> (for a 3, for a 2).
HANDS: dict[Sex, tuple[str, str]] = {Sex.MALE: ("forehead", "chin"), Sex.FEMALE: ("chin", "clavicle")}
SEX_MISSING = ("where the hands have to be depends on the sex, which is not entered", "enter the person's sex")

# Hands lower than for a 3 are a 2; a push-up that fails in anything else is none, and is tried again with lower hands.
NEXT_TRIAL = "Repeat with the thumbs level with the chin (men) or the clavicle (women): clean there is a 2."


@dataclass(frozen=True)
class PushUpGrades(Grades):
    """3, 2 or 1 as `Grades`; what to try next is said of a 1 only."""

    def score(self, judged: Sequence[Judged]) -> Score:
        """The score of one repetition."""
        score = super().score(judged)
        return replace(score, reason=f"{score.reason} {NEXT_TRIAL}") if score.score == 1 else score


GRADES = PushUpGrades(("hands_not_too_low", "arms_straight", "body_straight", "hips_with_shoulders"))

# How to film it, for people.
VIEWS = "from the side, the camera near the floor, the whole body in the picture"

# When hips and shoulders pass these shares of their rise is compared, averaged over so many seconds.
RISE_SHARES = (0.3, 0.4, 0.5, 0.6, 0.7)
RISE_AVERAGING = 0.2
# Hips that rise by less than this share of the shoulders' rise stay down: there is no delay to measure.
LEAST_HIP_RISE = 0.25
HIPS_STAYED = ("the hips hardly rose", "lift chest and hips together, as one piece")


def hands_too_low(moment: Moment, stature: float | None, landmarks: tuple[str, ...]) -> Measured:
    """How far the thumbs lay below a landmark of the body in the start, metres; negative above it.

    landmarks: one, or where the sex is not known those of both: then only hands above the higher one, or below the
    lower one, are measured.
    """
    points, confidence = moment.stance.body.points, moment.stance.body.confidence
    place = float((middle(points, WRISTS) - middle(points, SHOULDERS)) @ moment.stance.facing)
    height = stature if stature is not None else moment.stance.leg_length / LEG_OF_STATURE
    below = sorted((LANDMARKS[name] - THUMB_AHEAD) * height - place for name in landmarks)
    seen = float(confidence[[*WRISTS, *SHOULDERS]].min())
    if below[0] <= HANDS_TOLERANCE < below[-1]:
        return Measured(math.nan, 0.0, SEX_MISSING)
    return from_above(moment) or Measured(below[0] if below[0] > HANDS_TOLERANCE else below[-1], seen)


def elbow_bend(moment: Moment) -> Measured:
    """Flexion of the elbows at the top, mean of the seen ones, degrees: 0 is a straight arm."""
    points, confidence = moment.body.points, moment.body.confidence
    bends, weights = [], []
    for side in (0, 1):
        upper = points[ELBOWS[side]] - points[SHOULDERS[side]]
        fore = points[WRISTS[side]] - points[ELBOWS[side]]
        cosine = float(upper @ fore / (np.linalg.norm(upper) * np.linalg.norm(fore)))
        bends.append(math.degrees(math.acos(max(-1.0, min(1.0, cosine)))) if math.isfinite(cosine) else math.nan)
        weights.append(float(confidence[[SHOULDERS[side], ELBOWS[side], WRISTS[side]]].min()))
    return from_above(moment) or weighted_mean(np.array(bends), np.array(weights))


def body_bend(moment: Moment) -> Measured:
    """How far shoulders, hips and ankles are from one line at the top, degrees, in the upright plane along the body."""
    body, heading = paired(moment.body, trusted=True), moment.stance.facing
    points = body.points
    shoulders, hips, ankles = (middle(points, pair) for pair in (SHOULDERS, HIPS, ANKLES))
    bend = slope_in_plane_deg(shoulders - hips, heading) - slope_in_plane_deg(hips - ankles, heading)
    confidence = float(body.confidence[[*SHOULDERS, *HIPS, *ANKLES]].min())
    return from_above(moment) or Measured(abs(math.remainder(bend, 360.0)), confidence)


def hips_lag(moment: Moment) -> Measured:
    """How much later than the shoulders the hips rose, s, the mean over the middle of the way; negative where earlier.

    Each height goes from 0 in the stance to 1 at the top; what is compared is when they pass the same shares of it.
    """
    frames = [body for body in moment.frames if body.stamp <= moment.body.stamp + 1e-6]
    if len(frames) < 3:
        return UNMEASURED
    stamps = np.array([body.stamp for body in frames])
    at_top = paired(moment.body, trusted=True)
    rises, passed = [], []
    for pair in (SHOULDERS, HIPS):
        height = centred_mean(stamps, np.array([middle(body.points, pair)[2] for body in frames]), RISE_AVERAGING)
        low, high = (float(middle(one.points, pair)[2]) for one in (moment.stance.body, at_top))
        rises.append(high - low)
        passed.append(np.mean([_passed(stamps, height, low + share * (high - low)) for share in RISE_SHARES]))
    if rises[1] < LEAST_HIP_RISE * rises[0]:
        return Measured(math.nan, 0.0, HIPS_STAYED)
    confidence = float(paired(moment.feet, trusted=True).confidence[[*SHOULDERS, *HIPS]].min())
    return from_above(moment) or Measured(float(passed[1] - passed[0]), confidence)


def _passed(stamps: Array, height: Array, level: float) -> float:
    """When a height first passes a level, s; NaN where it does not."""
    above = np.flatnonzero(height >= level)
    if not len(above) or not np.isfinite(height).all():
        return math.nan
    after = int(above[0])
    if after == 0:
        return float(stamps[0])
    return float(np.interp(level, height[after - 1 : after + 1], stamps[after - 1 : after + 1]))


# Standard deviations: of the measured value on parametric bodies under 12 degrees (one camera, in the plane of the
# picture) and 5 degrees (several) of joint angle error. Along the line of sight twice that.
@lru_cache
def rules(side: Side = Side.BOTH, person: Anthropometry = UNKNOWN_BODY) -> tuple[CriterionRule, ...]:
    """The criteria of a push-up, which has no side, for a person whose sex is entered or not."""
    known = [HANDS[person.sex]] if person.sex in HANDS else list(HANDS.values())
    high, low = (tuple(landmarks) for landmarks in zip(*known, strict=True))
    return (
        _hands(
            "hands_high",
            high,
            person,
            fault="the hands lay lower than for a 3",
            advice="Put the hands further up: the thumbs level with the forehead (men) or the chin (women).",
        ),
        _hands(
            "hands_not_too_low",
            low,
            person,
            fault="the hands lay lower than for a 2",
            advice="Put the hands further up: the thumbs at least level with the chin (men) or the clavicle (women).",
        ),
        CriterionRule(
            name="arms_straight",
            threshold=40.0,
            unit="deg",
            measure=elbow_bend,
            joints=(*SHOULDERS, *ELBOWS, *WRISTS),
            uncertainty=Uncertainty(side=12.0, front=24.0, several=9.0),
            best_view=FROM_THE_SIDE,
            fault="the body was not pushed up all the way",
            advice="Push up until the elbows are straight; build up the strength of chest and arms.",
        ),
        CriterionRule(
            name="body_straight",
            threshold=15.0,
            unit="deg",
            measure=body_bend,
            joints=(PELVIS, NECK, *HIPS, *KNEES, *ANKLES),
            uncertainty=Uncertainty(side=9.5, front=19.0, several=4.0),
            best_view=FROM_THE_SIDE,
            fault="the body was bent at the hips",
            advice="Keep shoulders, hips and ankles in one line; work on the stability of the trunk.",
            min_view_sine=SAGITTAL_VIEW_SINE,
        ),
        CriterionRule(
            name="hips_with_shoulders",
            threshold=0.2,
            unit="s",
            measure=hips_lag,
            joints=(*SHOULDERS, *HIPS),
            uncertainty=Uncertainty(side=0.17, front=0.34, several=0.09),
            best_view=FROM_THE_SIDE,
            fault="the hips came up after the shoulders",
            advice="Lift chest and hips together, as one piece; work on the stability of the trunk.",
        ),
    )


def _hands(name: str, landmarks: tuple[str, ...], person: Anthropometry, *, fault: str, advice: str) -> CriterionRule:
    return CriterionRule(
        name=name,
        threshold=HANDS_TOLERANCE,
        unit="m",
        measure=partial(hands_too_low, stature=person.stature_m, landmarks=landmarks),
        joints=(*WRISTS, *SHOULDERS),
        uncertainty=Uncertainty(side=0.036, front=0.09, several=0.014),
        best_view=FROM_THE_SIDE,
        fault=fault,
        advice=advice,
        min_view_sine=SAGITTAL_VIEW_SINE,
    )
