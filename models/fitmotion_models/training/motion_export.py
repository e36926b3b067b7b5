"""A trained stream model as a file: checkpoints for training, static ONNX graphs for everybody else."""

import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch

from fitmotion_models.motion.features import LAYOUT
from fitmotion_models.motion.stream_network import GUIDANCE, PROGRESS, SCORES, ChunkSampler, StreamConfig, StreamNetwork
from fitmotion_models.motion.stream_unrolled import UnrolledSampler

OPSET = 20  # the first with GELU
OUTPUT = "future"
# smaller tensors (biases, places, normalisation) stay in single precision: they weigh nothing
_LEAST_HALVED = 4096


def chunk_shapes(config: StreamConfig) -> dict[str, tuple[int, ...]]:
    """Name -> shape of the exported graph's inputs."""
    frames = (1, config.future, LAYOUT.size)
    return {
        "history": (1, config.history, LAYOUT.size),
        "has_history": (1, 1),
        "text": (1, config.text_size),
        "plain_text": (1, config.text_size),
        "score": (1, SCORES),
        "progress": (1, PROGRESS),
        "target": frames,
        "target_mask": frames,
        "noise": frames,
        "guidance": (1, GUIDANCE),
    }


def export_sampler(
    network: StreamNetwork, path: Path, *, guided: bool, metadata: Mapping[str, str], steps: int | None = None
) -> Path:
    """Write the sampler, unrolled, as one static graph with its matrices in half precision; returns the path.

    guided: with guidance computed, as networks need that were not distilled. steps: so many Euler steps instead of the
    network's own. metadata: what the file says of itself. The engine turns the matrices into single
    precision when it loads them, and computes in that.
    """
    import onnx
    from onnx import helper

    shapes = chunk_shapes(network.config)
    example = tuple(torch.zeros(shape) for shape in shapes.values())
    if steps is not None:
        network = _in_steps(network, steps)
    sampler = (ChunkSampler(network, guided=True) if guided else UnrolledSampler(network)).eval()
    partial = path.with_suffix(".onnx.part")
    with warnings.catch_warnings(), torch.no_grad():
        # the exporter that torch has replaced needs one package less, and unrolls loops of a fixed length as it should
        warnings.simplefilter("ignore")
        torch.onnx.export(
            sampler,
            example,
            str(partial),
            dynamo=False,
            opset_version=OPSET,
            input_names=list(shapes),
            output_names=[OUTPUT],
            do_constant_folding=True,
        )
    model = onnx.load(str(partial))
    partial.unlink()
    _halve(model)
    # graphs that compute guidance alone read the plain text; a graph keeps all inputs, so that both are called alike
    _keep_inputs(model, shapes)
    helper.set_model_props(model, {"guided": str(guided).lower(), "encoder": network.config.encoder, **metadata})
    model.producer_name, model.producer_version = "fitmotion", ""
    onnx.checker.check_model(model)
    onnx.save(model, str(partial))
    partial.replace(path)
    return path


def _in_steps(network: StreamNetwork, steps: int) -> StreamNetwork:
    """The same network, sampled in so many steps."""
    other = StreamNetwork(replace(network.config, steps=steps))
    other.load_state_dict(network.state_dict())
    return other


def _halve(model: Any) -> None:
    """Store large matrices as float16 with a cast behind each."""
    from onnx import TensorProto, helper, numpy_helper

    casts = []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < _LEAST_HALVED:
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}.half"))
        casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def _keep_inputs(model: Any, shapes: Mapping[str, tuple[int, ...]]) -> None:
    from onnx import TensorProto, helper

    del model.graph.input[:]
    model.graph.input.extend(
        helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape)) for name, shape in shapes.items()
    )


def save_checkpoint(path: Path, network: StreamNetwork, **more: Any) -> None:
    """Write the networks' weights with their sizes, and whatever training needs to go on, in one step."""
    partial = path.with_suffix(".part")
    torch.save({"config": network.config.as_dict(), "network": network.state_dict(), **more}, partial)
    partial.replace(path)


def load_checkpoint(path: Path) -> tuple[StreamNetwork, dict[str, Any]]:
    """The networks of a checkpoint and all that it holds. Raises ValueError for a file that is none."""
    try:
        held = torch.load(path, map_location="cpu", weights_only=True)
        network = StreamNetwork(StreamConfig(**held["config"]))
        network.load_state_dict(held["network"])
    except (RuntimeError, UnpicklingError, KeyError, TypeError, EOFError, ValueError) as error:
        raise ValueError(f"checkpoint {path} is none of the stream model's: {error}") from error
    return network, held
