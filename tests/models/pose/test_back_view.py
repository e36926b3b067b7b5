"""One camera behind a person: the body faces away from it, and its sides stay where they are."""

import os
from pathlib import Path

import numpy as np
import pytest

from fitmotion_models.pose.backends import make_backend
from fitmotion_models.pose.body_estimator import BodyEstimator
from fitmotion_models.pose.camera_model import CameraModel
from fitmotion_models.pose.image_source import open_source
from fitmotion_models.pose.rig_files import read_rig
from fitmotion_models.skeleton.joint_sets import SMPL22

MEDIA = Path(os.environ.get("FITMOTION_DATA", Path(__file__).parents[4] / "shared" / "data")) / "media"
HIPS = [SMPL22.index("left_hip"), SMPL22.index("right_hip")]


def azimuths(video):
    """Of the camera against where the body faces, degrees, of every frame; how many frames had their sides mended."""
    source, find = open_source(str(video)), make_backend("mediapipe")
    estimator = BodyEstimator(CameraModel.guess(source.width, source.height), tilt=0.0)
    found = []
    while (frame := source.read()) is not None:
        image = np.ascontiguousarray(frame.image_bgr[:, :, ::-1])
        pose = estimator.update(find(image, frame.stamp), frame.stamp).pose
        if pose is not None:
            left = pose.positions[HIPS[0]] - pose.positions[HIPS[1]]
            facing = np.arctan2(-left[0], left[1])
            camera = np.arctan2(pose.view_direction[1], pose.view_direction[0])
            found.append(np.degrees(np.angle(np.exp(1j * (camera - facing)))))
    source.close()
    find.close()
    return np.array(found), estimator.swapped_frames


@pytest.mark.slow
def test_cameras_behind_an_athlete_see_the_back():
    """Pose2Sim's third and fourth camera are behind; how far apart they are is known from their calibration."""
    videos = [MEDIA / f"pose2sim_cam0{number}.mp4" for number in (3, 4)]
    if not all(video.is_file() for video in videos):
        pytest.skip(f"no {videos[0].name} in {MEDIA}; set FITMOTION_DATA to the folder that holds media/")
    seen = []
    for video in videos:
        angles, swapped = azimuths(video)
        print(f"\n{video.name}: {np.median(angles):.0f} degrees, {swapped} frames with other sides")
        assert len(angles) > 90
        # behind, not in front, in nearly every frame
        assert np.mean(np.cos(np.radians(angles)) < 0.0) > 0.95
        assert swapped <= 0.05 * len(angles)
        seen.append(np.median(angles))
    places = [camera.position for camera in read_rig(MEDIA / "pose2sim_calibration.qca.txt").cameras[2:]]
    apart = np.degrees(np.subtract(*(np.arctan2(place[1], place[0]) for place in places)))
    assert np.subtract(*seen) % 360.0 == pytest.approx(apart % 360.0, abs=45.0)
