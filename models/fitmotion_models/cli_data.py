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


def _source(words: str) -> typer.models.OptionInfo:
    return typer.Option(help=words, metavar="PATH")


@data.callback()
def commands() -> None:
    """Recorded motion, made ready for training."""  # a group even while it has one command


@data.command("prepare")
def prepare_data(
    out: Annotated[Path, typer.Option(help="Folder of the motion set; made where it is not there.", metavar="DIR")],
    uiprmd: Annotated[Path | None, _source("UI-PRMD, folder or archive.")] = None,
    hdm05: Annotated[Path | None, _source("Cuts of HDM05, folder or archive.")] = None,
    cmu: Annotated[Path | None, _source("CMU's subjects 1 to 3, folder or archive.")] = None,
    xing: Annotated[Path | None, _source("The FMS set of Xing et al., folder or archive.")] = None,
    bandai: Annotated[Path | None, _source("Bandai Namco's sets (non-commercial), folder or archive.")] = None,
    humanml3d: Annotated[Path | None, _source("HumanML3D (non-commercial), its folder.")] = None,
    amass: Annotated[Path | None, _source("AMASS (non-commercial), folder or archive.")] = None,
    jobs: Annotated[int, typer.Option(help="Processes.", min=1)] = 2,
    mirror: Annotated[bool, typer.Option(help="Add mirror images, left and right swapped in their words.")] = True,
    speeds: Annotated[str, typer.Option(help="Speeds to add, 1 being as recorded.", metavar="LIST")] = "0.9,1.1",
    sheet: Annotated[
        Path | None, typer.Option(help="Draw one motion of each kind, to look at (.png).", metavar="FILE.png")
    ] = None,
) -> None:
    """Make recorded motion ready for training: one body, 20 frames a second, texts, sides, grades by our rubric.

    Without a set it takes UI-PRMD, HDM05 and CMU where they lie in the folder FITMOTION_DATA. Impaired gait (limp,
    hemiparetic, antalgic, short steps) is made from CMU's walks. What is trained on a non-commercial set is
    non-commercial. Stopped half-way, the same command goes on.

    Examples:

      fitmotion data prepare --out motion_set --sheet motion_set.png

      fitmotion data prepare --out squats --uiprmd uiprmd-s01-s08.tar.xz --jobs 4
    """
    from fitmotion_models.datasets.motion_sources import default_sources
    from fitmotion_models.datasets.prepare import PrepareParameters, prepare

    named = {"uiprmd": uiprmd, "hdm05": hdm05, "cmu": cmu, "xing": xing, "bandai": bandai}
    named |= {"humanml3d": humanml3d, "amass": amass}
    given = {name: path for name, path in named.items() if path is not None}
    try:
        if sheet is not None and sheet.suffix != ".png":
            fail(f"the sheet's name is {sheet}; it has to end in .png")
        factors = tuple(float(word) for word in speeds.split(",") if word.strip())
        parameters = PrepareParameters(jobs=jobs, mirror=mirror, speeds=factors)
        folder = Path(os.environ.get("FITMOTION_DATA", DATA_FOLDER))
        chosen = given or default_sources(folder)
        if not chosen:
            fail(f"no recorded motion in {folder}; name a set, such as --uiprmd, or its folder with FITMOTION_DATA")
        with progress_bar("converting", quiet=False) as progress:
            rows, left_out = prepare(out, chosen, parameters, progress)
        if sheet is not None:
            _draw_sheet(sheet, rows)
    except (ValueError, OSError) as error:
        fail(str(error))
    _print_summary(rows)
    for sentence in left_out:
        typer.echo(f"left out: {sentence}")


def _recorded(rows: "list[MotionRow]") -> "list[MotionRow]":
    return [row for row in rows if not row.mirrored and row.speed == 1.0]


def _print_summary(rows: "list[MotionRow]") -> None:
    """A line a set and action: who did it how often, how it was graded, and how long all of it is."""
    from rich.console import Console
    from rich.table import Table

    title = "graded by our rubric; mirror images and other speeds are not counted"
    table = Table(title=title, box=None, pad_edge=False)
    for name in ("set", "action", "style"):
        table.add_column(name, no_wrap=True)
    for name in ("people", "clips", "3", "2", "1", "none", "min"):
        table.add_column(name, justify="right", no_wrap=True)
    groups: dict[tuple[str, str, str], list[MotionRow]] = {}
    for row in _recorded(rows):
        groups.setdefault((row.source, row.action, row.style or ""), []).append(row)
    for names, group in groups.items():
        scores = [sum(row.score == score for row in group) for score in (3, 2, 1, None)]
        minutes = sum(row.seconds for row in group) / 60.0
        counts = (len({row.person for row in group}), len(group), *scores)
        table.add_row(*names, *(str(count) for count in counts), f"{minutes:.1f}")
    Console().print(table)
    whole = sum(row.seconds for row in rows) / 60.0
    typer.echo(f"{len(_recorded(rows))} motions, {len(rows)} with mirror images and other speeds, {whole:.0f} minutes")


def _draw_sheet(path: Path, rows: "list[MotionRow]") -> None:
    """A strip for each set, action, style and score."""
    import cv2

    from fitmotion_models.viewer.strips import draw_strip, stack_strips

    kinds = {(row.source, row.action, row.style, row.score): row for row in reversed(_recorded(rows))}
    strips = []
    for row in sorted(kinds.values(), key=lambda row: (row.source, row.action, row.style or "", row.score or 0)):
        words = (row.action, row.style, row.side, f"score {row.score}" if row.score else None)
        title = f"{' '.join(word for word in words if word)} ({row.id}, {row.seconds:.1f} s)"
        strips.append(draw_strip(row.load(), 10, title=title, height=140))
    if not cv2.imwrite(str(path), stack_strips(strips)):
        raise OSError(f"the sheet {path} can't be written")
