"""UI-PRMD, HDM05 and CMU as recordings to prepare, and the impaired gait that is made from CMU's walks."""

import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np

from fitmotion_models.datasets.asf_archive import read_asf_recordings
from fitmotion_models.datasets.canonical import placed
from fitmotion_models.datasets.gait_phases import SIDES
from fitmotion_models.datasets.impaired_gait import Impairment, impaired
from fitmotion_models.datasets.motion_grades import GRADED, SEVERE_GAIT, judged_by_rules, movement_of
from fitmotion_models.datasets.motion_texts import MotionTexts, recording_parts, recording_text, texts_of
from fitmotion_models.datasets.takes import Recording, Take, takes_of
from fitmotion_models.datasets.uiprmd import uiprmd_clip
from fitmotion_models.datasets.uiprmd_files import MOVEMENTS as UIPRMD_MOVEMENTS
from fitmotion_models.datasets.uiprmd_files import UiprmdRecording, read_recordings
from fitmotion_models.datasets.uiprmd_sides import tested_side
from fitmotion_models.fms.values import Side
from fitmotion_models.motion.features import FPS
from fitmotion_models.skeleton.motion_clip import MotionClip

# walks are edited at this rate, and parts of recordings are cut at it, frames a second
_CMU_FPS = 60.0
# how severe the impaired gaits are that are made: one of each grade
_GAIT_SEVERITIES = (0.5, 1.0)


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
    # what has a score is not said in words; elsewhere words are all there is
    style = None if action in GRADED or name.correct else "compensated"
    return takes_of(
        f"uiprmd_{name}",
        clip,
        person=f"uiprmd:{name.person}",
        action=action,
        style=style,
        side=side,
        texts=texts_of(action, style=style, side=side),
        correct=name.correct,
        severity=severity if np.isfinite(severity) else None,
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
    for name, clip in read_asf_recordings(source, target_fps=_CMU_FPS):
        if recording_text("cmu", name) is not None:
            yield Recording(f"cmu_{name}", _cmu_takes, (name, clip))


def _cmu_takes(name: str, clip: MotionClip) -> list[Take]:
    described = recording_text("cmu", name)
    if described is None:
        return []
    id, person = f"cmu_{name}", f"cmu:{name[:2]}"
    texts = texts_of(described.action)
    texts = MotionTexts(tuple(dict.fromkeys((*texts.train, described.text))), texts.held_out)
    takes = takes_of(id, clip, person=person, action=described.action, texts=texts)
    if described.action == "walk":
        takes += _impaired_takes(id, clip, person)
    for start, end, action, side in recording_parts("cmu", name):
        part = placed(clip, round(start * clip.fps), round(end * clip.fps))
        part_id = f"{id}_from{start:g}s"
        takes += takes_of(part_id, part, person=person, action=action, side=side, texts=texts_of(action, side=side))
        takes += _impaired_takes(part_id, part, person)
    return takes


def _impaired_takes(id: str, walk: MotionClip, person: str) -> list[Take]:
    """The walk with each impairment, on each side, at each severity; none where its steps are too few or too uneven."""
    takes: list[Take] = []
    for kind, side, severity in product(Impairment, SIDES, _GAIT_SEVERITIES):
        try:
            clip = impaired(walk, kind, side, severity)
        except ValueError:
            continue
        takes += takes_of(
            f"{id}_{kind.value}_{side}_{severity:g}",
            clip,
            person=person,
            action="walk",
            style=kind.value,
            side=side,
            texts=texts_of("walk", style=kind.value, side=side),
            score=1 if severity >= SEVERE_GAIT else 2,
            severity=severity,
            made_from=id,
        )
    return takes
