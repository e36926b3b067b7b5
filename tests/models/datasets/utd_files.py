"""Files of UTD-MHAD's form, made of a known body by SciPy."""

from pathlib import Path

import numpy as np
from scipy.io import savemat

from fitmotion_models.datasets.utd_mhad import KINECT20
from fitmotion_models.skeleton.joint_sets import SMPL22
from fitmotion_models.skeleton.motion_clip import MotionClip

LIMBS = [f"{s}_{joint}" for s in ("left", "right") for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")]


def skeleton(clip: MotionClip, distance_m: float = 2.9) -> np.ndarray:
    """(20, 3, T) as a Kinect tracks a body that faces it: x to the person's right, y up, z away from the sensor."""
    there = dict(zip(SMPL22.joints, np.moveaxis(clip.positions.astype(float), 1, 0), strict=True))
    shoulders = 0.5 * (there["left_shoulder"] + there["right_shoulder"])
    hips = 0.5 * (there["left_hip"] + there["right_hip"])
    names = {
        "head": "head",
        **{limb: limb for limb in (*LIMBS, "left_foot", "right_foot")},
        "left_hand": "left_wrist",
        "right_hand": "right_wrist",
    }
    made = {
        "shoulder_center": shoulders,
        "spine": hips + 0.37 * (shoulders - hips),
        "hip_center": hips,
        **{theirs: there[ours] for theirs, ours in names.items()},
    }
    points = np.stack([made[joint] for joint in KINECT20.joints], axis=1)
    forward, left, up = np.moveaxis(points, -1, 0)
    return np.moveaxis(np.stack([-left, up - 0.9, distance_m - forward], axis=-1), 0, -1)


def write(folder: Path, name: str, points: np.ndarray, readings: np.ndarray) -> None:
    savemat(folder / f"{name}_skeleton.mat", {"d_skel": points})
    savemat(folder / f"{name}_inertial.mat", {"d_iner": readings})
