"""A body that does the seven tests of a screen one after the other, each side once: for demonstrations and tests."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from fitmotion_models.mover.hurdle_parameters import HurdleStepParameters
from fitmotion_models.mover.hurdle_step import hurdle_step_clip
from fitmotion_models.mover.inline_lunge import inline_lunge_clip
from fitmotion_models.mover.leg_raise import leg_raise_clip
from fitmotion_models.mover.leg_raise_parameters import LegRaiseParameters
from fitmotion_models.mover.lunge_parameters import InlineLungeParameters
from fitmotion_models.mover.push_up import push_up_clip
from fitmotion_models.mover.push_up_parameters import PushUpParameters
from fitmotion_models.mover.rotary_parameters import RotaryStabilityParameters
from fitmotion_models.mover.rotary_stability import rotary_stability_clip
from fitmotion_models.mover.shoulder_mobility import shoulder_mobility_clip
from fitmotion_models.mover.shoulder_parameters import ShoulderMobilityParameters
from fitmotion_models.mover.squat import squat_clip
from fitmotion_models.mover.squat_parameters import SquatParameters
from fitmotion_models.skeleton.motion_clip import MotionClip

Make = Callable[..., MotionClip]
_SIDES = ("left", "right")

# In the official order. Not all is perfect: the hurdle is stepped over with a tilted dowel on the right, the left leg
# is raised over the knee only, and rotary stability on the right is possible diagonally alone.
_PARTS: tuple[Make, ...] = (
    partial(squat_clip, SquatParameters(repetitions=1)),
    partial(hurdle_step_clip, HurdleStepParameters(side="left")),
    partial(hurdle_step_clip, HurdleStepParameters(side="right", shoulder_tilt_deg=18.0)),
    *(partial(inline_lunge_clip, InlineLungeParameters(side=side)) for side in _SIDES),
    *(partial(shoulder_mobility_clip, ShoulderMobilityParameters(side=side)) for side in _SIDES),
    partial(leg_raise_clip, LegRaiseParameters(side="left", ankle_over=0.25)),
    partial(leg_raise_clip, LegRaiseParameters(side="right")),
    partial(push_up_clip, PushUpParameters()),
    partial(rotary_stability_clip, RotaryStabilityParameters(side="left")),
    partial(rotary_stability_clip, RotaryStabilityParameters(side="right", diagonal=True)),
)
_FIELDS = (
    "positions",
    "rotations",
    "confidence",
    "feet",
    "feet_confidence",
    "view_direction",
)


def whole_screen_clip(*, fps: float = 30.0, subject: str = "mover") -> MotionClip:
    """All seven tests in the official order, about a minute and a quarter; from test to test it is cut, as in a film.

    Every part begins and ends in its own stance, standing or on the floor.
    """
    return cut_together([make(fps=fps, subject=subject) for make in _PARTS])


def cut_together(clips: Sequence[MotionClip]) -> MotionClip:
    """One clip of several of one person and rate."""
    arrays: dict[str, Any] = {name: np.concatenate([getattr(clip, name) for clip in clips]) for name in _FIELDS}
    frames = sum(len(clip) for clip in clips)
    return replace(clips[0], stamps=np.arange(frames) / clips[0].fps, labels=(), **arrays)
