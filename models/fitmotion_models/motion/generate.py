"""A motion of a wanted length, all at once: `generate(condition)` gives a clip."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from fitmotion_models.motion.body_frames import ROW
from fitmotion_models.motion.condition import MAX_SECONDS, MotionCondition
from fitmotion_models.motion.features import FPS, anchor_of
from fitmotion_models.motion.length import LengthModel, load_length_model
from fitmotion_models.motion.progress import is_endless, progress_of
from fitmotion_models.motion.rollout import Rollout, Wish, noise_of
from fitmotion_models.motion.root_path import CHUNK_FRAMES, RootTargets, end_of, path_start
from fitmotion_models.motion.sampler import DEFAULT_WEIGHTS, THREADS, MotionSampler, load_sampler
from fitmotion_models.motion.text import TextEncoder, load_text_encoder
from fitmotion_models.skeleton.body_pose import Source
from fitmotion_models.skeleton.joint_sets import FEET, SMPL22
from fitmotion_models.skeleton.kinematics import REST_OFFSETS
from fitmotion_models.skeleton.motion_clip import MotionClip
from fitmotion_models.skeleton.rotations import Float64

Progress = Callable[[int, int | None], None]
"""Called with how many frames are made, and how many there will be."""
_LENGTHS = 1  # what a seed's numbers are for: the length
_LARGEST_SEED = 2**32


class CancelledError(RuntimeError):
    """A generation that was told to stop."""


@dataclass(frozen=True, eq=False)
class Generated:
    """A generated motion.

    clip: 20 frames a second on the canonical bones. seed: that gives it again. timings: seconds of text, sample,
    decode, clean_up and total.
    """

    clip: MotionClip
    seed: int
    timings: dict[str, float]


class Generator:
    """What generation needs, loaded once: sampler, text encoder and length model."""

    def __init__(
        self,
        sampler: MotionSampler,
        encoder: TextEncoder | None = None,
        lengths: LengthModel | None = None,
        *,
        clean_up: bool = True,
    ) -> None:
        """encoder: None: the one that the network was trained with. clean_up: see `motion.clean_up`."""
        self.sampler = sampler
        self._encoder = encoder or load_text_encoder(sampler.card.encoder)
        self._lengths = lengths
        self._clean_up = clean_up
        Rollout(sampler, self._encoder)

    @classmethod
    def load(
        cls, weights: str = DEFAULT_WEIGHTS, *, engine: str = "auto", threads: int = THREADS, guided: bool = False
    ) -> "Generator":
        """See `load_sampler`."""
        return cls(load_sampler(weights, engine=engine, threads=threads, guided=guided))

    def __call__(
        self,
        condition: MotionCondition,
        progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
        subject: str = "generated",
    ) -> Generated:
        """The motion that is asked for; begins over the origin facing x, or on its path.

        cancelled: asked before every second of motion; CancelledError is raised where it says so. The clip's labels are
        the prompt and, where there is one, "FMS score N". Raises GenerationError where the network gives no motion.
        """
        began = time.perf_counter()
        rollout = Rollout(self.sampler, self._encoder, tidy=self._clean_up)
        seed = int(np.random.default_rng().integers(_LARGEST_SEED)) if condition.seed is None else condition.seed
        wish = rollout.wish(condition)
        frames = self._frames(condition, wish, seed)
        rows = _roll_out(rollout, condition, wish, seed, frames, progress, cancelled)
        clip = _clip(rows, condition, subject)
        return Generated(clip, seed, rollout.timings.seconds | {"total": time.perf_counter() - began})

    def several(self, condition: MotionCondition, count: int, progress: Progress | None = None) -> list[Generated]:
        """So many motions, with seeds that follow one another; progress counts motions."""
        first = int(np.random.default_rng().integers(_LARGEST_SEED)) if condition.seed is None else condition.seed
        made = []
        for number in range(count):
            made.append(self(replace(condition, seed=(first + number) % _LARGEST_SEED)))
            if progress is not None:
                progress(number + 1, count)
        return made

    def _frames(self, condition: MotionCondition, wish: Wish, seed: int) -> int:
        seconds = condition.seconds or end_of(condition)
        if seconds is None:
            self._lengths = self._lengths or load_length_model()
            random = np.random.default_rng([seed, _LENGTHS])
            seconds = self._lengths.sample(wish.text.plain_text, condition.score, random)
        return max(1, round(min(seconds, MAX_SECONDS) * FPS))


def generate(
    condition: MotionCondition,
    *,
    sampler: MotionSampler | None = None,
    encoder: TextEncoder | None = None,
    progress: Progress | None = None,
    clean_up: bool = True,
) -> Generated:
    """The motion that is asked for; see `Generator`, which keeps what is loaded here for more than one."""
    return Generator(sampler or load_sampler(), encoder, clean_up=clean_up)(condition, progress)


def _roll_out(
    rollout: Rollout,
    condition: MotionCondition,
    wish: Wish,
    seed: int,
    frames: int,
    progress: Progress | None,
    cancelled: Callable[[], bool] | None,
) -> Float64:
    """Rows (frames, ROW.size), chunk by chunk."""
    start = path_start(condition)
    targets = RootTargets(condition, np.array([start.x, start.y]))
    total = None if is_endless(condition.prompt) else frames
    rows = np.empty((frames + CHUNK_FRAMES, ROW.size))
    done = 0
    while done < frames:
        if cancelled is not None and cancelled():
            raise CancelledError(f"generation was cancelled after {done / FPS:g} of {frames / FPS:g} s")
        history = rows[done - CHUNK_FRAMES : done] if done else None
        anchor = start if history is None else anchor_of(history[-1, ROW["features"]])
        rows[done : done + CHUNK_FRAMES] = rollout.chunk(
            history,
            wish,
            progress_of(done, total),
            targets.chunk(done, anchor),
            noise_of(seed, done // CHUNK_FRAMES),
            start=start,
        )
        done += CHUNK_FRAMES
        if progress is not None:
            progress(min(done, frames), frames)
    return rows[:frames]


def _clip(rows: Float64, condition: MotionCondition, subject: str) -> MotionClip:
    count, joints = len(rows), len(SMPL22)
    score = () if condition.score is None else (f"FMS score {condition.score}",)
    return MotionClip(
        fps=FPS,
        stamps=np.arange(count) / FPS,
        positions=rows[:, ROW["positions"]].reshape(count, joints, 3).astype(np.float32),
        rotations=rows[:, ROW["rotations"]].reshape(count, joints, 4).astype(np.float32),
        confidence=np.ones((count, joints), np.float32),
        feet=rows[:, ROW["feet"]].reshape(count, len(FEET), 3).astype(np.float32),
        feet_confidence=np.ones((count, len(FEET)), np.float32),
        bone_offsets=REST_OFFSETS.astype(np.float32),
        view_direction=np.full((count, 3), np.nan, np.float32),
        views=0,
        subject=subject,
        source=Source.GENERATED,
        labels=(condition.prompt, *score),
    )
