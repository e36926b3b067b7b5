"""A clip on one picture: the body at evenly spaced times, side by side, to be looked at without playing anything."""

from collections.abc import Sequence

import cv2
import numpy as np

from fitmotion_models.skeleton.motion_clip import MotionClip
from fitmotion_models.viewer.canvas import SEMIBOLD, Canvas, Image
from fitmotion_models.viewer.clip_scene import scene_of
from fitmotion_models.viewer.palette import Rgb

HEIGHT = 220  # of a body's picture, pixels
_TITLE, _FOOT = 26, 18  # bands above and below, pixels
_NARROWEST, _WIDEST = 0.42, 1.5  # width of a body's picture over its height
_TEXT_SIZE, _TIME_SIZE = 15.0, 12.0  # pixels
_INK: Rgb = (0.16, 0.17, 0.19)
_QUIET: Rgb = (0.45, 0.47, 0.50)
_PAPER = (250, 248, 246)  # BGR
_SHARPNESS = 2  # drawn so many times larger, then reduced: edges are smooth


def draw_strip(clip: MotionClip, frames: int = 8, *, title: str = "", height: int = HEIGHT) -> Image:
    """The body at evenly spaced times from first to last, three-quarter front, its left blue and its right orange.

    Under each is its time in seconds; the line on the floor goes through the middle of the picture, the grid has half a
    metre. height: of the bodies' pictures, pixels. Returns (H, W, 3) uint8 BGR.
    Raises ValueError for fewer than one frame and for a clip that can't be drawn.
    """
    if frames < 1:
        raise ValueError(f"a strip shows at least one frame, not {frames}")
    scene = scene_of(clip)
    width = round(height * float(np.clip(scene.aspect, _NARROWEST, _WIDEST)))
    chosen = np.round(np.linspace(0, len(clip) - 1, frames)).astype(int)
    pictures = []
    for index in chosen:
        large = scene.draw(int(index), _SHARPNESS * width, _SHARPNESS * height)
        pictures.append(cv2.resize(large, (width, height), interpolation=cv2.INTER_AREA))
    top = _TITLE if title else 0
    image = np.empty((top + height + _FOOT, width * frames, 3), np.uint8)
    image[:] = _PAPER
    image[top : top + height] = np.concatenate(pictures, axis=1)
    canvas = Canvas(image)
    canvas.unit = 1.0
    for place, index in enumerate(chosen):
        words = f"{clip.stamps[index] - clip.stamps[0]:.1f} s"
        canvas.centred(words, ((place + 0.5) * width, top + height + 0.4 * _FOOT), _TIME_SIZE, _QUIET, SEMIBOLD)
    if title:
        shown = canvas.wrapped(title, width * frames - 12, _TEXT_SIZE, 1, SEMIBOLD)
        canvas.text(shown[0], 6, 18, _TEXT_SIZE, _INK, SEMIBOLD)
    return image


def stack_strips(strips: Sequence[Image]) -> Image:
    """Strips one under another, the narrower ones with paper at their right. Raises ValueError for none."""
    if not strips:
        raise ValueError("no strips to put under one another")
    width = max(strip.shape[1] for strip in strips)
    rows = [
        cv2.copyMakeBorder(strip, 0, 0, 0, width - strip.shape[1], cv2.BORDER_CONSTANT, value=_PAPER)
        for strip in strips
    ]
    return np.concatenate(rows, axis=0).astype(np.uint8, copy=False)
