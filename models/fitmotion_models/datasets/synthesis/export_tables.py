"""A data set as tables for other programs: `samples` (a line a sample of a sensor) and `windows` (a line a window).

CSV needs nothing; Parquet needs the package pyarrow. Every line bears subject, trial, window and label ids and, where
samples are, the sensor-to-segment transform.
"""

import csv
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fitmotion_models.datasets.synthesis.files import WholeFile
from fitmotion_models.datasets.synthesis.manifest import SetRow
from fitmotion_models.datasets.synthesis.recording_file import load_recording
from fitmotion_models.datasets.synthesis.windows import Window, labels_of_samples

FORMATS = ("csv", "parquet")
SAMPLES, WINDOWS_TABLE = "samples", "windows"
Progress = Callable[[int, int | None], None]
_AXES = "xyz"
_GROUP_LINES = 100_000  # of Parquet's row groups, which readers skip or take as a whole


@dataclass(frozen=True)
class Column:
    """A column of a table. kind: "text", "number", "count" or "texts" (several, in CSV with spaces between)."""

    name: str
    kind: str
    unit: str
    meaning: str


def _vector(name: str, unit: str, meaning: str, axes: str = _AXES) -> tuple[Column, ...]:
    return tuple(Column(f"{name}_{axis}", "number", unit, meaning) for axis in axes)


_IDS = (
    Column("recording", "text", "", "id of the manifest's row"),
    Column("subject", "text", "", "whose motion it is"),
    Column("trial", "text", "", "which of the person's recordings"),
    Column("kind", "text", "", "real or synthetic"),
    Column("split", "text", "", "train, validation or test; by person"),
)
SAMPLE_COLUMNS = (
    *_IDS,
    Column("windows", "texts", "", "ids of the windows that the sample is in"),
    Column("label", "text", "", "what is done; empty: not said"),
    Column("site", "text", "", "the sensor"),
    Column("seconds", "number", "s", "time of the sample in its recording"),
    *_vector("specific_force", "m/s2", "accelerometer, sensor frame"),
    *_vector("angular_velocity", "rad/s", "gyroscope, sensor frame"),
    *_vector("rotation", "", "sensor to world, unit quaternion; empty for real sensors", "xyzw"),
    Column("segment", "text", "", "joint of SMPL-22 whose bone carries the sensor"),
    *_vector("sensor_position", "m", "sensor-to-segment: the sensor in the segment's frame; empty: not known"),
    *_vector("sensor_rotation", "", "sensor-to-segment: unit quaternion; empty: not known", "xyzw"),
)
WINDOW_COLUMNS = (
    Column("window", "text", "", "id of the window"),
    *_IDS,
    Column("label", "text", "", "that most of its samples bear"),
    Column("label_share", "number", "", "share of the samples that bear it"),
    Column("start_s", "number", "s", "time of its first sample in the recording"),
    Column("end_s", "number", "s", "time of the sample after its last"),
    Column("first", "count", "", "number of its first sample"),
    Column("samples", "count", "", "how many it has"),
    Column("sites", "texts", "", "sensors that are there"),
    Column("missing", "number", "", "largest share of samples that one of them lacks"),
)


def check_formats(formats: Sequence[str]) -> None:
    """Whether the formats can be written here. Raises ValueError, saying what to do."""
    if unknown := sorted(set(formats) - set(FORMATS)):
        raise ValueError(f"format '{unknown[0]}' unknown; known: {', '.join(FORMATS)}")
    if "parquet" in formats:
        _pyarrow()


def export(
    folder: Path,
    rows: Sequence[SetRow],
    windows: Iterable[Window],
    formats: Sequence[str],
    progress: Progress | None = None,
) -> list[Path]:
    """Write `export/samples.*` and `export/windows.*` of a data set, whole; returns the files.

    formats: of `FORMATS`. Memory does not grow with the data set's samples. Raises ValueError for a format that can't
    be written here, StorageError where the disk takes no more.
    """
    check_formats(formats)
    by_recording: dict[str, list[Window]] = {}
    for window in windows:
        by_recording.setdefault(window.recording, []).append(window)
    written = []
    for format in formats:
        write = _TABLES[format]
        target = folder / "export"
        tables = _counted(_sample_tables(folder, rows, by_recording), len(rows), progress)
        written.append(write(target / f"{SAMPLES}.{format}", SAMPLE_COLUMNS, tables))
        tables = (_window_table(by_recording.get(row.id, [])) for row in rows)
        written.append(write(target / f"{WINDOWS_TABLE}.{format}", WINDOW_COLUMNS, tables))
    return written


def _counted(tables: Iterator[Any], count: int, progress: Progress | None) -> Iterator[Any]:
    for number, table in enumerate(tables):
        if progress is not None:
            progress(number, count)
        yield table


Table = Mapping[str, Any]
"""A column's values by its name: an array, a list, or one value that holds for all lines."""


def _sample_tables(folder: Path, rows: Sequence[SetRow], windows: Mapping[str, list[Window]]) -> Iterator[Table]:
    """A table for each sensor of each recording."""
    for row in rows:
        recording, placement = load_recording(folder / row.signals)
        names, borne = labels_of_samples(row.labels, recording.stamps)
        labels = [names[index] for index in borne]
        for index, site in enumerate(recording.sites):
            yield {
                **_ids(row),
                "windows": _windows_of_samples(windows.get(row.id, []), site, len(recording)),
                "label": labels,
                "site": site,
                "seconds": recording.stamps,
                **_columns("specific_force", recording.specific_force[:, index]),
                **_columns("angular_velocity", recording.angular_velocity[:, index]),
                **_columns("rotation", recording.rotations[:, index], "xyzw"),
                "segment": placement.segments[index],
                **_columns("sensor_position", placement.positions[index]),
                **_columns("sensor_rotation", placement.rotations[index], "xyzw"),
            }


def _window_table(windows: Sequence[Window]) -> Table:
    names = [column.name for column in WINDOW_COLUMNS[1:]]
    table: dict[str, Any] = {name: [getattr(window, name) for window in windows] for name in names}
    return {"window": [window.id for window in windows], **table}


def _ids(row: SetRow) -> dict[str, str]:
    return {"recording": row.id, **{name: getattr(row, name) for name in ("subject", "trial", "kind", "split")}}


def _windows_of_samples(windows: Sequence[Window], site: str, count: int) -> list[tuple[str, ...]]:
    """The ids of the windows that each sample of a sensor is in."""
    found: list[tuple[str, ...]] = [()] * count
    for window in windows:
        if site in window.sites:
            for index in range(window.first, window.first + window.samples):
                found[index] += (window.id,)
    return found


def _columns(name: str, values: Any, axes: str = _AXES) -> dict[str, Any]:
    return {f"{name}_{axis}": values[..., index] for index, axis in enumerate(axes)}


def _lines(columns: Sequence[Column], table: Table) -> int:
    lengths = [len(table[column.name]) for column in columns if _is_long(table[column.name])]
    return lengths[0] if lengths else 0


def _is_long(value: Any) -> bool:
    return isinstance(value, list) or (isinstance(value, np.ndarray) and value.ndim == 1)


def _write_csv(path: Path, columns: Sequence[Column], tables: Iterable[Table]) -> Path:
    with WholeFile(path) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([column.name for column in columns])
        for table in tables:
            count = _lines(columns, table)
            writer.writerows(zip(*(_texts(column, table[column.name], count) for column in columns), strict=True))
    return path


def _texts(column: Column, values: Any, count: int) -> list[Any]:
    """A column's values as they stand in CSV; numbers to seven digits, what is not known empty."""
    if not _is_long(values):
        return _texts(column, [values], 1) * count
    if column.kind == "number":
        return ["" if math.isnan(value) else f"{value:.7g}" for value in np.asarray(values, dtype=np.float64).tolist()]
    return [" ".join(value) for value in values] if column.kind == "texts" else list(values)


def _write_parquet(path: Path, columns: Sequence[Column], tables: Iterable[Table]) -> Path:
    arrow, parquet = _pyarrow()
    schema = _schema(arrow, columns)
    waiting: list[Any] = []
    with WholeFile(path) as partial, parquet.ParquetWriter(partial, schema, compression="zstd") as writer:

        def write() -> None:
            if waiting:
                writer.write_table(arrow.concat_tables(waiting).unify_dictionaries())
                waiting.clear()

        for table in tables:
            count = _lines(columns, table)
            arrays = [
                _array(arrow, column, table[column.name], count, field.type)
                for column, field in zip(columns, schema, strict=True)
            ]
            if count:
                waiting.append(arrow.Table.from_arrays(arrays, schema=schema))
            if sum(len(one) for one in waiting) >= _GROUP_LINES:
                write()
        write()
    return path


def _schema(arrow: Any, columns: Sequence[Column]) -> Any:
    """Types; the units and meanings are each field's metadata."""
    kinds = {
        "text": arrow.dictionary(arrow.int32(), arrow.string()),
        "number": arrow.float32(),
        "count": arrow.int64(),
        "texts": arrow.list_(arrow.string()),
    }
    exact = {"seconds": arrow.float64(), "start_s": arrow.float64(), "end_s": arrow.float64()}
    fields = [
        arrow.field(
            column.name,
            exact.get(column.name, kinds[column.kind]),
            metadata={"unit": column.unit, "meaning": column.meaning},
        )
        for column in columns
    ]
    about = {column.name: {"unit": column.unit, "meaning": column.meaning} for column in columns}
    return arrow.schema(fields, metadata={"fitmotion.columns": json.dumps(about)})


def _array(arrow: Any, column: Column, values: Any, count: int, kind: Any) -> Any:
    if not _is_long(values):
        values = [values] * count
    if column.kind == "number":
        numbers = np.asarray(values, dtype=np.float64)
        return arrow.array(numbers, mask=np.isnan(numbers)).cast(kind)
    if column.kind == "text":
        return arrow.array(values, arrow.string()).dictionary_encode().cast(kind)
    return arrow.array([list(value) for value in values] if column.kind == "texts" else values, kind)


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise ValueError(
            f"Parquet needs the package pyarrow ({error}); install it with `./fitmotion exec -- python -m pip install "
            "--no-deps pyarrow`, or take --format csv"
        ) from error
    return pyarrow, pyarrow.parquet


_TABLES: dict[str, Callable[[Path, Sequence[Column], Iterable[Table]], Path]] = {
    "csv": _write_csv,
    "parquet": _write_parquet,
}
