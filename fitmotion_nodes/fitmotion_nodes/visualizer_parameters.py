"""The parameters of the visualizer node."""

import re
from dataclasses import dataclass

from fitmotion_nodes.parameters import ParameterError, StreamParameters, parameter

# what a TF frame may be called, so that it can be typed anywhere; TF2 refuses a leading slash
_PREFIX = re.compile(r"([A-Za-z_]\w*/?)*", re.ASCII)


@dataclass(frozen=True)
class VisualizerParameters(StreamParameters):
    """Parameters of the visualizer node."""

    world_frame: str = parameter("world", "frame that body poses must be in; others are refused and counted")
    subject_prefix: str = parameter(
        "", "put before the subject in the names of TF frames and URDF links: <prefix><subject>/<joint>"
    )
    model_subject: str = parameter(
        "", "whose robot_description and joint_states are published; empty: the first person in view"
    )
    subject_timeout_s: float = parameter(
        1.0,
        "seconds without a pose after which a person's markers are taken away",
        at_least=0.1,
        at_most=3600.0,
        dynamic=True,
    )
    marker_fps: float = parameter(
        15.0,
        "how often a second markers and joint states are sent, at most; frames (TF) go with every pose; lossless: all",
        at_least=0.1,
        at_most=240.0,
        dynamic=True,
    )
    angles: bool = parameter(
        True, "show the angles of hips, knees, elbows, shins and trunk in the markers", dynamic=True
    )
    overlay_fps: float = parameter(
        15.0,
        "pictures a second at most on overlay/compressed; nothing is drawn while nobody listens",
        at_least=0.1,
        at_most=240.0,
        dynamic=True,
    )
    overlay_side: int = parameter(
        1280,
        "longest side of the overlay's pictures, pixels; larger camera images are scaled down",
        at_least=160,
        at_most=8192,
        dynamic=True,
    )
    jpeg_quality: int = parameter(80, "quality of the overlay, percent", at_least=1, at_most=100, dynamic=True)

    def check_together(self) -> None:
        """Prefix and subject can be part of a frame's name."""
        super().check_together()
        if not _PREFIX.fullmatch(self.subject_prefix):
            raise ParameterError(
                f"subject_prefix={self.subject_prefix!r} cannot begin the name of a TF frame; use letters, digits and "
                "underscores, with / between parts and not in front"
            )
        if self.model_subject and not (self.model_subject.isascii() and self.model_subject.isidentifier()):
            raise ParameterError(
                f"model_subject={self.model_subject!r} cannot name a person; use letters, digits and underscores, not "
                "starting with a digit, or leave it empty"
            )
