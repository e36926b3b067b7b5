"""`fitmotion imu` from a clip to tables and pictures, and the commands around it."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from fitmotion_models.cli import app
from fitmotion_models.datasets.imu_tables import read_imu_table
from fitmotion_models.evaluation.imu_analytic import rigid_clip
from fitmotion_models.exchange.bvh import write_bvh
from fitmotion_models.skeleton.clip_file import save_clip
from fitmotion_models.skeleton.rotations import from_rotvec


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a body that turns about the vertical at 2 rad/s on the spot, as clip and as BVH."""
    folder = tmp_path_factory.mktemp("imu")
    times = np.arange(181) / 60.0
    turns = from_rotvec(times[:, None] * (0.0, 0.0, 2.0))
    clip = rigid_clip(times, np.broadcast_to((0.0, 0.0, 1.0), (181, 3)), turns, 60.0, "anna")
    save_clip(folder / "turn.npz", clip)
    write_bvh(folder / "turn.bvh", clip)
    save_clip(folder / "short.npz", rigid_clip(times[:3], np.zeros((3, 3)), turns[:3], 60.0, "anna"))
    return folder


def run(*words: str) -> Any:
    return CliRunner().invoke(app, ["imu", *words])


def sentence(result: Any) -> str:
    assert result.exit_code == 2, result.output
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("fitmotion: ")
    return lines[0]


def test_the_help_has_the_options_and_the_commands() -> None:
    for words in (("--help",), ()):
        result = run(*words)
        for word in ("--sites", "--preset", "--plot", "calibrate", "presets", "allan"):
            assert word in result.output
    assert "--method" in run("calibrate", "--help").output


@pytest.mark.parametrize("name", ["turn.npz", "turn.bvh"])
def test_a_turning_body_is_read_as_mechanics_have_it(folder, tmp_path, name) -> None:
    """A thigh's sensor at a distance r from the axis: centripetal w^2 r inwards, g upwards, and the rate itself."""
    out = tmp_path / "imu.csv"
    result = run(str(folder / name), "--sites", "pelvis,left_thigh", "--rate", "50", "-o", str(out), "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["files"] == [str(out)] and found["samples"] == 151 and found["rate_hz"] == 50.0
    assert found["sensor"]["name"] == "ideal" and set(found["sites"]) == {"pelvis", "left_thigh"}
    assert found["sites"]["pelvis"]["largest_rate"] == pytest.approx(2.0, rel=1e-3)
    read = read_imu_table(out)
    middle = slice(40, 110)
    force = read.recording.specific_force[middle]
    np.testing.assert_allclose(force[..., 2], 9.81, atol=0.02)
    placed = read.placement.positions[0]
    np.testing.assert_allclose(force[:, 0, :2], np.broadcast_to(-4.0 * placed[:2], (70, 2)), atol=0.02)
    np.testing.assert_allclose(read.recording.angular_velocity[middle][..., 2], 2.0, atol=5e-3)


def test_tables_and_a_picture_at_once_with_a_real_sensor(folder, tmp_path) -> None:
    outs = [tmp_path / f"imu{ending}" for ending in (".csv", ".npz")]
    picture = tmp_path / "imu.png"
    words = ["--sites", "pelvis", "--preset", "mpu-9250", "--seed", "5", "--orientation", "--plot", str(picture)]
    result = run(str(folder / "turn.npz"), *words, *(word for out in outs for word in ("-o", str(out))))
    assert result.exit_code == 0, result.output
    assert "anna" in result.output and str(picture) in result.output
    one, other = (read_imu_table(out) for out in outs)
    np.testing.assert_allclose(one.recording.angular_velocity, other.recording.angular_velocity, atol=1e-6)
    np.testing.assert_allclose(one.orientations, other.orientations, atol=1e-6)
    assert one.about["seed"] == 5 and one.about["sensor"]["name"] == "mpu-9250"
    assert np.abs(one.recording.angular_velocity[..., 2] - 2.0).mean() > 1e-3  # its own bias
    image = cv2.imread(str(picture))
    assert image.shape[1] > 1000 and len(np.unique(image.reshape(-1, 3), axis=0)) > 20
    assert sorted(one.name for one in tmp_path.iterdir()) == ["imu.csv", "imu.npz", "imu.png"]


def test_seeds_and_cut_offs_are_heard(folder, tmp_path) -> None:
    tables = {}
    for name, words in {
        "a": ("--seed", "1"),
        "b": ("--seed", "1"),
        "c": ("--seed", "2"),
        "d": ("--seed", "1", "--cutoff", "4,5"),
    }.items():
        out = tmp_path / f"{name}.csv"
        assert (
            run(str(folder / "turn.npz"), "--sites", "pelvis", "--preset", "bmi270", *words, "-o", str(out)).exit_code
            == 0
        )
        tables[name] = read_imu_table(out)
    forces = {name: table.recording.specific_force for name, table in tables.items()}
    np.testing.assert_array_equal(forces["a"], forces["b"])
    assert np.abs(forces["a"] - forces["c"]).max() > 0.01
    assert tables["d"].about["cutoffs_hz"] == {"position": 4.0, "rotation": 5.0}


def test_a_magnetic_field_points_north_in_its_sensor(folder, tmp_path) -> None:
    out = tmp_path / "imu.csv"
    result = run(str(folder / "turn.npz"), "--sites", "pelvis", "--magnetic-field", "52.2,6.9", "-o", str(out))
    assert result.exit_code == 0, result.output
    field = read_imu_table(out).recording.magnetic_field
    # Enschede: about 49 microtesla, most of it down (World Magnetic Model)
    np.testing.assert_allclose(np.linalg.norm(field, axis=-1), 49.5e-6, rtol=0.03)
    assert (field[..., 2] < -40e-6).all()
    said = sentence(run(str(folder / "turn.npz"), "--preset", "bmi270", "--magnetic-field", "52.2,6.9"))
    assert "sensor bmi270 has no magnetometer" in said


def test_files_that_are_there_stay_unless_told(folder, tmp_path) -> None:
    out = tmp_path / "imu.csv"
    out.write_text("mine")
    assert "exists; choose another name or replace it with --overwrite" in sentence(
        run(str(folder / "turn.npz"), "-o", str(out))
    )
    assert out.read_text() == "mine"
    assert run(str(folder / "turn.npz"), "--sites", "pelvis", "-o", str(out), "--overwrite").exit_code == 0
    assert out.read_text().startswith("# fitmotion imu recording")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("@nowhere.npz",), "does not exist; give a clip"),
        (("@short.npz",), "has 3 frames; 4 are the fewest"),
        (("@turn.npz", "--sites", "tail"), "site 'tail' is unknown; known: all, pelvis"),
        (("@turn.npz", "--preset", "bmi271"), "sensor 'bmi271' is unknown; known: ideal, bmi160"),
        (("@turn.npz", "--rate", "0"), "a rate of 0 is out of range; allowed: above 0 to 8000"),
        (("@turn.npz", "--rate", "nan"), "a rate of nan is out of range"),
        (("@turn.npz", "--cutoff", "fast"), "cut-off 'fast': give Hz"),
        (("@turn.npz", "--cutoff", "-3"), "cut-off '-3': give Hz"),
        (("@turn.npz", "-o", "@imu.txt"), "a recording is written as .csv, .npz, .parquet"),
        (("@turn.npz", "-o", "@none/imu.csv"), "does not exist; make it first"),
        (("@turn.npz", "-o", "@a.csv", "-o", "@a.csv"), "is named twice"),
        (("@turn.npz", "--plot", "@imu.gif"), "a picture is written as .png, .svg, .pdf"),
        (("@turn.npz", "--warm-up", "1000"), "sensor ideal: warm_up=1000.0 is out of range"),
        (("@turn.npz", "--magnetic-field", "north"), "--magnetic-field north is no place"),
        (("presets", "bmi271"), "sensor 'bmi271' is unknown"),
        (("allan", "--preset", "ideal"), "sensor ideal has no noise"),
        (("allan", "--preset", "bmi270", "--hours", "-1"), "give up to 48 hours"),
    ],
)
def test_bad_input_gets_one_sentence(folder, words, said) -> None:
    before = sorted(folder.iterdir())
    assert said in sentence(run(*(word.replace("@", f"{folder}/") for word in words)))
    assert sorted(folder.iterdir()) == before


def test_a_full_disk_leaves_nothing(folder, tmp_path, monkeypatch) -> None:
    import fitmotion_models.viewer.imu_picture as picture

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(picture, "save_imu_picture", full)
    out = tmp_path / "imu.csv"
    result = run(str(folder / "turn.npz"), "--sites", "pelvis", "-o", str(out), "--plot", str(tmp_path / "imu.png"))
    assert "No space left on device" in sentence(result)
    assert not list(tmp_path.iterdir())


def test_presets_say_where_they_are_from_and_what_they_leave_out() -> None:
    found = json.loads(run("presets", "mpu-6050", "--json").stdout)["mpu-6050"]
    assert found["document"] == "PS-MPU-6000A-00, revision 3.4, August 2013"
    assert found["origins"]["gyroscope.noise_density"] == "p. 12, at 10 Hz"
    assert "gyroscope.bias_instability" in found["not_given"] and found["magnetometer"] is None
    text = run("presets", "mpu-6050").output
    assert "PS-MPU-6000A-00" in text and "not given" in text
    assert "xsens-dot" in run("presets").output


def test_allan_puts_what_is_found_beside_what_was_put_in(tmp_path) -> None:
    plot = tmp_path / "allan.png"
    words = ("--preset", "xsens-dot", "--hours", "0.1", "--rate", "50", "--units", "2")
    result = run("allan", *words, "--json", "--plot", str(plot))
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    for kind in ("accelerometer", "gyroscope", "magnetometer"):
        density = found[kind]["noise_density"]
        assert density["found"] == pytest.approx(density["put_in"], rel=0.15)
    assert cv2.imread(str(plot)).shape[1] > 1000
    assert "exists; choose another name" in sentence(run("allan", *words, "--plot", str(plot)))
