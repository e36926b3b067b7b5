"""Virtual sensors beside real ones: BROAD, an inertial sensor in an optical capture volume, and its reader."""

import os
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from fitmotion_models.datasets.broad import broad_files, read_broad_trial
from fitmotion_models.evaluation.imu_broad import FEWEST_TRIALS, THINNINGS, broad_figures, comparison, judge
from fitmotion_models.evaluation.imu_methods import OTHERS, OURS
from fitmotion_models.skeleton.rotations import from_axis_angle

BROAD = Path(os.environ.get("FITMOTION_DATA", Path(__file__).parents[4] / "shared" / "data")) / "broad"


def trials() -> list[Path]:
    paths = sorted(BROAD.glob("*.mat"))
    if len(paths) < FEWEST_TRIALS:
        pytest.skip(f"{len(paths)} BROAD trials in {BROAD}, needs 3; set FITMOTION_DATA to the folder that holds them")
    return paths


@pytest.mark.parametrize(
    ("rate", "seconds"),
    [pytest.param("57", 30.0), pytest.param("57", None, marks=pytest.mark.slow), pytest.param("29", None)],
)
def test_virtual_readings_beside_a_real_sensor(rate, seconds) -> None:
    found = judge([comparison(read_broad_trial(path), THINNINGS[rate], seconds) for path in trials()])
    for name, row in found.items():
        print(f"{name:26} {row['acc_r']:.4f} {row['acc_rmse']:.3f}  {row['gyro_r']:.4f} {row['gyro_rmse']:.4f}")
    ours = found[OURS]
    assert ours["acc_rmse"] <= 0.40 and ours["gyro_rmse"] <= 0.09
    if seconds is None:  # half a minute of a slow trial has hardly any motion to correlate
        assert ours["acc_r"] >= 0.992 and ours["gyro_r"] >= 0.99
    for name in OTHERS:
        other = found[name]
        assert ours["acc_rmse"] < other["acc_rmse"] and ours["gyro_rmse"] < other["gyro_rmse"], name
        if seconds is None:
            assert ours["acc_r"] > other["acc_r"] and ours["gyro_r"] > other["gyro_r"], name
    for name, row in ours["per_trial"].items():
        assert row["compared"] > 0.98, name
        # the sensor is strapped to the markers' frame: a centimetre away
        assert 3.0 < np.linalg.norm(row["lever_arm_mm"]) < 20.0, name


def a_trial(path: Path, **changes) -> Path:
    """A file of the set's form: at rest, then turning about the vertical at 1 rad/s."""
    times = np.arange(2000) / 200.0
    turns = from_axis_angle((0.0, 0.0, 1.0), np.maximum(times - 2.0, 0.0))
    content = {
        "sampling_rate": 200.0,
        "movement": (times > 2.0).astype(np.uint8),
        "imu_acc": np.tile((0.0, 0.0, 9.81), (2000, 1)),
        "imu_gyr": np.where(times[:, None] > 2.0, (0.0, 0.0, 1.0), 0.0),
        "opt_pos": np.zeros((2000, 3)),
        "opt_quat": turns[:, [3, 0, 1, 2]],
    }
    savemat(path, {key: value for key, value in (content | changes).items() if value is not None})
    return path


def test_a_trial_is_read_with_its_quaternions_scalar_last(tmp_path) -> None:
    trial = read_broad_trial(a_trial(tmp_path / "01_turn.mat"))
    assert trial.name == "01_turn" and trial.rate_hz == 200.0 and trial.moving.sum() == 1599
    np.testing.assert_allclose(trial.rotations[0], (0.0, 0.0, 0.0, 1.0))
    np.testing.assert_allclose(trial.rotations[1000], from_axis_angle((0.0, 0.0, 1.0), 3.0))
    np.testing.assert_allclose(trial.stamps[[0, 200]], (0.0, 1.0))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"imu_gyr": None}, "is no trial of BROAD: it has no imu_gyr"),
        ({"opt_quat": np.zeros((5, 4))}, r"opt_quat has shape \(5, 4\), not one row for each of 2000 samples"),
    ],
)
def test_other_files_are_refused_with_a_sentence(tmp_path, changes, sentence) -> None:
    path = a_trial(tmp_path / "other.mat", **changes)
    with pytest.raises(ValueError, match=sentence) as error:
        read_broad_trial(path)
    assert str(path) in str(error.value)


def test_what_is_no_matlab_file_and_too_few_trials_are_refused(tmp_path) -> None:
    with pytest.raises(ValueError, match="holds no trial of BROAD"):
        broad_files(tmp_path)
    (tmp_path / "a.mat").write_text("not at all")
    with pytest.raises(ValueError, match="is no MATLAB file of BROAD"):
        read_broad_trial(tmp_path / "a.mat")
    with pytest.raises(ValueError, match="holds 1 trials of BROAD; at least 3 are needed"):
        broad_figures(tmp_path)
