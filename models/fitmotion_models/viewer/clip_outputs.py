"""A clip, or several of one wish, written as the files that a user named: what they are is told by their ending."""

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

import cv2

from fitmotion_models.exchange.bvh import write_bvh
from fitmotion_models.skeleton.clip_file import save_clip
from fitmotion_models.skeleton.motion_clip import MotionClip
from fitmotion_models.viewer.canvas import Image
from fitmotion_models.viewer.clip_video import write_clip_video
from fitmotion_models.viewer.strips import draw_strip, stack_strips

_LONGEST_NAME = 48  # characters of a prompt in a file's name


def _write_video(path: Path, clip: MotionClip, title: str) -> None:
    write_clip_video(path, clip, title=title, overwrite=True)


_WRITERS: Mapping[str, Callable[[Path, MotionClip, str], object]] = MappingProxyType(
    {
        ".bvh": lambda path, clip, title: write_bvh(path, clip, overwrite=True),
        ".npz": lambda path, clip, title: save_clip(path, clip, overwrite=True),
        ".mp4": _write_video,
    }
)
STRIP = ".png"
"""The ending of a picture: one for all clips of a wish, a row each."""

ENDINGS = (*_WRITERS, STRIP)


def check_outputs(paths: Sequence[Path], count: int = 1, *, overwrite: bool = False) -> None:
    """Say before the work whether `count` clips can be written to these paths.

    Raises ValueError for another ending and for a path named twice, FileNotFoundError for a folder that is not there,
    FileExistsError for a file that is, unless it may be overwritten.
    """
    for path in paths:
        if path.suffix.lower() not in ENDINGS:
            raise ValueError(f"{path}: a motion is written as {', '.join(ENDINGS)}; choose one of these endings")
        if not path.absolute().parent.is_dir():
            raise FileNotFoundError(f"{path}: the folder {path.parent} does not exist; make it first")
        if paths.count(path) > 1:
            raise ValueError(f"{path} is named twice; give each file a name of its own")
        for one in _numbered(path, count):
            if one.is_dir() or (one.exists() and not overwrite):
                raise FileExistsError(f"{one} exists; choose another name or overwrite it with --overwrite")


def write_outputs(paths: Sequence[Path], clips: Sequence[tuple[MotionClip, str]]) -> list[Path]:
    """Write clips, each with its title, to the paths; several get numbers before the ending. Returns the files.

    All appear together when all are whole; an interruption leaves none. Raises ValueError for what can't be drawn,
    OSError for what can't be written. What is there is replaced: ask `check_outputs` first.
    """
    targets = [one for path in paths for one in _numbered(path, len(clips))]
    with _staged(targets) as partials:
        for path in paths:
            places = [partials[one] for one in _numbered(path, len(clips))]
            if path.suffix.lower() == STRIP:
                rows = [draw_strip(clip, title=title) for clip, title in clips]
                _write_picture(places[0], stack_strips(rows))
                continue
            for place, (clip, title) in zip(places, clips, strict=True):
                _WRITERS[path.suffix.lower()](place, clip, title)
    return targets


def name_from(prompt: str, folder: Path) -> Path:
    """A video's path in a folder that says what was asked for and is not there yet."""
    words = re.sub(r"[^a-z0-9]+", "-", prompt.lower()).strip("-")
    stem = words if len(words) <= _LONGEST_NAME else words[:_LONGEST_NAME].rpartition("-")[0] or words[:_LONGEST_NAME]
    stem, number = stem or "motion", 1
    while (path := folder / (f"{stem}.mp4" if number == 1 else f"{stem}-{number}.mp4")).exists():
        number += 1
    return path


def _numbered(path: Path, count: int) -> list[Path]:
    if count == 1 or path.suffix.lower() == STRIP:
        return [path]
    return [path.with_name(f"{path.stem}-{number}{path.suffix}") for number in range(1, count + 1)]


@contextmanager
def _staged(targets: Sequence[Path]) -> Iterator[dict[Path, Path]]:
    """For each target a hidden file beside it, moved into place at the end, removed when that is not reached."""
    partials = {one: one.with_name(f".{one.stem}.{os.getpid()}.part{one.suffix.lower()}") for one in targets}
    try:
        yield partials
        for target, partial in partials.items():
            partial.replace(target)
    finally:
        for partial in partials.values():
            partial.unlink(missing_ok=True)


def _write_picture(path: Path, image: Image) -> None:
    if not cv2.imwrite(str(path), image):
        raise OSError(f"cannot write the picture into {path.parent}")
