"""Bodies for the viewer's tests: movers, scored as they go, and what a perfect detector would see of them."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from fitmotion_models.fms.scorer import Scorer
from fitmotion_models.mover import make_mover
from fitmotion_models.pose.camera_model import CameraModel
from fitmotion_models.pose.keypoints import Keypoints
from fitmotion_models.skeleton.body_pose import BodyPose
from fitmotion_models.skeleton.joint_sets import JOINT_SETS
from fitmotion_models.viewer.live_test import LiveTest
from fitmotion_models.viewer.mannequin import Viewpoint

HALPE = JOINT_SETS["halpe26"].joints
# the set's joints that a body knows the place of; the rest is unseen
SAME = {f"{side}_{joint}": f"{side}_{joint}" for side in ("left", "right")
        for joint in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist", "heel")}  # fmt: skip
SAME |= {"left_toe": "left_big_toe", "right_toe": "right_big_toe"}


def _play(mover: str, **changes) -> Iterator[tuple[BodyPose, LiveTest]]:
    """Every pose of a mover with what there is to tell about it."""
    scorer, test = Scorer(), LiveTest()
    for pose in make_mover(mover):
        pose = replace(pose, **changes)
        update = scorer.update(pose)
        test.update(update.state)
        if update.assessment is not None:
            test.assessed(update.assessment)
        yield pose, test


def _at(mover: str, seconds: float, **changes) -> tuple[BodyPose, LiveTest]:
    """The body of a mover at a time, seconds from its first pose."""
    moments = _play(mover, **changes)
    first = next(moments)[0].stamp
    return next((pose, test) for pose, test in moments if pose.stamp - first >= seconds)


def _detected(pose: BodyPose, camera: CameraModel, view: Viewpoint) -> Keypoints:
    """A pose as a detector of Halpe's 26 joints would find it in the picture."""
    from fitmotion_models.viewer.figure import POINTS, body_points

    pixels = np.full((len(HALPE), 2), np.nan, np.float32)
    confidence = np.zeros(len(HALPE), np.float32)
    places, _ = view.project(body_points(pose)[0], camera)
    for ours, theirs in SAME.items():
        pixels[HALPE.index(theirs)] = places[POINTS.index(ours)]
        confidence[HALPE.index(theirs)] = 0.9
    return Keypoints("halpe26", pixels, confidence, None)


@pytest.fixture
def standing() -> BodyPose:
    return make_mover("squat").frame(0)


@pytest.fixture
def play():
    return _play


@pytest.fixture
def at():
    return _at


@pytest.fixture
def detected():
    return _detected
