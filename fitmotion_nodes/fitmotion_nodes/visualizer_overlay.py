"""The overlay's way from a camera image and its skeleton to a JPEG message. Loaded when somebody first looks at it."""

from collections import OrderedDict
from collections.abc import Mapping

import cv2
import numpy as np
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import Image as RosImage

from fitmotion_models.viewer.live_test import LiveTest
from fitmotion_models.viewer.overlay import draw_overlay, fitted
from fitmotion_msgs.msg import Skeleton2D
from fitmotion_nodes.conversions import keypoints_from_msg, stamp_from_msg
from fitmotion_nodes.image_conversions import Uint8, compressed_image_to_msg, image_from_msg
from fitmotion_nodes.visualizer_parameters import VisualizerParameters

IMAGES_WAITING = 5  # images that wait for their skeleton: a pose model takes one to three frames
NO_SKELETON_S = 1.0  # after this long without one, pictures are shown as they are


class OverlayPainter:
    """Brings images and skeletons of the same instant together and draws them, at most so many a second.

    tests: what is known of every subject, by name, the one heard of last at the end.
    """

    def __init__(self, tests: Mapping[str, LiveTest], parameters: VisualizerParameters) -> None:
        self.parameters = parameters
        self._tests = tests
        self._images: OrderedDict[tuple[int, int], RosImage] = OrderedDict()
        self._drawn_at = self._skeleton_at = float("-inf")

    def clear(self) -> None:
        """Let go of the images that wait."""
        self._images.clear()

    def take_image(self, msg: RosImage) -> CompressedImage | None:
        """Keep an image until its skeleton comes; without a pose node it is a picture as it is."""
        self._images[msg.header.stamp.sec, msg.header.stamp.nanosec] = msg
        if len(self._images) <= IMAGES_WAITING:
            return None
        _, oldest = self._images.popitem(last=False)
        if 0.0 <= stamp_from_msg(oldest.header.stamp) - self._skeleton_at < NO_SKELETON_S:
            return None
        return self._picture(oldest, None)

    def take_skeleton(self, msg: Skeleton2D) -> CompressedImage | None:
        """The picture of a skeleton; None when its image has not come or it is too early for the next picture.

        Raises ValueError when one of the messages cannot be used.
        """
        key = (msg.header.stamp.sec, msg.header.stamp.nanosec)
        self._skeleton_at = stamp_from_msg(msg.header.stamp)
        image = self._images.pop(key, None)
        for older in [other for other in self._images if other < key]:
            del self._images[older]
        return None if image is None else self._picture(image, msg)

    def _picture(self, image: RosImage, skeleton: Skeleton2D | None) -> CompressedImage | None:
        stamp = stamp_from_msg(image.header.stamp)
        # a tenth of leeway, so that a camera's uneven frames do not halve the rate
        if 0.0 <= stamp - self._drawn_at < 0.9 / self.parameters.overlay_fps:
            return None
        picture = self._draw(image, skeleton)
        self._drawn_at = stamp
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
