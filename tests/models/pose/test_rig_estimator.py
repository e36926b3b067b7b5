"""Several cameras' landmarks to one body in the calibration's frame."""

import numpy as np
import pytest
from tests.models.pose.rigs import blazepose_points, ring, see

from fitmotion_models.mover import make_mover
from fitmotion_models.pose.keypoints import Keypoints
from fitmotion_models.pose.rig_estimator import RigEstimator
from fitmotion_models.skeleton.body_pose import Source
from fitmotion_models.skeleton.joint_sets import SMPL22


def views_of(rig, pose, noise=0.0, seed=0, blind=()):
    pixels = see(rig, blazepose_points(pose))
    pixels = pixels + np.random.default_rng(seed).normal(0.0, noise, pixels.shape)
    sure = np.full(33, 0.9, np.float32)
    return [
        None if view in blind else Keypoints("blazepose33", pixels[view].astype(np.float32), sure, None)
        for view in range(len(rig))
    ]


def followed(rig, clip, frames, **options):
    estimator = RigEstimator(rig, subject="anna")
    return estimator, [
        estimator.update(views_of(rig, clip.frame(index), seed=index, **options), index / 30) for index in frames
    ]


@pytest.mark.slow
def test_the_body_is_where_it_is_in_the_world_with_bones_that_keep_their_length():
    clip, rig = make_mover("squat"), ring(4)
    _, found = followed(rig, clip, range(60), noise=3.0)
    assert found[0].event == "person_found" and found[-1].status == "tracking"
    last = found[-1].pose
    assert (last.views, last.source, last.subject) == (4, Source.CAMERAS, "anna")
    assert np.isnan(last.view_direction).all()
    legs = [SMPL22.index(f"{side}_{joint}") for side in ("left", "right") for joint in ("knee", "ankle")]
    off = [
        np.linalg.norm(estimate.pose.positions[legs] - clip.frame(index).positions[legs], axis=-1)
        for index, estimate in enumerate(found[40:], start=40)
    ]
    assert np.median(off) < 0.03 and np.percentile(off, 95) < 0.06
    parents = list(SMPL22.parents[1:])
    lengths = np.array(
        [np.linalg.norm(one.pose.positions[1:] - one.pose.positions[parents], axis=-1) for one in found[40:]]
    )
    assert (np.ptp(lengths, axis=0) < 1e-4).all()


def test_a_camera_that_sees_nobody_is_done_without_and_one_camera_is_not_enough():
    clip, rig = make_mover("squat"), ring(3)
    _, found = followed(rig, clip, range(5), blind=(1,))
    assert all(one.pose is not None and one.pose.views == 2 for one in found)
    estimator, found = followed(rig, clip, range(5), blind=(0, 1))
    assert all(one.pose is None for one in found) and found[-1].status == "no person in view of two cameras"


def test_a_person_who_leaves_is_lost_and_found_again():
    clip, rig = make_mover("squat"), ring(3)
    estimator = RigEstimator(rig)
    estimator.update(views_of(rig, clip.frame(0)), 0.0)
    assert estimator.update([None] * 3, 0.3).event == ""
    assert estimator.update([None] * 3, 0.6).event == "person_lost"
    assert estimator.update(views_of(rig, clip.frame(0)), 0.7).event == "person_found"


def test_views_that_do_not_fit_are_refused():
    estimator = RigEstimator(ring(3))
    with pytest.raises(ValueError, match="2 views for 3 cameras|2 views for a rig of 3"):
        estimator.update([None, None], 0.0)
    views = views_of(ring(3), make_mover("squat").frame(0))
    views[0] = Keypoints("coco17", views[0].pixels[:17], views[0].confidence[:17], None)
    with pytest.raises(ValueError, match="different joint sets: blazepose33, coco17"):
        estimator.update(views, 0.0)
    with pytest.raises(ValueError, match="one camera"):
        RigEstimator(ring(1))
