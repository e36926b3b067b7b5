"""Virtual recordings of activities: from the skeletons of the training persons, made like what their sensors read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np

from fitmotion_models.datasets.utd_mhad import SENSOR_HZ, UtdTrial
from fitmotion_models.imu.calibration import Calibration, CalibrationPair
from fitmotion_models.imu.offline import virtual_imu
from fitmotion_models.imu.sensor_model import measured
from fitmotion_models.imu.sensor_spec import SensorSpec, sensor_preset
from fitmotion_models.imu.sites import Site, select_sites
from fitmotion_models.imu.values import Cutoffs, ImuRecording
from fitmotion_models.skeleton.frames import mirror_clip
from fitmotion_models.skeleton.rotations import conjugate, rotate
from fitmotion_models.training.activity_variations import Variations, varied_imu
from fitmotion_models.training.activity_windows import Windows, window

MIRRORED_ACTIONS = frozenset(
    {
        *("clap", "arm_cross", "basketball_shoot", "boxing", "arm_curl", "push"),
        *("jog", "walk", "sit_to_stand", "stand_to_sit", "squat"),
    }
)
"""Actions that both sides do alike: what the left wrist or thigh does is one more example of the right one's."""


def refuse_leak(what: str, persons: Iterable[str], training: Iterable[str]) -> None:
    """Raises ValueError where something comes from persons who are not among the training persons."""
    known = set(training)
    others = sorted(set(persons) - known)
    if others:
        raise ValueError(
            f"{what} come from {', '.join(others)}, but the training persons are {', '.join(sorted(known))}; leave out "
            "the others, as they may be tested on"
        )


@dataclass(frozen=True)
class VirtualRecipe:
    """How virtual recordings are made.

    cutoffs: for a Kinect's noise, which is between that of one camera and that of several. method: of the calibration.
    sensor: the unit whose errors every variation gets anew. mirrored: every second variation is of the other side,
    where that is alike.
    """

    cutoffs: Cutoffs = field(default_factory=lambda: Cutoffs(4.0, 5.0))
    method: str = "affine"
    sensor: str = "mpu-6050"
    mirrored: bool = True


def calibration_of(trials: Sequence[UtdTrial], recipe: VirtualRecipe) -> Calibration:
    """The calibration that these persons' own recordings give; clocks agree, as the set's two files span the same."""
    pairs = []
    for trial in trials:
        shape = (len(trial.stamps), 1)
        real = ImuRecording(
            (trial.site,),
            SENSOR_HZ,
            trial.stamps,
            trial.specific_force[:, None],
            trial.angular_velocity[:, None],
            np.full((*shape, 4), np.nan),
        )
        virtual = virtual_imu(trial.clip, [_site(trial.site)], rate_hz=SENSOR_HZ, cutoffs=recipe.cutoffs)
        pairs.append(CalibrationPair(trial.person, virtual, real, trial.action_name))
    return Calibration.fit(pairs, recipe.method, longest_lag_s=0.0)


def virtual_windows(
    trial: UtdTrial,
    count: int,
    variations: Variations,
    calibration: Calibration,
    recipe: VirtualRecipe,
    seed: Sequence[int],
) -> Windows:
    """Windows (count, 6, 96) of variations of one repetition, calibrated; the same seed gives the same ones.

    Raises ValueError where the calibration was learned from other persons than the one who moves.
    """
    refuse_leak("calibrations", calibration.persons, [trial.person])
    random = np.random.default_rng(seed)
    both = recipe.mirrored and trial.action_name in MIRRORED_ACTIONS
    counts = (count - count // 2, count // 2) if both else (count, 0)
    found = []
    for clip, many in zip((trial.clip, mirror_clip(trial.clip)), counts, strict=True):
        if many:
            found.append(_windows(replace(trial, clip=clip), many, variations, calibration, recipe, random))
    return np.concatenate(found)


def _windows(
    trial: UtdTrial,
    count: int,
    variations: Variations,
    calibration: Calibration,
    recipe: VirtualRecipe,
    random: np.random.Generator,
) -> Windows:
    varied = varied_imu(trial.clip, _site(trial.site), count, variations, recipe.cutoffs, random)
    # each variation is worn like the plain sensor that the calibration knows
    sensor, turn = calibration.sensors[trial.site], calibration.sensors[trial.site].rotation
    signals = [rotate(turn, one) for one in (varied.recording.specific_force, varied.recording.angular_velocity)]
    both = np.concatenate(signals, axis=-1)
    both = sensor.corrected(both.reshape(-1, 6), trial.action_name).reshape(both.shape)
    mounts = conjugate(varied.mounts)
    worn = replace(
        varied.recording,
        specific_force=rotate(mounts, both[..., :3]),
        angular_velocity=rotate(mounts, both[..., 3:]),
    )
    made = measured(worn, _sensor(recipe.sensor), seed=int(random.integers(2**31)))
    return window(made.specific_force, made.angular_velocity)


@cache
def _site(name: str) -> Site:
    return select_sites([name])[0]


@cache
def _sensor(name: str) -> SensorSpec:
    return sensor_preset(name)
