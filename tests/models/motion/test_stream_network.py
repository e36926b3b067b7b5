"""The stream model's networks and sampler: what a fresh one does, guidance, given values, and the exported form."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is installed by the first command that trains")

from fitmotion_models.motion.features import LAYOUT  # noqa: E402
from fitmotion_models.motion.stream_network import (  # noqa: E402
    ChunkSampler,
    StreamConfig,
    StreamNetwork,
    weighed,
)

SMALL = StreamConfig(width=32, layers=2, heads=2, root_width=16, root_layers=1, root_heads=2)


def network(seed: int = 0) -> StreamNetwork:
    torch.manual_seed(seed)
    made = StreamNetwork(SMALL)
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return made.eval()


def inputs(seed: int = 1) -> dict:
    random = torch.Generator().manual_seed(seed)
    score = torch.zeros(1, 5)
    score[0, 2] = 1.0
    return {
        "history": torch.randn(1, 20, LAYOUT.size, generator=random),
        "has_history": torch.ones(1, 1),
        "text": torch.randn(1, 384, generator=random),
        "plain_text": torch.randn(1, 384, generator=random),
        "score": score,
        "progress": torch.tensor([[0.2, 0.4, 1.0]]),
        "target": torch.zeros(1, 20, LAYOUT.size),
        "target_mask": torch.zeros(1, 20, LAYOUT.size),
        "noise": torch.randn(1, 20, LAYOUT.size, generator=random),
        "guidance": torch.tensor([[1.0, 1.0]]),
    }


def test_a_fresh_network_predicts_the_mean_motion() -> None:
    fresh = StreamNetwork(SMALL).eval()
    fresh.mean[:] = torch.arange(LAYOUT.size)
    with torch.no_grad():
        future = ChunkSampler(fresh, guided=False)(**inputs())
    assert torch.allclose(future, fresh.mean.expand(1, 20, -1), atol=1e-4)


def test_guidance_of_one_is_the_plain_prediction() -> None:
    everything, scoreless, unconditional = torch.randn(3, 1, 4, 5)
    assert torch.allclose(weighed(everything, scoreless, unconditional, torch.ones(1, 2)), everything)
    assert torch.allclose(weighed(everything, scoreless, unconditional, torch.zeros(1, 2)), unconditional)


def test_without_history_it_is_not_read() -> None:
    sampler, asked = ChunkSampler(network(), guided=True), inputs()
    asked["has_history"] = torch.zeros(1, 1)
    with torch.no_grad():
        one = sampler(**asked)
        other = sampler(**{**asked, "history": asked["history"] + 5.0})
    assert torch.equal(one, other)


def test_given_values_are_taken_and_others_are_not() -> None:
    sampler, asked = ChunkSampler(network(), guided=False), inputs()
    asked["target"] = torch.randn(1, 20, LAYOUT.size)
    asked["target_mask"][0, 7, :2] = 1.0
    with torch.no_grad():
        future = sampler(**asked)
        elsewhere = sampler(**{**asked, "target": asked["target"] * asked["target_mask"]})
    assert torch.allclose(future[0, 7, :2], asked["target"][0, 7, :2], atol=1e-5)
    assert torch.allclose(future, elsewhere, atol=1e-5)


@pytest.mark.slow
def test_the_exported_graph_gives_the_same_motion(tmp_path) -> None:
    from fitmotion_models.runtime.session import load_model
    from fitmotion_models.training.motion_export import export_sampler

    asked = inputs()
    for guided in (False, True):
        path = export_sampler(network(), tmp_path / f"guided_{guided}.onnx", guided=guided, metadata={})
        with torch.no_grad():
            expected = ChunkSampler(network(), guided=guided)(**asked).numpy()
        found = load_model(path).run({name: value.numpy() for name, value in asked.items()})
        # weights are stored in half precision
        np.testing.assert_allclose(found["future"], expected, atol=2e-2)
