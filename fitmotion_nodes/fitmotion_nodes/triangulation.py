"""The triangulation node: what several calibrated cameras see of one person in, the body out."""

import math
import sys
import time
from collections import OrderedDict
from collections.abc import Sequence
from functools import partial

from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.node import Node

from fitmotion_models.pose.keypoints import Keypoints
from fitmotion_models.pose.rig import Rig
from fitmotion_models.pose.rig_estimator import RigEstimator
from fitmotion_models.pose.rig_files import read_rig
from fitmotion_models.pose.synchronise import Instant, LiveInstants, RecordedInstants, keypoints_between
from fitmotion_msgs.msg import BodyPose as RosBodyPose
from fitmotion_msgs.msg import Skeleton2D
from fitmotion_nodes.conversions import body_pose_to_msg, keypoints_from_msg, stamp_from_msg, stamp_to_msg
from fitmotion_nodes.diagnostics import NodeDiagnostics
from fitmotion_nodes.parameters import declare, frame_qos
from fitmotion_nodes.spin import CannotRunError, run_node
from fitmotion_nodes.triangulation_parameters import LEAST_CAMERAS, TriangulationParameters

TIME_JUMP_S = 1.0  # landmarks this much older than the last ones mean that a recording was started again
SILENT_S = 1.0  # a camera that is not heard of for so long is said to be silent
GONE_S = 0.5  # lossless: a camera whose pose node has said nothing for so long after its camera has ended
REMEMBERED = 8  # answers of the last instants: landmarks that come twice are answered again

# what a camera saw: its landmarks (None: nobody), and the message they came in
View = tuple[Keypoints | None, Skeleton2D]


class TriangulationNode(Node):
    """Puts the landmarks of several cameras together by stamp and publishes the body behind them.

    Subscribes cam1/skeleton_2d, cam2/skeleton_2d, ... (parameter topics); publishes body_pose, and skeleton_2d: the
    first camera's landmarks of every instant that was worked on, which acknowledges its images in a lossless run.
    Live, the newest instant that all have reached counts, and cameras that are late are done without; lossless, every
    image of the first camera is an instant.
    """

    def __init__(self) -> None:
        super().__init__("triangulation")
        self._settings = declare(self, TriangulationParameters)
        given, qos = self._settings, frame_qos(self._settings)
        self._rig = self._read_rig()
        self._diagnostics = NodeDiagnostics(self, live=not given.lossless, engine=f"{len(self._rig)} cameras")
        self._body_publisher = self.create_publisher(RosBodyPose, "body_pose", qos)
        self._skeleton_publisher = self.create_publisher(Skeleton2D, "skeleton_2d", qos)
        self._begin()
        self._topics = (
            given.topics.split(",") if given.topics else [f"cam{n + 1}/skeleton_2d" for n in range(len(self._rig))]
        )
        for camera, topic in enumerate(self._topics):
            self.create_subscription(Skeleton2D, topic, partial(self._on_skeleton, camera), qos)
        # not in the data path: who is silent, and, lossless, who has no more frames
        self.create_timer(GONE_S / 2, self._look_round, clock=Clock(clock_type=ClockType.STEADY_TIME))
        self.get_logger().info(f"cameras {', '.join(self._rig.names)} of {given.calibration_file}")

    def _read_rig(self) -> Rig:
        given = self._settings
        try:
            rig = read_rig(given.calibration_file)
            if given.cameras:
                rig = Rig(tuple(rig.camera(name.strip()) for name in given.cameras.split(",")), rig.source)
            count = len(given.topics.split(",")) if given.topics else len(rig)
            if len(rig) < LEAST_CAMERAS or count != len(rig):
                raise ValueError(
                    f"calibration {rig.source} has {len(rig)} cameras and there are {count} topics; name two or more "
                    "in the parameter cameras, and as many topics"
                )
        except ValueError as error:
            raise CannotRunError(f"triangulation: {error}") from None
        return rig

    def _begin(self) -> None:
        """Forget all that was seen."""
        given, count = self._settings, len(self._rig)
        self._sizes: list[tuple[int, int] | None] = [None] * count
        self._estimator = RigEstimator(self._rig, subject=given.subject)
        self._recorded: RecordedInstants[View] = RecordedInstants(count, given.tolerance_s, given.offset_seconds())
        self._live: LiveInstants[View] = LiveInstants(count, given.tolerance_s, given.patience_s, _between)
        self._last = [-math.inf] * count
        self._heard = [math.inf] * count  # steady clock; infinite: not yet
        self._ended = [False] * count
        self._answers: OrderedDict[tuple[int, int], Skeleton2D] = OrderedDict()

    # ---- messages ----

    def _on_skeleton(self, camera: int, msg: Skeleton2D) -> None:
        self._diagnostics.frames_in += 1
        try:
            self._diagnostics.check_time(msg.header.stamp)
            view = (keypoints_from_msg(msg), msg)
            self._fit(camera, msg.width, msg.height)
        except ValueError as error:
            self._diagnostics.bad_message(error)
            return
        if msg.subject not in ("", self._settings.subject):
            return  # somebody else, whom the pose node follows too
        stamp = stamp_from_msg(msg.header.stamp)
        if self._comes_again(camera, stamp, msg):
            return
        self._heard[camera] = time.monotonic()
        for instant in self._instants(camera, stamp, view):
            self._work_on(instant)

    def _comes_again(self, camera: int, stamp: float, msg: Skeleton2D) -> bool:
        """Whether landmarks were here already; those of the first camera are answered again."""
        behind = self._last[camera] - stamp
        if behind > TIME_JUMP_S:
            self.get_logger().info("time went back: the person is forgotten")
            sizes = self._sizes
            self._begin()
            self._sizes = sizes
        elif behind >= 0.0:
            key = (msg.header.stamp.sec, msg.header.stamp.nanosec)
            if camera == 0 and key in self._answers:
                self._skeleton_publisher.publish(self._answers[key])
            return True
        self._last[camera] = stamp
        return False

    def _instants(self, camera: int, stamp: float, view: View) -> list[Instant[View]]:
        if self._settings.lossless:
            return self._recorded.add(camera, stamp, view)
        instant = self._live.add(camera, stamp, view)
        self._diagnostics.dropped = sum(self._live.dropped)
        return [] if instant is None else [instant]

    def _fit(self, camera: int, width: int, height: int) -> None:
        """Take the intrinsics for images of this size. Raises ValueError for images of another shape."""
        if self._sizes[camera] == (width, height):
            return
        cameras = list(self._estimator.rig.cameras)
        cameras[camera] = self._rig.cameras[camera].fitting(width, height)
        self._sizes[camera] = (width, height)
        self._estimator.rig = Rig(tuple(cameras), self._rig.source)

    def _work_on(self, instant: Instant[View]) -> None:
        messages = [None if view is None else view[1] for view in instant.views]
        shown = next(msg for msg in messages if msg is not None)
        # live, an instant may lie between the first camera's images
        stamp = shown.header.stamp if self._settings.lossless else stamp_to_msg(instant.stamp)
        start = time.perf_counter()
        try:
            keypoints = [None if view is None else view[0] for view in instant.views]
            estimate = self._estimator.update(keypoints, stamp_from_msg(stamp))
        except ValueError as error:
            self._diagnostics.bad_message(error)
        else:
            self._diagnostics.took("triangulation", time.perf_counter() - start)
            if estimate.pose is not None:
                self._body_publisher.publish(body_pose_to_msg(estimate.pose, self._settings.world_frame, stamp))
            self._diagnostics.status = estimate.status
            if estimate.event:
                self.get_logger().info(estimate.event.replace("_", " "))
        self._acknowledge(shown)
        self._diagnostics.sent(stamp)

    def _acknowledge(self, msg: Skeleton2D) -> None:
        self._answers[(msg.header.stamp.sec, msg.header.stamp.nanosec)] = msg
        if len(self._answers) > REMEMBERED:
            self._answers.popitem(last=False)
        self._skeleton_publisher.publish(msg)

    # ---- who is there ----

    def _look_round(self) -> None:
        now = time.monotonic()
        names = self._rig.names
        silent = [name for name, heard in zip(names, self._heard, strict=True) if now - heard > SILENT_S]
        waits = [name for name, heard in zip(names, self._heard, strict=True) if heard == math.inf]
        if self._settings.lossless:
            self._end_those_who_are_gone(now)
        elif len(waits) < len(names):
            quiet = silent + waits
            self._diagnostics.warning = f"nothing comes from {', '.join(quiet)}" if quiet else ""
        self._tell()

    def _end_those_who_are_gone(self, now: float) -> None:
        """A camera whose process has ended, and whose last landmarks came a while ago, has no more frames."""
        for camera in self._recorded.waits_for:
            images = self._topics[camera].rpartition("/")[0] + "/image_raw"
            if self._heard[camera] < now - GONE_S and not self._ended[camera] and not self.count_publishers(images):
                self._ended[camera] = True
                for instant in self._recorded.end(camera):
                    self._work_on(instant)

    def _tell(self) -> None:
        extra = self._diagnostics.extra
        extra["exchanged_views"] = str(self._estimator.exchanged_views)
        for name, dropped in zip(self._rig.names, self._live.dropped, strict=True):
            extra[f"dropped_{name}"] = str(dropped)
        found = self._estimator.triangulated
        if found is not None:
            for name, median in zip(self._rig.names, found.median_errors(), strict=True):
                extra[f"reprojection_px_{name}"] = f"{median:.1f}"


def _between(one: View | None, two: View | None, share: float) -> View | None:
    """Between two of a camera's views; its message is the nearer one's."""
    if one is None or two is None:
        return None
    return keypoints_between(one[0], two[0], share), (one if share < 0.5 else two)[1]


def main(args: Sequence[str] | None = None) -> int:
    """Run the node until it is stopped."""
    return run_node(TriangulationNode, args)


if __name__ == "__main__":
    sys.exit(main())
