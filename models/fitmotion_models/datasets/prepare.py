"""`fitmotion data prepare`: recordings of several sets made into one motion set, by several processes."""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

from fitmotion_models.datasets.motion_grades import score_of, severity_medians
from fitmotion_models.datasets.motion_set import CLIPS, MotionRow, as_json, content_hash, row_from_json, write_manifest
from fitmotion_models.datasets.motion_sources import SOURCES
from fitmotion_models.datasets.splits import rows_for
from fitmotion_models.datasets.takes import MotionSource, Recording, Take
from fitmotion_models.motion.features import FPS
from fitmotion_models.motion.sides import OTHER_SIDE, swap_sides
from fitmotion_models.skeleton.clip_file import save_clip

Progress = Callable[[int, int | None], None]

# Counts up when the same recordings give other clips or rows; a journal of another number is not gone on with.
_RECIPE = 2
_JOURNAL = ".unfinished.jsonl"


@dataclass(frozen=True)
class PrepareParameters:
    """jobs: processes. mirror: add mirror images. speeds: add these speeds of everything, 1 being as recorded."""

    jobs: int = 2
    mirror: bool = True
    speeds: tuple[float, ...] = (0.9, 1.1)

    def __post_init__(self) -> None:
        if self.jobs < 1:
            raise ValueError(f"jobs is {self.jobs}; allowed: 1 and more")
        if not all(0.5 <= speed <= 2.0 for speed in self.speeds):
            raise ValueError(f"speeds are {self.speeds}; allowed: 0.5 to 2, beyond that nobody moves so")


class Prepared(NamedTuple):
    """rows: of the set. left_out: recordings that could not be converted, each with why."""

    rows: list[MotionRow]
    left_out: list[str]


def prepare(
    out: str | Path,
    sources: Mapping[str, Path],
    parameters: PrepareParameters | None = None,
    progress: Progress | None = None,
) -> Prepared:
    """Make the motion set `out` of these sets: names of `SOURCES`, and where they are.

    Clips and the manifest are moved into place whole. Stopped half-way, the next call with the same sets goes on; the
    manifest is written at the end. Clips that no row names any more are deleted. Raises ValueError for an unknown set,
    for what its reader says, and where there is nothing to prepare.
    """
    chosen = parameters or PrepareParameters()
    unknown = sorted(set(sources) - set(SOURCES))
    if unknown or not sources:
        raise ValueError(f"no motion set {', '.join(unknown) or 'given'}; known: {', '.join(SOURCES)}")
    folder = Path(out)
    (folder / CLIPS).mkdir(parents=True, exist_ok=True)
    rows, left_out = list[MotionRow](), list[str]()
    with _Journal(folder) as journal:
        for name, path in sources.items():
            found = _converted(SOURCES[name], path, folder, journal, chosen.jobs, progress)
            rows += found.rows
            left_out += found.left_out
    if not rows:
        raise ValueError(f"nothing to prepare in {', '.join(str(path) for path in sources.values())}")
    rows = _augmented(_graded(rows), chosen)
    write_manifest(folder, rows)
    journal.remove()
    named = {row.file for row in rows}
    for file in (folder / CLIPS).glob("*.npz"):
        if f"{CLIPS}/{file.name}" not in named:
            file.unlink()
    return Prepared(rows, left_out)


class _Journal:
    """What is converted already, a line a recording, so that an interrupted run goes on."""

    def __init__(self, folder: Path) -> None:
        self._path, self._folder = folder / _JOURNAL, folder
        self.done: dict[str, list[MotionRow]] = {}

    def __enter__(self) -> "_Journal":
        lines = self._path.read_text(encoding="utf-8").splitlines() if self._path.is_file() else []
        if lines and lines[0] == str(_RECIPE):
            for line in lines[1:]:
                self._take(line)
        self._file = self._path.open("w", encoding="utf-8")
        self._file.write(f"{_RECIPE}\n")
        for id, rows in self.done.items():
            self._write(id, rows)
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def _take(self, line: str) -> None:
        try:
            content = json.loads(line)
            rows = [row_from_json(row, self._folder) for row in content["rows"]]
        except (ValueError, KeyError, TypeError):
            return  # the line that was being written when the run was stopped
        if all((self._folder / row.file).is_file() for row in rows):
            self.done[content["id"]] = rows

    def _write(self, id: str, rows: list[MotionRow]) -> None:
        self._file.write(json.dumps({"id": id, "rows": [as_json(row) for row in rows]}) + "\n")
        self._file.flush()

    def add(self, id: str, rows: list[MotionRow]) -> None:
        """Note a recording's rows."""
        self.done[id] = rows
        self._write(id, rows)

    def remove(self) -> None:
        """Forget all: the set is whole."""
        self._path.unlink(missing_ok=True)


def _converted(
    source: MotionSource, path: Path, folder: Path, journal: _Journal, jobs: int, progress: Progress | None
) -> Prepared:
    recordings = list(source.read(path))
    todo = [(recording, source, folder) for recording in recordings if recording.id not in journal.done]
    done = len(recordings) - len(todo)
    left_out = []
    for (recording, _, _), found in zip(todo, _mapped(todo, jobs), strict=True):
        journal.add(recording.id, found.rows)
        left_out += found.left_out
        done += 1
        if progress is not None:
            progress(done, len(recordings))
    return Prepared([row for recording in recordings for row in journal.done[recording.id]], left_out)


_Work = tuple[Recording, MotionSource, Path]


def _mapped(todo: list[_Work], jobs: int) -> Iterator[Prepared]:
    if jobs == 1 or len(todo) < 2 * jobs:
        yield from map(_convert, todo)
        return
    # each process does sums of small arrays, which threads of its own only slow down
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(variable, "1")
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_convert, todo, chunksize=4)


def _convert(work: _Work) -> Prepared:
    recording, source, folder = work
    try:
        takes = recording.convert(*recording.arguments)
    except ValueError as error:
        return Prepared([], [f"{recording.id}: {error}"])
    rows = []
    for take in takes:
        file = f"{CLIPS}/{take.id}.npz"
        save_clip(folder / file, replace(take.clip, labels=_labels(take)), overwrite=True)
        rows.append(_row(take, file, source, folder))
    return Prepared(rows, [])


def _labels(take: Take) -> tuple[str, ...]:
    return tuple(word for word in (take.id, take.action, take.style, take.side) if word)


def _row(take: Take, file: str, source: MotionSource, folder: Path) -> MotionRow:
    return MotionRow(
        id=take.id,
        file=file,
        frames=len(take.clip),
        seconds=round(len(take.clip) / FPS, 3),
        source=source.name,
        person=take.person,
        licence=source.licence,
        non_commercial=source.non_commercial,
        action=take.action,
        style=take.style,
        side=take.side,
        score=take.score,
        correct=take.correct,
        severity=None if take.severity is None else round(take.severity, 4),
        texts=take.texts.train,
        held_out_texts=take.texts.held_out,
        mirrored=False,
        speed=1.0,
        made_from=take.made_from,
        hash=content_hash(take.clip),
        folder=folder,
    )


def _graded(rows: list[MotionRow]) -> list[MotionRow]:
    """The rows with their grades by our rubric, cut at the median of the first fold's generating persons."""
    medians = severity_medians(rows, {row.person for row in rows_for(rows, "generator")})
    return [row if row.score is not None else replace(row, score=score_of(row, medians)) for row in rows]


def _augmented(rows: Iterable[MotionRow], parameters: PrepareParameters) -> list[MotionRow]:
    """Each row, its mirror image, and both at other speeds."""
    result = []
    for row in rows:
        forms = [row, mirrored_row(row)] if parameters.mirror else [row]
        result += forms + [row_at_speed(form, speed) for form in forms for speed in parameters.speeds if speed != 1.0]
    return result


def mirrored_row(row: MotionRow) -> MotionRow:
    """The row of the mirror image: left and right have changed places in its words and its side."""
    return replace(
        row,
        id=f"{row.id}_mirrored",
        side=None if row.side is None else OTHER_SIDE[row.side],
        texts=tuple(swap_sides(text) for text in row.texts),
        held_out_texts=tuple(swap_sides(text) for text in row.held_out_texts),
        mirrored=not row.mirrored,
        made_from=row.id,
    )


def row_at_speed(row: MotionRow, speed: float) -> MotionRow:
    """The row of the same motion at another speed."""
    frames = int((row.frames - 1) / speed + 1e-6) + 1
    return replace(
        row,
        id=f"{row.id}_x{speed:g}",
        frames=frames,
        seconds=round(frames / FPS, 3),
        speed=row.speed * speed,
        made_from=row.id,
    )
