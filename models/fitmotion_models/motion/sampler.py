"""One interface to whatever runs the stream model: 20 frames for 20 frames of history and what is wanted."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from fitmotion_models import weights as shipped
from fitmotion_models.motion.condition import GUIDANCE_RANGE, SCORES, Conditioning
from fitmotion_models.motion.features import LAYOUT
from fitmotion_models.runtime.session import Model, ModelError, Tensor, load_model
from fitmotion_models.skeleton.body_pose import Float32

DEFAULT_WEIGHTS = "motion_stream"
# products of ten tokens are too small to be shared out: a second thread is waited for longer than it computes
THREADS = 1
HISTORY_FRAMES = FUTURE_FRAMES = 20
OUTPUT = "future"
_CHECKPOINT_ENDINGS = (".pt", ".pth", ".ckpt")


@dataclass(frozen=True, eq=False)
class ChunkInputs:
    """What one call is given; float32, frames as in `features.LAYOUT` and anchored at the last frame of history.

    history: (20, 204). has_history: (1,) 1, or 0 where the motion begins; history is not read then. text: (E,) sentence
    embedding, with the score in its words or not; plain_text: (E,) of the prompt alone. score: (5,) one of none, 0, 1,
    2, 3. progress: (3,) elapsed over total at the first future frame, total in tens of seconds, 1 where that is known;
    else zeros. target: (20, 204) values that frames of the future take where target_mask (20, 204) is 1.
    noise: (20, 204) standard normal. guidance: (2,) weights of text and score, 1 is none.
    """

    history: Float32
    has_history: Float32
    text: Float32
    plain_text: Float32
    score: Float32
    progress: Float32
    target: Float32
    target_mask: Float32
    noise: Float32
    guidance: Float32


def input_shapes(text_size: int) -> dict[str, tuple[int, ...]]:
    """Name -> shape of the arrays of `ChunkInputs`, without the batch axis; text_size: of the text encoder."""
    frames = (FUTURE_FRAMES, LAYOUT.size)
    return {
        "history": (HISTORY_FRAMES, LAYOUT.size),
        "has_history": (1,),
        "text": (text_size,),
        "plain_text": (text_size,),
        "score": (1 + len(SCORES),),
        "progress": (3,),
        "target": frames,
        "target_mask": frames,
        "noise": frames,
        "guidance": (2,),
    }


@dataclass(frozen=True)
class SamplerCard:
    """What a network's card says to whoever uses it.

    name: of the weights. encoder: the text encoder it was trained with. text_size: of its embeddings. conditioning:
    what carries a score unless something else is asked for. text_guidance, score_guidance: weights likewise; what
    carries a score in another way may have a weight of its own, `carried`. licence: of the weights; empty where there
    is no card.
    """

    name: str
    encoder: str
    text_size: int
    conditioning: Conditioning = Conditioning.TOKEN
    text_guidance: float = 1.0
    score_guidance: float = 1.0
    licence: str = ""
    carried: Mapping[Conditioning, float] = field(default_factory=dict)

    def score_weight(self, conditioning: Conditioning) -> float:
        """The weight of a score that is carried in this way."""
        return self.carried.get(conditioning, self.score_guidance)


class MotionSampler(Protocol):
    """A loaded stream model."""

    @property
    def engine(self) -> str:
        """What runs it, for logs and diagnostics."""
        ...

    @property
    def engine_name(self) -> str:
        """One of `ENGINES`' names."""
        ...

    @property
    def card(self) -> SamplerCard:
        """What its card says."""
        ...

    def __call__(self, inputs: ChunkInputs) -> Float32:
        """The future (20, 204) of a history, anchored at its last frame."""
        ...


class Runner(Protocol):
    """A network on some engine: what `runtime` has of ONNX Runtime, TensorRT and torch in common."""

    engine: str
    engine_name: str
    passed_over: tuple[str, ...]
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    metadata: dict[str, str]

    def run(self, arrays: Any) -> dict[str, Any]:
        """All outputs by name for all inputs by name."""
        ...


class NetworkSampler:
    """The stream model on an engine of `runtime`."""

    def __init__(self, network: Runner, card: SamplerCard) -> None:
        self._network = network
        self.card = card
        self.engine, self.engine_name, self.passed_over = network.engine, network.engine_name, network.passed_over
        self._shapes = input_shapes(card.text_size)

    def __call__(self, inputs: ChunkInputs) -> Float32:
        """See `MotionSampler`; raises ValueError for an array of another shape."""
        arrays = {}
        for name, shape in self._shapes.items():
            array = np.asarray(getattr(inputs, name), dtype=np.float32)
            if array.shape != shape:
                raise ValueError(f"{self.card.name}: {name} has shape {array.shape}; expected {shape}")
            arrays[name] = np.ascontiguousarray(array[None])
        future: Float32 = self._network.run(arrays)[OUTPUT][0]
        return future


def _load_onnx(provider: str) -> Callable[[Path, int], Runner]:
    def load(path: Path, threads: int) -> Model:
        return load_model(path, providers=provider, threads=threads, precise=True)

    return load


def _load_tensorrt(path: Path, threads: int) -> Runner:
    from fitmotion_models.runtime.tensorrt_engine import load_tensorrt

    return load_tensorrt(path)


def _load_torch(path: Path, threads: int) -> Runner:
    from fitmotion_models.runtime.torch_graph import load_torch

    return load_torch(path, threads=threads)


ENGINES: dict[str, Callable[[Path, int], Runner]] = {
    "auto": _load_onnx("auto"),
    "onnx": _load_onnx("auto"),
    "cpu": _load_onnx("cpu"),
    "cuda": _load_onnx("cuda"),
    "onnx-tensorrt": _load_onnx("tensorrt"),
    "tensorrt": _load_tensorrt,
    "torch": _load_torch,
}
"""Name -> how a network is loaded. auto, onnx: ONNX Runtime on the best that it has; cpu, cuda, onnx-tensorrt: on that;
tensorrt: TensorRT itself; torch: the same graph in torch, on a GPU where there is one."""


_NO_OTHER = {"cpu": "cpu", "cuda": "cuda", "onnx-tensorrt": "tensorrt"}
"""Engines asked for by name that no other one may stand in for -> `Model.engine_name`."""


def load_sampler(
    weights: str | Path = DEFAULT_WEIGHTS, *, engine: str = "auto", threads: int = THREADS, guided: bool = False
) -> MotionSampler:
    """Load the stream model.

    weights: name of weights that ship, a folder of a training run, or an .onnx file. engine: see `ENGINES`; single
    precision on all of them. threads: of the CPU. guided: the network in all its steps: slower. Raises ValueError, one
    sentence, for an unknown engine, for one that this machine has not, for weights that are missing, damaged or made
    for other inputs.
    """
    if engine not in ENGINES:
        raise ValueError(f"engine '{engine}' unknown; known: {', '.join(ENGINES)}")
    path = weights_file(weights, guided=guided)
    network = ENGINES[engine](path, threads)
    wanted = _NO_OTHER.get(engine)
    if wanted is not None and network.engine_name != wanted:
        raise ModelError(
            f"engine '{engine}' cannot be had here: {'; '.join(network.passed_over)}; take 'auto' or 'cpu'"
        )
    return NetworkSampler(network, _checked(network, path))


def engines_here() -> dict[str, str]:
    """Engine -> what this machine has of it, or what is missing; loads no network."""
    import onnxruntime

    from fitmotion_models.runtime import engines, tensorrt_engine, torch_graph

    found = {}
    for name, provider in _NO_OTHER.items():
        engine = next(one for one in engines.ENGINES if one.name == provider)
        there = engine.provider in onnxruntime.get_available_providers()
        found[name] = f"ONNX Runtime {onnxruntime.__version__}" if there else f"only in the package {engine.package}"
    for name, module in (("tensorrt", tensorrt_engine), ("torch", torch_graph)):
        try:
            found[name] = module.available()
        except ModelError as error:
            found[name] = str(error)
    return found


def weights_file(weights: str | Path, *, guided: bool = False) -> Path:
    """The graph of weights; raises ValueError, with what there is, where it is missing."""
    given = Path(weights).expanduser()
    if given.suffix in _CHECKPOINT_ENDINGS:
        raise ModelError(f"weights {given} are a checkpoint, for training to go on from; give the .onnx made from it")
    if given.suffix == ".onnx":
        path = given
    elif given.is_dir():
        path = given / f"{DEFAULT_WEIGHTS}.onnx"
    else:
        path = Path(str(files(shipped))) / f"{weights}.onnx"
    if guided and not path.stem.endswith("_guided"):
        path = path.with_name(f"{path.stem}_guided.onnx")
    if not path.is_file():
        there = ", ".join(sorted(one.stem for one in path.parent.glob("motion_*.onnx"))) or "none"
        raise ModelError(
            f"motion weights {path}: no such file; in that folder: {there}. Give a name that ships, a folder of "
            "`train motion`, or an .onnx file"
        )
    return path


def _checked(network: Runner, path: Path) -> SamplerCard:
    """The card of a network whose inputs and output are those of `ChunkInputs`; raises ModelError otherwise."""
    found = {tensor.name: tensor.shape for tensor in network.inputs}
    text = found.get("text") or ()
    card = read_card(path, network.metadata, int(text[-1] or 0) if text else 0)
    wanted = {name: (1, *shape) for name, shape in input_shapes(card.text_size).items()}
    output = (1, FUTURE_FRAMES, LAYOUT.size)
    if found != wanted or {tensor.name: tensor.shape for tensor in network.outputs} != {OUTPUT: output}:
        differing = [
            f"{name} {found.get(name, 'is missing')}, expected {wanted.get(name, 'nothing of that name')}"
            for name in dict.fromkeys([*wanted, *found])
            if found.get(name) != wanted.get(name)
        ]
        said = "; ".join(differing) or f"its output is not '{OUTPUT}' {output}"
        raise ModelError(f"{path.name} is no stream model of this version: {said}; export it again with `train motion`")
    return card


def read_card(path: Path, metadata: dict[str, str], text_size: int) -> SamplerCard:
    """The card beside a graph; without one, what the graph says of itself, and no guidance.

    Raises ModelError for a card that cannot be read.
    """
    name = path.stem.removesuffix("_guided")
    card = path.with_name(f"{name}.yaml")
    encoder = metadata.get("encoder", "minilm")
    if not card.is_file():
        return SamplerCard(name, encoder, text_size)
    import yaml

    try:
        said = yaml.safe_load(card.read_text(encoding="utf-8"))
        defaults = said["defaults"]
        found = SamplerCard(
            name=name,
            encoder=str(said["encoder"]),
            text_size=text_size,
            conditioning=Conditioning[str(defaults["conditioning"]).upper()],
            text_guidance=float(defaults["text_guidance"]),
            score_guidance=float(defaults["score_guidance"]),
            licence=str(said.get("licence", "")),
            carried={
                way: float(defaults[f"score_guidance_{way.name.lower()}"])
                for way in Conditioning
                if f"score_guidance_{way.name.lower()}" in defaults
            },
        )
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise ModelError(f"card {card} cannot be read: {error!r}; it needs encoder and defaults") from error
    low, high = GUIDANCE_RANGE
    if not all(low <= one <= high for one in (found.text_guidance, found.score_guidance, *found.carried.values())):
        raise ModelError(f"card {card}: guidance weights lie outside {low:g} to {high:g}")
    if found.conditioning is Conditioning.DEFAULT:
        raise ModelError(f"card {card}: conditioning must be numerical, textual or token")
    return found
