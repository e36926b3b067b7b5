"""The virtual_imu node: bodies in; what inertial sensors on them would read out."""

import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from builtin_interfaces.msg import Time
from rclpy.event_handler import QoSSubscriptionMatchedInfo, SubscriptionEventCallbacks
from rclpy.exceptions import InvalidHandle
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import DurabilityPolicy, QoSProfile, qos_profile_sensor_data
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Imu
from tf2_msgs.msg import TFMessage

from fitmotion_models.imu import ImuSamples, LiveImu, SiteFrames
from fitmotion_models.skeleton.body_pose import BodyPose
from fitmotion_models.skeleton.rotations import Float64
from fitmotion_msgs.msg import BodyPose as RosBodyPose
from fitmotion_nodes.conversions import body_pose_from_msg, stamp_to_msg
from fitmotion_nodes.diagnostics import NodeDiagnostics, SequenceGaps
from fitmotion_nodes.imu_conversions import ImuReadings, imu_frame, imu_msg, mounts_to_msgs, sample_stamp_to_msg
from fitmotion_nodes.parameters import declare, frame_qos
from fitmotion_nodes.spin import run_node
from fitmotion_nodes.virtual_imu_parameters import VirtualImuParameters, imu_qos

# a camera's idea of a person's bones changes a little all the time: mounts are sent again when they move this far
MOUNT_STEP_M = 0.001
MOST_WEARERS = 20


@dataclass
class Wearer:
    """One person with sensors.

    body: the person's name with the prefix of frames. stamp: when the person was last seen. mounts: where the sensors
    were said to sit. messages: the last one of every sensor.
    """

    body: str
    imu: LiveImu
    stamp: float
    mounts: Float64
    messages: list[Imu]


class VirtualImuNode(Node):
    """Puts sensors on the bodies that it hears of.

    Subscribes body_pose; publishes imu_<site>/data_raw (sensor_msgs/Imu as in REP-145, stamped with the sample's own
    time, frame <subject>/imu_<site>), /tf_static (the sensors on their bones) and /diagnostics with the lag.

    The poses are at their end when whoever publishes them has gone, or in lossless mode whoever publishes /clock: then
    the samples of the last lag_s seconds, which wait for later poses, are published too. A node that is told to stop
    has no time for that.
    """

    def __init__(self) -> None:
        super().__init__("virtual_imu")
        self._settings = given = declare(self, VirtualImuParameters, self._on_parameters)
        self._sites = given.chosen_sites()
        self._frames = SiteFrames(self._sites)
        self._wearers: dict[str, Wearer] = {}
        engine = f"quintic smoothing spline, {given.rate_hz:g} Hz, {1e3 * given.lag_s:g} ms behind"
        self._diagnostics = NodeDiagnostics(self, live=not given.lossless, engine=engine)
        self._diagnostics.extra |= {"lag_ms": f"{1e3 * given.lag_s:g}", "sites": ",".join(s.name for s in self._sites)}
        self._gaps = SequenceGaps()
        self._imu_publishers = [
            self.create_publisher(Imu, f"imu_{site.name}/data_raw", imu_qos(given)) for site in self._sites
        ]
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self._mount_publisher = self.create_publisher(TFMessage, "/tf_static", latched)
        at_the_end = SubscriptionEventCallbacks(matched=self._on_publishers)
        self._bodies = self.create_subscription(
            RosBodyPose, "body_pose", self._on_pose, frame_qos(given), event_callbacks=at_the_end
        )
        if given.lossless:
            self.create_subscription(
                Clock, "/clock", lambda msg: None, qos_profile_sensor_data, event_callbacks=at_the_end, raw=True
            )

    def _on_parameters(self, parameters: VirtualImuParameters) -> None:
        self._settings = parameters

    # ---- poses ----

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
        wearer = self._wearer(pose)
        samples = wearer.imu.update(pose)
        self._diagnostics.took("smoothing", time.perf_counter() - start)
        self._publish(wearer, samples)
        self._tell()

    def _publish(self, wearer: Wearer, samples: ImuSamples) -> None:
        """Send every sensor's samples, oldest first."""
        seen = samples.seen().tolist()
        heard = [place for place, publisher in enumerate(self._imu_publishers) if self._has_listener(publisher)]
        readings = ImuReadings(samples)
        for index, number in enumerate(samples.numbers.tolist()):
            stamp = sample_stamp_to_msg(number, self._settings.rate_hz)
            for place in heard:
                if seen[index][place]:
                    readings.put(wearer.messages[place], stamp, index, place)
                    self._imu_publishers[place].publish(wearer.messages[place])
            if any(seen[index]):
                self._diagnostics.sent(stamp)

    def _has_listener(self, publisher: Publisher) -> bool:
        """Whether a message would be read; lossless, those who come later read it too."""
        return self._settings.lossless or publisher.get_subscription_count() > 0

    def _tell(self) -> None:
        """What the diagnostics say of the smoothers."""
        imus = [wearer.imu for wearer in self._wearers.values()]
        cutoffs = sorted({(imu.cutoffs.position_hz, imu.cutoffs.rotation_hz) for imu in imus if imu.cutoffs})
        self._diagnostics.status = f"sensors on {', '.join(self._wearers)}"
        self._diagnostics.extra |= {
            "cutoffs_hz": "; ".join(f"{position:g} {rotation:g}" for position, rotation in cutoffs),
            "out_of_order": str(sum(imu.out_of_order for imu in imus)),
            "restarts": str(sum(imu.restarts for imu in imus)),
        }

    # ---- the end ----

    def _on_publishers(self, info: QoSSubscriptionMatchedInfo) -> None:
        """Publishers came or went: those of poses, or of the time that a lossless source drives."""
        if info.current_count:
            return
        # what was sent before the end is still to come
        handle = self._bodies.handle
        with suppress(InvalidHandle), handle:
            while (taken := handle.take_message(RosBodyPose, False)) is not None:
                self._on_pose(*taken)
        for wearer in self._wearers.values():
            self._publish(wearer, wearer.imu.flush())

    # ---- people ----

    def _wearer(self, pose: BodyPose) -> Wearer:
        """The person of a pose, with sensors on; people who have long been away lose theirs.

        Raises ValueError for one more than there are sensors for.
        """
        given = self._settings
        away = [name for name, wearer in self._wearers.items() if pose.stamp - wearer.stamp > given.subject_timeout_s]
        for name in away:
            del self._wearers[name]
        mounts = self._frames.offsets(pose.bone_offsets)
        if pose.subject not in self._wearers:
            if len(self._wearers) >= MOST_WEARERS:
                raise ValueError(f"no sensors for {pose.subject!r}: {MOST_WEARERS} people wear theirs, no more can")
            imu = LiveImu(self._sites, rate_hz=given.rate_hz, lag_s=given.lag_s, cutoffs=given.cutoffs)
            body = f"{given.subject_prefix}{pose.subject}"
            messages = [imu_msg(imu_frame(body, site)) for site in self._sites]
            self._wearers[pose.subject] = Wearer(body, imu, pose.stamp, np.full_like(mounts, np.inf), messages)
        wearer = self._wearers[pose.subject]
        wearer.stamp = pose.stamp
        if away or (np.abs(mounts - wearer.mounts) > MOUNT_STEP_M).any():
            wearer.mounts = mounts
            self._publish_mounts(stamp_to_msg(pose.stamp))
        return wearer

    def _publish_mounts(self, stamp: Time) -> None:
        """Send where everybody's sensors sit; a late listener gets the last message only, so it holds them all."""
        self._mount_publisher.publish(
            TFMessage(
                transforms=[
                    transform
                    for wearer in self._wearers.values()
                    for transform in mounts_to_msgs(self._sites, wearer.mounts, wearer.body, stamp)
                ]
            )
        )


def main(args: Sequence[str] | None = None) -> int:
    """Run the node until it is stopped."""
    return run_node(VirtualImuNode, args)


if __name__ == "__main__":
    sys.exit(main())
