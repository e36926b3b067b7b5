"""What a person is doing: a movement, its form, the side and the number of the trial."""

from dataclasses import dataclass

from fitmotion_models.fms.anthropometry import UNKNOWN_BODY, Anthropometry
from fitmotion_models.fms.any_test import AnyTestScorer
from fitmotion_models.fms.movements import MOVEMENTS, chosen_form
from fitmotion_models.fms.scorer import Scorer
from fitmotion_models.fms.values import AUTO, Movement, Side, Variation

MAX_TRIAL = 255


@dataclass(frozen=True)
class Trial:
    """What a subject is doing. movement UNKNOWN: any test, recognised repetition by repetition. number: from 1."""

    movement: Movement = Movement.DEEP_SQUAT
    variation: Variation = Variation.DEEP_SQUAT_FLOOR
    side: Side = Side.BOTH
    number: int = 1

    def scorer(self, person: Anthropometry = UNKNOWN_BODY, *, learned: bool = True) -> Scorer | AnyTestScorer:
        """A scorer for this trial. person: what was entered. Raises ValueError for a test that cannot be scored."""
        if self.movement is Movement.UNKNOWN:
            return AnyTestScorer(self.variation, self.side, self.number, person, learned=learned)
        return Scorer(self.movement, self.variation, self.side, self.number, person, learned=learned)


def chosen_trial(movement: Movement, variation: Variation, side: Side, number: int = 1) -> Trial:
    """A trial of which form or side may be left open. Raises ValueError for a test that cannot be scored."""
    if movement is not Movement.UNKNOWN:
        variation, side = chosen_form(movement, variation, side)
    return Trial(movement, variation, side, number)


def movement_named(name: str) -> Movement:
    """The movement of a name as people type it, UNKNOWN for `auto`. Raises ValueError that lists the known ones."""
    known = {AUTO: Movement.UNKNOWN} | {movement.name.lower(): movement for movement in MOVEMENTS}
    if name.lower() not in known:
        raise ValueError(f"movement '{name}' can't be scored; known: {', '.join(known)}")
    return known[name.lower()]


def trial_named(movement: str, *, side: str = "both", board: bool = False, number: int = 1) -> Trial:
    """A trial as people type it: movement `deep_squat` or `auto`, side `left`. board: a squat's heels are on the board.

    Raises ValueError, one sentence, for what is not known and what does not fit together.
    """
    named = movement_named(movement)
    if side.upper() not in Side.__members__:
        raise ValueError(f"side '{side}' is unknown; allowed: {', '.join(one.name.lower() for one in Side)}")
    if board and named not in (Movement.DEEP_SQUAT, Movement.UNKNOWN):
        raise ValueError(f"--board belongs to the deep squat, not to {movement}")
    variation = Variation.DEEP_SQUAT_BOARD if board else Variation.NONE
    return chosen_trial(named, variation, Side[side.upper()], number)


def following(number: int) -> int:
    """The number of the next trial; they end at what a message can hold."""
    return min(number + 1, MAX_TRIAL)
