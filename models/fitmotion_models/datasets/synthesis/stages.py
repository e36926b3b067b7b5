"""The stages of a recording, each a function of what is before it and of settings: pose, imu, calibration.

Real recordings have one stage, recording. What a stage writes is `pose/pose3d.npz`, `imu/virtual_imu.npz`,
`imu/virtual_imu_calibrated.npz` and `imu/real_imu.npz` in the recording's folder.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from fitmotion_models.datasets.synthesis.files import hash_of, write_whole
from fitmotion_models.datasets.synthesis.manifest import Artefact, StageRecord, clip_folder, read_stages, write_stages
from fitmotion_models.datasets.synthesis.motion_to_imu import imu_of_clip
from fitmotion_models.datasets.synthesis.recording_file import (
    load_recording,
    placement_of,
    recording_to_bytes,
)
from fitmotion_models.datasets.synthesis.settings import SynthesisSettings
from fitmotion_models.datasets.synthesis.sources import UNLABELLED, MotionSource, Source, WornSource
from fitmotion_models.datasets.synthesis.windows import labels_of_samples
from fitmotion_models.imu.calibration import Calibration
from fitmotion_models.skeleton.clip_file import clip_to_bytes, load_clip
from fitmotion_models.skeleton.rotations import conjugate, multiply

POSE, IMU, CALIBRATION, RECORDING = "pose", "imu", "calibration", "recording"
FILES = {
    POSE: "pose/pose3d.npz",
    IMU: "imu/virtual_imu.npz",
    CALIBRATION: "imu/virtual_imu_calibrated.npz",
    RECORDING: "imu/real_imu.npz",
}
# Counts up when a stage gives something else from the same input; what an older one wrote is made again.
_VERSIONS = {POSE: 1, IMU: 1, CALIBRATION: 1, RECORDING: 1}
_FEWEST_FRAMES = 4


@dataclass(frozen=True)
class Stage:
    """A stage of one recording. settings: what its output depends on. make: gives its file's content.

    `make` is called with the stage before it, None for the first.
    """

    name: str
    settings: dict[str, Any]
    make: Callable[[Path | None], bytes]


class StageRunner:
    """Runs the stages of one recording, those whose input and settings are as before left as they are."""

    def __init__(self, folder: Path, id: str) -> None:
        self._folder, self._id = folder, id
        self._known = {stage.name: stage for stage in read_stages(folder, id)}
        self._last: StageRecord | None = None
        self.made: list[str] = []

    def run(self, stage: Stage) -> StageRecord:
        """Do a stage, or find it done."""
        settings = {**stage.settings, "version": _VERSIONS[stage.name]}
        if self._last is not None:
            settings["input"] = self._last.output.sha256
        key = hash_of(settings)
        known = self._known.get(stage.name)
        if known is None or known.key != key or not known.output.is_there(self._folder):
            known = self._make(stage, settings, key)
            self.made.append(stage.name)
            self._known[stage.name] = known
            write_stages(self._folder, self._id, list(self._known.values()))
        self._last = known
        return known

    def _make(self, stage: Stage, settings: dict[str, Any], key: str) -> StageRecord:
        path = clip_folder(self._folder, self._id) / FILES[stage.name]
        content = stage.make(None if self._last is None else self._folder / self._last.output.path)
        write_whole(path, content)
        artefact = Artefact(str(path.relative_to(self._folder)), sha256(content).hexdigest(), len(content))
        return StageRecord(stage.name, key, settings, artefact)


def stages_of(source: MotionSource | WornSource, settings: SynthesisSettings) -> list[Stage]:
    """The stages that a recording needs."""
    subject = source.about.subject
    first = {**source.fingerprint(settings), "subject": subject}
    if not hasattr(source, "clip"):
        worn: Any = source
        return [Stage(RECORDING, first | {"rate_hz": settings.rate_hz}, lambda _: _real(worn, settings))]
    moving: Any = source
    seed = sensor_seed(source, settings)
    stages = [
        Stage(POSE, first, lambda _: _pose(moving, settings)),
        Stage(IMU, settings.of_imu() | {"seed": seed}, lambda path: _imu(_there(path), settings, seed)),
    ]
    if settings.calibration:
        # the persons and their labels count too: a calibration may differ by what is done
        about = {"labels": [[*span[:2], str(span[2])] for span in source.about.labels], "subject": subject}
        more = settings.of_calibration() | about
        stages.append(Stage(CALIBRATION, more, lambda path: _calibrated(_there(path), source, settings)))
    return stages


def sensor_seed(source: Source, settings: SynthesisSettings) -> int:
    """The seed of a recording's sensors: the run's and the recording's name make it."""
    return int(np.random.default_rng([settings.seed, zlib.crc32(source.id.encode())]).integers(2**31))


def _there(path: Path | None) -> Path:
    assert path is not None
    return path


def _pose(source: MotionSource, settings: SynthesisSettings) -> bytes:
    clip = source.clip(settings)
    if len(clip) < _FEWEST_FRAMES:
        raise ValueError(f"{len(clip)} bodies were seen; {_FEWEST_FRAMES} are the fewest that have an acceleration")
    return clip_to_bytes(replace(clip, subject=source.about.subject))


def _imu(path: Path, settings: SynthesisSettings, seed: int) -> bytes:
    clip, sites = load_clip(path), settings.placed_sites()
    recording = imu_of_clip(clip, sites, settings.rate_hz, settings.cutoff)
    if not np.isfinite(recording.specific_force).any():
        raise ValueError("no sensor has a reading: the body was not seen long enough at a time")
    sensor = settings.sensor()
    if sensor is not None:
        from fitmotion_models.imu.sensor_model import measured

        recording = measured(recording, sensor, seed=seed)
    return recording_to_bytes(recording, placement_of(sites, clip.bone_offsets))


def _calibrated(path: Path, source: Source, settings: SynthesisSettings) -> bytes:
    recording, placement = load_recording(path)
    calibration = Calibration.load(Path(settings.calibration))
    names, borne = labels_of_samples(source.about.labels, recording.stamps)
    made = calibration.apply(recording)
    force, rate = made.specific_force.copy(), made.angular_velocity.copy()
    for index, name in enumerate(names):
        if name != UNLABELLED and (rows := borne == index).any():
            of_activity = calibration.apply(recording, activity=name)
            force[rows], rate[rows] = of_activity.specific_force[rows], of_activity.angular_velocity[rows]
    # the calibrated sensor is turned on its segment as the real ones were
    turns = np.stack([conjugate(calibration.sensors[site].rotation) for site in recording.sites])
    turned = replace(placement, rotations=multiply(placement.rotations, turns))
    return recording_to_bytes(replace(made, specific_force=force, angular_velocity=rate), turned)


def _real(source: WornSource, settings: SynthesisSettings) -> bytes:
    return recording_to_bytes(*source.recording(settings))
