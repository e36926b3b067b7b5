"""Physical measures against motions whose answer is known by construction, and the published code's own figure."""

import numpy as np
import pytest

from fitmotion_models.evaluation.physical_metrics import (
    Physical,
    contact_accuracy,
    floating,
    jerks,
    path_errors,
    penetration,
    physical_measures,
    seam_accelerations,
    skating_ratio,
)
from fitmotion_models.motion.features import LAYOUT, clip_of

FPS = 20.0
STANDING = 0.9351  # the canonical body's pelvis over its soles, metres


def standing(frames=40, height=STANDING):
    features = np.zeros((frames, LAYOUT.size))
    features[:, 2] = height
    features[:, LAYOUT["heading"]] = (1.0, 0.0)
    features[:, LAYOUT["rotations"]] = np.tile((1.0, 0, 0, 0, 1.0, 0), 22)
    return features


def positions_of(feet):
    """(T, 22, 3) with the balls of the feet (T, 2, 3) given, the rest far above the floor."""
    positions = np.full((len(feet), 22, 3), 1.0)
    positions[:, 10:12] = feet
    return positions


def test_a_body_that_stands_has_none():
    measures = physical_measures(clip_of(standing()))
    assert measures == pytest.approx(dict.fromkeys(measures, 0.0), abs=1e-3)


def test_a_body_moved_sideways_skates():
    features = standing()
    features[10:21, 1] = np.linspace(0.0, 0.55, 11)  # 1.1 m/s
    features[21:, 1] = 0.55
    # 10 of 39 steps are fast; the mean of five frames passes .5 m/s from two steps before, and to two after, those with
    # at least three fast ones among five, which all ten have
    assert skating_ratio(clip_of(features).positions, FPS) == pytest.approx(10 / 39)


def test_skating_knows_speed_and_height():
    frames = np.arange(40)
    for speed, height, expected in ((0.45, 0.03, 0.0), (0.55, 0.03, 1.0), (0.55, 0.06, 0.0)):
        feet = np.zeros((40, 2, 3))
        feet[:, 0] = np.stack([frames * speed / FPS, 0 * frames, 0 * frames + height], axis=-1)
        share = skating_ratio(positions_of(feet), FPS)
        # zeros beyond the ends are in the mean of the first and the last two steps, as published
        assert share == pytest.approx(expected, abs=4.1 / 39)
    assert skating_ratio(np.zeros((1, 22, 3)), FPS) == 0.0


# What `calculate_skating_ratio` of Guided Motion Diffusion (korrawe/guided-motion-diffusion, commit 2f6264a) prints for
# the motion below, with y up.
GUIDED_MOTION_DIFFUSION = 27 / 59


def test_skating_is_that_of_the_published_code():
    index = np.arange(60)
    feet = np.zeros((60, 2, 3))
    for foot in range(2):
        feet[:, foot, 0] = np.cumsum(0.03 * np.sin(0.35 * index + foot))
        feet[:, foot, 1] = np.cumsum(0.02 * np.cos(0.2 * index * (foot + 1)))
        feet[:, foot, 2] = 0.045 + 0.02 * np.sin(0.5 * index + 2 * foot)
    assert skating_ratio(positions_of(feet), FPS) == pytest.approx(GUIDED_MOTION_DIFFUSION)


def test_depth_and_height_over_the_floor():
    features = standing(height=STANDING - 0.02)
    features[20:, 2] = STANDING + 0.1
    clip = clip_of(features)
    assert penetration(clip.positions, clip.feet) == pytest.approx(0.02 / 2, abs=2e-4)
    assert floating(clip.positions, clip.feet) == pytest.approx(0.1 / 2, abs=2e-4)
    within = clip_of(standing(height=STANDING + 0.004))
    assert floating(within.positions, within.feet) == 0.0


def test_jerk_of_a_cubic_is_its_third_derivative():
    time = np.arange(30) / FPS
    positions = np.zeros((30, 22, 3))
    positions[:, :, 0] = (2.0 * time**3)[:, None]
    assert jerks(positions, FPS) == pytest.approx(12.0)
    assert jerks(positions[:3], FPS).size == 0


def test_path_error_counts_where_a_path_is_given():
    clip = clip_of(standing(frames=4))
    path = np.array([(0.0, 0.0), (0.3, 0.4), (np.nan, np.nan), (0.0, 0.1)])
    assert path_errors(clip.positions, path) == pytest.approx([0.0, 0.5, 0.1], abs=1e-6)
    assert physical_measures(clip, path=path)["path_error_m"] == pytest.approx(0.2, abs=1e-6)


def test_a_jump_at_a_seam_is_seen_there_only():
    positions = np.zeros((40, 22, 3))
    positions[20:, :, 0] = 0.01
    at_seam, elsewhere = seam_accelerations(positions, FPS, [20])
    assert (at_seam, elsewhere) == pytest.approx((0.01 * FPS**2, 0.0))
    assert seam_accelerations(positions, FPS, [10])[0] == 0.0
    assert np.isnan(seam_accelerations(positions, FPS, [])[0])


def test_contacts_stated_are_held_against_what_the_feet_do():
    clip = clip_of(standing())
    stated = np.ones((40, 4))
    stated[:10, 0] = 0.0
    assert contact_accuracy(stated, clip.feet, FPS) == pytest.approx(1.0 - 10 / 160)


def test_means_are_over_the_clips_that_have_a_measure():
    metric, clip = Physical(), clip_of(standing())
    metric.compute(clip, seams=[20])
    metric.compute(clip, path=np.full((40, 2), 0.3))
    metric.compute(clip)
    figures = metric.aggregate()
    assert figures["path_error_m"] == pytest.approx(0.3 * np.sqrt(2))
    assert figures["seam_acceleration_m_s2"] == pytest.approx(0.0, abs=1e-3)


def test_unseen_joints_are_refused():
    from dataclasses import replace

    clip = clip_of(standing())
    positions = clip.positions.copy()
    positions[3, 4] = np.nan
    with pytest.raises(ValueError, match="unseen joints"):
        physical_measures(replace(clip, positions=positions))
