"""The visualizer node: bodies, their scores and the camera's picture for people's eyes."""

import sys
import time
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.event_handler import PublisherEventCallbacks
from rclpy.node import Node
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CompressedImage, JointState
from sensor_msgs.msg import Image as RosImage
from std_msgs.msg import Header, String
from tf2_msgs.msg import TFMessage
from visualization_msgs.msg import MarkerArray

from fitmotion_models.skeleton.body_pose import BodyPose, Source
from fitmotion_models.viewer.human_urdf import human_urdf
from fitmotion_models.viewer.live_test import LiveTest
from fitmotion_models.viewer.markers import (
    Key,
    Mark,
    MarkBoard,
    ScoreBoard,
    angle_marks,
    body_marks,
    fault_marks,
)
from fitmotion_msgs.msg import Assessment as RosAssessment
from fitmotion_msgs.msg import AssessmentState as RosAssessmentState
from fitmotion_msgs.msg import BodyPose as RosBodyPose
from fitmotion_msgs.msg import Skeleton2D
from fitmotion_nodes.conversions import (
    NANOSECONDS,
    assessment_from_msg,
    body_pose_from_msg,
    state_from_msg,
)
from fitmotion_nodes.diagnostics import NodeDiagnostics, SequenceGaps
from fitmotion_nodes.parameters import declare, frame_qos, result_qos
from fitmotion_nodes.spin import FOR_EYES, run_node
from fitmotion_nodes.unspun import Mailbox
from fitmotion_nodes.visualizer_messages import ALL_MARKS, BodyFrames, deletion_to_msg, joint_state_to_msg, mark_to_msg
from fitmotion_nodes.visualizer_parameters import VisualizerParameters

if TYPE_CHECKING:
    from fitmotion_nodes.visualizer_overlay import OverlayPainter

LOOK_FOR_LOST_S = 0.2
# All markers are sent again after this long, also those that have not changed: a viewer that had a namespace switched
# off, or lost a message, is right again.
REFRESH_S = 2.0
# While a person's bones are still being measured they change with every pose; a new description is worth loading this
# often.
DESCRIBE_EVERY_S = 1.0
MOST_PEOPLE = 20  # in view at once
TESTS_KEPT = 20  # subjects whose score and repetitions are remembered while they are out of view
RECENT = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=10, reliability=ReliabilityPolicy.BEST_EFFORT)
NEWEST = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)


class Person:
    """What is shown of one subject in view."""

    def __init__(self, frame_prefix: str) -> None:
        self.frame_prefix = frame_prefix
        self.frames = BodyFrames(frame_prefix)
        self.board, self.scores = MarkBoard(), ScoreBoard()
        self.generated = False
        self.seen_at = 0  # node clock, nanoseconds
        self.shown_at = self.refreshed_at = float("-inf")  # stamps of poses


class VisualizerNode(Node):
    """Shows every body that it hears of.

    Subscribes body_pose, generated/body_pose, fms/state, fms/assessment; while somebody listens to the overlay also
    image_raw (the newest), skeleton_2d and /diagnostics (what is wrong with the camera's view). Publishes markers, /tf
    (all frames of a body in one message), joint_states and robot_description (kept for late listeners) of one of the
    subjects, overlay/compressed (JPEG), /diagnostics. Who is in view and not assessed is grey.
    """

    def __init__(self) -> None:
        super().__init__("visualizer")
        self._given = declare(self, VisualizerParameters, self._on_parameters)
        qos = frame_qos(self._given)
        self._diagnostics = NodeDiagnostics(self, live=not self._given.lossless, engine="markers, TF, URDF, OpenCV")
        self._gaps, self._generated_gaps = SequenceGaps(), SequenceGaps()
        self._people: dict[str, Person] = {}
        self._tests: OrderedDict[str, LiveTest] = OrderedDict()
        self._viewers = 0
        self._model: tuple[str, BodyPose] | None = None  # frame prefix and pose that the description was made of
        self._marker_publisher = self.create_publisher(MarkerArray, "markers", result_qos(depth=10))
        self._tf_publisher = self.create_publisher(TFMessage, "/tf", result_qos(depth=100))
        self._joint_publisher = self.create_publisher(JointState, "joint_states", result_qos(depth=10))
        self._description_publisher = self.create_publisher(String, "robot_description", result_qos(latched=True))
        self._overlay_publisher = self.create_publisher(
            CompressedImage,
            "overlay/compressed",
            result_qos(depth=1),
            event_callbacks=PublisherEventCallbacks(matched=self._on_overlay_listeners),
        )
        # there while somebody looks at the overlay
        self._images: Mailbox | None = None
        self._skeletons: Mailbox | None = None
        self._reports: Mailbox | None = None
        self._paint_timer: Any = None
        self._painter: OverlayPainter | None = None
        self._states = Mailbox(self, RosAssessmentState, "fms/state", qos)
        self.create_subscription(
            RosAssessment,
            "fms/assessment",
            self._on_assessment,
            result_qos(latched=self._given.lossless, depth=100),
        )
        self.create_subscription(RosBodyPose, "body_pose", self._on_watched, qos)
        self.create_subscription(RosBodyPose, "generated/body_pose", self._on_generated, qos)
        # on the node's clock: in media time nobody is lost while the source waits
        self.create_timer(LOOK_FOR_LOST_S, self._forget_lost)

    def _on_parameters(self, given: VisualizerParameters) -> None:
        self._given = given
        if self._painter is not None:
            self._painter.parameters = given
            self._paint_timer.timer_period_ns = int(NANOSECONDS / given.overlay_fps)

    # ---- bodies ----

    def _on_watched(self, msg: RosBodyPose, info: dict[str, Any]) -> None:
        self._diagnostics.dropped += self._gaps.missed(info["publication_sequence_number"])
        self._on_pose(msg)

    def _on_generated(self, msg: RosBodyPose, info: dict[str, Any]) -> None:
        self._diagnostics.dropped += self._generated_gaps.missed(info["publication_sequence_number"])
        self._on_pose(msg)

    def _on_pose(self, msg: RosBodyPose) -> None:
        self._diagnostics.frames_in += 1
        try:
            self._diagnostics.check_time(msg.header.stamp)
            pose = body_pose_from_msg(msg, self._given.world_frame)
            person = self._person(pose.subject)
        except ValueError as error:
            self._diagnostics.bad_message(error)
            return
        person.seen_at = self.get_clock().now().nanoseconds
        person.generated = pose.source is Source.GENERATED
        header = Header(stamp=msg.header.stamp, frame_id=self._given.world_frame)
        self._publish_frames(person, pose, header)
        if self._is_due(person, pose):
            self._read_states()
            if self._is_model(pose.subject):
                self._publish_model(person, pose, header)
            self._publish_markers(person, pose, header)
        self._diagnostics.sent(msg.header.stamp)
        self._diagnostics.status = f"showing {', '.join(sorted(self._people))}"

    def _is_due(self, person: Person, pose: BodyPose) -> bool:
        # a tenth of leeway, so that a camera's uneven frames do not halve the rate
        if not self._given.lossless and 0.0 <= pose.stamp - person.shown_at < 0.9 / self._given.marker_fps:
            return False
        person.shown_at = pose.stamp
        return True

    def _person(self, subject: str) -> Person:
        """Who is shown under this name. Raises ValueError for one more than `MOST_PEOPLE`."""
        if subject not in self._people:
            if len(self._people) >= MOST_PEOPLE:
                raise ValueError(f"{subject!r} is not shown: {MOST_PEOPLE} people are in view, the most there can be")
            self._people[subject] = Person(f"{self._given.subject_prefix}{subject}/")
        return self._people[subject]

    def _publish_frames(self, person: Person, pose: BodyPose, header: Header) -> None:
        # the frames inside of joints are for those who show the robot model; nobody else has to look at them
        between = self._is_model(pose.subject) and self._description_publisher.get_subscription_count() > 0
        message = person.frames.message(pose, header, between=between)
        if message:
            self._tf_publisher.publish(message)

    def _is_model(self, subject: str) -> bool:
        """Whether the description is of this person: the one that is named, or who has been in view the longest.

        Of somebody generated only while nobody is watched.
        """
        watched = (name for name, person in self._people.items() if not person.generated)
        return subject == (self._given.model_subject or next(watched, next(iter(self._people))))

    def _publish_model(self, person: Person, pose: BodyPose, header: Header) -> None:
        if self._is_new_model(person, pose):
            self._model = person.frame_prefix, pose
            urdf = human_urdf(pose.bone_offsets, name=pose.subject, link_prefix=person.frame_prefix)
            self._description_publisher.publish(String(data=urdf))
        self._joint_publisher.publish(joint_state_to_msg(pose, header))

    def _is_new_model(self, person: Person, pose: BodyPose) -> bool:
        if self._model is None or self._model[0] != person.frame_prefix:
            return True
        described = self._model[1]
        changed = not np.array_equal(pose.bone_offsets, described.bone_offsets)
        return changed and not 0.0 <= pose.stamp - described.stamp < DESCRIBE_EVERY_S

    # ---- scores ----

    def _test(self, subject: str) -> LiveTest:
        test = self._tests.setdefault(subject, LiveTest())
        self._tests.move_to_end(subject)
        if len(self._tests) > TESTS_KEPT:  # those without a score first, of them whom we heard of longest ago
            del self._tests[min(self._tests, key=lambda name: self._tests[name].assessment is not None)]
        return test

    def _read_states(self) -> None:
        for msg, _ in self._states:
            try:
                self._test(msg.subject).update(state_from_msg(msg))
            except ValueError as error:
                self._diagnostics.bad_message(error)

    def _on_assessment(self, msg: RosAssessment) -> None:
        try:
            self._test(msg.subject).assessed(assessment_from_msg(msg))
        except ValueError as error:
            self._diagnostics.bad_message(error)

    # ---- markers ----

    def _publish_markers(self, person: Person, pose: BodyPose, header: Header) -> None:
        viewers, before = self._marker_publisher.get_subscription_count(), self._viewers
        self._viewers = viewers
        if not viewers:
            if before:
                for other in self._people.values():
                    other.board = MarkBoard()
            return
        changed, gone = person.board.update(self._marks(person, pose))
        if viewers > before:  # somebody new: may have marks of an earlier run, and has none of ours
            changed = [mark for one in self._people.values() for mark in one.board.everything()]
            gone, person.refreshed_at = [ALL_MARKS], pose.stamp
        elif not 0.0 <= pose.stamp - person.refreshed_at < REFRESH_S:
            changed, person.refreshed_at = person.board.everything(), pose.stamp
        self._send_markers(changed, gone, header)

    def _marks(self, person: Person, pose: BodyPose) -> list[Mark]:
        if person.generated:  # nobody scores it
            return body_marks(pose) + person.scores.words(pose, pose.subject)
        test = self._test(pose.subject)
        if not test.is_assessed:  # somebody else in view: there, and no more
            return body_marks(pose, grey=True)
        marks = body_marks(pose) + fault_marks(pose, test) + person.scores.marks(pose, test)
        return marks + angle_marks(pose) if self._given.angles else marks

    def _send_markers(self, changed: list[Mark], gone: Iterable[Key], header: Header) -> None:
        markers = [deletion_to_msg(key, header) for key in gone] + [mark_to_msg(mark, header) for mark in changed]
        if markers:
            self._marker_publisher.publish(MarkerArray(markers=markers))

    def _forget_lost(self) -> None:
        now = self.get_clock().now().nanoseconds
        for subject, person in list(self._people.items()):
            if now < person.seen_at:  # the clock was set back: a recording started over
                person.seen_at = now
            if now - person.seen_at <= self._given.subject_timeout_s * NANOSECONDS:
                continue
            del self._people[subject]
            header = Header(stamp=self.get_clock().now().to_msg(), frame_id=self._given.world_frame)
            self._send_markers([], person.board.update([])[1], header)
            self.get_logger().info(f"{subject} is out of view")
            self._diagnostics.status = f"showing {', '.join(sorted(self._people)) or 'nobody'}"

    # ---- overlay ----

    def _on_overlay_listeners(self, info: Any) -> None:
        """Take images only while somebody looks: a camera's images cost more than everything else here."""
        if info.current_count and self._images is None:
            self._painter = self._painter or self._make_painter()
            self._images = Mailbox(self, RosImage, "image_raw", NEWEST)
            self._skeletons = Mailbox(self, Skeleton2D, "skeleton_2d", RECENT)
            self._reports = Mailbox(self, DiagnosticArray, "/diagnostics", RECENT)
            steady = Clock(clock_type=ClockType.STEADY_TIME)  # a camera alone has no media time
            self._paint_timer = self.create_timer(1.0 / self._given.overlay_fps, self._paint, clock=steady)
        elif not info.current_count and self._images is not None and self._skeletons is not None:
            self.destroy_timer(self._paint_timer)
            for mailbox in (self._skeletons, self._images, self._reports):
                if mailbox is not None:
                    mailbox.close()
            self._images = self._skeletons = self._reports = None

    def _make_painter(self) -> "OverlayPainter":
        from fitmotion_nodes.visualizer_overlay import OverlayPainter  # loads OpenCV

        return OverlayPainter(self._tests, self._given)

    def _paint(self) -> None:
        """Publish the newest picture of which the skeleton is known, or where no skeletons come the camera's own."""
        if self._painter is None or self._images is None or self._skeletons is None or self._reports is None:
            return
        start = time.perf_counter()
        self._read_states()
        for report, _ in self._reports:
            self._painter.hear_report(report, self.get_namespace())
        try:
            picture = self._painter.paint(self._images, self._skeletons)
        except ValueError as error:
            self._diagnostics.bad_message(error)
            return
        if picture is not None:
            self._overlay_publisher.publish(picture)
            self._diagnostics.took("overlay", time.perf_counter() - start)


def main(args: Sequence[str] | None = None) -> int:
    """Run the node until it is stopped."""
    return run_node(VisualizerNode, args, niceness=FOR_EYES)


if __name__ == "__main__":
    sys.exit(main())
