"""Files that stand for the cameras of a rig begin together: the first one says when, as soon as all are ready."""

import threading
import time

from builtin_interfaces.msg import Time
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

BEGIN = "begin"  # the topic on which the first camera says when; remapped to one for all cameras of a rig
PATIENCE_S = 30.0  # loading N pose models takes seconds
AHEAD_S = 0.3  # from the word to the beginning, so that all have heard it
_LOOK_S = 0.02
_NANOSECONDS = 1_000_000_000
_QOS = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL)


def begin_together(node: Node, others: int, *, leads: bool, stop: threading.Event) -> bool:
    """Wait until all cameras of the rig are ready, then until the time that the first one says; False when stopped.

    others: cameras beside this one. Called from a thread of its own while the node spins. Who is not ready within
    `PATIENCE_S` is done without, with a warning.
    """
    when = _say(node, others, stop) if leads else _hear(node, stop)
    if when is None:
        return not stop.is_set()
    wait = when / _NANOSECONDS - node.get_clock().now().nanoseconds / _NANOSECONDS
    return not stop.wait(max(wait, 0.0))


def _say(node: Node, others: int, stop: threading.Event) -> int | None:
    publisher = node.create_publisher(Time, BEGIN, _QOS)
    end = time.monotonic() + PATIENCE_S
    while publisher.get_subscription_count() < others:
        if stop.wait(_LOOK_S):
            return None
        if time.monotonic() > end:
            ready = publisher.get_subscription_count()
            node.get_logger().warning(f"{others - ready} cameras of the rig were not ready within {PATIENCE_S:g} s")
            break
    when = node.get_clock().now().nanoseconds + int(AHEAD_S * _NANOSECONDS)
    publisher.publish(Time(sec=when // _NANOSECONDS, nanosec=when % _NANOSECONDS))
    return when


def _hear(node: Node, stop: threading.Event) -> int | None:
    heard: list[int] = []
    told = threading.Event()

    def on_time(msg: Time) -> None:
        heard.append(msg.sec * _NANOSECONDS + msg.nanosec)
        told.set()

    subscription = node.create_subscription(Time, BEGIN, on_time, _QOS)
    end = time.monotonic() + PATIENCE_S + AHEAD_S
    while not told.wait(_LOOK_S) and not stop.is_set():
        if time.monotonic() > end:
            node.get_logger().warning(f"the first camera of the rig did not say when to begin within {PATIENCE_S:g} s")
            break
    node.destroy_subscription(subscription)
    return heard[0] if heard else None
