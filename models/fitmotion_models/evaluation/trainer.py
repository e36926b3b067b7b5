"""Overhead squats that a trainer scored, beside what we say of the same videos.

The trainer's table (one line a person) names a side and a front video, marks from 0 to 100 for the squat, the knees,
the core and the asymmetry, and a note. Each of these is put beside what is nearest to it here; where nothing is, that
is said. Two scales that were never fitted to each other: what can be compared is whether both see a fault.
"""

import csv
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

from fitmotion_models.fms.assess import AssessmentReport, assess, assessment_as_dict
from fitmotion_models.fms.features import repetition_curves
from fitmotion_models.fms.reading import leg_length
from fitmotion_models.fms.repetitions import Repetition
from fitmotion_models.fms.scorer import Scorer
from fitmotion_models.fms.values import Criterion, Verdict
from fitmotion_models.skeleton.motion_clip import MotionClip

TABLE = "overhead_squat_trainer_scores.csv"
MARKS = ("squat_score_0_100", "knee_stability", "core_strength", "asymmetry")
COLUMNS = ("side_video", "front_video", *MARKS, "trainer_note")

# A mark below this counts as a fault, one from it on ("slightly") does not. This project's reading, not the trainer's.
FAULT_BELOW = 75
ARMS_FELL = re.compile(r"\barms?\b[^.;/]*\b(fall|falls|fell|drop|drops)\b", re.IGNORECASE)

KNEES = ("left_knee_over_foot", "right_knee_over_foot")
# front to back: seen from the side; side to side: from the front
SIDE_CRITERIA = ("trunk_parallel_to_tibia", "femur_below_horizontal", "dowel_over_feet", "dowel_overhead", "heels_down")


class Agreement(Enum):
    """Whether both see a fault, both see none, they differ, or we give no verdict (or have none to give)."""

    AGREE = "agree"
    DIFFER = "differ"
    NO_VERDICT = "not called"
    NO_COUNTERPART = "no criterion"


@dataclass(frozen=True)
class TrainerScore:
    """One line of the trainer's table. marks: name -> 0 to 100."""

    side_video: str
    front_video: str
    marks: dict[str, float]
    note: str


@dataclass(frozen=True)
class Seen:
    """A person's squat in one video. criteria: by name, of the first repetition; empty where none was found.

    measured: further numbers of the repetition, name -> (value, unit).
    """

    report: AssessmentReport
    criteria: dict[str, Criterion]
    measured: dict[str, tuple[float, str]]


@dataclass(frozen=True)
class Item:
    """Something that the trainer marked, beside ours. ours: criteria; measured: what else bears on it."""

    name: str
    trainer: str
    trainer_fault: bool
    ours: tuple[Criterion, ...]
    measured: dict[str, tuple[float, str]]
    agreement: Agreement


@dataclass(frozen=True)
class Person:
    """One person: the trainer's line, both videos as we see them, the items side by side."""

    scored: TrainerScore
    side: Seen
    front: Seen
    items: tuple[Item, ...]


def read_trainer_scores(path: Path) -> list[TrainerScore]:
    """The trainer's table. Raises ValueError naming the file and the line where a column or a mark is missing."""
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
    except OSError as error:
        raise ValueError(f"{path} can't be read: {error.strerror}; give the folder that holds {TABLE}") from error
    if not rows or set(COLUMNS) - set(rows[0]):
        missing = ", ".join(sorted(set(COLUMNS) - set(rows[0]))) if rows else "every line"
        raise ValueError(f"{path} lacks {missing}; its columns are {','.join(COLUMNS)}")
    return [_trainer_score(path, number, row) for number, row in enumerate(rows, start=2)]


def _trainer_score(path: Path, number: int, row: dict[str, str]) -> TrainerScore:
    marks = {}
    for name in MARKS:
        try:
            marks[name] = float(row[name])
        except (TypeError, ValueError):
            raise ValueError(
                f"{path} line {number}: {name} is {row[name]!r}; a mark is a number from 0 to 100"
            ) from None
        if not 0.0 <= marks[name] <= 100.0:
            raise ValueError(f"{path} line {number}: {name} is {marks[name]:g}; a mark is a number from 0 to 100")
    return TrainerScore(row["side_video"], row["front_video"], marks, row["trainer_note"].strip())


def compare(
    folder: Path, *, backend: str = "mediapipe", progress: Callable[[int, int | None], None] | None = None
) -> list[Person]:
    """Everybody of the trainer's table in a folder with their videos. progress: videos done, all.

    Raises ValueError as `read_trainer_scores` and for a video that can't be used.
    """
    scores = read_trainer_scores(folder / TABLE)
    persons = []
    for number, scored in enumerate(scores):
        seen = []
        for video in (scored.side_video, scored.front_video):
            seen.append(_seen(assess(str(folder / video), backend=backend)))
            if progress is not None:
                progress(2 * number + len(seen), 2 * len(scores))
        persons.append(Person(scored, seen[0], seen[1], items_of(scored, seen[0], seen[1])))
    return persons


def _seen(report: AssessmentReport) -> Seen:
    criteria = {one.name: one for one in report.assessments[0].criteria} if report.assessments else {}
    repetition = None if report.clip is None else _first_repetition(report.clip)
    return Seen(report, criteria, {} if repetition is None else _measured(repetition))


def _first_repetition(clip: MotionClip) -> Repetition | None:
    scorer = Scorer()
    return next((update.repetition for update in map(scorer.update, clip) if update.repetition is not None), None)


def _measured(repetition: Repetition) -> dict[str, tuple[float, str]]:
    """How far each knee goes in and out; at the lowest point: how far aside the pelvis is, how uneven the hands are."""
    found = repetition_curves(repetition)
    length = leg_length(repetition.stance.body)

    def curve(name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
        return np.asarray(found.values[:, found.names.index(name)] * length)

    middle, half = curve("mean_knee_inward"), curve("difference_knee_inward")
    aside = curve("pelvis_aside")
    uneven = 2.0 * curve("difference_elevation")[found.lowest]
    return {
        "left knee sway": (_spread(middle + half), "m"),
        "right knee sway": (_spread(middle - half), "m"),
        "pelvis to the left": (float(aside[found.lowest] - aside[0]), "m"),
        "left hand higher": (float(uneven), "m"),
    }


def _spread(values: np.ndarray[Any, np.dtype[np.float64]]) -> float:
    """From the 5th to the 95th percentile: single frames of noise do not count."""
    seen = values[np.isfinite(values)]
    return float(np.percentile(seen, 95) - np.percentile(seen, 5)) if seen.size else math.nan


def items_of(scored: TrainerScore, side: Seen, front: Seen) -> tuple[Item, ...]:
    """What the trainer marked, each beside the criteria that are nearest to it, from the view that they are seen in."""
    marks = scored.marks
    arms = ARMS_FELL.search(scored.note) is not None
    knee_sway = {name: value for name, value in front.measured.items() if "sway" in name}
    aside = {name: value for name, value in front.measured.items() if "sway" not in name}
    return (
        _item("arms", "fall" if arms else "-", arms, side, ("dowel_over_feet",), {}),
        _marked("knee stability", marks["knee_stability"], front, KNEES, knee_sway),
        _marked("core strength", marks["core_strength"], side, ("trunk_parallel_to_tibia",), {}),
        _marked("asymmetry", marks["asymmetry"], front, (), aside),
        _marked("whole squat", marks["squat_score_0_100"], side, (), {}),
    )


def _marked(
    name: str, mark: float, seen: Seen, criteria: Sequence[str], measured: dict[str, tuple[float, str]]
) -> Item:
    return _item(name, f"{mark:g}", mark < FAULT_BELOW, seen, criteria, measured)


def _item(
    name: str, said: str, fault: bool, seen: Seen, criteria: Sequence[str], measured: dict[str, tuple[float, str]]
) -> Item:
    ours = tuple(seen.criteria[one] for one in criteria if one in seen.criteria)
    return Item(name, said, fault, ours, measured, _agreement(fault, ours, bool(criteria)))


def _agreement(trainer_fault: bool, ours: Sequence[Criterion], corresponds: bool) -> Agreement:
    """One criterion that is not met is a fault; none is one only where all are met."""
    if not corresponds:
        return Agreement.NO_COUNTERPART
    verdicts = [one.verdict for one in ours]
    if Verdict.NOT_MET in verdicts:
        return Agreement.AGREE if trainer_fault else Agreement.DIFFER
    if not verdicts or Verdict.NOT_SEEN in verdicts:
        return Agreement.NO_VERDICT
    return Agreement.DIFFER if trainer_fault else Agreement.AGREE


def as_dict(persons: Sequence[Person]) -> dict[str, Any]:
    """JSON-ready: a person each, then how often both agree."""
    return {
        "persons": [_person_as_dict(one) for one in persons],
        "fault_below_mark": FAULT_BELOW,
        "agreement": counts_of(persons),
        "order": orders_of(persons),
    }


def orders_of(persons: Sequence[Person]) -> dict[str, dict[str, Any]]:
    """Of each mark with a number of ours: both for every person, and in how many pairs of them the order is the same.

    The order is that of who does worse: a lower mark; knees that sway more, a trunk that leans further forward than the
    shins, a pelvis further aside. Pairs with equal marks are left out.
    """
    orders = {}
    for mark, (what, ours_of) in ORDERED.items():
        marks = [person.scored.marks[mark] for person in persons]
        ours = [ours_of(person) for person in persons]
        pairs = [
            (ours[i] - ours[j]) * (marks[i] - marks[j]) < 0.0
            for i in range(len(persons))
            for j in range(i)
            if marks[i] != marks[j] and math.isfinite(ours[i] - ours[j])
        ]
        orders[mark] = {"ours": what, "marks": marks, "values": list(map(_number, ours)), "pairs": len(pairs)}
        orders[mark]["same_order"] = sum(pairs)
    return orders


def _measured_in_front(*names: str) -> Callable[[Person], float]:
    def mean_size(person: Person) -> float:
        values = [abs(person.front.measured[name][0]) for name in names if name in person.front.measured]
        return float(np.mean(values)) if values else math.nan

    return mean_size


def _trunk_lean(person: Person) -> float:
    trunk = person.side.criteria.get("trunk_parallel_to_tibia")
    return math.nan if trunk is None else trunk.value


ORDERED: dict[str, tuple[str, Callable[[Person], float]]] = {
    "knee_stability": ("sway of the knees, m", _measured_in_front("left knee sway", "right knee sway")),
    "core_strength": ("trunk against tibia, deg", _trunk_lean),
    "asymmetry": ("pelvis aside, m", _measured_in_front("pelvis to the left")),
}


def counts_of(persons: Sequence[Person]) -> dict[str, int]:
    """How many items agree, differ, and so on, over everybody."""
    found = [item.agreement for person in persons for item in person.items]
    return {kind.value: found.count(kind) for kind in Agreement}


def _person_as_dict(person: Person) -> dict[str, Any]:
    return {
        "trainer": {**person.scored.marks, "note": person.scored.note},
        "side": _seen_as_dict(person.scored.side_video, person.side),
        "front": _seen_as_dict(person.scored.front_video, person.front),
        "items": [
            {
                "item": item.name,
                "trainer": item.trainer,
                "trainer_fault": item.trainer_fault,
                "ours": [one.name for one in item.ours],
                "verdicts": [one.verdict.name.lower() for one in item.ours],
                "measured": {name: _number(value) for name, (value, _) in item.measured.items()},
                "agreement": item.agreement.value,
            }
            for item in person.items
        ],
    }


def _seen_as_dict(video: str, seen: Seen) -> dict[str, Any]:
    return {
        "video": video,
        "assessments": [assessment_as_dict(one) for one in seen.report.assessments],
        "measured": {name: _number(value) for name, (value, _) in seen.measured.items()},
    }


def _number(value: float) -> float | None:
    return round(float(value), 4) if math.isfinite(value) else None
