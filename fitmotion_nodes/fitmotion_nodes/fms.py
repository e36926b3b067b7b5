"""The fms node: bodies in; live state, scores and the screen out."""

import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from builtin_interfaces.msg import Time
from rclpy.event_handler import QoSSubscriptionMatchedInfo, SubscriptionEventCallbacks
from rclpy.exceptions import InvalidHandle
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from rosgraph_msgs.msg import Clock
from std_msgs.msg import Header

from fitmotion_models.fms.values import Assessment
from fitmotion_msgs.msg import Assessment as RosAssessment
from fitmotion_msgs.msg import AssessmentState as RosAssessmentState
from fitmotion_msgs.msg import BodyPose as RosBodyPose
from fitmotion_msgs.msg import Screen as RosScreen
from fitmotion_nodes.conversions import assessment_to_msg, body_pose_from_msg, screen_to_msg, stamp_to_msg, state_to_msg
from fitmotion_nodes.diagnostics import NodeDiagnostics, SequenceGaps
from fitmotion_nodes.fms_screens import ScreenServices, go_on, make_keeper
from fitmotion_nodes.parameters import FmsParameters, declare, frame_qos, result_qos
from fitmotion_nodes.spin import run_node

SCREENS_KEPT = 20  # subjects whose screens a late listener gets


class FmsNode(Node):
    """Scores the bodies that it hears of. Lossless, the end of /clock is the end of the recording, as in a file.

    Subscribes body_pose; publishes fms/state for each, fms/assessment, fms/screen (kept for late listeners).
    Services: fms/start_screen, fms/finish_screen, fms/start_test, fms/report_pain, fms/set_score, fms/reset_screen.
    """

    def __init__(self) -> None:
        super().__init__("fms")
        self._settings = declare(self, FmsParameters, self._on_parameters)
        self._keeper = make_keeper(self._settings, self.get_fully_qualified_name())
        lossless, qos = self._settings.lossless, frame_qos(self._settings)
        self._diagnostics = NodeDiagnostics(self, live=not lossless, engine=f"rules: {self._settings.movement}")
        self._gaps = SequenceGaps()
        self._state_publisher = self.create_publisher(RosAssessmentState, "fms/state", qos)
        self._assessment_publisher = self.create_publisher(
            RosAssessment, "fms/assessment", result_qos(latched=lossless, depth=1000)
        )
        self._screen_publisher = self.create_publisher(
            RosScreen, "fms/screen", result_qos(latched=True, depth=SCREENS_KEPT)
        )
        self._screens = ScreenServices(
            self, self._keeper, self._tell_again, self._publish_screen_now, learned=self._settings.learned
        )
        for subject in go_on(self, self._keeper, self._settings):
            self._publish_screen_now(subject)
        self._bodies = self.create_subscription(RosBodyPose, "body_pose", self._on_pose, qos)
        if lossless:
            at_the_end = SubscriptionEventCallbacks(matched=self._on_clocks)
            self.create_subscription(
                Clock, "/clock", lambda msg: None, qos_profile_sensor_data, event_callbacks=at_the_end, raw=True
            )

    def _on_parameters(self, parameters: FmsParameters) -> None:
        self._keeper.session.timeout = parameters.subject_timeout_s
        self._keeper.session.assess = parameters.assess

    # ---- poses ----

    def _on_pose(self, msg: RosBodyPose, info: dict[str, Any]) -> None:
        self._diagnostics.frames_in += 1
        self._diagnostics.dropped += self._gaps.missed(info["publication_sequence_number"])
        try:
            self._diagnostics.check_time(msg.header.stamp)
            update = self._keeper.update(body_pose_from_msg(msg, self._settings.world_frame))
        except ValueError as error:
            self._diagnostics.bad_message(error)
            return
        self._state_publisher.publish(state_to_msg(update.state, msg.header))
        self._diagnostics.sent(msg.header.stamp)
        if update.assessment is not None:
            self._tell(update.assessment, msg.header.stamp)
        for subject in self._keeper.take_found():
            self._publish_screen(subject, msg.header.stamp)
        self._report(msg.subject, update.state.phase.name.lower())

    def _on_clocks(self, info: QoSSubscriptionMatchedInfo) -> None:
        """Who drives the time of a lossless run came or went; without them no more poses come."""
        if info.current_count:
            return
        # what was sent before the end is still to come
        handle = self._bodies.handle
        with suppress(InvalidHandle), handle:
            while (taken := handle.take_message(RosBodyPose, False)) is not None:
                self._on_pose(*taken)
        for assessment in self._keeper.end_stream():
            self._tell(assessment, stamp_to_msg(assessment.stamp))

    def _report(self, subject: str, phase: str) -> None:
        session = self._keeper.session
        guidance = session.guidance()
        several = len(guidance) > 1
        said = (f"{name}: {sentence}" if several else sentence for name, sentence in guidance.items())
        self._diagnostics.extra["guidance"] = "; ".join(said)
        self._diagnostics.warning = self._keeper.problem
        if session.is_assessed(subject):
            self._diagnostics.status = f"{subject}: {phase}"

    def _tell(self, assessment: Assessment, stamp: Time) -> None:
        """Publish a result and the screen that it changes."""
        frame = self._settings.world_frame
        self._assessment_publisher.publish(assessment_to_msg(assessment, frame, stamp))
        self._publish_screen(assessment.subject, stamp)
        side = "" if not assessment.side else f" {assessment.side.name.lower()}"
        self.get_logger().info(
            f"{assessment.subject}: {assessment.movement.name.lower()}{side}, repetition {assessment.repetition} of "
            f"trial {assessment.trial}, score {assessment.score} ({assessment.confidence:.0%} sure). "
            f"{assessment.reason}"
        )

    def _tell_again(self, assessment: Assessment) -> None:
        """Publish a result once more, corrected: the same subject, trial and repetition, with its own stamp."""
        self._assessment_publisher.publish(assessment_to_msg(assessment, self._settings.world_frame))

    def _publish_screen(self, subject: str, stamp: Time) -> None:
        header = Header(stamp=stamp, frame_id=self._settings.world_frame)
        self._screen_publisher.publish(screen_to_msg(self._keeper.screen(subject), header))

    def _publish_screen_now(self, subject: str) -> None:
        self._publish_screen(subject, self.get_clock().now().to_msg())


def main(args: Sequence[str] | None = None) -> int:
    """Run the node until it is stopped."""
    return run_node(FmsNode, args)


if __name__ == "__main__":
    sys.exit(main())
