"""Recordings cut into windows of one length, each with the label that most of its samples bear."""

import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.datasets.synthesis.manifest import SetRow
from fitmotion_models.datasets.synthesis.sources import UNLABELLED, LabelSpan
from fitmotion_models.imu.values import ImuRecording

WINDOWS = "windows.jsonl"
MOST_MISSING = 0.2
"""The largest share of samples that a sensor may lack in a window, lost on the radio or not seen; it is left out of
the window above it."""


@dataclass(frozen=True)
class WindowSettings:
    """length_s: seconds. overlap: share of a window that the next one has too.

    The defaults are those of UCI HAR (Anguita et al. 2013): 2.56 s, half. Raises ValueError for what makes no window.
    """

    length_s: float = 2.56
    overlap: float = 0.5

    def __post_init__(self) -> None:
        if not (math.isfinite(self.length_s) and 0.0 < self.length_s <= 600.0):
            raise ValueError(f"window of {self.length_s:g} s; allowed: more than 0 and at most 600 s")
        if not 0.0 <= self.overlap <= 0.95:
            raise ValueError(f"overlap {self.overlap:g}; allowed: 0 to 0.95")

    def samples(self, rate_hz: float) -> tuple[int, int]:
        """How many samples a window has, and how many are between the starts of two. Raises ValueError below two."""
        length = round(self.length_s * rate_hz)
        if length < 2:
            raise ValueError(f"window of {self.length_s:g} s has {length} samples at {rate_hz:g} a second; take longer")
        return length, max(1, round(length * (1.0 - self.overlap)))


@dataclass(frozen=True)
class Window:
    """One window. recording: id of the manifest's row; subject, trial, kind, split: that row's.

    label: that most samples bear; label_share: how many of them. start_s, end_s: stamps of its first sample and of the
    one after its last. first, samples: of the recording's samples. sites: sensors that are there. missing: the largest
    share of samples that one of those lacks.
    """

    id: str
    recording: str
    subject: str
    trial: str
    kind: str
    split: str
    label: str
    label_share: float
    start_s: float
    end_s: float
    first: int
    samples: int
    sites: tuple[str, ...]
    missing: float


def window_to_json(window: Window) -> str:
    """The window as one line."""
    return json.dumps(asdict(window), allow_nan=False)


def window_from_json(line: str) -> Window:
    """The window of a line."""
    content = json.loads(line)
    return Window(**{**content, "sites": tuple(content["sites"])})


def labels_of_samples(
    spans: tuple[LabelSpan, ...], stamps: NDArray[np.float64]
) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Names of labels, and (N,) which of them each sample bears; name 0 is no label. Later spans lie over earlier ones.

    Spans count from the recording's first sample.
    """
    names = (UNLABELLED, *dict.fromkeys(span.label for span in spans))
    borne = np.zeros(len(stamps), dtype=np.int64)
    since = stamps - stamps[0] if len(stamps) else stamps
    for span in spans:
        borne[(since >= span.start) & (since < span.end)] = names.index(span.label)
    return names, borne


def windows_of(row: SetRow, recording: ImuRecording, settings: WindowSettings) -> Iterator[Window]:
    """The windows of a recording in order; those without a label or a sensor are left out."""
    length, step = settings.samples(recording.rate_hz)
    if len(recording) < length:
        return
    names, borne = labels_of_samples(row.labels, recording.stamps)
    signals = np.concatenate([recording.specific_force, recording.angular_velocity], axis=-1)
    read = np.asarray(np.isfinite(signals).all(axis=-1))
    for number, first in enumerate(range(0, len(recording) - length + 1, step)):
        rows = slice(first, first + length)
        counts = np.bincount(borne[rows], minlength=len(names))
        label = int(np.argmax(counts))
        missing = 1.0 - read[rows].mean(axis=0)
        there = missing <= MOST_MISSING
        if label == 0 or not there.any():
            continue
        yield Window(
            id=f"{row.id}_w{number:04d}",
            recording=row.id,
            subject=row.subject,
            trial=row.trial,
            kind=row.kind,
            split=row.split,
            label=names[label],
            label_share=round(float(counts[label]) / length, 4),
            start_s=float(recording.stamps[first]),
            end_s=float(recording.stamps[first]) + length / recording.rate_hz,
            first=first,
            samples=length,
            sites=tuple(name for name, seen in zip(recording.sites, there, strict=True) if seen),
            missing=round(float(missing[there].max()), 4),
        )
