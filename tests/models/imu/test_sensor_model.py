"""What sensors make of a motion: each error by itself against what it should be, together, at once and live."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fitmotion_models.imu import ImuRecording, ImuSamples
from fitmotion_models.imu.sensor_clock import Losses
from fitmotion_models.imu.sensor_model import LiveSensor, measured
from fitmotion_models.imu.sensor_noise import LowPass, Triad
from fitmotion_models.imu.sensor_spec import SensorSpec, TriadSpec, load_presets, sensor_preset

RATE = 100.0
UP = np.array([0.0, 0.0, 9.81])


def recording(count: int, *, sites: int = 2, force=None, rate=None, hz: float = RATE) -> ImuRecording:
    names = tuple(f"site_{index}" for index in range(sites))
    shape = (count, sites, 3)
    return ImuRecording(
        sites=names,
        rate_hz=hz,
        stamps=np.arange(count) / hz,
        specific_force=np.broadcast_to(UP if force is None else force, shape).copy(),
        angular_velocity=np.broadcast_to(0.0 if rate is None else rate, shape).copy(),
        rotations=np.broadcast_to((0.0, 0.0, 0.0, 1.0), (count, sites, 4)),
    )


def unit(**figures) -> SensorSpec:
    return SensorSpec("test", accelerometer=TriadSpec(**figures), gyroscope=TriadSpec(**figures))


def moving(count: int, sites: int = 3, seed: int = 5) -> ImuRecording:
    """Sums of slow sines, of other phases for every axis."""
    times = np.arange(count)[:, None, None] / RATE
    phases = np.random.default_rng(seed).uniform(0.0, 6.0, size=(2, 3, sites, 3))
    parts = np.sin(2.0 * np.pi * np.array([0.4, 1.1, 2.3])[:, None, None] * times[:, None] + phases[:, None])
    force, rate = parts.sum(axis=2)
    return recording(count, sites=sites, force=UP + 4.0 * force, rate=2.0 * rate)


def test_an_ideal_sensor_reads_the_truth() -> None:
    true = moving(500)
    read = measured(true, sensor_preset("ideal"), seed=3)
    np.testing.assert_array_equal(read.specific_force, true.specific_force)
    np.testing.assert_array_equal(read.angular_velocity, true.angular_velocity)


def test_the_same_seed_is_the_same_unit_and_another_seed_another() -> None:
    true, spec = moving(400), sensor_preset("mpu-9250")
    one, same, other = (measured(true, spec, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.specific_force, same.specific_force)
    assert np.abs(one.angular_velocity - other.angular_velocity).max() > 0.01
    with pytest.raises(ValueError, match="seed=-1 must be 0 or more"):
        measured(true, spec, seed=-1)


def test_a_units_own_errors_do_not_depend_on_which_others_are_worn() -> None:
    spec = sensor_preset("mpu-6050").gyroscope
    both, alone = (Triad(spec, sites, RATE, [4, 1]) for sites in (("left", "right"), ("right",)))
    np.testing.assert_array_equal(both.offset[1:], alone.offset)
    np.testing.assert_array_equal(both.matrix[1:], alone.matrix)
    assert np.abs(both.offset[0] - both.offset[1]).min() > 0.0


def test_white_noise_in_a_band_has_its_density_times_the_roots_of_the_band() -> None:
    density = 2e-3
    read = measured(recording(40_000), unit(noise_density=density)).specific_force - UP
    assert read.std() == pytest.approx(density * np.sqrt(0.5 * RATE), rel=0.01)
    # through the low-pass of order 2: its noise band is 1.11 times its cut-off
    read = measured(recording(40_000, hz=1000.0), unit(noise_density=density, bandwidth_hz=20.0)).specific_force - UP
    assert read.std() == pytest.approx(density * np.sqrt(1.11 * 20.0), rel=0.02)


@pytest.mark.parametrize(("frequency", "gain"), [(2.0, 1.0), (20.0, 2.0**-0.5), (80.0, 1.0 / np.sqrt(1.0 + 4.0**4))])
def test_the_low_pass_halves_the_power_at_its_bandwidth(frequency, gain) -> None:
    hz = 1000.0
    wave = np.sin(2.0 * np.pi * frequency * np.arange(4000) / hz)[:, None, None] * np.ones(3)
    read = measured(recording(4000, rate=wave, hz=hz), unit(bandwidth_hz=20.0)).angular_velocity[2000:]
    assert np.sqrt(2.0) * read.std() == pytest.approx(gain, rel=0.05)


def test_a_sensor_at_rest_stays_there_through_the_low_pass() -> None:
    read = measured(recording(50), unit(bandwidth_share=0.3)).specific_force
    np.testing.assert_allclose(read, np.broadcast_to(UP, read.shape), atol=1e-12)


def test_readings_end_at_the_scale_and_come_in_steps() -> None:
    rate = np.linspace(-50.0, 50.0, 2001)[:, None, None] * np.ones(3)
    read = measured(recording(2001, rate=rate), unit(full_scale=30.0, resolution=0.25)).angular_velocity
    assert read.min() == -30.0 and read.max() == 30.0
    np.testing.assert_allclose(read / 0.25, np.round(read / 0.25), atol=1e-9)
    inside = np.abs(rate) < 30.0
    assert np.abs(np.where(inside, read - rate, 0.0)).max() <= 0.125 + 1e-9
    assert np.std((read - rate)[inside & np.ones_like(read, bool)]) == pytest.approx(0.25 / np.sqrt(12.0), rel=0.02)


def test_six_positions_tell_offsets_scales_and_axes() -> None:
    """The calibration that every accelerometer gets: each axis up and down gives its offset and its column."""
    spec = TriadSpec(bias=0.5, scale=0.02, cross_axis=0.01, misalignment=0.01)
    triad = Triad(spec, ("one", "two"), RATE, [7])
    for axis in range(3):
        up = 9.81 * np.eye(3)[axis]
        high, low = (triad.apply(np.broadcast_to(value, (5, 2, 3)), np.zeros(5))[0] for value in (up, -up))
        np.testing.assert_allclose(0.5 * (high + low), triad.offset, atol=1e-12)
        np.testing.assert_allclose((high - low) / (2.0 * 9.81), triad.matrix[:, :, axis], atol=1e-12)


def test_errors_over_many_units_spread_as_they_should() -> None:
    names = [f"unit_{number}" for number in range(3000)]
    triad = Triad(TriadSpec(bias=0.3, scale=0.02, cross_axis=0.01), names, RATE, [1])
    off = ~np.eye(3, dtype=bool)
    assert triad.offset.std() == pytest.approx(0.3, rel=0.03)
    assert (triad.matrix[:, ~off] - 1.0).std() == pytest.approx(0.02, rel=0.03)
    assert triad.matrix[:, off].std() == pytest.approx(0.01, rel=0.03)
    turned = Triad(TriadSpec(misalignment=0.02), names, RATE, [1]).matrix
    np.testing.assert_allclose(
        turned @ np.swapaxes(turned, -1, -2), np.broadcast_to(np.eye(3), turned.shape), atol=1e-12
    )
    assert turned[:, off].std() == pytest.approx(0.02, rel=0.03)


def test_a_gyroscope_feels_force() -> None:
    spec = SensorSpec("test", gyroscope=TriadSpec(force_sensitivity=1e-3))
    still, pushed = (measured(recording(3, force=force), spec).angular_velocity for force in (UP, 3.0 * UP))
    assert np.abs(still).max() > 1e-4
    np.testing.assert_allclose(pushed, 3.0 * still, rtol=1e-9)


def test_offsets_follow_the_temperature() -> None:
    """They go where the unit's warmth goes, with its time constant: 63 % of the way after it."""
    spec = replace(unit(bias_drift=0.01), warm_up=10.0, warm_up_s=20.0)
    read = measured(recording(20_001), spec).specific_force - UP
    final, at_constant = read[-1], read[2000]
    assert np.abs(final).std() > 0.01
    np.testing.assert_allclose(at_constant / final, 1.0 - np.exp(-1.0), atol=1e-3)
    cold = measured(recording(20_001), replace(spec, warm_up=0.0)).specific_force
    np.testing.assert_array_equal(cold, np.broadcast_to(UP, cold.shape))


def test_a_random_walk_grows_with_the_root_of_time() -> None:
    triad = Triad(TriadSpec(random_walk=1e-3), [f"unit_{number}" for number in range(400)], RATE, [2])
    read = triad.apply(np.zeros((6401, 400, 3)), np.zeros(6401))
    for seconds in (4, 16, 64):
        assert read[100 * seconds].std() == pytest.approx(1e-3 * np.sqrt(seconds), rel=0.07)


# ---- clock and radio ----


def test_a_clock_that_is_off_samples_elsewhere() -> None:
    """On a ramp, what is read tells when it was sampled: the lag grows by the clock's error, the jitter is as given."""
    count = 12_000
    ramp = (np.arange(count) / RATE)[:, None, None] * np.ones(3)
    true = recording(count, sites=40, rate=ramp)
    late = measured(true, replace(unit(), clock_drift=1e-4)).angular_velocity - ramp
    drift = (late[-1000] - late[1000]) / ((count - 2000) / RATE)
    assert drift[:, 0].std() == pytest.approx(1e-4, rel=0.3)
    np.testing.assert_allclose(drift[:, 0], drift[:, 1], rtol=1e-6)  # one clock a unit
    late = measured(true, replace(unit(), clock_jitter=1e-3)).angular_velocity - ramp
    assert late[10:-10].std() == pytest.approx(1e-3, rel=0.02)


def test_between_samples_a_motion_is_a_smooth_curve() -> None:
    true = moving(3000)
    read = measured(true, replace(unit(), clock_jitter=2e-3), seed=1)
    naive = np.diff(true.specific_force, axis=0).std() * 2e-3 * RATE
    again = measured(true, replace(unit(), clock_jitter=0.0), seed=1)
    np.testing.assert_array_equal(again.specific_force, true.specific_force)
    assert 0.8 * naive < (read.specific_force - true.specific_force)[5:-5].std() < 1.2 * naive


@pytest.mark.parametrize(("share", "burst"), [(0.02, 1.0), (0.1, 8.0), (0.5, 20.0)])
def test_packets_are_lost_in_bursts(share, burst) -> None:
    losses = Losses(share, burst, 50, [3])
    lost = np.concatenate([losses.next(5000) for _ in range(4)])
    starts = np.diff(lost.astype(int), axis=0) == 1
    assert lost.mean() == pytest.approx(share, rel=0.1)
    assert lost.sum() / starts.sum() == pytest.approx(max(burst, 1.0 / (1.0 - share)), rel=0.1)


def test_lost_samples_are_not_a_number_for_one_unit_only() -> None:
    read = measured(recording(5000, sites=3), replace(unit(), packet_loss=0.2, packet_burst=4.0))
    lost = np.isnan(read.specific_force).all(axis=-1)
    np.testing.assert_array_equal(lost, np.isnan(read.angular_velocity).any(axis=-1))
    assert (lost[:, 0] & ~lost[:, 1]).any()


# ---- what is not there ----


def test_holes_stay_holes_and_do_not_reach_further() -> None:
    true = moving(600)
    true.specific_force[200:260, 1] = np.nan
    spec = sensor_preset("mpu-9250")
    read, whole = measured(true, spec, seed=2), measured(moving(600), spec, seed=2)
    np.testing.assert_array_equal(np.isnan(read.specific_force), np.isnan(true.specific_force))
    np.testing.assert_array_equal(read.specific_force[:200], whole.specific_force[:200])
    np.testing.assert_array_equal(read.angular_velocity, whole.angular_velocity)
    # the low-pass starts again after it, and soon forgets how
    assert np.abs(read.specific_force - whole.specific_force)[300:].max() <= 2.0 * spec.accelerometer.resolution
    # nor does a gyroscope that feels force fall silent
    assert np.isfinite(measured(true, sensor_preset("bmi270")).angular_velocity).all()


def test_a_magnetic_field_is_read_by_units_with_a_magnetometer() -> None:
    true = replace(moving(300), magnetic_field=np.broadcast_to((20e-6, 0.0, -40e-6), (300, 3, 3)).copy())
    read = measured(true, sensor_preset("icm-20948"))
    error = read.magnetic_field - true.magnetic_field
    assert 1e-6 < np.abs(error).max() < 500e-6
    assert measured(true, sensor_preset("bmi270")).magnetic_field is None


# ---- live ----


def samples(true: ImuRecording, start: int, end: int) -> ImuSamples:
    rows = slice(start, end)
    zeros = np.zeros((end - start, len(true.sites), 3, 3))
    return ImuSamples(
        numbers=np.arange(start, end),
        stamps=true.stamps[rows],
        specific_force=true.specific_force[rows],
        angular_velocity=true.angular_velocity[rows],
        rotations=true.rotations[rows],
        force_covariance=zeros,
        rate_covariance=zeros,
    )


@settings(max_examples=6, deadline=None)
@given(st.lists(st.integers(0, 90), min_size=3, max_size=12), st.sampled_from(sorted(load_presets())))
def test_live_samples_are_those_of_a_recording_however_they_come(blocks, name) -> None:
    true = moving(sum(blocks) + 1)
    spec = replace(sensor_preset(name), packet_loss=0.1, packet_burst=3.0, warm_up=5.0)
    live = LiveSensor(spec, true.sites, RATE, seed=9)
    edges = [0, *np.cumsum(blocks), len(true)]
    parts = [live.apply(samples(true, int(a), int(b))) for a, b in zip(edges[:-1], edges[1:], strict=True)]
    whole = measured(true, spec, seed=9)
    for name in ("specific_force", "angular_velocity"):
        read = np.concatenate([getattr(part, name) for part in parts])
        np.testing.assert_allclose(read, getattr(whole, name), rtol=1e-9, atol=1e-9)


def test_covariances_are_those_of_the_errors() -> None:
    """Over many units and all of their errors: squares of errors are as large as their variances."""
    spec = SensorSpec(
        "test",
        accelerometer=TriadSpec(noise_density=2e-3, bias=0.2, scale=0.01, cross_axis=0.01, resolution=0.05),
        gyroscope=TriadSpec(noise_density=1e-3, bias=0.02, bias_instability=1e-2, misalignment=0.01, bandwidth_hz=20.0),
    )
    true = moving(10, sites=3000)
    read = LiveSensor(spec, true.sites, RATE, seed=1).apply(samples(true, 0, 10))
    # the low-pass delays what moves, which is no noise
    still = recording(10, sites=3000, rate=(1.0, -2.0, 0.5))
    turned = LiveSensor(spec, still.sites, RATE, seed=1).apply(samples(still, 0, 10))
    for errors, covariance in (
        (read.specific_force - true.specific_force, read.force_covariance),
        (turned.angular_velocity - still.angular_velocity, turned.rate_covariance),
    ):
        variances = covariance[..., [0, 1, 2], [0, 1, 2]]
        assert np.mean(errors**2 / variances) == pytest.approx(1.0, rel=0.08)


def test_wrong_live_sensors_are_refused() -> None:
    spec = sensor_preset("bmi270")
    with pytest.raises(ValueError, match="no site is given"):
        LiveSensor(spec, (), RATE, seed=0)
    with pytest.raises(ValueError, match=r"rate_hz=0.0 must be a positive number"):
        LiveSensor(spec, ("a",), 0.0, seed=0)


# ---- numbers ----


def test_one_by_one_and_all_at_once_the_low_pass_gives_the_same() -> None:
    values = moving(200).specific_force
    values[60:90, 0] = np.nan
    whole, single = LowPass(15.0, RATE, 3), LowPass(15.0, RATE, 3)
    expected = whole.apply(values)
    np.testing.assert_allclose(np.concatenate([single.apply(value[None]) for value in values]), expected, atol=1e-10)
