"""The smoothing spline's weights against its closed-form response, polynomials and a zero-phase Butterworth filter."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import butter, sosfiltfilt

from fitmotion_models.imu.smoothing_spline import memory_s, window_weights


@pytest.mark.parametrize("cutoff", [2.0, 3.0, 6.0])
def test_the_response_is_that_of_the_closed_form(cutoff) -> None:
    """1 / (1 + (f / fc)^6) on even samples: a wave in the middle of a long window keeps this share of its amplitude."""
    stamps = np.arange(241) / 60.0
    weights = window_weights(stamps, stamps[[120]], cutoff).samples
    for frequency in (0.5, 1.0, cutoff, 1.5 * cutoff, 2.0 * cutoff):
        wave = np.cos(2.0 * np.pi * frequency * (stamps - stamps[120]))
        share = 1.0 / (1.0 + (frequency / cutoff) ** 6)
        assert weights[0, 0] @ wave == pytest.approx(share, abs=2e-3)
        assert weights[2, 0] @ wave == pytest.approx(-share * (2.0 * np.pi * frequency) ** 2, rel=0.02)


def test_in_the_middle_it_is_a_butterworth_filter_run_forward_and_backward() -> None:
    rng = np.random.default_rng(0)
    stamps = np.arange(400) / 100.0
    noise = rng.normal(size=400)
    filtered = sosfiltfilt(butter(3, 3.0, fs=100.0, output="sos"), noise)
    smoothed = window_weights(stamps, stamps[150:250], 3.0).samples[0] @ noise
    np.testing.assert_allclose(smoothed, filtered[150:250], atol=0.01 * np.ptp(filtered))


@settings(max_examples=30)
@given(
    st.lists(st.floats(-5.0, 5.0), min_size=3, max_size=3),
    st.integers(5, 25),
    st.floats(1.0, 12.0),
    st.integers(0, 10**6),
)
def test_a_parabola_passes_unchanged_whatever_the_stamps(coefficients, count, cutoff, seed) -> None:
    rng = np.random.default_rng(seed)
    stamps = np.cumsum(rng.uniform(0.005, 0.06, count)) + rng.uniform(-100.0, 100.0)
    times = rng.uniform(stamps[0], stamps[-1], 4)
    since, offset = times - stamps[0], stamps - stamps[0]
    constant, slope, bend = coefficients
    weights = window_weights(stamps, times, cutoff)
    values, rates, bends = weights.samples @ (constant + slope * offset + bend * offset**2)
    np.testing.assert_allclose(values, constant + slope * since + bend * since**2, atol=1e-5)
    np.testing.assert_allclose(rates, slope + 2.0 * bend * since, atol=1e-3)
    np.testing.assert_allclose(bends, 2.0 * bend, atol=0.1)
    np.testing.assert_allclose(weights.residuals @ (constant + slope * offset + bend * offset**2), 0.0, atol=1e-5)


def test_residuals_are_what_the_spline_leaves() -> None:
    rng = np.random.default_rng(1)
    stamps = np.sort(rng.uniform(0.0, 1.0, 30))
    values = rng.normal(size=30)
    weights = window_weights(stamps, stamps, 3.0)
    np.testing.assert_allclose(weights.residuals @ values, values - weights.samples[0] @ values, atol=1e-9)
    # the residuals' degrees of freedom are those of the samples less those of the spline
    assert weights.freedom == pytest.approx(30 - np.trace(weights.samples[0]), abs=1e-9)


def test_derivatives_are_those_of_the_values() -> None:
    rng = np.random.default_rng(2)
    stamps = np.sort(rng.uniform(0.0, 1.0, 25))
    values = rng.normal(size=25)
    times, step = np.linspace(0.2, 0.8, 7), 1e-4
    around = [window_weights(stamps, times + offset, 4.0).samples @ values for offset in (-step, 0.0, step)]
    np.testing.assert_allclose((around[2][0] - around[0][0]) / (2 * step), around[1][1], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose((around[2][1] - around[0][1]) / (2 * step), around[1][2], rtol=1e-3, atol=1e-2)


def test_noise_gains_are_those_of_drawn_noise_and_grow_where_samples_lack() -> None:
    rng = np.random.default_rng(4)
    stamps = np.arange(40) / 30.0
    weights = window_weights(stamps, stamps[[20, 36, 39]], 3.0)
    apart = np.abs(stamps[:, None] - stamps) / 0.5
    slow = np.linalg.cholesky((1.0 + apart) * np.exp(-apart) + 1e-12 * np.eye(40))
    for gain, mixing in ((weights.noise_gain(), np.eye(40)), (weights.slow_noise_gain(stamps, 0.5), slow)):
        drawn = np.var(weights.samples @ mixing @ rng.normal(size=(40, 20000)), axis=-1)
        np.testing.assert_allclose(gain, drawn, rtol=0.05)
        assert (gain[1:, 2] > gain[1:, 0]).all()
    # what stays for long is hardly smoothed away: nearly all of its value is left
    assert weights.slow_noise_gain(stamps, 0.5)[0, 0] == pytest.approx(1.0, abs=0.05)


def test_what_is_beyond_the_memory_hardly_counts() -> None:
    stamps = np.arange(200) / 50.0
    weights = window_weights(stamps, stamps[[100]], 3.0).samples
    far = np.abs(stamps - stamps[100]) > memory_s(3.0)
    for order in range(3):
        assert np.abs(weights[order, 0, far]).max() < 0.02 * np.abs(weights[order, 0]).max()
