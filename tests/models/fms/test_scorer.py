"""The scorer: causality, independence of what came before, mirror, views, trials, and what it says."""

import itertools
import math
from dataclasses import replace

import pytest

from fitmotion_models.fms import learned_scorer
from fitmotion_models.fms.anthropometry import UNKNOWN_BODY
from fitmotion_models.fms.criteria import Judged
from fitmotion_models.fms.deep_squat import RULES
from fitmotion_models.fms.learned_scorer import LearnedScore
from fitmotion_models.fms.movements import MOVEMENTS, chosen_form, default_variation, movement_rules
from fitmotion_models.fms.scorer import Scorer, score_clip
from fitmotion_models.fms.scoring import MIN_CONFIDENCE, VariationRule, score_repetition
from fitmotion_models.fms.values import Criterion, Movement, Phase, Side, Variation, Verdict
from fitmotion_models.skeleton.frames import mirror_clip

SIDE_VIEW, FRONT_VIEW = (0.0, 1.0, 0.1), (1.0, 0.0, 0.1)


def by_name(assessment):
    return {criterion.name: criterion for criterion in assessment.criteria}


def values(assessment):
    return [criterion.value for criterion in assessment.criteria]


def judged(*verdicts, probability=0.9):
    """Criteria with given verdicts."""
    rows = []
    for rule, verdict in zip(itertools.cycle(RULES), verdicts, strict=False):
        criterion = Criterion(rule.name, 0.0, rule.threshold, rule.unit, verdict, rule.joints, "")
        unseen = verdict is Verdict.NOT_SEEN
        rows.append(Judged(criterion, rule, 0.5 if unseen else probability, "not visible" if unseen else ""))
    return rows


FLOOR = VariationRule(3, 1, "Use the board.")


def test_all_met_is_the_product_of_the_probabilities():
    score = score_repetition(judged(*[Verdict.MET] * 3), FLOOR)
    assert (score.score, score.reason) == (3, "")
    assert score.confidence == pytest.approx(0.9**3)


def test_all_met_but_too_uncertain_is_not_scorable():
    score = score_repetition(judged(*[Verdict.MET] * 7), FLOOR)
    assert score.confidence < MIN_CONFIDENCE
    assert score.score == -1
    assert "several cameras" in score.reason


def test_one_seen_fault_settles_the_score_and_unseen_ones_lower_the_confidence():
    seen = score_repetition(judged(Verdict.NOT_MET, Verdict.MET, Verdict.MET), FLOOR)
    half_seen = score_repetition(judged(Verdict.NOT_MET, Verdict.NOT_SEEN, Verdict.MET), FLOOR)
    two_faults = score_repetition(judged(Verdict.NOT_MET, Verdict.NOT_MET, Verdict.MET), FLOOR)
    assert [score.score for score in (seen, half_seen, two_faults)] == [1, 1, 1]
    assert half_seen.confidence < seen.confidence == pytest.approx(0.9)
    assert two_faults.confidence == pytest.approx(1 - 0.1**2)


def test_no_fault_seen_and_something_unseen_is_not_scorable_with_the_reason():
    score = score_repetition(judged(Verdict.MET, Verdict.NOT_SEEN, Verdict.MET), FLOOR)
    assert score.score == -1
    assert score.reason == "Femur below horizontal not visible."


def test_streaming_is_the_same_as_the_whole_clip(squat, shape):
    clip = squat(shape(left_valgus=0.05), repetitions=3)
    scorer = Scorer()
    streamed = [update.assessment for update in map(scorer.update, clip) if update.assessment]
    assert streamed == score_clip(clip)
    assert len(streamed) == 3


def test_an_assessment_does_not_depend_on_later_frames(squat):
    poses = list(squat(repetitions=2))
    scorer = Scorer()
    found = next(u.assessment for u in map(scorer.update, poses) if u.assessment)
    cut = [pose for pose in poses if pose.stamp <= found.stamp]
    scorer.reset()
    assert [u.assessment for u in map(scorer.update, cut) if u.assessment] == [found]


def test_a_repetition_alone_scores_as_in_its_sequence(squat, shape):
    first, second = squat(shape(arms=60, heel_rise=0.06)), squat(shape(trunk=40))
    (alone,) = score_clip(second)
    scorer = Scorer()
    later = [replace(pose, stamp=pose.stamp + first.stamps[-1] + 1 / 30) for pose in second]
    both = [u.assessment for u in map(scorer.update, [*first, *later]) if u.assessment]
    assert len(both) == 2
    assert values(both[1]) == pytest.approx(values(alone), abs=1e-6)
    assert (both[1].score, both[1].confidence) == (alone.score, alone.confidence)


def test_mirror_swaps_the_sides_and_nothing_else(squat, shape):
    clip = squat(shape(left_valgus=0.07, arms=20, heel_rise=0.02))
    (original,), (mirrored,) = score_clip(clip), score_clip(mirror_clip(clip))
    ours, theirs = by_name(original), by_name(mirrored)
    swap = {"left_knee_over_foot": "right_knee_over_foot", "right_knee_over_foot": "left_knee_over_foot"}
    for name, criterion in ours.items():
        assert theirs[swap.get(name, name)].value == pytest.approx(criterion.value, abs=1e-5)
        assert theirs[swap.get(name, name)].verdict is criterion.verdict
    assert (original.score, original.reason.count("left knee")) == (1, 1) or "left knee" in original.reason.lower()
    assert "right knee" in mirrored.reason.lower()


@pytest.mark.parametrize(
    ("variation", "clean", "faulty"),
    [(Variation.DEEP_SQUAT_FLOOR, 3, 1), (Variation.DEEP_SQUAT_BOARD, 2, 1)],
)
def test_floor_and_board(squat, shape, variation, clean, faulty):
    (good,) = score_clip(squat(), variation=variation)
    (bad,) = score_clip(squat(shape(arms=60)), variation=variation)
    assert (good.score, bad.score, good.variation) == (clean, faulty, variation)
    assert ("board" in bad.reason) is (variation is Variation.DEEP_SQUAT_FLOOR)


def test_from_the_side_a_fallen_dowel_is_settled(squat, shape):
    (assessment,) = score_clip(squat(shape(arms=60), views=1, view_direction=SIDE_VIEW))
    criteria = by_name(assessment)
    assert assessment.score == 1
    assert criteria["dowel_over_feet"].verdict is Verdict.NOT_MET
    assert criteria["left_knee_over_foot"].verdict is Verdict.NOT_SEEN
    assert 0.5 <= assessment.confidence < 1.0


def test_from_the_front_the_trunk_and_the_dowel_are_not_seen(squat, shape):
    (assessment,) = score_clip(squat(shape(arms=60, trunk=60), views=1, view_direction=FRONT_VIEW))
    criteria = by_name(assessment)
    assert criteria["dowel_over_feet"].verdict is Verdict.NOT_SEEN
    assert criteria["trunk_parallel_to_tibia"].verdict is Verdict.NOT_SEEN
    assert assessment.score == -1
    assert "film from the side" in assessment.reason


def test_from_the_front_a_knee_that_falls_in_is_settled(squat, shape):
    (assessment,) = score_clip(squat(shape(left_valgus=0.14), views=1, view_direction=FRONT_VIEW))
    assert by_name(assessment)["left_knee_over_foot"].verdict is Verdict.NOT_MET
    assert assessment.score == 1


def test_the_oblique_view_is_less_sure_than_the_side(squat, shape):
    clip = shape(arms=60)
    angles = (90, 50, 35)
    directions = [(math.cos(math.radians(a)), math.sin(math.radians(a)), 0.0) for a in angles]
    found = [score_clip(squat(clip, views=1, view_direction=one))[0] for one in directions]
    confidences = [assessment.confidence for assessment in found]
    assert confidences == sorted(confidences, reverse=True)
    assert confidences[0] > confidences[-1]


def test_a_camera_whose_direction_is_unknown_shows_no_sagittal_plane(squat, shape):
    (assessment,) = score_clip(squat(shape(arms=60), views=1))
    assert by_name(assessment)["dowel_over_feet"].verdict is Verdict.NOT_SEEN


def test_several_cameras_see_everything(squat):
    (assessment,) = score_clip(squat(views=4))
    assert [c.name for c in assessment.criteria if c.verdict is Verdict.NOT_SEEN and not math.isfinite(c.value)] == []


def test_joints_of_low_confidence_are_not_seen(squat):
    clip = squat()
    confidence = clip.confidence.copy()
    confidence[:, [20, 21]] = 0.1
    (assessment,) = score_clip(replace(clip, confidence=confidence))
    criteria = by_name(assessment)
    assert {name for name, c in criteria.items() if c.verdict is Verdict.NOT_SEEN} == {
        "dowel_over_feet",
        "dowel_overhead",
    }
    assert assessment.score == -1
    assert "keep the whole body" in assessment.reason


def test_live_criteria_are_those_of_the_instant(squat, shape):
    states = [Scorer.update(scorer, pose).state for scorer in [Scorer()] for pose in squat(shape(arms=60), bottom=0.5)]
    standing = [state for state in states if state.phase in (Phase.UNKNOWN, Phase.STANDING)]
    bottom = [state for state in states if state.phase is Phase.BOTTOM]
    assert all(c.verdict is Verdict.NOT_SEEN and math.isnan(c.value) for s in standing for c in s.criteria)
    final = by_name(score_clip(squat(shape(arms=60), bottom=0.5))[0])
    for criterion in bottom[len(bottom) // 2].criteria:
        assert criterion.value == pytest.approx(final[criterion.name].value, abs=5e-3)
        assert criterion.verdict is final[criterion.name].verdict


def test_a_state_for_every_pose(squat):
    clip, scorer = squat(), Scorer()
    states = [scorer.update(pose).state for pose in clip]
    assert [state.stamp for state in states] == pytest.approx(clip.stamps)
    assert {state.subject for state in states} == {"hand_made"}
    assert {len(state.criteria) for state in states} == {len(RULES)}


def test_reset_counts_from_one_again(squat):
    scorer = Scorer()
    numbers = []
    for _ in range(2):
        numbers += [u.assessment.repetition for u in map(scorer.update, squat()) if u.assessment]
        scorer.reset()
    assert numbers == [1, 1]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"movement": Movement.UNKNOWN}, ["UNKNOWN", "DEEP_SQUAT", "HURDLE_STEP"]),
        ({"movement": 42}, ["42", "DEEP_SQUAT"]),
        ({"variation": Variation.INLINE_LUNGE_LEFT}, ["INLINE_LUNGE_LEFT", "DEEP_SQUAT_FLOOR", "DEEP_SQUAT_BOARD"]),
        ({"side": Side.LEFT}, ["LEFT", "BOTH"]),
        ({"trial": 0}, ["trial is 0", "from 1"]),
    ],
)
def test_what_cannot_be_scored_is_refused_with_what_can(options, words):
    with pytest.raises(ValueError) as error:
        Scorer(**options)
    assert all(word in str(error.value) for word in words)


def test_every_registered_movement_is_whole():
    for movement, definition in MOVEMENTS.items():
        assert definition.movement is movement
        for variation, form in definition.variations.items():
            assert chosen_form(movement, variation, Side.BOTH) == (variation, form.side)
            assert form.side in definition.sides
        for side in definition.sides:
            variation = default_variation(movement, side)
            assert variation in definition.variations or (variation, side) == (Variation.NONE, Side.BOTH)
            assert movement_rules(movement, variation, side) is definition
        done_on = (Side.LEFT, Side.RIGHT) if definition.has_sides else (Side.BOTH,)
        names = {tuple(rule.name for rule in definition.rules(side, UNKNOWN_BODY)) for side in done_on}
        assert len(names) == 1
        assert definition.views and definition.repetitions() is not None


class Opinion:
    """A learned scorer whose opinion is known."""

    def __init__(self, score):
        self.answer = LearnedScore(math.nan if score < 0 else score / 3.0, score)

    def score(self, repetition, side):
        assert (side, len(repetition.frames) > 10) == (Side.BOTH, True)
        return self.answer


@pytest.mark.parametrize(
    ("opinion", "arms", "disagreement"),
    [(3, 0.0, False), (2, 0.0, True), (3, 60.0, True), (2, 60.0, False), (-1, 0.0, False)],
)
def test_the_learned_scorer_warns_and_never_scores(squat, shape, monkeypatch, opinion, arms, disagreement):
    monkeypatch.setattr(learned_scorer, "learned_scorer", lambda movement: Opinion(opinion))
    clip = squat(shape(arms=arms))
    (with_it,), (without,) = score_clip(clip), score_clip(clip, learned=False)
    assert (with_it.learned_score, with_it.disagreement) == (opinion, disagreement)
    assert replace(with_it, learned_score=-1, disagreement=False) == without
    (board,) = score_clip(clip, variation=Variation.DEEP_SQUAT_BOARD)
    assert (board.learned_score, board.disagreement) == (-1, False)  # nobody has labelled a squat on the board
