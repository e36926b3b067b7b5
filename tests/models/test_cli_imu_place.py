"""`imu place`: a sensor that sits somewhere on a moving body is found there."""

import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from scipy.spatial.transform import Rotation
from typer.testing import CliRunner

from fitmotion_models.cli import app
from fitmotion_models.datasets.imu_tables import ImuTable, write_imu_csv
from fitmotion_models.datasets.synthesis.recording_file import unknown_placement
from fitmotion_models.evaluation.imu_analytic import rigid_clip
from fitmotion_models.imu import Cutoffs, Site, select_sites, virtual_imu
from fitmotion_models.skeleton.clip_file import save_clip

LEVER, ANGLES = (0.05, -0.1, -0.2), (30.0, -20.0, 100.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A body that swings about all axes, and what a sensor on its right thigh reads of it, with noise."""
    path = tmp_path_factory.mktemp("place")
    times = np.arange(1501) / 60.0
    angles = np.stack([0.7 * np.sin(times * rate + phase) for rate, phase in ((5.0, 0.0), (6.3, 1.0), (4.1, 2.0))], -1)
    places = np.stack([0.1 * np.sin(times * rate) for rate in (3.0, 4.4, 5.2)], -1) + (0.0, 0.0, 1.0)
    clip = rigid_clip(times, places, Rotation.from_euler("xyz", angles).as_quat(), 60.0, "anna")
    save_clip(path / "swing.npz", clip)
    site = Site("strap", "right_hip", lever_arm=LEVER, mount_rotation_deg=ANGLES)
    truth = virtual_imu(clip, [site], rate_hz=100.0, cutoffs=Cutoffs(12.0, 15.0))
    rng = np.random.default_rng(0)
    noisy = {
        name: getattr(truth, name) + sd * rng.normal(size=(len(truth), 1, 3))
        for name, sd in (("specific_force", 0.1), ("angular_velocity", 0.02))
    }
    worn = type(truth)(truth.sites, 100.0, truth.stamps + 0.05, rotations=truth.rotations, **noisy)
    write_imu_csv(path / "worn.csv", ImuTable("anna", worn, unknown_placement(("right_hip",))))
    return path


def run(folder: Path, *arguments: str, bone: str = "right_hip"):
    command = ["imu", "place", str(folder / "swing.npz"), "--real", str(folder / "worn.csv"), "--bone", bone]
    return CliRunner().invoke(app, [*command, *arguments])


def test_the_site_that_is_written_is_where_the_sensor_sits(folder: Path, tmp_path: Path) -> None:
    result = run(folder, "-o", str(tmp_path / "sites.yaml"), "--name", "my_thigh", "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    for axis, value in zip("xyz", LEVER, strict=True):
        one = found["parameters"][f"lever_arm_{axis}"]
        assert one["unit"] == "mm" and one["value"] == pytest.approx(1e3 * value, abs=3.0) and one["half_ci95"] < 5.0
    assert found["parameters"]["force_lag"]["value"] == pytest.approx(50.0, abs=1.0)
    assert found["parameters"]["rate_lag"]["value"] == pytest.approx(50.0, abs=1.0)
    np.testing.assert_allclose(found["force_noise"], 0.1, rtol=0.15)
    (site,) = select_sites(["my_thigh"], tmp_path / "sites.yaml")
    between = Rotation.from_quat(site.mount_rotation).inv() * Rotation.from_euler("xyz", ANGLES, degrees=True)
    assert site.bone == "right_hip" and np.degrees(between.magnitude()) < 0.5
    assert list(yaml.safe_load((tmp_path / "sites.yaml").read_text())) == ["my_thigh"]
    words = run(folder).stdout
    assert "lever arm x" in words and "left over: 0.1" in words


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--sensor", "head"), "worn.csv has no sensor head; it has strap"),
        (("-o", "sites.txt"), "sites.txt: a sites file's name ends in .yaml"),
        (("-o", "nowhere/sites.yaml"), "no folder nowhere; make it first"),
        (("--cutoff", "-1"), "--cutoff -1 is no frequency"),
        (("--longest-lag", "99"), "--longest-lag 99 is out of range"),
        (("--name", "my thigh"), "cannot name a topic"),
    ],
)
def test_bad_settings_are_named(folder: Path, arguments: tuple[str, ...], message: str) -> None:
    result = run(folder, *arguments)
    assert result.exit_code == 2 and message in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_unknown_bones_and_missing_files(folder: Path, tmp_path: Path) -> None:
    result = run(folder, bone="thigh")
    assert result.exit_code == 2 and "joint 'thigh' is unknown; known: pelvis" in result.stderr
    missing = CliRunner().invoke(
        app, ["imu", "place", "none.npz", "--real", str(folder / "worn.csv"), "--bone", "head"]
    )
    assert missing.exit_code == 2 and "none.npz does not exist" in missing.stderr
