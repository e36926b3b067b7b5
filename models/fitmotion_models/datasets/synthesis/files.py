"""Files of a data set that are there whole or not at all, their hashes, and the lock of its folder."""

import fcntl
import hashlib
import json
import os
from pathlib import Path
from types import TracebackType
from typing import Any

LOCK = ".lock"
_PARTIAL = ".part"
_BLOCK = 1 << 20


class StorageError(OSError):
    """The disk does not take what is to be written; the text is one sentence that names the file and the reason."""

    def __str__(self) -> str:
        return str(self.strerror)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file beside its place, flush it to the disk and move it there; folders are made.

    Raises StorageError; the file is then as it was, and nothing of the new one is left.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}{_PARTIAL}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with partial.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
        _flush_folder(path.parent)
    except OSError as error:
        raise StorageError(error.errno, f"{path} can't be written: {error.strerror or error}") from error


class WholeFile:
    """A file that is written piece by piece as `write_whole` writes one at once; of text or bytes.

    Leaving the block with an error leaves the old file, if any, as it was.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.partial = path.with_name(f".{path.name}.{os.getpid()}{_PARTIAL}")

    def __enter__(self) -> Path:
        """The path to write to."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        return self.partial

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        try:
            if kind is None:
                with self.partial.open("rb") as file:
                    os.fsync(file.fileno())
                self.partial.replace(self._path)
                _flush_folder(self._path.parent)
        finally:
            self.partial.unlink(missing_ok=True)
        if isinstance(error, OSError) and not isinstance(error, StorageError):
            said = f"{self._path} can't be written: {error.strerror or error}"
            raise StorageError(error.errno, said) from error


def remove_partial_files(folder: Path) -> None:
    """Delete what killed processes were writing; to be called by who holds the folder's lock."""
    for partial in folder.rglob(f".*{_PARTIAL}"):
        partial.unlink(missing_ok=True)


def hash_of_file(path: Path) -> str:
    """SHA-256 of a file's content. Raises OSError where it can't be read."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def hash_of_folder(path: Path) -> str:
    """SHA-256 of a folder's file names and contents, folders in it left out; of a file's content where it is one."""
    if not path.is_dir():
        return hash_of_file(path)
    return hash_of({file.name: hash_of_file(file) for file in sorted(path.iterdir()) if file.is_file()})


def hash_of(value: Any) -> str:
    """SHA-256 of a value that JSON can hold; the order of names does not count."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, allow_nan=False).encode()).hexdigest()


class FolderLock:
    """Keeps a second run out of a folder; a killed holder lets go of it.

    Raises ValueError, naming the folder, where another run holds it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._file = (self._folder / LOCK).open("a")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise ValueError(
                f"another run is writing to {self._folder}; wait until it is done, stop it, or choose another folder"
            ) from None

    def __exit__(self, *_: object) -> None:
        self._file.close()


def _flush_folder(folder: Path) -> None:
    """A rename is on the disk once its folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
