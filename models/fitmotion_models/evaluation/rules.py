"""How well a test's criteria are judged: movers on both sides of every threshold, clean and as cameras would see them.

The truth is the mover's parameters. Clean trials show that the rules are right; noisy ones how often noise turns a
verdict, by the distance of the truth from the threshold in standard deviations of what the noise makes of the value.
A test of the screen is a `RuleTest`: data of its own module.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fitmotion_models.fms.anthropometry import UNKNOWN_BODY, Anthropometry
from fitmotion_models.fms.values import Movement, Side, Variation
from fitmotion_models.skeleton.motion_clip import MotionClip

View = tuple[float, float, float]

# From the body to the one camera; movers face x.
FROM_THE_FRONT: View = (1.0, 0.0, 0.0)
FROM_THE_LEFT: View = (0.0, 1.0, 0.0)
FROM_BEHIND: View = (-1.0, 0.0, 0.0)


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
