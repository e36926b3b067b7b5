"""Feet that stand kept where they stand, and everything over the floor: what a network's motion is freed from.

Where all that stands slides alike, it is the body that travels too fast or too slowly: it is moved as a whole. What is
left, legs are bent to; trunk and arms keep their posture. Causal from chunk to chunk: a foot that stood in the last
frame played stands on where it stood. Within the chunk a foot is let down and let go over a few frames, so that nothing
jumps.
"""

from dataclasses import dataclass

import numpy as np

from fitmotion_models.motion.body_frames import ROW, BodyFrames
from fitmotion_models.motion.features import FPS, LAYOUT
from fitmotion_models.motion.leg_ik import ANKLES, BALLS, HIPS, LEG_REACH, reach_ankles
from fitmotion_models.skeleton.joint_sets import SMPL22
from fitmotion_models.skeleton.rotations import Float64


@dataclass(frozen=True)
class CleanUpRules:
    """This project's choice.

    begins, ends: a heel or toe stands from when its predicted contact is over the one until it is under the other.
    farthest: metres that a foot is held back at most; one that travels on does not stand. release: share of the holding
    back that is left a frame after the foot is let go. settle: metres a frame that a standing foot is let down to the
    floor, and the pelvis to where its legs reach it. fastest: metres a second that standing feet may slide for the body
    to be slowed down or pushed on by it; faster ones do not stand. least: metres below which nothing is mended.
    """

    begins: float = 0.55
    ends: float = 0.45
    farthest: float = 0.10
    release: float = 0.7
    settle: float = 0.01
    fastest: float = 0.8
    least: float = 1e-4


_RULES = CleanUpRules()
_NOT_FEET = [joint for joint in range(len(SMPL22)) if joint not in (*ANKLES, *BALLS)]


# how a slide's speed is spread over the frames about it
_SPREAD = np.array([1.0, 2.0, 3.0, 2.0, 1.0]) / 9.0


def clean_up(
    frames: BodyFrames, last: Float64 | None = None, *, bound: bool = False, rules: CleanUpRules = _RULES
) -> None:
    """Plant the standing feet of a chunk and lift it out of the floor, in place.

    last: (ROW.size,) the frame played before it; None: nothing was. bound: the pelvis is where it was asked to be, and
    stays there over the floor. Contacts become 0 or 1.
    """
    under = np.maximum(0.0, -frames.positions[:, _NOT_FEET, 2].min(axis=-1))
    if under.any():
        frames.moved(under[:, None] * (0.0, 0.0, 1.0))
    before = np.zeros(4) if last is None else last[ROW["features"]][LAYOUT["contacts"]]
    frames.contacts[:] = _contacts(frames.contacts, before, rules)
    places = None if last is None else last[ROW["feet"]].reshape(4, 3)
    if not bound:
        _travel(frames, before, places, rules)
    offsets = np.stack([_offsets(frames, foot, before, places, rules) for foot in (0, 1)], axis=1)
    if np.abs(offsets).max() < rules.least:
        return
    ankles = frames.positions[:, ANKLES] + offsets
    _lower_pelvis(frames, ankles, rules)
    reach_ankles(frames, ankles)


def _contacts(predicted: Float64, before: Float64, rules: CleanUpRules) -> Float64:
    """(T, 4) 0 or 1; between the two thresholds what was goes on."""
    on, off = predicted > rules.begins, predicted < rules.ends
    result = np.empty_like(predicted)
    state = before > 0.5
    for frame in range(len(predicted)):
        state = (state | on[frame]) & ~off[frame]
        result[frame] = state
    return result


def _travel(frames: BodyFrames, before: Float64, places: Float64 | None, rules: CleanUpRules) -> None:
    """Move the body as a whole against what its standing feet slide by."""
    first = frames.feet[:1] if places is None else places[None]
    steps = np.diff(frames.feet[..., :2], axis=0, prepend=first[..., :2])
    stands = frames.contacts * np.concatenate([before[None], frames.contacts[:-1]])
    stands = stands * (np.linalg.norm(steps, axis=-1) * FPS < rules.fastest)
    weight = stands.sum(axis=1)
    if not weight.any():
        return
    slides = np.zeros((len(frames), 2))
    known = weight > 0.0
    slides[known] = (stands[known, :, None] * steps[known]).sum(axis=1) / weight[known, None]
    # while nothing stands the body travels on as corrected as it was
    latest = np.maximum.accumulate(np.where(known, np.arange(len(known)), 0))
    slides = slides[latest]
    around = len(_SPREAD) // 2
    padded = np.concatenate([np.zeros((around, 2)), slides, np.repeat(slides[-1:], around, axis=0)])
    smooth = sum(share * padded[at : at + len(slides)] for at, share in enumerate(_SPREAD))
    way = np.cumsum(-smooth, axis=0)
    frames.moved(np.concatenate([way, np.zeros((len(way), 1))], axis=1))


def _offsets(frames: BodyFrames, foot: int, before: Float64, places: Float64 | None, rules: CleanUpRules) -> Float64:
    """(T, 3) metres by which a foot has to be elsewhere."""
    points = frames.feet[:, 2 * foot : 2 * foot + 2]
    lows = points[..., 2].min(axis=-1).tolist()
    xy = points[..., :2].tolist()
    stands = frames.contacts[:, 2 * foot : 2 * foot + 2].tolist()
    # a toe that stands is what the foot turns about; a heel only before the toe is down
    held = _held(before[2 * foot : 2 * foot + 2].tolist())
    place = None if held is None or places is None else places[2 * foot + held, :2].tolist()
    x = y = z = 0.0
    result = []
    for frame, low in enumerate(lows):
        point = _held(stands[frame])
        if point is None:
            place = None
        else:
            here = xy[frame][point]
            if place is None or point != held:
                place = [here[0] + x, here[1] + y]
            away = (place[0] - here[0], place[1] - here[1])
            if away[0] ** 2 + away[1] ** 2 > rules.farthest**2:
                place = None
            else:
                x, y = away
        held = point
        if place is None:
            x, y = rules.release * x, rules.release * y
        wanted = -low if point is not None else max(0.0, -low)
        z = max(min(max(wanted, z - rules.settle), z + rules.settle), -low)
        result.append((x, y, z))
    return np.array(result)


def _held(stands: list[float]) -> int | None:
    """0 the heel, 1 the toe, None: the foot is in the air."""
    if stands[1] > 0.5:
        return 1
    return 0 if stands[0] > 0.5 else None


def _lower_pelvis(frames: BodyFrames, ankles: Float64, rules: CleanUpRules) -> None:
    """Lower the body where a leg that stands is too short for where its foot stands."""
    line = ankles - frames.positions[:, HIPS]
    aside = line[..., 0] ** 2 + line[..., 1] ** 2
    missing = -line[..., 2] - np.sqrt(np.maximum(LEG_REACH**2 - aside, 0.0))
    standing = frames.contacts.reshape(-1, 2, 2).max(axis=-1) > 0.5
    drops = np.where(standing, np.clip(missing, 0.0, rules.farthest), 0.0).max(axis=-1)
    if drops.max() < rules.least:
        return
    lowered: list[float] = drops.tolist()
    for frame in range(len(lowered) - 2, -1, -1):
        lowered[frame] = max(lowered[frame], lowered[frame + 1] - rules.settle)
    now = 0.0
    for frame, drop in enumerate(lowered):
        now = lowered[frame] = min(drop, now + rules.settle) if drop > now else max(drop, now - rules.settle)
    frames.moved(-np.array(lowered)[:, None] * (0.0, 0.0, 1.0))
