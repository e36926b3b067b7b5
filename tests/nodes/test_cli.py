"""The command line, the choice of a source, and the sums of the measurement."""

import math
from pathlib import Path

import numpy as np
import pytest

from fitmotion_nodes import sources
from fitmotion_nodes.bench_records import BenchError, FrameRecords, summary, usage
from fitmotion_nodes.bench_videos import HEIGHT, WIDTH, letterbox
from fitmotion_nodes.cli import main
from fitmotion_nodes.node_parameters import value_from_text
from fitmotion_nodes.parameters import ParameterError
from fitmotion_nodes.up import ros_domain


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["up", "--souce", "x"], ["--souce", "./fitmotion up --help"]),
        (["up", "--domain", "many"], ["--domain"]),
        (["dance"], ["dance"]),
        (["up", "--mover", "squat", "--param", "speed=2"], ["speed=2", "NODE.PARAMETER=VALUE"]),
        (["up", "--mover", "squat", "--log-level", "loud"], ["loud", "debug, info"]),
    ],
)
def test_a_wrong_option_is_one_line(capsys: pytest.CaptureFixture[str], arguments: list[str], words: list[str]) -> None:
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert said.err.count("\n") == 1
    assert said.out == ""
    for word in words:
        assert word in said.err


def test_help_teaches_with_examples(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["up", "--help"]) == 0
    text = capsys.readouterr().out
    assert "./fitmotion up --source squat.mp4" in text and "--imu-preset" in text
    assert main(["bench", "imu", "--help"]) == 0
    assert "fitmotion bench imu --json --replay walk.npz" in capsys.readouterr().out
    assert main(["--help"]) == 0
    listed = capsys.readouterr().out
    for command in ("up", "assess", "bench", "doctor", "test"):
        assert command in listed


@pytest.mark.parametrize(
    ("node", "name", "text", "value"),
    [
        ("camera", "fps", "15", 15.0),
        ("camera", "source", "0", "0"),
        ("camera", "loop", "True", True),
        ("camera", "width", "640", 640),
    ],
)
def test_a_parameter_is_read_in_its_own_type(node: str, name: str, text: str, value: object) -> None:
    read = value_from_text(node, name, text)
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize(
    ("node", "name", "text"), [("cam", "fps", "1"), ("camera", "fsp", "1"), ("camera", "fps", "x")]
)
def test_a_parameter_that_is_none_is_named(node: str, name: str, text: str) -> None:
    with pytest.raises(ParameterError, match=rf"{node}\.{name}"):
        value_from_text(node, name, text)


def test_the_domain_comes_from_the_option_then_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROS_DOMAIN_ID", "7")
    assert (ros_domain(None), ros_domain(3)) == (7, 3)
    monkeypatch.setenv("ROS_DOMAIN_ID", "seven")
    with pytest.raises(ValueError, match="ROS_DOMAIN_ID=seven"):
        ros_domain(None)


def test_without_a_source_the_first_webcam_else_the_built_in_subject(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "first_webcam", lambda: "2")
    assert sources.choose().source == "2"
    monkeypatch.setattr(sources, "first_webcam", lambda: None)
    chosen = sources.choose()
    assert (chosen.source, chosen.mover) == ("", "subject")
    assert "no webcam" in chosen.notice


def test_counts_and_percentiles_of_a_measurement() -> None:
    records = FrameRecords()
    for index in range(100):
        stamp = 10.0 + index / 30
        records.hear("captured", stamp, stamp + 0.001)
        if index % 10:
            records.hear("posed", stamp, stamp + 0.02)
            records.hear("scored", stamp, stamp + 0.001 * index)
    result = summary(records.between(10.0, 11.0), [(16.0, 20.0), (18.0, 22.0)])
    assert (result["frames_in"], result["frames_scored"], result["frames_lost"]) == (30, 27, 3)
    assert result["latency_ms"]["p50"] == pytest.approx(15.0)  # of 1..29 without 10 and 20
    assert result["pose_call_ms"] == {"p50": 17.0, "p95": 21.0}
    with pytest.raises(BenchError, match="no image was scored"):
        summary(FrameRecords(), [])


def test_a_process_is_measured_from_outside() -> None:
    import os

    before = usage(os.getpid())
    held = np.ones(80_000_000 // 8)  # so much that it can't come from memory the process has already
    while usage(os.getpid()).cpu_s < before.cpu_s + 0.05:
        math.factorial(2000)
    assert usage(os.getpid()).memory_mb > before.memory_mb + 60
    assert held.sum() > 0
    with pytest.raises(BenchError, match="cannot be measured"):
        usage(2**22 + 1)  # beyond the greatest process id of Linux


@pytest.mark.parametrize("size", [(1920, 1080), (270, 480), (480, 640)])
def test_a_whole_picture_in_the_middle(size: tuple[int, int]) -> None:
    framed = letterbox(np.full((*size, 3), 200, np.uint8))
    assert framed.shape == (HEIGHT, WIDTH, 3)
    rows, columns = np.nonzero(framed[:, :, 0] > 100)
    shown = (rows.max() - rows.min() + 1, columns.max() - columns.min() + 1)
    assert shown[0] / shown[1] == pytest.approx(size[0] / size[1], rel=0.02)
    assert abs(columns.min() - (WIDTH - 1 - columns.max())) <= 1


def test_a_source_is_checked_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="exclude each other"):
        sources.choose(source="0", mover="squat")
    with pytest.raises(ValueError, match=r"nothing\.npz: no such file"):
        sources.choose(replay=str(tmp_path / "nothing.npz"))
    with pytest.raises(ValueError, match="'rabbit' is unknown"):
        sources.choose(mover="rabbit")
    assert sources.choose(source="rtsp://127.0.0.1:9/none").source  # only the camera node asks the network
