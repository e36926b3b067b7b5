"""`fitmotion calibrate`: where the cameras of a rig are and how their lenses are, from videos of a board."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fitmotion_models.cli_tools import fail, progress_bar

if TYPE_CHECKING:
    from fitmotion_models.pose.calibration import Calibrated
    from fitmotion_models.pose.calibration_board import Board


def calibrate(
    videos: Annotated[
        list[str] | None, typer.Argument(help="Videos of the board, one a camera, that start together.")
    ] = None,
    out: Annotated[
        Path, typer.Option("-o", "--out", help="The rig: .toml (as Pose2Sim's), or a new folder of YAML.")
    ] = Path("rig.toml"),
    board: Annotated[str, typer.Option(help="charuco or checkerboard.")] = "charuco",
    columns: Annotated[int, typer.Option(help="Squares in a row.")] = 7,
    rows: Annotated[int, typer.Option(help="Squares in a column.")] = 5,
    square: Annotated[float, typer.Option(help="Side of a square in metres, measured on the print.")] = 0.038,
    marker: Annotated[float, typer.Option(help="ChArUco: side of a marker in metres.")] = 0.028,
    floor_at: Annotated[
        float | None,
        typer.Option(
            help="When the board lies on the floor, face up, seconds. Default: when two cameras see it first."
        ),
    ] = None,
    names: Annotated[str, typer.Option(help="Names of the cameras, joined by commas. Default: cam01, cam02, ...")] = "",
    picture: Annotated[
        Path | None, typer.Option(help="Draw the board as each camera saw it, and the errors (.png, .svg, .pdf).")
    ] = None,
    print_board: Annotated[
        Path | None, typer.Option(help="Write the board to be printed in true size (.pdf, .png) and end.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Calibrate several cameras, so that they see in three dimensions.

    1. Print a board (--print-board board.pdf) at 100 % on stiff, flat cardboard, and measure a square.

    2. Put up the cameras, each with the whole person and the floor in view. They stay as they are from now on.

    3. Start all videos together. Lay the board on the floor, face up, where at least two cameras see it, for two
    seconds: there is the origin, z up, x along its rows.

    4. Carry it slowly through the room for a minute: tilted by up to 45 degrees, near and far, into the corners of each
    picture, and so that neighbouring cameras see it at once.

    5. Give the videos here, and the result to `assess` and `up` with --calibration.

    Prints each camera's reprojection error: under half a pixel is good, over one is not.

    Examples:

      fitmotion calibrate --print-board board.pdf

      fitmotion calibrate cam1.mp4 cam2.mp4 cam3.mp4 --square 0.0378 -o rig.toml --picture rig.png

      fitmotion calibrate cam1.mp4 cam2.mp4 --board checkerboard --columns 9 --rows 6 --square 0.03 -o rig.toml
    """
    from fitmotion_models.pose.calibration_board import Board

    try:
        kind = Board(board, columns, rows, square, marker)
        if print_board is not None:
            typer.echo(_print_board(kind, print_board))
            return
        if not videos or len(videos) < 2:
            raise ValueError(f"{len(videos or [])} videos: give two or more, one a camera")
        _check_places(out, picture)
        found = _calibrate(videos, _camera_names(names, len(videos)), kind, floor_at, picture, quiet=as_json)
        from fitmotion_models.pose.rig_files import write_rig

        write_rig(out, found.rig)
    except (ValueError, RuntimeError, OSError) as error:
        fail(str(error))
    if as_json:
        typer.echo(json.dumps(_as_dict(found, out), indent=2, allow_nan=False))
    else:
        _show(found, out, picture)


def _print_board(board: "Board", path: Path) -> str:
    from fitmotion_models.viewer.calibration_picture import save_board

    millimetres = f"{board.square * 1000:g} mm"
    words = f"{board.kind} {board.columns} x {board.rows}, squares {millimetres}; print at 100 % and measure one"
    sheet = save_board(path, board.picture(400), board.size, words)
    options = f"--board {board.kind} --columns {board.columns} --rows {board.rows} --square {board.square:g}"
    options += f" --marker {board.marker:g}" if board.kind == "charuco" else ""
    return f"{path}: print it at 100 % on {sheet}, measure a square, then calibrate with {options}"


def _camera_names(text: str, count: int) -> list[str]:
    names = [name.strip() for name in text.split(",")] if text else [f"cam{index + 1:02}" for index in range(count)]
    if len(names) != count:
        raise ValueError(f"--names gives {len(names)} names for {count} videos; give one each")
    return names


def _check_places(out: Path, picture: Path | None) -> None:
    """Before minutes of work: whether the results can be written."""
    if out.suffix not in ("", ".toml"):
        raise ValueError(f"{out}: a rig is written as .toml, or into a new folder (a path without an ending)")
    if out.exists():
        raise ValueError(f"{out} exists already; choose another name or delete it")
    if not out.parent.is_dir():
        raise ValueError(f"{out}: no folder {out.parent}; make it first")
    if picture is not None:
        from fitmotion_models.viewer.agreement_picture import check_picture_path

        check_picture_path(picture)


def _calibrate(
    videos: list[str], names: list[str], board: "Board", floor_at: float | None, picture: Path | None, *, quiet: bool
) -> "Calibrated":
    from fitmotion_models.pose.calibration import calibrate as run
    from fitmotion_models.pose.calibration_videos import read_board_videos

    with progress_bar("looking for the board", quiet=quiet) as progress:
        seen = read_board_videos(videos, names, board, progress=progress)
    found = run(
        board,
        [video.views for video in seen],
        floor_at=floor_at,
        say=(lambda text: None) if quiet else (lambda text: typer.echo(text, err=True)),
    )
    if picture is not None:
        from fitmotion_models.viewer.calibration_picture import save_calibration_picture

        save_calibration_picture(picture, found, seen)
    return found


def _as_dict(found: "Calibrated", out: Path) -> dict[str, Any]:
    return {
        "rig": str(out),
        "cameras": {
            camera.name: {
                "reprojection_rms_px": round(found.errors[camera.name].rms, 4),
                "worst_px": round(found.errors[camera.name].worst, 3),
                "views": found.errors[camera.name].views,
                "image_covered": round(found.errors[camera.name].covered, 3),
                "position_m": [round(float(value), 4) for value in camera.position],
                "focal_px": [round(camera.model.fx, 2), round(camera.model.fy, 2)],
            }
            for camera in found.rig.cameras
        },
        "shared_instants": found.instants,
        "floor_at_s": found.floor_stamp,
        "warnings": list(found.warnings),
    }


def _show(found: "Calibrated", out: Path, picture: Path | None) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"{len(found.rig)} cameras, {found.instants} instants that they share")
    for head in ("camera", "error px", "worst px", "views", "image covered", "position x, y, z (m)", "focal px"):
        table.add_column(head, justify="left" if head == "camera" else "right")
    for camera in found.rig.cameras:
        error = found.errors[camera.name]
        table.add_row(
            camera.name,
            f"{error.rms:.2f}",
            f"{error.worst:.1f}",
            str(error.views),
            f"{100 * error.covered:.0f} %",
            ", ".join(f"{value:.2f}" for value in camera.position),
            f"{camera.model.fx:.0f}",
        )
    console = Console()
    console.print(table)
    for text in found.warnings:
        console.print(f"[yellow]{text}[/yellow]", highlight=False, soft_wrap=True)
    floor = f"the floor is where the board lay at {found.floor_stamp:.1f} s"
    console.print(f"{out} written; {floor}", highlight=False, soft_wrap=True)
    if picture is not None:
        console.print(f"picture in {picture}", highlight=False, soft_wrap=True)
