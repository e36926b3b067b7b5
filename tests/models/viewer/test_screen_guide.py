"""The order of a screen, what is offered and asked when, and where a screen that was cut off goes on."""

import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import pytest

from fitmotion_models.fms.screen import ClearingTest, Screen
from fitmotion_models.fms.values import NOT_SCORABLE, Assessment, Movement, Side, Variation
from fitmotion_models.viewer.screen_guide import FORMS, ScreenGuide, Step, StepState
from fitmotion_models.viewer.screen_texts import note, say
from fitmotion_models.viewer.step_drawings import camera_words, plan_svg, view_svg

BOARD = Step(Movement.DEEP_SQUAT, Side.BOTH, Variation.DEEP_SQUAT_BOARD)


class Person:
    """Somebody who is led through a screen; what is done goes to the screen as the scorer sends it."""

    def __init__(self) -> None:
        self.guide, self.screen, self.clock = ScreenGuide(), Screen("person"), 0.0

    def do(self, score: int, step: Step | None = None) -> Assessment:
        step = step or self.guide.step
        self.clock += 5.0
        result = Assessment(
            self.clock, "person", step.movement, step.variation, step.side, 1, 1, score, "", 0.9, "rules", (),
            self.clock - 2.0, self.clock,
        )  # fmt: skip
        self.screen.add(result)
        self.guide.hear_assessment(result)
        self.tell()
        return result

    def answer(self, pain: bool = False) -> None:
        self.screen.report_clearing(self.guide.question.clearing, pain=pain)
        self.tell()

    def tell(self) -> None:
        self.guide.hear_screen(self.screen.result())


def test_a_clean_screen_goes_through_the_official_order_and_ends_with_21() -> None:
    person, seen = Person(), []
    while (step := person.guide.step) is not None:
        seen.append(step)
        assert not person.guide.is_over
        person.answer() if step.clearing is not None else person.do(3)
        assert person.guide.is_over
        person.guide.next()
    # the order of Cook, Burton and Hoogenboom (2006), the clearing tests after what they clear
    assert [step.title for step in seen] == [
        "Deep squat",
        "Hurdle step, left",
        "Hurdle step, right",
        "Inline lunge, left",
        "Inline lunge, right",
        "Shoulder mobility, left",
        "Shoulder mobility, right",
        "Clearing test: shoulder impingement",
        "Active straight leg raise, left",
        "Active straight leg raise, right",
        "Trunk stability push up",
        "Clearing test: press up extension",
        "Rotary stability, left",
        "Rotary stability, right",
        "Clearing test: rocking flexion",
    ]
    assert not person.guide.open_steps
    assert person.screen.result().total == 21


def test_the_board_is_offered_after_a_1_and_only_then() -> None:
    person = Person()
    for _ in range(3):
        person.do(1)
    assert person.guide.is_over
    assert person.guide.next() == BOARD
    person.do(2)
    assert person.guide.is_over  # nothing on the board is better than a 2
    assert person.guide.next() == Step(Movement.HURDLE_STEP, Side.LEFT, Variation.HURDLE_STEP_LEFT)
    assert person.guide.back() == BOARD

    hurting = Person()
    hurting.screen.report_pain(Movement.DEEP_SQUAT)
    hurting.tell()
    assert BOARD not in hurting.guide.plan


def test_three_attempts_that_could_be_scored_end_a_step_and_repeat_counts_anew() -> None:
    person = Person()
    person.guide.next()
    for score in (NOT_SCORABLE, 2, 2):
        person.do(score)
    assert person.guide.attempts == (NOT_SCORABLE, 2, 2)
    assert not person.guide.is_over
    last = person.do(1)
    assert person.guide.is_over
    person.guide.hear_assessment(replace(last, score=0, pain=True))  # the same repetition again
    assert person.guide.attempts == (NOT_SCORABLE, 2, 2, 0)
    assert person.guide.repeat() == person.guide.step
    assert person.guide.attempts == ()


def test_a_skipped_test_takes_its_other_side_and_its_clearing_test_with_it() -> None:
    person = Person()
    person.guide.go_to(Step(Movement.SHOULDER_MOBILITY, Side.LEFT, Variation.SHOULDER_MOBILITY_LEFT))
    assert person.guide.skip().movement is Movement.ACTIVE_STRAIGHT_LEG_RAISE
    clearing = Step(Movement.SHOULDER_MOBILITY, Side.BOTH, Variation.NONE, ClearingTest.SHOULDER_IMPINGEMENT)
    assert person.guide.state(clearing) is StepState.SKIPPED
    assert all(step.movement is not Movement.SHOULDER_MOBILITY for step in person.guide.open_steps)
    person.guide.go_to(clearing)
    assert person.guide.state(clearing) is StepState.OPEN


def test_a_screen_that_was_cut_off_goes_on_after_the_last_thing_done() -> None:
    before = Person()
    before.do(3)
    before.guide.next()
    before.do(2)  # hurdle step, left
    after = ScreenGuide()
    after.hear_screen(before.screen.result())
    assert after.step == Step(Movement.HURDLE_STEP, Side.RIGHT, Variation.HURDLE_STEP_RIGHT)
    assert not after.is_elsewhere
    after.hear_test(Movement.HURDLE_STEP, Side.LEFT)  # the scorer goes on with the test that was under way
    assert after.step == Step(Movement.HURDLE_STEP, Side.LEFT, Variation.HURDLE_STEP_LEFT)


def test_the_step_follows_somebody_else_who_starts_a_test() -> None:
    guide = ScreenGuide()
    guide.hear_test(Movement.DEEP_SQUAT, Side.BOTH)
    guide.next()  # the hurdle step: the scorer has not begun it yet
    guide.hear_test(Movement.DEEP_SQUAT, Side.BOTH)
    assert guide.step.movement is Movement.HURDLE_STEP
    assert guide.is_elsewhere
    guide.hear_test(Movement.HURDLE_STEP, Side.LEFT)
    assert not guide.is_elsewhere
    guide.hear_test(Movement.INLINE_LUNGE, Side.RIGHT)
    assert guide.step == Step(Movement.INLINE_LUNGE, Side.RIGHT, Variation.INLINE_LUNGE_RIGHT)


def test_recognised_tests_move_the_step_and_the_clearing_test_is_asked_in_its_time() -> None:
    person = Person()
    person.guide.recognise = True
    left, right = (
        Step(Movement.SHOULDER_MOBILITY, side, FORMS[Movement.SHOULDER_MOBILITY, side][0])
        for side in (Side.LEFT, Side.RIGHT)
    )
    person.do(3, left)
    assert person.guide.step == left
    assert person.guide.question is None
    person.do(2, right)
    assert person.guide.question.clearing is ClearingTest.SHOULDER_IMPINGEMENT
    person.answer(pain=True)
    assert person.guide.question is None
    assert person.screen.result().final[3] == 0


def test_the_end_tells_what_is_open_and_a_step_of_another_screen_is_refused() -> None:
    guide = ScreenGuide()
    guide.end()
    assert len(guide.open_steps) == 15
    assert guide.back() is None  # nothing that the scorer could start
    assert guide.step.clearing is ClearingTest.ROCKING_FLEXION
    with pytest.raises(ValueError, match="heels on the board is not to be done"):
        guide.go_to(BOARD)


def test_every_step_has_words_and_drawings() -> None:
    steps = [Step(movement, side, form) for (movement, side), forms in FORMS.items() for form in forms]
    for step in (*ScreenGuide().plan, *steps):
        text = " ".join((*say(step), note(step), camera_words(step)))
        assert not re.search(r"[{}]", text)
        assert len(say(step)) >= 2
        if step.side is not Side.BOTH and step.clearing is None:
            assert step.side.name.lower() in text
        for drawing in (view_svg(step), plan_svg(step)):
            ElementTree.fromstring(drawing)
    push_up = Step(Movement.TRUNK_STABILITY_PUSH_UP, Side.BOTH, Variation.TRUNK_STABILITY_PUSH_UP)
    assert "the chin" in say(push_up, "female")[0]
    assert "the forehead" in say(push_up, "male")[0]
