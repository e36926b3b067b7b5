"""Recordings of one person put one after the other with pauses: for what has to find them again in a stream."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.skeleton.body_pose import ARRAY_SHAPES
from fitmotion_models.skeleton.motion_clip import MotionClip
from fitmotion_models.skeleton.rotations import Float64, slerp

# share of a pause in which the body goes over from one stance to the next; before and after it stands still
_BLEND_SHARE = 0.5


@dataclass(frozen=True)
class Span:
    """Where a recording lies in the stream: stamps of its first and last frame, seconds."""

    start: float
    end: float


def concatenate(
    clips: Sequence[MotionClip], pauses_s: float | Sequence[float] = 1.0
) -> tuple[MotionClip, tuple[Span, ...]]:
    """One clip of several with a pause before, between and after them, and where each of them lies.

    clips: of one frame rate; each is left where it was recorded (readers place a recording at the origin, facing x).
    pauses_s: one length, seconds, or several that are taken in turn. In the pause before the first and after the last
    recording the body stands still in the first and the last frame. In a pause between two it stands in the last frame
    for a quarter of it, goes over to the next recording's first frame for half of it (minimum jerk; points along
    straight lines, joints along the shortest turn), and stands there for the last quarter: nothing jumps.
    The boundaries are the recordings' own first and last frames, which hold what whoever cut them left of standing.
    Raises ValueError without a clip, for different frame rates and for a pause that is not positive.
    """
    if not clips:
        raise ValueError("nothing to put together; give at least one clip")
    fps = clips[0].fps
    if any(abs(clip.fps - fps) > 1e-6 for clip in clips):
        rates = sorted({clip.fps for clip in clips})
        raise ValueError(f"the clips have the frame rates {rates}; resample them to one")
    pauses = [pauses_s] if isinstance(pauses_s, int | float) else list(pauses_s)
    if not pauses or min(pauses) <= 0.0:
        raise ValueError(f"pauses_s is {pauses_s}; allowed: lengths above 0 s")
    lengths = [max(1, round(pauses[index % len(pauses)] * fps)) for index in range(len(clips) + 1)]
    parts: list[dict[str, NDArray[np.float32]]] = [_held(clips[0], 0, lengths[0])]
    spans = []
    frames = lengths[0]
    for index, clip in enumerate(clips):
        parts.append({name: getattr(clip, name) for name in _FIELDS})
        spans.append(Span(frames / fps, (frames + len(clip) - 1) / fps))
        pause = lengths[index + 1]
        last = index + 1 == len(clips)
        parts.append(_held(clip, -1, pause) if last else _blend(clip, clips[index + 1], pause))
        frames += len(clip) + pause
    arrays: dict[str, Any] = {name: np.concatenate([part[name] for part in parts]) for name in _FIELDS}
    bones = np.mean([clip.bone_offsets for clip in clips], axis=0)
    return replace(clips[0], stamps=np.arange(frames) / fps, bone_offsets=bones, labels=(), **arrays), tuple(spans)


_FIELDS = [name for name in ARRAY_SHAPES if name != "bone_offsets"]


def _held(clip: MotionClip, index: int, frames: int) -> dict[str, NDArray[np.float32]]:
    return {name: np.repeat(getattr(clip, name)[index][None], frames, axis=0) for name in _FIELDS}


def _blend(before: MotionClip, after: MotionClip, frames: int) -> dict[str, NDArray[np.float32]]:
    """The pause between two recordings."""
    still = (1.0 - _BLEND_SHARE) / 2.0
    share = np.clip((np.arange(1, frames + 1) / (frames + 1) - still) / _BLEND_SHARE, 0.0, 1.0)
    share = share**3 * (10.0 + share * (6.0 * share - 15.0))

    def weighted(name: str) -> Float64:
        first, second = (np.asarray(getattr(clip, name)[index], float) for clip, index in ((before, -1), (after, 0)))
        weights = share.reshape(-1, *(1,) * first.ndim)
        return np.asarray((1.0 - weights) * first + weights * second)

    result = {name: weighted(name).astype(np.float32) for name in _FIELDS if name != "rotations"}
    turned = slerp(before.rotations[-1].astype(float), after.rotations[0].astype(float), share[:, None])
    result["rotations"] = turned.astype(np.float32)
    return result
