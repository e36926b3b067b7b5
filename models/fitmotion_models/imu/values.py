"""The values that the sensor models give: settings of the filters and recordings of virtual sensors."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.skeleton.rotations import Float64

DEFAULT_RATE_HZ = 100.0
# a hole in the poses of more than this is not bridged: a body can turn round in it
MAX_GAP_S = 0.2


@dataclass(frozen=True)
class Cutoffs:
    """Where smoothing halves an amplitude, Hz: of positions (specific force) and of rotations (angular velocity)."""

    position_hz: float
    rotation_hz: float

    def __post_init__(self) -> None:
        for name in ("position_hz", "rotation_hz"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0.0):
                raise ValueError(f"{name}={value} is no cut-off; give a positive frequency in Hz")


# Optical capture and motion without measurement noise: measured against a real sensor in an optical volume. One camera,
# whose depth is as noisy as the motion itself: the upper end of the 1.5 to 3 Hz that suit poses of one camera. Several
# cameras: their angles err by less than half of one camera's; a choice in between.
EXACT = Cutoffs(12.0, 15.0)
CAMERAS = Cutoffs(6.0, 6.0)
ONE_CAMERA = Cutoffs(3.0, 3.0)


def cutoffs_for(views: int) -> Cutoffs:
    """The cut-offs for bodies behind which there are so many cameras; 0: none (a recording, a generated body)."""
    if views <= 0:
        return EXACT
    return ONE_CAMERA if views == 1 else CAMERAS


@dataclass(frozen=True, eq=False)
class ImuRecording:
    """What S virtual sensors read at N instants; NaN where the body was not seen well enough.

    sites: names of the sensors. rate_hz: nominal rate. stamps: (N,) seconds. specific_force: (N, S, 3) m/s2 and
    angular_velocity: (N, S, 3) rad/s, in the sensors' frames. rotations: (N, S, 4) unit quaternions xyzw, sensor to
    world.
    """

    sites: tuple[str, ...]
    rate_hz: float
    stamps: NDArray[np.float64]
    specific_force: Float64
    angular_velocity: Float64
    rotations: Float64

    def __len__(self) -> int:
        return len(self.stamps)
