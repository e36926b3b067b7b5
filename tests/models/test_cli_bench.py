"""`fitmotion bench generate` on a network written here: what it prints, and what it says where it can't run."""

import json

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from fitmotion_models.cli_bench import bench_generate
from fitmotion_models.evaluation import generate_bench
from fitmotion_models.evaluation.generate_peers import (
    FEATURES,
    FRAMES,
    MDM,
    MDM_TEXT,
    MOTION_LCM,
    MOTION_LCM_LATENT,
    MOTION_LCM_TEXT,
    write_mdm,
    write_motion_lcm,
)
from fitmotion_models.motion.features import LAYOUT
from fitmotion_models.motion.sampler import input_shapes
from fitmotion_models.motion.standing import standing_features

onnx = pytest.importorskip("onnx")

app = typer.Typer()
app.command()(bench_generate)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A body that stands, whatever is asked for."""
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        [helper.make_node("Mul", ["noise", "none"], ["still"]), helper.make_node("Add", ["still", "pose"], ["future"])],
        "standing",
        [helper.make_tensor_value_info(name, kind, (1, *shape)) for name, shape in input_shapes(384).items()],
        [helper.make_tensor_value_info("future", kind, (1, 20, LAYOUT.size))],
        [
            onnx.numpy_helper.from_array(standing_features(20)[None].astype(np.float32), "pose"),
            onnx.numpy_helper.from_array(np.zeros(1, np.float32), "none"),
        ],
    )
    folder = tmp_path_factory.mktemp("weights")
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    onnx.save(model, folder / "motion_stream.onnx")
    return folder


@pytest.fixture
def few(monkeypatch):
    """Everything once or twice."""
    for name in ("_PROCESSES", "_CLIPS", "_PEER_RUNS"):
        monkeypatch.setattr(generate_bench, name, 1)
    for name in ("_CHUNKS", "_PROMPTS", "_SECONDS"):
        monkeypatch.setattr(generate_bench, name, 2)


@pytest.mark.slow
def test_the_report_has_what_is_promised(weights, few):
    from fitmotion_models.motion.length import load_length_model

    try:
        load_length_model()
    except ValueError as error:
        pytest.skip(str(error))
    found = CliRunner().invoke(app, ["--json", "--weights", str(weights), "--engine", "cpu", "--no-peers"])
    assert found.exit_code == 0, found.output
    report = json.loads(found.stdout)
    assert report["engine"].startswith("ONNX Runtime") and report["all_steps"] is None
    # a process that loads the text encoder (90 MB) has more in memory than an empty Python
    assert 60.0 < report["memory_mb"] < 2000.0
    assert 0.05 < report["cold_start_s"] < 60.0
    for name in ("chunk_ms", "played_second_ms"):
        assert 0.0 < report[name]["p50"] <= report[name]["p95"]
    # a second holds two chunks or more; a clip of 6 s six of them
    assert report["played_second_ms"]["p50"] > report["chunk_ms"]["p50"]
    assert report["clip_6s_s"] * 1e3 > report["chunk_ms"]["p50"]
    assert report["first_frame_ms"] > 0.0
    assert "peer_mdm50_onnx_s_per_motion_s" not in report
    assert "cold start" in generate_bench.as_text(report)


@pytest.mark.slow
def test_peers_are_timed_by_turns_with_ours(weights, few, monkeypatch):
    from fitmotion_models.motion.sampler import load_sampler
    from fitmotion_models.motion.text import load_text_encoder

    monkeypatch.setattr(generate_bench, "MDM_STEPS", 2)
    options = generate_bench.BenchOptions(weights=str(weights), engine="cpu", threads=1)
    steps = generate_bench._Steps(None, 2)
    report = generate_bench._beside_peers(load_sampler(weights, engine="cpu"), load_text_encoder(), options, steps)
    ours, mdm = report["ours_s_per_motion_s"], report["peer_mdm50_onnx_s_per_motion_s"]
    assert report["speed_ratio"] == pytest.approx(mdm / ours, rel=0.1)
    assert report["motionlcm_v2_clip_9_8s_ms"] == pytest.approx(
        report["peer_motionlcm_v2_onnx_s_per_motion_s"] * 9800.0, rel=0.02
    )
    assert mdm > ours


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--engine", "cuda"], "engine 'cuda' cannot be had here"),
        (["--engine", "tensorrt"], "TensorRT"),
        (["--engine", "gpu"], "engine 'gpu' unknown; known: auto"),
        (["--weights", "none_such"], "no such file"),
    ],
)
def test_what_cannot_be_measured_is_said_in_one_sentence(weights, words, said):
    given = words if "--weights" in words else [*words, "--weights", str(weights)]
    found = CliRunner().invoke(app, ["--no-peers", *given])
    assert found.exit_code == 2 and said in found.stderr and found.stderr.count("\n") == 1
    assert found.stdout == ""


def test_prompts_differ_all():
    texts = [*generate_bench._prompts(60), *generate_bench._prompts(60, start=1000)]
    assert len(set(texts)) == 120


def transformer(size, decoder=False):
    """Numbers in a layer, as in Vaswani et al. 2017: projections, feed-forward, norms; a decoder attends twice."""
    attention = 4 * size.width * (size.width + 1)
    feed_forward = 2 * size.width * size.feed_forward + size.width + size.feed_forward
    return (1 + decoder) * attention + feed_forward + 2 * (2 + decoder) * size.width


@pytest.mark.slow
def test_peers_have_their_published_sizes(tmp_path):
    """As many weights as their layers have by their papers; guidance is linear in its weight."""
    import onnxruntime

    def numbers(path):
        return sum(int(np.prod(one.dims)) for one in onnx.load(str(path)).graph.initializer if one.data_type == 1)

    width = MDM.width
    mdm = write_mdm(tmp_path / "mdm.onnx")
    ends = (FEATURES + 1) * width + (width + 1) * FEATURES + (MDM_TEXT + 1) * width + 2 * (width + 1) * width
    assert numbers(mdm) == pytest.approx(8 * transformer(MDM) + ends + (FRAMES + 1) * width, rel=1e-4)
    lcm = write_motion_lcm(tmp_path / "lcm.onnx")
    width, (tokens, latent) = MOTION_LCM.width, MOTION_LCM_LATENT
    skips = 2 * 4 * (2 * width + 1) * width
    ends = 2 * (latent + 1) * width + (width + 1) * latent + 2 * (MOTION_LCM_TEXT + 1) * width + (width + 1) * width
    ends += (width + 1) * FEATURES + (tokens + 2 + FRAMES) * width + 4 * width
    layers = 9 * (transformer(MOTION_LCM) + transformer(MOTION_LCM, decoder=True))
    assert numbers(lcm) == pytest.approx(layers + skips + ends, rel=1e-4)
    session = onnxruntime.InferenceSession(str(mdm), providers=["CPUExecutionProvider"])
    random = np.random.default_rng(1)
    given = {one.name: random.standard_normal(one.shape).astype(np.float32) for one in session.get_inputs()}
    none, one, two = (
        session.run(None, given | {"guidance": np.array([weight], np.float32)})[0] for weight in (0.0, 1.0, 2.0)
    )
    assert none.shape == (1, FRAMES, FEATURES)
    assert two - one == pytest.approx(one - none, abs=1e-4) and np.abs(one - none).max() > 1e-3
