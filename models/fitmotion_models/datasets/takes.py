"""Recordings as pieces of work, and the motions ("takes") that a motion set gets from them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from fitmotion_models.datasets.canonical import placed, to_canonical
from fitmotion_models.datasets.motion_texts import MotionTexts
from fitmotion_models.motion.features import FPS
from fitmotion_models.skeleton.motion_clip import MotionClip

LONGEST_S = 10.0
"""Longer recordings are cut into windows of equal length, no longer than this, seconds: as the model's progress is."""
# a window or recording that is shorter says nothing of what is done, seconds
_SHORTEST_S = 0.5


@dataclass(frozen=True, eq=False)
class Take:
    """One motion of a recording: what a manifest says of it (see `MotionRow`), and the clip (canonical, 20 Hz).

    score: the set's own grade, where it has one; None: our rubric's, where it grades.
    """

    id: str
    clip: MotionClip
    person: str
    action: str
    texts: MotionTexts
    style: str | None = None
    side: str | None = None
    score: int | None = None
    correct: bool | None = None
    severity: float | None = None
    made_from: str | None = None


class Recording(NamedTuple):
    """A recording that is still to be converted: `convert(*arguments)` gives its takes. Can be sent to a process."""

    id: str
    convert: Callable[..., list[Take]]
    arguments: tuple[Any, ...]


@dataclass(frozen=True)
class MotionSource:
    """A set that motion is prepared from.

    read: its recordings, from a folder or archive. pattern: its name in the folder of data, where it is looked for when
    nothing is said; "" for one that has to be asked for. licence, non_commercial: as in `MotionRow`.
    """

    name: str
    read: Callable[[Path], Iterator[Recording]]
    pattern: str
    licence: str
    non_commercial: bool = False


def windows(clip: MotionClip, longest_s: float = LONGEST_S) -> list[MotionClip]:
    """The clip in equal windows no longer than `longest_s`, each from the origin and facing x."""
    count = int(np.ceil(len(clip) / (longest_s * clip.fps)))
    if count <= 1:
        return [clip]
    edges = np.linspace(0, len(clip), count + 1).round().astype(int)
    return [placed(clip, int(start), int(end)) for start, end in zip(edges[:-1], edges[1:], strict=True)]


def takes_of(id: str, clip: MotionClip, **what: Any) -> list[Take]:
    """A clip of any body as takes: canonical, in windows, too short ones left out. what: the other fields of `Take`."""
    parts = [part for part in windows(to_canonical(clip)) if len(part) >= _SHORTEST_S * FPS]
    names = [id] if len(parts) == 1 else [f"{id}_w{number}" for number in range(1, len(parts) + 1)]
    return [Take(id=name, clip=part, **what) for name, part in zip(names, parts, strict=True)]
