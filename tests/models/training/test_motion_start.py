"""Going on from weights that ship: the network that a graph was made of, and texts read in another way."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is installed by the first command that trains")
pytest.importorskip("onnx", reason="onnx is installed by the first command that trains")

import torch

from fitmotion_models.motion.stream_network import StreamConfig, StreamNetwork
from fitmotion_models.training.motion_export import export_sampler
from fitmotion_models.training.motion_start import network_of_graph, refit_text, start_from_weights

SMALL = StreamConfig(width=32, layers=2, heads=2, root_width=16, root_layers=1, root_heads=2, steps=2)


def random_network(seed: int = 0) -> StreamNetwork:
    torch.manual_seed(seed)
    network = StreamNetwork(SMALL)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    network.text_mean.normal_()
    return network.eval()


def test_the_network_of_an_exported_graph_is_the_one_that_was_exported(tmp_path: Path) -> None:
    network = random_network()
    path = export_sampler(network, tmp_path / "motion_x_guided.onnx", guided=True, metadata={})
    found = network_of_graph(path, SMALL).state_dict()
    for name, wanted in network.state_dict().items():
        # the file holds large matrices in half precision; guidance comes as nothing into a graph that computes it
        torch.testing.assert_close(found[name], wanted, rtol=1e-3, atol=1e-3, msg=name)


def test_a_graph_of_other_sizes_is_refused(tmp_path: Path) -> None:
    path = export_sampler(random_network(), tmp_path / "motion_x_guided.onnx", guided=True, metadata={})
    with pytest.raises(ValueError, match="of these sizes"):
        network_of_graph(path, StreamConfig())


def test_weights_of_the_other_fold_are_not_gone_on_from() -> None:
    with pytest.raises(ValueError, match="persons who judge"):
        start_from_weights("motion_stream", "swapped", StreamConfig())


def test_weights_that_ship_can_be_gone_on_from() -> None:
    network, made = start_from_weights("motion_stream", "first", StreamConfig())
    assert torch.isfinite(network.body.out.weight).all() and network.body.out.weight.abs().sum() > 0
    assert made["stages"]


class Wordings:
    """Thirty meanings in ten wordings each: a wording moves an embedding along twenty axes, a meaning along others."""

    def __init__(self) -> None:
        random = np.random.default_rng(0)
        self.numbers = np.repeat(np.arange(30), 10)
        meanings = np.zeros((30, 384), np.float32)
        meanings[:, 20:60] = random.normal(size=(30, 40))
        self.meanings = meanings
        self.embeddings = meanings[self.numbers].copy()
        self.embeddings[:, :20] = random.normal(size=(300, 20)) * 2.0

    def by_meaning(self) -> tuple[np.ndarray, np.ndarray]:
        return self.embeddings, self.numbers

    def mirrored(self) -> np.ndarray:
        return np.zeros((0, 2, 384), np.float32)


def test_texts_read_anew_mean_what_they_meant_and_wordings_count_less() -> None:
    prompts, network = Wordings(), random_network()
    layer = network.body.text_in[0]

    def read(embeddings: np.ndarray) -> torch.Tensor:
        with torch.no_grad():
            return layer((torch.tensor(embeddings) - network.text_mean) @ network.text_whitening)

    other = prompts.meanings[prompts.numbers].copy()
    other[:, :20] = np.random.default_rng(1).normal(size=(300, 20)) * 2.0
    before, before_other = read(prompts.embeddings), read(other)
    refit_text(network, prompts, noise=1.0)
    after, after_other = read(prompts.embeddings), read(other)
    by_meaning = before.reshape(30, 10, -1).mean(dim=1)
    found = after.reshape(30, 10, -1).mean(dim=1)
    assert torch.corrcoef(torch.stack([by_meaning.ravel(), found.ravel()]))[0, 1] > 0.9
    assert (after - after_other).std() < 0.7 * (before - before_other).std()
