"""A source waits for those who listen, so that the start of what it plays is not lost to them."""

import threading
import time
from collections.abc import Sequence

from rclpy.node import Node
from rclpy.publisher import Publisher

PATIENCE_S = 20.0  # loading a pose model takes seconds
_LOOK_S = 0.02
BODIES = "body_pose"  # what everybody listens to in the end, whatever the source


def wait_for_listeners(node: Node, publishers: Sequence[Publisher], names: str, stop: threading.Event) -> bool:
    """Wait until somebody listens to one of the publishers, and the named nodes to the bodies; False when told to stop.

    names: joined by commas. After `PATIENCE_S` the source starts all the same, with a warning where one was named: it
    may be wanted alone.
    """
    wanted = {name for name in names.split(",") if name}
    own = any(publisher.topic_name == node.resolve_topic_name(BODIES) for publisher in publishers)
    at_least = len(wanted) if own and wanted else 1
    end = time.monotonic() + PATIENCE_S
    missing = wanted
    while time.monotonic() < end:
        missing = wanted - {info.node_name for info in node.get_subscriptions_info_by_topic(BODIES)}
        if not missing and sum(publisher.get_subscription_count() for publisher in publishers) >= at_least:
            return not stop.is_set()
        if stop.wait(_LOOK_S):
            return False
    if missing:
        node.get_logger().warning(f"{', '.join(sorted(missing))} did not listen within {PATIENCE_S:g} s")
    return not stop.is_set()
