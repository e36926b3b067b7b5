"""Every interface survives the wire, and tf2_msgs is the type that the world knows."""

import array
import importlib
import json
import os
import random
import re
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("ROS_PYTHON_CHECK_FIELDS", "1")
pytest.importorskip("rclpy")
pytest.importorskip("fitmotion_msgs")

from rclpy.serialization import deserialize_message, serialize_message  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
LIMITS = {f"int{n}": (-(2 ** (n - 1)), 2 ** (n - 1) - 1) for n in (8, 16, 32, 64)}
LIMITS |= {f"uint{n}": (0, 2**n - 1) for n in (8, 16, 32, 64)}


def message_types() -> list[type]:
    """Every message, request, response, goal, result and feedback."""
    found = []
    for path in sorted((ROOT / "msgs").glob("*/*.*")):
        if path.suffix not in (".msg", ".srv", ".action"):
            continue
        kind = getattr(importlib.import_module(f"fitmotion_msgs.{path.parent.name}"), path.stem)
        parts = {".srv": ("Request", "Response"), ".action": ("Goal", "Result", "Feedback")}.get(path.suffix)
        found += [getattr(kind, part) for part in parts] if parts else [kind]
    return found


def scalar(kind: str, draw: random.Random) -> object:
    if kind == "boolean":
        return draw.random() < 0.5
    if kind in ("float", "double"):
        return float(np.float32(draw.gauss(0, 100)))
    if kind == "string":
        return "".join(draw.choice("aZ 0_äß漢") for _ in range(draw.randrange(12)))
    if kind in LIMITS:
        return draw.choice((*LIMITS[kind], 0, draw.randint(*LIMITS[kind])))
    package, name = kind.split("/")
    return filled(getattr(importlib.import_module(f"{package}.msg"), name), draw)


def filled(kind: type, draw: random.Random) -> object:
    """A message with random values in every field, the limits of its types among them."""
    message = kind()
    for name, field in kind.get_fields_and_field_types().items():
        fixed = re.fullmatch(r"(.+)\[(\d+)\]", field)
        sequence = re.fullmatch(r"sequence<(.+)>", field)
        if fixed or sequence:
            element = (fixed or sequence)[1]
            values = [scalar(element, draw) for _ in range(int(fixed[2]) if fixed else draw.randrange(4))]
            current = getattr(message, name)
            if isinstance(current, np.ndarray):
                values = np.array(values, dtype=current.dtype)
            elif isinstance(current, array.array):
                values = array.array(current.typecode, values)
            setattr(message, name, values)
        else:
            setattr(message, name, scalar(field, draw))
    return message


@pytest.mark.parametrize("kind", message_types(), ids=lambda kind: kind.__name__)
def test_round_trip_through_cdr(kind: type) -> None:
    for seed in range(5):
        message = filled(kind, random.Random(seed))
        assert deserialize_message(serialize_message(message), kind) == message


def test_nan_survives() -> None:
    from fitmotion_msgs.msg import BodyPose

    pose = BodyPose(positions=np.full(66, np.nan, dtype=np.float32))
    assert np.isnan(deserialize_message(serialize_message(pose), BodyPose).positions).all()


def test_a_serialised_body_pose_is_what_the_cdr_standard_says() -> None:
    """Against a decoding by hand: DDS-XTypes 7.4.3, little-endian plain CDR."""
    from fitmotion_msgs.msg import BodyPose

    pose = BodyPose(subject="anna", views=3, positions=np.arange(66, dtype=np.float32))
    pose.header.stamp.sec, pose.header.frame_id = 7, "world"
    data = serialize_message(pose)
    assert data[:4] == b"\x00\x01\x00\x00"  # plain CDR, little-endian
    body = data[4:]
    assert int.from_bytes(body[:4], "little") == 7
    assert body[8:12] == (6).to_bytes(4, "little") and body[12:18] == b"world\0"
    assert body[20:24] == (5).to_bytes(4, "little") and body[24:29] == b"anna\0"
    # one byte of source, then aligned to four
    assert np.array_equal(np.frombuffer(body[32 : 32 + 264], "<f4"), np.arange(66))


def test_array_sizes_are_those_of_the_library() -> None:
    from fitmotion_models.skeleton.body_pose import ARRAY_SHAPES
    from fitmotion_msgs.msg import BodyPose

    message = BodyPose()
    for name, shape in ARRAY_SHAPES.items():
        value = getattr(message, name)
        assert isinstance(value, np.ndarray) and value.dtype == np.float32
        assert value.size == np.prod(shape)


def test_tf2_msgs_is_the_type_that_other_machines_know() -> None:
    """The hash is the one that clients carry in their tables for Jazzy's own tf2_msgs."""
    for prefix in os.environ.get("AMENT_PREFIX_PATH", "").split(":"):
        description = Path(prefix, "share/tf2_msgs/msg/TFMessage.json")
        if description.is_file():
            break
    else:
        pytest.skip("this environment has no tf2_msgs with a type description")
    hashes = {entry["type_name"]: entry["hash_string"] for entry in json.loads(description.read_text())["type_hashes"]}
    published = "RIHS01_e369d0f05a23ae52508854b66f6aa0437f3449d652e8cbf22d5abe85d020f087"
    assert hashes["tf2_msgs/msg/TFMessage"] == published
