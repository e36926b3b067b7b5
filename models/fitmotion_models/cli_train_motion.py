"""`fitmotion train motion`: the stream model, from a prepared motion set to weights that ship."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from fitmotion_models.cli_scorers import train
from fitmotion_models.cli_tools import fail, progress_bar, ready_to_train


class StageChoice(StrEnum):
    """The stages; all: base and scores, which is what ships."""

    ALL = "all"
    BASE = "base"
    SCORES = "scores"
    DISTILLED = "distilled"


@train.command("motion")
def train_motion(
    motion_set: Annotated[Path, typer.Option("--set", help="Folder made by `data prepare`.", metavar="DIR")],
    out: Annotated[Path, typer.Option(help="Folder of checkpoints, logs and plots.", metavar="DIR")] = Path(
        "runs/motion"
    ),
    stage: Annotated[StageChoice, typer.Option(help="Which stage; each goes on from the one before.")] = (
        StageChoice.ALL
    ),
    start: Annotated[
        str | None,
        typer.Option(
            help="Go on with the scores from weights (name, folder or file) instead of training a base.",
            metavar="NAME",
        ),
    ] = None,
    size: Annotated[str, typer.Option(help="small: what ships; large: for a GPU.")] = "small",
    fold: Annotated[str, typer.Option(help="Which half of the persons generates: first or swapped.")] = "first",
    steps: Annotated[int | None, typer.Option(help="Steps of each stage; default: the recipe's.", min=1)] = None,
    minutes: Annotated[
        list[float] | None,
        typer.Option(help="At most so long for a stage; one figure, or one a stage (repeat the option)."),
    ] = None,
    batch: Annotated[int | None, typer.Option(help="Windows a step; default: the recipe's.", min=1)] = None,
    seed: Annotated[int, typer.Option(help="Of everything random.", min=0)] = 0,
    device: Annotated[str, typer.Option(help="cpu, cuda, or auto.")] = "auto",
    threads: Annotated[int, typer.Option(help="Of the CPU; 0: all cores.", min=0)] = 0,
    compiled: Annotated[
        bool,
        typer.Option("--compile", help="By torch's compiler (needs a C++ compiler): a third faster, after minutes."),
    ] = False,
    non_commercial: Annotated[
        bool, typer.Option("--non-commercial", help="Use the set's non-commercial clips too; the card then says so.")
    ] = False,
    name: Annotated[
        str | None, typer.Option(help="At the end, write weights of this name and their card.", metavar="NAME")
    ] = None,
    weights: Annotated[
        Path | None, typer.Option(help="Folder for them; default: where the shipped weights lie.", metavar="DIR")
    ] = None,
) -> None:
    """Train the motion model: base (words), scores (FMS scores, three ways at once); distilled on demand.

    The distilled stage makes guidance one pass, for machines that need it: it wants many hours of two cores, or a GPU.

    Stop it with Ctrl-C and start it again: it goes on. On two cores a stage takes an hour or so, on an H200 minutes.
    Beside each checkpoint lie a log (CSV) and a plot. The first time it installs what training needs.

    Examples:

      fitmotion data prepare --out runs/motion_set

      fitmotion train motion --set runs/motion_set --name motion_stream

      fitmotion train motion --set runs/motion_set --minutes 40 --minutes 30

      fitmotion train motion --set runs/motion_set --start motion_stream --out runs/motion_longer

      fitmotion train motion --set runs/motion_set --size large --device cuda --out runs/motion_large
    """
    ready_to_train()
    from fitmotion_models.training.motion_pipeline import MotionTraining, run_training

    stages = [StageChoice.SCORES.value] if start else [StageChoice.BASE.value, StageChoice.SCORES.value]
    chosen = stages if stage is StageChoice.ALL else [stage.value]
    try:
        job = MotionTraining(
            motion_set=motion_set,
            out=out,
            stages=tuple(chosen),
            start=start,
            size=size,
            minutes=tuple(minutes or ()),
            device=device,
            threads=threads,
            compiled=compiled,
            non_commercial=non_commercial,
            changes={"fold": fold, "steps": steps, "batch": batch, "seed": seed},
        )
        written = run_training(
            job, lambda label: progress_bar(label, quiet=False), say=typer.echo, name=name, weights=weights
        )
    except (ValueError, OSError) as error:
        fail(str(error))
    except KeyboardInterrupt:
        fail(f"interrupted; what was learned is in {out}: the same command goes on", 130)
    for path in written:
        typer.echo(f"written: {path}")
