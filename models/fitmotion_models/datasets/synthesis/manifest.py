"""The manifest of a data set: one row (a JSON object) a recording, that indexes all its artefacts.

`DIR/manifest.jsonl` is the index, `DIR/clips/<id>/record.json` the row of each recording, written when its last stage
is done: the manifest can be made of them at any time, and a row is never there before what it names. In
`DIR/clips/<id>/stages.json` are the stages that are done so far.
"""

import json
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from fitmotion_models.datasets.synthesis.files import hash_of_file, write_whole
from fitmotion_models.datasets.synthesis.sources import Annotation, LabelSpan

MANIFEST = "manifest.jsonl"
CLIPS = "clips"
RECORD = "record.json"
STAGES = "stages.json"


@dataclass(frozen=True)
class Artefact:
    """A file. path: in the data set's folder. sha256: of its content. bytes: its length."""

    path: str
    sha256: str
    bytes: int

    def is_there(self, folder: Path) -> bool:
        """Whether the file is there with this content."""
        path = folder / self.path
        return path.is_file() and path.stat().st_size == self.bytes and hash_of_file(path) == self.sha256


@dataclass(frozen=True)
class StageRecord:
    """What a stage did. name: pose, imu, calibration or recording. key: hash of its inputs and settings.

    settings: those that count for it, with the hashes of its inputs. output: what it wrote.
    """

    name: str
    key: str
    settings: dict[str, Any]
    output: Artefact


@dataclass(frozen=True)
class SetRow:
    """One recording of a data set.

    id: its name. kind: "synthetic" or "real". medium: what it is made from: video, prompt, clip, recording. origin: the
    folder or file that was asked for. subject, trial: ids. labels: what is done when. licence: of what it is made from.
    seed: of its sensors; None for real ones. seconds, samples, rate_hz: of the signals. sites: of the sensors. stages:
    in the order in which they were done. split: "train", "validation" or "test"; "" before the merge.
    """

    id: str
    kind: str
    medium: str
    origin: str
    subject: str
    trial: str
    labels: tuple[LabelSpan, ...]
    licence: str
    seed: int | None
    seconds: float
    samples: int
    rate_hz: float
    sites: tuple[str, ...]
    stages: tuple[StageRecord, ...]
    split: str = ""

    @property
    def signals(self) -> str:
        """The file of the finished signals, in the data set's folder."""
        return self.stages[-1].output.path

    def stage(self, name: str) -> StageRecord | None:
        """A stage by its name."""
        return next((stage for stage in self.stages if stage.name == name), None)

    def about(self, annotation: Annotation) -> "SetRow":
        """The row with other words about it."""
        return replace(
            self,
            subject=annotation.subject,
            trial=annotation.trial,
            labels=annotation.labels,
            licence=annotation.licence,
        )


def row_to_json(row: SetRow) -> str:
    """The row as one line; artefacts by name beside the stages, and an end at infinity is null."""
    content = asdict(row)
    content["labels"] = [
        {"label": span.label, "start_s": span.start, "end_s": span.end if math.isfinite(span.end) else None}
        for span in row.labels
    ]
    content["artefacts"] = {stage.name: stage.output.path for stage in row.stages}
    return json.dumps(content, allow_nan=False)


def row_from_json(line: str) -> SetRow:
    """The row of a line. Raises ValueError saying what is wrong."""
    try:
        content: dict[str, Any] = json.loads(line)
        values = {field.name: content[field.name] for field in fields(SetRow)}
        values["labels"] = tuple(
            LabelSpan(span["label"], span["start_s"], math.inf if span["end_s"] is None else span["end_s"])
            for span in values["labels"]
        )
        values["sites"] = tuple(values["sites"])
        values["stages"] = _stages(values["stages"])
        return SetRow(**values)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"it is no row of a data set ({error!r})") from error


def read_manifest(folder: Path) -> list[SetRow]:
    """The rows of a data set. Raises ValueError naming the file, the line and what is wrong."""
    path = folder / MANIFEST
    if not path.is_file():
        raise ValueError(f"{folder} has no {MANIFEST}; make a data set with `fitmotion synthesize -o {folder}`")
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            rows.append(row_from_json(line))
        except ValueError as error:
            raise ValueError(f"{path}, line {number}: {error}; run `fitmotion synthesize` again") from error
    return rows


def write_manifest(folder: Path, rows: Iterable[SetRow]) -> None:
    """Write the manifest, whole. Raises StorageError; the old one is then as it was."""
    write_whole(folder / MANIFEST, "".join(f"{row_to_json(row)}\n" for row in rows).encode())


def clip_folder(folder: Path, id: str) -> Path:
    """Where a recording's files are."""
    return folder / CLIPS / id


def read_record(folder: Path, id: str) -> SetRow | None:
    """The row of a recording's own file; None where there is none that can be read."""
    try:
        return row_from_json((clip_folder(folder, id) / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def write_record(folder: Path, row: SetRow) -> None:
    """Write a recording's own file, whole."""
    write_whole(clip_folder(folder, row.id) / RECORD, f"{row_to_json(row)}\n".encode())


def read_stages(folder: Path, id: str) -> tuple[StageRecord, ...]:
    """The stages of a recording that are done; none where nothing can be read."""
    try:
        return _stages(json.loads((clip_folder(folder, id) / STAGES).read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError):
        return ()


def write_stages(folder: Path, id: str, stages: Iterable[StageRecord]) -> None:
    """Note the stages of a recording that are done, whole."""
    content = json.dumps([asdict(stage) for stage in stages], allow_nan=False)
    write_whole(clip_folder(folder, id) / STAGES, f"{content}\n".encode())


def _stages(content: list[dict[str, Any]]) -> tuple[StageRecord, ...]:
    return tuple(
        StageRecord(stage["name"], stage["key"], stage["settings"], Artefact(**stage["output"])) for stage in content
    )


def records(folder: Path) -> list[SetRow]:
    """All recordings that have been finished in a folder, by name."""
    found = []
    for path in sorted((folder / CLIPS).glob(f"*/{RECORD}")):
        row = read_record(folder, path.parent.name)
        if row is not None and row.id == path.parent.name:
            found.append(row)
    return found
