"""A picture of how asked and judged grades agree: a matrix for each judge and each way of asking."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fitmotion_models.evaluation.fms_judges import GRADES
from fitmotion_models.viewer.agreement_picture import check_picture_path

_NO_ROWS = ("ceiling", "chance")


def save_consistency_picture(path: Path, figures: Mapping[str, Any]) -> None:
    """Draw the confusion matrices of `fms_consistency`: shares of the motions that were asked for with a grade.

    Raises ValueError as `check_picture_path`, OSError on writing.
    """
    from matplotlib.figure import Figure

    check_picture_path(path)
    rows = [name for name in figures if name not in _NO_ROWS]
    judges = list(figures[rows[0]])
    figure = Figure(figsize=(2.3 * len(judges) + 0.6, 2.3 * len(rows) + 0.4), layout="constrained")
    panels = figure.subplots(len(rows), len(judges), squeeze=False)
    for line, name in zip(panels, rows, strict=True):
        for axes, judge in zip(line, judges, strict=True):
            one = figures[name].get(judge)
            if one is None:
                axes.set_axis_off()
                continue
            _draw(axes, np.array(one["confusion"], float))
            axes.set_title(f"{judge.replace('_', ' ')}\n{one['accuracy']:.2f}", fontsize=8)
        line[0].set_ylabel(f"{name}\ngrade asked for" if name != "real" else "real\ngrade", fontsize=8)
    for axes in panels[-1]:
        axes.set_xlabel("judged", fontsize=8)
    figure.savefig(path, dpi=130)


def _draw(axes: Any, counts: "np.ndarray[Any, np.dtype[np.float64]]") -> None:
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1.0)
    axes.imshow(shares, cmap="Blues", vmin=0.0, vmax=1.0)
    axes.set_xticks(range(len(GRADES)), GRADES)
    axes.set_yticks(range(len(GRADES)), GRADES)
    for row in range(len(GRADES)):
        for column in range(len(GRADES)):
            shade = "white" if shares[row, column] > 0.55 else "black"
            axes.text(column, row, f"{shares[row, column]:.2f}", ha="center", va="center", color=shade, fontsize=8)
