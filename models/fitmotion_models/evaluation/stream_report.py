"""The endless stream, measured: does it drift, does it jump, how soon does it obey, and what does it cost."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from fitmotion_models.evaluation.motion_tables import plain
from fitmotion_models.evaluation.physical_metrics import (
    floating,
    jerks,
    penetration,
    seam_accelerations,
    skating_ratio,
)
from fitmotion_models.motion.condition import MotionCondition
from fitmotion_models.motion.features import FPS
from fitmotion_models.motion.length import LengthModel
from fitmotion_models.motion.sampler import MotionSampler
from fitmotion_models.motion.streamer import PLAY_FRAMES, MotionStreamer
from fitmotion_models.motion.text import TextEncoder
from fitmotion_models.skeleton.body_pose import Float32
from fitmotion_models.skeleton.joint_sets import SMPL22
from fitmotion_models.skeleton.kinematics import PARENTS, REST_OFFSETS
from fitmotion_models.skeleton.rotations import Float64

# told in turn, so that every minute is the same: the screen's three tests that the weights know, and walking
COMMANDS: tuple[tuple[str, int | None], ...] = (
    ("a person performs a deep squat", 3),
    ("a person walks forward", None),
    ("a person performs an in-line lunge", 2),
    ("a person performs a hurdle step", 1),
)
COMMAND_S = 15.0
_MINUTE = round(60.0 * FPS)
_PLAYED_HZ = 50.0
# a new prompt has an effect when a joint is so far from where it would have been without it, metres
EFFECT_M = 0.02
_EFFECT_LIMIT_S = 3.0
_ANKLES = [SMPL22.index("left_ankle"), SMPL22.index("right_ankle")]
_PARENTS = np.array(PARENTS[1:])

MakeStreamer = Callable[[int, float | None], MotionStreamer]
"""A fresh streamer with that seed, and with the latency (seconds) that it shall count on; None: as it measures it."""


@dataclass
class Played:
    """Frames of a stream at 20 a second, and what they cost.

    positions (T, 22, 3), feet (T, 4, 3) metres; stamps (T,) seconds; seams, changes: first frames of all chunks, and of
    those that a command was the reason of; costs: part -> seconds in every played second.
    """

    positions: Float32
    feet: Float32
    stamps: Float64
    seams: list[int]
    changes: list[int]
    costs: dict[str, Float64]
    underruns: int
    late_frames: int


def streamers(
    sampler: MotionSampler, encoder: TextEncoder, lengths: LengthModel, *, play_frames: int = PLAY_FRAMES
) -> MakeStreamer:
    """Streamers over one sampler."""
    return lambda seed, latency_s: MotionStreamer(
        sampler, encoder, lengths, play_frames=play_frames, seed=seed, latency_s=latency_s
    )


def measure(
    make: MakeStreamer,
    *,
    minutes: float = 10.0,
    seed: int = 0,
    progress: Callable[[int, int | None], None] | None = None,
) -> dict[str, Any]:
    """All figures of a stream; see `play` and `effects`. Costs are of this machine as it is now."""
    streamer = make(seed, None)
    played = play(streamer, minutes, progress)
    found = effects(make, streamer.latency.p95 or 0.0, seed)
    report: dict[str, Any] = plain(
        {"minutes": minutes, "frames": len(played.stamps)} | figures(played) | {"effect": found}
    )
    return report


def play(streamer: MotionStreamer, minutes: float, progress: Callable[[int, int | None], None] | None = None) -> Played:
    """Play so long, with a new command every `COMMAND_S` seconds; worker and player take turns in one thread."""
    frames = round(minutes * _MINUTE)
    made = _Made(frames)
    commands = _in_turn()
    for frame in range(frames):
        if frame % round(COMMAND_S * FPS) == 0:
            streamer.command(next(commands))
            made.told = True
        made.step(streamer, frame)
        if progress is not None and frame % _MINUTE == 0:
            progress(frame, frames)
    return made.played(streamer)


def _in_turn() -> Iterator[MotionCondition]:
    number = 0
    while True:
        prompt, score = COMMANDS[number % len(COMMANDS)]
        yield MotionCondition(prompt, score=score, seed=number)
        number += 1


class _Made:
    """What is gathered while a stream plays."""

    def __init__(self, frames: int) -> None:
        self.positions = np.empty((frames, len(SMPL22), 3), np.float32)
        self.feet = np.empty((frames, 4, 3), np.float32)
        self.stamps = np.empty(frames)
        self.seams: list[int] = []
        self.changes: list[int] = []
        self.told = False
        self.costs: dict[str, list[float]] = {}
        self.queue_s = 0.0
        self.before: dict[str, float] = {}

    def step(self, streamer: MotionStreamer, frame: int) -> None:
        """Make what is due, then play one frame."""
        began = time.perf_counter()
        while streamer.advance():
            if streamer.newest_chunk not in self.seams[-1:]:
                self.seams.append(streamer.newest_chunk)
                if self.told:
                    self.changes.append(streamer.newest_chunk)
                    self.told = False
        pose = streamer.next_frame()
        self.queue_s += time.perf_counter() - began
        self.positions[frame], self.feet[frame], self.stamps[frame] = pose.positions, pose.feet, pose.stamp
        if (frame + 1) % round(FPS) == 0:
            self._count(streamer)

    def _count(self, streamer: MotionStreamer) -> None:
        now = dict(streamer.timings.seconds)
        parts = {part: seconds - self.before.get(part, 0.0) for part, seconds in now.items()}
        parts["queue"] = self.queue_s - sum(parts.values())
        parts["total"] = self.queue_s
        for part, seconds in parts.items():
            self.costs.setdefault(part, []).append(seconds)
        self.before, self.queue_s = now, 0.0

    def played(self, streamer: MotionStreamer) -> Played:
        costs = {part: np.array(seconds) for part, seconds in self.costs.items()}
        return Played(
            self.positions,
            self.feet,
            self.stamps,
            self.seams,
            self.changes,
            costs,
            streamer.underruns,
            streamer.late_frames,
        )


def figures(played: Played) -> dict[str, Any]:
    """What was played, in numbers."""
    minutes = [_minute(played, slice(first, first + _MINUTE)) for first in range(0, len(played.stamps), _MINUTE)]
    whole = [minute for minute in minutes if minute["seconds"] >= 59.0] or minutes
    at_seam, within = seam_accelerations(played.positions, FPS, played.seams)
    at_change, _ = seam_accelerations(played.positions, FPS, played.changes)
    bones = np.linalg.norm(played.positions[:, 1:].astype(np.float64) - played.positions[:, _PARENTS], axis=-1)
    lengths = np.linalg.norm(REST_OFFSETS[1:], axis=-1)
    return {
        "first_minute": whole[0],
        "last_minute": whole[-1],
        "last_over_first": {
            name: whole[-1][name] / whole[0][name] for name in ("height_m", "ankle_m", "jerk_m_s3") if whole[0][name]
        },
        "farthest_m": float(np.linalg.norm(played.positions[:, 0, :2], axis=-1).max()),
        "bones_off_percent": 100.0 * float(np.abs(bones / lengths - 1.0).max()),
        "not_finite": int((~np.isfinite(played.positions)).any(axis=(1, 2)).sum()),
        "stamp_error_ms": 1e3 * float(np.abs(np.diff(played.stamps) - 1.0 / FPS).max()),
        "underruns": played.underruns,
        "late_frames": played.late_frames,
        "acceleration_m_s2": {
            "within_chunks": within,
            "at_seams": at_seam,
            "at_new_commands": at_change,
            "seams_over_within": at_seam / within if within else float("nan"),
        },
        "played_second_ms": {
            part: {"p50": 1e3 * float(np.median(seconds)), "p95": 1e3 * float(np.percentile(seconds, 95.0))}
            for part, seconds in played.costs.items()
        },
    }


def _minute(played: Played, part: slice) -> dict[str, float]:
    positions, feet = played.positions[part].astype(np.float64), played.feet[part].astype(np.float64)
    return {
        "seconds": len(positions) / FPS,
        "height_m": float(positions[:, 0, 2].mean()),
        # how high the lower ankle is over the floor: of a body that sinks in or floats it tells as much
        "ankle_m": float(positions[:, _ANKLES, 2].min(axis=1).mean()),
        "jerk_m_s3": float(jerks(positions, FPS).mean()),
        "penetration_m": penetration(positions, feet),
        "floating_m": floating(positions, feet),
        "skating_ratio": skating_ratio(positions, FPS),
    }


def effects(make: MakeStreamer, latency_s: float, seed: int = 0, trials: int = 12) -> dict[str, Any]:
    """Seconds from a new prompt until it shows, on a display that asks for poses 50 times a second.

    Two streams of the same seed play the same; one is told something new. It shows when a joint is `EFFECT_M` from
    where the other stream has it. latency_s: how long a chunk takes; the streams count on it.
    """
    random = np.random.default_rng(seed)
    seconds, unseen = [], 0
    for trial in range(trials):
        (first, score), (second, other) = (COMMANDS[(trial + step) % len(COMMANDS)] for step in (0, 1))
        told = MotionCondition(first, score=score, seed=trial), MotionCondition(second, score=other, seed=trial)
        found = _effect(make(trial, latency_s), make(trial, latency_s), told, when=float(random.uniform(2.0, 5.0)))
        if found is None:
            unseen += 1
        else:
            seconds.append(found)
    return {
        "trials": trials,
        "chunk_latency_s": latency_s,
        "median_s": float(np.median(seconds)) if seconds else None,
        "longest_s": max(seconds, default=None),
        f"not_within_{_EFFECT_LIMIT_S:g}_s": unseen,
    }


def _effect(
    changed: MotionStreamer, same: MotionStreamer, told: tuple[MotionCondition, MotionCondition], when: float
) -> float | None:
    for streamer in (changed, same):
        streamer.command(told[0])
    now, commanded = 0.0, None
    while commanded is None or now - commanded < _EFFECT_LIMIT_S:
        if commanded is None and now >= when:
            changed.command(told[1])
            commanded = now
        poses = []
        for streamer in (changed, same):
            while streamer.advance():
                pass
            poses.append(streamer.pose_at(now).positions)
        if commanded is not None and np.linalg.norm(poses[0] - poses[1], axis=-1).max() > EFFECT_M:
            return now - commanded
        now += 1.0 / _PLAYED_HZ
    return None


def as_text(report: dict[str, Any]) -> str:
    """The figures as a few tables of lines."""
    lines = [f"{report['minutes']:g} minutes, {report['frames']} frames"]
    lines += ["", f"{'':24}{'first minute':>14}{'last minute':>14}"]
    first, last = report["first_minute"], report["last_minute"]
    lines += [f"{name:24}{first[name]:14.4f}{last[name]:14.4f}" for name in first if name != "seconds"]
    acceleration, effect = report["acceleration_m_s2"], report["effect"]
    lines += ["", "acceleration, m/s2      " + ", ".join(f"{key} {value:.2f}" for key, value in acceleration.items())]
    lines.append(f"bones off by            {report['bones_off_percent']:.5f} %")
    lines.append(f"frames not finite       {report['not_finite']}")
    lines.append(f"stamps off by           {report['stamp_error_ms']:.6f} ms")
    lines.append(
        f"a new prompt shows      after {_seconds(effect['median_s'])}, {_seconds(effect['longest_s'])} at most"
    )
    lines += ["", f"{'a played second, ms':24}{'p50':>14}{'p95':>14}"]
    costs = report["played_second_ms"]
    lines += [f"{part:24}{costs[part]['p50']:14.2f}{costs[part]['p95']:14.2f}" for part in costs]
    return "\n".join(lines)


def _seconds(value: float | None) -> str:
    return "never" if value is None else f"{value:.2f} s"
