"""The body that does a whole screen, recognised and scored from the stream as a page in `recognise` has it."""

import pytest

from fitmotion_models.fms.screen import ClearingTest
from fitmotion_models.fms.session import Session
from fitmotion_models.fms.trial import chosen_trial
from fitmotion_models.fms.values import Movement, Side, Variation
from fitmotion_models.mover import make_mover
from fitmotion_models.viewer.screen_guide import ScreenGuide


@pytest.mark.slow
def test_a_whole_screen_is_recognised_in_its_order_and_adds_up() -> None:
    session = Session(chosen_trial(Movement.UNKNOWN, Variation.NONE, Side.BOTH))
    guide, asked, done = ScreenGuide(), [], []
    guide.recognise = True
    for pose in make_mover("screen", fps=30.0):
        assessment = session.update(pose).assessment
        if assessment is None:
            continue
        done.append((assessment.movement, assessment.side))
        guide.hear_assessment(assessment)
        guide.hear_screen(session.screen("mover"))
        if guide.question is not None:
            asked.append((guide.question.clearing, len(done)))
            session.report_pain("mover", Movement.UNKNOWN, Side.BOTH, guide.question.clearing, pain=False)
            guide.hear_screen(session.screen("mover"))
    tests = [step for step in guide.plan if step.clearing is None and not step.is_easier]
    assert done == [(step.movement, step.side) for step in tests]
    # each clearing test after both sides of the test that it clears (Cook 2006)
    assert asked == [
        (ClearingTest.SHOULDER_IMPINGEMENT, 7),
        (ClearingTest.PRESS_UP_EXTENSION, 10),
        (ClearingTest.ROCKING_FLEXION, 12),
    ]
    screen = session.screen("mover")
    # by hand from the mover's faults: a tilted dowel on the right hurdle, the left ankle over the knee, diagonal right
    assert screen.left == (-1, 3, 3, 3, 2, -1, 3)
    assert screen.right == (-1, 2, 3, 3, 3, -1, 2)
    assert screen.final == (3, 2, 3, 3, 2, 3, 2)
    assert screen.total == 18
    assert not guide.open_steps
