"""The parameters of every node: one frozen dataclass a node, each field with its meaning and range.

A field is read-only unless it is marked `dynamic`; dynamic fields are checked as a whole before they are accepted, and
the node hears of the new value. Nothing is accepted and then ignored: an override that no field has is an error.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fitmotion_models.fms.values import AUTO, Movement, Side, Variation
from fitmotion_nodes.parameter_fields import (
    PARAMETERS_EXIT_CODE,
    NodeParameters,
    ParameterError,
    declare,
    from_overrides,
    parameter,
)

__all__ = [
    "PARAMETERS_EXIT_CODE",
    "CameraParameters",
    "FmsParameters",
    "NodeParameters",
    "ParameterError",
    "PoseParameters",
    "ReplayParameters",
    "StreamParameters",
    "check_subject",
    "declare",
    "frame_qos",
    "from_overrides",
    "image_qos",
    "is_live_source",
    "parameter",
    "result_qos",
]

RELIABILITIES = ("auto", "best_effort", "reliable")
_LOSSLESS_IMAGES = 8  # queue of images in lossless mode; never more than two are under way


@dataclass(frozen=True)
class StreamParameters(NodeParameters):
    """The part that every node of the data path shares: media time or live, and the quality of service that follows."""

    lossless: bool = parameter(
        False,
        "every frame is kept and the source waits for the consumers (files and replays, media time); "
        "false: live, the newest frame wins",
    )
    qos_reliability: str = parameter(
        "auto",
        "quality of service of the frame topics; auto: best_effort live, reliable in lossless mode",
        choices=RELIABILITIES,
    )
    qos_depth: int = parameter(
        0,
        "frames kept in the queues of the frame topics; 0: five live, all of them in lossless mode",
        at_least=0,
        at_most=1000,
    )

    def check_together(self) -> None:
        """Lossless leaves no choice of quality of service."""
        if self.lossless and self.qos_reliability == "best_effort":
            raise ParameterError(
                "qos_reliability=best_effort can lose frames and lossless=true must not; "
                "leave qos_reliability at auto or set lossless to false"
            )
        if self.lossless and self.qos_depth:
            raise ParameterError(
                f"qos_depth={self.qos_depth} limits the queue and lossless=true must keep every frame; "
                "leave qos_depth at 0 or set lossless to false"
            )

    @property
    def reliable(self) -> bool:
        """Whether frame topics are reliable."""
        return self.lossless if self.qos_reliability == "auto" else self.qos_reliability == "reliable"


@dataclass(frozen=True)
class CameraParameters(StreamParameters):
    """Parameters of the camera node."""

    source: str = parameter(
        "0", "where images come from: a video file, a webcam number, an rtsp:// address or a folder of images"
    )
    autostart: bool = parameter(True, "configure and activate on start; false: wait for the lifecycle services")
    frame_id: str = parameter("camera_optical_frame", "frame of the images: optical axes, x right, y down, z forward")
    width: int = parameter(
        0,
        "greatest width of the images, pixels: cameras are asked, larger images scaled to fit; 0: as they come",
        at_least=0,
        at_most=16384,
    )
    height: int = parameter(
        0,
        "greatest height of the images, pixels: cameras are asked, larger images scaled to fit; 0: as they come",
        at_least=0,
        at_most=16384,
    )
    fps: float = parameter(
        0.0,
        "frames a second: asked of a camera, the rate of a folder of images; 0: the source's own (folders: 30)",
        at_least=0.0,
        at_most=1000.0,
    )
    loop: bool = parameter(False, "a file or folder starts again when it ends; stamps go on rising")
    calibration_file: str = parameter("", "camera_info YAML with the intrinsics; empty: a pinhole guess")
    wait_for: str = parameter("", "nodes that must listen to body_pose before the first image, joined by commas")
    rig_role: str = parameter(
        "",
        "files that stand for the cameras of a rig begin together; first: this one says when, and gives media time; "
        "other: it waits for the first; empty: it is alone",
        choices=("", "first", "other"),
    )
    rig_cameras: int = parameter(0, "how many cameras the rig has, with rig_role", at_least=0, at_most=64)
    compressed: bool = parameter(True, "publish image_raw/compressed (JPEG) too, when somebody listens", dynamic=True)
    preview_hz: float = parameter(
        5.0,
        "pictures a second on preview/compressed, at most 640 pixels, when somebody listens; lossless: every image",
        at_least=0.1,
        at_most=1000.0,
    )
    jpeg_quality: int = parameter(80, "quality of the JPEG images, percent", at_least=1, at_most=100, dynamic=True)
    reconnect_s: float = parameter(
        1.0,
        "seconds before a camera that has gone is tried again; doubles with every attempt",
        at_least=0.1,
        at_most=60.0,
        dynamic=True,
    )

    def check_together(self) -> None:
        """Cameras cannot wait, lossless runs must end, sizes come in pairs, files exist."""
        super().check_together()
        if not self.source:
            raise ParameterError("source is empty; give a video file, a webcam number, an rtsp:// address or a folder")
        if bool(self.width) != bool(self.height):
            raise ParameterError(
                f"width={self.width} and height={self.height}: give both in pixels, or 0 and 0 to keep the size"
            )
        if bool(self.rig_role) != bool(self.rig_cameras):
            raise ParameterError(
                f"rig_role={self.rig_role!r} and rig_cameras={self.rig_cameras}: give both for a camera of a rig, or "
                "neither"
            )
        if self.lossless and is_live_source(self.source):
            raise ParameterError(
                f"lossless=true with source={self.source}: a camera cannot wait for its consumers; "
                "use a file or folder, or set lossless to false"
            )
        if self.lossless and self.loop:
            raise ParameterError("lossless=true with loop=true would never end; set one of them to false")
        _check_file("calibration_file", self.calibration_file)


@dataclass(frozen=True)
class PoseParameters(StreamParameters):
    """Parameters of the pose node."""

    autostart: bool = parameter(True, "configure and activate on start; false: wait for the lifecycle services")
    backend: str = parameter(
        "mediapipe",
        "what finds people in the image: mediapipe (one person), rtmpose with pose_model, mmpose, or the name of a "
        "network (`./fitmotion models list`)",
    )
    pose_model: str = parameter("", "with rtmpose: a network's file, its folder of MMDeploy or its name")
    detector: str = parameter("", "with rtmpose: what finds people, likewise; empty: the catalogue's default")
    engine: str = parameter(
        "auto",
        "with rtmpose: what runs the networks; auto: TensorRT, else CUDA, else the CPU",
        choices=("auto", "tensorrt", "cuda", "cpu"),
    )
    threads: int = parameter(2, "with rtmpose: processor threads of the networks", at_least=1, at_most=256)
    detect_every: int = parameter(
        10, "with rtmpose: images from one detection of people to the next", at_least=1, at_most=1000
    )
    subject: str = parameter("person", "name of the person in front of this camera, written into every message")
    world_frame: str = parameter("world", "frame of the body poses")
    tilt: float = parameter(math.nan, "downward tilt of the camera, radians; NaN: measured from the standing person")
    calibration_file: str = parameter("", "camera_info YAML with the intrinsics; empty: the camera_info topic's")
    landmarks_only: bool = parameter(False, "skeleton_2d only, no body_pose: the body is made of several cameras")

    def check_together(self) -> None:
        """The subject is a name, the tilt an angle, files exist."""
        super().check_together()
        check_subject(self.subject)
        if math.isfinite(self.tilt) and abs(self.tilt) > math.pi / 2:
            raise ParameterError(
                f"tilt={self.tilt} is outside -pi/2 to pi/2 radians; it is the camera's downward tilt in radians, "
                f"so for {self.tilt:g} degrees write {math.radians(self.tilt):.4f}"
            )
        if math.isinf(self.tilt):
            raise ParameterError("tilt is infinite; give radians, or NaN to have it measured")
        _check_file("calibration_file", self.calibration_file)


@dataclass(frozen=True)
class FmsParameters(StreamParameters):
    """Parameters of the fms node."""

    movement: str = parameter(
        "deep_squat",
        "the movement that is scored until fms/start_test names another; auto: any, recognised from what is done",
        choices=(AUTO, *(item.name.lower() for item in Movement if item is not Movement.UNKNOWN)),
    )
    variation: str = parameter(
        "none",
        "the form of the movement that is scored first; none: its first form, or what a repetition shows",
        choices=tuple(item.name.lower() for item in Variation),
    )
    side: str = parameter(
        "both",
        "the side of the first trial; both: every repetition says its own",
        choices=tuple(item.name.lower() for item in Side),
    )
    trial: int = parameter(1, "number of the first trial", at_least=1, at_most=255)
    assess: str = parameter(
        "",
        "who is scored: a subject's name, or all; empty: one at a time, the first who is seen until they have left for "
        "subject_timeout_s or fms/start_test names another",
        dynamic=True,
    )
    learned: bool = parameter(True, "ask the learned scorer, where a test has one, and say where it disagrees")
    records: str = parameter("", "database in which screens are kept (.sqlite, made when new); empty: none is kept")
    person: str = parameter("", "whose screen is begun at the start, by their name in the records; empty: nobody's yet")
    measured_by: str = parameter("", "who measures, for the records")
    resume: bool = parameter(
        False, "go on with the open screen of `person` (empty: the latest of all) instead of beginning one"
    )
    world_frame: str = parameter("world", "frame that body poses must be in; others are refused and counted")
    subject_timeout_s: float = parameter(
        30.0,
        "a person unseen for this many seconds is forgotten (the screen is kept)",
        at_least=1.0,
        at_most=86400.0,
        dynamic=True,
    )

    def check_together(self) -> None:
        """The variation is one of the movement's; a screen that is begun or goes on is kept somewhere."""
        super().check_together()
        if self.movement != AUTO and not self.variation.startswith(self.movement) and self.variation != "none":
            raise ParameterError(
                f"variation={self.variation} is no form of movement={self.movement}; "
                f"allowed: {', '.join(['none', *_variations_of(self.movement)])}"
            )
        if (self.person or self.resume) and not self.records:
            raise ParameterError(
                f"person={self.person!r} and resume={str(self.resume).lower()} need records; give the path of the "
                "database, for instance records=data/fitmotion.sqlite"
            )


@dataclass(frozen=True)
class ReplayParameters(StreamParameters):
    """Parameters of the replay node: a recorded clip or the built-in subject, played as BodyPose."""

    clip: str = parameter("", "clip file (.npz) or recording (.mcap) to play; empty: the mover")
    wait_for: str = parameter("", "nodes that must listen to body_pose before the first pose, joined by commas")
    mover: str = parameter("", "built-in subject to play, for instance squat; empty: the clip")
    subject: str = parameter("", "name of the subject in the messages; empty: the clip's own")
    world_frame: str = parameter("world", "frame of the body poses")
    loop: bool = parameter(False, "start again at the end; stamps go on rising")
    fps: float = parameter(30.0, "frames a second that a mover is made with", at_least=1.0, at_most=1000.0)
    speed: float = parameter(
        1.0, "how fast live time runs against the clip's; 1: as recorded", at_least=0.01, at_most=100.0, dynamic=True
    )

    def check_together(self) -> None:
        """One thing to play, and an end where it must have one."""
        super().check_together()
        if bool(self.clip) == bool(self.mover):
            raise ParameterError(
                f"clip={self.clip!r} and mover={self.mover!r}: give exactly one, a clip file or the name of a mover"
            )
        if self.subject:
            check_subject(self.subject)
        if self.lossless and self.loop:
            raise ParameterError("lossless=true with loop=true would never end; set one of them to false")
        _check_file("clip", self.clip)


def is_live_source(source: str) -> bool:
    """Whether a camera source is a device or a network address, which can be reopened but never waits or rewinds."""
    return source.isdecimal() or "://" in source or source.startswith("/dev/")


def _variations_of(movement: str) -> list[str]:
    return [item.name.lower() for item in Variation if item.name.lower().startswith(movement)]


def _check_file(name: str, path: str) -> None:
    if path and not Path(path).expanduser().is_file():
        raise ParameterError(f"{name}={path}: no such file; give the path of an existing file or leave it empty")


def check_subject(subject: str) -> None:
    """Raises ParameterError for what cannot name a person."""
    # subjects become TF frame prefixes, file names and topic parts: one alphabet that is good in all of them
    if not subject.isidentifier() or not subject.isascii():
        raise ParameterError(
            f"subject={subject!r} cannot name a person; use letters, digits and underscores, not starting with a digit"
        )


def frame_qos(parameters: StreamParameters) -> Any:
    """Quality of service of skeletons, poses and states: sensor data live, every message in lossless mode.

    Lossless, a listener that joins late gets what was sent before it: which process starts first changes no result.
    """
    from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

    reliability = ReliabilityPolicy.RELIABLE if parameters.reliable else ReliabilityPolicy.BEST_EFFORT
    if parameters.lossless:
        durability = DurabilityPolicy.TRANSIENT_LOCAL
        return QoSProfile(history=HistoryPolicy.KEEP_ALL, reliability=reliability, durability=durability)
    return QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=parameters.qos_depth or 5, reliability=reliability)


def image_qos(parameters: StreamParameters, *, newest: bool = False) -> Any:
    """Quality of service of images. newest: for a listener that is slower than the camera, a queue of one.

    Lossless, acknowledgements bound what is under way to two images; a queue of all would keep gigabytes for a listener
    that died.
    """
    from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy

    reliability = ReliabilityPolicy.RELIABLE if parameters.reliable else ReliabilityPolicy.BEST_EFFORT
    live_depth = parameters.qos_depth or (1 if newest else 5)
    depth = _LOSSLESS_IMAGES if parameters.lossless else live_depth
    return QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=depth, reliability=reliability)


def result_qos(*, latched: bool = False, depth: int | None = None) -> Any:
    """Quality of service of results: reliable; latched (transient local) for what a late listener must still get.

    depth: how many are kept; without it 1 latched, else 50.
    """
    from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=depth or (1 if latched else 50),
        reliability=ReliabilityPolicy.RELIABLE,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
    )
