"""The recorder node: everything that the graph publishes, as it travels, into an MCAP file."""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.node import Node
from rclpy.qos import QoSProfile

from fitmotion_models.exchange.mcap_files import RecordedTopic
from fitmotion_models.exchange.ros_schema import UnknownDefinitionError
from fitmotion_nodes.diagnostics import NodeDiagnostics, SequenceGaps
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
from fitmotion_nodes.unspun import Mailbox

TICK_S = 0.04  # how often messages are fetched; they keep the time at which they arrived
LOOK_FOR_TOPICS_TICKS = 2  # a look costs microseconds, and what is said before it is lost to the recording
REPORT_TICKS = 25
MINUTE_NS = 60 * 10**9  # a message that is older was kept for late listeners, or its stamp is of another clock
MOST_EARLY = 10_000  # messages that wait for a clock that may never begin
DAY_NS = 86_400 * 10**9  # a stamp that is further from the clock is of another clock, or none (0: a static transform)


@dataclass
class _Ear:
    """One topic that is heard. put: takes the bytes of a message and what the middleware says of it."""

    topic: RecordedTopic
    qos: QoSProfile
    mailbox: Mailbox
    put: Callable[[bytes, dict[str, Any]], None]
    gaps: SequenceGaps = field(default_factory=SequenceGaps)


class RecorderNode(Node):
    """Records every topic of its namespace, and /tf, /tf_static, /diagnostics and /rosout, whatever their types.

    Never raw images, compressed ones if asked. Nothing is unpacked: messages are stored as the bytes that travelled.
    Log time is when a message arrived, publish time when it was sent; in media time both are the message's own stamp
    or, where it has none, the graph's clock, so that the recording plays at the pace of the media.
    Publishes /diagnostics.
    """

    def __init__(self) -> None:
        super().__init__("recorder")
        self._settings = declare(self, RecorderParameters)
        self._media_time = bool(self.get_parameter("use_sim_time").value)
        # messages from before the graph's clock has begun; each is put when it is known what time it is
        self._early: list[Callable[[int], None]] = []
        self._ears: dict[str, _Ear] = {}
        self._passed_over: set[str] = set()
        self._diagnostics = NodeDiagnostics(self, live=False, engine=f"MCAP, {self._settings.compression}")
        self._lost = 0
        self._said = ""
        self._recording = self._begin()
        self._ticks = 0
        # on the steady clock: media time may stand still
        self.create_timer(TICK_S, self._tick, clock=Clock(clock_type=ClockType.STEADY_TIME))
        self.get_logger().info(f"recording into {self._recording.path}")

    def destroy_node(self) -> None:
        """Complete the file before the node goes."""
        if hasattr(self, "_recording"):
            self._fetch()
            self._release_early(self.get_clock().now().nanoseconds, anyway=True)
            self._recording.close()
        super().destroy_node()

    def _begin(self) -> RecordingThread:
        given = self._settings
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

    def _tick(self) -> None:
        self._fetch()
        if self._ticks % LOOK_FOR_TOPICS_TICKS == 0:
            self._look_for_topics()
        if self._ticks % REPORT_TICKS == 0:
            self._report()
        self._ticks += 1

    # ---- topics ----

    def _look_for_topics(self) -> None:
        for name, types in self.get_topic_names_and_types():
            ear = self._ears.get(name)
            # publishers that do not match: they offer less than was asked for, or have only just come
            heard = ear is not None and ear.mailbox.publishers == self.count_publishers(name)
            if heard or name in self._passed_over or not self._is_wanted(name, types):
                continue
            infos = self.get_publishers_info_by_topic(name)
            qos = matching_qos([info.qos_profile for info in infos], keep_all=self._settings.lossless)
            if infos and (ear is None or qos != ear.qos):  # without publishers somebody only listens there
                self._listen(name, types[0], infos, qos)

    def _is_wanted(self, name: str, types: list[str]) -> bool:
        return is_wanted(
            name,
            types,
            namespace=self.get_namespace(),
            compressed_images=self._settings.compressed_images,
            exclude=self._settings.exclude,
        )

    def _listen(self, name: str, type_name: str, infos: list[Any], qos: QoSProfile) -> None:
        try:
            kind, definition = message_class(type_name), definition_of(type_name)
        except UnknownDefinitionError as error:
            self._passed_over.add(name)
            self.get_logger().warning(f"{name} is not recorded: {error}")
            return
        offered = [info.qos_profile for info in infos]
        topic = RecordedTopic(name, type_name, definition, qos_text(offered), str(infos[0].topic_type_hash))
        put = self._put_in_media_time(topic) if self._media_time else self._put_live(topic)
        if name in self._ears:
            self._fetch_from(self._ears[name])
            self._ears.pop(name).mailbox.close()
        mailbox = Mailbox(self, kind, name, qos, raw=True)
        self._ears[name] = _Ear(topic, qos, mailbox, put)

    # ---- messages ----

    def _fetch(self) -> None:
        for ear in self._ears.values():
            self._fetch_from(ear)

    def _fetch_from(self, ear: _Ear) -> None:
        for data, info in ear.mailbox:
            self._diagnostics.frames_in += 1
            self._lost += ear.gaps.missed(info.get("publication_sequence_number") or 0)
            ear.put(data, info)

    def _put_live(self, topic: RecordedTopic) -> Callable[[bytes, dict[str, Any]], None]:
        stamped = has_header(topic.definition)

        def put(data: bytes, info: dict[str, Any]) -> None:
            arrived = info.get("received_timestamp") or time.time_ns()  # a middleware may not tell
            sent = info.get("source_timestamp") or arrived
            stamp = header_stamp(data) if stamped else None
            if stamp is not None and 0 <= arrived - stamp < MINUTE_NS:
                self._diagnostics.took("latency", (arrived - stamp) / 1e9)
            self._recording.put(topic, data, arrived, sent, _sequence(info))

        return put

    def _put_in_media_time(self, topic: RecordedTopic) -> Callable[[bytes, dict[str, Any]], None]:
        stamped = has_header(topic.definition)

        def put(data: bytes, info: dict[str, Any]) -> None:
            stamp = header_stamp(data) if stamped else None

            def put_at(now: int) -> None:
                # at its own stamp: /clock comes on a way of its own, sooner or later than what belongs to it
                when = max(stamp, 0) if stamp is not None and abs(now - stamp) < DAY_NS else now
                self._recording.put(topic, data, when, when, _sequence(info))

            if len(self._early) < MOST_EARLY:
                self._early.append(put_at)
            else:
                self._lost += 1
            self._release_early(self.get_clock().now().nanoseconds)

        return put

    def _release_early(self, now: int, *, anyway: bool = False) -> None:
        """Put what waits for the graph's clock, once it has begun.

        A time of 0 in a recording whose clock shows the time of day would be decades of silence to who plays it.
        """
        if now or anyway:
            for put in self._early:
                put(now)
            self._early.clear()

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


def _sequence(info: dict[str, Any]) -> int:
    return (info.get("publication_sequence_number") or 0) & 0xFFFFFFFF  # as wide as the file has room for


def main(args: Sequence[str] | None = None) -> int:
    """Run the node until it is stopped."""
    return run_node(RecorderNode, args)


if __name__ == "__main__":
    sys.exit(main())
