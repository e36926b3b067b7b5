"""The session: several people, trials, pain, grades and recordings that start again."""

from dataclasses import replace

import pytest

from fitmotion_models.fms import score_clip
from fitmotion_models.fms.screen import ClearingTest
from fitmotion_models.fms.session import Session, Trial
from fitmotion_models.fms.values import Movement, Side, Variation
from fitmotion_models.mover import SquatParameters, squat_clip

SQUAT = Movement.DEEP_SQUAT
CLIP = squat_clip(SquatParameters(repetitions=1), fps=20.0)


def play(session: Session, clip=CLIP, subject: str = "anna", shift: float = 0.0):
    updates = [session.update(replace(pose, subject=subject, stamp=pose.stamp + shift)) for pose in clip]
    return [update.assessment for update in updates if update.assessment is not None]


def test_a_session_scores_as_the_scorer_does() -> None:
    expected = score_clip(CLIP)
    got = play(Session(), subject=CLIP.subject)
    assert len(got) > 0
    assert [repr(one) for one in got] == [repr(one) for one in expected]


def test_a_pose_given_twice_is_answered_and_not_scored_again() -> None:
    session = Session()
    for pose in CLIP:
        first, second = session.update(pose), session.update(pose)
        assert second.state is first.state and second.assessment is None


def test_a_pose_from_the_past_is_refused() -> None:
    session, poses = Session(), list(CLIP)
    for pose in poses[:20]:
        session.update(pose)
    with pytest.raises(ValueError, match="came after the one at"):
        session.update(poses[3])


def test_a_recording_that_starts_again_is_the_next_trial() -> None:
    session = Session()
    first, second = play(session), play(session)
    assert {one.trial for one in first} == {1} and {one.trial for one in second} == {2}
    assert [one.score for one in first] == [one.score for one in second]
    assert [one.repetition for one in second] == [one.repetition for one in first]


def test_a_person_who_comes_back_after_the_timeout_begins_the_next_trial() -> None:
    session = Session(timeout=10.0)
    end = float(CLIP.stamps[-1])
    assert {one.trial for one in play(session)} == {1}
    assert {one.trial for one in play(session, shift=end + 9.0)} == {1}
    assert {one.trial for one in play(session, shift=2 * end + 20.0)} == {2}


def test_the_person_in_view_is_meant_when_there_is_one() -> None:
    session = Session(timeout=10.0)
    with pytest.raises(ValueError, match="nobody has been seen yet"):
        session.resolve("")
    play(session)
    assert session.resolve("") == "anna"
    play(session, subject="bert", shift=1.0)
    with pytest.raises(ValueError, match=r"2 people are in view \(anna, bert\)"):
        session.resolve("")
    play(session, subject="bert", shift=100.0)  # anna has left by then
    assert session.resolve("") == "bert"
    assert session.resolve("anna") == "anna"


def test_trials_count_for_every_form_and_start_again_with_a_new_screen() -> None:
    session = Session()
    play(session)
    floor, board = Variation.DEEP_SQUAT_FLOOR, Variation.DEEP_SQUAT_BOARD
    started = [session.start_test("anna", SQUAT, form, Side.BOTH).number for form in (board, floor, board, floor)]
    assert started == [1, 2, 2, 3]
    assert session.start_test("anna", SQUAT, Variation.NONE, Side.BOTH, 7) == Trial(SQUAT, floor, Side.BOTH, 7)
    session.reset_screen("anna")
    assert session.start_test("anna", SQUAT, floor, Side.BOTH).number == 2
    assert session.screen("anna").final[0] == -1


def test_pain_goes_before_the_operators_grade_and_both_can_be_taken_back() -> None:
    session = Session()
    measured = play(session)[-1]
    assert measured.score == 3
    graded, ours = session.set_score("anna", SQUAT, Side.BOTH, 2, "heels")
    assert (graded.score, graded.overridden, graded.override_reason, ours) == (2, True, "heels", 3)
    hurt = session.report_pain("anna", Movement.UNKNOWN, Side.BOTH, None, pain=True)
    assert (hurt.score, hurt.pain, hurt.repetition) == (0, True, measured.repetition)
    assert session.screen("anna").final[0] == 0
    assert {one.score for one in play(session, shift=50.0)} == {0}
    session.report_pain("anna", SQUAT, Side.BOTH, None, pain=False)
    assert session.screen("anna").final[0] == 2
    withdrawn, _ = session.set_score("anna", SQUAT, Side.BOTH, -1, "")
    assert (withdrawn.score, withdrawn.overridden, withdrawn.pain) == (3, False, False)


def test_a_clearing_test_reaches_the_screen() -> None:
    session = Session()
    assert session.report_pain("anna", SQUAT, Side.BOTH, ClearingTest.PRESS_UP_EXTENSION, pain=True) is None
    assert session.screen("anna").final[5] == 0
    session.report_pain("anna", SQUAT, Side.BOTH, ClearingTest.PRESS_UP_EXTENSION, pain=False)
    assert session.screen("anna").final[5] == -1


def test_a_test_that_cannot_be_scored_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="done on side LEFT, not RIGHT"):
        Session(Trial(Movement.HURDLE_STEP, Variation.HURDLE_STEP_LEFT, Side.RIGHT))
    session = Session()
    with pytest.raises(ValueError, match="does not belong to DEEP_SQUAT"):
        session.start_test("anna", SQUAT, Variation.HURDLE_STEP_LEFT, Side.BOTH)
    assert session.subjects == ()
