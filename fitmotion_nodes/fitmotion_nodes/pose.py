"""The pose node: images in, the landmarks and the bodies of the people in them out."""

import math
import sys
import time
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from sensor_msgs.msg import CameraInfo
from sensor_msgs.msg import Image as RosImage
from std_msgs.msg import Header

from fitmotion_models.pose.backends import DEFAULT_BACKEND, PeopleBackend, PoseBackend, find_everybody, make_backend
from fitmotion_models.pose.camera_model import CameraModel
from fitmotion_models.pose.people_estimator import Observed, PeopleEstimator
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
    """Finds people in every image: one with MediaPipe, several with the other backends.

    Subscribes image_raw, camera_info; publishes body_pose for everybody who has a body, then skeleton_2d for everybody
    who is seen, the first person's last, whether seen or not: one message with following = 0 ends every image.
    /diagnostics says under "guidance" what is wrong with the camera's view.
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
        self._backend = make_backend(given.backend, **backend_options(given))
        self._people: PeopleEstimator | None = None  # made with the first image, whose size it has to know
        self._announced: CameraModel | None = None
        self._answers: OrderedDict[tuple[int, int], list[Skeleton2D]] = OrderedDict()
        self._last_stamp = -math.inf
        self._gaps = SequenceGaps()
        qos = frame_qos(given)
        self._skeleton_publisher = self.create_lifecycle_publisher(Skeleton2D, "skeleton_2d", qos)
        self._body_publisher = self.create_lifecycle_publisher(RosBodyPose, "body_pose", qos)
        self._diagnostics.engine = self._backend.name
        self._diagnostics.extra["guidance"] = ""
        self.get_logger().info(f"engine: {self._backend.name}")
        for reason in getattr(self._backend, "passed_over", ()):
            self.get_logger().info(f"engine not taken: {reason}")

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
            self._publish_skeletons(self._answers[key])
            return
        try:
            people = self._find(msg)
        except (ValueError, RuntimeError) as error:
            self._diagnostics.bad_message(error)
            if self._settings.lossless:  # whoever sent it waits for an answer; live, nobody was looked for
                self._answer(key, [], msg)
                self._diagnostics.sent(msg.header.stamp)
            return
        for one in people:
            if one.estimate.pose is not None:
                frame = self._settings.world_frame
                self._body_publisher.publish(body_pose_to_msg(one.estimate.pose, frame, msg.header.stamp))
        self._answer(key, people, msg)
        self._diagnostics.sent(msg.header.stamp)
        self._tell(people)

    def _find(self, msg: RosImage) -> list[Observed]:
        """Image to landmarks to bodies. Raises ValueError or RuntimeError for an image that cannot be used."""
        assert self._backend is not None
        image = image_from_msg(msg)
        self._diagnostics.check_time(msg.header.stamp)
        stamp = stamp_from_msg(msg.header.stamp)
        self._check_time(stamp)
        people = self._people_of(msg.width, msg.height)
        start = time.perf_counter()
        found = find_everybody(self._backend, image, stamp)
        self._diagnostics.took("pose_call", time.perf_counter() - start)
        return people.update(found, stamp, image)

    def _check_time(self, stamp: float) -> None:
        """Start anew when a recording does; raises ValueError for an image that is older than the last one."""
        behind = self._last_stamp - stamp
        if 0 <= behind <= TIME_JUMP_S:
            raise ValueError(
                f"image at {stamp:.3f} s came after the one at {self._last_stamp:.3f} s; is there a second camera on "
                "this topic?"
            )
        if behind > TIME_JUMP_S:
            self.get_logger().info("time went back: people and the floor are forgotten")
            self._people = None
        self._last_stamp = stamp

    def _people_of(self, width: int, height: int) -> PeopleEstimator:
        """The estimator of everybody, with the camera's intrinsics for images of this size."""
        camera = self._calibration or self._announced or CameraModel.guess(width, height)
        if (camera.width, camera.height) != (width, height):
            camera = camera.scaled_to(width, height)
        given = self._settings
        if self._people is None:
            self._people = PeopleEstimator(
                camera,
                subject=given.subject,
                tilt=None if math.isnan(given.tilt) else given.tilt,
                several=isinstance(self._backend, PeopleBackend),
                bodies=not given.landmarks_only,
            )
        self._people.camera = camera
        return self._people

    def _answer(self, key: tuple[int, int], people: Sequence[Observed], msg: RosImage) -> None:
        """Publish the skeletons of an image, the first person's last; one that could not be used has nobody's."""
        assert self._backend is not None
        header = Header(stamp=msg.header.stamp, frame_id=msg.header.frame_id)
        others = [one for one in people[1:] if one.keypoints is not None]
        seen = [*others, people[0] if people else None]
        skeletons = [
            keypoints_to_msg(
                None if one is None else one.keypoints,
                header,
                width=msg.width,
                height=msg.height,
                joint_set=self._backend.joint_set,
                subject=self._settings.subject if one is None else one.name,
                following=len(seen) - 1 - number,
            )
            for number, one in enumerate(seen)
        ]
        self._answers[key] = skeletons
        if len(self._answers) > REMEMBERED:
            self._answers.popitem(last=False)
        self._publish_skeletons(skeletons)

    def _publish_skeletons(self, skeletons: Sequence[Skeleton2D]) -> None:
        for skeleton in skeletons:
            self._skeleton_publisher.publish(skeleton)

    def _tell(self, people: Sequence[Observed]) -> None:
        assert self._people is not None
        guidance = self._people.guidance
        self._diagnostics.status = "; ".join([people[0].estimate.status, *guidance[:1]])
        self._diagnostics.extra["guidance"] = "; ".join(guidance)
        self._diagnostics.extra["swapped_frames"] = str(self._people.swapped_frames)
        self._diagnostics.extra["people"] = str(sum(one.keypoints is not None for one in people))
        for one in people:
            if one.estimate.event:
                name = "" if one is people[0] else f" ({one.name})"
                self.get_logger().info(one.estimate.event.replace("_", " ") + name)


def backend_options(given: PoseParameters) -> dict[str, Any]:
    """What the parameters say of the backend's networks; the backend that brings its own takes none."""
    options: dict[str, Any] = {"pose_model": given.pose_model, "detector": given.detector}
    if given.backend == DEFAULT_BACKEND:
        return options
    if given.backend != "mmpose":
        options |= {"threads": given.threads, "detect_every": given.detect_every}
    return options | {"engine": given.engine}


def main(args: Sequence[str] | None = None) -> int:
    """Run the node until it is stopped."""
    return run_node(PoseNode, args)


if __name__ == "__main__":
    sys.exit(main())
