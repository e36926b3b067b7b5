"""`./fitmotion test`: which runs there are, and when the second distribution is left out."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fitmotion_nodes import setup_environment, testing
from fitmotion_nodes.setup_environment import LIBRARIES_EXIT_CODE
from fitmotion_nodes.setup_layout import Layout, environment_script
from fitmotion_nodes.setup_libraries import install_libraries
from fitmotion_nodes.testing import run_on_second, sessions

# Stands in for the checkout's script: notes how it was called and in which environment.
SCRIPT = """#!/bin/sh
printf '%s\\n' "$FITMOTION_ROS_DISTRO|${ROS_DISTRO-}|${AMENT_PREFIX_PATH-}|$*" >> calls
case "$*" in *pytest*) exit $PYTEST_STATUS ;; *) exit $SETUP_STATUS ;; esac
"""


class Checkout:
    """A checkout whose script does nothing, seen from inside of its first environment."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.layout = Layout.of_wheels(root, "jazzy")
        (self.layout.venv / "lib" / "python3.11" / "site-packages").mkdir(parents=True)
        (root / "fitmotion").write_text(SCRIPT)
        (root / "fitmotion").chmod(0o755)
        (root / "environment.sh").write_text(environment_script(self.layout, "stamp"))
        command = ["sh", "-c", '. "$0"; env -0', str(root / "environment.sh")]
        dumped = subprocess.run(command, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True).stdout
        inside = dict(entry.split("=", 1) for entry in dumped.split("\0") if "=" in entry)
        monkeypatch.setattr(os, "environ", inside)
        self.tools: list[str] = []
        monkeypatch.setattr(testing, "install_test_tools", lambda layout: self.tools.append(layout.distro))
        monkeypatch.setattr(testing, "install_training", lambda layout: None)

    def run(self, setup_status: int, pytest_status: int) -> int:
        os.environ |= {"SETUP_STATUS": str(setup_status), "PYTEST_STATUS": str(pytest_status)}
        return run_on_second(self.layout)

    @property
    def calls(self) -> list[str]:
        return (self.root / "calls").read_text().splitlines()


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    return Checkout(tmp_path, monkeypatch)


@pytest.mark.parametrize("status", [0, 1])
def test_whole_graphs_run_on_the_second_distribution(checkout: Checkout, status: int) -> None:
    assert checkout.run(0, status) == status
    assert checkout.tools == ["kilted"]
    first, second = checkout.calls
    assert first == "kilted|||exec -- true"  # nothing of the first environment is in sight
    assert second.startswith("kilted|||exec -- python -P -m pytest -m slow and not one_distribution tests/system")


def test_libraries_that_cannot_be_had_are_no_failure(checkout: Checkout, capfd: pytest.CaptureFixture[str]) -> None:
    assert checkout.run(LIBRARIES_EXIT_CODE, 1) == 0
    assert len(checkout.calls) == 1
    assert "ROS 2 Kilted: skipped, its libraries cannot be installed here" in capfd.readouterr().out


def test_a_set_up_that_fails_is_a_failure(checkout: Checkout) -> None:
    assert checkout.run(2, 0) == 2
    assert len(checkout.calls) == 1


def test_with_a_sourced_ros_there_is_one_distribution(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    layout = Layout(tmp_path, tmp_path / ".venv-jazzy", "/opt/ros/jazzy", "jazzy")
    assert run_on_second(layout) == 0
    assert "skipped, as /opt/ros/jazzy is sourced" in capfd.readouterr().out


def test_libraries_that_cannot_be_had_have_an_exit_status_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    layout = Layout.of_wheels(tmp_path, "kilted")
    layout.own.mkdir(parents=True)
    layout.python.parent.mkdir()
    layout.python.write_text("#!/bin/sh\necho no matching distribution >&2\nexit 1\n")  # as pip says it
    layout.python.chmod(0o755)
    (tmp_path / "requirements.lock").write_text("# [kilted]\nros-rclpy==9.1.2\n")

    def prepare(*_: object, **__: object) -> None:
        install_libraries(layout, ["kilted"], lambda _: None)

    monkeypatch.setattr(setup_environment, "prepare", prepare)
    arguments = ["--root", str(tmp_path), "--venv", str(layout.venv), "--distro", "kilted", "--stamp", "one"]
    monkeypatch.setattr(sys, "argv", ["setup", *arguments])
    assert setup_environment.main() == LIBRARIES_EXIT_CODE
    assert "no matching distribution" in capfd.readouterr().err


def test_the_quick_part_is_one_run() -> None:
    assert len(sessions(fast=True, arguments=[])) == 1
    assert sessions(fast=False, arguments=["tests/x.py"]) == [["tests/x.py"]]
    everything = [argument for run in sessions(fast=False, arguments=[]) for argument in run]
    assert "--ignore=tests/system/test_two_distributions.py" in everything  # it has its turn on the second
