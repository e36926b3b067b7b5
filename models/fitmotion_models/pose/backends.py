"""Pose backends: one interface, several engines, imported only when asked for."""

import importlib
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.pose.keypoints import Keypoints

BACKENDS: dict[str, str] = {
    "mediapipe": "fitmotion_models.pose.mediapipe_backend:MediapipeBackend",
    "rtmpose": "fitmotion_models.pose.rtmpose_backend:RtmposeBackend",
    "mmpose": "fitmotion_models.pose.mmpose_backend:MmposeBackend",
}
DEFAULT_BACKEND = "mediapipe"
_ONNX = "rtmpose"  # the backend of the catalogue's networks
# MMPose has an installation of its own, which this program's packages cannot be part of
_HELP = {"mmpose": "install MMPose 1.x as its documentation says, in an environment that it shares with this program"}


@dataclass(frozen=True)
class BackendChoice:
    """A backend with its networks, as a person chooses them; see `make_backend`."""

    name: str = DEFAULT_BACKEND
    pose_model: str = ""
    detector: str = ""


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


@runtime_checkable
class PeopleBackend(Protocol):
    """What a backend has besides when it finds several people."""

    def find_all(self, image: NDArray[np.uint8], stamp: float) -> list[Keypoints]:
        """Everybody in an image, which is as for `PoseBackend`, the largest first."""
        ...


def make_backend(
    name: str | BackendChoice = DEFAULT_BACKEND, *, pose_model: str = "", detector: str = "", **options: Any
) -> PoseBackend:
    """Load a pose backend by name: one of `BACKENDS`, or a pose network of the catalogue (`rtmpose-m`); or a choice.

    pose_model, detector: of the ONNX backend, paths or names of networks; empty: the one that `name` says, and the
    catalogue's default detector. options: the backend's own (engine, threads, detect_every, ...).
    Raises ValueError for what is unknown or does not fit, FileNotFoundError for a network that is not on this machine
    and RuntimeError, with how to mend it, when a library is not installed.
    """
    if isinstance(name, BackendChoice):
        return make_backend(name.name, pose_model=name.pose_model, detector=name.detector, **options)
    if name == DEFAULT_BACKEND:
        _check_own_networks(pose_model, detector)
    if name not in BACKENDS or name == _ONNX:
        options |= _networks(name, pose_model, detector)
        name = _ONNX
    elif name != DEFAULT_BACKEND:
        options |= {key: value for key, value in (("pose_model", pose_model), ("detector", detector)) if value}
    module_name, _, class_name = BACKENDS[name].partition(":")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        remedy = _HELP.get(name, "`./fitmotion doctor` says how to install it")
        raise RuntimeError(f"pose backend '{name}' needs the package '{error.name}'; {remedy}") from error
    backend: PoseBackend = getattr(module, class_name)(**options)
    return backend


def check_choice(choice: BackendChoice) -> None:
    """Whether a backend and its networks are there, without loading them.

    Raises ValueError and FileNotFoundError as `make_backend`.
    """
    if choice.name == DEFAULT_BACKEND:
        _check_own_networks(choice.pose_model, choice.detector)
    elif choice.name not in BACKENDS or choice.name == _ONNX:
        for path in _networks(choice.name, choice.pose_model, choice.detector).values():
            if not path.exists():
                raise FileNotFoundError(f"model {path}: no such file or folder")


def find_everybody(backend: PoseBackend, image: NDArray[np.uint8], stamp: float) -> list[Keypoints]:
    """All the people that a backend of either kind finds, the largest first."""
    if isinstance(backend, PeopleBackend):
        return backend.find_all(image, stamp)
    found = backend(image, stamp)
    return [] if found is None else [found]


def _check_own_networks(pose_model: str, detector: str) -> None:
    if pose_model or detector:
        raise ValueError(
            f"pose backend '{DEFAULT_BACKEND}' brings its own networks; give --pose-model with --backend rtmpose"
        )


def _networks(name: str, pose_model: str, detector: str) -> dict[str, Any]:
    """Where the networks of the ONNX backend lie."""
    from fitmotion_models.pose.catalogue import catalogue, default_detector, find_model

    entry = catalogue().get(name)
    if name != _ONNX and (entry is None or entry.kind != "pose"):
        known = ", ".join([*sorted(BACKENDS), *(key for key, item in catalogue().items() if item.kind == "pose")])
        raise ValueError(f"pose backend '{name}' unknown; known: {known}")
    if name == _ONNX and not pose_model:
        raise ValueError("pose backend 'rtmpose' needs a network: --pose-model PATH, or --backend rtmpose-m by name")
    return {
        "pose_model": find_model(pose_model or name, "pose", "--pose-model"),
        "detector": find_model(detector or default_detector(), "detector", "--detector"),
    }
