"""A subscription whose messages a thread of its own waits for.

rclpy's executor collects all that a node has, subscriptions, services, timers and events, anew before every wait: of a
node that hears of thirty poses a second this was a third of the processor time. The thread waits for one thing.
"""

import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Any

from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.exceptions import InvalidHandle
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.node import Node
from rclpy.qos import QoSProfile

from fitmotion_nodes.conversions import NANOSECONDS
from fitmotion_nodes.flow import TURN_S, Worker
from fitmotion_nodes.unspun import Unspun

Hear = Callable[[Any, dict[str, Any]], None]


class ThreadSubscription:
    """Hands on every message of a topic, oldest first, in a thread of its own.

    hear: is called with the message and what the middleware says of it. event_callbacks: are called in the thread too.
    `lock` is held during both; what the executor's thread does with the same things takes it. What they raise is raised
    in the executor's thread, which ends the process as if the executor had called.
    """

    def __init__(
        self,
        node: Node,
        kind: type,
        topic: str,
        hear: Hear,
        qos: QoSProfile,
        *,
        event_callbacks: SubscriptionEventCallbacks | None = None,
    ) -> None:
        self.lock = threading.RLock()
        self._node, self._hear = node, hear
        # Events too are not the executor's: Fast DDS has one condition for a subscription's messages and events, so
        # that whoever waits for its events is woken by every message.
        self._subscription = node.create_subscription(
            kind, topic, lambda msg: None, qos, callback_group=Unspun(), event_callbacks=event_callbacks
        )
        self._failure: Exception | None = None
        self._failed = node.create_guard_condition(self._on_failure)
        self._worker = Worker(self._listen, self._when_ended)

    def take_waiting(self) -> None:
        """Hand on all that has come and not been handed on yet, here and now."""
        with self.lock:
            while (taken := self._take()) is not None:
                self._hear(*taken)

    def close(self) -> None:
        """End the thread; called before the node is destroyed."""
        self._worker.stop()

    # ---- in the thread ----

    def _listen(self, stop: threading.Event) -> None:
        context, handle, events = self._node.context, self._subscription.handle, self._subscription.event_handlers
        with suppress(InvalidHandle), ExitStack() as kept:
            for item in (context.handle, handle, *events):
                kept.enter_context(item)
            waiting = rclpy_implementation.WaitSet(1, 0, 0, 0, 0, len(events), context.handle)
            while not stop.is_set() and context.ok():
                waiting.clear_entities()
                waiting.add_subscription(handle)
                for event in events:
                    event.add_to_wait_set(waiting)
                # in short turns, as nobody wakes this side when it shall stop
                waiting.wait(int(TURN_S * NANOSECONDS))
                with self.lock:
                    while not stop.is_set() and (taken := self._take()) is not None:
                        self._hear(*taken)
                    for event in events:
                        if event.is_ready(waiting) and (data := event.take_data()):
                            event.callback(data)

    def _take(self) -> tuple[Any, dict[str, Any]] | None:
        """The oldest message that waits; none is there, too, where the subscription is being destroyed."""
        with suppress(InvalidHandle), self._subscription.handle:
            taken: tuple[Any, dict[str, Any]] | None = self._subscription.handle.take_message(
                self._subscription.msg_type, False
            )
            return taken
        return None

    def _when_ended(self, error: Exception | None) -> None:
        if error is not None and self._node.context.ok():  # after Ctrl-C a failure to wait is no failure
            self._failure = error
            self._failed.trigger()

    # ---- in the executor's thread ----

    def _on_failure(self) -> None:
        if self._failure is not None:
            raise self._failure
