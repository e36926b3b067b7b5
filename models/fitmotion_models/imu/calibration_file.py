"""A calibration as a file: one npz, its provenance in it as JSON, readable by NumPy alone."""

import json
import os
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from fitmotion_models.imu.calibration import Calibration, SensorCalibration
from fitmotion_models.imu.provenance import Provenance
from fitmotion_models.imu.rank_transform import RankTransform

FORMAT = "fitmotion.imu_calibration"
VERSION = 1
_ARRAYS = ("rotation", "lag_s", "score", "scale", "bias")


def save_calibration(path: str | Path, calibration: Calibration, *, overwrite: bool = False) -> Path:
    """Write a calibration; returns the path. Written beside and moved into place, so that no half file is ever seen.

    Raises ValueError when the name does not end in .npz, FileExistsError when the file is there and overwrite is False,
    OSError when it cannot be written.
    """
    target = Path(path)
    if target.suffix != ".npz":
        raise ValueError(f"calibration {target} must be named *.npz")
    if target.exists() and not overwrite:
        raise FileExistsError(f"calibration {target} exists; choose another name or delete it")
    fields: dict[str, Any] = {
        "format": np.array(FORMAT),
        "version": np.array(VERSION),
        "sites": np.array(list(calibration.sensors)),
        "provenance": np.array(json.dumps(asdict(calibration.provenance), allow_nan=False)),
    }
    for site, sensor in calibration.sensors.items():
        fields |= {f"{site}/{name}": np.asarray(getattr(sensor, name)) for name in _ARRAYS}
        fields[f"{site}/activities"] = np.array(list(sensor.ranks), dtype=str)
        if sensor.ranks:
            fields[f"{site}/virtual_quantiles"] = np.stack([one.virtual for one in sensor.ranks.values()])
            fields[f"{site}/real_quantiles"] = np.stack([one.real for one in sensor.ranks.values()])
    partial = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with partial.open("wb") as file:
            np.savez_compressed(file, **fields)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return target


def load_calibration(path: str | Path) -> Calibration:
    """What `save_calibration` wrote. Raises FileNotFoundError, and ValueError when it is something else."""
    source = Path(path)
    if not source.is_file():
        raise FileNotFoundError(f"calibration {source} does not exist; make one with `fitmotion imu calibrate`")
    try:
        with np.load(source, allow_pickle=False) as archive:
            fields = {name: archive[name] for name in archive.files}
        if str(fields["format"]) != FORMAT or int(fields["version"]) > VERSION:
            raise ValueError(f"it is {fields['format']} {fields['version']}")
        sensors = {str(site): _sensor(fields, str(site)) for site in fields["sites"]}
        told = json.loads(str(fields["provenance"]))
        told |= {"persons": tuple(told["persons"]), "activities": tuple(told["activities"])}
        return Calibration(sensors, Provenance(**told))
    except (ValueError, OSError, EOFError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"{source} is no calibration that this FitMotion can read ({error}); make it anew with `fitmotion imu "
            "calibrate`"
        ) from None


def _sensor(fields: dict[str, Any], site: str) -> SensorCalibration:
    rotation, lag, score, scale, bias = (fields[f"{site}/{name}"] for name in _ARRAYS)
    if rotation.shape != (4,) or scale.shape != (6,) or bias.shape != (6,):
        raise ValueError(f"the arrays of {site} have other shapes")
    names = [str(name) for name in fields[f"{site}/activities"]]
    ranks = {}
    if names:
        quantiles = zip(fields[f"{site}/virtual_quantiles"], fields[f"{site}/real_quantiles"], strict=True)
        ranks = {name: RankTransform(*both) for name, both in zip(names, quantiles, strict=True)}
    return SensorCalibration(rotation, float(lag), float(score), scale, bias, ranks)
