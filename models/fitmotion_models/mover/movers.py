"""The movers by name: what `up` shows where there is no camera, and what replay plays."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from fitmotion_models.mover.floor_movers import FLOOR_MOVERS
from fitmotion_models.mover.squat import squat_series
from fitmotion_models.mover.squat_parameters import SquatParameters
from fitmotion_models.mover.whole_screen import whole_screen_clip
from fitmotion_models.skeleton.motion_clip import MotionClip

# name -> the squats it makes, one after the other
SQUATS: dict[str, tuple[SquatParameters, ...]] = {
    "squat": (SquatParameters(),),
    "squat_shallow": (SquatParameters(depth_m=0.12, trunk_lean_deg=28.0),),
    "squat_trunk_forward": (SquatParameters(trunk_lean_deg=55.0),),
    "squat_knees_in": (SquatParameters(knee_valgus_m=0.07),),
    "squat_knee_in_left": (SquatParameters(knee_valgus_m=(0.08, 0.0)),),
    "squat_heels_up": (SquatParameters(heel_rise_m=0.07),),
    "squat_arms_fall": (SquatParameters(arm_drop_deg=55.0),),
    "squat_asymmetric": (SquatParameters(pelvis_shift_m=0.06, depth_difference_m=0.02, left_lead_s=0.04),),
}


def _once(name: str, seed: int) -> tuple[SquatParameters, ...]:
    return tuple(replace(squat, repetitions=1, tempo_jitter=0.08, seed=seed) for squat in SQUATS[name])


# a person on a mixed day: good squats and one of each fault
SQUATS["subject"] = tuple(
    squat
    for seed, name in enumerate(
        ("squat", "squat", "squat_shallow", "squat_knees_in", "squat", "squat_heels_up", "squat_arms_fall")
    )
    for squat in _once(name, seed)
)

MOVERS: dict[str, Callable[..., MotionClip]] = {
    **{name: partial(squat_series, squats) for name, squats in SQUATS.items()},
    **FLOOR_MOVERS,
    "screen": whole_screen_clip,
}
"""name -> factory, called as `MOVERS[name](fps=30.0, subject="mover")`, both optional; gives a MotionClip."""


def make_mover(name: str, *, fps: float = 30.0, subject: str = "mover") -> MotionClip:
    """The clip of a mover. Raises ValueError, naming the known ones, when there is no mover of that name."""
    if name not in MOVERS:
        raise ValueError(f"mover {name!r} is unknown; known: {', '.join(MOVERS)}. Add it in mover/movers.py")
    return MOVERS[name](fps=fps, subject=subject)
