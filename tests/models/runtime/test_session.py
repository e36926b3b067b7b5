"""A network on the engines that this machine has, and what is said of those that it has not."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from fitmotion_models.runtime import ModelError, load_model
from fitmotion_models.runtime.engines import CPU, ENGINES, engine_folder, provider_options, wanted_engines

MATRIX = np.arange(12, dtype=np.float32).reshape(3, 4)  # of the fixture matrix_network
ONLY_CPU = not {"CUDAExecutionProvider", "TensorrtExecutionProvider"} & set(onnxruntime.get_available_providers())


def test_a_network_gives_what_numpy_gives(matrix_network: Path) -> None:
    model = load_model(matrix_network, providers="cpu", threads=2)
    for rows in (1, 5):
        x = np.random.default_rng(rows).normal(size=(rows, 3)).astype(np.float32)
        found = model.run({"x": x})
        np.testing.assert_allclose(found["y"], x @ MATRIX, rtol=1e-5)
        assert found["total"] == pytest.approx(x.sum(), abs=1e-5)
    assert [(item.name, item.shape, item.dtype) for item in model.inputs] == [("x", (None, 3), np.float32)]
    assert [item.name for item in model.outputs] == ["y", "total"]
    assert model.metadata == {"trained_on": "nothing"}
    assert model.engine == f"ONNX Runtime {onnxruntime.__version__}, CPU, 2 threads"
    assert model.passed_over == ()


def test_free_sizes_can_be_fixed(matrix_network: Path) -> None:
    model = load_model(matrix_network, providers="cpu", shapes={"x": (2, 3)})
    assert model.inputs[0].shape == (2, 3) and model.outputs[0].shape == (2, 4)
    np.testing.assert_allclose(model.run({"x": np.ones((2, 3), np.float32)})["y"], np.ones((2, 3)) @ MATRIX)
    with pytest.raises(ModelError, match=r"input 'x' must be \(2, 3\) float32; got \(5, 3\) float32"):
        model.run({"x": np.ones((5, 3), np.float32)})
    with pytest.raises(ModelError, match="input 'image' of shape .* does not fit; it has: 'x'"):
        load_model(matrix_network, shapes={"image": (2, 3)})


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({}, "takes 'x'; got nothing"),
        ({"y": np.ones((1, 3), np.float32)}, "takes 'x'; got 'y'"),
        ({"x": np.ones((1, 4), np.float32)}, r"must be \(any, 3\) float32; got \(1, 4\) float32"),
        ({"x": np.ones((1, 3))}, "got .* float64"),
    ],
)
def test_wrong_inputs_are_said(matrix_network: Path, arrays: dict[str, Any], said: str) -> None:
    with pytest.raises(ModelError, match=said):
        load_model(matrix_network, providers="cpu").run(arrays)


def test_files_that_cannot_be_used_are_said(tmp_path: Path, matrix_network: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"none\.onnx: no such file"):
        load_model(tmp_path / "none.onnx")
    broken = tmp_path / "broken.onnx"
    for content in (b"", b"<html>404</html>", matrix_network.read_bytes()[:60]):
        broken.write_bytes(content)
        with pytest.raises(ModelError, match=rf"broken\.onnx \({len(content)} bytes\) is no network") as caught:
            load_model(broken)
        assert "\n" not in str(caught.value)
    with pytest.raises(ValueError, match="engine npu; known: auto, tensorrt, cuda, cpu"):
        load_model(matrix_network, providers="npu")
    with pytest.raises(ValueError, match="threads=0"):
        load_model(matrix_network, threads=0)


def test_engines_are_tried_in_order_and_the_cpu_is_the_last() -> None:
    assert [engine.name for engine in wanted_engines("auto")] == ["tensorrt", "cuda", "cpu"]
    assert [engine.name for engine in wanted_engines("cuda")] == ["cuda", "cpu"]
    assert [engine.name for engine in wanted_engines(("cuda", "tensorrt"))] == ["cuda", "tensorrt", "cpu"]
    known = set(onnxruntime.get_all_providers())  # of every build, this one or another
    assert {engine.provider for engine in ENGINES} <= known


@pytest.mark.skipif(not ONLY_CPU, reason="this machine's ONNX Runtime has a GPU engine")
def test_an_engine_that_is_not_there_is_passed_over_with_the_reason(matrix_network: Path) -> None:
    model = load_model(matrix_network, providers="cuda")
    assert model.engine_name == "cpu"
    assert model.passed_over == ("CUDA: this ONNX Runtime has it not; the package onnxruntime-gpu has",)
    assert len(load_model(matrix_network).passed_over) == 2


def test_an_engine_that_does_not_start_is_passed_over_with_the_reason(matrix_network, tmp_path, monkeypatch) -> None:
    real, tried = onnxruntime.InferenceSession, []

    def session(path: str, options: Any, providers: list[Any]) -> Any:
        if providers[0] == CPU.provider:
            return real(path, options, providers=providers)
        tried.append(providers[0])
        if providers[0][0] == "TensorrtExecutionProvider":
            raise RuntimeError("[ONNXRuntimeError] : 1 : FAIL : no\nlibnvinfer.so.10")
        return real(path, options, providers=[CPU.provider])  # as ONNX Runtime does without CUDA's libraries

    monkeypatch.setattr(onnxruntime, "InferenceSession", session)
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [engine.provider for engine in ENGINES])
    model = load_model(matrix_network, cache=tmp_path)
    assert model.engine_name == "cpu"
    assert "TensorRT: 1 : FAIL : no libnvinfer.so.10" in model.passed_over[0]
    assert "CUDA: its libraries cannot be loaded" in model.passed_over[1]
    options = tried[0][1]
    assert options["trt_fp16_enable"] and Path(options["trt_engine_cache_path"]).is_dir()


def test_another_network_of_the_same_name_gets_engines_of_its_own(matrix_network: Path, tmp_path: Path) -> None:
    before = engine_folder(matrix_network, tmp_path)
    assert before == engine_folder(matrix_network, tmp_path)
    matrix_network.write_bytes(matrix_network.read_bytes() + b"\0")
    assert before != engine_folder(matrix_network, tmp_path)
    assert provider_options(CPU, matrix_network, tmp_path) == {}
