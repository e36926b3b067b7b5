"""Measures on embeddings against closed forms, SciPy, their definitions and the published code's own figures."""

import numpy as np
import pytest

from fitmotion_models.evaluation import motion_metrics as measures
from fitmotion_models.evaluation.motion_intervals import around, group_weights, mean_interval, over_repetitions


def published_case():
    """Texts and motions (32, 8) without random numbers, so that another program can have the same."""
    index = np.arange(32 * 8).reshape(32, 8)
    texts = np.sin(1.7 * index + 0.3)
    return texts, texts + 0.9 * np.cos(2.3 * index * index + 0.7)


# What the code published with HumanML3D (EricGuo5513/text-to-motion, utils/metrics.py, commit 72df96e) and, for KID,
# with MDM (GuyTevet/motion-diffusion-model, eval/unconstrained/metrics/kid.py) print for `published_case`.
PUBLISHED = {
    "r_precision_hits": (5, 8, 12),
    "mm_distance": 1.7867482940326744,
    "fid": 2.416378946350452,
    "kid": -0.09989607294545344,
    "diversity_20_pairs_seed_5": 3.3347405967091377,
}


def test_published_code_gives_the_same():
    texts, motions = published_case()
    assert tuple(measures.retrieved(texts, motions).sum(axis=0)) == PUBLISHED["r_precision_hits"]
    assert measures.matching_distances(texts, motions).mean() == pytest.approx(PUBLISHED["mm_distance"], rel=1e-12)
    assert measures.fid(motions, texts) == pytest.approx(PUBLISHED["fid"], rel=1e-6)
    assert measures.kid(motions, texts) == pytest.approx(PUBLISHED["kid"], rel=1e-9)
    # numpy's old generator, which the published code draws from
    drawn = measures.diversity(motions, np.random.RandomState(5), 20)
    assert drawn == pytest.approx(PUBLISHED["diversity_20_pairs_seed_5"], rel=1e-12)


def test_frechet_distance_of_two_gaussians_is_the_closed_form():
    # covariances that commute: |m1 - m2|^2 + sum (s1 - s2)^2 (Dowson and Landau 1982)
    rotation = np.linalg.qr(np.random.default_rng(0).normal(size=(5, 5)))[0]
    first, second = np.array([1.0, 2.0, 0.5, 3.0, 0.0]), np.array([2.0, 0.1, 0.5, 1.0, 4.0])
    covariances = [(rotation * deviations**2) @ rotation.T for deviations in (first, second)]
    shift = np.arange(5.0)
    expected = shift @ shift + ((first - second) ** 2).sum()
    assert measures.frechet_distance(shift, covariances[0], 0 * shift, covariances[1]) == pytest.approx(expected)


def test_frechet_distance_is_that_of_scipys_root():
    from scipy.linalg import sqrtm

    rng = np.random.default_rng(1)
    first, second = rng.normal(size=(200, 6)), rng.normal(size=(150, 6)) @ rng.normal(size=(6, 6)) + 1.0
    root = sqrtm(np.cov(first.T) @ np.cov(second.T)).real
    gap = first.mean(0) - second.mean(0)
    expected = gap @ gap + np.trace(np.cov(first.T) + np.cov(second.T) - 2 * root)
    assert measures.fid(first, second) == pytest.approx(expected, rel=1e-8)


def test_fid_in_fewer_dimensions_sees_what_the_real_set_varies_in():
    rng = np.random.default_rng(2)
    real = rng.normal(size=(400, 100)) * np.r_[np.full(10, 5.0), np.full(90, 1e-3)]
    moved = real + np.r_[np.full(10, 2.0), np.zeros(90)]
    metric = measures.Fid(real)
    metric.compute(moved[:150])
    metric.compute(moved[150:])
    figures = metric.aggregate()
    assert metric.axes.shape == (100, measures.FID_DIMENSIONS)
    assert figures["fid"] == pytest.approx(40.0, rel=1e-3)
    assert figures["fid_all"] == pytest.approx(40.0, rel=1e-3)
    assert measures.Fid(real[:20]).axes.shape == (100, 19)


def test_kid_of_sets_of_different_size_by_the_definition():
    from itertools import permutations

    rng = np.random.default_rng(3)
    first, second = rng.normal(size=(7, 3)), rng.normal(size=(5, 3)) + 0.5

    def kernel(x, y):
        return (x @ y / 3 + 1.0) ** 3

    within = [np.mean([kernel(a, b) for a, b in permutations(one, 2)]) for one in (first, second)]
    across = np.mean([kernel(a, b) for a in first for b in second])
    assert measures.kid(first, second) == pytest.approx(sum(within) - 2 * across)
    # a clip that counts twice is there twice, but is no pair with itself
    twice = measures.KidKernels(first, second).kid([2, 1, 1, 1, 1, 1, 1])
    pairs = [(i, j) for i, j in permutations([0, 0, 1, 2, 3, 4, 5, 6], 2) if i != j]
    expected = np.mean([kernel(first[i], first[j]) for i, j in pairs]) + within[1]
    expected -= 2 * np.mean([kernel(first[i], b) for i in [0, 0, 1, 2, 3, 4, 5, 6] for b in second])
    assert twice == pytest.approx(expected)


def test_kid_is_unbiased_where_fid_is_not():
    rng = np.random.default_rng(4)
    draws = [(rng.normal(size=(30, 8)), rng.normal(size=(30, 8))) for _ in range(200)]
    kids = np.array([measures.kid(*pair) for pair in draws])
    assert abs(kids.mean()) < 3 * kids.std() / np.sqrt(len(kids))
    assert np.mean([measures.fid(*pair) for pair in draws[:20]]) > 0.5


def test_an_evaluator_that_knows_nothing_gets_chance():
    same = np.ones((32, 4))
    assert measures.retrieved(same, same).mean(axis=0) == pytest.approx(np.arange(1, 4) / 32)
    rng = np.random.default_rng(5)
    metric = measures.RPrecision()
    for _ in range(60):
        metric.compute(rng.normal(size=(32, 4)), rng.normal(size=(32, 4)))
    shares = metric.aggregate()
    for k in range(1, 4):
        assert shares[f"top_{k}"] == pytest.approx(k / 32, abs=4 * np.sqrt(k / 32 / (60 * 32)))
    metric.reset()
    with pytest.raises(ValueError, match="no batch"):
        metric.aggregate()


def test_diversity_of_a_gaussian_is_its_mean_distance():
    # of two points of a standard Gaussian in D dimensions: 2 Gamma((D + 1) / 2) / Gamma(D / 2)
    from scipy.special import gamma

    rng = np.random.default_rng(6)
    metric = measures.Diversity(rng)
    metric.compute(rng.normal(size=(4000, 6)))
    values = [metric.aggregate()["diversity"] for _ in range(20)]
    assert np.mean(values) == pytest.approx(2 * gamma(3.5) / gamma(3), rel=0.02)
    assert measures.diversity_pairs(40) == 39
    with pytest.raises(ValueError, match="at least two"):
        measures.diversity(np.ones((1, 3)), rng)


def test_multimodality_looks_at_one_texts_motions_only():
    rng = np.random.default_rng(7)
    groups = [rng.normal(size=(30, 6)) + 100.0 * number for number in range(100)]
    metric = measures.Multimodality(rng)
    for group in groups:
        metric.compute(group)
    # a draw may pair a motion with itself, as in the published code: 1 in 30
    expected = 3.3234 * 29 / 30
    assert metric.aggregate()["multimodality"] == pytest.approx(expected, rel=0.05)


def test_interval_over_repetitions_is_the_published_one():
    values = np.random.default_rng(8).normal(size=20)
    figure = over_repetitions(values)
    half = 1.96 * np.std(values) / np.sqrt(20)
    assert figure["ci95"] == pytest.approx([values.mean() - half, values.mean() + half])


def test_bootstrap_over_persons_is_wider_than_over_clips_where_persons_differ():
    rng = np.random.default_rng(9)
    persons = np.repeat(np.arange(8), 25)
    values = rng.normal(size=8)[persons] + 0.1 * rng.normal(size=200)
    low, high = mean_interval(values, persons, 400, rng)
    # the normal interval of eight persons' means
    means = values.reshape(8, 25).mean(axis=1)
    assert high - low == pytest.approx(2 * 1.96 * means.std() / np.sqrt(8), rel=0.2)
    narrow = mean_interval(values, np.arange(200), 400, rng)
    assert narrow[1] - narrow[0] < 0.5 * (high - low)
    assert {weights.sum() for weights in group_weights(persons, 5, rng)} == {200.0}
    assert around(1.0, [5.0, 6.0, 7.0]) == pytest.approx([0.05, 1.95])


def test_bad_embeddings_are_refused():
    with pytest.raises(ValueError, match=r"shape \(3,\)"):
        measures.fid(np.ones(3), np.ones((3, 3)))
    with pytest.raises(ValueError, match="at least two"):
        measures.kid(np.ones((1, 3)), np.ones((3, 3)))
