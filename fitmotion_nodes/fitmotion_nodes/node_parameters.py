"""Every node's parameters by the node's name, and how a person types one."""

import dataclasses
from typing import Any

from fitmotion_nodes.dashboard_parameters import DashboardParameters
from fitmotion_nodes.motion_generator_parameters import MotionGeneratorParameters
from fitmotion_nodes.parameter_fields import type_word
from fitmotion_nodes.parameters import (
    CameraParameters,
    FmsParameters,
    NodeParameters,
    ParameterError,
    PoseParameters,
    ReplayParameters,
)
from fitmotion_nodes.recorder_parameters import RecorderParameters
from fitmotion_nodes.triangulation_parameters import TriangulationParameters
from fitmotion_nodes.virtual_imu_parameters import VirtualImuParameters
from fitmotion_nodes.visualizer_parameters import VisualizerParameters

NODE_PARAMETERS: dict[str, type[NodeParameters]] = {
    "camera": CameraParameters,
    "pose": PoseParameters,
    "triangulation": TriangulationParameters,
    "fms": FmsParameters,
    "replay": ReplayParameters,
    "motion_generator": MotionGeneratorParameters,
    "virtual_imu": VirtualImuParameters,
    "visualizer": VisualizerParameters,
    "dashboard": DashboardParameters,
    "recorder": RecorderParameters,
}


def value_from_text(node: str, name: str, text: str) -> Any:
    """A parameter's value as a person types it, in the type that the parameter has.

    Raises ParameterError for an unknown node or parameter and for text that cannot be of that type.
    """
    if node not in NODE_PARAMETERS:
        raise ParameterError(f"{node}.{name}: no node is called {node}; known: {', '.join(NODE_PARAMETERS)}")
    defaults: dict[str, Any] = {item.name: item.default for item in dataclasses.fields(NODE_PARAMETERS[node])}
    if name not in defaults:
        raise ParameterError(f"{node}.{name}: unknown parameter; known: {', '.join(sorted(defaults))}")
    kind = type(defaults[name])
    words = {"true": True, "false": False}
    try:
        return words[text.lower()] if kind is bool else kind(text)
    except (KeyError, ValueError):
        raise ParameterError(f"{node}.{name}={text}: it must be {type_word(kind)}") from None
