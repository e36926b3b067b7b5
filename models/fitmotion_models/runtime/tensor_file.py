"""Tensors of a safetensors file, mapped into memory: what is not used is never read."""

import json
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_LENGTH_BYTES = 8
_MOST_HEADER_BYTES = 100_000_000  # the format's own limit
_DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1", "U8": "u1"}


def map_tensors(path: Path) -> dict[str, NDArray[Any]]:
    """All tensors by name, read-only views of the mapped file.

    Source of the format: github.com/huggingface/safetensors, "Format". Raises FileNotFoundError, and ValueError with
    one sentence for a file that is none, is cut off, or holds a type that NumPy has not (BF16).
    """
    if not path.is_file():
        raise FileNotFoundError(f"weights {path}: no such file")
    try:
        with path.open("rb") as stream:
            length = int.from_bytes(stream.read(_LENGTH_BYTES), "little")
            if length > _MOST_HEADER_BYTES:
                raise ValueError("its header is longer than the format allows")
            header = json.loads(stream.read(length))
        data = np.memmap(path, np.uint8, mode="r")[_LENGTH_BYTES + length :]
        return {name: _tensor(data, item) for name, item in header.items() if name != "__metadata__"}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"weights {path} ({path.stat().st_size} bytes) are no whole safetensors file: {error}; get it again"
        ) from error


def _tensor(data: NDArray[np.uint8], item: dict[str, Any]) -> NDArray[Any]:
    dtype, shape = np.dtype(_DTYPES[item["dtype"]]), tuple(item["shape"])
    start, stop = item["data_offsets"]
    if not 0 <= start <= stop <= len(data) or stop - start != prod(shape) * dtype.itemsize:
        raise ValueError("it is cut off")
    part = np.asarray(data[start:stop])
    if start % dtype.itemsize or part.ctypes.data % dtype.itemsize:
        part = part.copy()  # the format allows any place, products of matrices do not
    return part.view(dtype).reshape(shape)
