"""The One Euro filter and the side check against their definitions."""

import math

import numpy as np
import pytest

from fitmotion_models.pose.image_motion import SMOOTHING_SECONDS, ImageMotion
from fitmotion_models.pose.keypoints import Keypoints
from fitmotion_models.pose.left_right import LeftRightConsistency
from fitmotion_models.pose.one_euro import OneEuroFilter
from fitmotion_models.skeleton.joint_sets import JOINT_SETS

FPS = 30.0


def test_without_speed_term_it_is_the_exponential_filter_of_that_cutoff():
    cutoff = 1.7
    smooth = OneEuroFilter(cutoff, 0.0)
    share = 1 / (1 + FPS / (2 * math.pi * cutoff))
    smooth(np.zeros((1, 3)), 0.0)
    for step in range(1, 20):
        value = smooth(np.ones((1, 3)), step / FPS)
        np.testing.assert_allclose(value, 1 - (1 - share) ** step, rtol=1e-9)


def test_it_rests_on_jitter_and_follows_a_fast_ramp():
    rng = np.random.default_rng(0)
    rest, ramp = OneEuroFilter(1.7, 5.0), OneEuroFilter(1.7, 5.0)
    noisy = rng.normal(0, 0.01, (300, 1, 3))
    quiet = np.array([rest(sample, index / FPS) for index, sample in enumerate(noisy)])
    assert quiet[30:].std() < 0.6 * noisy[30:].std()
    moving = [ramp(np.full((1, 3), 1.5 * index / FPS), index / FPS)[0, 0] for index in range(60)]
    lag_s = (1.5 * 59 / FPS - moving[-1]) / 1.5
    assert lag_s < 1 / FPS


def test_a_landmark_that_comes_back_starts_anew_and_poisons_nothing():
    smooth = OneEuroFilter(1.7, 5.0)
    hidden = np.array([[0.0, 0, 0], [np.nan] * 3])
    smooth(hidden, 0.0)
    value = smooth(np.array([[0.0, 0, 0], [1.0, 2, 3]]), 0.1)
    np.testing.assert_allclose(value, [[0, 0, 0], [1, 2, 3]])
    assert np.isnan(smooth(hidden, 0.2)[1]).all()


def test_impossible_settings_are_refused():
    with pytest.raises(ValueError, match="cut-off"):
        OneEuroFilter(0.0, 1.0)


def standing_person(shift=0.0):
    names = JOINT_SETS["blazepose33"].joints
    pixels = np.zeros((33, 2), np.float32)
    for index, name in enumerate(names):
        side = 40.0 if "left" in name else -40.0 if "right" in name else 0.0
        pixels[index] = 300 + side + shift, 100 + 10 * index
    return Keypoints("blazepose33", pixels, np.ones(33, np.float32), np.zeros((33, 3), np.float32))


def exchanged(keypoints):
    order = np.array(JOINT_SETS["blazepose33"].mirror)
    return Keypoints(keypoints.joint_set, keypoints.pixels[order], keypoints.confidence, keypoints.world)


def test_frames_with_exchanged_sides_are_put_right():
    check = LeftRightConsistency()
    for index in range(30):
        truth = standing_person(shift=2.0 * index)
        given = exchanged(truth) if index in (5, 6, 7, 20) else truth
        np.testing.assert_array_equal(check(given, index / FPS).pixels, truth.pixels)
    assert check.swapped_frames == 4


def test_a_detector_that_insists_is_believed():
    check = LeftRightConsistency()
    check(standing_person(), 0.0)
    turned = exchanged(standing_person())
    seen = [check(turned, step / FPS).pixels for step in range(1, 60)]
    np.testing.assert_array_equal(seen[0], standing_person().pixels)
    np.testing.assert_array_equal(seen[-1], turned.pixels)


def test_a_body_from_the_side_has_nothing_to_exchange():
    check = LeftRightConsistency()
    person = standing_person()
    flat = Keypoints("blazepose33", person.pixels * (0.01, 1.0), person.confidence, person.world)
    check(flat, 0.0)
    check(exchanged(flat), 0.1)
    assert check.swapped_frames == 0


def test_image_motion_is_in_metres_a_second():
    motion = ImageMotion()
    points = np.array([[0.0, -0.8, 0], [0.0, 0.8, 0], [0.3, 0, 0]])
    pixels_per_metre = 250.0
    for index in range(60):
        pixels = points[:, :2] * pixels_per_metre + (0.5 * pixels_per_metre * index / FPS, 0)
        motion.update(pixels, points, index / FPS)
    settled = 1 - (1 - (1 / FPS) / (1 / FPS + SMOOTHING_SECONDS)) ** 59
    np.testing.assert_allclose(motion.speeds, 0.5 * settled, rtol=1e-6)
    assert motion.speed_of([0, 1]) == pytest.approx(0.5, rel=1e-3)
