"""Virtual sensors beside a worn one: on files of the set's form with a known truth, and on the real ones."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from tests.models.datasets.utd_files import skeleton, write

from fitmotion_models.datasets.utd_mhad import read_utd_mhad
from fitmotion_models.evaluation import imu_utd
from fitmotion_models.evaluation.imu_calibration import before_and_after
from fitmotion_models.evaluation.imu_utd import real_recording, utd_figures
from fitmotion_models.imu import Cutoffs, select_sites, virtual_imu
from fitmotion_models.imu.calibration import Calibration, CalibrationPair
from fitmotion_models.mover import SquatParameters, squat_clip

DATA = Path(os.environ.get("FITMOTION_DATA", Path(__file__).parents[4] / "shared" / "data"))
ARCHIVE = DATA / "utd-mhad-s1-s7.tar.xz"
MOUNT = Rotation.from_euler("xyz", (15.0, 60.0, -100.0), degrees=True)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imu_utd, "CUTOFFS_HZ", (1.0, 2.0))
    monkeypatch.setattr(imu_utd, "WRIST_ACTIONS", (3,))
    monkeypatch.setattr(imu_utd, "DRAWS", 200)


@pytest.mark.usefixtures("quick")
def test_a_known_sensor_on_a_known_body_is_found(tmp_path: Path) -> None:
    """Three persons squat; each one's sensor reads what it must, turned on its strap."""
    for person, depth in ((1, 0.1), (2, 0.05), (3, 0.0)):
        clip = squat_clip(SquatParameters(repetitions=1, depth_m=depth), fps=50.0)
        seconds = float(clip.stamps[-1])
        truth = virtual_imu(clip, select_sites(["right_thigh"]), rate_hz=50.0, cutoffs=Cutoffs(8.0, 8.0))
        force = MOUNT.apply(truth.specific_force[:, 0]) / 9.81
        rate = np.degrees(MOUNT.apply(truth.angular_velocity[:, 0]))
        # the Kinect's 20 frames a second over the same time
        few = slice(0, None, 2)
        seen = replace(
            clip,
            fps=25.0,
            **{
                name: getattr(clip, name)[few]
                for name in (
                    *("stamps", "positions", "rotations", "confidence", "feet", "feet_confidence", "view_direction"),
                )
            },
        )
        assert abs(float(seen.stamps[-1]) - seconds) < 0.03
        write(tmp_path, f"a27_s{person}_t1", skeleton(seen), np.concatenate([force, rate], axis=1))
    found = utd_figures(tmp_path)
    thigh = found["thigh"]
    assert found["persons"] == 3 and "wrist" not in found
    assert thigh["squat"]["gyro_r"]["median"] > 0.98 and thigh["squat"]["acc_r"]["median"] > 0.98
    assert thigh["squat"]["gyro_r_before"]["median"] < 0.9
    assert list(thigh["fitted_without"]) == ["utd:s1", "utd:s2", "utd:s3"]
    angles = thigh["amplitude_deg"]["squat"]
    # bodies that are seen as they are: no amplitude is lost
    assert angles["kinect"]["median"] == pytest.approx(angles["sensor"]["median"], rel=0.05)
    assert angles["kinect_share"]["median"] == pytest.approx(1.0, abs=0.05)


def test_integrated_turning_is_that_of_scipy() -> None:
    rng = np.random.default_rng(0)
    stamps = np.arange(201) / 100.0
    turns = [Rotation.identity()]
    rates = np.cumsum(rng.normal(size=(201, 3)) * 0.1, axis=0)
    for step in range(200):
        turns.append(turns[-1] * Rotation.from_rotvec(0.5 * (rates[step] + rates[step + 1]) / 100.0))
    down = np.array([0.0, 0.6, -0.8])
    angles = [np.degrees(np.arccos(np.clip(turn.apply(down) @ down, -1.0, 1.0))) for turn in turns]
    assert imu_utd._swept(stamps, rates, down) == pytest.approx(max(angles), abs=1e-6)


def test_fewer_than_three_persons_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "a27_s1_t1", skeleton(squat_clip(SquatParameters(), fps=19.0)), np.ones((250, 6)))
    with pytest.raises(ValueError, match="holds 1 persons with sit_to_stand, lunge, squat; at least 3 are needed"):
        utd_figures(tmp_path)


@pytest.fixture(scope="module")
def archive() -> Path:
    if not ARCHIVE.is_file():
        pytest.skip(f"no recordings at {ARCHIVE}; set FITMOTION_DATA to the folder that holds them")
    return ARCHIVE


@pytest.mark.slow
def test_real_squats_by_a_calibration_of_others(archive: Path) -> None:
    """Without the whole protocol: learned from two persons, judged on a third."""
    trials = read_utd_mhad(archive, actions=[27], persons=["s1", "s3", "s6"])
    sites, pairs = select_sites(["right_thigh"]), []
    for trial in trials:
        made = virtual_imu(trial.clip, sites, cutoffs=Cutoffs(1.0, 1.0))
        pairs.append(CalibrationPair(trial.person, made, real_recording(trial), trial.action_name))
    calibration = Calibration.fit([pair for pair in pairs if pair.person != "utd:s6"], "affine")
    judged = [pair for pair in pairs if pair.person == "utd:s6"]
    calibration.refuse_leak([pair.person for pair in judged])
    with pytest.raises(ValueError, match="learned from utd:s1, utd:s3"):
        calibration.refuse_leak([pair.person for pair in pairs])
    figures = before_and_after(judged, calibration)["right_thigh"]
    print(figures)
    assert figures["after"]["acc_rmse"] < 2.0 < figures["before"]["acc_rmse"]
    assert figures["after"]["gyro_rmse"] < 0.7 * figures["before"]["gyro_rmse"]


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_shape_and_amplitude_of_real_thighs(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imu_utd, "WRIST_ACTIONS", (3,))
    found = utd_figures(archive)
    thigh = found["thigh"]
    for action in ("squat", "sit_to_stand", "lunge", "all"):
        print(action, {name: thigh[action][name] for name in ("r", "gyro_r", "acc_r", "gyro_r_synchronised")})
    print(thigh["amplitude_deg"])
    assert found["persons"] == 7
    for action in ("squat", "sit_to_stand"):
        assert thigh[action]["gyro_r"]["median"] >= 0.9 and thigh[action]["acc_r"]["median"] >= 0.95
    assert thigh["all"]["r"]["median"] >= 0.9 and thigh["all"]["acc_r"]["median"] >= 0.9
    assert thigh["all"]["gyro_r_synchronised"]["median"] >= 0.9
    # the sensor is on the leg behind, which turns by less than the Kinect errs
    assert thigh["lunge"]["gyro_r"]["median"] < 0.9
    squat = thigh["amplitude_deg"]["squat"]
    assert squat["kinect_share"]["median"] < 0.8
    assert squat["all"]["median"] == pytest.approx(squat["sensor"]["median"], rel=0.1)
