"""One `up` to a ROS domain: two would mix their bodies and clocks."""

import fcntl
import json
import os
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

# RTPS 2.3 section 9.6.1.1: the UDP ports of a domain are PB + DG * domain and up
_PORT_BASE, _PORTS_PER_DOMAIN = 7400, 250
_UDP_TABLES = (Path("/proc/net/udp"), Path("/proc/net/udp6"))


class DomainTakenError(RuntimeError):
    """Another `up` of this user runs on the domain; the text is one sentence."""


def somebody_is_on(domain: int, tables: Sequence[Path] = _UDP_TABLES) -> bool:
    """Whether a process of this machine, whosever it is, has a UDP port of a ROS domain open.

    A quick no; a yes says that it is worth to listen for who it is.
    """
    first = _PORT_BASE + _PORTS_PER_DOMAIN * domain
    ports: set[int] = set()
    for table in tables:
        with suppress(OSError):
            lines = table.read_text().splitlines()[1:]
            ports.update(int(line.split()[1].rpartition(":")[2], 16) for line in lines)
    return any(first <= port < first + _PORTS_PER_DOMAIN for port in ports)


def runtime_folder() -> Path:
    """This user's folder for what lives only as long as a session."""
    base = os.environ.get("XDG_RUNTIME_DIR", "")
    if base and os.access(base, os.W_OK):
        return Path(base, "fitmotion")
    return Path(tempfile.gettempdir(), f"fitmotion-{os.getuid()}")


class DomainLock:
    """A locked file that says who runs on a domain. The kernel lets go of it however the process ends.

    abandoned_since: when the last holder began, seconds as in `time.time()`, if it ended without releasing the lock;
    what it left in shared memory is younger than that. None when it ended well.
    Raises DomainTakenError when somebody holds the lock.
    """

    def __init__(self, domain: int, folder: Path | None = None) -> None:
        folder = folder or runtime_folder()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._descriptor = os.open(folder / f"domain_{domain}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        holder = self._read()
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._descriptor)
            process = f" (process {holder['pid']})" if "pid" in holder else ""
            raise DomainTakenError(
                f"another `up` is running on ROS domain {domain}{process}; stop it, or give this one another domain, "
                f"for instance --domain {domain + 1}"
            ) from None
        began = holder.get("began")
        self.abandoned_since = float(began) if isinstance(began, int | float) else None
        self._write({"pid": os.getpid(), "began": time.time()})

    def release(self) -> None:
        """Let go, leaving word that all ended well."""
        os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _read(self) -> dict[str, object]:
        try:
            content = json.loads(os.pread(self._descriptor, 4096, 0))
        except ValueError:
            return {}
        return content if isinstance(content, dict) else {}

    def _write(self, content: dict[str, object]) -> None:
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, json.dumps(content).encode(), 0)
