"""MotionClip as a file: one npz with the fields by name, readable by NumPy alone."""

import io
import os
import zipfile
from pathlib import Path
from typing import IO

import numpy as np

from fitmotion_models.skeleton.body_pose import ARRAY_SHAPES, Source
from fitmotion_models.skeleton.motion_clip import MotionClip

FORMAT = "fitmotion.motion_clip"
VERSION = 1
_FIELDS = ("format", "version", "fps", "stamps", "views", "subject", "source", "labels", *ARRAY_SHAPES)


def save_clip(path: str | Path, clip: MotionClip, *, overwrite: bool = False) -> Path:
    """Write a clip; returns the path. Written beside and moved into place, so that no half file is ever seen.

    Raises ValueError when the name does not end in .npz, FileExistsError when the file is there and overwrite is False,
    OSError when it cannot be written.
    """
    target = Path(path)
    if target.suffix != ".npz":
        raise ValueError(f"clip file {target} must be named *.npz")
    if target.exists() and not overwrite:
        raise FileExistsError(f"clip file {target} exists; choose another name or ask to overwrite it")
    partial = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with partial.open("wb") as file:
            _write(file, clip)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return target


def clip_to_bytes(clip: MotionClip) -> bytes:
    """What `save_clip` would write."""
    stream = io.BytesIO()
    _write(stream, clip)
    return stream.getvalue()


def clip_from_bytes(content: bytes, name: str = "clip") -> MotionClip:
    """A clip that `clip_to_bytes` gave. name: what errors call it. Raises ValueError as `load_clip`."""
    return _read(io.BytesIO(content), name)


def _write(stream: IO[bytes], clip: MotionClip) -> None:
    np.savez_compressed(
        stream,
        format=np.array(FORMAT),
        version=np.array(VERSION),
        fps=np.array(clip.fps),
        stamps=clip.stamps,
        views=np.array(clip.views),
        subject=np.array(clip.subject),
        source=np.array(int(clip.source)),
        labels=np.array(clip.labels, dtype=np.str_),
        **{name: getattr(clip, name) for name in ARRAY_SHAPES},
    )


def load_clip(path: str | Path) -> MotionClip:
    """Read a clip that `save_clip` wrote; equal to the saved one, bit for bit.

    Raises FileNotFoundError when there is no such file, ValueError when it is not a clip or of a later version.
    """
    source = Path(path)
    if not source.is_file():
        raise FileNotFoundError(f"clip file {source} does not exist")
    return _read(source, str(source))


def _read(source: Path | IO[bytes], name: str) -> MotionClip:
    try:
        with np.load(source, allow_pickle=False) as archive:
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise ValueError("a single array")
            fields = {key: archive[key] for key in archive.files}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{name} is not a motion clip (npz) that can be read: {error}") from error
    missing = [key for key in _FIELDS if key not in fields]
    if missing or str(fields["format"]) != FORMAT:
        raise ValueError(
            f"{name} is an npz but not a FitMotion motion clip: it lacks {', '.join(missing) or FORMAT}; "
            "write one with save_clip, or convert with the exchange formats"
        )
    if int(fields["version"]) > VERSION:
        raise ValueError(
            f"{name} is a motion clip of version {int(fields['version'])}, this FitMotion reads up to {VERSION}; "
            "update FitMotion"
        )
    return MotionClip(
        fps=float(fields["fps"]),
        stamps=fields["stamps"],
        views=int(fields["views"]),
        subject=str(fields["subject"]),
        source=Source(int(fields["source"])),
        labels=tuple(str(label) for label in fields["labels"]),
        **{key: fields[key] for key in ARRAY_SHAPES},
    )
