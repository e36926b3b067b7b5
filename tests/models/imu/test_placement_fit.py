"""Where a sensor sits, found from what it read: against bodies that SciPy moves, and against BROAD's known delays."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.interpolate import make_interp_spline
from scipy.signal import lfilter
from scipy.spatial.transform import Rotation, RotationSpline

from fitmotion_models.imu import Cutoffs, Site, SiteMotion
from fitmotion_models.imu.alignment import Signals
from fitmotion_models.imu.placement_fit import PARAMETERS, PlacementFit, fit_placement

BROAD = Path(os.environ.get("FITMOTION_DATA", Path(__file__).parents[4] / "shared" / "data")) / "broad"
CUTOFFS = Cutoffs(20.0, 20.0)
LEVER = np.array([0.03, -0.08, -0.21])
MOUNT = Rotation.from_euler("xyz", (20.0, -35.0, 110.0), degrees=True)
LAGS = (0.031, 0.034)
BIASES = np.array([0.05, -0.1, 0.08, 0.01, -0.02, 0.015])
# of the noise, SI, and how long it is correlated
FORCE_SD, RATE_SD, MEMORY_S = 0.25, 0.05, 0.05


def moved(seed: int, seconds: float = 30.0) -> tuple[SiteMotion, Signals]:
    """A bone that moves at random, below 2 Hz, and what a sensor on it reads by SciPy's own derivatives."""
    rng = np.random.default_rng(seed)
    knots = np.arange(-1.0, seconds + 1.5, 0.3)
    place = make_interp_spline(knots, np.cumsum(rng.normal(size=(len(knots), 3)) * 0.05, axis=0), k=5)
    turn = RotationSpline(knots, Rotation.from_rotvec(rng.normal(size=(len(knots), 3)) * 0.5))
    stamps = np.arange(round(seconds * 100.0) + 1) / 100.0
    motion = SiteMotion(stamps, place(stamps)[:, None], turn(stamps).as_quat()[:, None])
    at = np.arange(round(1.0 * 100), round((seconds - 1.0) * 100)) / 100.0
    when = at - LAGS[0]
    # a point on a turning body: a + alpha x r + w x (w x r), in the bone's frame
    back, w, alpha = turn(when).inv(), turn(when, 1), turn(when, 2)
    force = back.apply(place(when, nu=2) + (0.0, 0.0, 9.81))
    force += np.cross(alpha, LEVER) + np.cross(w, np.cross(w, LEVER))
    both = np.concatenate([MOUNT.inv().apply(force), MOUNT.inv().apply(turn(at - LAGS[1], 1))], axis=1)
    keep = np.exp(-0.01 / MEMORY_S)
    noise = lfilter([np.sqrt(1.0 - keep**2)], [1.0, -keep], rng.normal(size=both.shape), axis=0)
    both += BIASES + noise * np.repeat((FORCE_SD, RATE_SD), 3)
    return motion, Signals(at, both[:, :3], both[:, 3:])


def errors(found: PlacementFit) -> np.ndarray:
    """(14,) found less true, as `PARAMETERS`."""
    mount = (MOUNT.inv() * Rotation.from_quat(found.mount_rotation)).as_rotvec()
    lags = np.array([found.force_lag_s, found.rate_lag_s]) - LAGS
    biases = np.concatenate([found.force_bias, found.rate_bias]) - BIASES
    return np.concatenate([found.lever_arm - LEVER, mount, lags, biases])


@pytest.mark.slow
def test_it_finds_the_place_of_a_sensor() -> None:
    found = fit_placement([moved(1)], cutoffs=CUTOFFS)
    error = dict(zip(PARAMETERS, errors(found), strict=True))
    assert max(abs(error[f"lever_arm_{axis}"]) for axis in "xyz") < 0.01
    assert max(abs(error[f"mount_{axis}"]) for axis in "xyz") < np.radians(1.0)
    assert abs(error["force_lag"]) < 2e-3 and abs(error["rate_lag"]) < 1e-3
    np.testing.assert_allclose(found.force_noise, FORCE_SD, rtol=0.2)
    np.testing.assert_allclose(found.rate_noise, RATE_SD, rtol=0.2)
    # correlated noise: as if it were white, the uncertainty would be too small
    ratio = np.sqrt(np.diag(found.covariance) / np.diag(found.white_covariance))
    assert 1.3 < np.median(ratio) < 4.0
    assert list(found.sd) == list(PARAMETERS) and found.samples == pytest.approx(2800, abs=20)


@pytest.mark.slow
def test_the_entry_for_a_sites_file_puts_a_virtual_sensor_there() -> None:
    found = fit_placement([moved(2)], cutoffs=CUTOFFS)
    site = Site("strap", **found.site_entry("right_hip"))
    np.testing.assert_allclose(site.lever_arm, found.lever_arm, atol=1e-4)
    between = Rotation.from_quat(site.mount_rotation).inv() * Rotation.from_quat(found.mount_rotation)
    assert np.degrees(between.magnitude()) < 0.02


@pytest.mark.parametrize("rounds", [8, pytest.param(60, marks=pytest.mark.slow)])
def test_the_truth_lies_within_the_intervals_as_often_as_they_say(rounds: int) -> None:
    inside, white = [], []
    for seed in range(rounds):
        found = fit_placement([moved(1000 + seed)], cutoffs=CUTOFFS)
        error = np.abs(errors(found))
        inside.append(error < 1.96 * np.sqrt(np.diag(found.covariance)))
        white.append(error < 1.96 * np.sqrt(np.diag(found.white_covariance)))
    coverage = np.mean(inside)
    print(f"coverage of 95 % intervals: blocks {coverage:.3f}, white noise {np.mean(white):.3f}")
    # intervals of one round hang together: the rate's own spread is about 1 % of sixty rounds, 4 % of eight
    assert abs(coverage - 0.95) < (0.03 if rounds > 20 else 0.1)
    assert np.mean(white) < coverage - 0.1


@pytest.mark.slow
def test_several_recordings_count_together() -> None:
    parts = [moved(seed, 12.0) for seed in range(4)]
    whole, one = fit_placement(parts, cutoffs=CUTOFFS), fit_placement(parts[:1], cutoffs=CUTOFFS)
    # four times as long: half as uncertain
    ratio = np.median(np.array(list(whole.sd.values())) / np.array(list(one.sd.values())))
    assert 0.35 < ratio < 0.75
    assert np.abs(errors(whole)[:3]).max() < 0.015


@pytest.mark.slow
def test_holes_and_bad_input() -> None:
    motion, real = moved(3)
    places = motion.positions.copy()
    places[500:700] = np.nan
    force = real.specific_force.copy()
    force[1000:1100] = np.nan
    found = fit_placement([(replace(motion, positions=places), replace(real, specific_force=force))], cutoffs=CUTOFFS)
    assert np.abs(errors(found)[:3]).max() < 0.012
    assert found.samples < 2800 - 250
    with pytest.raises(ValueError, match="no recording is given"):
        fit_placement([])
    two = SiteMotion(motion.stamps, np.repeat(motion.positions, 2, axis=1), np.repeat(motion.rotations, 2, axis=1))
    with pytest.raises(ValueError, match="the motion has 2 sites"):
        fit_placement([(two, real)])
    short = Signals(real.stamps[:400], real.specific_force[:400], real.angular_velocity[:400])
    with pytest.raises(ValueError, match=r"last 4 blocks of 1.0 s; an uncertainty needs at least 8: record longer"):
        fit_placement([(motion, short)], cutoffs=CUTOFFS)
    elsewhere = Signals(real.stamps + 1000.0, real.specific_force, real.angular_velocity)
    with pytest.raises(ValueError, match=r"share no time|hardly an instant in common"):
        fit_placement([(motion, elsewhere)], cutoffs=CUTOFFS)


@pytest.mark.slow
def test_it_finds_the_delays_of_a_real_sensor() -> None:
    """BROAD's channels are known to be late by 2.5 and 4 ms; its sensor is one for all trials."""
    from fitmotion_models.datasets.broad import read_broad_trial

    paths = sorted(BROAD.glob("*.mat"))
    if len(paths) < 3:
        pytest.skip(f"{len(paths)} BROAD trials in {BROAD}, needs 3; set FITMOTION_DATA to the folder that holds them")
    found = []
    for path in paths:
        trial = read_broad_trial(path)
        moving = np.flatnonzero(trial.moving)
        rows = slice(moving[0], moving[0] + round(40.0 * trial.rate_hz))
        motion = SiteMotion(trial.stamps[rows], trial.positions[rows, None], trial.rotations[rows, None])
        every = slice(rows.start, rows.stop, 3)
        real = Signals(trial.stamps[every], trial.specific_force[every], trial.angular_velocity[every])
        one = fit_placement([(motion, real)], longest_lag_s=0.1)
        found.append(one)
        lags = f"{1e3 * one.force_lag_s:.2f} +- {1e3 * one.sd['force_lag']:.2f} ms, {1e3 * one.rate_lag_s:.2f} +- "
        print(path.stem, lags + f"{1e3 * one.sd['rate_lag']:.2f} ms, lever {(1e3 * one.lever_arm).round(1)} mm")
        # the cameras' frame is the sensor's own, to a degree or two
        assert np.degrees(Rotation.from_quat(one.mount_rotation).magnitude()) < 2.0
    weights = np.array([[1.0 / one.sd["force_lag"] ** 2, 1.0 / one.sd["rate_lag"] ** 2] for one in found])
    lags = np.array([[one.force_lag_s, one.rate_lag_s] for one in found])
    force, rate = (weights * lags).sum(axis=0) / weights.sum(axis=0)
    assert force == pytest.approx(0.0025, abs=0.001) and rate == pytest.approx(0.004, abs=0.001)
