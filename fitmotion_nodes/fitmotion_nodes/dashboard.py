"""The dashboard node: a web page of the running graph, with the buttons of the operator."""

import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.node import Node
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CompressedImage, Imu

from fitmotion_models.fms.values import Movement
from fitmotion_models.viewer.page import Motion, Page, PageError
from fitmotion_models.viewer.page_controls import (
    Asked,
    ChoosePerson,
    ChooseSensor,
    Command,
    ResetScreen,
    SetGrade,
    StartScreen,
    StartTest,
)
from fitmotion_models.viewer.page_files import PageFiles
from fitmotion_models.viewer.page_guide import PersonForm
from fitmotion_models.viewer.page_html import NodeLine
from fitmotion_models.viewer.page_motion import Generate, StopGenerating
from fitmotion_models.viewer.screen_lead import Lead, LeadSettings
from fitmotion_models.viewer.watch import PictureKind, Watch
from fitmotion_msgs.msg import Assessment as RosAssessment
from fitmotion_msgs.msg import AssessmentState as RosAssessmentState
from fitmotion_msgs.msg import BodyPose as RosBodyPose
from fitmotion_msgs.msg import Screen as RosScreen
from fitmotion_nodes.conversions import (
    NANOSECONDS,
    assessment_from_msg,
    body_pose_from_msg,
    screen_from_msg,
    stamp_from_msg,
    state_from_msg,
)
from fitmotion_nodes.dashboard_guide import DashboardGuide
from fitmotion_nodes.dashboard_motion import GENERATOR, DashboardMotion
from fitmotion_nodes.dashboard_parameters import DashboardParameters
from fitmotion_nodes.dashboard_services import FmsServices
from fitmotion_nodes.diagnostics import NodeDiagnostics
from fitmotion_nodes.generation_status import generation_of
from fitmotion_nodes.motion_prompts import prompts_to_pick
from fitmotion_nodes.parameters import declare, result_qos
from fitmotion_nodes.spin import FOR_EYES, CannotRunError, run_node
from fitmotion_nodes.unspun import Mailbox

LOOK_AROUND_S = 1.0  # how often sensors and the overlay are looked for
SCREENS_KEPT = 20  # as many as the fms node keeps
IMU_TYPE, IMU_SUFFIX = "sensor_msgs/msg/Imu", "/data_raw"
OVERLAY, PLAIN = "overlay/compressed", "image_raw/compressed"
# The newest wins and nobody ever waits for a page, also in lossless runs, whose reliable publishers allow this.
NEWEST = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
RECENT = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
# how their files begin (ISO 10918-1, PNG specification 5.2)
_BEGINNINGS: dict[PictureKind, bytes] = {"jpeg": b"\xff\xd8", "png": b"\x89PNG\r\n\x1a\n"}
SAMPLES = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=50, reliability=ReliabilityPolicy.BEST_EFFORT)


class DashboardNode(Node):
    """Serves the page on the parameters host and port.

    Subscribes fms/assessment, fms/screen, /diagnostics; while a browser looks also body_pose, fms/state,
    overlay/compressed (where nobody publishes it image_raw/compressed) and the imu_<site>/data_raw that was chosen.
    Calls fms/start_test, fms/report_pain, fms/set_score, fms/reset_screen; with the parameter guided also
    fms/start_screen, fms/finish_screen, and serves screen/* (see `DashboardGuide`); with the parameter motion it
    publishes motion/command, calls motion/stop and subscribes generated/body_pose. Publishes /diagnostics.
    """

    def __init__(self) -> None:
        super().__init__("dashboard")
        self._given = declare(self, DashboardParameters, self._on_parameters)
        lossless = self._given.lossless
        self._watch = Watch(self._given.timeline_s, LeadSettings(recognise=self._given.recognise))
        self._diagnostics = NodeDiagnostics(self, live=not lossless, engine="viser")
        self._shown_stamp = float("nan")
        results = result_qos(latched=lossless, depth=1000 if lossless else 50)
        self.create_subscription(RosAssessment, "fms/assessment", self._on_assessment, results)
        screens = result_qos(latched=True, depth=SCREENS_KEPT)
        self.create_subscription(RosScreen, "fms/screen", self._on_screen, screens)
        self.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, 20)
        self._services_called = FmsServices(self, self._on_answer)
        # there while a browser looks; read when the page is drawn
        self._poses: Mailbox | None = None
        self._generated: Mailbox | None = None
        self._states: Mailbox | None = None
        self._pictures: Mailbox | None = None
        self._samples: Mailbox | None = None
        self._picture_at = float("-inf")
        # what the page's threads say is dealt with in the executor's: they leave it here and pull the trigger
        self._commands: deque[Command | Generate | StopGenerating] = deque()
        self._wake = self.create_guard_condition(self._on_page)
        steady = Clock(clock_type=ClockType.STEADY_TIME)  # media time may stand still, a page must not
        self._update_timer = self.create_timer(1.0 / self._given.rate_hz, self._update, clock=steady)
        self._look_timer = self.create_timer(LOOK_AROUND_S, self._look_around, clock=steady)
        self._motion: DashboardMotion | None = None
        self._pause()
        self._page = self._serve()
        if self._given.motion:
            self._motion = DashboardMotion(self, self._given.world_frame, self._page.answer)
        self._guide = None
        if self._given.guided:
            self._guide = DashboardGuide(self, self._watch, self._ask, self._page.answer)
        self._diagnostics.status = self._page.address

    def _serve(self) -> Page:
        given = self._given
        try:
            page = Page(
                given.host,
                given.port,
                self._hear_command,
                self._wake.trigger,
                sensor_s=given.sensor_s,
                form=self._form(),
                files=self._report_files(),
                motion=cast(Motion, given.motion),
                prompts=prompts_to_pick() if given.motion else (),
            )
        except PageError as error:
            raise CannotRunError(f"dashboard: {error}") from None
        self.get_logger().info(f"the page is on {page.address}")
        return page

    def _form(self) -> PersonForm | None:
        given = self._given
        if not given.guided:
            return None
        return PersonForm(
            given.person, given.measured_by, given.stature_m, given.hand_length_m, given.sex, given.recognise
        )

    def _report_files(self) -> PageFiles:
        files = PageFiles()
        for name in filter(None, self._given.reports.split(",")):
            path = Path(name)
            files.offer(path.name, "Report as PDF" if path.suffix == ".pdf" else "Report", path)
        return files

    def destroy_node(self) -> None:
        """Close the page before the node goes."""
        if hasattr(self, "_page"):
            self._page.close()
        super().destroy_node()

    def _on_parameters(self, parameters: DashboardParameters) -> None:
        self._given = parameters
        self._update_timer.timer_period_ns = int(1e9 / parameters.rate_hz)

    # ---- browsers come and go ----

    def _hear_command(self, command: Command | Generate | StopGenerating) -> None:
        """In a thread of the page."""
        self._commands.append(command)
        self._wake.trigger()

    def _on_page(self) -> None:
        looking = self._page.clients > 0
        if looking and self._poses is None:
            self._resume()
        elif not looking and self._poses is not None:
            self._pause()
        while self._commands:
            self._obey(self._commands.popleft())

    def _resume(self) -> None:
        self._poses = Mailbox(self, RosBodyPose, "body_pose", RECENT)
        self._states = Mailbox(self, RosAssessmentState, "fms/state", RECENT)
        if self._motion is not None:
            self._generated = self._motion.poses(RECENT)
        self._look_around()
        self._update_timer.reset()
        self._look_timer.reset()

    def _pause(self) -> None:
        """Nobody looks: hear and draw nothing but results, which are few."""
        self._update_timer.cancel()
        self._look_timer.cancel()
        for mailbox in (self._poses, self._generated, self._states, self._pictures, self._samples):
            if mailbox is not None:
                mailbox.close()
        self._poses = self._generated = self._states = self._pictures = self._samples = None
        self._watch.forget_live()
        if hasattr(self, "_page"):
            self._page.update(self._watch)  # who comes next is not shown somebody who left long ago

    def _update(self) -> None:
        if not self._page.clients:
            self._pause()
            return
        start = time.perf_counter()
        self._read()
        self._page.update(self._watch)
        self._diagnostics.frames_out += 1
        self._diagnostics.took("update", time.perf_counter() - start)
        self._note_latency()
        self._diagnostics.status = f"{self._page.address}, {self._page.clients} looking"
        self._services_called.give_up_waiting()

    def _note_latency(self) -> None:
        """How old the body is that was shown just now, of each body once."""
        person = self._watch.people.get(self._watch.shown)
        if person is None or person.pose is None or person.pose.stamp == self._shown_stamp or self._given.lossless:
            return
        self._shown_stamp = person.pose.stamp
        self._diagnostics.took("latency", self.get_clock().now().nanoseconds / NANOSECONDS - person.pose.stamp)

    def _look_around(self) -> None:
        """Take the overlay where there is one, and the sensor that was chosen."""
        topic = OVERLAY if self.count_publishers(OVERLAY) else PLAIN
        self._pictures = self._switched(self._pictures, CompressedImage, topic, NEWEST)
        self._page.show_sensors(self._sensors())
        self._samples = self._switched(self._samples, Imu, self._watch.sensor.topic, SAMPLES)

    def _switched(self, mailbox: Mailbox | None, kind: type, topic: str, qos: QoSProfile) -> Mailbox | None:
        """A mailbox of this topic, the one there is where it is; None for no topic."""
        if mailbox is not None:
            if topic and mailbox.topic_name == self.resolve_topic_name(topic):
                return mailbox
            mailbox.close()
        return Mailbox(self, kind, topic, qos) if topic else None

    def _sensors(self) -> tuple[str, ...]:
        own = self.get_namespace().rstrip("/") + "/imu_"
        topics = (topic for topic, kinds in self.get_topic_names_and_types() if IMU_TYPE in kinds)
        return tuple(sorted(topic for topic in topics if topic.startswith(own) and topic.endswith(IMU_SUFFIX)))

    # ---- what is heard ----

    def _take(self, hear: Callable[[Any], None], convert: Callable[[Any], Any], msg: Any) -> bool:
        """Hand a message on as a value; whether it could be used."""
        self._diagnostics.frames_in += 1
        try:
            hear(convert(msg))
        except ValueError as error:
            self._diagnostics.bad_message(error)
            return False
        return True

    def _read(self) -> None:
        """Hear what has come since the page was last drawn."""
        to_pose = partial(body_pose_from_msg, world_frame=self._given.world_frame)
        for msg, _ in self._poses or ():
            self._take(self._watch.hear_pose, to_pose, msg)
        for msg, _ in self._generated or ():
            self._take(self._watch.hear_generated, to_pose, msg)
        for msg, _ in self._states or ():
            self._take(self._watch.hear_state, state_from_msg, msg)
        if self._pictures is not None and time.monotonic() - self._picture_at >= 0.9 / self._given.picture_fps:
            self._see(self._pictures.take())
        for msg, _ in self._samples or ():
            force, turn = msg.linear_acceleration, msg.angular_velocity
            sample = (stamp_from_msg(msg.header.stamp), force.x, force.y, force.z, turn.x, turn.y, turn.z)
            self._watch.sensor.add(sample)

    def _see(self, taken: tuple[CompressedImage, dict[str, Any]] | None) -> None:
        if taken is not None:
            self._picture_at = time.monotonic()
            self._take(lambda picture: self._watch.hear_picture(*picture), _picture, taken[0])

    def _on_assessment(self, msg: RosAssessment) -> None:
        self._take(self._watch.hear_assessment, assessment_from_msg, msg)

    def _on_screen(self, msg: RosScreen) -> None:
        self._take(self._watch.hear_screen, screen_from_msg, msg)

    def _on_diagnostics(self, msg: DiagnosticArray) -> None:
        own = self.get_namespace().strip("/")
        for status in msg.status:
            namespace, _, name = status.name.rpartition("/")
            if namespace == own:
                self._take(self._watch.hear_node, partial(_node_line, name), status)
                if name == GENERATOR:
                    self._watch.generation = generation_of(status)

    # ---- what is asked for ----

    def _obey(self, command: Command | Generate | StopGenerating) -> None:
        if isinstance(command, Generate | StopGenerating):
            if self._motion is not None:
                self._motion.obey(command)
        elif isinstance(command, ChoosePerson):
            self._watch.chosen = command.subject
            if self._guide is not None:
                self._guide.begin_shown()
        elif isinstance(command, Lead | LeadSettings):
            if self._guide is not None:
                self._guide.obey(command)
        elif isinstance(command, ChooseSensor):
            self._watch.sensor.topic = command.topic
            self._watch.sensor.samples.clear()
            if self._poses is not None:
                self._look_around()
        else:
            self._ask(command)

    def _ask(self, command: Asked) -> None:
        """Ask the fms node; the answer comes to `_on_answer`, and nothing waits for it."""
        subject = self._watch.shown
        if isinstance(command, SetGrade) and command.movement is Movement.UNKNOWN:
            test = self._watch.person(subject).test if subject else None
            if test is None or test.movement is Movement.UNKNOWN:
                self._page.answer("no test is under way that could be graded; start one first", good=False)
                return
            command = replace(command, movement=test.movement, side=test.side)
        self._services_called.ask(command, subject)

    def _on_answer(self, command: Asked | None, subject: str, text: str, good: bool) -> None:
        if good and isinstance(command, StartTest | ResetScreen):
            self._watch.begin_trial(subject)
        if good and isinstance(command, StartScreen) and command.sex and subject in self._watch.people:
            self._watch.people[subject].lead.sex = command.sex
        if not (good and self._guide is not None and isinstance(command, StartTest)):
            self._page.answer(text, good=good)  # the guide's card says itself which test is under way
        if command is not None:
            self.get_logger().info(f"{subject or 'person in view'}: {text}")


def _picture(msg: CompressedImage) -> tuple[bytes, PictureKind]:
    """The encoded picture of a message. Raises ValueError for what no browser shows."""
    data = bytes(msg.data)
    for kind, beginning in _BEGINNINGS.items():
        if data.startswith(beginning):
            return data, kind
    raise ValueError(f"picture of {len(data)} bytes, format {msg.format[:40]!r}, is neither JPEG nor PNG")


def _node_line(name: str, status: DiagnosticStatus) -> NodeLine:
    """What a node says. Raises ValueError for a latency that is no number."""
    values = {item.key: item.value for item in status.values}
    level = status.level[0] if isinstance(status.level, bytes) else status.level
    middle, slow = (values.get(f"latency_p{level}_ms", "") for level in (50, 95))
    return NodeLine(
        name=name,
        rate_hz=f"{float(values.get('rate_hz', '') or 0.0):.1f}",
        latency_ms=f"{float(middle):.0f}" if middle else "",
        slow_ms=f"{float(slow):.0f}" if slow else "",
        dropped=values.get("dropped", ""),
        message=values.get("engine", "") or status.message,
        warning=status.message if level else "",
        age=0.0,
        guidance=values.get("guidance", ""),
    )


def main(args: Sequence[str] | None = None) -> int:
    """Run the node until it is stopped."""
    return run_node(DashboardNode, args, niceness=FOR_EYES)


if __name__ == "__main__":
    sys.exit(main())
