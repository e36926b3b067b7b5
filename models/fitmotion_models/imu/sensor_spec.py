"""What real inertial sensors do to a motion, as data: `presets.yaml` and what a user lays over it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from fitmotion_models.imu.sensor_units import read_figure, triad_figures

PERFECT = "ideal"  # the sensor without errors
_TRIADS = ("accelerometer", "gyroscope", "magnetometer")


@dataclass(frozen=True)
class TriadSpec:
    """One three-axis sensor: an accelerometer (m/s2), a gyroscope (rad/s) or a magnetometer (tesla); zeros are perfect.

    full_scale: readings end at plus and minus this. resolution: of one step of the output. bandwidth_hz: where the
    part's low-pass halves the power; bandwidth_share: the same as a share of the output rate, which most parts' digital
    filters follow; the lower one holds, and none above half the output rate. noise_density: of the white noise, per
    square root of Hz, one-sided as data sheets mean it: its standard deviation in a band of B Hz is density times
    sqrt(B), and its Allan deviation density / sqrt(2 tau). bias_instability: the flat part of the Allan deviation.
    random_walk: of the bias, per square root of a second (rate random walk). bias, scale, cross_axis: standard
    deviations over parts of the zero offset, of the sensitivity (share) and of what an axis reads of each other one
    (share). misalignment: rad, about each axis, of the three axes together in the case. bias_drift, scale_drift:
    likewise, per kelvin. force_sensitivity: of a gyroscope, rad/s per m/s2, likewise.

    Raises ValueError naming the figure.
    """

    full_scale: float = math.inf
    resolution: float = 0.0
    bandwidth_hz: float = math.inf
    bandwidth_share: float = math.inf
    noise_density: float = 0.0
    bias_instability: float = 0.0
    random_walk: float = 0.0
    bias: float = 0.0
    scale: float = 0.0
    cross_axis: float = 0.0
    misalignment: float = 0.0
    bias_drift: float = 0.0
    scale_drift: float = 0.0
    force_sensitivity: float = 0.0

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            positive = each.name in ("full_scale", "bandwidth_hz", "bandwidth_share")
            if math.isnan(value) or value < 0.0 or (value == 0.0 and positive):
                raise ValueError(f"{each.name}={value} must be {'above 0' if positive else '0 or more'}")
            if not positive and math.isinf(value):
                raise ValueError(f"{each.name}={value} must be finite")
        for name in ("scale", "cross_axis", "misalignment"):
            if getattr(self, name) > 0.5:
                raise ValueError(f"{name}={getattr(self, name)} is no error of a sensor; allowed: up to 0.5")

    @property
    def is_noisy(self) -> bool:
        """Whether a sensor at rest reads anything else than one number."""
        return max(self.noise_density, self.bias_instability, self.random_walk) > 0.0

    def bandwidth(self, rate_hz: float) -> float:
        """Where the low-pass halves the power at this output rate, Hz."""
        return min(self.bandwidth_hz, self.bandwidth_share * rate_hz)


@dataclass(frozen=True)
class SensorSpec:
    """A sensor unit with its clock and its radio.

    part: maker and name. document: the data sheet. magnetometer: None where there is none. clock_drift: standard
    deviation over units of how much their clocks run fast or slow (share). clock_jitter: standard deviation of a
    sample's instant, seconds. packet_loss: share of samples that never arrive, in bursts of packet_burst samples on
    average. warm_up: kelvin that the unit becomes warmer than where its biases were those of the data sheet, warm_up_s:
    with this time constant.
    origins: where figures are from, by names such as accelerometer.noise_density.

    Raises ValueError naming the sensor and the figure.
    """

    name: str
    part: str = ""
    document: str = ""
    accelerometer: TriadSpec = field(default_factory=TriadSpec)
    gyroscope: TriadSpec = field(default_factory=TriadSpec)
    magnetometer: TriadSpec | None = None
    clock_drift: float = 0.0
    clock_jitter: float = 0.0
    packet_loss: float = 0.0
    packet_burst: float = 1.0
    warm_up: float = 0.0
    warm_up_s: float = 600.0
    origins: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), compare=False)

    def __post_init__(self) -> None:
        for name, low, high in (
            ("clock_drift", 0.0, 0.01),
            ("clock_jitter", 0.0, 0.1),
            ("packet_loss", 0.0, 0.9),
            ("packet_burst", 1.0, 1e6),
            ("warm_up", -100.0, 100.0),
            ("warm_up_s", 1.0, 1e6),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"sensor {self.name}: {name}={value} is out of range; allowed: {low:g} to {high:g}")


def load_presets(path: str | Path | None = None) -> dict[str, SensorSpec]:
    """All known sensors by name: the shipped table, with a user's file laid over it.

    path: YAML of the same form as `presets.yaml`; a known sensor keeps the figures that the file does not name. Raises
    ValueError, one sentence naming the file, the sensor and the figure; OSError when unreadable.
    """
    entries = _entries(resources.files(__package__).joinpath("presets.yaml").read_text(), "presets.yaml")
    if path is not None:
        try:
            text = Path(path).expanduser().read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise ValueError(f"{path} is no text; give a YAML file with names of sensors") from None
        for name, entry in _entries(text, str(path)).items():
            entries[name] = _laid_over(entries.get(name, {}), entry)
    return {name: _sensor(name, entry, path) for name, entry in entries.items()}


def sensor_preset(name: str, path: str | Path | None = None) -> SensorSpec:
    """The sensor of this name; see `load_presets`. Raises ValueError for an unknown name."""
    known = load_presets(path)
    if name not in known:
        raise ValueError(f"sensor {name!r} is unknown; known: {', '.join(known)}")
    return known[name]


def _entries(text: str, origin: str) -> dict[str, dict[str, Any]]:
    try:
        read = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise ValueError(f"{origin} is no YAML: {' '.join(str(error).split())}") from None
    if not isinstance(read, Mapping) or not all(isinstance(entry, Mapping | None) for entry in read.values()):
        raise ValueError(
            f"{origin} must hold names of sensors, each with figures such as accelerometer and clock_drift"
        )
    return {str(name): dict(entry or {}) for name, entry in read.items()}


def _laid_over(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Figures of `over` in place of those of `under`, a triad's one by one."""
    result = dict(under)
    for key, value in over.items():
        known = under.get(key)
        result[key] = {**known, **value} if isinstance(known, Mapping) and isinstance(value, Mapping) else value
    return result


def _sensor(name: str, entry: Mapping[str, Any], path: str | Path | None) -> SensorSpec:
    where = f"{path}: " if path is not None else ""
    own = ["clock_drift", "clock_jitter", "packet_loss", "packet_burst", "warm_up", "warm_up_s"]
    found: dict[str, Any] = {key: str(entry.get(key, "")) for key in ("part", "document")}
    origins: dict[str, str] = {}
    try:
        _only(entry, ("part", "document", *_TRIADS, *own), "field")
        for kind in _TRIADS:
            given = entry.get(kind)
            if given is not None:
                found[kind] = _triad(kind, given, origins)
        for key in own:
            if key in entry:
                found[key], _, origins[key] = read_figure("", key, entry[key])
        return SensorSpec(name=name, origins=MappingProxyType(origins), **found)
    except ValueError as error:
        raise ValueError(f"{where}sensor {name}: {str(error).removeprefix(f'sensor {name}: ')}") from None


def _triad(kind: str, given: object, origins: dict[str, str]) -> TriadSpec:
    names = [each.name for each in fields(TriadSpec) if not each.name.startswith("bandwidth_")]
    if not isinstance(given, Mapping):
        raise ValueError(f"{kind} must hold figures such as noise_density; allowed: {', '.join(names)}, bandwidth")
    allowed = [*names, "bandwidth"] if kind == "gyroscope" else [*names[:-1], "bandwidth"]
    _only(given, allowed, f"{kind} figure")
    figures, sources = triad_figures(kind, given)
    origins.update(sources)
    try:
        return TriadSpec(**figures)
    except ValueError as error:
        raise ValueError(f"{kind} {error}") from None


def _only(given: Mapping[str, Any], allowed: Sequence[str], what: str) -> None:
    unknown = sorted(str(key) for key in given if key not in allowed)
    if unknown:
        raise ValueError(f"unknown {what} {', '.join(unknown)}; allowed: {', '.join(allowed)}")
