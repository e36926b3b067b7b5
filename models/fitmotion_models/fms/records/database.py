"""The SQLite file itself: where it lies, how it is opened, brought up to date, written and wiped."""

import os
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from fitmotion_models.fms.records import schema

BUSY_S = 10.0  # how long a process waits for another's write
FILE_NAME = "fitmotion.sqlite"


class RecordsError(ValueError):
    """The database cannot be used, or not for this; the text is one sentence."""


def default_path(environment: Mapping[str, str] = os.environ) -> Path:
    """data/fitmotion.sqlite of the checkout, without one of the current folder, as for runs.

    Nothing of a person leaves the checkout unless a path is given; the folder tells git to leave it alone.
    """
    return Path(environment.get("FITMOTION_ROOT", "")) / "data" / FILE_NAME


def open_database(path: Path) -> sqlite3.Connection:
    """Open the database, made or brought up to date as needed; several processes may do so at once.

    Write-ahead log, every commit on the disk before it returns, foreign keys, and what is deleted overwritten. Only the
    owner can read a file made here. Raises RecordsError.
    """
    try:
        _make_folder(path.parent)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
    except (OSError, sqlite3.Error) as error:
        raise RecordsError(f"cannot open {path}: {error}; choose another place with --database") from None
    connection.row_factory = sqlite3.Row
    try:
        _check_is_ours(connection, path)
        _use_write_ahead_log(connection)
        for pragma in ("synchronous = FULL", "foreign_keys = ON", "secure_delete = ON"):
            connection.execute(f"PRAGMA {pragma}")
        _migrate(connection, path)
    except sqlite3.Error as error:
        connection.close()
        raise RecordsError(f"{path} cannot be used: {error}; choose another with --database") from None
    except RecordsError:
        connection.close()
        raise
    return connection


def _make_folder(folder: Path) -> None:
    """A folder made here is the owner's alone, and git does not see what is in it."""
    if folder.exists():
        return
    folder.mkdir(parents=True, mode=0o700, exist_ok=True)
    (folder / ".gitignore").write_text("*\n", encoding="utf-8")


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])


def _check_is_ours(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse another program's database, before anything in it is touched."""
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if tables and _number(connection, "application_id") != schema.APPLICATION_ID:
        raise RecordsError(f"{path} is another program's database; choose another place with --database")


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """The switch is not covered by SQLite's own waiting, so that two processes that begin together wait here."""
    until = time.monotonic() + BUSY_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring the tables to the newest version in one transaction: all of it or nothing."""
    newest = len(schema.MIGRATIONS)
    if _number(connection, "user_version") == newest:
        return
    with transaction(connection):
        version = _number(connection, "user_version")  # another process may have been first
        if version > newest:
            raise RecordsError(
                f"{path} has version {version} of the tables and this FitMotion knows up to {newest}; use a newer one"
            )
        for statements in schema.MIGRATIONS[version:]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {newest}")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All that is written inside or nothing of it; other processes' writes wait."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def wipe_free_space(connection: sqlite3.Connection) -> bool:
    """Leave nothing of what was deleted in the file or its log.

    False when others use the database just now: then the log still holds it, until the last of them closes.
    """
    try:
        connection.execute("VACUUM")
        return int(connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]) == 0
    except sqlite3.OperationalError:
        return False
