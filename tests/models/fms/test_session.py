"""The session: several people, trials, pain, grades and recordings that start again."""

from dataclasses import replace

import pytest

from fitmotion_models.fms import score_clip
from fitmotion_models.fms.anthropometry import Anthropometry
from fitmotion_models.fms.screen import ClearingTest, Screen
from fitmotion_models.fms.session import Session
from fitmotion_models.fms.trial import Trial
from fitmotion_models.fms.values import Movement, Phase, Side, Variation
from fitmotion_models.mover import SquatParameters, squat_clip
from fitmotion_models.mover.hurdle_parameters import HurdleStepParameters
from fitmotion_models.mover.hurdle_step import hurdle_step_clip
from fitmotion_models.mover.inline_lunge import inline_lunge_clip
from fitmotion_models.mover.lunge_parameters import InlineLungeParameters

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


# ---- who is assessed -------------------------------------------------------------------------------------------------


def states(session: Session, subject: str, *, shift: float = 0.0, count: int = 20):
    poses = [replace(pose, subject=subject, stamp=pose.stamp + shift) for pose in list(CLIP)[:count]]
    return [session.update(pose).state for pose in poses]


def assessed(session: Session, subject: str, **given) -> bool:
    """Whether a subject's poses get a movement; a body that is not assessed gets a state that says nothing."""
    got = states(session, subject, **given)
    for state in got:
        if state.movement is Movement.UNKNOWN:
            assert (state.phase, state.criteria, state.side) == (Phase.UNKNOWN, (), Side.BOTH)
    (same,) = {state.movement is SQUAT for state in got}
    return same


def test_one_at_a_time_is_the_first_until_they_have_left_or_another_is_named() -> None:
    session = Session(assess="", timeout=10.0)
    assert assessed(session, "anna") and not assessed(session, "bert", shift=0.5)
    assert session.resolve("") == "anna"
    assert not assessed(session, "bert", shift=9.0)
    assert assessed(session, "bert", shift=12.0)  # anna has been out of view for the timeout
    assert not assessed(session, "anna", shift=13.5)
    session.start_test("anna", SQUAT, Variation.NONE, Side.BOTH)
    assert assessed(session, "anna", shift=15.0) and not assessed(session, "bert", shift=16.5)


def test_nobody_but_the_one_who_is_named_is_assessed() -> None:
    session = Session(assess="bert")
    assert not assessed(session, "anna") and assessed(session, "bert")
    assert session.resolve("") == "bert"
    with pytest.raises(ValueError, match="anna is not assessed, bert is"):
        session.start_test("anna", SQUAT, Variation.NONE, Side.BOTH)
    session.assess = "all"
    assert assessed(session, "anna", shift=5.0) and assessed(session, "bert", shift=5.0)


def test_a_recording_with_two_people_that_starts_again_keeps_the_one() -> None:
    session = Session(assess="", timeout=5.0)
    for shift in (100.0, 103.0, 0.0, 3.0):
        assert assessed(session, "anna", shift=shift) and not assessed(session, "bert", shift=shift + 0.01)


# ---- any test --------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_whatever_is_done_is_recognised_and_enters_the_screen() -> None:
    session = Session(Trial(Movement.UNKNOWN, Variation.NONE))
    one_squat = squat_clip(SquatParameters(repetitions=1), fps=30.0)
    lunges = [
        inline_lunge_clip(InlineLungeParameters(repetitions=1, side=side), fps=30.0) for side in ("left", "right")
    ]
    steps = [hurdle_step_clip(HurdleStepParameters(repetitions=1, side=side), fps=30.0) for side in ("right", "left")]
    found = []
    for shift, clip in enumerate((one_squat, *lunges, *steps)):
        found += play(session, clip, shift=shift * 25.0)
    assert [(one.movement, one.side, one.score) for one in found] == [
        (SQUAT, Side.BOTH, 3),
        (Movement.INLINE_LUNGE, Side.LEFT, 3),
        (Movement.INLINE_LUNGE, Side.RIGHT, 3),
        (Movement.HURDLE_STEP, Side.RIGHT, 3),
        (Movement.HURDLE_STEP, Side.LEFT, 3),
    ]
    assert session.screen("anna").final[:3] == (3, 3, 3)
    # pain without a name is of the test that was done last
    hurt = session.report_pain("anna", Movement.UNKNOWN, Side.BOTH, None, pain=True)
    assert (hurt.movement, hurt.side, hurt.score) == (Movement.HURDLE_STEP, Side.LEFT, 0)
    assert (session.screen("anna").left[1], session.screen("anna").right[1]) == (0, 3)


def test_heels_on_the_board_are_said_and_not_seen() -> None:
    session = Session(Trial(Movement.UNKNOWN, Variation.NONE))
    play(session)
    session.start_test("anna", Movement.UNKNOWN, Variation.DEEP_SQUAT_BOARD, Side.BOTH)
    (one,) = play(session, shift=50.0)
    assert (one.variation, one.score, one.trial) == (Variation.DEEP_SQUAT_BOARD, 2, 1)


def test_without_a_test_pain_needs_a_name() -> None:
    session = Session(Trial(Movement.UNKNOWN, Variation.NONE))
    with pytest.raises(ValueError, match="no test has been recognised yet"):
        session.report_pain("anna", Movement.UNKNOWN, Side.BOTH, None, pain=True)
    with pytest.raises(ValueError, match="hurdle step is done on both sides; say side LEFT or RIGHT"):
        session.report_pain("anna", Movement.HURDLE_STEP, Side.BOTH, None, pain=True)


# ---- trials, the board, what is kept ---------------------------------------------------------------------------------


def test_after_a_failed_squat_the_board_is_asked_for_and_decides() -> None:
    session = Session()
    shallow = squat_clip(SquatParameters(depth_m=0.12, repetitions=1), fps=20.0)
    (failed,) = play(session, shallow)
    assert failed.score == 1 and "heels on the board" in failed.reason
    assert session.screen("anna").notes == (
        "deep squat: failed; repeat with the heels on the board: clean there is a 2",
    )
    session.start_test("anna", SQUAT, Variation.DEEP_SQUAT_BOARD, Side.BOTH)
    play(session, shift=50.0)
    screen = session.screen("anna")
    assert (screen.final[0], screen.notes) == (2, ())


def test_a_fourth_trial_is_told_and_does_not_count() -> None:
    session = Session()
    shallow = squat_clip(SquatParameters(depth_m=0.12, repetitions=1), fps=20.0)
    play(session, shallow)
    session.start_test("anna", SQUAT, Variation.NONE, Side.BOTH, 4)
    (fourth,) = play(session, shift=50.0)
    assert (fourth.score, fourth.trial) == (3, 4)
    assert session.screen("anna").final[0] == 1
    assert any("trials after the third do not count" in note for note in session.screen("anna").notes)
    session.start_test("anna", SQUAT, Variation.NONE, Side.BOTH, 3)
    play(session, shift=100.0)
    assert session.screen("anna").final[0] == 3


def test_a_grade_beside_ours_changes_nothing_that_counts() -> None:
    session = Session()
    play(session)
    told, ours = session.set_score("anna", SQUAT, Side.BOTH, 1, "heels", beside=True)
    assert (told.score, told.overridden, ours) == (3, False, 3)
    screen = session.screen("anna")
    assert screen.final[0] == 3
    assert screen.notes == ("deep squat: 1 by the operator, beside ours, which counts (heels); measured 3",)
    session.set_score("anna", SQUAT, Side.BOTH, 1, "heels")
    assert session.screen("anna").final[0] == 1


def test_a_finished_screen_stands_until_a_new_one() -> None:
    session = Session()
    shallow = squat_clip(SquatParameters(depth_m=0.12, repetitions=1), fps=20.0)
    play(session, shallow)
    assert session.finish_screen("anna").final[0] == 1
    (told,) = play(session, shift=50.0)
    assert told.score == 3 and session.screen("anna").final[0] == 1
    session.reset_screen("anna")
    play(session, shift=100.0)
    assert session.screen("anna").final[0] == 3


def test_a_trial_taken_up_again_goes_on_counting() -> None:
    session = Session()
    numbers = []
    for shift in (0.0, 20.0):
        session.start_test("anna", SQUAT, Variation.NONE, Side.BOTH, 1)
        numbers += [(one.trial, one.repetition) for one in play(session, shift=shift)]
    assert numbers == [(1, 1), (1, 2)]


def test_the_clip_of_a_repetition_scores_like_the_repetition() -> None:
    session = Session()
    three = squat_clip(SquatParameters(repetitions=3), fps=20.0)
    for pose in three:
        update = session.update(pose)
        if update.assessment is None:
            continue
        clip = session.clip_of("mover", update.assessment)
        (again,) = score_clip(clip)
        assert (again.criteria, again.score) == (update.assessment.criteria, update.assessment.score)
        assert (clip.subject, clip.labels) == ("mover", ("deep_squat", "both"))


def test_a_kept_screen_goes_on_in_another_session() -> None:
    session = Session()
    kept = play(session)
    session.start_test("anna", SQUAT, Variation.DEEP_SQUAT_BOARD, Side.BOTH)
    screen = Screen("anna")
    for one in kept:
        screen.add(one)
    other = Session(assess="")
    body = Anthropometry(1.8)
    other.restore("anna", screen, kept, trial=session.trial("anna"), body=body)
    assert other.screen("anna") == replace(session.screen("anna"))
    assert other.trial("").variation is Variation.DEEP_SQUAT_BOARD
    other.rename("anna", "person_2")
    assert other.resolve("") == "person_2" and other.screen("").subject == "person_2"
    assert other.start_test("", SQUAT, Variation.NONE, Side.BOTH).number == 2
    (again,) = play(other, subject="person_2")
    assert (again.trial, again.repetition) == (2, 1)


def cut_at_the_last_upright_frame():
    """One squat that ends when the pelvis is back, before the body has stood for a while."""
    heights = CLIP.positions[:, 0, 2]
    lowest = int(heights.argmin())
    back = heights[lowest] + 0.97 * (heights[0] - heights[lowest])
    upright = lowest + int((heights[lowest:] >= back).argmax())
    return [pose for pose in CLIP if pose.stamp <= CLIP.stamps[upright]]


def test_the_end_of_a_stream_is_the_end_of_a_file() -> None:
    session, poses = Session(), cut_at_the_last_upright_frame()
    assert play(session, poses) == []  # it might go on
    (ended,) = session.end_stream()
    (whole,) = play(Session())
    assert (ended.subject, ended.score, ended.repetition) == ("anna", whole.score, 1)
    assert session.measured("anna") == ended and session.screen("anna").final[0] == whole.score
    clip = session.clip_of("anna", ended)
    assert clip is not None and clip.stamps[-1] == pytest.approx(poses[-1].stamp)
    assert session.end_stream() == []
    again = session.start_test("anna", SQUAT, Variation.NONE, Side.BOTH)
    assert again.number == 2  # the trial had its repetition


def test_the_end_of_a_stream_makes_no_repetition_of_half_a_squat_and_none_of_whom_nobody_assesses() -> None:
    session = Session(assess="bert")
    play(session, cut_at_the_last_upright_frame())
    half = [pose for pose in CLIP if pose.stamp <= CLIP.stamps[int(CLIP.positions[:, 0, 2].argmin())]]
    play(session, half, subject="bert")
    assert session.end_stream() == []
