"""What is wrong with the camera's view, in sentences for the people in front of it; steady, and cheap.

A condition is said once it has held for a while and is taken back once it has been well again for longer, with a second
threshold, so that nothing flickers.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.pose.keypoint_similarity import LEAST_CONFIDENCE, seen_box
from fitmotion_models.pose.keypoints import Keypoints
from fitmotion_models.skeleton.joint_sets import joint_set

Image = NDArray[np.uint8]

# Seconds that a condition must hold until it is said, and be gone until it is taken back.
SAID_AFTER_S, TAKEN_BACK_AFTER_S = 0.7, 1.5
# Height of a standing person in pixels below which they are too far. Networks look at a person in 256 pixels of height
# (BlazePose's and RTMPose's inputs, with a quarter of margin): with fewer in the image there is nothing finer to see.
LEAST_HEIGHT_PX = 200.0
# As a share of the image's height: above it there is no room for arms overhead.
MOST_HEIGHT = 0.9
# Mean brightness of the image, 0 to 255, and share of its pixels that are white; contrast: standard deviation.
DARKEST, BRIGHTEST_SHARE, LEAST_CONTRAST = 45.0, 0.35, 14.0
# The camera's tilt, from level, and its roll, degrees.
MOST_TILT_DEG, MOST_ROLL_DEG = 25.0, 8.0
# Of the background's pixels that show an edge, the share that changes when the camera moves, and by how much of it.
# Measured: a camera on a tripod at most 0.09, one held by hand 0.26 and more.
MOVED_SHARE, MOVED_BY = 0.3, 0.5
# How much better than its threshold a value must be to count as well again.
HYSTERESIS = 0.1
# The light is looked at in this many pixels along the longer side, and every so often; the person more often, seconds.
_SAMPLES, _LIGHT_EVERY_S, _PERSON_EVERY_S = 48, 0.2, 0.1
_LEAST_EDGE = 12.0
# The image's edge, as a share of its sides.
_EDGE = 0.01

# condition -> what to do. The order is that of importance.
SENTENCES = {
    "dark": "The picture is too dark: turn on more light.",
    "bright": "The picture is too bright: turn the camera away from the window or lamp.",
    "flat": "The picture has little contrast: clean the lens, or put light on the person.",
    "moving": "The camera moves: put it on a tripod or a table.",
    "feet": "The feet are cut off: move the camera back or tilt it down.",
    "head": "The head is cut off: move the camera back or tilt it up.",
    "hands": "The hands leave the picture: move the camera back or tilt it up.",
    "side": "The person stands at the picture's edge: step to the middle.",
    "near": "The person is too near: move the camera back, so that there is room over raised hands.",
    "far": "The person is too far: move the camera nearer.",
    "feet_unseen": "The feet are not seen: clear the view to them, and light the floor.",
    "tilt": "The camera looks steeply up or down: put it at hip height, level.",
    "roll": "The camera stands crooked: turn it upright.",
}
_PARTS = {
    "feet": ("ankle", "heel", "foot_index", "big_toe"),
    "head": ("nose", "eye", "ear"),
    "hands": ("wrist",),
}
# of a standing body's height: from the shoulders to the ankles (Drillis and Contini 1966: 0.818 - 0.039)
_SHOULDERS_TO_ANKLES = 0.78


@dataclass
class _Condition:
    """Whether something is wrong, and since when it has been otherwise."""

    said: bool = False
    since: float = math.nan  # of the opposite of `said`

    def update(self, wrong: bool, well: bool, stamp: float) -> None:
        """wrong: beyond the threshold. well: on the good side of it with something to spare."""
        turned = wrong if not self.said else well
        if not turned:
            self.since = math.nan
        elif math.isnan(self.since) or stamp < self.since:
            self.since = stamp
        elif stamp - self.since >= (TAKEN_BACK_AFTER_S if self.said else SAID_AFTER_S):
            self.said, self.since = not self.said, math.nan


class CameraGuidance:
    """Watches images and landmarks of one camera; `update` returns what holds now, the most urgent first."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget what was seen."""
        self._conditions = {name: _Condition() for name in SENTENCES}
        self._light_stamp = self._person_stamp = -math.inf
        self._before: NDArray[np.float32] | None = None
        self._set = ""

    def update(
        self, image: Image, keypoints: Keypoints | None, stamp: float, up: NDArray[np.float64] | None = None
    ) -> tuple[str, ...]:
        """Take one image (H, W, 3) uint8 RGB and the landmarks of who is assessed (None: not seen).

        stamp: seconds. up: (3,) the upward direction in optical axes where it was measured, else None.
        """
        if not 0.0 <= stamp - self._light_stamp < _LIGHT_EVERY_S:
            self._light_stamp = stamp
            self._look_at_light(image, keypoints, stamp)
        if 0.0 <= stamp - self._person_stamp < _PERSON_EVERY_S:
            return self.sentences
        self._person_stamp = stamp
        if keypoints is not None:
            self._look_at_person(keypoints, image.shape[1], image.shape[0], stamp)
        else:
            for name in ("feet", "head", "hands", "side", "near", "far", "feet_unseen"):
                self._note(name, False, True, stamp)
        if up is not None:
            tilt, roll = math.asin(min(max(-float(up[2]), -1.0), 1.0)), math.atan2(float(up[0]), -float(up[1]))
            self._above("tilt", abs(math.degrees(tilt)), MOST_TILT_DEG, stamp)
            self._above("roll", abs(math.degrees(roll)), MOST_ROLL_DEG, stamp)
        return self.sentences

    @property
    def sentences(self) -> tuple[str, ...]:
        """What holds now, the most urgent first."""
        return tuple(SENTENCES[name] for name, condition in self._conditions.items() if condition.said)

    # ---- light and camera ----

    def _look_at_light(self, image: Image, keypoints: Keypoints | None, stamp: float) -> None:
        step = max(max(image.shape[:2]) // _SAMPLES, 1)
        sample = image[::step, ::step].astype(np.float32)
        grey = sample.mean(axis=2)
        white = float((sample.min(axis=2) >= 250.0).mean())
        contrast = float(grey.std())
        brightness = float(grey.mean())
        self._below("dark", brightness, DARKEST, stamp)
        self._above("bright", white, BRIGHTEST_SHARE, stamp)
        if brightness > DARKEST and white < BRIGHTEST_SHARE:  # else that is why
            self._below("flat", contrast, LEAST_CONTRAST, stamp)
        moved = self._moved(grey, keypoints, step)
        self._above("moving", moved, MOVED_SHARE, stamp)
        self._before = grey

    def _moved(self, grey: NDArray[np.float32], keypoints: Keypoints | None, step: int) -> float:
        """The share of the background's edges that are not where they were a moment ago."""
        before = self._before
        if before is None or before.shape != grey.shape:
            return 0.0
        down, across = np.diff(before, axis=0, prepend=before[:1]), np.diff(before, axis=1, prepend=before[:, :1])
        edges = np.asarray(np.maximum(np.abs(down), np.abs(across)), dtype=np.float32)
        looked: NDArray[np.bool_] = np.asarray(edges > _LEAST_EDGE)
        box = None if keypoints is None else seen_box(keypoints)
        if box is not None:
            left, top, right, bottom = (box / step).astype(int) + (-2, -2, 3, 3)
            looked[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)] = False
        if looked.sum() < 20:
            return 0.0
        change = grey - before
        change -= np.median(change)  # the light may have changed
        return float((np.abs(change[looked]) > MOVED_BY * edges[looked]).mean())

    # ---- the person ----

    def _look_at_person(self, keypoints: Keypoints, width: int, height: int, stamp: float) -> None:
        if self._set != keypoints.joint_set:
            self._set = keypoints.joint_set
            names = joint_set(self._set).joints
            self._indices = {
                part: [n for n, name in enumerate(names) if any(name.endswith(word) for word in words)]
                for part, words in _PARTS.items()
            }
            self._shoulders, self._ankles, self._hips = (
                [names.index(f"{side}_{name}") for side in ("left", "right")] for name in ("shoulder", "ankle", "hip")
            )
        pixels, confidence = keypoints.pixels, keypoints.confidence
        known = np.asarray(np.isfinite(pixels).all(-1))
        margin = np.array([_EDGE * width, _EDGE * height])
        below = np.asarray(pixels[:, 1] > height - margin[1])
        above = np.asarray(pixels[:, 1] < margin[1])
        beside = np.asarray((pixels[:, 0] < margin[0]) | (pixels[:, 0] > width - margin[0]))
        # networks go on beyond the edge, less and less sure: a part is cut off when most of it is out there
        for part, out in (("feet", below), ("head", above), ("hands", above | beside)):
            rows = self._indices[part]
            cut = float((out[rows] & known[rows]).mean()) if rows else 0.0
            self._note(part, cut >= 0.5, cut == 0.0, stamp)
        core = self._shoulders + self._hips
        self._note("side", bool(beside[core].any()), not beside[core].any(), stamp)
        feet = self._indices["feet"]
        inside = known[feet] & ~below[feet]
        unseen = bool(inside.all()) and float(confidence[feet].max(initial=0.0)) < LEAST_CONFIDENCE
        self._note("feet_unseen", unseen, not unseen, stamp)
        self._look_at_size(keypoints, height, stamp)

    def _look_at_size(self, keypoints: Keypoints, height: int, stamp: float) -> None:
        """Too far and too near, of a person who stands: one who squats or lies is lower than they are tall."""
        rows = self._shoulders + self._ankles
        if keypoints.confidence[rows].min() < LEAST_CONFIDENCE or not np.isfinite(keypoints.pixels[rows]).all():
            return
        shoulders, ankles = keypoints.pixels[self._shoulders].mean(0), keypoints.pixels[self._ankles].mean(0)
        hips = keypoints.pixels[self._hips].mean(0)
        trunk, legs = shoulders - hips, hips - ankles
        straight = float(np.linalg.norm(shoulders - ankles))
        # standing: the legs about as long as they are to the trunk, and in line with it
        if np.linalg.norm(legs) < 1.2 * np.linalg.norm(trunk) or straight < 0.95 * (
            np.linalg.norm(legs) + np.linalg.norm(trunk)
        ):
            return
        tall = straight / _SHOULDERS_TO_ANKLES
        self._below("far", tall, LEAST_HEIGHT_PX, stamp)
        self._above("near", tall / height, MOST_HEIGHT, stamp)

    # ---- thresholds ----

    def _above(self, name: str, value: float, most: float, stamp: float) -> None:
        self._note(name, value > most, value < most * (1.0 - HYSTERESIS), stamp)

    def _below(self, name: str, value: float, least: float, stamp: float) -> None:
        self._note(name, value < least, value > least * (1.0 + HYSTERESIS), stamp)

    def _note(self, name: str, wrong: bool, well: bool, stamp: float) -> None:
        self._conditions[name].update(wrong, well, stamp)
