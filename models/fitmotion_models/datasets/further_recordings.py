"""The sets that are only prepared when they are named: Bandai Namco, HumanML3D, AMASS, the FMS set of Xing et al."""

import re
from collections.abc import Iterator
from pathlib import Path

from fitmotion_models.datasets.amass import AmassName, read_amass
from fitmotion_models.datasets.bandai import BandaiName, read_bandai
from fitmotion_models.datasets.humanml3d import HumanML3DMotion, read_humanml3d
from fitmotion_models.datasets.motion_texts import MotionTexts, recording_text, texts_of
from fitmotion_models.datasets.takes import Recording, Take, takes_of
from fitmotion_models.datasets.xing_files import LEAST_SEEN, XingRecording
from fitmotion_models.datasets.xing_files import read_recordings as read_xing_recordings
from fitmotion_models.datasets.xing_files import read_scores as read_xing_scores
from fitmotion_models.datasets.xing_fms import xing_clip
from fitmotion_models.fms.values import Variation
from fitmotion_models.skeleton.motion_clip import MotionClip

# the set's words -> action and side here
_BANDAI_ACTIONS: dict[str, tuple[str, str | None]] = {
    "walk": ("walk", None),
    "run": ("run", None),
    "dash": ("run", None),
    "walk-back": ("walk_backward", None),
    "walk-left": ("walk_sideways", "left"),
    "walk-right": ("walk_sideways", "right"),
    "walk-turn-left": ("walk_turn", "left"),
    "walk-turn-right": ("walk_turn", "right"),
    "raise-up-left-hand": ("raise_hand", "left"),
    "raise-up-right-hand": ("raise_hand", "right"),
    "raise-up-both-hands": ("raise_both_hands", None),
    "wave-left-hand": ("wave_hand", "left"),
    "wave-right-hand": ("wave_hand", "right"),
    "wave-both-hands": ("wave_both_hands", None),
    "bow": ("bow", None),
    "bye": ("wave_goodbye", None),
    "byebye": ("wave_goodbye", None),
    "call": ("call_over", None),
    "dance-short": ("dance", None),
    "guide": ("guide", None),
    "punch": ("punch", None),
    "respond": ("respond", None),
    "slash": ("swordplay", None),
}
_BANDAI_STYLES: dict[str, str | None] = {
    "normal": None,
    "active": "active",
    "exhausted": "exhausted",
    "tired": "exhausted",
    "elderly": "elderly",
    "old": "elderly",
}


def bandai_recordings(source: Path) -> Iterator[Recording]:
    """The recordings of Bandai Namco's sets whose action and style have texts."""
    for name, clip in read_bandai(source):
        if name.action in _BANDAI_ACTIONS and name.style in _BANDAI_STYLES:
            yield Recording(f"bandai_{name}", _bandai_takes, (name, clip))


def _bandai_takes(name: BandaiName, clip: MotionClip) -> list[Take]:
    action, side = _BANDAI_ACTIONS[name.action]
    style = _BANDAI_STYLES[name.style]
    texts = texts_of(action, style=style, side=side)
    person = f"bandai:{name.person}"
    return takes_of(f"bandai_{name}", clip, person=person, action=action, style=style, side=side, texts=texts)


def humanml3d_recordings(source: Path) -> Iterator[Recording]:
    """The motions of a HumanML3D folder with their own captions; its mirror images are left out, ours are made."""
    for split in ("train", "val", "test"):
        if (source / f"{split}.txt").is_file():
            for motion in read_humanml3d(source, split, mirrored=False):
                id = f"humanml3d_{motion.name}" + (f"_from{motion.start:g}s" if motion.start else "")
                yield Recording(id, _humanml3d_takes, (id, split, motion))


def _humanml3d_takes(id: str, split: str, motion: HumanML3DMotion) -> list[Take]:
    texts = MotionTexts(motion.texts, ())
    return takes_of(id, motion.clip(), person=f"humanml3d:{split}", action="captioned", texts=texts)


def amass_recordings(source: Path) -> Iterator[Recording]:
    """The motions of AMASS, told by CMU's descriptions where they are CMU's, else by the words of their names."""
    for name, clip in read_amass(source):
        yield Recording(f"amass_{_plain(str(name))}", _amass_takes, (name, clip))


def _amass_takes(name: AmassName, clip: MotionClip) -> list[Take]:
    described = recording_text("cmu", name.action) if name.set == "CMU" else None
    words = " ".join(re.findall(r"[A-Za-z]{2,}", name.action)).lower()
    texts = MotionTexts((f"a person moves: {words}",) if words else ("a person moves",), ())
    if described is not None:
        known = texts_of(described.action)
        texts = MotionTexts((*known.train, described.text), known.held_out)
    action = described.action if described is not None else "named"
    return takes_of(f"amass_{_plain(str(name))}", clip, person=f"amass:{name.person}", action=action, texts=texts)


def _plain(name: str) -> str:
    """A name that can be a file's."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", name)


def xing_recordings(source: Path) -> Iterator[Recording]:
    """What the front sensor saw of the FMS set of Xing et al., with the experts' grades where they are there."""
    for recording in read_xing_recordings(source, lambda _, sensor: sensor == "front", read_xing_scores(source)):
        if recording.seen_share >= LEAST_SEEN:
            yield Recording(f"xing_{recording.name}", _xing_takes, (recording,))


def _xing_takes(recording: XingRecording) -> list[Take]:
    name = recording.name
    action, side = xing_action(name.variation), name.side
    return takes_of(
        f"xing_{name}",
        xing_clip(recording),
        person=f"xing:{name.person}",
        action=action,
        side=side,
        texts=texts_of(action, side=side),
        # a 0 is pain, which cannot be seen
        score=name.score or None,
    )


def xing_action(variation: Variation) -> str:
    """The action of one of the screen's fifteen movements: its name without the side."""
    return re.sub("_(floor|left|right)$", "", variation.name.lower())
