"""The figures of `evaluation.recognition`, for machines and for people."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fitmotion_models.evaluation.recognition import BOUNDARY_S, OTHERS, TESTS, Measured, Outcome
from fitmotion_models.fms.values import Movement, Side

_DRAWS = 2000
_OTHER_SIDE = {Side.LEFT: Side.RIGHT, Side.RIGHT: Side.LEFT}


def as_dict(measured: Measured) -> dict[str, Any]:
    """JSON-ready: shares 0 to 1, seconds; intervals are 95 % over persons (bootstrap), null with fewer than two."""
    outcomes = measured.outcomes
    tests = {name: [one for one in outcomes if one.movement == name] for name in TESTS}
    tests = {name: rows for name, rows in tests.items() if rows}
    none = {name: [one for one in outcomes if one.movement == name] for name in OTHERS}
    return {
        "persons": sorted({one.person for one in outcomes}),
        "segmentation": {name: _segmentation(rows, measured.in_pauses.get(name, 0)) for name, rows in tests.items()},
        "recognition": {name: _share_by_person(rows, _is_right) for name, rows in tests.items()},
        "confusion": _confusion(outcomes),
        "false": {name: _share_by_person(rows, _is_something) for name, rows in none.items() if rows},
        "false_in_clips": {
            source: {
                "clips": sum(sum(counts.values()) for counts in actions.values()),
                "squats_of_hdm05": _squats(actions),
                **_false_clips(actions),
                "by_action": {
                    action: {movement.name.lower(): count for movement, count in counts.items()}
                    for action, counts in sorted(actions.items())
                },
            }
            for source, actions in measured.clips.items()
        },
        "side": {name: _sides(rows) for name, rows in tests.items() if name != "m01"},
    }


def _is_right(one: Outcome) -> bool:
    return one.recognised is TESTS[one.movement]


def _is_something(one: Outcome) -> bool:
    return one.recognised is not Movement.UNKNOWN


def _segmentation(rows: Sequence[Outcome], in_pauses: int) -> dict[str, Any]:
    return {
        "count_right": _share_by_person(rows, lambda one: one.count == 1),
        "missed": sum(one.count == 0 for one in rows),
        "split": sum(one.count > 1 for one in rows),
        "in_pauses": in_pauses,
        "start": _errors([one.start_error for one in rows]),
        "end": _errors([one.end_error for one in rows]),
    }


def _errors(values: Sequence[float]) -> dict[str, float | int | None]:
    """Of those that were counted right. Positive: later than the recording's cut."""
    errors = np.array([value for value in values if np.isfinite(value)])
    if not errors.size:
        return {"recordings": 0, "within_a_quarter_s": None, "median_s": None, "p95_absolute_s": None}
    return {
        "recordings": len(errors),
        "within_a_quarter_s": round(float(np.mean(np.abs(errors) <= BOUNDARY_S + 1e-6)), 4),
        "median_s": round(float(np.median(errors)), 3),
        "p95_absolute_s": round(float(np.percentile(np.abs(errors), 95)), 3),
    }


def _share_by_person(rows: Sequence[Outcome], counts: Callable[[Outcome], bool]) -> dict[str, Any]:
    persons = sorted({one.person for one in rows})
    shares = {person: float(np.mean([counts(one) for one in rows if one.person == person])) for person in persons}
    return {
        "recordings": len(rows),
        "share": round(float(np.mean([counts(one) for one in rows])), 4),
        "ci95": _interval(list(shares.values())),
        "per_person": {person: round(share, 4) for person, share in shares.items()},
    }


def _interval(shares: Sequence[float]) -> list[float] | None:
    if len(shares) < 2:
        return None
    draws = np.random.default_rng(0).choice(np.array(shares), (_DRAWS, len(shares))).mean(axis=1)
    return [round(float(edge), 4) for edge in np.percentile(draws, [2.5, 97.5])]


def _confusion(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """What was done to what was said: in all, and per person."""
    table: dict[str, Any] = {}
    for name in (*TESTS, *OTHERS):
        rows = [one for one in outcomes if one.movement == name]
        if rows:
            table[name] = {
                "all": _said(rows),
                **{person: _said([one for one in rows if one.person == person]) for person in _persons(rows)},
            }
    return table


def _persons(rows: Sequence[Outcome]) -> list[str]:
    return sorted({one.person for one in rows})


def _said(rows: Sequence[Outcome]) -> dict[str, int]:
    names = [_name(one.recognised) for one in rows]
    return {name: names.count(name) for name in dict.fromkeys(names)}


def _name(movement: Movement) -> str:
    return "none" if movement is Movement.UNKNOWN else movement.name.lower()


def _squats(actions: dict[str, Any]) -> dict[str, int] | None:
    """HDM05's squats are neither right nor false: some have their arms overhead, as the test has, and some have not."""
    found = [counts for action, counts in actions.items() if action.startswith("squat")]
    if not found:
        return None
    return {
        "clips": sum(sum(one.values()) for one in found),
        "deep_squat": sum(one[Movement.DEEP_SQUAT] for one in found),
    }


def _false_clips(actions: dict[str, Any]) -> dict[str, Any]:
    others = [counts for action, counts in actions.items() if not action.startswith("squat")]
    clips = sum(sum(counts.values()) for counts in others)
    none = sum(counts[Movement.UNKNOWN] for counts in others)
    return {
        "without_a_squat": clips,
        "false": clips - none,
        "share": round((clips - none) / clips, 4) if clips else None,
    }


def _sides(rows: Sequence[Outcome]) -> dict[str, Any]:
    """Of the recordings that were recognised: as labelled, where there is a label; exchanged in the mirror image."""
    told = [one for one in rows if _is_right(one)]
    labelled = [one for one in told if one.labelled_side is not Side.BOTH]
    mirrored = [one for one in told if one.mirrored_side is not None and one.side in _OTHER_SIDE]
    return {
        "recognised": len(told),
        "labelled": len(labelled),
        "as_labelled": _mean([one.side is one.labelled_side for one in labelled]),
        "mirrored_copies": len(mirrored),
        "mirrored_exchanged": _mean([one.mirrored_side is _OTHER_SIDE[one.side] for one in mirrored]),
    }


def _mean(values: Sequence[bool]) -> float | None:
    return round(float(np.mean(values)), 4) if values else None


def as_text(figures: dict[str, Any]) -> str:
    """The figures of `as_dict` as tables."""
    lines = ["Repetitions found in streams of recordings with pauses; boundaries against the set's own cuts", ""]
    lines.append(f"{'':22}{'count right':>12}  {'95 % (persons)':>15} {'start in .25 s':>15} {'end in .25 s':>13}")
    for name, row in figures["segmentation"].items():
        right = row["count_right"]
        lines.append(
            f"{name} {_name(TESTS[name]).replace('_', ' '):18}{right['share']:>12.1%}  {_range(right['ci95']):>15} "
            f"{_percent(row['start']['within_a_quarter_s']):>15} {_percent(row['end']['within_a_quarter_s']):>13}"
            f"   median {_seconds(row['start']['median_s'])} and {_seconds(row['end']['median_s'])}, "
            f"95 % within {_seconds(row['start']['p95_absolute_s'])} and {_seconds(row['end']['p95_absolute_s'])}"
        )
    lines += ["", "Recognised among all tests, each person by a gate fitted without them", ""]
    for name, row in figures["recognition"].items():
        said = ", ".join(f"{key.replace('_', ' ')} {count}" for key, count in figures["confusion"][name]["all"].items())
        lines.append(
            f"{name} {_name(TESTS[name]).replace('_', ' '):18}{row['share']:>12.1%}  {_range(row['ci95']):>15}   {said}"
        )
    lines += ["", "Taken for a test, though none", ""]
    for name, row in figures["false"].items():
        lines.append(f"{name:22}{row['share']:>12.1%}  of {row['recordings']}")
    for source, row in figures["false_in_clips"].items():
        squats = row["squats_of_hdm05"]
        beside = f"; its {squats['clips']} squats: {squats['deep_squat']} deep squats" if squats else ""
        lines.append(f"{source:22}{_percent(row['share']):>12}  of {row['without_a_squat']}{beside}")
    lines += ["", "Side: as labelled; exchanged in mirrored copies (which test the code, not another side)", ""]
    for name, row in figures["side"].items():
        lines.append(
            f"{name} {_name(TESTS[name]).replace('_', ' '):18}{_percent(row['as_labelled']):>12}  "
            f"{_percent(row['mirrored_exchanged']):>15}   of {row['mirrored_copies']} mirrored"
        )
    return "\n".join(lines)


def _range(interval: list[float] | None) -> str:
    return "-" if interval is None else f"{interval[0]:.1%} to {interval[1]:.1%}"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f} s"
