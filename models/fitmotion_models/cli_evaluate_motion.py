"""`fitmotion evaluate motion` and `fitmotion train judges`: generated motion, measured and judged."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fitmotion_models.cli_evaluate import evaluate
from fitmotion_models.cli_scorers import train
from fitmotion_models.cli_tools import fail, progress_bar, ready_to_train

if TYPE_CHECKING:
    from fitmotion_models.datasets.motion_set import MotionRow
    from fitmotion_models.evaluation.motion_report import EvaluationSizes
    from fitmotion_models.evaluation.motion_requests import Model
    from fitmotion_models.motion.sampler import MotionSampler

MotionSet = Annotated[Path, typer.Option("--set", help="Folder made by `data prepare`.", metavar="DIR")]
Judges = Annotated[
    Path | None, typer.Option(help="Folder of the judges. Default: `judges` in the motion set's.", metavar="DIR")
]
Bar = Callable[[str], AbstractContextManager[Callable[[int, int | None], None] | None]]


@train.command("judges")
def train_fms_judges(
    motion_set: MotionSet,
    fold: Annotated[str, typer.Option(help="Whose judging persons to learn from: first or swapped.")] = "first",
    out: Judges = None,
    seed: Annotated[int, typer.Option(help="Of everything random.", min=0)] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Train the judges of a fold, which say 1, 2 or 3 of a squat, a step over a hurdle or a lunge, and measure them.

    Printed is how often they are right on persons whom they never saw: more cannot be asked of generated motion. Takes
    some minutes on one core. `evaluate motion` does it too where they are missing.

    Examples:

      fitmotion train judges --set runs/motion_set

      fitmotion train judges --set runs/motion_set --fold swapped --json
    """
    ready_to_train()
    import numpy as np

    from fitmotion_models.datasets.motion_set import read_motion_set
    from fitmotion_models.datasets.splits import rows_for
    from fitmotion_models.evaluation.fms_judges import consistency
    from fitmotion_models.training.fms_judges import graded_rows, judged_rows, train_judges

    folder = out or motion_set / "judges"
    try:
        rows = read_motion_set(motion_set)
        with progress_bar("judges", quiet=as_json) as progress:
            judges = train_judges(rows, fold, folder, seed=seed, progress=progress)
        with progress_bar("unseen persons", quiet=as_json) as progress:
            unseen = judged_rows(graded_rows(rows_for(rows, "generator", fold), mirrored=False), progress)
        found = {name: consistency(judge, unseen, np.random.default_rng(seed)) for name, judge in judges.items()}
    except (ValueError, OSError) as error:
        fail(str(error))
    if as_json:
        typer.echo(json.dumps({"fold": fold, "ceiling": found}, indent=2, allow_nan=False))
        return
    for name, one in found.items():
        low, high = one["ci95"]
        typer.echo(f"{name}: {one['accuracy']:.3f} ({low:.3f} to {high:.3f}) on {one['groups']} unseen persons")
    typer.echo(f"written: {folder}")


@evaluate.command("motion")
def evaluate_motion(
    motion_set: MotionSet = Path("runs/motion_set"),
    weights: Annotated[
        str, typer.Option(help="Weights that ship, by name, or a folder of `train motion`.", metavar="NAME")
    ] = "motion_stream",
    all_steps: Annotated[bool, typer.Option("--all-steps", help="The network in all its four steps.")] = False,
    base: Annotated[
        str | None,
        typer.Option(
            help="Weights of the base model (name, folder, or base.pt). Default: the same weights, told no score.",
            metavar="NAME",
        ),
    ] = None,
    fold: Annotated[str, typer.Option(help="In which fold the weights' persons generate: first or swapped.")] = "first",
    evaluator: Annotated[
        str, typer.Option(help="What measures: own (the fold's), an .onnx file, or the official one's folder.")
    ] = "own",
    judges: Judges = None,
    text_guidance: Annotated[float | None, typer.Option(help="Default: the weights' own.")] = None,
    score_guidance: Annotated[float | None, typer.Option(help="Default: the weights' own.")] = None,
    per_grade: Annotated[int | None, typer.Option(help="Motions of each test and grade. Default: 50.", min=2)] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Few of everything: to see that it runs.")] = False,
    seed: Annotated[int, typer.Option(help="Of everything random.", min=0)] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
    plot: Annotated[Path | None, typer.Option(help="Draw the confusion matrices (.png, .svg, .pdf).")] = None,
    strips: Annotated[
        Path | None, typer.Option(help="Draw each action at 1, 2, 3 beside recordings, and end.", metavar="DIR")
    ] = None,
    sheet: Annotated[
        Path | None,
        typer.Option(help="Draw a blind sheet of recorded and generated motion, with a key, and end.", metavar="DIR"),
    ] = None,
) -> None:
    """How good generated motion is: the field's measures, the screen's grades as judges see them, real motion beside.

    Judges and evaluator learned from persons whom the generator never saw. Texts of the measures were never trained on.
    Every figure has its 95 % interval, chance and real motion's own. Takes an hour on one core; --quick some minutes.
    The first time it installs what training needs.

    Examples:

      fitmotion evaluate motion --quick

      fitmotion evaluate motion --json --plot confusion.png > motion.json

      fitmotion evaluate motion --base runs/motion/base.pt

      fitmotion evaluate motion --strips strips --sheet sheet
    """
    quiet = as_json or bool(strips or sheet)
    try:
        if plot is not None:
            from fitmotion_models.viewer.agreement_picture import check_picture_path

            check_picture_path(plot)
        from fitmotion_models.datasets.motion_set import read_motion_set

        rows = read_motion_set(motion_set)
        guidance = (text_guidance, score_guidance)
        if strips or sheet:
            for path in _draw(rows, fold, _models(weights, None, all_steps, guidance)["direct"], strips, sheet, seed):
                typer.echo(f"written: {path}")
            return
        ready_to_train()
        sizes = _sizes(per_grade, quick=quick)
        found = _evaluated(
            rows,
            fold,
            _models(weights, base, all_steps, guidance),
            evaluator,
            judges or motion_set / "judges",
            sizes,
            seed,
            lambda label: progress_bar(label, quiet=quiet),
        )
    except (ValueError, RuntimeError, OSError) as error:
        fail(str(error))
    if plot is not None:
        from fitmotion_models.viewer.consistency_picture import save_consistency_picture

        save_consistency_picture(plot, found["fms_consistency"])
    from fitmotion_models.evaluation.motion_report_text import as_text

    typer.echo(json.dumps(found, indent=2, allow_nan=False) if as_json else as_text(found))


def _sizes(per_grade: int | None, *, quick: bool) -> "EvaluationSizes":
    from fitmotion_models.evaluation.motion_report import QUICK, EvaluationSizes

    sizes = QUICK if quick else EvaluationSizes()
    return sizes if per_grade is None else replace(sizes, per_grade=per_grade)


def _models(
    weights: str, base: str | None, all_steps: bool, guidance: tuple[float | None, float | None]
) -> "dict[str, Model]":
    """The rows of the tables: the base model, and the three ways of telling a score."""
    from fitmotion_models.evaluation.motion_requests import Model
    from fitmotion_models.motion.condition import Conditioning
    from fitmotion_models.motion.generate import Generator

    text, score = guidance
    generator = Generator.load(weights, threads=1, guided=all_steps)
    unscored = generator if base is None else Generator(_base_sampler(base))
    ways = {"numerical": Conditioning.NUMERICAL, "textual": Conditioning.TEXTUAL, "direct": Conditioning.TOKEN}
    return {
        "base": Model(unscored, scored=False, text_guidance=text),
        **{name: Model(generator, way, text_guidance=text, score_guidance=score) for name, way in ways.items()},
    }


def _base_sampler(base: str) -> "MotionSampler":
    """The base stage's network; a checkpoint of training is exported for it first."""
    from fitmotion_models.motion.sampler import load_sampler

    if Path(base).suffix != ".pt":
        return load_sampler(base, threads=1, guided=True)
    ready_to_train()
    from fitmotion_models.training.motion_export import export_sampler, load_checkpoint

    network, _ = load_checkpoint(Path(base))
    with TemporaryDirectory() as folder:
        path = export_sampler(network.eval(), Path(folder) / "motion_base_guided.onnx", guided=True, metadata={})
        return load_sampler(path, threads=1, guided=True)


@train.command("guidance")
def train_guidance(
    motion_set: MotionSet,
    weights: Annotated[
        str, typer.Option(help="Weights that ship, by name, or a folder of `train motion`.", metavar="NAME")
    ] = "motion_stream",
    fold: Annotated[str, typer.Option(help="In which fold the weights' persons generate: first or swapped.")] = "first",
    judges: Judges = None,
    per_grade: Annotated[int, typer.Option(help="Motions of each test and grade, for each weight.", min=2)] = 20,
    seed: Annotated[int, typer.Option(help="Of everything random.", min=0)] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Choose how strongly words and score count by default, and write it onto the weights' card.

    Asked are judges and an evaluator that learned from the generator's own persons, so that those who judge later have
    no say. Chosen are, for every way of telling a score, the smallest weights with which they find as many grades as
    with the best, within its error, while motion stays as varied as in recordings. Takes some minutes.

    Examples:

      fitmotion train guidance --set runs/motion_set --weights motion_stream
    """
    ready_to_train()
    from dataclasses import asdict

    from fitmotion_models.datasets.motion_set import read_motion_set
    from fitmotion_models.datasets.splits import other_fold
    from fitmotion_models.motion.generate import Generator
    from fitmotion_models.motion.sampler import weights_file
    from fitmotion_models.training.fms_judges import train_judges
    from fitmotion_models.training.motion_guidance import choose_guidance, write_guidance

    try:
        rows, card = read_motion_set(motion_set), weights_file(weights).with_suffix(".yaml")
        with progress_bar("judges", quiet=as_json) as progress:
            asked = train_judges(rows, other_fold(fold), judges or motion_set / "judges", progress=progress)
        with progress_bar("weights", quiet=as_json) as progress:
            choice = choose_guidance(
                rows, fold, Generator.load(weights, threads=1), asked, per_grade=per_grade, seed=seed, progress=progress
            )
        write_guidance(card, choice)
    except (ValueError, RuntimeError, OSError) as error:
        fail(str(error))
    if as_json:
        typer.echo(json.dumps(asdict(choice), indent=2, allow_nan=False))
        return
    for one in choice.tried:
        said = {name: f"{value:.3g}" if isinstance(value, float) else value for name, value in one.items()}
        typer.echo(", ".join(f"{name} {value}" for name, value in said.items()))
    scores = ", ".join(f"{way} score {weight:g}" for way, weight in choice.score_guidance.items())
    typer.echo(f"text {choice.text_guidance:g}, {scores}")
    typer.echo(f"written: {card}")


def _draw(
    rows: "list[MotionRow]", fold: str, model: "Model", strips: Path | None, sheet: Path | None, seed: int
) -> list[Path]:
    from fitmotion_models.datasets.splits import rows_for
    from fitmotion_models.viewer.motion_sheets import write_blind_sheet, write_strips

    held, written = rows_for(rows, "judge", fold), []
    if strips is not None:
        with progress_bar("strips", quiet=False) as progress:
            written += write_strips(strips, held, model, seed=seed, progress=progress)
    if sheet is not None:
        with progress_bar("sheet", quiet=False) as progress:
            written += write_blind_sheet(sheet, held, model, seed=seed, progress=progress)
    return written


def _evaluated(
    rows: "list[MotionRow]",
    fold: str,
    models: "dict[str, Model]",
    evaluator: str,
    judges: Path,
    sizes: "EvaluationSizes",
    seed: int,
    bar: Bar,
) -> dict[str, Any]:
    from fitmotion_models.datasets.splits import other_fold
    from fitmotion_models.evaluation.motion_evaluator import load_motion_evaluator
    from fitmotion_models.evaluation.motion_report import MotionEvaluation
    from fitmotion_models.training.fms_judges import judged_rows, motion_frames, train_judges, train_on_generated

    measuring = load_motion_evaluator(fold if evaluator == "own" else evaluator)
    with bar("judges") as progress:
        trained = train_judges(rows, fold, judges, progress=progress)
        development = train_judges(rows, other_fold(fold), judges, progress=progress)
    return MotionEvaluation(
        rows=rows,
        fold=fold,
        models=models,
        judges=trained,
        development=development,
        learn=partial(train_on_generated, epochs=sizes.epochs) if sizes.epochs else None,
        read=judged_rows,
        frames=motion_frames,
        evaluator=measuring,
        sizes=sizes,
        seed=seed,
    ).run(bar)
