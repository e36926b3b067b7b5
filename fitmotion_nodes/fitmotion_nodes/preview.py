"""A small picture now and then, for whoever wants to remember what was seen without hearing every image."""

from collections.abc import Callable

import cv2
import numpy as np
from rclpy.publisher import Publisher
from std_msgs.msg import Header

from fitmotion_nodes.conversions import stamp_from_msg
from fitmotion_nodes.image_conversions import Uint8, compressed_image_to_msg

PREVIEW = "preview/compressed"
LONGEST_SIDE = 640  # pixels: what a report shows


class Previews:
    """Publishes some of a camera's images, small and as JPEG, while somebody listens.

    publisher: of CompressedImage. rate_hz: how often, by the images' stamps; infinite: every image. quality: percent.
    """

    def __init__(self, publisher: Publisher, rate_hz: float, quality: Callable[[], int]) -> None:
        self._publisher, self._quality = publisher, quality
        # a tenth of leeway, so that a camera's uneven frames do not halve the rate
        self._pause = 0.9 / rate_hz
        self._last = float("-inf")

    def offer(self, image_bgr: Uint8, header: Header) -> None:
        """Take the next image (H, W, 3) uint8 BGR; publish it when it is time, with its own stamp."""
        stamp = stamp_from_msg(header.stamp)
        if 0.0 <= stamp - self._last < self._pause or not self._publisher.get_subscription_count():
            return
        self._last = stamp
        self._publisher.publish(compressed_image_to_msg(_small(image_bgr), header, self._quality()))


def _small(image: Uint8) -> Uint8:
    height, width = image.shape[:2]
    scale = LONGEST_SIDE / max(height, width)
    if scale >= 1.0:
        return image
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
