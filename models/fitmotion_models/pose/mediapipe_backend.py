"""MediaPipe's BlazePose (Bazarevsky et al. 2020): 33 landmarks in the image and in metres about the hips."""

import os
import warnings

os.environ.setdefault("GLOG_minloglevel", "3")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from collections.abc import Iterator
from contextlib import contextmanager

import mediapipe
import numpy as np
from numpy.typing import NDArray

from fitmotion_models.pose.keypoints import Keypoints

# protobuf's notice about a call inside MediaPipe; nothing a user could do about it.
warnings.filterwarnings("ignore", message=r"SymbolDatabase\.GetPrototype\(\) is deprecated")

# The one landmark model inside the wheel ("full"); "lite" and "heavy" would have to be downloaded.
SHIPPED_COMPLEXITY = 1
# Below this side length the detector's 224-pixel input is mostly interpolation and it finds shapes that are not there.
MINIMUM_IMAGE_SIDE = 32


@contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Silence MediaPipe's C++ start-up lines, which ignore every log setting, on file descriptor 2."""
    saved = os.dup(2)
    silent = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(silent, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(silent)


class MediapipeBackend:
    """BlazePose "full" on the CPU through MediaPipe 0.10.14, whose wheel holds the model: nothing is downloaded.

    detection_confidence, tracking_confidence: MediaPipe's own thresholds in [0, 1]; below the second the person is
    searched for again. Its landmark filter is off: poses are filtered once, in `BodyEstimator`.
    """

    joint_set = "blazepose33"

    def __init__(self, detection_confidence: float = 0.5, tracking_confidence: float = 0.5) -> None:
        self.name = f"MediaPipe {mediapipe.__version__} BlazePose full, CPU"
        with _quiet_stderr():
            self._pose = mediapipe.solutions.pose.Pose(
                model_complexity=SHIPPED_COMPLEXITY,
                smooth_landmarks=False,
                min_detection_confidence=detection_confidence,
                min_tracking_confidence=tracking_confidence,
            )
            # The first call loads the networks (130 ms) and prints; it must not cost the first real frame.
            self._pose.process(np.zeros((64, 64, 3), np.uint8))

    def __call__(self, image: NDArray[np.uint8], stamp: float) -> Keypoints | None:
        """Landmarks of the most prominent person in an RGB image, or None. Raises ValueError for another shape."""
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
            raise ValueError(f"an image must be (height, width, 3) uint8 RGB; got {image.shape} {image.dtype}")
        height, width = image.shape[:2]
        if min(height, width) < MINIMUM_IMAGE_SIDE:
            return None
        result = self._pose.process(image)
        if result.pose_landmarks is None or result.pose_world_landmarks is None:
            return None
        flat = np.array([(point.x, point.y, point.visibility) for point in result.pose_landmarks.landmark], np.float32)
        world = np.array([(point.x, point.y, point.z) for point in result.pose_world_landmarks.landmark], np.float32)
        return Keypoints(self.joint_set, flat[:, :2] * (width, height), flat[:, 2], world)

    def close(self) -> None:
        """Free MediaPipe's graph; a second call does nothing."""
        if self._pose is not None:
            self._pose.close()
            self._pose = None
