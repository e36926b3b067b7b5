"""Pictures of a data card: how much there is of what and of whom, how long, what the sensors read, examples."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fitmotion_models.datasets.synthesis.card_figures import CardFigures, Example, SignalRange
from fitmotion_models.datasets.synthesis.data_card import PICTURES
from fitmotion_models.datasets.synthesis.files import write_whole
from fitmotion_models.datasets.synthesis.sources import REAL, SYNTHETIC

_COLOURS = {SYNTHETIC: "#3b76af", REAL: "#dd8344"}
_AXIS_COLOURS = ("#c0392b", "#27803b", "#2c5aa0")
_DPI = 120
_MOST_LABELS, _MOST_SUBJECTS = 30, 30
_LONGEST_NAME = 26


def save_card_pictures(folder: Path, figures: CardFigures) -> list[Path]:
    """Draw a card's pictures into the data set's folder; returns their paths. Raises StorageError."""
    pictures = {"windows": _windows, "durations": _durations, "signal_ranges": _ranges, "examples": _examples}
    paths = []
    for name, draw in pictures.items():
        figure = draw(figures)
        if figure is None:
            continue
        stream = io.BytesIO()
        figure.savefig(stream, dpi=_DPI, format="png")
        path = folder / PICTURES / f"{name}.png"
        write_whole(path, stream.getvalue())
        paths.append(path)
    return paths


def _windows(figures: CardFigures) -> Any:
    """Windows of every label and subject as a table of shades, with the sums of labels beside."""
    if not figures.windows:
        return None
    labels = _largest([window.label for window in figures.windows], _MOST_LABELS)
    subjects = _largest([window.subject for window in figures.windows], _MOST_SUBJECTS)
    counts = np.zeros((len(labels), len(subjects)))
    rows, columns = ({name: index for index, name in enumerate(names)} for names in (labels, subjects))
    sums = {kind: np.zeros(len(labels)) for kind in _COLOURS}
    for window in figures.windows:
        if window.label in rows:
            sums[window.kind][rows[window.label]] += 1
            if window.subject in columns:
                counts[rows[window.label], columns[window.subject]] += 1
    figure = _figure(5.2 + 0.36 * len(subjects), 1.3 + 0.26 * len(labels))
    shades, bars = figure.subplots(1, 2, width_ratios=[max(1.2, 0.36 * len(subjects)), 2.4], sharey=True)
    # the root, so that what is rare can be told from what is not there
    shades.imshow(np.where(counts > 0, np.sqrt(counts), np.nan), cmap="Blues", aspect="auto", vmin=0.0)
    shades.set_xticks(range(len(subjects)), [_short(name) for name in subjects], rotation=60, ha="right", fontsize=7)
    shades.set_yticks(range(len(labels)), [_short(name) for name in labels], fontsize=8)
    shades.set_title("windows of each subject", fontsize=9)
    if counts.size <= 400:
        _write_counts(shades, counts)
    left = np.zeros(len(labels))
    for kind, values in sums.items():
        if values.any():
            bars.barh(range(len(labels)), values, left=left, color=_COLOURS[kind], label=kind, height=0.7)
            left += values
    bars.set_title("windows of each label", fontsize=9)
    bars.legend(fontsize=8, frameon=False, loc="best")
    _plain(bars)
    return figure


def _write_counts(axes: Any, counts: Any) -> None:
    for row, column in zip(*np.nonzero(counts), strict=True):
        shade = "white" if counts[row, column] > 0.4 * counts.max() else "black"
        axes.text(column, row, f"{counts[row, column]:.0f}", ha="center", va="center", color=shade, fontsize=7)


def _durations(figures: CardFigures) -> Any:
    """How long recordings are, and minutes of every split."""
    figure = _figure(8.0, 2.8)
    lengths, splits = figure.subplots(1, 2, width_ratios=[2, 1])
    seconds = {kind: [row.seconds for row in figures.rows if row.kind == kind] for kind in _COLOURS}
    longest = max(row.seconds for row in figures.rows)
    edges = np.linspace(0.0, longest, 25)
    there = {kind: values for kind, values in seconds.items() if values}
    colours = [_COLOURS[kind] for kind in there]
    lengths.hist(list(there.values()), bins=edges, stacked=True, color=colours, label=list(there))
    lengths.set_xlabel("length of a recording, s", fontsize=8)
    lengths.set_ylabel("recordings", fontsize=8)
    lengths.legend(fontsize=8, frameon=False)
    names = [name for name in ("train", "validation", "test") if any(row.split == name for row in figures.rows)]
    left = np.zeros(len(names))
    for kind in there:
        rows = [row for row in figures.rows if row.kind == kind]
        minutes = [sum(row.seconds for row in rows if row.split == name) / 60.0 for name in names]
        splits.bar(names, minutes, bottom=left, color=_COLOURS[kind], width=0.6)
        left += minutes
    splits.set_ylabel("minutes", fontsize=8)
    for axes in (lengths, splits):
        _plain(axes)
    return figure


def _ranges(figures: CardFigures) -> Any:
    """Boxes from the 1st to the 99th percentile of the vectors' lengths, a line a sensor."""
    ranges = [one for one in figures.ranges if np.isfinite(one.force[0])]
    if not ranges:
        return None
    figure = _figure(8.0, 1.1 + 0.26 * len(ranges))
    panels = figure.subplots(1, 2, sharey=True)
    fields = (("force", "specific force, m/s2"), ("rate", "angular velocity, rad/s"))
    for axes, (field, unit) in zip(panels, fields, strict=True):
        boxes = [_box(one, field) for one in ranges]
        drawn = axes.bxp(boxes, orientation="horizontal", showfliers=False, patch_artist=True, widths=0.6)
        for patch, one in zip(drawn["boxes"], ranges, strict=True):
            patch.set(facecolor=_COLOURS[one.kind], edgecolor="none")
        for line in drawn["medians"]:
            line.set_color("white")
        for line in (*drawn["whiskers"], *drawn["caps"]):
            line.set(color="#555555", linewidth=0.8)
        axes.set_xlabel(unit, fontsize=8)
        _plain(axes)
    kinds = {one.kind for one in ranges}
    names = [one.site if len(kinds) == 1 else f"{one.site} ({one.kind})" for one in ranges]
    panels[0].set_yticks(range(1, len(ranges) + 1), names, fontsize=8)
    panels[0].invert_yaxis()
    return figure


def _box(one: SignalRange, field: str) -> dict[str, Any]:
    low, first, median, third, high = getattr(one, field)
    return {"whislo": low, "q1": first, "med": median, "q3": third, "whishi": high}


def _examples(figures: CardFigures) -> Any:
    """Windows as they are: specific force above, angular velocity below."""
    if not figures.examples:
        return None
    count = len(figures.examples)
    figure = _figure(2.7 * max(2, count), 4.0)
    panels = figure.subplots(2, count, squeeze=False, sharex=False)
    for column, example in enumerate(figures.examples):
        _draw_example(panels[:, column], example)
    panels[0, 0].set_ylabel("specific force, m/s2", fontsize=8)
    panels[1, 0].set_ylabel("angular velocity, rad/s", fontsize=8)
    panels[0, 0].legend(["x", "y", "z"], fontsize=7, frameon=False, ncols=3, loc="upper left")
    return figure


def _draw_example(panels: Any, example: Example) -> None:
    for axes, values in zip(panels, (example.force, example.rate), strict=True):
        for axis, colour in enumerate(_AXIS_COLOURS):
            axes.plot(example.seconds, values[:, axis], color=colour, linewidth=1.0)
        axes.margins(x=0.0, y=0.15)
        _plain(axes)
    title = f"{_short(example.window.label)}\n{example.site}, {example.window.kind}"
    panels[0].set_title(title, fontsize=8)
    panels[1].set_xlabel("s", fontsize=8)


def _figure(width: float, height: float) -> Any:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _plain(axes: Any) -> None:
    axes.tick_params(labelsize=7)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _largest(names: Sequence[str], most: int) -> list[str]:
    """The commonest names, in the order of the alphabet."""
    found, counts = np.unique(np.array(names), return_counts=True)
    return sorted(str(found[index]) for index in np.argsort(-counts, kind="stable")[:most])


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 3]}..."
