"""Rows of the database from values and back: assessments, and a session's screen."""

import math
import sqlite3
import unicodedata
from typing import Any

from fitmotion_models.fms.screen import ClearingTest, Screen
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


def insert_assessment(connection: sqlite3.Connection, session: int, one: Assessment) -> None:
    """Add a repetition with its criteria."""
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
        screen.set_score(*key, row["score"], "" if row["score"] == NOT_SCORABLE else row["reason"])
    for row in connection.execute("SELECT * FROM pain WHERE session_id = ?", (session,)):
        screen.report_pain(Movement[row["movement"].upper()], Side[row["side"].upper()])
    for row in connection.execute("SELECT * FROM clearing WHERE session_id = ?", (session,)):
        screen.report_clearing(ClearingTest[row["test"].upper()], pain=bool(row["pain"]))
    return screen


def _or_null(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value
