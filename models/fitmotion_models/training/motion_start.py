"""Going on from weights that ship: the network of an exported graph, and its text input fitted to another reading."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml

from fitmotion_models.motion.sampler import weights_file
from fitmotion_models.motion.stream_network import StreamConfig, StreamNetwork
from fitmotion_models.runtime.session import ModelError
from fitmotion_models.training.motion_steps import PromptTable
from fitmotion_models.training.motion_windows import whitening

_HALF = ".half"  # see motion_export
_BRANCHES = 3  # of guidance: all that is asked, without the score, without text and score


def start_from_weights(weights: str, fold: str, config: StreamConfig) -> tuple[StreamNetwork, dict[str, Any]]:
    """The network of weights, and how their card says it was made.

    weights: those that ship, by name, or a folder or file. Of the card "stages" and, where they went on from others,
    "started_from".

    Raises ValueError where their card does not say that they were trained in this fold, whose judges would have been
    seen otherwise, and where they are of other sizes.
    """
    path = weights_file(weights, guided=True)
    card = path.with_name(f"{path.stem.removesuffix('_guided')}.yaml")
    said = yaml.safe_load(card.read_text(encoding="utf-8")) if card.is_file() else {}
    trained_in = {one["recipe"]["fold"] for one in said.get("stages", {}).values()}
    if trained_in != {fold}:
        raise ValueError(
            f"weights {weights} were trained in fold {', '.join(trained_in) or 'unknown'}, this is fold {fold}: start "
            "from others, or persons who judge would have been learned from"
        )
    return network_of_graph(path, config), {name: said[name] for name in ("stages", "started_from") if name in said}


def network_of_graph(path: Path, config: StreamConfig) -> StreamNetwork:
    """The network of a guided graph in all its steps that `export_sampler` wrote (its matrices in half precision).

    Raises ValueError where the graph is another one's.
    """
    import onnx

    graph = onnx.load(str(path)).graph
    network = StreamNetwork(config)
    wanted = network.state_dict()
    found = _named(graph)
    missing = [name for name, value in wanted.items() if name not in found or found[name].shape != tuple(value.shape)]
    if missing:
        raise ModelError(f"{path.name} is no guided graph of these sizes: {missing[0]} is missing or differs")
    network.load_state_dict({name: torch.from_numpy(found[name].astype(np.float32)) for name in wanted})
    return network


def _named(graph: Any) -> dict[str, np.ndarray]:
    """Parameters by name. The exporter keeps the names of all but the matrices that it transposed.

    Those are told by the bias that is added to their product; the score's, which has none, by its five rows, and the
    vector for no text by the three branches of guidance, whose last it is. The root's come before the body's.
    """
    from onnx import numpy_helper

    tensors = {one.name.removesuffix(_HALF): numpy_helper.to_array(one) for one in graph.initializer}
    found = {name.removeprefix("network."): value for name, value in tensors.items() if name.startswith("network.")}
    products = {node.output[0]: node.input[1] for node in graph.node if node.op_type == "MatMul"}
    taken = set()
    for node in graph.node:
        bias = next((one for one in node.input if one.endswith(".bias")), None)
        product = next((products[one] for one in node.input if one in products), None)
        if node.op_type == "Add" and bias is not None and product in tensors:
            found[bias.removeprefix("network.").removesuffix("bias") + "weight"] = tensors[product].T
            taken.add(product)
    scores = [name for name in products.values() if name in tensors and name not in taken and len(tensors[name]) == 5]
    branches = [
        tensors[name]
        for node in graph.node
        if node.op_type == "Add"
        for name in node.input
        if name in tensors and tensors[name].ndim == 2 and len(tensors[name]) == _BRANCHES
    ]
    for denoiser, score, branch in zip(("root", "body"), dict.fromkeys(scores), branches, strict=False):
        found[f"{denoiser}.score_in.weight"] = tensors[score].T
        found[f"{denoiser}.no_text"] = branch[-1]
    return found


@torch.no_grad()
def refit_text(network: StreamNetwork, prompts: PromptTable, noise: float) -> None:
    """Let the network read texts as `whitening` of these prompts makes them, as nearly the same as noise allows.

    The first layer of each denoiser's text input is fitted anew by ridge regression to what it computed of the texts,
    with the noise (SD) that training puts on them: what changed with the wording alone is left out.
    """
    embeddings = torch.as_tensor(prompts.embeddings)
    mean, matrix = (torch.as_tensor(one) for one in whitening(*prompts.by_meaning()))
    before = (embeddings - network.text_mean) @ network.text_whitening
    after = (embeddings - mean) @ matrix
    ones = torch.ones(len(after), 1)
    inputs = torch.cat([after, ones], dim=1).double()
    ridge = torch.eye(inputs.shape[1], dtype=torch.float64) * (len(after) * max(noise, 1e-3) ** 2)
    ridge[-1, -1] = 0.0
    for denoiser in (network.root, network.body):
        layer = denoiser.text_in[0]
        outputs = layer(before).double()
        fitted = torch.linalg.solve(inputs.T @ inputs + ridge, inputs.T @ outputs).float()
        layer.weight.copy_(fitted[:-1].T)
        layer.bias.copy_(fitted[-1])
    network.text_mean.copy_(mean)
    network.text_whitening.copy_(matrix)
