"""A body that does the seven tests of a screen one after the other, each side once: for demonstrations and tests."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from fitmotion_models.mover.body import Float64
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
from fitmotion_models.skeleton.kinematics import feet_from_pose, forward_kinematics
from fitmotion_models.skeleton.motion_clip import MotionClip
from fitmotion_models.skeleton.rotations import slerp

Make = Callable[..., MotionClip]
_SIDES = ("left", "right")

# In the official order. Not all is perfect: the hurdle is stepped over with a tilted dowel on the right, the left leg
# is raised over the knee only, and rotary stability on the right is possible diagonally alone.
_PARTS: tuple[Make, ...] = (
    partial(squat_clip, SquatParameters(repetitions=1)),
    partial(hurdle_step_clip, HurdleStepParameters(side="left")),
    partial(hurdle_step_clip, HurdleStepParameters(side="right", shoulder_tilt_deg=18.0)),
    *(partial(inline_lunge_clip, InlineLungeParameters(side=side)) for side in _SIDES),
    *(
        partial(shoulder_mobility_clip, ShoulderMobilityParameters(side=side, reach_s=2.0, return_s=1.8))
        for side in _SIDES
    ),
    partial(leg_raise_clip, LegRaiseParameters(side="left", ankle_over=0.25)),
    partial(leg_raise_clip, LegRaiseParameters(side="right")),
    partial(push_up_clip, PushUpParameters()),
    partial(rotary_stability_clip, RotaryStabilityParameters(side="left")),
    partial(rotary_stability_clip, RotaryStabilityParameters(side="right", diagonal=True)),
)
# Seconds from one stance to the next: to change the grip alone, and more where the body goes down to the floor, by the
# square root of how far a joint goes, metres, as from rest to rest under one acceleration.
_LEAST_CHANGE_S, _CHANGE_S = 0.8, 1.2
_FIELDS = (
    "positions",
    "rotations",
    "confidence",
    "feet",
    "feet_confidence",
    "view_direction",
)


def whole_screen_clip(*, fps: float = 30.0, subject: str = "mover") -> MotionClip:
    """All seven tests in the official order, about a minute and a half; it ends in the stance that it begins with.

    Every part begins and ends in its own stance, standing or on the floor; between them the body moves smoothly.
    """
    parts = [make(fps=fps, subject=subject) for make in _PARTS]
    changes = [changed_stance(one, other) for one, other in zip(parts, [*parts[1:], parts[0]], strict=True)]
    whole = cut_together([clip for part in zip(parts, changes, strict=True) for clip in part])
    # the stance that it begins with is its last frame
    return cut_together([whole, _first_frames(parts[0], 1)])


def changed_stance(before: MotionClip, after: MotionClip) -> MotionClip:
    """From the last frame of a clip to the first of another of the same body, without both, from rest to rest."""
    start, end = before.frame(len(before) - 1), after.frame(0)
    way = float(np.linalg.norm(end.positions - start.positions, axis=-1).max())
    count = max(round((_LEAST_CHANGE_S + _CHANGE_S * np.sqrt(way)) * before.fps), 2)
    share = np.arange(1, count) / count
    share = share**3 * (10.0 - 15.0 * share + 6.0 * share**2)  # minimum jerk (Flash and Hogan 1985)
    rotations = slerp(start.rotations[None], end.rotations[None], share[:, None])
    root = start.positions[0] + share[:, None] * (end.positions[0] - start.positions[0])
    positions = forward_kinematics(root, rotations, before.bone_offsets)
    feet = feet_from_pose(positions, rotations, before.bone_offsets)
    lift = _lift(np.concatenate([positions, feet], axis=1)[..., 2].min(axis=1), share)
    positions[..., 2] += lift[:, None]
    feet[..., 2] += lift[:, None]
    frames = count - 1
    return replace(
        before,
        stamps=np.arange(frames) / before.fps,
        positions=positions.astype(np.float32),
        rotations=rotations.astype(np.float32),
        confidence=np.repeat(before.confidence[-1:], frames, axis=0),
        feet=feet.astype(np.float32),
        feet_confidence=np.repeat(before.feet_confidence[-1:], frames, axis=0),
        view_direction=np.repeat(before.view_direction[-1:], frames, axis=0),
        labels=(),
    )


def _lift(lowest: Float64, share: Float64) -> Float64:
    """By how much to raise a body whose lowest points would go through the floor, (T,) m, smoothly from 0 to 0."""
    under = np.maximum(-lowest, 0.0)
    bump = 4.0 * share * (1.0 - share)
    inside = bump > 0.05
    return np.asarray(bump * float((under[inside] / bump[inside]).max(initial=0.0)))


def _first_frames(clip: MotionClip, count: int) -> MotionClip:
    """The first frames of a clip."""
    arrays: dict[str, Any] = {name: getattr(clip, name)[:count] for name in _FIELDS}
    return replace(clip, stamps=clip.stamps[:count], **arrays)


def cut_together(clips: Sequence[MotionClip]) -> MotionClip:
    """One clip of several of one person and rate."""
    arrays: dict[str, Any] = {name: np.concatenate([getattr(clip, name) for clip in clips]) for name in _FIELDS}
    frames = sum(len(clip) for clip in clips)
    return replace(clips[0], stamps=np.arange(frames) / clips[0].fps, labels=(), **arrays)
