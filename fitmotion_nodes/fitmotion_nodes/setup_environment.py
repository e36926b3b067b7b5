"""Makes the environment: installs the lock, mends the ROS wheels, builds the packages.

`./fitmotion` calls `main` with a bare Python (standard library only) on first use and whenever the lock, a message or
a manifest changes. Two kinds of environment, in folders of their own:

- wheels: no ROS is sourced. `.venv` holds a ROS 2 Jazzy from PyPI, and the packages are built into
  `.venv/fitmotion/install`. With FITMOTION_ROS_DISTRO=kilted the same is made with Kilted, in `.venv-pypi-kilted`; what
  the two have in common is shared.
- workstation: a ROS 2 installation is sourced. `.venv-<distro>` sees its Python packages, the lock is installed without
  its ROS sections, and the packages are built into `ros2_ws/install`, where ROS users look for them.

Everything can be interrupted at any moment: a step leaves its mark only when it is done, and what was left half done is
made anew by the next run.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from fitmotion_nodes.setup_layout import PYTHON_PACKAGES, Layout, environment_script, search_paths
from fitmotion_nodes.setup_libraries import LibrariesError, clean_environment, install_libraries, read_lock
from fitmotion_nodes.setup_progress import Progress, SetupError, run_logged, write_whole
from fitmotion_nodes.setup_repairs import repair_cmake_exports, repair_first_lines, write_tf2_msgs

LIBRARIES_EXIT_CODE = 3  # of `main`, when the libraries cannot be had here
MINIMUM_FREE_BYTES = 2_000_000_000  # the environment is about 1 GB, the wheels while they are unpacked as much again


def _build_environment(layout: Layout) -> dict[str, str]:
    environment = clean_environment(layout)
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


def _run(
    command: Sequence[str], layout: Layout, environment: dict[str, str], on_line: Callable[[str], None] = lambda _: None
) -> None:
    run_logged(command, folder=layout.root, environment=environment, log_file=layout.log_file, on_line=on_line)


def make_virtual_environment(layout: Layout) -> None:
    """Make the virtual environment with the Python that runs this."""
    layout.own.mkdir(parents=True, exist_ok=True)
    options = [] if layout.wheels else ["--system-site-packages"]
    command = [sys.executable, "-E", "-s", "-m", "venv", *options, str(layout.venv)]
    _run(command, layout, clean_environment(layout))


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
        cmake_arguments.append(
            "-DCMAKE_BUILD_TYPE=Release"
        )  # takes half as long again; messages copy memory either way
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
    for package in PYTHON_PACKAGES:
        repair_first_lines(layout.install / "lib" / package, layout.python)


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


def prepare(layout: Layout, stamp: str, *, clean: bool = False) -> None:
    """Bring the environment up to date: what is there and right is kept.

    stamp: of what the packages are built from. clean: forget earlier builds first.
    Raises SetupError with a sentence when something fails.
    """
    sections = [*(["ros", layout.distro] if layout.wheels else []), "build", "run"]
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
        write_whole(layout.libraries_mark, wanted)
    with progress.step("ROS packages"):
        if clean or not layout.packages_mark.exists():
            shutil.rmtree(layout.build, ignore_errors=True)
            shutil.rmtree(layout.install, ignore_errors=True)
        layout.packages_mark.unlink(missing_ok=True)
        if layout.wheels:
            include = _ask_python(layout, "import sysconfig; print(sysconfig.get_path('include'))")
            repair_cmake_exports(layout.venv, str(layout.purelib()), include)
        build_packages(layout, progress.detail)
        write_whole(layout.packages_mark, stamp)
    write_whole(layout.environment_file, environment_script(layout, stamp))


def install_test_tools(layout: Layout) -> None:
    """Install the lock's [test] section, once."""
    install_section(layout, "test", "Test tools")


def install_section(layout: Layout, section: str, title: str) -> None:
    """Install a section of the lock, once."""
    wanted = _digest(*read_lock(layout.root / "requirements.lock", [section]))
    mark = layout.own / ("test_tools.done" if section == "test" else f"{section}.done")
    if _marked(mark, wanted):
        return
    with exclusive(layout.root):
        if _marked(mark, wanted):
            return
        progress = Progress(1)
        with progress.step(title):
            install_libraries(layout, [section], progress.detail)
        write_whole(mark, wanted)


def build_command(clean: bool = False) -> None:
    """Build the ROS packages again, and install what the lock has gained.

    With a ROS 2 installation sourced, into ros2_ws/install; else beside the ROS 2 from PyPI, in .venv.
    """
    try:
        script = Layout.of_this_process().root / "fitmotion"
    except SetupError as error:
        sys.stderr.write(f"fitmotion: {error}\n")
        raise SystemExit(2) from None
    raise SystemExit(subprocess.run([str(script), "build", *(["--clean"] if clean else [])]).returncode)


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
    parser.add_argument("--distro", required=True)
    parser.add_argument("--stamp", required=True)
    parser.add_argument("--build", action="store_true")
    parser.add_argument("--clean", action="store_true")
    options = parser.parse_args()
    layout = Layout(options.root, options.venv, options.ros_prefix, options.distro)
    try:
        with exclusive(options.root) as waited:
            if waited and not options.build and _marked(layout.packages_mark, options.stamp):
                return 0
            sys.stderr.write(f"fitmotion: setting up {layout.venv} (once; a minute or two)\n")
            began = time.monotonic()
            prepare(layout, options.stamp, clean=options.clean)
            sys.stderr.write(f"fitmotion: ready after {time.monotonic() - began:.0f} s\n")
    except SetupError as error:
        sys.stderr.write(f"fitmotion: {error}\n")
        return LIBRARIES_EXIT_CODE if isinstance(error, LibrariesError) else 2
    except OSError as error:
        sys.stderr.write(f"fitmotion: the set-up stopped: {error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("\nfitmotion: interrupted; run it again to go on\n")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
