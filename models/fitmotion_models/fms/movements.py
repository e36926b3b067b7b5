"""The movements that can be scored: a table each. A further test of the screen is one more entry."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from fitmotion_models.fms import deep_squat
from fitmotion_models.fms.criteria import CriterionRule
from fitmotion_models.fms.moment import Body
from fitmotion_models.fms.repetitions import Progress, SquatRepetitions
from fitmotion_models.fms.values import Movement, Side, Variation


class Repetitions(Protocol):
    """Follows one body and says when a repetition of a movement is over."""

    def update(self, body: Body) -> Progress:
        """Take the next frame."""

    def reset(self) -> None:
        """Forget everything."""


@dataclass(frozen=True)
class VariationRule:
    """What a trial of a variation is worth. met, not_met: the score. advice: what to do after `not_met`."""

    met: int
    not_met: int
    advice: str


@dataclass(frozen=True)
class MovementRules:
    """All that the scorer needs to know of a movement. views: how to film it, for people."""

    movement: Movement
    rules: tuple[CriterionRule, ...]
    repetitions: Callable[[], Repetitions]
    variations: dict[Variation, VariationRule]
    sides: tuple[Side, ...]
    views: str


MOVEMENTS: dict[Movement, MovementRules] = {
    Movement.DEEP_SQUAT: MovementRules(
        movement=Movement.DEEP_SQUAT,
        rules=deep_squat.RULES,
        repetitions=SquatRepetitions,
        # The official scores: 3 on the floor; 2 with the heels on a two-inch board; 1 when even that fails.
        variations={
            Variation.DEEP_SQUAT_FLOOR: VariationRule(3, 1, "Repeat with the heels on the board: clean there is a 2."),
            Variation.DEEP_SQUAT_BOARD: VariationRule(2, 1, ""),
        },
        sides=(Side.BOTH,),
        views="from the side for trunk, depth, dowel and heels; from the front for the knees",
    ),
}


def movement_rules(movement: Movement, variation: Variation, side: Side) -> MovementRules:
    """The rules of a trial. Raises ValueError that names what is not known and what is."""
    if movement not in MOVEMENTS:
        raise ValueError(f"movement {_name(Movement, movement)} can't be scored; known: {_names(MOVEMENTS)}")
    rules = MOVEMENTS[movement]
    if variation not in rules.variations:
        raise ValueError(
            f"variation {_name(Variation, variation)} does not belong to {rules.movement.name}; "
            f"known: {_names(rules.variations)}"
        )
    if side not in rules.sides:
        raise ValueError(
            f"side {_name(Side, side)} does not belong to {rules.movement.name}; known: {_names(rules.sides)}"
        )
    return rules


def default_variation(movement: Movement, side: Side = Side.BOTH) -> Variation:
    """The first variation to try of a movement. Raises ValueError when the movement or side can't be scored."""
    if movement not in MOVEMENTS:
        raise ValueError(f"movement {_name(Movement, movement)} can't be scored; known: {_names(MOVEMENTS)}")
    variation = next(iter(MOVEMENTS[movement].variations))
    movement_rules(movement, variation, side)
    return variation


def _name(kind: type[IntEnum], value: int) -> str:
    """A member's name, or the number where it is none: values come in from messages."""
    return kind(value).name if value in kind._value2member_map_ else str(int(value))


def _names(members: Iterable[IntEnum]) -> str:
    return ", ".join(member.name for member in members)
