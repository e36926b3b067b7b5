"""What motion is measured on: generated and real clips with what is known of them, and their embeddings."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.evaluation.physical_metrics import physical_measures
from fitmotion_models.motion.humanml3d import to_humanml3d
from fitmotion_models.skeleton.body_pose import Float32
from fitmotion_models.skeleton.motion_clip import MotionClip
from fitmotion_models.skeleton.rotations import Float64


class MotionEvaluator(Protocol):
    """Puts motions and texts into one space, where what belongs together is near.

    name: for tables. comparable: whether figures may stand beside published ones.
    """

    name: str
    comparable: bool

    def motions(self, features: Sequence[NDArray[np.floating]]) -> Float64:
        """(N, D) of motions' 263 features (T, 263) of HumanML3D, not normalised, each of its own length."""
        ...

    def texts(self, texts: Sequence[str]) -> Float64:
        """(N, D) of sentences."""
        ...


@dataclass(frozen=True)
class GeneratedSample:
    """A clip that a model made.

    text: what it was asked for. action: whatever tells motions apart that must not be confused, for instance
    "walk, left": batches of distinct actions hold one clip of each. repetition: which of several whole runs made it.
    path: (T, 2) where the pelvis was to be, NaN where free. seams: first frames of its chunks but the first.
    contacts: (T, 4) as the model stated them.
    """

    clip: MotionClip
    text: str
    action: str
    repetition: int = 0
    path: Float64 | None = None
    seams: tuple[int, ...] = ()
    contacts: Float32 | None = None

    @property
    def texts(self) -> tuple[str, ...]:
        """The one text."""
        return (self.text,)

    @property
    def group(self) -> str:
        """What makes clips alike, and is drawn as a whole in the bootstrap: the text."""
        return self.text

    def physical(self) -> dict[str, float]:
        """`physical_measures` of what is known."""
        return physical_measures(self.clip, path=self.path, seams=self.seams, contacts=self.contacts)


@dataclass(frozen=True)
class RealSample:
    """A recorded clip; texts: all that describe it, one is drawn in each repetition; action as in GeneratedSample."""

    clip: MotionClip
    texts: tuple[str, ...]
    action: str
    person: str

    repetition: int = field(default=0, init=False)

    @property
    def group(self) -> str:
        """What makes clips alike, and is drawn as a whole in the bootstrap: the person."""
        return self.person

    def physical(self) -> dict[str, float]:
        """`physical_measures` of the clip."""
        return physical_measures(self.clip)


@dataclass(frozen=True)
class EmbeddedSamples:
    """N samples in an evaluator's space.

    motions: (N, D). texts: (M, D) all sentences. choices: for each sample its rows of `texts`. actions, groups:
    (N,) numbers, `groups` of what is drawn as a whole. runs: (N,) which run made it.
    """

    motions: Float64
    texts: Float64
    choices: tuple[tuple[int, ...], ...]
    actions: NDArray[np.int64]
    groups: NDArray[np.int64]
    runs: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.motions)

    def drawn_texts(self, rng: np.random.Generator) -> Float64:
        """(N, D) for every sample one of its texts."""
        return self.texts[[one[rng.integers(len(one))] for one in self.choices]]

    def of(self, rows: NDArray[np.int64]) -> "EmbeddedSamples":
        """The samples of these rows."""
        return replace(
            self,
            motions=self.motions[rows],
            choices=tuple(self.choices[row] for row in rows),
            actions=self.actions[rows],
            groups=self.groups[rows],
            runs=self.runs[rows],
        )

    def run_rows(self, number: int) -> NDArray[np.int64]:
        """Which samples belong to a run, counted through the runs there are, again and again."""
        there = np.unique(self.runs)
        return np.flatnonzero(self.runs == there[number % len(there)])


def embed(samples: Sequence[GeneratedSample] | Sequence[RealSample], evaluator: MotionEvaluator) -> EmbeddedSamples:
    """The samples in the evaluator's space. Raises ValueError where there are none or one has no text."""
    if not samples:
        raise ValueError("no clips to measure; give at least one")
    without = [sample.action for sample in samples if not sample.texts]
    if without:
        raise ValueError(f"a clip of {without[0]!r} has no text; every clip needs one")
    sentences = list(dict.fromkeys(text for sample in samples for text in sample.texts))
    row = {text: index for index, text in enumerate(sentences)}
    return EmbeddedSamples(
        motions=evaluator.motions([to_humanml3d(sample.clip) for sample in samples]),
        texts=evaluator.texts(sentences),
        choices=tuple(tuple(row[text] for text in sample.texts) for sample in samples),
        actions=_numbers([sample.action for sample in samples]),
        groups=_numbers([sample.group for sample in samples]),
        runs=np.array([sample.repetition for sample in samples], dtype=np.int64),
    )


def held(sample: RealSample) -> RealSample:
    """The sample standing still in its first frame: what no motion at all is worth."""
    clip = sample.clip
    first, still = np.zeros(len(clip), dtype=np.int64), clip
    for name in ("positions", "rotations", "confidence", "feet", "feet_confidence", "view_direction"):
        still = replace(still, **{name: getattr(clip, name)[first]})
    return replace(sample, clip=still)


def _numbers(names: Sequence[str]) -> NDArray[np.int64]:
    known = {name: index for index, name in enumerate(dict.fromkeys(names))}
    return np.array([known[name] for name in names], dtype=np.int64)
