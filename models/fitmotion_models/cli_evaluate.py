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
