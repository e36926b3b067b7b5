"""Folders of clips that a parametric body has done, and settings that take a moment."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from fitmotion_models.datasets.synthesis.settings import SynthesisSettings
from fitmotion_models.mover.inline_lunge import inline_lunge_clip
from fitmotion_models.mover.lunge_parameters import InlineLungeParameters
from fitmotion_models.skeleton.clip_file import save_clip

SITES = ("pelvis", "right_thigh")


@cache
def lunge(side: str):
    return inline_lunge_clip(InlineLungeParameters(side=side, stance_s=0.3), fps=20.0)


def fill(folder: Path, persons=("anna", "ben"), trials: int = 2) -> Path:
    """DIR/PERSON/LABEL/N.npz."""
    for person in persons:
        for side in ("left", "right"):
            target = folder / person / f"lunge_{side}"
            target.mkdir(parents=True)
            for trial in range(trials):
                save_clip(target / f"{trial}.npz", replace(lunge(side), subject="whoever"))
    return folder


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """Two persons, two labels, two trials each."""
    return fill(tmp_path / "clips")


@pytest.fixture
def settings() -> SynthesisSettings:
    return SynthesisSettings(sites=SITES, rate_hz=50.0, preset="bmi270", seed=3)
