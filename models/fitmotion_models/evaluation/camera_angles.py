"""The joint angles by which camera set-ups are compared, and the criteria's own values with their tables."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.fms.anthropometry import Anthropometry
from fitmotion_models.fms.criteria import CriterionRule
from fitmotion_models.fms.moment import (
    ANKLES,
    KNEES,
    NECK,
    PELVIS,
    UP,
    Body,
    Moment,
    Stance,
    body_from_pose,
    facing_of,
    knee_flexion,
    view_sine,
)
from fitmotion_models.fms.movements import MOVEMENTS
from fitmotion_models.fms.reading import leg_length
from fitmotion_models.fms.values import Movement, Side
from fitmotion_models.skeleton.body_pose import BodyPose
from fitmotion_models.skeleton.joint_sets import SMPL22

Array = NDArray[np.float64]
Angles = dict[str, Array]

_ENDS = {
    "knee": ("hip", "knee", "ankle"),
    "hip": ("neck", "hip", "knee"),
    "ankle": ("knee", "ankle", "foot"),
    "elbow": ("shoulder", "elbow", "wrist"),
    "shoulder": ("elbow", "shoulder", "hip"),
}


def _joint(side: str, name: str) -> int:
    return SMPL22.index(name if name == "neck" else f"{side}_{name}")


# name -> indices (proximal, joint, distal); the trunk's lean is against the vertical
_TRIPLES = {
    f"{side}_{name}": (_joint(side, ends[0]), _joint(side, ends[1]), _joint(side, ends[2]))
    for name, ends in _ENDS.items()
    for side in ("left", "right")
}
ANGLES = (*_TRIPLES, "trunk_lean")

# The median of the absolute value of a normal variable is this many of its standard deviations.
MEDIAN_OF_NORMAL = 0.6745
# A person of usual size where a test wants entered measures; the errors do not depend on it.
_SOMEBODY = Anthropometry(stature_m=1.75, hand_length_m=0.19)
# What a stated standard deviation may be smaller than the measured one by before it is called too optimistic: the error
# of a median over some hundred frames of one person, whose neighbours are alike.
TOLERANCE = 1.25
# From here the camera looks at the side, below it at the front or the back.
SIDE_SINE = 0.71


# The tests of a person who stands, as the recorded person does: values of the others mean nothing then.
_STANDING = (Movement.DEEP_SQUAT, Movement.HURDLE_STEP, Movement.INLINE_LUNGE, Movement.SHOULDER_MOBILITY)
# Fewer instants than this are of one posture, and chance.
LEAST_SAMPLES = 50
# Knees bent by more than this are a squat's.
_SQUATTING_DEG = 25.0


def _squats(body: Body) -> bool:
    """Knees bent, and trunk and shanks leaning more forward than to the side."""
    facing = facing_of(body)
    if facing is None:
        return False
    starts, ends = [PELVIS, *ANKLES], [NECK, *KNEES]
    leaning = body.points[ends] - body.points[starts]
    sideways = np.abs(leaning @ np.cross(UP, facing))
    return bool((knee_flexion(body) > _SQUATTING_DEG).all() and (leaning @ facing > sideways).all())


# Some values mean something in their test's posture only: a trunk that leans to the side has no forward lean.
_POSTURES: dict[str, Callable[[Body], bool]] = {"trunk_parallel_to_tibia": _squats}


def angles_of(bodies: Sequence[BodyPose | None]) -> Angles:
    """Each angle (T,) in degrees, NaN where it is not seen."""
    points = np.stack(
        [np.full((22, 3), np.nan) if body is None else body.positions.astype(np.float64) for body in bodies]
    )
    found = {
        name: _between(points[:, a] - points[:, b], points[:, c] - points[:, b]) for name, (a, b, c) in _TRIPLES.items()
    }
    trunk = points[:, SMPL22.index("neck")] - points[:, SMPL22.index("pelvis")]
    found["trunk_lean"] = _between(trunk, np.broadcast_to((0.0, 0.0, 1.0), trunk.shape))
    return found


def _between(first: Array, second: Array) -> Array:
    cosine = (first * second).sum(-1) / (np.linalg.norm(first, axis=-1) * np.linalg.norm(second, axis=-1))
    return np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))


@dataclass(frozen=True)
class Stated:
    """A criterion's stated standard deviation beside the measured error, in its unit.

    kind: "one, side", "one, front" or "several". measured: from the median of the absolute error. stated: of the table,
    for the cameras' directions and the joints' confidence. samples: values behind it.
    """

    criterion: str
    kind: str
    unit: str
    measured: float
    stated: float
    samples: int

    @property
    def too_optimistic(self) -> bool:
        """Whether decisions rest on less error than was measured."""
        return self.measured > TOLERANCE * self.stated


def stated_against_measured(
    truth: Sequence[BodyPose | None],
    single: Sequence[Sequence[BodyPose | None]],
    halves: Sequence[tuple[Sequence[BodyPose | None], Sequence[BodyPose | None]]],
) -> list[Stated]:
    """Every criterion that can be measured on a single instant, for one camera and for several.

    truth: the bodies of all cameras. single: those of each camera alone. halves: those of two halves of the rig: their
    difference has twice the standard deviation of the whole, where errors are independent.
    """
    found = []
    for movement, rule in _instant_rules():
        name = f"{movement.name.lower()}.{rule.name}"
        values = _in_posture(rule, _values(rule, truth), truth)
        alone = [_values(rule, poses) for poses in single]
        for kind in ("side", "front"):
            rows = [_row(rule, value, known, kind) for one in alone for value, known in zip(one, values, strict=True)]
            found += _stated(name, f"one, {kind}", rule, [row for row in rows if row is not None])
        pairs = [
            (0.5 * abs(a.value - b.value), rule.uncertainty.standard_deviation(4, 0.0, min(a.confidence, b.confidence)))
            for first, second in halves
            for a, b, known in zip(_values(rule, first), _values(rule, second), values, strict=True)
            if a is not None and b is not None and known is not None
        ]
        found += _stated(name, "several", rule, pairs)
    return found


@dataclass(frozen=True)
class _Value:
    value: float
    confidence: float
    sine: float
    visible: bool


def _stated(name: str, kind: str, rule: CriterionRule, rows: list[tuple[float, float]]) -> list[Stated]:
    if len(rows) < LEAST_SAMPLES:
        return []
    errors, tables = np.array(rows).T
    return [
        Stated(name, kind, rule.unit, float(np.median(errors) / MEDIAN_OF_NORMAL), float(np.median(tables)), len(rows))
    ]


def _row(rule: CriterionRule, value: "_Value | None", known: "_Value | None", kind: str) -> tuple[float, float] | None:
    if value is None or known is None or (value.sine >= SIDE_SINE) != (kind == "side"):
        return None
    if not value.visible:
        return None
    stated = rule.uncertainty.standard_deviation(1, value.sine, value.confidence)
    return (abs(value.value - known.value), stated) if np.isfinite(stated) else None


def _instant_rules() -> list[tuple[Movement, CriterionRule]]:
    """The rules of standing tests, left for those with sides, but for rules that look at a course in time."""
    return [
        (movement, rule)
        for movement, table in MOVEMENTS.items()
        if movement in _STANDING
        for rule in table.rules(Side.LEFT if table.has_sides else Side.BOTH, _SOMEBODY)
        if not (rule.uncertainty.bias_one or rule.uncertainty.bias_several)
    ]


def _in_posture(
    rule: CriterionRule, values: list["_Value | None"], poses: Sequence[BodyPose | None]
) -> list["_Value | None"]:
    """The values of the instants at which the body is in the rule's posture."""
    fits = _POSTURES.get(rule.name)
    if fits is None:
        return values
    return [
        value if pose is not None and fits(body_from_pose(pose)) else None
        for value, pose in zip(values, poses, strict=True)
    ]


def _values(rule: CriterionRule, poses: Sequence[BodyPose | None]) -> list["_Value | None"]:
    """The rule's value at every instant, the first body being the stance."""
    bodies = [None if pose is None else body_from_pose(pose) for pose in poses]
    first = next((body for body in bodies if body is not None and facing_of(body) is not None), None)
    if first is None:
        return [None] * len(bodies)
    return [None if body is None else _value(rule, body, first) for body in bodies]


def _value(rule: CriterionRule, body: Body, first: Body) -> "_Value | None":
    facing = facing_of(body)
    if facing is None:
        return None
    stance = Stance(first, facing, leg_length(first))
    sine = view_sine(facing, body.view_direction)
    moment = Moment(body, stance, (first, body), body, body.views, sine)
    measured = rule.measure(moment)
    if not (np.isfinite(measured.value) and measured.confidence > 0.0):
        return None
    return _Value(measured.value, measured.confidence, sine, rule.sees(moment))
