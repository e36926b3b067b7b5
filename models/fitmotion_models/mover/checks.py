"""Checks of parameters: names, values and ranges in the errors."""

from collections.abc import Mapping
from math import isfinite

from fitmotion_models.mover.body import SIDES


def check_side(side: str) -> None:
    """Raise ValueError when `side` is not one."""
    if side not in SIDES:
        raise ValueError(f"side={side!r} is unknown; allowed: {', '.join(SIDES)}")


def check_fps(fps: float) -> None:
    """Raise ValueError when `fps` is no frame rate."""
    if not (isfinite(fps) and fps > 0.0):
        raise ValueError(f"fps={fps!r} must be a positive number of frames a second")


def check_numbers(parameters: object, ranges: Mapping[str, tuple[float, float, str]]) -> None:
    """Raise ValueError when a field of `parameters` is no number of its range (lowest, highest, unit)."""
    for name, (low, high, unit) in ranges.items():
        value = getattr(parameters, name)
        kinds = int if name == "repetitions" else int | float
        if isinstance(value, bool) or not isinstance(value, kinds) or not isfinite(value):
            number = "whole" if name == "repetitions" else "finite"
            raise ValueError(f"{name}={value!r} is not a {number} number; allowed: {low:g} to {high:g} {unit}")
        if not low <= value <= high:
            raise ValueError(f"{name}={value:g} is out of range; allowed: {low:g} to {high:g} {unit}")
