"""The overlay's way from a camera image and its skeleton to a JPEG message. Loaded when somebody first looks at it."""

import time
from collections.abc import Mapping

import cv2
import numpy as np
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import Image as RosImage

from fitmotion_models.viewer.live_test import LiveTest
from fitmotion_models.viewer.overlay import draw_overlay, fitted
from fitmotion_msgs.msg import Skeleton2D
from fitmotion_nodes.conversions import NANOSECONDS, keypoints_from_msg
from fitmotion_nodes.image_conversions import Uint8, compressed_image_to_msg, image_from_msg
from fitmotion_nodes.unspun import Mailbox
from fitmotion_nodes.visualizer_parameters import VisualizerParameters

SKELETONS_KEPT = 10
NO_SKELETON_S = 1.0  # after this long without one, pictures are shown as they are


class OverlayPainter:
    """Brings images and skeletons of the same instant together and draws them.

    Only images that will be drawn are taken out of the mailbox, which keeps the newest: it waits for its skeleton until
    the next picture is due.
    tests: what is known of every subject, by name, the one heard of last at the end.
    """

    def __init__(self, tests: Mapping[str, LiveTest], parameters: VisualizerParameters) -> None:
        self.parameters = parameters
        self._tests = tests
        self._image: RosImage | None = None  # waits for its skeleton
        self._skeletons: dict[int, Skeleton2D] = {}
        self._skeleton_came = self._image_came = time.monotonic()

    def paint(self, images: Mailbox, skeletons: Mailbox) -> CompressedImage | None:
        """The picture of the image that waits, once its skeleton has come; call it as often as pictures are wanted.

        Raises ValueError when one of the messages cannot be used.
        """
        for skeleton, _ in skeletons:
            self._skeletons[_nanoseconds(skeleton)] = skeleton
            self._skeleton_came = time.monotonic()
        while len(self._skeletons) > SKELETONS_KEPT:
            del self._skeletons[next(iter(self._skeletons))]
        alone = time.monotonic() - self._skeleton_came > NO_SKELETON_S
        image = self._image or self._next(images)
        if image is not None and not alone and self._is_passed(image):
            image = self._next(images)
        if image is None or not (alone or _nanoseconds(image) in self._skeletons):
            self._image = image
            return None
        self._image = None if alone else self._next(images)
        return self._picture(image, self._skeletons.get(_nanoseconds(image)))

    def _next(self, images: Mailbox) -> RosImage | None:
        taken, self._image_came = images.take(), time.monotonic()
        return None if taken is None else taken[0]

    def _is_passed(self, image: RosImage) -> bool:
        """Whether its skeleton will not come, as later ones have; the image of a recording that starts over is not.

        Nor will that of an image that the pose node cannot use.
        """
        stamp, newest = _nanoseconds(image), max(self._skeletons, default=0)
        has_waited = time.monotonic() - self._image_came > NO_SKELETON_S
        return stamp not in self._skeletons and (has_waited or 0 < newest - stamp < NO_SKELETON_S * NANOSECONDS)

    def _picture(self, image: RosImage, skeleton: Skeleton2D | None) -> CompressedImage:
        picture = self._draw(image, skeleton)
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


def _nanoseconds(msg: RosImage | Skeleton2D) -> int:
    return int(msg.header.stamp.sec) * NANOSECONDS + int(msg.header.stamp.nanosec)
