"""The movements that can be scored: a table each. A further test of the screen is its modules and one more entry."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from fitmotion_models.fms import (
    active_straight_leg_raise,
    deep_squat,
    hurdle_step,
    inline_lunge,
    rotary_stability,
    shoulder_mobility,
    standing_leg_raise,
    trunk_stability_push_up,
)
from fitmotion_models.fms.active_straight_leg_raise_repetitions import LegRaiseRepetitions
from fitmotion_models.fms.anthropometry import Anthropometry
from fitmotion_models.fms.criteria import CriterionRule
from fitmotion_models.fms.hurdle_repetitions import HurdleRepetitions
from fitmotion_models.fms.lunge_repetitions import LungeRepetitions
from fitmotion_models.fms.moment import Body
from fitmotion_models.fms.repetitions import Progress, SquatRepetitions
from fitmotion_models.fms.rotary_stability_repetitions import RotaryRepetitions
from fitmotion_models.fms.scoring import Form
from fitmotion_models.fms.shoulder_mobility_repetitions import ShoulderMobilityRepetitions
from fitmotion_models.fms.standing_leg_raise_repetitions import StandingLegRaiseRepetitions
from fitmotion_models.fms.trunk_stability_push_up_repetitions import PushUpRepetitions
from fitmotion_models.fms.values import Movement, Side, Variation

NO_SIDES = (Side.BOTH,)
# BOTH: any side, and every repetition says which one it was.
TWO_SIDES = (Side.BOTH, Side.LEFT, Side.RIGHT)


class Repetitions(Protocol):
    """Follows one body and says when a repetition of a movement is over. Causal."""

    def update(self, body: Body) -> Progress:
        """Take the next frame."""

    def reset(self) -> None:
        """Forget everything."""


@dataclass(frozen=True)
class MovementRules:
    """All that the scorer needs to know of a movement.

    rules: the criteria for a side (LEFT or RIGHT; BOTH where the test has no sides) and a person's entered measures.
    repetitions: what finds repetitions; those of a test with sides are `SidedRepetition`. variations: the forms, the
    first one to try first; {NONE: ...} where the screen knows no form. sides: `NO_SIDES` or `TWO_SIDES`. views: how to
    film it, for people.
    """

    movement: Movement
    rules: Callable[[Side, Anthropometry], tuple[CriterionRule, ...]]
    repetitions: Callable[[], Repetitions]
    variations: dict[Variation, Form]
    sides: tuple[Side, ...]
    views: str

    @property
    def has_sides(self) -> bool:
        """Whether a repetition is of one side."""
        return self.sides == TWO_SIDES

    def variation_for(self, side: Side) -> Variation:
        """The first form that is done on a side; NONE where the side decides and is not known yet."""
        if self.has_sides and side is Side.BOTH:
            return Variation.NONE
        return next((one for one, form in self.variations.items() if form.side in (side, Side.BOTH)), Variation.NONE)


MOVEMENTS: dict[Movement, MovementRules] = {
    Movement.DEEP_SQUAT: MovementRules(
        movement=Movement.DEEP_SQUAT,
        rules=deep_squat.rules,
        repetitions=SquatRepetitions,
        variations=deep_squat.FORMS,
        sides=NO_SIDES,
        views=deep_squat.VIEWS,
    ),
    Movement.HURDLE_STEP: MovementRules(
        movement=Movement.HURDLE_STEP,
        rules=hurdle_step.rules,
        repetitions=HurdleRepetitions,
        variations={
            Variation.HURDLE_STEP_LEFT: Form(hurdle_step.GRADES, Side.LEFT),
            Variation.HURDLE_STEP_RIGHT: Form(hurdle_step.GRADES, Side.RIGHT),
        },
        sides=TWO_SIDES,
        views=hurdle_step.VIEWS,
    ),
    Movement.INLINE_LUNGE: MovementRules(
        movement=Movement.INLINE_LUNGE,
        rules=inline_lunge.rules,
        repetitions=LungeRepetitions,
        variations={
            Variation.INLINE_LUNGE_LEFT: Form(inline_lunge.GRADES, Side.LEFT),
            Variation.INLINE_LUNGE_RIGHT: Form(inline_lunge.GRADES, Side.RIGHT),
        },
        sides=TWO_SIDES,
        views=inline_lunge.VIEWS,
    ),
    Movement.SHOULDER_MOBILITY: MovementRules(
        movement=Movement.SHOULDER_MOBILITY,
        rules=shoulder_mobility.rules,
        repetitions=ShoulderMobilityRepetitions,
        variations={
            Variation.SHOULDER_MOBILITY_LEFT: Form(shoulder_mobility.GRADES, Side.LEFT),
            Variation.SHOULDER_MOBILITY_RIGHT: Form(shoulder_mobility.GRADES, Side.RIGHT),
        },
        sides=TWO_SIDES,
        views=shoulder_mobility.VIEWS,
    ),
    Movement.ACTIVE_STRAIGHT_LEG_RAISE: MovementRules(
        movement=Movement.ACTIVE_STRAIGHT_LEG_RAISE,
        rules=active_straight_leg_raise.rules,
        repetitions=LegRaiseRepetitions,
        variations={
            Variation.ACTIVE_STRAIGHT_LEG_RAISE_LEFT: Form(active_straight_leg_raise.GRADES, Side.LEFT),
            Variation.ACTIVE_STRAIGHT_LEG_RAISE_RIGHT: Form(active_straight_leg_raise.GRADES, Side.RIGHT),
        },
        sides=TWO_SIDES,
        views=active_straight_leg_raise.VIEWS,
    ),
    Movement.TRUNK_STABILITY_PUSH_UP: MovementRules(
        movement=Movement.TRUNK_STABILITY_PUSH_UP,
        rules=trunk_stability_push_up.rules,
        repetitions=PushUpRepetitions,
        variations={Variation.TRUNK_STABILITY_PUSH_UP: Form(trunk_stability_push_up.GRADES)},
        sides=NO_SIDES,
        views=trunk_stability_push_up.VIEWS,
    ),
    Movement.ROTARY_STABILITY: MovementRules(
        movement=Movement.ROTARY_STABILITY,
        rules=rotary_stability.rules,
        repetitions=RotaryRepetitions,
        variations=rotary_stability.FORMS,
        sides=TWO_SIDES,
        views=rotary_stability.VIEWS,
    ),
    # UI-PRMD's movement, which is none of the seven
    Movement.STANDING_LEG_RAISE: MovementRules(
        movement=Movement.STANDING_LEG_RAISE,
        rules=standing_leg_raise.rules,
        repetitions=StandingLegRaiseRepetitions,
        variations={Variation.NONE: Form(standing_leg_raise.GRADES)},
        sides=TWO_SIDES,
        views=standing_leg_raise.VIEWS,
    ),
}


def movement_rules(movement: Movement, variation: Variation = Variation.NONE, side: Side = Side.BOTH) -> MovementRules:
    """The rules of a trial; variation NONE: any. Raises ValueError that names what is not known and what is."""
    if movement not in MOVEMENTS:
        raise ValueError(f"movement {_name(Movement, movement)} can't be scored; known: {_names(MOVEMENTS)}")
    rules = MOVEMENTS[movement]
    if variation is not Variation.NONE and variation not in rules.variations:
        raise ValueError(
            f"variation {_name(Variation, variation)} does not belong to {rules.movement.name}; "
            f"known: {_names(rules.variations)}"
        )
    if side not in rules.sides:
        raise ValueError(
            f"side {_name(Side, side)} does not belong to {rules.movement.name}; known: {_names(rules.sides)}"
        )
    if variation in rules.variations and side is not Side.BOTH:
        done_on = rules.variations[variation].side
        if done_on not in (side, Side.BOTH):
            raise ValueError(f"variation {variation.name} is done on side {done_on.name}, not {side.name}")
    return rules


def chosen_form(movement: Movement, variation: Variation, side: Side) -> tuple[Variation, Side]:
    """The form and the side of a trial, each following from the other where it is not said.

    Raises ValueError as `movement_rules`.
    """
    rules = movement_rules(movement, variation, side)
    if variation is Variation.NONE:
        return rules.variation_for(side), side
    return variation, rules.variations[variation].side if side is Side.BOTH else side


def default_variation(movement: Movement, side: Side = Side.BOTH) -> Variation:
    """The first form to try of a movement; NONE where each repetition's side decides. Raises as `movement_rules`."""
    return movement_rules(movement, side=side).variation_for(side)


def _name(kind: type[IntEnum], value: int) -> str:
    """A member's name, or the number where it is none: values come in from messages."""
    return kind(value).name if value in kind._value2member_map_ else str(int(value))


def _names(members: Iterable[IntEnum]) -> str:
    return ", ".join(member.name for member in members)
