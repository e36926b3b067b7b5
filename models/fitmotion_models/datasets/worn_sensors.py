"""Sensors put on a motion as a user wishes: from a clip to the table of what they read."""

from dataclasses import dataclass
from typing import Any

from fitmotion_models.datasets.imu_tables import ImuTable
from fitmotion_models.datasets.synthesis.motion_to_imu import USUAL, clip_cutoffs, imu_of_clip, read_cutoffs
from fitmotion_models.datasets.synthesis.recording_file import placement_of
from fitmotion_models.imu.magnetic_field import with_magnetic_field
from fitmotion_models.imu.orientation import orientations
from fitmotion_models.imu.sensor_model import measured
from fitmotion_models.imu.sensor_spec import SensorSpec
from fitmotion_models.imu.site_motion import check_bones
from fitmotion_models.imu.sites import Site
from fitmotion_models.imu.soft_tissue import with_soft_tissue
from fitmotion_models.skeleton.motion_clip import MotionClip

FASTEST_HZ = 8000.0  # what the parts of the presets can do
FEWEST_FRAMES = 4  # that have an acceleration


@dataclass(frozen=True)
class WornSensors:
    """Which sensors are worn and how. cutoff: see `clip_cutoffs`. seed: of the units and their noise.

    world_field: (3,) tesla, the magnetic field in the world, where magnetometers are wished. soft_tissue: whether they
    wobble. orientation: whether they tell their orientation (VQF).

    Raises ValueError naming the value and what is allowed.
    """

    sites: tuple[Site, ...]
    spec: SensorSpec
    rate_hz: float = 100.0
    seed: int = 0
    cutoff: str = USUAL
    world_field: tuple[float, float, float] | None = None
    soft_tissue: bool = False
    orientation: bool = False

    def __post_init__(self) -> None:
        if not 0.0 < self.rate_hz <= FASTEST_HZ:
            raise ValueError(
                f"a rate of {self.rate_hz:g} is out of range; allowed: above 0 to {FASTEST_HZ:g} samples a second"
            )
        read_cutoffs(self.cutoff)
        if self.world_field is not None and self.spec.magnetometer is None:
            raise ValueError(f"sensor {self.spec.name} has no magnetometer; choose another one or no magnetic field")

    def read(self, clip: MotionClip, source: str) -> ImuTable:
        """What they read of a clip. source: where the clip is from, for messages and the table.

        Raises ValueError for a clip that is too short, and as `imu_of_clip`.
        """
        if len(clip) < FEWEST_FRAMES:
            raise ValueError(f"{source} has {len(clip)} frames; {FEWEST_FRAMES} are the fewest with an acceleration")
        check_bones(clip, self.sites, source)
        true = imu_of_clip(clip, self.sites, self.rate_hz, self.cutoff)
        if self.world_field is not None:
            true = with_magnetic_field(true, self.world_field)
        recording = measured(with_soft_tissue(true) if self.soft_tissue else true, self.spec, seed=self.seed)
        turns = None
        if self.orientation:
            north = None if self.world_field is None else self.world_field[:2]
            density = self.spec.gyroscope.noise_density
            turns = orientations(recording, north=north, rate_noise_density=density).rotations
        placement = placement_of(self.sites, clip.bone_offsets)
        return ImuTable(clip.subject, recording, placement, turns, self._about(clip, source))

    def _about(self, clip: MotionClip, source: str) -> dict[str, Any]:
        cutoffs = clip_cutoffs(clip, self.sites, self.cutoff)
        return {
            "source": source,
            "sensor": {"name": self.spec.name, "part": self.spec.part, "document": self.spec.document},
            "seed": self.seed,
            "cutoffs_hz": {"position": cutoffs.position_hz, "rotation": cutoffs.rotation_hz},
            "soft_tissue": self.soft_tissue,
            "world_field_t": None if self.world_field is None else list(self.world_field),
        }
