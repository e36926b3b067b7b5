"""Calibration of virtual sensors to real ones: what is learned from persons who wore both at once.

In this order: how the real sensor is turned on its strap and how late it is, its scale and bias by axis, and the
distribution of its readings by axis and activity. What was learned knows the persons it was learned from, so that it is
not judged on them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np

from fitmotion_models.imu.alignment import LONGEST_LAG_S, Curve, Signals, align, resampled, signals_of, turned
from fitmotion_models.imu.provenance import Provenance, now, versions
from fitmotion_models.imu.rank_transform import RankTransform, fit_rank_transform
from fitmotion_models.imu.values import ImuRecording
from fitmotion_models.skeleton.rotations import Float64, rotate

METHODS: MappingProxyType[str, tuple[str, ...]] = MappingProxyType(
    {"rotation": (), "affine": ("affine",), "rank": ("rank",), "all": ("affine", "rank")}
)
"""What each method does after rotation and lag, which all begin with."""
ANY_ACTIVITY = ""
FEWEST_OF_AN_ACTIVITY = 500
"""An activity with fewer samples has no distribution of its own: it gets that of all."""
CHANNELS = ("acc_x", "acc_y", "acc_z", "gyro_x", "gyro_y", "gyro_z")
_STILL = 1e-6  # a channel that varies less has no scale, SI units


@dataclass(frozen=True, eq=False)
class CalibrationPair:
    """A virtual and a real recording of the same movement by one person, on clocks that agree but for a lag.

    activity: what is done, "" where that is not known. Sites that only one of them has are left out. Raises ValueError
    where they share no site.
    """

    person: str
    virtual: ImuRecording
    real: ImuRecording
    activity: str = ANY_ACTIVITY

    def __post_init__(self) -> None:
        if not self.person:
            raise ValueError("a calibration needs to know whose recording it is; give the person")
        if not self.sites:
            raise ValueError(
                f"{self.person}: the virtual sensors ({', '.join(self.virtual.sites)}) and the real ones "
                f"({', '.join(self.real.sites)}) have no site in common; name them alike"
            )

    @property
    def sites(self) -> tuple[str, ...]:
        """What both have."""
        return tuple(site for site in self.virtual.sites if site in self.real.sites)


@dataclass(frozen=True, eq=False)
class SensorCalibration:
    """One site's calibration.

    rotation: (4,) xyzw, vectors of the virtual sensor's frame into the real one's. lag_s: how much later the real one
    is. score: how alike the two are then, 0 to 1. scale, bias: (6,) of `CHANNELS`, m/s2 and rad/s, applied after the
    turn. ranks: by activity, with that of all as "".
    """

    rotation: Float64
    lag_s: float
    score: float
    scale: Float64
    bias: Float64
    ranks: Mapping[str, RankTransform] = field(default_factory=dict)

    def corrected(self, values: Float64, activity: str) -> Float64:
        """Turned readings (N, 6) with scale, bias and the activity's distribution."""
        result: Float64 = values * self.scale + self.bias
        if self.ranks:
            result = self.ranks.get(activity, self.ranks[ANY_ACTIVITY])(result)
        return result


@dataclass(frozen=True, eq=False)
class Calibration:
    """Calibrations by site, and where they come from."""

    sensors: Mapping[str, SensorCalibration]
    provenance: Provenance

    @classmethod
    def fit(
        cls,
        pairs: Iterable[CalibrationPair],
        method: str = "all",
        *,
        longest_lag_s: float = LONGEST_LAG_S,
        files: Mapping[str, str] | None = None,
        aligned: "Calibration | None" = None,
    ) -> "Calibration":
        """Learn from pairs; the persons are theirs.

        method: of `METHODS`. longest_lag_s: how far apart the clocks may be; 0 takes them as one. files: what the pairs
        were read from, name to SHA-256. aligned: of the same pairs, whose rotations and lags are taken as they are.
        Raises ValueError: unknown method, no pair, recordings too short or still.
        """
        given = list(pairs)
        if method not in METHODS:
            raise ValueError(f"method {method!r} is unknown; known: {', '.join(METHODS)}")
        if not given:
            raise ValueError("no pair of recordings is left to learn from; give recordings of at least one person")
        sites = tuple(dict.fromkeys(site for pair in given for site in pair.sites))
        sensors = {}
        for site in sites:
            try:
                theirs = [pair for pair in given if site in pair.sites]
                found = _aligned(theirs, site, longest_lag_s) if aligned is None else aligned.sensors[site]
                sensors[site] = _fit_site(theirs, site, method, found)
            except ValueError as error:
                raise ValueError(f"site {site}: {error}") from None
        provenance = Provenance(
            persons=tuple(sorted({pair.person for pair in given})),
            activities=tuple(sorted({pair.activity for pair in given} - {ANY_ACTIVITY})),
            method=method,
            pairs=len(given),
            seconds=round(float(sum(np.ptp(pair.real.stamps) for pair in given)), 3),
            files=dict(files or {}),
            created=now(),
            versions=versions(),
        )
        return cls(sensors, provenance)

    @property
    def persons(self) -> tuple[str, ...]:
        """The persons that it was learned from."""
        return self.provenance.persons

    def refuse_leak(self, persons: Iterable[str], *, force: bool = False) -> None:
        """Raises ValueError when it was learned from one of these persons, who are to be judged; not when forced."""
        both = sorted(set(persons) & set(self.persons))
        if both and not force:
            raise ValueError(
                f"the calibration was learned from {', '.join(both)}, who must not be judged with it; leave them out "
                "of one of the two, or force it and say so beside every figure"
            )

    def apply(self, recording: ImuRecording, *, activity: str = ANY_ACTIVITY) -> ImuRecording:
        """A virtual recording as the real sensors would have made it, at its own stamps.

        activity: whose distribution the readings get; one that was not learned gets that of all. NaN where a lag leaves
        nothing to read, at one end. Raises ValueError for a site that was not learned.
        """
        unknown = [site for site in recording.sites if site not in self.sensors]
        if unknown:
            raise ValueError(
                f"the calibration knows nothing of {', '.join(unknown)}; it was learned at {', '.join(self.sensors)}"
            )
        chosen = [self.sensors[site] for site in recording.sites]
        moved = resampled(recording, recording.stamps, np.array([sensor.lag_s for sensor in chosen]))
        moved = turned(moved, np.stack([sensor.rotation for sensor in chosen]))
        both = np.concatenate([moved.specific_force, moved.angular_velocity], axis=-1)
        made = np.stack([sensor.corrected(both[:, i], activity) for i, sensor in enumerate(chosen)], axis=1)
        return replace(moved, specific_force=made[..., :3], angular_velocity=made[..., 3:])

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write it as npz; see `calibration_file.save_calibration`."""
        from fitmotion_models.imu.calibration_file import save_calibration

        return save_calibration(path, self, overwrite=overwrite)

    @classmethod
    def load(cls, path: str | Path) -> "Calibration":
        """Read it; see `calibration_file.load_calibration`."""
        from fitmotion_models.imu.calibration_file import load_calibration

        return load_calibration(path)


def _aligned(pairs: Sequence[CalibrationPair], site: str, longest_lag_s: float) -> SensorCalibration:
    signals = [(signals_of(pair.virtual, site), signals_of(pair.real, site)) for pair in pairs]
    found = align(signals, longest_lag_s=longest_lag_s)
    return SensorCalibration(found.rotation, found.lag_s, found.score, np.ones(6), np.zeros(6))


def _fit_site(
    pairs: Sequence[CalibrationPair], site: str, method: str, aligned: SensorCalibration
) -> SensorCalibration:
    found = SensorCalibration(aligned.rotation, aligned.lag_s, aligned.score, np.ones(6), np.zeros(6))
    if not METHODS[method]:
        return found
    signals = [(signals_of(pair.virtual, site), signals_of(pair.real, site)) for pair in pairs]
    samples = [_together(virtual, real, found) for virtual, real in signals]
    if "affine" in METHODS[method]:
        scale, bias = _scale_and_bias(*(np.concatenate(side) for side in zip(*samples, strict=True)))
        found = replace(found, scale=scale, bias=bias)
        samples = [(virtual * scale + bias, real) for virtual, real in samples]
    if "rank" in METHODS[method]:
        found = replace(found, ranks=_ranks(samples, [pair.activity for pair in pairs]))
    return found


def _together(virtual: Signals, real: Signals, found: SensorCalibration) -> tuple[Float64, Float64]:
    """(N, 6) of the virtual sensor, turned, and the real one at the same instants; what one of them lacks is left out.

    The instants are the real one's.
    """
    at = Curve(virtual.stamps, virtual.both())(real.stamps - found.lag_s)
    at = np.concatenate([rotate(found.rotation, at[:, :3]), rotate(found.rotation, at[:, 3:])], axis=1)
    true = real.both()
    known = np.isfinite(at).all(axis=1) & np.isfinite(true).all(axis=1)
    return at[known], true[known]


def _scale_and_bias(virtual: Float64, real: Float64) -> tuple[Float64, Float64]:
    """(6,) each: after them means and standard deviations agree.

    The ratio of standard deviations, not least squares: that would shrink the scale by the share of noise in the
    virtual signal, and the virtual sensor would move less than the person.
    """
    spread, wanted = virtual.std(axis=0), real.std(axis=0)
    moving = (spread > _STILL) & (wanted > _STILL)
    scale = np.where(moving, wanted / np.where(moving, spread, 1.0), 1.0)
    return scale, real.mean(axis=0) - scale * virtual.mean(axis=0)


def _ranks(samples: Sequence[tuple[Float64, Float64]], activities: Sequence[str]) -> dict[str, RankTransform]:
    def of(chosen: Iterable[int]) -> tuple[Float64, Float64]:
        sides = zip(*(samples[index] for index in chosen), strict=True)
        virtual, real = (np.concatenate(side) for side in sides)
        return virtual, real

    result = {ANY_ACTIVITY: fit_rank_transform(*of(range(len(samples))))}
    for activity in sorted(set(activities) - {ANY_ACTIVITY}):
        virtual, real = of(index for index, name in enumerate(activities) if name == activity)
        if len(real) >= FEWEST_OF_AN_ACTIVITY:
            result[activity] = fit_rank_transform(virtual, real)
    return result
