"""Floods a graph with garbage, as a process: python flood.py SECONDS NODE...

500 bodies, skeletons and images a second that are malformed, of strangers without end, or from another time, beside
wrong camera data, states, diagnostics and sensors; and calls of every named node's parameter services and of the fms
node's.
"""

import sys
import time
from collections.abc import Iterator
from itertools import cycle
from typing import Any

import numpy as np
import rclpy
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters
from rclpy.node import Node
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CameraInfo, Image, Imu
from std_msgs.msg import Header

from fitmotion_models.mover import make_mover
from fitmotion_msgs.msg import AssessmentState, BodyPose, Criterion, Skeleton2D
from fitmotion_msgs.srv import StartTest
from fitmotion_nodes.conversions import body_pose_to_msg
from fitmotion_nodes.parameters import StreamParameters, frame_qos, image_qos

TICK_S = 0.01
STRANGERS = 4000  # more than a node should ever remember
FUTURE, PAST, BEFORE_TIME = Time(sec=2_000_000_000), Time(sec=1), Time(sec=-2_000_000_000)
WATCHED = "person"


def now() -> Time:
    nanoseconds = time.time_ns()
    return Time(sec=nanoseconds // 10**9, nanosec=nanoseconds % 10**9)


def bodies() -> Iterator[BodyPose]:
    good = make_mover("squat").frame(0)

    def body(subject: str = "stranger", stamp: Time | None = None, frame: str = "world", **fields: Any) -> BodyPose:
        msg = body_pose_to_msg(good, frame, stamp or now())
        msg.subject = subject
        for name, value in fields.items():
            array = getattr(msg, name)
            array[:] = value
        return msg

    for number in range(STRANGERS):
        yield body(f"stranger_{number}")
        yield body(f"stranger_{number}", stamp=(FUTURE, PAST, BEFORE_TIME)[number % 3])
    for _ in range(STRANGERS // 20):
        for field in ("positions", "rotations", "confidence", "feet", "bone_offsets", "view_direction"):
            for value in (np.nan, np.inf, 1e30, -7.0, 0.0):
                yield body(**{field: value})
        yield body(WATCHED, stamp=FUTURE)
        yield body(WATCHED, stamp=PAST)
        yield body(WATCHED, positions=1e30)
        yield body(WATCHED, bone_offsets=1e20)
        yield body(frame="map")
        yield body("")
        yield body("x" * 20_000)
        yield body("<script>alert(1)</script>/../\n")


def skeletons() -> Iterator[Skeleton2D]:
    for stamp in (None, FUTURE, PAST, BEFORE_TIME):
        for count in (0, 1, 33, 20_000):
            for joint_set in (0, 3, 99):
                for value in (np.nan, np.inf, 0.5, -3.0):
                    yield Skeleton2D(
                        header=Header(stamp=stamp or now(), frame_id="camera"),
                        subject=f"stranger_{count}",
                        joint_set=joint_set,
                        width=640,
                        height=480,
                        pixels=np.full(2 * count, value, np.float32),
                        confidence=np.full(count, value, np.float32),
                    )


def images() -> Iterator[Image]:
    for stamp in (None, FUTURE, PAST, BEFORE_TIME):
        header = Header(stamp=stamp or now(), frame_id="camera")
        for encoding in ("rgb8", "mono8", "bayer_rggb16", "", "garbage"):
            for width, height, step, size in (
                (640, 480, 1920, 0),
                (640, 480, 1, 1000),
                (0, 0, 0, 0),
                (2**32 - 1, 2**32 - 1, 2**32 - 1, 10),
                (1, 480, 3, 1440),
                (640, 480, 1919, 2000),
            ):
                data = bytes(size)
                yield Image(header=header, width=width, height=height, encoding=encoding, step=step, data=data)
    # one that could be a picture, of a camera whose clock is wrong
    yield Image(header=Header(stamp=FUTURE), width=64, height=64, encoding="rgb8", step=192, data=bytes(64 * 192))


def infos() -> Iterator[CameraInfo]:
    for value in (0.0, np.nan, np.inf, -500.0, 1e300, 500.0):
        for size in ((0, 0), (640, 480), (2**32 - 1, 1)):
            for distortion in ([], [np.nan] * 5, [0.1] * 3, [0.1] * 1000):
                yield CameraInfo(
                    header=Header(stamp=now()),
                    width=size[0],
                    height=size[1],
                    distortion_model="garbage",
                    d=distortion,
                    k=np.full(9, value),
                )


def states() -> Iterator[AssessmentState]:
    for number in range(STRANGERS):
        yield AssessmentState(
            header=Header(stamp=(now(), FUTURE, PAST)[number % 3]),
            subject=f"stranger_{number}",
            movement=number % 256,
            side=number % 5,
            phase=number % 9,
            progress=float("nan"),
            criteria=[Criterion(name="<b>", value=float("nan"), unit="%s", verdict=number % 5, joints=[255])] * 3,
        )


def reports() -> Iterator[DiagnosticArray]:
    values = [KeyValue(key="latency_p50_ms", value="quick"), KeyValue(key="rate_hz", value="nan")]
    for number in range(STRANGERS):
        for name in ("fms", f"stranger_{number}", ""):
            status = DiagnosticStatus(
                level=bytes([number % 5]), name=name, message="<b>", hardware_id="garbage", values=values
            )
            yield DiagnosticArray(status=[status])


def sensors() -> Iterator[Imu]:
    for stamp in (now(), FUTURE, PAST, BEFORE_TIME):
        msg = Imu(header=Header(stamp=stamp))
        msg.linear_acceleration.x = msg.angular_velocity.z = float("nan")
        yield msg


class Flood(Node):
    """Publishes what was made in advance, as bytes, so that it costs little here; calls services and forgets them."""

    def __init__(self, nodes: list[str]) -> None:
        super().__init__("flood")
        live = StreamParameters()
        small, large = frame_qos(live), image_qos(live)
        self._streams = []
        for kind, topic, qos, make, a_tick in (
            (BodyPose, "body_pose", small, bodies, 5),
            (Skeleton2D, "skeleton_2d", small, skeletons, 5),
            (Image, "image_raw", large, images, 5),
            (CameraInfo, "camera_info", small, infos, 1),
            (AssessmentState, "fms/state", small, states, 1),
            (DiagnosticArray, "/diagnostics", 10, reports, 1),
            (Imu, "imu_pelvis/data_raw", small, sensors, 1),
        ):
            messages = [serialize_message(msg) for msg in make()]
            np.random.default_rng(3).shuffle(messages)
            self._streams.append((self.create_publisher(kind, topic, qos), cycle(messages), a_tick))
        self._setters = cycle([self.create_client(SetParameters, f"{node}/set_parameters") for node in nodes])
        self._starter = self.create_client(StartTest, "fms/start_test")
        self.sent = self.calls = 0

    def tick(self) -> None:
        for publisher, messages, count in self._streams:
            for _ in range(count):
                publisher.publish(next(messages))
            self.sent += count
        setter = next(self._setters)
        if setter.service_is_ready():
            setter.call_async(SetParameters.Request(parameters=list(wrong_parameters(self.calls))))
            self._starter.call_async(
                StartTest.Request(subject=f"caller_{self.calls}", movement=self.calls % 256, variation=77)
            )
            self.calls += 2


def wrong_parameters(number: int) -> Iterator[Parameter]:
    for name in ("subject_timeout_s", "rate_hz", "jpeg_quality", "reconnect_s", "speed", "overlay_fps", "lossless"):
        kinds = (
            ParameterValue(type=ParameterType.PARAMETER_DOUBLE, double_value=float("nan")),
            ParameterValue(type=ParameterType.PARAMETER_DOUBLE, double_value=-1e300),
            ParameterValue(type=ParameterType.PARAMETER_INTEGER, integer_value=-(2**63)),
            ParameterValue(type=ParameterType.PARAMETER_STRING, string_value="x" * 1000),
            ParameterValue(type=ParameterType.PARAMETER_NOT_SET),
        )
        yield Parameter(name=name, value=kinds[number % len(kinds)])
    yield Parameter(name=f"no_such_{number}", value=ParameterValue(type=ParameterType.PARAMETER_BOOL))


def main(seconds: float, nodes: list[str]) -> None:
    rclpy.init()
    flood = Flood(nodes)
    time.sleep(1.0)  # be found
    sys.stdout.write("begun\n")
    sys.stdout.flush()
    began = due = time.monotonic()
    while due - began < seconds:
        flood.tick()
        rclpy.spin_once(flood, timeout_sec=0.0)
        due += TICK_S
        time.sleep(max(due - time.monotonic(), 0.0))
    sys.stdout.write(f"{flood.sent} messages, {flood.calls} calls in {time.monotonic() - began:.1f} s\n")
    flood.destroy_node()
    rclpy.shutdown()


if __name__ == "__main__":
    main(float(sys.argv[1]), sys.argv[2:])
