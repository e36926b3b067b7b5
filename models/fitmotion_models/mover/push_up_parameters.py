"""What a parametric trunk stability push-up is made of: the numbers that are its ground truth."""

from dataclasses import dataclass

from fitmotion_models.mover.checks import check_numbers

# field -> (lowest, highest, unit): what keeps a body possible at all
FIELD_RANGES: dict[str, tuple[float, float, str]] = {
    "repetitions": (1, 1000, "repetitions"),
    "rise_s": (0.3, 10.0, "s"),
    "hold_s": (0.0, 20.0, "s"),
    "lower_s": (0.3, 10.0, "s"),
    "pause_s": (0.0, 60.0, "s"),
    "stance_s": (0.0, 60.0, "s"),
    "hands_ahead_m": (-0.2, 0.35, "m"),
    "elbow_deg": (3.0, 120.0, "deg"),
    "sag_deg": (-45.0, 45.0, "deg"),
    "hips_lag_s": (-0.5, 2.0, "s"),
    "scale": (0.5, 1.5, "times the mean body"),
}

# Where the wrists are, ahead of the line of the shoulders, when the thumbs are level with a landmark of the lying body;
# shares of the stature. Chin at 0.870 and shoulder, which is level with the clavicle, at 0.818 of the stature (Drillis
# & Contini 1966, as in Winter 2009, figure 4.1); the hairline 0.106 above the chin (Farkas 1994, height of the face).
# The thumb is half a hand (0.108 of the stature) ahead of the wrist.
HANDS_AT: dict[str, float] = {
    "forehead": 0.870 + 0.106 - 0.818 - 0.054,
    "chin": 0.870 - 0.818 - 0.054,
    "clavicle": -0.054,
}


@dataclass(frozen=True)
class PushUpParameters:
    """A push-up from lying on the belly, toes tucked, and back; metres, degrees, seconds.

    Tempo (every movement is minimum-jerk, Flash & Hogan 1985): repetitions; rise_s, hold_s, lower_s; pause_s between
        repetitions; stance_s of lying still before the first and after the last.
    hands_ahead_m: of the wrists, ahead of the shoulders along the lying body; `HANDS_AT` tells where landmarks are.
    At the top:
        elbow_deg: flexion of the elbows, 3 nearly straight; more where the person can't rise all the way.
        sag_deg: how far the line shoulder, hip, ankle is from 180; hips below the line positive, above it negative.
    hips_lag_s: how much later than the shoulders the hips rise.
    scale: size of the body against the mean of `skeleton.REST_OFFSETS`.

    Raises ValueError naming the parameter, its value and the allowed range.
    """

    repetitions: int = 1
    rise_s: float = 1.2
    hold_s: float = 0.5
    lower_s: float = 1.2
    pause_s: float = 0.8
    stance_s: float = 1.2
    hands_ahead_m: float = 0.18
    elbow_deg: float = 6.0
    sag_deg: float = 0.0
    hips_lag_s: float = 0.0
    scale: float = 1.0

    def __post_init__(self) -> None:
        check_numbers(self, FIELD_RANGES)
        if abs(self.hips_lag_s) > self.hold_s:
            raise ValueError(
                f"hips_lag_s={self.hips_lag_s:g} is longer than hold_s={self.hold_s:g}; hold the top at least as long, "
                "so that the hips get there"
            )
