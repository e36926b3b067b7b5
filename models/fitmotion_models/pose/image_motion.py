"""How fast the landmarks move across the image, in metres a second: tells standing feet and still people."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Velocities are smoothed with this time constant, seconds: landmark jitter of one frame is no motion.
SMOOTHING_SECONDS = 0.1


class ImageMotion:
    """Smoothed image speed of every point of a body. The body's own size in the image turns pixels into metres."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the person."""
        self._pixels: Array | None = None
        self._velocity: Array = np.zeros((0, 2))
        self._stamp = 0.0
        self.speeds: Array = np.zeros(0)

    def update(self, pixels: Array, points: Array, stamp: float) -> Array:
        """Pixels (N, 2) and points (N, 3) (metres, optical axes) of one frame; returns the speeds (N,), m/s.

        A point without a past is at rest; one that is unseen is NaN.
        """
        if self._pixels is None or stamp <= self._stamp:
            self._velocity = np.zeros_like(pixels)
        else:
            interval = stamp - self._stamp
            velocity = (pixels - self._pixels) / interval * _metres_per_pixel(pixels, points)
            share = interval / (interval + SMOOTHING_SECONDS)
            past = np.where(np.isfinite(self._velocity), self._velocity, 0.0)
            self._velocity = np.where(np.isfinite(velocity), share * velocity + (1 - share) * past, past)
        self._pixels, self._stamp = pixels, stamp
        self.speeds = np.where(np.isfinite(pixels).all(-1), np.linalg.norm(self._velocity, axis=-1), np.nan)
        return self.speeds

    def speed_of(self, indices: list[int]) -> float:
        """The mean speed of some points, m/s; NaN when none is seen."""
        values = self.speeds[indices]
        seen = values[np.isfinite(values)]
        return float(seen.sum() / len(seen)) if len(seen) else float("nan")


def _metres_per_pixel(pixels: Array, points: Array) -> float:
    """The scale at which the body is seen: its spread in metres across the image over its spread in pixels."""
    seen = np.isfinite(pixels).all(-1) & np.isfinite(points).all(-1)
    in_pixels = np.ptp(pixels[seen], axis=0).max(initial=0.0) if seen.any() else 0.0
    in_metres = np.ptp(points[seen, :2], axis=0).max(initial=0.0) if seen.any() else 0.0
    return float(in_metres / in_pixels) if in_pixels > 0 else 0.0
