"""The parametric squat: its parameters are measured back from positions."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from fitmotion_models.mover import SquatParameters, squat_clip, squat_series, squat_truth
from fitmotion_models.skeleton.joint_sets import SMPL22
from fitmotion_models.skeleton.kinematics import feet_from_pose, forward_kinematics

SIDES = ("left", "right")
QUICK = {"repetitions": 1, "stance_s": 0.2, "hold_s": 0.2}
SETTINGS = [
    {},
    {"depth_m": 0.15},
    {"depth_m": -0.15, "trunk_lean_deg": 45.0},
    {"trunk_lean_deg": 60.0},
    {"trunk_lean_deg": 8.0},
    {"shin_lean_deg": 20.0},
    {"shin_lean_deg": 40.0, "trunk_lean_deg": 52.0},
    {"knee_valgus_m": 0.06},
    {"knee_valgus_m": (-0.05, 0.08)},
    {"heel_rise_m": 0.06},
    {"heel_rise_m": (0.0, 0.05)},
    {"arm_drop_deg": 50.0},
    {"arm_drop_deg": -15.0, "grip_width_m": 0.9},
    {"toe_out_deg": 35.0, "stance_width_m": 0.5},
    {"toe_out_deg": 0.0, "stance_width_m": 0.2},
    {"pelvis_shift_m": 0.06},
    {"depth_difference_m": -0.03},
    {"scale": 1.15, "depth_m": 0.05, "knee_valgus_m": 0.04, "heel_rise_m": (0.05, 0.0), "arm_drop_deg": 30.0},
]


def bottom_of(parameters, measure, fps=50.0):
    truth = squat_truth(parameters)
    clip = squat_clip(parameters, fps=fps)
    repetition = truth.repetitions[0]
    index = round(0.5 * (repetition.bottom_start + repetition.bottom_end) * fps)
    return truth, measure(clip, index), measure(clip, 0)


def check_bottom(parameters, measure):
    truth, bottom, stance = bottom_of(parameters, measure)
    depths = [float(bottom.depth(side)) for side in SIDES]
    assert np.mean(depths) == pytest.approx(parameters.depth_m, abs=1e-5)
    assert depths[0] - depths[1] == pytest.approx(parameters.depth_difference_m, abs=1e-5)
    assert bottom.lean_deg("pelvis", "neck") == pytest.approx(parameters.trunk_lean_deg, abs=1e-3)
    assert bottom["neck"][1] == pytest.approx(bottom["pelvis"][1], abs=1e-5)
    shins = [float(bottom.lean_deg(f"{side}_ankle", f"{side}_knee")) for side in SIDES]
    assert shins == pytest.approx(truth.shin_lean_deg, abs=1e-3)
    if parameters.shin_lean_deg is not None:
        assert np.mean(shins) == pytest.approx(parameters.shin_lean_deg, abs=1e-3)
    for side, valgus, rise, ankle_rise in zip(
        SIDES, parameters.knee_valgus_sides, parameters.heel_rise_sides, truth.ankle_rise_m, strict=True
    ):
        assert bottom[f"{side}_knee"][0] > max(bottom[f"{side}_hip"][0], bottom[f"{side}_ankle"][0])
        assert bottom.valgus(side) == pytest.approx(valgus, abs=1e-5)
        assert bottom.heel(side)[2] == pytest.approx(rise, abs=1e-5)
        assert bottom[f"{side}_ankle"][2] - stance[f"{side}_ankle"][2] == pytest.approx(ankle_rise, abs=1e-5)
    assert bottom.sagittal_deg("mid_shoulder", "mid_wrist") == pytest.approx(parameters.arm_drop_deg, abs=1e-3)
    assert bottom["mid_wrist"][0] == pytest.approx(truth.dowel_x_m, abs=1e-5)
    assert bottom["mid_hip"][1] == pytest.approx(parameters.pelvis_shift_m, abs=1e-5)
    assert bottom["mid_hip"][2] == pytest.approx(truth.hip_height_m, abs=1e-5)
    assert stance["mid_hip"][2] == pytest.approx(truth.stance_hip_height_m, abs=1e-5)


@pytest.mark.parametrize("given_parameters", SETTINGS, ids=str)
def test_parameters_are_measured_back(given_parameters, measure):
    check_bottom(SquatParameters(**QUICK | given_parameters), measure)


# inside these bounds nearly every combination is a possible squat; the few that are not are said to be none
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    depth=st.floats(-0.1, 0.12),
    lean=st.floats(15.0, 55.0),
    valgus=st.tuples(st.floats(-0.04, 0.08), st.floats(-0.04, 0.08)),
    rise=st.tuples(st.floats(0.0, 0.08), st.floats(0.0, 0.08)),
    drop=st.floats(-20.0, 70.0),
    width=st.floats(0.25, 0.5),
    toe_out=st.floats(0.0, 30.0),
)
def test_any_squat_has_its_parameters(measure, depth, lean, valgus, rise, drop, width, toe_out):
    parameters = SquatParameters(
        **QUICK,
        depth_m=depth,
        trunk_lean_deg=lean,
        knee_valgus_m=valgus,
        heel_rise_m=rise,
        arm_drop_deg=drop,
        stance_width_m=width,
        toe_out_deg=toe_out,
    )
    try:
        squat_truth(parameters)
    except ValueError:
        reject()
    check_bottom(parameters, measure)


@pytest.mark.parametrize("given_parameters", SETTINGS, ids=str)
def test_the_body_stays_one_body_on_the_floor(given_parameters, measure):
    parameters = SquatParameters(**QUICK | given_parameters)
    clip = squat_clip(parameters, fps=20.0)
    body = measure(clip)
    again = forward_kinematics(clip.positions[:, 0], clip.rotations, clip.bone_offsets)
    np.testing.assert_allclose(again, clip.positions, atol=1e-6)
    np.testing.assert_allclose(feet_from_pose(again, clip.rotations, clip.bone_offsets), clip.feet, atol=1e-6)
    for parent, child in SMPL22.edges:
        length = np.linalg.norm(body.positions[:, child] - body.positions[:, parent], axis=-1)
        np.testing.assert_allclose(length, np.linalg.norm(clip.bone_offsets[child]), atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(clip.rotations, axis=-1), 1.0, atol=1e-6)
    for index, side in enumerate(SIDES):
        # toes never leave their place, heels never go below the floor nor above what they were told
        assert np.ptp(body.toe(side), axis=0).max() < 1e-6
        assert abs(body.toe(side)[:, 2]).max() < 1e-6
        assert body.heel(side)[:, 2].min() > -1e-6
        assert body.heel(side)[:, 2].max() < parameters.heel_rise_sides[index] + 1e-6
        line = body.toe(side)[0] - body.heel(side)[0]
        outwards = np.degrees(np.arctan2(line[1], line[0])) * (1 if side == "left" else -1)
        assert outwards == pytest.approx(parameters.toe_out_deg, abs=1e-3)
    ankles = body["left_ankle"][0] - body["right_ankle"][0]
    assert ankles == pytest.approx([0.0, parameters.stance_width_m, 0.0], abs=1e-6)
    np.testing.assert_allclose(body["mid_ankle"][0, :2], 0.0, atol=1e-6)
    assert np.abs(body["left_wrist"] - body["right_wrist"])[:, 1] == pytest.approx(parameters.grip_width_m, abs=1e-5)


# de Leva 1996, men: share of the body's mass, ends, place of the centre from the first; another source than the mover's
DE_LEVA = [
    ("mid_hip", "neck", 0.4346, 0.49),
    ("neck", "head", 0.0694, 1.0),
    *((f"{side}_hip", f"{side}_knee", 0.1416, 0.4095) for side in SIDES),
    *((f"{side}_knee", f"{side}_ankle", 0.0433, 0.4459) for side in SIDES),
    *((f"{side}_ankle", f"{side}_foot", 0.0137, 0.5) for side in SIDES),
    *((f"{side}_shoulder", f"{side}_elbow", 0.0271, 0.5772) for side in SIDES),
    *((f"{side}_elbow", f"{side}_wrist", 0.0162, 0.4574) for side in SIDES),
    *((f"{side}_wrist", f"{side}_wrist", 0.0061, 0.0) for side in SIDES),
]


@pytest.mark.parametrize("given_parameters", [{}, {"depth_m": 0.12}, {"trunk_lean_deg": 50.0}, {"heel_rise_m": 0.05}])
def test_nobody_falls_over(given_parameters, measure):
    body = measure(squat_clip(SquatParameters(**QUICK | given_parameters)))
    mass = sum(share * (body[a] + place * (body[b] - body[a])) for a, b, share, place in DE_LEVA)
    heels = 0.5 * (body.heel("left") + body.heel("right"))[:, 0]
    toes = 0.5 * (body.toe("left") + body.toe("right"))[:, 0]
    assert np.all(mass[:, 0] > heels[0])
    assert np.all(mass[:, 0] < toes[0])


def test_knees_bend_about_their_own_axis_and_elbows_stay_straight(measure):
    clip = squat_clip(SquatParameters(**QUICK), fps=20.0)
    body = measure(clip)
    for side in SIDES:
        knee = SMPL22.index(f"{side}_knee")
        rotations = clip.rotations[:, knee].astype(float)
        bend = np.degrees(2.0 * np.arctan2(np.linalg.norm(rotations[:, :3], axis=-1), rotations[:, 3]))
        axis = rotations[:, :3] / np.linalg.norm(rotations[:, :3], axis=-1, keepdims=True)
        deep = body.knee_flexion_deg(side) > 60.0
        # at rest the mean body's knee is bent by 5 degrees, which its identity rotation does not count
        np.testing.assert_allclose(bend[deep], body.knee_flexion_deg(side)[deep] - 5.2, atol=1.0)
        assert np.all(axis[deep, 1] > 0.98)
        assert body.elbow_flexion_deg(side).max() < 0.01


def test_the_other_side_is_the_mirror_image():
    one = squat_clip(
        SquatParameters(**QUICK, knee_valgus_m=(0.06, -0.02), heel_rise_m=(0.0, 0.04), pelvis_shift_m=0.03)
    )
    other = squat_clip(
        SquatParameters(**QUICK, knee_valgus_m=(-0.02, 0.06), heel_rise_m=(0.04, 0.0), pelvis_shift_m=-0.03)
    )
    mirrored = one.positions[:, list(SMPL22.mirror)] * (1.0, -1.0, 1.0)
    np.testing.assert_allclose(mirrored, other.positions, atol=1e-5)


def test_tempo(measure):
    parameters = SquatParameters(repetitions=3, descent_s=1.4, hold_s=0.5, ascent_s=0.9, pause_s=0.6, stance_s=1.0)
    clip = squat_clip(parameters, fps=100.0)
    assert len(clip) == round((2 * 1.0 + 3 * (1.4 + 0.5 + 0.9) + 2 * 0.6) * 100) + 1
    height = measure(clip)["mid_hip"][:, 2]
    deepest = height < height.min() + 1e-6
    starts = np.flatnonzero(np.diff(deepest.astype(int)) == 1) + 1
    np.testing.assert_allclose(clip.stamps[starts], [2.4, 5.8, 9.2], atol=0.02)
    standing = height > height.max() - 1e-6
    assert standing[:100].all()
    assert standing[-100:].all()
    assert not standing[110:370].any()
    times = [(r.start, r.bottom_start, r.bottom_end, r.end) for r in squat_truth(parameters).repetitions]
    np.testing.assert_allclose(times[1], (4.4, 5.8, 6.3, 7.2), atol=1e-9)


def test_speed_is_minimum_jerk(measure):
    # Flash & Hogan 1985: the highest speed of a minimum-jerk movement is 15/8 of its mean speed, half-way
    parameters = SquatParameters(repetitions=1, descent_s=2.0, trunk_lean_deg=40.0, stance_s=0.5)
    clip = squat_clip(parameters, fps=200.0)
    speed = np.diff(measure(clip).sagittal_deg("pelvis", "neck")) * 200.0
    descent = speed[:500]
    assert descent.max() == pytest.approx(15.0 / 8.0 * 40.0 / 2.0, rel=1e-3)
    assert clip.stamps[np.argmax(descent)] == pytest.approx(1.5, abs=0.02)


def test_left_lead_is_a_lead(measure):
    clip = squat_clip(SquatParameters(**QUICK, heel_rise_m=0.05, left_lead_s=0.04), fps=500.0)
    body = measure(clip)
    halfway = [float(np.interp(0.025, body.heel(side)[:650, 2], clip.stamps[:650])) for side in SIDES]
    assert halfway[1] - halfway[0] == pytest.approx(0.04, abs=0.002)


def test_jitter_changes_tempo_only_and_repeats_with_its_seed():
    parameters = SquatParameters(repetitions=4, tempo_jitter=0.15, seed=5)
    lengths = [r.bottom_start - r.start for r in squat_truth(parameters).repetitions]
    assert np.ptp(lengths) > 0.05
    assert squat_truth(parameters).repetitions == squat_truth(parameters).repetitions
    assert squat_truth(replace(parameters, seed=6)).repetitions != squat_truth(parameters).repetitions
    assert squat_truth(parameters).shin_lean_deg == squat_truth(replace(parameters, tempo_jitter=0.0)).shin_lean_deg


def test_frame_rate_does_not_change_the_motion():
    slow, fast = (squat_clip(SquatParameters(**QUICK), fps=fps) for fps in (20.0, 60.0))
    np.testing.assert_allclose(fast.positions[::3], slow.positions, atol=1e-6)
    np.testing.assert_allclose(fast.stamps[::3], slow.stamps, atol=1e-12)


def test_series_is_the_squats_one_after_the_other():
    first, second = SquatParameters(repetitions=1), SquatParameters(repetitions=1, depth_m=0.15)
    clip = squat_series([first, second], fps=50.0)
    alone = squat_clip(first, fps=50.0)
    end = round(squat_truth(first).repetitions[0].end * 50.0)
    np.testing.assert_allclose(clip.positions[:end], alone.positions[:end], atol=1e-6)
    lowest_second = clip.positions[end:, 0, 2].min()
    assert lowest_second == pytest.approx(squat_clip(second).positions[:, 0, 2].min(), abs=1e-4)
