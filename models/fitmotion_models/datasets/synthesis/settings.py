"""What a data set of virtual sensors is made with; which stage depends on which of it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

from fitmotion_models.datasets.synthesis.files import hash_of, hash_of_file
from fitmotion_models.datasets.synthesis.motion_to_imu import USUAL, read_cutoffs
from fitmotion_models.imu.sites import Site, select_sites
from fitmotion_models.imu.values import DEFAULT_RATE_HZ
from fitmotion_models.motion.sampler import DEFAULT_WEIGHTS, weights_file
from fitmotion_models.pose.backends import DEFAULT_BACKEND, BackendChoice

IDEAL_SENSOR = "ideal"
"""The preset of a sensor without errors."""

_HIGHEST_RATE_HZ = 2000.0


@dataclass(frozen=True)
class SynthesisSettings:
    """Settings of all stages.

    sites, sites_file: see `select_sites`. rate_hz: samples a second, of every recording. cutoff: see
    `clip_cutoffs`. preset: a sensor's name in
    `load_presets`, "ideal" has no errors. calibration: file of `imu calibrate`, "" for none. seed: of sensors.
    backend, pose_model, detector: of videos, see `BackendChoice`. generator: "fitmotion" or "kimodo", with weights: of
    the first, and kimodo_model: of the second.

    Raises ValueError, one sentence, for what is unknown or out of range.
    """

    sites: tuple[str, ...] = ("all",)
    sites_file: str = ""
    rate_hz: float = DEFAULT_RATE_HZ
    cutoff: str = USUAL
    preset: str = IDEAL_SENSOR
    calibration: str = ""
    seed: int = 0
    backend: str = DEFAULT_BACKEND
    pose_model: str = ""
    detector: str = ""
    generator: str = "fitmotion"
    weights: str = DEFAULT_WEIGHTS
    kimodo_model: str = "Kimodo-SMPLX-RP-v1"

    def __post_init__(self) -> None:
        if not 1.0 <= self.rate_hz <= _HIGHEST_RATE_HZ:
            raise ValueError(f"rate {self.rate_hz:g} is out of range; allowed: 1 to {_HIGHEST_RATE_HZ:g} a second")
        if self.generator not in GENERATORS:
            raise ValueError(f"generator '{self.generator}' unknown; known: {', '.join(GENERATORS)}")
        read_cutoffs(self.cutoff)
        self.placed_sites()
        self.sensor()
        if self.calibration:
            self._check_calibrated_sites()

    def placed_sites(self) -> tuple[Site, ...]:
        """The sites by value. Raises ValueError for unknown ones, OSError where their file can't be read."""
        return select_sites(self.sites, self.sites_file or None)

    def sensor(self) -> Any | None:
        """The sensor's specification; None for an exact one. Raises ValueError for an unknown preset."""
        if self.preset == IDEAL_SENSOR:
            return None
        from fitmotion_models.imu.sensor_spec import sensor_preset

        return sensor_preset(self.preset)

    def _check_calibrated_sites(self) -> None:
        from fitmotion_models.imu.calibration import Calibration

        known = Calibration.load(self.calibration).sensors
        unknown = [site.name for site in self.placed_sites() if site.name not in known]
        if unknown:
            raise ValueError(
                f"calibration {self.calibration} knows nothing of {', '.join(unknown)}; take the sites that it was "
                f"learned at: {','.join(known)}"
            )

    def calibrated_on(self) -> tuple[str, ...]:
        """Persons that the calibration was fitted on. Raises ValueError where its file can't be used."""
        if not self.calibration:
            return ()
        from fitmotion_models.imu.calibration import Calibration

        return tuple(Calibration.load(Path(self.calibration)).persons)

    @property
    def pose_backend(self) -> BackendChoice:
        """Backend and networks of videos."""
        return BackendChoice(self.backend, self.pose_model, self.detector)

    def of_videos(self) -> dict[str, Any]:
        """What a body that was seen in a video depends on."""
        return {"backend": self.backend, "pose_model": self.pose_model, "detector": self.detector}

    def of_prompts(self) -> dict[str, Any]:
        """What a generated body depends on."""
        if self.generator == "kimodo":
            return {"generator": self.generator, "model": self.kimodo_model}
        return {"generator": self.generator, "weights": self.weights, "hash": _weights_hash(self.weights)}

    def of_imu(self) -> dict[str, Any]:
        """What virtual sensors depend on beside the motion."""
        definition = [plain(self.placed_sites()), plain(self.sensor())]
        return {
            "sites": [site.name for site in self.placed_sites()],
            "rate_hz": self.rate_hz,
            "cutoff": self.cutoff,
            "preset": self.preset,
            "definition": hash_of(definition),
        }

    def of_calibration(self) -> dict[str, Any]:
        """What calibrated sensors depend on beside the virtual ones."""
        return {"file": Path(self.calibration).name, "hash": hash_of_file(Path(self.calibration))}

    def as_dict(self) -> dict[str, Any]:
        """All of it for JSON."""
        return {field.name: plain(getattr(self, field.name)) for field in fields(self)}


GENERATORS = ("fitmotion", "kimodo")
"""What makes motion of prompts."""


def plain(value: Any) -> Any:
    """A value as JSON has it: tuples are lists, dataclasses their fields, arrays their values, an infinity its name."""
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): plain(entry) for name, entry in value.items()}
    if isinstance(value, tuple | list):
        return [plain(entry) for entry in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


@cache
def _weights_hash(weights: str) -> str:
    return hash_of_file(weights_file(weights))
