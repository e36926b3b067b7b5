"""Sensors as data: the shipped table, its units, a user's file over it, and what is refused."""

import math

import pytest

from fitmotion_models.imu.sensor_spec import PERFECT, TriadSpec, load_presets, sensor_preset

G = 9.80665
KINDS = ("accelerometer", "gyroscope", "magnetometer")


def test_the_table_has_what_wearables_are_made_of_and_says_where_every_figure_is_from() -> None:
    presets = load_presets()
    assert set(presets) >= {
        "ideal",
        "bmi160",
        "bmi270",
        "icm-20948",
        "mpu-6050",
        "mpu-9250",
        "xsens-dot",
        "xsens-mti-3",
    }
    for name, spec in presets.items():
        assert spec.part and spec.document, name
        if name != PERFECT:
            assert spec.accelerometer.noise_density > 0.0 and spec.gyroscope.noise_density > 0.0
            assert spec.origins and all(spec.origins.values()), name


def test_the_ideal_sensor_has_no_error() -> None:
    spec = sensor_preset(PERFECT)
    assert spec.accelerometer == spec.gyroscope == spec.magnetometer == TriadSpec()


# as printed in the data sheets PS-MPU-6000A-00 (pp. 12, 13), PS-MPU-9250A-01 (pp. 8, 9), DS-000189 (pp. 12, 13),
# DocID032891 (p. 26) and on the leaflet of the MTi-300
@pytest.mark.parametrize(
    ("name", "kind", "figure", "value"),
    [
        ("mpu-6050", "accelerometer", "noise_density", 400e-6 * G),
        ("mpu-6050", "gyroscope", "noise_density", math.radians(0.005)),
        ("mpu-6050", "gyroscope", "bias", math.radians(20.0)),
        ("mpu-6050", "gyroscope", "force_sensitivity", math.radians(0.1) / G),
        ("mpu-9250", "accelerometer", "noise_density", 300e-6 * G),
        ("mpu-9250", "accelerometer", "bias_drift", 1.5e-3 * G),
        ("mpu-9250", "gyroscope", "cross_axis", 0.02),
        ("mpu-9250", "accelerometer", "resolution", G / 2048.0),
        ("icm-20948", "accelerometer", "bias", 0.05 * G),
        ("icm-20948", "magnetometer", "resolution", 0.15e-6),
        ("lsm6dso32", "accelerometer", "noise_density", 160e-6 * G),
        ("lsm6dso32", "gyroscope", "noise_density", math.radians(3.8e-3)),
        ("xsens-mti-300", "gyroscope", "bias_instability", math.radians(10.0) / 3600.0),
        ("xsens-mti-300", "accelerometer", "noise_density", 60e-6 * G),
        ("xsens-mti-300", "gyroscope", "full_scale", math.radians(450.0)),
    ],
)
def test_figures_are_those_of_the_data_sheets(name, kind, figure, value) -> None:
    assert getattr(getattr(sensor_preset(name), kind), figure) == pytest.approx(value, rel=1e-3)


def test_sensitivities_printed_as_steps_agree_with_bits() -> None:
    # 16.4, 32.8 LSB per degree per second, as printed beside "16 bits"
    for name, steps in (("mpu-9250", 16.4), ("mpu-6050", 32.8), ("bmi270", 16.4)):
        assert 1.0 / math.degrees(sensor_preset(name).gyroscope.resolution) == pytest.approx(steps, rel=2e-3)


def test_a_random_walk_is_the_root_of_two_less_than_a_density(tmp_path) -> None:
    """ADIS16470, data sheet, table 1: 0.34 degrees per root hour and 0.008 degrees/s per root Hz are one noise."""
    path = tmp_path / "mine.yaml"
    path.write_text("adis: {gyroscope: {noise_density: [0.34, deg/sqrt(h)]}}")
    assert math.degrees(sensor_preset("adis", path).gyroscope.noise_density) == pytest.approx(0.008, rel=0.01)


def test_a_users_file_changes_single_figures_and_adds_sensors(tmp_path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "bmi270: {gyroscope: {full_scale: [500, dps]}, packet_loss: [2, '%', measured]}\n"
        "mine: {part: ours, accelerometer: {noise_density: 0.002, bandwidth: [0.4, rate]}, clock_drift: [20, ppm]}\n"
        "copy:\n"
    )
    shipped, mine = load_presets(), load_presets(path)
    changed = mine["bmi270"]
    assert changed.gyroscope.full_scale == pytest.approx(math.radians(500.0))
    assert changed.gyroscope.resolution == pytest.approx(math.radians(1000.0) / 65536)  # bits follow the scale
    assert changed.gyroscope.noise_density == shipped["bmi270"].gyroscope.noise_density
    assert changed.packet_loss == 0.02 and changed.origins["packet_loss"] == "measured"
    assert mine["mine"].accelerometer.bandwidth(100.0) == pytest.approx(40.0)
    assert mine["mine"].clock_drift == pytest.approx(20e-6)
    assert mine["copy"].accelerometer == TriadSpec()
    assert mine["xsens-dot"] == shipped["xsens-dot"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: {gyroscope: {noise: 1}}", "sensor a: unknown gyroscope figure noise; allowed: full_scale"),
        ("a: {weight: 1}", "sensor a: unknown field weight; allowed: part"),
        ("a: {gyroscope: {bias: [1, mg]}}", "gyroscope bias is in 'mg', which is none of its units: rad/s, dps"),
        ("a: {gyroscope: {bias: [1]}}", r"gyroscope bias=\[1\] must be a number \(SI\) or \[number, unit, source\]"),
        ("a: {gyroscope: {bias: fast}}", "gyroscope bias='fast' must be a number"),
        ("a: {gyroscope: {bias: -1}}", "gyroscope bias=-1.0 must be 0 or more"),
        ("a: {gyroscope: {bias: .nan}}", "gyroscope bias=nan must be a number"),
        ("a: {gyroscope: {bias: .inf}}", "gyroscope bias=inf must be finite"),
        ("a: {gyroscope: {full_scale: 0}}", "gyroscope full_scale=0.0 must be above 0"),
        ("a: {gyroscope: {resolution: [16, bit]}}", "resolution of 16 bit needs a full_scale"),
        ("a: {accelerometer: {scale: [80, '%']}}", "accelerometer scale=0.8 is no error of a sensor"),
        ("a: {accelerometer: {force_sensitivity: 1}}", "unknown accelerometer figure force_sensitivity"),
        ("a: {accelerometer: 3}", "accelerometer must hold figures such as noise_density"),
        ("a: {packet_loss: 95}", "sensor a: packet_loss=95.0 is out of range; allowed: 0 to 0.9"),
        ("a: 3", "must hold names of sensors"),
        ("a: {", "is no YAML"),
    ],
)
def test_a_wrong_file_is_refused_with_a_sentence(tmp_path, text, sentence) -> None:
    path = tmp_path / "sensors.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=sentence) as error:
        load_presets(path)
    assert str(path) in str(error.value) and "\n" not in str(error.value)


def test_what_is_no_text_and_unknown_names_are_refused(tmp_path) -> None:
    path = tmp_path / "sensors.yaml"
    path.write_bytes(b"\xb3\x00")
    with pytest.raises(ValueError, match="is no text"):
        load_presets(path)
    with pytest.raises(ValueError, match="sensor 'bmi271' is unknown; known: ideal, bmi160"):
        sensor_preset("bmi271")
