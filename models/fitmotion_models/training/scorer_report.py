"""The figures of a cross-validation: accuracy, F1, AUC and calibration of every scorer; `best` against baselines."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.training.scorer_crossvalidation import SCORERS, Fold
from fitmotion_models.training.scorer_data import TESTS, ScorerTable, Table

COMPARED = ("m01", "m02", "m03")
"""The tests of the screen that have data; m06 is a movement of its own and stands beside them."""

BASELINES = ("baseline_trees", "baseline_linear")
METRICS = ("accuracy", "f1", "auc", "ece")
BOOTSTRAPS = 10_000
CALIBRATION_BINS = 10

Figures = dict[str, Any]


def as_dict(table: ScorerTable, folds: Sequence[Fold], seed: int = 0) -> Figures:
    """JSON-ready: test -> scorer -> figures; "mean" over m01 to m03; "best_minus_baseline" with its interval."""
    result: Figures = {}
    for test in TESTS:
        rows = {name: _figures(table, folds, name, test) for name in SCORERS}
        result[test] = {name: row for name, row in rows.items() if row is not None}
    result["mean"] = {name: _mean([result[test][name] for test in COMPARED]) for name in result[COMPARED[0]]}
    if "best" in result["mean"] and any(name in result["mean"] for name in BASELINES):
        result["best_minus_baseline"] = _difference(result["mean"], seed)
    # what was learnt from: a set without the other movements gives other figures
    movements, counts = np.unique(table.movement, return_counts=True)
    result["repetitions"] = dict(zip(movements.tolist(), counts.tolist(), strict=True))
    result["persons"] = [fold.person for fold in folds]
    result["seed"] = seed
    return result


def _figures(table: ScorerTable, folds: Sequence[Fold], scorer: str, test: str) -> Figures | None:
    found = [(fold.person, *fold.meets[scorer][test]) for fold in folds if test in fold.meets.get(scorer, {})]
    if not found:
        return None
    correct = np.concatenate([table.correct[rows] for _, rows, _ in found])
    meets = np.concatenate([chances for _, _, chances in found])
    return {
        "accuracy": float(((meets >= 0.5) == correct).mean()),
        "f1": f1_score(correct, meets),
        "auc": area_under_curve(correct, meets),
        "ece": expected_calibration_error(correct, meets),
        "per_person": {
            person: float(((chances >= 0.5) == table.correct[rows]).mean()) for person, rows, chances in found
        },
    }


def f1_score(correct: NDArray[np.bool_], meets: Table) -> float:
    """Harmonic mean of precision and recall of "correct"."""
    said = meets >= 0.5
    both = int((said & correct).sum())
    return 2.0 * both / max(int(said.sum()) + int(correct.sum()), 1)


def area_under_curve(correct: NDArray[np.bool_], meets: Table) -> float:
    """The share of pairs of a correct and an incorrect repetition that are in the right order; ties count half."""
    above = meets[correct][:, None] - meets[~correct][None]
    return float((above > 0).mean() + 0.5 * (above == 0).mean())


def expected_calibration_error(correct: NDArray[np.bool_], meets: Table) -> float:
    """Mean gap between confidence and accuracy over ten bins of confidence, weighted by how many are in each."""
    confidence = np.maximum(meets, 1.0 - meets)
    right = (meets >= 0.5) == correct
    bins = np.clip(((confidence - 0.5) * 2 * CALIBRATION_BINS).astype(int), 0, CALIBRATION_BINS - 1)
    gaps = [
        (bins == one).mean() * abs(float(confidence[bins == one].mean()) - float(right[bins == one].mean()))
        for one in np.unique(bins)
    ]
    return float(sum(gaps))


def _mean(rows: Sequence[Figures]) -> Figures:
    figures: Figures = {metric: float(np.mean([row[metric] for row in rows])) for metric in METRICS}
    persons = rows[0]["per_person"]
    figures["per_person"] = {person: float(np.mean([row["per_person"][person] for row in rows])) for person in persons}
    return figures


def _difference(mean: Figures, seed: int) -> Figures:
    """`best` less the baseline with the higher mean accuracy, person by person; percentile bootstrap over persons."""
    baseline = max((name for name in BASELINES if name in mean), key=lambda name: mean[name]["accuracy"])
    pairs = {
        person: accuracy - mean[baseline]["per_person"][person]
        for person, accuracy in mean["best"]["per_person"].items()
    }
    differences = np.array(list(pairs.values()))
    drawn = np.random.default_rng(seed).integers(0, len(differences), (BOOTSTRAPS, len(differences)))
    low, high = np.percentile(differences[drawn].mean(axis=1), [2.5, 97.5])
    return {
        "mean": float(differences.mean()),
        "ci95": [float(low), float(high)],
        "baseline": baseline,
        "per_person": pairs,
    }


def as_text(figures: Figures) -> str:
    """A table a test, the mean, every person, and the difference."""
    lines = []
    for test in (*TESTS, "mean"):
        title = "mean of m01 to m03" if test == "mean" else f"{test} {TESTS[test].name.lower().replace('_', ' ')}"
        lines.append(f"{title:24}" + "".join(f"{metric:>10}" for metric in METRICS) + "   accuracy of each person")
        for name, row in figures[test].items():
            persons = " ".join(f"{person} {accuracy:.2f}" for person, accuracy in row["per_person"].items())
            lines.append(f"  {name:22}" + "".join(f"{row[metric]:10.3f}" for metric in METRICS) + f"   {persons}")
        lines.append("")
    if "best_minus_baseline" in figures:
        found = figures["best_minus_baseline"]
        low, high = found["ci95"]
        pairs = " ".join(f"{person} {value:+.2f}" for person, value in found["per_person"].items())
        lines.append(
            f"best - {found['baseline']}: {found['mean']:+.3f}, 95 % interval {low:+.3f} to {high:+.3f} "
            f"(bootstrap over {len(found['per_person'])} persons)"
        )
        lines.append(f"  {pairs}")
    read = ", ".join(f"{count} of {movement}" for movement, count in figures["repetitions"].items())
    lines.append(f"Repetitions: {read}, from {figures.get('source', 'memory')}; seed {figures['seed']}.")
    lines.append("Every figure is of persons that were left out of all training and choices. with_baseline knows the")
    lines.append("person's first two correct repetitions, which are not counted. The LSTM learns grades by our rubric.")
    return "\n".join(lines)
