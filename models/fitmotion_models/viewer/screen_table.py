"""A screen as a table in a terminal."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from fitmotion_models.fms.screen import CLEARED_BY, TESTS, TWO_SIDED, Clearing, ScreenResult, title
from fitmotion_models.fms.values import NOT_SCORABLE

_STYLES = {NOT_SCORABLE: "dim", 0: "bold red", 1: "bold red", 2: "bold yellow", 3: "bold green"}
_CLEARINGS = {
    Clearing.NOT_DONE: Text("not done", style="dim"),
    Clearing.NO_PAIN: Text("no pain", style="green"),
    Clearing.PAIN: Text("pain", style="bold red"),
}


def screen_table(screen: ScreenResult) -> RenderableType:
    """The seven tests: left, right, the score that counts, asymmetry, clearing test; the total and the notes."""
    who = screen.person or screen.subject
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), title=f"Screen of {who}", title_justify="left")
    table.add_column("test", no_wrap=True)
    for column in ("left", "right", "final"):
        table.add_column(column, justify="right", no_wrap=True)
    for column in ("asymmetry", "clearing test"):
        table.add_column(column, no_wrap=True)
    for place, test in enumerate(TESTS):
        sides = (screen.left[place], screen.right[place]) if test in TWO_SIDED else (None, None)
        clearing = _CLEARINGS[Clearing(screen.clearing[CLEARED_BY[test]])] if test in CLEARED_BY else Text()
        uneven = Text("differs", style="yellow") if screen.asymmetric[place] else Text()
        scores = (_score(score) for score in (*sides, screen.final[place]))
        table.add_row(title(test), *scores, uneven, clearing)
    total = "not complete" if screen.total == NOT_SCORABLE else f"{screen.total} of 21"
    parts: list[RenderableType] = [table, Text(f"total {total}", style="bold")]
    return Group(*parts, *(Text(note, style="dim") for note in screen.notes), "")


def _score(score: int | None) -> Text:
    if score is None:
        return Text()
    return Text("–" if score == NOT_SCORABLE else str(score), style=_STYLES[score])
