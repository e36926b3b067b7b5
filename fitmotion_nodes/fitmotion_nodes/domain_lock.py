"""One `up` to a ROS domain: two would mix their bodies and clocks."""

import fcntl
import json
import os
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self


class DomainTakenError(RuntimeError):
    """Another `up` of this user runs on the domain; the text is one sentence."""


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
