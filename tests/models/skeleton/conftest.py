"""Poses to test with, and the UI-PRMD recordings."""

import os
import tarfile
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

DATA = Path(os.environ.get("FITMOTION_DATA", Path(__file__).parents[4] / "shared" / "data"))
UIPRMD_PARENTS = (-1, 0, 1, 2, 3, 4, 2, 6, 7, 8, 2, 10, 11, 12, 0, 14, 15, 16, 0, 18, 19, 20)
UIPRMD_STEMS = ("m01_s01_e01", "m02_s07_e05", "m03_s04_e03", "m06_s03_e02")


def _uiprmd_positions(local: NDArray[np.float64], angles: NDArray[np.float64]) -> NDArray[np.float64]:
    """World positions (T, 22, 3), metres, y up, of a recording: offsets in cm, Euler angles in degrees."""
    world = np.zeros_like(local)
    turned: list[Rotation] = []
    for joint, parent in enumerate(UIPRMD_PARENTS):
        # of all orders this is the one in which standing feet stay where they are, see datasets/uiprmd.py
        rotation = Rotation.from_euler("yxz", angles[:, joint][:, [1, 0, 2]], degrees=True)
        turned.append(rotation if parent < 0 else turned[parent] * rotation)
        world[:, joint] = local[:, joint] if parent < 0 else world[:, parent] + turned[parent].apply(local[:, joint])
    return world / 100.0


@pytest.fixture(scope="session")
def uiprmd() -> dict[str, NDArray[np.float64]]:
    """A few correct repetitions of UI-PRMD: name -> positions (T, 22, 3), metres, y up."""
    archive = DATA / "uiprmd-s01-s08.tar.xz"
    if not archive.is_file():
        pytest.skip(f"no UI-PRMD recordings at {archive}; set FITMOTION_DATA to the folder that holds them")
    wanted = {f"{stem}_{kind}.txt" for stem in UIPRMD_STEMS for kind in ("positions", "angles")}
    tables: dict[str, NDArray[np.float64]] = {}
    with tarfile.open(archive) as tar:
        for member in tar:
            name = Path(member.name).name
            if name in wanted and (file := tar.extractfile(member)) is not None:
                tables[name] = np.loadtxt(file, delimiter=",").reshape(-1, 22, 3)
            if len(tables) == len(wanted):
                break
    return {
        stem: _uiprmd_positions(tables[f"{stem}_positions.txt"], tables[f"{stem}_angles.txt"]) for stem in UIPRMD_STEMS
    }
