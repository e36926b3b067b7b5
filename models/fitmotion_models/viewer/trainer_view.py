"""A trainer's marks beside our verdicts, as tables for the terminal."""

import math
from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from fitmotion_models.evaluation.trainer import FAULT_BELOW, Agreement, Item, Person, Seen, counts_of, orders_of
from fitmotion_models.fms.values import NOT_SCORABLE, Criterion

_VERDICTS = ("met", "not met", "not called")
_STYLES = {Agreement.AGREE: "green", Agreement.DIFFER: "red"}


def trainer_view(persons: Sequence[Person]) -> RenderableType:
    """A table a person, what both sides said, and how often they agree."""
    parts: list[RenderableType] = []
    for number, person in enumerate(persons, start=1):
        parts += [_table(number, person), _said(person), Text()]
    parts.append(Text(_summary(persons)))
    return Group(*parts)


def _summary(persons: Sequence[Person]) -> str:
    counts = counts_of(persons)
    agree, differ = counts[Agreement.AGREE.value], counts[Agreement.DIFFER.value]
    orders = orders_of(persons).values()
    same, pairs = (sum(one[name] for one in orders) for name in ("same_order", "pairs"))
    return (
        f"Both see a fault or both see none in {agree} of the {agree + differ} items on which both say something; "
        f"{counts[Agreement.NO_VERDICT.value]} items are not called from one camera, "
        f"{counts[Agreement.NO_COUNTERPART.value]} have no criterion here. "
        f"A mark below {FAULT_BELOW} is read as a fault. "
        f"Knees, core and asymmetry put people in the trainer's order in {same} of {pairs} comparisons. "
        f"{len(persons)} people say little about agreement in general."
    )


def _table(number: int, person: Person) -> Table:
    table = Table(
        title=f"person {number}", title_justify="left", title_style="bold", box=SIMPLE_HEAD, padding=(0, 1, 0, 0)
    )
    for column in ("item", "trainer", "ours", "value / at most", "verdict", ""):
        table.add_column(column, justify="right" if "value" in column else "left", no_wrap=column != "ours")
    for item in person.items:
        _add_item(table, item)
    return table


def _add_item(table: Table, item: Item) -> None:
    agreement = Text(item.agreement.value, style=_STYLES.get(item.agreement, "dim"))
    rows = [_criterion_cells(one) for one in item.ours]
    rows += [(name, _value(value, unit), "") for name, (value, unit) in item.measured.items()]
    for index, cells in enumerate(rows or [("-", "", "")]):
        first = index == 0
        table.add_row(item.name if first else "", item.trainer if first else "", *cells, agreement if first else "")
    table.add_section()


def _criterion_cells(one: Criterion) -> tuple[str, str, str]:
    value = _value(one.value, one.unit)
    if math.isfinite(one.value):
        number, _, unit = value.partition(" ")
        value = f"{number} / {_value(one.threshold, one.unit).partition(' ')[0]} {unit}"
    return one.name.replace("_", " "), value, _VERDICTS[one.verdict]


def _value(value: float, unit: str) -> str:
    if not math.isfinite(value):
        return "not seen"
    return f"{100.0 * value:.1f} cm" if unit == "m" else f"{value:.1f} {unit}"


def _said(person: Person) -> Text:
    lines = [f"trainer: {person.scored.note}"]
    for name, seen in (("from the side", person.side), ("from the front", person.front)):
        lines.append(f"{name}: {_score(seen)}")
    return Text("\n".join(lines), style="dim")


def _score(seen: Seen) -> str:
    if not seen.report.assessments:
        return "no squat found"
    one = seen.report.assessments[0]
    if one.score == NOT_SCORABLE:
        return f"not scorable. {one.reason}"
    return f"{one.score} of 3 (confidence {100.0 * one.confidence:.0f} %). {one.reason}"
