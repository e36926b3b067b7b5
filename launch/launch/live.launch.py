"""Score a person live: camera, pose and scoring, from the same graph as `./fitmotion up`.

    ros2 launch fitmotion_bringup live.launch.py source:=squat.mp4
    ros2 launch fitmotion_bringup live.launch.py source:=0 namespace:=rig_1 params_file:=mine.yaml
    ros2 launch fitmotion_bringup live.launch.py mover:=subject loop:=true rviz:=true
    ros2 launch fitmotion_bringup live.launch.py sources:=cam1.mp4,cam2.mp4 calibration:=rig.toml
    ros2 launch fitmotion_bringup live.launch.py image_topic:=/camera/color/image_raw
    ros2 launch fitmotion_bringup live.launch.py body_pose_topic:=/body_pose use_sim_time:=true
    ros2 launch fitmotion_bringup live.launch.py source:=squat.mp4 imu:=pelvis,left_wrist imu_preset:=bmi270
    ros2 launch fitmotion_bringup live.launch.py generate:=true prompt:="a person limps on the right leg"

Which nodes run and with what is decided in fitmotion_nodes/graph.py; this file only turns that into launch actions. The
nodes configure and activate themselves, so plain Node actions start them.
"""

import math
from pathlib import Path

from launch import LaunchContext, LaunchDescription
from launch.action import Action
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    LogInfo,
    OpaqueFunction,
    RegisterEventHandler,
    SetEnvironmentVariable,
    TimerAction,
)
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown
from launch.events.process import ProcessExited
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from fitmotion_nodes.graph import Graph, GraphOptions, NodeSpec, build_graph
from fitmotion_nodes.parameters import PARAMETERS_EXIT_CODE

CONFIG = Path(__file__).parent.parent / "config"
WORDS = {"true": True, "1": True, "false": False, "0": False}
# name, default, meaning; the names are nav2's where it has one for the same thing
ARGUMENTS = (
    (
        "source",
        "",
        "video file, webcam (0, /dev/video0), rtsp:// address or folder of images; empty: what the others say, else "
        "webcam 0, unless motion is generated",
    ),
    ("sources", "", "what the cameras of a rig film, joined by commas, instead of a source"),
    ("calibration", "", "calibration of the rig of sources: Pose2Sim Calib.toml, Qualisys .qca.txt, folder of YAML"),
    ("replay", "", "a recorded MotionClip (.npz) or recording (.mcap) instead of a camera"),
    ("mover", "", "a built-in moving body instead of a camera: subject, squat, ..."),
    ("image_topic", "", "images of another driver, or of `ros2 bag play`, instead of a camera of ours"),
    ("camera_info_topic", "", "the calibration that belongs to image_topic; empty: camera_info beside the images"),
    ("body_pose_topic", "", "body poses that somebody else publishes, for instance `ros2 bag play` of a recording"),
    ("lossless", "false", "every frame of a recording, in media time on /clock"),
    ("loop", "false", "start a recording again at its end"),
    ("movement", "", "which test is shown, for instance deep_squat"),
    ("variation", "", "which form of it, for instance deep_squat_board"),
    ("subject", "", "whose movement it is"),
    ("subject_prefix", "", "put before the subject in the names of TF frames: <subject_prefix><subject>/<joint>"),
    ("tilt", "nan", "downward tilt of the camera, radians; nan: measured from the standing person"),
    ("generate", "false", "generate motion on generated/body_pose: beside what is watched, or alone"),
    ("prompt", "", "what is generated from the start, for instance raises the left hand"),
    ("fms_score", "", "at which level: any, 0 to 3; from_assessment: that which the watched person just got"),
    ("imu", "", "virtual inertial sensors at these places: pelvis,left_wrist,... or all"),
    ("imu_preset", "", "which real sensor's errors these have: bmi270, xsens-dot, ...; empty: none"),
    ("visualize", "false", "publish markers, TF, a robot model and the overlay, for an rviz of your own"),
    ("rviz", "false", "the same, and start rviz2 with a view of them"),
    ("rviz_config", "", "view for that rviz2; empty: live.rviz of this package"),
    ("dashboard", "false", "serve a page with body, picture, criteria and buttons"),
    ("record", "", "record the whole graph into this file (.mcap)"),
    ("namespace", "", "namespace of the nodes"),
    ("use_sim_time", "false", "take the time from somebody else's /clock; lossless sets it by itself"),
    ("params_file", "", "ROS parameter file that overrides the graph's own"),
    ("autostart", "true", "configure and activate camera and pose; false: their lifecycle services are called"),
    ("use_respawn", "true", "start a node again when it crashes; false: its crash ends the launch"),
    ("respawn", "", "another name for use_respawn"),
    ("log_level", "info", "debug, info, warn, error or fatal"),
)
# the arguments that are the graph's options as they stand
TEXTS = (
    "source", "calibration", "replay", "mover", "image_topic", "camera_info_topic", "body_pose_topic", "movement",
    "variation", "subject", "subject_prefix", "prompt", "fms_score", "imu", "imu_preset", "record", "namespace",
    "log_level",
)  # fmt: skip
RESPAWN_DELAY_S = 1.0


def generate_launch_description() -> LaunchDescription:
    """The arguments, and the graph made of them when it is launched."""
    declared = [
        DeclareLaunchArgument(name, default_value=default, description=about) for name, default, about in ARGUMENTS
    ]
    return LaunchDescription([*declared, OpaqueFunction(function=launch_graph)])


def launch_graph(context: LaunchContext) -> list[Action]:
    """Read the arguments and translate their graph."""
    given = {name: LaunchConfiguration(name).perform(context) for name, _, _ in ARGUMENTS}
    options = graph_options(given)
    graph = build_graph(options, CONFIG)
    name = "respawn" if given["respawn"] else "use_respawn"
    actions = actions_of(graph, respawn=truth(name, given[name]))
    if truth("rviz", given["rviz"]):
        actions.append(rviz_action(options, given["rviz_config"]))
    return actions


def rviz_action(options: GraphOptions, config: str) -> Action:
    """RViz in the graph's namespace, where the view's relative topics are, and on the graph's clock."""
    return Node(
        package="rviz2",
        executable="rviz2",
        namespace=options.namespace,
        arguments=["-d", config or str(CONFIG.parent / "rviz" / "live.rviz")],
        parameters=[{"use_sim_time": options.use_sim_time or options.lossless}],
        output="screen",
    )


def graph_options(given: dict[str, str]) -> GraphOptions:
    """Launch arguments, which are text, as the graph's options. Raises ValueError naming the argument."""
    generate = truth("generate", given["generate"])
    watched = ("source", "sources", "replay", "mover", "image_topic", "body_pose_topic")
    if not generate and not any(given[name] for name in watched):
        given = {**given, "source": "0"}
    texts = {name: given[name] for name in TEXTS}
    return GraphOptions(
        **texts,
        sources=tuple(source for source in given["sources"].split(",") if source),
        lossless=truth("lossless", given["lossless"]),
        loop=truth("loop", given["loop"]),
        generate=generate,
        tilt=tilt_of(given["tilt"]),
        visualize=truth("visualize", given["visualize"]) or truth("rviz", given["rviz"]),
        dashboard=truth("dashboard", given["dashboard"]),
        use_sim_time=truth("use_sim_time", given["use_sim_time"]),
        autostart=truth("autostart", given["autostart"]),
        params_file=Path(given["params_file"]) if given["params_file"] else None,
    )


def tilt_of(text: str) -> float:
    """The camera's tilt, radians, NaN to have it measured. Raises ValueError for what is no angle."""
    try:
        tilt = float(text)
    except ValueError:
        raise ValueError(f"tilt:={text} is no number; give radians, or nan to have it measured") from None
    if math.isinf(tilt):
        raise ValueError(f"tilt:={text} is no angle; give radians, or nan to have it measured")
    return tilt


def truth(name: str, text: str) -> bool:
    """A launch argument as true or false. Raises ValueError for any other word."""
    if text.lower() not in WORDS:
        raise ValueError(f"{name}:={text} is neither true nor false")
    return WORDS[text.lower()]


def actions_of(graph: Graph, *, respawn: bool) -> list[Action]:
    """The graph as launch actions: its environment, then its nodes."""
    environment = [SetEnvironmentVariable(name, value) for name, value in graph.environment.items()]
    # a lossless run that lost a process has lost frames, and launch cannot start it over from the first one
    respawn = respawn and not graph.restart_together
    return [*environment, *(action for spec in graph.nodes for action in node_actions(spec, graph, respawn=respawn))]


def node_actions(spec: NodeSpec, graph: Graph, *, respawn: bool) -> list[Action]:
    """One process, and what its end means.

    Node's own `respawn` starts a process again however it ended; here the end of the source and wrong parameters end
    the launch, and only a crash is a reason to start again.
    """
    node = Node(
        package=spec.package,
        executable=spec.executable,
        name=spec.name,
        namespace=spec.namespace,
        parameters=[dict(spec.parameters)] if spec.parameters else [],
        remappings=list(spec.remappings),
        additional_env=dict(spec.environment),
        ros_arguments=["--log-level", graph.log_level],
        output="screen",
    )

    def on_exit(event: ProcessExited, context: LaunchContext) -> list[Action]:
        if context.is_shutdown or (event.returncode == 0 and not spec.ends_run):
            return []
        if event.returncode == 0:
            return [EmitEvent(event=Shutdown(reason=f"{spec.name} has reached the end of its source"))]
        said = f"{spec.name} has ended with status {event.returncode}"
        if event.returncode == PARAMETERS_EXIT_CODE or not respawn:
            return [LogInfo(msg=said), EmitEvent(event=Shutdown(reason=said))]
        again = node_actions(spec, graph, respawn=respawn)
        return [LogInfo(msg=f"{said}; it starts again"), TimerAction(period=RESPAWN_DELAY_S, actions=again)]

    return [node, RegisterEventHandler(OnProcessExit(target_action=node, on_exit=on_exit))]
