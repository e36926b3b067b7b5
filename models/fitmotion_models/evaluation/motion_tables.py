"""Generated motion against real motion, every figure with its intervals, chance and the real data's own figure.

Repetitions draw anew which text of a clip counts, which clips share a batch and which pairs are compared (and go
through the generator's runs where there are several); their interval is the published one. It says nothing about other
persons: that is what the second interval says, from a bootstrap that draws whole persons (for means over generated
clips: texts).
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.evaluation.motion_distances import fidelity
from fitmotion_models.evaluation.motion_intervals import mean_interval, over_repetitions
from fitmotion_models.evaluation.motion_metrics import (
    BATCH,
    DIVERSITY_PAIRS,
    MULTIMODALITY_PAIRS,
    TOP,
    diversity,
    diversity_pairs,
    matching_distances,
    multimodality,
    pairwise_distances,
    retrieved,
)
from fitmotion_models.evaluation.motion_samples import (
    EmbeddedSamples,
    GeneratedSample,
    MotionEvaluator,
    RealSample,
    embed,
    held,
)
from fitmotion_models.skeleton.rotations import Float64

REPETITIONS = 20
BOOTSTRAPS = 200

Figures = dict[str, Any]
Batches = Callable[[EmbeddedSamples, NDArray[np.int64], np.random.Generator], list[NDArray[np.int64]]]


def motion_metrics(
    generated: Sequence[GeneratedSample],
    real: Sequence[RealSample],
    evaluator: MotionEvaluator,
    repetitions: int = REPETITIONS,
    rng: np.random.Generator | None = None,
    *,
    training: Sequence[RealSample] = (),
    bootstraps: int = BOOTSTRAPS,
) -> Figures:
    """All measures of generated motion, ready for tables and JSON (what is not defined is None).

    generated: clips of one model. real: of persons whom the generator never saw; FID and KID count from them. training:
    real clips of the persons whom it learned from, whose FID and KID against `real` are those of real data; without
    them half of the persons of `real` are held against the others. This project's evaluators have learned from the
    persons of `real` and not from those of `training`: R-precision of the latter ("training") is what real motion gets
    of persons who are new to the evaluator. A figure is {"value", "ci95", "ci95_bootstrap",
    "chance", "real": {"value", "ci95", "ci95_bootstrap"}}; what chance is stands beside it. Sizes (batches, pairs,
    dimensions) are stated, as small sets change them. Raises ValueError for an empty set.
    """
    chosen = rng or np.random.default_rng(0)
    ours, theirs = embed(generated, evaluator), embed(real, evaluator)
    others = embed(training, evaluator) if training else None
    still = embed([held(sample) for sample in real], evaluator)
    table = _Table(ours, theirs, others, repetitions, bootstraps, chosen)
    figures: Figures = {
        "evaluator": evaluator.name,
        "comparable_with_published": evaluator.comparable,
        "clips": len(ours),
        "texts": len(np.unique(ours.groups)),
        "runs": len(np.unique(ours.runs)),
        "real_clips": len(theirs),
        "real_persons": len(np.unique(theirs.groups)),
        "repetitions": repetitions,
        "bootstraps": bootstraps,
        "r_precision": table.retrieval(random_batches),
        "r_precision_distinct": table.retrieval(distinct_batches),
        "mm_distance": table.matching(),
        **fidelity(ours, theirs, others, still, bootstraps, chosen),
        "diversity": table.diversity(still),
        "multimodality": table.multimodality(),
        "physical": physical_figures(generated, real, bootstraps, chosen),
    }
    return {name: plain(value) for name, value in figures.items()}


def random_batches(
    samples: EmbeddedSamples, rows: NDArray[np.int64], rng: np.random.Generator
) -> list[NDArray[np.int64]]:
    """Batches of 32 of the rows, drawn without regard to the action; what is left over is dropped, as published."""
    size = min(BATCH, len(rows))
    return list(rng.permutation(rows)[: len(rows) // size * size].reshape(-1, size))


def distinct_batches(
    samples: EmbeddedSamples, rows: NDArray[np.int64], rng: np.random.Generator
) -> list[NDArray[np.int64]]:
    """Batches of at most 32 actions with one clip of each, so many that about every row is drawn."""
    actions = np.unique(samples.actions[rows])
    size = min(BATCH, len(actions))
    queues = {action: rng.permutation(rows[samples.actions[rows] == action]) for action in actions}
    batches = []
    for number in range(max(1, round(len(rows) / size))):
        drawn = rng.permutation(actions)[:size]
        batches.append(np.array([queues[action][number % len(queues[action])] for action in drawn]))
    return batches


def retrieval_of(
    samples: EmbeddedSamples,
    repetitions: int = REPETITIONS,
    rng: np.random.Generator | None = None,
    bootstraps: int = BOOTSTRAPS,
) -> Figures:
    """R-precision of real motion alone, in random batches and in those of distinct actions: an evaluator's ceiling."""
    chosen = rng or np.random.default_rng(0)
    figures = {"clips": len(samples), "persons": len(np.unique(samples.groups))}
    kinds = {"random_batches": random_batches, "distinct_actions": distinct_batches}
    retrieval = {
        name: retrieval_figures(samples, batches, repetitions, bootstraps, chosen) for name, batches in kinds.items()
    }
    return {name: plain(value) for name, value in (figures | retrieval).items()}


def retrieval_figures(
    samples: EmbeddedSamples, batches: Batches, repetitions: int, bootstraps: int, rng: np.random.Generator
) -> Figures:
    """R-precision at 1 to 3 with its intervals and chance; batch: clips in each."""
    size = len(batches(samples, samples.run_rows(0), rng)[0])
    means = np.empty((repetitions, TOP))
    sums, counts = np.zeros((len(samples), TOP)), np.zeros(len(samples))
    for repetition in range(repetitions):
        texts = samples.drawn_texts(rng)
        found = []
        for batch in batches(samples, samples.run_rows(repetition), rng):
            found.append(retrieved(texts[batch], samples.motions[batch]))
            sums[batch] += found[-1]
            counts[batch] += 1.0
        means[repetition] = np.concatenate(found).mean(axis=0)
    per_clip = _means(sums, counts[:, None])
    figures: Figures = {"batch": size}
    for k in range(TOP):
        interval = mean_interval(per_clip[:, k], samples.groups, bootstraps, rng, counts)
        figure = {**over_repetitions(means[:, k]), "ci95_bootstrap": interval}
        figures[f"top_{k + 1}"] = {**figure, "chance": min((k + 1) / size, 1.0)}
    return figures


def physical_figures(
    generated: Sequence[GeneratedSample], real: Sequence[RealSample], bootstraps: int, rng: np.random.Generator
) -> Figures:
    """Means over clips of the physical measures; chance, a body that stands still, is 0 for all that both have."""
    figures: Figures = {"chance_is": "a body that stands still"}
    measured = [[sample.physical() for sample in samples] for samples in (generated, real)]
    groups = [np.unique([one.group for one in samples], return_inverse=True)[1] for samples in (generated, real)]
    for name in dict.fromkeys(name for one in measured[0] for name in one):
        both = []
        for values, index in zip(measured, groups, strict=True):
            column = np.array([one.get(name, np.nan) for one in values])
            known = column[np.isfinite(column)]
            interval = mean_interval(column, index, bootstraps, rng)
            both.append(
                {"value": known.mean() if len(known) else np.nan, "ci95_bootstrap": interval, "clips": len(known)}
            )
        figures[name] = {**both[0], "chance": 0.0 if name in measured[1][0] else None, "real": both[1]}
    return figures


class _Table:
    """The measures that are repeated, on generated (`ours`) and real (`theirs`, `training`) samples."""

    def __init__(
        self,
        ours: EmbeddedSamples,
        theirs: EmbeddedSamples,
        training: EmbeddedSamples | None,
        repetitions: int,
        bootstraps: int,
        rng: np.random.Generator,
    ) -> None:
        self._both = (ours, theirs)
        self._training = () if training is None else (training,)
        self._repetitions, self._bootstraps, self._rng = repetitions, bootstraps, rng

    def retrieval(self, batches: Batches) -> Figures:
        """R-precision at 1 to 3."""
        drawn, real, *training = (
            retrieval_figures(samples, batches, self._repetitions, self._bootstraps, self._rng)
            for samples in (*self._both, *self._training)
        )
        names = [name for name in drawn if name.startswith("top_")]
        tops = {name: {**drawn[name], "real": real[name]} for name in names}
        for one in training:
            tops = {name: {**tops[name], "training": one[name]} for name in names}
        return {"batch": drawn["batch"], "real_batch": real["batch"], "chance_is": "any clip of the batch", **tops}

    def matching(self) -> Figures:
        """MM-distance."""
        figures = []
        for samples in self._both:
            distances = np.full((self._repetitions, len(samples)), np.nan)
            for repetition in range(self._repetitions):
                rows = samples.run_rows(repetition)
                distances[repetition, rows] = matching_distances(
                    samples.drawn_texts(self._rng)[rows], samples.motions[rows]
                )
            per_clip = _means(np.nansum(distances, axis=0), np.isfinite(distances).sum(axis=0))
            figures.append(self._figure(np.nanmean(distances, axis=1), per_clip, samples))
        theirs = self._both[1]
        apart = theirs.actions[:, None] != theirs.actions
        between = pairwise_distances(theirs.drawn_texts(self._rng), theirs.motions)[apart]
        chance = {"chance": float(between.mean()) if between.size else None}
        return {**figures[0], **chance, "chance_is": "real motions with another action's text", "real": figures[1]}

    def diversity(self, still: EmbeddedSamples) -> Figures:
        """Diversity, in as many pairs of generated as of real clips."""
        pairs = min(diversity_pairs(len(samples.run_rows(0))) for samples in self._both)
        drawn, real, chance = (
            over_repetitions(
                [
                    diversity(samples.motions[samples.run_rows(number)], self._rng, pairs)
                    for number in range(self._repetitions)
                ]
            )
            for samples in (*self._both, still)
        )
        sizes = {"pairs": pairs, "published_pairs": DIVERSITY_PAIRS}
        return {
            **drawn,
            **sizes,
            "chance": chance["value"],
            "chance_is": "real clips held in their first frame",
            "real": real,
        }

    def multimodality(self) -> Figures:
        """Multimodality: of clips with one text; of real ones, with one action."""
        figures: list[Figures] = []
        for samples, of in zip(self._both, (self._both[0].groups, self._both[1].actions), strict=True):
            groups = [samples.motions[of == one] for one in np.unique(of) if (of == one).sum() > 1]
            sizes = {"texts": len(groups), "motions_a_text": min((len(one) for one in groups), default=0)}
            values = [multimodality(groups, self._rng) for _ in range(self._repetitions)] if groups else [np.nan]
            figures.append({**over_repetitions(values), **sizes})
        ours = self._both[0]
        whole = diversity(ours.motions, self._rng) if len(ours) > 1 else None
        sizes = {"pairs": MULTIMODALITY_PAIRS, "published_texts": 100, "published_motions_a_text": 30}
        return {
            **figures[0],
            **sizes,
            "chance": whole,
            "chance_is": "generated clips of any text",
            "real": figures[1],
            "real_is": "clips of one action",
        }

    def _figure(self, repetitions: Float64, per_clip: Float64, samples: EmbeddedSamples) -> Figures:
        interval = mean_interval(per_clip, samples.groups, self._bootstraps, self._rng)
        return {**over_repetitions(repetitions), "ci95_bootstrap": interval}


def _means(sums: Float64, counts: Float64) -> Float64:
    return np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0)


def plain(value: Any) -> Any:
    """Numbers of Python, None for what is not finite."""
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    return int(value) if isinstance(value, np.integer) else value
