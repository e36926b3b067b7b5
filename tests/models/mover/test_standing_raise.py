"""The parametric standing leg raise: its parameters are measured back from positions."""

from dataclasses import replace

import numpy as np
import pytest

from fitmotion_models.mover.standing_raise import standing_leg_raise_clip, standing_leg_raise_truth
from fitmotion_models.mover.standing_raise_parameters import StandingLegRaiseParameters
from fitmotion_models.skeleton.frames import mirror_clip
from fitmotion_models.skeleton.joint_sets import SMPL22

RAISES = [
    {},
    {"leg_deg": 55.0, "stance_slip_m": 0.08},
    {"leg_deg": 105.0, "knee_deg": 30.0, "trunk_lean_deg": 20.0},
    {"standing_knee_deg": 35.0, "pelvis_tilt_deg": 12.0, "trunk_side_deg": 8.0, "scale": 1.1},
]


@pytest.mark.parametrize("given_parameters", RAISES, ids=str)
def test_parameters_are_measured_back(given_parameters, measure):
    parameters = StandingLegRaiseParameters(**given_parameters)
    truth, clip = standing_leg_raise_truth(parameters), standing_leg_raise_clip(parameters)
    times = truth.repetitions[0]
    top, stance = measure(clip, round((times.top_start + times.top_end) / 2 * 30.0)), measure(clip, 0)
    assert 180.0 - top.lean_deg("left_hip", "left_ankle") == pytest.approx(parameters.leg_deg, abs=1e-3)
    assert top["left_ankle"][0] > top["left_hip"][0]
    assert top.knee_flexion_deg("left") == pytest.approx(parameters.knee_deg, abs=1e-3)
    assert top.knee_flexion_deg("right") == pytest.approx(parameters.standing_knee_deg, abs=1e-3)
    assert top.lean_deg("pelvis", "neck") == pytest.approx(truth.trunk_change_deg, abs=1e-3)
    hips = top["left_hip"] - top["right_hip"]
    assert np.degrees(np.arctan2(hips[2], hips[1])) == pytest.approx(parameters.pelvis_tilt_deg, abs=1e-3)
    slip = top["right_ankle"] - stance["right_ankle"]
    assert slip == pytest.approx([parameters.stance_slip_m, 0.0, 0.0], abs=1e-5)


def test_the_weight_is_over_the_standing_foot(measure):
    parameters = StandingLegRaiseParameters()
    clip, times = standing_leg_raise_clip(parameters), standing_leg_raise_truth(parameters).repetitions[0]
    top = measure(clip, round((times.top_start + times.top_end) / 2 * 30.0))
    # Plagenhoff 1983, men
    parts = [("mid_hip", "mid_shoulder", 0.551, 0.56), ("neck", "head", 0.0826, 1.0)]
    for side in ("left", "right"):
        parts += [
            (f"{side}_hip", f"{side}_knee", 0.105, 0.433),
            (f"{side}_knee", f"{side}_ankle", 0.0475, 0.434),
            (f"{side}_ankle", f"{side}_foot", 0.0143, 0.5),
            (f"{side}_shoulder", f"{side}_elbow", 0.0325, 0.436),
            (f"{side}_elbow", f"{side}_wrist", 0.0252, 0.6),
        ]
    mass = sum(share * (top[a] + place * (top[b] - top[a])) for a, b, share, place in parts)
    mass /= sum(share for _, _, share, _ in parts)
    assert mass[1] == pytest.approx(top["right_ankle"][1], abs=0.03)
    assert top.heel("right")[0] < mass[0] < top.toe("right")[0]


@pytest.mark.parametrize("given_parameters", RAISES, ids=str)
def test_the_body_stays_one_body_over_the_floor_and_moves_smoothly(given_parameters, measure):
    clip = standing_leg_raise_clip(StandingLegRaiseParameters(**given_parameters, repetitions=2, pause_s=0.1))
    body = measure(clip)
    for parent, child in SMPL22.edges:
        length = np.linalg.norm(body.positions[:, child] - body.positions[:, parent], axis=-1)
        np.testing.assert_allclose(length, np.linalg.norm(clip.bone_offsets[child]), atol=1e-6)
    assert clip.feet[..., 2].min() > -1e-6
    np.testing.assert_allclose(clip.positions[0], clip.positions[-1], atol=1e-6)
    # UI-PRMD's raises reach 30 m/s2 at the ankle
    assert np.linalg.norm(np.diff(clip.positions, 2, axis=0), axis=-1).max() * 30.0**2 < 25.0


def test_the_other_side_is_the_mirror_image():
    parameters = StandingLegRaiseParameters(trunk_side_deg=5.0, pelvis_tilt_deg=4.0)
    left, right = (standing_leg_raise_clip(replace(parameters, side=side)) for side in ("left", "right"))
    np.testing.assert_array_equal(mirror_clip(left).positions, right.positions)
    assert (left.labels, right.labels) == (("standing_leg_raise", "left"), ("standing_leg_raise", "right"))


def test_wrong_parameters_are_named():
    with pytest.raises(ValueError, match="leg_deg=150 is out of range; allowed: 20 to 115 deg"):
        StandingLegRaiseParameters(leg_deg=150.0)
    with pytest.raises(ValueError, match="fps="):
        standing_leg_raise_clip(StandingLegRaiseParameters(), fps=0.0)
