"""What noise of the poses does to virtual sensors: recorded walks with more and more of it, ours beside other methods.

The walks are optical recordings at 120 frames a second. Their readings, the truth here, are derivatives of local
polynomials (Savitzky and Golay 1964), which none of the methods is made of. The methods get 30 frames a second with
white noise in every sensor's position and rotation, about as large as a camera's from 20 mm and 3 degrees on. Our
low-passes are found in the noisy poses themselves.
"""

from collections.abc import Callable, Iterable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from fitmotion_models.datasets.asf_amc import read_asf, read_asf_amc
from fitmotion_models.datasets.set_files import set_files
from fitmotion_models.evaluation.imu_methods import OTHERS, OURS, Times, double_gradient, ours
from fitmotion_models.imu import Site, SiteMotion, cutoffs_for, cutoffs_from_noise, select_sites, site_motion
from fitmotion_models.imu.specific_force import angular_velocity, continuous_quaternions, specific_force
from fitmotion_models.skeleton.motion_clip import MotionClip
from fitmotion_models.skeleton.rotations import Float64, from_rotvec, multiply

WALKS = ("02_01", "02_02", "03_01")  # of CMU: two walks on the level, one on uneven ground; 03_02 has a jump
LEVELS = ((0.0, 0.0), (1.0, 0.15), (2.0, 0.3), (5.0, 0.75), (10.0, 1.5), (20.0, 3.0), (40.0, 6.0))  # mm, degrees
RECORDED_FPS, POSES_EVERY = 120.0, 4
SEEDS = 3
_POLYNOMIAL = {"window_length": 17, "polyorder": 4}  # 142 ms
_ENDS_S = 0.15  # left out of the comparison: the polynomials lack half of their window there
SITES = ("pelvis", "chest", "left_wrist", "right_wrist", "left_thigh", "right_thigh", "left_shank", "right_shank")

Progress = Callable[[int, int | None], None]


def read_walks(source: str | Path) -> list[MotionClip]:
    """The walks at 120 frames a second from CMU's folder or archive. Raises ValueError where one is missing."""
    files = {file.stem + file.suffix: content() for file, content in set_files(source, (".asf", ".amc"), "CMU")}
    clips = []
    for name in WALKS:
        try:
            skeleton = read_asf(BytesIO(files[f"{name.split('_')[0]}.asf"]))
            motion = BytesIO(files[f"{name}.amc"])
        except KeyError as error:
            raise ValueError(
                f"{source} has no {error.args[0]}; give CMU's recordings of the subjects 2 and 3"
            ) from None
        clips.append(read_asf_amc(skeleton, motion, fps=RECORDED_FPS, target_fps=None, subject=name))
    return clips


def noise_figures(
    clips: Iterable[MotionClip], progress: Progress | None = None, sites: Iterable[str] = SITES
) -> list[dict[str, Any]]:
    """For every level of noise, of each method r and RMSE of specific force and angular velocity, for JSON.

    Means over clips, sensors and draws of the noise. clips: at 120 frames a second.
    """
    chosen = select_sites(sites)
    truths = [_truth(clip, chosen) for clip in clips]
    rows: list[dict[str, Any]] = []
    for index, (millimetres, degrees) in enumerate(LEVELS):
        found: dict[str, list[Float64]] = {}
        cutoffs = []
        for number, (motion, times, force, rate) in enumerate(truths):
            for seed in range(SEEDS if millimetres else 1):
                noisy = with_noise(motion, 1e-3 * millimetres, np.radians(degrees), seed=100 * number + seed)
                suited = cutoffs_from_noise(noisy, cutoffs_for(0))
                cutoffs.append((suited.position_hz, suited.rotation_hz))
                for name, method in ({OURS: ours(suited)} | OTHERS | {"double gradient": double_gradient}).items():
                    made = method(noisy, times, times)
                    figures = [*_agreement(made[0], force), *_agreement(made[1], rate)]
                    found.setdefault(name, []).append(np.array(figures))
        medians = np.median(cutoffs, axis=0)
        rows.append(
            {
                "position_mm": millimetres,
                "rotation_deg": degrees,
                "position_hz": round(float(medians[0]), 2),
                "rotation_hz": round(float(medians[1]), 2),
                "methods": {
                    name: dict(
                        zip(("acc_r", "acc_rmse", "gyro_r", "gyro_rmse"), _rounded(np.mean(all_, axis=0)), strict=True)
                    )
                    for name, all_ in found.items()
                },
            }
        )
        if progress is not None:
            progress(index + 1, len(LEVELS))
    return rows


def with_noise(motion: SiteMotion, position_sd: float, rotation_sd: float, *, seed: int) -> SiteMotion:
    """Poses with white noise in every axis, metres and radians."""
    rng = np.random.default_rng(seed)
    shape = motion.positions.shape
    turns = from_rotvec(rotation_sd * rng.normal(size=shape))
    return SiteMotion(
        motion.stamps,
        motion.positions + position_sd * rng.normal(size=shape),
        multiply(motion.rotations, turns),
    )


def _truth(clip: MotionClip, sites: tuple[Site, ...]) -> tuple[SiteMotion, Times, Float64, Float64]:
    """The poses that the methods get, without noise; times to compare at; the readings there."""
    from scipy.signal import savgol_filter

    motion = site_motion(clip, sites)
    q = continuous_quaternions(motion.rotations)
    step = 1.0 / RECORDED_FPS
    acceleration = savgol_filter(motion.positions, deriv=2, delta=step, axis=0, **_POLYNOMIAL)
    turns, rates = (savgol_filter(q, deriv=order, delta=step, axis=0, **_POLYNOMIAL) for order in (0, 1))
    inside = slice(round(_ENDS_S / step), len(clip) - round(_ENDS_S / step))
    force = specific_force(motion.rotations, acceleration)
    poses = SiteMotion(*(array[::POSES_EVERY] for array in (motion.stamps, motion.positions, q)))
    inside = slice(inside.start, min(inside.stop, POSES_EVERY * (len(poses.stamps) - 1)))
    return poses, motion.stamps[inside], force[inside], angular_velocity(turns, rates)[inside]


def _agreement(found: Float64, true: Float64) -> tuple[float, float]:
    """Mean Pearson correlation of the axes of all sensors, and RMSE of a single axis."""
    one, other = found - found.mean(axis=0), true - true.mean(axis=0)
    r = np.sum(one * other, axis=0) / np.sqrt(np.sum(one * one, axis=0) * np.sum(other * other, axis=0))
    return float(r.mean()), float(np.sqrt(np.mean((found - true) ** 2)))


def _rounded(values: Float64) -> list[float]:
    return [round(float(value), 4) for value in values]
