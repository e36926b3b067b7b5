"""The overlay's way from a camera image and its skeletons to a JPEG message. Loaded when somebody first looks at it."""

import time
from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
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
# Whose reports say under "guidance" what is wrong with the camera's view, the most important first; after this long
# without a report it is no news.
GUIDES, STALE_S = ("pose", "fms"), 3.0


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
        self._skeletons: dict[int, list[Skeleton2D]] = {}  # of images that are done
        self._coming: dict[int, list[Skeleton2D]] = {}  # more of the same image follow
        self._guidance: dict[str, tuple[float, str]] = {}
        self._skeleton_came = self._image_came = time.monotonic()

    def paint(self, images: Mailbox, skeletons: Mailbox) -> CompressedImage | None:
        """The picture of the image that waits, once its skeleton has come; call it as often as pictures are wanted.

        Raises ValueError when one of the messages cannot be used.
        """
        for skeleton, _ in skeletons:
            self._hear_skeleton(skeleton)
        alone = time.monotonic() - self._skeleton_came > NO_SKELETON_S
        image = self._image or self._next(images)
        if image is not None and not alone and self._is_passed(image):
            image = self._next(images)
        if image is None or not (alone or _nanoseconds(image) in self._skeletons):
            self._image = image
            return None
        self._image = None if alone else self._next(images)
        return self._picture(image, self._skeletons.get(_nanoseconds(image)))

    def hear_report(self, report: DiagnosticArray, namespace: str) -> None:
        """Note what the nodes of this namespace say of the camera's view."""
        names = {f"{namespace.strip('/')}/{guide}".strip("/"): guide for guide in GUIDES}
        for status in report.status:
            if status.name in names:
                said = next((item.value for item in status.values if item.key == "guidance"), "")
                self._guidance[names[status.name]] = time.monotonic(), said

    def _hear_skeleton(self, skeleton: Skeleton2D) -> None:
        """Put the skeletons of one image together; the last says that there are no more."""
        stamp = _nanoseconds(skeleton)
        of_image = [*self._coming.pop(stamp, []), skeleton]
        (self._coming if skeleton.following else self._skeletons)[stamp] = of_image
        self._skeleton_came = time.monotonic()
        for kept in (self._skeletons, self._coming):
            while len(kept) > SKELETONS_KEPT:
                del kept[next(iter(kept))]

    def _sentences(self) -> list[str]:
        now = time.monotonic()
        heard = [self._guidance[guide] for guide in GUIDES if guide in self._guidance]
        return [sentence for at, said in heard if now - at < STALE_S for sentence in said.split("; ") if sentence]

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

    def _picture(self, image: RosImage, skeletons: Sequence[Skeleton2D] | None) -> CompressedImage:
        picture = self._draw(image, skeletons)
        return compressed_image_to_msg(picture, image.header, self.parameters.jpeg_quality)

    def _draw(self, image: RosImage, skeletons: Sequence[Skeleton2D] | None) -> Uint8:
        people = [(one.subject, keypoints_from_msg(one)) for one in skeletons or ()]
        small, scale = fitted(image_from_msg(image), self.parameters.overlay_side)
        picture: Uint8 = cv2.cvtColor(small, cv2.COLOR_RGB2BGR).astype(np.uint8, copy=False)
        if skeletons is None:
            return picture
        people.reverse()  # the first person came last
        seen = [(self._test(subject), keypoints) for subject, keypoints in people if keypoints is not None]
        # the words are about who is assessed; with nobody in the picture the last one's score stays to be read
        main = next((number for number, (test, _) in enumerate(seen) if test.is_assessed), 0)
        test, keypoints = seen[main] if seen else (self._test(next(reversed(list(self._tests)), "")), None)
        others = [(other, its) for number, (its, other) in enumerate(seen) if number != main]
        draw_overlay(picture, keypoints, test, scale=scale, others=others, guidance=self._sentences())
        return picture

    def _test(self, subject: str) -> LiveTest:
        return self._tests.get(subject) or LiveTest()


def _nanoseconds(msg: RosImage | Skeleton2D) -> int:
    return int(msg.header.stamp.sec) * NANOSECONDS + int(msg.header.stamp.nanosec)
