"""The commands that need no ROS; `fitmotion_nodes.cli` mounts them beside those that do."""

import json
import math
import sys
from pathlib import Path
from typing import Annotated

import typer

from fitmotion_models import cli_evaluate_imu as cli_evaluate_imu
from fitmotion_models import cli_evaluate_motion as cli_evaluate_motion
from fitmotion_models import cli_train_evaluator as cli_train_evaluator
from fitmotion_models import cli_train_length as cli_train_length
from fitmotion_models import cli_train_motion as cli_train_motion
from fitmotion_models.cli_calibrate import calibrate
from fitmotion_models.cli_data import data
from fitmotion_models.cli_describe import describe
from fitmotion_models.cli_evaluate import evaluate
from fitmotion_models.cli_generate import generate
from fitmotion_models.cli_imu import imu
from fitmotion_models.cli_models import models
from fitmotion_models.cli_records import history, subjects
from fitmotion_models.cli_scorers import train
from fitmotion_models.cli_synthesize import synthesize
from fitmotion_models.cli_tools import (
    MOVEMENT_HELP,
    NOBODY_EXIT_CODE,
    Backend,
    Detector,
    PoseModel,
    fail,
    progress_bar,
)
from fitmotion_models.fms.anthropometry import Anthropometry, sex_named

app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.callback()
def commands() -> None:
    """FitMotion without ROS."""  # a group even while it has one command, so that it can be mounted


@app.command()
def assess(
    videos: Annotated[
        list[str],
        typer.Argument(
            help="A video file, a folder of images, or a MotionClip (.npz); or one video a camera of a calibrated rig.",
            metavar="VIDEO...",
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
    movement: Annotated[str, typer.Option(help=MOVEMENT_HELP, metavar="NAME|auto")] = "deep_squat",
    side: Annotated[
        str, typer.Option(help="The side that is asked for: left, right; both: every repetition says its own.")
    ] = "both",
    trial: Annotated[int, typer.Option(help="Number of the trial; the best of three counts.", min=1, max=255)] = 1,
    board: Annotated[
        bool, typer.Option("--board", help="The squat's heels stand on the 2-inch board (a trial for a 2).")
    ] = False,
    stature: Annotated[
        float | None, typer.Option(help="The person's standing height, metres; gives the hand's length where unknown.")
    ] = None,
    hand_length: Annotated[
        float | None,
        typer.Option(help="Wrist crease to the tip of the middle finger, metres: the unit of shoulder mobility."),
    ] = None,
    sex: Annotated[
        str, typer.Option(help="female or male: decides where the hands lie in the push-up.", metavar="SEX")
    ] = "unknown",
    subject: Annotated[str, typer.Option(help="Whose movement it is; a name without spaces.")] = "person",
    backend: Backend = "mediapipe",
    pose_model: PoseModel = "",
    detector: Detector = "",
    report_file: Annotated[
        Path | None, typer.Option("--report", help="Write a report with curves and key frames, faces blurred (.html).")
    ] = None,
    keep_faces: Annotated[bool, typer.Option("--keep-faces", help="Leave the report's faces as they are.")] = False,
    calibration: Annotated[
        Path | None,
        typer.Option(
            help="The camera's calibration (YAML of camera_calibration); of several: Calib.toml, .qca.txt or a folder."
        ),
    ] = None,
    find_offset: Annotated[
        bool, typer.Option("--find-offset", help="The videos start at different times: find it from the movement.")
    ] = False,
    tilt: Annotated[
        float | None,
        typer.Option(help="The camera's tilt in degrees, positive looking down. Default: from the standing person."),
    ] = None,
) -> None:
    """Score every repetition in a recording, without ROS and as fast as this machine can.

    Film with the whole body and the floor in view, and begin still: upright for the tests that are done standing, lying
    or on all fours for the others. From where: deep squat, leg raise, push-up and rotary stability from the side;
    hurdle step from the front; in-line lunge from either; shoulder mobility from behind. What one camera cannot see
    from there is said, and from where it could. Exit code 1: no person was seen; 2: the input can't be used.

    Examples:

      fitmotion assess squat.mp4

      fitmotion assess squat.mp4 --json > squat.json

      fitmotion assess squat.mp4 --report squat.html

      fitmotion assess lunges.mp4 --movement inline_lunge              both sides, each repetition says its own

      fitmotion assess screen.mp4 --movement auto                      whatever is done in it

      fitmotion assess reach.npz --movement shoulder_mobility --side left --hand-length 0.18

      fitmotion assess cam1.mp4 cam2.mp4 cam3.mp4 --calibration rig.toml

      fitmotion assess squat.mp4 --backend rtmpose-m                   after `models download rtmpose-m rtmdet-nano`
    """
    from fitmotion_models.fms.assess import assess as run
    from fitmotion_models.fms.assess import report_as_dict
    from fitmotion_models.fms.trial import trial_named
    from fitmotion_models.pose.backends import BackendChoice

    try:
        if report_file is not None:
            from fitmotion_models.viewer.recording_report import check_report_path, report_recording

            check_report_path(report_file)
        chosen = trial_named(movement, side=side, board=board, number=trial)
        person = Anthropometry(stature, hand_length, sex_named(sex))
        networks = BackendChoice(backend, pose_model, detector)
        with progress_bar("scoring", quiet=as_json) as progress:
            report = run(
                videos,
                movement=chosen.movement,
                variation=chosen.variation,
                side=chosen.side,
                trial=chosen.number,
                person=person,
                subject=subject,
                backend=networks,
                calibration=calibration,
                tilt=None if tilt is None else math.radians(tilt),
                find_offset=find_offset,
                progress=progress,
            )
        if report_file is not None and report.clip is not None:
            report_recording(report_file, videos[0], report, backend=networks, keep_faces=keep_faces)
    except (ValueError, RuntimeError, OSError) as error:
        fail(str(error))
    if as_json:
        sys.stdout.write(json.dumps(report_as_dict(report), indent=2, allow_nan=False) + "\n")
        sys.stderr.write("".join(f"{sentence}\n" for sentence in report.camera))
    else:
        from rich.console import Console

        from fitmotion_models.viewer.terminal import assessments_view

        Console().print(assessments_view(report.assessments, seconds=report.frames / report.fps, poses=report.poses))
        if report.guidance:
            Console().print(f"{report.guidance}.", highlight=False, soft_wrap=True)
        for sentence in report.camera:
            Console().print(sentence, highlight=False, soft_wrap=True)
        if report.notice:
            Console().print(report.notice, highlight=False, soft_wrap=True)
        if report_file is not None and report.clip is not None:
            Console().print(f"report written to {report_file}", highlight=False, soft_wrap=True)
    if not report.poses:
        fail(f"{', '.join(videos)}: no person was seen; the whole body has to be in the picture", NOBODY_EXIT_CODE)


app.add_typer(evaluate, name="evaluate")
app.add_typer(train, name="train")
app.add_typer(data, name="data")
app.add_typer(models, name="models")
app.command()(calibrate)
app.command()(generate)
app.command()(synthesize)
app.command()(describe)
app.add_typer(imu, name="imu")


@app.command()
def agreement(
    ratings: Annotated[Path, typer.Option(help="CSV file with person,movement,side,rater,score.", metavar="FILE.csv")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
    plot: Annotated[Path | None, typer.Option(help="Draw it too (.png, .svg, .pdf).", metavar="FILE")] = None,
) -> None:
    """How far raters agree with each other, FitMotion being one of them if its scores are in the file.

    One line a score: person, movement (deep_squat, hurdle_step, inline_lunge, shoulder_mobility,
    active_straight_leg_raise, trunk_stability_push_up, rotary_stability), side (left, right, or both), rater, score
    (0 to 3; empty: none given). Prints equal scores, kappa (unweighted, linear, quadratic), ICC(2,1), ICC(3,1), the
    standard error of measurement and the minimal detectable change, of single scores and of totals out of 21.

    Examples:

      fitmotion agreement --ratings raters.csv

      fitmotion agreement --ratings raters.csv --plot raters.png --json
    """
    from fitmotion_models.evaluation.ratings import agreement_of, as_dict, as_text, read_ratings

    try:
        scores = read_ratings(ratings)
        found = agreement_of(scores)
        if plot is not None:
            from fitmotion_models.viewer.agreement_picture import save_agreement_picture

            save_agreement_picture(plot, scores, found)
    except (ValueError, OSError) as error:
        fail(str(error))
    typer.echo(json.dumps(as_dict(found), indent=2, allow_nan=False) if as_json else as_text(found))


app.add_typer(subjects, name="subjects")
app.command()(history)


if __name__ == "__main__":
    app()
