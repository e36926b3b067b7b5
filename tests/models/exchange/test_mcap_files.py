"""Recordings: other libraries read them, and nothing that was on the disk is lost to a kill or a full disk."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from .conftest import REPORT_WHOLE

mcap_files = pytest.importorskip("fitmotion_models.exchange.mcap_files", reason="needs the mcap library")
NotARecordingError, RecordedTopic = mcap_files.NotARecordingError, mcap_files.RecordedTopic
Recording, finish_recording, read_messages = mcap_files.Recording, mcap_files.finish_recording, mcap_files.read_messages

# one offer, as rosbag2 of Jazzy writes it
QOS = """- history: keep_last
  depth: 5
  reliability: reliable
  durability: volatile
  deadline: {sec: 9223372036, nsec: 854775807}
  lifespan: {sec: 9223372036, nsec: 854775807}
  liveliness: automatic
  liveliness_lease_duration: {sec: 9223372036, nsec: 854775807}
  avoid_ros_namespace_conventions: false
"""
REPORTS = RecordedTopic("/reports", "a_msgs/msg/Report", REPORT_WHOLE, qos=QOS, type_hash="RIHS01_00")
LATER = RecordedTopic("/later", "a_msgs/msg/Report", REPORT_WHOLE)
START = 1_700_000_000_000_000_000
COUNT, CHUNK = 60, 20


def fill(recording: Recording, serialised) -> None:
    """Three chunks; a second topic begins in the second."""
    for k in range(COUNT):
        recording.write(REPORTS, serialised(k), START + 10 * k + 3, START + 10 * k, sequence=k)
        if k >= CHUNK:
            recording.write(LATER, serialised(k), START + 10 * k + 4, START + 10 * k)
        if k % CHUNK == CHUNK - 1:
            recording.flush()


@pytest.fixture
def recorded(tmp_path: Path, serialised) -> Path:
    with Recording(tmp_path / "run.mcap") as recording:
        fill(recording, serialised)
    return recording.path


@pytest.fixture
def cut_off(tmp_path: Path, serialised) -> bytes:
    """What a killed recorder leaves: three chunks and no end."""
    path = tmp_path / "whole.mcap"
    with Recording(path) as recording:
        fill(recording, serialised)
        return path.read_bytes()


@pytest.mark.parametrize("compression", mcap_files.COMPRESSIONS)
def test_what_comes_out_is_what_went_in(tmp_path: Path, serialised, compression: str) -> None:
    with Recording(tmp_path / "run.mcap", compression) as recording:
        fill(recording, serialised)
        recording.write(LATER, b"\0\1\0\0last", START, START)
    messages = list(read_messages(recording.path))
    assert len(messages) == recording.messages == 2 * COUNT - CHUNK + 1
    assert recording.bytes == recording.path.stat().st_size
    of_reports = [message for message in messages if message.topic == REPORTS]
    assert [message.data for message in of_reports] == [serialised(k) for k in range(COUNT)]
    assert [(m.log_time - START, m.publish_time - START, m.sequence) for m in of_reports] == [
        (10 * k + 3, 10 * k, k) for k in range(COUNT)
    ]
    assert messages[-1].data == b"\0\1\0\0last"  # the order is that of the file, not that of the stamps
    assert [message.topic for message in read_messages(recording.path, {"/later"})] == [LATER] * (COUNT - CHUNK + 1)


def test_the_mcap_reader_decodes_it(recorded: Path) -> None:
    reader = pytest.importorskip("mcap.reader")
    ros2 = pytest.importorskip("mcap_ros2.decoder")
    with recorded.open("rb") as file:
        opened = reader.make_reader(file, validate_crcs=True, decoder_factories=[ros2.DecoderFactory()])
        assert opened.get_header().profile == "ros2"
        decoded = list(opened.iter_decoded_messages(topics="/reports"))
        summary = opened.get_summary()
    assert [item.decoded_message.name for item in decoded] == [f"number {k}" for k in range(COUNT)]
    assert decoded[2].decoded_message.items[1].value == 1.0
    assert decoded[7].decoded_message.header.stamp.sec == 7
    assert decoded[0].channel.metadata == {"offered_qos_profiles": QOS, "topic_type_hash": "RIHS01_00"}
    assert (decoded[0].schema.encoding, decoded[0].channel.message_encoding) == ("ros2msg", "cdr")
    assert summary.statistics.message_count == 2 * COUNT - CHUNK
    assert len(summary.schemas) == 1 and len(summary.chunk_indexes) == 3


def by_rosbags(path: Path) -> list[tuple[str, int, str]]:
    highlevel = pytest.importorskip("rosbags.highlevel")
    with highlevel.AnyReader([path]) as reader:
        return [
            (connection.topic, time, reader.deserialize(data, connection.msgtype).name)
            for connection, time, data in reader.messages()
        ]


def test_rosbags_reads_it(recorded: Path) -> None:
    messages = by_rosbags(recorded)
    assert len(messages) == 2 * COUNT - CHUNK
    assert messages[:2] == [("/reports", START + 3, "number 0"), ("/reports", START + 13, "number 1")]


def test_what_a_kill_leaves_is_read_up_to_the_last_whole_chunk(tmp_path: Path, cut_off: bytes, serialised) -> None:
    path = tmp_path / "cut.mcap"
    sizes = []
    for end in range(len(cut_off), 100, -61):
        path.write_bytes(cut_off[:end])
        data = [message.data for message in read_messages(path, {"/reports"})]
        assert data == [serialised(k) for k in range(len(data))]
        sizes.append(len(data))
    assert set(sizes) == {0, CHUNK, 2 * CHUNK, COUNT} and sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize("missing", [0, 1, 40, 700, 1200])
def test_a_file_that_was_cut_off_is_finished_without_losing_anything(tmp_path: Path, cut_off: bytes, missing) -> None:
    path = tmp_path / "cut.mcap"
    path.write_bytes(cut_off[: len(cut_off) - missing])
    before = list(read_messages(path))
    assert len(before) > CHUNK
    assert finish_recording(path)
    assert list(read_messages(path)) == before
    assert len(by_rosbags(path)) == len(before)
    assert not finish_recording(path)


def test_a_finished_file_has_the_index_of_one_that_was_closed(tmp_path: Path, cut_off: bytes) -> None:
    reader = pytest.importorskip("mcap.reader")
    indexes = []
    for name, missing in (("closed", None), ("cut", 0), ("cut in its index", 1)):
        path = tmp_path / f"{name}.mcap"
        if missing is None:
            path = tmp_path / "whole.mcap"
        else:
            path.write_bytes(cut_off[: len(cut_off) - missing])
            assert finish_recording(path)
        content = path.read_bytes()
        with path.open("rb") as file:
            summary = reader.make_reader(file).get_summary()
        # every message index at its place, byte by byte
        pieces = [
            content[offset : chunk.chunk_start_offset + chunk.chunk_length + chunk.message_index_length]
            for chunk in summary.chunk_indexes
            for offset in chunk.message_index_offsets.values()
        ]
        indexes.append((vars(summary), pieces))
    assert indexes[0] == indexes[1] == indexes[2]


def test_a_file_that_is_being_written_is_left_alone_and_can_be_read(tmp_path: Path, serialised) -> None:
    with Recording(tmp_path / "run.mcap") as recording:
        fill(recording, serialised)
        assert len(list(read_messages(recording.path))) == 2 * COUNT - CHUNK
        assert not finish_recording(recording.path)
    assert len(by_rosbags(recording.path)) == 2 * COUNT - CHUNK


def test_nothing_is_overwritten(recorded: Path) -> None:
    before = recorded.read_bytes()
    with pytest.raises(FileExistsError):
        Recording(recorded)
    assert recorded.read_bytes() == before


def test_an_empty_recording_is_one(tmp_path: Path) -> None:
    with Recording(tmp_path / "empty.mcap") as recording:
        pass
    assert list(read_messages(recording.path)) == []
    with pytest.raises(ValueError, match="takes no more messages"):
        recording.write(REPORTS, b"", 0, 0)


FULL_DISK = """
import resource, sys
from pathlib import Path
from fitmotion_models.exchange.mcap_files import RecordedTopic, Recording
path, limit = Path(sys.argv[1]), int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))  # the system refuses what goes beyond, as a full disk does
recording, on_disk = Recording(path, "none"), 0
topic = RecordedTopic("/reports", "a_msgs/msg/Report", "string name")
try:
    for k in range(1000):
        recording.write(topic, bytes([k % 256]) * 100, k, k)
        if k % 10 == 9:
            recording.flush()
            on_disk = k + 1
except OSError as error:
    print(on_disk, recording.messages, recording.is_open, error.errno)
"""


@pytest.mark.parametrize("limit", [9_000, 9_333, 11_017])
def test_a_full_disk_ends_the_recording_with_its_last_whole_chunk(tmp_path: Path, limit: int) -> None:
    path = tmp_path / "run.mcap"
    command = [sys.executable, "-c", textwrap.dedent(FULL_DISK), str(path), str(limit)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    on_disk, counted = int(said[0]), int(said[1])
    assert 40 <= on_disk == counted < 1000 and said[2] == "False"
    assert [message.log_time for message in read_messages(path)] == list(range(on_disk))
    finish_recording(path)
    assert len(list(read_messages(path))) == on_disk


def test_a_folder_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Recording(tmp_path / "missing" / "run.mcap")
    with pytest.raises(ValueError, match="compression 'zip' is unknown; allowed: none, lz4, zstd"):
        Recording(tmp_path / "run.mcap", "zip")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"hello", b"\x89MCAP0\r\n", b"\x89MCAP0\r\n" + bytes(100)])
def test_other_files_are_refused_with_a_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.mcap"
    path.write_bytes(content)
    with pytest.raises(NotARecordingError, match="other.mcap is "):
        list(read_messages(path))
    with pytest.raises(NotARecordingError):
        finish_recording(path)
    assert path.read_bytes() == content


def test_damage_in_the_middle_is_said(recorded: Path) -> None:
    content = bytearray(recorded.read_bytes())
    content[len(content) // 3] ^= 0xFF
    recorded.write_bytes(bytes(content))
    with pytest.raises(NotARecordingError, match="damaged"):
        list(read_messages(recorded))
