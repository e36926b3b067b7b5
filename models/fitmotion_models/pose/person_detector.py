"""Where people are in an image: RTMDet and YOLOX as ONNX, with or without non-maximum suppression inside."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fitmotion_models.pose.model_folder import DetectorForm, network_name, read_detector_form
from fitmotion_models.pose.top_down import Normaliser
from fitmotion_models.runtime.session import Model, ModelError, load_model

Image = NDArray[np.uint8]
Float32 = NDArray[np.float32]

PERSON = 0  # the class in COCO's order, and the only one of detectors of people
MOST_OVERLAP = 0.45  # intersection over union; of two boxes that overlap more the weaker is dropped (YOLOX's demo)
DEFAULT_SIDE = 640
_STRIDES = (8, 16, 32)  # of YOLOX's three levels


@dataclass(frozen=True, eq=False)
class Detections:
    """People, the surest first. boxes: (N, 4) left, top, right, bottom, pixels of the image. scores: (N,)."""

    boxes: Float32
    scores: Float32


class PersonDetector:
    """Finds the boxes of people. path: see `read_detector_form`; providers, threads: see `load_model`.

    least_score: a detection below it is none; None: the form's. name, engine, passed_over: as of `PoseNetwork`.
    Raises FileNotFoundError and ModelError.
    """

    def __init__(
        self, path: str | Path, *, providers: str = "auto", threads: int = 1, least_score: float | None = None
    ) -> None:
        self.form = read_detector_form(path)
        self._least_score = self.form.least_score if least_score is None else least_score
        self._model, self._size = load_sized(self.form, providers, threads)
        self._normalise = Normaliser(self.form.normalisation)
        # the padding's colour in the picture's order, which is RGB
        order = slice(None) if self.form.normalisation.rgb else slice(None, None, -1)
        self._padding = np.array(self.form.padding[order], np.uint8)
        self.name = network_name(self.form.file)
        self.engine, self.passed_over = self._model.engine, self._model.passed_over

    def __call__(self, image: Image) -> Detections:
        """image: (H, W, 3) uint8 RGB."""
        height, width = image.shape[:2]
        picture, scale = self._fitted(image)
        outputs = self._model.run({self._model.inputs[0].name: self._normalise([picture])})
        boxes, scores = read_boxes(outputs, self._size, self._model.path.name)
        keep = scores >= self._least_score
        boxes, scores = (boxes[keep] / np.tile(scale, 2)).astype(np.float32), scores[keep]
        boxes[:, 0::2] = boxes[:, 0::2].clip(0, width)
        boxes[:, 1::2] = boxes[:, 1::2].clip(0, height)
        order = np.argsort(-scores, kind="stable")
        boxes, scores = boxes[order], scores[order]
        kept = suppress(boxes)
        return Detections(boxes[kept], scores[kept])

    def _fitted(self, image: Image) -> tuple[Image, NDArray[np.float64]]:
        """The image at the network's size, in its top left corner, and by how much x and y were scaled."""
        width, height = self._size
        if not self.form.keep_ratio:
            scaled = cv2.resize(image, self._size, interpolation=cv2.INTER_LINEAR)
            return scaled.astype(np.uint8, copy=False), np.array([width / image.shape[1], height / image.shape[0]])
        ratio = min(width / image.shape[1], height / image.shape[0])
        inner = (int(image.shape[1] * ratio + 0.5), int(image.shape[0] * ratio + 0.5))
        picture = np.empty((height, width, 3), np.uint8)
        picture[:] = self._padding
        picture[: inner[1], : inner[0]] = cv2.resize(image, inner, interpolation=cv2.INTER_LINEAR)
        return picture, np.array([inner[0] / image.shape[1], inner[1] / image.shape[0]])


def load_sized(form: DetectorForm, providers: str, threads: int) -> tuple[Model, tuple[int, int]]:
    """The network with its input's size fixed: its own where it has one, else the form's, else 640 x 640."""
    model = load_model(form.file, providers=providers, threads=threads)
    shape = model.inputs[0].shape
    if len(model.inputs) != 1 or len(shape) != 4 or shape[1] not in (3, None):
        raise ModelError(f"{form.file.name}: a detector takes one image (1, 3, height, width); this takes {shape}")
    own_width, own_height = shape[3], shape[2]
    if own_width is not None and own_height is not None:
        return model, (own_width, own_height)
    width, height = form.size or (DEFAULT_SIDE, DEFAULT_SIDE)
    wanted = {model.inputs[0].name: (1, 3, height, width)}
    return load_model(form.file, providers=providers, threads=threads, shapes=wanted), (width, height)


def read_boxes(outputs: dict[str, NDArray[np.generic]], size: tuple[int, int], name: str) -> tuple[Float32, Float32]:
    """Boxes (N, 4) in pixels of the network's input and scores (N,) of people, from any of the known forms of output.

    Known: "dets" (1, N, 5) with "labels" (1, N) or without (MMDeploy, suppression inside); boxes (1, N, 4) with scores
    (1, N, classes), or with scores (1, N) and labels (EfficientNMS); YOLOX's raw (1, N, 5 + classes), cells of three
    levels still to be decoded. size: (width, height) of the input. Raises ModelError for another form.
    """
    arrays = {key: np.asarray(value) for key, value in outputs.items()}
    wide = {value.shape[-1]: value[0] for value in arrays.values() if value.ndim == 3}
    flat = {key: value[0] for key, value in arrays.items() if value.ndim == 2 and value.shape[1] > 1}
    labels = next((value for key, value in flat.items() if "label" in key or "class" in key), None)
    if 5 in wide and len(wide) == 1 and not _is_yolox(wide[5], size):
        found = wide[5].astype(np.float32)
        return _of_people(found[:, :4], found[:, 4], labels)
    if 4 in wide:
        scores = next((value for key, value in flat.items() if "score" in key), None)
        if scores is not None:
            return _of_people(wide[4].astype(np.float32), scores.astype(np.float32), labels)
        classes = next((value for width, value in wide.items() if width != 4), None)
        if classes is not None:
            return wide[4].astype(np.float32), classes[:, PERSON].astype(np.float32)
    if len(wide) == 1 and _is_yolox(next(iter(wide.values())), size):
        return decode_yolox(next(iter(wide.values())).astype(np.float32), size)
    shapes = ", ".join(f"{key} {value.shape}" for key, value in arrays.items())
    raise ModelError(f"{name}: no known form of a detector's results; got {shapes}")


def decode_yolox(raw: Float32, size: tuple[int, int]) -> tuple[Float32, Float32]:
    """YOLOX's raw output (N, 5 + classes) as boxes (N, 4) in pixels of the input and people's scores (N,).

    A row is a cell of a level: centre within the cell and logarithm of the size, both in strides, then the score of
    being an object and of each class (Ge et al. 2021).
    """
    cells, strides = [], []
    for stride in _STRIDES:
        x, y = np.meshgrid(np.arange(size[0] // stride), np.arange(size[1] // stride))
        cells.append(np.stack([x, y], axis=-1).reshape(-1, 2))
        strides.append(np.full((x.size, 1), stride))
    scale = np.concatenate(strides)
    centre = (raw[:, :2] + np.concatenate(cells)) * scale
    half = 0.5 * np.exp(raw[:, 2:4]) * scale
    boxes = np.concatenate([centre - half, centre + half], axis=1).astype(np.float32)
    return boxes, raw[:, 4] * raw[:, 5 + PERSON]


def suppress(boxes: NDArray[np.floating], most_overlap: float = MOST_OVERLAP) -> list[int]:
    """Which boxes (N, 4), the surest first, stay when of two that overlap too much only the first does."""
    kept: list[int] = []
    for index, box in enumerate(boxes):
        if not kept or overlaps(box, boxes[kept]).max() <= most_overlap:
            kept.append(index)
    return kept


def overlaps(box: NDArray[np.floating], others: NDArray[np.floating]) -> NDArray[np.float64]:
    """Intersection over union of a box (4,) with others (N, 4)."""
    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    common = np.prod(np.maximum(high - low, 0.0), axis=1)
    area = np.prod(np.maximum(box[2:] - box[:2], 0.0)) + np.prod(np.maximum(others[:, 2:] - others[:, :2], 0.0), axis=1)
    return np.asarray(common / np.maximum(area - common, 1e-9), dtype=np.float64)


def _is_yolox(rows: NDArray[np.generic], size: tuple[int, int]) -> bool:
    cells = sum((size[0] // stride) * (size[1] // stride) for stride in _STRIDES)
    return rows.shape[0] == cells and rows.shape[1] > 5


def _of_people(boxes: Float32, scores: Float32, labels: NDArray[np.generic] | None) -> tuple[Float32, Float32]:
    people = scores > 0.0 if labels is None else (scores > 0.0) & (labels.astype(np.int64) == PERSON)
    return boxes[people], scores[people]
