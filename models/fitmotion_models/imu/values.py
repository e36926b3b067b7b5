"""The values that the sensor models give: settings of the filters and recordings of virtual sensors."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.mover.noise import CORRELATION_S, FOUR_CAMERAS_SD_DEG, ONE_CAMERA_SD_DEG
from fitmotion_models.skeleton.rotations import Float64

DEFAULT_RATE_HZ = 100.0
# a hole in the poses of more than this is not bridged: a body can turn round in it
MAX_GAP_S = 0.2


# Of a Butterworth filter that is run forward and backward: the response 1 / (1 + (f / cutoff)^6) of this one is that of
# the live smoothing spline, and against real sensors it is as good as any other or better.
ORDER = 3
ORDERS = (2, 3, 4)


@dataclass(frozen=True)
class Cutoffs:
    """Where smoothing halves an amplitude, Hz: of positions (specific force) and of rotations (angular velocity).

    The orders are of the low-pass: its response is 1 / (1 + (f / cutoff)^(2 order)). Live sensors have `ORDER` only.
    """

    position_hz: float
    rotation_hz: float
    position_order: int = ORDER
    rotation_order: int = ORDER

    def __post_init__(self) -> None:
        for name in ("position_hz", "rotation_hz"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0.0):
                raise ValueError(f"{name}={value} is no cut-off; give a positive frequency in Hz")
        for name in ("position_order", "rotation_order"):
            if getattr(self, name) not in ORDERS:
                raise ValueError(f"{name}={getattr(self, name)} is unknown; allowed: {', '.join(map(str, ORDERS))}")


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


@dataclass(frozen=True)
class SlowErrors:
    """Errors of bodies that change as slowly as motion does, so that residuals do not show them.

    Each bone is turned by a random rotation vector, normal in all axes with standard deviation rotation_sd (rad), with
    the Matern-3/2 correlation of correlation_s seconds. lever_m: what such turns of all bones between the floor and a
    sensor move it by, per radian, across any direction.
    """

    rotation_sd: float
    correlation_s: float
    lever_m: float


# The errors of joint angles are those measured on an athlete before four calibrated cameras, see
# `fitmotion_models.mover.noise`: an angle between two bones errs by the root of 2 more than each of them. The lever is
# the root of the summed squares of the segments on the way, about a leg's, less for what only moves along it.
_LEVER_M = 0.4
ONE_CAMERA_ERRORS = SlowErrors(math.radians(ONE_CAMERA_SD_DEG / math.sqrt(2.0)), CORRELATION_S, _LEVER_M)
CAMERAS_ERRORS = SlowErrors(math.radians(FOUR_CAMERAS_SD_DEG / math.sqrt(2.0)), CORRELATION_S, _LEVER_M)


def slow_errors_for(views: int) -> SlowErrors | None:
    """The slow errors of bodies behind which there are so many cameras; None: none are known of (0 cameras)."""
    if views <= 0:
        return None
    return ONE_CAMERA_ERRORS if views == 1 else CAMERAS_ERRORS


@dataclass(frozen=True, eq=False)
class ImuRecording:
    """What S virtual sensors read at N instants; NaN where the body was not seen well enough.

    sites: names of the sensors. rate_hz: nominal rate. stamps: (N,) seconds. specific_force: (N, S, 3) m/s2 and
    angular_velocity: (N, S, 3) rad/s, in the sensors' frames. rotations: (N, S, 4) unit quaternions xyzw, sensor to
    world. magnetic_field: (N, S, 3) tesla in the sensors' frames, None where no field was asked for.
    """

    sites: tuple[str, ...]
    rate_hz: float
    stamps: NDArray[np.float64]
    specific_force: Float64
    angular_velocity: Float64
    rotations: Float64
    magnetic_field: Float64 | None = None

    def __len__(self) -> int:
        return len(self.stamps)
