"""What an inertial sensor senses: specific force and angular velocity in its own frame."""

import numpy as np
from numpy.typing import ArrayLike

from fitmotion_models.skeleton.rotations import Float64, conjugate, normalize, rotate

STANDARD_GRAVITY = 9.81  # m/s2, the figure that the data sets here are evaluated with
GRAVITY: Float64 = np.array([0.0, 0.0, -STANDARD_GRAVITY])
GRAVITY.flags.writeable = False


def specific_force(rotations: ArrayLike, acceleration: ArrayLike) -> Float64:
    """What an accelerometer reads, (..., 3) m/s2 in the sensor's frame: f = R^T (a - g); at rest +g on the axis up.

    rotations: (..., 4) unit quaternions xyzw, sensor to world. acceleration: (..., 3) m/s2, world.
    """
    return rotate(conjugate(rotations), np.asarray(acceleration, dtype=np.float64) - GRAVITY)


def angular_velocity(quaternions: ArrayLike, derivatives: ArrayLike) -> Float64:
    """What a gyroscope reads, (..., 3) rad/s in the sensor's frame, of quaternions (..., 4) and their rates (..., 4).

    The quaternions, sensor to world, may be of any length, as smoothed ones are: w = 2 vec(q* dq/dt) / |q|^2.
    """
    q, rate = np.asarray(quaternions, dtype=np.float64), np.asarray(derivatives, dtype=np.float64)
    # by components: on long arrays several times faster than by vectors, whose axis is short
    x, y, z, w, dx, dy, dz, dw = (array[..., axis] for array in (q, rate) for axis in range(4))
    scale = 2.0 / (x * x + y * y + z * z + w * w)
    result = np.empty((*q.shape[:-1], 3))
    result[..., 0] = scale * (w * dx - dw * x - (y * dz - z * dy))
    result[..., 1] = scale * (w * dy - dw * y - (z * dx - x * dz))
    result[..., 2] = scale * (w * dz - dw * z - (x * dy - y * dx))
    return result


def continuous_quaternions(quaternions: ArrayLike) -> Float64:
    """Unit quaternions (T, ..., 4) with signs such that neighbours in time are near each other; none may be NaN."""
    q = normalize(quaternions)
    far = np.sum(q[1:] * q[:-1], axis=-1, keepdims=True) < 0.0
    q[1:] *= np.where(np.cumsum(far, axis=0) % 2 == 1, -1.0, 1.0)
    return q
