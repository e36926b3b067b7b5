"""How alike two sets of landmarks in one image are: COCO's object keypoint similarity, boxes, sizes."""

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.pose.keypoints import Keypoints

Array = NDArray[np.float64]

# A landmark below this confidence says nothing about where a person is.
LEAST_CONFIDENCE = 0.3
# COCO's evaluation, cocodataset.org/#keypoints-eval: twice the standard deviation of annotators by the square root of
# the area; the mean of its body joints (shoulders .079, elbows .072, wrists .062, hips .107, knees .087, ankles .089).
SPREAD = 0.083


def seen_box(keypoints: Keypoints, least_confidence: float = LEAST_CONFIDENCE) -> Array | None:
    """Left, top, right, bottom (4,) of the landmarks that are seen, pixels; None for fewer than three."""
    points = keypoints.pixels[(keypoints.confidence >= least_confidence) & np.isfinite(keypoints.pixels).all(-1)]
    if len(points) < 3:
        return None
    return np.concatenate([points.min(axis=0), points.max(axis=0)]).astype(np.float64)


def area_of(box: Array) -> float:
    """The area of a box, square pixels."""
    return float(max(box[2] - box[0], 1.0) * max(box[3] - box[1], 1.0))


def similarity(first: Keypoints, second: Keypoints, shift: Array | None = None) -> float:
    """Object keypoint similarity of two bodies of one joint set: 1 for the same landmarks, near 0 for other people.

    shift: (2,) pixels, where the first is expected to have moved. 0 where they have no seen landmark in common.
    """
    both = (first.confidence >= LEAST_CONFIDENCE) & (second.confidence >= LEAST_CONFIDENCE)
    both &= np.isfinite(first.pixels).all(-1) & np.isfinite(second.pixels).all(-1)
    if not both.any():
        return 0.0
    boxes = [box for box in (seen_box(first), seen_box(second)) if box is not None]
    area = float(np.mean([area_of(box) for box in boxes])) if boxes else 1.0
    gap = second.pixels[both] - first.pixels[both] - (0.0 if shift is None else shift)
    return float(np.mean(np.exp(-np.sum(gap * gap, axis=-1) / (2.0 * area * (2.0 * SPREAD) ** 2))))
