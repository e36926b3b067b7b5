"""The parameters of the virtual_imu node."""

import re
from dataclasses import dataclass
from typing import Any

from fitmotion_models.imu import DEFAULT_LAG_S, DEFAULT_RATE_HZ, Cutoffs, Site, select_sites
from fitmotion_models.imu.live import LONGEST_LAG_S
from fitmotion_models.imu.magnetic_field import world_field
from fitmotion_models.imu.sensor_spec import SensorSpec, sensor_preset
from fitmotion_models.skeleton.rotations import Float64
from fitmotion_nodes.parameters import ParameterError, StreamParameters, frame_qos, parameter

# what a TF frame may be called, so that it can be typed anywhere; TF2 refuses a leading slash
_PREFIX = re.compile(r"([A-Za-z_]\w*/?)*", re.ASCII)
NO_ORIENTATION = "none"
DONE_WITH = "done_with"  # key of the diagnostics: how many poses had come when the node was at the end of them all
_LOSSLESS_SAMPLES = 10_000  # kept for late listeners of each sensor: 100 s at 100 Hz, 4 MB


@dataclass(frozen=True)
class VirtualImuParameters(StreamParameters):
    """Parameters of the virtual_imu node."""

    sites: str = parameter(
        "pelvis,left_wrist,right_thigh", "where sensors sit: names joined by commas, or all; see sites_file"
    )
    sites_file: str = parameter(
        "", "YAML that changes or adds sites: name, then bone, towards, along, lever_arm, mount_rotation_deg"
    )
    preset: str = parameter(
        "", "which real sensor's errors the readings have, for instance bmi270; empty: none; see preset_file"
    )
    preset_file: str = parameter(
        "", "YAML that changes or adds sensors: name, then accelerometer, gyroscope, packet_loss, ..."
    )
    seed: int = parameter(
        0,
        "of the sensors' errors: the same number and the same person give the same units",
        at_least=0,
        at_most=2**31 - 1,
    )
    latitude_deg: float = parameter(
        48.0,
        "where on Earth this is, degrees north: what sensors with a magnetometer feel is the field there",
        at_least=-90.0,
        at_most=90.0,
    )
    longitude_deg: float = parameter(11.0, "and degrees east", at_least=-180.0, at_most=180.0)
    heading_deg: float = parameter(
        0.0, "compass bearing of the world frame's x, degrees clockwise from true north", at_least=-360.0, at_most=360.0
    )
    orientation: str = parameter(
        NO_ORIENTATION,
        "a topic imu_<site>/data beside data_raw, with the orientation that this filter finds from the readings alone",
        choices=(NO_ORIENTATION, "vqf"),
    )
    subject: str = parameter("", "the one person who wears the sensors; empty: everybody on the topic")
    rate_hz: float = parameter(
        DEFAULT_RATE_HZ,
        "samples a second of every sensor, at multiples of its period",
        at_least=1.0,
        at_most=1000.0,
    )
    lag_s: float = parameter(
        DEFAULT_LAG_S,
        "seconds that a sample waits for later poses; more is smoother and truer, 0 uses the past alone",
        at_least=0.0,
        at_most=LONGEST_LAG_S,
    )
    position_cutoff_hz: float = parameter(
        0.0,
        "low-pass of positions, Hz, behind the specific force; 0: what suits the cameras behind each pose",
        at_least=0.0,
        at_most=500.0,
    )
    rotation_cutoff_hz: float = parameter(
        0.0,
        "low-pass of rotations, Hz, behind the angular velocity; 0: what suits the cameras behind each pose",
        at_least=0.0,
        at_most=500.0,
    )
    world_frame: str = parameter("world", "frame that body poses must be in; others are refused and counted")
    subject_prefix: str = parameter("", "put before every frame's name: <subject_prefix><subject>/imu_<site>")
    subject_timeout_s: float = parameter(
        30.0,
        "a person unseen for this many seconds takes the sensors off",
        at_least=1.0,
        at_most=86400.0,
        dynamic=True,
    )

    def check_together(self) -> None:
        """Sites are known, cut-offs come in pairs, the prefix can be part of a frame's name."""
        super().check_together()
        self.chosen_sites()
        self.sensor()
        if not _PREFIX.fullmatch(self.subject_prefix):
            raise ParameterError(
                f"subject_prefix={self.subject_prefix!r} cannot begin the name of a TF frame; use letters, digits and "
                "underscores, with / between parts and not in front"
            )
        if bool(self.position_cutoff_hz) != bool(self.rotation_cutoff_hz):
            raise ParameterError(
                f"position_cutoff_hz={self.position_cutoff_hz} and rotation_cutoff_hz={self.rotation_cutoff_hz}: "
                "give both in Hz, or 0 and 0 to have them chosen"
            )

    def sensor(self) -> SensorSpec | None:
        """What the sensors are like, None: without errors. Raises ParameterError for a preset that cannot be used."""
        if not self.preset:
            if self.preset_file:
                raise ParameterError(
                    f"preset_file={self.preset_file} and no preset; name the sensor of it that is to be worn"
                )
            return None
        try:
            return sensor_preset(self.preset, self.preset_file or None)
        except OSError as error:
            raise ParameterError(
                f"preset_file={self.preset_file}: {error.strerror or error}; give the path of a readable file"
            ) from None
        except ValueError as error:
            raise ParameterError(f"preset: {error}") from None

    @property
    def magnetic_field(self) -> Float64:
        """(3,) the Earth's field in the world, tesla. Raises ParameterError in a year that the model has not."""
        try:
            return world_field(self.latitude_deg, self.longitude_deg, heading_deg=self.heading_deg)
        except ValueError as error:
            raise ParameterError(f"the magnetic field cannot be told: {error}; is this machine's date right?") from None

    def chosen_sites(self) -> tuple[Site, ...]:
        """The sensors' places. Raises ParameterError for unknown sites and for a file that cannot be used."""
        names = [name.strip() for name in self.sites.split(",") if name.strip()]
        try:
            return select_sites(names, self.sites_file or None)
        except OSError as error:
            raise ParameterError(
                f"sites_file={self.sites_file}: {error.strerror or error}; give the path of a readable file"
            ) from None
        except ValueError as error:
            raise ParameterError(f"sites: {error}") from None

    @property
    def cutoffs(self) -> Cutoffs | None:
        """The cut-offs that were given, None to have them chosen."""
        return Cutoffs(self.position_cutoff_hz, self.rotation_cutoff_hz) if self.position_cutoff_hz else None


def imu_qos(parameters: VirtualImuParameters) -> Any:
    """Quality of service of the sensors: sensor data live, every sample in lossless mode, the last kept for the late.

    Samples come in bursts, those between two poses together: the live queue holds a fifth of a second.
    """
    from rclpy.qos import HistoryPolicy

    qos = frame_qos(parameters)
    if parameters.lossless:
        qos.history, qos.depth = HistoryPolicy.KEEP_LAST, _LOSSLESS_SAMPLES
    elif not parameters.qos_depth:
        qos.depth = max(5, round(parameters.rate_hz / 5))
    return qos
