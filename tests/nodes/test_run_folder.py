"""The folder of a run and the lock of a domain."""

import json
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from fitmotion_nodes.domain_lock import DomainLock, DomainTakenError
from fitmotion_nodes.run_folder import RunFolder, RunFolderError

NOON = datetime(2026, 3, 1, 12, 0, 0)


def test_two_runs_of_one_second_have_folders_of_their_own(tmp_path: Path) -> None:
    first, second = RunFolder(tmp_path / "runs", NOON), RunFolder(tmp_path / "runs", NOON)
    assert (first.path.name, second.path.name) == ("2026-03-01T12-00-00", "2026-03-01T12-00-00-2")


def test_an_assessment_is_never_overwritten_and_nothing_half_done_is_left(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path, NOON)
    path = folder.write_assessment({"assessments": []})
    with pytest.raises(RunFolderError, match="exists already"):
        folder.write_assessment({"assessments": [1]})
    assert json.loads(path.read_text()) == {"assessments": []}
    assert {item.name for item in folder.path.iterdir()} == {"assessment.json", "log", "parameters"}


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunFolderError, match=r"file.*--out"):
        RunFolder(tmp_path / "file" / "runs", NOON)
    with pytest.raises(RunFolderError, match=r"/proc.*--out"):  # read-only for everybody, root included
        RunFolder(Path("/proc/runs"), NOON)


def test_what_the_nodes_say_is_kept_apart(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path, NOON)
    for name, line in (("pose", "one"), ("fms", "two"), ("pose", "three")):
        folder.log(name, line)
    folder.close()
    assert (folder.path / "log" / "pose.log").read_text() == "one\nthree\n"


def test_a_domain_is_held_once_and_free_again_after(tmp_path: Path) -> None:
    taken = rf"domain 3 \(process {os.getpid()}\).*--domain 4"
    with DomainLock(3, tmp_path), DomainLock(4, tmp_path), pytest.raises(DomainTakenError, match=taken):
        DomainLock(3, tmp_path)
    with DomainLock(3, tmp_path) as again:
        assert again.abandoned_since is None


def test_a_holder_that_was_killed_leaves_word_when_it_began(tmp_path: Path) -> None:
    program = (
        f"import os, sys; sys.path[:0] = {sys.path!r}\n"
        "from pathlib import Path\nfrom fitmotion_nodes.domain_lock import DomainLock\n"
        f"lock = DomainLock(3, Path({str(tmp_path)!r}))\nos.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == -9
    with DomainLock(3, tmp_path) as lock:
        assert lock.abandoned_since is not None
        assert abs(lock.abandoned_since - (tmp_path / "domain_3.lock").stat().st_mtime) < 60
