"""`fitmotion imu presets` and `fitmotion imu allan`: which sensors there are, and what one shows at rest."""

import json
import math
import sys
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fitmotion_models.cli_tools import fail, progress_bar

if TYPE_CHECKING:
    from fitmotion_models.imu.sensor_spec import SensorSpec

_KINDS = {"accelerometer": "m/s2", "gyroscope": "rad/s", "magnetometer": "T"}
_UNITS_OF_FIGURES = {
    "noise_density": "{}/sqrt(Hz)",
    "random_walk": "{}/sqrt(s)",
    "bandwidth_hz": "Hz",
    "bandwidth_share": "of the rate",
    "scale": "share",
    "cross_axis": "share",
    "misalignment": "rad",
    "bias_drift": "{}/K",
    "scale_drift": "share/K",
    "force_sensitivity": "{}/(m/s2)",
}
_LONGEST_H = 48.0


def presets(
    name: Annotated[str, typer.Argument(help="One of them: all its figures.", metavar="NAME")] = "",
    preset_file: Annotated[
        Path | None, typer.Option(help="Sensors of your own over those.", metavar="FILE.yaml")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """The sensors that can be simulated, and where their figures are from.

    Figures are in SI. What a data sheet does not give is simulated as perfect, and said here.

    Examples:

      fitmotion imu presets

      fitmotion imu presets mpu-9250

      fitmotion imu presets mine --preset-file mine.yaml --json
    """
    from fitmotion_models.imu.sensor_spec import load_presets, sensor_preset

    try:
        chosen = [sensor_preset(name, preset_file)] if name else list(load_presets(preset_file).values())
    except (ValueError, OSError) as error:
        fail(str(error))
    if as_json:
        found = {spec.name: _as_dict(spec) for spec in chosen}
        sys.stdout.write(json.dumps(found, indent=2, allow_nan=False) + "\n")
    elif name:
        _print_one(chosen[0])
    else:
        _print_all(chosen)


def allan(
    preset: Annotated[str, typer.Option(help="Which sensor, see `imu presets`.", metavar="NAME")],
    preset_file: Annotated[
        Path | None, typer.Option(help="Sensors of your own over those.", metavar="FILE.yaml")
    ] = None,
    hours: Annotated[float, typer.Option(help="How long it lies still.", metavar="H")] = 1.0,
    rate: Annotated[float, typer.Option(help="Samples a second.", metavar="HZ")] = 100.0,
    units: Annotated[int, typer.Option(help="So many of them, three axes each.", min=1, max=100)] = 4,
    seed: Annotated[int, typer.Option(help="The same seed gives the same noise.", min=0)] = 0,
    plot: Annotated[Path | None, typer.Option(help="Draw it (.png, .svg, .pdf).", metavar="FILE")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a picture that is there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """The Allan deviation of a simulated sensor at rest, and what it says of its noise.

    Noise densities are one-sided, as in data sheets: the Allan deviation of white noise is density / sqrt(2 tau), so at
    one second it reads the density divided by the root of 2, which is the angle or velocity random walk.

    Examples:

      fitmotion imu allan --preset xsens-dot --plot allan.png

      fitmotion imu allan --preset bmi270 --hours 4 --rate 200 --json
    """
    from fitmotion_models.imu.sensor_spec import sensor_preset

    try:
        if not (0.0 < hours <= _LONGEST_H and math.isfinite(rate) and rate > 0.0):
            raise ValueError(f"--hours {hours:g} --rate {rate:g}: give up to {_LONGEST_H:g} hours and a positive rate")
        spec = sensor_preset(preset, preset_file)
        _check_picture(plot, overwrite=overwrite)
        with progress_bar("lying still", quiet=as_json) as progress:
            curves = _curves(spec, rate, 3600.0 * hours, units, seed, progress)
        if plot is not None:
            from fitmotion_models.datasets.synthesis.files import WholeFile
            from fitmotion_models.viewer.allan_picture import save_allan_picture

            title = f"{spec.name}: {hours:g} h at rest, {rate:g} Hz, {units} units"
            with WholeFile(plot) as partial:
                save_allan_picture(partial, curves, title, format=plot.suffix[1:].lower())
    except (ValueError, OSError) as error:
        fail(str(error))
    found = _allan_as_dict(spec, curves, 3600.0 * hours)
    if as_json:
        sys.stdout.write(json.dumps(found, indent=2, allow_nan=False) + "\n")
    else:
        _print_allan(found)
        if plot is not None:
            typer.echo(f"written: {plot}")


# ---- presets ----


def _as_dict(spec: "SensorSpec") -> dict[str, Any]:
    triads = {kind: getattr(spec, kind) for kind in _KINDS}
    own = ("clock_drift", "clock_jitter", "packet_loss", "packet_burst", "warm_up", "warm_up_s")
    return {
        "part": spec.part,
        "document": spec.document,
        **{
            kind: None
            if triad is None
            else {name: value for name, value in asdict(triad).items() if math.isfinite(value)}
            for kind, triad in triads.items()
        },
        **{name: getattr(spec, name) for name in own},
        "origins": dict(spec.origins),
        "not_given": _not_given(spec),
    }


def _not_given(spec: "SensorSpec") -> list[str]:
    """The figures that are left out, so that the sensor is perfect in them."""
    from fitmotion_models.imu.sensor_spec import PERFECT, TriadSpec

    if spec.name == PERFECT:
        return []
    found = []
    for kind in _KINDS:
        triad = getattr(spec, kind)
        if triad is None:
            continue
        perfect = TriadSpec()
        for each in fields(triad):
            same = getattr(triad, each.name) == getattr(perfect, each.name)
            other = each.name == "force_sensitivity" and kind != "gyroscope"
            if same and not other and not each.name.startswith("bandwidth"):
                found.append(f"{kind}.{each.name}")
    return found


def _print_all(chosen: "list[SensorSpec]") -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("name", "part", box=None, pad_edge=False, header_style="bold")
    for words in ("force noise\nug/sqrt(Hz)", "rate noise\nmdps/sqrt(Hz)", "magnetometer"):
        table.add_column(words, justify="right")
    for spec in chosen:
        force = spec.accelerometer.noise_density / 9.80665e-6
        rate = math.degrees(spec.gyroscope.noise_density) * 1e3
        table.add_row(
            spec.name, spec.part, f"{force:.0f}", f"{rate:.1f}", "yes" if spec.magnetometer is not None else ""
        )
    Console().print(table)


def _print_one(spec: "SensorSpec") -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    console.print(f"{spec.name}: {spec.part}\n{spec.document}\n", highlight=False, soft_wrap=True)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("figure", no_wrap=True)
    table.add_column("in SI", justify="right")
    table.add_column("")
    table.add_column("from", overflow="fold")
    for kind, unit in _KINDS.items():
        triad = getattr(spec, kind)
        for name, value in {} if triad is None else asdict(triad).items():
            origin = spec.origins.get(f"{kind}.{name}", spec.origins.get(f"{kind}.{name.partition('_')[0]}", ""))
            if value and math.isfinite(value):
                written = _UNITS_OF_FIGURES.get(name, "{}").format(unit)
                table.add_row(f"{kind}.{name}", f"{value:.4g}", written, origin)
    for name in ("clock_drift", "clock_jitter", "packet_loss", "warm_up"):
        if getattr(spec, name):
            table.add_row(name, f"{getattr(spec, name):.4g}", "", spec.origins.get(name, ""))
    console.print(table)
    missing = _not_given(spec)
    if missing:
        console.print(f"\nnot given, simulated as perfect: {', '.join(missing)}", highlight=False)


# ---- allan ----


def _check_picture(plot: Path | None, *, overwrite: bool) -> None:
    from fitmotion_models.viewer.imu_picture import PICTURE_SUFFIXES

    if plot is None:
        return
    if plot.suffix.lower() not in PICTURE_SUFFIXES:
        raise ValueError(f"{plot}: a picture's name ends in {', '.join(PICTURE_SUFFIXES)}")
    if not plot.absolute().parent.is_dir():
        raise ValueError(f"{plot}: no folder {plot.parent}; make it first")
    if plot.is_dir() or (plot.exists() and not overwrite):
        raise ValueError(f"{plot} exists; choose another name or replace it with --overwrite")


def _curves(spec: "SensorSpec", rate: float, seconds: float, units: int, seed: int, progress: Any) -> dict[str, Any]:
    from fitmotion_models.evaluation.allan import allan_deviation, at_rest
    from fitmotion_models.viewer.allan_picture import AllanCurve

    kinds = {kind: triad for kind in _KINDS if (triad := getattr(spec, kind)) is not None and triad.is_noisy}
    if not kinds:
        raise ValueError(f"sensor {spec.name} has no noise, and so no Allan deviation; choose another one")
    curves = {}
    for number, (kind, triad) in enumerate(kinds.items()):
        if progress is not None:
            progress(number, len(kinds))
        taus, deviations = allan_deviation(at_rest(triad, rate, seconds, units=units, seed=seed + number), rate)
        curves[kind] = AllanCurve(triad, taus, deviations, _KINDS[kind])
    return curves


def _allan_as_dict(spec: "SensorSpec", curves: dict[str, Any], seconds: float) -> dict[str, Any]:
    """Put in beside found, in SI."""
    from fitmotion_models.evaluation.allan import noise_figures, pooled

    found: dict[str, Any] = {"sensor": spec.name, "seconds": seconds}
    for kind, curve in curves.items():
        figures = noise_figures(curve.taus, pooled(curve.deviations), seconds)
        found[kind] = {
            name: {"put_in": getattr(curve.spec, name), "found": float(getattr(figures, name))}
            for name in ("noise_density", "bias_instability", "random_walk")
        }
        found[kind]["taus_s"] = curve.taus.tolist()
        found[kind]["deviations"] = pooled(curve.deviations).tolist()
    return found


def _print_allan(found: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("", no_wrap=True)
    for words in ("put in", "found", "found / put in"):
        table.add_column(words, justify="right")
    table.add_column("")
    for kind, unit in _KINDS.items():
        for name in ("noise_density", "bias_instability", "random_walk") if kind in found else ():
            put, got = found[kind][name]["put_in"], found[kind][name]["found"]
            written = _UNITS_OF_FIGURES.get(name, "{}").format(unit)
            table.add_row(f"{kind}.{name}", f"{put:.4g}", f"{got:.4g}", f"{got / put:.3f}" if put else "", written)
    Console().print(table)
