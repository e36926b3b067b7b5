"""Messages for recordings, defined and serialised by the rosbags library: a second hand beside ours."""

from collections.abc import Callable
from typing import Any

import pytest

HEADER = """# when and where
builtin_interfaces/Time stamp
string frame_id
"""
TIME = "int32 sec\nuint32 nanosec\n"
REPORT = """# A report with everything that a definition can hold.
uint8 GOOD=0   # a constant takes no bytes
string WORD="a b"
std_msgs/Header header
string<=20 name
float32[3] position   # metres
Item[] items
uint8[<=4] few
string word
"""
ITEM = "float64 value 1.5\nbool[] flags\nbuiltin_interfaces/Time at\n"
DEFINITIONS = {
    ("a_msgs", "Report"): REPORT,
    ("a_msgs", "Item"): ITEM,
    ("std_msgs", "Header"): HEADER,
    ("builtin_interfaces", "Time"): TIME,
}
SEPARATOR = "=" * 80
# by hand, as `ros2 bag record` has it: contained types by name, each once, where they are first met
REPORT_WHOLE = (
    f"{REPORT}\n{SEPARATOR}\nMSG: a_msgs/Item\n{ITEM}\n{SEPARATOR}\nMSG: builtin_interfaces/Time\n{TIME}"
    f"\n{SEPARATOR}\nMSG: std_msgs/Header\n{HEADER}"
)


def definition_of(package: str, name: str) -> str:
    return DEFINITIONS[package, name]


@pytest.fixture(scope="session")
def serialised() -> Callable[[int], bytes]:
    """The bytes of the k-th report, and what is in it."""
    np = pytest.importorskip("numpy")
    typesys = pytest.importorskip("rosbags.typesys", reason="the rosbags library is the second hand here")
    store = typesys.get_typestore(typesys.Stores.EMPTY)
    types: dict[str, Any] = {}
    for (package, name), text in DEFINITIONS.items():
        types.update(typesys.get_types_from_msg(text, f"{package}/msg/{name}"))
    store.register(types)
    kinds = store.types

    def make(k: int) -> bytes:
        time = kinds["builtin_interfaces/msg/Time"]
        item = kinds["a_msgs/msg/Item"](value=k / 2, flags=np.array([k % 2 == 0]), at=time(sec=k, nanosec=7))
        report = kinds["a_msgs/msg/Report"](
            header=kinds["std_msgs/msg/Header"](stamp=time(sec=k, nanosec=5), frame_id="world"),
            name=f"number {k}",
            position=np.array([k, 2.0, 3.0], np.float32),
            items=[item] * (k % 3),
            few=np.array([1, 2], np.uint8),
            word="",
        )
        return bytes(store.serialize_cdr(report, "a_msgs/msg/Report"))

    return make
