"""What a data card says of a data set in numbers: counts, lengths, ranges of the signals, example windows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.datasets.synthesis.manifest import SetRow
from fitmotion_models.datasets.synthesis.recording_file import load_recording
from fitmotion_models.datasets.synthesis.windows import Window
from fitmotion_models.skeleton.rotations import Float64

Progress = Callable[[int, int | None], None]
PERCENTILES = (1.0, 25.0, 50.0, 75.0, 99.0)
MOST_EXAMPLES = 6
_KEPT = 20_000
"""So many samples of a sensor stand for all of them, evenly drawn from its recordings."""


@dataclass(frozen=True)
class SignalRange:
    """What a sensor of a kind reads: percentiles (`PERCENTILES`) of the lengths of its vectors, m/s2 and rad/s.

    missing: share of its samples that are not there.
    """

    site: str
    kind: str
    force: tuple[float, ...]
    rate: tuple[float, ...]
    missing: float


@dataclass(frozen=True, eq=False)
class Example:
    """A window to look at. seconds: (N,) from its start. force: (N, 3) m/s2 and rate: (N, 3) rad/s of one sensor."""

    window: Window
    site: str
    seconds: NDArray[np.float64]
    force: Float64
    rate: Float64


@dataclass(frozen=True, eq=False)
class CardFigures:
    """All figures of a card. rows: of the manifest; windows: of the data set."""

    rows: tuple[SetRow, ...]
    windows: tuple[Window, ...]
    ranges: tuple[SignalRange, ...]
    examples: tuple[Example, ...]


def card_figures(
    folder: Path, rows: Sequence[SetRow], windows: Sequence[Window], progress: Progress | None = None
) -> CardFigures:
    """Go through the recordings once."""
    samples: dict[tuple[str, str], _Sampled] = {}
    wanted = {window.recording: window for window in _examples(windows)}
    examples: dict[str, Example] = {}
    totals: dict[tuple[str, str], int] = {}
    for row in rows:
        for site in row.sites:
            totals[site, row.kind] = totals.get((site, row.kind), 0) + row.samples
    for number, row in enumerate(rows, start=1):
        recording, _ = load_recording(folder / row.signals)
        force, rate = (np.linalg.norm(one, axis=-1) for one in (recording.specific_force, recording.angular_velocity))
        for index, site in enumerate(recording.sites):
            key = site, row.kind
            samples.setdefault(key, _Sampled(totals[key])).add(force[:, index], rate[:, index])
        if (window := wanted.get(row.id)) is not None:
            site = window.sites[-1]
            index, part = recording.sites.index(site), slice(window.first, window.first + window.samples)
            examples[window.id] = Example(
                window,
                site,
                recording.stamps[part] - recording.stamps[window.first],
                recording.specific_force[part, index],
                recording.angular_velocity[part, index],
            )
        if progress is not None:
            progress(number, len(rows))
    ranges = [sampled.range(*key) for key, sampled in sorted(samples.items())]
    shown = sorted(examples.values(), key=lambda one: (one.window.label, one.window.kind))
    return CardFigures(tuple(rows), tuple(windows), tuple(ranges), tuple(shown))


def _examples(windows: Sequence[Window]) -> list[Window]:
    """A window of each label and kind, from the middle of what there is; the commonest labels first."""
    groups: dict[tuple[str, str], list[Window]] = {}
    for window in windows:
        groups.setdefault((window.label, window.kind), []).append(window)
    largest = sorted(groups.values(), key=len, reverse=True)[:MOST_EXAMPLES]
    return [group[len(group) // 2] for group in largest]


class _Sampled:
    """Lengths of vectors, every so many-th, and how many are not there."""

    def __init__(self, total: int) -> None:
        self._step = max(1, total // _KEPT)
        self._force: list[NDArray[np.float64]] = []
        self._rate: list[NDArray[np.float64]] = []
        self._missing, self._total = 0, total

    def add(self, force: NDArray[np.float64], rate: NDArray[np.float64]) -> None:
        """Take a recording's."""
        seen = np.isfinite(force) & np.isfinite(rate)
        self._missing += int((~seen).sum())
        self._force.append(force[seen][:: self._step])
        self._rate.append(rate[seen][:: self._step])

    def range(self, site: str, kind: str) -> SignalRange:
        """What the card says of them."""
        found = []
        for parts in (self._force, self._rate):
            values = np.concatenate(parts)
            found.append(tuple(np.percentile(values, PERCENTILES).tolist()) if len(values) else (np.nan,) * 5)
        return SignalRange(site, kind, found[0], found[1], self._missing / max(1, self._total))
