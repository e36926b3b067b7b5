"""How well the deep squat's criteria are judged: parametric squats on both sides of every threshold, clean and noisy.

The truth is the mover's parameters. Clean squats show that the rules are right; noisy ones how often noise turns a
verdict, by the distance of the truth from the threshold in standard deviations of what the noise makes of the value.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from fitmotion_models.fms.deep_squat import RULES
from fitmotion_models.fms.scorer import score_clip
from fitmotion_models.fms.values import Assessment, Verdict
from fitmotion_models.mover import (
    FOUR_CAMERAS_SD_DEG,
    ONE_CAMERA_SD_DEG,
    SquatParameters,
    add_camera_noise,
    squat_clip,
    squat_truth,
)
from fitmotion_models.skeleton.motion_clip import MotionClip

THRESHOLDS = {rule.name: rule.threshold for rule in RULES}

FROM_THE_LEFT = (0.0, 1.0, 0.0)
FROM_THE_FRONT = (1.0, 0.0, 0.0)
KNEE_CRITERIA = ("left_knee_over_foot", "right_knee_over_foot")

# Edges of the bins of |distance to the threshold| in noise standard deviations.
BIN_EDGES = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, math.inf)


@dataclass(frozen=True)
class Condition:
    """A way of looking. view: of the one camera, None for `views` of them; views 0: no noise, the true joints."""

    name: str
    views: int
    joint_angle_sd_deg: float = 0.0
    view: tuple[float, float, float] | None = None

    def judges(self, criterion: str) -> bool:
        """One camera is asked only for what its view is best for: knees from the front, the rest from the side."""
        return self.view is None or (self.view == FROM_THE_FRONT) == (criterion in KNEE_CRITERIA)

    def look(self, clip: MotionClip, seed: int) -> MotionClip:
        """The clip as it is seen."""
        if self.views == 0:
            return clip
        if self.view is None:
            return add_camera_noise(clip, self.joint_angle_sd_deg, None, seed, views=self.views)
        return add_camera_noise(clip, self.joint_angle_sd_deg, self.view, seed)


CLEAN = Condition("clean", 0)
FOUR_CAMERAS = Condition("four cameras", 4, FOUR_CAMERAS_SD_DEG)
ONE_CAMERA_SIDE = Condition("one camera", 1, ONE_CAMERA_SD_DEG, FROM_THE_LEFT)
ONE_CAMERA_FRONT = Condition("one camera", 1, ONE_CAMERA_SD_DEG, FROM_THE_FRONT)
CONDITIONS = (CLEAN, FOUR_CAMERAS, ONE_CAMERA_SIDE, ONE_CAMERA_FRONT)


@dataclass(frozen=True)
class Judgement:
    """One criterion of one repetition beside its truth. truth, value: in the criterion's unit."""

    condition: str
    criterion: str
    truth: float
    value: float
    verdict: Verdict
    score: int
    confidence: float

    @property
    def distance(self) -> float:
        """How far the truth is beyond the threshold; negative or zero where the criterion is met."""
        return self.truth - THRESHOLDS[self.criterion]

    @property
    def decided(self) -> bool:
        """Whether the criterion was judged at all."""
        return self.verdict is not Verdict.NOT_SEEN

    @property
    def wrong(self) -> bool:
        """Whether it was judged against the truth."""
        return self.decided and (self.verdict is Verdict.MET) != (self.distance <= 0.0)


@dataclass(frozen=True)
class Bin:
    """The judgements at one distance. low, high: in standard deviations. wrong, not_seen: shares of all."""

    low: float
    high: float
    count: int
    wrong: float
    not_seen: float


def true_values(parameters: SquatParameters) -> dict[str, float]:
    """Every criterion's true value at the bottom, from the mover's parameters alone.

    The dowel's height is that of an arm hanging on the shoulders, so `dowel_overhead` has no truth here: the neck is
    another joint. It is left out.
    """
    truth = squat_truth(parameters)
    return {
        "trunk_parallel_to_tibia": truth.trunk_lean_deg - float(np.mean(truth.shin_lean_deg)),
        "femur_below_horizontal": float(np.mean(truth.depth_m)),
        "left_knee_over_foot": truth.knee_valgus_m[0],
        "right_knee_over_foot": truth.knee_valgus_m[1],
        "dowel_over_feet": max(truth.dowel_x_m - truth.toe_x_m, truth.heel_x_m - truth.dowel_x_m),
        "heels_down": max(truth.heel_rise_m),
    }


def settings(seed: int = 0, count: int = 240) -> list[SquatParameters]:
    """`count` squats: in turn one criterion is moved through its threshold while the rest of the squat varies.

    Settings that no body can take are drawn again.
    """
    rng = np.random.default_rng(seed)
    sweeps = (_trunk, _depth, _left_knee, _right_knee, _arms, _heels)
    found: list[SquatParameters] = []
    while len(found) < count:
        place = len(found) // len(sweeps) / max(1, count // len(sweeps) - 1)
        candidate = sweeps[len(found) % len(sweeps)](_base(rng, len(found)), 2.0 * place - 1.0)
        try:
            squat_truth(candidate)
        except ValueError:
            rng.uniform()  # the next draw is another body
            continue
        found.append(candidate)
    return found


def _base(rng: np.random.Generator, seed: int) -> SquatParameters:
    """A clean squat of an ordinary body."""
    return SquatParameters(
        repetitions=1,
        descent_s=rng.uniform(0.9, 1.8),
        hold_s=rng.uniform(0.2, 0.6),
        ascent_s=rng.uniform(0.9, 1.6),
        stance_s=1.0,
        depth_m=rng.uniform(-0.08, -0.02),
        trunk_lean_deg=rng.uniform(25.0, 35.0),
        shin_lean_deg=rng.uniform(27.0, 33.0),
        arm_drop_deg=rng.uniform(-8.0, 8.0),
        toe_out_deg=rng.uniform(5.0, 20.0),
        stance_width_m=rng.uniform(0.30, 0.42),
        scale=rng.uniform(0.9, 1.1),
        seed=seed,
    )


def _trunk(base: SquatParameters, place: float) -> SquatParameters:
    return replace(base, trunk_lean_deg=(base.shin_lean_deg or 30.0) + 10.0 + 25.0 * place)


def _depth(base: SquatParameters, place: float) -> SquatParameters:
    return replace(base, depth_m=0.02 + 0.12 * place)


def _left_knee(base: SquatParameters, place: float) -> SquatParameters:
    return replace(base, knee_valgus_m=(0.03 + 0.12 * place, 0.0))


def _right_knee(base: SquatParameters, place: float) -> SquatParameters:
    return replace(base, knee_valgus_m=(0.0, 0.03 + 0.12 * place))


def _arms(base: SquatParameters, place: float) -> SquatParameters:
    return replace(base, arm_drop_deg=20.0 + 45.0 * place)


def _heels(base: SquatParameters, place: float) -> SquatParameters:
    return replace(base, heel_rise_m=max(0.0, 0.05 + 0.055 * place))


def judge_settings(
    squats: Iterable[SquatParameters], conditions: Iterable[Condition] = CONDITIONS, fps: float = 30.0
) -> tuple[list[Judgement], dict[str, int]]:
    """Every criterion of every squat under every condition, and how many repetitions were not found, by condition."""
    judgements: list[Judgement] = []
    missed = {condition.name: 0 for condition in conditions}
    for number, squat in enumerate(squats):
        clip, truth = squat_clip(squat, fps=fps), true_values(squat)
        for condition in conditions:
            assessments = score_clip(condition.look(clip, number))
            missed[condition.name] += abs(len(assessments) - squat.repetitions)
            for assessment in assessments:
                judgements.extend(_beside_truth(assessment, truth, condition))
    return judgements, missed


def _beside_truth(assessment: Assessment, truth: dict[str, float], condition: Condition) -> Iterator[Judgement]:
    for criterion in assessment.criteria:
        if criterion.name in truth and condition.judges(criterion.name):
            yield Judgement(
                condition=condition.name,
                criterion=criterion.name,
                truth=truth[criterion.name],
                value=criterion.value,
                verdict=criterion.verdict,
                score=assessment.score,
                confidence=assessment.confidence,
            )


def noise_of(judgements: Iterable[Judgement]) -> tuple[float, float]:
    """Bias and standard deviation of measured less true value, in the criterion's unit; NaN for fewer than two."""
    errors = np.array([one.value - one.truth for one in judgements if math.isfinite(one.value)])
    if len(errors) < 2:
        return math.nan, math.nan
    return float(errors.mean()), float(errors.std(ddof=1))


def bins_of(judgements: Iterable[Judgement], standard_deviation: float) -> list[Bin]:
    """The judgements of one criterion and condition by distance in standard deviations."""
    items = list(judgements)
    result = []
    for low, high in zip(BIN_EDGES[:-1], BIN_EDGES[1:], strict=True):
        inside = [one for one in items if low <= abs(one.distance) / standard_deviation < high]
        wrong = float(np.mean([one.wrong for one in inside])) if inside else math.nan
        not_seen = float(np.mean([not one.decided for one in inside])) if inside else math.nan
        result.append(Bin(low, high, len(inside), wrong, not_seen))
    return result


def wrong_outside_one_sd(judgements: Iterable[Judgement]) -> tuple[int, int]:
    """How many judgements further than one noise SD from their threshold there are, and how many of them are wrong.

    The noise SD is measured for each criterion and condition.
    """
    wrong = count = 0
    for group in groups_of(judgements):
        _, deviation = noise_of(group)
        outside = [one for one in group if abs(one.distance) > deviation]
        count += len(outside)
        wrong += sum(one.wrong for one in outside)
    return count, wrong


def groups_of(judgements: Iterable[Judgement]) -> list[list[Judgement]]:
    """The judgements of each criterion under each condition."""
    groups: dict[tuple[str, str], list[Judgement]] = {}
    for one in judgements:
        groups.setdefault((one.condition, one.criterion), []).append(one)
    return list(groups.values())


def table(judgements: Iterable[Judgement]) -> str:
    """A plain text table: a line a condition and criterion, a column a distance; bias and SD of the measured value."""
    heads = [f"{low:g}-{high:g} SD" if high < math.inf else f">{low:g} SD" for low, high in _edges()]
    lines = [f"{'condition':13} {'criterion':24} {'bias':>8} {'SD':>7}  " + " ".join(f"{head:>15}" for head in heads)]
    for group in groups_of(judgements):
        bias, deviation = noise_of(group)
        # Without noise the distance has no unit of its own: all clean squats are far away.
        cells = [_cell(one) for one in bins_of(group, max(deviation, 1e-6))]
        lines.append(
            f"{group[0].condition:13} {group[0].criterion:24} {bias:8.3f} {deviation:7.3f}  " + " ".join(cells)
        )
    return "\n".join(lines)


def report(count: int = 240, seed: int = 0) -> str:
    """Judge `count` settings under all conditions: the table, then the wrong verdicts beyond one noise SD."""
    judgements, missed = judge_settings(settings(seed, count))
    lines = [table(judgements), "in each cell: % wrong / % not seen (number of verdicts)"]
    for name, number in missed.items():
        beyond, wrong = wrong_outside_one_sd(one for one in judgements if one.condition == name)
        lines.append(f"{name}: {wrong} of {beyond} verdicts wrong beyond one SD; {number} repetitions miscounted")
    return "\n".join(lines)


def _edges() -> list[tuple[float, float]]:
    return list(zip(BIN_EDGES[:-1], BIN_EDGES[1:], strict=True))


def _cell(one: Bin) -> str:
    if one.count == 0:
        return f"{'-':>15}"
    return f"{100 * one.wrong:4.1f} /{100 * one.not_seen:3.0f} ({one.count:3})"
