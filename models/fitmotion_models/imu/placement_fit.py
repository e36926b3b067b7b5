"""Where a real sensor sits on a bone, from what it read and how the bone moved: lever arm, mount, lags, biases, noise.

The model is the virtual sensor's own: specific force and angular velocity of a point at a lever arm, turned into the
sensor's axes, each channel late by a lag of its own and with a constant bias. It is fitted by Gauss-Newton (Levenberg
and Marquardt's, of SciPy). As what is left over is no white noise - poses err slowly, skin swings - the uncertainty is
that of blocks of time left out in turn (the block jackknife of Kuensch 1989), each one Gauss-Newton step away; that of
white noise is beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.imu.alignment import LONGEST_LAG_S, Curve, Signals, align
from fitmotion_models.imu.offline import sample_times, smooth_derivatives
from fitmotion_models.imu.site_motion import SiteMotion
from fitmotion_models.imu.specific_force import angular_velocity, specific_force
from fitmotion_models.imu.values import EXACT, Cutoffs
from fitmotion_models.skeleton.rotations import Float64, conjugate, from_rotvec, multiply, normalize, rotate

PARAMETERS = (
    *(f"lever_arm_{axis}" for axis in "xyz"),
    *(f"mount_{axis}" for axis in "xyz"),
    "force_lag",
    "rate_lag",
    *(f"force_bias_{axis}" for axis in "xyz"),
    *(f"rate_bias_{axis}" for axis in "xyz"),
)
"""What the covariance is of, in this order: metres, radians about the sensor's axes, seconds, m/s2 and rad/s."""
BLOCK_S = 1.0
"""How long a block is: longer than errors of poses and soft tissue are correlated, seconds."""
FEWEST_BLOCKS = 8
_GRID_HZ = 200.0  # of the bone's readings between which splines run; four times the band of a body
_LEVER, _MOUNT, _LAGS, _FORCE_BIAS, _RATE_BIAS = (
    slice(0, 3),
    slice(3, 6),
    slice(6, 8),
    slice(8, 11),
    slice(11, 14),
)
_ROUNDS = 3  # of fitting and weighing by what was left


@dataclass(frozen=True, eq=False)
class PlacementFit:
    """Where a sensor sits, with uncertainty.

    lever_arm: (3,) metres, from the bone's joint to the sensor in the bone's frame. mount_rotation: (4,) xyzw, vectors
    of the sensor's frame into the bone's. force_lag_s, rate_lag_s: how late the channels are. force_bias (3,) m/s2 and
    rate_bias (3,) rad/s. force_noise (3,) and rate_noise (3,): standard deviations of what is left over. covariance:
    (14, 14) of `PARAMETERS`, blocks left out in turn. white_covariance: as if what is left over were white.
    """

    lever_arm: Float64
    mount_rotation: Float64
    force_lag_s: float
    rate_lag_s: float
    force_bias: Float64
    rate_bias: Float64
    force_noise: Float64
    rate_noise: Float64
    covariance: Float64
    white_covariance: Float64
    samples: int

    @property
    def sd(self) -> dict[str, float]:
        """Standard deviation of each of `PARAMETERS`."""
        return dict(zip(PARAMETERS, np.sqrt(np.diag(self.covariance)).tolist(), strict=True))

    def site_entry(self, bone: str) -> dict[str, Any]:
        """The placement as an entry of a sites file (see `sites.yaml`), metres and degrees to 0.1 mm and 0.01."""
        from scipy.spatial.transform import Rotation

        angles = Rotation.from_quat(self.mount_rotation).as_euler("xyz", degrees=True)
        return {
            "bone": bone,
            "lever_arm": [round(float(value), 4) for value in self.lever_arm],
            "mount_rotation_deg": [round(float(value), 2) for value in angles],
        }


def fit_placement(
    recordings: Sequence[tuple[SiteMotion, Signals]],
    *,
    cutoffs: Cutoffs = EXACT,
    longest_lag_s: float = LONGEST_LAG_S,
    block_s: float = BLOCK_S,
) -> PlacementFit:
    """Fit one placement to recordings of one sensor: how its bone moved, and what it read.

    The motion is of one site: the bone itself (of a clip: `site_motion` of a `Site` with that bone and nothing else),
    or any frame that the sensor is fixed to. cutoffs: of the low-pass on the motion. block_s: see `BLOCK_S`. Raises
    ValueError: no or too little recording, several sites, no movement.
    """
    if not recordings:
        raise ValueError("no recording is given; a placement needs at least one of a motion and its sensor")
    many = [motion.positions.shape[1] for motion, _ in recordings if motion.positions.shape[1] != 1]
    if many:
        raise ValueError(f"the motion has {many[0]} sites; give that of the one bone that carries the sensor")
    bones = [_Bone(motion, real, cutoffs) for motion, real in recordings]
    start = align([(bone.virtual(), bone.real) for bone in bones], longest_lag_s=longest_lag_s)
    fit = _Fit(bones, conjugate(start.rotation))
    parameters = np.zeros(len(PARAMETERS))
    parameters[_LAGS] = start.lag_s
    for _ in range(_ROUNDS):
        parameters, jacobian = fit.solved(parameters)
        fit.weigh(parameters)
    return _result(fit, parameters, jacobian, block_s)


class _Bone:
    """What sensors at a bone's joint, along its axes, read of one recording, and what a lever arm of 1 m adds."""

    def __init__(self, motion: SiteMotion, real: Signals, cutoffs: Cutoffs) -> None:
        self.real, self._true = real, real.both()
        self._grid = sample_times(motion.stamps, _GRID_HZ)
        axes = np.stack([motion.positions, *(rotate(motion.rotations, axis) for axis in np.eye(3))], axis=1)
        places = axes[:, :, 0]
        (acceleration,) = smooth_derivatives(
            motion.stamps,
            places,
            self._grid,
            cutoffs.position_hz,
            filter_order=cutoffs.position_order,
            orders=(2,),
        )
        q, rates = smooth_derivatives(
            motion.stamps,
            motion.rotations,
            self._grid,
            cutoffs.rotation_hz,
            filter_order=cutoffs.rotation_order,
            quaternions=True,
            orders=(0, 1),
        )
        back = conjugate(normalize(q))
        self._force = specific_force(normalize(q[:, 0]), acceleration[:, 0])
        self._rate = angular_velocity(q, rates)[:, 0]
        # (G, 3, 3), the last axis that of the lever arm
        self._lever = np.swapaxes(rotate(back, acceleration[:, 1:]), -1, -2)
        columns = np.concatenate([self._force, self._lever.reshape(len(self._grid), 9)], axis=1)
        self._force_curve, self._rate_curve = Curve(self._grid, columns), Curve(self._grid, self._rate)

    def virtual(self) -> Signals:
        """Without a lever arm."""
        return Signals(self._grid, self._force, self._rate)

    def residuals(self, parameters: Float64, mount: Float64) -> Float64:
        """(N, 6) read less expected, in the sensor's axes; NaN where one is unknown. mount: sensor to bone."""
        force_lag, rate_lag = parameters[_LAGS]
        columns = self._force_curve(self.real.stamps - force_lag)
        force = columns[:, :3] + columns[:, 3:].reshape(-1, 3, 3) @ parameters[_LEVER]
        rate = self._rate_curve(self.real.stamps - rate_lag)
        back = conjugate(_turned_mount(mount, parameters[_MOUNT]))
        expected = [rotate(back, force) + parameters[_FORCE_BIAS], rotate(back, rate) + parameters[_RATE_BIAS]]
        return self._true - np.concatenate(expected, axis=1)


def _turned_mount(mount: Float64, turn: Float64) -> Float64:
    """The mount after a small turn (3,) in the sensor's own axes, radians."""
    return multiply(mount, from_rotvec(turn))


class _Fit:
    """Residuals of all recordings at the samples that are known throughout, in units of their noise."""

    def __init__(self, bones: Sequence[_Bone], mount: Float64) -> None:
        self.bones, self.mount = bones, mount
        self.noise = np.ones(6)
        self.rows: list[NDArray[np.bool_]] = []

    def left(self, parameters: Float64) -> Float64:
        """(N, 6) residuals, SI."""
        return np.concatenate(
            [bone.residuals(parameters, self.mount)[rows] for bone, rows in zip(self.bones, self.rows, strict=True)]
        )

    def solved(self, start: Float64) -> tuple[Float64, Float64]:
        """The parameters that leave least, and the Jacobian (6 N, 14) there, in units of noise."""
        from scipy.optimize import least_squares

        self._know(start)
        if sum(int(rows.sum()) for rows in self.rows) < len(PARAMETERS):
            raise ValueError("motion and sensor have hardly an instant in common; check that their clocks agree")
        self.noise = np.maximum(self.left(start).std(axis=0), 1e-9) if (self.noise == 1.0).all() else self.noise
        scale = np.repeat((0.01, 0.01, 0.002, 0.05, 0.01), (3, 3, 2, 3, 3))
        found = least_squares(
            lambda x: np.nan_to_num(self.left(x) / self.noise).ravel(),
            start,
            x_scale=scale,
            method="trf",
            jac="3-point",
        )
        return found.x, np.asarray(found.jac)

    def _know(self, parameters: Float64) -> None:
        """Take the samples that stay known when the lags change by what a step may change them."""
        self.rows = []
        for bone in self.bones:
            known = np.ones(len(bone.real.stamps), dtype=bool)
            for change in (-0.01, 0.0, 0.01):
                moved = parameters.copy()
                moved[_LAGS] += change
                known &= np.isfinite(bone.residuals(moved, self.mount)).all(axis=1)
            self.rows.append(known)

    def weigh(self, parameters: Float64) -> None:
        """Take what is left over as the noise of each channel."""
        self.noise = np.maximum(self.left(parameters).std(axis=0), 1e-9)

    def blocks(self, block_s: float) -> NDArray[np.int64]:
        """(N,) the number of the block that each sample is in."""
        numbers, first = [], 0
        for bone, rows in zip(self.bones, self.rows, strict=True):
            times = bone.real.stamps[rows]
            own = np.floor((times - times[0]) / block_s).astype(np.int64) if len(times) else np.empty(0, np.int64)
            numbers.append(own + first)
            first += int(own.max()) + 1 if len(own) else 0
        return np.concatenate(numbers)


def _result(fit: _Fit, parameters: Float64, jacobian: Float64, block_s: float) -> PlacementFit:
    left = fit.left(parameters)
    blocks = fit.blocks(block_s)
    count = int(blocks.max()) + 1
    if count < FEWEST_BLOCKS:
        raise ValueError(
            f"the recordings last {count} blocks of {block_s} s; an uncertainty needs at least {FEWEST_BLOCKS}: record "
            "longer"
        )
    size = len(PARAMETERS)
    rows = jacobian.reshape(-1, 6, size)
    weighed = left / fit.noise
    information, pull = np.zeros((count, size, size)), np.zeros((count, size))
    np.add.at(information, blocks, np.einsum("nki,nkj->nij", rows, rows))
    np.add.at(pull, blocks, np.einsum("nki,nk->ni", rows, weighed))
    total = information.sum(axis=0)
    # how far the parameters go when a block is left out
    steps = np.linalg.solve(total - information, pull[..., None])[..., 0]
    steps -= steps.mean(axis=0)
    return PlacementFit(
        lever_arm=parameters[_LEVER],
        mount_rotation=_turned_mount(fit.mount, parameters[_MOUNT]),
        force_lag_s=float(parameters[_LAGS][0]),
        rate_lag_s=float(parameters[_LAGS][1]),
        force_bias=parameters[_FORCE_BIAS],
        rate_bias=parameters[_RATE_BIAS],
        force_noise=fit.noise[:3],
        rate_noise=fit.noise[3:],
        covariance=(count - 1.0) / count * steps.T @ steps,
        white_covariance=np.linalg.pinv(total),
        samples=len(left),
    )
