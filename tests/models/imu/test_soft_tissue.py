"""Wobble on soft tissue against the closed form of a base-excited oscillator."""

from dataclasses import replace

import numpy as np
import pytest

from fitmotion_models.imu import select_sites, virtual_imu
from fitmotion_models.imu.soft_tissue import BONE, MUSCLE, SoftTissue, tissue_of, with_soft_tissue, wobble
from fitmotion_models.mover import SquatParameters, squat_clip


def transmissibility(frequency: float, tissue: SoftTissue) -> tuple[float, float]:
    """Gain and lateness in radians of the mass on a shaken base: textbooks, such as Rao, Mechanical Vibrations."""
    ratio = frequency / tissue.frequency_hz
    double = 2.0 * tissue.damping_ratio * ratio
    response = (1.0 + 1j * double) / (1.0 - ratio**2 + 1j * double)
    return abs(response), -float(np.angle(response))


@pytest.mark.parametrize("frequency", [1.0, 5.0, 12.0, 20.0])
@pytest.mark.parametrize("tissue", [MUSCLE, BONE, SoftTissue(500.0, mass_kg=0.05, damping_ratio=0.1)])
def test_a_shaken_sensor_is_that_of_the_closed_form(frequency, tissue) -> None:
    times = np.arange(20000) / 1000.0
    found = wobble(np.sin(2.0 * np.pi * frequency * times)[:, None], tissue, 1000.0)[10000:, 0]
    gain, late = transmissibility(frequency, tissue)
    np.testing.assert_allclose(found, gain * np.sin(2.0 * np.pi * frequency * times[10000:] - late), atol=0.01 * gain)


def test_a_steady_push_comes_through_and_the_ring_dies_away() -> None:
    """After a step the sensor overshoots as a damped oscillator does and then moves as the bone."""
    push = np.concatenate([np.zeros(100), np.ones(3000)])[:, None]
    found = wobble(push, MUSCLE, 1000.0)[:, 0]
    assert 1.3 < found.max() < 2.0
    np.testing.assert_allclose(found[-500:], 1.0, atol=1e-3)
    np.testing.assert_allclose(wobble(np.full((50, 1), 3.0), MUSCLE, 200.0), 3.0)


def test_the_frequencies_are_those_of_mass_on_stiffness() -> None:
    assert MUSCLE.frequency_hz == pytest.approx(np.sqrt(330.0 / 0.03) / (2.0 * np.pi))
    assert tissue_of("left_thigh") == tissue_of("right_upper_arm") == MUSCLE
    assert tissue_of("left_shank") == tissue_of("head") == BONE
    # Kim et al. 1993: a skin-mounted accelerometer over bone reads about 12 percent too much
    assert 1.05 < transmissibility(15.0, BONE)[0] < 1.25


def test_only_the_force_changes_and_holes_stay_holes() -> None:
    clip = squat_clip(SquatParameters(repetitions=1), fps=30.0)
    bare = virtual_imu(clip, select_sites(["pelvis", "left_thigh"]), rate_hz=200.0)
    bare.specific_force[300:330, 1] = np.nan
    soft = with_soft_tissue(bare)
    np.testing.assert_array_equal(soft.angular_velocity, bare.angular_velocity)
    np.testing.assert_array_equal(np.isnan(soft.specific_force), np.isnan(bare.specific_force))
    difference = np.nan_to_num(soft.specific_force - bare.specific_force)
    assert 1e-3 < np.sqrt(np.mean(difference[:, 1] ** 2)) < 1.0
    assert np.abs(difference[:, 0]).max() < np.abs(difference[:, 1]).max()  # muscle gives way more
    firm = with_soft_tissue(bare, {"left_thigh": BONE, "pelvis": BONE})
    np.testing.assert_allclose(firm.specific_force[:, 0], soft.specific_force[:, 0])


def test_what_cannot_be_is_refused_with_a_sentence() -> None:
    readings = virtual_imu(squat_clip(SquatParameters(repetitions=1), fps=30.0), select_sites(["head"]))
    with pytest.raises(ValueError, match="soft tissue of tail: no such site; known: head"):
        with_soft_tissue(readings, {"tail": MUSCLE})
    with pytest.raises(ValueError, match="50 Hz is too low for soft tissue of head, which wobbles at 40 Hz"):
        with_soft_tissue(replace(readings, rate_hz=50.0))
    with pytest.raises(ValueError, match="stiffness_n_m=0.0 of soft tissue must be a positive"):
        SoftTissue(0.0)
    with pytest.raises(ValueError, match="does not wobble"):
        SoftTissue(100.0, damping_ratio=1.5)
