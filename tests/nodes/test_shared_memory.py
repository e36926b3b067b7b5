"""Shared memory of the dead: found and removed, and only that."""

import fcntl
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fitmotion_nodes.shared_memory import SHARED_MEMORY, remove_dead_ports, remove_dead_segments

SEGMENT = "fastrtps_0123456789abcdef"
LATER = 1.0  # well after the half second in which new files are left alone


def make(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).touch()


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_free_segment_goes_with_its_lock_file(tmp_path: Path) -> None:
    make(tmp_path, SEGMENT, f"{SEGMENT}_el", "somebody_elses", "fastrtps_port7411", "fastdds_0123456789abcdef")
    removed = remove_dead_segments(0.0, time.time() + LATER, tmp_path)
    assert sorted(removed) == ["fastdds_0123456789abcdef", SEGMENT]
    assert names_in(tmp_path) == {"somebody_elses", "fastrtps_port7411"}


def test_a_locked_segment_stays(tmp_path: Path) -> None:
    make(tmp_path, SEGMENT, f"{SEGMENT}_el")
    with (tmp_path / f"{SEGMENT}_el").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert remove_dead_segments(0.0, time.time() + LATER, tmp_path) == []
    assert remove_dead_segments(0.0, time.time() + LATER, tmp_path) == [SEGMENT]


def test_older_and_younger_segments_stay(tmp_path: Path) -> None:
    make(tmp_path, SEGMENT, f"{SEGMENT}_el")
    assert remove_dead_segments(time.time() + 1.0, time.time() + 2.0, tmp_path) == []
    assert remove_dead_segments(0.0, time.time(), tmp_path) == []


def test_ports_go_with_all_their_files(tmp_path: Path) -> None:
    make(tmp_path, *(f"fastrtps_port7411{ending}" for ending in ("", "_el", "_sl")), "sem.fastrtps_port7411_mutex")
    with (tmp_path / "fastrtps_port7411_sl").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        assert remove_dead_ports(0.0, time.time() + LATER, tmp_path) == []
    holder = subprocess.Popen(["sleep", "60"], stdin=(tmp_path / "fastrtps_port7411").open())
    try:
        assert remove_dead_ports(0.0, time.time() + LATER, tmp_path) == []
    finally:
        holder.kill()
        holder.wait()
    assert remove_dead_ports(0.0, time.time() + LATER, tmp_path) == ["fastrtps_port7411"]
    assert names_in(tmp_path) == set()


PARTICIPANT = """
import rclpy
rclpy.init(args=["--ros-args", "--disable-external-lib-logs"])
node = rclpy.create_node("participant")
print("ready", flush=True)
try:
    rclpy.spin(node)
except KeyboardInterrupt:
    pass
"""


@pytest.mark.skipif(not SHARED_MEMORY.is_dir(), reason="this machine has no /dev/shm")
def test_a_killed_participant_leaves_segments_and_they_are_found_while_a_living_ones_stay() -> None:
    pytest.importorskip("rclpy")
    environment = {**os.environ, "ROS_DOMAIN_ID": "83", "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}
    began = time.time()
    killed, living = (
        subprocess.Popen([sys.executable, "-c", PARTICIPANT], stdout=subprocess.PIPE, env=environment) for _ in range(2)
    )
    try:
        for process in (killed, living):
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
        mine, others = segments_of(killed.pid), segments_of(living.pid)
        assert mine
        assert others
        killed.kill()
        killed.wait()
        removed = set(remove_dead_segments(began, time.time() + LATER))
        assert mine == removed
        left = names_in(SHARED_MEMORY)
        assert others <= left
        assert not mine & left
    finally:
        for process in (killed, living):
            process.send_signal(signal.SIGINT)
            process.wait(10)
            assert process.stdout is not None
            process.stdout.close()
        remove_dead_ports(began, time.time() + LATER)


def segments_of(pid: int) -> set[str]:
    """The segments whose lock a process holds; it has its peers' mapped too."""
    targets = " ".join(os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir())
    return set(re.findall(r"/dev/shm/((?:fastrtps|fastdds)_[0-9a-f]{16})_el\b", targets))
