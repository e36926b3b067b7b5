"""The lengths of a person's bones, estimated from what was seen of them."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fitmotion_models.skeleton.joint_sets import SMPL22
from fitmotion_models.skeleton.kinematics import PARENTS, REST_OFFSETS
from fitmotion_models.skeleton.rotations import Float64

_MIRROR = np.array(SMPL22.mirror)
# Two joints of one rigid part, left and right of it: the distance between them says how far out they lie, and with the
# length of the bone in which direction. Without that a broad pelvis would be taken for a tall one.
_PAIRS = (
    (SMPL22.index("left_hip"), SMPL22.index("right_hip")),
    (SMPL22.index("left_collar"), SMPL22.index("right_collar")),
)


def estimate_bone_offsets(positions: ArrayLike, confidence: ArrayLike) -> Float64:
    """Bone offsets (22, 3), metres, of the person behind some frames: left and right equal, directions as at rest.

    positions: (T, 22, 3) metres, NaN where unseen. confidence: (T, 22) in [0, 1]. Each length is the median over the
    frames and both sides, weighted by the confidence of the less seen end, so single wrong frames do not count. A bone
    never seen has its rest length scaled as the others are. Raises ValueError when no bone was seen at all.
    """
    points = np.asarray(positions, dtype=np.float64)
    scores = np.asarray(confidence, dtype=np.float64)
    if points.ndim != 3 or points.shape[1:] != (len(SMPL22), 3) or scores.shape != points.shape[:2]:
        raise ValueError(
            f"bone lengths need positions (T, 22, 3) and confidence (T, 22); got {points.shape} and {scores.shape}"
        )
    lengths, weights = _distances(points, scores, np.array(PARENTS[1:]), np.arange(1, len(SMPL22)))
    measured = np.full(len(SMPL22), np.nan)
    for bone in range(1, len(SMPL22)):
        both = sorted({bone, int(_MIRROR[bone])})
        columns = [joint - 1 for joint in both]
        measured[bone] = weighted_median(lengths[:, columns].ravel(), weights[:, columns].ravel())
    rest_lengths = np.linalg.norm(REST_OFFSETS, axis=-1)
    seen = np.isfinite(measured)
    if not seen.any():
        raise ValueError("bone lengths need at least one frame in which both ends of a bone are seen; none is")
    scale = np.full(len(SMPL22), float(np.median(measured[seen] / rest_lengths[seen])))
    scale[seen] = measured[seen] / rest_lengths[seen]
    offsets: Float64 = REST_OFFSETS * scale[:, None]
    for left, right in _PAIRS:
        _widen(offsets, points, scores, left, right)
    return offsets


def _widen(offsets: Float64, points: Float64, scores: Float64, left: int, right: int) -> None:
    """Turn a pair of bones so that their ends are as far apart as seen, in place, keeping their lengths."""
    distance, weight = _distances(points, scores, np.array([left]), np.array([right]))
    half = 0.5 * weighted_median(distance.ravel(), weight.ravel())
    length = float(np.linalg.norm(offsets[left]))
    if not 0.0 < half < length:
        return
    inward = offsets[left] * (1.0, 0.0, 1.0)
    inward *= np.sqrt(length**2 - half**2) / np.linalg.norm(inward)
    offsets[left] = inward + (0.0, half, 0.0)
    offsets[right] = inward - (0.0, half, 0.0)


def _distances(
    points: Float64, scores: Float64, starts: NDArray[np.intp], ends: NDArray[np.intp]
) -> tuple[Float64, Float64]:
    """Distances (T, N) between pairs of joints and their weights (T, N), 0 where an end is unseen."""
    distance = np.linalg.norm(points[:, ends] - points[:, starts], axis=-1)
    weight = np.minimum(scores[:, ends], scores[:, starts])
    usable = np.isfinite(distance) & (weight > 0.0)
    return np.where(usable, distance, 0.0), np.where(usable, weight, 0.0)


def weighted_median(values: ArrayLike, weights: ArrayLike) -> float:
    """The value with half of the weight on either side; between two such values their mean; NaN without any weight."""
    data, mass = np.asarray(values, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    order = np.argsort(data[mass > 0.0])
    data, mass = data[mass > 0.0][order], mass[mass > 0.0][order]
    if not data.size:
        return float("nan")
    below = np.cumsum(mass)
    half = 0.5 * below[-1]
    low = int(np.searchsorted(below, half * (1.0 - 1e-12)))
    high = int(np.searchsorted(below, half * (1.0 + 1e-12)))
    return float(0.5 * (data[low] + data[min(high, data.size - 1)]))
