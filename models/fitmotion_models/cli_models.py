"""`./fitmotion models`: the pose networks that can be had, those on this machine, and how they get here."""

import json
import math
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from fitmotion_models.cli_tools import fail

models = typer.Typer(
    no_args_is_help=True,
    help="Pose networks (RTMPose, RTMW) and person detectors: list, download, add. MediaPipe needs none of them.",
)


@models.command("list")
def list_models(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Every known network, and those that were added: landmarks, size, accuracy, and whether it is on this machine."""
    from fitmotion_models.pose.catalogue import catalogue, installed_names, models_folder

    rows = [_row(name) for name in dict.fromkeys([*catalogue(), *installed_names()])]
    if as_json:
        sys.stdout.write(json.dumps({"folder": str(models_folder()), "models": rows}, indent=2) + "\n")
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for title, side in (("name", "left"), ("finds", "left"), ("input", "right"), ("AP", "right"), ("size", "right")):
        table.add_column(title, justify="right" if side == "right" else "left", no_wrap=True)
    table.add_column("here", no_wrap=True)
    for row in rows:
        table.add_row(
            row["name"],
            "people" if row["kind"] == "detector" else f"{row['landmarks']} landmarks" if row["landmarks"] else "",
            "x".join(map(str, row["input"])) if row["input"] else "",
            "" if row["accuracy"] is None else f"{row['accuracy']:.1f}",
            "" if not row["bytes"] else f"{row['bytes'] / 1e6:.0f} MB",
            "yes" if row["installed"] else "",
        )
    console = Console()
    console.print(table)
    console.print(
        f"\nin {models_folder()}; licence of code and release: Apache-2.0, of the training data: see --json",
        style="dim",
    )


@models.command("download")
def download_models(
    names: Annotated[list[str], typer.Argument(help="Names from `models list`.", metavar="NAME...")],
    again: Annotated[bool, typer.Option("--again", help="Fetch it even if it is here.")] = False,
) -> None:
    """Fetch networks from MMPose's model zoo; what an earlier try has fetched is taken up where it stopped.

    A pose network needs a detector beside it: `./fitmotion models download rtmpose-m rtmdet-nano`.
    """
    from fitmotion_models.pose.catalogue import entry_of, record_of
    from fitmotion_models.pose.model_store import DownloadError, download

    try:
        entries = [entry_of(name) for name in names]
        for entry in entries:
            with _bytes_bar(entry.name) as progress:
                folder = download(entry, progress, again=again)
            known = "as expected" if entry.sha256 else "recorded, as nobody states one"
            typer.echo(f"{entry.name}: {folder} (SHA-256 {record_of(folder).get('sha256', '?')[:12]}..., {known})")
            typer.echo(f"  licence: {entry.licence}; trained on: {entry.data}")
    except (ValueError, OSError, DownloadError) as error:
        fail(str(error))


@models.command("add")
def add_model(
    path: Annotated[Path, typer.Argument(help="An archive, a folder of MMDeploy, or an .onnx file.")],
    name: Annotated[str, typer.Option(help="Its name here. Default: the catalogue's, else the file's.")] = "",
) -> None:
    """Copy a network that you have to where it is found by name, and see whether it can be used.

    Examples:

      ./fitmotion models add rtmpose-m_simcc-body7_pt-body7-halpe26_700e-256x192-4d3e73dd_20230605.zip

      ./fitmotion models add work_dirs/rtmpose-ort/my-rtmpose --name rtmpose-mine
    """
    from fitmotion_models.pose.model_store import add, engine_of, remove

    try:
        folder = add(path, name)
        try:
            engine = engine_of(folder)
        except (ValueError, OSError) as error:
            remove(folder.name)
            fail(f"{path} was not added: {error}")
    except (ValueError, OSError) as error:
        fail(str(error))
    typer.echo(f"{folder.name}: {folder}, {engine}")


def _row(name: str) -> dict[str, Any]:
    """One network as JSON-ready values."""
    from fitmotion_models.pose.catalogue import catalogue, installed_folder, record_of
    from fitmotion_models.pose.model_folder import NETWORK_FILE
    from fitmotion_models.pose.model_store import is_detector

    entry, folder = catalogue().get(name), installed_folder(name)
    record = record_of(folder) if folder is not None else {}
    size = (folder / NETWORK_FILE).stat().st_size if folder is not None else 0
    if entry is None:
        assert folder is not None
        kind = "detector" if is_detector(folder) else "pose"
        return {
            "name": name, "kind": kind, "landmarks": 0, "input": None, "accuracy": None, "bytes": size,
            "sha256": record.get("sha256", ""), "source": record.get("source", ""), "licence": "", "data": "",
            "installed": str(folder),
        }  # fmt: skip
    return {
        "name": name,
        "kind": entry.kind,
        "landmarks": entry.landmarks,
        "input": list(entry.input),
        "accuracy": None if math.isnan(entry.accuracy) else entry.accuracy,
        "bytes": size or entry.bytes,
        "sha256": entry.sha256 or record.get("sha256", ""),
        "source": entry.url,
        "licence": entry.licence,
        "data": entry.data,
        "installed": "" if folder is None else str(folder),
    }


def _bytes_bar(label: str) -> Any:
    """A progress bar in megabytes on the terminal's error stream; nothing where that is no terminal."""
    from contextlib import contextmanager

    @contextmanager
    def bar() -> Any:
        if not sys.stderr.isatty():
            yield None
            return
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        columns = (TextColumn(label), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task(label, total=None)
            yield lambda done, total: progress.update(task, completed=done, total=total)

    return bar()
