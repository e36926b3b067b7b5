"""What the command line's groups share: how it fails and how it shows progress."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, NoReturn

import typer

from fitmotion_models.fms.values import AUTO, Movement

BAD_INPUT_EXIT_CODE = 2
NOBODY_EXIT_CODE = 1

_NAMES = ", ".join(one.name.lower() for one in Movement if one is not Movement.UNKNOWN)
MOVEMENT_HELP = f"Which test is shown: {_NAMES}; {AUTO}: whichever, recognised from what is done."

# Options that several commands have.
Backend = Annotated[
    str, typer.Option(help="The pose backend: mediapipe, rtmpose, or a network's name from `models list`.")
]
PoseModel = Annotated[str, typer.Option(help="With rtmpose: a network's file or folder.", metavar="PATH")]
Detector = Annotated[str, typer.Option(help="With rtmpose: what finds people, likewise.", metavar="PATH")]


def fail(message: str, code: int = BAD_INPUT_EXIT_CODE) -> NoReturn:
    """Say in one line what is wrong and end with an exit code; that of bad input unless told otherwise."""
    sys.stderr.write(f"fitmotion: {message}\n")
    raise typer.Exit(code)


@contextmanager
def progress_bar(label: str, *, quiet: bool) -> Iterator[Callable[[int, int | None], None] | None]:
    """A progress bar on the terminal's error stream; nothing when quiet or when that is no terminal."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(label), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(label, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def ready_to_train() -> None:
    """Install what training needs where that is still to be done; where it is impossible, end with one sentence."""
    if "FITMOTION_ROOT" in os.environ:
        command = [sys.executable, "-P", "-m", "fitmotion_nodes.setup_training"]
        if subprocess.run(command, stdin=subprocess.DEVNULL).returncode != 0:
            raise typer.Exit(BAD_INPUT_EXIT_CODE)
        importlib.invalidate_caches()
    elif not all(importlib.util.find_spec(name) for name in ("sklearn", "torch", "onnx")):
        fail("training needs scikit-learn, torch and onnx; start this with ./fitmotion, which installs them once")
