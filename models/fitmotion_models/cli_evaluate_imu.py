"""`fitmotion evaluate imu`: virtual sensors beside real ones, beside other methods, and what they are good for."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated, Any

import typer

from fitmotion_models.cli_evaluate import evaluate
from fitmotion_models.cli_tools import fail, progress_bar, ready_to_train

PARTS = ("broad", "utd", "noise", "har", "speed")
Bar = Callable[[str], AbstractContextManager[Callable[[int, int | None], None] | None]]


@evaluate.command("imu")
def evaluate_imu(
    broad: Annotated[Path | None, typer.Option(help="BROAD's trials (.mat).", metavar="DIR")] = None,
    utd: Annotated[Path | None, typer.Option(help="UTD-MHAD's folder or archive.", metavar="DIR")] = None,
    cmu: Annotated[Path | None, typer.Option(help="CMU's recordings, for the walks with noise.", metavar="DIR")] = None,
    only: Annotated[
        str, typer.Option(help=f"Only these parts, joined by commas: {', '.join(PARTS)}.", metavar="LIST")
    ] = "",
    data: Annotated[
        Path | None,
        typer.Option(help="Folder that holds the three under their usual names.", envvar="FITMOTION_DATA"),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="har with few persons and one seed: to see that it runs.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
    plot: Annotated[Path | None, typer.Option(help="Draw the curve over noise (.png, .svg, .pdf).")] = None,
) -> None:
    """How true virtual sensors are, beside real sensors and other methods, and what they are worth.

    broad: an inertial sensor in an optical volume, at 57 and 29 frames a second; nothing of ours is chosen on the trial
    that is judged. utd: a Kinect's squats, lunges and rises from a chair beside a sensor on the thigh, calibrated on
    other persons. noise: recorded walks with more and more noise in the poses. har: activities recognised after
    learning from virtual and real recordings. speed: times real time, and memory over an hour. Without --only
    everything whose data are there; each takes some minutes.

    Examples:

      fitmotion evaluate imu --broad BROAD/ --utd utd-mhad.tar.xz --json > imu.json

      fitmotion evaluate imu --only broad,speed

      fitmotion evaluate imu --only noise --plot noise.png
    """
    folder = data or Path(__file__).resolve().parents[3] / "shared" / "data"
    usual = {
        "broad": folder / "broad",
        "utd": folder / "utd-mhad-s1-s7.tar.xz",
        "noise": folder / "cmu-01-03.tar.xz",
    }
    given = {"broad": broad, "utd": utd, "noise": cmu}
    sources = {name: given[name] or path for name, path in usual.items()} | {"har": utd or usual["utd"]}
    try:
        wanted = _wanted(only, sources, {name for name, path in given.items() if path is not None})
        if plot is not None:
            from fitmotion_models.viewer.agreement_picture import check_picture_path

            check_picture_path(plot)
            if "noise" not in wanted:
                raise ValueError(f"--plot {plot} draws the curve over noise; it needs the part noise")
        if "har" in wanted:
            ready_to_train()
        found = {
            part: _measured(part, sources, quick, lambda label: progress_bar(label, quiet=as_json)) for part in wanted
        }
        if plot is not None:
            from fitmotion_models.viewer.imu_noise_picture import save_imu_noise_picture

            save_imu_noise_picture(plot, found["noise"])
    except (ValueError, RuntimeError, OSError) as error:
        fail(str(error))
    from fitmotion_models.evaluation.imu_report import as_text

    typer.echo(json.dumps(found, indent=2, allow_nan=False) if as_json else as_text(found))


def _wanted(only: str, sources: dict[str, Path], given: set[str]) -> list[str]:
    """The parts to measure, in order: those that are named, else those whose data are there or were named."""
    named = [part.strip() for part in only.split(",") if part.strip()]
    unknown = [part for part in named if part not in PARTS]
    if unknown:
        raise ValueError(f"--only {', '.join(unknown)} is unknown; known: {', '.join(PARTS)}")
    missing = [part for part in named or given if part in sources and not sources[part].exists()]
    if missing:
        raise ValueError(
            f"{sources[missing[0]]} is not there, which {missing[0]} needs; give its set, or name other parts by --only"
        )
    if named:
        return [part for part in PARTS if part in named]
    left_out = [part for part in PARTS if part in sources and not sources[part].exists()]
    if left_out:
        typer.echo(f"left out, as their data are not there: {', '.join(left_out)}", err=True)
    return [part for part in PARTS if part not in left_out]


def _measured(part: str, sources: dict[str, Path], quick: bool, bar: Bar) -> Any:
    """One part's figures; what it needs is imported when it is asked for."""
    with bar(part) as progress:
        if part == "broad":
            from fitmotion_models.evaluation.imu_broad import broad_figures

            return broad_figures(sources["broad"], progress)
        if part == "utd":
            from fitmotion_models.evaluation.imu_utd import utd_figures

            return utd_figures(sources["utd"], progress)
        if part == "noise":
            from fitmotion_models.evaluation.imu_noise import noise_figures, read_walks

            return noise_figures(read_walks(sources["noise"]), progress)
        if part == "har":
            from fitmotion_models.evaluation.activity_report import activity_figures
            from fitmotion_models.training.activity_learner import ActivityLearnerOfOurs

            return activity_figures(sources["har"], ActivityLearnerOfOurs(), quick=quick, progress=progress)
        from fitmotion_models.evaluation.imu_speed import speed_figures

        return speed_figures(progress)
