"""Quaternion arithmetic against SciPy's Rotation and the definitions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation, Slerp

from fitmotion_models.skeleton import rotations as rot

Array = NDArray[np.float64]
seeds = st.integers(0, 2**32 - 1)
# components far from underflow: a direction of 1e-300 is none
vectors = arrays(np.float64, 3, elements=st.floats(-3, 3, width=32)).filter(lambda v: np.linalg.norm(v) > 1e-2)


def random_quaternions(seed: int, *shape: int) -> Array:
    q = np.random.default_rng(seed).normal(size=(*shape, 4))
    return q / np.linalg.norm(q, axis=-1, keepdims=True)


def assert_same_rotation(a: Array, b: Array, atol: float = 1e-12) -> None:
    sign = np.sign(np.sum(a * b, axis=-1, keepdims=True))
    np.testing.assert_allclose(a, sign * b, atol=atol)


@settings(max_examples=30)
@given(seeds)
def test_products_matrices_and_turns_agree_with_scipy(seed: int) -> None:
    a, b = random_quaternions(seed, 2, 5)
    v = np.random.default_rng(seed).normal(size=(5, 3))
    ra, rb = Rotation.from_quat(a), Rotation.from_quat(b)
    assert_same_rotation(rot.multiply(a, b), (ra * rb).as_quat())
    np.testing.assert_allclose(rot.rotate(a, v), ra.apply(v), atol=1e-12)
    np.testing.assert_allclose(rot.to_matrix(a), ra.as_matrix(), atol=1e-12)
    assert_same_rotation(rot.from_matrix(ra.as_matrix()), a)
    np.testing.assert_allclose(rot.angle_between(a, b), (ra.inv() * rb).magnitude(), atol=1e-7)
    assert_same_rotation(rot.multiply(rot.conjugate(a), a), np.tile(rot.IDENTITY, (5, 1)))


@settings(max_examples=30)
@given(vectors)
def test_rotation_vectors_agree_with_scipy(v: Array) -> None:
    assert_same_rotation(rot.from_rotvec(v), Rotation.from_rotvec(v).as_quat())
    np.testing.assert_allclose(rot.from_axis_angle(v, np.linalg.norm(v)), rot.from_rotvec(v), atol=1e-12)
    if np.linalg.norm(v) < 3.14:
        np.testing.assert_allclose(rot.to_rotvec(rot.from_rotvec(v)), v, atol=1e-9)


def test_no_rotation_has_exact_forms() -> None:
    np.testing.assert_array_equal(rot.from_rotvec(np.zeros(3)), rot.IDENTITY)
    np.testing.assert_array_equal(rot.to_rotvec(rot.IDENTITY), np.zeros(3))
    np.testing.assert_array_equal(rot.from_matrix(np.eye(3)), rot.IDENTITY)


@pytest.mark.parametrize("axis", np.eye(3))
def test_half_turns_survive_the_matrix(axis: Array) -> None:
    q = rot.from_axis_angle(axis, np.pi)
    assert_same_rotation(rot.from_matrix(rot.to_matrix(q)), q)


@pytest.mark.parametrize("signs", [(1, -1, -1), (-1, 1, -1), (-1, -1, 1)])
def test_exact_half_turns_have_no_w(signs: tuple[int, int, int]) -> None:
    expected = np.append(np.array(signs) > 0, 0.0)
    np.testing.assert_array_equal(rot.from_matrix(np.diag(signs)), expected)


@settings(max_examples=30)
@given(vectors, vectors)
def test_between_vectors_is_the_shortest_turn(u: Array, v: Array) -> None:
    q = rot.between_vectors(u, v)
    np.testing.assert_allclose(np.linalg.norm(q), 1.0)
    np.testing.assert_allclose(rot.rotate(q, rot.normalize(u)), rot.normalize(v), atol=1e-6)
    cosine = np.clip(rot.normalize(u) @ rot.normalize(v), -1.0, 1.0)
    np.testing.assert_allclose(rot.angle_between(rot.IDENTITY, q), np.arccos(cosine), atol=1e-6)


@settings(max_examples=30)
@given(vectors)
def test_between_opposite_vectors_is_half_a_turn(u: Array) -> None:
    q = rot.between_vectors(u, -u)
    np.testing.assert_allclose(rot.rotate(q, u), -u, atol=1e-9)


@settings(max_examples=30)
@given(seeds, vectors)
def test_swing_and_twist_recompose(seed: int, axis: Array) -> None:
    q = random_quaternions(seed, 7)
    swing, twist = rot.swing_twist(q, axis)
    direction = rot.normalize(axis)
    np.testing.assert_allclose(rot.multiply(swing, twist), q, atol=1e-9)
    np.testing.assert_allclose(rot.rotate(twist, direction), np.tile(direction, (7, 1)), atol=1e-9)
    # a swing turns about an axis across: it has no part along
    np.testing.assert_allclose(swing[:, :3] @ direction, 0.0, atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(swing, axis=-1), 1.0)


def test_swing_twist_of_a_turn_that_reverses_the_axis_has_no_twist() -> None:
    half_turn = rot.from_axis_angle((1.0, 0.0, 0.0), np.pi)
    swing, twist = rot.swing_twist(half_turn, (0.0, 0.0, 1.0))
    np.testing.assert_allclose(twist, rot.IDENTITY, atol=1e-9)
    np.testing.assert_allclose(rot.angle_between(swing, half_turn), 0.0, atol=1e-7)


@settings(max_examples=30)
@given(seeds, st.floats(0, 1))
def test_slerp_agrees_with_scipy(seed: int, fraction: float) -> None:
    a, b = random_quaternions(seed, 2)
    expected = Slerp([0, 1], Rotation.from_quat([a, b]))(fraction).as_quat()
    assert_same_rotation(rot.slerp(a, b, fraction), expected, atol=1e-7)


def test_nan_stays_where_it_is() -> None:
    q = random_quaternions(1, 3)
    q[1] = np.nan
    for result in (rot.multiply(q, q), rot.rotate(q, np.ones(3)), rot.from_matrix(rot.to_matrix(q)), rot.to_rotvec(q)):
        assert np.isnan(result[1]).all()
        assert np.isfinite(result[[0, 2]]).all()
