"""Networks in torch: an ONNX graph's operators by torch's own, in single precision; on a GPU as one CUDA graph.

For machines that have torch with CUDA and no ONNX Runtime for it. The graph file is the one that ships, so that every
engine computes with the same weights. Needs torch and onnx, which come with what training needs.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.runtime.session import ModelError, Tensor, check_inputs

if TYPE_CHECKING:
    import torch

Array = NDArray[Any]
Value = Any
"""A torch tensor; or a list of whole numbers, which a graph of fixed shapes has only as sizes and places."""

_WARM_UP_RUNS = 3  # before a capture: libraries choose and allocate on the first ones


class _Step(NamedTuple):
    operate: Callable[..., Any]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


class TorchGraph:
    """A loaded network; the same surface as `session.Model`.

    engine: for instance "torch 2.13.0, CPU, 2 threads". engine_name: "torch".
    """

    engine_name = "torch"
    passed_over: tuple[str, ...] = ()

    def __init__(self, path: Path, model: Any, device: torch.device, detail: str) -> None:
        import torch

        self.path = path
        self.engine = f"torch {torch.__version__}, {detail}"
        self._torch, self._device = torch, device
        self.inputs = tuple(_tensor(path, item) for item in model.graph.input)
        self.outputs = tuple(_tensor(path, item) for item in model.graph.output)
        self.metadata: dict[str, str] = {item.key: item.value for item in model.metadata_props}
        self._constants: dict[str, Value] = {}
        self._steps: list[_Step] = []
        with torch.inference_mode():
            self._read(model)
        self._lock = threading.Lock()  # a CUDA graph has one set of inputs
        self._held = {item.name: torch.zeros(_sizes(item), device=device) for item in self.inputs}
        self._replay = self._capture() if device.type == "cuda" else None

    def run(self, arrays: Mapping[str, Array]) -> dict[str, Array]:
        """All outputs by name for all inputs by name. May be called from several threads.

        Raises ModelError for a missing, unknown, wrongly shaped or wrongly typed input.
        """
        check_inputs(self.path.name, {item.name: item for item in self.inputs}, arrays)
        torch = self._torch
        with torch.inference_mode(), self._lock:
            if self._replay is None:
                found = self._forward({name: torch.from_numpy(array) for name, array in arrays.items()})
            else:
                for name, array in arrays.items():
                    self._held[name].copy_(torch.from_numpy(array))
                found = self._replay()
            return {name: value.cpu().numpy().copy() for name, value in found.items()}

    def _read(self, model: Any) -> None:
        """Turn nodes into steps; what depends on no input is computed now, by onnx's own reference operators."""
        from onnx import numpy_helper, shape_inference
        from onnx.reference import ReferenceEvaluator

        inferred = shape_inference.infer_shapes(model, data_prop=True).graph
        sizes = {item.name: _shape(item) for item in (*model.graph.input, *inferred.value_info)}
        constants: dict[str, Array] = {item.name: numpy_helper.to_array(item) for item in model.graph.initializer}
        for node in model.graph.node:
            if node.op_type == "Shape" and None not in sizes.get(node.input[0], (None,)):
                constants[node.output[0]] = np.array(sizes[node.input[0]], np.int64)
            elif all(name in constants or not name for name in node.input):
                needed = {name: constants[name] for name in node.input if name}
                constants.update(zip(node.output, ReferenceEvaluator(node).run(None, needed), strict=True))
            else:
                self._steps.append(self._step(node))
        for name in {name for step in self._steps for name in step.inputs} & constants.keys():
            self._constants[name] = self._value(constants[name])

    def _step(self, node: Any) -> _Step:
        from onnx import helper

        if node.op_type not in OPERATORS:
            raise ModelError(
                f"{self.path.name}: the torch engine knows no operator {node.op_type}; known: "
                f"{', '.join(sorted(OPERATORS))}. Use the engine 'cpu', or export the network with these"
            )
        attributes = {item.name: helper.get_attribute_value(item) for item in node.attribute}
        operate = partial(OPERATORS[node.op_type], self._torch, attributes)
        return _Step(operate, tuple(node.input), tuple(node.output))

    def _value(self, array: Array) -> Value:
        if array.dtype.kind in "iu":
            return array.tolist()
        return self._torch.from_numpy(np.array(array, dtype=np.float32)).to(self._device)

    @staticmethod
    def _take(step: _Step, values: dict[str, Value]) -> None:
        found = step.operate(*(values[name] if name else None for name in step.inputs))
        outputs = found if len(step.outputs) > 1 else (found,)
        values.update(zip(step.outputs, outputs, strict=True))

    def _forward(self, arrays: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        values = self._constants | dict(arrays)
        for step in self._steps:
            self._take(step, values)
        return {item.name: values[item.name] for item in self.outputs}

    def _capture(self) -> Callable[[], dict[str, Value]]:
        """Record one run on the GPU, to be replayed without Python.

        Source: pytorch.org/docs/stable/notes/cuda.html, "CUDA Graphs".
        """
        torch = self._torch
        with torch.inference_mode():
            stream = torch.cuda.Stream()
            stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(stream):
                for _ in range(_WARM_UP_RUNS):
                    self._forward(self._held)
            torch.cuda.current_stream().wait_stream(stream)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                found = self._forward(self._held)

        def replay() -> dict[str, Value]:
            graph.replay()
            return found

        return replay


def load_torch(path: str | Path, *, threads: int = 1, device: str = "auto") -> TorchGraph:
    """Load an ONNX file of fixed shapes in torch.

    threads: of the CPU, for all of torch in this process. device: "auto" (the GPU where torch has one), "cpu", "cuda".
    Raises FileNotFoundError; ModelError where torch or onnx is missing, for a file that is no network, for operators
    that are not known here, and for a device that is not there.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise FileNotFoundError(f"model {path}: no such file; give the path of an .onnx file")
    try:
        import onnx
        import torch
    except ImportError as error:
        raise ModelError(
            f"the torch engine needs torch and onnx ({error}); `./fitmotion train` and `./fitmotion test` install "
            "them, or use the engine 'cpu'"
        ) from error
    if device == "cuda" and not torch.cuda.is_available():
        raise ModelError(f"torch {torch.__version__} sees no GPU here; use the engine 'cpu'")
    chosen = torch.device("cuda" if device == "auto" and torch.cuda.is_available() else device.replace("auto", "cpu"))
    try:
        model = onnx.load(str(path))
        onnx.checker.check_model(model)
    except Exception as error:  # protobuf's and the checker's own kinds
        said = " ".join(str(error).split())[:300] or type(error).__name__
        raise ModelError(
            f"model {path} ({path.stat().st_size} bytes) is no network that onnx can read: {said}"
        ) from error
    if chosen.type == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = False
        return TorchGraph(path, model, chosen, f"{torch.cuda.get_device_name()}, CUDA graph, fp32")
    torch.set_num_threads(threads)
    return TorchGraph(path, model, chosen, f"CPU, {threads} thread{'s' * (threads != 1)}")


def available() -> str:
    """What there is to run torch with, in words; imports nothing. Raises ModelError where it is missing."""
    try:
        version("onnx")
        return f"torch {version('torch')}"
    except PackageNotFoundError as error:
        raise ModelError(
            f"{error.name} is not installed; `./fitmotion train` and `./fitmotion test` install it"
        ) from None


def _shape(item: Any) -> tuple[int | None, ...]:
    return tuple(size.dim_value if size.HasField("dim_value") else None for size in item.type.tensor_type.shape.dim)


def _tensor(path: Path, item: Any) -> Tensor:
    shape = _shape(item)
    if item.type.tensor_type.elem_type != 1 or None in shape:  # TensorProto.FLOAT
        raise ModelError(
            f"{path.name}: '{item.name}' must be float32 of a fixed shape for the torch engine; got {shape}"
        )
    return Tensor(item.name, shape, np.dtype(np.float32))


def _sizes(item: Tensor) -> tuple[int, ...]:
    return tuple(size or 0 for size in item.shape)


# ---- operators: torch, the node's attributes, its inputs. Source: onnx.ai/onnx/operators, opset 20 ------------------


def _reshape(torch: Any, attributes: Mapping[str, Any], x: Any, shape: Sequence[int]) -> Any:
    return x.reshape([x.shape[place] if size == 0 else size for place, size in enumerate(shape)])


def _squeeze(torch: Any, attributes: Mapping[str, Any], x: Any, axes: Sequence[int] | None = None) -> Any:
    return x.squeeze() if axes is None else x.squeeze(tuple(axes))


def _unsqueeze(torch: Any, attributes: Mapping[str, Any], x: Any, axes: Sequence[int]) -> Any:
    rank = x.dim() + len(axes)
    for axis in sorted(axis % rank for axis in axes):
        x = x.unsqueeze(axis)
    return x


def _expand(torch: Any, attributes: Mapping[str, Any], x: Any, shape: Sequence[int]) -> Any:
    return x.expand(torch.broadcast_shapes(x.shape, shape))


def _split(torch: Any, attributes: Mapping[str, Any], x: Any, sizes: Sequence[int]) -> Any:
    return torch.split(x, list(sizes), dim=attributes.get("axis", 0))


def _slice(
    torch: Any,
    attributes: Mapping[str, Any],
    x: Any,
    starts: Sequence[int],
    ends: Sequence[int],
    axes: Sequence[int] | None = None,
    steps: Sequence[int] | None = None,
) -> Any:
    places = [slice(None)] * x.dim()
    for start, end, axis, step in zip(
        starts, ends, axes or range(len(starts)), steps or [1] * len(starts), strict=True
    ):
        places[axis % x.dim()] = slice(start, end, step)
    return x[tuple(places)]


def _gemm(torch: Any, attributes: Mapping[str, Any], a: Any, b: Any, c: Any = None) -> Any:
    a = a.mT if attributes.get("transA", 0) else a
    b = b.mT if attributes.get("transB", 0) else b
    found = attributes.get("alpha", 1.0) * (a @ b)
    return found if c is None else found + attributes.get("beta", 1.0) * c


def _layer_norm(torch: Any, attributes: Mapping[str, Any], x: Any, scale: Any, bias: Any = None) -> Any:
    axis = attributes.get("axis", -1) % x.dim()
    return torch.nn.functional.layer_norm(x, x.shape[axis:], scale, bias, attributes.get("epsilon", 1e-5))


OPERATORS: dict[str, Callable[..., Any]] = {
    "Add": lambda torch, attributes, a, b: a + b,
    "Concat": lambda torch, attributes, *parts: torch.cat(parts, dim=attributes["axis"]),
    "Cos": lambda torch, attributes, x: torch.cos(x),
    "Div": lambda torch, attributes, a, b: a / b,
    "Erf": lambda torch, attributes, x: torch.erf(x),
    "Exp": lambda torch, attributes, x: torch.exp(x),
    "Expand": _expand,
    "Gelu": lambda torch, attributes, x: torch.nn.functional.gelu(
        x, approximate=attributes.get("approximate", b"none").decode()
    ),
    "Gemm": _gemm,
    "Identity": lambda torch, attributes, x: x,
    "LayerNormalization": _layer_norm,
    "MatMul": lambda torch, attributes, a, b: a @ b,
    "Mul": lambda torch, attributes, a, b: a * b,
    "Neg": lambda torch, attributes, x: -x,
    "Pow": lambda torch, attributes, a, b: a**b,
    "Relu": lambda torch, attributes, x: torch.relu(x),
    "Reshape": _reshape,
    "Sigmoid": lambda torch, attributes, x: torch.sigmoid(x),
    "Sin": lambda torch, attributes, x: torch.sin(x),
    "Slice": _slice,
    "Softmax": lambda torch, attributes, x: torch.softmax(x, dim=attributes.get("axis", -1)),
    "Split": _split,
    "Sqrt": lambda torch, attributes, x: torch.sqrt(x),
    "Squeeze": _squeeze,
    "Sub": lambda torch, attributes, a, b: a - b,
    "Tanh": lambda torch, attributes, x: torch.tanh(x),
    "Transpose": lambda torch, attributes, x: x.permute(attributes["perm"]),
    "Unsqueeze": _unsqueeze,
}
"""ONNX's name -> what torch does instead."""
