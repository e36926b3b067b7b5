"""Orientation from what sensors read: against the authors' own VQF, at rest, and against the truth of a mocap walk."""

import io
import os
import tarfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vqf import VQF

from fitmotion_models.datasets.asf_amc import read_asf_amc
from fitmotion_models.imu import ImuRecording, select_sites, virtual_imu
from fitmotion_models.imu.orientation import OrientationFilter, orientations
from fitmotion_models.imu.sensor_model import measured
from fitmotion_models.imu.sensor_spec import sensor_preset
from fitmotion_models.skeleton.rotations import angle_between, conjugate, from_rotvec, multiply, rotate, to_rotvec

RATE = 100.0
FIELD = np.array([0.0, 20.0, -40.0])  # north is y, as VQF has it
BIAS = np.radians((0.5, -0.3, 0.4))


def readings(count: int, sites: int = 2, seed: int = 0, *, rest_from: float = np.inf):
    """Turning sensors that are pushed about, with noise and biased gyroscopes, and then rest: truth and readings."""
    random = np.random.default_rng(seed)
    times = np.arange(count)[:, None, None] / RATE
    angles = 0.6 * np.sin(2.0 * np.pi * 0.7 * times + random.uniform(0.0, 6.0, (sites, 3))) * (times < rest_from)
    true = from_rotvec(angles)
    rate = to_rotvec(multiply(conjugate(true[:-1]), true[1:])) * RATE
    rate = np.concatenate([rate[:1], rate]) + BIAS + 1e-3 * random.normal(size=(count, sites, 3))
    pushed = np.sin(2.0 * np.pi * 1.3 * times) * (1.5, 0.7, 0.4) * (times < rest_from)
    force = rotate(conjugate(true), (0.0, 0.0, 9.81) + pushed) + 0.02 * random.normal(size=(count, sites, 3))
    return true, force, rate, rotate(conjugate(true), FIELD)


@pytest.mark.parametrize("with_field", [False, True])
def test_it_is_vqf(with_field) -> None:
    """As the authors' own program, with its rejection of disturbances off: motion, then rest, biases found in both."""
    _, force, rate, field = readings(3000, rest_from=20.0)
    ours = OrientationFilter(2, RATE, north=(0.0, 1.0) if with_field else None)
    found = ours.update(force, rate, field if with_field else None)
    for site in range(2):
        arrays = [
            np.ascontiguousarray(array[:, site]) for array in ((rate, force, field) if with_field else (rate, force))
        ]
        peer = VQF(1.0 / RATE, magDistRejectionEnabled=False).updateBatch(*arrays)
        theirs = peer["quat9D" if with_field else "quat6D"][:, [1, 2, 3, 0]]
        assert np.degrees(angle_between(theirs, found.rotations[:, site])).max() < 1e-4


def test_blocks_do_not_matter() -> None:
    _, force, rate, field = readings(400)
    whole = OrientationFilter(2, RATE, north=(0.0, 1.0)).update(force, rate, field)
    pieces = OrientationFilter(2, RATE, north=(0.0, 1.0))
    parts = [pieces.update(force[a:b], rate[a:b], field[a:b]) for a, b in ((0, 1), (1, 1), (1, 150), (150, 400))]
    for name in ("rotations", "covariance"):
        np.testing.assert_array_equal(np.concatenate([getattr(part, name) for part in parts]), getattr(whole, name))


@settings(max_examples=8, deadline=None)
@given(st.tuples(*[st.floats(-3.0, 3.0)] * 3))
def test_a_sensor_at_rest_knows_which_way_is_up_at_once(turn) -> None:
    true = np.broadcast_to(from_rotvec(np.array(turn)), (20, 1, 4))
    force = rotate(conjugate(true), (0.0, 0.0, 9.81))
    found = OrientationFilter(1, RATE).update(force, np.zeros((20, 1, 3)), start=true)
    # with the true heading to start with, all of it is true; the first correction is taken for a little of a bias
    assert np.degrees(angle_between(found.rotations, true)).max() < 0.01


@pytest.mark.slow
def test_a_field_brings_the_heading_back_and_without_one_it_drifts_within_what_is_said() -> None:
    true, force, rate, field = readings(4000, sites=6, rest_from=0.0)
    north = (0.0, 1.0)
    wrong = multiply(from_rotvec(np.array([0.0, 0.0, 1.0])), true)
    with_field = OrientationFilter(6, RATE, north=north).update(force, rate, field, start=wrong)
    assert np.degrees(angle_between(with_field.rotations[-1], true[-1])).max() < 1.0
    alone = OrientationFilter(6, RATE).update(force, rate, start=true)
    error = to_rotvec(multiply(alone.rotations, conjugate(true)))
    spread = np.sqrt(alone.covariance[..., [0, 1, 2], [0, 1, 2]])
    assert (np.abs(error) < 3.0 * spread).mean() > 0.97
    # a bias of 0.4 degrees/s turned it until rest told it, about 1.5 s long
    assert 0.3 < np.degrees(np.abs(error[-1, :, 2])).mean() < 3.0


def test_short_holes_are_gone_over_and_long_ones_start_again() -> None:
    true, force, rate, _ = readings(1200)
    force[500:510, 0] = np.nan
    rate[800:900, 1] = np.nan
    found = OrientationFilter(2, RATE).update(force, rate, start=true)
    gone = np.isnan(found.rotations).all(axis=-1)
    np.testing.assert_array_equal(gone, np.isnan(force + rate).any(axis=-1))
    assert np.isnan(found.covariance[gone]).all() and np.isfinite(found.covariance[~gone]).all()
    error = np.degrees(angle_between(found.rotations, true))
    assert error[510, 0] < error[499, 0] + 10.0
    # it starts with the heading that is given then
    heading = to_rotvec(multiply(found.rotations[900, 1], conjugate(true[900, 1])))[2]
    assert abs(np.degrees(heading)) < 1e-6
    # and does not know yet which way it has been pushed
    assert found.covariance[900, 1, 0, 0] > 4.0 * found.covariance[799, 1, 0, 0]


def test_what_it_cannot_do_is_refused() -> None:
    with pytest.raises(ValueError, match="rate_hz=0.1 is too low for an orientation"):
        OrientationFilter(1, 0.1)
    _, force, rate, field = readings(3, 1)
    with pytest.raises(ValueError, match="no direction of it in the world; give north"):
        OrientationFilter(1, RATE).update(force, rate, field)


@pytest.fixture(scope="module")
def walk() -> ImuRecording:
    """What sensors read of a recorded walk."""
    path = Path(os.environ.get("FITMOTION_DATA", Path(__file__).parents[4] / "shared" / "data")) / "cmu-01-03.tar.xz"
    if not path.exists():
        pytest.skip(f"{path} is missing; set FITMOTION_DATA")
    with tarfile.open(path) as archive:
        asf, amc = (io.BytesIO(archive.extractfile(f"cmu/{name}").read()) for name in ("02.asf", "02_01.amc"))
    return virtual_imu(read_asf_amc(asf, amc, target_fps=None), select_sites(["pelvis", "left_thigh", "right_wrist"]))


def test_on_a_walk_the_inclination_is_true_within_degrees(walk) -> None:
    found = orientations(measured(walk, sensor_preset("bmi270"), seed=1))
    error = to_rotvec(multiply(found.rotations, conjugate(walk.rotations)))
    inclination = np.degrees(np.linalg.norm(error[..., :2], axis=-1))
    assert np.median(inclination, axis=0).max() < 6.0
    spread = np.sqrt(found.covariance[..., 0, 0] + found.covariance[..., 1, 1])
    assert (np.radians(inclination) < 3.0 * spread).mean() > 0.9
    assert np.degrees(np.median(spread)) < 12.0
    # better than to take what is read as gravity, as a tilt sensor does
    up = rotate(walk.rotations, walk.specific_force)
    tilt = np.degrees(np.arccos(np.clip(up[..., 2] / np.linalg.norm(up, axis=-1), -1.0, 1.0)))
    assert (np.median(inclination, axis=0) < np.median(tilt, axis=0)).all()
