"""A recorded walk done otherwise: other times, other steps, another posture; its feet planted where they then stand.

Every edit takes the walk as it is and changes one thing of it. Feet lead: first when they stand and where, then how
high the body is over them, then how a leg swings; the legs are bent to that at the end.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fitmotion_models.datasets.gait_phases import SIDES, Stance
from fitmotion_models.datasets.planted_feet import gaussian_smooth, lowering
from fitmotion_models.motion.body_frames import BodyFrames
from fitmotion_models.motion.leg_ik import ANKLES, BALLS, HIPS, KNEES, LEG_REACH, reach_ankles
from fitmotion_models.skeleton.joint_sets import FEET, SMPL22
from fitmotion_models.skeleton.kinematics import PARENTS, REST_FEET_OFFSETS, REST_OFFSETS
from fitmotion_models.skeleton.motion_clip import MotionClip
from fitmotion_models.skeleton.rotations import Float64, from_axis_angle, from_matrix, normalize, slerp, to_matrix

_LANDMARKS = [[FEET.index(f"{side}_{point}") for point in ("heel", "toe")] for side in SIDES]
_BALL_HEIGHT = -float(REST_FEET_OFFSETS[FEET.index("left_toe"), 2])
_THIGH, _SHANK = (float(np.linalg.norm(REST_OFFSETS[joints[0]])) for joints in (KNEES, ANKLES))
_LEGS = [SMPL22.index(f"{side}_{joint}") for side in SIDES for joint in ("hip", "knee", "ankle", "foot")]
# how much of a lean of the trunk each of its joints has; the head keeps half upright, the arms go with the chest
_LEAN_SHARES = {"spine1": 1 / 3, "spine2": 2 / 3, "neck": 0.75, "head": 0.5}

# SDs of smoothing, seconds: of pace, where phases meet; of the way ahead; of the body's height; of a changed swing
_PACE_S, _AHEAD_S, _HEIGHT_S, _SWING_S = 0.03, 0.3, 0.06, 0.04
# metres: how high a stiff leg's foot stays over the floor in mid-swing
_CLEARANCE = 0.01
# share of a stance at whose end the heel rises (Perry and Burnfield: from 31 to 62 % of the cycle, most from 50 %)
_HEEL_RISE = 0.35
# a foot is level in mid-swing where the knee loses this share of its bending, inverted
_LEVELLING = 1.6


@dataclass(eq=False)
class Walk:
    """A walk of the canonical body that is being edited.

    body: its T frames. ankles: (T, 2, 3) metres, where they shall be. stances: in frames of this walk. ahead: (T, 2)
    unit, the way it goes. legs: (T, 2) metres from hip to ankle as recorded.
    """

    fps: float
    body: BodyFrames
    ankles: Float64
    stances: tuple[Stance, ...]
    ahead: Float64
    legs: Float64

    def __len__(self) -> int:
        return len(self.ankles)

    def stances_of(self, side: str) -> list[Stance]:
        """One foot's stances, in time."""
        return [stance for stance in self.stances if stance.side == side]


def paced(clip: MotionClip, stances: tuple[Stance, ...], pace: Float64, fps: float) -> Walk:
    """The walk in another time: every frame of a canonical clip lasts `pace` (T,) times as long; result at `fps`."""
    pace = gaussian_smooth(pace, _PACE_S * clip.fps)
    times = np.concatenate([[0.0], np.cumsum(0.5 * (pace[1:] + pace[:-1]))]) / clip.fps
    places = np.interp(np.arange(int(times[-1] * fps + 1e-6) + 1) / fps, times, np.arange(len(clip), dtype=np.float64))
    rotations = normalize(_sampled(_continuous(clip.rotations.astype(np.float64)), places))
    positions = np.zeros((len(places), len(SMPL22), 3))
    positions[:, 0] = _sampled(clip.positions[:, 0].astype(np.float64), places)
    local = to_matrix(rotations)
    body = BodyFrames(
        local, local, positions, np.zeros((len(places), len(FEET), 3)), np.zeros((len(places), len(FEET)))
    )
    body.follow()
    frames = np.interp(np.arange(len(clip) + 1.0), np.arange(len(clip)), times * fps)
    moved = tuple(
        Stance(one.side, round(float(frames[one.start])), round(float(frames[one.end])), one.place, one.whole)
        for one in stances
    )
    return Walk(
        fps=fps,
        body=body,
        ankles=_sampled(clip.positions[:, ANKLES].astype(np.float64), places),
        stances=moved,
        ahead=_ahead(positions[:, 0, :2], fps),
        legs=np.linalg.norm(body.positions[:, HIPS] - body.positions[:, ANKLES], axis=-1),
    )


def _continuous(rotations: Float64) -> Float64:
    """Quaternions (T, J, 4) with signs such that each is on the side of the one before."""
    turned = np.sign(np.sum(rotations[1:] * rotations[:-1], axis=-1))
    signs = np.cumprod(np.where(turned < 0.0, -1.0, 1.0), axis=0)
    result: Float64 = np.concatenate([rotations[:1], rotations[1:] * signs[..., None]])
    return result


def _sampled(values: Float64, places: Float64) -> Float64:
    """Values (T, ...) at places (N,) between frames, by the cubic way through them (Catmull and Rom 1974)."""
    before = np.clip(np.floor(places).astype(int), 0, max(len(values) - 2, 0))
    share = (places - before).reshape(-1, *[1] * (values.ndim - 1))
    last = len(values) - 1
    p0, p1, p2, p3 = (values[np.clip(before + step, 0, last)] for step in (-1, 0, 1, 2))
    slope1, slope2 = 0.5 * (p2 - p0), 0.5 * (p3 - p1)
    cubic = 2.0 * (p1 - p2) + slope1 + slope2
    result: Float64 = p1 + share * (slope1 + share * (3.0 * (p2 - p1) - 2.0 * slope1 - slope2 + share * cubic))
    return result


def _ahead(way: Float64, fps: float) -> Float64:
    velocity = gaussian_smooth(np.gradient(way, axis=0), _AHEAD_S * fps)
    return velocity / np.maximum(np.linalg.norm(velocity, axis=-1, keepdims=True), 1e-9)


def steps_scaled(walk: Walk, shares: dict[str, float]) -> None:
    """Each side's steps `shares` times as long; feet that stand do so on one level floor; the pelvis goes between."""
    shifts = [np.array([0.0, 0.0, _BALL_HEIGHT - stance.place[2]]) for stance in walk.stances]
    for index in range(1, len(walk.stances)):
        before, landed = walk.stances[index - 1], walk.stances[index]
        ahead = walk.ahead[min(landed.start, len(walk) - 1)]
        step = float((landed.place - before.place)[:2] @ ahead)
        shifts[index][:2] = shifts[index - 1][:2]
        if landed.side != before.side:
            shifts[index][:2] += (shares[landed.side] - 1.0) * step * ahead
    moved = np.stack([_foot_shift(walk, side, shifts) for side in SIDES], axis=1)
    walk.ankles += moved
    walk.body.moved(moved.mean(axis=1))


def _foot_shift(walk: Walk, side: str, shifts: list[Float64]) -> Float64:
    """(T, 3) metres: a stance's own shift while it lasts, and a smooth way from one to the next."""
    own = [(stance, shift) for stance, shift in zip(walk.stances, shifts, strict=True) if stance.side == side]
    swing = _usual(
        [after[0].start - before[0].end for before, after in zip(own[:-1], own[1:], strict=True)], 0.4 * walk.fps
    )
    stride = (own[-1][1] - own[0][1]) / max(len(own) - 1, 1)
    # the swing that the clip's end or its start cuts goes to a stance as far off as the others are
    keys = [(own[0][0].start - swing, own[0][1] - stride)]
    for stance, shift in own:
        keys += [(stance.start, shift), (stance.end - 1, shift)]
    keys.append((own[-1][0].end - 1 + swing, own[-1][1] + stride))
    frames = np.arange(len(walk))
    # what lies beyond those swings stays where they begin and end
    result = np.where((frames < keys[0][0])[:, None], keys[0][1], keys[-1][1])
    for (start, low), (end, high) in zip(keys[:-1], keys[1:], strict=True):
        inside = (frames >= start) & (frames <= end)
        share = np.clip((frames[inside] - start) / max(end - start, 1), 0.0, 1.0)[:, None]
        result[inside] = low + share**3 * (10.0 - 15.0 * share + 6.0 * share**2) * (high - low)
    return result


def _usual(values: list[int], otherwise: float) -> int:
    return max(1, round(float(np.median(values)) if values else otherwise))


def stance_bumps(walk: Walk, side: str) -> Float64:
    """(T,) 0 when a foot lands and when it lifts, 1 half-way between."""
    spans = [(stance.start, stance.end, stance.whole) for stance in walk.stances_of(side)]
    return _bumps(len(walk), spans)


def swing_bumps(walk: Walk, side: str) -> Float64:
    """(T,) 0 when a foot lifts and when it lands, 1 half-way between."""
    own = walk.stances_of(side)
    spans = [(before.end, after.start, True) for before, after in zip(own[:-1], own[1:], strict=True)]
    if own[0].start > 0:
        spans.insert(0, (0, own[0].start, False))
    if own[-1].end < len(walk):
        spans.append((own[-1].end, len(walk), False))
    return _bumps(len(walk), spans)


def _bumps(frames: int, spans: list[tuple[int, int, bool]]) -> Float64:
    """Squared sines over spans of frames; what the clip's ends cut lasts as long as the whole ones do."""
    usual = _usual([end - start for start, end, whole in spans if whole], 1.0)
    result = np.zeros(frames)
    for start, end, whole in spans:
        length = end - start if whole else max(usual, end - start)
        first = end - length if not whole and start == 0 else start
        inside = np.arange(start, min(end, frames))
        result[inside] = np.sin(np.pi * (inside - first) / length) ** 2
    return result


def about_ahead(walk: Walk, degrees: ArrayLike) -> Float64:
    """(T, 3, 3) turns about the way ahead; positive lifts the left side."""
    return _turns(np.append(walk.ahead, np.zeros((len(walk), 1)), axis=1), degrees)


def about_left(walk: Walk, degrees: ArrayLike) -> Float64:
    """(T, 3, 3) turns about the body's left; positive bends forward."""
    axes = np.stack([-walk.ahead[:, 1], walk.ahead[:, 0], np.zeros(len(walk))], axis=-1)
    return _turns(axes, degrees)


def _turns(axes: Float64, degrees: ArrayLike) -> Float64:
    angles = np.deg2rad(np.broadcast_to(np.asarray(degrees, dtype=np.float64), (len(axes),)))
    return to_matrix(from_axis_angle(axes, angles))


def pelvis_and_trunk_turned(walk: Walk, pelvis: Float64, trunk_lean: Float64, trunk_stoop: Float64) -> None:
    """Tilt the pelvis by `pelvis` (T,) degrees about the way ahead, the trunk over it by lean and stoop (T,) degrees.

    The trunk's turns count from where it was, not from the pelvis; the legs stay for `legs_bent`.
    """
    body = walk.body
    world = body.world.copy()
    world[:, 0] = about_ahead(walk, pelvis) @ world[:, 0]
    for joint, name in enumerate(SMPL22.joints):
        if joint > 0 and joint not in _LEGS:
            share = _LEAN_SHARES.get(name, 1.0)
            turn = about_ahead(walk, share * trunk_lean) @ about_left(walk, share * trunk_stoop)
            world[:, joint] = turn @ world[:, joint]
    body.local = np.swapaxes(world[:, list(PARENTS)], -1, -2) @ world
    body.local[:, 0] = world[:, 0]
    body.follow()


def arm_changed(walk: Walk, side: str, *, swing: float, elbow_degrees: float, inward_degrees: float) -> None:
    """An arm that swings `swing` times as far, bent at the elbow and turned inward by so much."""
    joints = [SMPL22.index(f"{side}_{joint}") for joint in ("collar", "shoulder", "elbow")]
    turns = _continuous(from_matrix(walk.body.local[:, joints]))
    mean = normalize(turns.mean(axis=0))
    # near their mean a weighted mean of quaternions is the turn so far along
    turns = normalize(mean + swing * (turns - mean))
    local = to_matrix(turns)
    forward = (0.0, 0.0, -1.0) if side == "left" else (0.0, 0.0, 1.0)
    local[:, 2] = local[:, 2] @ to_matrix(from_axis_angle(forward, np.deg2rad(elbow_degrees)))
    local[:, 1] = local[:, 1] @ to_matrix(from_axis_angle((0.0, 1.0, 0.0), np.deg2rad(inward_degrees)))
    walk.body.local[:, joints] = local
    walk.body.follow()


def height_kept(walk: Walk, lowered: Float64) -> None:
    """The pelvis as high as keeps the standing legs as straight as they were, less `lowered` (T,) metres."""
    line = walk.body.positions[:, HIPS] - walk.ankles
    level = np.linalg.norm(line[..., :2], axis=-1)
    wanted = np.sqrt(np.maximum(walk.legs**2 - level**2, 0.0)) - line[..., 2]
    stands = np.zeros((len(walk), 2))
    for stance in walk.stances:
        stands[stance.start : stance.end, SIDES.index(stance.side)] = 1.0
    weights = gaussian_smooth(stands, _HEIGHT_S * walk.fps) + 1e-3
    change = gaussian_smooth((weights * wanted).sum(axis=1) / weights.sum(axis=1), _HEIGHT_S * walk.fps) - lowered
    walk.body.moved(change[:, None] * (0.0, 0.0, 1.0))
    down = lowering(walk.body.positions[:, HIPS], walk.ankles, 0.999 * LEG_REACH, _HEIGHT_S * walk.fps)
    walk.body.moved(-down[:, None] * (0.0, 0.0, 1.0))


def swing_stiffened(walk: Walk, side: str, kept: float, widest: float) -> None:
    """A leg whose knee is to bend `kept` times as far: the foot hardly pushes off, and goes round to clear the floor.

    widest: how far out it goes at most, metres. A knee bends further than asked where the foot would touch the floor.
    """
    index = SIDES.index(side)
    bump = _released(walk, side)
    _foot_levelled(walk, index, bump * min(_LEVELLING * (1.0 - kept), 1.0))
    line = walk.ankles[:, index] - walk.body.positions[:, HIPS[index]]
    length = np.linalg.norm(line, axis=-1)
    bend = np.arccos(np.clip((length**2 - _THIGH**2 - _SHANK**2) / (2.0 * _THIGH * _SHANK), -1.0, 1.0))
    wanted = _leg_of_bend(bend * (1.0 - bump * (1.0 - kept)))
    outward = np.stack([-walk.ahead[:, 1], walk.ahead[:, 0]], axis=-1) * (1.0 if side == "left" else -1.0)
    along, aside = (line[:, :2] * walk.ahead).sum(axis=-1), (line[:, :2] * outward).sum(axis=-1)
    # as far down as the longer leg reaches, but not into the floor; what is then left of its length goes outward
    swing = swing_bumps(walk, side)
    lowest = walk.ankles[:, index, 2] + _lowest_point(walk, index) - _CLEARANCE * swing
    down = np.sqrt(np.maximum(wanted**2 - along**2 - aside**2, 0.0))
    down = np.minimum(down, -line[:, 2] + lowest)
    out = np.sqrt(np.maximum(wanted**2 - along**2 - down**2, 0.0)) - np.abs(aside)
    out = np.clip(out, 0.0, widest) * swing
    change = np.append(out[:, None] * outward, -(down + line[:, 2])[:, None], axis=1)
    walk.ankles[:, index] += np.minimum(4.0 * swing, 1.0)[:, None] * gaussian_smooth(change, _SWING_S * walk.fps)


def _released(walk: Walk, side: str) -> Float64:
    """(T,) 0 to 1 and back from when a heel begins to rise until the foot lands: most early in swing."""
    own = walk.stances_of(side)
    usual = _usual([stance.end - stance.start for stance in own if stance.whole], 0.6 * walk.fps)
    swing = _usual([after.start - before.end for before, after in zip(own[:-1], own[1:], strict=True)], 0.4 * walk.fps)
    result = np.zeros(len(walk))
    landings = [stance.start for stance in own if stance.start > 0]
    landings += [own[-1].end + swing] if own[-1].end < len(walk) else []
    lifts = [stance.end for stance in own]
    for landing in landings:
        lift = max((end for end in lifts if end <= landing), default=landing - swing)
        start = lift - round(_HEEL_RISE * usual)
        inside = np.arange(max(start, 0), min(landing, len(walk)))
        result[inside] = np.sin(np.pi * (inside - start) / (landing - start))
    return result


def _foot_levelled(walk: Walk, index: int, share: Float64) -> None:
    """Turn a foot by `share` (T,) of the way to where it is level, about its toe, heading as it does."""
    body = walk.body
    foot, ball, toe = ANKLES[index], BALLS[index], _LANDMARKS[index][1]
    before = body.feet[:, toe] - body.positions[:, foot]
    ahead = body.world[:, foot, :2, 0]
    level = np.zeros((len(walk), 3, 3))
    level[:, :2, 0] = ahead / np.linalg.norm(ahead, axis=-1, keepdims=True)
    level[:, 0, 1], level[:, 1, 1], level[:, 2, 2] = -level[:, 1, 0], level[:, 0, 0], 1.0
    for joint in (foot, ball):
        turned = slerp(from_matrix(body.world[:, joint]), from_matrix(level), share)
        body.world[:, joint] = to_matrix(turned)
    body.local[:, foot] = np.swapaxes(body.world[:, KNEES[index]], -1, -2) @ body.world[:, foot]
    body.local[:, ball] = np.swapaxes(body.world[:, foot], -1, -2) @ body.world[:, ball]
    body.follow()
    walk.ankles[:, index] += before - (body.feet[:, toe] - body.positions[:, foot])


def _leg_of_bend(bend: Float64) -> Float64:
    """Hip to ankle, metres, of a knee bent by so many radians."""
    return np.sqrt(_THIGH**2 + _SHANK**2 + 2.0 * _THIGH * _SHANK * np.cos(bend))


def _lowest_point(walk: Walk, index: int) -> Float64:
    """(T,) how far over the ankle a foot's lowest landmark is, metres: negative."""
    feet = walk.body.feet[:, _LANDMARKS[index], 2] - walk.body.positions[:, [ANKLES[index]], 2]
    return feet.min(axis=1)


def legs_bent(walk: Walk) -> None:
    """Legs bent so that ankles are where they shall be, feet turned as they were, none below the floor."""
    for index in (0, 1):
        below = np.maximum(-(walk.ankles[:, index, 2] + _lowest_point(walk, index)), 0.0)
        walk.ankles[:, index, 2] += below
    reach_ankles(walk.body, walk.ankles)


def stands_alone(stances: tuple[Stance, ...], frames: int, side: str) -> NDArray[np.bool_]:
    """(T,) whether one foot stands and the other one does not."""
    on_floor = {name: np.zeros(frames, bool) for name in SIDES}
    for stance in stances:
        on_floor[stance.side][stance.start : stance.end] = True
    other = SIDES[1 - SIDES.index(side)]
    return on_floor[side] & ~on_floor[other]
