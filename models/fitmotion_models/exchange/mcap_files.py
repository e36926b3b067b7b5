"""Recordings of ROS 2 messages as MCAP files, which `ros2 bag`, Foxglove and the mcap and rosbags libraries open.

Messages come and go as the bytes that travel (CDR); what is inside them is known to the schema that is written along.
A file grows by whole chunks, each one write to the disk: what was written before a crash, a kill or a full disk can be
read with `read_messages`, and `finish_recording` gives such a file the index that other programs ask for.
"""

import fcntl
import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from mcap.exceptions import EndOfFile
from mcap.records import Channel, Message, Schema
from mcap.stream_reader import StreamReader
from mcap.well_known import MessageEncoding, Profile
from mcap.writer import CompressionType, Writer

from fitmotion_models.exchange.mcap_index import UNREADABLE, IndexBuilder
from fitmotion_models.exchange.ros_schema import SCHEMA_ENCODING

COMPRESSIONS = {"none": CompressionType.NONE, "lz4": CompressionType.LZ4, "zstd": CompressionType.ZSTD}
_CHUNKS_ARE_OURS = 1 << 40  # bytes; chunks end when `flush` is called, never inside of `write`
_QOS_KEY, _TYPE_HASH_KEY = "offered_qos_profiles", "topic_type_hash"  # as rosbag2_storage_mcap names them


class NotARecordingError(ValueError):
    """A file is no MCAP file of ROS 2 messages; the text is one sentence."""


@dataclass(frozen=True)
class RecordedTopic:
    """A topic of a recording.

    name: fully qualified. type_name: `package/msg/Name`. definition: see `ros_schema.full_definition`. qos: the quality
    of service that was offered, YAML as rosbag2 writes it. type_hash: REP-2011 (`RIHS01_...`). The last two may be "".
    """

    name: str
    type_name: str
    definition: str
    qos: str = ""
    type_hash: str = ""


@dataclass(frozen=True)
class RecordedMessage:
    """One message of a recording; times in nanoseconds, data: CDR with its four bytes of encapsulation."""

    topic: RecordedTopic
    log_time: int
    publish_time: int
    sequence: int
    data: bytes


class _Buffer:
    """Takes the writer's small writes, so that a chunk and its index go to the disk as one piece."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._end = 0

    def write(self, data: bytes) -> int:
        self._pieces.append(data)
        self._end += len(data)
        return len(data)

    def tell(self) -> int:
        return self._end

    def flush(self) -> None:
        """Called by the writer; the recording decides when to empty the buffer."""

    def take(self) -> bytes:
        data = b"".join(self._pieces)
        self._pieces.clear()
        return data


class Recording:
    """A file being recorded into; not for several threads at once.

    compression: of `COMPRESSIONS`. Raises FileExistsError when the file is there already, OSError when it cannot be
    made. A `write` only collects; `flush` puts what was collected on the disk as one chunk. When that fails (OSError)
    the file ends with the last whole chunk and is finished as far as the disk allows, or is gone when it has none: the
    recording is over.
    """

    def __init__(self, path: str | Path, compression: str = "zstd") -> None:
        if compression not in COMPRESSIONS:
            raise ValueError(f"compression {compression!r} is unknown; allowed: {', '.join(COMPRESSIONS)}")
        self.path = Path(path)
        self.messages = self.bytes = 0  # on the disk
        self._collected = 0
        self._file: BinaryIO | None = self.path.open("xb", buffering=0)
        self._buffer = _Buffer()
        self._writer = Writer(
            self._buffer,  # type: ignore[arg-type]  # it needs write, tell and flush only
            chunk_size=_CHUNKS_ARE_OURS,
            compression=COMPRESSIONS[compression],
        )
        self._channels: dict[str, int] = {}
        self._schemas: dict[tuple[str, str], int] = {}
        try:
            _lock(self._file)
            self._writer.start(profile=Profile.ROS2, library="fitmotion")
            self._put()
        except OSError:
            self._abandon()
            raise

    def __enter__(self) -> "Recording":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def is_open(self) -> bool:
        """Whether messages are still taken."""
        return self._file is not None

    def write(self, topic: RecordedTopic, data: bytes, log_time: int, publish_time: int, sequence: int = 0) -> None:
        """Take one message; times in nanoseconds. Topics become known with their first message.

        Raises ValueError when the recording is over.
        """
        if self._file is None:
            raise ValueError(f"{self.path} takes no more messages; open another recording")
        channel = self._channels.get(topic.name) or self._add(topic)
        self._writer.add_message(channel, log_time=log_time, data=data, publish_time=publish_time, sequence=sequence)
        self._collected += 1

    def flush(self) -> None:
        """Put what was collected on the disk; raises OSError, after which the recording is over."""
        if self._file is None or not self._collected:
            return
        self._writer.flush()  # type: ignore[no-untyped-call]
        try:
            self._put()
        except OSError:
            self._abandon()
            raise
        self.messages, self._collected = self.messages + self._collected, 0

    def close(self) -> None:
        """Put the rest and the index on the disk; raises OSError as `flush` does."""
        self.flush()
        if self._file is None:
            return
        self._writer.finish()  # type: ignore[no-untyped-call]
        try:
            self._put()
            os.fsync(self._file.fileno())
        except OSError:
            self._abandon()
            raise
        self._file.close()
        self._file = None

    def _add(self, topic: RecordedTopic) -> int:
        schema = (topic.type_name, topic.definition)
        if schema not in self._schemas:
            self._schemas[schema] = self._writer.register_schema(
                topic.type_name, SCHEMA_ENCODING, topic.definition.encode()
            )
        self._channels[topic.name] = self._writer.register_channel(
            topic.name,
            MessageEncoding.CDR,
            self._schemas[schema],
            {_QOS_KEY: topic.qos, _TYPE_HASH_KEY: topic.type_hash},
        )
        return self._channels[topic.name]

    def _put(self) -> None:
        assert self._file is not None
        data = memoryview(self._buffer.take())
        done = 0
        while done < len(data):  # a disk that is nearly full takes a part and says so at the next write
            done += self._file.write(data[done:])
        self.bytes += len(data)

    def _abandon(self) -> None:
        """End with the last whole chunk; an index is added where the disk has room for one."""
        if self._file is None:
            return
        file, self._file = self._file, None
        try:
            os.ftruncate(file.fileno(), self.bytes)
        except OSError:
            return  # what cannot be cut off is a part of a chunk, which readers pass over
        finally:
            file.close()
        if self.messages:
            finish_recording(self.path, or_leave=True)
        else:
            self.path.unlink(missing_ok=True)


def read_messages(path: str | Path, topics: Collection[str] = ()) -> Iterator[RecordedMessage]:
    """The messages of a recording in the order of the file; topics: only those, fully qualified.

    A file that ends in the middle (a recorder that was killed, or is at work) gives what is whole.
    Raises FileNotFoundError, and NotARecordingError for other files and for damage in the middle.
    """
    schemas: dict[int, Schema] = {}
    known: dict[int, RecordedTopic] = {}
    with _open(Path(path)) as file:
        try:
            for record in StreamReader(file, validate_crcs=True).records:
                if isinstance(record, Schema):
                    schemas[record.id] = record
                elif isinstance(record, Channel):
                    known[record.id] = _topic(record, schemas)
                elif isinstance(record, Message):
                    topic = known[record.channel_id]
                    if not topics or topic.name in topics:
                        yield RecordedMessage(
                            topic, record.log_time, record.publish_time, record.sequence, bytes(record.data)
                        )
        except EndOfFile:
            return
        except UNREADABLE as error:
            if file.read(1):  # something follows, so the end is not just cut off
                raise NotARecordingError(f"{path} is damaged, or no recording of ROS 2 messages: {error}") from error


def finish_recording(path: str | Path, *, or_leave: bool = False) -> bool:
    """Give a recording that was cut off the index that it lacks; a part of a chunk at its end is removed.

    Returns whether there was anything to do; recordings that are complete, or being written, are left alone.
    or_leave: a disk without room for the index is no error; otherwise it raises OSError. The file then ends with its
    last whole chunk. Raises NotARecordingError.
    """
    with Path(path).open("r+b", buffering=0) as file:
        try:
            _lock(file)
        except BlockingIOError:
            return False
        with _open(Path(path)) as source:
            index = IndexBuilder(source)
            if index.complete:
                return False
        end = index.end
        file.truncate(end)
        file.seek(end)
        data = memoryview(index.summary())
        try:
            while data:
                data = data[file.write(data) :]
        except OSError:
            file.truncate(end)
            if not or_leave:
                raise
    return True


def remove_if_empty(path: str | Path) -> bool:
    """Remove a file of no bytes at all that nobody is recording into; whether there was one. Raises OSError."""
    with Path(path).open("r+b", buffering=0) as file:
        try:
            _lock(file)
        except BlockingIOError:
            return False
        if os.fstat(file.fileno()).st_size:
            return False
        Path(path).unlink()
    return True


def _open(path: Path) -> BinaryIO:
    """A file that begins as a recording of ROS 2 messages does."""
    file = path.open("rb")
    try:
        header = next(iter(StreamReader(file).records), None)
        profile = getattr(header, "profile", None)
    except UNREADABLE as error:
        file.close()
        raise NotARecordingError(f"{path} is no MCAP file that can be read: {error or 'it ends at once'}") from error
    if profile != Profile.ROS2:
        file.close()
        raise NotARecordingError(f"{path} is an MCAP file with profile {profile!r}; expected {Profile.ROS2!r}")
    file.seek(0)
    return file


def _topic(channel: Channel, schemas: dict[int, Schema]) -> RecordedTopic:
    schema = schemas[channel.schema_id]
    return RecordedTopic(
        name=channel.topic,
        type_name=schema.name,
        definition=schema.data.decode(errors="replace"),
        qos=channel.metadata.get(_QOS_KEY, ""),
        type_hash=channel.metadata.get(_TYPE_HASH_KEY, ""),
    )


def _lock(file: BinaryIO) -> None:
    """Held until the file is closed, by a kill too: tells a recording at work from one that was cut off."""
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
