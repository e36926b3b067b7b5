"""The virtual_imu node's sensors with errors: noise, losses, orientation, magnetic field, and who listens when."""

import subprocess
from dataclasses import replace

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Imu, MagneticField

from fitmotion_models.evaluation.imu_analytic import rigid_clip
from fitmotion_models.imu import LiveImu, select_sites
from fitmotion_models.imu.magnetic_field import world_field
from fitmotion_models.mover import SquatParameters, squat_clip
from fitmotion_models.skeleton.rotations import conjugate, multiply, rotate, to_rotvec
from fitmotion_msgs.msg import BodyPose
from fitmotion_nodes.conversions import body_pose_to_msg, stamp_from_msg
from fitmotion_nodes.imu_wearers import Wearer, Worn
from fitmotion_nodes.parameters import ParameterError, StreamParameters, frame_qos
from fitmotion_nodes.virtual_imu import VirtualImuNode
from fitmotion_nodes.virtual_imu_parameters import VirtualImuParameters

LOSSLESS = frame_qos(StreamParameters(lossless=True))
LIVE = frame_qos(StreamParameters())
EAR = QoSProfile(depth=1000, reliability=ReliabilityPolicy.BEST_EFFORT)
# Bosch BMI270: 160 ug/sqrt(Hz) and 0.007 dps/sqrt(Hz), behind a low-pass of 40 Hz at 100 Hz, of 20 mg and 0.5 dps
FORCE_SD, RATE_SD = 160e-6 * 9.80665 * np.sqrt(44.0), np.radians(0.007) * np.sqrt(44.0)
FORCE_BIAS, RATE_BIAS = 0.02 * 9.80665, np.radians(0.5)


def still(seconds: float):
    times = np.arange(round(30.0 * seconds)) / 30.0
    upright = np.broadcast_to((0.0, 0.0, 0.0, 1.0), (len(times), 4))
    return rigid_clip(times, np.zeros((len(times), 3)), upright, 30.0, "anna")


def squat():
    return squat_clip(SquatParameters(repetitions=2, stance_s=3.0), fps=30.0, subject="anna")


def numbers_of(messages, field: str) -> np.ndarray:
    parts = [getattr(msg, field) for msg in messages]
    names = ("x", "y", "z", "w")[: len(parts[0].get_fields_and_field_types())]
    return np.array([[getattr(part, name) for name in names] for part in parts])


@pytest.fixture
def worn(ros):
    """Play a clip losslessly to the node; what it says on these topics, and its diagnostics."""

    def play(clip, topics, **parameters):
        graph = ros(lossless=True, sites="pelvis,left_wrist", **parameters)
        heard = {topic: graph.hear(kind, topic, LOSSLESS) for topic, kind in topics.items()}
        reports = graph.hear(DiagnosticArray, "/diagnostics")
        graph.add(VirtualImuNode())
        bodies = graph.talk(BodyPose, "body_pose", LOSSLESS)
        for pose in clip:
            bodies.publish(body_pose_to_msg(pose))
        last = np.floor(100.0 * (clip.stamps[-1] - 0.1) + 1e-6)
        graph.until(lambda: graph.values("virtual_imu", reports).get("frames_in") == str(len(clip)))
        graph.until(lambda: all(messages and number(messages[-1]) >= last - 20 for messages in heard.values()))
        graph.spin_for(0.2)
        return graph, heard, graph.values("virtual_imu", reports)

    return play


def number(msg) -> int:
    return round(100.0 * stamp_from_msg(msg.header.stamp))


def test_a_still_sensor_has_its_data_sheets_noise_and_says_so(worn) -> None:
    _, heard, values = worn(still(25.0), {"imu_pelvis/data_raw": Imu}, preset="bmi270")
    messages = heard["imu_pelvis/data_raw"][100:]
    assert "Bosch Sensortec BMI270" in values["engine"] and values["preset"] == "bmi270"
    assert "samples_lost" not in values  # nothing is lost on a wire
    for field, covariance, truth, sd, bias in (
        ("linear_acceleration", "linear_acceleration_covariance", (0.0, 0.0, 9.81), FORCE_SD, FORCE_BIAS),
        ("angular_velocity", "angular_velocity_covariance", (0.0, 0.0, 0.0), RATE_SD, RATE_BIAS),
    ):
        read = numbers_of(messages, field)
        np.testing.assert_allclose(read.std(axis=0), sd, rtol=0.15)
        offset = read.mean(axis=0) - truth
        assert (np.abs(offset) > 5.0 * sd / np.sqrt(len(read))).any() and (np.abs(offset) < 5.0 * bias).all()
        said = np.sqrt(np.diagonal(np.array(getattr(messages[-1], covariance)).reshape(3, 3)))
        assert (said > sd).all() and (said > 0.9 * bias).all() and (said < 2.0 * bias).all()


def test_everybody_wears_units_of_their_own_and_the_same_ones_the_next_day() -> None:
    given = VirtualImuParameters(sites="pelvis", preset="bmi270")

    def offsets(subject: str, given: VirtualImuParameters = given) -> np.ndarray:
        wearer = Wearer(subject, given, Worn(given))
        parts = [wearer.read(replace(pose, subject=subject)).specific_force for pose in still(10.0)]
        return np.concatenate(parts)[:, 0].mean(axis=0)

    anna = offsets("anna")
    np.testing.assert_array_equal(offsets("anna"), anna)
    for other in (offsets("bert"), offsets("anna", replace(given, seed=1))):
        assert np.abs(other - anna).max() > 0.01


def test_lost_samples_are_not_sent_and_are_counted(worn, tmp_path) -> None:
    path = tmp_path / "sensors.yaml"
    path.write_text("radio: {packet_loss: 0.2, packet_burst: 4}\n")
    topics = {"imu_pelvis/data_raw": Imu, "imu_left_wrist/data_raw": Imu}
    clip = still(30.0)
    _, heard, values = worn(clip, topics, preset="radio", preset_file=str(path))
    due = int(values["frames_out"])
    sent = sum(map(len, heard.values()))
    lost = int(values["samples_lost"])
    assert lost == pytest.approx(0.2 * (sent + lost), rel=0.3)
    assert float(values["loss_percent"]) == pytest.approx(100.0 * lost / (sent + lost), abs=0.01)
    assert due <= sent < 2 * due
    gaps = np.diff([number(msg) for msg in heard["imu_pelvis/data_raw"]])
    assert (gaps >= 1).all() and gaps[gaps > 1].mean() - 1.0 == pytest.approx(4.0, rel=0.4)


@pytest.mark.parametrize("preset", ["", "xsens-dot"])
def test_orientation_is_found_from_the_readings_alone(worn, preset) -> None:
    """Without errors and field; with those of a real part, and its compass."""
    clip = squat()
    topics = {"imu_left_wrist/data": Imu, "imu_left_wrist/data_raw": Imu}
    _, heard, _ = worn(clip, topics, orientation="vqf", preset=preset)
    imu = LiveImu(select_sites(["left_wrist"]))
    true = np.concatenate([imu.update(pose).rotations for pose in clip])[:, 0]
    oriented, raw = heard["imu_left_wrist/data"], heard["imu_left_wrist/data_raw"]
    assert len(oriented) == len(raw) == len(true)
    found = numbers_of(oriented, "orientation")
    errors = to_rotvec(multiply(found, conjugate(true)))
    assert np.degrees(np.sqrt(np.mean(np.sum(errors**2, axis=1)))) < 3.0
    np.testing.assert_array_equal(numbers_of(oriented, "angular_velocity"), numbers_of(raw, "angular_velocity"))
    said = np.array([np.diagonal(np.array(msg.orientation_covariance).reshape(3, 3)) for msg in oriented])
    assert (said > 0.0).all() and (np.mean(errors**2, axis=0) < 9.0 * said.mean(axis=0)).all()
    assert {msg.orientation_covariance[0] for msg in raw} == {-1.0}
    assert {msg.header.frame_id for msg in oriented} == {"anna/imu_left_wrist"}


def test_a_magnetometer_feels_the_field_of_the_world(worn) -> None:
    clip = squat()
    topics = {"imu_left_wrist/mag": MagneticField}
    given = {"preset": "xsens-dot", "latitude_deg": 48.0, "longitude_deg": 11.0, "heading_deg": 30.0}
    graph, heard, _ = worn(clip, topics, **given)
    imu = LiveImu(select_sites(["left_wrist"]))
    true = np.concatenate([imu.update(pose).rotations for pose in clip])[:, 0]
    messages = heard["imu_left_wrist/mag"]
    read = numbers_of(messages, "magnetic_field")
    field = world_field(48.0, 11.0, heading_deg=30.0)
    assert 1e6 * np.linalg.norm(field) == pytest.approx(48.5, abs=1.0)  # microtesla, southern Germany
    assert np.degrees(np.arctan2(field[1], field[0])) == pytest.approx(
        30.0 - 4.3, abs=1.0
    )  # declination 4 degrees east
    errors = read - rotate(conjugate(true), field)
    # Xsens DOT: 0.09 mG/sqrt(Hz) up to half of 100 Hz, in steps of 0.25 mG
    assert errors.std() == pytest.approx(np.hypot(0.09e-7 * np.sqrt(50.0), 0.25e-7 / np.sqrt(12.0)), rel=0.1)
    said = np.array(messages[-1].magnetic_field_covariance).reshape(3, 3)
    assert np.sqrt(np.diagonal(said)).mean() == pytest.approx(errors.std(), rel=0.3)
    names = {name for name, _ in graph.node.get_topic_names_and_types()}
    assert "/imu_pelvis/mag" in names and "/imu_pelvis/data" not in names


def test_who_comes_late_hears_what_would_have_been_heard_all_along(ros) -> None:
    """While nobody listens samples are counted, not computed; then they are there at once, and go on in order."""
    graph = ros(sites="pelvis", subject_timeout_s=100.0)
    reports = graph.hear(DiagnosticArray, "/diagnostics")
    node = graph.add(VirtualImuNode())
    bodies = graph.talk(BodyPose, "body_pose", LIVE)
    start = node.get_clock().now().nanoseconds / 1e9 - 20.0
    poses = [replace(pose, stamp=start + pose.stamp) for pose in squat()][:240]

    def send(some) -> None:
        for pose in some:
            bodies.publish(body_pose_to_msg(pose))
            graph.spin_for(0.01)

    send(poses[:120])
    graph.until(lambda: graph.values("virtual_imu", reports).get("frames_in") == "120")
    values = graph.values("virtual_imu", reports)
    assert int(values["frames_out"]) == pytest.approx(100.0 * (120 / 30.0 - 0.1), abs=15)
    assert float(values["measured_lag_p50_ms"]) == pytest.approx(100.0 + 0.5e3 / 30.0, abs=10.0)
    heard = graph.hear(Imu, "imu_pelvis/data_raw", EAR)
    graph.until(lambda: node.count_subscribers("imu_pelvis/data_raw"))
    graph.spin_for(0.5)
    send(poses[120:])
    imu = LiveImu(select_sites(["pelvis"]))
    parts = [imu.update(pose) for pose in poses]
    expected = np.concatenate([part.specific_force[:, 0] for part in parts])
    numbers = np.concatenate([part.numbers for part in parts])
    graph.until(lambda: heard and number(heard[-1]) == numbers[-1])
    came = np.isin(numbers, [number(msg) for msg in heard])
    assert came.sum() == len(heard) > 350 and numbers[came][0] <= numbers[0] + 410
    assert (np.diff(numbers[came]) == 1).all()
    np.testing.assert_allclose(numbers_of(heard, "linear_acceleration"), expected[came], atol=1e-4)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"preset": "bmi999"}, "preset: sensor 'bmi999' is unknown; known: ideal, .*bmi270"),
        ({"preset_file": "mine.yaml"}, "preset_file=mine.yaml and no preset; name the sensor"),
        ({"preset": "mine", "preset_file": "/none/mine.yaml"}, "mine.yaml: No such file or directory; give the path"),
        ({"seed": -1}, "seed=-1 is out of range"),
        ({"orientation": "kalman"}, "orientation='kalman' is unknown; allowed: none, vqf"),
        ({"latitude_deg": 91.0}, "latitude_deg=91.0 is out of range; allowed: -90.0 to 90.0"),
        ({"longitude_deg": float("nan")}, "longitude_deg=nan is out of range"),
    ],
)
def test_sensors_that_cannot_be_are_refused(arguments, sentence) -> None:
    with pytest.raises(ParameterError, match=sentence):
        VirtualImuParameters(**arguments)


def test_an_unknown_preset_ends_the_process_with_one_line_and_status_2(run_node_process) -> None:
    process: subprocess.Popen[str] = run_node_process("virtual_imu", preset="bmi999")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "sensor 'bmi999' is unknown" in errors and len(errors.strip().splitlines()) == 1, errors
