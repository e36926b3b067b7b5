"""A folder of HumanML3D: motions, captions and splits.

Guo et al. 2022, "Generating Diverse and Natural 3D Human Motions from Text":

    new_joint_vecs/<id>.npy   features (T, 263), 20 frames a second
    new_joints/<id>.npy       joints (T, 22, 3), metres, y up; read where there are no features
    texts/<id>.txt            a line a caption: `caption#word/TAG word/TAG ...#start#end`, seconds; 0 and 0: the whole
    train.txt, val.txt, test.txt (train_val.txt, all.txt): an id a line

Ids that begin with M are mirror images, in motion and in words. The set is made of AMASS, whose licence does not let it
be passed on: users bring their own copy, and weights trained on it are non-commercial.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isnan
from os import PathLike
from pathlib import Path

import numpy as np

from fitmotion_models.motion.features import FPS
from fitmotion_models.motion.humanml3d import HUMANML3D, clip_from_joints, from_humanml3d
from fitmotion_models.skeleton.body_pose import Float32
from fitmotion_models.skeleton.joint_sets import SMPL22
from fitmotion_models.skeleton.motion_clip import MotionClip

SPLIT_NAMES = ("train", "val", "test", "train_val", "all")

PUBLISHED_FRAMES = (40, 199)
"""Least and most frames that the published evaluation keeps (data loaders of github.com/EricGuo5513/text-to-motion)."""


@dataclass(frozen=True)
class HumanML3DCaption:
    """A caption: text, its words with their part of speech, and what part of the motion it tells, seconds.

    start and end are None where it tells the whole.
    """

    text: str
    tokens: tuple[tuple[str, str], ...]
    start: float | None = None
    end: float | None = None


@dataclass(frozen=True, eq=False)
class HumanML3DMotion:
    """A motion, or the part of one that some captions tell.

    name: the set's id, e.g. "M000021". captions: at least one. values: features (T, 263) or joints (T, 22, 3).
    start: where the part begins in the set's file, seconds; 0 for whole motions.
    """

    name: str
    captions: tuple[HumanML3DCaption, ...]
    values: Float32
    start: float = 0.0

    @property
    def mirrored(self) -> bool:
        """Whether this is the mirror image of another motion of the set."""
        return self.name.startswith("M")

    @property
    def made_from(self) -> str | None:
        """Id of the motion that this one mirrors."""
        return self.name[1:] if self.mirrored else None

    @property
    def texts(self) -> tuple[str, ...]:
        """The captions' texts."""
        return tuple(caption.text for caption in self.captions)

    def __len__(self) -> int:
        return len(self.values)

    def clip(self) -> MotionClip:
        """The motion as a clip in the `world` frame; labels are id, "mirrored" where it is, and texts."""
        labels = (self.name, *(("mirrored",) if self.mirrored else ()), *self.texts)
        make = clip_from_joints if self.values.ndim == 3 else from_humanml3d
        return make(self.values, labels=labels)


def read_humanml3d(
    folder: str | PathLike[str],
    split: str = "train",
    *,
    mirrored: bool = True,
    frames: tuple[int, int] | None = None,
) -> Iterator[HumanML3DMotion]:
    """The motions of a split, in its order; after a whole motion the parts that captions with times tell.

    mirrored: also ids that begin with M. frames: least and most frames, `PUBLISHED_FRAMES` as in the published
    evaluation; None: all. Ids without a file and motions with values that are not finite are left out, as in the
    published loaders (the set itself lacks some). Raises ValueError naming folder or file and what is wrong: no such
    folder or split, a split of which no motion is there, files of another shape, a line that is no caption.
    """
    place = Path(folder)
    found = False
    for name in humanml3d_ids(place, split):
        if name.startswith("M") and not mirrored:
            continue
        values = _values(place, name)
        captions = _captions(place / "texts" / f"{name}.txt")
        if values is None or not captions:
            continue
        found = True
        for motion in _parts(name, values, captions):
            if frames is None or frames[0] <= len(motion) <= frames[1]:
                yield motion
    if not found:
        raise ValueError(
            f"{place} holds no motion of its split {split!r}: expected new_joint_vecs/<id>.npy or new_joints/<id>.npy, "
            "with texts/<id>.txt; make them as github.com/EricGuo5513/HumanML3D says"
        )


def humanml3d_ids(folder: str | PathLike[str], split: str) -> tuple[str, ...]:
    """The ids that a split names, in its order. Raises ValueError where there is none."""
    place = Path(folder)
    if split not in SPLIT_NAMES:
        raise ValueError(f"HumanML3D has no split {split!r}; it has: {', '.join(SPLIT_NAMES)}")
    path = place / f"{split}.txt"
    try:
        lines = path.read_text(encoding="utf-8").split()
    except OSError as error:
        raise ValueError(f"{path} can't be read ({error.strerror}); give a HumanML3D folder, with its splits") from None
    if not lines:
        raise ValueError(f"{path} names no motion; expected an id a line")
    return tuple(lines)


def _values(place: Path, name: str) -> Float32 | None:
    """A motion's features, else joints; None where there is neither, or they are not finite."""
    for kind, shape in (("new_joint_vecs", (HUMANML3D.size,)), ("new_joints", (len(SMPL22), 3))):
        path = place / kind / f"{name}.npy"
        if not path.is_file():
            continue
        try:
            values = np.load(path, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise ValueError(f"{path} is no NumPy array: {error}; copy the set's file again") from None
        # one frame of joints is stored without its time axis
        values = values[None] if values.shape == shape else values
        if values.ndim != 1 + len(shape) or values.shape[1:] != shape or not len(values):
            expected = ", ".join(map(str, shape))
            raise ValueError(f"{path} has shape {values.shape}; expected (T, {expected}) of HumanML3D's 22 joints")
        return values.astype(np.float32) if np.isfinite(values).all() else None
    return None


def _captions(path: Path) -> tuple[HumanML3DCaption, ...]:
    """The captions of a file; none where there is no file."""
    if not path.is_file():
        return ()
    lines = path.read_text(encoding="utf-8").splitlines()
    return tuple(_caption(line, path, number) for number, line in enumerate(lines, 1) if line.strip())


def _caption(line: str, path: Path, number: int) -> HumanML3DCaption:
    # a caption may hold a # itself; the three fields after it may not
    fields = line.strip().rsplit("#", 3)
    try:
        text, words, start, end = fields[0].strip(), fields[1].split(), float(fields[2]), float(fields[3])
    except (IndexError, ValueError):
        raise ValueError(f"{path}, line {number}: expected caption#word/TAG ...#start#end, got {line!r}") from None
    tokens = tuple((word, tag) for word, _, tag in (token.rpartition("/") for token in words))
    # the set writes nan for no time, too
    start, end = (0.0 if isnan(time) else time for time in (start, end))
    whole = start == 0.0 and end == 0.0
    if not whole and not 0.0 <= start < end:
        raise ValueError(f"{path}, line {number}: the caption's part from {start:g} to {end:g} s is none")
    return HumanML3DCaption(text, tokens) if whole else HumanML3DCaption(text, tokens, start, end)


def _parts(name: str, values: Float32, captions: tuple[HumanML3DCaption, ...]) -> Iterator[HumanML3DMotion]:
    """The whole with the captions that tell it, then a part for every span of time that captions name."""
    spans: dict[tuple[float | None, float | None], list[HumanML3DCaption]] = {}
    for caption in captions:
        spans.setdefault((caption.start, caption.end), []).append(caption)
    for start, end in sorted(spans, key=lambda span: (span[0] is not None, span[0] or 0.0, span[1] or 0.0)):
        told = tuple(spans[start, end])
        if start is None or end is None:
            yield HumanML3DMotion(name, told, values)
            continue
        # whole frames, as the published loaders cut them
        part = values[int(start * FPS) : int(end * FPS)]
        if len(part):
            yield HumanML3DMotion(name, told, part, start)
