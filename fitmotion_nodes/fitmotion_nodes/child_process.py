"""One node as a process: its command line, its start, the lines it says, its end."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import yaml

from fitmotion_nodes import dies_with_parent
from fitmotion_nodes.graph import NodeSpec

LineListener = Callable[[str, str], None]  # (node's name, line without its end)


class NotBuiltError(RuntimeError):
    """A node's executable is not there."""


def find_executable(package: str, executable: str, environment: Mapping[str, str]) -> list[str]:
    """The command that runs a package's executable: in `lib/<package>` of a built workspace, else as a Python module.

    Raises NotBuiltError where there is neither.
    """
    for prefix in environment.get("AMENT_PREFIX_PATH", "").split(os.pathsep):
        path = Path(prefix, "lib", package, executable)
        if prefix and os.access(path, os.X_OK) and path.is_file():
            return [str(path)]
    with suppress(ModuleNotFoundError):
        if find_spec(f"{package}.{executable}"):
            return [sys.executable, "-m", f"{package}.{executable}"]
    raise NotBuiltError(f"the executable {executable} of {package} is not built; run ./fitmotion build")


def ros_arguments(spec: NodeSpec, parameters_file: Path, log_level: str) -> list[str]:
    """The --ros-args of a node. rcl's own log files are off: the supervisor writes what the node says."""
    arguments = ["--ros-args", "-r", f"__node:={spec.name}", "--params-file", str(parameters_file)]
    if spec.namespace:
        arguments += ["-r", f"__ns:={spec.namespace}"]
    for old, new in spec.remappings:
        arguments += ["-r", f"{old}:={new}"]
    return [*arguments, "--log-level", log_level, "--disable-external-lib-logs"]


def write_parameters(spec: NodeSpec, folder: Path) -> Path:
    """Write the node's parameters as a ROS parameter file into the folder; returns its path."""
    path = folder / f"{spec.name}.yaml"
    content = {spec.full_name: {"ros__parameters": dict(spec.parameters)}} if spec.parameters else {}
    # rcl refuses an empty file, and takes a section that matches no node
    path.write_text(yaml.safe_dump(content or {"/none": {"ros__parameters": {"unused": 0}}}), encoding="utf-8")
    return path


class ChildProcess:
    """A node that can be started again and again. In a process group of its own: Ctrl-C reaches only the parent."""

    def __init__(
        self, spec: NodeSpec, command: list[str], environment: Mapping[str, str], on_line: LineListener
    ) -> None:
        self.spec = spec
        self.last_lines: deque[str] = deque(maxlen=20)
        self.started_at = 0.0  # time.monotonic()
        self._command = command
        self._environment = dict(environment)
        self._on_line = on_line
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process and self._process.returncode is None else None

    def start(self) -> None:
        """Start it. The calling thread must outlive the child: the kernel takes its end for the parent's."""
        guard = [sys.executable, "-IS", dies_with_parent.__file__, str(os.getpid())]
        self.last_lines.clear()
        self.started_at = time.monotonic()
        self._process = subprocess.Popen(
            [*guard, *self._command],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            process_group=0,
        )
        self._reader = threading.Thread(
            target=self._read, args=(self._process,), name=f"{self.spec.name} log", daemon=True
        )
        self._reader.start()

    def poll(self) -> int | None:
        """The exit status once it has ended (negative: killed by that signal); None before."""
        if self._process is None:
            return None
        code = self._process.poll()
        if code is not None and self._reader is not None:
            self._reader.join(timeout=1.0)  # its last words are in the pipe
        return code

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process and whatever it started."""
        if self.pid is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    def _read(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdout is not None
        with process.stdout as stream:
            for raw in stream:
                line = raw.decode("utf-8", errors="replace").rstrip()
                if line:
                    self.last_lines.append(line)
                    self._on_line(self.spec.name, line)
