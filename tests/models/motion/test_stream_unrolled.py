"""The exported form of the sampler against the one that is trained: the same numbers, in far fewer operations."""

import numpy as np
import pytest


@pytest.fixture(scope="module")
def network():
    """A small network in which nothing is zero."""
    torch = pytest.importorskip("torch", reason="torch comes with the training section")
    from fitmotion_models.motion.stream_network import StreamConfig, StreamNetwork

    torch.manual_seed(1)
    made = StreamNetwork(StreamConfig(width=32, layers=2, root_width=16, root_layers=1, steps=3)).eval()
    with torch.no_grad():
        for values in made.parameters():
            values.normal_(std=0.1)
        made.mean.normal_()
        made.deviation.uniform_(0.5, 2.0)
    return made


def inputs(network, seed, has_history):
    import torch

    from fitmotion_models.training.motion_export import chunk_shapes

    torch.manual_seed(seed)
    arrays = {name: torch.randn(shape) for name, shape in chunk_shapes(network.config).items()}
    arrays["target_mask"] = (arrays["target_mask"] > 0.5).float()
    arrays["has_history"][:] = has_history
    return arrays


@pytest.mark.parametrize("has_history", [0.0, 1.0])
def test_it_computes_what_the_trained_sampler_does(network, has_history):
    import torch

    from fitmotion_models.motion.stream_network import ChunkSampler
    from fitmotion_models.motion.stream_unrolled import UnrolledSampler

    arrays = inputs(network, 2, has_history)
    with torch.no_grad():
        expected = ChunkSampler(network, guided=False)(*arrays.values())
        found = UnrolledSampler(network)(*arrays.values())
    assert found.numpy() == pytest.approx(expected.numpy(), abs=1e-5)
    assert np.ptp(expected.numpy()) > 1.0


def test_given_values_are_taken(network):
    """What the mask names comes out as it was given, to the last step."""
    import torch

    from fitmotion_models.motion.stream_unrolled import UnrolledSampler

    arrays = inputs(network, 3, 1.0)
    with torch.no_grad():
        found = UnrolledSampler(network)(*arrays.values()).numpy()
    given = arrays["target_mask"].numpy() == 1.0
    assert found[given] == pytest.approx(arrays["target"].numpy()[given], abs=1e-4)


@pytest.mark.slow
def test_the_exported_graph_has_few_operations(network, tmp_path):
    """A layer is some twenty operations; the graph gives what torch does."""
    import onnx
    import onnxruntime
    import torch

    from fitmotion_models.motion.stream_network import ChunkSampler
    from fitmotion_models.training.motion_export import export_sampler

    path = export_sampler(network, tmp_path / "stream.onnx", guided=False, metadata={})
    layers = network.config.steps * (network.config.layers + network.config.root_layers)
    operations = [
        node for node in onnx.load(str(path)).graph.node if node.op_type not in ("Constant", "Identity", "Cast")
    ]
    assert len(operations) < 24 * layers + 40 * network.config.steps + 80
    arrays = inputs(network, 4, 1.0)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    found = session.run(None, {name: array.numpy() for name, array in arrays.items()})[0]
    with torch.no_grad():
        expected = ChunkSampler(network, guided=False)(*arrays.values()).numpy()
    # matrices are stored in half precision
    assert found == pytest.approx(expected, abs=0.05)
