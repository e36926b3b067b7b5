"""`fitmotion imu calibrate`: virtual sensors made like real ones that were worn at the same time."""

import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fitmotion_models.cli_tools import fail, progress_bar

if TYPE_CHECKING:
    from fitmotion_models.datasets.calibration_pairs import CalibrationFiles
    from fitmotion_models.imu.calibration import Calibration, CalibrationPair

_LONGEST_LAG_S = 10.0


def calibrate(
    virtual: Annotated[
        Path, typer.Option(help="What virtual sensors read: a table, a folder of tables, a data set.", metavar="PATH")
    ],
    real: Annotated[Path, typer.Option(help="What real ones read of the same movements, likewise.", metavar="PATH")],
    out: Annotated[
        Path, typer.Option("-o", "--out", help="The calibration to write, .npz.", metavar="FILE.npz")
    ] = Path("calibration.npz"),
    method: Annotated[str, typer.Option(help="rotation, affine, rank or all; see above.")] = "all",
    persons: Annotated[
        str, typer.Option(help="Learn from these only, joined by commas. Default: all but --judge.", metavar="LIST")
    ] = "",
    judge: Annotated[
        str, typer.Option(help="Judge it on these. Default: all that are not learned from.", metavar="LIST")
    ] = "",
    force_leak: Annotated[
        bool, typer.Option("--force-leak", help="Judge it on persons that it is learned from all the same.")
    ] = False,
    person: Annotated[str, typer.Option(help="Whose recordings these are, where no file tells.", metavar="NAME")] = "",
    activity: Annotated[str, typer.Option(help="What is done in them, where no file tells.", metavar="NAME")] = "",
    site: Annotated[
        str, typer.Option(help="Where the real sensor sits, where its table has no column site.", metavar="NAME")
    ] = "",
    longest_lag: Annotated[
        float, typer.Option(help="How far apart the two clocks may be; 0: they are one.", metavar="SECONDS")
    ] = 0.5,
    plot: Annotated[
        Path | None, typer.Option(help="Draw real, virtual and calibrated (.png, .svg, .pdf).", metavar="FILE")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that are there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Make virtual sensors like real ones that the same person wore at the same time.

    First it finds how the real sensor is turned on its strap and how late it is. Then, by --method: affine gives each
    axis the real one's mean and spread; rank each axis the real distribution, for every activity its own; all does
    both; rotation neither.

    A real table is a CSV with one line a sample: seconds, specific_force_x, _y, _z and angular_velocity_x, _y, _z, and
    if there are more of them also subject and site. Numbers are SI, or in the unit that stands in square brackets
    behind the column's name: g, mg, deg/s, ms. Its first line may be # {"activity": "squat"}. Tables of `imu -o` are
    read too. In folders, what has the same name belongs together.

    The file remembers the persons, files, method and versions it comes from. Who is learned from is not judged: keep
    persons out with --persons or --judge. `synthesize --calibration` applies it. Exit code 2: something that was given
    can't be used.

    Examples:

      fitmotion imu squat.mp4 --sites right_thigh -o virtual.csv
      fitmotion imu calibrate --virtual virtual.csv --real worn.csv --person anna --plot before_after.png

      fitmotion imu calibrate --virtual run/ --real worn/ --method rank --judge s07,s08 -o thigh.npz --json
    """
    try:
        _check(out, plot, method, longest_lag, overwrite=overwrite)
        from fitmotion_models.datasets.calibration_pairs import read_pairs
        from fitmotion_models.imu.calibration import Calibration

        with progress_bar("reading", quiet=as_json):
            files = read_pairs(virtual, real, person=person, activity=activity, site=site)
        learned, judged = _split(files.pairs, _names(persons), _names(judge), force_leak=force_leak)
        with progress_bar("fitting", quiet=as_json):
            calibration = Calibration.fit(learned, method, longest_lag_s=longest_lag, files=files.hashes)
        if judged:
            calibration.refuse_leak([pair.person for pair in judged], force=force_leak)
        found = _summary(calibration, files, judged or learned, test=bool(judged))
        if plot is not None:
            _draw(plot, (judged or learned)[0], calibration, test=bool(judged))
        calibration.save(out, overwrite=overwrite)
        found["files"] = [str(out), *([str(plot)] if plot is not None else [])]
    except (ValueError, RuntimeError, OSError) as error:
        fail(str(error))
    if as_json:
        sys.stdout.write(json.dumps(found, indent=2, allow_nan=False) + "\n")
    else:
        _show(found)


def _check(out: Path, plot: Path | None, method: str, longest_lag: float, *, overwrite: bool) -> None:
    """Before minutes of work: whether the results can be written and the settings are some."""
    from fitmotion_models.imu.calibration import METHODS
    from fitmotion_models.viewer.imu_picture import PICTURE_SUFFIXES

    if method not in METHODS:
        raise ValueError(f"--method {method!r} is unknown; known: {', '.join(METHODS)}")
    if not (math.isfinite(longest_lag) and 0.0 <= longest_lag <= _LONGEST_LAG_S):
        raise ValueError(f"--longest-lag {longest_lag:g} is out of range; allowed: 0 to {_LONGEST_LAG_S:g} seconds")
    if out.suffix != ".npz":
        raise ValueError(f"{out}: a calibration's name ends in .npz")
    if plot is not None and plot.suffix.lower() not in PICTURE_SUFFIXES:
        raise ValueError(f"{plot}: a picture's name ends in {', '.join(PICTURE_SUFFIXES)}")
    for path in (out, plot):
        if path is not None and path.exists() and not overwrite:
            raise ValueError(f"{path} exists already; choose another name or add --overwrite")
        if path is not None and not path.parent.is_dir():
            raise ValueError(f"{path}: no folder {path.parent}; make it first")


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _split(
    pairs: "tuple[CalibrationPair, ...]", persons: list[str], judge: list[str], *, force_leak: bool
) -> "tuple[list[CalibrationPair], list[CalibrationPair]]":
    """Whose pairs are learned from, and whose are judged."""
    known = {pair.person for pair in pairs}
    unknown = sorted({*persons, *judge} - known)
    if unknown:
        raise ValueError(f"nothing is there of {', '.join(unknown)}; there are {', '.join(sorted(known))}")
    both = sorted(set(persons) & set(judge))
    if both and not force_leak:
        raise ValueError(
            f"{', '.join(both)} would be learned from and judged: that is a leak; leave them out of --persons or "
            "--judge, or add --force-leak"
        )
    learned = set(persons) or (known - set(judge) if not force_leak or known - set(judge) else known)
    judged = set(judge) or known - learned
    if not learned:
        raise ValueError(f"--judge {','.join(judge)} leaves nobody to learn from; name fewer, or add --force-leak")
    return [pair for pair in pairs if pair.person in learned], [pair for pair in pairs if pair.person in judged]


def _summary(
    calibration: "Calibration", files: "CalibrationFiles", shown: "list[CalibrationPair]", *, test: bool
) -> dict[str, Any]:
    from dataclasses import asdict

    from fitmotion_models.evaluation.imu_calibration import before_and_after
    from fitmotion_models.imu.calibration import CHANNELS

    figures = before_and_after(shown, calibration)
    people = sorted({pair.person for pair in shown})
    sites = {}
    for site, sensor in calibration.sensors.items():
        sites[site] = {
            "rotation_xyzw": [round(float(value), 6) for value in sensor.rotation],
            "lag_ms": round(1e3 * sensor.lag_s, 2),
            "score": round(sensor.score, 4),
            "scale": {name: round(float(value), 4) for name, value in zip(CHANNELS, sensor.scale, strict=True)},
            "bias": {name: round(float(value), 4) for name, value in zip(CHANNELS, sensor.bias, strict=True)},
            "activities_with_ranks": [name for name in sensor.ranks if name],
            **figures.get(site, {}),
        }
    return {
        "method": calibration.provenance.method,
        "provenance": asdict(calibration.provenance),
        "judged_on": people,
        "is_test": test,
        "leak": sorted(set(people) & set(calibration.persons)) if test else [],
        "without_partner": list(files.alone),
        "sites": sites,
    }


def _draw(plot: Path, pair: "CalibrationPair", calibration: "Calibration", *, test: bool) -> None:
    from fitmotion_models.viewer.imu_calibration_picture import save_calibration_picture

    site = next(site for site in calibration.sensors if site in pair.sites)
    words = [site.replace("_", " "), pair.person, *([pair.activity] if pair.activity else [])]
    kind = "calibrated on others" if test and pair.person not in calibration.persons else "learned from this person"
    partial = plot.with_name(f".{plot.name}.part")
    try:
        save_calibration_picture(
            partial, pair, calibration, site, f"{', '.join(words)}: {kind}", format=plot.suffix[1:].lower()
        )
        partial.replace(plot)
    finally:
        partial.unlink(missing_ok=True)


def _show(found: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    told = found["provenance"]
    console.print(
        f"{found['method']}: learned from {told['pairs']} recordings, {told['seconds']:.0f} s, of "
        f"{', '.join(told['persons'])}",
        highlight=False,
        soft_wrap=True,
    )
    view = Table("site", box=None, pad_edge=False, header_style="bold")
    for name in ("lag, ms", "force r", "RMSE, m/s2", "rate r", "RMSE, rad/s"):
        view.add_column(name, justify="right")
    for site, numbers in found["sites"].items():
        cells = [
            " > ".join(_number(numbers.get(when, {}).get(figure)) for when in ("before", "after"))
            for figure in ("acc_r", "acc_rmse", "gyro_r", "gyro_rmse")
        ]
        view.add_row(site, f"{numbers['lag_ms']:.1f}", *cells)
    console.print(view)
    if found["leak"]:
        console.print(f"A leak that was forced: {', '.join(found['leak'])} were learned from and judged.")
    elif found["is_test"]:
        console.print(f"Judged on {', '.join(found['judged_on'])}, who were not learned from.", highlight=False)
    else:
        console.print("Nobody was left out: these figures are of those that were learned from, and no test.")
    if found["without_partner"]:
        console.print(f"Without a partner: {', '.join(found['without_partner'])}", highlight=False, soft_wrap=True)
    for file in found["files"]:
        console.print(f"written: {file}", highlight=False, soft_wrap=True)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
