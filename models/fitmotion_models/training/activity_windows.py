"""What recognisers of activities read: a repetition as one window of six channels, and how recordings are varied."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.datasets.utd_mhad import UtdTrial
from fitmotion_models.imu.specific_force import STANDARD_GRAVITY
from fitmotion_models.skeleton.rotations import Float64, from_rotvec, to_matrix

Windows = NDArray[np.float32]

SAMPLES = 96
CHANNELS = 6
# what one unit of a channel is; constants, so that no figure of a person sets the scale
_FORCE_UNIT, _RATE_UNIT = STANDARD_GRAVITY, 2.0  # m/s2, rad/s
_WARP_WAVES = 3


@dataclass(frozen=True)
class Augmentation:
    """What is usually done to recordings of sensors so that a network learns less of the wearer (Um et al. 2017).

    mount_deg: how far the sensor is turned, root mean square of the angle. scale: of each channel, standard deviation
    of the logarithm. noise: of each sample, in units of the windows. warp: of time, as a share of the window.
    """

    mount_deg: float = 0.0
    scale: float = 0.0
    noise: float = 0.0
    warp: float = 0.0

    def __post_init__(self) -> None:
        for name in ("mount_deg", "scale", "noise", "warp"):
            if not 0.0 <= getattr(self, name) < np.inf:
                raise ValueError(f"augmentation: {name}={getattr(self, name)} must be 0 or more")


def window(specific_force: Float64, angular_velocity: Float64) -> Windows:
    """Readings (N, ..., 3), m/s2 and rad/s, stretched to windows (..., 6, 96): force, then rate, in units near 1."""
    channels = np.concatenate([specific_force / _FORCE_UNIT, angular_velocity / _RATE_UNIT], axis=-1)
    place = np.linspace(0.0, len(channels) - 1.0, SAMPLES)
    return np.moveaxis(between_rows(channels, place), 0, -1).astype(np.float32)


def between_rows(values: Float64, place: Float64) -> Float64:
    """Rows of values (N, ...) at fractional indices (M,), by straight lines: (M, ...)."""
    before = np.clip(place.astype(int), 0, len(values) - 2)
    share = (place - before).reshape(-1, *(1,) * (values.ndim - 1))
    result: Float64 = values[before] * (1.0 - share) + values[before + 1] * share
    return result


def real_windows(trials: Sequence[UtdTrial]) -> Windows:
    """Windows (N, 6, 96) of what the worn sensor read."""
    return np.stack([window(trial.specific_force, trial.angular_velocity) for trial in trials])


def labels_of(trials: Sequence[UtdTrial]) -> NDArray[np.int64]:
    """The actions' numbers (N,)."""
    return np.array([trial.action for trial in trials], dtype=np.int64)


def augmented(windows: Windows, augmentation: Augmentation, random: np.random.Generator) -> Windows:
    """Windows (N, 6, 96), each changed in its own way: warped, turned, scaled, with noise."""
    count = len(windows)
    changed = _warped(windows.astype(np.float64), warps(count, SAMPLES, augmentation.warp, random))
    spread = np.radians(augmentation.mount_deg) / np.sqrt(3.0)
    turns = to_matrix(from_rotvec(spread * random.standard_normal((count, 3))))
    changed = (turns[:, None] @ changed.reshape(count, 2, 3, SAMPLES)).reshape(changed.shape)
    changed *= np.exp(augmentation.scale * random.standard_normal((count, CHANNELS, 1)))
    return (changed + augmentation.noise * random.standard_normal(changed.shape)).astype(np.float32)


def warps(count: int, frames: int, spread: float, random: np.random.Generator) -> Float64:
    """Where each of (count, frames) instants was before time was warped, as a share of the whole; never backwards."""
    time = np.linspace(0.0, 1.0, frames)
    waves = np.arange(1, _WARP_WAVES + 1)
    strength = 0.5 * spread * random.standard_normal((count, _WARP_WAVES)) / waves
    return np.clip(np.maximum.accumulate(time + strength @ np.sin(np.pi * waves[:, None] * time), axis=1), 0.0, 1.0)


def _warped(windows: Float64, place: Float64) -> Float64:
    place = place * (SAMPLES - 1)
    before = np.minimum(place.astype(int), SAMPLES - 2)
    share = (place - before)[:, None]
    here = np.take_along_axis(windows, before[:, None], axis=2)
    result: Float64 = here * (1.0 - share) + np.take_along_axis(windows, before[:, None] + 1, axis=2) * share
    return result
