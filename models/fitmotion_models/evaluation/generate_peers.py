"""Networks of the sizes of published motion generators, to time them beside ours: weights are random, speed is not.

Built as ONNX graphs, with what ONNX Runtime has fused kernels for, so that nothing of them is slower than it has to be.
Sizes are read from the authors' code: MDM (Tevet et al. 2023, github.com/GuyTevet/motion-diffusion-model, the 50-step
model) and MotionLCM-V2 (Dai et al. 2024, github.com/Dai-Wenxun/MotionLCM, configs/motionlcm_t2m.yaml and its modules).
Needs the package onnx, of the training section.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

FRAMES = 196
"""Frames of the motions that all of them are timed on: 9.8 s, the longest of HumanML3D's evaluation."""
FEATURES = 263
_OPSET = 20  # the first with Gelu


@dataclass(frozen=True)
class TransformerSize:
    """layers, width, heads and the width of the feed-forward part."""

    layers: int
    width: int
    heads: int
    feed_forward: int


MDM = TransformerSize(layers=8, width=512, heads=4, feed_forward=1024)
MDM_STEPS = 50
MDM_TEXT = 512  # CLIP ViT-B/32
MOTION_LCM = TransformerSize(layers=9, width=256, heads=4, feed_forward=1024)
MOTION_LCM_LATENT = (16, 32)
MOTION_LCM_TEXT = 768  # sentence-T5-large


class _Graph:
    """An ONNX graph under construction; values are known by name."""

    def __init__(self, seed: int) -> None:
        from onnx import helper, numpy_helper

        self._helper, self._numpy = helper, numpy_helper
        self._random = np.random.default_rng(seed)
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self._inputs: list[Any] = []

    def input(self, name: str, *shape: int) -> str:
        self._inputs.append(self._helper.make_tensor_value_info(name, 1, shape))
        return name

    def constant(self, values: Any) -> str:
        name = f"constant_{len(self._constants)}"
        self._constants.append(self._numpy.from_array(np.asarray(values), name))
        return name

    def weight(self, *shape: int) -> str:
        scale = 1.0 / np.sqrt(shape[0])
        return self.constant((scale * self._random.standard_normal(shape)).astype(np.float32))

    def op(self, kind: str, *inputs: str, outputs: int = 1, **attributes: Any) -> Any:
        names = [f"value_{len(self._nodes)}_{index}" for index in range(outputs)]
        self._nodes.append(self._helper.make_node(kind, list(inputs), names, **attributes))
        return names[0] if outputs == 1 else names

    def linear(self, x: str, size: int, out: int) -> str:
        return self.op("Add", self.op("MatMul", x, self.weight(size, out)), self.weight(out))

    def norm(self, x: str, size: int) -> str:
        ones, zeros = np.ones(size, np.float32), np.zeros(size, np.float32)
        return self.op("LayerNormalization", x, self.constant(ones), self.constant(zeros), axis=-1, epsilon=1e-5)

    def reshape(self, x: str, *shape: int) -> str:
        return self.op("Reshape", x, self.constant(np.array(shape, np.int64)))

    def save(self, path: Path, **outputs: tuple[str, tuple[int, ...]]) -> Path:
        """Write the graph; outputs: name -> value and its shape."""
        from onnx import save

        for name, (value, _) in outputs.items():
            self._nodes.append(self._helper.make_node("Identity", [value], [name]))
        infos = [self._helper.make_tensor_value_info(name, 1, shape) for name, (_, shape) in outputs.items()]
        graph = self._helper.make_graph(self._nodes, path.stem, self._inputs, infos, self._constants)
        opset = self._helper.make_opsetid("", _OPSET)
        save(self._helper.make_model(graph, opset_imports=[opset], ir_version=9), str(path))
        return path


def _attention(
    graph: _Graph, queries: str, memory: str, lengths: tuple[int, int], size: TransformerSize, batch: int
) -> str:
    """Multi-head attention of queries (batch, N, width) to memory (batch, M, width); lengths: N and M."""
    width, heads = size.width, size.heads

    def split(x: str, length: int, order: list[int]) -> str:
        return graph.op("Transpose", graph.reshape(x, batch, length, heads, width // heads), perm=order)

    if queries == memory:
        # as torch has it: one product for all three
        sizes = graph.constant(np.array([width] * 3, np.int64))
        q, k, v = graph.op("Split", graph.linear(queries, width, 3 * width), sizes, outputs=3, axis=-1)
    else:
        q, k, v = (
            graph.linear(queries, width, width),
            graph.linear(memory, width, width),
            graph.linear(memory, width, width),
        )
    scale = graph.constant(np.float32((width // heads) ** -0.5))
    q = graph.op("Mul", split(q, lengths[0], [0, 2, 1, 3]), scale)
    shares = graph.op("Softmax", graph.op("MatMul", q, split(k, lengths[1], [0, 2, 3, 1])), axis=-1)
    mixed = graph.op("MatMul", shares, split(v, lengths[1], [0, 2, 1, 3]))
    mixed = graph.reshape(graph.op("Transpose", mixed, perm=[0, 2, 1, 3]), batch, lengths[0], width)
    return graph.linear(mixed, width, width)


def _layer(
    graph: _Graph, x: str, length: int, size: TransformerSize, batch: int, memory: tuple[str, int] | None = None
) -> str:
    """A post-norm transformer layer with GELU; with memory (its value and length), a decoder's."""
    x = graph.norm(graph.op("Add", x, _attention(graph, x, x, (length, length), size, batch)), size.width)
    if memory is not None:
        told = _attention(graph, x, memory[0], (length, memory[1]), size, batch)
        x = graph.norm(graph.op("Add", x, told), size.width)
    hidden = graph.op("Gelu", graph.linear(x, size.width, size.feed_forward))
    return graph.norm(graph.op("Add", x, graph.linear(hidden, size.feed_forward, size.width)), size.width)


def _skip_layers(
    graph: _Graph, x: str, length: int, size: TransformerSize, memory: tuple[str, int] | None = None
) -> str:
    """MotionLCM's stack: the second half of the layers gets what the first half gave, in reverse order."""
    half = (size.layers - 1) // 2
    kept = []
    for _ in range(half):
        x = _layer(graph, x, length, size, 1, memory)
        kept.append(x)
    x = _layer(graph, x, length, size, 1, memory)
    for _ in range(half):
        x = graph.linear(graph.op("Concat", x, kept.pop(), axis=-1), 2 * size.width, size.width)
        x = _layer(graph, x, length, size, 1, memory)
    return graph.norm(x, size.width)


def write_mdm(path: Path) -> Path:
    """MDM's denoiser, one step: motion (1, 196, 263) in, with and without the text at once, guided motion out."""
    graph, size = _Graph(1), MDM
    motion = graph.input("motion", 1, FRAMES, FEATURES)
    step, text = graph.input("step", 1, 1, size.width), graph.input("text", 2, 1, MDM_TEXT)
    scale = graph.input("guidance", 1)
    told = graph.op(
        "Add",
        graph.linear(text, MDM_TEXT, size.width),
        graph.linear(
            graph.op("Mul", *_silu(graph, graph.linear(step, size.width, size.width))), size.width, size.width
        ),
    )
    frames = graph.linear(motion, FEATURES, size.width)
    x = graph.op("Concat", told, graph.op("Concat", frames, frames, axis=0), axis=1)
    x = graph.op("Add", x, graph.weight(1, FRAMES + 1, size.width))
    for _ in range(size.layers):
        x = _layer(graph, x, FRAMES + 1, size, 2)
    first, last = (graph.constant(np.array([value], np.int64)) for value in (1, FRAMES + 1))
    found = graph.linear(
        graph.op("Slice", x, first, last, graph.constant(np.array([1], np.int64))), size.width, FEATURES
    )
    sizes = graph.constant(np.array([1, 1], np.int64))
    with_text, without = graph.op("Split", found, sizes, outputs=2, axis=0)
    guided = graph.op("Add", without, graph.op("Mul", scale, graph.op("Sub", with_text, without)))
    return graph.save(path, found=(guided, (1, FRAMES, FEATURES)))


def _silu(graph: _Graph, x: str) -> tuple[str, str]:
    return x, graph.op("Sigmoid", x)


def write_motion_lcm(path: Path) -> Path:
    """MotionLCM-V2 in one step: latent noise (1, 16, 32) to motion (1, 196, 263), denoiser and decoder in one graph.

    Its guidance is distilled, so that nothing is computed twice.
    """
    graph, size = _Graph(2), MOTION_LCM
    tokens, latent = MOTION_LCM_LATENT
    noise = graph.input("noise", 1, tokens, latent)
    step, text = graph.input("step", 1, 1, MOTION_LCM_TEXT), graph.input("text", 1, 1, MOTION_LCM_TEXT)
    timed = graph.linear(step, MOTION_LCM_TEXT, size.width)
    timed = graph.linear(graph.op("Mul", *_silu(graph, timed)), size.width, size.width)
    x = graph.op(
        "Concat",
        graph.linear(noise, latent, size.width),
        timed,
        graph.linear(text, MOTION_LCM_TEXT, size.width),
        axis=1,
    )
    x = graph.op("Add", x, graph.weight(1, tokens + 2, size.width))
    x = _skip_layers(graph, x, tokens + 2, size)
    start, end = (graph.constant(np.array([value], np.int64)) for value in (0, tokens))
    x = graph.op("Slice", x, start, end, graph.constant(np.array([1], np.int64)))
    memory = graph.linear(graph.linear(x, size.width, latent), latent, size.width)
    queries = graph.weight(1, FRAMES, size.width)
    x = _skip_layers(graph, queries, FRAMES, size, (memory, tokens))
    return graph.save(path, found=(graph.linear(x, size.width, FEATURES), (1, FRAMES, FEATURES)))
