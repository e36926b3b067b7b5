"""The virtual_imu node: bodies in; what inertial sensors on them would read out."""

import sys
import time
from collections.abc import Sequence
from typing import Any

from builtin_interfaces.msg import Time
from rclpy.event_handler import QoSSubscriptionMatchedInfo, SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, qos_profile_sensor_data
from rosgraph_msgs.msg import Clock
from tf2_msgs.msg import TFMessage

from fitmotion_models.imu import ImuSamples
from fitmotion_models.skeleton.body_pose import BodyPose
from fitmotion_msgs.msg import BodyPose as RosBodyPose
from fitmotion_nodes.conversions import body_pose_from_msg, stamp_from_msg, stamp_to_msg
from fitmotion_nodes.diagnostics import NodeDiagnostics, SequenceGaps
from fitmotion_nodes.imu_conversions import mounts_to_msgs, sample_stamp_to_msg
from fitmotion_nodes.imu_wearers import Wearer, Wearers
from fitmotion_nodes.message_bytes import stamps_of
from fitmotion_nodes.parameters import declare, frame_qos
from fitmotion_nodes.spin import run_node
from fitmotion_nodes.thread_subscription import ThreadSubscription
from fitmotion_nodes.virtual_imu_parameters import DONE_WITH, VirtualImuParameters, imu_qos


class VirtualImuNode(Node):
    """Puts sensors on the bodies that it hears of.

    Subscribes body_pose; publishes for every sensor, as in REP-145 and stamped with the sample's own time,
    imu_<site>/data_raw (sensor_msgs/Imu), with the parameter orientation imu_<site>/data, which has an orientation too,
    and where the preset has a magnetometer imu_<site>/mag (sensor_msgs/MagneticField); /tf_static (the sensors on their
    bones) and /diagnostics with the lag. A topic carries the sensors of everybody at that site: frame_id, which is
    <subject>/imu_<site>, says whose.

    Samples that nobody listens to are counted and not computed; poses are kept, so that who comes has them at once. In
    lossless mode everything is published, for those who come late.

    The poses are at their end when whoever publishes them has gone, or in lossless mode whoever publishes /clock: then
    the samples of the last lag_s seconds, which wait for later poses, are published too. A node that is told to stop
    has no time for that.
    """

    def __init__(self) -> None:
        super().__init__("virtual_imu")
        self._settings = given = declare(self, VirtualImuParameters, self._on_parameters)
        self._wearers = Wearers(given)
        self._diagnostics = self._make_diagnostics(given)
        self._gaps = SequenceGaps()
        worn, qos = self._wearers.worn, imu_qos(given)
        self._sensor_publishers = {
            kind.name: [self.create_publisher(kind.message, f"imu_{site.name}/{kind.name}", qos) for site in worn.sites]
            for kind in worn.kinds
        }
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self._mount_publisher = self.create_publisher(TFMessage, "/tf_static", latched)
        at_the_end = SubscriptionEventCallbacks(matched=self._on_publishers)
        self._bodies = ThreadSubscription(
            self, RosBodyPose, "body_pose", self._on_pose, frame_qos(given), event_callbacks=at_the_end
        )
        if given.lossless:
            self.create_subscription(
                Clock, "/clock", lambda msg: None, qos_profile_sensor_data, event_callbacks=at_the_end, raw=True
            )

    def _make_diagnostics(self, given: VirtualImuParameters) -> NodeDiagnostics:
        engine = f"quintic smoothing spline, {given.rate_hz:g} Hz, {1e3 * given.lag_s:g} ms behind"
        sensor = given.sensor()
        diagnostics = NodeDiagnostics(
            self, live=not given.lossless, engine=f"{engine}, {sensor.part or sensor.name}" if sensor else engine
        )
        sites = ",".join(site.name for site in self._wearers.worn.sites)
        diagnostics.extra |= {"lag_ms": f"{1e3 * given.lag_s:g}", "sites": sites, "preset": given.preset}
        return diagnostics

    def destroy_node(self) -> None:
        """Stop the thread before the node goes."""
        if hasattr(self, "_bodies"):
            self._bodies.close()
        super().destroy_node()

    def _on_parameters(self, parameters: VirtualImuParameters) -> None:
        self._settings = parameters

    # ---- poses; in the subscription's thread ----

    def _on_pose(self, msg: RosBodyPose, info: dict[str, Any]) -> None:
        self._diagnostics.frames_in += 1
        self._diagnostics.dropped += self._gaps.missed(info["publication_sequence_number"])
        try:
            self._diagnostics.check_time(msg.header.stamp)
            pose = body_pose_from_msg(msg, self._settings.world_frame)
            if self._settings.subject in ("", pose.subject):
                self._take(pose)
        except ValueError as error:
            self._diagnostics.bad_message(error)

    def _take(self, pose: BodyPose) -> None:
        start = time.perf_counter()
        wearer, moved = self._wearers.of(pose, self._settings.subject_timeout_s)
        if moved:
            self._publish_mounts(stamp_to_msg(pose.stamp))
        heard = self._heard()
        if heard:
            samples = wearer.read(pose)
            self._diagnostics.took("smoothing", time.perf_counter() - start)
            self._publish(wearer, samples, heard)
        else:
            numbers = wearer.skip(pose)
            self._diagnostics.took("smoothing", time.perf_counter() - start)
            for number in numbers.tolist():
                self._count(wearer, sample_stamp_to_msg(number, self._settings.rate_hz))
        self._tell()

    def _heard(self) -> dict[str, list[int]]:
        """Of every kind of topic, which sensors' would be read; lossless, those who come later read them all."""
        heard = {
            kind: [
                place
                for place, publisher in enumerate(publishers)
                if self._settings.lossless or publisher.get_subscription_count() > 0
            ]
            for kind, publishers in self._sensor_publishers.items()
        }
        return {kind: places for kind, places in heard.items() if places}

    def _publish(self, wearer: Wearer, samples: ImuSamples, heard: dict[str, list[int]]) -> None:
        """Send every sensor's samples, oldest first."""
        if not len(samples):
            return
        times = [sample_stamp_to_msg(number, self._settings.rate_hz) for number in samples.numbers.tolist()]
        stamps, seen = stamps_of(times), samples.seen().tolist()
        messages = [
            (self._sensor_publishers[kind][place], place, filled)
            for kind, places in heard.items()
            for place, filled in wearer.messages(kind, samples, stamps, places)
        ]
        for index, stamp in enumerate(times):
            for publisher, place, filled in messages:
                if seen[index][place]:
                    publisher.publish(filled[index])
            if any(seen[index]):
                self._count(wearer, stamp)

    def _count(self, wearer: Wearer, stamp: Time) -> None:
        """A sample is due, and how far behind the newest pose it is."""
        self._diagnostics.sent(stamp)
        self._diagnostics.took("measured_lag", wearer.stamp - stamp_from_msg(stamp))

    def _tell(self) -> None:
        """What the diagnostics say of the smoothers and of the radio."""
        imus = [wearer.imu for wearer in self._wearers]
        cutoffs = sorted({(imu.cutoffs.position_hz, imu.cutoffs.rotation_hz) for imu in imus if imu.cutoffs})
        self._diagnostics.status = f"sensors on {', '.join(self._wearers.names())}"
        self._diagnostics.extra |= {
            "cutoffs_hz": "; ".join(f"{position:g} {rotation:g}" for position, rotation in cutoffs),
            "out_of_order": str(sum(imu.out_of_order for imu in imus)),
            "restarts": str(sum(imu.restarts for imu in imus)),
        } | self._losses()

    def _losses(self) -> dict[str, str]:
        """What the sensors' radio has lost; nothing for sensors that lose nothing."""
        read = sum(wearer.read_out for wearer in self._wearers)
        if not self._wearers.worn.loses or not read:
            return {}
        lost = sum(wearer.lost for wearer in self._wearers)
        return {"samples_lost": str(lost), "loss_percent": f"{100.0 * lost / read:.2f}"}

    def _publish_mounts(self, stamp: Time) -> None:
        """Send where everybody's sensors sit; a late listener gets the last message only, so it holds them all."""
        self._mount_publisher.publish(
            TFMessage(
                transforms=[
                    transform
                    for wearer in self._wearers
                    for transform in mounts_to_msgs(self._wearers.worn.sites, wearer.mounts, wearer.body, stamp)
                ]
            )
        )

    # ---- the end; in the thread of whatever has ended ----

    def _on_publishers(self, info: QoSSubscriptionMatchedInfo) -> None:
        """Publishers came or went: those of poses, or of the time that a lossless source drives."""
        if info.current_count:
            return
        with self._bodies.lock:
            self._bodies.take_waiting()  # what was sent before the end is still to come
            for wearer in self._wearers:
                self._publish(wearer, wearer.read_last(), self._heard())
            self._diagnostics.extra[DONE_WITH] = str(self._diagnostics.frames_in)
            self._diagnostics.report()


def main(args: Sequence[str] | None = None) -> int:
    """Run the node until it is stopped."""
    return run_node(VirtualImuNode, args)


if __name__ == "__main__":
    sys.exit(main())
