"""A recording of sensors as one table for other programs, and back: a line a sample of a sensor, CSV or Parquet.

A CSV begins with two lines that start with `#`: what the file is, and as JSON what else is known of it; Parquet has the
same as metadata, npz as `about`. Among that is where every sensor sits, the sensor-to-segment transform.
"""

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.datasets.synthesis.recording_file import (
    Placement,
    load_recording,
    recording_to_bytes,
    unknown_placement,
)
from fitmotion_models.imu.sensor_units import G
from fitmotion_models.imu.values import ImuRecording
from fitmotion_models.skeleton.rotations import Float64

FIRST_LINE = "# fitmotion imu recording 1"
METADATA = b"fitmotion.imu_recording"  # of Parquet
_VECTORS: dict[str, tuple[str, str]] = {
    "specific_force": ("xyz", "m/s2"),
    "angular_velocity": ("xyz", "rad/s"),
    "magnetic_field": ("xyz", "T"),
    "rotation": ("xyzw", ""),
    "orientation": ("xyzw", ""),
}
# what other programs write, in SI
_UNITS = {
    "specific_force": {"m/s2": 1.0, "m/s^2": 1.0, "g": G, "mg": 1e-3 * G},
    "angular_velocity": {"rad/s": 1.0, "dps": math.pi / 180.0, "deg/s": math.pi / 180.0},
    "magnetic_field": {"T": 1.0, "uT": 1e-6, "G": 1e-4},
    "seconds": {"s": 1.0, "ms": 1e-3, "us": 1e-6},
}
_BLOCK = 4096  # lines that are written at once


@dataclass(frozen=True, eq=False)
class ImuTable:
    """A recording with what is told of it.

    placement: where the sensors sit; NaN where that is not known. orientations: (N, S, 4) what the sensors know of
    their rotation themselves, None where nobody asked; the recording's rotations are the truth. about: more that
    belongs to the file, as JSON can hold it.
    """

    subject: str
    recording: ImuRecording
    placement: Placement
    orientations: Float64 | None = None
    about: Mapping[str, Any] = field(default_factory=dict)


def table_columns(table: ImuTable) -> dict[str, str]:
    """The columns of numbers, after subject and site: their names in a CSV, and those of the arrays that they are of.

    A unit stands behind its name in brackets; what has none is a component of a unit quaternion, xyzw, sensor to world.
    """
    columns = {"seconds [s]": "seconds"}
    for name, (axes, unit) in _VECTORS.items():
        if _array(table, name) is not None:
            columns |= {f"{name}_{axis}{f' [{unit}]' if unit else ''}": name for axis in axes}
    return columns


def write_imu_csv(path: Path, table: ImuTable) -> None:
    """Write a table as CSV, sensor after sensor; numbers to nine digits, what was not read empty."""
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(f"{FIRST_LINE}\n# {json.dumps(_about(table), allow_nan=False)}\n")
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["subject", "site", *table_columns(table)])
        for site, numbers in _site_numbers(table):
            for start in range(0, len(numbers), _BLOCK):
                block = io.StringIO()
                np.savetxt(block, numbers[start : start + _BLOCK], fmt="%.9g", delimiter=",")
                head = f"{_cell(table.subject)},{site},"
                lines = block.getvalue().replace("nan", "").splitlines()
                file.writelines(f"{head}{line}\n" for line in lines)


def write_imu_parquet(path: Path, table: ImuTable) -> None:
    """Write a table as Parquet. Raises ValueError, saying what to do, where pyarrow is not installed."""
    check_parquet()
    import pyarrow as arrow
    from pyarrow import parquet

    names = list(table_columns(table))
    text = arrow.dictionary(arrow.int32(), arrow.string())
    fields = [
        arrow.field("subject", text),
        arrow.field("site", text),
        *(arrow.field(n, arrow.float64()) for n in names),
    ]
    schema = arrow.schema(fields, metadata={METADATA: json.dumps(_about(table), allow_nan=False)})
    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        for site, numbers in _site_numbers(table):
            words = [
                arrow.array([word] * len(numbers)).dictionary_encode().cast(text) for word in (table.subject, site)
            ]
            columns = [arrow.array(column, mask=np.isnan(column)) for column in numbers.T]
            writer.write_table(arrow.Table.from_arrays([*words, *columns], schema=schema))


def write_imu_npz(path: Path, table: ImuTable) -> None:
    """Write the arrays, sensors beside each other, as `synthesis.recording_file` has them; and the table's rest."""
    with np.load(io.BytesIO(recording_to_bytes(table.recording, table.placement))) as archive:
        fields: dict[str, Any] = {name: archive[name] for name in archive.files}
    if table.orientations is not None:
        fields["orientations"] = table.orientations
    with path.open("wb") as file:
        np.savez_compressed(file, subject=np.array(table.subject), about=np.array(json.dumps(_about(table))), **fields)


def check_parquet() -> None:
    """Raises ValueError, saying what to do, where Parquet can't be read and written here."""
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError as error:
        raise ValueError(
            f"Parquet needs the package pyarrow ({error}); install it with `./fitmotion exec -- python -m pip install "
            "--no-deps pyarrow`, or choose the ending .csv or .npz"
        ) from error


def read_imu_table(path: Path) -> ImuTable:
    """What one of these functions wrote, or a table like theirs of another program (.csv, .parquet, .npz).

    Needed are seconds and the axes of specific_force and angular_velocity; units in brackets may be g, mg, deg/s, ms
    and the like. Without a column site there is one sensor, named `sensor`, without subject one person, named `person`.
    All sensors have to have the same times. Raises ValueError, one sentence with the file, and OSError.
    """
    if path.suffix.lower() == ".npz":
        return _read_npz(path)
    about, columns = _read_parquet(path) if path.suffix.lower() == ".parquet" else _read_csv(path)
    subjects = sorted(set(columns.get("subject", ["person"])))
    if len(subjects) != 1:
        raise ValueError(f"{path} is of {len(subjects)} people ({', '.join(subjects[:3])}); give a file for each")
    seconds = _column(path, columns, "seconds")
    sites = columns.get("site", ["sensor"] * len(seconds))
    names = tuple(dict.fromkeys(sites))
    rows = {name: np.flatnonzero(np.asarray(sites) == name) for name in names}
    stamps = seconds[rows[names[0]]]
    if any(len(own) != len(stamps) or not np.array_equal(seconds[own], stamps) for own in rows.values()):
        raise ValueError(f"{path}: its sensors have different times; give a file for each sensor, or bring them to one")
    if len(stamps) < 2 or not (np.diff(stamps) > 0.0).all():
        raise ValueError(f"{path}: seconds must increase from line to line; sort them and drop repeated ones")
    arrays = {name: _vector(path, columns, name, list(rows.values())) for name in _VECTORS}
    for name in ("specific_force", "angular_velocity"):
        if arrays[name] is None:
            raise ValueError(f"{path} lacks {name}_x, {name}_y, {name}_z; its columns: {', '.join(columns)}")
    recording = ImuRecording(
        sites=names,
        rate_hz=float(about.get("rate_hz", (len(stamps) - 1) / (stamps[-1] - stamps[0]))),
        stamps=stamps,
        specific_force=arrays["specific_force"],
        angular_velocity=arrays["angular_velocity"],
        rotations=np.full((len(stamps), len(names), 4), np.nan) if arrays["rotation"] is None else arrays["rotation"],
        magnetic_field=arrays["magnetic_field"],
    )
    return ImuTable(subjects[0], recording, _placement(about, names), arrays["orientation"], about)


# ---- writing ----


def _about(table: ImuTable) -> dict[str, Any]:
    placed = zip(
        table.recording.sites,
        table.placement.segments,
        table.placement.positions.tolist(),
        table.placement.rotations.tolist(),
        strict=True,
    )
    sites = {
        site: {"segment": segment, "position_m": _known(position), "rotation_xyzw": _known(rotation)}
        for site, segment, position, rotation in placed
    }
    return {"subject": table.subject, "rate_hz": table.recording.rate_hz, "sites": sites, **table.about}


def _known(numbers: list[float]) -> list[float] | None:
    return None if any(math.isnan(number) for number in numbers) else numbers


def _array(table: ImuTable, name: str) -> Float64 | None:
    if name == "rotation":
        return table.recording.rotations
    if name == "orientation":
        return table.orientations
    array: Float64 | None = getattr(table.recording, name)
    return array


def _site_numbers(table: ImuTable) -> Iterator[tuple[str, Float64]]:
    """Every sensor's name and its columns of numbers (N, columns)."""
    arrays = [array for name in _VECTORS if (array := _array(table, name)) is not None]
    for index, site in enumerate(table.recording.sites):
        yield site, np.concatenate([table.recording.stamps[:, None], *(array[:, index] for array in arrays)], axis=1)


def _cell(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if any(mark in text for mark in ',"\n') else text


# ---- reading ----


def _read_npz(path: Path) -> ImuTable:
    recording, placement = load_recording(path)
    with np.load(path, allow_pickle=False) as archive:
        more = {name: archive[name] for name in ("subject", "about", "orientations") if name in archive.files}
    about = json.loads(str(more.get("about", "{}")))
    subject = str(more.get("subject", "person"))
    return ImuTable(subject, recording, placement, more.get("orientations"), about)


def _read_csv(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    about: dict[str, Any] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = (line for line in file)
            first = next(lines, "")
            while first.startswith("#"):
                about = _json(path, first) or about
                first = next(lines, "")
            names = [name.strip() for name in next(csv.reader([first]), [])]
            rows = [row for row in csv.reader(lines) if row]
    except UnicodeDecodeError:
        raise ValueError(f"{path} is no text; give a CSV file") from None
    wrong = next((number for number, row in enumerate(rows, 1) if len(row) != len(names)), None)
    if not rows or wrong is not None:
        where = "it has no lines" if not rows else f"its line of data {wrong} has not {len(names)} cells"
        raise ValueError(f"{path} is no table of sensors: {where}")
    return about, dict(zip(names, zip(*rows, strict=True), strict=True))


def _json(path: Path, line: str) -> dict[str, Any]:
    text = line.lstrip("# ").strip()
    if not text.startswith("{"):
        return {}
    try:
        found: dict[str, Any] = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}: the line that describes it is damaged ({error}); delete the line") from None
    return found


def _read_parquet(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    check_parquet()
    import pyarrow
    from pyarrow import parquet

    try:
        read = parquet.read_table(path)
    except pyarrow.ArrowInvalid as error:
        raise ValueError(f"{path} is no Parquet file that can be read: {error}") from None
    about = json.loads((read.schema.metadata or {}).get(METADATA, b"{}"))
    return about, {name: read.column(name).to_pylist() for name in read.column_names}


def _column(path: Path, columns: Mapping[str, Any], name: str) -> NDArray[np.float64]:
    """A column of numbers by its name without the unit, in SI."""
    for written, values in columns.items():
        plain, _, unit = written.partition("[")
        if plain.strip() == name:
            return _numbers(path, written, values) * _factor(path, name, written, unit.rstrip("] "))
    raise ValueError(f"{path} lacks the column {name}; its columns: {', '.join(columns)}")


def _factor(path: Path, name: str, written: str, unit: str) -> float:
    known = next((units for start, units in _UNITS.items() if name.startswith(start)), {})
    if unit and unit not in known:
        raise ValueError(f"{path}: the unit of '{written}' is unknown; known: {', '.join(known) or 'none'}")
    return known.get(unit, 1.0)


def _numbers(path: Path, written: str, values: Any) -> NDArray[np.float64]:
    try:
        return np.array([math.nan if value in ("", None) else float(value) for value in values])
    except ValueError as error:
        raise ValueError(f"{path}: '{written}' holds what is no number ({error})") from None


def _vector(path: Path, columns: Mapping[str, Any], name: str, rows: list[Any]) -> Any:
    """(N, S, 3) or (N, S, 4); None where there is no such column."""
    plain = {written.partition("[")[0].strip() for written in columns}
    wanted = [f"{name}_{axis}" for axis in _VECTORS[name][0]]
    if not plain & set(wanted):
        return None
    values = np.stack([_column(path, columns, each) for each in wanted], axis=-1)
    return np.stack([values[own] for own in rows], axis=1)


def _placement(about: Mapping[str, Any], names: tuple[str, ...]) -> Placement:
    sites = about.get("sites", {})
    known = [sites.get(name, {}) for name in names]
    placement = unknown_placement(tuple(str(each.get("segment", "")) for each in known))
    for index, each in enumerate(known):
        if each.get("position_m") is not None:
            placement.positions[index] = each["position_m"]
        if each.get("rotation_xyzw") is not None:
            placement.rotations[index] = each["rotation_xyzw"]
    return placement
