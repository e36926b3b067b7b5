"""The screen against Cook's rules, counted by hand."""

import pytest

from fitmotion_models.fms.screen import TESTS, Clearing, ClearingTest, Screen
from fitmotion_models.fms.values import Assessment, Movement, Side, Variation

TWO_SIDED = [test for test in TESTS if test not in (Movement.DEEP_SQUAT, Movement.TRUNK_STABILITY_PUSH_UP)]


def result(movement, score, side=Side.BOTH, *, pain=False):
    return Assessment(
        stamp=0.0, subject="ada", movement=movement, variation=Variation.NONE, side=side, trial=1, repetition=1,
        score=score, reason="", confidence=1.0, scorer="rules", criteria=(), start=0.0, end=1.0, pain=pain,
    )  # fmt: skip


def full_screen(score=2):
    screen = Screen("ada")
    for movement in TESTS:
        for side in (Side.LEFT, Side.RIGHT) if movement in TWO_SIDED else (Side.BOTH,):
            screen.add(result(movement, score, side))
    return screen


def test_empty_screen():
    empty = Screen("ada").result()
    assert empty.left == empty.right == empty.final == (-1,) * 7
    assert empty.total == -1
    assert empty.asymmetric == (False,) * 7
    assert empty.clearing == (Clearing.NOT_DONE,) * 3
    assert empty.notes == ()


def test_a_complete_screen_adds_up():
    assert full_screen(3).result().total == 21
    assert full_screen(2).result().total == 14
    low = full_screen(1).result()
    assert low.total == 7
    assert any("cut-off of 14" in note for note in low.notes)
    assert not full_screen(2).result().notes


@pytest.mark.parametrize("missing", TESTS)
def test_one_missing_test_leaves_no_total(missing):
    screen = Screen("ada")
    for movement in TESTS:
        if movement is not missing:
            for side in (Side.LEFT, Side.RIGHT) if movement in TWO_SIDED else (Side.BOTH,):
                screen.add(result(movement, 3, side))
    assert screen.result().total == -1


def test_the_best_trial_counts_and_not_scorable_changes_nothing():
    screen = Screen("ada")
    for score in (1, 3, -1, 2):
        screen.add(result(Movement.DEEP_SQUAT, score))
    assert screen.result().final[0] == 3


def test_floor_failed_then_board_passed_is_two():
    screen = Screen("ada")
    screen.add(result(Movement.DEEP_SQUAT, 1))
    screen.add(result(Movement.DEEP_SQUAT, 2))
    assert screen.result().final[0] == 2
    assert screen.result().left[0] == screen.result().right[0] == -1
    assert not screen.result().asymmetric[0]


def test_the_lower_side_counts_and_a_difference_is_flagged():
    screen = full_screen(3)
    screen2 = Screen("ada")
    screen2.add(result(Movement.HURDLE_STEP, 3, Side.LEFT))
    assert screen2.result().final[1] == -1
    screen2.add(result(Movement.HURDLE_STEP, 2, Side.RIGHT))
    assert (screen2.result().left[1], screen2.result().right[1], screen2.result().final[1]) == (3, 2, 2)
    assert screen2.result().asymmetric[1]
    assert any("hurdle step" in note and "differ" in note for note in screen2.result().notes)
    assert screen.result().asymmetric == (False,) * 7


def test_pain_is_zero_whatever_was_scored_and_can_be_taken_back():
    screen = full_screen(3)
    screen.report_pain(Movement.INLINE_LUNGE, Side.RIGHT)
    hurt = screen.result()
    assert (hurt.left[2], hurt.right[2], hurt.final[2], hurt.total) == (3, 0, 0, 18)
    screen.set_score(Movement.INLINE_LUNGE, Side.RIGHT, 3, "looked fine")
    assert screen.result().final[2] == 0
    screen.report_pain(Movement.INLINE_LUNGE, Side.RIGHT, pain=False)
    assert screen.result().total == 21


def test_pain_in_an_assessment_and_pain_on_one_side_alone():
    screen = Screen("ada")
    screen.add(result(Movement.DEEP_SQUAT, 3, pain=True))
    screen.report_pain(Movement.HURDLE_STEP, Side.LEFT)
    assert screen.result().final[:2] == (0, 0)


@pytest.mark.parametrize(
    ("test", "movement"),
    [
        (ClearingTest.SHOULDER_IMPINGEMENT, Movement.SHOULDER_MOBILITY),
        (ClearingTest.PRESS_UP_EXTENSION, Movement.TRUNK_STABILITY_PUSH_UP),
        (ClearingTest.ROCKING_FLEXION, Movement.ROTARY_STABILITY),
    ],
)
def test_a_painful_clearing_test_makes_its_test_zero(test, movement):
    screen = full_screen(3)
    screen.report_clearing(test, pain=False)
    assert screen.result().clearing[test] == Clearing.NO_PAIN
    assert screen.result().total == 21
    screen.report_clearing(test, pain=True)
    painful = screen.result()
    assert painful.clearing[test] == Clearing.PAIN
    assert painful.final[TESTS.index(movement)] == 0
    assert painful.total == 18
    assert any("clearing" in note for note in painful.notes)


def test_the_operators_grade_counts_and_ours_is_kept_beside_it():
    screen = full_screen(3)
    screen.set_score(Movement.DEEP_SQUAT, Side.BOTH, 2, " heels came up ")
    graded = screen.result()
    assert (graded.final[0], graded.total) == (2, 20)
    assert screen.measured(Movement.DEEP_SQUAT) == 3
    assert [note for note in graded.notes if "operator" in note] == [
        "deep squat: 2 by the operator, over ours (heels came up); measured 3"
    ]
    screen.set_score(Movement.DEEP_SQUAT, Side.BOTH, -1, "")
    assert screen.result().total == 21


def test_an_operators_grade_needs_no_measured_one():
    screen = Screen("ada")
    screen.set_score(Movement.ROTARY_STABILITY, Side.LEFT, 1, "seen live")
    assert screen.result().left[6] == 1
    assert "not scored" in screen.result().notes[0]


def test_reset_forgets_everything():
    screen = full_screen(1)
    screen.report_pain(Movement.DEEP_SQUAT)
    screen.report_clearing(ClearingTest.ROCKING_FLEXION, pain=True)
    screen.set_score(Movement.DEEP_SQUAT, Side.BOTH, 2, "x")
    screen.reset()
    assert screen.result() == Screen("ada").result()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda s: s.set_score(Movement.DEEP_SQUAT, Side.BOTH, 4, "x"), "score is 4"),
        (lambda s: s.set_score(Movement.DEEP_SQUAT, Side.BOTH, 2, " "), "needs a reason"),
        (lambda s: s.set_score(Movement.HURDLE_STEP, Side.BOTH, 2, "x"), "LEFT or RIGHT"),
        (lambda s: s.set_score(Movement.DEEP_SQUAT, Side.LEFT, 2, "x"), "has no side LEFT; say side BOTH"),
        (lambda s: s.report_pain(Movement.STANDING_LEG_RAISE), "STANDING_LEG_RAISE is no test"),
        (lambda s: s.add(result(Movement.UNKNOWN, 3)), "UNKNOWN is no test"),
    ],
)
def test_bad_input_is_said(call, words):
    with pytest.raises(ValueError, match=words):
        call(Screen("ada"))
