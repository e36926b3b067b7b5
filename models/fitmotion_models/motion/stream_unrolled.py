"""The stream model's sampler for one body, in as few operations as it can be said in; what is exported to run.

`stream_network.ChunkSampler` computes the same for a batch. On one body of ten tokens the products of matrices are so
small that everything around them costs more than they do. So there is no batch axis; what depends on no input is a
constant; the modulation of all layers at all steps is one product; a norm takes its modulation as scale and shift.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from fitmotion_models.motion.stream_network import ROOT, Block, Conditions, Denoiser, StreamNetwork, time_waves

_PARTS = 6  # of a layer's modulation: scale, shift and gate of attention and of feed-forward
_SCALES = (0, 3)


class UnrolledSampler(nn.Module):
    """`ChunkSampler` without guidance branches, for a batch of one; inputs and output as there."""

    def __init__(self, network: StreamNetwork) -> None:
        super().__init__()
        self.network = network
        self.root = _Steps(network.root, network.config.steps)
        self.body = _Steps(network.body, network.config.steps)

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
        """The future (1, 20, 204) of a history, anchored at its last frame."""
        network = self.network
        one = torch.ones_like(has_history)
        wanted = network.normalized(target)
        asked = Conditions(
            network.normalized(history),
            has_history,
            text,
            one,
            score,
            progress,
            wanted,
            target_mask,
            torch.cat([guidance, one], dim=-1),
        )
        mask, noise = target_mask.squeeze(0), noise.squeeze(0)
        given = mask * wanted.squeeze(0)
        free = 1.0 - mask
        root = self.root(network.prepare_root(asked), noise[:, :ROOT], given[:, :ROOT], free[:, :ROOT])
        body = self.body(
            network.prepare_body(asked, root.unsqueeze(0)), noise[:, ROOT:], given[:, ROOT:], free[:, ROOT:]
        )
        return network.restored(torch.cat([root, body], dim=-1).unsqueeze(0))


class _Steps(nn.Module):
    """A denoiser's Euler steps."""

    times: Tensor
    modulations: Tensor

    def __init__(self, denoiser: Denoiser, steps: int) -> None:
        super().__init__()
        self.denoiser, self.steps = denoiser, steps
        self.blocks = nn.ModuleList(_Layer(block) for block in _blocks(denoiser))
        self.width = denoiser.places.shape[1]
        with torch.no_grad():
            moments = torch.tensor([[1.0 - step / steps] for step in range(steps)])
            self.register_buffer("times", denoiser.time_in(time_waves(moments)))
            own = torch.stack([block.modulation for block in _blocks(denoiser)])
            # a norm's scale is counted from 1
            own[:, _SCALES] += 1.0
            self.register_buffer("modulations", own.reshape(1, len(own), -1).clone())

    def forward(self, prepared: tuple[Tensor, Tensor, Tensor], noise: Tensor, given: Tensor, free: Tensor) -> Tensor:
        """Values (F, values); given: what they are where free is 0."""
        denoiser = self.denoiser
        history, known, wanted = (part.squeeze(0) for part in prepared)
        tokens = history.shape[0]
        history, known = history + denoiser.places[:tokens], known + denoiser.places[tokens:]
        told = self._told(wanted)
        x = noise
        for step in range(self.steps):
            moment = 1.0 - step / self.steps
            future = denoiser.values_in(x.reshape(known.shape[0], -1)) + known
            hidden = torch.cat([history, future])
            for index, layer in enumerate(self.blocks):
                start = (step * len(self.blocks) + index) * _PARTS
                hidden = layer(hidden, told[start : start + _PARTS])
            clean = denoiser.out(denoiser.norm(hidden[tokens:])).reshape(x.shape)
            clean = given + free * clean
            share = (moment - 1.0 / self.steps) / moment
            x = clean if step == self.steps - 1 else (1.0 - share) * clean + share * x
        return x

    def _told(self, wanted: Tensor) -> list[Tensor]:
        """Vectors (W,): six for every layer, layer after layer, step after step."""
        condition = functional.silu(wanted + self.times)
        shared = self.denoiser.modulation(condition)
        every = (shared.unsqueeze(1) + self.modulations).reshape(-1)
        return list(every.split([self.width] * (self.steps * len(self.blocks) * _PARTS)))


def _blocks(denoiser: Denoiser) -> list[Any]:
    return list(denoiser.blocks)


class _Layer(nn.Module):
    """A transformer layer of one body."""

    def __init__(self, block: Block) -> None:
        super().__init__()
        self.block = block
        width, heads = block.out.weight.shape[0], block.heads
        # the scale of the products of queries and keys is the queries' own
        factor = torch.ones(3 * width, 1)
        factor[:width] = (width // heads) ** -0.5
        self.weight = nn.Parameter((block.qkv.weight * factor).detach())
        self.bias = nn.Parameter((block.qkv.bias * factor[:, 0]).detach())

    def forward(self, x: Tensor, told: list[Tensor]) -> Tensor:
        """x: (N, W)."""
        scale_a, shift_a, gate_a, scale_f, shift_f, gate_f = told
        block = self.block
        shape, epsilon = (x.shape[1],), block.norm_attention.eps
        x = x + gate_a * self._attention(functional.layer_norm(x, shape, scale_a, shift_a, epsilon))
        hidden = functional.gelu(
            block.up(functional.layer_norm(x, shape, scale_f, shift_f, epsilon)), approximate="tanh"
        )
        return x + gate_f * block.down(hidden)

    def _attention(self, x: Tensor) -> Tensor:
        tokens, width = x.shape
        heads = self.block.heads
        every = functional.linear(x, self.weight, self.bias).reshape(tokens, 3 * heads, width // heads).transpose(0, 1)
        query, key, value = every.split([heads] * 3)
        weights = torch.softmax(query @ key.transpose(1, 2), dim=-1)
        return self.block.out((weights @ value).transpose(0, 1).reshape(tokens, width))
