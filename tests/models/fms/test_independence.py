"""A repetition's score depends on that repetition, the stance before it and what was entered, and on nothing else.

Every repetition of a noisy recording is scored once more alone, and all of them in random order by one scorer: every
number has to be the same to the last bit.
"""

import random

import pytest

from fitmotion_models.fms.anthropometry import Anthropometry, Sex
from fitmotion_models.fms.movements import MOVEMENTS
from fitmotion_models.fms.scorer import Scorer
from fitmotion_models.fms.session import Session
from fitmotion_models.fms.trial import chosen_trial
from fitmotion_models.fms.values import Movement, Side, Variation
from fitmotion_models.mover import SquatParameters, add_camera_noise, squat_clip
from fitmotion_models.mover.hurdle_parameters import HurdleStepParameters
from fitmotion_models.mover.hurdle_step import hurdle_step_clip
from fitmotion_models.mover.inline_lunge import inline_lunge_clip
from fitmotion_models.mover.leg_raise import leg_raise_clip
from fitmotion_models.mover.leg_raise_parameters import LegRaiseParameters
from fitmotion_models.mover.lunge_parameters import InlineLungeParameters
from fitmotion_models.mover.push_up import push_up_clip
from fitmotion_models.mover.push_up_parameters import PushUpParameters
from fitmotion_models.mover.rotary_parameters import RotaryStabilityParameters
from fitmotion_models.mover.rotary_stability import rotary_stability_clip
from fitmotion_models.mover.shoulder_mobility import shoulder_mobility_clip
from fitmotion_models.mover.shoulder_parameters import ShoulderMobilityParameters
from fitmotion_models.mover.standing_raise import standing_leg_raise_clip
from fitmotion_models.mover.standing_raise_parameters import StandingLegRaiseParameters

RECORDINGS = {
    Movement.DEEP_SQUAT: (squat_clip, SquatParameters),
    Movement.HURDLE_STEP: (hurdle_step_clip, HurdleStepParameters),
    Movement.INLINE_LUNGE: (inline_lunge_clip, InlineLungeParameters),
    Movement.SHOULDER_MOBILITY: (shoulder_mobility_clip, ShoulderMobilityParameters),
    Movement.ACTIVE_STRAIGHT_LEG_RAISE: (leg_raise_clip, LegRaiseParameters),
    Movement.TRUNK_STABILITY_PUSH_UP: (push_up_clip, PushUpParameters),
    Movement.ROTARY_STABILITY: (rotary_stability_clip, RotaryStabilityParameters),
    Movement.STANDING_LEG_RAISE: (standing_leg_raise_clip, StandingLegRaiseParameters),
}
PERSON = Anthropometry(1.74, 0.186, Sex.MALE)


def result(assessment):
    """All that was found, each number to the last bit; without the trial's count."""
    criteria = [(one.name, float(one.value).hex(), one.verdict, one.advice) for one in assessment.criteria]
    times = [float(one).hex() for one in (assessment.start, assessment.end, assessment.stamp, assessment.confidence)]
    said = (assessment.side, assessment.variation, assessment.score, assessment.reason)
    return said, times, criteria, (assessment.learned_score, assessment.disagreement)


def played(scorer, poses):
    return [result(update.assessment) for update in map(scorer.update, poses) if update.assessment is not None]


def pieces_of(movement):
    """Every repetition of a noisy recording: its result there, and its poses with the stance before it."""
    make, kind = RECORDINGS[movement]
    clip = add_camera_noise(make(kind(repetitions=3, pause_s=2.1), fps=20.0), 1.0, seed=7)
    session = Session(chosen_trial(movement, Variation.NONE, Side.BOTH))
    session.measure(clip.subject, PERSON)
    pieces = []
    for pose in clip:
        assessment = session.update(pose).assessment
        if assessment is not None:
            pieces.append((result(assessment), list(session.clip_of(clip.subject, assessment))))
    return pieces


def test_every_test_is_recorded_here():
    assert set(RECORDINGS) == set(MOVEMENTS)


def lengthy(movement):
    """One test is enough for the quick part: what they share is the same code."""
    marks = () if movement is Movement.INLINE_LUNGE else (pytest.mark.slow,)
    return pytest.param(movement, marks=marks, id=movement.name.lower())


@pytest.mark.parametrize("movement", [lengthy(movement) for movement in MOVEMENTS])
def test_repetitions_alone_and_in_any_order_score_as_in_their_recording(movement):
    pieces = pieces_of(movement)
    assert len(pieces) == 3
    for expected, poses in pieces:
        assert played(Scorer(movement, person=PERSON), poses) == [expected]
    shuffled = random.Random(3).sample(pieces, len(pieces))
    assert shuffled != pieces
    scorer = Scorer(movement, person=PERSON)
    assert [found for _, poses in shuffled for found in played(scorer, poses)] == [expected for expected, _ in shuffled]
