"""One training step of each stage of the stream model (torch)."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fitmotion_models.motion.stream_network import ROOT, SCORES, Conditions, StreamNetwork, weighed
from fitmotion_models.training.motion_losses import body_losses, root_loss, value_loss
from fitmotion_models.training.motion_recipe import MotionRecipe, Stage
from fitmotion_models.training.motion_windows import Windows

# what is left of the geometric losses' weight at pure noise, where the best prediction is a mean and no body
_LEAST_GEOMETRY = 0.2
_LEAST_TIME = 0.02


class PromptTable(Protocol):
    """Embeddings of every text and of its scored forms."""

    @property
    def embeddings(self) -> NDArray[np.float32]:
        """(N, E) all of them."""

    def by_meaning(self) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Embeddings (N, E) of the texts alone, and (N,) a number for each, the same where they say the same."""

    def plain(self, texts: list[str]) -> NDArray[np.float32]:
        """(B, E) of the texts alone."""

    def scored(self, texts: list[str], scores: list[int], forms: list[int]) -> NDArray[np.float32]:
        """(B, E) with the scores in words: forms 1 numerical, 2 textual; others are the text alone."""


@dataclass
class Batch:
    """A batch on the device: conditions (guidance off), the future's normalised values, and what the losses need."""

    conditions: Conditions
    plain_text: Tensor
    clean: Tensor
    valid: Tensor
    steady: Tensor
    last: Tensor


class BatchMaker:
    """Turns windows into batches: embeddings, conditioning by random choice, dropouts, noise on the history."""

    def __init__(
        self, recipe: MotionRecipe, prompts: PromptTable, network: StreamNetwork, device: torch.device
    ) -> None:
        self.recipe, self.prompts, self.network, self.device = recipe, prompts, network, device
        self.random = np.random.default_rng(recipe.seed + 1)
        self.unwhitened = torch.linalg.inv(network.text_whitening)

    def make(self, windows: Windows) -> Batch:
        """A batch of windows; the three ways to tell the score take turns by chance, so that a user picks one."""
        size, random = len(windows.texts), self.random
        told = np.array(windows.scores) >= 0
        if self.recipe.stage is Stage.BASE:
            told[:] = False
        told &= random.random(size) >= self.recipe.windows.score_dropout
        forms = np.where(told, random.integers(1, 4, size), 0)
        text, plain = self._wordings(windows, forms.tolist())
        score = np.zeros((size, SCORES), np.float32)
        tokens = np.where(forms == 3, np.array(windows.scores) + 1, 0)
        score[np.arange(size), tokens] = 1.0
        no_text = random.random(size) < self.recipe.windows.text_dropout
        score[no_text] = np.eye(1, SCORES, 0)
        future, history = self._tensor(windows.future), self._tensor(windows.history)
        network, mask = self.network, self._tensor(windows.target_mask)
        with torch.no_grad():
            clean, seen = network.normalized(future), network.normalized(history)
        conditions = Conditions(
            history=seen + self._history_error(seen),
            has_history=self._tensor(windows.has_history),
            text=text,
            has_text=self._tensor(1.0 - no_text[:, None].astype(np.float32)),
            score=self._tensor(score),
            progress=self._tensor(windows.progress),
            target=clean,
            target_mask=mask,
            guidance=torch.zeros(size, 3, device=self.device),
        )
        last = torch.where(conditions.has_history > 0.5, history[:, -1], torch.nan)
        return Batch(
            conditions,
            plain,
            clean,
            self._tensor(windows.valid),
            1.0 - self._tensor(windows.blended),
            last,
        )

    def _wordings(self, windows: Windows, forms: list[int]) -> tuple[Tensor, Tensor]:
        """Embeddings (B, E) of the texts with their scores, and without: as if they were worded differently again.

        On some of them half-way between two texts of the clip, and everywhere with noise along the directions in which
        wordings differ: what is asked for later is worded in ways that nobody wrote down.
        """
        recipe, size = self.recipe.windows, len(windows.texts)
        mixed = self.random.random((size, 1)) < recipe.text_mixing
        share = np.where(mixed, self.random.random((size, 1)), 0.0).astype(np.float32)
        noise = self.random.normal(0.0, recipe.text_noise, (size, self.network.config.text_size)).astype(np.float32)
        error = self._tensor(noise) @ self.unwhitened
        scored, plain = (
            self._tensor((1.0 - share) * read(windows.texts) + share * read(windows.other_texts)) + error
            for read in (lambda texts: self.prompts.scored(texts, windows.scores, forms), self.prompts.plain)
        )
        return scored, plain

    def _tensor(self, array: NDArray[np.float32]) -> Tensor:
        return torch.as_tensor(np.asarray(array, np.float32)).to(self.device, non_blocking=True)

    def _history_error(self, history: Tensor) -> Tensor:
        """An error that drifts over the history's frames, on half of the windows."""
        size = (history.shape[0], 1, history.shape[2])
        ends = torch.randn(2, *size, device=self.device)
        along = torch.linspace(0.0, 1.0, history.shape[1], device=self.device)[None, :, None]
        chosen = (torch.rand(history.shape[0], 1, 1, device=self.device) < 0.5).float()
        return self.recipe.windows.history_noise * chosen * (ends[0] * (1.0 - along) + ends[1] * along)


def times(recipe: MotionRecipe, size: int, device: torch.device) -> Tensor:
    """Times (B, 1) to train at: the sampler's own, or any."""
    steps = recipe.network.steps
    grid = 1.0 - torch.randint(0, steps, (size, 1), device=device) / steps
    anywhere = _LEAST_TIME + (1.0 - _LEAST_TIME) * torch.rand(size, 1, device=device)
    return torch.where(torch.rand(size, 1, device=device) < recipe.grid, grid, anywhere)


def on_path(clean: Tensor, time: Tensor, noise: Tensor) -> Tensor:
    """The point of the straight path from clean (0) to noise (1)."""
    return (1.0 - time)[..., None] * clean + time[..., None] * noise


def denoising_losses(network: StreamNetwork, batch: Batch, recipe: MotionRecipe) -> dict[str, Tensor]:
    """Losses of the stages that learn from recordings."""
    weights, size = recipe.losses, len(batch.clean)
    conditions = batch.conditions
    if recipe.windows.self_history > 0.0:
        conditions = conditions._replace(history=_own_history(network, batch, recipe))
    mask, noise = conditions.target_mask, torch.randn_like(batch.clean)
    root_time, body_time = times(recipe, size, noise.device), times(recipe, size, noise.device)
    true_root, true_body = batch.clean[..., :ROOT], batch.clean[..., ROOT:]
    prepared = network.prepare_root(conditions)
    root = network.root(on_path(true_root, root_time, noise[..., :ROOT]), root_time, prepared).float()
    # the root that the body is built around is at times a little off, as the root's own network will be
    shaken = true_root + 0.03 * torch.randn_like(true_root) * (torch.rand(size, 1, 1, device=noise.device) < 0.5)
    prepared = network.prepare_body(conditions, shaken)
    body = network.body(on_path(true_body, body_time, noise[..., ROOT:]), body_time, prepared).float()
    body = mask[..., ROOT:] * true_body + (1.0 - mask[..., ROOT:]) * body
    one = torch.ones_like(root_time)
    losses = {
        "root": root_loss(root, true_root, batch.valid, one, weights),
        "body": weights.values * value_loss(body, true_body, batch.valid, one),
    }
    # kinematics cost as much as the networks: a part of the windows, which come in no order, will do
    some = slice(0, max(1, round(recipe.kinematics * size)))
    losses |= body_losses(
        network.restored(torch.cat([true_root, body], dim=-1)[some]),
        network.restored(batch.clean[some]),
        batch.last[some],
        valid=batch.valid[some],
        steady=batch.steady[some],
        weight=1.0 - (1.0 - _LEAST_GEOMETRY) * body_time[some],
        weights=weights,
    )
    return losses


@torch.no_grad()
def _own_history(network: StreamNetwork, batch: Batch, recipe: MotionRecipe) -> Tensor:
    """Some histories as the network itself would have made them: noised half-way and denoised in one step.

    What a stream goes on from is the network's own motion; a network that has only seen recordings drifts away.
    """
    every = batch.conditions.history
    chosen = torch.nonzero(torch.rand(len(every), device=every.device) < recipe.windows.self_history)[:, 0]
    if not len(chosen):
        return every
    some = Conditions(*(part[chosen] for part in batch.conditions))
    history = some.history
    time = torch.full((len(chosen), 1), recipe.windows.self_noise, device=history.device)
    # denoised as a future that begins freely: what its errors are, not where it came from, is what is wanted
    free = some._replace(has_history=torch.zeros_like(some.has_history), target_mask=torch.zeros_like(some.target_mask))
    noisy = on_path(history, time, torch.randn_like(history))
    root = network.root(noisy[..., :ROOT], time, network.prepare_root(free))
    body = network.body(noisy[..., ROOT:], time, network.prepare_body(free, history[..., :ROOT]))
    own = torch.cat([0.5 * (root + history[..., :ROOT]), body], dim=-1).float()
    # the way and heading of the anchor are exact by definition; errors fade in towards the past
    fade = torch.linspace(1.0, 0.0, history.shape[1], device=history.device)[None, :, None]
    own[..., :ROOT] = history[..., :ROOT] + fade * (own[..., :ROOT] - history[..., :ROOT])
    return every.index_copy(0, chosen, own)


def distillation_losses(
    student: StreamNetwork, teacher: StreamNetwork, batch: Batch, recipe: MotionRecipe
) -> dict[str, Tensor]:
    """How far the student's one prediction is from what the teacher's steps come to, three predictions each.

    Guidance (Meng et al. 2023) and steps (Salimans & Ho 2022) are distilled together, at points between recordings and
    noise and at points of the student's own way from noise.
    """
    size, device = len(batch.clean), batch.clean.device
    guidance = torch.cat(
        [_between(recipe.guidance_text, size, device), _between(recipe.guidance_score, size, device)], 1
    )
    asked = batch.conditions._replace(guidance=torch.cat([guidance, torch.ones(size, 1, device=device)], 1))
    steps = student.config.steps
    step = int(torch.randint(0, steps, (1,)))
    time = torch.full((size, 1), 1.0 - step / steps, device=device)
    noise = torch.randn_like(batch.clean)
    losses = {}
    root_prepared = student.prepare_root(asked)
    own = torch.rand(size, 1, 1, device=device) < recipe.on_policy
    x = _start(student.root, root_prepared, batch.clean[..., :ROOT], noise[..., :ROOT], time, own, step, steps)
    with torch.no_grad():
        wanted = _taught(teacher, x, time, batch, guidance, None, 1.0 / steps)
    found = student.root(x, time, root_prepared).float()
    losses["root"] = 5.0 * value_loss(found, wanted, batch.valid, torch.ones_like(time))
    root = batch.clean[..., :ROOT]
    body_prepared = student.prepare_body(asked, root)
    x = _start(student.body, body_prepared, batch.clean[..., ROOT:], noise[..., ROOT:], time, own, step, steps)
    with torch.no_grad():
        wanted = _taught(teacher, x, time, batch, guidance, root, 1.0 / steps)
    found = student.body(x, time, body_prepared).float()
    losses["body"] = 5.0 * value_loss(found, wanted, batch.valid, torch.ones_like(time))
    return losses


def _between(limits: tuple[float, float], size: int, device: torch.device) -> Tensor:
    return limits[0] + (limits[1] - limits[0]) * torch.rand(size, 1, device=device)


@torch.no_grad()
def _start(
    denoiser: torch.nn.Module,
    prepared: tuple[Tensor, Tensor, Tensor],
    clean: Tensor,
    noise: Tensor,
    time: Tensor,
    own: Tensor,
    step: int,
    steps: int,
) -> Tensor:
    """Where the sampler may be at this step: on the path to a recording or, where `own`, on its own way from noise."""
    x = noise
    for done in range(step):
        now = 1.0 - done / steps
        found = denoiser(x, torch.full_like(time, now), prepared).float()
        x = found + (x - found) * ((now - 1.0 / steps) / now)
    return torch.where(own, x, on_path(clean, time, noise))


def _taught(
    teacher: StreamNetwork,
    x: Tensor,
    time: Tensor,
    batch: Batch,
    guidance: Tensor,
    root: Tensor | None,
    length: float,
) -> Tensor:
    """(B, F, values) to predict at x for one step of this length to end where the teacher's steps do, with guidance.

    root: (B, F, 5) around which the body is built; None: the root itself is wanted.
    """
    asked = batch.conditions
    none = torch.zeros_like(asked.score)
    none[:, 0] = 1.0
    zeros = torch.zeros_like(asked.has_text)
    three = Conditions(*(torch.cat([one] * 3) for one in asked))._replace(
        text=torch.cat([asked.text, batch.plain_text, batch.plain_text]),
        has_text=torch.cat([asked.has_text, asked.has_text, zeros]),
        score=torch.cat([asked.score, none, none]),
    )
    if root is None:
        denoiser, prepared = teacher.root, teacher.prepare_root(three)
    else:
        denoiser, prepared = teacher.body, teacher.prepare_body(three, torch.cat([root] * 3))
    size, end, now = 1.0 / teacher.config.steps, time - length, time
    begin = x
    for _ in range(round(length / size)):
        parts = denoiser(torch.cat([x] * 3), torch.cat([now] * 3), prepared).float().chunk(3)
        clean = weighed(parts[0], parts[1], parts[2], guidance)
        x = clean + (x - clean) * ((now - size) / now)[..., None]
        now = now - size
    # on a straight path from `begin` the clean end that leads through x
    left = (end / time)[..., None]
    return (x - left * begin) / (1.0 - left)
