"""What a parametric active straight leg raise is made of: the numbers that are its ground truth."""

from dataclasses import dataclass

from fitmotion_models.mover.checks import check_numbers, check_side

# field -> (lowest, highest, unit): what keeps a body possible at all
FIELD_RANGES: dict[str, tuple[float, float, str]] = {
    "repetitions": (1, 1000, "repetitions"),
    "raise_s": (0.4, 20.0, "s"),
    "hold_s": (0.0, 20.0, "s"),
    "lower_s": (0.4, 20.0, "s"),
    "pause_s": (0.0, 60.0, "s"),
    "stance_s": (0.0, 60.0, "s"),
    "ankle_over": (-0.8, 1.6, "of the other thigh, from knee (0) to hip (1)"),
    "raised_knee_deg": (0.0, 60.0, "deg"),
    "other_knee_deg": (0.0, 60.0, "deg"),
    "other_lift_m": (0.0, 0.4, "m"),
    "scale": (0.5, 1.5, "times the mean body"),
}


@dataclass(frozen=True)
class LegRaiseParameters:
    """A straight leg raised lying on the back, held and lowered; metres, degrees, seconds.

    side: "left" or "right", the leg that is raised.
    Tempo (every movement is minimum-jerk, Flash & Hogan 1985): repetitions; raise_s, hold_s, lower_s; pause_s between
        repetitions; stance_s of lying still before the first and after the last.
    At the top:
        ankle_over: over which place of the other thigh the raised ankle is: 0 its knee, 1 its hip, .5 mid-thigh;
            negative over the shank, above 1 over the trunk.
        raised_knee_deg, other_knee_deg: flexion of the two knees; straight is 0. Lying, both are bent by 2 degrees.
        other_lift_m: how much higher than lying the other leg's ankle is.
    scale: size of the body against the mean of `skeleton.REST_OFFSETS`.

    Raises ValueError naming the parameter, its value and the allowed range.
    """

    side: str = "left"
    repetitions: int = 1
    raise_s: float = 1.6
    hold_s: float = 0.5
    lower_s: float = 1.6
    pause_s: float = 0.8
    stance_s: float = 1.2
    ankle_over: float = 0.75
    raised_knee_deg: float = 2.0
    other_knee_deg: float = 2.0
    other_lift_m: float = 0.0
    scale: float = 1.0

    def __post_init__(self) -> None:
        check_side(self.side)
        check_numbers(self, FIELD_RANGES)
