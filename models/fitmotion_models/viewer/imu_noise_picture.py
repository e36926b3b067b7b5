"""A picture of what noise of the poses does to virtual sensors: a line a method, noise along the picture."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fitmotion_models.evaluation.imu_methods import OURS
from fitmotion_models.viewer.agreement_picture import check_picture_path
from fitmotion_models.viewer.palette import LEFT, on_paper

_PANELS = (
    ("acc_r", "specific force: r"),
    ("gyro_r", "angular velocity: r"),
    ("acc_rmse", "specific force: RMSE, m/s²"),
    ("gyro_rmse", "angular velocity: RMSE, rad/s"),
)
_OTHERS = (("#8a8f98", "-"), ("#8a8f98", "--"), ("#8a8f98", ":"), ("#8a8f98", "-."))


def save_imu_noise_picture(path: Path, figures: Sequence[Mapping[str, Any]]) -> None:
    """Write the picture of `noise_figures`. Raises ValueError as `check_picture_path`, OSError while writing."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullLocator

    check_picture_path(path)
    figure = Figure(figsize=(9.0, 6.4), layout="constrained")
    panels = figure.subplots(2, 2, sharex=True)
    levels = [level["position_mm"] for level in figures]
    ticks = [f"{level['position_mm']:g}\n{level['rotation_deg']:g}" for level in figures]
    names = list(figures[0]["methods"])
    for panel, (key, title) in zip(panels.flat, _PANELS, strict=True):
        others = iter(_OTHERS)
        for name in names:
            colour, style = (on_paper(LEFT), "-") if name == OURS else next(others)
            values = [level["methods"][name][key] for level in figures]
            width, marker = (2.4, "o") if name == OURS else (1.3, "")
            panel.plot(
                range(len(levels)), values, style, color=colour, linewidth=width, marker=marker, label=name, zorder=3
            )
        panel.set_title(title, fontsize=10, loc="left")
        panel.set_xticks(range(len(levels)), ticks, fontsize=8)
        panel.grid(axis="y", color="#e6e6e6", linewidth=0.8)
        panel.spines[["top", "right"]].set_visible(False)
        if key.endswith("_r"):
            panel.set_ylim(0.0, 1.02)
        else:
            panel.set_yscale("log")
            panel.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
            panel.yaxis.set_major_formatter("{x:g}")
            panel.yaxis.set_minor_locator(NullLocator())
    handles, labels = panels.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels), frameon=False, fontsize=9)
    figure.supxlabel("standard deviation of the noise in every pose: mm (above), degrees (below)", fontsize=10)
    figure.savefig(path, dpi=130)
