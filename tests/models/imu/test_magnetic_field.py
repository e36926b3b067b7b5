"""The Earth's field beside the World Magnetic Model's published test values, and what sensors feel of a field."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitmotion_models.imu import select_sites, virtual_imu
from fitmotion_models.imu.magnetic_field import earth_field, with_magnetic_field, world_field
from fitmotion_models.mover import SquatParameters, squat_clip
from fitmotion_models.skeleton.rotations import rotate


@pytest.mark.parametrize(
    ("latitude", "longitude", "altitude_km", "year", "expected"),
    [
        # the model's own test values (WMM2025 Test Values, NOAA) at sea level
        (80.0, 0.0, 0.0, 2025.0, (6521.6, 145.9, 54791.5)),
        (0.0, 120.0, 0.0, 2025.0, (39677.8, -109.6, -10580.2)),
        # what pygeomag 1.1.0 gives with the same coefficients: aloft, later, and where people are
        (-80.0, 240.0, 100.0, 2027.5, (5984.0, 14760.1, -49317.7)),
        (52.52, 13.4, 0.034, 2026.5, (18604.3, 1674.2, 46469.1)),
        (-33.87, 151.2, 0.05, 2026.9, (24006.6, 5465.8, -51380.0)),
        (40.0, -105.25, 1.65, 2028.0, (20573.9, 2727.4, 46498.7)),
        (0.0, 0.0, 0.0, 2025.0, (27453.9, -1927.6, -16010.8)),
    ],
)
def test_the_field_is_that_of_the_published_model(latitude, longitude, altitude_km, year, expected) -> None:
    found = earth_field(latitude, longitude, altitude_m=1e3 * altitude_km, year=year)
    np.testing.assert_allclose(1e9 * found, expected, atol=0.06)


@given(st.floats(-89.0, 89.0), st.floats(-180.0, 180.0), st.floats(-360.0, 360.0))
def test_the_way_one_faces_only_turns_the_field(latitude, longitude, heading) -> None:
    north, east, down = earth_field(latitude, longitude, year=2026.0)
    found = world_field(latitude, longitude, heading_deg=heading, year=2026.0)
    assert np.linalg.norm(found) == pytest.approx(np.linalg.norm((north, east, down)))
    assert found[2] == -down and 15e-6 < np.linalg.norm(found) < 75e-6
    # the bearing of the field, seen by somebody who faces the heading, is the declination less the heading
    bearing = np.arctan2(-found[1], found[0])
    expected = np.arctan2(east, north) - np.radians(heading)
    assert np.cos(bearing - expected) == pytest.approx(1.0)


def test_facing_east_north_is_left() -> None:
    field = world_field(48.0, 11.5, heading_deg=90.0, year=2026.0)
    north, east, down = earth_field(48.0, 11.5, year=2026.0)
    np.testing.assert_allclose(field, (east, north, -down), atol=1e-15)


def test_the_field_is_continuous_at_the_poles() -> None:
    for latitude in (90.0, -90.0):
        at, near = (earth_field(sign, 30.0, year=2026.0) for sign in (latitude, latitude * (1.0 - 1e-5)))
        np.testing.assert_allclose(at, near, atol=1e-9)


def test_sensors_feel_it_in_their_own_frames() -> None:
    clip, field = squat_clip(SquatParameters(repetitions=1), fps=30.0), world_field(48.0, 11.5, year=2026.0)
    sites = select_sites(["pelvis", "right_thigh"])
    readings = virtual_imu(clip, sites, world_field=field)
    np.testing.assert_allclose(rotate(readings.rotations, readings.magnetic_field) - field, 0.0, atol=1e-18)
    plain = virtual_imu(clip, sites)
    assert plain.magnetic_field is None
    np.testing.assert_array_equal(with_magnetic_field(plain, field).magnetic_field, readings.magnetic_field)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"latitude_deg": 91.0}, "latitude 91.0, longitude 11.5 is no place"),
        ({"year": 2031.0}, "year=2031.0 is not in the World Magnetic Model's; allowed: 2025.0 to 2030.0"),
        ({"altitude_m": 1e7}, "altitude_m=10000000.0 is out of the model's range"),
    ],
)
def test_what_the_model_has_not_is_refused(arguments, sentence) -> None:
    with pytest.raises(ValueError, match=sentence):
        earth_field(**{"latitude_deg": 48.0, "longitude_deg": 11.5, "year": 2026.0, **arguments})


def test_what_is_no_field_is_refused() -> None:
    clip = squat_clip(SquatParameters(repetitions=1), fps=30.0)
    with pytest.raises(ValueError, match="must be three finite numbers, tesla in the world"):
        virtual_imu(clip, select_sites(["head"]), world_field=(1.0, 2.0))
