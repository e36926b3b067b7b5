"""How much later or earlier one video of a movement starts than another, found from the movement itself.

At the right offset the rays of two calibrated cameras to the same part of the body pass each other always alike, by
what a detector puts it beside in the two views; at a wrong one by ever other distances, the more the person moves. Left
and right of a joint are taken together, as a view may exchange them. On four views of an athlete that started together,
cut at other frames, this finds the cuts to one frame of 60 a second.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.pose.keypoints import Keypoints
from fitmotion_models.pose.rig import Rig, RigCamera
from fitmotion_models.pose.triangulation import MIN_CONFIDENCE
from fitmotion_models.skeleton.joint_sets import joint_set

Array = NDArray[np.float64]

# Videos start no farther apart than this, seconds.
LARGEST_OFFSET_S = 30.0
# They have to show the same time for at least this long, or half of the shorter one.
_LEAST_OVERLAP_S = 1.0
# At the offset that is taken the rays must agree to less than this share of what they do at other offsets (median).
CLEAR_SHARE = 0.8
_JOINTS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")


@dataclass(frozen=True, eq=False)
class Track:
    """One video's landmarks. stamps: seconds, rising. views: Keypoints or None, one a stamp."""

    stamps: tuple[float, ...]
    views: tuple[Keypoints | None, ...]


@dataclass(frozen=True)
class Offsets:
    """seconds: one a video; what the first video shows at t, that video shows at t + offset. 0 for the first.

    miss: metres by which the rays of that video and of the first pass each other differently then, 0 for the first.
    """

    seconds: tuple[float, ...]
    miss: tuple[float, ...]

    def __str__(self) -> str:
        parts = [
            f"video {index} {seconds:+.3f} s (rays agree to {miss * 100:.1f} cm)"
            for index, (seconds, miss) in enumerate(zip(self.seconds, self.miss, strict=True), start=1)
        ]
        return f"starts against video 1: {', '.join(parts[1:])}"


def find_offsets(tracks: Sequence[Track], rig: Rig) -> Offsets:
    """The offsets of all videos against the first, one video a camera of the rig.

    Raises ValueError where the movement does not tell it: nobody moves, or the videos show different times.
    """
    rate = max(len(track.stamps) / max(track.stamps[-1] - track.stamps[0], 1e-9) for track in tracks)
    evens = [_even_rays(track, camera, rate) for track, camera in zip(tracks, rig.cameras, strict=True)]
    seconds, misses = [0.0], [0.0]
    for index in range(1, len(tracks)):
        base = rig.cameras[index].position - rig.cameras[0].position
        lag, miss, usual = _best_lag(evens[0], evens[index], base, rate)
        if not miss < CLEAR_SHARE * usual:
            raise ValueError(
                f"video {index + 1} cannot be set beside video 1: no offset fits clearly better than others (rays "
                f"agree to {miss * 100:.1f} cm at best, to {usual * 100:.1f} cm usually); film a quick movement, say "
                "a jump, at the start, or start the videos together"
            )
        seconds.append(lag / rate + tracks[index].stamps[0] - tracks[0].stamps[0])
        misses.append(miss)
    return Offsets(tuple(seconds), tuple(misses))


def _even_rays(track: Track, camera: RigCamera, rate: float) -> Array:
    """Directions (T, P, 3) to the middles of the joints' pairs, evenly in time from the first stamp; NaN unseen."""
    if len(track.stamps) < 3:
        raise ValueError("a video of fewer than 3 frames cannot be set beside another by its movement")
    middles = np.stack([_middles(view) for view in track.views])
    stamps = np.asarray(track.stamps)
    even = np.arange(stamps[0], stamps[-1] + 0.5 / rate, 1.0 / rate)
    after = np.clip(np.searchsorted(stamps, even), 1, len(stamps) - 1)
    share = ((even - stamps[after - 1]) / (stamps[after] - stamps[after - 1]))[:, None, None]
    return camera.directions((1.0 - share) * middles[after - 1] + share * middles[after])


def _middles(view: Keypoints | None) -> Array:
    """Pixels (P, 2) half way between left and right joints, NaN where one is unseen."""
    if view is None:
        return np.full((len(_JOINTS), 2), np.nan)
    joints = joint_set(view.joint_set)
    pixels = np.where((view.confidence >= MIN_CONFIDENCE)[:, None], view.pixels.astype(np.float64), np.nan)
    sides = [[joints.index(f"{side}_{name}") for name in _JOINTS] for side in ("left", "right")]
    return np.asarray(0.5 * (pixels[sides[0]] + pixels[sides[1]]))


def _best_lag(first: Array, other: Array, base: Array, rate: float) -> tuple[float, float, float]:
    """The lag in samples at which rays meet best, to a fraction, how closely, and how closely at the other lags."""
    least = max(int(min(_LEAST_OVERLAP_S * rate, min(len(first), len(other)) / 2)), 2)
    most = int(LARGEST_OFFSET_S * rate)
    lags = np.arange(max(-most, least - len(first)), min(most, len(other) - least) + 1)
    misses = np.array([_miss(first, other, base, int(lag)) for lag in lags])
    if not np.isfinite(misses).any():
        return 0.0, np.inf, np.inf
    best = int(np.nanargmin(misses))
    lag = float(lags[best])
    if 0 < best < len(misses) - 1:
        left, middle, right = misses[best - 1 : best + 2]
        bend = left - 2.0 * middle + right
        if np.isfinite(bend) and bend > 0.0:
            lag += 0.5 * (left - right) / bend
    return lag, float(misses[best]), float(np.nanmedian(misses))


def _miss(first: Array, other: Array, base: Array, lag: int) -> float:
    """How differently rays first[i] and other[i + lag] pass each other over time, metres (median); NaN without any."""
    start, end = max(0, -lag), min(len(first), len(other) - lag)
    across = np.cross(first[start:end], other[start + lag : end + lag])
    length = np.linalg.norm(across, axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        distance = (across @ base) / length
    known = np.isfinite(distance)
    if not known.any():
        return float("nan")
    seen = known.any(0)
    distance = np.where(known, distance, np.nan)[:, seen]
    return float(np.nanmedian(np.abs(distance - np.nanmedian(distance, axis=0))))
