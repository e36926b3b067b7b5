"""Where something that was learned comes from: persons, files, method, date and versions."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGES = ("fitmotion_models", "numpy", "scipy")


@dataclass(frozen=True)
class Provenance:
    """Where a calibration comes from.

    persons it was learned from, with their activities; method: of `METHODS`; pairs and seconds of recordings; files:
    name to SHA-256; created: date and time, UTC, ISO 8601; versions: of what made it.
    """

    persons: tuple[str, ...]
    activities: tuple[str, ...]
    method: str
    pairs: int
    seconds: float
    files: Mapping[str, str] = field(default_factory=dict)
    created: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)


def file_hash(path: str | Path) -> str:
    """SHA-256 of a file. Raises OSError."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def now() -> str:
    """Date and time, UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def versions() -> dict[str, str]:
    """Of the packages that a calibration depends on."""
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "unknown"
    return found
