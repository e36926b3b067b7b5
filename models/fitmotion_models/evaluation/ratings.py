"""Raters' scores from a CSV file, and how far the raters agree on single tests and on the total out of 21.

The file: one line a score, columns `person,movement,side,rater,score` in any order under a heading of these names,
separated by commas (or semicolons, as some spreadsheets write). movement: deep_squat, hurdle_step, ...; side: left,
right, or both (also empty) for a test without sides; score: 0 to 3, empty when that rater gave none. Our own scores are
a rater like the others, under any name.
"""

import csv
import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fitmotion_models.evaluation.agreement import (
    BlandAltman,
    Interval,
    Reliability,
    agreement_share,
    bland_altman,
    reliability,
    weighted_kappa,
)
from fitmotion_models.fms.screen import TESTS, sides_to_do
from fitmotion_models.fms.values import Movement, Side

COLUMNS = ("person", "movement", "side", "rater", "score")
WEIGHTS = ("unweighted", "linear", "quadratic")
ALL_TESTS = "all"
_MOVEMENTS = {movement.name.lower(): movement for movement in TESTS}
_SIDES = {"": Side.BOTH} | {side.name.lower(): side for side in Side}

Case = tuple[str, Movement, Side]
Scores = dict[str, dict[Case, int]]  # rater -> case -> score


@dataclass(frozen=True)
class PairAgreement:
    """Two raters on the cases that both have scored. exact, within_one: share of cases, 0 to 1. kappa: by weights."""

    first: str
    second: str
    tests: str
    cases: int
    persons: int
    exact: float
    within_one: float
    kappa: dict[str, Interval]
    differences: BlandAltman | None


@dataclass(frozen=True)
class RatersAgreement:
    """What a ratings file says. single: of single scores 0 to 3; total: of totals out of 21; None: too few cases."""

    raters: tuple[str, ...]
    persons: int
    scores: int
    pairs: tuple[PairAgreement, ...]
    single: Reliability | None
    total: Reliability | None


def read_ratings(path: str | Path) -> Scores:
    """The scores of a ratings file by rater. Raises ValueError that names the line and what to write there."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise ValueError(f"cannot read {path}: {reason}; give a CSV file with {','.join(COLUMNS)}") from None
    heading = text.partition("\n")[0]
    rows = csv.DictReader(text.splitlines(), delimiter=";" if heading.count(";") > heading.count(",") else ",")
    names = [(name or "").strip().lower() for name in rows.fieldnames or ()]
    missing = [column for column in COLUMNS if column not in names]
    if missing:
        got = ", ".join(name or "nothing" for name in names) or "nothing"
        lacks = ", ".join(missing)
        raise ValueError(f"{path}: no column {lacks}; the first line says {got}; write {','.join(COLUMNS)}")
    rows.fieldnames = names
    scores: Scores = {}
    for row in rows:
        try:
            _take(scores, {column: (row[column] or "").strip() for column in COLUMNS})
        except ValueError as error:
            raise ValueError(f"{path}, line {rows.line_num}: {error}") from None
    if len(scores) < 2:
        count = f"{len(scores)} rater{'' if len(scores) == 1 else 's'}"
        raise ValueError(f"{path}: scores of {count}; agreement needs two or more")
    return scores


def _take(scores: Scores, row: dict[str, str]) -> None:
    for column in ("person", "rater"):
        if not row[column]:
            raise ValueError(f"{column} is empty")
    movement = _MOVEMENTS.get(row["movement"].lower().replace(" ", "_"))
    if movement is None:
        raise ValueError(f"movement '{row['movement']}' is unknown; known: {', '.join(_MOVEMENTS)}")
    side = _SIDES.get(row["side"].lower())
    if side not in sides_to_do(movement):
        allowed = " or ".join(one.name.lower() for one in sides_to_do(movement))
        raise ValueError(f"side '{row['side']}' does not belong to {movement.name.lower()}; write {allowed}")
    assert side is not None
    if not row["score"]:
        return
    if row["score"] not in {"0", "1", "2", "3"}:
        raise ValueError(f"score '{row['score']}' is none; write 0, 1, 2 or 3, or leave it empty for no score")
    case = (row["person"], movement, side)
    if case in scores.setdefault(row["rater"], {}):
        raise ValueError(f"{row['rater']} has already scored {_case_name(case)}; leave one score")
    scores[row["rater"]][case] = int(row["score"])


def _case_name(case: Case) -> str:
    person, movement, side = case
    return f"{person}'s {movement.name.lower()}{'' if side is Side.BOTH else f' {side.name.lower()}'}"


def agreement_of(scores: Scores) -> RatersAgreement:
    """How far raters agree: every pair over all tests and test by test, and all raters together.

    Together counts only what all of them have scored. Raises ValueError when no two raters scored a common case.
    """
    pairs: list[PairAgreement] = []
    for first, second in itertools.combinations(scores, 2):
        common = [case for case in scores[first] if case in scores[second]]
        groups = {ALL_TESTS: common}
        groups |= {test.name.lower(): [case for case in common if case[1] is test] for test in TESTS}
        pairs += [_pair(scores, first, second, name, cases) for name, cases in groups.items() if cases]
    if not pairs:
        raise ValueError(f"no two of the raters {', '.join(scores)} have scored the same test of the same person")
    everybody = list(scores)
    totals = {rater: _totals(scores[rater]) for rater in everybody}
    return RatersAgreement(
        raters=tuple(everybody),
        persons=len({case[0] for rater in everybody for case in scores[rater]}),
        scores=sum(len(cases) for cases in scores.values()),
        pairs=tuple(pairs),
        single=_together([scores[rater] for rater in everybody]),
        total=_together([totals[rater] for rater in everybody]),
    )


def _pair(scores: Scores, first: str, second: str, tests: str, cases: Sequence[Case]) -> PairAgreement:
    one, two = ([scores[rater][case] for case in cases] for rater in (first, second))
    persons = [case[0] for case in cases]
    return PairAgreement(
        first=first,
        second=second,
        tests=tests,
        cases=len(cases),
        persons=len(set(persons)),
        exact=agreement_share(one, two),
        within_one=agreement_share(one, two, within=1),
        kappa={kind: weighted_kappa(one, two, persons, kind=kind) for kind in WEIGHTS},
        differences=bland_altman(one, two) if len(cases) > 1 else None,
    )


def _together(scores: Sequence[dict[Any, int]]) -> Reliability | None:
    common = [case for case in scores[0] if all(case in other for other in scores[1:])]
    if len(common) < 2:
        return None
    return reliability(np.array([[one[case] for one in scores] for case in common], np.float64))


def _totals(scores: dict[Case, int]) -> dict[str, int]:
    """The total out of 21 of every person whose seven tests a rater has scored, the lower side counting."""
    totals = {}
    for person in {case[0] for case in scores}:
        cases = [[(person, test, side) for side in sides_to_do(test)] for test in TESTS]
        if all(case in scores for sides in cases for case in sides):
            totals[person] = sum(min(scores[case] for case in sides) for sides in cases)
    return totals


def as_dict(found: RatersAgreement) -> dict[str, Any]:
    """JSON-ready values; what is not defined is null."""
    return {key: _plain(value) for key, value in asdict(found).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def as_text(found: RatersAgreement) -> str:
    """What a person reads."""
    lines = [f"{len(found.raters)} raters, {found.persons} persons, {found.scores} scores"]
    for (first, second), group in itertools.groupby(found.pairs, key=lambda pair: (pair.first, pair.second)):
        lines += ["", f"{first} and {second}", _row("", "cases", "equal", "within 1", *(f"kappa {w}" for w in WEIGHTS))]
        pairs = list(group)
        lines += [_pair_row(pair) for pair in pairs]
        if (ends := pairs[0].differences) is not None:
            lines.append(
                f"difference {first} - {second}: {_shown(ends.bias)}, "
                f"95 % of differences between {ends.lower_limit.value:.2f} and {ends.upper_limit.value:.2f}"
            )
    for title, together in (("single scores", found.single), ("totals out of 21", found.total)):
        lines += ["", *_reliability_lines(title, together, len(found.raters))]
    note = "In brackets: 95 % intervals; kappa's from drawing persons again, ICC's from F as if cases were independent."
    return "\n".join([*lines, "", note])


def _pair_row(pair: PairAgreement) -> str:
    shares = (f"{100 * share:.0f} %" for share in (pair.exact, pair.within_one))
    name = "all tests" if pair.tests == ALL_TESTS else pair.tests.replace("_", " ")
    return _row(name, str(pair.cases), *shares, *(_shown(pair.kappa[kind]) for kind in WEIGHTS))


def _row(name: str, *cells: str) -> str:
    widths = (6, 7, 9, 21, 21, 21)
    return f"{name:27}" + "".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))


def _reliability_lines(title: str, found: Reliability | None, raters: int) -> Iterable[str]:
    if found is None:
        yield f"{title}: fewer than 2 that all {raters} raters have scored"
        return
    yield f"{title}: {found.cases} scored by all {found.raters} raters"
    yield f"  ICC(2,1) absolute agreement {_shown(found.icc_2_1)}, ICC(3,1) consistency {_shown(found.icc_3_1)}"
    yield f"  standard error of measurement {found.sem:.2f}, minimal detectable change {found.mdc:.2f}"


def _shown(interval: Interval) -> str:
    if math.isnan(interval.value):
        return "not defined"
    if math.isnan(interval.low):
        return f"{interval.value:.2f}"
    return f"{interval.value:.2f} [{interval.low:.2f}, {interval.high:.2f}]"
