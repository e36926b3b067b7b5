"""The two baselines that a learned scorer is compared with: what the literature does with such data, at its best.

Trees: positions of all 22 joints about the waist, turned to face one way, divided by the thigh's length, resampled to
50 frames; extremely randomised trees. Linear: ranges of six angles, logistic regression. Ranges did better here than
maxima or values at the lowest point, and their logarithms better than themselves.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.fms.features import clip_curves
from fitmotion_models.fms.values import Side
from fitmotion_models.skeleton.joint_sets import JOINT_SETS
from fitmotion_models.skeleton.motion_clip import MotionClip

Vector = NDArray[np.float64]

_UIPRMD = JOINT_SETS["uiprmd22"]
_WAIST, _HIPS = _UIPRMD.index("waist"), (_UIPRMD.index("left_upper_leg"), _UIPRMD.index("right_upper_leg"))
_KNEES = (_UIPRMD.index("left_lower_leg"), _UIPRMD.index("right_lower_leg"))
FRAMES = 50
LEAST_RANGE = 0.05  # rad, 3 degrees: less is noise


def position_features(points: Vector) -> Vector:
    """Joints (T, 22, 3) of the set's skeleton as (3300,): about the waist, one heading, in thighs, at 50 instants."""
    across = points[0, _HIPS[0]] - points[0, _HIPS[1]]
    heading = np.arctan2(-across[0], across[1])
    cosine, sine = np.cos(heading), np.sin(heading)
    back = np.array([(cosine, sine, 0.0), (-sine, cosine, 0.0), (0.0, 0.0, 1.0)])
    thigh = float(np.linalg.norm(points[:, _HIPS[0]] - points[:, _KNEES[0]], axis=-1).mean())
    body = ((points - points[:, _WAIST, None]) @ back.T / thigh).reshape(len(points), -1)
    instants = np.linspace(0.0, len(body) - 1.0, FRAMES)
    resampled = [np.interp(instants, np.arange(len(body)), column) for column in body.T]
    return np.stack(resampled, axis=1).ravel()


def angle_features(clip: MotionClip, side: Side) -> Vector:
    """Six angles of a repetition: logarithms of the ranges (rad) of hip and knee flexion and of the trunk's lean.

    Hips and knees of the tested leg, then of the other one (left, then right, where the test has no side); the trunk's
    lean ahead and aside.
    """
    found = clip_curves(clip, Side.LEFT if side is Side.BOTH else side)
    wanted = ("first_hip_flexion", "second_hip_flexion", "first_knee_flexion", "second_knee_flexion")
    columns = [found.names.index(name) for name in (*wanted, "trunk_lean", "trunk_aside")]
    return np.asarray(np.log(np.ptp(found.values[:, columns], axis=0) + LEAST_RANGE))


def tree_baseline(seed: int) -> Any:
    """Extremely randomised trees, for `ScorerTable.positions`."""
    from sklearn.ensemble import ExtraTreesClassifier

    return ExtraTreesClassifier(n_estimators=400, random_state=seed)


def linear_baseline(seed: int) -> Any:
    """Logistic regression, for `ScorerTable.angles`."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000, random_state=seed))
