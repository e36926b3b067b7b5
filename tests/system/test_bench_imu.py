"""`./fitmotion bench imu` on real processes: figures that hang together, and bad input in one line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fitmotion_models.mover import SquatParameters, squat_clip
from fitmotion_models.skeleton.clip_file import save_clip

from .conftest import once_unless_long

pytestmark = once_unless_long


def test_the_figures_of_two_sensors(fitmotion: Callable[..., Any], tmp_path: Path) -> None:
    save_clip(tmp_path / "squat.npz", squat_clip(SquatParameters(repetitions=1), fps=30.0))
    run = fitmotion(
        *("bench", "imu", "--json", "--replay", str(tmp_path / "squat.npz"), "--imu", "pelvis,left_wrist"),
        *("--seconds", "4", "--imu-preset", ""),
    )
    assert run.wait(240.0) == 0, run.stderr
    found = json.loads(run.stdout)
    assert (found["body"], found["sites"], found["rate_hz"]) == ("squat.npz", 2, 200.0)
    cost = found["cpu_percent"]
    assert 0.0 < cost["no_subscriber"] < cost["one_each"]
    assert cost["first_adds"] == pytest.approx(cost["one_subscriber"] - cost["no_subscriber"], abs=0.02)
    lag = found["lag_ms"]
    assert lag["configured"] == 100.0 <= lag["behind_newest_pose_p50"] < lag["until_heard_p50"]
    exact = found["live_against_offline"]
    assert exact["missing"] == 0 and exact["poses"] > 100 and exact["samples"] > 100
    for quantity in ("force", "rate"):
        assert exact[quantity]["percent_of_range_worst"] < 1.0 and exact[quantity]["r"] > 0.999
    assert abs(exact["shift_ms"]) < 0.5
    assert found["live_against_offline_in_real_time"]["samples"] > 100


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--imu", "tail"), "site 'tail' is unknown; known: all, pelvis"),
        (("--imu-preset", "bmi999"), "sensor 'bmi999' is unknown; known: ideal"),
        (("--replay", "/none/walk.npz"), "/none/walk.npz: no such file"),
        (("--imu", ""), "no site is named"),
    ],
)
def test_what_cannot_be_measured_is_said_in_one_line(
    fitmotion: Callable[..., Any], arguments: tuple[str, ...], sentence: str
) -> None:
    run = fitmotion("bench", "imu", "--json", *arguments)
    assert run.wait() == 2
    assert sentence in run.stderr and len(run.stderr.strip().splitlines()) == 1, run.stderr
    assert run.stdout == ""
