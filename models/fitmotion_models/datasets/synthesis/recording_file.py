"""Recordings of sensors with where the sensors sit, as one npz that NumPy alone can read."""

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fitmotion_models.imu.site_motion import SiteFrames
from fitmotion_models.imu.sites import Site
from fitmotion_models.imu.values import ImuRecording
from fitmotion_models.skeleton.rotations import Float64

FORMAT = "fitmotion.imu_recording"
VERSION = 1
_SIGNALS = ("stamps", "specific_force", "angular_velocity", "rotations")
_PLACEMENT = ("segments", "sensor_positions", "sensor_to_segment")


@dataclass(frozen=True, eq=False)
class Placement:
    """Where S sensors sit: the sensor-to-segment transform.

    segments: names of SMPL-22's joints whose bones carry them. positions: (S, 3) metres, of the sensors in the
    segments' frames, whose origin is the joint and whose axes are in the rest pose the world's. rotations: (S, 4)
    unit quaternions xyzw that turn vectors of a sensor's frame into its segment's. NaN where it is not known, as of
    sensors that somebody strapped on.
    """

    segments: tuple[str, ...]
    positions: Float64
    rotations: Float64


def placement_of(sites: tuple[Site, ...], bone_offsets: ArrayLike) -> Placement:
    """The placement of sites on a body with bone_offsets (22, 3), metres."""
    positions = SiteFrames(sites).offsets(np.asarray(bone_offsets, dtype=np.float64))
    return Placement(tuple(site.bone for site in sites), positions, np.stack([site.mount_rotation for site in sites]))


def unknown_placement(segments: tuple[str, ...]) -> Placement:
    """The placement of sensors of which only the segment is known."""
    count = len(segments)
    return Placement(segments, np.full((count, 3), np.nan), np.full((count, 4), np.nan))


def recording_to_bytes(recording: ImuRecording, placement: Placement) -> bytes:
    """The npz: sites, rate_hz, the recording's arrays by their names, and the placement's.

    segments are the placement's, sensor_positions (S, 3) and sensor_to_segment (S, 4) its positions and rotations.
    """
    fields: dict[str, Any] = {name: getattr(recording, name) for name in _SIGNALS}
    field = getattr(recording, "magnetic_field", None)
    if field is not None:
        fields["magnetic_field"] = field
    stream = io.BytesIO()
    np.savez_compressed(
        stream,
        format=np.array(FORMAT),
        version=np.array(VERSION),
        sites=np.array(recording.sites),
        rate_hz=np.array(recording.rate_hz),
        segments=np.array(placement.segments),
        sensor_positions=placement.positions,
        sensor_to_segment=placement.rotations,
        **fields,
    )
    return stream.getvalue()


def load_recording(path: Path) -> tuple[ImuRecording, Placement]:
    """What `recording_to_bytes` gave. Raises FileNotFoundError, and ValueError when it is something else."""
    if not path.is_file():
        raise FileNotFoundError(f"recording {path} does not exist")
    try:
        with np.load(path, allow_pickle=False) as archive:
            fields = {name: archive[name] for name in archive.files}
    except (ValueError, OSError, EOFError, TypeError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is no recording (npz) that can be read: {error}") from error
    missing = [name for name in ("format", "version", "sites", "rate_hz", *_SIGNALS, *_PLACEMENT) if name not in fields]
    if missing or str(fields["format"]) != FORMAT or int(fields["version"]) > VERSION:
        raise ValueError(
            f"{path} is no recording of this FitMotion ({', '.join(missing) or str(fields['format'])}); synthesize it "
            "again"
        )
    more = {"magnetic_field": fields["magnetic_field"]} if "magnetic_field" in fields else {}
    recording = ImuRecording(
        sites=tuple(str(name) for name in fields["sites"]),
        rate_hz=float(fields["rate_hz"]),
        **{name: fields[name] for name in _SIGNALS},
        **more,
    )
    segments = tuple(str(name) for name in fields["segments"])
    return recording, Placement(segments, fields["sensor_positions"], fields["sensor_to_segment"])
