"""One camera's joint angles against the same detections triangulated over four calibrated views of a real athlete."""

import os
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import cv2
import numpy as np
import pytest

from fitmotion_models.pose.backends import make_backend
from fitmotion_models.pose.camera_model import CameraModel
from fitmotion_models.pose.image_source import open_source
from fitmotion_models.pose.lift import lift

DATA = Path(os.environ.get("FITMOTION_DATA", Path(__file__).parents[4] / "shared" / "data")) / "media"
VIEWS = [DATA / f"pose2sim_cam0{number}.mp4" for number in (1, 2, 3, 4)]
CALIBRATION = DATA / "pose2sim_calibration.qca.txt"
# BlazePose indices (proximal, joint, distal)
ANGLES = {
    "knee": ((23, 25, 27), (24, 26, 28)),
    "hip": ((11, 23, 25), (12, 24, 26)),
    "elbow": ((11, 13, 15), (12, 14, 16)),
    "shoulder": ((13, 11, 23), (14, 12, 24)),
    "ankle": ((25, 27, 31), (26, 28, 32)),
}
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CALIBRATION.exists(), reason="needs the pose2sim videos (FITMOTION_DATA)"),
]
# Qualisys writes intrinsics in 1/64 pixel and cameras that look along -z with y up
SUBPIXELS = 64.0
QUALISYS_TO_OPTICAL = np.diag([1.0, -1.0, -1.0])


def calibrated_cameras():
    """[(intrinsics (3, 3), distortion (5,), world-to-camera (3, 4))] of the four views."""
    cameras = []
    for camera in ElementTree.parse(CALIBRATION).getroot().iter("camera"):
        inner, outer = camera.find("intrinsic").attrib, camera.find("transform").attrib
        u, v, cu, cv = (
            float(inner[name]) / SUBPIXELS for name in ("focalLengthU", "focalLengthV", "centerPointU", "centerPointV")
        )
        distortion = ("radialDistortion1", "radialDistortion2", "tangentalDistortion1", "tangentalDistortion2")
        rotation = np.array([[float(outer[f"r{row}{column}"]) for column in (1, 2, 3)] for row in (1, 2, 3)])
        rotation = QUALISYS_TO_OPTICAL @ rotation
        centre = np.array([float(outer[axis]) for axis in "xyz"]) / 1000
        cameras.append(
            (
                np.array([[u, 0, cu], [0, v, cv], [0, 0, 1]]),
                np.array([*(float(inner[name]) for name in distortion), 0.0]),
                np.column_stack([rotation, -rotation @ centre]),
            )
        )
    return cameras


def detections():
    """Landmarks of every view: a list of views of lists of Keypoints, and the image size."""
    views = []
    for path in VIEWS:
        source, find = open_source(str(path)), make_backend()
        found = []
        while (frame := source.read()) is not None:
            found.append(find(np.ascontiguousarray(frame.image_bgr[:, :, ::-1]), frame.stamp))
        views.append((found, (source.width, source.height)))
        find.close()
    return views


def triangulate(cameras, keypoints):
    """(33, 3) metres: the weighted linear least-squares point of four rays a landmark."""
    rays = [
        cv2.undistortPoints(view.pixels.reshape(-1, 1, 2).astype(float), matrix, distortion)[:, 0]
        for view, (matrix, distortion, _) in zip(keypoints, cameras, strict=True)
    ]
    points = np.empty((33, 3))
    for joint in range(33):
        rows = []
        for view, ray, (_, _, projection) in zip(keypoints, rays, cameras, strict=True):
            weight = view.confidence[joint]
            rows += [weight * (ray[joint, axis] * projection[2] - projection[axis]) for axis in (0, 1)]
        *_, vectors = np.linalg.svd(np.array(rows))
        points[joint] = vectors[-1, :3] / vectors[-1, 3]
    return points


def angles(points, triple):
    first, second = points[:, triple[0]] - points[:, triple[1]], points[:, triple[2]] - points[:, triple[1]]
    cosine = (first * second).sum(-1) / np.linalg.norm(first, axis=-1) / np.linalg.norm(second, axis=-1)
    return np.degrees(np.arccos(cosine))


def mean_of_medians(points, truth):
    return np.mean(
        [np.median([np.abs(angles(points, one) - angles(truth, one)) for one in pair]) for pair in ANGLES.values()]
    )


def test_lifting_takes_more_than_a_fifth_off_the_networks_angle_error():
    cameras, views = calibrated_cameras(), detections()
    frames = range(min(len(found) for found, _ in views))
    truth = np.stack([triangulate(cameras, [found[index] for found, _ in views]) for index in frames])
    raw, lifted = [], []
    for found, size in views:
        guess = CameraModel.guess(*size)
        raw.append(mean_of_medians(np.stack([found[index].world for index in frames]).astype(float), truth))
        points = [lift(guess, found[index], found[index].confidence)[0] for index in frames]
        lifted.append(mean_of_medians(np.stack(points), truth))
    print(f"angle error a view, degrees: network {np.round(raw, 1)}, lifted {np.round(lifted, 1)}")  # noqa: T201
    assert np.mean(lifted) < 0.8 * np.mean(raw)
    assert all(after < before for before, after in zip(raw, lifted, strict=True))
