"""`./fitmotion bench generate`: how fast motion is generated here, beside networks of its peers' sizes.

Everything is measured in one run, ours and theirs alternating, because machines change their speed within minutes.
Definitions are in the command's help. Weights of the peers are random; theirs and ours are both timed without the text
encoder where motions are compared, for the encoders are not the peers' own.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fitmotion_models.evaluation.generate_peers import FRAMES, MDM_STEPS, write_mdm, write_motion_lcm
from fitmotion_models.motion.condition import MotionCondition
from fitmotion_models.motion.features import FPS
from fitmotion_models.motion.generate import Generator
from fitmotion_models.motion.sampler import (
    DEFAULT_WEIGHTS,
    THREADS,
    ChunkInputs,
    MotionSampler,
    input_shapes,
    load_sampler,
)
from fitmotion_models.motion.streamer import MotionStreamer
from fitmotion_models.motion.text import TextEncoder, load_text_encoder

Progress = Callable[[int, int | None], None]
_SECOND = round(FPS)  # frames
_PLAYED_S = 1.0 / FPS

_WHO = ("a person", "someone", "a man", "a woman", "an old man", "a young woman", "a tall person", "the figure")
_WHAT = (
    "performs a deep squat",
    "steps over a hurdle",
    "lunges forward",
    "walks ahead",
    "raises the left hand",
    "turns",
)
# two runs more of a whole process, and of each figure that takes long, are enough for a median
_PROCESSES, _CLIPS, _PEER_RUNS = 3, 10, 5
_CHUNKS, _PROMPTS, _SECONDS = 60, 20, 60


@dataclass(frozen=True)
class BenchOptions:
    """What is measured.

    weights, engine: see `load_sampler`. threads, peer_threads: of the CPU, ours and the peers'. peers: whether networks
    of peers are timed too.
    """

    weights: str = DEFAULT_WEIGHTS
    engine: str = "auto"
    threads: int = THREADS
    peers: bool = True
    peer_threads: int = 2


def bench_generate(options: BenchOptions, progress: Progress | None = None) -> dict[str, Any]:
    """Measure; returns figures ready for JSON.

    Raises ValueError, one sentence, for an engine or weights that cannot be used, before anything is measured.
    """
    sampler = load_sampler(options.weights, engine=options.engine, threads=options.threads)
    encoder = load_text_encoder(sampler.card.encoder)
    steps = _Steps(progress, 6 + 2 * options.peers)
    found: dict[str, Any] = {"engine": sampler.engine, "weights": sampler.card.name, "threads": options.threads}
    found |= _in_processes(options)
    steps.done()
    found |= _stream_figures(sampler, encoder, steps)
    found |= _clip_figures(sampler, encoder)
    steps.done()
    found["all_steps"] = _all_steps(options, encoder, steps)
    if options.peers:
        found |= _beside_peers(sampler, encoder, options, steps)
    return found


class _Steps:
    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress, self._total, self._count = progress, total, 0

    def done(self) -> None:
        self._count += 1
        if self._progress is not None:
            self._progress(self._count, self._total)


def _prompts(count: int, start: int = 0) -> list[str]:
    """Texts that differ all: none of them was embedded before."""
    return [
        f"{_WHO[number % len(_WHO)]} {_WHAT[number // len(_WHO) % len(_WHAT)]}, number {number}"
        for number in range(start, start + count)
    ]


def _milliseconds(seconds: Sequence[float]) -> dict[str, float]:
    """Median and 95th percentile."""
    p50, p95 = np.percentile(np.array(seconds) * 1e3, (50, 95))
    return {"p50": round(float(p50), 2), "p95": round(float(p95), 2)}


def _timed(action: Callable[[], Any]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


# ---- whole processes -------------------------------------------------------------------------------------------------

_PROCESS = """
import sys
from fitmotion_models.motion.condition import MotionCondition
from fitmotion_models.motion.length import load_length_model
from fitmotion_models.motion.sampler import load_sampler
from fitmotion_models.motion.streamer import MotionStreamer
from fitmotion_models.motion.text import load_text_encoder

sampler = load_sampler(sys.argv[1], engine=sys.argv[2], threads=int(sys.argv[3]))
stream = MotionStreamer(sampler, load_text_encoder(sampler.card.encoder), load_length_model(), latency_s=0.0)
stream.command(MotionCondition(prompt="a person performs a deep squat with heels on the floor", score=2))
stream.advance()
pose = stream.next_frame()
print("first pose", pose.positions.shape, flush=True)
for frame in range(200):
    stream.advance()
    stream.next_frame()
import resource
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, flush=True)
"""


def _in_processes(options: BenchOptions) -> dict[str, Any]:
    """Cold start and memory, in processes of their own."""
    starts, memory = [], []
    for _ in range(_PROCESSES):
        command = [sys.executable, "-c", _PROCESS, options.weights, options.engine, str(options.threads)]
        began = time.perf_counter()
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None and process.stderr is not None
            said = process.stdout.readline()
            starts.append(time.perf_counter() - began)
            rest, errors = process.communicate()
        if process.returncode != 0 or not said.startswith("first pose"):
            last = (errors.strip().splitlines() or ["nothing said"])[-1]
            raise ValueError(f"a fresh process that generates failed: {last}")
        memory.append(int(rest) / 1024.0)
    return {"cold_start_s": round(float(np.median(starts)), 3), "memory_mb": round(float(np.median(memory)), 1)}


# ---- ours ------------------------------------------------------------------------------------------------------------


def _streamer(sampler: MotionSampler, encoder: TextEncoder) -> MotionStreamer:
    from fitmotion_models.motion.length import load_length_model

    stream = MotionStreamer(sampler, encoder, load_length_model(), latency_s=_PLAYED_S, seed=1)
    stream.command(MotionCondition(prompt="a person walks forward", score=3, seed=1))
    stream.advance()
    return stream


def _stream_figures(sampler: MotionSampler, encoder: TextEncoder, steps: _Steps) -> dict[str, Any]:
    chunk = _chunk_times(sampler)
    steps.done()
    stream = _streamer(sampler, encoder)
    first = [_first_frame(stream, prompt) for prompt in _prompts(_PROMPTS)]
    steps.done()
    played = _played_seconds(stream)
    steps.done()
    return {
        "chunk_ms": _milliseconds(chunk),
        "first_frame_ms": _milliseconds(first)["p50"],
        "first_frame_p95_ms": _milliseconds(first)["p95"],
        "played_second_ms": _milliseconds(played),
    }


def _chunk_times(sampler: MotionSampler) -> list[float]:
    """The network alone."""
    random = np.random.default_rng(1)
    shapes = input_shapes(sampler.card.text_size)
    arrays = {name: random.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}
    arrays["target_mask"][:] = 0.0
    arrays["guidance"][:] = (2.5, 2.5)
    inputs = ChunkInputs(**arrays)
    sampler(inputs)
    return [_timed(lambda: sampler(inputs)) for _ in range(_CHUNKS)]


def _first_frame(stream: MotionStreamer, prompt: str) -> float:
    """Seconds from a new text to the first frame made for it, the body being in the middle of something else."""
    for _ in range(_SECOND // 2):
        stream.advance()
        stream.next_frame()

    def ask() -> None:
        stream.command(MotionCondition(prompt=prompt, score=2, seed=2))
        while not stream.advance():
            pass

    return _timed(ask)


def _played_seconds(stream: MotionStreamer) -> list[float]:
    """What every second of an endless motion costs: its chunks, their decoding and cleaning up, queue and poses."""

    def second() -> None:
        for _ in range(_SECOND):
            stream.advance()
            stream.next_frame()

    second()
    return [_timed(second) for _ in range(_SECONDS)]


def _clip_figures(sampler: MotionSampler, encoder: TextEncoder) -> dict[str, Any]:
    generator = Generator(sampler, encoder)
    texts = _prompts(_CLIPS, start=1000)
    times = [_timed(lambda text=text: generator(MotionCondition(prompt=text, score=2, seconds=6.0))) for text in texts]  # type: ignore[misc]
    return {"clip_6s_s": round(float(np.median(times)), 4)}


def _all_steps(options: BenchOptions, encoder: TextEncoder, steps: _Steps) -> dict[str, Any] | None:
    """The network in all its steps; None where these weights have no such graph."""
    try:
        sampler = load_sampler(options.weights, engine=options.engine, threads=options.threads, guided=True)
    except ValueError:
        steps.done()
        return None
    chunk = _chunk_times(sampler)
    played = _played_seconds(_streamer(sampler, encoder))
    steps.done()
    figures = {"chunk_ms": _milliseconds(chunk), "played_second_ms": _milliseconds(played)}
    return figures | _clip_figures(sampler, encoder)


# ---- peers -----------------------------------------------------------------------------------------------------------


def _beside_peers(sampler: MotionSampler, encoder: TextEncoder, options: BenchOptions, steps: _Steps) -> dict[str, Any]:
    """Seconds a second of motion for motions of 9.8 s: ours, MDM's size, MotionLCM-V2's size, by turns."""
    seconds = FRAMES / FPS
    with tempfile.TemporaryDirectory(prefix="fitmotion-peers-") as folder:
        mdm = _Peer(write_mdm(Path(folder) / "mdm.onnx"), sampler.engine_name, options.peer_threads)
        lcm = _Peer(write_motion_lcm(Path(folder) / "motion_lcm.onnx"), sampler.engine_name, options.peer_threads)
        steps.done()
        generator = Generator(sampler, encoder)
        ours, theirs, strongest = [], [], []
        for number in range(_PEER_RUNS):
            condition = MotionCondition(prompt=_prompts(1)[0], score=2, seconds=seconds, seed=number)
            made = generator(condition)
            ours.append((made.timings["total"] - made.timings["text"]) / seconds)
            strongest.append(_timed(lcm.run) / seconds)
            theirs.append(_timed(lambda: mdm.run(MDM_STEPS)) / seconds)
        steps.done()
    medians = {
        "ours_s_per_motion_s": float(np.median(ours)),
        "peer_mdm50_onnx_s_per_motion_s": float(np.median(theirs)),
        "peer_motionlcm_v2_onnx_s_per_motion_s": float(np.median(strongest)),
    }
    found: dict[str, Any] = {name: round(value, 5) for name, value in medians.items()}
    found["speed_ratio"] = round(medians["peer_mdm50_onnx_s_per_motion_s"] / medians["ours_s_per_motion_s"], 1)
    ratio = medians["peer_motionlcm_v2_onnx_s_per_motion_s"] / medians["ours_s_per_motion_s"]
    found["speed_ratio_motionlcm_v2"] = round(ratio, 2)
    found["motionlcm_v2_clip_9_8s_ms"] = round(float(np.median(strongest)) * seconds * 1e3, 1)
    found["peers"] = "networks of the published sizes, random weights, without their text encoders"
    return found


class _Peer:
    """A peer's network in ONNX Runtime as it is fastest: threads that wait for work spin, but not after the run."""

    def __init__(self, path: Path, engine: str, threads: int) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        # else they would take the cores from whoever is timed next
        options.add_session_config_entry("session.force_spinning_stop", "1")
        wanted = ("CPUExecutionProvider",) if engine == "cpu" else ("CUDAExecutionProvider", "CPUExecutionProvider")
        there = [one for one in wanted if one in onnxruntime.get_available_providers()]
        self._session = onnxruntime.InferenceSession(str(path), options, providers=there)
        random = np.random.default_rng(3)
        self._inputs = {
            one.name: random.standard_normal(one.shape).astype(np.float32) for one in self._session.get_inputs()
        }
        self.run()

    def run(self, steps: int = 1) -> None:
        for _ in range(steps):
            self._session.run(None, self._inputs)


def as_text(found: dict[str, Any]) -> str:
    """The figures as a table for people."""
    rows = [
        ("cold start", f"{found['cold_start_s']:.2f} s"),
        ("first frame of a new prompt", f"{found['first_frame_ms']:.1f} ms"),
        ("a clip of 6 s", f"{found['clip_6s_s'] * 1e3:.1f} ms"),
        ("a chunk (20 frames), network alone", _span(found["chunk_ms"])),
        ("a second of played motion", _span(found["played_second_ms"])),
        ("memory", f"{found['memory_mb']:.0f} MB"),
    ]
    if found.get("all_steps"):
        rows.append(("  in all its steps: a second played", _span(found["all_steps"]["played_second_ms"])))
    if "speed_ratio" in found:
        rows += [
            ("a second of a 9.8 s motion", f"{found['ours_s_per_motion_s'] * 1e3:.2f} ms"),
            (
                "  MDM's size, 50 steps",
                f"{found['peer_mdm50_onnx_s_per_motion_s'] * 1e3:.1f} ms, {found['speed_ratio']:.0f} times ours",
            ),
            (
                "  MotionLCM-V2's size, 1 step",
                f"{found['peer_motionlcm_v2_onnx_s_per_motion_s'] * 1e3:.2f} ms, "
                f"{found['speed_ratio_motionlcm_v2']:.2f} times ours",
            ),
        ]
    width = max(len(name) for name, _ in rows)
    lines = [f"{found['weights']} on {found['engine']}", *(f"  {name:<{width}}  {value}" for name, value in rows)]
    return "\n".join(lines)


def _span(figures: dict[str, float]) -> str:
    return f"{figures['p50']:.1f} ms (95 %: {figures['p95']:.1f})"


def as_json(found: dict[str, Any]) -> str:
    """One JSON object."""
    return json.dumps(found, indent=2, allow_nan=False)
