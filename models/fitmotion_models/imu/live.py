"""Virtual sensors on a body that is being watched: a fixed-lag smoother."""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fitmotion_models.imu.site_motion import SiteFrames
from fitmotion_models.imu.sites import Site
from fitmotion_models.imu.smoothing_spline import FEWEST, WindowWeights, memory_s, window_weights
from fitmotion_models.imu.specific_force import angular_velocity, specific_force
from fitmotion_models.imu.values import (
    DEFAULT_RATE_HZ,
    MAX_GAP_S,
    ORDER,
    Cutoffs,
    SlowErrors,
    cutoffs_for,
    slow_errors_for,
)
from fitmotion_models.skeleton.body_pose import BodyPose
from fitmotion_models.skeleton.rotations import Float64, conjugate, multiply, normalize, rotate, to_matrix

DEFAULT_LAG_S = 0.1
LONGEST_LAG_S = 2.0
_MOST_ROWS = 64  # poses in the window; faster ones are thinned
_FEWEST_ROWS = 10
_NOISE_MEMORY_S = 2.0
# the least noise of a position (m) and a rotation (rad): the rounding of a float32, so that no covariance is 0, which
# would mean unknown
_LEAST_NOISE = 1e-6


@dataclass(frozen=True, eq=False)
class ImuSamples:
    """What S virtual sensors read at M instants, with covariances; NaN where a site was not seen.

    numbers: (M,) counted from time 0 at the sensor's rate: a sample's time is exactly number / rate_hz. stamps: (M,)
    the same in seconds. specific_force (M, S, 3) m/s2 and angular_velocity (M, S, 3) rad/s in the sensors' frames;
    rotations (M, S, 4) unit quaternions xyzw, sensor to world. force_covariance (M, S, 3, 3) (m/s2)^2 and
    rate_covariance (M, S, 3, 3) (rad/s)^2: of the poses' noise, as the residuals of the smoother show it, and of the
    errors that change as slowly as motion does and are known of such cameras only by measurement (`slow_errors_for`).
    magnetic_field (M, S, 3) tesla in the sensors' frames with field_covariance (M, S, 3, 3) T2, where it is sensed.
    """

    numbers: NDArray[np.int64]
    stamps: NDArray[np.float64]
    specific_force: Float64
    angular_velocity: Float64
    rotations: Float64
    force_covariance: Float64
    rate_covariance: Float64
    magnetic_field: Float64 | None = None
    field_covariance: Float64 | None = None

    def __len__(self) -> int:
        return len(self.numbers)

    def seen(self) -> NDArray[np.bool_]:
        """(M, S) whether there is a reading."""
        return np.isfinite(self.specific_force[..., 0]) & np.isfinite(self.angular_velocity[..., 0])


class LiveImu:
    """Virtual sensors on one body: poses in as they come, samples out at a fixed rate, `lag_s` behind the poses.

    A sample at time t uses poses up to at least t + lag_s, unless its site was lost before. The response to frequency
    is that of `virtual_imu` with the same cut-offs. Uneven stamps, dropped poses and unseen joints are bridged up to
    max_gap_s seconds; after a longer hole a site's samples start again.

    sites: see `select_sites`. cutoffs: without them those that suit the cameras behind each pose. world_field: (3,)
    tesla, the magnetic field in the world, the same everywhere; without it samples have none.
    Raises ValueError, naming what is wrong and allowed.
    """

    def __init__(
        self,
        sites: Sequence[Site],
        *,
        rate_hz: float = DEFAULT_RATE_HZ,
        lag_s: float = DEFAULT_LAG_S,
        cutoffs: Cutoffs | None = None,
        max_gap_s: float = MAX_GAP_S,
        world_field: ArrayLike | None = None,
    ) -> None:
        if not sites:
            raise ValueError("no site is given; see select_sites")
        if not (math.isfinite(rate_hz) and rate_hz > 0.0):
            raise ValueError(f"rate_hz={rate_hz} must be a positive number of samples a second")
        if not 0.0 <= lag_s <= LONGEST_LAG_S:
            raise ValueError(f"lag_s={lag_s} is out of range; allowed: 0 to {LONGEST_LAG_S} s")
        if cutoffs is not None and {cutoffs.position_order, cutoffs.rotation_order} != {ORDER}:
            raise ValueError(f"live sensors smooth with order {ORDER} only; give cut-offs of that order")
        self.sites, self.rate_hz, self.lag_s = tuple(sites), rate_hz, lag_s
        self._frames = SiteFrames(self.sites)
        self._given_cutoffs, self._max_gap = cutoffs, max_gap_s
        self._world_field = None if world_field is None else np.asarray(world_field, dtype=np.float64)
        self._nothing = _no_samples(len(self.sites))
        self._slow: SlowErrors | None = None  # of the cameras behind the newest pose
        self.out_of_order = self.restarts = 0  # poses left out as late or repeated; times that the past was forgotten
        self.reset()

    def reset(self) -> None:
        """Forget the past."""
        self.cutoffs = self._given_cutoffs
        self._rows: deque[tuple[float, Float64, Float64]] = deque()  # stamp, positions (S, 3), quaternions (S, 4)
        self._near = np.full((len(self.sites), 4), np.nan)  # the last seen quaternions
        self._next = 0
        self._latest: tuple[tuple[float, bytes, bytes], _Weights] | None = None
        self._position_noise = _Noise(len(self.sites))
        self._rotation_noise = _Noise(len(self.sites))

    def update(self, pose: BodyPose) -> ImuSamples:
        """Take a pose; returns the samples that have become due, often none, several when samples are denser."""
        if self._accept(pose):
            self._append(pose)
        return self._due(self._rows[-1][0] - self.lag_s)

    def skip(self, pose: BodyPose) -> NDArray[np.int64]:
        """Take a pose whose samples nobody reads: only the window is kept, for those who come to read later.

        Returns the numbers of the samples that have become due. The noise is measured anew by the next that are read.
        """
        if self._accept(pose):
            self._append(pose)
        self._position_noise.forget()
        self._rotation_noise.forget()
        return self._numbers(self._rows[-1][0] - self.lag_s)

    def flush(self) -> ImuSamples:
        """The samples that still wait for later poses, up to the newest one, as no more will come.

        The past is kept: samples of poses that come all the same go on after these.
        """
        return self._due(self._rows[-1][0]) if self._rows else self._nothing

    def _due(self, until: float) -> ImuSamples:
        """The next samples, those at most at this time."""
        return self._samples(self._numbers(until))

    def _numbers(self, until: float) -> NDArray[np.int64]:
        """The numbers of the next samples, which are the next no longer."""
        last = math.floor(until * self.rate_hz + 1e-6)
        numbers = np.arange(self._next, last + 1, dtype=np.int64)
        self._next += len(numbers)
        return numbers

    # ---- the window ----

    def _accept(self, pose: BodyPose) -> bool:
        """Whether a pose goes into the window, which is begun anew where time has jumped."""
        wanted, self._slow = self._given_cutoffs or cutoffs_for(pose.views), slow_errors_for(pose.views)
        if self._rows:
            step = pose.stamp - self._rows[-1][0]
            if -self._max_gap < step <= 0.0:
                self.out_of_order += 1
                return False
            if step < 0.0 or step > self._max_gap or wanted != self.cutoffs:
                self.restarts += 1
                self.reset()
            elif step < self._span() / _MOST_ROWS:
                return False
        self.cutoffs = wanted
        return True

    def _append(self, pose: BodyPose) -> None:
        positions, quaternions = self._frames(pose.positions, pose.rotations, pose.confidence, pose.bone_offsets)
        with np.errstate(invalid="ignore"):
            far = np.sum(quaternions * self._near, axis=-1, keepdims=True) < 0.0
        quaternions = np.where(far, -quaternions, quaternions)  # q and -q are one: neighbours are to be near
        self._near = np.where(np.isfinite(quaternions), quaternions, self._near)
        if not self._rows:
            self._next = math.ceil((pose.stamp + self.lag_s) * self.rate_hz - 1e-6)
        self._rows.append((pose.stamp, positions, quaternions))
        oldest = self._next / self.rate_hz - self._span()
        while len(self._rows) > _FEWEST_ROWS and self._rows[1][0] < oldest:
            self._rows.popleft()

    def _span(self) -> float:
        """How long the window's past is, seconds."""
        assert self.cutoffs is not None
        return max(self.lag_s, memory_s(min(self.cutoffs.position_hz, self.cutoffs.rotation_hz)))

    # ---- the samples ----

    def _samples(self, numbers: NDArray[np.int64]) -> ImuSamples:
        if not len(numbers):
            return self._nothing
        assert self.cutoffs is not None
        stamps = numbers / self.rate_hz
        position, rotation = (_Smoothed(len(numbers), len(self.sites), width) for width in (3, 4))
        # relative to the window, where a float resolves nanoseconds
        origin = self._rows[0][0]
        times = np.array([row[0] for row in self._rows]) - origin
        places = np.stack([row[1] for row in self._rows])
        turns = np.stack([row[2] for row in self._rows])
        for result, values, cutoff, noise in (
            (position, places, self.cutoffs.position_hz, self._position_noise),
            (rotation, turns, self.cutoffs.rotation_hz, self._rotation_noise),
        ):
            self._smooth(result, times, values, stamps - origin, cutoff, noise)
        return self._read(numbers, stamps, position, rotation)

    def _smooth(
        self,
        result: "_Smoothed",
        times: NDArray[np.float64],
        values: Float64,
        wanted: NDArray[np.float64],
        cutoff_hz: float,
        noise: "_Noise",
    ) -> None:
        """Fill `result` at the wanted times for every site, sites that were seen alike together."""
        seen = np.asarray(np.isfinite(values).all(axis=-1))
        for sites, pattern in _seen_alike(seen):
            for rows in self._runs(times, pattern):
                start, end = times[rows[0]] + self.lag_s, times[rows[-1]]
                inside = np.flatnonzero((wanted >= start - 1e-6) & (wanted <= end + 1e-6))
                if len(inside):
                    weights = self._window_weights(times[rows], wanted[inside], cutoff_hz)
                    run = values[rows[:, None], sites]
                    result.fill(inside, sites, weights, run)
                    noise.add(sites, weights.spline, run, self._rows[-1][0] - self._rows[-2][0])

    def _window_weights(self, times: NDArray[np.float64], wanted: NDArray[np.float64], cutoff_hz: float) -> "_Weights":
        """The weights of a window; positions and rotations with one cut-off share them."""
        key = (cutoff_hz, times.tobytes(), wanted.tobytes())
        if self._latest is None or self._latest[0] != key:
            weights = window_weights(times, wanted, cutoff_hz)
            noise = weights.noise_gain()
            slow = weights.slow_noise_gain(times, self._slow.correlation_s) if self._slow else np.zeros_like(noise)
            self._latest = key, _Weights(weights, np.stack([noise, slow]))
        return self._latest[1]

    def _runs(self, times: NDArray[np.float64], seen: NDArray[np.bool_]) -> list[NDArray[np.intp]]:
        rows = np.flatnonzero(seen)
        breaks = np.flatnonzero(np.diff(times[rows]) > self._max_gap) + 1
        if not len(breaks):
            return [rows] if len(rows) >= FEWEST else []
        return [run for run in np.split(rows, breaks) if len(run) >= FEWEST]

    def _read(
        self, numbers: NDArray[np.int64], stamps: NDArray[np.float64], position: "_Smoothed", rotation: "_Smoothed"
    ) -> ImuSamples:
        """What the sensors read of the smoothed motion, and how the noise gets into it."""
        rotations = normalize(rotation.values[0])
        force = specific_force(rotations, position.values[2])
        placed, turned, spun = self._covariances(position, rotation)
        to_sensor = np.swapaxes(to_matrix(rotations), -1, -2)
        tilt = _cross_matrix(force)  # a rotation by a small e in the sensor's frame changes the force by force x e
        return ImuSamples(
            numbers=numbers,
            stamps=stamps,
            specific_force=force,
            angular_velocity=angular_velocity(rotation.values[0], rotation.values[1]),
            rotations=rotations,
            force_covariance=_turned(to_sensor, placed) + _turned(tilt, turned),
            rate_covariance=spun,
            **self._field(rotations, turned),
        )

    def _field(self, rotations: Float64, turned: Float64) -> dict[str, Float64]:
        """The magnetic field in the sensors and its covariance; nothing where none is given."""
        if self._world_field is None:
            return {}
        field = rotate(conjugate(rotations), self._world_field)
        return {"magnetic_field": field, "field_covariance": _turned(_cross_matrix(field), turned)}

    def _covariances(self, position: "_Smoothed", rotation: "_Smoothed") -> tuple[Float64, Float64, Float64]:
        """(M, S, 3, 3) of acceleration in the world, of rotation and of angular velocity in the sensor."""
        slow_turn = self._slow.rotation_sd**2 if self._slow else 0.0
        slow_place = slow_turn * self._slow.lever_m**2 if self._slow else 0.0
        result = [
            white[..., None, None] * covariance + (slow * share)[..., None, None] * np.eye(3)
            for (white, slow), covariance, share in (
                (position.gains[:, 2], self._position_noise.covariance, slow_place),
                (rotation.gains[:, 0], self._rotation_noise.covariance, slow_turn),
                (rotation.gains[:, 1], self._rotation_noise.covariance, slow_turn),
            )
        ]
        return result[0], result[1], result[2]


def _seen_alike(seen: NDArray[np.bool_]) -> list[tuple[NDArray[np.intp], NDArray[np.bool_]]]:
    """Sites that were seen at the same times: their indices, and (N,) those times; of seen (N, S)."""
    if seen.all():
        return [(np.arange(seen.shape[1]), seen[:, 0])]
    patterns, group = np.unique(seen, axis=1, return_inverse=True)
    return [(np.flatnonzero(group == index), patterns[:, index]) for index in range(patterns.shape[1])]


def _no_samples(sites: int) -> ImuSamples:
    vectors, matrices = np.empty((0, sites, 3)), np.empty((0, sites, 3, 3))
    return ImuSamples(
        numbers=np.empty(0, dtype=np.int64),
        stamps=np.empty(0),
        specific_force=vectors,
        angular_velocity=vectors,
        rotations=np.empty((0, sites, 4)),
        force_covariance=matrices,
        rate_covariance=matrices,
    )


@dataclass(frozen=True, eq=False)
class _Weights:
    """The spline of a window. gains: (2, 3, M) of noise that is new in every pose and of slow errors."""

    spline: WindowWeights
    gains: Float64


class _Smoothed:
    """Smoothed values (3, M, S, D), value and two derivatives, and the gains (2, 3, M, S) of noise and slow errors.

    NaN where unseen. Gains are variances in units of those of the poses.
    """

    def __init__(self, count: int, sites: int, width: int) -> None:
        self.values = np.full((3, count, sites, width), np.nan)
        self.gains = np.full((2, 3, count, sites), np.nan)

    def fill(self, inside: NDArray[np.intp], sites: NDArray[np.intp], weights: _Weights, run: Float64) -> None:
        """Set the values of some sites (of which `run` (N, s, D) holds the window) at some of the times."""
        count = len(run)
        smoothed = weights.spline.samples @ run.reshape(count, -1)
        self.values[:, inside[:, None], sites] = smoothed.reshape(3, len(inside), *run.shape[1:])
        self.gains[:, :, inside[:, None], sites] = weights.gains[..., None]


class _Noise:
    """The noise of the poses at every site (S, 3, 3): positions in the world (m2), rotations in the sensor (rad2).

    Measured from the residuals of window after window, with a memory of some seconds.
    """

    def __init__(self, sites: int) -> None:
        self.covariance = np.zeros((sites, 3, 3)) + _LEAST_NOISE**2 * np.eye(3)
        self._known = np.zeros(sites, dtype=bool)

    def forget(self) -> None:
        """The next window's residuals alone say how large the noise is."""
        self._known[:] = False

    def add(self, sites: NDArray[np.intp], weights: WindowWeights, run: Float64, step_s: float) -> None:
        """Take the residuals of a window (N, s, 3) of positions or (N, s, 4) of quaternions."""
        residuals = (weights.residuals @ run.reshape(len(run), -1)).reshape(run.shape)
        if run.shape[-1] == 4:
            # a small rotation e in the sensor's frame moves q by q (e / 2, 0)
            residuals = 2.0 * multiply(conjugate(run), residuals)[..., :3]
        by_site = np.moveaxis(residuals, 0, -1)  # (s, 3, N)
        found = by_site @ np.swapaxes(by_site, -1, -2) / weights.freedom
        found += _LEAST_NOISE**2 * np.eye(3)
        share = np.where(self._known[sites], 1.0 - math.exp(-step_s / _NOISE_MEMORY_S), 1.0)[:, None, None]
        self.covariance[sites] += share * (found - self.covariance[sites])
        self._known[sites] = True


def _turned(matrix: Float64, covariance: Float64) -> Float64:
    """(..., 3, 3) the covariance of a vector that a matrix has been multiplied to."""
    result: Float64 = matrix @ covariance @ np.swapaxes(matrix, -1, -2)
    return result


def _cross_matrix(vectors: Float64) -> Float64:
    """(..., 3, 3) matrices that take the cross product of vectors (..., 3) with what follows."""
    x, y, z = vectors[..., 0], vectors[..., 1], vectors[..., 2]
    matrix = np.zeros((*vectors.shape, 3))
    matrix[..., 0, 1], matrix[..., 0, 2], matrix[..., 1, 2] = -z, y, -x
    matrix[..., 1, 0], matrix[..., 2, 0], matrix[..., 2, 1] = z, -y, x
    return matrix
