"""Virtual and real recordings of sensors that belong together, from files, folders and data sets, for a calibration.

A table (.csv, .npz, .parquet, see `imu_tables`) is one recording. Of a folder every table in it is one, named by its
path without the ending; of a folder that `synthesize` made (with a manifest) each row's virtual or real sensors are.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from fitmotion_models.datasets.imu_tables import ImuTable, read_imu_table
from fitmotion_models.datasets.synthesis.manifest import MANIFEST, read_manifest
from fitmotion_models.imu.calibration import ANY_ACTIVITY, CalibrationPair
from fitmotion_models.imu.provenance import file_hash
from fitmotion_models.imu.values import ImuRecording

ENDINGS = (".csv", ".npz", ".parquet")
UNNAMED_PERSON, UNNAMED_SITE = "person", "sensor"
"""What `imu_tables` calls what a table does not name."""
_STAGES = {"virtual": "imu", "real": "recording"}


@dataclass(frozen=True, eq=False)
class NamedRecording:
    """A recording with whose it is and what is done, "" where that is not known. file: where it was read from."""

    name: str
    person: str
    activity: str
    recording: ImuRecording
    file: Path


@dataclass(frozen=True, eq=False)
class CalibrationFiles:
    """pairs, their names in the same order, the files' hashes by path, and what found no partner."""

    pairs: tuple[CalibrationPair, ...]
    names: tuple[str, ...]
    hashes: Mapping[str, str]
    alone: tuple[str, ...]


def read_pairs(
    virtual: str | Path, real: str | Path, *, person: str = "", activity: str = ANY_ACTIVITY, site: str = ""
) -> CalibrationFiles:
    """Pair recordings by name; one on each side belong together whatever they are called.

    person, activity: of all, where the files do not tell or tell otherwise. site: what real sensors without a name
    are; not needed where there is one on each side.
    Raises ValueError, one sentence: nothing there, no pair, a person whom no file names, two who should be one.
    """
    made, worn = _recordings(Path(virtual), "virtual"), _recordings(Path(real), "real")
    if len(made) == len(worn) == 1:
        worn = {next(iter(made)): next(iter(worn.values()))}
    names = [name for name in made if name in worn]
    if not names:
        raise ValueError(
            f"no recording in {virtual} ({_few(made)}) is called as one in {real} ({_few(worn)}); name them alike, or "
            "give one file on each side"
        )
    pairs = [_pair(made[name], worn[name], person, activity, site) for name in names]
    files = [side[name].file for name in names for side in (made, worn)]
    alone = sorted(set(made) ^ set(worn))
    return CalibrationFiles(tuple(pairs), tuple(names), {str(file): file_hash(file) for file in files}, tuple(alone))


def _pair(virtual: NamedRecording, real: NamedRecording, person: str, activity: str, site: str) -> CalibrationPair:
    told = {one.person for one in (virtual, real)} - {UNNAMED_PERSON, ""}
    if not person and len(told) != 1:
        reason = "no file says whose it is" if not told else f"the files say {' and '.join(sorted(told))}"
        raise ValueError(f"{virtual.name}: {reason}; give --person")
    return CalibrationPair(
        person=person or told.pop(),
        virtual=virtual.recording,
        real=_named(virtual.recording, real, site),
        activity=activity or real.activity or virtual.activity,
    )


def _named(virtual: ImuRecording, real: NamedRecording, site: str) -> ImuRecording:
    """The real recording, its one sensor named as the virtual one is, where it has no name of its own."""
    if real.recording.sites != (UNNAMED_SITE,):
        return real.recording
    if not site and len(virtual.sites) > 1:
        raise ValueError(f"{real.file} does not name its sensor; give --site, one of {', '.join(virtual.sites)}")
    return replace(real.recording, sites=(site or virtual.sites[0],))


def _recordings(path: Path, kind: str) -> dict[str, NamedRecording]:
    if path.is_file():
        if path.suffix.lower() not in ENDINGS:
            raise ValueError(f"{path}: {kind} sensors come as {', '.join(ENDINGS)} or as a folder of these")
        return {path.stem: _read(path, path.stem)}
    if not path.is_dir():
        raise ValueError(f"{path} is not there; give the {kind} sensors' file or folder")
    if (path / MANIFEST).is_file():
        return _of_data_set(path, kind)
    files = sorted(file for file in path.rglob("*") if file.suffix.lower() in ENDINGS and file.is_file())
    if not files:
        raise ValueError(f"{path} holds no {kind} sensors; expected tables ({', '.join(ENDINGS)})")
    named: dict[str, NamedRecording] = {}
    for file in files:
        name = file.relative_to(path).with_suffix("").as_posix()
        if name in named:
            raise ValueError(f"{path} holds {name} twice ({named[name].file.name}, {file.name}); keep one of them")
        named[name] = _read(file, name)
    return named


def _of_data_set(path: Path, kind: str) -> dict[str, NamedRecording]:
    found = {}
    for row in read_manifest(path):
        stage = row.stage(_STAGES[kind])
        if stage is not None:
            read = _read(path / stage.output.path, row.id)
            labels = {span.label for span in row.labels}
            # a recording of several activities has no distribution of one
            found[row.id] = replace(
                read, person=row.subject, activity=labels.pop() if len(labels) == 1 else ANY_ACTIVITY
            )
    if not found:
        raise ValueError(f"{path} is a data set without {kind} sensors; its rows have no stage {_STAGES[kind]!r}")
    return found


def _read(file: Path, name: str) -> NamedRecording:
    table: ImuTable = read_imu_table(file)
    if not np.isfinite(table.recording.stamps).all():
        raise ValueError(f"{file}: seconds hold what is no number")
    return NamedRecording(name, table.subject, str(table.about.get("activity", ANY_ACTIVITY)), table.recording, file)


def _few(names: Iterable[str]) -> str:
    given = list(names)
    return ", ".join(given[:3]) + (f" and {len(given) - 3} more" if len(given) > 3 else "")
