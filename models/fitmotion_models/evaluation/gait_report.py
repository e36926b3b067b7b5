"""Impaired gait as generated: is the named side the one that stands shorter, and by how much, against healthy walks.

Step time and stance time are the affected side's over the other one's, with medians over a clip's steps; a walk of
which no side is named, such as a healthy one, is taken with either in turns. In impaired gait the affected leg stands
shorter and its step takes longer (Patterson et al. 2008, Arch Phys Med Rehabil 89:304).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.datasets.gait_phases import SIDES, gait_of
from fitmotion_models.datasets.impaired_gait import Impairment
from fitmotion_models.datasets.motion_texts import texts_of
from fitmotion_models.evaluation.motion_intervals import PERCENTILES_95
from fitmotion_models.evaluation.motion_requests import Model, Progress, Request
from fitmotion_models.skeleton.motion_clip import MotionClip

Figures = dict[str, Any]

ACTION = "walk"
SECONDS = 8.0  # a dozen steps
_BOOTSTRAPS = 1000
_LARGEST_SEED = 2**32


def gait_requests(per_side: int, rng: np.random.Generator) -> list[Request]:
    """Walks with each impairment and side, with texts that are trained on, in turns; label: the impairment.

    As many healthy walks come first. Where no text names the side, as in these, it means nothing. They are asked for by
    words alone: no walk is graded, and a score would mean nothing to a model.
    """
    requests = []
    for style in (None, *Impairment):
        for side in SIDES:
            texts = _texts(style, side)
            for number in range(per_side):
                text, seed = texts[number % len(texts)], int(rng.integers(_LARGEST_SEED))
                requests.append(Request(text, ACTION, side, style or "healthy", None, SECONDS, seed))
    return requests


def gait_figures(model: Model, per_side: int, rng: np.random.Generator, progress: Progress = None) -> Figures:
    """By impairment, and "healthy": {"step_time", "stance_time": {"ratio", "ci95", "on_named_side"}, "step_m"}.

    ratio: the median over clips of affected over other side. on_named_side: the share of clips in which the asymmetry
    is the named side's; None where no side is named. step_m: the median length of steps, metres. clips: those with
    steps enough of both sides to tell, of so many "asked".
    """
    requests = gait_requests(per_side, rng)
    clips = model.clips(requests, progress)
    figures: Figures = {}
    for label in dict.fromkeys(request.label for request in requests):
        chosen = [(clip, request.side) for clip, request in zip(clips, requests, strict=True) if request.label == label]
        ratios = np.array([side_ratios(clip, str(side)) for clip, side in chosen])
        told = ratios[np.isfinite(ratios).all(axis=1)]
        lengths = [side.step_m for clip, _ in chosen for side in gait_of(clip).values() if np.isfinite(side.step_m)]
        named = label != "healthy" and _texts(label, SIDES[0]) != _texts(label, SIDES[1])
        figures[label] = {
            "asked": len(chosen),
            "clips": len(told),
            "step_time": _figure(told[:, 0], told[:, 0] > 1.0 if named else None, rng),
            "stance_time": _figure(told[:, 1], told[:, 1] < 1.0 if named else None, rng),
            "step_m": float(np.median(lengths)) if lengths else None,
        }
    return figures


def _texts(style: str | None, side: str) -> tuple[str, ...]:
    return texts_of(ACTION, style=style, side=side).train


def side_ratios(clip: MotionClip, side: str) -> tuple[float, float]:
    """Step time and stance time of the affected side over the other's; NaN where a side has no whole step."""
    gait = gait_of(clip)
    own, other = gait[side], gait[SIDES[1 - SIDES.index(side)]]
    return _ratio(own.step_s, other.step_s), _ratio(own.stance_s, other.stance_s)


def _ratio(one: float, other: float) -> float:
    """One over the other; NaN where the other is nothing, as a foot that never stands."""
    return one / other if other > 0.0 else np.nan


def _figure(ratios: NDArray[np.float64], shown: NDArray[np.bool_] | None, rng: np.random.Generator) -> Figures:
    """shown: (N,) whether the asymmetry is the named side's."""
    if not len(ratios):
        return {"ratio": None, "ci95": None, "on_named_side": None}
    medians = np.median(rng.choice(ratios, (_BOOTSTRAPS, len(ratios))), axis=1)
    return {
        "ratio": float(np.median(ratios)),
        "ci95": [float(one) for one in np.percentile(medians, PERCENTILES_95)],
        "on_named_side": None if shown is None else float(shown.mean()),
    }


def lines_of(figures: Figures) -> Sequence[str]:
    """For people."""
    lines = []
    for label, one in figures.items():
        parts = []
        for name, words in (("step_time", "step time"), ("stance_time", "stance")):
            figure = one[name]
            if figure["ratio"] is not None:
                low, high = figure["ci95"]
                share = "" if figure["on_named_side"] is None else f", named side {figure['on_named_side']:.0%}"
                parts.append(f"{words} {figure['ratio']:.2f} [{low:.2f}, {high:.2f}]{share}")
        if one["step_m"] is not None:
            parts.append(f"steps of {one['step_m']:.2f} m")
        lines.append(f"  {label} ({one['clips']} of {one['asked']} clips): {'; '.join(parts) or 'no steps'}")
    return lines
