"""Videos and clips of a folder as sources, with a table of who does what in them where there is one.

The table is `labels.csv` in the folder, or another file by name: a line a recording with the columns file, subject,
trial, label, start_s, end_s, licence. file is needed, the others may be missing. Several lines with one file are spans
of it, from start_s to end_s seconds; without them a label is the whole recording's.

Without a table a recording in DIR/LABEL/ has that label, one in DIR/SUBJECT/LABEL/ that subject and label. A clip
(.npz) without a subject's folder says whose it is itself; a video is its own subject, as nobody else can know.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fitmotion_models.datasets.any_clip import CLIP_SUFFIXES
from fitmotion_models.datasets.motion_set import MANIFEST, MotionRow, read_motion_set
from fitmotion_models.datasets.synthesis.sources import (
    Annotation,
    FileSource,
    LabelSpan,
    RowSource,
    VideoSource,
    checked_ids,
    labels_of,
    slug,
    spans_of,
)
from fitmotion_models.skeleton.clip_file import load_clip

LABELS_FILE = "labels.csv"
COLUMNS = ("file", "subject", "trial", "label", "start_s", "end_s", "licence")
VIDEO_SUFFIXES = (".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv")


def video_sources(folder: Path, labels: Path | None = None, licence: str = "") -> list[VideoSource]:
    """The videos of a folder and its folders, in order of their paths. licence: of those whose table says none.

    Raises ValueError, one sentence, where there is none and for a table that can't be used.
    """
    paths = folder_paths(folder, VIDEO_SUFFIXES, "video")
    table = LabelTable.read(folder, labels, paths)
    found = []
    for path in paths:
        about = table.about(path, folder, licence) or from_folders(path, folder, licence)
        found.append(VideoSource(f"video_{_stem(path, folder)}", str(folder), about, path))
    return checked_ids(found)


def clip_sources(folder: Path, labels: Path | None = None, licence: str = "") -> list[FileSource | RowSource]:
    """The clips of a folder and its folders, or the motions of a set that `data prepare` made.

    Arguments and errors as of `video_sources`.
    """
    if (folder / MANIFEST).is_file() and labels is None:
        return [_row_source(row, folder) for row in read_motion_set(folder)]
    paths = folder_paths(folder, CLIP_SUFFIXES, "clip")
    table = LabelTable.read(folder, labels, paths)
    found: list[FileSource | RowSource] = []
    for path in paths:
        about = table.about(path, folder, licence) or _from_clip(path, folder, licence)
        found.append(FileSource(f"clip_{_stem(path, folder)}", str(folder), about, path))
    return checked_ids(found)


def _row_source(row: MotionRow, folder: Path) -> RowSource:
    label = row.action if row.style is None else f"{row.action}_{row.style}"
    about = Annotation(row.person, row.id, (LabelSpan(label),), row.licence)
    return RowSource(slug(row.id), str(folder), about, row)


def folder_paths(folder: Path, suffixes: Sequence[str], kind: str) -> list[Path]:
    """The files of a folder and its folders that end so, in order. Raises ValueError where there is none."""
    if not folder.is_dir():
        raise ValueError(f"{folder} is no folder; give the one that holds the {kind}s")
    paths = [
        path
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in suffixes and path.is_file() and not path.name.startswith(".")
    ]
    if not paths:
        raise ValueError(f"{folder} holds no {kind}; expected files that end in {', '.join(suffixes)}")
    return paths


def _stem(path: Path, folder: Path) -> str:
    return slug(str(path.relative_to(folder).with_suffix("")).replace("/", "_"))


def from_folders(path: Path, folder: Path, licence: str) -> Annotation:
    """Subject and label by the folders that a recording lies in."""
    folders = path.relative_to(folder).parts[:-1]
    label = (LabelSpan(folders[-1]),) if folders else ()
    subject = folders[-2] if len(folders) > 1 else path.stem
    return Annotation(subject, path.stem, label, licence or _NOT_SAID)


def _from_clip(path: Path, folder: Path, licence: str) -> Annotation:
    """The same, with what the clip says of itself; a clip that can't be read is reported when its turn comes."""
    by_folders = from_folders(path, folder, licence)
    nested = len(path.relative_to(folder).parts) - 1
    if path.suffix.lower() != ".npz" or nested > 1:
        return by_folders
    try:
        clip = load_clip(path)
    except (ValueError, OSError):
        return by_folders
    labels = by_folders.labels or labels_of(clip)
    return Annotation(clip.subject or by_folders.subject, by_folders.trial, labels, by_folders.licence)


_NOT_SAID = "not said"


@dataclass(frozen=True)
class LabelTable:
    """A label file. rows: by the file's path in the folder."""

    path: Path | None
    rows: dict[str, list[dict[str, str]]]

    @classmethod
    def read(cls, folder: Path, given: Path | None, recordings: Sequence[Path]) -> "LabelTable":
        """The table that was named, or the folder's own. Raises ValueError naming file and line."""
        path = given or folder / LABELS_FILE
        if given is None and not path.is_file():
            return cls(None, {})
        try:
            lines = path.read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"{path} can't be read: {getattr(error, 'strerror', None) or error}") from error
        names = [name.strip().lower() for name in next(csv.reader(lines[:1]), [])]
        if "file" not in names or not set(names) <= set(COLUMNS):
            raise ValueError(
                f"{path} begins with '{','.join(names)}'; its first line names columns, file and any of "
                f"{', '.join(COLUMNS[1:])}"
            )
        there = {str(one.relative_to(folder)) for one in recordings}
        rows: dict[str, list[dict[str, str]]] = {}
        for number, words in enumerate(csv.reader(lines[1:]), start=2):
            if any(words):
                row = _checked(dict(zip(names, (word.strip() for word in words), strict=False)), there, path, number)
                rows.setdefault(row["file"], []).append(row)
        return cls(path, rows)

    def about(self, path: Path, folder: Path, licence: str) -> Annotation | None:
        """What the table says of a recording; None: nothing."""
        rows = self.rows.get(str(path.relative_to(folder)))
        if not rows:
            return None
        first = {name: next((row[name] for row in rows if row.get(name)), "") for name in COLUMNS}
        folders = from_folders(path, folder, licence)
        return Annotation(
            first["subject"] or folders.subject,
            first["trial"] or folders.trial,
            spans_of(list(rows)) or folders.labels,
            first["licence"] or folders.licence,
        )


def _checked(row: dict[str, str], there: set[str], path: Path, number: int) -> dict[str, str]:
    """The line, if it can be used."""
    if row["file"] not in there:
        raise ValueError(f"{path}, line {number}: file '{row['file']}' is not in the folder; give its path in it")
    times = {"start_s": 0.0, "end_s": float("inf")}
    for name in times:
        try:
            times[name] = float(row.get(name) or times[name])
        except ValueError:
            raise ValueError(f"{path}, line {number}: {name} '{row[name]}' is no number of seconds") from None
    if not 0.0 <= times["start_s"] < times["end_s"]:
        raise ValueError(
            f"{path}, line {number}: the span from {times['start_s']:g} to {times['end_s']:g} s has no length; "
            "give start_s before end_s"
        )
    return row
