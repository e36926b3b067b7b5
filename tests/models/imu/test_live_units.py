"""Live sensors with errors: what nobody reads is gone over, and a magnetometer reads the field of the world."""

from dataclasses import replace

import numpy as np
import pytest

from fitmotion_models.imu import Cutoffs, LiveImu, select_sites
from fitmotion_models.imu.live import ImuSamples
from fitmotion_models.imu.sensor_model import LiveSensor
from fitmotion_models.imu.sensor_spec import SensorSpec, TriadSpec
from fitmotion_models.mover import SquatParameters, squat_clip
from fitmotion_models.skeleton.rotations import from_rotvec, multiply, rotate

FIELD = np.array([18e-6, 2e-6, -44e-6])  # tesla, about that of central Europe


@pytest.fixture(scope="module")
def squat() -> ImuSamples:
    """A second of a squat, with a field."""
    imu = LiveImu(select_sites(["pelvis", "left_wrist"]), world_field=FIELD)
    parts = [imu.update(pose) for pose in squat_clip(SquatParameters(repetitions=1), fps=30.0)]
    return max(parts[40:70], key=len)


def still(count: int, *, field: bool = False) -> ImuSamples:
    ones = np.ones((count, 1, 1))
    return ImuSamples(
        numbers=np.arange(count),
        stamps=np.arange(count) / 100.0,
        specific_force=ones * (0.3, 0.2, 9.8),
        angular_velocity=ones * (0.1, -0.2, 0.3),
        rotations=ones * (0.0, 0.0, 0.0, 1.0),
        force_covariance=1e-6 * np.eye(3) * ones[..., None],
        rate_covariance=1e-8 * np.eye(3) * ones[..., None],
        magnetic_field=ones * FIELD if field else None,
        field_covariance=1e-16 * np.eye(3) * ones[..., None] if field else None,
    )


def test_units_grow_warm_and_start_their_low_pass_anew_where_nobody_reads() -> None:
    """What follows is as if all had been read: of motion that stays as it is, without noise."""
    triad = TriadSpec(bias_drift=0.01, scale_drift=0.001, bias=0.1, bandwidth_hz=20.0)
    spec = SensorSpec("warm", accelerometer=triad, gyroscope=triad, warm_up=10.0, warm_up_s=30.0)
    read, skipped = LiveSensor(spec, ["pelvis"], 100.0, seed=5), LiveSensor(spec, ["pelvis"], 100.0, seed=5)
    cold = read.apply(still(100))
    skipped.apply(still(100))
    for _ in range(20):
        read.apply(still(150))
    skipped.skip(3000)
    warm, late = read.apply(still(50)), skipped.apply(still(50))
    np.testing.assert_allclose(late.specific_force[1:], warm.specific_force[1:], atol=1e-4)
    np.testing.assert_allclose(late.angular_velocity[1:], warm.angular_velocity[1:], atol=1e-4)
    assert np.abs(warm.specific_force[-1] - cold.specific_force[0]).max() > 1e-2  # it did grow warm


def test_the_field_turns_with_the_sensors_and_its_covariance_is_that_of_their_turns(squat) -> None:
    assert squat.magnetic_field is not None and squat.field_covariance is not None
    assert np.abs(rotate(squat.rotations, squat.magnetic_field) - FIELD).max() < 1e-12
    # a small turn of a sensor moves the field in it: what random turns do, by drawing them
    random = np.random.default_rng(4)
    imu = LiveImu(select_sites(["pelvis"]), cutoffs=Cutoffs(4.0, 4.0), world_field=FIELD)
    noisy = squat_clip(SquatParameters(repetitions=1, stance_s=20.0), fps=30.0)
    turns = from_rotvec(random.normal(scale=0.02, size=(len(noisy), 3)))
    rotations = noisy.rotations.copy()
    rotations[:, 0] = multiply(rotations[:, 0], turns)
    parts = [imu.update(pose) for pose in list(replace(noisy, rotations=rotations))[:600]]
    field = np.concatenate([part.magnetic_field for part in parts if part.magnetic_field is not None])[50:, 0]
    said = np.concatenate([part.field_covariance for part in parts if part.field_covariance is not None])[50:, 0]
    found = np.trace(np.cov(field.T))
    assert np.nanmean(np.trace(said, axis1=-2, axis2=-1)) == pytest.approx(found, rel=0.2)
    # a turn about the field's own direction does not show
    np.testing.assert_allclose(np.einsum("nij,nj->ni", said, field), 0.0, atol=1e-18)


def test_a_magnetometer_has_its_own_errors_and_without_one_there_is_no_field() -> None:
    noise = 1e-7
    spec = SensorSpec("compass", magnetometer=TriadSpec(noise_density=noise, full_scale=2e-3))
    samples = still(5000, field=True)
    read = LiveSensor(spec, ["pelvis"], 100.0).apply(samples)
    assert read.magnetic_field is not None and read.field_covariance is not None
    errors = read.magnetic_field - samples.magnetic_field
    sd = noise * np.sqrt(50.0)  # in the band up to half the rate
    assert errors.std() == pytest.approx(sd, rel=0.05)
    np.testing.assert_allclose(read.field_covariance[0, 0], (sd**2 + 1e-16) * np.eye(3), rtol=0.05)
    np.testing.assert_array_equal(read.specific_force, samples.specific_force)
    none = LiveSensor(SensorSpec("none"), ["pelvis"], 100.0).apply(samples)
    assert none.magnetic_field is None and none.field_covariance is None
