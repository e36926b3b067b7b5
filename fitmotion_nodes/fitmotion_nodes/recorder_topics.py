"""What the recorder knows of a ROS graph: which topics to take, with which quality of service, and what is in them."""

import re
import struct
from collections.abc import Collection, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from ament_index_python.packages import PackageNotFoundError, get_package_share_directory
from rclpy.duration import Duration
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

from fitmotion_models.exchange.ros_schema import UnknownDefinitionError, fields_of, full_definition, split_type_name

RAW_IMAGE, COMPRESSED_IMAGE = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"
# who plays a recording publishes a clock of its own; what parameters were is in the run's folder
_NEVER = ("/clock", "/parameter_events")
# topics of all namespaces
_SHARED = ("/diagnostics", "/rosout", "/tf", "/tf_static")
LIVE_DEPTH = 1000  # messages that may wait while this process is kept from running: a second of ten sensors at 100 Hz
_INFINITE = {"sec": 9223372036, "nsec": 854775807}  # RMW_DURATION_INFINITE


def is_wanted(name: str, types: Sequence[str], *, namespace: str, compressed_images: bool, exclude: str) -> bool:
    """Whether a topic belongs into the recording.

    name: fully qualified. namespace: the recorder's, "/" for all; of others only what all share is taken.
    exclude: regular expression of whole names, "" for none.
    """
    if len(types) != 1 or "/msg/" not in types[0] or types[0] == RAW_IMAGE or name in _NEVER:
        return False
    if types[0] == COMPRESSED_IMAGE and not compressed_images:
        return False
    if any(part.startswith("_") for part in name.split("/")):  # hidden: of services and actions
        return False
    inside = namespace == "/" or name.startswith(f"{namespace}/") or name in _SHARED
    return inside and not (exclude and re.fullmatch(exclude, name))


@cache
def message_class(type_name: str) -> Any:
    """The Python class of a type; raises UnknownDefinitionError where it is not installed."""
    package, name = split_type_name(type_name)
    try:
        return getattr(import_module(f"{package}.msg"), name)
    except (ImportError, AttributeError):
        raise UnknownDefinitionError(f"type {type_name} is not installed here; build or install {package}") from None


@cache
def definition_of(type_name: str) -> str:
    """A type's definition with all that it contains, from the installed .msg files; raises UnknownDefinitionError."""
    return full_definition(type_name, _installed_text)


@cache
def _installed_text(package: str, name: str) -> str:
    try:
        return (Path(get_package_share_directory(package)) / "msg" / f"{name}.msg").read_text(encoding="utf-8")
    except (PackageNotFoundError, OSError, ValueError) as error:
        raise UnknownDefinitionError(f"the definition of {package}/{name} is not installed here: {error}") from None


def has_header(definition: str) -> bool:
    """Whether messages of a full definition begin with a std_msgs/Header."""
    return fields_of(definition)[:1] == (("std_msgs/Header", "header"),)


def header_stamp(data: bytes) -> int | None:
    """Nanoseconds of the stamp of a serialised message that begins with a header; None when there is no such thing."""
    if len(data) < 12:
        return None
    # four bytes of encapsulation, the second of which tells the byte order (CDR, OMG DDSI-RTPS 10.2)
    seconds, nanoseconds = struct.unpack_from("<iI" if data[1] & 1 else ">iI", data, 4)
    return int(seconds) * 10**9 + int(nanoseconds)


def matching_qos(offered: Collection[QoSProfile], *, keep_all: bool) -> QoSProfile:
    """A request that every offer meets, and that gets the most out of them.

    Reliable where all are, and what was sent before where all keep it. keep_all: never drop, at the price of holding
    publishers up; else the newest `LIVE_DEPTH`.
    """
    reliable = all(offer.reliability == ReliabilityPolicy.RELIABLE for offer in offered)
    latched = all(offer.durability == DurabilityPolicy.TRANSIENT_LOCAL for offer in offered)
    history = HistoryPolicy.KEEP_ALL if keep_all and reliable else HistoryPolicy.KEEP_LAST
    return QoSProfile(
        history=history,
        depth=0 if history is HistoryPolicy.KEEP_ALL else LIVE_DEPTH,
        reliability=ReliabilityPolicy.RELIABLE if reliable and offered else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched and offered else DurabilityPolicy.VOLATILE,
    )


def qos_text(offered: Collection[QoSProfile]) -> str:
    """Offers as rosbag2 of Jazzy and later keeps them in a file, so that `ros2 bag play` offers the same."""
    import yaml

    unique = {str(_qos_values(offer)): _qos_values(offer) for offer in offered}
    return yaml.safe_dump(list(unique.values()), sort_keys=False) if unique else ""


def _qos_values(offer: QoSProfile) -> dict[str, Any]:
    return {
        "history": offer.history.short_key,
        "depth": offer.depth,
        "reliability": offer.reliability.short_key,
        "durability": offer.durability.short_key,
        "deadline": _duration(offer.deadline),
        "lifespan": _duration(offer.lifespan),
        "liveliness": offer.liveliness.short_key,
        "liveliness_lease_duration": _duration(offer.liveliness_lease_duration),
        "avoid_ros_namespace_conventions": offer.avoid_ros_namespace_conventions,
    }


def _duration(duration: Duration) -> dict[str, int]:
    nanoseconds = duration.nanoseconds
    if nanoseconds <= 0 or nanoseconds >= 2**63 - 1:
        return dict(_INFINITE)
    return {"sec": nanoseconds // 10**9, "nsec": nanoseconds % 10**9}
