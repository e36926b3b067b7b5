"""What `ros2 param get` and `ros2 param set` do: read every parameter of a running node, refuse what cannot be."""

import importlib

import pytest
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import GetParameters, ListParameters, SetParameters

# node -> (module, class, parameters to start with, a parameter that is fixed once the node runs)
NODES = {
    "camera": ("camera", "CameraNode", {"autostart": False}, "source"),
    "pose": ("pose", "PoseNode", {"autostart": False}, "backend"),
    "fms": ("fms", "FmsNode", {}, "world_frame"),
    "replay": ("replay", "ReplayNode", {"mover": "squat", "loop": True}, "mover"),
}


@pytest.mark.parametrize("name", NODES)
def test_parameters_are_read_and_fixed_ones_refused_over_the_services(ros, name) -> None:
    module, kind, parameters, fixed = NODES[name]
    graph = ros(**parameters)
    node = graph.add(getattr(importlib.import_module(f"fitmotion_nodes.{module}"), kind)())
    names = graph.call(ListParameters, f"{name}/list_parameters", ListParameters.Request()).result.names
    assert fixed in names
    values = graph.call(GetParameters, f"{name}/get_parameters", GetParameters.Request(names=names)).values
    assert len(values) == len(names)
    assert all(value.type != ParameterType.PARAMETER_NOT_SET for value in values)
    change = Parameter(name=fixed, value=ParameterValue(type=ParameterType.PARAMETER_STRING, string_value="other"))
    request = SetParameters.Request(parameters=[change])
    (result,) = graph.call(SetParameters, f"{name}/set_parameters", request).results
    assert not result.successful and result.reason
    assert node.get_parameter(fixed).value != "other"
