"""What a parametric squat is made of: the numbers that are its ground truth."""

from dataclasses import dataclass, fields
from math import isfinite

# field -> (lowest, highest, unit). The limits keep a body possible at all; which combinations close is known only once
# the legs are solved (`squat_posture`). Ranges of joints: Norkin & White, Measurement of Joint Motion, 5th ed. (2016).
FIELD_RANGES: dict[str, tuple[float, float, str]] = {
    "repetitions": (1, 1000, "repetitions"),
    "descent_s": (0.2, 30.0, "s"),
    "hold_s": (0.0, 60.0, "s"),
    "ascent_s": (0.2, 30.0, "s"),
    "pause_s": (0.0, 60.0, "s"),
    "stance_s": (0.0, 60.0, "s"),
    "depth_m": (-0.4, 0.4, "m"),
    "trunk_lean_deg": (0.0, 80.0, "deg"),
    "shin_lean_deg": (0.0, 60.0, "deg"),
    "knee_valgus_m": (-0.25, 0.25, "m"),
    "heel_rise_m": (0.0, 0.15, "m"),
    "arm_drop_deg": (-40.0, 110.0, "deg"),
    "grip_width_m": (0.2, 1.4, "m"),
    "toe_out_deg": (-10.0, 45.0, "deg"),
    "stance_width_m": (0.12, 0.8, "m"),
    "pelvis_shift_m": (-0.15, 0.15, "m"),
    "depth_difference_m": (-0.06, 0.06, "m"),
    "left_lead_s": (-0.05, 0.05, "s"),
    "tempo_jitter": (0.0, 0.5, "share of the tempo"),
    "scale": (0.5, 1.5, "times the mean body"),
}

Sides = tuple[float, float]


@dataclass(frozen=True)
class SquatParameters:
    """A squat with a dowel held overhead; lengths in metres, angles in degrees, times in seconds.

    Tempo (every movement is minimum-jerk, Flash & Hogan 1985):
        repetitions; descent_s, hold_s (at the bottom), ascent_s; pause_s between repetitions; stance_s of stable stance
        before the first and after the last; tempo_jitter: SD of descent and ascent times as a share, drawn with `seed`.
    Posture at the bottom:
        depth_m: hip joint height minus knee joint height, negative below the knee (mean of both sides).
        trunk_lean_deg: neck - pelvis against the vertical, forward positive.
        shin_lean_deg: knee - ankle against the vertical, mean of both sides; None: whatever keeps the centre of mass
            over the feet, as far as ankles reach.
        knee_valgus_m: how far the knee is inside (medial of) the vertical plane through ankle and toe; negative
            outside. One number for both knees or (left, right).
        heel_rise_m: height of the heel above the floor, the foot turning about its toe; one number or (left, right).
        arm_drop_deg: shoulders' midpoint to wrists' midpoint against the vertical, forward positive.
        pelvis_shift_m: sideways shift of the pelvis, left positive.
        depth_difference_m: depth of the left side minus depth of the right side.
    Both at the bottom and in stance:
        stance_width_m: between the ankle joints. toe_out_deg: heel-to-toe line against straight ahead, each foot.
        grip_width_m: between the wrists. scale: size of the body against the mean of `skeleton.REST_OFFSETS`.
    left_lead_s: how much earlier than the right side the left side moves (negative: later).

    Raises ValueError naming the parameter, its value and the allowed range.
    """

    repetitions: int = 3
    descent_s: float = 1.3
    hold_s: float = 0.3
    ascent_s: float = 1.1
    pause_s: float = 0.8
    stance_s: float = 1.5
    depth_m: float = -0.04
    trunk_lean_deg: float = 32.0
    shin_lean_deg: float | None = None
    knee_valgus_m: float | Sides = 0.0
    heel_rise_m: float | Sides = 0.0
    arm_drop_deg: float = 0.0
    grip_width_m: float = 0.75
    toe_out_deg: float = 15.0
    stance_width_m: float = 0.36
    pelvis_shift_m: float = 0.0
    depth_difference_m: float = 0.0
    left_lead_s: float = 0.0
    tempo_jitter: float = 0.0
    scale: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        if isinstance(self.repetitions, bool) or not isinstance(self.repetitions, int):
            raise ValueError(f"repetitions={self.repetitions!r} must be a whole number, 1 or more")
        if isinstance(self.seed, bool) or not isinstance(self.seed, int) or self.seed < 0:
            raise ValueError(f"seed={self.seed!r} must be a whole number, 0 or more")
        for field in fields(self):
            if field.name in FIELD_RANGES and not (field.name == "shin_lean_deg" and self.shin_lean_deg is None):
                _check_range(field.name, getattr(self, field.name))

    @property
    def knee_valgus_sides(self) -> Sides:
        """Knee valgus of (left, right), metres."""
        return _both(self.knee_valgus_m)

    @property
    def heel_rise_sides(self) -> Sides:
        """Heel rise of (left, right), metres."""
        return _both(self.heel_rise_m)


def _both(value: float | Sides) -> Sides:
    return value if isinstance(value, tuple) else (value, value)


def _check_range(name: str, value: float | Sides) -> None:
    low, high, unit = FIELD_RANGES[name]
    two_sided = name in ("knee_valgus_m", "heel_rise_m")
    if isinstance(value, tuple) and not (two_sided and len(value) == 2):
        kind = "one number or (left, right)" if two_sided else "one number"
        raise ValueError(f"{name}={value} must be {kind} from {low:g} to {high:g} {unit}")
    for number in value if isinstance(value, tuple) else (value,):
        if isinstance(number, bool) or not isinstance(number, int | float) or not isfinite(number):
            raise ValueError(f"{name}={number!r} is not a finite number; allowed: {low:g} to {high:g} {unit}")
        if not low <= number <= high:
            raise ValueError(f"{name}={number:g} is out of range; allowed: {low:g} to {high:g} {unit}")
