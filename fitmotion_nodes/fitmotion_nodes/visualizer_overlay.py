"""The overlay's way from a camera image and its skeleton to a JPEG message. Loaded when somebody first looks at it."""

import time
from collections.abc import Mapping

import cv2
import numpy as np
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import Image as RosImage
from std_msgs.msg import Header

from fitmotion_models.viewer.live_test import LiveTest
from fitmotion_models.viewer.overlay import draw_overlay, fitted
from fitmotion_msgs.msg import Skeleton2D
from fitmotion_nodes.conversions import NANOSECONDS, keypoints_from_msg, stamp_from_msg
from fitmotion_nodes.image_conversions import Uint8, compressed_image_to_msg, image_from_msg
from fitmotion_nodes.unspun import Mailbox
from fitmotion_nodes.visualizer_parameters import VisualizerParameters

NO_SKELETON_S = 1.0  # after this long without one, pictures are shown as they are


class OverlayPainter:
    """Brings images and skeletons of the same instant together and draws them, at most so many a second.

    Only the images that will be drawn are taken out of the mailbox, which keeps the newest: when a skeleton comes that
    is usually its own, or, where the pose model is slow, one whose skeleton is about to come.
    tests: what is known of every subject, by name, the one heard of last at the end.
    """

    def __init__(self, tests: Mapping[str, LiveTest], parameters: VisualizerParameters) -> None:
        self.parameters = parameters
        self._tests = tests
        self._image: RosImage | None = None  # waits for its skeleton
        self._drawn_at = float("-inf")
        self._skeleton_came = time.monotonic()

    def paint(self, skeleton: Skeleton2D, images: Mailbox) -> CompressedImage | None:
        """The picture of a skeleton; None when its image has not come or it is too early for the next picture.

        Raises ValueError when one of the messages cannot be used.
        """
        self._skeleton_came = time.monotonic()
        if not self._is_due(skeleton.header):
            return None
        image = self._image_of(skeleton, images)
        return None if image is None else self._picture(image, skeleton)

    def plain(self, images: Mailbox) -> CompressedImage | None:
        """The camera's newest picture, where no skeletons come; None where they do."""
        if time.monotonic() - self._skeleton_came < NO_SKELETON_S:
            return None
        self._image = None
        taken = images.take()
        return None if taken is None or not self._is_due(taken[0].header) else self._picture(taken[0], None)

    def _image_of(self, skeleton: Skeleton2D, images: Mailbox) -> RosImage | None:
        wanted = _nanoseconds(skeleton.header)
        if self._image is None or _nanoseconds(self._image.header) < wanted:
            taken = images.take()
            self._image = taken[0] if taken is not None else None
        if self._image is None or _nanoseconds(self._image.header) != wanted:
            return None
        image, self._image = self._image, None
        return image

    def _is_due(self, header: Header) -> bool:
        # a tenth of leeway, so that a camera's uneven frames do not halve the rate
        return not 0.0 <= stamp_from_msg(header.stamp) - self._drawn_at < 0.9 / self.parameters.overlay_fps

    def _picture(self, image: RosImage, skeleton: Skeleton2D | None) -> CompressedImage:
        picture = self._draw(image, skeleton)
        self._drawn_at = stamp_from_msg(image.header.stamp)
        return compressed_image_to_msg(picture, image.header, self.parameters.jpeg_quality)

    def _draw(self, image: RosImage, skeleton: Skeleton2D | None) -> Uint8:
        keypoints = None if skeleton is None else keypoints_from_msg(skeleton)
        small, scale = fitted(image_from_msg(image), self.parameters.overlay_side)
        picture: Uint8 = cv2.cvtColor(small, cv2.COLOR_RGB2BGR).astype(np.uint8, copy=False)
        if skeleton is not None:
            # with nobody in the picture the last one's score stays to be read
            subject = skeleton.subject or next(reversed(list(self._tests)), "")
            draw_overlay(picture, keypoints, self._tests.get(subject) or LiveTest(), scale=scale)
        return picture


def _nanoseconds(header: Header) -> int:
    return int(header.stamp.sec) * NANOSECONDS + int(header.stamp.nanosec)
