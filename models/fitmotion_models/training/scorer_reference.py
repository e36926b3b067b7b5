"""What knowing a person's own correct repetitions would be worth: a scorer of the differences from the first two.

Not what the live scorer does: a repetition's score depends on that repetition alone. Those two are left out of the
figures, of every person, and of the training persons' own references too.
"""

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.training.scorer_data import ScorerTable, Table
from fitmotion_models.training.scorer_model import ALL, columns_of

REFERENCE = ("e01", "e02")


def with_reference(
    table: ScorerTable,
    training: NDArray[np.intp],
    own: NDArray[np.intp],
    kept: NDArray[np.intp],
    test: str,
    seed: int,
) -> Table:
    """Probability of correct (K,) of a person's kept rows, from their difference to the person's first two.

    The first two correct repetitions stand for a clinician's look at how this person does it.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    features = np.nan_to_num(table.whole[:, columns_of(table.whole_names, ALL)])
    others = training[table.movement[training] == test]
    rows, differences = [], []
    for person in np.unique(table.person[others]):
        theirs = others[table.person[others] == person]
        reference = _reference(table, features, theirs)
        used = theirs[[table.names[row].repetition not in REFERENCE for row in theirs]]
        rows.append(used)
        differences.append(features[used] - reference)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=2000, random_state=seed))
    moved = np.concatenate(differences)
    # both the way and how far: a step away from one's own is a fault in either direction
    model.fit(_both(moved), table.correct[np.concatenate(rows)])
    return np.asarray(model.predict_proba(_both(features[kept] - _reference(table, features, own)))[:, 1])


def _reference(table: ScorerTable, features: Table, rows: NDArray[np.intp]) -> Table:
    chosen = [row for row in rows if table.correct[row] and table.names[row].repetition in REFERENCE]
    if not chosen:
        raise ValueError(f"{table.names[rows[0]].person} has no correct repetition e01 or e02 to compare with")
    return np.asarray(features[chosen].mean(axis=0))


def _both(differences: Table) -> Table:
    return np.concatenate([differences, np.abs(differences)], axis=1)
