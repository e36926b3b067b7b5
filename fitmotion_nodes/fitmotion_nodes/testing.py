"""`./fitmotion test`: the checks of the code, then the tests."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

import typer

from fitmotion_nodes.setup_environment import LIBRARIES_EXIT_CODE, install_test_tools
from fitmotion_nodes.setup_layout import WHEEL_FOLDERS, Layout, without
from fitmotion_nodes.setup_libraries import LibrariesError
from fitmotion_nodes.setup_progress import SetupError
from fitmotion_nodes.setup_training import install_training

# The quick part leaves out what is marked as slow; whole graphs of processes (tests/system) all are.
FAST_OPTIONS = ("-m", "not slow")
SLOW_OPTIONS = ("-m", "slow", "--durations=10")
LONG_VARIABLE = "FITMOTION_TEST_LONG"  # read by the tests
# On the second ROS 2 distribution whole graphs run again, and one test lets both talk to each other. It waits for this
# turn, as both environments must be made.
BOTH = "tests/system/test_two_distributions.py"
SECOND_OPTIONS = ("-m", "slow and not one_distribution", "tests/system")

CHECKS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("style (ruff)", ("-m", "ruff", "check", "--quiet", ".")),
    ("types (mypy)", ("-m", "mypy", "--no-error-summary")),
    (
        "imports (import-linter)",
        ("-c", "from importlinter.cli import lint_imports_command as run; run(['--no-cache'])"),
    ),
)


def command(
    context: typer.Context,
    fast: Annotated[bool, typer.Option("--fast", help="Leave out whole graphs and slow tests.")] = False,
    long: Annotated[
        bool, typer.Option("--long", help="Every fault at full length, every whole graph on both distributions.")
    ] = False,
) -> None:
    """Check style, types and imports, then run the tests. Further arguments go to pytest.

    The first run installs the test tools. Without arguments whole graphs run on ROS 2 Jazzy and once more on Kilted, in
    an environment of its own that is made by then. FITMOTION_ROS_DISTRO=kilted runs everything on Kilted.

    Examples:

      fitmotion test --fast

      fitmotion test tests/models/fms -k squat
    """
    if fast and long:
        raise typer.BadParameter("--fast and --long exclude each other")
    if long:
        os.environ[LONG_VARIABLE] = "1"
    try:
        layout = Layout.of_this_process()
        install_test_tools(layout)
        if not fast and not context.args:
            install_training_for_tests(layout)
    except SetupError as error:
        sys.stderr.write(f"fitmotion: {error}\n")
        raise typer.Exit(2) from None
    try:
        status = run(layout, sessions(fast, context.args))
        if not fast and not context.args:
            status = run_on_second(layout) or status
    except KeyboardInterrupt:
        status = 130
    raise typer.Exit(status)


def install_training_for_tests(layout: Layout) -> None:
    """Install what training needs; where that can't be had, the tests of it are skipped and it is said.

    About half a minute the first time, so the whole test run has it and the quick part goes without.
    """
    try:
        install_training(layout)
    except LibrariesError as error:
        _say(f"tests of training: skipped, its libraries cannot be installed here: {error}")


def sessions(fast: bool, arguments: list[str]) -> list[list[str]]:
    """The pytest runs that are asked for, each as its arguments.

    Quick tests mostly wait for messages, so they run side by side, one process more than there are cores, a file in one
    process. Slow ones of the library compute: one process a core. The other slow ones want the machine for themselves.
    With arguments of one's own there is one run, as pytest does it.
    """
    if arguments:
        return [[*(FAST_OPTIONS if fast else ()), *arguments]]
    cores = os.cpu_count() or 1
    quick = [*FAST_OPTIONS, "-n", str(cores + 1), "--dist", "loadfile"]
    computing = [*SLOW_OPTIONS, "-n", str(cores), "--dist", "loadfile", "tests/models"]
    return [quick] if fast else [quick, computing, [*SLOW_OPTIONS, "--ignore=tests/models", f"--ignore={BOTH}"]]


def run(layout: Layout, pytest_runs: list[list[str]]) -> int:
    """Run the checks and pytest; returns the exit status: the last bad one of pytest, or 1 for a failed check.

    The checks take one core for half a minute the first time: they run beside the first pytest run and tell after it.
    """
    # -P keeps the top folder off sys.path, where `launch` would be found in place of ROS 2's package.
    python = [str(layout.python), "-P"]
    environment = os.environ | {"ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}
    with ThreadPoolExecutor(max_workers=1) as beside:
        checks = [beside.submit(_check, [*python, *arguments], layout.root) for _, arguments in CHECKS]
        status = failed = 0
        for number, pytest_arguments in enumerate(pytest_runs):
            command = [*python, "-m", "pytest", *pytest_arguments]
            status = subprocess.run(command, cwd=layout.root, env=environment).returncode or status
            if number == 0:
                failed = _tell([check.result() for check in checks])
    return status or failed


def run_on_second(layout: Layout) -> int:
    """Run whole graphs on the other ROS 2 distribution from PyPI, in an environment made here and now.

    Returns pytest's exit status. Where it can't be installed, or a ROS 2 installation is sourced, it says so; that is
    no failure.
    """
    distro = next(name for name in WHEEL_FOLDERS if name != layout.distro)
    title = f"ROS 2 {distro.capitalize()}"
    if not layout.wheels:
        _say(f"{title}: skipped, as {layout.ros_prefix} is sourced; whole graphs ran on that one only")
        return 0
    second = Layout.of_wheels(layout.root, distro)
    environment = without(layout, os.environ) | {"FITMOTION_ROS_DISTRO": distro}
    environment["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
    script = [str(layout.root / "fitmotion"), "exec", "--"]
    _say(f"{title}: whole graphs once more")
    made = subprocess.run([*script, "true"], cwd=layout.root, env=environment).returncode
    try:
        if made == 0:
            install_test_tools(second)
    except LibrariesError as error:
        sys.stderr.write(f"fitmotion: {error}\n")
        made = LIBRARIES_EXIT_CODE
    if made == LIBRARIES_EXIT_CODE:
        _say(f"{title}: skipped, its libraries cannot be installed here; the reason is above")
        return 0
    if made:
        return made
    command = [*script, "python", "-P", "-m", "pytest", *SECOND_OPTIONS]
    return subprocess.run(command, cwd=layout.root, env=environment).returncode


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _check(command: list[str], root: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=root, text=True, capture_output=True)


def _tell(checks: list[subprocess.CompletedProcess[str]]) -> int:
    """Print what the checks found; 1 when one failed."""
    for (title, _), finished in zip(CHECKS, checks, strict=True):
        good = finished.returncode == 0
        _say(f"{title}: {'good' if good else 'failed'}")
        if not good:
            sys.stdout.write(finished.stdout + finished.stderr)
    sys.stdout.flush()
    return int(any(finished.returncode for finished in checks))
