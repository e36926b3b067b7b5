"""All of the stream model's training in one call: read the set, train the stages, draw the logs, write the weights."""

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from fitmotion_models.datasets.motion_set import MotionRow
from fitmotion_models.motion.standing import standing_features
from fitmotion_models.motion.text import load_text_encoder
from fitmotion_models.training.motion_card import START, write_weights
from fitmotion_models.training.motion_data import EncodedPrompts, generator_rows, samples_of
from fitmotion_models.training.motion_export import save_checkpoint
from fitmotion_models.training.motion_log import save_log_picture
from fitmotion_models.training.motion_recipe import MotionRecipe, Stage, recipe_for
from fitmotion_models.training.motion_start import refit_text, start_from_weights
from fitmotion_models.training.motion_training import train_stage
from fitmotion_models.training.motion_windows import WindowSampler

ProgressBar = Callable[[str], AbstractContextManager[Callable[[int, int | None], None] | None]]


@dataclass(frozen=True)
class MotionTraining:
    """A training job.

    stages: in their order. start: weights that ship, by name, or a folder or file of weights, which the first of the
    stages goes on from instead of the stage before it. minutes: at most so long a stage; one figure for all, or one a
    stage. device: "cpu", "cuda" or "auto". threads: of the CPU, 0 for all. compiled: see `train_stage`. changes: fields
    of the recipe. Raises ValueError for what does not fit.
    """

    motion_set: Path
    out: Path
    stages: tuple[str, ...] = tuple(Stage)
    start: str | None = None
    size: str = "small"
    minutes: tuple[float, ...] = ()
    device: str = "auto"
    threads: int = 0
    compiled: bool = False
    non_commercial: bool = False
    changes: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.minutes) not in (0, 1, len(self.stages)):
            raise ValueError(
                f"{len(self.minutes)} times in minutes for {len(self.stages)} stages; give one, or one each"
            )
        if self.device not in ("cpu", "cuda", "auto"):
            raise ValueError(f"device {self.device!r} unknown; known: cpu, cuda, auto")
        if self.device == "cuda" and not torch.cuda.is_available():
            raise ValueError("device cuda: this torch sees no CUDA device; use cpu")

    @property
    def place(self) -> str:
        """The device that is used."""
        if self.device == "auto":
            return "cuda" if torch.cuda.is_available() else "cpu"
        return self.device

    def minutes_of(self, index: int) -> float:
        """The limit of a stage, 0 for none."""
        if not self.minutes:
            return 0.0
        return self.minutes[0] if len(self.minutes) == 1 else self.minutes[index]


def run_training(
    job: MotionTraining,
    bar: ProgressBar,
    *,
    say: Callable[[str], None],
    name: str | None = None,
    weights: Path | None = None,
) -> list[Path]:
    """Train; returns what was written. A stage that is finished is not trained again."""
    if job.threads:
        torch.set_num_threads(job.threads)
    rows, samples, prompts = _read(job, bar)
    minutes, persons = sum(row.seconds for row in rows) / 60.0, {row.person for row in rows}
    say(f"{len(rows)} clips, {minutes:.1f} minutes, {len(persons)} persons")
    written: list[Path] = []
    for index, stage in enumerate(Stage):
        if stage not in job.stages:
            continue
        limit = job.minutes_of(job.stages.index(stage))
        recipe = recipe_for(stage, job.size, minutes=limit, **job.changes)
        windows = WindowSampler(samples, standing_features(), recipe.windows, seed=recipe.seed + index)
        start = _start(job, recipe, prompts) if job.start and stage == job.stages[0] else _stage_before(job, stage)
        with bar(str(stage)) as progress:
            path = train_stage(
                recipe,
                windows,
                prompts,
                job.out,
                start=start,
                device=job.place,
                compiled=job.compiled,
                progress=progress,
            )
        written += [path, save_log_picture(job.out / f"{stage}.csv", job.out / f"{stage}.png")]
    if name is not None:
        written += write_weights(job.out, rows, name, weights)
    return written


def _stage_before(job: MotionTraining, stage: Stage) -> Path | None:
    index = list(Stage).index(stage)
    start = job.out / f"{list(Stage)[index - 1]}.pt" if index else None
    if start is not None and not start.exists():
        raise ValueError(f"stage {stage} goes on from {start}, which is not there; train the stage before first")
    return start


def _start(job: MotionTraining, recipe: MotionRecipe, prompts: EncodedPrompts) -> Path:
    """A checkpoint of the weights that are gone on from, made once."""
    path = job.out / START
    if not path.exists():
        network, said = start_from_weights(str(job.start), recipe.fold, recipe.network)
        refit_text(network, prompts, recipe.windows.text_noise)
        job.out.mkdir(parents=True, exist_ok=True)
        save_checkpoint(path, network, weights=job.start, made=said)
    return path


def _read(job: MotionTraining, bar: ProgressBar) -> tuple[list[MotionRow], list[Any], EncodedPrompts]:
    fold = str(job.changes.get("fold") or "first")
    rows = generator_rows(job.motion_set, fold, non_commercial=job.non_commercial)
    with bar("reading") as progress:
        samples = samples_of(rows, progress)
    encoder = load_text_encoder(recipe_for(Stage.BASE, job.size).network.encoder)
    return rows, samples, EncodedPrompts(encoder, [one.told for one in samples], job.out / "prompts.npz")


def checkpoint_summary(path: Path) -> dict[str, Any]:
    """What a checkpoint says of its training: recipe, steps, hours. Raises ValueError for a file that is none."""
    from fitmotion_models.training.motion_export import load_checkpoint

    held = load_checkpoint(path)[1]
    return {
        "steps": held["step"],
        "hours": round(held["seconds"] / 3600.0, 2),
        "recipe": json.loads(json.dumps(held["recipe"])),
    }
