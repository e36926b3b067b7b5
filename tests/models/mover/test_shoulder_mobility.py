"""The parametric reach behind the back: its parameters are measured back from positions."""

from dataclasses import replace

import numpy as np
import pytest

from fitmotion_models.mover.shoulder_mobility import shoulder_mobility_clip, shoulder_mobility_truth
from fitmotion_models.mover.shoulder_parameters import ShoulderMobilityParameters
from fitmotion_models.skeleton.frames import mirror_clip
from fitmotion_models.skeleton.joint_sets import SMPL22

REACHES = [
    {},
    {"fists_apart": 0.0},
    {"fists_apart": 1.8, "fists_aside_m": 0.05},
    {"trunk_lean_deg": -15.0, "trunk_side_deg": 8.0, "scale": 1.1},
]


def held(parameters, measure):
    clip, times = shoulder_mobility_clip(parameters), shoulder_mobility_truth(parameters).repetitions[0]
    return measure(clip, round((times.bottom_start + times.bottom_end) / 2 * 30.0))


@pytest.mark.parametrize("given_parameters", REACHES, ids=str)
def test_parameters_are_measured_back(given_parameters, measure):
    parameters = ShoulderMobilityParameters(**given_parameters)
    truth, body = shoulder_mobility_truth(parameters), held(parameters, measure)
    distance = np.linalg.norm(body["left_wrist"] - body["right_wrist"])
    assert distance == pytest.approx(truth.wrist_distance_m, abs=1e-5)
    # hand length .108 of a stature of 1.72 m, and a palm of .56 of it in each fist
    hand = 0.108 * 1.72 * parameters.scale
    assert (distance - 2 * 0.56 * hand) / hand == pytest.approx(parameters.fists_apart, abs=1e-4)
    assert body.lean_deg("pelvis", "neck") == pytest.approx(truth.trunk_change_deg, abs=1e-3)


@pytest.mark.parametrize("fists_apart", [0.0, 1.0, 2.0])
def test_the_arms_lie_on_the_back_as_those_of_a_person_do(fists_apart, measure):
    body = held(ShoulderMobilityParameters(fists_apart=fists_apart), measure)
    for side in ("left", "right"):
        upper, fore = body[f"{side}_shoulder"] - body[f"{side}_elbow"], body[f"{side}_wrist"] - body[f"{side}_elbow"]
        flexion = 180.0 - np.degrees(np.arccos(upper @ fore / np.linalg.norm(upper) / np.linalg.norm(fore)))
        # AAOS: an elbow bends by 150 degrees at most
        assert 10.0 < flexion < 150.0
        # behind the spine, not in it
        assert body[f"{side}_wrist"][0] < min(body["spine3"][0], body["neck"][0]) - 0.05
    assert body["left_elbow"][2] > body["left_shoulder"][2] > body["right_elbow"][2]
    assert body["left_wrist"][2] > body["right_wrist"][2]


def test_the_body_stays_one_body_and_moves_smoothly(measure):
    clip = shoulder_mobility_clip(ShoulderMobilityParameters(repetitions=2, pause_s=0.1))
    body = measure(clip)
    for parent, child in SMPL22.edges:
        length = np.linalg.norm(body.positions[:, child] - body.positions[:, parent], axis=-1)
        np.testing.assert_allclose(length, np.linalg.norm(clip.bone_offsets[child]), atol=1e-6)
    np.testing.assert_allclose(clip.feet, np.broadcast_to(clip.feet[0], clip.feet.shape), atol=1e-6)
    np.testing.assert_allclose(clip.positions[0], clip.positions[-1], atol=1e-6)
    # hands and elbows are as quick as arms are: peaks of some 20 m/s2 in reaching (Atkeson & Hollerbach 1985)
    assert np.linalg.norm(np.diff(clip.positions, 2, axis=0), axis=-1).max() * 30.0**2 < 25.0


def test_the_other_side_is_the_mirror_image():
    parameters = ShoulderMobilityParameters(trunk_side_deg=5.0, fists_aside_m=0.02)
    left, right = (shoulder_mobility_clip(replace(parameters, side=side)) for side in ("left", "right"))
    np.testing.assert_array_equal(mirror_clip(left).positions, right.positions)
    assert (left.labels, right.labels) == (("shoulder_mobility", "left"), ("shoulder_mobility", "right"))


def test_wrong_parameters_are_named():
    with pytest.raises(ValueError, match="fists_apart=5 is out of range; allowed: -0.1 to 2 hand lengths"):
        ShoulderMobilityParameters(fists_apart=5.0)
    with pytest.raises(ValueError, match="side='both' is unknown"):
        ShoulderMobilityParameters(side="both")
    with pytest.raises(ValueError, match="fps="):
        shoulder_mobility_clip(ShoulderMobilityParameters(), fps=0.0)
