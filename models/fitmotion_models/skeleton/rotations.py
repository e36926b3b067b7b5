"""Quaternion arithmetic, vectorised over leading axes.

Quaternions are xyzw (scalar last), of unit length, and rotate column vectors: `multiply(a, b)` is b first, then a.
Everything computes in float64; NaN in is NaN out, for that element only.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Float64 = NDArray[np.float64]

IDENTITY: Float64 = np.array([0.0, 0.0, 0.0, 1.0])
IDENTITY.flags.writeable = False


def cross(a: Float64, b: Float64) -> Float64:
    """Cross product of (..., 3) arrays; several times faster than `numpy.cross` on small ones."""
    a0, a1, a2, b0, b1, b2 = (array[..., axis] for array in (a, b) for axis in range(3))
    result = np.empty(np.broadcast_shapes(a.shape, b.shape))
    result[..., 0], result[..., 1], result[..., 2] = a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, a0 * b1 - a1 * b0
    return result


def normalize(vectors: ArrayLike) -> Float64:
    """Vectors (..., N) scaled to length 1; a vector of length 0 becomes NaN."""
    array = np.asarray(vectors, dtype=np.float64)
    length = np.sqrt(np.sum(array * array, axis=-1, keepdims=True))
    with np.errstate(invalid="ignore", divide="ignore"):
        result: Float64 = array / length
    return result


def conjugate(q: ArrayLike) -> Float64:
    """The inverse rotation of unit quaternions (..., 4)."""
    result = np.array(q, dtype=np.float64)
    result[..., :3] *= -1.0
    return result


def multiply(a: ArrayLike, b: ArrayLike) -> Float64:
    """Hamilton product of (..., 4) quaternions: the rotation b, then the rotation a."""
    left, right = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    # by components: on long arrays several times faster than by vectors, whose axis of three or four is short
    ax, ay, az, aw, bx, by, bz, bw = (array[..., axis] for array in (left, right) for axis in range(4))
    result = np.empty(np.broadcast_shapes(left.shape, right.shape))
    result[..., 0] = aw * bx + bw * ax + (ay * bz - az * by)
    result[..., 1] = aw * by + bw * ay + (az * bx - ax * bz)
    result[..., 2] = aw * bz + bw * az + (ax * by - ay * bx)
    result[..., 3] = aw * bw - (ax * bx + ay * by + az * bz)
    return result


def rotate(q: ArrayLike, vectors: ArrayLike) -> Float64:
    """Vectors (..., 3) rotated by unit quaternions (..., 4); leading axes broadcast."""
    quaternions, array = np.asarray(q, dtype=np.float64), np.asarray(vectors, dtype=np.float64)
    x, y, z, w = (quaternions[..., axis] for axis in range(4))
    a, b, c = (array[..., axis] for axis in range(3))
    # twice the cross product of the axis and the vector
    tx, ty, tz = 2.0 * (y * c - z * b), 2.0 * (z * a - x * c), 2.0 * (x * b - y * a)
    result = np.empty((*np.broadcast_shapes(quaternions.shape[:-1], array.shape[:-1]), 3))
    result[..., 0] = a + w * tx + (y * tz - z * ty)
    result[..., 1] = b + w * ty + (z * tx - x * tz)
    result[..., 2] = c + w * tz + (x * ty - y * tx)
    return result


def to_matrix(q: ArrayLike) -> Float64:
    """Rotation matrices (..., 3, 3) of unit quaternions (..., 4)."""
    quaternions = np.asarray(q, dtype=np.float64)
    # the nine entries are sums of products q_i q_j
    products = 2.0 * quaternions[..., :, None] * quaternions[..., None, :]
    xx, yy, zz = products[..., 0, 0], products[..., 1, 1], products[..., 2, 2]
    xy, xz, yz = products[..., 0, 1], products[..., 0, 2], products[..., 1, 2]
    xw, yw, zw = products[..., 0, 3], products[..., 1, 3], products[..., 2, 3]
    matrix = np.empty((*quaternions.shape[:-1], 3, 3))
    matrix[..., 0, 0] = 1.0 - yy - zz
    matrix[..., 1, 1] = 1.0 - xx - zz
    matrix[..., 2, 2] = 1.0 - xx - yy
    matrix[..., 0, 1], matrix[..., 1, 0] = xy - zw, xy + zw
    matrix[..., 0, 2], matrix[..., 2, 0] = xz + yw, xz - yw
    matrix[..., 1, 2], matrix[..., 2, 1] = yz - xw, yz + xw
    return matrix


def from_matrix(matrix: ArrayLike) -> Float64:
    """Unit quaternions (..., 4) with w >= 0 of rotation matrices (..., 3, 3)."""
    m = np.asarray(matrix, dtype=np.float64)
    # row i of `outer` is 4 q_i q (Shepperd 1978): the row of the largest diagonal entry has the least rounding error
    outer = np.empty((*m.shape[:-2], 4, 4))
    m00, m11, m22 = m[..., 0, 0], m[..., 1, 1], m[..., 2, 2]
    outer[..., 0, 0] = 1.0 + m00 - m11 - m22
    outer[..., 1, 1] = 1.0 - m00 + m11 - m22
    outer[..., 2, 2] = 1.0 - m00 - m11 + m22
    outer[..., 3, 3] = 1.0 + m00 + m11 + m22
    outer[..., 0, 1] = outer[..., 1, 0] = m[..., 0, 1] + m[..., 1, 0]
    outer[..., 0, 2] = outer[..., 2, 0] = m[..., 0, 2] + m[..., 2, 0]
    outer[..., 1, 2] = outer[..., 2, 1] = m[..., 1, 2] + m[..., 2, 1]
    outer[..., 0, 3] = outer[..., 3, 0] = m[..., 2, 1] - m[..., 1, 2]
    outer[..., 1, 3] = outer[..., 3, 1] = m[..., 0, 2] - m[..., 2, 0]
    outer[..., 2, 3] = outer[..., 3, 2] = m[..., 1, 0] - m[..., 0, 1]
    best = np.argmax(np.diagonal(outer, axis1=-2, axis2=-1), axis=-1)
    row = np.take_along_axis(outer, best[..., None, None], axis=-2)[..., 0, :]
    return canonical(normalize(row))


def canonical(q: ArrayLike) -> Float64:
    """The one of q and -q (the same rotation) whose w is not negative."""
    quaternions = np.asarray(q, dtype=np.float64)
    return np.where(quaternions[..., 3:] < 0.0, -quaternions, quaternions)


def from_rotvec(rotvec: ArrayLike) -> Float64:
    """Unit quaternions (..., 4) of rotation vectors (..., 3): direction the axis, length the angle in radians."""
    array = np.asarray(rotvec, dtype=np.float64)
    angle = np.sqrt(np.sum(array * array, axis=-1, keepdims=True))
    # numpy's sinc is sin(pi x) / (pi x): exact at angle 0
    return np.concatenate([array * (0.5 * np.sinc(angle / (2.0 * np.pi))), np.cos(0.5 * angle)], axis=-1)


def to_rotvec(q: ArrayLike) -> Float64:
    """Rotation vectors (..., 3), radians, of length at most pi."""
    quaternions = canonical(q)
    vector = quaternions[..., :3]
    half_sine = np.sqrt(np.sum(vector * vector, axis=-1, keepdims=True))
    half_angle = np.arctan2(half_sine, quaternions[..., 3:])
    result: Float64 = vector * (2.0 / np.sinc(half_angle / np.pi))
    return result


def from_axis_angle(axis: ArrayLike, angle: ArrayLike) -> Float64:
    """Unit quaternions (..., 4) that turn by `angle` (...) radians about `axis` (..., 3), which need not be unit."""
    half = 0.5 * np.asarray(angle, dtype=np.float64)[..., None]
    vector = normalize(axis) * np.sin(half)
    return np.concatenate([vector, np.broadcast_to(np.cos(half), (*vector.shape[:-1], 1))], axis=-1)


def angle_between(a: ArrayLike, b: ArrayLike) -> Float64:
    """Angle (...) in radians, 0 to pi, of the rotation that takes unit quaternions a to b."""
    difference = multiply(conjugate(a), b)
    vector = difference[..., :3]
    result: Float64 = 2.0 * np.arctan2(np.sqrt(np.sum(vector * vector, axis=-1)), np.abs(difference[..., 3]))
    return result


def between_vectors(start: ArrayLike, end: ArrayLike) -> Float64:
    """The shortest rotation (..., 4) that takes the direction of `start` (..., 3) to that of `end` (..., 3).

    Opposite directions have no shortest rotation: then half a turn about some axis across both. A vector of length 0
    has no direction and gives NaN.
    """
    u, v = normalize(start), normalize(end)
    u, v = np.broadcast_arrays(u, v)
    w = 1.0 + np.sum(u * v, axis=-1, keepdims=True)
    # across u: cross with the world axis that u has the smallest part of
    axis = np.eye(3)[np.argmin(np.abs(u), axis=-1)]
    opposite = w < 1e-12
    vector = np.where(opposite, cross(u, axis), cross(u, v))
    return normalize(np.concatenate([vector, np.where(opposite, 0.0, w)], axis=-1))


def swing_twist(q: ArrayLike, axis: ArrayLike) -> tuple[Float64, Float64]:
    """Split unit quaternions into (swing, twist) with `q = multiply(swing, twist)`.

    twist turns about `axis` (..., 3); swing is the shortest rotation of the axis to where q takes it. Where q turns the
    axis to its opposite the twist is not defined: it is then none.
    """
    quaternions = np.asarray(q, dtype=np.float64)
    direction = normalize(axis)
    along = np.sum(quaternions[..., :3] * direction, axis=-1, keepdims=True)
    twist = np.concatenate([along * direction, quaternions[..., 3:]], axis=-1)
    length = np.sqrt(np.sum(twist * twist, axis=-1, keepdims=True))
    twist = np.where(length < 1e-9, IDENTITY, twist / np.where(length < 1e-9, 1.0, length))
    return multiply(quaternions, conjugate(twist)), twist


def slerp(a: ArrayLike, b: ArrayLike, fraction: ArrayLike) -> Float64:
    """The rotation at `fraction` (...) of the shortest way from unit quaternions a to b (..., 4)."""
    share = np.asarray(fraction, dtype=np.float64)[..., None]
    return multiply(a, from_rotvec(share * to_rotvec(multiply(conjugate(a), b))))
