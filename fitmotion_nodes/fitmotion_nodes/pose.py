"""The pose node: images in, the landmarks and the body of one person out."""

import math
import sys
import time
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from sensor_msgs.msg import CameraInfo
from sensor_msgs.msg import Image as RosImage
from std_msgs.msg import Header

from fitmotion_models.pose.backends import PoseBackend, make_backend
from fitmotion_models.pose.body_estimator import BodyEstimator, Estimate
from fitmotion_models.pose.camera_model import CameraModel
from fitmotion_models.pose.keypoints import Keypoints
from fitmotion_msgs.msg import BodyPose as RosBodyPose
from fitmotion_msgs.msg import Skeleton2D
from fitmotion_nodes.conversions import body_pose_to_msg, keypoints_to_msg, stamp_from_msg
from fitmotion_nodes.diagnostics import NodeDiagnostics, SequenceGaps
from fitmotion_nodes.image_conversions import camera_info_from_msg, image_from_msg
from fitmotion_nodes.lifecycle import SelfStartingNode
from fitmotion_nodes.parameters import PoseParameters, declare, frame_qos, image_qos
from fitmotion_nodes.spin import run_node

TIME_JUMP_S = 1.0  # images this much older than the last one mean that a recording was started again
REMEMBERED = 4  # skeletons of the last images: an image that comes twice is answered again, not worked on again


class PoseNode(SelfStartingNode):
    """Finds one person in every image.

    Subscribes image_raw, camera_info; publishes skeleton_2d for every image, body_pose where there is one.
    Live, the image queue holds one: while the model works the newest image waits; older ones are counted as dropped.
    """

    def __init__(self) -> None:
        super().__init__("pose")
        self._settings = declare(self, PoseParameters)
        self._diagnostics = NodeDiagnostics(self, live=not self._settings.lossless)
        self._backend: PoseBackend | None = None
        self._subscriptions_made: list[Any] = []
        self.start(autostart=self._settings.autostart)

    # ---- lifecycle ----

    def open(self) -> None:
        """Load the pose model and make the publishers."""
        given = self._settings
        self._calibration = CameraModel.from_file(given.calibration_file) if given.calibration_file else None
        self._backend = make_backend(given.backend)
        self._estimator: BodyEstimator | None = None  # made with the first image, whose size it has to know
        self._announced: CameraModel | None = None
        self._answers: OrderedDict[tuple[int, int], Skeleton2D] = OrderedDict()
        self._last_stamp = -math.inf
        self._gaps = SequenceGaps()
        qos = frame_qos(given)
        self._skeleton_publisher = self.create_lifecycle_publisher(Skeleton2D, "skeleton_2d", qos)
        self._body_publisher = self.create_lifecycle_publisher(RosBodyPose, "body_pose", qos)
        self._diagnostics.engine = self._backend.name
        self.get_logger().info(f"engine: {self._backend.name}")

    def begin(self) -> None:
        """Start to take images. camera_info comes first, so that it is known when the first image is."""
        images = image_qos(self._settings, newest=True)
        self._subscriptions_made = [
            self.create_subscription(CameraInfo, "camera_info", self._on_camera_info, frame_qos(self._settings)),
            self.create_subscription(RosImage, "image_raw", self._on_image, images),
        ]

    def halt(self) -> None:
        """Stop to take images."""
        for subscription in self._subscriptions_made:
            self.destroy_subscription(subscription)
        self._subscriptions_made = []

    def close(self) -> None:
        """Free the pose model."""
        if self._backend is not None:
            self._backend.close()
            self._backend = None
            self.destroy_lifecycle_publisher(self._skeleton_publisher)
            self.destroy_lifecycle_publisher(self._body_publisher)

    # ---- messages ----

    def _on_camera_info(self, msg: CameraInfo) -> None:
        try:
            self._announced = camera_info_from_msg(msg)
        except ValueError as error:
            self._diagnostics.bad_message(error)

    def _on_image(self, msg: RosImage, info: dict[str, Any]) -> None:
        self._diagnostics.frames_in += 1
        self._diagnostics.dropped += self._gaps.missed(info["publication_sequence_number"])
        key = (msg.header.stamp.sec, msg.header.stamp.nanosec)
        if key in self._answers:
            self._skeleton_publisher.publish(self._answers[key])
            return
        try:
            keypoints, estimate = self._find(msg)
        except (ValueError, RuntimeError) as error:
            self._diagnostics.bad_message(error)
            if self._settings.lossless:  # whoever sent it waits for an answer; live, nobody was looked for
                self._answer(key, None, msg)
                self._diagnostics.sent(msg.header.stamp)
            return
        if estimate.pose is not None:
            frame = self._settings.world_frame
            self._body_publisher.publish(body_pose_to_msg(estimate.pose, frame, msg.header.stamp))
        self._answer(key, keypoints, msg)
        self._diagnostics.sent(msg.header.stamp)
        self._tell(estimate)

    def _find(self, msg: RosImage) -> tuple[Keypoints | None, Estimate]:
        """Image to landmarks to body. Raises ValueError or RuntimeError for an image that cannot be used."""
        assert self._backend is not None
        image = image_from_msg(msg)
        self._diagnostics.check_time(msg.header.stamp)
        stamp = stamp_from_msg(msg.header.stamp)
        self._check_time(stamp)
        estimator = self._estimator_for(msg.width, msg.height)
        start = time.perf_counter()
        keypoints = self._backend(image, stamp)
        self._diagnostics.took("pose_call", time.perf_counter() - start)
        return keypoints, estimator.update(keypoints, stamp)

    def _check_time(self, stamp: float) -> None:
        """Start anew when a recording does; raises ValueError for an image that is older than the last one."""
        behind = self._last_stamp - stamp
        if 0 <= behind <= TIME_JUMP_S:
            raise ValueError(
                f"image at {stamp:.3f} s came after the one at {self._last_stamp:.3f} s; is there a second camera on "
                "this topic?"
            )
        if behind > TIME_JUMP_S:
            self.get_logger().info("time went back: the person and the floor are forgotten")
            self._estimator = None
        self._last_stamp = stamp

    def _estimator_for(self, width: int, height: int) -> BodyEstimator:
        """The estimator, with the camera's intrinsics for images of this size."""
        camera = self._calibration or self._announced or CameraModel.guess(width, height)
        if (camera.width, camera.height) != (width, height):
            camera = camera.scaled_to(width, height)
        if self._estimator is None:
            tilt = None if math.isnan(self._settings.tilt) else self._settings.tilt
            self._estimator = BodyEstimator(camera, tilt=tilt, subject=self._settings.subject)
        self._estimator.camera = camera
        return self._estimator

    def _answer(self, key: tuple[int, int], keypoints: Keypoints | None, msg: RosImage) -> None:
        """Publish the skeleton of an image; an image that could not be used gets the one that says nobody was found."""
        assert self._backend is not None
        skeleton = keypoints_to_msg(
            keypoints,
            Header(stamp=msg.header.stamp, frame_id=msg.header.frame_id),
            width=msg.width,
            height=msg.height,
            joint_set=self._backend.joint_set,
            subject=self._settings.subject,
        )
        self._answers[key] = skeleton
        if len(self._answers) > REMEMBERED:
            self._answers.popitem(last=False)
        self._skeleton_publisher.publish(skeleton)

    def _tell(self, estimate: Estimate) -> None:
        self._diagnostics.status = estimate.status
        if self._estimator is not None:
            self._diagnostics.extra["swapped_frames"] = str(self._estimator.swapped_frames)
        if estimate.event:
            self.get_logger().info(estimate.event.replace("_", " "))


def main(args: Sequence[str] | None = None) -> int:
    """Run the node until it is stopped."""
    return run_node(PoseNode, args)


if __name__ == "__main__":
    sys.exit(main())
