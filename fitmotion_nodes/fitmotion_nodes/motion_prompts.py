"""Words for the motion generator: what can be picked on the page, and what a watched person does.

They are texts that the model is trained on (fitmotion_models/datasets/motion_texts.yaml).
"""

from dataclasses import replace

from fitmotion_models.datasets.motion_texts import texts_of
from fitmotion_models.fms.values import NOT_SCORABLE, Assessment, Side, Variation
from fitmotion_models.motion.condition import MotionCondition

BEST = 3
PAIN = 0
# of one repetition: what is shorter was no whole one, and nobody takes longer
SHORTEST_S, LONGEST_S = 1.0, 20.0
# action, style, side: the tests that the model knows, gaits, and some daily movements
_PICKS = (
    ("deep_squat", None, None),
    ("hurdle_step", None, "left"),
    ("hurdle_step", None, "right"),
    ("inline_lunge", None, "left"),
    ("inline_lunge", None, "right"),
    ("standing_leg_raise", None, "left"),
    ("standing_leg_raise", None, "right"),
    ("side_lunge", None, "left"),
    ("side_lunge", None, "right"),
    ("sit_to_stand", None, None),
    ("walk", None, None),
    ("walk", "limp", "left"),
    ("walk", "limp", "right"),
    ("run", None, None),
    ("grab_high", None, "left"),
    ("grab_high", None, "right"),
    ("kick_front", None, "right"),
    ("hop_both_legs", None, None),
    ("rotate_arms_backward", None, None),
    ("sneak", None, "left"),
)
# forms that are an action of their own; every other has its movement's name
_ACTIONS = {
    Variation.DEEP_SQUAT_BOARD: "deep_squat_board",
    Variation.ROTARY_STABILITY_DIAGONAL_LEFT: "rotary_stability_diagonal",
    Variation.ROTARY_STABILITY_DIAGONAL_RIGHT: "rotary_stability_diagonal",
}


def prompts_to_pick() -> tuple[str, ...]:
    """Words to choose from."""
    return tuple(texts_of(action, style=style, side=side).train[0] for action, style, side in _PICKS)


def watched_prompt(assessment: Assessment) -> str:
    """The movement of a repetition in words. Raises ValueError for one that has none."""
    side = None if assessment.side is Side.BOTH else assessment.side.name.lower()
    action = _ACTIONS.get(assessment.variation, assessment.movement.name.lower())
    return texts_of(action, side=side).train[0]


def imitations(assessment: Assessment, seed: int) -> tuple[MotionCondition, MotionCondition]:
    """The movement that was watched, at the score that it got and at the best, as long as it took.

    The same seed in both, so that the score alone makes the difference. Raises ValueError where there is nothing to
    imitate: no score, or pain.
    """
    if assessment.score == NOT_SCORABLE:
        raise ValueError(f"the repetition of {assessment.subject} has no score: {assessment.reason}")
    if assessment.score == PAIN:
        raise ValueError(f"{assessment.subject} has pain: the movement is not imitated")
    seconds = min(max(assessment.end - assessment.start, SHORTEST_S), LONGEST_S)
    asked = MotionCondition(watched_prompt(assessment), score=int(assessment.score), seconds=seconds, seed=seed)
    return asked, replace(asked, score=BEST)
