"""What finds repetitions that start from lying or kneeling still, move away and come back to the same place. Causal.

A test on the floor says what its start posture is, how far a body is away from it (the excursion: degrees, or a share
of a length), and what makes a repetition of an excursion that is over.
"""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fitmotion_models.fms.floor import paired
from fitmotion_models.fms.moment import ANKLES, HIPS, Array, Body, Stance, mean_body
from fitmotion_models.fms.reading import leg_length
from fitmotion_models.fms.repetitions import Progress, Repetition
from fitmotion_models.fms.values import Phase, Side

# How much more one camera's and several cameras' limits allow for noise than those of motion capture: one camera errs
# by 12 degrees a joint angle, several by 5.
STILL_SHARE = {0: 0.05, 1: 0.14}
STILL_SHARE_SEVERAL = 0.08

# A body that goes further away by less than this share of the start in so many seconds has not begun yet, or is back.
STEP_S, STEP_SHARE = 0.1, 0.03

# Share of the leg length that the hips of a person who stands are over the ankles, at least.
STANDING_SHARE = 0.8


@dataclass(frozen=True)
class FloorParameters:
    """When an excursion is a repetition; excursions in the test's own unit, this project's choice.

    start: under way beyond it. home: over at or under it. least: a smaller one is none. noise: (one camera, several) is
    added to `start` and `home`. full: where progress is 1.
    """

    start: float
    home: float
    least: float
    full: float
    noise: tuple[float, float]
    still_for: float = 0.2  # s that the start posture is held before a repetition
    stance_for: float = 0.5  # s that the stance is averaged over at most
    home_for: float = 0.3  # s at home before the repetition is over
    home_again: float = 0.1  # s, enough when the next excursion follows at once
    plateau: float = 0.05  # share of the excursion; so near to the furthest the body is at the top
    smoothing: float = 0.2  # s
    history: float = 3.0  # s, how far back the start is looked for; a stance not renewed for as long is given up
    lost_after: float = 0.5  # s without a body
    shortest: float = 0.8  # s
    longest: float = 30.0  # s
    min_frames: int = 3


class FloorRepetitions(ABC):
    """Follows one body, frame by frame. Depends on nothing but the frames given since the last stance.

    Phases: STANDING is the start posture; DESCENDING away from it, BOTTOM at the furthest, ASCENDING back.
    """

    def __init__(self, parameters: FloorParameters) -> None:
        self._parameters = parameters
        self.reset()

    def reset(self) -> None:
        """Forget everything; the next repetition needs a stance first."""
        self._recent: deque[Body] = deque()
        self._frames: list[Body] = []
        self._excursions: list[float] = []
        self._stance: Stance | None = None
        self._stance_stamp = -np.inf
        self._home_since: float | None = None
        self._phase, self._progress = Phase.UNKNOWN, 0.0
        self._last_seen: float | None = None

    def update(self, body: Body) -> Progress:
        """Take the next frame. A frame that is not newer than the last one starts all over."""
        if self._last_seen is not None:
            elapsed = body.stamp - self._last_seen
            if elapsed <= 0.0 or elapsed > self._parameters.lost_after:
                self.reset()
        if not self._is_seen(body):
            return Progress(self._phase, self._progress, self._stance, None, self._side())
        body = paired(body, trusted=False)
        self._last_seen = body.stamp
        self._recent.append(body)
        while self._recent[0].stamp < body.stamp - self._parameters.history:
            self._recent.popleft()
        finished = None
        if self._frames:
            finished = self._follow(body)
        else:
            self._rest(body)
        stance = finished.stance if finished else self._stance
        return Progress(self._phase, self._progress, stance, finished, self._side())

    # What a test is made of.

    @abstractmethod
    def _is_seen(self, body: Body) -> bool:
        """Whether the joints that the test is found by are seen."""

    @abstractmethod
    def _start_posture(self, body: Body) -> Stance | None:
        """The stance of a mean body that was still, when it is in the start posture."""

    @abstractmethod
    def _excursion(self, body: Body, stance: Stance) -> float:
        """How far the body is from its stance."""

    @abstractmethod
    def _finished(self, stance: Stance, frames: tuple[Body, ...], top: int) -> Repetition | None:
        """The repetition of some frames whose excursion is furthest at `top`; None when it is another movement."""

    @abstractmethod
    def _goes_on(self, body: Body, stance: Stance) -> bool:
        """Whether a repetition can still be under way: False for somebody who gets up."""

    def _side(self) -> Side:
        """Of the repetition under way."""
        return Side.BOTH

    def _at_top(self, frames: tuple[Body, ...], excursions: Array) -> Array:
        """The series (T,) whose plateau is the top; the excursions where a test says nothing else."""
        return excursions

    # The machine that all share.

    def _rest(self, body: Body) -> None:
        """UNKNOWN or STANDING: keep the stance fresh, notice a body that moves away."""
        stance = self._stance_now(list(self._recent))
        if stance is not None:
            self._stance, self._stance_stamp = stance, body.stamp
            self._phase, self._progress = Phase.STANDING, 0.0
            return
        if self._stance is None:
            return
        if self._excursion(body, self._stance) > self._allowed(body, self._parameters.start):
            self._begin()
        elif body.stamp - self._stance_stamp > self._parameters.history:
            self._lose()

    def _stance_now(self, bodies: list[Body]) -> Stance | None:
        """The stance at the end of some bodies when they are still and in the start posture."""
        newest = bodies[-1].stamp
        if newest - bodies[0].stamp < self._parameters.still_for - 1e-6 or _stands(bodies[-1]):
            return None
        window = [body for body in bodies if body.stamp >= newest - self._parameters.still_for - 1e-6]
        window = bodies[-max(len(window), self._parameters.min_frames) :]
        if len(window) < self._parameters.min_frames or not _are_still(window):
            return None
        longest = [body for body in bodies if body.stamp >= newest - self._parameters.stance_for]
        # in a start posture both sides do the same: what is hidden lies beside what is seen
        return self._start_posture(paired(mean_body(longest if _are_still(longest) else window), trusted=True))

    def _begin(self) -> None:
        """The body has left its stance: the frames since it began to, and the stance as it was before that."""
        assert self._stance is not None
        bodies = list(self._recent)
        stamps = np.array([body.stamp for body in bodies])
        away = centred_mean(stamps, np.array([self._excursion(body, self._stance) for body in bodies]), 0.5 * STEP_S)
        first = len(bodies) - 1
        while first > 0 and away[first] - away[_earlier(stamps, first)] > STEP_SHARE * self._parameters.start:
            first -= 1
        before = self._stance_now(bodies[: first + 1]) if first else None
        self._stance = before or self._stance
        self._frames = bodies[first:]
        self._excursions = [self._excursion(body, self._stance) for body in self._frames]
        self._home_since = None
        self._name_phase()

    def _follow(self, body: Body) -> Repetition | None:
        """DESCENDING, BOTTOM or ASCENDING: follow the body until it is home, or until this is something else."""
        assert self._stance is not None
        away = self._excursion(body, self._stance)
        self._frames.append(body)
        self._excursions.append(away)
        limits = self._parameters
        if body.stamp - self._frames[0].stamp > limits.longest or self._has_gone(body):
            self._lose()
            return None
        at_home = away <= self._allowed(body, limits.home) or self._rests_again(body, away)
        home_for = 0.0 if self._home_since is None else body.stamp - self._home_since
        if not at_home:
            if home_for >= limits.home_again:
                return self._end()
            self._home_since = None
        elif self._home_since is None:
            self._home_since = body.stamp
        elif home_for >= limits.home_for:
            return self._end()
        self._name_phase()
        return None

    def _rests_again(self, body: Body, away: float) -> bool:
        """Still and in the start posture, not quite where it was: one camera's errors are others by then."""
        if away > min(0.5 * max(self._excursions), 1.6 * self._allowed(body, self._parameters.home)):
            return False
        return self._stance_now([one for one in self._frames if one.stamp >= body.stamp - 0.5]) is not None

    def _has_gone(self, body: Body) -> bool:
        """The posture has been no part of the test for the last 0.5 s."""
        assert self._stance is not None
        latest = [one for one in self._frames if one.stamp >= body.stamp - 0.5]
        return not any(self._goes_on(one, self._stance) for one in latest)

    def _end(self) -> Repetition | None:
        """Close the repetition where the body came to rest; the frames after it may belong to the next one."""
        stance, since = self._stance, self._home_since
        assert stance is not None and since is not None
        stamps, away = np.array([body.stamp for body in self._frames]), np.array(self._excursions)
        back = np.flatnonzero(stamps >= since)
        settled = centred_mean(stamps[back], away[back], 0.5 * STEP_S)
        last = int(back[np.flatnonzero(settled <= settled.min() + STEP_SHARE * self._parameters.start)[0]])
        frames = tuple(self._frames[: last + 1])
        smooth = centred_mean(stamps[: last + 1], self._at_top(frames, away[: last + 1]), self._parameters.smoothing)
        top = middle_of_plateau(smooth, self._parameters.plateau)
        peak = float(centred_mean(stamps, away, self._parameters.smoothing).max())
        self._recent = deque(self._frames[last:])
        self._frames, self._excursions, self._home_since = [], [], None
        self._stance_stamp = stamps[-1]
        self._phase, self._progress = Phase.STANDING, 0.0
        if peak < self._parameters.least or frames[-1].stamp - frames[0].stamp < self._parameters.shortest:
            return None
        return self._finished(stance, frames, top)

    def _allowed(self, body: Body, limit: float) -> float:
        one, several = self._parameters.noise
        return limit + {0: 0.0, 1: one}.get(body.views, several)

    def _name_phase(self) -> None:
        away, furthest = self._excursions[-1], max(self._excursions)
        self._progress = float(np.clip(away / self._parameters.full, 0.0, 1.0))
        enough = furthest >= self._parameters.least
        if enough and away >= 0.9 * furthest:
            self._phase = Phase.BOTTOM
        elif enough and away < 0.8 * furthest:
            self._phase = Phase.ASCENDING
            self._progress = float(np.clip(1.0 - away / furthest, 0.0, 1.0))
        elif not enough or self._phase not in (Phase.BOTTOM, Phase.ASCENDING):
            self._phase = Phase.DESCENDING

    def _lose(self) -> None:
        newest = self._recent[-1]
        self.reset()
        self._recent.append(newest)
        self._last_seen = newest.stamp


def centred_mean(stamps: Array, values: Array, seconds: float) -> Array:
    """Values (T,) averaged over `seconds` around each."""
    sums = np.concatenate(([0.0], np.cumsum(values)))
    first = np.searchsorted(stamps, stamps - seconds / 2 - 1e-9)
    last = np.searchsorted(stamps, stamps + seconds / 2 + 1e-9, side="right")
    return np.asarray((sums[last] - sums[first]) / (last - first))


def _earlier(stamps: Array, index: int) -> int:
    """The frame that is a step before another one."""
    return int(np.searchsorted(stamps, stamps[index] - STEP_S - 1e-9))


def _stands(body: Body) -> bool:
    """The hips are higher over the ankles than on all fours, where they are by a thigh: most bodies, at once."""
    points = body.points
    highest = STANDING_SHARE * leg_length(body)
    return all(points[hip, 2] - points[ankle, 2] > highest for hip, ankle in zip(HIPS, ANKLES, strict=True))


def _are_still(bodies: Sequence[Body]) -> bool:
    """No seen point moves against the middle of the hips by more than a share of the leg."""
    points = np.stack([body.points for body in bodies])
    relative = points - points[:, list(HIPS)].mean(axis=1, keepdims=True)
    moved = np.ptp(relative, axis=0)
    limit = STILL_SHARE.get(bodies[-1].views, STILL_SHARE_SEVERAL) * leg_length(bodies[-1])
    seen = np.isfinite(moved).all(axis=1)
    return bool(seen.any() and (moved[seen] < limit).all())


def middle_of_plateau(values: Array, share: float) -> int:
    """The middle of the frames around the largest value that are within a share of the range of it."""
    highest = int(values.argmax())
    low = values < values[highest] - share * float(np.ptp(values))
    before, after = np.flatnonzero(low[:highest]), np.flatnonzero(low[highest:])
    first = int(before[-1]) + 1 if len(before) else 0
    last = highest + int(after[0]) - 1 if len(after) else len(values) - 1
    return (first + last) // 2
