"""How far raters agree: kappa, intraclass correlation, measurement error and Bland-Altman, from their definitions.

Sources: Cohen 1968 (weighted kappa); Shrout & Fleiss 1979 and McGraw & Wong 1996 (ICC, F-based intervals); Weir 2005
(standard error of measurement, minimal detectable change); Bland & Altman 1986 (limits of agreement).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

CONFIDENCE = 0.95
RESAMPLES = 2000
_Z = 1.959963984540054  # 97.5 % point of the normal distribution


@dataclass(frozen=True)
class Interval:
    """A value with its 95 % interval; NaN where it is not defined (nobody varies, one person alone, ...)."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Reliability:
    """Of cases that all raters rated. icc_2_1: absolute agreement, raters drawn at random; icc_3_1: consistency.

    sem: standard error of measurement in the unit of the scores, differences between raters counted; mdc: minimal
    detectable change at 95 %. sem_consistency, mdc_consistency: the same without constant differences between raters.
    """

    cases: int
    raters: int
    icc_2_1: Interval
    icc_3_1: Interval
    sem: float
    mdc: float
    sem_consistency: float
    mdc_consistency: float


@dataclass(frozen=True)
class BlandAltman:
    """Differences first minus second rater. bias: their mean; limits: bias -+ 1.96 SD, each with its 95 % interval."""

    cases: int
    bias: Interval
    sd: float
    lower_limit: Interval
    upper_limit: Interval


def disagreement_weights(categories: int, kind: str) -> Float64:
    """Weights (K, K) of disagreement, 0 on the diagonal: "unweighted", "linear" or "quadratic" in the distance.

    Raises ValueError for another kind.
    """
    steps = np.abs(np.subtract.outer(np.arange(categories), np.arange(categories))).astype(np.float64)
    powers = {"unweighted": (steps > 0).astype(np.float64), "linear": steps, "quadratic": steps**2}
    if kind not in powers:
        raise ValueError(f"weights '{kind}' are unknown; known: {', '.join(powers)}")
    return powers[kind]


def count_table(first: ArrayLike, second: ArrayLike, categories: int) -> Int64:
    """How often (K, K) the first rater (row) and the second (column) gave each pair of the scores 0 to K - 1.

    Raises ValueError for scores out of range and for unequal lengths.
    """
    one, two = np.asarray(first, np.int64), np.asarray(second, np.int64)
    if one.shape != two.shape or one.ndim != 1:
        raise ValueError(f"two raters' scores have shapes {one.shape} and {two.shape}; both must be (N,) of one N")
    if one.size and (min(one.min(), two.min()) < 0 or max(one.max(), two.max()) >= categories):
        raise ValueError(f"a score lies outside 0 to {categories - 1}")
    table = np.zeros((categories, categories), np.int64)
    np.add.at(table, (one, two), 1)
    return table


def kappa_of_table(table: ArrayLike, weights: ArrayLike) -> Float64:
    """Weighted kappa of tables (..., K, K) of counts or shares, given weights of disagreement (K, K).

    1 - observed / expected disagreement; NaN where both raters gave one and the same score to all.
    """
    shares, costs = np.asarray(table, np.float64), np.asarray(weights, np.float64)
    total = shares.sum(axis=(-2, -1))
    rows, columns = shares.sum(axis=-1), shares.sum(axis=-2)
    observed = (shares * costs).sum(axis=(-2, -1)) * total
    expected = np.einsum("...i,ij,...j->...", rows, costs, columns)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(expected > 0, 1.0 - observed / expected, np.nan), np.float64)


def weighted_kappa(
    first: ArrayLike, second: ArrayLike, persons: Sequence[str], *, kind: str, categories: int = 4, seed: int = 0
) -> Interval:
    """Kappa of two raters' scores (N,), its interval from drawing persons again.

    persons: whose each case is; a person's cases hang together, so that persons are drawn and not cases. The interval
    is that of percentiles of 2000 draws; NaN with fewer than two persons. Raises ValueError as `count_table`.
    """
    one, two = np.asarray(first, np.int64), np.asarray(second, np.int64)
    weights = disagreement_weights(categories, kind)
    value = float(kappa_of_table(count_table(one, two, categories), weights))
    names, of_person = np.unique(np.asarray(persons, dtype=str), return_inverse=True)
    if len(of_person) != len(one):
        raise ValueError(f"{len(of_person)} persons for {len(one)} scores; say whose every score is")
    if len(names) < 2:
        return Interval(value, math.nan, math.nan)
    tables = np.stack([count_table(one[of_person == k], two[of_person == k], categories) for k in range(len(names))])
    drawn = np.random.default_rng(seed).multinomial(len(names), np.full(len(names), 1 / len(names)), size=RESAMPLES)
    kappas = kappa_of_table(np.einsum("bp,pij->bij", drawn, tables), weights)
    kappas = kappas[np.isfinite(kappas)]
    if not kappas.size:
        return Interval(value, math.nan, math.nan)
    low, high = np.percentile(kappas, [50 * (1 - CONFIDENCE), 50 * (1 + CONFIDENCE)])
    return Interval(value, float(low), float(high))


def agreement_share(first: ArrayLike, second: ArrayLike, *, within: int = 0) -> float:
    """Share (0 to 1) of cases on which two raters' scores (N,) differ by at most `within`; NaN without cases."""
    apart = np.abs(np.asarray(first, np.float64) - np.asarray(second, np.float64))
    return float(np.mean(apart <= within)) if apart.size else math.nan


@dataclass(frozen=True)
class _Squares:
    """Mean squares of a two-way analysis of variance: between n cases, between k raters, and the rest."""

    n: int
    k: int
    cases: float
    raters: float
    rest: float

    @classmethod
    def of(cls, scores: Float64) -> "_Squares":
        n, k = scores.shape
        middle = scores.mean()
        by_case, by_rater = scores.mean(axis=1), scores.mean(axis=0)
        rest = scores - by_case[:, None] - by_rater[None, :] + middle
        # what rounding leaves of a sum of squares that is zero would else be divided by
        floor = 1e-12 * max(float(np.abs(scores).max()) ** 2, 1e-300)
        means = (
            k * float(np.sum((by_case - middle) ** 2)) / (n - 1),
            n * float(np.sum((by_rater - middle) ** 2)) / (k - 1),
            float(np.sum(rest**2)) / ((n - 1) * (k - 1)),
        )
        return cls(n, k, *(value if value > floor else 0.0 for value in means))


def reliability(scores: ArrayLike) -> Reliability:
    """ICC(2,1), ICC(3,1), standard error of measurement and minimal detectable change of scores (N cases, K raters).

    Raises ValueError for fewer than two cases or raters and for scores that are missing.
    """
    table = np.asarray(scores, np.float64)
    if table.ndim != 2 or min(table.shape) < 2:
        raise ValueError(f"scores have shape {table.shape}; reliability needs (cases, raters) with at least 2 of each")
    if not np.isfinite(table).all():
        raise ValueError("a score is missing; leave out the cases that not every rater has rated")
    squares = _Squares.of(table)
    sem = math.sqrt(max((squares.raters - squares.rest) / squares.n, 0.0) + squares.rest)
    consistency = math.sqrt(squares.rest)
    return Reliability(
        cases=squares.n,
        raters=squares.k,
        icc_2_1=_icc_2_1(squares),
        icc_3_1=_icc_3_1(squares),
        sem=sem,
        mdc=_Z * math.sqrt(2) * sem,
        sem_consistency=consistency,
        mdc_consistency=_Z * math.sqrt(2) * consistency,
    )


def _icc_2_1(squares: _Squares) -> Interval:
    n, k, cases, raters, rest = squares.n, squares.k, squares.cases, squares.raters, squares.rest
    below = cases + (k - 1) * rest + k * (raters - rest) / n
    if below <= 0:
        return Interval(math.nan, math.nan, math.nan)
    icc = (cases - rest) / below
    # Shrout & Fleiss's degrees of freedom, numerator and denominator times rest squared, so that rest may be 0
    other = (n * (1 + (k - 1) * icc) - k * icc) * rest
    spread = (n - 1) * (k * icc * raters) ** 2 + other**2
    if spread <= 0:  # all raters equal on every case
        return Interval(icc, icc, icc)
    freedom = (k - 1) * (n - 1) * (k * icc * raters + other) ** 2 / spread
    if freedom <= 0:
        return Interval(icc, math.nan, math.nan)
    point = (1 + CONFIDENCE) / 2
    upper, lower = float(stats.f.ppf(point, n - 1, freedom)), float(stats.f.ppf(point, freedom, n - 1))
    common = k * raters + (k * n - k - n) * rest
    low = n * (cases - upper * rest) / (upper * common + n * cases)
    high = n * (lower * cases - rest) / (common + n * lower * cases)
    return Interval(icc, low, high)


def _icc_3_1(squares: _Squares) -> Interval:
    n, k = squares.n, squares.k
    below = squares.cases + (k - 1) * squares.rest
    if below <= 0:
        return Interval(math.nan, math.nan, math.nan)
    icc = (squares.cases - squares.rest) / below
    if squares.rest <= 0:
        return Interval(icc, icc, icc)
    ratio, point, freedom = squares.cases / squares.rest, (1 + CONFIDENCE) / 2, (n - 1) * (k - 1)
    low = ratio / float(stats.f.ppf(point, n - 1, freedom))
    high = ratio * float(stats.f.ppf(point, freedom, n - 1))
    return Interval(icc, (low - 1) / (low + k - 1), (high - 1) / (high + k - 1))


def bland_altman(first: ArrayLike, second: ArrayLike) -> BlandAltman:
    """Bias and limits of agreement of two raters' scores (N,). Raises ValueError for fewer than two cases."""
    differences = np.asarray(first, np.float64) - np.asarray(second, np.float64)
    if differences.ndim != 1 or differences.size < 2:
        raise ValueError(f"{differences.size} cases by both raters; limits of agreement need at least 2")
    count = differences.size
    bias, sd = float(differences.mean()), float(differences.std(ddof=1))
    t = float(stats.t.ppf((1 + CONFIDENCE) / 2, count - 1))
    # Bland & Altman 1986: the standard error of a limit is about sqrt(3 / n) SD
    off_bias, off_limit = t * sd / math.sqrt(count), t * sd * math.sqrt(3 / count)
    lower, upper = bias - _Z * sd, bias + _Z * sd
    return BlandAltman(
        cases=count,
        bias=Interval(bias, bias - off_bias, bias + off_bias),
        sd=sd,
        lower_limit=Interval(lower, lower - off_limit, lower + off_limit),
        upper_limit=Interval(upper, upper - off_limit, upper + off_limit),
    )
