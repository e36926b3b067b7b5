"""The commands that need no ROS; `fitmotion_nodes.cli` mounts them beside those that do."""

import json
import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fitmotion_models.cli_evaluate import evaluate
from fitmotion_models.cli_tools import NOBODY_EXIT_CODE, fail, progress_bar
from fitmotion_models.fms.values import Movement, Variation

if TYPE_CHECKING:
    from fitmotion_models.fms.records import Records

app = typer.Typer(no_args_is_help=True, add_completion=False)


def movement_named(name: str) -> Movement:
    """The movement of that name, as people type it (`deep_squat`). Raises ValueError that lists the known ones."""
    from fitmotion_models.fms.movements import MOVEMENTS

    known = {movement.name.lower(): movement for movement in MOVEMENTS}
    if name.lower() not in known:
        raise ValueError(f"movement '{name}' can't be scored; known: {', '.join(known)}")
    return known[name.lower()]


def trial_variation(name: str, *, board: bool) -> Variation:
    """The variation of a trial: the movement's first one, or with the heels on the board (deep squat only)."""
    from fitmotion_models.fms.movements import default_variation

    movement = movement_named(name)
    if board and movement is not Movement.DEEP_SQUAT:
        raise ValueError(f"--board belongs to the deep squat, not to {name}")
    return Variation.DEEP_SQUAT_BOARD if board else default_variation(movement)


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
    movement: Annotated[str, typer.Option(help="Which test is shown: deep_squat.")] = "deep_squat",
    board: Annotated[
        bool, typer.Option("--board", help="The heels stand on the 2-inch board (a trial for a 2).")
    ] = False,
    subject: Annotated[str, typer.Option(help="Whose movement it is; a name without spaces.")] = "person",
    backend: Annotated[str, typer.Option(help="The pose backend.")] = "mediapipe",
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

    Film the deep squat from the side (best a little from the front) with the whole body and the floor in view; start
    upright and still with the arms overhead. Exit code 1: no person was seen; 2: the input can't be used.

    Examples:

      fitmotion assess squat.mp4

      fitmotion assess squat.mp4 --json > squat.json

      fitmotion assess squat.mp4 --report squat.html

      fitmotion assess cam1.mp4 cam2.mp4 cam3.mp4 --calibration rig.toml
    """
    from fitmotion_models.fms.assess import assess as run
    from fitmotion_models.fms.assess import report_as_dict

    try:
        if report_file is not None:
            from fitmotion_models.viewer.recording_report import check_report_path, report_recording

            check_report_path(report_file)
        variation = trial_variation(movement, board=board)
        with progress_bar("scoring", quiet=as_json) as progress:
            report = run(
                videos,
                movement=movement_named(movement),
                variation=variation,
                subject=subject,
                backend=backend,
                calibration=calibration,
                tilt=None if tilt is None else math.radians(tilt),
                find_offset=find_offset,
                progress=progress,
            )
        if report_file is not None and report.clip is not None:
            report_recording(report_file, videos[0], report, backend=backend, keep_faces=keep_faces)
    except (ValueError, RuntimeError, OSError) as error:
        fail(str(error))
    if as_json:
        sys.stdout.write(json.dumps(report_as_dict(report), indent=2, allow_nan=False) + "\n")
    else:
        from rich.console import Console

        from fitmotion_models.viewer.terminal import assessments_view

        Console().print(assessments_view(report.assessments, seconds=report.frames / report.fps, poses=report.poses))
        if report.notice:
            Console().print(report.notice, highlight=False, soft_wrap=True)
        if report_file is not None and report.clip is not None:
            Console().print(f"report written to {report_file}", highlight=False, soft_wrap=True)
    if not report.poses:
        fail(f"{', '.join(videos)}: no person was seen; the whole body has to be in the picture", NOBODY_EXIT_CODE)


app.add_typer(evaluate, name="evaluate")


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


subjects = typer.Typer(no_args_is_help=True, help="The persons whose screens are kept, on this machine alone.")
app.add_typer(subjects, name="subjects")

Database = Annotated[
    Path | None,
    typer.Option(help="Where persons are kept. Default: data/fitmotion.sqlite.", envvar="FITMOTION_DATABASE"),
]
PersonName = Annotated[str, typer.Argument(help="The person's name or code.")]


@contextmanager
def records_at(database: Path | None) -> "Iterator[Records]":
    """The database of persons; what cannot be done is said in one line."""
    import sqlite3

    from fitmotion_models.fms.records import Records, default_path

    try:
        with Records(database or default_path()) as records:
            yield records
    except (ValueError, OSError, sqlite3.Error) as error:
        fail(str(error))


@subjects.command("list")
def list_subjects(
    database: Database = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Who is there."""
    from fitmotion_models.viewer.history import persons_as_dict, persons_table

    with records_at(database) as records:
        persons = records.persons()
    if as_json:
        typer.echo(json.dumps(persons_as_dict(persons), indent=2, ensure_ascii=False))
    else:
        from rich.console import Console

        nobody = "nobody yet; `fitmotion subjects add NAME` adds somebody"
        Console().print(persons_table(persons) if persons else nobody)


@subjects.command("add")
def add_subject(
    name: PersonName,
    birth_year: Annotated[int | None, typer.Option(help="Year of birth.")] = None,
    height: Annotated[float | None, typer.Option(help="Height in metres.")] = None,
    consent: Annotated[bool, typer.Option("--consent", help="The person agrees to being measured and kept.")] = False,
    database: Database = None,
) -> None:
    """Add a person. Without consent nothing is measured of them."""
    with records_at(database) as records:
        records.add_person(name, birth_year=birth_year, height_m=height, consent=consent)
    typer.echo(f"added {name}{'' if consent else ', without consent'}")


@subjects.command("consent")
def consent_of_subject(
    name: PersonName,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="The person takes it back.")] = False,
    database: Database = None,
) -> None:
    """The person agrees to being measured and kept. What is there when they take it back stays until `remove`."""
    with records_at(database) as records:
        person = records.set_consent(name, not withdraw)
    typer.echo(f"{person.name}: consent {'given' if person.consent else 'withdrawn'} on {person.consent_date}")


@subjects.command("remove")
def remove_subject(
    name: PersonName,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    database: Database = None,
) -> None:
    """Delete a person and everything of theirs: sessions, scores, and the registered files of their runs."""
    with records_at(database) as records:
        person, files = records.person(name), records.files(name)
        if not yes:
            typer.confirm(f"delete {person.name}, {person.sessions} sessions and {len(files)} files?", abort=True)
        removal = records.remove_person(name)
    for path in removal.files:
        typer.echo(f"deleted {path}")
    typer.echo(f"removed {person.name}")
    if not removal.wiped:
        fail("others use the database just now; traces stay in its log file until the last of them has closed it")


@subjects.command("export")
def export_subjects(
    out: Annotated[Path, typer.Argument(help="A new .json file, or a new folder for CSV files.", metavar="OUT")],
    person: Annotated[str | None, typer.Option(help="Only this person.")] = None,
    database: Database = None,
) -> None:
    """Write everybody, or one person, as one JSON file or as a folder with a CSV file a table."""
    from fitmotion_models.fms.records.export import to_csv, to_json

    with records_at(database) as records:
        if out.suffix == ".json":
            with out.open("x", encoding="utf-8") as stream:
                stream.write(to_json(records, person))
        else:
            to_csv(records, out, person)
    typer.echo(f"written to {out}")


@app.command()
def history(
    name: PersonName,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
    plot: Annotated[Path | None, typer.Option(help="Draw the trend (.png, .svg, .pdf).", metavar="FILE")] = None,
    database: Database = None,
) -> None:
    """A person's screens, one after the other: the seven tests, left and right, and the total out of 21."""
    from fitmotion_models.viewer.history import history_as_dict, history_of, history_table, save_trend

    with records_at(database) as records:
        name = records.person(name).name
        visits = history_of(records, name)
        if plot is not None:
            save_trend(plot, name, visits)
    if as_json:
        typer.echo(json.dumps(history_as_dict(name, visits), indent=2, ensure_ascii=False))
    else:
        from rich.console import Console

        Console().print(history_table(visits) if visits else f"no session of {name} yet")


if __name__ == "__main__":
    app()
