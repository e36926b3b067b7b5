"""The folder of one run: what the nodes said, with which parameters, and the assessment."""

import errno
import json
import os
import threading
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import IO, Any


class RunFolderError(OSError):
    """The folder cannot be written; the text is one sentence."""


class RunFolder:
    """`<out>/<time>/` with `parameters/`, `log/<node>.log` and, at the end, `assessment.json`.

    Raises RunFolderError when it cannot be made.
    """

    def __init__(self, out: Path, now: datetime) -> None:
        try:
            self.path = _make_new(out.expanduser(), now.strftime("%Y-%m-%dT%H-%M-%S"))
            self.parameters = self.path / "parameters"
            self.parameters.mkdir()
            self._logs_path = self.path / "log"
            self._logs_path.mkdir()
        except OSError as error:
            raise RunFolderError(
                f"cannot write into {out}: {error.strerror or error}; choose another folder with --out"
            ) from None
        self._logs: dict[str, IO[str]] = {}
        self._lock = threading.Lock()

    def log(self, name: str, line: str) -> None:
        """Append a line to a node's log. A disk that is full must not stop the run."""
        with self._lock:
            try:
                if name not in self._logs:
                    self._logs[name] = (self._logs_path / f"{name}.log").open("a", encoding="utf-8", buffering=1)
                self._logs[name].write(line + "\n")
            except OSError:
                return

    def write_assessment(self, content: Mapping[str, Any]) -> Path:
        """Write assessment.json, whole or not at all; never over another. Raises RunFolderError."""
        path = self.path / "assessment.json"
        part = self.path / f".assessment.json.{os.getpid()}"
        try:
            with part.open("x", encoding="utf-8") as stream:
                json.dump(content, stream, indent=2, allow_nan=False)
                stream.write("\n")
                stream.flush()
                os.fsync(stream.fileno())
            if path.exists():  # the folder is this run's own, so nobody comes in between
                raise FileExistsError(errno.EEXIST, "it exists already")
            part.replace(path)
        except OSError as error:
            raise RunFolderError(f"cannot write {path}: {error.strerror or error}") from None
        finally:
            part.unlink(missing_ok=True)
        return path

    def close(self) -> None:
        """Close the logs."""
        with self._lock:
            for stream in self._logs.values():
                stream.close()
            self._logs.clear()


def _make_new(out: Path, name: str) -> Path:
    """A folder of that name that was not there before: two runs of one second do not share it."""
    out.mkdir(parents=True, exist_ok=True)
    for count in range(1, 1000):
        path = out / (name if count == 1 else f"{name}-{count}")
        try:
            path.mkdir()
        except FileExistsError:
            continue
        return path
    raise FileExistsError(f"{out / name} and 999 more exist already")
