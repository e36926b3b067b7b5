"""What `evaluate motion` found, as text: the paper's two tables and what stands beside them."""

from collections.abc import Mapping, Sequence
from typing import Any

from fitmotion_models.evaluation.gait_report import lines_of as gait_lines
from fitmotion_models.evaluation.motion_grades_report import TRAINED_ON_GENERATED

_JUDGES = {"lstm": "LSTM", "second": "second", "rules": "rules", TRAINED_ON_GENERATED: "on generated"}
_NO_ROWS = ("ceiling", "chance")
_NOT_COMPARABLE = "; its figures do not stand beside published ones"
# name of a figure -> where it is
_FIELD = (
    ("R@1", ("r_precision", "top_1")),
    ("R@2", ("r_precision", "top_2")),
    ("R@3", ("r_precision", "top_3")),
    ("R@3 distinct", ("r_precision_distinct", "top_3")),
    ("FID", ("fid",)),
    ("KID", ("kid",)),
    ("MM-Dist", ("mm_distance",)),
    ("Diversity", ("diversity",)),
    ("Multimod.", ("multimodality",)),
)
_PHYSICAL = ("skating_ratio", "penetration_m", "floating_m", "jerk_m_s3")


def as_text(found: Mapping[str, Any]) -> str:
    """The report's tables; figures with 95 % intervals, chance and real motion among the rows."""
    consistency, motion = found["fms_consistency"], found["motion"]
    rows = {name: row for name, row in consistency.items() if name not in _NO_ROWS}
    first = next(iter(motion.values()))
    ceiling = _accuracies(consistency["ceiling"])
    parts = [
        f"Fold {found['fold']}. Grades: {found['graded_by']}.",
        f"Judges on persons whom they never saw (the ceiling): {ceiling}; chance {consistency['chance']:.2f}",
        "\nFMS accuracy, mean over the grades asked for",
        _table(["", *_JUDGES.values()], [_judged(name, row) for name, row in rows.items()]),
        "\nConfusion (rows: asked for 1, 2, 3; columns: judged)",
        *_confusions(rows),
        "\nJudges by which guidance was chosen (no evidence)",
        *(f"  {name}: {_accuracies(row)}" for name, row in found["fms_consistency_in_development"].items()),
        "\nImpaired gait: affected over other side, and in how many clips the named side is the one",
        *(line for name, figures in found["gait"].items() for line in (f"  {name}", *gait_lines(figures))),
        "\nThe field's measures",
        _table(["", *(name for name, _ in _FIELD)], _field(motion)),
        f"  evaluator: {first['evaluator']}{'' if first['comparable_with_published'] else _NOT_COMPARABLE}",
        "\nPhysics, and how often that of motion capture",
        _table(["", *_PHYSICAL], [_physical(name, one["physical_against_mocap"]) for name, one in motion.items()]),
        "\nDone on the other side than asked for",
        *(f"  {name}: {_swapped(one)}" for name, one in found["sides"].items()),
    ]
    return "\n".join(parts)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [list(head), *[list(row) for row in rows]]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    padded = [[word.ljust(width) for word, width in zip(line, widths, strict=True)] for line in lines]
    return "\n".join(f"  {'  '.join(line)}".rstrip() for line in padded)


def _judged(name: str, row: Mapping[str, Any]) -> list[str]:
    return [name, *(_value(row[judge], "accuracy") if judge in row else "-" for judge in _JUDGES)]


def _confusions(rows: Mapping[str, Any]) -> list[str]:
    return [
        f"  {name}, {_JUDGES[judge]}: {one['confusion']}" for name, row in rows.items() for judge, one in row.items()
    ]


def _accuracies(row: Mapping[str, Any]) -> str:
    return ", ".join(f"{_JUDGES[judge]} {_value(one, 'accuracy')}" for judge, one in row.items())


def _field(motion: Mapping[str, Any]) -> list[list[str]]:
    first = next(iter(motion.values()))
    real, chance = ["real"], ["chance"]
    for _, path in _FIELD:
        one = _at(first, path)
        real.append(_value(one.get("real") or {}, "value"))
        chance.append(_value({"value": one.get("chance")}, "value"))
    rows = [[name, *(_value(_at(one, path), "value") for _, path in _FIELD)] for name, one in motion.items()]
    return [real, *rows, chance]


def _physical(name: str, figures: Mapping[str, Any]) -> list[str]:
    cells = []
    for one in _PHYSICAL:
        figure = figures.get(one) or {}
        ratio = figure.get("over_real")
        cells.append(_value(figure, "value") + ("" if ratio is None else f" (x{ratio:.2f})"))
    return [name, *cells]


def _swapped(figures: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{label} {one['swapped']} of {one['count']} ({one['undecided']} undecided)" for label, one in figures.items()
    )


def _at(figures: Mapping[str, Any], path: Sequence[str]) -> Mapping[str, Any]:
    for name in path:
        figures = figures.get(name) or {}
    return figures


def _value(figure: Mapping[str, Any], name: str) -> str:
    value = figure.get(name)
    if value is None:
        return "-"
    interval = figure.get("ci95_bootstrap") or figure.get("ci95")
    low_high = "" if not interval or None in interval else f" [{interval[0]:.3g}, {interval[1]:.3g}]"
    return f"{value:.3g}{low_high}"
