"""`fitmotion imu`: what inertial sensors would read of a motion, as files; and the commands around it."""

import json
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from fitmotion_models.cli_imu_calibrate import calibrate
from fitmotion_models.cli_imu_place import place
from fitmotion_models.cli_imu_sensors import allan, presets
from fitmotion_models.cli_tools import Backend, Detector, PoseModel, fail, progress_bar

if TYPE_CHECKING:
    from fitmotion_models.datasets.imu_tables import ImuTable
    from fitmotion_models.imu.sensor_spec import SensorSpec

RECORD = "record"
TABLES = (".csv", ".npz", ".parquet")


class RecordByDefault(TyperGroup):
    """A group whose first word may be a clip: then it is `record` that is meant."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the command's name before what is no command."""
        if args and args[0] not in self.commands and args[0] != "--help":
            args = [RECORD, *args]
        result: list[str] = super().parse_args(ctx, args)
        return result

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """The help of `record` first, as it is what is called without a name, then the commands."""
        command = self.commands[RECORD]
        with command.make_context("", [], parent=ctx.parent, resilient_parsing=True) as own:
            own.info_name = ctx.info_name
            command.format_help(own, formatter)
        super().format_help(ctx, formatter)


imu = typer.Typer(cls=RecordByDefault, no_args_is_help=True, help="Around it: calibrate, place, presets, allan.")


def _sensor(words: str, metavar: str) -> typer.models.OptionInfo:
    return typer.Option(help=words, metavar=metavar, rich_help_panel="Sensors")


def _body(words: str, metavar: str) -> typer.models.OptionInfo:
    return typer.Option(help=words, metavar=metavar, rich_help_panel="Motion")


@imu.command(RECORD)
def record(
    clip: Annotated[
        str, typer.Argument(help="A clip (.npz, .bvh, .amc), a video or a folder of images.", metavar="CLIP")
    ],
    out: Annotated[
        list[Path] | None,
        typer.Option(
            "--out", "-o", help="A file to write: .csv, .npz or .parquet; may be given several times.", metavar="FILE"
        ),
    ] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw what they read (.png, .svg, .pdf).", metavar="FILE")] = None,
    sites: Annotated[str, _sensor("Where sensors sit, joined by commas, or all.", "LIST")] = "all",
    sites_file: Annotated[Path | None, _sensor("Sites of your own, see the README.", "FILE.yaml")] = None,
    preset: Annotated[str, _sensor("Which sensor it is, see `imu presets`; ideal: without errors.", "NAME")] = "ideal",
    preset_file: Annotated[Path | None, _sensor("Sensors of your own over those.", "FILE.yaml")] = None,
    rate: Annotated[float, _sensor("Samples a second.", "HZ")] = 100.0,
    seed: Annotated[
        int,
        typer.Option(
            help="The same seed gives the same sensors and noise.", metavar="N", min=0, rich_help_panel="Sensors"
        ),
    ] = 0,
    warm_up: Annotated[
        float | None, _sensor("By how many kelvin the sensors grow warmer. Default: the preset's.", "K")
    ] = None,
    cutoff: Annotated[
        str, _sensor("Low-pass of the motion: what suits its source, what suits its noise, or Hz.", "usual|noise|HZ")
    ] = "usual",
    magnetic_field: Annotated[
        str, _sensor("Magnetometers too, in the Earth's field at this latitude and longitude, degrees.", "LAT,LON")
    ] = "",
    soft_tissue: Annotated[
        bool,
        typer.Option("--soft-tissue", help="Let sensors wobble on muscle, fat and skin.", rich_help_panel="Sensors"),
    ] = False,
    orientation: Annotated[
        bool,
        typer.Option(
            "--orientation", help="Add what the sensors know of their orientation (VQF).", rich_help_panel="Sensors"
        ),
    ] = False,
    subject: Annotated[str, _body("Whose motion it is. Default: as the file says.", "NAME")] = "",
    asf: Annotated[Path | None, _body("An AMC file's skeleton. Default: the one beside it.", "FILE.asf")] = None,
    fps: Annotated[float, _body("An AMC file's frames a second, which it does not tell.", "HZ")] = 120.0,
    backend: Backend = "mediapipe",
    pose_model: PoseModel = "",
    detector: Detector = "",
    calibration: Annotated[Path | None, _body("A video's camera (YAML of camera_calibration).", "FILE")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that are there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """What inertial sensors on a body would read of a motion.

    A table has a line a sample of a sensor: subject, site, seconds, specific force (m/s2; at rest +9.81 on the axis
    that points up), angular velocity (rad/s) and the true rotation (unit quaternion xyzw, sensor to world); its head
    holds where each sensor sits on its bone, the sensor-to-segment transform. Lost and unseen samples are empty, and
    those across which a camera's body jumps as no body does.
    Nothing is written until all is done. Exit code 2: something that was given can't be used.

    Examples:

      fitmotion imu walk.npz -o imu.csv --plot imu.png                    ideal sensors, every site

      fitmotion imu walk.bvh --sites pelvis,left_wrist --preset xsens-dot --rate 60 -o imu.parquet

      fitmotion imu 02_01.amc --preset mpu-9250 --seed 7 --orientation -o imu.npz --json

      fitmotion imu squat.mp4 --sites right_thigh --preset bmi270 --cutoff noise -o thigh.csv

      fitmotion imu walk.npz --preset xsens-dot --magnetic-field 52.2,6.9 --soft-tissue -o imu.csv

      fitmotion imu presets bmi270                                        its figures and where they are from

      fitmotion imu allan --preset xsens-dot --plot allan.png             an hour of it at rest

      fitmotion imu calibrate --help                                      like real sensors

      fitmotion imu place --help                                          where a real sensor sits
    """
    began = time.perf_counter()
    try:
        _check_outputs(out or [], plot, overwrite=overwrite)
        from fitmotion_models.datasets.any_clip import read_any_clip
        from fitmotion_models.datasets.worn_sensors import WornSensors
        from fitmotion_models.imu.sites import select_sites
        from fitmotion_models.pose.backends import BackendChoice

        names = [name.strip() for name in sites.split(",") if name.strip()]
        worn = WornSensors(
            select_sites(names, sites_file),
            _spec(preset, preset_file, warm_up),
            rate_hz=rate,
            seed=seed,
            cutoff=cutoff,
            world_field=_world_field(magnetic_field),
            soft_tissue=soft_tissue,
            orientation=orientation,
        )
        with progress_bar("looking for the body", quiet=as_json) as progress:
            motion = read_any_clip(
                clip,
                skeleton=asf,
                fps=fps,
                subject=subject,
                backend=BackendChoice(backend, pose_model, detector),
                calibration=calibration,
                progress=progress,
            )
        read = time.perf_counter()
        table = worn.read(motion, Path(clip).name)
        computed = time.perf_counter()
        files = _write(out or [], plot, table, f"{Path(clip).name}: {worn.spec.name}, {rate:g} Hz")
    except (ValueError, RuntimeError, OSError) as error:
        fail(str(error))
    timings = {"read_s": read - began, "imu_s": computed - read, "write_s": time.perf_counter() - computed}
    found = _summary(table, worn.spec, files) | {"timings": timings}
    if as_json:
        sys.stdout.write(json.dumps(found, indent=2, allow_nan=False) + "\n")
    else:
        _print_summary(found)


imu.command()(calibrate)
imu.command()(place)
imu.command()(presets)
imu.command()(allan)


def _check_outputs(tables: list[Path], plot: Path | None, *, overwrite: bool) -> None:
    from fitmotion_models.datasets.imu_tables import check_parquet
    from fitmotion_models.viewer.imu_picture import PICTURE_SUFFIXES

    for path, endings, what in (
        *((path, TABLES, "a recording") for path in tables),
        (plot, PICTURE_SUFFIXES, "a picture"),
    ):
        if path is None:
            continue
        if path.suffix.lower() not in endings:
            raise ValueError(f"{path}: {what} is written as {', '.join(endings)}; choose one of these endings")
        if not path.absolute().parent.is_dir():
            raise FileNotFoundError(f"{path}: the folder {path.parent} does not exist; make it first")
        if path.is_dir() or (path.exists() and not overwrite):
            raise FileExistsError(f"{path} exists; choose another name or replace it with --overwrite")
        if tables.count(path) > 1:
            raise ValueError(f"{path} is named twice; give each file a name of its own")
        if path.suffix.lower() == ".parquet":
            check_parquet()


def _spec(name: str, path: Path | None, warm_up: float | None) -> "SensorSpec":
    from dataclasses import replace

    from fitmotion_models.imu.sensor_spec import sensor_preset

    spec = sensor_preset(name, path)
    return spec if warm_up is None else replace(spec, warm_up=warm_up)


def _world_field(text: str) -> tuple[float, float, float] | None:
    """The Earth's magnetic field in the world, tesla; None where none is asked for."""
    from fitmotion_models.imu.magnetic_field import world_field

    if not text:
        return None
    try:
        latitude, longitude = (float(word) for word in text.split(","))
    except ValueError:
        raise ValueError(f"--magnetic-field {text} is no place; give LATITUDE,LONGITUDE in degrees") from None
    x, y, z = world_field(latitude, longitude).tolist()
    return x, y, z


def _write(tables: list[Path], plot: Path | None, table: "ImuTable", title: str) -> list[str]:
    """Write everything; it appears when all of it is whole."""
    from fitmotion_models.datasets.imu_tables import write_imu_csv, write_imu_npz, write_imu_parquet
    from fitmotion_models.datasets.synthesis.files import WholeFile
    from fitmotion_models.viewer.imu_picture import save_imu_picture

    writers = {".csv": write_imu_csv, ".npz": write_imu_npz, ".parquet": write_imu_parquet}
    with ExitStack() as stack:
        for path in tables:
            writers[path.suffix.lower()](stack.enter_context(WholeFile(path)), table)
        if plot is not None:
            partial = stack.enter_context(WholeFile(plot))
            save_imu_picture(partial, table.recording, title, format=plot.suffix[1:].lower())
    return [str(path) for path in (*tables, *(() if plot is None else (plot,)))]


def _summary(table: "ImuTable", spec: "SensorSpec", files: list[str]) -> dict[str, Any]:
    """What came out, for JSON: of every site the largest readings, what is missing and what ran into the end."""
    from fitmotion_models.imu.recording_summary import site_summary

    recording = table.recording
    return {
        "subject": table.subject,
        **table.about,
        "rate_hz": recording.rate_hz,
        "samples": len(recording),
        "seconds": float(recording.stamps[-1] - recording.stamps[0]) if len(recording) else 0.0,
        "sites": {site: site_summary(recording, index, spec) for index, site in enumerate(recording.sites)},
        "files": files,
    }


def _print_summary(found: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    sensor = found["sensor"]
    console.print(
        f"{found['source']}: {found['seconds']:.1f} s of {found['subject']} at {found['rate_hz']:g} Hz, "
        f"{sensor['name']} ({sensor['part']})",
        highlight=False,
        soft_wrap=True,
    )
    view = Table("site", box=None, pad_edge=False, header_style="bold")
    for name in ("force, m/s2", "rate, rad/s", "missing, %", "at full scale, %"):
        view.add_column(name, justify="right")
    for site, numbers in found["sites"].items():
        shown = [numbers["largest_force"], numbers["largest_rate"]]
        shares = [100.0 * numbers["missing"], 100.0 * numbers["saturated"]]
        view.add_row(
            site, *("" if number is None else f"{number:.1f}" for number in shown), *(f"{one:.1f}" for one in shares)
        )
    console.print(view)
    for file in found["files"]:
        console.print(f"written: {file}", highlight=False, soft_wrap=True)
