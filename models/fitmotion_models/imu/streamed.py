"""Virtual sensors on motion that comes in pieces: hours of it, in memory that does not grow.

What is given is what `imu_from_motion` gives of the whole, but for what the filters forget: each piece is computed with
so much of the motion before and after it that the rest counts less than a ten-thousandth of the range.
"""

import math
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from fitmotion_models.imu.offline import end_s, readings_at, sample_times
from fitmotion_models.imu.site_motion import SiteMotion, site_motion
from fitmotion_models.imu.sites import Site
from fitmotion_models.imu.values import DEFAULT_RATE_HZ, MAX_GAP_S, Cutoffs, ImuRecording, cutoffs_for
from fitmotion_models.skeleton.motion_clip import MotionClip

PIECE_S = 20.0  # of motion that is computed at once: what of it is in memory is a few megabytes
_CONTEXTS = 3.0  # of the ends' length: what a filter still feels that far away is below 1e-4


def virtual_imu_in_pieces(
    clips: Iterable[MotionClip],
    sites: Sequence[Site],
    *,
    rate_hz: float = DEFAULT_RATE_HZ,
    cutoffs: Cutoffs | None = None,
    max_gap_s: float = MAX_GAP_S,
) -> Iterator[ImuRecording]:
    """What sensors at these sites read during clips that follow each other, in recordings that follow each other.

    clips: of one body, each beginning after the one before has ended; such as `pieces` makes of a long one. cutoffs:
    without them those that suit the number of cameras behind the first clip. Samples are at whole multiples of
    1 / rate_hz seconds from the first stamp to the last, the same as of one clip; the recordings together hold each
    once. Raises ValueError: no site, a rate that is not positive, a clip that begins before the one before has ended.
    """
    if not sites:
        raise ValueError("no site is given; see select_sites")
    if not (math.isfinite(rate_hz) and rate_hz > 0.0):
        raise ValueError(f"rate_hz={rate_hz} must be a positive number of samples a second")
    names = tuple(site.name for site in sites)
    held: SiteMotion | None = None  # the motion that is still needed
    due = -math.inf  # samples before this time are out
    for clip in clips:
        if not len(clip):
            continue
        cutoffs = cutoffs or cutoffs_for(clip.views)
        context = _CONTEXTS * end_s(min(cutoffs.position_hz, cutoffs.rotation_hz)) + max_gap_s
        held = _joined(held, site_motion(clip, sites))
        last = held.stamps[-1] - context
        if last - max(due, held.stamps[0]) >= PIECE_S:
            yield _between(held, names, due, last, rate_hz, cutoffs, max_gap_s)
            due = last
            held = _from(held, due - context)
    if held is not None and cutoffs is not None:
        yield _between(held, names, due, math.inf, rate_hz, cutoffs, max_gap_s)


def pieces(clip: MotionClip, seconds: float = PIECE_S) -> Iterator[MotionClip]:
    """A clip in pieces of so many seconds, without copying it. Raises ValueError for a length that is not positive."""
    if not (math.isfinite(seconds) and seconds > 0.0):
        raise ValueError(f"seconds={seconds} is no length of a piece; give a positive one")
    if not len(clip):
        return
    starts = np.searchsorted(clip.stamps, np.arange(clip.stamps[0], clip.stamps[-1] + 1e-9, seconds))
    bounds = [*np.unique(starts), len(clip)]
    for start, end in zip(bounds, bounds[1:], strict=False):
        yield clip_rows(clip, slice(int(start), int(end)))


def clip_rows(clip: MotionClip, rows: slice) -> MotionClip:
    """Some consecutive frames of a clip."""
    names = ("positions", "rotations", "confidence", "feet", "feet_confidence", "view_direction")
    return MotionClip(
        fps=clip.fps,
        stamps=clip.stamps[rows],
        bone_offsets=clip.bone_offsets,
        views=clip.views,
        subject=clip.subject,
        source=clip.source,
        labels=clip.labels,
        **{name: getattr(clip, name)[rows] for name in names},
    )


def _joined(before: SiteMotion | None, after: SiteMotion) -> SiteMotion:
    if before is None:
        return after
    if after.stamps[0] <= before.stamps[-1]:
        raise ValueError(
            f"a clip begins at {after.stamps[0]} s, before the one before it has ended at {before.stamps[-1]} s; "
            "give clips in the order of time"
        )
    pairs = ((getattr(before, name), getattr(after, name)) for name in ("stamps", "positions", "rotations"))
    return SiteMotion(*(np.concatenate(pair) for pair in pairs))


def _from(motion: SiteMotion, start: float) -> SiteMotion:
    """The motion from a time on, in memory of its own, so that the rest is freed."""
    rows = slice(int(np.searchsorted(motion.stamps, start)), None)
    return SiteMotion(motion.stamps[rows].copy(), motion.positions[rows].copy(), motion.rotations[rows].copy())


def _between(
    motion: SiteMotion,
    names: tuple[str, ...],
    start: float,
    end: float,
    rate_hz: float,
    cutoffs: Cutoffs,
    max_gap_s: float,
) -> ImuRecording:
    """The readings at the samples from start, exclusive of end."""
    samples = sample_times(motion.stamps, rate_hz)
    # a sample's time is rounded: half a sample around it there is no other
    half = 0.5 / rate_hz
    first, last = (np.ceil(time * rate_hz - 1e-6) / rate_hz if math.isfinite(time) else time for time in (start, end))
    wanted = samples[(samples >= first - half) & (samples < last - half)]
    return readings_at(motion, names, wanted, rate_hz, cutoffs, max_gap_s)
