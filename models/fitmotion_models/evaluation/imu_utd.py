"""Virtual sensors of a Kinect's bodies beside a real one on the same person: UTD-MHAD (Chen et al. 2015).

Each person's recordings are judged with a calibration (see `imu.calibration`) that was fitted on the other persons
alone, also how the sensor is turned on its strap, which the set does not tell, its clock, the cut-offs and the axes
that are compared: the main ones, the first principal components of what the others' real sensors read. Shape is
Pearson's correlation over one repetition; intervals are from a bootstrap over persons. As the set has no times and its
files were cut by hand, the correlation is also given with each repetition's own lag, which looks at what is judged.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.datasets.kinect_cleaning import KinectCleaning
from fitmotion_models.datasets.utd_mhad import ACTIONS, FIRST_OF_THE_THIGH, UtdTrial, read_utd_mhad
from fitmotion_models.imu import Cutoffs, ImuRecording, select_sites, virtual_imu
from fitmotion_models.imu.alignment import align, resampled, signals_of
from fitmotion_models.imu.calibration import METHODS, Calibration, CalibrationPair
from fitmotion_models.skeleton.joint_sets import SMPL22
from fitmotion_models.skeleton.kinematics import global_matrices
from fitmotion_models.skeleton.rotations import Float64, conjugate, from_rotvec, rotate, to_matrix

Progress = Callable[[int, int | None], None]

THIGH_ACTIONS = (24, 26, 27)  # sit to stand, lunge, squat
WRIST_ACTIONS = tuple(range(1, FIRST_OF_THE_THIGH))
CUTOFFS_HZ = (0.75, 1.0, 1.5, 2.0, 3.0)
"""Among these the one is chosen with which the other persons' turning agrees best."""
WRIST_CUTOFF_HZ = 3.0  # that of one camera; choosing would take an hour and says nothing of the thigh
CLEANING = KinectCleaning(planted_feet=None)
"""Of the Kinect's joints: as for every set of it, but that feet may jump and step."""
BEFORE, SHAPE_METHOD, SYNCHRONISED = "before", "rotation", "synchronised"
_OWN_LAG_S = 0.3
DRAWS = 2000
_SEED = 20150927
_RATE_HZ = 100.0
_FEWEST_PERSONS = 3
_HIP = SMPL22.index("right_hip")
_ALONG_BONE = np.array([0.0, 0.0, 1.0])  # of a thigh, in its own frame
Signals = dict[str, tuple[Float64, Float64]]  # "gyro" and "acc": found and true (N, 3)


@dataclass(frozen=True, eq=False)
class _Judged:
    """A repetition's figures by method. r: of gyro and acc main axes. rmse: of single axes. angle_deg: of the thigh."""

    person: str
    action: str
    r: Mapping[str, Mapping[str, float]]
    rmse: Mapping[str, Mapping[str, float]]
    angle_deg: Mapping[str, float]


def utd_figures(path: str | PathLike[str], progress: Progress | None = None) -> dict[str, Any]:
    """Figures of the thigh in squat, lunge and sit to stand, of the wrist, and of the Kinect's amplitude, for JSON.

    path: folder or archive of the set. Raises ValueError as `read_utd_mhad`, and for fewer than 3 persons.
    """
    thigh = read_utd_mhad(path, actions=THIGH_ACTIONS, cleaning=CLEANING)
    wrist = read_utd_mhad(path, actions=WRIST_ACTIONS, cleaning=CLEANING)
    persons = sorted({trial.person for trial in thigh})
    if len(persons) < _FEWEST_PERSONS:
        raise ValueError(
            f"{path} holds {len(persons)} persons with {', '.join(ACTIONS[action] for action in THIGH_ACTIONS)}; at "
            f"least {_FEWEST_PERSONS} are needed, as each is judged with what the others tell"
        )
    wearers = sorted({trial.person for trial in wrist})
    tick = _counter(progress, len(CUTOFFS_HZ) * len(thigh) + len(persons) + len(wrist) + len(wearers))
    result = {"persons": len(persons), "thigh": _thigh_figures(thigh, persons, tick)}
    if len(wearers) >= _FEWEST_PERSONS:
        result["wrist"] = _wrist_figures(wrist, wearers, tick)
    return result


def _counter(progress: Progress | None, total: int) -> Callable[[], None]:
    done = iter(range(1, total + 1))
    return lambda: None if progress is None else progress(next(done), total)


# ---- who is judged with what ----


def _thigh_figures(trials: Sequence[UtdTrial], persons: Sequence[str], tick: Callable[[], None]) -> dict[str, Any]:
    pairs = {cutoff: _pairs(trials, cutoff, tick) for cutoff in CUTOFFS_HZ}
    judged: list[_Judged] = []
    fitted: dict[str, Any] = {}
    for person in persons:
        others = [index for index, trial in enumerate(trials) if trial.person != person]
        chosen, calibrations = _chosen(pairs, others)
        sensor = calibrations[SHAPE_METHOD].sensors["right_thigh"]
        fitted[person] = {"cutoff_hz": chosen, "lag_ms": round(1e3 * sensor.lag_s, 1), "score": _round(sensor.score)}
        axes = _main_axes(pairs[chosen][index] for index in others)
        for index, trial in enumerate(trials):
            if trial.person == person:
                judged.append(_judge(trial, pairs[chosen][index], calibrations, axes))
        tick()
    return {
        **_tables(judged, persons, ("sit_to_stand", "lunge", "squat")),
        "amplitude_deg": _amplitudes(judged, persons),
        "fitted_without": fitted,
    }


def _wrist_figures(trials: Sequence[UtdTrial], persons: Sequence[str], tick: Callable[[], None]) -> dict[str, Any]:
    pairs = _pairs(trials, WRIST_CUTOFF_HZ, tick)
    judged: list[_Judged] = []
    for person in persons:
        # one repetition of each action by each of the others is plenty for a rotation and a lag
        others = [pair for pair, trial in zip(pairs, trials, strict=True) if trial.person != person]
        first = [p for p, t in zip(pairs, trials, strict=True) if t.person != person and t.repetition == 1]
        calibrations = _fits(first or others)
        axes = _main_axes(others)
        for pair, trial in zip(pairs, trials, strict=True):
            if trial.person == person:
                judged.append(_judge(trial, pair, calibrations, axes))
        tick()
    return _tables(judged, persons, tuple(ACTIONS[action] for action in WRIST_ACTIONS))


def _pairs(trials: Sequence[UtdTrial], cutoff_hz: float, tick: Callable[[], None]) -> list[CalibrationPair]:
    result = []
    for trial in trials:
        made = virtual_imu(
            trial.clip, select_sites([trial.site]), rate_hz=_RATE_HZ, cutoffs=Cutoffs(cutoff_hz, cutoff_hz)
        )
        result.append(CalibrationPair(trial.person, made, real_recording(trial), trial.action_name))
        tick()
    return result


def real_recording(trial: UtdTrial) -> ImuRecording:
    """What the real sensor of a repetition read; its rotations are not known."""
    return ImuRecording(
        sites=(trial.site,),
        rate_hz=float((len(trial.stamps) - 1) / np.ptp(trial.stamps)),
        stamps=trial.stamps,
        specific_force=trial.specific_force[:, None],
        angular_velocity=trial.angular_velocity[:, None],
        rotations=np.full((len(trial.stamps), 1, 4), np.nan),
    )


def _fits(pairs: Sequence[CalibrationPair], aligned: Calibration | None = None) -> dict[str, Calibration]:
    first = aligned or Calibration.fit(pairs, SHAPE_METHOD)
    return {method: Calibration.fit(pairs, method, aligned=first) for method in METHODS}


def _chosen(
    pairs: Mapping[float, Sequence[CalibrationPair]], others: Sequence[int]
) -> tuple[float, dict[str, Calibration]]:
    """The cut-off with which the others' main-axis turning agrees best, and the calibrations with it."""
    best: tuple[float, float, Calibration] | None = None
    for cutoff, made in pairs.items():
        theirs = [made[index] for index in others]
        calibration = Calibration.fit(theirs, SHAPE_METHOD)
        axis = _main_axes(theirs)["gyro"]
        agreement = float(np.median([_r(_signals(p, calibration.apply(p.virtual))["gyro"], axis) for p in theirs]))
        if best is None or agreement > best[0]:
            best = agreement, cutoff, calibration
    assert best is not None
    return best[1], _fits([pairs[best[1]][index] for index in others], best[2])


def _main_axes(pairs: Iterable[CalibrationPair]) -> dict[str, Float64]:
    """The directions (3,) in the sensor's frame along which the real readings differ most."""
    given = list(pairs)
    result = {}
    for kind, name in (("gyro", "angular_velocity"), ("acc", "specific_force")):
        values = np.concatenate([getattr(pair.real, name)[:, 0] for pair in given])
        centred = values - values.mean(axis=0)
        result[kind] = np.linalg.eigh(centred.T @ centred)[1][:, -1]
    return result


# ---- one repetition ----


def _judge(
    trial: UtdTrial, pair: CalibrationPair, calibrations: Mapping[str, Calibration], axes: Mapping[str, Float64]
) -> _Judged:
    made = {BEFORE: pair.virtual}
    for method, calibration in calibrations.items():
        calibration.refuse_leak([trial.person])
        made[method] = calibration.apply(pair.virtual, activity=pair.activity)
    made[SYNCHRONISED] = _synchronised(pair, made[SHAPE_METHOD])
    signals = {method: _signals(pair, recording) for method, recording in made.items()}
    rotation = calibrations[SHAPE_METHOD].sensors[trial.site].rotation
    return _Judged(
        person=trial.person,
        action=trial.action_name,
        r={method: {kind: _r(both[kind], axes[kind]) for kind in axes} for method, both in signals.items()},
        rmse={method: {kind: _rmse(both[kind]) for kind in axes} for method, both in signals.items()},
        angle_deg=_angles(trial, made, rotation) if trial.site == "right_thigh" else {},
    )


def _synchronised(pair: CalibrationPair, made: ImuRecording) -> ImuRecording:
    """With the repetition's own lag beside that of the others."""
    site = pair.sites[0]
    both = [(signals_of(made, site), signals_of(pair.real, site))]
    return resampled(made, made.stamps, align(both, longest_lag_s=_OWN_LAG_S, turn=False).lag_s)


def _signals(pair: CalibrationPair, made: ImuRecording) -> Signals:
    """Found and true at the real sensor's instants, where both are known."""
    result = {}
    for kind, name in (("gyro", "angular_velocity"), ("acc", "specific_force")):
        found, true = getattr(made, name)[:, 0], getattr(pair.real, name)[:, 0]
        known = np.isfinite(found).all(axis=1)
        at = pair.real.stamps
        inside = (at >= made.stamps[known][0]) & (at <= made.stamps[known][-1])
        columns = [np.interp(at[inside], made.stamps[known], column) for column in found[known].T]
        result[kind] = np.stack(columns, axis=-1), true[inside]
    return result


def _r(both: tuple[Float64, Float64], axis: Float64) -> float:
    found, true = (values @ axis for values in both)
    return float(np.corrcoef(found, true)[0, 1])


def _rmse(both: tuple[Float64, Float64]) -> float:
    return float(np.sqrt(np.mean((both[0] - both[1]) ** 2)))


def _angles(trial: UtdTrial, made: Mapping[str, ImuRecording], rotation: Float64) -> dict[str, float]:
    """How far the thigh's direction goes from where it was at first, degrees.

    "sensor": of the real angular velocity, integrated; "kinect": of the Kinect's joints; and of the calibrated virtual
    angular velocities, integrated like the sensor's.
    """
    bone = rotate(rotation, rotate(conjugate(select_sites([trial.site])[0].mount_rotation), _ALONG_BONE))
    thigh = global_matrices(trial.clip.rotations.astype(np.float64))[:, _HIP] @ _ALONG_BONE
    result = {"kinect": _farthest(thigh), "sensor": _swept(trial.stamps, trial.angular_velocity, bone)}
    for method in METHODS:
        rates = made[method].angular_velocity[:, 0]
        known = np.isfinite(rates).all(axis=1)
        result[method] = _swept(made[method].stamps[known], rates[known], bone)
    return result


def _swept(stamps: NDArray[np.float64], rates: Float64, direction: Float64) -> float:
    """How far a direction (3,) of the sensor's frame gets when the sensor turns with these rates (N, 3), degrees."""
    turn, directions = np.eye(3), [direction]
    for step in to_matrix(from_rotvec(0.5 * (rates[1:] + rates[:-1]) * np.diff(stamps)[:, None])):
        turn = turn @ step
        directions.append(turn @ direction)
    return _farthest(np.stack(directions))


def _farthest(directions: Float64) -> float:
    return float(np.degrees(np.arccos(np.clip(directions @ directions[0], -1.0, 1.0)).max()))


# ---- tables ----


def _tables(judged: Sequence[_Judged], persons: Sequence[str], actions: Sequence[str]) -> dict[str, Any]:
    """By action and for all: medians of the correlations before and after, with intervals; errors of each method."""
    result: dict[str, Any] = {}
    for action in (*actions, "all"):
        rows = [one for one in judged if action in ("all", one.action)]
        if not rows:
            continue
        table: dict[str, Any] = {"repetitions": len(rows)}
        for kind in ("gyro", "acc"):
            table[f"{kind}_r"] = _median([one.r[SHAPE_METHOD][kind] for one in rows], rows, persons)
            for method in (BEFORE, SYNCHRONISED):
                table[f"{kind}_r_{method}"] = _median([one.r[method][kind] for one in rows], rows, persons)
        table["r"] = _median([float(np.mean(list(one.r[SHAPE_METHOD].values()))) for one in rows], rows, persons)
        table["methods"] = {
            method: {f"{kind}_r": _round(np.median([one.r[method][kind] for one in rows])) for kind in ("gyro", "acc")}
            | {f"{kind}_rmse": _round(np.median([one.rmse[method][kind] for one in rows])) for kind in ("gyro", "acc")}
            for method in (BEFORE, *METHODS)
        }
        result[action] = table
    return result


def _amplitudes(judged: Sequence[_Judged], persons: Sequence[str]) -> dict[str, Any]:
    """How far the thigh goes by action: what the sensor turned, what the Kinect saw, what calibrations make."""
    result: dict[str, Any] = {}
    for action in dict.fromkeys(one.action for one in judged):
        rows = [one for one in judged if one.action == action]
        result[action] = {
            name: _median([one.angle_deg[name] for one in rows], rows, persons) for name in rows[0].angle_deg
        }
        shares = [one.angle_deg["kinect"] / one.angle_deg["sensor"] for one in rows]
        result[action]["kinect_share"] = _median(shares, rows, persons)
    return result


def _median(values: Sequence[float], rows: Sequence[_Judged], persons: Sequence[str]) -> dict[str, Any]:
    """{"median", "ci95"}; the interval is of persons drawn again."""
    given = np.array(values)
    by_person = [given[[one.person == person for one in rows]] for person in persons]
    random = np.random.default_rng(_SEED)
    drawn = [
        np.median(np.concatenate([by_person[index] for index in random.integers(len(persons), size=len(persons))]))
        for _ in range(DRAWS)
    ]
    low, high = np.percentile(drawn, (2.5, 97.5))
    return {"median": _round(np.median(given)), "ci95": [_round(low), _round(high)]}


def _round(value: float) -> float:
    return round(float(value), 4)
