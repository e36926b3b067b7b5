"""Standing: the still stance that a stream begins from and, when nothing more is asked for, fades to without a jump."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from fitmotion_models.motion.body_frames import ROW, BodyFrames, decode, rows_of
from fitmotion_models.motion.easing import Rest, to_rest
from fitmotion_models.motion.features import FPS, heading_of
from fitmotion_models.motion.leg_ik import ANKLES, HIPS, LEG_REACH, reach_ankles
from fitmotion_models.skeleton.body_pose import Float32
from fitmotion_models.skeleton.joint_sets import FEET, SMPL22
from fitmotion_models.skeleton.kinematics import ANKLE_HEIGHT, REST_OFFSETS, rest_height
from fitmotion_models.skeleton.rotations import (
    Float64,
    conjugate,
    from_matrix,
    from_rotvec,
    multiply,
    to_matrix,
    to_rotvec,
)

_JOINTS = len(SMPL22)
_LEFT_RIGHT = np.array([1.0, -1.0])

# degrees from the T-pose about the rest axes (x forward, y left, z up) of the left side; the right one mirrors them.
# Arms hang a little off the body with loose elbows, palms to the thighs
_STANCE_DEGREES = {
    "collar": (-6.0, 0.0, 0.0),
    "shoulder": (-70.0, 0.0, -4.0),
    "elbow": (0.0, 0.0, -14.0),
}
# metres behind the pelvis: the centre of mass is then about 5 cm ahead of the ankles (Winter 1995)
_ANKLES_BEHIND = 0.064
_KNEES_LOOSE = 0.003  # metres that the pelvis is lower than over wholly straight legs
_TOES_OUT = np.radians(7.0)  # Winter 1995: feet of quiet standing turn out by about this


@dataclass(frozen=True)
class FadeRules:
    """How a body comes to stand; this project's choice but where a source is named.

    seconds: of the fade; longer where the pelvis has more than `pace` metres a second to go, up to `longest`.
    floor: a foot whose lowest point is lower than this (metres) stands. width: (least, most) metres between standing
    ankles across the heading, apart: the most along it, for both to stay where they are. reach: metres from where the
    body would come to rest within which one standing foot stays and the body comes over it. step: metres between the
    ankles after a step (hip width). lift: metres that a stepping foot rises. carry, swing: seconds for which the speed
    at the beginning carries the body, and the joints, on.
    """

    seconds: float = 1.0
    pace: float = 0.5
    longest: float = 2.0
    floor: float = 0.05
    width: tuple[float, float] = (0.10, 0.45)
    apart: float = 0.30
    reach: float = 0.60
    step: float = 0.18
    lift: float = 0.06
    carry: float = 0.6
    swing: float = 0.4


class _Feet(NamedTuple):
    """ankles (2, 2) metres over the floor, turns (2,) radians about up, steps (2,) whether the foot has to move."""

    ankles: Float64
    turns: Float64
    steps: tuple[bool, bool]


def _stance_local() -> Float64:
    """(22, 3, 3) local rotations of the upper body in stance; legs as at rest."""
    vectors = np.zeros((_JOINTS, 3))
    for joint, degrees in _STANCE_DEGREES.items():
        vectors[SMPL22.index(f"left_{joint}")] = np.radians(degrees)
        vectors[SMPL22.index(f"right_{joint}")] = np.radians(degrees) * (-1.0, 1.0, -1.0)
    return to_matrix(from_rotvec(vectors))


_STANCE = _stance_local()
# a quintic that comes to rest from a speed covers so much of what that speed would cover, without turning back
_COAST = 0.4
_PELVIS_HEIGHT = rest_height() - _KNEES_LOOSE


def standing_rows(count: int = 20, *, x: float = 0.0, y: float = 0.0, heading: float = 0.0) -> Float64:
    """Rows (count, ROW.size) of a body that stands still, its pelvis over (x, y) metres, facing `heading` radians."""
    half = 0.5 * FadeRules().step
    ahead, left = _heading_axes(np.array([np.cos(heading), np.sin(heading)]))
    middle = np.array([x, y]) - _ANKLES_BEHIND * ahead
    feet = _Feet(
        np.stack([middle + half * left, middle - half * left]), heading + _TOES_OUT * _LEFT_RIGHT, (False, False)
    )
    local = _STANCE.copy()
    local[0] = _about_up(heading)
    pelvis = np.array([x, y, _PELVIS_HEIGHT])
    frames = _frames(pelvis[None], local[None])
    _plant(frames, feet)
    return np.repeat(rows_of(frames), count, axis=0)


def standing_features(count: int = 20) -> Float32:
    """Features (count, 204) of standing still over the origin, facing x: what a stream begins from."""
    return standing_rows(count)[:, ROW["features"]].astype(np.float32)


def _frames(pelvis: Float64, local: Float64) -> BodyFrames:
    count = len(pelvis)
    positions = np.zeros((count, _JOINTS, 3))
    positions[:, 0] = pelvis
    frames = BodyFrames(local, local, positions, np.zeros((count, len(FEET), 3)), np.ones((count, len(FEET))))
    frames.follow()
    return frames


def _plant(frames: BodyFrames, feet: _Feet) -> None:
    """Feet flat on the floor where they shall stand."""
    ankles = np.concatenate([feet.ankles, np.full((2, 1), ANKLE_HEIGHT)], axis=-1)
    reach_ankles(frames, np.tile(ankles, (len(frames), 1, 1)), np.tile(_about_up(feet.turns), (len(frames), 1, 1, 1)))


def fade_rows(last: Float64, rules: FadeRules | None = None) -> Float64:
    """Rows (N, ROW.size) that bring a body to stand still, from its last two or more played rows (at least 2, W).

    Position and velocity go on from the last row. Feet that stand in a possible stance stay where they are; others step
    to beside them, or under the body.
    """
    chosen = rules or FadeRules()
    start = decode(last[-2:, ROW["features"]])
    heading = heading_of(start.local[-1, 0])
    pelvis = start.positions[:, 0]
    speed = (pelvis[1] - pelvis[0]) * FPS
    feet, over = _stance_of(start, speed, heading, chosen)
    goal = np.array([*over, _height_over(feet, over, heading)])
    far = float(np.linalg.norm(goal - pelvis[1]))
    count = round(FPS * float(np.clip(far / chosen.pace, chosen.seconds, chosen.longest)))
    rest = to_rest(count, round(FPS * chosen.carry))
    path = goal + rest.place[:, None] * (pelvis[1] - goal) + rest.speed[:, None] * (pelvis[1] - pelvis[0])
    rest = to_rest(count, round(FPS * chosen.swing))
    local = _local_to_stance(start.local, heading, rest)
    frames = _frames(path, local)
    _walk_feet(frames, start, feet, rest, chosen)
    frames.contacts[:] = _standing(frames)
    return rows_of(frames)


def _local_to_stance(local: Float64, heading: Float64, rest: Rest) -> Float64:
    """(N, 22, 3, 3): joints on the shortest way to the stance, first as fast as they turn in local (2, 22, 3, 3)."""
    stance = _STANCE.copy()
    stance[0] = _about_up(_angle(heading))
    goal = from_matrix(stance)
    away = to_rotvec(multiply(conjugate(goal), from_matrix(local)))
    # the same turn the other way round the circle: that which is nearer to where the joint was
    before, now = away
    length = np.maximum(np.linalg.norm(before, axis=-1, keepdims=True), 1e-9)
    other = before * (1.0 - 2.0 * np.pi / length)
    before = np.where(
        np.linalg.norm(other - now, axis=-1, keepdims=True) < np.linalg.norm(before - now, axis=-1, keepdims=True),
        other,
        before,
    )
    vectors = rest.place[:, None, None] * now + rest.speed[:, None, None] * (now - before)
    return to_matrix(multiply(goal, from_rotvec(vectors)))


def _stance_of(start: BodyFrames, speed: Float64, heading: Float64, rules: FadeRules) -> tuple[_Feet, Float64]:
    """Where the feet shall stand, and the place (2,) over which the pelvis comes to rest."""
    ankles = start.positions[-1, ANKLES, :2]
    pelvis = start.positions[-1, 0, :2]
    ahead, left = _heading_axes(heading)
    across, along = (ankles[0] - ankles[1]) @ left, (ankles[0] - ankles[1]) @ ahead
    # a foot whose sole does not face the floor (of somebody who kneels) carries nobody who stands
    soles_down = start.world[-1, ANKLES, 2, 2] > 0.5
    low = (start.feet[-1, :, 2].reshape(2, 2).min(axis=-1) < rules.floor) & soles_down
    turns = _yaws(start.world[-1, ANKLES], heading)
    stays = rules.width[0] < across < rules.width[1] and abs(along) < rules.apart
    coast = pelvis + _COAST * rules.carry * speed[:2]
    if low.all() and stays and np.linalg.norm(coast - ankles.mean(0)) < rules.apart:
        return _Feet(ankles, turns, (False, False)), ankles.mean(0) + _ANKLES_BEHIND * ahead
    # a foot stays if it stands and the body comes to rest near it; of two the nearer one
    distance = np.where(low, np.linalg.norm(ankles - coast, axis=-1), np.inf)
    kept = int(np.argmin(distance))
    neutral = _angle(heading) + _TOES_OUT * _LEFT_RIGHT
    if distance[kept] > rules.reach:
        middle = coast - _ANKLES_BEHIND * ahead
        places = middle + 0.5 * rules.step * _LEFT_RIGHT[:, None] * left
        return _Feet(places, neutral, (True, True)), coast
    places = np.stack([ankles[kept]] * 2)
    other = 1 - kept
    places[other] += rules.step * _LEFT_RIGHT[other] * left
    turned = np.where(np.arange(2) == kept, turns, neutral)
    return _Feet(places, turned, (other == 0, other == 1)), places.mean(0) + _ANKLES_BEHIND * ahead


def _height_over(feet: _Feet, over: Float64, heading: Float64) -> float:
    """How high the pelvis is over `over` (2,), metres, so that both legs reach their feet nearly straight."""
    ahead, left = _heading_axes(heading)
    hips = over + REST_OFFSETS[HIPS, :1] * ahead + REST_OFFSETS[HIPS, 1:2] * left
    aside = np.linalg.norm(feet.ankles - hips, axis=-1)
    legs = np.sqrt(np.maximum((LEG_REACH - _KNEES_LOOSE) ** 2 - aside**2, 0.0))
    return float(min(_PELVIS_HEIGHT, (ANKLE_HEIGHT + legs - REST_OFFSETS[HIPS, 2]).min()))


def _walk_feet(frames: BodyFrames, start: BodyFrames, feet: _Feet, rest: Rest, rules: FadeRules) -> None:
    """Bring the feet flat to the floor where they shall stand; one that has to move is lifted on its way."""
    if all(feet.steps):
        frames.moved(_envelope(np.maximum(0.0, -frames.feet[..., 2].min(axis=-1)))[:, None] * (0.0, 0.0, 1.0))
    ankles = frames.positions[:, ANKLES].copy()
    turns = np.empty((len(frames), 2, 3, 3))
    for foot in (0, 1):
        goal = np.array([*feet.ankles[foot], ANKLE_HEIGHT])
        if feet.steps[foot]:
            # on the way that the joints take it anyway, led to where it shall stand
            ankles[:, foot] += (1.0 - rest.place[:, None]) * (goal - ankles[-1, foot])
            ankles[:, foot, 2] += rules.lift * np.sin(np.pi * (1.0 - rest.place)) ** 2
        else:
            before, now = start.positions[:, ANKLES[foot]]
            ankles[:, foot] = goal + rest.place[:, None] * (now - goal) + rest.speed[:, None] * (now - before)
        turns[:, foot] = _flattened(start.world[:, ANKLES[foot]], _about_up(feet.turns)[foot], *rest)
    reach_ankles(frames, ankles, turns)
    under = np.maximum(0.0, -frames.feet[..., 2].reshape(-1, 2, 2).min(axis=-1))
    if under.any():
        ankles[..., 2] += under
        reach_ankles(frames, ankles, turns)


def _envelope(heights: Float64) -> Float64:
    """(N,) smooth and nowhere lower than `heights` (N,), but for the ends, which it begins and ends at."""
    around = 5
    padded = np.pad(heights, around)
    highest = np.lib.stride_tricks.sliding_window_view(padded, 2 * around + 1).max(axis=-1)
    weights = np.hanning(2 * around + 3)[1:-1]
    smooth = np.convolve(np.pad(highest, around), weights / weights.sum(), mode="valid")
    ends = np.minimum(np.arange(1, len(heights) + 1), np.arange(len(heights) - 1, -1, -1)) / around
    ends = np.clip(ends, 0.0, 1.0)
    result: Float64 = np.maximum(smooth * ends * ends * (3.0 - 2.0 * ends), 0.0)
    return result


def _flattened(world: Float64, flat: Float64, share: Float64, drift: Float64) -> Float64:
    """(N, 3, 3) turns of a foot from its last ones (2, 3, 3) to flat on the floor."""
    goal = from_matrix(flat)
    before, now = to_rotvec(multiply(conjugate(goal), from_matrix(world)))
    return to_matrix(multiply(goal, from_rotvec(share[:, None] * now + drift[:, None] * (now - before))))


def _standing(frames: BodyFrames) -> Float64:
    """(N, 4) 1 for heels and toes that are on the floor and hardly move."""
    step = np.linalg.norm(np.diff(frames.feet, axis=0, prepend=frames.feet[:1]), axis=-1)
    return ((frames.feet[..., 2] < 0.03) & (step * FPS < 0.3)).astype(np.float64)


def _yaws(feet: Float64, heading: Float64) -> Float64:
    """(2,) radians about up of feet (2, 3, 3), none turned from the heading by more than half a right angle."""
    ahead = feet[..., :2, 0]
    facing = _angle(heading)
    off = np.arctan2(ahead[:, 1], ahead[:, 0]) - facing
    off = (off + np.pi) % (2.0 * np.pi) - np.pi
    result: Float64 = facing + np.clip(off, -np.pi / 4.0, np.pi / 4.0)
    return result


def _heading_axes(heading: Float64) -> tuple[Float64, Float64]:
    """Ahead and left (2,) of a heading's cos and sin."""
    return heading, np.array([-heading[1], heading[0]])


def _angle(heading: Float64) -> float:
    return float(np.arctan2(heading[1], heading[0]))


def _about_up(angle: Float64 | float) -> Float64:
    return to_matrix(from_rotvec(np.asarray(angle)[..., None] * np.array([0.0, 0.0, 1.0])))
