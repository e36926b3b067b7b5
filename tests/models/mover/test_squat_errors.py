"""Parameters that no squat has are refused with what would be possible."""

import re

import numpy as np
import pytest

from fitmotion_models.mover import MOVERS, SquatParameters, make_mover, seen_from, squat_clip, squat_series
from fitmotion_models.skeleton.body_pose import Source


@pytest.mark.parametrize(
    ("given_parameters", "words"),
    [
        ({"depth_m": 0.5}, ["depth_m=0.5", "-0.4 to 0.4 m"]),
        ({"depth_m": float("nan")}, ["depth_m=nan", "finite"]),
        ({"trunk_lean_deg": "30"}, ["trunk_lean_deg='30'", "finite"]),
        ({"knee_valgus_m": (0.0, 0.9)}, ["knee_valgus_m=0.9", "0.25 m"]),
        ({"knee_valgus_m": (0.0, 0.0, 0.0)}, ["knee_valgus_m", "(left, right)"]),
        ({"stance_width_m": (0.3, 0.3)}, ["stance_width_m", "one number"]),
        ({"heel_rise_m": -0.01}, ["heel_rise_m=-0.01", "0 to 0.15 m"]),
        ({"repetitions": 0}, ["repetitions=0", "1 to 1000"]),
        ({"repetitions": 2.5}, ["repetitions=2.5", "whole number"]),
        ({"descent_s": 0.0}, ["descent_s=0", "0.2 to 30 s"]),
        ({"seed": -1}, ["seed=-1", "whole number"]),
    ],
)
def test_out_of_range(given_parameters, words):
    with pytest.raises(ValueError) as error:
        SquatParameters(**given_parameters)
    for word in words:
        assert word in str(error.value)


@pytest.mark.parametrize(
    "given_parameters",
    [
        {"stance_width_m": 0.8, "knee_valgus_m": -0.1},
        {"scale": 0.6, "knee_valgus_m": -0.25},
        {"depth_m": 0.4},
        {"grip_width_m": 1.4},
    ],
)
def test_impossible_combination_names_a_change_that_works(given_parameters):
    with pytest.raises(ValueError, match="set ") as error:
        squat_clip(SquatParameters(**given_parameters))
    found = re.search(r"set (\w+) \(now .*\) between about (\S+) and (\S+)", str(error.value))
    assert found, str(error.value)
    name, low, high = found.group(1), float(found.group(2)), float(found.group(3))
    assert name in given_parameters
    middle = 0.5 * (low + high)
    squat_clip(SquatParameters(**given_parameters | {name: middle}))


def test_series_refuses_two_stances_and_none():
    with pytest.raises(ValueError, match=r"stance_width_m \(0.3, 0.36\)"):
        squat_series([SquatParameters(), SquatParameters(stance_width_m=0.3)])
    with pytest.raises(ValueError, match="at least one"):
        squat_series([])


@pytest.mark.parametrize("fps", [0.0, -30.0, float("nan"), float("inf")])
def test_frame_rate_must_be_one(fps):
    with pytest.raises(ValueError, match="fps="):
        squat_clip(SquatParameters(), fps=fps)


@pytest.mark.parametrize("name", MOVERS)
def test_every_mover_moves_smoothly_and_can_be_looped(name):
    clip = make_mover(name, fps=30.0, subject="somebody")
    assert (clip.subject, clip.source, clip.views) == ("somebody", Source.MOVER, 0)
    assert np.isnan(clip.view_direction).all()
    assert np.all(clip.confidence == 1.0)
    assert np.all(clip.feet_confidence == 1.0)
    assert np.isfinite(clip.positions).all()
    np.testing.assert_allclose(clip.positions[0], clip.positions[-1], atol=1e-6)
    # 10 m/s2 is free fall: nobody's joints outrun it in these movements
    acceleration = np.linalg.norm(np.diff(clip.positions, 2, axis=0), axis=-1) * 30.0**2
    assert acceleration.max() < 10.0
    assert np.ptp(clip.positions[..., 2], axis=0).max() > 0.2


def test_unknown_mover_lists_the_known_ones():
    with pytest.raises(ValueError, match="'squad' is unknown; known: squat, "):
        make_mover("squad")


def test_seen_from_sets_the_view_and_nothing_else():
    clip = squat_clip(SquatParameters(repetitions=1))
    seen = seen_from(clip, (0.0, 2.0, 0.0))
    assert seen.views == 1
    np.testing.assert_allclose(seen.view_direction, np.tile((0.0, 1.0, 0.0), (len(clip), 1)))
    np.testing.assert_array_equal(seen.positions, clip.positions)
    for wrong in ((0.0, 0.0, 0.0), (1.0, 0.0), (float("nan"), 0.0, 1.0)):
        with pytest.raises(ValueError, match="view_direction"):
            seen_from(clip, wrong)
