"""The people who wear the sensors of the virtual_imu node: from poses to readings."""

import zlib
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.imu import ImuSamples, LiveImu, Site, SiteFrames
from fitmotion_models.imu.sensor_model import LiveSensor
from fitmotion_models.imu.sensor_spec import SensorSpec
from fitmotion_models.skeleton.body_pose import BodyPose
from fitmotion_models.skeleton.rotations import Float64
from fitmotion_nodes.imu_conversions import imu_form, imu_frame
from fitmotion_nodes.message_bytes import FloatsForm
from fitmotion_nodes.virtual_imu_parameters import VirtualImuParameters

# a camera's idea of a person's bones changes a little all the time: mounts are sent again when they move this far
_MOUNT_STEP_M = 0.001
MOST_WEARERS = 20


class Wearer:
    """One person with sensors.

    body: the person's name with the prefix of frames. mounts: (S, 3) where the sensors were said to sit, metres. stamp:
    when the person was last seen. sent, lost: samples that were read, and those of them that the radio lost.
    """

    def __init__(
        self, subject: str, given: VirtualImuParameters, sites: Sequence[Site], spec: SensorSpec | None
    ) -> None:
        self.body = f"{given.subject_prefix}{subject}"
        self.stamp = 0.0
        self.mounts = np.full((len(sites), 3), np.inf)
        self.imu = LiveImu(sites, rate_hz=given.rate_hz, lag_s=given.lag_s, cutoffs=given.cutoffs)
        # the same person wears the same units every time, and nobody else's
        seed = zlib.crc32(f"{given.seed} {subject}".encode())
        self._units = LiveSensor(spec, [site.name for site in sites], given.rate_hz, seed) if spec else None
        self.forms: list[FloatsForm] = [imu_form(imu_frame(self.body, site)) for site in sites]
        self.sent = self.lost = 0

    def read(self, pose: BodyPose) -> ImuSamples:
        """What the sensors read out at the samples that have become due."""
        return self._read_out(self.imu.update(pose))

    def read_last(self) -> ImuSamples:
        """The same of the samples that still wait for poses, as no more will come."""
        return self._read_out(self.imu.flush())

    def skip(self, pose: BodyPose) -> NDArray[np.int64]:
        """Take a pose while nobody reads; the numbers of the samples that have become due."""
        return self.imu.skip(pose)

    def _read_out(self, samples: ImuSamples) -> ImuSamples:
        if self._units is None or not len(samples):
            return samples
        true, samples = samples, self._units.apply(samples)
        self.sent += int(true.seen().sum())
        self.lost += int((true.seen() & ~samples.seen()).sum())
        return samples


class Wearers:
    """Everybody with sensors, by name.

    sites: the sensors' places, the same on everybody.
    """

    def __init__(self, given: VirtualImuParameters) -> None:
        self._given, self.sites, self._spec = given, given.chosen_sites(), given.sensor()
        self._frames = SiteFrames(self.sites)
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
            self._people[pose.subject] = Wearer(pose.subject, self._given, self.sites, self._spec)
        wearer = self._people[pose.subject]
        wearer.stamp = pose.stamp
        mounts: Float64 = self._frames.offsets(pose.bone_offsets)
        moved = bool((np.abs(mounts - wearer.mounts) > _MOUNT_STEP_M).any())
        if moved or away:
            wearer.mounts = mounts
        return wearer, moved or bool(away)
