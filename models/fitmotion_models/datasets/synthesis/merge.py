"""All recordings of a data set, real and virtual, made one: splits by person, windows, and what the manifest says."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fitmotion_models.datasets.synthesis.files import WholeFile, write_whole
from fitmotion_models.datasets.synthesis.manifest import SetRow, write_manifest
from fitmotion_models.datasets.synthesis.recording_file import load_recording
from fitmotion_models.datasets.synthesis.subject_splits import SplitSettings, split_subjects
from fitmotion_models.datasets.synthesis.windows import (
    WINDOWS,
    Window,
    WindowSettings,
    window_from_json,
    window_to_json,
    windows_of,
)

SPLITS_FILE = "splits.json"
Progress = Callable[[int, int | None], None]


@dataclass(frozen=True)
class Merged:
    """rows: with their splits. windows: how many. short: recordings that are shorter than a window."""

    rows: tuple[SetRow, ...]
    windows: int
    short: tuple[str, ...]


def merge(
    folder: Path,
    rows: Sequence[SetRow],
    windows: WindowSettings,
    splits: SplitSettings,
    *,
    fitted: Iterable[str] = (),
    force: bool = False,
    progress: Progress | None = None,
) -> Merged:
    """Give every row a split and cut it into windows; writes the manifest, `windows.jsonl` and `splits.json`, whole.

    fitted, force: see `split_subjects`. Raises ValueError as that; StorageError where the disk takes no more.
    """
    found = split_subjects(
        (row.subject for row in rows), splits, before=read_splits(folder), fitted=fitted, force=force
    )
    rows = tuple(replace(row, split=found[row.subject]) for row in rows)
    count, short = 0, []
    with WholeFile(folder / WINDOWS) as partial, partial.open("w", encoding="utf-8") as file:
        for number, row in enumerate(rows, start=1):
            recording, _ = load_recording(folder / row.signals)
            if len(recording) < windows.samples(recording.rate_hz)[0]:
                short.append(row.id)
            for window in windows_of(row, recording, windows):
                file.write(f"{window_to_json(window)}\n")
                count += 1
            if progress is not None:
                progress(number, len(rows))
    write_whole(folder / SPLITS_FILE, f"{json.dumps(found, indent=2, sort_keys=True)}\n".encode())
    write_manifest(folder, rows)
    return Merged(rows, count, tuple(short))


def read_splits(folder: Path) -> dict[str, str]:
    """The splits that persons of a data set have; none where there are none yet."""
    try:
        content = json.loads((folder / SPLITS_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(name): str(split) for name, split in content.items()} if isinstance(content, dict) else {}


def read_windows(folder: Path) -> list[Window]:
    """The windows of a data set. Raises ValueError where there are none."""
    path = folder / WINDOWS
    if not path.is_file():
        raise ValueError(f"{folder} has no {WINDOWS}; make a data set with `fitmotion synthesize -o {folder}`")
    return [window_from_json(line) for line in path.read_text(encoding="utf-8").splitlines()]
