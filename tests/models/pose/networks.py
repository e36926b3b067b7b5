"""Networks of the very form of RTMPose's, RTMDet's and YOLOX's exports, whose results follow colours in the picture.

The pose network finds, for every landmark, where its own marker is: like SimCC it gives a row of bins for x and one for
y, twice as fine as the picture, highest at the marker. The detectors find the boxes that are of a person's colour. What
they have to find is painted by `painted`.
"""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

MEAN, STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
RTMDET = ((103.53, 116.28, 123.675), (57.375, 57.12, 58.395))  # blue, green, red
YOLOX = ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
FLOAT, INT = TensorProto.FLOAT, TensorProto.INT64
GREY = 96
PEOPLE = ((230, 150, 60), (60, 120, 220))  # colours of boxes, RGB
STRIDES = (8, 16, 32)


def save(
    path: Path,
    nodes: list[Any],
    inputs: dict[str, list[Any]],
    outputs: dict[str, tuple[int, list[Any]]],
    constants: dict[str, Any],
) -> Path:
    graph = helper.make_graph(
        nodes,
        path.stem,
        [helper.make_tensor_value_info(name, FLOAT, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in outputs.items()],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    onnx.checker.check_model(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, path)
    return path


def marker_colours(count: int) -> np.ndarray:
    """(count, 3) RGB, saturated, far from each other and from what boxes and background have."""
    hue = np.arange(count) * 179 // count
    value = np.where(np.arange(count) % 2, 255, 170)
    hsv = np.stack([hue, np.full(count, 255), value], axis=-1).astype(np.uint8)[None]
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0].astype(int)


def painted(
    size: tuple[int, int], people: list[tuple[tuple[int, int, int, int], np.ndarray]], radius: float = 4.0
) -> np.ndarray:
    """A picture (H, W, 3) RGB of people: each a box (left, top, right, bottom) and markers (K, 2), pixels."""
    image = np.full((size[1], size[0], 3), GREY, np.uint8)
    for colour, (box, _) in zip(PEOPLE, people, strict=False):
        image[box[1] : box[3], box[0] : box[2]] = colour
    for _, markers in people:
        for colour, (x, y) in zip(marker_colours(len(markers)), markers, strict=True):
            centre = (round(x * 256), round(y * 256))  # OpenCV's fixed point: markers lie between pixels
            cv2.circle(image, centre, round(radius * 256), colour.tolist(), -1, cv2.LINE_AA, 8)
    return image


def pose_network(
    path: Path,
    count: int,
    size: tuple[int, int] = (192, 256),
    *,
    batch: Any = "batch",
    names: tuple[str, str] = ("simcc_x", "simcc_y"),
) -> Path:
    """(N, 3, height, width) -> (N, count, 2 width) and (N, count, 2 height).

    Landmark k is where the picture is like colour k, exp(-|difference|^2 / (2 * 12^2)), summed over columns for x and
    rows for y, and spread over the bins.
    """
    width, height = size
    colours = (marker_colours(count) - np.array(MEAN)) / np.array(STD)  # as the picture comes in, red first

    def spread(length: int) -> np.ndarray:
        gap = np.arange(2 * length)[None] / 2.0 - np.arange(length)[:, None]
        return (np.maximum(0.0, 1.0 - np.abs(gap) / 3.0) / 12.0).astype(np.float32)

    nodes = [
        helper.make_node("Unsqueeze", ["input", "axis1"], ["wide"]),  # (N, 1, 3, H, W)
        helper.make_node("Sub", ["wide", "colours"], ["difference"]),  # (N, K, 3, H, W)
        helper.make_node("Mul", ["difference", "scale"], ["scaled"]),
        helper.make_node("Mul", ["scaled", "scaled"], ["squared"]),
        helper.make_node("ReduceSum", ["squared", "axis2"], ["distance"], keepdims=0),
        helper.make_node("Mul", ["distance", "minus_half"], ["exponent"]),
        helper.make_node("Exp", ["exponent"], ["alike"]),  # (N, K, H, W)
        helper.make_node("ReduceSum", ["alike", "axis2"], ["columns"], keepdims=0),  # (N, K, W)
        helper.make_node("ReduceSum", ["alike", "axis3"], ["rows"], keepdims=0),
        helper.make_node("MatMul", ["columns", "spread_x"], ["x"]),
        helper.make_node("MatMul", ["rows", "spread_y"], ["y"]),
        helper.make_node("Tanh", ["x"], [names[0]]),
        helper.make_node("Tanh", ["y"], [names[1]]),
    ]
    constants = {
        "axis1": np.array([1]),
        "axis2": np.array([2]),
        "axis3": np.array([3]),
        "colours": colours.astype(np.float32).reshape(1, count, 3, 1, 1),
        "scale": (np.array(STD) / 12.0).astype(np.float32).reshape(1, 1, 3, 1, 1),
        "minus_half": np.float32(-0.5),
        "spread_x": spread(width),
        "spread_y": spread(height),
    }
    outputs = {names[0]: (FLOAT, [batch, count, 2 * width]), names[1]: (FLOAT, [batch, count, 2 * height])}
    return save(path, nodes, {"input": [batch, 3, height, width]}, outputs, constants)


def _boxes(size: tuple[int, int], normalisation: Any) -> tuple[list[Any], dict[str, Any]]:
    """Nodes and constants that make `box` (P, 4) and `there` (P,) of the people's colours."""
    width, height = size
    mean, std = (np.array(part, np.float32).reshape(1, 3, 1, 1) for part in normalisation)
    nodes = [
        helper.make_node("Mul", ["input", "std"], ["unscaled"]),
        helper.make_node("Add", ["unscaled", "mean"], ["picture"]),  # (1, 3, H, W), blue first
        helper.make_node("Sub", ["picture", "people"], ["difference"]),  # (P, 3, H, W)
        helper.make_node("Abs", ["difference"], ["distance"]),
        helper.make_node("ReduceMax", ["distance"], ["farthest"], axes=[1], keepdims=0),  # (P, H, W)
        helper.make_node("Less", ["farthest", "tolerance"], ["mask"]),
        helper.make_node("Cast", ["mask"], ["person"], to=FLOAT),
    ]
    for axis, name in ((1, "x"), (2, "y")):
        nodes += [
            helper.make_node("ReduceSum", ["person", f"axis{axis}"], [f"profile_{name}"], keepdims=0),
            helper.make_node("Greater", [f"profile_{name}", "half"], [f"has_{name}"]),  # (P, length)
            helper.make_node("Where", [f"has_{name}", f"place_{name}", "large"], [f"low_places_{name}"]),
            helper.make_node("Where", [f"has_{name}", f"end_{name}", "zero"], [f"high_places_{name}"]),
            helper.make_node("ReduceMin", [f"low_places_{name}"], [f"low_{name}"], axes=[1], keepdims=1),
            helper.make_node("ReduceMax", [f"high_places_{name}"], [f"high_{name}"], axes=[1], keepdims=1),
        ]
    nodes += [
        helper.make_node("Concat", ["low_x", "low_y", "high_x", "high_y"], ["box"], axis=1),
        helper.make_node("Greater", ["high_x", "zero"], ["found"]),
        helper.make_node("Cast", ["found"], ["there"], to=FLOAT),  # (P, 1)
    ]
    people = np.array(PEOPLE, np.float32)[:, ::-1].reshape(len(PEOPLE), 3, 1, 1)
    constants = {
        "std": std,
        "mean": mean,
        "people": np.ascontiguousarray(people),
        "tolerance": np.float32(6.0),
        "half": np.float32(0.5),
        "zero": np.float32(0.0),
        "large": np.float32(1e4),
        "axis1": np.array([1]),
        "axis2": np.array([2]),
        **{
            f"place_{name}": np.arange(length, dtype=np.float32)[None] for name, length in (("x", width), ("y", height))
        },
        **{
            f"end_{name}": np.arange(1, length + 1, dtype=np.float32)[None]
            for name, length in (("x", width), ("y", height))
        },
    }
    return nodes, constants


def detector_with_suppression(path: Path, size: tuple[int, int], normalisation: Any, *, labels: bool = True) -> Path:
    """MMDeploy's end2end: dets (1, N, 5), labels (1, N); the last of them is a surer horse over the whole picture."""
    nodes, constants = _boxes(size, normalisation)
    nodes += [
        helper.make_node("Mul", ["there", "score"], ["scores"]),
        helper.make_node("Concat", ["box", "scores"], ["rows"], axis=1),
        helper.make_node("Concat", ["rows", "horse"] if labels else ["rows"], ["all"], axis=0),
        helper.make_node("Unsqueeze", ["all", "axis0"], ["dets"]),
    ]
    constants |= {"score": np.float32(0.9), "axis0": np.array([0])}
    outputs = {"dets": (FLOAT, [1, "n", 5])}
    if labels:
        nodes.append(helper.make_node("Identity", ["classes"], ["labels"]))
        constants |= {
            "horse": np.array([[0, 0, *size, 0.95]], np.float32),
            "classes": np.array([[*[0] * len(PEOPLE), 17]]),
        }
        outputs["labels"] = (INT, [1, "n"])
    return save(path, nodes, {"input": [1, 3, size[1], size[0]]}, outputs, constants)


def raw_yolox(path: Path, size: tuple[int, int], classes: int = 80) -> Path:
    """YOLOX's own export: (1, cells, 5 + classes), every second cell is the first person's, the others the second's."""
    nodes, constants = _boxes(size, YOLOX)
    grids, strides = [], []
    for stride in STRIDES:
        x, y = np.meshgrid(np.arange(size[0] // stride), np.arange(size[1] // stride))
        grids.append(np.stack([x, y], -1).reshape(-1, 2))
        strides.append(np.full((x.size, 2), stride))
    grid, stride = np.concatenate(grids).astype(np.float32), np.concatenate(strides).astype(np.float32)
    nodes += [
        helper.make_node("Gather", ["box", "whose"], ["boxes"], axis=0),  # (cells, 4)
        helper.make_node("Gather", ["there", "whose"], ["objects"], axis=0),  # (cells, 1)
        helper.make_node("Split", ["boxes", "halves"], ["low", "high"], axis=1),
        helper.make_node("Add", ["low", "high"], ["sum"]),
        helper.make_node("Mul", ["sum", "half"], ["centre"]),
        helper.make_node("Sub", ["high", "low"], ["signed"]),
        helper.make_node("Abs", ["signed"], ["extent"]),
        helper.make_node("Div", ["centre", "stride"], ["in_strides"]),
        helper.make_node("Sub", ["in_strides", "grid"], ["offset"]),
        helper.make_node("Div", ["extent", "stride"], ["size_in_strides"]),
        helper.make_node("Log", ["size_in_strides"], ["logarithm"]),
        helper.make_node("Concat", ["offset", "logarithm", "objects", "classes"], ["rows"], axis=1),
        helper.make_node("Unsqueeze", ["rows", "axis0"], ["output"]),
    ]
    scores = np.full((len(grid), classes), 0.05, np.float32)
    scores[:, 0] = 0.8
    constants |= {
        "whose": np.arange(len(grid)) % len(PEOPLE),
        "halves": np.array([2, 2]),
        "stride": stride,
        "grid": grid,
        "classes": scores,
        "axis0": np.array([0]),
    }
    outputs = {"output": (FLOAT, [1, len(grid), 5 + classes])}
    return save(path, nodes, {"images": [1, 3, size[1], size[0]]} | {}, outputs, _renamed(nodes, constants))


def _renamed(nodes: list[Any], constants: dict[str, Any]) -> dict[str, Any]:
    """YOLOX calls its input "images"."""
    for node in nodes:
        for index, name in enumerate(node.input):
            if name == "input":
                node.input[index] = "images"
    return constants


def boxes_and_scores(path: Path, size: tuple[int, int]) -> Path:
    """TensorRT's EfficientNMS, as MMYOLO exports it: num_dets, boxes (1, N, 4), scores (1, N), labels (1, N)."""
    nodes, constants = _boxes(size, RTMDET)
    nodes += [
        helper.make_node("Unsqueeze", ["box", "axis0"], ["boxes"]),
        helper.make_node("Mul", ["there", "score"], ["column"]),
        helper.make_node("Transpose", ["column"], ["scores"], perm=[1, 0]),
        helper.make_node("Identity", ["classes"], ["labels"]),
        helper.make_node("Identity", ["count"], ["num_dets"]),
    ]
    constants |= {
        "axis0": np.array([0]),
        "score": np.float32(0.9),
        "classes": np.zeros((1, len(PEOPLE)), np.int64),
        "count": np.array([[len(PEOPLE)]]),
    }
    number = len(PEOPLE)
    outputs = {
        "num_dets": (INT, [1, 1]),
        "boxes": (FLOAT, [1, number, 4]),
        "scores": (FLOAT, [1, number]),
        "labels": (INT, [1, number]),
    }
    return save(path, nodes, {"input": [1, 3, size[1], size[0]]}, outputs, constants)


# ---- MMDeploy's files beside a network, as mmdeploy/backend/sdk/export_info.py writes them ---------------------------


def deploy_json(folder: Path, task: str, net: str = "end2end.onnx") -> None:
    models = [
        {"name": "model", "net": net, "weights": "", "backend": "onnxruntime", "precision": "FP32", "batch_size": 1}
    ]
    text = json.dumps({"version": "1.0.0", "task": task, "models": models, "customs": []})
    (folder / "deploy.json").write_text(text)


def pose_pipeline(folder: Path, size: tuple[int, int], *, padding: float = 1.25, **decoder: Any) -> None:
    transforms = [
        {"type": "LoadImageFromFile"},
        {"type": "TopDownGetBboxCenterScale", "padding": padding, "image_size": list(size)},
        {"type": "TopDownAffine", "image_size": list(size)},
        {"type": "Normalize", "mean": list(MEAN), "std": list(STD), "to_rgb": True},
        {"type": "ImageToTensor", "keys": ["img"]},
        {"type": "Collect", "keys": ["img"], "meta_keys": ["img_shape", "center", "scale"]},
    ]
    params = {"flip_test": False, "type": "SimCCLabel", "input_size": list(size), "simcc_split_ratio": 2.0}
    params |= {"normalize": False, "use_dark": False, "export_postprocess": False} | decoder
    _pipeline(folder, transforms, "mmpose", "SimCCLabelDecode", params, {})


def detector_pipeline(
    folder: Path, size: tuple[int, int], *, keep_ratio: bool = True, least_score: float = 0.3
) -> None:
    transforms = [
        {"type": "LoadImageFromFile"},
        {"type": "Resize", "keep_ratio": keep_ratio, "size": list(size)},
        {"type": "Pad", "size": list(size), "pad_val": {"img": [114, 114, 114]}},
        {"type": "Normalize", "mean": list(RTMDET[0]), "std": list(RTMDET[1]), "to_rgb": False},
        {"type": "DefaultFormatBundle"},
        {"type": "Collect", "keys": ["img"], "meta_keys": ["ori_shape", "img_shape", "scale_factor"]},
    ]
    _pipeline(folder, transforms, "mmdet", "ResizeBBox", {"score_thr": least_score}, {})


def _pipeline(
    folder: Path, transforms: list[Any], module: str, component: str, params: dict[str, Any], output_map: dict[str, str]
) -> None:
    tasks = [
        {"type": "Task", "module": "Transform", "name": "Preprocess", "input": ["img"], "output": ["prep_output"],
         "transforms": transforms},
        {"name": "model", "type": "Task", "module": "Net", "is_batched": False, "input": ["prep_output"],
         "output": ["infer_output"], "input_map": {"img": "input"}, "output_map": output_map},
        {"type": "Task", "module": module, "name": "postprocess", "component": component, "params": params,
         "output": ["post_output"], "input": ["prep_output", "infer_output"]},
    ]  # fmt: skip
    text = json.dumps({"pipeline": {"input": ["img"], "output": ["post_output"], "tasks": tasks}})
    (folder / "pipeline.json").write_text(text)
