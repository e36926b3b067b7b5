"""The graph as data: which nodes run, under which conditions, with which parameters, remappings and environment.

`./fitmotion up` starts it with `supervisor.py`; `live.launch.py` turns the same data into launch actions. This module
knows neither of them, starts nothing and imports no ROS.
"""

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from fitmotion_nodes.dashboard_parameters import DashboardParameters
from fitmotion_nodes.graph_environment import PROFILE_VARIABLES as PROFILE_VARIABLES
from fitmotion_nodes.graph_environment import Place, large_image_environment, shared_environment
from fitmotion_nodes.graph_options import GraphOptions as GraphOptions
from fitmotion_nodes.graph_rig import rig_nodes, shown_images
from fitmotion_nodes.motion_generator_parameters import MotionGeneratorParameters
from fitmotion_nodes.parameter_files import overrides_for
from fitmotion_nodes.parameters import (
    CameraParameters,
    FmsParameters,
    NodeParameters,
    ParameterError,
    PoseParameters,
    ReplayParameters,
    from_overrides,
)
from fitmotion_nodes.recorder_parameters import RecorderParameters
from fitmotion_nodes.virtual_imu_parameters import VirtualImuParameters
from fitmotion_nodes.visualizer_parameters import VisualizerParameters

PACKAGE = "fitmotion_nodes"
# Beside the watched person, who stands where the world begins, as two people stand who exercise together: metres to
# their left (negative: to their right).
BESIDE_M = -1.2
GENERATED = "generated/body_pose"


@dataclass(frozen=True)
class NodeSpec:
    """One process: which executable, under which name, with what.

    parameters: all that differ from the node's defaults, files included. environment: added to the graph's.
    kind: the dataclass that declares and checks its parameters.
    ends_run: its clean exit (status 0) means that the source is exhausted and the run is complete.
    essential: a run without it is not worth going on with; what only shows is given up by itself.
    """

    executable: str
    name: str
    kind: type[NodeParameters]
    package: str = PACKAGE
    namespace: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    remappings: tuple[tuple[str, str], ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    lifecycle: bool = False
    ends_run: bool = False
    essential: bool = True

    @property
    def full_name(self) -> str:
        """The node's fully qualified name."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True)
class Graph:
    """The nodes of one run and the environment that they share.

    restart_together: a crash makes the run start over. namespace: of the run, "" or "/name"; a rig's cameras are below.
    """

    nodes: tuple[NodeSpec, ...]
    environment: Mapping[str, str]
    log_level: str
    restart_together: bool
    namespace: str = ""


def _camera(options: GraphOptions, place: Place) -> NodeSpec:
    return NodeSpec(
        executable="camera",
        name="camera",
        kind=CameraParameters,
        parameters={
            "source": options.source,
            **_timing(options),
            **_lifecycle(options),
            **_given(loop=options.loop, wait_for=_body_listeners(options)),
        },
        environment=large_image_environment(place),
        lifecycle=True,
        ends_run=True,
    )


def _pose(options: GraphOptions, place: Place) -> NodeSpec:
    tilt = {} if math.isnan(options.tilt) else {"tilt": options.tilt}
    return NodeSpec(
        executable="pose",
        name="pose",
        kind=PoseParameters,
        parameters={**_timing(options), **_lifecycle(options), **_given(subject=options.subject), **tilt},
        remappings=_foreign_images(options),
        lifecycle=True,
    )


def _rig(options: GraphOptions, place: Place) -> tuple[NodeSpec, ...]:
    camera, pose = _camera(options, place), _pose(options, place)
    return rig_nodes(options.sources, options.calibration, options.root, camera, pose)


def _replay(options: GraphOptions, place: Place) -> NodeSpec:
    chosen = _given(
        clip=options.replay,
        mover=options.mover,
        loop=options.loop,
        subject=options.subject,
        # live too the first repetition of a recording is scored, however slowly the nodes start
        wait_for=_body_listeners(options) or ("fms" if options.watches else ""),
    )
    return NodeSpec(
        executable="replay",
        name="replay",
        kind=ReplayParameters,
        parameters={**_timing(options), **chosen},
        ends_run=True,
    )


def _fms(options: GraphOptions, place: Place) -> NodeSpec:
    return NodeSpec(
        executable="fms",
        name="fms",
        kind=FmsParameters,
        parameters={**_timing(options), **_given(movement=options.movement, variation=options.variation)},
        remappings=_foreign_poses(options),
    )


def _motion_generator(options: GraphOptions, place: Place) -> NodeSpec:
    chosen = _given(prompt=options.prompt, fms_score=options.fms_score, place_y=BESIDE_M if options.watches else 0.0)
    return NodeSpec(
        executable="motion_generator",
        name="motion_generator",
        kind=MotionGeneratorParameters,
        parameters={**_timing(options), **_lifecycle(options), **chosen},
        lifecycle=True,
    )


def _virtual_imu(options: GraphOptions, place: Place) -> NodeSpec:
    return NodeSpec(
        executable="virtual_imu",
        name="virtual_imu",
        kind=VirtualImuParameters,
        parameters={
            **_timing(options),
            **_given(sites=options.imu, preset=options.imu_preset, subject_prefix=options.subject_prefix),
        },
        remappings=_foreign_poses(options) if options.watches else (("body_pose", GENERATED),),
    )


def _visualizer(options: GraphOptions, place: Place) -> NodeSpec:
    return NodeSpec(
        executable="visualizer",
        name="visualizer",
        kind=VisualizerParameters,
        essential=False,
        parameters={**_timing(options), **_given(subject_prefix=options.subject_prefix)},
        remappings=_foreign_images(options) + _foreign_poses(options),
    )


def _dashboard(options: GraphOptions, place: Place) -> NodeSpec:
    return NodeSpec(
        executable="dashboard",
        name="dashboard",
        kind=DashboardParameters,
        essential=False,
        parameters={**_timing(options), **_given(motion=_motion_controls(options))},
        remappings=_foreign_images(options) + _foreign_poses(options),
    )


def _recorder(options: GraphOptions, place: Place) -> NodeSpec:
    return NodeSpec(
        executable="recorder",
        name="recorder",
        kind=RecorderParameters,
        parameters={**_timing(options), **_given(path=options.record)},
    )


_Make = Callable[[GraphOptions, Place], NodeSpec | tuple[NodeSpec, ...]]
# (condition, node or nodes): the whole graph, in the order of the data
_GRAPH: tuple[tuple[Callable[[GraphOptions], bool], _Make], ...] = (
    (lambda options: bool(options.source), _camera),
    (lambda options: options.has_images and not options.sources, _pose),
    (lambda options: bool(options.sources), _rig),
    (lambda options: options.plays_poses, _replay),
    (lambda options: options.watches, _fms),
    (lambda options: options.generate, _motion_generator),
    (lambda options: bool(options.record), _recorder),
    (lambda options: bool(options.imu), _virtual_imu),
    (lambda options: options.visualize or (options.dashboard and options.watches), _visualizer),
    (lambda options: options.dashboard, _dashboard),
)


def build_graph(options: GraphOptions, config_dir: Path, environment: Mapping[str, str] = os.environ) -> Graph:
    """The graph that these options ask for.

    config_dir: folder with live.yaml and large_shared_memory.xml (bringup's config). environment: what the processes
    will inherit; what a user has set there is respected.
    Raises ParameterError, a ValueError of one sentence, for parameters that cannot be used, whoever gave them.
    """
    place = Place(config_dir, environment)
    made = (make(options, place) for condition, make in _GRAPH if condition(options))
    specs = tuple(spec for one in made for spec in (one if isinstance(one, tuple) else (one,)))
    unknown = sorted(set(options.parameters) - {name for spec in specs for name in (spec.name, spec.executable)})
    if unknown:
        raise ParameterError(
            f"parameter for node {', '.join(unknown)}, which is not in this run; its nodes: "
            f"{', '.join(spec.name for spec in specs)}"
        )
    return Graph(
        nodes=tuple(_complete(spec, options, config_dir) for spec in specs),
        environment=shared_environment(place),
        log_level=options.log_level,
        # a lossless run that lost a process has lost frames: only a new run from the first frame gives the true result
        restart_together=options.lossless,
        namespace=options.root,
    )


def recording_into(graph: Graph, folder: Path) -> Graph:
    """The graph with its recorder's file inside this folder, unless the path given is absolute."""
    nodes = tuple(
        replace(spec, parameters={**spec.parameters, "path": str(folder / spec.parameters["path"])})
        if spec.executable == "recorder"
        else spec
        for spec in graph.nodes
    )
    return replace(graph, nodes=nodes)


def _complete(spec: NodeSpec, options: GraphOptions, config_dir: Path) -> NodeSpec:
    """Put the node into its namespace and lay all its parameters over each other; checked before anything starts."""
    below = spec.namespace.strip("/")
    spec = replace(spec, namespace=f"{options.root}/{below}" if below else options.root)
    files = [config_dir / "live.yaml"] + ([options.params_file] if options.params_file else [])
    parameters = {
        **_of_files(spec, files),
        **spec.parameters,
        **(options.parameters.get(spec.executable, {}) if spec.executable != spec.name else {}),
        **options.parameters.get(spec.name, {}),
    }
    try:
        from_overrides(spec.kind, parameters)
    except ParameterError as error:
        raise ParameterError(f"{spec.name}: {error}") from None
    return replace(spec, parameters=parameters)


def _of_files(spec: NodeSpec, files: list[Path]) -> dict[str, Any]:
    """What files say of a node; of a rig's camera_1 also what they say of `camera` in its namespace."""
    general = overrides_for(f"{spec.namespace}/{spec.executable}", files) if spec.executable != spec.name else {}
    return {**general, **overrides_for(spec.full_name, files)}


def _given(**values: Any) -> dict[str, Any]:
    """Only what was said: everything else is left to the parameter files and the defaults."""
    return {name: value for name, value in values.items() if value}


def _body_listeners(options: GraphOptions) -> str:
    """Who must listen to the bodies before a lossless run begins; live, whoever comes late has missed nothing asked."""
    there = {
        "fms": True,
        "recorder": options.record,
        "virtual_imu": options.imu,
        "visualizer": options.visualize or options.dashboard,
        "dashboard": options.dashboard,
        options.monitor: options.monitor,
    }
    return ",".join(name for name, wanted in there.items() if wanted) if options.lossless else ""


def _motion_controls(options: GraphOptions) -> str:
    """Where the page has the controls of the motion generator."""
    if not options.generate:
        return ""
    return "beside" if options.watches else "alone"


def _timing(options: GraphOptions) -> dict[str, Any]:
    return _given(lossless=options.lossless, use_sim_time=options.lossless or options.use_sim_time)


def _lifecycle(options: GraphOptions) -> dict[str, Any]:
    return {} if options.autostart else {"autostart": False}


def _foreign_images(options: GraphOptions) -> tuple[tuple[str, str], ...]:
    """The camera's topics as somebody else calls theirs, or as a rig's first camera does."""
    if options.sources:
        return shown_images(options.root)
    if not options.image_topic:
        return ()
    beside = options.image_topic.rpartition("/")
    return (
        ("image_raw", options.image_topic),
        ("image_raw/compressed", f"{options.image_topic}/compressed"),
        ("camera_info", options.camera_info_topic or f"{beside[0]}{beside[1]}camera_info"),
    )


def _foreign_poses(options: GraphOptions) -> tuple[tuple[str, str], ...]:
    return (("body_pose", options.body_pose_topic),) if options.body_pose_topic else ()
