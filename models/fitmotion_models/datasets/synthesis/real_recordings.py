"""Recordings of real sensors as sources: UTD-MHAD, and tables of the form that `fitmotion imu -o` writes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from fitmotion_models.datasets.imu_tables import read_imu_table
from fitmotion_models.datasets.synthesis.recording_file import Placement, unknown_placement
from fitmotion_models.datasets.synthesis.settings import SynthesisSettings
from fitmotion_models.datasets.synthesis.source_folders import LABELS_FILE, LabelTable, folder_paths, from_folders
from fitmotion_models.datasets.synthesis.sources import Annotation, LabelSpan, checked_ids, slug
from fitmotion_models.datasets.utd_mhad import UtdTrial, read_utd_mhad
from fitmotion_models.imu.sites import select_sites
from fitmotion_models.imu.values import MAX_GAP_S, ImuRecording
from fitmotion_models.skeleton.rotations import Float64

UTD_LICENCE = "UTD-MHAD: research, cite Chen et al. 2015"
TABLE_SUFFIXES = (".csv", ".parquet")
_NEAR_NYQUIST = 0.8
_FILTER_ORDER = 4


@dataclass(frozen=True)
class RealSource:
    """What sensors read that somebody wore. placement: where they sat, as far as it is known."""

    id: str
    origin: str
    about: Annotation
    read: ImuRecording = field(compare=False, repr=False)
    placement: Placement = field(compare=False, repr=False)
    medium: str = "recording"

    def fingerprint(self, settings: SynthesisSettings) -> dict[str, Any]:
        """The signals themselves."""
        digest = sha256("\n".join((*self.read.sites, *self.placement.segments)).encode())
        arrays = (self.read.stamps, self.read.specific_force, self.read.angular_velocity, self.read.rotations)
        for array in (*arrays, self.placement.positions, self.placement.rotations):
            digest.update(np.ascontiguousarray(array).tobytes())
        return {"recording": self.id, "hash": digest.hexdigest()}

    def recording(self, settings: SynthesisSettings) -> tuple[ImuRecording, Placement]:
        """The signals at the data set's rate, and where the sensors sat."""
        return at_rate(self.read, settings.rate_hz), self.placement


def utd_sources(path: Path) -> list[RealSource]:
    """The trials of UTD-MHAD, folder or archive. Raises ValueError as `read_utd_mhad`."""
    segments = {site.name: site.bone for site in select_sites(["all"])}
    return [_utd_source(trial, path, segments) for trial in read_utd_mhad(path)]


def _utd_source(trial: UtdTrial, path: Path, segments: Mapping[str, str]) -> RealSource:
    count = len(trial.stamps)
    recording = ImuRecording(
        sites=(trial.site,),
        rate_hz=(count - 1) / float(trial.stamps[-1] - trial.stamps[0]),
        stamps=trial.stamps,
        specific_force=trial.specific_force[:, None],
        angular_velocity=trial.angular_velocity[:, None],
        rotations=np.full((count, 1, 4), np.nan),
    )
    about = Annotation(trial.person, trial.name, (LabelSpan(trial.action_name),), UTD_LICENCE)
    placement = unknown_placement((segments[trial.site],))
    return RealSource(f"utd_{slug(trial.name)}", str(path), about, recording, placement)


def real_sources(path: Path, licence: str = "") -> list[RealSource]:
    """The tables of a folder and its folders (.csv, .parquet), or one table; see `read_imu_table`.

    Subjects, trials and labels are those of the folder's labels.csv, else the file's and its folders', as of clips.
    Raises ValueError naming the file and what is wrong.
    """
    folder = path if path.is_dir() else path.parent
    paths = folder_paths(folder, TABLE_SUFFIXES, "recording") if path.is_dir() else [path]
    labels = LabelTable.read(folder, None, paths) if path.is_dir() else LabelTable(None, {})
    found = []
    for file in paths:
        if file.name == LABELS_FILE:
            continue
        table = read_imu_table(file)
        about = labels.about(file, folder, licence) or from_folders(file, folder, licence)
        if about.subject == file.stem and table.subject:
            about = replace(about, subject=table.subject)
        name = f"real_{slug(str(file.relative_to(folder).with_suffix('')))}"
        found.append(RealSource(name, str(path), about, table.recording, table.placement))
    if not found:
        raise ValueError(f"{path} holds no recording; expected tables that end in {', '.join(TABLE_SUFFIXES)}")
    return checked_ids(found)


def at_rate(recording: ImuRecording, rate_hz: float) -> ImuRecording:
    """A recording at whole multiples of 1 / rate_hz seconds, along straight lines between its samples.

    A faster recording is low-passed first, so that nothing is folded into what is left. Holes of more than
    `MAX_GAP_S` seconds stay holes. Rotations are not carried over.
    """
    first, last = recording.stamps[0], recording.stamps[-1]
    stamps = np.arange(np.ceil(first * rate_hz - 1e-6), np.floor(last * rate_hz + 1e-6) + 1) / rate_hz
    signals = [
        _resampled(recording.stamps, signal, stamps, recording.rate_hz, rate_hz)
        for signal in (recording.specific_force, recording.angular_velocity)
    ]
    rotations = np.full((len(stamps), len(recording.sites), 4), np.nan)
    return ImuRecording(recording.sites, rate_hz, stamps, signals[0], signals[1], rotations)


def _resampled(times: Float64, values: Float64, wanted: Float64, rate_hz: float, wanted_hz: float) -> Float64:
    result = np.full((len(wanted), *values.shape[1:]), np.nan)
    for site in range(values.shape[1]):
        seen = np.flatnonzero(np.isfinite(values[:, site]).all(axis=-1))
        for run in _runs(times, seen):
            inside = (wanted >= times[run[0]] - 1e-9) & (wanted <= times[run[-1]] + 1e-9)
            signal = _low_passed(values[run, site], rate_hz, wanted_hz)
            for axis in range(values.shape[2]):
                result[inside, site, axis] = np.interp(wanted[inside], times[run], signal[:, axis])
    return result


def _runs(times: Float64, seen: Any) -> Iterator[Any]:
    if len(seen):
        for run in np.split(seen, np.flatnonzero(np.diff(times[seen]) > MAX_GAP_S) + 1):
            if len(run) > 1:
                yield run


def _low_passed(values: Float64, rate_hz: float, wanted_hz: float) -> Float64:
    """The signal (N, 3) without what the wanted rate can't hold."""
    from scipy.signal import butter, sosfiltfilt

    cutoff = _NEAR_NYQUIST * wanted_hz / 2.0
    padding = 3 * (2 * _FILTER_ORDER // 2 + 1)
    if wanted_hz > 0.99 * rate_hz or len(values) <= padding:
        return values
    result: Float64 = sosfiltfilt(butter(_FILTER_ORDER, cutoff, fs=rate_hz, output="sos"), values, axis=0)
    return result
