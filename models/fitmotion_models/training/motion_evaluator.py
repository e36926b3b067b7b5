"""The recipe of this project's evaluators: motions and texts of judging persons into one space, by the field's loss.

As published (Guo et al. 2022): contrastive loss with margin 10, Adam, crops to whole tokens. Smaller, as there are some
hundred recordings and not 15,000 (see `MotionSizes`); every pair of a batch that does not belong together is a
negative, and not one rolled text a motion; batches are balanced over actions, since the squats outnumber the waves.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from fitmotion_models.datasets.motion_set import MotionRow, read_motion_set
from fitmotion_models.datasets.splits import rows_for
from fitmotion_models.evaluation.evaluator_network import FRAMES_A_TOKEN, EvaluatorNetwork, MotionSizes
from fitmotion_models.evaluation.motion_evaluator import LONGEST_FRAMES
from fitmotion_models.motion.humanml3d import to_humanml3d
from fitmotion_models.motion.text import TextEncoder
from fitmotion_models.skeleton.body_pose import Float32

Progress = Callable[[int, int | None], None] | None

_LEAST_FRAMES = 2 * FRAMES_A_TOKEN
# of a feature that hardly moves, so that it is not blown up
_LEAST_DEVIATION = 1e-3


@dataclass(frozen=True)
class EvaluatorRecipe:
    """All that decides the weights but the data.

    fold: its judging persons are learned from. non_commercial: whether clips with such a licence are, too. steps,
    batch, learning_rate (falls to nothing along a cosine), weight_decay. margin: of the contrastive loss. noise: added
    to the features, in standard deviations, so that a few persons' ways are not learned by heart. seed: of everything
    random.
    """

    fold: str = "first"
    non_commercial: bool = False
    steps: int = 600
    batch: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 1e-3
    margin: float = 10.0
    noise: float = 0.1
    seed: int = 0
    sizes: MotionSizes = field(default_factory=MotionSizes)

    def as_dict(self) -> dict[str, Any]:
        """For the card."""
        return asdict(self)


@dataclass(frozen=True)
class Described:
    """One motion: features (T, 263), the numbers of its texts, and of the meaning that it shares with others."""

    features: Float32
    texts: tuple[int, ...]
    meaning: int


def judge_rows(folder: Path, recipe: EvaluatorRecipe) -> list[MotionRow]:
    """The rows that an evaluator of this fold learns from: judging persons', mirrored too, at recorded speed.

    Raises ValueError where there are none.
    """
    rows = [
        row
        for row in rows_for(read_motion_set(folder), "judge", recipe.fold)
        if row.speed == 1.0 and row.frames > _LEAST_FRAMES and (recipe.non_commercial or not row.non_commercial)
    ]
    if not rows:
        raise ValueError(f"motion set {folder} holds no clip of the persons that judge in fold {recipe.fold!r}")
    return rows


def meaning_of(row: MotionRow) -> str:
    """What a motion's texts tell: clips that share it are no negatives of each other."""
    return ", ".join(word for word in (row.action, row.style, row.side) if word)


class DescribedMotions:
    """All motions that are learned from, with the embeddings of their texts; draws batches."""

    def __init__(self, rows: Sequence[MotionRow], encoder: TextEncoder, progress: Progress = None) -> None:
        sentences = sorted({text for row in rows for text in row.texts})
        text_rows = {text: number for number, text in enumerate(sentences)}
        meanings = {name: number for number, name in enumerate(dict.fromkeys(meaning_of(row) for row in rows))}
        self.texts = torch.from_numpy(np.asarray(encoder.encode(sentences), np.float32))
        self.motions: list[Described] = []
        for done, row in enumerate(rows):
            texts = tuple(text_rows[text] for text in row.texts)
            self.motions.append(Described(to_humanml3d(row.load()), texts, meanings[meaning_of(row)]))
            if progress is not None:
                progress(done + 1, len(rows))
        self._by_meaning = [
            np.flatnonzero([motion.meaning == number for motion in self.motions]) for number in range(len(meanings))
        ]

    def normalisation(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and standard deviation (263,) of all frames, every meaning counting the same."""
        means, squares = [], []
        for members in self._by_meaning:
            frames = np.concatenate([self.motions[member].features for member in members]).astype(np.float64)
            means.append(frames.mean(axis=0))
            squares.append((frames**2).mean(axis=0))
        mean = np.mean(means, axis=0)
        deviation = np.sqrt(np.maximum(np.mean(squares, axis=0) - mean**2, _LEAST_DEVIATION**2))
        return torch.from_numpy(mean.astype(np.float32)), torch.from_numpy(deviation.astype(np.float32))

    def batch(self, size: int, rng: np.random.Generator) -> tuple[torch.Tensor, ...]:
        """Features (B, T, 263), lengths (B,), text embeddings (B, E), meanings (B,); meanings as even as possible."""
        count = len(self._by_meaning)
        drawn = np.concatenate([rng.permutation(count) for _ in range(-(-size // count))])[:size]
        chosen = [self.motions[rng.choice(self._by_meaning[number])] for number in drawn]
        crops = [_crop(motion.features, rng) for motion in chosen]
        lengths = np.array([len(crop) for crop in crops])
        features = np.zeros((size, lengths.max(), crops[0].shape[1]), np.float32)
        for row, crop in zip(features, crops, strict=True):
            row[: len(crop)] = crop
        texts = self.texts[[motion.texts[rng.integers(len(motion.texts))] for motion in chosen]]
        return torch.from_numpy(features), torch.from_numpy(lengths), texts, torch.from_numpy(drawn)


def contrastive_loss(motions: torch.Tensor, texts: torch.Tensor, meanings: torch.Tensor, margin: float) -> torch.Tensor:
    """Squared distance of what belongs together, plus how far what does not is nearer than the margin, squared.

    motions, texts: (B, D); meanings: (B,). Hadsell et al. 2006.
    """
    # a root of exactly 0 has no gradient
    distances = ((motions[:, None] - texts[None]) ** 2).sum(dim=-1).clamp_min(1e-8).sqrt()
    apart = meanings[:, None] != meanings[None]
    together = torch.eye(len(motions), dtype=torch.bool)
    return (distances[together] ** 2).mean() + ((margin - distances[apart]).clamp_min(0.0) ** 2).mean()


def train_evaluator(
    motions: DescribedMotions, recipe: EvaluatorRecipe, progress: Progress = None, seconds: float | None = None
) -> EvaluatorNetwork:
    """Train on one thread; ready to run. seconds: at most so long, for tests."""
    torch.set_num_threads(1)  # steps this small only wait for each other
    torch.manual_seed(recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    network = EvaluatorNetwork(recipe.sizes, motions.texts.shape[1], *motions.normalisation()).train()
    optimiser = torch.optim.AdamW(network.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, recipe.steps)
    end = time.monotonic() + (seconds or np.inf)
    for step in range(recipe.steps):
        features, lengths, texts, meanings = motions.batch(recipe.batch, rng)
        features = features + recipe.noise * network.motion.deviation * torch.randn_like(features)
        loss = contrastive_loss(network.motion(features, lengths), network.text(texts), meanings, recipe.margin)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 0.5)
        optimiser.step()
        schedule.step()
        if progress is not None:
            progress(step + 1, recipe.steps)
        if time.monotonic() > end:
            break
    network.keep_sentences(motions.texts)
    return network


def _crop(features: Float32, rng: np.random.Generator) -> NDArray[np.float32]:
    """A random stretch of whole tokens, sometimes one token shorter than could be, as published."""
    frames = min(len(features), LONGEST_FRAMES) // FRAMES_A_TOKEN * FRAMES_A_TOKEN
    if rng.random() < 1 / 3 and frames > _LEAST_FRAMES:
        frames -= FRAMES_A_TOKEN
    start = rng.integers(len(features) - frames + 1)
    return features[start : start + frames]
