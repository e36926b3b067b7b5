"""The parametric bodies on the floor: their parameters are measured back from positions."""

import numpy as np
import pytest

from fitmotion_models.mover.floor_movers import FLOOR_MOVERS
from fitmotion_models.mover.leg_raise import leg_raise_clip, leg_raise_truth
from fitmotion_models.mover.leg_raise_parameters import LegRaiseParameters
from fitmotion_models.mover.movers import MOVERS
from fitmotion_models.mover.push_up import push_up_clip, push_up_truth
from fitmotion_models.mover.push_up_parameters import PushUpParameters
from fitmotion_models.mover.rotary_parameters import RotaryStabilityParameters
from fitmotion_models.mover.rotary_stability import rotary_stability_clip, rotary_stability_truth
from fitmotion_models.skeleton.frames import mirror_clip
from fitmotion_models.skeleton.kinematics import feet_from_pose, forward_kinematics

FPS = 40.0
OTHER = {"left": "right", "right": "left"}


def angle_deg(first, second):
    cosine = (first * second).sum(-1) / np.linalg.norm(first, axis=-1) / np.linalg.norm(second, axis=-1)
    return np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))


def bend(body, first, middle, last):
    """How far three joints are from a straight line, degrees."""
    return angle_deg(body[middle] - body[first], body[last] - body[middle])


@pytest.mark.parametrize(
    ("side", "given"),
    [
        ("left", {}),
        ("right", {"ankle_over": -0.2, "raised_knee_deg": 25.0}),
        ("left", {"ankle_over": 1.3, "other_knee_deg": 40.0, "scale": 0.9}),
        ("right", {"ankle_over": 0.3, "other_lift_m": 0.15}),
    ],
    ids=str,
)
def test_leg_raise_parameters_are_measured_back(side, given, measure):
    parameters = LegRaiseParameters(side=side, **given)
    truth, clip = leg_raise_truth(parameters), leg_raise_clip(parameters, fps=FPS)
    top, lying, other = measure(clip, round(truth.repetitions[0].bottom_start * FPS)), measure(clip, 0), OTHER[side]
    hip, knee = top[f"{other}_hip"], top[f"{other}_knee"]
    over = (top[f"{side}_ankle"] - knee)[0] / (hip - knee)[0]
    assert over == pytest.approx(parameters.ankle_over, abs=1e-4)
    for leg, wanted in ((side, parameters.raised_knee_deg), (other, parameters.other_knee_deg)):
        assert bend(top, f"{leg}_hip", f"{leg}_knee", f"{leg}_ankle") == pytest.approx(wanted, abs=0.05)
    lift = (top[f"{other}_ankle"] - lying[f"{other}_ankle"])[2]
    assert lift == pytest.approx(parameters.other_lift_m, abs=1e-4)
    assert abs((top[f"{side}_ankle"] - top[f"{side}_hip"])[1]) < 1e-4


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"hands_ahead_m": -0.09, "elbow_deg": 70.0},
        {"sag_deg": 20.0, "elbow_deg": 25.0, "hips_lag_s": 0.4},
        {"sag_deg": -20.0, "elbow_deg": 25.0, "hands_ahead_m": 0.0, "scale": 1.1},
    ],
    ids=str,
)
def test_push_up_parameters_are_measured_back(given, measure):
    parameters = PushUpParameters(**given)
    truth, clip = push_up_truth(parameters), push_up_clip(parameters, fps=FPS)
    times = truth.repetitions[0]
    top, lying = measure(clip, round(times.bottom_end * FPS)), measure(clip, 0)
    shoulders, hips, ankles = (0.5 * (top[f"left_{n}"] + top[f"right_{n}"]) for n in ("shoulder", "hip", "ankle"))
    sag = angle_deg(hips - shoulders, ankles - hips)
    trunk_slope = np.arctan2(*(shoulders - hips)[[2, 0]])
    leg_slope = np.arctan2(*(hips - ankles)[[2, 0]])
    assert sag == pytest.approx(abs(parameters.sag_deg), abs=1e-2)
    assert np.degrees(trunk_slope - leg_slope) == pytest.approx(parameters.sag_deg, abs=1e-2)
    for side in ("left", "right"):
        assert bend(top, f"{side}_shoulder", f"{side}_elbow", f"{side}_wrist") == pytest.approx(
            parameters.elbow_deg, abs=0.05
        )
        ahead = (lying[f"{side}_wrist"] - lying[f"{side}_shoulder"])[0]
        assert ahead == pytest.approx(parameters.hands_ahead_m, abs=1e-5)
        assert bend(top, f"{side}_hip", f"{side}_knee", f"{side}_ankle") < 5.0
    assert half_rise(clip, 1) - half_rise(clip, 16) == pytest.approx(parameters.hips_lag_s, abs=0.01)


def half_rise(clip, joint):
    height = clip.positions[:, joint, 2].astype(float)
    top = int(height.argmax())
    half = 0.5 * (height[0] + height[top])
    return float(np.interp(half, height[: top + 1], clip.stamps[: top + 1]))


@pytest.mark.parametrize(
    ("side", "diagonal", "given"),
    [
        ("left", False, {}),
        ("right", True, {}),
        ("left", True, {"elbow_to_knee_m": 0.2, "sway_m": 0.14}),
        ("right", False, {"elbow_to_knee_m": 0.15, "trunk_roll_deg": 25.0, "scale": 1.1}),
    ],
    ids=str,
)
def test_rotary_parameters_are_measured_back(side, diagonal, given, measure):
    parameters = RotaryStabilityParameters(side=side, diagonal=diagonal, **given)
    truth, clip = rotary_stability_truth(parameters), rotary_stability_clip(parameters, fps=FPS)
    sign = 1.0 if side == "left" else -1.0
    touch = measure(clip, round(truth.repetitions[0].bottom_start * FPS))
    leg = OTHER[side] if diagonal else side
    gap = np.linalg.norm(touch[f"{side}_elbow"] - touch[f"{leg}_knee"])
    assert gap == pytest.approx(parameters.elbow_to_knee_m, abs=1e-4)
    for name in ("shoulder", "hip"):
        line = sign * (touch[f"left_{name}"] - touch[f"right_{name}"])
        assert np.degrees(np.arcsin(line[2] / np.linalg.norm(line))) == pytest.approx(
            parameters.trunk_roll_deg, abs=1e-2
        )
    middle = clip.positions[:, [1, 2], 1].mean(1)
    assert -sign * middle[round(truth.repetitions[0].bottom_start * FPS)] == pytest.approx(parameters.sway_m, abs=1e-4)
    # the hand and the knee that stand do not move at all
    for joint in ({"left": 21, "right": 20}[side], {"left": 5, "right": 4}[leg]):
        assert np.ptp(clip.positions[:, joint], axis=0).max() < 1e-4


@pytest.mark.parametrize("name", FLOOR_MOVERS)
def test_bodies_are_possible(name):
    clip = MOVERS[name](fps=20.0)
    points = np.concatenate([clip.positions, clip.feet], axis=1)
    assert points[..., 2].min() > -0.005, "nobody is under the floor"
    there = forward_kinematics(clip.positions[:, 0], clip.rotations, clip.bone_offsets)
    np.testing.assert_allclose(there, clip.positions, atol=1e-5)
    np.testing.assert_allclose(feet_from_pose(there, clip.rotations, clip.bone_offsets), clip.feet, atol=1e-5)
    # no joint jumps: 5 m/s is faster than a limb of these movements
    assert np.linalg.norm(np.diff(points, axis=0), axis=-1).max() * 20.0 < 5.0
    # knees bend to the back only: the ankle is never in front of the line of the thigh, in the thigh's own frame
    for hip, knee, ankle in ((1, 4, 7), (2, 5, 8)):
        from_hip, shank = (
            clip.positions[:, knee] - clip.positions[:, hip],
            clip.positions[:, ankle] - clip.positions[:, knee],
        )
        left = np.cross(from_hip, shank)
        bent = angle_deg(from_hip, shank) > 5.0
        across = clip.positions[:, 1] - clip.positions[:, 2]
        assert ((left * across).sum(-1)[bent] > 0.0).all()


def test_the_right_side_is_the_mirror_image():
    for make, kind in ((leg_raise_clip, LegRaiseParameters), (rotary_stability_clip, RotaryStabilityParameters)):
        left, right = (make(kind(side=side), fps=10.0) for side in ("left", "right"))
        np.testing.assert_array_equal(mirror_clip(left).positions, right.positions)
        assert right.labels[-1] == "right"


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: LegRaiseParameters(ankle_over=3.0), "ankle_over=3 is out of range; allowed: -0.8 to 1.6"),
        (lambda: LegRaiseParameters(side="up"), "side='up' is unknown; allowed: left, right"),
        (
            lambda: leg_raise_clip(LegRaiseParameters(ankle_over=-0.8, other_knee_deg=0.0, raised_knee_deg=60.0)),
            "reach",
        ),
        (lambda: PushUpParameters(hips_lag_s=1.0), "hold the top at least as long"),
        (lambda: push_up_clip(PushUpParameters(sag_deg=45.0, elbow_deg=100.0)), "ask for less"),
        (lambda: RotaryStabilityParameters(diagonal=1), "diagonal=1 is no truth value"),
        (lambda: rotary_stability_clip(RotaryStabilityParameters(), fps=0.0), "fps=0.0 must be a positive number"),
    ],
)
def test_what_no_body_can_do_is_said(make, word):
    with pytest.raises(ValueError, match=word):
        make()
