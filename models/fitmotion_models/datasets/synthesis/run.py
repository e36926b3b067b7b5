"""`fitmotion synthesize`: sources in, a folder with recordings and a manifest out; stopped half-way, it goes on."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fitmotion_models.datasets.synthesis.engines import LOCAL, check_engine, spread
from fitmotion_models.datasets.synthesis.files import FolderLock, StorageError, remove_partial_files
from fitmotion_models.datasets.synthesis.manifest import CLIPS, SetRow, records, write_manifest
from fitmotion_models.datasets.synthesis.settings import SynthesisSettings
from fitmotion_models.datasets.synthesis.work import Outcome, Work

Progress = Callable[[int, int | None], None]
_BETWEEN_MANIFESTS = 20.0
"""The manifest is written anew after this many times as long as that takes, so that it costs a twentieth at most."""
_SHORTEST_S = 2.0


@dataclass
class Synthesis:
    """What a run gave. rows: of the whole data set. left_out: recordings with why. made: how often each stage was done.

    kept: recordings of which nothing had to be done.
    """

    rows: list[SetRow] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    made: dict[str, int] = field(default_factory=dict)
    kept: int = 0


def synthesize(
    folder: Path,
    sources: Sequence[Any],
    settings: SynthesisSettings,
    *,
    jobs: int = 2,
    engine: str = LOCAL,
    progress: Progress | None = None,
    finish: Callable[[Synthesis], None] | None = None,
) -> Synthesis:
    """Make the recordings of all sources in a folder, and its manifest; those that are done are left as they are.

    sources: `MotionSource` and `WornSource`. A recording that can't be made is left out, with why, and the others go
    on. Recordings of the same origin that are asked for no longer leave the manifest, their files stay. jobs: at once.
    engine: see `spread`. progress: called with how many recordings are done, and how many there are. finish: called
    with what there is while the folder is still held: for the merge and what follows it.

    Raises ValueError, one sentence, where another run holds the folder, its other recordings have another rate, the
    engine is missing, an id is there twice; StorageError where the disk takes no more: what is done by then stays, and
    the next run goes on.
    """
    if jobs < 1:
        raise ValueError(f"jobs is {jobs}; allowed: 1 and more")
    check_engine(engine)
    names = [source.id for source in sources]
    if len(set(names)) != len(names):
        raise ValueError(f"recording {next(name for name in names if names.count(name) > 1)} is there twice")
    with FolderLock(folder):
        remove_partial_files(folder / CLIPS)
        run = _Run(folder, sources, settings)
        run.work_through(spread(Work(folder, settings), sources, jobs, engine), progress)
        if finish is not None:
            finish(run.found)
        return run.found


class _Run:
    """Takes the outcomes as they come and keeps the manifest."""

    def __init__(self, folder: Path, sources: Sequence[Any], settings: SynthesisSettings) -> None:
        self._folder, self._count = folder, len(sources)
        origins, asked = {source.origin for source in sources}, {source.id for source in sources}
        self._others = [row for row in records(folder) if row.origin not in origins and row.id not in asked]
        for row in self._others:
            if row.rate_hz != settings.rate_hz:
                raise ValueError(
                    f"{folder} holds recordings of {row.origin} at {row.rate_hz:g} a second, and these are to have "
                    f"{settings.rate_hz:g}; take that rate or another folder"
                )
        self._order = {source.id: number for number, source in enumerate(sources)}
        self._rows: dict[str, SetRow] = {}
        self._next = time.monotonic() + _SHORTEST_S
        self.found = Synthesis()

    def work_through(self, outcomes: Any, progress: Progress | None) -> None:
        """Take every outcome; whatever happens, the manifest holds what is done."""
        try:
            for number, outcome in enumerate(outcomes, start=1):
                self._take(outcome)
                if progress is not None:
                    progress(number, self._count)
                if time.monotonic() > self._next:
                    self._write()
        except StorageError:
            self._try_to_write()
            raise
        finally:
            outcomes.close()
        self._write()

    def _take(self, outcome: Outcome) -> None:
        if outcome.stops:
            raise StorageError(
                0,
                f"{outcome.problem}; {len(self._rows)} of {self._count} recordings are done: make room and run the "
                "same again to go on",
            )
        for stage in outcome.made:
            self.found.made[stage] = self.found.made.get(stage, 0) + 1
        if outcome.row is None:
            self.found.left_out[outcome.id] = outcome.problem
        else:
            self._rows[outcome.id] = outcome.row
            self.found.kept += not outcome.made

    def _write(self) -> None:
        began = time.monotonic()
        self.found.rows = [*self._others, *(self._rows[id] for id in sorted(self._rows, key=self._order.__getitem__))]
        write_manifest(self._folder, self.found.rows)
        took = time.monotonic() - began
        self._next = time.monotonic() + max(_SHORTEST_S, _BETWEEN_MANIFESTS * took)

    def _try_to_write(self) -> None:
        # where the disk is full the old manifest stays, and the records know all
        with suppress(StorageError):
            self._write()
