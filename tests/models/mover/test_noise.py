"""Camera-like noise: its size, its course in time, and what it leaves alone."""

from dataclasses import replace

import numpy as np
import pytest

from fitmotion_models.mover import SquatParameters, add_camera_noise, squat_clip
from fitmotion_models.skeleton.joint_sets import SMPL22
from fitmotion_models.skeleton.kinematics import forward_kinematics

CLIP = squat_clip(SquatParameters(repetitions=1, stance_s=0.5, hold_s=10.0), fps=10.0)
ANGLES = [
    ("left_hip", "left_knee", "left_ankle"),
    ("neck", "right_hip", "right_knee"),
    ("right_knee", "right_ankle", "right_foot"),
]


def joint_angle_deg(clip, names):
    a, b, c = (clip.positions[:, SMPL22.index(name)].astype(float) for name in names)
    u, v = a - b, c - b
    cosine = np.sum(u * v, axis=-1) / np.linalg.norm(u, axis=-1) / np.linalg.norm(v, axis=-1)
    return np.degrees(np.arccos(cosine))


@pytest.mark.parametrize(("sd", "white_share"), [(5.0, 0.5), (12.0, 0.02)])
def test_joint_angles_err_by_the_stated_deviation(sd, white_share):
    noisy = [add_camera_noise(CLIP, sd, (0.0, 1.0, 0.0), seed, white_share=white_share) for seed in range(60)]
    for names in ANGLES:
        errors = [joint_angle_deg(clip, names) - joint_angle_deg(CLIP, names) for clip in noisy]
        assert np.std(errors) == pytest.approx(sd, rel=0.12), names


@pytest.mark.slow
def test_noise_in_time_follows_its_stated_correlation():
    # the thigh's lean in the hold at the bottom, white part off: (1 + t/c) exp(-t/c) with c = 0.5 s
    hold = slice(25, 115)
    series = []
    for seed in range(120):
        clip = add_camera_noise(CLIP, 5.0, (0.0, 1.0, 0.0), seed, white_share=0.0)
        thigh = clip.positions[hold, SMPL22.index("left_knee")] - clip.positions[hold, SMPL22.index("left_hip")]
        series.append(thigh[:, 2] / np.linalg.norm(thigh, axis=-1))
    errors = np.array(series) - np.mean(series)
    for lag in (1, 5, 10, 20):
        t = lag * 0.1 / 0.5
        correlation = np.mean(errors[:, :-lag] * errors[:, lag:]) / np.mean(errors**2)
        assert correlation == pytest.approx((1.0 + t) * np.exp(-t), abs=0.06)


def test_white_share_is_the_share_of_the_variance():
    noisy = [add_camera_noise(CLIP, 5.0, (0.0, 1.0, 0.0), seed, white_share=1.0) for seed in range(20)]
    steps = [np.diff(joint_angle_deg(clip, ANGLES[0])[25:115]) for clip in noisy]
    # differences of independent values have twice their variance
    assert np.std(steps) == pytest.approx(5.0 * np.sqrt(2.0), rel=0.1)


def test_the_body_stays_one_body():
    noisy = add_camera_noise(CLIP, 12.0, (1.0, 1.0, 0.0), 1)
    again = forward_kinematics(noisy.positions[:, 0], noisy.rotations, noisy.bone_offsets)
    np.testing.assert_allclose(again, noisy.positions, atol=1e-5)
    for parent, child in SMPL22.edges:
        bone = noisy.positions[:, child] - noisy.positions[:, parent]
        np.testing.assert_allclose(np.linalg.norm(bone, axis=-1), np.linalg.norm(CLIP.bone_offsets[child]), atol=1e-5)
    np.testing.assert_allclose(noisy.feet.mean(axis=1), CLIP.feet.mean(axis=1), atol=1e-5)
    heel_to_ankle = np.linalg.norm(noisy.feet[:, 0] - noisy.positions[:, SMPL22.index("left_ankle")], axis=-1)
    assert np.ptp(heel_to_ankle) < 1e-5
    np.testing.assert_allclose(noisy.view_direction, np.tile((0.5**0.5, 0.5**0.5, 0.0), (len(CLIP), 1)), atol=1e-6)
    assert noisy.views == 1


def test_no_noise_is_the_clip_itself():
    same = add_camera_noise(CLIP, 0.0)
    np.testing.assert_allclose(same.positions, CLIP.positions, atol=1e-6)
    np.testing.assert_allclose(same.feet, CLIP.feet, atol=1e-6)
    assert same.views == 4
    assert np.isnan(same.view_direction).all()


def test_seed_decides():
    one, again, other = (add_camera_noise(CLIP, 12.0, seed=seed).positions for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert np.abs(one - other).max() > 0.05


def test_unseen_stays_unseen_and_harms_nobody():
    wrist = SMPL22.index("left_wrist")
    arrays = {name: getattr(CLIP, name).copy() for name in ("positions", "rotations", "confidence", "feet")}
    for name in ("positions", "rotations"):
        arrays[name][:, wrist] = np.nan
    arrays["confidence"][:, wrist] = 0.0
    noisy = add_camera_noise(replace(CLIP, **arrays), 12.0, seed=1)
    assert np.isnan(noisy.positions[:, wrist]).all()
    seen = [joint for joint in range(22) if joint != wrist]
    np.testing.assert_allclose(noisy.positions[:, seen], add_camera_noise(CLIP, 12.0, seed=1).positions[:, seen])


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ({"joint_angle_sd_deg": -1.0}, "joint_angle_sd_deg=-1"),
        ({"joint_angle_sd_deg": float("nan")}, "joint_angle_sd_deg=nan"),
        ({"joint_angle_sd_deg": 5.0, "correlation_s": -1.0}, "correlation_s=-1"),
        ({"joint_angle_sd_deg": 5.0, "white_share": 1.5}, "white_share=1.5"),
        ({"joint_angle_sd_deg": 5.0, "views": 1}, "views=1 and no view_direction"),
        ({"joint_angle_sd_deg": 5.0, "view_direction": (0.0, 0.0, 0.0)}, "view_direction"),
    ],
)
def test_wrong_noise_is_refused(keywords, words):
    with pytest.raises(ValueError, match=words):
        add_camera_noise(CLIP, **keywords)
