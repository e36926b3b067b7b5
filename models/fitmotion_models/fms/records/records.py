"""Persons, their sessions and what was found in them."""

import shutil
import sqlite3
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from fitmotion_models.fms.anthropometry import Anthropometry, Sex
from fitmotion_models.fms.records.database import RecordsError, open_database, transaction, wipe_free_space
from fitmotion_models.fms.records.rows import (
    body_to_row,
    find_repetition,
    folded,
    insert,
    insert_assessment,
    person_from_row,
    read_assessments,
    read_screen,
    session_from_row,
    trial_to_row,
)
from fitmotion_models.fms.records.values import Grade, Person, Removal, Session
from fitmotion_models.fms.screen import ClearingTest, Screen
from fitmotion_models.fms.trial import Trial
from fitmotion_models.fms.values import Assessment, Movement, Side
from fitmotion_models.skeleton.clip_file import clip_from_bytes, clip_to_bytes
from fitmotion_models.skeleton.motion_clip import MotionClip

_JPEG = b"\xff\xd8\xff"  # what every JPEG file begins with


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
        return [person_from_row(row) for row in rows]

    def person(self, name: str) -> Person:
        """The person of that name (case does not count)."""
        row = self.connection.execute(
            "SELECT person.*, (SELECT count(*) FROM session WHERE person_id = person.id) AS sessions "
            "FROM person WHERE name_folded = ?",
            (folded(name),),
        ).fetchone()
        if row is None:
            raise RecordsError(f"nobody is called '{name}'; `fitmotion subjects list` shows who is there")
        return person_from_row(row)

    def add_person(
        self,
        name: str,
        *,
        birth_year: int | None = None,
        height_m: float | None = None,
        hand_length_m: float | None = None,
        sex: Sex = Sex.UNKNOWN,
        consent: bool = False,
        today: date | None = None,
    ) -> Person:
        """Add somebody. today: of the consent; the day it is unless given. Raises ValueError as `Anthropometry`."""
        today = today or datetime.now().astimezone().date()
        if not name.strip() or not name.isprintable():
            raise RecordsError("a name is empty or has signs that cannot be printed; give a name or a code")
        if birth_year is not None and not 1900 <= birth_year <= today.year:
            raise RecordsError(f"birth year is {birth_year}; it lies between 1900 and {today.year}")
        row = body_to_row(Anthropometry(height_m, hand_length_m, sex)) | {
            "name": name.strip(),
            "name_folded": folded(name),
            "birth_year": birth_year,
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

    def set_body(self, name: str, body: Anthropometry) -> Person:
        """Enter a person's measures; what is None or UNKNOWN stays as it is."""
        given = {key: value for key, value in asdict(body).items() if value is not None and value is not Sex.UNKNOWN}
        with transaction(self.connection):
            person = self.person(name)
            self._update("person", person.id, body_to_row(replace(person.body, **given)))
        return self.person(name)

    def start_session(
        self,
        name: str,
        *,
        measured_by: str,
        device: str,
        now: datetime | None = None,
        subject: str = "",
        trial: Trial | None = None,
        runner: str = "",
    ) -> Session:
        """A new visit, its screen open. subject, trial, runner: see `Session`. Raises RecordsError without consent."""
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
                "subject": subject,
                "runner": runner,
            }
            number = insert(self.connection, "session", row | body_to_row(person.body) | trial_to_row(trial))
        return self.session(number)

    def session(self, number: int) -> Session:
        """The visit of a number."""
        rows = self._sessions("session.id = ?", (number,))
        if not rows:
            raise RecordsError(f"there is no session {number}; `fitmotion history NAME` shows a person's")
        return rows[0]

    def has_session(self, session: Session) -> bool:
        """Whether a visit is still there."""
        return bool(self._sessions("session.id = ?", (session.id,)))

    def sessions(self, name: str) -> list[Session]:
        """A person's visits, the first one first."""
        return self._sessions("person_id = ?", (self.person(name).id,))

    def open_sessions(self, name: str = "") -> list[Session]:
        """The visits whose screens go on, of one person or of all, the first one first."""
        if name:
            return [one for one in self.sessions(name) if one.is_open]
        return self._sessions("finished IS NULL", ())

    def sessions_of_runner(self, runner: str) -> list[Session]:
        """The visits that a process, or one whose place it took, has begun or gone on with; the first one first."""
        return self._sessions("runner = ?", (runner,))

    def _sessions(self, condition: str, values: tuple[Any, ...]) -> list[Session]:
        rows = self.connection.execute(
            "SELECT session.*, person.name FROM session JOIN person ON person.id = person_id "
            f"WHERE {condition} ORDER BY started, session.id",
            values,
        )
        return [session_from_row(row) for row in rows]

    def finish_session(self, session: Session, *, abandoned: bool = False, now: datetime | None = None) -> Session:
        """Close a visit's screen. abandoned: it was begun anew before it was complete."""
        finished = (now or datetime.now(UTC)).astimezone(UTC).isoformat()
        return self.update_session(session, finished=finished, abandoned=int(abandoned))

    def move_session(
        self, session: Session, *, subject: str | None = None, trial: Trial | None = None, runner: str | None = None
    ) -> Session:
        """Say who the person is in the poses, what is under way, or who runs the screen; None: as it was."""
        given: dict[str, Any] = {"subject": subject, "runner": runner}
        row = {key: value for key, value in given.items() if value is not None}
        return self.update_session(session, **row, **({} if trial is None else trial_to_row(trial)))

    def set_session_body(self, session: Session, body: Anthropometry) -> Session:
        """The measures that scores of this visit use."""
        return self.update_session(session, **body_to_row(body))

    def update_session(self, session: Session, **columns: Any) -> Session:
        """Write columns of a visit's row. Raises RecordsError when it is gone."""
        if columns:
            with transaction(self.connection):
                self._update("session", session.id, columns)
        return self.session(session.id)

    def _update(self, table: str, number: int, columns: Mapping[str, Any]) -> None:
        names = ", ".join(f"{name} = ?" for name in columns)
        self.connection.execute(f"UPDATE {table} SET {names} WHERE id = ?", (*columns.values(), number))

    def add_assessment(self, session: Session, assessment: Assessment, clip: MotionClip | None = None) -> None:
        """Keep a repetition, with its motion. Movement, form, side, trial and repetition tell it from the others."""
        npz = None if clip is None else clip_to_bytes(clip)
        with self._writing(f"repetition {assessment.repetition} of trial {assessment.trial} is there already"):
            repetition = insert_assessment(self.connection, session.id, assessment)
            if npz is not None:
                insert(self.connection, "clip", {"repetition_id": repetition, "npz": npz})

    def clip(self, session: Session, assessment: Assessment) -> MotionClip | None:
        """The motion of a repetition and of the stance before it; None where it was not kept."""
        row = self.connection.execute(
            "SELECT npz FROM clip WHERE repetition_id = ?",
            (find_repetition(self.connection, session.id, assessment),),
        ).fetchone()
        return None if row is None else clip_from_bytes(row["npz"], f"clip of repetition {assessment.repetition}")

    def add_picture(self, session: Session, repetition: Assessment, name: str, jpeg: bytes) -> None:
        """Keep a key frame of a repetition, a JPEG file's content, the face blurred by the caller.

        name: of the moment, for instance "lowest"; one that is there is replaced. Raises RecordsError when that
        repetition is not kept, and for what is no JPEG.
        """
        if not name.strip() or not jpeg.startswith(_JPEG):
            raise RecordsError(f"picture {name!r} has no name, or is no JPEG; give a name and a JPEG file's content")
        with self._writing(f"the picture {name}"):
            number = find_repetition(self.connection, session.id, repetition)
            if number is None:
                raise RecordsError(
                    f"repetition {repetition.repetition} of trial {repetition.trial} of "
                    f"{repetition.variation.name.lower()} is not in session {session.id}; keep it first"
                )
            self.connection.execute("DELETE FROM picture WHERE repetition_id = ? AND name = ?", (number, name))
            insert(self.connection, "picture", {"repetition_id": number, "name": name, "jpeg": jpeg})

    def pictures(self, session: Session, repetition: Assessment) -> dict[str, bytes]:
        """The key frames of a repetition by name, JPEG files' contents, in the order in which they were added."""
        number = find_repetition(self.connection, session.id, repetition)
        rows = self.connection.execute("SELECT name, jpeg FROM picture WHERE repetition_id = ? ORDER BY id", (number,))
        return {row["name"]: row["jpeg"] for row in rows}

    def add_grade(self, session: Session, grade: Grade) -> None:
        """Keep an operator's grade beside or over ours; the last one of a test and side stands, all are kept."""
        Screen(session.person).set_score(grade.movement, grade.side, grade.score, grade.reason)  # says what is wrong
        row = _test(session, grade.movement, grade.side) | {
            "beside": int(grade.beside),
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
                bool(row["beside"]),
            )
            for row in rows
        ]

    def set_pain(
        self, session: Session, movement: Movement, side: Side = Side.BOTH, *, pain: bool = True, note: str = ""
    ) -> None:
        """The person says that a test hurts, or takes that back. note: where and when, in their words."""
        Screen(session.person).report_pain(movement, side, pain=pain)  # says what is wrong
        row = _test(session, movement, side)
        with self._writing("the pain"):
            self.connection.execute(
                "DELETE FROM pain WHERE session_id = ? AND movement = ? AND side = ?", tuple(row.values())
            )
            if pain:
                insert(self.connection, "pain", row | {"note": note})

    def set_clearing(self, session: Session, test: ClearingTest, *, pain: bool, note: str = "") -> None:
        """What a clearing test said. note: where and when, in the person's words."""
        with self._writing("the clearing test"):
            name = test.name.lower()
            self.connection.execute("DELETE FROM clearing WHERE session_id = ? AND test = ?", (session.id, name))
            row = {"session_id": session.id, "test": name, "pain": int(pain), "note": note}
            insert(self.connection, "clearing", row)

    def pain_notes(self, session: Session) -> dict[str, str]:
        """What the person said of pain, by test and side or clearing test, in words; without what has no words."""
        notes: dict[str, str] = {}
        for row in self.connection.execute("SELECT * FROM pain WHERE session_id = ?", (session.id,)):
            side = "" if row["side"] == "both" else f" {row['side']}"
            notes[f"{row['movement'].replace('_', ' ')}{side}"] = row["note"]
        for row in self.connection.execute("SELECT * FROM clearing WHERE session_id = ?", (session.id,)):
            notes[row["test"].replace("_", " ")] = row["note"]
        return {place: note for place, note in notes.items() if note}

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
