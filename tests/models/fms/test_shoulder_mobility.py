"""Shoulder mobility: distances on both sides of both thresholds, the hand's length, the view, repetitions, others."""

from dataclasses import replace

import numpy as np
import pytest

from fitmotion_models.fms import score_clip
from fitmotion_models.fms.anthropometry import UNKNOWN_BODY, Anthropometry
from fitmotion_models.fms.shoulder_mobility import rules, stature_of
from fitmotion_models.fms.values import Movement, Side, Variation, Verdict
from fitmotion_models.mover import make_mover, seen_from
from fitmotion_models.mover.hurdle_parameters import HurdleStepParameters
from fitmotion_models.mover.hurdle_step import hurdle_step_clip
from fitmotion_models.mover.noise import add_camera_noise
from fitmotion_models.mover.shoulder_mobility import shoulder_mobility_clip, shoulder_mobility_truth
from fitmotion_models.mover.shoulder_parameters import ShoulderMobilityParameters

SHOULDER = Movement.SHOULDER_MOBILITY
# the mover's body: 1.72 m, its hand .108 of that (Drillis & Contini 1966)
PERSON = Anthropometry(stature_m=1.72, hand_length_m=0.108 * 1.72)
BEHIND, FRONT, LEFT = (-1.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)


def clip_of(**given):
    return shoulder_mobility_clip(ShoulderMobilityParameters(**given), fps=20.0)


def assessments_of(clip, person=PERSON):
    return score_clip(clip, movement=SHOULDER, person=person)


@pytest.mark.parametrize(("fists_apart", "score"), [(0.0, 3), (0.99, 3), (1.01, 2), (1.49, 2), (1.51, 1), (2.0, 1)])
def test_the_distance_in_hand_lengths_is_the_score(fists_apart, score):
    for name, side in (("left", Side.LEFT), ("right", Side.RIGHT)):
        (one,) = assessments_of(clip_of(fists_apart=fists_apart, side=name))
        assert (one.score, one.side) == (score, side)
        assert one.variation is Variation[f"SHOULDER_MOBILITY_{side.name}"]
        assert one.criteria[0].value == pytest.approx(fists_apart, abs=1e-3)
        assert bool(one.reason) is (score < 3)


def test_a_trunk_that_gives_way_is_said_and_changes_no_score():
    (one,) = assessments_of(clip_of(trunk_lean_deg=-20.0))
    assert one.criteria[2].verdict is Verdict.NOT_MET
    assert one.criteria[2].value == pytest.approx(20.0, abs=0.1)
    assert (one.score, one.reason) == (
        3,
        "The trunk gave way to bring the fists together, which does not change the score.",
    )


def test_hand_lengths_come_from_tape_stature_or_body():
    clip = clip_of(fists_apart=0.7, scale=1.1)
    tall = Anthropometry(stature_m=1.72 * 1.1)
    by = {name: assessments_of(clip, person)[0] for name, person in (("stature", tall), ("body", UNKNOWN_BODY))}
    for one in by.values():
        assert one.criteria[0].value == pytest.approx(0.7, abs=0.01)
    assert by["stature"].reason == "The hand's length is taken from the stature: enter it to be sure."
    assert by["body"].reason == "The hand's length is guessed from the body that was seen: enter it to be sure."
    # a long hand makes the same distance fewer hands
    (one,) = assessments_of(clip, Anthropometry(hand_length_m=0.25))
    wrists = shoulder_mobility_truth(ShoulderMobilityParameters(fists_apart=0.7, scale=1.1)).wrist_distance_m
    assert one.criteria[0].value == pytest.approx(wrists / 0.25 - 2 * 0.56, abs=1e-3)
    spread = [rules(Side.LEFT, person)[0].uncertainty.several for person in (PERSON, tall, UNKNOWN_BODY)]
    assert spread == sorted(spread)
    assert len(set(spread)) == 3


def test_a_guessed_hand_near_the_threshold_is_not_called():
    (one,) = assessments_of(clip_of(fists_apart=1.05), UNKNOWN_BODY)
    assert one.score == -1
    assert one.reason.startswith("2 or 3: the distance of the fists is too close to the threshold to call")
    assert "enter it to be sure" in one.reason


@pytest.mark.parametrize("size", [0.9, 1.1])
def test_one_camera_that_misses_the_size_of_the_body_is_put_right_by_the_stature(size):
    clip = clip_of(fists_apart=0.1)
    arrays = {name: getattr(clip, name) * np.float32(size) for name in ("positions", "feet", "bone_offsets")}
    (one,) = assessments_of(seen_from(replace(clip, **arrays), BEHIND))
    assert one.criteria[0].value == pytest.approx(0.1, abs=0.01)
    assert one.score == 3


def test_stature_is_that_of_the_body():
    clip = clip_of(scale=0.95)
    repetition = score_clip(clip, movement=SHOULDER)
    assert repetition
    from fitmotion_models.fms.moment import body_from_pose

    # SMPL's mean body is 1.72 m tall
    assert stature_of(body_from_pose(clip.frame(0))) == pytest.approx(0.95 * 1.72, rel=0.002)


@pytest.mark.parametrize("view", [FRONT, LEFT, (-0.6, 0.8, 0.0)])
def test_one_camera_sees_the_hands_from_behind_only(view):
    (one,) = assessments_of(seen_from(clip_of(fists_apart=0.0), view))
    assert one.score == -1
    assert all(criterion.verdict is Verdict.NOT_SEEN for criterion in one.criteria[:2])
    assert "film from behind" in one.reason
    (one,) = assessments_of(seen_from(clip_of(fists_apart=0.0), BEHIND))
    assert one.score == 3


@pytest.mark.parametrize("fps", [15.0, 40.0])
def test_reaches_are_counted_with_their_times(fps):
    parameters = ShoulderMobilityParameters(repetitions=3, pause_s=0.4)
    found = assessments_of(shoulder_mobility_clip(parameters, fps=fps))
    assert [one.repetition for one in found] == [1, 2, 3]
    for one, times in zip(found, shoulder_mobility_truth(parameters).repetitions, strict=True):
        assert (one.start, one.end) == pytest.approx((times.start, times.end), abs=0.25)


def test_noise_loses_few_reaches_and_no_side():
    clip = clip_of(repetitions=3, side="right")
    for seed in range(2):
        several = assessments_of(add_camera_noise(clip, 5.0, seed=seed))
        one = assessments_of(add_camera_noise(clip, 12.0, BEHIND, seed))
        assert len(several) == 3
        assert len(one) in (2, 3)
        assert {assessment.side for assessment in (*several, *one)} == {Side.RIGHT}


def test_a_reach_is_scored_alone_as_in_its_stream():
    clip = clip_of(repetitions=2)
    _, second = assessments_of(clip)
    late = [pose for pose in clip if pose.stamp > second.start - 0.7]
    from fitmotion_models.fms.scorer import Scorer

    scorer = Scorer(SHOULDER, person=PERSON)
    (alone,) = [update.assessment for update in map(scorer.update, late) if update.assessment]
    assert replace(alone, repetition=2) == second


def test_other_movements_are_no_reaches():
    assert assessments_of(make_mover("subject", fps=20.0)) == []
    assert assessments_of(hurdle_step_clip(HurdleStepParameters(repetitions=2))) == []
    assert score_clip(clip_of(repetitions=2)) == []
    # one arm over the shoulder while the other one hangs
    clip = clip_of()
    positions = clip.positions.copy()
    positions[:, [17, 19, 21]] = positions[:1, [17, 19, 21]]
    assert assessments_of(replace(clip, positions=positions)) == []
