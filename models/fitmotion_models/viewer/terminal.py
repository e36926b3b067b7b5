"""What a person reads in a terminal: assessments as tables, for `assess` and at the end of `up`."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from fitmotion_models.fms.values import NOT_SCORABLE, Assessment, Criterion, Side, Verdict

VERDICT_STYLES = {
    Verdict.MET: ("met", "green"),
    Verdict.NOT_MET: ("not met", "bold red"),
    Verdict.NOT_SEEN: ("not seen", "dim"),
}
# A metre is too coarse and 0.014 hard to read: people think of these in centimetres.
_SHOWN_AS = {"m": ("cm", 100.0), "deg": ("°", 1.0)}


def words(name: str) -> str:
    """`DEEP_SQUAT` or `deep_squat` as people write it: `deep squat`."""
    return name.lower().replace("_", " ")


def measurement(value: float, unit: str) -> str:
    """A value with its unit as people read it: metres as centimetres, degrees with the sign; a dash for NaN."""
    shown, factor = _SHOWN_AS.get(unit, (unit, 1.0))
    if value != value:
        return "–"
    rounded = round(value * factor, 1) + 0.0  # adding 0 makes -0.0, which nobody measures, 0.0
    return f"{rounded:.1f}{'' if shown == '°' else ' '}{shown}".rstrip()


def score_word(score: int) -> str:
    """A score as people read it, a dash for none."""
    return "–" if score == NOT_SCORABLE else str(score)


def score_text(assessment: Assessment) -> Text:
    """The score in colour; `not scorable` for -1."""
    if assessment.score == NOT_SCORABLE:
        return Text("not scorable", style="bold yellow")
    return Text(str(assessment.score), style="bold green" if assessment.score == 3 else "bold red")


def criteria_table(criteria: Sequence[Criterion]) -> Table:
    """A row a criterion: what was measured, the threshold, the verdict and what to change."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column, justify in (("criterion", "left"), ("measured", "right"), ("threshold", "right"), ("", "left")):
        table.add_column(column, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    table.add_column("advice")
    for criterion in criteria:
        label, style = VERDICT_STYLES[criterion.verdict]
        value = measurement(criterion.value, criterion.unit)
        threshold = measurement(criterion.threshold, criterion.unit)
        table.add_row(words(criterion.name), value, threshold, Text(label, style=style), criterion.advice)
    return table


def assessment_view(assessment: Assessment, *, named: bool = False) -> RenderableType:
    """One repetition: headline, with whose it is where that is asked for, reason, criteria."""
    who = f"{assessment.subject}, " if named else ""
    side = "" if assessment.side is Side.BOTH else f" {words(assessment.side.name)}"
    headline = Text.assemble(
        (f"{who}{words(assessment.movement.name)}{side}, repetition {assessment.repetition}", "bold"),
        f"  {assessment.start:.2f} to {assessment.end:.2f} s   score ",
        score_text(assessment),
        f"   confidence {assessment.confidence:.2f}",
    )
    parts: list[RenderableType] = [headline]
    if assessment.reason:
        parts.append(Text(assessment.reason, style="yellow" if assessment.score == NOT_SCORABLE else ""))
    parts.append(criteria_table(assessment.criteria))
    return Group(*parts, "")


def assessments_view(assessments: Sequence[Assessment], *, seconds: float, poses: int) -> RenderableType:
    """A whole recording: every repetition, then the best score; or what was missing when there is none."""
    if not assessments:
        seen = "a person was seen" if poses else "no person was seen"
        return Text(f"no repetition was found in {seconds:.1f} s; {seen}", style="yellow")
    names = list(dict.fromkeys(assessment.subject for assessment in assessments))
    several = len(names) > 1
    lines = []
    for name in names:
        mine = [assessment.score for assessment in assessments if assessment.subject == name]
        count = f"{len(mine)} repetition{'s' if len(mine) > 1 else ''}"
        best = f"best score {max(mine)}" if max(mine) != NOT_SCORABLE else "none could be scored"
        lines.append(Text(f"{name}: {count}, {best}" if several else f"{count}, {best}", style="bold"))
    return Group(*(assessment_view(assessment, named=several) for assessment in assessments), *lines)
