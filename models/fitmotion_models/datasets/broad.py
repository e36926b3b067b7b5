"""BROAD: one inertial sensor in an optical capture volume, as what it read and how it was moved.

The set: Laidig et al. 2021, "BROAD - a benchmark for robust inertial orientation estimation", Data 6(7). 39 trials of
one sensor in a hand's frame, rotated and translated, slowly and fast, undisturbed and disturbed, at 286 Hz.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.skeleton.rotations import Float64

_SHAPES = {"imu_acc": 3, "imu_gyr": 3, "opt_pos": 3, "opt_quat": 4, "movement": None}


@dataclass(frozen=True, eq=False)
class BroadTrial:
    """One trial, T instants of sensor and cameras at the same times.

    stamps: (T,) seconds. specific_force: (T, 3) m/s2 and angular_velocity: (T, 3) rad/s, in the sensor's frame.
    positions: (T, 3) metres of the cameras' marker frame and rotations: (T, 4) unit quaternions xyzw, sensor to a world
    of east, north and up; NaN where the cameras saw too little. moving: (T,) whether the trial's authors count the
    instant as movement.
    """

    name: str
    rate_hz: float
    stamps: NDArray[np.float64]
    specific_force: Float64
    angular_velocity: Float64
    positions: Float64
    rotations: Float64
    moving: NDArray[np.bool_]


def broad_files(folder: str | Path) -> list[Path]:
    """The trials' files (.mat) in a folder, by name. Raises ValueError where there is none."""
    found = sorted(Path(folder).expanduser().glob("*.mat"))
    if not found:
        raise ValueError(f"{folder} holds no trial of BROAD; give the folder with its .mat files")
    return found


def read_broad_trial(path: str | Path) -> BroadTrial:
    """Read one trial. Raises ValueError naming the file where it is none, OSError where it cannot be read."""
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        read = loadmat(path, squeeze_me=True)
    except (ValueError, TypeError, NotImplementedError, MatReadError) as error:
        raise ValueError(f"{path} is no MATLAB file of BROAD: {' '.join(str(error).split())}") from None
    missing = [name for name in ("sampling_rate", *_SHAPES) if name not in read]
    if missing:
        raise ValueError(f"{path} is no trial of BROAD: it has no {', '.join(missing)}")
    count = len(np.atleast_1d(read["movement"]))
    for name, width in _SHAPES.items():
        if (shape := np.shape(read[name])) != ((count,) if width is None else (count, width)):
            raise ValueError(f"{path}: {name} has shape {shape}, not one row for each of {count} samples")
    rate = float(read["sampling_rate"])
    return BroadTrial(
        name=Path(path).stem,
        rate_hz=rate,
        stamps=np.arange(count) / rate,
        specific_force=np.asarray(read["imu_acc"], dtype=np.float64),
        angular_velocity=np.asarray(read["imu_gyr"], dtype=np.float64),
        positions=np.asarray(read["opt_pos"], dtype=np.float64),
        rotations=np.asarray(read["opt_quat"], dtype=np.float64)[:, [1, 2, 3, 0]],
        moving=np.asarray(read["movement"]).astype(bool),
    )
