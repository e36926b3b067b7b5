"""The index at the end of an MCAP file, made anew from the file itself."""

import struct
import zlib
from collections import defaultdict
from typing import BinaryIO

import zstandard
from mcap.data_stream import ReadDataStream, RecordBuilder
from mcap.exceptions import McapError
from mcap.opcode import Opcode
from mcap.records import (
    Channel,
    Chunk,
    ChunkIndex,
    DataEnd,
    Footer,
    McapRecord,
    Message,
    MessageIndex,
    Schema,
    Statistics,
    SummaryOffset,
)
from mcap.stream_reader import breakup_chunk, get_chunk_data_stream
from mcap.writer import MCAP0_MAGIC

# what reading damaged bytes raises: the library's own, struct's, lz4's (RuntimeError) and zstandard's
UNREADABLE = (McapError, ValueError, KeyError, RuntimeError, struct.error, zstandard.ZstdError)
_RECORD_HEAD = 9  # opcode and length
_FOOTER_BYTES = _RECORD_HEAD + 20


class IndexBuilder:
    """Goes through a chunked MCAP file up to its last whole chunk.

    complete: the file has its end; nothing is to be done. end: where the last whole piece of the file ends, bytes from
    the start. Chunks are opened only where they bring in a topic, so that long files are quick; a last chunk whose
    message indexes were cut off gets new ones.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._schemas: dict[int, Schema] = {}
        self._channels: dict[int, Channel] = {}
        self._chunks: list[ChunkIndex] = []
        self._counts: dict[int, int] = defaultdict(int)
        self._lacking = b""  # message indexes of the last chunk
        self.end = len(MCAP0_MAGIC)
        self._size = file.seek(0, 2)
        self.complete = self._ends_well()
        if not self.complete:
            self._scan()

    def summary(self) -> bytes:
        """What follows `end` in the finished file: end of data, index, footer."""
        head = RecordBuilder()
        DataEnd(0).write(head)
        before = self._lacking + _built(head)
        start = self.end + len(before)
        body, offsets = RecordBuilder(), []
        groups = (
            (Opcode.SCHEMA, self._schemas.values()),
            (Opcode.CHANNEL, self._channels.values()),
            (Opcode.STATISTICS, [self._statistics()]),
            (Opcode.CHUNK_INDEX, self._chunks),
        )
        for opcode, records in groups:
            group_start = body.count
            for record in records:
                record.write(body)
            offsets.append(SummaryOffset(opcode, start + group_start, body.count - group_start))
        offsets_start = start + body.count
        for offset in offsets:
            offset.write(body)
        return before + _with_footer(_built(body), start, offsets_start)

    def _ends_well(self) -> bool:
        if self._size < _FOOTER_BYTES + 2 * len(MCAP0_MAGIC):
            return False
        self._file.seek(-_FOOTER_BYTES - len(MCAP0_MAGIC), 2)
        tail = self._file.read()
        return tail[0] == Opcode.FOOTER and tail.endswith(MCAP0_MAGIC)

    def _scan(self) -> None:
        """Note every chunk whose message indexes are whole too."""
        self._file.seek(self.end)
        pending: _Pending | None = None
        while len(head := self._file.read(_RECORD_HEAD)) == _RECORD_HEAD:
            opcode, length = struct.unpack("<BQ", head)
            start, following = self._file.tell() - _RECORD_HEAD, self._file.tell() + length
            if following > self._size or opcode == Opcode.DATA_END:
                break
            if opcode == Opcode.CHUNK:
                self._accept(pending, start)
                pending = _Pending(Chunk.read(ReadDataStream(self._file)), start, following - start)
            elif opcode == Opcode.MESSAGE_INDEX and pending is not None:
                pending.note(MessageIndex.read(ReadDataStream(self._file)), start, following - start)
            elif opcode == Opcode.HEADER:
                self.end = following
            self._file.seek(following)
        if pending is not None and pending.is_readable():
            self._lacking = pending.complete_index()
            self._accept(pending, pending.end)

    def _accept(self, pending: "_Pending | None", end: int) -> None:
        if pending is None:
            return
        if not self._channels.keys() >= pending.counts.keys():
            for record in pending.records():
                if isinstance(record, Schema):
                    self._schemas[record.id] = record
                elif isinstance(record, Channel):
                    self._channels[record.id] = record
        for channel, count in pending.counts.items():
            self._counts[channel] += count
        self._chunks.append(pending.index)
        self.end = end

    def _statistics(self) -> Statistics:
        return Statistics(
            attachment_count=0,
            channel_count=len(self._channels),
            channel_message_counts=dict(self._counts),
            chunk_count=len(self._chunks),
            message_count=sum(self._counts.values()),
            metadata_count=0,
            message_start_time=min((chunk.message_start_time for chunk in self._chunks), default=0),
            message_end_time=max((chunk.message_end_time for chunk in self._chunks), default=0),
            schema_count=len(self._schemas),
        )


def _built(builder: RecordBuilder) -> bytes:
    """What the builder has made, which is taken out of it."""
    return bytes(builder.end())  # type: ignore[no-untyped-call]


class _Pending:
    """A chunk whose message indexes are being gathered."""

    def __init__(self, chunk: Chunk, start: int, length: int) -> None:
        self._chunk, self._chunk_end = chunk, start + length
        self.counts: dict[int, int] = {}
        self.end = self._chunk_end
        self.index = ChunkIndex(
            message_start_time=chunk.message_start_time,
            message_end_time=chunk.message_end_time,
            chunk_start_offset=start,
            chunk_length=length,
            message_index_offsets={},
            message_index_length=0,
            compression=chunk.compression,
            compressed_size=len(chunk.data),
            uncompressed_size=chunk.uncompressed_size,
        )

    def note(self, index: MessageIndex, start: int, length: int) -> None:
        """Take the index of one channel's messages, which follows the chunk."""
        self.index.message_index_offsets[index.channel_id] = start
        self.index.message_index_length += length
        self.counts[index.channel_id] = len(index.records)
        self.end = start + length

    def records(self) -> list[McapRecord]:
        """What is inside; raises an error of the library that unpacks it when the bytes are not what was written."""
        return breakup_chunk(self._chunk, validate_crc=True)

    def is_readable(self) -> bool:
        """Whether the chunk holds what was written."""
        try:
            self.records()
        except UNREADABLE:
            return False
        return True

    def complete_index(self) -> bytes:
        """Message indexes for a chunk that lacks some; empty where all are there, else `end` is that of the chunk."""
        stream, length = get_chunk_data_stream(self._chunk)
        found: dict[int, MessageIndex] = {}
        while stream.count < length:
            offset, opcode, size = stream.count, stream.read1(), stream.read8()
            if opcode == Opcode.MESSAGE:
                message = Message.read(stream, size)
                index = found.setdefault(message.channel_id, MessageIndex(message.channel_id, []))
                index.records.append((message.log_time, offset))
            else:
                stream.read(size)
        if self.counts == {channel: len(index.records) for channel, index in found.items()}:
            return b""
        self.index.message_index_length, self.counts = 0, {}
        self.index.message_index_offsets.clear()
        records = RecordBuilder()
        for index in found.values():
            start = records.count
            index.write(records)
            self.note(index, self._chunk_end + start, records.count - start)
        self.end = self._chunk_end
        return _built(records)


def _with_footer(summary: bytes, start: int, offsets_start: int) -> bytes:
    # the checksum covers the summary and the footer up to the checksum itself (MCAP specification, footer)
    checksum = zlib.crc32(summary + struct.pack("<BQQQ", Opcode.FOOTER, 20, start, offsets_start))
    footer = RecordBuilder()
    Footer(summary_start=start, summary_offset_start=offsets_start, summary_crc=checksum).write(footer)
    return summary + _built(footer) + MCAP0_MAGIC
