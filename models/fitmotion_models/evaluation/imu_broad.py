"""Virtual sensors beside a real one: BROAD (Laidig et al. 2021), an inertial sensor in an optical capture volume.

The cameras' positions and rotations are thinned to a frame rate, and made into readings by our method and by those of
others; what the sensor read at 286 Hz is the truth. Our low-passes are those that cross-validation finds in the trial's
poses (see `imu.noise_cutoff`, whose figures were settled on three trials), never seeing the sensor. The sensor's place
in the marker frame is fitted on the other trials than the one that is judged; all methods get the same place and the
same delays. Errors are RMS of a single axis, r is the mean of the axes' Pearson correlations, all while the trial's
authors count as movement.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.datasets.broad import BroadTrial, broad_files, read_broad_trial
from fitmotion_models.evaluation.imu_methods import OTHERS, OURS, Times, ours
from fitmotion_models.imu import Cutoffs, SiteMotion, cutoffs_from_noise
from fitmotion_models.imu.values import EXACT
from fitmotion_models.skeleton.rotations import Float64, rotate

# how late this sensor's channels are against its cameras
FORCE_DELAY_S, RATE_DELAY_S = 0.0025, 0.004
EVERY = 3  # of the sensor's samples at 286 Hz are compared
THINNINGS = {"57": 5, "29": 10}
"""Frame rate, in frames a second, to how many of the cameras' frames at 286 Hz one is taken."""
FEWEST_TRIALS = 3
FIGURES = ("acc_r", "acc_rmse", "gyro_r", "gyro_rmse")


@dataclass(frozen=True, eq=False)
class Comparison:
    """A trial made ready: how the marker frame moved at a frame rate, and what the sensor read at `times` (N,).

    cutoffs: the low-passes that suit the noise of the motion.
    """

    name: str
    motion: SiteMotion
    times: Times
    force: Float64
    rate: Float64
    cutoffs: Cutoffs


Progress = Callable[[int, int | None], None]


def broad_figures(folder: str | Path, progress: Progress | None = None) -> dict[str, Any]:
    """Frame rate -> method -> medians over the trials and those of each trial, for JSON.

    Raises ValueError where the folder holds fewer than `FEWEST_TRIALS` trials, or what is none.
    """
    paths = broad_files(folder)
    if len(paths) < FEWEST_TRIALS:
        raise ValueError(
            f"{folder} holds {len(paths)} trials of BROAD; at least {FEWEST_TRIALS} are needed, as the "
            "sensor's place is fitted on other trials than the one that is judged"
        )
    tick = _counter(progress, 2 * len(paths) * len(THINNINGS))
    results: dict[str, Any] = {}
    for rate, thinning in THINNINGS.items():
        trials = []
        for path in paths:
            trials.append(comparison(read_broad_trial(path), thinning))
            tick()
        results[rate] = judge(trials, tick)
    return results


def _counter(progress: Progress | None, total: int) -> Callable[[], None]:
    done = iter(range(1, total + 1))
    return lambda: None if progress is None else progress(next(done), total)


def comparison(trial: BroadTrial, thinning: int, seconds: float | None = None) -> Comparison:
    """Thin a trial's cameras; the whole movement, or its first seconds."""
    moving = np.flatnonzero(trial.moving)
    if not len(moving):
        raise ValueError(f"{trial.name} has no movement")
    first, last = moving[0], moving[-1]
    if seconds is not None:
        last = min(last, first + round(seconds * trial.rate_hz))
    # a second more on both sides, so that what is compared lies inside
    around = slice(max(first - round(trial.rate_hz), 0), last + round(trial.rate_hz), thinning)
    compared = np.flatnonzero(trial.moving[: last + 1])[::EVERY]
    motion = SiteMotion(trial.stamps[around], trial.positions[around, None], trial.rotations[around, None])
    return Comparison(
        trial.name,
        motion,
        trial.stamps[compared],
        trial.specific_force[compared],
        trial.angular_velocity[compared],
        cutoffs_from_noise(motion, EXACT),
    )


def judge(trials: Sequence[Comparison], tick: Callable[[], None] = lambda: None) -> dict[str, Any]:
    """Method -> medians and `per_trial`, each trial judged with what was chosen on the others; ticks for each."""
    equations = [_lever_equations(trial) for trial in trials]
    rows: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in (OURS, *OTHERS)}
    for index, trial in enumerate(trials):
        lever = _lever_arm([equation for other, equation in enumerate(equations) if other != index])
        cutoffs = trial.cutoffs
        motion = _at(trial.motion, lever)
        methods = {OURS: ours(cutoffs)} | OTHERS
        made = {
            name: [readings[:, 0] for readings in method(motion, *_delayed(trial))] for name, method in methods.items()
        }
        # all are judged at the instants at which all have a reading
        known = np.isfinite(np.concatenate([array for pair in made.values() for array in pair], axis=1)).all(axis=1)
        for name, (force, rate) in made.items():
            rows[name][trial.name] = _figures(trial, force, rate, known)
        rows[OURS][trial.name] |= {
            "position_hz": round(cutoffs.position_hz, 2),
            "rotation_hz": round(cutoffs.rotation_hz, 2),
            "orders": [cutoffs.position_order, cutoffs.rotation_order],
            "lever_arm_mm": [round(1e3 * float(value), 1) for value in lever],
            "compared": round(float(known.mean()), 4),
        }
        tick()
    return {
        name: {figure: _round(np.median([row[figure] for row in of_trials.values()])) for figure in FIGURES}
        | {"per_trial": of_trials}
        for name, of_trials in rows.items()
    }


def _lever_equations(trial: Comparison) -> tuple[Float64, Float64]:
    """What 1 m of lever along each axis adds to our specific force (M, 3), and what it lacks without one (M,)."""
    # the force is linear in the lever: one sensor without, and one a metre away along each axis
    places = [_at(trial.motion, lever).positions[:, 0] for lever in ((0.0, 0.0, 0.0), *np.eye(3))]
    motion = SiteMotion(trial.motion.stamps, np.stack(places, axis=1), np.repeat(trial.motion.rotations, 4, axis=1))
    force, _ = ours(trial.cutoffs)(motion, *_delayed(trial))
    lacking = trial.force - force[:, 0]
    known = np.isfinite(lacking).all(axis=1)
    added = np.swapaxes(force[:, 1:] - force[:, :1], -1, -2)
    return added[known].reshape(-1, 3), lacking[known].ravel()


def _lever_arm(equations: Sequence[tuple[Float64, Float64]]) -> Float64:
    """The lever arm (3,) in metres that explains what is lacking best."""
    added, lacking = (np.concatenate(parts) for parts in zip(*equations, strict=True))
    return np.asarray(np.linalg.lstsq(added, lacking, rcond=None)[0])


def _at(motion: SiteMotion, lever: Iterable[float]) -> SiteMotion:
    """The motion of what sits away from the marker frame, metres along its axes."""
    return replace(motion, positions=motion.positions + rotate(motion.rotations, np.asarray(lever, dtype=np.float64)))


def _delayed(trial: Comparison) -> tuple[Times, Times]:
    """When the cameras saw what the sensor's channels read at the trial's times."""
    first, last = trial.motion.stamps[[0, -1]]
    return np.clip(trial.times - FORCE_DELAY_S, first, last), np.clip(trial.times - RATE_DELAY_S, first, last)


def _figures(trial: Comparison, force: Float64, rate: Float64, known: NDArray[np.bool_]) -> dict[str, Any]:
    acc_r, acc_rmse = _agreement(force[known], trial.force[known])
    gyro_r, gyro_rmse = _agreement(rate[known], trial.rate[known])
    return {"acc_r": acc_r, "acc_rmse": acc_rmse, "gyro_r": gyro_r, "gyro_rmse": gyro_rmse}


def _agreement(found: Float64, real: Float64) -> tuple[float, float]:
    r = np.mean([np.corrcoef(found[:, axis], real[:, axis])[0, 1] for axis in range(3)])
    return _round(r), _round(np.sqrt(np.mean((found - real) ** 2)))


def _round(value: float) -> float:
    return round(float(value), 5)
