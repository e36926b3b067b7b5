"""Whether a motion has the grade that was asked for, as judges see it: accuracy, confusion, intervals.

A judge reads a motion and says 1, 2 or 3, graded by our rubric (`datasets.motion_grades`). Accuracy is the mean over
the grades of the share that is judged right, so that real data, where half of the repetitions are a 3, and generated
data, where all grades are as frequent, can be compared; chance is 1/3 then, whatever a judge prefers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.datasets.motion_grades import grade, judged_by_rules, movement_of
from fitmotion_models.evaluation.motion_intervals import PERCENTILES_95, group_weights
from fitmotion_models.fms.values import Side
from fitmotion_models.skeleton.body_pose import Float32
from fitmotion_models.skeleton.motion_clip import MotionClip
from fitmotion_models.skeleton.rotations import Float64

ACTIONS = ("deep_squat", "hurdle_step", "inline_lunge")
"""The tests of the screen that are recorded with labels."""
GRADES = (1, 2, 3)
CHANCE = 1.0 / len(GRADES)
BOOTSTRAPS = 1000

Grades = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class JudgedMotion:
    """One repetition on the canonical body.

    action: one of ACTIONS. side: "left", "right" or None. score: the grade that it has by our rubric, or that was asked
    for. group: what is drawn as a whole in the bootstrap: the person of a recording, the text of a generated motion.
    frames: (T, 360) as learned judges read it.
    """

    clip: MotionClip
    action: str
    side: str | None
    score: int
    group: str
    frames: Float32


class FmsJudge(Protocol):
    """Says which grade motions have."""

    def __call__(self, motions: Sequence[JudgedMotion]) -> Grades:
        """(N,) 1, 2 or 3."""
        ...


class RulesJudge:
    """The rules that score a screen, on generated and recorded motion alike.

    All criteria met is a 3; else 1 where the severity is above the median of recorded incorrect repetitions, else 2.
    """

    def __init__(self, medians: Mapping[str, float]) -> None:
        """medians: by action, see `motion_grades.severity_medians`."""
        self._medians = dict(medians)

    def __call__(self, motions: Sequence[JudgedMotion]) -> Grades:
        """(N,) 1, 2 or 3."""
        return np.array([self._one(motion) for motion in motions], dtype=np.int64)

    def _one(self, motion: JudgedMotion) -> int:
        side = Side.BOTH if motion.side is None else Side[motion.side.upper()]
        said = judged_by_rules(motion.clip, movement_of(motion.action), side)
        severity = np.array([said.severity])
        return int(grade(np.array([said.meets >= 0.5]), severity, self._medians[motion.action])[0])


def judged_right(judged: Grades, wanted: Grades, weights: NDArray[np.float64] | None = None) -> float:
    """The mean over the wanted grades of the share judged right; weights (N,): how often each counts.

    Grades that nobody wants have no say; NaN where there is nothing.
    """
    counted = np.ones(len(wanted)) if weights is None else weights
    shares = []
    for one in GRADES:
        chosen = counted * (wanted == one)
        if chosen.sum() > 0:
            shares.append(float(chosen @ (judged == one) / chosen.sum()))
    return float(np.mean(shares)) if shares else float("nan")


def confusion(judged: Grades, wanted: Grades) -> list[list[int]]:
    """Counts: a row for each wanted grade 1, 2, 3, a column for each judged one."""
    return [[int(((wanted == row) & (judged == column)).sum()) for column in GRADES] for row in GRADES]


def consistency(
    judge: FmsJudge, motions: Sequence[JudgedMotion], rng: np.random.Generator, draws: int = BOOTSTRAPS
) -> dict[str, Any]:
    """{"accuracy", "ci95", "confusion", "exact", "within_one", "per_action", "count", "groups"} of a judge.

    ci95: from a bootstrap that draws whole groups (persons; texts). exact: the share judged right without regard to the
    grade. within_one: at most one grade off. Raises ValueError where there is nothing to judge.
    """
    if not motions:
        raise ValueError("no motions to judge; give at least one of each grade")
    judged, wanted = judge(motions), np.array([motion.score for motion in motions], dtype=np.int64)
    actions = np.array([motion.action for motion in motions])
    groups = np.unique([f"{motion.group}" for motion in motions], return_inverse=True)[1].astype(np.int64)
    return {
        "accuracy": judged_right(judged, wanted),
        "ci95": _interval(judged, wanted, groups, rng, draws),
        "chance": CHANCE,
        "exact": float((judged == wanted).mean()),
        "within_one": float((np.abs(judged - wanted) <= 1).mean()),
        "confusion": confusion(judged, wanted),
        "per_action": {
            one: judged_right(judged[actions == one], wanted[actions == one]) for one in dict.fromkeys(actions.tolist())
        },
        "count": len(motions),
        "groups": len(np.unique(groups)),
    }


def _interval(
    judged: Grades, wanted: Grades, groups: NDArray[np.int64], rng: np.random.Generator, draws: int
) -> list[float]:
    values: Float64 = np.array([judged_right(judged, wanted, one) for one in group_weights(groups, draws, rng)])
    return [float(one) for one in np.nanpercentile(values, PERCENTILES_95)]
