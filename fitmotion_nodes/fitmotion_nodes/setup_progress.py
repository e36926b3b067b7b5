"""Running the steps of the set-up: shown while they run, logged, and clear when they fail. Standard library only."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

LOG_LINES_SHOWN = 25
QUIET_INTERVAL_S = 15.0  # between signs of life where the output is no terminal


class SetupError(Exception):
    """A step failed; the message is one sentence for the user."""


def write_whole(path: Path, text: str) -> None:
    """Write a file in one step, so that an interruption leaves the old one or the new one."""
    temporary = path.with_name(path.name + ".new")
    temporary.write_text(text)
    if path.exists():
        temporary.chmod(path.stat().st_mode)
    os.replace(temporary, path)


class Progress:
    """Shows the steps with their elapsed time: a living line on a terminal, a line now and then elsewhere."""

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self.done = 0
        self._detail = ""
        self._terminal = sys.stderr.isatty()

    @contextlib.contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Show one step while the body of the `with` runs."""
        self.done += 1
        self._detail = ""
        label = f"[{self.done}/{self.steps}] {title}"
        began = time.monotonic()
        finished = threading.Event()
        thread = threading.Thread(target=self._show, args=(label, began, finished), daemon=True)
        thread.start()
        try:
            yield
        except BaseException:
            finished.set()
            thread.join()
            self._line(f"{label}: stopped after {time.monotonic() - began:.0f} s", end="\n")
            raise
        finished.set()
        thread.join()
        self._line(f"{label}: {time.monotonic() - began:.0f} s", end="\n")

    def detail(self, text: str) -> None:
        """What the step is doing right now."""
        self._detail = text

    def _show(self, label: str, began: float, finished: threading.Event) -> None:
        while not finished.wait(0.2 if self._terminal else QUIET_INTERVAL_S):
            text = f"{label} ... {time.monotonic() - began:.0f} s  {self._detail}"
            self._line(text, end="" if self._terminal else "\n")

    def _line(self, text: str, end: str) -> None:
        if self._terminal:
            text = "\r" + text[: shutil.get_terminal_size().columns - 1] + "\x1b[K"
        sys.stderr.write(text + end)
        sys.stderr.flush()


def run_logged(
    command: Sequence[str],
    *,
    folder: Path,
    environment: dict[str, str],
    log_file: Path,
    on_line: Callable[[str], None] = lambda _: None,
) -> None:
    """Run a command in `folder` with its output in the log file, and line by line to `on_line`.

    Raises SetupError with the last lines when it fails.
    """
    with log_file.open("a") as log:
        log.write(f"\n$ {shlex.join(command)}\n")
        log.flush()
        process = subprocess.Popen(
            command,
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        tail: list[str] = []
        try:
            assert process.stdout is not None
            for line in process.stdout:
                log.write(line)
                tail = [*tail[1 - LOG_LINES_SHOWN :], line.rstrip()]
                on_line(line.strip())
            status = process.wait()
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
    if status != 0:
        shown = "\n    ".join(tail)
        what = " ".join([Path(command[0]).name, *command[1:4]])
        raise SetupError(
            f"`{what} ...` failed with exit code {status}. Its last lines:\n    {shown}\n"
            f"The whole output is in {log_file}"
        )
