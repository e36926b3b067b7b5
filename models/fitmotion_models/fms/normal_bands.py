"""How repetitions that were done correctly run: the band of each curve that a report shows behind a person's own."""

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np

from fitmotion_models import weights
from fitmotion_models.fms.moment import Array
from fitmotion_models.fms.values import Movement

BANDS_FILE = "normal_bands.json"  # made by `./fitmotion train normal-bands`; its card lies beside it
POINTS_ACROSS = 101  # a repetition from its start (0 %) to its end (100 %)


@dataclass(frozen=True, eq=False)
class NormalBand:
    """low, middle, high: (101,) in the curve's unit, over the share of a repetition's time from 0 to 1."""

    low: Array
    middle: Array
    high: Array


@dataclass(frozen=True)
class BandCounts:
    """What a movement's bands are made of."""

    persons: int
    repetitions: int


def over_repetition(stamps: Array, values: Array) -> Array:
    """A curve (N,) over a repetition as 101 values, first stamp to last; NaN where fewer than two are seen."""
    seen = np.isfinite(values)
    if seen.sum() < 2:
        return np.full(POINTS_ACROSS, np.nan)
    wanted = np.linspace(stamps[0], stamps[-1], POINTS_ACROSS)
    return np.interp(wanted, stamps[seen], values[seen], left=np.nan, right=np.nan)


def normal_band(movement: Movement, curve: str) -> NormalBand | None:
    """The band of a curve of `shown_curves.SHOWN` by its name; None where there is no data for that test."""
    found = _file()["bands"].get(movement.name.lower(), {}).get(curve)
    return None if found is None else NormalBand(*(np.array(found[name]) for name in ("low", "middle", "high")))


def made_of(movement: Movement) -> BandCounts | None:
    """How many persons and repetitions a test's bands are made of; None where it has none."""
    found = _file()["made_of"].get(movement.name.lower())
    return None if found is None else BandCounts(**found)


@lru_cache(maxsize=1)
def _file() -> dict[str, Any]:
    content: dict[str, Any] = json.loads((files(weights) / BANDS_FILE).read_text(encoding="utf-8"))
    return content
