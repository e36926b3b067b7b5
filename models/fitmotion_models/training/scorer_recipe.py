"""The recipe of the learned scorers: all persons, settings chosen by leaving each out in turn, a network and a card."""

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from fitmotion_models import weights
from fitmotion_models.datasets.motion_grades import grade
from fitmotion_models.fms.learned_scorer import weights_name
from fitmotion_models.training.scorer_best import BestScorer, fit_best
from fitmotion_models.training.scorer_data import LEG_MOVEMENTS, TESTS, ScorerTable
from fitmotion_models.training.scorer_onnx import save_onnx

CITATION = (
    "Vakanski A, Jun H, Paul D, Baker R (2018) A data set of human body movements for physical rehabilitation "
    "exercises. Data 3(1):2."
)


@dataclass(frozen=True)
class ScorerRecipe:
    """seed: of the forest. learns_from: the movements whose repetitions are learnt from together."""

    seed: int = 0
    learns_from: tuple[str, ...] = LEG_MOVEMENTS


def train_scorers(
    table: ScorerTable,
    recipe: ScorerRecipe,
    folder: Path | None = None,
    measured: Mapping[str, Any] | None = None,
    progress: Callable[[int, int | None], None] | None = None,
) -> list[Path]:
    """Train a scorer a test and write network and card; what is there by the same recipe and data stays.

    folder: None is the package's own weights. measured: what `evaluate fms --json` printed. Returns what was written.
    """
    target = folder or Path(str(weights.__path__[0]))
    target.mkdir(parents=True, exist_ok=True)
    made_from = _fingerprint(table, recipe)
    missing = {
        test: target / f"{weights_name(movement)}.onnx"
        for test, movement in TESTS.items()
        if not _is_made(target / f"{weights_name(movement)}.yaml", made_from)
    }
    if not missing:
        return []
    best = fit_best(table, np.arange(len(table.correct)), tuple(TESTS), recipe.seed)
    written = []
    for number, (test, path) in enumerate(missing.items(), start=1):
        grade_2_from = best_boundary(table, best, test)
        partial = path.with_name(f".{path.name}.{os.getpid()}.part")
        save_onnx(partial, best.tests[test], _metadata(table, test, grade_2_from, made_from))
        partial.replace(path)
        card = _card(table, best, recipe, test, grade_2_from, made_from, measured)
        # the card last: it says that the network is whole
        path.with_suffix(".yaml").write_text(yaml.safe_dump(card, sort_keys=False, width=110), encoding="utf-8")
        written += [path, path.with_suffix(".yaml")]
        if progress is not None:
            progress(number, len(missing))
    return written


def best_boundary(table: ScorerTable, best: BestScorer, test: str) -> float:
    """The probability below 0.5 that best splits our rubric's 2 and 1 among incorrect repetitions left out.

    Where the rules have no severity for a test it is 0.25, half way.
    """
    rows, meets = best.out_of_fold[test]
    incorrect = ~table.correct[rows] & (meets < 0.5)
    severity = table.severity[rows]
    if not np.isfinite(severity[incorrect]).all() or incorrect.sum() < 2:
        return 0.25
    grades = grade(table.correct[rows], severity, float(np.median(severity[~table.correct[rows]])))[incorrect]
    options = np.unique(np.quantile(meets[incorrect], np.linspace(0.1, 0.9, 17)))
    right = [float(np.mean(np.where(meets[incorrect] >= option, 2, 1) == grades)) for option in options]
    return float(options[int(np.argmax(right))])


def _fingerprint(table: ScorerTable, recipe: ScorerRecipe) -> str:
    digest = hashlib.sha256(repr((asdict(recipe), [str(name) for name in table.names])).encode())
    digest.update(table.whole.astype(np.float32).tobytes())
    digest.update(table.sided.astype(np.float32).tobytes())
    return digest.hexdigest()


def _is_made(card: Path, made_from: str) -> bool:
    if not card.is_file() or not card.with_suffix(".onnx").is_file():
        return False
    content = yaml.safe_load(card.read_text(encoding="utf-8"))
    return isinstance(content, dict) and content.get("made_from") == made_from


def _metadata(table: ScorerTable, test: str, grade_2_from: float, made_from: str) -> dict[str, str]:
    return {
        "movement": TESTS[test].name,
        "features": " ".join((*table.whole_names, *table.sided_names)),
        "whole_features": str(len(table.whole_names)),
        "grade_2_from": repr(grade_2_from),
        "made_from": made_from,
    }


def _card(
    table: ScorerTable,
    best: BestScorer,
    recipe: ScorerRecipe,
    test: str,
    grade_2_from: float,
    made_from: str,
    measured: Mapping[str, Any] | None,
) -> dict[str, Any]:
    found = None if measured is None else measured[test]["best"]
    return {
        "name": weights_name(TESTS[test]),
        "what": "Probability that a repetition is correct, from one repetition and the stance before it. "
        "Grades 2 and 1 are graded by our rubric: UI-PRMD knows only correct and incorrect.",
        "test": TESTS[test].name.lower(),
        "data": f"UI-PRMD (Kinect v2), persons {', '.join(table.persons)}, movements {', '.join(recipe.learns_from)}",
        "citation": CITATION,
        "data_licence": "PDDL",
        "licence": "CC BY-SA 4.0",
        "command": f"./fitmotion train scorer --seed {recipe.seed}",
        "recipe": {**asdict(recipe), "learns_from": list(recipe.learns_from)},
        "settings": {
            family: {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(one).items()}
            for family, one in best.settings.items()
        },
        "grade_2_from": grade_2_from,
        "measured": "not measured" if found is None else _measured(found),
        "knows": "How people move who were asked to do it wrongly: unsteadily, unevenly, out of the plane. A "
        "parametric squat with the trunk leaning 60 degrees forward, but perfectly smooth and even, it calls correct; "
        "the rules do not. It warns, the rules explain.",
        "unknown": "Trained on one Kinect's skeleton, whose feet are held where they stand. Bodies from cameras "
        "(MediaPipe, RTMPose, one or several views) differ in joints and noise; how much the probabilities suffer has "
        "not been measured, as no labelled video of these tests is at hand. Every person did the hurdle step and the "
        "leg raise on one side only.",
        "made_from": made_from,
    }


def _measured(found: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "how": "nested cross-validation, each person left out of training and of every choice (evaluate fms)",
        **{name: round(float(found[name]), 4) for name in ("accuracy", "f1", "auc", "ece")},
        "accuracy_per_person": {person: round(float(value), 3) for person, value in found["per_person"].items()},
    }
