"""What our rules say of a repetition that is cut out already, and the rubric that grades what is not correct.

UI-PRMD labels repetitions "correct" and "incorrect" only. Our rubric: correct is a 3; an incorrect one is a 1 where its
severity is above the median of the incorrect ones of the same test, else a 2. Severity is by how much criteria are
missed, each in standard deviations of what several cameras measure of it, added up. What is graded so is what this
orders (`GRADED`); of other movements nothing says what is worse, and they have no grade. Impaired gait, which is made
with a severity (`impaired_gait`), is a 1 from `SEVERE_GAIT` on and a 2 below. Whatever shows these grades says "graded
by our rubric".
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.fms.anthropometry import UNKNOWN_BODY
from fitmotion_models.fms.features import STANCE_SECONDS
from fitmotion_models.fms.moment import KNEES, PELVIS, Stance, body_from_pose, facing_of, mean_body
from fitmotion_models.fms.movements import MOVEMENTS
from fitmotion_models.fms.reading import leg_length
from fitmotion_models.fms.repetitions import Repetition
from fitmotion_models.fms.scorer import moment_of
from fitmotion_models.fms.values import Movement, Side
from fitmotion_models.skeleton.motion_clip import MotionClip


@dataclass(frozen=True)
class RulesJudgement:
    """meets: probability that the least certain criterion is met, at least 0.5 when all are; severity: see above."""

    meets: float
    severity: float


NOT_JUDGED = RulesJudgement(math.nan, math.nan)


def judged_by_rules(clip: MotionClip, movement: Movement | None, side: Side) -> RulesJudgement:
    """The rules of a test, unchanged, on a clip that is one repetition. NOT_JUDGED where there are none for it."""
    if movement is None or movement not in MOVEMENTS:
        return NOT_JUDGED
    moment = moment_of(clip_repetition(clip, movement, side))
    margins = []
    for rule in MOVEMENTS[movement].rules(side, UNKNOWN_BODY):
        value = rule.measure(moment).value
        if math.isfinite(value):
            margins.append((rule.threshold - value) / rule.uncertainty.several)
    worst = min(margins)
    return RulesJudgement(0.5 * (1.0 + math.erf(worst / math.sqrt(2.0))), -sum(min(margin, 0.0) for margin in margins))


def clip_repetition(clip: MotionClip, movement: Movement, side: Side) -> Repetition:
    """A clip that is one repetition, as the scorer would have found it.

    Its decisive frame is the lowest one of the pelvis; of a step over the hurdle that of the highest knee.
    """
    bodies = tuple(body_from_pose(pose) for pose in clip)
    still = mean_body([body for body in bodies if body.stamp - bodies[0].stamp <= STANCE_SECONDS])
    facing = facing_of(still)
    if facing is None:
        raise ValueError(f"{clip.labels[0]}: its first frames show no hips")
    if movement is Movement.HURDLE_STEP:
        knee = KNEES[0 if side is Side.LEFT else 1]
        decisive = int(np.argmax([body.points[knee, 2] for body in bodies]))
    else:
        decisive = int(np.argmin([body.points[PELVIS, 2] for body in bodies]))
    return Repetition(Stance(still, facing, leg_length(still)), bodies, decisive)


def grade(correct: NDArray[np.bool_], severity: NDArray[np.float64], median: float) -> NDArray[np.int64]:
    """Grades (N,) 3, 2 or 1 by our rubric. median: of the severity of incorrect repetitions that one trains on."""
    return np.where(correct, 3, np.where(severity > median, 1, 2))


class Repeated(Protocol):
    """What a grade depends on; severity None: no rules for the movement."""

    @property
    def action(self) -> str:
        """What was done, such as "deep_squat"."""

    @property
    def person(self) -> str:
        """Who did it, such as "uiprmd:s01"."""

    @property
    def correct(self) -> bool | None:
        """The set's own label; None: it has none."""

    @property
    def severity(self) -> float | None:
        """As in `RulesJudgement`."""


GRADED = ("deep_squat", "hurdle_step", "inline_lunge")
"""Actions whose severity tells correct from incorrect: in UI-PRMD's eight persons with an area under the curve of .89,
.92 and .79; of the standing leg raise it is .49, no better than chance. The others have no rules."""

SEVERE_GAIT = 0.75
"""Severity of an impaired gait from which on it is graded 1."""


def movement_of(action: str) -> Movement | None:
    """The test with rules that an action of a motion set is, such as "deep_squat"; None where it is none."""
    movement = Movement.__members__.get(action.upper())
    return movement if movement in MOVEMENTS else None


def severity_medians(repetitions: Iterable[Repeated], persons: Iterable[str]) -> dict[str, float]:
    """By action the median severity of what these persons did incorrectly: where 2 and 1 part."""
    chosen, found = set(persons), dict[str, list[float]]()
    for one in repetitions:
        if one.person in chosen and one.correct is False and one.severity is not None:
            found.setdefault(one.action, []).append(one.severity)
    return {action: float(np.median(values)) for action, values in found.items()}


def score_of(repetition: Repeated, medians: dict[str, float]) -> int | None:
    """The grade by our rubric; None for an action that is not `GRADED`, and without label, severity or median."""
    if repetition.action not in GRADED or repetition.correct is None or repetition.severity is None:
        return None
    if repetition.action not in medians:
        return None
    severity = np.array([repetition.severity])
    return int(grade(np.array([repetition.correct]), severity, medians[repetition.action])[0])
