"""Left and right between cameras: a view whose detector has exchanged the sides of the body is put right.

A view that is exchanged agrees with the others when its labels are mirrored. Which views to mirror is searched one view
at a time, first for the whole body, then for legs and arms alone. All views mirrored would agree just as well: that is
told by the body itself, whose feet and face point to where hips and shoulders face.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.pose.rig import RigCamera
from fitmotion_models.pose.triangulation import MIN_CONFIDENCE, OUTLIER_M, Rays, solve_meeting
from fitmotion_models.skeleton.joint_sets import joint_set

Array = NDArray[np.float64]
Bool = NDArray[np.bool_]

# A view is exchanged when that leaves less than this share of the cost ...
BETTER_SHARE = 0.8
# ... and for legs or arms alone less than this: a crossing limb must not be taken for an exchanged one.
BETTER_SHARE_OF_LIMBS = 0.5
# Sides whose rays are so near to each other say nothing; of the squared distance of an outlier, a joint and view.
_WORTH_A_LOOK = 0.02
# |cosine| between where the body faces and where feet and face point, below which they say nothing.
_CLEAR_FACING = 0.25
_LIMBS = (("hip", "knee", "ankle", "heel", "foot", "toe"), ("shoulder", "elbow", "wrist", "pinky", "index", "thumb"))


def mend_sides(
    cameras: Sequence[RigCamera], name: str, pixels: Array, confidence: Array, *, outlier_m: float = OUTLIER_M
) -> Bool:
    """Which landmarks (V, J) of one instant have to be exchanged with those of the body's other side.

    name: the joint set. pixels: (V, J, 2) as the cameras see them. confidence: (V, J).
    """
    paired = paired_joints(name)
    exchanged = np.zeros(confidence.shape, dtype=bool)
    if len(cameras) < 2 or not paired.size:
        return exchanged
    partner = np.searchsorted(paired, mirror_of(name)[paired])
    search = _Search(cameras, partner, pixels[:, paired], confidence[:, paired], outlier_m)
    views = search.best(np.zeros(len(cameras), dtype=bool), np.ones(len(paired), dtype=bool), BETTER_SHARE)
    if search.is_mirrored(views, name, paired):
        views = ~views
    exchanged[:, paired] = views[:, None]
    for limbs in _LIMBS:
        part = np.array([any(word in _words(name, joint) for word in limbs) for joint in paired])
        # the face's and the trunk's majority stays: fewer than half of the views may differ from it
        other = search.best(views, part, BETTER_SHARE_OF_LIMBS, most=(len(cameras) - 1) // 2)
        exchanged[np.ix_(np.arange(len(cameras)), paired[part])] = other[:, None]
    return exchanged


def exchange(name: str, exchanged: Bool, *arrays: Array) -> tuple[Array, ...]:
    """Arrays (V, J, ...) with the landmarks that are exchanged (V, J) taken from the other side."""
    mirror = mirror_of(name)
    return tuple(
        np.where(exchanged.reshape(*exchanged.shape, *(1,) * (array.ndim - 2)), array[:, mirror], array)
        for array in arrays
    )


@cache
def mirror_of(name: str) -> NDArray[np.intp]:
    """For each joint of a set the same joint of the other side."""
    return np.array(joint_set(name).mirror)


@cache
def paired_joints(name: str) -> NDArray[np.intp]:
    """The joints that have another side, but for eyes, ears and mouth, which are too near to theirs to tell."""
    joints = joint_set(name).joints
    face = ("eye", "ear", "mouth", "inner", "outer")
    return np.array(
        [
            index
            for index, other in enumerate(joint_set(name).mirror)
            if index != other and not any(word in joints[index].split("_") for word in face)
        ],
        dtype=np.intp,
    )


def _words(name: str, joint: int) -> list[str]:
    return joint_set(name).joints[joint].split("_")


class _Search:
    """The cost of exchanging views at one instant: squared distances of rays, each at most an outlier's."""

    def __init__(
        self,
        cameras: Sequence[RigCamera],
        partner: NDArray[np.intp],
        pixels: Array,
        confidence: Array,
        outlier_m: float,
    ) -> None:
        self._partner = partner
        self._outlier = outlier_m
        seen = np.isfinite(pixels).all(-1) & (confidence >= MIN_CONFIDENCE)
        weights = np.where(seen, confidence, 0.0) ** 2
        rays = Rays.of(cameras, np.where(seen[..., None], pixels, np.nan))
        # axis 0: as labelled, exchanged
        self._weights = np.stack([weights, weights[:, self._partner]])
        self._rays = [rays, Rays(rays.origins, rays.directions[:, self._partner])]
        parts = [[Rays(r.origins[v : v + 1], r.directions[v : v + 1]).normal_equations(w[v : v + 1])
                  for v in range(len(cameras))] for r, w in zip(self._rays, self._weights, strict=True)]  # fmt: skip
        self._matrices = np.array([[matrix for matrix, _ in views] for views in parts])
        self._right = np.array([[right for _, right in views] for views in parts])

    def points(self, views: Bool) -> Array:
        """The joints (P, 3) when these views are exchanged."""
        choice, index = views.astype(int), np.arange(len(views))
        return solve_meeting(self._matrices[choice, index].sum(0), self._right[choice, index].sum(0))

    def cost(self, views: Bool, part: Bool) -> float:
        """What these joints cost when these views are exchanged."""
        choice, index = views.astype(int), np.arange(len(views))
        points = self.points(views)
        directions = np.stack([self._rays[pick].directions[view] for view, pick in enumerate(choice)])
        distance = Rays(self._rays[0].origins, directions).distances(points)
        distance = np.minimum(np.nan_to_num(distance, nan=self._outlier, posinf=self._outlier), self._outlier)
        return float((self._weights[choice, index] * distance**2)[:, part].sum())

    def best(self, views: Bool, part: Bool, share: float, most: int | None = None) -> Bool:
        """Exchange the view that helps most, again and again, while less than `share` of the cost is left.

        most: views that may differ from the start. A small cost is left alone.
        """
        best, cost, start = views.copy(), self.cost(views, part), views
        worth = _WORTH_A_LOOK * self._outlier**2 * float(self._weights[0][:, part].sum())
        while cost > worth:
            tries = [np.where(np.arange(len(views)) == view, ~best, best) for view in range(len(views))]
            tries = [t for t in tries if most is None or (t != start).sum() <= most]
            prices = [self.cost(t, part) for t in tries]
            if not prices or min(prices) > share * cost:
                break
            best, cost = tries[int(np.argmin(prices))], min(prices)
        return best

    def is_mirrored(self, views: Bool, name: str, paired: NDArray[np.intp]) -> bool:
        """Whether the body would face away from where its feet point, so that the other views are the exchanged ones.

        Where the feet say nothing the fewer views are exchanged.
        """
        points = dict(zip(paired.tolist(), self.points(views), strict=True))
        place = {joint: points[index] for index, joint in enumerate(joint_set(name).joints) if index in points}
        facing = _facing_agreement(place)
        if abs(facing) >= _CLEAR_FACING:
            return facing < 0.0
        return bool(2 * views.sum() > len(views))


def _facing_agreement(place: dict[str, Array]) -> float:
    """Cosine between where hips and shoulders face and where the feet point; 0 where that is not known."""
    nowhere = np.full(3, np.nan)

    def at(side: str, *names: str) -> Array:
        return next((place[f"{side}_{name}"] for name in names if f"{side}_{name}" in place), nowhere)

    corners = [at(side, joint) for joint in ("hip", "shoulder") for side in ("left", "right")]
    left = corners[0] - corners[1] + corners[2] - corners[3]
    up = corners[2] + corners[3] - corners[0] - corners[1]
    forward = np.cross(left, up)
    feet = np.array([at(side, "foot_index", "big_toe") - at(side, "heel") for side in ("left", "right")])
    known = np.isfinite(feet).all(-1)
    if not known.any() or not np.isfinite(forward).all():
        return 0.0
    feet = feet[known].sum(0)
    length = float(np.linalg.norm(feet) * np.linalg.norm(forward))
    return float(feet @ forward) / length if length > 0.0 else 0.0
