"""`fitmotion evaluate fms` and `fitmotion train scorer`: learned scorers on UI-PRMD."""

import json
import os
import re
from pathlib import Path
from typing import Annotated

import typer

from fitmotion_models.cli_evaluate import evaluate
from fitmotion_models.cli_tools import fail, progress_bar, ready_to_train

# The data that this project is trained on; beside the checkout where nothing else is said.
DATA_FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data"

Uiprmd = Annotated[
    Path | None,
    typer.Option(help="UI-PRMD, a folder or a tar archive. Default: in the folder FITMOTION_DATA.", metavar="DIR"),
]
Subjects = Annotated[
    list[str] | None, typer.Option(help="Only these persons, such as s01 s02 s03. Default: all there are.")
]
EXTRA_WORDS = {"allow_extra_args": True}

train = typer.Typer(no_args_is_help=True, help="Make what ships from data, by its recipe.")


@evaluate.command("fms", context_settings=EXTRA_WORDS)
def evaluate_fms(
    context: typer.Context,
    uiprmd: Uiprmd = None,
    subjects: Subjects = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
    seed: Annotated[int, typer.Option(help="Of everything random.", min=0)] = 0,
    report: Annotated[
        Path | None, typer.Option(help="Draw it too, person by person (.png, .svg, .pdf).", metavar="FILE")
    ] = None,
) -> None:
    """Compare scorers on persons that they have not seen: rules, LSTM, our best, and two baselines.

    Nested cross-validation over persons: each is left out in turn, and every choice is made on the others. m01 deep
    squat, m02 hurdle step, m03 in-line lunge, m06 standing leg raise; labels are correct and incorrect. Takes about
    ten minutes on two cores for eight persons. The first time it installs what training needs.

    Examples:

      fitmotion evaluate fms --uiprmd uiprmd-s01-s08.tar.xz --json

      fitmotion evaluate fms --subjects s01 s02 s03 s04
    """
    persons = persons_of(subjects, context.args)
    ready_to_train()
    try:
        from fitmotion_models.training.scorer_crossvalidation import cross_validate
        from fitmotion_models.training.scorer_data import read_scorer_table
        from fitmotion_models.training.scorer_report import as_dict, as_text

        if report is not None:
            from fitmotion_models.viewer.agreement_picture import check_picture_path

            check_picture_path(report)
        source = uiprmd_source(uiprmd)
        with progress_bar("reading", quiet=as_json) as progress:
            table = read_scorer_table(source, persons, progress)
        with progress_bar("persons", quiet=as_json) as progress:
            folds = cross_validate(table, seed, progress=progress)
        found = as_dict(table, folds, seed) | {"source": str(source)}
        if report is not None:
            from fitmotion_models.viewer.scorer_picture import save_scorer_picture

            save_scorer_picture(report, found)
    except (ValueError, OSError) as error:
        fail(str(error))
    typer.echo(json.dumps(found, indent=2, allow_nan=False) if as_json else as_text(found))


@train.command("scorer", context_settings=EXTRA_WORDS)
def train_scorer(
    context: typer.Context,
    uiprmd: Uiprmd = None,
    subjects: Subjects = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for networks and cards. Default: the weights that ship.", metavar="DIR")
    ] = None,
    figures: Annotated[
        Path | None, typer.Option(help="What `evaluate fms --json` printed, for the cards.", metavar="FILE.json")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of everything random.", min=0)] = 0,
) -> None:
    """Train the learned scorers on all persons and write them as networks (ONNX), each with its card.

    A test whose network is there with the same recipe, data and seed is left as it is, so that an interrupted run goes
    on. Takes three minutes.

    Examples:

      fitmotion evaluate fms --json > fms.json; fitmotion train scorer --figures fms.json
    """
    persons = persons_of(subjects, context.args)
    ready_to_train()
    try:
        from fitmotion_models.training.scorer_data import read_scorer_table
        from fitmotion_models.training.scorer_recipe import ScorerRecipe, train_scorers

        source = uiprmd_source(uiprmd)
        measured = None if figures is None else json.loads(figures.read_text(encoding="utf-8"))
        with progress_bar("reading", quiet=False) as progress:
            table = read_scorer_table(source, persons, progress)
        with progress_bar("tests", quiet=False) as progress:
            written = train_scorers(table, ScorerRecipe(seed=seed), out, measured, progress)
    except (ValueError, OSError) as error:
        fail(str(error))
    for path in written:
        typer.echo(f"written: {path}")


@train.command("normal-bands", context_settings=EXTRA_WORDS)
def train_normal_bands(
    context: typer.Context,
    uiprmd: Uiprmd = None,
    subjects: Subjects = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the file. Default: the weights that ship.", metavar="DIR")
    ] = None,
) -> None:
    """Make the bands of correct repetitions that reports show behind a person's curves. Takes half a minute.

    Examples:

      fitmotion train normal-bands --uiprmd uiprmd-s01-s08.tar.xz
    """
    from fitmotion_models import weights
    from fitmotion_models.training.normal_bands import make_normal_bands, save_normal_bands

    persons = persons_of(subjects, context.args)
    try:
        with progress_bar("reading", quiet=False) as progress:
            bands, counts = make_normal_bands(uiprmd_source(uiprmd), persons=persons, progress=progress)
        written = save_normal_bands(out or Path(weights.__file__).parent, bands, counts)
    except (ValueError, OSError) as error:
        fail(str(error))
    for movement, count in counts.items():
        typer.echo(f"{movement}: {count.repetitions} repetitions of {count.persons} persons")
    typer.echo(f"written: {written}")


def persons_of(options: list[str] | None, further: list[str]) -> list[str] | None:
    """The persons named, after one --subjects or several, with spaces or commas between them; None: all."""
    words = [word for one in (*(options or ()), *further) for word in re.split(r"[,\s]+", one) if word]
    for word in words:
        if not re.fullmatch(r"s\d\d", word) or not options:
            fail(f"'{word}' is no person of UI-PRMD; after --subjects come names such as s01 s02 s03")
    return list(dict.fromkeys(words)) or None


def uiprmd_source(given: Path | None) -> Path:
    """The folder or archive to read: what was given, or what is in FITMOTION_DATA. Raises ValueError for neither."""
    if given is not None:
        archives = sorted(given.glob("uiprmd*.tar*")) if given.is_dir() else []
        return archives[0] if archives else given
    folder = Path(os.environ.get("FITMOTION_DATA", DATA_FOLDER))
    # by its name only: a folder searched to the bottom may hold somebody's half copy
    found = sorted((*folder.glob("uiprmd*.tar*"), *(one for one in folder.glob("uiprmd*") if one.is_dir())))
    if not found:
        raise ValueError(
            f"no uiprmd* in {folder}; name UI-PRMD's folder or archive with --uiprmd, or the folder that holds it with "
            "FITMOTION_DATA"
        )
    return found[0]
