"""Subscriptions whose messages wait until they are fetched.

An executor wakes up for every single message, which costs a multiple of what looking at it does. Who shows or stores
what it hears a few times a second fetches what has come by then.
"""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from rclpy.callback_groups import CallbackGroup
from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.exceptions import InvalidHandle
from rclpy.node import Node
from rclpy.qos import QoSProfile


class Unspun(CallbackGroup):
    """Subscriptions that the executor does not wait for."""

    def can_execute(self, entity: Any) -> bool:
        """Never by an executor."""
        return False

    def beginning_execution(self, entity: Any) -> bool:
        """Never by an executor."""
        return False

    def ending_execution(self, entity: Any) -> None:
        """Nothing was begun."""


class Mailbox:
    """What was published on a topic since it was last looked at, as much of it as the quality of service keeps.

    raw: messages come as the bytes that travelled.
    """

    def __init__(self, node: Node, kind: type, topic: str, qos: QoSProfile, *, raw: bool = False) -> None:
        self._node, self._raw = node, raw
        self._subscription = node.create_subscription(
            kind,
            topic,
            lambda msg: None,
            qos,
            callback_group=Unspun(),
            event_callbacks=SubscriptionEventCallbacks(use_default_callbacks=False) if raw else None,
            raw=raw,
        )

    @property
    def topic_name(self) -> str:
        """The topic, resolved."""
        return str(self._subscription.topic_name)

    @property
    def publishers(self) -> int:
        """How many publishers match."""
        return int(self._subscription.get_publisher_count())

    def take(self) -> tuple[Any, dict[str, Any]] | None:
        """The oldest message that waits and what the middleware says of it; None when there is none."""
        # `handle` is what an executor takes messages from; InvalidHandle: it is being destroyed
        handle = self._subscription.handle
        with suppress(InvalidHandle), handle:
            taken: tuple[Any, dict[str, Any]] | None = handle.take_message(self._subscription.msg_type, self._raw)
            return taken
        return None

    def __iter__(self) -> Iterator[tuple[Any, dict[str, Any]]]:
        """All that waits, oldest first."""
        while (taken := self.take()) is not None:
            yield taken

    def close(self) -> None:
        """Listen no more; what waits is lost."""
        self._node.destroy_subscription(self._subscription)
