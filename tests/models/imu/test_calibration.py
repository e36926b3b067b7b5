"""Calibration of virtual sensors to real ones, against sensors that SciPy turns, delays, scales and warps."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import CubicSpline
from scipy.spatial.transform import Rotation
from scipy.stats import ks_2samp, spearmanr

from fitmotion_models.imu import ImuRecording
from fitmotion_models.imu.alignment import signals_of, turned
from fitmotion_models.imu.calibration import METHODS, Calibration, CalibrationPair
from fitmotion_models.imu.rank_transform import fit_rank_transform

SECONDS, RATE = 12.0, 100.0


def worn(seed: int, sites: tuple[str, ...] = ("pelvis",), rate_hz: float = RATE) -> ImuRecording:
    """What a sensor reads that moves at random, below 3 Hz, and is never upside down for long."""
    rng = np.random.default_rng(seed)
    knots = np.arange(0.0, SECONDS + 1.0, 0.25)
    stamps = np.arange(round(SECONDS * rate_hz) + 1) / rate_hz
    force = CubicSpline(knots, rng.normal(size=(len(knots), len(sites), 3)) * 2.0)(stamps) + (1.0, 2.0, 9.0)
    rate = CubicSpline(knots, rng.normal(size=(len(knots), len(sites), 3)))(stamps)
    turns = Rotation.from_rotvec(CubicSpline(knots, rng.normal(size=(len(knots), 3)) * 0.3)(stamps)).as_quat()
    rotations = np.repeat(turns[:, None], len(sites), axis=1)
    return ImuRecording(sites, rate_hz, stamps, force, rate, rotations)


def strapped(virtual: ImuRecording, turn: Rotation, lag_s: float, scale=1.0, bias=0.0, rate_hz: float = 52.0):
    """The same sensor on a strap, read by another clock; scale and bias of 6 channels."""
    stamps = np.arange(round((SECONDS - 1.0) * rate_hz)) / rate_hz + 0.5
    both = np.concatenate([virtual.specific_force, virtual.angular_velocity], axis=-1)
    at = CubicSpline(virtual.stamps, both)(stamps - lag_s)
    columns = [
        np.concatenate([turn.apply(at[:, site, :3]), turn.apply(at[:, site, 3:])], axis=-1) * scale + bias
        for site in range(at.shape[1])
    ]
    made = np.stack(columns, axis=1)
    nothing = np.full((len(stamps), at.shape[1], 4), np.nan)
    return ImuRecording(virtual.sites, rate_hz, stamps, made[..., :3], made[..., 3:], nothing)


def pair(seed: int, turn: Rotation, lag_s: float, person: str = "anna", activity: str = "", **more) -> CalibrationPair:
    virtual = worn(seed)
    return CalibrationPair(person, virtual, strapped(virtual, turn, lag_s, **more), activity)


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), lag_s=st.floats(-0.3, 0.3))
def test_turn_and_lag_come_back_to_less_than_a_sample(seed: int, lag_s: float) -> None:
    turn = Rotation.random(rng=np.random.default_rng(seed))
    found = Calibration.fit([pair(seed, turn, lag_s), pair(seed + 1, turn, lag_s)], "rotation").sensors["pelvis"]
    assert found.lag_s == pytest.approx(lag_s, abs=2e-4)
    error = Rotation.from_quat(found.rotation) * turn.inv()
    assert np.degrees(error.magnitude()) < 0.05
    assert found.score > 0.999


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_scale_and_bias_come_back_with_noise_in_both(seed: int) -> None:
    rng = np.random.default_rng(seed)
    turn, scale, bias = Rotation.random(rng=rng), rng.uniform(0.7, 1.5, 6), rng.normal(size=6) * 0.3
    # the rotation is found before the scale: near 1 they do not mix
    scale = 1.0 + 0.05 * (scale - 1.0)
    found = Calibration.fit([pair(seed, turn, 0.03, scale=scale, bias=bias * 0.05)], "affine").sensors["pelvis"]
    np.testing.assert_allclose(found.scale, scale, atol=0.02)
    np.testing.assert_allclose(found.bias, bias * 0.05, atol=0.2)


def test_noise_in_the_virtual_signal_does_not_shrink_the_scale() -> None:
    rng = np.random.default_rng(3)
    virtual = worn(5)
    real = strapped(virtual, Rotation.identity(), 0.0)
    noisy = replace(virtual, angular_velocity=virtual.angular_velocity + rng.normal(size=(len(virtual), 1, 3)) * 0.5)
    made = Calibration.fit([CalibrationPair("anna", noisy, real)], "affine").apply(noisy)
    spread = np.nanstd(made.angular_velocity[:, 0], axis=0)
    np.testing.assert_allclose(spread, real.angular_velocity[:, 0].std(axis=0), rtol=0.05)


@pytest.mark.parametrize("method", list(METHODS))
def test_a_calibrated_recording_is_what_the_real_sensor_read(method: str) -> None:
    turn, lag = Rotation.from_rotvec((0.4, -1.1, 0.7)), 0.0437
    calibration = Calibration.fit([pair(seed, turn, lag, "anna") for seed in (1, 2, 3)], method)
    virtual = worn(9)
    real, made = strapped(virtual, turn, lag), calibration.apply(virtual)
    np.testing.assert_array_equal(made.stamps, virtual.stamps)
    for name, allowed in (("specific_force", 0.35), ("angular_velocity", 0.15)):
        values = getattr(made, name)[:, 0]
        seen = np.isfinite(values).all(axis=1)
        assert seen.mean() > 0.99
        at = CubicSpline(made.stamps[seen], values[seen])(real.stamps)
        error = np.abs(at - getattr(real, name)[:, 0])
        assert error.max() < 0.01 if method == "rotation" else np.sqrt(np.mean(error**2)) < allowed
    # the sensor's frame is another one now: gravity and field read in the world are the same
    in_world = Rotation.from_quat(made.rotations[200:-200, 0]).apply(made.specific_force[200:-200, 0])
    if method == "rotation":
        before = Rotation.from_quat(virtual.rotations[:, 0]).apply(virtual.specific_force[:, 0])
        expected = CubicSpline(virtual.stamps, before)(made.stamps[200:-200] - lag)
        np.testing.assert_allclose(in_world, expected, atol=0.02)


def test_ranks_give_the_real_distribution_by_activity_and_keep_the_order() -> None:
    def warped(recording: ImuRecording, power: float) -> ImuRecording:
        rate = recording.angular_velocity
        return replace(recording, angular_velocity=np.sign(rate) * np.abs(rate) ** power)

    identity = Rotation.identity()
    pairs = []
    for seed in range(6):
        activity, power = ("walk", 1.6) if seed % 2 else ("jump", 0.6)
        one = pair(seed, identity, 0.0, "anna", activity)
        pairs.append(replace(one, real=warped(one.real, power)))
    calibration = Calibration.fit(pairs, "rank", longest_lag_s=0.0)
    assert set(calibration.sensors["pelvis"].ranks) == {"", "jump", "walk"}
    for activity in ("jump", "walk"):
        same = [one for one in pairs if one.activity == activity]
        real = np.concatenate([one.real.angular_velocity[:, 0, 0] for one in same])
        own, other, before = (
            np.concatenate([make(one.virtual).angular_velocity[50:-50, 0, 0] for one in same])
            for make in (
                lambda virtual, name=activity: calibration.apply(virtual, activity=name),
                calibration.apply,
                lambda virtual: virtual,
            )
        )
        assert ks_2samp(own, real).statistic < 0.03 < ks_2samp(other, real).statistic
        assert spearmanr(own, before)[0] > 0.9999
    unknown = calibration.apply(pairs[0].virtual, activity="swim")
    np.testing.assert_array_equal(unknown.specific_force, calibration.apply(pairs[0].virtual).specific_force)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(30, 400))
def test_the_rank_transform_rises_and_matches_quantiles(seed: int, rows: int) -> None:
    rng = np.random.default_rng(seed)
    virtual, real = rng.normal(size=(rows, 2)), np.exp(rng.normal(size=(2 * rows, 2)))
    transform = fit_rank_transform(virtual, real)
    order = np.sort(rng.normal(size=(200, 2)) * 3.0, axis=0)
    assert (np.diff(transform(order), axis=0) >= -1e-12).all()
    for share in (0.1, 0.5, 0.9):
        at = transform(np.quantile(virtual, share, axis=0))
        np.testing.assert_allclose(at, np.quantile(real, share, axis=0), rtol=1e-6)
    # further out than anything seen, the shift of the end is kept
    np.testing.assert_allclose(transform(virtual.max(axis=0) + 2.0), real.max(axis=0) + 2.0)
    assert np.isnan(transform(np.full((1, 2), np.nan))).all()


def test_a_channel_that_hardly_takes_values_is_no_trouble() -> None:
    stuck = np.array([0.0] * 90 + [1.0] * 10)[:, None]
    made = fit_rank_transform(stuck, np.linspace(0.0, 1.0, 100)[:, None])(np.array([[0.0], [1.0], [0.5]]))
    assert np.isfinite(made).all() and made[0] < made[2] < made[1]


def test_it_is_saved_with_where_it_comes_from(tmp_path: Path) -> None:
    turn = Rotation.from_rotvec((0.1, 0.2, 0.3))
    pairs = [pair(1, turn, 0.01, "anna", "walk"), pair(2, turn, 0.01, "ben", "jump")]
    calibration = Calibration.fit(pairs, "all", files={"a.csv": "0" * 64})
    path = calibration.save(tmp_path / "calibration.npz")
    read = Calibration.load(path)
    assert read.provenance == calibration.provenance
    told = read.provenance
    assert read.persons == told.persons == ("anna", "ben") and told.activities == ("jump", "walk")
    assert (told.method, told.pairs, dict(told.files)) == ("all", 2, {"a.csv": "0" * 64})
    assert told.created.startswith("20") and told.versions["numpy"] == np.__version__
    virtual = worn(7)
    for activity in ("", "walk"):
        same, again = (one.apply(virtual, activity=activity) for one in (calibration, read))
        np.testing.assert_array_equal(same.angular_velocity, again.angular_velocity)
    with pytest.raises(FileExistsError, match="exists; choose another name"):
        calibration.save(path)
    with pytest.raises(ValueError, match=r"must be named \*.npz"):
        calibration.save(tmp_path / "calibration.yaml")
    assert [file.name for file in tmp_path.iterdir()] == ["calibration.npz"]


def test_a_leak_is_refused_unless_forced() -> None:
    calibration = Calibration.fit([pair(1, Rotation.identity(), 0.0, who) for who in ("anna", "ben")])
    calibration.refuse_leak(["cleo"])
    with pytest.raises(ValueError, match="learned from ben, who must not be judged with it"):
        calibration.refuse_leak(["cleo", "ben"])
    calibration.refuse_leak(["ben"], force=True)


def test_several_sites_have_their_own_turn_and_lag() -> None:
    virtual = worn(4, ("pelvis", "right_thigh"))
    turns = (Rotation.from_rotvec((0.0, 0.0, 1.0)), Rotation.from_rotvec((1.0, 0.0, 0.0)))
    one, two = (strapped(virtual, turn, lag) for turn, lag in zip(turns, (0.02, -0.05), strict=True))
    swap = {
        name: np.stack([getattr(two, name)[:, 1], getattr(one, name)[:, 0]], axis=1)
        for name in ("specific_force", "angular_velocity", "rotations")
    }
    real = replace(one, sites=("right_thigh", "pelvis"), **swap)
    found = Calibration.fit([CalibrationPair("anna", virtual, real)], "rotation")
    assert found.sensors["pelvis"].lag_s == pytest.approx(0.02, abs=1e-3)
    assert found.sensors["right_thigh"].lag_s == pytest.approx(-0.05, abs=1e-3)
    made = found.apply(virtual)
    # the earlier one has nothing at its end, the later one at its beginning
    assert np.isnan(made.specific_force[0, 0]).all() and np.isfinite(made.specific_force[0, 1]).all()
    assert np.isnan(made.specific_force[-1, 1]).all() and np.isfinite(made.specific_force[-1, 0]).all()


def test_holes_stay_holes_and_bad_input_is_named() -> None:
    turn = Rotation.from_rotvec((0.3, 0.2, 0.1))
    one = pair(1, turn, 0.01)
    force = one.virtual.specific_force.copy()
    force[300:400] = np.nan
    holed = replace(one.virtual, specific_force=force)
    found = Calibration.fit([replace(one, virtual=holed)], "all")
    assert found.sensors["pelvis"].lag_s == pytest.approx(0.01, abs=2e-4)
    made = found.apply(holed)
    assert np.isnan(made.specific_force[305:400, 0]).all() and np.isfinite(made.specific_force[410:]).all()
    with pytest.raises(ValueError, match="method 'best' is unknown; known: rotation, affine, rank, all"):
        Calibration.fit([one], "best")
    with pytest.raises(ValueError, match="no pair of recordings is left"):
        Calibration.fit([])
    with pytest.raises(ValueError, match="give the person"):
        replace(one, person="")
    with pytest.raises(ValueError, match=r"\(pelvis\) and the real ones \(head\) have no site in common"):
        replace(one, real=replace(one.real, sites=("head",)))
    with pytest.raises(ValueError, match="site pelvis: the real sensor does not move at all"):
        Calibration.fit([replace(one, real=replace(one.real, angular_velocity=0.0 * one.real.angular_velocity))])
    unseen = replace(one.virtual, specific_force=np.full_like(force, np.nan))
    with pytest.raises(ValueError, match="site pelvis: the virtual sensor has 0 whole samples; at least 20"):
        Calibration.fit([replace(one, virtual=unseen)])
    upright = replace(
        one.virtual,
        specific_force=np.tile((0.0, 0.0, 9.81), (len(force), 1, 1)),
        angular_velocity=one.virtual.angular_velocity * (0.0, 0.0, 1.0),
    )
    with pytest.raises(ValueError, match="point along one direction only"):
        Calibration.fit([CalibrationPair("anna", upright, turned(upright, turn.as_quat()[None]))])
    with pytest.raises(ValueError, match="knows nothing of head; it was learned at pelvis"):
        found.apply(replace(one.virtual, sites=("head",)))
    assert len(signals_of(one.real, "pelvis").stamps) == len(one.real)


def test_damaged_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="none.npz does not exist; make one with"):
        Calibration.load(tmp_path / "none.npz")
    (tmp_path / "text.npz").write_text("no archive")
    np.savez(tmp_path / "other.npz", format=np.array("fitmotion.motion_clip"), version=np.array(1))
    whole = Calibration.fit([pair(1, Rotation.identity(), 0.0)]).save(tmp_path / "whole.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(whole[: len(whole) // 2])
    for name in ("text", "other", "cut"):
        with pytest.raises(ValueError, match=f"{name}.npz is no calibration that this FitMotion can read"):
            Calibration.load(tmp_path / f"{name}.npz")
