"""How a real sensor is turned and delayed against a virtual one at the same place.

The two hang together: of all rotations the best one at a lag is Kabsch's (1976), so that its score, the sum of the
singular values of the cross-covariance, is a function of the lag alone; its peak is the lag to less than a sample.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.imu.specific_force import continuous_quaternions
from fitmotion_models.imu.values import MAX_GAP_S, ImuRecording
from fitmotion_models.skeleton.rotations import Float64, conjugate, from_matrix, multiply, normalize, rotate

LONGEST_LAG_S = 0.5
"""How far apart two clocks are looked for by default, seconds; one repetition of a movement is longer."""
FEWEST_SAMPLES = 20
_LAG_STEP_S = 0.04  # of the first search: a body's movements are correlated for longer
_TOLERANCE_S = 1e-5
# below this share of the first singular value the second one says that a turn about one direction is open
_LEAST_SPREAD = 1e-3


@dataclass(frozen=True, eq=False)
class Signals:
    """What one sensor read over N instants: stamps (N,) seconds, specific_force and angular_velocity (N, 3)."""

    stamps: NDArray[np.float64]
    specific_force: Float64
    angular_velocity: Float64

    def both(self) -> Float64:
        """(N, 6) specific force, then angular velocity."""
        return np.concatenate([self.specific_force, self.angular_velocity], axis=-1)


def signals_of(recording: ImuRecording, site: str) -> Signals:
    """One site's signals."""
    index = recording.sites.index(site)
    return Signals(recording.stamps, recording.specific_force[:, index], recording.angular_velocity[:, index])


@dataclass(frozen=True, eq=False)
class Alignment:
    """How a real sensor is turned and delayed.

    rotation: (4,) xyzw that turns vectors of the virtual sensor's frame into the real one's. lag_s: how much later the
    real one shows what the virtual one reads. score: 1 where both agree in shape, 0 where nothing is alike.
    """

    rotation: Float64
    lag_s: float
    score: float


def align(
    pairs: Sequence[tuple[Signals, Signals]], *, longest_lag_s: float = LONGEST_LAG_S, turn: bool = True
) -> Alignment:
    """The one rotation and lag of all pairs (virtual, real).

    Specific force and angular velocity have equal say: each is taken in units of its own root mean square. turn: False
    leaves the rotation out. Raises ValueError where there are too few samples, where nothing moves, or where the
    readings point in one direction only, so that a turn about it is open.
    """
    scale = _scales(pairs)
    steps = math.ceil(longest_lag_s / _LAG_STEP_S)
    lags = np.linspace(-longest_lag_s, longest_lag_s, 2 * steps + 1)
    curves = [Curve(virtual.stamps, virtual.both()) for virtual, _ in pairs]
    scores = np.array([_score(_covariance(pairs, curves, lag, scale), turn) for lag in lags])
    best = int(np.nanargmax(scores))
    lag = float(lags[best])
    if longest_lag_s > 0.0:
        lag = _peak(lambda at: _score(_covariance(pairs, curves, at, scale), turn), lags, best)
    covariance = _covariance(pairs, curves, lag, scale)
    rotation = _kabsch(covariance[0]) if turn else np.array([0.0, 0.0, 0.0, 1.0])
    return Alignment(rotation, lag, float(_score(covariance, turn)))


class Curve:
    """Values (N, D) over stamps (N,) as a cubic spline; NaN stays NaN, and so do holes of more than `MAX_GAP_S`."""

    def __init__(self, stamps: NDArray[np.float64], values: Float64) -> None:
        from scipy.interpolate import CubicSpline

        self._width = values.shape[1:]
        seen = np.isfinite(values).reshape(len(values), -1).all(axis=1)
        rows = np.flatnonzero(seen)
        breaks = np.flatnonzero(np.diff(stamps[rows]) > MAX_GAP_S) + 1
        runs = [run for run in np.split(rows, breaks) if len(run) > 1] if len(rows) else []
        self._pieces = [(stamps[run[0]], stamps[run[-1]], CubicSpline(stamps[run], values[run])) for run in runs]

    def __call__(self, times: NDArray[np.float64]) -> Float64:
        """(M, D) at times (M,), seconds."""
        result = np.full((len(times), *self._width), np.nan)
        for start, end, spline in self._pieces:
            inside = (times >= start - 1e-9) & (times <= end + 1e-9)
            result[inside] = spline(times[inside])
        return result


def resampled(recording: ImuRecording, stamps: NDArray[np.float64], late_s: Float64 | float = 0.0) -> ImuRecording:
    """A recording at other stamps (M,), each site later by late_s seconds, (S,) or one; NaN where there was nothing."""
    late = np.broadcast_to(np.asarray(late_s, dtype=np.float64), len(recording.sites))
    names = ["specific_force", "angular_velocity", "rotations"]
    names += ["magnetic_field"] if recording.magnetic_field is not None else []
    arrays: dict[str, Float64] = {}
    for name in names:
        columns = []
        for site in range(len(recording.sites)):
            values = getattr(recording, name)[:, site]
            if name == "rotations":
                values = _continuous(values)
            columns.append(Curve(recording.stamps, values)(stamps - late[site]))
        arrays[name] = np.stack(columns, axis=1)
    arrays["rotations"] = normalize(arrays["rotations"])
    return ImuRecording(sites=recording.sites, rate_hz=recording.rate_hz, stamps=stamps, **arrays)


def turned(recording: ImuRecording, rotations: Float64) -> ImuRecording:
    """A recording as sensors would have made it that sit turned: rotations (S, 4) take old frames' vectors to new."""
    field = recording.magnetic_field
    return ImuRecording(
        sites=recording.sites,
        rate_hz=recording.rate_hz,
        stamps=recording.stamps,
        specific_force=rotate(rotations, recording.specific_force),
        angular_velocity=rotate(rotations, recording.angular_velocity),
        rotations=multiply(recording.rotations, conjugate(rotations)),
        magnetic_field=None if field is None else rotate(rotations, field),
    )


def _continuous(quaternions: Float64) -> Float64:
    result = quaternions.copy()
    seen = np.isfinite(quaternions).all(axis=-1)
    if seen.any():
        result[seen] = continuous_quaternions(quaternions[seen])
    return result


def _scales(pairs: Sequence[tuple[Signals, Signals]]) -> Float64:
    """(2, 2) root mean squares: of virtual and real, of specific force and angular velocity."""
    if not pairs:
        raise ValueError("no pair of recordings is given; at least one is needed")
    result = np.empty((2, 2))
    for side, kind in enumerate(("virtual", "real")):
        values = np.concatenate([pair[side].both() for pair in pairs])
        seen = np.isfinite(values).all(axis=1)
        if seen.sum() < FEWEST_SAMPLES:
            raise ValueError(f"the {kind} sensor has {seen.sum()} whole samples; at least {FEWEST_SAMPLES} are needed")
        squares = np.mean(values[seen] ** 2, axis=0)
        result[side] = np.sqrt(squares[:3].sum()), np.sqrt(squares[3:].sum())
        if not (result[side] > 1e-9).all() or (np.ptp(values[seen], axis=0) < 1e-9).all():
            raise ValueError(f"the {kind} sensor does not move at all; record some seconds of movement")
    return result


def _covariance(
    pairs: Sequence[tuple[Signals, Signals]], curves: Sequence[Curve], lag_s: float, scale: Float64
) -> tuple[Float64, float, float]:
    """Real by virtual (3, 3), and the squared sums of both, each over what both know at this lag."""
    total, squares = np.zeros((3, 3)), np.zeros(2)
    for (_, real), curve in zip(pairs, curves, strict=True):
        found, true = curve(real.stamps - lag_s), real.both()
        known = np.isfinite(found).all(axis=1) & np.isfinite(true).all(axis=1)
        for signal, columns in enumerate((slice(0, 3), slice(3, 6))):
            a = found[known, columns] / scale[0, signal]
            b = true[known, columns] / scale[1, signal]
            total += b.T @ a
            squares += np.sum(a * a), np.sum(b * b)
    return total, float(squares[0]), float(squares[1])


def _score(covariance: tuple[Float64, float, float], turn: bool) -> float:
    matrix, virtual, real = covariance
    if virtual <= 0.0 or real <= 0.0:
        return -math.inf
    if not turn:
        return float(np.trace(matrix)) / math.sqrt(virtual * real)
    u, values, vt = np.linalg.svd(matrix)
    mirrored = np.linalg.det(u @ vt) < 0.0
    return float(values[0] + values[1] + (-values[2] if mirrored else values[2])) / math.sqrt(virtual * real)


def _kabsch(matrix: Float64) -> Float64:
    u, values, vt = np.linalg.svd(matrix)
    if values[1] < _LEAST_SPREAD * values[0]:
        raise ValueError(
            "the readings point along one direction only, so that it is open how the sensor is turned about it; record "
            "movements in other directions too"
        )
    sign = np.array([1.0, 1.0, np.linalg.det(u @ vt)])
    return np.asarray(from_matrix((u * sign) @ vt))


def _peak(score: Callable[[float], float], lags: Float64, best: int) -> float:
    from scipy.optimize import minimize_scalar

    low, high = float(lags[max(best - 1, 0)]), float(lags[min(best + 1, len(lags) - 1)])
    found = minimize_scalar(
        lambda at: -score(at), bounds=(low, high), method="bounded", options={"xatol": _TOLERANCE_S}
    )
    return float(found.x)
