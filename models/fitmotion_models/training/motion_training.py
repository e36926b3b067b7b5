"""The training loop of the stream model: resumable, on CPU and CUDA, with averaged weights and a log to look at."""

import csv
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from fitmotion_models.motion.stream_network import StreamConfig, StreamNetwork
from fitmotion_models.training.motion_export import load_checkpoint, save_checkpoint
from fitmotion_models.training.motion_recipe import MotionRecipe, Stage
from fitmotion_models.training.motion_steps import BatchMaker, PromptTable, denoising_losses, distillation_losses
from fitmotion_models.training.motion_windows import WindowSampler, normalisation, whitening

Progress = Callable[[int, int | None], None] | None

_LOG_STEPS = 50
_SAVE_SECONDS = 120.0
_GRADIENT_NORM = 1.0
_NORMALISED_ON = 4096


@dataclass
class _Run:
    """What changes while a stage is trained."""

    network: StreamNetwork
    averaged: StreamNetwork
    optimiser: torch.optim.Optimizer
    step: int = 0
    seconds: float = 0.0
    sums: dict[str, float] = field(default_factory=dict)


def train_stage(
    recipe: MotionRecipe,
    windows: WindowSampler,
    prompts: PromptTable,
    out: Path,
    *,
    start: Path | None = None,
    device: str = "cpu",
    compiled: bool = False,
    progress: Progress = None,
) -> Path:
    """Train one stage; returns its checkpoint, `<stage>.pt` in the folder `out`.

    An unfinished checkpoint there is gone on from. start: the stage before's; the stages after the first need it.
    compiled: by torch's compiler, a third faster after two minutes. Ctrl-C saves, then goes up. Raises ValueError where
    checkpoints do not fit the recipe.
    """
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{recipe.stage}.pt"
    torch.manual_seed(recipe.seed)
    place = torch.device(device)
    run, teacher = _begin(recipe, windows, prompts, path, start, place)
    if compiled:
        run.network.root.compile()
        run.network.body.compile()
    batches = BatchMaker(recipe, prompts, run.network, place)
    batches.random = torch_seeded(recipe.seed + run.step)
    began = saved = time.monotonic() - run.seconds
    saved += run.seconds
    try:
        while (done := _share_done(recipe, run)) < 1.0:
            for group in run.optimiser.param_groups:
                group["lr"] = recipe.rate * min(1.0, (run.step + 1) / recipe.warmup, (1.0 - done) / recipe.fall + 1e-3)
            losses = _step(recipe, run, teacher, batches, windows)
            run.seconds = time.monotonic() - began
            _log(out / f"{recipe.stage}.csv", run, losses)
            if progress is not None:
                progress(int(1000 * done), 1000)
            if time.monotonic() - saved > _SAVE_SECONDS:
                _save(path, recipe, run, finished=False)
                saved = time.monotonic()
    except KeyboardInterrupt:
        _save(path, recipe, run, finished=False)
        raise
    _save(path, recipe, run, finished=True)
    return path


def torch_seeded(seed: int) -> Any:
    """NumPy's generator for what the batches choose."""
    import numpy as np

    return np.random.default_rng(seed)


def _share_done(recipe: MotionRecipe, run: _Run) -> float:
    by_time = run.seconds / (60.0 * recipe.minutes) if recipe.minutes else 0.0
    return max(run.step / recipe.steps, by_time)


def _begin(
    recipe: MotionRecipe,
    windows: WindowSampler,
    prompts: PromptTable,
    path: Path,
    start: Path | None,
    place: torch.device,
) -> tuple[_Run, StreamNetwork | None]:
    if path.exists():
        averaged, held = load_checkpoint(path)
        network = _copy(averaged, averaged.config)
        network.load_state_dict(held["trained"])
        wanted = recipe.trained_network
    elif recipe.stage is Stage.BASE:
        averaged = network = StreamNetwork(recipe.network)
        held, wanted = {}, recipe.network
        _measure(network, windows, prompts)
    elif start is None:
        raise ValueError(f"stage {recipe.stage} goes on from the one before; give its checkpoint")
    else:
        averaged = network = load_checkpoint(start)[0]
        held, wanted = {}, recipe.network
    if network.config != wanted:
        raise ValueError(f"{path if path.exists() else start} is of another size than the recipe: {network.config}")
    if not held:
        network = _copy(network, recipe.trained_network)
        averaged = network
    run = _Run(network.to(place).train(), _copy(averaged, network.config).to(place).eval(), _optimiser(recipe, network))
    if held:
        run.optimiser.load_state_dict(held["optimiser"])
        run.step, run.seconds = held["step"], held["seconds"]
    teacher = None
    if recipe.stage is Stage.DISTILLED:
        if start is None:
            raise ValueError("to distil, the checkpoint of the stage with scores is needed as the teacher")
        teacher = load_checkpoint(start)[0].to(place).eval()
    return run, teacher


def _measure(network: StreamNetwork, windows: WindowSampler, prompts: PromptTable) -> None:
    """Set what the networks' inputs are scaled by."""
    mean, deviation = normalisation(windows.draw(_NORMALISED_ON))
    text_mean, matrix = whitening(*prompts.by_meaning())
    measured = {"mean": mean, "deviation": deviation, "text_mean": text_mean, "text_whitening": matrix}
    for name, values in measured.items():
        getattr(network, name).copy_(torch.as_tensor(values))


def _copy(network: StreamNetwork, config: StreamConfig) -> StreamNetwork:
    copy = StreamNetwork(config)
    copy.load_state_dict(network.state_dict())
    return copy


def _optimiser(recipe: MotionRecipe, network: StreamNetwork) -> torch.optim.Optimizer:
    matrices = [parameter for parameter in network.parameters() if parameter.dim() > 1]
    others = [parameter for parameter in network.parameters() if parameter.dim() <= 1]
    groups = [{"params": matrices, "weight_decay": recipe.weight_decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=recipe.rate, betas=(0.9, 0.98))


def _half_precision(network: StreamNetwork) -> AbstractContextManager[Any]:
    """bfloat16 for the matrices where the device computes in it: several times as fast there, slower elsewhere."""
    device = next(network.parameters()).device.type
    able = device != "cpu" or any(torch.cpu.get_capabilities().get(one) for one in ("amx_bf16", "avx512_bf16"))
    return torch.autocast(device, dtype=torch.bfloat16, enabled=able)


def _step(
    recipe: MotionRecipe, run: _Run, teacher: StreamNetwork | None, batches: BatchMaker, windows: WindowSampler
) -> dict[str, float]:
    batch = batches.make(windows.draw(recipe.batch))
    with _half_precision(run.network):
        if teacher is None:
            losses = denoising_losses(run.network, batch, recipe)
        else:
            losses = distillation_losses(run.network, teacher, batch, recipe)
    total = torch.stack(list(losses.values())).sum()
    run.optimiser.zero_grad(set_to_none=True)
    total.backward()
    norm = torch.nn.utils.clip_grad_norm_(run.network.parameters(), _GRADIENT_NORM)
    if torch.isfinite(norm):
        run.optimiser.step()
    run.step += 1
    _average(run, min(recipe.ema, (1.0 + run.step) / (10.0 + run.step)))
    return {name: float(value.detach()) for name, value in losses.items()} | {"total": float(total.detach())}


@torch.no_grad()
def _average(run: _Run, decay: float) -> None:
    kept, new = list(run.averaged.parameters()), list(run.network.parameters())
    torch._foreach_mul_(kept, decay)
    torch._foreach_add_(kept, new, alpha=1.0 - decay)


def _log(path: Path, run: _Run, losses: dict[str, float]) -> None:
    """Means over 50 steps, one line each (CSV)."""
    for name, value in losses.items():
        run.sums[name] = run.sums.get(name, 0.0) + value
    if run.step % _LOG_STEPS:
        return
    fresh = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        if fresh:
            writer.writerow(["step", "seconds", *run.sums])
        means = [f"{total / _LOG_STEPS:.5f}" for total in run.sums.values()]
        writer.writerow([run.step, f"{run.seconds:.1f}", *means])
    run.sums = {}


def _save(path: Path, recipe: MotionRecipe, run: _Run, *, finished: bool) -> None:
    more: dict[str, Any] = {"recipe": recipe.as_dict(), "step": run.step, "seconds": run.seconds, "finished": finished}
    if not finished:
        more |= {"trained": run.network.state_dict(), "optimiser": run.optimiser.state_dict()}
    else:
        more |= {"trained": run.averaged.state_dict(), "optimiser": run.optimiser.state_dict()}
    save_checkpoint(path, run.averaged, **more)
