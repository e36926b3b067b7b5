"""`fitmotion describe`: what is done in windows of videos, said by a vision-language model, as prompts."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from fitmotion_models.cli_tools import Backend, Detector, PoseModel, fail, progress_bar, ready_to_train


def describe(
    videos: Annotated[Path, typer.Argument(help="The folder that holds the videos.", metavar="DIR")],
    model: Annotated[
        str,
        typer.Option(
            help="A vision-language model of the Qwen-VL kind: its folder, or its name on the Hugging Face hub.",
            metavar="NAME",
        ),
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder of what is written; made where it is not there.", metavar="DIR")
    ],
    labels: Annotated[
        Path | None, typer.Option(help="Who does what in them, as of `synthesize`.", metavar="FILE.csv")
    ] = None,
    window: Annotated[float, typer.Option(help="Length of a window.", metavar="S")] = 5.0,
    pictures: Annotated[int, typer.Option(help="Pictures of a window that the model sees.", min=1)] = 6,
    conditions: Annotated[
        str, typer.Option(help="What of the real motion binds the generated: path, keyframes, or both.")
    ] = "both",
    keyframes: Annotated[int, typer.Option(help="Bodies of a window that bind.", min=1)] = 3,
    instruction: Annotated[
        str, typer.Option(help="What the model is told. Default: one sentence about the body.", metavar="WORDS")
    ] = "",
    device: Annotated[str, typer.Option(help="What computes: cpu or cuda. Default: cuda where it is.")] = "",
    backend: Backend = "mediapipe",
    pose_model: PoseModel = "",
    detector: Detector = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Describe windows of videos in words, as prompts for motion like it but new.

    For every window the model is shown pictures and says what the person does. prompts.yaml then asks the generator
    for those words, along the way that the person went and through bodies that were seen (descriptions.jsonl has the
    words alone); `synthesize --prompts` makes a data set of it. The model is loaded only here; its first use installs
    what training needs. Stopped half-way, the same command goes on.

    Examples:

      fitmotion describe videos --model Qwen/Qwen3-VL-2B-Instruct -o described

      fitmotion describe videos --model qwen3-vl --window 4 --conditions path -o described

      fitmotion synthesize --prompts described/prompts.yaml -o dataset
    """
    from fitmotion_models.datasets.synthesis.described_windows import (
        INSTRUCTION,
        PROMPTS,
        DescribeSettings,
        describe_videos,
    )
    from fitmotion_models.datasets.synthesis.source_folders import video_sources
    from fitmotion_models.pose.backends import BackendChoice, check_choice

    try:
        settings = DescribeSettings(window, pictures, keyframes, instruction or INSTRUCTION, conditions)
        sources = video_sources(videos, labels)
        networks = BackendChoice(backend, pose_model, detector)
        check_choice(networks)
    except (ValueError, OSError) as error:
        fail(str(error))
    ready_to_train()
    try:
        from fitmotion_models.datasets.synthesis.vision_language import VisionLanguageModel

        network = VisionLanguageModel(model, device)
        with progress_bar("describing", quiet=as_json) as progress:
            windows, left_out = describe_videos(
                out, sources, network, model, settings, backend=networks, progress=progress
            )
    except (ValueError, RuntimeError, OSError) as error:
        fail(str(error))
    for id, why in left_out.items():
        sys.stderr.write(f"left out: {id}: {why}\n")
    if not windows:
        fail(f"no window of {videos} could be described; why is said above")
    if as_json:
        found = [{"id": one.id, "start_s": one.start_s, "end_s": one.end_s, "words": one.words} for one in windows]
        content = {"windows": found, "left_out": left_out, "prompts": str(out / PROMPTS)}
        sys.stdout.write(json.dumps(content, indent=2, allow_nan=False) + "\n")
        return
    for one in windows:
        typer.echo(f"{one.video} {one.start_s:.1f} to {one.end_s:.1f} s: {one.words}")
    typer.echo(f"written: {out / PROMPTS}")
