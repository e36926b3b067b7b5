"""Persons, their sessions and what was found in them."""

import shutil
import sqlite3
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from fitmotion_models.fms.records.database import RecordsError, open_database, transaction, wipe_free_space
from fitmotion_models.fms.records.rows import folded, insert, insert_assessment, read_assessments, read_screen
from fitmotion_models.fms.screen import ClearingTest, Screen
from fitmotion_models.fms.values import Assessment, Movement, Side


@dataclass(frozen=True)
class Person:
    """name: or a code. height_m: metres. consent: to being measured and kept; since or until consent_date."""

    id: int
    name: str
    birth_year: int | None
    height_m: float | None
    consent: bool
    consent_date: date | None
    sessions: int


@dataclass(frozen=True)
class Session:
    """One visit. started: UTC. measured_by: who measured. device: with what."""

    id: int
    person: str
    started: datetime
    measured_by: str
    device: str


@dataclass(frozen=True)
class Grade:
    """An operator's own grade beside the measured one; -1 withdraws the one before. given: UTC."""

    movement: Movement
    side: Side
    score: int
    reason: str
    graded_by: str
    given: datetime


@dataclass(frozen=True)
class Removal:
    """files: what was deleted from the disk. wiped: nothing of it is left in the database's free space either."""

    files: tuple[Path, ...]
    wiped: bool


class Records:
    """The database of persons, open until closed. Raises RecordsError for what cannot be done, in one sentence."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.connection = open_database(path)

    def __enter__(self) -> "Records":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the database."""
        self.connection.close()

    def persons(self) -> list[Person]:
        """Everybody, by name."""
        rows = self.connection.execute(
            "SELECT person.*, (SELECT count(*) FROM session WHERE person_id = person.id) AS sessions "
            "FROM person ORDER BY name_folded"
        )
        return [_person(row) for row in rows]

    def person(self, name: str) -> Person:
        """The person of that name (case does not count)."""
        row = self.connection.execute(
            "SELECT person.*, (SELECT count(*) FROM session WHERE person_id = person.id) AS sessions "
            "FROM person WHERE name_folded = ?",
            (folded(name),),
        ).fetchone()
        if row is None:
            raise RecordsError(f"nobody is called '{name}'; `fitmotion subjects list` shows who is there")
        return _person(row)

    def add_person(
        self,
        name: str,
        *,
        birth_year: int | None = None,
        height_m: float | None = None,
        consent: bool = False,
        today: date | None = None,
    ) -> Person:
        """Add somebody. today: of the consent; the day it is unless given."""
        today = today or datetime.now().astimezone().date()
        if not name.strip() or not name.isprintable():
            raise RecordsError("a name is empty or has signs that cannot be printed; give a name or a code")
        if birth_year is not None and not 1900 <= birth_year <= today.year:
            raise RecordsError(f"birth year is {birth_year}; it lies between 1900 and {today.year}")
        if height_m is not None and not 0.4 <= height_m <= 2.6:
            raise RecordsError(f"height is {height_m:g} m; it lies between 0.4 and 2.6 m")
        row = {
            "name": name.strip(),
            "name_folded": folded(name),
            "birth_year": birth_year,
            "height_m": height_m,
            "consent": int(consent),
            "consent_date": today.isoformat() if consent else None,
        }
        try:
            with transaction(self.connection):
                insert(self.connection, "person", row)
        except sqlite3.IntegrityError:
            raise RecordsError(f"somebody is called '{name.strip()}' already; choose another name or a code") from None
        return self.person(name)

    def set_consent(self, name: str, consent: bool, *, today: date | None = None) -> Person:
        """The person agrees to being measured and kept, or takes it back: then nothing more is added."""
        person = self.person(name)
        day = (today or datetime.now().astimezone().date()).isoformat()
        with transaction(self.connection):
            self.connection.execute(
                "UPDATE person SET consent = ?, consent_date = ? WHERE id = ?", (int(consent), day, person.id)
            )
        return self.person(name)

    def start_session(self, name: str, *, measured_by: str, device: str, now: datetime | None = None) -> Session:
        """A new visit. Raises RecordsError without the person's consent."""
        with transaction(self.connection):
            person = self.person(name)
            if not person.consent:
                say = f"`fitmotion subjects consent {person.name}`"
                raise RecordsError(f"{person.name} has not agreed to being kept; if they do, say {say}")
            started = (now or datetime.now(UTC)).astimezone(UTC)
            row = {
                "person_id": person.id,
                "started": started.isoformat(),
                "measured_by": measured_by,
                "device": device,
            }
            return Session(insert(self.connection, "session", row), person.name, started, measured_by, device)

    def sessions(self, name: str) -> list[Session]:
        """A person's visits, the first one first."""
        person = self.person(name)
        rows = self.connection.execute(
            "SELECT * FROM session WHERE person_id = ? ORDER BY started, id", (person.id,)
        ).fetchall()
        return [
            Session(row["id"], person.name, datetime.fromisoformat(row["started"]), row["measured_by"], row["device"])
            for row in rows
        ]

    def add_assessment(self, session: Session, assessment: Assessment) -> None:
        """Keep a repetition. Movement, variation, side, trial and repetition tell it from the others."""
        with self._writing(f"repetition {assessment.repetition} of trial {assessment.trial} is there already"):
            insert_assessment(self.connection, session.id, assessment)

    def add_grade(self, session: Session, grade: Grade) -> None:
        """Keep an operator's grade beside ours; the last one of a test and side counts, all are kept."""
        Screen(session.person).set_score(grade.movement, grade.side, grade.score, grade.reason)  # says what is wrong
        row = _test(session, grade.movement, grade.side) | {
            "score": grade.score,
            "reason": grade.reason,
            "graded_by": grade.graded_by,
            "given": grade.given.astimezone(UTC).isoformat(),
        }
        with self._writing("the grade"):
            insert(self.connection, "grade", row)

    def grades(self, session: Session) -> list[Grade]:
        """The operators' grades, the oldest first."""
        rows = self.connection.execute("SELECT * FROM grade WHERE session_id = ? ORDER BY id", (session.id,))
        return [
            Grade(
                Movement[row["movement"].upper()],
                Side[row["side"].upper()],
                row["score"],
                row["reason"],
                row["graded_by"],
                datetime.fromisoformat(row["given"]),
            )
            for row in rows
        ]

    def set_pain(self, session: Session, movement: Movement, side: Side = Side.BOTH, *, pain: bool = True) -> None:
        """The person says that a test hurts, or takes that back."""
        Screen(session.person).report_pain(movement, side, pain=pain)  # says what is wrong
        row = _test(session, movement, side)
        with self._writing("the pain"):
            self.connection.execute(
                "DELETE FROM pain WHERE session_id = ? AND movement = ? AND side = ?", tuple(row.values())
            )
            if pain:
                insert(self.connection, "pain", row)

    def set_clearing(self, session: Session, test: ClearingTest, *, pain: bool) -> None:
        """What a clearing test said."""
        with self._writing("the clearing test"):
            name = test.name.lower()
            self.connection.execute("DELETE FROM clearing WHERE session_id = ? AND test = ?", (session.id, name))
            insert(self.connection, "clearing", {"session_id": session.id, "test": name, "pain": int(pain)})

    def add_file(self, session: Session, path: Path) -> None:
        """Say that a file, or the folder of a run, belongs to this session: it goes when the person does."""
        path = path.absolute()
        check_is_a_run(path)
        with self._writing(f"{path} belongs to the session already"):
            insert(self.connection, "run_file", {"session_id": session.id, "path": str(path)})

    def assessments(self, session: Session) -> list[Assessment]:
        """The repetitions of a session as they were measured."""
        return read_assessments(self.connection, session.id, session.person)

    def screen(self, session: Session) -> Screen:
        """The screen of a session, worked out again from what is kept."""
        return read_screen(self.connection, session.id, session.person)

    def files(self, name: str) -> list[Path]:
        """The files and folders of a person's runs."""
        rows = self.connection.execute(
            "SELECT DISTINCT path FROM run_file JOIN session ON session.id = session_id WHERE person_id = ? "
            "ORDER BY path",
            (self.person(name).id,),
        )
        return [Path(row["path"]) for row in rows]

    def remove_person(self, name: str) -> Removal:
        """Delete a person and everything of theirs: rows, registered files, and traces in the free space.

        Files go first: cut off in between, the person is still there and can be removed again. Raises RecordsError
        when a file cannot be deleted; the person stays then.
        """
        gone: list[Path] = []
        with self._writing(f"{name} cannot be removed"):
            person = self.person(name)
            for path in self.files(name):
                if not path.is_symlink() and not path.exists():
                    continue
                try:
                    check_is_a_run(path)
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
                except (OSError, RecordsError) as error:
                    raise RecordsError(f"{person.name} stays: {path} cannot be deleted ({error})") from None
                gone.append(path)
            # a folder in which somebody else was seen too is gone for both
            self.connection.executemany("DELETE FROM run_file WHERE path = ?", [(str(path),) for path in gone])
            self.connection.execute("DELETE FROM person WHERE id = ?", (person.id,))
        return Removal(tuple(gone), wipe_free_space(self.connection))

    def _writing(self, refused: str) -> "_Writing":
        return _Writing(self.connection, refused)


class _Writing:
    """A transaction in which what the tables refuse is said in a sentence."""

    def __init__(self, connection: sqlite3.Connection, refused: str) -> None:
        self._transaction = transaction(connection)
        self._refused = refused

    def __enter__(self) -> None:
        self._transaction.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._transaction.__exit__(kind, error, trace)
        if isinstance(error, sqlite3.IntegrityError):
            raise RecordsError(f"{self._refused}, or its session or person is gone ({error})") from None


def check_is_a_run(path: Path) -> None:
    """Only a file or a run's folder may be deleted with a person. Raises RecordsError for anything else."""
    if path.is_symlink() or not path.exists():
        raise RecordsError(f"{path} is a link or is not there; name the file or the run's folder itself")
    is_run = (path / "assessment.json").is_file() or ((path / "parameters").is_dir() and (path / "log").is_dir())
    if path.is_dir() and not is_run:
        raise RecordsError(f"{path} is no folder of a run (it has neither assessment.json nor parameters/ and log/)")


def _test(session: Session, movement: Movement, side: Side) -> dict[str, Any]:
    return {"session_id": session.id, "movement": movement.name.lower(), "side": side.name.lower()}


def _person(row: sqlite3.Row) -> Person:
    return Person(
        id=row["id"],
        name=row["name"],
        birth_year=row["birth_year"],
        height_m=row["height_m"],
        consent=bool(row["consent"]),
        consent_date=None if row["consent_date"] is None else date.fromisoformat(row["consent_date"]),
        sessions=row["sessions"],
    )
