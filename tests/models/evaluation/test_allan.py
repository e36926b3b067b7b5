"""The Allan deviation against a peer library and closed forms; presets at rest show their data sheets' noise."""

import allantools
import numpy as np
import pytest

from fitmotion_models.evaluation.allan import allan_deviation, angle_random_walk, at_rest, noise_figures, pooled
from fitmotion_models.imu.sensor_spec import TriadSpec, load_presets

RATE = 100.0
HOUR_S = 3600.0
TAUS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0)
NOISY = [
    (name, kind)
    for name, spec in load_presets().items()
    for kind in ("accelerometer", "gyroscope", "magnetometer")
    if (triad := getattr(spec, kind)) is not None and triad.is_noisy
]


@pytest.mark.parametrize("taus", [None, (0.01, 0.07, 1.0, 10.0)])
def test_deviations_are_those_of_allantools(taus) -> None:
    random = np.random.default_rng(0)
    readings = 3.0 + random.normal(size=(5000, 2)) + np.cumsum(0.01 * random.normal(size=(5000, 2)), axis=0)
    times, deviations = allan_deviation(readings, RATE, taus)
    for axis in range(2):
        peer = allantools.oadev(readings[:, axis], rate=RATE, data_type="freq", taus=times)
        np.testing.assert_allclose(peer[0], times, rtol=1e-12)
        np.testing.assert_allclose(deviations[:, axis], peer[1], rtol=1e-9)


def test_white_noise_falls_with_the_root_of_time_from_its_random_walk() -> None:
    """0.008 degrees/s per root Hz walk by 0.34 degrees in an hour (ADIS16470's data sheet has both)."""
    density = np.radians(0.008)
    walked = angle_random_walk(density) * np.sqrt(HOUR_S)
    assert np.degrees(walked) == pytest.approx(0.34, rel=0.01)
    times, deviations = allan_deviation(at_rest(TriadSpec(noise_density=density), RATE, 600.0, units=4), RATE, TAUS[:5])
    np.testing.assert_allclose(pooled(deviations), angle_random_walk(density) / np.sqrt(times), rtol=0.05)


def test_bias_instability_is_flat_at_its_figure() -> None:
    times, deviations = allan_deviation(
        at_rest(TriadSpec(bias_instability=1e-3), 20.0, HOUR_S, units=12), 20.0, TAUS[3:]
    )
    np.testing.assert_allclose(pooled(deviations), 1e-3, rtol=0.1)
    assert times[-1] == 256.0


def test_a_random_walk_rises_with_the_root_of_a_third_of_time() -> None:
    times, deviations = allan_deviation(at_rest(TriadSpec(random_walk=1e-3), 20.0, HOUR_S, units=12), 20.0, TAUS[3:8])
    np.testing.assert_allclose(pooled(deviations), 1e-3 * np.sqrt(times / 3.0), rtol=0.1)


def test_all_three_are_found_in_their_sum() -> None:
    spec = TriadSpec(noise_density=2e-3, bias_instability=4e-4, random_walk=5e-5)
    found = noise_figures(*_pooled(allan_deviation(at_rest(spec, RATE, HOUR_S, units=8), RATE, TAUS)), HOUR_S)
    assert found.noise_density == pytest.approx(spec.noise_density, rel=0.05)
    assert found.bias_instability == pytest.approx(spec.bias_instability, rel=0.2)
    assert found.random_walk == pytest.approx(spec.random_walk, rel=0.3)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(("name", "kind"), NOISY)
def test_an_hour_at_rest_returns_the_densities_of_the_data_sheet(name, kind) -> None:
    """Within 10 %, steps and low-pass and all; judged by the peer library."""
    spec = getattr(load_presets()[name], kind)
    readings = at_rest(spec, RATE, HOUR_S, units=4, seed=1).reshape(-1, 12)
    curves = [allantools.oadev(axis, rate=RATE, data_type="freq", taus=TAUS)[1] for axis in readings.T]
    found = noise_figures(np.array(TAUS), pooled(np.stack(curves, axis=-1)), HOUR_S)
    assert found.noise_density == pytest.approx(spec.noise_density, rel=0.1)
    # of the density the reading at one second tells it already
    at_one = np.sqrt(2.0) * pooled(np.stack(curves, axis=-1))[TAUS.index(1.0)]
    assert at_one == pytest.approx(spec.noise_density, rel=0.1)
    if spec.bias_instability:
        assert found.bias_instability == pytest.approx(spec.bias_instability, rel=0.1)


def test_every_preset_shows_its_density_within_minutes() -> None:
    for name, kind in NOISY:
        spec = getattr(load_presets()[name], kind)
        _, deviations = allan_deviation(at_rest(spec, RATE, 300.0, units=4, seed=2), RATE, [1.0])
        assert np.sqrt(2.0) * pooled(deviations)[0] == pytest.approx(spec.noise_density, rel=0.13), (name, kind)


@pytest.mark.parametrize(
    ("readings", "taus", "sentence"),
    [
        (np.array([1.0, np.nan, 2.0, 3.0]), None, "without holes"),
        (np.ones(2), None, "3 readings or more"),
        (np.ones(100), [0.6], r"averaging times of 0.6 to 0.6 s do not fit; allowed with 100 readings at 100 Hz"),
        (np.ones(100), [0.001], "do not fit"),
    ],
)
def test_what_has_no_deviation_is_refused(readings, taus, sentence) -> None:
    with pytest.raises(ValueError, match=sentence):
        allan_deviation(readings, RATE, taus)
    with pytest.raises(ValueError, match="the recording is too short"):
        noise_figures(np.array([0.1, 0.2]), np.ones(2), 1.0)


def _pooled(found):
    return found[0], pooled(found[1])
