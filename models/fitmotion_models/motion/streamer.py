"""The endless stream: a body that does what it was last told, changes over smoothly, and stands when told nothing.

Two sides that never wait for each other. A worker calls `advance` and, when that had nothing to do, `wait`: it asks the
network for the next chunk in time. A player calls `pose_at` (any rate) or `next_frame` (20 a second). Commands may come
from anywhere.
"""

import math
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from fitmotion_models.motion.body_frames import ROW, pose_between, pose_of
from fitmotion_models.motion.chunk_queue import LatencyTracker, Plan, PoseChunkQueue
from fitmotion_models.motion.condition import MotionCondition
from fitmotion_models.motion.features import FPS, anchor_of
from fitmotion_models.motion.length import LengthModel
from fitmotion_models.motion.progress import is_endless, progress_of
from fitmotion_models.motion.rollout import GenerationError, Rollout, Timings, Wish, noise_of
from fitmotion_models.motion.root_path import CHUNK_FRAMES, RootTargets, end_of
from fitmotion_models.motion.sampler import MotionSampler
from fitmotion_models.motion.seams import follow_on
from fitmotion_models.motion.standing import fade_rows, standing_rows
from fitmotion_models.motion.text import TextEncoder
from fitmotion_models.skeleton.body_pose import BodyPose
from fitmotion_models.skeleton.rotations import Float64

PLAY_FRAMES = 16
"""Of the 20 frames of a chunk so many are played where no new command comes: fewer cost more and have more seams."""

_FRAME_S = 1.0 / FPS
_LENGTHS = 1  # what a seed's numbers are for: lengths of cycles
# frames about a moment that its pose is interpolated from
_AROUND = 4
# a cycle or motion that ends so soon after a chunk began is not given one more chunk, frames
_SHORTEST_CHUNK = 4
# a player that comes back after so long goes on from now instead of playing what it missed, seconds
_PAUSE_S = 1.0


class Place(NamedTuple):
    """Where the body stands at first: metres over the floor, radians from x to the left."""

    x: float = 0.0
    y: float = 0.0
    heading: float = 0.0


_ORIGIN = Place()


@dataclass
class _Performance:
    """The command that is carried out. Frames are numbered from the stream's start.

    cycle_start, cycle_frames: of the repetition under way; None: it has no end of its own. end: the frame from which
    the body fades to standing; None: the command is repeated until another one comes.
    """

    condition: MotionCondition
    wish: Wish
    targets: RootTargets
    seed: int
    random: np.random.Generator
    start: int
    cycle_start: int
    cycle_frames: int | None
    end: int | None
    chunks: int = 0


class _Stop:
    """What is put in a command's place when there shall be none."""


class MotionStreamer:
    """Plays motion for ever; knows nothing of ROS.

    play_frames: of the 20 frames of a chunk so many are played before the next one takes over. latency_s: how long a
    chunk takes at most; None: as measured, the 95th percentile of the last hundred. command_timeout_s: without a new
    command for so long the body fades to standing; None: the last command stands. tidy: whether feet are planted.
    """

    def __init__(
        self,
        sampler: MotionSampler,
        encoder: TextEncoder,
        length_model: LengthModel,
        *,
        play_frames: int = PLAY_FRAMES,
        latency_s: float | None = None,
        command_timeout_s: float | None = None,
        place: Place = _ORIGIN,
        subject: str = "generated",
        tidy: bool = True,
        seed: int | None = None,
    ) -> None:
        if not _SHORTEST_CHUNK <= play_frames <= CHUNK_FRAMES:
            raise ValueError(f"play_frames={play_frames}: play {_SHORTEST_CHUNK} to {CHUNK_FRAMES} frames of a chunk")
        self.subject, self.play_frames = subject, play_frames
        self.command_timeout_s = command_timeout_s
        self.latency = LatencyTracker()
        self.underruns = 0
        self.late_frames = 0
        self._latency_s = latency_s
        self._lengths = length_model
        self._rollout = Rollout(sampler, encoder, tidy=tidy)
        self._seeds = np.random.default_rng(seed)
        stance = standing_rows(CHUNK_FRAMES, x=place.x, y=place.y, heading=place.heading)
        self._queue = PoseChunkQueue(stance, keep=CHUNK_FRAMES)
        self._queue.merge(stance, 0)
        self._next_chunk = self._newest = 0
        self._performance: _Performance | None = None
        self._wake = threading.Condition()
        self._pending: MotionCondition | type[_Stop] | None = None
        self._commanded_at = 0
        self._playing = threading.Lock()
        self._rows: deque[Float64] = deque(stance[-_AROUND:], maxlen=_AROUND)
        self._shown = 0
        self._start: float | None = None

    # what to do -----------------------------------------------------------------------------------------------------

    def command(self, condition: MotionCondition) -> None:
        """Do this from now on; it takes effect with the next chunk. May be called from any thread, returns at once."""
        self._tell(condition)

    def stop(self) -> None:
        """Fade to standing."""
        self._tell(_Stop)

    def _tell(self, what: MotionCondition | type[_Stop]) -> None:
        with self._wake:
            self._pending = what
            self._wake.notify_all()

    def wait(self, seconds: float) -> None:
        """Return when there is a new command, or after so many seconds."""
        with self._wake:
            self._wake.wait_for(lambda: self._pending is not None, seconds)

    @property
    def condition(self) -> MotionCondition | None:
        """What is being carried out; None while the body stands or fades to standing."""
        performance = self._performance
        return None if performance is None else performance.condition

    @property
    def newest_chunk(self) -> int:
        """The number, from the stream's start, of the frame from which on the newest chunk or fade is played."""
        return self._newest

    @property
    def timings(self) -> Timings:
        """Seconds spent in the parts of generation since the start."""
        return self._rollout.timings

    # the worker's side ----------------------------------------------------------------------------------------------

    def advance(self) -> bool:
        """Make the next chunk if it is time to; returns whether anything was made. For one thread.

        Raises GenerationError where the network's values are no motion; the body then fades to standing.
        """
        with self._wake:
            told, self._pending = self._pending, None
        try:
            return self._advance(told)
        except GenerationError:
            self._fade(self._queue.plan(self._delay()))
            raise

    def _advance(self, told: MotionCondition | type[_Stop] | None) -> bool:
        if isinstance(told, MotionCondition):
            self._begin(told)
            return True
        performance = self._performance
        if performance is None:
            return self._hold()
        if told is _Stop or self._timed_out():
            self._fade(self._queue.plan(self._delay()))
            return True
        delay = self._delay()
        if self._next_chunk - self._queue.popped > delay:
            return False
        plan = self._queue.plan_from(max(self._next_chunk, self._queue.popped + delay))
        if performance.end is not None and plan.first >= performance.end:
            self._fade(plan)
        else:
            self._make(performance, plan)
        return True

    def _delay(self) -> int:
        """Frames that have to wait before a chunk asked for now may take over."""
        if self._latency_s is not None:
            return math.ceil(self._latency_s / _FRAME_S)
        return 1 + self.latency.delay_frames(_FRAME_S)

    def _timed_out(self) -> bool:
        if self.command_timeout_s is None:
            return False
        return (self._queue.popped - self._commanded_at) * _FRAME_S >= self.command_timeout_s

    def _hold(self) -> bool:
        """Stand on: frames that wait are the last one again."""
        missing = CHUNK_FRAMES - len(self._queue)
        if missing <= CHUNK_FRAMES // 2:
            return False
        plan = self._queue.plan(CHUNK_FRAMES)
        self._queue.merge(np.repeat(plan.history[-1:], missing, axis=0), plan.first)
        return True

    def _begin(self, condition: MotionCondition) -> None:
        wish = self._rollout.wish(condition)
        seed = int(self._seeds.integers(2**32)) if condition.seed is None else condition.seed
        random = np.random.default_rng([seed, _LENGTHS])
        self._commanded_at = self._queue.popped
        plan = self._queue.plan(self._delay())
        seconds = condition.seconds or end_of(condition)
        cycle: int | None = None
        if not is_endless(condition.prompt):
            cycle = self._cycle(condition, wish, random) if seconds is None else round(seconds * FPS)
        places = plan.history[-2:, ROW["positions"]][:, :2]
        performance = _Performance(
            condition=condition,
            wish=wish,
            targets=RootTargets(condition, places[1], (places[1] - places[0]) * FPS),
            seed=seed,
            random=random,
            start=plan.first,
            cycle_start=plan.first,
            cycle_frames=cycle,
            end=None if seconds is None else plan.first + round(seconds * FPS),
        )
        self._performance = performance
        self._make(performance, plan)

    def _cycle(self, condition: MotionCondition, wish: Wish, random: np.random.Generator) -> int:
        seconds = self._lengths.sample(wish.text.plain_text, condition.score, random)
        return max(round(seconds * FPS), _SHORTEST_CHUNK)

    def _total(self, performance: _Performance, first: int) -> int | None:
        """Frames of the repetition that frame `first` belongs to; where the last one is over, of a new one."""
        total = performance.cycle_frames
        if performance.end is None and total is not None and first > performance.cycle_start + total - _SHORTEST_CHUNK:
            performance.cycle_start = first
            total = self._cycle(performance.condition, performance.wish, performance.random)
            performance.cycle_frames = total
        return total

    def _make(self, performance: _Performance, plan: Plan) -> None:
        """Ask for a chunk that follows the plan, and let it be played."""
        asked = time.perf_counter()
        total = self._total(performance, plan.first)
        rows = self._rollout.chunk(
            plan.history,
            performance.wish,
            progress_of(plan.first - performance.cycle_start, total),
            performance.targets.chunk(plan.first - performance.start, anchor_of(plan.history[-1, ROW["features"]])),
            noise_of(performance.seed, performance.chunks),
        )
        merged = self._queue.merge(rows, plan.first, follow_on)
        self._newest = plan.first
        performance.chunks += 1
        self.late_frames += merged.late
        self.latency.add(time.perf_counter() - asked)
        ends = [plan.first + self.play_frames]
        if performance.end is not None:
            ends.append(performance.end)
        elif total is not None:
            ends.append(performance.cycle_start + total)
        self._next_chunk = max(min(ends), plan.first + 1)

    def _fade(self, plan: Plan) -> None:
        self._performance = None
        rows = fade_rows(plan.history)
        self._queue.merge(rows, plan.first, follow_on)
        self._newest = plan.first

    # the player's side ----------------------------------------------------------------------------------------------

    def start(self, now: float) -> None:
        """The next frame is shown at `now`, seconds."""
        with self._playing:
            self._start = now - self._shown * _FRAME_S

    def next_frame(self) -> BodyPose:
        """The next of the frames that are 1/20 s apart; the first one is shown at 0 unless `start` said otherwise."""
        with self._playing:
            self._start = self._start or 0.0
            row = self._step()
            return pose_of(row, self._start + (self._shown - 1) * _FRAME_S, self.subject)

    def pose_at(self, now: float) -> BodyPose:
        """The body at any time, seconds, not before the times asked for lately; the first call starts the clock.

        Between frames the body moves on smoothly and its bones keep their lengths.
        """
        with self._playing:
            if self._start is None:
                self._start = now
            place = (now - self._start) * FPS
            # two frames after the moment are known when it is shown
            behind = math.floor(place) + 3 - self._shown
            if abs(behind) > _PAUSE_S * FPS:
                self._start = now - (self._shown - 2) * _FRAME_S if self._shown else now
                place = (now - self._start) * FPS
            while self._shown < math.floor(place) + 3:
                self._step()
            share = place - (self._shown - 3)
            return pose_between(np.stack(list(self._rows)), min(max(share, 0.0), 1.0), now, self.subject)

    def _step(self) -> Float64:
        """The next row; where the worker came too late the last one again."""
        row = self._queue.pop()
        if row is None:
            self.underruns += 1
            row = self._rows[-1]
        self._rows.append(row)
        self._shown += 1
        return row
