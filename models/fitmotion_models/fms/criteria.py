"""Rules as data: what a criterion compares, how exactly it can be measured, and what follows from a measured value."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.fms.moment import Moment, view_cosine
from fitmotion_models.fms.values import Criterion, Verdict

# A joint below this confidence says nothing: MediaPipe's visibility falls under it where a limb is hidden.
MIN_JOINT_CONFIDENCE = 0.3

# From this confidence up joints are as well seen as those whose errors the tables of uncertainty state; below it the
# errors grow with its inverse.
WELL_SEEN = 0.75

# A value nearer to its threshold than this many standard deviations is no answer. With a band of one, a value that is
# truly one standard deviation away lands beyond the band's other side in 2.3 % of trials (normal distribution, 2 SD),
# and one that is two away in 0.1 %.
UNDECIDED_SD = 1.0


# Another view is advised when it would bring the standard deviation under this share of what it is now.
WORTH_MOVING = 0.8


@dataclass(frozen=True)
class Uncertainty:
    """Standard deviation of a measured value, in the criterion's unit.

    side, front: one camera that looks at the person from the side and from the front. Between them the variances are
    weighted with the squared sine and cosine of the angle between facing and camera. several: two or more cameras.
    none: no camera (motion capture, simulation, replay of either).
    front or side may be infinite: from there the criterion cannot be seen at all.
    bias_one, bias_several: what noise alone adds to the value with one camera and with several, for a value that is
    a maximum over time; it is taken off, as far as zero.
    """

    side: float
    front: float
    several: float
    none: float = 0.0
    bias_one: float = 0.0
    bias_several: float = 0.0

    def without_bias(self, value: float, views: int) -> float:
        """The value, measured with a number of cameras, less what noise alone adds to it."""
        bias = 0.0 if views == 0 else self.bias_one if views == 1 else self.bias_several
        return max(value - bias, min(value, 0.0))

    def standard_deviation(self, views: int, view_sine: float, confidence: float) -> float:
        """The standard deviation for a number of cameras, the sine of the view angle and the joints' confidence."""
        if views == 0:
            return self.none
        growth = max(1.0, WELL_SEEN / confidence)
        if views > 1:
            return self.several * growth
        side_share = view_sine**2
        # A share of exactly zero removes its term even where the term is infinite.
        terms = ((self.side, side_share), (self.front, 1.0 - side_share))
        variance = sum(share * sd**2 for sd, share in terms if share > 1e-9)
        return math.sqrt(variance) * growth


@dataclass(frozen=True)
class Measured:
    """A value and the confidence of the joints behind it (0 to 1); NaN and 0 where they are unseen.

    unseen: where another thing than the joints is missing, why nothing was measured and what to do about it.
    """

    value: float
    confidence: float
    unseen: tuple[str, str] | None = None


UNMEASURED = Measured(math.nan, 0.0)


@dataclass(frozen=True)
class CriterionRule:
    """One row of a movement's table: met when the measured value is at most the threshold.

    measure: moment of a repetition -> value in `unit`. joints: indices as in `Criterion`. best_view: how to film so
    that it can be judged. min_view_sine: least |sine| of the angle between facing and camera for one camera, 0 if any.
    max_view_cosine: its largest cosine, 1 if any; a negative one is a view from behind. fault: what was wrong, in the
    past tense. advice: what the person should change. note: what has to be said beside any result that rests on it.
    """

    name: str
    threshold: float
    unit: str
    measure: Callable[[Moment], Measured]
    joints: tuple[int, ...]
    uncertainty: Uncertainty
    best_view: str
    fault: str
    advice: str
    min_view_sine: float = 0.0
    max_view_cosine: float = 1.0
    note: str = ""

    def sees(self, moment: Moment) -> bool:
        """Whether one camera looks from where this can be judged at all; several cameras always do."""
        if moment.views != 1:
            return True
        if moment.view_sine < self.min_view_sine:
            return False
        direction = moment.feet.view_direction
        return self.max_view_cosine >= 1.0 or view_cosine(moment.stance.facing, direction) <= self.max_view_cosine


@dataclass(frozen=True)
class Judged:
    """A criterion with the probability that its verdict is right (0.5 at the threshold) and why it was not seen."""

    criterion: Criterion
    rule: CriterionRule
    probability: float
    unseen_reason: str = ""


def judge(rule: CriterionRule, moment: Moment) -> Judged:
    """Measure one rule at one moment and decide it, or say why it cannot be decided."""
    if not rule.sees(moment):
        return _not_seen(rule, math.nan, "not visible from this view", rule.best_view)
    measured = rule.measure(moment)
    if measured.unseen is not None:
        return _not_seen(rule, math.nan, *measured.unseen)
    if not math.isfinite(measured.value) or measured.confidence < MIN_JOINT_CONFIDENCE:
        return _not_seen(rule, math.nan, "joints not seen", "keep the whole body, hands and feet, in the picture")
    value = rule.uncertainty.without_bias(measured.value, moment.views)
    margin = rule.threshold - value
    sd = rule.uncertainty.standard_deviation(moment.views, moment.view_sine, measured.confidence)
    if not math.isfinite(sd):
        return _not_seen(rule, math.nan, "not visible from this view", rule.best_view)
    if abs(margin) < UNDECIDED_SD * sd:
        return _not_seen(rule, value, "too close to the threshold to call", _better_view(rule, moment, sd))
    met = margin >= 0.0
    probability = 1.0 if sd == 0.0 else 0.5 * (1.0 + math.erf(abs(margin) / sd / math.sqrt(2.0)))
    verdict = Verdict.MET if met else Verdict.NOT_MET
    return Judged(_criterion(rule, value, verdict, "" if met else rule.advice), rule, probability)


def judge_all(rules: Sequence[CriterionRule], moment: Moment) -> tuple[Judged, ...]:
    """Every rule of a table at one moment."""
    return tuple(judge(rule, moment) for rule in rules)


def unseen(rules: Sequence[CriterionRule]) -> tuple[Criterion, ...]:
    """The criteria of a table when nothing was measured."""
    return tuple(_criterion(rule, math.nan, Verdict.NOT_SEEN, rule.best_view) for rule in rules)


def weighted_mean(values: NDArray[np.float64], confidence: NDArray[np.float64]) -> Measured:
    """Mean of the same value of the two body sides, each weighted with its confidence; unseen sides are left out.

    values, confidence: (2,). The mean's confidence is that of the better seen side: from the side of a person one half
    of the body hides the other.
    """
    # Plain numbers: for two of them NumPy costs ten times as much, and this runs at camera rate.
    pairs = zip(values.tolist(), confidence.tolist(), strict=True)
    seen = [(value, weight) for value, weight in pairs if weight >= MIN_JOINT_CONFIDENCE and math.isfinite(value)]
    if not seen:
        return UNMEASURED
    total = sum(weight for _, weight in seen)
    return Measured(sum(value * weight for value, weight in seen) / total, max(weight for _, weight in seen))


def _better_view(rule: CriterionRule, moment: Moment, sd: float) -> str:
    """What makes the measurement more exact: another place of the one camera where that helps, else more cameras."""
    best = min(rule.uncertainty.side, rule.uncertainty.front)
    if moment.views == 1 and best < WORTH_MOVING * sd:
        return rule.best_view
    return "use several cameras" if moment.views == 1 else "film nearer, in better light"


def _not_seen(rule: CriterionRule, value: float, why: str, advice: str) -> Judged:
    return Judged(_criterion(rule, value, Verdict.NOT_SEEN, advice), rule, 0.5, f"{why}: {advice}")


def _criterion(rule: CriterionRule, value: float, verdict: Verdict, advice: str = "") -> Criterion:
    return Criterion(
        name=rule.name,
        value=value,
        threshold=rule.threshold,
        unit=rule.unit,
        verdict=verdict,
        joints=rule.joints,
        advice=advice,
    )
