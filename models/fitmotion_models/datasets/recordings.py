"""The sets that motion is prepared from: each recording as a piece of work that another process can do."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from fitmotion_models.datasets.asf_archive import read_asf_recordings
from fitmotion_models.datasets.canonical import placed, to_canonical
from fitmotion_models.datasets.motion_grades import judged_by_rules, movement_of
from fitmotion_models.datasets.motion_texts import MotionTexts, recording_text, texts_of
from fitmotion_models.datasets.uiprmd import uiprmd_clip
from fitmotion_models.datasets.uiprmd_files import MOVEMENTS as UIPRMD_MOVEMENTS
from fitmotion_models.datasets.uiprmd_files import UiprmdRecording, read_recordings
from fitmotion_models.datasets.uiprmd_sides import tested_side
from fitmotion_models.fms.values import Side
from fitmotion_models.motion.features import FPS
from fitmotion_models.skeleton.motion_clip import MotionClip

LONGEST_S = 10.0
"""Longer recordings are cut into windows of equal length, no longer than this, seconds: as the model's progress is."""
# a window or recording that is shorter says nothing of what is done, seconds
_SHORTEST_S = 0.5


@dataclass(frozen=True, eq=False)
class Take:
    """One motion of a recording: what a manifest says of it, and the clip (canonical, 20 frames a second)."""

    id: str
    clip: MotionClip
    person: str
    action: str
    texts: MotionTexts
    style: str | None = None
    side: str | None = None
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
    nothing is said. licence, non_commercial: as in `MotionRow`. asked_for: only prepared when named.
    """

    name: str
    read: Callable[[Path], Iterator[Recording]]
    pattern: str
    licence: str
    non_commercial: bool = False
    asked_for: bool = field(default=False)


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


def uiprmd_recordings(source: Path) -> Iterator[Recording]:
    """Every repetition of UI-PRMD."""
    for recording in read_recordings(source):
        yield Recording(f"uiprmd_{recording.name}", _uiprmd_takes, (recording,))


def _uiprmd_takes(recording: UiprmdRecording) -> list[Take]:
    name = recording.name
    clip = uiprmd_clip(recording)
    action = UIPRMD_MOVEMENTS[name.movement]
    tested = tested_side(name.movement, clip)
    side = None if tested is Side.BOTH else tested.name.lower()
    severity = judged_by_rules(clip, movement_of(action), tested).severity
    graded = bool(np.isfinite(severity))
    # what has a score is not said in words; elsewhere words are all there is
    style = None if graded or name.correct else "compensated"
    return takes_of(
        f"uiprmd_{name}",
        clip,
        person=f"uiprmd:{name.person}",
        action=action,
        style=style,
        side=side,
        texts=texts_of(action, style=style, side=side),
        correct=name.correct,
        severity=severity if graded else None,
    )


# action and side of HDM05's cuts by the middle of their names (Mueller et al. 2007); L and R are the set's
_HDM05_ACTIONS: dict[str, tuple[str, str | None]] = {
    "depositFloorR": ("deposit_floor", "right"),
    "elbowToKnee1RepsLelbowStart": ("elbow_to_knee", "left"),
    "grabHighR": ("grab_high", "right"),
    "hopBothLegs1hops": ("hop_both_legs", None),
    "jogLeftCircle4StepsRstart": ("jog_circle", "left"),
    "kickLFront1Reps": ("kick_front", "left"),
    "lieDownFloor": ("lie_down", None),
    "rotateArmsBothBackward1Reps": ("rotate_arms_backward", None),
    "sneak2StepsLStart": ("sneak", "left"),
    "squat1Reps": ("squat", None),
    "throwBasketball": ("throw_basketball", None),
}
_HDM05_NAME = re.compile(r"HDM_([a-z]+)_(\w+?)_(\d+)_120")


def hdm05_recordings(source: Path) -> Iterator[Recording]:
    """Every cut of HDM05 whose action is in the table above."""
    for name, clip in read_asf_recordings(source, target_fps=FPS):
        match = _HDM05_NAME.fullmatch(name)
        if match is not None and match[2] in _HDM05_ACTIONS:
            yield Recording(f"hdm05_{'_'.join(match.groups())}", _hdm05_takes, (*match.groups(), clip))


def _hdm05_takes(actor: str, cut: str, number: str, clip: MotionClip) -> list[Take]:
    action, side = _HDM05_ACTIONS[cut]
    texts = texts_of(action, side=side)
    return takes_of(
        f"hdm05_{actor}_{cut}_{number}", clip, person=f"hdm05:{actor}", action=action, side=side, texts=texts
    )


def cmu_recordings(source: Path) -> Iterator[Recording]:
    """Every recording of CMU that has a description in motion_texts.yaml."""
    for name, clip in read_asf_recordings(source, target_fps=FPS):
        if recording_text("cmu", name) is not None:
            yield Recording(f"cmu_{name}", _cmu_takes, (name, clip))


def _cmu_takes(name: str, clip: MotionClip) -> list[Take]:
    described = recording_text("cmu", name)
    if described is None:
        return []
    texts = texts_of(described.action)
    texts = MotionTexts(tuple(dict.fromkeys((*texts.train, described.text))), texts.held_out)
    return takes_of(f"cmu_{name}", clip, person=f"cmu:{name[:2]}", action=described.action, texts=texts)


SOURCES: dict[str, MotionSource] = {
    source.name: source
    for source in (
        MotionSource("uiprmd", uiprmd_recordings, "uiprmd*", "PDDL"),
        MotionSource("hdm05", hdm05_recordings, "hdm05*", "CC BY-SA 3.0"),
        MotionSource("cmu", cmu_recordings, "cmu*", "CMU: free for all uses, no resale of the data"),
    )
}
"""The sets by name. A further one is its reader and one more entry."""
