"""Points in space from what several calibrated cameras see of them, robust against a camera that sees another thing.

Every camera gives a ray. A point is the weighted least-squares meeting place of the rays that agree: of the meeting
places of all rays and of every pair, the one with the smallest truncated squared distances is kept (MSAC, Torr and
Zisserman 2000, here with all pairs instead of random ones), the rays farther from it than `OUTLIER_M` are left out, and
it is solved again with the weights of pixels at its distance from each camera.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fitmotion_models.pose.rig import RigCamera

Array = NDArray[np.float64]

# A camera whose ray passes a joint at more than this sees something else: a limb of the other side, another person.
# Measured on an athlete before four cameras, rays of right detections pass at 0.02 to 0.04 m (median).
OUTLIER_M = 0.12
# A landmark below this confidence is unseen, as with one camera.
MIN_CONFIDENCE = 0.3
# Rays that meet at less than this tell the depth too badly: at 3 degrees it errs twenty times as much as the picture.
MIN_ANGLE_DEG = 3.0
_REFITS = 3


@dataclass(frozen=True, eq=False)
class Triangulated:
    """Points seen by V cameras.

    points: (..., 3) metres in the world, NaN where fewer than two cameras agree. confidence: (...,) in [0, 1]: that of
    the second best camera behind the point, less where the rays pass each other; 0 where there is no point.
    errors: (V, ...) pixels from each camera's landmark to the point's picture, NaN where either is missing.
    used: (V, ...) which cameras are behind the point.
    """

    points: Array
    confidence: Array
    errors: Array
    used: NDArray[np.bool_]

    def median_errors(self) -> Array:
        """Each camera's median reprojection error (V,), pixels; NaN for one that sees nothing that others see."""
        flat = self.errors.reshape(len(self.errors), -1)
        return np.array([np.median(row[np.isfinite(row)]) if np.isfinite(row).any() else np.nan for row in flat])


def triangulate(
    cameras: Sequence[RigCamera],
    pixels: ArrayLike,
    confidence: ArrayLike,
    *,
    outlier_m: float = OUTLIER_M,
    min_confidence: float = MIN_CONFIDENCE,
) -> Triangulated:
    """Triangulate landmarks seen by V cameras; all points at once.

    pixels: (V, ..., 2), x right and y down, as the camera sees them (distorted). confidence: (V, ...) in [0, 1]; below
    `min_confidence`, or with a pixel that is NaN, a camera does not see the point. outlier_m: metres between a camera's
    ray and the point beyond which the camera is left out. Raises ValueError for shapes that do not fit.
    """
    image, weight = np.asarray(pixels, dtype=np.float64), np.asarray(confidence, dtype=np.float64)
    if image.shape[-1:] != (2,) or image.shape[:-1] != weight.shape or len(image) != len(cameras):
        raise ValueError(
            f"triangulation of {len(cameras)} cameras needs pixels (V, ..., 2) and confidence (V, ...); got "
            f"{image.shape} and {weight.shape}"
        )
    shape = weight.shape[1:]
    image, weight = image.reshape(len(cameras), -1, 2), weight.reshape(len(cameras), -1)
    seen = np.isfinite(image).all(-1) & (weight >= min_confidence) & (weight > 0.0)
    rays = Rays.of(cameras, np.where(seen[..., None], image, np.nan))
    strength = np.where(seen, np.clip(weight, 0.0, 1.0), 0.0)
    points, used = _best_start(rays, strength, outlier_m)
    for _ in range(_REFITS):
        points, used = _refit(rays, strength, points, used, outlier_m)
    found = (used.sum(0) >= 2) & (rays.widest_angle_sine(used) >= np.sin(np.radians(MIN_ANGLE_DEG)))
    points = np.where(found[:, None], points, np.nan)
    used &= found
    sure = _confidence(rays.distances(points), strength, used, outlier_m)
    errors = np.stack(
        [np.linalg.norm(camera.project(points) - image[view], axis=-1) for view, camera in enumerate(cameras)]
    )
    errors[~seen] = np.nan
    return Triangulated(
        points.reshape(*shape, 3), sure.reshape(shape), errors.reshape(-1, *shape), used.reshape(-1, *shape)
    )


@dataclass(frozen=True, eq=False)
class Rays:
    """Half lines in the world. origins: (V, 3) metres. directions: (V, N, 3) unit vectors, NaN where there is none."""

    origins: Array
    directions: Array

    @classmethod
    def of(cls, cameras: Sequence[RigCamera], pixels: Array) -> "Rays":
        """The rays through pixels (V, N, 2)."""
        origins = np.stack([camera.position for camera in cameras])
        return cls(origins, np.stack([camera.directions(image) for camera, image in zip(cameras, pixels, strict=True)]))

    def meeting(self, weights: Array) -> Array:
        """Points (N, 3) nearest to the rays in the least-squares sense; weights: (V, N); NaN where they do not meet."""
        return solve_meeting(*self.normal_equations(weights))

    def normal_equations(self, weights: Array) -> tuple[Array, Array]:
        """The matrices (N, 3, 3) and right sides (N, 3) whose solutions are the meeting points."""
        directions = np.nan_to_num(self.directions)
        across = weights[..., None, None] * (np.eye(3) - directions[..., :, None] * directions[..., None, :])
        return across.sum(0), (across @ self.origins[:, None, :, None])[..., 0].sum(0)

    def distances(self, points: Array) -> Array:
        """Metres (V, N) from points (N, 3) to the rays; infinite behind a camera, NaN without a ray or point."""
        to = points - self.origins[:, None]
        along = (to * self.directions).sum(-1)
        across = np.linalg.norm(to - along[..., None] * self.directions, axis=-1)
        return np.where(along < 0.0, np.inf, across)

    def widest_angle_sine(self, used: NDArray[np.bool_]) -> Array:
        """Sine (N,) of the widest angle between two of the rays that are used (V, N); 0 where there are no two."""
        widest = np.zeros(self.directions.shape[1])
        for first, second in combinations(range(len(self.origins)), 2):
            both = used[first] & used[second]
            sine = np.linalg.norm(np.cross(self.directions[first], self.directions[second]), axis=-1)
            widest = np.where(both, np.fmax(widest, sine), widest)
        return widest


def solve_meeting(matrices: Array, right: Array) -> Array:
    """Solutions (..., 3) of symmetric 3x3 systems; NaN where the rays are parallel or fewer than two."""
    with np.errstate(invalid="ignore", divide="ignore"):
        rows = (matrices[..., 0, :], matrices[..., 1, :], matrices[..., 2, :])
        cofactors = np.stack([np.cross(rows[1], rows[2]), np.cross(rows[2], rows[0]), np.cross(rows[0], rows[1])], -1)
        determinant = (rows[0] * cofactors[..., :, 0]).sum(-1)
        scale = np.trace(matrices, axis1=-2, axis2=-1) ** 3
        solution = (cofactors @ right[..., None])[..., 0] / determinant[..., None]
    return np.where((determinant > 1e-9 * scale)[..., None], solution, np.nan)


def _truncated(rays: Rays, points: Array, strength: Array, outlier_m: float) -> Array:
    """What a point costs (N,): squared distances of the rays, each at most that of an outlier."""
    distance = np.nan_to_num(rays.distances(points), nan=outlier_m, posinf=outlier_m)
    return np.asarray((strength**2 * np.minimum(distance, outlier_m) ** 2).sum(0))


def _best_start(rays: Rays, strength: Array, outlier_m: float) -> tuple[Array, NDArray[np.bool_]]:
    """The best of the meeting places of all rays and of every pair, and which rays agree with it."""
    best = rays.meeting(strength**2)
    cost = _truncated(rays, best, strength, outlier_m)
    for pair in combinations(range(len(strength)), 2):
        chosen = np.zeros_like(strength)
        chosen[list(pair)] = 1.0
        candidate = rays.meeting(np.where((strength[list(pair)] > 0.0).all(0), chosen, 0.0))
        price = _truncated(rays, candidate, strength, outlier_m)
        # a pair that agrees only with itself is no better than the mean of all
        better = price < cost - 1e-12
        best, cost = np.where(better[:, None], candidate, best), np.where(better, price, cost)
    return best, _agreeing(rays, best, strength, outlier_m)


def _agreeing(rays: Rays, points: Array, strength: Array, outlier_m: float) -> NDArray[np.bool_]:
    with np.errstate(invalid="ignore"):
        return np.asarray((rays.distances(points) <= outlier_m) & (strength > 0.0))


def _refit(
    rays: Rays, strength: Array, points: Array, used: NDArray[np.bool_], outlier_m: float
) -> tuple[Array, NDArray[np.bool_]]:
    """Solve again with the rays that agree, each weighted as its pixels are at that distance."""
    depth = np.linalg.norm(points - rays.origins[:, None], axis=-1)
    weights = np.where(used, strength / np.where(depth > 0.0, depth, 1.0), 0.0) ** 2
    points = rays.meeting(np.nan_to_num(weights))
    return points, _agreeing(rays, points, strength, outlier_m)


def _confidence(distances: Array, strength: Array, used: NDArray[np.bool_], outlier_m: float) -> Array:
    """Of the second best camera behind a point, times how well the rays meet."""
    sure = np.sort(np.where(used, strength, 0.0), axis=0)[-2] if len(strength) > 1 else np.zeros(strength.shape[1])
    count = np.maximum(used.sum(0), 1)
    spread = np.sqrt(np.where(used, np.nan_to_num(distances, posinf=0.0) ** 2, 0.0).sum(0) / count) / outlier_m
    return np.asarray(sure * np.clip(1.0 - spread**2, 0.0, 1.0))
