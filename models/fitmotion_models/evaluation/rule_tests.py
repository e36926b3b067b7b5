"""The tests of the screen whose rules can be evaluated, as a table."""

from collections.abc import Sequence

from fitmotion_models.evaluation.floor_rules import (
    ACTIVE_STRAIGHT_LEG_RAISE,
    ROTARY_STABILITY,
    TRUNK_STABILITY_PUSH_UP,
)
from fitmotion_models.evaluation.raise_rules import STANDING_LEG_RAISE
from fitmotion_models.evaluation.rules import RuleTest
from fitmotion_models.evaluation.shoulder_rules import SHOULDER_MOBILITY
from fitmotion_models.evaluation.squat_rules import DEEP_SQUAT
from fitmotion_models.evaluation.step_rules import HURDLE_STEP, INLINE_LUNGE
from fitmotion_models.fms.values import Movement

RULE_TESTS: dict[Movement, RuleTest] = {
    test.movement: test
    for test in (
        DEEP_SQUAT,
        HURDLE_STEP,
        INLINE_LUNGE,
        SHOULDER_MOBILITY,
        ACTIVE_STRAIGHT_LEG_RAISE,
        TRUNK_STABILITY_PUSH_UP,
        ROTARY_STABILITY,
        STANDING_LEG_RAISE,
    )
}


def rule_tests(names: Sequence[str] | None = None) -> list[RuleTest]:
    """The tests of these names ("deep_squat"), all where None. Raises ValueError that lists the known ones."""
    known = {movement.name.lower(): test for movement, test in RULE_TESTS.items()}
    for name in names or ():
        if name.lower() not in known:
            raise ValueError(f"the rules of '{name}' can't be evaluated; known: {', '.join(known)}")
    return [known[name.lower()] for name in names] if names else list(known.values())
