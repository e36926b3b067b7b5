"""The screen out of 21: the best of a person's trials, sides, pain, clearing tests and the operator's own grades."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from fitmotion_models.fms.values import NOT_SCORABLE, Assessment, Movement, Side, Variation

# The seven tests in the screen's order; a test's place in the arrays of `ScreenResult`.
TESTS: tuple[Movement, ...] = (
    Movement.DEEP_SQUAT,
    Movement.HURDLE_STEP,
    Movement.INLINE_LUNGE,
    Movement.SHOULDER_MOBILITY,
    Movement.ACTIVE_STRAIGHT_LEG_RAISE,
    Movement.TRUNK_STABILITY_PUSH_UP,
    Movement.ROTARY_STABILITY,
)
TWO_SIDED = frozenset(TESTS) - {Movement.DEEP_SQUAT, Movement.TRUNK_STABILITY_PUSH_UP}
MOST_TRIALS = 3  # the best of up to three trials counts (Cook 2006); a trial done anew keeps its number
TOTAL_CUT_OFF = 14  # under it the risk of injury is usually called raised (Kiesel 2007)


class ClearingTest(IntEnum):
    """The three clearing tests, by their place in `Screen.msg`'s `clearing`."""

    SHOULDER_IMPINGEMENT = 0
    PRESS_UP_EXTENSION = 1
    ROCKING_FLEXION = 2


class Clearing(IntEnum):
    """What a clearing test said."""

    NOT_DONE = 0
    NO_PAIN = 1
    PAIN = 2


# Pain in a clearing test makes this test 0 (Cook 2006).
CLEARED_BY: dict[Movement, ClearingTest] = {
    Movement.SHOULDER_MOBILITY: ClearingTest.SHOULDER_IMPINGEMENT,
    Movement.TRUNK_STABILITY_PUSH_UP: ClearingTest.PRESS_UP_EXTENSION,
    Movement.ROTARY_STABILITY: ClearingTest.ROCKING_FLEXION,
}


# Where the first form has failed, the easier one decides between 2 and 1 (Cook 2006): what it is, and what to say.
_DIAGONAL = "repeat with elbow and knee of opposite sides: clean there is a 2"
EASIER: dict[Variation, tuple[Variation, str]] = {
    Variation.DEEP_SQUAT_FLOOR: (
        Variation.DEEP_SQUAT_BOARD,
        "repeat with the heels on the board: clean there is a 2",
    ),
    Variation.ROTARY_STABILITY_LEFT: (Variation.ROTARY_STABILITY_DIAGONAL_LEFT, _DIAGONAL),
    Variation.ROTARY_STABILITY_RIGHT: (Variation.ROTARY_STABILITY_DIAGONAL_RIGHT, _DIAGONAL),
}
EASIER_WORTH = 2  # the most that an easier form can give


@dataclass(frozen=True)
class ScreenResult:
    """The state of a screen, field by field as `Screen.msg`; scores 0 to 3, -1 where there is none yet.

    left, right, final: (7,) in the order of `TESTS`; a test without sides has -1 in left and right.
    asymmetric: (7,) both sides scored and different. clearing: (3,) see `Clearing`. total: 0 to 21, -1 until complete.
    person, session: in the records, "" and 0 where it is not kept there. open: begun, and not finished.
    """

    subject: str
    left: tuple[int, ...]
    right: tuple[int, ...]
    final: tuple[int, ...]
    asymmetric: tuple[bool, ...]
    clearing: tuple[int, ...]
    total: int
    notes: tuple[str, ...]
    person: str = ""
    session: int = 0
    open: bool = False


@dataclass(frozen=True)
class OperatorGrade:
    """The operator's own grade for a test and side. beside: ours goes on counting; else it counts instead of ours."""

    score: int
    reason: str
    beside: bool = False


class Screen:
    """Accumulates one person's screen. The best of the trials counts, the lower side, and pain before anything."""

    def __init__(self, subject: str) -> None:
        self.subject = subject
        self.reset()

    def reset(self) -> None:
        """Forget every trial, grade, pain report and clearing test."""
        self._measured: dict[tuple[Movement, Side], dict[Variation, int]] = {}
        self._late: set[tuple[Movement, Side]] = set()
        self._grades: dict[tuple[Movement, Side], OperatorGrade] = {}
        self._pain: set[tuple[Movement, Side]] = set()
        self._clearing = dict.fromkeys(ClearingTest, Clearing.NOT_DONE)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is in it yet."""
        done = any(clearing is not Clearing.NOT_DONE for clearing in self._clearing.values())
        return not (self._measured or self._grades or self._pain or done)

    def add(self, assessment: Assessment) -> None:
        """Take a repetition's result; one that is not scorable changes nothing. A result with pain reports pain.

        Trials after the third do not count.
        """
        key = self._key(assessment.movement, assessment.side)
        if assessment.pain:
            self._pain.add(key)
        if assessment.score == NOT_SCORABLE:
            return
        if assessment.trial > MOST_TRIALS:
            self._late.add(key)
            return
        forms = self._measured.setdefault(key, {})
        forms[assessment.variation] = max(assessment.score, forms.get(assessment.variation, NOT_SCORABLE))

    def report_pain(self, movement: Movement, side: Side = Side.BOTH, *, pain: bool = True) -> None:
        """The person says that a test hurts (or take that back). Only the person can say so."""
        key = self._key(movement, side)
        self._pain = self._pain | {key} if pain else self._pain - {key}

    def report_clearing(self, test: ClearingTest, *, pain: bool) -> None:
        """What a clearing test said; pain makes the related test 0."""
        self._clearing[test] = Clearing.PAIN if pain else Clearing.NO_PAIN

    def set_score(self, movement: Movement, side: Side, score: int, reason: str, *, beside: bool = False) -> None:
        """Set the operator's own grade (0 to 3), or withdraw it with -1. The measured score stays and is noted.

        beside: the measured score goes on counting. Raises ValueError for a score out of range and for a grade without
        a reason.
        """
        if not NOT_SCORABLE <= score <= 3:
            raise ValueError(f"score is {score}; a grade is 0, 1, 2 or 3, or -1 to withdraw one")
        if score != NOT_SCORABLE and not reason.strip():
            raise ValueError("a grade that stands beside or over the measured one needs a reason; say why")
        key = self._key(movement, side)
        if score == NOT_SCORABLE:
            self._grades.pop(key, None)
        else:
            self._grades[key] = OperatorGrade(score, reason.strip(), beside)

    def measured(self, movement: Movement, side: Side = Side.BOTH) -> int:
        """Our best score of a test and side, whatever the operator says; -1 where there is none."""
        return max(self._measured.get(self._key(movement, side), {}).values(), default=NOT_SCORABLE)

    def grade(self, movement: Movement, side: Side = Side.BOTH) -> OperatorGrade | None:
        """The operator's own grade of a test and side, None where there is none."""
        return self._grades.get(self._key(movement, side))

    def easier_form(self, movement: Movement, side: Side = Side.BOTH) -> Variation | None:
        """The easier form that is still to be done because the first one failed: the squat's board; None if none."""
        forms = self._measured.get(self._key(movement, side), {})
        if self._hurts(movement, side) or max(forms.values(), default=NOT_SCORABLE) >= EASIER_WORTH:
            return None
        return next((EASIER[form][0] for form in forms if form in EASIER and EASIER[form][0] not in forms), None)

    def hurts(self, movement: Movement, side: Side = Side.BOTH) -> bool:
        """Whether pain makes a test and side 0: in the movement itself or in its clearing test."""
        return self._hurts(*self._key(movement, side))

    def result(self) -> ScreenResult:
        """The screen as it stands."""
        left = tuple(self._score(test, Side.LEFT) for test in TESTS)
        right = tuple(self._score(test, Side.RIGHT) for test in TESTS)
        final = tuple(_final([self._score(test, side) for side in sides_to_do(test)]) for test in TESTS)
        asymmetric = tuple(NOT_SCORABLE not in pair and pair[0] != pair[1] for pair in zip(left, right, strict=True))
        total = sum(final) if NOT_SCORABLE not in final else NOT_SCORABLE
        return ScreenResult(
            subject=self.subject,
            left=left,
            right=right,
            final=final,
            asymmetric=asymmetric,
            clearing=tuple(int(self._clearing[test]) for test in ClearingTest),
            total=total,
            notes=tuple(self._notes(asymmetric, total)),
        )

    @staticmethod
    def _key(movement: Movement, side: Side) -> tuple[Movement, Side]:
        """What a trial fills in. Raises ValueError for no test of the screen, and for a side that it does not have."""
        if movement not in TESTS:
            known = ", ".join(test.name for test in TESTS)
            raise ValueError(f"movement {movement.name} is no test of the screen; the tests are {known}")
        if side not in sides_to_do(movement):
            allowed = " or ".join(one.name for one in sides_to_do(movement))
            raise ValueError(f"{title(movement)} has no side {side.name}; say side {allowed}")
        return movement, side

    def _score(self, movement: Movement, side: Side) -> int:
        """The score that counts for a test and one side: pain, then the operator's grade, then the best trial."""
        if side not in sides_to_do(movement):
            return NOT_SCORABLE
        if self._hurts(movement, side):
            return 0
        grade = self._grades.get((movement, side))
        return grade.score if grade and not grade.beside else self.measured(movement, side)

    def _hurts(self, movement: Movement, side: Side) -> bool:
        test = CLEARED_BY.get(movement)
        return (movement, side) in self._pain or (test is not None and self._clearing[test] is Clearing.PAIN)

    def _notes(self, asymmetric: Iterable[bool], total: int) -> Iterable[str]:
        for movement, uneven in zip(TESTS, asymmetric, strict=True):
            name = title(movement)
            for side in sides_to_do(movement):
                label = f"{name} {side.name.lower()}" if movement in TWO_SIDED else name
                yield from self._side_notes(movement, side, label)
            if uneven:
                yield f"{name}: left and right differ; the lower side counts"
        if NOT_SCORABLE < total < TOTAL_CUT_OFF:
            yield f"total {total} is under the usual cut-off of {TOTAL_CUT_OFF}"

    def _side_notes(self, movement: Movement, side: Side, label: str) -> Iterable[str]:
        if (movement, side) in self._pain:
            yield f"{label}: pain reported, so 0"
        elif self._hurts(movement, side):
            yield f"{label}: pain in the clearing test {title(CLEARED_BY[movement])}, so 0"
        grade = self._grades.get((movement, side))
        if grade:
            measured = self.measured(movement, side)
            ours = "not scored" if measured == NOT_SCORABLE else f"measured {measured}"
            place = "beside ours, which counts" if grade.beside else "over ours"
            yield f"{label}: {grade.score} by the operator, {place} ({grade.reason}); {ours}"
        easier = self.easier_form(movement, side)
        if easier is not None and (grade is None or grade.beside):
            yield f"{label}: failed; {next(say for form, say in EASIER.values() if form is easier)}"
        if (movement, side) in self._late:
            yield f"{label}: trials after the third do not count"


def sides_to_do(movement: Movement) -> tuple[Side, ...]:
    """The sides on which a test of the screen is done; BOTH alone where it has none."""
    return (Side.LEFT, Side.RIGHT) if movement in TWO_SIDED else (Side.BOTH,)


def _final(scores: Sequence[int]) -> int:
    """The lowest side; none while a side is missing, unless another is 0, which nothing can lift."""
    return 0 if 0 in scores else min(scores)


def title(name: IntEnum) -> str:
    """A test's name for a reader: 'deep squat'."""
    return name.name.lower().replace("_", " ")
