"""What `ros2 bag play --clock RECORDING --topics TOPIC --remap TOPIC:=AS` does, for one topic, without rosbag2.

    python foreign_player.py RECORDING TOPIC AS SPEED

Serialised messages as they were recorded, at the times that they were recorded at, and /clock at 40 Hz and with every
message. Starts when somebody listens, ends with the recording.
"""

import sys
import time
from importlib import import_module

import rclpy
from mcap.reader import make_reader
from rclpy.node import Node
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.time import Time
from rosgraph_msgs.msg import Clock

LISTENERS_S = 30.0


def play(node: Node, recording: str, topic: str, name: str, speed: float) -> int:
    with open(recording, "rb") as stream:
        messages = [(schema.name, message) for schema, _, message in make_reader(stream).iter_messages([topic])]
    package, _, kind = messages[0][0].split("/")
    qos = QoSProfile(history=HistoryPolicy.KEEP_ALL, reliability=ReliabilityPolicy.RELIABLE)
    publisher = node.create_publisher(getattr(import_module(f"{package}.msg"), kind), name, qos)
    clock = node.create_publisher(Clock, "/clock", 10)
    end = time.monotonic() + LISTENERS_S
    while not (publisher.get_subscription_count() and clock.get_subscription_count()):
        if time.monotonic() > end:
            sys.exit(f"nobody listens to {name} and /clock")
        time.sleep(0.05)
    first, began = messages[0][1].log_time, time.monotonic()
    now = first
    for _, message in messages:
        while now < message.log_time:
            time.sleep(min(0.025, (message.log_time - now) / 1e9 / speed))
            now = min(message.log_time, first + int((time.monotonic() - began) * 1e9 * speed))
            clock.publish(Clock(clock=Time(nanoseconds=now).to_msg()))
        publisher.publish(message.data)
    return len(messages)


def main() -> None:
    recording, topic, name, speed = sys.argv[1:5]
    rclpy.init()
    print(play(rclpy.create_node("rosbag2_player"), recording, topic, name, float(speed)))
    time.sleep(1.0)  # for the last message to be taken
    rclpy.shutdown()


if __name__ == "__main__":
    main()
