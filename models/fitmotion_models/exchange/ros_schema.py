"""The definition of a ROS message with everything that it contains, as one text: the schema `ros2msg` of MCAP files.

Form and order are those of `ros2 bag record` (rosbag2_cpp, local_message_definition_source.cpp), so that a file of ours
and one of rosbag2 hold the same text: https://mcap.dev/spec/registry#ros2msg
"""

import re
from collections.abc import Callable

SCHEMA_ENCODING = "ros2msg"
SEPARATOR = "=" * 80
_TYPE_NAME = re.compile(r"(\w+)/(?:msg/)?(\w+)")
# the first word of a line that declares a field or a constant: a type, without its array bounds
_FIELD_TYPE = re.compile(r"^[ \t]*([A-Za-z]\w*(?:/\w+)*)(?:\[[^\]\n]*\])?[ \t]+\w", re.MULTILINE)
_FIELD = re.compile(r"^[ \t]*([^\s#]+)[ \t]+(\w+)(.*)$", re.MULTILINE)
_INTEGERS = {f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)}
_PRIMITIVES = _INTEGERS | {"bool", "byte", "char", "float32", "float64", "string", "wstring"}


class UnknownDefinitionError(ValueError):
    """A type's definition cannot be had; the text is one sentence."""


def split_type_name(name: str) -> tuple[str, str]:
    """Package and name of `package/msg/Name` or `package/Name`; raises UnknownDefinitionError for anything else."""
    found = _TYPE_NAME.fullmatch(name)
    if found is None:
        raise UnknownDefinitionError(f"{name!r} is no message type; expected package/msg/Name")
    return found[1], found[2]


def full_definition(type_name: str, definition_of: Callable[[str, str], str]) -> str:
    """The text of a type's .msg file, followed by those of all types inside it, each once.

    type_name: for instance `sensor_msgs/msg/Imu`. definition_of: (package, name) -> text of the .msg file.
    Raises UnknownDefinitionError, or whatever `definition_of` raises.
    """
    seen: set[tuple[str, str]] = set()

    def text_of(package: str, name: str) -> str:
        text = definition_of(package, name)
        parts = [text]
        for inner in sorted(_contained(text, package)):
            if inner not in seen:
                seen.add(inner)
                parts.append(f"\n{SEPARATOR}\nMSG: {inner[0]}/{inner[1]}\n{text_of(*inner)}")
        return "".join(parts)

    return text_of(*split_type_name(type_name))


def _contained(text: str, package: str) -> set[tuple[str, str]]:
    """Package and name of the types of a definition's fields."""
    names = {found for found in _FIELD_TYPE.findall(text) if found not in _PRIMITIVES}
    return {split_type_name(name if "/" in name else f"{package}/{name}") for name in names}


def fields_of(definition: str) -> tuple[tuple[str, ...], ...]:
    """What decides how a message is laid out in bytes: the fields of a full definition, without comments and constants.

    Returns (type, name) of every field in order, and ("MSG:", type) where a contained type begins.
    """
    fields = []
    for kind, name, rest in _FIELD.findall(_without_section_lines(definition)):
        if not rest.split("#")[0].lstrip().startswith("="):  # a constant takes no bytes
            fields.append((kind, name))
    return tuple(fields)


def _without_section_lines(definition: str) -> str:
    """`MSG: package/Name` becomes a field-like line, so that the sections stay apart."""
    return re.sub(r"^MSG:[ \t]+(\w+)/(?:msg/)?(\w+)[ \t]*$", r"MSG: \1__\2", definition, flags=re.MULTILINE)
