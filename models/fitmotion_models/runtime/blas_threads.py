"""One thread for NumPy's products of matrices, where more would wait for each other.

OpenBLAS, which NumPy's wheels bring, shares a product among all cores and lets its threads spin until the last one is
done. On a machine whose cores are busy with the other nodes of a graph the last one may take a scheduler's turn for
every product: a sentence embedding then takes seconds instead of 11 ms on one thread.
"""

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

# the names that NumPy's own build of OpenBLAS, and a system's, give to the two functions
_PREFIXES = ("scipy_openblas", "openblas")
_SUFFIXES = ("64_", "")
_lock = threading.RLock()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """NumPy's products of matrices run on one thread inside; nothing changes where its BLAS is not OpenBLAS."""
    found = _functions()
    if found is None:
        yield
        return
    get, put = found
    # the number is the whole process's
    with _lock:
        before = get()
        put(1)
        try:
            yield
        finally:
            put(before)


@cache
def _functions() -> tuple[Any, Any] | None:
    """OpenBLAS' functions that give and set its number of threads, of the library that NumPy has loaded."""
    for path in sorted(_folder().glob("*openblas*")):
        try:
            library = ctypes.CDLL(str(path))
        except OSError:
            continue
        for prefix in _PREFIXES:
            for suffix in _SUFFIXES:
                get = getattr(library, f"{prefix}_get_num_threads{suffix}", None)
                put = getattr(library, f"{prefix}_set_num_threads{suffix}", None)
                if get is not None and put is not None:
                    return get, put
    return None


def _folder() -> Path:
    """Where NumPy's wheels keep the libraries that they bring."""
    package = Path(np.__file__).resolve().parent
    return package.parent / f"{package.name}.libs"
