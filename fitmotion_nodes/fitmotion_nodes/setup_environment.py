"""Makes the environment: installs the lock, mends the ROS wheels, builds the packages.

`./fitmotion` runs this file with a bare Python (standard library only) on first use and whenever the lock, a message or a
manifest changes. Two kinds of environment, in folders of their own:

- wheels: no ROS is sourced. `.venv` holds a ROS 2 from PyPI, and the packages are built into `.venv/fitmotion/install`.
- workstation: a ROS 2 installation is sourced. `.venv-<distro>` sees its Python packages, the lock is installed without
  its [ros] section, and the packages are built into `ros2_ws/install`, where ROS users look for them.

Everything can be interrupted at any moment: a step leaves its mark only when it is done, and what was left half done is
made anew by the next run.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

MINIMUM_FREE_BYTES = 2_000_000_000  # the environment is about 0.9 GB, the wheels while they are unpacked as much again
LOG_LINES_SHOWN = 25
QUIET_INTERVAL_S = 15.0  # between signs of life where the output is no terminal

# Paths of the machine that the wheels were built on, as their CMake export files name them.
_WHEEL_PURELIB = re.compile(r"/opt/python/cp3\d+-cp3\d+/lib/python3\.\d+/site-packages")
_WHEEL_INCLUDE = re.compile(r"/opt/python/cp3\d+-cp3\d+/include/python3\.\d+")

# ROS 2's own tf2_msgs has more types; a type's hash depends on its fields alone (REP-2011), so this one is the same type.
_TF2_MSGS = {
    "package.xml": """<?xml version="1.0"?>
<package format="3">
  <name>tf2_msgs</name>
  <version>0.36.0</version>
  <description>TFMessage, for a ROS 2 from PyPI, which lacks tf2_msgs.</description>
  <maintainer email="fitmotion@users.noreply.github.com">FitMotion maintainers</maintainer>
  <license>BSD-3-Clause</license>
  <buildtool_depend>ament_cmake</buildtool_depend>
  <buildtool_depend>rosidl_default_generators</buildtool_depend>
  <depend>geometry_msgs</depend>
  <exec_depend>rosidl_default_runtime</exec_depend>
  <member_of_group>rosidl_interface_packages</member_of_group>
  <export><build_type>ament_cmake</build_type></export>
</package>
""",
    "CMakeLists.txt": """cmake_minimum_required(VERSION 3.16)
project(tf2_msgs)
find_package(ament_cmake REQUIRED)
find_package(geometry_msgs REQUIRED)
find_package(rosidl_default_generators REQUIRED)
rosidl_generate_interfaces(${PROJECT_NAME} "msg/TFMessage.msg" DEPENDENCIES geometry_msgs)
ament_export_dependencies(rosidl_default_runtime)
ament_package()
""",
    "msg/TFMessage.msg": "geometry_msgs/TransformStamped[] transforms\n",
}


class SetupError(Exception):
    """A step failed; the message is one sentence for the user."""


class Layout:
    """Where everything of one environment lies."""

    def __init__(self, root: Path, venv: Path, ros_prefix: str) -> None:
        self.root = root
        self.venv = venv
        self.ros_prefix = ros_prefix
        self.own = venv / "fitmotion"
        workspace = self.own if self.wheels else root / "ros2_ws"
        self.build, self.install, self.log = (workspace / name for name in ("build", "install", "log"))
        self.python = venv / "bin" / "python"
        self.libraries_mark = self.own / "libraries.done"
        self.packages_mark = self.own / "packages.done"
        self.environment_file = self.own / "environment.sh"
        self.log_file = self.own / "setup.log"

    @property
    def wheels(self) -> bool:
        """Whether the ROS 2 from PyPI is used."""
        return not self.ros_prefix

    def purelib(self) -> Path:
        """The site-packages folder of the environment."""
        found = sorted(self.venv.glob("lib/python3.*/site-packages"))
        if not found:
            raise SetupError(f"{self.venv} holds no Python; remove that folder and run again")
        return found[-1]


def read_lock(lock: Path, sections: Sequence[str]) -> list[str]:
    """The requirements of some sections of requirements.lock, in its order.

    Raises SetupError when a section is not there.
    """
    found: dict[str, list[str]] = {}
    current: list[str] = []
    for line in lock.read_text().splitlines():
        heading = re.match(r"# \[(\w+)\]", line)
        if heading:
            current = found.setdefault(heading[1], [])
        elif line.strip() and not line.startswith("#"):
            current.append(line.strip())
    missing = [name for name in sections if name not in found]
    if missing:
        raise SetupError(f"{lock} has no section {missing[0]!r}; it has: {', '.join(found)}")
    return [line for name in sections for line in found[name]]


def repair_cmake_exports(prefix: Path, purelib: str, include: str) -> list[Path]:
    """Make the CMake files of the ROS wheels under `prefix`/share name this environment's folders.

    The wheels were built in one step and carry that machine's Python paths. Returns the files that were changed; a second
    call changes none.
    """
    changed = []
    for path in sorted((prefix / "share").rglob("*.cmake")):
        before = path.read_text()
        after = _WHEEL_INCLUDE.sub(lambda _: include, _WHEEL_PURELIB.sub(lambda _: purelib, before))
        if after != before:
            _write(path, after)
            changed.append(path)
    return changed


def write_tf2_msgs(folder: Path) -> None:
    """Write a package tf2_msgs with the one type TFMessage into `folder`; untouched where it is already there."""
    for name, text in _TF2_MSGS.items():
        path = folder / name
        if not path.exists() or path.read_text() != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(path, text)


def search_paths(layout: Layout) -> dict[str, list[Path]]:
    """The search paths that a process of this environment needs, in order of precedence."""
    purelib = layout.purelib()
    python_packages = layout.install / "lib" / purelib.parent.name / "site-packages"
    paths = {
        "PATH": [layout.venv / "bin"],
        "AMENT_PREFIX_PATH": [layout.install],
        "CMAKE_PREFIX_PATH": [layout.install],
        "LD_LIBRARY_PATH": [layout.install / "lib"],
        "PYTHONPATH": [layout.root / "models", layout.root / "fitmotion_nodes", python_packages],
    }
    if layout.wheels:
        paths["AMENT_PREFIX_PATH"].append(layout.venv)
        paths["CMAKE_PREFIX_PATH"].append(layout.venv)
        paths["LD_LIBRARY_PATH"] += [layout.venv / "lib", *sorted(purelib.glob("ros_*.libs"))]
    return paths


def environment_script(layout: Layout, stamp: str) -> str:
    """The shell lines that `./fitmotion` reads; the first one holds the stamp of what the environment was made from.

    On the wheels nothing of the caller's ROS or PYTHONPATH is kept: packages of another Python would hide the lock's. The
    wheels' bootstrapper, which starts every Python twice to set LD_LIBRARY_PATH, is told that this is done.
    """
    kept = {"PATH"} | ({"LD_LIBRARY_PATH"} if layout.wheels else set(search_paths(layout)))
    lines = [f"# {stamp}", "# Made by ./fitmotion; do not edit."]
    for name, folders in search_paths(layout).items():
        value = shlex.quote(":".join(map(str, folders)))
        lines.append(f"export {name}={value}" + (f'"${{{name}:+:${name}}}"' if name in kept else ""))
    lines.append(f"export VIRTUAL_ENV={shlex.quote(str(layout.venv))}")
    lines.append(f"export FITMOTION_ROOT={shlex.quote(str(layout.root))}")
    if layout.wheels:
        lines.append("export _ROS_WHEELS_BOOTSTRAP_COMPLETE=1")
        lines.append("export ROS_DISTRO=jazzy ROS_VERSION=2 ROS_PYTHON_VERSION=3")
    return "\n".join(lines) + "\n"


def _write(path: Path, text: str) -> None:
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


def _run(command: Sequence[str], layout: Layout, environment: dict[str, str], on_line: Callable[[str], None]) -> None:
    """Run a command with its output in the log file, line by line also to `on_line`; SetupError when it fails."""
    with layout.log_file.open("a") as log:
        log.write(f"\n$ {shlex.join(command)}\n")
        log.flush()
        process = subprocess.Popen(
            command,
            env=environment,
            cwd=layout.root,
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
        raise SetupError(
            f"{Path(command[0]).name} {command[1] if len(command) > 1 else ''} {command[2] if len(command) > 2 else ''} "
            f"failed with exit code {status}. Its last lines:\n    {shown}\nThe whole output is in {layout.log_file}"
        )


def _clean_environment(layout: Layout) -> dict[str, str]:
    """The caller's environment without what would send pip or Python elsewhere."""
    dropped = {"PYTHONHOME", "PIP_TARGET", "PIP_PREFIX", "PIP_USER", "VIRTUAL_ENV"}
    dropped |= (
        {"PYTHONPATH", "AMENT_PREFIX_PATH", "CMAKE_PREFIX_PATH", "COLCON_PREFIX_PATH"} if layout.wheels else set()
    )
    return {name: value for name, value in os.environ.items() if name not in dropped}


def _build_environment(layout: Layout) -> dict[str, str]:
    environment = _clean_environment(layout)
    for name, folders in search_paths(layout).items():
        if name == "PYTHONPATH":
            continue  # the packages being built must not be found in the sources
        own = [str(folder) for folder in folders if folder.exists()]
        environment[name] = ":".join([*own, *filter(None, [environment.get(name)])])
    environment["VIRTUAL_ENV"] = str(layout.venv)
    environment["PYTHONWARNINGS"] = "ignore"
    # colcon's own choice also limits the load, which builds file by file on a machine that does anything else.
    environment.setdefault("MAKEFLAGS", f"-j{len(os.sched_getaffinity(0))}")
    environment.pop("_ROS_WHEELS_BOOTSTRAP_COMPLETE", None)
    return environment


def make_virtual_environment(layout: Layout) -> None:
    """Make the virtual environment with the Python that runs this."""
    layout.own.mkdir(parents=True, exist_ok=True)
    options = [] if layout.wheels else ["--system-site-packages"]
    command = [sys.executable, "-E", "-s", "-m", "venv", *options, str(layout.venv)]
    _run(command, layout, _clean_environment(layout), lambda _: None)


def install_libraries(layout: Layout, sections: Sequence[str], detail: Callable[[str], None]) -> None:
    """Install sections of the lock, exact versions and nothing else."""
    requirements = read_lock(layout.root / "requirements.lock", sections)
    listing = layout.own / f"requirements-{'-'.join(sections)}.txt"
    _write(listing, "\n".join(requirements) + "\n")
    collected = 0

    def follow(line: str) -> None:
        nonlocal collected
        if line.startswith(("Collecting ", "Requirement already satisfied: ")):
            collected += 1
            detail(f"{collected} of {len(requirements)}: {line.split('(')[0].split()[-1]}")
        elif line.startswith("Installing collected"):
            detail(f"unpacking {len(requirements)} packages")

    # Bytecode is left to the first import: most modules are never imported.
    options = ["--no-deps", "--no-input", "--no-compile", "--progress-bar", "off", "--disable-pip-version-check"]
    command = [str(layout.python), "-m", "pip", "install", *options, "-r", str(listing)]
    _run(command, layout, _clean_environment(layout), follow)


def build_packages(layout: Layout, detail: Callable[[str], None]) -> None:
    """Build the packages with colcon, and tf2_msgs where this ROS lacks it."""
    base_paths = [str(layout.root / "ros2_ws" / "src")]
    prefixes = (
        [layout.venv] if layout.wheels else [Path(p) for p in os.environ.get("AMENT_PREFIX_PATH", "").split(":") if p]
    )
    if not any((prefix / "share/tf2_msgs/package.xml").exists() for prefix in prefixes if prefix != layout.install):
        write_tf2_msgs(layout.own / "src" / "tf2_msgs")
        base_paths.append(str(layout.own / "src"))
    cmake_arguments = [f"-DPython3_EXECUTABLE={layout.python}", "-DBUILD_TESTING=OFF"]
    if not layout.wheels:
        cmake_arguments.append("-DCMAKE_BUILD_TYPE=Release")  # takes half as long again; messages copy memory either way
    if shutil.which("ninja", path=_build_environment(layout)["PATH"]):
        cmake_arguments.append("-GNinja")
    command = [str(layout.python), "-m", "colcon", "--log-base", str(layout.log), "build", "--base-paths", *base_paths]
    command += ["--build-base", str(layout.build), "--install-base", str(layout.install)]
    command += ["--merge-install", "--symlink-install", "--cmake-args", *cmake_arguments]

    running: list[str] = []

    def follow(line: str) -> None:
        if line.startswith("Starting >>>"):
            running.append(line.split()[-1])
        elif line.startswith("Finished <<<"):
            running.remove(line.split()[2])
        detail(", ".join(running))

    _run(command, layout, _build_environment(layout), follow)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _marked(mark: Path, value: str) -> bool:
    return mark.exists() and mark.read_text() == value


def _usable(layout: Layout) -> bool:
    """Whether the environment is one that an earlier run finished and its Python still works."""
    if not layout.libraries_mark.exists():
        return False
    command = [str(layout.python), "-c", "import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))"]
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0
    except OSError:
        return False


def prepare(layout: Layout, stamp: str, *, rebuild: bool = False, clean: bool = False) -> None:
    """Bring the environment up to date, doing only what is not done yet.

    stamp: of what the packages are built from. rebuild: build them in any case. clean: forget earlier builds first.
    Raises SetupError with a sentence when something fails.
    """
    sections = ["ros", "build", "run"] if layout.wheels else ["build", "run"]
    wanted = _digest(*read_lock(layout.root / "requirements.lock", sections), str(layout.venv))
    usable = _usable(layout)
    if layout.venv.exists() and not usable and not layout.own.exists() and any(layout.venv.iterdir()):
        raise SetupError(f"{layout.venv} was not made by ./fitmotion; move it away and run again")
    up_to_date = usable and _marked(layout.libraries_mark, wanted)
    if not usable and shutil.disk_usage(layout.root).free < MINIMUM_FREE_BYTES:
        raise SetupError(f"the disk of {layout.root} has less than {MINIMUM_FREE_BYTES // 10**9} GB free; make room")
    progress = Progress((0 if usable else 1) + (0 if up_to_date else 1) + 1)
    if not usable:
        with progress.step(f"Python {sys.version.split()[0]} environment"):
            shutil.rmtree(layout.venv, ignore_errors=True)
            make_virtual_environment(layout)
    if not up_to_date:
        layout.libraries_mark.unlink(missing_ok=True)
        with progress.step("Python libraries"):
            install_libraries(layout, sections, progress.detail)
        _write(layout.libraries_mark, wanted)
    with progress.step("ROS packages"):
        if clean or not layout.packages_mark.exists():
            shutil.rmtree(layout.build, ignore_errors=True)
            shutil.rmtree(layout.install, ignore_errors=True)
        layout.packages_mark.unlink(missing_ok=True)
        if layout.wheels:
            include = _ask_python(layout, "import sysconfig; print(sysconfig.get_path('include'))")
            repair_cmake_exports(layout.venv, str(layout.purelib()), include)
        build_packages(layout, progress.detail)
        _write(layout.packages_mark, stamp)
    _write(layout.environment_file, environment_script(layout, stamp))


def _ask_python(layout: Layout, code: str) -> str:
    return subprocess.run([str(layout.python), "-c", code], capture_output=True, text=True, check=True).stdout.strip()


@contextlib.contextmanager
def exclusive(root: Path) -> Iterator[bool]:
    """Hold this checkout's set-up lock; yields whether another run held it first. A killed holder frees it."""
    with (root / ".fitmotion.lock").open("w") as lock:
        waited = False
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waited = True
            sys.stderr.write("fitmotion: another ./fitmotion is setting up this checkout; waiting for it\n")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield waited


def main() -> int:
    """Entry of `./fitmotion`; returns the exit status."""
    parser = argparse.ArgumentParser(description="Make FitMotion's environment; called by ./fitmotion.")
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--venv", type=Path, required=True)
    parser.add_argument("--ros-prefix", default="")
    parser.add_argument("--stamp", required=True)
    parser.add_argument("--build", action="store_true")
    parser.add_argument("--clean", action="store_true")
    options = parser.parse_args()
    layout = Layout(options.root, options.venv, options.ros_prefix)
    try:
        with exclusive(options.root) as waited:
            if waited and not options.build and _marked(layout.packages_mark, options.stamp):
                return 0
            sys.stderr.write(f"fitmotion: setting up {layout.venv} (once; a minute or two)\n")
            began = time.monotonic()
            prepare(layout, options.stamp, rebuild=options.build, clean=options.clean)
            sys.stderr.write(f"fitmotion: ready after {time.monotonic() - began:.0f} s\n")
    except SetupError as error:
        sys.stderr.write(f"fitmotion: {error}\n")
        return 2
    except OSError as error:
        sys.stderr.write(f"fitmotion: the set-up stopped: {error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("\nfitmotion: interrupted; run it again to go on\n")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
