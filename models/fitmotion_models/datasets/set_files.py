"""The files of a data set as it is handed out: a folder with all folders in it, a tar archive or a zip archive."""

import tarfile
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from os import PathLike
from pathlib import Path, PurePosixPath

SetFile = tuple[PurePosixPath, Callable[[], bytes]]


def set_files(source: str | PathLike[str], endings: tuple[str, ...], kind: str) -> Iterator[SetFile]:
    """Path and a way to read it of every file whose name ends so; a folder's in order, an archive's as they lie in it.

    Of a tar archive a file can be read only until the next one is asked for. kind: what the set is called in messages.
    Raises ValueError when the source is not there or is neither a folder nor such an archive.
    """
    path = Path(source)
    if path.is_dir():
        for file in sorted(path.rglob("*")):
            if file.name.endswith(endings) and file.is_file():
                yield PurePosixPath(file.relative_to(path).as_posix()), file.read_bytes
        return
    try:
        yield from (_zipped if zipfile.is_zipfile(path) else _tarred)(path, endings)
    except (OSError, tarfile.TarError, zipfile.BadZipFile) as error:
        raise ValueError(f"{kind} {path} can't be read: {error}; give its folder or its archive (tar, zip)") from error


def _tarred(path: Path, endings: tuple[str, ...]) -> Iterator[SetFile]:
    with tarfile.open(path) as tar:
        for member in tar:
            if member.name.endswith(endings) and (file := tar.extractfile(member)) is not None:
                yield PurePosixPath(member.name), file.read


def _zipped(path: Path, endings: tuple[str, ...]) -> Iterator[SetFile]:
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.endswith(endings):
                yield PurePosixPath(name), partial(archive.read, name)
