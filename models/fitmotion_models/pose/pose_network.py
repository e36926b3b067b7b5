"""A top-down pose network with a SimCC head (RTMPose, RTMW) as ONNX: boxes of people in, their landmarks out."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.pose.keypoints import Keypoints
from fitmotion_models.pose.model_folder import network_name, read_pose_form
from fitmotion_models.pose.top_down import Normaliser, crop_of, cut, decode_simcc
from fitmotion_models.pose.whole_body import WHOLE_BODY_JOINTS, whole_body_to_halpe26
from fitmotion_models.runtime.session import ModelError, load_model

Image = NDArray[np.uint8]
Float32 = NDArray[np.float32]
Box = NDArray[np.float64]

_JOINT_SETS = {17: "coco17", 26: "halpe26", WHOLE_BODY_JOINTS: "halpe26"}


class PoseNetwork:
    """Finds landmarks in boxes. path: see `read_pose_form`; providers, threads: see `load_model`.

    joint_set: what it gives; the whole body's 133 landmarks come as Halpe-26. name, engine, passed_over: for logs.
    Raises FileNotFoundError, and ModelError for a network of another kind.
    """

    def __init__(self, path: str | Path, *, providers: str = "auto", threads: int = 1) -> None:
        self.form = read_pose_form(path)
        self._normalise = Normaliser(self.form.normalisation)
        self._model = load_model(self.form.file, providers=providers, threads=threads)
        self._size = self._input_size()
        self._outputs = self._output_names()
        self._one_by_one = self._model.inputs[0].shape[0] is not None
        count = self._joint_count()  # runs it once: engines start on first use
        self._whole_body = count == WHOLE_BODY_JOINTS
        self.joint_set = _JOINT_SETS[count]
        self.name = network_name(self.form.file)
        self.engine, self.passed_over = self._model.engine, self._model.passed_over

    def __call__(self, image: Image, boxes: Sequence[Box]) -> list[Keypoints]:
        """The landmarks in every box (left, top, right, bottom; pixels), whether there is somebody or not.

        image: (H, W, 3) uint8 RGB.
        """
        if not boxes:
            return []
        crops = [crop_of(box, self._size, self.form.padding) for box in boxes]
        pictures = [cut(image, crop, self._size) for crop in crops]
        groups = [[picture] for picture in pictures] if self._one_by_one else [pictures]
        found = [self._run(group) for group in groups]
        x, y = (np.concatenate([part[axis] for part in found]) for axis in (0, 1))
        if self.form.decoded:
            places, scores = x.astype(np.float64), y.reshape(y.shape[:2])
        else:
            places, scores = decode_simcc(x, y, self.form.split_ratio)
        return [
            self._keypoints(crop.to_image(points, self._size), score)
            for crop, points, score in zip(crops, places, scores, strict=True)
        ]

    def _keypoints(self, pixels: NDArray[np.float64], scores: Float32) -> Keypoints:
        if self._whole_body:
            pixels, scores = whole_body_to_halpe26(pixels, scores)
        return Keypoints(self.joint_set, pixels.astype(np.float32), scores.clip(0.0, 1.0), None)

    def _run(self, pictures: list[Image]) -> tuple[Float32, Float32]:
        found = self._model.run({self._model.inputs[0].name: self._normalise(pictures)})
        return found[self._outputs[0]], found[self._outputs[1]]

    def _input_size(self) -> tuple[int, int]:
        """(width, height) of the input: the network's own where it is fixed, else the form's."""
        shape = self._model.inputs[0].shape
        if len(self._model.inputs) != 1 or len(shape) != 4:
            raise ModelError(f"{self.form.file.name}: a pose network takes images (N, 3, height, width); got {shape}")
        if shape[2] is not None and shape[3] is not None:
            return shape[3], shape[2]
        if self.form.size is None:
            raise ModelError(f"{self.form.file.name}: its input has no fixed size; put its pipeline.json beside it")
        return self.form.size

    def _output_names(self) -> tuple[str, str]:
        names = [tensor.name for tensor in self._model.outputs]
        for wanted in (self.form.outputs, ("simcc_x", "simcc_y")):
            if wanted is not None and set(wanted) <= set(names):
                return wanted
        if len(names) != 2:
            raise ModelError(
                f"{self.form.file.name}: a SimCC head has two outputs, x and y; got {', '.join(names)} (RTMO and "
                "networks with heatmaps are not supported)"
            )
        return names[0], names[1]

    def _joint_count(self) -> int:
        """How many landmarks it gives; raises ModelError when no known set has as many or the bins do not fit."""
        width, height = self._size
        x, y = self._run([np.zeros((height, width, 3), np.uint8)])
        expected = tuple(round(side * self.form.split_ratio) for side in self._size)
        if not self.form.decoded and (x.ndim != 3 or y.ndim != 3 or (x.shape[2], y.shape[2]) != expected):
            raise ModelError(
                f"{self.form.file.name}: results {x.shape} and {y.shape} for an input of {width} x {height} pixels; "
                f"SimCC with a split ratio of {self.form.split_ratio:g} has {expected[0]} and {expected[1]} bins"
            )
        if x.shape[1] not in _JOINT_SETS:
            known = ", ".join(map(str, _JOINT_SETS))
            raise ModelError(f"{self.form.file.name}: gives {x.shape[1]} landmarks; known sets have {known}")
        return int(x.shape[1])
