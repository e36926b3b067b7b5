"""Messages written as bytes are those that the middleware would have made."""

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import Imu, MagneticField
from std_msgs.msg import Header

from fitmotion_nodes.imu_conversions import imu_form, magnetic_form
from fitmotion_nodes.message_bytes import stamps_of

FORMS = ((Imu, imu_form, 37), (MagneticField, magnetic_form, 12))


@pytest.mark.parametrize(("kind", "make", "width"), FORMS)
@settings(max_examples=40, deadline=None)
@given(
    frame=st.text(st.characters(min_codepoint=33, max_codepoint=0x24F), max_size=60),
    seconds=st.integers(-(2**31), 2**31 - 1),
    nanoseconds=st.integers(0, 999_999_999),
    numbers=arrays(np.float64, (2, 37), elements=st.floats(allow_nan=False, width=64)),
)
def test_the_bytes_are_the_middlewares(kind, make, width, frame, seconds, nanoseconds, numbers) -> None:
    numbers = numbers[:, :width]
    form = make(frame)
    assert form.width == width
    stamp = Time(sec=seconds, nanosec=nanoseconds)
    for data, row in zip(form.filled(stamps_of([stamp, stamp]), numbers), numbers, strict=True):
        message = filled(kind(header=Header(stamp=stamp, frame_id=frame)), row.tolist())
        assert data == bytes(serialize_message(message))
        assert deserialize_message(data, kind) == message


def filled(message, numbers):
    """The message with its numbers in the order in which they are declared."""
    rest = iter(numbers)
    for name in list(message.get_fields_and_field_types())[1:]:
        field = getattr(message, name)
        if hasattr(field, "get_fields_and_field_types"):
            for part in field.get_fields_and_field_types():
                setattr(field, part, next(rest))
        else:
            setattr(message, name, [next(rest) for _ in range(len(field))])
    assert next(rest, None) is None
    return message


def test_no_messages_are_no_bytes() -> None:
    assert imu_form("anna/imu_pelvis").filled(stamps_of([]), np.empty((0, 37))) == []
