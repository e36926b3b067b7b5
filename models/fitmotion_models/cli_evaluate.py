"""`fitmotion evaluate`: how good the parts are, measured."""

import json
from pathlib import Path
from typing import Annotated

import typer

from fitmotion_models.cli_tools import fail, progress_bar

evaluate = typer.Typer(no_args_is_help=True, help="Measure how good the parts are.")

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


@evaluate.command("rules")
def evaluate_rules(
    movement: Annotated[
        list[str] | None, typer.Option(help="Only this test (deep_squat, ...); may be repeated. Default: all.")
    ] = None,
    as_json: AsJson = False,
    plot: Annotated[
        Path | None, typer.Option(help="Draw the verdict-flip curves (.png, .svg, .pdf).", metavar="FILE")
    ] = None,
    count: Annotated[int, typer.Option(help="How many different trials of each test.", min=6)] = 120,
    seed: Annotated[int, typer.Option(help="Of the trials and their noise.", min=0)] = 0,
) -> None:
    """Judge parametric trials on both sides of every threshold, clean and as four cameras and one would see them.

    Prints the share of wrong verdicts and of "not seen" by the distance of the truth from the threshold, in standard
    deviations of what the cameras' noise makes of the value. One camera stands where the test's criteria are best seen
    and is asked for these. Takes about a minute a test.

    Examples:

      fitmotion evaluate rules --movement deep_squat

      fitmotion evaluate rules --json --plot rules.png
    """
    from fitmotion_models.evaluation.rule_report import as_dict, as_text
    from fitmotion_models.evaluation.rule_tests import rule_tests
    from fitmotion_models.evaluation.rules import conditions_of, judge_cases

    outcomes = []
    try:
        if plot is not None:
            from fitmotion_models.viewer.agreement_picture import check_picture_path

            check_picture_path(plot)
        for test in rule_tests(movement):
            label = test.movement.name.lower().replace("_", " ")
            with progress_bar(label, quiet=as_json) as progress:
                outcomes.append(judge_cases(test, test.cases(seed, count), conditions_of(test), progress))
        if plot is not None:
            from fitmotion_models.viewer.rule_picture import save_rule_picture

            save_rule_picture(plot, outcomes)
    except (ValueError, OSError) as error:
        fail(str(error))
    typer.echo(json.dumps(as_dict(outcomes), indent=2, allow_nan=False) if as_json else as_text(outcomes))


@evaluate.command("trainer")
def evaluate_trainer(
    data: Annotated[
        Path | None,
        typer.Option(
            help="Folder with media/overhead_squat_trainer_scores.csv and its videos.", envvar="FITMOTION_DATA"
        ),
    ] = None,
    backend: Annotated[str, typer.Option(help="The pose backend.")] = "mediapipe",
    as_json: AsJson = False,
) -> None:
    """Put overhead squats that a trainer scored beside what we say of the same videos.

    Of each person a video from the side and one from the front: the trainer's marks and note, our values, verdicts and
    score, and where both say something, whether they agree.
    """
    from fitmotion_models.evaluation.trainer import as_dict, compare

    folder = (data or Path(__file__).resolve().parents[3] / "shared" / "data") / "media"
    try:
        with progress_bar("videos", quiet=as_json) as progress:
            persons = compare(folder, backend=backend, progress=progress)
    except (ValueError, RuntimeError, OSError) as error:
        fail(str(error))
    if as_json:
        typer.echo(json.dumps(as_dict(persons), indent=2, allow_nan=False))
        return
    from rich.console import Console

    from fitmotion_models.viewer.trainer_view import trainer_view

    Console().print(trainer_view(persons))


@evaluate.command("imu-analytic")
def evaluate_imu_analytic(
    as_json: AsJson = False,
    lag: Annotated[
        list[float] | None,
        typer.Option(help="Lag of the live sensors, seconds, at most 2; may be repeated. Default: 0, 0.05, 0.1, 0.2."),
    ] = None,
) -> None:
    """Virtual sensors on motion whose readings are known: pendulum, swinging wheel, squat, rest.

    Offline and live at 100 Hz, from poses at 100 and 30 Hz: RMS error of acceleration and angular velocity, also in
    percent of the motion's range, and how long a live sample waits for later poses (in brackets: the median). Takes
    half a minute.
    """
    from fitmotion_models.evaluation.imu_analytic import as_dict, as_table
    from fitmotion_models.evaluation.imu_analytic import evaluate as run

    try:
        rows = run(lags_s=lag or (0.0, 0.05, 0.1, 0.2))
    except ValueError as error:
        fail(str(error))
    typer.echo(json.dumps(as_dict(rows), indent=2, allow_nan=False) if as_json else as_table(rows))


@evaluate.command("cameras")
def evaluate_cameras(
    videos: Annotated[
        list[str] | None, typer.Argument(help="One video a camera. Default: Pose2Sim's four.", metavar="[VIDEO]...")
    ] = None,
    calibration: Annotated[
        Path | None, typer.Option(help="The rig's calibration: Calib.toml, .qca.txt or a folder of YAML.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder with media/pose2sim_cam0[1-4].mp4.", envvar="FITMOTION_DATA")
    ] = None,
    backend: Annotated[str, typer.Option(help="The pose backend.")] = "mediapipe",
    as_json: AsJson = False,
    plot: Annotated[Path | None, typer.Option(help="Draw it too (.png, .svg, .pdf).", metavar="FILE")] = None,
) -> None:
    """Measure what several calibrated cameras are worth, and what one alone is not.

    Prints the reprojection error of each camera and joint, what changes when a camera is left out, how constant bones
    are, how far one camera is from all, and whether the errors that rules assume hold against these figures. Takes half
    a minute for four videos of 100 frames.

    Examples:

      fitmotion evaluate cameras --json --plot cameras.png

      fitmotion evaluate cameras cam1.mp4 cam2.mp4 cam3.mp4 --calibration rig.toml
    """
    from fitmotion_models.evaluation.cameras import Recording, measure
    from fitmotion_models.evaluation.cameras_report import as_dict, as_text
    from fitmotion_models.pose.rig_source import RigRecording

    try:
        if plot is not None:
            from fitmotion_models.viewer.agreement_picture import check_picture_path

            check_picture_path(plot)
        if not videos:
            media = (data or Path(__file__).resolve().parents[3] / "shared" / "data") / "media"
            videos = [str(media / f"pose2sim_cam0{number}.mp4") for number in (1, 2, 3, 4)]
            calibration = calibration or media / "pose2sim_calibration.qca.txt"
        if calibration is None:
            raise ValueError("give the videos' --calibration, too")
        recording = RigRecording(videos, calibration)
        with progress_bar("finding landmarks", quiet=as_json) as progress:
            tracks = recording.tracks(backend, progress)
        recording.close()
        report = measure(Recording.of_tracks(recording.rig, tracks))
        if plot is not None:
            from fitmotion_models.viewer.cameras_picture import save_cameras_picture

            save_cameras_picture(plot, report)
    except (ValueError, RuntimeError, OSError) as error:
        fail(str(error))
    typer.echo(json.dumps(as_dict(report), indent=2, allow_nan=False) if as_json else as_text(report))


@evaluate.command("recognition")
def evaluate_recognition(
    uiprmd: Annotated[Path | None, typer.Option(help="UI-PRMD's folder or archive.", metavar="DIR")] = None,
    hdm05: Annotated[Path | None, typer.Option(help="HDM05's cuts, folder or archive.", metavar="DIR")] = None,
    cmu: Annotated[Path | None, typer.Option(help="CMU's recordings, folder or archive.", metavar="DIR")] = None,
    subjects: Annotated[
        list[str] | None, typer.Option(help="Only these persons of UI-PRMD (s01, ...); may be repeated.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="Folder that holds the three under their usual names.", envvar="FITMOTION_DATA"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Find repetitions in streams of real recordings, tell which test they are and which side, and let the rest go.

    UI-PRMD's recordings of a person and movement are put one after the other with pauses: are they counted, are their
    boundaries within a quarter of a second of the set's own cuts, are they recognised, and do side lunge, sit to stand,
    the shoulder movements and the clips of HDM05 and CMU come back as none. Takes about five minutes.

    Examples:

      fitmotion evaluate recognition --uiprmd uiprmd.tar.xz --subjects s06 --subjects s07 --json
    """
    from fitmotion_models.evaluation.recognition import measure
    from fitmotion_models.evaluation.recognition_report import as_dict, as_text

    folder = data or Path(__file__).resolve().parents[3] / "shared" / "data"
    usual = {"HDM05": (hdm05, folder / "hdm05-cuts.tar.xz"), "CMU": (cmu, folder / "cmu-01-03.tar.xz")}
    # a set that was named has to be there; of those that were not, the ones that are
    others = {name: given or found for name, (given, found) in usual.items() if given or found.exists()}
    try:
        with progress_bar("recognising", quiet=as_json) as progress:
            figures = as_dict(measure(uiprmd or folder / "uiprmd-s01-s08.tar.xz", others, subjects, progress))
    except (ValueError, OSError) as error:
        fail(str(error))
    typer.echo(json.dumps(figures, indent=2, allow_nan=False) if as_json else as_text(figures))


@evaluate.command("stream")
def evaluate_stream(
    minutes: Annotated[float, typer.Option(help="How long is played.", min=0.1, max=600.0)] = 10.0,
    weights: Annotated[str, typer.Option(help="Which weights.", metavar="NAME")] = "motion_stream",
    engine: Annotated[str, typer.Option(help="What computes: auto, onnx, cpu, cuda, tensorrt or torch.")] = "auto",
    all_steps: Annotated[
        bool, typer.Option("--all-steps", help="The network in all its four steps: slower, a little truer.")
    ] = False,
    play_frames: Annotated[
        int, typer.Option(help="Of the 20 frames of a chunk so many are played before the next takes over.")
    ] = 16,
    seed: Annotated[int, typer.Option(help="Of the stream.", min=0)] = 0,
    as_json: AsJson = False,
) -> None:
    """Play the endless stream, with a new command every 15 seconds, and measure what was played.

    Every minute asks for the same: whether height, shaking and the feet's place on the floor drift, whether bones,
    stamps and seams between chunks are right, how soon a new prompt shows, and what a played second costs.

    Examples:

      fitmotion evaluate stream --minutes 10 --json
    """
    from fitmotion_models.evaluation.stream_report import as_text, measure, streamers
    from fitmotion_models.motion.length import load_length_model
    from fitmotion_models.motion.sampler import load_sampler
    from fitmotion_models.motion.text import load_text_encoder

    try:
        sampler = load_sampler(weights, engine=engine, guided=all_steps)
        encoder = load_text_encoder(sampler.card.encoder)
        make = streamers(sampler, encoder, load_length_model(), play_frames=play_frames)
        with progress_bar("playing", quiet=as_json) as progress:
            report = {"engine": sampler.engine} | measure(make, minutes=minutes, seed=seed, progress=progress)
    except (ValueError, RuntimeError, OSError) as error:
        fail(str(error))
    typer.echo(json.dumps(report, indent=2, allow_nan=False) if as_json else as_text(report))
