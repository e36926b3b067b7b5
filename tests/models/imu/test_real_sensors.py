"""Virtual sensors beside real ones: BROAD (Laidig et al. 2021), an inertial sensor in an optical capture volume.

The cut-offs are those that ship, lowered where the trial's own optical noise demands it; the lever arm is fitted on the
other trials than the one that is judged. Errors are RMS of a single axis, r the mean of the axes' Pearson correlations,
all while the sensor is moved.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from scipy.interpolate import splev, splrep
from scipy.io import loadmat

from fitmotion_models.imu import Cutoffs, SiteMotion, cutoffs_for, cutoffs_from_noise
from fitmotion_models.imu.offline import smooth_derivatives
from fitmotion_models.imu.specific_force import angular_velocity, continuous_quaternions, specific_force
from fitmotion_models.skeleton.rotations import conjugate, multiply, normalize, rotate, to_rotvec

BROAD = Path(os.environ.get("FITMOTION_DATA", Path(__file__).parents[4] / "shared" / "data")) / "broad"
# how late this sensor's channels are against its cameras
FORCE_DELAY_S, RATE_DELAY_S = 0.0025, 0.004
EVERY = 3  # of the sensor's samples at 286 Hz are compared


@dataclass(frozen=True, eq=False)
class Trial:
    """One recording: what the sensor read at `times`, and its place and rotation at `stamps`, thinned."""

    name: str
    stamps: np.ndarray
    positions: np.ndarray
    rotations: np.ndarray
    times: np.ndarray
    force: np.ndarray
    rate: np.ndarray


@dataclass(frozen=True, eq=False)
class Synthetic:
    """What a virtual sensor at the optical origin reads, and what a lever arm of 1 m along each axis adds (N, 3, 3)."""

    force: np.ndarray
    lever: np.ndarray
    rate: np.ndarray


def load(path: Path, thinning: int, seconds: float | None) -> Trial:
    recording = loadmat(path, squeeze_me=True)
    rate = float(recording["sampling_rate"])
    moving = np.flatnonzero(recording["movement"])
    first, last = moving[0], moving[-1]
    if seconds is not None:
        last = min(last, first + round(seconds * rate))
    times = np.arange(len(recording["movement"])) / rate
    # a second more on both sides, so that what is compared lies inside
    around = slice(max(first - round(rate), 0), last + round(rate), thinning)
    compared = np.flatnonzero(recording["movement"][: last + 1])[::EVERY]
    return Trial(
        path.stem,
        times[around],
        recording["opt_pos"][around],
        recording["opt_quat"][around][:, [1, 2, 3, 0]],
        times[compared],
        recording["imu_acc"][compared],
        recording["imu_gyr"][compared],
    )


def ours(trial: Trial, cutoffs: Cutoffs) -> Synthetic:
    axes = [rotate(trial.rotations, axis) for axis in np.eye(3)]
    places = np.stack([trial.positions, *axes], axis=1)
    at = [np.clip(trial.times - delay, *trial.stamps[[0, -1]]) for delay in (FORCE_DELAY_S, RATE_DELAY_S)]
    acceleration = smooth_derivatives(trial.stamps, places, at[0], cutoffs.position_hz)[2]
    turning = {"cutoff_hz": cutoffs.rotation_hz, "quaternions": True}
    turns = normalize(smooth_derivatives(trial.stamps, trial.rotations[:, None], at[0], **turning)[0])
    q, rates, _ = smooth_derivatives(trial.stamps, trial.rotations[:, None], at[1], **turning)
    lever = rotate(conjugate(turns), acceleration[:, 1:])
    force = specific_force(turns[:, 0], acceleration[:, 0])
    return Synthetic(force, np.swapaxes(lever, -1, -2), angular_velocity(q, rates)[:, 0])


def second_differences(trial: Trial, lever: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The naive way: differences of neighbours, interpolated to the sensor's samples."""
    return differences(trial, lever, 1)


def four_frame_differences(trial: Trial, lever: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """As TransPose (Yi et al. 2021) and MobilePoser (Xu et al. 2024) make training data: over four frames each way."""
    return differences(trial, lever, 4)


def quintic_smoothing_spline(trial: Trial, lever: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """As IMUSim (Young et al. 2011): FITPACK's quintic smoothing spline, told the noise of the samples."""
    known = np.isfinite(trial.positions).all(axis=1) & np.isfinite(trial.rotations).all(axis=1)
    stamps, turns = trial.stamps[known], continuous_quaternions(trial.rotations[known])
    places = trial.positions[known] + rotate(turns, lever)

    def spline(values: np.ndarray, delay: float, *orders: int) -> list[np.ndarray]:
        # what a parabola through four neighbours leaves: differences of order 3, whose squared weights sum to 20
        noise = np.mean(np.diff(values, 3, axis=0) ** 2, axis=0) / 20.0
        fits = [splrep(stamps, column, k=5, s=len(stamps) * sd2) for column, sd2 in zip(values.T, noise, strict=True)]
        at = np.clip(trial.times - delay, *stamps[[0, -1]])
        return [np.stack([splev(at, fit, der=order) for fit in fits], axis=-1) for order in orders]

    q, rates = spline(turns, RATE_DELAY_S, 0, 1)
    (acceleration,) = spline(places, FORCE_DELAY_S, 2)
    return specific_force(normalize(spline(turns, FORCE_DELAY_S, 0)[0]), acceleration), angular_velocity(q, rates)


def differences(trial: Trial, lever: np.ndarray, frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Central differences over some frames each way, of neighbours for the angular velocity where it is one."""
    step, n = float(np.median(np.diff(trial.stamps))), frames
    places, turns = trial.positions + rotate(trial.rotations, lever), trial.rotations
    acceleration = (places[2 * n :] - 2.0 * places[n:-n] + places[: -2 * n]) / (n * step) ** 2
    force = specific_force(turns[n:-n], acceleration)
    rate = to_rotvec(multiply(conjugate(turns[:-n]), turns[n:])) / (n * step)
    results = []
    for values, stamps, delay in (
        (force, trial.stamps[n:-n], FORCE_DELAY_S),
        (rate, trial.stamps[:-n] + 0.5 * n * step, RATE_DELAY_S),
    ):
        known = np.isfinite(values).all(axis=-1)
        results.append(
            np.stack([np.interp(trial.times - delay, stamps[known], values[known, i]) for i in range(3)], axis=-1)
        )
    return results[0], results[1]


def lever_arm(pairs: list[tuple[Trial, Synthetic]]) -> np.ndarray:
    """The lever arm (3,) that explains what is left of the specific force best."""
    rows, rest = [], []
    for trial, synthetic in pairs:
        known = np.isfinite(synthetic.lever).all(axis=(1, 2)) & np.isfinite(synthetic.force).all(axis=1)
        rows.append(synthetic.lever[known].reshape(-1, 3))
        rest.append((trial.force - synthetic.force)[known].ravel())
    return np.linalg.lstsq(np.concatenate(rows), np.concatenate(rest), rcond=None)[0]


def figures(found: np.ndarray, real: np.ndarray) -> tuple[float, float]:
    known = np.isfinite(found).all(axis=1)
    assert known.mean() > 0.98
    r = np.mean([np.corrcoef(found[known, axis], real[known, axis])[0, 1] for axis in range(3)])
    return float(r), float(np.sqrt(np.mean((found - real)[known] ** 2)))


def cutoffs_of(trial: Trial) -> Cutoffs:
    motion = SiteMotion(trial.stamps, trial.positions[:, None], trial.rotations[:, None])
    return cutoffs_from_noise(motion, cutoffs_for(0))


OTHERS = {
    "second differences": second_differences,
    "quintic smoothing spline": quintic_smoothing_spline,
    "4-frame differences": four_frame_differences,
}


def judge(trials: list[Trial]) -> dict[str, np.ndarray]:
    """Per method (trials, 4): acc r, acc RMSE, gyro r, gyro RMSE."""
    made = [ours(trial, cutoffs_of(trial)) for trial in trials]
    results: dict[str, list[tuple[float, ...]]] = {name: [] for name in ("fitmotion", *OTHERS)}
    for index, trial in enumerate(trials):
        lever = lever_arm([(trials[other], made[other]) for other in range(len(trials)) if other != index])
        force = made[index].force + made[index].lever @ lever
        results["fitmotion"].append((*figures(force, trial.force), *figures(made[index].rate, trial.rate)))
        for name, method in OTHERS.items():
            force, rate = method(trial, lever)
            results[name].append((*figures(force, trial.force), *figures(rate, trial.rate)))
        print(f"{trial.name}, lever arm {(1000 * lever).round(1)} mm")
        for method, rows in results.items():
            print(_row(method, rows[-1]))
    return {method: np.array(rows) for method, rows in results.items()}


def _row(method: str, row: Sequence[float]) -> str:
    return f"  {method:24} acc r {row[0]:.4f} RMSE {row[1]:.3f} m/s2  gyro r {row[2]:.4f} RMSE {row[3]:.4f} rad/s"


@pytest.mark.parametrize(
    ("thinning", "seconds"),
    [(5, 30.0), pytest.param(5, None, marks=pytest.mark.slow), (10, None)],
    ids=["57 fps, half a minute", "57 fps", "29 fps"],
)
def test_virtual_readings_beside_a_real_sensor(thinning, seconds) -> None:
    paths = sorted(BROAD.glob("*.mat"))
    if len(paths) < 3:
        pytest.skip(f"{len(paths)} BROAD trials in {BROAD}, needs 3; set FITMOTION_DATA to the folder that holds them")
    results = judge([load(path, thinning, seconds) for path in paths])
    medians = {method: np.median(rows, axis=0) for method, rows in results.items()}
    print("medians")
    for method, row in medians.items():
        print(_row(method, row))
    acc_r, acc_rmse, gyro_r, gyro_rmse = medians["fitmotion"]
    assert acc_rmse <= 0.40 and gyro_rmse <= 0.09
    if seconds is None:  # half a minute of a slow trial has hardly any motion to correlate
        assert acc_r >= 0.992 and gyro_r >= (0.99 if thinning == 5 else 0.985)
    for name in OTHERS:
        other_acc_r, other_acc_rmse, other_gyro_r, other_gyro_rmse = medians[name]
        assert gyro_rmse < other_gyro_rmse and gyro_r > other_gyro_r - 0.001, name
        assert acc_rmse < other_acc_rmse and acc_r > other_acc_r - 0.001, name
