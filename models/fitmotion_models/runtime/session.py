"""One inference type over ONNX Runtime: TensorRT where there is one, else CUDA, else the CPU, and it says which."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from fitmotion_models.runtime.engines import (
    AUTO,
    CPU,
    Engine,
    cache_folder,
    provider_options,
    wanted_engines,
)

Array = NDArray[Any]

_FATAL_ONLY = 4  # ONNX Runtime's own log: what goes wrong is said by us, in one line
_DTYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(int8)": np.int8,
    "tensor(uint8)": np.uint8,
    "tensor(bool)": np.bool_,
}


class ModelError(ValueError):
    """A network that cannot be used as it is; the text is one sentence for the person who gave it."""


@dataclass(frozen=True)
class Tensor:
    """An input or output of a network. shape: None where the size is free. dtype: numpy's."""

    name: str
    shape: tuple[int | None, ...]
    dtype: np.dtype[Any]


class Model:
    """A loaded network.

    path: its file. engine: what runs it, for logs and diagnostics, for instance "ONNX Runtime 1.31.1, CPU, 1 thread".
    engine_name: "tensorrt", "cuda" or "cpu". passed_over: why a better engine was not taken, one sentence each.
    inputs, outputs: by their order in the file. metadata: what the file says of itself.
    """

    def __init__(self, path: Path, session: Any, engine: Engine, detail: str, passed_over: tuple[str, ...]) -> None:
        """detail: how the engine runs it, for logs."""
        self.path = path
        self.engine_name = engine.name
        self.engine = f"ONNX Runtime {onnxruntime.__version__}, {engine.label}{detail}"
        self.passed_over = passed_over
        self.inputs = tuple(_tensor(item) for item in session.get_inputs())
        self.outputs = tuple(_tensor(item) for item in session.get_outputs())
        self.metadata: dict[str, str] = dict(session.get_modelmeta().custom_metadata_map)
        self._session = session
        self._by_name = {tensor.name: tensor for tensor in self.inputs}
        self._output_names = [tensor.name for tensor in self.outputs]

    def run(self, arrays: Mapping[str, Array]) -> dict[str, Array]:
        """All outputs by name for all inputs by name. May be called from several threads.

        Raises ModelError for a missing, unknown, wrongly shaped or wrongly typed input and when the engine fails.
        """
        check_inputs(self.path.name, self._by_name, arrays)
        try:
            found = self._session.run(self._output_names, dict(arrays))
        except Exception as error:  # of ONNX Runtime's many kinds, none of them with a base of its own
            raise ModelError(f"{self.path.name} failed on {self.engine}: {_one_line(error)}") from error
        return dict(zip(self._output_names, found, strict=True))


def check_inputs(file: str, wanted: Mapping[str, Tensor], arrays: Mapping[str, Array]) -> None:
    """Raise ModelError for a missing, unknown, wrongly shaped or wrongly typed input of a network. file: its name."""
    if arrays.keys() != wanted.keys():
        raise ModelError(f"{file} takes {_named(wanted)}; got {_named(arrays)}")
    for name, array in arrays.items():
        tensor = wanted[name]
        fits = len(array.shape) == len(tensor.shape) and all(
            size is None or size == got for size, got in zip(tensor.shape, array.shape, strict=True)
        )
        if not fits or array.dtype != tensor.dtype:
            shape = ", ".join("any" if size is None else str(size) for size in tensor.shape)
            raise ModelError(
                f"{file}: input '{tensor.name}' must be ({shape}) {tensor.dtype}; got {array.shape} {array.dtype}"
            )


def _named(names: Mapping[str, Any]) -> str:
    return ", ".join(f"'{name}'" for name in names) or "nothing"


def load_model(
    path: str | Path,
    *,
    providers: str | Sequence[str] = AUTO,
    threads: int = 1,
    shapes: Mapping[str, Sequence[int]] | None = None,
    cache: Path | None = None,
    precise: bool = False,
) -> Model:
    """Load an ONNX file on the best engine there is.

    providers: "auto" (TensorRT fp16, CUDA, CPU), one of "tensorrt", "cuda", "cpu", or several in order; where one
    cannot be had the next one is taken, the CPU last, and `Model.passed_over` says why. threads: of the CPU.
    shapes: input name -> its whole shape, to fix sizes that the file leaves free: TensorRT then builds one engine, and
    every engine plans its memory once. cache: folder for TensorRT's built engines, else `engines.cache_folder()`.
    precise: single precision without TF32 on every engine, where GPUs are left to use less otherwise.
    Raises FileNotFoundError, ModelError for a file that is no network, ValueError for an unknown engine.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise FileNotFoundError(f"model {path}: no such file; give the path of an .onnx file")
    if threads < 1:
        raise ValueError(f"threads={threads}: at least 1 is needed")
    options = _session_options(threads)
    if shapes:
        _fix_shapes(options, path, shapes)
    passed_over: list[str] = []
    for engine in wanted_engines(providers):
        session = _open(path, engine, options, cache or cache_folder(), precise, passed_over)
        if session is not None:
            return Model(path, session, engine, _detail(engine, threads, precise), tuple(passed_over))
    raise AssertionError("the CPU either opens a network or says why not")


def _detail(engine: Engine, threads: int, precise: bool) -> str:
    if engine is CPU:
        return f", {threads} thread{'s' * (threads != 1)}"
    if precise:
        return " fp32"
    return " fp16" if engine.name == "tensorrt" else ""


def _session_options(threads: int) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _FATAL_ONLY
    # waiting threads would keep cores busy that the other processes of a graph need
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _fix_shapes(options: Any, path: Path, shapes: Mapping[str, Sequence[int]]) -> None:
    """Give the free sizes of a network's inputs their values; raises ModelError where they do not fit."""
    reading = _session_options(1)
    reading.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    inputs = {item.name: item.shape for item in _open_on_cpu(path, reading).get_inputs()}
    for name, shape in shapes.items():
        stated = inputs.get(name)
        if stated is None or len(stated) != len(shape):
            known = "; ".join(f"'{key}' {value}" for key, value in inputs.items())
            raise ModelError(f"{path.name}: input '{name}' of shape {tuple(shape)} does not fit; it has: {known}")
        for size, wanted in zip(stated, shape, strict=True):
            if isinstance(size, str):
                options.add_free_dimension_override_by_name(size, int(wanted))


def _open(path: Path, engine: Engine, options: Any, cache: Path, precise: bool, passed_over: list[str]) -> Any | None:
    """A session on this very engine, or None with the reason added to `passed_over`; raises ModelError on the CPU."""
    if engine is CPU:
        return _open_on_cpu(path, options)
    if engine.provider not in onnxruntime.get_available_providers():
        passed_over.append(f"{engine.label}: this ONNX Runtime has it not; the package {engine.package} has")
        return None
    # libraries of NVIDIA's own Python packages are found by no search path
    preload = getattr(onnxruntime, "preload_dlls", None)
    if preload is not None:
        preload()
    try:
        chosen = provider_options(engine, path, cache, precise=precise)
        session = onnxruntime.InferenceSession(str(path), options, providers=[(engine.provider, chosen), CPU.provider])
    except Exception as error:  # whatever keeps one engine from starting, the next one may do
        passed_over.append(f"{engine.label}: {_one_line(error)}")
        return None
    if session.get_providers()[0] != engine.provider:  # ONNX Runtime goes on with the CPU of its own accord
        passed_over.append(f"{engine.label}: its libraries cannot be loaded; `./fitmotion doctor` says more")
        return None
    return session


def _open_on_cpu(path: Path, options: Any) -> Any:
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=[CPU.provider])
    except Exception as error:  # of ONNX Runtime's many kinds, none of them with a base of its own
        raise ModelError(
            f"model {path} ({path.stat().st_size} bytes) is no network that ONNX Runtime {onnxruntime.__version__} can "
            f"run: {_one_line(error)}; is the download complete, and the file an .onnx file?"
        ) from error


def _tensor(item: Any) -> Tensor:
    shape = tuple(size if isinstance(size, int) else None for size in item.shape)
    if item.type not in _DTYPES:
        raise ModelError(f"tensor '{item.name}' is {item.type}; known: {', '.join(_DTYPES)}")
    return Tensor(item.name, shape, np.dtype(_DTYPES[item.type]))


def _one_line(error: Exception) -> str:
    """The engine's own words without its line breaks and codes."""
    text = " ".join(str(error).split())
    return text.removeprefix("[ONNXRuntimeError] : ")[:300]
