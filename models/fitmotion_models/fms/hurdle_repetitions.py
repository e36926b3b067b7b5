"""Finds hurdle steps in a stream of bodies, and with which leg. Causal.

A hurdle step starts from a stable stance on both feet, lifts one of them with a bent knee, takes it ahead of the other
foot, which stays where it is, and brings it back. The test has the heel touch the floor beyond the hurdle; UI-PRMD's
recordings turn back in the air, and are hurdle steps as well. Walking goes on, a kick or a raised straight leg has its
knee straight where it is highest, marching lifts the other foot next.
"""

import math
from collections import deque
from dataclasses import dataclass

import numpy as np

from fitmotion_models.fms.boundaries import Settling, comes_back, first_frame
from fitmotion_models.fms.moment import (
    ANKLES,
    ELBOWS,
    HIPS,
    KNEES,
    NECK,
    PELVIS,
    SHOULDERS,
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
# so many frames are more than a speed is taken over, at any camera's rate
_SETTLING_FRAMES = 32


@dataclass(frozen=True)
class HurdleParameters:
    """When a lifted foot is a hurdle step. Lengths are shares of the leg length, of ankle against ankle.

    The hurdle is about half a leg high and the heel touches about a third of a leg ahead; the shares are this
    project's choice, so that a step which fails in height is still a repetition. least_ahead: of a foot that turns back
    in the air. one_camera, several: what the noise of one camera and of several (12 and 5 degrees at each joint) adds
    to `start_lift`, `home` and `touch_lift`.
    """

    start_lift: float = 0.12
    least_lift: float = 0.18
    least_ahead: float = 0.06
    touch_ahead: float = 0.20
    touch_lift: float = 0.20
    home: float = 0.12
    one_camera: float = 0.14
    several: float = 0.05
    standing_foot: float = 0.25  # the standing foot may slip so far; further is another movement
    planted: float = 0.8  # share of the frames
    home_again: float = 0.1  # s, enough when the foot then lifts anew
    home_one_camera: float = 0.9  # s; one camera hardly tells a foot that is back from one beyond the hurdle
    settled: float = 0.03  # share; the foot is down where it is first so near to its last place
    smoothing: float = 0.1  # s
    history: float = 2.0  # s, how far back the start is looked for
    lost_after: float = 0.5  # s without a body
    shortest: float = 0.8  # s
    longest: float = 20.0  # s
    least_flexion: float = 50.0  # deg of the stepping knee at the top
    standing_flexion: float = 60.0  # deg of the standing knee at the top, at most
    largest_lean: float = 60.0  # deg
    largest_twist: float = 30.0  # deg, of the shoulders against the hips; UI-PRMD's have 23 at most
    elbow_to_knee: float = 0.35  # at the top, at least; UI-PRMD's have 0.49, HDM05's elbow-to-knee 0.3 at most


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
        self._settling = Settling()
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

    def finish(self) -> SidedRepetition | None:
        """The stream has ended: the step whose foot was back and lacked nothing but the last instants of standing.

        Forgets everything.
        """
        finished = self._end() if self._steps and self._home_since is not None else None
        self.reset()
        return finished

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
        on_floor = max(index for index, one in enumerate(steps) if one.lift <= floor)
        first = first_frame([one.reading for one in steps], on_floor)
        before = [one.reading for one in steps[: first + 1]]
        found = find_stance(before)
        if found is not None:
            self._stance = found.stance
        self._steps = [self._as_step(one.reading) for one in steps[first:]]
        self._home_since = None
        self._settling.reset()
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
            if home_for >= max(self._parameters.home_again, self._least_rest(reading)):
                return self._end(lifts_again=True)
            self._home_since = None
            self._settling.reset()
        else:
            self._home_since = reading.body.stamp if self._home_since is None else self._home_since
            settled = self._settling.is_over([one.reading for one in self._steps[-_SETTLING_FRAMES:]])
            if settled and home_for >= self._least_rest(reading):
                return self._end()
        self._name_phase()
        return None

    def _least_rest(self, reading: Reading) -> float:
        """How long the foot has to be home at least, s."""
        return self._parameters.home_one_camera if reading.body.views == 1 else 0.0

    def _end(self, lifts_again: bool = False) -> SidedRepetition | None:
        """Close the repetition; where the foot lifts again the frames since it came to rest belong to the next one."""
        stance, steps = self._stance, self._steps
        assert stance is not None
        frames = self._until_rest() if lifts_again else steps
        self._steps, self._phase, self._progress = [], Phase.STANDING, 0.0
        self._recent = deque(one.reading for one in steps if one.reading.body.stamp >= frames[-1].reading.body.stamp)
        highest = int(
            _smooth([(one.reading.body.stamp, one.lift) for one in frames], self._parameters.smoothing).argmax()
        )
        if not comes_back([one.reading for one in frames]) or not self._is_hurdle_step(stance, frames, highest):
            return None
        side = Side.LEFT if self._stepping == 0 else Side.RIGHT
        return SidedRepetition(stance, tuple(one.reading.body for one in frames), highest, side)

    def _until_rest(self) -> list[_Step]:
        """The frames to the instant at which the foot that is home came to rest there."""
        steps, since = self._steps, self._home_since
        assert since is not None
        back = [one for one in steps if one.reading.body.stamp >= since]
        place = np.mean([(one.lift, one.ahead) for one in back[-3:]], axis=0)
        away = [np.abs(np.subtract((one.lift, one.ahead), place)).max() for one in back]
        settled = next(
            one for one, gap in zip(back, away, strict=True) if gap <= max(self._parameters.settled, away[-1])
        )
        return [one for one in steps if one.reading.body.stamp <= settled.reading.body.stamp]

    def _is_hurdle_step(self, stance: Stance, frames: list[_Step], highest: int) -> bool:
        limits = self._parameters
        top = frames[highest].reading.body.stamp
        if frames[-1].reading.body.stamp - frames[0].reading.body.stamp < limits.shortest:
            return False
        if frames[highest].lift < limits.least_lift or max(one.ahead for one in frames) < limits.least_ahead:
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
        return abs(lean) < limits.largest_lean and self._holds_dowel(body, stance)

    def _holds_dowel(self, body: Body, stance: Stance) -> bool:
        """The dowel lies across the shoulders: they do not turn against the hips, and no elbow goes to a knee."""
        limits, points = self._parameters, body.points
        across = [(points[left] - points[right])[:2] for left, right in (SHOULDERS, HIPS)]
        twist = abs(math.degrees(math.atan2(_cross(*across), float(across[0] @ across[1]))))
        factor = ONE_CAMERA_FACTOR if body.views == 1 else 1.0
        gaps = [math.dist(points[elbow], points[knee]) for elbow in ELBOWS for knee in KNEES]
        # numbers that are not finite: what is unseen is no fault
        touches = any(gap < limits.elbow_to_knee * stance.leg_length for gap in gaps)
        return not (twist > limits.largest_twist * factor or touches)

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


def _cross(one: Array, other: Array) -> float:
    return float(one[0] * other[1] - one[1] * other[0])


def _smooth(samples: list[tuple[float, float]], seconds: float) -> Array:
    """Values (T,) of (stamp, value) averaged over `seconds` around each."""
    stamps, values = (np.array(column) for column in zip(*samples, strict=True))
    sums = np.concatenate(([0.0], np.cumsum(values)))
    first = np.searchsorted(stamps, stamps - seconds / 2 - 1e-9)
    last = np.searchsorted(stamps, stamps + seconds / 2 + 1e-9, side="right")
    return np.asarray((sums[last] - sums[first]) / (last - first))
