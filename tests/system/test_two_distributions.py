"""A process of ROS 2 Jazzy and one of Kilted understand each other: every message, service and action, both ways.

The distribution that runs the tests talks to the other one, whose environment must have been made before.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from fitmotion_nodes.setup_layout import WHEEL_FOLDERS, Layout, without
from fitmotion_nodes.setup_progress import SetupError

from .conftest import REPOSITORY, free_domain
from .exchange import FIRST_NUMBERS, differences, everything, filled, messages, ours

PROGRAM = Path(__file__).with_name("exchange.py")


@pytest.fixture(scope="module")
def here() -> Layout:
    try:
        layout = Layout.of_this_process()
    except SetupError as error:
        pytest.skip(str(error))
    if not layout.wheels:
        pytest.skip("a ROS 2 installation is sourced; this needs the two from PyPI")
    return layout


@pytest.fixture(scope="module")
def there(here: Layout) -> Layout:
    """The environment of the other distribution."""
    distro = next(name for name in WHEEL_FOLDERS if name != here.distro)
    layout = Layout.of_wheels(here.root, distro)
    if not layout.environment_file.exists():
        pytest.skip(f"{distro} is not set up; FITMOTION_ROS_DISTRO={distro} ./fitmotion build does it")
    return layout


@pytest.fixture
def sides(here: Layout, there: Layout) -> Iterator[list[subprocess.Popen[str]]]:
    """Both processes, started at once on a domain of their own."""
    shared = {"ROS_DOMAIN_ID": str(free_domain()), "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}
    program = ["-P", str(PROGRAM)]
    other = [str(REPOSITORY / "fitmotion"), "exec", "--", "python"]
    other_environment = without(here, os.environ) | shared | {"FITMOTION_ROS_DISTRO": there.distro}
    processes = [
        start([sys.executable, *program, here.distro, there.distro], dict(os.environ) | shared),
        start([*other, *program, there.distro, here.distro], other_environment),
    ]
    yield processes
    for process in processes:
        process.kill()
        process.communicate()


def start(command: list[str], environment: dict[str, str]) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=environment)


def test_every_message_service_and_action_both_ways(
    sides: list[subprocess.Popen[str]], here: Layout, there: Layout
) -> None:
    lines = [process.stdout.readline() for process in sides]
    ends = [process.communicate(timeout=20) for process in sides]
    said = "\n".join(errors for _, errors in ends)
    reports = [json.loads(line) for line in lines if line]
    assert [report["distro"] for report in reports] == [here.distro, there.distro], said
    assert here.distro != there.distro
    for report in reports:
        assert report["differences"] == [], report["distro"]
        assert set(report["received"]) == everything(), f"{report['distro']} did not get all of it\n{said}"
    assert [process.returncode for process in sides] == [0, 0], said
    assert "Traceback" not in said


def test_the_exchange_covers_every_interface() -> None:
    files = {path.stem for path in (REPOSITORY / "msgs").glob("*/*.*") if path.suffix in (".msg", ".srv", ".action")}
    assert files == {*ours("msg"), *ours("srv"), *ours("action")}
    assert len(everything()) >= len(files) > 14


@pytest.mark.parametrize("kind", messages().values(), ids=messages())
def test_no_field_could_be_mistaken(kind: Any) -> None:
    """One wrong field of any message is seen, and nothing else is."""
    for name in kind.get_fields_and_field_types():
        if name == "structure_needs_at_least_one_member":
            continue
        wanted, got, other = (filled(kind, count(start)) for start in (*FIRST_NUMBERS[:1], *FIRST_NUMBERS))
        assert not list(differences(got, wanted, ""))
        setattr(got, name, getattr(other, name))
        found = list(differences(got, wanted, ""))
        assert found and all(text.startswith(f".{name}") for text in found)


def hashes(layout: Layout) -> dict[str, str]:
    """Full type name -> RIHS01 hash (REP-2011) of all our types and of what they contain."""
    found: dict[str, str] = {}
    for path in (layout.install / "share" / "fitmotion_msgs").glob("*/*.json"):
        content: dict[str, Any] = json.loads(path.read_text())
        found |= {entry["type_name"]: entry["hash_string"] for entry in content["type_hashes"]}
    return found


def test_types_have_the_same_hash(here: Layout, there: Layout) -> None:
    mine, others = hashes(here), hashes(there)
    names = [name for name in mine if name.startswith("fitmotion_msgs/")]
    assert len(names) >= len(ours("msg")) + len(ours("srv")) + len(ours("action"))
    assert {name: mine[name] for name in names} == {name: others.get(name) for name in names}
