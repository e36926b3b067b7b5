"""The whole command line: the commands that need no ROS, from `fitmotion_models.cli`, and those that do."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.exceptions import TyperException

from fitmotion_models.cli import app
from fitmotion_models.cli_bench import bench_generate
from fitmotion_models.cli_tools import BAD_INPUT_EXIT_CODE, MOVEMENT_HELP, Backend, Detector, PoseModel, fail
from fitmotion_nodes import doctor, setup_environment, testing
from fitmotion_nodes.cli_bench_imu import bench_imu
from fitmotion_nodes.cli_screen import screen

INTERRUPTED_EXIT_CODE = 130  # as shells have it: 128 and the number of SIGINT
_LOG_LEVELS = ("debug", "info", "warn", "error", "fatal")

app.info.help = """Watch a person move, score the movement, live.

First steps:

  ./fitmotion up                        the first webcam, else a built-in moving body

  ./fitmotion up --source squat.mp4     a video, as if it were live

  ./fitmotion assess squat.mp4          the same without ROS, as fast as this machine can

  ./fitmotion screen                    a person's whole screen, led by a page in the browser

  ./fitmotion doctor                    what works on this machine, and how to mend what does not
"""

bench = typer.Typer(no_args_is_help=True, help="Measure this machine.")
app.add_typer(bench, name="bench")


def parameter_overrides(texts: list[str]) -> dict[str, dict[str, Any]]:
    """`camera.fps=15` and the like as node -> parameter -> value, each in the type that the parameter has."""
    from fitmotion_nodes.node_parameters import value_from_text

    overrides: dict[str, dict[str, Any]] = {}
    for text in texts:
        left, equals, value = text.partition("=")
        node, dot, name = left.partition(".")
        if not (equals and dot and node and name):
            raise ValueError(f"--param {text}: write NODE.PARAMETER=VALUE, for instance --param camera.jpeg_quality=60")
        overrides.setdefault(node, {})[name] = value_from_text(node, name, value)
    return overrides


def pose_parameters(backend: str, pose_model: str, detector: str) -> dict[str, dict[str, str]]:
    """The pose node's parameters for a backend and its networks as they were given; {} where nothing was.

    Raises ValueError and OSError where a network is missing.
    """
    from fitmotion_models.pose.backends import DEFAULT_BACKEND, BackendChoice, check_choice

    if not (backend or pose_model or detector):
        return {}
    choice = BackendChoice(backend or (DEFAULT_BACKEND if not pose_model else "rtmpose"), pose_model, detector)
    check_choice(choice)
    given = {"backend": choice.name, "pose_model": choice.pose_model, "detector": choice.detector}
    return {"pose": {name: value for name, value in given.items() if value}}


def checked_log_level(level: str) -> str:
    """The level itself; one that ROS does not have is said in one line."""
    if level not in _LOG_LEVELS:
        fail(f"--log-level {level} is unknown; allowed: {', '.join(_LOG_LEVELS)}")
    return level


@app.command()
def up(
    prompt: Annotated[
        str, typer.Argument(help="With --generate: what is generated from the start.", metavar="PROMPT")
    ] = "",
    source: Annotated[
        list[str] | None,
        typer.Option(
            help="A video file, a webcam number, an rtsp:// address or a folder of images; one a camera of a rig.",
            metavar="SOURCE",
        ),
    ] = None,
    calibration: Annotated[
        str, typer.Option(help="The rig's calibration: Calib.toml, .qca.txt or a folder of YAML.", metavar="FILE")
    ] = "",
    replay: Annotated[str, typer.Option(help="A recorded MotionClip instead of a camera.", metavar="CLIP.npz")] = "",
    mover: Annotated[str, typer.Option(help="A built-in moving body instead of a camera: subject, squat, ...")] = "",
    lossless: Annotated[
        bool,
        typer.Option("--lossless", help="Every frame of a recording, however long it takes: the results of `assess`."),
    ] = False,
    record: Annotated[bool, typer.Option("--record", help="Record all messages into the run's folder (MCAP).")] = False,
    loop: Annotated[bool, typer.Option("--loop", help="Start a recording again at its end, until Ctrl-C.")] = False,
    movement: Annotated[str, typer.Option(help=MOVEMENT_HELP, metavar="NAME|auto")] = "deep_squat",
    side: Annotated[
        str, typer.Option(help="The side that is asked for: left, right; both: every repetition says its own.")
    ] = "both",
    board: Annotated[
        bool, typer.Option("--board", help="The squat's heels stand on the 2-inch board (a trial for a 2).")
    ] = False,
    subject: Annotated[str, typer.Option(help="Whose movement it is; a name without spaces.")] = "",
    backend: Backend = "",
    pose_model: PoseModel = "",
    detector: Detector = "",
    tilt: Annotated[
        float | None,
        typer.Option(help="The camera's tilt in degrees, positive looking down. Default: from the standing person."),
    ] = None,
    generate: Annotated[
        bool,
        typer.Option(
            "--generate",
            help="Generate motion, beside whom is watched or, without a source, alone; serves the page.",
        ),
    ] = False,
    fms_score: Annotated[
        str,
        typer.Option(
            "--fms",
            help="Its level: 0 to 3, any, or from-assessment: as the watched person just did, and at its best.",
            metavar="0..3|any|from-assessment",
        ),
    ] = "",
    imu: Annotated[
        str,
        typer.Option(help="Virtual inertial sensors at these places: pelvis,left_wrist,... or all.", metavar="SITES"),
    ] = "",
    imu_preset: Annotated[
        str, typer.Option(help="Whose errors these sensors have: bmi270, xsens-dot, ...; else none.", metavar="NAME")
    ] = "",
    visualize: Annotated[
        bool, typer.Option("--visualize", help="Publish markers, TF, a robot model and the overlay, for rviz.")
    ] = False,
    dashboard: Annotated[
        bool, typer.Option("--dashboard", help="Serve a page with body, picture, criteria and buttons on this machine.")
    ] = False,
    domain: Annotated[int | None, typer.Option(help="ROS domain, 0 to 101. Default: $ROS_DOMAIN_ID, else 0.")] = None,
    namespace: Annotated[str, typer.Option(help="ROS namespace of the nodes, for instance rig_1.")] = "",
    params_file: Annotated[
        Path | None, typer.Option(help="A ROS parameter file (YAML) with your own settings.")
    ] = None,
    param: Annotated[
        list[str] | None, typer.Option(help="One parameter of one node; may be repeated.", metavar="NODE.NAME=VALUE")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder in which this run gets a folder of its own. Default: runs/.")
    ] = None,
    keep_faces: Annotated[
        bool, typer.Option("--keep-faces", help="Leave the faces in the run's report as they are.")
    ] = False,
    log_level: Annotated[str, typer.Option(help="How much the nodes say: debug, info, warn, error.")] = "info",
) -> None:
    """Score a person live: camera, pose and scoring as ROS 2 nodes, with a table of what they find.

    Film the whole body and the floor. The person begins still: upright, or lying or on all fours for the tests on
    the floor; from where a test is filmed best, `./fitmotion assess --help` says. At the end of the video, or on
    Ctrl-C, the assessment is printed and written to runs/<time>/, with a report as a web page (faces blurred).

    Examples:

      ./fitmotion up --source squat.mp4                as if the video were live

      ./fitmotion up --source squat.mp4 --lossless     every frame, for results that can be compared

      ./fitmotion up --source 0 --subject anna         the first webcam

      ./fitmotion up --source 0 --movement auto        any test of the screen, recognised from what is done

      ./fitmotion up --source 0 --movement inline_lunge --side left

      ./fitmotion up --source rtsp://192.168.1.20/stream --param camera.width=1280 --param camera.height=720

      ./fitmotion up --source 0 --dashboard --imu pelvis,right_thigh

      ./fitmotion up --source squat.mp4 --imu pelvis,left_wrist,right_thigh --imu-preset bmi270

      ./fitmotion up --source cam1.mp4 --source cam2.mp4 --calibration rig.toml

      ./fitmotion up --mover squat_heels_up --loop     no camera: a moving body with a known fault

      ./fitmotion up --generate                        generated motion; words and scores on the page

      ./fitmotion up --generate "walks with a limp on the right leg" --fms 1

      ./fitmotion up --source squat.mp4 --generate --fms from-assessment
    """
    import math

    from fitmotion_models.fms.trial import trial_named
    from fitmotion_nodes.up import UpOptions
    from fitmotion_nodes.up import up as run

    if prompt and not generate:
        fail(f"what is meant by {prompt!r}? Words are for --generate; a video is given with --source")
    try:
        trial = trial_named(movement, side=side, board=board)
        parameters = parameter_overrides(param or [])
        if source or replay or mover or not generate:  # what is generated alone nobody scores
            parameters["fms"] = {"side": trial.side.name.lower()} | parameters.get("fms", {})
        for node, chosen in pose_parameters(backend, pose_model, detector).items():
            parameters[node] = chosen | parameters.get(node, {})
    except (ValueError, OSError) as error:
        fail(str(error))
    options = UpOptions(
        source=source[0] if source and len(source) == 1 else "",
        sources=tuple(source) if source and len(source) > 1 else (),
        calibration=calibration,
        replay=replay,
        mover=mover,
        lossless=lossless,
        loop=loop,
        record=record,
        movement=movement.lower(),
        variation=trial.variation.name.lower(),
        subject=subject,
        tilt_deg=math.nan if tilt is None else tilt,
        generate=generate,
        prompt=prompt,
        fms_score=fms_score.replace("-", "_"),
        imu=imu,
        imu_preset=imu_preset,
        visualize=visualize,
        dashboard=dashboard or generate,
        domain=domain,
        namespace=namespace,
        params_file=params_file,
        parameters=parameters,
        out=out,
        keep_faces=keep_faces,
        log_level=checked_log_level(log_level),
    )
    raise typer.Exit(run(options))


app.command("screen")(screen)
app.command("doctor")(doctor.command)
app.command("test", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(testing.command)
app.command("build")(setup_environment.build_command)
bench.command("generate")(bench_generate)
bench.command("imu")(bench_imu)


@bench.command("live")
def bench_live(
    source: Annotated[
        Path | None,
        typer.Option(help="A video, played after the mannequin. Default: the test data's squats.", metavar="VIDEO"),
    ] = None,
    seconds: Annotated[float, typer.Option(help="How long to measure, after 5 s of warm-up.", min=1.0)] = 30.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
    three: Annotated[bool, typer.Option("--three", help="Camera, pose and scoring only, not all nodes.")] = False,
    domain: Annotated[int | None, typer.Option(help="ROS domain, 0 to 101. Default: $ROS_DOMAIN_ID, else 0.")] = None,
) -> None:
    """The live graph, 640x480 at 30 fps in real time: latency, lost frames, cores, memory.

    First camera, pose and scoring alone (three_nodes), then all nodes: three inertial sensors, everything recorded, the
    overlay drawn, somebody looking at the dashboard. Keep the machine quiet meanwhile.

    frames_lost: images that the pose node never answered. latency_ms: from the image's stamp to the scorer's state.
    pose_call_ms: of that, the pose model alone. cpu_cores, memory_mb (PSS): total of the nodes, and each.
    """
    import json

    from fitmotion_nodes.bench import bench_live as run
    from fitmotion_nodes.bench_videos import default_videos
    from fitmotion_nodes.domain_lock import DomainTakenError
    from fitmotion_nodes.up import ros_domain

    try:
        videos = [source] if source else default_videos()
        result = run(videos, seconds=seconds, domain=ros_domain(domain), three_only=three)
    except (ValueError, RuntimeError, DomainTakenError) as error:
        fail(str(error))
    if as_json:
        sys.stdout.write(json.dumps(result, indent=2) + "\n")
        return
    alone = result.pop("three_nodes", None)
    _show_figures("camera, pose and fms" if three else "all nodes", result)
    if alone:
        _show_figures("camera, pose and fms alone", alone)


def _show_figures(title: str, figures: dict[str, Any]) -> None:
    typer.echo(title)
    for name, value in figures.items():
        shown = ", ".join(f"{key} {item}" for key, item in value.items()) if isinstance(value, dict) else value
        typer.echo(f"  {name:16} {shown}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; a wrong option is one line and exit code 2."""
    try:
        code = app(args=arguments, standalone_mode=False, prog_name="./fitmotion")
    except TyperException as error:  # an option or argument that cannot be
        message = error.format_message().strip().rstrip(".")
        context = getattr(error, "ctx", None)
        if message:  # none: the help was asked for by giving no command, and has been printed
            sys.stderr.write(f"fitmotion: {message}; see {getattr(context, 'command_path', './fitmotion')} --help\n")
        return BAD_INPUT_EXIT_CODE
    except (typer.Abort, KeyboardInterrupt):
        return INTERRUPTED_EXIT_CODE
    return int(code or 0)


if __name__ == "__main__":
    sys.exit(main())
