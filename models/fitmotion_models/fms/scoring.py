"""From judged criteria to a score with a confidence, or to "not scorable" with the reason."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from fitmotion_models.fms.criteria import Judged
from fitmotion_models.fms.values import NOT_SCORABLE, Side, Verdict

# Below this confidence the answer is "not scorable": no better than a coin.
MIN_CONFIDENCE = 0.5

# Share of the confidence that is lost when all the other criteria of a failed repetition are unseen.
UNSEEN_PENALTY = 0.4


@dataclass(frozen=True)
class Score:
    """score: 0 to 3 or -1. confidence: 0 to 1. reason: why it is -1, or which faults made it low."""

    score: int
    confidence: float
    reason: str


class Grading(Protocol):
    """What the judged criteria of a repetition are worth."""

    def score(self, judged: Sequence[Judged]) -> Score:
        """The score of one repetition."""


@dataclass(frozen=True)
class VariationRule:
    """A trial that is passed or not. met, not_met: the score. advice: what to do after `not_met`."""

    met: int
    not_met: int
    advice: str = ""

    def score(self, judged: Sequence[Judged]) -> Score:
        """The score of one repetition."""
        return score_repetition(judged, self)


@dataclass(frozen=True)
class Form:
    """One variation of a test. side: on which it is done, BOTH where it has none or any. grades: what it is worth."""

    grades: Grading
    side: Side = Side.BOTH


def score_repetition(judged: Sequence[Judged], variation: VariationRule) -> Score:
    """The score of one trial.

    Every criterion met: the product of their probabilities of being right, for all must be. Any not met: that at least
    one of the failed ones is right, lowered by the share of criteria that were not seen. Otherwise nothing is said.
    """
    failed = [one for one in judged if one.criterion.verdict is Verdict.NOT_MET]
    not_seen = [one for one in judged if one.criterion.verdict is Verdict.NOT_SEEN]
    if failed:
        all_wrong = math.prod(1.0 - one.probability for one in failed)
        confidence = (1.0 - all_wrong) * (1.0 - UNSEEN_PENALTY * len(not_seen) / len(judged))
        faults = "; ".join(one.rule.fault for one in failed)
        if confidence >= MIN_CONFIDENCE:
            return Score(variation.not_met, confidence, _sentence(f"{faults}. {variation.advice}"))
        return Score(NOT_SCORABLE, confidence, _sentence(f"too uncertain: {faults}, but {_unseen(not_seen)}"))
    if not_seen:
        # What is left could still be met or not: all that is known is how likely the seen ones are right.
        confidence = math.prod(one.probability for one in judged)
        return Score(NOT_SCORABLE, confidence, _sentence(_unseen(not_seen)))
    confidence = math.prod(one.probability for one in judged)
    if confidence >= MIN_CONFIDENCE:
        return Score(variation.met, confidence, "")
    weakest = min(judged, key=lambda one: one.probability)
    return Score(
        NOT_SCORABLE,
        confidence,
        _sentence(f"too uncertain, most of all {_words(weakest)}: {weakest.rule.best_view}, or use several cameras"),
    )


def _unseen(not_seen: Sequence[Judged]) -> str:
    """Why criteria were not seen, each reason once with the criteria that it concerns."""
    reasons: dict[str, list[str]] = {}
    for one in not_seen:
        reasons.setdefault(one.unseen_reason, []).append(_words(one))
    return "; ".join(f"{', '.join(names)} {reason}" for reason, names in reasons.items())


def _words(one: Judged) -> str:
    return one.rule.name.replace("_", " ")


def _sentence(text: str) -> str:
    text = text.strip()
    text = text[:1].upper() + text[1:]
    return text if text.endswith(".") else text + "."
