"""The stream model on its engines: the same motion from each, and what is said of weights that cannot be used."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from fitmotion_models.motion.condition import Conditioning
from fitmotion_models.motion.features import LAYOUT, body_of
from fitmotion_models.motion.sampler import ENGINES, ChunkInputs, engines_here, input_shapes, load_sampler
from fitmotion_models.runtime import ModelError

onnx = pytest.importorskip("onnx")
TEXT_SIZE = 384


def chunk(seed: int, *, has_history: bool = True) -> ChunkInputs:
    random = np.random.default_rng(seed)
    arrays = {name: random.normal(size=shape).astype(np.float32) for name, shape in input_shapes(TEXT_SIZE).items()} | {
        "has_history": np.array([has_history], np.float32),
        "score": np.eye(5, dtype=np.float32)[random.integers(5)],
        "guidance": random.uniform(0, 4, 2).astype(np.float32),
        "target_mask": (random.random((20, LAYOUT.size)) < 0.1).astype(np.float32),
    }
    return ChunkInputs(**arrays)


Network = Callable[..., Path]


@pytest.fixture
def network(tmp_path: Path) -> Network:
    """Writes future = noise + 2 * history for the contract's inputs, or for others."""

    def write(
        name: str = "motion_stream.onnx", *, shapes: dict[str, Any] | None = None, output: str = "future"
    ) -> Path:
        helper, kind = onnx.helper, onnx.TensorProto.FLOAT
        wanted = {key: (1, *shape) for key, shape in input_shapes(TEXT_SIZE).items()} | (shapes or {})
        graph = helper.make_graph(
            [
                helper.make_node("Add", ["history", "history"], ["twice"]),
                helper.make_node("Add", ["twice", "noise"], [output]),
            ],
            "stream",
            [helper.make_tensor_value_info(key, kind, shape) for key, shape in wanted.items() if shape is not None],
            [helper.make_tensor_value_info(output, kind, (1, 20, LAYOUT.size))],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
        helper.set_model_props(model, {"encoder": "minilm"})
        onnx.save(model, tmp_path / name)
        return tmp_path / name

    return write


def test_a_call_hands_over_every_array(network: Network) -> None:
    sampler = load_sampler(network(), engine="cpu", threads=1)
    asked = chunk(0)
    np.testing.assert_allclose(sampler(asked), 2 * asked.history + asked.noise, rtol=1e-6)
    assert (sampler.engine_name, sampler.engine.rpartition(", ")[2]) == ("cpu", "1 thread")
    wrong = ChunkInputs(**{**vars(asked), "text": np.zeros(512, np.float32)})
    with pytest.raises(ValueError, match=r"motion_stream: text has shape \(512,\); expected \(384,\)"):
        sampler(wrong)


def test_weights_are_found_by_folder_and_file_with_their_card(network: Network, tmp_path: Path) -> None:
    network(), network("motion_stream_guided.onnx")
    plain = load_sampler(tmp_path, engine="cpu").card
    assert (plain.name, plain.encoder, plain.text_size) == ("motion_stream", "minilm", TEXT_SIZE)
    assert (plain.conditioning, plain.text_guidance, plain.score_guidance) == (Conditioning.TOKEN, 1, 1)
    card = tmp_path / "motion_stream.yaml"
    card.write_text(
        "encoder: clip:openai/clip-vit-base-patch32\nlicence: CC BY-SA 4.0\n"
        "defaults: {conditioning: numerical, text_guidance: 2.5, score_guidance: 3}\n"
    )
    found = load_sampler(tmp_path / "motion_stream.onnx", engine="cpu", guided=True).card
    assert (found.conditioning, found.text_guidance, found.score_guidance) == (Conditioning.NUMERICAL, 2.5, 3)
    assert found.encoder == "clip:openai/clip-vit-base-patch32" and found.licence == "CC BY-SA 4.0"
    for text, said in (
        ("defaults: [", "cannot be read"),
        ("encoder: minilm", "KeyError"),
        ("encoder: minilm\ndefaults: {conditioning: token, text_guidance: 99, score_guidance: 1}", "outside 0 to 10"),
        (
            "encoder: minilm\ndefaults: {conditioning: default, text_guidance: 1, score_guidance: 1}",
            "must be numerical",
        ),
    ):
        card.write_text(text)
        with pytest.raises(ModelError, match=f"motion_stream.yaml.*{said}"):
            load_sampler(tmp_path, engine="cpu")


def test_engines_that_are_unknown_or_not_here_are_said(network: Network) -> None:
    path = network()
    with pytest.raises(ValueError, match=f"engine 'npu' unknown; known: {', '.join(ENGINES)}"):
        load_sampler(path, engine="npu")
    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        with pytest.raises(ModelError, match="engine 'cuda' cannot be had here: CUDA: this ONNX Runtime has it not"):
            load_sampler(path, engine="cuda")
        assert load_sampler(path, engine="auto").engine_name == "cpu"


def test_every_engine_says_whether_it_is_here() -> None:
    found = engines_here()
    assert {"auto", "onnx", *found} == set(ENGINES)
    assert found["cpu"] == f"ONNX Runtime {onnxruntime.__version__}"
    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        assert found["cuda"] == "only in the package onnxruntime-gpu"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"shapes": {"text": (1, 300)}}, r"plain_text \(1, 384\), expected \(1, 300\)"),
        ({"shapes": {"score": (1, 4)}}, r"score \(1, 4\), expected \(1, 5\)"),
        ({"shapes": {"guidance": None}}, "guidance is missing, expected"),
        ({"shapes": {"weather": (1, 1)}}, r"weather \(1, 1\), expected nothing of that name"),
        ({"output": "motion"}, "its output is not 'future'"),
    ],
)
def test_weights_made_for_other_inputs_are_said(network: Network, given: dict[str, Any], said: str) -> None:
    with pytest.raises(ModelError, match=f"motion_stream.onnx is no stream model of this version: .*{said}"):
        load_sampler(network(**given), engine="cpu")


def test_weights_that_are_no_weights_are_said(network: Network, tmp_path: Path) -> None:
    path = network()
    for name, said in (
        ("motion_nothing", "motion weights .*motion_nothing.onnx: no such file; in that folder: "),
        (tmp_path / "run", "Give a name that ships, a folder"),
        (tmp_path / "base.pt", "are a checkpoint, for training to go on from; give the .onnx"),
    ):
        with pytest.raises(ModelError, match=said):
            load_sampler(name)
    with pytest.raises(ModelError, match="motion_stream_guided.onnx: no such file; in that folder: motion_stream"):
        load_sampler(path, guided=True)
    for content in (b"", b"<html>404</html>", path.read_bytes()[:100]):
        path.write_bytes(content)
        with pytest.raises(ModelError, match=rf"motion_stream\.onnx \({len(content)} bytes\) is no network") as caught:
            load_sampler(path, engine="cpu")
        assert "\n" not in str(caught.value)


@pytest.fixture(scope="module")
def trained_like(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both graphs of a small stream model with random weights, a lively one: a fresh one predicts the mean motion."""
    torch = pytest.importorskip("torch", reason="torch is installed by the first command that trains")
    from fitmotion_models.motion.stream_network import StreamConfig, StreamNetwork
    from fitmotion_models.training.motion_export import export_sampler

    torch.manual_seed(0)
    made = StreamNetwork(StreamConfig(width=32, layers=1, heads=2, root_width=16, root_layers=1, root_heads=2, steps=2))
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=parameter.shape[-1] ** -0.5)
    torch.nn.init.normal_(made.mean)
    torch.nn.init.uniform_(made.deviation, 0.2, 1.0)
    folder = tmp_path_factory.mktemp("weights")
    for guided in (False, True):
        name = "motion_stream_guided" if guided else "motion_stream"
        export_sampler(made.eval(), folder / f"{name}.onnx", guided=guided, metadata={})
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("guided", [False, True])
def test_torch_and_onnx_runtime_give_the_same_motion(trained_like: Path, guided: bool) -> None:
    first = load_sampler(trained_like, engine="cpu", guided=guided)
    second = load_sampler(trained_like, engine="torch", guided=guided)
    assert second.engine_name == "torch"
    for seed, has_history in enumerate((True, True, False)):
        asked = chunk(seed, has_history=has_history)
        one, other = first(asked), second(asked)
        assert one.std(axis=0).mean() > 0.05  # frames differ, so that equal ones say something
        np.testing.assert_allclose(other, one, atol=1e-4)
        apart = np.linalg.norm(body_of(one).positions - body_of(other).positions, axis=-1)
        assert apart.max() < 1e-3


@pytest.mark.slow
def test_what_torch_cannot_run_is_said(network: Network, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="torch is installed by the first command that trains")
    path = network()
    with pytest.raises(
        ModelError, match=r"'weather' must be float32 of a fixed shape for the torch engine; got \(None, 1\)"
    ):
        load_sampler(network("free.onnx", shapes={"weather": ("n", 1)}), engine="torch")
    model = onnx.load(str(path))
    model.graph.node[0].op_type = "Mod"
    onnx.save(model, path)
    with pytest.raises(ModelError, match="the torch engine knows no operator Mod; known: Add, Concat"):
        load_sampler(path, engine="torch")
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ModelError, match=r"\(100 bytes\) is no network that onnx can read"):
        load_sampler(path, engine="torch")
