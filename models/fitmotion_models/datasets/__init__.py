"""Readers of recorded motion in its published formats; each gives a MotionClip in the `world` frame."""

from fitmotion_models.datasets.amass import AmassName, read_amass
from fitmotion_models.datasets.asf_amc import AsfSkeleton, read_asf, read_asf_amc
from fitmotion_models.datasets.bandai import BandaiName, read_bandai
from fitmotion_models.datasets.kinect_cleaning import KinectCleaning
from fitmotion_models.datasets.uiprmd import SPLITS, PersonSplit, mirror_uiprmd, read_uiprmd
from fitmotion_models.datasets.uiprmd_files import MOVEMENTS as UIPRMD_MOVEMENTS
from fitmotion_models.datasets.uiprmd_files import UiprmdName
from fitmotion_models.datasets.xing_files import XingName
from fitmotion_models.datasets.xing_fms import read_xing_fms

__all__ = [
    "SPLITS",
    "UIPRMD_MOVEMENTS",
    "AmassName",
    "AsfSkeleton",
    "BandaiName",
    "KinectCleaning",
    "PersonSplit",
    "UiprmdName",
    "XingName",
    "mirror_uiprmd",
    "read_amass",
    "read_asf",
    "read_asf_amc",
    "read_bandai",
    "read_uiprmd",
    "read_xing_fms",
]
