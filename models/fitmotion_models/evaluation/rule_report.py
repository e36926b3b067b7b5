"""The evaluation of rules as numbers for programs and as text for people."""

import math
from collections.abc import Sequence
from typing import Any

from fitmotion_models.evaluation.rules import (
    BIN_EDGES,
    CLEAN,
    Bin,
    Outcome,
    bins_of,
    groups_of,
    noise_of,
    with_noise,
    wrong_outside_one_sd,
    wrong_while_clean,
)

# Wrong verdicts beyond one noise standard deviation: what is allowed.
MOST_WRONG = 0.02


def as_dict(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """{test: {clean, four cameras, one camera}, bar}, JSON-ready; curves by distance to the threshold in noise SDs."""
    tests = {one.test.movement.name.lower(): _test(one) for one in outcomes}
    return {"tests": tests, "bar": {"wrong_outside_one_sd_at_most": MOST_WRONG, "met": all(map(meets_bar, outcomes))}}


def meets_bar(outcome: Outcome) -> bool:
    """No clean verdict wrong, and at most `MOST_WRONG` of those beyond one SD under each noisy condition."""
    noisy = [wrong_outside_one_sd(outcome.under(name)) for name in outcome.clips if name != CLEAN.name]
    return not wrong_while_clean(outcome) and all(wrong <= MOST_WRONG * count for count, wrong in noisy)


def _test(outcome: Outcome) -> dict[str, Any]:
    conditions: dict[str, Any] = {}
    for name in outcome.clips:
        judgements = outcome.under(name)
        entry: dict[str, Any] = {
            "clips": outcome.clips[name],
            "miscounted_repetitions": outcome.miscounted[name],
            "wrong_side": outcome.wrong_side[name],
            "verdicts": len(judgements),
        }
        if name == CLEAN.name:
            entry["wrong"] = len(wrong_while_clean(outcome))
        else:
            count, wrong = wrong_outside_one_sd(judgements)
            entry["outside_one_sd"] = {"verdicts": count, "wrong": wrong, "share": _number(wrong / max(count, 1))}
            entry["curve"] = [_bin(one) for one in bins_of(with_noise(judgements))]
            entry["criteria"] = {
                group[0].criterion: {
                    "bias": _number(noise_of(group)[0]),
                    "noise_sd": _number(noise_of(group)[1]),
                    "curve": [_bin(one) for one in bins_of(with_noise(group))],
                }
                for group in groups_of(judgements)
            }
        conditions[name.replace(" ", "_")] = entry
    return {**conditions, "bar_met": meets_bar(outcome)}


def _bin(one: Bin) -> dict[str, Any]:
    return {
        "from_sd": one.low,
        "to_sd": _number(one.high),
        "verdicts": one.count,
        "wrong": _number(one.wrong),
        "not_seen": _number(one.not_seen),
    }


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def as_text(outcomes: Sequence[Outcome]) -> str:
    """A table a test: a line a condition and criterion, a column a distance; then what was wrong beyond one SD."""
    return "\n\n".join(_text(one) for one in outcomes)


def _text(outcome: Outcome) -> str:
    edges = zip(BIN_EDGES[:-1], BIN_EDGES[1:], strict=True)
    heads = [f"{low:g}-{high:g} SD" if high < math.inf else f">{low:g} SD" for low, high in edges]
    name = outcome.test.movement.name.lower()
    lines = [f"{name:12} {'criterion':32} {'bias':>8} {'SD':>7}  " + " ".join(f"{head:>15}" for head in heads)]
    for group in groups_of(one for one in outcome.judgements if one.condition != CLEAN.name):
        bias, deviation = noise_of(group)
        cells = [_cell(one) for one in bins_of(with_noise(group))]
        head = f"{group[0].condition:12} {group[0].criterion:32} {bias:8.3f} {deviation:7.3f}"
        lines.append(f"{head}  {' '.join(cells)}".rstrip())
    lines.append("in each cell: % wrong / % not seen (number of verdicts)")
    for condition in outcome.clips:
        judgements = outcome.under(condition)
        if condition == CLEAN.name:
            said = f"{len(wrong_while_clean(outcome))} of {len(judgements)} verdicts wrong"
        else:
            count, wrong = wrong_outside_one_sd(judgements)
            said = f"{wrong} of {count} verdicts wrong beyond one SD ({100.0 * wrong / max(count, 1):.1f} %)"
        counted = f"{outcome.miscounted[condition]} repetitions miscounted in {outcome.clips[condition]} clips"
        lines.append(f"{condition}: {said}; {counted}, {outcome.wrong_side[condition]} on the wrong side")
    return "\n".join(lines)


def _cell(one: Bin) -> str:
    if one.count == 0:
        return f"{'-':>15}"
    return f"{100 * one.wrong:4.1f} /{100 * one.not_seen:3.0f} ({one.count:3})"
