"""The report of a whole screen for a person to take home: what it says; `screen_report_html` and `_pdf` lay it out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fitmotion_models.fms.records import Grade, Person, Records, Session
from fitmotion_models.fms.screen import CLEARED_BY, TESTS, ClearingTest, ScreenResult, sides_to_do
from fitmotion_models.fms.values import NOT_SCORABLE, Assessment, Criterion, Movement, Side, Verdict
from fitmotion_models.skeleton.motion_clip import MotionClip
from fitmotion_models.viewer.history import Visit, history_of
from fitmotion_models.viewer.terminal import measurement, words

HTML_NAME, PDF_NAME = "screen.html", "screen.pdf"
CLEARING_WORDS = ("not done", "no pain", "pain")
SIDE_WORDS = {Side.BOTH: "", Side.LEFT: "left", Side.RIGHT: "right"}


@dataclass(frozen=True, eq=False)
class KeptRepetition:
    """A repetition as it was kept. clip: its poses on its clock. pictures: name of a moment -> JPEG, face blurred."""

    assessment: Assessment
    clip: MotionClip | None = None
    pictures: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class CriterionRow:
    """A criterion of a test: what each side's best repetition says of it, side -> criterion."""

    name: str
    sides: Mapping[Side, Criterion]

    @property
    def limit(self) -> str:
        """What is allowed, as people read it."""
        one = next(iter(self.sides.values()))
        return measurement(one.threshold, one.unit)

    @property
    def advice(self) -> str:
        """What to change, for the sides that ask for it."""
        advised: dict[str, list[str]] = {}
        for side, one in self.sides.items():
            if one.advice and one.verdict is not Verdict.MET:
                advised.setdefault(one.advice, []).append(SIDE_WORDS[side])
        return " ".join(_sided(text, sides, len(self.sides)) for text, sides in advised.items())


@dataclass(frozen=True, eq=False)
class TestPage:
    """One test on its page. best: side -> the repetition that counts. scores: side -> the score that counts."""

    movement: Movement
    best: Mapping[Side, KeptRepetition]
    scores: Mapping[Side, int]
    final: int
    asymmetric: bool
    repetitions: tuple[KeptRepetition, ...]
    grades: tuple[Grade, ...]
    notes: tuple[str, ...]

    @property
    def title(self) -> str:
        """The test's name."""
        return words(self.movement.name).capitalize()

    def criteria(self) -> list[CriterionRow]:
        """The criteria of the best repetitions, side by side, in the order of the test."""
        rows: dict[str, dict[Side, Criterion]] = {}
        for side, kept in self.best.items():
            for one in kept.assessment.criteria:
                rows.setdefault(one.name, {})[side] = one
        return [CriterionRow(name, sides) for name, sides in rows.items()]


@dataclass(frozen=True, eq=False)
class ScreenReport:
    """Everything a report tells. visits: the person's screens up to this one, the first one first."""

    person: Person
    session: Session
    screen: ScreenResult
    pages: tuple[TestPage, ...]
    visits: tuple[Visit, ...]

    @property
    def is_complete(self) -> bool:
        """Whether all seven tests are done."""
        return self.screen.total != NOT_SCORABLE

    def clearing(self) -> list[tuple[str, str, str]]:
        """The clearing tests: name, what was said, and the test that pain makes 0."""
        related = {test: words(movement.name) for movement, test in CLEARED_BY.items()}
        return [(words(test.name), CLEARING_WORDS[self.screen.clearing[test]], related[test]) for test in ClearingTest]


def write_screen_report(records: Records, session: Session, folder: Path) -> tuple[Path, Path]:
    """Write a session's report as a web page and as PDF into a folder; returns both paths.

    An earlier report of that name there is replaced. Raises RecordsError for a session that is gone, OSError when it
    cannot be written.
    """
    from fitmotion_models.viewer.screen_report_html import screen_html
    from fitmotion_models.viewer.screen_report_pdf import save_screen_pdf

    report = screen_report(records, session)
    page, pdf = folder / HTML_NAME, folder / PDF_NAME
    folder.mkdir(parents=True, exist_ok=True)
    partial = page.with_name(f".{page.name}.part")
    partial.write_text(screen_html(report), encoding="utf-8")
    partial.replace(page)
    save_screen_pdf(pdf, report)
    return page, pdf


def screen_report(records: Records, session: Session) -> ScreenReport:
    """What there is to tell of a session."""
    kept = kept_repetitions(records, session)
    grades = records.grades(session)
    screen = records.screen(session).result()
    visits = [one for one in history_of(records, session.person) if one.session.started <= session.started]
    pages = tuple(page for test in TESTS if (page := test_page(test, screen, kept, grades)) is not None)
    return ScreenReport(records.person(session.person), session, screen, pages, tuple(visits))


def kept_repetitions(records: Records, session: Session) -> list[KeptRepetition]:
    """The repetitions of a session with what was kept of them, in the order in which they were done."""
    return [
        KeptRepetition(one, records.clip(session, one), records.pictures(session, one))
        for one in records.assessments(session)
    ]


def test_page(
    movement: Movement, screen: ScreenResult, kept: Iterable[KeptRepetition], grades: Sequence[Grade]
) -> TestPage | None:
    """A test's page; None where nothing was done for it."""
    mine = tuple(one for one in kept if one.assessment.movement is movement)
    given = tuple(one for one in grades if one.movement is movement)
    index = TESTS.index(movement)
    if not mine and not given and screen.final[index] == NOT_SCORABLE:
        return None
    scores = {
        side: {Side.BOTH: screen.final, Side.LEFT: screen.left, Side.RIGHT: screen.right}[side][index]
        for side in sides_to_do(movement)
    }
    best = {side: found for side in sides_to_do(movement) if (found := best_of(mine, side)) is not None}
    name = words(movement.name)
    return TestPage(
        movement=movement,
        best=best,
        scores=scores,
        final=screen.final[index],
        asymmetric=screen.asymmetric[index],
        repetitions=mine,
        grades=given,
        notes=tuple(note for note in screen.notes if note.lower().startswith(name)),
    )


def best_of(kept: Iterable[KeptRepetition], side: Side) -> KeptRepetition | None:
    """The repetition of a side that counts: the highest score, of equal ones the surest; None where there is none."""
    mine = [one for one in kept if one.assessment.side is side]
    return max(mine, key=lambda one: (one.assessment.score, one.assessment.confidence), default=None)


def _sided(text: str, sides: Sequence[str], of: int) -> str:
    """Advice with the side that it is for, where it is not for all."""
    return text if len(sides) == of or not sides[0] else f"{' and '.join(sides).capitalize()}: {text}"
