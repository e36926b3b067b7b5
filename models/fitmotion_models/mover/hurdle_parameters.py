"""What a parametric hurdle step is made of: the numbers that are its ground truth."""

from dataclasses import dataclass

from fitmotion_models.mover.checks import check_numbers, check_side

# field -> (lowest, highest, unit): what keeps a body possible at all
FIELD_RANGES: dict[str, tuple[float, float, str]] = {
    "repetitions": (1, 1000, "repetitions"),
    "shift_s": (0.2, 10.0, "s"),
    "step_s": (0.5, 20.0, "s"),
    "touch_s": (0.0, 20.0, "s"),
    "pause_s": (0.0, 60.0, "s"),
    "stance_s": (0.0, 60.0, "s"),
    "toe_height": (0.2, 1.35, "times the height of the knee"),
    "knee_out_m": (-0.2, 0.2, "m"),
    "ankle_out_m": (-0.2, 0.2, "m"),
    "trunk_lean_deg": (-30.0, 60.0, "deg"),
    "trunk_side_deg": (-20.0, 20.0, "deg"),
    "shoulder_tilt_deg": (-30.0, 30.0, "deg"),
    "stance_slip_m": (0.0, 0.12, "m"),
    "stance_width_m": (0.08, 0.3, "m"),
    "scale": (0.5, 1.5, "times the mean body"),
}


@dataclass(frozen=True)
class HurdleStepParameters:
    """A step over a hurdle, heel to the floor beyond it and back; lengths in metres, angles in degrees, times seconds.

    side: "left" or "right", the leg that steps.
    Tempo (every movement is minimum-jerk, Flash & Hogan 1985): repetitions; shift_s the weight goes over the other
        foot; step_s one way over the hurdle; touch_s the heel on the floor; pause_s between repetitions; stance_s of
        stable stance before the first and after the last.
    At the top of each way, where the foot is highest:
        toe_height: of the toe, in heights of the standing knee; the hurdle's string is just below the knee.
        knee_out_m, ankle_out_m: how far the stepping knee and ankle are outside (lateral of) the sagittal plane through
            their hip; negative inside.
        trunk_lean_deg, trunk_side_deg: neck - pelvis in the sagittal and the frontal plane, forward and towards the
            standing leg positive; 0 in stance. shoulder_tilt_deg: of the shoulders' line, stepping side up positive.
    stance_slip_m: how far the standing foot slides ahead; it is back with the stepping foot.
    stance_width_m: between the ankles. scale: size of the body against the mean of `skeleton.REST_OFFSETS`.

    Raises ValueError naming the parameter, its value and the allowed range.
    """

    side: str = "left"
    repetitions: int = 1
    shift_s: float = 0.6
    step_s: float = 1.5
    touch_s: float = 0.3
    pause_s: float = 0.8
    stance_s: float = 1.2
    toe_height: float = 1.1
    knee_out_m: float = 0.0
    ankle_out_m: float = 0.0
    trunk_lean_deg: float = 0.0
    trunk_side_deg: float = 0.0
    shoulder_tilt_deg: float = 0.0
    stance_slip_m: float = 0.0
    stance_width_m: float = 0.16
    scale: float = 1.0

    def __post_init__(self) -> None:
        check_side(self.side)
        check_numbers(self, FIELD_RANGES)
