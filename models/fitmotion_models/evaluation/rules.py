"""How well a test's criteria are judged: movers on both sides of every threshold, clean and as cameras would see them.

The truth is the mover's parameters. Clean trials show that the rules are right; noisy ones how often noise turns a
verdict, by the distance of the truth from the threshold in standard deviations of what the noise makes of the value.
A test of the screen is a `RuleTest`: data of its own module.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from fitmotion_models.fms.anthropometry import UNKNOWN_BODY, Anthropometry
from fitmotion_models.fms.scorer import score_clip
from fitmotion_models.fms.values import Assessment, Movement, Side, Variation, Verdict
from fitmotion_models.mover import FOUR_CAMERAS_SD_DEG, ONE_CAMERA_SD_DEG, add_camera_noise
from fitmotion_models.skeleton.motion_clip import MotionClip

View = tuple[float, float, float]

# From the body to the one camera; movers face x.
FROM_THE_FRONT: View = (1.0, 0.0, 0.0)
FROM_THE_LEFT: View = (0.0, 1.0, 0.0)
FROM_BEHIND: View = (-1.0, 0.0, 0.0)

# Edges of the bins of |distance to the threshold| in noise standard deviations.
BIN_EDGES = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, math.inf)

# How far a clean value may be from its truth where a test does not say otherwise, in the criterion's unit.
TOLERANCE = 1e-3

# An impossible body is drawn again, at most so often.
_DRAWS = 100

Progress = Callable[[int, int | None], None]


@dataclass(frozen=True, eq=False)
class Case:
    """A mover's clip whose truth is known.

    make: gives the clean clip (no camera, confidence 1). truth: name of a criterion -> its true value in the
    criterion's unit; a criterion that the mover has no truth for is left out. repetitions: how many are in the clip.
    side: of all of them. variation: NONE is the movement's own. person: what is entered of this body.
    """

    make: Callable[[], MotionClip]
    truth: Mapping[str, float]
    repetitions: int = 1
    side: Side = Side.BOTH
    variation: Variation = Variation.NONE
    person: Anthropometry = UNKNOWN_BODY


@dataclass(frozen=True, eq=False)
class RuleTest:
    """A test of the screen as data.

    cases: (seed, count) -> `count` cases; in turn one criterion is moved through its threshold, evenly, while the rest
    of the movement varies within what meets it. views: name of each criterion with a truth -> the view from which one
    camera is asked for it. tolerance: name -> how far a clean value may be from its truth, in the criterion's unit;
    what is not named 1e-3.
    """

    movement: Movement
    cases: Callable[[int, int], list[Case]]
    views: Mapping[str, View]
    tolerance: Mapping[str, float]


@dataclass(frozen=True)
class Condition:
    """A way of looking. view: of the one camera, None for `views` of them; views 0: no noise, the true joints."""

    name: str
    views: int
    joint_angle_sd_deg: float = 0.0
    view: View | None = None

    def look(self, clip: MotionClip, seed: int) -> MotionClip:
        """The clip as it is seen."""
        if self.views == 0:
            return clip
        if self.view is None:
            return add_camera_noise(clip, self.joint_angle_sd_deg, None, seed, views=self.views)
        return add_camera_noise(clip, self.joint_angle_sd_deg, self.view, seed)


CLEAN = Condition("clean", 0)
FOUR_CAMERAS = Condition("four cameras", 4, FOUR_CAMERAS_SD_DEG)
ONE_CAMERA = "one camera"


def conditions_of(test: RuleTest) -> tuple[Condition, ...]:
    """No noise, four cameras, and one camera from each of the test's views."""
    views = dict.fromkeys(test.views.values())
    return (CLEAN, FOUR_CAMERAS, *(Condition(ONE_CAMERA, 1, ONE_CAMERA_SD_DEG, view) for view in views))


@dataclass(frozen=True)
class Judgement:
    """One criterion of one repetition beside its truth. truth, value, threshold: in the criterion's unit."""

    condition: str
    criterion: str
    truth: float
    value: float
    threshold: float
    verdict: Verdict

    @property
    def distance(self) -> float:
        """How far the truth is beyond the threshold; negative or zero where the criterion is met."""
        return self.truth - self.threshold

    @property
    def decided(self) -> bool:
        """Whether the criterion was judged at all."""
        return self.verdict is not Verdict.NOT_SEEN

    @property
    def wrong(self) -> bool:
        """Whether it was judged against the truth."""
        return bool(self.decided and (self.verdict is Verdict.MET) != (self.distance <= 0.0))


@dataclass(eq=False)
class Outcome:
    """A test judged. By condition: clips looked at, repetitions too few or too many, and those on the wrong side."""

    test: RuleTest
    judgements: list[Judgement] = field(default_factory=list)
    clips: dict[str, int] = field(default_factory=dict)
    miscounted: dict[str, int] = field(default_factory=dict)
    wrong_side: dict[str, int] = field(default_factory=dict)

    def under(self, condition: str) -> list[Judgement]:
        """The judgements under a condition."""
        return [one for one in self.judgements if one.condition == condition]


@dataclass(frozen=True)
class Bin:
    """The judgements at one distance. low, high: in standard deviations. wrong, not_seen: shares of all."""

    low: float
    high: float
    count: int
    wrong: float
    not_seen: float


def swept(sweeps: Sequence[Callable[[np.random.Generator, float], Case]], seed: int, count: int) -> list[Case]:
    """`count` cases, the sweeps in turn; each is given a place from -1 (well within) over 0 (at the threshold) to 1.

    A sweep raises ValueError where no body can do what was drawn; it is then drawn again. Raises RuntimeError where
    that does not help.
    """
    rng = np.random.default_rng(seed)
    rounds = max(1, math.ceil(count / len(sweeps)) - 1)
    return [
        _possible(sweeps[number % len(sweeps)], rng, 2.0 * (number // len(sweeps)) / rounds - 1.0)
        for number in range(count)
    ]


def _possible(sweep: Callable[[np.random.Generator, float], Case], rng: np.random.Generator, place: float) -> Case:
    for _ in range(_DRAWS):
        try:
            return sweep(rng, place)
        except ValueError:
            continue
    raise RuntimeError(f"no body can do {getattr(sweep, '__name__', sweep)} at {place:.2f}")


def judge_cases(
    test: RuleTest, cases: Sequence[Case], conditions: Sequence[Condition], progress: Progress | None = None
) -> Outcome:
    """Every criterion of every case under every condition, beside its truth. progress: cases done, all."""
    outcome = Outcome(test)
    for number, case in enumerate(cases):
        clip = case.make()
        for condition in conditions:
            assessments = score_clip(
                condition.look(clip, number), movement=test.movement, variation=case.variation, person=case.person
            )
            _add(outcome.clips, condition.name, 1)
            _add(outcome.miscounted, condition.name, abs(len(assessments) - case.repetitions))
            _add(outcome.wrong_side, condition.name, sum(one.side is not case.side for one in assessments))
            for one in assessments:
                if one.side is case.side:
                    outcome.judgements.extend(_beside_truth(test, case, one, condition))
        if progress is not None:
            progress(number + 1, len(cases))
    return outcome


def _add(counts: dict[str, int], name: str, number: int) -> None:
    counts[name] = counts.get(name, 0) + number


def _beside_truth(test: RuleTest, case: Case, assessment: Assessment, condition: Condition) -> Iterator[Judgement]:
    for criterion in assessment.criteria:
        name = criterion.name
        if name in case.truth and (condition.view is None or condition.view == test.views[name]):
            yield Judgement(
                condition=condition.name,
                criterion=name,
                truth=float(case.truth[name]),
                value=criterion.value,
                threshold=criterion.threshold,
                verdict=criterion.verdict,
            )


def wrong_while_clean(outcome: Outcome) -> list[Judgement]:
    """Clean criteria that were not judged, judged wrong or measured further from their truth than the tolerance.

    Whoever is nearer to the threshold than the tolerance may be on either side of it.
    """
    tolerance = outcome.test.tolerance
    return [
        one
        for one in outcome.under(CLEAN.name)
        if not one.decided
        or abs(one.value - one.truth) > tolerance.get(one.criterion, TOLERANCE)
        or (one.wrong and abs(one.distance) > tolerance.get(one.criterion, TOLERANCE))
    ]


def noise_of(judgements: Iterable[Judgement]) -> tuple[float, float]:
    """Bias and standard deviation of measured less true value, in the criterion's unit; NaN for fewer than two."""
    errors = np.array([one.value - one.truth for one in judgements if math.isfinite(one.value)])
    if len(errors) < 2:
        return math.nan, math.nan
    return float(errors.mean()), float(errors.std(ddof=1))


def bins_of(judgements: Iterable[tuple[Judgement, float]], edges: Sequence[float] = BIN_EDGES) -> list[Bin]:
    """Judgements, each with its noise standard deviation, by their distance in it."""
    items = [(one, abs(one.distance) / max(deviation, 1e-9)) for one, deviation in judgements]
    result = []
    for low, high in zip(edges[:-1], edges[1:], strict=True):
        inside = [one for one, distance in items if low <= distance < high]
        wrong = float(np.mean([one.wrong for one in inside])) if inside else math.nan
        not_seen = float(np.mean([not one.decided for one in inside])) if inside else math.nan
        result.append(Bin(low, high, len(inside), wrong, not_seen))
    return result


def with_noise(judgements: Iterable[Judgement]) -> list[tuple[Judgement, float]]:
    """Each judgement with the noise's standard deviation, as measured for its criterion and condition."""
    return [(one, noise_of(group)[1]) for group in groups_of(judgements) for one in group]


def wrong_outside_one_sd(judgements: Iterable[Judgement]) -> tuple[int, int]:
    """How many judgements further than one noise SD from their threshold there are, and how many of them are wrong."""
    outside = [one for one, deviation in with_noise(judgements) if abs(one.distance) > deviation]
    return len(outside), sum(one.wrong for one in outside)


def groups_of(judgements: Iterable[Judgement]) -> list[list[Judgement]]:
    """The judgements of each criterion under each condition."""
    groups: dict[tuple[str, str], list[Judgement]] = {}
    for one in judgements:
        groups.setdefault((one.condition, one.criterion), []).append(one)
    return list(groups.values())
