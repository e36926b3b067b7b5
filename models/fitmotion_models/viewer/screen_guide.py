"""What comes next in a screen: the seven tests in their order, side by side, with clearing tests and easier forms.

A pure state machine: it hears results and what the operator chooses, and says which step is shown and what to ask of
the scorer. Pages, terminals and scripts lead through a screen with it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from fitmotion_models.fms.screen import CLEARED_BY, TESTS, Clearing, ClearingTest, ScreenResult, sides_to_do, title
from fitmotion_models.fms.values import NOT_SCORABLE, Assessment, Movement, Side, Variation

ATTEMPTS = 3  # a test is done up to three times, the best one counts (Cook 2006)
BEST = 3  # nothing is better than a 3, so that a test is over with it
EASIER_WORTH = 2  # the most that an easier form can give

# The form that a test begins with, and the easier one that is offered when it fails (Cook 2006): the squat with the
# heels on a two-inch board, rotary stability with elbow and knee of opposite sides.
FORMS: dict[tuple[Movement, Side], tuple[Variation, ...]] = {
    (Movement.DEEP_SQUAT, Side.BOTH): (Variation.DEEP_SQUAT_FLOOR, Variation.DEEP_SQUAT_BOARD),
    (Movement.HURDLE_STEP, Side.LEFT): (Variation.HURDLE_STEP_LEFT,),
    (Movement.HURDLE_STEP, Side.RIGHT): (Variation.HURDLE_STEP_RIGHT,),
    (Movement.INLINE_LUNGE, Side.LEFT): (Variation.INLINE_LUNGE_LEFT,),
    (Movement.INLINE_LUNGE, Side.RIGHT): (Variation.INLINE_LUNGE_RIGHT,),
    (Movement.SHOULDER_MOBILITY, Side.LEFT): (Variation.SHOULDER_MOBILITY_LEFT,),
    (Movement.SHOULDER_MOBILITY, Side.RIGHT): (Variation.SHOULDER_MOBILITY_RIGHT,),
    (Movement.ACTIVE_STRAIGHT_LEG_RAISE, Side.LEFT): (Variation.ACTIVE_STRAIGHT_LEG_RAISE_LEFT,),
    (Movement.ACTIVE_STRAIGHT_LEG_RAISE, Side.RIGHT): (Variation.ACTIVE_STRAIGHT_LEG_RAISE_RIGHT,),
    (Movement.TRUNK_STABILITY_PUSH_UP, Side.BOTH): (Variation.TRUNK_STABILITY_PUSH_UP,),
    (Movement.ROTARY_STABILITY, Side.LEFT): (
        Variation.ROTARY_STABILITY_LEFT,
        Variation.ROTARY_STABILITY_DIAGONAL_LEFT,
    ),
    (Movement.ROTARY_STABILITY, Side.RIGHT): (
        Variation.ROTARY_STABILITY_RIGHT,
        Variation.ROTARY_STABILITY_DIAGONAL_RIGHT,
    ),
}
_FORM_WORDS = {
    Variation.DEEP_SQUAT_BOARD: "heels on the board",
    Variation.ROTARY_STABILITY_DIAGONAL_LEFT: "diagonal",
    Variation.ROTARY_STABILITY_DIAGONAL_RIGHT: "diagonal",
}


@dataclass(frozen=True)
class Step:
    """One thing to do: a test in one form on one side, or (clearing) the clearing test that belongs to `movement`."""

    movement: Movement
    side: Side
    variation: Variation
    clearing: ClearingTest | None = None

    @property
    def title(self) -> str:
        """For a reader: `Hurdle step, left`, `Clearing test: shoulder impingement`."""
        if self.clearing is not None:
            return f"Clearing test: {title(self.clearing)}"
        side = () if self.side is Side.BOTH else (title(self.side),)
        return ", ".join((title(self.movement).capitalize(), *side, *filter(None, (_FORM_WORDS.get(self.variation),))))

    @property
    def is_easier(self) -> bool:
        """Whether it is offered only after the test's first form has failed."""
        return self.clearing is None and FORMS[self.movement, self.side][0] is not self.variation


class StepState(Enum):
    """How far a step is."""

    OPEN = "open"
    DONE = "done"
    SKIPPED = "skipped"


class ScreenGuide:
    """Leads one person through a screen.

    `step` is shown now; None: the end, with what is still open. `recognise`: whatever is done is scored as the test
    that it is, and the step follows.
    """

    def __init__(self, attempts: int = ATTEMPTS) -> None:
        self._attempts = attempts
        self.recognise = False
        self._forget()

    def _forget(self) -> None:
        self.step: Step | None = next(iter(self.plan_of(None)))
        self._screen: ScreenResult | None = None
        self._skipped: set[Step] = set()
        self._heard: tuple[Movement, Side] | None = None
        self._done: dict[Step, dict[float, int]] = {}  # step -> repetitions by their start -> score

    def restart(self) -> None:
        """A new screen: the first step, nothing done."""
        self._forget()

    # ---- what is heard ----

    def hear_screen(self, screen: ScreenResult) -> None:
        """The screen as it stands. One with results before anything was done here goes on: at what is still open."""
        goes_on = self._screen is None and not self._done
        self._screen = screen
        if goes_on and any(self.state(step) is StepState.DONE for step in self.plan):
            self.step = self.first_open()
        elif self.step is not None and self.step not in self.plan:  # an easier form that is not needed any more
            self.step = next((step for step in self.plan if _test_of(step) == _test_of(self.step)), None)

    def hear_assessment(self, assessment: Assessment) -> None:
        """The result of a repetition, new or changed; a result of the same repetition again is not counted twice."""
        step = step_of(assessment)
        if step is None:
            return
        self._done.setdefault(step, {})[assessment.start] = assessment.score
        if self.recognise:
            self.step = step

    def hear_test(self, movement: Movement, side: Side) -> None:
        """What the scorer is at. When it is at another test than before, somebody started that: the step follows."""
        heard, self._heard = self._heard, (movement, side)
        if heard == self._heard or (movement, side) not in FORMS:
            return
        if self.step is None or self.step.clearing is not None or _test_of(self.step) != (movement, side):
            self.step = Step(movement, side, FORMS[movement, side][0])

    # ---- what is chosen: each returns the step that the scorer is to start, None for nothing ----

    def next(self) -> Step | None:
        """The next step that is open; after the last one the end, which tells what is still open."""
        later = self._after(self.step)
        self.step = next((step for step in later if self.state(step) is StepState.OPEN), None)
        return self._to_start()

    def back(self) -> Step | None:
        """The step before, done or not."""
        plan = self.plan
        place = len(plan) if self.step is None else plan.index(self.step) if self.step in plan else 0
        self.step = plan[max(place - 1, 0)]
        return self._to_start()

    def repeat(self) -> Step | None:
        """The same once more: its attempts count from none."""
        if self.step is not None:
            self._done.pop(self.step, None)
            self._skipped.discard(self.step)
        return self._to_start()

    def skip(self) -> Step | None:
        """Leave out all that is still open of this test, its clearing test too."""
        if self.step is not None:
            movement = self.step.movement
            open_steps = (step for step in self.plan if self.state(step) is StepState.OPEN)
            self._skipped |= {step for step in open_steps if step.movement is movement}
        return self.next()

    def go_to(self, step: Step) -> Step | None:
        """Any step. Raises ValueError for one that is not in the plan."""
        if step not in self.plan:
            raise ValueError(f"{step.title} is not to be done in this screen; choose one of the steps shown")
        self.step = step
        self._skipped.discard(step)
        return self._to_start()

    def end(self) -> None:
        """To the end, whatever is open."""
        self.step = None

    # ---- what is told ----

    @property
    def is_elsewhere(self) -> bool:
        """Whether the scorer is at another test than the step that is shown."""
        step = self.step
        if self.recognise or self._heard is None or step is None or step.clearing is not None:
            return False
        movement, side = self._heard
        return movement is not step.movement or side not in (step.side, Side.BOTH)  # BOTH: not shown yet

    @property
    def plan(self) -> tuple[Step, ...]:
        """All steps in the official order, with the easier forms that are offered just now."""
        return tuple(self.plan_of(self))

    @staticmethod
    def plan_of(guide: "ScreenGuide | None") -> Iterator[Step]:
        """The steps of a screen; without a guide those that everybody does."""
        for movement in TESTS:
            for side in sides_to_do(movement):
                first, *easier = (Step(movement, side, form) for form in FORMS[movement, side])
                yield first
                if guide is not None:
                    yield from (step for step in easier if guide.offers(step))
            if movement in CLEARED_BY:
                yield Step(movement, Side.BOTH, Variation.NONE, CLEARED_BY[movement])

    def offers(self, step: Step) -> bool:
        """Whether an easier form is to be done: the first form was tried, and did not give as much as this one can."""
        tried = self.score(step.movement, step.side)
        return step in self._done or step in self._skipped or 0 < tried < EASIER_WORTH

    def score(self, movement: Movement, side: Side) -> int:
        """What counts for a test and side so far, -1 for nothing."""
        if self._screen is None:
            return NOT_SCORABLE
        place = TESTS.index(movement)
        column = {Side.LEFT: self._screen.left, Side.RIGHT: self._screen.right, Side.BOTH: self._screen.final}[side]
        return column[place]

    def state(self, step: Step) -> StepState:
        """How far a step is."""
        if step in self._skipped:
            return StepState.SKIPPED
        return StepState.DONE if self._is_done(step) else StepState.OPEN

    def _is_done(self, step: Step) -> bool:
        if step.clearing is not None:
            return self._screen is not None and self._screen.clearing[step.clearing] != Clearing.NOT_DONE
        if step.is_easier:
            return self.score(step.movement, step.side) >= EASIER_WORTH or bool(self._done.get(step))
        return self.score(step.movement, step.side) != NOT_SCORABLE

    @property
    def attempts(self) -> tuple[int, ...]:
        """The scores of the step's repetitions so far, the first one first; -1 for one that could not be scored."""
        return tuple(self._done.get(self.step, {}).values()) if self.step is not None else ()

    @property
    def attempts_to_do(self) -> int:
        """How many repetitions a test is worth."""
        return self._attempts

    @property
    def is_over(self) -> bool:
        """Whether the step needs no more: enough attempts that could be scored, the best there is, pain, an answer."""
        step = self.step
        if step is None:
            return False
        if step.clearing is not None:
            return self._is_done(step)
        scored = [score for score in self.attempts if score != NOT_SCORABLE]
        worth = EASIER_WORTH if step.is_easier else BEST
        hurts = self.score(step.movement, step.side) == 0
        return hurts or len(scored) >= self._attempts or max(scored, default=NOT_SCORABLE) >= worth

    @property
    def following(self) -> Step | None:
        """What `next` would show."""
        return next((step for step in self._after(self.step) if self.state(step) is StepState.OPEN), None)

    @property
    def open_steps(self) -> tuple[Step, ...]:
        """What is neither done nor skipped; an easier form nobody has to do."""
        return tuple(step for step in self.plan if self.state(step) is StepState.OPEN and not step.is_easier)

    @property
    def question(self) -> Step | None:
        """A clearing test whose time has come: all sides of its test were scored and nobody has answered it yet."""
        if self.step is not None and self.step.clearing is not None:
            return self.step
        if not self.recognise:
            return None
        for step in self.plan:
            if step.clearing is None or self.state(step) is not StepState.OPEN:
                continue
            if all(self.score(step.movement, side) != NOT_SCORABLE for side in sides_to_do(step.movement)):
                return step
        return None

    def first_open(self) -> Step | None:
        """Where a screen goes on: the first open step after the last that is done, then any that is open."""
        plan = self.plan
        last = max((place for place, step in enumerate(plan) if self.state(step) is StepState.DONE), default=-1)
        later = [step for step in plan[last + 1 :] if self.state(step) is StepState.OPEN]
        return next(iter((*later, *self.open_steps)), None)

    def _after(self, step: Step | None) -> tuple[Step, ...]:
        plan = self.plan
        return plan[plan.index(step) + 1 :] if step in plan else ()

    def _to_start(self) -> Step | None:
        return self.step if self.step is not None and self.step.clearing is None else None


def step_of(assessment: Assessment) -> Step | None:
    """The step that a result belongs to; None for a movement that is no test of the screen."""
    if (assessment.movement, assessment.side) not in FORMS:
        return None
    forms = FORMS[assessment.movement, assessment.side]
    variation = assessment.variation if assessment.variation in forms else forms[0]
    return Step(assessment.movement, assessment.side, variation)


def _test_of(step: Step) -> tuple[Movement, Side]:
    return step.movement, step.side
