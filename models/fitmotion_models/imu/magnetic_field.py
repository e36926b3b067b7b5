"""The magnetic field that sensors feel: the Earth's, from the World Magnetic Model 2025, turned into their frames.

Indoors steel bends the field by tens of degrees; what is here is the field away from it, the same all over the room.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import yaml
from numpy.typing import ArrayLike

from fitmotion_models.imu.values import ImuRecording
from fitmotion_models.skeleton.rotations import Float64, conjugate, rotate

# the ellipsoid of WGS 84 and the model's reference sphere, metres
_EQUATOR_M, _FLATTENING, _SPHERE_M = 6378137.0, 1.0 / 298.257223563, 6371200.0
_NEAREST_POLE_DEG = 1e-6  # at a pole itself east is nowhere
_HIGHEST_M = 850e3  # where the model ends
_NANOTESLA = 1e-9


def earth_field(
    latitude_deg: float, longitude_deg: float, *, altitude_m: float = 0.0, year: float | None = None
) -> Float64:
    """The Earth's main field (3,) in tesla: north, east and down, of the World Magnetic Model.

    latitude_deg and longitude_deg: WGS 84, north and east positive. altitude_m: above the ellipsoid. year: with its
    decimals, such as 2026.5; None: now. Raises ValueError for a place or a year that the model has not.
    """
    model = _model()
    year = _now() if year is None else year
    if not (-90.0 <= latitude_deg <= 90.0 and -180.0 <= longitude_deg <= 360.0):
        raise ValueError(
            f"latitude {latitude_deg}, longitude {longitude_deg} is no place; allowed: -90 to 90, -180 to 360 degrees"
        )
    if not -1e4 <= altitude_m <= _HIGHEST_M:
        raise ValueError(f"altitude_m={altitude_m} is out of the model's range; allowed: -10000 to {_HIGHEST_M:g} m")
    if not model["epoch"] <= year <= model["valid_until"]:
        raise ValueError(
            f"year={year} is not in the World Magnetic Model's; allowed: {model['epoch']} to {model['valid_until']}"
        )
    latitude = math.radians(math.copysign(min(abs(latitude_deg), 90.0 - _NEAREST_POLE_DEG), latitude_deg))
    centred, radius = _geocentric(latitude, altitude_m)
    north, east, down = _sphere_field(centred, math.radians(longitude_deg), radius, year)
    tilt = centred - latitude
    north, down = north * math.cos(tilt) - down * math.sin(tilt), north * math.sin(tilt) + down * math.cos(tilt)
    return _NANOTESLA * np.array([north, east, down])


def world_field(
    latitude_deg: float,
    longitude_deg: float,
    *,
    heading_deg: float = 0.0,
    altitude_m: float = 0.0,
    year: float | None = None,
) -> Float64:
    """The Earth's field (3,) in tesla in the frame `world`: x forward, y left, z up.

    heading_deg: true bearing of x, clockwise from north. The rest and what is raised: as `earth_field`.
    """
    north, east, down = earth_field(latitude_deg, longitude_deg, altitude_m=altitude_m, year=year)
    cosine, sine = math.cos(math.radians(heading_deg)), math.sin(math.radians(heading_deg))
    return np.array([north * cosine + east * sine, north * sine - east * cosine, -down])


def with_magnetic_field(recording: ImuRecording, field: ArrayLike) -> ImuRecording:
    """A recording with what magnetometers in the same sensors read of a field (3,), tesla, in the world."""
    there = np.asarray(field, dtype=np.float64)
    if there.shape != (3,) or not np.isfinite(there).all():
        raise ValueError(
            f"the magnetic field {field!r} must be three finite numbers, tesla in the world; see world_field"
        )
    return replace(recording, magnetic_field=rotate(conjugate(recording.rotations), there))


def _now() -> float:
    today = datetime.now(UTC)
    return today.year + (today.timetuple().tm_yday - 1) / 365.25


@cache
def _model() -> Mapping[str, Any]:
    read: Mapping[str, Any] = yaml.safe_load(resources.files(__package__).joinpath("wmm2025.yaml").read_text())
    return read


def _geocentric(latitude: float, altitude_m: float) -> tuple[float, float]:
    """Geocentric latitude, radians, and distance from the Earth's centre, metres."""
    eccentricity = _FLATTENING * (2.0 - _FLATTENING)
    across = _EQUATOR_M / math.sqrt(1.0 - eccentricity * math.sin(latitude) ** 2)
    away, up = (
        (across + altitude_m) * math.cos(latitude),
        (across * (1.0 - eccentricity) + altitude_m) * math.sin(latitude),
    )
    return math.atan2(up, away), math.hypot(away, up)


def _sphere_field(latitude: float, longitude: float, radius: float, year: float) -> tuple[float, float, float]:
    """North, east and towards the centre on a sphere, nanotesla: minus the gradient of the harmonic potential."""
    sine, cosine = math.sin(latitude), math.cos(latitude)
    north = east = down = 0.0
    legendre, slopes = _legendre(sine, cosine, max(row[0] for row in _model()["coefficients"]))
    since = year - _model()["epoch"]
    for n, m, g, h, g_rate, h_rate in _model()["coefficients"]:
        g, h = g + since * g_rate, h + since * h_rate
        fall = (_SPHERE_M / radius) ** (n + 2)
        along, across = math.cos(m * longitude), math.sin(m * longitude)
        north += fall * (g * along + h * across) * slopes[n][m]
        east += fall * m * (g * across - h * along) * legendre[n][m] / cosine
        down -= fall * (n + 1) * (g * along + h * across) * legendre[n][m]
    return north, east, down


def _legendre(sine: float, cosine: float, degree: int) -> tuple[list[list[float]], list[list[float]]]:
    """Schmidt semi-normalised associated Legendre functions of a latitude and their slopes by the colatitude."""
    values, slopes = [[1.0]], [[0.0]]
    for n in range(1, degree + 1):
        row, slope = [], []
        for m in range(n):
            before = math.sqrt((n - 1) ** 2 - m * m)
            older, older_slope = (values[n - 2][m], slopes[n - 2][m]) if m <= n - 2 else (0.0, 0.0)
            scale = 1.0 / math.sqrt(n * n - m * m)
            last, last_slope = values[n - 1][m], slopes[n - 1][m]
            row.append(scale * ((2 * n - 1) * sine * last - before * older))
            slope.append(scale * ((2 * n - 1) * (sine * last_slope - cosine * last) - before * older_slope))
        scale = 1.0 if n == 1 else math.sqrt((2 * n - 1) / (2 * n))
        row.append(scale * cosine * values[n - 1][n - 1])
        slope.append(scale * (cosine * slopes[n - 1][n - 1] + sine * values[n - 1][n - 1]))
        values.append(row)
        slopes.append(slope)
    return values, slopes
