"""UI-PRMD's Kinect recordings as clips of a body with constant bones that stands on the floor.

The set: Vakanski et al. 2018, "A data set of human body movements for physical rehabilitation exercises", Data 3(1).
Of its two sensors this reads the Kinect's; the form of the other's files (Vicon, 39 joints) is another.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from os import PathLike
from types import MappingProxyType

import numpy as np

from fitmotion_models.datasets.kinect_cleaning import (
    ANKLES,
    KinectCleaning,
    kinect_clip,
    standing_body,
    without_jitter,
)
from fitmotion_models.datasets.uiprmd_files import FPS, MOVEMENTS, UiprmdName, UiprmdRecording, read_recordings
from fitmotion_models.motion.sides import OTHER_SIDE
from fitmotion_models.skeleton.frames import mirror_clip
from fitmotion_models.skeleton.motion_clip import MotionClip
from fitmotion_models.skeleton.rotations import Float64

# movements in which, by the set's protocol, both feet stay where they are: squat, sit to stand, the shoulder's four
_FEET_STAY = ("m01", "m05", "m07", "m08", "m09", "m10")
# movements that are done on one leg: the other one's side is a label
_ONE_SIDED = ("m02", "m06")


@dataclass(frozen=True)
class PersonSplit:
    """Who generates and who judges: no person is in both."""

    generator: tuple[str, ...]
    judge: tuple[str, ...]


_FIRST = PersonSplit(("s01", "s02", "s03", "s04", "s05"), ("s06", "s07", "s08"))
SPLITS: MappingProxyType[str, PersonSplit] = MappingProxyType(
    {"first": _FIRST, "swapped": PersonSplit(_FIRST.judge, _FIRST.generator)}
)
"""The one split by person that everything uses, and the same with its halves swapped; figures are given for both."""


def read_uiprmd(
    source: str | PathLike[str],
    *,
    movements: Iterable[str] | None = None,
    persons: Iterable[str] | None = None,
    correct: bool | None = None,
    cleaning: KinectCleaning | None = None,
    mirrored: bool = False,
) -> Iterator[tuple[UiprmdName, MotionClip]]:
    """The clips of a folder or tar archive of UI-PRMD, by name.

    movements ("m01" or "deep_squat"), persons ("s01"), correct: only these; None is all. cleaning: None is the default.
    mirrored: after each clip its mirror image, labelled so (a test of code, not another person or side).
    Labels of a clip: file's name, movement's name, "correct" or "incorrect", person, repetition, for movements on one
    leg "left" or "right" (the leg that moves), and "mirrored". Raises ValueError as `read_recordings` does, and for
    movements that are none of the set's.
    """
    chosen = None if movements is None else {_movement_code(word) for word in movements}
    people = None if persons is None else set(persons)

    def wanted(name: UiprmdName) -> bool:
        return (
            (chosen is None or name.movement in chosen)
            and (people is None or name.person in people)
            and (correct is None or name.correct == correct)
        )

    for recording in read_recordings(source, wanted):
        clip = uiprmd_clip(recording, cleaning)
        yield recording.name, clip
        if mirrored:
            yield recording.name, mirror_uiprmd(clip)


def _movement_code(word: str) -> str:
    codes = {name: code for code, name in MOVEMENTS.items()}
    code = codes.get(word, word)
    if code not in MOVEMENTS:
        known = ", ".join(f"{code} ({name})" for code, name in MOVEMENTS.items())
        raise ValueError(f"UI-PRMD has no movement {word!r}; it has: {known}")
    return code


def uiprmd_clip(recording: UiprmdRecording, cleaning: KinectCleaning | None = None) -> MotionClip:
    """A recording as a clip: constant bones, floor at 0, origin between the ankles at the start, x as faced then."""
    chosen = cleaning or KinectCleaning()
    movement = recording.name.movement
    points = without_jitter(recording.positions(), chosen, FPS)
    planted = chosen.planted(stay=movement in _FEET_STAY, one_sided=movement in _ONE_SIDED)
    body = standing_body(points, np.ones(points.shape[:2]), "uiprmd22", FPS, planted)
    return kinect_clip(body, FPS, recording.name.person, _labels(recording.name, body.positions))


def mirror_uiprmd(clip: MotionClip) -> MotionClip:
    """The mirror image of a clip, labels too: "left" and "right" change places and "mirrored" comes or goes."""
    labels = tuple(OTHER_SIDE.get(label, label) for label in clip.labels)
    labels = tuple(label for label in labels if label != "mirrored") if "mirrored" in labels else (*labels, "mirrored")
    return replace(mirror_clip(clip), labels=labels)


def _labels(name: UiprmdName, positions: Float64) -> tuple[str, ...]:
    judged = "correct" if name.correct else "incorrect"
    labels = (str(name), MOVEMENTS[name.movement], judged, name.person, name.repetition)
    if name.movement not in _ONE_SIDED:
        return labels
    rise = np.ptp(positions[:, ANKLES, 2], axis=0)
    return (*labels, "left" if rise[0] > rise[1] else "right")
