"""Node parameters: checked without ROS, and declared on a real node."""

import dataclasses
import math
import os
from pathlib import Path

import pytest

from fitmotion_nodes.parameters import (
    CameraParameters,
    FmsParameters,
    NodeParameters,
    ParameterError,
    PoseParameters,
    ReplayParameters,
    declare,
    frame_qos,
    from_overrides,
)

KINDS = (CameraParameters, PoseParameters, FmsParameters, ReplayParameters)


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_is_described(kind: type[NodeParameters]) -> None:
    for item in dataclasses.fields(kind):
        assert len(item.metadata["description"]) > 10, item.name
        assert type(item.default) in (bool, int, float, str), item.name


@pytest.mark.parametrize(
    ("kind", "overrides", "words"),
    [
        (CameraParameters, {"widht": 3}, ["unknown parameter widht", "width"]),
        (CameraParameters, {"fps": 30}, ["fps=30", "decimal number", "30.0"]),
        (CameraParameters, {"source": 0}, ["source=0", "quote it"]),
        (CameraParameters, {"loop": 1}, ["loop=1", "true or false"]),
        (CameraParameters, {"jpeg_quality": 101}, ["jpeg_quality=101", "1 to 100"]),
        (CameraParameters, {"fps": math.nan}, ["fps=nan", "out of range"]),
        (CameraParameters, {"width": 640}, ["width=640", "height=0"]),
        (CameraParameters, {"source": "2", "lossless": True}, ["source=2", "cannot wait"]),
        (CameraParameters, {"source": "rtsp://x/y", "lossless": True}, ["rtsp://x/y", "cannot wait"]),
        (CameraParameters, {"source": "a.mp4", "lossless": True, "loop": True}, ["never end"]),
        (CameraParameters, {"calibration_file": "/no/such.yaml"}, ["/no/such.yaml", "no such file"]),
        (PoseParameters, {"tilt": 6.0}, ["tilt=6.0", "radians", "0.1047"]),
        (PoseParameters, {"subject": "Anna Maria"}, ["'Anna Maria'", "letters"]),
        (PoseParameters, {"lossless": True, "qos_reliability": "best_effort"}, ["best_effort", "auto"]),
        (PoseParameters, {"lossless": True, "qos_depth": 3}, ["qos_depth=3"]),
        (PoseParameters, {"qos_reliability": "perhaps"}, ["'perhaps'", "reliable"]),
        (FmsParameters, {"movement": "squat"}, ["'squat'", "deep_squat"]),
        (
            FmsParameters,
            {"movement": "hurdle_step", "variation": "deep_squat_floor"},
            ["variation=deep_squat_floor", "hurdle_step_left"],
        ),
        (FmsParameters, {"person": "Anna"}, ["person='Anna'", "records=data/fitmotion.sqlite"]),
        (FmsParameters, {"resume": True}, ["resume=true", "need records"]),
        (ReplayParameters, {}, ["exactly one"]),
        (ReplayParameters, {"clip": "/no/clip.npz"}, ["/no/clip.npz"]),
    ],
)
def test_what_cannot_be_used_is_refused_with_one_sentence(
    kind: type[NodeParameters], overrides: dict[str, object], words: list[str]
) -> None:
    with pytest.raises(ParameterError) as caught:
        from_overrides(kind, overrides)
    text = str(caught.value)
    assert "\n" not in text
    for word in words:
        assert word in text


def test_parameters_of_rclpy_are_nobodys_mistake() -> None:
    overrides = {"use_sim_time": True, "qos_overrides./image_raw.publisher.depth": 3}
    assert from_overrides(PoseParameters, overrides) == PoseParameters()


def test_reliability_follows_the_mode_unless_it_is_said() -> None:
    assert not PoseParameters().reliable
    assert PoseParameters(lossless=True).reliable
    assert PoseParameters(qos_reliability="reliable").reliable


@pytest.fixture
def node():  # type: ignore[no-untyped-def]
    rclpy = pytest.importorskip("rclpy")
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    context = rclpy.Context()
    rclpy.init(context=context, args=["--ros-args", "-p", "jpeg_quality:=70", "--disable-external-lib-logs"])
    made = rclpy.create_node("declared", context=context)
    yield made
    made.destroy_node()
    rclpy.shutdown(context=context)


def test_declared_parameters_are_described_and_ranged(node) -> None:  # type: ignore[no-untyped-def]
    value = declare(node, CameraParameters, on_change=lambda new: None)
    assert value == CameraParameters(jpeg_quality=70)
    quality = node.describe_parameter("jpeg_quality")
    assert not quality.read_only
    assert (quality.integer_range[0].from_value, quality.integer_range[0].to_value) == (1, 100)
    assert node.describe_parameter("width").read_only
    assert "reliable" in node.describe_parameter("qos_reliability").additional_constraints


def test_a_change_is_checked_and_the_node_hears_of_it(node) -> None:  # type: ignore[no-untyped-def]
    from rclpy.parameter import Parameter

    heard: list[CameraParameters] = []
    declare(node, CameraParameters, on_change=heard.append)
    results = node.set_parameters(
        [Parameter("jpeg_quality", value=500), Parameter("width", value=3), Parameter("jpeg_quality", value=20)]
    )
    assert [result.successful for result in results] == [False, False, True]
    assert [new.jpeg_quality for new in heard] == [20]


def test_without_a_listener_nothing_may_change(node) -> None:  # type: ignore[no-untyped-def]
    from rclpy.parameter import Parameter

    declare(node, CameraParameters)
    assert not node.set_parameters([Parameter("jpeg_quality", value=20)])[0].successful


def test_quality_of_service_follows_the_parameters() -> None:
    qos = pytest.importorskip("rclpy.qos")
    live, lossless = frame_qos(PoseParameters()), frame_qos(PoseParameters(lossless=True))
    assert (live.reliability, live.depth) == (qos.ReliabilityPolicy.BEST_EFFORT, 5)
    assert (lossless.reliability, lossless.history) == (qos.ReliabilityPolicy.RELIABLE, qos.HistoryPolicy.KEEP_ALL)
    assert frame_qos(PoseParameters(qos_depth=1)).depth == 1


def test_calibration_file_may_exist(tmp_path: Path) -> None:
    path = tmp_path / "camera.yaml"
    path.write_text("image_width: 640\n")
    assert CameraParameters(calibration_file=str(path)).calibration_file == str(path)
