"""The camera node: a video file, a folder of images, a webcam or a network camera as ROS images."""

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from threading import Event

import cv2
import numpy as np
from builtin_interfaces.msg import Time
from rclpy.duration import Duration
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, CompressedImage
from sensor_msgs.msg import Image as RosImage
from std_msgs.msg import Header

from fitmotion_models.pose.camera_model import CameraModel
from fitmotion_models.pose.image_source import Frame, ImageSource, SourceError, open_source
from fitmotion_msgs.msg import Skeleton2D
from fitmotion_nodes.conversions import NANOSECONDS, stamp_to_msg
from fitmotion_nodes.diagnostics import NodeDiagnostics
from fitmotion_nodes.flow import Window, Worker
from fitmotion_nodes.image_conversions import Uint8, camera_info_to_msg, compressed_image_to_msg, image_to_msg
from fitmotion_nodes.lifecycle import SelfStartingNode
from fitmotion_nodes.listeners import wait_for_listeners
from fitmotion_nodes.parameters import CameraParameters, declare, frame_qos, image_qos
from fitmotion_nodes.players import LivePlayer, RealTimePlayer
from fitmotion_nodes.preview import PREVIEW, Previews
from fitmotion_nodes.rig_start import begin_together
from fitmotion_nodes.spin import CannotRunError, run_node

LINGER_S = 0.3  # after the last frame, so that it leaves the process before the process ends


@dataclass(frozen=True, eq=False)
class Picture:
    """A frame that is ready to go: only the stamp is missing in its message."""

    stamp: float
    image_bgr: Uint8
    message: RosImage


class CameraNode(SelfStartingNode):
    """Publishes image_raw, image_raw/compressed, preview/compressed, camera_info, /diagnostics; lossless: /clock.

    Subscribes, in lossless mode, skeleton_2d: the acknowledgement of every image. The process ends with status 0 after
    the last frame of a file that is not looped, and with 2 and one line when the source cannot be used.
    """

    def __init__(self) -> None:
        super().__init__("camera")
        self._settings = declare(self, CameraParameters, self._on_parameters)
        self._diagnostics = NodeDiagnostics(self, live=not self._settings.lossless)
        self._source: ImageSource | None = None
        self._worker: Worker | None = None
        self._live: LivePlayer | None = None
        self._ended: Exception | None = None
        # ends are handled in the executor's thread: a worker cannot end a process from its own
        self._end = self.create_guard_condition(self._on_end)
        self.start(autostart=self._settings.autostart)

    # ---- lifecycle ----

    def open(self) -> None:
        """Open the source and make the publishers."""
        self._source = self._open()
        self._create_publishers()

    def begin(self) -> None:
        """Start to send images."""
        self._worker = Worker(self._play, self._when_ended)

    def halt(self) -> None:
        """Stop to send images; the source stays open."""
        if self._worker is not None:
            self._worker.stop()
            self._worker = None

    def close(self) -> None:
        """Let go of the camera."""
        if self._source is not None:
            if self._live is None or not self._live.stuck:
                self._source.close()
            self._source = None
            for publisher in self._lifecycle_publishers:
                self.destroy_lifecycle_publisher(publisher)
            if self._acknowledgements is not None:
                self.destroy_subscription(self._acknowledgements)

    # ---- source ----

    def _open(self) -> ImageSource:
        given = self._settings
        source = open_source(
            given.source,
            fps=given.fps or None,
            width=given.width or None,
            height=given.height or None,
            clock=lambda: self.get_clock().now().nanoseconds / NANOSECONDS,
        )
        self._size = _fitting_size(source, given.width, given.height)
        if given.calibration_file:
            camera = CameraModel.from_file(given.calibration_file).scaled_to(*self._size)
            lens = f"calibration {given.calibration_file}"
        else:
            camera = CameraModel.guess(*self._size)
            lens = "a pinhole guess, not a calibration (parameter calibration_file)"
        self._camera_info = camera_info_to_msg(camera, Header(frame_id=given.frame_id))
        self._diagnostics.engine = f"{source.spec} {self._size[0]}x{self._size[1]} {source.fps:.4g} Hz"
        self._diagnostics.extra["intrinsics"] = lens
        self.get_logger().info(f"{self._diagnostics.engine}; intrinsics: {lens}")
        return source

    def _create_publishers(self) -> None:
        images, small = image_qos(self._settings), frame_qos(self._settings)
        self._image_publisher = self.create_lifecycle_publisher(RosImage, "image_raw", images)
        self._jpeg_publisher = self.create_lifecycle_publisher(CompressedImage, "image_raw/compressed", images)
        self._info_publisher = self.create_lifecycle_publisher(CameraInfo, "camera_info", small)
        preview_publisher = self.create_lifecycle_publisher(CompressedImage, PREVIEW, images)
        rate_hz = math.inf if self._settings.lossless else self._settings.preview_hz
        self._previews = Previews(preview_publisher, rate_hz, lambda: self._settings.jpeg_quality)
        self._lifecycle_publishers = [
            self._image_publisher,
            self._jpeg_publisher,
            self._info_publisher,
            preview_publisher,
        ]
        self._window, self._acknowledgements = Window(), None
        if self._gives_time:
            self._clock_publisher = self.create_lifecycle_publisher(Clock, "/clock", 10)
            self._lifecycle_publishers.append(self._clock_publisher)
        if self._settings.lossless:
            self._acknowledgements = self.create_subscription(
                Skeleton2D, "skeleton_2d", self._on_acknowledgement, small
            )

    @property
    def _gives_time(self) -> bool:
        """Whether media time is this camera's: of a rig it is the first one's."""
        return self._settings.lossless and self._settings.rig_role != "other"

    def _on_parameters(self, parameters: CameraParameters) -> None:
        self._settings = parameters

    # ---- frames; in the worker's thread ----

    def _play(self, stop: Event) -> None:
        assert self._source is not None
        if self._source.live:
            self._live = LivePlayer(
                self._source, self._emit_live, self._on_camera_event, lambda: self._settings.reconnect_s
            )
            self._live.run(stop)
            return
        images = [self._image_publisher, self._jpeg_publisher]
        if not wait_for_listeners(self, images, self._settings.wait_for, stop):
            return
        role, others = self._settings.rig_role, self._settings.rig_cameras - 1
        if role and not begin_together(self, others, leads=role == "first", stop=stop):
            return
        if self._settings.lossless:
            self._play_lossless(self._source, stop)
        else:
            self._player = RealTimePlayer(self._source, self._prepare, self._emit_now, loop=self._settings.loop)
            self._player.run(stop)
        self._image_publisher.wait_for_all_acked(Duration(seconds=1))
        if self._gives_time and not stop.is_set():
            # media time has ended: who waits for later frames hears of it while this process still lingers
            self.destroy_lifecycle_publisher(self._clock_publisher)
        stop.wait(LINGER_S)

    def _play_lossless(self, source: ImageSource, stop: Event) -> None:
        while (frame := source.read()) is not None:
            picture = self._prepare(frame)
            stamp = stamp_to_msg(picture.stamp)
            if not self._window.send((stamp.sec, stamp.nanosec), partial(self._emit, picture, stamp), stop):
                return
        self._window.drain(stop)

    def _on_acknowledgement(self, msg: Skeleton2D) -> None:
        if msg.following:  # of several people: the last message says that the image is done
            return
        self._window.acknowledge((msg.header.stamp.sec, msg.header.stamp.nanosec))

    def _prepare(self, frame: Frame) -> Picture:
        image: Uint8 = frame.image_bgr
        if (image.shape[1], image.shape[0]) != self._size:
            image = cv2.resize(image, self._size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
        # RGB, so that the pose node, which has the least time, does not have to convert
        rgb: Uint8 = cv2.cvtColor(image, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)
        message = image_to_msg(rgb, Header())
        return Picture(frame.stamp, image, message)

    def _emit_live(self, frame: Frame) -> None:
        assert self._live is not None
        self._diagnostics.dropped = self._live.dropped
        self._diagnostics.extra["reconnects"] = str(self._live.reconnects)
        self._emit(self._prepare(frame), stamp_to_msg(frame.stamp))

    def _emit_now(self, picture: Picture) -> None:
        self._diagnostics.dropped = self._player.skipped
        self._diagnostics.warning = "decoding is slower than the video" if self._player.slow else ""
        self._emit(picture, self.get_clock().now().to_msg())

    def _emit(self, picture: Picture, stamp: Time) -> None:
        header = Header(stamp=stamp, frame_id=self._settings.frame_id)
        if self._gives_time:
            self._clock_publisher.publish(Clock(clock=stamp))
        if self._settings.lossless:
            # before the image, so that it is known when the first image is worked on
            self._publish_info(header)
        picture.message.header = header
        self._image_publisher.publish(picture.message)
        if not self._settings.lossless:
            self._publish_info(header)  # after it: nothing goes before a live image
        self._diagnostics.frames_in += 1
        self._diagnostics.sent(stamp)
        if self._settings.compressed and self._jpeg_publisher.get_subscription_count():
            quality = self._settings.jpeg_quality
            self._jpeg_publisher.publish(compressed_image_to_msg(picture.image_bgr, header, quality))
        self._previews.offer(picture.image_bgr, header)

    def _publish_info(self, header: Header) -> None:
        self._camera_info.header = header
        self._info_publisher.publish(self._camera_info)

    def _on_camera_event(self, sentence: str, connected: bool) -> None:
        self._diagnostics.warning = "" if connected else sentence
        if connected:
            self.get_logger().info(sentence)
        else:
            self.get_logger().warning(sentence)

    # ---- the end ----

    def _when_ended(self, error: Exception | None) -> None:
        if self.context.ok():  # after Ctrl-C a failure to publish is no failure
            self._ended = error
            self._end.trigger()

    def _on_end(self) -> None:
        if isinstance(self._ended, SourceError):
            raise CannotRunError(f"camera: {self._ended}")
        if self._ended is not None:
            raise self._ended
        self.get_logger().info(f"end of {self._settings.source}: {self._diagnostics.frames_out} frames sent")
        raise SystemExit(0)


def _fitting_size(source: ImageSource, width: int, height: int) -> tuple[int, int]:
    """The source's size scaled down to fit into width x height pixels (0: as it is), its shape kept."""
    scale = min(width / source.width, height / source.height, 1.0) if width and height else 1.0
    return max(round(source.width * scale), 1), max(round(source.height * scale), 1)


def main(args: Sequence[str] | None = None) -> int:
    """Run the node until it is stopped or its source has ended."""
    return run_node(CameraNode, args)


if __name__ == "__main__":
    sys.exit(main())
