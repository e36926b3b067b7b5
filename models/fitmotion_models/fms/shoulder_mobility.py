"""Shoulder mobility: its criteria as a table for each side, how each is measured, and its grades.

Official (Cook 2006): both fists go to the back in one movement, one over the shoulder, one from below. 3: they are
within one hand length of each other; 2: within one and a half; 1: further apart. The side is that of the upper arm. The
hand's length is that from the wrist's crease to the tip of the middle finger. Fists are not seen, wrists are: what the
two fists take up between the wrists is taken off. How much the trunk gives way is measured and said; the official
grade does not hang on it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np

from fitmotion_models.fms.anthropometry import HAND_LENGTH_OF_STATURE, UNKNOWN_BODY, Anthropometry
from fitmotion_models.fms.criteria import CriterionRule, Judged, Measured, Uncertainty
from fitmotion_models.fms.moment import ANKLES, HIPS, KNEES, NECK, PELVIS, WRISTS, Body, Moment
from fitmotion_models.fms.scoring import MIN_CONFIDENCE, Score
from fitmotion_models.fms.sides import index_of, trunk_angles, trunk_confidence
from fitmotion_models.fms.values import NOT_SCORABLE, Side, Verdict
from fitmotion_models.skeleton.kinematics import REST_OFFSETS, REST_STATURE

FROM_BEHIND = "film from behind, with the whole body in the picture"
VIEWS = "from behind, with the whole body in the picture"

# A fist reaches from the wrist as far as the palm does, which is this share of the hand's length (Gordon et al. 1989,
# men and women: 10.5 cm of 18.7).
FIST_OF_HAND = 0.56

# From behind within 45 degrees: further round the trunk and the arms hide the hands.
BEHIND_COSINE = -0.7

# How far off the hand's length is, as a share of it. A tape measure: 1 %. From the stature: hand lengths of men of one
# stature differ by 0.7 cm (their SD of 0.98 cm, Gordon et al. 1989, with a correlation of about .7, which is taken).
# The measured stature is one from leg and trunk, whose share in it differs from person to person; 4 % is this project's
# choice, as is the 5 % by which one camera misses the size of a body whose stature nobody entered.
TAPE, FROM_STATURE, STATURE_SEEN, ONE_CAMERA_SIZE = 0.01, 0.037, 0.04, 0.05

ONE_HAND, ONE_AND_A_HALF = "fists_within_one_hand", "fists_within_one_and_a_half_hands"


def stature_of(body: Body) -> float:
    """The stature, metres, of a body that stands: from leg and trunk, as these are shares of it in the mean body."""
    return REST_STATURE * _leg_and_trunk(body.points) / _REST_LEG_AND_TRUNK


def _leg_and_trunk(points: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> float:
    thighs = np.linalg.norm(points[list(HIPS)] - points[list(KNEES)], axis=1)
    shanks = np.linalg.norm(points[list(KNEES)] - points[list(ANKLES)], axis=1)
    return float(np.nanmean(thighs + shanks) + np.linalg.norm(points[NECK] - points[PELVIS]))


def _rest_leg_and_trunk() -> float:
    leg = sum(float(np.linalg.norm(REST_OFFSETS[joint])) for joint in (KNEES[0], ANKLES[0]))
    # spine1, spine2, spine3 and neck, one on the other
    return leg + float(np.linalg.norm(REST_OFFSETS[[3, 6, 9, NECK]].sum(axis=0)))


_REST_LEG_AND_TRUNK = _rest_leg_and_trunk()


def hand_length_in(moment: Moment, person: Anthropometry) -> float:
    """The hand's length, metres, by the measure of the cameras: as entered, from the stature, or from the body seen.

    One camera guesses how large a body is; an entered stature says by how much the guess is off.
    """
    entered = person.hand_length()
    seen = stature_of(moment.stance.body)
    if entered is None:
        return HAND_LENGTH_OF_STATURE * seen
    if moment.views == 1 and person.stature_m is not None:
        return entered * seen / person.stature_m
    return entered


def fists_apart(moment: Moment, person: Anthropometry) -> Measured:
    """Distance between the fists in hand lengths; negative where they have passed each other."""
    wrists = moment.body.points[list(WRISTS)]
    distance = float(np.linalg.norm(wrists[0] - wrists[1]))
    confidence = float(moment.body.confidence[list(WRISTS)].min())
    return Measured(distance / hand_length_in(moment, person) - 2.0 * FIST_OF_HAND, confidence)


def trunk_change(moment: Moment) -> Measured:
    """How much the line from pelvis to neck has moved since the stance, degrees, in both planes together."""
    now, before = trunk_angles(moment.body, moment), trunk_angles(moment.stance.body, moment)
    return Measured(math.hypot(now[0] - before[0], now[1] - before[1]), trunk_confidence(moment))


@dataclass(frozen=True)
class ReachGrades:
    """3 within one hand length, 2 within one and a half, 1 further apart; what is said of the trunk changes nothing."""

    def score(self, judged: Sequence[Judged]) -> Score:
        """The score of one repetition."""
        by_name = {one.rule.name: one for one in judged}
        near, far = by_name[ONE_HAND], by_name[ONE_AND_A_HALF]
        verdicts = near.criterion.verdict, far.criterion.verdict
        notes = tuple(_notes(judged, near.rule))
        if verdicts[1] is Verdict.NOT_MET:
            return _graded(1, far.probability, (far.rule.fault, *notes))
        if verdicts == (Verdict.NOT_MET, Verdict.MET):
            return _graded(2, near.probability * far.probability, (near.rule.fault, *notes))
        if verdicts[0] is Verdict.MET:
            return _graded(3, near.probability, notes)
        doubtful = near if verdicts[0] is Verdict.NOT_SEEN else far
        if math.isfinite(doubtful.criterion.value):
            between = "2 or 3" if verdicts[1] is Verdict.MET else "1 or 2" if doubtful is far else "1, 2 or 3"
            reason = f"{between}: the distance of the fists is {doubtful.unseen_reason}"
        else:
            reason = f"The distance of the fists is {doubtful.unseen_reason}"
        return Score(NOT_SCORABLE, 0.0, _sentences((reason, *notes)))


def _notes(judged: Sequence[Judged], rule: CriterionRule) -> list[str]:
    said = [one.rule.fault for one in judged if one.rule.name == "trunk_upright" and one.criterion.verdict == 1]
    return [*(f"{fault}, which does not change the score" for fault in said), *([rule.note] if rule.note else [])]


def _graded(score: int, confidence: float, sentences: Sequence[str]) -> Score:
    if confidence < MIN_CONFIDENCE:
        return Score(NOT_SCORABLE, confidence, _sentences(("too uncertain: use several cameras", *sentences)))
    return Score(score, confidence, _sentences(sentences))


def _sentences(parts: Sequence[str]) -> str:
    return " ".join(f"{part[:1].upper()}{part[1:]}." for part in parts)


GRADES = ReachGrades()


def _hand_error(person: Anthropometry) -> tuple[float, float, str]:
    """The hand's length: SD as a share with several cameras and with one, and what has to be said of it."""
    if person.hand_length_m is not None:
        one = TAPE if person.stature_m is not None else math.hypot(TAPE, ONE_CAMERA_SIZE)
        return TAPE, one, ""
    if person.stature_m is not None:
        return FROM_STATURE, FROM_STATURE, "The hand's length is taken from the stature: enter it to be sure"
    seen = math.hypot(FROM_STATURE, STATURE_SEEN)
    return seen, seen, "The hand's length is guessed from the body that was seen: enter it to be sure"


# Of the distance between the fists, hand lengths: measured on parametric bodies under 12 degrees (one camera, from
# behind) and 5 degrees (several) of joint angle error, hand length known.
FISTS_ONE, FISTS_SEVERAL = 0.42, 0.19
# Along the line of sight: 0.19 m between the wrists, the error of an athlete's whose truth four cameras saw.
FISTS_DEPTH = 1.0


def _fists_uncertainty(person: Anthropometry, threshold: float) -> Uncertainty:
    several, one, _ = _hand_error(person)
    # the error of the hand's length grows with the distance of the wrists, which is what is divided by it
    wrists = threshold + 2.0 * FIST_OF_HAND
    return Uncertainty(
        side=FISTS_DEPTH,
        front=math.hypot(FISTS_ONE, one * wrists),
        several=math.hypot(FISTS_SEVERAL, several * wrists),
        none=0.0 if person.hand_length_m is not None else several * wrists,
    )


@lru_cache
def rules(side: Side, person: Anthropometry = UNKNOWN_BODY) -> tuple[CriterionRule, ...]:
    """The criteria of a reach with the arm of `side` on top. Raises ValueError for a side that is neither."""
    index_of(side)
    note = _hand_error(person)[2]
    fists = tuple(
        CriterionRule(
            name=name,
            threshold=threshold,
            unit="hand lengths",
            measure=partial(fists_apart, person=person),
            joints=WRISTS,
            uncertainty=_fists_uncertainty(person, threshold),
            best_view=FROM_BEHIND,
            fault=f"the fists stayed more than {words} apart",
            advice="Work on the mobility of shoulders and upper back: reaching over the head and behind the back.",
            max_view_cosine=BEHIND_COSINE,
            note=note,
        )
        for name, threshold, words in (
            (ONE_HAND, 1.0, "one hand length"),
            (ONE_AND_A_HALF, 1.5, "one and a half hand lengths"),
        )
    )
    trunk = CriterionRule(
        name="trunk_upright",
        threshold=15.0,
        unit="deg",
        measure=trunk_change,
        joints=(PELVIS, NECK),
        uncertainty=Uncertainty(side=16.0, front=16.0, several=4.6, bias_one=2.5, bias_several=0.4),
        best_view=FROM_BEHIND,
        fault="the trunk gave way to bring the fists together",
        advice="Stand tall; reach without leaning or arching the back.",
    )
    return (*fists, trunk)
