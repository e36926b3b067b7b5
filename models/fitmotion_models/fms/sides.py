"""What the tests that are done on both sides share: repetitions that know their side, and measures of one side."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fitmotion_models.fms.criteria import UNMEASURED, Judged, Measured
from fitmotion_models.fms.moment import NECK, PELVIS, UP, Array, Body, Moment
from fitmotion_models.fms.repetitions import Repetition
from fitmotion_models.fms.scoring import Score, VariationRule, score_repetition
from fitmotion_models.fms.values import NOT_SCORABLE, Side, Verdict

SIDE_NAMES = {Side.LEFT: "left", Side.RIGHT: "right"}

# How long a foot's place is averaged before its furthest is taken, s, so that no single frame decides.
PLACE_AVERAGING = 0.2


@dataclass(frozen=True, eq=False)
class SidedRepetition(Repetition):
    """A repetition and the side that it was done on; `lowest` is the frame that its criteria are measured at."""

    side: Side


@dataclass(frozen=True)
class Grades:
    """What a trial is worth: 3 when all is met, 2 when something is lost, 1 when one of `breaking` criteria is lost."""

    breaking: tuple[str, ...]
    advice: str = ""

    def score(self, judged: Sequence[Judged]) -> Score:
        """The score of one repetition. A 2 is only given when no breaking criterion is in doubt."""
        broken = any(self._breaks(one) and one.criterion.verdict is Verdict.NOT_MET for one in judged)
        lost = any(one.criterion.verdict is Verdict.NOT_MET for one in judged)
        score = score_repetition(judged, VariationRule(3, 1 if broken else 2, self.advice))
        doubtful = [one for one in judged if self._breaks(one) and one.criterion.verdict is Verdict.NOT_SEEN]
        if score.score == NOT_SCORABLE or broken or not lost or not doubtful:
            return score
        names = ", ".join(one.rule.name.replace("_", " ") for one in doubtful)
        return Score(NOT_SCORABLE, score.confidence, f"1 or 2: {score.reason} {names}: {doubtful[0].unseen_reason}.")

    def _breaks(self, one: Judged) -> bool:
        return one.rule.name in self.breaking


def index_of(side: Side) -> int:
    """0 for the left side, 1 for the right one. Raises ValueError for a side that is neither."""
    if side not in SIDE_NAMES:
        raise ValueError(f"side {side!r} is not one side; allowed: LEFT, RIGHT")
    return 0 if side is Side.LEFT else 1


def leftward(moment: Moment) -> Array:
    """The horizontal unit vector (3,) to the left of where the person faces."""
    return np.asarray(np.cross(UP, moment.stance.facing))


def trunk_angles(body: Body, moment: Moment) -> tuple[float, float]:
    """Lean of pelvis to neck, degrees: (forward in the sagittal plane, to the left in the frontal plane)."""
    trunk = body.points[NECK] - body.points[PELVIS]
    up = float(trunk[2])
    forward, left = float(trunk @ moment.stance.facing), float(trunk @ leftward(moment))
    return math.degrees(math.atan2(forward, up)), math.degrees(math.atan2(left, up))


def trunk_confidence(moment: Moment) -> float:
    """Of the joints behind the trunk's line, at the moment and in the stance."""
    return float(min(one.confidence[[NECK, PELVIS]].min() for one in (moment.body, moment.stance.body)))


def furthest(bodies: Sequence[Body], point: int, place: Array) -> Measured:
    """How far a point got from a place (3,) over some bodies, horizontally, metres; short averages of its own."""
    stamps = np.array([body.stamp for body in bodies])
    moved = np.stack([body.points[point] - place for body in bodies])[:, :2]
    confidence = np.array([body.confidence[point] for body in bodies])
    seen = np.isfinite(moved).all(axis=1) & (confidence > 0.0)
    if not len(seen) or seen.mean() < 0.5:
        return UNMEASURED
    stamps, moved = stamps[seen], moved[seen]
    sums = np.concatenate((np.zeros((1, 2)), np.cumsum(moved, axis=0)))
    first = np.searchsorted(stamps, stamps - PLACE_AVERAGING / 2 - 1e-9)
    last = np.searchsorted(stamps, stamps + PLACE_AVERAGING / 2 + 1e-9, side="right")
    means = (sums[last] - sums[first]) / (last - first)[:, None]
    return Measured(float(np.linalg.norm(means, axis=1).max()), float(confidence[seen].mean()))
