"""Pose backends: one interface, several engines, imported only when asked for."""

import importlib
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.pose.keypoints import Keypoints

BACKENDS: dict[str, str] = {
    "mediapipe": "fitmotion_models.pose.mediapipe_backend:MediapipeBackend",
}


class PoseBackend(Protocol):
    """Finds one person in an image.

    name: the engine with its version, as logs and diagnostics show it. joint_set: name of the set it returns.
    """

    name: str
    joint_set: str

    def __call__(self, image: NDArray[np.uint8], stamp: float) -> Keypoints | None:
        """image: (H, W, 3) uint8 RGB. stamp: seconds, increasing. Returns None when nobody is found."""
        ...

    def close(self) -> None:
        """Free the engine."""
        ...


def make_backend(name: str = "mediapipe", **options: Any) -> PoseBackend:
    """Load a pose backend by name.

    Raises ValueError for an unknown name and RuntimeError, with how to mend it, when its library is not installed.
    """
    if name not in BACKENDS:
        raise ValueError(f"pose backend '{name}' unknown; known: {', '.join(sorted(BACKENDS))}")
    module_name, _, class_name = BACKENDS[name].partition(":")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise RuntimeError(
            f"pose backend '{name}' needs the package '{error.name}'; `./fitmotion doctor` says how to install it"
        ) from error
    backend: PoseBackend = getattr(module, class_name)(**options)
    return backend
