"""A picture of what sensors read: a row a sensor, specific force on the left and angular velocity on the right."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fitmotion_models.imu.values import ImuRecording
from fitmotion_models.skeleton.rotations import Float64

PICTURE_SUFFIXES = (".png", ".svg", ".pdf")
# red, green, blue for x, y, z as everywhere in robotics, in shades that differ in grey too
AXES = (("x", "#c8452f"), ("y", "#2f9150"), ("z", "#2f62b5"))
_GRID, _HOLE, _INK, _QUIET = "#e3e5e9", "#eceef1", "#2b2f36", "#7a808a"
_MOST_POINTS = 3000  # of a curve; longer recordings are drawn as the band between their extremes
_ROW_INCH, _ROOM_INCH, _HEAD_INCH, _WIDTH_INCH = 0.95, 1.3, 0.5, 12.0


def save_imu_picture(path: Path, recording: ImuRecording, title: str, *, format: str | None = None) -> None:
    """Draw a recording. format: png, svg or pdf, else by the path's ending. Raises OSError while writing."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    count = len(recording.sites)
    height = _ROOM_INCH + _ROW_INCH * max(2, count)
    head = 1.0 - _HEAD_INCH / height
    layout = ConstrainedLayoutEngine(h_pad=0.02, w_pad=0.06, hspace=0.02, wspace=0.03, rect=(0.008, 0.0, 0.984, head))
    figure = Figure(figsize=(_WIDTH_INCH, height), layout=layout)
    panels = figure.subplots(count, 2, sharex=True, squeeze=False)
    kinds = (
        ("specific force, m/s²", recording.specific_force),
        ("angular velocity, rad/s", recording.angular_velocity),
    )
    for column, (name, values) in enumerate(kinds):
        panels[0, column].set_title(name, fontsize=11, color=_INK, loc="left", pad=8)
        for row in range(count):
            _panel(panels[row, column], recording.stamps, values[:, row], last=row == count - 1)
    for row, site in enumerate(recording.sites):
        words = site.replace("_", "\n", 1).replace("_", " ")
        panels[row, 0].set_ylabel(words, rotation=0, ha="right", va="center", labelpad=10, fontsize=10, color=_INK)
    middle = 0.5 + 0.5 * head
    _legend(figure, recording, middle)
    heading = figure.text(0.012, middle, title, va="center", fontsize=13, fontweight="bold", color=_INK)
    heading.set_in_layout(False)
    figure.savefig(path, dpi=130, format=format or path.suffix[1:].lower(), facecolor="white")


def _panel(axes: Any, stamps: Float64, values: Float64, *, last: bool) -> None:
    _style(axes)
    for start, end in _holes(stamps, values):
        axes.axvspan(start, end, color=_HOLE, linewidth=0)
    for index, (_, colour) in enumerate(AXES):
        _curve(axes, stamps, values[:, index], colour)
    axes.margins(x=0.0, y=0.12)
    if len(stamps) > 1:
        axes.set_xlim(stamps[0], stamps[-1])
    if not np.isfinite(values).any():
        axes.set_ylim(-1.0, 1.0)
        axes.text(0.5, 0.5, "not seen", transform=axes.transAxes, ha="center", va="center", color=_QUIET, fontsize=9)
    axes.tick_params(labelbottom=last)
    if last:
        axes.set_xlabel("seconds", fontsize=9, color=_QUIET)


def _style(axes: Any) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.set_axisbelow(True)
    axes.grid(color=_GRID, linewidth=0.8)
    for side in ("top", "right", "left", "bottom"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=0, labelsize=8, labelcolor=_QUIET)
    axes.yaxis.set_major_locator(MaxNLocator(3, steps=[1, 2, 5, 10]))


def _curve(axes: Any, stamps: Float64, values: Float64, colour: str) -> None:
    if len(stamps) <= _MOST_POINTS:
        axes.plot(stamps, values, color=colour, linewidth=1.0, solid_joinstyle="round")
        return
    edges = np.linspace(0, len(stamps), _MOST_POINTS // 2 + 1).astype(int)
    times, low, high = (np.full(len(edges) - 1, np.nan) for _ in range(3))
    for index, (start, end) in enumerate(zip(edges[:-1], edges[1:], strict=True)):
        seen = values[start:end][np.isfinite(values[start:end])]
        times[index] = stamps[start]
        if len(seen):
            low[index], high[index] = seen.min(), seen.max()
    axes.fill_between(times, low, high, color=colour, linewidth=0.6, alpha=0.75)


def _holes(stamps: Float64, values: Float64) -> Sequence[tuple[float, float]]:
    """From when to when nothing was read; single lost samples are not drawn."""
    missing = ~np.isfinite(values).all(axis=-1)
    if missing.all() or not missing.any():
        return []
    edges = np.flatnonzero(np.diff(np.concatenate([[False], missing, [False]])))
    return [
        (float(stamps[start]), float(stamps[min(end, len(stamps) - 1)]))
        for start, end in zip(edges[::2], edges[1::2], strict=True)
        if end - start > 3
    ]


def _legend(figure: Any, recording: ImuRecording, height: float) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = [Line2D([], [], color=colour, linewidth=2.0, label=name) for name, colour in AXES]
    arrays = (recording.specific_force, recording.angular_velocity)
    if any(_holes(recording.stamps, array[:, site]) for array in arrays for site in range(len(recording.sites))):
        handles.append(Patch(color=_HOLE, label="not read"))
    legend = figure.legend(
        handles=handles,
        loc="center right",
        bbox_to_anchor=(0.992, height),
        ncols=len(handles),
        frameon=False,
        fontsize=10,
        labelcolor=_INK,
        handlelength=1.4,
        columnspacing=1.2,
    )
    legend.set_in_layout(False)
