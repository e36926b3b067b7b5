"""The recorder node: everything that the graph publishes, as it travels, into an MCAP file."""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.qos import QoSProfile

from fitmotion_models.exchange.mcap_files import RecordedTopic
from fitmotion_models.exchange.ros_schema import UnknownDefinitionError
from fitmotion_nodes.diagnostics import NodeDiagnostics
from fitmotion_nodes.parameters import declare
from fitmotion_nodes.recorder_parameters import RecorderParameters
from fitmotion_nodes.recorder_topics import (
    definition_of,
    has_header,
    header_stamp,
    is_wanted,
    matching_qos,
    message_class,
    qos_text,
)
from fitmotion_nodes.recording_thread import MEGABYTE, RecordingOptions, RecordingThread
from fitmotion_nodes.spin import CannotRunError, run_node

LOOK_FOR_TOPICS_S = 0.1  # a look costs microseconds, and what is said before it is lost to the recording
LOOK_FOR_TROUBLE_S = 1.0
DAY_NS = 86_400 * 10**9  # a stamp that is further from the clock is of another clock, or none (0: a static transform)


@dataclass
class _Ear:
    """One subscription. outdated: a publisher has come whose offer it does not fit."""

    topic: RecordedTopic
    subscription: Any
    outdated: bool = False


class RecorderNode(Node):
    """Records every topic of its namespace, and /tf, /tf_static, /diagnostics and /rosout, whatever their types.

    Never raw images, compressed ones if asked. Nothing is unpacked: messages are stored as the bytes that travelled.
    Log time is when a message arrived, publish time when it was sent; in media time both are the message's own stamp
    or, where it has none, the graph's clock, so that the recording plays at the pace of the media.
    Publishes /diagnostics.
    """

    def __init__(self) -> None:
        super().__init__("recorder")
        self._chosen = declare(self, RecorderParameters)
        self._media_time = bool(self.get_parameter("use_sim_time").value)
        # messages from before the graph's clock has begun; each is put when it is known what time it is
        self._early: list[Callable[[int], None]] = []
        self._ears: dict[str, _Ear] = {}
        self._passed_over: set[str] = set()
        self._diagnostics = NodeDiagnostics(self, live=False, engine=f"MCAP, {self._chosen.compression}")
        self._lost = 0
        self._said = ""
        self._recording = self._begin()
        steady = Clock(clock_type=ClockType.STEADY_TIME)  # not in the data path, and media time may stand still
        self.create_timer(LOOK_FOR_TOPICS_S, self._look_for_topics, clock=steady)
        self.create_timer(LOOK_FOR_TROUBLE_S, self._report, clock=steady)
        self.get_logger().info(f"recording into {self._recording.path}")

    def destroy_node(self) -> None:
        """Complete the file before the node goes."""
        if hasattr(self, "_recording"):
            self._release_early(self.get_clock().now().nanoseconds, anyway=True)
            self._recording.close()
        super().destroy_node()

    def _begin(self) -> RecordingThread:
        given = self._chosen
        options = RecordingOptions(
            path=Path(given.path).expanduser(),
            compression=given.compression,
            flush_s=given.flush_s,
            queue_bytes=given.queue_mb * MEGABYTE,
            min_free_bytes=given.min_free_mb * MEGABYTE,
        )
        try:
            return RecordingThread(options, took=partial(self._diagnostics.took, "chunk"))
        except OSError as error:
            reason = f"cannot record into {options.path}: {error.strerror}" if error.strerror else str(error)
            raise CannotRunError(f"recorder: {reason}") from error

    # ---- topics ----

    def _look_for_topics(self) -> None:
        for name, types in self.get_topic_names_and_types():
            ear = self._ears.get(name)
            if name in self._passed_over or (ear is not None and not ear.outdated):
                continue
            if not is_wanted(
                name,
                types,
                namespace=self.get_namespace(),
                compressed_images=self._chosen.compressed_images,
                exclude=self._chosen.exclude,
            ):
                continue
            offered = [info.qos_profile for info in self.get_publishers_info_by_topic(name)]
            if offered:  # else somebody only listens there
                self._listen(name, types[0], offered)

    def _listen(self, name: str, type_name: str, offered: list[QoSProfile]) -> None:
        try:
            kind, definition = message_class(type_name), definition_of(type_name)
        except UnknownDefinitionError as error:
            self._passed_over.add(name)
            self.get_logger().warning(f"{name} is not recorded: {error}")
            return
        infos = self.get_publishers_info_by_topic(name)
        topic = RecordedTopic(name, type_name, definition, qos_text(offered), str(infos[0].topic_type_hash))
        if name in self._ears:
            self.destroy_subscription(self._ears.pop(name).subscription)
        self._ears[name] = _Ear(
            topic,
            self.create_subscription(
                kind,
                name,
                self._taker(topic),
                matching_qos(offered, keep_all=self._chosen.lossless),
                event_callbacks=SubscriptionEventCallbacks(
                    incompatible_qos=partial(self._on_incompatible, name),
                    message_lost=self._on_lost,
                    use_default_callbacks=False,
                ),
                raw=True,
            ),
        )

    def _on_incompatible(self, name: str, event: Any) -> None:
        self._ears[name].outdated = True

    def _on_lost(self, event: Any) -> None:
        self._lost += event.total_count_change

    # ---- messages ----

    def _taker(self, topic: RecordedTopic) -> Callable[[bytes, dict[str, Any]], None]:
        stamp_of = header_stamp if has_header(topic.definition) else None

        def take(data: bytes, info: dict[str, Any]) -> None:
            self._diagnostics.frames_in += 1
            sequence = (info.get("publication_sequence_number") or 0) & 0xFFFFFFFF
            if self._media_time:
                stamp = None if stamp_of is None else stamp_of(data)
                self._early.append(partial(self._put_in_media_time, topic, data, sequence, stamp))
                self._release_early(self.get_clock().now().nanoseconds)
                return
            arrived = info.get("received_timestamp") or time.time_ns()  # a middleware may not tell
            sent = info.get("source_timestamp") or arrived
            self._recording.put(topic, data, arrived, sent, sequence)

        return take

    def _release_early(self, now: int, *, anyway: bool = False) -> None:
        """Put what waits for the graph's clock, once it has begun.

        A time of 0 in a recording whose clock shows the time of day would be decades of silence to who plays it.
        """
        if now or anyway:
            for put in self._early:
                put(now)
            self._early.clear()

    def _put_in_media_time(self, topic: RecordedTopic, data: bytes, sequence: int, stamp: int | None, now: int) -> None:
        """Log at the message's own stamp: /clock comes on a way of its own, sooner or later than what belongs to it."""
        when = max(stamp, 0) if stamp is not None and abs(now - stamp) < DAY_NS else now
        self._recording.put(topic, data, when, when, sequence)

    # ---- diagnostics ----

    def _report(self) -> None:
        recording, diagnostics = self._recording, self._diagnostics
        diagnostics.frames_out = recording.written
        diagnostics.dropped = recording.dropped + self._lost
        trouble = recording.trouble
        if trouble != self._said:  # said here, in the executor's thread
            if trouble:
                self.get_logger().error(trouble)
            else:
                self.get_logger().info(f"recording goes on in {recording.path}")
            self._said = trouble
        diagnostics.warning = trouble
        diagnostics.status = f"recording {len(self._ears)} topics into {recording.path.name}"
        diagnostics.extra = {
            "file": str(recording.path),
            "topics": str(len(self._ears)),
            "messages": str(recording.written),
            "bytes": str(recording.bytes),
            "free_mb": f"{recording.free_bytes / MEGABYTE:.0f}",
        }


def main(args: Sequence[str] | None = None) -> int:
    """Run the node until it is stopped."""
    return run_node(RecorderNode, args)


if __name__ == "__main__":
    sys.exit(main())
