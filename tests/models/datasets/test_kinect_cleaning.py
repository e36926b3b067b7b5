"""Cleaning of Kinect joints: against SciPy's filters, and bodies of known place."""

import numpy as np
import pytest
import scipy.ndimage
from scipy.spatial.transform import Rotation

from fitmotion_models.datasets.kinect_cleaning import KinectCleaning, kinect_clip, standing_body, without_jitter
from fitmotion_models.mover import SquatParameters, squat_clip
from fitmotion_models.skeleton.body_pose import Source
from fitmotion_models.skeleton.joint_sets import JOINT_SETS, SMPL22
from fitmotion_models.skeleton.motion_clip import MotionClip

FPS = 30.0
ANKLES = [SMPL22.index("left_ankle"), SMPL22.index("right_ankle")]


@pytest.fixture(scope="module")
def squat() -> MotionClip:
    return squat_clip(SquatParameters(repetitions=1), fps=FPS)


def kinect_points(clip: MotionClip) -> np.ndarray:
    """(T, 22, 3): the joints under UI-PRMD's names; its head's tip is above our head."""
    set_ = JOINT_SETS["uiprmd22"]
    theirs = {"upper_leg": "hip", "lower_leg": "knee", "foot": "ankle", "toes": "foot"}
    theirs |= {"collar": "collar", "upper_arm": "shoulder", "forearm": "elbow", "hand": "wrist"}
    trunk = {"waist": "pelvis", "spine": "spine2", "chest": "spine3", "neck": "neck", "head": "head"}
    points = np.zeros((len(clip), len(set_), 3))
    for index, name in enumerate(set_.joints):
        side, _, joint = name.partition("_")
        ours = trunk.get(name) or (f"{side}_{theirs[joint]}" if joint in theirs else "head")
        points[:, index] = clip.positions[:, SMPL22.index(ours)]
    points[:, set_.index("head_tip"), 2] += 0.1
    return points


def test_the_filters_are_scipys() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(40, 5, 3))
    median = without_jitter(points, KinectCleaning(smoothing_s=0.0), FPS)
    np.testing.assert_array_equal(median, scipy.ndimage.median_filter(points, (5, 1, 1), mode="nearest"))
    smooth = without_jitter(points, KinectCleaning(median_frames=1), FPS)
    # reach of three standard deviations, rounded up to whole frames: 5 of 1.5
    expected = scipy.ndimage.gaussian_filter1d(points, 1.5, axis=0, mode="nearest", radius=5)
    np.testing.assert_allclose(smooth, expected, atol=1e-12)
    nothing = without_jitter(points, KinectCleaning(median_frames=1, smoothing_s=0.0), FPS)
    np.testing.assert_array_equal(nothing, points)


def test_single_lost_frames_leave_no_trace(squat: MotionClip) -> None:
    points = kinect_points(squat)
    lost = points.copy()
    lost[[20, 21, 50], 9] += (0.5, -0.3, 0.4)
    cleaning = KinectCleaning(smoothing_s=0.0)
    error = np.abs(without_jitter(lost, cleaning, FPS) - points)[:, 9]
    assert np.abs(lost - points).max() == pytest.approx(0.5) and error.max() < 0.02


def test_a_body_anywhere_in_the_room_comes_to_the_origin(squat: MotionClip) -> None:
    points = kinect_points(squat)
    seen = np.ones(points.shape[:2])
    turn = Rotation.from_euler("z", 130.0, degrees=True)
    moved = turn.apply(points.reshape(-1, 3)).reshape(points.shape) + (3.0, -1.0, 0.7)
    here, there = (standing_body(one, seen, "uiprmd22", FPS, None) for one in (points, moved))
    np.testing.assert_allclose(there.positions, here.positions, atol=1e-6)
    np.testing.assert_allclose(here.positions[0, ANKLES, :2].mean(axis=0), 0.0, atol=0.01)
    left = here.positions[0, 1] - here.positions[0, 2]
    assert abs(np.degrees(np.arctan2(left[0], left[1]))) < 1.0
    # the mover's own floor and posture; no height is given to the fit but that of the bones
    np.testing.assert_allclose(here.positions[:, :9], squat.positions[:, :9], atol=0.03)
    clip = kinect_clip(here, FPS, "s01", ("squat",))
    assert (clip.source, clip.subject, clip.labels, clip.views) == (Source.REPLAY, "s01", ("squat",), 0)


def test_feet_that_slide_are_held(squat: MotionClip) -> None:
    points = kinect_points(squat)
    slide = 0.06 * np.sin(np.linspace(0.0, 6.0, len(points)))
    points[..., 0] += slide[:, None]
    points[..., 2] += 0.5 * slide[:, None]
    seen = np.ones(points.shape[:2])
    cleaning = KinectCleaning()
    loose = standing_body(points, seen, "uiprmd22", FPS, None)
    held = standing_body(points, seen, "uiprmd22", FPS, cleaning.planted(stay=True, one_sided=False))
    assert np.ptp(loose.positions[:, ANKLES], axis=0).max() > 0.1
    assert np.ptp(held.positions[:, ANKLES], axis=0).max() < 0.01


def test_how_feet_are_held_depends_on_the_movement() -> None:
    cleaning = KinectCleaning()
    assert cleaning.planted(stay=False, one_sided=False) is cleaning.planted_feet
    stay, step = cleaning.planted(stay=True, one_sided=False), cleaning.planted(stay=False, one_sided=True)
    assert stay is not None and step is not None
    assert np.isinf(stay.lift_m) and step.lift_m == 0.12 and step.least_lift_m == 0.07
    assert KinectCleaning(feet_stay=False).planted(stay=True, one_sided=False) == cleaning.planted_feet
    assert KinectCleaning(planted_feet=None).planted(stay=True, one_sided=True) is None
