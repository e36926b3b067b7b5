"""One chunk after the other: what a network is given, and what becomes of the frames that it predicts.

Networks know movements that have a side on the left alone. What is asked for on the right is the mirror image of the
same on the left: words and bodies are mirrored on their way in, and the frames on their way out.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from fitmotion_models.motion.body_frames import ROW, decode, rows_of
from fitmotion_models.motion.clean_up import clean_up
from fitmotion_models.motion.condition import Conditioning, MotionCondition
from fitmotion_models.motion.features import LAYOUT, Anchor, anchor_of, anchored, mirrored_features, placed
from fitmotion_models.motion.root_path import CHUNK_FRAMES, Targets
from fitmotion_models.motion.sampler import ChunkInputs, MotionSampler
from fitmotion_models.motion.seams import joined
from fitmotion_models.motion.sides import RIGHT, named_side, swap_sides
from fitmotion_models.motion.text import TextEncoder, TextInputs, check_encoder, text_inputs
from fitmotion_models.skeleton.body_pose import Float32
from fitmotion_models.skeleton.rotations import Float64

PARTS = ("text", "sample", "decode", "clean_up")
ORIGIN = Anchor(0.0, 0.0, 1.0, 0.0)
_NOISE = 0  # what a seed's numbers are for: noise of chunks


class GenerationError(RuntimeError):
    """A network gave what is no motion; one sentence."""


@dataclass
class Timings:
    """Seconds spent in the parts of generation, summed."""

    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(PARTS, 0.0))

    @contextmanager
    def of(self, part: str) -> Iterator[None]:
        """Count what is done inside as this part's."""
        start = time.perf_counter()
        yield
        self.seconds[part] = self.seconds.get(part, 0.0) + time.perf_counter() - start


@dataclass(frozen=True)
class Wish:
    """What stays the same over the chunks of one motion.

    text: of the words, of their mirror image where these are about the right side. guidance: (2,) weights of text and
    score. mirrored: whether the network makes the mirror image of what is wanted.
    """

    text: TextInputs
    guidance: Float32
    mirrored: bool = False


def noise_of(seed: int, chunk: int) -> Float32:
    """(20, 204) of a motion's chunk; the same seed and number give the same noise."""
    random = np.random.default_rng([seed, _NOISE, chunk])
    return random.standard_normal((CHUNK_FRAMES, LAYOUT.size), dtype=np.float32)


class Rollout:
    """Makes chunks that continue what was played.

    sampler: predicts 20 frames. tidy: whether feet that stand are kept from sliding and everything over the floor.
    timings: where the time of the parts is summed. Raises ValueError for an encoder that the network does not know.
    """

    def __init__(self, sampler: MotionSampler, encoder: TextEncoder, *, tidy: bool = True) -> None:
        check_encoder(encoder, sampler.card.encoder, sampler.card.text_size, sampler.card.name)
        self.sampler, self.encoder, self.tidy = sampler, encoder, tidy
        self.timings = Timings()

    def wish(self, condition: MotionCondition) -> Wish:
        """The condition as numbers; what it leaves open is as the weights' card says."""
        card = self.sampler.card
        conditioning = condition.conditioning
        if conditioning is Conditioning.DEFAULT:
            conditioning = card.conditioning
        mirrored = named_side(condition.prompt) == RIGHT
        prompt = swap_sides(condition.prompt) if mirrored else condition.prompt
        with self.timings.of("text"):
            text = text_inputs(self.encoder, prompt, condition.score, conditioning)
        chosen = (condition.text_guidance, condition.score_guidance)
        defaults = (card.text_guidance, card.score_weight(conditioning))
        weights = [default if given is None else given for given, default in zip(chosen, defaults, strict=True)]
        return Wish(text, np.array(weights, np.float32), mirrored)

    def chunk(
        self,
        history: Float64 | None,
        wish: Wish,
        progress: Float32,
        targets: Targets,
        noise: Float32,
        *,
        start: Anchor = ORIGIN,
    ) -> Float64:
        """Rows (20, ROW.size) that follow the rows of `history` (20, ROW.size); None: nothing came before.

        progress: (3,), as the network is told. noise: (20, 204). start: where a motion begins that nothing came before.
        Raises GenerationError where the network's values are not finite.
        """
        anchor = start if history is None else anchor_of(history[-1, ROW["features"]])
        before = np.zeros((CHUNK_FRAMES, LAYOUT.size), np.float32)
        if history is not None:
            before = anchored(history[:, ROW["features"]], anchor)
        target, mask = targets.target, targets.mask
        if wish.mirrored:
            before, target, mask = mirrored_features(before), mirrored_features(target), abs(mirrored_features(mask))
        inputs = ChunkInputs(
            history=before,
            has_history=np.array([0.0 if history is None else 1.0], np.float32),
            text=wish.text.text,
            plain_text=wish.text.plain_text,
            score=wish.text.score,
            progress=progress,
            target=target,
            target_mask=mask,
            noise=noise,
            guidance=wish.guidance,
        )
        with self.timings.of("sample"):
            future = self.sampler(inputs)
        if not np.isfinite(future).all():
            raise GenerationError(f"{self.sampler.engine} gave values that are not finite; the weights may be damaged")
        if wish.mirrored:
            future = mirrored_features(future)
        with self.timings.of("decode"):
            frames = decode(placed(future, anchor))
            if history is not None:
                joined(frames, history[-2:])
        if self.tidy:
            with self.timings.of("clean_up"):
                clean_up(frames, None if history is None else history[-1], bound=bool(targets.mask[:, :2].any()))
        with self.timings.of("decode"):
            return rows_of(frames)
