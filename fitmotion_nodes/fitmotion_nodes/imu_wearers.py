"""The people who wear the sensors of the virtual_imu node: from poses to readings."""

import math
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import Imu, MagneticField

from fitmotion_models.imu import ImuSamples, LiveImu, SiteFrames
from fitmotion_models.imu.orientation import USUAL_RATE_NOISE, OrientationFilter, Orientations
from fitmotion_models.imu.sensor_model import LiveSensor
from fitmotion_models.imu.values import MAX_GAP_S
from fitmotion_models.skeleton.body_pose import BodyPose
from fitmotion_models.skeleton.rotations import Float64
from fitmotion_nodes.imu_conversions import imu_form, imu_frame, imu_numbers, magnetic_form, magnetic_numbers
from fitmotion_nodes.message_bytes import FloatsForm
from fitmotion_nodes.virtual_imu_parameters import NO_ORIENTATION, VirtualImuParameters

# a camera's idea of a person's bones changes a little all the time: mounts are sent again when they move this far
_MOUNT_STEP_M = 0.001
MOST_WEARERS = 20


Messages = list[tuple[int, list[bytes]]]  # a sensor's place and its messages, oldest first


@dataclass(frozen=True)
class Kind:
    """One of REP-145's topics of a sensor, `imu_<site>/<name>`."""

    name: str
    message: type
    form: Callable[[str], FloatsForm]


RAW = Kind("data_raw", Imu, imu_form)
ORIENTED = Kind("data", Imu, imu_form)
MAGNETIC = Kind("mag", MagneticField, magnetic_form)


class Worn:
    """What everybody wears.

    sites: places of the sensors. kinds: the topics that each of them has. world_field: (3,) tesla, None: not sensed.
    loses: whether some samples never arrive.
    """

    def __init__(self, given: VirtualImuParameters) -> None:
        self.sites, self._spec = given.chosen_sites(), given.sensor()
        self.loses = self._spec is not None and self._spec.packet_loss > 0.0
        self._filters = given.orientation != NO_ORIENTATION
        senses_field = self._spec is not None and self._spec.magnetometer is not None
        self.world_field = given.magnetic_field if senses_field else None
        self.kinds = (RAW, *((ORIENTED,) if self._filters else ()), *((MAGNETIC,) if senses_field else ()))

    def units(self, rate_hz: float, seed: int) -> LiveSensor | None:
        """Units of one person; None: sensors without errors."""
        return LiveSensor(self._spec, [site.name for site in self.sites], rate_hz, seed) if self._spec else None

    def orientation_filter(self, rate_hz: float) -> OrientationFilter | None:
        """What gives the sensors of one person their orientation; None where nobody wants it."""
        if not self._filters:
            return None
        field = self.world_field
        return OrientationFilter(
            len(self.sites),
            rate_hz,
            north=None if field is None else (float(field[0]), float(field[1])),
            rate_noise_density=(self._spec.gyroscope.noise_density if self._spec else 0.0) or USUAL_RATE_NOISE,
        )


class Wearer:
    """One person with sensors.

    body: the person's name with the prefix of frames. mounts: (S, 3) where the sensors were said to sit, metres. stamp:
    when the person was last seen. read_out, lost: samples that were read, and those of them that the radio lost.
    """

    def __init__(self, subject: str, given: VirtualImuParameters, worn: "Worn") -> None:
        self.body = f"{given.subject_prefix}{subject}"
        self.stamp = 0.0
        self.mounts = np.full((len(worn.sites), 3), np.inf)
        self.imu = LiveImu(
            worn.sites, rate_hz=given.rate_hz, lag_s=given.lag_s, cutoffs=given.cutoffs, world_field=worn.world_field
        )
        self.read_out = self.lost = 0
        self._units = worn.units(given.rate_hz, zlib.crc32(f"{given.seed} {subject}".encode()))
        self._filter = worn.orientation_filter(given.rate_hz)
        self._filtered = -1  # number of the last sample that went into it
        self._away = math.ceil(MAX_GAP_S * given.rate_hz) + 1  # samples without which it starts again
        self._forms = {kind.name: [kind.form(imu_frame(self.body, site)) for site in worn.sites] for kind in worn.kinds}

    def read(self, pose: BodyPose) -> ImuSamples:
        """What the sensors read out at the samples that have become due."""
        return self._read_out(self.imu.update(pose))

    def read_last(self) -> ImuSamples:
        """The same of the samples that still wait for poses, as no more will come."""
        return self._read_out(self.imu.flush())

    def skip(self, pose: BodyPose) -> NDArray[np.int64]:
        """Take a pose while nobody reads; the numbers of the samples that have become due."""
        numbers = self.imu.skip(pose)
        if self._units is not None:
            self._units.skip(len(numbers))
        return numbers

    def messages(self, kind: str, samples: ImuSamples, stamps: NDArray[np.void], places: Iterable[int]) -> Messages:
        """The samples of some sensors as the bytes of messages of a kind, each sensor's with its place."""
        numbers = self._numbers(kind, samples)
        return [(place, self._forms[kind][place].filled(stamps, numbers[:, place])) for place in places]

    def _numbers(self, kind: str, samples: ImuSamples) -> Float64:
        if kind == MAGNETIC.name:
            return magnetic_numbers(samples)
        return imu_numbers(samples, self._orientations(samples) if kind == ORIENTED.name else None)

    def _read_out(self, samples: ImuSamples) -> ImuSamples:
        if self._units is None or not len(samples):
            return samples
        true, samples = samples, self._units.apply(samples)
        self.read_out += int(true.seen().sum())
        self.lost += int((true.seen() & ~samples.seen()).sum())
        return samples

    def _orientations(self, samples: ImuSamples) -> Orientations:
        assert self._filter is not None
        missing = min(int(samples.numbers[0]) - self._filtered - 1, self._away)
        if missing > 0:  # nobody was listening
            nothing = np.full((missing, *samples.specific_force.shape[1:]), np.nan)
            self._filter.update(nothing, nothing)
        self._filtered = int(samples.numbers[-1])
        # as people align theirs with the room before they begin
        return self._filter.update(
            samples.specific_force, samples.angular_velocity, samples.magnetic_field, start=samples.rotations
        )


class Wearers:
    """Everybody with sensors, by name. worn: what they all wear."""

    def __init__(self, given: VirtualImuParameters) -> None:
        self._given, self.worn = given, Worn(given)
        self._frames = SiteFrames(self.worn.sites)
        self._people: dict[str, Wearer] = {}

    def __iter__(self) -> Iterator[Wearer]:
        return iter(self._people.values())

    def names(self) -> list[str]:
        """Who wears sensors, longest first."""
        return list(self._people)

    def of(self, pose: BodyPose, timeout_s: float) -> tuple[Wearer, bool]:
        """The person of a pose, with sensors on, and whether anybody's sensors sit elsewhere than was said.

        Those who have been away for more than timeout_s seconds take theirs off. Raises ValueError for one more than
        there are sensors for.
        """
        away = [name for name, wearer in self._people.items() if pose.stamp - wearer.stamp > timeout_s]
        for name in away:
            del self._people[name]
        if pose.subject not in self._people:
            if len(self._people) >= MOST_WEARERS:
                raise ValueError(f"no sensors for {pose.subject!r}: {MOST_WEARERS} people wear theirs, no more can")
            self._people[pose.subject] = Wearer(pose.subject, self._given, self.worn)
        wearer = self._people[pose.subject]
        wearer.stamp = pose.stamp
        mounts: Float64 = self._frames.offsets(pose.bone_offsets)
        moved = bool((np.abs(mounts - wearer.mounts) > _MOUNT_STEP_M).any())
        if moved or away:
            wearer.mounts = mounts
        return wearer, moved or bool(away)
