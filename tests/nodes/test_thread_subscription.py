"""A subscription with a thread of its own: every message in order, events too, and no failure that stays unseen."""

import threading
import time

import pytest
import rclpy
from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import Int32

from fitmotion_nodes.thread_subscription import ThreadSubscription

KEPT = QoSProfile(depth=1000, durability=DurabilityPolicy.TRANSIENT_LOCAL)


class Listener(Node):
    """Hears numbers; ends at a negative one."""

    def __init__(self) -> None:
        super().__init__("thread_listener", use_global_arguments=False)
        self.heard: list[int] = []
        self.threads: set[threading.Thread] = set()
        self.publishers_left: list[int] = []
        self.subscription = ThreadSubscription(
            self,
            Int32,
            "numbers",
            self._hear,
            KEPT,
            event_callbacks=SubscriptionEventCallbacks(
                matched=lambda info: self.publishers_left.append(info.current_count)
            ),
        )

    def _hear(self, msg: Int32, info: dict) -> None:
        if msg.data < 0:
            raise ZeroDivisionError("a negative number")
        self.heard.append(msg.data)
        self.threads.add(threading.current_thread())

    def destroy_node(self) -> None:
        self.subscription.close()
        super().destroy_node()


def test_all_messages_come_in_order_without_an_executor(ros) -> None:
    graph = ros()
    listener = Listener()
    try:
        numbers = graph.node.create_publisher(Int32, "numbers", KEPT)
        for number in range(500):
            numbers.publish(Int32(data=number))
        graph.until(lambda: len(listener.heard) == 500)
        assert listener.heard == list(range(500))
        assert threading.main_thread() not in listener.threads and len(listener.threads) == 1
        assert listener.publishers_left == [1]
        graph.node.destroy_publisher(numbers)
        graph.until(lambda: listener.publishers_left == [1, 0])
    finally:
        listener.destroy_node()
    assert not any(thread.is_alive() for thread in listener.threads)


def test_who_holds_the_lock_is_not_interrupted_and_can_take_what_waits(ros) -> None:
    graph = ros()
    listener = Listener()
    try:
        numbers = graph.talk(Int32, "numbers", KEPT)
        with listener.subscription.lock:
            numbers.publish(Int32(data=1))
            numbers.publish(Int32(data=2))
            time.sleep(0.3)
            assert listener.heard == []
            listener.subscription.take_waiting()
            assert listener.heard == [1, 2]
            assert listener.threads == {threading.current_thread()}
    finally:
        listener.destroy_node()


def test_a_failure_ends_the_spinning_as_that_of_any_callback(ros) -> None:
    graph = ros()
    graph.add(Listener())
    numbers = graph.talk(Int32, "numbers", KEPT)
    numbers.publish(Int32(data=-1))
    with pytest.raises(ZeroDivisionError, match="a negative number"):
        graph.until(lambda: False, patience=10.0)


def test_a_shutdown_under_it_is_no_failure(ros) -> None:
    ros()
    listener = Listener()
    rclpy.try_shutdown()
    listener.subscription.close()
    assert listener.subscription._failure is None


def test_closing_takes_no_longer_than_a_turn(ros) -> None:
    ros()
    listener = Listener()
    start = time.monotonic()
    listener.destroy_node()
    assert time.monotonic() - start < 1.0
