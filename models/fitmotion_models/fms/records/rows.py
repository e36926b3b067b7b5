"""Rows of the database from values and back: assessments, and a session's screen."""

import math
import sqlite3
import unicodedata
from datetime import date, datetime
from typing import Any

from fitmotion_models.fms.anthropometry import Anthropometry, Sex
from fitmotion_models.fms.records.values import Person, Session
from fitmotion_models.fms.screen import ClearingTest, Screen
from fitmotion_models.fms.trial import Trial
from fitmotion_models.fms.values import NOT_SCORABLE, Assessment, Criterion, Movement, Side, Variation, Verdict


def folded(name: str) -> str:
    """What a name is found by: neither case nor the way of writing accents counts, in any script."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name.strip()).casefold())


def insert(connection: sqlite3.Connection, table: str, values: dict[str, Any]) -> int:
    """Add a row; its id. The names come from the code, never from a user."""
    marks = ", ".join("?" * len(values))
    cursor = connection.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", tuple(values.values()))
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def insert_assessment(connection: sqlite3.Connection, session: int, one: Assessment) -> int:
    """Add a repetition with its criteria; its id."""
    row = {
        "session_id": session,
        "movement": one.movement.name.lower(),
        "variation": one.variation.name.lower(),
        "side": one.side.name.lower(),
        "trial": one.trial,
        "repetition": one.repetition,
        "score": one.score,
        "reason": one.reason,
        "confidence": _or_null(one.confidence),
        "scorer": one.scorer,
        "stamp_s": one.stamp,
        "start_s": one.start,
        "end_s": one.end,
        "learned_score": one.learned_score,
        "disagreement": int(one.disagreement),
        "pain": int(one.pain),
    }
    repetition = insert(connection, "repetition", row)
    for position, criterion in enumerate(one.criteria):
        values = {
            "repetition_id": repetition,
            "position": position,
            "name": criterion.name,
            "value": _or_null(criterion.value),
            "threshold": _or_null(criterion.threshold),
            "unit": criterion.unit,
            "verdict": criterion.verdict.name.lower(),
            "joints": " ".join(map(str, criterion.joints)),
            "advice": criterion.advice,
        }
        insert(connection, "criterion", values)
    return repetition


def find_repetition(connection: sqlite3.Connection, session: int, one: Assessment) -> int | None:
    """The id of a repetition: movement, form, side, trial and number tell it from the others."""
    row = connection.execute(
        "SELECT id FROM repetition WHERE session_id = ? AND movement = ? AND variation = ? AND side = ? "
        "AND trial = ? AND repetition = ?",
        (
            *(session, one.movement.name.lower(), one.variation.name.lower(), one.side.name.lower()),
            *(one.trial, one.repetition),
        ),
    ).fetchone()
    return None if row is None else int(row["id"])


def read_assessments(connection: sqlite3.Connection, session: int, subject: str) -> list[Assessment]:
    """A session's repetitions in the order in which they were added."""
    found = connection.execute("SELECT * FROM repetition WHERE session_id = ? ORDER BY id", (session,))
    return [_assessment(connection, row, subject) for row in found.fetchall()]


def _assessment(connection: sqlite3.Connection, row: sqlite3.Row, subject: str) -> Assessment:
    criteria = connection.execute("SELECT * FROM criterion WHERE repetition_id = ? ORDER BY position", (row["id"],))
    return Assessment(
        stamp=row["stamp_s"],
        subject=subject,
        movement=Movement[row["movement"].upper()],
        variation=Variation[row["variation"].upper()],
        side=Side[row["side"].upper()],
        trial=row["trial"],
        repetition=row["repetition"],
        score=row["score"],
        reason=row["reason"],
        confidence=_or_nan(row["confidence"]),
        scorer=row["scorer"],
        criteria=tuple(_criterion(one) for one in criteria),
        start=row["start_s"],
        end=row["end_s"],
        learned_score=row["learned_score"],
        disagreement=bool(row["disagreement"]),
        pain=bool(row["pain"]),
    )


def _criterion(row: sqlite3.Row) -> Criterion:
    return Criterion(
        name=row["name"],
        value=_or_nan(row["value"]),
        threshold=_or_nan(row["threshold"]),
        unit=row["unit"],
        verdict=Verdict[row["verdict"].upper()],
        joints=tuple(int(joint) for joint in row["joints"].split()),
        advice=row["advice"],
    )


def read_screen(connection: sqlite3.Connection, session: int, subject: str) -> Screen:
    """The screen of a session: total, sides and asymmetries follow from what is stored and are not stored."""
    screen = Screen(subject)
    for one in read_assessments(connection, session, subject):
        screen.add(one)
    for row in connection.execute("SELECT * FROM grade WHERE session_id = ? ORDER BY id", (session,)):
        key = Movement[row["movement"].upper()], Side[row["side"].upper()]
        reason = "" if row["score"] == NOT_SCORABLE else row["reason"]
        screen.set_score(*key, row["score"], reason, beside=bool(row["beside"]))
    for row in connection.execute("SELECT * FROM pain WHERE session_id = ?", (session,)):
        screen.report_pain(Movement[row["movement"].upper()], Side[row["side"].upper()])
    for row in connection.execute("SELECT * FROM clearing WHERE session_id = ?", (session,)):
        screen.report_clearing(ClearingTest[row["test"].upper()], pain=bool(row["pain"]))
    return screen


def person_from_row(row: sqlite3.Row) -> Person:
    """A row of `person` with the number of sessions beside it."""
    return Person(
        id=row["id"],
        name=row["name"],
        birth_year=row["birth_year"],
        height_m=row["height_m"],
        consent=bool(row["consent"]),
        consent_date=None if row["consent_date"] is None else date.fromisoformat(row["consent_date"]),
        sessions=row["sessions"],
        hand_length_m=row["hand_length_m"],
        sex=Sex[row["sex"].upper()],
    )


def session_from_row(row: sqlite3.Row) -> Session:
    """A row of `session` with the person's name beside it."""
    return Session(
        id=row["id"],
        person=row["name"],
        started=datetime.fromisoformat(row["started"]),
        measured_by=row["measured_by"],
        device=row["device"],
        finished=None if row["finished"] is None else datetime.fromisoformat(row["finished"]),
        abandoned=bool(row["abandoned"]),
        subject=row["subject"],
        body=Anthropometry(row["height_m"], row["hand_length_m"], Sex[row["sex"].upper()]),
        trial=_trial(row),
        runner=row["runner"],
    )


def _trial(row: sqlite3.Row) -> Trial | None:
    if row["movement"] is None:
        return None
    movement, variation = Movement[row["movement"].upper()], Variation[row["variation"].upper()]
    return Trial(movement, variation, Side[row["side"].upper()], row["trial"])


def trial_to_row(trial: Trial | None) -> dict[str, Any]:
    """What a session keeps of the trial under way."""
    if trial is None:
        return dict.fromkeys(("movement", "variation", "side", "trial"))
    return {
        "movement": trial.movement.name.lower(),
        "variation": trial.variation.name.lower(),
        "side": trial.side.name.lower(),
        "trial": trial.number,
    }


def body_to_row(body: Anthropometry) -> dict[str, Any]:
    """What persons and sessions keep of a person's measures."""
    return {"height_m": body.stature_m, "hand_length_m": body.hand_length_m, "sex": body.sex.name.lower()}


def _or_null(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value
