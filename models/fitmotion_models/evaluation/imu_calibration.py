"""What a calibration does to virtual sensors: how near they are to the real ones before and after."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from fitmotion_models.imu.alignment import Curve
from fitmotion_models.imu.calibration import Calibration, CalibrationPair
from fitmotion_models.imu.values import ImuRecording
from fitmotion_models.skeleton.rotations import Float64

BEFORE, AFTER = "before", "after"
_STILL = 1e-9
Together = tuple[Float64, Float64]


def before_and_after(pairs: Sequence[CalibrationPair], calibration: Calibration) -> dict[str, Any]:
    """Site -> before, after -> figures over all pairs, for JSON; the axes are the real sensor's.

    acc_r, gyro_r: the mean of the axes' Pearson correlations; acc_rmse (m/s2), gyro_rmse (rad/s): of single axes;
    acc_spread, gyro_spread: the virtual signal's standard deviation as a share of the real one's. None: not defined.
    """
    made = [calibration.apply(_known_sites(pair, calibration), activity=pair.activity) for pair in pairs]
    result: dict[str, Any] = {}
    for site in calibration.sensors:
        theirs = [(pair, after) for pair, after in zip(pairs, made, strict=True) if site in pair.sites]
        if theirs:
            result[site] = {
                BEFORE: _figures([together(pair, pair.virtual, site) for pair, _ in theirs]),
                AFTER: _figures([together(pair, after, site) for pair, after in theirs]),
            }
    return result


def together(pair: CalibrationPair, virtual: ImuRecording, site: str) -> Together:
    """Virtual and real (N, 6), force then rate, at the real sensor's instants at which both are known."""
    index, own = virtual.sites.index(site), pair.real.sites.index(site)
    values = np.concatenate([virtual.specific_force[:, index], virtual.angular_velocity[:, index]], axis=1)
    found = Curve(virtual.stamps, values)(pair.real.stamps)
    true = np.concatenate([pair.real.specific_force[:, own], pair.real.angular_velocity[:, own]], axis=1)
    known = np.isfinite(found).all(axis=1) & np.isfinite(true).all(axis=1)
    return found[known], true[known]


def _known_sites(pair: CalibrationPair, calibration: Calibration) -> ImuRecording:
    """The virtual recording with the sites that were calibrated."""
    kept = [index for index, site in enumerate(pair.virtual.sites) if site in calibration.sensors]
    virtual = pair.virtual
    field = virtual.magnetic_field
    return replace(
        virtual,
        sites=tuple(virtual.sites[index] for index in kept),
        specific_force=virtual.specific_force[:, kept],
        angular_velocity=virtual.angular_velocity[:, kept],
        rotations=virtual.rotations[:, kept],
        magnetic_field=None if field is None else field[:, kept],
    )


def _figures(parts: Sequence[Together]) -> dict[str, float | None]:
    found, true = (np.concatenate([part[side] for part in parts]) for side in (0, 1))
    figures: dict[str, float | None] = {}
    for kind, columns in (("acc", slice(0, 3)), ("gyro", slice(3, 6))):
        a, b = found[:, columns], true[:, columns]
        moving = len(a) > 1 and bool((a.std(axis=0) > _STILL).all() and (b.std(axis=0) > _STILL).all())
        correlations = [np.corrcoef(a[:, axis], b[:, axis])[0, 1] for axis in range(3)] if moving else []
        figures[f"{kind}_r"] = _rounded(np.mean(correlations)) if moving else None
        figures[f"{kind}_rmse"] = _rounded(np.sqrt(np.mean((a - b) ** 2))) if len(a) else None
        figures[f"{kind}_spread"] = _rounded(a.std(axis=0).mean() / b.std(axis=0).mean()) if moving else None
    return figures


def _rounded(value: float) -> float:
    return round(float(value), 4)
