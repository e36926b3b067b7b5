"""The figures of `fitmotion evaluate imu` for people."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

_HEAD = f"{'acc r':>8} {'RMSE':>8} {'gyro r':>8} {'RMSE':>8}"
_UNITS = "RMSE in m/s2 and rad/s"


def as_text(figures: Mapping[str, Any]) -> str:
    """A table a part; parts that were not measured are not there."""
    parts: dict[str, Callable[[Any], str]] = {
        "broad": _broad,
        "utd": _utd,
        "noise": _noise,
        "har": _har,
        "speed": _speed,
    }
    return "\n\n".join(text(figures[name]) for name, text in parts.items() if name in figures)


def _row(name: str, row: Mapping[str, float]) -> str:
    return f"  {name:26} {row['acc_r']:8.4f} {row['acc_rmse']:8.3f} {row['gyro_r']:8.4f} {row['gyro_rmse']:8.4f}"


def _broad(figures: Mapping[str, Any]) -> str:
    lines = []
    for rate, methods in figures.items():
        count = len(next(iter(methods.values()))["per_trial"])
        title = f"BROAD, {rate} frames a second: medians of {count} trials beside the real sensor, {_UNITS}"
        lines += [title, f"  {'':26} {_HEAD}", *(_row(name, row) for name, row in methods.items()), ""]
    return "\n".join(lines[:-1])


def _noise(figures: Sequence[Mapping[str, Any]]) -> str:
    lines = [f"Walks with noise in every pose, {_UNITS}"]
    for level in figures:
        found = f"low-pass {level['position_hz']:.1f} and {level['rotation_hz']:.1f} Hz"
        title = f"  {level['position_mm']:g} mm, {level['rotation_deg']:g} degrees ({found})"
        lines += [f"{title:70}", f"  {'':26} {_HEAD}", *(_row(name, row) for name, row in level["methods"].items())]
    return "\n".join(line.rstrip() for line in lines)


def _speed(figures: Mapping[str, Any]) -> str:
    sensors = f"{figures['sites']} sensors at {figures['rate_hz']:g} Hz"
    lines = [f"{sensors} on one core: {figures['times_real_time']} times real time"]
    lines += [
        f"  {name}: {other['times_real_time']:g} times; ours is {other['ratio']:g} times as fast"
        for name, other in figures["others"].items()
    ]
    peaks = ", ".join(f"{peak:g} MB of {minutes} min" for minutes, peak in figures["peak_mb_by_minutes"].items())
    return "\n".join([*lines, f"  most memory, in pieces: {peaks}"])


def _utd(figures: Mapping[str, Any]) -> str:
    return "\n".join(["UTD-MHAD, a Kinect beside a real sensor", *_nested(figures, 1)])


def _har(figures: Mapping[str, Any]) -> str:
    left_out = {"test_persons", "sizes", "terms"}
    rest = {key: value for key, value in figures.items() if key not in left_out}
    return "\n".join(["Activities of UTD-MHAD, recognised by what was learned", *_nested(rest, 1)])


def _nested(figures: Mapping[str, Any], depth: int) -> list[str]:
    lines: list[str] = []
    for name, value in figures.items():
        head = f"{'  ' * depth}{name}"
        if isinstance(value, Mapping) and any(isinstance(inner, Mapping) for inner in value.values()):
            lines += [head, *_nested(value, depth + 1)]
        elif isinstance(value, Mapping):
            lines.append(f"{head}: {', '.join(f'{key} {_short(inner)}' for key, inner in value.items())}")
        else:
            lines.append(f"{head}: {_short(value)}")
    return lines


def _short(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return " to ".join(_short(one) for one in value) if len(value) == 2 else ", ".join(map(_short, value))
    return str(value)
