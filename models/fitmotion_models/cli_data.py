"""`fitmotion data`: recorded motion made ready for training."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fitmotion_models.cli_scorers import DATA_FOLDER
from fitmotion_models.cli_tools import fail, progress_bar

if TYPE_CHECKING:
    from fitmotion_models.datasets.motion_set import MotionRow

data = typer.Typer(no_args_is_help=True, help="Recorded motion, made ready for training.")


def _set(words: str) -> typer.models.OptionInfo:
    return typer.Option(help=words, metavar="PATH")


@data.callback()
def commands() -> None:
    """Recorded motion, made ready for training."""  # a group even while it has one command


@data.command("prepare")
def prepare_data(
    out: Annotated[Path, typer.Option(help="Folder of the motion set; made where it is not there.", metavar="DIR")],
    uiprmd: Annotated[Path | None, _set("UI-PRMD, folder or archive.")] = None,
    hdm05: Annotated[Path | None, _set("Cuts of HDM05, folder or archive.")] = None,
    cmu: Annotated[Path | None, _set("CMU's subjects 1 to 3, folder or archive.")] = None,
    jobs: Annotated[int, typer.Option(help="Processes.", min=1)] = 2,
    mirror: Annotated[bool, typer.Option(help="Add mirror images, left and right swapped in their words.")] = True,
    speeds: Annotated[str, typer.Option(help="Speeds to add, 1 being as recorded.", metavar="LIST")] = "0.9,1.1",
) -> None:
    """Make recorded motion ready for training: one body, 20 frames a second, texts, sides, grades by our rubric.

    Without a set it takes those that lie in the folder FITMOTION_DATA. Stopped half-way, the same command goes on.

    Examples:

      fitmotion data prepare --out motion_set

      fitmotion data prepare --out squats --uiprmd uiprmd-s01-s08.tar.xz --jobs 4
    """
    from fitmotion_models.datasets.prepare import PrepareParameters, default_sources, prepare

    given = {name: path for name, path in (("uiprmd", uiprmd), ("hdm05", hdm05), ("cmu", cmu)) if path is not None}
    try:
        factors = tuple(float(word) for word in speeds.split(",") if word.strip())
        parameters = PrepareParameters(jobs=jobs, mirror=mirror, speeds=factors)
        folder = Path(os.environ.get("FITMOTION_DATA", DATA_FOLDER))
        chosen = given or default_sources(folder)
        if not chosen:
            fail(f"no recorded motion in {folder}; name a set, such as --uiprmd, or its folder with FITMOTION_DATA")
        with progress_bar("converting", quiet=False) as progress:
            rows = prepare(out, chosen, parameters, progress)
    except (ValueError, OSError) as error:
        fail(str(error))
    _print_summary(rows)


def _print_summary(rows: "list[MotionRow]") -> None:
    """A line a set and action: who did it how often, how it was graded, and how long all of it is."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title="graded by our rubric; mirror images and other speeds are not counted")
    for name in ("set", "action", "style"):
        table.add_column(name)
    for name in ("persons", "motions", "at 3", "at 2", "at 1", "not graded", "minutes"):
        table.add_column(name, justify="right")
    recorded = [row for row in rows if not row.mirrored and row.speed == 1.0]
    groups: dict[tuple[str, str, str], list[MotionRow]] = {}
    for row in recorded:
        groups.setdefault((row.source, row.action, row.style or ""), []).append(row)
    for names, group in groups.items():
        scores = [sum(row.score == score for row in group) for score in (3, 2, 1, None)]
        minutes = sum(row.seconds for row in group) / 60.0
        counts = (len({row.person for row in group}), len(group), *scores)
        table.add_row(*names, *(str(count) for count in counts), f"{minutes:.1f}")
    Console().print(table)
    whole = sum(row.seconds for row in rows) / 60.0
    typer.echo(f"{len(recorded)} motions, {len(rows)} with mirror images and other speeds, {whole:.0f} minutes")
