"""What the graph says about itself, gathered for the person in front of it: rates, latency, phases, assessments.

`Observations` holds what was heard and knows no ROS; `GraphMonitor` is the ROS node that feeds it, spun in a thread of
its own inside the process of `up` or `bench`.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from fitmotion_models.fms.values import Assessment, AssessmentState
from fitmotion_models.pose.keypoints import Keypoints
from fitmotion_models.skeleton.body_pose import BodyPose
from fitmotion_nodes.graph import Graph
from fitmotion_nodes.graph_rig import camera_namespace
from fitmotion_nodes.parameters import StreamParameters, frame_qos, image_qos, result_qos
from fitmotion_nodes.run_memory import RunMemory, repetition_key
from fitmotion_nodes.virtual_imu_parameters import DONE_WITH

MONITOR = "monitor"  # its name in the graph
_WINDOW = 90  # states behind the live latency: three seconds at 30 Hz
_MOST_PEOPLE = 20
_LISTEN_S = 0.04  # how often the mailboxes are emptied: messages keep the time at which they arrived
_KEPT = 100  # messages of a topic that may wait meanwhile
_QUIET_S = 0.3  # a graph that has said nothing for so long has nothing more to say


@dataclass(frozen=True)
class NodeReport:
    """The last diagnostics of one node. warning: a sentence, empty when all is well. at: time.monotonic()."""

    values: dict[str, str]
    message: str
    warning: str
    at: float


@dataclass
class Observations:
    """What was heard so far; all stamps in seconds, latencies in milliseconds. Guarded by `lock`."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    reports: dict[str, NodeReport] = field(default_factory=dict)
    states: dict[str, AssessmentState] = field(default_factory=dict)
    latencies_ms: deque[float] = field(default_factory=lambda: deque(maxlen=_WINDOW))
    assessments: dict[tuple[object, ...], Assessment] = field(default_factory=dict)
    frames: int = 0
    first_frame: float = 0.0
    last_frame: float = 0.0
    pose_stamps: dict[str, float] = field(default_factory=dict)
    poses: int = 0
    generated: int = 0
    heard_at: float = 0.0

    def clear(self) -> None:
        """Forget everything: the run starts over."""
        with self.lock:
            for container in (self.reports, self.states, self.latencies_ms, self.assessments, self.pose_stamps):
                container.clear()
            self.frames = self.poses = self.generated = 0

    def hear_frame(self, stamp: float) -> None:
        """An image was processed (or, without a camera, a pose was played). One that was sent again counts once."""
        with self.lock:
            if not self.frames:
                self.first_frame = stamp
            elif stamp <= self.last_frame:
                return
            self.frames += 1
            self.last_frame = stamp
            self.heard_at = time.monotonic()

    def hear_pose(self, subject: str, stamp: float) -> None:
        """A body pose went to the scorer."""
        with self.lock:
            self.poses += 1
            self.pose_stamps[subject] = max(stamp, self.pose_stamps.pop(subject, stamp))
            _keep_newest(self.pose_stamps)
            self.heard_at = time.monotonic()

    def hear_generated(self) -> None:
        """A pose was generated."""
        with self.lock:
            self.generated += 1

    def hear_state(self, state: AssessmentState, latency_ms: float | None) -> None:
        """The scorer answered a pose. latency_ms: from the stamp to now; None in media time, which has none."""
        with self.lock:
            self.states.pop(state.subject, None)
            self.states[state.subject] = state
            _keep_newest(self.states)
            if latency_ms is not None:
                self.latencies_ms.append(latency_ms)
            self.heard_at = time.monotonic()

    def hear_assessment(self, assessment: Assessment) -> bool:
        """A repetition was scored, or an operator changed its score. Whether it is a new repetition."""
        key = repetition_key(assessment)
        with self.lock:
            new = key not in self.assessments
            self.assessments[key] = assessment
            self.heard_at = time.monotonic()
        return new

    def results(self) -> list[Assessment]:
        """Every repetition as it counts now, in the order in which they ended."""
        with self.lock:
            return sorted(self.assessments.values(), key=lambda one: one.end)

    def hear_report(self, name: str, report: NodeReport) -> None:
        """A node's diagnostics."""
        with self.lock:
            self.reports[name] = report

    def is_answered(self) -> bool:
        """Whether every pose heard of has been scored and nothing more arrives; never before the first frame."""
        with self.lock:
            if not self.frames:
                return False
            waiting = any(
                subject not in self.states or self.states[subject].stamp < stamp
                for subject, stamp in self.pose_stamps.items()
            )
            return not waiting and time.monotonic() - self.heard_at > _QUIET_S

    def is_done(self, name: str) -> bool:
        """Whether a node says that it has come to the end of all poses heard of; see `DONE_WITH`."""
        with self.lock:
            report = self.reports.get(name)
            return report is not None and int(report.values.get(DONE_WITH, "0")) >= self.poses

    def measured_fps(self) -> float:
        """Frames a second by their stamps; 0 when fewer than two were heard."""
        with self.lock:
            if self.frames < 2:
                return 0.0
            return (self.frames - 1) / (self.last_frame - self.first_frame)


def _keep_newest(people: dict[str, Any]) -> None:
    """Forget who was heard longest ago: anybody may send bodies of ever new subjects."""
    while len(people) > _MOST_PEOPLE:
        del people[next(iter(people))]


class MonitorError(RuntimeError):
    """The ROS graph cannot be joined; the text is one sentence."""


class GraphMonitor:
    """Joins the ROS graph of a run and fills `observations`.

    on_assessment: hears every new or changed assessment, from the monitor's thread.
    on_frame: for measurements: hears ("captured", "posed" or "scored", stamp of the image, when the message arrived),
    in seconds on the system clock.
    remember: keep in `memory` what a report needs.
    Raises MonitorError when the domain cannot be joined.
    """

    def __init__(
        self,
        graph: Graph,
        *,
        lossless: bool,
        on_assessment: Callable[[Assessment, bool], None] = lambda assessment, new: None,
        on_frame: Callable[[str, float, float], None] | None = None,
        remember: bool = False,
    ) -> None:
        self.observations = Observations()
        self.memory = RunMemory(_body_pose, _keypoints)
        self._remember = remember
        self._lossless = lossless
        self._on_assessment, self._on_frame = on_assessment, on_frame
        self._graph = graph
        self._join()

    def start_over(self) -> None:
        """Forget everything, and join anew, so that what the old nodes said last does not come in late."""
        self.close()
        self.observations.clear()
        self.memory.clear()
        self._join()

    def _join(self) -> None:
        import rclpy
        from rclpy.signals import SignalHandlerOptions

        self._context = rclpy.Context()
        try:
            rclpy.init(
                context=self._context,
                args=["--ros-args", "--disable-external-lib-logs", "--log-level", "error"],
                signal_handler_options=SignalHandlerOptions.NO,
            )
            namespace = self._graph.namespace or None
            self._node = rclpy.create_node(
                MONITOR, namespace=namespace, context=self._context, use_global_arguments=False
            )
        except RuntimeError as error:
            raise MonitorError(f"cannot join the ROS domain: {str(error).split(', at ')[0]}") from None
        self._ears = list(self._listen())
        self._left = threading.Event()
        self._thread = threading.Thread(target=self._hear, name="monitor", daemon=True)
        self._thread.start()

    def foreign_nodes(self) -> list[str]:
        """Full names of nodes already in the graph that bear the name of one that is to be started."""
        ours = {spec.full_name for spec in self._graph.nodes}
        found = {f"{namespace.rstrip('/')}/{name}" for name, namespace in self._node.get_node_names_and_namespaces()}
        return sorted(ours & found)

    def close(self) -> None:
        """Leave the graph."""
        self._left.set()
        self._thread.join(timeout=1.0)
        self._context.try_shutdown()
        self._node.destroy_node()

    def _hear(self) -> None:
        while not self._left.wait(_LISTEN_S):
            for mailbox, hear in self._ears:
                for msg, info in mailbox:
                    hear(msg, info)

    def _listen(self) -> Iterator[tuple[Any, Callable[[Any, dict[str, int]], None]]]:
        """What is listened to and who hears it, in the order of the data, so that nothing comes before its cause."""
        from diagnostic_msgs.msg import DiagnosticArray
        from rclpy.qos import QoSProfile, ReliabilityPolicy

        from fitmotion_msgs.msg import Assessment as RosAssessment
        from fitmotion_msgs.msg import AssessmentState as RosAssessmentState
        from fitmotion_msgs.msg import BodyPose as RosBodyPose
        from fitmotion_msgs.msg import Skeleton2D
        from fitmotion_nodes.unspun import Mailbox

        stream = StreamParameters(lossless=self._lossless, qos_depth=0 if self._lossless else _KEPT)
        frames, names = frame_qos(stream), {spec.name for spec in self._graph.nodes}
        if self._on_frame is not None:
            from sensor_msgs.msg import CameraInfo

            # one small message with every image, so that the images themselves need not come here
            yield Mailbox(self._node, CameraInfo, "camera_info", frames), partial(self._record, "captured")
        rig = "triangulation" in names
        if self._remember and (rig or "camera" in names):
            from sensor_msgs.msg import CompressedImage

            from fitmotion_nodes.preview import PREVIEW

            shown = f"{camera_namespace(0)}/{PREVIEW}" if rig else PREVIEW
            yield Mailbox(self._node, CompressedImage, shown, image_qos(stream)), self._on_preview
        yield Mailbox(self._node, RosBodyPose, "body_pose", frames), self._on_pose
        if "motion_generator" in names:
            newest = QoSProfile(depth=_KEPT, reliability=ReliabilityPolicy.BEST_EFFORT)
            yield Mailbox(self._node, RosBodyPose, "generated/body_pose", newest), self._on_generated
        if rig or "pose" in names:  # a rig's skeleton is the first camera's, once its instant was worked on
            yield Mailbox(self._node, Skeleton2D, "skeleton_2d", frames), self._on_skeleton
        yield Mailbox(self._node, RosAssessmentState, "fms/state", frames), self._on_state_message
        results = result_qos(latched=self._lossless, depth=1000)  # lossless, those from before we joined too
        yield Mailbox(self._node, RosAssessment, "fms/assessment", results), self._on_assessment_message
        yield Mailbox(self._node, DiagnosticArray, "/diagnostics", QoSProfile(depth=_KEPT)), self._on_diagnostics

    def _on_diagnostics(self, msg: Any, info: dict[str, int]) -> None:
        # a report keeps the node's full name without the leading slash; other graphs' nodes are theirs
        names = {spec.full_name.lstrip("/"): spec.name for spec in self._graph.nodes}
        for status in msg.status:
            if status.name in names:
                values = {item.key: item.value for item in status.values}
                level = status.level[0] if isinstance(status.level, bytes) else status.level
                warning = status.message if level else ""
                report = NodeReport(values, status.message, warning, time.monotonic())
                self.observations.hear_report(names[status.name], report)

    def _has_come(self, stamp: float) -> bool:
        """Whether a stamp can be of a frame that was taken: after one of tomorrow every other would look old."""
        from fitmotion_nodes.diagnostics import AHEAD_S

        return self._lossless or stamp < time.time() + AHEAD_S

    def _on_skeleton(self, msg: Any, info: dict[str, int]) -> None:
        if msg.following:  # of several people the first comes last
            return
        self._record("posed", msg, info)
        if self._has_come(_seconds(msg)):
            self.observations.hear_frame(_seconds(msg))
        if self._remember:
            self.memory.hear_skeleton(_seconds(msg), msg)

    def _on_preview(self, msg: Any, info: dict[str, int]) -> None:
        self.memory.hear_picture(_seconds(msg), bytes(msg.data))

    def _on_pose(self, msg: Any, info: dict[str, int]) -> None:
        stamp = _seconds(msg)
        if not self._has_come(stamp):
            return
        self.observations.hear_pose(msg.subject, stamp)
        if self._remember:
            self.memory.hear_pose(msg.subject, stamp, msg)
        if not any(spec.name in ("pose", "triangulation") for spec in self._graph.nodes):
            self.observations.hear_frame(stamp)

    def _on_generated(self, msg: Any, info: dict[str, int]) -> None:
        self.observations.hear_generated()

    def _on_state_message(self, msg: Any, info: dict[str, int]) -> None:
        from fitmotion_nodes.conversions import state_from_msg

        self._record("scored", msg, info)
        latency_ms = None if self._lossless else (_arrival(info) - _seconds(msg)) * 1e3
        try:
            self.observations.hear_state(state_from_msg(msg), latency_ms)
        except ValueError:  # of a newer version than ours: its node says so, the table can do without
            return

    def _record(self, kind: str, msg: Any, info: dict[str, int]) -> None:
        if self._on_frame is not None:
            self._on_frame(kind, _seconds(msg), _arrival(info))

    def _on_assessment_message(self, msg: Any, info: dict[str, int]) -> None:
        from fitmotion_nodes.conversions import assessment_from_msg

        try:
            assessment = assessment_from_msg(msg)
        except ValueError:
            return
        if self._remember:
            self.memory.hear_assessment(assessment)
        self._on_assessment(assessment, self.observations.hear_assessment(assessment))


def _arrival(info: dict[str, int]) -> float:
    """When the middleware received a message, seconds on the system clock, which live stamps are on too.

    A middleware that does not tell gives 0: then it is now.
    """
    return info.get("received_timestamp", 0) / 1e9 or time.time()


def _body_pose(msg: Any) -> BodyPose:
    from fitmotion_nodes.conversions import body_pose_from_msg

    return body_pose_from_msg(msg, msg.header.frame_id)


def _keypoints(msg: Any) -> Keypoints | None:
    from fitmotion_nodes.conversions import keypoints_from_msg

    return keypoints_from_msg(msg)


def _seconds(msg: Any) -> float:
    from fitmotion_nodes.conversions import stamp_from_msg

    return stamp_from_msg(msg.header.stamp)
