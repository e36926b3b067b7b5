"""`./fitmotion doctor`: what is installed, what can be used, and how to mend what is missing."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from fitmotion_nodes.setup_layout import Layout
from fitmotion_nodes.setup_progress import SetupError

RAW_IMAGE_SEGMENT_BYTES = (
    67_108_864  # what each publisher of raw images maps; see config of the shared-memory transport
)
FREE_DISK_WARNING_BYTES = 1_000_000_000


class State(StrEnum):
    """GOOD: usable. WARNING: something will not work. BAD: FitMotion does not work without it."""

    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. remedy: how to mend it; empty when it is good."""

    name: str
    state: State
    detail: str
    remedy: str = ""


def check_python() -> Iterator[Finding]:
    """The interpreter, and whether it belongs to this checkout's environment."""
    version = sys.version.split()[0]
    if sys.version_info[:2] not in ((3, 11), (3, 12)):
        yield Finding("Python", State.BAD, f"{version}; 3.11 or 3.12 is needed", "start with ./fitmotion")
        return
    yield Finding("Python", State.GOOD, f"{version} in {sys.prefix}")


def check_ros() -> Iterator[Finding]:
    """Which ROS 2 is used, and that its client library works."""
    try:
        layout = Layout.of_this_process()
    except SetupError as error:
        yield Finding("ROS 2", State.BAD, str(error), "run ./fitmotion doctor")
        return
    distro = layout.distro.capitalize()
    where = f"from PyPI, in {layout.venv.name}" if layout.wheels else f"installed in {layout.ros_prefix}"
    try:
        from rclpy.utilities import get_rmw_implementation_identifier

        middleware = get_rmw_implementation_identifier()
    except Exception as error:
        remedy = "./fitmotion build --clean" if layout.wheels else "install ros-<distro>-rclpy and a middleware"
        yield Finding("ROS 2", State.BAD, f"{distro} {where}: {error}", remedy)
        return
    yield Finding("ROS 2", State.GOOD, f"{distro} {where}, {middleware}")
    domain = os.environ.get("ROS_DOMAIN_ID", "0")
    reach = os.environ.get("ROS_AUTOMATIC_DISCOVERY_RANGE", "not set")
    yield Finding("ROS 2 network", State.GOOD, f"ROS_DOMAIN_ID {domain}, ROS_AUTOMATIC_DISCOVERY_RANGE {reach}")


def check_messages() -> Iterator[Finding]:
    """That the messages are built and their libraries load."""
    try:
        from fitmotion_msgs.msg import BodyPose

        BodyPose.__class__.__import_type_support__()
    except Exception as error:
        yield Finding("Messages", State.BAD, f"fitmotion_msgs does not load: {error}", "./fitmotion build --clean")
        return
    yield Finding("Messages", State.GOOD, "fitmotion_msgs is built")


def check_pose_backends() -> Iterator[Finding]:
    """The backend that needs nothing but what is installed, by loading it."""
    from fitmotion_models.pose.backends import DEFAULT_BACKEND, make_backend

    label = f"Pose backend {DEFAULT_BACKEND}"
    try:
        with silent_stderr():
            backend = make_backend(DEFAULT_BACKEND)
            name = backend.name
            backend.close()
    except Exception as error:
        remedy = "remove .venv and run ./fitmotion again, which installs requirements.lock"
        yield Finding(label, State.BAD, str(error), remedy)
    else:
        yield Finding(label, State.GOOD, name)


def check_pose_networks() -> Iterator[Finding]:
    """Every network that was downloaded or added, by loading it: which engine it gets, and why not a better one."""
    from fitmotion_models.pose.catalogue import installed_names, models_folder
    from fitmotion_models.pose.model_store import engine_of

    names = installed_names()
    if not names:
        yield Finding("Pose networks", State.GOOD, "none downloaded; `./fitmotion models list` shows those there are")
    for name in names:
        try:
            with silent_stderr():
                engine = engine_of(models_folder() / name)
        except Exception as error:
            yield Finding(
                f"Pose network {name}", State.WARNING, str(error), f"./fitmotion models download {name} --again"
            )
        else:
            yield Finding(f"Pose network {name}", State.GOOD, engine)


def check_onnxruntime() -> Iterator[Finding]:
    """The execution providers of ONNX Runtime."""
    try:
        import onnxruntime
    except ImportError as error:
        yield Finding("ONNX Runtime", State.WARNING, str(error), "remove .venv and run ./fitmotion again")
        return
    providers = [name.removesuffix("ExecutionProvider") for name in onnxruntime.get_available_providers()]
    yield Finding("ONNX Runtime", State.GOOD, f"{onnxruntime.__version__}: {', '.join(providers)}")


def check_generation() -> Iterator[Finding]:
    """The motion model by loading it, and the engines that could run it."""
    from fitmotion_models.motion.sampler import engines_here, load_sampler
    from fitmotion_models.motion.text import check_encoder, load_text_encoder

    remedy = "./fitmotion build, which installs requirements.lock; weights are made by ./fitmotion train motion"
    try:
        with silent_stderr():
            sampler = load_sampler()
            card = sampler.card
            if card.encoder == "minilm":  # others may have to be downloaded first
                check_encoder(load_text_encoder(), card.encoder, card.text_size, card.name)
    except Exception as error:
        yield Finding("Motion generation", State.WARNING, str(error), remedy)
    else:
        yield Finding("Motion generation", State.GOOD, f"{card.name} on {sampler.engine}, text by {card.encoder}")
    engines = "; ".join(f"{name}: {said}" for name, said in engines_here().items())
    yield Finding("Generation engines", State.GOOD, engines)


def check_cameras(devices: Path = Path("/dev"), system: Path = Path("/sys/class/video4linux")) -> Iterator[Finding]:
    """The video devices of this machine and whether this user may open them."""
    found = sorted(devices.glob("video[0-9]*"), key=lambda path: int(path.name.removeprefix("video")))
    if not found:
        yield Finding(
            "Cameras",
            State.WARNING,
            "none",
            "plug one in, or use a file: ./fitmotion up --source squat.mp4 (in a container: --device /dev/video0)",
        )
    for path in found:
        label = system / path.name / "name"
        name = label.read_text().strip() if label.exists() else "video device"
        if os.access(path, os.R_OK | os.W_OK):
            yield Finding(f"Camera {path.name.removeprefix('video')}", State.GOOD, f"{name} ({path})")
        else:
            remedy = "sudo usermod -aG video $USER, then log in again"
            yield Finding(f"Camera {path.name.removeprefix('video')}", State.WARNING, f"{path}: not allowed", remedy)


def check_disk() -> Iterator[Finding]:
    """That results can be written, and that there is room for them."""
    root = Path(os.environ.get("FITMOTION_ROOT", "."))
    runs = root / "runs"
    target = runs if runs.exists() else root
    if not os.access(target, os.W_OK):
        yield Finding("Results folder", State.WARNING, f"{target} is not writable", "use --out FOLDER")
        return
    free = shutil.disk_usage(target).free
    if free < FREE_DISK_WARNING_BYTES:
        yield Finding("Results folder", State.WARNING, f"{runs}: {free / 1e9:.1f} GB free", "make room on that disk")
    else:
        yield Finding("Results folder", State.GOOD, f"{runs}: {free / 1e9:.0f} GB free")


def check_shared_memory(folder: Path = Path("/dev/shm")) -> Iterator[Finding]:
    """Room for the shared-memory segments that raw images travel through."""
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        yield Finding(
            "Shared memory", State.WARNING, f"{folder} is not writable: raw images go through UDP and many get lost", ""
        )
        return
    usage = shutil.disk_usage(folder)
    detail = f"{usage.free / 1e6:.0f} of {usage.total / 1e6:.0f} MB free"
    if usage.free < 2 * RAW_IMAGE_SEGMENT_BYTES:
        remedy = "in a container: --ipc=host or --shm-size=1g; else remove leftovers (fastrtps_*) of dead processes"
        yield Finding("Shared memory", State.WARNING, detail, remedy)
    else:
        yield Finding("Shared memory", State.GOOD, detail)


def check_data() -> Iterator[Finding]:
    """The recordings that the tests measure with; without them those tests are skipped."""
    root = Path(os.environ.get("FITMOTION_ROOT", "."))
    folder = Path(os.environ.get("FITMOTION_DATA", root.parent / "shared" / "data"))
    if folder.is_dir():
        yield Finding("Test recordings", State.GOOD, str(folder))
    else:
        yield Finding(
            "Test recordings",
            State.WARNING,
            f"{folder} is not there; tests on real recordings are skipped",
            "set FITMOTION_DATA to the folder that holds them",
        )


@contextlib.contextmanager
def silent_stderr() -> Iterator[None]:
    """Send what C++ libraries write to the error stream nowhere."""
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


CHECKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    check_python,
    check_ros,
    check_messages,
    check_pose_backends,
    check_pose_networks,
    check_onnxruntime,
    check_generation,
    check_cameras,
    check_disk,
    check_shared_memory,
    check_data,
)


def examine() -> list[Finding]:
    """Everything that the doctor looks at."""
    return [finding for check in CHECKS for finding in check()]


def command(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Say what is installed and usable, and how to mend what is not. Exit code 1 when something needed is missing."""
    findings = examine()
    healthy = all(finding.state is not State.BAD for finding in findings)
    if as_json:
        sys.stdout.write(json.dumps({"healthy": healthy, "findings": [asdict(f) for f in findings]}, indent=2) + "\n")
    else:
        _show(findings, healthy)
    raise typer.Exit(0 if healthy else 1)


def _show(findings: list[Finding], healthy: bool) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    marks = {State.GOOD: "[green]good[/]", State.WARNING: "[yellow]warning[/]", State.BAD: "[red]bad[/]"}
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in findings:
        table.add_row(finding.name, marks[finding.state], escape(finding.detail))
        if finding.remedy:
            table.add_row("", "", f"[bold]{escape(finding.remedy)}[/]")
    console = Console()
    console.print(table)
    console.print("FitMotion can run here." if healthy else "FitMotion can not run here until what is bad is mended.")
