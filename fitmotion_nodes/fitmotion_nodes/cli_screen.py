"""`./fitmotion screen`: a person's whole Functional Movement Screen, led by a page or from the terminal."""

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fitmotion_models.cli_records import Database, records_at
from fitmotion_models.cli_tools import Backend, Detector, PoseModel, fail

if TYPE_CHECKING:
    from fitmotion_models.fms.anthropometry import Anthropometry
    from fitmotion_models.fms.records import Person
    from fitmotion_models.viewer.page_controls import StartScreen

_SEXES = ("female", "male")


def screen(
    person: Annotated[
        str, typer.Option(help="Name or code of the person. Without it the page's form asks.", metavar="NAME")
    ] = "",
    measured_by: Annotated[str, typer.Option(help="Who measures.", metavar="NAME")] = "",
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with an open screen: of --person, else the latest.")
    ] = False,
    consent: Annotated[
        bool,
        typer.Option(
            "--consent", help="The person agrees to being measured and kept. Needed once; begins without the form."
        ),
    ] = False,
    height: Annotated[float | None, typer.Option(help="Height in metres. Default: as the records say.")] = None,
    hand_length: Annotated[
        float | None,
        typer.Option(help="Wrist crease to tip of the middle finger in metres. Default: as the records say."),
    ] = None,
    sex: Annotated[str, typer.Option(help="female or male: where the hands lie in the push-up.")] = "",
    recognise: Annotated[
        bool, typer.Option("--recognise", help="Any test in any order is scored as the test that it is.")
    ] = False,
    source: Annotated[
        str,
        typer.Option(help="A webcam number, an rtsp:// address, a video file or a folder of images.", metavar="SOURCE"),
    ] = "",
    replay: Annotated[
        str, typer.Option(help="A MotionClip or a recording instead of a camera.", metavar="CLIP.npz|RUN.mcap")
    ] = "",
    mover: Annotated[str, typer.Option(help="A built-in moving body instead of a camera: squat, screen, ...")] = "",
    backend: Backend = "",
    pose_model: PoseModel = "",
    detector: Detector = "",
    loop: Annotated[bool, typer.Option("--loop", help="Start a file or mover again at its end, until Ctrl-C.")] = False,
    records: Database = None,
    port: Annotated[int, typer.Option(help="Port of the page.", min=0, max=65535)] = 8080,
    record: Annotated[bool, typer.Option("--record", help="Record all messages into the run's folder (MCAP).")] = False,
    domain: Annotated[int | None, typer.Option(help="ROS domain, 0 to 101. Default: $ROS_DOMAIN_ID, else 0.")] = None,
    namespace: Annotated[str, typer.Option(help="ROS namespace of the nodes, for instance rig_1.")] = "",
    param: Annotated[
        list[str] | None, typer.Option(help="One parameter of one node; may be repeated.", metavar="NODE.NAME=VALUE")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder in which this run gets a folder of its own. Default: runs/.")
    ] = None,
    log_level: Annotated[str, typer.Option(help="How much the nodes say: debug, info, warn, error.")] = "info",
) -> None:
    """Lead a person through the Functional Movement Screen: seven tests, both sides, scored live.

    Open the page that is printed (http://127.0.0.1:8080). Its form asks for the person, consent and measures; then a
    card shows each step: what to say to the person, what the camera should see and where it stands. Attempts are
    counted and scored as they happen; after three, or a 3, the next step comes. The page asks for pain and the clearing
    tests, offers the board when the squat fails, and takes your own grade over or beside ours.

    Everything is kept as it happens. Ctrl-C leaves the screen open, and so does a crash or a power cut: `./fitmotion
    screen --resume` goes on. At the end the table is printed, and the report is written to runs/<time>/ as screen.html
    and screen.pdf.

    The terminal can lead too, without a page: n next, b back, r repeat, s skip the test, p pain, o no pain, f finish.
    Scripts use the services: fms/start_screen, screen/next, fms/report_pain, fms/set_score, fms/finish_screen ...

    Examples:

      ./fitmotion screen                                       the first webcam; the page asks for the rest

      ./fitmotion screen --person anna --measured-by kim --consent --height 1.68 --hand-length 0.185

      ./fitmotion screen --person anna --resume                after a break, or a crash

      ./fitmotion screen --person demo --consent --mover screen --recognise     a moving body does all seven tests
    """
    from fitmotion_models.fms.anthropometry import Anthropometry, Sex
    from fitmotion_models.fms.records import default_path
    from fitmotion_models.viewer.page_controls import StartScreen
    from fitmotion_nodes.cli import checked_log_level, parameter_overrides, pose_parameters
    from fitmotion_nodes.screen_run import ScreenOptions
    from fitmotion_nodes.screen_run import screen as run
    from fitmotion_nodes.up import UpOptions

    if sex not in ("", *_SEXES):
        fail(f"--sex {sex} is unknown; allowed: {' and '.join(_SEXES)}, or leave it out")
    try:
        body = Anthropometry(height, hand_length, Sex[sex.upper()] if sex else Sex.UNKNOWN)
        parameters = parameter_overrides(param or [])
        for node, chosen in pose_parameters(backend, pose_model, detector).items():
            parameters[node] = chosen | parameters.get(node, {})
    except (ValueError, OSError) as error:
        fail(str(error))
    parameters.setdefault("dashboard", {}).setdefault("port", port)
    form = StartScreen(person.strip(), measured_by.strip(), consent, height or 0.0, hand_length or 0.0, sex, resume)
    options = UpOptions(
        source=source,
        replay=replay,
        mover=mover,
        loop=loop,
        record=record,
        tilt_deg=math.nan,
        domain=domain,
        namespace=namespace,
        parameters=parameters,
        out=out,
        log_level=checked_log_level(log_level),
    )
    path = records or default_path()
    known = _resumed(path, form.person) if resume else _entered(path, form, body)
    if known is not None:
        known_sex = "" if known.sex is Sex.UNKNOWN else known.sex.name.lower()
        form = replace(form, person=known.name, sex=form.sex or known_sex)
    raise typer.Exit(run(options, ScreenOptions(path, form, known is not None, recognise)))


def _resumed(path: Path, name: str) -> "Person":
    """Whose open screen goes on: the latest of this person, or of all."""
    with records_at(path) as records:
        visits = records.open_sessions(name)
        if not visits:
            whose = f"{name} has no" if name else "nobody has an"
            fail(f"{whose} open screen in {path}; leave out --resume to begin one")
        return records.person(visits[-1].person)


def _entered(path: Path, form: "StartScreen", body: "Anthropometry") -> "Person | None":
    """Enter consent and measures into the records; None where the person or their consent has to be asked first."""
    from fitmotion_models.fms.records.rows import folded

    if not form.person:
        return None
    with records_at(path) as records:
        if folded(form.person) not in {folded(one.name) for one in records.persons()}:
            if not form.consent:
                return None
            records.add_person(form.person, consent=True)
        elif form.consent:
            records.set_consent(form.person, True)
        person = records.set_body(form.person, body)
        return person if person.consent else None
