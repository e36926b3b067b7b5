"""The FMS set of Xing et al. 2022 (two Azure Kinects) as clips of a body with constant bones on the floor.

The sensors' 6 degrees of tilt are taken out; with both of them the side one's joints are laid on the front one's by one
turn about the vertical and one shift a recording, and each joint is the mean of the two by confidence. Joints go to
SMPL-22 by `skeleton.convert` (which says where that differs from the mapping that others use for this set), rotations
by the body fit: the SDK's own orientations are those of its model's bones, which are not SMPL's, and are not read.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from os import PathLike

import numpy as np

from fitmotion_models.datasets.kinect_cleaning import (
    KinectCleaning,
    kinect_clip,
    lying_body,
    standing_body,
    without_jitter,
)
from fitmotion_models.datasets.xing_files import (
    KINECT32,
    LEAST_SEEN,
    SENSORS,
    XingName,
    XingRecording,
    read_recordings,
    read_scores,
)
from fitmotion_models.fms.values import Variation
from fitmotion_models.skeleton.motion_clip import MotionClip
from fitmotion_models.skeleton.rotations import Float64

LICENCE = "CC0 1.0"
FPS = 30.0
"""Of the sensors, Hz; frames that they lost are put back by straight lines."""

_FEET_STAY = (
    Variation.DEEP_SQUAT_FLOOR,
    Variation.DEEP_SQUAT_BOARD,
    Variation.SHOULDER_MOBILITY_LEFT,
    Variation.SHOULDER_MOBILITY_RIGHT,
)
_ONE_SIDED = (Variation.HURDLE_STEP_LEFT, Variation.HURDLE_STEP_RIGHT)
# from the active straight leg raise on the body lies, props itself up or kneels
_ON_THE_FLOOR = tuple(one for one in Variation if one >= Variation.ACTIVE_STRAIGHT_LEG_RAISE_LEFT)
# joints that `skeleton.convert` makes nothing of: a recording may lack them
_UNUSED = ("hand", "handtip", "thumb", "clavicle", "nose", "eye", "ear", "neck", "pelvis")
# frames of two sensors that are further apart than this are not of the same moment, seconds (half a frame)
_SAME_MOMENT_S = 0.5 / FPS


def read_xing_fms(
    source: str | PathLike[str],
    *,
    persons: Iterable[str] | None = None,
    movements: Iterable[str] | None = None,
    sensor: str = "front",
    least_seen: float = LEAST_SEEN,
    cleaning: KinectCleaning | None = None,
) -> Iterator[tuple[XingName, MotionClip]]:
    """The clips of a folder or archive of the set, as they lie in it; the experts' grades are in the names.

    persons ("s01"), movements ("m01"): only these; None is all. sensor: "front", "side" or "both" (where both saw).
    least_seen: recordings with a body in fewer of their frames are left out (the set's own figures do so).
    Labels of a clip: name, test, form of the test ("deep_squat_board"), person, episode, the side where it has one, and
    "score 2" where it is known.
    Raises ValueError as `read_recordings` does, and for another sensor or share.
    """
    if sensor not in (*SENSORS, "both"):
        raise ValueError(f"sensor is {sensor!r}; allowed: {', '.join((*SENSORS, 'both'))}")
    if not 0.0 < least_seen <= 1.0:
        raise ValueError(f"least_seen is {least_seen}; allowed: above 0 and up to 1, a share of the frames")
    people, codes = (None if words is None else set(words) for words in (persons, movements))

    def wanted(name: XingName, by: str) -> bool:
        return (
            sensor in (by, "both")
            and (people is None or name.person in people)
            and (codes is None or name.movement in codes)
        )

    waiting: dict[XingName, XingRecording] = {}
    for recording in read_recordings(source, wanted, read_scores(source)):
        if recording.seen_share < least_seen:
            continue
        if sensor != "both":
            yield recording.name, xing_clip(recording, cleaning)
        elif (other := waiting.pop(recording.name, None)) is None:
            waiting[recording.name] = recording
        else:
            front, side = (recording, other) if recording.sensor == "front" else (other, recording)
            yield recording.name, xing_clip(joined(front, side), cleaning)


def joined(front: XingRecording, side: XingRecording) -> XingRecording:
    """The front sensor's recording with the side one's joints laid on it; times are the front one's.

    Raises ValueError where the two share fewer than two moments in which both see the body.
    """
    place = np.searchsorted(side.times, front.times).clip(1, len(side) - 1)
    place -= (front.times - side.times[place - 1]) < (side.times[place] - front.times)
    same = np.abs(side.times[place] - front.times) <= _SAME_MOMENT_S
    points, confidence = side.points[place], np.where(same[:, None], side.confidence[place], 0.0)
    both = np.sqrt(front.confidence * confidence)
    if (both.max(axis=1) > 0.0).sum() < 2:
        raise ValueError(f"{front.name}: front and side sensor share no two moments in which both see the body")
    laid = _laid_on(np.nan_to_num(points), np.nan_to_num(front.points), both)
    # what only one sensor saw is taken from that one
    total = front.confidence + confidence
    share = (confidence / np.where(total > 0.0, total, 1.0))[..., None]
    mean = (1.0 - share) * np.nan_to_num(front.points) + share * laid
    best = np.maximum(front.confidence, confidence)
    return replace(front, sensor="both", points=np.where(best[..., None] > 0.0, mean, np.nan), confidence=best)


def _laid_on(points: Float64, target: Float64, weights: Float64) -> Float64:
    """Points turned about z and shifted so that they lie on the target, weighted least squares; all (T, J, ...)."""
    share = (weights / weights.sum())[..., None]
    middle, aim = (share * points).sum(axis=(0, 1)), (share * target).sum(axis=(0, 1))
    a, b = points - middle, target - aim
    cosine = float((share[..., 0] * (a[..., 0] * b[..., 0] + a[..., 1] * b[..., 1])).sum())
    sine = float((share[..., 0] * (a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0])).sum())
    angle = np.arctan2(sine, cosine)
    turn = np.array([(np.cos(angle), -np.sin(angle), 0.0), (np.sin(angle), np.cos(angle), 0.0), (0.0, 0.0, 1.0)])
    result: Float64 = a @ turn.T + aim
    return result


def xing_clip(recording: XingRecording, cleaning: KinectCleaning | None = None) -> MotionClip:
    """A recording as a clip at 30 Hz: floor at 0, origin between the ankles at the start, x as faced then.

    Raises ValueError naming a joint that is needed and was never seen.
    """
    chosen = cleaning or KinectCleaning()
    variation = recording.name.variation
    points, confidence = _even(recording)
    points = without_jitter(points, chosen, FPS)
    if variation in _ON_THE_FLOOR:
        body = lying_body(points, confidence, KINECT32.name, FPS)
    else:
        planted = chosen.planted(stay=variation in _FEET_STAY, one_sided=variation in _ONE_SIDED)
        body = standing_body(points, confidence, KINECT32.name, FPS, planted)
    return kinect_clip(body, FPS, recording.name.person, _labels(recording.name))


def _even(recording: XingRecording) -> tuple[Float64, Float64]:
    """Points (N, 32, 3) and confidence (N, 32) on an even time axis; what was not seen lies on straight lines."""
    there = np.flatnonzero((recording.confidence > 0.0).any(axis=1))
    if len(there) < 2:
        raise ValueError(f"{recording.name}: the sensor saw a body in {len(there)} frames; at least two are needed")
    start, end = recording.times[there[0]], recording.times[there[-1]]
    even = start + np.arange(int(np.floor((end - start) * FPS + 1e-6)) + 1) / FPS
    points = np.zeros((len(even), len(KINECT32), 3))
    confidence = np.zeros((len(even), len(KINECT32)))
    for joint, name in enumerate(KINECT32.joints):
        seen = recording.confidence[:, joint] > 0.0
        if not seen.any():
            if name.split("_")[0] in _UNUSED:
                continue
            raise ValueError(f"{recording.name}: the sensor never saw {name}; take the other sensor or both")
        times = recording.times[seen]
        for axis in range(3):
            points[:, joint, axis] = np.interp(even, times, recording.points[seen, joint, axis])
        confidence[:, joint] = np.interp(even, times, recording.confidence[seen, joint])
    return points, confidence


def _labels(name: XingName) -> tuple[str, ...]:
    form = name.variation.name.lower()
    side = () if name.side is None else (name.side,)
    graded = () if name.score is None else (f"score {name.score}",)
    return (str(name), name.test, form, name.person, name.episode, *side, *graded)
