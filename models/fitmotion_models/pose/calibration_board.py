"""The boards that cameras are calibrated with: how they are printed, and where their corners are in an image."""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Image = NDArray[np.uint8]

KINDS = ("charuco", "checkerboard")
# 100 markers of 5 by 5 bits: enough for the largest board, and few bits can be mistaken
_DICTIONARY = cv2.aruco.DICT_5X5_100
_MOST_MARKERS = 100
# A view of fewer corners than this does not tell where the board is.
LEAST_CORNERS = 6
_FINE_WINDOW, _FINE_STEPS = (5, 5), (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_COUNT, 40, 0.001)


@dataclass(frozen=True, eq=False)
class BoardView:
    """Corners of the board in one image. corners: (n,) their numbers. pixels: (n, 2)."""

    corners: NDArray[np.int64]
    pixels: Array


@dataclass(frozen=True)
class Board:
    """A flat board of black and white squares; a ChArUco board has a marker in every white one and may be cut off.

    columns, rows: squares. square, marker: side lengths, metres. Frame of its corners: x along a row, y along a column,
    z into the board; the first corner is the inner one at the top left, the origin the outer edge there.
    Raises ValueError for a board that cannot be used.
    """

    kind: str = "charuco"
    columns: int = 7
    rows: int = 5
    square: float = 0.038
    marker: float = 0.028

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"board '{self.kind}' is unknown; known: {', '.join(KINDS)}")
        if min(self.columns, self.rows) < 3:
            raise ValueError(f"a board of {self.columns}x{self.rows} squares is too small; it needs 3 or more each way")
        if not 0.0 < self.square < 1.0:
            raise ValueError(f"squares of {self.square:g} m cannot be; measure one and give metres, for instance 0.038")
        if self.kind == "charuco" and not 0.0 < self.marker < self.square:
            raise ValueError(f"markers of {self.marker:g} m do not fit into squares of {self.square:g} m")
        if self.kind == "charuco" and self.columns * self.rows // 2 > _MOST_MARKERS:
            raise ValueError(f"a board of {self.columns}x{self.rows} squares has more than {_MOST_MARKERS} markers")
        if self.kind == "checkerboard" and (self.columns + self.rows) % 2 == 0:
            raise ValueError(
                f"a checkerboard of {self.columns}x{self.rows} squares looks the same upside down; take one with an "
                "even and an odd number of squares, or a ChArUco board (--board charuco)"
            )

    @property
    def size(self) -> tuple[float, float]:
        """Width and height, metres."""
        return self.columns * self.square, self.rows * self.square

    @cached_property
    def points(self) -> Array:
        """The inner corners (N, 3), metres, row by row."""
        x, y = np.meshgrid(np.arange(1, self.columns), np.arange(1, self.rows))
        return np.stack([x.ravel(), y.ravel(), np.zeros(x.size)], axis=-1).astype(np.float64) * self.square

    def picture(self, pixels_per_square: int) -> Image:
        """The board as it is printed, grey, without a margin."""
        width, height = self.columns * pixels_per_square, self.rows * pixels_per_square
        if self.kind == "charuco":
            return np.asarray(self._charuco.generateImage((width, height), marginSize=0), dtype=np.uint8)
        rows, columns = np.indices((height, width)) // pixels_per_square
        return np.where((rows + columns) % 2 == 0, 0, 255).astype(np.uint8)

    def detect(self, image: Image) -> BoardView | None:
        """The board's corners in an image, grey or BGR; None where it is not found."""
        grey = np.asarray(image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), dtype=np.uint8)
        view = self._detect_charuco(grey) if self.kind == "charuco" else self._detect_checkerboard(grey)
        return view if view is not None and len(view.corners) >= LEAST_CORNERS and not _on_a_line(view.pixels) else None

    @cached_property
    def _charuco(self) -> "cv2.aruco.CharucoBoard":
        dictionary = cv2.aruco.getPredefinedDictionary(_DICTIONARY)
        return cv2.aruco.CharucoBoard((self.columns, self.rows), self.square, self.marker, dictionary)

    @cached_property
    def _detector(self) -> "cv2.aruco.CharucoDetector":
        return cv2.aruco.CharucoDetector(self._charuco)

    def _detect_charuco(self, grey: Image) -> BoardView | None:
        pixels, corners, _, _ = self._detector.detectBoard(grey)
        if corners is None or len(corners) == 0:
            return None
        return BoardView(
            np.asarray(corners).ravel().astype(np.int64), np.asarray(pixels, dtype=np.float64).reshape(-1, 2)
        )

    def _detect_checkerboard(self, grey: Image) -> BoardView | None:
        inner = (self.columns - 1, self.rows - 1)
        flags = cv2.CALIB_CB_ADAPTIVE_THRESH + cv2.CALIB_CB_NORMALIZE_IMAGE + cv2.CALIB_CB_FAST_CHECK
        found, corners = cv2.findChessboardCorners(grey, inner, flags=flags)
        if not found:
            return None
        fine = cv2.cornerSubPix(grey, np.asarray(corners, np.float32), _FINE_WINDOW, (-1, -1), _FINE_STEPS)
        pixels = np.asarray(fine, dtype=np.float64).reshape(-1, 2)
        # upside down the squares change their colours: the one after the first inner corner is black
        square = [pixels[index] for index in (0, 1, self.columns - 1, self.columns)]
        beside = [pixels[index] for index in (1, 2, self.columns, self.columns + 1)]
        if _brightness(grey, square) > _brightness(grey, beside):
            pixels = pixels[::-1].copy()
        return BoardView(np.arange(len(pixels)), pixels)


def _brightness(grey: Image, corners: list[Array]) -> float:
    column, row = np.mean(corners, axis=0).round().astype(int)
    return float(grey[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2].mean())


def _on_a_line(pixels: Array) -> bool:
    """Whether corners lie along one line, which leaves the board free to turn about it."""
    spread = np.linalg.svd(pixels - pixels.mean(0), compute_uv=False)
    return bool(spread[1] < 0.05 * spread[0])
