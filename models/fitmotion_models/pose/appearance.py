"""What somebody wears, in a few numbers: tells two people apart who have crossed or come back."""

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.pose.keypoint_similarity import LEAST_CONFIDENCE
from fitmotion_models.pose.keypoints import Keypoints
from fitmotion_models.skeleton.joint_sets import joint_set

Image = NDArray[np.uint8]
Array = NDArray[np.float64]

# Points across the trunk (between hips and shoulders) and along the thighs; where clothes are, and no arm in front of a
# standing person. (share of the way from left to right, share of the way down)
_ACROSS, _DOWN = np.meshgrid(np.linspace(0.25, 0.75, 4), np.linspace(0.15, 0.85, 5))
_ALONG = np.linspace(0.2, 0.8, 5)
# A part with fewer pixels than this inside the image says nothing.
_LEAST_PIXELS = 4


def appearance(image: Image, keypoints: Keypoints) -> Array:
    """Mean colours of the trunk and the thighs: (2, 3), opponent colours in [0, 1]; NaN for a part that is not seen.

    image: (H, W, 3) uint8 RGB. The three numbers are lightness (weighted a third, as a shadow changes it first), red
    against green and yellow against blue.
    """
    corners = joint_set(keypoints.joint_set)
    at = {name: _point(keypoints, corners.index(name)) for name in _NAMES}
    trunk = [at[name] for name in _NAMES[:4]]
    colours = np.full((2, 3), np.nan)
    if all(point is not None for point in trunk):
        left_shoulder, right_shoulder, left_hip, right_hip = (np.asarray(point) for point in trunk)
        top = left_shoulder + _ACROSS[..., None] * (right_shoulder - left_shoulder)
        bottom = left_hip + _ACROSS[..., None] * (right_hip - left_hip)
        colours[0] = _mean_colour(image, (top + _DOWN[..., None] * (bottom - top)).reshape(-1, 2))
    thighs = [(at[f"{side}_hip"], at[f"{side}_knee"]) for side in ("left", "right")]
    points = [hip + _ALONG[:, None] * (knee - hip) for hip, knee in thighs if hip is not None and knee is not None]
    if points:
        colours[1] = _mean_colour(image, np.concatenate(points))
    return colours


def difference(first: Array, second: Array) -> float:
    """The mean distance of the parts that both show, 0 to about 1; NaN when they have none in common."""
    gaps = np.linalg.norm(first - second, axis=1)
    seen = np.isfinite(gaps)
    return float(gaps[seen].mean()) if seen.any() else float("nan")


_NAMES = ("left_shoulder", "right_shoulder", "left_hip", "right_hip", "left_knee", "right_knee")
_OPPONENT = np.array([[1.0, 1.0, 1.0], [1.5, -1.5, 0.0], [0.75, 0.75, -1.5]]) / (3.0 * 255.0)
_OPPONENT[0] /= 3.0


def _point(keypoints: Keypoints, joint: int) -> Array | None:
    point = keypoints.pixels[joint].astype(np.float64)
    return point if keypoints.confidence[joint] >= LEAST_CONFIDENCE and np.isfinite(point).all() else None


def _mean_colour(image: Image, points: Array) -> Array:
    places = np.round(points).astype(np.int64)
    inside = ((places >= 0) & (places < (image.shape[1], image.shape[0]))).all(axis=1)
    if inside.sum() < _LEAST_PIXELS:
        return np.full(3, np.nan)
    x, y = places[inside].T
    # the median is not moved by a hand or a stripe
    result: Array = _OPPONENT @ np.median(image[y, x].astype(np.float64), axis=0)
    return result
