"""A picture of how noise turns verdicts: a panel a test, the distance of the truth from its threshold along it."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fitmotion_models.evaluation.rule_report import MOST_WRONG
from fitmotion_models.evaluation.rules import CLEAN, Outcome, bins_of, with_noise
from fitmotion_models.viewer.agreement_picture import check_picture_path
from fitmotion_models.viewer.palette import LEFT, RIGHT, on_paper

# Edges of the drawn bins, noise standard deviations; whatever is further is in the last one.
EDGES = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, math.inf)
_SHOWN_TO = 4.5
# a share of fewer verdicts is not drawn
_FEWEST = 5


def save_rule_picture(path: Path, outcomes: Sequence[Outcome]) -> None:
    """Write the picture. Raises ValueError as `check_picture_path`, OSError while writing."""
    from matplotlib.figure import Figure

    check_picture_path(path)
    columns = min(4, len(outcomes))
    rows = math.ceil(len(outcomes) / columns)
    figure = Figure(figsize=(0.8 + 3.4 * columns, 0.9 + 2.8 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    for panel, outcome in zip(panels.flat, outcomes, strict=False):
        _draw(panel, outcome)
    for panel in panels.flat[len(outcomes) :]:
        panel.set_visible(False)
    handles, labels = panels.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels), frameon=False, fontsize=9)
    figure.supxlabel("distance of the truth from the threshold, standard deviations of the noise", fontsize=10)
    figure.supylabel("share of the verdicts, %", fontsize=10)
    figure.savefig(path, dpi=130)


def _draw(panel: Any, outcome: Outcome) -> None:
    panel.axvspan(0.0, 1.0, color="#f2f2f2", linewidth=0)
    panel.axhline(100.0 * MOST_WRONG, color="#888", linewidth=0.8, linestyle=(0, (2, 2)))
    names = [name for name in outcome.clips if name != CLEAN.name]
    for name, colour in zip(names, (on_paper(LEFT), on_paper(RIGHT)), strict=False):
        bins = [one for one in bins_of(with_noise(outcome.under(name)), EDGES) if one.count >= _FEWEST]
        places = [0.5 * (one.low + min(one.high, 5.0)) for one in bins]
        panel.plot(
            places, [100.0 * one.wrong for one in bins], "o-", color=colour, markersize=4, label=f"{name}: wrong"
        )
        panel.plot(
            places, [100.0 * one.not_seen for one in bins], "--", color=colour, linewidth=1.0, label="not called"
        )
    panel.set(xlim=(0.0, _SHOWN_TO), ylim=(-2.0, 102.0), xticks=range(5))
    panel.set_title(outcome.test.movement.name.lower().replace("_", " "), fontsize=10)
    panel.spines[["top", "right"]].set_visible(False)
