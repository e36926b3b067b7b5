"""The parameters of the triangulation node."""

import math
from dataclasses import dataclass
from pathlib import Path

from fitmotion_nodes.parameter_fields import ParameterError, parameter
from fitmotion_nodes.parameters import StreamParameters

LEAST_CAMERAS = 2


@dataclass(frozen=True)
class TriangulationParameters(StreamParameters):
    """Parameters of the triangulation node: several cameras' landmarks to one body."""

    calibration_file: str = parameter(
        "", "the rig's calibration: Pose2Sim Calib.toml, Qualisys .qca.txt, or a folder with a YAML a camera"
    )
    cameras: str = parameter(
        "", "the calibration's cameras that are there, by name and joined by commas; empty: all, in its order"
    )
    topics: str = parameter(
        "", "their landmarks, topics of Skeleton2D joined by commas; empty: cam1/skeleton_2d, cam2/skeleton_2d, ..."
    )
    offsets: str = parameter(
        "",
        "seconds added to the first camera's stamps to find each camera's, joined by commas; empty: 0, lossless only",
    )
    tolerance_s: float = parameter(
        0.02, "seconds by which landmarks of one instant may differ", at_least=0.0, at_most=1.0
    )
    patience_s: float = parameter(
        0.1, "live, seconds an instant waits for a camera that is late", at_least=0.0, at_most=5.0
    )
    subject: str = parameter("person", "name of the person before the cameras, written into every message")
    world_frame: str = parameter("world", "frame of the body poses: the calibration's")

    def check_together(self) -> None:
        """There is a calibration, the lists are of one length, the subject is a name."""
        super().check_together()
        if not self.calibration_file or not Path(self.calibration_file).expanduser().exists():
            raise ParameterError(
                f"calibration_file={self.calibration_file!r}: no such file; give the rig's calibration, which "
                "`./fitmotion calibrate` makes"
            )
        if not (self.subject.isidentifier() and self.subject.isascii()):
            raise ParameterError(
                f"subject={self.subject!r} cannot name a person; use letters, digits and underscores, not starting "
                "with a digit"
            )
        self._check_lists()

    def _check_lists(self) -> None:
        given = {
            name: len(getattr(self, name).split(","))
            for name in ("cameras", "topics", "offsets")
            if getattr(self, name)
        }
        if len(set(given.values())) > 1 or min(given.values(), default=LEAST_CAMERAS) < LEAST_CAMERAS:
            words = ", ".join(f"{name} names {count}" for name, count in given.items())
            raise ParameterError(f"{words}: give one each for the same two or more cameras")
        if self.offsets and not self.lossless:
            raise ParameterError(f"offsets={self.offsets} with lossless=false: live cameras share the clock; leave it")
        self.offset_seconds()

    def offset_seconds(self) -> tuple[float, ...]:
        """The offsets as numbers. Raises ParameterError for what is none."""
        try:
            found = tuple(float(part) for part in self.offsets.split(",")) if self.offsets else ()
        except ValueError:
            found = (math.nan,)
        if not all(map(math.isfinite, found)):
            raise ParameterError(f"offsets={self.offsets}: give seconds, one a camera, joined by commas")
        return found
