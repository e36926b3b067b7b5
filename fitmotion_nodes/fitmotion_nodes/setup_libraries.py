"""Installs sections of requirements.lock; what another environment of this checkout has is shared with it.

Standard library only.
"""

from __future__ import annotations

import csv
import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from fitmotion_nodes.setup_layout import WHEEL_FOLDERS, Layout
from fitmotion_nodes.setup_progress import SetupError, run_logged, write_whole

_SHEBANG_BYTES = 2048  # within these an executable made by pip names its Python


class LibrariesError(SetupError):
    """The libraries cannot be had here: no network, or none for this Python or machine."""


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


def clean_environment(layout: Layout) -> dict[str, str]:
    """The caller's environment variables without what would send pip or Python elsewhere."""
    dropped = {"PYTHONHOME", "PIP_TARGET", "PIP_PREFIX", "PIP_USER", "VIRTUAL_ENV"}
    dropped |= (
        {"PYTHONPATH", "AMENT_PREFIX_PATH", "CMAKE_PREFIX_PATH", "COLCON_PREFIX_PATH"} if layout.wheels else set()
    )
    return {name: value for name, value in os.environ.items() if name not in dropped}


def install_libraries(layout: Layout, sections: Sequence[str], detail: Callable[[str], None]) -> None:
    """Install sections of the lock, exact versions and nothing else.

    Raises LibrariesError when they cannot be had.
    """
    requirements = read_lock(layout.root / "requirements.lock", sections)
    listing = layout.own / f"requirements-{'-'.join(sections)}.txt"
    write_whole(listing, "\n".join(requirements) + "\n")
    for folder in WHEEL_FOLDERS.values() if layout.wheels else ():
        share_libraries(layout.root / folder, layout.venv, requirements, detail)
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
    try:
        run_logged(
            command,
            folder=layout.root,
            environment=clean_environment(layout),
            log_file=layout.log_file,
            on_line=follow,
        )
    except SetupError as error:
        raise LibrariesError(str(error)) from None


def share_libraries(
    source: Path, target: Path, requirements: Sequence[str], detail: Callable[[str], None] = lambda _: None
) -> list[str]:
    """Install what another virtual environment has of the requirements, as second names (hard links) of its files.

    Libraries that do not depend on the ROS distribution then take neither time nor room twice. Both environments own
    what they hold: pip removes names, never contents. What cannot be shared is left to pip. Returns what was shared.
    """
    folders = list(source.glob("lib/python3.*/site-packages"))
    if source == target or len(folders) != 1 or not (target / folders[0].relative_to(source)).is_dir():
        return []  # not made yet, or of another Python
    purelib = folders[0]
    wanted = {_normal(name): version for name, _, version in (line.partition("==") for line in requirements)}
    shared = []
    for information in sorted(purelib.glob("*.dist-info")):
        name, _, version = information.stem.rpartition("-")
        is_there = (target / information.relative_to(source)).exists()
        if is_there or wanted.get(_normal(name)) != version or not (information / "RECORD").is_file():
            continue
        if _normal(name).startswith("ros-"):
            continue  # their CMake files are mended for one environment
        detail(f"{name}, from {source.name}")
        # METADATA last: with it pip takes the library for installed.
        files = sorted(recorded_files(information), key=lambda path: path == information / "METADATA")
        for path in files:
            if path.is_relative_to(source) and path.is_file():
                _second_name(path, target / path.relative_to(source), source, target)
        shared.append(f"{name}=={version}")
    return shared


def _normal(name: str) -> str:
    """A library's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def recorded_files(information: Path) -> Iterator[Path]:
    """The files of an installed library, by the RECORD in its dist-info folder; without bytecode."""
    with (information / "RECORD").open(newline="", encoding="utf-8") as record:
        for row in csv.reader(record):
            if row and not row[0].endswith(".pyc"):
                yield Path(os.path.normpath(information.parent / row[0]))


def _second_name(path: Path, other: Path, source: Path, target: Path) -> None:
    """Give a file a second name; an executable that starts the source's Python becomes one that starts the target's."""
    other.parent.mkdir(parents=True, exist_ok=True)
    if path.parent == source / "bin" and path.read_bytes().startswith(b"#!"):
        start, rest = path.read_bytes()[:_SHEBANG_BYTES], path.read_bytes()[_SHEBANG_BYTES:]
        other.write_bytes(start.replace(f"{source}/bin/".encode(), f"{target}/bin/".encode()) + rest)
        shutil.copymode(path, other)
        return
    other.unlink(missing_ok=True)  # of an earlier attempt, or of a package that several libraries share
    try:
        os.link(path, other)
    except OSError:  # a file system without hard links
        shutil.copy2(path, other)
