"""What a person sees while the graph runs: a live table in a terminal, plain lines where the output is not one."""

import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from fitmotion_models.fms.values import NOT_SCORABLE, Assessment, AssessmentState, Phase, Verdict
from fitmotion_models.viewer.terminal import criteria_table, score_text, words
from fitmotion_nodes.monitor import NodeReport, Observations
from fitmotion_nodes.supervisor import NodeStatus

Statuses = Callable[[], Sequence[NodeStatus]]
_REFRESH_HZ = 4.0
_SHOWN_EVENTS = 5
_SHOWN_ASSESSMENTS = 4
_STATUS_EVERY_S = 5.0  # plain lines
_STALE_S = 3.0  # diagnostics come once a second; three missed ones are worth a word


class View(Protocol):
    """Where a run shows itself."""

    def __enter__(self) -> "View": ...

    def __exit__(self, *exc: object) -> None: ...

    def say(self, text: str) -> None:
        """Something a person should know."""

    def assessed(self, assessment: Assessment, new: bool) -> None:
        """A repetition was scored, or scored anew."""

    def tell(self, text: str) -> None:
        """What a person should have before their eyes until something else is told."""

    def refresh(self) -> None:
        """Called many times a second; shows what has changed when it is time."""


def make_view(title: str, statuses: Statuses, observations: Observations, console: Console | None = None) -> View:
    """A live table on a terminal, else plain lines."""
    console = console or Console()
    kind = TableView if console.is_terminal else LineView
    return kind(title, statuses, observations, console)


class LineView:
    """One line for each thing that happens, and the rates now and then."""

    def __init__(self, title: str, statuses: Statuses, observations: Observations, console: Console) -> None:
        self._title, self._statuses, self._observations = title, statuses, observations
        self._console, self._told = console, ""
        self._next_status = time.monotonic() + _STATUS_EVERY_S

    def __enter__(self) -> "LineView":
        self.say(self._title)
        return self

    def __exit__(self, *exc: object) -> None:
        return

    def say(self, text: str) -> None:
        """One line."""
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def assessed(self, assessment: Assessment, new: bool) -> None:
        """The result as one line."""
        self.say(("" if new else "changed: ") + assessment_line(assessment).plain)

    def tell(self, text: str) -> None:
        """A line each time it changes."""
        if text != self._told:
            self._told = text
            self.say(text)

    def refresh(self) -> None:
        """Every few seconds the rates."""
        if time.monotonic() < self._next_status:
            return
        self._next_status += _STATUS_EVERY_S
        with self._observations.lock:
            rates = [node_line(status.name, self._observations.reports.get(status.name)) for status in self._statuses()]
            people = [person_line(state) for state in self._observations.states.values()]
        self.say(", ".join([*rates, latency_text(self._observations), *people]))


class TableView:
    """A table that is drawn anew four times a second."""

    def __init__(self, title: str, statuses: Statuses, observations: Observations, console: Console) -> None:
        self._title, self._statuses, self._observations = title, statuses, observations
        self._events: deque[str] = deque(maxlen=_SHOWN_EVENTS)
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._next, self._told = 0.0, ""

    def __enter__(self) -> "TableView":
        self._live.__enter__()
        self.refresh()
        return self

    def __exit__(self, *exc: object) -> None:
        self._live.__exit__(None, None, None)

    def say(self, text: str) -> None:
        """Among the events below the table."""
        self._events.append(f"{time.strftime('%H:%M:%S')}  {text}")

    def assessed(self, assessment: Assessment, new: bool) -> None:
        """The table shows it by itself."""

    def tell(self, text: str) -> None:
        """Above the table."""
        self._told = text

    def refresh(self) -> None:
        """Draw when it is time."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + 1.0 / _REFRESH_HZ
        shown = render(self._title, self._statuses(), self._observations, tuple(self._events))
        self._live.update(Group(Text(self._told), shown) if self._told else shown, refresh=True)


def render(
    title: str, statuses: Sequence[NodeStatus], observations: Observations, events: Sequence[str]
) -> RenderableType:
    """The whole picture: nodes, people, scores, events."""
    parts: list[RenderableType] = [Text(title, style="bold")]
    with observations.lock:
        parts.append(_nodes_table(statuses, observations.reports))
        everything = list(observations.assessments.values())
        last = {assessment.subject: assessment for assessment in everything}
        parts += [part for state in observations.states.values() for part in _person(state, last.get(state.subject))]
        assessments = everything[-_SHOWN_ASSESSMENTS:]
    parts.append(Text(latency_text(observations), style="dim"))
    parts += [assessment_line(assessment) for assessment in assessments]
    parts += [Text(event, style="yellow", overflow="ellipsis", no_wrap=True) for event in events]
    parts.append(Text("Ctrl-C ends the run and writes its report", style="dim"))
    return Group(*parts)


def _nodes_table(statuses: Sequence[NodeStatus], reports: dict[str, NodeReport]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in ("node", "state", "rate", "latency p50", "p95", "dropped", "restarts"):
        table.add_column(column, justify="left" if column in ("node", "state") else "right", no_wrap=True)
    table.add_column("", overflow="ellipsis", no_wrap=True)
    styles = {"running": "green", "waiting": "bold red", "silent": "bold red", "ended": "dim"}
    for status in statuses:
        report = reports.get(status.name)
        values = report.values if report else {}
        silent = report is None or time.monotonic() - report.at > _STALE_S
        state = status.state
        if state == "running" and silent:
            state = "starting" if report is None else "silent"
        note = Text(*_note(report)) if report else Text()
        table.add_row(
            status.name,
            Text(state, style=styles.get(state, "yellow")),
            rate_text(report),
            _milliseconds(values.get("latency_p50_ms")),
            _milliseconds(values.get("latency_p95_ms")),
            _dropped(values),
            str(status.restarts or ""),
            note,
        )
    return table


def _person(state: AssessmentState, last: Assessment | None) -> list[RenderableType]:
    """Where somebody is; the criteria as they are during a repetition, and between two those of the last one."""
    row = Table.grid(padding=(0, 2, 0, 0))
    row.add_row(
        Text(f"{state.subject}: {words(state.movement.name)}", style="bold"),
        words(state.phase.name),
        ProgressBar(total=1.0, completed=min(max(state.progress, 0.0), 1.0), width=30),
    )
    parts: list[RenderableType] = [Text(""), row]
    if state.phase not in (Phase.UNKNOWN, Phase.STANDING):
        parts.append(criteria_table(state.criteria))
    elif last is not None:
        parts += [Text(f"repetition {last.repetition}:", style="dim"), criteria_table(last.criteria)]
    return parts


def assessment_line(assessment: Assessment) -> Text:
    """A repetition in one line: the score, and what kept it from being a better one."""
    wrong = [words(item.name) for item in assessment.criteria if item.verdict is Verdict.NOT_MET]
    unseen = [words(item.name) for item in assessment.criteria if item.verdict is Verdict.NOT_SEEN]
    why = [f"not met: {', '.join(wrong)}"] if wrong else []
    why += [f"not seen: {', '.join(unseen)}"] if unseen else []
    if assessment.score == NOT_SCORABLE and assessment.reason:
        why = [assessment.reason]
    return Text.assemble(
        f"{assessment.subject}, {words(assessment.movement.name)}, repetition {assessment.repetition}: ",
        score_text(assessment) if assessment.score == NOT_SCORABLE else Text.assemble("score ", score_text(assessment)),
        f" (confidence {assessment.confidence:.2f})",
        f"; {'; '.join(why)}" if why else "",
    )


def person_line(state: AssessmentState) -> str:
    """Where somebody is in the movement."""
    if state.phase is Phase.UNKNOWN:
        return f"{state.subject} not yet standing still"
    return f"{state.subject} {words(state.phase.name)}"


def rate_text(report: NodeReport | None) -> str:
    """Frames a second, empty while nothing is known."""
    value = _number(report.values.get("rate_hz")) if report else None
    return "" if value is None else f"{value:.1f} Hz"


def node_line(name: str, report: NodeReport | None) -> str:
    """A node in a few words: rate, the middle and the slow end of its latency, what it dropped, what is wrong."""
    if report is None:
        return name
    parts = [name, rate_text(report)]
    middle, slow = (_number(report.values.get(f"latency_p{level}_ms")) for level in (50, 95))
    if middle is not None and slow is not None:
        parts.append(f"{middle:.0f}/{slow:.0f} ms")
    if report.values.get("dropped", "0") not in ("", "0"):
        parts.append(f"{report.values['dropped']} dropped")
    return " ".join(part for part in parts if part) + (f" ({report.warning})" if report.warning else "")


def _note(report: NodeReport) -> tuple[str, str]:
    """What a node says, and in which style: in red what is wrong."""
    lag = report.values.get("lag_ms", "")
    said = report.message + (f", lag {lag} ms" if lag else "")
    return (report.warning, "bold red") if report.warning else (said, "dim")


def _dropped(values: dict[str, str]) -> Text:
    """How many were lost, in red when any were."""
    count = values.get("dropped", "")
    return Text(count, style="red" if count not in ("", "0") else "")


def latency_text(observations: Observations) -> str:
    """From the image's stamp to the scorer's state, over the last seconds."""
    with observations.lock:
        ordered = sorted(observations.latencies_ms)
        frames, generated = observations.frames, observations.generated
    if not ordered:
        return f"{frames} frames" if frames or not generated else f"{generated} poses generated"
    middle, slow = ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    return f"{frames} frames, image to score {middle:.0f} ms (p95 {slow:.0f})"


def _milliseconds(text: str | None) -> str:
    value = _number(text)
    return "" if value is None else f"{value:.1f} ms"


def _number(text: str | None) -> float | None:
    """A number that a node reports, or somebody in its name; None for what is none."""
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None
