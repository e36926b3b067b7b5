"""Training windows of the stream model: 20 frames of history, 20 to predict, and what they are asked for."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.motion.features import LAYOUT, Anchor, anchor_of, anchored, mirrored_features
from fitmotion_models.motion.sides import RIGHT, swap_sides
from fitmotion_models.training.motion_recipe import WindowRecipe

Float32 = NDArray[np.float32]

# actions that have no end of their own: how far along they are is not a thing to ask
ENDLESS = ("walk", "run", "jog")
# half of the windows with a way given are given the heading along it too
_HEADING_SHARE = 0.5
_MOST_KEYFRAMES = 2
_LEAST_FUTURE = 4
# of a number that never changes
_LEAST_DEVIATION = 0.02


@dataclass(frozen=True)
class Sample:
    """A clip to cut windows from.

    features: (T, 204) in the world. texts: what it may be called. score: 1 to 3, or None. weight: how often it is
    drawn. endless: no progress is told. side: on which the movement is done, None where its texts name none.
    turns: it turns, and its texts do not say so: every window is told its way and heading.
    """

    features: Float32
    texts: tuple[str, ...]
    score: int | None
    weight: float
    endless: bool = False
    side: str | None = None
    turns: bool = False

    @cached_property
    def sided(self) -> tuple[bool, ...]:
        """Which of the texts name a side."""
        return tuple(swap_sides(text) != text for text in self.texts)

    @cached_property
    def told(self) -> tuple[str, ...]:
        """The texts as a window tells them: of a movement on the right side those of its mirror image."""
        return tuple(map(swap_sides, self.texts)) if self.side == RIGHT else self.texts


class Windows(NamedTuple):
    """A batch, anchored, not normalised; B windows.

    history (B, 20, 204), has_history (B, 1), future (B, 20, 204), valid (B, 20) 0 behind a clip's end, progress (B, 3),
    target_mask (B, 20, 204), blended (B, 20) 1 where a transition is under way, texts (B) and other_texts (B) two of
    the clip's, maybe the same, scores (B) -1 for none.
    """

    history: Float32
    has_history: Float32
    future: Float32
    valid: Float32
    progress: Float32
    target_mask: Float32
    blended: Float32
    texts: list[str]
    other_texts: list[str]
    scores: list[int]


class WindowSampler:
    """Draws batches of windows; of a movement done on the right side, where its text says so, the mirror images.

    samples: at least one. standing: (>= 20, 204) features of standing still, from which a stream begins.
    """

    def __init__(
        self, samples: Sequence[Sample], standing: Float32, recipe: WindowRecipe, *, frames: int = 20, seed: int = 0
    ) -> None:
        if not samples:
            raise ValueError("there is nothing to train on: no clip of the generating persons is in the motion set")
        self.samples = list(samples)
        self.standing, self.recipe, self.frames = standing, recipe, frames
        self.random = np.random.default_rng(seed)
        weights = np.array([sample.weight for sample in samples])
        self._share = np.cumsum(weights / weights.sum())

    def draw(self, batch: int) -> Windows:
        """A batch of windows."""
        size = (batch, self.frames)
        made = Windows(
            history=np.zeros((*size, LAYOUT.size), np.float32),
            has_history=np.ones((batch, 1), np.float32),
            future=np.zeros((*size, LAYOUT.size), np.float32),
            valid=np.ones(size, np.float32),
            progress=np.zeros((batch, 3), np.float32),
            target_mask=np.zeros((*size, LAYOUT.size), np.float32),
            blended=np.zeros(size, np.float32),
            texts=[],
            other_texts=[],
            scores=[],
        )
        mirrored = np.array([self._fill(made, index, self._any()) for index in range(batch)])
        for part in (made.history, made.future, made.target_mask):
            part[mirrored] = mirrored_features(part[mirrored])
        np.abs(made.target_mask, out=made.target_mask)
        return made

    def _any(self) -> Sample:
        return self.samples[min(int(np.searchsorted(self._share, self.random.random())), len(self.samples) - 1)]

    def _fill(self, made: Windows, index: int, sample: Sample) -> bool:
        """Whether the window is to be mirrored; its texts are already."""
        recipe, random, frames = self.recipe, self.random, self.frames
        total = len(sample.features)
        kind = random.random()
        if kind < recipe.free:
            start, anchor = 0, anchor_of(sample.features[0])
            made.has_history[index] = 0.0
        elif kind < recipe.free + recipe.transition:
            start = int(random.integers(1, max(2, min(12, total - _LEAST_FUTURE))))
            anchor = anchor_of(sample.features[start - 1])
            made.history[index] = self._other_history()
        else:
            start = int(random.integers(1, max(2, total - _LEAST_FUTURE)))
            anchor = anchor_of(sample.features[start - 1])
            before = np.maximum(np.arange(start - frames, start), 0)
            made.history[index] = anchored(sample.features[before], anchor)
        taken = np.arange(start, start + frames)
        made.valid[index] = taken < total
        made.future[index] = anchored(sample.features[np.minimum(taken, total - 1)], anchor)
        if recipe.free <= kind < recipe.free + recipe.transition:
            self._blend(made, index, sample.features[start - 1], anchor)
        if not sample.endless and random.random() >= recipe.progress_dropout:
            made.progress[index] = (start / total, total / 200.0, 1.0)
        self._constrain(made.target_mask[index], made.valid[index], told=sample.turns)
        number, other = (int(random.integers(len(sample.texts))) for _ in range(2))
        # what names no side is said of both
        sided, other_sided = sample.sided[number], sample.sided[other]
        made.texts.append(sample.told[number])
        made.other_texts.append(sample.told[other if sided == other_sided else number])
        made.scores.append(-1 if sample.score is None else sample.score)
        return sided and sample.side == RIGHT

    def _other_history(self) -> Float32:
        """The last 20 frames before some moment of another motion, or of standing still."""
        features = self.standing
        if self.random.random() >= self.recipe.standing:
            features = self._any().features
        # motions end more often than they are broken off
        end = len(features) if self.random.random() < 0.5 else int(self.random.integers(2, len(features) + 1))
        taken = np.maximum(np.arange(end - self.frames, end), 0)
        return anchored(features[taken], anchor_of(features[end - 1]))

    def _blend(self, made: Windows, index: int, before: Float32, anchor: Anchor) -> None:
        """Let the future begin where the history ends: what lies between them dies away over some frames.

        In features: differences of 6D rotations are small enough to be added, and are made orthonormal where they are
        read. before: the frame of the future's own clip that the history's last one takes the place of.
        """
        low, high = self.recipe.blend_frames
        length = int(self.random.integers(low, high + 1))
        share = np.clip((np.arange(self.frames) + 1.0) / length, 0.0, 1.0)
        left = (1.0 - share * share * (3.0 - 2.0 * share)).astype(np.float32)
        difference = made.history[index, -1] - anchored(before[None], anchor)[0]
        difference[LAYOUT["contacts"]] = 0.0
        made.future[index] += left[:, None] * difference
        made.blended[index] = left > 0.02

    def _constrain(self, mask: Float32, valid: Float32, *, told: bool) -> None:
        random, recipe = self.random, self.recipe
        frames = int(valid.sum())
        kind = random.random()
        if told:
            mask[:frames, : LAYOUT["heading"].stop] = 1.0
            mask[:frames, 2] = 0.0
        elif kind < recipe.path:
            given = np.arange(frames) if random.random() < 0.7 else np.flatnonzero(random.random(frames) < 0.3)
            way = LAYOUT["root_position"].start
            mask[given, way : way + 2] = 1.0
            if random.random() < _HEADING_SHARE:
                mask[given, LAYOUT["heading"]] = 1.0
        elif kind < recipe.path + recipe.keyframes:
            given = random.integers(0, frames, int(random.integers(1, _MOST_KEYFRAMES + 1)))
            mask[given, : LAYOUT["contacts"].start] = 1.0
            if random.random() < 0.5:
                self._loosen(mask, given)

    def _loosen(self, mask: Float32, frames: NDArray[np.int64]) -> None:
        """Of a keyframe, bind some joints only."""
        joints = self.random.random(22) < 0.4
        rotations = np.repeat(joints, 6)
        positions = np.repeat(joints[1:], 3)
        mask[np.ix_(frames, np.arange(LAYOUT["rotations"].start, LAYOUT["rotations"].stop))] = rotations
        mask[np.ix_(frames, np.arange(LAYOUT["positions"].start, LAYOUT["positions"].stop))] = positions


def normalisation(windows: Windows) -> tuple[Float32, Float32]:
    """Mean and deviation (204,) of the features of anchored windows, by slice where numbers are of one kind.

    The root's position and heading, of which a person who stands has hardly any, are scaled by what they reach.
    """
    frames = np.concatenate([windows.history, windows.future], axis=1).reshape(-1, LAYOUT.size).astype(np.float64)
    mean, deviation = frames.mean(axis=0), frames.std(axis=0)
    for name in ("rotations", "positions", "contacts"):
        part = LAYOUT[name]
        # a joint that hardly turns is not blown up to the size of one that does
        deviation[part] = np.maximum(deviation[part], max(0.35 * deviation[part].mean(), _LEAST_DEVIATION))
    root = LAYOUT["root_position"]
    deviation[root] = np.maximum(deviation[root], 0.1)
    deviation[LAYOUT["heading"]] = 0.3
    mean[root.start : root.start + 2] = 0.0
    mean[LAYOUT["heading"]] = (1.0, 0.0)
    return mean.astype(np.float32), deviation.astype(np.float32)


def whitening(embeddings: Float32, meanings: NDArray[np.int64], floor: float = 0.3) -> tuple[Float32, Float32]:
    """Mean (E,) and matrix (E, E) that make embeddings (N, E) of variance 1 among texts of one meaning.

    meanings: (N,) a number for each; texts of the same number say the same. What changes with the wording alone is made
    small, and what tells meanings apart stays: within-class covariance normalisation (Hatch et al. 2006). floor: share
    of the mean variance that is added to each, so that directions in which texts of one meaning happen not to differ
    are not blown up.
    """
    values = embeddings.astype(np.float64)
    _, groups = np.unique(meanings, return_inverse=True)
    sums = np.zeros((groups.max() + 1, values.shape[1]))
    np.add.at(sums, groups, values)
    apart = values - (sums / np.bincount(groups)[:, None])[groups]
    variances, directions = np.linalg.eigh(apart.T @ apart / len(apart))
    least = floor * variances.mean()
    # with one text for every meaning nothing is known of wordings
    scales = 1.0 / np.sqrt(np.maximum(variances, 0.0) + least) if least > 0.0 else np.ones(len(variances))
    matrix = directions * scales @ directions.T
    return values.mean(axis=0).astype(np.float32), matrix.astype(np.float32)


def balanced(samples: Sequence[Sample], actions: Sequence[str], often: Mapping[str, float]) -> list[Sample]:
    """The samples with weights by which every action is drawn by the root of its seconds, times `often` (default 1).

    Within an action they are drawn by their lengths and the weights that they have.
    """
    seconds: dict[str, float] = defaultdict(float)
    for sample, action in zip(samples, actions, strict=True):
        seconds[action] += len(sample.features)
    return [
        replace(sample, weight=sample.weight * often.get(action, 1.0) * len(sample.features) * seconds[action] ** -0.5)
        for sample, action in zip(samples, actions, strict=True)
    ]
