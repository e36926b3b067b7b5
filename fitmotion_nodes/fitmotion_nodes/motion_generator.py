"""The motion_generator node: words and scores in; a body that moves that way out, live and as clips."""

import sys
from collections.abc import Callable, Sequence
from typing import Any

from builtin_interfaces.msg import Time
from rclpy.serialization import serialize_message
from std_srvs.srv import Trigger

from fitmotion_models.motion.condition import MotionCondition
from fitmotion_models.motion.generate import Generated, Generator
from fitmotion_models.motion.length import load_length_model
from fitmotion_models.motion.rollout import GenerationError
from fitmotion_models.motion.sampler import load_sampler
from fitmotion_models.motion.text import load_text_encoder
from fitmotion_msgs.msg import Assessment as RosAssessment
from fitmotion_msgs.msg import BodyPose as RosBodyPose
from fitmotion_msgs.msg import MotionCommand
from fitmotion_nodes.conversions import NANOSECONDS, assessment_from_msg, body_pose_to_msg
from fitmotion_nodes.diagnostics import NodeDiagnostics
from fitmotion_nodes.frame_clock import FrameClock
from fitmotion_nodes.generation_conversions import motion_command_from_msg, nanoseconds_of
from fitmotion_nodes.generation_status import FOLLOWING, told_of_body
from fitmotion_nodes.lifecycle import SelfStartingNode
from fitmotion_nodes.motion_bodies import MotionBodies, SharedSampler
from fitmotion_nodes.motion_generator_parameters import ANY_SCORE, MotionGeneratorParameters
from fitmotion_nodes.motion_goals import MotionGoals
from fitmotion_nodes.motion_prompts import PAIN, imitations
from fitmotion_nodes.parameters import declare, frame_qos, result_qos
from fitmotion_nodes.spin import run_node

MOST_WAITING = 100  # commands for later
LATEST_S = 600.0  # how far ahead a command may be given
WARM_UP = MotionCondition("a person stands", seconds=1.0, seed=0)
REST_S = 1.0  # that imitations stand before they are repeated


class MotionGeneratorNode(SelfStartingNode):
    """Moves a body as it is told, without an end and without a gap, and generates clips beside it.

    Subscribes motion/command and, with fms_score=from_assessment, fms/assessment: then it does what the watched person
    did, at the score that they got, beside a second body at the best. Publishes generated/body_pose at a steady rate,
    stamped with the time at which a pose is to be shown, and /diagnostics. Service motion/stop; action generate_motion.
    A command takes effect at its stamp, at once if that has passed; sent again unchanged it only says that it stands.
    """

    def __init__(self) -> None:
        super().__init__("motion_generator")
        self._settings = declare(self, MotionGeneratorParameters, self._on_parameters)
        self._diagnostics = NodeDiagnostics(self, live=not self._settings.lossless)
        self._goals: MotionGoals | None = None
        self._bodies: MotionBodies | None = None
        self._stream_timer: Any = None
        self._failure_of_stream: Exception | None = None
        self._failed = self.create_guard_condition(self._on_failure)
        self._forget_commands()
        self.start(autostart=self._settings.autostart)

    def _forget_commands(self) -> None:
        self._waiting: list[tuple[int, MotionCondition]] = []  # when, on the node's clock in nanoseconds, and what
        self._last_command = b""
        self._commanded_at: int | None = None
        self._imitated: tuple[MotionCondition, MotionCondition] | None = None
        self._resting_since: int | None = None

    def _on_parameters(self, parameters: MotionGeneratorParameters) -> None:
        self._settings = parameters

    # ---- lifecycle ----

    def open(self) -> None:
        """Load the network and make everything that others see."""
        given = self._settings
        sampler = SharedSampler(
            load_sampler(given.weights, engine=given.engine, threads=given.threads, guided=given.guided)
        )
        encoder = load_text_encoder(sampler.card.encoder)
        lengths = load_length_model()
        self._generator = Generator(sampler, encoder, lengths, clean_up=given.clean_up)
        # what is loaded when first used is loaded now, and weights that make no motion are found out
        self._generator(WARM_UP)
        self._bodies = MotionBodies(
            sampler, encoder, lengths, given.places(), clean_up=given.clean_up, failed=self._on_bad_chunk
        )
        self._diagnostics.engine = f"{sampler.card.name} on {sampler.engine}"
        self.get_logger().info(self._diagnostics.engine)
        self._publisher = self.create_lifecycle_publisher(RosBodyPose, "generated/body_pose", frame_qos(given))
        self._goals = MotionGoals(self, self._make, self._on_rejected, given.world_frame)
        self._ears = [
            self.create_subscription(MotionCommand, "motion/command", self._on_command, result_qos(depth=MOST_WAITING))
        ]
        if given.follows:
            qos = result_qos(latched=given.lossless, depth=100)
            self._ears.append(self.create_subscription(RosAssessment, "fms/assessment", self._on_assessment, qos))
        self._stop_service = self.create_service(Trigger, "motion/stop", self._on_stop)

    def begin(self) -> None:
        """Start the stream."""
        given = self._settings
        assert self._bodies is not None and self._goals is not None
        self._clock_of_frames = FrameClock(given.rate_hz)
        self._stream_timer = self.create_timer(1.0 / given.rate_hz, self._on_timer)
        self._bodies.start(self._when_stream_ended)
        self._goals.active = True
        if given.prompt:
            self._do(self._bodies.names[0], given.first_condition())

    def halt(self) -> None:
        """Stop the stream and give up what is being made."""
        if self._stream_timer is not None:
            self.destroy_timer(self._stream_timer)
            self._stream_timer = None
        if self._goals is not None:
            self._goals.active = False
            self._goals.stop()
        if self._bodies is not None:
            self._bodies.halt()
        self._forget_commands()

    def close(self) -> None:
        """Let go of the network and of everything that others see."""
        if self._bodies is None:
            return
        self._bodies = None
        if self._goals is not None:
            self._goals.close()
            self._goals = None
        self.destroy_lifecycle_publisher(self._publisher)
        self.destroy_service(self._stop_service)
        for subscription in self._ears:
            self.destroy_subscription(subscription)

    # ---- the stream ----

    def _on_timer(self) -> None:
        """Send the poses that are due, all of them, so that stamps have no gap."""
        now = self._now()
        if now <= 0:  # media time has not begun
            return
        self._obey_commands(now)
        for stamp in self._clock_of_frames.due(now):
            self._publish(stamp)
        self._diagnostics.dropped = self._clock_of_frames.skipped
        self._repeat_imitation(now)
        self._tell()

    def _publish(self, stamp: int) -> None:
        assert self._bodies is not None
        when = Time(sec=stamp // NANOSECONDS, nanosec=stamp % NANOSECONDS)
        for pose in self._bodies.poses_at(stamp / NANOSECONDS):
            self._publisher.publish(body_pose_to_msg(pose, self._settings.world_frame, when))
        self._diagnostics.sent(when)

    def _tell(self) -> None:
        """What the diagnostics say of the bodies."""
        assert self._bodies is not None and self._goals is not None
        extra = self._bodies.report() | {"goals": str(self._goals.depth), "commands_waiting": str(len(self._waiting))}
        doing = []
        for name in self._bodies.names:
            condition = self._bodies.doing(name)
            prompt = condition.prompt if condition else ""
            score = "" if condition is None else score_word(condition)
            extra |= told_of_body(name, prompt, score)
            doing.append(f"{name}: {f'{prompt}, score {score}' if condition else 'stands'}")
        extra[FOLLOWING] = str(self._settings.follows).lower()
        self._diagnostics.extra |= extra
        self._diagnostics.status = "; ".join(doing)

    def _on_bad_chunk(self, error: GenerationError) -> None:
        """In the stream's thread: a piece of motion was none."""
        self._diagnostics.warning = str(error)
        self.get_logger().error(str(error), throttle_duration_sec=5.0)

    def _when_stream_ended(self, error: Exception | None) -> None:
        if error is not None and self.context.ok():
            self._failure_of_stream = error
            self._failed.trigger()

    def _on_failure(self) -> None:
        if self._failure_of_stream is not None:
            raise self._failure_of_stream

    def _now(self) -> int:
        return int(self.get_clock().now().nanoseconds)

    # ---- commands ----

    def _on_command(self, msg: MotionCommand) -> None:
        self._diagnostics.frames_in += 1
        if self._stream_timer is None:
            self._diagnostics.bad_message(ValueError("a motion command came while the node is not active"))
            return
        now = self._now()
        said = bytes(serialize_message(msg))
        self._commanded_at = now
        if said == self._last_command:  # `ros2 topic pub` says it every second
            return
        try:
            at = self._effect(msg, now)
            condition = motion_command_from_msg(msg, at / NANOSECONDS, self._settings.world_frame)
        except ValueError as error:
            self._diagnostics.bad_message(error)
            return
        self._last_command = said
        self._waiting = sorted([*self._waiting, (at, condition)], key=lambda one: one[0])
        self._obey_commands(now)

    def _effect(self, msg: MotionCommand, now: int) -> int:
        """When a command takes effect, nanoseconds. Raises ValueError for what is too far ahead, or one too many."""
        at = max(nanoseconds_of(msg.header.stamp), now)
        if at - now > LATEST_S * NANOSECONDS:
            raise ValueError(
                f"motion command is for {(at - now) / NANOSECONDS:.0f} s from now; at most {LATEST_S:g} s ahead can be "
                "waited for: synchronise the clocks, or send it later"
            )
        if len(self._waiting) >= MOST_WAITING:
            raise ValueError(f"{MOST_WAITING} motion commands wait for their time already; send it later")
        return at

    def _obey_commands(self, now: int) -> None:
        """Begin with what is due by the time that its first frame is shown; hold when nobody commands any more."""
        assert self._bodies is not None
        first = self._bodies.names[0]
        while self._waiting and self._waiting[0][0] <= now + int(self._bodies.lead_s * NANOSECONDS):
            self._imitated = None
            self._do(first, self._waiting.pop(0)[1])
        patience = self._settings.command_timeout_s
        silent = self._commanded_at is not None and now - self._commanded_at > patience * NANOSECONDS
        if patience and silent and not self._waiting:
            self._commanded_at, self._last_command = None, b""
            self._stand()

    def _do(self, name: str, condition: MotionCondition) -> None:
        assert self._bodies is not None
        self._bodies.command(name, condition)
        self._diagnostics.warning = ""
        self.get_logger().info(f"{name}: {condition.prompt!r}, score {score_word(condition)}")

    def _stand(self) -> None:
        assert self._bodies is not None
        self._imitated = None
        for name in self._bodies.names:
            self._bodies.stop(name)

    def _on_stop(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        response.success = self._stream_timer is not None
        response.message = "it holds and comes to a stand" if response.success else "the node is not active"
        if response.success:
            self._waiting, self._last_command = [], b""
            self._stand()
        return response

    # ---- imitation of the watched person ----

    def _on_assessment(self, msg: RosAssessment) -> None:
        if self._stream_timer is None:
            return
        try:
            assessment = assessment_from_msg(msg)
        except ValueError as error:
            self._diagnostics.bad_message(error)
            return
        if self._settings.follow not in ("", assessment.subject):
            return
        try:
            imitated = imitations(assessment, self._settings.seed)
        except ValueError as error:
            self.get_logger().info(str(error))
            if assessment.score == PAIN:
                self._stand()
            return
        before, self._imitated = self._imitated, imitated
        # the same once more is not begun anew in the middle
        if before is None or (before[0].prompt, before[0].score) != (imitated[0].prompt, imitated[0].score):
            self._imitate()

    def _imitate(self) -> None:
        """Let both bodies begin at once."""
        assert self._bodies is not None and self._imitated is not None
        self._resting_since = None
        for name, condition in zip(self._bodies.names, self._imitated, strict=True):
            self._do(name, condition)

    def _repeat_imitation(self, now: int) -> None:
        """Do it again once both have stood for a moment, until another result comes."""
        assert self._bodies is not None
        if self._imitated is None or any(self._bodies.doing(name) is not None for name in self._bodies.names):
            self._resting_since = None
            return
        if self._resting_since is None:
            self._resting_since = now
        elif now - self._resting_since > REST_S * NANOSECONDS:
            self._imitate()

    # ---- goals ----

    def _make(
        self, condition: MotionCondition, tell: Callable[[str, float], None], cancelled: Callable[[], bool]
    ) -> Generated:
        """In the goals' thread."""

        def progress(done: int, total: int | None) -> None:
            tell("sample", done / total if total else 0.0)

        tell("text", 0.0)
        return self._generator(condition, progress, cancelled, self._settings.subject)

    def _on_rejected(self, reason: str) -> None:
        self._diagnostics.extra["last_rejected_goal"] = reason
        self.get_logger().warning(reason)


def score_word(condition: MotionCondition) -> str:
    """A wanted score for people."""
    return ANY_SCORE if condition.score is None else str(condition.score)


def main(args: Sequence[str] | None = None) -> int:
    """Run the node until it is stopped."""
    return run_node(MotionGeneratorNode, args)


if __name__ == "__main__":
    sys.exit(main())
