"""Lengths of described motions: closed forms on a set with known lengths, the recipe on people who differ in tempo."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from scipy.stats import ks_1samp, norm

from fitmotion_models.motion.length import (
    LengthModel,
    LengthSettings,
    load_length_model,
    log_density,
    save_length_model,
)
from fitmotion_models.motion.text import CachedEncoder

EDGES = np.geomspace(1, 16, 5)  # 1, 2, 4, 8, 16 s
SETTINGS = LengthSettings(temperature=0.1, prior_similarity=0.5, grade_shrinkage=2.0, smoothing=0.1)


def model(**changes: float) -> LengthModel:
    """Descriptions along x (twice) and y; the recordings of x last 1 to 2 s, those of y 4 to 8 s when graded 3."""
    counts = np.zeros((2, 4, 4))
    counts[0, 0, 0] = 6
    counts[1, 3, 2], counts[1, 1, 3] = 3, 1
    embeddings = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0]], np.float32)
    settings = LengthSettings(**{**vars(SETTINGS), **changes})
    return LengthModel("three", embeddings, np.array([0, 0, 1]), counts, EDGES, settings)


X, Y, Z = np.eye(3, dtype=np.float32)
EVERYTHING = np.array([6.25, 0.25, 3.25, 1.25]) / 11


def test_lengths_are_those_of_what_is_near_and_of_everything_where_nothing_is() -> None:
    near, prior, far = np.exp(1 / 0.1), np.exp(0.5 / 0.1), 1.0
    whole = np.array([[1, 0, 0, 0], [0, 0, 0.75, 0.25]])
    wanted = (2 * near * whole[0] + far * whole[1] + prior * EVERYTHING) / (2 * near + far + prior)
    np.testing.assert_allclose(model().distribution(X), wanted, rtol=1e-6)
    np.testing.assert_allclose(model().distribution(7 * X), wanted, rtol=1e-6)  # a length is no meaning
    unknown = model().distribution(Z)
    np.testing.assert_allclose(unknown, EVERYTHING, atol=0.03)


def test_a_grade_counts_as_far_as_it_was_recorded() -> None:
    certain = model(temperature=0.001)
    np.testing.assert_allclose(certain.distribution(Y, 3), [0, 0, (3 + 1.5) / 5, 0.5 / 5], atol=1e-6)
    np.testing.assert_allclose(certain.distribution(Y, 2), [0, 0, 0.75, 0.25], atol=1e-6)  # never recorded
    np.testing.assert_array_equal(certain.distribution(Y, 0), certain.distribution(Y, 1))
    np.testing.assert_allclose(certain.distribution(X, 3), [1, 0, 0, 0], atol=1e-6)


def test_samples_follow_the_density_which_is_one() -> None:
    made, times = model(), np.linspace(1, 16, 200_001)[:-1]
    density = np.exp(made.log_density(Y, None, times))
    assert np.sum(density) * (times[1] - times[0]) == pytest.approx(1, abs=1e-3)
    assert made.log_density(Y, None, np.array([0.9, 16.1])).tolist() == [-np.inf, -np.inf]
    drawn = [made.sample(Y, None, np.random.default_rng(seed)) for seed in range(800)]
    cumulative = np.cumsum(density) * (times[1] - times[0])
    assert ks_1samp(drawn, lambda x: np.interp(x, times, cumulative)).pvalue > 0.01
    assert made.sample(Y, 3, np.random.default_rng(5)) == made.sample(Y, 3, np.random.default_rng(5))


def test_a_file_gives_back_what_was_written(tmp_path: Path) -> None:
    save_length_model(tmp_path / "lengths.npz", model())
    found = load_length_model(tmp_path / "lengths.npz")
    assert (found.encoder, found.settings) == ("three", SETTINGS)
    for embedding in (X, Y, Z):
        np.testing.assert_allclose(found.distribution(embedding, 3), model().distribution(embedding, 3), rtol=1e-5)
    assert [path.name for path in tmp_path.iterdir()] == ["lengths.npz"]


def test_what_cannot_be_used_is_said(tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match=r"embedding has shape \(512,\); lengths are known for those of 'three', \(3,\)"
    ):
        model().distribution(np.zeros(512, np.float32))
    with pytest.raises(ValueError, match="score 9 is none"):
        model().distribution(X, 9)
    with pytest.raises(ValueError, match="none.npz: no such file; make it with `train length`"):
        load_length_model(tmp_path / "none.npz")
    path = tmp_path / "some.npz"
    path.write_bytes(b"<html>404</html>")
    with pytest.raises(ValueError, match="some.npz cannot be read"):
        load_length_model(path)
    np.savez(path, edges=EDGES)
    with pytest.raises(ValueError, match="some.npz cannot be read"):
        load_length_model(path)
    wrong = model()
    save_length_model(path, LengthModel("three", wrong.embeddings, wrong.groups, wrong.counts, EDGES[:-1], SETTINGS))
    with pytest.raises(ValueError, match="its arrays do not fit"):
        load_length_model(path)


def test_the_density_of_a_histogram_is_the_closed_form_of_its_bins() -> None:
    shares = np.array([0.5, 0.5, 0, 0])
    found = log_density(shares, EDGES, np.array([1.5, 3.0, 5.0]))
    np.testing.assert_allclose(np.exp(found), [0.5 / np.log(2) / 1.5, 0.5 / np.log(2) / 3, 0], rtol=1e-6)


def rows(seed: int = 0) -> list:
    """Eight persons of one set hop (.8 s) and climb (8 s); who is graded 1 takes 1.5 times as long."""
    from fitmotion_models.datasets.motion_set import MotionRow

    random, found = np.random.default_rng(seed), []
    for person in range(1, 9):
        for action, typical in (("hop", 0.8), ("climb", 8.0)):
            for number in range(20):
                score = (1, 3)[number % 2]
                seconds = typical * (1.5 if score == 1 else 1.0) * np.exp(0.1 * random.normal())
                common = {
                    "id": f"{person}{action}{number}",
                    "file": "",
                    "frames": 2,
                    "source": "uiprmd",
                    "person": f"uiprmd:s{person:02}",
                    "licence": "PDDL",
                    "non_commercial": False,
                    "action": action,
                    "style": None,
                    "side": None,
                    "score": score,
                    "correct": None,
                    "severity": None,
                    "texts": (f"a person can {action}", f"{action}"),
                    "held_out_texts": (f"someone will {action}",),
                    "made_from": None,
                    "hash": "",
                }
                found.append(MotionRow(**common, seconds=float(seconds), mirrored=False, speed=1.0))
                found.append(MotionRow(**common, seconds=100.0, mirrored=False, speed=0.1))  # never chosen by a person
    return found


def test_the_recipe_foretells_as_well_as_the_truth_allows(tmp_path: Path) -> None:
    from fitmotion_models.training.motion_length import LengthRecipe, train_lengths

    def meaning(texts: list[str]) -> np.ndarray:
        return np.array([[1, 0.5, 0.2] if "hop" in text else [0.2, 0.5, 1] for text in texts], np.float32)

    recipe = LengthRecipe(
        temperatures=(0.3, 0.05), prior_similarities=(0.3,), grade_shrinkages=(100.0, 3.0), smoothings=(0.4, 0.05)
    )
    encoder = CachedEncoder("three", 3, meaning)
    path, figures = train_lengths(rows(), encoder, recipe, tmp_path, command="train length --set x")
    # the entropy of log-normal lengths whose action and grade are known, mean over both actions and grades
    typical = np.log(0.8 * 8.0 * 1.5) / 2
    truth = -(norm(0, 0.1).entropy() + typical)
    assert figures.recordings == 3 * 40  # of the three persons who judge in the first fold
    assert truth - 0.25 < figures.score_too < truth + 0.1
    assert figures.score_too > figures.words + 0.3 > figures.everything + 0.6
    found = load_length_model(path)
    assert (found.settings.temperature, found.settings.smoothing, found.settings.grade_shrinkage) == (0.05, 0.05, 3)
    card = yaml.safe_load(path.with_suffix(".yaml").read_text())
    assert card["measured"]["words"] == pytest.approx(figures.words, abs=1e-3)
    assert card["data"]["uiprmd"]["recordings"] == 5 * 40 and card["licence"] == "CC BY-SA 4.0"
    with pytest.raises(ValueError, match="both halves of the persons are needed"):
        train_lengths(rows()[:80], encoder, recipe, tmp_path, command="")


def test_the_lengths_that_ship_know_hops_from_lying_down() -> None:
    from fitmotion_models.motion.text import load_text_encoder

    ship, encoder = load_length_model(), load_text_encoder()
    middles = np.sqrt(ship.edges[1:] * ship.edges[:-1])
    hop, lie, unrelated = encoder.encode(
        ["someone hops on both feet", "a person lies down on the floor", "the stock market fell by three percent"]
    )
    mean = [float(ship.distribution(one) @ middles) for one in (hop, lie)]
    assert mean[0] < 1.5 < 3.5 < mean[1]
    # what is about no motion gets nearly the lengths of all recordings
    assert 0.5 * np.abs(ship.distribution(unrelated) - ship.everything).sum() < 0.2


def test_the_command_says_what_it_needs(tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from fitmotion_models.cli import app

    finished = CliRunner().invoke(app, ["train", "length", "--set", str(tmp_path)])
    assert finished.exit_code == 2
    assert "has no manifest.jsonl; make a motion set with `fitmotion data prepare" in finished.output
