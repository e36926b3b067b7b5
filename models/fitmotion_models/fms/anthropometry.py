"""What was entered about a person's body; a score may depend on it, on the repetition and the stance before it."""

from dataclasses import dataclass
from enum import IntEnum

# Hand length over stature, wrist crease to the tip of the middle finger (Drillis & Contini 1966).
HAND_LENGTH_OF_STATURE = 0.108

STATURE_RANGE_M = (0.4, 2.6)
HAND_LENGTH_RANGE_M = (0.05, 0.35)


class Sex(IntEnum):
    """Decides where the hands lie in the trunk stability push-up (Cook 2006); UNKNOWN until it is entered."""

    UNKNOWN = 0
    FEMALE = 1
    MALE = 2


def sex_named(name: str) -> Sex:
    """The sex as people type it: female, male or unknown. Raises ValueError that lists these."""
    if name.upper() not in Sex.__members__:
        raise ValueError(f"sex '{name}' is unknown; allowed: {', '.join(one.name.lower() for one in Sex)}")
    return Sex[name.upper()]


@dataclass(frozen=True)
class Anthropometry:
    """Entered measures, None where not known. stature_m, hand_length_m: metres.

    Raises ValueError naming the measure, its value and the allowed range.
    """

    stature_m: float | None = None
    hand_length_m: float | None = None
    sex: Sex = Sex.UNKNOWN

    def __post_init__(self) -> None:
        for name, value, (low, high) in (
            ("stature_m", self.stature_m, STATURE_RANGE_M),
            ("hand_length_m", self.hand_length_m, HAND_LENGTH_RANGE_M),
        ):
            if value is not None and not low <= value <= high:
                raise ValueError(f"{name} is {value:g} m; it can be {low:g} to {high:g} m")

    def hand_length(self) -> float | None:
        """The hand's length, metres: as entered, else from the stature, else None."""
        if self.hand_length_m is not None or self.stature_m is None:
            return self.hand_length_m
        return HAND_LENGTH_OF_STATURE * self.stature_m


UNKNOWN_BODY = Anthropometry()
