"""What is a squat and what is not, and the phases on the way."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from fitmotion_models.fms.scorer import Scorer, score_clip
from fitmotion_models.fms.values import Phase

FPS = 30.0
ANKLES, KNEES, PELVIS = (7, 8), (4, 5), 0


def ramp(start, end, seconds, fps=FPS):
    """Shares from start (left out) to end, at the pace of a raised cosine."""
    steps = np.arange(1, round(seconds * fps) + 1) / round(seconds * fps)
    return start + (end - start) * (0.5 - 0.5 * np.cos(np.pi * steps))


def hold(share, seconds, fps=FPS):
    return np.full(round(seconds * fps), share)


@pytest.fixture
def follow(shape, points_of, clip_of):
    """Scores the hand-made squat along shares of its depth."""

    def run(*parts, fps=FPS, change=lambda points, index: points, **options):
        shares = np.concatenate(parts)
        return score_clip(clip_of([change(points_of(shape(), s), i) for i, s in enumerate(shares)], fps, **options))

    return run


@pytest.mark.parametrize(
    ("fps", "stand"), [(10.0, 0.5), (15.0, 0.0), (20.0, 0.5), (30.0, 0.0), (30.0, 0.3), (30.0, 1.0), (120.0, 0.0)]
)
def test_counts_repetitions_with_and_without_pauses(squat, fps, stand):
    assessments = score_clip(squat(repetitions=3, fps=fps, stand=stand))
    assert [assessment.repetition for assessment in assessments] == [1, 2, 3]
    assert all(assessment.score == 3 for assessment in assessments)
    assert all(one.end <= two.start for one, two in itertools.pairwise(assessments))


def test_start_and_end_surround_the_movement(squat):
    (assessment,) = score_clip(squat(stand=1.0, seconds=2.0, bottom=0.2))
    # stands 1 s, moves 2.2 s; a repetition holds up to 0.2 s of the standing before and after
    assert 0.75 < assessment.start < 1.25
    assert 2.95 < assessment.end < 3.45


@pytest.mark.parametrize(("descent", "pause"), [(0.5, 0.0), (0.5, 1.0), (1.0, 5.0), (4.0, 0.0), (10.0, 1.0)])
def test_fast_slow_and_held_squats_are_one_repetition(follow, descent, pause):
    assert len(follow(hold(0, 1), ramp(0, 1, descent), hold(1, pause), ramp(1, 0, descent), hold(0, 1))) == 1


def test_bouncing_at_the_bottom_is_still_one(follow):
    bounce = [part for _ in range(4) for part in (ramp(1, 0.8, 0.3), ramp(0.8, 1, 0.3))]
    assert len(follow(hold(0, 1), ramp(0, 1, 1), *bounce, ramp(1, 0, 1), hold(0, 1))) == 1


def test_a_hesitation_on_the_way_is_no_second_repetition(follow):
    parts = (ramp(0, 0.5, 0.6), hold(0.5, 0.5), ramp(0.5, 1, 0.6), ramp(1, 0.4, 0.6), hold(0.4, 0.8), ramp(0.4, 0, 0.5))
    assert len(follow(hold(0, 1), *parts, hold(0, 1))) == 1


def test_a_dip_is_none_and_does_not_hide_the_next(follow):
    dip = (ramp(0, 0.3, 0.4), ramp(0.3, 0, 0.4), hold(0, 0.3))
    assert len(follow(hold(0, 1), *dip, *dip, ramp(0, 1, 1), ramp(1, 0, 1), hold(0, 1))) == 1


def test_a_squat_that_is_too_shallow_is_a_failed_repetition(follow):
    (assessment,) = follow(hold(0, 1), ramp(0, 0.6, 1), hold(0.6, 0.3), ramp(0.6, 0, 1), hold(0, 1))
    assert assessment.score == 1
    assert "hips stayed above the knees" in assessment.reason.lower()


def test_not_standing_up_fully_between_repetitions(follow):
    up = (ramp(1, 0.25, 0.8), ramp(0.25, 1, 0.8))
    assert len(follow(hold(0, 1), ramp(0, 1, 1), *up, *up, ramp(1, 0, 1), hold(0, 1))) == 3


def test_ends_soon_after_the_body_is_up_again(follow):
    """The recording stops a fifth of a second after the movement, and starts a fifth before."""
    assert len(follow(hold(0, 0.2), ramp(0, 1, 1), ramp(1, 0, 1), hold(0, 0.2))) == 1


def test_no_stance_before_no_repetition(follow):
    assert follow(hold(1, 1), ramp(1, 0, 1), hold(0, 1)) == []
    assert len(follow(hold(1, 1), ramp(1, 0, 1), hold(0, 0.5), ramp(0, 1, 1), ramp(1, 0, 1), hold(0, 0.5))) == 1


def test_staying_down_is_no_repetition(follow):
    assert follow(hold(0, 1), ramp(0, 1, 1), hold(1, 3)) == []


def test_sitting_down_on_a_chair_and_getting_up_is_none(follow, shape, points_of):
    """On a chair the tibiae are upright and the weight is far behind the feet."""
    seated = shape(tibia=0.0, femur=90.0, trunk=0.0)
    down, up = ramp(0, 1, 1), ramp(1, 0, 1)
    shares = np.concatenate((hold(0, 1), down, hold(1, 1), up, hold(0, 1)))
    frames = iter(shares)
    assert follow(shares, change=lambda _, index: points_of(seated, next(frames))) == []


@pytest.mark.parametrize("foot", [0, 1])
def test_a_step_during_the_movement_is_none(follow, foot):
    def step(points, index):
        if index > 45:
            points[[ANKLES[foot], 10 + foot, 22 + 2 * foot, 23 + 2 * foot]] += (0.35, 0.0, 0.0)
        return points

    assert follow(hold(0, 1), ramp(0, 1, 1), ramp(1, 0, 1), hold(0, 0.1), change=step) == []


def test_a_jump_is_none(follow):
    """Down and up like a squat, but through the height of standing into the air."""

    # the drop goes with the square of the share: like this the pelvis speeds up to the instant of leaving the floor
    push_off = 0.7 * np.sqrt(1.0 - (np.arange(1, 9) / 8.0) ** 2)

    def fly(points, index):
        time = index / FPS - (1.0 + 0.5 + 8 / FPS)
        points[:, 2] += max(0.0, 2.5 * time - 0.5 * 9.81 * time**2)
        return points

    jump = (hold(0, 1), ramp(0, 0.7, 0.5), push_off, hold(0, 1.5))
    assert follow(*jump, change=fly) == []
    assert len(follow(*jump[:2], ramp(0.7, 0, 0.8), hold(0, 1.5))) == 1


def test_a_lunge_is_none(follow, shape, points_of):
    """One foot far in front: not a stance of a squat."""

    def lunge(points, index):
        points[[4, 7, 10, 22, 23]] += (0.4, 0.0, 0.0)
        points[[5, 8, 11, 24, 25]] -= (0.4, 0.0, 0.0)
        return points

    assert follow(hold(0, 1), ramp(0, 1, 1), ramp(1, 0, 1), hold(0, 1), change=lunge) == []


def test_walking_is_none(clip_of, shape, points_of):
    """Feet that swing and a pelvis that bobs."""
    frames = []
    for index in range(300):
        points = points_of(shape(), 0.12 + 0.1 * np.sin(2 * np.pi * index / 15))
        swing = 0.35 * np.sin(2 * np.pi * index / 30)
        points[[4, 7, 10, 22, 23]] += (swing, 0.0, max(0.0, 0.2 * swing))
        points[[5, 8, 11, 24, 25]] -= (swing, 0.0, min(0.0, 0.2 * swing))
        frames.append(points + (1.2 * index / 30, 0.0, 0.0))
    assert score_clip(clip_of(frames)) == []


def test_a_person_who_is_lost_on_the_way_needs_a_new_stance(squat):
    poses = list(squat(repetitions=2))
    cut = [pose for pose in poses if not 1.5 < pose.stamp < 2.2]
    scorer = Scorer()
    found = [update.assessment for update in map(scorer.update, cut) if update.assessment]
    assert [assessment.repetition for assessment in found] == [1]
    assert found[0].start > 3.0


def test_single_missing_and_broken_frames_change_nothing(squat):
    poses = list(squat())
    (whole,) = score_clip(squat())
    for index in (20, 45, 46, 90):
        pose = poses[index]
        poses[index] = replace(pose, positions=np.full((22, 3), np.nan), confidence=np.zeros(22))
    del poses[75]
    scorer = Scorer()
    (found,) = [update.assessment for update in map(scorer.update, poses) if update.assessment]
    assert found.score == whole.score
    assert [c.value for c in found.criteria] == pytest.approx([c.value for c in whole.criteria], abs=1e-3)


def test_nobody_to_see_is_unknown_and_no_error(squat):
    scorer = Scorer()
    for pose in list(squat())[:10]:
        update = scorer.update(
            replace(pose, positions=np.full((22, 3), np.nan), confidence=np.ones(22), feet=np.full((4, 3), np.inf))
        )
        assert update.state.phase is Phase.UNKNOWN
        assert update.assessment is None


def test_time_that_jumps_back_starts_over(squat):
    """A looped recording: the second round is scored like the first."""
    scorer = Scorer()
    found = [u.assessment for _ in range(2) for u in map(scorer.update, squat()) if u.assessment]
    assert [assessment.repetition for assessment in found] == [1, 2]
    assert found[0].criteria == found[1].criteria


def test_phases_follow_the_movement(squat):
    scorer = Scorer()
    states = [scorer.update(pose).state for pose in squat(stand=1.0, seconds=2.0, bottom=0.5)]
    names = [phase for phase, _ in itertools.groupby(state.phase for state in states)]
    assert names == [Phase.UNKNOWN, Phase.STANDING, Phase.DESCENDING, Phase.BOTTOM, Phase.ASCENDING, Phase.STANDING]
    assert all(0.0 <= state.progress <= 1.0 for state in states)
    at = {phase: [s.progress for s in states if s.phase is phase] for phase in Phase}
    assert set(at[Phase.STANDING]) == {0.0}
    assert set(at[Phase.BOTTOM]) == {1.0}
    assert at[Phase.DESCENDING] == sorted(at[Phase.DESCENDING])
    assert at[Phase.ASCENDING] == sorted(at[Phase.ASCENDING])
