"""Generated motion against the grades it was asked for: judged, compared within and between grades, by side."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fitmotion_models.datasets.uiprmd_sides import tested_side
from fitmotion_models.evaluation.fms_judges import ACTIONS, GRADES, FmsJudge, JudgedMotion, consistency
from fitmotion_models.evaluation.motion_metrics import KidKernels, diversity
from fitmotion_models.evaluation.motion_requests import Request
from fitmotion_models.evaluation.motion_samples import MotionEvaluator
from fitmotion_models.fms.values import Side
from fitmotion_models.motion.features import heading_of
from fitmotion_models.motion.humanml3d import to_humanml3d
from fitmotion_models.skeleton.motion_clip import MotionClip
from fitmotion_models.skeleton.rotations import Float64, to_matrix

Figures = dict[str, Any]
Learn = Callable[[Sequence[JudgedMotion]], FmsJudge]
"""Trains a judge on motions; the published protocol's is trained on generated ones and tested on recordings."""

TRAINED_ON_GENERATED = "lstm_trained_on_generated"
_DIVERSITY_DRAWS = 20
_SIDED = {"hurdle_step": "m02", "inline_lunge": "m03"}
_LIFTED, _LEAST_LIFT_M = "hurdle_step", 0.02


@dataclass(frozen=True, eq=False)
class Persons:
    """Recorded repetitions of a fold.

    unseen: of the persons whom the judges never saw, who are those that the generator learned from. held_out: of the
    persons whom the generator never saw.
    """

    unseen: Sequence[JudgedMotion]
    held_out: Sequence[JudgedMotion]


def judged_requests(
    requests: Sequence[Request], clips: Sequence[MotionClip], frames: Callable[[MotionClip], Any]
) -> list[JudgedMotion]:
    """Generated repetitions as judges take them. frames: what learned judges read of a clip."""
    return [
        JudgedMotion(clip, one.action, one.side, int(one.score or 0), f"{one.action}: {one.text}", frames(clip))
        for one, clip in zip(requests, clips, strict=True)
    ]


def ceiling_figures(
    judges: Mapping[str, FmsJudge], rules: FmsJudge, persons: Persons, learn: Learn | None, rng: np.random.Generator
) -> Figures:
    """The row "real": judges on persons whom they never saw, and the published protocol from real to real."""
    figures = {name: consistency(judge, persons.unseen, rng) for name, judge in judges.items()}
    figures["rules"] = consistency(rules, persons.unseen, rng)
    if learn is not None:
        figures[TRAINED_ON_GENERATED] = consistency(learn(persons.unseen), persons.held_out, rng) | {
            "trained_on": "recordings of the persons that the generator learned from"
        }
    return figures


def judged_figures(
    judges: Mapping[str, FmsJudge],
    rules: FmsJudge,
    motions: Sequence[JudgedMotion],
    persons: Persons,
    learn: Learn | None,
    rng: np.random.Generator,
) -> Figures:
    """A model's row: all judges on its motions, and a judge that learned from them on recordings."""
    figures = {name: consistency(judge, motions, rng) for name, judge in judges.items()}
    figures["rules"] = consistency(rules, motions, rng)
    if learn is not None:
        figures[TRAINED_ON_GENERATED] = consistency(learn(motions), persons.held_out, rng) | {
            "trained_on": "this model's motions"
        }
    return figures


def with_share_of_ceiling(real: Figures, row: Figures) -> Figures:
    """The row with "of_ceiling", its accuracy over the judge's own on real persons, beside every accuracy."""
    return {
        name: figure | {"of_ceiling": figure["accuracy"] / real[name]["accuracy"]} if name in real else figure
        for name, figure in row.items()
    }


def side_figures(motions: Sequence[JudgedMotion]) -> Figures:
    """By action and side asked for: {"count", "swapped", "undecided"} motions.

    swapped: done on the other side. undecided: steps over a hurdle in which no foot leaves the floor.
    """
    figures: Figures = {}
    for action, code in _SIDED.items():
        for side in ("left", "right"):
            asked = [one for one in motions if one.action == action and one.side == side]
            told = [one for one in asked if action != _LIFTED or _lift(one.clip) >= _LEAST_LIFT_M]
            other = sum(tested_side(code, _facing_forward(one.clip)) is not Side[side.upper()] for one in told)
            figures[f"{action}, {side}"] = {"count": len(asked), "swapped": other, "undecided": len(asked) - len(told)}
    return figures


def _lift(clip: MotionClip) -> float:
    """How far the foot that is raised more goes up, metres: of the mean of heel and toe."""
    heights = clip.feet[:, :, 2].reshape(len(clip), 2, -1).mean(axis=2)
    return float(np.ptp(heights, axis=0).max())


def _facing_forward(clip: MotionClip) -> MotionClip:
    """The clip turned so that its body faces x on the whole, as recordings do."""
    mean = heading_of(to_matrix(clip.rotations[:, 0].astype(np.float64))).mean(axis=0)
    cosine, sine = mean / max(float(np.linalg.norm(mean)), 1e-9)
    turn = np.array([[cosine, sine, 0.0], [-sine, cosine, 0.0], [0.0, 0.0, 1.0]])
    return replace(clip, positions=(clip.positions @ turn.T).astype(np.float32))


def collapse_figures(
    motions: Sequence[JudgedMotion],
    recordings: Sequence[JudgedMotion],
    evaluator: MotionEvaluator,
    rng: np.random.Generator,
) -> Figures:
    """By grade: diversity within it over that of recordings, and KID to the recordings of each grade.

    Per action, then the mean over the actions, so that a grade's diversity is not that of different tests. Recordings:
    of persons whom the generator never saw. None where a grade has fewer than two recordings of an action.
    """
    ours, theirs = (
        {
            (action, score): _embedded(found, evaluator)
            for action in ACTIONS
            for score in GRADES
            if len(found := [one.clip for one in set_ if (one.action, one.score) == (action, score)]) > 1
        }
        for set_ in (motions, recordings)
    )
    figures: Figures = {}
    for score in GRADES:
        ratios: list[float] = []
        kids: dict[int, list[float]] = {other: [] for other in GRADES}
        for action in ACTIONS:
            if (action, score) not in ours:
                continue
            if (action, score) in theirs:
                pairs = min(len(ours[action, score]), len(theirs[action, score])) - 1
                first, second = (_diversity(one[action, score], pairs, rng) for one in (ours, theirs))
                ratios.append(first / second if second > 0.0 else np.nan)
            for other in GRADES:
                if (action, other) in theirs:
                    kids[other].append(KidKernels(ours[action, score], theirs[action, other]).kid())
        figures[str(score)] = {
            "diversity_over_real": _mean(ratios),
            "kid_to_grades": {str(other): _mean(found) for other, found in kids.items()},
        }
    return figures


def _embedded(clips: Sequence[MotionClip], evaluator: MotionEvaluator) -> Float64:
    return evaluator.motions([to_humanml3d(clip) for clip in clips])


def _diversity(embeddings: Float64, pairs: int, rng: np.random.Generator) -> float:
    return float(np.mean([diversity(embeddings, rng, max(pairs, 1)) for _ in range(_DIVERSITY_DRAWS)]))


def _mean(values: Sequence[float]) -> float | None:
    finite = [value for value in values if np.isfinite(value)]
    return float(np.mean(finite)) if finite else None
