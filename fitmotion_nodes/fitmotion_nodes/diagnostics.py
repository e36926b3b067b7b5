"""What every node says about itself once a second on /diagnostics: rate, latency, drops, engine, refused messages."""

import time
from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING

from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.clock import Clock
from rclpy.clock_type import ClockType

from fitmotion_nodes.conversions import NANOSECONDS

if TYPE_CHECKING:
    from rclpy.node import Node

PERIOD_S = 1.0
LOG_EVERY_S = 5.0  # a stream of bad messages is one line in this time; the counter has them all
AHEAD_S = 10.0  # clocks of two machines that nobody synchronises differ by less
OTHER_CLOCK_S = 60.0  # a stamp that is further away is of another clock: there is no latency to be told
WINDOW = 300  # samples behind a percentile: ten seconds of video


class Percentiles:
    """The middle and the slow end of the last `WINDOW` durations."""

    def __init__(self) -> None:
        self._samples: deque[float] = deque(maxlen=WINDOW)

    def add(self, milliseconds: float) -> None:
        """Take one duration in milliseconds."""
        self._samples.append(milliseconds)

    def values(self, name: str) -> dict[str, str]:
        """`<name>_p50_ms` and `<name>_p95_ms`; nothing while there are no samples."""
        ordered = sorted(self._samples)
        if not ordered:
            return {}
        pick = {level: ordered[min(len(ordered) - 1, int(len(ordered) * level / 100))] for level in (50, 95)}
        return {f"{name}_p{level}_ms": f"{value:.2f}" for level, value in pick.items()}


class NodeDiagnostics:
    """Counters of one node and the message made of them.

    engine: what does the work (a pose model, a scorer, a camera), for people.
    live: whether stamps are on the node's clock, so that a latency can be told; in media time there is none.
    """

    def __init__(self, node: "Node", *, live: bool, engine: str = "") -> None:
        self.engine = engine
        self.status = ""  # a sentence about what the node is doing
        self.warning = ""  # a sentence that stands until it is taken back: a lost camera, a guess
        self.frames_in = self.frames_out = self.dropped = self.bad_messages = 0
        self.extra: dict[str, str] = {}
        self._durations: dict[str, Percentiles] = {}
        self._node, self._live = node, live
        self._last_bad = ""
        self._reported_bad = self._reported_out = 0
        self._reported_at = time.monotonic()
        self._publisher = node.create_publisher(DiagnosticArray, "/diagnostics", 10)
        # the only timer of a node, and not in the data path; on the steady clock, as media time may stand still
        node.create_timer(PERIOD_S, self.report, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def sent(self, stamp: Time) -> None:
        """One frame went out; stamp: of the image behind it."""
        self.frames_out += 1
        if self._live:
            now = self._node.get_clock().now().nanoseconds
            latency = (now - stamp.sec * NANOSECONDS - stamp.nanosec) / 1e9
            if abs(latency) < OTHER_CLOCK_S:
                self.took("latency", latency)

    def check_time(self, stamp: Time) -> None:
        """Raise ValueError for a stamp that has not come yet: everything after it would look as if it were old."""
        now = self._node.get_clock().now().nanoseconds
        ahead = (stamp.sec * NANOSECONDS + stamp.nanosec - now) / 1e9
        if self._live and now and ahead > AHEAD_S:
            raise ValueError(
                f"stamp is {ahead:.0f} s ahead of this machine's clock; synchronise the clocks, or set use_sim_time "
                "when a recording is played"
            )

    def took(self, name: str, seconds: float) -> None:
        """A step of this name took so long."""
        self._durations.setdefault(name, Percentiles()).add(seconds * 1e3)

    def bad_message(self, error: Exception) -> None:
        """A message was refused; the text says why."""
        self.bad_messages += 1
        self._last_bad = str(error)
        self._node.get_logger().warning(f"message dropped: {error}", throttle_duration_sec=LOG_EVERY_S)

    def report(self) -> None:
        """Say it now, whenever the next time would be."""
        now = time.monotonic()
        rate = (self.frames_out - self._reported_out) / (now - self._reported_at)
        newly_bad = self.bad_messages > self._reported_bad
        self._reported_at, self._reported_out, self._reported_bad = now, self.frames_out, self.bad_messages
        warning = self.warning or (f"refused a message: {self._last_bad}" if newly_bad else "")
        status = DiagnosticStatus(
            level=DiagnosticStatus.WARN if warning else DiagnosticStatus.OK,
            name=self._node.get_fully_qualified_name().lstrip("/"),
            message=warning or self.status or "running",
            hardware_id=self.engine,
            values=_key_values(self._values(rate).items()),
        )
        array = DiagnosticArray(status=[status])
        array.header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(array)

    def _values(self, rate: float) -> dict[str, str]:
        values = {
            "rate_hz": f"{rate:.2f}",
            "frames_in": str(self.frames_in),
            "frames_out": str(self.frames_out),
            "dropped": str(self.dropped),
            "bad_messages": str(self.bad_messages),
            "last_bad_message": self._last_bad,
            "engine": self.engine,
        }
        for name, durations in list(self._durations.items()):  # other threads may add to it
            values |= durations.values(name)
        return values | self.extra


class SequenceGaps:
    """Counts messages that publishers sent and we never got, from the sequence numbers that the middleware keeps.

    It does not tell whose number it is: a number belongs to the publisher that it follows the closest.
    """

    MOST_MISSED = 1000  # more were not lost but come from a publisher that had begun before we listened
    MOST_PUBLISHERS = 8

    def __init__(self) -> None:
        self._last: list[int] = []  # of each publisher, the one heard of last at the end

    def missed(self, sequence: int) -> int:
        """How many were lost right before this one; a publisher that starts anew begins a new count."""
        before = max((last for last in self._last if 0 < sequence - last <= self.MOST_MISSED), default=None)
        if before is not None:
            self._last.remove(before)
        self._last = [*self._last, sequence][-self.MOST_PUBLISHERS :]
        return 0 if before is None else sequence - before - 1


def _key_values(pairs: Iterable[tuple[str, str]]) -> list[KeyValue]:
    return [KeyValue(key=key, value=value) for key, value in pairs]
