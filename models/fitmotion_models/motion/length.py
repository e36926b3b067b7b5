"""How long a motion takes that is told in words: a distribution of lengths, drawn from when none is asked for.

The lengths of recordings whose descriptions are near in meaning, weighed by how near they are (Nadaraya 1964, Watson
1964, on sentence embeddings); what is near to nothing gets the lengths of all recordings.
"""

import zipfile
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fitmotion_models import weights
from fitmotion_models.motion.text import learned_score
from fitmotion_models.skeleton.body_pose import Float32
from fitmotion_models.skeleton.rotations import Float64

DEFAULT_LENGTHS = "motion_length"
GRADES = (None, 1, 2, 3)
"""What the second axis of `LengthModel.counts` counts: recordings without a grade, then those graded 1, 2, 3."""


@dataclass(frozen=True)
class LengthSettings:
    """How lengths are weighed.

    temperature: of the weights' softmax over cosine similarities; smaller trusts the nearest descriptions more.
    prior_similarity: the similarity that all recordings together count as: what is less near than that gets mostly the
    global distribution. grade_shrinkage: recordings of an action, whatever their grade, that are added to those of the
    wanted grade. smoothing: standard deviation by which a recording's length is spread, in the logarithm.
    """

    temperature: float
    prior_similarity: float
    grade_shrinkage: float
    smoothing: float


@dataclass(frozen=True, eq=False)
class LengthModel:
    """Lengths of described recordings.

    encoder: the text encoder's name. embeddings: (T, E) of the descriptions, unit length. groups: (T,) which recordings
    a description is of. counts: (G, 4, B) recordings of a group by grade (`GRADES`) and length, smoothed.
    edges: (B + 1,) of the lengths, seconds, rising by a constant factor.
    """

    encoder: str
    embeddings: Float32
    groups: NDArray[np.int64]
    counts: Float64
    edges: Float64
    settings: LengthSettings

    @cached_property
    def everything(self) -> Float64:
        """(B,) shares of the lengths of all recordings, and of one more of any length: none is impossible."""
        total = self.counts.sum(axis=(0, 1)) + 1.0 / self.counts.shape[-1]
        shares: Float64 = total / total.sum()
        return shares

    def distribution(self, embedding: Float32, score: int | None = None) -> Float64:
        """(B,) how likely each length is for a prompt's embedding (E,), without its score, and a score 0 to 3.

        Raises ValueError for an embedding of another encoder and for a score that is none.
        """
        if embedding.shape != self.embeddings.shape[1:]:
            raise ValueError(
                f"embedding has shape {embedding.shape}; lengths are known for those of '{self.encoder}', "
                f"{self.embeddings.shape[1:]}: give the motion's length, or make them with `fitmotion train length`"
            )
        level = learned_score(score)
        similarity = self.embeddings @ (embedding / max(float(np.linalg.norm(embedding)), 1e-12))
        exponents = np.append(similarity, self.settings.prior_similarity) / self.settings.temperature
        nearness = np.exp(exponents - exponents.max())
        nearness /= nearness.sum()
        by_group = np.bincount(self.groups, weights=nearness[:-1], minlength=len(self.counts))
        found: Float64 = by_group @ self._shares(level) + nearness[-1] * self.everything
        return found

    def _shares(self, level: int | None) -> Float64:
        """(G, B) shares of the lengths of each group's recordings of a grade; None: of any."""
        whole = self.counts.sum(axis=1)
        whole = whole / whole.sum(axis=-1, keepdims=True)
        if level is None:
            return whole
        graded = self.counts[:, GRADES.index(level)] + self.settings.grade_shrinkage * whole
        shares: Float64 = graded / graded.sum(axis=-1, keepdims=True)
        return shares

    def sample(self, embedding: Float32, score: int | None, rng: np.random.Generator) -> float:
        """Draw a length, seconds. embedding: (E,) of the prompt without its score. score: 0 to 3 or None."""
        cumulative = np.cumsum(self.distribution(embedding, score))
        place = int(np.searchsorted(cumulative, rng.random() * cumulative[-1], side="right"))
        place = min(place, len(cumulative) - 1)
        low, high = np.log(self.edges[place : place + 2])
        return float(np.exp(rng.uniform(low, high)))

    def log_density(self, embedding: Float32, score: int | None, seconds: NDArray[np.float64]) -> Float64:
        """(N,) logarithm of the density, 1 / s, at lengths (N,); -inf beyond what is known."""
        return log_density(self.distribution(embedding, score), self.edges, seconds)


def log_density(shares: Float64, edges: Float64, seconds: NDArray[np.float64]) -> Float64:
    """(N,) logarithm of the density, 1 / s, at lengths (N,) of a histogram: shares (B,) between edges (B + 1,)."""
    place = np.searchsorted(edges, seconds, side="right") - 1
    inside = (place >= 0) & (place < len(shares))
    place = np.clip(place, 0, len(shares) - 1)
    # within a bin, lengths are equally likely in the logarithm
    widths = np.log(edges[1:] / edges[:-1])
    with np.errstate(divide="ignore"):
        found = np.log(shares[place] / widths[place]) - np.log(seconds)
    return np.where(inside, found, -np.inf)


def save_length_model(path: Path, model: LengthModel) -> None:
    """Write a model in one step."""
    partial = path.with_name(f"{path.stem}.part.npz")
    arrays = {
        "encoder": np.array(model.encoder),
        "embeddings": model.embeddings.astype(np.float16),
        "groups": model.groups.astype(np.int16),
        "counts": model.counts.astype(np.float32),
        "edges": model.edges,
        **{name: np.array(value) for name, value in vars(model.settings).items()},
    }
    np.savez_compressed(partial, allow_pickle=False, **arrays)
    partial.replace(path)


def load_length_model(name: str | Path = DEFAULT_LENGTHS) -> LengthModel:
    """The lengths that ship, or those of an .npz file. Raises ValueError for a file that is missing or none."""
    path = Path(name) if str(name).endswith(".npz") else Path(str(files(weights))) / f"{name}.npz"
    if not path.is_file():
        raise ValueError(f"motion lengths {path}: no such file; make it with `train length`, or give a length")
    try:
        with np.load(path, allow_pickle=False) as held:
            settings = LengthSettings(**{key: float(held[key]) for key in LengthSettings.__dataclass_fields__})
            model = LengthModel(
                encoder=str(held["encoder"]),
                embeddings=held["embeddings"].astype(np.float32),
                groups=held["groups"].astype(np.int64),
                counts=held["counts"].astype(np.float64),
                edges=held["edges"].astype(np.float64),
                settings=settings,
            )
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise ValueError(f"motion lengths {path} cannot be read ({error}); make them again, `train length`") from error
    texts, groups, bins = len(model.embeddings), *model.counts.shape[::2]
    if model.groups.shape != (texts,) or model.groups.max() >= groups or model.edges.shape != (bins + 1,):
        raise ValueError(f"motion lengths {path}: its arrays do not fit each other; make them again, `train length`")
    return model
