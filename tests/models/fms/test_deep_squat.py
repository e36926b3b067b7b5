"""Every criterion against plane trigonometry on hand-made squats."""

import math

import numpy as np
import pytest

from fitmotion_models.fms.scorer import score_clip
from fitmotion_models.fms.values import Verdict


def only_assessment(clip, **options):
    assessments = score_clip(clip, **options)
    assert len(assessments) == 1
    return assessments[0]


def criteria_of(clip):
    return {criterion.name: criterion for criterion in only_assessment(clip).criteria}


def test_a_clean_squat_meets_everything(squat):
    assessment = only_assessment(squat())
    assert all(criterion.verdict is Verdict.MET for criterion in assessment.criteria)
    assert (assessment.score, assessment.confidence, assessment.reason) == (3, 1.0, "")
    assert all(criterion.advice == "" for criterion in assessment.criteria)


@pytest.mark.parametrize(
    ("trunk", "tibia", "verdict"),
    [(30, 35, Verdict.MET), (44.5, 35, Verdict.MET), (45.5, 35, Verdict.NOT_MET), (30, 19, Verdict.NOT_MET)],
)
def test_trunk_against_tibia_is_the_difference_of_the_leans(squat, shape, trunk, tibia, verdict):
    criterion = criteria_of(squat(shape(trunk=trunk, tibia=tibia)))["trunk_parallel_to_tibia"]
    assert criterion.value == pytest.approx(trunk - tibia, abs=0.05)
    assert criterion.verdict is verdict
    assert (criterion.threshold, criterion.unit) == (10.0, "deg")


@pytest.mark.parametrize(("height", "verdict"), [(-0.05, Verdict.MET), (0.018, Verdict.MET), (0.022, Verdict.NOT_MET)])
def test_depth_is_the_height_of_the_hips_over_the_knees(squat, shape, height, verdict):
    femur = math.degrees(math.acos(height / 0.42))
    criterion = criteria_of(squat(shape(femur=femur)))["femur_below_horizontal"]
    assert criterion.value == pytest.approx(height, abs=5e-4)
    assert criterion.verdict is verdict


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize(("valgus", "verdict"), [(-0.06, Verdict.MET), (0.028, Verdict.MET), (0.032, Verdict.NOT_MET)])
def test_a_knee_inside_its_foot_is_that_knees_fault(squat, shape, side, valgus, verdict):
    criteria = criteria_of(squat(shape(**{f"{side}_valgus": valgus})))
    other = "right" if side == "left" else "left"
    assert criteria[f"{side}_knee_over_foot"].value == pytest.approx(valgus, abs=5e-4)
    assert criteria[f"{side}_knee_over_foot"].verdict is verdict
    assert criteria[f"{other}_knee_over_foot"].verdict is Verdict.MET


@pytest.mark.parametrize("turn_deg", [0.0, 90.0, 200.0])
def test_values_do_not_depend_on_where_the_person_faces(squat, shape, turn_deg):
    angle = math.radians(turn_deg)
    turn = np.array([[math.cos(angle), -math.sin(angle), 0], [math.sin(angle), math.cos(angle), 0], [0, 0, 1]])
    clip = squat(shape(left_valgus=0.05, arms=30))
    turned = type(clip)(**{**vars(clip), "positions": clip.positions @ turn.T, "feet": clip.feet @ turn.T})
    values = [criterion.value for criterion in only_assessment(clip).criteria]
    assert [criterion.value for criterion in only_assessment(turned).criteria] == pytest.approx(values, abs=1e-4)


@pytest.mark.parametrize("outside", [0.047, 0.053, -0.02])
def test_dowel_in_front_of_the_toes(squat, shape, outside):
    # the wrists' place along x by plane trigonometry, solved for the arms' angle
    tibia, femur, trunk = (math.radians(angle) for angle in (35.0, 95.0, 30.0))
    neck = 0.42 * math.sin(tibia) - 0.42 * math.sin(femur) + 0.5 * math.sin(trunk)
    arms = math.degrees(math.asin((0.18 + outside - neck) / 0.55))
    criterion = criteria_of(squat(shape(arms=arms)))["dowel_over_feet"]
    assert criterion.value == pytest.approx(outside, abs=1e-3)
    assert criterion.verdict is (Verdict.MET if outside < 0.05 else Verdict.NOT_MET)


@pytest.mark.parametrize("behind", [0.045, 0.055])
def test_dowel_behind_the_heels(squat, shape, behind):
    tibia, femur, trunk = (math.radians(angle) for angle in (35.0, 95.0, 30.0))
    neck = 0.42 * math.sin(tibia) - 0.42 * math.sin(femur) + 0.5 * math.sin(trunk)
    arms = math.degrees(math.asin((-0.05 - behind - neck) / 0.55))
    criterion = criteria_of(squat(shape(arms=arms)))["dowel_over_feet"]
    assert criterion.value == pytest.approx(behind, abs=1e-3)
    assert criterion.verdict is (Verdict.MET if behind < 0.05 else Verdict.NOT_MET)


def test_arms_below_the_neck_are_not_overhead(squat, shape):
    assert criteria_of(squat(shape(arms=80)))["dowel_overhead"].verdict is Verdict.MET
    hanging = criteria_of(squat(shape(arms=95)))["dowel_overhead"]
    assert hanging.verdict is Verdict.NOT_MET
    assert hanging.value == pytest.approx(-0.55 * math.cos(math.radians(95)), abs=1e-3)


@pytest.mark.parametrize(("rise", "verdict"), [(0.0, Verdict.MET), (0.028, Verdict.MET), (0.032, Verdict.NOT_MET)])
def test_heel_rise_is_seen_from_the_stance(squat, shape, rise, verdict):
    criterion = criteria_of(squat(shape(heel_rise=rise), bottom=0.4))["heels_down"]
    assert criterion.value == pytest.approx(rise, abs=1e-3)
    assert criterion.verdict is verdict


def test_heel_rise_in_mid_air_noise_of_one_frame_decides_nothing(squat):
    clip = squat()
    feet = clip.feet.copy()
    feet[60, 0, 2] += 0.08
    spiked = type(clip)(**{**vars(clip), "feet": feet})
    assert only_assessment(spiked).score == 3


def test_faults_are_named_with_advice(squat, shape):
    assessment = only_assessment(squat(shape(right_valgus=0.06, arms=50)))
    failed = [criterion.name for criterion in assessment.criteria if criterion.verdict is Verdict.NOT_MET]
    assert failed == ["right_knee_over_foot", "dowel_over_feet"]
    assert all(criterion.advice for criterion in assessment.criteria if criterion.name in failed)
    assert assessment.score == 1
    assert "board" in assessment.reason


def test_unseen_foot_landmarks_fall_back_on_ankle_and_ball(squat, shape):
    clip = squat(shape(heel_rise=0.06), bottom=0.4)
    blind = type(clip)(
        **{**vars(clip), "feet": np.full_like(clip.feet, np.nan), "feet_confidence": clip.feet_confidence * 0}
    )
    criteria = criteria_of(blind)
    # the ankle's share of the heel's rise: both turn about the toe
    assert criteria["heels_down"].value == pytest.approx(0.06 * 0.18 / 0.23, abs=1e-3)
    assert criteria["dowel_over_feet"].verdict is Verdict.NOT_SEEN
    assert math.isnan(criteria["left_knee_over_foot"].value)
