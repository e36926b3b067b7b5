"""Both ways to install the packages with colcon: links to the sources, and copies that live without them."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("colcon_core")
pytest.importorskip("fitmotion_msgs")

from fitmotion_nodes.graph import GraphOptions, build_graph

pytestmark = pytest.mark.one_distribution  # colcon's doing, whichever the messages

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("models", "fitmotion_nodes", "launch")
SAMPLE = "fitmotion_models/skeleton/sample_table.yaml"


@dataclass
class Installed:
    """One finished install. environment: what a shell that sourced it would have, without the repository's sources."""

    prefix: Path
    environment: dict[str, str]

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, env=self.environment, cwd=self.prefix, capture_output=True, text=True, stdin=subprocess.DEVNULL
        )


def underlay() -> dict[str, str]:
    """This environment without the sources and builds of fitmotion_models and fitmotion_nodes; the messages stay."""
    environment = dict(os.environ)
    kept = [path for path in environment.get("PYTHONPATH", "").split(":") if path.endswith("-packages")]
    return environment | {"PYTHONPATH": ":".join(kept), "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}


def built(folder: Path, *options: str) -> Installed:
    sources = folder / "sources"
    for name in FOLDERS:
        shutil.copytree(ROOT / name, sources / name, ignore=shutil.ignore_patterns("__pycache__", ".*_cache"))
    (sources / "models" / SAMPLE).write_text("answer: 42\n")
    prefix = folder / "install"
    command = [sys.executable, "-P", "-m", "colcon", "--log-base", str(folder / "log"), "build"]
    command += ["--base-paths", str(sources), "--build-base", str(folder / "build"), "--install-base", str(prefix)]
    command += ["--merge-install", *options, "--cmake-args", f"-DPython3_EXECUTABLE={sys.executable}", "-GNinja"]
    finished = subprocess.run(command, env=underlay(), capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    # What colcon's own script gives a shell, as users source it.
    script = f'. "{prefix}/local_setup.bash" && env -0'
    dumped = subprocess.run(["bash", "-c", script], env=underlay(), capture_output=True, text=True, check=True)
    environment = dict(entry.split("=", 1) for entry in dumped.stdout.split("\0") if "=" in entry)
    return Installed(prefix, environment)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("plain")
    installed = built(folder)
    shutil.move(folder / "sources", folder / "moved away")
    shutil.rmtree(folder / "build")
    return installed


@pytest.fixture(scope="module")
def linked(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    return built(tmp_path_factory.mktemp("linked"), "--symlink-install")


@pytest.fixture(params=["plain", "linked"])
def installed(request: pytest.FixtureRequest) -> Installed:
    return request.getfixturevalue(request.param)


def executables_of_the_graph() -> set[tuple[str, str]]:
    found = set()
    for options in (GraphOptions(source="0"), GraphOptions(mover="squat")):
        graph = build_graph(options, ROOT / "launch" / "config", environment={})
        found |= {(node.package, node.executable) for node in graph.nodes}
    return found


def test_the_graph_has_executables() -> None:
    assert {name for _, name in executables_of_the_graph()} >= {"camera", "pose", "fms", "replay"}


def test_every_executable_of_the_graph_is_where_ros_looks(installed: Installed) -> None:
    for package, executable in executables_of_the_graph():
        path = installed.prefix / "lib" / package / executable
        assert os.access(path, os.X_OK), f"{path} is not there"
        # A parameter that does not exist is refused, in one line, by the node's own code.
        finished = installed.run(str(path), "--ros-args", "-p", "no_such_parameter:=1")
        assert finished.returncode == 2, finished.stderr
        assert "no_such_parameter" in finished.stderr and "Traceback" not in finished.stderr


def test_packages_are_registered(installed: Installed) -> None:
    for package in ("fitmotion_models", "fitmotion_nodes", "fitmotion_bringup"):
        assert (installed.prefix / "share/ament_index/resource_index/packages" / package).is_file()
        assert (installed.prefix / "share" / package / "package.xml").is_file()
    for name in ("launch", "config"):
        for path in (ROOT / "launch" / name).rglob("*.*"):
            if "__pycache__" not in path.parts:
                assert (installed.prefix / "share/fitmotion_bringup" / path.relative_to(ROOT / "launch")).is_file()


def test_package_data_loads(installed: Installed) -> None:
    table = "files('fitmotion_models.skeleton').joinpath('sample_table.yaml')"
    code = f"from importlib.resources import files; print({table}.read_text())"
    finished = installed.run(sys.executable, "-P", "-c", code)
    assert finished.stdout.strip() == "answer: 42", finished.stderr


def test_a_plain_install_holds_every_file_of_the_packages(plain: Installed) -> None:
    site_packages = next(plain.prefix.glob("lib/python3.*/site-packages"))
    for folder, package in (("models", "fitmotion_models"), ("fitmotion_nodes", "fitmotion_nodes")):
        for path in (ROOT / folder / package).rglob("*.*"):
            relative = path.relative_to(ROOT / folder)
            if path.is_file() and not re.search(r"__pycache__|\.\w+_cache", str(relative)):
                assert (site_packages / relative).is_file(), f"setup.py of {package} leaves out {relative}"


def test_a_plain_install_works_without_the_sources(plain: Installed) -> None:
    code = (
        "import fitmotion_models, fitmotion_nodes;"
        "from fitmotion_models.mover import MOVERS; from fitmotion_models.fms.scorer import score_clip;"
        "from fitmotion_models.mover import SquatParameters, squat_clip;"
        "print(fitmotion_models.__file__); print(fitmotion_nodes.__file__);"
        "print([a.score for a in score_clip(squat_clip(SquatParameters()))])"
    )
    finished = plain.run(sys.executable, "-P", "-c", code)
    models, nodes, scores = finished.stdout.splitlines()
    assert models.startswith(str(plain.prefix)) and nodes.startswith(str(plain.prefix)), finished.stderr
    assert scores.startswith("[3")
