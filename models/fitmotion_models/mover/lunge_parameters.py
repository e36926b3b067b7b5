"""What a parametric in-line lunge is made of: the numbers that are its ground truth."""

from dataclasses import dataclass

from fitmotion_models.mover.checks import check_numbers, check_side

# field -> (lowest, highest, unit): what keeps a body possible at all
FIELD_RANGES: dict[str, tuple[float, float, str]] = {
    "repetitions": (1, 1000, "repetitions"),
    "descent_s": (0.3, 20.0, "s"),
    "hold_s": (0.0, 20.0, "s"),
    "ascent_s": (0.3, 20.0, "s"),
    "pause_s": (0.0, 60.0, "s"),
    "stance_s": (0.0, 60.0, "s"),
    "rear_knee_height_m": (0.03, 0.35, "m"),
    "trunk_lean_deg": (-30.0, 60.0, "deg"),
    "trunk_side_deg": (-20.0, 20.0, "deg"),
    "feet_offset_m": (-0.15, 0.3, "m"),
    "front_heel_rise_m": (0.0, 0.12, "m"),
    "front_slip_m": (-0.12, 0.12, "m"),
    "feet_apart": (0.8, 1.3, "times the shank"),
    "scale": (0.5, 1.5, "times the mean body"),
}


@dataclass(frozen=True)
class InlineLungeParameters:
    """A lunge with both feet on one line, a dowel along the spine; lengths in metres, angles in degrees, times seconds.

    side: "left" or "right", the leg in front.
    Tempo (every movement is minimum-jerk, Flash & Hogan 1985): repetitions; descent_s, hold_s, ascent_s; pause_s
        between repetitions; stance_s of stable stance before the first and after the last.
    At the bottom:
        rear_knee_height_m: of the knee joint over the floor (a knee that touches has its joint about 6 cm up).
        trunk_lean_deg, trunk_side_deg: neck - pelvis in the sagittal and the frontal plane, forward and towards the
            front leg positive; 0 in stance.
        front_heel_rise_m: of the heel over the floor, the foot turning about its toe.
        front_slip_m: how far the front foot slides ahead on the way down (negative: back); it comes back.
    feet_offset_m: how far the front foot is beside the rear foot's line, to its own side positive; 0 in line.
    feet_apart: from the rear foot's toe to the front foot's heel, in lengths of the shank; officially 1.
    scale: size of the body against the mean of `skeleton.REST_OFFSETS`.

    Raises ValueError naming the parameter, its value and the allowed range.
    """

    side: str = "left"
    repetitions: int = 1
    descent_s: float = 1.4
    hold_s: float = 0.4
    ascent_s: float = 1.2
    pause_s: float = 0.8
    stance_s: float = 1.2
    rear_knee_height_m: float = 0.06
    trunk_lean_deg: float = 0.0
    trunk_side_deg: float = 0.0
    feet_offset_m: float = 0.0
    front_heel_rise_m: float = 0.0
    front_slip_m: float = 0.0
    feet_apart: float = 1.0
    scale: float = 1.0

    def __post_init__(self) -> None:
        check_side(self.side)
        check_numbers(self, FIELD_RANGES)
