"""`fitmotion train evaluator`: the networks by which generated motion is measured, from a prepared motion set."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from fitmotion_models.cli_scorers import train
from fitmotion_models.cli_tools import fail, progress_bar, ready_to_train


@train.command("evaluator")
def train_motion_evaluator(
    motion_set: Annotated[Path, typer.Option("--set", help="Folder made by `data prepare`.", metavar="DIR")],
    fold: Annotated[str, typer.Option(help="Whose judging persons to learn from: first or swapped.")] = "first",
    out: Annotated[
        Path | None, typer.Option(help="Folder for network and card. Default: the weights that ship.", metavar="DIR")
    ] = None,
    steps: Annotated[int | None, typer.Option(help="Default: the recipe's.", min=1)] = None,
    seed: Annotated[int, typer.Option(help="Of everything random.", min=0)] = 0,
    non_commercial: Annotated[
        bool, typer.Option("--non-commercial", help="Use the set's non-commercial clips too; the card then says so.")
    ] = False,
) -> None:
    """Train the evaluator of a fold: it learns which words and motions belong together, from the judging persons only.

    Its figures (R-precision, FID, ...) compare models of this project with each other and with real motion; they do not
    stand beside published ones. Takes some minutes on one core. The first time it installs what training needs.

    Examples:

      fitmotion train evaluator --set runs/motion_set

      fitmotion train evaluator --set runs/motion_set --fold swapped
    """
    ready_to_train()
    from fitmotion_models.training.evaluator_export import EvaluatorJob, make_evaluator
    from fitmotion_models.training.motion_evaluator import EvaluatorRecipe

    try:
        recipe = EvaluatorRecipe(fold=fold, seed=seed, non_commercial=non_commercial)
        recipe = recipe if steps is None else replace(recipe, steps=steps)
        job = EvaluatorJob(motion_set, recipe, out)
        written = make_evaluator(job, lambda label: progress_bar(label, quiet=False))
    except (ValueError, OSError) as error:
        fail(str(error))
    for path in written:
        typer.echo(f"written: {path}")
