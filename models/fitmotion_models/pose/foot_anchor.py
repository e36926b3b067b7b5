"""Where the root is: anchored by the floor and by the feet that stand on it (one camera gives no trustworthy depth)."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

# A foot point that moves slower than this across the image, m/s, is planted; a swinging foot passes 2 m/s.
PLANTED_SPEED = 0.4
# How fast the position of a planted point is corrected by what is measured now (1 / s): slow, it stands still.
PLANT_CORRECTION_HZ = 0.5
# Heels and toes: only the toes carry the height, since heels may rise while the foot stands.
_TOES = [1, 3]


class FootAnchor:
    """Keeps planted feet where they are, in a world with the floor at z = 0 and its origin under the first stance."""

    def __init__(self, points: int = 4) -> None:
        self._points = points
        self.reset()

    def reset(self) -> None:
        """Forget where anything stood; the next body stands at the origin."""
        self._planted_at = np.full((self._points, 3), np.nan)
        self._translation: Array | None = None
        self._stamp: float | None = None
        self._travel: Array | None = None

    def take_over(self, other: "FootAnchor") -> None:
        """Go on where another anchor, of other points of the same body, has brought it."""
        self.reset()
        self._translation, self._stamp, self._travel = other._translation, other._stamp, other._travel

    def update(self, feet: Array, speeds: Array, stamp: float, travel: Array | None) -> Array:
        """The root's translation (3,).

        feet: (4, 3) left heel, left toe, right heel, right toe about the root, world axes; NaN where unseen.
        speeds: (4,) of the same points across the image, m/s. travel: (3,) the body's position by
        perspective, world axes, or None; used only while no foot stands.
        """
        interval = 0.0 if self._stamp is None else stamp - self._stamp
        seen: Flags = np.asarray(np.isfinite(feet).all(-1))
        planted = self._holds(feet, seen, speeds)
        if self._translation is None:
            self._translation = self._first_translation(feet, seen)
        else:
            self._translation = self._follow(feet, planted, travel)
        here = feet + self._translation
        known = planted & np.isfinite(self._planted_at).all(-1)
        rate = min(1.0, PLANT_CORRECTION_HZ * interval)
        self._planted_at[known] += rate * (here - self._planted_at)[known]
        fresh = planted & ~known
        self._planted_at[fresh] = here[fresh]
        self._planted_at[~planted] = np.nan
        self._stamp, self._travel = stamp, travel
        return self._translation

    def _first_translation(self, feet: Array, seen: Flags) -> Array:
        if not seen.any():
            return np.zeros(3)
        centre = feet[seen].mean(0)
        toes = [index for index in _TOES if seen[index]]
        floor = feet[toes, 2].mean() if toes else feet[seen, 2].min()
        return np.array([-centre[0], -centre[1], -floor])

    def _follow(self, feet: Array, planted: Flags, travel: Array | None) -> Array:
        assert self._translation is not None
        held = planted & np.isfinite(self._planted_at).all(-1)
        translation = self._translation.copy()
        if held.any():
            translation = (self._planted_at - feet)[held].mean(0)
        elif travel is not None and self._travel is not None:
            translation = translation + (travel - self._travel)
        height = self._height(feet, planted)
        if height is not None:
            translation[2] = height
        return translation

    def _holds(self, feet: Array, seen: Flags, speeds: Array) -> Flags:
        """Which points stand where they are."""
        return seen & (speeds < PLANTED_SPEED)

    def _height(self, feet: Array, planted: Flags) -> float | None:
        """How high the root is over the floor, metres; None where nothing tells."""
        toes = [index for index in _TOES if planted[index]]
        return -float(feet[toes, 2].mean()) if toes else None
