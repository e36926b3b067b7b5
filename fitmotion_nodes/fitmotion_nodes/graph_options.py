"""What a person can ask of the graph, checked. Knows no ROS and starts nothing, as `graph.py`."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fitmotion_nodes.graph_rig import check_rig
from fitmotion_nodes.motion_generator_parameters import FROM_ASSESSMENT

_SOURCES = ("source", "sources", "replay", "mover", "image_topic", "body_pose_topic")
_TOPIC = re.compile(r"/?[A-Za-z_]\w*(/[A-Za-z_]\w*)*", re.ASCII)


@dataclass(frozen=True)
class GraphOptions:
    """What a person chooses when starting the graph; None and empty mean: not said, so that files and defaults decide.

    source: what the camera node films, see CameraParameters.source. sources: what the cameras of a rig film, with the
    rig's calibration (file). replay: clip file (.npz) or recording (.mcap) instead of a camera. mover: name of a
    built-in subject instead of a camera. image_topic: images that somebody else publishes, another driver or `ros2 bag
    play`. body_pose_topic: body poses likewise. Exactly one of the six is given, or none with generate.
    camera_info_topic: of the images on image_topic; empty: camera_info beside them, as image_transport has it.
    lossless: every frame, in media time. loop: a file, clip or mover starts again at its end.
    movement, variation, subject, tilt (radians): as in the nodes' parameters. namespace: of all nodes, for instance
    "rig_1". subject_prefix: put before the names of TF frames. imu: sites of virtual inertial sensors, empty for none;
    imu_preset: which real sensor's errors they have.
    generate: motion is generated, beside what is watched or, without any of the six, alone; prompt: what, from the
    start; fms_score: at which level, as the node's parameter.
    visualize: markers, TF and overlay for rviz. dashboard: a page in the browser. monitor: name of a node of the
    starter's own, which must not miss the start of a lossless run. use_sim_time: the time is somebody else's /clock.
    autostart: false leaves camera and pose to be configured and activated by their lifecycle services.
    params_file: ROS parameter file that overrides the graph's own. parameters: node name -> parameter -> value,
    overrides all.
    """

    source: str = ""
    sources: tuple[str, ...] = ()
    calibration: str = ""
    replay: str = ""
    mover: str = ""
    image_topic: str = ""
    camera_info_topic: str = ""
    body_pose_topic: str = ""
    lossless: bool = False
    loop: bool = False
    record: str = ""
    movement: str = ""
    variation: str = ""
    subject: str = ""
    subject_prefix: str = ""
    generate: bool = False
    prompt: str = ""
    fms_score: str = ""
    tilt: float = math.nan
    imu: str = ""
    imu_preset: str = ""
    visualize: bool = False
    dashboard: bool = False
    monitor: str = ""
    namespace: str = ""
    use_sim_time: bool = False
    autostart: bool = True
    params_file: Path | None = None
    log_level: str = "info"
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        given = [name for name in _SOURCES if getattr(self, name)]
        if len(given) != 1 and (given or not self.generate):
            raise ValueError(
                f"the graph needs exactly one of {', '.join(_SOURCES[:-1])} and {_SOURCES[-1]}; "
                f"got {' and '.join(given) or 'none of them'}"
            )
        self._check_topics()
        self._check_generation()
        if self.imu_preset and not self.imu:
            raise ValueError(
                f"imu_preset={self.imu_preset} is for sensors that somebody wears; give imu too, for instance pelvis"
            )
        if self.sources:
            check_rig(self.sources, self.calibration)
        elif self.calibration:
            raise ValueError(f"calibration={self.calibration} belongs to the sources of a rig; give two or more")
        if any(not part.isidentifier() for part in self.namespace.strip("/").split("/")) and self.namespace.strip("/"):
            raise ValueError(
                f"namespace={self.namespace!r} is no ROS namespace; use letters, digits and underscores, joined by /"
            )

    def _check_topics(self) -> None:
        for name in ("image_topic", "camera_info_topic", "body_pose_topic"):
            if getattr(self, name) and not _TOPIC.fullmatch(getattr(self, name)):
                raise ValueError(
                    f"{name}={getattr(self, name)!r} is no ROS topic; use letters, digits and underscores, joined by "
                    "/, for instance /camera/color/image_raw"
                )
        if self.camera_info_topic and not self.image_topic:
            raise ValueError("camera_info_topic belongs to image_topic; give both, or neither")
        if self.lossless and (self.image_topic or self.body_pose_topic):
            raise ValueError(
                "lossless with somebody else's topic: nobody there waits for the graph; use source or replay, or leave "
                "lossless out"
            )

    def _check_generation(self) -> None:
        if not self.generate and (self.prompt or self.fms_score):
            raise ValueError(
                f"prompt={self.prompt!r} and fms_score={self.fms_score!r} say what is generated; give generate too"
            )
        if self.fms_score == FROM_ASSESSMENT and not self.watches:
            raise ValueError(
                f"fms_score={FROM_ASSESSMENT} follows the score of somebody who is watched; give a source, a recording "
                "or a mover too"
            )
        if self.lossless and not self.watches:
            raise ValueError("lossless is for recordings; what is generated alone has no frames to lose")

    @property
    def watches(self) -> bool:
        """Whether there is somebody to watch and to score."""
        return any(getattr(self, name) for name in _SOURCES)

    @property
    def root(self) -> str:
        """The namespace of all nodes, absolute: "" or "/name"."""
        namespace = self.namespace.strip("/")
        return f"/{namespace}" if namespace else ""

    @property
    def has_images(self) -> bool:
        """Whether images go in, rather than ready-made poses."""
        return bool(self.source or self.sources or self.image_topic)

    @property
    def plays_poses(self) -> bool:
        """Whether ready-made poses come from a node of the graph."""
        return bool(self.replay or self.mover)
