"""A picture of what a calibration does: a real sensor and the virtual one before and after, axis by axis."""

from pathlib import Path
from typing import Any

import numpy as np

from fitmotion_models.evaluation.imu_calibration import together
from fitmotion_models.imu.alignment import Curve
from fitmotion_models.imu.calibration import Calibration, CalibrationPair
from fitmotion_models.imu.values import ImuRecording
from fitmotion_models.skeleton.rotations import Float64

_REAL, _BEFORE, _AFTER = "#2b2f36", "#b9bec7", "#c8452f"
_GRID, _QUIET = "#e3e5e9", "#7a808a"
_LONGEST_S = 20.0  # what is drawn; more would be a band
_KINDS = (("specific force, m/s²", "specific_force"), ("angular velocity, rad/s", "angular_velocity"))


def save_calibration_picture(
    path: Path, pair: CalibrationPair, calibration: Calibration, site: str, title: str, *, format: str | None = None
) -> None:
    """Draw one pair at one site. format: png, svg or pdf, else by the path's ending. Raises OSError while writing."""
    from matplotlib.figure import Figure

    virtual = _only(pair.virtual, site)
    after = calibration.apply(virtual, activity=pair.activity)
    figure = Figure(figsize=(12.0, 6.2), layout="constrained")
    panels = figure.subplots(3, 2, sharex=True)
    scores = [_correlations(pair, made, site) for made in (virtual, after)]
    for column, (name, field) in enumerate(_KINDS):
        panels[0, column].set_title(name, loc="left", fontsize=11)
        for axis in range(3):
            panel = panels[axis, column]
            _style(panel, last=axis == 2)
            stamps, real = _shown(pair.real.stamps, getattr(pair.real, field)[:, pair.real.sites.index(site), axis])
            panel.plot(stamps, real, color=_REAL, linewidth=1.6, label="real")
            for label, made, colour in (("virtual", virtual, _BEFORE), ("calibrated", after, _AFTER)):
                values = Curve(made.stamps, getattr(made, field)[:, 0, axis][:, None])(stamps)[:, 0]
                panel.plot(stamps, values, color=colour, linewidth=1.2, label=label)
            r = [_words(score[3 * column + axis]) for score in scores]
            panel.set_title(f"r {r[0]} → {r[1]}", loc="right", fontsize=9, color=_QUIET)
            if column == 0:
                panel.set_ylabel("xyz"[axis], rotation=0, labelpad=12, fontsize=11)
    figure.suptitle(title, x=0.012, ha="left", fontsize=13, fontweight="bold")
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="upper right", ncols=3, frameon=False, fontsize=10)
    figure.savefig(path, dpi=130, format=format or path.suffix[1:].lower(), facecolor="white")


def _only(recording: ImuRecording, site: str) -> ImuRecording:
    index = [recording.sites.index(site)]
    field = recording.magnetic_field
    return ImuRecording(
        sites=(site,),
        rate_hz=recording.rate_hz,
        stamps=recording.stamps,
        specific_force=recording.specific_force[:, index],
        angular_velocity=recording.angular_velocity[:, index],
        rotations=recording.rotations[:, index],
        magnetic_field=None if field is None else field[:, index],
    )


def _shown(stamps: Float64, values: Float64) -> tuple[Float64, Float64]:
    rows = stamps <= stamps[0] + _LONGEST_S
    return stamps[rows], values[rows]


def _correlations(pair: CalibrationPair, made: ImuRecording, site: str) -> list[float]:
    found, true = together(pair, made, site)
    with np.errstate(invalid="ignore", divide="ignore"):
        return [float(np.corrcoef(found[:, one], true[:, one])[0, 1]) for one in range(6)]


def _words(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.2f}"


def _style(axes: Any, *, last: bool) -> None:
    axes.grid(color=_GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left", "bottom"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=0, labelsize=8, labelcolor=_QUIET)
    axes.margins(x=0.0)
    if last:
        axes.set_xlabel("seconds", fontsize=9, color=_QUIET)
