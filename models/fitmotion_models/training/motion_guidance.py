"""How strongly words and score shall count in weights that ship, chosen without anybody who judges them later.

The development judges of a fold are those of the other one: they learned from the persons whom the generator learned
from, as did the evaluator that reads its words. Of the persons whose judges are reported nobody has a say.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from fitmotion_models.datasets.motion_set import MotionRow
from fitmotion_models.datasets.splits import other_fold, rows_for
from fitmotion_models.evaluation.fms_judges import GRADES, FmsJudge, JudgedMotion, consistency, judged_right
from fitmotion_models.evaluation.motion_evaluator import load_motion_evaluator
from fitmotion_models.evaluation.motion_grades_report import collapse_figures, judged_requests
from fitmotion_models.evaluation.motion_report import MOCAP
from fitmotion_models.evaluation.motion_requests import (
    Model,
    Request,
    as_recorded,
    generated_samples,
    graded_requests,
    held_out_requests,
    real_samples,
    spread,
)
from fitmotion_models.evaluation.motion_samples import GeneratedSample, MotionEvaluator, RealSample, embed
from fitmotion_models.evaluation.motion_tables import retrieval_of
from fitmotion_models.motion.condition import Conditioning
from fitmotion_models.motion.generate import Generator
from fitmotion_models.training.fms_judges import Progress, graded_rows, judged_rows, motion_frames

TEXT_WEIGHTS = (1.0, 1.5, 2.0, 2.5)
SCORE_WEIGHTS = (1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0)
WAYS = (Conditioning.NUMERICAL, Conditioning.TEXTUAL, Conditioning.TOKEN)
MOST_JERK = 1.25
"""Times that of motion capture: a bound on what guidance may cost, inside the 1.5 that motion is held to."""
MOST_DIVERSITY = 1.1
"""Within a grade over that of recordings of the generator's own persons: a bound inside the 1.2 that is asked for."""
_PER_LABEL = 3
_RETRIEVALS = 5


@dataclass(frozen=True)
class GuidanceChoice:
    """What was chosen, and why.

    score_guidance: by what carries the score. tried: of every pair of weights what was measured, for tables and the
    card. ceiling: by judge its accuracy on recordings of persons whom it never saw.
    """

    text_guidance: float
    score_guidance: dict[str, float]
    tried: list[dict[str, Any]]
    ceiling: dict[str, float]


@dataclass(frozen=True, eq=False)
class _Trials:
    """What weights are tried on. mocap: jerk of motion capture, to which every other is held."""

    generator: Generator
    judges: Mapping[str, FmsJudge]
    evaluator: MotionEvaluator
    mocap: float
    random: np.random.Generator

    def text(self, wanted: Sequence[Request], weight: float) -> dict[str, Any]:
        """How well words are found again in motion, and what it costs."""
        clips = Model(self.generator, text_guidance=weight, score_guidance=1.0).clips(wanted)
        samples = generated_samples(wanted, clips)
        figures = retrieval_of(embed(samples, self.evaluator), _RETRIEVALS, self.random, 2)
        found = figures["distinct_actions"]["top_3"]["value"]
        return {"text_guidance": weight, "r_precision": found, "jerk_over_mocap": _jerk(samples) / self.mocap}

    def score(
        self,
        wanted: Sequence[Request],
        recorded: Sequence[JudgedMotion],
        way: Conditioning,
        text: float,
        weight: float,
    ) -> dict[str, Any]:
        """How often judges find the grades in motion, how varied it is within them, and what it costs."""
        clips = Model(self.generator, way, text_guidance=text, score_guidance=weight).clips(wanted)
        motions = judged_requests(wanted, clips, motion_frames)
        varied = collapse_figures(motions, recorded, self.evaluator, self.random)
        return {
            "conditioning": way.name.lower(),
            "score_guidance": weight,
            "motions": len(motions),
            **{f"accuracy_{name}": _accuracy(judge, motions) for name, judge in self.judges.items()},
            "diversity_over_real": max(varied[str(grade)]["diversity_over_real"] or 0.0 for grade in GRADES),
            "jerk_over_mocap": _jerk(generated_samples(wanted, clips)) / self.mocap,
        }


def choose_guidance(
    rows: Sequence[MotionRow],
    fold: str,
    generator: Generator,
    judges: Mapping[str, FmsJudge],
    *,
    per_grade: int = 20,
    seed: int = 0,
    progress: Progress = None,
) -> GuidanceChoice:
    """The weights with which development judges find most grades while motion stays as varied as recordings.

    First the text's: the one with the best R-precision whose jerk is allowed. With it the score's, by itself for every
    way of telling one, see `best_score`. judges: of the other fold. Raises ValueError where the motion set lacks graded
    repetitions.
    """
    own = as_recorded(rows_for(rows, "generator", fold))
    random = np.random.default_rng(seed)
    chosen = spread(own, _PER_LABEL, random)
    asked = held_out_requests(chosen, random)
    worded = [replace(one, text=str(random.choice(row.texts))) for one, row in zip(asked, chosen, strict=True)]
    graded = graded_requests(own, per_grade, random)
    if not graded:
        raise ValueError("the motion set holds no graded repetition of the generating persons; prepare UI-PRMD too")
    mocap = _jerk(real_samples(spread([row for row in as_recorded(rows) if row.source in MOCAP], 4, random)))
    unseen = judged_rows(graded_rows(rows_for(rows, "judge", fold), mirrored=False))
    ceiling = {name: float(consistency(judge, unseen, random, 10)["accuracy"]) for name, judge in judges.items()}
    recorded = judged_rows(graded_rows(own, mirrored=False))
    trials = _Trials(generator, judges, load_motion_evaluator(other_fold(fold)), mocap, random)
    tried: list[dict[str, Any]] = []
    total = len(TEXT_WEIGHTS) + len(WAYS) * len(SCORE_WEIGHTS)
    for weight in TEXT_WEIGHTS:
        tried.append(trials.text(worded, weight))
        _tell(progress, len(tried), total)
    text = best_text(tried)
    scores = {}
    for way in WAYS:
        scored = []
        for weight in SCORE_WEIGHTS:
            scored.append(trials.score(graded, recorded, way, text, weight))
            _tell(progress, len(tried) + len(scored), total)
        tried += scored
        scores[way.name.lower()] = best_score(scored, tuple(judges))
    return GuidanceChoice(text, scores, tried, ceiling)


def write_guidance(card: Path, choice: GuidanceChoice) -> Path:
    """Put the choice and what it rests on into the card of weights; returns its path."""
    said = yaml.safe_load(card.read_text(encoding="utf-8"))
    default = str(said["defaults"]["conditioning"])
    weights = {f"score_guidance_{way}": one for way, one in choice.score_guidance.items() if way != default}
    chosen = {"text_guidance": choice.text_guidance, "score_guidance": choice.score_guidance[default]}
    said["defaults"] |= chosen | weights
    said["guidance"] = {
        "chosen_by": "judges and evaluator that learned from the generator's own persons",
        "ceiling": {name: round(value, 3) for name, value in choice.ceiling.items()},
        "tried": [
            {name: round(value, 3) if isinstance(value, float) else value for name, value in one.items()}
            for one in choice.tried
        ],
    }
    partial = card.with_suffix(".part")
    partial.write_text(yaml.safe_dump(said, sort_keys=False, allow_unicode=True, width=118), encoding="utf-8")
    partial.replace(card)
    return card


def _accuracy(judge: FmsJudge, motions: Sequence[JudgedMotion]) -> float:
    return judged_right(judge(motions), np.array([motion.score for motion in motions], dtype=np.int64))


def _jerk(samples: Sequence[GeneratedSample] | Sequence[RealSample]) -> float:
    return float(np.mean([sample.physical()["jerk_m_s3"] for sample in samples]))


def best_text(tried: Sequence[dict[str, Any]]) -> float:
    """The text's weight with the best R-precision among those whose jerk is allowed; of equal ones the smallest."""
    allowed = [one for one in tried if one["jerk_over_mocap"] <= MOST_JERK] or [tried[0]]
    return max(allowed, key=lambda one: (round(one["r_precision"], 2), -one["text_guidance"]))["text_guidance"]


def best_score(scored: Sequence[dict[str, Any]], judges: Sequence[str]) -> float:
    """The smallest weight of the score with which judges are right as often as with the best, within its error.

    The rule of one standard error (Breiman et al. 1984), the error being the best one's over its "motions". Asked are
    those with which no grade's motion is more varied than `MOST_DIVERSITY` allows and whose jerk is allowed: guidance
    that is too strong throws motion about, and judges find that a good likeness of a bad grade. Where there is none,
    the one that is least varied.
    """
    allowed = [
        one for one in scored if one["jerk_over_mocap"] <= MOST_JERK and one["diversity_over_real"] <= MOST_DIVERSITY
    ]
    if not allowed:
        return float(min(scored, key=lambda one: one["diversity_over_real"])["score_guidance"])
    right = [float(np.mean([one[f"accuracy_{name}"] for name in judges])) for one in allowed]
    best = int(np.argmax(right))
    error = (right[best] * (1.0 - right[best]) / allowed[best]["motions"]) ** 0.5
    return float(
        min(one["score_guidance"] for one, found in zip(allowed, right, strict=True) if found >= right[best] - error)
    )


def _tell(progress: Progress, done: int, total: int) -> None:
    if progress is not None:
        progress(done, total)
