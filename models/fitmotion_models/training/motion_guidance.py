"""How strongly words and score shall count in weights that ship, chosen without anybody who judges them later.

The development judges of a fold are those of the other one: they learned from the persons whom the generator learned
from, as did the evaluator that reads its words. Of the persons whose judges are reported nobody has a say.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import yaml

from fitmotion_models.datasets.motion_set import MotionRow
from fitmotion_models.datasets.splits import other_fold, rows_for
from fitmotion_models.evaluation.fms_judges import FmsJudge, JudgedMotion, consistency, judged_right
from fitmotion_models.evaluation.motion_evaluator import load_motion_evaluator
from fitmotion_models.evaluation.motion_grades_report import judged_requests
from fitmotion_models.evaluation.motion_report import MOCAP
from fitmotion_models.evaluation.motion_requests import (
    Model,
    as_recorded,
    generated_samples,
    graded_requests,
    held_out_requests,
    real_samples,
    spread,
)
from fitmotion_models.evaluation.motion_samples import GeneratedSample, RealSample, embed
from fitmotion_models.evaluation.motion_tables import retrieval_of
from fitmotion_models.motion.generate import Generator
from fitmotion_models.training.fms_judges import Progress, graded_rows, judged_rows, motion_frames

TEXT_WEIGHTS = (1.0, 1.5, 2.0, 2.5)
SCORE_WEIGHTS = (1.0, 2.0, 3.0, 4.0, 5.0)
MOST_JERK = 1.25
"""Times that of motion capture: a bound on what guidance may cost, inside the 1.5 that motion is held to."""
_PER_LABEL = 3
_RETRIEVALS = 5


@dataclass(frozen=True)
class GuidanceChoice:
    """What was chosen, and why.

    tried: of every pair of weights what was measured, for tables and the card. ceiling: by judge its accuracy on
    recordings of persons whom it never saw.
    """

    text_guidance: float
    score_guidance: float
    tried: list[dict[str, float]]
    ceiling: dict[str, float]


def choose_guidance(
    rows: Sequence[MotionRow],
    fold: str,
    generator: Generator,
    judges: Mapping[str, FmsJudge],
    *,
    per_grade: int = 12,
    seed: int = 0,
    progress: Progress = None,
) -> GuidanceChoice:
    """The smallest weights with which development judges find the grades as often as in recordings.

    First the text's: the one with the best R-precision whose jerk is allowed. With it the score's: the smallest with
    which every judge is right as often as on persons whom it never saw; where none does it, the best. judges:
    of the other fold. Raises ValueError where the motion set lacks graded repetitions.
    """
    own = as_recorded(rows_for(rows, "generator", fold))
    random = np.random.default_rng(seed)
    chosen = spread(own, _PER_LABEL, random)
    asked = held_out_requests(chosen, random)
    wanted = [replace(one, text=str(random.choice(row.texts))) for one, row in zip(asked, chosen, strict=True)]
    graded = graded_requests(own, per_grade, random)
    if not graded:
        raise ValueError("the motion set holds no graded repetition of the generating persons; prepare UI-PRMD too")
    mocap = _jerk(real_samples(spread([row for row in as_recorded(rows) if row.source in MOCAP], 4, random)))
    unseen = judged_rows(graded_rows(rows_for(rows, "judge", fold), mirrored=False))
    ceiling = {name: float(consistency(judge, unseen, random, 10)["accuracy"]) for name, judge in judges.items()}
    evaluator = load_motion_evaluator(other_fold(fold))
    tried: list[dict[str, float]] = []
    total, done = len(TEXT_WEIGHTS) + len(SCORE_WEIGHTS), 0
    for text in TEXT_WEIGHTS:
        model = Model(generator, text_guidance=text, score_guidance=1.0)
        samples = generated_samples(wanted, model.clips(wanted))
        figures = retrieval_of(embed(samples, evaluator), _RETRIEVALS, random, 2)
        found = figures["distinct_actions"]["top_3"]["value"]
        tried.append({"text_guidance": text, "r_precision": found, "jerk_over_mocap": _jerk(samples) / mocap})
        done = _tell(progress, done, total)
    text_guidance = best_text(tried)
    for score in SCORE_WEIGHTS:
        model = Model(generator, text_guidance=text_guidance, score_guidance=score)
        clips = model.clips(graded)
        motions = judged_requests(graded, clips, motion_frames)
        tried.append(
            {
                "text_guidance": text_guidance,
                "score_guidance": score,
                **{f"accuracy_{name}": _accuracy(judge, motions) for name, judge in judges.items()},
                "jerk_over_mocap": _jerk(generated_samples(graded, clips)) / mocap,
            }
        )
        done = _tell(progress, done, total)
    return GuidanceChoice(text_guidance, least_score(tried, ceiling), tried, ceiling)


def write_guidance(card: Path, choice: GuidanceChoice) -> Path:
    """Put the choice and what it rests on into the card of weights; returns its path."""
    said = yaml.safe_load(card.read_text(encoding="utf-8"))
    said["defaults"] |= {"text_guidance": choice.text_guidance, "score_guidance": choice.score_guidance}
    said["guidance"] = {
        "chosen_by": "judges and evaluator that learned from the generator's own persons",
        "ceiling": {name: round(value, 3) for name, value in choice.ceiling.items()},
        "tried": [{name: round(value, 3) for name, value in one.items()} for one in choice.tried],
    }
    partial = card.with_suffix(".part")
    partial.write_text(yaml.safe_dump(said, sort_keys=False, allow_unicode=True, width=118), encoding="utf-8")
    partial.replace(card)
    return card


def _accuracy(judge: FmsJudge, motions: Sequence[JudgedMotion]) -> float:
    return judged_right(judge(motions), np.array([motion.score for motion in motions], dtype=np.int64))


def _jerk(samples: Sequence[GeneratedSample] | Sequence[RealSample]) -> float:
    return float(np.mean([sample.physical()["jerk_m_s3"] for sample in samples]))


def best_text(tried: Sequence[dict[str, float]]) -> float:
    """The text's weight with the best R-precision among those whose jerk is allowed; of equal ones the smallest."""
    allowed = [one for one in tried if one["jerk_over_mocap"] <= MOST_JERK] or [tried[0]]
    return max(allowed, key=lambda one: (round(one["r_precision"], 2), -one["text_guidance"]))["text_guidance"]


def least_score(tried: Sequence[dict[str, float]], ceiling: Mapping[str, float]) -> float:
    """The smallest weight of the score with which every judge reaches its ceiling; without one, the best.

    Only those whose jerk is allowed are asked.
    """
    scored = [one for one in tried if "score_guidance" in one and one["jerk_over_mocap"] <= MOST_JERK]
    if not scored:
        return SCORE_WEIGHTS[0]
    enough = [
        one["score_guidance"] for one in scored if all(one[f"accuracy_{name}"] >= low for name, low in ceiling.items())
    ]
    best = max(scored, key=lambda one: sum(one[f"accuracy_{name}"] for name in ceiling))
    return min(enough, default=best["score_guidance"])


def _tell(progress: Progress, done: int, total: int) -> int:
    if progress is not None:
        progress(done + 1, total)
    return done + 1
