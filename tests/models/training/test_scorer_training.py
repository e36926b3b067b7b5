"""Learned scorers, trained on parametric movers: the network says what the fitted models say."""

from dataclasses import replace

import numpy as np
import pytest

from fitmotion_models.datasets.uiprmd_files import UiprmdName
from fitmotion_models.fms.learned_features import RepetitionFeatures, clip_features
from fitmotion_models.fms.learned_scorer import LearnedScorer
from fitmotion_models.fms.values import Movement, Side
from fitmotion_models.mover import SquatParameters, squat_clip
from fitmotion_models.training.scorer_best import OneTestScorer, calibrate
from fitmotion_models.training.scorer_data import ScorerTable
from fitmotion_models.training.scorer_model import ALL, EXTENT, MemberFitter, MemberSettings

pytestmark = pytest.mark.slow
pytest.importorskip("sklearn", reason="scikit-learn comes with the first training: `./fitmotion test` installs it")
pytest.importorskip("onnx", reason="onnx comes with the first training: `./fitmotion test` installs it")

PERSONS = ("s01", "s02", "s03")


@pytest.fixture(scope="module")
def table() -> ScorerTable:
    """Steady and crooked squats of three bodies."""
    rng = np.random.default_rng(0)
    names, found = [], []
    for person in PERSONS:
        for number in range(5):
            for correct in (True, False):
                crooked = 0.0 if correct else rng.uniform(0.03, 0.08)
                squat = SquatParameters(
                    repetitions=1,
                    pelvis_shift_m=crooked,
                    knee_valgus_m=(crooked, 0.0),
                    trunk_lean_deg=rng.uniform(25, 30) + 200 * crooked,
                    scale=0.9 + 0.1 * PERSONS.index(person),
                )
                names.append(UiprmdName("m01", person, f"e{number:02}", correct))
                found.append(clip_features(squat_clip(squat), Side.BOTH))
    count = len(names)
    return ScorerTable(
        names=tuple(names),
        movement=np.array([name.movement for name in names]),
        person=np.array([name.person for name in names]),
        correct=np.array([name.correct for name in names]),
        whole_names=found[0].names,
        whole=np.stack([one.values for one in found]).astype(np.float64),
        sided_names=found[0].sided_names,
        sided=np.stack([one.sided for one in found]).astype(np.float64),
        positions=np.zeros((count, 1)),
        angles=np.zeros((count, 1)),
        frames=np.zeros((count, 1, 1), np.float32),
        rules_meet=np.zeros(count),
        severity=np.zeros(count),
    )


@pytest.fixture(scope="module")
def fitted(table: ScorerTable) -> OneTestScorer:
    fitter = MemberFitter(table, np.flatnonzero(table.person != "s03"), 0)
    settings = (
        MemberSettings("linear", ALL, damping=3.0),
        MemberSettings("linear", ALL, sided=True),
        MemberSettings("trees", EXTENT, trees=20),
    )
    return OneTestScorer(tuple(fitter.fit(one, "m01") for one in settings), 1.3, -0.1)


@pytest.fixture(scope="module")
def network(table: ScorerTable, fitted: OneTestScorer, tmp_path_factory: pytest.TempPathFactory) -> LearnedScorer:
    from fitmotion_models.training.scorer_onnx import save_onnx

    path = tmp_path_factory.mktemp("scorer") / "scorer.onnx"
    metadata = {"features": " ".join((*table.whole_names, *table.sided_names)), "grade_2_from": "0.2"}
    save_onnx(path, fitted, {**metadata, "whole_features": str(len(table.whole_names))})
    return LearnedScorer(Movement.DEEP_SQUAT, path)


def features_of(table: ScorerTable, row: int) -> RepetitionFeatures:
    whole, sided = table.whole[row].astype(np.float32), table.sided[row].astype(np.float32)
    return RepetitionFeatures(table.whole_names, whole, table.sided_names, sided)


def test_a_person_who_was_not_there_is_told_right(table, fitted) -> None:
    rows = np.flatnonzero(table.person == "s03")
    assert (((fitted.meets(table, rows) >= 0.5) == table.correct[rows]).mean()) >= 0.9


def test_the_network_says_what_the_models_say(table, fitted, network) -> None:
    """Alone and in another order: a score depends on its repetition only."""
    rows = np.random.default_rng(3).permutation(len(table.names))
    wanted = fitted.meets(table, np.arange(len(rows)))
    said = {int(row): network.score_features(features_of(table, row)).meets for row in rows}
    np.testing.assert_allclose([said[row] for row in range(len(rows))], wanted, atol=1e-5)


def test_what_is_unseen_counts_as_the_mean(table, fitted, network) -> None:
    hidden = [index for index, name in enumerate(table.whole_names) if "wrist" in name or "elevation" in name]
    whole = table.whole.copy()
    whole[:, hidden] = np.nan
    blind = replace(table, whole=whole)
    found = network.score_features(features_of(blind, 3))
    assert found.meets == pytest.approx(float(fitted.meets(blind, np.array([3]))[0]), abs=1e-5)
    whole[:, : len(table.whole_names) // 2] = np.nan
    assert network.score_features(features_of(blind, 3)).score == -1


def test_calibration_finds_the_slope_that_made_the_labels() -> None:
    rng = np.random.default_rng(0)
    log_odds = rng.normal(0.0, 2.0, 20_000)
    correct = rng.uniform(size=20_000) < 1.0 / (1.0 + np.exp(-0.5 * log_odds))
    slope, offset = calibrate(log_odds, correct)
    assert slope == pytest.approx(0.5, abs=0.03) and offset == pytest.approx(0.0, abs=0.05)


def test_what_never_changes_in_the_recordings_says_nothing_of_other_motion() -> None:
    pytest.importorskip("torch", reason="torch comes with the first training: `./fitmotion test` installs it")
    from fitmotion_models.training.scorer_frames import INPUTS
    from fitmotion_models.training.scorer_lstm import LstmScorer, LstmSettings

    rng = np.random.default_rng(0)
    grades = np.tile([1, 2, 3], 20)
    frames = (rng.normal(size=(60, 6, INPUTS)) + grades[:, None, None]).astype(np.float32)
    frames[..., :40] = 0.3 + 1e-4 * frames[..., :40]
    scorer = LstmScorer(LstmSettings(epochs=5)).fit(frames, grades)
    other = frames.copy()
    other[..., :40] = rng.normal(size=(60, 6, 40))
    np.testing.assert_array_equal(scorer.chances(frames), scorer.chances(other))


def test_the_lstm_learns_what_is_plain() -> None:
    pytest.importorskip("torch", reason="torch comes with the first training: `./fitmotion test` installs it")
    from fitmotion_models.training.scorer_frames import INPUTS
    from fitmotion_models.training.scorer_lstm import LstmScorer, LstmSettings

    rng = np.random.default_rng(0)
    grades = np.tile([1, 2, 3], 20)
    frames = (rng.normal(size=(60, 6, INPUTS)) + grades[:, None, None]).astype(np.float32)
    meets = LstmScorer(LstmSettings(epochs=5)).fit(frames, grades).meets(frames)
    assert ((meets >= 0.5) == (grades == 3)).mean() > 0.95
