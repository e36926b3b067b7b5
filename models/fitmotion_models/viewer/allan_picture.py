"""A picture of the Allan deviation of sensors at rest, beside the lines that their data sheet's figures mean."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fitmotion_models.imu.sensor_spec import TriadSpec
from fitmotion_models.skeleton.rotations import Float64
from fitmotion_models.viewer.imu_picture import AXES

_GRID, _INK, _QUIET, _CURVE = "#e3e5e9", "#2b2f36", "#7a808a", "#2f62b5"


@dataclass(frozen=True, eq=False)
class AllanCurve:
    """What one kind of sensor showed. taus: (K,) s. deviations: (K, units, 3) in SI. unit: how SI is written."""

    spec: TriadSpec
    taus: Float64
    deviations: Float64
    unit: str


def save_allan_picture(path: Path, curves: Mapping[str, AllanCurve], title: str, *, format: str | None = None) -> None:
    """Draw a panel for each kind of sensor, by its name. Raises OSError while writing."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    layout = ConstrainedLayoutEngine(rect=(0.0, 0.0, 1.0, 0.91))
    figure = Figure(figsize=(5.0 * len(curves) + 0.4, 4.8), layout=layout)
    panels = figure.subplots(1, len(curves), squeeze=False)[0]
    for axes, (name, curve) in zip(panels, curves.items(), strict=True):
        _panel(axes, curve)
        axes.set_title(name, fontsize=11, color=_INK, loc="left")
        axes.set_xlabel("averaging time, s", fontsize=9, color=_QUIET)
        axes.set_ylabel(f"Allan deviation, {curve.unit}", fontsize=9, color=_QUIET)
    heading = figure.text(0.014, 0.955, title, va="center", fontsize=13, fontweight="bold", color=_INK)
    heading.set_in_layout(False)
    figure.savefig(path, dpi=130, format=format or path.suffix[1:].lower(), facecolor="white")


def _panel(axes: Any, curve: AllanCurve) -> None:
    axes.set_axisbelow(True)
    axes.grid(color=_GRID, linewidth=0.8, which="major")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(_GRID)
    axes.tick_params(which="both", length=0, labelsize=8, labelcolor=_QUIET)
    taus, flat = curve.taus, curve.deviations.reshape(len(curve.taus), -1)
    low, high = flat.min(axis=1), flat.max(axis=1)
    axes.fill_between(taus, low, high, color=_CURVE, alpha=0.15, linewidth=0, label="each axis of each unit")
    middle = np.sqrt(np.mean(flat**2, axis=1))
    axes.loglog(taus, middle, color=_CURVE, linewidth=1.8, label="their root mean square")
    spec = curve.spec
    colours = [colour for _, colour in AXES]
    if spec.noise_density:
        line = spec.noise_density / np.sqrt(2.0 * taus)
        axes.loglog(taus, line, color=colours[0], linestyle=(0, (4, 3)), linewidth=1.3, label="noise density")
    if spec.bias_instability:
        level = spec.bias_instability
        axes.axhline(level, color=colours[1], linestyle=(0, (4, 3)), linewidth=1.3, label="bias instability")
    if spec.random_walk:
        line = spec.random_walk * np.sqrt(taus / 3.0)
        axes.loglog(taus, line, color=_QUIET, linestyle=(0, (4, 3)), linewidth=1.3, label="random walk")
    positive = low[low > 0.0]
    if len(positive):
        axes.set_ylim(10.0 ** (math.floor(math.log10(positive.min()) * 4.0) / 4.0), None)
    axes.legend(frameon=False, fontsize=8, labelcolor=_INK, loc="best")
