"""One side of an exchange between two ROS 2 distributions: `exchange.py MY_NAME OTHER_NAME < pipe`.

Both sides do the same: publish one message of every type, serve every service and action, and call the other's. Every
field of what is sent has a value of its own, which the receiver works out by itself and compares. What arrived and what
differed is printed as one line of JSON; then this side goes on answering until its standard input is closed.
"""

import array
import importlib
import json
import os
import re
import sys
import threading
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

os.environ["ROS_PYTHON_CHECK_FIELDS"] = "1"  # read when messages are imported

import numpy as np
import rclpy
from rclpy.action import ActionClient, ActionServer
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.executors import MultiThreadedExecutor
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import String

PATIENCE_S = 60.0
FIRST_NUMBERS = (1, 1004)  # of the two sides; with these no field has the same value on both
INTERFACES = Path(__file__).resolve().parents[2] / "msgs"
# What our graph publishes beside our own messages.
STANDARD_MESSAGES = (
    *("sensor_msgs/Image", "sensor_msgs/CompressedImage", "sensor_msgs/CameraInfo", "sensor_msgs/Imu"),
    *("sensor_msgs/JointState", "visualization_msgs/MarkerArray", "tf2_msgs/TFMessage", "rosgraph_msgs/Clock"),
    *("diagnostic_msgs/DiagnosticArray", "nav_msgs/Path", "std_msgs/String"),
)
KEPT = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)  # whoever comes later gets it too


def ours(kind: str) -> list[str]:
    """Names of our interfaces of one kind: "msg", "srv" or "action"."""
    return sorted(path.stem for path in (INTERFACES / kind).glob(f"*.{kind}"))


def interface(package: str, kind: str, name: str) -> Any:
    return getattr(importlib.import_module(f"{package}.{kind}"), name)


def messages() -> dict[str, Any]:
    """Name -> class of every message that is published by itself."""
    found = {f"fitmotion_msgs/{name}": interface("fitmotion_msgs", "msg", name) for name in ours("msg")}
    for full_name in STANDARD_MESSAGES:
        package, name = full_name.split("/")
        found[full_name] = interface(package, "msg", name)
    return found


def everything() -> set[str]:
    """Names of all that one side receives."""
    names = set(messages())
    names |= {f"{name}.{part}" for name in ours("srv") for part in ("Request", "Response")}
    return names | {f"{name}.{part}" for name in ours("action") for part in ("Goal", "Feedback", "Result")}


def scalar(kind: str, number: int) -> Any:
    """The value that stands for a number in a type; wraps where the type is small. Every seventh float is NaN."""
    if kind == "boolean":
        return number % 2 == 1
    if kind in ("float", "double"):
        return float("nan") if number % 7 == 0 else number + 0.25
    if kind == "string":
        return f"text {number} äß漢"
    if kind == "octet":
        return bytes([number % 256])
    bits = int(re.search(r"\d+", kind)[0])
    if kind.startswith("uint"):
        return number * 0x0101010101010101 % 2**bits
    return -number % 2**bits - 2 ** (bits - 1)


def filled(kind: Any, numbers: Iterator[int]) -> Any:
    """A message with the next number in every field; sequences hold three elements."""
    message = kind()
    for name, field in kind.get_fields_and_field_types().items():
        shape = re.fullmatch(r"sequence<(.+)>", field) or re.fullmatch(r"(.+)\[(\d+)\]", field)
        element = shape[1] if shape else field
        length = int(shape[2]) if shape and shape.lastindex == 2 else 3
        values = [_element(element, numbers) for _ in range(length if shape else 1)]
        current = getattr(message, name)
        if isinstance(current, np.ndarray):
            setattr(message, name, np.array(values, current.dtype))
        elif isinstance(current, array.array):
            setattr(message, name, array.array(current.typecode, values))
        else:
            setattr(message, name, values if shape else values[0])
    return message


def _element(kind: str, numbers: Iterator[int]) -> Any:
    if "/" not in kind:
        return scalar(kind, next(numbers))
    package, name = kind.split("/")
    return filled(interface(package, "msg", name), numbers)


def differences(got: Any, wanted: Any, where: str) -> Iterator[str]:
    """The fields in which two messages differ."""
    if hasattr(wanted, "get_fields_and_field_types"):
        for name in wanted.get_fields_and_field_types():
            yield from differences(getattr(got, name), getattr(wanted, name), f"{where}.{name}")
    elif isinstance(wanted, list) and len(got) == len(wanted):
        for index, (mine, other) in enumerate(zip(got, wanted, strict=True)):
            yield from differences(mine, other, f"{where}[{index}]")
    elif isinstance(wanted, np.ndarray | array.array | float):
        if not np.array_equal(got, wanted, equal_nan=np.asarray(wanted).dtype.kind == "f"):
            yield f"{where}: got {got!r} instead of {wanted!r}"
    elif got != wanted or type(got) is not type(wanted):
        yield f"{where}: got {got!r} instead of {wanted!r}"


class Side:
    """One participant: all publishers, subscriptions, services and actions, in both directions."""

    def __init__(self, node: Node, me: str, other: str) -> None:
        self._node, self._me, self._other = node, me, other
        self._group = ReentrantCallbackGroup()
        self.received: set[str] = set()
        self.differences: list[str] = []
        self._acknowledged: set[str] = set()
        self._kept: list[Any] = []
        for name, kind in messages().items():
            self._exchange_message(name, kind)
        for name in ours("srv"):
            self._exchange_service(name, interface("fitmotion_msgs", "srv", name))
        self._acknowledge = node.create_publisher(String, f"/{me}/acknowledged", QoSProfile(depth=10))
        node.create_subscription(String, f"/{other}/acknowledged", lambda msg: self._acknowledged.add(msg.data), 10)
        for name in ours("action"):
            self._exchange_action(name, interface("fitmotion_msgs", "action", name))

    def _from(self, side: str, kind: Any) -> Any:
        """What a side sends of a type; the two sides send different values."""
        return filled(kind, count(FIRST_NUMBERS[side > min(self._me, self._other)]))

    def _compare(self, name: str, got: Any) -> None:
        self.differences += differences(got, self._from(self._other, type(got)), name)
        self.received.add(name)

    def _exchange_message(self, name: str, kind: Any) -> None:
        publisher = self._node.create_publisher(kind, f"/{self._me}/{name}", KEPT)
        publisher.publish(self._from(self._me, kind))
        self._node.create_subscription(kind, f"/{self._other}/{name}", lambda msg: self._compare(name, msg), KEPT)

    def _exchange_service(self, name: str, kind: Any) -> None:
        def serve(request: Any, _: Any) -> Any:
            self._compare(f"{name}.Request", request)
            return self._from(self._me, kind.Response)

        self._node.create_service(kind, f"/{self._me}/{name}", serve)
        self._kept.append(self._node.create_client(kind, f"/{self._other}/{name}"))

    def _exchange_action(self, name: str, kind: Any) -> None:
        def execute(goal: Any) -> Any:
            self._compare(f"{name}.Goal", goal.request)
            while name not in self._acknowledged and rclpy.ok():  # the other may not hear feedback from the start
                goal.publish_feedback(self._from(self._me, kind.Feedback))
                time.sleep(0.05)
            goal.succeed()
            return self._from(self._me, kind.Result)

        group = self._group
        self._kept.append(ActionServer(self._node, kind, f"/{self._me}/{name}", execute, callback_group=group))
        self._kept.append(ActionClient(self._node, kind, f"/{self._other}/{name}", callback_group=group))

    def call_all(self) -> None:
        """Call the other side's services and actions; runs beside the executor."""
        for client in [item for item in self._kept if hasattr(item, "call_async")]:
            name = client.srv_name.rpartition("/")[2]
            client.wait_for_service()
            future = client.call_async(self._from(self._me, client.srv_type.Request))
            future.add_done_callback(lambda done, name=name: self._compare(f"{name}.Response", done.result()))
        for client in [item for item in self._kept if isinstance(item, ActionClient)]:
            self._send_goal(client, client._action_name.rpartition("/")[2])

    def _send_goal(self, client: Any, name: str) -> None:
        def on_feedback(message: Any) -> None:
            if f"{name}.Feedback" not in self.received:
                self._compare(f"{name}.Feedback", message.feedback)
            self._acknowledge.publish(String(data=name))

        def on_accepted(future: Any) -> None:
            result = future.result().get_result_async()
            result.add_done_callback(lambda done: self._compare(f"{name}.Result", done.result().result))

        client.wait_for_server()
        goal = self._from(self._me, client._action_type.Goal)
        client.send_goal_async(goal, feedback_callback=on_feedback).add_done_callback(on_accepted)


def main() -> None:
    me, other = sys.argv[1:]
    rclpy.init()
    node = rclpy.create_node(f"exchange_{me}")
    side = Side(node, me, other)
    executor = MultiThreadedExecutor(num_threads=4)
    executor.add_node(node)
    threading.Thread(target=side.call_all, daemon=True).start()
    closed = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), closed.set()), daemon=True).start()
    end = time.monotonic() + PATIENCE_S
    told = False
    while not closed.is_set():
        executor.spin_once(timeout_sec=0.1)
        if not told and (side.received >= everything() or time.monotonic() > end):
            report = {"distro": os.environ["ROS_DISTRO"], "received": sorted(side.received)}
            print(json.dumps(report | {"differences": side.differences}), flush=True)
            told = True
    executor.shutdown()
    node.destroy_node()
    rclpy.shutdown()


if __name__ == "__main__":
    main()
