"""Finds hurdle steps in a stream of bodies, and with which leg. Causal.

A hurdle step starts from a stable stance on both feet, lifts one of them with a bent knee, puts it down ahead of the
other foot, which stays where it is, and brings it back. Walking goes on, a kick or a raised straight leg does not touch
the floor ahead, marching comes down where it went up.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np

from fitmotion_models.fms.moment import (
    ANKLES,
    NECK,
    PELVIS,
    Array,
    Body,
    Stance,
    forward_lean,
    knee_flexion,
    mean_body,
)
from fitmotion_models.fms.reading import Reading, read_body
from fitmotion_models.fms.repetitions import Progress
from fitmotion_models.fms.sides import SidedRepetition
from fitmotion_models.fms.stance import ONE_CAMERA_FACTOR, PLANTED_SIDEWAYS, find_stance
from fitmotion_models.fms.values import Phase, Side

# A foot is up within this long, s: its lift began after that.
LONGEST_LIFT = 1.0


@dataclass(frozen=True)
class HurdleParameters:
    """When a lifted foot is a hurdle step. Lengths are shares of the leg length, of ankle against ankle.

    The hurdle is about half a leg high and the heel touches about a third of a leg ahead; the shares are this
    project's choice, so that a step which fails in height is still a repetition. one_camera, several: what the noise of
    one camera and of several (12 and 5 degrees at each joint) adds to `start_lift`, `home` and `touch_lift`.
    """

    start_lift: float = 0.12
    least_lift: float = 0.25
    touch_ahead: float = 0.20
    touch_lift: float = 0.20
    home: float = 0.12
    one_camera: float = 0.14
    several: float = 0.05
    standing_foot: float = 0.25  # the standing foot may slip so far; further is another movement
    planted: float = 0.8  # share of the frames
    home_for: float = 0.35  # s that the foot is back before the repetition is over
    home_again: float = 0.1  # s, enough when the foot then lifts anew
    settled: float = 0.03  # share; the foot is down where it is first so near to its last place
    smoothing: float = 0.1  # s
    history: float = 2.0  # s, how far back the start is looked for
    lost_after: float = 0.5  # s without a body
    shortest: float = 0.8  # s
    longest: float = 20.0  # s
    least_flexion: float = 50.0  # deg of the stepping knee at the top
    standing_flexion: float = 60.0  # deg of the standing knee at the top, at most
    largest_lean: float = 60.0  # deg


@dataclass(frozen=True, eq=False)
class _Step:
    """One frame of a step: the reading, and lift and way ahead of the ankle since the stance, shares of the leg."""

    reading: Reading
    lift: float
    ahead: float


class HurdleRepetitions:
    """Follows one body, frame by frame; a finished repetition is a `SidedRepetition` with the stepping leg's side.

    Phases: DESCENDING from the foot's lift to its touch ahead, BOTTOM while it is on the floor there, ASCENDING on the
    way back. Depends on nothing but the frames given since the last stance.
    """

    def __init__(self, parameters: HurdleParameters | None = None) -> None:
        self._parameters = parameters or HurdleParameters()
        self.reset()

    def reset(self) -> None:
        """Forget everything; the next repetition needs a stance first."""
        self._stance: Stance | None = None
        self._recent: deque[Reading] = deque()
        self._steps: list[_Step] = []
        self._stepping = 0
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
        if reading is None or not np.isfinite(reading.ankles).all():
            return Progress(self._phase, self._progress, self._stance)
        self._last_seen = body.stamp
        self._recent.append(reading)
        while self._recent[0].body.stamp < body.stamp - self._parameters.history:
            self._recent.popleft()
        finished = None
        if self._steps:
            finished = self._step(reading)
        else:
            self._stand(reading)
        stance = finished.stance if finished else self._stance
        return Progress(self._phase, self._progress, stance, finished, self._side())

    def _side(self) -> Side:
        """The stepping leg, while a foot is off its place."""
        if not self._steps:
            return Side.BOTH
        return Side.LEFT if self._stepping == 0 else Side.RIGHT

    def _stand(self, reading: Reading) -> None:
        """UNKNOWN or STANDING: keep the stance fresh, notice a foot that lifts or a person who walks off."""
        found = find_stance(self._recent)
        if found is not None:
            self._stance, self._phase, self._progress = found.stance, Phase.STANDING, 0.0
            return
        if self._stance is None:
            return
        lift = self._relative(reading)[0]
        if abs(lift) > self._allowed(reading, self._parameters.start_lift):
            self._stepping = 0 if lift > 0.0 else 1
            self._begin()
        elif self._both_feet_left(reading):
            self._lose()

    def _begin(self) -> None:
        """A foot has left the floor: the frames since it was last on it, and the stance as it was then."""
        steps = [self._as_step(reading) for reading in self._recent]
        latest = [one for one in steps if one.reading.body.stamp >= steps[-1].reading.body.stamp - LONGEST_LIFT]
        # noise may hold the foot up all the time: it is on the floor where it is lowest
        floor = min(one.lift for one in latest) + 0.1 * self._parameters.start_lift
        first = max(index for index, one in enumerate(steps) if one.lift <= floor)
        before = [one.reading for one in steps[: first + 1]]
        found = find_stance(before)
        if found is not None:
            self._stance = found.stance
        self._steps = [self._as_step(one.reading) for one in steps[first:]]
        self._home_since = None
        self._name_phase()

    def _step(self, reading: Reading) -> SidedRepetition | None:
        """DESCENDING, BOTTOM or ASCENDING: follow the foot until it is back, or until this is no hurdle step."""
        step = self._as_step(reading)
        self._steps.append(step)
        too_long = reading.body.stamp - self._steps[0].reading.body.stamp > self._parameters.longest
        # the other foot leaves the floor, or the person: this is walking
        if too_long or step.lift < -self._allowed(reading, self._parameters.start_lift) or self._standing_foot_left():
            self._lose()
            return None
        home_for = 0.0 if self._home_since is None else reading.body.stamp - self._home_since
        if not self._is_home(step):
            if home_for >= self._parameters.home_again:
                return self._end()
            self._home_since = None
        elif self._home_since is None:
            self._home_since = reading.body.stamp
        elif home_for >= self._parameters.home_for:
            return self._end()
        self._name_phase()
        return None

    def _end(self) -> SidedRepetition | None:
        """Close the repetition where the foot came to rest; the frames after it may belong to the next one."""
        stance, steps, since = self._stance, self._steps, self._home_since
        assert stance is not None and since is not None
        back = [one for one in steps if one.reading.body.stamp >= since]
        place = np.mean([(one.lift, one.ahead) for one in back[-3:]], axis=0)
        away = [np.abs(np.subtract((one.lift, one.ahead), place)).max() for one in back]
        settled = next(
            one for one, gap in zip(back, away, strict=True) if gap <= max(self._parameters.settled, away[-1])
        )
        frames = [one for one in steps if one.reading.body.stamp <= settled.reading.body.stamp]
        self._steps, self._phase, self._progress = [], Phase.STANDING, 0.0
        self._recent = deque(one.reading for one in steps if one.reading.body.stamp >= frames[-1].reading.body.stamp)
        highest = int(
            _smooth([(one.reading.body.stamp, one.lift) for one in frames], self._parameters.smoothing).argmax()
        )
        if not self._is_hurdle_step(stance, frames, highest):
            return None
        side = Side.LEFT if self._stepping == 0 else Side.RIGHT
        return SidedRepetition(stance, tuple(one.reading.body for one in frames), highest, side)

    def _is_hurdle_step(self, stance: Stance, frames: list[_Step], highest: int) -> bool:
        limits = self._parameters
        top = frames[highest].reading.body.stamp
        if frames[-1].reading.body.stamp - frames[0].reading.body.stamp < limits.shortest:
            return False
        if frames[highest].lift < limits.least_lift or not any(self._touches(one) for one in frames):
            return False
        planted = [self._standing_foot_moved(one.reading) < limits.standing_foot for one in frames]
        if np.mean(planted) < limits.planted:
            return False
        body = mean_body([one.reading.body for one in frames if abs(one.reading.body.stamp - top) <= 0.1])
        flexion = knee_flexion(body)
        if not (
            flexion[self._stepping] > limits.least_flexion and flexion[1 - self._stepping] < limits.standing_flexion
        ):
            return False
        lean = float(forward_lean(body.points[NECK] - body.points[PELVIS], stance.facing))
        return abs(lean) < limits.largest_lean

    def _is_home(self, step: _Step) -> bool:
        """The foot is down, and nearer to the standing foot than to where it was furthest ahead."""
        home = self._allowed(step.reading, self._parameters.home)
        furthest = max(one.ahead for one in self._steps)
        near = 0.5 * furthest if furthest > self._touch_ahead(step.reading) else home
        return step.lift <= home and step.ahead <= near

    def _touches(self, step: _Step) -> bool:
        """The foot is down ahead of the other one."""
        low = self._allowed(step.reading, self._parameters.touch_lift)
        return step.ahead > self._touch_ahead(step.reading) and step.lift < low

    def _touch_ahead(self, reading: Reading) -> float:
        """How far ahead the foot has to come down; less where noise may take from it."""
        touch = self._parameters.touch_ahead
        return max(touch - self._allowed(reading, 0.0), 0.6 * touch)

    def _standing_foot_left(self) -> bool:
        """The standing foot has been somewhere else for the last 0.3 s."""
        since = self._steps[-1].reading.body.stamp - 0.3
        latest = [one.reading for one in self._steps if one.reading.body.stamp >= since]
        return all(self._standing_foot_moved(reading) > self._parameters.standing_foot for reading in latest)

    def _both_feet_left(self, reading: Reading) -> bool:
        """Neither foot is where it was in the stance."""
        assert self._stance is not None
        moved = np.linalg.norm((reading.ankles - self._stance.body.points[list(ANKLES)])[:, :2], axis=1)
        factor = ONE_CAMERA_FACTOR if reading.body.views == 1 else 1.0
        return bool((moved > PLANTED_SIDEWAYS * factor * self._stance.leg_length).all())

    def _standing_foot_moved(self, reading: Reading) -> float:
        """How far the standing ankle is from its place, share of the leg; one camera's errors are allowed for."""
        assert self._stance is not None
        standing = 1 - self._stepping
        moved = reading.ankles[standing] - self._stance.body.points[ANKLES[standing]]
        factor = ONE_CAMERA_FACTOR if reading.body.views == 1 else 1.0
        return float(np.linalg.norm(moved[:2])) / self._stance.leg_length / factor

    def _as_step(self, reading: Reading) -> _Step:
        lift, ahead = self._relative(reading)
        sign = 1.0 if self._stepping == 0 else -1.0
        return _Step(reading, sign * lift, sign * ahead)

    def _relative(self, reading: Reading) -> tuple[float, float]:
        """How much higher and further ahead of the right ankle the left one is than in the stance, shares of the leg.

        Against each other, so that a drift of the whole body is no step.
        """
        assert self._stance is not None
        apart = reading.ankles[0] - reading.ankles[1]
        before = self._stance.body.points[ANKLES[0]] - self._stance.body.points[ANKLES[1]]
        moved = (apart - before) / self._stance.leg_length
        return float(moved[2]), float(moved @ self._stance.facing)

    def _allowed(self, reading: Reading, share: float) -> float:
        noise = {0: 0.0, 1: self._parameters.one_camera}
        return share + noise.get(reading.body.views, self._parameters.several)

    def _name_phase(self) -> None:
        newest = self._steps[-1]
        furthest = max(one.ahead for one in self._steps)
        if self._touches(newest):
            self._phase, self._progress = Phase.BOTTOM, 1.0
        elif any(self._touches(one) for one in self._steps):
            self._phase = Phase.ASCENDING
            self._progress = float(np.clip(1.0 - newest.ahead / furthest, 0.0, 1.0))
        else:
            self._phase = Phase.DESCENDING
            self._progress = float(np.clip(newest.ahead / (1.5 * self._parameters.touch_ahead), 0.0, 1.0))

    def _lose(self) -> None:
        newest = self._recent[-1]
        self._stance, self._phase, self._progress, self._steps = None, Phase.UNKNOWN, 0.0, []
        self._recent = deque([newest])


def _smooth(samples: list[tuple[float, float]], seconds: float) -> Array:
    """Values (T,) of (stamp, value) averaged over `seconds` around each."""
    stamps, values = (np.array(column) for column in zip(*samples, strict=True))
    sums = np.concatenate(([0.0], np.cumsum(values)))
    first = np.searchsorted(stamps, stamps - seconds / 2 - 1e-9)
    last = np.searchsorted(stamps, stamps + seconds / 2 + 1e-9, side="right")
    return np.asarray((sums[last] - sums[first]) / (last - first))
