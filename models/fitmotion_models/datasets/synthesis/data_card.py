"""The data card: `DATA_CARD.md`, what is in a data set, how it was made and what may be done with it."""

import importlib.metadata
import json
import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fitmotion_models.datasets.synthesis.card_figures import CardFigures
from fitmotion_models.datasets.synthesis.export_tables import SAMPLE_COLUMNS, WINDOW_COLUMNS, Column
from fitmotion_models.datasets.synthesis.files import write_whole
from fitmotion_models.datasets.synthesis.manifest import SetRow
from fitmotion_models.datasets.synthesis.settings import SynthesisSettings
from fitmotion_models.datasets.synthesis.sources import REAL, SYNTHETIC
from fitmotion_models.datasets.synthesis.stages import FILES
from fitmotion_models.datasets.synthesis.subject_splits import SPLITS

CARD = "DATA_CARD.md"
PICTURES = "card"
_LIBRARIES = ("numpy", "scipy", "mediapipe", "onnxruntime")
_MOST_LISTED = 40


def write_card(
    folder: Path,
    figures: CardFigures,
    settings: Mapping[str, Any],
    pictures: Sequence[Path],
    left_out: Mapping[str, str],
    formats: Sequence[str],
) -> Path:
    """Write the card; returns its path. settings: of the run, by name; pictures: that it shows, in the folder.

    left_out: recordings that could not be made, with why. formats: of the exports. Raises StorageError.
    """
    parts = [
        _head(figures),
        _counts(figures),
        _pictures(folder, pictures),
        _ranges(figures),
        _made(figures, settings),
        _licences(figures.rows),
        _files(formats),
        _left_out(left_out),
    ]
    path = folder / CARD
    write_whole(path, "\n".join(part for part in parts if part).encode())
    return path


def versions() -> dict[str, str]:
    """What made the data set, by name."""
    found = {"python": platform.python_version()}
    for name in ("fitmotion_models", *_LIBRARIES):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _head(figures: CardFigures) -> str:
    seconds = {kind: sum(row.seconds for row in figures.rows if row.kind == kind) for kind in (SYNTHETIC, REAL)}
    subjects = {row.subject for row in figures.rows}
    labels = {window.label for window in figures.windows}
    lines = [
        "# Data card",
        "",
        f"{_so_many(len(figures.rows), 'recording')} of {_so_many(len(subjects), 'subject')}: "
        f"{seconds[SYNTHETIC] / 60:.1f} minutes of sensors that were never worn, {seconds[REAL] / 60:.1f} minutes of "
        f"real ones. {_so_many(len(figures.windows), 'window')} with {_so_many(len(labels), 'label')}.",
        "",
        "Specific force (m/s2: what an accelerometer reads, +9.81 on the axis that points up at rest) and angular "
        "velocity (rad/s), in the sensors' own frames. Synthetic signals are of bodies that were seen or generated; "
        "how near they come to a real sensor depends on what they were made from.",
        "",
    ]
    return "\n".join(lines)


def _so_many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _counts(figures: CardFigures) -> str:
    labels = sorted({window.label for window in figures.windows})
    kinds = [kind for kind in (SYNTHETIC, REAL) if any(row.kind == kind for row in figures.rows)]
    count = Counter((window.label, window.kind, window.split) for window in figures.windows)
    people = {label: len({window.subject for window in figures.windows if window.label == label}) for label in labels}
    head = ["label", "subjects", *(f"{kind}, {split}" for kind in kinds for split in SPLITS)]
    rows = [
        [label, people[label], *(count[label, kind, split] for kind in kinds for split in SPLITS)]
        for label in labels[:_MOST_LISTED]
    ]
    more = [f"... and {len(labels) - _MOST_LISTED} more labels.", ""] if len(labels) > _MOST_LISTED else []
    return "\n".join(["## Windows", "", *_table(head, rows), "", *more, *_subjects(figures)])


def _subjects(figures: CardFigures) -> list[str]:
    """A line a subject: split, recordings, minutes and windows; of very many only their counts."""
    windows = Counter(window.subject for window in figures.windows)
    groups: dict[str, list[SetRow]] = {}
    for row in figures.rows:
        groups.setdefault(row.subject, []).append(row)
    persons = Counter(rows[0].split for rows in groups.values())
    said = ", ".join(f"{persons[split]} {split}" for split in SPLITS)
    lines = ["## Subjects", "", f"Splits are by person, real and synthetic together: {said}.", ""]
    head = ["subject", "split", "recordings", "minutes", "windows", "real"]
    rows = [
        [
            subject,
            group[0].split,
            len(group),
            f"{sum(row.seconds for row in group) / 60:.2f}",
            windows[subject],
            sum(row.kind == REAL for row in group),
        ]
        for subject, group in sorted(groups.items())[:_MOST_LISTED]
    ]
    more = [f"... and {len(groups) - _MOST_LISTED} more subjects.", ""] if len(groups) > _MOST_LISTED else []
    return [*lines, *_table(head, rows), "", *more]


def _pictures(folder: Path, pictures: Sequence[Path]) -> str:
    lines = [f"![{path.stem.replace('_', ' ')}]({path.relative_to(folder)})\n" for path in pictures]
    return "\n".join(["## Pictures", "", *lines]) if lines else ""


def _ranges(figures: CardFigures) -> str:
    head = ["sensor", "kind", "force, median (1 to 99 %), m/s2", "rate, median (1 to 99 %), rad/s", "missing"]
    rows = [
        [
            one.site,
            one.kind,
            f"{one.force[2]:.2f} ({one.force[0]:.2f} to {one.force[4]:.2f})",
            f"{one.rate[2]:.2f} ({one.rate[0]:.2f} to {one.rate[4]:.2f})",
            f"{100 * one.missing:.1f} %",
        ]
        for one in figures.ranges
    ]
    return "\n".join(["## Signals", "", "Lengths of the vectors.", "", *_table(head, rows), ""])


def _made(figures: CardFigures, settings: Mapping[str, Any]) -> str:
    media = Counter((row.medium, row.origin) for row in figures.rows)
    seeds = sorted({row.seed for row in figures.rows if row.seed is not None})
    lines = [
        "## How it was made",
        "",
        *_table(["from", "what", "recordings"], [[medium, Path(o).name, n] for (medium, o), n in media.items()]),
        "",
        f"Every synthetic recording has sensors of its own: {len(seeds)} seeds, in the manifest, made of the run's "
        "seed and the recording's name. The same settings on the same input give the same files.",
        "",
        "```json",
        json.dumps({"settings": dict(settings), "versions": versions()}, indent=2),
        "```",
        "",
    ]
    return "\n".join(lines)


def _licences(rows: Sequence[SetRow]) -> str:
    count = Counter(row.licence for row in rows)
    table = _table(["licence of what it is made from", "recordings"], [[name, n] for name, n in sorted(count.items())])
    return "\n".join(["## Licences", "", *table, ""])


def _files(formats: Sequence[str]) -> str:
    lines = [
        "## Files",
        "",
        "- `manifest.jsonl`: a row a recording, with its stages, their settings and hashes, and its files in `clips/`: "
        + ", ".join(f"`{path}`" for path in FILES.values()),
        "- `windows.jsonl`: a row a window; `splits.json`: who trains, validates and is judged",
    ]
    for name, columns in (("samples", SAMPLE_COLUMNS), ("windows", WINDOW_COLUMNS)):
        if formats:
            files = ", ".join(f"`export/{name}.{format}`" for format in formats)
            lines += ["", f"{files}:", "", *_table(["column", "unit", "meaning"], _described(columns))]
    return "\n".join([*lines, ""])


def _described(columns: Sequence[Column]) -> list[list[Any]]:
    """The columns, those of one vector in one line."""
    groups: dict[str, list[Column]] = {}
    for column in columns:
        stem, _, axis = column.name.rpartition("_")
        groups.setdefault(stem if axis in ("x", "y", "z", "w") else column.name, []).append(column)
    return [
        [name if len(group) == 1 else f"{name}_{group[0].name[-1]} ... _{group[-1].name[-1]}", *_said(group[0])]
        for name, group in groups.items()
    ]


def _said(column: Column) -> tuple[str, str]:
    return column.unit, column.meaning


def _left_out(left_out: Mapping[str, str]) -> str:
    if not left_out:
        return ""
    lines = [f"- {id}: {why}" for id, why in list(left_out.items())[:_MOST_LISTED]]
    more = [f"- and {len(left_out) - _MOST_LISTED} more"] if len(left_out) > _MOST_LISTED else []
    return "\n".join(["## Left out", "", *lines, *more, ""])


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    """A Markdown table; what a cell says is kept from ending it."""
    cells = [[str(cell).replace("|", "\\|").replace("\n", " ") for cell in row] for row in (head, *rows)]
    lines = [f"| {' | '.join(row)} |" for row in cells]
    return [lines[0], f"|{' --- |' * len(head)}", *lines[1:]]


def settings_of_run(settings: SynthesisSettings, **others: Any) -> dict[str, Any]:
    """The settings as the card shows them, those of windows and splits with them; of paths the names alone."""
    found = settings.as_dict()
    for name in ("sites_file", "calibration", "pose_model", "detector", "weights"):
        if found[name]:
            found[name] = Path(str(found[name])).name
    return found | others
