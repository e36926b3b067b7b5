"""Recordings of CMU and HDM05, and a small skeleton of the same form."""

import os
import tarfile
from pathlib import Path

import pytest

DATA = Path(os.environ.get("FITMOTION_DATA", Path(__file__).parents[4] / "shared" / "data"))


def unpack(archive_name: str, wanted: set[str], folder: Path) -> Path:
    archive = DATA / archive_name
    if not archive.is_file():
        pytest.skip(f"no recordings at {archive}; set FITMOTION_DATA to the folder that holds them")
    with tarfile.open(archive) as tar:
        for member in tar:
            name = Path(member.name).name
            if name in wanted and (file := tar.extractfile(member)) is not None:
                (folder / name).write_bytes(file.read())
                if wanted <= {path.name for path in folder.iterdir()}:
                    break
    return folder


@pytest.fixture(scope="session")
def cmu(tmp_path_factory):
    """Folder with subject 2's skeleton, a walk and a run."""
    return unpack("cmu-01-03.tar.xz", {"02.asf", "02_01.amc", "02_03.amc"}, tmp_path_factory.mktemp("cmu"))


@pytest.fixture(scope="session")
def hdm05(tmp_path_factory):
    """Folder with actor bd's skeleton and a squat."""
    wanted = {"HDM_bd.asf", "HDM_bd_squat1Reps_002_120.amc"}
    return unpack("hdm05-cuts.tar.xz", wanted, tmp_path_factory.mktemp("hdm05"))


@pytest.fixture(scope="session")
def uiprmd_archive() -> Path:
    """Packed UI-PRMD recordings of eight persons."""
    archive = DATA / "uiprmd-s01-s08.tar.xz"
    if not archive.is_file():
        pytest.skip(f"no UI-PRMD recordings at {archive}; set FITMOTION_DATA to the folder that holds them")
    return archive


@pytest.fixture(scope="session")
def bandai_archive() -> Path:
    """Packed recordings of Bandai Namco's sets."""
    archive = DATA / "bandai-namco-bvh-ccbync.tar.xz"
    if not archive.is_file():
        pytest.skip(f"no recordings at {archive}; set FITMOTION_DATA to the folder that holds them")
    return archive


@pytest.fixture(scope="session")
def utd_archive() -> Path:
    """Packed recordings of UTD-MHAD."""
    archive = DATA / "utd-mhad-s1-s7.tar.xz"
    if not archive.is_file():
        pytest.skip(f"no recordings at {archive}; set FITMOTION_DATA to the folder that holds them")
    return archive
