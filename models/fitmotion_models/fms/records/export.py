"""The database as JSON or as CSV files, and back: a table is a list of rows, under the names of `schema.py`.

Motion and pictures are in base64 in JSON, and files beside the CSV files, whose cells name them.
"""

import base64
import binascii
import csv
import json
import sqlite3
from pathlib import Path
from typing import Any

from fitmotion_models.fms.records import schema
from fitmotion_models.fms.records.database import RecordsError, transaction
from fitmotion_models.fms.records.records import Records
from fitmotion_models.fms.records.rows import folded, insert

FORMAT = "fitmotion-records"
Tables = dict[str, list[dict[str, Any]]]
_OF_REPETITION = ("criterion", "clip", "picture")
_PARENTS = (
    {"session": "person_id"}
    | dict.fromkeys(_OF_REPETITION, "repetition_id")
    | dict.fromkeys(("repetition", "grade", "pain", "clearing", "run_file"), "session_id")
)
# The column of a table that holds a file's content, and what such a file is called.
_FILES = {"clip": ("npz", ".npz"), "picture": ("jpeg", ".jpg")}


def read_tables(records: Records, name: str | None = None) -> Tables:
    """All rows, or those of one person."""
    persons = "SELECT id FROM person" if name is None else f"SELECT {records.person(name).id}"
    of_session = f"session_id IN (SELECT id FROM session WHERE person_id IN ({persons}))"
    chosen = {"person": f"id IN ({persons})", "session": f"person_id IN ({persons})"}
    of_repetition = f"repetition_id IN (SELECT id FROM repetition WHERE {of_session})"
    chosen |= dict.fromkeys(_OF_REPETITION, of_repetition)
    records.connection.execute("BEGIN")  # one state of the database, whoever writes meanwhile
    try:
        return {
            table: [
                dict(row)
                for row in records.connection.execute(
                    f"SELECT * FROM {table} WHERE {chosen.get(table, of_session)} ORDER BY id"
                )
            ]
            for table in schema.TABLES
        }
    finally:
        records.connection.execute("COMMIT")


def write_tables(records: Records, tables: Tables) -> None:
    """Add rows to those that are there, under ids of their own. All or nothing. Raises RecordsError."""
    new: dict[str, dict[int, int]] = {table: {} for table in schema.TABLES}
    try:
        with transaction(records.connection):
            for table in schema.TABLES:
                columns = {row["name"] for row in records.connection.execute(f"PRAGMA table_info({table})")}
                for row in tables[table]:
                    values = {key: value for key, value in row.items() if key != "id"}
                    if not values.keys() <= columns:
                        raise RecordsError(f"{table} has no column {', '.join(sorted(values.keys() - columns))}")
                    if table == "person":
                        values["name_folded"] = folded(values["name"])
                    if table in _PARENTS:
                        column = _PARENTS[table]
                        values[column] = new[column.removesuffix("_id")][int(values[column])]
                    new[table][int(row["id"])] = insert(records.connection, table, values)
    except (KeyError, TypeError, AttributeError, sqlite3.Error) as error:
        raise RecordsError(f"these records cannot be taken in: {error}; nothing was changed") from None


def to_json(records: Records, name: str | None = None) -> str:
    """All or one person as JSON; beside the tables each session's screen (total, asymmetries), for reading only."""
    tables = read_tables(records, name)
    for table, (column, _) in _FILES.items():
        for row in tables[table]:
            row[column] = base64.b64encode(row[column]).decode("ascii")
    screens = []
    for person in tables["person"]:
        for session in records.sessions(person["name"]):
            result = records.screen(session).result()
            names = ("left", "right", "final", "asymmetric", "total")
            screens.append({"session_id": session.id} | {key: getattr(result, key) for key in names})
    content = {"format": FORMAT, "version": len(schema.MIGRATIONS), **tables, "screens": screens}
    return json.dumps(content, indent=2, allow_nan=False, ensure_ascii=False) + "\n"


def from_json(records: Records, text: str) -> None:
    """Take in what `to_json` gave. Raises RecordsError."""
    try:
        content = json.loads(text)
    except ValueError as error:
        raise RecordsError(f"this is no JSON: {error}") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise RecordsError(f"this is no export of FitMotion: its format is not '{FORMAT}'")
    if content.get("version") != len(schema.MIGRATIONS):
        raise RecordsError(f"version {content.get('version')} of the tables; this is {len(schema.MIGRATIONS)}")
    try:
        for table, (column, _) in _FILES.items():
            for row in content[table]:
                row[column] = base64.b64decode(row[column], validate=True)
    except (KeyError, TypeError, binascii.Error) as error:
        raise RecordsError(f"these records cannot be taken in: {table} has no {column} ({error})") from None
    write_tables(records, content)


def to_csv(records: Records, folder: Path, name: str | None = None) -> list[Path]:
    """A file a table in a new folder; an empty cell is NULL. Raises RecordsError when the folder is there already."""
    tables = read_tables(records, name)
    try:
        folder.mkdir(mode=0o700)
        for table, (column, suffix) in _FILES.items():
            (folder / table).mkdir()
            for row in tables[table]:
                file = f"{table}/{row['id']}{suffix}"
                (folder / file).write_bytes(row[column])
                row[column] = file
        return [_write_csv(records, folder / f"{table}.csv", table, tables[table]) for table in schema.TABLES]
    except OSError as error:
        raise RecordsError(f"cannot write {folder}: {error.strerror}; name a folder that is not there yet") from None


def _write_csv(records: Records, path: Path, table: str, rows: list[dict[str, Any]]) -> Path:
    columns = [row["name"] for row in records.connection.execute(f"PRAGMA table_info({table})")]
    with path.open("x", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns)
        writer.writeheader()
        writer.writerows(rows)
    return path


def from_csv(records: Records, folder: Path) -> None:
    """Take in what `to_csv` wrote. Raises RecordsError."""
    tables: Tables = {}
    for table in schema.TABLES:
        # text columns that may be NULL are those without NOT NULL; an empty cell in the others is an empty text
        info = records.connection.execute(f"PRAGMA table_info({table})").fetchall()
        optional = {row["name"] for row in info if not row["notnull"]}
        try:
            with (folder / f"{table}.csv").open(encoding="utf-8-sig", newline="") as stream:
                tables[table] = [
                    {key: None if value == "" and key in optional else value for key, value in row.items()}
                    for row in csv.DictReader(stream)
                ]
            if table in _FILES:
                column = _FILES[table][0]
                for row in tables[table]:
                    row[column] = _inside(folder, str(row[column])).read_bytes()
        except (OSError, UnicodeDecodeError) as error:
            raise RecordsError(f"cannot read {folder / table}.csv: {error}") from None
    write_tables(records, tables)


def _inside(folder: Path, name: str) -> Path:
    """A file that a cell names: only one of the export itself is read."""
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise RecordsError(f"{name} is outside {folder}; an export names its own files only")
    return path
