"""`fitmotion bench generate`: how fast motion is generated on this machine."""

from typing import Annotated

import typer

from fitmotion_models.cli_tools import fail, progress_bar, ready_to_train


def bench_generate(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
    engine: Annotated[
        str,
        typer.Option(help="What computes: auto, onnx, cpu, cuda, onnx-tensorrt, tensorrt or torch.", metavar="ENGINE"),
    ] = "auto",
    threads: Annotated[int, typer.Option(help="Threads of the CPU for ours; one is fastest.", min=1)] = 1,
    peer_threads: Annotated[int, typer.Option(help="Threads of the CPU for the peers.", min=1)] = 2,
    weights: Annotated[
        str, typer.Option(help="Which weights: a name that ships, a training run's folder, an .onnx file.")
    ] = "motion_stream",
    peers: Annotated[bool, typer.Option(help="Time networks of peers' sizes beside ours.")] = True,
) -> None:
    """Motion generation: latency, throughput, memory, beside networks of the peers' sizes.

    Keep the machine quiet meanwhile; it takes one to two minutes. An engine that is not here ends it with one sentence.

    cold_start_s: a fresh process from its start to the first body: Python, imports, weights, text encoder, one chunk.

    memory_mb: the most that this process has had in memory at once, ten seconds of motion later.

    first_frame_ms: from a text that was never seen to the first frame of it, the stream being under way.

    clip_6s_s: a motion of 6 s from a new text, all at once.

    chunk_ms: 20 frames by the network alone. played_second_ms: all that a second of endless motion costs: its chunks,
    guidance, decoding to bodies, feet planted, queue, poses.

    ours_s_per_motion_s, peer_...: seconds a second of motion for motions of 9.8 s (196 frames), text encoders left out.
    The peers are networks of the published sizes with random weights, in ONNX Runtime, by turns with ours in one run:
    MDM with 50 steps, guided in batches of two, and MotionLCM-V2 with one step. speed_ratio: MDM's over ours.

    all_steps: the same of the network in all its four steps.

    Examples:

      fitmotion bench generate

      fitmotion bench generate --json --threads 2

      fitmotion bench generate --engine cuda --no-peers
    """
    if peers:
        ready_to_train()  # the peers' graphs are built with onnx
    try:
        from fitmotion_models.evaluation.generate_bench import BenchOptions, as_text
        from fitmotion_models.evaluation.generate_bench import as_json as to_json
        from fitmotion_models.evaluation.generate_bench import bench_generate as run

        with progress_bar("measuring", quiet=as_json) as progress:
            options = BenchOptions(weights, engine, threads, peers, peer_threads)
            found = run(options, progress)
    except (ValueError, OSError, RuntimeError) as error:
        fail(str(error))
    typer.echo(to_json(found) if as_json else as_text(found))
