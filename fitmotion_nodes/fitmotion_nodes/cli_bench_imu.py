"""`./fitmotion bench imu`: what live virtual sensors cost, and what they read beside a recording."""

import sys
from typing import Annotated, Any

import typer

from fitmotion_models.cli_tools import fail


def bench_imu(
    replay: Annotated[
        str,
        typer.Option(
            help="Who wears the sensors: a MotionClip or a recording. Default: a squatting body.",
            metavar="CLIP.npz|RUN.mcap",
        ),
    ] = "",
    imu: Annotated[str, typer.Option(help="Where sensors sit: pelvis,left_wrist,... or all.", metavar="SITES")] = "all",
    rate: Annotated[float, typer.Option(help="Samples a second of every sensor.", min=1.0, max=1000.0)] = 200.0,
    imu_preset: Annotated[
        str, typer.Option(help="Measure once more with the errors of this sensor; empty: do not.", metavar="NAME")
    ] = "bmi270",
    seconds: Annotated[float, typer.Option(help="How long each number of subscribers is measured.", min=1.0)] = 10.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
    domain: Annotated[int | None, typer.Option(help="ROS domain, 0 to 101. Default: $ROS_DOMAIN_ID, else 0.")] = None,
) -> None:
    """Live virtual sensors: processor time by subscribers, lag, and the difference to the same poses offline.

    The body is played in real time beside the node that wears the sensors, as processes over DDS. It takes two minutes.

    cpu_percent: of one core, of the virtual_imu process: while nobody listens, with one subscriber, with one and with
    two at every sensor, and what a subscriber adds. With a preset once more, with its errors.

    live_against_offline: one pass of the body, every sample beside the offline sensors' on the same poses, which know
    what comes later; losslessly and in real time, where a busy machine is late with poses. rms in m/s2 and rad/s, also
    in percent of what the sensor's widest axis spans, median and worst of those that move; r; shift_ms: how late the
    angular velocities are against their own stamps; missing: samples that did not come.

    lag_ms: how far samples are behind the newest pose when they are sent, and how old they are where they are heard.

    Examples:

      fitmotion bench imu

      fitmotion bench imu --json --replay walk.npz --seconds 30

      fitmotion bench imu --imu pelvis,left_wrist,right_thigh --rate 100
    """
    import json

    from fitmotion_nodes.bench_imu import BenchImuOptions
    from fitmotion_nodes.bench_imu import bench_imu as run
    from fitmotion_nodes.domain_lock import DomainTakenError
    from fitmotion_nodes.up import ros_domain

    def tell(step: str) -> None:
        if not as_json:
            sys.stderr.write(f"{step} ...\n")

    sites = tuple(name.strip() for name in imu.split(",") if name.strip())
    try:
        result = run(BenchImuOptions(replay, sites, rate, imu_preset, seconds), domain=ros_domain(domain), on_step=tell)
    except (ValueError, OSError, RuntimeError, DomainTakenError) as error:
        fail(str(error))
    typer.echo(json.dumps(result, indent=2) if as_json else as_text(result))


def as_text(result: dict[str, Any], indent: str = "") -> str:
    """The figures, one a line, groups indented."""
    lines = []
    for name, value in result.items():
        if isinstance(value, dict):
            lines += [f"{indent}{name}", as_text(value, f"{indent}  ")]
        else:
            lines.append(f"{indent}{name:24} {value}")
    return "\n".join(lines)
