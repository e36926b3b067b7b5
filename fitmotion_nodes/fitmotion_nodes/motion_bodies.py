"""The bodies that a motion_generator node moves: a stream each, one thread that makes what they will do."""

import threading
from collections.abc import Callable, Mapping

from fitmotion_models.motion.condition import MotionCondition
from fitmotion_models.motion.features import FPS
from fitmotion_models.motion.length import LengthModel
from fitmotion_models.motion.rollout import GenerationError
from fitmotion_models.motion.sampler import ChunkInputs, MotionSampler
from fitmotion_models.motion.streamer import MotionStreamer, Place
from fitmotion_models.motion.text import TextEncoder
from fitmotion_models.skeleton.body_pose import BodyPose, Float32
from fitmotion_nodes.flow import Worker

IDLE_S = 0.01  # how long the thread sleeps when nothing is due: a fifth of a frame
# Frames from a command until its first one is shown, without the time that a chunk takes: those that a player holds to
# interpolate between, and the one under way.
_FRAMES_AHEAD = 3
_RETRY_S = 0.5  # after a chunk that was no motion


class SharedSampler:
    """A network that several threads use, one at a time: on a GPU its memory is one, on a CPU its threads are."""

    def __init__(self, sampler: MotionSampler) -> None:
        self._sampler, self._lock = sampler, threading.Lock()
        self.engine, self.engine_name, self.card = sampler.engine, sampler.engine_name, sampler.card

    def __call__(self, inputs: ChunkInputs) -> Float32:
        """See `MotionSampler`."""
        with self._lock:
            return self._sampler(inputs)


class MotionBodies:
    """Streams by the name of the body.

    lengths: how long a motion takes that no length is asked for. places: where each begins. failed: hears, in the
    thread, why a chunk was no motion; the body then stands.
    """

    def __init__(
        self,
        sampler: MotionSampler,
        encoder: TextEncoder,
        lengths: LengthModel,
        places: Mapping[str, Place],
        *,
        clean_up: bool,
        failed: Callable[[GenerationError], None],
    ) -> None:
        self._streams = {
            name: MotionStreamer(sampler, encoder, lengths, place=place, subject=name, tidy=clean_up)
            for name, place in places.items()
        }
        self._failed = failed
        self._worker: Worker | None = None

    def start(self, ended: Callable[[Exception | None], None]) -> None:
        """Begin to make what will be done. ended: hears of an error that ends it, in the thread."""
        self._worker = Worker(self._run, ended)

    def halt(self) -> None:
        """Make no more."""
        if self._worker is not None:
            self._worker.stop()
            self._worker = None

    # ---- in the thread ----

    def _run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                # every stream has its turn, also when one made something
                if not any([stream.advance() for stream in self._streams.values()]):
                    next(iter(self._streams.values())).wait(IDLE_S)
            except GenerationError as error:
                self._failed(error)
                stop.wait(_RETRY_S)

    # ---- what they do ----

    @property
    def names(self) -> tuple[str, ...]:
        """The bodies' names, the first one that of commands."""
        return tuple(self._streams)

    def command(self, name: str, condition: MotionCondition) -> None:
        """Let a body do this from now on."""
        self._streams[name].command(condition)

    def stop(self, name: str) -> None:
        """Let a body hold and fade to standing."""
        self._streams[name].stop()

    def doing(self, name: str) -> MotionCondition | None:
        """What a body carries out; None while it stands or fades to standing."""
        return self._streams[name].condition

    def poses_at(self, seconds: float) -> list[BodyPose]:
        """Every body at this time, seconds; times do not go back."""
        return [stream.pose_at(seconds) for stream in self._streams.values()]

    @property
    def lead_s(self) -> float:
        """Seconds from a command until its first frame is shown."""
        latency = max(stream.latency.delay_frames(1.0 / FPS) for stream in self._streams.values())
        return (_FRAMES_AHEAD + latency) / FPS

    def report(self) -> dict[str, str]:
        """Figures for the diagnostics: the first body's, sums where they count something."""
        streams = list(self._streams.values())
        p50, p95 = streams[0].latency.p50, streams[0].latency.p95
        return {
            "chunk_p50_ms": "" if p50 is None else f"{1e3 * p50:.1f}",
            "chunk_p95_ms": "" if p95 is None else f"{1e3 * p95:.1f}",
            "late_frames": str(sum(stream.late_frames for stream in streams)),
            "underruns": str(sum(stream.underruns for stream in streams)),
        }
