"""The values of an assessment; every number here equals the constant of the same name in `fitmotion_msgs`."""

from dataclasses import dataclass
from enum import IntEnum

NOT_SCORABLE = -1
AUTO = "auto"  # what people say for a movement that is to be recognised, which is `Movement.UNKNOWN`


class Movement(IntEnum):
    """The seven tests of the Functional Movement Screen (Cook 2006) and UI-PRMD's standing leg raise."""

    UNKNOWN = 0
    DEEP_SQUAT = 1
    HURDLE_STEP = 2
    INLINE_LUNGE = 3
    SHOULDER_MOBILITY = 4
    ACTIVE_STRAIGHT_LEG_RAISE = 5
    TRUNK_STABILITY_PUSH_UP = 6
    ROTARY_STABILITY = 7
    STANDING_LEG_RAISE = 8


class Variation(IntEnum):
    """The fifteen movements of the screen: the seven tests with their sides and easier forms."""

    NONE = 0
    DEEP_SQUAT_FLOOR = 1
    DEEP_SQUAT_BOARD = 2
    HURDLE_STEP_LEFT = 3
    HURDLE_STEP_RIGHT = 4
    INLINE_LUNGE_LEFT = 5
    INLINE_LUNGE_RIGHT = 6
    SHOULDER_MOBILITY_LEFT = 7
    SHOULDER_MOBILITY_RIGHT = 8
    ACTIVE_STRAIGHT_LEG_RAISE_LEFT = 9
    ACTIVE_STRAIGHT_LEG_RAISE_RIGHT = 10
    TRUNK_STABILITY_PUSH_UP = 11
    ROTARY_STABILITY_LEFT = 12
    ROTARY_STABILITY_RIGHT = 13
    ROTARY_STABILITY_DIAGONAL_LEFT = 14
    ROTARY_STABILITY_DIAGONAL_RIGHT = 15


class Side(IntEnum):
    """The side a trial belongs to; BOTH for movements that have none."""

    BOTH = 0
    LEFT = 1
    RIGHT = 2


class Verdict(IntEnum):
    """What a criterion says; NOT_SEEN when the view or the joints do not allow an answer."""

    MET = 0
    NOT_MET = 1
    NOT_SEEN = 2


class Phase(IntEnum):
    """Where in a repetition the body is; UNKNOWN until a stable stance has been seen."""

    UNKNOWN = 0
    STANDING = 1
    DESCENDING = 2
    BOTTOM = 3
    ASCENDING = 4


@dataclass(frozen=True)
class Criterion:
    """One measured rule.

    value and threshold in `unit` ("deg", "m", ...). value: NaN where nothing was measured; a number with NOT_SEEN is
    too close to the threshold for how exactly it could be measured. joints: indices into SMPL-22, 22 to 25 the foot
    landmarks (left heel, left toe, right heel, right toe). advice: what to change, empty when met.
    """

    name: str
    value: float
    threshold: float
    unit: str
    verdict: Verdict
    joints: tuple[int, ...]
    advice: str


@dataclass(frozen=True)
class Assessment:
    """The result of one repetition. score 0 to 3, or -1 (not scorable) with the reason. start, end, stamp: seconds."""

    stamp: float
    subject: str
    movement: Movement
    variation: Variation
    side: Side
    trial: int
    repetition: int
    score: int
    reason: str
    confidence: float
    scorer: str
    criteria: tuple[Criterion, ...]
    start: float
    end: float
    learned_score: int = NOT_SCORABLE
    disagreement: bool = False
    pain: bool = False
    overridden: bool = False
    override_reason: str = ""


@dataclass(frozen=True)
class AssessmentState:
    """The live state at camera rate. progress: 0 (standing) to 1 (deepest point so far or back up), see `Phase`."""

    stamp: float
    subject: str
    movement: Movement
    side: Side
    phase: Phase
    progress: float
    criteria: tuple[Criterion, ...]
