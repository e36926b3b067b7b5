"""Networks on TensorRT itself: an engine is built from the ONNX file once, kept on disk, and called on a CUDA stream.

Written against the documented API of TensorRT 10 and 11 (docs.nvidia.com/deeplearning/tensorrt, "Python API") and of
CUDA Python 13 (`cuda.bindings.runtime`). Neither is installed with FitMotion: on a workstation that has them,
`./fitmotion doctor` says so and `./fitmotion bench generate --engine tensorrt` builds, compares and times.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.runtime.engines import cache_folder, file_digest
from fitmotion_models.runtime.session import ModelError, Tensor, check_inputs

Array = NDArray[Any]

HOW_TO_INSTALL = "pip install tensorrt-cu13 cuda-bindings, or the container's TensorRT"


class _Libraries(NamedTuple):
    """trt: the module tensorrt. cuda: cuda.bindings.runtime."""

    trt: Any
    cuda: Any


class _Buffer(NamedTuple):
    """An input or output. address: of its memory on the GPU."""

    tensor: Tensor
    address: int
    size: int
    is_input: bool


class TensorRtEngine:
    """A loaded network; the same surface as `session.Model`.

    engine: for instance "TensorRT 11.4.0, NVIDIA H200, fp32". engine_name: "tensorrt".
    """

    engine_name = "tensorrt"
    passed_over: tuple[str, ...] = ()

    def __init__(self, path: Path, plan: bytes, libraries: _Libraries, gpu: str, metadata: dict[str, str]) -> None:
        """plan: the engine as TensorRT wrote it. Raises ModelError where TensorRT does not take it."""
        trt, self._cuda = libraries
        self.path, self.metadata = path, metadata
        self.engine = f"TensorRT {trt.__version__}, {gpu}, fp32"
        self._runtime = trt.Runtime(trt.Logger(trt.Logger.ERROR))  # is to live as long as its engines
        self._loaded = self._runtime.deserialize_cuda_engine(plan)
        if self._loaded is None:
            raise ModelError(f"{path.name}: TensorRT {trt.__version__} does not take the engine that it built")
        self._context = self._loaded.create_execution_context()
        self._stream = _called(self._cuda, self._cuda.cudaStreamCreate())
        self._buffers = [
            self._buffer(trt, self._loaded.get_tensor_name(index)) for index in range(self._loaded.num_io_tensors)
        ]
        self.inputs = tuple(buffer.tensor for buffer in self._buffers if buffer.is_input)
        self.outputs = tuple(buffer.tensor for buffer in self._buffers if not buffer.is_input)
        self._lock = threading.Lock()  # one context runs one call at a time

    def _buffer(self, trt: Any, name: str) -> _Buffer:
        shape = tuple(int(size) for size in self._loaded.get_tensor_shape(name))
        if self._loaded.get_tensor_dtype(name) != trt.DataType.FLOAT or min(shape, default=1) < 0:
            raise ModelError(f"{self.path.name}: '{name}' must be float32 of a fixed shape for TensorRT; got {shape}")
        size = int(np.prod(shape)) * np.dtype(np.float32).itemsize
        address = int(_called(self._cuda, self._cuda.cudaMalloc(size)))
        self._context.set_tensor_address(name, address)
        is_input = self._loaded.get_tensor_mode(name) == trt.TensorIOMode.INPUT
        return _Buffer(Tensor(name, shape, np.dtype(np.float32)), address, size, is_input)

    def run(self, arrays: Mapping[str, Array]) -> dict[str, Array]:
        """All outputs by name for all inputs by name. May be called from several threads.

        Raises ModelError for a missing, unknown, wrongly shaped or wrongly typed input and when the GPU fails.
        """
        check_inputs(self.path.name, {tensor.name: tensor for tensor in self.inputs}, arrays)
        cuda = self._cuda
        given = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
        found: dict[str, Array] = {}
        with self._lock:
            for buffer in self._buffers:
                if buffer.is_input:
                    self._copy(buffer.address, given[buffer.tensor.name].ctypes.data, buffer.size, to_gpu=True)
            if not self._context.execute_async_v3(self._stream):
                raise ModelError(f"{self.path.name} failed on {self.engine}")
            for buffer in self._buffers:
                if not buffer.is_input:
                    array = np.empty([size or 0 for size in buffer.tensor.shape], np.float32)
                    self._copy(array.ctypes.data, buffer.address, buffer.size, to_gpu=False)
                    found[buffer.tensor.name] = array
            _called(cuda, cuda.cudaStreamSynchronize(self._stream))
        return found

    def _copy(self, target: int, source: int, size: int, *, to_gpu: bool) -> None:
        kinds = self._cuda.cudaMemcpyKind
        kind = kinds.cudaMemcpyHostToDevice if to_gpu else kinds.cudaMemcpyDeviceToHost
        _called(self._cuda, self._cuda.cudaMemcpyAsync(target, source, size, kind, self._stream))

    def close(self) -> None:
        """Give the GPU's memory back; the network cannot be run after it."""
        for buffer in self._buffers:
            self._cuda.cudaFree(buffer.address)
        self._buffers = []
        self._cuda.cudaStreamDestroy(self._stream)


def load_tensorrt(path: str | Path, *, cache: Path | None = None) -> TensorRtEngine:
    """Load an ONNX file of fixed shapes on TensorRT, single precision, TF32 off.

    The engine is built on the first call, which takes up to minutes, and kept for this network, this TensorRT and this
    GPU. cache: folder of built engines, else `engines.cache_folder()`. Raises FileNotFoundError; ModelError where
    TensorRT, CUDA Python or a GPU is missing, and for a network that TensorRT cannot build.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise FileNotFoundError(f"model {path}: no such file; give the path of an .onnx file")
    libraries = _libraries()
    gpu = _gpu(libraries.cuda)
    name = f"{path.stem}-{file_digest(path)}-trt{libraries.trt.__version__}-{re.sub(r'[^A-Za-z0-9.-]+', '_', gpu)}"
    kept = (cache or cache_folder()) / "engines" / f"{name}.plan"
    if not kept.is_file():
        kept.parent.mkdir(parents=True, exist_ok=True)
        partial = kept.with_name(f"{kept.name}.{os.getpid()}.part")
        partial.write_bytes(build_plan(path, libraries.trt))
        partial.replace(kept)
    return TensorRtEngine(path, kept.read_bytes(), libraries, gpu, _metadata(path))


def available() -> str:
    """What there is to run TensorRT with, in words. Raises ModelError with what is missing."""
    libraries = _libraries()
    return f"TensorRT {libraries.trt.__version__}, {_gpu(libraries.cuda)}"


def build_plan(path: Path, trt: Any) -> bytes:
    """An engine of an ONNX file, as TensorRT writes it. Raises ModelError where it cannot be built."""
    logger = trt.Logger(trt.Logger.ERROR)
    builder = trt.Builder(logger)
    network = builder.create_network(0)
    parser = trt.OnnxParser(network, logger)
    if not parser.parse_from_file(str(path)):
        said = "; ".join(parser.get_error(index).desc() for index in range(parser.num_errors))
        raise ModelError(f"{path.name}: TensorRT {trt.__version__} cannot read this network: {said}")
    config = builder.create_builder_config()
    # the prediction of one chunk is the history of the next, so that rounding adds up
    config.clear_flag(trt.BuilderFlag.TF32)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise ModelError(f"{path.name}: TensorRT {trt.__version__} cannot build an engine; its log above says why")
    return bytes(plan)


def _libraries() -> _Libraries:
    try:
        import tensorrt
        from cuda.bindings import runtime
    except Exception as error:  # besides ImportError the bindings raise what loading a library raises
        said = " ".join(str(error).split())
        raise ModelError(f"TensorRT cannot be used here: {said}; {HOW_TO_INSTALL}, or use the engine 'auto'") from error
    return _Libraries(tensorrt, runtime)


def _gpu(cuda: Any) -> str:
    """Name of the first GPU."""
    try:
        if not _called(cuda, cuda.cudaGetDeviceCount()):
            raise ModelError("TensorRT: this machine has no NVIDIA GPU; use the engine 'cpu'")
        name = _called(cuda, cuda.cudaGetDeviceProperties(0)).name
    except ModelError:
        raise
    except Exception as error:  # CUDA Python's own where there is no driver
        raise ModelError(f"TensorRT: no NVIDIA driver here ({error}); use the engine 'cpu'") from error
    return (name.decode() if isinstance(name, bytes) else str(name)).strip("\0 ")


def _called(cuda: Any, returned: tuple[Any, ...]) -> Any:
    """What a function of CUDA returned beside its status; raises ModelError for any status but success."""
    status, *values = returned
    if status != cuda.cudaError_t.cudaSuccess:
        raise ModelError(f"CUDA failed: {getattr(status, 'name', status)}; `nvidia-smi` says what the GPU is doing")
    return values[0] if values else None


def _metadata(path: Path) -> dict[str, str]:
    """What the file says of itself, which the built engine does not keep."""
    from fitmotion_models.runtime.session import load_model

    return load_model(path, providers="cpu").metadata
