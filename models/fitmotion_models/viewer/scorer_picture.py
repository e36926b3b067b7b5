"""A picture of how well scorers do on persons that they have not seen: a line a scorer, a dot a person."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fitmotion_models.viewer.agreement_picture import check_picture_path

_COLOURS = {"best": "#0072b2", "baseline_trees": "#999999", "baseline_linear": "#666666"}


def save_scorer_picture(path: Path, figures: Mapping[str, Any]) -> None:
    """Write the picture of what `evaluate fms` found. Raises ValueError as `check_picture_path`, OSError on writing."""
    from matplotlib.figure import Figure

    check_picture_path(path)
    panels = [name for name in figures if name == "mean" or name.startswith("m0")]
    figure = Figure(figsize=(3.2 * len(panels), 3.6), layout="constrained")
    for axes, name in zip(figure.subplots(1, len(panels), sharey=True, squeeze=False)[0], panels, strict=True):
        rows = figures[name]
        for place, (scorer, row) in enumerate(reversed(rows.items())):
            colour = _COLOURS.get(scorer, "#b0b0b0")
            accuracies = list(row["per_person"].values())
            axes.plot(accuracies, [place] * len(accuracies), "o", color=colour, alpha=0.35, markersize=5)
            axes.plot([row["accuracy"]], [place], "D", color=colour, markersize=7)
            axes.text(1.04, place, f"{row['accuracy']:.2f}", va="center", fontsize=8)
        axes.set(yticks=range(len(rows)), yticklabels=[one.replace("_", " ") for one in reversed(rows)])
        axes.set(xlim=(0.3, 1.18), ylim=(-0.6, len(rows) - 0.4), xlabel="accuracy")
        axes.set_title("m01 to m03" if name == "mean" else name, fontsize=10)
        axes.axvline(0.5, color="#ddd", linewidth=0.8, zorder=0)
    found = figures.get("best_minus_baseline")
    if found is not None:
        low, high = found["ci95"]
        figure.suptitle(
            f"best less {found['baseline'].replace('_', ' ')}: {found['mean']:+.3f}, 95 % interval {low:+.3f} to "
            f"{high:+.3f}; circles: persons left out, diamonds: all",
            fontsize=10,
        )
    figure.savefig(path, dpi=130)
