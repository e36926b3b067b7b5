"""Messages as the bytes that travel: OMG CDR, as every ROS 2 middleware sends it.

Of many messages only numbers change from one to the next. Their bytes are made once and the numbers written into
copies, which costs a fraction of filling nested messages in Python and having them serialised.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from builtin_interfaces.msg import Time
from numpy.typing import NDArray
from rclpy.serialization import serialize_message

ENCAPSULATION = 4  # bytes before the message, behind which alignment is counted
STAMP = np.dtype([("sec", "=i4"), ("nanosec", "=u4")])


class FloatsForm:
    """Messages of one type and one frame that are a header and then float64s only, such as sensor_msgs/Imu.

    message: one of them. width: how many float64s it has.
    """

    def __init__(self, message: Any) -> None:
        data = serialize_message(message)
        start = ENCAPSULATION + aligned(after_text(STAMP.itemsize, message.header.frame_id), 8)
        self._head = np.frombuffer(data[:start], np.uint8)
        self.width = (len(data) - start) // 8

    def filled(self, stamps: NDArray[np.void], numbers: NDArray[np.float64]) -> list[bytes]:
        """The bytes of M messages with these stamps (M,), see `stamps_of`, and numbers (M, width)."""
        count, start = len(numbers), len(self._head)
        length = start + 8 * self.width
        data = np.empty((count, length), np.uint8)
        data[:, :start] = self._head
        data[:, ENCAPSULATION : ENCAPSULATION + STAMP.itemsize] = stamps.view(np.uint8).reshape(count, STAMP.itemsize)
        data[:, start:] = np.ascontiguousarray(numbers, np.float64).view(np.uint8)
        together = data.tobytes()
        return [together[at : at + length] for at in range(0, count * length, length)]


def stamps_of(times: Sequence[Time]) -> NDArray[np.void]:
    """(M,) stamps as they travel."""
    return np.array([(time.sec, time.nanosec) for time in times], STAMP)


def after_text(at: int, text: str) -> int:
    """Where a string ends that comes after `at`: its length in four bytes, it, and a closing zero."""
    return aligned(at, 4) + 4 + len(text.encode()) + 1


def aligned(at: int, size: int) -> int:
    """The next multiple of a size."""
    return -(-at // size) * size
