"""Finds reaches of both fists to the back in a stream of bodies, and with which arm on top. Causal.

A reach starts from a stable stance with the arms hanging, takes one hand over its shoulder and the other one from below
to the middle of the back, holds them there, and ends with the arms hanging again. Raising an arm, scratching, tying the
hair miss the one hand or the other.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fitmotion_models.fms.criteria import MIN_JOINT_CONFIDENCE
from fitmotion_models.fms.moment import ELBOWS, NECK, PELVIS, SHOULDERS, UP, WRISTS, Array, Body, Stance
from fitmotion_models.fms.reading import Reading, read_body
from fitmotion_models.fms.repetitions import Progress
from fitmotion_models.fms.sides import SidedRepetition
from fitmotion_models.fms.stance import find_stance, is_near_stance
from fitmotion_models.fms.values import Phase, Side

_ARMS = [*SHOULDERS, *ELBOWS, *WRISTS]


@dataclass(frozen=True)
class ReachParameters:
    """When a movement of the arms is a reach. Lengths are shares of the arm (shoulder to wrist, stretched).

    The shares are this project's choice, so that a reach that stays far from the other hand is still a repetition.
    one_camera: what the noise of one camera (12 degrees at each joint) adds to `start`, `home`, `aside` and `held`.
    """

    start: float = 0.30  # the hand has left its place against the neck
    home: float = 0.30
    hanging: float = 0.65  # the wrist is so far below the shoulder
    aside: float = 0.36  # at most, of a wrist from the spine; a hanging one is 0.45 away
    in_front: float = 0.0  # at most, of the wrist before the spine
    elbow_up: float = -0.15  # of the upper elbow over its shoulder, at least: a stiff one gets it level
    held: float = 0.15  # the hands are held while they are so near to their least distance
    one_camera: float = 0.15
    reaching: float = 0.6  # share of the held frames that reach
    shortest_hold: float = 0.2  # s
    home_for: float = 0.25  # s that the arms hang before the reach is over
    settled: float = 0.08  # the hand has come home where it is first so near to its last place
    smoothing: float = 0.2  # s
    history: float = 2.0  # s, how far back the start is looked for
    feet_away: float = 0.3  # s
    lost_after: float = 0.5  # s without a body
    longest: float = 30.0  # s


@dataclass(frozen=True, eq=False)
class _Reach:
    """One frame: the reading, how far (2,) the wrists are from where they hung, shares of the arm, and the side."""

    reading: Reading
    away: Array
    side: Side

    @property
    def stamp(self) -> float:
        return self.reading.body.stamp


class ShoulderMobilityRepetitions:
    """Follows one body, frame by frame; a finished repetition is a `SidedRepetition` with the upper arm's side.

    Phases: DESCENDING on the way to the back, BOTTOM while both hands are there, ASCENDING on the way home. Depends on
    nothing but the frames given since the last stance.
    """

    def __init__(self, parameters: ReachParameters | None = None) -> None:
        self._parameters = parameters or ReachParameters()
        self.reset()

    def reset(self) -> None:
        """Forget everything; the next repetition needs a stance first."""
        self._stance: Stance | None = None
        self._recent: deque[Reading] = deque()
        self._frames: list[_Reach] = []
        self._phase = Phase.UNKNOWN
        self._progress = 0.0
        self._home_since: float | None = None
        self._last_seen: float | None = None

    def update(self, body: Body) -> Progress:
        """Take the next frame. A frame that is not newer than the last one starts all over."""
        if self._last_seen is not None:
            elapsed = body.stamp - self._last_seen
            if elapsed <= 0.0 or elapsed > self._parameters.lost_after:
                self.reset()
        reading = read_body(body)
        if reading is None or body.confidence[_ARMS].min() < MIN_JOINT_CONFIDENCE:
            return Progress(self._phase, self._progress, self._stance, side=self._side())
        self._last_seen = body.stamp
        self._recent.append(reading)
        while self._recent[0].body.stamp < body.stamp - self._parameters.history:
            self._recent.popleft()
        finished = None
        if self._frames:
            finished = self._reach(reading)
        else:
            self._stand(reading)
        return Progress(
            self._phase, self._progress, finished.stance if finished else self._stance, finished, self._side()
        )

    def _side(self) -> Side:
        """The upper arm's side, while both hands are at the back or have been."""
        return next((one.side for one in reversed(self._frames) if one.side is not Side.BOTH), Side.BOTH)

    def _stand(self, reading: Reading) -> None:
        """UNKNOWN or STANDING: keep the stance fresh, notice a hand that leaves its place or a person who walks off."""
        found = find_stance(self._recent)
        standing = found is not None and self._hangs(found.stance.body)
        moved = self._stance is not None and self._away(reading).max() > self._allowed(reading, self._parameters.start)
        if found is not None and standing and not moved:
            self._stance, self._phase, self._progress = found.stance, Phase.STANDING, 0.0
        elif self._stance is None:
            return
        elif moved:
            self._begin()
        elif not is_near_stance(reading, self._stance):
            self._lose()

    def _begin(self) -> None:
        """A hand has left its place: the frames since it last hung, and the stance as it was then."""
        frames = [_Reach(one, self._away(one), Side.BOTH) for one in self._recent]
        away = np.array([one.away.max() for one in frames])
        latest = int(np.searchsorted([one.stamp for one in frames], frames[-1].stamp - 1.0))
        floor = away[latest:].min() + 0.1 * self._parameters.start
        first = int(np.flatnonzero(away <= floor)[-1])
        found = find_stance([one.reading for one in frames[: first + 1]])
        if found is not None and self._hangs(found.stance.body):
            self._stance = found.stance
        self._frames = frames[first:]
        self._home_since = None
        self._name_phase()

    def _reach(self, reading: Reading) -> SidedRepetition | None:
        """DESCENDING, BOTTOM or ASCENDING: follow the hands until they hang again."""
        assert self._stance is not None
        frame = _Reach(reading, self._away(reading), self._reaching_side(reading.body))
        self._frames.append(frame)
        since = frame.stamp - self._parameters.feet_away
        latest = [one.reading for one in self._frames if one.stamp >= since]
        left = not any(is_near_stance(one, self._stance) for one in latest)
        if left or frame.stamp - self._frames[0].stamp > self._parameters.longest:
            self._lose()
            return None
        if frame.away.max() > self._allowed(reading, self._parameters.home):
            self._home_since = None
        elif self._home_since is None:
            self._home_since = frame.stamp
        elif frame.stamp - self._home_since >= self._parameters.home_for:
            return self._end()
        self._name_phase()
        return None

    def _end(self) -> SidedRepetition | None:
        """Close the reach where the hands came to rest."""
        stance, since, frames = self._stance, self._home_since, self._frames
        assert stance is not None and since is not None
        back = [one for one in frames if one.stamp >= since]
        last = np.mean([one.away for one in back[-3:]], axis=0)
        gaps = [float(np.abs(one.away - last).max()) for one in back]
        settled = next(
            one for one, gap in zip(back, gaps, strict=True) if gap <= max(self._parameters.settled, gaps[-1])
        )
        whole = [one for one in frames if one.stamp <= settled.stamp]
        self._recent = deque(one.reading for one in frames if one.stamp >= settled.stamp)
        self._frames, self._phase, self._progress = [], Phase.STANDING, 0.0
        held = self._held(whole)
        if held is None:
            return None
        index, side = held
        return SidedRepetition(stance, tuple(one.reading.body for one in whole), index, side)

    def _held(self, frames: Sequence[_Reach]) -> tuple[int, Side] | None:
        """The middle frame of the hold and the upper arm's side; None where nothing was held at the back."""
        limits = self._parameters
        stamps = np.array([one.stamp for one in frames])
        wrists = np.stack([one.reading.body.points[list(WRISTS)] for one in frames])
        distance = _centred_mean(stamps, np.linalg.norm(wrists[:, 0] - wrists[:, 1], axis=1), limits.smoothing)
        reaching = np.array([one.side is not Side.BOTH for one in frames])
        if not reaching.any():
            return None
        least = int(np.where(reaching, distance, np.inf).argmin())
        near = distance <= distance[least] + self._allowed(frames[0].reading, limits.held) * self._arm()
        gaps = np.flatnonzero(~near)
        first = int(gaps[gaps < least].max(initial=-1)) + 1
        last = int(gaps[gaps > least].min(initial=len(frames))) - 1
        sides = [one.side for one in frames[first : last + 1]]
        left, right = sides.count(Side.LEFT), sides.count(Side.RIGHT)
        if stamps[last] - stamps[first] < limits.shortest_hold or max(left, right) < limits.reaching * len(sides):
            return None
        return (first + last) // 2, Side.LEFT if left > right else Side.RIGHT

    def _reaching_side(self, body: Body) -> Side:
        """Which arm is on top where both hands are at the back; BOTH where they are not."""
        assert self._stance is not None
        limits, arm, facing = self._parameters, self._arm(), self._stance.facing
        points = body.points
        left = np.cross(UP, facing)
        trunk = points[NECK] - points[PELVIS]
        wrists = points[list(WRISTS)]
        # the spine's point at the height of each wrist
        spine = points[PELVIS] + ((wrists - points[PELVIS]) @ UP / max(float(trunk[2]), 1e-6))[:, None] * trunk
        noise = limits.one_camera if body.views == 1 else 0.0
        if np.abs((wrists - spine) @ left).max() > (limits.aside + noise) * arm:
            return Side.BOTH
        # one camera from behind or from the front does not see what is before what
        if body.views != 1 and ((wrists - spine) @ facing).max() > limits.in_front * arm:
            return Side.BOTH
        upper = 0 if wrists[0, 2] > wrists[1, 2] else 1
        over = points[list(ELBOWS), 2] - points[list(SHOULDERS), 2]
        if over[upper] < (limits.elbow_up - noise) * arm or over[1 - upper] > over[upper]:
            return Side.BOTH
        if wrists[1 - upper, 2] > points[SHOULDERS[1 - upper], 2] or points[ELBOWS[upper], 2] < wrists[upper, 2]:
            return Side.BOTH
        return Side.LEFT if upper == 0 else Side.RIGHT

    def _hangs(self, body: Body) -> bool:
        """Both arms hang."""
        below = body.points[list(SHOULDERS), 2] - body.points[list(WRISTS), 2]
        return bool((below > self._parameters.hanging * _arm_length(body)).all())

    def _away(self, reading: Reading) -> Array:
        """How far (2,) the wrists are from where they hung, against the neck, shares of the arm."""
        assert self._stance is not None
        before = self._stance.body.points
        points = reading.body.points
        moved = (points[list(WRISTS)] - points[NECK]) - (before[list(WRISTS)] - before[NECK])
        return np.asarray(np.linalg.norm(moved, axis=1) / self._arm())

    def _arm(self) -> float:
        assert self._stance is not None
        return _arm_length(self._stance.body)

    def _allowed(self, reading: Reading, share: float) -> float:
        return share + (self._parameters.one_camera if reading.body.views == 1 else 0.0)

    def _name_phase(self) -> None:
        newest = self._frames[-1]
        if newest.side is not Side.BOTH:
            self._phase, self._progress = Phase.BOTTOM, 1.0
            return
        # the hand that goes over the shoulder ends two thirds of an arm from where it hung
        way = float(np.clip(newest.away.max() / 0.7, 0.0, 1.0))
        self._phase = Phase.DESCENDING if self._side() is Side.BOTH else Phase.ASCENDING
        self._progress = way if self._phase is Phase.DESCENDING else 1.0 - way

    def _lose(self) -> None:
        newest = self._recent[-1]
        self._stance, self._phase, self._progress, self._frames = None, Phase.UNKNOWN, 0.0, []
        self._recent = deque([newest])


def _arm_length(body: Body) -> float:
    """Shoulder to elbow to wrist, mean of both arms, metres."""
    points = body.points
    upper = np.linalg.norm(points[list(ELBOWS)] - points[list(SHOULDERS)], axis=1)
    fore = np.linalg.norm(points[list(WRISTS)] - points[list(ELBOWS)], axis=1)
    return float(np.mean(upper + fore))


def _centred_mean(stamps: Array, values: Array, seconds: float) -> Array:
    """Values (T,) averaged over `seconds` around each of the stamps (T,)."""
    sums = np.concatenate(([0.0], np.cumsum(values)))
    first = np.searchsorted(stamps, stamps - seconds / 2 - 1e-9)
    last = np.searchsorted(stamps, stamps + seconds / 2 + 1e-9, side="right")
    return np.asarray((sums[last] - sums[first]) / (last - first))
