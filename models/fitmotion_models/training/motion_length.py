"""Recipe of the lengths of motions: recordings counted by description and grade; what to trust chosen by person."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import yaml

from fitmotion_models.datasets.motion_set import MotionRow
from fitmotion_models.datasets.splits import rows_for
from fitmotion_models.motion.length import (
    DEFAULT_LENGTHS,
    GRADES,
    LengthModel,
    LengthSettings,
    log_density,
    save_length_model,
)
from fitmotion_models.motion.text import TextEncoder
from fitmotion_models.skeleton.rotations import Float64

Progress = Callable[[int, int | None], None]


@dataclass(frozen=True)
class LengthRecipe:
    """What the lengths are made by.

    fold: whose recordings are counted. shortest, longest, bins: of the histograms, seconds. The others are what is
    tried of `LengthSettings`, the first of each where nothing was chosen yet.
    """

    fold: str = "first"
    shortest: float = 0.3
    longest: float = 20.0
    bins: int = 72
    temperatures: tuple[float, ...] = (0.02, 0.03, 0.05, 0.08)
    prior_similarities: tuple[float, ...] = (0.3, 0.4, 0.5, 0.6)
    grade_shrinkages: tuple[float, ...] = (100.0, 3.0, 10.0, 30.0, 300.0)
    smoothings: tuple[float, ...] = (0.15, 0.06, 0.1, 0.22)

    def edges(self) -> Float64:
        """(bins + 1,) seconds."""
        return np.geomspace(self.shortest, self.longest, self.bins + 1)


class LengthFigures(NamedTuple):
    """Mean logarithm of the density (nats) at the lengths of recordings of persons left out, by texts left out.

    Every action counts the same, however often it was recorded. words: with the model. score_too: told the grade as
    well. everything: of the histogram of all recordings. recordings, actions: how many.
    """

    words: float
    score_too: float
    everything: float
    recordings: int
    actions: int


class _Group(NamedTuple):
    """Recordings of the same descriptions."""

    texts: tuple[str, ...]
    held_out_texts: tuple[str, ...]
    rows: tuple[MotionRow, ...]


def originals(rows: Sequence[MotionRow]) -> list[MotionRow]:
    """Rows as they were recorded: mirror images have the same length, other speeds were never chosen by a person."""
    return [row for row in rows if not row.mirrored and row.speed == 1.0]


def _groups(rows: Sequence[MotionRow]) -> list[_Group]:
    by_action: defaultdict[tuple[Any, ...], list[MotionRow]] = defaultdict(list)
    for row in rows:
        by_action[row.source, row.action, row.style or "", row.side or ""].append(row)
    return [
        _Group(
            tuple(dict.fromkeys(text for row in found for text in row.texts)),
            tuple(dict.fromkeys(text for row in found for text in row.held_out_texts)),
            tuple(found),
        )
        for _, found in sorted(by_action.items())
    ]


def fit_lengths(
    rows: Sequence[MotionRow], encoder: TextEncoder, settings: LengthSettings, recipe: LengthRecipe
) -> LengthModel:
    """Count recordings; rows: as recorded, see `originals`. Raises ValueError where there is none."""
    groups = _groups(rows)
    if not groups:
        raise ValueError("no recordings to count lengths of; prepare a motion set with `fitmotion data prepare`")
    edges = recipe.edges()
    middles = 0.5 * (np.log(edges[1:]) + np.log(edges[:-1]))
    counts = np.zeros((len(groups), len(GRADES), recipe.bins))
    for place, group in enumerate(groups):
        for row in group.rows:
            spread = np.exp(-0.5 * ((middles - np.log(row.seconds)) / settings.smoothing) ** 2)
            counts[place, GRADES.index(row.score)] += spread / spread.sum()
    embeddings = encoder.encode([text for group in groups for text in group.texts])
    embeddings = embeddings / np.linalg.norm(embeddings, axis=-1, keepdims=True)
    belongs = np.concatenate([[place] * len(group.texts) for place, group in enumerate(groups)])
    return LengthModel(encoder.name, embeddings, belongs, counts, edges, settings)


def figures_of(model: LengthModel, rows: Sequence[MotionRow], encoder: TextEncoder) -> LengthFigures:
    """How well a model foretells the recordings of others, asked by texts that it does not hold."""
    means, recordings = [], 0
    for group in _groups(rows):
        embeddings = encoder.encode(group.held_out_texts)
        sums = np.zeros(3)
        for score in dict.fromkeys(row.score for row in group.rows):
            seconds = np.array([row.seconds for row in group.rows if row.score == score])
            for embedding in embeddings:
                found = (
                    model.log_density(embedding, None, seconds),
                    model.log_density(embedding, score, seconds),
                    log_density(model.everything, model.edges, seconds),
                )
                sums += np.sum(found, axis=1) / len(embeddings)
        means.append(sums / len(group.rows))
        recordings += len(group.rows)
    words, score_too, everything = np.mean(means, axis=0).tolist()
    return LengthFigures(words, score_too, everything, recordings, len(means))


def choose_settings(
    rows: Sequence[MotionRow], encoder: TextEncoder, recipe: LengthRecipe, progress: Progress | None = None
) -> LengthSettings:
    """The settings that foretell best the lengths of each person from those of the others.

    One kind of setting is tried after the other, each with the best of those before. Raises ValueError for fewer than
    two persons.
    """
    persons = sorted({row.person for row in rows})
    if len(persons) < 2:
        raise ValueError(f"the set has {len(persons)} persons in this fold; at least 2 are needed to choose by person")

    def foretold(settings: LengthSettings) -> float:
        total = 0.0
        for person in persons:
            model = fit_lengths([row for row in rows if row.person != person], encoder, settings, recipe)
            found = figures_of(model, [row for row in rows if row.person == person], encoder)
            total += found.actions * (found.words + found.score_too)
        return total

    nearness = product(recipe.temperatures, recipe.prior_similarities)
    kinds: list[list[dict[str, float]]] = [
        [{"temperature": temperature, "prior_similarity": prior} for temperature, prior in nearness],
        [{"smoothing": one} for one in recipe.smoothings],
        [{"grade_shrinkage": one} for one in recipe.grade_shrinkages],
    ]
    best = LengthSettings(
        recipe.temperatures[0], recipe.prior_similarities[0], recipe.grade_shrinkages[0], recipe.smoothings[0]
    )
    done, total = 0, sum(len(kind) for kind in kinds)
    for kind in kinds:
        tried: list[tuple[float, LengthSettings]] = []
        for change in kind:
            settings = replace(best, **change)
            tried.append((foretold(settings), settings))
            done += 1
            if progress is not None:
                progress(done, total)
        best = max(tried, key=lambda one: one[0])[1]
    return best


def train_lengths(
    rows: Sequence[MotionRow],
    encoder: TextEncoder,
    recipe: LengthRecipe,
    out: Path,
    *,
    command: str,
    progress: Progress | None = None,
) -> tuple[Path, LengthFigures]:
    """Choose settings, count, write `motion_length.npz` and its card into `out`.

    Returns the file and the figures on the other half of the persons. Raises ValueError where a half is empty.
    """
    recorded = originals(rows)
    ours, others = rows_for(recorded, "generator", recipe.fold), rows_for(recorded, "judge", recipe.fold)
    if not others:
        raise ValueError("the set has nobody to try the lengths on: both halves of the persons are needed")
    settings = choose_settings(ours, encoder, recipe, progress)
    model = fit_lengths(ours, encoder, settings, recipe)
    figures = figures_of(model, others, encoder)
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{DEFAULT_LENGTHS}.npz"
    save_length_model(path, model)
    card = yaml.safe_dump(_card(ours, model, figures, recipe, command), sort_keys=False, allow_unicode=True, width=118)
    path.with_suffix(".yaml").write_text(card, encoding="utf-8")
    return path, figures


def _card(
    rows: Sequence[MotionRow], model: LengthModel, figures: LengthFigures, recipe: LengthRecipe, command: str
) -> dict[str, Any]:
    limited = sorted({row.source for row in rows if row.non_commercial})
    return {
        "name": DEFAULT_LENGTHS,
        "what": "How long a described motion takes: lengths of recordings, weighed by how near their descriptions are. "
        "Grades 1 and 2 are graded by our rubric.",
        "encoder": model.encoder,
        "data": {
            source: {
                "licence": next(row.licence for row in rows if row.source == source),
                "persons": sorted({row.person for row in rows if row.source == source}),
                "recordings": sum(row.source == source for row in rows),
            }
            for source in sorted({row.source for row in rows})
        },
        "licence": f"non-commercial use only ({', '.join(limited)})" if limited else "CC BY-SA 4.0",
        "command": command,
        "recipe": {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(recipe).items()},
        "settings": asdict(model.settings),
        "measured": {
            "what": "mean log density (nats, 1/s) at the lengths of recordings of the other half of the persons, asked "
            "by texts that were never counted; every action counts the same",
            "actions": figures.actions,
            "recordings": figures.recordings,
            "words": round(figures.words, 3),
            "words_and_grade": round(figures.score_too, 3),
            "histogram_of_all_recordings": round(figures.everything, 3),
        },
    }
