"""The stream model's recipe: every number of its training, stored in the checkpoint."""

from dataclasses import asdict, dataclass, field, fields, replace
from enum import StrEnum
from typing import Any

from fitmotion_models.motion.stream_network import StreamConfig


class Stage(StrEnum):
    """The three stages, in their order: motion from words; with FMS scores, as in the paper; guidance in one pass."""

    BASE = "base"
    SCORES = "scores"
    DISTILLED = "distilled"


@dataclass(frozen=True)
class WindowRecipe:
    """How windows are cut from clips and what a window is asked for.

    free, transition: share of windows that begin without history and of those that begin from another motion (the rest
    goes on within its clip). standing: share of transitions that begin from standing. blend_frames: over how many
    frames a transition's difference dies away. text_mixing: share of windows whose text lies between two of the clip's;
    text_noise: SD of what is added to texts, in that of texts of one meaning. text_dropout, score_dropout: for
    guidance. progress_dropout: progress unknown. path, keyframes: share of windows with a given way, with given bodies.
    history_noise: SD, in the features' own deviations, of the slow error that is put on half of the histories.
    self_history: share of windows whose history is the network's own reconstruction of it, from `self_noise` on the
    path to noise.
    """

    free: float = 0.12
    transition: float = 0.25
    standing: float = 0.4
    blend_frames: tuple[int, int] = (6, 15)
    text_mixing: float = 0.5
    text_noise: float = 0.7
    text_dropout: float = 0.1
    score_dropout: float = 0.15
    progress_dropout: float = 0.25
    path: float = 0.3
    keyframes: float = 0.1
    history_noise: float = 0.05
    self_history: float = 0.0
    self_noise: float = 0.5


@dataclass(frozen=True)
class LossWeights:
    """Of the losses. acceleration: three times its starting weight, as generated motion shook more than recorded."""

    values: float = 1.0
    joints: float = 1.0
    velocity: float = 0.5
    contact: float = 0.5
    floor: float = 1.0
    seam: float = 1.0
    acceleration: float = 0.3


@dataclass(frozen=True)
class MotionRecipe:
    """One stage of training.

    fold: which half of the persons generates, see `datasets.splits`. batch: windows a step. steps: how many; minutes:
    and at most so long, 0 for no limit, with the learning rate's fall fitted to whichever comes first. rate: of AdamW,
    after `warmup` steps; it falls to zero over the last `fall` of the stage. ema: of the weights that are kept.
    kinematics: share of windows whose bodies are looked at by forward kinematics.
    grid: share of windows trained at the very times that the sampler visits. student_steps: Euler steps of the
    distilled network, each of which takes the place of several (Salimans & Ho 2022). guidance_text, guidance_score:
    ranges of the weights that the distilled network learns; on_policy: share of its batches at points of its own way.
    """

    stage: Stage
    network: StreamConfig = field(default_factory=StreamConfig)
    windows: WindowRecipe = field(default_factory=WindowRecipe)
    losses: LossWeights = field(default_factory=LossWeights)
    fold: str = "first"
    batch: int = 128
    steps: int = 20_000
    minutes: float = 0.0
    rate: float = 5e-4
    weight_decay: float = 0.01
    warmup: int = 200
    fall: float = 0.35
    ema: float = 0.998
    kinematics: float = 0.4
    grid: float = 0.6
    student_steps: int = 2
    guidance_text: tuple[float, float] = (1.0, 4.0)
    guidance_score: tuple[float, float] = (0.0, 5.0)
    on_policy: float = 0.5
    seed: int = 0

    def __post_init__(self) -> None:
        if self.network.steps % self.student_steps:
            raise ValueError(f"student_steps={self.student_steps} must divide the {self.network.steps} of the network")

    @property
    def trained_network(self) -> StreamConfig:
        """The sizes of what this stage trains: the distilled network takes fewer steps."""
        fewer = self.stage is Stage.DISTILLED
        return replace(self.network, steps=self.student_steps) if fewer else self.network

    def as_dict(self) -> dict[str, Any]:
        """For the checkpoint and the card."""
        return asdict(self) | {"stage": str(self.stage)}


_STAGES: dict[Stage, dict[str, Any]] = {
    Stage.BASE: {"steps": 30_000},
    Stage.SCORES: {
        "steps": 20_000,
        "rate": 3e-4,
        "windows": WindowRecipe(self_history=0.3),
    },
    Stage.DISTILLED: {"steps": 8_000, "rate": 2e-4, "windows": WindowRecipe(self_history=0.3)},
}

SIZES: dict[str, dict[str, Any]] = {
    "small": {},
    # for a GPU: a third of an hour on an H200
    "large": {
        "network": StreamConfig(width=384, layers=8, heads=6, root_width=192, root_layers=4, root_heads=6),
        "batch": 512,
        "rate": 3e-4,
    },
}
"""small: ships; two cores train it in hours."""


def recipe_for(stage: Stage, size: str = "small", **changes: Any) -> MotionRecipe:
    """The recipe of a stage; changes: fields of `MotionRecipe`, None is as it is.

    Raises ValueError for an unknown size or field.
    """
    if size not in SIZES:
        raise ValueError(f"size {size!r} unknown; known: {', '.join(SIZES)}")
    known = {one.name for one in fields(MotionRecipe)}
    unknown = set(changes) - known
    if unknown:
        raise ValueError(f"{', '.join(sorted(unknown))}: no field of the recipe; it has {', '.join(sorted(known))}")
    given = {name: value for name, value in changes.items() if value is not None}
    return replace(MotionRecipe(stage, **{**SIZES[size], **_STAGES[stage]}), **given)
