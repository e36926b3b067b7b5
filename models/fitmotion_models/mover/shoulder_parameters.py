"""What a parametric reach behind the back is made of: the numbers that are its ground truth."""

from dataclasses import dataclass

from fitmotion_models.mover.checks import check_numbers, check_side

# field -> (lowest, highest, unit): what keeps a body possible at all
FIELD_RANGES: dict[str, tuple[float, float, str]] = {
    "repetitions": (1, 1000, "repetitions"),
    "reach_s": (0.4, 20.0, "s"),
    "hold_s": (0.0, 60.0, "s"),
    "return_s": (0.4, 20.0, "s"),
    "pause_s": (0.0, 60.0, "s"),
    "stance_s": (0.0, 60.0, "s"),
    "fists_apart": (-0.1, 2.0, "hand lengths"),
    "fists_aside_m": (-0.08, 0.08, "m"),
    "trunk_lean_deg": (-30.0, 30.0, "deg"),
    "trunk_side_deg": (-20.0, 20.0, "deg"),
    "stance_width_m": (0.08, 0.4, "m"),
    "scale": (0.5, 1.5, "times the mean body"),
}


@dataclass(frozen=True)
class ShoulderMobilityParameters:
    """Both fists to the back, one over the shoulder and one from below; angles in degrees, times in seconds.

    side: "left" or "right", the arm that goes over the shoulder: the side of the test.
    Tempo (every movement is minimum-jerk, Flash & Hogan 1985): repetitions, one reach each, arms hanging between them;
        reach_s to the back; hold_s there; return_s; pause_s between reaches; stance_s before the first, after the last.
    While the fists are held:
        fists_apart: between the fists, which point at each other, in hand lengths of this body; below 0 they have
            passed each other.
        fists_aside_m: how far the middle between the wrists is beside the spine, to the upper arm's side positive.
        trunk_lean_deg, trunk_side_deg: neck - pelvis in the sagittal and the frontal plane, forward and to the upper
            arm's side positive; whoever arches the back leans by a negative angle. 0 in stance.
    stance_width_m: between the ankles. scale: size of the body against the mean of `skeleton.REST_OFFSETS`.

    Raises ValueError naming the parameter, its value and the allowed range.
    """

    side: str = "left"
    repetitions: int = 1
    reach_s: float = 1.4
    hold_s: float = 1.0
    return_s: float = 1.2
    pause_s: float = 0.8
    stance_s: float = 1.2
    fists_apart: float = 0.6
    fists_aside_m: float = 0.0
    trunk_lean_deg: float = 0.0
    trunk_side_deg: float = 0.0
    stance_width_m: float = 0.16
    scale: float = 1.0

    def __post_init__(self) -> None:
        check_side(self.side)
        check_numbers(self, FIELD_RANGES)
