"""What a motion is asked to pass through, from files: a way as CSV, keyframes from a clip."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fitmotion_models.exchange.bvh import clip_from_bvh, read_bvh
from fitmotion_models.motion.condition import Keyframe, RootPath
from fitmotion_models.skeleton.clip_file import load_clip
from fitmotion_models.skeleton.motion_clip import MotionClip

PATH_COLUMNS = ("seconds", "x", "y", "z")
"""Of a way's file: seconds from the start of the motion; metres over the floor, x forward and y left; the pelvis'
height, which may be missing."""

_APART = 0.026  # seconds, half a frame of the model and a little: a clip has a frame at a wished time within this


def read_path(path: str | Path) -> RootPath:
    """The way of the pelvis from a CSV file with the columns `PATH_COLUMNS`, by its first line.

    Raises ValueError, with the file and the line, for anything else, and OSError when it can't be read.
    """
    with Path(path).open(newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        names = tuple(name.strip().lower() for name in next(rows, []))
        if names not in (PATH_COLUMNS, PATH_COLUMNS[:-1]):
            raise ValueError(
                f"{path} begins with '{','.join(names)}'; a way's first line is {','.join(PATH_COLUMNS)}, or without z"
            )
        points = [_numbers(path, number, row, len(names)) for number, row in enumerate(rows, 2) if any(row)]
    if not points:
        raise ValueError(f"{path} has no points; each line is {','.join(names)}")
    table = np.array(points)
    try:
        return RootPath(table[:, 0], table[:, 1:])
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _numbers(path: str | Path, number: int, row: list[str], columns: int) -> list[float]:
    try:
        found = [float(word) for word in row]
    except ValueError:
        found = []
    if len(found) != columns:
        raise ValueError(f"{path}, line {number}: '{','.join(row)}' is not {columns} numbers")
    return found


def read_keyframes(path: str | Path, seconds: Sequence[float] = ()) -> tuple[Keyframe, ...]:
    """Bodies of a clip (.npz, .bvh) that a motion passes through, at the same times in the motion as in the clip.

    seconds: which of them, from the clip's start; none: its first and its last. Raises ValueError for times that the
    clip does not have and for a file that is no clip, OSError when it can't be read.
    """
    source = Path(path)
    clip = clip_from_bvh(read_bvh(source)) if source.suffix.lower() == ".bvh" else load_clip(source)
    if not len(clip):
        raise ValueError(f"{path} has no frame to pass through")
    times = clip.stamps - clip.stamps[0]
    wanted = list(seconds) or sorted({0.0, float(times[-1])})
    return tuple(_keyframe(path, clip, times, wish) for wish in wanted)


def _keyframe(path: str | Path, clip: MotionClip, times: np.ndarray, wish: float) -> Keyframe:
    index = int(np.argmin(np.abs(times - wish)))
    if not abs(times[index] - wish) <= max(_APART, 0.51 / clip.fps):
        raise ValueError(f"{path} goes from 0 to {times[-1]:.2f} s and has no frame at {wish:g} s")
    return Keyframe(float(times[index]), clip.frame(index))
