"""Who is who from image to image: tracks with names that stay, also when people cross, leave and come back."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.pose.appearance import appearance, difference
from fitmotion_models.pose.keypoint_similarity import seen_box, similarity
from fitmotion_models.pose.keypoints import Keypoints
from fitmotion_models.pose.person_detector import overlaps

Image = NDArray[np.uint8]
Array = NDArray[np.float64]

# Images in which somebody has to be found before they get a name; a shape that is found once is often none.
CONFIRMED_AFTER = 3
# Somebody who was not yet named and is missing for this long, seconds, was none.
TENTATIVE_S = 0.3
# Somebody who is out of view for this long, seconds, is forgotten; the next one who comes may get the name.
FORGOTTEN_S = 10.0
# Missing for longer than this, seconds: where they were and how they moved tells less and less, what they wear more.
LOST_S = 0.4
# A person walks this fast at most, body heights a second (2 m/s), and stands this much off where they were, in heights.
FASTEST, NEARBY = 1.3, 0.25
# Heights of one person differ by no more than this factor from image to image, and by the other after a loss.
SAME_HEIGHT, SAME_HEIGHT_LOST = 1.6, 2.0
# Mean colours that differ by more than this are of two people. Measured: one person over three seconds at most 0.04
# (five recordings), two people 0.09 and more.
SAME_CLOTHES = 0.07
# Speed is smoothed with this time constant, seconds.
_SPEED_S = 0.2
# How much of a new picture goes into what is remembered of clothes.
_CLOTHES_SHARE = 0.1
_IMPOSSIBLE = 1e3


@dataclass(eq=False)
class Track:
    """Somebody who is followed. name: "" until they are confirmed. box: (4,) pixels of what was last seen of them."""

    keypoints: Keypoints
    box: Array
    last_seen: float
    name: str = ""
    images: int = 1
    velocity: Array = field(default_factory=lambda: np.zeros(2))
    clothes: Array = field(default_factory=lambda: np.full((2, 3), np.nan))

    @property
    def height(self) -> float:
        """Of what is seen of them, pixels."""
        return float(max(self.box[3] - self.box[1], 1.0))


class PeopleTracker:
    """Gives the people of every image their names: `first` for the nearest at the start, then person_2, person_3, ...

    A name that nobody has had for `FORGOTTEN_S` is free for the next one, the lowest first.
    """

    def __init__(self, first: str = "person") -> None:
        self._first = first
        self.reset()

    def reset(self) -> None:
        """Forget everybody."""
        self.tracks: list[Track] = []

    @property
    def names(self) -> list[str]:
        """Who is known, in view or not, the first first."""
        return [self._name(number) for number in sorted(self._numbers())]

    def update(self, found: Sequence[Keypoints], stamp: float, image: Image | None = None) -> dict[str, Keypoints]:
        """Take what was found in one image; returns the named ones of them, the first first.

        found: of one joint set. stamp: seconds, increasing. image: (H, W, 3) uint8 RGB, for the clothes; without it
        people are told apart by place and movement alone.
        """
        self._forget(stamp)
        people = [(one, box) for one in found if (box := seen_box(one)) is not None]
        alone = len(people) == 1 and len(self.tracks) == 1
        clothes = [_clothes(image, one) for one, _ in people]
        pairs = self._assigned(people, clothes, stamp)
        for track, index in pairs:
            _move(track, *people[index], clothes[index], stamp, mixed=not alone)
        taken = {index for _, index in pairs}
        for index, (one, box) in enumerate(people):
            if index not in taken:
                self.tracks.append(Track(one, box, stamp, clothes=clothes[index]))
        self._give_names(stamp)
        seen = [track for track in self.tracks if track.name and track.last_seen == stamp]
        seen.sort(key=lambda track: self._number(track.name))
        return {track.name: track.keypoints for track in seen}

    # ---- names ----

    def _give_names(self, stamp: float) -> None:
        """Name those who are confirmed, the largest first."""
        new = [track for track in self.tracks if not track.name and track.images >= CONFIRMED_AFTER]
        for track in sorted(new, key=lambda track: track.height, reverse=True):
            used = self._numbers()
            track.name = self._name(next(number for number in range(1, len(used) + 2) if number not in used))

    def _name(self, number: int) -> str:
        return self._first if number == 1 else f"person_{number}"

    def _number(self, name: str) -> int:
        return 1 if name == self._first else int(name.removeprefix("person_"))

    def _numbers(self) -> set[int]:
        return {self._number(track.name) for track in self.tracks if track.name}

    def _forget(self, stamp: float) -> None:
        self.tracks = [
            track for track in self.tracks if stamp - track.last_seen <= (FORGOTTEN_S if track.name else TENTATIVE_S)
        ]

    # ---- who is who ----

    def _assigned(
        self, people: Sequence[tuple[Keypoints, Array]], clothes: Sequence[Array], stamp: float
    ) -> list[tuple[Track, int]]:
        """Pairs of a track and the number of who it is, so that all together fit best (Kuhn 1955)."""
        if not people or not self.tracks:
            return []
        costs = np.array(
            [
                [_cost(track, one, box, worn, stamp) for (one, box), worn in zip(people, clothes, strict=True)]
                for track in self.tracks
            ]
        )
        if costs.size == 1:
            return [(self.tracks[0], 0)] if costs[0, 0] < _IMPOSSIBLE else []
        from scipy.optimize import linear_sum_assignment  # only where there are several people

        rows, columns = linear_sum_assignment(costs)
        return [
            (self.tracks[row], int(column))
            for row, column in zip(rows, columns, strict=True)
            if costs[row, column] < _IMPOSSIBLE
        ]


def _cost(track: Track, one: Keypoints, box: Array, clothes: Array, stamp: float) -> float:
    """How badly somebody in this image fits a track: 0 to about 2, or `_IMPOSSIBLE`."""
    away = stamp - track.last_seen
    lost = away > LOST_S
    # how they moved tells for a moment where they are; somebody who left the picture has often turned round
    shift = track.velocity * (min(away, LOST_S) if not lost else 0.0)
    taller = max(track.height, box[3] - box[1]) / max(min(track.height, box[3] - box[1]), 1.0)
    gap = float(np.linalg.norm(0.5 * (box[:2] + box[2:] - track.box[:2] - track.box[2:]) - shift)) / track.height
    worn = difference(track.clothes, clothes)
    # who fills the picture's edge is seen in part, whatever their height
    if taller > (SAME_HEIGHT_LOST if lost else SAME_HEIGHT) and similarity(track.keypoints, one, shift) < 0.3:
        return _IMPOSSIBLE
    if gap > NEARBY + FASTEST * away:
        return _IMPOSSIBLE
    if worn > SAME_CLOTHES and (lost or np.isfinite(worn)) and _alike(track, one, box, shift) < 0.5:
        return _IMPOSSIBLE
    wrong_clothes = min(worn / SAME_CLOTHES, 2.0) if np.isfinite(worn) else 0.5
    if lost:
        return 0.5 + 0.5 * wrong_clothes + 0.1 * gap
    return 1.0 - _alike(track, one, box, shift) + 0.4 * wrong_clothes


def _alike(track: Track, one: Keypoints, box: Array, shift: Array) -> float:
    """How much somebody is where and as a track was expected: 0 to 1, of landmarks and of boxes."""
    moved = track.box + np.tile(shift, 2)
    return 0.5 * similarity(track.keypoints, one, shift) + 0.5 * float(overlaps(moved, box[None])[0])


def _move(track: Track, one: Keypoints, box: Array, clothes: Array, stamp: float, *, mixed: bool) -> None:
    """Go on with a track. mixed: whether others are near, who may stand in front."""
    interval = stamp - track.last_seen
    if 0.0 < interval <= LOST_S:
        speed = 0.5 * (box[:2] + box[2:] - track.box[:2] - track.box[2:]) / interval
        share = interval / (interval + _SPEED_S)
        track.velocity = track.velocity + share * (speed - track.velocity)
    else:
        track.velocity = np.zeros(2)
    known = np.isfinite(track.clothes)
    worn = np.where(np.isfinite(clothes), clothes, track.clothes)
    # while people are over each other what is seen of one may be the other's
    share = 0.0 if mixed and difference(track.clothes, clothes) > SAME_CLOTHES else _CLOTHES_SHARE
    track.clothes = np.where(known, track.clothes + share * (worn - track.clothes), worn)
    track.keypoints, track.box, track.last_seen = one, box, stamp
    track.images += 1


def _clothes(image: Image | None, one: Keypoints) -> Array:
    return np.full((2, 3), np.nan) if image is None else appearance(image, one)
