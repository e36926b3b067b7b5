"""What a data set is made from: videos, prompts and clips, each as a piece of work that can be sent to a process."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from fitmotion_models.datasets.any_clip import read_any_clip
from fitmotion_models.datasets.motion_set import MotionRow
from fitmotion_models.datasets.synthesis.files import hash_of, hash_of_file, hash_of_folder
from fitmotion_models.datasets.synthesis.recording_file import Placement
from fitmotion_models.datasets.synthesis.settings import SynthesisSettings, plain
from fitmotion_models.imu.values import ImuRecording
from fitmotion_models.motion.condition import MotionCondition
from fitmotion_models.skeleton.kinematics import REST_STATURE
from fitmotion_models.skeleton.motion_clip import MotionClip

SYNTHETIC, REAL = "synthetic", "real"
"""The two kinds of a manifest's rows: sensors that were never worn, and sensors that were."""
STATURE_RANGE_M = (0.4, 2.6)
UNLABELLED = ""


class LabelSpan(NamedTuple):
    """What is done from start to end, seconds of the recording; a whole recording ends at infinity."""

    label: str
    start: float = 0.0
    end: float = math.inf


@dataclass(frozen=True)
class Annotation:
    """Who does what in a recording. subject, trial: ids. labels: what is done when. licence: of what it is made of."""

    subject: str
    trial: str
    labels: tuple[LabelSpan, ...] = ()
    licence: str = "not said"


class Source(Protocol):
    """A recording to be made."""

    @property
    def id(self) -> str:
        """Its name in the data set."""
        ...

    @property
    def origin(self) -> str:
        """What was asked for, such as a folder."""
        ...

    @property
    def about(self) -> Annotation:
        """Who does what in it."""
        ...

    @property
    def medium(self) -> str:
        """What it is made from: video, prompt, clip, recording."""
        ...

    def fingerprint(self, settings: SynthesisSettings) -> dict[str, Any]:
        """What the motion (or what a real sensor read) depends on, with a hash of its content, for JSON."""
        ...


class MotionSource(Source, Protocol):
    """A recording whose sensors are virtual."""

    def clip(self, settings: SynthesisSettings) -> MotionClip:
        """The motion. Raises ValueError and OSError, one sentence, where there is none."""
        ...


class WornSource(Source, Protocol):
    """A recording of real sensors."""

    def recording(self, settings: SynthesisSettings) -> tuple[ImuRecording, Placement]:
        """What they read, at the settings' rate, and where they sat. Raises ValueError, one sentence."""
        ...


@dataclass(frozen=True)
class VideoSource:
    """A video file or a folder of images."""

    id: str
    origin: str
    about: Annotation
    path: Path
    medium: str = "video"

    def fingerprint(self, settings: SynthesisSettings) -> dict[str, Any]:
        """The file's content, whose body it is, and what looks for it."""
        return {"file": self.path.name, "hash": hash_of_folder(self.path), **settings.of_videos()}

    def clip(self, settings: SynthesisSettings) -> MotionClip:
        """The body of the first person in it, as `assess` sees it."""
        return read_any_clip(str(self.path), subject=self.about.subject, backend=settings.pose_backend)


@dataclass(frozen=True)
class FileSource:
    """A clip in a file; see `read_any_clip`."""

    id: str
    origin: str
    about: Annotation
    path: Path
    medium: str = "clip"

    def fingerprint(self, settings: SynthesisSettings) -> dict[str, Any]:
        """The file's content, and the skeletons' that lie beside it."""
        skeletons = {path.name: hash_of_file(path) for path in sorted(self.path.parent.glob("*.asf"))}
        beside = {"skeletons": skeletons} if self.path.suffix.lower() == ".amc" else {}
        return {"file": self.path.name, "hash": hash_of_file(self.path), **beside}

    def clip(self, settings: SynthesisSettings) -> MotionClip:
        """The clip as it lies there."""
        return read_any_clip(str(self.path))


@dataclass(frozen=True)
class RowSource:
    """A motion of a set that `data prepare` made."""

    id: str
    origin: str
    about: Annotation
    row: MotionRow
    medium: str = "clip"

    def fingerprint(self, settings: SynthesisSettings) -> dict[str, Any]:
        """The recording's file, and how the motion differs from it."""
        path = self.row.folder / self.row.file
        return {"file": path.name, "hash": hash_of_folder(path), "mirrored": self.row.mirrored, "speed": self.row.speed}

    def clip(self, settings: SynthesisSettings) -> MotionClip:
        """The motion as its row says."""
        return self.row.load()


@dataclass(frozen=True)
class PromptSource:
    """A motion to be generated. stature: of the person, metres; None: the generator's body."""

    id: str
    origin: str
    about: Annotation
    condition: MotionCondition = field(compare=False)
    stature: float | None = None
    medium: str = "prompt"

    def fingerprint(self, settings: SynthesisSettings) -> dict[str, Any]:
        """All that is wished for, the body, and what generates."""
        wish = plain(self.condition)
        return {
            "prompt": self.condition.prompt,
            "fms_score": self.condition.score,
            "seed": self.condition.seed,
            "stature": self.stature,
            "hash": hash_of(wish),
            **settings.of_prompts(),
        }

    def clip(self, settings: SynthesisSettings) -> MotionClip:
        """The motion that the generator makes of the wish, on a body of the stature."""
        if settings.generator == "kimodo":
            from fitmotion_models.datasets.synthesis.kimodo import generate_with_kimodo

            made = generate_with_kimodo(self.condition, settings.kimodo_model)
        else:
            made = _generator(settings.weights)(self.condition).clip
        return made if self.stature is None else of_stature(made, self.stature)


def of_stature(clip: MotionClip, stature: float) -> MotionClip:
    """The same joint angles at the same times on a body that is larger or smaller in all its bones.

    stature: metres. Where the body goes grows with it. Raises ValueError for one that no person has.
    """
    low, high = STATURE_RANGE_M
    if not low <= stature <= high:
        raise ValueError(f"stature {stature:g} m is no person's; allowed: {low:g} to {high:g} m")
    factor = stature / REST_STATURE
    grown = {name: getattr(clip, name) * factor for name in ("positions", "feet", "bone_offsets")}
    return replace(clip, **grown)


def labels_of(clip: MotionClip) -> tuple[LabelSpan, ...]:
    """The label that a clip itself bears: the second of its words, the action, as readers set them; else the first."""
    words = clip.labels[1:2] or clip.labels[:1]
    return tuple(LabelSpan(word) for word in words)


def checked_ids(sources: list[Any]) -> list[Any]:
    """The sources, with a number at the end of ids that several have."""
    counts: Counter[str] = Counter()
    result = []
    for source in sources:
        counts[source.id] += 1
        again = counts[source.id] > 1
        result.append(replace(source, id=f"{source.id}_{counts[source.id]}") if again else source)
    return result


def slug(text: str) -> str:
    """A text as part of a file name: letters, digits, dots, dashes and underscores."""
    kept = "".join(letter if letter.isascii() and (letter.isalnum() or letter in ".-_") else "_" for letter in text)
    return "_".join(word for word in kept.split("_") if word) or "_"


def spans_of(rows: list[Mapping[str, str]]) -> tuple[LabelSpan, ...]:
    """The label spans of a label file's lines for one recording."""
    spans = []
    for row in rows:
        if label := row.get("label", ""):
            spans.append(LabelSpan(label, float(row.get("start_s") or 0.0), float(row.get("end_s") or math.inf)))
    return tuple(spans)


@cache
def _generator(weights: str) -> Any:
    """Loaded once a process."""
    from fitmotion_models.motion.generate import Generator

    return Generator.load(weights, threads=1)
