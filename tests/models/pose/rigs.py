"""Rigs that we know, for bodies that we know."""

import math

import numpy as np

from fitmotion_models.pose.camera_model import CameraModel
from fitmotion_models.pose.rig import Rig, RigCamera
from fitmotion_models.skeleton.joint_sets import JOINT_SETS, SMPL22

LENS = (-0.05, 0.14, 0.0006, -0.0004, 0.0)


def looking_at(name: str, azimuth: float, *, distance=3.5, height=1.5, target=(0.0, 0.0, 1.0), model=None) -> RigCamera:
    """A camera round the vertical axis (azimuth 0: from +x) that looks at a target."""
    place = np.array([distance * math.cos(azimuth), distance * math.sin(azimuth), height])
    forward = np.array(target) - place
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    rotation = np.stack([right, np.cross(forward, right), forward])
    model = model or CameraModel(1080, 1920, 1500.0, 1495.0, 545.0, 955.0, LENS)
    return RigCamera(name, model, rotation, -rotation @ place)


def ring(count: int = 4, **options) -> Rig:
    """Cameras evenly round the person, the first a little off the front."""
    return Rig(
        tuple(looking_at(f"cam{i + 1:02}", 0.5 + 2 * math.pi * i / count, **options) for i in range(count)), "ring"
    )


def blazepose_points(pose) -> np.ndarray:
    """(33, 3) where BlazePose's landmarks are on a body; hands at the wrists, the face in front of the head."""
    points = np.concatenate([pose.positions, pose.feet]).astype(float)
    feet = {"left_heel": 22, "left_foot_index": 23, "right_heel": 24, "right_foot_index": 25}
    result = np.empty((33, 3))
    for index, name in enumerate(JOINT_SETS["blazepose33"].joints):
        if name in feet:
            result[index] = points[feet[name]]
        elif name in SMPL22.joints:
            result[index] = points[SMPL22.index(name)]
        elif any(word in name.split("_") for word in ("pinky", "index", "thumb")):
            result[index] = points[SMPL22.index("left_wrist" if "left" in name else "right_wrist")]
        else:
            side = 0.06 if "left" in name else -0.06 if "right" in name else 0.0
            result[index] = points[SMPL22.index("head")] + (0.0, side, 0.1)
    return result


def see(rig: Rig, points: np.ndarray) -> np.ndarray:
    """(V, ..., 2) pixels of world points in every camera."""
    return np.stack([camera.project(points) for camera in rig.cameras])
