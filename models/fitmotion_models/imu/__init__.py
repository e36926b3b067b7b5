"""Virtual inertial sensors on a body: where they sit, what they would read of recorded motion and live."""

from fitmotion_models.imu.live import DEFAULT_LAG_S, ImuSamples, LiveImu
from fitmotion_models.imu.magnetic_field import earth_field, with_magnetic_field, world_field
from fitmotion_models.imu.noise_cutoff import cutoffs_from_noise
from fitmotion_models.imu.offline import imu_from_motion, virtual_imu
from fitmotion_models.imu.site_motion import SiteFrames, SiteMotion, site_motion
from fitmotion_models.imu.sites import Site, load_placements, load_sites, select_sites
from fitmotion_models.imu.streamed import pieces, virtual_imu_in_pieces
from fitmotion_models.imu.values import DEFAULT_RATE_HZ, Cutoffs, ImuRecording, cutoffs_for

__all__ = [
    "DEFAULT_LAG_S",
    "DEFAULT_RATE_HZ",
    "Cutoffs",
    "ImuRecording",
    "ImuSamples",
    "LiveImu",
    "Site",
    "SiteFrames",
    "SiteMotion",
    "cutoffs_for",
    "cutoffs_from_noise",
    "earth_field",
    "imu_from_motion",
    "load_placements",
    "load_sites",
    "pieces",
    "select_sites",
    "site_motion",
    "virtual_imu",
    "virtual_imu_in_pieces",
    "with_magnetic_field",
    "world_field",
]
