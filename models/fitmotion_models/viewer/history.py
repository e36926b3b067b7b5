"""A person's screens one after the other: as a table for the terminal, as JSON values, as a picture of the trend."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table

from fitmotion_models.fms.anthropometry import Anthropometry, Sex
from fitmotion_models.fms.records import Grade, Person, Records, Session
from fitmotion_models.fms.screen import TESTS, TOTAL_CUT_OFF, TWO_SIDED, ScreenResult
from fitmotion_models.fms.values import NOT_SCORABLE
from fitmotion_models.viewer.agreement_picture import check_picture_path
from fitmotion_models.viewer.palette import LEFT, RIGHT, on_paper
from fitmotion_models.viewer.terminal import score_word, words

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Visit:
    """A session, its screen, and the operators' own grades. repetitions: how many were measured."""

    session: Session
    screen: ScreenResult
    grades: tuple[Grade, ...]
    repetitions: int


def history_of(records: Records, name: str) -> list[Visit]:
    """A person's visits, the first one first. Raises RecordsError when nobody is called that."""
    return [
        Visit(
            session=session,
            screen=records.screen(session).result(),
            grades=tuple(records.grades(session)),
            repetitions=len(records.assessments(session)),
        )
        for session in records.sessions(name)
    ]


def history_table(visits: Sequence[Visit]) -> Table:
    """A row a test, a column a visit; left and right where a test has sides, an asymmetry in yellow."""
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    table.add_column("test", no_wrap=True)
    for visit in visits:
        started = visit.session.started.astimezone()
        table.add_column(f"{started:%Y-%m-%d}\n{started:%H:%M}", justify="right")
    for number, test in enumerate(TESTS):
        table.add_row(words(test.name), *(_cell(visit.screen, number) for visit in visits))
    table.add_row("total out of 21", *(score_word(visit.screen.total) for visit in visits), style="bold")
    if any(visit.session.is_open or visit.session.abandoned for visit in visits):
        table.add_row("", *(_state(visit.session) for visit in visits), style="yellow")
    table.add_row("measured by", *(visit.session.measured_by for visit in visits), style="dim")
    return table


def _state(session: Session) -> str:
    return "open" if session.is_open else "begun anew" if session.abandoned else ""


def _cell(screen: ScreenResult, number: int) -> str:
    final = score_word(screen.final[number])
    if TESTS[number] not in TWO_SIDED:
        return final
    sides = f"L {score_word(screen.left[number])} R {score_word(screen.right[number])}"
    return f"[yellow]{sides}[/]  {final}" if screen.asymmetric[number] else f"{sides}  {final}"


def measures_text(body: Anthropometry) -> str:
    """A person's entered measures in words: '1.70 m tall, hand 18.0 cm, female'."""
    stature = "height not entered" if body.stature_m is None else f"{body.stature_m:.2f} m tall"
    hand = "hand length not entered" if body.hand_length_m is None else f"hand {100 * body.hand_length_m:.1f} cm"
    sex = "sex not entered" if body.sex is Sex.UNKNOWN else body.sex.name.lower()
    return f"{stature}, {hand}, {sex}"


def measures_as_dict(body: Anthropometry) -> dict[str, Any]:
    """JSON-ready values; null for what was not entered."""
    sex = None if body.sex is Sex.UNKNOWN else body.sex.name.lower()
    return {"height_m": body.stature_m, "hand_length_m": body.hand_length_m, "sex": sex}


def history_as_dict(person: Person, visits: Sequence[Visit]) -> dict[str, Any]:
    """JSON-ready values; null for what was not scored or entered."""
    sessions = [_visit_as_dict(visit) for visit in visits]
    return {"person": person.name, **measures_as_dict(person.body), "sessions": sessions}


def _visit_as_dict(visit: Visit) -> dict[str, Any]:
    screen = visit.screen
    tests = {
        test.name.lower(): {
            "left": _or_none(screen.left[number]),
            "right": _or_none(screen.right[number]),
            "final": _or_none(screen.final[number]),
            "asymmetric": screen.asymmetric[number],
        }
        for number, test in enumerate(TESTS)
    }
    grades = [
        {
            "movement": grade.movement.name.lower(),
            "side": grade.side.name.lower(),
            "score": _or_none(grade.score),
            "beside": grade.beside,
            "reason": grade.reason,
            "graded_by": grade.graded_by,
            "given": grade.given.isoformat(),
        }
        for grade in visit.grades
    ]
    return {
        "started": visit.session.started.isoformat(),
        "finished": None if visit.session.finished is None else visit.session.finished.isoformat(),
        "abandoned": visit.session.abandoned,
        **measures_as_dict(visit.session.body),
        "measured_by": visit.session.measured_by,
        "device": visit.session.device,
        "repetitions": visit.repetitions,
        "tests": tests,
        "total": _or_none(screen.total),
        "notes": list(screen.notes),
        "grades": grades,
    }


def _or_none(score: int) -> int | None:
    return None if score == NOT_SCORABLE else score


def save_trend(path: Path, name: str, visits: Sequence[Visit]) -> None:
    """A picture: a panel a test with left and right over the visits, and the total.

    Raises ValueError as `check_picture_path` and without visits, OSError while writing.
    """
    check_picture_path(path)
    if not visits:
        raise ValueError(f"no session of {name} yet, so there is no trend to draw")
    figure = trend_figure(visits)
    figure.suptitle(name)
    figure.savefig(path, dpi=130)


def trend_figure(visits: Sequence[Visit]) -> "Figure":
    """A panel a test with left and right over the visits, and the total."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11.0, 5.2), layout="constrained")
    panels = figure.subplots(2, 4).ravel()
    places = range(len(visits))
    days = [f"{visit.session.started.astimezone():%y-%m-%d}" for visit in visits]
    for number, test in enumerate(TESTS):
        sides = {"left": (LEFT, -0.03), "right": (RIGHT, 0.03)} if test in TWO_SIDED else {"final": (LEFT, 0.0)}
        for side, (colour, aside) in sides.items():  # set apart, so that equal sides are both seen
            scores = [getattr(visit.screen, side)[number] for visit in visits]
            shown = [float("nan") if score == NOT_SCORABLE else score + aside for score in scores]
            panels[number].plot(places, shown, "o-", color=on_paper(colour), label=side)
        panels[number].set(ylim=(-0.3, 3.3), yticks=range(4))
        panels[number].set_title(words(test.name), fontsize=10)
        if test in TWO_SIDED:
            panels[number].legend(fontsize=8, loc="lower right")
    totals = [float("nan") if visit.screen.total == NOT_SCORABLE else visit.screen.total for visit in visits]
    panels[-1].plot(places, totals, "o-", color="#222")
    panels[-1].axhline(TOTAL_CUT_OFF, color="#999", linewidth=0.8, linestyle="--")
    panels[-1].set(ylim=(-0.5, 21.5), yticks=(0, 7, 14, 21))
    panels[-1].set_title("total out of 21", fontsize=10)
    for panel in panels:
        panel.set_xticks(places, days, rotation=40, fontsize=8)
        panel.set_xlim(-0.4, len(visits) - 0.6)
        panel.grid(axis="y", color="#ddd")
    return figure


def persons_table(persons: Sequence[Person]) -> Table:
    """Who is there."""
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    for column in ("name", "born", "height", "hand", "sex", "consent", "sessions"):
        table.add_column(column)
    for one in persons:
        consent = f"{'since' if one.consent else 'withdrawn'} {one.consent_date}" if one.consent_date else "none"
        height = "–" if one.height_m is None else f"{one.height_m:.2f} m"
        hand = "–" if one.hand_length_m is None else f"{100 * one.hand_length_m:.1f} cm"
        sex = "–" if one.sex is Sex.UNKNOWN else one.sex.name.lower()
        table.add_row(one.name, str(one.birth_year or "–"), height, hand, sex, consent, str(one.sessions))
    return table


def persons_as_dict(persons: Sequence[Person]) -> dict[str, Any]:
    """JSON-ready values."""
    return {
        "persons": [
            {
                "name": one.name,
                "birth_year": one.birth_year,
                **measures_as_dict(one.body),
                "consent": one.consent,
                "consent_date": None if one.consent_date is None else one.consent_date.isoformat(),
                "sessions": one.sessions,
            }
            for one in persons
        ]
    }
