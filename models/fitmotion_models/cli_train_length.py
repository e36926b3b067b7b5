"""`fitmotion train length`: how long a described motion takes."""

from pathlib import Path
from typing import Annotated

import typer

from fitmotion_models.cli_scorers import train
from fitmotion_models.cli_tools import fail, progress_bar


@train.command("length")
def train_length(
    motion_set: Annotated[Path, typer.Option("--set", help="Folder made by `data prepare`.", metavar="DIR")],
    out: Annotated[
        Path | None, typer.Option(help="For the file and its card. Default: the weights that ship.", metavar="DIR")
    ] = None,
    fold: Annotated[str, typer.Option(help="Whose recordings are counted: first or swapped.")] = "first",
    encoder: Annotated[
        str, typer.Option(help="The text encoder: minilm, clip:NAME, sentence-t5:NAME, sentence:NAME.", metavar="NAME")
    ] = "minilm",
    non_commercial: Annotated[
        bool, typer.Option("--non-commercial", help="Count the set's non-commercial clips too; the card then says so.")
    ] = False,
) -> None:
    """Make the lengths that motions get when none is asked for, from the recordings of a motion set.

    Prints how well they foretell the lengths of persons that were left out, beside the histogram of all recordings.
    Takes about two minutes.

    Examples:

      fitmotion train length --set runs/motion_set
    """
    from fitmotion_models import weights
    from fitmotion_models.datasets.motion_set import read_motion_set
    from fitmotion_models.motion.text import load_text_encoder
    from fitmotion_models.training.motion_length import LengthRecipe, train_lengths

    options = "".join((f" --encoder {encoder}" * (encoder != "minilm"), " --non-commercial" * non_commercial))
    try:
        rows = [row for row in read_motion_set(motion_set) if non_commercial or not row.non_commercial]
        with progress_bar("settings", quiet=False) as progress:
            path, figures = train_lengths(
                rows,
                load_text_encoder(encoder),
                LengthRecipe(fold=fold),
                out or Path(weights.__file__).parent,
                command=f"./fitmotion train length --set runs/motion_set --fold {fold}{options}",
                progress=progress,
            )
    except (ValueError, OSError) as error:
        fail(str(error))
    typer.echo(
        f"log density at {figures.recordings} lengths of others: words {figures.words:.3f}, words and grade "
        f"{figures.score_too:.3f}, histogram of all recordings {figures.everything:.3f} nats"
    )
    typer.echo(f"written: {path}, {path.with_suffix('.yaml').name}")
