"""The recipe of the normal bands: the curves of UI-PRMD's correct repetitions, as our scorer finds them."""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from os import PathLike
from pathlib import Path

import numpy as np

from fitmotion_models.datasets.concatenated import concatenate
from fitmotion_models.datasets.uiprmd import read_uiprmd
from fitmotion_models.fms.moment import Array
from fitmotion_models.fms.normal_bands import BANDS_FILE, BandCounts, over_repetition
from fitmotion_models.fms.scorer import score_clip
from fitmotion_models.fms.shown_curves import SHOWN, clip_points
from fitmotion_models.fms.values import Assessment, Movement, Side
from fitmotion_models.skeleton.motion_clip import MotionClip

CITATION = (
    "Vakanski A, Jun H, Paul D, Baker R (2018) A data set of human body movements for physical rehabilitation "
    "exercises. Data 3(1):2. PDDL."
)


@dataclass(frozen=True)
class NormalBandsRecipe:
    """percentiles: of the repetitions, at every share of their time: the low edge, the middle line, the high edge.

    movements: UI-PRMD's name of a test to ours. Its hurdle step is none of them: it turns back in the air, where ours
    touches the floor with the heel. pause_s: how long the body stands still before and after. digits: after the point,
    in degrees; two more for metres.
    """

    movements: dict[str, str] = field(
        default_factory=lambda: {
            "m01": "DEEP_SQUAT",
            "m03": "INLINE_LUNGE",
            "m06": "STANDING_LEG_RAISE",
        }
    )
    percentiles: tuple[float, float, float] = (5.0, 50.0, 95.0)
    pause_s: float = 1.0
    digits: int = 1


def make_normal_bands(
    source: str | PathLike[str],
    recipe: NormalBandsRecipe | None = None,
    *,
    persons: Sequence[str] | None = None,
    progress: Callable[[int, int | None], None] | None = None,
) -> tuple[dict[str, dict[str, dict[str, list[float]]]], dict[str, BandCounts]]:
    """The bands, movement -> curve -> low, middle, high (101,), and what they are made of.

    source: UI-PRMD's folder or archive. persons: only these. Raises ValueError as `read_uiprmd` does.
    """
    recipe = recipe or NormalBandsRecipe()
    found: dict[str, dict[str, list[Array]]] = {name.lower(): {} for name in recipe.movements.values()}
    who: dict[str, list[str]] = {name.lower(): [] for name in recipe.movements.values()}
    clips = read_uiprmd(source, movements=list(recipe.movements), persons=persons, correct=True)
    for number, (name, clip) in enumerate(clips, start=1):
        movement = Movement[recipe.movements[name.movement]]
        clip, _ = concatenate([clip], recipe.pause_s)  # a repetition begins and ends with a stance
        for one in score_clip(clip, movement=movement, side=Side.BOTH)[:1]:
            who[movement.name.lower()].append(name.person)
            for curve, values in _curves(clip, one).items():
                found[movement.name.lower()].setdefault(curve, []).extend(values)
        if progress is not None:
            progress(number, None)
    bands = {
        movement: {curve: _band(values, recipe, _units(movement)[curve]) for curve, values in curves.items()}
        for movement, curves in found.items()
        if curves
    }
    return bands, {movement: BandCounts(len(set(names)), len(names)) for movement, names in who.items() if names}


def save_normal_bands(
    folder: str | PathLike[str],
    bands: dict[str, dict[str, dict[str, list[float]]]],
    counts: dict[str, BandCounts],
    recipe: NormalBandsRecipe | None = None,
) -> Path:
    """Write the bands with what they were made of and how, in place of those there are; returns the file."""
    content = {
        "data": CITATION,
        "recipe": asdict(recipe or NormalBandsRecipe()),
        "made_of": {movement: asdict(count) for movement, count in counts.items()},
        "bands": bands,
    }
    target = Path(folder) / BANDS_FILE
    partial = target.with_name(f".{target.name}.{os.getpid()}.part")
    partial.write_text(json.dumps(content, separators=(",", ":")) + "\n", encoding="utf-8")
    partial.replace(target)
    return target


def _units(movement: str) -> dict[str, str]:
    return {curve.name: curve.unit for curve in SHOWN[Movement[movement.upper()]].curves}


def _curves(clip: MotionClip, one: Assessment) -> dict[str, list[Array]]:
    """The curves of a repetition over its share of time: of the tested side, or of both where the test has none."""
    inside = np.flatnonzero((clip.stamps >= one.start) & (clip.stamps <= one.end))
    points, stamps = clip_points(clip)[inside], clip.stamps[inside]
    sides = {Side.LEFT: (0,), Side.RIGHT: (1,)}.get(one.side, (0, 1))
    return {
        curve.name: [
            over_repetition(stamps, curve.measure(points, side)) for side in (sides if curve.sided else sides[:1])
        ]
        for curve in SHOWN[one.movement].curves
    }


def _band(values: list[Array], recipe: NormalBandsRecipe, unit: str) -> dict[str, list[float]]:
    low, middle, high = np.nanpercentile(np.stack(values), recipe.percentiles, axis=0)
    digits = recipe.digits + (2 if unit == "m" else 0)
    return {name: np.round(line, digits).tolist() for name, line in (("low", low), ("middle", middle), ("high", high))}
