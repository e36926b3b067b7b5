"""Keeps left left: a detector that swaps the sides of a body from one frame to the next is put right."""

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.pose.keypoints import Keypoints
from fitmotion_models.skeleton.joint_sets import joint_set

# A frame is taken as swapped when the mirrored labels move less than this share of what the given ones move ...
SWAPPED_MOVE_RATIO = 0.5
# ... and the sides stand apart by at least this share of the body's extent in the image (else nothing can be told).
MINIMUM_SEPARATION = 0.05
# Depth of a frame whose sides were swapped is the guess of a body seen from behind: trusted half.
SWAPPED_CONFIDENCE = 0.5


class LeftRightConsistency:
    """Compares every frame with the one before it and exchanges the sides where that moves the body much less."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the person."""
        self.swapped_frames = 0
        self._previous: NDArray[np.float32] | None = None
        self._joint_set = ""

    def __call__(self, keypoints: Keypoints) -> Keypoints:
        """The same landmarks with the sides as in the frame before."""
        if keypoints.joint_set != self._joint_set:
            self._joint_set = keypoints.joint_set
            self._permutation = np.array(joint_set(keypoints.joint_set).mirror)
            self._paired = self._permutation != np.arange(len(self._permutation))
            self._previous = None
        if self._previous is not None and self._is_swapped(keypoints):
            self.swapped_frames += 1
            order = self._permutation
            keypoints = Keypoints(
                keypoints.joint_set,
                keypoints.pixels[order],
                keypoints.confidence[order] * np.float32(SWAPPED_CONFIDENCE),
                None if keypoints.world is None else keypoints.world[order],
            )
        self._previous = keypoints.pixels
        return keypoints

    def _is_swapped(self, keypoints: Keypoints) -> bool:
        assert self._previous is not None
        now, before = keypoints.pixels, self._previous
        paired = self._paired & np.isfinite(now).all(-1) & np.isfinite(before).all(-1)
        paired &= np.isfinite(now[self._permutation]).all(-1)
        if not paired.any():
            return False
        weight = keypoints.confidence[paired]
        kept = float(weight @ np.linalg.norm(now[paired] - before[paired], axis=-1))
        swapped = float(weight @ np.linalg.norm(now[self._permutation][paired] - before[paired], axis=-1))
        apart = float(np.mean(np.linalg.norm((now - now[self._permutation])[paired], axis=-1)))
        extent = float(np.ptp(now[paired], axis=0).max())
        return swapped < SWAPPED_MOVE_RATIO * kept and apart > MINIMUM_SEPARATION * extent
