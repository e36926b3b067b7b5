"""What a parametric rotary stability test is made of: the numbers that are its ground truth."""

from dataclasses import dataclass

from fitmotion_models.mover.checks import check_numbers, check_side

# field -> (lowest, highest, unit): what keeps a body possible at all
FIELD_RANGES: dict[str, tuple[float, float, str]] = {
    "repetitions": (1, 1000, "repetitions"),
    "extend_s": (0.4, 10.0, "s"),
    "flex_s": (0.4, 10.0, "s"),
    "hold_s": (0.0, 10.0, "s"),
    "pause_s": (0.0, 60.0, "s"),
    "stance_s": (0.0, 60.0, "s"),
    "elbow_to_knee_m": (0.02, 0.45, "m"),
    "trunk_roll_deg": (-40.0, 40.0, "deg"),
    "sway_m": (0.0, 0.25, "m"),
    "scale": (0.5, 1.5, "times the mean body"),
}


@dataclass(frozen=True)
class RotaryStabilityParameters:
    """On all fours a hand and a knee leave the floor, stretch out, meet under the trunk, stretch out and come back.

    side: "left" or "right", the arm that moves. diagonal: whether the knee is the other side's.
    Tempo (every movement is minimum-jerk, Flash & Hogan 1985): repetitions; extend_s from the floor to stretched out
        and back; flex_s from there to the touch and back; hold_s at the touch; pause_s between repetitions; stance_s
        of stillness before the first and after the last.
    elbow_to_knee_m: their distance at the touch. trunk_roll_deg: of shoulders and hips at the touch, the moving arm's
    side up positive. sway_m: how far the hips go aside, away from the moving arm, while the limbs are off the floor.
    scale: size of the body against the mean of `skeleton.REST_OFFSETS`. Lengths in metres, times in seconds.

    Raises ValueError naming the parameter, its value and the allowed range.
    """

    side: str = "left"
    diagonal: bool = False
    repetitions: int = 1
    extend_s: float = 1.2
    flex_s: float = 1.2
    hold_s: float = 0.4
    pause_s: float = 0.8
    stance_s: float = 1.2
    elbow_to_knee_m: float = 0.06
    trunk_roll_deg: float = 0.0
    sway_m: float = 0.03
    scale: float = 1.0

    def __post_init__(self) -> None:
        check_side(self.side)
        if not isinstance(self.diagonal, bool):
            raise ValueError(f"diagonal={self.diagonal!r} is no truth value; allowed: True, False")
        check_numbers(self, FIELD_RANGES)
