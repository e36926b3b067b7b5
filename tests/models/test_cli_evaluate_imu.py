"""`fitmotion evaluate imu`: what is refused before work starts, and what the curve over noise and the costs tell."""

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fitmotion_models.cli import app
from fitmotion_models.evaluation.imu_methods import OTHERS, OURS
from fitmotion_models.evaluation.imu_speed import MINUTES

DATA = Path(os.environ.get("FITMOTION_DATA", Path(__file__).parents[3] / "shared" / "data"))


def run(*arguments: str):
    return CliRunner().invoke(app, ["evaluate", "imu", *arguments])


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--only", "nois"], "--only nois is unknown; known: broad, utd, noise, har, speed"),
        (["--only", "broad", "--broad", "nowhere"], "nowhere is not there, which broad needs"),
        (["--only", "speed", "--plot", "curve.png"], "it needs the part noise"),
        (["--only", "noise", "--plot", "curve.txt"], "a picture's name ends in"),
    ],
)
def test_bad_input_ends_with_a_sentence_and_code_2(arguments, sentence, tmp_path) -> None:
    (tmp_path / "cmu-01-03.tar.xz").write_text("no archive")
    result = run("--data", str(tmp_path), *arguments)
    assert result.exit_code == 2
    assert sentence in result.stderr and result.stderr.count("\n") == 1 and not result.stdout


def test_the_help_has_examples() -> None:
    result = run("--help")
    assert result.exit_code == 0 and "fitmotion evaluate imu --only broad,speed" in " ".join(result.stdout.split())


@pytest.mark.slow
def test_noise_costs_us_least_and_a_picture_shows_it(tmp_path) -> None:
    if not (DATA / "cmu-01-03.tar.xz").exists():
        pytest.skip(f"no CMU recordings in {DATA}; set FITMOTION_DATA to the folder that holds them")
    picture = tmp_path / "noise.png"
    result = run("--data", str(DATA), "--only", "noise", "--json", "--plot", str(picture))
    assert result.exit_code == 0, result.stderr
    levels = json.loads(result.stdout)["noise"]
    ours = [level["methods"][OURS] for level in levels]
    # the more noise the less is left, and the lower the low-pass that is found
    for before, after in zip(ours, ours[1:], strict=False):
        assert after["acc_r"] < before["acc_r"] and after["gyro_r"] < before["gyro_r"]
    assert levels[-1]["position_hz"] < 0.5 * levels[0]["position_hz"]
    camera = next(level for level in levels if level["position_mm"] == 20.0)
    for name in OTHERS:
        other = camera["methods"][name]
        assert camera["methods"][OURS]["acc_r"] > other["acc_r"] + 0.1, name
        assert camera["methods"][OURS]["gyro_rmse"] < 0.8 * other["gyro_rmse"], name
    assert picture.stat().st_size > 10_000


@pytest.mark.slow
def test_costs_are_told_beside_others_and_memory_is_flat() -> None:
    result = run("--only", "speed", "--json")
    assert result.exit_code == 0, result.stderr
    speed = json.loads(result.stdout)["speed"]
    # a machine that does other things is no ruler: a fifth of what is asked for when it is quiet
    assert speed["sites"] == 13 and speed["times_real_time"] > 200
    assert speed["others"]["quintic smoothing spline"]["ratio"] > 3.0
    few, many = (speed["peak_mb_by_minutes"][str(minutes)] for minutes in MINUTES)
    assert many < 1.1 * few
