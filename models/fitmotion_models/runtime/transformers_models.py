"""Models of Hugging Face's `transformers`: imported only when one is asked for, and what fails said in one sentence."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


def transformers_libraries(what: str, otherwise: str) -> tuple[Any, Any]:
    """The modules `torch` and `transformers`.

    what: the model that needs them, as the user named it. otherwise: what to do where they are missing. Raises
    ValueError, one sentence, there.
    """
    try:
        import torch
        import transformers
    except ImportError as error:
        raise ValueError(f"{what} needs transformers and torch ({error}); {otherwise}") from error
    return torch, transformers


@contextmanager
def loading(what: str, wanted: str) -> Iterator[None]:
    """Turn whatever keeps a model from being loaded into one sentence (ValueError). wanted: what to give instead."""
    try:
        yield
    except Exception as error:  # of transformers' and the hub's many kinds
        said = " ".join(str(error).split())[:300]
        on_hub = "or its name on the Hugging Face hub where there is a network"
        raise ValueError(f"{what} cannot be loaded: {said}; give {wanted}, {on_hub}") from error
