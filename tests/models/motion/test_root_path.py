"""Paths and keyframes as targets: the right frames, the right columns, the right place."""

import numpy as np
import pytest

from fitmotion_models.motion.condition import Keyframe, MotionCondition, RootPath
from fitmotion_models.motion.easing import to_rest
from fitmotion_models.motion.features import LAYOUT, Anchor, anchor_of, features_of, placed
from fitmotion_models.motion.root_path import RootTargets, end_of, path_start
from fitmotion_models.mover.movers import make_mover
from fitmotion_models.mover.squat import squat_clip
from fitmotion_models.mover.squat_parameters import SquatParameters

ORIGIN = Anchor(0.0, 0.0, 1.0, 0.0)
ROOT = LAYOUT["root_position"].start


def along(*points, stamps=None):
    times = np.arange(len(points), dtype=float) if stamps is None else np.array(stamps, float)
    return RootPath(times, np.array(points, float))


def test_no_path_binds_nothing():
    targets = RootTargets(MotionCondition("walks"), np.zeros(2), np.zeros(2)).chunk(0, ORIGIN)
    assert not targets.mask.any() and not targets.target.any()


def test_a_path_binds_the_frames_between_its_stamps_and_what_it_says():
    condition = MotionCondition("walks", path=along((0, 0), (1, 0), stamps=(0.0, 1.25)))
    asked = RootTargets(condition, np.zeros(2), np.array([0.8, 0.0]))
    first, second = asked.chunk(0, ORIGIN), asked.chunk(20, ORIGIN)
    assert first.mask[:, ROOT : ROOT + 2].all() and first.mask.sum() == 40
    assert second.mask[:6, ROOT].all() and not second.mask[6:].any()  # to 1.25 s, the 25th frame
    # moving as the path does, the body is only a frame late, which is made up for within a second
    np.testing.assert_allclose(second.target[:6, ROOT], (20 + np.arange(6)) * 0.04, atol=1e-6)
    assert not first.target[first.mask == 0].any()


def test_targets_are_seen_from_the_anchor():
    condition = MotionCondition("walks", path=along((2, 3, 0.9), (2, 5, 0.8), stamps=(0.0, 2.0)))
    asked = RootTargets(condition, np.array([2.0, 3.0]), np.array([0.0, 1.0]))
    anchor = Anchor(2.0, 3.0, 0.0, 1.0)  # facing y
    chunk = asked.chunk(5, anchor)
    world = placed(chunk.target, anchor)
    times = (5 + np.arange(20)) / 20.0
    np.testing.assert_allclose(chunk.target[:, ROOT + 1], 0.0, atol=1e-6)
    np.testing.assert_allclose(world[:, ROOT + 1], 3.0 + times, atol=0.06)
    np.testing.assert_allclose(chunk.target[:, ROOT + 2], 0.9 - 0.05 * times, atol=1e-6)


def test_a_body_beside_its_path_is_led_to_it_without_a_jump():
    condition = MotionCondition("walks", path=along((0, 0), (4, 0), stamps=(0.0, 4.0)))
    place, speed = np.array([-0.5, 1.0]), np.array([0.0, -0.4])
    asked = RootTargets(condition, place, speed)
    way = np.concatenate([asked.chunk(first, ORIGIN).target[:, ROOT : ROOT + 2] for first in range(0, 80, 20)])
    whole = np.concatenate([[place - speed / 20.0, place], way])
    acceleration = np.linalg.norm(np.diff(whole, 2, axis=0), axis=-1) * 400.0
    assert acceleration.max() < 4.0
    np.testing.assert_allclose(way[-1], (79 / 20.0, 0.0), atol=1e-6)


def test_a_point_for_later_is_walked_to_from_where_the_body_is():
    condition = MotionCondition("walks", path=along((2, 0), stamps=(2.0,)))
    asked = RootTargets(condition, np.zeros(2), np.zeros(2))
    second = asked.chunk(21, ORIGIN)
    assert second.mask[:20, ROOT].all()
    assert second.target[19, ROOT] == pytest.approx(2.0, abs=1e-5)
    assert end_of(condition) == 2.0
    assert path_start(condition) == ORIGIN


def test_motions_begin_on_their_path_facing_along_it():
    start = path_start(MotionCondition("walks", path=along((1, 1), (1, 1.01), (0, 1.01))))
    assert start[:2] == (1.0, 1.0)
    np.testing.assert_allclose(start[2:], (-1.0, 0.01), atol=1e-3)
    standing = path_start(MotionCondition("waves", path=along((1, 1), (1, 1))))
    assert standing == (1.0, 1.0, 1.0, 0.0)


def test_a_keyframe_binds_its_frame_and_only_its_joints():
    clip = make_mover("squat", fps=20.0)
    truth = features_of(clip)[40]
    joints = np.zeros(22, bool)
    joints[[16, 18]] = True  # left shoulder and elbow
    whole = Keyframe(1.3, clip.frame(40))
    arm = Keyframe(0.25, clip.frame(40), joints)
    asked = RootTargets(MotionCondition("squats", keyframes=(whole, arm)), np.zeros(2), np.zeros(2))
    first, second = asked.chunk(0, ORIGIN), asked.chunk(20, anchor_of(truth))
    assert np.flatnonzero(first.mask.any(axis=1)).tolist() == [5]
    assert first.mask.sum() == 2 * 6 + 2 * 3
    columns = LAYOUT["rotations"].start + 6 * 16 + np.arange(6)
    np.testing.assert_allclose(first.target[5, columns], truth[columns], atol=1e-6)
    assert np.flatnonzero(second.mask.any(axis=1)).tolist() == [6]
    bound = second.mask[6] == 1.0
    assert bound[: LAYOUT["contacts"].start].all() and not bound[LAYOUT["contacts"]].any()
    np.testing.assert_allclose(placed(second.target[6:7], anchor_of(truth))[0][bound], truth[bound], atol=1e-5)


def test_a_keyframe_of_another_body_stands_on_the_floor_too():
    small = squat_clip(SquatParameters(scale=0.8), fps=20.0)
    asked = RootTargets(
        MotionCondition("squats", keyframes=(Keyframe(0.0, small.frame(0)),)), np.zeros(2), np.zeros(2)
    ).chunk(0, ORIGIN)
    assert small.positions[0, 0, 2] < 0.8
    assert asked.target[0, ROOT + 2] == pytest.approx(small.positions[0, 0, 2] / 0.8, abs=0.01)


def test_coming_to_rest_has_the_ends_of_a_quintic():
    """Minimum jerk (Flash and Hogan 1985): half of the way at half of the time, speed 15/8 of the mean there."""
    rest = to_rest(100)
    assert rest.place[49] == pytest.approx(0.5)
    assert (rest.place[48] - rest.place[50]) * 50.0 == pytest.approx(15.0 / 8.0, rel=1e-3)
    for part, value, speed in ((rest.place, 1.0, 0.0), (rest.speed, 0.0, 1.0)):
        before = np.concatenate([[value], part])
        assert before[1] - before[0] == pytest.approx(speed, abs=1e-3)
        assert before[-1] == pytest.approx(0.0, abs=1e-12) and abs(before[-1] - before[-2]) < 1e-3
    carried = to_rest(100, 20).speed
    assert carried[19:].max() == pytest.approx(0.0, abs=1e-12)
