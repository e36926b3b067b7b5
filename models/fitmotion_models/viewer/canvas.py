"""Drawing on camera pictures: sizes in units of the picture, so that a phone's video and a webcam's look the same."""

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from fitmotion_models.viewer.palette import PANEL, Rgb

Image = NDArray[np.uint8]
Box = tuple[float, float, float, float]  # left, top, right, bottom, pixels

# One unit is a pixel where the shorter side has this many: the sizes below were chosen on 640x480 pictures.
UNITS_ON_SHORT_SIDE = 480.0
_SHIFT = 4  # fractional bits of OpenCV's coordinates: without them a moving line jumps from pixel to pixel
REGULAR, SEMIBOLD, BOLD = 450, 600, 700
_CAPITALS = 0.7  # height of a capital letter of the font against its size


@cache
def _font() -> "cv2.FontFace":
    return cv2.FontFace("sans")  # Rubik, part of OpenCV 5


class Canvas:
    """A picture (H, W, 3) uint8 BGR to draw on, in place. Places are pixels, sizes are units unless said otherwise."""

    def __init__(self, image: Image) -> None:
        self.image = image
        self.height, self.width = image.shape[:2]
        self.unit = min(self.height, self.width) / UNITS_ON_SHORT_SIDE

    def line(self, start: NDArray[np.float64], end: NDArray[np.float64], colour: Rgb, width: float) -> None:
        """A line between two places."""
        cv2.line(self.image, _fixed(start), _fixed(end), _bgr(colour), self._pixels(width), cv2.LINE_AA, _SHIFT)

    def disc(self, centre: NDArray[np.float64], radius: float, colour: Rgb) -> None:
        """A filled circle."""
        size = round(max(radius * self.unit, 1.0) * (1 << _SHIFT))
        cv2.circle(self.image, _fixed(centre), size, _bgr(colour), -1, cv2.LINE_AA, _SHIFT)

    def ring(self, centre: NDArray[np.float64], radius: float, colour: Rgb, width: float) -> None:
        """The outline of a circle."""
        size = round(max(radius * self.unit, 1.0) * (1 << _SHIFT))
        cv2.circle(self.image, _fixed(centre), size, _bgr(colour), self._pixels(width), cv2.LINE_AA, _SHIFT)

    def panel(self, box: Box, colour: Rgb = PANEL, *, opacity: float = 0.78, radius: float = 8.0) -> None:
        """A translucent rectangle with round corners; what is outside of the picture is left out."""
        left, top = max(int(box[0]), 0), max(int(box[1]), 0)
        right, bottom = min(round(box[2]), self.width), min(round(box[3]), self.height)
        if right <= left or bottom <= top:
            return
        below = self.image[top:bottom, left:right]
        cover = below.copy()
        corner = min(round(radius * self.unit), (right - left) // 2, (bottom - top) // 2)
        wide, high = right - left - 1, bottom - top - 1
        shade = _bgr(colour)
        cv2.rectangle(cover, (corner, 0), (wide - corner, high), shade, -1)
        cv2.rectangle(cover, (0, corner), (wide, high - corner), shade, -1)
        for x in (corner, wide - corner):
            for y in (corner, high - corner):
                cv2.circle(cover, (x, y), corner, shade, -1, cv2.LINE_AA)
        cv2.addWeighted(cover, opacity, below, 1.0 - opacity, 0.0, dst=below)

    def text(self, text: str, left: float, baseline: float, size: float, colour: Rgb, weight: int = REGULAR) -> None:
        """One line of text."""
        origin = (round(left), round(baseline))
        cv2.putText(self.image, text, origin, _bgr(colour), _font(), self._pixels(size), weight)

    def centred(self, text: str, centre: tuple[float, float], size: float, colour: Rgb, weight: int = BOLD) -> None:
        """One line of text, its capitals centred on a place."""
        left = centre[0] - 0.5 * self.text_width(text, size, weight)
        self.text(text, left, centre[1] + 0.5 * _CAPITALS * size * self.unit, size, colour, weight)

    def text_width(self, text: str, size: float, weight: int = REGULAR) -> float:
        """How wide a text is, pixels."""
        left, _, wide, _ = cv2.getTextSize((0, 0), text, (0, 0), _font(), self._pixels(size), weight)
        return float(left + wide)

    def wrapped(self, text: str, width: float, size: float, lines: int, weight: int = REGULAR) -> list[str]:
        """A text as lines of at most so many pixels; what does not fit into the lines ends with dots."""
        rows: list[str] = []
        for word in text.split():
            longer = f"{rows[-1]} {word}" if rows else word
            if rows and self.text_width(longer, size, weight) <= width:
                rows[-1] = longer
            elif len(rows) == lines:
                rows[-1] = self._shortened(longer, width, size, weight)
                break
            else:
                rows.append(word)
        return rows

    def _shortened(self, text: str, width: float, size: float, weight: int) -> str:
        while text and self.text_width(f"{text}…", size, weight) > width:
            text = text[:-1].rstrip()
        return f"{text}…"

    def _pixels(self, units: float) -> int:
        return max(round(units * self.unit), 1)


def _fixed(point: NDArray[np.float64]) -> tuple[int, int]:
    return round(float(point[0]) * (1 << _SHIFT)), round(float(point[1]) * (1 << _SHIFT))


def _bgr(colour: Rgb) -> tuple[int, int, int]:
    return round(255 * colour[2]), round(255 * colour[1]), round(255 * colour[0])
