"""`fitmotion generate`: a motion from words and a score, as files."""

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fitmotion_models.cli_tools import fail, progress_bar

if TYPE_CHECKING:
    from fitmotion_models.motion.condition import Conditioning, MotionCondition
    from fitmotion_models.motion.generate import Generated
    from fitmotion_models.motion.sampler import MotionSampler

_OUT_HELP = "A file to write: .bvh, .npz (MotionClip), .mp4 or .png by its ending; may be given several times."


def generate(
    prompt: Annotated[str, typer.Argument(help="What the person does, in English.", metavar="PROMPT")],
    score: Annotated[
        int | None, typer.Option("--fms", help="FMS score that the movement should have, 0 to 3. Default: any.")
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(help="How long. Default: drawn from how long such motions are.", metavar="S")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="The same seed gives the same motion. Default: another motion each time.")
    ] = None,
    out: Annotated[list[Path] | None, typer.Option("--out", "-o", help=_OUT_HELP, metavar="FILE")] = None,
    video: Annotated[Path | None, typer.Option(help="Write a video (.mp4).", metavar="FILE")] = None,
    strip: Annotated[
        Path | None, typer.Option(help="Write a picture of the body at eight times (.png).", metavar="FILE")
    ] = None,
    count: Annotated[
        int, typer.Option(help="So many motions, with seeds that follow one another; files get numbers.", min=1)
    ] = 1,
    conditioning: Annotated[
        str, typer.Option(help="How the score is said: numerical, textual or token. Default: what the weights do best.")
    ] = "default",
    text_guidance: Annotated[
        float | None, typer.Option(help="How strongly the words count: 1 is as trained. Default: the weights' own.")
    ] = None,
    score_guidance: Annotated[
        float | None, typer.Option(help="How strongly the score counts: 1 is as trained. Default: the weights' own.")
    ] = None,
    path: Annotated[
        Path | None,
        typer.Option(help="The way of the pelvis: lines of seconds,x,y or seconds,x,y,z (metres).", metavar="FILE.csv"),
    ] = None,
    keyframes: Annotated[
        Path | None,
        typer.Option(help="A clip whose first and last body the motion passes through.", metavar="CLIP.npz|.bvh"),
    ] = None,
    keyframe_at: Annotated[
        list[float] | None,
        typer.Option(help="With --keyframes: the body at this time instead; may be given several times.", metavar="S"),
    ] = None,
    engine: Annotated[
        str, typer.Option(help="What computes: auto, onnx, cpu, cuda, onnx-tensorrt, tensorrt or torch.")
    ] = "auto",
    weights: Annotated[
        str, typer.Option(help="Weights that ship, by name, or a folder of `train motion`.", metavar="NAME")
    ] = "motion_stream",
    all_steps: Annotated[
        bool, typer.Option("--all-steps", help="The network in all its four steps: slower, a little truer.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that are there.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object (files, seeds, timings) and nothing else.")
    ] = False,
) -> None:
    """Generate motion from words and a score of the Functional Movement Screen.

    Without a file to write, a video named after the prompt appears in this folder. Bones are those of SMPL's mean body,
    20 frames a second; x is forward, z up. Nothing is written until all is done. Scores mean the grades of our rubric.
    Exit code 2: something that was given can't be used.

    Examples:

      fitmotion generate "a person performs a deep squat with heels on the floor" --fms 1

      fitmotion generate "a person performs a deep squat" --fms 3 --seconds 6 --seed 7 -o squat.bvh --video squat.mp4

      fitmotion generate "a person walks" --path way.csv -o walk.npz --strip walk.png

      fitmotion generate "a person does an in-line lunge" --fms 2 --count 10 --strip ten.png --conditioning textual

      fitmotion generate "a person sits down" --keyframes stand.npz --keyframe-at 0 --json -o sit.npz
    """
    from fitmotion_models.motion.condition import MotionCondition
    from fitmotion_models.motion.generate import Generator
    from fitmotion_models.viewer.clip_outputs import check_outputs, name_from, write_outputs

    began = time.perf_counter()
    try:
        outputs = _outputs(out, video, strip) or [name_from(prompt, Path())]
        check_outputs(outputs, count, overwrite=overwrite)
        condition = MotionCondition(
            prompt,
            score=score,
            conditioning=_conditioning(conditioning),
            seconds=seconds,
            seed=seed,
            text_guidance=text_guidance,
            score_guidance=score_guidance,
            **_constraints(path, keyframes, keyframe_at),
        )
        generator = Generator.load(weights, engine=engine, guided=all_steps)
        loaded = time.perf_counter()
        with progress_bar("generating", quiet=as_json) as progress:
            made = generator.several(condition, count, progress) if count > 1 else [generator(condition, progress)]
        titles = [f"{prompt}{'' if score is None else f', FMS score {score}'} (seed {one.seed})" for one in made]
        written = time.perf_counter()
        files = write_outputs(outputs, [(one.clip, title) for one, title in zip(made, titles, strict=True)])
    except (ValueError, RuntimeError, OSError) as error:
        fail(str(error))
    timings = {"load_s": loaded - began, "write_s": time.perf_counter() - written}
    if as_json:
        found = _as_dict(condition, made, files, generator.sampler) | {"timings": timings}
        sys.stdout.write(json.dumps(found, indent=2, allow_nan=False) + "\n")
        return
    for one in made:
        typer.echo(f"{len(one.clip) / one.clip.fps:.1f} s in {one.timings['total']:.2f} s, seed {one.seed}")
    for file in files:
        typer.echo(f"written: {file}")


def _outputs(out: list[Path] | None, video: Path | None, strip: Path | None) -> list[Path]:
    for option, given, ending in (("--video", video, ".mp4"), ("--strip", strip, ".png")):
        if given is not None and given.suffix.lower() != ending:
            raise ValueError(f"{option} {given}: its name must end in {ending}")
    return [*(out or ()), *(one for one in (video, strip) if one is not None)]


def _conditioning(name: str) -> "Conditioning":
    from fitmotion_models.motion.condition import Conditioning

    if name.upper() not in Conditioning.__members__:
        known = ", ".join(one.lower() for one in Conditioning.__members__)
        raise ValueError(f"--conditioning '{name}' unknown; known: {known}")
    return Conditioning[name.upper()]


def _constraints(path: Path | None, keyframes: Path | None, at: list[float] | None) -> dict[str, Any]:
    from fitmotion_models.exchange.condition_files import read_keyframes, read_path

    if at and keyframes is None:
        raise ValueError("--keyframe-at says which bodies of a clip bind; name the clip with --keyframes")
    return {
        "path": None if path is None else read_path(path),
        "keyframes": () if keyframes is None else read_keyframes(keyframes, at or ()),
    }


def _as_dict(
    condition: "MotionCondition", made: "list[Generated]", files: list[Path], sampler: "MotionSampler"
) -> dict[str, Any]:
    """What was made, for JSON; lengths in seconds."""
    return {
        "prompt": condition.prompt,
        "fms_score": condition.score,
        "conditioning": (condition.conditioning or sampler.card.conditioning).name.lower(),
        "weights": sampler.card.name,
        "licence": sampler.card.licence,
        "engine": sampler.engine,
        "motions": [
            {"seed": one.seed, "frames": len(one.clip), "seconds": len(one.clip) / one.clip.fps, "timings": one.timings}
            for one in made
        ],
        "files": [str(file) for file in files],
    }
