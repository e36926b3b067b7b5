"""`fitmotion imu place`: where a real sensor sits on a body, from what it read and how the body moved."""

import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fitmotion_models.cli_tools import Backend, Detector, PoseModel, fail, progress_bar

if TYPE_CHECKING:
    from fitmotion_models.imu.placement_fit import PlacementFit

_UNITS = {"lever_arm": ("mm", 1e3), "mount": ("deg", math.degrees(1.0)), "lag": ("ms", 1e3)}


def place(
    clip: Annotated[str, typer.Argument(help="How the body moved: a clip (.npz, .bvh, .amc) or a video.")],
    real: Annotated[Path, typer.Option(help="What the sensor read then, as `imu calibrate` takes it.", metavar="FILE")],
    bone: Annotated[
        str, typer.Option(help="SMPL-22 joint whose bone carries it: right_hip for the thigh.", metavar="JOINT")
    ],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="A sites file with the site to write.", metavar="FILE.yaml")
    ] = None,
    name: Annotated[str, typer.Option(help="What the site is to be called. Default: the sensor's own name.")] = "",
    sensor: Annotated[str, typer.Option(help="Which sensor of the table. Default: its only one.")] = "",
    cutoff: Annotated[
        float | None, typer.Option(help="Low-pass of the motion. Default: by source.", metavar="HZ")
    ] = None,
    longest_lag: Annotated[float, typer.Option(help="How far apart the two clocks may be.", metavar="SECONDS")] = 0.5,
    asf: Annotated[Path | None, typer.Option(help="An AMC file's skeleton.", metavar="FILE.asf")] = None,
    fps: Annotated[float, typer.Option(help="An AMC file's frames a second.", metavar="HZ")] = 120.0,
    backend: Backend = "mediapipe",
    pose_model: PoseModel = "",
    detector: Detector = "",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that is there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Find where a real sensor sits: lever arm from the joint, mount, lags of both channels, biases and noise.

    Each comes with a 95 % interval, from blocks of a second left out in turn. Half a minute of lively movement in all
    directions is good; squats alone leave open what turns about the one axis. The file that is written is for
    --sites-file: virtual sensors then sit where the real one does. Exit code 2: something that was given can't be used.

    Examples:

      fitmotion imu place walk.bvh --real thigh.csv --bone right_hip -o sites.yaml --name my_thigh

      fitmotion imu walk.bvh --sites my_thigh --sites-file sites.yaml -o virtual.csv
    """
    try:
        _check(out, bone, cutoff, longest_lag, overwrite=overwrite)
        from fitmotion_models.datasets.any_clip import read_any_clip
        from fitmotion_models.datasets.imu_tables import read_imu_table
        from fitmotion_models.imu.alignment import signals_of
        from fitmotion_models.imu.placement_fit import fit_placement
        from fitmotion_models.imu.site_motion import site_motion
        from fitmotion_models.imu.sites import Site
        from fitmotion_models.imu.values import Cutoffs, cutoffs_for
        from fitmotion_models.pose.backends import BackendChoice

        recording = read_imu_table(real).recording
        chosen = _sensor(real, recording.sites, sensor)
        site = Site(name or chosen, bone)
        with progress_bar("looking for the body", quiet=as_json) as progress:
            motion = read_any_clip(
                clip,
                skeleton=asf,
                fps=fps,
                backend=BackendChoice(backend, pose_model, detector),
                progress=progress,
            )
        cutoffs = cutoffs_for(motion.views) if cutoff is None else Cutoffs(cutoff, cutoff)
        moved = site_motion(motion, [site])
        found = fit_placement([(moved, signals_of(recording, chosen))], cutoffs=cutoffs, longest_lag_s=longest_lag)
        if out is not None:
            _write(out, site.name, found.site_entry(bone))
    except (ValueError, RuntimeError, OSError) as error:
        fail(str(error))
    if as_json:
        sys.stdout.write(json.dumps(_summary(found, site.name, bone, out), indent=2, allow_nan=False) + "\n")
    else:
        _show(found, site.name, bone, out)


def _check(out: Path | None, bone: str, cutoff: float | None, longest_lag: float, *, overwrite: bool) -> None:
    """Before minutes of work: whether the settings are some and the result can be written."""
    from fitmotion_models.imu.sites import Site

    Site("sensor", bone)
    if cutoff is not None and not (math.isfinite(cutoff) and cutoff > 0.0):
        raise ValueError(f"--cutoff {cutoff:g} is no frequency; give a positive number of Hz")
    if not 0.0 <= longest_lag <= 10.0:
        raise ValueError(f"--longest-lag {longest_lag:g} is out of range; allowed: 0 to 10 seconds")
    if out is not None:
        if out.suffix not in (".yaml", ".yml"):
            raise ValueError(f"{out}: a sites file's name ends in .yaml")
        if out.exists() and not overwrite:
            raise ValueError(f"{out} exists already; choose another name or add --overwrite")
        if not out.parent.is_dir():
            raise ValueError(f"{out}: no folder {out.parent}; make it first")


def _sensor(path: Path, there: tuple[str, ...], wanted: str) -> str:
    if wanted and wanted not in there:
        raise ValueError(f"{path} has no sensor {wanted}; it has {', '.join(there)}")
    if not wanted and len(there) > 1:
        raise ValueError(f"{path} has {len(there)} sensors; give --sensor, one of {', '.join(there)}")
    return wanted or there[0]


def _write(out: Path, name: str, entry: dict[str, Any]) -> None:
    import yaml

    partial = out.with_name(f".{out.name}.part")
    try:
        partial.write_text(yaml.safe_dump({name: entry}, default_flow_style=None, sort_keys=False))
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)


def _values(found: "PlacementFit") -> dict[str, tuple[float | None, float, str]]:
    """Parameter -> value (None: in the site's rotation), half of its 95 % interval, unit."""
    values: dict[str, float | None] = dict.fromkeys(found.sd)
    for name, array in (
        ("lever_arm", found.lever_arm),
        ("force_bias", found.force_bias),
        ("rate_bias", found.rate_bias),
    ):
        values |= {f"{name}_{axis}": float(value) for axis, value in zip("xyz", array, strict=True)}
    values |= {"force_lag": found.force_lag_s, "rate_lag": found.rate_lag_s}
    result = {}
    for name, sd in found.sd.items():
        unit, scale = next(
            (units for part, units in _UNITS.items() if part in name), ("m/s2" if "force" in name else "rad/s", 1.0)
        )
        value = values[name]
        result[name] = (None if value is None else scale * value, 1.96 * scale * sd, unit)
    return result


def _summary(found: "PlacementFit", name: str, bone: str, out: Path | None) -> dict[str, Any]:
    return {
        "site": {name: found.site_entry(bone)},
        "parameters": {
            parameter: {"value": None if value is None else round(value, 5), "half_ci95": round(half, 5), "unit": unit}
            for parameter, (value, half, unit) in _values(found).items()
        },
        "force_noise": [round(float(value), 5) for value in found.force_noise],
        "rate_noise": [round(float(value), 6) for value in found.rate_noise],
        "samples": found.samples,
        "file": None if out is None else str(out),
    }


def _show(found: "PlacementFit", name: str, bone: str, out: Path | None) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    entry = found.site_entry(bone)
    turn = ", ".join(f"{angle:g}" for angle in entry["mount_rotation_deg"])
    console.print(
        f"{name} on {bone}, {found.samples} samples; roll, pitch, yaw of the mount {turn} deg", highlight=False
    )
    view = Table("parameter", box=None, pad_edge=False, header_style="bold")
    for column in ("value", "+-, 95 %", "unit"):
        view.add_column(column, justify="right")
    for parameter, (value, half, unit) in _values(found).items():
        view.add_row(parameter.replace("_", " "), "" if value is None else f"{value:.3f}", f"{half:.3f}", unit)
    console.print(view)
    noise = found.force_noise.mean(), found.rate_noise.mean()
    console.print(f"left over: {noise[0]:.3f} m/s2, {noise[1]:.4f} rad/s a single axis", highlight=False)
    if out is not None:
        console.print(f"written: {out}", highlight=False, soft_wrap=True)
