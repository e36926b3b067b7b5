"""A picture of how far raters agree: each pair's scores against each other and, beside it, kappa with its interval."""

import math
from pathlib import Path

import numpy as np

from fitmotion_models.evaluation.ratings import ALL_TESTS, WEIGHTS, RatersAgreement, Scores
from fitmotion_models.viewer.palette import LEFT, on_paper

PICTURE_SUFFIXES = (".png", ".svg", ".pdf")


def check_picture_path(path: Path) -> None:
    """Raises ValueError when a picture cannot be written there: the kind, the folder, or one that is there already."""
    if path.suffix.lower() not in PICTURE_SUFFIXES:
        raise ValueError(f"{path}: a picture's name ends in {', '.join(PICTURE_SUFFIXES)}")
    if not path.parent.is_dir():
        raise ValueError(f"{path}: no folder {path.parent}; make it first")
    if path.exists():
        raise ValueError(f"{path} exists already; choose another name or delete it")


def save_agreement_picture(path: Path, scores: Scores, found: RatersAgreement) -> None:
    """Write the picture, a row a pair of raters. Raises ValueError as `check_picture_path`, OSError while writing."""
    from matplotlib.figure import Figure

    check_picture_path(path)
    pairs = [pair for pair in found.pairs if pair.tests == ALL_TESTS]
    figure = Figure(figsize=(9.0, 3.4 * len(pairs)), layout="constrained")
    panels = figure.subplots(len(pairs), 2, squeeze=False)
    for pair, (counts, kappas) in zip(pairs, panels, strict=True):
        common = [case for case in scores[pair.first] if case in scores[pair.second]]
        table = np.zeros((4, 4), int)
        for case in common:
            table[scores[pair.second][case], scores[pair.first][case]] += 1
        counts.imshow(table, cmap="Blues", origin="lower", vmin=0)
        for (row, column), count in np.ndenumerate(table):
            colour = "white" if count > 0.6 * table.max() else "#222"
            counts.text(column, row, str(count) if count else "", ha="center", va="center", color=colour)
        counts.plot([-0.5, 3.5], [-0.5, 3.5], color="#999", linewidth=0.8)
        counts.set(xticks=range(4), yticks=range(4), xlabel=f"score of {pair.first}", ylabel=f"score of {pair.second}")
        counts.set_title(f"{len(common)} cases, {100 * pair.exact:.0f} % equal", fontsize=10)
        for place, kind in enumerate(reversed(WEIGHTS)):
            interval = pair.kappa[kind]
            if not math.isnan(interval.low):
                kappas.plot([interval.low, interval.high], [place, place], color=on_paper(LEFT), linewidth=2)
            kappas.plot([interval.value], [place], "o", color=on_paper(LEFT))
        kappas.set(yticks=range(3), yticklabels=WEIGHTS[::-1], xlim=(-0.35, 1.05), ylim=(-0.6, 2.6), xlabel="kappa")
        kappas.axvline(0, color="#999", linewidth=0.8)
        kappas.set_title("95 % intervals, persons drawn again", fontsize=10)
    figure.savefig(path, dpi=130)
