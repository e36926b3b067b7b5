"""Whose side limps: a walk whose left steps take longer, and what is asked of a generator."""

from dataclasses import dataclass

import numpy as np
import pytest

from fitmotion_models.datasets.gait_phases import SIDES, SideGait
from fitmotion_models.datasets.impaired_gait import Impairment
from fitmotion_models.evaluation import gait_report
from fitmotion_models.evaluation.gait_report import gait_figures, gait_requests, lines_of, side_ratios
from fitmotion_models.motion.features import FPS, LAYOUT, clip_of
from fitmotion_models.motion.sides import swap_sides
from fitmotion_models.skeleton.motion_clip import MotionClip

STRIDE_S = 1.6


def walk(left_stance_s: float, right_stance_s: float, seconds: float = 12.0) -> MotionClip:
    """A body that glides while its feet stand and swing as told, the right one half a stride after the left."""
    times = np.arange(round(seconds * FPS)) / FPS
    features = np.zeros((len(times), LAYOUT.size), np.float32)
    features[:, LAYOUT["root_position"]] = np.stack([times, 0 * times, 0 * times + 0.93], axis=-1)
    features[:, LAYOUT["heading"]] = (1.0, 0.0)
    features[:, LAYOUT["rotations"]] = np.tile((1.0, 0, 0, 0, 1.0, 0), 22)
    clip = clip_of(features)
    for columns, start, stance in (((0, 1), 0.0, left_stance_s), ((2, 3), 0.5 * STRIDE_S, right_stance_s)):
        phase = (times - start) % STRIDE_S
        place = np.floor((times - start) / STRIDE_S) + np.clip((phase - stance) / (STRIDE_S - stance), 0.0, 1.0)
        height = np.where(phase < stance, 0.0, 0.2)
        for column in columns:
            clip.feet[:, column] = np.stack([STRIDE_S * place, 0 * times, height], axis=-1)
    return clip


@dataclass
class Walker:
    """Stands shorter on the side that is named, or on none of them."""

    follows: bool

    def clips(self, requests, progress=None):
        short = [one.side if self.follows and one.label != "healthy" else None for one in requests]
        return [walk(0.7 if side == "left" else 1.0, 0.7 if side == "right" else 1.0) for side in short]


def test_a_side_that_stands_shorter_is_told() -> None:
    _, stance = side_ratios(walk(0.7, 1.0), "left")
    assert stance == pytest.approx(0.7, abs=0.08)
    assert side_ratios(walk(0.7, 1.0), "right")[1] == pytest.approx(1.0 / stance)
    assert side_ratios(walk(1.0, 1.0), "left")[1] == pytest.approx(1.0, abs=0.05)


def test_steps_that_take_no_time_are_no_ratio(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, none = SideGait(0.5, 0.6, 0.6, 0.4), SideGait(0.0, 0.0, 0.0, 0.0)
    monkeypatch.setattr(gait_report, "gait_of", lambda clip: {"left": whole, "right": none})
    assert np.isnan(side_ratios(walk(0.6, 0.6, 2.0), "left")).all()
    assert side_ratios(walk(0.6, 0.6, 2.0), "right") == (0.0, 0.0)


def test_every_impairment_is_asked_for_on_both_sides_by_name() -> None:
    requests = gait_requests(3, np.random.default_rng(0))
    assert len(requests) == 3 * 2 * (len(Impairment) + 1)
    for label in (Impairment.LIMP, Impairment.HEMIPARETIC, Impairment.ANTALGIC):
        left, right = ([one.text for one in requests if (one.label, one.side) == (label, side)] for side in SIDES)
        assert [swap_sides(text) for text in left] == right != left
    assert {one.score for one in requests} == {None}


def test_figures_say_whether_the_named_side_is_the_one() -> None:
    followed = gait_figures(Walker(follows=True), 3, np.random.default_rng(0))
    ignored = gait_figures(Walker(follows=False), 3, np.random.default_rng(0))
    assert followed["limp"]["stance_time"]["on_named_side"] == 1.0
    assert followed["limp"]["stance_time"]["ratio"] < 0.8 < 0.95 < followed["healthy"]["stance_time"]["ratio"]
    assert followed["short_step"]["stance_time"]["on_named_side"] is None  # its texts name no side
    assert ignored["limp"]["stance_time"]["on_named_side"] < 1.0
    assert "limp (6 of 6 clips)" in "\n".join(lines_of(followed))
