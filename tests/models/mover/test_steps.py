"""The parametric hurdle step and in-line lunge: their parameters are measured back from positions."""

from dataclasses import replace

import numpy as np
import pytest

from fitmotion_models.mover.hurdle_parameters import HurdleStepParameters
from fitmotion_models.mover.hurdle_step import hurdle_step_clip, hurdle_step_truth
from fitmotion_models.mover.inline_lunge import inline_lunge_clip, inline_lunge_truth
from fitmotion_models.mover.lunge_parameters import InlineLungeParameters
from fitmotion_models.skeleton.frames import mirror_clip
from fitmotion_models.skeleton.joint_sets import SMPL22
from fitmotion_models.skeleton.kinematics import feet_from_pose, forward_kinematics

HURDLES = [
    {},
    {"knee_out_m": 0.09},
    {"knee_out_m": -0.05, "ankle_out_m": -0.07},
    {"ankle_out_m": 0.08},
    {"trunk_lean_deg": 18.0, "trunk_side_deg": 9.0},
    {"shoulder_tilt_deg": -15.0},
    {"toe_height": 0.7},
    {"stance_slip_m": 0.08},
    {"scale": 1.2, "stance_width_m": 0.2},
]
LUNGES = [
    {},
    {"rear_knee_height_m": 0.2},
    {"trunk_lean_deg": 20.0, "trunk_side_deg": 9.0},
    {"trunk_lean_deg": -12.0},
    {"feet_offset_m": 0.12},
    {"front_heel_rise_m": 0.06},
    {"front_slip_m": 0.08},
    {"front_slip_m": -0.06, "feet_apart": 1.1},
    {"scale": 0.9},
]
FPS = 40.0
SIDES = ("left", "right")


def zip_sides(settings):
    """Each with one side in turn; the sides are each other's mirror image, which has its own test."""
    return [(given, SIDES[index % 2]) for index, given in enumerate(settings)]


def sagittal_and_frontal_deg(body):
    line = body["neck"] - body["pelvis"]
    return np.degrees(np.angle(line[..., 2] + 1j * line[..., 0])), np.degrees(
        np.angle(line[..., 2] + 1j * line[..., 1])
    )


@pytest.mark.parametrize(("given_parameters", "side"), zip_sides(HURDLES), ids=str)
def test_hurdle_parameters_are_measured_back(given_parameters, side, measure):
    parameters = HurdleStepParameters(side=side, **given_parameters)
    truth, clip = hurdle_step_truth(parameters), hurdle_step_clip(parameters, fps=FPS)
    times = truth.repetitions[0]
    top = measure(clip, round((times.lift + times.touch_start) / 2 * FPS))
    stance = measure(clip, 0)
    sign, other = (1.0, "right") if side == "left" else (-1.0, "left")
    assert top.toe(side)[2] == pytest.approx(parameters.toe_height * stance[f"{other}_knee"][2], abs=1e-5)
    assert (truth.toe_height_m, truth.knee_height_m) == pytest.approx(
        (top.toe(side)[2], stance[f"{other}_knee"][2]), abs=1e-5
    )
    hip = top[f"{side}_hip"]
    assert sign * (top[f"{side}_knee"] - hip)[1] == pytest.approx(parameters.knee_out_m, abs=1e-5)
    assert sign * (top[f"{side}_ankle"] - hip)[1] == pytest.approx(parameters.ankle_out_m, abs=1e-5)
    forward, left = sagittal_and_frontal_deg(top)
    assert forward == pytest.approx(parameters.trunk_lean_deg, abs=1e-3)
    assert -sign * left == pytest.approx(parameters.trunk_side_deg, abs=1e-3)
    assert top.lean_deg("pelvis", "neck") == pytest.approx(truth.trunk_change_deg, abs=1e-3)
    line = top[f"{side}_shoulder"] - top[f"{other}_shoulder"]
    tilt = np.degrees(np.arcsin(line[2] / np.linalg.norm(line)))
    assert tilt == pytest.approx(parameters.shoulder_tilt_deg, abs=1e-3)
    touch = measure(clip, round((times.touch_start + times.touch_end) / 2 * FPS))
    slip = np.linalg.norm(touch[f"{other}_ankle"] - stance[f"{other}_ankle"])
    assert slip == pytest.approx(parameters.stance_slip_m, abs=1e-5)
    # the heel touches the floor beyond the standing foot's toes
    assert touch.heel(side)[2] == pytest.approx(0.0, abs=1e-5)
    assert touch.heel(side)[0] > stance.toe(other)[0]


@pytest.mark.parametrize(("given_parameters", "side"), zip_sides(LUNGES), ids=str)
def test_lunge_parameters_are_measured_back(given_parameters, side, measure):
    parameters = InlineLungeParameters(side=side, **given_parameters)
    clip = inline_lunge_clip(parameters, fps=FPS)
    times = inline_lunge_truth(parameters).repetitions[0]
    bottom, stance = measure(clip, round((times.bottom_start + times.bottom_end) / 2 * FPS)), measure(clip, 0)
    sign, rear = (1.0, "right") if side == "left" else (-1.0, "left")
    assert bottom[f"{rear}_knee"][2] == pytest.approx(parameters.rear_knee_height_m, abs=1e-5)
    forward, left = sagittal_and_frontal_deg(bottom)
    assert (forward, sign * left) == pytest.approx((parameters.trunk_lean_deg, parameters.trunk_side_deg), abs=1e-3)
    assert sign * (bottom[f"{side}_ankle"] - bottom[f"{rear}_ankle"])[1] == pytest.approx(
        parameters.feet_offset_m, abs=1e-5
    )
    assert bottom.heel(side)[2] == pytest.approx(parameters.front_heel_rise_m, abs=1e-5)
    assert (bottom.toe(side) - stance.toe(side))[0] == pytest.approx(parameters.front_slip_m, abs=1e-5)
    # official: the feet are a shank apart, toe to heel
    shank = np.linalg.norm(clip.bone_offsets[SMPL22.index("left_ankle")])
    apart = stance.heel(side)[0] - stance.toe(rear)[0]
    assert apart == pytest.approx(parameters.feet_apart * shank, abs=1e-5)
    # the rear knee is behind the front heel
    assert bottom[f"{rear}_knee"][0] < bottom.heel(side)[0]


MADE = [(hurdle_step_clip, HurdleStepParameters, given) for given in HURDLES[::2]] + [
    (inline_lunge_clip, InlineLungeParameters, given) for given in LUNGES[::2]
]


@pytest.mark.parametrize(("make", "kind", "given_parameters"), MADE)
def test_the_body_stays_one_body_over_the_floor_and_moves_smoothly(make, kind, given_parameters, measure):
    clip = make(kind(**given_parameters, pause_s=0.1))
    again = forward_kinematics(clip.positions[:, 0], clip.rotations, clip.bone_offsets)
    np.testing.assert_allclose(again, clip.positions, atol=1e-6)
    np.testing.assert_allclose(feet_from_pose(again, clip.rotations, clip.bone_offsets), clip.feet, atol=1e-6)
    body = measure(clip)
    for parent, child in SMPL22.edges:
        length = np.linalg.norm(body.positions[:, child] - body.positions[:, parent], axis=-1)
        np.testing.assert_allclose(length, np.linalg.norm(clip.bone_offsets[child]), atol=1e-6)
    assert clip.feet[..., 2].min() > -1e-6
    assert clip.positions[..., 2].min() > 0.0
    np.testing.assert_allclose(clip.positions[0], clip.positions[-1], atol=1e-6)
    # less than free fall, as in the movers' squats
    assert np.linalg.norm(np.diff(clip.positions, 2, axis=0), axis=-1).max() * 30.0**2 < 15.0


@pytest.mark.parametrize("side", SIDES)
def test_whoever_stands_on_one_leg_has_the_weight_over_that_foot(side, measure):
    parameters = HurdleStepParameters(side=side)
    clip, times = hurdle_step_clip(parameters), hurdle_step_truth(parameters).repetitions[0]
    top = measure(clip, round((times.lift + times.touch_start) / 2 * 30.0))
    other = "right" if side == "left" else "left"
    # Plagenhoff 1983, men: trunk and head .551 + .0826, thigh .105, shank .0475, foot .0143, upper arm .0325, ...
    parts = [("mid_hip", "mid_shoulder", 0.551, 0.56), ("neck", "head", 0.0826, 1.0)]
    for one in SIDES:
        parts += [
            (f"{one}_hip", f"{one}_knee", 0.105, 0.433),
            (f"{one}_knee", f"{one}_ankle", 0.0475, 0.434),
            (f"{one}_ankle", f"{one}_foot", 0.0143, 0.5),
            (f"{one}_shoulder", f"{one}_elbow", 0.0325, 0.436),
            (f"{one}_elbow", f"{one}_wrist", 0.0252, 0.6),
        ]
    mass = sum(share * (top[a] + place * (top[b] - top[a])) for a, b, share, place in parts)
    mass /= sum(share for _, _, share, _ in parts)
    assert mass[1] == pytest.approx(top[f"{other}_ankle"][1], abs=0.03)
    assert top.heel(other)[0] < mass[0] < top.toe(other)[0]


@pytest.mark.parametrize(
    ("make", "parameters"),
    [
        (hurdle_step_clip, HurdleStepParameters(knee_out_m=0.04, trunk_side_deg=6.0)),
        (inline_lunge_clip, InlineLungeParameters(feet_offset_m=0.05, trunk_side_deg=6.0)),
    ],
)
def test_the_other_side_is_the_mirror_image(make, parameters):
    left, right = make(parameters), make(replace(parameters, side="right"))
    np.testing.assert_array_equal(mirror_clip(left).positions, right.positions)
    assert left.labels[1:] == ("left",)
    assert right.labels[1:] == ("right",)


@pytest.mark.parametrize(
    ("kind", "given_parameters", "message"),
    [
        (HurdleStepParameters, {"side": "both"}, "side='both' is unknown; allowed: left, right"),
        (HurdleStepParameters, {"toe_height": 3.0}, "toe_height=3 is out of range; allowed: 0.2 to 1.35"),
        (HurdleStepParameters, {"repetitions": 1.5}, "repetitions=1.5 is not a whole number"),
        (InlineLungeParameters, {"trunk_lean_deg": float("nan")}, "trunk_lean_deg=nan is not a finite number"),
        (InlineLungeParameters, {"feet_apart": 5.0}, "feet_apart=5 is out of range"),
    ],
)
def test_wrong_parameters_are_named(kind, given_parameters, message):
    with pytest.raises(ValueError, match=message):
        kind(**given_parameters)


def test_impossible_bodies_are_said_to_be_so():
    with pytest.raises(ValueError, match="no lunge has these parameters: with the feet there the rear knee is"):
        inline_lunge_clip(InlineLungeParameters(rear_knee_height_m=0.35, scale=0.5))
    with pytest.raises(ValueError, match="can't be 0.200 m further in"):
        hurdle_step_clip(HurdleStepParameters(knee_out_m=-0.2, toe_height=0.3, scale=0.6))
    for make, parameters in ((hurdle_step_clip, HurdleStepParameters()), (inline_lunge_clip, InlineLungeParameters())):
        with pytest.raises(ValueError, match="fps="):
            make(parameters, fps=0.0)
