"""One thread for products of matrices, by the count of the library itself, and undone afterwards."""

import numpy as np
import pytest

from fitmotion_models.runtime.blas_threads import _functions, one_blas_thread


@pytest.fixture
def threads():
    """OpenBLAS' own count, made to be two."""
    found = _functions()
    if found is None:
        pytest.skip("this NumPy's BLAS is not the OpenBLAS of its wheels")
    get, put = found
    before = get()
    put(2)
    yield get
    put(before)


def test_inside_is_one_thread_and_afterwards_as_before(threads):
    with one_blas_thread():
        assert threads() == 1
        with one_blas_thread():
            assert threads() == 1
        assert threads() == 1
    assert threads() == 2


def test_it_is_undone_after_an_error(threads):
    with pytest.raises(ValueError, match="stop"), one_blas_thread():
        raise ValueError("stop")
    assert threads() == 2


def test_products_are_the_same(threads):
    a, b = np.random.default_rng(1).standard_normal((2, 200, 200))
    with one_blas_thread():
        inside = a @ b
    assert inside == pytest.approx(a @ b, abs=1e-10)


def test_where_there_is_no_openblas_nothing_happens(monkeypatch):
    monkeypatch.setattr("fitmotion_models.runtime.blas_threads._functions", lambda: None)
    with one_blas_thread():
        assert (np.eye(2) @ np.eye(2) == np.eye(2)).all()
