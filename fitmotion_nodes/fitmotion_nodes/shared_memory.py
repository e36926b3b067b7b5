"""Shared memory that dead processes left behind: found and removed, without touching anybody who lives.

Fast DDS names its files in /dev/shm (2.14): a segment is `fastrtps_<16 hex digits>` (3.x: `fastdds_`)
with an empty lock file `..._el` that its owner holds with flock; a port is `fastrtps_port<number>` with `_el`, `_sl`
and `sem...._mutex`. A killed process leaves them all, and 67 MB where it published images. The kernel drops a dead
owner's flock, so a segment whose lock is free belongs to nobody; peers that still have it mapped keep their mapping.
"""

import fcntl
import os
import re
from contextlib import suppress
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")
_SEGMENT = re.compile(r"(?:fastrtps|fastdds)_[0-9a-f]{16}")
_PORT = re.compile(r"(?:sem\.)?((?:fastrtps|fastdds)_port\d+)(?:_el|_sl|_mutex)?")
# between creating its lock file and locking it a process is defenceless; files younger than this are left for the next
# sweep
_SETTLING_TIME = 0.5


def remove_dead_segments(since: float, now: float, folder: Path = SHARED_MEMORY) -> list[str]:
    """Remove the segments of this user, made after `since`, whose owner is dead; returns their names.

    since, now: seconds as in `time.time()`. Segments have random names and are never opened anew, so this is safe at
    any time; segments of the last half second are left for a later call.
    """
    candidates = set()
    for name in _own_files(folder, since, now - _SETTLING_TIME):
        # the lock file keeps the time of its making, while a segment's changes with every write; some segments lost
        # theirs
        segment = name.removesuffix("_el")
        if _SEGMENT.fullmatch(segment) and (name != segment or not (folder / f"{segment}_el").exists()):
            candidates.add(segment)
    free = [name for name in sorted(candidates) if _is_free(folder / f"{name}_el")]
    for name in free:
        _unlink(folder / name)
        _unlink(folder / f"{name}_el")
    return free


def remove_dead_ports(since: float, now: float, folder: Path = SHARED_MEMORY) -> list[str]:
    """Remove the ports of this user that no process has open; returns their names.

    A port is reused by the next process of the same number, so this is for the end of a run, when all its nodes are
    gone.
    """
    ports = {match[1] for name in _own_files(folder, since, now) if (match := _PORT.fullmatch(name))}
    free = [name for name in sorted(ports) if _is_free(folder / f"{name}_el") and _is_free(folder / f"{name}_sl")]
    if not free:
        return []
    used = open_files(folder, but_not=os.getpid())  # what we still have mapped of a participant that is gone counts not
    free = [name for name in free if not used & {name, f"{name}_el", f"{name}_sl"}]
    for name in free:
        for path in (name, f"{name}_el", f"{name}_sl", f"sem.{name}_mutex"):
            _unlink(folder / path)
    return free


def _own_files(folder: Path, since: float, until: float) -> list[str]:
    """Names of this user's files in the folder that were last created or written between two times."""
    names = []
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with suppress(OSError):  # gone meanwhile
                status = entry.stat(follow_symlinks=False)
                if status.st_uid == os.getuid() and since <= status.st_ctime <= until:
                    names.append(entry.name)
    return names


def _is_free(lock_file: Path) -> bool:
    """Whether nobody holds the lock; a lock file that is gone is held by nobody."""
    try:
        descriptor = os.open(lock_file, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


def open_files(folder: Path = SHARED_MEMORY, but_not: int = 0) -> set[str]:
    """Names of the files in the folder that some visible process, other than `but_not`, has open or mapped."""
    prefix = f"{folder}/"
    names: set[str] = set()
    for process in Path("/proc").iterdir():
        if not process.name.isdecimal() or int(process.name) == but_not:
            continue
        with suppress(OSError):  # gone, or somebody else's
            maps = (process / "maps").read_text(errors="replace")
            names.update(line.rpartition(prefix)[2] for line in maps.splitlines() if prefix in line)
        with suppress(OSError):
            targets = (os.readlink(link) for link in (process / "fd").iterdir())
            names.update(target.removeprefix(prefix) for target in targets if target.startswith(prefix))
    return names


def _unlink(path: Path) -> None:
    with suppress(FileNotFoundError, PermissionError):
        path.unlink()
