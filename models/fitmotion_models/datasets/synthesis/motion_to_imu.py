"""Virtual sensors for a data set: cut-offs that suit where the motion is from, and none across what no body does."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from fitmotion_models.imu.noise_cutoff import cutoffs_from_noise
from fitmotion_models.imu.offline import sample_times, virtual_imu
from fitmotion_models.imu.site_motion import site_motion
from fitmotion_models.imu.sites import Site
from fitmotion_models.imu.smoothing_spline import FEWEST
from fitmotion_models.imu.values import Cutoffs, ImuRecording, cutoffs_for
from fitmotion_models.motion.condition import MAX_SPEED
from fitmotion_models.skeleton.body_pose import ARRAY_SHAPES, Source
from fitmotion_models.skeleton.motion_clip import MotionClip

USUAL, NOISE = "usual", "noise"
GENERATED = Cutoffs(6.0, 6.0)
"""Of generated motion: its 20 frames a second jitter up to half of that; what people do when walking lies below 6 Hz
(Winter 2009, Biomechanics and Motor Control of Human Movement, chapter 3)."""

_SHORTEST_S = 0.3  # between two jumps: less is one of them
_SIGNALS = {"specific_force": 3, "angular_velocity": 3, "rotations": 4}


def read_cutoffs(text: str) -> Cutoffs | None:
    """Cut-offs from "6" (Hz) or "12,15" (positions, rotations); None for `USUAL` and `NOISE`, which depend on the clip.

    Raises ValueError for anything else.
    """
    if text in (USUAL, NOISE):
        return None
    try:
        numbers = [float(word) for word in text.split(",")]
        return Cutoffs(numbers[0], numbers[-1]) if len(numbers) <= 2 else _refuse(text)
    except ValueError:
        return _refuse(text)


def _refuse(text: str) -> Cutoffs:
    raise ValueError(f"cut-off '{text}': give Hz such as 6, or 12,15 for positions and rotations; or {USUAL}, {NOISE}")


def clip_cutoffs(clip: MotionClip, sites: Sequence[Site], wish: str) -> Cutoffs:
    """The cut-offs of a clip: those given, what suits its source, or what suits the noise that it shows."""
    given = read_cutoffs(wish)
    if given is not None:
        return given
    usual = GENERATED if clip.source is Source.GENERATED else cutoffs_for(clip.views)
    if wish == USUAL:
        return usual
    return cutoffs_from_noise(site_motion(clip, sites), usual, highest=usual if clip.views else None)


def imu_of_clip(clip: MotionClip, sites: Sequence[Site], rate_hz: float, wish: str = USUAL) -> ImuRecording:
    """What sensors read in a clip; NaN where a body jumps from place to place, as a camera's does that was lost.

    wish: see `clip_cutoffs`. What lies between two jumps (`MAX_SPEED`) is worked on by itself, as no filter may see
    both sides of one. Raises ValueError as `virtual_imu`.
    """
    cutoffs = clip_cutoffs(clip, sites, wish)
    parts = list(_unbroken(clip))
    if len(parts) == 1 and len(parts[0]) == len(clip):
        return virtual_imu(clip, sites, rate_hz=rate_hz, cutoffs=cutoffs)
    stamps = sample_times(clip.stamps, rate_hz)
    shape = len(stamps), len(sites)
    arrays = {name: np.full((*shape, width), np.nan) for name, width in _SIGNALS.items()}
    for part in parts:
        read = virtual_imu(part, sites, rate_hz=rate_hz, cutoffs=cutoffs)
        if len(read):
            first = round((read.stamps[0] - stamps[0]) * rate_hz)
            for name, values in arrays.items():
                values[first : first + len(read)] = getattr(read, name)
    return ImuRecording(tuple(site.name for site in sites), rate_hz, stamps, **arrays)


def _unbroken(clip: MotionClip) -> Iterator[MotionClip]:
    """The stretches of a clip in which the pelvis is never faster than a person; too short ones are left out."""
    pelvis = clip.positions[:, 0].astype(np.float64)
    seen = np.flatnonzero(np.isfinite(pelvis).all(axis=-1))
    speeds = np.linalg.norm(np.diff(pelvis[seen], axis=0), axis=-1) / np.diff(clip.stamps[seen])
    jumps = seen[1:][speeds > MAX_SPEED]
    for rows in np.split(np.arange(len(clip)), jumps):
        if len(rows) >= max(FEWEST, math.ceil(_SHORTEST_S * clip.fps)):
            names = [name for name in ARRAY_SHAPES if name != "bone_offsets"]
            yield replace(clip, stamps=clip.stamps[rows], **{name: getattr(clip, name)[rows] for name in names})
