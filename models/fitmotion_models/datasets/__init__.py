"""Readers of recorded motion in its published formats; each gives a MotionClip in the `world` frame."""

from fitmotion_models.datasets.asf_amc import AsfSkeleton, read_asf, read_asf_amc

__all__ = ["AsfSkeleton", "read_asf", "read_asf_amc"]
