"""What skin and muscle do to a sensor: it rides on a damped spring and wobbles against the bone.

The sensor, a mass on the skin's stiffness, follows the bone as a base-excited oscillator in every direction: slow
motion passes, near the resonance it is overdone and late. Stiffness is tangential, of skin on the leg as Karlsson and
Tranberg measured it (Human Movement Science 18, 1999): 330 N/m on the thigh's muscle, 1900 N/m at the bony knee. With
the damping here a strapped sensor on bone reads a sixth more than the bone at 15 Hz; Kim et al. (J Biomech Eng 115,
1993) found 12 percent from 15 to 30 Hz. How straps turn on the skin is not modelled.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.imu.specific_force import GRAVITY, specific_force
from fitmotion_models.imu.values import ImuRecording
from fitmotion_models.skeleton.rotations import Float64, rotate

SENSOR_MASS_KG = 0.03  # of a strapped sensor, with what moves along of the skin
DAMPING_RATIO = 0.3  # of critical damping
# a resonance above this share of the sampling rate is between the samples
_FASTEST = 0.45


@dataclass(frozen=True)
class SoftTissue:
    """What a sensor rides on. stiffness_n_m: newtons a metre. mass_kg: of the sensor. damping_ratio: of the critical.

    Raises ValueError naming the value and what is allowed.
    """

    stiffness_n_m: float
    mass_kg: float = SENSOR_MASS_KG
    damping_ratio: float = DAMPING_RATIO

    def __post_init__(self) -> None:
        for name in ("stiffness_n_m", "mass_kg", "damping_ratio"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0.0):
                raise ValueError(f"{name}={value} of soft tissue must be a positive number")
        if self.damping_ratio >= 1.0:
            raise ValueError(f"damping_ratio={self.damping_ratio} of soft tissue does not wobble; allowed: below 1")

    @property
    def frequency_hz(self) -> float:
        """Of the resonance without damping."""
        return math.sqrt(self.stiffness_n_m / self.mass_kg) / (2.0 * math.pi)


MUSCLE = SoftTissue(330.0)
BONE = SoftTissue(1900.0)
_MUSCLES = ("thigh", "upper_arm", "pocket", "calf", "hip", "belt")


def tissue_of(site: str) -> SoftTissue:
    """What a site of this name rides on: muscle and fat on thigh, upper arm, calf and hip, else skin over bone."""
    return MUSCLE if any(part in site for part in _MUSCLES) else BONE


def with_soft_tissue(recording: ImuRecording, tissues: Mapping[str, SoftTissue] | None = None) -> ImuRecording:
    """A recording as sensors on soft tissue read it.

    tissues: by site; without it, and for sites that it does not name, `tissue_of`. The wobble begins at rest where a
    site begins to be seen. Raises ValueError for a site that the recording has not, and where its rate is too low for
    the wobble.
    """
    given = dict(tissues or {})
    unknown = [name for name in given if name not in recording.sites]
    if unknown:
        raise ValueError(f"soft tissue of {', '.join(unknown)}: no such site; known: {', '.join(recording.sites)}")
    force = recording.specific_force.copy()
    for index, name in enumerate(recording.sites):
        tissue = given.get(name) or tissue_of(name)
        if tissue.frequency_hz > _FASTEST * recording.rate_hz:
            raise ValueError(
                f"{recording.rate_hz:g} Hz is too low for soft tissue of {name}, which wobbles at "
                f"{tissue.frequency_hz:.0f} Hz; sample at {tissue.frequency_hz / _FASTEST:.0f} Hz or more"
            )
        turns = recording.rotations[:, index]
        seen = np.isfinite(np.concatenate([force[:, index], turns], axis=-1)).all(axis=-1)
        for rows in _stretches(np.asarray(seen)):
            acceleration = rotate(turns[rows], force[rows, index]) + GRAVITY
            force[rows, index] = specific_force(turns[rows], wobble(acceleration, tissue, recording.rate_hz))
    return replace(recording, specific_force=force)


def wobble(acceleration: Float64, tissue: SoftTissue, rate_hz: float) -> Float64:
    """Acceleration (N, D) of what rides on a base with this acceleration, m/s2; exact for straight lines between."""
    from scipy.signal import cont2discrete, dlsim

    turning, damping = 2.0 * math.pi * tissue.frequency_hz, tissue.damping_ratio
    # the state is the displacement against the base and its rate; the output what spring and damper do to the mass
    system = (
        np.array([[0.0, 1.0], [-(turning**2), -2.0 * damping * turning]]),
        np.array([[0.0], [-1.0]]),
        np.array([[-(turning**2), -2.0 * damping * turning]]),
        np.zeros((1, 1)),
    )
    discrete = cont2discrete(system, 1.0 / rate_hz, method="foh")
    result = np.empty_like(acceleration)
    for axis in range(acceleration.shape[1]):
        # from where it would rest if the base went on as it begins
        start = acceleration[0, axis]
        _, out, _ = dlsim(discrete, acceleration[:, axis] - start)
        result[:, axis] = out[:, 0] + start
    return result


def _stretches(seen: NDArray[np.bool_]) -> list[slice]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], seen, [False]]).astype(int)))
    return [slice(int(start), int(end)) for start, end in zip(edges[::2], edges[1::2], strict=True)]
