"""The fms node: bodies in; live state, scores and the screen out."""

import sys
from collections.abc import Callable, Sequence
from typing import Any

from builtin_interfaces.msg import Time
from rclpy.node import Node
from std_msgs.msg import Header

from fitmotion_models.fms.screen import ClearingTest
from fitmotion_models.fms.session import Session
from fitmotion_models.fms.trial import chosen_trial
from fitmotion_models.fms.values import Assessment, Movement, Side, Variation
from fitmotion_msgs.msg import Assessment as RosAssessment
from fitmotion_msgs.msg import AssessmentState as RosAssessmentState
from fitmotion_msgs.msg import BodyPose as RosBodyPose
from fitmotion_msgs.msg import Screen as RosScreen
from fitmotion_msgs.srv import ReportPain, ResetScreen, SetScore, StartTest
from fitmotion_nodes.conversions import (
    assessment_to_msg,
    body_pose_from_msg,
    enum_from_msg,
    screen_to_msg,
    state_to_msg,
)
from fitmotion_nodes.diagnostics import NodeDiagnostics, SequenceGaps
from fitmotion_nodes.parameters import FmsParameters, declare, frame_qos, result_qos
from fitmotion_nodes.spin import CannotRunError, run_node

SCREENS_KEPT = 20  # subjects whose screens a late listener gets


class FmsNode(Node):
    """Scores the bodies that it hears of.

    Subscribes body_pose; publishes fms/state for each, fms/assessment, fms/screen (kept for late listeners).
    Services: fms/start_test, fms/report_pain, fms/set_score, fms/reset_screen.
    """

    def __init__(self) -> None:
        super().__init__("fms")
        self._settings = declare(self, FmsParameters, self._on_parameters)
        self._session = self._make_session()
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
        self.create_subscription(RosBodyPose, "body_pose", self._on_pose, qos)
        self.create_service(StartTest, "fms/start_test", self._answering(self._start_test))
        self.create_service(ReportPain, "fms/report_pain", self._answering(self._report_pain))
        self.create_service(SetScore, "fms/set_score", self._answering(self._set_score))
        self.create_service(ResetScreen, "fms/reset_screen", self._answering(self._reset_screen))

    def _make_session(self) -> Session:
        given = self._settings
        movement, side = Movement[given.movement.upper()], Side[given.side.upper()]
        variation = Variation[given.variation.upper()]
        try:
            return Session(chosen_trial(movement, variation, side, given.trial), timeout=given.subject_timeout_s)
        except ValueError as error:
            raise CannotRunError(f"fms: {error}") from error

    def _on_parameters(self, parameters: FmsParameters) -> None:
        self._session.timeout = parameters.subject_timeout_s

    # ---- poses ----

    def _on_pose(self, msg: RosBodyPose, info: dict[str, Any]) -> None:
        self._diagnostics.frames_in += 1
        self._diagnostics.dropped += self._gaps.missed(info["publication_sequence_number"])
        try:
            self._diagnostics.check_time(msg.header.stamp)
            update = self._session.update(body_pose_from_msg(msg, self._settings.world_frame))
        except ValueError as error:
            self._diagnostics.bad_message(error)
            return
        self._state_publisher.publish(state_to_msg(update.state, msg.header))
        self._diagnostics.sent(msg.header.stamp)
        self._diagnostics.status = f"{msg.subject}: {update.state.phase.name.lower()}"
        if update.assessment is not None:
            self._tell(update.assessment, msg.header.stamp)

    def _tell(self, assessment: Assessment, stamp: Time) -> None:
        """Publish a result and the screen that it changes."""
        frame = self._settings.world_frame
        self._assessment_publisher.publish(assessment_to_msg(assessment, frame, stamp))
        self._publish_screen(assessment.subject, stamp)
        self.get_logger().info(
            f"{assessment.subject}: repetition {assessment.repetition} of trial {assessment.trial}, "
            f"score {assessment.score} ({assessment.confidence:.0%} sure). {assessment.reason}"
        )

    def _publish_screen(self, subject: str, stamp: Time) -> None:
        header = Header(stamp=stamp, frame_id=self._settings.world_frame)
        self._screen_publisher.publish(screen_to_msg(self._session.screen(subject), header))

    # ---- services ----

    def _answering(self, act: Callable[[Any, Any], str]) -> Callable[[Any, Any], Any]:
        """A service callback: what cannot be done is answered with the reason, and what was done changes the screen."""

        def answer(request: Any, response: Any) -> Any:
            try:
                subject = self._session.resolve(request.subject)
                response.message = act(request, response)
                response.success = True
            except ValueError as error:
                response.success, response.message = False, str(error)
                return response
            self.get_logger().info(f"{subject}: {response.message}")
            self._publish_screen(subject, self.get_clock().now().to_msg())
            return response

        return answer

    def _start_test(self, request: StartTest.Request, response: StartTest.Response) -> str:
        started = self._session.start_test(
            request.subject,
            enum_from_msg(Movement, request.movement, "movement"),
            enum_from_msg(Variation, request.variation, "variation"),
            enum_from_msg(Side, request.side, "side"),
            request.trial,
        )
        response.trial = started.number
        return f"trial {started.number} of {started.variation.name.lower()} started"

    def _report_pain(self, request: ReportPain.Request, response: ReportPain.Response) -> str:
        movement = enum_from_msg(Movement, request.movement, "movement")
        side = enum_from_msg(Side, request.side, "side")
        clearing = None
        if request.clearing != ReportPain.Request.CLEARING_NONE:
            # the message counts from 1, as 0 means the movement itself
            clearing = enum_from_msg(ClearingTest, request.clearing - 1, "clearing test (less 1)")
        latest = self._session.report_pain(request.subject, movement, side, clearing, pain=request.pain)
        if latest is not None:
            self._tell_again(latest)
        return f"{'pain' if request.pain else 'no pain'} noted{': ' if request.note else ''}{request.note}"

    def _set_score(self, request: SetScore.Request, response: SetScore.Response) -> str:
        movement = enum_from_msg(Movement, request.movement, "movement")
        side = enum_from_msg(Side, request.side, "side")
        latest, response.automatic_score = self._session.set_score(
            request.subject, movement, side, request.score, request.reason
        )
        if latest is not None:
            self._tell_again(latest)
        if request.score == SetScore.Request.WITHDRAW:
            return "the operator's grade is withdrawn"
        return f"the operator's grade {request.score} counts ({request.reason})"

    def _reset_screen(self, request: ResetScreen.Request, response: ResetScreen.Response) -> str:
        self._session.reset_screen(request.subject)
        return "a new screen is begun"

    def _tell_again(self, assessment: Assessment) -> None:
        """Publish a result once more, corrected: the same subject, trial and repetition, with its own stamp."""
        self._assessment_publisher.publish(assessment_to_msg(assessment, self._settings.world_frame))


def main(args: Sequence[str] | None = None) -> int:
    """Run the node until it is stopped."""
    return run_node(FmsNode, args)


if __name__ == "__main__":
    sys.exit(main())
