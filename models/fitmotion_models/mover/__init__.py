"""Parametric bodies with known truth: their parameters are what a measurement has to find."""

from fitmotion_models.mover.clip import seen_from
from fitmotion_models.mover.movers import MOVERS, make_mover
from fitmotion_models.mover.noise import FOUR_CAMERAS_SD_DEG, ONE_CAMERA_SD_DEG, add_camera_noise
from fitmotion_models.mover.squat import SquatTruth, squat_clip, squat_series, squat_truth
from fitmotion_models.mover.squat_parameters import SquatParameters
from fitmotion_models.mover.squat_timing import RepetitionTimes

__all__ = [
    "FOUR_CAMERAS_SD_DEG",
    "MOVERS",
    "ONE_CAMERA_SD_DEG",
    "RepetitionTimes",
    "SquatParameters",
    "SquatTruth",
    "add_camera_noise",
    "make_mover",
    "seen_from",
    "squat_clip",
    "squat_series",
    "squat_truth",
]
