"""Finds squats in a stream of bodies: phases while they happen, and whole repetitions when they end. Causal.

A repetition starts from a stable stance on both feet, lowers the pelvis by a stated share of the leg length with both
knees bending and both feet planted, and comes back up. Walking, jumping, kicking, sitting and picking things up miss at
least one of these.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np

from fitmotion_models.fms.boundaries import Settling, first_frame, last_standing
from fitmotion_models.fms.moment import PELVIS, Body, Stance
from fitmotion_models.fms.reading import Reading, read_body
from fitmotion_models.fms.squat_checks import is_squat
from fitmotion_models.fms.stance import STABLE_SECONDS, FoundStance, find_stance, has_stepped, is_near_stance
from fitmotion_models.fms.values import Phase, Side, Variation

# so many frames are more than a stance is looked for in, at any camera's rate
_SETTLING_FRAMES = 64


@dataclass(frozen=True)
class RepetitionParameters:
    """When a movement of the pelvis is a repetition. Heights and distances are shares of the leg length.

    The shares are this project's choice: `start_drop` is above what breathing, swaying and one camera's noise do to a
    standing person's pelvis; `least_drop` is a knee flexion of about 75 degrees, above the dip of a person who shifts
    their weight and below half of a full squat, so that a squat which fails in depth is still a repetition.
    """

    start_drop: float = 0.06
    least_drop: float = 0.12
    bottom_band: float = 0.03
    complete: float = 0.90  # share of the way up at which the repetition is over
    complete_speed: float = 1.2  # leg lengths a second; a body that shoots up faster than this may be leaving the floor
    nearly_complete: float = 0.75  # over too, when the body then goes down again
    least_complete: float = 0.75  # over too, when the body then stands still
    smoothing: float = 0.1  # s, the heights of this long are averaged before a phase is called
    history: float = 2.0  # s, how far back the start of a descent is looked for
    feet_away: float = 0.3  # s with a foot away from its place in the stance
    lost_after: float = 0.5  # s without a body
    longest: float = 30.0  # s, from start to end
    give_up_still: float = 1.0  # s of standing in a shallow dip that make it the new stance


@dataclass(frozen=True, eq=False)
class Repetition:
    """One whole repetition: the stance before it, its frames from the last instant of standing on, the lowest one.

    variation: the form that it was, where its frames tell; NONE: the trial or the side says it.
    """

    stance: Stance
    frames: tuple[Body, ...]
    lowest: int
    variation: Variation = field(default=Variation.NONE, kw_only=True)


@dataclass(frozen=True, eq=False)
class Progress:
    """What one frame did. progress as in `AssessmentState`; stance: the one that counts now; finished: just ended.

    side: of the repetition under way, BOTH where the test has none or the frames have not shown it yet.
    """

    phase: Phase
    progress: float
    stance: Stance | None
    finished: Repetition | None = None
    side: Side = Side.BOTH


@runtime_checkable
class HasEnd(Protocol):
    """A segmentation that waits for the body to stand again, and can be told that nothing more comes."""

    def finish(self) -> Repetition | None:
        """The repetition that lacked nothing but the last instants of standing, if there is one."""


def finish(segmentation: object) -> Repetition | None:
    """What a segmentation still has to say when its stream has ended; None for one that never waits."""
    return segmentation.finish() if isinstance(segmentation, HasEnd) else None


class SquatRepetitions:
    """Follows one body, frame by frame. Depends on nothing but the frames given since the last stance."""

    def __init__(self, parameters: RepetitionParameters | None = None) -> None:
        self._parameters = parameters or RepetitionParameters()
        self.reset()

    def reset(self) -> None:
        """Forget everything; the next repetition needs a stance first."""
        self._phase = Phase.UNKNOWN
        self._progress = 0.0
        self._stance: Stance | None = None
        self._stance_height = 0.0
        self._recent: deque[Reading] = deque()
        self._frames: list[Reading] = []
        self._lowest = 0.0
        self._highest_since_lowest = 0.0
        self._settling = Settling()
        self._last_seen: float | None = None

    def update(self, body: Body) -> Progress:
        """Take the next frame. A frame that is not newer than the last one starts all over."""
        if self._last_seen is not None:
            elapsed = body.stamp - self._last_seen
            if elapsed <= 0.0 or elapsed > self._parameters.lost_after:
                self.reset()
        reading = read_body(body)
        if reading is None:
            return Progress(self._phase, self._progress, self._stance)
        self._last_seen = body.stamp
        self._remember(reading)
        height = self._smooth_height()
        finished = None
        if self._phase in (Phase.UNKNOWN, Phase.STANDING):
            self._stand(reading, height)
        else:
            finished = self._move(reading, height)
        stance = finished.stance if finished else self._stance
        return Progress(self._phase, self._progress, stance, finished, self._side(reading))

    def finish(self) -> Repetition | None:
        """The stream has ended: the repetition that lacked nothing but the last instants of standing, if there is one.

        Forgets everything.
        """
        finished = None
        if self._frames and self._phase not in (Phase.UNKNOWN, Phase.STANDING):
            way_up = (self._frames[-1].height - self._lowest) / (self._stance_height - self._lowest)
            if way_up >= self._parameters.nearly_complete:
                finished = self._end(len(self._frames))
        self.reset()
        return finished

    def _remember(self, reading: Reading) -> None:
        self._recent.append(reading)
        while self._recent[0].body.stamp < reading.body.stamp - self._parameters.history:
            self._recent.popleft()

    def _smooth_height(self) -> float:
        newest = self._recent[-1].body.stamp
        heights = [r.height for r in self._recent if r.body.stamp > newest - self._parameters.smoothing]
        return float(np.mean(heights))

    def _stand(self, reading: Reading, height: float) -> None:
        """UNKNOWN or STANDING: keep the stance fresh, notice that the person walks off or goes down."""
        found = self._find_stance(self._recent)
        if found and self._replaces(found, self._recent):
            self._take_stance(found.stance, found.height)
            return
        if self._stance is None:
            return
        if not self._is_planted(reading, self._stance):
            self._lose_stance()
        elif height < self._stance_height - self._start_drop():
            frames = self._start_of_descent()
            self._sharpen_stance(frames[0].body.stamp)
            self._begin(frames, height)

    def _replaces(self, found: FoundStance, readings: Sequence[Reading]) -> bool:
        """Whether the stance at the end of some frames is to count from now on.

        A body that sinks slowly is stable at any instant: a lower stance replaces a higher one only after a step, or
        when the body has stopped sinking.
        """
        if self._stance is None or found.height >= self._stance_height - 0.25 * self._start_drop():
            return True
        newest = len(readings) - 1
        return has_stepped(self._stance, found.stance) or last_standing(readings, newest) == newest

    def _take_stance(self, stance: Stance, height: float) -> None:
        self._stance, self._stance_height = stance, height
        self._phase, self._progress = Phase.STANDING, 0.0

    def _lose_stance(self) -> None:
        self._stance, self._phase, self._progress = None, Phase.UNKNOWN, 0.0
        self._frames = []
        newest = self._recent[-1]
        self._recent.clear()
        self._recent.append(newest)

    def _start_drop(self) -> float:
        assert self._stance is not None
        return self._parameters.start_drop * self._stance.leg_length

    def _least_drop(self) -> float:
        assert self._stance is not None
        return self._parameters.least_drop * self._stance.leg_length

    def _start_of_descent(self) -> list[Reading]:
        """The frames since the body that goes down was last still, or, where noise never lets it be, at its height."""
        readings = list(self._recent)
        high = self._stance_height - 0.25 * self._start_drop()
        newest = len(readings) - 1
        standing = next((index for index in range(newest, -1, -1) if readings[index].height >= high), newest)
        return readings[first_frame(readings, standing) :]

    def _sharpen_stance(self, start: float) -> None:
        """Leave the first instants of the descent out of the stance, where the body stood long enough before them."""
        earlier = [reading for reading in self._recent if reading.body.stamp < start - STABLE_SECONDS]
        found = self._find_stance(earlier) if earlier else None
        if found:
            self._stance, self._stance_height = found.stance, found.height

    def _begin(self, frames: list[Reading], height: float) -> None:
        self._frames = frames
        self._phase = Phase.DESCENDING
        self._lowest = self._highest_since_lowest = height
        self._settling.reset()
        self._progress = self._depth_share(height)

    def _depth_share(self, height: float) -> float:
        """The way down, 1 where the drop is half of the leg length: about where the femur is horizontal."""
        assert self._stance is not None
        return float(np.clip((self._stance_height - height) / (0.5 * self._stance.leg_length), 0.0, 1.0))

    def _move(self, reading: Reading, height: float) -> Repetition | None:
        """DESCENDING, BOTTOM or ASCENDING: follow the pelvis until it is back, or until this is no squat."""
        assert self._stance is not None
        self._frames.append(reading)
        if reading.body.stamp - self._frames[0].body.stamp > self._parameters.longest or self._feet_left():
            self._lose_stance()
            return None
        if height < self._lowest:
            self._lowest = self._highest_since_lowest = height
            self._settling.reset()
        self._highest_since_lowest = max(self._highest_since_lowest, height)
        drop = self._stance_height - self._lowest
        way_up = (height - self._lowest) / drop
        highest_way_up = (self._highest_since_lowest - self._lowest) / drop
        turned_down = self._highest_since_lowest - height > max(self._start_drop(), 0.25 * drop)
        if highest_way_up >= self._parameters.nearly_complete and turned_down:
            return self._end(self._index_of_highest_after_lowest() + 1, height)
        if way_up >= self._parameters.least_complete:
            complete = way_up >= self._parameters.complete and self._has_landed(reading)
            # whoever waits on the way up does so with bent knees
            over = self._settling.is_over(self._frames, complete)
            if over and (complete or self._find_stance(self._frames[-_SETTLING_FRAMES:]) is not None):
                return self._end(len(self._frames))
        if drop < self._least_drop() and self._gives_up(drop):
            return None
        self._name_phase(height, way_up)
        return None

    def _feet_left(self) -> bool:
        """True when a foot has been away from the stance for a while: a step, a kick, a jump."""
        assert self._stance is not None
        since = self._frames[-1].body.stamp - self._parameters.feet_away
        latest = [reading for reading in self._frames if reading.body.stamp >= since]
        return not any(self._is_planted(reading, self._stance) for reading in latest)

    def _has_landed(self, reading: Reading) -> bool:
        """On both feet and no longer shooting up: a jump leaves the floor at the height where a squat is over."""
        assert self._stance is not None
        fastest = self._parameters.complete_speed * self._stance.leg_length
        return self._is_planted(reading, self._stance) and self._speed() < fastest

    def _gives_up(self, drop: float) -> bool:
        """Stands on in a dip too shallow for a repetition: one that is hardly there at once, others after a while."""
        found = self._find_stance(self._recent, STABLE_SECONDS)
        if found is not None and drop < 0.5 * self._least_drop() and self._replaces(found, self._recent):
            self._lose_stance()
            self._take_stance(found.stance, found.height)
            return True
        if self._find_stance(self._recent, self._parameters.give_up_still) is None:
            return False
        self._lose_stance()
        return True

    def _index_of_highest_after_lowest(self) -> int:
        heights = np.array([reading.height for reading in self._frames])
        lowest = int(heights.argmin())
        return lowest + int(heights[lowest:].argmax())

    def _name_phase(self, height: float, way_up: float) -> None:
        assert self._stance is not None
        band = self._parameters.bottom_band * self._stance.leg_length
        deep = self._stance_height - self._lowest >= self._least_drop()
        if height <= self._lowest + band:
            still = deep and self._speed() > -band / self._parameters.smoothing / 2.0
            self._phase = Phase.BOTTOM if still else Phase.DESCENDING
            self._progress = 1.0 if still else self._depth_share(height)
        elif self._speed() >= 0.0 or self._phase is Phase.ASCENDING:
            self._phase, self._progress = Phase.ASCENDING, float(np.clip(way_up, 0.0, 1.0))
        else:
            self._phase, self._progress = Phase.DESCENDING, self._depth_share(height)

    def _speed(self) -> float:
        """Vertical speed of the pelvis in the world over the last two smoothing times, m/s."""
        newest = self._recent[-1].body.stamp
        window = [r for r in self._recent if r.body.stamp >= newest - 2.0 * self._parameters.smoothing]
        if len(window) < 3:
            return 0.0
        stamps = np.array([reading.body.stamp for reading in window])
        heights = np.array([reading.body.points[PELVIS, 2] for reading in window])
        stamps -= stamps.mean()
        return float(stamps @ heights / (stamps @ stamps))

    def _end(self, count: int, height: float | None = None) -> Repetition | None:
        """Close the repetition after `count` frames; the rest of them may already belong to the next descent."""
        stance, frames, rest = self._stance, self._frames[:count], self._frames[count - 1 :]
        assert stance is not None
        deep = self._stance_height - self._lowest >= self._least_drop()
        self._frames = []
        self._recent = deque(rest)
        self._phase, self._progress = Phase.STANDING, 0.0
        if height is not None and len(rest) > 1:
            self._begin(rest, height)
        elif found := self._find_stance(frames):
            self._take_stance(found.stance, found.height)
        if not deep:
            return None
        stance, frames = self._from_last_standing(stance, frames)
        bodies = tuple(reading.body for reading in frames)
        smooth = _centred_mean(frames, self._parameters.smoothing)
        return self._repetition(Repetition(stance, bodies, int(smooth.argmin())), frames)

    def _from_last_standing(self, stance: Stance, frames: list[Reading]) -> tuple[Stance, list[Reading]]:
        """The stance and the frames without what came before the body last stood: a sway, a shuffle."""
        heights = _centred_mean(frames, self._parameters.smoothing)
        lowest = int(heights.argmin())
        high = self._lowest + 0.6 * (self._stance_height - self._lowest)
        anchor = max((index for index in range(lowest) if heights[index] >= high), default=0)
        stood = last_standing(frames, anchor)
        if stood is None:
            return stance, frames
        found = self._find_stance(frames[: stood + 1])
        first = first_frame(frames, stood)
        return (found.stance if found else stance), frames[first:]

    # What makes a squat of it; a lunge lowers the pelvis in the same way from another stance.

    def _find_stance(self, readings: Sequence[Reading], seconds: float = STABLE_SECONDS) -> FoundStance | None:
        return find_stance(readings, seconds)

    def _is_planted(self, reading: Reading, stance: Stance) -> bool:
        return is_near_stance(reading, stance)

    def _side(self, reading: Reading) -> Side:
        return Side.BOTH

    def _repetition(self, repetition: Repetition, frames: list[Reading]) -> Repetition | None:
        return repetition if is_squat(repetition.stance, frames, repetition.lowest) else None


def _centred_mean(readings: list[Reading], seconds: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Heights (T,) averaged over `seconds` around each frame."""
    stamps = np.array([reading.body.stamp for reading in readings])
    sums = np.concatenate(([0.0], np.cumsum([reading.height for reading in readings])))
    first = np.searchsorted(stamps, stamps - seconds / 2 - 1e-9)
    last = np.searchsorted(stamps, stamps + seconds / 2 + 1e-9, side="right")
    return np.asarray((sums[last] - sums[first]) / (last - first))
