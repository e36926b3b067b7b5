"""The engines that ONNX Runtime can run a network on, in the order of preference, and the options each gets."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnxruntime

AUTO = "auto"
_HASH_BLOCK = 1 << 20


@dataclass(frozen=True)
class Engine:
    """One way to run a network.

    name: as people ask for it. provider: ONNX Runtime's name of it. label: as people read it. package: the Python
    package whose ONNX Runtime has it.
    """

    name: str
    provider: str
    label: str
    package: str


ENGINES = (
    Engine("tensorrt", "TensorrtExecutionProvider", "TensorRT", "onnxruntime-gpu"),
    Engine("cuda", "CUDAExecutionProvider", "CUDA", "onnxruntime-gpu"),
    Engine("cpu", "CPUExecutionProvider", "CPU", "onnxruntime"),
)
CPU = ENGINES[-1]


def wanted_engines(asked: str | Sequence[str]) -> tuple[Engine, ...]:
    """The engines to try, in order; the CPU is always the last. asked: "auto", a name, or names in order.

    Raises ValueError, naming the known ones, for an unknown name.
    """
    names = [asked] if isinstance(asked, str) else list(asked)
    if names == [AUTO]:
        return ENGINES
    known = {engine.name: engine for engine in ENGINES}
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        raise ValueError(f"engine {', '.join(unknown) or 'list is empty'}; known: {AUTO}, {', '.join(known)}")
    return tuple(dict.fromkeys([*(known[name] for name in names), CPU]))


def cache_folder() -> Path:
    """Where built engines are kept: $FITMOTION_CACHE, else fitmotion in the user's cache folder."""
    given = os.environ.get("FITMOTION_CACHE")
    if given:
        return Path(given).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fitmotion"


def engine_folder(model: Path, cache: Path) -> Path:
    """The folder of one network's TensorRT engines.

    ONNX Runtime names an engine after the graph and not after its weights, so that a retrained network would be given
    the old one's: the folder's name holds the file's hash.
    """
    return cache / "engines" / f"{model.stem}-{file_digest(model)}-ort{onnxruntime.__version__}"


def file_digest(path: Path) -> str:
    """A short hash of a file's contents."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_HASH_BLOCK):
            digest.update(block)
    return digest.hexdigest()[:16]


def provider_options(engine: Engine, model: Path, cache: Path, *, precise: bool = False) -> dict[str, Any]:
    """ONNX Runtime's options of an engine; makes TensorRT's folder. precise: single precision, TF32 off.

    Source: onnxruntime.ai/docs/execution-providers/{TensorRT,CUDA}-ExecutionProvider.html
    """
    if engine.name == "tensorrt":
        if precise:
            # ONNX Runtime has no option for it (its issue 26029); CUDA's libraries read this when they are first used
            os.environ.setdefault("NVIDIA_TF32_OVERRIDE", "0")
        folder = engine_folder(model, cache)
        folder.mkdir(parents=True, exist_ok=True)
        return {
            "trt_fp16_enable": not precise,
            "trt_engine_cache_enable": True,
            "trt_engine_cache_path": str(folder),
            "trt_timing_cache_enable": True,
            "trt_timing_cache_path": str(folder),
        }
    if engine.name == "cuda":
        # the default searches every convolution's algorithms on the first call of each shape, for seconds
        return {"cudnn_conv_algo_search": "HEURISTIC", "use_tf32": int(not precise)}
    return {}
