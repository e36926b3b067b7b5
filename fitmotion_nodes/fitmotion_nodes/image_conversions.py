"""The border between ROS messages and images or cameras; the other values are in `conversions`, with the same rules."""

from array import array

import cv2
import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import CameraInfo, CompressedImage
from sensor_msgs.msg import Image as RosImage
from std_msgs.msg import Header

from fitmotion_models.pose.camera_model import CameraModel
from fitmotion_models.pose.image_source import MIN_SIDE

# the distortion model of a camera that nobody calibrated: no consumer can take the guess for a calibration
PINHOLE_GUESS = "pinhole_guess"
# sensor_msgs/image_encodings.hpp: encoding -> bytes a pixel, and how OpenCV makes RGB of it (None: it is). Not here are
# depth images, and colours of more than 8 bits, which no pose model wants.
_ENCODINGS: dict[str, tuple[int, int | None]] = {
    "rgb8": (3, None),
    "bgr8": (3, cv2.COLOR_BGR2RGB),
    "mono8": (1, cv2.COLOR_GRAY2RGB),
    "rgba8": (4, cv2.COLOR_RGBA2RGB),
    "bgra8": (4, cv2.COLOR_BGRA2RGB),
    # what webcams give; two names each, of which the first is the older one
    "yuv422": (2, cv2.COLOR_YUV2RGB_UYVY),
    "uyvy": (2, cv2.COLOR_YUV2RGB_UYVY),
    "yuv422_yuy2": (2, cv2.COLOR_YUV2RGB_YUY2),
    "yuyv": (2, cv2.COLOR_YUV2RGB_YUY2),
    # what industrial cameras give
    "bayer_rggb8": (1, cv2.COLOR_BayerRGGB2RGB),
    "bayer_bggr8": (1, cv2.COLOR_BayerBGGR2RGB),
    "bayer_gbrg8": (1, cv2.COLOR_BayerGBRG2RGB),
    "bayer_grbg8": (1, cv2.COLOR_BayerGRBG2RGB),
}

Uint8 = NDArray[np.uint8]


def image_to_msg(image: Uint8, header: Header, encoding: str = "rgb8") -> RosImage:
    """An image as a message. image: (H, W, 3) uint8 in the encoding's channel order, (H, W) for mono8."""
    height, width = image.shape[:2]
    pixel, _ = _ENCODINGS[encoding]
    if image.dtype != np.uint8 or image.size != height * width * pixel:
        raise ValueError(f"image of shape {image.shape} and type {image.dtype} is no {encoding}")
    data = array("B")
    data.frombytes(np.ascontiguousarray(image).data)  # half a millisecond; assigning the array itself takes hundreds
    step = width * pixel
    return RosImage(header=header, height=height, width=width, encoding=encoding, is_bigendian=0, step=step, data=data)


def image_from_msg(msg: RosImage) -> Uint8:
    """The image in a message as (H, W, 3) uint8 RGB; a read-only view of the message where it is rgb8.

    Raises ValueError: unknown encoding, a size or step that does not fit the data, too small for a person.
    """
    if msg.encoding not in _ENCODINGS:
        raise ValueError(f"image encoding {msg.encoding!r} is unknown; allowed: {', '.join(_ENCODINGS)}")
    pixel, to_rgb = _ENCODINGS[msg.encoding]
    row = msg.width * pixel
    if pixel == 2 and msg.width % 2:
        raise ValueError(f"image of {msg.width} columns cannot be {msg.encoding}, in which two share their colour")
    if min(msg.width, msg.height) < MIN_SIDE:
        raise ValueError(
            f"image of {msg.width}x{msg.height} pixels is smaller than a pose can be found in; "
            f"at least {MIN_SIDE}x{MIN_SIDE}"
        )
    if msg.step < row or len(msg.data) < msg.step * (msg.height - 1) + row:
        raise ValueError(
            f"image of {msg.width}x{msg.height} {msg.encoding} has step={msg.step} and {len(msg.data)} bytes; "
            f"expected step of at least {row} and step * height bytes"
        )
    pixels = np.frombuffer(msg.data, dtype=np.uint8)
    # by strides, as the padding after the last row may be missing
    shape, strides = (msg.height, msg.width, pixel), (msg.step, pixel, 1)
    image = np.lib.stride_tricks.as_strided(pixels, shape, strides, writeable=False)
    if to_rgb is not None:
        return np.asarray(cv2.cvtColor(np.ascontiguousarray(image), to_rgb))
    return image if msg.step == row else np.ascontiguousarray(image)


def compressed_image_to_msg(image_bgr: Uint8, header: Header, quality: int) -> CompressedImage:
    """An image (H, W, 3) uint8 BGR as JPEG. quality: 1 to 100."""
    encoded, data = cv2.imencode(".jpg", image_bgr, (cv2.IMWRITE_JPEG_QUALITY, quality))
    if not encoded:
        raise ValueError(f"image of shape {image_bgr.shape} cannot be encoded as JPEG")
    return CompressedImage(header=header, format="bgr8; jpeg compressed bgr8", data=array("B", data.tobytes()))


def camera_info_to_msg(camera: CameraModel, header: Header) -> CameraInfo:
    """Intrinsics as a message; a guess has the distortion model `pinhole_guess`."""
    matrix = [camera.fx, 0.0, camera.cx, 0.0, camera.fy, camera.cy, 0.0, 0.0, 1.0]
    projection = [camera.fx, 0.0, camera.cx, 0.0, 0.0, camera.fy, camera.cy, 0.0, 0.0, 0.0, 1.0, 0.0]
    return CameraInfo(
        header=header,
        width=camera.width,
        height=camera.height,
        distortion_model=PINHOLE_GUESS if camera.is_guess else camera.distortion_model,
        d=array("d", camera.distortion),
        k=np.array(matrix),
        r=np.eye(3).ravel(),
        p=np.array(projection),
    )


def camera_info_from_msg(msg: CameraInfo) -> CameraModel:
    """Intrinsics in a message. Raises ValueError for numbers that no camera has, such as all 0, which ROS allows."""
    if not msg.k[0] > 0.0:
        raise ValueError("camera_info says that the camera is not calibrated (K is 0); give a calibration file")
    guess = msg.distortion_model == PINHOLE_GUESS
    return CameraModel(
        width=msg.width,
        height=msg.height,
        fx=float(msg.k[0]),
        fy=float(msg.k[4]),
        cx=float(msg.k[2]),
        cy=float(msg.k[5]),
        distortion=tuple(msg.d),
        distortion_model="plumb_bob" if guess else msg.distortion_model,
        is_guess=guess,
    )
