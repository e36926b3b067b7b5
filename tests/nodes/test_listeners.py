"""A source starts when those who must not miss the start are there."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from fitmotion_msgs.msg import BodyPose
from fitmotion_nodes import listeners


def test_a_source_waits_for_the_named_listeners(ros: Any) -> None:
    graph = ros()
    publisher = graph.node.create_publisher(BodyPose, "body_pose", 10)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(listeners.wait_for_listeners, graph.node, [publisher], "fms,recorder", threading.Event())
        for name in ("fms", "recorder"):
            assert not waiting.done()
            listener = graph.add(_node(name))
            listener.create_subscription(BodyPose, "body_pose", lambda msg: None, 10)
            graph.spin_for(0.3)
        assert waiting.result(5.0)


def test_a_source_that_is_told_to_stop_does_not_start(ros: Any) -> None:
    graph = ros()
    publisher = graph.node.create_publisher(BodyPose, "body_pose", 10)
    stop = threading.Event()
    stop.set()
    assert not listeners.wait_for_listeners(graph.node, [publisher], "fms", stop)


def test_who_never_comes_is_not_waited_for_for_ever(ros: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listeners, "PATIENCE_S", 0.1)
    graph = ros()
    publisher = graph.node.create_publisher(BodyPose, "body_pose", 10)
    assert listeners.wait_for_listeners(graph.node, [publisher], "fms", threading.Event())


def _node(name: str) -> Any:
    import rclpy

    return rclpy.create_node(name, use_global_arguments=False)
