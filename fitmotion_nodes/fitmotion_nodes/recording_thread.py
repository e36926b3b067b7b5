"""Puts messages on the disk from a thread of its own, so that a slow or full disk never holds up a node."""

import math
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fitmotion_models.exchange.mcap_files import (
    NotARecordingError,
    RecordedTopic,
    Recording,
    finish_recording,
    remove_if_empty,
)

RETRY_S = 5.0  # a disk that was full is tried again after this long
MEGABYTE = 1e6
_OVERHEAD_BYTES = 200  # of a message that waits in memory, about


@dataclass(frozen=True)
class RecordingOptions:
    """See `RecorderParameters`. path: of the first file."""

    path: Path
    compression: str = "zstd"
    flush_s: float = 0.5
    queue_bytes: float = 64 * MEGABYTE
    min_free_bytes: float = 0.0


@dataclass(frozen=True)
class _Waiting:
    topic: RecordedTopic
    data: bytes
    log_time: int
    publish_time: int
    sequence: int


class RecordingThread:
    """Takes messages with `put` and writes them, a chunk every `flush_s`.

    The file is opened here; OSError says why it cannot be. Where the disk refuses later, the messages are dropped and
    counted, and a new file is begun as soon as the disk allows. on_trouble: hears each trouble and its end, one
    sentence each, from the thread. took: hears how long each chunk took, seconds.
    """

    def __init__(
        self,
        options: RecordingOptions,
        on_trouble: Callable[[str], None] = lambda text: None,
        took: Callable[[float], None] = lambda seconds: None,
    ) -> None:
        self._options, self._on_trouble, self._took = options, on_trouble, took
        self.written = self.bytes = self.dropped = 0
        self.trouble = ""  # why nothing is recorded now
        self._waiting: list[_Waiting] = []
        self._waiting_bytes = 0
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._retry_at = 0.0
        self._recording: Recording | None = None
        self.path = options.path
        if self._begun_before():
            self._try_to_open()  # started anew after a crash: the graph shall live on where the disk is full
        else:
            self._open()
        self._thread = threading.Thread(target=self._run, name="recording", daemon=True)
        self._thread.start()

    def put(self, topic: RecordedTopic, data: bytes, log_time: int, publish_time: int, sequence: int) -> None:
        """Take one message; times in nanoseconds. One that finds no room is dropped and counted."""
        size = len(data) + _OVERHEAD_BYTES
        with self._lock:
            if self._waiting_bytes + size > self._options.queue_bytes:
                self.dropped += 1
                return
            # MCAP's times are not below 0; a foreign clock's may be
            self._waiting.append(_Waiting(topic, data, max(log_time, 0), max(publish_time, 0), sequence))
            self._waiting_bytes += size

    def close(self) -> None:
        """Write what waits, and the index."""
        self._stop.set()
        self._thread.join()

    @property
    def free_bytes(self) -> float:
        """What the disk has left."""
        return _free_bytes(self.path.parent)

    # ---- in the thread, but for the first opening ----

    def _run(self) -> None:
        finish_recordings(self._options.path)
        while not self._stop.wait(self._options.flush_s):
            self._write()
        self._write()
        if self._recording is not None:
            self._attempt(self._recording.close)

    def _write(self) -> None:
        with self._lock:
            batch, self._waiting, self._waiting_bytes = self._waiting, [], 0
        if self._recording is None and time.monotonic() >= self._retry_at:
            self._try_to_open()
            if self._recording is not None:
                finish_recordings(self._options.path)  # there is room again for the index of the one before
        if self._recording is None:
            self.dropped += len(batch)
            return
        began = time.perf_counter()
        for item in batch:
            self._recording.write(item.topic, item.data, item.log_time, item.publish_time, item.sequence)
        if batch and self._attempt(self._recording.flush, lost=len(batch)):
            self.written += len(batch)
            self._took(time.perf_counter() - began)
        too_little = self._recording is not None and self.free_bytes < self._options.min_free_bytes
        if too_little and self._attempt(self._recording.close):
            self._give_up(self._too_little())

    def _attempt(self, act: Callable[[], None], lost: int = 0) -> bool:
        """Do something to the file that a full disk refuses."""
        recording = self._recording
        assert recording is not None
        before = recording.bytes
        try:
            act()
        except OSError as error:
            self.dropped += lost
            self._give_up(f"{recording.path}: {error.strerror or error}")
            return False
        self.bytes += recording.bytes - before
        return True

    def _give_up(self, reason: str) -> None:
        self._recording = None
        self._retry_at = time.monotonic() + RETRY_S
        self._say(f"nothing is recorded any more: {reason}; what was written is in {self.path}")

    def _say(self, text: str) -> None:
        self.trouble = text
        self._on_trouble(text)

    # ---- files ----

    def _open(self) -> None:
        """Begin the next file; raises OSError."""
        if _free_bytes(self._options.path.parent) < self._options.min_free_bytes:
            raise OSError(self._too_little())
        self.path = _next_free(self._options.path)
        self._recording = Recording(self.path, self._options.compression)
        self.bytes += self._recording.bytes
        if self.trouble:
            self.trouble = ""
            self._on_trouble(f"recording goes on in {self.path}")

    def _try_to_open(self) -> None:
        try:
            self._open()
        except OSError as error:
            self._retry_at = time.monotonic() + RETRY_S
            if not self.trouble:
                self._say(f"nothing is recorded: {error.strerror or error}")

    def _too_little(self) -> str:
        folder = self._options.path.parent
        return (
            f"the disk of {folder} has {_free_bytes(folder) / MEGABYTE:.0f} MB left and "
            f"min_free_mb={self._options.min_free_bytes / MEGABYTE:g} are kept for others; make room there"
        )

    def _begun_before(self) -> bool:
        return self._options.path.exists()


def finish_recordings(path: Path) -> None:
    """Give the files of a run, `path` and name-2, name-3, ..., the index that a crash left them without.

    Files in which nothing is, as their recorder was killed before it could write, are removed.
    """
    for candidate in _siblings(path):
        try:
            if not remove_if_empty(candidate):
                finish_recording(candidate, or_leave=True)
        except (NotARecordingError, OSError):
            continue  # somebody else's file of such a name, or none


def _siblings(path: Path) -> list[Path]:
    return [path, *sorted(path.parent.glob(f"{path.stem}-*{path.suffix}"))]


def _next_free(path: Path) -> Path:
    """The path, or the first of name-2, name-3, ... that is not there."""
    count, candidate = 1, path
    while candidate.exists():
        count += 1
        candidate = path.with_stem(f"{path.stem}-{count}")
    return candidate


def _free_bytes(folder: Path) -> float:
    try:
        disk = os.statvfs(folder)
    except OSError:
        return math.inf  # what is wrong with the folder is said when a file is opened in it
    return float(disk.f_bavail * disk.f_frsize)
