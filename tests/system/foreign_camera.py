"""A camera driver that knows nothing of FitMotion: plays a video over and over on topics of its own.

    python foreign_camera.py VIDEO TOPIC ENCODING RELIABILITY

As drivers have it: Image on TOPIC with the wall clock's stamps, CameraInfo beside it, any encoding, either reliability.
"""

import sys
from array import array
from contextlib import suppress

import cv2
import numpy as np
import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image

from fitmotion_models.pose.camera_model import CameraModel

FPS = 30.0


def encoded(frame: np.ndarray, encoding: str) -> np.ndarray:
    """A frame of OpenCV's (BGR) in a driver's encoding; what is no colour image is made up."""
    if encoding == "16UC1":  # a depth image
        return cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY).astype(np.uint16)
    if encoding == "yuyv":
        return cv2.cvtColor(frame, cv2.COLOR_BGR2YUV_YUY2)
    return {"bgr8": frame, "mono8": cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), "rgb8": frame[..., ::-1]}[encoding]


class ForeignCamera(Node):
    def __init__(self, video: str, topic: str, encoding: str, reliability: str) -> None:
        super().__init__("driver", namespace="/camera/color")
        capture = cv2.VideoCapture(video)
        self._frames = []
        while (read := capture.read())[0]:
            self._frames.append(encoded(read[1], encoding))
        qos = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=5, reliability=ReliabilityPolicy[reliability.upper()])
        self._images = self.create_publisher(Image, topic, qos)
        self._infos = self.create_publisher(CameraInfo, f"{topic.rpartition('/')[0]}/camera_info", qos)
        self._encoding, self._count = encoding, 0
        self.create_timer(1.0 / FPS, self._send)

    def _send(self) -> None:
        frame = self._frames[self._count % len(self._frames)]
        self._count += 1
        height, width = frame.shape[:2]
        image = Image(height=height, width=width, encoding=self._encoding, step=frame.nbytes // height)
        image.header.stamp = self.get_clock().now().to_msg()
        image.header.frame_id = "camera_color_optical_frame"
        image.data = array("B", frame.tobytes())
        focal = CameraModel.guess(width, height).fx  # of the camera that has filmed the mannequin
        info = CameraInfo(header=image.header, height=height, width=width, distortion_model="plumb_bob", d=[0.0] * 5)
        info.k = [focal, 0.0, width / 2, 0.0, focal, height / 2, 0.0, 0.0, 1.0]
        self._infos.publish(info)
        self._images.publish(image)


def main() -> None:
    rclpy.init()
    with suppress(KeyboardInterrupt, ExternalShutdownException, RuntimeError):  # the last: stopped between two images
        rclpy.spin(ForeignCamera(*sys.argv[1:5]))
    rclpy.try_shutdown()


if __name__ == "__main__":
    main()
