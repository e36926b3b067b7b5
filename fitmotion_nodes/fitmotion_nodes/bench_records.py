"""What `./fitmotion bench live` notes down while the graph runs, and the figures made of it."""

import os
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Usage:
    """What a process has used so far. cpu_s: processor time, seconds. memory_mb: PSS, 10^6 bytes."""

    cpu_s: float
    memory_mb: float


@dataclass
class FrameRecords:
    """When each image's messages arrived here; stamp -> seconds on the system clock."""

    captured: dict[float, float] = field(default_factory=dict)
    posed: dict[float, float] = field(default_factory=dict)
    scored: dict[float, float] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def hear(self, kind: str, stamp: float, now: float) -> None:
        """A message of this kind about the image of this stamp."""
        with self.lock:
            getattr(self, kind).setdefault(stamp, now)

    def between(self, start: float, end: float) -> "FrameRecords":
        """Only the images captured in a span of time, seconds on the system clock."""
        with self.lock:
            parts = {
                kind: {stamp: at for stamp, at in getattr(self, kind).items() if start <= stamp < end}
                for kind in ("captured", "posed", "scored")
            }
        return FrameRecords(parts["captured"], parts["posed"], parts["scored"])


class BenchError(RuntimeError):
    """The measurement cannot be made; the text is one sentence."""


def summary(records: FrameRecords, pose_calls: list[tuple[float, float]]) -> dict[str, Any]:
    """Counts and percentiles. An image is lost when the pose node never answered it; a person unseen is no loss.

    stages_ms: medians from the stamp to the arrival of camera_info, skeleton_2d and fms/state.
    """
    latencies = [(at - stamp) * 1e3 for stamp, at in records.scored.items()]
    if not latencies:
        raise BenchError("no image was scored after the warm-up; is there a person in the video?")
    lost = len(set(records.captured) - set(records.posed))
    p50, p95 = np.percentile(latencies, [50, 95])
    call = np.mean(pose_calls, axis=0)
    return {
        "frames_in": len(records.captured),
        "frames_scored": len(records.scored),
        "frames_lost": lost,
        "latency_ms": {"p50": round(float(p50), 2), "p95": round(float(p95), 2)},
        "stages_ms": {kind: _median_ms(getattr(records, kind)) for kind in ("captured", "posed", "scored")},
        "pose_call_ms": {"p50": round(float(call[0]), 2), "p95": round(float(call[1]), 2)},
    }


def _median_ms(arrivals: dict[float, float]) -> float:
    """Median time from the image's stamp to the arrival of a message about it, milliseconds."""
    return round(float(np.median([(at - stamp) * 1e3 for stamp, at in arrivals.items()] or [np.nan])), 2)


def with_total(values: dict[str, float], *, but_not: tuple[str, ...], digits: int) -> dict[str, float]:
    """Values by name with the total of the nodes first; what is no node (`but_not`) is listed and not added."""
    total = sum(value for name, value in values.items() if name not in but_not)
    return {name: round(value, digits) for name, value in {"total": total, **values}.items()}


def usage(pid: int) -> Usage:
    """Processor time and memory of a process. Raises BenchError when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError as error:
        raise BenchError(f"process {pid} cannot be measured: {error.strerror}") from None
    user, system = int(fields[11]), int(fields[12])  # utime and stime, proc(5), counted after the name
    kilobytes = next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    return Usage((user + system) / os.sysconf("SC_CLK_TCK"), kilobytes * 1024 / 1e6)
