"""The stream model's networks (torch): what is trained, and what is exported as one static graph.

A chunk of 20 frames is drawn from 20 frames of history by flow matching on a straight path (Liu et al. 2023) whose
network predicts the clean motion, in few Euler steps: first the root, then the body around it, as ARDY and Kimodo do.
Four frames are one token. Time, text, score, progress and guidance weights modulate every layer (adaptive layer norm,
Peebles & Xie 2023, in the shared form of PixArt-alpha). torch is needed to train and for the torch engine only.
"""

from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from fitmotion_models.motion.features import LAYOUT

ROOT = LAYOUT["heading"].stop  # root position and heading come first in a frame
BODY = LAYOUT.size - ROOT
SCORES = 5  # none, 0, 1, 2, 3
PROGRESS = 3
GUIDANCE = 2
_TIME_WAVES = 32


@dataclass(frozen=True)
class StreamConfig:
    """Sizes of the networks; stored in the checkpoint.

    width, layers, heads: of the body's transformer; root_*: of the root's. steps: Euler steps of the sampler.
    text_size: of the sentence embedding, made by `encoder`.
    """

    width: int = 192
    layers: int = 6
    heads: int = 4
    root_width: int = 128
    root_layers: int = 3
    root_heads: int = 4
    steps: int = 4
    history: int = 20
    future: int = 20
    frames_per_token: int = 4
    text_size: int = 384
    encoder: str = "minilm"

    def __post_init__(self) -> None:
        if self.history % self.frames_per_token or self.future % self.frames_per_token:
            raise ValueError(
                f"history={self.history} and future={self.future} need to be tokens of {self.frames_per_token} frames"
            )
        if self.steps < 1:
            raise ValueError(f"steps={self.steps}: at least 1 is needed")

    def as_dict(self) -> dict[str, Any]:
        """For the checkpoint."""
        return asdict(self)


class Conditions(NamedTuple):
    """What a chunk is asked for, batched; frames are normalised and anchored at the last history frame.

    history (B, H, 204), has_history (B, 1), text (B, E), has_text (B, 1), score (B, 5), progress (B, 3), target and
    target_mask (B, F, 204), guidance (B, 3): weights of text and score and 1 where the network shall act as guided.
    """

    history: Tensor
    has_history: Tensor
    text: Tensor
    has_text: Tensor
    score: Tensor
    progress: Tensor
    target: Tensor
    target_mask: Tensor
    guidance: Tensor


class Block(nn.Module):
    """A transformer layer whose norms are modulated from outside."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm_attention = nn.LayerNorm(width, elementwise_affine=False)
        self.norm_feedforward = nn.LayerNorm(width, elementwise_affine=False)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)
        self.modulation = nn.Parameter(torch.zeros(6, width))

    def forward(self, x: Tensor, shared: Tensor) -> Tensor:
        """x: (B, N, W). shared: (B, 6, W), the modulation that all layers have in common."""
        scale_a, shift_a, gate_a, scale_f, shift_f, gate_f = (shared + self.modulation).unsqueeze(2).unbind(1)
        x = x + gate_a * self._attention(self.norm_attention(x) * (1.0 + scale_a) + shift_a)
        hidden = functional.gelu(self.up(self.norm_feedforward(x) * (1.0 + scale_f) + shift_f), approximate="tanh")
        return x + gate_f * self.down(hidden)

    def _attention(self, x: Tensor) -> Tensor:
        batch, tokens, width = x.shape
        query, key, value = (
            self.qkv(x).reshape(batch, tokens, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        )
        weights = torch.softmax(query @ key.transpose(-1, -2) * (width // self.heads) ** -0.5, dim=-1)
        return self.out((weights @ value).transpose(1, 2).reshape(batch, tokens, width))


class Denoiser(nn.Module):
    """Predicts the clean values of the future from noisy ones.

    values: numbers a frame that are predicted. given: numbers a frame that are known beside them.
    """

    def __init__(self, config: StreamConfig, values: int, given: int, width: int, layers: int, heads: int) -> None:
        super().__init__()
        per_token = config.frames_per_token
        self.config, self.values = config, values
        self.history_in = nn.Linear(LAYOUT.size * per_token, width)
        self.no_history = nn.Parameter(torch.zeros(config.history // per_token, width))
        self.values_in = nn.Linear(values * per_token, width)
        self.given_in = nn.Linear(given * per_token, width)
        self.places = nn.Parameter(0.02 * torch.randn((config.history + config.future) // per_token, width))
        self.time_in = nn.Sequential(nn.Linear(2 * _TIME_WAVES, width), nn.SiLU(), nn.Linear(width, width))
        self.text_in = nn.Sequential(nn.Linear(config.text_size, width), nn.SiLU(), nn.Linear(width, width))
        self.no_text = nn.Parameter(torch.zeros(width))
        self.score_in = nn.Linear(SCORES, width, bias=False)
        self.progress_in = nn.Sequential(nn.Linear(PROGRESS, width), nn.SiLU(), nn.Linear(width, width))
        self.guidance_in = nn.Sequential(nn.Linear(GUIDANCE + 1, width), nn.SiLU(), nn.Linear(width, width))
        self.modulation = nn.Linear(width, 6 * width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, values * per_token)
        # a fresh network predicts the mean motion and passes every layer by; guidance is learned last, from nothing
        for layer in (self.out, self.modulation, self.guidance_in[2]):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def prepare(self, conditions: Conditions, given: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What stays the same over the steps: history tokens, the known part of the future's, the modulation's."""
        has = conditions.has_history.unsqueeze(-1)
        history = has * self.history_in(self._tokens(conditions.history)) + (1.0 - has) * self.no_history
        text = conditions.has_text * self.text_in(conditions.text) + (1.0 - conditions.has_text) * self.no_text
        wanted = (
            text
            + self.score_in(conditions.score)
            + self.progress_in(conditions.progress)
            + self.guidance_in(conditions.guidance) * conditions.guidance[:, 2:]
        )
        return history, self.given_in(self._tokens(given)), wanted

    def forward(self, noisy: Tensor, time: Tensor, prepared: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        """Clean values (B, F, values) from noisy ones of the same shape; time (B, 1): 1 is all noise."""
        history, given, wanted = prepared
        condition = wanted + self.time_in(time_waves(time))
        shared = self.modulation(functional.silu(condition)).reshape(condition.shape[0], 6, -1)
        x = torch.cat([history, given + self.values_in(self._tokens(noisy))], dim=1) + self.places
        for block in self.blocks:
            x = block(x, shared)
        future = self.out(self.norm(x[:, history.shape[1] :]))
        return future.reshape(noisy.shape[0], self.config.future, self.values)

    def _tokens(self, frames: Tensor) -> Tensor:
        per_token = self.config.frames_per_token
        return frames.reshape(frames.shape[0], frames.shape[1] // per_token, frames.shape[2] * per_token)


def time_waves(time: Tensor) -> Tensor:
    """Sines and cosines (B, 64) of a time in [0, 1], (B, 1)."""
    frequencies = torch.exp(torch.linspace(0.0, 6.0, _TIME_WAVES, device=time.device, dtype=torch.float32))
    angles = time * frequencies
    return torch.cat([torch.sin(angles), torch.cos(angles)], dim=-1)


class StreamNetwork(nn.Module):
    """Root and body denoisers with the features' normalisation."""

    mean: Tensor
    deviation: Tensor
    text_mean: Tensor
    text_whitening: Tensor

    def __init__(self, config: StreamConfig) -> None:
        super().__init__()
        self.config = config
        self.root = Denoiser(config, ROOT, 2 * ROOT, config.root_width, config.root_layers, config.root_heads)
        self.body = Denoiser(config, BODY, ROOT + 2 * LAYOUT.size, config.width, config.layers, config.heads)
        self.register_buffer("mean", torch.zeros(LAYOUT.size))
        self.register_buffer("deviation", torch.ones(LAYOUT.size))
        self.register_buffer("text_mean", torch.zeros(config.text_size))
        self.register_buffer("text_whitening", torch.eye(config.text_size))

    def normalized(self, features: Tensor) -> Tensor:
        """Features with mean 0 and deviation 1 over the training windows."""
        return (features - self.mean) / self.deviation

    def restored(self, values: Tensor) -> Tensor:
        """The features of normalised values."""
        return values * self.deviation + self.mean

    def _read(self, conditions: Conditions) -> Conditions:
        """With sentence embeddings whitened: in them all of human motion is one corner, and left is nearly right."""
        return conditions._replace(text=(conditions.text - self.text_mean) @ self.text_whitening)

    def prepare_root(self, conditions: Conditions) -> tuple[Tensor, Tensor, Tensor]:
        """See `Denoiser.prepare`."""
        mask = conditions.target_mask[..., :ROOT]
        return self.root.prepare(
            self._read(conditions), torch.cat([conditions.target[..., :ROOT] * mask, mask], dim=-1)
        )

    def prepare_body(self, conditions: Conditions, root: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """See `Denoiser.prepare`; root: (B, F, 5) normalised."""
        mask = conditions.target_mask
        return self.body.prepare(self._read(conditions), torch.cat([root, conditions.target * mask, mask], dim=-1))


class ChunkSampler(nn.Module):
    """The whole sampler of a chunk: what a runtime's one call does. Inputs and output as in `motion.sampler`.

    guided: the undistilled way, in which three predictions (all, without score, without text and score) are weighed
    against each other at every step; else the network that learned to do that in one.
    """

    def __init__(self, network: StreamNetwork, *, guided: bool) -> None:
        super().__init__()
        self.network, self.guided = network, guided

    def forward(
        self,
        history: Tensor,
        has_history: Tensor,
        text: Tensor,
        plain_text: Tensor,
        score: Tensor,
        progress: Tensor,
        target: Tensor,
        target_mask: Tensor,
        noise: Tensor,
        guidance: Tensor,
    ) -> Tensor:
        """The future (B, 20, 204) of a history, anchored at its last frame."""
        network = self.network
        asked = Conditions(
            history=network.normalized(history),
            has_history=has_history,
            text=text,
            has_text=torch.ones_like(has_history),
            score=score,
            progress=progress,
            target=network.normalized(target),
            target_mask=target_mask,
            guidance=torch.cat([guidance, torch.ones_like(has_history)], dim=-1),
        )
        mask, wanted = target_mask, asked.target
        branches = self._branches(asked, plain_text) if self.guided else asked
        root = self._denoise(
            network.root,
            network.prepare_root(branches),
            noise[..., :ROOT],
            wanted[..., :ROOT],
            mask[..., :ROOT],
            guidance,
        )
        copies = torch.cat([root] * 3) if self.guided else root
        body = self._denoise(
            network.body,
            network.prepare_body(branches, copies),
            noise[..., ROOT:],
            wanted[..., ROOT:],
            mask[..., ROOT:],
            guidance,
        )
        return network.restored(torch.cat([root, body], dim=-1))

    @staticmethod
    def _branches(asked: Conditions, plain_text: Tensor) -> Conditions:
        """Three conditions in one batch: all that is asked; without the score; without text and score."""
        none = torch.zeros_like(asked.score)
        none[:, 0] = 1.0
        three = Conditions(*(torch.cat([part] * 3) for part in asked))
        return three._replace(
            text=torch.cat([asked.text, plain_text, plain_text]),
            has_text=torch.cat([asked.has_text, asked.has_text, torch.zeros_like(asked.has_text)]),
            score=torch.cat([asked.score, none, none]),
            guidance=torch.zeros_like(three.guidance),
        )

    def _denoise(
        self,
        denoiser: Denoiser,
        prepared: tuple[Tensor, Tensor, Tensor],
        noise: Tensor,
        wanted: Tensor,
        mask: Tensor,
        guidance: Tensor,
    ) -> Tensor:
        """Euler steps from noise; values that are given are set at every step."""
        steps = self.network.config.steps
        x = noise
        for step in range(steps):
            time = 1.0 - step / steps
            clean = self._predict(denoiser, x, torch.full_like(guidance[:, :1], time), prepared, guidance)
            clean = mask * wanted + (1.0 - mask) * clean
            # on the straight path x = (1 - t) clean + t noise
            x = clean + (x - clean) * ((time - 1.0 / steps) / time)
        return x

    def _predict(
        self, denoiser: Denoiser, x: Tensor, time: Tensor, prepared: tuple[Tensor, Tensor, Tensor], guidance: Tensor
    ) -> Tensor:
        if not self.guided:
            return denoiser(x, time, prepared)
        everything, scoreless, unconditional = denoiser(torch.cat([x] * 3), torch.cat([time] * 3), prepared).chunk(3)
        return weighed(everything, scoreless, unconditional, guidance)


def weighed(everything: Tensor, scoreless: Tensor, unconditional: Tensor, guidance: Tensor) -> Tensor:
    """Classifier-free guidance with a weight for the text and one for the score (Brooks et al. 2023); 1, 1: none."""
    text, score = guidance[:, :1, None], guidance[:, 1:2, None]
    return unconditional + text * (scoreless - unconditional) + score * (everything - scoreless)
