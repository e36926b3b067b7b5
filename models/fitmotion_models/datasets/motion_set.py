"""A prepared set of motion on disk: clips on the canonical body and a manifest that says what each of them is.

`DIR/manifest.jsonl` has one row (a JSON object) a motion; `DIR/clips/` the recordings. Mirror images and other speeds
are rows without a file of their own: they name that of the recording and are made when they are loaded.
"""

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from fitmotion_models.datasets.augment import at_speed, mirrored
from fitmotion_models.skeleton.clip_file import load_clip
from fitmotion_models.skeleton.motion_clip import MotionClip

MANIFEST = "manifest.jsonl"
CLIPS = "clips"


@dataclass(frozen=True)
class MotionRow:
    """One motion.

    id: its name in the set. file: the clip's, in the set's folder. frames, seconds: of the motion as loaded. source:
    the data set; person: "uiprmd:s01". licence; non_commercial: whether it forbids commercial use. action, style: see
    motion_texts.yaml; style None where there is nothing to say. side: "left", "right" or None. score: 3, 2 or 1, graded
    by our rubric (`motion_grades`), 2 and 1 parted at the median of the first fold's generating persons; None: not
    graded. correct: the set's own label. severity: what the rules miss, in standard deviations. texts, held_out_texts:
    trained on and never trained on. mirrored, speed: how it differs from the recording in `file`. made_from: id of the
    row it was made from. hash: of the clip's content in `file`. folder: where the set is; not in the manifest.
    """

    id: str
    file: str
    frames: int
    seconds: float
    source: str
    person: str
    licence: str
    non_commercial: bool
    action: str
    style: str | None
    side: str | None
    score: int | None
    correct: bool | None
    severity: float | None
    texts: tuple[str, ...]
    held_out_texts: tuple[str, ...]
    mirrored: bool
    speed: float
    made_from: str | None
    hash: str
    folder: Path = field(default=Path(), compare=False, repr=False)

    def load(self) -> MotionClip:
        """The motion: canonical bones, 20 frames a second. Raises FileNotFoundError, ValueError as `load_clip`."""
        clip = load_clip(self.folder / self.file)
        if self.mirrored:
            clip = mirrored(clip)
        return clip if self.speed == 1.0 else at_speed(clip, self.speed)


_FIELDS = tuple(one.name for one in fields(MotionRow) if one.name != "folder")


def as_json(row: MotionRow) -> str:
    """The row as one line."""
    content = asdict(row)
    return json.dumps({name: content[name] for name in _FIELDS}, allow_nan=False)


def row_from_json(line: str, folder: Path) -> MotionRow:
    """The row of a line. Raises ValueError, saying what is wrong."""
    content: Any = json.loads(line)
    if not isinstance(content, dict) or (missing := [name for name in _FIELDS if name not in content]):
        raise ValueError(f"it lacks {', '.join(missing)}" if isinstance(content, dict) else "it is no JSON object")
    values = {name: content[name] for name in _FIELDS}
    for name in ("texts", "held_out_texts"):
        values[name] = tuple(values[name])
    if values["score"] not in (1, 2, 3, None) or values["side"] not in ("left", "right", None):
        raise ValueError(f"score {values['score']}, side {values['side']}; allowed: 1, 2, 3, null; left, right, null")
    if not values["texts"] or not values["frames"] > 1 or not values["speed"] > 0.0:
        raise ValueError("a motion has texts, two frames or more and a speed above 0")
    return MotionRow(**values, folder=folder)


def read_motion_set(folder: str | Path) -> list[MotionRow]:
    """The rows of a set. Raises ValueError naming the file, the line and what is wrong; clips are not opened."""
    manifest = Path(folder) / MANIFEST
    if not manifest.is_file():
        raise ValueError(f"{folder} has no {MANIFEST}; make a motion set with `fitmotion data prepare --out {folder}`")
    rows = []
    for number, line in enumerate(manifest.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            rows.append(row_from_json(line, Path(folder)))
        except (ValueError, TypeError) as error:
            raise ValueError(f"{manifest}, line {number}: {error}; prepare the set again") from error
    if not rows:
        raise ValueError(f"{manifest} has no rows; prepare the set again")
    return rows


def write_manifest(folder: Path, rows: Iterable[MotionRow]) -> Path:
    """Write the manifest beside and move it into place: a reader sees the old one or the new one, whole."""
    target = folder / MANIFEST
    partial = folder / f".{MANIFEST}.{os.getpid()}.part"
    try:
        partial.write_text("".join(f"{as_json(row)}\n" for row in rows), encoding="utf-8")
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return target


def content_hash(clip: MotionClip) -> str:
    """SHA-256 (16 hexadecimal digits) of a clip's motion."""
    digest = hashlib.sha256(np.float64(clip.fps).tobytes())
    for array in (clip.stamps, clip.positions, clip.rotations, clip.bone_offsets):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]
