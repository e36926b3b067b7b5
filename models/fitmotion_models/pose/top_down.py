"""Top-down pose networks: the crop of a person that goes in, and SimCC's bins that come out.

As MMPose has it (Jiang et al. 2023, RTMPose; Li et al. 2022, SimCC), so that its networks see what they are used to:
github.com/open-mmlab/mmpose, mmpose/datasets/transforms, mmpose/codecs/utils/post_processing.py.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fitmotion_models.pose.model_folder import Normalisation

Image = NDArray[np.uint8]
Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Crop:
    """A part of an image that a network sees. centre, size: (2,) pixels of the image, size in the input's shape."""

    centre: Float64
    size: Float64

    def to_image(self, points: Float64, input_size: tuple[int, int]) -> Float64:
        """Pixels (..., 2) of the network's input as pixels of the image. input_size: (width, height)."""
        result: Float64 = points / np.array(input_size) * self.size + (self.centre - 0.5 * self.size)
        return result


def crop_of(box: NDArray[np.floating], input_size: tuple[int, int], padding: float) -> Crop:
    """The crop of a person's box (left, top, right, bottom), pixels: padded, and as wide to high as the input."""
    low, high = box[:2].astype(np.float64), box[2:].astype(np.float64)
    width, height = ((high - low) * padding).tolist()
    shape = input_size[0] / input_size[1]
    size = (width, width / shape) if width > height * shape else (height * shape, height)
    return Crop(0.5 * (low + high), np.array(size))


def cut(image: Image, crop: Crop, input_size: tuple[int, int]) -> Image:
    """The crop (height, width, 3) at the network's size; what lies outside of the image is black."""
    scale = input_size[0] / crop.size[0]
    offset = 0.5 * np.array(input_size) - scale * crop.centre
    matrix = np.array([[scale, 0.0, offset[0]], [0.0, scale, offset[1]]])
    return cv2.warpAffine(image, matrix, input_size, flags=cv2.INTER_LINEAR).astype(np.uint8, copy=False)


class Normaliser:
    """RGB pictures as a network's input: (N, 3, height, width) float32, in its channel order and scale."""

    def __init__(self, how: Normalisation) -> None:
        self._scale = (1.0 / np.array(how.std)).astype(np.float32)[:, None, None]
        self._shift = (np.array(how.mean) / np.array(how.std)).astype(np.float32)[:, None, None]
        self._swap = not how.rgb

    def __call__(self, pictures: list[Image]) -> Float32:
        """pictures: N of the same (height, width, 3), RGB."""
        height, width = pictures[0].shape[:2]
        result = np.empty((len(pictures), 3, height, width), np.float32)
        for row, picture in zip(result, pictures, strict=True):
            channels = picture[..., ::-1] if self._swap else picture
            np.multiply(channels.transpose(2, 0, 1), self._scale, out=row)
            row -= self._shift
        return result


def decode_simcc(x: Float32, y: Float32, split_ratio: float) -> tuple[Float64, Float32]:
    """Pixels of the network's input (N, K, 2) and scores (N, K) from SimCC's two rows of bins a keypoint.

    x: (N, K, bins), y: (N, K, bins). A keypoint is where each row is highest; its score is the lower of the two maxima,
    and one without any response lies at -1, as in MMPose.
    """
    places = np.stack([x.argmax(axis=-1), y.argmax(axis=-1)], axis=-1).astype(np.float64)
    scores = np.minimum(x.max(axis=-1), y.max(axis=-1))
    places[scores <= 0.0] = -1.0
    return places / split_ratio, scores.astype(np.float32, copy=False)
