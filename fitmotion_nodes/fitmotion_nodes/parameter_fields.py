"""How a node's parameters are described, checked and declared; `parameters.py` has the parameters themselves.

A dataclass of fields made by `parameter` knows nothing of ROS and can be built and checked anywhere. `declare` gives it
to a node: every field becomes a ROS parameter with a descriptor, overrides are checked, and what comes back is the
frozen value.
"""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from rclpy.node import Node

PARAMETERS_EXIT_CODE = 2  # a process that ends with this had wrong parameters: starting it again would not help
# parameters that rclpy itself declares or reads; they are nobody's typing mistake
_RCLPY_PARAMETERS = ("use_sim_time", "start_type_description_service")
_RCLPY_PREFIXES = ("qos_overrides.", "logging.")


class ParameterError(ValueError):
    """A parameter that cannot be used; the text is one sentence for the person who set it."""


def parameter(
    default: Any,
    description: str,
    *,
    at_least: float | None = None,
    at_most: float | None = None,
    choices: tuple[str, ...] = (),
    dynamic: bool = False,
) -> Any:
    """A dataclass field that `declare` turns into a ROS parameter.

    description: what it means, with its unit. at_least, at_most: inclusive range of a number. choices: words allowed.
    dynamic: may be changed while the node runs; otherwise the ROS parameter is read-only.
    """
    about = {
        "description": description,
        "at_least": at_least,
        "at_most": at_most,
        "choices": choices,
        "dynamic": dynamic,
    }
    return field(default=default, metadata=about)


@dataclass(frozen=True)
class NodeParameters:
    """What every node's parameters have in common: each field is checked against its own type, range and choices."""

    def __post_init__(self) -> None:
        for item in dataclasses.fields(self):
            _check_field(item, getattr(self, item.name))
        self.check_together()

    def check_together(self) -> None:
        """Checks that need more than one field; raises ParameterError."""


def _check_field(item: "dataclasses.Field[Any]", value: Any) -> None:
    expected = type(item.default)
    if type(value) is not expected:
        hint = ""
        if expected is float and type(value) is int:
            hint = f"; write {float(value)}"
        elif expected is str:
            hint = f"""; quote it: "'{value}'\""""
        raise ParameterError(
            f"{item.name}={value!r} is {type_word(type(value))}; it must be {type_word(expected)}{hint}"
        )
    choices = item.metadata["choices"]
    if choices and value not in choices:
        raise ParameterError(f"{item.name}={value!r} is unknown; allowed: {', '.join(choices)}")
    low, high = item.metadata["at_least"], item.metadata["at_most"]
    # written so that NaN, which compares false with everything, is refused too
    if (low is not None and not value >= low) or (high is not None and not value <= high):
        raise ParameterError(f"{item.name}={value} is out of range; allowed: {low} to {high}")


def type_word(kind: type) -> str:
    """A type in words for people."""
    words = {bool: "true or false", int: "a whole number", float: "a decimal number", str: "text"}
    return words.get(kind, kind.__name__)


# ---- the ROS side ----------------------------------------------------------------------------------------------------

Parameters = TypeVar("Parameters", bound=NodeParameters)


def declare(node: "Node", kind: type[Parameters], on_change: Callable[[Parameters], None] | None = None) -> Parameters:
    """Declare every field of `kind` as a parameter of `node` and return the checked value.

    on_change: called with the new value after dynamic fields were changed; without it every parameter is read-only, as
    a change would be accepted and ignored.
    Raises ParameterError, one sentence, for unknown, mistyped or out-of-range overrides and values that do not fit.
    """
    overrides = {name: override.value for name, override in node._parameter_overrides.items()}
    value = from_overrides(kind, overrides)
    for item in dataclasses.fields(kind):
        node.declare_parameter(item.name, item.default, _descriptor(item, dynamic=on_change is not None))
    if on_change is not None and any(item.metadata["dynamic"] for item in dataclasses.fields(kind)):
        _watch(node, value, on_change)
    return value


def from_overrides(kind: type[Parameters], overrides: Mapping[str, Any]) -> Parameters:
    """The parameters that a set of overrides asks for, defaults for the rest; raises ParameterError."""
    names = [item.name for item in dataclasses.fields(kind)]
    unknown = sorted(name for name in overrides if name not in names and not _belongs_to_rclpy(name))
    if unknown:
        raise ParameterError(f"unknown parameter {', '.join(unknown)}; known: {', '.join(sorted(names))}")
    return kind(**{name: overrides[name] for name in names if name in overrides})


def _belongs_to_rclpy(name: str) -> bool:
    return name in _RCLPY_PARAMETERS or name.startswith(_RCLPY_PREFIXES)


def _descriptor(item: "dataclasses.Field[Any]", *, dynamic: bool) -> Any:
    from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor

    about = item.metadata
    descriptor = ParameterDescriptor(description=about["description"], read_only=not (dynamic and about["dynamic"]))
    if about["choices"]:
        descriptor.additional_constraints = "one of: " + ", ".join(about["choices"])
    limits = {"from_value": about["at_least"], "to_value": about["at_most"]}
    if None not in limits.values():
        if isinstance(item.default, float):
            descriptor.floating_point_range = [FloatingPointRange(**limits)]
        else:
            descriptor.integer_range = [IntegerRange(**limits)]
    return descriptor


def _watch(node: "Node", value: Parameters, on_change: Callable[[Parameters], None]) -> None:
    """Refuse changes that do not fit the other values; tell the node about those that do."""
    from rcl_interfaces.msg import SetParametersResult

    current = value
    names = {item.name for item in dataclasses.fields(value)}

    def changed(parameters: list[Any]) -> Parameters:
        return dataclasses.replace(current, **{item.name: item.value for item in parameters if item.name in names})

    def check(parameters: list[Any]) -> Any:
        try:
            changed(parameters)
        except ParameterError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    def apply(parameters: list[Any]) -> None:
        nonlocal current
        if any(item.name in names for item in parameters):
            current = changed(parameters)
            on_change(current)

    node.add_on_set_parameters_callback(check)
    node.add_post_set_parameters_callback(apply)
