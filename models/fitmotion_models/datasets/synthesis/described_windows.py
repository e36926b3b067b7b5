"""Windows of videos described in words, each with the motion that was seen, as wishes to generate others like it.

For every window a vision-language model says what the person does. `prompts.yaml` (see `prompts_file`) then asks for
those words along the way that the person went and through some of the bodies that were seen: new motion that is still
near to the real one. A generated motion belongs to the person it was made from, so that it stays in their split.
"""

import csv
import io
import json
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from fitmotion_models.datasets.any_clip import read_any_clip
from fitmotion_models.datasets.canonical import to_canonical
from fitmotion_models.datasets.synthesis.files import FolderLock, StorageError, hash_of, hash_of_folder, write_whole
from fitmotion_models.datasets.synthesis.settings import plain
from fitmotion_models.datasets.synthesis.sources import LabelSpan, VideoSource
from fitmotion_models.motion.condition import MAX_PROMPT_CHARACTERS, MAX_SPEED, checked_prompt
from fitmotion_models.pose.backends import BackendChoice
from fitmotion_models.pose.image_source import open_source
from fitmotion_models.skeleton.body_pose import ARRAY_SHAPES
from fitmotion_models.skeleton.clip_file import clip_from_bytes, clip_to_bytes
from fitmotion_models.skeleton.kinematics import fill_unseen, forward_kinematics
from fitmotion_models.skeleton.motion_clip import MotionClip

Describe = Callable[[Sequence[NDArray[np.uint8]], str], str]
"""Pictures (H, W, 3) uint8 RGB and an instruction to words; see `VisionLanguageModel`."""
Progress = Callable[[int, int | None], None]

INSTRUCTION = (
    "These pictures show one person, one after the other. Describe in one English sentence what the person does with "
    "the body, beginning with 'a person'. Say which side moves where it matters. Do not mention clothes, faces, the "
    "place or the camera."
)
PROMPTS, DESCRIPTIONS = "prompts.yaml", "descriptions.jsonl"
_MOTIONS, _WAYS, _POSES = "motions", "ways", "poses"
_WAY_STEP_S = 0.25
_FEWEST_SEEN = 0.8


@dataclass(frozen=True)
class DescribeSettings:
    """window_s: length of a window, seconds. pictures: of a window that the model sees. keyframes: bodies that bind.

    instruction: what the model is told. conditions: "both", "path" or "keyframes": what of the real motion binds.
    Raises ValueError for what is out of range.
    """

    window_s: float = 5.0
    pictures: int = 6
    keyframes: int = 3
    instruction: str = INSTRUCTION
    conditions: str = "both"

    def __post_init__(self) -> None:
        if not 1.0 <= self.window_s <= 60.0:
            raise ValueError(f"window of {self.window_s:g} s; allowed: 1 to 60 s")
        for name, low, high in (("pictures", 1, 64), ("keyframes", 1, 60)):
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"{name} is {getattr(self, name)}; allowed: {low} to {high}")
        if self.conditions not in CONDITIONS:
            raise ValueError(f"conditions '{self.conditions}' unknown; known: {', '.join(CONDITIONS)}")


CONDITIONS = ("both", "path", "keyframes")
"""What of the real motion can bind."""


@dataclass(frozen=True)
class DescribedWindow:
    """A window of a video and what is said of it.

    id: its name. video: file. subject, trial, label: of the video in that span, label "" where none is known.
    start_s, end_s: seconds of the video. words: the description. key: hash of all that it depends on.
    """

    id: str
    video: str
    subject: str
    trial: str
    label: str
    start_s: float
    end_s: float
    words: str
    key: str


def describe_videos(
    out: Path,
    sources: Sequence[VideoSource],
    describe: Describe,
    model: str,
    settings: DescribeSettings | None = None,
    *,
    backend: BackendChoice | None = None,
    progress: Progress | None = None,
) -> tuple[list[DescribedWindow], dict[str, str]]:
    """Describe the windows of videos into a folder; returns them, and what was left out with why.

    Writes `descriptions.jsonl`, `prompts.yaml`, and what that names: ways and motions. describe: the model; model: its
    name. Stopped half-way, the next call goes on: a window is described anew only where the video, the model or the
    settings are others. Raises ValueError where another run holds the folder, StorageError where the disk is full.
    """
    chosen = settings or DescribeSettings()
    with FolderLock(out):
        run = _Describing(out, describe, model, chosen, backend or BackendChoice())
        for number, source in enumerate(sources, start=1):
            run.video(source)
            if progress is not None:
                progress(number, len(sources))
        run.finish()
        return run.windows, run.left_out


class _Describing:
    """The state of a run over videos."""

    def __init__(
        self, out: Path, describe: Describe, model: str, settings: DescribeSettings, backend: BackendChoice
    ) -> None:
        self._out, self._describe, self._model, self._settings = out, describe, model, settings
        self._backend = backend
        self._known = {window.key: window for window in read_descriptions(out)}
        self.windows: list[DescribedWindow] = []
        self.left_out: dict[str, str] = {}
        self._entries: list[dict[str, Any]] = []

    def video(self, source: VideoSource) -> None:
        """Describe one video's windows; a video that can't be used is left out."""
        try:
            clip = self._clip(source)
            spans = list(_spans(clip, self._settings.window_s))
            if not spans:
                raise ValueError(f"it shows a body for less than {self._settings.window_s:g} s; take shorter windows")
            content = hash_of_folder(source.path)
            pictures: dict[int, list[NDArray[np.uint8]]] | None = None
            for number, (start, end) in enumerate(spans):
                id = f"{source.id}_d{number:03d}"
                key = hash_of([content, self._model, plain(self._settings), id, start, end])
                if key not in self._known:
                    pictures = pictures or _pictures(source.path, spans, self._settings.pictures)
                    words = self._describe(pictures[number], self._settings.instruction)
                    self._note(_described(source, id, (start, end), words, key))
                self._take(self._known[key], source, clip)
        except StorageError:
            raise
        except (ValueError, RuntimeError, OSError) as error:
            self.left_out[source.id] = " ".join(str(error).split())

    def _clip(self, source: VideoSource) -> MotionClip:
        """The body in the video, found once."""
        key = hash_of([hash_of_folder(source.path), plain(self._backend), source.about.subject])
        path = self._out / _POSES / f"{source.id}-{key[:16]}.npz"
        with suppress(OSError, ValueError):
            return clip_from_bytes(path.read_bytes(), str(path))
        clip = read_any_clip(str(source.path), subject=source.about.subject, backend=self._backend)
        write_whole(path, clip_to_bytes(clip))
        return clip

    def _note(self, window: DescribedWindow) -> None:
        self._known[window.key] = window
        lines = "".join(f"{json.dumps(asdict(one))}\n" for one in self._known.values())
        write_whole(self._out / DESCRIPTIONS, lines.encode())

    def _take(self, window: DescribedWindow, source: VideoSource, clip: MotionClip) -> None:
        """The window as an entry of the prompts, with files of the motion that binds."""
        window = replace(
            window,
            subject=source.about.subject,
            trial=source.about.trial,
            label=_label(source.about.labels, window.start_s, window.end_s),
        )
        try:
            words = checked_prompt(window.words)
            motion = real_motion(clip, window.start_s, window.end_s)
            self._entries.append(self._entry(window, words, motion))
            self.windows.append(window)
        except StorageError:
            raise
        except ValueError as error:
            self.left_out[window.id] = " ".join(str(error).split())

    def _entry(self, window: DescribedWindow, words: str, motion: MotionClip) -> dict[str, Any]:
        times = motion.stamps - motion.stamps[0]
        entry: dict[str, Any] = {
            "prompt": words,
            "label": window.label or "not_said",
            "seconds": round(float(times[-1]), 2),
            "subject": window.subject,
            "trial": window.id,
        }
        if self._settings.conditions != "keyframes":
            path = Path(_WAYS) / f"{window.id}.csv"
            write_whole(self._out / path, _way(motion).encode())
            entry["path"] = str(path)
        if self._settings.conditions != "path":
            path = Path(_MOTIONS) / f"{window.id}.npz"
            write_whole(self._out / path, clip_to_bytes(motion))
            chosen = np.linspace(0, len(times) - 1, self._settings.keyframes + 1).round().astype(int)[:-1]
            entry |= {"keyframes": str(path), "keyframe_at": [round(float(times[index]), 3) for index in chosen]}
        return entry

    def finish(self) -> None:
        """Write the prompts."""
        if self._entries:
            content = {"prompts": self._entries}
            text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120)
            write_whole(self._out / PROMPTS, f"# What {self._model} said of windows of videos.\n{text}".encode())


def read_descriptions(folder: Path) -> list[DescribedWindow]:
    """The windows that are described in a folder; none where there are none yet."""
    try:
        lines = (folder / DESCRIPTIONS).read_text(encoding="utf-8").splitlines()
        return [DescribedWindow(**json.loads(line)) for line in lines]
    except (OSError, ValueError, TypeError):
        return []


def real_motion(clip: MotionClip, start: float, end: float) -> MotionClip:
    """A span of a camera's clip on the generator's body: from the origin, facing x, without holes.

    Raises ValueError where the body is hardly seen in it, and where it jumps from place to place.
    """
    rows = np.flatnonzero((clip.stamps >= start - 1e-6) & (clip.stamps <= end + 1e-6))
    names = [name for name in ARRAY_SHAPES if name != "bone_offsets"]
    part = replace(clip, stamps=clip.stamps[rows] - start, **{name: getattr(clip, name)[rows] for name in names})
    pelvis = part.positions[:, 0].astype(np.float64)
    seen = np.isfinite(pelvis).all(axis=-1)
    if len(part) < 2 or seen.mean() < _FEWEST_SEEN:
        raise ValueError("the body is seen in too little of the window")
    times = part.stamps
    root = np.stack([np.interp(times, times[seen], pelvis[seen, axis]) for axis in range(3)], axis=-1)
    speeds = np.linalg.norm(np.diff(root[:, :2], axis=0), axis=-1) / np.diff(times)
    if speeds.max() > MAX_SPEED:
        raise ValueError(f"the body jumps from place to place ({speeds.max():.0f} m/s), the camera lost it")
    rotations = fill_unseen(part.rotations.astype(np.float64))
    whole = replace(
        part,
        positions=forward_kinematics(root, rotations, part.bone_offsets.astype(np.float64)).astype(np.float32),
        rotations=rotations.astype(np.float32),
        confidence=np.ones_like(part.confidence),
    )
    return to_canonical(whole)


def _described(source: VideoSource, id: str, span: tuple[float, float], words: str, key: str) -> DescribedWindow:
    about = source.about
    # a description of several sentences is cut where the generator's text encoder would
    shown = words if len(words) <= MAX_PROMPT_CHARACTERS else words[:MAX_PROMPT_CHARACTERS].rpartition(" ")[0]
    label = _label(about.labels, *span)
    return DescribedWindow(id, source.path.name, about.subject, about.trial, label, *span, shown, key)


def _spans(clip: MotionClip, length_s: float) -> Iterator[tuple[float, float]]:
    """Windows one after the other, from the first body that was seen."""
    count = math.floor((clip.stamps[-1] - clip.stamps[0]) / length_s + 1e-6)
    for number in range(count):
        start = float(clip.stamps[0]) + number * length_s
        yield round(start, 4), round(start + length_s, 4)


def _pictures(path: Path, spans: Sequence[tuple[float, float]], count: int) -> dict[int, list[NDArray[np.uint8]]]:
    """Pictures of every window, RGB, evenly spread; the video is read once."""
    from fitmotion_models.datasets.synthesis.vision_language import shrunk

    wanted = sorted(
        (start + (end - start) * (index + 0.5) / count, number)
        for number, (start, end) in enumerate(spans)
        for index in range(count)
    )
    found: dict[int, list[NDArray[np.uint8]]] = {number: [] for number in range(len(spans))}
    source = open_source(str(path))
    try:
        while wanted and (frame := source.read()) is not None:
            while wanted and frame.stamp >= wanted[0][0] - 0.5 / source.fps:
                found[wanted.pop(0)[1]].append(shrunk(np.ascontiguousarray(frame.image_bgr[:, :, ::-1])))
    finally:
        source.close()
    return found


def _label(spans: Sequence[LabelSpan], start: float, end: float) -> str:
    """The label that lasts longest in a window."""
    shares: dict[str, float] = {}
    for span in spans:
        shares[span.label] = shares.get(span.label, 0.0) + max(0.0, min(end, span.end) - max(start, span.start))
    best = max(shares, key=lambda label: shares[label], default="")
    return best if shares.get(best, 0.0) > 0.0 else ""


def _way(motion: MotionClip) -> str:
    """The pelvis' way over the floor as `generate --path` reads it."""
    times = motion.stamps - motion.stamps[0]
    wanted = np.arange(0.0, times[-1] + 1e-6, _WAY_STEP_S)
    pelvis = motion.positions[:, 0].astype(np.float64)
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["seconds", "x", "y"])
    for time in wanted:
        x, y = (float(np.interp(time, times, pelvis[:, axis])) for axis in range(2))
        writer.writerow([f"{time:.2f}", f"{x:.4f}", f"{y:.4f}"])
    return stream.getvalue()
