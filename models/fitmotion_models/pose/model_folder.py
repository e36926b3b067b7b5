"""How a pose network or a person detector wants its images: from a folder of MMDeploy, or for a bare .onnx file.

A folder holds deploy.json (which file is the network), pipeline.json (how images go in, how results come out) and the
network. Source: github.com/open-mmlab/mmdeploy, mmdeploy/backend/sdk/export_info.py. A bare file is taken to be one of
MMPose's model zoo, whose forms are below.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fitmotion_models.runtime.session import ModelError

Triple = tuple[float, float, float]

POSE_TASK, DETECTOR_TASK = "PoseDetector", "Detector"
NETWORK_FILE, DEPLOY_FILE, PIPELINE_FILE = "end2end.onnx", "deploy.json", "pipeline.json"
# MMPose's configs/body_2d_keypoint/rtmpose and their data_preprocessor, RGB
_IMAGENET_MEAN: Triple = (123.675, 116.28, 103.53)
_IMAGENET_STD: Triple = (58.395, 57.12, 57.375)
_GREY: Triple = (114.0, 114.0, 114.0)


@dataclass(frozen=True)
class Normalisation:
    """(pixel - mean) / std, channel by channel in the network's order; rgb: whether that is red, green, blue."""

    mean: Triple
    std: Triple
    rgb: bool


@dataclass(frozen=True)
class PoseForm:
    """How a top-down pose network is used.

    file: the network. size: (width, height) of its input, pixels; None where only the network knows. padding: how much
    larger than the person's box the crop is. split_ratio: bins of the output to a pixel of the input. decoded: whether
    the network gives pixels of its input rather than bins. outputs: the network's names for x and y, in that order.
    """

    file: Path
    size: tuple[int, int] | None = None
    normalisation: Normalisation = Normalisation(_IMAGENET_MEAN, _IMAGENET_STD, rgb=True)
    padding: float = 1.25
    split_ratio: float = 2.0
    decoded: bool = False
    outputs: tuple[str, str] | None = None


@dataclass(frozen=True)
class DetectorForm:
    """How a person detector is used.

    file: the network. size: (width, height) of its input; None where only the network knows. keep_ratio: the image
    keeps its shape and the rest of the input is filled with `padding` (in the network's channel order). least_score: a
    detection below it is none.
    """

    file: Path
    normalisation: Normalisation
    size: tuple[int, int] | None = None
    keep_ratio: bool = True
    padding: Triple = _GREY
    least_score: float = 0.3


# Of detectors whose file alone is given; the name tells which. Source: mmdetection's configs rtmdet and yolox.
_DETECTORS = {
    "rtmdet": Normalisation((103.53, 116.28, 123.675), (57.375, 57.12, 58.395), rgb=False),
    "yolox": Normalisation((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), rgb=False),
}


def read_pose_form(path: str | Path) -> PoseForm:
    """The form of a pose network: a folder of MMDeploy, a network in such a folder, or a bare .onnx file.

    Raises FileNotFoundError and ModelError, one sentence each.
    """
    file, tasks = _read(Path(path).expanduser(), POSE_TASK)
    form = PoseForm(file)
    for step in _transforms(tasks):
        kind = step.get("type")
        if kind == "TopDownGetBboxCenterScale":
            form = replace(form, padding=float(step.get("padding", form.padding)))
        elif kind == "TopDownAffine":
            form = replace(form, size=_pair(step["image_size"]))
        elif kind == "Normalize":
            form = replace(form, normalisation=_normalisation(step))
    for task in tasks:
        if task.get("component") == "SimCCLabelDecode":
            form = _with_decoder(form, task.get("params", {}))
        elif task.get("module") == "mmpose":
            raise ModelError(
                f"{path}: its results are decoded by {task.get('component')}; known: SimCCLabelDecode (RTMPose, RTMW)"
            )
        names = {logical: name for name, logical in task.get("output_map", {}).items()}
        if {"simcc_x", "simcc_y"} <= names.keys():
            form = replace(form, outputs=(names["simcc_x"], names["simcc_y"]))
    return form


def read_detector_form(path: str | Path) -> DetectorForm:
    """The form of a person detector: a folder of MMDeploy, a network in such a folder, or a bare .onnx file.

    A bare file must have rtmdet or yolox in its name or its folder's. Raises FileNotFoundError and ModelError.
    """
    file, tasks = _read(Path(path).expanduser(), DETECTOR_TASK)
    if not tasks:
        # the whole path's end, as every network of the zoo is called end2end.onnx
        name = f"{file.parent.name}/{file.name}".lower()
        for family, normalisation in _DETECTORS.items():
            if family in name:
                return DetectorForm(file, normalisation)
        raise ModelError(
            f"{file}: how this detector wants its images is not known; put its pipeline.json beside it, or have rtmdet "
            "or yolox in its name"
        )
    form = DetectorForm(file, _DETECTORS["yolox"])  # without a step Normalize pixels go in as they are
    for step in _transforms(tasks):
        kind = step.get("type")
        if kind == "Resize":
            size = step.get("size", step.get("scale", step.get("img_scale")))
            form = replace(form, size=_pair(size), keep_ratio=bool(step.get("keep_ratio", False)))
        elif kind == "Pad":
            form = replace(form, padding=_pad_value(step.get("pad_val", 0)))
            if "size" in step:
                form = replace(form, size=_pair(step["size"]))
        elif kind == "Normalize":
            form = replace(form, normalisation=_normalisation(step))
    return form


def network_name(file: Path) -> str:
    """A network's name for people: its folder's where the file is called as every other of MMDeploy's."""
    return file.parent.name if file.name == NETWORK_FILE else file.stem


def _read(path: Path, wanted: str) -> tuple[Path, list[dict[str, Any]]]:
    """The network's file and the tasks of pipeline.json, none where there is no such file."""
    if not path.exists():
        raise FileNotFoundError(f"model {path}: no such file or folder; give an .onnx file or a folder of MMDeploy")
    folder = path if path.is_dir() else path.parent
    deployed = _json(folder / DEPLOY_FILE) or {}
    task = str(deployed.get("task", wanted))
    if task != wanted:
        raise ModelError(f"model {path} is a {task}; a {wanted} is wanted here (are the two exchanged?)")
    file = path
    if path.is_dir():
        models = deployed.get("models") or [{}]
        file = folder / str(models[0].get("net", NETWORK_FILE))
        if file.suffix != ".onnx":
            raise ModelError(f"model {path} was exported for another engine ({file.name}); export it for ONNX Runtime")
        if not file.is_file():
            raise FileNotFoundError(f"model {path}: the folder has no {file.name}; is the download complete?")
    pipeline = _json(folder / PIPELINE_FILE)
    if pipeline is None:
        return file, []
    try:
        return file, list(pipeline["pipeline"]["tasks"])
    except (KeyError, TypeError) as error:
        raise ModelError(
            f"{folder / PIPELINE_FILE}: it has no {error}; export the model again with --dump-info"
        ) from None


def _json(path: Path) -> Any:
    if not path.is_file():
        return None
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read: {error}") from error


def _transforms(tasks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [step for task in tasks for step in task.get("transforms", [])]


def _with_decoder(form: PoseForm, params: Mapping[str, Any]) -> PoseForm:
    if params.get("use_dark"):
        raise ModelError(f"{form.file}: its SimCC head wants the refinement DARK, which is not supported")
    decoded = bool(params.get("export_postprocess", False))
    ratio = 1.0 if decoded else float(params.get("simcc_split_ratio", form.split_ratio))
    return replace(form, decoded=decoded, split_ratio=ratio)


def _normalisation(step: Mapping[str, Any]) -> Normalisation:
    return Normalisation(_triple(step["mean"]), _triple(step["std"]), rgb=bool(step.get("to_rgb", False)))


def _pad_value(value: Any) -> Triple:
    """`pad_val` is a number, three numbers, or {"img": either}."""
    if isinstance(value, Mapping):
        value = value.get("img", 0)
    return _triple(value if isinstance(value, list | tuple) else [value] * 3)


def _triple(values: Any) -> Triple:
    first, second, third = (float(value) for value in values)
    return first, second, third


def _pair(values: Any) -> tuple[int, int]:
    width, height = (int(value) for value in values)
    return width, height
