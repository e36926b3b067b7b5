"""Whoever listens to virtual sensors while `./fitmotion bench imu` measures."""

from types import TracebackType
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.context import Context
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import Imu

from fitmotion_models.imu import Site
from fitmotion_models.skeleton.body_pose import BodyPose
from fitmotion_msgs.msg import BodyPose as RosBodyPose
from fitmotion_nodes.conversions import NANOSECONDS, body_pose_from_msg, stamp_from_msg
from fitmotion_nodes.parameters import StreamParameters, frame_qos
from fitmotion_nodes.unspun import Mailbox

_QUEUE = QoSProfile(depth=5000, reliability=ReliabilityPolicy.BEST_EFFORT)  # messages of one sensor that may wait here
Reading = tuple[float, tuple[float, ...], tuple[float, ...], float]  # stamp, force, rate, when it arrived; SI


class Subscribers:
    """Subscribers as a program of its own has them: a participant, and queues that are emptied now and then.

    kept: by site, what `keep` took. bodies: the poses, likewise.
    """

    def __init__(self, name: str, *, lossless: bool = False) -> None:
        self._qos = frame_qos(StreamParameters(lossless=True)) if lossless else _QUEUE
        self._context = Context()
        rclpy.init(args=[], context=self._context)
        self._node = rclpy.create_node(name, context=self._context, use_global_arguments=False)
        self._sensors: dict[str, Mailbox] = {}
        self._body_poses: Mailbox | None = None
        self._reports = Mailbox(self._node, DiagnosticArray, "/diagnostics", _QUEUE, raw=True)
        self._said: dict[str, str] = {}
        self.kept: dict[str, list[Reading]] = {}
        self.bodies: list[BodyPose] = []

    def __enter__(self) -> "Subscribers":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._node.destroy_node()
        self._context.try_shutdown()

    def _mailbox(self, kind: Any, topic: str) -> Mailbox:
        return Mailbox(self._node, kind, topic, self._qos, raw=True)

    def hear(self, sites: tuple[Site, ...]) -> None:
        """Subscribe to these sensors."""
        for site in sites:
            self._sensors[site.name] = self._mailbox(Imu, f"imu_{site.name}/data_raw")
            self.kept[site.name] = []

    def hear_bodies(self) -> None:
        """Subscribe to the poses."""
        self._body_poses = self._mailbox(RosBodyPose, "body_pose")

    def sensors_are_there(self) -> bool:
        """Whether all sensors that are subscribed to are there."""
        return all(mailbox.publishers for mailbox in self._sensors.values())

    def drop(self) -> int:
        """Throw away what has come; how much it was."""
        return sum(1 for mailbox in self._sensors.values() for _ in mailbox)

    def keep(self) -> None:
        """Take what has come."""
        if self._body_poses is not None:
            self.bodies += [body_pose_from_msg(deserialize_message(data, RosBodyPose)) for data, _ in self._body_poses]
        for name, mailbox in self._sensors.items():
            for data, info in mailbox:
                msg = deserialize_message(data, Imu)
                force, rate = msg.linear_acceleration, msg.angular_velocity
                vectors = (force.x, force.y, force.z), (rate.x, rate.y, rate.z)
                arrived = info["received_timestamp"] / NANOSECONDS
                self.kept[name].append((stamp_from_msg(msg.header.stamp), *vectors, arrived))

    def said(self) -> dict[str, str]:
        """The sensors' last diagnostics; empty while they have said nothing."""
        for data, _ in self._reports:
            for status in deserialize_message(data, DiagnosticArray).status:
                if status.name == "virtual_imu":
                    self._said = {item.key: item.value for item in status.values}
        return self._said
