"""The movers of the tests on the floor by name: each is done well, and with one fault at a time."""

from collections.abc import Callable
from functools import partial

from fitmotion_models.mover.leg_raise import leg_raise_clip
from fitmotion_models.mover.leg_raise_parameters import LegRaiseParameters
from fitmotion_models.mover.push_up import push_up_clip
from fitmotion_models.mover.push_up_parameters import HANDS_AT, PushUpParameters
from fitmotion_models.mover.rotary_parameters import RotaryStabilityParameters
from fitmotion_models.mover.rotary_stability import rotary_stability_clip
from fitmotion_models.skeleton.kinematics import REST_STATURE
from fitmotion_models.skeleton.motion_clip import MotionClip

_FOREHEAD, _CHIN, _CLAVICLE = (REST_STATURE * HANDS_AT[name] for name in ("forehead", "chin", "clavicle"))

LEG_RAISES: dict[str, LegRaiseParameters] = {
    "leg_raise": LegRaiseParameters(),
    "leg_raise_right": LegRaiseParameters(side="right"),
    "leg_raise_over_knee": LegRaiseParameters(ankle_over=0.2),
    "leg_raise_below_knee": LegRaiseParameters(ankle_over=-0.3),
    "leg_raise_knee_bent": LegRaiseParameters(raised_knee_deg=30.0),
    "leg_raise_other_leg_lifts": LegRaiseParameters(other_lift_m=0.12),
    "leg_raise_other_knee_bent": LegRaiseParameters(other_knee_deg=35.0),
}
PUSH_UPS: dict[str, PushUpParameters] = {
    "push_up": PushUpParameters(hands_ahead_m=_FOREHEAD),
    "push_up_hands_at_chin": PushUpParameters(hands_ahead_m=_CHIN),
    "push_up_hands_at_clavicle": PushUpParameters(hands_ahead_m=_CLAVICLE),
    "push_up_sagging": PushUpParameters(hands_ahead_m=_FOREHEAD, sag_deg=28.0, elbow_deg=20.0),
    "push_up_hips_late": PushUpParameters(hands_ahead_m=_CHIN, hips_lag_s=0.5, hold_s=0.8, elbow_deg=20.0),
    "push_up_not_risen": PushUpParameters(hands_ahead_m=_CHIN, elbow_deg=85.0),
}
ROTARIES: dict[str, RotaryStabilityParameters] = {
    "rotary": RotaryStabilityParameters(),
    "rotary_right": RotaryStabilityParameters(side="right"),
    "rotary_diagonal": RotaryStabilityParameters(diagonal=True),
    "rotary_diagonal_right": RotaryStabilityParameters(side="right", diagonal=True),
    "rotary_apart": RotaryStabilityParameters(elbow_to_knee_m=0.25),
    "rotary_rolling": RotaryStabilityParameters(trunk_roll_deg=28.0),
    "rotary_swaying": RotaryStabilityParameters(sway_m=0.16),
}

FLOOR_MOVERS: dict[str, Callable[..., MotionClip]] = {
    **{name: partial(leg_raise_clip, parameters) for name, parameters in LEG_RAISES.items()},
    **{name: partial(push_up_clip, parameters) for name, parameters in PUSH_UPS.items()},
    **{name: partial(rotary_stability_clip, parameters) for name, parameters in ROTARIES.items()},
}
"""name -> factory, as in `movers.MOVERS`."""
