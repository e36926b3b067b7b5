"""TensorRT's engine: on a stand-in for the GPU, and its names and signatures against the real bindings if they import.

The bindings alone (tensorrt-cu13-bindings, 1.3 MB, beside TensorRT's libraries) are enough for the latter.
"""

import ast
import ctypes
import importlib
import inspect
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from fitmotion_models.runtime import ModelError, tensorrt_engine
from fitmotion_models.runtime.tensorrt_engine import available, load_tensorrt

MATRIX = np.arange(12, dtype=np.float32).reshape(3, 4)  # of the fixture matrix_network
SHAPES = {"x": (2, 3), "y": (2, 4)}


class Gpu:
    """Memory by address, in the host's own; execution at once. Functions return their status first, as CUDA's do."""

    def __init__(self) -> None:
        self.held: dict[int, Any] = {}
        self.cudaError_t = SimpleNamespace(cudaSuccess=0)
        self.cudaMemcpyKind = SimpleNamespace(cudaMemcpyHostToDevice=1, cudaMemcpyDeviceToHost=2)
        self.devices = 1

    def cudaGetDeviceCount(self) -> tuple[int, int]:  # noqa: N802  CUDA's names
        return 0, self.devices

    def cudaGetDeviceProperties(self, device: int) -> tuple[int, Any]:  # noqa: N802
        return 0, SimpleNamespace(name=b"Some GPU/1\0\0")

    def cudaStreamCreate(self) -> tuple[int, int]:  # noqa: N802
        return 0, 77

    def cudaMalloc(self, size: int) -> tuple[int, int]:  # noqa: N802
        memory = ctypes.create_string_buffer(size)
        self.held[ctypes.addressof(memory)] = memory
        return 0, ctypes.addressof(memory)

    def cudaMemcpyAsync(self, target: int, source: int, size: int, kind: int, stream: int) -> tuple[int]:  # noqa: N802
        assert stream == 77 and (target if kind == 1 else source) in self.held
        ctypes.memmove(target, source, size)
        return (0,)

    def cudaStreamSynchronize(self, stream: int) -> tuple[int]:  # noqa: N802
        return (0,)

    def cudaFree(self, address: int) -> tuple[int]:  # noqa: N802
        del self.held[address]
        return (0,)

    def cudaStreamDestroy(self, stream: int) -> tuple[int]:  # noqa: N802
        return (0,)


class Context:
    """Computes y = x @ MATRIX between the addresses it was told."""

    def __init__(self) -> None:
        self.addresses: dict[str, int] = {}

    def set_tensor_address(self, name: str, memory: int) -> bool:
        self.addresses[name] = memory
        return True

    def execute_async_v3(self, stream_handle: int) -> bool:
        arrays = {
            name: np.ctypeslib.as_array((ctypes.c_float * int(np.prod(shape))).from_address(self.addresses[name]))
            for name, shape in SHAPES.items()
        }
        arrays["y"][:] = (arrays["x"].reshape(SHAPES["x"]) @ MATRIX).ravel()
        return True


def tensorrt_stand_in(built: list[str], *, readable: bool = True) -> ModuleType:
    trt = ModuleType("tensorrt")
    trt.__version__ = "11.4.0"
    trt.Logger = lambda level: None
    trt.Logger.ERROR = 1
    trt.BuilderFlag = SimpleNamespace(TF32="tf32")
    trt.DataType = SimpleNamespace(FLOAT="float")
    trt.TensorIOMode = SimpleNamespace(INPUT="input", OUTPUT="output")
    cleared: list[str] = []

    def parse(model: str) -> bool:
        built.append(model)
        return readable

    trt.OnnxParser = lambda network, logger: SimpleNamespace(
        parse_from_file=parse, num_errors=1, get_error=lambda index: SimpleNamespace(desc=lambda: "no such operator")
    )
    trt.Builder = lambda logger: SimpleNamespace(
        create_network=lambda flags: "network",
        create_builder_config=lambda: SimpleNamespace(clear_flag=cleared.append),
        build_serialized_network=lambda network, config: b"plan" if cleared == ["tf32"] else None,
    )
    engine = SimpleNamespace(
        num_io_tensors=2,
        get_tensor_name=lambda index: list(SHAPES)[index],
        get_tensor_shape=lambda name: SHAPES[name],
        get_tensor_dtype=lambda name: "float",
        get_tensor_mode=lambda name: "input" if name == "x" else "output",
        create_execution_context=Context,
    )
    trt.Runtime = lambda logger: SimpleNamespace(
        deserialize_cuda_engine=lambda plan: engine if plan == b"plan" else None
    )
    return trt


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Gpu:
    made = Gpu()
    for name in ("cuda", "cuda.bindings"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    sys.modules["cuda.bindings"].runtime = made
    return made


def test_an_engine_is_built_once_and_run(matrix_network: Path, tmp_path: Path, gpu: Gpu, monkeypatch: Any) -> None:
    built: list[str] = []
    monkeypatch.setitem(sys.modules, "tensorrt", tensorrt_stand_in(built))
    engine = load_tensorrt(matrix_network, cache=tmp_path / "cache")
    x = np.random.default_rng(0).normal(size=(2, 3)).astype(np.float32)
    np.testing.assert_allclose(engine.run({"x": x})["y"], x @ MATRIX, rtol=1e-6)
    turned = np.asfortranarray(2 * x)  # not as C has it in memory
    np.testing.assert_allclose(engine.run({"x": turned})["y"], 2 * x @ MATRIX, rtol=1e-6)
    assert engine.engine == "TensorRT 11.4.0, Some GPU/1, fp32" and engine.engine_name == "tensorrt"
    assert engine.metadata == {"trained_on": "nothing"}
    with pytest.raises(ModelError, match=r"input 'x' must be \(2, 3\) float32; got \(5, 3\) float32"):
        engine.run({"x": np.ones((5, 3), np.float32)})
    engine.close()
    assert not gpu.held
    load_tensorrt(matrix_network, cache=tmp_path / "cache")
    assert built == [str(matrix_network)]
    kept = [path.name for path in (tmp_path / "cache" / "engines").iterdir()]
    assert len(kept) == 1 and kept[0].startswith("matrix-") and kept[0].endswith("-trt11.4.0-Some_GPU_1.plan")
    monkeypatch.setitem(sys.modules, "tensorrt", tensorrt_stand_in(built, readable=False))
    matrix_network.write_bytes(matrix_network.read_bytes() + b"\0")
    with pytest.raises(ModelError, match="cannot read this network: no such operator"):
        load_tensorrt(matrix_network, cache=tmp_path / "cache")


def test_what_is_missing_is_said(matrix_network: Path, tmp_path: Path, gpu: Gpu, monkeypatch: Any) -> None:
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    with pytest.raises(ModelError, match="TensorRT cannot be used here: .*; pip install tensorrt-cu13"):
        load_tensorrt(matrix_network, cache=tmp_path)
    monkeypatch.setitem(sys.modules, "tensorrt", tensorrt_stand_in([]))
    assert available() == "TensorRT 11.4.0, Some GPU/1"
    gpu.devices = 0
    with pytest.raises(ModelError, match="this machine has no NVIDIA GPU; use the engine 'cpu'"):
        available()
    gpu.cudaGetDeviceCount = lambda: (35, None)
    with pytest.raises(ModelError, match="CUDA failed: 35; `nvidia-smi` says"):
        available()
    with pytest.raises(FileNotFoundError, match="none.onnx: no such file"):
        load_tensorrt(tmp_path / "none.onnx")


def real(*names: str) -> ModuleType:
    for name in names:
        try:
            return importlib.import_module(name)
        except Exception as error:  # a library that is missing is no ImportError everywhere
            reason = f"{name} does not import here: {error}"
    pytest.skip(reason)


def attributes_of(name: str) -> set[tuple[str, ...]]:
    """Everything that the module reads of a library: `trt.BuilderFlag.TF32` as ("BuilderFlag", "TF32")."""
    found = set()
    for node in ast.walk(ast.parse(inspect.getsource(tensorrt_engine))):
        chain: list[str] = []
        while isinstance(node, ast.Attribute):
            chain.append(node.attr)
            node = node.value
        last = node.id if isinstance(node, ast.Name) else ""
        if chain and (last == name or chain[-1] in (f"_{name}", name)):
            found.add(tuple(reversed(chain if last == name else chain[:-1])))
    return found - {()}


def test_the_names_are_those_of_the_real_bindings() -> None:
    trt = real("tensorrt", "tensorrt_bindings")
    assert ("BuilderFlag", "TF32") in attributes_of("trt")
    for chain in attributes_of("trt"):
        found: Any = trt
        for part in chain:
            found = getattr(found, part)
    # class -> method -> its parameters after self, as pybind11's signature in the docstring has them
    called = {
        "Builder": {"create_network": ["flags"], "create_builder_config": [], "build_serialized_network": None},
        "IBuilderConfig": {"clear_flag": ["flag"]},
        "OnnxParser": {"parse_from_file": ["model"], "get_error": ["index"], "num_errors": None},
        "Runtime": {"deserialize_cuda_engine": None},
        "ICudaEngine": {
            "create_execution_context": None,
            "num_io_tensors": None,
            "get_tensor_name": ["index"],
            "get_tensor_shape": ["name"],
            "get_tensor_dtype": ["name"],
            "get_tensor_mode": ["name"],
        },
        "IExecutionContext": {"set_tensor_address": ["name", "memory"], "execute_async_v3": ["stream_handle"]},
    }
    for kind, methods in called.items():
        for method, parameters in methods.items():
            signature = getattr(getattr(trt, kind), method).__doc__ or ""
            if parameters is not None:
                given = signature.partition("(")[2].partition(")")[0].split(", ")[1:]
                assert [one.partition(":")[0] for one in given] == parameters, signature


def test_the_names_are_those_of_cuda_python() -> None:
    runtime = real("cuda.bindings.runtime")
    names = attributes_of("cuda")
    assert ("cudaMalloc",) in names
    for chain in names:
        found: Any = runtime
        for part in chain:
            found = getattr(found, part)
    kinds = {"cudaMemcpyHostToDevice", "cudaMemcpyDeviceToHost"}
    assert kinds <= set(runtime.cudaMemcpyKind.__members__)
    for name, count in {
        "cudaMalloc": 1,
        "cudaMemcpyAsync": 5,
        "cudaStreamCreate": 0,
        "cudaGetDeviceProperties": 1,
    }.items():
        signature = getattr(runtime, name).__doc__.partition("(")[2].partition(")")[0]
        assert len([one for one in signature.split(",") if one.strip()]) == count
