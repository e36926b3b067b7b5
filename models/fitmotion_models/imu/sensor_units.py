"""The units of data sheets, so that a sensor's figures can be written as its maker prints them."""

import math
from collections.abc import Mapping
from typing import Any

G = 9.80665  # m/s2: the g of data sheets, CGPM 1901
_DEGREE = math.pi / 180.0
_HOUR = 3600.0

_SENSED = {
    "accelerometer": {"m/s2": 1.0, "g": G, "mg": 1e-3 * G, "ug": 1e-6 * G},
    "gyroscope": {"rad/s": 1.0, "dps": _DEGREE, "mdps": 1e-3 * _DEGREE, "deg/h": _DEGREE / _HOUR},
    "magnetometer": {"T": 1.0, "uT": 1e-6, "nT": 1e-9, "G": 1e-4, "mG": 1e-7},
}
# What is written as a random walk of what the readings are summed up to is a two-sided density: a root of 2 less than
# the one-sided one that data sheets give as noise density (IEEE Std 952-1997, B.4).
_WALKS = {
    "accelerometer": {"m/s/sqrt(h)": math.sqrt(2.0 / _HOUR)},
    "gyroscope": {"deg/sqrt(h)": math.sqrt(2.0 / _HOUR) * _DEGREE},
    "magnetometer": {},
}
_SHARE = {"%": 1e-2, "ppm": 1e-6}
BITS, RATE = "bit", "rate"

_SENSOR_UNITS: dict[str, dict[str, float]] = {
    "clock_drift": _SHARE,
    "clock_jitter": {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9},
    "packet_loss": _SHARE,
    "packet_burst": {"samples": 1.0},
    "warm_up": {"K": 1.0},
    "warm_up_s": {"s": 1.0, "min": 60.0},
}


def units_of(kind: str, figure: str) -> dict[str, float]:
    """The units that a figure may be given in and what each is in SI.

    kind: accelerometer, gyroscope or magnetometer; "" for the unit as a whole. Resolutions may also be in `BITS` of
    the full scale from minus to plus, bandwidths in the output `RATE`: those are 1 here.
    """
    if not kind:
        return _SENSOR_UNITS[figure]
    sensed = _SENSED[kind]
    if figure in ("full_scale", "bias", "bias_instability"):
        return sensed
    if figure == "resolution":
        return {**sensed, BITS: 1.0}
    if figure == "noise_density":
        return {f"{unit}/sqrt(Hz)": factor for unit, factor in sensed.items()} | _WALKS[kind]
    if figure == "random_walk":
        return {f"{unit}/sqrt(s)": factor for unit, factor in sensed.items()}
    if figure == "bandwidth":
        return {"Hz": 1.0, RATE: 1.0}
    if figure == "misalignment":
        return {"rad": 1.0, "deg": _DEGREE}
    if figure == "bias_drift":
        return {f"{unit}/K": factor for unit, factor in sensed.items()}
    if figure == "scale_drift":
        return {f"{unit}/K": factor for unit, factor in _SHARE.items()}
    if figure == "force_sensitivity":
        return {f"{unit}/g": factor / G for unit, factor in sensed.items()}
    return _SHARE  # scale, cross_axis


def triad_figures(kind: str, given: Mapping[str, Any]) -> tuple[dict[str, float], dict[str, str]]:
    """A triad's figures in SI by the names of `TriadSpec`, and where they are from.

    Raises ValueError naming the figure, without the sensor.
    """
    found: dict[str, float] = {}
    origins: dict[str, str] = {}
    for name in given:
        number, unit, origin = read_figure(kind, name, given[name])
        if name == "bandwidth":
            found["bandwidth_share" if unit == RATE else "bandwidth_hz"] = number
        elif unit == BITS:
            scale, scale_unit, _ = read_figure(kind, "full_scale", given.get("full_scale", math.inf))
            if not (math.isfinite(scale) and 1.0 <= number <= 64.0):
                raise ValueError(f"{kind} resolution of {number:g} bit needs a full_scale; allowed: 1 to 64 bit")
            found[name] = 2.0 * scale / 2.0**number
        else:
            found[name] = number
        origins[f"{kind}.{name}"] = origin
    return found, origins


def read_figure(kind: str, name: str, figure: object) -> tuple[float, str, str]:
    """A figure's number in SI, its unit ("" where none is given: it is in SI) and where it is from.

    figure: a number, or a list of a number, a unit and, if wanted, its source. Raises ValueError naming the figure.
    """
    label = f"{kind} {name}".strip()
    if _is_number(figure):
        return float(figure), "", ""  # type: ignore[arg-type]
    units = units_of(kind, name)
    if not (isinstance(figure, list) and 2 <= len(figure) <= 3 and _is_number(figure[0])):
        raise ValueError(
            f"{label}={figure!r} must be a number (SI) or [number, unit, source]; units: {', '.join(units)}"
        )
    if figure[1] not in units:
        raise ValueError(f"{label} is in {figure[1]!r}, which is none of its units: {', '.join(units)}")
    return float(figure[0]) * units[figure[1]], str(figure[1]), str(figure[2]) if len(figure) == 3 else ""


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and not math.isnan(value)
