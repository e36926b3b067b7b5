"""What a parametric standing leg raise is made of: the numbers that are its ground truth."""

from dataclasses import dataclass

from fitmotion_models.mover.checks import check_numbers, check_side

# field -> (lowest, highest, unit): what keeps a body possible at all
FIELD_RANGES: dict[str, tuple[float, float, str]] = {
    "repetitions": (1, 1000, "repetitions"),
    "shift_s": (0.2, 10.0, "s"),
    "raise_s": (0.4, 20.0, "s"),
    "hold_s": (0.0, 20.0, "s"),
    "pause_s": (0.0, 60.0, "s"),
    "stance_s": (0.0, 60.0, "s"),
    "leg_deg": (20.0, 115.0, "deg"),
    "knee_deg": (3.0, 75.0, "deg"),
    "standing_knee_deg": (3.0, 60.0, "deg"),
    "trunk_lean_deg": (-30.0, 45.0, "deg"),
    "trunk_side_deg": (-20.0, 20.0, "deg"),
    "pelvis_tilt_deg": (-25.0, 25.0, "deg"),
    "stance_slip_m": (0.0, 0.12, "m"),
    "stance_width_m": (0.08, 0.3, "m"),
    "scale": (0.5, 1.5, "times the mean body"),
}


@dataclass(frozen=True)
class StandingLegRaiseParameters:
    """One leg raised ahead, standing on the other; lengths in metres, angles in degrees, times in seconds.

    side: "left" or "right", the leg that is raised.
    Tempo (every movement is minimum-jerk, Flash & Hogan 1985): repetitions; shift_s the weight goes over the other
        foot; raise_s the leg goes up, and down again; hold_s at the top; pause_s between repetitions; stance_s of
        stable stance before the first and after the last.
    At the top:
        leg_deg: hip to ankle of the raised leg against straight down; 90 is level.
        knee_deg, standing_knee_deg: flexion of the raised and of the standing knee; 8 in stance.
        trunk_lean_deg, trunk_side_deg: neck - pelvis in the sagittal and the frontal plane, forward and towards the
            standing leg positive; 0 in stance. pelvis_tilt_deg: of the line between the hips, raised side up positive.
    stance_slip_m: how far the standing foot slides ahead; it is back with the raised foot.
    stance_width_m: between the ankles. scale: size of the body against the mean of `skeleton.REST_OFFSETS`.

    Raises ValueError naming the parameter, its value and the allowed range.
    """

    side: str = "left"
    repetitions: int = 1
    shift_s: float = 0.5
    raise_s: float = 0.9
    hold_s: float = 0.2
    pause_s: float = 0.8
    stance_s: float = 1.2
    leg_deg: float = 85.0
    knee_deg: float = 8.0
    standing_knee_deg: float = 8.0
    trunk_lean_deg: float = 0.0
    trunk_side_deg: float = 0.0
    pelvis_tilt_deg: float = 0.0
    stance_slip_m: float = 0.0
    stance_width_m: float = 0.16
    scale: float = 1.0

    def __post_init__(self) -> None:
        check_side(self.side)
        check_numbers(self, FIELD_RANGES)
