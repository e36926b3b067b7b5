"""Whether the one camera looks from where a test can be judged, and if not, from where it should."""

import math

import numpy as np

from fitmotion_models.fms.anthropometry import Anthropometry
from fitmotion_models.fms.criteria import CriterionRule
from fitmotion_models.fms.moment import Array, Body, Stance, view_cosine, view_sine
from fitmotion_models.fms.movements import MOVEMENTS, MovementRules
from fitmotion_models.fms.screen import title
from fitmotion_models.fms.values import Movement, Side

# Places of a camera, by sine and cosine of the horizontal angle between where the person faces and the camera.
PLACES: dict[str, tuple[float, float]] = {
    "from the side": (1.0, 0.0),
    "from the front": (0.0, 1.0),
    "from behind": (0.0, -1.0),
    "obliquely from the front": (math.sqrt(0.5), math.sqrt(0.5)),
}
# What cannot be seen at all counts as a measurement with so many times the best standard deviation.
NOT_SEEN_COST = 3.0
# Another place is advised when the criteria are by this factor less exact here, and names those that are.
WORTH_MOVING, BADLY_SEEN = 1.25, 1.5
EVERY_S = 1.0  # how often a live view is looked at


def view_guidance(definition: MovementRules, person: Anthropometry, facing: Array, view_direction: Array) -> str:
    """What to change about the place of the one camera, one sentence; empty where it is good or not known.

    facing: (3,) horizontal unit vector. view_direction: (3,) from the body to the camera, world frame.
    """
    if not np.isfinite(view_direction).all():
        return ""
    rules = definition.rules(Side.LEFT if definition.has_sides else Side.BOTH, person)
    here = np.array(
        [_cost(rule, view_sine(facing, view_direction), view_cosine(facing, view_direction)) for rule in rules]
    )
    costs = {place: np.array([_cost(rule, *angle) for rule in rules]) for place, angle in PLACES.items()}
    best = min(costs, key=lambda place: float(costs[place].mean()))
    if here.mean() < WORTH_MOVING * costs[best].mean():
        return ""
    badly = [rule for rule, cost, there in zip(rules, here, costs[best], strict=True) if cost >= BADLY_SEEN * there]
    names = ", ".join(rule.name.replace("_", " ") for rule in badly) or "most of it"
    return f"{title(definition.movement).capitalize()}: film {best}; from here {names} cannot be judged well"


def _cost(rule: CriterionRule, sine: float, cosine: float) -> float:
    """How exact a criterion is from somewhere, 1 for the best place."""
    if sine < rule.min_view_sine or cosine > rule.max_view_cosine:
        return NOT_SEEN_COST
    least = min(rule.uncertainty.side, rule.uncertainty.front)
    sd = rule.uncertainty.standard_deviation(1, min(sine, 1.0), 1.0)
    return min(sd / least, NOT_SEEN_COST) if least > 0.0 else 1.0


class ViewGuide:
    """The guidance for a live view, looked at every second of a body's stamps."""

    def __init__(self) -> None:
        self._sentence = ""
        self._next = -math.inf

    def update(self, movement: Movement, body: Body, stance: Stance | None, person: Anthropometry) -> str:
        """The sentence that stands now; empty without a stance, with several cameras and for no test in particular."""
        if stance is None or body.views != 1 or movement not in MOVEMENTS:
            self._sentence, self._next = "", -math.inf
        elif not self._next - EVERY_S <= body.stamp < self._next:
            self._sentence = view_guidance(MOVEMENTS[movement], person, stance.facing, body.view_direction)
            self._next = body.stamp + EVERY_S
        return self._sentence
