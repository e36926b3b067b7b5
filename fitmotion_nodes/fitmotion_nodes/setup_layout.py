"""Where an environment lies, and what a process of it needs to know. Standard library only."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from fitmotion_nodes.setup_progress import SetupError

# The ROS 2 distributions that PyPI has, and the folder of each one's environment; requirements.lock has a section for
# each. A sourced ROS 2 gets `.venv-<distro>`, so that the two kinds never share a folder.
WHEEL_FOLDERS = {"jazzy": ".venv", "kilted": ".venv-pypi-kilted"}
# What `environment_script` sets beside the search paths.
_SET = (
    *("VIRTUAL_ENV", "FITMOTION_ROOT", "FITMOTION_ROS_PREFIX", "_ROS_WHEELS_BOOTSTRAP_COMPLETE"),
    *("ROS_DISTRO", "ROS_VERSION", "ROS_PYTHON_VERSION", "ROS_LOG_DIR"),
)
PYTHON_PACKAGES = ("fitmotion_models", "fitmotion_nodes")


class Layout:
    """Where everything of one environment lies.

    ros_prefix: of the sourced ROS 2; empty for one from PyPI. distro: its name, such as "jazzy".
    """

    def __init__(self, root: Path, venv: Path, ros_prefix: str, distro: str) -> None:
        self.root = root
        self.venv = venv
        self.ros_prefix = ros_prefix
        self.distro = distro
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

    @classmethod
    def of_this_process(cls) -> Layout:
        """The environment that `./fitmotion` started this process in. Raises SetupError outside of it."""
        try:
            root, venv = os.environ["FITMOTION_ROOT"], os.environ["VIRTUAL_ENV"]
        except KeyError as error:
            raise SetupError(f"{error.args[0]} is not set; start this with ./fitmotion") from None
        prefix, distro = os.environ.get("FITMOTION_ROS_PREFIX", ""), os.environ.get("ROS_DISTRO", "of unknown name")
        return cls(Path(root), Path(venv), prefix, distro)

    @classmethod
    def of_wheels(cls, root: Path, distro: str) -> Layout:
        """The environment with a distribution from PyPI, made or not."""
        return cls(root, root / WHEEL_FOLDERS[distro], "", distro)

    def purelib(self) -> Path:
        """The site-packages folder of the environment."""
        found = sorted(self.venv.glob("lib/python3.*/site-packages"))
        if not found:
            raise SetupError(f"{self.venv} holds no Python; remove that folder and run again")
        return found[-1]


def search_paths(layout: Layout) -> dict[str, list[Path]]:
    """The search paths that a process of this environment needs, in order of precedence."""
    purelib = layout.purelib()
    python_packages = layout.install / "lib" / purelib.parent.name / "site-packages"
    sources = [layout.root / "models", layout.root / "fitmotion_nodes"]
    paths = {
        "PATH": [layout.venv / "bin"],
        "AMENT_PREFIX_PATH": [layout.install],
        "CMAKE_PREFIX_PATH": [layout.install],
        "LD_LIBRARY_PATH": [layout.install / "lib"],
        # The sources, so that an edit counts at once; the build folders hold the metadata that executables start from.
        "PYTHONPATH": [*sources, python_packages, *(layout.build / name for name in PYTHON_PACKAGES)],
    }
    if layout.wheels:
        paths["AMENT_PREFIX_PATH"].append(layout.venv)
        paths["CMAKE_PREFIX_PATH"].append(layout.venv)
        paths["LD_LIBRARY_PATH"] += [layout.venv / "lib", *sorted(purelib.glob("ros_*.libs"))]
    return paths


def environment_script(layout: Layout, stamp: str) -> str:
    """The shell lines that `./fitmotion` reads; the first one holds the stamp of what the environment was made from.

    On the wheels nothing of the caller's ROS or PYTHONPATH is kept: packages of another Python would hide the lock's.
    The wheels' bootstrapper, which starts every Python twice to set LD_LIBRARY_PATH, is told that this is done.
    """
    kept = {"PATH"} | ({"LD_LIBRARY_PATH"} if layout.wheels else set(search_paths(layout)))
    lines = [f"# {stamp}", "# Made by ./fitmotion; do not edit."]
    for name, folders in search_paths(layout).items():
        value = shlex.quote(":".join(map(str, folders)))
        lines.append(f"export {name}={value}" + (f'"${{{name}:+:${name}}}"' if name in kept else ""))
    lines.append(f"export VIRTUAL_ENV={shlex.quote(str(layout.venv))}")
    lines.append(f"export FITMOTION_ROOT={shlex.quote(str(layout.root))}")
    lines.append(f"export FITMOTION_ROS_PREFIX={shlex.quote(layout.ros_prefix)}")
    if layout.wheels:
        lines.append("export _ROS_WHEELS_BOOTSTRAP_COMPLETE=1")
        lines.append(f"export ROS_DISTRO={layout.distro} ROS_VERSION=2 ROS_PYTHON_VERSION=3")
    return "\n".join(lines) + "\n"


def without(layout: Layout, environment: Mapping[str, str]) -> dict[str, str]:
    """A process's environment variables less what `environment_script` of one environment from PyPI has put there.

    From there `./fitmotion` goes into another environment and nothing of the first is found in it.
    """
    kept = {name: value for name, value in environment.items() if name not in _SET}
    for name, folders in search_paths(layout).items():
        own = set(map(str, folders))
        left = [folder for folder in environment.get(name, "").split(":") if folder and folder not in own]
        kept.pop(name, None)
        if left:
            kept[name] = ":".join(left)
    return kept
